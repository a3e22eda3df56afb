//! The information field, by its first byte.

use super::extension::Extension;
use super::{Call, MicE, Place};
use crate::codec::DecodeError;

/// The addressee's field is padded to so many characters.
const ADDRESSEE: usize = 9;
const NAME: usize = 9;
const TIME: usize = 7;
const NUMBER_MAX: usize = 5;

/// What an information field says.
#[derive(Clone, Debug, PartialEq)]
pub enum Aprs {
    Position {
        messaging: bool,
        timestamp: Option<String>,
        place: Place,
        more: Extension,
    },
    MicE(MicE),
    Message(Message),
    /// The far machine has the message of this number. A reply-ack machine adds what it last heard of us.
    Ack {
        to: String,
        number: String,
    },
    Rej {
        to: String,
        number: String,
    },
    Bulletin(Bulletin),
    Object {
        name: String,
        alive: bool,
        timestamp: String,
        place: Place,
        more: Extension,
    },
    Item {
        name: String,
        alive: bool,
        place: Place,
        more: Extension,
    },
    Status {
        timestamp: Option<String>,
        text: String,
    },
    Telemetry {
        sequence: String,
        analog: Vec<f64>,
        digital: String,
        comment: String,
    },
    Query {
        query: String,
        rest: String,
    },
    /// Another network's frame, its header in front: `SRC>DST,VIA:information`.
    ThirdParty {
        frame: Vec<u8>,
    },
}

/// A text to one callsign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub to: String,
    pub text: String,
    /// Bytes that are no UTF-8 were replaced.
    pub lossy: bool,
    /// Up to five letters or digits; without one, no ack is wanted.
    pub number: Option<String>,
    /// The number of ours that this acknowledges on the way.
    pub reply_ack: Option<String>,
}

/// A text to everyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bulletin {
    /// A line number 0-9, or a letter for an announcement.
    pub id: String,
    /// The group that it is for, where there is one.
    pub group: Option<String>,
    pub text: String,
    pub lossy: bool,
}

impl Aprs {
    /// Reads an information field. `destination` is the AX.25 destination, where Mic-E puts its latitude.
    ///
    /// # Errors
    /// For a type that we do not know, or a field that is not what its type wants.
    pub fn parse(destination: &str, info: &[u8]) -> Result<Self, DecodeError> {
        let info = trimmed(info);
        let Some((kind, rest)) = info.split_first() else {
            return Err(DecodeError::Length { expected: 1, found: 0 });
        };
        match kind {
            b'!' | b'=' => position(*kind == b'=', None, rest, 1),
            b'/' | b'@' => {
                let (time, rest) = timestamp(rest, 1)?;
                position(*kind == b'@', Some(time), rest, 8)
            }
            b':' => addressed(rest),
            b';' => object(rest),
            b')' => item(rest),
            b'>' => Ok(status(rest)),
            b'T' if rest.first() == Some(&b'#') => telemetry(rest.get(1..).unwrap_or_default()),
            b'?' => query(rest),
            b'`' | b'\'' | 0x1C | 0x1D => MicE::parse(destination, info).map(Self::MicE),
            b'}' => Ok(Self::ThirdParty { frame: rest.to_vec() }),
            other => Err(DecodeError::Unknown(format!("APRS type {:?}", char::from(*other)))),
        }
    }
}

impl Message {
    /// The information field: nine characters of addressee, the text, our number.
    #[must_use]
    pub fn emit(&self) -> String {
        let number = self.number.as_ref().map(|number| format!("{{{number}")).unwrap_or_default();
        format!(":{:<9}:{}{number}", self.to, self.text)
    }
}

/// An ack of a number, for the one who wants it.
#[must_use]
pub fn emit_ack(to: &Call, number: &str) -> String {
    format!(":{:<9}:ack{number}", to.to_string())
}

/// A refusal of a number. Only simulated machines refuse.
#[must_use]
pub fn emit_rej(to: &Call, number: &str) -> String {
    format!(":{:<9}:rej{number}", to.to_string())
}

