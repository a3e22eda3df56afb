//! Explaining frames, datagrams and envelopes.
//!
//! Keys are not at hand here: what is encrypted is opened only where a public key and the name of a preset fit.

mod datagram;
mod labels;
mod line;

pub(super) use labels::LABELS;

use super::framer::StreamFramer;
use super::wire::{
    ChannelSlot, Config, FromRadio, MeshPacket, ModuleConfig, NodeInfo, ServiceEnvelope, ToRadio, first_field, is_wake,
    payload, top_fields,
};
use crate::codec::DecodeError;
use crate::device::{Direction, Fields, Protocol};
use crate::frame::{Found, Framer as _, Noise};
use datagram::{put, put_place, put_words};
use prost::Message as _;
use serde_json::Value;

pub(super) const PROTOCOLS: &[Protocol] = &[
    Protocol { name: "meshtastic-stream", explain: stream },
    Protocol { name: "meshtastic-udp", explain: |_: Direction, bytes| datagram::datagram(bytes) },
    Protocol { name: "mqtt", explain: |_: Direction, bytes| envelope(bytes) },
];

/// The last field of either direction that this reader knows.
const FIELDS_KNOWN: u64 = 19;

/// One frame, or a piece of a stream with console text around its frames; the fields are those of the only message in it.
fn stream(direction: Direction, bytes: &[u8]) -> Result<Fields, DecodeError> {
    if direction != Direction::FromTerminal && is_wake(bytes) {
        let mut fields: Fields = [("kind".to_owned(), Value::from("wake"))].into_iter().collect();
        put(&mut fields, "wake_bytes", bytes.len());
        return Ok(fields);
    }
    let mut framer = StreamFramer::default();
    framer.push(bytes);
    let (mut messages, mut frames, mut skipped, mut bogus) = (Vec::new(), 0_usize, 0_usize, false);
    while let Some(found) = framer.next_found() {
        match found {
            Found::Frame(frame) => {
                frames = frames.saturating_add(1);
                messages.extend(payload(&frame).filter(|payload| !payload.is_empty()).map(<[u8]>::to_vec));
            }
            Found::Noise { bytes, why } => {
                bogus |= matches!(why, Noise::Length { .. });
                skipped = skipped.saturating_add(bytes.len());
            }
        }
    }
    let held: usize = bytes.len().saturating_sub(skipped);
    if framer.patience().is_some() || frames == 0 {
        return Err(DecodeError::Length { expected: held.saturating_add(1), found: held });
    }
    let read: Vec<Fields> = messages.iter().map(|bytes| message(direction, bytes)).collect::<Result<_, _>>()?;
    let mut fields = match read.as_slice() {
        [one] => one.clone(),
        [] => [("kind".to_owned(), Value::from("empty"))].into_iter().collect(),
        _ => Fields::new(),
    };
    put(&mut fields, "frames", frames);
    if let [only] = messages.as_slice() {
        put(&mut fields, "payload_len", only.len());
    }
    if skipped > 0 {
        put(&mut fields, "skipped_bytes", skipped);
    }
    let empty = frames.saturating_sub(messages.len());
    if empty > 0 {
        put(&mut fields, "empty_frames", empty);
    }
    if bogus {
        put(&mut fields, "bogus_header", true);
    }
    Ok(fields)
}

fn message(direction: Direction, bytes: &[u8]) -> Result<Fields, DecodeError> {
    match direction {
        Direction::ToTerminal => to_radio(bytes),
        Direction::FromTerminal => from_radio(bytes),
        Direction::Any => from_radio(bytes).or_else(|_| to_radio(bytes)),
    }
}

pub(super) fn unread(what: &str, error: &prost::DecodeError) -> DecodeError {
    DecodeError::Unknown(format!("{what}: {error}"))
}

fn to_radio(bytes: &[u8]) -> Result<Fields, DecodeError> {
    let message = ToRadio::decode(bytes).map_err(|error| unread("ToRadio", &error))?;
    let mut fields = Fields::new();
    if let Some(packet) = &message.packet {
        put(&mut fields, "kind", "packet");
        datagram::put_packet(&mut fields, packet);
        put(&mut fields, "summary", line::of_packet(packet));
    } else if let Some(nonce) = message.want_config_id {
        put(&mut fields, "kind", "want_config_id");
        put(&mut fields, "want_config_id", nonce);
    } else if let Some(disconnect) = message.disconnect {
        put(&mut fields, "kind", "disconnect");
        put(&mut fields, "disconnect", disconnect);
    } else if message.xmodem.is_some() {
        put(&mut fields, "kind", "xmodemPacket");
    } else if let Some(proxy) = &message.mqtt {
        put(&mut fields, "kind", "mqttClientProxyMessage");
        put_words(&mut fields, "topic", &proxy.topic);
    } else if let Some(heartbeat) = &message.heartbeat {
        put(&mut fields, "kind", "heartbeat");
        put(&mut fields, "nonce", heartbeat.nonce);
    } else {
        put(&mut fields, "kind", "unknown");
    }
    put_unknown(&mut fields, bytes);
    Ok(fields)
}

