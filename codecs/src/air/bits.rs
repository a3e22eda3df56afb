//! Fields that do not end at bytes: most significant bit first, as the layouts of this module are written.

use thiserror::Error;

/// Widest field of one call, bits.
pub const WIDTH_MAX: u32 = 64;

/// Why bits could not be written or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BitsError {
    /// The value needs more bits than its field has.
    #[error("{value} does not fit into {width} bits")]
    Value { value: u64, width: u32 },
    /// A field wider than [`WIDTH_MAX`].
    #[error("a field of {width} bits, at most {WIDTH_MAX} in one")]
    Width { width: u32 },
    /// The bytes end inside a field.
    #[error("{wanted} bits wanted at bit {at}, {left} left")]
    Short { at: usize, wanted: u32, left: usize },
    /// More than the rest of a byte was left over.
    #[error("{left} bits left over at bit {at}, fewer than 8 expected")]
    Long { at: usize, left: usize },
    /// The rest of the last byte is not zero: two ways to write the same would defeat the comparison of contents.
    #[error("padding at bit {at} is {found:#x}, 0 expected")]
    Padding { at: usize, found: u64 },
}

/// Appends fields, most significant bit first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitWriter {
    bytes: Vec<u8>,
    /// Bits of the last byte that are still free, 0..8.
    free: u32,
}

impl BitWriter {
    /// Nothing written yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the low `width` bits of `value`, 0..=64.
    ///
    /// # Errors
    /// [`BitsError::Value`] when `value` needs more bits, [`BitsError::Width`] for more than 64.
    pub fn push(&mut self, value: u64, width: u32) -> Result<(), BitsError> {
        if width > WIDTH_MAX {
            return Err(BitsError::Width { width });
        }
        if value.checked_shr(width).unwrap_or(0) != 0 {
            return Err(BitsError::Value { value, width });
        }
        for place in (0..width).rev() {
            self.push_bit(value >> place & 1 == 1);
        }
        Ok(())
    }

    fn push_bit(&mut self, bit: bool) {
        if self.free == 0 {
            self.bytes.push(0);
            self.free = 8;
        }
        self.free -= 1;
        if let (true, Some(last)) = (bit, self.bytes.last_mut()) {
            *last |= 1 << self.free;
        }
    }

    /// Bits written so far.
    #[must_use]
    pub fn len(&self) -> usize {
        let free = usize::try_from(self.free).unwrap_or(0);
        self.bytes.len().saturating_mul(8).saturating_sub(free)
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes; the rest of the last one is zero.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Takes fields off, most significant bit first.
#[derive(Clone, Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    /// At the first bit.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bits taken so far.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Bits not yet taken.
    #[must_use]
    pub fn left(&self) -> usize {
        self.bytes.len().saturating_mul(8).saturating_sub(self.at)
    }

    /// The next `width` bits, 0..=64, as a number.
    ///
    /// # Errors
    /// [`BitsError::Short`] when fewer are left; nothing is taken then. [`BitsError::Width`] for more than 64.
    pub fn take(&mut self, width: u32) -> Result<u64, BitsError> {
        if width > WIDTH_MAX {
            return Err(BitsError::Width { width });
        }
        let end = self.at.saturating_add(usize::try_from(width).unwrap_or(usize::MAX));
        let bits = (self.at..end).map(|at| self.bit(at)).collect::<Option<Vec<bool>>>();
        let bits = bits.ok_or(BitsError::Short { at: self.at, wanted: width, left: self.left() })?;
        self.at = end;
        Ok(bits.into_iter().fold(0, |value, bit| value << 1 | u64::from(bit)))
    }

    /// The same for a field that is kept in 8 bits.
    ///
    /// # Errors
    /// As [`Self::take`]; [`BitsError::Value`] where the field is wider than 8 bits and its value too large.
    pub fn take_u8(&mut self, width: u32) -> Result<u8, BitsError> {
        let value = self.take(width)?;
        u8::try_from(value).map_err(|_| BitsError::Value { value, width: u8::BITS })
    }

    /// The same for a field that is kept in 16 bits.
    ///
    /// # Errors
    /// As [`Self::take`]; [`BitsError::Value`] where the field is wider than 16 bits and its value too large.
    pub fn take_u16(&mut self, width: u32) -> Result<u16, BitsError> {
        let value = self.take(width)?;
        u16::try_from(value).map_err(|_| BitsError::Value { value, width: u16::BITS })
    }

    /// The same for a field that is kept in 32 bits.
    ///
    /// # Errors
    /// As [`Self::take`]; [`BitsError::Value`] where the field is wider than 32 bits and its value too large.
    pub fn take_u32(&mut self, width: u32) -> Result<u32, BitsError> {
        let value = self.take(width)?;
        u32::try_from(value).map_err(|_| BitsError::Value { value, width: u32::BITS })
    }

    fn bit(&self, at: usize) -> Option<bool> {
        let byte = self.bytes.get(at / 8)?;
        let place = 7_u32.checked_sub(u32::try_from(at % 8).ok()?)?;
        Some(byte >> place & 1 == 1)
    }

    /// Skips the zero bits up to the next whole byte.
    ///
    /// # Errors
    /// [`BitsError::Padding`] when one of them is set.
    pub fn align(&mut self) -> Result<(), BitsError> {
        let (at, rest) = (self.at, u32::try_from(self.left() % 8).unwrap_or(0));
        match self.take(rest)? {
            0 => Ok(()),
            found => Err(BitsError::Padding { at, found }),
        }
    }

    /// The whole bytes that are left, after [`Self::align`].
    ///
    /// # Errors
    /// As [`Self::align`].
    pub fn rest(mut self) -> Result<&'a [u8], BitsError> {
        self.align()?;
        Ok(self.bytes.get(self.at / 8..).unwrap_or_default())
    }

