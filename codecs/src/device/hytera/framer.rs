//! Cuts HRNP frames out of a serial line. There is no byte stuffing: 7E stands inside frames too, so a start that is
//! none costs one byte, not the length that it claims.

use super::wire::{HRNP_HEAD, HRNP_MAX, HRNP_MIN, Hrnp, HrnpKind};
use crate::codec::DecodeError;
use crate::frame::{Found, Framer, Noise};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a half frame may wait for its rest.
const PATIENCE: Duration = Duration::from_millis(200);
/// Noise is given out in items of at most so many bytes.
const NOISE_MAX: usize = 1024;

/// The framer of a cable to a radio.
#[derive(Clone, Debug, Default)]
pub(super) struct HrnpFramer {
    held: VecDeque<u8>,
    /// So many bytes at the front are noise, for this reason.
    noise: usize,
    why: Option<Noise>,
    ready: VecDeque<Found>,
}

enum Verdict {
    Frame(usize),
    Noise(Noise),
    Wait,
}

impl HrnpFramer {
    /// What begins at the front after the noise.
    fn judge(&mut self, last: bool) -> Verdict {
        let noise = self.noise;
        let bytes = self.held.make_contiguous().get(noise..).unwrap_or_default();
        let wait = if last { Verdict::Noise(Noise::HalfFrame) } else { Verdict::Wait };
        if bytes.first() != Some(&HRNP_HEAD) {
            return Verdict::Noise(Noise::NoHeader);
        }
        match bytes.get(3) {
            None => return wait,
            Some(opcode) if HrnpKind::from_code(*opcode).is_none() => return Verdict::Noise(Noise::NoHeader),
            Some(_) => {}
        }
        let Some(&[high, low]) = bytes.get(8..10) else { return wait };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if !(HRNP_MIN..=HRNP_MAX).contains(&length) {
            return Verdict::Noise(Noise::Length { found: length, max: HRNP_MAX });
        }
        let Some(frame) = bytes.get(..length) else { return wait };
        match Hrnp::parse(frame) {
            Ok(_) => Verdict::Frame(length),
            Err(DecodeError::Checksum { expected, found }) => {
                let narrow = |sum: u32| u16::try_from(sum).unwrap_or(u16::MAX);
                Verdict::Noise(Noise::Checksum { expected: narrow(expected), found: narrow(found) })
            }
            Err(_) => Verdict::Noise(Noise::Malformed),
        }
    }

    fn take(&mut self, count: usize) -> Bytes {
        self.held.drain(..count.min(self.held.len())).collect::<Vec<_>>().into()
    }

    fn end_noise(&mut self) {
        if self.noise > 0 {
            let bytes = self.take(self.noise);
            let why = self.why.take().unwrap_or(Noise::NoHeader);
            self.ready.push_back(Found::Noise { bytes, why });
            self.noise = 0;
        }
    }

    fn cut(&mut self, last: bool) {
        while self.held.len() > self.noise {
            match self.judge(last) {
                Verdict::Wait => break,
                Verdict::Frame(length) => {
                    self.end_noise();
                    let frame = self.take(length);
                    self.ready.push_back(Found::Frame(frame));
                }
                Verdict::Noise(why) => {
                    self.why.get_or_insert(why);
                    self.noise = self.noise.saturating_add(1);
                    if self.noise >= NOISE_MAX {
                        self.end_noise();
                    }
                }
            }
        }
        if last {
            self.end_noise();
        }
    }
}

impl Framer for HrnpFramer {
    fn push(&mut self, bytes: &[u8]) {
        self.held.extend(bytes);
        self.cut(false);
    }

    fn next_found(&mut self) -> Option<Found> {
        self.ready.pop_front()
    }

    fn patience(&self) -> Option<Duration> {
        (!self.held.is_empty()).then_some(PATIENCE)
    }

    fn give_up(&mut self) {
        self.cut(true);
    }

    fn held_max(&self) -> usize {
        HRNP_MAX.saturating_add(NOISE_MAX)
    }
}
