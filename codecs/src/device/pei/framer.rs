//! Cuts lines; an indication and its line of user data are one frame.

use super::wire::Indication;
use super::wire::at::{END_OF_DATA, MARK, digits_fit};
use crate::frame::{Found, Framer, Noise};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// The longest line: 2048 bits in hexadecimal, and some.
pub(super) const LINE_MAX: usize = 640;
/// Blank lines between an indication and its user data.
const BLANKS_MAX: usize = 4;
const HELD_MAX: usize = 2 * LINE_MAX + 32;
/// A line at 9600 baud takes 0.7 s; a radio that is also switching channels pauses.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// The framer of a port.
#[derive(Clone, Debug, Default)]
pub(super) struct PeiFramer {
    held: Vec<u8>,
    ready: VecDeque<Found>,
}

/// Where a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// After so many bytes.
    Line(usize),
    /// A byte that no line has stands last in so many.
    Foreign(usize),
    TooLong,
    More,
}

/// The end of the line that begins `bytes`. `closed`: nothing more will come.
fn cut(bytes: &[u8], closed: bool) -> Cut {
    for (at, byte) in bytes.iter().enumerate() {
        let after = at.saturating_add(1);
        let next = bytes.get(after);
        if at > 0 && *byte == b'+' {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.starts_with(MARK.as_bytes()) {
                return Cut::Line(at);
            }
            if !closed && MARK.as_bytes().starts_with(rest) {
                return Cut::More;
            }
        }
        if at >= LINE_MAX {
            return Cut::TooLong;
        }
        match (byte, next) {
            (b'\n', _) => return Cut::Line(after),
            (b'\r', None) if !closed => return Cut::More,
            (b'\r', Some(b'\n')) => return Cut::Line(after.saturating_add(1)),
            (b'\r', _) => return Cut::Line(after),
            (b'>', None) if at == 0 && !closed => return Cut::More,
            (b'>', Some(b' ')) if at == 0 => return Cut::Line(2),
            (b'>', _) if at == 0 => return Cut::Line(1),
            (byte, _) if char::from(*byte) == END_OF_DATA => return Cut::Line(after),
            (0x20..=0x7E, _) => {}
            _ => return Cut::Foreign(after),
        }
    }
    if closed && !bytes.is_empty() { Cut::Line(bytes.len()) } else { Cut::More }
}

fn line(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default().trim_matches(['\r', '\n', ' '])
}

fn is_line(text: &str) -> bool {
    let is_name = |rest: &str| rest.bytes().next().is_some_and(|b| b.is_ascii_uppercase());
    let is_word = matches!(text, "" | "OK" | "ERROR" | "BUSY" | "NO CARRIER" | "NO ANSWER" | "NO DIALTONE" | ">");
    let is_echo = text.strip_suffix(END_OF_DATA).is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    is_word || is_echo || text.starts_with("AT") || text.strip_prefix('+').is_some_and(is_name)
}

impl PeiFramer {
    fn noise(&mut self, count: usize, why: Noise) -> Found {
        Found::Noise { bytes: self.split(count), why }
    }

    fn split(&mut self, count: usize) -> Bytes {
        let rest = self.held.split_off(count.min(self.held.len()));
        std::mem::replace(&mut self.held, rest).into()
    }

    fn cut_next(&mut self, closed: bool) -> Option<Found> {
        let end = match cut(&self.held, closed) {
            Cut::More => return None,
            Cut::Foreign(count) => return Some(self.noise(count, Noise::NoHeader)),
            Cut::TooLong => return Some(self.noise(LINE_MAX, Noise::Unending { max: LINE_MAX })),
            Cut::Line(end) => end,
        };
        let first = line(self.held.get(..end).unwrap_or_default());
        if !first.starts_with(MARK) {
            return Some(if is_line(first) { Found::Frame(self.split(end)) } else { self.noise(end, Noise::NoHeader) });
        }
        let Ok(header) = Indication::header(first) else { return Some(self.noise(end, Noise::Malformed)) };
        self.user_data(&header, end, closed)
    }

    /// The line after an indication's header, which ends at `from`.
    fn user_data(&mut self, header: &Indication, from: usize, closed: bool) -> Option<Found> {
        let mut start = from;
        for _ in 0..=BLANKS_MAX {
            let rest = self.held.get(start..).unwrap_or_default();
            match cut(rest, closed) {
                Cut::More if closed => return Some(self.noise(from, Noise::HalfFrame)),
                Cut::More => return None,
                Cut::Foreign(_) | Cut::TooLong => break,
                Cut::Line(count) => {
                    let end = start.saturating_add(count);
                    let found = rest.get(..count).unwrap_or_default();
                    let text = line(found);
                    if text.is_empty() {
                        start = end;
                        continue;
                    }
                    let is_ended = found.ends_with(b"\r") || found.ends_with(b"\n");
                    let is_hex = text.bytes().all(|b| b.is_ascii_hexdigit());
                    if !is_hex {
                        break;
                    }
                    if !is_ended && closed && !digits_fit(header.bits, text.len()) {
                        return Some(self.noise(end, Noise::HalfFrame));
                    }
                    return Some(Found::Frame(self.split(end)));
                }
            }
        }
        Some(self.noise(from, Noise::Malformed))
    }
}

impl Framer for PeiFramer {
    fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    fn next_found(&mut self) -> Option<Found> {
        self.ready.pop_front().or_else(|| self.cut_next(false))
    }

    fn patience(&self) -> Option<Duration> {
        (!self.held.is_empty() || !self.ready.is_empty()).then_some(PATIENCE)
    }

    fn give_up(&mut self) {
        while let Some(found) = self.cut_next(true) {
            self.ready.push_back(found);
        }
    }

    fn held_max(&self) -> usize {
        HELD_MAX
    }
}
