//! Meshtastic radios: an ad-hoc mesh on LoRa, spoken to over the stream API (serial, USB or TCP 4403) or as one more
//! member of the mesh over UDP multicast (224.0.0.69:4403).
//!
//! What it is: the host's side of the public interface of firmware 2.6 to 2.8, declared anew here; texts, alerts, positions,
//! results of sending, and what is worth a line in the day's log. What it is not: management of radios (no message of
//! port 6 is ever written), a broker's client (envelopes are only explained), decompression of port 7, 78 or compressed
//! TAK, and public-key decryption, which the radio itself does behind the stream API and nobody can for it on UDP.
//!
//! **Invariants**
//! - Delivered is said only on the result that the destination itself sent. A result of our own radio is an implicit one:
//!   a neighbour was heard to repeat the packet (已转发), no more.
//! - A queue status never proves that something was sent: radios answer so what they then drop. It can only prove failure.
//! - Our number of a message is the packet's id, so that results name it; sender and id tell a copy for an hour.
//! - Nothing that came over a mesh is written back to it by this family, and ports 6, 13 and 66 go nowhere.
//! - Receive time is the radio's word and may be of 1970: it is never taken as the time of sending.
//!
//! **What became of a text**, by the code of [`wire::routing_name`]: trying again can help after 1, 2, 3, 5, 8, 9, 38;
//! it cannot after 4, 6, 7, 32 to 37 and 39 (no channel, too large, keys). After 5 on a broadcast the packet was radiated
//! all the same; nobody was heard to repeat it. A real result may come after a failure and counts.
//!
//! **Profile keys** (default): `over` (`stream`|`multicast`) · `text_max` (200) bytes of one text · `hop_limit` (3) ·
//! `channel` (0) index of the channel for texts to everyone · `alerts` (false) urgent texts to everyone go as alerts, which
//! radios take only every 10 s · `list` (true) whether the radio lists the others at start-up, which tells their keys; `false`
//! on slow cables · `channels` (`LongFast=AQ==`) multicast only: name and key of each channel, `name=key;name=key`, keys in
//! base64 or hex, the first for direct texts · `own` multicast only and needed there: our number on the mesh, `!%08x`, of
//! no other radio · `group` (`224.0.0.69:4403`) multicast only.

mod codec;
mod dialogue;
mod fields;
mod framer;
mod multicast;
mod settings;
mod signals;
#[cfg(test)]
mod tests;
pub mod wire;

use super::Device;
use crate::message::{Bearer, TerminalId};

pub use framer::StreamFramer;

/// The register's line.
pub const DEVICE: Device = Device {
    name: "meshtastic",
    label: "Meshtastic 自组网电台",
    bearer: Bearer::Mesh,
    protocols: fields::PROTOCOLS,
    labels: fields::LABELS,
    open: codec::open,
};

/// A radio's number as people and files write it.
#[must_use]
pub fn terminal(number: u32) -> TerminalId {
    TerminalId::new(Bearer::Mesh, &format!("!{number:08x}"))
}

/// The number of a radio of this family.
#[must_use]
pub fn number_of(terminal: &TerminalId) -> Option<u32> {
    let digits = terminal.number().strip_prefix('!').filter(|digits| digits.len() == 8)?;
    let lower = digits.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit));
    (lower && terminal.bearer == Bearer::Mesh).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}
