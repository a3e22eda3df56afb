//! Who is there: `epoch:8 | counter:32 | model set:24 | flags:8`, in the clear and under the tag, so that a station that
//! has lost count of another finds it again.

use super::bits::{BitReader, BitWriter, BitsError};
use super::text::FIRST_MODEL;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Bytes of a beacon's body.
pub const BODY: usize = 9;
const MODELS: u32 = 24;

/// Why bytes are no beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BeaconError {
    #[error("a beacon's body has {BODY} bytes, {found} are there")]
    Length { found: usize },
    #[error("the counter {counter} does not end in the sequence {seq} of the header")]
    Counter { counter: u32, seq: u16 },
    #[error(transparent)]
    Bits(#[from] BitsError),
}

/// The statistical text codecs that a station understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelSet(u32);

impl ModelSet {
    /// From the 24 bits on the air; `None` for more.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Option<Self> {
        if bits >> MODELS == 0 { Some(Self(bits)) } else { None }
    }

    /// The 24 bits: bit 0, the lowest, is codec 8; bit 23 is codec 31.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// With another codec, 8..=31; others need no model and change nothing.
    #[must_use]
    pub fn with(self, codec: u8) -> Self {
        Self(self.0 | Self::place(codec).map_or(0, |place| 1 << place))
    }

    /// Whether a text in this codec can be read. Codecs below 8 need no model.
    #[must_use]
    pub fn has(self, codec: u8) -> bool {
        codec < FIRST_MODEL || Self::place(codec).is_some_and(|place| self.0 >> place & 1 == 1)
    }

    fn place(codec: u8) -> Option<u32> {
        codec.checked_sub(FIRST_MODEL).map(u32::from).filter(|place| *place < MODELS)
    }
}

/// What a station says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beacon {
    /// The low 8 bits of its key epoch.
    pub epoch: u8,
    /// Its whole counter; this beacon's own, as every frame has one.
    pub counter: u32,
    /// The text models that it has.
    pub models: ModelSet,
    /// [`Self::WANTS_BEACON`] and [`Self::CLOCK_TRUSTED`]; the others are sent as zero and not looked at.
    pub flags: u8,
}

impl Beacon {
    /// Flag: it has lost count of others and asks for their beacons.
    pub const WANTS_BEACON: u8 = 0x01;
    /// Flag: its clock is trusted.
    pub const CLOCK_TRUSTED: u8 = 0x02;

    /// Reads exactly a body.
    ///
    /// # Errors
    /// [`BeaconError::Length`] for more or fewer bytes.
    pub fn parse(body: &[u8]) -> Result<Self, BeaconError> {
        if body.len() != BODY {
            return Err(BeaconError::Length { found: body.len() });
        }
        let mut bits = BitReader::new(body);
        let (epoch, counter, models) = (bits.take_u8(8)?, bits.take_u32(32)?, ModelSet(bits.take_u32(MODELS)?));
        Ok(Self { epoch, counter, models, flags: bits.take_u8(8)? })
    }

    /// The nine bytes on the air.
    ///
    /// # Errors
    /// None in practice: every field has its range by its type.
    pub fn emit(&self) -> Result<Vec<u8>, BeaconError> {
        let mut bits = BitWriter::new();
        bits.push(self.epoch.into(), 8)?;
        bits.push(self.counter.into(), 32)?;
        bits.push(self.models.0.into(), MODELS)?;
        bits.push(self.flags.into(), 8)?;
        Ok(bits.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::golden::{self, text, unhex};
    use serde_json::json;

    #[test]
    fn the_golden_beacons_are_read_and_written_so() {
        golden::hold(include_str!("vectors/beacon.jsonl"), |case| {
            let bytes = unhex(text(case, "hex"));
            let beacon = Beacon::parse(&bytes).map_err(|error| error.to_string())?;
            assert_eq!(beacon.emit().unwrap(), bytes);
            let Beacon { epoch, counter, models, flags } = beacon;
            Ok(json!({ "epoch": epoch, "counter": counter, "models": models.bits(), "flags": flags }))
        });
    }

    #[test]
    fn a_model_has_its_bit_and_plain_codecs_need_none() {
        let set = ModelSet::default().with(8).with(31).with(3).with(32);
        assert_eq!(set.bits(), 0x80_0001);
        let known: Vec<u8> = (0..40).filter(|codec| set.has(*codec)).collect();
        assert_eq!(known, [0, 1, 2, 3, 4, 5, 6, 7, 8, 31]);
        assert_eq!(ModelSet::from_bits(0x100_0000), None);
        assert_eq!(ModelSet::from_bits(0x80_0001), Some(set));
    }
}
