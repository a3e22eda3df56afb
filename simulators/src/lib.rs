//! THE WORLD: terminals, air, disk and people around one station; one queue, one virtual clock, one seed.
//!
//! What it is: everything that a station meets, as values that can be cloned, so that a crash test forks the world
//! instead of running it again. What it is not: a second gateway. It shares the wire types with the codecs (and so
//! cannot find a wrong byte; vectors do that) and proves behaviour only.
//!
//! **Invariants**
//! - Seed and scenario decide everything: the same two give the same log, byte by byte.
//! - `terminal`, `air` and `seed` never import the engine: the far side does not know whom it talks to.
//! - The laws look from the outside: at records, bytes, radiated messages and events, never into the engine.

pub mod air;
pub mod airtime;
pub mod cli;
pub mod demo;
pub mod disk;
pub mod drill;
pub mod laws;
pub mod live;
pub mod pair;
pub mod queue;
pub mod scenario;
pub mod seed;
pub mod terminal;
pub mod world;
