//! Hytera radios (海能达) of the 370 MHz network, over their data interface: bare HDAP in UDP datagrams.
//!
//! What it is: registration (RRS, port 3002), location (LP, 3003) and text (TMP, 3004), each to and from the radio's
//! own IP through a base radio that routes. What it is not: HRNP, HSTRP or RCP; they would carry the same
//! [`wire::Hdap`] frames, or bring their own, in files beside these.
//!
//! **Invariants**
//! - Radios are told apart by their 24-bit id; the subnet byte is configuration and repeaters rewrite it.
//! - A report without a valid fix is never a position; an alarm without one is still an alarm.
//! - Delivered is said only on a TMP ack for one radio. A group text has none: its ack says that it was radiated.

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
    name: "hytera",
    label: "海能达 370 兆电台（HDAP）",
    bearer: Bearer::Radio370,
    protocols: fields::PROTOCOLS,
    open: codec::open,
};
