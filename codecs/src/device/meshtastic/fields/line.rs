//! A packet in one line of protobuf's text form.

use crate::device::meshtastic::wire::MeshPacket;
use std::fmt::Write as _;

/// What a host gives its radio, as the public client prints it, with blanks for line ends.
pub(super) fn of_packet(packet: &MeshPacket) -> String {
    let mut line = String::from("packet { ");
    let mut number = |name: &str, value: u32| {
        if value != 0 {
            line.push_str(&format!("  {name}: {value} "));
        }
    };
    number("from", packet.from);
    number("to", packet.to);
    number("channel", packet.channel);
    if let Some(data) = &packet.decoded {
        line.push_str("  decoded { ");
        let mut inner = |name: &str, value: String| line.push_str(&format!("    {name}: {value} "));
        if data.portnum != 0 {
            inner("portnum", port(data.portnum));
        }
        if !data.payload.is_empty() {
            inner("payload", quoted(&data.payload));
        }
        if data.want_response {
            inner("want_response", "true".into());
        }
        let ids = [
            ("dest", data.dest),
            ("source", data.source),
            ("request_id", data.request_id),
            ("reply_id", data.reply_id),
            ("emoji", data.emoji),
        ];
        for (name, value) in ids.into_iter().filter(|(_, value)| *value != 0) {
            inner(name, value.to_string());
        }
        if let Some(bits) = data.bitfield {
            inner("bitfield", bits.to_string());
        }
        line.push_str("  } ");
    }
    if let Some(bytes) = &packet.encrypted {
        line.push_str(&format!("  encrypted: {} ", quoted(bytes)));
    }
    let mut number = |name: &str, value: u32| {
        if value != 0 {
            line.push_str(&format!("  {name}: {value} "));
        }
    };
    number("id", packet.id);
    number("rx_time", packet.rx_time.unwrap_or(0));
    number("hop_limit", packet.hop_limit);
    if packet.want_ack {
        line.push_str("  want_ack: true ");
    }
    if packet.priority != 0 {
        line.push_str(&format!("  priority: {} ", priority(packet.priority)));
    }
    if packet.pki_encrypted {
        line.push_str("  pki_encrypted: true ");
    }
    line.push_str("} ");
    line
}

fn quoted(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for byte in bytes {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'"' => out.push_str("\\\""),
            b'\'' => out.push_str("\\'"),
            b'\\' => out.push_str("\\\\"),
            0x20..=0x7E => out.push(char::from(*byte)),
            _ => drop(write!(out, "\\{byte:03o}")),
        }
    }
    out.push('"');
    out
}

fn port(number: u32) -> String {
    let name = match number {
        1 => "TEXT_MESSAGE_APP",
        2 => "REMOTE_HARDWARE_APP",
        3 => "POSITION_APP",
        4 => "NODEINFO_APP",
        5 => "ROUTING_APP",
        6 => "ADMIN_APP",
        7 => "TEXT_MESSAGE_COMPRESSED_APP",
        8 => "WAYPOINT_APP",
        9 => "AUDIO_APP",
        10 => "DETECTION_SENSOR_APP",
        11 => "ALERT_APP",
        32 => "REPLY_APP",
        34 => "PAXCOUNTER_APP",
        64 => "SERIAL_APP",
        65 => "STORE_FORWARD_APP",
        66 => "RANGE_TEST_APP",
        67 => "TELEMETRY_APP",
        70 => "TRACEROUTE_APP",
        71 => "NEIGHBORINFO_APP",
        72 => "ATAK_PLUGIN",
        73 => "MAP_REPORT_APP",
        256 => "PRIVATE_APP",
        257 => "ATAK_FORWARDER",
        other => return other.to_string(),
    };
    name.to_owned()
}

fn priority(number: u32) -> String {
    let name = match number {
        1 => "MIN",
        10 => "BACKGROUND",
        64 => "DEFAULT",
        70 => "RELIABLE",
        80 => "RESPONSE",
        100 => "HIGH",
        110 => "ALERT",
        120 => "ACK",
        127 => "MAX",
        other => return other.to_string(),
    };
    name.to_owned()
}
