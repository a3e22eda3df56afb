//! One frame in the names of the vectors.

use super::wire::ars::{Ars, Body as ArsBody};
use super::wire::dmrd::Dmrd;
use super::wire::ip::AirPacket;
use super::wire::lrrp::{Lrrp, Token, latitude, longitude};
use super::wire::tms::{Body as TmsBody, Tms, words};
use crate::codec::DecodeError;
use crate::device::{Direction, Fields, Label, Protocol};
use serde_json::{Value, json};

pub(super) const PROTOCOLS: &[Protocol] = &[
    Protocol { name: "trbo-tms", explain: |_, bytes| Tms::parse(bytes).map(|tms| tms_fields(&tms, bytes)) },
    Protocol { name: "trbo-ars", explain: |_, bytes| Ars::parse(bytes).map(|ars| ars_fields(&ars, bytes)) },
    Protocol { name: "trbo-lrrp", explain: |_, bytes| Lrrp::parse(bytes).map(|lrrp| lrrp_fields(&lrrp)) },
    Protocol { name: "trbo-tms-ip", explain: |_, bytes| on_air(bytes, 4007, tms_inner) },
    Protocol { name: "trbo-ars-ip", explain: |_, bytes| on_air(bytes, 4005, ars_inner) },
    Protocol { name: "dmr-etsi-text-ip", explain: |_, bytes| on_air(bytes, 5016, etsi_inner) },
    Protocol { name: "dmrd", explain: dmrd },
];

pub(super) const LABELS: &[Label] = &[
    ("header", "首字节", ""),
    ("ext", "有扩展", ""),
    ("ack_requested", "要求回执", ""),
    ("ack_bit", "回执位", ""),
    ("reserved", "保留位", ""),
    ("control", "控制报文", ""),
    ("priority", "优先", ""),
    ("pdu_type", "报文类型号", ""),
    ("address_hex", "地址", ""),
    ("encoding", "编码", ""),
    ("sequence", "序号", ""),
    ("capability", "能力", ""),
    ("event", "登记事件（1 首次 2 刷新）", ""),
    ("device_id", "电台号", ""),
    ("user_id", "用户名", ""),
    ("password", "口令", ""),
    ("success", "成功", ""),
    ("refresh_half_hours", "重新登记期限", " 个半小时"),
    ("reason", "原因码", ""),
    ("length_mismatch", "长度与声明之差", " 字节"),
    ("doc", "文档号", ""),
    ("doc_type", "文档类型", ""),
    ("result_code", "结果码", ""),
    ("error_opaque", "错误附注", ""),
    ("info_time", "定位时刻（UTC）", ""),
    ("radius_m", "误差半径", " 米"),
    ("alt_m", "高度", " 米"),
    ("speed_mps", "速度", " 米/秒"),
    ("vspeed_mps", "升降速度", " 米/秒"),
    ("heading_deg", "航向", " 度"),
    ("periodic", "定时上报", ""),
    ("interval_s", "间隔", " 秒"),
    ("max_age_s", "定位最旧", " 秒"),
    ("distance_m", "移动距离", " 米"),
    ("protocol_version", "协议版本", ""),
    ("request_tokens", "所求内容", ""),
    ("unknown_6b", "未明字节", ""),
    ("ip_src", "源地址", ""),
    ("ip_dst", "目的地址", ""),
    ("udp_src", "源端口", ""),
    ("udp_dst", "目的端口", ""),
    ("udp_len", "UDP 长度", " 字节"),
    ("ip_checksum_ok", "IP 校验通过", ""),
    ("udp_checksum_ok", "UDP 校验通过", ""),
    ("ip_total_len", "IP 总长", " 字节"),
    ("src_radio_id", "发方电台号", ""),
    ("inner", "内容", ""),
    ("magic", "标识", ""),
    ("dst_id", "收方号", ""),
    ("repeater_id", "中转台号", ""),
    ("flags", "标志", ""),
    ("slot", "时隙", ""),
    ("call_type", "呼叫类型", ""),
    ("frame_type", "帧类型", ""),
    ("data_type", "数据类型", ""),
    ("stream_id", "流号", ""),
];

