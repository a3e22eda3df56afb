use super::unread;
use crate::codec::DecodeError;
use crate::device::Fields;
use crate::device::meshtastic::signals::words;
use crate::device::meshtastic::wire::{
    self, Admin, Channel, Data, MeshPacket, NeighborInfo, Position, RouteDiscovery, Routing, StoreAndForward, Tak,
    Telemetry, User, Waypoint, nonce, port, routing_name,
};
use prost::Message as _;
use serde_json::Value;

/// Names of the presets, which stand for a channel's empty name.
const PRESETS: [&str; 9] = [
    "LongFast",
    "MediumFast",
    "ShortFast",
    "LongSlow",
    "LongModerate",
    "MediumSlow",
    "ShortSlow",
    "ShortTurbo",
    "LongTurbo",
];
/// Variants of the public key that applications offer.
const ALIASES: std::ops::RangeInclusive<u8> = 1..=10;
/// Tag and extra nonce behind what a public key encrypts.
const TAG: usize = 8;
const EXTRA: usize = 4;
/// The header of a packet on the air.
const AIR_HEADER: usize = 16;

pub(super) fn put(fields: &mut Fields, name: &str, value: impl Into<Value>) {
    fields.insert(name.to_owned(), value.into());
}

pub(super) fn put_words(fields: &mut Fields, name: &str, value: &[u8]) {
    put(fields, name, words(value));
}

/// Absent is null, not zero.
pub(super) fn put_place(fields: &mut Fields, lat: Option<i32>, lon: Option<i32>) {
    let degrees = |e7: Option<i32>| e7.map(|e7| f64::from(e7) / 1e7);
    put(fields, "lat", degrees(lat));
    put(fields, "lon", degrees(lon));
}

/// One bare packet; what is no message may be a packet as it stands on the air, behind its 16 bytes.
pub(super) fn datagram(bytes: &[u8]) -> Result<Fields, DecodeError> {
    let error = match MeshPacket::decode(bytes) {
        Ok(packet) if packet.encrypted.is_some() || packet.decoded.is_some() => {
            let mut fields = Fields::new();
            put_packet(&mut fields, &packet);
            put_opened(&mut fields, &packet, None);
            return Ok(fields);
        }
        Ok(_) => DecodeError::Unknown("MeshPacket without content".into()),
        Err(error) => unread("MeshPacket", &error),
    };
    let packet = on_air(bytes).ok_or(error)?;
    let mut fields = Fields::new();
    put_packet(&mut fields, &packet);
    put_opened(&mut fields, &packet, None);
    Ok(fields)
}

/// A packet as receivers off the air write it down. Its hop counters must hold together, for nothing else guards it.
fn on_air(bytes: &[u8]) -> Option<MeshPacket> {
    let word = |at: usize| {
        let word = bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(word.try_into().ok()?))
    };
    let (to, from, id) = (word(0)?, word(4)?, word(8)?);
    let &[flags, channel, next_hop, relay_node] = bytes.get(12..AIR_HEADER)? else { return None };
    let encrypted = bytes.get(AIR_HEADER..).filter(|rest| rest.len() > TAG + EXTRA)?.to_vec();
    let (hop_limit, hop_start) = (u32::from(flags & 7), u32::from(flags >> 5));
    (from > 4 && from != wire::BROADCAST && id != 0 && channel == 0 && (to & 0xFFFF) != 0 && hop_limit <= hop_start)
        .then_some(MeshPacket {
            to,
            from,
            id,
            hop_limit,
            hop_start,
            want_ack: flags & 8 != 0,
            via_mqtt: flags & 16 != 0,
            channel: u32::from(channel),
            next_hop: u32::from(next_hop),
            relay_node: u32::from(relay_node),
            encrypted: Some(encrypted),
            pki_encrypted: true,
            ..MeshPacket::default()
        })
}

