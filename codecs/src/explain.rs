//! Explaining one frame: to a program ([`explain_line`], the contract of `yizhan explain --jsonl`) and to a person
//! ([`explain_words`]).
//!
//! What it is: a way from bytes to named fields through the register, for any protocol of any device. What it is not:
//! a codec; nothing here is judged, stored or answered, and what a codec takes leniently may be refused here.

mod labels;
mod recorded;

pub use recorded::explain_recorded;

use crate::codec::DecodeError;
use crate::device::{Device, Direction, Fields, Protocol, REGISTER};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use thiserror::Error;

/// One frame in named fields.
#[derive(Clone, Debug)]
pub struct Explained {
    pub device: &'static Device,
    pub protocol: &'static str,
    /// Further protocols that read the same bytes, where none was named.
    pub also: Vec<&'static str>,
    pub fields: Fields,
}

/// Why a frame was not explained.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ExplainError {
    #[error("not a JSON object: {0}")]
    Json(String),
    #[error("{key} is not text")]
    NotText { key: &'static str },
    #[error("neither hex nor text")]
    NoBytes,
    #[error("hex: {0}")]
    Hex(hex::FromHexError),
    #[error(
        "unknown charset {0:?}; utf-8, gb18030, utf-16le, utf-16be and the names of the Encoding Standard are known"
    )]
    Charset(String),
    #[error("a character of the text is not in {charset}")]
    Unmappable { charset: String },
    #[error("unknown direction {0:?}; to_terminal, from_terminal, any")]
    Direction(String),
    #[error("unknown protocol {found:?}; protocols: {known}")]
    Protocol { found: String, known: String },
    #[error("no protocol reads these {bytes} bytes; tried: {tried}")]
    NothingFits { bytes: usize, tried: String },
    #[error("{0}")]
    Frame(#[from] DecodeError),
    #[error("chunks stand without device")]
    NoDevice,
    #[error("{0}")]
    Profile(String),
}

/// One line of `explain --jsonl`: an object with `protocol`, `direction`, `hex` or `text`, `charset` in (`hex` wins;
/// other keys are ignored), `{"ok":true,"fields":{…}}` or `{"ok":false,"error":"…"}` out. Without `protocol` every
/// protocol is tried (those of `device`, where that stands), and the answer names the one that fits. A recorded stream
/// (`chunks` and `device`) is answered with its `pieces`. Never panics.
#[must_use]
pub fn explain_line(line: &str) -> String {
    if let Some(object) = json_object(line).ok().filter(|object| object.contains_key("chunks")) {
        let answer = recorded::stream_answer(&object);
        return answer.unwrap_or_else(|error| json!({ "ok": false, "error": error.to_string() })).to_string();
    }
    let answer = match explain_json(line) {
        Ok((explained, true)) => json!({ "ok": true, "fields": explained.fields }),
        Ok((explained, false)) => {
            json!({ "ok": true, "protocol": explained.protocol, "also": explained.also, "fields": explained.fields })
        }
        Err(error) => json!({ "ok": false, "error": error.to_string() }),
    };
    answer.to_string()
}

/// The second value says whether the protocol was named.
fn explain_json(line: &str) -> Result<(Explained, bool), ExplainError> {
    let object = json_object(line)?;
    let text = |key| text_of(&object, key);
    let direction = match text("direction")? {
        None => Direction::Any,
        Some(name) => Direction::from_name(name).ok_or_else(|| ExplainError::Direction(name.into()))?,
    };
    let bytes = wire_bytes(text("hex")?, text("text")?, text("charset")?)?;
    let explained = match (text("protocol")?, text("device")?) {
        (None, Some(device)) => (explain_device(device, direction, &bytes)?, false),
        (protocol, _) => (explain(protocol, direction, &bytes)?, protocol.is_some()),
    };
    Ok(explained)
}

fn json_object(line: &str) -> Result<Map<String, Value>, ExplainError> {
    match serde_json::from_str(line).map_err(|error| ExplainError::Json(error.to_string()))? {
        Value::Object(object) => Ok(object),
        _ => Err(ExplainError::Json("another kind of value".into())),
    }
}

