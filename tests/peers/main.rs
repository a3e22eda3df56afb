//! Other readings of the protocols, asked about the same bytes: a Beidou decoder by another hand, ok-dmrlib for
//! Hytera HDAP, and direwolf for packet radio. See README.md beside this file. `./tests/run` installs what the peers need.
//! Other readings of the protocols, asked about the same bytes: a Beidou decoder by another hand, and ok-dmrlib for
//! Hytera HDAP; and the real MeshCore client at our simulated radio. See README.md beside this file. `./tests/run`
//! installs what the peers need.
//!
//! Each direction has a test that alters one answer and wants the comparison red: a comparison that cannot fail
//! compares nothing.

mod beidou;
mod direwolf;
mod frames;
mod gammu;
mod hdap;
mod hstrp;
mod meshcore;
mod meshtastic;
mod peer;
