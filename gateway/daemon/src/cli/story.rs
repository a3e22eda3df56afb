//! What became of each send, where no raised rung says it: of a text that is sent again, and of a send that failed.
//!
//! The journal names an attempt by a number; which message it was for stands in the record that began it. A story reads
//! the records in their order and puts the two together.

use super::words::{self, number, text};
use serde_json::Value;
use std::collections::BTreeMap;
use yizhan_codecs::message::Rung;

/// Attempts and deliveries remembered; the oldest are forgotten first.
const REMEMBERED: usize = 4_096;

/// One send, as it began.
#[derive(Clone, Debug)]
struct Attempt {
    id: String,
    delivery: u64,
    /// Which piece of it.
    piece: String,
    link: String,
    /// How far the delivery was proven to have come before.
    before: Rung,
}

/// The records that were seen, as far as they say what later ones are about.
#[derive(Debug, Default)]
pub(super) struct Story {
    attempts: BTreeMap<u64, Attempt>,
    rungs: BTreeMap<(String, u64), Rung>,
    /// Rows of what goes packed to a station.
    rows: BTreeMap<(String, u64), u64>,
}

impl Story {
    /// Takes the next record and gives its line, if a person should see one.
    pub fn line(&mut self, record: &Value) -> Option<String> {
        let data = record.get("data").unwrap_or(&Value::Null);
        match text(record, "kind") {
            "attempted" if !words::is_frame(data) => {
                let line = self.begun(data);
                return Some(words::stamped(record, &line));
            }
            // Of the frames that bring no message only a question has the number of one.
            "attempted" if self.rungs.contains_key(&delivery(data)) => {
                return Some(words::stamped(record, &words::attempted(data, "还没有人答复，催问")));
            }
            "air_planned" => {
                self.rows.insert(delivery(data), number(data, "rows"));
                forget(&mut self.rows);
            }
            "rung_raised" => {
                let rung = words::rung_from_name(text(data, "rung"))?;
                self.rungs.insert(delivery(data), rung);
                forget(&mut self.rungs);
            }
            "attempt_ended" => {
                let attempt = self.attempts.get(&number(data, "attempt"))?;
                return ended(attempt, data).map(|line| words::stamped(record, &line));
            }
            _ => {}
        }
        words::record(record)
    }

    /// The id of the message that a record is about.
    pub fn about<'a>(&'a self, record: &'a Value) -> Option<&'a str> {
        let data = record.get("data")?;
        match text(record, "kind") {
            "attempt_ended" => self.attempts.get(&number(data, "attempt")).map(|attempt| attempt.id.as_str()),
            _ => data.get("id")?.as_str(),
        }
    }

    fn begun(&mut self, data: &Value) -> String {
        let before = self.rungs.get(&delivery(data)).copied().unwrap_or(Rung::Waiting);
        let piece = words::piece(number(data, "part"), self.rows.get(&delivery(data)).copied());
        let line = words::attempted(data, &piece);
        let (id, delivery) = delivery(data);
        let attempt = Attempt { id, delivery, piece, link: text(data, "link").into(), before };
        self.attempts.insert(number(data, "attempt"), attempt);
        forget(&mut self.attempts);
        line
    }
}

fn delivery(data: &Value) -> (String, u64) {
    (text(data, "id").to_owned(), number(data, "delivery"))
}

fn forget<K: Ord, V>(known: &mut BTreeMap<K, V>) {
    if known.len() > REMEMBERED {
        known.pop_first();
    }
}

/// A good outcome is told only where it raises nothing: else the raised rung is the next record, and its line.
fn ended(attempt: &Attempt, data: &Value) -> Option<String> {
    let outcome = text(data, "outcome");
    let proves = match outcome {
        "radiated" => Some(Rung::Radiated),
        "written" => Some(Rung::Taken),
        "delivered" => Some(Rung::Delivered),
        _ => None,
    };
    let what = match proves {
        Some(rung) if rung > attempt.before => return None,
        Some(rung) => format!("又发一次：{}", rung.label()),
        None => failed(outcome, data)?,
    };
    let way = attempt.delivery.saturating_add(1);
    Some(format!("报文 {} 第{way}路 {} {} {what}", attempt.id, attempt.piece, attempt.link))
}

