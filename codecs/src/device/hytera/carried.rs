//! What `explain` says of RCP, and of the layers that carry HDAP: HRNP and HSTRP.

use super::fields::{hdap, put};
use super::wire::{CallState, Hdap, Hrnp, HrnpKind, Hstrp, HstrpKind, OWN_ID, OWN_IP, Rcp};
use crate::codec::DecodeError;
use crate::device::{Fields, Label};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// Labels of the fields that only these have.
pub(super) const LABELS: &[Label] = &[
    ("version", "版本", ""),
    ("block", "分块号", ""),
    ("source", "源地址", ""),
    ("destination", "目的地址", ""),
    ("packet_number", "包号", ""),
    ("checksum", "校验和", ""),
    ("hdap_checksum_ok", "内层校验正确", ""),
    ("flags", "标志", ""),
    ("sequence", "序号", ""),
    ("options", "选项", ""),
    ("hdap", "内层帧", ""),
    ("hdap_more", "其余内层帧", ""),
    ("voice_hex", "语音数据", ""),
    ("call_type", "呼叫类型", ""),
    ("target_id", "被叫号", ""),
    ("sender_id", "主叫号", ""),
    ("status", "状态", ""),
    ("mode", "模式", ""),
    ("tx_service", "正在发射的业务", ""),
    ("config", "上报设置（0 发射 1 接收）", ""),
    ("settings", "状态上报设置", ""),
    ("broadcast_type", "转发消息掩码", ""),
    ("target", "查询或状态对象", ""),
    ("value", "数值", ""),
    ("value_hex", "数值原文", ""),
];

/// A frame and nothing else: its length field says where it ends.
pub(super) fn hrnp(bytes: &[u8]) -> Result<Fields, DecodeError> {
    let (frame, rest) = Hrnp::parse(bytes)?;
    if !rest.is_empty() {
        return Err(DecodeError::Trailing(rest.len()));
    }
    let mut fields = Fields::new();
    put(&mut fields, "version", frame.version);
    put(&mut fields, "block", frame.block);
    put(&mut fields, "opcode", frame.kind.name());
    put(&mut fields, "source", frame.source);
    put(&mut fields, "destination", frame.destination);
    put(&mut fields, "packet_number", frame.number);
    put(&mut fields, "length", bytes.len());
    put(&mut fields, "checksum", format!("0x{}", hex::encode(bytes.get(10..12).unwrap_or_default())));
    match frame.kind {
        HrnpKind::Data if !frame.payload.is_empty() => {
            let (inner, rest) = Hdap::parse(&frame.payload)?;
            if !rest.is_empty() {
                return Err(DecodeError::Trailing(rest.len()));
            }
            put(&mut fields, "hdap", hdap(&inner));
            put(&mut fields, "hdap_checksum_ok", true);
        }
        HrnpKind::Voice => put(&mut fields, "voice_hex", hex::encode(&frame.payload)),
        _ => {}
    }
    Ok(fields)
}

/// A whole datagram. Sequence and option values have no checksum: see [`Hstrp`].
pub(super) fn hstrp(bytes: &[u8]) -> Result<Fields, DecodeError> {
    let datagram = Hstrp::parse(bytes)?;
    let frames = datagram.frames()?;
    let mut fields = Fields::new();
    put(&mut fields, "version", 0);
    put(&mut fields, "type", format!("0x{}", hex::encode(bytes.get(3..4).unwrap_or_default())));
    let kind = match datagram.kind {
        HstrpKind::Data => None,
        HstrpKind::Heartbeat => Some("heartbeat"),
        HstrpKind::Connect => Some("connect"),
        HstrpKind::Close => Some("close"),
        HstrpKind::Reject => Some("reject"),
    };
    let option = bytes.get(3).is_some_and(|code| code & 0x20 != 0).then_some("option");
    let flags: Vec<Value> =
        [option, kind, datagram.ack.then_some("ack")].into_iter().flatten().map(Value::from).collect();
    put(&mut fields, "flags", flags);
    put(&mut fields, "sequence", datagram.sequence);
    if option.is_some() {
        let options = datagram.options.iter().map(|option| json!({"cmd": option.id, "value": option.number()}));
        put(&mut fields, "options", options.collect::<Vec<_>>());
    }
    let mut frames = frames.iter().map(hdap);
    if let Some(first) = frames.next() {
        put(&mut fields, "hdap", first);
    }
    let more: Vec<Value> = frames.map(Value::from).collect();
    if !more.is_empty() {
        put(&mut fields, "hdap_more", more);
    }
    Ok(fields)
}

