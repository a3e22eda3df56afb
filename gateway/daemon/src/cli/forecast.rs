//! What is to be expected of a send, and how such forecasts have turned out, in words.

use super::CliError;
use super::client::Client;
use super::words::{self, duration, list, number, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use yizhan_codecs::message::{Bearer, Precedence};
use yizhan_engine::outbox::outlook::Unknown;

/// Recipients that are told of one by one.
const LINES_MAX: usize = 12;

/// `预计 3分到9分（十次有九次）送达，约 4 次发送，经北斗`, or why nothing is promised.
pub(super) fn words(outlook: &Value) -> String {
    let unknown = text(outlook, "unknown");
    let why = Unknown::from_name(unknown).map_or(unknown, |why| why.label());
    let mut words = match (number(outlook, "early_ms"), number(outlook, "late_ms")) {
        _ if !unknown.is_empty() => format!("送达时间未知：{why}"),
        (early, late) if about(early) == about(late) => format!("预计 {}（十次有九次）送达", about(late)),
        (early, late) => format!("预计 {}到{}（十次有九次）送达", about(early), about(late)),
    };
    if number(outlook, "parts") > 1 {
        words.push_str(&format!("，分 {} 段", number(outlook, "parts")));
    }
    // The journal and the API each have their own name for it.
    let sends = number(outlook, "sends_permille").max(number(outlook, "cost"));
    if sends > 0 {
        words.push_str(&format!("，约 {} 次发送", sends.saturating_add(500).div_euclid(1_000).max(1)));
    }
    if let Some(bearer) = Bearer::from_name(text(outlook, "bearer")) {
        words.push_str(&format!("，经{}", bearer.label()));
    }
    if number(outlook, "slots_ahead") > 0 {
        words.push_str(&format!("，前面还有 {} 个时隙", number(outlook, "slots_ahead")));
    }
    words
}

/// A time as exact as a forecast is: whole minutes from two minutes on.
fn about(ms: u64) -> String {
    const MINUTE: u64 = 60_000;
    if ms < 2 * MINUTE { duration(ms) } else { duration(ms.div_ceil(MINUTE).saturating_mul(MINUTE)) }
}

/// One line for each recipient.
pub(super) fn lines(reply: &Value) -> Vec<String> {
    let forecast = list(reply, "forecast");
    let line = |outlook: &Value| {
        let turn = match outlook.get("send_in_ms").and_then(Value::as_u64) {
            None => String::new(),
            Some(0) => "，现在可发".to_owned(),
            Some(ms) => format!("，最早 {}后发出", about(ms)),
        };
        format!("→ {}  {}{turn}", words::terminal(text(outlook, "to")), words(outlook))
    };
    let mut lines: Vec<String> = forecast.iter().take(LINES_MAX).map(line).collect();
    if let Some(more) = forecast.len().checked_sub(LINES_MAX).filter(|more| *more > 0) {
        lines.push(format!("→ 另有 {more} 路"));
    }
    lines
}

pub(super) fn report(client: &Client, json: bool, out: &mut dyn Write) -> Result<(), CliError> {
    let report = client.get("/api/v1/report/forecast")?;
    if json {
        writeln!(out, "{report:#}")?;
        return Ok(());
    }
    write!(out, "{}", report_words(&report))?;
    Ok(())
}

/// Counts of one or several classes.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    outcomes: u64,
    inside: u64,
    early: u64,
    width_ms: u64,
    missed: u64,
}

impl Sum {
    fn of(class: &Value) -> Self {
        let outcomes = number(class, "outcomes");
        let width_ms = number(class, "mean_width_ms").saturating_mul(outcomes);
        let (inside, early, missed) = (number(class, "inside"), number(class, "early"), number(class, "missed"));
        Self { outcomes, inside, early, width_ms, missed }
    }

    fn add(&mut self, other: Self) {
        self.outcomes = self.outcomes.saturating_add(other.outcomes);
        self.inside = self.inside.saturating_add(other.inside);
        self.early = self.early.saturating_add(other.early);
        self.width_ms = self.width_ms.saturating_add(other.width_ms);
        self.missed = self.missed.saturating_add(other.missed);
    }

    fn row(self, precedence: &str, queue: &str, unknown: &str) -> String {
        let share = |of: u64| match of.saturating_mul(100).checked_div(self.outcomes) {
            Some(percent) => format!("{percent} %"),
            None => "—".to_owned(),
        };
        let width = self.width_ms.checked_div(self.outcomes).map_or_else(|| "—".to_owned(), duration);
        let (outcomes, missed) = (self.outcomes.to_string(), self.missed.to_string());
        row([precedence, queue, &outcomes, &share(self.inside), &share(self.early), &width, &missed, unknown])
    }
}

/// Of fewer outcomes no share says anything.
const OUTCOMES_MIN: u64 = 20;