fn object(value: Value) -> Fields {
    if let Value::Object(fields) = value { fields } else { Fields::new() }
}

fn declared(bytes: &[u8]) -> u16 {
    bytes.first_chunk::<2>().map_or(0, |length| u16::from_be_bytes(*length))
}

fn tms_fields(tms: &Tms, bytes: &[u8]) -> Fields {
    let mut fields = object(json!({
        "length": declared(bytes), "header": format!("0x{:02x}", tms.header), "ext": tms.is_extended(),
        "ack_requested": tms.wants_ack(), "reserved": tms.is_reserved_set(), "control": tms.is_control(),
        "pdu_type": tms.pdu_type(),
    }));
    if !tms.address.is_empty() {
        fields.insert("address_hex".into(), hex::encode(&tms.address).into());
    }
    let mut put = |key: &str, value: Option<Value>| fields.extend(value.map(|value| (key.to_owned(), value)));
    match &tms.body {
        TmsBody::Ack { sequence } => {
            put("type", Some("ack".into()));
            put("sequence", sequence.map(Value::from));
        }
        TmsBody::Availability { capability } => {
            put("type", Some("service_availability".into()));
            put("capability", capability.map(Value::from));
        }
        TmsBody::Text { sequence, encoding, text } => {
            let (text, lossy) = words(text);
            put("type", Some("text".into()));
            put("encoding", encoding.map(Value::from));
            put("sequence", sequence.map(Value::from));
            put("text", Some(text.into()));
            put("lossy", lossy.then_some(Value::Bool(true)));
        }
    }
    fields
}

fn ars_fields(ars: &Ars, bytes: &[u8]) -> Fields {
    let header = ars.header;
    let bit = |mask: u8| header & mask != 0;
    let mut fields = object(json!({
        "length": declared(bytes), "header": format!("0x{header:02x}"), "ext": bit(0x80), "ack_bit": bit(0x40),
        "priority": bit(0x20), "control": bit(0x10), "pdu_type": ars.pdu_type(),
    }));
    if ars.mismatch != 0 {
        fields.insert("length_mismatch".into(), ars.mismatch.into());
    }
    let more = match &ars.body {
        ArsBody::Register { user, event, encoding, device, name, password } => json!({
            "type": if *user { "user_registration" } else { "device_registration" }, "event": event,
            "encoding": encoding, "device_id": device, "user_id": name, "password": password,
        }),
        ArsBody::Leave => json!({ "type": "device_deregistration" }),
        ArsBody::Query => json!({ "type": "query" }),
        ArsBody::Ack { success, extra } => {
            let mut more = json!({ "type": "ack", "success": success });
            if let (Some(extra), Value::Object(more)) = (extra, &mut more) {
                more.insert(if *success { "refresh_half_hours" } else { "reason" }.into(), (*extra).into());
            }
            more
        }
    };
    fields.extend(object(more));
    fields
}

/// Rounded as a person reads it.
fn rounded(value: f64, digits: i32) -> Value {
    let scale = 10_f64.powi(digits);
    json!((value * scale).round_ties_even() / scale)
}

