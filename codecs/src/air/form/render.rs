//! A form in plain Chinese: whole, for the console and for phones, and short, for a handheld whose message holds 77 bytes.

use super::Form;
use super::keypad::print::{decimal, degrees, print_one};
use super::schema::{Field, Kind, Side};
use super::spot::{Area, Spot};
use super::value::{Reference, Value, Values, whole};
use crate::message::MessageId;
use encoding_rs::GB18030;

/// What stands where a short text was cut.
const CUT: &str = "…";

impl Form {
    /// The whole form in words: title, values with labels and units, what should have been reported and was not, and the note.
    #[must_use]
    pub fn words(&self, area: &Area) -> String {
        let fields = &self.schema().fields;
        let mut parts = Vec::new();
        for field in fields.iter().filter(|field| field.title.is_none()) {
            parts.extend(self.get(&field.name).map(|value| full(field, value, self.values(), area)));
        }
        let silent = fields.iter().filter(|field| field.say_absent);
        let silent: Vec<&str> =
            silent.filter(|field| self.get(&field.name).is_none()).map(|field| field.zh.as_str()).collect();
        let mut text = format!("{}{}", self.title(), parts.join(" "));
        if !silent.is_empty() {
            text.push_str(&format!("（未报：{}）", silent.join("、")));
        }
        if !self.note().is_empty() {
            text.push_str(&format!(" 说明：{}", self.note()));
        }
        text
    }

    /// The form in at most so many bytes of GB18030. Labels are those of the keypad; what says where and when comes after
    /// the numbers, the note last. What does not fit is left out as a whole, and the text then ends with `…`.
    #[must_use]
    pub fn short(&self, area: &Area, bytes_max: usize) -> String {
        let fields = self.schema().fields.iter().filter(|field| field.title.is_none());
        let (late, early): (Vec<&Field>, Vec<&Field>) =
            fields.partition(|field| matches!(field.kind, Kind::Position { .. } | Kind::Time { .. }));
        let known = early.into_iter().chain(late).filter_map(|field| Some((field, self.get(&field.name)?)));
        let mut text = self.title();
        let mut whole = true;
        let room = |text: &str, more: &str| size(text) + size(more) + size(CUT) <= bytes_max;
        for (field, value) in known {
            let gap = if text.ends_with('】') { "" } else { " " };
            let part = format!("{gap}{}", brief(field, value, area));
            if room(&text, &part) {
                text.push_str(&part);
            } else {
                whole = false;
            }
        }
        let gap = if text.ends_with('】') || self.note().is_empty() { "" } else { " " };
        for (at, c) in self.note().chars().enumerate() {
            let part = if at == 0 { format!("{gap}{c}") } else { c.to_string() };
            if !whole || !room(&text, &part) {
                whole = false;
                break;
            }
            text.push_str(&part);
        }
        if !whole {
            text.push_str(CUT);
        }
        text
    }

    /// 【险情续报】
    fn title(&self) -> String {
        let side = |side: Side| {
            let fields = self.schema().fields.iter().filter(move |field| field.title == Some(side));
            fields.filter_map(|field| Some(chosen(field, self.get(&field.name)?))).collect::<String>()
        };
        format!("【{}{}{}】", side(Side::Before), self.schema().zh, side(Side::After))
    }
}

fn size(text: &str) -> usize {
    GB18030.encode(text).0.len()
}

fn chosen(field: &'static Field, value: &Value) -> String {
    let Value::Choice(at) = value else { return String::new() };
    field.choices().get(usize::from(*at)).map_or(String::new(), |choice| choice.zh.clone())
}

