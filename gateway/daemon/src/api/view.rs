//! How messages and records look to readers: ids as people write them, times as RFC 3339, bytes as hex.

use serde_json::{Map, Value, json};
use yizhan_codecs::air::Traffic;
use yizhan_codecs::message::{Bearer, MessageId, Position, Precedence, StationId, Utc};
use yizhan_engine::OutboxLine;
use yizhan_engine::bus::journal::{Encode, Record};
use yizhan_engine::bus::{Contact, Delivery, Experience, Message};
use yizhan_engine::io::StoredRecord;
use yizhan_engine::outbox::outlook::{Outlook, Unknown};

/// A wall time of a record; `null` where no clock was trusted.
pub(super) fn time(ms: i64) -> Option<String> {
    (ms != 0).then(|| Utc(ms).to_string())
}

pub(super) fn position(position: &Position) -> Value {
    json!({
        "lat": position.lat(),
        "lon": position.lon(),
        "datum": "CGCS2000",
        "height_m": position.height_dm.map(|dm| f64::from(dm) / 10.0),
        "at": position.at.map(|at| at.to_string()),
    })
}

pub(super) fn message(message: &Message) -> Value {
    json!({
        "id": message.id.to_string(),
        "offset": message.offset.0,
        "at": time(message.at_ms),
        "from": message.from.as_ref().map(ToString::to_string),
        "link": message.link,
        "by": message.by,
        "to": message.to,
        "text": message.text,
        "words": (!message.words.is_empty()).then_some(&message.words),
        "form": serde_json::from_str::<Value>(&message.form).ok(),
        "opaque": (!message.opaque.is_empty()).then(|| hex::encode(&message.opaque)),
        "topic": message.topic.name(),
        "precedence": message.precedence.name(),
        "precedence_label": message.precedence.label(),
        "kind": message.kind,
        "proof": message.proof.map(yizhan_engine::bus::Voucher::name),
        "proof_label": message.proof.map(yizhan_engine::bus::Voucher::label),
        "exercise": message.traffic == Traffic::Exercise,
        "lossy": message.lossy,
        "damaged": message.damaged,
        "position": message.position.as_ref().map(position),
        "in_reply_to": message.in_reply_to.map(|id| id.to_string()),
        "deliveries": message.deliveries.iter().enumerate().map(delivery).collect::<Vec<_>>(),
        "held": message.held,
        "read_by": message.read_by,
        "copies": message.copies,
    })
}

fn delivery((number, delivery): (usize, &Delivery)) -> Value {
    json!({
        "number": number,
        "to": delivery.whom(),
        "terminals": delivery.terminals.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "group": delivery.group,
        "rung": delivery.rung.name(),
        "rung_label": delivery.rung.label(),
        "answer": delivery.answer().map(|answer| answer.name()),
        "answer_label": delivery.answer().map(|answer| answer.label()),
        "end": delivery.end.map(|end| end.name()),
        "end_label": delivery.end.map(|end| end.label()),
        "reason": delivery.reason,
        "attempts": delivery.spent(),
        "asked": delivery.asked,
        "station": delivery.station.map(StationId::number),
        "parts": parts(delivery),
    })
}

/// Parts of the text, or rows that the station needs.
fn parts(delivery: &Delivery) -> usize {
    let rows = delivery.air.as_ref().map(|air| usize::from(air.stream.rows()));
    rows.unwrap_or_else(|| delivery.plans.values().map(Vec::len).max().unwrap_or(0))
}

pub(super) fn outlooks(outlooks: &[Outlook]) -> Vec<Value> {
    outlooks.iter().map(outlook).collect()
}

fn outlook(outlook: &Outlook) -> Value {
    json!({
        "to": outlook.to,
        "bearer": outlook.bearer.map(Bearer::name),
        "bearer_label": outlook.bearer.map(Bearer::label),
        "parts": outlook.parts,
        "slots_ahead": outlook.slots_ahead,
        "send_in_ms": outlook.send_in_ms,
        "sends_permille": outlook.sends_permille,
        "early_ms": outlook.early_ms,
        "late_ms": outlook.late_ms,
        "unknown": outlook.unknown.map(Unknown::name),
        "unknown_label": outlook.unknown.map(Unknown::label),
    })
}

pub(super) fn outbox_line(line: &OutboxLine) -> Value {
    json!({
        "id": line.id,
        "delivery": line.delivery,
        "to": line.to,
        "precedence": line.precedence.name(),
        "rung": line.rung,
        "rung_label": line.rung_label,
        "text": line.text,
        "sent": line.sent,
        "held": line.held,
        "life_left_ms": line.life_left_ms,
        "slot_in_ms": line.slot_in_ms,
        "forecast": outlook(&line.forecast),
    })
}

