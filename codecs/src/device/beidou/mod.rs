//! Beidou short-message terminals (北斗短报文): RDSS 4.0, 2.1, BDS-3 RSMC and NMEA, all on one port.
//!
//! What it is: a codec that hears every dialect at once and sends in the configured one. What it is not: a clock of
//! slots or a memory of the card; the engine has those, from [`crate::message::Signal::Card`] and feedback.
//!
//! **Invariants**
//! - Frames are told apart by content, never by the configured dialect.
//! - "Success" of a terminal is [`Rung::Radiated`] and nothing more: the civil service has no delivery report.
//! - Text goes in the cheapest mode that alters no character; `measure` says what `encode` will do.
//! - Self-destruct, zeroise, management write, password and silence are recognised and have no emitter.

mod card;
mod decode;
mod dialogue;
mod encode;
mod explain;
mod feedback;
mod framer;
mod settings;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
pub mod wire;

pub use card::{bits_of_bds2, bits_of_bds3};
pub use dialogue::Inquiry;
pub use feedback::{FkxxWait, fkxx_wait_s};
pub use framer::BeidouFramer;
pub use settings::{Dialect, RdssClock, Settings};

use super::Device;
use crate::codec::{Charset, Codec, DecodeError, Dialogue, EncodeError, Limits, Outgoing, Profile, ProfileError};
use crate::frame::Framer;
use crate::message::{Bearer, Order, Peer, Rung, Signal, TerminalId};
use bytes::Bytes;
use std::time::Duration;

/// The register's line.
pub const DEVICE: Device = Device {
    name: "beidou",
    label: "北斗短报文终端（RDSS 4.0 / 2.1 / 三代 RSMC）",
    bearer: Bearer::Beidou,
    protocols: explain::PROTOCOLS,
    labels: &[],
    open,
};

/// Opens the codec of one port.
///
/// # Errors
/// [`ProfileError`] for an unknown key or a value outside its choices.
pub fn open(profile: &Profile) -> Result<Box<dyn Codec>, ProfileError> {
    Ok(Box::new(Beidou { settings: Settings::read(profile)? }))
}

/// The codec of one port.
#[derive(Clone, Debug)]
pub struct Beidou {
    settings: Settings,
}

impl Codec for Beidou {
    fn limits(&self) -> Limits {
        Limits {
            bearer: Bearer::Beidou,
            capacity_bits: None,
            period: None,
            charset: Charset::Gb18030,
            feedback_within: Some(Duration::from_secs(8)),
            delivery_within: None,
            proves: Rung::Radiated,
            may_encrypt: true,
            may_relay: true,
            confirms: "终端只能确认“已发出”；对方是否收到，北斗民用服务没有回执，要靠对方回话。",
            source: "RDSS 4.0 §2.5, RDSS 2.1 §3.3, RSMC 3.0 §4.3, §7.1–7.3; grade and period from the card's answer",
        }
    }

    fn reaches(&self, to: &TerminalId) -> bool {
        encode::reaches(to)
    }

    fn framer(&self) -> Box<dyn Framer> {
        Box::new(BeidouFramer::new(self.settings.baud, self.settings.leniency))
    }

    fn decode(&self, frame: &[u8], _from: Option<Peer>) -> Result<Vec<Signal>, DecodeError> {
        decode::decode(&self.settings, frame)
    }

    fn encode(&self, order: &Order) -> Result<Vec<Outgoing>, EncodeError> {
        encode::encode(&self.settings, order).map(|bytes| vec![bytes.into()])
    }

    fn measure(&self, text: &str) -> Result<u32, EncodeError> {
        wire::content::pack_text(text, encode::rule(self.settings.dialect)).map(|packed| packed.air_bits)
    }

    /// Terminals forget a message as soon as they have printed it.
    /// Mixed content, whose mark A4 takes a byte (facts of §3.2: 628 bits carry 77 bytes).
    fn payload_max(&self, capacity_bits: u32) -> Option<usize> {
        usize::try_from(capacity_bits / 8).ok()?.checked_sub(1)
    }

    fn acknowledge(&self, _signal: &Signal) -> Option<Bytes> {
        None
    }

    fn dialogue(&self) -> Option<Box<dyn Dialogue>> {
        Some(Box::new(Inquiry::new(self.settings)))
    }
}
