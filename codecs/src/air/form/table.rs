//! What forms cost: a few filled-in forms, their bits, and what was aimed at.

use super::keypad::read_line;
use super::spot::Area;
use encoding_rs::GB18030;

/// One filled-in form and its cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The form, in Chinese and in English.
    pub zh: &'static str,
    pub en: &'static str,
    /// Its keypad line.
    pub line: &'static str,
    /// Bits on the air.
    pub bits: usize,
    /// The most bits that it should take, where a number was set.
    pub target: Option<usize>,
    /// Bytes of GB18030 that the same costs as readable text.
    pub text_bytes: usize,
}

type Sample = (&'static str, &'static str, Option<usize>, &'static str);

/// Relative positions are to a shared origin. All values stand for a bad night in one valley.
const SAMPLES: [Sample; 15] = [
    ("位置（相对）", "position, relative", Some(52), "#0 原3 北1200 西300 龄8 电50 速4 向96"),
    ("位置（绝对）", "position, absolute", Some(84), "#0 30.6521,104.0812 龄8 电50 速4 向96"),
    ("求救（相对）", "call for help, relative", Some(62), "#2 水困 共3 伤1 原3 北1200 西300 龄8"),
    ("求救（绝对）", "call for help, absolute", Some(83), "#2 水困 共3 伤1 位30.6521,104.0812 龄8"),
    (
        "险情首报8数（相对）",
        "first report, 8 counts, relative",
        Some(174),
        "#1 首报 滑坡 地12 原3 北1200 西300 截至14:05 死3 失2 伤14 困0 危260 转1437 倒26 损113",
    ),
    (
        "险情首报8数（绝对）",
        "first report, 8 counts, absolute",
        Some(195),
        "#1 首报 滑坡 地12 位30.6521,104.0812 截至14:05 死3 失2 伤14 困0 危260 转1437 倒26 损113",
    ),
    (
        "险情续报8数（相对）",
        "follow-up with changes, relative",
        None,
        "#1 续报 第3报 滑坡 原3 北1200 西300 截至16:30 死3增1 失2减1 伤14 困同 危同 转1437增180 倒同 损120增7",
    ),
    (
        "转移清点4点",
        "headcount, 4 sites",
        Some(141),
        "#3 转移中 截至18:40 点1应349到343 / 点2应160到160 / 点3应912到910 / 点4应267到267",
    ),
    ("答复", "order receipt", Some(43), "#5 受领 01021"),
    ("答复带预计", "answer with a time", Some(43), "#5 执行中 01021 到40"),
    ("叫应确认", "call-out receipt", Some(43), "#7 已叫应 敲门 号01021"),
    ("指令", "order", None, "#4 集合 地12 限12日19:30 共40 要回执"),
    ("预警", "warning", None, "#6 红色 山洪 立即转移 自22:00 至12日08:00 雨80"),
    ("物资5样", "supply request, 5 items", None, "#8 立即 地12 帐篷200 棉被300 饮用水50 药品500 冲锋舟3"),
    ("状态", "status", None, "#9 受阻 共12 电35 食2 水1 断路 断网 原3 北1200 西300"),
];

/// The costs of the samples, packed here and now.
#[must_use]
pub fn costs() -> Vec<Cost> {
    let cost = |(zh, en, target, line): Sample| {
        let packed = read_line(line, &Area::default()).ok()?.pack().ok()?;
        Some(Cost { zh, en, line, bits: packed.bits, target, text_bytes: GB18030.encode(line).0.len() })
    };
    SAMPLES.into_iter().filter_map(cost).collect()
}

/// The costs as a table for people, one line a form.
#[must_use]
pub fn bits_table() -> String {
    let mut table = String::from("  位   目标   字节   文字字节  表单\n");
    for Cost { zh, line, bits, target, text_bytes, .. } in costs() {
        let target = target.map_or_else(|| "—".into(), |target| target.to_string());
        let bytes = bits.div_ceil(8);
        table.push_str(&format!("{bits:4}  {target:>5}  {bytes:5}  {text_bytes:9}  {zh}：{line}\n"));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_takes_more_bits_than_were_aimed_at() {
        println!("{}", bits_table());
        assert_eq!(costs().len(), SAMPLES.len());
        for cost in costs() {
            assert!(cost.target.is_none_or(|target| cost.bits <= target), "{cost:?}");
        }
    }

    #[test]
    fn the_table_is_as_it_was() {
        let bits: Vec<usize> = costs().iter().map(|cost| cost.bits).collect();
        assert_eq!(bits, [52, 73, 62, 79, 157, 174, 175, 132, 37, 42, 43, 56, 64, 120, 75], "{}", bits_table());
    }
}
