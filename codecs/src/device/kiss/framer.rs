//! Cuts a TNC's bytes at every C0.
//!
//! What stands between two delimiters is a frame when its escapes are right, its type is one of KISS, and data begin
//! with AX.25 addresses; the closing delimiter is the frame's own. Everything else is noise *without* the delimiter that
//! ends it, which opens the next frame. Of several delimiters in a row the last one opens; the others are noise. Before
//! the first delimiter, and after a give-up, nothing is a frame.

use super::wire::kiss::{DATA, FEND};
use super::wire::{Ax25, Kiss};
use crate::frame::{Found, Framer, Noise};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// The longest frame on the cable: ten addresses, 512 bytes and every byte escaped.
pub(super) const FRAME_MAX: usize = 1200;
/// A TNC writes a frame in one go; 1200 bytes at 9600 baud take 1.3 s.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone, Debug, Default)]
pub(super) struct KissFramer {
    held: VecDeque<u8>,
    /// Bytes of `held` that were looked at: none of them ends the item that begins `held`.
    seen: usize,
    /// The last item ended with a delimiter, so what follows may be a frame without one of its own.
    is_open: bool,
    given_up: bool,
}

impl KissFramer {
    fn cut(&mut self, length: usize) -> Bytes {
        self.seen = 0;
        self.held.drain(..length.min(self.held.len())).collect::<Vec<u8>>().into()
    }

    fn noise(&mut self, length: usize, why: Noise) -> Option<Found> {
        self.is_open = false;
        Some(Found::Noise { bytes: self.cut(length), why })
    }

    /// Delimiters that begin what is held, in a row.
    fn idle(&self) -> usize {
        self.held.iter().take(FRAME_MAX).take_while(|byte| **byte == FEND).count()
    }

    fn candidate(&mut self, begin: usize) -> Option<Found> {
        let from = self.seen.max(begin);
        let Some(end) = self.held.iter().skip(from).take(FRAME_MAX.saturating_sub(from)).position(|b| *b == FEND)
        else {
            self.seen = self.held.len().min(FRAME_MAX);
            let max = FRAME_MAX;
            return if self.held.len() >= max { self.noise(max, Noise::Unending { max }) } else { None };
        };
        let end = from.saturating_add(end);
        let inside: Vec<u8> = self.held.iter().take(end).skip(begin).copied().collect();
        if begin == 0 && !self.is_open {
            return self.noise(end, Noise::NoHeader);
        }
        if !is_frame(&inside) {
            return self.noise(end, Noise::Malformed);
        }
        self.is_open = true;
        Some(Found::Frame(self.cut(end.saturating_add(1))))
    }
}

fn is_frame(inside: &[u8]) -> bool {
    let Ok(kiss) = Kiss::parse_inside(inside) else { return false };
    kiss.command != DATA || Ax25::parse(&kiss.data).is_ok()
}

impl Framer for KissFramer {
    fn push(&mut self, bytes: &[u8]) {
        self.held.extend(bytes);
    }

    fn next_found(&mut self) -> Option<Found> {
        let begin = self.idle();
        // Of several in a row all but the last are noise; which is the last is only known by what follows.
        let last_is_known = begin < self.held.len() || begin >= FRAME_MAX;
        if begin > 1 && last_is_known {
            return self.noise(begin.saturating_sub(1), Noise::NoHeader);
        }
        if self.held.len() > begin
            && let Some(found) = self.candidate(begin)
        {
            return Some(found);
        }
        let left = self.held.len();
        if self.given_up {
            self.given_up = false;
            if left > 0 {
                return self.noise(left, Noise::HalfFrame);
            }
        }
        None
    }

    fn patience(&self) -> Option<Duration> {
        (!self.held.is_empty()).then_some(PATIENCE)
    }

    fn give_up(&mut self) {
        self.given_up = true;
    }

    fn held_max(&self) -> usize {
        FRAME_MAX
    }
}
