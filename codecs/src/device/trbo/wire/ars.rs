//! Registration (ARS), port 4005. Layout as captured from radios; the id is decimal text. Declared and present length may
//! differ by one byte (captured both ways), so the fields are read by their own lengths.

use super::declared;
use crate::codec::{DecodeError, EncodeError};
use crate::device::reader::Reader;
use bytes::{BufMut, Bytes, BytesMut};

const ACK_BIT: u8 = 0x40;
const TYPE: u8 = 0x0F;
const REGISTER: u8 = 0;
const LEAVE: u8 = 1;
const QUERY: u8 = 4;
const USER_REGISTER: u8 = 5;
const ACK: u8 = 0x0F;
const HEADER_REGISTER: u8 = 0xF0;
const HEADER_ACK: u8 = 0xBF;
const HEADER_QUERY: u8 = 0x74;
/// Event "first time" and "refresh", in the upper bits of the byte after the header.
const EVENT_FIRST: u8 = 1;
/// The longest id that a radio writes.
const ID_MAX: usize = 32;

/// One message of the registration service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ars {
    pub header: u8,
    pub body: Body,
    /// Bytes present minus bytes declared: 0, or one stray or missing byte.
    pub mismatch: i8,
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A radio is there: first time (event 1) or again (event 2).
    Register {
        user: bool,
        event: u8,
        encoding: u8,
        device: String,
        name: String,
        password: String,
    },
    Leave,
    Query,
    /// Taken (with the time until the next registration, in half hours), or refused with a reason.
    Ack {
        success: bool,
        extra: Option<u8>,
    },
}

impl Ars {
    /// A registration as a radio sends it.
    #[must_use]
    pub fn register(device: &str) -> Self {
        let (device, name, password) = (device.to_owned(), String::new(), String::new());
        let body = Body::Register { user: false, event: EVENT_FIRST, encoding: 0, device, name, password };
        Self { header: HEADER_REGISTER, body, mismatch: 0 }
    }

    /// The answer to a registration: come again after so many half hours.
    #[must_use]
    pub const fn registered(half_hours: u8) -> Self {
        Self { header: HEADER_ACK, body: Body::Ack { success: true, extra: Some(half_hours) }, mismatch: 0 }
    }

    /// Is the radio there?
    #[must_use]
    pub const fn query() -> Self {
        Self { header: HEADER_QUERY, body: Body::Query, mismatch: 0 }
    }

    /// The answer to a query.
    #[must_use]
    pub const fn present() -> Self {
        Self { header: 0x3F, body: Body::Ack { success: true, extra: None }, mismatch: 0 }
    }

    #[must_use]
    pub const fn pdu_type(&self) -> u8 {
        self.header & TYPE
    }

    /// Reads one whole datagram.
    ///
    /// # Errors
    /// [`DecodeError::Length`] when more than one byte is missing or too many, `Unknown` for other types, `Field` for an
    /// id that is not printable.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (length, rest) = declared(bytes)?;
        let wrong = DecodeError::Length { expected: usize::from(length).saturating_add(2), found: bytes.len() };
        let present = i64::try_from(rest.len()).unwrap_or(i64::MAX);
        let mismatch = present.saturating_sub(i64::from(length));
        let mut reader = Reader::new(rest, 2);
        let header = reader.u8()?;
        let body = match header & TYPE {
            REGISTER | USER_REGISTER => register(header & TYPE == USER_REGISTER, &mut reader)?,
            LEAVE => Body::Leave,
            QUERY => Body::Query,
            ACK => {
                let success = header & ACK_BIT == 0;
                Body::Ack { success, extra: if header & 0x80 != 0 { Some(reader.u8()?) } else { None } }
            }
            _ => return Err(DecodeError::Unknown(format!("ARS header {header:02x}"))),
        };
        // Read by their own lengths, the fields end with what is declared or with what is there.
        let stray = reader.left();
        let whole = matches!((mismatch, stray), (0, 0) | (1, 1) | (-1, 0));
        match i8::try_from(mismatch) {
            Ok(mismatch) if whole => Ok(Self { header, body, mismatch }),
            _ => Err(wrong),
        }
    }

    /// The datagram, its length right.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for an id, name or password of more than 255 bytes.
    pub fn emit(&self) -> Result<Bytes, EncodeError> {
        let mut out = BytesMut::new();
        out.put_u8(self.header);
        match &self.body {
            Body::Register { event, encoding, device, name, password, .. } => {
                out.put_u8(event << 5 | (encoding & 0x1F));
                for text in [device, name, password] {
                    let length = u8::try_from(text.len()).map_err(|_| EncodeError::TooLong {
                        needed: u32::try_from(text.len()).unwrap_or(u32::MAX).saturating_mul(8),
                        capacity: 255 * 8,
                    })?;
                    out.put_u8(length);
                    out.extend_from_slice(text.as_bytes());
                }
            }
            Body::Leave | Body::Query => {}
            Body::Ack { extra, .. } => out.extend(*extra),
        }
        let length = u16::try_from(out.len()).unwrap_or(u16::MAX);
        Ok([length.to_be_bytes().as_slice(), &out].concat().into())
    }
}

fn register(user: bool, reader: &mut Reader<'_>) -> Result<Body, DecodeError> {
    let kind = reader.u8()?;
    let mut text = |field: &'static str| -> Result<String, DecodeError> {
        let length = usize::from(reader.u8()?);
        let at = reader.at();
        let bytes = reader.take(length)?;
        let printable = length <= ID_MAX && bytes.iter().all(|byte| (0x20..0x7F).contains(byte));
        let words = std::str::from_utf8(bytes).ok().filter(|_| printable);
        words.map(str::to_owned).ok_or(DecodeError::Field { field, at, expected: "printable ASCII, at most 32 bytes" })
    };
    let (device, name, password) = (text("device_id")?, text("user_id")?, text("password")?);
    Ok(Body::Register { user, event: kind >> 5, encoding: kind & 0x1F, device, name, password })
}
