//! The tee: every frame in and out as a line of JSON, so that a bad day in the field becomes a vector.
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
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
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
        let framers = config
            .links
            .iter()
            .filter_map(|link| {
                let codec = link.codec().ok()?;
                Some((link.id(), (link.device.clone(), codec.framer())))
            })
            .collect();
        let limits = (config.capture.file_size.0, usize::try_from(config.capture.files).unwrap_or(usize::MAX));
        let mut tee = Tee { files: Files { dir, limits, open: None, written: 0, serial: 0 }, framers };
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
    framers: BTreeMap<LinkId, (String, Box<dyn Framer>)>,
}

impl Tee {
    fn write_all(&mut self, pieces: &Receiver<Piece>) {
        while let Ok(piece) = pieces.recv() {
            for line in self.lines(&piece) {
                if let Err(error) = self.files.write(&line) {
                    tracing::error!(%error, dir = %self.files.dir.display(), "抓包文件写不进去，已停止抓包");
                    return;
                }
            }
        }
    }

    fn lines(&mut self, piece: &Piece) -> Vec<String> {
        let Some((device, framer)) = self.framers.get_mut(&piece.link) else { return Vec::new() };
        let line = |bytes: &[u8], noise: Option<String>| {
            json!({
                "at": piece.at.map(|at| at.to_string()),
                "link": piece.link,
                "device": device.as_str(),
                "peer": piece.peer,
                "direction": if piece.heard { "from_terminal" } else { "to_terminal" },
                "hex": hex::encode(bytes),
                "noise": noise,
                "source": format!("capture {}", piece.at.map_or_else(String::new, |at| at.to_string().chars().take(10).collect())),
            })
            .to_string()
        };
        if !piece.heard || piece.peer.is_some() {
            return vec![line(&piece.bytes, None)];
        }
        framer.push(&piece.bytes);
        let mut lines = Vec::new();
        while let Some(found) = framer.next_found() {
            lines.push(match found {
                Found::Frame(bytes) => line(&bytes, None),
                Found::Noise { bytes, why } => line(&bytes, Some(format!("{why:?}"))),
            });
        }
        lines
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
}
