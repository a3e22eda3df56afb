//! Cuts one port's bytes into 4.0 binary frames, text sentences and `$BDXST`-like binary, by content alone.
//!
//! The stream is parted at every `$` that begins a *whole header*: `$` four letters and a length of 11..=512, or `$`
//! five letters or digits and a comma, or `$BDXST`/`$BDXSD` and a length. From there on stands a frame, or noise up to
//! the next whole header; noise is cut every [`NOISE_MAX`] bytes. That makes the items a function of the bytes alone,
//! whatever the chunking.
//!
//! **A valid frame is not swallowed.** A one-byte XOR passes one wrong candidate in 256, so a half frame before valid
//! ones does now and then make a candidate that "checks". Such a candidate is refused when a valid frame begins inside
//! it, unless that frame ends inside its free content, where a sender may put what he likes.
//!
//! **Linear.** Prefix sums of XOR make every checksum one subtraction; the end of a sentence is searched once however
//! many `$` stand before it.

mod sentence;
#[cfg(test)]
mod tests;

use super::wire::rdss40::{LENGTH_MAX, LENGTH_MIN, content_bytes};
use super::wire::text::{LENGTH_MAX as SENTENCE_MAX, Leniency};
use crate::frame::{Found, Framer, Noise};
use bytes::Bytes;
use sentence::Ends;
use std::collections::VecDeque;
use std::time::Duration;

/// Noise is given out in items of at most so many bytes.
pub const NOISE_MAX: usize = 1024;
/// The most bytes of a header, all of which decide whether it is one.
const HEADER_MAX: usize = 8;
/// What a read may lag behind the line, on top of the time of the bytes.
const SLACK: Duration = Duration::from_millis(200);

/// The framer of a Beidou port.
#[derive(Clone, Debug)]
pub struct BeidouFramer {
    baud: u32,
    lenient: Leniency,
    held: Vec<u8>,
    /// `sums[i]` = XOR of `held[..i]`.
    sums: Vec<u8>,
    /// Start of the item that is being cut; all before it was given out.
    start: usize,
    /// Everything in `start..scanned` is noise.
    scanned: usize,
    /// Why `start..` is noise, once that is known.
    why: Option<Noise>,
    ends: Ends,
    /// Bytes that the candidate at `start` still needs.
    missing: usize,
    ready: VecDeque<Found>,
}

/// What a `$` begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    /// 4.0 binary of so many bytes.
    Binary(usize),
    /// `$BDXST`/`$BDXSD` of so many bytes.
    Monitor(usize),
    Sentence,
    /// More bytes are needed to tell.
    Undecided,
    None,
}

/// What became of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// A frame that ends before this position.
    Frame(usize),
    Noise(Noise),
    /// So many more bytes are needed, at most.
    Wait(usize),
}

impl BeidouFramer {
    /// A framer for a line of `baud`.
    #[must_use]
    pub fn new(baud: u32, lenient: Leniency) -> Self {
        Self {
            baud: baud.max(1),
            lenient,
            held: Vec::new(),
            sums: vec![0],
            start: 0,
            scanned: 0,
            why: None,
            ends: Ends::default(),
            missing: 0,
            ready: VecDeque::new(),
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.held.get(at).copied()
    }

    /// XOR of `held[from..to]`.
    fn sum(&self, from: usize, to: usize) -> Option<u8> {
        Some(self.sums.get(from)? ^ self.sums.get(to)?)
    }

    fn u16_at(&self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes([self.byte(at)?, self.byte(at + 1)?]))
    }

