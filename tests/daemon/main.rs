//! The real daemon as a child, as an ordinary user, against simulated terminals on real pseudo-terminals and UDP.
//!
//! Nobody sleeps here: everything waits for an event, with one generous deadline. Only children that were started here
//! are stopped, by their id.

mod clock;
mod config;
mod demo;
mod dialects;
mod disk;
mod kept;
mod killed;
mod pair;
mod ports;
mod rig;
mod trace;
