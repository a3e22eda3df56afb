use super::bytes::Reader;
use super::hdap::HEADER;
use crate::codec::DecodeError;
use ::bytes::{BufMut, Bytes, BytesMut};

/// What [`Rcp::OwnAnswer`] is about: the id, or the address.
pub const OWN_ID: u8 = 0;
pub const OWN_IP: u8 = 1;
/// The target of [`Rcp::StatusReport`] that is the alarm key.
pub const TARGET_EMERGENCY: u8 = 9;
/// The status of a [`CallState`] that ends an alarm.
pub const STATUS_LEAVE_EMERGENCY: u16 = 10;
/// Filling of a forwarding mask.
const MASK_FILL: usize = 7;

/// Orders to a radio that we write: questions and what they switch on at our own radio. Whatever else a host may order
/// (remote disable and enable, remote monitor, keys, retries, management) is read only.
const WRITTEN: [u16; 7] = [0x0841, 0x0842, 0x10C9, 0x10C7, 0x1847, 0x0452, 0x00E7];

/// Radio control, UDP 3005 inside HRNP or 30009 inside HSTRP. Every number in it is little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rcp {
    /// 0841, host to radio.
    CallRequest { call_type: u8, target: u32 },
    /// 0842, host to radio.
    EndCall,
    /// 8841, 8842, 80C9, 8847, 80C7: what became of an order; 0 is done.
    Reply { opcode: u16, result: u8 },
    /// 10C9, host to radio: which call states are reported (0 sent, 1 heard), each on or off. Without it none is.
    ConfigureBroadcast { config: Vec<(u8, u8)> },
    /// B843: what our radio sends.
    Sending(CallState),
    /// B844: what our radio hears.
    Hearing(CallState),
    /// B845: what a repeater sends.
    Repeating { mode: u16, service: u16, call: CallState },
    /// 1847, host to radio: which messages are forwarded (1 text, 2 short data, 4 CSBK).
    ForwardMessages { mask: u8, fill: [u8; MASK_FILL] },
    /// 0452, host to radio: who are you? See [`OWN_ID`].
    AskOwn { what: u8 },
    /// 8452: the id little-endian, or the address in order.
    OwnAnswer { result: u8, what: u8, value: [u8; 4] },
    /// 10C7, host to radio: which states are reported, each on or off.
    Subscribe { settings: Vec<(u8, u8)> },
    /// B0C8: a state changed.
    StatusReport { target: u8, value: u16 },
    /// What has no published layout, kept whole.
    Opaque { opcode: u16, payload: Bytes },
}

/// A call as B843, B844 and B845 tell of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallState {
    pub status: u16,
    pub call_type: u16,
    pub target: u32,
    pub sender: u32,
}

impl CallState {
    /// Emergency group call, emergency alarm, emergency alarm call.
    #[must_use]
    pub const fn is_emergency(&self) -> bool {
        matches!(self.call_type, 3 | 5 | 12)
    }
}

impl Rcp {
    #[must_use]
    pub const fn opcode(&self) -> u16 {
        match self {
            Self::CallRequest { .. } => 0x0841,
            Self::EndCall => 0x0842,
            Self::ConfigureBroadcast { .. } => 0x10C9,
            Self::Sending(_) => 0xB843,
            Self::Hearing(_) => 0xB844,
            Self::Repeating { .. } => 0xB845,
            Self::ForwardMessages { .. } => 0x1847,
            Self::AskOwn { .. } => 0x0452,
            Self::OwnAnswer { .. } => 0x8452,
            Self::Subscribe { .. } => 0x10C7,
            Self::StatusReport { .. } => 0xB0C8,
            Self::Reply { opcode, .. } | Self::Opaque { opcode, .. } => *opcode,
        }
    }

    /// Whether we write it at all: answers and reports (for simulated radios), and harmless orders.
    #[must_use]
    pub fn may_be_written(&self) -> bool {
        let opcode = self.opcode();
        opcode & 0x8000 != 0 || WRITTEN.contains(&opcode)
    }

