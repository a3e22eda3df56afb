//! Radios with TRBO data services (Motorola and compatible ones in mixed fleets): text, registration and location in UDP
//! datagrams.
//!
//! What it is: TMS (text, port 4007), ARS (registration, 4005) and LRRP (location, 4001), each to and from the radio's own
//! IP through a base radio that routes. What it is not: telemetry, programming over the air, job tickets, or IP packets
//! and bursts as a monitor of the channel sees them; `explain` reads these, the codec does not act on them.
//!
//! **Invariants**
//! - Radios are told apart by the 24 bits of their IP (a registration by the number in it); a text says nowhere else whom
//!   it is from.
//! - Delivered is said only on the radio's own TMS ack, for the text that last bore that sequence number to that radio.
//! - Two texts in a row to one radio never bear the same sequence number: radios take the second for a repeat.
//! - Registrations and texts are answered only after they are stored; the offer of the text service at once.
//! - Nothing is trimmed off a datagram.
//!
//! **Profile keys** (default): `subnet` (12) first byte of every radio's IP · `group_subnet` (225) first byte of a group's ·
//! `port_ars`, `port_tms`, `port_lrrp` (4005, 4007, 4001), to which radios answer whatever our source port is, so the link
//! binds the same numbers · `base_radio` (0 = not told), `base_ip` (not told) number and host-side IP of the radio on the
//! cable, such as 192.168.10.1, from which its own messages come · `text_max` (140) UTF-16 units with the leading line
//! break; newer radios take 280 · `crlf` (true) put CR LF before a text, as these radios do · `strip_crlf` (true) drop one on
//! receipt · `tms_ack` (`on`|`off`) · `renew_half_hours` (1) how soon a radio must register again · `repeat_s` (60) how
//! long the same sequence, sender and text is a repeat · `pace_ms` (2000).

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
    label: "摩托罗拉 TRBO 电台（TMS/ARS/LRRP）",
    bearer: Bearer::Radio370,
    protocols: fields::PROTOCOLS,
    labels: fields::LABELS,
    open: codec::open,
};
