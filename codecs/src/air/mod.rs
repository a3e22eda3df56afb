//! What stations say to each other: header, fragment, seal, receipt, position, beacon. The layout, for someone who writes
//! the other end in another language, is `docs/air-format.md`.
//!
//! From the outside in: [`frame`] is the door (seal a content into frames, open a frame), [`header`] and [`fragment`] are
//! what stands in the clear, [`seal`] is the cipher, [`content`] is what was protected. [`replay`] tells a new message
//! from a copy. [`text`] packs words, [`form`] packs reports, [`writing`] makes contents of both and reads them. [`plain`] is what a text to a plain terminal says of itself.
//!
//! **Invariants**
//! - No clock, no chance, no memory but what is passed in. A nonce is made of a counter that the caller never reuses.
//! - Bytes from outside never panic and are never indexed; what is not canonical is refused with numbers.
//! - What was not authenticated is of another type ([`frame::Opened::Clear`]) than what was.

pub mod beacon;
pub mod bits;
pub mod carry;
pub mod content;
pub mod erasure;
pub mod field;
pub mod form;
pub mod fragment;
pub mod frame;
pub mod header;
pub mod key;
pub mod limits;
pub mod nonce;
pub mod plain;
pub mod position;
pub mod receipt;
pub mod replay;
pub mod seal;
pub mod text;
pub mod writing;

#[cfg(test)]
mod golden;

pub use plain::{Traffic, VERSION, split_short_id};
#[cfg(test)]
mod fragment_tests;
#[cfg(test)]
mod position_tests;
