use super::bytes::Reader;
use super::hdap::HEADER;
use super::{RadioIp, Service};
use crate::codec::DecodeError;
use ::bytes::{BufMut, BytesMut};

/// Data delivery state: what the network says became of a frame of another service. It carries no request id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dds {
    /// The service it is about: it is the opcode.
    pub about: Service,
    pub radio: RadioIp,
    /// The opcode of the frame it is about.
    pub about_opcode: u16,
    /// 0 delivered.
    pub result: u8,
}

impl Dds {
    #[must_use]
    pub fn opcode(&self) -> u16 {
        u16::from(self.about.code())
    }

    pub(super) fn parse(opcode: u16, payload: &[u8]) -> Result<Self, DecodeError> {
        let about = u8::try_from(opcode).ok().and_then(Service::from_code);
        let about = about.ok_or_else(|| DecodeError::Unknown(format!("DDS {opcode:04x}")))?;
        let mut reader = Reader::new(payload, HEADER);
        let radio = RadioIp(reader.u32()?);
        let dds = Self { about, radio, about_opcode: reader.u16()?, result: reader.u8()? };
        reader.finish()?;
        Ok(dds)
    }

    pub(super) fn payload(&self, out: &mut BytesMut) {
        out.put_u32(self.radio.0);
        out.put_u16(self.about_opcode);
        out.put_u8(self.result);
    }
}
