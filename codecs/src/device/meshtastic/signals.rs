//! What a packet says, in our words. The same for every way by which packets come.

use super::terminal;
use super::wire::{self, BROADCAST, Data, MeshPacket, error, port};
use crate::message::{Addressee, Bearer, Content, Heard, NativeId, Position, Rung, Signal, TerminalId, Utc};
use bytes::Bytes;
use prost::Message;
use std::time::Duration;

/// How long sender and id still mean the same message: one came back after 34 minutes through an old relay.
const REPEATS_WITHIN: Duration = Duration::from_secs(3_600);
/// Clocks that stand before 2020 were never set.
const CLOCK_MIN: u32 = 1_577_836_800;
/// Cries for help that the bus does not know by itself; only in alerts.
const CRIES: [&str; 3] = ["MAYDAY", "HELP", "PAN-PAN"];

/// The remark of another radio's battery and link figures; the dialogue takes our own radio's out.
pub(super) const TELEMETRY: &str = "自组网遥测";

/// Reads a packet that is not encrypted, or no more.
pub(super) fn read(packet: &MeshPacket, data: &Data, signals: &mut Vec<Signal>) {
    let from = terminal(packet.from);
    let payload = data.payload.as_slice();
    match data.portnum {
        port::TEXT => signals.push(heard(packet, text(payload))),
        port::ALERT => alert(packet, payload, signals),
        port::DETECTION => signals.push(heard(packet, labelled("【传感器】", payload))),
        port::POSITION => put(wire::Position::decode(payload), "定位", &from, signals, |p, s| position(&from, p, s)),
        port::NODE_INFO => put(wire::User::decode(payload), "身份", &from, signals, |user, signals| {
            signals.push(Signal::Presence { of: from.clone(), present: true, registered_as: None });
            signals.push(remark(
                "自组网电台身份",
                format!("{from}：{}（{}）", words(&user.long_name), words(&user.short_name)),
            ));
        }),
        port::ROUTING => put(wire::Routing::decode(payload), "回执", &from, signals, |result, signals| {
            signals.extend(routing(packet, data, result));
        }),
        port::WAYPOINT => put(wire::Waypoint::decode(payload), "标点", &from, signals, |point, signals| {
            signals.push(heard(packet, Content::Text { text: waypoint(point), lossy: false }));
        }),
        port::STORE_FORWARD => {
            put(wire::StoreAndForward::decode(payload), "存储转发", &from, signals, |kept, signals| {
                signals.extend(replayed(packet, kept));
            })
        }
        port::TELEMETRY => put(wire::Telemetry::decode(payload), "遥测", &from, signals, |figures, signals| {
            signals.push(remark(TELEMETRY, format!("{from}：{}", telemetry(figures))));
        }),
        port::TRACEROUTE => {
            put(wire::RouteDiscovery::decode(payload), "路由跟踪", &from, signals, |route, signals| {
                signals.push(remark("自组网路由", format!("{from}：{}", trace(route))));
            })
        }
        port::NEIGHBOR_INFO => put(wire::NeighborInfo::decode(payload), "邻居", &from, signals, |info, signals| {
            signals.push(remark("自组网邻居", format!("{from}：{}", neighbours(info))));
        }),
        port::TAK => put(wire::Tak::decode(payload), "TAK", &from, signals, |tak, signals| {
            tactical(packet, payload, tak, signals);
        }),
        port::ADMIN | port::KEY_VERIFICATION => {
            signals.push(remark("管理报文，不转发", format!("{from}：端口 {}", data.portnum)));
        }
        port::RANGE_TEST => signals.push(remark("测距报文，不转发", from.to_string())),
        // Bytes from station to station.
        port::PRIVATE => signals.push(heard(packet, Content::Opaque(Bytes::copy_from_slice(payload)))),
        other => {
            let detail = format!("{from}：端口 {other}，{} 字节 {}", payload.len(), hex::encode(payload));
            signals.push(remark("未用端口的报文", detail));
        }
    }
}

/// Reads a payload, or says which could not be read.
fn put<M: Message>(
    read: Result<M, prost::DecodeError>,
    what: &str,
    from: &TerminalId,
    signals: &mut Vec<Signal>,
    tell: impl FnOnce(&M, &mut Vec<Signal>),
) {
    match read {
        Ok(message) => tell(&message, signals),
        Err(error) => signals.push(remark("报文载荷无法读出", format!("{from}：{what}：{error}"))),
    }
}

pub(super) fn remark(what: &'static str, detail: String) -> Signal {
    Signal::Remark { what, detail }
}

