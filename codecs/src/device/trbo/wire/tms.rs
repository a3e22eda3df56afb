//! Text messages (TMS), port 4007. Layout as captured from radios (netkiller/Mototrbo) and read by node-dmr-lib and
//! dmr-kaitai; the sequence's high bits stand at 6–5 of the second byte, shifted by five.

use crate::codec::{DecodeError, EncodeError};
use crate::device::reader::Reader;
use bytes::{BufMut, Bytes, BytesMut};

const EXT: u8 = 0x80;
const ACK_REQUESTED: u8 = 0x40;
const RESERVED: u8 = 0x20;
const CONTROL: u8 = 0x10;
const TYPE: u8 = 0x0F;
const TYPE_ACK: u8 = 0x0F;
/// Another byte follows an extension byte.
const MORE: u8 = 0x80;
const LOW_BITS: u8 = 0x1F;
/// The one encoding in use: UTF-16, little-endian.
pub const UTF16LE: u8 = 4;
/// The highest sequence number that every sender and receiver takes.
pub const SEQUENCE_MAX: u8 = 31;

/// One message of the text service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tms {
    pub header: u8,
    pub address: Bytes,
    pub body: Body,
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The receiver's machine has the text with this sequence, or answers a service availability.
    Ack { sequence: Option<u8> },
    /// The service is there.
    Availability { capability: Option<u8> },
    /// A text; `encoding` where the extension says it.
    Text { sequence: Option<u8>, encoding: Option<u8>, text: Bytes },
}

impl Tms {
    /// A text as we send it. `wants_ack` is for one radio; a group has none.
    #[must_use]
    pub fn text(sequence: u8, text: &str, wants_ack: bool) -> Self {
        let text: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let header = EXT | RESERVED | if wants_ack { ACK_REQUESTED } else { 0 };
        let body = Body::Text { sequence: Some(sequence & LOW_BITS), encoding: Some(UTF16LE), text: text.into() };
        Self { header, address: Bytes::new(), body }
    }

    /// The answer to a text.
    #[must_use]
    pub const fn ack(sequence: Option<u8>) -> Self {
        let header = if sequence.is_some() { EXT | RESERVED | CONTROL | TYPE_ACK } else { CONTROL | TYPE_ACK };
        Self { header, address: Bytes::new(), body: Body::Ack { sequence } }
    }

    #[must_use]
    pub const fn is_extended(&self) -> bool {
        self.header & EXT != 0
    }

    #[must_use]
    pub const fn wants_ack(&self) -> bool {
        self.header & ACK_REQUESTED != 0
    }

    #[must_use]
    pub const fn is_reserved_set(&self) -> bool {
        self.header & RESERVED != 0
    }

    #[must_use]
    pub const fn is_control(&self) -> bool {
        self.header & CONTROL != 0
    }

    #[must_use]
    pub const fn pdu_type(&self) -> u8 {
        self.header & TYPE
    }

    /// Reads one whole datagram.
    ///
    /// # Errors
    /// [`DecodeError::Length`] when the declared length is not what is there, `Unknown` for other types.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (length, rest) = super::declared(bytes)?;
        if usize::from(length) != rest.len() {
            return Err(DecodeError::Length { expected: usize::from(length).saturating_add(2), found: bytes.len() });
        }
        let mut reader = Reader::new(rest, 2);
        let header = reader.u8()?;
        let address_length = usize::from(reader.u8()?);
        let address = Bytes::copy_from_slice(reader.take(address_length)?);
        let body = match (header & TYPE, header & CONTROL != 0) {
            (TYPE_ACK, true) => {
                Body::Ack { sequence: if header & EXT != 0 { Some(sequence(&mut reader)?.0) } else { None } }
            }
            (0, true) => Body::Availability { capability: if header & EXT != 0 { Some(reader.u8()?) } else { None } },
            (0, false) => {
                let (sequence, encoding) = if header & EXT != 0 {
                    let (sequence, encoding) = sequence(&mut reader)?;
                    (Some(sequence), encoding)
                } else {
                    (None, None)
                };
                let left = reader.left();
                Body::Text { sequence, encoding, text: Bytes::copy_from_slice(reader.take(left)?) }
            }
            _ => return Err(DecodeError::Unknown(format!("TMS header {header:02x}"))),
        };
        reader.finish()?;
        Ok(Self { header, address, body })
    }

    /// The datagram.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] when it does not fit into its length field.
    pub fn emit(&self) -> Result<Bytes, EncodeError> {
        let mut out = BytesMut::new();
        out.put_u8(self.header);
        out.put_u8(u8::try_from(self.address.len()).map_err(|_| too_long(self.address.len()))?);
        out.extend_from_slice(&self.address);
        match &self.body {
            Body::Ack { sequence } => {
                if let Some(sequence) = sequence {
                    put_sequence(&mut out, *sequence, None);
                }
            }
            Body::Availability { capability } => out.extend(*capability),
            Body::Text { sequence, encoding, text } => {
                if let Some(sequence) = sequence {
                    put_sequence(&mut out, *sequence, *encoding);
                }
                out.extend_from_slice(text);
            }
        }
        let length = u16::try_from(out.len()).map_err(|_| too_long(out.len()))?;
        Ok([length.to_be_bytes().as_slice(), &out].concat().into())
    }
}

/// The text of a message and whether bytes of it could not be read.
#[must_use]
pub fn words(text: &[u8]) -> (String, bool) {
    let units: Vec<u16> = text.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    let mut lossy = text.len() % 2 == 1;
    let words = char::decode_utf16(units).map(|unit| {
        unit.unwrap_or_else(|_| {
            lossy = true;
            char::REPLACEMENT_CHARACTER
        })
    });
    let words: String = words.collect();
    (words, lossy)
}

/// Sequence and, where a second byte follows, encoding.
fn sequence(reader: &mut Reader<'_>) -> Result<(u8, Option<u8>), DecodeError> {
    let first = reader.u8()?;
    if first & MORE == 0 {
        return Ok((first & LOW_BITS, None));
    }
    let at = reader.at();
    let second = reader.u8()?;
    if second & MORE != 0 {
        return Err(DecodeError::Field { field: "extension", at, expected: "at most two bytes" });
    }
    Ok((first & LOW_BITS | (second & 0x60), Some(second & LOW_BITS)))
}

fn put_sequence(out: &mut BytesMut, sequence: u8, encoding: Option<u8>) {
    let high = sequence & 0x60;
    match encoding {
        None if high == 0 => out.put_u8(sequence & LOW_BITS),
        encoding => {
            out.put_u8(MORE | (sequence & LOW_BITS));
            out.put_u8(high | (encoding.unwrap_or_default() & LOW_BITS));
        }
    }
}

fn too_long(bytes: usize) -> EncodeError {
    let needed = u32::try_from(bytes).unwrap_or(u32::MAX).saturating_mul(8);
    EncodeError::TooLong { needed, capacity: u32::from(u16::MAX) * 8 }
}
