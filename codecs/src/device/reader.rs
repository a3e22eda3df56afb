//! Reading fixed binary fields, for the wire files of every family: nothing is indexed, every error says where.

use crate::codec::DecodeError;

/// Reads fixed fields from the front of a payload; every error says where in the frame it happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// `at` is where `bytes` begin in the frame.
    pub(crate) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { rest: bytes, at }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let Some((head, rest)) = self.rest.split_at_checked(count) else {
            return Err(DecodeError::Length { expected: self.at.saturating_add(count), found: self.end() });
        };
        self.rest = rest;
        self.at = self.at.saturating_add(count);
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (at, end) = (self.at, self.end());
        self.take(N)?.try_into().map_err(|_| DecodeError::Length { expected: at.saturating_add(N), found: end })
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array::<2>().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array::<4>().map(u32::from_be_bytes)
    }

    pub(crate) const fn left(&self) -> usize {
        self.rest.len()
    }

    pub(crate) const fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Refuses bytes that nobody read.
    pub(crate) const fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Length { expected: self.at, found: self.end() }) }
    }

    const fn end(&self) -> usize {
        self.at.saturating_add(self.rest.len())
    }
}
