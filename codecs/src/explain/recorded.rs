//! Recorded lines: what the daemon's capture writes and what `vectors/` hold, one JSON object a line, explained one after
//! the other. A line with `chunks` is bytes as a port gave them, cut here by the framer of its device.

use super::{ExplainError, Explained, explain, json_object, text_of, wire_bytes, words_of};
use crate::codec::{Profile, Value as Setting};
use crate::device::{self, Direction};
use crate::frame::Found;
use crate::message::{Addressee, Content, Signal};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

type Object = Map<String, Value>;

/// One recorded line in words: where it is from, then each frame. The second value says whether every frame was read.
#[must_use]
pub fn explain_recorded(line: &str) -> (String, bool) {
    match json_object(line).and_then(|object| recorded(&object)) {
        Ok(told) => told,
        Err(error) => (format!("{}\n", error.words()), false),
    }
}

fn recorded(object: &Object) -> Result<(String, bool), ExplainError> {
    let (mut words, mut good) = (String::new(), true);
    let title = ["id", "at", "link", "device", "peer", "direction", "source"].iter();
    let title: Vec<&str> = title.filter_map(|key| object.get(*key).and_then(Value::as_str)).collect();
    writeln!(words, "# {}", title.join("  ")).ok();
    for note in ["note", "noise"] {
        if let Ok(Some(text)) = text_of(object, note) {
            writeln!(words, "（{text}）").ok();
        }
    }
    let read = Reading::of(object)?;
    if !object.contains_key("chunks") {
        let bytes = wire_bytes(text_of(object, "hex")?, text_of(object, "text")?, text_of(object, "charset")?)?;
        good = read.frame(&bytes, &mut words);
        return Ok((words, good));
    }
    for (at, found) in cut(object)?.iter().enumerate() {
        writeln!(words, "## 第 {} 段  {}", at.saturating_add(1), hex::encode(found.bytes())).ok();
        match found {
            Found::Frame(bytes) => good &= read.frame(bytes, &mut words),
            Found::Noise { why, .. } => {
                writeln!(words, "杂波：{}", why.label()).ok();
            }
        }
    }
    Ok((words, good))
}

/// The answer of `explain --jsonl` to a line with `chunks`: each frame and each piece of noise, in order.
pub(super) fn stream_answer(object: &Object) -> Result<Value, ExplainError> {
    let read = Reading::of(object)?;
    let pieces: Vec<Value> = cut(object)?
        .iter()
        .map(|found| match found {
            Found::Noise { bytes, why } => json!({ "hex": hex::encode(bytes), "noise": why.name() }),
            Found::Frame(bytes) => match read.explained(bytes) {
                Ok(explained) => {
                    json!({ "hex": hex::encode(bytes), "protocol": explained.protocol, "fields": explained.fields })
                }
                Err(error) => json!({ "hex": hex::encode(bytes), "error": error.to_string() }),
            },
        })
        .collect();
    Ok(json!({ "ok": true, "pieces": pieces }))
}

/// How the frames of a line are read.
struct Reading<'a> {
    protocol: Option<&'a str>,
    device: Option<&'a str>,
    direction: Direction,
    profile: Profile,
}

impl<'a> Reading<'a> {
    fn of(object: &'a Object) -> Result<Self, ExplainError> {
        let direction = match text_of(object, "direction")? {
            None => Direction::Any,
            Some(name) => Direction::from_name(name).ok_or_else(|| ExplainError::Direction(name.into()))?,
        };
        let (protocol, device) = (text_of(object, "protocol")?, text_of(object, "device")?);
        Ok(Self { protocol, device, direction, profile: profile(object) })
    }

    fn explained(&self, bytes: &[u8]) -> Result<Explained, ExplainError> {
        match (self.protocol, self.device) {
            (None, Some(device)) => super::explain_device(device, self.direction, bytes),
            (protocol, _) => explain(protocol, self.direction, bytes),
        }
    }

    fn frame(&self, bytes: &[u8], words: &mut String) -> bool {
        // A device that its profile describes is read by nothing else.
        if let (Some(name), false, Direction::FromTerminal) = (self.device, self.profile.0.is_empty(), self.direction)
            && let Ok(codec) = device::open(name, &self.profile)
            && let Ok(signals) = codec.decode(bytes, None)
        {
            signals.iter().for_each(|signal| {
                writeln!(words, "本站读作：{}", signal_words(signal)).ok();
            });
            if let Ok(explained) = self.explained(bytes) {
                words.push_str(&words_of(&explained, bytes));
            }
            words.push('\n');
            return true;
        }
        match self.explained(bytes) {
            Ok(explained) => {
                writeln!(words, "{}", words_of(&explained, bytes)).ok();
                true
            }
            Err(error) => {
                writeln!(words, "{}\n", error.words()).ok();
                false
            }
        }
    }
}

