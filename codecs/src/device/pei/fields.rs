use super::codec::status_word;
use super::wire::at::error_word;
use super::wire::sds::read_text;
use super::wire::{Command, HostLine, Indication, Location, RadioLine, Sds, Transfer, lip, short_report};
use crate::codec::DecodeError;
use crate::device::{Direction, Fields, Label, Protocol};
use serde_json::{Value, json};

/// The protocols by their names in the vectors.
pub(super) const PROTOCOLS: &[Protocol] = &[
    Protocol { name: "pei-at", explain: at },
    Protocol { name: "pei-lip", explain: |_: Direction, bytes| location(bytes) },
];

pub(super) const LABELS: &[Label] = &[
    ("command", "命令", ""),
    ("ai_service", "空口业务（12 短数据 13 状态）", ""),
    ("calling", "主叫号码", ""),
    ("calling_type", "主叫号码类型（0 短号 1 长号 2 外线）", ""),
    ("called", "被叫号码", ""),
    ("called_type", "被叫号码类型（0 短号 1 长号 2 外线）", ""),
    ("dest", "收方号码", ""),
    ("bits", "用户数据长度", " 比特"),
    ("e2ee", "端到端加密", ""),
    ("pdu_hex", "用户数据", ""),
    ("terminator", "结束符", ""),
    ("pid", "协议标识", ""),
    ("type", "类型", ""),
    ("msg_ref", "短信编号", ""),
    ("report_request", "要求的回执", ""),
    ("short_form", "可用短回执", ""),
    ("store_forward", "存储转发", ""),
    ("forward_hex", "有效期与转发地址", ""),
    ("coding", "文字编码", ""),
    ("timestamp_hex", "时间戳", ""),
    ("concat_ref", "分段编号", ""),
    ("total", "总段数", ""),
    ("part", "第几段", ""),
    ("ack_required", "要求确认回执", ""),
    ("report", "短回执", ""),
    ("instance", "短信栈序号", ""),
    ("reference", "网络编号", ""),
    ("min_bits", "最短", " 比特"),
    ("max_bits", "最长", " 比特"),
    ("error", "错误码", ""),
    ("satellites", "卫星数", " 颗"),
    ("name", "名称", ""),
    ("lip", "定位短报告", ""),
    ("lip_pdu_type", "报告类型（0 短 1 长）", ""),
    ("time_elapsed", "距定位时间（0 <5 秒 1 <5 分 2 <30 分 3 不明）", ""),
    ("position_error_code", "误差等级", ""),
    ("velocity_code", "速度码（127 不明）", ""),
    ("speed_cm_s", "速度", " 厘米/秒"),
    ("heading_deg", "航向", "°"),
    ("additional_type", "附加数据类型", ""),
    ("additional_data", "附加数据", ""),
];

fn put(fields: &mut Fields, name: &str, value: impl Into<Value>) {
    fields.insert(name.to_owned(), value.into());
}

fn at(direction: Direction, bytes: &[u8]) -> Result<Fields, DecodeError> {
    match direction {
        Direction::ToTerminal => HostLine::parse(bytes).and_then(|line| host(&line)),
        Direction::FromTerminal => RadioLine::parse(bytes).and_then(|line| radio(&line)),
        Direction::Any if bytes.starts_with(b"AT") => HostLine::parse(bytes).and_then(|line| host(&line)),
        Direction::Any => RadioLine::parse(bytes).and_then(|line| radio(&line)),
    }
}

fn host(line: &HostLine) -> Result<Fields, DecodeError> {
    let mut fields = Fields::new();
    match line {
        HostLine::Send { to, bits, hex } => {
            put(&mut fields, "command", "AT+CMGS");
            put(&mut fields, "dest", to.as_str());
            put(&mut fields, "bits", *bits);
            put(&mut fields, "pdu_hex", hex.as_str());
            put(&mut fields, "terminator", "0x1A");
            user_data(&mut fields, hex, None)?;
        }
        HostLine::Service { service, called_type, rest } => {
            put(&mut fields, "command", "AT+CTSDS");
            put(&mut fields, "ai_service", *service);
            put(&mut fields, "called_type", *called_type);
            put(&mut fields, "args", rest.iter().map(u16::to_string).collect::<Vec<_>>().join(","));
        }
        HostLine::Plain(command) => {
            let (name, argument) = match command {
                Command::Attention => ("AT", None),
                Command::EchoOff => ("ATE0", None),
                Command::Mode(mode) => ("AT+CTOM", Some(mode.to_string())),
                Command::Profile(profile) => ("AT+CTSP", Some(profile.clone())),
                Command::AskSendRange => ("AT+CMGS=?", None),
            };
            put(&mut fields, "command", name);
            if let Some(argument) = argument {
                put(&mut fields, "args", argument);
            }
        }
    }
    Ok(fields)
}

