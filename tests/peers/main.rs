//! Other readings of the protocols, asked about the same bytes: a Beidou decoder and a reading of the air format by
//! another hand, ok-dmrlib for Hytera HDAP, direwolf for packet radio, gammu for satellite phones, and the real clients of
//! mesh radios at our simulated ones. See README.md beside this file. `./tests/run` installs what the peers need.
//!
//! Each direction has a test that alters one answer and wants the comparison red: a comparison that cannot fail
//! compares nothing.

mod air;
mod beidou;
mod direwolf;
mod frames;
mod gammu;
mod hdap;
mod hstrp;
mod meshcore;
mod meshtastic;
mod peer;
