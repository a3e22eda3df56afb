//! The companion protocol's frames, both directions: `<` (to the radio) or `>` (from it), u16 length, payload, all
//! little-endian; the payload begins with its kind.
//!
//! Layouts: MeshCore `docs/companion_protocol.md`, and the PyPI client `meshcore` 2.3.17 (both MIT), whose captured frames
//! are in `vectors/`. What we never send (reboot 13, keys 17 18, factory reset 33, settings) is [`ToRadio::Other`], which
//! has no emitter.

mod bytes;
#[cfg(test)]
mod tests;
mod told;

pub use told::{About, Contact, DeviceInfo, FromRadio, Origin, SelfInfo, Text};

use crate::codec::{DecodeError, EncodeError};
use ::bytes::Bytes;
use bytes::Reader;

/// Marks of the two directions.
pub const TO_RADIO: u8 = b'<';
pub const FROM_RADIO: u8 = b'>';
/// Mark and length.
pub const HEADER: usize = 3;
/// Bytes of a payload, at most.
pub const PAYLOAD_MAX: usize = 176;

/// The first six bytes of a public key, which name a contact.
pub type Prefix = [u8; 6];

/// What a host says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToRadio {
    /// 01: begins a conversation. The seven bytes between are reserved: version or blanks.
    AppStart { reserved: [u8; 7], app: String },
    /// 02: a text to one contact.
    DirectText { text_type: u8, attempt: u8, timestamp: u32, to: Prefix, text: String },
    /// 03: a text to a channel.
    ChannelText { text_type: u8, channel: u8, timestamp: u32, text: String },
    /// 04: the contacts, all or those that changed since.
    Contacts { since: Option<u32> },
    /// 05: the radio's clock.
    AskTime,
    /// 0A: the next text that waits.
    NextMessage,
    /// 14: battery and storage.
    Battery,
    /// 16: what kind of radio this is; `version` of the protocol that we understand.
    Query { version: u8 },
    /// Another command: read for the eye, never written.
    Other { cmd: u8, body: Bytes },
}

impl ToRadio {
    /// The command's number.
    #[must_use]
    pub const fn cmd(&self) -> u8 {
        match self {
            Self::AppStart { .. } => 0x01,
            Self::DirectText { .. } => 0x02,
            Self::ChannelText { .. } => 0x03,
            Self::Contacts { .. } => 0x04,
            Self::AskTime => 0x05,
            Self::NextMessage => 0x0A,
            Self::Battery => 0x14,
            Self::Query { .. } => 0x16,
            Self::Other { cmd, .. } => *cmd,
        }
    }

    /// Reads one whole frame of a host.
    ///
    /// # Errors
    /// [`DecodeError`] for what is no frame, or whose payload is not of its kind.
    pub fn parse(frame: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload(frame, TO_RADIO)?, HEADER);
        let cmd = reader.u8()?;
        let read = match cmd {
            0x01 => Self::AppStart { reserved: reader.array()?, app: reader.strict_text("app")? },
            0x02 => Self::DirectText {
                text_type: reader.u8()?,
                attempt: reader.u8()?,
                timestamp: reader.u32()?,
                to: reader.array()?,
                text: reader.strict_text("text")?,
            },
            0x03 => Self::ChannelText {
                text_type: reader.u8()?,
                channel: reader.u8()?,
                timestamp: reader.u32()?,
                text: reader.strict_text("text")?,
            },
            0x04 => Self::Contacts { since: if reader.left() == 0 { None } else { Some(reader.u32()?) } },
            0x05 => Self::AskTime,
            0x0A => Self::NextMessage,
            0x14 => Self::Battery,
            0x16 => Self::Query { version: reader.u8()? },
            _ => Self::Other { cmd, body: reader.all() },
        };
        reader.finish()?;
        Ok(read)
    }

    /// The frame on the wire.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] beyond [`PAYLOAD_MAX`], [`EncodeError::Unsupported`] for [`ToRadio::Other`].
    pub fn emit(&self) -> Result<Bytes, EncodeError> {
        let mut body = vec![self.cmd()];
        match self {
            Self::AppStart { reserved, app } => {
                body.extend(reserved);
                body.extend(app.bytes());
            }
            Self::DirectText { text_type, attempt, timestamp, to, text } => {
                body.extend([*text_type, *attempt]);
                body.extend(timestamp.to_le_bytes());
                body.extend(to);
                body.extend(text.bytes());
            }
            Self::ChannelText { text_type, channel, timestamp, text } => {
                body.extend([*text_type, *channel]);
                body.extend(timestamp.to_le_bytes());
                body.extend(text.bytes());
            }
            Self::Contacts { since } => body.extend(since.iter().flat_map(|since| since.to_le_bytes())),
            Self::AskTime | Self::NextMessage | Self::Battery => {}
            Self::Query { version } => body.push(*version),
            Self::Other { .. } => return Err(EncodeError::Unsupported),
        }
        framed(TO_RADIO, &body)
    }
}

/// The payload of exactly one frame.
fn payload(frame: &[u8], mark: u8) -> Result<&[u8], DecodeError> {
    let [found, low, high, body @ ..] = frame else {
        return Err(DecodeError::Length { expected: HEADER.saturating_add(1), found: frame.len() });
    };
    if *found != mark {
        return Err(DecodeError::Field { field: "mark", at: 0, expected: "< to the radio, > from it" });
    }
    let length = usize::from(u16::from_le_bytes([*low, *high]));
    if length == 0 || length > PAYLOAD_MAX {
        return Err(DecodeError::Field { field: "length", at: 1, expected: "1 to 176" });
    }
    match body.len().checked_sub(length) {
        Some(0) => Ok(body),
        Some(more) => Err(DecodeError::Trailing(more)),
        None => Err(DecodeError::Length { expected: HEADER.saturating_add(length), found: frame.len() }),
    }
}

fn framed(mark: u8, body: &[u8]) -> Result<Bytes, EncodeError> {
    let bits = |bytes: usize| u32::try_from(bytes.saturating_mul(8)).unwrap_or(u32::MAX);
    let length = u16::try_from(body.len()).ok().filter(|_| body.len() <= PAYLOAD_MAX);
    let length = length.ok_or(EncodeError::TooLong { needed: bits(body.len()), capacity: bits(PAYLOAD_MAX) })?;
    let mut frame = vec![mark];
    frame.extend(length.to_le_bytes());
    frame.extend(body);
    Ok(frame.into())
}
