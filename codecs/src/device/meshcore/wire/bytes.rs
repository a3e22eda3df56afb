use crate::codec::DecodeError;
use ::bytes::Bytes;

/// Reads little-endian fields from the front of a payload; every error says where in the frame it happened.
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

    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let found = self.at.saturating_add(self.rest.len());
        let wanted = self.at.saturating_add(count);
        let (head, rest) = self.rest.split_at_checked(count).ok_or(DecodeError::Length { expected: wanted, found })?;
        (self.rest, self.at) = (rest, wanted);
        Ok(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let at = self.at;
        self.take(N)?.try_into().map_err(|_| DecodeError::Length { expected: at.saturating_add(N), found: at })
    }

    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn i8(&mut self) -> Result<i8, DecodeError> {
        self.array().map(i8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, DecodeError> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn all(&mut self) -> Bytes {
        self.at = self.at.saturating_add(self.rest.len());
        Bytes::copy_from_slice(std::mem::take(&mut self.rest))
    }

    /// The rest as UTF-8.
    pub(super) fn strict_text(&mut self, field: &'static str) -> Result<String, DecodeError> {
        let at = self.at;
        let text = String::from_utf8(self.all().to_vec());
        text.map_err(|_| DecodeError::Field { field, at, expected: "UTF-8" })
    }

    /// A field of `count` bytes filled up with NULs; what is no UTF-8 is replaced: it is a name, for the eye only.
    pub(super) fn name(&mut self, count: usize) -> Result<String, DecodeError> {
        let bytes = self.take(count)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        Ok(String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned())
    }

    /// Refuses bytes that nobody read.
    pub(super) const fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Trailing(self.rest.len())) }
    }
}
