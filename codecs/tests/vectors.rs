//! Recorded cases: every `src/device/<family>/vectors/*.jsonl`, and every `*.jsonl` of the folder that the variable
//! `YIZHAN_VECTORS` names (there, only the protocols that the register knows).
//!
//! One JSON object a line. `expect` is one of
//! - `decode`: `explain` reads `hex` or `text` with at least these `fields`;
//! - `refuse`: it must not be taken for a frame;
//! - `lenient`: taken or not, only without a panic;
//! - `encode`: the codec, opened with `profile`, writes `order` as exactly `hex`, bound for `to` where that stands;
//! - `stream`: the framer, given `chunks`, cuts exactly `frames` out of them and calls the rest noise.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;
use yizhan_codecs::codec::{self, Profile};
use yizhan_codecs::device::{self, Direction, REGISTER};
use yizhan_codecs::explain::{explain, explain_words, wire_bytes};
use yizhan_codecs::frame::Found;
use yizhan_codecs::message::{Addressee, Order, TerminalId};

/// Bits that no checksum and no rule can guard: protocol, byte, bit. The reliable bit of HDAP frames stands outside the
/// checksum and is lawful in every service; registration is recorded with and without it.
const UNGUARDED: &[(&str, usize, usize)] =
    &[("hytera-rrs", 0, 7), ("hytera-lp", 0, 7), ("hytera-hdap-tmp", 0, 7), ("hytera-dds", 0, 7), ("hytera-rcp", 0, 7)];

/// The same, where it depends on the frame. HSTRP has no checksum: what stands before its HDAP frame is guarded by rules
/// alone, and none can guard a number: the sequence, the values of the two options, and the HDAP frame's reliable bit. An
/// option bit before no options is lawful too (one host program sends it) and means the same as none.
fn is_unguarded(protocol: &str, whole: &[u8], byte: usize, bit: usize) -> bool {
    if protocol != "hytera-hstrp" {
        return UNGUARDED.contains(&(protocol, byte, bit));
    }
    // Device id and slot, as every recorded datagram with options has them.
    let has_options = whole[3] & 0x20 != 0;
    let hdap = if has_options { 15 } else { 6 };
    let option_bit = !has_options && (byte, bit) == (3, 5);
    option_bit || (4..6).contains(&byte) || (has_options && matches!(byte, 8..=11 | 14)) || (byte == hdap && bit == 7)
}

struct Case {
    /// File and id, for messages.
    name: String,
    /// The folder's device; `None` for cases from outside.
    device: Option<String>,
    value: Value,
}

impl Case {
    fn text(&self, key: &str) -> Option<&str> {
        self.value.get(key).and_then(Value::as_str)
    }

    fn expect(&self) -> &str {
        self.text("expect").unwrap_or_else(|| panic!("{}: no expect", self.name))
    }

