//! Reading and writing the comma-separated fields of a sentence.

use crate::codec::{DecodeError, EncodeError};
use crate::device::beidou::wire::content::Form;
use bytes::{BufMut, Bytes, BytesMut};
use std::fmt::{Display, Write as _};

/// Bytes before the first field: `$`, five letters, a comma.
const HEADER: usize = 7;

/// The fields of one sentence, read in order; empty ones are kept.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: Option<&'a [u8]>,
    at: usize,
}

/// One field and where it stood.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    pub name: &'static str,
    pub at: usize,
    pub bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    pub const fn new(body: &'a [u8]) -> Self {
        Self { rest: Some(body), at: HEADER }
    }

    /// How many fields are left.
    pub fn left(&self) -> usize {
        self.rest.map_or(0, |rest| rest.split(|c| *c == b',').count())
    }

    /// Refuses another number of fields.
    pub fn exactly(&self, expected: usize) -> Result<(), DecodeError> {
        self.between(expected, expected)
    }

    /// Refuses a number of fields outside `min..=max`.
    pub fn between(&self, min: usize, max: usize) -> Result<(), DecodeError> {
        match self.left() {
            found if found < min => Err(DecodeError::FieldCount { expected: min, found }),
            found if found > max => Err(DecodeError::FieldCount { expected: max, found }),
            _ => Ok(()),
        }
    }

    /// The next field.
    pub fn next(&mut self, name: &'static str) -> Result<Field<'a>, DecodeError> {
        let rest = self.rest.ok_or(DecodeError::Field { field: name, at: self.at, expected: "present" })?;
        let mut halves = rest.splitn(2, |c| *c == b',');
        let bytes = halves.next().unwrap_or_default();
        self.rest = halves.next();
        let field = Field { name, at: self.at, bytes };
        self.at += bytes.len() + 1;
        Ok(field)
    }

    /// Everything that is left, commas and all: content.
    pub fn verbatim(&mut self, name: &'static str) -> Result<Field<'a>, DecodeError> {
        let bytes = self.rest.take().ok_or(DecodeError::Field { field: name, at: self.at, expected: "present" })?;
        Ok(Field { name, at: self.at, bytes })
    }

    /// Every field that is left, as whole numbers.
    pub fn remaining<T: TryFrom<u32>>(&mut self, name: &'static str) -> Result<Vec<T>, DecodeError> {
        let mut values = Vec::new();
        while self.rest.is_some() {
            values.push(self.next(name)?.whole()?);
        }
        Ok(values)
    }

    pub fn whole<T: TryFrom<u32>>(&mut self, name: &'static str) -> Result<T, DecodeError> {
        self.next(name)?.whole()
    }

    pub fn letter(&mut self, name: &'static str, letters: [u8; 2], says: &'static str) -> Result<bool, DecodeError> {
        let field = self.next(name)?;
        let [yes, no] = letters;
        match field.bytes {
            [letter] if *letter == yes => Ok(true),
            [letter] if *letter == no => Ok(false),
            _ => Err(field.wrong(says)),
        }
    }

    pub fn yes(&mut self, name: &'static str) -> Result<bool, DecodeError> {
        self.letter(name, *b"YN", "Y or N")
    }

    /// A latitude or longitude with its hemisphere; both empty = no fix.
    pub fn angle(
        &mut self,
        name: &'static str,
        degrees: usize,
        hemispheres: [u8; 2],
    ) -> Result<Option<i32>, DecodeError> {
        let value = self.next(name)?;
        let hemisphere = self.next("hemisphere")?;
        if value.bytes.is_empty() {
            return Ok(None);
        }
        let [positive, negative] = hemispheres;
        let sign = match hemisphere.bytes {
            [letter] if *letter == positive => 1,
            [letter] if *letter == negative => -1,
            _ => return Err(hemisphere.wrong("a hemisphere letter")),
        };
        let magnitude = value.minutes(degrees)?;
        Ok(Some(sign * magnitude))
    }
}

impl<'a> Field<'a> {
    pub const fn wrong(&self, expected: &'static str) -> DecodeError {
        DecodeError::Field { field: self.name, at: self.at, expected }
    }

    fn number(&self, digits: &[u8]) -> Result<u32, DecodeError> {
        let wrong = self.wrong("a whole number");
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(wrong);
        }
        digits.iter().try_fold(0_u32, |sum, c| sum.checked_mul(10)?.checked_add(u32::from(c - b'0'))).ok_or(wrong)
    }

    /// A whole number. A fraction of zeros (`9999.0`) is accepted, as modules write it.
    pub fn whole<T: TryFrom<u32>>(&self) -> Result<T, DecodeError> {
        let digits = match self.bytes.iter().position(|c| *c == b'.') {
            Some(point) => {
                let (whole, fraction) = self.bytes.split_at(point);
                if fraction.len() < 2 || fraction.iter().skip(1).any(|c| *c != b'0') {
                    return Err(self.wrong("a whole number"));
                }
                whole
            }
            None => self.bytes,
        };
        T::try_from(self.number(digits)?).map_err(|_| self.wrong("a number in range"))
    }

    /// A whole number, or nothing.
    pub fn whole_or_empty<T: TryFrom<u32>>(&self) -> Result<Option<T>, DecodeError> {
        if self.bytes.is_empty() { Ok(None) } else { self.whole().map(Some) }
    }

    /// A decimal in thousandths, or nothing.
    pub fn thousandths(&self) -> Result<Option<i64>, DecodeError> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let (sign, digits) = match self.bytes {
            [b'-', digits @ ..] => (-1, digits),
            [b'+', digits @ ..] => (1, digits),
            digits => (1, digits),
        };
        let wrong = self.wrong("a decimal number");
        let mut halves = digits.splitn(2, |c| *c == b'.');
        let whole = halves.next().unwrap_or_default();
        let fraction = halves.next().unwrap_or(b"0");
        if (whole.is_empty() && fraction.is_empty()) || !fraction.iter().all(u8::is_ascii_digit) {
            return Err(wrong);
        }
        let whole = if whole.is_empty() { 0 } else { i64::from(self.number(whole)?) };
        let tail = fraction.iter().chain(b"000").take(3).fold(0_i64, |sum, c| sum * 10 + i64::from(c - b'0'));
        Ok(Some(sign * (whole * 1_000 + tail)))
    }

    /// `d…dmm.mmm…` in 1e-7 degrees, rounded half up.
    pub fn minutes(&self, degrees: usize) -> Result<i32, DecodeError> {
        let wrong = self.wrong("degrees and minutes");
        let mut halves = self.bytes.splitn(2, |c| *c == b'.');
        let whole = halves.next().unwrap_or_default();
        let fraction = halves.next().unwrap_or_default();
        if whole.len() != degrees + 2 || !fraction.iter().all(u8::is_ascii_digit) {
            return Err(wrong);
        }
        let (deg, min) = whole.split_at_checked(degrees).ok_or(wrong.clone())?;
        let (deg, min) = (i64::from(self.number(deg)?), i64::from(self.number(min)?));
        let tail = fraction.iter().chain(b"000000000").take(9).fold(0_i64, |sum, c| sum * 10 + i64::from(c - b'0'));
        let limit = if degrees == 2 { 90 } else { 180 };
        let nano_minutes = min * 1_000_000_000 + tail;
        let e7 = deg * 10_000_000 + (nano_minutes + 3_000) / 6_000;
        if min >= 60 || e7 > limit * 10_000_000 {
            return Err(wrong);
        }
        i32::try_from(e7).map_err(|_| wrong)
    }

    /// Three letters or digits.
    pub fn id(&self) -> Result<[u8; 3], DecodeError> {
        <[u8; 3]>::try_from(self.bytes)
            .ok()
            .filter(|id| id.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()))
            .ok_or(self.wrong("three letters"))
    }

    /// `hhmmss` or `hhmmss.ss`.
    pub fn clock(&self) -> Result<Clock, DecodeError> {
        let wrong = self.wrong("a time hhmmss");
        let mut halves = self.bytes.splitn(2, |c| *c == b'.');
        let digits = halves.next().unwrap_or_default();
        let fraction = halves.next().unwrap_or_default();
        if digits.len() != 6 || !fraction.iter().all(u8::is_ascii_digit) {
            return Err(wrong);
        }
        let number = self.number(digits)?;
        let part = |value: u32| u8::try_from(value % 100).unwrap_or(u8::MAX);
        let tail = fraction.iter().chain(b"000").take(3).fold(0_u16, |sum, c| sum * 10 + u16::from(c - b'0'));
        let clock = Clock { hour: part(number / 10_000), minute: part(number / 100), second: part(number), ms: tail };
        if clock.hour < 24 && clock.minute < 60 && clock.second < 60 { Ok(clock) } else { Err(wrong) }
    }

    /// A time, or nothing.
    pub fn clock_or_empty(&self) -> Result<Option<Clock>, DecodeError> {
        if self.bytes.is_empty() { Ok(None) } else { self.clock().map(Some) }
    }

    /// `hhmm`.
    pub fn hour_minute(&self) -> Result<[u8; 2], DecodeError> {
        let number = self.number(self.bytes)?;
        let part = |value: u32| u8::try_from(value).unwrap_or(u8::MAX);
        let (hour, minute) = (number / 100, number % 100);
        if self.bytes.len() == 4 && hour < 24 && minute < 60 {
            Ok([part(hour), part(minute)])
        } else {
            Err(self.wrong("a time hhmm"))
        }
    }

    /// The form of content: 0 hanzi, 1 code, 2 mixed.
    pub fn form(&self) -> Result<Form, DecodeError> {
        match self.bytes {
            b"0" => Ok(Form::Hanzi),
            b"1" => Ok(Form::Code),
            b"2" => Ok(Form::Mixed),
            _ => Err(self.wrong("0, 1 or 2")),
        }
    }

    pub fn copy(&self) -> Bytes {
        Bytes::copy_from_slice(self.bytes)
    }
}

