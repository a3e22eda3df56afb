//! What a command unit (指挥机) overhears of its subordinates: `$BDXST` and `$BDXSD`, binary behind a text header (§8).

use super::rdss40::{LENGTH_MAX, content_bytes, xor};
use super::{Reader, rdss40};
use crate::codec::{DecodeError, EncodeError};
use bytes::{BufMut, Bytes, BytesMut};

/// One overheard frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overheard {
    /// `$BDXST`: a message between others.
    Message(Message),
    /// `$BDXSD`: a position; its layout is not publicly known.
    Position { body: Bytes },
}

/// A message between others, both addresses kept. `crc` is 0 when the air's own check was good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub receiver: u32,
    pub category: u8,
    pub sender: u32,
    pub hour: u8,
    pub minute: u8,
    pub bits: u16,
    pub content: Bytes,
    pub crc: u8,
}

/// Reads exactly one frame.
///
/// # Errors
/// [`DecodeError`] for a wrong header, length, checksum or content.
pub fn parse(frame: &[u8]) -> Result<Overheard, DecodeError> {
    let mut r = Reader::new(frame, 0);
    let header = r.array::<6>()?;
    let length = usize::from(r.u16()?);
    if length != frame.len() {
        return Err(DecodeError::Length { expected: length, found: frame.len() });
    }
    let (Some((found, covered)), Some((_, body))) = (frame.split_last(), r.rest.split_last()) else {
        return Err(DecodeError::Length { expected: rdss40::LENGTH_MIN, found: frame.len() });
    };
    let expected = xor(covered);
    if expected != *found {
        return Err(DecodeError::Checksum { expected: expected.into(), found: (*found).into() });
    }
    match &header {
        b"$BDXSD" => Ok(Overheard::Position { body: Bytes::copy_from_slice(body) }),
        b"$BDXST" => {
            let mut r = Reader::new(body, 8);
            let (receiver, category, sender) = (r.u24()?, r.u8()?, r.u24()?);
            let (hour, minute, bits) = (r.u8()?, r.u8()?, r.u16()?);
            let present = r.rest.len().saturating_sub(1);
            if present != content_bytes(bits) {
                return Err(DecodeError::Content { declared: bits.into(), present });
            }
            let content = Bytes::copy_from_slice(r.take(present)?);
            let message = Message { receiver, category, sender, hour, minute, bits, content, crc: r.u8()? };
            r.end()?;
            Ok(Overheard::Message(message))
        }
        other => Err(DecodeError::Unknown(other.escape_ascii().to_string())),
    }
}

impl Overheard {
    /// The bytes on the wire.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] beyond 512 bytes, [`EncodeError::Address`] for a number above 24 bits.
    pub fn emit(&self) -> Result<Bytes, EncodeError> {
        let mut out = BytesMut::new();
        match self {
            Self::Position { body } => {
                out.put_slice(b"$BDXSD\0\0");
                out.put_slice(body);
            }
            Self::Message(message) => {
                out.put_slice(b"$BDXST\0\0");
                rdss40::put_u24(&mut out, message.receiver)?;
                out.put_u8(message.category);
                rdss40::put_u24(&mut out, message.sender)?;
                out.put_slice(&[message.hour, message.minute]);
                out.put_u16(message.bits);
                out.put_slice(&message.content);
                out.put_u8(message.crc);
            }
        }
        let length = out.len() + 1;
        if length > LENGTH_MAX {
            let bits = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).saturating_mul(8);
            return Err(EncodeError::TooLong { needed: bits(length), capacity: bits(LENGTH_MAX) });
        }
        let length = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        out.iter_mut().skip(6).zip(length).for_each(|(to, from)| *to = from);
        out.put_u8(xor(&out));
        Ok(out.freeze())
    }
}
