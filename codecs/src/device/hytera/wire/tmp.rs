use super::RadioIp;
use super::bytes::Reader;
use super::hdap::HEADER;
use crate::codec::DecodeError;
use ::bytes::{BufMut, Bytes, BytesMut};

const FLAG_7: u8 = 0x80;
const FLAG_OPTIONS: u8 = 0x40;

/// Text message service, UDP 3004.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tmp {
    /// Bit 7 of the flags. Sources disagree whether it means "no ack wanted" or "ack wanted"; radios set it on texts
    /// that they forward. Nothing here is decided by it.
    pub flag_7: bool,
    /// Bits 5..0 of the flags, reserved.
    pub reserved: u8,
    /// The option field, where bit 6 of the flags is set: its length stands first, its bytes last.
    pub options: Option<Bytes>,
    pub message: TmpMessage,
}

/// What the low byte of a TMP opcode says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TmpMessage {
    /// A1: a text to one radio.
    PrivateText { request: u32, to: RadioIp, from: RadioIp, text: Utf16 },
    /// A2: the network's word on an A1; `to` and `from` are those of the text. 0 = the called radio has it.
    PrivateAck { request: u32, to: RadioIp, from: RadioIp, result: u8 },
    /// B1: a text to a group; the group number stands in the place of an address.
    GroupText { request: u32, to: RadioIp, from: RadioIp, text: Utf16 },
    /// B2: the group text was transmitted (0), which says nothing about who heard it.
    GroupAck { request: u32, to: RadioIp, result: u8 },
    /// AE: bytes to one radio.
    PrivateData { request: u32, to: RadioIp, from: RadioIp, data: Bytes },
    /// AF: as A2, for AE.
    PrivateDataAck { request: u32, to: RadioIp, from: RadioIp, result: u8 },
    /// BE: bytes to a group.
    GroupData { request: u32, to: RadioIp, from: RadioIp, data: Bytes },
    /// BF: as B2, for BE.
    GroupDataAck { request: u32, to: RadioIp, result: u8 },
    /// AC, AD, AA, AB: work orders and reports, whose layout is not public.
    WorkOrder { service: u8, payload: Bytes },
}

/// UTF-16LE without mark and terminator, as it stands on the wire (an odd last byte included).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Utf16(pub Bytes);

impl Utf16 {
    /// The text, and whether anything had to be replaced or dropped (half a surrogate pair, an odd last byte).
    #[must_use]
    pub fn text(&self) -> (String, bool) {
        let mut units = self.0.chunks_exact(2);
        let decoded: Result<String, _> = char::decode_utf16(units.by_ref().map(unit)).collect();
        let odd = !units.remainder().is_empty();
        match decoded {
            Ok(text) => (text, odd),
            Err(_) => {
                let units = self.0.chunks_exact(2).map(unit);
                let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
                (text, true)
            }
        }
    }

    /// Whether a single byte stands after the last whole unit.
    #[must_use]
    pub fn is_odd(&self) -> bool {
        !self.0.len().is_multiple_of(2)
    }
}

fn unit(pair: &[u8]) -> u16 {
    pair.try_into().map_or(0, u16::from_le_bytes)
}

impl From<&str> for Utf16 {
    fn from(text: &str) -> Self {
        Self(text.encode_utf16().flat_map(u16::to_le_bytes).collect())
    }
}

impl From<TmpMessage> for Tmp {
    /// As we send it: no flags, no options.
    fn from(message: TmpMessage) -> Self {
        Self { flag_7: false, reserved: 0, options: None, message }
    }
}

impl Tmp {
    #[must_use]
    pub fn opcode(&self) -> u16 {
        let flag_7 = if self.flag_7 { FLAG_7 } else { 0 };
        let options = if self.options.is_some() { FLAG_OPTIONS } else { 0 };
        let reserved = self.reserved & !(FLAG_7 | FLAG_OPTIONS);
        u16::from_be_bytes([flag_7 | options | reserved, self.message.service()])
    }

