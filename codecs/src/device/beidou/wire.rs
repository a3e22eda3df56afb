//! Beidou serial sentences, both directions, one file a dialect.
//!
//! - [`rdss40`]: 4.0 binary frames (`$TXSQ` …), length-driven, XOR with the `$`.
//! - [`text`]: the envelope `$ttiii,…*HH` that 2.1, 3.0 and NMEA share, and [`text::Sentence`], one variant a sentence.
//! - [`rdss21`], [`rsmc3`], [`nmea`]: the fields of each text dialect.
//! - [`monitor`]: what a command unit overhears, binary behind a text header.
//! - [`content`]: hanzi, code, mixed and the embedded position.
//!
//! Parsing never panics on any bytes. Self-destruct, zeroise, management write, password and radio silence are
//! recognised by name and have no emitter.

pub mod content;
pub mod monitor;
pub mod nmea;
pub mod rdss21;
pub mod rdss40;
pub mod rsmc3;
#[cfg(test)]
mod tests;
pub mod text;

use crate::codec::DecodeError;

/// A reader of fixed-width binary that refuses to read past its end.
#[derive(Clone, Copy, Debug)]
struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    const fn new(rest: &'a [u8], at: usize) -> Self {
        Self { rest, at }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let short = DecodeError::Length { expected: self.at.saturating_add(count), found: self.at + self.rest.len() };
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(short)?;
        self.rest = rest;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let at = self.at;
        self.take(N)?.try_into().map_err(|_| DecodeError::Length { expected: N, found: at })
    }

    fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    fn u24(&mut self) -> Result<u32, DecodeError> {
        self.array::<3>().map(|[high, middle, low]| u32::from_be_bytes([0, high, middle, low]))
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    fn rest(&mut self) -> &'a [u8] {
        let rest = std::mem::take(&mut self.rest);
        self.at += rest.len();
        rest
    }

    const fn end(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Trailing(self.rest.len())) }
    }
}