fn signal_words(signal: &Signal) -> String {
    match signal {
        Signal::Heard(heard) => {
            let what = match &heard.content {
                Content::Text { text, .. } => text.clone(),
                Content::Opaque(bytes) => hex::encode(bytes),
            };
            let to = match &heard.to {
                Addressee::Terminal(id) | Addressee::Group(id) => id.to_string(),
                Addressee::Everyone(bearer) => bearer.label().to_owned(),
            };
            format!("{} → {to}：{what}", heard.from)
        }
        Signal::Position { of, position, .. } => format!("{of} 位置 {} {}", position.lat(), position.lon()),
        Signal::Remark { what, detail } => format!("{what} {detail}"),
        other => format!("{other:?}"),
    }
}

/// Cuts the chunks of a line with the framer of its device, or of the device whose protocol is named.
fn cut(object: &Object) -> Result<Vec<Found>, ExplainError> {
    let of_protocol =
        |protocol: &str| super::protocols().find(|(_, known)| known.name == protocol).map(|(device, _)| device.name);
    let named = text_of(object, "device")?.or_else(|| text_of(object, "protocol").ok().flatten().and_then(of_protocol));
    let name = named.ok_or(ExplainError::NoDevice)?;
    let codec = device::open(name, &profile(object)).map_err(|error| ExplainError::Profile(error.to_string()))?;
    let chunks = object.get("chunks").and_then(Value::as_array).ok_or(ExplainError::NotText { key: "chunks" })?;
    let mut framer = codec.framer();
    let mut found = Vec::new();
    for chunk in chunks {
        let chunk: Bytes = wire_bytes(chunk.as_str(), None, None)?.into();
        framer.push(&chunk);
        found.extend(std::iter::from_fn(|| framer.next_found()));
    }
    while framer.patience().is_some() {
        framer.give_up();
        found.extend(std::iter::from_fn(|| framer.next_found()));
    }
    Ok(found)
}

fn profile(object: &Object) -> Profile {
    let settings = object.get("profile").and_then(Value::as_object).into_iter().flatten();
    let setting = |value: &Value| match value {
        Value::Bool(flag) => Some(Setting::Bool(*flag)),
        Value::Number(number) => number.as_i64().map(Setting::Int),
        Value::String(text) => Some(Setting::Text(text.clone())),
        _ => None,
    };
    Profile(settings.filter_map(|(key, value)| Some((key.clone(), setting(value)?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::explain_line;

    const CHUNKS: &str = r#"{"id":"c","device":"meshcore","direction":"from_terminal","expect":"stream",
        "chunks":["626f6f74 3e01","00833e0300 0a3e01000a"],"source":"invented"}"#;

    #[test]
    fn chunks_of_a_port_are_cut_and_read_frame_by_frame() {
        let answer: Value = serde_json::from_str(&explain_line(CHUNKS)).unwrap();
        let pieces = answer["pieces"].as_array().unwrap();
        assert_eq!(
            (pieces[0]["noise"].as_str(), &pieces[1]["fields"]["type"]),
            (Some("no_header"), &json!(131)),
            "{answer}"
        );
        let (words, _) = explain_recorded(CHUNKS);
        assert!(words.contains("杂波：无帧头") && words.contains("协议：meshcore"), "{words}");
    }

    #[test]
    fn a_line_that_names_only_its_device_is_read_by_that_device() {
        let line = r#"{"device":"meshcore","direction":"from_terminal","hex":"3e01000a"}"#;
        assert!(explain_recorded(line).1);
        let answer: Value = serde_json::from_str(&explain_line(line)).unwrap();
        assert_eq!(answer["protocol"], "meshcore");
        let (words, good) = explain_recorded(&line.replace("meshcore", "hytera"));
        assert!(!good && words.contains("没有协议读得通"), "{words}");
    }

    #[test]
    fn a_frame_that_only_its_profile_describes_is_read_by_it() {
        let line = r#"{"device":"raw","profile":{"framing":"line","text":"0,rest","far":7},"direction":"from_terminal",
            "text":"hello\r\n"}"#;
        let (words, good) = explain_recorded(line);
        assert!(good && words.contains("radio370:7 → radio370:0：hello"), "{words}");
    }

    #[test]
    fn what_is_no_recorded_line_is_said_to_be_none() {
        for line in ["", "[]", "{}", r#"{"chunks":["00"]}"#, r#"{"chunks":["00"],"device":"nosuch"}"#, r#"{"hex":"0"}"#]
        {
            assert!(!explain_recorded(line).1, "{line}");
        }
    }
}
