use super::bytes::Reader;
use crate::codec::DecodeError;
use bytes::Bytes;

/// A burst of the homebrew repeater protocol: `DMRD`, numbers, 33 bytes as they were on the air, and in later versions
/// error rate and field strength. Recognised, not acted on: the text in it would need the radio's own decoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dmrd {
    pub sequence: u8,
    pub source: u32,
    pub target: u32,
    pub repeater: u32,
    pub flags: u8,
    pub stream: [u8; 4],
    pub burst: Bytes,
    pub quality: Option<[u8; 2]>,
}

impl Dmrd {
    /// Reads exactly one burst.
    ///
    /// # Errors
    /// When the mark or the length is not that of a burst.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, 0);
        if reader.take(4)? != b"DMRD" {
            return Err(DecodeError::Field { field: "magic", at: 0, expected: "DMRD" });
        }
        let sequence = reader.u8()?;
        let (source, target) = (reader.u24()?, reader.u24()?);
        let (repeater, flags, stream) = (reader.u32()?, reader.u8()?, reader.array()?);
        if flags & 0x30 == 0x30 {
            return Err(DecodeError::Field { field: "frame_type", at: 15, expected: "0, 1 or 2" });
        }
        let burst = Bytes::copy_from_slice(reader.take(33)?);
        let quality = if reader.left() == 0 { None } else { Some(reader.array()?) };
        reader.finish()?;
        Ok(Self { sequence, source, target, repeater, flags, stream, burst, quality })
    }
}
