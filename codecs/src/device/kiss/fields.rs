use super::wire::extension::Extension;
use super::wire::kiss::{DATA, FEND};
use super::wire::place::round;
use super::wire::{Aprs, Ax25, Call, Kiss, MicE, Place};
use crate::codec::DecodeError;
use crate::device::{Direction, Fields, Label, Protocol};
use serde_json::{Value, json};

/// The layers that `explain` reads, by their names in the vectors.
pub(super) const PROTOCOLS: &[Protocol] = &[
    Protocol { name: "kiss", explain: |_: Direction, bytes| explain_kiss(bytes) },
    Protocol { name: "ax25", explain: |_: Direction, bytes| explain_ax25(bytes) },
    Protocol { name: "aprs", explain: |_: Direction, bytes| explain_aprs(bytes) },
];

pub(super) const LABELS: &[Label] = &[
    ("port", "TNC 端口", ""),
    ("cmd", "KISS 命令", ""),
    ("value", "数值", ""),
    ("frames", "帧数", " 个"),
    ("discarded_prefix", "帧前有杂讯", ""),
    ("src", "发方呼号", ""),
    ("dst", "目的地址", ""),
    ("via", "中继路径（* 已转发）", ""),
    ("control", "控制字节", ""),
    ("pid", "协议标识", ""),
    ("frame", "AX.25 帧类", ""),
    ("poll", "询问位", ""),
    ("info", "信息", ""),
    ("info_hex", "信息（原始字节）", ""),
    ("messaging", "可收消息", ""),
    ("timestamp", "时间标记", ""),
    ("symbol", "图标", ""),
    ("comment", "附言", ""),
    ("speed_knots", "速度", " 节"),
    ("altitude_ft", "高度", " 英尺"),
    ("phg", "功率高度增益", ""),
    ("range_miles", "覆盖半径", " 英里"),
    ("ambiguity", "隐去位数", ""),
    ("lat_min", "纬度下限", "°"),
    ("lat_max", "纬度上限", "°"),
    ("lon_min", "经度下限", "°"),
    ("lon_max", "经度上限", "°"),
    ("to", "收方呼号", ""),
    ("msgno", "消息号", ""),
    ("reply_ack", "附带回执的消息号", ""),
    ("id", "通告号", ""),
    ("group", "通告组", ""),
    ("name", "名称", ""),
    ("alive", "有效", ""),
    ("query", "查询", ""),
    ("args", "附加内容", ""),
    ("seq", "序号", ""),
    ("analog", "模拟量", ""),
    ("digital", "开关量", ""),
    ("message", "报文代码", ""),
    ("emergency", "紧急", ""),
    ("current", "定位为当前", ""),
    ("third_party", "转入的外网帧", ""),
];

fn put(fields: &mut Fields, name: &str, value: impl Into<Value>) {
    fields.insert(name.to_owned(), value.into());
}

fn put_some(fields: &mut Fields, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        put(fields, name, value);
    }
}

/// A number without a fraction is written without one.
fn number(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "whole and small, as was just checked")]
    if value.fract() == 0.0 && value.abs() < 1e9 { json!(value as i64) } else { json!(value) }
}

/// A piece of the cable: one frame in full, several only counted. Noise before the first delimiter is named; what has no
/// closing delimiter is refused.
fn explain_kiss(bytes: &[u8]) -> Result<Fields, DecodeError> {
    let Some(first) = bytes.iter().position(|byte| *byte == FEND) else {
        return Err(DecodeError::Field { field: "start", at: 0, expected: "C0" });
    };
    let (prefix, framed) = bytes.split_at_checked(first).unwrap_or((bytes, &[]));
    let mut pieces: Vec<&[u8]> = framed.split(|byte| *byte == FEND).collect();
    if pieces.pop().is_some_and(|open| !open.is_empty()) {
        return Err(DecodeError::Field { field: "end", at: bytes.len(), expected: "C0" });
    }
    let inside = pieces.into_iter().filter(|piece| !piece.is_empty());
    let mut read = Vec::new();
    for piece in inside {
        let kiss = Kiss::parse_inside(piece)?;
        let frame = if kiss.command == DATA { Some(Ax25::parse(&kiss.data)?) } else { None };
        read.push((kiss, frame));
    }
    let mut fields = Fields::new();
    match read.as_slice() {
        [] => return Err(DecodeError::Length { expected: 3, found: framed.len() }),
        [(kiss, frame)] => {
            put(&mut fields, "port", kiss.port);
            put(&mut fields, "cmd", kiss.command);
            match (frame, kiss.data.first()) {
                (Some(frame), _) => put_ax25(&mut fields, frame),
                (None, Some(value)) if kiss.data.len() == 1 => put(&mut fields, "value", *value),
                (None, _) => put(&mut fields, "data_hex", hex::encode(&kiss.data)),
            }
        }
        _ => {}
    }
    put(&mut fields, "frames", read.len());
    if !prefix.is_empty() {
        put(&mut fields, "discarded_prefix", true);
    }
    Ok(fields)
}

