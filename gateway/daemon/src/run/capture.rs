//! The tee: every frame in and out as a case of `vectors/` (CONTRIBUTING.md), so that a bad day in the field becomes a
//! vector; `yizhan explain FILE` reads it.
//!
//! It has its own thread and a bounded queue, and drops (counted) rather than slow the station down.

use super::metrics::{Counter, Metrics};
use crate::config::Config;
use bytes::Bytes;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Instant;
use yizhan_codecs::device::{Direction, REGISTER};
use yizhan_codecs::explain::explain_device;
use yizhan_codecs::frame::{Found, Framer};
use yizhan_codecs::message::{LinkId, Peer, Utc};

const QUEUE_MAX: usize = 4_096;

/// The way to the capture's thread.
#[derive(Debug)]
pub(super) struct Capture {
    queue: SyncSender<Piece>,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
pub(super) struct Piece {
    pub link: LinkId,
    pub peer: Option<Peer>,
    pub heard: bool,
    pub at: Option<Utc>,
    pub bytes: Bytes,
}

impl Capture {
    /// Starts the thread when the config wants a capture.
    pub(super) fn start(config: &Config, metrics: Arc<Metrics>) -> std::io::Result<Option<Self>> {
        let Some(dir) = config.capture.dir.clone() else { return Ok(None) };
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let ports = config
            .links
            .iter()
            .filter_map(|link| {
                let framer = link.codec().ok()?.framer();
                let profile = serde_json::to_value(&link.profile).unwrap_or_default();
                Some((link.id(), PortTee { device: link.device.clone(), profile, framer, held: None }))
            })
            .collect();
        let limits = (config.capture.file_size.0, usize::try_from(config.capture.files).unwrap_or(usize::MAX));
        let mut tee = Tee { files: Files { dir, limits, open: None, written: 0, serial: 0 }, ports, count: 0 };
        let (queue, pieces) = sync_channel(QUEUE_MAX);
        std::thread::Builder::new().name("capture".into()).spawn(move || tee.write_all(&pieces))?;
        Ok(Some(Self { queue, metrics }))
    }

    pub(super) fn take(&self, piece: Piece) {
        if self.queue.try_send(piece).is_err() {
            self.metrics.add(Counter::CaptureDropped, "", 1);
        }
    }
}

struct Tee {
    files: Files,
    ports: BTreeMap<LinkId, PortTee>,
    /// Lines since the start, for their ids.
    count: u64,
}

/// What the tee knows of one link.
struct PortTee {
    device: String,
    profile: serde_json::Value,
    framer: Box<dyn Framer>,
    /// When the last bytes of what the framer holds came: by our clock, and as the line will say it.
    held: Option<(Instant, Option<Utc>)>,
}

impl Tee {
    fn write_all(&mut self, pieces: &Receiver<Piece>) {
        loop {
            let wait = self.ports.values().filter_map(PortTee::over_at).min();
            let wait = wait.map(|at| at.saturating_duration_since(Instant::now()));
            let piece = match wait {
                None => pieces.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => pieces.recv_timeout(wait),
            };
            let lines = match piece {
                Ok(piece) => self.lines(Instant::now(), &piece),
                Err(RecvTimeoutError::Timeout) => self.patience_over(Instant::now()),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            for line in lines {
                if let Err(error) = self.files.write(&line) {
                    tracing::error!(%error, dir = %self.files.dir.display(), "抓包文件写不进去，已停止抓包");
                    return;
                }
            }
        }
    }

    fn lines(&mut self, now: Instant, piece: &Piece) -> Vec<String> {
        let Some(port) = self.ports.get_mut(&piece.link) else { return Vec::new() };
        let whole = |bytes: &Bytes| vec![Found::Frame(bytes.clone())];
        let found = if piece.heard && piece.peer.is_none() {
            let mut found = port.give_up_if_over(now);
            port.framer.push(&piece.bytes);
            port.held = Some((now, piece.at));
            found.extend(std::iter::from_fn(|| port.framer.next_found()));
            found
        } else {
            whole(&piece.bytes)
        };
        found.iter().map(|found| port.line(&mut self.count, piece, found)).collect()
    }

    /// What waited too long for its rest is written as what it is then.
    fn patience_over(&mut self, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        for (link, port) in &mut self.ports {
            let at = port.held.and_then(|(_, at)| at);
            let piece = Piece { link: link.clone(), peer: None, heard: true, at, bytes: Bytes::new() };
            for found in port.give_up_if_over(now) {
                lines.push(port.line(&mut self.count, &piece, &found));
            }
        }
        lines
    }
}

impl PortTee {
    fn over_at(&self) -> Option<Instant> {
        Some(self.held?.0 + self.framer.patience()?)
    }

