//! The recorded cases, for this device's tests.

use bytes::Bytes;
use encoding_rs::GB18030;
use serde_json::Value;

const FILES: [&str; 2] = [include_str!("vectors/recorded.jsonl"), include_str!("vectors/own.jsonl")];

/// Every case of every file.
pub fn cases() -> Vec<Value> {
    let lines = FILES.iter().flat_map(|file| file.lines());
    lines.map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// The cases that expect one thing.
pub fn cases_that(expect: &str) -> Vec<Value> {
    cases().into_iter().filter(|case| word(case, "expect") == expect).collect()
}

/// A word of a case; empty where it has none.
pub fn word<'a>(case: &'a Value, key: &str) -> &'a str {
    case.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What was on the wire: the bytes, or the sentence in its charset without a line end.
pub fn wire(case: &Value) -> Bytes {
    match case.get("hex").and_then(Value::as_str) {
        Some(digits) => hex::decode(digits).expect(digits).into(),
        None => GB18030.encode(word(case, "text")).0.into_owned().into(),
    }
}

/// The same as a terminal writes it: sentences with CRLF.
pub fn line(case: &Value) -> Bytes {
    let bytes = wire(case);
    if word(case, "protocol") == "rdss40" || super::explain::is_monitor(&bytes) {
        bytes
    } else {
        [bytes.as_ref(), b"\r\n"].concat().into()
    }
}