/// What went wrong with a send, and whether it may be out all the same.
fn failed(outcome: &str, data: &Value) -> Option<String> {
    let code = number(data, "code");
    Some(match outcome {
        "not_delivered" => format!("对方没有收到（代码 {code}）"),
        "silent" => "终端没有回话，可能已发出".into(),
        "crashed" => "断电前没有等到回话，可能已发出".into(),
        "not_written" => "没有写进端口，没有发出".into(),
        "withdrawn" => "发送前撤回，没有发出".into(),
        "too_early" => match number(data, "wait_ms") {
            0 => "终端说频度未到，没有发出".into(),
            ms => format!("终端说频度未到，还要等{}，没有发出", words::duration(ms)),
        },
        "no_signal" => "信号未锁定，没有发出".into(),
        "suppressed" => "卫星网暂停发射，没有发出".into(),
        "silence" => "终端处于静默，没有发出".into(),
        "low_battery" => "终端电量不足，没有发出".into(),
        "card_unusable" => "卡不能发（卡、加密或权限），没有发出".into(),
        "corrupt_command" => "终端没读懂指令，没有发出".into(),
        "refused" => format!("终端拒绝（代码 {code}），没有发出"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(story: &mut Story, records: &[(&str, Value)]) -> Vec<String> {
        let told = records.iter().filter_map(|(kind, data)| story.line(&json!({ "kind": kind, "data": data })));
        told.map(|line| line.trim_start_matches("--时间未定-- ").trim_start().to_owned()).collect()
    }

    fn attempted(attempt: u64) -> (&'static str, Value) {
        let data = json!({ "attempt": attempt, "id": "07039", "delivery": 0, "part": 0, "link": "bd-1",
                           "terminal": "beidou:242407", "frame": "" });
        ("attempted", data)
    }

    fn raised(rung: &str) -> (&'static str, Value) {
        ("rung_raised", json!({ "id": "07039", "delivery": 0, "rung": rung, "answer": "" }))
    }

    fn ended(attempt: u64, outcome: &str) -> (&'static str, Value) {
        ("attempt_ended", json!({ "attempt": attempt, "outcome": outcome, "code": 5, "wait_ms": 9_000 }))
    }

    #[test]
    fn the_first_copy_is_told_by_its_rungs_and_the_second_by_its_outcome() {
        let mut story = Story::default();
        let first = lines(&mut story, &[attempted(1), raised("taken"), ended(1, "radiated"), raised("radiated")]);
        assert_eq!(
            first,
            ["报文 07039 第1路 第1段 交 bd-1 发往 北斗:242407", "报文 07039 第1路 已入机", "报文 07039 第1路 已发出"]
        );
        let second = lines(&mut story, &[attempted(2), ended(2, "radiated")]);
        assert_eq!(second[1], "报文 07039 第1路 第1段 bd-1 又发一次：已发出");
        assert_eq!(second.len(), 2);
    }

    #[test]
    fn rows_to_a_station_are_counted_beside_how_many_there_are_and_repairs_are_called_so() {
        let planned = ("air_planned", json!({ "id": "07039", "delivery": 0, "rows": 12, "content": "00" }));
        let row = |part: u64| {
            let (kind, mut data) = attempted(part + 1);
            data["part"] = part.into();
            (kind, data)
        };
        let told = lines(&mut Story::default(), &[planned, row(2), row(12), ended(13, "silent")]);
        assert_eq!(told[1], "报文 07039 第1路 第3/12帧 交 bd-1 发往 北斗:242407");
        assert_eq!(told[2], "报文 07039 第1路 补第1帧 交 bd-1 发往 北斗:242407");
        assert_eq!(told[3], "报文 07039 第1路 补第1帧 bd-1 终端没有回话，可能已发出");
    }

    #[test]
    fn a_question_is_told_as_one_and_other_frames_are_not_told() {
        let frame = |attempt| {
            let (kind, mut data) = attempted(attempt);
            data["frame"] = "4f00".into();
            (kind, data)
        };
        let told = lines(&mut Story::default(), &[frame(1), raised("delivered"), frame(2)]);
        assert_eq!(told[1], "报文 07039 第1路 还没有人答复，催问 交 bd-1 发往 北斗:242407");
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn a_send_that_failed_says_why_and_whether_it_may_be_out() {
        for (outcome, words) in [
            ("silent", "终端没有回话，可能已发出"),
            ("too_early", "终端说频度未到，还要等9秒，没有发出"),
            ("refused", "终端拒绝（代码 5），没有发出"),
            ("not_delivered", "对方没有收到（代码 5）"),
        ] {
            let told = lines(&mut Story::default(), &[attempted(1), raised("taken"), ended(1, outcome)]);
            assert_eq!(told[2], format!("报文 07039 第1路 第1段 bd-1 {words}"));
        }
    }

    #[test]
    fn a_send_of_which_nothing_is_known_and_the_networks_own_are_not_told() {
        let receipts = ("attempted", json!({ "attempt": 3, "id": "07039", "frame": "a4" }));
        assert!(lines(&mut Story::default(), &[ended(1, "silent"), receipts, ended(3, "silent")]).is_empty());
        let mut story = Story::default();
        lines(&mut story, &[attempted(7)]);
        let of = |attempt: u64| json!({ "kind": "attempt_ended", "data": { "attempt": attempt } });
        assert_eq!((story.about(&of(7)), story.about(&of(8))), (Some("07039"), None));
    }
}
