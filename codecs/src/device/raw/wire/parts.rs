use super::{at, put};
use crate::codec::{DecodeError, EncodeError};
use bytes::Bytes;
use std::time::Duration;

/// How frames are told apart on the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By silence after them.
    Idle(Duration),
    /// By what stands behind them.
    Line(Bytes),
    /// They come alone.
    Datagram,
    /// By a length in them.
    Frame(Length),
    /// They are all this long.
    Fixed(usize),
}

/// Which byte of a number stands first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Byteorder {
    Big,
    Little,
}

impl Byteorder {
    pub(super) fn read(self, bytes: &[u8]) -> u64 {
        let join = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        match self {
            Self::Big => bytes.iter().fold(0, join),
            Self::Little => bytes.iter().rev().fold(0, join),
        }
    }

    /// The number in `size` bytes; `None` when it takes more.
    pub(super) fn write(self, number: u64, size: usize) -> Option<Vec<u8>> {
        let all = number.to_be_bytes();
        let (front, back) = all.split_at_checked(all.len().checked_sub(size)?)?;
        if front.iter().any(|byte| *byte != 0) {
            return None;
        }
        let mut bytes = back.to_vec();
        if self == Self::Little {
            bytes.reverse();
        }
        Some(bytes)
    }
}

/// Where a frame says how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    pub offset: usize,
    pub size: usize,
    pub order: Byteorder,
    /// What the number leaves out.
    pub adds: i64,
}

impl Length {
    /// The length of the whole frame; `None` when the field is not there yet, or nonsense (then 0).
    pub(in super::super) fn of(&self, frame: &[u8]) -> Option<usize> {
        let number = self.order.read(at(frame, self.offset, self.size)?);
        let whole = i64::try_from(number).ok().and_then(|number| number.checked_add(self.adds));
        Some(whole.and_then(|whole| usize::try_from(whole).ok()).unwrap_or(0))
    }

    pub(super) fn write(&self, frame: &mut Vec<u8>) -> Option<()> {
        let whole = i64::try_from(frame.len()).ok()?;
        let number = u64::try_from(whole.checked_sub(self.adds)?).ok()?;
        put(frame, self.offset, &self.order.write(number, self.size)?);
        Some(())
    }
}

/// Bytes at a place by which a frame is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub offset: usize,
    pub bytes: Bytes,
}

impl Mark {
    pub(super) fn stands_in(&self, frame: &[u8]) -> bool {
        at(frame, self.offset, self.bytes.len()) == Some(&self.bytes)
    }

    pub(super) fn write(&self, frame: &mut Vec<u8>) {
        put(frame, self.offset, &self.bytes);
    }
}

/// Where a terminal's number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id {
    pub offset: usize,
    pub size: usize,
    pub form: IdForm,
}

/// How a terminal's number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdForm {
    Number(Byteorder),
    /// Filled up with NULs or blanks.
    Ascii,
    /// Two digits a byte, filled up with zeros in front.
    Bcd,
}

impl Id {
    pub(super) fn read(&self, frame: &[u8]) -> Result<String, DecodeError> {
        let expected = self.offset.saturating_add(self.size);
        let bytes = at(frame, self.offset, self.size).ok_or(DecodeError::Length { expected, found: frame.len() })?;
        let wrong = |expected| DecodeError::Field { field: "id", at: self.offset, expected };
        match self.form {
            IdForm::Number(order) => Ok(order.read(bytes).to_string()),
            IdForm::Bcd => {
                let digits = hex::encode(bytes);
                if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
                    return Err(wrong("decimal digits"));
                }
                let digits = digits.trim_start_matches('0');
                Ok(if digits.is_empty() { "0".into() } else { digits.to_owned() })
            }
            IdForm::Ascii => {
                let text = std::str::from_utf8(bytes).unwrap_or_default().trim_end_matches(['\0', ' ']);
                let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
                if is_name { Ok(text.to_owned()) } else { Err(wrong("printable ASCII")) }
            }
        }
    }

    pub(super) fn write(&self, frame: &mut Vec<u8>, number: &str) -> Result<(), EncodeError> {
        let bytes = match self.form {
            IdForm::Number(order) => number.parse().ok().and_then(|number| order.write(number, self.size)),
            IdForm::Bcd => {
                let width = self.size.saturating_mul(2);
                let is_number = number.len() <= width && number.bytes().all(|digit| digit.is_ascii_digit());
                is_number.then(|| hex::decode(format!("{number:0>width$}")).ok()).flatten()
            }
            IdForm::Ascii => {
                let is_name = number.len() <= self.size && number.bytes().all(|byte| byte.is_ascii_graphic());
                is_name.then(|| number.bytes().chain(std::iter::repeat(0)).take(self.size).collect())
            }
        };
        put(frame, self.offset, &bytes.ok_or_else(|| EncodeError::Address(number.to_owned()))?);
        Ok(())
    }
}