    fn bytes(&self) -> Vec<u8> {
        wire_bytes(self.text("hex"), self.text("text"), self.text("charset"))
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    fn direction(&self) -> Direction {
        self.text("direction").and_then(Direction::from_name).unwrap_or(Direction::Any)
    }

    fn explain(&self, bytes: &[u8]) -> Result<Value, String> {
        let protocol = self.text("protocol").unwrap_or_else(|| panic!("{}: no protocol", self.name));
        explain(Some(protocol), self.direction(), bytes)
            .map(|explained| Value::Object(explained.fields))
            .map_err(|error| error.to_string())
    }

    fn codec(&self) -> Box<dyn codec::Codec> {
        let settings = self.value.get("profile").and_then(Value::as_object);
        let settings = settings.into_iter().flatten().map(|(key, value)| {
            let value = match value {
                Value::Bool(flag) => codec::Value::Bool(*flag),
                Value::Number(number) => codec::Value::Int(number.as_i64().expect("profile number")),
                other => codec::Value::Text(other.as_str().expect("profile text").into()),
            };
            (key.clone(), value)
        });
        let device = self.device.as_deref().unwrap_or_else(|| panic!("{}: not in a device's folder", self.name));
        device::open(device, &Profile(settings.collect())).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

fn read(folder: &Path, device: Option<&str>, cases: &mut Vec<Case>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ext| ext == "jsonl")) {
        for (at, line) in fs::read_to_string(file).unwrap().lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let place = format!("{}:{}", file.display(), at + 1);
            let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{place}: {error}"));
            let id = value.get("id").and_then(Value::as_str).unwrap_or("no id").to_owned();
            cases.push(Case { name: format!("{place} {id}"), device: device.map(str::to_owned), value });
        }
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let devices = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/device");
    for device in REGISTER {
        read(&devices.join(device.name).join("vectors"), Some(device.name), &mut cases);
    }
    if let Some(folder) = std::env::var_os("YIZHAN_VECTORS") {
        let known: BTreeSet<&str> =
            REGISTER.iter().flat_map(|device| device.protocols).map(|protocol| protocol.name).collect();
        let mut outside = Vec::new();
        read(Path::new(&folder), None, &mut outside);
        cases.extend(outside.into_iter().filter(|case| case.text("protocol").is_some_and(|p| known.contains(p))));
    }
    cases
}

/// Whether `found` says at least what `expected` says; decimal numbers within a millionth.
fn says(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            expected.iter().all(|(key, value)| found.get(key).is_some_and(|found| says(found, value)))
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(found, value)| says(found, value))
        }
        (Value::Number(found), Value::Number(expected)) => {
            found == expected || (found.as_f64().unwrap() - expected.as_f64().unwrap()).abs() <= 1.5e-6
        }
        _ => found == expected,
    }
}

/// All failures at once, so that one run shows the whole picture.
fn none(failures: &[String]) {
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_case_is_read_or_refused_as_recorded() {
    let mut failures = Vec::new();
    for case in cases() {
        let name = &case.name;
        match case.expect() {
            "decode" => match case.explain(&case.bytes()) {
                Ok(found) => {
                    let expected = case.value.get("fields").unwrap_or(&Value::Null);
                    if !expected.is_null() && !says(&found, expected) {
                        failures.push(format!("{name}\n  expected {expected}\n  found    {found}"));
                    }
                }
                Err(error) => failures.push(format!("{name}: refused: {error}")),
            },
            "refuse" => {
                if let Ok(found) = case.explain(&case.bytes()) {
                    failures.push(format!("{name}: taken for {found}"));
                }
            }
            "lenient" => drop(case.explain(&case.bytes())),
            "encode" | "stream" => {}
            other => failures.push(format!("{name}: unknown expect {other}")),
        }
    }
    none(&failures);
}

#[test]
fn every_field_has_a_chinese_label() {
    let mut bare = BTreeSet::new();
    for case in cases().iter().filter(|case| case.expect() == "decode") {
        let Ok(Value::Object(fields)) = case.explain(&case.bytes()) else { continue };
        let words = explain_words(case.text("protocol"), case.direction(), &case.bytes()).expect("just explained");
        // A label stands before the name, on the field's own line.
        let labelled = |name: &str| words.lines().any(|line| line.split_once(&format!(" {name}：")).is_some());
        bare.extend(fields.keys().filter(|name| !labelled(name)).cloned());
    }
    assert!(bare.is_empty(), "{bare:?}");
}

#[test]
fn no_flipped_bit_under_a_checksum_passes() {
    let mut failures = Vec::new();
    for case in cases() {
        let holds = case.expect() == "decode" && case.value.get("checksum_ok") == Some(&Value::Bool(true));
        let bytes = if holds { case.bytes() } else { continue };
        let protocol = case.text("protocol").unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if case.explain(&flipped).is_ok() && !is_unguarded(protocol, &bytes, bit / 8, bit % 8) {
                failures.push(format!("{}: bit {} of byte {}", case.name, bit % 8, bit / 8));
            }
        }
    }
    none(&failures);
}

#[test]
fn no_incomplete_frame_is_taken_for_a_whole_one() {
    let mut failures = Vec::new();
    for case in cases() {
        let holds = case.expect() == "decode" && case.value.get("checksum_ok") == Some(&Value::Bool(true));
        let bytes = if holds { case.bytes() } else { continue };
        let whole = bytes.strip_suffix(b"\r\n").unwrap_or(&bytes);
        for length in 0..whole.len() {
            if case.explain(&whole[..length]).is_ok() {
                failures.push(format!("{}: {length} of {} bytes", case.name, whole.len()));
            }
        }
    }
    none(&failures);
}