/// How forecasts have turned out: each class, most urgent first, and how often nothing could be told.
pub(super) fn experience(experience: &Experience) -> Value {
    let mut classes: Vec<_> = experience.scores().collect();
    classes.sort_by_key(|(class, _)| (std::cmp::Reverse(class.precedence), !class.first, class.deep));
    let share = |of: u32, all: u32| u64::from(of).saturating_mul(1_000).checked_div(all.into());
    let classes = classes.iter().map(|(class, score)| {
        let (queue, queue_label) = match (class.first, class.deep) {
            (true, _) => ("first", "不排队"),
            (_, false) => ("behind", "排队"),
            (_, true) => ("deep", "本人多条排队"),
        };
        json!({
            "precedence": class.precedence.name(),
            "precedence_label": class.precedence.label(),
            "queue": queue,
            "queue_label": queue_label,
            "outcomes": score.outcomes(),
            "arrived": score.arrived,
            "missed": score.missed,
            "early": score.early,
            "inside": score.inside,
            "early_permille": share(score.early, score.outcomes()),
            "inside_permille": share(score.inside, score.outcomes()),
            "mean_width_ms": score.width_ms.checked_div(score.outcomes().into()),
        })
    });
    let unknown =
        Precedence::ALL.iter().map(|precedence| (precedence.name().to_owned(), experience.unknown(*precedence).into()));
    json!({ "classes": classes.collect::<Vec<_>>(), "unknown": unknown.collect::<Map<String, Value>>() })
}

pub(super) fn contact(terminal: &yizhan_codecs::message::TerminalId, contact: &Contact, holder: Option<&str>) -> Value {
    json!({
        "terminal": terminal.to_string(),
        "holder": holder,
        "last_message": contact.last_message.map(|id| id.to_string()),
        "last_heard": time(contact.last_heard_ms),
        "link": contact.link,
        "present": contact.present,
        "position": contact.position.as_ref().map(position),
    })
}

/// `{"offset":…,"at":…,"kind":"message_kept","data":{…}}` on one line.
pub(super) fn record_line(stored: &StoredRecord) -> String {
    if stored.body.is_empty() {
        return json!({ "offset": stored.offset.0, "kind": "erased" }).to_string();
    }
    let Ok(record) = Record::decode(stored.body.clone()) else {
        return json!({ "offset": stored.offset.0, "kind": "unreadable_record" }).to_string();
    };
    let what = serde_json::to_value(&record.what).unwrap_or_default();
    let (kind, mut data) = match what {
        Value::Object(object) => object.into_iter().next().unwrap_or_default(),
        _ => ("unknown".to_owned(), Value::Null),
    };
    if let Value::Object(object) = &mut data {
        for_people(object);
    }
    json!({ "offset": stored.offset.0, "at": time(record.at_ms), "kind": kind, "data": data }).to_string()
}

fn for_people(data: &mut Map<String, Value>) {
    for (key, value) in data.iter_mut() {
        match key.as_str() {
            "id" | "in_reply_to" | "supersedes" => *value = written_id(value),
            "ids" => {
                if let Value::Array(ids) = value {
                    ids.iter_mut().for_each(|id| *id = written_id(id));
                }
            }
            "opaque" | "bytes" | "frame" | "content" if value.is_array() => {
                let bytes: Vec<u8> = serde_json::from_value(value.take()).unwrap_or_default();
                *value = Value::String(hex::encode(bytes));
            }
            _ => {}
        }
    }
}

/// Records write an id as station and counter in one number, 0 for none.
fn written_id(value: &Value) -> Value {
    let read = || {
        let number = value.as_u64()?;
        let station = StationId::new(u16::try_from(number >> 32).ok()?)?;
        Some(MessageId { station, counter: u32::try_from(number & 0xFFFF_FFFF).ok()? })
    };
    read().map_or(Value::Null, |id| Value::String(id.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use yizhan_engine::bus::journal::{MessageKept, record::What};
    use yizhan_engine::io::Offset;

    #[test]
    fn a_record_reads_as_people_write_it() {
        let kept =
            MessageKept { id: 1 << 32 | 2, text: "收到".into(), opaque: vec![0xA4, 1], ..MessageKept::default() };
        let record = Record { at_ms: 1_726_121_100_000, what: Some(What::MessageKept(kept)) };
        let stored = StoredRecord { offset: Offset(7), body: record.encode_to_vec().into() };
        let line: Value = serde_json::from_str(&record_line(&stored)).unwrap();
        assert_eq!(line["offset"], 7);
        assert_eq!(line["kind"], "message_kept");
        assert_eq!(line["at"], "2024-09-12T06:05:00.000Z");
        let id: MessageId = line["data"]["id"].as_str().unwrap().parse().unwrap();
        assert_eq!((id.station.number(), id.counter), (1, 2));
        assert_eq!(line["data"]["in_reply_to"], Value::Null);
        assert_eq!(line["data"]["opaque"], "a401");
        assert_eq!(line["data"]["text"], "收到");
    }
}
