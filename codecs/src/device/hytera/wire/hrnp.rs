use crate::codec::{DecodeError, EncodeError};
use ::bytes::{BufMut, Bytes, BytesMut};

/// The first byte of every frame.
pub const HRNP_HEAD: u8 = 0x7E;
/// Bytes of a frame that carries nothing.
pub const HRNP_MIN: usize = 12;
/// The longest frame that is taken: the largest seen are 410 bytes, and the carrier is a datagram.
pub const HRNP_MAX: usize = 1500;
/// Where the checksum stands.
const CHECKSUM: std::ops::Range<usize> = 10..12;

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HrnpKind {
    Connect = 0xFE,
    Accept = 0xFD,
    Reject = 0xFC,
    Close = 0xFB,
    CloseAck = 0xFA,
    Data = 0x00,
    DataAck = 0x10,
    Voice = 0x01,
}

impl HrnpKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
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
    pub const fn code(self) -> u8 {
        self as u8
    }

    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The name in the vectors.
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

    const fn carries(self) -> bool {
        matches!(self, Self::Data | Self::Voice)
    }
}

/// One HRNP frame: what stands before HDAP on a cable and on UDP 3005. All numbers are big-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hrnp {
    /// 4, 3 or 0; a host answers with the radio's.
    pub version: u8,
    pub block: u8,
    pub kind: HrnpKind,
    pub source: u8,
    pub destination: u8,
    pub number: u16,
    /// The HDAP frame of a data frame; empty in the others.
    pub payload: Bytes,
}

impl Hrnp {
    /// The frame at the front of `bytes`, and what follows it.
    ///
    /// # Errors
    /// `Field` for another first byte, `Unknown` for an opcode that does not exist, `Length` and `Checksum`.
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let short = |expected: usize| DecodeError::Length { expected, found: bytes.len() };
        let [head, version, block, opcode, source, destination, n_0, n_1, l_0, l_1, c_0, c_1, ..] = *bytes else {
            return Err(short(HRNP_MIN));
        };
        if head != HRNP_HEAD {
            return Err(DecodeError::Field { field: "head", at: 0, expected: "7E" });
        }
        let kind = HrnpKind::from_code(opcode);
        let kind = kind.ok_or_else(|| DecodeError::Unknown(format!("HRNP opcode {opcode:02x}")))?;
        let length = usize::from(u16::from_be_bytes([l_0, l_1]));
        if !(HRNP_MIN..=HRNP_MAX).contains(&length) || (length > HRNP_MIN && !kind.carries()) {
            return Err(DecodeError::Field { field: "length", at: 8, expected: "12, or up to 1500 with data" });
        }
        let (frame, rest) = bytes.split_at_checked(length).ok_or_else(|| short(length))?;
        let (expected, found) = (checksum(frame), u16::from_be_bytes([c_0, c_1]));
        if expected != found {
            return Err(DecodeError::Checksum { expected: expected.into(), found: found.into() });
        }
        let payload = Bytes::copy_from_slice(frame.get(HRNP_MIN..).unwrap_or_default());
        let number = u16::from_be_bytes([n_0, n_1]);
        Ok((Self { version, block, kind, source, destination, number, payload }, rest))
    }

    /// The frame as it goes on the wire.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] when the payload does not fit.
    pub fn emit(&self) -> Result<Bytes, EncodeError> {
        let total = self.payload.len().saturating_add(HRNP_MIN);
        let length = u16::try_from(total).ok().filter(|_| total <= HRNP_MAX);
        let length = length.ok_or_else(|| EncodeError::TooLong {
            needed: u32::try_from(total).unwrap_or(u32::MAX).saturating_mul(8),
            capacity: u32::try_from(HRNP_MAX).unwrap_or(u32::MAX).saturating_mul(8),
        })?;
        let mut frame = BytesMut::with_capacity(total);
        frame.put_slice(&[HRNP_HEAD, self.version, self.block, self.kind.code(), self.source, self.destination]);
        frame.put_u16(self.number);
        frame.put_u16(length);
        frame.put_u16(0);
        frame.put_slice(&self.payload);
        let sum = checksum(&frame).to_be_bytes();
        if let Some(place) = frame.get_mut(CHECKSUM) {
            place.copy_from_slice(&sum);
        }
        Ok(frame.freeze())
    }
}

/// The Internet checksum of a whole frame with its checksum field taken as zero. An odd frame is padded with one zero
/// byte for the sum alone.
pub(super) fn checksum(frame: &[u8]) -> u16 {
    let words = frame.chunks(2).enumerate().filter(|(at, _)| at.checked_mul(2) != Some(CHECKSUM.start));
    let mut sum = words.fold(0_u32, |sum, (_, word)| {
        let high = word.first().copied().unwrap_or_default();
        let low = word.get(1).copied().unwrap_or_default();
        sum.wrapping_add(u16::from_be_bytes([high, low]).into())
    });
    // At most 750 words of 16 bits: two foldings take up every carry.
    sum = (sum & 0xFFFF).wrapping_add(sum >> 16);
    sum = (sum & 0xFFFF).wrapping_add(sum >> 16);
    !u16::try_from(sum & 0xFFFF).unwrap_or_default()
}
