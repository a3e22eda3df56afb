//! Records and states as lines for a person: Chinese words, Beijing time.

pub(super) use crate::config::trouble;
use serde_json::Value;
use yizhan_codecs::air::receipt::State;
use yizhan_codecs::message::{Answer, Bearer, Precedence, Rung, Utc};
use yizhan_engine::bus::Voucher;
use yizhan_engine::event::End;
use yizhan_engine::io::LinkTrouble;

/// A text field, empty when absent.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or_default()
}

pub(super) fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}

pub(super) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn rung_from_name(name: &str) -> Option<Rung> {
    const RUNGS: [Rung; 8] = [
        Rung::Waiting,
        Rung::Saved,
        Rung::Taken,
        Rung::Radiated,
        Rung::Repeated,
        Rung::Delivered,
        Rung::Read,
        Rung::Answered(Answer::Accepted),
    ];
    RUNGS.into_iter().find(|rung| rung.name() == name)
}

pub(super) fn rung(name: &str) -> &str {
    rung_from_name(name).map_or(name, |rung| rung.label())
}

pub(super) fn answer(name: &str) -> &str {
    const ANSWERS: [Answer; 4] = [Answer::Accepted, Answer::Executing, Answer::Done, Answer::Unable];
    ANSWERS.iter().find(|answer| answer.name() == name).map_or(name, |answer| answer.label())
}

pub(super) fn end(name: &str) -> &str {
    End::from_name(name).map_or(name, |end| end.label())
}

pub(super) fn precedence(name: &str) -> &str {
    Precedence::from_name(name).map_or(name, |precedence| precedence.label())
}

/// `北斗:142020` for `beidou:142020`.
pub(super) fn terminal(written: &str) -> String {
    match written.split_once(':').and_then(|(bearer, number)| Some((Bearer::from_name(bearer)?, number))) {
        Some((bearer, number)) => format!("{}:{number}", bearer.label()),
        None => written.to_owned(),
    }
}

/// `09-12 14:05:00` in Beijing time, or dashes where no clock was trusted.
pub(super) fn beijing(rfc3339: Option<&str>) -> String {
    let read = |text: &str| {
        let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<u8>().ok();
        let year = text.get(..4)?.parse().ok()?;
        Utc::from_civil(year, part(5..7)?, part(8..10)?, part(11..13)?, part(14..16)?, part(17..19)?)
    };
    match rfc3339.and_then(read) {
        Some(utc) => utc.beijing().get(5..).unwrap_or_default().to_owned(),
        None => "--时间未定-- ".to_owned(),
    }
}

/// A duration as people say it.
pub(super) fn duration(ms: u64) -> String {
    let seconds = ms.div_ceil(1_000);
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}秒"),
        (0, m, 0) => format!("{m}分"),
        (0, m, s) => format!("{m}分{s}秒"),
        (h, m, _) => format!("{h}小时{m}分"),
    }
}

/// One record as a line; `None` for housekeeping that tells a person nothing.
pub(super) fn record(record: &Value) -> Option<String> {
    let data = record.get("data").unwrap_or(&Value::Null);
    let id = text(data, "id");
    let way = || number(data, "delivery").saturating_add(1);
    let line = match text(record, "kind") {
        "erased" => "（此记录已依法删除）".to_owned(),
        "message_kept" => kept(data),
        "routed" => {
            let to: Vec<String> = list(data, "deliveries").iter().map(whom).collect();
            format!("报文 {id} 分派 {} 路：{}", to.len(), to.join("、"))
        }
        // The network's own traffic: people see what the receipts say.
        "attempted" if is_frame(data) => return None,
        "air_planned" => {
            let (rows, bytes) = (number(data, "rows"), text(data, "content").len() / 2);
            format!("报文 {id} 第{}路 封装为站间报文：{bytes} 字节，{rows} 帧", way())
        }
        "receipt_heard" => return receipt(data).map(|line| stamped(record, &line)),
        "attempted" => return Some(stamped(record, &attempted(data, &piece(number(data, "part"), None)))),
        "rung_raised" => {
            let answer = Some(text(data, "answer")).filter(|word| !word.is_empty());
            let answer = answer.map(|word| format!("（{}）", self::answer(word))).unwrap_or_default();
            format!("报文 {id} 第{}路 {}{answer}", way(), rung(text(data, "rung")))
        }
        "delivery_ended" => {
            let reason = Some(text(data, "reason")).filter(|reason| !reason.is_empty());
            let reason = reason.map(|reason| format!("：{reason}")).unwrap_or_default();
            format!("报文 {id} 第{}路 结束 {}{reason}", way(), end(text(data, "end")))
        }
        "forecast_made" => format!("报文 {id} 第{}路 {}", way(), super::forecast::words(data)),
        "copy_counted" => format!("报文 {id} 又收到一次（{}）", text(data, "link")),
        "held" => format!("报文 {id} 等待人工确认：yizhan confirm {id}"),
        "confirmed" => format!("报文 {id} 已由 {} 确认", text(data, "by")),
        "sos_changed" => {
            let what = match text(data, "what") {
                "opened" => "求救！",
                "updated" => "求救更新",
                _ => "求救已关闭",
            };
            format!("{what} 报文 {id} {}", terminal(text(data, "from")))
        }
        "marked_read" => format!("报文 {id} 已读（{}）", text(data, "by")),
        "downgraded" => format!("特提报文 {id} 超时，降为特急继续发送"),
        other => return housekeeping(other, data).map(|line| stamped(record, &line)),
    };
    Some(stamped(record, &line))
}

