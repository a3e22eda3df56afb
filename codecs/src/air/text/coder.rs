//! The arithmetic coder: binary decisions of known probability to bytes and back, ending on the shortest byte.
//!
//! The interval is 64 bits wide and whole bytes leave as soon as both ends agree on them; no carry ever runs back.
//! Past its end a stream reads as zero bytes, and trailing zero bytes are never written.

/// Writes decisions.
#[derive(Clone, Debug)]
pub struct Encoder {
    low: u64,
    high: u64,
    bytes: Vec<u8>,
}

/// The point that parts the interval: `p` 65,536ths of it belong to `true`.
fn part(low: u64, high: u64, p: i32) -> u64 {
    let p = u64::try_from(p.clamp(1, super::fixed::ONE - 1)).unwrap_or(1);
    let width = high - low;
    low + (width >> 16) * p + (((width & 0xFFFF) * p) >> 16)
}

impl Default for Encoder {
    fn default() -> Self {
        Self { low: 0, high: u64::MAX, bytes: Vec::new() }
    }
}

impl Encoder {
    /// Writes one decision, which was `true` with a probability of `p` 65,536ths.
    pub fn write(&mut self, bit: bool, p: i32) {
        let middle = part(self.low, self.high, p);
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 56 == 0 {
            self.bytes.push(self.high.to_be_bytes()[0]);
            self.low <<= 8;
            self.high = (self.high << 8) | 0xFF;
        }
    }

    /// The fewest bytes that read back as what was written.
    pub fn finish(mut self) -> Vec<u8> {
        for kept in 0_u32..=8 {
            // The least number within the interval whose bytes after the first `kept` are zero.
            let mask = u64::MAX.checked_shr(kept * 8).unwrap_or(0);
            let Some(value) = self.low.checked_add(mask).map(|value| value & !mask) else { continue };
            if value <= self.high {
                self.bytes.extend(value.to_be_bytes().iter().take(kept as usize));
                break;
            }
        }
        while self.bytes.last() == Some(&0) {
            self.bytes.pop();
        }
        self.bytes
    }
}

/// Reads decisions, and writes them again: what was read has one way to be written.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    again: Encoder,
    low: u64,
    high: u64,
    value: u64,
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        let again = Encoder::default();
        let mut decoder = Self { bytes, again, low: 0, high: u64::MAX, value: 0, rest: bytes };
        for _ in 0..8 {
            decoder.value = (decoder.value << 8) | decoder.next_byte();
        }
        decoder
    }

    fn next_byte(&mut self) -> u64 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        u64::from(*first)
    }

    /// Reads one decision, which was `true` with a probability of `p` 65,536ths.
    pub fn read(&mut self, p: i32) -> bool {
        let middle = part(self.low, self.high, p);
        let bit = self.value <= middle;
        self.again.write(bit, p);
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 56 == 0 {
            self.low <<= 8;
            self.high = (self.high << 8) | 0xFF;
            self.value = (self.value << 8) | self.next_byte();
        }
        bit
    }

    /// Whether the bytes are exactly those that the decisions are written in. Bytes that decide nothing must not make two
    /// messages of one.
    pub fn came_whole(self) -> bool {
        self.again.finish() == self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::text::fixed::ONE;
    use proptest::prelude::*;

    #[test]
    fn nothing_written_is_no_bytes_and_certainty_is_nearly_free() {
        assert!(Encoder::default().finish().is_empty());
        let mut encoder = Encoder::default();
        for _ in 0..1_000 {
            encoder.write(true, ONE - 1);
        }
        assert!(encoder.finish().len() <= 1);
    }

    proptest! {
        #[test]
        fn decisions_read_back_and_cost_what_information_costs(
            bits in proptest::collection::vec((any::<bool>(), 1..ONE), 0..400)
        ) {
            let mut encoder = Encoder::default();
            let mut cost = 0.0;
            for (bit, p) in &bits {
                encoder.write(*bit, *p);
                let p = f64::from(if *bit { *p } else { ONE - *p }) / f64::from(ONE);
                cost -= p.log2();
            }
            let bytes = encoder.finish();
            prop_assert!((bytes.len() as f64) * 8.0 <= cost + 9.0, "{} bytes for {cost} bits", bytes.len());
            let mut decoder = Decoder::new(&bytes);
            for (bit, p) in &bits {
                prop_assert_eq!(decoder.read(*p), *bit);
            }
        }

        #[test]
        fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..64), p in 1..ONE) {
            let mut decoder = Decoder::new(&bytes);
            for _ in 0..1_000 {
                decoder.read(p);
            }
        }
    }
}
