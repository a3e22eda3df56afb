//! Cuts a phone's output into AT lines. A frame is one line with its end and the empty line before it; the prompt `> `,
//! which has no end; or an indication together with the line of its PDU.
//!
//! Lines that are no AT line come out as noise without their line end, which then leads the next frame: so garbage right
//! before an answer costs nothing.

use super::wire::at::{named, pdu_length, without_escape};
use crate::frame::{Found, Framer, Noise};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::time::Duration;

/// A line has at most so many bytes.
const LINE_MAX: usize = 512;
/// A PDU has at most so many hex digits: SMSC field and TPDU, with room for what should be refused by its length.
const DIGITS_MAX: usize = 400;
/// A line of at least so many hex digits is the echo of a PDU.
const ECHO_MIN: usize = 16;
/// A phone writes a line at once; 400 digits at 9600 baud take 0.4 s.
const PATIENCE: Duration = Duration::from_millis(1_000);

/// The framer of a phone's port.
#[derive(Clone, Debug, Default)]
pub struct AtFramer {
    held: BytesMut,
    ready: VecDeque<Found>,
}

enum Verdict {
    Frame(usize),
    Noise(usize, Noise),
    Wait,
}

impl AtFramer {
    fn byte(&self, at: usize) -> Option<u8> {
        self.held.get(at).copied()
    }

    /// Judges what stands in front. `last` = no more bytes will come.
    fn judge(&self, last: bool) -> Verdict {
        let wait = |otherwise| if last { otherwise } else { Verdict::Wait };
        let lead = match (self.byte(0), self.byte(1), self.byte(2)) {
            (Some(b'\r'), Some(b'\n'), None) => return wait(Verdict::Frame(2)),
            (Some(b'\r'), Some(b'\n'), Some(b'\r' | b'\n')) => return Verdict::Frame(2),
            (Some(b'\r'), Some(b'\n'), Some(_)) => 2,
            (Some(b'\r'), None, _) => return wait(Verdict::Frame(1)),
            (Some(b'\r' | b'\n'), ..) => return Verdict::Frame(1),
            _ => 0,
        };
        match (self.byte(lead), self.byte(lead + 1)) {
            (Some(b'>'), Some(b' ')) => return Verdict::Frame(lead + 2),
            (Some(b'>'), None) => return wait(Verdict::Noise(lead + 1, Noise::HalfFrame)),
            _ => {}
        }
        let Some(end) = self.line_end(lead, LINE_MAX) else {
            return if self.held.len() > lead + LINE_MAX {
                Verdict::Noise(lead + LINE_MAX, Noise::Unending { max: LINE_MAX })
            } else {
                wait(Verdict::Noise(self.held.len(), Noise::HalfFrame))
            };
        };
        let line = self.held.get(lead..end).unwrap_or_default();
        if !is_at_line(line) {
            return Verdict::Noise(end, Noise::NoHeader);
        }
        let Some(next) = self.after(end, last) else { return Verdict::Wait };
        if std::str::from_utf8(line).ok().and_then(pdu_length).is_some() {
            self.judge_pdu(end, next, last)
        } else {
            Verdict::Frame(next)
        }
    }

    /// The line of the PDU from `next` on; the header before it ends at `end`.
    fn judge_pdu(&self, end: usize, next: usize, last: bool) -> Verdict {
        let digits = self.held.get(next..).unwrap_or_default().iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let stop = next + digits;
        match self.byte(stop) {
            Some(b'\r' | b'\n') if (1..=DIGITS_MAX).contains(&digits) => {
                self.after(stop, last).map_or(Verdict::Wait, Verdict::Frame)
            }
            None if digits <= DIGITS_MAX && !last => Verdict::Wait,
            None if digits <= DIGITS_MAX => Verdict::Noise(end, Noise::HalfFrame),
            _ => Verdict::Noise(end, Noise::Malformed),
        }
    }

    fn line_end(&self, from: usize, max: usize) -> Option<usize> {
        let line = self.held.get(from..)?;
        let end = line.iter().take(max + 1).position(|b| matches!(b, b'\r' | b'\n'))?;
        Some(from + end)
    }

    /// Where the next line begins, after the line end at `at`; `None` while a LF may still belong to it.
    fn after(&self, at: usize, last: bool) -> Option<usize> {
        match (self.byte(at), self.byte(at + 1)) {
            (Some(b'\r'), Some(b'\n')) => Some(at + 2),
            (Some(b'\r'), None) if !last => None,
            _ => Some(at + 1),
        }
    }

    fn cut(&mut self, last: bool) -> Option<Found> {
        if self.held.is_empty() {
            return None;
        }
        let length = self.held.len();
        match self.judge(last) {
            Verdict::Wait => None,
            Verdict::Frame(end) => Some(Found::Frame(self.held.split_to(end.min(length)).freeze())),
            Verdict::Noise(end, why) => {
                let bytes: Bytes = self.held.split_to(end.min(length)).freeze();
                Some(Found::Noise { bytes, why })
            }
        }
    }
}

fn is_at_line(line: &[u8]) -> bool {
    let line = without_escape(line);
    let digits = line.strip_suffix(&[0x1A]).unwrap_or(line);
    if digits.len() >= ECHO_MIN && digits.iter().all(u8::is_ascii_hexdigit) {
        return true;
    }
    let Ok(text) = std::str::from_utf8(line) else { return false };
    if text.chars().any(char::is_control) {
        return false;
    }
    let begins = |word: &str| text.starts_with(word);
    let words = ["OK", "ERROR", "RING", "BUSY"].contains(&text) || begins("NO ") || begins("CONNECT");
    words || begins("AT") || begins("at") || named(text).is_some()
}

impl Framer for AtFramer {
    fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    fn next_found(&mut self) -> Option<Found> {
        self.ready.pop_front().or_else(|| self.cut(false))
    }

    fn patience(&self) -> Option<Duration> {
        (!self.held.is_empty()).then_some(PATIENCE)
    }

    fn give_up(&mut self) {
        while let Some(found) = self.cut(true) {
            self.ready.push_back(found);
        }
    }

    fn held_max(&self) -> usize {
        LINE_MAX + DIGITS_MAX + 8
    }
}
