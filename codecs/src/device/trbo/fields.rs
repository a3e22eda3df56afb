use super::wire::{Ars, ArsBody, Dmrd, Header, Lrrp, OnAir, Tms, TmsBody, Token, UTF_16, doc_name, words};
use crate::codec::DecodeError;
use crate::device::{Direction, Fields, Label, Protocol};
use serde_json::Value;

const PORT_TMS: u16 = 4007;
const PORT_ARS: u16 = 4005;
const PORT_ETSI_TEXT: u16 = 5016;

/// What `explain` reads, by the names in the vectors.
pub(super) const PROTOCOLS: &[Protocol] = &[
    Protocol { name: "trbo-tms", explain: |_: Direction, bytes| Tms::parse(bytes).map(|tms| tms_fields(&tms)) },
    Protocol { name: "trbo-ars", explain: |_: Direction, bytes| ars(bytes) },
    Protocol { name: "trbo-lrrp", explain: |_: Direction, bytes| lrrp(bytes) },
    Protocol {
        name: "trbo-tms-ip",
        explain: |_: Direction, bytes| on_air(bytes, PORT_TMS, |data| Tms::parse(data).map(|tms| tms_fields(&tms))),
    },
    Protocol { name: "trbo-ars-ip", explain: |_: Direction, bytes| on_air(bytes, PORT_ARS, ars) },
    Protocol {
        name: "dmr-etsi-text-ip",
        explain: |_: Direction, bytes| on_air(bytes, PORT_ETSI_TEXT, |data| Ok(etsi_text(data))),
    },
    Protocol { name: "dmrd", explain: |_: Direction, bytes| dmrd(bytes) },
];

/// The words for fields that only these protocols have.
pub(super) const LABELS: &[Label] = &[
    ("header", "首部", ""),
    ("ext", "有扩展首部", ""),
    ("ack_requested", "要求回执", ""),
    ("reserved", "保留位", ""),
    ("control", "控制帧", ""),
    ("pdu_type", "类型号", ""),
    ("capability", "能力", ""),
    ("address_hex", "地址", ""),
    ("sequence", "序号", ""),
    ("encoding", "编码", ""),
    ("ack_bit", "回执位", ""),
    ("priority", "优先", ""),
    ("event", "事件", ""),
    ("device_id", "电台号", ""),
    ("user_id", "用户", ""),
    ("password", "密码", ""),
    ("success", "成功", ""),
    ("reason", "原因", ""),
    ("refresh_half_hours", "重新登记间隔", " 个半小时"),
    ("length", "长度", ""),
    ("length_mismatch", "长度相差", " 字节"),
    ("lossy", "有字符无法还原", ""),
    ("text", "文字", ""),
    ("payload_hex", "内容", ""),
    ("doc", "文档号", ""),
    ("doc_type", "文档", ""),
    ("request_id", "请求号", ""),
    ("info_time", "定位时间", ""),
    ("lat", "纬度", "°"),
    ("lon", "经度", "°"),
    ("radius_m", "误差半径", " 米"),
    ("alt_m", "高度", " 米"),
    ("alt_accuracy_m", "高度误差", " 米"),
    ("speed_mps", "速度", " 米/秒"),
    ("vspeed_mps", "升降速度", " 米/秒"),
    ("heading_deg", "航向", "°"),
    ("result_code", "结果", ""),
    ("error_opaque", "错误附带", ""),
    ("periodic", "周期上报", ""),
    ("interval_s", "间隔", " 秒"),
    ("max_age_s", "定位最多早于", " 秒"),
    ("distance_m", "每移动", " 米"),
    ("request_tokens", "所要字段", ""),
    ("protocol_version", "协议版本", ""),
    ("unknown_6b", "含义不明的 6B", ""),
    ("unread_hex", "未读部分", ""),
    ("ip_src", "源 IP", ""),
    ("ip_dst", "目的 IP", ""),
    ("ip_total_len", "IP 总长", " 字节"),
    ("ip_checksum_ok", "IP 校验正确", ""),
    ("udp_src", "源端口", ""),
    ("udp_dst", "目的端口", ""),
    ("udp_len", "UDP 长度", " 字节"),
    ("udp_checksum_ok", "UDP 校验正确", ""),
    ("src_radio_id", "源电台号", ""),
    ("inner", "所载内容", ""),
    ("trailing_hex", "填充与空口校验", ""),
    ("prefix", "前缀", ""),
    ("prefix_hex", "前缀字节", ""),
    ("magic", "标记", ""),
    ("src_id", "源号码", ""),
    ("dst_id", "目的号码", ""),
    ("repeater_id", "中转台号", ""),
    ("flags", "标志", ""),
    ("slot", "时隙", ""),
    ("call_type", "呼叫类型", ""),
    ("frame_type", "帧类型", ""),
    ("data_type", "数据类型", ""),
    ("stream_id", "流号", ""),
    ("burst_hex", "空口突发", ""),
    ("quality_hex", "误码与场强", ""),
];

fn put(fields: &mut Fields, name: &str, value: impl Into<Value>) {
    fields.insert(name.to_owned(), value.into());
}

