//! Addresses of seven bytes each, control, PID and information. KISS carries no check sequence.

use crate::codec::DecodeError;
use bytes::Bytes;
use std::fmt;
use std::str::FromStr;

/// Unnumbered information, the only frame that APRS uses.
pub const UI: u8 = 0x03;
/// No layer 3.
pub const NO_LAYER_3: u8 = 0xF0;
/// Information bytes of one frame that is sent.
pub const INFO_MAX: usize = 256;
/// More is taken: some programs send it.
const INFO_TAKEN_MAX: usize = 512;
const ADDRESS: usize = 7;
const VIA_MAX: usize = 8;
const POLL: u8 = 0x10;

/// A callsign with its SSID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    name: String,
    ssid: u8,
}

impl Call {
    /// One to six of A-Z and 0-9, SSID up to 15.
    #[must_use]
    pub fn new(name: &str, ssid: u8) -> Option<Self> {
        let lawful = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        ((1..=6).contains(&name.len()) && name.bytes().all(lawful) && ssid <= 15)
            .then(|| Self { name: name.to_owned(), ssid })
    }

    /// Without the SSID.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn parse(bytes: &[u8], at: usize) -> Result<(Self, bool, bool), DecodeError> {
        let wrong = DecodeError::Field { field: "address", at, expected: "A-Z 0-9, shifted left by one" };
        let Some((last, shifted)) = bytes.split_last() else { return Err(wrong) };
        if shifted.iter().any(|byte| byte & 1 != 0) {
            return Err(wrong);
        }
        let name: String = shifted.iter().map(|byte| char::from(byte >> 1)).collect();
        let call = Self::new(name.trim_end_matches(' '), last >> 1 & 0x0F).ok_or(wrong)?;
        Ok((call, last & 0x80 != 0, last & 1 != 0))
    }

    fn emit(&self, high: bool, last: bool, out: &mut Vec<u8>) {
        out.extend(self.name.bytes().chain(std::iter::repeat(b' ')).take(ADDRESS - 1).map(|byte| byte << 1));
        out.push(if high { 0xE0 } else { 0x60 } | self.ssid << 1 | u8::from(last));
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.ssid == 0 { Ok(()) } else { write!(f, "-{}", self.ssid) }
    }
}

/// Why text is no callsign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a callsign is one to six of A-Z and 0-9, and perhaps -1 to -15")]
pub struct ParseCallError;

impl FromStr for Call {
    type Err = ParseCallError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, ssid) = match text.split_once('-') {
            None => (text, 0),
            Some((_, ssid)) if ssid.is_empty() || ssid.len() > 2 || !ssid.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(ParseCallError);
            }
            Some((name, ssid)) => (name, ssid.parse().map_err(|_| ParseCallError)?),
        };
        Self::new(name, ssid).ok_or(ParseCallError)
    }
}

/// A digipeater on the way, and whether it has done its part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    pub call: Call,
    pub repeated: bool,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.call, if self.repeated { "*" } else { "" })
    }
}

/// One frame on the air.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ax25 {
    pub to: Call,
    pub from: Call,
    /// The command bit of the destination.
    pub command: bool,
    pub via: Vec<Via>,
    pub control: u8,
    /// Where the frame has one: UI and numbered information.
    pub pid: Option<u8>,
    pub info: Bytes,
}

impl Ax25 {
    /// An unnumbered frame with information.
    #[must_use]
    pub fn ui(from: Call, to: Call, via: &[Call], info: Bytes) -> Self {
        let via = via.iter().map(|call| Via { call: call.clone(), repeated: false }).collect();
        Self { to, from, command: true, via, control: UI, pid: Some(NO_LAYER_3), info }
    }

    /// Reads a whole frame.
    ///
    /// # Errors
    /// For addresses that are none, more than eight digipeaters, or a frame that ends too soon.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (mut rest, mut at) = (bytes, 0_usize);
        let mut calls = Vec::new();
        loop {
            let expected = at.saturating_add(ADDRESS);
            let Some((head, tail)) = rest.split_at_checked(ADDRESS) else {
                return Err(DecodeError::Length { expected, found: bytes.len() });
            };
            let (call, high, last) = Call::parse(head, at)?;
            calls.push(Via { call, repeated: high });
            (rest, at) = (tail, expected);
            if last {
                break;
            }
            if calls.len() >= VIA_MAX.saturating_add(2) {
                return Err(DecodeError::Field { field: "via", at, expected: "at most 8 digipeaters" });
            }
        }
        let mut calls = calls.into_iter();
        let (Some(to), Some(from)) = (calls.next(), calls.next()) else {
            return Err(DecodeError::Field { field: "src", at, expected: "two addresses at least" });
        };
        let Some((control, rest)) = rest.split_first() else {
            return Err(DecodeError::Length { expected: at.saturating_add(1), found: bytes.len() });
        };
        let (pid, info) = match rest.split_first() {
            _ if !has_pid(*control) => (None, rest),
            Some((pid, info)) => (Some(*pid), info),
            None => return Err(DecodeError::Length { expected: at.saturating_add(2), found: bytes.len() }),
        };
        if info.len() > INFO_TAKEN_MAX {
            return Err(DecodeError::Length { expected: INFO_TAKEN_MAX, found: info.len() });
        }
        let info = Bytes::copy_from_slice(info);
        Ok(Self {
            to: to.call,
            from: from.call,
            command: to.repeated,
            via: calls.collect(),
            control: *control,
            pid,
            info,
        })
    }

    /// As it goes into a KISS frame.
    #[must_use]
    pub fn emit(&self) -> Bytes {
        let mut out = Vec::new();
        self.to.emit(self.command, false, &mut out);
        self.from.emit(!self.command, self.via.is_empty(), &mut out);
        for (at, via) in self.via.iter().enumerate() {
            via.call.emit(via.repeated, at.saturating_add(1) == self.via.len(), &mut out);
        }
        out.push(self.control);
        out.extend(self.pid);
        out.extend_from_slice(&self.info);
        out.into()
    }

    /// Whether some digipeater has repeated it.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.via.iter().any(|via| via.repeated)
    }

    /// Whether it is what APRS uses.
    #[must_use]
    pub const fn is_ui(&self) -> bool {
        self.control & !POLL == UI
    }

    /// The poll or final bit.
    #[must_use]
    pub const fn poll(&self) -> bool {
        self.control & POLL != 0
    }

    /// The frame's name by its control byte.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.control & !POLL {
            UI => "UI",
            0x2F => "SABM",
            0x6F => "SABME",
            0x43 => "DISC",
            0x0F => "DM",
            0x63 => "UA",
            0x87 => "FRMR",
            0xAF => "XID",
            0xE3 => "TEST",
            information if information & 1 == 0 => "I",
            supervisory if supervisory & 0x0F == 0x01 => "RR",
            supervisory if supervisory & 0x0F == 0x05 => "RNR",
            supervisory if supervisory & 0x0F == 0x09 => "REJ",
            supervisory if supervisory & 0x0F == 0x0D => "SREJ",
            _ => "?",
        }
    }
}

const fn has_pid(control: u8) -> bool {
    control & 1 == 0 || control & !POLL == UI
}
