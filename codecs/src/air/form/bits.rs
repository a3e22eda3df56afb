//! Fields of a form in bits, and the four classes of a count.

use crate::air::bits;
pub use crate::air::bits::BitsError;

/// The largest count that the four classes hold; more is written in the text.
pub const COUNT_MAX: u16 = 16_520;

/// First value, and bits after the two class bits, of each class but the first, which is 0 and has none.
const CLASSES: [(u16, u8); 3] = [(1, 3), (9, 7), (137, 14)];

/// Bits that are being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitWriter(bits::BitWriter);

impl BitWriter {
    /// How many bits were written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes the low `bits` bits of a value.
    ///
    /// # Errors
    /// [`BitsError::Value`] when the value has more bits than that.
    pub fn put(&mut self, value: u32, bits: u8) -> Result<(), BitsError> {
        self.0.push(value.into(), bits.into())
    }

    /// Writes a count, 0..=[`COUNT_MAX`], in 2, 5, 9 or 16 bits.
    ///
    /// # Errors
    /// [`BitsError::Value`] for a larger one.
    pub fn put_count(&mut self, count: u16) -> Result<(), BitsError> {
        if count > COUNT_MAX {
            return Err(BitsError::Value { value: count.into(), width: 14 });
        }
        let class = CLASSES.iter().zip(1_u32..).take_while(|((first, _), _)| count >= *first).last();
        match class {
            None => self.put(0, 2),
            Some(((first, bits), class)) => {
                self.put(class, 2)?;
                self.put(u32::from(count.saturating_sub(*first)), *bits)
            }
        }
    }

    /// The bytes, the last one filled up with zero bits.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0.finish()
    }
}

/// Bits that are being read.
#[derive(Clone, Debug)]
pub struct BitReader<'a>(bits::BitReader<'a>);

impl<'a> BitReader<'a> {
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bits::BitReader::new(bytes))
    }

    /// How many bits were read.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.0.at()
    }

    /// Reads a value of `bits` bits, 0..=32.
    ///
    /// # Errors
    /// [`BitsError::Short`] when so many are not left.
    pub fn take(&mut self, bits: u8) -> Result<u32, BitsError> {
        self.0.take_u32(bits.into())
    }

    /// Reads one bit.
    ///
    /// # Errors
    /// [`BitsError::Short`] when none is left.
    pub fn take_bit(&mut self) -> Result<bool, BitsError> {
        Ok(self.take(1)? == 1)
    }

    /// Reads a count of 2, 5, 9 or 16 bits.
    ///
    /// # Errors
    /// [`BitsError::Short`] when it is cut off.
    pub fn take_count(&mut self) -> Result<u16, BitsError> {
        let class = usize::try_from(self.take(2)?).unwrap_or(0);
        let Some((first, bits)) = class.checked_sub(1).and_then(|class| CLASSES.get(class)) else { return Ok(0) };
        let above = self.take(*bits)?;
        // The widest class ends at COUNT_MAX, so this cannot leave the type.
        Ok(first.saturating_add(u16::try_from(above).unwrap_or(0)))
    }
}

/// How many bits a count takes, 2, 5, 9 or 16.
#[must_use]
pub const fn count_bits(count: u16) -> u8 {
    match count {
        0 => 2,
        1..=8 => 5,
        9..=136 => 9,
        _ => 16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_bit_written_is_the_highest_of_the_first_byte() {
        let mut writer = BitWriter::default();
        writer.put(1, 1).unwrap();
        writer.put(0b0101, 4).unwrap();
        writer.put(0x1FF, 9).unwrap();
        assert_eq!(writer.len(), 14);
        assert_eq!(writer.into_bytes(), [0b1010_1111, 0b1111_1100]);
    }

    #[test]
    fn counts_take_two_five_nine_or_sixteen_bits() {
        for (count, bits) in [(0, 2), (1, 5), (8, 5), (9, 9), (136, 9), (137, 16), (COUNT_MAX, 16)] {
            let mut writer = BitWriter::default();
            writer.put_count(count).unwrap();
            assert_eq!(writer.len(), usize::from(bits), "{count}");
            assert_eq!(count_bits(count), bits);
            assert_eq!(BitReader::new(&writer.into_bytes()).take_count(), Ok(count));
        }
        assert_eq!(BitWriter::default().put_count(16_521), Err(BitsError::Value { value: 16_521, width: 14 }));
    }

    #[test]
    fn what_does_not_fit_and_what_is_not_there_are_errors_with_numbers() {
        assert_eq!(BitWriter::default().put(8, 3), Err(BitsError::Value { value: 8, width: 3 }));
        let mut reader = BitReader::new(&[0xFF]);
        assert_eq!(reader.take(6), Ok(0x3F));
        assert_eq!(reader.take(3), Err(BitsError::Short { at: 6, wanted: 3, left: 2 }));
        assert_eq!(reader.take_count(), Err(BitsError::Short { at: 8, wanted: 14, left: 0 }));
    }

    proptest! {
        #[test]
        fn any_row_of_values_comes_back(values in prop::collection::vec((any::<u32>(), 0_u8..=32), 0..40)) {
            let mut writer = BitWriter::default();
            let values: Vec<(u32, u8)> = values
                .into_iter()
                .map(|(value, bits)| (if bits == 0 { 0 } else { value >> (32 - bits) }, bits))
                .collect();
            for (value, bits) in &values {
                writer.put(*value, *bits).unwrap();
            }
            let bytes = writer.into_bytes();
            let mut reader = BitReader::new(&bytes);
            for (value, bits) in values {
                prop_assert_eq!(reader.take(bits), Ok(value));
            }
            prop_assert!(bytes.len() * 8 - reader.at() < 8);
        }
    }
}