/// A time of day as sentences give it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub ms: u16,
}

/// `hhmmss.ss`
impl Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}{:02}{:02}.{:02}", self.hour, self.minute, self.second, self.ms / 10)
    }
}

/// A sentence being written.
#[derive(Clone, Debug)]
pub struct Line {
    out: BytesMut,
    /// A field would break the sentence open: it is not sealed then.
    broken: bool,
}

impl Line {
    pub fn new(header: &'static str) -> Self {
        let mut out = BytesMut::with_capacity(96);
        out.put_u8(b'$');
        out.put_slice(header.as_bytes());
        Self { out, broken: header.len() != 5 }
    }

    pub fn from_header(header: [u8; 5]) -> Self {
        let mut out = BytesMut::with_capacity(96);
        out.put_u8(b'$');
        out.put_slice(&header);
        Self { out, broken: !header.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()) }
    }

    pub fn field(mut self, value: impl Display) -> Self {
        self.out.put_u8(b',');
        self.broken |= write!(self.out, "{value}").is_err();
        self
    }

    pub fn option(self, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.field(value),
            None => self.bytes(b""),
        }
    }

    /// A card number, seven digits.
    pub fn id(self, number: u32) -> Self {
        self.field(format_args!("{number:07}"))
    }

    pub fn hour_minute(self, [hour, minute]: [u8; 2]) -> Self {
        self.field(format_args!("{hour:02}{minute:02}"))
    }

    pub fn flag(self, yes: bool, [when_yes, when_no]: [char; 2]) -> Self {
        self.field(if yes { when_yes } else { when_no })
    }

    /// Thousandths as a decimal without idle zeros.
    pub fn thousandths(self, value: Option<i64>) -> Self {
        let Some(value) = value else { return self.bytes(b"") };
        let sign = if value < 0 { "-" } else { "" };
        let (whole, tail) = (value.unsigned_abs() / 1_000, value.unsigned_abs() % 1_000);
        if tail == 0 {
            self.field(format_args!("{sign}{whole}"))
        } else {
            let tail = format!("{tail:03}");
            self.field(format_args!("{sign}{whole}.{}", tail.trim_end_matches('0')))
        }
    }

    /// An angle as degrees and minutes with six decimals: fine enough for every 1e-7 degree.
    pub fn angle(self, e7: Option<i32>, degrees: usize, [positive, negative]: [char; 2]) -> Self {
        let Some(e7) = e7 else { return self.bytes(b"").bytes(b"") };
        let magnitude = e7.unsigned_abs();
        let (deg, micro_minutes) = (magnitude / 10_000_000, u64::from(magnitude % 10_000_000) * 6);
        let (min, tail) = (micro_minutes / 1_000_000, micro_minutes % 1_000_000);
        self.field(format_args!("{deg:0degrees$}{min:02}.{tail:06}")).field(if e7 < 0 { negative } else { positive })
    }

    /// A field that holds no comma.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.broken |= bytes.contains(&b',');
        self.content(bytes)
    }

    /// Content: readers take it verbatim, so commas may stand in it.
    pub fn content(mut self, bytes: &[u8]) -> Self {
        self.out.put_u8(b',');
        self.out.put_slice(bytes);
        self.broken |= bytes.iter().any(|c| (*c < 0x20 && *c != b'\t') || *c == 0x7F);
        self
    }

    /// Adds checksum and line end.
    pub fn seal(mut self) -> Result<Bytes, EncodeError> {
        let length = self.out.len() + 5;
        if length > super::LENGTH_MAX {
            let bits = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).saturating_mul(8);
            return Err(EncodeError::TooLong { needed: bits(length), capacity: bits(super::LENGTH_MAX) });
        }
        if self.broken {
            return Err(EncodeError::Unsupported);
        }
        let sum = self.out.iter().skip(1).fold(0, |sum, byte| sum ^ byte);
        if write!(self.out, "*{sum:02X}\r\n").is_err() {
            return Err(EncodeError::Unsupported);
        }
        Ok(self.out.freeze())
    }
}
