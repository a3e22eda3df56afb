use crate::codec::DecodeError;
use std::fmt;

/// Reads fixed fields from the front of a payload; every error says where in the frame it happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// `at` is where `bytes` begin in the frame.
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { rest: bytes, at }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let Some((head, rest)) = self.rest.split_at_checked(count) else {
            return Err(DecodeError::Length { expected: self.at.saturating_add(count), found: self.end() });
        };
        self.rest = rest;
        self.at = self.at.saturating_add(count);
        Ok(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (at, end) = (self.at, self.end());
        self.take(N)?.try_into().map_err(|_| DecodeError::Length { expected: at.saturating_add(N), found: end })
    }

    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array::<2>().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array::<4>().map(u32::from_be_bytes)
    }

    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) const fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Refuses bytes that nobody read.
    pub(super) const fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Length { expected: self.at, found: self.end() }) }
    }

    const fn end(&self) -> usize {
        self.at.saturating_add(self.rest.len())
    }
}

/// A fixed field of printable text, filled up with NUL where it is shorter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ascii<const N: usize>([u8; N]);

impl<const N: usize> Ascii<N> {
    /// Nothing but NUL: a field that says nothing.
    pub const EMPTY: Self = Self([0; N]);

    /// From text of at most `N` printable ASCII characters; `None` otherwise.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let mut field = [0; N];
        if text.len() > N || !text.bytes().all(|b| (0x20..0x7F).contains(&b)) {
            return None;
        }
        field.iter_mut().zip(text.bytes()).for_each(|(slot, byte)| *slot = byte);
        Some(Self(field))
    }

    pub(super) fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        let at = reader.at();
        let bytes = reader.array::<N>()?;
        if bytes.iter().all(|b| *b == 0 || (0x20..0x7F).contains(b)) {
            Ok(Self(bytes))
        } else {
            Err(DecodeError::Field { field, at, expected: "printable ASCII or NUL" })
        }
    }

    /// The text without its filling.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default().trim_matches('\0')
    }

    /// The field as it stands on the wire.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> fmt::Debug for Ascii<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text())
    }
}
