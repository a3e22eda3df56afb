use super::RadioIp;
use super::bytes::Reader;
use super::hdap::HEADER;
use crate::codec::DecodeError;
use ::bytes::{BufMut, BytesMut};

/// The result of an accepted registration; 1 is a failure, 2 a wrong password.
pub const REGISTERED: u8 = 0;

/// Radio registration service, UDP 3002: presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rrs {
    /// 0003, radio to host: it was switched on or changed channel, or its renew time is near its end.
    Register { radio: RadioIp },
    /// 0080, host to radio: register again within `renew_s` seconds (1..=65534).
    RegisterAck { radio: RadioIp, result: u8, renew_s: u32 },
    /// 0001, radio to host: going away. Wants no answer.
    Offline { radio: RadioIp },
    /// 0002, host to radio: are you there?
    StatusCheck { radio: RadioIp },
    /// 0082, radio to host: 0 online, 1 offline.
    StatusCheckAnswer { radio: RadioIp, state: u8 },
}

impl Rrs {
    #[must_use]
    pub const fn opcode(&self) -> u16 {
        match self {
            Self::Register { .. } => 0x0003,
            Self::RegisterAck { .. } => 0x0080,
            Self::Offline { .. } => 0x0001,
            Self::StatusCheck { .. } => 0x0002,
            Self::StatusCheckAnswer { .. } => 0x0082,
        }
    }

    /// The radio that the frame is about.
    #[must_use]
    pub const fn radio(&self) -> RadioIp {
        match self {
            Self::Register { radio }
            | Self::RegisterAck { radio, .. }
            | Self::Offline { radio }
            | Self::StatusCheck { radio }
            | Self::StatusCheckAnswer { radio, .. } => *radio,
        }
    }

    pub(super) fn parse(opcode: u16, payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload, HEADER);
        let mut radio = || reader.u32().map(RadioIp);
        let rrs = match opcode {
            0x0003 => Self::Register { radio: radio()? },
            0x0080 => Self::RegisterAck { radio: radio()?, result: reader.u8()?, renew_s: reader.u32()? },
            0x0001 => Self::Offline { radio: radio()? },
            0x0002 => Self::StatusCheck { radio: radio()? },
            0x0082 => Self::StatusCheckAnswer { radio: radio()?, state: reader.u8()? },
            other => return Err(DecodeError::Unknown(format!("RRS {other:04x}"))),
        };
        reader.finish()?;
        Ok(rrs)
    }

    pub(super) fn payload(&self, out: &mut BytesMut) {
        out.put_u32(self.radio().0);
        match self {
            Self::RegisterAck { result, renew_s, .. } => {
                out.put_u8(*result);
                out.put_u32(*renew_s);
            }
            Self::StatusCheckAnswer { state, .. } => out.put_u8(*state),
            Self::Register { .. } | Self::Offline { .. } | Self::StatusCheck { .. } => {}
        }
    }
}
