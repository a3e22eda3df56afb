//! MeshCore radios (LoRa mesh, 自组网) over their companion protocol: serial, or TCP port 5000.
//!
//! What it is: texts to a contact and to a channel, contacts and adverts, battery. What it is not: the radio's settings
//! (name, channels, power, keys), repeaters' command line, BLE, and the KISS firmware.
//!
//! **Invariants**
//! - One command at a time: the next goes out after the answer, or after 5 s without one.
//! - A contact is named by the first 12 hex digits of its public key. Who speaks on a channel is not known: the name
//!   before the colon is part of the text and anybody may write it.
//! - Radiated is said on the radio's own word (06 or 00), Delivered only on the far radio's ack code (push 82).
//! - Texts wait in the radio until they are fetched, and the radio forgets a text with the fetch: they are fetched at once.
//! - The radio has the clock: a text's time is the radio's own, counted on, and never given twice. Reboot, factory reset,
//!   keys and settings have no emitter.
//!
//! **Profile keys** (default): `app` (`yizhan`) the name given to the radio · `text_max` (130) bytes of UTF-8 in one text:
//! 160 less the sender's name, which the radio puts before a channel text · `pace_ms` (4000) least time between two texts
//! · `ack_s` (60) how long a far radio's ack may take · `poll_s` (60) how often is asked for texts without being told of
//! any · `repeat_s` (3600) how long the same sender, time and text is a repeat.

mod codec;
mod dialogue;
mod fields;
mod framer;
mod settings;
#[cfg(test)]
mod tests;
pub mod wire;

pub use codec::{key_prefix, terminal};
pub use framer::{Companion, Side};

use super::Device;
use crate::message::Bearer;

/// The register's line.
pub const DEVICE: Device = Device {
    name: "meshcore",
    label: "MeshCore 自组网电台",
    bearer: Bearer::Mesh,
    protocols: fields::PROTOCOLS,
    labels: fields::LABELS,
    open: codec::open,
};
