//! Golden vectors: what every implementation of `docs/air-format.md` must read and write alike.

use serde_json::Value;

/// Reads every case with `read` and compares: a `decode` must give its fields, a `refuse` must give an error.
pub fn hold(file: &str, mut read: impl FnMut(&Value) -> Result<Value, String>) {
    let mut count = 0;
    for line in file.lines().filter(|line| !line.trim().is_empty()) {
        let case: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let (id, found) = (text(&case, "id"), read(&case));
        match (text(&case, "expect"), found) {
            ("decode", Ok(found)) => assert_eq!(found, case["fields"], "{id}"),
            ("refuse", Err(_)) => {}
            (expect, found) => panic!("{id}: {expect} expected, found {found:?}"),
        }
        count += 1;
    }
    assert!(count > 0, "no cases");
}

/// A text of a case, which must be there.
pub fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("no text {key:?} in {case}"))
}

/// A number of a case, which must be there.
pub fn number(case: &Value, key: &str) -> u64 {
    case[key].as_u64().unwrap_or_else(|| panic!("no number {key:?} in {case}"))
}

/// Bytes from hexadecimal.
pub fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// SM3, for cases that are made by hand.
pub fn sm3(bytes: &[u8]) -> Vec<u8> {
    use sm3::Digest as _;
    sm3::Sm3::digest(bytes).to_vec()
}