fn lrrp_fields(lrrp: &Lrrp) -> Fields {
    let mut fields = object(json!({
        "doc": format!("0x{:02x}", lrrp.document), "doc_type": lrrp.name(), "length": lrrp.length,
    }));
    if let Some(request) = &lrrp.request {
        fields.insert("request_id".into(), hex::encode(request).into());
    }
    let mut wishes = Vec::new();
    for token in &lrrp.tokens {
        let (key, value) = match token {
            Token::Periodic => ("periodic", true.into()),
            Token::IntervalS(value) => ("interval_s", (*value).into()),
            Token::MaxAgeS(value) => ("max_age_s", (*value).into()),
            Token::DistanceM(value) => ("distance_m", (*value).into()),
            Token::ProtocolVersion(value) => ("protocol_version", (*value).into()),
            Token::Wish(wish) => {
                wishes.push(format!("{wish:02x}"));
                continue;
            }
            Token::Time([year, month, day, hour, minute, second]) => {
                ("info_time", format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}").into())
            }
            Token::Result(code) => ("result_code", (*code).into()),
            Token::Opaque(bytes) => ("error_opaque", hex::encode(bytes).into()),
            Token::Point { lat, lon } => {
                fields.insert("lat".into(), rounded(latitude(*lat), 6));
                ("lon", rounded(longitude(*lon), 6))
            }
            Token::RadiusM(value) => ("radius_m", rounded(*value, 3)),
            Token::AltitudeM(value) => ("alt_m", rounded(*value, 3)),
            Token::SpeedMps(value) => ("speed_mps", rounded(*value, 4)),
            Token::ClimbMps(value) => ("vspeed_mps", rounded(*value, 4)),
            Token::Heading(value) => ("heading_deg", (u16::from(*value) * 2).into()),
            Token::Unknown6B(value) => ("unknown_6b", (*value).into()),
        };
        fields.insert(key.into(), value);
    }
    if !wishes.is_empty() {
        fields.insert("request_tokens".into(), wishes.into());
    }
    fields
}

/// A packet of the air with the service that its port names.
fn on_air(unit: &[u8], port: u16, inner: impl Fn(&[u8]) -> Result<Fields, DecodeError>) -> Result<Fields, DecodeError> {
    let packet = AirPacket::parse(unit)?;
    if packet.from_port != port && packet.to_port != port {
        return Err(DecodeError::Unknown(format!("UDP port {}, not {port}", packet.to_port)));
    }
    Ok(object(json!({
        "ip_src": packet.from.to_string(), "ip_dst": packet.to.to_string(), "udp_src": packet.from_port,
        "udp_dst": packet.to_port, "udp_len": packet.udp_length, "ip_checksum_ok": true, "udp_checksum_ok": true,
        "ip_total_len": packet.total, "src_radio_id": packet.from_id(), "inner": inner(packet.payload)?,
        "trailing_hex": hex::encode(packet.trailing),
    })))
}

fn tms_inner(bytes: &[u8]) -> Result<Fields, DecodeError> {
    Tms::parse(bytes).map(|tms| tms_fields(&tms, bytes))
}

fn ars_inner(bytes: &[u8]) -> Result<Fields, DecodeError> {
    Ars::parse(bytes).map(|ars| ars_fields(&ars, bytes))
}

/// CR LF in big-endian, the rest in little-endian UTF-16: so found on the air.
fn etsi_inner(bytes: &[u8]) -> Result<Fields, DecodeError> {
    const CRLF: &[u8] = &[0, 0x0D, 0, 0x0A];
    let text = bytes.strip_prefix(CRLF);
    let (words, lossy) = words(text.unwrap_or(bytes));
    let mut fields = object(json!({ "text": words, "payload_hex": hex::encode(bytes) }));
    if text.is_some() {
        fields.insert("prefix".into(), "CR LF big-endian (000d000a)".into());
        fields.insert("prefix_hex".into(), "000d000a".into());
    }
    if lossy {
        fields.insert("lossy".into(), true.into());
    }
    Ok(fields)
}

fn dmrd(_: Direction, bytes: &[u8]) -> Result<Fields, DecodeError> {
    let burst = Dmrd::parse(bytes)?;
    Ok(object(json!({
        "magic": "DMRD", "sequence": burst.sequence, "src_id": burst.source, "dst_id": burst.target,
        "repeater_id": burst.repeater, "flags": format!("0x{:02x}", burst.flags), "slot": burst.slot(),
        "call_type": if burst.is_private() { "private" } else { "group" }, "frame_type": burst.frame_type(),
        "data_type": burst.data_type(), "stream_id": hex::encode(burst.stream),
    })))
}
