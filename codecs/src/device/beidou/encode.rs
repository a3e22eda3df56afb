//! From orders to frames, in the configured dialect.

use super::settings::{Dialect, Settings};
use super::wire::content::{self, HanziRule, Packed, pack_text};
use super::wire::rdss21::{Dwa, Ica, Rmo, Txa};
use super::wire::rdss40::{Body, CONTENT_BITS_MAX, Dwsq, Frame, Txsq};
use super::wire::rsmc3::{Icr, Tcq};
use super::wire::text::Sentence;
use crate::codec::EncodeError;
use crate::message::{Addressee, Bearer, Order, TerminalId};
use bytes::Bytes;
use std::time::Duration;

/// Air bits that the urgent class (特快) carries.
pub const URGENT_BITS: u32 = 188;
/// Air bits that a BDS-3 message carries at most.
pub const RSMC_BITS_MAX: u32 = 14_000;
/// The highest number that eight digits write.
const NUMBER_MAX: u32 = 99_999_999;

pub(super) const fn rule(dialect: Dialect) -> HanziRule {
    match dialect {
        Dialect::Rdss40 => HanziRule::Binary,
        Dialect::Rdss21 => HanziRule::Sentence,
        Dialect::Rsmc3 => HanziRule::WideOnly,
    }
}

pub(super) fn encode(settings: &Settings, order: &Order) -> Result<Bytes, EncodeError> {
    match order {
        Order::Text { to, text, urgent, .. } => {
            let packed = pack_text(text, rule(settings.dialect))?;
            send(settings, to, &packed, *urgent)
        }
        Order::Payload { to, bytes, .. } => {
            let packed = Packed { mixed: true, bytes: bytes.clone(), air_bits: content::mixed_bits(bytes.len()) };
            send(settings, to, &packed, false)
        }
        Order::AskCard => ask_card(settings),
        Order::AskStrength { every } => ask_strength(settings, *every),
        Order::AskPosition { of, .. } if is_own(settings, of) => ask_position(settings),
        _ => Err(EncodeError::Unsupported),
    }
}

/// 0 and the configured number are our own terminal.
fn is_own(settings: &Settings, of: &Addressee) -> bool {
    match of {
        Addressee::Terminal(id) if id.bearer == Bearer::Beidou => {
            id.as_u32().is_some_and(|number| number == 0 || settings.own_number == Some(number))
        }
        _ => false,
    }
}

/// Whether a message can be addressed to a number; 0 is our own terminal.
pub(super) fn reaches(to: &TerminalId) -> bool {
    number(&Addressee::Terminal(to.clone())).is_ok_and(|number| number != 0)
}

fn number(to: &Addressee) -> Result<u32, EncodeError> {
    match to {
        Addressee::Terminal(id) | Addressee::Group(id) if id.bearer == Bearer::Beidou => {
            let number = id.as_u32().filter(|number| *number <= NUMBER_MAX);
            number.ok_or_else(|| EncodeError::Address(id.to_string()))
        }
        Addressee::Terminal(id) | Addressee::Group(id) => Err(EncodeError::Address(id.to_string())),
        Addressee::Everyone(bearer) => Err(EncodeError::Address(format!("{bearer}:*"))),
    }
}

fn send(settings: &Settings, to: &Addressee, packed: &Packed, urgent: bool) -> Result<Bytes, EncodeError> {
    let dest = number(to)?;
    let capacity = if settings.dialect == Dialect::Rsmc3 { RSMC_BITS_MAX } else { CONTENT_BITS_MAX };
    if packed.air_bits > capacity {
        return Err(EncodeError::TooLong { needed: packed.air_bits, capacity });
    }
    let urgent = urgent && packed.air_bits <= URGENT_BITS;
    match settings.dialect {
        Dialect::Rdss40 => send_binary(settings, dest, packed, urgent),
        Dialect::Rdss21 => {
            let (form, content) = match packed.mixed {
                true => (content::Form::Mixed, content::mixed_hex(&packed.bytes)),
                false => (content::Form::Hanzi, packed.bytes.clone()),
            };
            Sentence::Txa(Txa { dest, urgent, form, content }).emit()
        }
        Dialect::Rsmc3 => {
            let (encoding, content) = match packed.mixed {
                true => (3, content::mixed_hex(&packed.bytes)),
                false => (1, packed.bytes.clone()),
            };
            Sentence::Tcq(Tcq {
                dest,
                point: settings.freq_point,
                confirm: 1,
                encoding,
                extra_field: settings.tcq_extra_field,
                content,
                period_s: settings.tcq_trailing_frequency.then_some(0),
            })
            .emit()
        }
    }
}

