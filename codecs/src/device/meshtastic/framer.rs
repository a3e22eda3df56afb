//! Cutting the stream: frames behind `94 C3`, and between them a radio's console text, which comes out as noise a line at
//! a time.

#[cfg(test)]
mod tests;

use super::wire::{FRAME_MAX, HEADER, MAGIC, PAYLOAD_MAX};
use crate::frame::{Found, Framer, Noise};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::time::Duration;

/// The longest piece of noise.
const NOISE_MAX: usize = 256;
/// The largest frame takes 45 ms at 115200 baud; a board that logs meanwhile takes longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The framer of one stream. A second `94` where `C3` should stand begins anew: the radio's own parser loses that frame.
#[derive(Clone, Debug, Default)]
pub struct StreamFramer {
    held: BytesMut,
    given_up: VecDeque<Found>,
}

/// What the held bytes begin with.
enum Begin {
    Frame(usize),
    Noise(usize, Noise),
    More,
}

impl StreamFramer {
    /// `is_over`: no more bytes will come.
    fn look(&self, is_over: bool) -> Begin {
        for (at, byte) in self.held.iter().enumerate() {
            if at == NOISE_MAX {
                return Begin::Noise(at, Noise::NoHeader);
            }
            match (*byte, self.held.get(at.saturating_add(1))) {
                (b'\n', _) => return Begin::Noise(at.saturating_add(1), Noise::NoHeader),
                (0x94, Some(&0xC3)) if at == 0 => return self.frame(is_over),
                (0x94, Some(&0xC3)) => return Begin::Noise(at, Noise::NoHeader),
                (0x94, None) if !is_over => return Begin::More,
                _ => {}
            }
        }
        if is_over && !self.held.is_empty() { Begin::Noise(self.held.len(), Noise::NoHeader) } else { Begin::More }
    }

    fn frame(&self, is_over: bool) -> Begin {
        let length = self.held.get(MAGIC.len()..HEADER).and_then(|length| <[u8; 2]>::try_from(length).ok());
        let whole = length.map(|length| usize::from(u16::from_be_bytes(length)));
        match whole {
            Some(found) if found > PAYLOAD_MAX => Begin::Noise(MAGIC.len(), Noise::Length { found, max: PAYLOAD_MAX }),
            Some(length) if self.held.len() >= length.saturating_add(HEADER) => {
                Begin::Frame(length.saturating_add(HEADER))
            }
            _ if is_over => Begin::Noise(MAGIC.len(), Noise::HalfFrame),
            _ => Begin::More,
        }
    }

    fn cut(&mut self, is_over: bool) -> Option<Found> {
        match self.look(is_over) {
            Begin::Frame(length) => Some(Found::Frame(self.piece(length))),
            Begin::Noise(length, why) => Some(Found::Noise { bytes: self.piece(length), why }),
            Begin::More => None,
        }
    }

    fn piece(&mut self, length: usize) -> Bytes {
        self.held.split_to(length.min(self.held.len())).freeze()
    }
}

impl Framer for StreamFramer {
    fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    fn next_found(&mut self) -> Option<Found> {
        self.given_up.pop_front().or_else(|| self.cut(false))
    }

    fn patience(&self) -> Option<Duration> {
        (!self.held.is_empty()).then_some(PATIENCE)
    }

    fn give_up(&mut self) {
        while let Some(found) = self.cut(true) {
            self.given_up.push_back(found);
        }
    }

    fn held_max(&self) -> usize {
        FRAME_MAX
    }
}