fn text_of<'a>(object: &'a Map<String, Value>, key: &'static str) -> Result<Option<&'a str>, ExplainError> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(ExplainError::NotText { key }),
    }
}

/// The bytes on the wire of a case: `hex` where it stands (blanks are ignored), else `text` in `charset`, which is
/// UTF-8 unless said.
///
/// # Errors
/// When there is neither, when the hex is none, or when the charset is unknown or cannot say the text.
pub fn wire_bytes(hex: Option<&str>, text: Option<&str>, charset: Option<&str>) -> Result<Vec<u8>, ExplainError> {
    if let Some(hex) = hex {
        let digits: String = hex.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        return ::hex::decode(digits).map_err(ExplainError::Hex);
    }
    let text = text.ok_or(ExplainError::NoBytes)?;
    let charset = charset.unwrap_or("utf-8");
    match charset.to_ascii_lowercase().as_str() {
        "utf-16le" | "utf-16" => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        "utf-16be" => Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        label => {
            let encoding = encoding_rs::Encoding::for_label(label.as_bytes())
                .ok_or_else(|| ExplainError::Charset(charset.into()))?;
            match encoding.encode(text) {
                (bytes, _, false) => Ok(bytes.into_owned()),
                (_, _, true) => Err(ExplainError::Unmappable { charset: charset.into() }),
            }
        }
    }
}

/// Every protocol of every device, in the order of the register.
fn protocols() -> impl Iterator<Item = (&'static Device, &'static Protocol)> {
    REGISTER.iter().flat_map(|device| device.protocols.iter().map(move |protocol| (device, protocol)))
}

/// Reads exactly one frame, by the protocol named or by whichever reads it.
///
/// # Errors
/// [`ExplainError::Protocol`] for a name that no device has, [`ExplainError::Frame`] for bytes that must be refused,
/// [`ExplainError::NothingFits`] when none was named and none reads them.
pub fn explain(protocol: Option<&str>, direction: Direction, bytes: &[u8]) -> Result<Explained, ExplainError> {
    let known = || protocols().map(|(_, protocol)| protocol.name).collect::<Vec<_>>().join(", ");
    let Some(name) = protocol else { return fitting(direction, bytes, |_| true) };
    let (device, protocol) = protocols()
        .find(|(_, protocol)| protocol.name == name)
        .ok_or_else(|| ExplainError::Protocol { found: name.into(), known: known() })?;
    let fields = (protocol.explain)(direction, bytes)?;
    Ok(Explained { device, protocol: protocol.name, also: Vec::new(), fields })
}

/// Reads exactly one frame by whichever protocol of a device reads it.
///
/// # Errors
/// [`ExplainError::NothingFits`] when none reads it, or when there is no such device.
pub fn explain_device(name: &str, direction: Direction, bytes: &[u8]) -> Result<Explained, ExplainError> {
    fitting(direction, bytes, |device| device.name == name)
}

fn fitting(direction: Direction, bytes: &[u8], of: impl Fn(&Device) -> bool) -> Result<Explained, ExplainError> {
    let mut tried = Vec::new();
    // A station's frame has five bytes in clear and no check: of any other bytes, one in five reads as one. So it is
    // named only where nothing else fits.
    for is_last in [false, true] {
        let mut fits = Vec::new();
        let turn = protocols().filter(|(device, _)| of(device) && device.is_for_stations_only() == is_last);
        for (device, protocol) in turn {
            match (protocol.explain)(direction, bytes) {
                Ok(fields) => fits.push((device, protocol.name, fields)),
                Err(_) => tried.push(protocol.name),
            }
        }
        let mut fits = fits.into_iter();
        if let Some((device, protocol, fields)) = fits.next() {
            return Ok(Explained { device, protocol, also: fits.map(|(_, name, _)| name).collect(), fields });
        }
    }
    Err(ExplainError::NothingFits { bytes: bytes.len(), tried: tried.join(", ") })
}