fn explain_ax25(bytes: &[u8]) -> Result<Fields, DecodeError> {
    let mut fields = Fields::new();
    put_ax25(&mut fields, &Ax25::parse(bytes)?);
    Ok(fields)
}

fn put_ax25(fields: &mut Fields, frame: &Ax25) {
    put(fields, "src", frame.from.to_string());
    put(fields, "dst", frame.to.to_string());
    put(fields, "via", frame.via.iter().map(ToString::to_string).collect::<Vec<_>>());
    put(fields, "control", frame.control);
    put(fields, "frame", frame.name());
    if frame.control & 1 != 0 {
        put(fields, "poll", frame.poll());
    }
    put_some(fields, "pid", frame.pid);
    if let Ok(info) = std::str::from_utf8(&frame.info) {
        put(fields, "info", info);
    }
    put(fields, "info_hex", hex::encode(&frame.info));
}

/// One line as monitors write it: `SRC>DST,VIA*:information`.
fn explain_aprs(bytes: &[u8]) -> Result<Fields, DecodeError> {
    let (source, path, info) = monitor_line(bytes)?;
    let mut path = path.into_iter();
    let destination = path.next().unwrap_or_default();
    let mut fields = Fields::new();
    let aprs = Aprs::parse(destination.split('-').next().unwrap_or_default(), info)?;
    put(&mut fields, "src", source);
    put(&mut fields, "dst", destination);
    put(&mut fields, "via", path.collect::<Vec<_>>());
    put_aprs(&mut fields, &aprs);
    Ok(fields)
}

/// Source, destination and path, information.
pub(super) fn monitor_line(bytes: &[u8]) -> Result<(String, Vec<String>, &[u8]), DecodeError> {
    let wrong = || DecodeError::Field { field: "header", at: 0, expected: "SRC>DST,VIA:information" };
    let colon = bytes.iter().position(|byte| *byte == b':').ok_or_else(wrong)?;
    let (header, info) = bytes.split_at_checked(colon).ok_or_else(wrong)?;
    let header = std::str::from_utf8(header).map_err(|_| wrong())?;
    let (source, path) = header.split_once('>').ok_or_else(wrong)?;
    let source: Call = source.parse().map_err(|_| wrong())?;
    let path: Vec<String> = path.split(',').map(str::to_owned).collect();
    // Gates put words of their own into the path: qAC, TCPIP*, server names.
    let is_word =
        |word: &str| (1..=9).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !path.iter().all(|word| is_word(word.strip_suffix('*').unwrap_or(word))) {
        return Err(wrong());
    }
    Ok((source.to_string(), path, info.get(1..).unwrap_or_default()))
}

fn put_place(fields: &mut Fields, place: &Place, more: &Extension) {
    put(fields, "lat", round(place.lat, 1e6));
    put(fields, "lon", round(place.lon, 1e6));
    put(fields, "symbol", place.symbol.as_str());
    if place.ambiguity > 0 {
        put(fields, "ambiguity", place.ambiguity);
        for (least, most, middle) in [("lat_min", "lat_max", place.lat), ("lon_min", "lon_max", place.lon)] {
            let (low, high) = place.bounds(middle);
            // Rounded inwards: digits that were held back are not made up.
            put(fields, least, ((low - 1e-7) * 1e4).ceil() / 1e4);
            put(fields, most, ((high + 1e-7) * 1e4).floor() / 1e4);
        }
    }
    put_some(fields, "course", more.course);
    put_some(fields, "speed_knots", more.speed_knots.map(number));
    put_some(fields, "altitude_ft", more.altitude_ft.map(number));
    put_some(fields, "phg", more.phg.as_deref());
    put_some(fields, "range_miles", more.range_miles.map(number));
    put(fields, "comment", more.comment.as_str());
}