/// A field that no schema known here has: skipped, and named.
fn put_unknown(fields: &mut Fields, bytes: &[u8]) {
    if let Some(field) = top_fields(bytes).and_then(|all| all.into_iter().find(|field| *field > FIELDS_KNOWN)) {
        put(fields, "unknown_field", field);
    }
}

fn from_radio(bytes: &[u8]) -> Result<Fields, DecodeError> {
    let message = FromRadio::decode(bytes).map_err(|error| unread("FromRadio", &error))?;
    let mut fields = Fields::new();
    put(&mut fields, "fromradio_id", message.id);
    if let Some(packet) = &message.packet {
        put(&mut fields, "kind", "packet");
        datagram::put_packet(&mut fields, packet);
    } else if let Some(info) = &message.my_info {
        put(&mut fields, "kind", "my_info");
        put(&mut fields, "my_node_num", info.my_node_num);
        put(&mut fields, "my_node_id", format!("!{:08x}", info.my_node_num));
        put(&mut fields, "min_app_version", info.min_app_version);
        put(&mut fields, "reboot_count", info.reboot_count);
        put(&mut fields, "device_id_hex", hex::encode(&info.device_id));
        put_words(&mut fields, "pio_env", &info.pio_env);
        put(&mut fields, "nodedb_count", info.nodedb_count);
    } else if let Some(info) = &message.node_info {
        put(&mut fields, "kind", "node_info");
        put_listed(&mut fields, info);
    } else if let Some(config) = &message.config {
        put(&mut fields, "kind", "config");
        put_config(&mut fields, config)?;
    } else if let Some(config) = &message.module_config {
        put(&mut fields, "kind", "moduleConfig");
        put_module(&mut fields, config)?;
    } else if let Some(slot) = &message.channel {
        put(&mut fields, "kind", "channel");
        put_slot(&mut fields, slot);
    } else {
        put_rest(&mut fields, &message, bytes);
    }
    put_unknown(&mut fields, bytes);
    Ok(fields)
}

fn put_rest(fields: &mut Fields, message: &FromRadio, bytes: &[u8]) {
    if let Some(log) = &message.log_record {
        put(fields, "kind", "log_record");
        put_words(fields, "message", &log.message);
        put_words(fields, "log_source", &log.source);
        put(fields, "log_time", log.time);
        put(fields, "level", log.level);
    } else if let Some(nonce) = message.config_complete_id {
        put(fields, "kind", "config_complete_id");
        put(fields, "config_complete_id", nonce);
    } else if let Some(rebooted) = message.rebooted {
        put(fields, "kind", "rebooted");
        put(fields, "rebooted", rebooted);
    } else if let Some(status) = &message.queue_status {
        put(fields, "kind", "queueStatus");
        put(fields, "res", status.res);
        put(fields, "free", status.free);
        put(fields, "maxlen", status.maxlen);
        put(fields, "mesh_packet_id", status.mesh_packet_id);
    } else if let Some(metadata) = &message.metadata {
        put(fields, "kind", "metadata");
        put_words(fields, "firmware_version", &metadata.firmware_version);
        put(fields, "device_state_version", metadata.device_state_version);
        put(fields, "hw_model", metadata.hw_model);
        put(fields, "role", metadata.role);
        put(fields, "has_wifi", metadata.has_wifi);
        put(fields, "has_bluetooth", metadata.has_bluetooth);
        put(fields, "has_ethernet", metadata.has_ethernet);
        put(fields, "has_pkc", metadata.has_pkc);
    } else if let Some(proxy) = &message.mqtt {
        put(fields, "kind", "mqttClientProxyMessage");
        put_words(fields, "topic", &proxy.topic);
        put(fields, "retained", proxy.retained);
    } else if let Some(file) = &message.file_info {
        put(fields, "kind", "fileInfo");
        put_words(fields, "file_name", &file.file_name);
        put(fields, "size_bytes", file.size_bytes);
    } else if let Some(notice) = &message.notification {
        put(fields, "kind", "clientNotification");
        put_words(fields, "message", &notice.message);
        put(fields, "level", notice.level);
        if let Some(id) = notice.reply_id {
            put(fields, "reply_id", id);
        }
    } else {
        let variant = top_fields(bytes).and_then(|all| all.into_iter().find(|field| *field != 1));
        put(
            fields,
            "kind",
            match variant {
                Some(12) => "xmodemPacket",
                Some(17) => "deviceuiConfig",
                Some(18) => "lockdown_status",
                Some(19) => "region_presets (19) or unknown",
                Some(_) => "unknown",
                None => "empty",
            },
        );
    }
}

