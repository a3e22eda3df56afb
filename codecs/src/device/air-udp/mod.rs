//! Air frames of our own stations over an IP mesh of radios (自组网), or over whatever IP there is: one frame a datagram.
//!
//! What it is: the way that [`air`](crate::air) frames take between stations whose radios route IP. What it is not: a door
//! to the frame (seal, counter, rows and receipts are the engine's), a tunnel, or a way to plain terminals: nobody shows
//! or types Chinese on it, so it carries no text.
//!
//! **Invariants**
//! - What is heard is bytes and nothing else. Whether they are genuine only the seal says; the sender's address does not.
//! - Only what begins as an air frame of version 1 is taken or sent, and never more than [`FRAME_MAX`] bytes of it.
//! - A station is its address: `ip:10.0.0.2:4710`, `ip:[fd00::2]:4710`. Frames are sent from the port they are heard on, so
//!   that both ends know each other by the same address.
//!
//! **Profile keys** (default): `mtu` (1200) bytes of one frame, of 64 to 1750: 1200 passes whole wherever IPv6 may go, above
//! 1472 an Ethernet cuts the datagram in two and loses both with either · `pace_ms` (1000) · `group` (none)
//! `"239.20.0.2:4710"`, the multicast address where frames for everyone go; the link must have joined it.
//!
//! Layout: `docs/air-format.md`.
//!
//! [`FRAME_MAX`]: crate::air::limits::FRAME_MAX

mod codec;
mod fields;
mod settings;
#[cfg(test)]
mod tests;
pub mod wire;

use super::Device;
use crate::message::Bearer;

/// The register's line.
pub const DEVICE: Device = Device {
    name: "air-udp",
    label: "驿站之间的 IP 自组网链路",
    bearer: Bearer::Ip,
    protocols: fields::PROTOCOLS,
    labels: fields::LABELS,
    open: codec::open,
};
