//! Hytera radios (海能达) of the 370 MHz network, over their data interface: HDAP bare in UDP datagrams, in
//! HRNP frames on a cable (or UDP 3005), or in HSTRP datagrams of repeaters that forward to a PC.
//!
//! What it is: registration (RRS, port 3002), location (LP, 3003) and text (TMP, 3004), each to and from the radio's
//! own IP through a base radio that routes; radio control (RCP) where HRNP or HSTRP carries it: whose call it is, and
//! alarms. What it is not: voice, or remote control: disable, enable, monitor and keys are read and never written.
//!
//! **Invariants**
//! - Radios are told apart by their 24-bit id; the subnet byte is configuration and repeaters rewrite it.
//! - A report without a valid fix is never a position; an alarm without one is still an alarm.
//! - Delivered is said only on a TMP ack for one radio. A group text has none: its ack says that it was radiated.
//!
//! **Profile keys** (default): `subnet` (10) first byte of every radio's IP · `port_rrs`, `port_lp`, `port_tmp` (3002, 3003,
//! 3004), to which radios answer whatever our source port is, so the link binds the same numbers · `base_radio` (0 = not
//! told) id of the radio that we speak through: source of our texts, and a private text to another id is overheard ·
//! `base_ip` (the base radio's radio IP) where group texts are handed over; 192.168.10.1 for a radio on USB ·
//! `text_max` (140) UTF-16 units · `pace_ms` (2000) · `renew_s` (1800) · `tmp_ack` (`on`|`off`) · `tmp_flag7`
//! (`no_ack`|`ack_request`) · `repeat_s` (10) · `strip_crlf` (true) · `a001_form` (`nine`|`eight`) · `end_byte`
//! (`lenient`|`require_03`) · `speed_unit` (`knots`|`km_h`) · `carrier` (`hdap`|`hrnp`|
//! `hstrp`) · `hrnp_version` (4) · `hstrp_rrs`, `hstrp_lp`, `hstrp_tmp`, `hstrp_rcp` (30001, 30003, 30007, 30009) a
//! repeater's ports of slot 1, slot 2 one more · `heartbeat_s` (6) between repeater and host.

mod carried;
#[cfg(test)]
mod carried_tests;
mod codec;
mod control;
mod fields;
mod framer;
mod hrnp;
mod hstrp;
mod settings;
#[cfg(test)]
mod tests;
pub mod wire;

use super::Device;
use crate::message::Bearer;

/// The register's line.
pub const DEVICE: Device = Device {
    name: "hytera",
    label: "海能达 370 兆电台（HDAP、HRNP、HSTRP）",
    bearer: Bearer::Radio370,
    protocols: fields::PROTOCOLS,
    labels: carried::LABELS,
    open: codec::open,
};
