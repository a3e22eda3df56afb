//! Hytera radios (海能达) of the 370 MHz network, over their data interface.
//!
//! What it is: registration (RRS), location (LP), text (TMP) and what radios tell of calls and alarms (RCP), in one of three
//! carriers: bare HDAP datagrams to and from each radio's own IP through a base radio that routes (ports 3002 to 3004); HRNP to
//! the attached radio, on a serial cable or UDP 3005; HSTRP from repeaters that forward to this host (ports 30001 to 30010).
//! What it is not: voice, repeater management, or any command that disables, monitors or keys a radio.
//!
//! **Invariants**
//! - Radios are told apart by their 24-bit id; the subnet byte is configuration and repeaters rewrite it.
//! - A report without a valid fix is never a position; an alarm without one is still an alarm.
//! - Delivered is said only on a TMP ack for one radio. A group text has none: its ack says that it was radiated.
//!
//! **Profile keys** (default): `carrier` (`hdap`|`hrnp`|`hstrp`) · `hrnp_version` (4) · `heartbeat_s` (6) of HSTRP · `subnet` (10) first byte of every radio's IP · `port_rrs`, `port_lp`, `port_tmp` (3002, 3003,
//! 3004), to which radios answer whatever our source port is, so the link binds the same numbers · `base_radio` (0 = not
//! told) id of the radio that we speak through: source of our texts, and a private text to another id is overheard ·
//! `base_ip` (the base radio's radio IP) where group texts are handed over; 192.168.10.1 for a radio on USB ·
//! `text_max` (140) UTF-16 units · `pace_ms` (2000) · `renew_s` (1800) · `tmp_ack` (`on`|`off`) · `tmp_flag7`
//! (`no_ack`|`ack_request`) · `repeat_s` (10) · `strip_crlf` (true) · `a001_form` (`nine`|`eight`) · `end_byte`
//! (`lenient`|`require_03`) · `speed_unit` (`knots`|`km_h`).

mod cable;
#[cfg(test)]
mod carriers;
mod codec;
mod fields;
mod repeater;
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
    labels: fields::LABELS,
    open: codec::open,
};
