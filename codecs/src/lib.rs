//! LANGUAGE: bytes to words and back, for every terminal the station speaks to.
//!
//! What it is: framers that cut byte streams, codecs that translate frames, and the words ([`message`]) that
//! the rest of the house uses. What it is not: anything that waits, sends, looks up, logs or remembers.
//!
//! **Invariants**
//! - No clock, no I/O, no randomness. Time, where a dialogue needs it, is an argument.
//! - Bytes from outside never panic, overflow, or end a stream: bad bytes are items ([`frame::Found::Noise`]) or
//!   errors of one frame.
//! - What must never be sent (self-destruct, zeroise, management write, radio kill, silence) has no emitter here.

pub mod air;
pub mod codec;
pub mod device;
pub mod explain;
pub mod frame;
pub mod message;
