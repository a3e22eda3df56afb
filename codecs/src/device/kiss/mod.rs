//! Amateur and private packet radio (APRS) through a TNC that speaks KISS, on a serial port or TCP 8001 (direwolf).
//!
//! What it is: KISS framing, AX.25 UI frames, and of APRS what an emergency net uses: messages with acks, bulletins,
//! positions in every form, objects, Mic-E with its emergency code. What it is not: connected AX.25, a digipeater, an
//! Internet gate. The TNC has no acknowledgement of its own: what is written to it is "taken", no more.
//!
//! **Invariants**
//! - Nothing is sent before the station's own callsign is told: a radio without a name is against every licence.
//! - Delivered is said only on an `ack` from the addressee for us; a digipeater's copy says repeated.
//! - Bulletins and overheard messages are never acknowledged.
//! - Nothing is encrypted, and packed bytes are not sent: amateur bands forbid what others cannot read.
//!
//! **Profile keys** (default): `own` (`N0CALL` = not told) callsign with SSID, of ours · `path` (`WIDE1-1,WIDE2-1`)
//! digipeaters asked, empty for none · `tocall` (`APZYZN`) the destination, which names the program · `text_max` (201)
//! bytes of one text, 67 Chinese characters · `kiss_port` (0) the TNC's port that we send on · `pace_ms` (10000) ·
//! `ack_wait_s` (40) how long an ack may take · `repeat_s` (600) how long the same number and text of one sender is a
//! repeat.

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
    name: "kiss",
    label: "业余分组电台（KISS TNC，APRS）",
    bearer: Bearer::Mesh,
    protocols: fields::PROTOCOLS,
    labels: fields::LABELS,
    open: codec::open,
};
