//! The layouts of the TRBO data services, parsed and emitted in both directions, one file per service: [`Tms`] (text),
//! [`Ars`] (registration), [`Lrrp`] (location); [`OnAir`] is a whole IP packet as DMR carries it, [`Dmrd`] a burst of
//! the homebrew protocol.
//!
//! What it is not: a judgement of what was said; that is the codec's.
//!
//! **Invariants**
//! - No function panics on any input, and none reads past a length that it did not check.
//! - `parse(emit(x)) == x` for every value that `emit` accepts.
//! - A datagram is binary: nothing is trimmed off it, `0D` and `09` are document numbers.
//! - Everything is big-endian, except the text itself.

mod ars;
mod bytes;
mod dmrd;
mod ip;
mod lrrp;
mod tms;

pub use ars::{Ars, ArsBody};
pub use dmrd::Dmrd;
pub use ip::{OnAir, air_checksum};
pub use lrrp::{Fraction, Lrrp, Point, Stamp, Token, doc_name};
pub use tms::{Header, Tms, TmsBody, UTF_16, utf16, words};

#[cfg(test)]
mod tests;
