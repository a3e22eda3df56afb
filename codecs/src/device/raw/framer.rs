use super::wire::{Checksum, Framing, Layout, Length};
use crate::frame::{Cutter, DatagramFramer, Found, Framer, Noise, Shape, Verdict};
use bytes::{Bytes, BytesMut};
use std::time::Duration;

/// How long a started frame may wait for its rest on a slow line.
const PATIENCE: Duration = Duration::from_millis(500);

/// The framer of a layout.
#[must_use]
pub fn framer(layout: &Layout) -> Box<dyn Framer> {
    let max = layout.max;
    let enclosed = |size: Size| {
        let (head, tail, checksum) = (layout.head.clone(), layout.tail.clone(), layout.checksum);
        Box::new(Cutter::new(Enclosed { head, tail, size, max, checksum }))
    };
    match &layout.framing {
        Framing::Idle(idle) => Box::new(Bursts { idle: *idle, max, held: BytesMut::new(), ended: false }),
        Framing::Line(delimiter) => {
            Box::new(Lines { delimiter: delimiter.clone(), max, held: BytesMut::new(), skips: false, ended: false })
        }
        Framing::Datagram => Box::new(DatagramFramer::default()),
        Framing::Frame(length) => enclosed(Size::Told(*length)),
        Framing::Fixed(size) => enclosed(Size::Fixed(*size)),
    }
}

/// Frames between a head and a tail.
#[derive(Clone, Debug)]
struct Enclosed {
    head: Bytes,
    tail: Bytes,
    size: Size,
    max: usize,
    checksum: Option<Checksum>,
}

#[derive(Clone, Copy, Debug)]
enum Size {
    Told(Length),
    Fixed(usize),
}

impl Shape for Enclosed {
    fn frame_max(&self) -> usize {
        self.max
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn judge(&self, bytes: &[u8]) -> Verdict {
        if self.head.iter().zip(bytes).any(|(head, byte)| head != byte) {
            return Verdict::Noise(Noise::NoHeader);
        }
        let whole = match self.size {
            Size::Fixed(size) => size,
            Size::Told(length) => match length.of(bytes) {
                Some(whole) => whole,
                None if bytes.len() < self.max => return Verdict::More,
                None => 0,
            },
        };
        if whole == 0 || whole > self.max || whole < self.head.len().saturating_add(self.tail.len()) {
            return Verdict::Noise(Noise::Length { found: whole, max: self.max });
        }
        let Some(frame) = bytes.get(..whole) else { return Verdict::More };
        if !frame.ends_with(&self.tail) {
            return Verdict::Noise(Noise::Malformed);
        }
        match self.checksum.map_or(Ok(()), |sum| sum.check(frame)) {
            Ok(()) => Verdict::Frame(whole),
            Err(crate::codec::DecodeError::Checksum { expected, found }) => {
                let short = |sum: u32| u16::try_from(sum).unwrap_or(u16::MAX);
                Verdict::Noise(Noise::Checksum { expected: short(expected), found: short(found) })
            }
            Err(_) => Verdict::Noise(Noise::Malformed),
        }
    }
}

/// Bursts: what comes without a pause is one frame. One that is too long is cut, and every piece is a frame.
#[derive(Clone, Debug)]
struct Bursts {
    idle: Duration,
    max: usize,
    held: BytesMut,
    ended: bool,
}

impl Framer for Bursts {
    fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        self.ended = false;
    }

    fn next_found(&mut self) -> Option<Found> {
        if self.held.len() > self.max {
            return Some(Found::Frame(self.held.split_to(self.max).freeze()));
        }
        (self.ended && !self.held.is_empty()).then(|| Found::Frame(self.held.split().freeze()))
    }

    fn patience(&self) -> Option<Duration> {
        (!self.held.is_empty()).then_some(self.idle)
    }

    fn give_up(&mut self) {
        self.ended = true;
    }

    fn held_max(&self) -> usize {
        self.max
    }
}

/// Lines. One that is too long is noise up to its end, so that its tail is not taken for a line.
#[derive(Clone, Debug)]
struct Lines {
    delimiter: Bytes,
    max: usize,
    held: BytesMut,
    skips: bool,
    ended: bool,
}

impl Framer for Lines {
    fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        self.ended = false;
    }

    fn next_found(&mut self) -> Option<Found> {
        let unending = Noise::Unending { max: self.max };
        let end = self.held.windows(self.delimiter.len().max(1)).position(|part| part == self.delimiter);
        let end = end.map(|at| at.saturating_add(self.delimiter.len())).filter(|end| *end <= self.max);
        if let Some(end) = end {
            let bytes = self.held.split_to(end).freeze();
            let skipped = std::mem::take(&mut self.skips);
            return Some(if skipped { Found::Noise { bytes, why: unending } } else { Found::Frame(bytes) });
        }
        if self.held.len() >= self.max {
            // What could be the start of a delimiter stays.
            let cut = self.max.saturating_sub(self.delimiter.len()).saturating_add(1).min(self.held.len());
            self.skips = true;
            return Some(Found::Noise { bytes: self.held.split_to(cut).freeze(), why: unending });
        }
        if self.ended && !self.held.is_empty() {
            let why = if std::mem::take(&mut self.skips) { unending } else { Noise::HalfFrame };
            return Some(Found::Noise { bytes: self.held.split().freeze(), why });
        }
        None
    }

    fn patience(&self) -> Option<Duration> {
        (!self.held.is_empty()).then_some(PATIENCE)
    }

    fn give_up(&mut self) {
        self.ended = true;
    }

    fn held_max(&self) -> usize {
        self.max
    }
}