    /// Reads the header at a `$`, byte by byte, so that what is no header is known as early as possible.
    fn header(&self, at: usize) -> Header {
        let mut letters = 0;
        while letters < 5 {
            match self.byte(at + 1 + letters) {
                Some(c) if c.is_ascii_uppercase() || c.is_ascii_digit() => letters += 1,
                Some(_) => break,
                None => return Header::Undecided,
            }
        }
        if letters == 5 {
            let kind = self.held.get(at + 1..at + 6).unwrap_or_default();
            return match self.byte(at + 6) {
                None => Header::Undecided,
                Some(b',') => Header::Sentence,
                Some(_) if kind == b"BDXST" || kind == b"BDXSD" => self.length(at + 6, Header::Monitor),
                Some(_) => Header::None,
            };
        }
        let lettered = self.held.get(at + 1..at + 5).is_some_and(|four| four.iter().all(u8::is_ascii_uppercase));
        if letters == 4 && lettered { self.length(at + 5, Header::Binary) } else { Header::None }
    }

    fn length(&self, at: usize, kind: fn(usize) -> Header) -> Header {
        let range = LENGTH_MIN..=LENGTH_MAX;
        match (self.byte(at), self.u16_at(at)) {
            (_, Some(length)) if range.contains(&usize::from(length)) => kind(length.into()),
            (Some(high), None) if usize::from(high) << 8 <= LENGTH_MAX => Header::Undecided,
            (None, None) => Header::Undecided,
            _ => Header::None,
        }
    }

    /// Judges the candidate at `at`, which has a whole header. `last` = no more bytes will come.
    fn judge(&mut self, at: usize, last: bool) -> Verdict {
        match self.header(at) {
            Header::Binary(length) | Header::Monitor(length) => match self.judge_binary(at, length) {
                Verdict::Frame(end) => self.unless_inner(at, end, last),
                verdict => verdict,
            },
            Header::Sentence => {
                let mut ends = std::mem::take(&mut self.ends);
                let verdict = self.judge_sentence(at, &mut ends, last);
                self.ends = ends;
                verdict
            }
            Header::Undecided => Verdict::Wait(HEADER_MAX),
            Header::None => Verdict::Noise(Noise::NoHeader),
        }
    }

    fn judge_binary(&self, at: usize, length: usize) -> Verdict {
        let end = at + length;
        match self.sum(at, end) {
            None => Verdict::Wait(end - self.held.len()),
            Some(0) => Verdict::Frame(end),
            Some(rest) => {
                let found = self.byte(end - 1).unwrap_or_default();
                Verdict::Noise(Noise::Checksum { expected: (rest ^ found).into(), found: found.into() })
            }
        }
    }