pub(super) fn stamped(record: &Value, line: &str) -> String {
    format!("{}  {line}", beijing(record.get("at").and_then(Value::as_str)))
}

fn housekeeping(kind: &str, data: &Value) -> Option<String> {
    let link = text(data, "link");
    Some(match kind {
        "link_changed" if flag(data, "up") => format!("{link} 链路接通"),
        "link_changed" => {
            let why = text(data, "why");
            format!("{link} 链路中断（{}）", LinkTrouble::from_name(why).map_or(why, |trouble| trouble.label()))
        }
        "card_learned" if text(data, "number").is_empty() => format!("{link} 未插卡"),
        "card_learned" => {
            format!("{link} 卡 {} 服务频度 {}", text(data, "number"), duration(number(data, "period_ms")))
        }
        "unreadable" => format!("{link} 收到不能识别的数据：{}", text(data, "why")),
        "position_moved" => {
            let fix = data.get("fix").unwrap_or(&Value::Null);
            let degrees = |key| fix.get(key).and_then(Value::as_f64).unwrap_or_default() / 1e7;
            format!("{} 位置 {:.5}, {:.5}", terminal(text(data, "terminal")), degrees("lat_e7"), degrees("lon_e7"))
        }
        "presence_changed" => {
            let word = if flag(data, "present") { "上线" } else { "离线" };
            format!("{} {word}", terminal(text(data, "terminal")))
        }
        "roster_imported" => format!("名册已更新（{}）", text(data, "by")),
        "clock_trusted" => "时间已可信".to_owned(),
        "row_kept" => {
            let from = data.get("number").map_or(0, |of| number(of, "source"));
            format!("{link} 收到 {from} 号站长报文的一帧")
        }
        "carried_out" => {
            let station = number(data, "station");
            format!("{} 条报文交人带往 {station} 号站（{}）", list(data, "ids").len(), text(data, "by"))
        }
        "rows_dropped" => "一条未收齐的站间报文已放弃".to_owned(),
        "configured" => format!("本站启动，站号 {}", number(data, "station")),
        "part_kept" => {
            let part = (number(data, "part"), number(data, "total"));
            format!("{link} 收到 {} 的第 {}/{} 段", terminal(text(data, "from")), part.0, part.1)
        }
        _ => return None,
    })
}

/// What a station said of our message, where it is no rung of its own.
fn receipt(data: &Value) -> Option<String> {
    let bits = u8::try_from(number(data, "state")).ok()?;
    let line = match State::from_numbers(bits >> 6, bits & 0x3F) {
        State::Need(rows) => format!("对方还缺 {rows} 帧"),
        State::Refused(reason) => format!("对方回执：{}", reason.label()),
        _ => return None,
    };
    Some(format!("报文 {} 第{}路 {line}", text(data, "id"), number(data, "delivery").saturating_add(1)))
}

/// A text as it may stand in a line of a terminal: nobody's words begin a line of ours or move its cursor.
pub(super) fn on_one_line(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' => '↵',
        '\t' => ' ',
        c if c.is_control() => '·',
        c => c,
    };
    text.replace("\r\n", "\n").chars().map(shown).collect()
}

