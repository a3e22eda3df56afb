use super::wire::{FROM_RADIO, HEADER, PAYLOAD_MAX, TO_RADIO};
use crate::frame::{Noise, Shape, Verdict};
use std::time::Duration;

/// The shape of companion frames: a mark, a length of 1..=176 (u16, little-endian), so many bytes. There is no checksum:
/// radios print console text on the same line, and the length is what tells it from a frame.
#[derive(Clone, Copy, Debug)]
pub struct Companion {
    mark: u8,
}

/// Who wrote the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Radio,
    Host,
}

/// 179 bytes take 16 ms at 115200 baud; a radio may pause inside one.
const PATIENCE: Duration = Duration::from_millis(500);

impl Companion {
    #[must_use]
    pub const fn of(side: Side) -> Self {
        Self {
            mark: match side {
                Side::Radio => FROM_RADIO,
                Side::Host => TO_RADIO,
            },
        }
    }
}

impl Shape for Companion {
    fn frame_max(&self) -> usize {
        HEADER.saturating_add(PAYLOAD_MAX)
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn judge(&self, bytes: &[u8]) -> Verdict {
        match *bytes {
            [mark, ..] if mark != self.mark => Verdict::Noise(Noise::NoHeader),
            [_] => Verdict::More,
            // The low byte alone tells much, as the high one must be 0: no reason hangs on how many bytes are there.
            [_, low] if low == 0 || usize::from(low) > PAYLOAD_MAX => {
                Verdict::Noise(Noise::Length { found: low.into(), max: PAYLOAD_MAX })
            }
            [_, _] => Verdict::More,
            [_, low, high, ..] => {
                let payload = usize::from(u16::from_le_bytes([low, high]));
                if payload == 0 || payload > PAYLOAD_MAX {
                    return Verdict::Noise(Noise::Length { found: low.into(), max: PAYLOAD_MAX });
                }
                let whole = HEADER.saturating_add(payload);
                if bytes.len() < whole { Verdict::More } else { Verdict::Frame(whole) }
            }
            [] => Verdict::More,
        }
    }
}
