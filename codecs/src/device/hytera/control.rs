//! What radio control says: calls, alarms, and who our own radio is.

use super::carried::rcp_name;
use super::settings::{Carrier, Settings};
use super::wire::{CallState, OWN_ID, RadioIp, Rcp, STATUS_LEAVE_EMERGENCY, TARGET_EMERGENCY};
use crate::message::{Bearer, CardInfo, CardState, Signal, TerminalId};

const UNIT_BITS: u32 = 16;

pub(super) fn read(rcp: &Rcp, settings: &Settings) -> Option<Signal> {
    let remark = |what, detail| Some(Signal::Remark { what, detail });
    match rcp {
        Rcp::Hearing(call) if call.status == STATUS_LEAVE_EMERGENCY => {
            Some(Signal::Emergency { of: id(call.sender), on: false })
        }
        Rcp::Hearing(call) if call.is_emergency() => Some(Signal::Emergency { of: id(call.sender), on: true }),
        Rcp::Hearing(call) => remark("电台收到呼叫", told(call)),
        Rcp::Sending(call) => remark("本台正在发射", told(call)),
        Rcp::Repeating { service, call, .. } => remark("中继发射状态", format!("{}，业务 {service}", told(call))),
        // The alarm key of our own radio, whose number may not be told.
        Rcp::StatusReport { target: TARGET_EMERGENCY, value } => {
            Some(Signal::Emergency { of: id(settings.base_radio), on: *value != 0 })
        }
        Rcp::StatusReport { target, value } => remark("电台状态变化", format!("对象 {target:02x}，值 {value}")),
        Rcp::OwnAnswer { result: 0, what: OWN_ID, value } => own(u32::from_le_bytes(*value), settings),
        Rcp::OwnAnswer { result, .. } if *result != 0 => remark("电台不肯说明本机号", format!("结果 {result}")),
        Rcp::Reply { opcode, result } if *result != 0 => {
            remark("电台未执行命令", format!("{} {opcode:04x} 结果 {result}", rcp_name(*opcode).unwrap_or("unknown")))
        }
        Rcp::Opaque { opcode, payload } => {
            let name = rcp_name(*opcode).unwrap_or("unknown");
            remark("未公开格式的控制帧", format!("{name} {opcode:04x} {}", hex::encode(payload)))
        }
        // Done as told, and what hosts say.
        Rcp::Reply { .. }
        | Rcp::OwnAnswer { .. }
        | Rcp::CallRequest { .. }
        | Rcp::EndCall
        | Rcp::ConfigureBroadcast { .. }
        | Rcp::ForwardMessages { .. }
        | Rcp::AskOwn { .. }
        | Rcp::Subscribe { .. } => None,
    }
}

/// The number of the radio on the cable: only texts for it are ours. A repeater is nobody's radio.
fn own(number: u32, settings: &Settings) -> Option<Signal> {
    let usable = settings.carrier == Carrier::Hrnp && (1..=RadioIp::ID_MAX).contains(&number);
    usable.then(|| {
        Signal::Card(CardInfo {
            state: CardState::Present,
            own: id(number),
            period: Some(settings.pace),
            capacity_bits: Some(u32::from(settings.text_max).saturating_mul(UNIT_BITS)),
            broadcast: None,
            subordinates: 0,
        })
    })
}

fn id(number: u32) -> TerminalId {
    TerminalId::from_number(Bearer::Radio370, number & RadioIp::ID_MAX)
}

fn told(call: &CallState) -> String {
    let kind = match call.call_type {
        0 | 6 => "单呼",
        1 | 7 => "组呼",
        2 | 8 => "全呼",
        3 => "紧急组呼",
        4 => "远程监听",
        5 => "紧急报警",
        9 => "调度呼叫",
        10 => "计算机呼叫",
        11 => "提示呼叫",
        12 => "紧急报警呼叫",
        13 => "在线检测",
        14 => "遥开",
        15 => "遥闭",
        _ => "未知呼叫",
    };
    format!("{kind}，主叫 {}，被叫 {}，状态 {}", call.sender, call.target, call.status)
}