    fn give_up_if_over(&mut self, now: Instant) -> Vec<Found> {
        if self.over_at().is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.framer.give_up();
        std::iter::from_fn(|| self.framer.next_found()).collect()
    }

    /// One case as `vectors/` hold them. What some protocol of the device reads is expected to be read again; of what
    /// none reads nothing is expected until a person has looked at it.
    fn line(&self, count: &mut u64, piece: &Piece, found: &Found) -> String {
        *count += 1;
        let (direction, name) = if piece.heard {
            (Direction::FromTerminal, "from_terminal")
        } else {
            (Direction::ToTerminal, "to_terminal")
        };
        let bytes = found.bytes();
        let read = match found {
            Found::Frame(_) => explain_device(&self.device, direction, bytes).ok().map(|read| read.protocol),
            Found::Noise { .. } => None,
        };
        let first = || REGISTER.iter().find(|device| device.name == self.device)?.protocols.first();
        let at = piece.at.map_or_else(String::new, |at| at.to_string());
        let mut case = json!({
            "id": format!("{}-{at}-{count}", piece.link),
            "protocol": read.or_else(|| first().map(|protocol| protocol.name)),
            "device": self.device,
            "direction": name,
            "expect": if read.is_some() { "decode" } else { "lenient" },
            "hex": hex::encode(bytes),
            "source": format!("capture {}", at.chars().take(10).collect::<String>()).trim_end(),
            "at": piece.at.map(|at| at.to_string()),
            "link": piece.link,
        });
        let mut more = |key: &str, value: serde_json::Value| {
            case.as_object_mut().map(|case| case.insert(key.into(), value));
        };
        if let Found::Noise { why, .. } = found {
            more("noise", why.name().into());
        }
        if let Some(peer) = piece.peer {
            more("peer", json!(peer));
        }
        if !self.profile.as_object().is_none_or(serde_json::Map::is_empty) {
            more("profile", self.profile.clone());
        }
        case.to_string()
    }
}

/// Numbered files, the oldest of which go.
struct Files {
    dir: PathBuf,
    limits: (u64, usize),
    open: Option<BufWriter<File>>,
    written: u64,
    serial: u64,
}

impl Files {
    fn write(&mut self, line: &str) -> std::io::Result<()> {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX).saturating_add(1);
        if self.open.is_none() || self.written.saturating_add(length) > self.limits.0 {
            self.rotate()?;
        }
        if let Some(file) = &mut self.open {
            writeln!(file, "{line}")?;
            file.flush()?;
            self.written = self.written.saturating_add(length);
        }
        Ok(())
    }

    fn rotate(&mut self) -> std::io::Result<()> {
        let mut names = captures(&self.dir)?;
        let last = names.last().and_then(|path| number(path)).unwrap_or(0);
        self.serial = last.max(self.serial).saturating_add(1);
        let path = self.dir.join(format!("capture-{:08}.jsonl", self.serial));
        let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path)?;
        (self.open, self.written) = (Some(BufWriter::new(file)), 0);
        names.push(path);
        let surplus = names.len().saturating_sub(self.limits.1);
        for old in names.into_iter().take(surplus) {
            std::fs::remove_file(old)?;
        }
        Ok(())
    }
}

fn number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("capture-")?.strip_suffix(".jsonl")?.parse().ok()
}

