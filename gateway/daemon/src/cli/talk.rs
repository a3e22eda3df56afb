//! Commands that send, follow or change something.

use super::client::Client;
use super::story::Story;
use super::words::{self, text};
use super::{AnswerWord, CliError, Place, Send, forecast};
use crate::api::NAMELESS;
use clap::ValueEnum;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use yizhan_codecs::air::form;
use yizhan_codecs::message::{MessageId, ParseMessageIdError};
use yizhan_engine::people::Roster;

/// Records that are read before those that are shown: more than come between a send and its repeat.
const STORY_RECORDS: u64 = 2_000;

pub(super) fn me() -> String {
    let name = std::env::var("USER").unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(32).collect();
    if name.is_empty() { NAMELESS.into() } else { name }
}

pub(super) fn send(client: &Client, send: &Send, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let kind = match send {
        Send { order: true, .. } => "order",
        Send { warning: true, .. } => "warning",
        Send { form: true, .. } => "form",
        _ => "text",
    };
    let mut body = json!({
        "to": send.to,
        "text": send.text,
        "precedence": send.precedence,
        "kind": kind,
        "exercise": send.exercise,
        "by": me(),
    });
    if send.forecast_only {
        let reply = client.call("POST", "/api/v1/forecast", Some(&body))?;
        forecast::lines(&reply).iter().try_for_each(|line| writeln!(out, "{line}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Value::Object(body) = &mut body {
        body.insert("in_reply_to".into(), send.reply_to.as_deref().map(checked).transpose()?.into());
        body.insert("supersedes".into(), send.supersedes.clone().into());
    }
    let reply = client.call("POST", "/api/v1/messages", Some(&body))?;
    let id = text(&reply, "id");
    writeln!(out, "{id}")?;
    out.flush()?;
    // Standard output is the number alone, for scripts.
    forecast::lines(&reply).iter().try_for_each(|line| writeln!(std::io::stderr(), "{line}"))?;
    if kind == "text" && form::line_schema(&send.text).is_some() {
        writeln!(
            std::io::stderr(),
            "正文像按键报表，已按文字发出：要作报表发，请加 --form，并用 --supersedes {id} 取代这一条"
        )?;
    }
    if !send.wait {
        return Ok(ExitCode::SUCCESS);
    }
    follow_one(client, id, words::number(&reply, "offset"), out)
}

/// Follows one message until each of its deliveries has ended or was answered.
fn follow_one(client: &Client, id: &str, after: u64, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let (mut progress, mut story) = (Progress::default(), Story::default());
    for told in client.follow(after.saturating_sub(1))? {
        let record: Value = serde_json::from_str(&told?.data).unwrap_or_default();
        if story.about(&record) != Some(id) {
            continue;
        }
        if let Some(line) = story.line(&record) {
            writeln!(out, "{line}")?;
            out.flush()?;
        }
        if let Some(good) = progress.take(&record) {
            return Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Err(CliError::Failed("本站已停止：报文已留存，重启后会继续发送，用 yizhan outbox 查看".into()))
}

/// Which deliveries of a message are over.
#[derive(Debug, Default)]
struct Progress {
    deliveries: u64,
    over: BTreeSet<u64>,
    bad: bool,
}

impl Progress {
    /// Takes a record of the message. `Some` when all is over: whether all of it reached somebody.
    fn take(&mut self, record: &Value) -> Option<bool> {
        let data = record.get("data")?;
        match text(record, "kind") {
            "routed" => {
                let count = u64::try_from(words::list(data, "deliveries").len()).unwrap_or(u64::MAX);
                self.deliveries = self.deliveries.saturating_add(count);
            }
            "rung_raised" if text(data, "rung") == "answered" => {
                self.over.insert(words::number(data, "delivery"));
            }
            "delivery_ended" => {
                self.over.insert(words::number(data, "delivery"));
                self.bad |= !["delivered", "read", "answered"].contains(&text(data, "end"));
            }
            _ => {}
        }
        let over = u64::try_from(self.over.len()).unwrap_or(u64::MAX);
        (self.deliveries > 0 && over >= self.deliveries).then_some(!self.bad)
    }
}

pub(super) fn tail(client: &Client, last: u64, json: bool, once: bool, out: &mut dyn Write) -> Result<(), CliError> {
    let stored = words::number(&client.get("/api/v1/status")?, "stored");
    let after = stored.saturating_sub(last);
    if once && after >= stored {
        return Ok(());
    }
    // What stands before the first line that is shown says what later outcomes are about.
    let from = if json { after } else { after.saturating_sub(STORY_RECORDS) };
    let mut story = Story::default();
    for told in client.follow(from)? {
        let told = told?;
        if json {
            writeln!(out, "{}", told.data)?;
        } else if let Some(line) = story.line(&serde_json::from_str(&told.data).unwrap_or_default())
            && told.offset > after
        {
            writeln!(out, "{line}")?;
        }
        out.flush()?;
        if once && told.offset >= stored {
            return Ok(());
        }
    }
    Err(CliError::Failed("本站已停止".into()))
}

pub(super) fn import(client: &Client, file: &Path, out: &mut dyn Write) -> Result<(), CliError> {
    let source = std::fs::read_to_string(file)
        .map_err(|error| CliError::Usage(format!("名册文件 {} 读不出：{}", file.display(), words::trouble(&error))))?;
    let roster: Roster = toml::from_str(&source).map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| source.get(..span.start).unwrap_or("").matches('\n').count() + 1);
        CliError::Usage(format!(
            "名册文件 {} 第 {line} 行：{}",
            file.display(),
            crate::config::sentence(error.message())
        ))
    })?;
    let body = json!({ "roster": roster, "by": me() });
    client.call("PUT", "/api/v1/roster", Some(&body))?;
    let (people, stations, groups) = (roster.people.len(), roster.stations.len(), roster.groups.len());
    writeln!(out, "名册已导入：{people} 人，{stations} 站，{groups} 组")?;
    Ok(())
}

pub(super) fn act(client: &Client, id: &str, what: &str, done: &str, out: &mut dyn Write) -> Result<(), CliError> {
    let id = checked(id)?;
    client.call("POST", &format!("/api/v1/messages/{id}/{what}"), Some(&json!({ "by": me() })))?;
    writeln!(out, "报文 {id} {done}")?;
    Ok(())
}

/// Closing says that nobody need help any more; who is still to be told of the call is for the officer to say.
pub(super) fn close_sos(client: &Client, id: &str, out: &mut dyn Write) -> Result<(), CliError> {
    act(client, id, "close-sos", "求救已关闭", out)?;
    let id = checked(id)?;
    let message = client.get(&format!("/api/v1/messages/{id}"))?;
    let open = words::list(&message, "deliveries").iter().filter(|d| d.get("end").is_none_or(Value::is_null)).count();
    if open > 0 {
        writeln!(out, "还有 {open} 路转告没有结束，会继续发；不用再发就执行 yizhan cancel {id}")?;
    }
    Ok(())
}

pub(super) fn answer(place: &Place, id: &str, words: &[String], out: &mut dyn Write) -> Result<(), CliError> {
    let id = checked(id)?;
    let (person, word) = match words {
        [person, word] => (Some(person.as_str()), word),
        [word] => (None, word),
        _ => return Err(CliError::Usage("请给出答复：受领、执行中、完成、无法执行".into())),
    };
    let answer = AnswerWord::from_str(word, true)
        .map_err(|_| CliError::Usage(format!("答复“{word}”不对：可用 受领、执行中、完成、无法执行")))?;
    let name = match answer {
        AnswerWord::Accepted => "accepted",
        AnswerWord::Executing => "executing",
        AnswerWord::Done => "done",
        AnswerWord::Unable => "unable",
    };
    let body = json!({ "person": person, "answer": name, "by": me() });
    place.client()?.call("POST", &format!("/api/v1/messages/{id}/answer"), Some(&body))?;
    match person {
        Some(person) => writeln!(out, "报文 {id} 已登记 {person} 答复：{}", words::answer(name))?,
        None => writeln!(out, "报文 {id} 已答复：{}，回执将发往来报的站", words::answer(name))?,
    }
    Ok(())
}

/// A mistyped id is found here by its check character, before anything is asked.
fn checked(id: &str) -> Result<String, CliError> {
    let parsed = id.parse::<MessageId>();
    parsed
        .map(|id| id.to_string())
        .map_err(|error| CliError::Usage(format!("编号 {id} 不对：{}", what_is_wrong(&error))))
}

fn what_is_wrong(error: &ParseMessageIdError) -> String {
    use ParseMessageIdError as E;
    match error {
        E::Length { found } => format!("应是 5 到 10 个字符，这里是 {found} 个"),
        E::Character { at } => format!("第 {} 个字符不是编号里用的，请核对", at.saturating_add(1)),
        E::Check => "末位校验不符，多半抄错了一个字符，请核对".into(),
        other => format!("请核对（{other}）"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_number_says_where_it_is_wrong() {
        for (id, words) in [
            ("0102", "编号 0102 不对：应是 5 到 10 个字符，这里是 4 个"),
            ("01-2X", "编号 01-2X 不对：第 3 个字符不是编号里用的，请核对"),
            ("01023", "编号 01023 不对：末位校验不符，多半抄错了一个字符，请核对"),
        ] {
            assert_eq!(checked(id).unwrap_err().label(), words);
        }
    }

    #[test]
    fn a_message_is_over_when_each_delivery_has_ended_or_was_answered() {
        let mut progress = Progress::default();
        let record = |kind: &str, data: Value| json!({ "kind": kind, "data": data });
        assert_eq!(progress.take(&record("routed", json!({ "deliveries": [{}, {}] }))), None);
        assert_eq!(progress.take(&record("rung_raised", json!({ "delivery": 0, "rung": "delivered" }))), None);
        assert_eq!(progress.take(&record("rung_raised", json!({ "delivery": 0, "rung": "answered" }))), None);
        assert_eq!(progress.take(&record("delivery_ended", json!({ "delivery": 0, "end": "answered" }))), None);
        assert_eq!(progress.take(&record("delivery_ended", json!({ "delivery": 1, "end": "expired" }))), Some(false));
    }
}