fn radio(line: &RadioLine) -> Result<Fields, DecodeError> {
    let mut fields = Fields::new();
    match line {
        RadioLine::Blank => return Err(DecodeError::Length { expected: 1, found: 0 }),
        RadioLine::Ok => put(&mut fields, "result", "OK"),
        RadioLine::Error => put(&mut fields, "result", "ERROR"),
        RadioLine::Busy => put(&mut fields, "result", "BUSY"),
        RadioLine::Prompt => put(&mut fields, "type", "prompt"),
        RadioLine::Echo(text) => {
            put(&mut fields, "type", "echo");
            put(&mut fields, "text", text.as_str());
        }
        RadioLine::CmeError(code) => {
            put(&mut fields, "error", *code);
            put(&mut fields, "meaning", error_word(*code).map_or_else(|| code.to_string(), str::to_owned));
        }
        RadioLine::Indication(indication) => return indicated(indication),
        RadioLine::Sent { instance, status, reference } => {
            put(&mut fields, "instance", *instance);
            if let Some(status) = status {
                put(&mut fields, "status", *status);
            }
            if let Some(reference) = reference {
                put(&mut fields, "reference", *reference);
            }
        }
        RadioLine::SendRange { min, max } => {
            put(&mut fields, "min_bits", *min);
            put(&mut fields, "max_bits", *max);
        }
        RadioLine::Gps { time, lat_e6, lon_e6, satellites } => {
            put(&mut fields, "time", time.as_str());
            put(&mut fields, "lat", f64::from(*lat_e6) / 1e6);
            put(&mut fields, "lon", f64::from(*lon_e6) / 1e6);
            put(&mut fields, "satellites", *satellites);
        }
        RadioLine::Other { name, rest } => {
            put(&mut fields, "name", name.as_str());
            put(&mut fields, "args", rest.as_str());
        }
    }
    Ok(fields)
}

fn indicated(indication: &Indication) -> Result<Fields, DecodeError> {
    let mut fields = Fields::new();
    put(&mut fields, "ai_service", indication.service);
    if let Some(calling) = &indication.calling {
        put(&mut fields, "calling", calling.as_str());
    }
    if let Some(kind) = indication.calling_type {
        put(&mut fields, "calling_type", kind);
    }
    put(&mut fields, "called", indication.called.as_str());
    if let Some(kind) = indication.called_type {
        put(&mut fields, "called_type", kind);
    }
    put(&mut fields, "bits", indication.bits);
    if let Some(e2ee) = indication.e2ee {
        put(&mut fields, "e2ee", e2ee);
    }
    if !indication.hex.is_empty() {
        put(&mut fields, "pdu_hex", indication.hex.as_str());
        user_data(&mut fields, &indication.hex, Some(indication.service))?;
    }
    Ok(fields)
}

/// What stands in user data. A host's own line does not name the service: two bytes are a status there.
fn user_data(fields: &mut Fields, digits: &str, service: Option<u16>) -> Result<(), DecodeError> {
    let bytes = super::wire::at::unhex(digits);
    match (service, bytes.as_slice()) {
        (Some(13) | None, [high, low]) => {
            let status = u16::from_be_bytes([*high, *low]);
            if let Some((report, reference)) = short_report(status) {
                put(fields, "type", "short_report");
                put(fields, "msg_ref", reference);
                let word = match report {
                    0 => "protocol or encoding not supported",
                    1 => "destination memory full",
                    2 => "message received",
                    _ => "message consumed",
                };
                put(fields, "report", word);
            } else {
                put(fields, "type", "status");
            }
            put(fields, "status", status);
            Ok(())
        }
        (Some(12) | None, _) if bytes.first() == Some(&lip::PID) => put_location(fields, digits),
        (Some(12) | None, _) => Sds::parse(&bytes).map(|sds| put_sds(fields, &sds)),
        (Some(13), _) => Err(DecodeError::Content { declared: 16, present: bytes.len() }),
        (Some(_), _) => Ok(()),
    }
}

