//! What the air is worth: the engine's own policies, run in virtual slots beside what they are measured against.
//!
//! [`table`] prints it all. Every row of a baseline is a baseline that ran in the same program on the same chance, never
//! a figure from a page. What each column means stands in `docs/airtime.md`.
//!
//! **Invariants**
//! - Policies are the engine's, called as the engine calls them; a simulation has no policy of its own.
//! - A seed decides everything; floats are for printing.
//! - Where a world had to be chosen, it was chosen so that the baselines come to what was measured for them elsewhere,
//!   and not by what ours comes to.

pub mod bearers;
pub mod channel;
pub mod contents;
pub mod delivery;
pub mod forecast;
pub mod forgery;
pub mod sample;
pub mod scheduler;
pub mod table;

pub use table::{Scale, table};

use crate::seed::Seed;

/// The seed of the printed tables.
const SEED: u64 = 2_026;

/// A section's own stream of chance.
fn seed(section: &str) -> Seed {
    Seed::new(SEED).stream(section)
}

#[cfg(test)]
mod tests;
