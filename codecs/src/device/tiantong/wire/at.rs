//! AT lines as frames (TS 27.005 §3, §4; TS 27.007 §5, §7, §8; V.250 §5): what a phone says, and what we tell it.

use super::pdu::Pdu;
use crate::codec::{DecodeError, EncodeError};
use bytes::Bytes;

/// Ends the PDU after the prompt; ESC would drop it.
pub const CTRL_Z: u8 = 0x1A;
pub const ESC: u8 = 0x1B;

/// One frame from a phone, or one line to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// An empty line.
    Blank,
    Ok,
    Error,
    /// `> `: the phone waits for the PDU.
    Prompt,
    CmsError(u16),
    CmeError(u16),
    /// A command: ours, or its echo. With its PDU where one stands behind it.
    Command {
        line: String,
        pdu: Option<Pdu>,
    },
    /// The echo of a PDU.
    Data(Vec<u8>),
    /// `+CMGS: mr`: the network took a message.
    Sent {
        reference: u8,
    },
    /// A message with its PDU.
    Message {
        place: Place,
        pdu: Pdu,
    },
    /// `+CMTI`, `+CDSI`: something was stored.
    Stored {
        memory: String,
        index: u16,
        is_report: bool,
    },
    /// `+CPIN: …`
    Sim(String),
    /// `+CSQ: rssi,ber`
    Quality {
        rssi: u8,
        ber: u8,
    },
    /// `+CREG: …stat…`
    Registration(u8),
    /// `+CNUM: …,number,type`; `None` where the card does not tell.
    Own(Option<String>),
    /// `+CPMS: used,total,…`
    Storage {
        used: u16,
        total: u16,
    },
    /// `+CSMS: service,…`
    Service(u8),
    /// Any other answer or notice with a name.
    Info {
        name: String,
        value: String,
    },
    /// RING, NO CARRIER and the like: a call, which is none of our business.
    Call(String),
}

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `+CMT`: not stored in the phone.
    Direct,
    /// `+CDS`: a status report, not stored.
    Report,
    /// `+CMGR`: read on request. 0 unread, 1 read, 2 unsent, 3 sent.
    Read { state: u8 },
    /// `+CMGL`: one of a list.
    Listed { index: u16, state: u8 },
}

impl Place {
    /// The name that a line with a PDU begins with.
    pub(crate) const HEADERS: [&'static str; 4] = ["+CMT:", "+CDS:", "+CMGR:", "+CMGL:"];
}

const CALLS: [&str; 7] = ["RING", "NO CARRIER", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE", "BUSY", "CONNECT"];

/// The echo of a command that was led in by an escape, without it: so a start out of an unknown state looks.
pub(crate) fn without_escape(line: &[u8]) -> &[u8] {
    let rest = line.strip_prefix(&[ESC]);
    rest.filter(|rest| rest.get(..2).is_some_and(|begin| begin.eq_ignore_ascii_case(b"AT"))).unwrap_or(line)
}

impl At {
    /// Reads one whole frame, with or without its line ends.
    ///
    /// # Errors
    /// [`DecodeError`] for what is no AT line, a PDU that lies about its length, or more than one frame.
    pub fn parse(frame: &[u8]) -> Result<Self, DecodeError> {
        let begin = without_escape(frame.strip_prefix(b"\r\n").unwrap_or(frame));
        if begin == b"> " {
            return Ok(Self::Prompt);
        }
        let (line, rest) = line(begin);
        let text = std::str::from_utf8(line).map_err(|_| not_at(line))?;
        let (pdu, rest) = self::line(rest);
        if !rest.is_empty() {
            return Err(DecodeError::Trailing(rest.len()));
        }
        let upper = text.to_ascii_uppercase();
        if upper.starts_with("AT") {
            return command(text, pdu);
        }
        if pdu_length(text).is_some() {
            return with_pdu(text, pdu);
        }
        if !pdu.is_empty() {
            return Err(DecodeError::Trailing(pdu.len()));
        }
        Ok(match text {
            "" => Self::Blank,
            "OK" => Self::Ok,
            "ERROR" => Self::Error,
            _ if CALLS.iter().any(|call| text.starts_with(call)) => Self::Call(text.into()),
            _ => match named(text) {
                Some((name, value)) => answer(name, value)?,
                None => Self::Data(data(line)?),
            },
        })
    }

    /// A command line as it is written.
    #[must_use]
    pub fn command(line: &str) -> Bytes {
        Bytes::from(format!("{line}\r"))
    }

    /// `AT+CMGS` and the PDU that follows after the prompt, in one frame: a dialogue parts them at the CR.
    ///
    /// # Errors
    /// [`EncodeError`] when the PDU does not fit.
    pub fn send(pdu: &Pdu) -> Result<Bytes, EncodeError> {
        let (octets, length) = pdu.emit()?;
        Ok(Bytes::from(format!("AT+CMGS={length}\r{}\u{1a}", hex::encode_upper(octets))))
    }

    /// An indication or answer with a PDU, as a phone writes it. `header` ends where the length goes.
    ///
    /// # Errors
    /// [`EncodeError`] when the PDU does not fit.
    pub fn with_pdu(header: &str, pdu: &Pdu) -> Result<String, EncodeError> {
        let (octets, length) = pdu.emit()?;
        Ok(format!("{header}{length}\r\n{}\r\n", hex::encode_upper(octets)))
    }
}

fn not_at(line: &[u8]) -> DecodeError {
    let shown = String::from_utf8_lossy(line.get(..40).unwrap_or(line)).into_owned();
    DecodeError::Unknown(format!("no AT line: {shown}"))
}

/// The bytes of a line, and what stands after its end.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|b| *b == b'\r' || *b == b'\n').unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    let rest = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\r")).or_else(|| rest.strip_prefix(b"\n"));
    (line, rest.unwrap_or_default())
}

/// `+NAME: value`, `^NAME:value`, …
pub(crate) fn named(text: &str) -> Option<(&str, &str)> {
    let name = text.strip_prefix(['+', '^', '*', '%', '$', '#', '&'])?;
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != ' ').unwrap_or(name.len());
    let (name, value) = name.split_at_checked(end)?;
    let is_name = name.len() >= 2 && name.starts_with(|c: char| c.is_ascii_uppercase());
    let value = value.strip_prefix(':')?;
    is_name.then(|| (name, value.trim()))
}