/// A bulletin's information field.
#[must_use]
pub fn emit_bulletin(id: char, text: &str) -> String {
    format!(":{:<9}:{text}", format!("BLN{id}"))
}

fn trimmed(info: &[u8]) -> &[u8] {
    let end = info.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n' | 0)).map_or(0, |at| at.saturating_add(1));
    info.get(..end).unwrap_or_default()
}

fn words(bytes: &[u8]) -> (String, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (String::from_utf8_lossy(bytes).into_owned(), true),
    }
}

fn timestamp(bytes: &[u8], at: usize) -> Result<(String, &[u8]), DecodeError> {
    let found = at.saturating_add(bytes.len());
    let Some((time, rest)) = bytes.split_at_checked(TIME) else {
        return Err(DecodeError::Length { expected: at.saturating_add(TIME), found });
    };
    let wrong = DecodeError::Field { field: "timestamp", at, expected: "six digits and z, / or h" };
    match time.split_last() {
        Some((b'z' | b'/' | b'h', digits)) if digits.iter().all(u8::is_ascii_digit) => Ok((words(time).0, rest)),
        _ => Err(wrong),
    }
}

fn position(messaging: bool, timestamp: Option<String>, bytes: &[u8], at: usize) -> Result<Aprs, DecodeError> {
    let (mut place, rest) = Place::parse(bytes, at)?;
    let more = Extension::read(&words(rest).0, &mut place);
    Ok(Aprs::Position { messaging, timestamp, place, more })
}

fn addressed(bytes: &[u8]) -> Result<Aprs, DecodeError> {
    let wrong = DecodeError::Field { field: "addressee", at: 1, expected: "nine characters and a colon" };
    let Some((to, rest)) = bytes.split_at_checked(ADDRESSEE) else {
        return Err(DecodeError::Length {
            expected: ADDRESSEE.saturating_add(2),
            found: bytes.len().saturating_add(1),
        });
    };
    let Some((b':', rest)) = rest.split_first() else { return Err(wrong) };
    let to =
        std::str::from_utf8(to).ok().filter(|to| to.bytes().all(|b| matches!(b, 0x20..=0x7E))).ok_or(wrong.clone())?;
    let to = to.trim_end_matches(' ');
    if to.is_empty() || to.contains(' ') {
        return Err(wrong);
    }
    let (text, lossy) = words(rest);
    if let Some(id) = to.strip_prefix("BLN") {
        let (line, group) = id.split_at_checked(1).unwrap_or((id, ""));
        let group = Some(group.to_owned()).filter(|group| !group.is_empty());
        return Ok(Aprs::Bulletin(Bulletin { id: line.to_owned(), group, text, lossy }));
    }
    let to = to.to_owned();
    if let Some(number) = text.strip_prefix("ack").and_then(answered) {
        return Ok(Aprs::Ack { to, number });
    }
    if let Some(number) = text.strip_prefix("rej").and_then(answered) {
        return Ok(Aprs::Rej { to, number });
    }
    let (text, number, reply_ack) = numbered(&text);
    Ok(Aprs::Message(Message { to, text, lossy, number, reply_ack }))
}

