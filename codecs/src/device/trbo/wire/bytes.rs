use crate::codec::DecodeError;

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

    pub(super) fn u24(&mut self) -> Result<u32, DecodeError> {
        let [a, b, c] = self.array::<3>()?;
        Ok(u32::from_be_bytes([0, a, b, c]))
    }

    /// A number in groups of seven bits, highest first; bit 7 says that another group follows.
    pub(super) fn uintvar(&mut self) -> Result<u32, DecodeError> {
        let at = self.at();
        let mut value: u32 = 0;
        for _ in 0..5 {
            let byte = self.u8()?;
            value = value.checked_mul(128).ok_or_else(|| too_long(at))?.saturating_add(u32::from(byte & 0x7F));
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(too_long(at))
    }

    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// What has not been read, left where it is.
    pub(super) const fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Refuses bytes that nobody read.
    pub(super) const fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Trailing(self.rest.len())) }
    }

    const fn end(&self) -> usize {
        self.at.saturating_add(self.rest.len())
    }
}

pub(super) const fn too_long(at: usize) -> DecodeError {
    DecodeError::Field { field: "number", at, expected: "at most 32 bits" }
}

/// Writes a number in groups of seven bits, as [`Reader::uintvar`] reads it.
pub(super) fn put_uintvar(out: &mut Vec<u8>, value: u32) {
    for shift in [28, 21, 14, 7] {
        if value >> shift != 0 {
            out.push(low_byte(value >> shift) | 0x80);
        }
    }
    out.push(low_byte(value) & 0x7F);
}

/// The lowest eight bits.
pub(super) const fn low_byte(value: u32) -> u8 {
    let [.., low] = value.to_be_bytes();
    low
}
