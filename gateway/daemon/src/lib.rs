//! HANDS: serial ports, datagrams, SQLite, HTTP, the command line. Feeds the engine and does what it says; decides
//! nothing.
//!
//! **Invariants**
//! - One task owns the engine; everything else talks to it through bounded queues.
//! - Records never travel to readers by channel: readers follow the journal by offset.
//! - A lost port, a full disk, a second daemon, a wrong clock each have an input or an error and a line for a person.

pub mod api;
pub mod cli;
pub mod config;
pub mod link;
pub mod run;
pub mod storage;
