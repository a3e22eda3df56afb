//! A DMRD datagram of a hotspot or repeater network: one raw burst of the air. Recognised, so that a person sees what comes
//! in on a port; nothing is done with it.

use crate::codec::DecodeError;
use crate::device::reader::Reader;

const MAGIC: &[u8; 4] = b"DMRD";
/// 20 bytes of header, 33 of burst, and in some networks error rate and signal strength.
const LENGTHS: [usize; 2] = [53, 55];

/// The header of a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dmrd {
    pub sequence: u8,
    pub source: u32,
    pub target: u32,
    pub repeater: u32,
    pub flags: u8,
    pub stream: [u8; 4],
}

impl Dmrd {
    /// Reads one whole datagram.
    ///
    /// # Errors
    /// [`DecodeError::Length`] for another length, `Unknown` for another beginning.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        if !LENGTHS.contains(&bytes.len()) {
            return Err(DecodeError::Length { expected: 53, found: bytes.len() });
        }
        let mut reader = Reader::new(bytes, 0);
        if reader.array::<4>()? != *MAGIC {
            return Err(DecodeError::Unknown("no DMRD at the beginning".into()));
        }
        let sequence = reader.u8()?;
        let mut id = || reader.array::<3>().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]));
        let (source, target) = (id()?, id()?);
        let (repeater, flags, stream) = (reader.u32()?, reader.u8()?, reader.array()?);
        Ok(Self { sequence, source, target, repeater, flags, stream })
    }

    /// 1 or 2.
    #[must_use]
    pub const fn slot(&self) -> u8 {
        if self.flags & 0x80 == 0 { 1 } else { 2 }
    }

    #[must_use]
    pub const fn is_private(&self) -> bool {
        self.flags & 0x40 != 0
    }

    #[must_use]
    pub const fn frame_type(&self) -> &'static str {
        match self.flags >> 4 & 3 {
            0 => "voice",
            1 => "voice_sync",
            2 => "data_sync",
            _ => "reserved",
        }
    }

    #[must_use]
    pub const fn data_type(&self) -> u8 {
        self.flags & 0x0F
    }
}