fn put_text(fields: &mut Fields, coding: u8, text: &[u8]) {
    put(fields, "coding", coding);
    let (text, lossy) = read_text(coding, text);
    put(fields, "text", text);
    if lossy {
        put(fields, "lossy", true);
    }
}

fn put_sds(fields: &mut Fields, sds: &Sds) {
    match sds {
        Sds::Simple { pid, coding, text } => {
            put(fields, "pid", *pid);
            put(fields, "type", if *pid == 2 { "simple_text" } else { "simple_text_immediate" });
            put_text(fields, *coding, text);
        }
        Sds::Transfer(transfer) => put_transfer(fields, transfer),
        Sds::Report { pid, ack_required, status, reference } => {
            put(fields, "pid", *pid);
            put(fields, "type", "sds_report");
            put(fields, "ack_required", *ack_required);
            put(fields, "status", *status);
            put(fields, "meaning", status_word(*status));
            put(fields, "msg_ref", *reference);
        }
        Sds::Ack { pid, status, reference } => {
            put(fields, "pid", *pid);
            put(fields, "type", "sds_ack");
            put(fields, "status", *status);
            put(fields, "msg_ref", *reference);
        }
        Sds::Other { pid, .. } => {
            put(fields, "pid", *pid);
            put(fields, "type", "unknown");
        }
    }
}

fn put_transfer(fields: &mut Fields, transfer: &Transfer) {
    put(fields, "pid", transfer.pid);
    let name = match transfer.pid {
        0x89 => "sds_transfer_immediate",
        0x8A => "sds_transfer_udh",
        _ => "sds_transfer",
    };
    put(fields, "type", name);
    put(fields, "msg_ref", transfer.reference);
    let wanted = match transfer.wants {
        0 => "none",
        1 => "received",
        2 => "consumed",
        _ => "both",
    };
    put(fields, "report_request", wanted);
    put(fields, "short_form", transfer.short_form);
    put(fields, "store_forward", transfer.forward.is_some());
    if let Some(forward) = &transfer.forward {
        put(fields, "forward_hex", hex::encode(forward));
    }
    if let Some(timestamp) = transfer.timestamp {
        put(fields, "timestamp_hex", hex::encode(timestamp));
    }
    if let Some((reference, total, number)) = transfer.part {
        put(fields, "concat_ref", reference);
        put(fields, "total", total);
        put(fields, "part", number);
    }
    put_text(fields, transfer.coding, &transfer.text);
}

/// A whole indication, or its user data alone.
fn location(bytes: &[u8]) -> Result<Fields, DecodeError> {
    let text = std::str::from_utf8(bytes).unwrap_or_default().trim_matches(['\r', '\n']);
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        let mut fields = Fields::new();
        put(&mut fields, "pdu_hex", text);
        put_location(&mut fields, text)?;
        return Ok(fields);
    }
    match RadioLine::parse(bytes)? {
        RadioLine::Indication(found) if found.service == 12 && found.bytes().first() == Some(&lip::PID) => {
            indicated(&found)
        }
        _ => Err(DecodeError::Unknown("PID: not 0A".into())),
    }
}

fn put_location(fields: &mut Fields, digits: &str) -> Result<(), DecodeError> {
    match Location::parse(digits)? {
        Location::Other(kind) => {
            put(fields, "type", "lip_long");
            put(fields, "lip", json!({ "pid": "0x0A", "lip_pdu_type": kind }));
        }
        Location::Short(short) => {
            put(fields, "type", "lip_short_report");
            let rounded = |degrees: f64| (degrees * 1e6).round() / 1e6;
            let lip = json!({
                "pid": "0x0A",
                "lip_pdu_type": 0,
                "time_elapsed": short.elapsed,
                "lon": rounded(short.lon_degrees()),
                "lat": rounded(short.lat_degrees()),
                "position_error_code": short.error,
                "velocity_code": short.speed,
                "speed_cm_s": short.speed_cm_s(),
                "heading_deg": f64::from(short.heading_ddeg()) / 10.0,
                "additional_type": short.additional_type,
                "additional_data": short.additional,
            });
            put(fields, "lip", lip);
        }
    }
    Ok(())
}