    pub(super) fn parse(opcode: u16, payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload, HEADER);
        let rcp = match opcode {
            0x0841 => Self::CallRequest { call_type: reader.u8()?, target: u32_le(&mut reader)? },
            0x0842 => Self::EndCall,
            0x8841 | 0x8842 | 0x80C9 | 0x8847 | 0x80C7 => Self::Reply { opcode, result: reader.u8()? },
            0x10C9 => Self::ConfigureBroadcast { config: pairs(&mut reader)? },
            0x10C7 => Self::Subscribe { settings: pairs(&mut reader)? },
            0xB843 => Self::Sending(call_state(&mut reader)?),
            0xB844 => Self::Hearing(call_state(&mut reader)?),
            0xB845 => {
                let (mode, status, service) = (u16_le(&mut reader)?, u16_le(&mut reader)?, u16_le(&mut reader)?);
                let call_type = u16_le(&mut reader)?;
                let (target, sender) = (u32_le(&mut reader)?, u32_le(&mut reader)?);
                Self::Repeating { mode, service, call: CallState { status, call_type, target, sender } }
            }
            0x1847 => Self::ForwardMessages { mask: reader.u8()?, fill: reader.array()? },
            0x0452 => Self::AskOwn { what: reader.u8()? },
            0x8452 => Self::OwnAnswer { result: reader.u8()?, what: reader.u8()?, value: reader.array()? },
            0xB0C8 => Self::StatusReport { target: reader.u8()?, value: u16_le(&mut reader)? },
            _ => return Ok(Self::Opaque { opcode, payload: Bytes::copy_from_slice(payload) }),
        };
        reader.finish()?;
        Ok(rcp)
    }

    pub(super) fn payload(&self, out: &mut BytesMut) {
        match self {
            Self::CallRequest { call_type, target } => {
                out.put_u8(*call_type);
                out.put_u32_le(*target);
            }
            Self::EndCall => {}
            Self::Reply { result, .. } => out.put_u8(*result),
            Self::ConfigureBroadcast { config: list } | Self::Subscribe { settings: list } => put_pairs(out, list),
            Self::Sending(call) | Self::Hearing(call) => {
                out.put_u16_le(call.status);
                put_call(out, call);
            }
            Self::Repeating { mode, service, call } => {
                out.put_u16_le(*mode);
                out.put_u16_le(call.status);
                out.put_u16_le(*service);
                put_call(out, call);
            }
            Self::ForwardMessages { mask, fill } => {
                out.put_u8(*mask);
                out.put_slice(fill);
            }
            Self::AskOwn { what } => out.put_u8(*what),
            Self::OwnAnswer { result, what, value } => {
                out.put_slice(&[*result, *what]);
                out.put_slice(value);
            }
            Self::StatusReport { target, value } => {
                out.put_u8(*target);
                out.put_u16_le(*value);
            }
            Self::Opaque { payload, .. } => out.put_slice(payload),
        }
    }
}

fn u16_le(reader: &mut Reader<'_>) -> Result<u16, DecodeError> {
    reader.array().map(u16::from_le_bytes)
}

fn u32_le(reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    reader.array().map(u32::from_le_bytes)
}

fn call_state(reader: &mut Reader<'_>) -> Result<CallState, DecodeError> {
    Ok(CallState {
        status: u16_le(reader)?,
        call_type: u16_le(reader)?,
        target: u32_le(reader)?,
        sender: u32_le(reader)?,
    })
}

fn put_call(out: &mut BytesMut, call: &CallState) {
    out.put_u16_le(call.call_type);
    out.put_u32_le(call.target);
    out.put_u32_le(call.sender);
}

/// A count and so many pairs.
fn pairs(reader: &mut Reader<'_>) -> Result<Vec<(u8, u8)>, DecodeError> {
    let count = reader.u8()?;
    (0..count).map(|_| Ok((reader.u8()?, reader.u8()?))).collect()
}

/// A list of more than 255 is cut: no such list is made.
fn put_pairs(out: &mut BytesMut, list: &[(u8, u8)]) {
    let count = u8::try_from(list.len()).unwrap_or(u8::MAX);
    out.put_u8(count);
    for (what, value) in list.iter().take(count.into()) {
        out.put_slice(&[*what, *value]);
    }
}