pub(super) fn put_packet(fields: &mut Fields, packet: &MeshPacket) {
    put(fields, "from", packet.from);
    put(fields, "from_id", format!("!{:08x}", packet.from));
    put(fields, "to", packet.to);
    put(fields, "id", packet.id);
    put(fields, "channel", packet.channel);
    put(fields, "hop_limit", packet.hop_limit);
    put(fields, "hop_start", packet.hop_start);
    put(fields, "want_ack", packet.want_ack);
    if let Some(time) = packet.rx_time {
        put(fields, "rx_time", time);
    }
    if packet.rx_snr != 0.0 {
        put(fields, "rx_snr", packet.rx_snr);
    }
    if let Some(rssi) = packet.rx_rssi {
        put(fields, "rx_rssi", rssi);
    }
    let counts = [("priority", packet.priority), ("next_hop", packet.next_hop), ("relay_node", packet.relay_node)];
    for (name, value) in counts.into_iter().filter(|(_, value)| *value != 0) {
        put(fields, name, value);
    }
    for (name, _) in
        [("via_mqtt", packet.via_mqtt), ("pki_encrypted", packet.pki_encrypted)].into_iter().filter(|f| f.1)
    {
        put(fields, name, true);
    }
    if let Some(data) = &packet.decoded {
        put_data(fields, data);
    }
    if let Some(encrypted) = &packet.encrypted {
        put(fields, "encrypted_hex", hex::encode(encrypted));
    }
}

/// What stands under the encryption, where a key that everybody knows fits.
pub(super) fn put_opened(fields: &mut Fields, packet: &MeshPacket, named: Option<&str>) {
    let Some(encrypted) = &packet.encrypted else { return };
    if packet.pki_encrypted {
        return put_sealed(fields, packet, encrypted);
    }
    let names = named.into_iter().chain(PRESETS.into_iter().filter(|_| named.is_none()));
    for (name, alias) in names.flat_map(|name| std::iter::once(0).chain(ALIASES).map(move |alias| (name, alias))) {
        let Ok(channel) = Channel::new(name, &[alias]) else { continue };
        let hash = channel.hash();
        if u32::from(hash) != packet.channel {
            continue;
        }
        if let Some((plain, data)) = channel.open(packet.id, packet.from, encrypted) {
            put(fields, "channel_name", name);
            put(fields, "channel_hash", hash);
            put(fields, "psk_hex", format!("{alias:02x}"));
            put(fields, "key_hex", hex::encode(channel.key()));
            let nonce =
                if channel.key().is_empty() { String::new() } else { hex::encode(nonce(packet.id, packet.from)) };
            put(fields, "nonce_hex", nonce);
            return put_plain(fields, &plain, &data);
        }
    }
    // No key at all: the content reads as it stands.
    if let Ok(data) = Data::decode(encrypted.as_slice())
        && (1..=511).contains(&data.portnum)
        && data.encode_to_vec() == *encrypted
    {
        put(fields, "channel_hash", packet.channel);
        put(fields, "psk_hex", "00");
        put(fields, "key_hex", "");
        put(fields, "nonce_hex", "");
        put_plain(fields, encrypted, &data);
    }
}

fn put_plain(fields: &mut Fields, plain: &[u8], data: &Data) {
    put(fields, "plaintext_hex", hex::encode(plain));
    put_data(fields, data);
}

/// A direct message under public keys: all that can be said without the private one.
fn put_sealed(fields: &mut Fields, packet: &MeshPacket, encrypted: &[u8]) {
    let extra = encrypted.last_chunk::<EXTRA>().map(|extra| u32::from_le_bytes(*extra));
    let Some(extra) = extra.filter(|_| encrypted.len() > TAG + EXTRA) else { return };
    put(fields, "extra_nonce", extra);
    let nonce: Vec<u8> =
        [packet.id, extra, packet.from].iter().flat_map(|word| word.to_le_bytes()).chain([0]).collect();
    put(fields, "nonce_hex", hex::encode(&nonce));
    put(fields, "nonce13_hex", hex::encode(&nonce));
}