/// `{"text": {"to": "radio370:1", "group": false, "text": "…", "native": 1}}`, `{"payload": {"to": "…", "bytes": "…",
/// "native": 1}}`, `{"ask_position": {"of": "…",
/// "native": 1}}`, `{"ask_presence": {"of": "…"}}`, `{"ask_card": {}}`, `{"ask_strength": {"every_s": 0}}`.
fn order(case: &Case) -> Order {
    let (kind, inner) = case.value["order"].as_object().and_then(|order| order.iter().next()).expect("an order");
    let terminal = |key: &str| -> Option<TerminalId> { inner.get(key)?.as_str()?.parse().ok() };
    let number = |key: &str| inner.get(key).and_then(Value::as_u64).unwrap_or(0);
    let native = u32::try_from(number("native")).unwrap();
    let flag = |key: &str| inner.get(key) == Some(&Value::Bool(true));
    match kind.as_str() {
        "text" => {
            let to = terminal("to").expect("to");
            let to = if flag("group") { Addressee::Group(to) } else { Addressee::Terminal(to) };
            let text = inner["text"].as_str().expect("text").to_owned();
            Order::Text { card: terminal("card"), to, text, native, urgent: flag("urgent") }
        }
        "payload" => {
            let bytes = hex::decode(inner["bytes"].as_str().expect("bytes")).expect("hex").into();
            Order::Payload { card: None, to: Addressee::Terminal(terminal("to").expect("to")), bytes, native }
        }
        "ask_position" => Order::AskPosition { of: Addressee::Terminal(terminal("of").expect("of")), native },
        "ask_presence" => Order::AskPresence { of: terminal("of").expect("of") },
        "ask_card" => Order::AskCard,
        "ask_strength" => Order::AskStrength { every: Duration::from_secs(number("every_s")) },
        other => panic!("{}: unknown order {other}", case.name),
    }
}

#[test]
fn every_order_is_written_as_recorded() {
    let mut failures = Vec::new();
    for case in cases().iter().filter(|case| case.expect() == "encode") {
        let frames = match case.codec().encode(&order(case)) {
            Ok(frames) => frames,
            Err(error) => {
                failures.push(format!("{}: {error}", case.name));
                continue;
            }
        };
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes.iter().copied()).collect();
        if bytes != case.bytes() {
            failures.push(format!("{}: wrote {}", case.name, hex::encode(&bytes)));
        }
        let to = frames.last().and_then(|frame| frame.to).map(|peer| peer.0.to_string());
        if case.text("to").is_some_and(|expected| to.as_deref() != Some(expected)) {
            failures.push(format!("{}: bound for {to:?}", case.name));
        }
    }
    none(&failures);
}

#[test]
fn every_stream_is_cut_into_the_recorded_frames_and_no_byte_is_lost() {
    let unhex = |value: &Value| hex::decode(value.as_str().expect("hex")).expect("hex");
    let mut failures = Vec::new();
    for case in cases().iter().filter(|case| case.expect() == "stream") {
        let list = |key: &str| -> Vec<Vec<u8>> {
            case.value.get(key).and_then(Value::as_array).expect("a list").iter().map(unhex).collect()
        };
        let mut framer = case.codec().framer();
        let (mut frames, mut all) = (Vec::new(), Vec::new());
        let mut drain = |framer: &mut Box<dyn yizhan_codecs::frame::Framer>| {
            while let Some(found) = framer.next_found() {
                all.extend_from_slice(found.bytes());
                if let Found::Frame(bytes) = found {
                    frames.push(bytes.to_vec());
                }
            }
        };
        for chunk in list("chunks") {
            framer.push(&chunk);
            drain(&mut framer);
        }
        while framer.patience().is_some() {
            framer.give_up();
            drain(&mut framer);
        }
        if frames != list("frames") {
            let frames: Vec<String> = frames.iter().map(hex::encode).collect();
            failures.push(format!("{}: cut {frames:?}", case.name));
        }
        if all != list("chunks").concat() {
            failures.push(format!("{}: bytes were lost or made up", case.name));
        }
    }
    none(&failures);
}