    pub(super) fn parse(opcode: u16, payload: &[u8]) -> Result<Self, DecodeError> {
        let [flags, service] = opcode.to_be_bytes();
        let mut reader = Reader::new(payload, HEADER);
        let option_length = if flags & FLAG_OPTIONS == 0 { None } else { Some(usize::from(reader.u16()?)) };
        let body_length = reader.left().checked_sub(option_length.unwrap_or(0)).ok_or(DecodeError::Field {
            field: "option length",
            at: HEADER,
            expected: "at most what is left of the payload",
        })?;
        let at = reader.at();
        let body = Reader::new(reader.take(body_length)?, at);
        let message = TmpMessage::parse(service, body)?;
        let options = option_length.map(|_| Bytes::copy_from_slice(reader.rest()));
        Ok(Self { flag_7: flags & FLAG_7 != 0, reserved: flags & !(FLAG_7 | FLAG_OPTIONS), options, message })
    }

    pub(super) fn payload(&self, out: &mut BytesMut) {
        if let Some(options) = &self.options {
            // More than the length can say does not fit into the frame's own length either: `emit` refuses it.
            out.put_u16(u16::try_from(options.len()).unwrap_or(u16::MAX));
        }
        self.message.payload(out);
        out.extend_from_slice(self.options.as_deref().unwrap_or_default());
    }
}

impl TmpMessage {
    /// The low byte of the opcode.
    #[must_use]
    pub const fn service(&self) -> u8 {
        match self {
            Self::PrivateText { .. } => 0xA1,
            Self::PrivateAck { .. } => 0xA2,
            Self::GroupText { .. } => 0xB1,
            Self::GroupAck { .. } => 0xB2,
            Self::PrivateData { .. } => 0xAE,
            Self::PrivateDataAck { .. } => 0xAF,
            Self::GroupData { .. } => 0xBE,
            Self::GroupDataAck { .. } => 0xBF,
            Self::WorkOrder { service, .. } => *service,
        }
    }

    fn parse(service: u8, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        if matches!(service, 0xAA..=0xAD) {
            return Ok(Self::WorkOrder { service, payload: Bytes::copy_from_slice(reader.rest()) });
        }
        if !matches!(service, 0xA1 | 0xA2 | 0xAE | 0xAF | 0xB1 | 0xB2 | 0xBE | 0xBF) {
            return Err(DecodeError::Unknown(format!("TMP service {service:02x}")));
        }
        let request = reader.u32()?;
        let to = RadioIp(reader.u32()?);
        if matches!(service, 0xB2 | 0xBF) {
            let result = reader.u8()?;
            reader.finish()?;
            return Ok(match service {
                0xB2 => Self::GroupAck { request, to, result },
                _ => Self::GroupDataAck { request, to, result },
            });
        }
        let from = RadioIp(reader.u32()?);
        if matches!(service, 0xA2 | 0xAF) {
            let result = reader.u8()?;
            reader.finish()?;
            return Ok(match service {
                0xA2 => Self::PrivateAck { request, to, from, result },
                _ => Self::PrivateDataAck { request, to, from, result },
            });
        }
        let data = Bytes::copy_from_slice(reader.rest());
        Ok(match service {
            0xA1 => Self::PrivateText { request, to, from, text: Utf16(data) },
            0xB1 => Self::GroupText { request, to, from, text: Utf16(data) },
            0xAE => Self::PrivateData { request, to, from, data },
            _ => Self::GroupData { request, to, from, data },
        })
    }

    fn payload(&self, out: &mut BytesMut) {
        match self {
            Self::PrivateText { request, to, from, text: Utf16(data) }
            | Self::GroupText { request, to, from, text: Utf16(data) }
            | Self::PrivateData { request, to, from, data }
            | Self::GroupData { request, to, from, data } => {
                out.put_u32(*request);
                out.put_u32(to.0);
                out.put_u32(from.0);
                out.extend_from_slice(data);
            }
            Self::PrivateAck { request, to, from, result } | Self::PrivateDataAck { request, to, from, result } => {
                out.put_u32(*request);
                out.put_u32(to.0);
                out.put_u32(from.0);
                out.put_u8(*result);
            }
            Self::GroupAck { request, to, result } | Self::GroupDataAck { request, to, result } => {
                out.put_u32(*request);
                out.put_u32(to.0);
                out.put_u8(*result);
            }
            Self::WorkOrder { payload, .. } => out.extend_from_slice(payload),
        }
    }
}