    /// Ends the reading: nothing but padding may be left.
    ///
    /// # Errors
    /// [`BitsError::Long`] for a whole byte or more, [`BitsError::Padding`] for a bit that is set.
    pub fn finish(mut self) -> Result<(), BitsError> {
        if self.left() >= 8 {
            return Err(BitsError::Long { at: self.at, left: self.left() });
        }
        self.align()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_bit_is_the_highest_of_the_first_byte() {
        let mut writer = BitWriter::new();
        // 01 000 11 1 | 0000000011 (a header's first 18 bits), by hand: 0100_0111 0000_0000 11.. ....
        for (value, width) in [(1, 2), (0, 3), (3, 2), (1, 1), (3, 10)] {
            writer.push(value, width).unwrap();
        }
        assert_eq!(writer.len(), 18);
        assert_eq!(writer.finish(), [0b0100_0111, 0, 0b1100_0000]);
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused() {
        let mut writer = BitWriter::new();
        assert_eq!(writer.push(4, 2), Err(BitsError::Value { value: 4, width: 2 }));
        assert_eq!(writer.push(1, 0), Err(BitsError::Value { value: 1, width: 0 }));
        assert_eq!(writer.push(0, 65), Err(BitsError::Width { width: 65 }));
        assert_eq!(writer.push(u64::MAX, 64), Ok(()));
        assert_eq!(writer.finish(), [0xFF; 8]);
    }

    #[test]
    fn what_is_not_there_is_not_read() {
        let mut reader = BitReader::new(&[0xA5]);
        assert_eq!(reader.take(3), Ok(0b101));
        assert_eq!(reader.take(6), Err(BitsError::Short { at: 3, wanted: 6, left: 5 }));
        assert_eq!(reader.take(5), Ok(0b00101));
        assert_eq!(reader.take(0), Ok(0));
        assert_eq!(BitReader::new(&[0; 9]).take(65), Err(BitsError::Width { width: 65 }));
        assert_eq!(BitReader::new(&[0xFF; 8]).take_u16(17), Err(BitsError::Value { value: 0x1_FFFF, width: 16 }));
    }

    #[test]
    fn padding_must_be_zero_and_shorter_than_a_byte() {
        let mut reader = BitReader::new(&[0b1010_0001, 7]);
        reader.take(3).unwrap();
        assert_eq!(reader.clone().finish(), Err(BitsError::Long { at: 3, left: 13 }));
        assert_eq!(reader.rest(), Err(BitsError::Padding { at: 3, found: 1 }));
        let mut clean = BitReader::new(&[0b1010_0000, 7]);
        clean.take(3).unwrap();
        assert_eq!(clean.clone().rest(), Ok([7].as_slice()));
        clean.take(13).unwrap();
        assert_eq!(clean.finish(), Ok(()));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(fields in prop::collection::vec((any::<u64>(), 0_u32..=64), 0..40)) {
            let mut writer = BitWriter::new();
            let mask = |value: u64, width: u32| if width == 0 { 0 } else { value >> (64 - width) };
            for (value, width) in &fields {
                writer.push(mask(*value, *width), *width).unwrap();
            }
            let bytes = writer.finish();
            let mut reader = BitReader::new(&bytes);
            for (value, width) in &fields {
                prop_assert_eq!(reader.take(*width), Ok(mask(*value, *width)));
            }
            prop_assert_eq!(reader.finish(), Ok(()));
        }
    }
}