/// A value with its label and unit.
fn full(field: &'static Field, value: &Value, beside: &Values, area: &Area) -> String {
    let label = if field.label { field.zh.as_str() } else { "" };
    let unit = field.units().first().map_or("", String::as_str);
    match value {
        Value::Choice(_) => chosen(field, value),
        Value::Count(count) => {
            let Kind::Count { out_of, .. } = &field.kind else { return String::new() };
            let left = whole(out_of.as_deref(), beside).and_then(|whole| whole.checked_sub(*count));
            let left = left.filter(|left| *left > 0).map_or(String::new(), |left| format!("（差{left}）"));
            format!("{label}{count}{unit}{left}")
        }
        Value::Changed { now, by } => {
            let way = match by {
                0 => "同前".to_owned(),
                1.. => format!("增{by}"),
                _ => format!("减{}", by.unsigned_abs()),
            };
            format!("{label}{now}{unit}（{way}）")
        }
        Value::Same => format!("{label}同前"),
        Value::Number(number) => {
            let about = if matches!(field.kind, Kind::Level { exact: false, .. }) { "约" } else { "" };
            format!("{label}{about}{}{unit}", decimal(*number, field))
        }
        Value::Spot(spot) => format!("{label}{}", where_is(*spot, area)),
        Value::Time { .. } | Value::Flag(_) => said(field, value, label),
        Value::Place(number) => place(*number, area),
        Value::Reference(reference) => match named(*reference, area) {
            Ok(id) => format!("{label}{id}"),
            Err(id) => format!("{}号站的报文（可能是{id}）", id.station.number()),
        },
        Value::Rows(rows) => {
            let rows = rows.iter().map(|row| full_row(field.row_fields(), row, area));
            rows.collect::<Vec<_>>().join("；")
        }
    }
}

/// A row: a thing and its quantity cling together (帐篷200顶), other values are apart.
fn full_row(fields: &'static [Field], row: &Values, area: &Area) -> String {
    let mut text = String::new();
    let mut unit = None;
    for (at, field) in fields.iter().enumerate() {
        let clings = at > 0 && !field.label;
        if at > 0 && !clings {
            text.push(' ');
        }
        match row.get(field.name.as_str()) {
            Some(value) => text.push_str(&full(field, value, row, area)),
            None => text.push_str(&format!("{}不明", field.zh)),
        }
        if clings && field.units().is_empty() {
            text.push_str(unit.unwrap_or(""));
        }
        if let Some(Value::Choice(choice)) = row.get(field.name.as_str()) {
            unit = field.choices().get(usize::from(*choice)).and_then(|choice| choice.unit.as_deref());
        }
    }
    text
}

/// A value as short as it is typed.
fn brief(field: &'static Field, value: &Value, area: &Area) -> String {
    let code = field.codes.first().map_or("", String::as_str);
    match value {
        Value::Spot(spot) => where_is(*spot, area),
        Value::Place(number) => place(*number, area),
        Value::Reference(reference) => match named(*reference, area) {
            Ok(id) => id.to_string(),
            Err(id) => format!("{id}？"),
        },
        Value::Rows(rows) => {
            let rows = rows.iter().map(|row| {
                let known = field.row_fields().iter().enumerate().filter_map(|(at, field)| {
                    let value = row.get(field.name.as_str())?;
                    let bare = at > 0 && !field.label;
                    Some(if bare { full(field, value, row, area) } else { brief(field, value, area) })
                });
                known.collect::<String>()
            });
            rows.collect::<Vec<_>>().join(" ")
        }
        Value::Time { .. } => said(field, value, code),
        _ => print_one(field, value),
    }
}

/// What is the same in both: times and yes or no.
fn said(field: &'static Field, value: &Value, label: &str) -> String {
    match value {
        Value::Time { day, minute } => {
            let day = day.map_or(String::new(), |day| format!("{day}日"));
            format!("{label}{day}{:02}:{:02}", minute / 60, minute % 60)
        }
        _ => print_one(field, value),
    }
}

fn where_is(spot: Spot, area: &Area) -> String {
    let sign = |e7: i32| if e7 < 0 { "-" } else { "" };
    match (area.degrees(spot), spot) {
        (Some((lat_e7, lon_e7)), _) => {
            let (lat, lon) = degrees(lat_e7, lon_e7);
            format!("{}{lat},{}{lon}", sign(lat_e7), sign(lon_e7))
        }
        (None, Spot::Relative { origin, north_m, east_m }) => {
            let (north, east) = (if north_m < 0 { "南" } else { "北" }, if east_m < 0 { "西" } else { "东" });
            format!("原点{origin}{north}{}米{east}{}米", north_m.unsigned_abs(), east_m.unsigned_abs())
        }
        (None, Spot::Absolute { .. }) => String::new(),
    }
}

fn place(number: u16, area: &Area) -> String {
    area.places.get(&number).cloned().unwrap_or_else(|| format!("{number}号地点"))
}

