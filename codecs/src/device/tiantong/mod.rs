//! Tiantong-1 satellite phones (天通一号) as AT modems: short messages in PDU mode over a serial port.
//!
//! What it is: SMS by 3GPP TS 27.005 (AT lines), TS 23.040 (PDUs), TS 23.038 (alphabets), with status reports; any other
//! phone or modem that speaks them works the same. What it is not: calls, data connections, text mode, or anything
//! proprietary of one maker.
//!
//! **Invariants**
//! - Delivered is said only on a status report 0 for every part: the far phone's word. `+CMGS` is the network's: radiated.
//! - A message is deleted from the phone only after it is stored here. What cannot be read stays in the phone.
//! - Long texts are cut at characters and numbered (8 bit reference); parts that come in are given on as parts.
//! - A report that fits no message of this start is a remark, never a delivery of some other message.
//! - Profiles hold no PIN: three wrong tries lock the card, a daemon that restarts would spend them, and a config file
//!   is no place for a secret. Switch the PIN off, or type it on the phone.
//!
//! **Profile keys** (default): `smsc` ("" = as the SIM says) service centre in international digits · `country` ("86")
//! prefix of 11 digit national numbers, "" = take numbers as they are · `parts_max` (3) messages that one text may take
//! · `alphabet` (`auto`|`ucs2`) whether texts of GSM characters go in 7 bits · `reports` (true) ask for status reports ·
//! `report_s` (600) how long to wait for one · `validity_min` (1440) how long the network keeps trying · `store`
//! (`ME`|`SM`) where the phone keeps messages · `pace_ms` (5000) least time between two texts · `repeat_s` (259200) how
//! long the same message read again is a repeat.

mod codec;
mod dialogue;
mod fields;
mod framer;
mod settings;
#[cfg(test)]
mod tests;
pub mod wire;

pub use framer::AtFramer;

use super::Device;
use crate::message::Bearer;

/// The register's line.
pub const DEVICE: Device = Device {
    name: "tiantong",
    label: "天通一号卫星电话（AT 短信）",
    bearer: Bearer::Satphone,
    protocols: fields::PROTOCOLS,
    labels: fields::LABELS,
    open: codec::open,
};
