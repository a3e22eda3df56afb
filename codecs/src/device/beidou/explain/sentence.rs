//! Named fields of text sentences: mostly the fields as written, under their names.

use super::Named;
use crate::codec::DecodeError;
use crate::device::Fields;
use crate::device::beidou::wire::content::{Content, Form, decode_text};
use crate::device::beidou::wire::rsmc3::{Tci, TciOrder};
use crate::device::beidou::wire::text::{Envelope, Sentence};
use bytes::Bytes;
use serde_json::{Value, json};

const ICI: [&str; 8] =
    ["user_id", "serial", "broadcast_id", "user_feature", "service_freq_s", "comm_level", "encrypted", "subordinates"];
const ICP: [&str; 23] = [
    "user_id",
    "broadcast_id",
    "authorisation",
    "user_identity",
    "service_mark",
    "secrecy",
    "terminal_type",
    "rescue_mark",
    "military_mark",
    "civil_military",
    "own_friend",
    "priority",
    "regional_service",
    "regional_freq_s",
    "regional_level",
    "global_mark",
    "gsmc_permission",
    "gsmc_freq",
    "gsmc_level",
    "subordinates",
    "group_permission",
    "groups_owned",
    "groups_joined",
];
const DWA: [&str; 9] =
    ["user_id", "emergency", "height_mode", "height_type", "height", "antenna", "pressure", "temperature", "freq_s"];

pub(super) fn fields(sentence: &Sentence, envelope: &Envelope<'_>) -> Result<Fields, DecodeError> {
    let mut named = Named::default();
    let [t1, t2] = envelope.talker;
    let header: String = [t1, t2].into_iter().chain(envelope.id).map(char::from).collect();
    named.put("sentence", header);
    let words: Vec<String> = envelope.body.split(|c| *c == b',').map(|field| decode_text(field).0).collect();
    let n = &mut named;
    match sentence {
        Sentence::Txa(send) => {
            words_as(n, &words, &["dest_id", "comm_class", "form"]);
            short_content(n, send.form, &send.content)?;
        }
        Sentence::Txr(heard) => {
            words_as(n, &words, &["info_class", "sender_id", "form", "time"]);
            short_content(n, heard.form, &heard.content)?;
        }
        Sentence::Klt(heard) => {
            words_as(n, &words, &["kind", "user_id", "form"]);
            short_content(n, heard.form, &heard.content)?;
        }
        Sentence::Fki(fed_back) => {
            words_as(n, &words, &["command", "executed", "freq_ok"]);
            if let Some(suppression) = fed_back.suppression {
                n.put("suppress", suppression);
            }
            n.put("wait_s", fed_back.wait_s());
        }
        Sentence::Fki3(fed_back) => {
            words_as(n, &words, &["time", "command", "sent"]);
            n.put("reason", fed_back.reason).put("remaining_s", fed_back.wait_s);
        }
        Sentence::Ici(_) => words_as(n, &words, &ICI),
        Sentence::Icp(_) => words_as(n, &words, &ICP),
        Sentence::Icz(list) => {
            n.put("total", list.total).put("numbers", json!(list.numbers));
        }
        Sentence::Bsi(beams) => {
            words_as(n, &words, &["response_beam", "diff_beam"]);
            n.put("power", json!(beams.powers));
        }
        Sentence::Bss(_) => words_as(n, &words, &["response_beam", "diff_beam"]),
        Sentence::Rmo(_) => words_as(n, &words, &["target", "mode", "rate"]),
        Sentence::Dwa(_) => words_as(n, &words, &DWA),
        Sentence::Wba(_) => words_as(n, &words, &["user_id", "height_type", "antenna", "freq_s"]),
        Sentence::Cxa(_) => words_as(n, &words, &["query_type", "method", "address"]),
        Sentence::Kls(_) => words_as(n, &words, &["user_id", "set"]),
        Sentence::Hzr(answer) => {
            words_as(n, &words, &["user_id", "count"]);
            let of = |[hour, minute]: [u8; 2]| format!("{hour:02}{minute:02}");
            let list = answer.receipts.iter().map(|[sent, got]| json!({"sent": of(*sent), "fetched": of(*got)}));
            n.put("receipts", list.collect::<Vec<_>>());
        }
        Sentence::Ttc { wait_s } => {
            n.put("remaining_s", *wait_s);
        }
        Sentence::Snr { values } => {
            n.put("snr", json!(values));
        }
        other => return places_and_messages(named, other, &words),
    }
    Ok(named.0)
}

