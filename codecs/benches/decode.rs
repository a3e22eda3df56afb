//! Bytes per second of framing and decoding, for every protocol of every registered device, beside measures of the same
//! machine in the same run: a plain scan of the same bytes for `$`, and a peer where there is one: the `nmea` crate parsing
//! the same sentences, plain `prost` decoding of the same Meshtastic messages, already cut. Prints one table; takes about a
//! second a row. `cargo bench -p yizhan-codecs`.
//!
//! The bytes are the recorded cases that a station hears and must read, over and over, pushed a case at a time (a datagram, a
//! read). A protocol that no link speaks (an MQTT envelope) is read by its explainer, and the row says so.

#![expect(clippy::disallowed_types, reason = "a bench measures wall time")]

use serde_json::Value;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};
use yizhan_codecs::codec::{Profile, Value as Setting};
use yizhan_codecs::device::meshtastic::wire::{FromRadio, MeshPacket, Message, ServiceEnvelope, payload};
use yizhan_codecs::device::{Device, Direction, REGISTER};
use yizhan_codecs::explain::wire_bytes;
use yizhan_codecs::frame::Found;

/// How long each row is measured, after a tenth of it to warm up.
const MEASURE: Duration = Duration::from_millis(900);
const PASS_BYTES: usize = 64 * 1024;

/// The cases of one protocol, repeated to about [`PASS_BYTES`].
struct Load {
    protocol: &'static str,
    reads: Vec<Vec<u8>>,
}

impl Load {
    fn bytes(&self) -> usize {
        self.reads.iter().map(Vec::len).sum()
    }
}

fn loads(device: &Device) -> Vec<Load> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/device").join(device.name).join("vectors");
    let mut files: Vec<_> = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let lines: Vec<Value> = files
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(file).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>()
        })
        .collect();
    let load = |protocol: &'static str| {
        let cases: Vec<Vec<u8>> = lines
            .iter()
            .filter(|case| case["protocol"] == protocol && case["expect"] == "decode")
            .filter(|case| case["direction"] != "to_terminal")
            .map(|case| {
                let text = |key: &str| case.get(key).and_then(Value::as_str);
                let mut bytes = wire_bytes(text("hex"), text("text"), text("charset")).unwrap();
                if text("text").is_some() && !bytes.ends_with(b"\r\n") {
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes
            })
            .collect();
        let once: usize = cases.iter().map(Vec::len).sum();
        let times = PASS_BYTES / once.max(1) + 1;
        let reads = cases.iter().cycle().take(cases.len() * times).cloned().collect();
        Load { protocol, reads }
    };
    device.protocols.iter().map(|protocol| load(protocol.name)).filter(|load| !load.reads.is_empty()).collect()
}

/// Passes per second of `pass`.
fn rate(mut pass: impl FnMut() -> usize) -> f64 {
    let run = |time: Duration, pass: &mut dyn FnMut() -> usize| {
        let start = Instant::now();
        let mut passes = 0_u32;
        while start.elapsed() < time {
            black_box(pass());
            passes += 1;
        }
        f64::from(passes) / start.elapsed().as_secs_f64()
    };
    run(MEASURE / 10, &mut pass);
    run(MEASURE, &mut pass)
}

/// The settings under which a link speaks a protocol, where the defaults speak another of the same device.
fn profile(protocol: &str) -> Profile {
    let settings: &[(&str, &str)] = match protocol {
        "hytera-hrnp" => &[("carrier", "hrnp")],
        "hytera-hstrp" => &[("carrier", "hstrp")],
        "meshtastic-udp" => &[("over", "multicast"), ("own", "!0badcafe"), ("channels", "LongFast=AQ==")],
        _ => &[],
    };
    Profile(settings.iter().map(|(key, value)| ((*key).into(), Setting::Text((*value).into()))).collect())
}

/// One pass of framer and codec; gives the number of signals.
fn decode(device: &Device, load: &Load) -> usize {
    let codec = (device.open)(&profile(load.protocol)).expect("opens with these settings");
    let mut framer = codec.framer();
    let mut signals = 0;
    for read in &load.reads {
        framer.push(read);
        while let Some(found) = framer.next_found() {
            if let Found::Frame(frame) = found {
                signals += black_box(codec.decode(&frame, None)).map_or(0, |signals| signals.len());
            }
        }
    }
    signals
}

