use super::{Found, Framer, Noise};
use bytes::{Bytes, BytesMut};
use std::fmt;
use std::time::Duration;

/// Noise that is held before it comes out, at most: enough to show what a bad line does.
const NOISE_MAX: usize = 256;

/// What stands at the front of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A whole frame of so many bytes, at least one.
    Frame(usize),
    /// Perhaps a frame: more bytes are needed to tell.
    Wait,
    /// The first byte begins no frame.
    No(Noise),
}

/// How a protocol's frames are recognised, from their first byte on.
///
/// The answer depends on the bytes alone: once it is `Frame` or `No`, more bytes behind do not change it.
pub trait Rule: Clone + fmt::Debug + Send + 'static {
    /// What stands at the front of `bytes`, which are not empty.
    fn look(&self, bytes: &[u8]) -> Look;

    /// The most bytes for which `look` ever waits.
    fn frame_max(&self) -> usize;

    /// How long a half frame may wait.
    fn patience(&self) -> Duration;
}

/// A framer of any protocol whose frames show where they begin and end: looks for a frame at every byte, so that one
/// inside or behind a broken one is found.
#[derive(Clone, Debug)]
pub struct SeekingFramer<R> {
    rule: R,
    held: BytesMut,
    /// Bytes at the front that begin no frame, and why the first of them does not.
    noise: usize,
    why: Noise,
    /// Nobody waits any more: what could be a half frame is none.
    gives_up: bool,
}

impl<R: Rule> SeekingFramer<R> {
    #[must_use]
    pub fn new(rule: R) -> Self {
        Self { rule, held: BytesMut::new(), noise: 0, why: Noise::NoHeader, gives_up: false }
    }

    fn noise_out(&mut self) -> Found {
        let bytes = self.held.split_to(self.noise).freeze();
        self.noise = 0;
        Found::Noise { bytes, why: self.why }
    }

    fn frame_out(&mut self, length: usize) -> Found {
        let frame: Bytes = self.held.split_to(length.clamp(1, self.held.len())).freeze();
        Found::Frame(frame)
    }
}

impl<R: Rule> Framer for SeekingFramer<R> {
    fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    fn next_found(&mut self) -> Option<Found> {
        loop {
            if self.noise >= NOISE_MAX {
                return Some(self.noise_out());
            }
            let rest = self.held.get(self.noise..).unwrap_or_default();
            if rest.is_empty() {
                let over = std::mem::take(&mut self.gives_up) && self.noise > 0;
                return over.then(|| self.noise_out());
            }
            let why = match self.rule.look(rest) {
                Look::Frame(_) if self.noise > 0 => return Some(self.noise_out()),
                Look::Frame(length) => return Some(self.frame_out(length)),
                Look::Wait if !self.gives_up => return None,
                Look::Wait => Noise::HalfFrame,
                Look::No(why) => why,
            };
            if self.noise == 0 {
                self.why = why;
            }
            self.noise += 1;
        }
    }

    fn patience(&self) -> Option<Duration> {
        (!self.held.is_empty()).then(|| self.rule.patience())
    }

    fn give_up(&mut self) {
        self.gives_up = !self.held.is_empty();
    }

    fn held_max(&self) -> usize {
        NOISE_MAX + self.rule.frame_max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::conformance::{Specimen, check};

    /// `<`, a length, so many bytes, and their sum.
    #[derive(Clone, Debug)]
    struct Counted;

    impl Rule for Counted {
        fn look(&self, bytes: &[u8]) -> Look {
            let [first, rest @ ..] = bytes else { return Look::Wait };
            if *first != b'<' {
                return Look::No(Noise::NoHeader);
            }
            let Some((length, rest)) = rest.split_first() else { return Look::Wait };
            let Some((body, after)) = rest.split_at_checked(usize::from(*length)) else { return Look::Wait };
            let expected = body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
            match after.first() {
                None => Look::Wait,
                Some(found) if *found == expected => Look::Frame(body.len() + 3),
                Some(found) => Look::No(Noise::Checksum { expected: expected.into(), found: (*found).into() }),
            }
        }

        fn frame_max(&self) -> usize {
            258
        }

        fn patience(&self) -> Duration {
            Duration::from_millis(200)
        }
    }

    fn frame(body: &[u8]) -> Bytes {
        let sum = body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        [&[b'<', u8::try_from(body.len()).unwrap()], body, &[sum]].concat().into()
    }

    #[test]
    fn any_rule_makes_a_framer_that_keeps_every_property() {
        check(&Specimen {
            framer: Box::new(SeekingFramer::new(Counted)),
            frames: vec![frame(b""), frame(b"one"), frame(b"<<<<"), frame(&[7; 90])],
            largest: frame(&[b'<'; 255]),
            broken: vec![Bytes::from_static(b"x"), Bytes::from_static(b"<\x01\x02\x03")],
            half: Some([b"<\xC8".as_slice(), &[1; 100]].concat().into()),
        });
    }
}
