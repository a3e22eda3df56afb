//! JUDGEMENT: the whole gateway as one value. Inputs in, effects out; no tokio, files or clock.
//!
//! ```text
//! let mut engine = Engine::recover(config, seed, snapshot, records)?;
//! loop {
//!     engine.handle_input(now, input);
//!     while let Some(output) = engine.poll_output() { /* do it */ }
//! }
//! ```
//!
//! **Invariants**
//! - Time is an argument, chance is a seed, effects are values: the same inputs give the same outputs.
//! - Whatever promises or spends airtime waits for `Stored`; whatever does neither does not wait.
//! - State is a fold over the journal's records: one function, live and in recovery, that never decides.
//! - No part imports another; `engine.rs` introduces them.

pub mod bus;
pub mod config;

pub mod event;
pub mod io;
pub mod people;
pub mod time;