    /// Whether a checked binary frame is one that carries content, and its bit length agrees with its length: then a
    /// header inside it is content.
    fn has_free_content(&self, at: usize, end: usize) -> bool {
        let (bits_at, fixed) = match self.held.get(at + 1..at + 6) {
            Some([b'T', b'X', b'S', b'Q', _]) => (at + 14, 18),
            Some([b'T', b'X', b'X', b'X', _]) => (at + 16, 20),
            Some(b"BDXST") => (at + 17, 21),
            _ => return false,
        };
        // A header in the fixed part would be read as lengths and numbers: then nothing is proven.
        let fixed_part = self.held.get(at + 1..bits_at + 2).unwrap_or_default();
        let agrees = self.u16_at(bits_at).is_some_and(|bits| fixed + content_bytes(bits) == end - at);
        agrees
            && !fixed_part
                .windows(3)
                .any(|part| matches!(part, [b'$', a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase()))
    }

    /// Refuses a checked candidate that is a half frame and the start of others: a valid frame begins inside it and
    /// goes beyond its end, which content cannot bring about. Where the kind has no free content, a valid frame that
    /// ends inside is the same proof.
    fn unless_inner(&self, at: usize, end: usize, last: bool) -> Verdict {
        let free = self.has_free_content(at, end);
        for inner in at + 1..end {
            if self.byte(inner) != Some(b'$') {
                continue;
            }
            let verdict = match self.header(inner) {
                Header::Binary(length) | Header::Monitor(length) => self.judge_binary(inner, length),
                Header::Sentence => self.judge_sentence(inner, &mut Ends::default(), last),
                Header::Undecided => Verdict::Wait(HEADER_MAX),
                Header::None => continue,
            };
            match verdict {
                Verdict::Frame(inner_end) if inner_end > end || !free => return Verdict::Noise(Noise::Malformed),
                Verdict::Wait(missing) if !last => return Verdict::Wait(missing),
                _ => {}
            }
        }
        Verdict::Frame(end)
    }

    fn take(&mut self, end: usize) -> Bytes {
        let bytes = Bytes::copy_from_slice(self.held.get(self.start..end).unwrap_or_default());
        self.start = end;
        self.scanned = self.scanned.max(end);
        bytes
    }

    /// Gives out noise up to `end`; the same run of noise may go on after it.
    fn take_noise(&mut self, end: usize) -> Found {
        let why = self.why.unwrap_or(Noise::NoHeader);
        Found::Noise { bytes: self.take(end), why }
    }

    /// Gives out noise up to `end`, where its run is over.
    fn end_noise(&mut self, end: usize) -> Found {
        let noise = self.take_noise(end);
        self.why = None;
        noise
    }

    /// The next item of what is held; `last` resolves everything that would wait.
    fn cut(&mut self, last: bool) -> Option<Found> {
        loop {
            let end = self.held.len();
            let next = self.held.get(self.scanned..).unwrap_or_default().iter().position(|c| *c == b'$');
            let dollar = next.map_or(end, |ahead| self.scanned + ahead);
            self.scanned = dollar;
            if dollar - self.start >= NOISE_MAX {
                return Some(self.take_noise(self.start + NOISE_MAX));
            }
            if next.is_none() {
                self.missing = 0;
                return (last && self.start < end).then(|| self.end_noise(end));
            }
            match self.header(dollar) {
                Header::Undecided if !last => {
                    self.missing = HEADER_MAX;
                    return None;
                }
                Header::Undecided | Header::None => {
                    self.scanned = dollar + 1;
                    continue;
                }
                _ if self.start < dollar => return Some(self.end_noise(dollar)),
                _ => {}
            }
            match self.judge(dollar, last) {
                Verdict::Frame(end) => {
                    self.why = None;
                    return Some(Found::Frame(self.take(end)));
                }
                Verdict::Noise(why) => self.why = Some(why),
                Verdict::Wait(_) if last => self.why = Some(Noise::HalfFrame),
                Verdict::Wait(missing) => {
                    self.missing = missing;
                    return None;
                }
            }
            self.scanned = dollar + 1;
        }
    }

    /// Forgets what was given out.
    fn compact(&mut self) {
        if self.start == 0 {
            return;
        }
        self.held.drain(..self.start);
        self.sums.drain(..self.start);
        self.scanned -= self.start;
        self.ends.shift(self.start);
        self.start = 0;
    }
}

impl Framer for BeidouFramer {
    fn push(&mut self, bytes: &[u8]) {
        self.compact();
        let mut sum = self.sums.last().copied().unwrap_or_default();
        self.sums.extend(bytes.iter().map(|byte| {
            sum ^= byte;
            sum
        }));
        self.held.extend_from_slice(bytes);
    }

    fn next_found(&mut self) -> Option<Found> {
        if let Some(found) = self.ready.pop_front() {
            return Some(found);
        }
        self.cut(false)
    }

    /// The missing bytes at line speed and 200 ms, counted from the last byte heard.
    fn patience(&self) -> Option<Duration> {
        if self.start >= self.held.len() {
            return None;
        }
        let bits = u64::try_from(self.missing).unwrap_or(u64::MAX).saturating_mul(10);
        Some(Duration::from_micros(bits.saturating_mul(1_000_000) / u64::from(self.baud)).saturating_add(SLACK))
    }

    /// Everything held is resolved: nothing that was heard before a silence waits any longer.
    fn give_up(&mut self) {
        while let Some(found) = self.cut(true) {
            self.ready.push_back(found);
        }
        self.compact();
        self.ends = Ends::default();
    }

    fn held_max(&self) -> usize {
        NOISE_MAX + SENTENCE_MAX + LENGTH_MAX + 16
    }
}