/// One pass of the explainer, for a protocol that no link speaks.
fn explain(device: &Device, load: &Load) -> usize {
    let explain = device.protocols.iter().find(|protocol| protocol.name == load.protocol).expect("its own").explain;
    load.reads.iter().filter(|read| black_box(explain(Direction::FromTerminal, read)).is_ok()).count()
}

/// The messages of a protocol that is made of protobuf, cut before the clock runs.
fn messages(device: &Device, load: &Load) -> Vec<bytes::Bytes> {
    let codec = (device.open)(&profile(load.protocol)).expect("opens with these settings");
    let mut framer = codec.framer();
    let mut messages = Vec::new();
    for read in &load.reads {
        if load.protocol == "mqtt" {
            messages.push(read.clone().into());
            continue;
        }
        framer.push(read);
        while let Some(found) = framer.next_found() {
            let Found::Frame(frame) = found else { continue };
            messages.push(payload(&frame).map_or_else(|| frame.clone(), bytes::Bytes::copy_from_slice));
        }
    }
    messages
}

fn prost_plain(protocol: &str, messages: &[bytes::Bytes]) -> usize {
    let is_read = |bytes: &bytes::Bytes| match protocol {
        "meshtastic-stream" => black_box(FromRadio::decode(&bytes[..])).is_ok(),
        "meshtastic-udp" => black_box(MeshPacket::decode(&bytes[..])).is_ok(),
        _ => black_box(ServiceEnvelope::decode(&bytes[..])).is_ok(),
    };
    messages.iter().filter(|bytes| is_read(bytes)).count()
}

/// A peer that reads the same bytes in the same run: its name and its passes per second.
fn peer(device: &Device, load: &Load) -> Option<(&'static str, f64)> {
    match (device.name, load.protocol) {
        (_, "nmea") => Some(("nmea crate", rate(|| nmea_crate(load)))),
        ("meshtastic", protocol) => {
            let messages = messages(device, load);
            Some(("plain prost", rate(|| prost_plain(protocol, &messages))))
        }
        _ => None,
    }
}

fn scan(load: &Load) -> usize {
    load.reads.iter().map(|read| black_box(read).iter().filter(|byte| **byte == b'$').count()).sum()
}

fn nmea_crate(load: &Load) -> usize {
    let sentences = load.reads.iter().filter_map(|read| std::str::from_utf8(read).ok());
    sentences.filter(|sentence| black_box(nmea::parse_str(sentence.trim_end())).is_ok()).count()
}

#[expect(clippy::cast_precision_loss, reason = "sizes of a pass are far below 2^52")]
fn main() {
    println!("{:<18} {:>9} {:>12} {:>12} {:>11}", "protocol", "MB/s", "frames/s", "of a scan", "of the peer");
    for (device, load) in REGISTER.iter().flat_map(|device| loads(device).into_iter().map(move |load| (device, load))) {
        let (bytes, reads) = (load.bytes() as f64, load.reads.len() as f64);
        let is_link = decode(device, &load) > 0;
        let ours = if is_link { rate(|| decode(device, &load)) } else { rate(|| explain(device, &load)) };
        let scanned = rate(|| scan(&load));
        let peer = peer(device, &load);
        println!(
            "{:<18} {:>9.1} {:>12.0} {:>11.2}% {:>11}{}",
            load.protocol,
            ours * bytes / 1e6,
            ours * reads,
            ours / scanned * 100.0,
            peer.map_or_else(|| "-".into(), |(_, theirs)| format!("{:.2}x", ours / theirs)),
            if is_link { "" } else { "  by explain" },
        );
        if let Some((name, theirs)) = peer {
            println!(
                "  {name:<16} {:>9.1} {:>12.0} {:>11.2}%",
                theirs * bytes / 1e6,
                theirs * reads,
                theirs / scanned * 100.0
            );
        }
    }
}
