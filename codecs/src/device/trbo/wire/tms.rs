use super::bytes::Reader;
use crate::codec::{DecodeError, EncodeError};
use bytes::Bytes;

/// The encoding number of UTF-16, little-endian, the only one seen.
pub const UTF_16: u8 = 4;
/// The highest sequence number that two bytes can carry.
const SEQUENCE_MAX: u8 = 127;

/// The first byte of a text or registration message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header(pub u8);

impl Header {
    /// Bit 7: bytes of an extended header follow.
    #[must_use]
    pub const fn has_ext(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// Bit 6: an acknowledgement is wanted; in an acknowledgement of the registration service: refused.
    #[must_use]
    pub const fn bit_6(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// Bit 5: reserved in texts, priority in registrations; set in most traffic.
    #[must_use]
    pub const fn bit_5(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// Bit 4: about the conversation, not content.
    #[must_use]
    pub const fn is_control(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// Bits 3 to 0.
    #[must_use]
    pub const fn kind(self) -> u8 {
        self.0 & 0x0F
    }
}

/// A message of the text service, UDP 4007.
///
/// `length 2, header 1, address length 1, address, [extended header], content`. Layout as OK-DMR/ok-dmrlib,
/// HackerHomestead/Mototrbo and netkiller/Mototrbo agree on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tms {
    /// As it stood: reserved bits are kept.
    pub header: Header,
    pub address: Bytes,
    pub body: TmsBody,
}

/// What a message of the text service says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TmsBody {
    Text {
        sequence: Option<u8>,
        encoding: Option<u8>,
        data: Bytes,
    },
    /// The radio offers the service.
    Available {
        capability: Option<u8>,
    },
    /// The text with this sequence has arrived; without one, the offer of the service is answered.
    Ack {
        sequence: Option<u8>,
    },
}

impl Tms {
    /// A text; an answer is wanted unless it goes to a group.
    #[must_use]
    pub const fn text(sequence: u8, wants_ack: bool, data: Bytes) -> Self {
        let header = Header(if wants_ack { 0xE0 } else { 0xA0 });
        let body = TmsBody::Text { sequence: Some(sequence), encoding: Some(UTF_16), data };
        Self { header, address: Bytes::new(), body }
    }

    /// The answer to a text, or without a sequence to the offer of the service.
    #[must_use]
    pub const fn ack(sequence: Option<u8>) -> Self {
        let header = Header(if sequence.is_some() { 0xBF } else { 0x1F });
        Self { header, address: Bytes::new(), body: TmsBody::Ack { sequence } }
    }

    /// Reads exactly one message.
    ///
    /// # Errors
    /// When the declared length is not the datagram's, a field is missing, or the type is not known.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut outer = Reader::new(bytes, 0);
        let length = outer.u16()?;
        let mut reader = Reader::new(outer.take(usize::from(length))?, 2);
        outer.finish()?;
        let header = Header(reader.u8()?);
        let count = reader.u8()?;
        let address = Bytes::copy_from_slice(reader.take(usize::from(count))?);
        let body = match (header.is_control(), header.kind()) {
            (false, 0) => {
                let (sequence, encoding) = read_ext(&mut reader, header)?;
                TmsBody::Text { sequence, encoding, data: Bytes::copy_from_slice(reader.rest()) }
            }
            (true, 0) => {
                let capability = if header.has_ext() { Some(reader.u8()?) } else { None };
                reader.finish()?;
                TmsBody::Available { capability }
            }
            (true, 15) => {
                let (sequence, _) = read_ext(&mut reader, header)?;
                reader.finish()?;
                TmsBody::Ack { sequence }
            }
            _ => return Err(DecodeError::Unknown(format!("TMS header {:02x}", header.0))),
        };
        Ok(Self { header, address, body })
    }

    /// As it stands in a datagram.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] when a length does not fit its field; [`EncodeError::Unsupported`] when the header and
    /// the body contradict each other.
    pub fn emit(&self) -> Result<Bytes, EncodeError> {
        let (sequence, encoding, data, control, kind) = match &self.body {
            TmsBody::Text { sequence, encoding, data } => (*sequence, *encoding, data.as_ref(), false, 0),
            TmsBody::Available { capability } => (*capability, None, [].as_slice(), true, 0),
            TmsBody::Ack { sequence } => (*sequence, None, [].as_slice(), true, 15),
        };
        let fits = self.header.is_control() == control
            && self.header.kind() == kind
            && self.header.has_ext() == sequence.is_some()
            && (sequence.is_some() || encoding.is_none())
            && encoding.is_none_or(|encoding| encoding <= 0x1F);
        if !fits {
            return Err(EncodeError::Unsupported);
        }
        let address = u8::try_from(self.address.len()).map_err(|_| too_long(self.address.len(), 255))?;
        let mut out = vec![self.header.0, address];
        out.extend_from_slice(&self.address);
        match (&self.body, sequence) {
            (TmsBody::Available { .. }, Some(capability)) => out.push(capability),
            (_, Some(sequence)) => put_ext(&mut out, sequence, encoding)?,
            (_, None) => {}
        }
        out.extend_from_slice(data);
        let length = u16::try_from(out.len()).map_err(|_| too_long(out.len(), usize::from(u16::MAX)))?;
        let mut frame = length.to_be_bytes().to_vec();
        frame.append(&mut out);
        Ok(frame.into())
    }
}

/// Sequence in five bits; two more and the encoding where a second byte follows. dmr-kaitai puts the two bits where
/// they would collide with bit 4; a sample with sequence 85 in ok-dmrlib decides.
fn read_ext(reader: &mut Reader<'_>, header: Header) -> Result<(Option<u8>, Option<u8>), DecodeError> {
    if !header.has_ext() {
        return Ok((None, None));
    }
    let first = reader.u8()?;
    let low = first & 0x1F;
    if first & 0x80 == 0 {
        return Ok((Some(low), None));
    }
    let at = reader.at();
    let second = reader.u8()?;
    if second & 0x80 != 0 {
        return Err(DecodeError::Field { field: "ext", at, expected: "the last byte of the extended header" });
    }
    Ok((Some((second & 0x60) | low), Some(second & 0x1F)))
}

fn put_ext(out: &mut Vec<u8>, sequence: u8, encoding: Option<u8>) -> Result<(), EncodeError> {
    if sequence > SEQUENCE_MAX {
        return Err(EncodeError::Unsupported);
    }
    match encoding {
        None if sequence <= 0x1F => out.push(sequence),
        // Seven bits of sequence need the second byte even where it names no encoding.
        None => out.extend([0x80 | (sequence & 0x1F), sequence & 0x60]),
        Some(encoding) => out.extend([0x80 | (sequence & 0x1F), (sequence & 0x60) | encoding]),
    }
    Ok(())
}

fn too_long(needed: usize, capacity: usize) -> EncodeError {
    let bits = |bytes: usize| u32::try_from(bytes.saturating_mul(8)).unwrap_or(u32::MAX);
    EncodeError::TooLong { needed: bits(needed), capacity: bits(capacity) }
}

/// A text as it stands on the wire.
#[must_use]
pub fn utf16(text: &str) -> Bytes {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>().into()
}

/// The words of a text, and whether something had to be replaced: half a surrogate pair, an odd last byte.
#[must_use]
pub fn words(data: &[u8]) -> (String, bool) {
    let pairs = data.chunks_exact(2);
    let odd = !pairs.remainder().is_empty();
    let units = pairs.map(|pair| pair.iter().rev().fold(0_u16, |unit, byte| (unit << 8) | u16::from(*byte)));
    let mut lossy = odd;
    let text = char::decode_utf16(units)
        .map(|unit| {
            unit.unwrap_or_else(|_| {
                lossy = true;
                char::REPLACEMENT_CHARACTER
            })
        })
        .collect();
    (text, lossy)
}