/// One frame in words for a person: what it is, whether its checksum holds, and each field on a line with its unit.
///
/// # Errors
/// As [`explain`]; [`ExplainError::words`] says it in Chinese.
pub fn explain_words(protocol: Option<&str>, direction: Direction, bytes: &[u8]) -> Result<String, ExplainError> {
    Ok(words_of(&explain(protocol, direction, bytes)?, bytes))
}

fn words_of(explained: &Explained, bytes: &[u8]) -> String {
    let mut words = format!("协议：{}（{}）\n", explained.protocol, explained.device.label);
    if !explained.also.is_empty() {
        writeln!(words, "也读得通：{}", explained.also.join("、")).ok();
    }
    // What stations say is checked by its seal, and nobody here has the key.
    let check = if explained.device.is_for_stations_only() { "未核对，要用密钥" } else { "通过" };
    writeln!(words, "长度：{} 字节\n校验：{check}", bytes.len()).ok();
    write_fields(&mut words, labels::Words(explained.device.labels), &explained.fields, 0);
    words
}

fn write_fields(words: &mut String, known: labels::Words, fields: &Fields, depth: usize) {
    let mut ordered: Vec<(&String, &Value)> = fields.iter().collect();
    ordered.sort_by_key(|(name, _)| known.rank(name));
    for (name, value) in ordered {
        let indent = "  ".repeat(depth);
        let title = known.label(name).map_or_else(|| name.clone(), |label| format!("{label} {name}"));
        if let Value::Object(inner) = value {
            writeln!(words, "{indent}{title}：").ok();
            write_fields(words, known, inner, depth.saturating_add(1));
        } else {
            let unit = if value.is_null() { "" } else { known.unit(name) };
            writeln!(words, "{indent}{title}：{}{unit}", plain(name, value)).ok();
        }
    }
}

fn plain(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "无".into(),
        Value::Bool(true) => "是".into(),
        Value::Bool(false) => "否".into(),
        Value::String(text) if text.is_empty() => "（空）".into(),
        Value::String(text) => {
            labels::value(name, text).map_or_else(|| text.clone(), |word| format!("{word}（{text}）"))
        }
        Value::Number(number) => number.to_string(),
        Value::Array(items) => items.iter().map(|item| plain(name, item)).collect::<Vec<_>>().join("、"),
        Value::Object(inner) => {
            let pairs: Vec<String> = inner.iter().map(|(key, value)| format!("{key}={}", plain(key, value))).collect();
            pairs.join(" ")
        }
    }
}

impl ExplainError {
    /// The same for an operator.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Json(why) => format!("这一行不是 JSON 对象：{why}"),
            Self::NotText { key } => format!("{key} 不是文字"),
            Self::NoBytes => "没有给出 hex，也没有给出 text".into(),
            Self::Hex(why) => format!("hex 不是十六进制：{why}"),
            Self::Charset(name) => format!("不认识的字符集 {name}"),
            Self::Unmappable { charset } => format!("文字里有 {charset} 写不出的字"),
            Self::Direction(name) => format!("不认识的方向 {name}（to_terminal、from_terminal、any）"),
            Self::Protocol { found, known } => format!("不认识的协议 {found}；可用：{known}"),
            Self::NothingFits { bytes, tried } => format!("这 {bytes} 字节没有协议读得通；试过：{tried}"),
            Self::Frame(error) => error.label(),
            Self::NoDevice => "有 chunks，却没有说是什么设备（device）".into(),
            Self::Profile(why) => format!("打不开这个设备：{why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(line: &str) -> Value {
        serde_json::from_str(&explain_line(line)).unwrap()
    }

