use super::bytes::Reader;
use crate::codec::DecodeError;
use ::bytes::{BufMut, Bytes, BytesMut};

const CALL_REQUEST: u16 = 0x0841;
const CALL_REPLY: u16 = 0x8841;
const END_CALL: u16 = 0x0842;
const BROADCAST_CONFIG: u16 = 0x10C9;
const TRANSMIT_STATUS: u16 = 0xB843;
const RECEIVE_STATUS: u16 = 0xB844;
const REPEATER_STATUS: u16 = 0xB845;
const MESSAGE_CONFIG: u16 = 0x1847;
const MESSAGE_CONFIG_REPLY: u16 = 0x8847;
const ID_QUERY: u16 = 0x0452;
const ID_REPLY: u16 = 0x8452;
const SUBSCRIBE: u16 = 0x10C7;
const SUBSCRIBE_REPLY: u16 = 0x80C7;
const STATUS_CHANGE: u16 = 0xB0C8;
const KEY: u16 = 0x0041;

/// Opcodes whose payload is carried as it is: number and name. Disabling and enabling a radio, monitoring it and its alarms are
/// recognised when somebody else says them; nothing here builds them.
const NAMED: [(u16, &str); 17] = [
    (0x8842, "end_call_reply"),
    (0x80C9, "broadcast_status_config_reply"),
    (0x8041, "key_operation_reply"),
    (0x0833, "radio_check_request"),
    (0x8833, "radio_check_reply"),
    (0x0834, "remote_monitor_request"),
    (0x8834, "remote_monitor_reply"),
    (0x0835, "alert_call_request"),
    (0x8835, "alert_call_reply"),
    (0x0849, "radio_disable_request"),
    (0x8849, "radio_disable_reply"),
    (0x084A, "radio_enable_request"),
    (0x884A, "radio_enable_reply"),
    (0x084B, "data_retries_request"),
    (0x884B, "data_retries_reply"),
    (0x00E7, "channel_status_check_request"),
    (0x80E7, "channel_status_check_reply"),
];
/// Emergency alarm with its sender, and its cancellation: names from the vendor's listing, no capture.
const ALARM: u16 = 0x0851;
const ALARM_CANCELLED: u16 = 0x0853;

/// Radio control (RCP, port 3005 in HRNP, 30009 in HSTRP): the one service whose numbers are little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rcp {
    CallRequest {
        call_type: u8,
        target: u32,
    },
    CallReply {
        result: u8,
    },
    EndCall,
    /// Which events the radio shall tell: pairs of 0 (transmit) or 1 (receive) and 0/1. Without it there are none.
    BroadcastConfig(Vec<(u8, u8)>),
    /// The radio sends (B843) or receives (B844).
    Status {
        received: bool,
        status: u16,
        call_type: u16,
        target: u32,
        sender: u32,
    },
    RepeaterStatus {
        mode: u16,
        status: u16,
        service: u16,
        call_type: u16,
        target: u32,
        sender: u32,
    },
    /// Which messages the radio forwards: bit 0 texts, 1 short data, 2 CSBK.
    MessageConfig {
        mask: u8,
        rest: [u8; 7],
    },
    MessageConfigReply {
        result: u8,
    },
    /// The radio's id (0) or IP (1).
    IdQuery {
        what: u8,
    },
    IdReply {
        result: u8,
        what: u8,
        value: [u8; 4],
    },
    Subscribe(Vec<(u8, u8)>),
    SubscribeReply {
        result: u8,
    },
    StatusChange {
        target: u8,
        value: u16,
    },
    Key {
        key: u8,
        operation: u8,
    },
    /// Anything else, as it came.
    Opaque {
        opcode: u16,
        payload: Bytes,
    },
}

impl Rcp {
    /// Tells the radio to report what it transmits and receives.
    #[must_use]
    pub fn tell_status() -> Self {
        Self::BroadcastConfig(vec![(0, 1), (1, 1)])
    }

    #[must_use]
    pub const fn opcode(&self) -> u16 {
        match self {
            Self::CallRequest { .. } => CALL_REQUEST,
            Self::CallReply { .. } => CALL_REPLY,
            Self::EndCall => END_CALL,
            Self::BroadcastConfig(_) => BROADCAST_CONFIG,
            Self::Status { received: false, .. } => TRANSMIT_STATUS,
            Self::Status { received: true, .. } => RECEIVE_STATUS,
            Self::RepeaterStatus { .. } => REPEATER_STATUS,
            Self::MessageConfig { .. } => MESSAGE_CONFIG,
            Self::MessageConfigReply { .. } => MESSAGE_CONFIG_REPLY,
            Self::IdQuery { .. } => ID_QUERY,
            Self::IdReply { .. } => ID_REPLY,
            Self::Subscribe(_) => SUBSCRIBE,
            Self::SubscribeReply { .. } => SUBSCRIBE_REPLY,
            Self::StatusChange { .. } => STATUS_CHANGE,
            Self::Key { .. } => KEY,
            Self::Opaque { opcode, .. } => *opcode,
        }
    }