pub(super) fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn text(bytes: &[u8]) -> Content {
    let text = words(bytes);
    let lossy = std::str::from_utf8(bytes).is_err();
    Content::Text { text, lossy }
}

fn labelled(label: &str, bytes: &[u8]) -> Content {
    Content::Text { text: format!("{label}{}", words(bytes)), lossy: std::str::from_utf8(bytes).is_err() }
}

/// Channel 0 is everybody; the others are groups by their index. A hash is no index, so the reader of encrypted packets
/// writes the index first.
fn addressee(packet: &MeshPacket) -> Addressee {
    match (packet.to, packet.channel) {
        (BROADCAST, 0) => Addressee::Everyone(Bearer::Mesh),
        (BROADCAST, index) => Addressee::Group(TerminalId::from_number(Bearer::Mesh, index)),
        (to, _) => Addressee::Terminal(terminal(to)),
    }
}

fn heard(packet: &MeshPacket, content: Content) -> Signal {
    let native = (packet.id != 0).then(|| NativeId { id: u64::from(packet.id), repeats_within: REPEATS_WITHIN });
    Signal::Heard(Heard {
        from: terminal(packet.from),
        to: addressee(packet),
        content,
        native,
        part: None,
        overheard: false,
        sent_at: None,
        damaged: false,
    })
}

/// An alert is a text that rings. It is no alarm of its sender unless its words say so: stations send warnings this way.
fn alert(packet: &MeshPacket, payload: &[u8], signals: &mut Vec<Signal>) {
    let said = words(payload);
    let upper = said.trim_start().to_ascii_uppercase();
    if CRIES.iter().any(|cry| upper.starts_with(cry)) {
        signals.push(Signal::Emergency { of: terminal(packet.from), on: true });
    }
    signals.push(heard(packet, text(payload)));
    signals.push(remark("紧急告警", format!("{}：{said}", terminal(packet.from))));
}

fn position(from: &TerminalId, found: &wire::Position, signals: &mut Vec<Signal>) {
    let fix = found.latitude_i.zip(found.longitude_i).and_then(|(lat, lon)| fix(lat, lon));
    let Some(fix) = fix else { return signals.push(remark("无有效定位", from.to_string())) };
    let at = [found.timestamp, found.time].into_iter().find(|time| *time >= CLOCK_MIN);
    let course = found.ground_track.map(|track| if track > 36_000 { track / 10_000 } else { track / 10 });
    let position = Position {
        height_dm: found.altitude.and_then(|metres| metres.checked_mul(10)),
        // km/h to cm/s.
        speed_cm_s: found.ground_speed.and_then(|speed| speed.checked_mul(250)).map(|speed| speed / 9),
        course_ddeg: course.and_then(|course| u16::try_from(course).ok()).filter(|course| *course < 3_600),
        at: at.and_then(seconds),
        ..fix
    };
    signals.push(Signal::Position { of: from.clone(), position, emergency: false });
    if let 1..=31 = found.precision_bits {
        // Half of what the cut bits can say: 1e-7 degree is 11 mm.
        let width = 1_u64.checked_shl(32_u32.saturating_sub(found.precision_bits)).unwrap_or(0);
        let metres = width.saturating_mul(11) / 2_000;
        signals
            .push(remark("位置经发送方模糊", format!("{from}：精度 {} 位，误差约 {metres} 米", found.precision_bits)));
    }
}

fn fix(lat_e7: i32, lon_e7: i32) -> Option<Position> {
    let none = Position::from_degrees(0.0, 0.0)?;
    let holds = lat_e7.unsigned_abs() <= 900_000_000 && lon_e7.unsigned_abs() <= 1_800_000_000;
    (holds && (lat_e7, lon_e7) != (0, 0)).then_some(Position { lat_e7, lon_e7, ..none })
}

fn seconds(time: u32) -> Option<Utc> {
    i64::from(time).checked_mul(1_000).map(Utc)
}

/// From the destination it is its own word; a result that a radio tells itself is what it saw of the air.
fn routing(packet: &MeshPacket, data: &Data, result: &wire::Routing) -> Option<Signal> {
    let native = Some(data.request_id).filter(|id| *id != 0)?;
    if result.route_request.is_some() || result.route_reply.is_some() {
        return None;
    }
    let code = result.error_reason.unwrap_or(0);
    if code == 0 && packet.from == packet.to {
        return Some(Signal::Progress { native, rung: Rung::Repeated });
    }
    let by = terminal(packet.from);
    Some(Signal::Delivery { by, native, delivered: code == 0, code: u16::try_from(code).unwrap_or(u16::MAX) })
}