    fn refused(line: &str) -> String {
        let answer = answer(line);
        assert_eq!(answer["ok"], false, "{line}");
        answer["error"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_line_in_gives_a_line_out_with_the_fields_of_the_vectors() {
        let line =
            r#"{"protocol":"hytera-rrs","direction":"from_terminal","hex":"11 0003 0004 0A233863 63 03","id":7}"#;
        let answer = answer(line);
        assert_eq!(answer["ok"], true);
        assert_eq!(answer["fields"]["radio_ip"], "10.35.56.99");
        assert_eq!(answer["fields"]["type"], "register");
        assert!(!explain_line(line).contains('\n'));
    }

    #[test]
    fn an_unknown_protocol_is_refused_naming_the_known_ones() {
        let error = refused(r#"{"protocol":"nosuch","hex":"7e"}"#);
        assert!(error.contains("nosuch") && error.contains("hytera-rrs"), "{error}");
    }

    #[test]
    fn without_a_protocol_the_one_that_fits_is_named() {
        let answer = answer(r#"{"hex":"11000300040a2338636303"}"#);
        assert_eq!((&answer["ok"], &answer["protocol"]), (&json!(true), &json!("hytera-rrs")));
        assert!(refused(r#"{"hex":"00"}"#).contains("1 bytes"));
    }

    #[test]
    fn a_frame_of_stations_is_named_only_where_nothing_else_reads_the_bytes() {
        // HRNP begins with 7E, which an air frame in clear may do as well.
        let hrnp = answer(r#"{"hex":"7e0400fe20100000000c60e1"}"#);
        assert_eq!((&hrnp["protocol"], &hrnp["also"]), (&json!("hytera-hrnp"), &json!([])), "{hrnp}");
        let air = answer(r#"{"hex":"4700c00501fdb00d87c3e947"}"#);
        assert_eq!((&air["protocol"], &air["fields"]["dst"]), (&json!("air-udp"), &json!("command_post")), "{air}");
        let words = explain_words(None, Direction::Any, &[0x47, 0, 0xC0, 5, 1, 0xFD]).unwrap();
        for part in ["协议：air-udp", "整报（single）", "特提（flash）", "指挥部（command_post）", "校验：未核对"]
        {
            assert!(words.contains(part), "{part} not in:\n{words}");
        }
    }

    #[test]
    fn hex_wins_over_text_and_text_is_written_in_its_charset() {
        let bytes = |charset| wire_bytes(None, Some("到"), Some(charset)).unwrap();
        assert_eq!(bytes("gb18030"), [0xB5, 0xBD]);
        assert_eq!(bytes("utf-16le"), [0x30, 0x52]);
        assert_eq!(wire_bytes(None, Some("到"), None).unwrap(), "到".as_bytes());
        assert_eq!(wire_bytes(Some("00"), Some("到"), Some("no such")), Ok(vec![0]));
        assert!(wire_bytes(None, Some("到"), Some("iso-8859-1")).is_err());
        assert_eq!(wire_bytes(None, None, None), Err(ExplainError::NoBytes));
    }

    #[test]
    fn lines_that_are_no_case_are_refused_with_the_reason() {
        for (line, reason) in [
            ("", "JSON"),
            ("[1]", "JSON"),
            (r#"{"protocol":1,"hex":"00"}"#, "protocol"),
            (r#"{"protocol":"hytera-lp"}"#, "neither"),
            (r#"{"protocol":"hytera-lp","hex":"0"}"#, "hex"),
            (r#"{"protocol":"hytera-lp","hex":"00","direction":"up"}"#, "direction"),
        ] {
            assert!(refused(line).contains(reason), "{line}");
        }
    }

    #[test]
    fn a_person_reads_the_fields_in_chinese_and_a_wrong_checksum_with_its_numbers() {
        let mut frame = ::hex::decode("11008000090a2338630000000708d203").unwrap();
        let words = explain_words(Some("hytera-rrs"), Direction::Any, &frame).unwrap();
        for part in ["协议：hytera-rrs", "校验：通过", "1800 秒", "登记确认", "10.35.56.99"] {
            assert!(words.contains(part), "{part} not in:\n{words}");
        }
        frame[6] ^= 1;
        let error = explain_words(Some("hytera-rrs"), Direction::Any, &frame).unwrap_err();
        assert_eq!(error.words(), "校验错：帧里是 D2，算得 D3");
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let said: Value = serde_json::from_str(&explain_line(&line)).unwrap();
            prop_assert!(said["ok"].is_boolean());
            let answer = answer(&json!({ "hex": ::hex::encode(&bytes) }).to_string());
            prop_assert!(answer["ok"].is_boolean());
        }
    }
}
