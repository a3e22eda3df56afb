//! TETRA-style radios (370 MHz, PDT and TETRA mobiles) over their peripheral equipment interface: AT lines on a serial port.
//!
//! What it is: short data service type 4 with SDS-TL (texts, delivery reports), status, and LIP positions, sent with
//! `AT+CMGS` and heard as `+CTSDSR`. What it is not: voice, group management or packet data. That PDT makers follow
//! TETRA practice here is inferred, not published.
//!
//! **Invariants**
//! - Delivered is said only on an SDS-TL report of the called radio; `+CMGS` proves no more than the network's taking.
//! - One command is on the line at a time; the next waits for the result of the one before.
//! - A radio that was not told which services come to this port (CTSP) is never ready: it would hear nothing.
//! - A position is never made of a long report, whose layout is not read here.
//!
//! **Profile keys** (default): `service_profiles` (`1,3,131;1,3,130;2,0,0;1,2,20;1,1,11;1,3,137`) what is told with
//! `AT+CTSP=` in this order · `text_bits_max` (1184) bits of one message with its 4 bytes of header · `coding`
//! (`ucs2`|`latin1`) · `mcc_mnc` (empty) seven digits of the own network: its long numbers are shortened to the last
//! eight, others stay whole; empty shortens every long number · `report` (true) ask for a delivery report ·
//! `status_sos` (0) the status that is an alarm · `pace_ms` (3000).

mod codec;
mod dialogue;
mod fields;
mod framer;
mod settings;
#[cfg(test)]
mod tests;
pub mod wire;

use super::Device;
use crate::message::Bearer;

/// The register's line.
pub const DEVICE: Device = Device {
    name: "pei",
    label: "TETRA 式电台（PEI AT）",
    bearer: Bearer::Radio370,
    protocols: fields::PROTOCOLS,
    labels: fields::LABELS,
    open: codec::open,
};
