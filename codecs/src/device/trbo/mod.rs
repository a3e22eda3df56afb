//! Motorola TRBO and compatible radios, over their data services: registration (ARS, UDP 4005), text (TMS, 4007) and location
//! (LRRP, 4001), each to and from the radio's own IP through a radio that is plugged in as a modem.
//!
//! What it is: these three services, and readers for the packets in which they go over the air. What it is not: voice, remote
//! control, job tickets; a DMRD burst is recognised and not acted on.
//!
//! **Invariants**
//! - Radios are told apart by their 24-bit id; the subnet byte is configuration.
//! - Datagrams are never trimmed: their first bytes may be white space.
//! - Delivered is said only on the called radio's own acknowledgement. A group text has none.
//!
//! **Profile keys** (default): `subnet` (12) · `group_subnet` (225) · `port_ars`, `port_tms`, `port_lrrp` (4005, 4007, 4001),
//! to which radios answer, so the link binds the same numbers · `text_max` (140) UTF-16 units · `pace_ms` (3000) ·
//! `renew_half_hours` (1) · `crlf` (true) · `repeat_s` (60).

mod codec;
mod dialogue;
mod fields;
mod settings;
#[cfg(test)]
mod tests;
pub mod wire;

use super::Device;
use crate::message::Bearer;

/// The register's line.
pub const DEVICE: Device = Device {
    name: "trbo",
    label: "摩托罗拉 TRBO 电台（ARS / TMS / LRRP）",
    bearer: Bearer::Radio370,
    protocols: fields::PROTOCOLS,
    labels: fields::LABELS,
    open: codec::open,
};
