//! Cutting bytes into frames.
//!
//! A [`Framer`] never fails: bytes that belong to no frame come out as [`Found::Noise`], with the reason, so that a
//! person can see what a bad line does. Every framer keeps, and `conformance` checks:
//!
//! - Any chunking of the same bytes gives the same items between give-ups.
//! - A valid frame inside or right after a broken one is found.
//! - The bytes of all items, in order, are exactly the bytes pushed.
//! - What is held is bounded by [`Framer::held_max`]; the largest valid frame makes progress.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod cutter;
mod datagram;

pub use cutter::{Cutter, Shape, Verdict};
pub use datagram::DatagramFramer;

use bytes::Bytes;
use std::fmt;
use std::time::Duration;

/// One item cut from a byte stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A whole frame, checksum right, exactly as it was on the wire.
    Frame(Bytes),
    /// Bytes that belong to no valid frame.
    Noise { bytes: Bytes, why: Noise },
}

impl Found {
    /// The bytes of the item, whatever it is.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        match self {
            Self::Frame(bytes) | Self::Noise { bytes, .. } => bytes,
        }
    }
}

/// Why bytes were no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Noise {
    /// Nothing in them begins a frame.
    NoHeader,
    /// A frame began, but its checksum is wrong.
    Checksum { expected: u16, found: u16 },
    /// A length field outside what the protocol allows.
    Length { found: usize, max: usize },
    /// A frame began and did not end within its limit of bytes.
    Unending { max: usize },
    /// A frame began and the rest did not come within its patience.
    HalfFrame,
    /// The frame ended where another begins, or its last byte is not the protocol's.
    Malformed,
}

impl Noise {
    /// The machine name, for counters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoHeader => "no_header",
            Self::Checksum { .. } => "checksum",
            Self::Length { .. } => "length",
            Self::Unending { .. } => "unending",
            Self::HalfFrame => "half_frame",
            Self::Malformed => "malformed",
        }
    }

    /// The words a person sees.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NoHeader => "无帧头",
            Self::Checksum { .. } => "校验错",
            Self::Length { .. } => "长度越界",
            Self::Unending { .. } => "帧无结尾",
            Self::HalfFrame => "半帧",
            Self::Malformed => "格式错",
        }
    }
}

/// A stream framer: bytes in, items out. A datagram link resets it per datagram.
pub trait Framer: FramerClone + fmt::Debug + Send {
    /// Takes bytes as they were read, in any chunking.
    fn push(&mut self, bytes: &[u8]);

    /// The next item; `None` means that more bytes are needed.
    fn next_found(&mut self) -> Option<Found>;

    /// How long what is held now may wait for its rest; `None` when nothing is held.
    fn patience(&self) -> Option<Duration>;

    /// The patience is over: the held start is given up and what it held is rescanned or becomes noise.
    fn give_up(&mut self);

    /// The most bytes that are ever held between calls of `next_found` that returned `None`.
    fn held_max(&self) -> usize;
}

/// Lets boxed framers be cloned, so that a crash test can fork the world.
pub trait FramerClone {
    fn clone_box(&self) -> Box<dyn Framer>;
}

impl<T: Framer + Clone + 'static> FramerClone for T {
    fn clone_box(&self) -> Box<dyn Framer> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Framer> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}