fn put_listed(fields: &mut Fields, info: &NodeInfo) {
    put(fields, "num", info.num);
    if let Some(user) = &info.user {
        datagram::put_user(fields, user);
    }
    put(fields, "hops_away", info.hops_away);
    put_place(fields, info.position.and_then(|at| at.latitude_i), info.position.and_then(|at| at.longitude_i));
    put(fields, "last_heard", info.last_heard);
    if info.snr != 0.0 {
        put(fields, "snr", info.snr);
    }
    if info.via_mqtt {
        put(fields, "via_mqtt", true);
    }
    if let Some(level) = info.device_metrics.and_then(|metrics| metrics.battery_level) {
        put(fields, "battery_level", level);
    }
}

fn put_config(fields: &mut Fields, bytes: &[u8]) -> Result<(), DecodeError> {
    const SECTIONS: [&str; 10] = [
        "device",
        "position",
        "power",
        "network",
        "display",
        "lora",
        "bluetooth",
        "security",
        "sessionkey",
        "device_ui",
    ];
    let config = Config::decode(bytes).map_err(|error| unread("Config", &error))?;
    put(fields, "config", section(bytes, &SECTIONS));
    if let Some(lora) = &config.lora {
        put(fields, "region", lora.region);
        put(fields, "hop_limit", lora.hop_limit);
        put(fields, "use_preset", lora.use_preset);
        put(fields, "modem_preset", lora.modem_preset);
        put(fields, "tx_enabled", lora.tx_enabled);
        put(fields, "tx_power", lora.tx_power);
    }
    Ok(())
}

fn put_module(fields: &mut Fields, bytes: &[u8]) -> Result<(), DecodeError> {
    const SECTIONS: [&str; 13] = [
        "mqtt",
        "serial",
        "external_notification",
        "store_forward",
        "range_test",
        "telemetry",
        "canned_message",
        "audio",
        "remote_hardware",
        "neighbor_info",
        "ambient_lighting",
        "detection_sensor",
        "paxcounter",
    ];
    let config = ModuleConfig::decode(bytes).map_err(|error| unread("ModuleConfig", &error))?;
    put(fields, "module", section(bytes, &SECTIONS));
    if let Some(mqtt) = &config.mqtt {
        put(fields, "enabled", mqtt.enabled);
        put_words(fields, "address", &mqtt.address);
        put_words(fields, "root", &mqtt.root);
        put(fields, "encryption_enabled", mqtt.encryption_enabled);
        put(fields, "json_enabled", mqtt.json_enabled);
    }
    Ok(())
}

fn section(bytes: &[u8], names: &[&'static str]) -> String {
    let Some(number) = first_field(bytes) else { return "empty".into() };
    let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    at.and_then(|at| names.get(at)).map_or_else(|| format!("section {number}"), |name| (*name).to_owned())
}

fn put_slot(fields: &mut Fields, slot: &ChannelSlot) {
    put(fields, "index", slot.index);
    put(fields, "role", slot.role);
    if let Some(settings) = &slot.settings {
        put(fields, "psk_hex", hex::encode(&settings.psk));
        put(fields, "psk_len", settings.psk.len());
        put_words(fields, "name", &settings.name);
        put(fields, "uplink_enabled", settings.uplink_enabled);
        put(fields, "downlink_enabled", settings.downlink_enabled);
    }
}

/// What a broker carries: an envelope, or the text form of older firmware.
fn envelope(bytes: &[u8]) -> Result<Fields, DecodeError> {
    if bytes.trim_ascii_start().first() == Some(&b'{') {
        return datagram::json(bytes);
    }
    let envelope = ServiceEnvelope::decode(bytes).map_err(|error| unread("ServiceEnvelope", &error))?;
    let missing = |field| DecodeError::Field { field, at: 0, expected: "present" };
    let packet: &MeshPacket = envelope.packet.as_ref().ok_or(missing("packet"))?;
    if envelope.channel_id.is_empty() {
        return Err(missing("channel_id"));
    }
    if envelope.gateway_id.is_empty() {
        return Err(missing("gateway_id"));
    }
    let mut fields = Fields::new();
    datagram::put_packet(&mut fields, packet);
    let name = String::from_utf8_lossy(&envelope.channel_id);
    datagram::put_opened(&mut fields, packet, Some(&name));
    put(&mut fields, "channel_id", name.as_ref());
    put_words(&mut fields, "gateway_id", &envelope.gateway_id);
    Ok(fields)
}