fn put_data(fields: &mut Fields, data: &Data) {
    put(fields, "portnum", data.portnum);
    put(fields, "payload_hex", hex::encode(&data.payload));
    if data.want_response {
        put(fields, "want_response", true);
    }
    let ids = [
        ("dest", data.dest),
        ("source", data.source),
        ("request_id", data.request_id),
        ("reply_id", data.reply_id),
        ("emoji", data.emoji),
    ];
    for (name, value) in ids.into_iter().filter(|(_, value)| *value != 0) {
        put(fields, name, value);
    }
    if let Some(bits) = data.bitfield {
        put(fields, "bitfield", bits);
    }
    // A payload that does not read as its port says stays in hex.
    let _unread_payload_stays_in_hex = put_payload(fields, data);
}

fn put_payload(fields: &mut Fields, data: &Data) -> Result<(), prost::DecodeError> {
    let bytes = data.payload.as_slice();
    match data.portnum {
        port::TEXT | port::ALERT | port::DETECTION | port::RANGE_TEST => put_words(fields, "text", bytes),
        port::POSITION if !bytes.is_empty() => put_position(fields, &Position::decode(bytes)?),
        port::NODE_INFO => put_user(fields, &User::decode(bytes)?),
        port::ROUTING => {
            let routing = Routing::decode(bytes)?;
            let code = routing.error_reason.unwrap_or(0);
            put(fields, "error_reason", code);
            put(fields, "error_name", routing_name(code));
        }
        port::ADMIN => {
            if let Some(time) = Admin::decode(bytes)?.set_time_only {
                put(fields, "set_time_only", time);
            }
        }
        port::WAYPOINT => {
            let point = Waypoint::decode(bytes)?;
            put(fields, "waypoint_id", point.id);
            put_words(fields, "name", &point.name);
            put_words(fields, "description", &point.description);
            put_place(fields, point.latitude_i, point.longitude_i);
            put(fields, "expire", point.expire);
        }
        port::STORE_FORWARD => {
            let kept = StoreAndForward::decode(bytes)?;
            put(fields, "rr", kept.rr);
            if let Some(text) = &kept.text {
                put_words(fields, "text", text);
            }
        }
        port::TELEMETRY => put_telemetry(fields, &Telemetry::decode(bytes)?),
        port::TRACEROUTE if !bytes.is_empty() => put_route(fields, &RouteDiscovery::decode(bytes)?),
        port::NEIGHBOR_INFO => {
            let info = NeighborInfo::decode(bytes)?;
            put(fields, "node_id", info.node_id);
            put(fields, "neighbors", info.neighbors.iter().map(|one| one.node_id).collect::<Vec<_>>());
        }
        port::TAK => put_tak(fields, &Tak::decode(bytes)?),
        _ => {}
    }
    Ok(())
}

fn put_position(fields: &mut Fields, position: &Position) {
    put_place(fields, position.latitude_i, position.longitude_i);
    let signed = [("alt", position.altitude)];
    for (name, value) in signed.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        put(fields, name, value);
    }
    let counts = [
        ("pos_time", Some(position.time).filter(|time| *time != 0)),
        ("timestamp", Some(position.timestamp).filter(|time| *time != 0)),
        ("ground_speed", position.ground_speed),
        ("ground_track", position.ground_track),
        ("sats_in_view", Some(position.sats_in_view).filter(|count| *count != 0)),
        ("precision_bits", Some(position.precision_bits).filter(|bits| *bits != 0)),
    ];
    for (name, value) in counts.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        put(fields, name, value);
    }
}

pub(super) fn put_user(fields: &mut Fields, user: &User) {
    put_words(fields, "user_id", &user.id);
    put_words(fields, "long_name", &user.long_name);
    put_words(fields, "short_name", &user.short_name);
    put(fields, "hw_model", user.hw_model);
    put(fields, "role", user.role);
    if !user.public_key.is_empty() {
        put(fields, "public_key_hex", hex::encode(&user.public_key));
    }
}