/// The length that a line with a PDU behind it declares; `None` for every other line, text mode headers included.
pub(crate) fn pdu_length(text: &str) -> Option<usize> {
    let value = Place::HEADERS.iter().find_map(|header| text.strip_prefix(header))?.trim();
    let (first, last) = (value.split(',').next()?, value.rsplit(',').next()?);
    let is_text_mode = text.starts_with("+CMG") && first.starts_with('"');
    if is_text_mode { None } else { last.trim().parse().ok() }
}

fn command(text: &str, pdu: &[u8]) -> Result<At, DecodeError> {
    let line = text.to_owned();
    if pdu.is_empty() {
        return Ok(At::Command { line, pdu: None });
    }
    let length = ["AT+CMGS=", "AT+CMGW="].iter().find_map(|name| text.strip_prefix(name));
    let declared: usize =
        length.and_then(|length| length.trim().parse().ok()).ok_or(DecodeError::Trailing(pdu.len()))?;
    Ok(At::Command { line, pdu: Some(counted(pdu, declared)?) })
}

/// The octets of a hex line, with or without the Ctrl-Z behind it.
fn data(line: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let digits = line.strip_suffix(&[CTRL_Z]).unwrap_or(line);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(not_at(line));
    }
    hex::decode(digits).map_err(|_| DecodeError::Hex { digits: digits.len() })
}

fn counted(line: &[u8], declared: usize) -> Result<Pdu, DecodeError> {
    let octets = data(line)?;
    let smsc = octets.first().map_or(0, |length| usize::from(*length).saturating_add(1));
    let expected = smsc.saturating_add(declared);
    if octets.len() != expected {
        return Err(DecodeError::Length { expected, found: octets.len() });
    }
    Pdu::parse(&octets)
}

fn with_pdu(text: &str, line: &[u8]) -> Result<At, DecodeError> {
    let declared = pdu_length(text).unwrap_or_default();
    let (name, value) = named(text).ok_or_else(|| not_at(text.as_bytes()))?;
    let mut numbers = value.split(',').map(|field| field.trim().parse::<u16>().ok());
    let mut number = |field| numbers.next().flatten().ok_or(DecodeError::Field { field, at: 0, expected: "a number" });
    let state = |value: u16| {
        let expected = "0 to 4";
        u8::try_from(value).ok().filter(|v| *v <= 4).ok_or(DecodeError::Field { field: "state", at: 0, expected })
    };
    let place = match name {
        "CMT" => Place::Direct,
        "CDS" => Place::Report,
        "CMGR" => Place::Read { state: state(number("state")?)? },
        _ => Place::Listed { index: number("index")?, state: state(number("state")?)? },
    };
    Ok(At::Message { place, pdu: counted(line, declared)? })
}

fn answer(name: &str, value: &str) -> Result<At, DecodeError> {
    let fields: Vec<&str> = value.split(',').map(str::trim).collect();
    let field = |at: usize| fields.get(at).copied().unwrap_or_default();
    let number = |at: usize| field(at).parse::<u16>().ok();
    let small = |at: usize| field(at).parse::<u8>().ok();
    let wrong = |field, expected| DecodeError::Field { field, at: 0, expected };
    let info = || At::Info { name: name.into(), value: value.into() };
    Ok(match name {
        // In words where +CMEE=2 was left behind by somebody.
        "CMS ERROR" => number(0).map_or_else(info, At::CmsError),
        "CME ERROR" => number(0).map_or_else(info, At::CmeError),
        "CMGS" => At::Sent { reference: small(0).ok_or_else(|| wrong("reference", "0 to 255"))? },
        "CMTI" | "CDSI" => At::Stored {
            memory: field(0).trim_matches('"').into(),
            index: number(1).ok_or_else(|| wrong("index", "a number"))?,
            is_report: name == "CDSI",
        },
        "CPIN" => At::Sim(value.trim_matches('"').into()),
        "CSQ" => At::Quality {
            rssi: small(0).filter(|v| *v <= 31 || *v == 99).ok_or_else(|| wrong("rssi", "0 to 31, 99"))?,
            ber: small(1).unwrap_or(99),
        },
        "CREG" => {
            let at = usize::from(fields.len() > 1 && !field(1).starts_with('"'));
            At::Registration(small(at).ok_or_else(|| wrong("registration", "a number"))?)
        }
        "CNUM" => At::Own(Some(field(1).trim_matches('"').to_owned()).filter(|number| !number.is_empty())),
        "CPMS" => match (number(0), number(1)) {
            (Some(used), Some(total)) => At::Storage { used, total },
            _ => match (number(1), number(2)) {
                (Some(used), Some(total)) => At::Storage { used, total },
                _ => info(),
            },
        },
        "CSMS" => small(0).map_or_else(info, At::Service),
        _ => info(),
    })
}