fn is_number(text: &str) -> bool {
    (1..=NUMBER_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The number in `ackNNNNN`, or in `ackNN}MM` as reply-ack machines write it.
fn answered(text: &str) -> Option<String> {
    let (number, rest) = text.split_once('}').unwrap_or((text, ""));
    (is_number(number) && (rest.is_empty() || is_number(rest))).then(|| number.to_owned())
}

/// Parts a text from its `{number`, `{number}` or `{number}acked`.
fn numbered(text: &str) -> (String, Option<String>, Option<String>) {
    let plain = || (text.to_owned(), None, None);
    let Some((words, tail)) = text.rsplit_once('{') else { return plain() };
    let (number, reply) = tail.split_once('}').map_or((tail, None), |(number, reply)| (number, Some(reply)));
    if !is_number(number) || reply.is_some_and(|reply| !reply.is_empty() && !is_number(reply)) {
        return plain();
    }
    let reply = reply.filter(|reply| !reply.is_empty()).map(str::to_owned);
    (words.to_owned(), Some(number.to_owned()), reply)
}

fn object(bytes: &[u8]) -> Result<Aprs, DecodeError> {
    let found = bytes.len().saturating_add(1);
    let Some((name, rest)) = bytes.split_at_checked(NAME) else {
        return Err(DecodeError::Length { expected: NAME.saturating_add(2), found });
    };
    let alive = match rest.first() {
        Some(b'*') => true,
        Some(b'_') => false,
        _ => return Err(DecodeError::Field { field: "alive", at: 10, expected: "* or _" }),
    };
    let (timestamp, rest) = timestamp(rest.get(1..).unwrap_or_default(), 11)?;
    let (mut place, rest) = Place::parse(rest, 18)?;
    let more = Extension::read(&words(rest).0, &mut place);
    Ok(Aprs::Object { name: words(name).0.trim_end().to_owned(), alive, timestamp, place, more })
}

fn item(bytes: &[u8]) -> Result<Aprs, DecodeError> {
    let wrong = DecodeError::Field { field: "name", at: 1, expected: "3 to 9 characters and ! or _" };
    let end = bytes.iter().take(NAME.saturating_add(1)).position(|byte| matches!(byte, b'!' | b'_'));
    let end = end.filter(|end| *end >= 3).ok_or(wrong.clone())?;
    let (name, rest) = bytes.split_at_checked(end).ok_or(wrong)?;
    let alive = rest.first() == Some(&b'!');
    let (mut place, rest) = Place::parse(rest.get(1..).unwrap_or_default(), end.saturating_add(2))?;
    let more = Extension::read(&words(rest).0, &mut place);
    Ok(Aprs::Item { name: words(name).0, alive, place, more })
}

fn status(bytes: &[u8]) -> Aprs {
    match timestamp(bytes, 1) {
        Ok((time, rest)) if time.ends_with('z') => Aprs::Status { timestamp: Some(time), text: words(rest).0 },
        _ => Aprs::Status { timestamp: None, text: words(bytes).0 },
    }
}

fn telemetry(bytes: &[u8]) -> Result<Aprs, DecodeError> {
    let wrong = DecodeError::Field { field: "telemetry", at: 2, expected: "a number, values and eight bits" };
    let text = words(bytes).0;
    let mut fields = text.split(',');
    // "T#MIC" may stand without its comma.
    let sequence = fields.next().filter(|sequence| !sequence.is_empty()).ok_or(wrong.clone())?.to_owned();
    if !sequence.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(wrong);
    }
    let mut analog = Vec::new();
    for value in fields.by_ref().take(5) {
        analog.push(value.trim().parse::<f64>().ok().filter(|value| value.is_finite()).ok_or(wrong.clone())?);
    }
    let rest = fields.collect::<Vec<_>>().join(",");
    let bits = rest.bytes().take(8).take_while(|byte| matches!(byte, b'0' | b'1')).count();
    let (digital, comment) = rest.split_at_checked(bits).ok_or(wrong.clone())?;
    if analog.is_empty() {
        return Err(wrong);
    }
    Ok(Aprs::Telemetry { sequence, analog, digital: digital.to_owned(), comment: comment.to_owned() })
}

fn query(bytes: &[u8]) -> Result<Aprs, DecodeError> {
    let text = words(bytes).0;
    let wrong = DecodeError::Field { field: "query", at: 1, expected: "letters and a question mark" };
    let (query, rest) = text.split_once('?').ok_or(wrong.clone())?;
    if query.is_empty() || !query.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(wrong);
    }
    Ok(Aprs::Query { query: query.to_owned(), rest: rest.to_owned() })
}