fn put_header(fields: &mut Fields, header: Header, bit_6: &str, bit_5: &str) {
    put(fields, "header", format!("0x{:02x}", header.0));
    put(fields, "ext", header.has_ext());
    put(fields, bit_6, header.bit_6());
    put(fields, bit_5, header.bit_5());
    put(fields, "control", header.is_control());
    put(fields, "pdu_type", header.kind());
}

fn tms_fields(tms: &Tms) -> Fields {
    let mut fields = Fields::new();
    put(&mut fields, "length", tms.emit().map_or(0, |bytes| bytes.len().saturating_sub(2)));
    put_header(&mut fields, tms.header, "ack_requested", "reserved");
    if !tms.address.is_empty() {
        put(&mut fields, "address_hex", hex::encode(&tms.address));
    }
    let name = match &tms.body {
        TmsBody::Text { .. } => "text",
        TmsBody::Available { .. } => "service_availability",
        TmsBody::Ack { .. } => "ack",
    };
    put(&mut fields, "type", name);
    match &tms.body {
        TmsBody::Text { sequence, encoding, data } => {
            sequence.iter().for_each(|sequence| put(&mut fields, "sequence", *sequence));
            encoding.iter().for_each(|encoding| put(&mut fields, "encoding", *encoding));
            if encoding.is_none_or(|encoding| encoding == UTF_16) {
                let (text, lossy) = words(data);
                put(&mut fields, "text", text);
                if lossy {
                    put(&mut fields, "lossy", true);
                }
            } else {
                put(&mut fields, "payload_hex", hex::encode(data));
            }
        }
        TmsBody::Available { capability } => {
            capability.iter().for_each(|capability| put(&mut fields, "capability", *capability));
        }
        TmsBody::Ack { sequence } => sequence.iter().for_each(|sequence| put(&mut fields, "sequence", *sequence)),
    }
    fields
}

fn ars(bytes: &[u8]) -> Result<Fields, DecodeError> {
    let ars = Ars::parse(bytes)?;
    let mut fields = Fields::new();
    // As declared, which the datagram may not bear out.
    let declared = bytes.first_chunk::<2>().map_or(0, |length| u16::from_be_bytes(*length));
    put(&mut fields, "length", declared);
    put_header(&mut fields, ars.header, "ack_bit", "priority");
    if ars.mismatch != 0 {
        put(&mut fields, "length_mismatch", ars.mismatch);
    }
    let name = match &ars.body {
        ArsBody::Register { by_user: false, .. } => "device_registration",
        ArsBody::Register { by_user: true, .. } => "user_registration",
        ArsBody::Leave => "device_deregistration",
        ArsBody::Query => "query",
        ArsBody::Ack { .. } => "ack",
    };
    put(&mut fields, "type", name);
    match &ars.body {
        ArsBody::Register { event, device, user, password, .. } => {
            if let Some(event) = event {
                put(&mut fields, "event", (event >> 5) & 3);
                put(&mut fields, "encoding", event & 0x1F);
            }
            for (name, text) in [("device_id", device), ("user_id", user), ("password", password)] {
                put(&mut fields, name, String::from_utf8_lossy(text).into_owned());
            }
        }
        ArsBody::Ack { value } => {
            let success = !ars.header.bit_6();
            put(&mut fields, "success", success);
            let name = if success { "refresh_half_hours" } else { "reason" };
            value.iter().for_each(|value| put(&mut fields, name, *value));
        }
        ArsBody::Leave | ArsBody::Query => {}
    }
    Ok(fields)
}

fn lrrp(bytes: &[u8]) -> Result<Fields, DecodeError> {
    let document = Lrrp::parse(bytes)?;
    let mut fields = Fields::new();
    put(&mut fields, "doc", format!("0x{:02x}", document.doc));
    put(&mut fields, "doc_type", doc_name(document.doc).unwrap_or_default());
    put(&mut fields, "length", content_len(bytes));
    let mut wishes = Vec::new();
    for token in &document.tokens {
        match token {
            Token::RequestId(id) => put(&mut fields, "request_id", hex::encode(id)),
            Token::Periodic => put(&mut fields, "periodic", true),
            Token::Interval(seconds) => put(&mut fields, "interval_s", *seconds),
            Token::MaxAge(seconds) => put(&mut fields, "max_age_s", *seconds),
            Token::Distance(metres) => put(&mut fields, "distance_m", *metres),
            Token::Wish(byte) => wishes.push(format!("{byte:02x}")),
            Token::Version { version, .. } => put(&mut fields, "protocol_version", *version),
            Token::Time(t) => {
                let text =
                    format!("{:04}{:02}{:02}{:02}{:02}{:02}", t.year, t.month, t.day, t.hour, t.minute, t.second);
                put(&mut fields, "info_time", text);
            }
            Token::Result { code, detail, .. } => {
                put(&mut fields, "result_code", *code);
                if !detail.is_empty() {
                    put(&mut fields, "error_opaque", hex::encode(detail));
                }
            }
            Token::Point(point) => {
                let (lat, lon) = point.degrees();
                put(&mut fields, "lat", rounded(lat, 1e6));
                put(&mut fields, "lon", rounded(lon, 1e6));
                for (name, number) in
                    [("radius_m", point.radius), ("alt_m", point.altitude), ("alt_accuracy_m", point.altitude_accuracy)]
                {
                    number.iter().for_each(|number| put(&mut fields, name, rounded(number.value(), 1e3)));
                }
            }
            Token::Speed(number) => put(&mut fields, "speed_mps", rounded(number.value(), 1e4)),
            Token::Climb(number) => put(&mut fields, "vspeed_mps", rounded(number.value(), 1e4)),
            Token::Heading(steps) => put(&mut fields, "heading_deg", u16::from(*steps).saturating_mul(2)),
            Token::Opaque6b(byte) => put(&mut fields, "unknown_6b", format!("0x{byte:02x}")),
            Token::Unread(rest) => put(&mut fields, "unread_hex", hex::encode(rest)),
        }
    }
    if !wishes.is_empty() {
        put(&mut fields, "request_tokens", wishes);
    }
    Ok(fields)
}