fn put_aprs(fields: &mut Fields, aprs: &Aprs) {
    let kind = match aprs {
        Aprs::Position { place, .. } if place.compressed => "position-compressed",
        Aprs::Position { .. } => "position",
        Aprs::MicE(_) => "mic-e",
        Aprs::Message(_) => "message",
        Aprs::Ack { .. } => "ack",
        Aprs::Rej { .. } => "rej",
        Aprs::Bulletin(_) => "bulletin",
        Aprs::Object { .. } => "object",
        Aprs::Item { .. } => "item",
        Aprs::Status { .. } => "status",
        Aprs::Telemetry { .. } => "telemetry",
        Aprs::Query { .. } => "query",
        Aprs::ThirdParty { .. } => "third-party",
    };
    put(fields, "type", kind);
    match aprs {
        Aprs::Position { messaging, timestamp, place, more } => {
            put(fields, "messaging", *messaging);
            put_some(fields, "timestamp", timestamp.as_deref());
            put_place(fields, place, more);
        }
        Aprs::Object { name, alive, timestamp, place, more } => {
            put(fields, "name", name.as_str());
            put(fields, "alive", *alive);
            put(fields, "timestamp", timestamp.as_str());
            put_place(fields, place, more);
        }
        Aprs::Item { name, alive, place, more } => {
            put(fields, "name", name.as_str());
            put(fields, "alive", *alive);
            put_place(fields, place, more);
        }
        Aprs::MicE(report) => put_mic_e(fields, report),
        words => put_words(fields, words),
    }
}

fn put_mic_e(fields: &mut Fields, report: &MicE) {
    let MicE { place, .. } = report;
    let more = Extension {
        course: place.course,
        speed_knots: place.speed_knots,
        altitude_ft: place.altitude_ft,
        comment: report.comment.clone(),
        ..Extension::default()
    };
    put_place(fields, place, &more);
    put(fields, "message", report.code.name());
    put(fields, "emergency", report.is_emergency());
    put(fields, "current", report.is_current);
}

fn put_words(fields: &mut Fields, aprs: &Aprs) {
    match aprs {
        Aprs::Message(message) => {
            put(fields, "to", message.to.as_str());
            put(fields, "text", message.text.as_str());
            put_some(fields, "msgno", message.number.as_deref());
            put_some(fields, "reply_ack", message.reply_ack.as_deref());
        }
        Aprs::Ack { to, number } | Aprs::Rej { to, number } => {
            put(fields, "to", to.as_str());
            put(fields, "msgno", number.as_str());
        }
        Aprs::Bulletin(bulletin) => {
            put(fields, "id", bulletin.id.as_str());
            put_some(fields, "group", bulletin.group.as_deref());
            put(fields, "text", bulletin.text.as_str());
        }
        Aprs::Status { timestamp, text } => {
            put_some(fields, "timestamp", timestamp.as_deref());
            put(fields, "text", text.as_str());
        }
        Aprs::Telemetry { sequence, analog, digital, comment } => {
            put(fields, "seq", sequence.parse::<u32>().map_or_else(|_| json!(sequence), |seq| json!(seq)));
            put(fields, "analog", analog.iter().map(|value| number(*value)).collect::<Vec<_>>());
            put(fields, "digital", digital.as_str());
            put(fields, "comment", comment.as_str());
        }
        Aprs::Query { query, rest } => {
            put(fields, "query", query.as_str());
            put_some(fields, "args", Some(rest.as_str()).filter(|rest| !rest.is_empty()));
        }
        Aprs::ThirdParty { frame } => put(fields, "third_party", String::from_utf8_lossy(frame)),
        _ => {}
    }
}