fn put_telemetry(fields: &mut Fields, telemetry: &Telemetry) {
    put(fields, "telemetry_time", telemetry.time);
    if let Some(device) = telemetry.device {
        put_some(fields, "battery_level", device.battery_level);
        put_some(fields, "voltage", device.voltage);
        put_some(fields, "channel_utilization", device.channel_utilization);
        put_some(fields, "air_util_tx", device.air_util_tx);
        put_some(fields, "uptime_seconds", device.uptime_seconds);
    }
    if let Some(air) = telemetry.environment {
        put_some(fields, "temperature", air.temperature);
        put_some(fields, "relative_humidity", air.relative_humidity);
        put_some(fields, "barometric_pressure", air.barometric_pressure);
    }
    if let Some(stats) = telemetry.local {
        put(fields, "uptime_seconds", stats.uptime_seconds);
        put(fields, "channel_utilization", stats.channel_utilization);
        put(fields, "air_util_tx", stats.air_util_tx);
        let counts = [
            ("num_packets_tx", stats.tx),
            ("num_packets_rx", stats.rx),
            ("num_packets_rx_bad", stats.rx_bad),
            ("num_online_nodes", stats.online),
            ("num_total_nodes", stats.total),
            ("num_rx_dupe", stats.rx_dupe),
            ("num_tx_relay", stats.relayed),
            ("num_tx_relay_canceled", stats.relay_canceled),
            ("num_tx_dropped", stats.tx_dropped),
        ];
        for (name, value) in counts {
            put(fields, name, value);
        }
        put(fields, "noise_floor", stats.noise_floor);
    }
}

fn put_some(fields: &mut Fields, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        put(fields, name, value);
    }
}

fn put_route(fields: &mut Fields, route: &RouteDiscovery) {
    let decibels = |quarters: &[i32]| quarters.iter().map(|snr| f64::from(*snr) / 4.0).collect::<Vec<_>>();
    put(fields, "route", route.route.clone());
    put(fields, "snr_towards_db", decibels(&route.snr_towards));
    put(fields, "route_back", route.route_back.clone());
    put(fields, "snr_back_db", decibels(&route.snr_back));
}

fn put_tak(fields: &mut Fields, tak: &Tak) {
    put(fields, "is_compressed", tak.is_compressed);
    if tak.is_compressed {
        return;
    }
    if let Some(contact) = &tak.contact {
        put_words(fields, "callsign", &contact.callsign);
        put_words(fields, "device_callsign", &contact.device_callsign);
    }
    if let Some(chat) = &tak.chat {
        put_words(fields, "message", &chat.message);
    }
    if let Some(pli) = tak.pli {
        put_place(fields, Some(pli.latitude_i), Some(pli.longitude_i));
        put(fields, "alt", pli.altitude);
        put(fields, "speed", pli.speed);
        put(fields, "course", pli.course);
    }
}

/// The text form of firmware before 2.8, both ways.
pub(super) fn json(bytes: &[u8]) -> Result<Fields, DecodeError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| DecodeError::Unknown(format!("JSON: {error}")))?;
    let kind = value.get("type").and_then(Value::as_str);
    let kind = kind.ok_or(DecodeError::Field { field: "type", at: 0, expected: "text" })?;
    let mut fields = Fields::new();
    put(&mut fields, "type", kind);
    for name in ["from", "to", "id", "channel", "timestamp", "sender"] {
        if let Some(found) = value.get(name) {
            put(&mut fields, name, found.clone());
        }
    }
    let Some(payload) = value.get("payload") else { return Ok(fields) };
    let text = payload.as_str().or_else(|| payload.get("text").and_then(Value::as_str));
    put_some(&mut fields, "text", text);
    let degrees = |name: &str| payload.get(name).and_then(Value::as_i64).and_then(|e7| i32::try_from(e7).ok());
    if let (Some(lat), Some(lon)) = (degrees("latitude_i"), degrees("longitude_i")) {
        put_place(&mut fields, Some(lat), Some(lon));
    }
    let inner = [
        ("altitude", "alt"),
        ("time", "pos_time"),
        ("id", "user_id"),
        ("longname", "long_name"),
        ("shortname", "short_name"),
    ];
    let same = [
        "battery_level",
        "voltage",
        "temperature",
        "relative_humidity",
        "barometric_pressure",
        "air_util_tx",
        "channel_utilization",
        "uptime_seconds",
    ];
    for (theirs, ours) in inner.into_iter().chain(same.map(|name| (name, name))) {
        put_some(&mut fields, ours, payload.get(theirs).cloned());
    }
    Ok(fields)
}
