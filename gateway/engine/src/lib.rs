//! JUDGEMENT: the whole gateway as one value. Inputs in, effects out; no tokio, files or clock.
//!
//! ```text
//! let mut engine = Engine::recover(config, now, snapshot, records)?;
//! loop {
//!     while let Some(output) = engine.poll_output() { /* do it */ }
//!     engine.handle_input(now, input);
//! }
//! ```
//!
//! **Invariants**
//! - Time is an argument and effects are values: the same inputs give the same outputs.
//! - Whatever promises or spends airtime waits for `Stored`; whatever does neither does not wait.
//! - State is a fold over the journal's records: one function, live and in recovery, that never decides.
//! - Sessions, router, outbox and clock do not import each other; `engine.rs` introduces them.

pub mod bus;
mod clock;
pub mod config;
mod coverage;
mod engine;
pub mod event;
pub mod forecast;
pub mod io;
pub mod outbox;
pub mod people;
mod route;
mod session;
pub mod stream;
pub mod time;

pub use engine::{CardStatus, Engine, LinkStatus, OutboxLine, RecoverError, Status, usual_precedence};