/// The message that is meant; an error where nothing is known of its station's counter: then the first of those that it
/// may be, which is the right one until that station has made 16,384, and to be shown with its doubt.
fn named(reference: Reference, area: &Area) -> Result<MessageId, MessageId> {
    match area.counters.get(&reference.station.number()) {
        Some(counter) => Ok(reference.near(*counter)),
        None => Err(reference.near(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::any_current_form;
    use super::super::{Origin, read_line};
    use super::*;
    use proptest::prelude::*;

    fn area() -> Area {
        let mut area = Area::default();
        area.places.insert(12, "青龙村".into());
        area.origins.insert(3, Origin::new(306_500_000, 1_040_800_000).unwrap());
        area.counters.insert(1, 40);
        area
    }

    fn words(line: &str) -> (String, String) {
        let form = read_line(line, &area()).unwrap();
        (form.words(&area()), form.short(&area(), 77))
    }

    #[test]
    fn people_read_a_form_in_plain_words() {
        for (line, full, short) in [
            (
                "#1 续报 滑坡 地12 第3报 死0 失2减1 伤14 转同 断路 位30.6521,104.0812 截至14:05 说后山还在掉石头",
                "【险情续报】第3报 青龙村 滑坡 位置30.6521,104.0812 截至14:05 死亡0人 失联2人（减1） 受伤14人 转移同前 \
                 断路（未报：被困、受威胁、倒房、损房） 说明：后山还在掉石头",
                "【险情续报】第3 青龙村 滑坡 死0 失2减1 伤14 转同 断路 30.6521,104.0812…",
            ),
            (
                "#2 水困 5人 伤2 原3北233东115",
                "【求救】水困 人数5人 受伤2人 位置30.6521,104.0812",
                "【求救】水困 共5 伤2 30.6521,104.0812",
            ),
            ("#2", "【求救】（未报：人数、受伤）", "【求救】"),
            (
                "#3 1 350 344 / 2 ? 60 已完成",
                "【转移清点】已完成 1号点 应转350人 已转344人（差6）；2号点 应转不明 已转60人",
                "【转移清点】已完成 点1应350到344 点2到60",
            ),
            (
                "#4 2 地9 共40 限12日19:30 每30 要回执",
                "【指令】集合 9号地点 限时12日19:30 人数40人 报告间隔30分钟 要回执",
                "【指令】集合 9号地点 共40 每30 要回执 限12日19:30",
            ),
            ("#5 2 01021 到42", "【答复执行中】编号01021 预计约40分钟", "【答复执行中】01021 到40"),
            (
                "#6 1 4 2 自22:00 至12日08:00 雨80",
                "【红色预警】山洪 立即转移 自22:00 至12日08:00 雨量80毫米",
                "【红色预警】山洪 立即转移 雨80 自22:00 至12日08:00",
            ),
            ("#7 2 1 39 36", "【叫应】部分叫应 电话 应叫39人 已应36人（差3）", "【叫应】部分叫应 电话 应叫39 已应36"),
            ("#8 帐篷200 棉被300 急1", "【物资】立即 帐篷200顶；棉被300床", "【物资】立即 帐篷200 棉被300"),
            (
                "#9 受阻 12人 电35 食2 水1 断路",
                "【状态】受阻 在岗12人 电量约35% 食品够2天 饮水够1天 断路",
                "【状态】受阻 共12 电35 食2 水1 断路",
            ),
            (
                "#0 原7 北1200 西300 速20 向95",
                "【位置】原点7北1200米西300米 速度约20公里/时 航向约96度",
                "【位置】速20 向96 原点7北1200米西300米",
            ),
        ] {
            assert_eq!(words(line), (full.to_owned(), short.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_message_that_cannot_be_completed_is_named_with_its_doubt() {
        let form = read_line("#5 1 01021", &Area::default()).unwrap();
        assert_eq!(form.words(&Area::default()), "【答复受领】1号站的报文（可能是01021）");
        assert_eq!(form.short(&Area::default(), 77), "【答复受领】01021？");
        let mut far = area();
        far.counters.insert(1, 16_400);
        let id: crate::message::MessageId = form.words(&far).split("编号").nth(1).unwrap().parse().unwrap();
        assert_eq!(id.counter, 16_386);
    }

    proptest! {
        #[test]
        fn a_short_text_fits_and_says_when_something_is_left_out(form in any_current_form(), max in 30_usize..200) {
            let short = form.short(&Area::default(), max);
            prop_assert!(size(&short) <= max, "{} {}", short, size(&short));
            let whole = form.short(&Area::default(), 100_000);
            prop_assert!(short == whole || short.ends_with(CUT));
        }
    }
}