/// The name of an opcode; `None` for those of management and others that have no published meaning.
pub(super) const fn rcp_name(opcode: u16) -> Option<&'static str> {
    Some(match opcode {
        0x0841 => "call_request",
        0x8841 => "call_reply",
        0x0842 => "remove_call_request",
        0x8842 => "remove_call_reply",
        0x10C9 => "broadcast_status_config_request",
        0x80C9 => "broadcast_status_config_reply",
        0xB843 => "broadcast_transmit_status",
        0xB844 => "broadcast_receive_status",
        0xB845 => "repeater_broadcast_transmit_status",
        0x1847 => "broadcast_message_config_request",
        0x8847 => "broadcast_message_config_reply",
        0x0452 => "radio_id_ip_query_request",
        0x8452 => "radio_id_ip_query_reply",
        0x10C7 => "status_change_notification_request",
        0x80C7 => "status_change_notification_reply",
        0xB0C8 => "radio_status_report",
        0x0041 => "button_operation_request",
        0x8041 => "button_operation_reply",
        0x0851 => "emergency_alarm_request",
        0x8851 => "emergency_alarm_reply",
        0x0853 => "cancel_emergency_alarm_request",
        0x8853 => "cancel_emergency_alarm_reply",
        0x0833 => "radio_check",
        0x8833 => "radio_check_ack",
        0x0834 => "remote_monitor",
        0x8834 => "remote_monitor_ack",
        0x0835 => "alert_call",
        0x8835 => "alert_call_ack",
        0x0849 => "radio_disable",
        0x8849 => "radio_disable_ack",
        0x084A => "radio_enable",
        0x884A => "radio_enable_ack",
        0x084B => "data_retry_times_request",
        0x884B => "data_retry_times_reply",
        0x00E7 => "channel_status_check_request",
        0x80E7 => "channel_status_check_reply",
        _ => return None,
    })
}

pub(super) fn put_rcp(fields: &mut Fields, rcp: &Rcp) {
    if let Some(name) = rcp_name(rcp.opcode()) {
        put(fields, "type", name);
    }
    match rcp {
        Rcp::CallRequest { call_type, target } => {
            put(fields, "call_type", *call_type);
            put(fields, "target_id", *target);
        }
        Rcp::EndCall => {}
        Rcp::Reply { result, .. } => put(fields, "result", *result),
        Rcp::ConfigureBroadcast { config } => put(fields, "config", pairs(config)),
        Rcp::Subscribe { settings } => put(fields, "settings", pairs(settings)),
        Rcp::Sending(call) | Rcp::Hearing(call) => put_call(fields, call),
        Rcp::Repeating { mode, service, call } => {
            put(fields, "mode", *mode);
            put(fields, "tx_service", *service);
            put_call(fields, call);
        }
        Rcp::ForwardMessages { mask, fill } => {
            put(fields, "broadcast_type", *mask);
            if fill.iter().any(|byte| *byte != 0) {
                put(fields, "extra_hex", hex::encode(fill));
            }
        }
        Rcp::AskOwn { what } => put(fields, "target", *what),
        Rcp::OwnAnswer { result, what, value } => {
            put(fields, "result", *result);
            put(fields, "target", *what);
            put(fields, "value_hex", hex::encode(value));
            match *what {
                OWN_ID => put(fields, "radio_id", u32::from_le_bytes(*value)),
                OWN_IP => put(fields, "radio_ip", Ipv4Addr::from(*value).to_string()),
                _ => {}
            }
        }
        Rcp::StatusReport { target, value } => {
            put(fields, "target", *target);
            put(fields, "value", *value);
        }
        Rcp::Opaque { payload, .. } => put(fields, "payload_hex", hex::encode(payload)),
    }
}

fn pairs(list: &[(u8, u8)]) -> Value {
    list.iter().map(|(what, value)| json!([what, value])).collect()
}

fn put_call(fields: &mut Fields, call: &CallState) {
    put(fields, "status", call.status);
    put(fields, "call_type", call.call_type);
    put(fields, "target_id", call.target);
    put(fields, "sender_id", call.sender);
}