    /// The name of what is said; `None` for opcodes that are not public.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        Some(match self {
            Self::CallRequest { .. } => "call_request",
            Self::CallReply { .. } => "call_reply",
            Self::EndCall => "end_call",
            Self::BroadcastConfig(_) => "broadcast_status_config_request",
            Self::Status { received: false, .. } => "broadcast_transmit_status",
            Self::Status { received: true, .. } => "broadcast_receive_status",
            Self::RepeaterStatus { .. } => "repeater_broadcast_transmit_status",
            Self::MessageConfig { .. } => "broadcast_message_config_request",
            Self::MessageConfigReply { .. } => "broadcast_message_config_reply",
            Self::IdQuery { .. } => "radio_id_ip_query_request",
            Self::IdReply { .. } => "radio_id_ip_query_reply",
            Self::Subscribe(_) => "status_change_notification_request",
            Self::SubscribeReply { .. } => "status_change_notification_reply",
            Self::StatusChange { .. } => "status_change_notification",
            Self::Key { .. } => "key_operation_request",
            Self::Opaque { opcode: ALARM, .. } => "emergency_alarm",
            Self::Opaque { opcode: ALARM_CANCELLED, .. } => "emergency_alarm_cancel",
            Self::Opaque { opcode, .. } => {
                return NAMED.iter().find(|(known, _)| known == opcode).map(|(_, name)| *name);
            }
        })
    }

    pub(super) fn parse(opcode: u16, payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload, super::hdap::HEADER);
        let read = &mut reader;
        let rcp = match opcode {
            CALL_REQUEST => Self::CallRequest { call_type: read.u8()?, target: u32_le(read)? },
            CALL_REPLY => Self::CallReply { result: read.u8()? },
            END_CALL if payload.is_empty() => Self::EndCall,
            BROADCAST_CONFIG => Self::BroadcastConfig(pairs(read)?),
            TRANSMIT_STATUS | RECEIVE_STATUS => Self::Status {
                received: opcode == RECEIVE_STATUS,
                status: u16_le(read)?,
                call_type: u16_le(read)?,
                target: u32_le(read)?,
                sender: u32_le(read)?,
            },
            REPEATER_STATUS => Self::RepeaterStatus {
                mode: u16_le(read)?,
                status: u16_le(read)?,
                service: u16_le(read)?,
                call_type: u16_le(read)?,
                target: u32_le(read)?,
                sender: u32_le(read)?,
            },
            MESSAGE_CONFIG => Self::MessageConfig { mask: read.u8()?, rest: read.array()? },
            MESSAGE_CONFIG_REPLY => Self::MessageConfigReply { result: read.u8()? },
            ID_QUERY => Self::IdQuery { what: read.u8()? },
            ID_REPLY => Self::IdReply { result: read.u8()?, what: read.u8()?, value: read.array()? },
            SUBSCRIBE => Self::Subscribe(pairs(read)?),
            SUBSCRIBE_REPLY => Self::SubscribeReply { result: read.u8()? },
            STATUS_CHANGE => Self::StatusChange { target: read.u8()?, value: u16_le(read)? },
            KEY => Self::Key { key: read.u8()?, operation: read.u8()? },
            opcode => {
                let payload = Bytes::copy_from_slice(read.take(payload.len())?);
                Self::Opaque { opcode, payload }
            }
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
            Self::CallReply { result } | Self::MessageConfigReply { result } | Self::SubscribeReply { result } => {
                out.put_u8(*result);
            }
            Self::EndCall => {}
            Self::BroadcastConfig(list) | Self::Subscribe(list) => {
                out.put_u8(u8::try_from(list.len()).unwrap_or(u8::MAX));
                out.extend(list.iter().take(usize::from(u8::MAX)).flat_map(|(what, on)| [*what, *on]));
            }
            Self::Status { status, call_type, target, sender, .. } => {
                [*status, *call_type].iter().for_each(|number| out.put_u16_le(*number));
                [*target, *sender].iter().for_each(|number| out.put_u32_le(*number));
            }
            Self::RepeaterStatus { mode, status, service, call_type, target, sender } => {
                [*mode, *status, *service, *call_type].iter().for_each(|number| out.put_u16_le(*number));
                [*target, *sender].iter().for_each(|number| out.put_u32_le(*number));
            }
            Self::MessageConfig { mask, rest } => {
                out.put_u8(*mask);
                out.extend_from_slice(rest);
            }
            Self::IdQuery { what } => out.put_u8(*what),
            Self::IdReply { result, what, value } => {
                out.extend([*result, *what]);
                out.extend_from_slice(value);
            }
            Self::StatusChange { target, value } => {
                out.put_u8(*target);
                out.put_u16_le(*value);
            }
            Self::Key { key, operation } => out.extend([*key, *operation]),
            Self::Opaque { payload, .. } => out.extend_from_slice(payload),
        }
    }

    /// Whether a radio raises or ends an alarm, and which: the vendor's call types 3, 5 and 12 and status target 9 begin one,
    /// receive status 10 ends it. No capture of a real alarm is public.
    #[must_use]
    pub const fn alarm(&self) -> Option<(Option<u32>, bool)> {
        const ALARM_CALLS: [u16; 3] = [3, 5, 12];
        const LEFT_ALARM: u16 = 10;
        const EMERGENCY_TARGET: u8 = 9;
        match self {
            Self::Status { received: true, status: LEFT_ALARM, sender, .. } => Some((Some(*sender), false)),
            Self::Status { received: true, call_type, sender, .. }
                if *call_type == ALARM_CALLS[0] || *call_type == ALARM_CALLS[1] || *call_type == ALARM_CALLS[2] =>
            {
                Some((Some(*sender), true))
            }
            // Our own radio's key.
            Self::StatusChange { target: EMERGENCY_TARGET, value } => Some((None, *value != 0)),
            _ => None,
        }
    }
}

fn u16_le(reader: &mut Reader<'_>) -> Result<u16, DecodeError> {
    reader.array::<2>().map(u16::from_le_bytes)
}

fn u32_le(reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    reader.array::<4>().map(u32::from_le_bytes)
}

fn pairs(reader: &mut Reader<'_>) -> Result<Vec<(u8, u8)>, DecodeError> {
    let count = reader.u8()?;
    (0..count).map(|_| Ok((reader.u8()?, reader.u8()?))).collect()
}