/// A queue's word on one packet: it can only say that it was not taken.
pub(super) fn queue(status: &wire::QueueStatus) -> Option<Signal> {
    if status.res == 0 || status.mesh_packet_id == 0 {
        return None;
    }
    let code = u16::try_from(status.res).unwrap_or(u16::MAX);
    let by = TerminalId::from_number(Bearer::Mesh, 0);
    Some(Signal::Delivery { by, native: status.mesh_packet_id, delivered: false, code })
}

/// Whether another try can help after this routing result.
pub(super) const fn is_permanent(code: u32) -> bool {
    matches!(code, 4 | 6 | error::TOO_LARGE | error::BAD_REQUEST..=37 | 39)
}

fn waypoint(point: &wire::Waypoint) -> String {
    let mut text = format!("【标点】{}", words(&point.name));
    if let Some(fix) = point.latitude_i.zip(point.longitude_i).and_then(|(lat, lon)| fix(lat, lon)) {
        text.push_str(&format!(" {:.5},{:.5}", fix.lat(), fix.lon()));
    }
    if !point.description.is_empty() {
        text.push_str(&format!(" {}", words(&point.description)));
    }
    text
}

/// A kept text comes under the sender and id that it had, so that what was heard before is a copy.
fn replayed(packet: &MeshPacket, kept: &wire::StoreAndForward) -> Vec<Signal> {
    match &kept.text {
        Some(bytes) => vec![
            heard(packet, text(bytes)),
            remark("存储转发补发，非实时", format!("{}：{}", terminal(packet.from), words(bytes))),
        ],
        None => Vec::new(),
    }
}

fn telemetry(figures: &wire::Telemetry) -> String {
    let mut parts = Vec::new();
    if let Some(device) = figures.device {
        parts.extend(
            device.battery_level.map(|level| if level > 100 { "外接电源".into() } else { format!("电量 {level} %") }),
        );
        parts.extend(device.voltage.map(|volts| format!("电压 {volts:.2} V")));
        parts.extend(device.channel_utilization.map(|share| format!("信道占用 {share:.1} %")));
    }
    if let Some(air) = figures.environment {
        parts.extend(air.temperature.map(|degrees| format!("气温 {degrees:.1} ℃")));
        parts.extend(air.relative_humidity.map(|share| format!("湿度 {share:.0} %")));
        parts.extend(air.barometric_pressure.map(|pressure| format!("气压 {pressure:.1} hPa")));
    }
    if let Some(stats) = figures.local {
        let (online, total) = (stats.online, stats.total);
        parts.push(format!("在线 {online}/{total}，收 {}，坏 {}，重复 {}", stats.rx, stats.rx_bad, stats.rx_dupe));
    }
    if parts.is_empty() { "其他遥测".into() } else { parts.join("，") }
}

fn trace(route: &wire::RouteDiscovery) -> String {
    let hops = |hops: &[u32]| hops.iter().map(|hop| format!("!{hop:08x}")).collect::<Vec<_>>().join(" → ");
    format!("去程 [{}] 回程 [{}]", hops(&route.route), hops(&route.route_back))
}

fn neighbours(info: &wire::NeighborInfo) -> String {
    let one = |neighbour: &wire::Neighbor| format!("!{:08x} {:.1} dB", neighbour.node_id, neighbour.snr);
    info.neighbors.iter().map(one).collect::<Vec<_>>().join("，")
}

fn tactical(packet: &MeshPacket, payload: &[u8], tak: &wire::Tak, signals: &mut Vec<Signal>) {
    let from = terminal(packet.from);
    if tak.is_compressed {
        return signals.push(remark("压缩的 TAK 报文", format!("{from}：{}", hex::encode(payload))));
    }
    let callsign = tak.contact.as_ref().map_or_else(String::new, |contact| words(&contact.callsign));
    if let Some(chat) = &tak.chat {
        let label = if callsign.is_empty() { String::new() } else { format!("{callsign}：") };
        signals.push(heard(packet, labelled(&label, &chat.message)));
    }
    match tak.pli.and_then(|pli| Some((pli, fix(pli.latitude_i, pli.longitude_i)?))) {
        Some((pli, fix)) => {
            let position = Position { height_dm: pli.altitude.checked_mul(10), ..fix };
            signals.push(Signal::Position { of: from, position, emergency: false });
        }
        None if tak.chat.is_none() => signals.push(remark("TAK 报文", format!("{from} {callsign}"))),
        None => {}
    }
}