/// What the document declares: all that stands after the number and the length's own groups.
fn content_len(bytes: &[u8]) -> usize {
    let groups = bytes.iter().skip(1).take_while(|byte| **byte & 0x80 != 0).count();
    bytes.len().saturating_sub(groups.saturating_add(2))
}

/// Halves go to the even neighbour, as in the vectors.
fn rounded(value: f64, scale: f64) -> f64 {
    (value * scale).round_ties_even() / scale
}

fn on_air(
    bytes: &[u8],
    port: u16,
    inner: impl Fn(&[u8]) -> Result<Fields, DecodeError>,
) -> Result<Fields, DecodeError> {
    let packet = OnAir::parse(bytes)?;
    if packet.source_port != port && packet.target_port != port {
        return Err(DecodeError::Unknown(format!("UDP port {}", packet.target_port)));
    }
    let mut fields = Fields::new();
    let [_, a, b, c] = packet.source.octets();
    put(&mut fields, "ip_src", packet.source.to_string());
    put(&mut fields, "ip_dst", packet.target.to_string());
    put(&mut fields, "ip_total_len", packet.total_len);
    put(&mut fields, "ip_checksum_ok", true);
    put(&mut fields, "udp_src", packet.source_port);
    put(&mut fields, "udp_dst", packet.target_port);
    put(&mut fields, "udp_len", packet.udp_len);
    put(&mut fields, "udp_checksum_ok", true);
    put(&mut fields, "src_radio_id", u32::from_be_bytes([0, a, b, c]));
    put(&mut fields, "inner", inner(packet.payload)?);
    put(&mut fields, "trailing_hex", hex::encode(packet.tail));
    Ok(fields)
}

/// A text of the DMR standard's own service: a line break, in either byte order, then UTF-16, little-endian.
fn etsi_text(data: &[u8]) -> Fields {
    let mut fields = Fields::new();
    let (prefix, rest) = match data {
        [0x00, 0x0D, 0x00, 0x0A, rest @ ..] => (Some(("CR LF big-endian (000d000a)", "000d000a")), rest),
        [0x0D, 0x00, 0x0A, 0x00, rest @ ..] => (Some(("CR LF little-endian (0d000a00)", "0d000a00")), rest),
        rest => (None, rest),
    };
    if let Some((name, hex)) = prefix {
        put(&mut fields, "prefix", name);
        put(&mut fields, "prefix_hex", hex);
    }
    let (text, lossy) = words(rest);
    put(&mut fields, "text", text);
    if lossy {
        put(&mut fields, "lossy", true);
    }
    put(&mut fields, "payload_hex", hex::encode(data));
    fields
}

fn dmrd(bytes: &[u8]) -> Result<Fields, DecodeError> {
    let burst = Dmrd::parse(bytes)?;
    let mut fields = Fields::new();
    put(&mut fields, "magic", "DMRD");
    put(&mut fields, "sequence", burst.sequence);
    put(&mut fields, "src_id", burst.source);
    put(&mut fields, "dst_id", burst.target);
    put(&mut fields, "repeater_id", burst.repeater);
    put(&mut fields, "flags", format!("0x{:02x}", burst.flags));
    put(&mut fields, "slot", if burst.flags & 0x80 == 0 { 1 } else { 2 });
    put(&mut fields, "call_type", if burst.flags & 0x40 == 0 { "group" } else { "private" });
    let kind = match burst.flags & 0x30 {
        0x00 => "voice",
        0x10 => "voice_sync",
        _ => "data_sync",
    };
    put(&mut fields, "frame_type", kind);
    put(&mut fields, "data_type", burst.flags & 0x0F);
    put(&mut fields, "stream_id", hex::encode(burst.stream));
    put(&mut fields, "burst_hex", hex::encode(&burst.burst));
    burst.quality.iter().for_each(|quality| put(&mut fields, "quality_hex", hex::encode(quality)));
    Ok(fields)
}