fn kept(data: &Value) -> String {
    let id = text(data, "id");
    let from = text(data, "from");
    let mut marks = format!("[{}]", precedence(text(data, "precedence")));
    if flag(data, "exercise") {
        marks.push_str("【演练】");
    }
    if text(data, "topic") == "sos" {
        marks.push_str("【求救】");
    }
    if flag(data, "damaged") {
        marks.push_str("【有误码】");
    }
    match Voucher::from_name(text(data, "proof")) {
        Some(Voucher::Nobody) => marks.push_str("【未认证】"),
        Some(Voucher::Net) => marks.push_str("【本网】"),
        Some(Voucher::Station) | None => {}
    }
    let body = match (text(data, "text"), text(data, "opaque")) {
        ("", "") => "（无正文）".to_owned(),
        ("", opaque) => format!("（数据 {opaque}）"),
        (body, _) => match text(data, "words") {
            words if words.is_empty() || words == body => on_one_line(body),
            words => on_one_line(&format!("{words}（原文 {body}）")),
        },
    };
    if from.is_empty() {
        return format!("受理 {id} {marks} {} → {}：{body}", text(data, "by"), terminal(text(data, "to")));
    }
    let by = Some(text(data, "by")).filter(|by| !by.is_empty()).map(|by| format!("（{by}）")).unwrap_or_default();
    format!("收到 {id} {marks} {}{by} 经 {}：{body}", terminal(from), text(data, "link"))
}

fn whom(delivery: &Value) -> String {
    match text(delivery, "person") {
        "" => list(delivery, "terminals").first().and_then(Value::as_str).map(terminal).unwrap_or_default(),
        person => person.to_owned(),
    }
}

/// Which piece of a message a send carries: a part of a text, or a row of a packed message of so many.
pub(super) fn piece(part: u64, rows: Option<u64>) -> String {
    let place = part.saturating_add(1);
    match rows {
        Some(1) => "单帧".into(),
        Some(rows) if part < rows => format!("第{place}/{rows}帧"),
        Some(rows) => format!("补第{}帧", place.saturating_sub(rows)),
        None => format!("第{place}段"),
    }
}

/// Whether a send carries a frame that is no message's.
pub(super) fn is_frame(data: &Value) -> bool {
    !list(data, "frame").is_empty() || !text(data, "frame").is_empty()
}

/// A send that begins.
pub(super) fn attempted(data: &Value, piece: &str) -> String {
    let way = number(data, "delivery").saturating_add(1);
    let (link, to) = (text(data, "link"), terminal(text(data, "terminal")));
    format!("报文 {} 第{way}路 {piece} 交 {link} 发往 {to}", text(data, "id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn records_read_as_a_duty_officer_would_say_them() {
        let kept = json!({
            "offset": 7, "at": "2024-09-12T06:05:00.000Z", "kind": "message_kept",
            "data": { "id": "01021", "from": "beidou:142020", "by": "li-lei", "link": "bd-1", "precedence": "flash",
                      "topic": "sos", "text": "三号桥断了" }
        });
        assert_eq!(
            record(&kept).unwrap(),
            "09-12 14:05:00  收到 01021 [特提]【求救】 北斗:142020（li-lei） 经 bd-1：三号桥断了"
        );
        let rung = json!({ "at": null, "kind": "rung_raised",
            "data": { "id": "01021", "delivery": 1, "rung": "answered", "answer": "executing" } });
        assert_eq!(record(&rung).unwrap(), "--时间未定--   报文 01021 第2路 已答复（执行中）");
        assert_eq!(record(&json!({ "kind": "ids_reserved", "data": { "through": 64 } })), None);
        let down =
            json!({ "at": null, "kind": "link_changed", "data": { "link": "bd-1", "up": false, "why": "stopped" } });
        assert_eq!(record(&down).unwrap(), "--时间未定--   bd-1 链路中断（本站正常停止）");
    }

    #[test]
    fn nobodys_text_begins_a_line_or_moves_the_cursor() {
        assert_eq!(on_one_line("一\r\n09-12 14:05:00  报文\u{1b}[2J"), "一↵09-12 14:05:00  报文·[2J");
    }

    #[test]
    fn durations_are_said_in_the_largest_fitting_words() {
        assert_eq!(duration(900), "1秒");
        assert_eq!(duration(62_000), "1分2秒");
        assert_eq!(duration(3_660_000), "1小时1分");
    }
}