fn report_words(report: &Value) -> String {
    let mut classes: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for class in list(report, "classes") {
        classes.entry(text(class, "precedence")).or_default().push(class);
    }
    let unknown = |name: &str| report.get("unknown").map_or(0, |unknown| number(unknown, name));
    let (mut lines, mut outcomes) = (Vec::new(), 0_u64);
    for precedence in Precedence::ALL {
        let found = classes.get(precedence.name()).cloned().unwrap_or_default();
        let unknown = unknown(precedence.name());
        let mut sum = Sum::default();
        for class in &found {
            let one = Sum::of(class);
            sum.add(one);
            outcomes = outcomes.saturating_add(one.outcomes);
            lines.push(one.row(precedence.label(), text(class, "queue_label"), ""));
        }
        if !found.is_empty() || unknown > 0 {
            lines.push(sum.row(precedence.label(), "合计", &unknown.to_string()));
        }
    }
    if lines.is_empty() {
        return "还没有可对账的预报：向别的驿站或有回执的终端发报，送达之后这里才有数字\n".to_owned();
    }
    let heading =
        ["等级", "排队情形", "结果（条）", "九成界内", "五成界内", "平均窗宽", "未证实（条）", "报未知（条）"];
    let verdict = match outcomes {
        0..OUTCOMES_MIN => format!("才 {outcomes} 条结果，还看不出准不准：满 {OUTCOMES_MIN} 条再看"),
        _ => "报得准时，九成界内应近 90 %，五成界内应近 50 %".to_owned(),
    };
    let (heading, lines) = (row(heading), lines.join("\n"));
    format!("预报对账：受理时报的送达时间，与实际的送达时间\n{heading}\n{lines}\n{verdict}\n")
}

/// Columns that stand under each other where a Chinese character is as wide as two others.
fn row(cells: [&str; 8]) -> String {
    const WIDTHS: [usize; 8] = [6, 14, 12, 10, 10, 12, 14, 12];
    let padded = cells.iter().zip(WIDTHS).map(|(cell, width)| {
        let wide: usize = cell.chars().map(|c| if c.is_ascii() || c == '—' { 1 } else { 2 }).sum();
        format!("{cell}{}", " ".repeat(width.saturating_sub(wide)))
    });
    padded.collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_window_is_said_with_what_it_costs_and_over_what() {
        let outlook = json!({ "bearer": "beidou", "parts": 3, "slots_ahead": 5, "sends_permille": 3_750,
            "early_ms": 170_000, "late_ms": 521_000, "unknown": null });
        assert_eq!(words(&outlook), "预计 3分到9分（十次有九次）送达，分 3 段，约 4 次发送，经北斗，前面还有 5 个时隙");
        let short =
            json!({ "bearer": "mesh", "parts": 1, "sends_permille": 1_052, "early_ms": 4_000, "late_ms": 64_000 });
        assert_eq!(words(&short), "预计 4秒到1分4秒（十次有九次）送达，约 1 次发送，经自组网");
    }

    #[test]
    fn what_is_not_known_is_said_with_its_reason() {
        let plain = json!({ "to": "li-lei", "bearer": "beidou", "parts": 1, "send_in_ms": 30_000,
            "sends_permille": 2_000, "unknown": "no_receipts" });
        assert_eq!(words(&plain), "送达时间未知：对方终端不回执，约 2 次发送，经北斗");
        let reply = json!({ "forecast": [plain] });
        assert_eq!(lines(&reply), ["→ li-lei  送达时间未知：对方终端不回执，约 2 次发送，经北斗，最早 30秒后发出"]);
    }

    #[test]
    fn a_report_without_outcomes_says_so_and_one_with_some_is_a_table() {
        let nothing = json!({ "classes": [], "unknown": { "flash": 0, "routine": 0 } });
        assert!(report_words(&nothing).starts_with("还没有可对账的预报"));
        let class = |queue: &str, outcomes: u64, inside: u64| {
            json!({ "precedence": "priority", "queue_label": queue,
            "outcomes": outcomes, "inside": inside, "early": 5, "missed": 1, "mean_width_ms": 62_000 })
        };
        let some = json!({ "classes": [class("不排队", 10, 9), class("排队", 10, 8)], "unknown": { "routine": 2 } });
        let words = report_words(&some);
        let lines: Vec<&str> = words.lines().collect();
        assert_eq!(lines[2], "加急  不排队        10          90 %      50 %      1分2秒      1");
        assert_eq!(lines[4], "加急  合计          20          85 %      50 %      1分2秒      2             0");
        assert_eq!(lines[5], "平急  合计          0           —         —         —           0             2");
        assert!(words.contains("应近 90 %"), "{words}");
        let one = report_words(&json!({ "classes": [class("不排队", 1, 0)], "unknown": {} }));
        assert!(one.ends_with("才 1 条结果，还看不出准不准：满 20 条再看\n"), "{one}");
    }
}
