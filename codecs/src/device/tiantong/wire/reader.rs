use crate::codec::DecodeError;

/// Reads octets from the front of a PDU; every error says where it happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let expected = self.at.saturating_add(count);
        let found = self.at.saturating_add(self.rest.len());
        let (head, rest) = self.rest.split_at_checked(count).ok_or(DecodeError::Length { expected, found })?;
        (self.rest, self.at) = (rest, expected);
        Ok(head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        let found = self.at;
        self.take(1)?.first().copied().ok_or(DecodeError::Length { expected: found.saturating_add(1), found })
    }

    pub(super) fn seven(&mut self) -> Result<[u8; 7], DecodeError> {
        let found = self.at;
        let expected = found.saturating_add(7);
        self.take(7)?.try_into().map_err(|_| DecodeError::Length { expected, found })
    }

    /// Refuses octets that nobody read.
    pub(super) const fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Trailing(self.rest.len())) }
    }
}
