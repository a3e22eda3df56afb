use super::super::alphabet::{is_gsm7, pack, septets_of, text_of_septets, unpack};
use super::super::reader::Reader;
use crate::codec::{DecodeError, EncodeError};
use std::fmt;

/// Type of number, bits 6..4 of the type octet (§9.1.2.5).
const TON: u8 = 0x70;
const TON_INTERNATIONAL: u8 = 0x10;
const TON_ALPHANUMERIC: u8 = 0x50;
/// Semi-octets of an address, at most.
const DIGITS_MAX: usize = 20;
const DIGITS: &[u8; 15] = b"0123456789*#abc";
const FILL: u8 = 0x0F;

/// Who sent or gets a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The type octet: 91 international, 81 unknown, A1 national, D0 letters, …
    pub kind: u8,
    /// Digits without `+`, or the letters; empty where the number is withheld.
    pub value: String,
}

impl Address {
    /// A number in international digits.
    #[must_use]
    pub fn international(digits: &str) -> Self {
        Self { kind: 0x91, value: digits.into() }
    }

    /// A number as it is dialled.
    #[must_use]
    pub fn dialled(digits: &str) -> Self {
        Self { kind: 0x81, value: digits.into() }
    }

    #[must_use]
    pub const fn is_international(&self) -> bool {
        self.kind & TON == TON_INTERNATIONAL
    }

    /// Letters in place of a number.
    #[must_use]
    pub const fn is_letters(&self) -> bool {
        self.kind & TON == TON_ALPHANUMERIC
    }

    /// The name of the type in `explain`.
    #[must_use]
    pub const fn kind_name(&self) -> &'static str {
        match self.kind & TON {
            0x10 => "international",
            0x20 => "national",
            0x30 => "network",
            0x40 => "subscriber",
            0x50 => "alphanumeric",
            0x60 => "abbreviated",
            0x70 => "reserved",
            _ => "unknown",
        }
    }

    /// TP-OA, TP-DA, TP-RA: length in semi-octets, type, value.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.at();
        let count = usize::from(reader.u8()?);
        if count > DIGITS_MAX {
            return Err(DecodeError::Field { field: "address length", at, expected: "at most 20 semi-octets" });
        }
        let kind = reader.u8()?;
        if kind & 0x80 == 0 {
            let at = at.saturating_add(1);
            return Err(DecodeError::Field { field: "address type", at, expected: "an octet with bit 7 set" });
        }
        let at = reader.at();
        let octets = reader.take(count.div_ceil(2))?;
        if kind & TON == TON_ALPHANUMERIC {
            let septets = unpack(octets, 0, count.saturating_mul(4).checked_div(7).unwrap_or(0));
            return Ok(Self { kind, value: text_of_septets(&septets).0 });
        }
        Ok(Self { kind, value: digits(octets, count, at)? })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let too_long = || EncodeError::Address(self.value.clone());
        if self.is_letters() {
            if !is_gsm7(&self.value) {
                return Err(too_long());
            }
            let septets: Vec<u8> = self.value.chars().filter_map(septets_of).flatten().collect();
            let count = septets.len().saturating_mul(7).div_ceil(4);
            out.push(u8::try_from(count).ok().filter(|n| usize::from(*n) <= DIGITS_MAX).ok_or_else(too_long)?);
            out.push(self.kind);
            out.extend(pack(&septets, 0));
            return Ok(());
        }
        let count = self.value.len();
        out.push(u8::try_from(count).ok().filter(|n| usize::from(*n) <= DIGITS_MAX).ok_or_else(too_long)?);
        out.push(self.kind);
        out.extend(semi_octets(&self.value).ok_or_else(too_long)?);
        Ok(())
    }

    /// The SMSC field: its length counts octets, the type included; none = length 0.
    pub(super) fn read_smsc(reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        let at = reader.at();
        let length = usize::from(reader.u8()?);
        let Some(octets) = length.checked_sub(1) else { return Ok(None) };
        if octets > DIGITS_MAX / 2 {
            return Err(DecodeError::Field { field: "smsc length", at, expected: "at most 11 octets" });
        }
        let kind = reader.u8()?;
        let at = reader.at();
        let octets = reader.take(octets)?;
        let filled = octets.last().is_some_and(|last| last >> 4 == FILL);
        let count = octets.len().saturating_mul(2).saturating_sub(usize::from(filled));
        Ok(Some(Self { kind, value: digits(octets, count, at)? }))
    }

    pub(super) fn write_smsc(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let wrong = || EncodeError::Address(self.value.clone());
        let octets = semi_octets(&self.value).filter(|o| o.len() <= DIGITS_MAX / 2).ok_or_else(wrong)?;
        out.push(u8::try_from(octets.len().saturating_add(1)).map_err(|_| wrong())?);
        out.push(self.kind);
        out.extend(octets);
        Ok(())
    }
}

/// As a person dials it, with `+` where it is international.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plus = if self.is_international() { "+" } else { "" };
        write!(f, "{plus}{}", self.value)
    }
}

/// Semi-octets, low half first; the half over is filled with F.
fn digits(octets: &[u8], count: usize, at: usize) -> Result<String, DecodeError> {
    let halves = octets.iter().flat_map(|octet| [octet & 0x0F, octet >> 4]);
    let mut value = String::new();
    for (n, half) in halves.enumerate() {
        let at = at.saturating_add(n / 2);
        match DIGITS.get(usize::from(half)) {
            Some(digit) if n < count => value.push(char::from(*digit)),
            None if n >= count => {}
            Some(_) => return Err(DecodeError::Field { field: "address filling", at, expected: "F" }),
            None => return Err(DecodeError::Field { field: "address digit", at, expected: "0-9 * # a b c" }),
        }
    }
    Ok(value)
}

fn semi_octets(value: &str) -> Option<Vec<u8>> {
    let half = |byte: u8| DIGITS.iter().position(|known| *known == byte).and_then(|at| u8::try_from(at).ok());
    let halves: Vec<u8> = value.bytes().map(half).collect::<Option<_>>()?;
    let octet = |pair: &[u8]| match pair {
        [low, high] => high << 4 | low,
        [low] => FILL << 4 | low,
        _ => u8::MAX,
    };
    Some(halves.chunks(2).map(octet).collect())
}