/// Category: 010 message, no key, class, form, 0 message (§2.3).
fn send_binary(settings: &Settings, dest: u32, packed: &Packed, urgent: bool) -> Result<Bytes, EncodeError> {
    let content = if packed.mixed { content::mixed(&packed.bytes) } else { packed.bytes.clone() };
    let class = if urgent { 0 } else { 0b0100 };
    let form = if packed.mixed { 0b10 } else { 0 };
    let bits = u16::try_from(content.len().saturating_mul(8));
    let bits = bits.map_err(|_| EncodeError::TooLong { needed: packed.air_bits, capacity: CONTENT_BITS_MAX })?;
    let send = Txsq { category: 0x40 | class | form, dest, bits, answer: 0, content };
    binary(settings, Body::Txsq(send))
}

fn binary(settings: &Settings, body: Body) -> Result<Bytes, EncodeError> {
    let user = settings.own_number.filter(|number| *number < 1 << 24).unwrap_or(0);
    Frame { user, body }.emit()
}

/// Asks for the card, in the configured dialect.
pub(super) fn ask_card(settings: &Settings) -> Result<Bytes, EncodeError> {
    match settings.dialect {
        Dialect::Rdss40 => binary(settings, Body::Icjc { page: 0 }),
        Dialect::Rdss21 => Sentence::Ica(Ica { subordinates: false, page: 0 }).emit(),
        Dialect::Rsmc3 => Sentence::Icr(Icr { kind: 0, page: 0 }).emit(),
    }
}

/// Asks for signal strength every so often; zero = once. Less than a second becomes a second.
pub(super) fn ask_strength(settings: &Settings, every: Duration) -> Result<Bytes, EncodeError> {
    let least = u64::from(!every.is_zero());
    let period_s = u16::try_from(every.as_secs().max(least)).unwrap_or(u16::MAX);
    match settings.dialect {
        Dialect::Rdss40 => binary(settings, Body::Xtzj { period_s }),
        Dialect::Rdss21 => output(*b"BSI", period_s),
        Dialect::Rsmc3 => output(*b"PWI", period_s),
    }
}

fn output(id: [u8; 3], period_s: u16) -> Result<Bytes, EncodeError> {
    Sentence::Rmo(Rmo { id: Some(id), mode: 2, period_s: Some(period_s.into()) }).emit()
}

/// Asks our own terminal where it is: one RDSS fix, or on BDS-3 one RNSS sentence, which costs no slot.
fn ask_position(settings: &Settings) -> Result<Bytes, EncodeError> {
    match settings.dialect {
        Dialect::Rdss40 => {
            let zero = [0; 4];
            let ask = Dwsq { category: 0x04, height_and_antenna: zero, pressure_temperature: zero, period_s: 0 };
            binary(settings, Body::Dwsq(ask))
        }
        Dialect::Rdss21 => Sentence::Dwa(Dwa {
            user: settings.own_number.unwrap_or(0),
            emergency: false,
            height_mode: 1,
            high: false,
            height_mm: None,
            antenna_mm: Some(0),
            pressure_milli: None,
            temperature_milli: None,
            period_s: 0,
        })
        .emit(),
        Dialect::Rsmc3 => output(*b"RMC", 0),
    }
}
