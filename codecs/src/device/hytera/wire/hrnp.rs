use super::bytes::Reader;
use crate::codec::{DecodeError, EncodeError};
use ::bytes::{BufMut, Bytes, BytesMut};

/// Begins every frame, and may stand inside one.
pub const START: u8 = 0x7E;
/// A frame without payload.
pub const HEADER: usize = 12;
/// The longest frame that is believed; the longest seen is 410 bytes.
pub const LENGTH_MAX: usize = 1_500;
/// The host's address until the radio gives another, and the radio's.
pub const PC: u8 = 0x20;
pub const RADIO: u8 = 0x10;

/// What an HRNP frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    Connect = 0xFE,
    Accept = 0xFD,
    Reject = 0xFC,
    Close = 0xFB,
    CloseAck = 0xFA,
    Data = 0x00,
    DataAck = 0x10,
    Voice = 0x01,
}

impl Op {
    const ALL: [Self; 8] = [
        Self::Connect,
        Self::Accept,
        Self::Reject,
        Self::Close,
        Self::CloseAck,
        Self::Data,
        Self::DataAck,
        Self::Voice,
    ];

    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|op| *op as u8 == code)
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Close => "close",
            Self::CloseAck => "close_ack",
            Self::Data => "data",
            Self::DataAck => "data_ack",
            Self::Voice => "voice",
        }
    }
}

/// One HRNP frame: the way of HDAP over a serial cable, USB, or UDP 3005 to the attached radio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hrnp {
    /// 3 and 4 are common; an answer bears its peer's.
    pub version: u8,
    pub block: u8,
    pub op: Op,
    pub source: u8,
    pub destination: u8,
    pub number: u16,
    pub payload: Bytes,
}

impl Hrnp {
    /// Reads exactly one frame.
    ///
    /// # Errors
    /// [`DecodeError::Length`] when the declared length is not what is there, `Checksum`, `Unknown` for another opcode.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, 0);
        let start = reader.u8()?;
        if start != START {
            return Err(DecodeError::Field { field: "start", at: 0, expected: "7E" });
        }
        let (version, block, code) = (reader.u8()?, reader.u8()?, reader.u8()?);
        let op = Op::from_code(code).ok_or_else(|| DecodeError::Unknown(format!("HRNP opcode {code:02x}")))?;
        let (source, destination, number) = (reader.u8()?, reader.u8()?, reader.u16()?);
        let (length, found) = (usize::from(reader.u16()?), reader.u16()?);
        if length != bytes.len() || length > LENGTH_MAX {
            return Err(DecodeError::Length { expected: length, found: bytes.len() });
        }
        let expected = checksum(bytes);
        if expected != found {
            return Err(DecodeError::Checksum { expected: expected.into(), found: found.into() });
        }
        let payload = Bytes::copy_from_slice(reader.rest());
        Ok(Self { version, block, op, source, destination, number, payload })
    }

    /// The frame as it goes on the wire.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] beyond [`LENGTH_MAX`].
    pub fn emit(&self) -> Result<Bytes, EncodeError> {
        let length = self.payload.len().saturating_add(HEADER);
        let declared = u16::try_from(length).ok().filter(|_| length <= LENGTH_MAX);
        let declared = declared.ok_or(EncodeError::TooLong {
            needed: u32::try_from(length).unwrap_or(u32::MAX).saturating_mul(8),
            capacity: 1_500 * 8,
        })?;
        let mut out = BytesMut::with_capacity(length);
        out.extend([START, self.version, self.block, self.op as u8, self.source, self.destination]);
        out.put_u16(self.number);
        out.put_u16(declared);
        out.put_u16(0);
        out.extend_from_slice(&self.payload);
        let sum = checksum(&out).to_be_bytes();
        for (slot, byte) in out.iter_mut().skip(10).zip(sum) {
            *slot = byte;
        }
        Ok(out.freeze())
    }
}

/// The Internet checksum (RFC 1071) over the whole frame, its own field taken as 0, an odd end padded with 0.
pub(super) fn checksum(frame: &[u8]) -> u16 {
    let mut sum = 0_u32;
    for (at, byte) in frame.iter().enumerate().filter(|(at, _)| !(10..12).contains(at)) {
        let word = if at % 2 == 0 { u32::from(*byte) << 8 } else { u32::from(*byte) };
        sum = sum.wrapping_add(word);
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !u16::try_from(sum & 0xFFFF).unwrap_or_default()
}
