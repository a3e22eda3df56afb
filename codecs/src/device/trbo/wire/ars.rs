use super::bytes::Reader;
use super::tms::Header;
use crate::codec::{DecodeError, EncodeError};
use bytes::Bytes;

/// A message of the registration service, UDP 4005: `length 2, header 1, content`.
///
/// Layout as OK-DMR/ok-dmrlib, KD8EYF/TRBO-NET and HackerHomestead/Mototrbo agree on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ars {
    pub header: Header,
    pub body: ArsBody,
    /// Bytes in the datagram less bytes declared. Registrations were seen with one byte more than they declare, and
    /// with one less; their own lengths tell where they end.
    pub mismatch: i8,
}

/// What a message of the registration service says. Every text is kept as it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArsBody {
    /// A radio, or a person at it, is there. `event`: bits 6 to 5 first (1) or refresh (2), bits 4 to 0 encoding.
    Register {
        by_user: bool,
        event: Option<u8>,
        device: Bytes,
        user: Bytes,
        password: Bytes,
    },
    Leave,
    Query,
    /// `value` is the refresh time in half hours, or when bit 6 says "refused" the reason.
    Ack {
        value: Option<u8>,
    },
}

impl Ars {
    /// What a radio says when it is switched on.
    #[must_use]
    pub fn register(radio: u32) -> Self {
        let body = ArsBody::Register {
            by_user: false,
            event: Some(0x20),
            device: radio.to_string().into(),
            user: Bytes::new(),
            password: Bytes::new(),
        };
        Self { header: Header(0xF0), body, mismatch: 0 }
    }

    /// Accepted; register again within so many half hours.
    #[must_use]
    pub const fn accept(half_hours: u8) -> Self {
        Self { header: Header(0xBF), body: ArsBody::Ack { value: Some(half_hours) }, mismatch: 0 }
    }

    /// Is the radio there?
    pub const QUERY: Self = Self { header: Header(0x74), body: ArsBody::Query, mismatch: 0 };
    /// It is.
    pub const PRESENT: Self = Self { header: Header(0x3F), body: ArsBody::Ack { value: None }, mismatch: 0 };
    /// It goes.
    pub const LEAVE: Self = Self { header: Header(0x31), body: ArsBody::Leave, mismatch: 0 };

    /// Reads exactly one message.
    ///
    /// # Errors
    /// When a field is missing, bytes are left over, or the type is not known.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, 0);
        let declared = usize::from(reader.u16()?);
        let present = reader.left();
        let header = Header(reader.u8()?);
        if !header.is_control() {
            return Err(DecodeError::Unknown(format!("ARS header {:02x}", header.0)));
        }
        let body = match header.kind() {
            0 | 5 => register(&mut reader, header)?,
            1 | 4 if header.has_ext() => return Err(DecodeError::Unknown(format!("ARS header {:02x}", header.0))),
            1 => ArsBody::Leave,
            4 => ArsBody::Query,
            15 => ArsBody::Ack { value: if header.has_ext() { Some(reader.u8()?) } else { None } },
            _ => return Err(DecodeError::Unknown(format!("ARS header {:02x}", header.0))),
        };
        let mismatch = match (&body, reader.rest()) {
            (_, []) if present == declared => 0,
            (ArsBody::Register { .. }, []) if declared.checked_sub(present) == Some(1) => -1,
            (ArsBody::Register { .. }, []) if present.checked_sub(declared) == Some(1) => 1,
            (ArsBody::Register { .. }, [0]) if present.checked_sub(declared) == Some(1) => 1,
            (_, []) => return Err(DecodeError::Length { expected: declared.saturating_add(2), found: bytes.len() }),
            (_, rest) => return Err(DecodeError::Trailing(rest.len())),
        };
        Ok(Self { header, body, mismatch })
    }

    /// As it stands in a datagram, with the right length.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] when header and body contradict each other or a text is longer than 255 bytes.
    pub fn emit(&self) -> Result<Bytes, EncodeError> {
        let mut out = vec![self.header.0];
        let (kind, has_ext) = match &self.body {
            ArsBody::Register { by_user, event, device, user, password } => {
                out.extend(*event);
                for text in [device, user, password] {
                    out.push(u8::try_from(text.len()).map_err(|_| EncodeError::Unsupported)?);
                    out.extend_from_slice(text);
                }
                (if *by_user { 5 } else { 0 }, event.is_some())
            }
            ArsBody::Leave => (1, false),
            ArsBody::Query => (4, false),
            ArsBody::Ack { value } => {
                out.extend(*value);
                (15, value.is_some())
            }
        };
        let header = self.header;
        if !header.is_control() || header.kind() != kind || header.has_ext() != has_ext {
            return Err(EncodeError::Unsupported);
        }
        let length = u16::try_from(out.len()).map_err(|_| EncodeError::Unsupported)?;
        let mut frame = length.to_be_bytes().to_vec();
        frame.append(&mut out);
        Ok(frame.into())
    }
}

fn register(reader: &mut Reader<'_>, header: Header) -> Result<ArsBody, DecodeError> {
    let event = if header.has_ext() { Some(reader.u8()?) } else { None };
    let mut text = |field: &'static str| {
        let length = reader.u8()?;
        let at = reader.at();
        let bytes = reader.take(usize::from(length))?;
        let is_ascii = event.is_none_or(|event| event & 0x1F == 0);
        if is_ascii && !bytes.iter().all(|byte| (0x20..0x7F).contains(byte)) {
            return Err(DecodeError::Field { field, at, expected: "printable ASCII" });
        }
        Ok(Bytes::copy_from_slice(bytes))
    };
    let (device, user, password) = (text("device_id")?, text("user_id")?, text("password")?);
    Ok(ArsBody::Register { by_user: header.kind() == 5, event, device, user, password })
}