/// The capture files of a folder, oldest first.
fn captures(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if number(&path).is_some() {
            found.push(path);
        }
    }
    found.sort_by_key(|path| number(path));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use yizhan_codecs::codec::{self, Profile};
    use yizhan_codecs::device;
    use yizhan_codecs::explain::{explain_line, explain_recorded};

    #[test]
    fn captures_are_bounded_by_size_and_count_and_go_on_numbering_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let files = || Files { dir: folder.path().to_owned(), limits: (64, 3), open: None, written: 0, serial: 0 };
        let mut first = files();
        for _ in 0..10 {
            first.write(&"x".repeat(40)).unwrap();
        }
        let numbers = || captures(folder.path()).unwrap().iter().filter_map(|p| number(p)).collect::<Vec<_>>();
        assert_eq!(numbers(), [8, 9, 10]);
        files().write("y").unwrap();
        assert_eq!(numbers(), [9, 10, 11]);
    }

    fn tee(folder: &Path, device: &str, profile: serde_json::Value, settings: Profile) -> Tee {
        let framer = device::open(device, &settings).unwrap().framer();
        let port = PortTee { device: device.into(), profile, framer, held: None };
        let files = Files { dir: folder.to_owned(), limits: (1 << 20, 3), open: None, written: 0, serial: 0 };
        Tee { files, ports: [(LinkId::new("mesh-1"), port)].into(), count: 0 }
    }

    fn piece(heard: bool, bytes: &'static [u8]) -> Piece {
        let at = Utc::from_civil(2026, 11, 23, 2, 10, 0);
        Piece { link: LinkId::new("mesh-1"), peer: None, heard, at, bytes: Bytes::from_static(bytes) }
    }

    #[test]
    fn a_captured_line_is_a_case_that_explain_reads() {
        let folder = tempfile::tempdir().unwrap();
        let mut tee = tee(folder.path(), "meshcore", json!({}), Profile::default());
        let now = Instant::now();
        let mut lines = tee.lines(now, &piece(true, b"boot>\x01"));
        lines.extend(tee.lines(now, &piece(true, b"\0\x0A>\x01\0\x7F")));
        lines.extend(tee.lines(now, &piece(false, b"<\x01\0\x0A")));
        let cases: Vec<serde_json::Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let expects: Vec<_> = cases.iter().map(|case| case["expect"].as_str().unwrap()).collect();
        assert_eq!(expects, ["lenient", "decode", "lenient", "decode"], "{cases:#?}");
        assert_eq!((&cases[0]["noise"], &cases[1]["hex"]), (&json!("no_header"), &json!("3e01000a")));
        assert_eq!(cases[1]["source"], "capture 2026-11-23");
        for (case, line) in cases.iter().zip(&lines) {
            assert_eq!((&case["protocol"], &case["device"]), (&json!("meshcore"), &json!("meshcore")), "{line}");
            let read = explain_line(line).starts_with("{\"fields\"") || explain_line(line).contains("\"ok\":true");
            assert_eq!(read, case["expect"] == "decode", "{line}");
        }
        let ids: std::collections::BTreeSet<_> = cases.iter().map(|case| case["id"].to_string()).collect();
        assert_eq!(ids.len(), cases.len());
    }

    #[test]
    fn a_burst_is_captured_when_its_silence_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let text = |text: &str| codec::Value::Text(text.into());
        let settings = Profile([("framing".into(), text("idle")), ("text".into(), text("0,rest"))].into());
        let mut tee = tee(folder.path(), "raw", json!({ "framing": "idle", "text": "0,rest" }), settings);
        let now = Instant::now();
        assert!(tee.lines(now, &piece(true, b"hel")).is_empty() && tee.patience_over(now).is_empty());
        assert!(tee.lines(now, &piece(true, b"lo")).is_empty());
        let lines = tee.patience_over(now + std::time::Duration::from_secs(1));
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert!(line.contains("68656c6c6f"), "{line}");
        let (words, good) = explain_recorded(line);
        assert!(good && words.contains("hello"), "{words}");
    }
}
