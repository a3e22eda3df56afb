//! A stream framer for any protocol whose frames say themselves where they end: the protocol gives a [`Shape`], and
//! [`Cutter`] keeps the properties that every framer keeps.

use super::{Found, Framer, Noise};
use bytes::{Buf, Bytes, BytesMut};
use std::collections::VecDeque;
use std::fmt::Debug;
use std::time::Duration;

/// Noise is given out in items of at most so many bytes.
const NOISE_MAX: usize = 1024;

/// What a protocol's frames look like from outside.
pub trait Shape: Clone + Debug + Send + 'static {
    /// The longest frame.
    fn frame_max(&self) -> usize;

    /// How long a started frame may wait for its rest: silence after the last byte that came.
    fn patience(&self) -> Duration;

    /// What begins at the first of these bytes; there is at least one. A verdict other than [`Verdict::More`] holds
    /// whatever bytes follow, and is given at [`Shape::frame_max`] bytes at the latest.
    fn judge(&self, bytes: &[u8]) -> Verdict;
}

/// What begins at a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A whole frame of so many bytes.
    Frame(usize),
    /// The start of a frame, as far as one can see.
    More,
    /// No frame begins at this byte.
    Noise(Noise),
}

/// The framer of a [`Shape`].
#[derive(Clone, Debug)]
pub struct Cutter<S> {
    shape: S,
    held: BytesMut,
    /// So many of the held bytes are known to be noise, and why the first of them is.
    noise: usize,
    why: Option<Noise>,
    ready: VecDeque<Found>,
}

impl<S: Shape> Cutter<S> {
    #[must_use]
    pub fn new(shape: S) -> Self {
        Self { shape, held: BytesMut::new(), noise: 0, why: None, ready: VecDeque::new() }
    }

    /// `last` = no more bytes come: what waits for its rest is noise.
    fn cut(&mut self, last: bool) -> Option<Found> {
        loop {
            if self.noise >= NOISE_MAX {
                return self.take_noise();
            }
            let rest = self.held.get(self.noise..).unwrap_or_default();
            if rest.is_empty() {
                return if last { self.take_noise() } else { None };
            }
            let why = match self.shape.judge(rest) {
                Verdict::Frame(_) if self.noise > 0 => return self.take_noise(),
                Verdict::Frame(length) => {
                    let length = length.clamp(1, self.held.len());
                    return Some(Found::Frame(self.held.split_to(length).freeze()));
                }
                Verdict::More if last => Noise::HalfFrame,
                Verdict::More => return None,
                Verdict::Noise(why) => why,
            };
            self.why.get_or_insert(why);
            self.noise = self.noise.saturating_add(1);
        }
    }

    fn take_noise(&mut self) -> Option<Found> {
        let count = std::mem::take(&mut self.noise).min(self.held.len());
        let why = self.why.take().unwrap_or(Noise::NoHeader);
        if count == 0 {
            return None;
        }
        let bytes = Bytes::copy_from_slice(self.held.get(..count).unwrap_or_default());
        self.held.advance(count);
        Some(Found::Noise { bytes, why })
    }
}

impl<S: Shape> Framer for Cutter<S> {
    fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    fn next_found(&mut self) -> Option<Found> {
        self.ready.pop_front().or_else(|| self.cut(false))
    }

    fn patience(&self) -> Option<Duration> {
        (!self.held.is_empty()).then(|| self.shape.patience())
    }

    fn give_up(&mut self) {
        while let Some(found) = self.cut(true) {
            self.ready.push_back(found);
        }
    }

    fn held_max(&self) -> usize {
        NOISE_MAX.saturating_add(self.shape.frame_max())
    }
}