/// A frame's check. Places that are negative count from behind the frame's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum {
    pub sum: Sum,
    pub from: i64,
    pub to: i64,
    pub at: i64,
    pub order: Byteorder,
}

/// How a check is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    Sum8,
    /// The sum's complement plus 33 hex.
    Sum8c33,
    Xor8,
    /// Polynomial 1021, from FFFF, most significant bit first.
    Crc16Ccitt,
    /// Polynomial 8005 reflected, from FFFF.
    Crc16Modbus,
}

impl Sum {
    pub(super) const fn size(self) -> usize {
        match self {
            Self::Sum8 | Self::Sum8c33 | Self::Xor8 => 1,
            Self::Crc16Ccitt | Self::Crc16Modbus => 2,
        }
    }

    pub(super) fn of(self, bytes: &[u8]) -> u16 {
        let sum = || bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        match self {
            Self::Sum8 => sum().into(),
            Self::Sum8c33 => (!sum()).wrapping_add(0x33).into(),
            Self::Xor8 => bytes.iter().fold(0, |sum, byte| sum ^ byte).into(),
            Self::Crc16Ccitt => bytes.iter().fold(0xFFFF, |sum, byte| {
                let shift = |sum: u16, _| if sum & 0x8000 == 0 { sum << 1 } else { sum << 1 ^ 0x1021 };
                (0..8).fold(sum ^ u16::from(*byte) << 8, shift)
            }),
            Self::Crc16Modbus => bytes.iter().fold(0xFFFF, |sum, byte| {
                let shift = |sum: u16, _| if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ 0xA001 };
                (0..8).fold(sum ^ u16::from(*byte), shift)
            }),
        }
    }
}

impl Checksum {
    /// Where it stands and what it should be; `None` when the frame is too short for it.
    fn place(&self, frame: &[u8]) -> Option<(usize, u16)> {
        let resolve = |place: i64| {
            let length = i64::try_from(frame.len()).ok()?;
            usize::try_from(if place < 0 { length.checked_add(place)? } else { place }).ok()
        };
        let covered = frame.get(resolve(self.from)?..resolve(self.to)?)?;
        Some((resolve(self.at)?, self.sum.of(covered)))
    }

    pub(in super::super) fn check(&self, frame: &[u8]) -> Result<(), DecodeError> {
        let short = DecodeError::Length { expected: frame.len().saturating_add(1), found: frame.len() };
        let Some((place, expected)) = self.place(frame) else { return Err(short) };
        let Some(found) = at(frame, place, self.sum.size()) else { return Err(short) };
        let found = u16::try_from(self.order.read(found)).unwrap_or(u16::MAX);
        if found == expected {
            Ok(())
        } else {
            Err(DecodeError::Checksum { expected: expected.into(), found: found.into() })
        }
    }

    pub(super) fn write(&self, frame: &mut Vec<u8>) -> Option<()> {
        let (place, sum) = self.place(frame)?;
        let bytes = self.order.write(sum.into(), self.sum.size())?;
        (place.checked_add(bytes.len())? <= frame.len()).then(|| put(frame, place, &bytes))
    }

    /// Bytes at the frame's end that it takes, when it stands there.
    pub(super) fn at_end(&self) -> usize {
        if self.at < 0 { usize::try_from(self.at.unsigned_abs()).unwrap_or(usize::MAX) } else { 0 }
    }
}