/// The rest: positions, BDS-3 messages, beams; and what has no names.
fn places_and_messages(mut named: Named, sentence: &Sentence, words: &[String]) -> Result<Fields, DecodeError> {
    let n = &mut named;
    match sentence {
        Sentence::Dwr(fix) => {
            words_as(n, words, &["info_type", "user_id", "time"]);
            place(n, fix.lat_e7, fix.lon_e7).put("height_m", milli(fix.height_mm));
            n.put("height_anomaly_m", milli(fix.anomaly_mm));
            words_as(n, words.get(11..).unwrap_or_default(), &["precision", "emergency", "multi_value", "height_type"]);
        }
        Sentence::Waa(fix) => {
            words_as(n, words, &["info_type", "freq", "user_id", "time"]);
            place(n, fix.lat_e7, fix.lon_e7).put("height_m", milli(fix.height_mm));
        }
        Sentence::Gga(fix) => {
            words_as(n, words, &["time"]);
            words_as(n, words.get(5..).unwrap_or_default(), &["quality", "sats", "hdop"]);
            place(n, fix.lat_e7, fix.lon_e7).put("alt_m", milli(fix.altitude_mm));
            n.put("geoid_sep_m", milli(fix.geoid_mm));
        }
        Sentence::Gll(fix) => {
            words_as(n, words.get(4..).unwrap_or_default(), &["time", "status"]);
            place(n, fix.lat_e7, fix.lon_e7);
        }
        Sentence::Rmc(fix) => {
            words_as(n, words, &["time", "status"]);
            words_as(n, words.get(6..).unwrap_or_default(), &["speed_kn", "course", "date"]);
            place(n, fix.lat_e7, fix.lon_e7);
        }
        Sentence::Tcq(send) => {
            words_as(n, words, &["dest_id", "freq_point", "confirm", "encoding"]);
            if let (Some(_), Some(period)) = (send.period_s, words.last()) {
                n.put("freq_s", period.clone());
            }
            long_content(n, send.encoding, &send.content);
        }
        Sentence::Tci(heard) => received_tci(n, heard, words),
        Sentence::Msg(send) => {
            words_as(n, words, &["dest_id", "freq_point", "encoding"]);
            long_content(n, send.encoding, &send.content);
        }
        Sentence::Mxx(heard) => {
            words_as(n, words, &["sender_id", "time", "encoding"]);
            long_content(n, heard.encoding, &heard.content);
        }
        Sentence::Pwi(beams) => {
            words_as(n, words, &["time"]);
            let of =
                |b: &crate::device::beidou::wire::rsmc3::Beam| json!({"id": b.id, "cn0_d": b.cn0_d, "cn0_p": b.cn0_p});
            n.put("rdss2_beams", beams.rdss2.len()).put("rdss3_beams", beams.rdss3.len());
            n.put("beams", beams.rdss3.iter().map(of).collect::<Vec<_>>());
        }
        Sentence::Forbidden { .. } => {
            n.put("args", words).put("forbidden", true);
        }
        _ => {
            n.put("args", words);
        }
    }
    Ok(named.0)
}

fn received_tci(n: &mut Named, heard: &Tci, words: &[String]) {
    let names = match heard.order {
        TciOrder::A { .. } => ["sender_id", "receiver_id", "freq_point", "time", "encoding", "field6"],
        TciOrder::B { .. } => ["sender_id", "receiver_id", "time", "encoding", "data_mark", "length"],
    };
    words_as(n, words, &names);
    // Some modules pad the sender to eight digits.
    n.put("sender_id", heard.sender.to_string());
    long_content(n, heard.encoding, &heard.content);
}

fn words_as(named: &mut Named, words: &[String], names: &[&str]) {
    for (name, word) in names.iter().zip(words) {
        named.put(name, word.clone());
    }
}

fn place(named: &mut Named, lat: Option<i32>, lon: Option<i32>) -> &mut Named {
    named.angle("lat_deg", lat).angle("lon_deg", lon)
}

fn milli(value: Option<i64>) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "a field holds at most ten digits, far below 2^53")]
    let whole = |value: i64| value as f64 / 1_000.0;
    value.map_or(Value::Null, |value| json!(whole(value)))
}

/// Content of 2.1. Mixed content without its mark is no message; with the mark but not hex it happens on real lines.
fn short_content(named: &mut Named, form: Form, content: &Bytes) -> Result<(), DecodeError> {
    named.put("content", decode_text(content).0);
    match Content::from_text(form, content) {
        Content::Hanzi(_) => {}
        Content::Code(digits) => {
            named.put("nibbles", digits.len()).put("bits", digits.len() * 4);
        }
        Content::Mixed(payload) => {
            let digits = content.trim_ascii_end().len();
            if digits % 2 == 1 {
                named.put("error", "payload not even-length hex").put("hex_digits", digits);
            }
            if form == Form::Code {
                named.put("nibbles", digits).put("bits", digits * 4);
            }
            named.mixed(&payload);
        }
        Content::Raw(raw) => {
            let marked = raw.get(..2).is_some_and(|mark| mark.eq_ignore_ascii_case(b"A4"));
            if form == Form::Mixed && !marked {
                return Err(DecodeError::MixedWithoutMark);
            }
            named.put("error", "payload not even-length hex").put("hex_digits", raw.len());
        }
    }
    Ok(())
}

/// Content of BDS-3.
fn long_content(named: &mut Named, encoding: u8, content: &Bytes) {
    named.put("content", decode_text(content).0);
    match Content::from_encoding(encoding, content) {
        Content::Mixed(payload) => {
            named.mixed(&payload);
        }
        Content::Code(digits) => {
            named.put("nibbles", digits.len()).put("bits", digits.len() * 4);
        }
        _ => {}
    }
}
