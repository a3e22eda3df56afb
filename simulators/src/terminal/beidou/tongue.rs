//! What a Beidou terminal and its host say to each other, in three dialects.

use super::{AirMessage, Card, Said};
use bytes::{Buf, Bytes, BytesMut};
use std::time::Duration;
use yizhan_codecs::device::beidou::wire::content::{
    self, ASCII_BITS, Content, Form, HANZI_BITS, HanziRule, decode_text, mixed_bits, pack_text,
};
use yizhan_codecs::device::beidou::wire::rdss40::{Body, Frame, Icxx, Txxx, Zjxx};
use yizhan_codecs::device::beidou::wire::text::{Clock, Sentence};
use yizhan_codecs::device::beidou::wire::{rdss21, rdss40, rsmc3, text};

/// Which protocol the terminal speaks with its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// RDSS user-machine interface 4.0, binary.
    Rdss40,
    /// RDSS 2.1, text.
    Rdss21,
    /// BDS-3 regional short message, text.
    Rsmc3,
}

/// What a host can ask.
#[derive(Clone, Debug)]
pub(super) enum FromHost {
    AskCard,
    /// Signal reports; `None` = one, now.
    Report {
        every: Option<Duration>,
    },
    Send {
        to: u32,
        urgent: bool,
        bits: u32,
        said: Said,
    },
    /// Understood and of no effect here.
    Unheeded,
    /// So many bytes were no sentence.
    Unreadable(u64),
}

/// What the terminal can say.
#[derive(Clone, Debug)]
pub(super) enum ToHost {
    Card,
    Beams { strength: u8, battery_low: bool },
    Feedback { refusal: Option<Refusal> },
    Suppression { on: bool },
    Message(AirMessage),
}

/// Why it did not radiate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    TooEarly { wait_s: u32 },
    NoSignal,
    Suppressed,
    Silence,
    LowBattery,
    NoCard,
    TooLong,
}

impl Dialect {
    /// From the name that scenarios use.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "rdss40" => Some(Self::Rdss40),
            "rdss21" => Some(Self::Rdss21),
            "rsmc3" => Some(Self::Rsmc3),
            _ => None,
        }
    }

    /// Air bits of one message by the card's level.
    #[must_use]
    pub const fn capacity_bits(self, level: u8) -> u32 {
        match (self, level) {
            (Self::Rsmc3, 3) => 3_600,
            (Self::Rsmc3, 4) => 7_700,
            (Self::Rsmc3, 5) => 14_000,
            (Self::Rsmc3, _) => 1_000,
            (_, 1) => 110,
            (_, 2) => 408,
            (_, 3) => 628,
            (_, _) => 848,
        }
    }

    /// The next thing that the host said; `None` when more bytes are needed.
    pub(super) fn cut(self, input: &mut BytesMut) -> Option<FromHost> {
        let start = input.iter().position(|byte| *byte == b'$').unwrap_or(input.len());
        if start > 0 {
            input.advance(start);
            return Some(FromHost::Unreadable(u64::try_from(start).unwrap_or(u64::MAX)));
        }
        let header = input.get(1..6)?;
        let comma = *input.get(6)?;
        let (letters, sixth) = header.split_at(4);
        let is_binary = letters.iter().all(u8::is_ascii_uppercase) && !sixth.iter().any(u8::is_ascii_alphanumeric);
        let is_text = comma == b',' && header.iter().all(u8::is_ascii_alphanumeric);
        if !is_binary && !is_text {
            input.advance(1);
            return Some(FromHost::Unreadable(1));
        }
        let length = if is_binary {
            let length = input.get(5..7)?.try_into().map(u16::from_be_bytes).map_or(0, usize::from);
            if !(rdss40::LENGTH_MIN..=rdss40::LENGTH_MAX).contains(&length) {
                input.advance(1);
                return Some(FromHost::Unreadable(1));
            }
            (input.len() >= length).then_some(length)?
        } else {
            match input.iter().position(|byte| *byte == b'\n') {
                Some(end) => end + 1,
                None if input.len() > text::LENGTH_MAX => input.len(),
                None => return None,
            }
        };
        let sentence = input.get(..length)?;
        let read = if is_binary {
            rdss40::parse(sentence).ok().map(|frame| from_frame(frame.body))
        } else {
            text::parse(sentence).ok().map(from_sentence)
        };
        // What cannot be read may hide a sentence behind its first byte.
        input.advance(if read.is_some() { length } else { 1 });
        Some(read.unwrap_or(FromHost::Unreadable(1)))
    }

    /// The bytes for a word; `None` when this dialect has no such word.
    pub(super) fn say(self, card: Option<&Card>, number: u32, word: &ToHost) -> Option<Bytes> {
        match self {
            Self::Rdss40 => {
                let user = if card.is_some() { number } else { 0 };
                Frame { user, body: frame_body(card, word)? }.emit().ok()
            }
            Self::Rdss21 => sentence_21(card, word)?.emit().ok(),
            Self::Rsmc3 => sentence_30(card, number, word)?.emit().ok(),
        }
    }
}

fn from_frame(body: Body) -> FromHost {
    match body {
        Body::Icjc { page: 0 } => FromHost::AskCard,
        Body::Xtzj { period_s } => FromHost::Report { every: every(period_s.into()) },
        Body::Txsq(send) if !send.is_query() => {
            let content = Content::from_binary(send.form(), send.bits, &send.content);
            // The frame counts 8-bit bytes; the air budget counts 14 bits a hanzi.
            let bits = air_bits(&content).unwrap_or_else(|| send.bits.into());
            FromHost::Send { to: send.dest, urgent: send.is_urgent(), bits, said: said(&content) }
        }
        _ => FromHost::Unheeded,
    }
}

fn from_sentence(sentence: Sentence) -> FromHost {
    match sentence {
        Sentence::Ica(rdss21::Ica { subordinates: false, .. }) | Sentence::Icr(rsmc3::Icr { kind: 0, .. }) => {
            FromHost::AskCard
        }
        Sentence::Rmo(rmo) if matches!(rmo.id, None | Some([b'B', b'S', b'I'] | [b'P', b'W', b'I'])) => {
            match rmo.mode {
                2 | 4 => FromHost::Report { every: every(rmo.period_s.unwrap_or(0)) },
                _ => FromHost::Unheeded,
            }
        }
        Sentence::Txa(send) => {
            let content = Content::from_text(send.form, &send.content);
            let bits = air_bits(&content).unwrap_or(u32::MAX);
            FromHost::Send { to: send.dest, urgent: send.urgent, bits, said: said(&content) }
        }
        Sentence::Tcq(send) => {
            let content = Content::from_encoding(send.encoding, &send.content);
            let bits = air_bits(&content).unwrap_or(u32::MAX);
            FromHost::Send { to: send.dest, urgent: false, bits, said: said(&content) }
        }
        _ => FromHost::Unheeded,
    }
}

fn every(seconds: u32) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds.into()))
}

/// What content takes from the card's budget; `None` where the dialect's own length field must say it.
fn air_bits(content: &Content) -> Option<u32> {
    match content {
        Content::Hanzi(bytes) => {
            let (text, _) = decode_text(bytes);
            Some(text.chars().map(|c| if c.is_ascii() { ASCII_BITS } else { HANZI_BITS }).sum())
        }
        Content::Mixed(bytes) => Some(mixed_bits(bytes.len())),
        Content::Code(digits) => u32::try_from(digits.len()).ok()?.checked_mul(4),
        Content::Raw(_) => None,
    }
}

/// Hanzi and readable mixed content are text for the far side; the rest are bytes.
fn said(content: &Content) -> Said {
    let bytes = content.bytes();
    let readable = match content {
        Content::Hanzi(_) => Some(decode_text(&bytes).0),
        Content::Mixed(_) => Some(decode_text(&bytes)).filter(|(_, lossy)| !lossy).map(|(text, _)| text),
        Content::Code(_) | Content::Raw(_) => None,
    };
    match readable {
        Some(text) if !text.chars().any(char::is_control) => Said::Text { text, request: 0 },
        _ => Said::Bytes { bytes, request: 0 },
    }
}

/// Hanzi mode or mixed, as a handheld would send it: `(mixed, bytes without the mark)`.
fn content_of(message: &AirMessage, rule: HanziRule) -> Option<(bool, Bytes)> {
    match &message.said {
        Said::Text { text, .. } => pack_text(text, rule).ok().map(|packed| (packed.mixed, packed.bytes)),
        Said::Bytes { bytes, .. } => Some((true, bytes.clone())),
        _ => None,
    }
}

fn number_of(message: &AirMessage) -> u32 {
    message.from.as_u32().unwrap_or(0)
}

fn frame_body(card: Option<&Card>, word: &ToHost) -> Option<Body> {
    let flag = |flag, extra| Body::Fkxx { flag, extra };
    Some(match word {
        ToHost::Card => Body::Icxx(Icxx {
            broadcast: card.map_or(0, |card| card.broadcast),
            feature: 6,
            period_s: card.map_or(0, |card| u16::try_from(card.period.as_secs()).unwrap_or(u16::MAX)),
            level: card.map_or(0, |card| card.level),
            encrypted: 0,
            subordinates: card.map_or(0, |card| card.subordinates),
        }),
        ToHost::Beams { strength, battery_low } => Body::Zjxx(Zjxx {
            ic: u8::from(card.is_none()),
            hardware: 0,
            battery: if *battery_low { 5 } else { 100 },
            inbound: 2,
            beams: [*strength, 0, strength.saturating_sub(1), 0, 0, 0],
        }),
        ToHost::Feedback { refusal } => match refusal {
            None => flag(0, *b"TXSQ"),
            Some(Refusal::TooEarly { wait_s }) => flag(4, [0, 0, 0, u8::try_from(*wait_s).unwrap_or(u8::MAX)]),
            Some(Refusal::NoSignal) => flag(2, [0; 4]),
            Some(Refusal::LowBattery) => flag(3, [0; 4]),
            Some(Refusal::Suppressed | Refusal::Silence) => flag(7, [0; 4]),
            Some(Refusal::NoCard | Refusal::TooLong) => flag(1, *b"TXSQ"),
        },
        ToHost::Suppression { on } => flag(if *on { 7 } else { 8 }, [0; 4]),
        ToHost::Message(message) => {
            let (is_mixed, bytes) = content_of(message, HanziRule::Binary)?;
            let content = if is_mixed { content::mixed(&bytes) } else { bytes };
            Body::Txxx(Txxx {
                category: if is_mixed { 0b0110_0000 } else { 0b0100_0000 },
                sender: number_of(message),
                hour: 0,
                minute: 0,
                bits: u16::try_from(content.len().checked_mul(8)?).ok()?,
                content,
                crc: 0,
            })
        }
    })
}

fn sentence_21(card: Option<&Card>, word: &ToHost) -> Option<Sentence> {
    Some(match word {
        ToHost::Card => Sentence::Ici(rdss21::Ici {
            user: card.map_or(0, |card| card.number),
            serial: 0,
            broadcast: card.map_or(0, |card| card.broadcast),
            feature: 6,
            period_s: card.map_or(0, |card| u32::try_from(card.period.as_secs()).unwrap_or(u32::MAX)),
            level: card.map_or(0, |card| card.level),
            encrypted: false,
            subordinates: card.map_or(0, |card| card.subordinates.into()),
        }),
        ToHost::Beams { strength, .. } => {
            let powers = [*strength, strength.saturating_sub(1), 0, 0, 0, 0, 0, 0, 0, 0];
            Sentence::Bsi(rdss21::Bsi { response: 1, difference: 3, powers })
        }
        ToHost::Feedback { refusal } => {
            let (executed, frequency_ok, suppression, wait_s) = match refusal {
                None => (true, true, 0, 0),
                Some(Refusal::TooEarly { wait_s }) => (false, false, 0, *wait_s),
                Some(Refusal::Suppressed) => (false, true, 1, 0),
                Some(Refusal::LowBattery) => (false, true, 2, 0),
                Some(Refusal::Silence) => (false, true, 3, 0),
                Some(Refusal::NoSignal | Refusal::NoCard | Refusal::TooLong) => (false, true, 0, 0),
            };
            let wait = wait_s / 60 * 100 + wait_s % 60;
            let suppression = Some(suppression);
            Sentence::Fki(rdss21::Fki { command: *b"TXA", executed, frequency_ok, suppression, wait })
        }
        ToHost::Suppression { on } => Sentence::Fki(rdss21::Fki {
            command: *b"TXA",
            executed: false,
            frequency_ok: true,
            suppression: Some(u8::from(*on)),
            wait: 0,
        }),
        ToHost::Message(message) => {
            let (is_mixed, bytes) = content_of(message, HanziRule::Sentence)?;
            let (form, content) =
                if is_mixed { (Form::Mixed, content::mixed_hex(&bytes)) } else { (Form::Hanzi, bytes) };
            Sentence::Txr(rdss21::Txr { class: 1, sender: number_of(message), form, time: None, content })
        }
    })
}

const MIDNIGHT: Clock = Clock { hour: 0, minute: 0, second: 0, ms: 0 };

fn sentence_30(card: Option<&Card>, number: u32, word: &ToHost) -> Option<Sentence> {
    Some(match word {
        ToHost::Card => Sentence::Icp(Box::new(rsmc3::Icp {
            user: card.map_or(0, |card| card.number),
            broadcast: card.map_or(0, |card| card.broadcast),
            marks: ["0", "3", "0", "N", "2", "N", "1", "0", "0", "3"].map(|mark| Bytes::from_static(mark.as_bytes())),
            regional_service: 1,
            period_s: card.map_or(0, |card| u32::try_from(card.period.as_secs()).unwrap_or(u32::MAX)),
            level: card.map_or(0, |card| card.level),
            global_mark: 0,
            gsmc_permission: 0,
            gsmc_period_s: 0,
            gsmc_level: 0,
            subordinates: card.map_or(0, |card| card.subordinates.into()),
            group_permission: 21,
            groups_owned: 0,
            groups_joined: 0,
        })),
        ToHost::Beams { strength, .. } => {
            let beam =
                rsmc3::Beam { id: 51, cn0_d: u16::from(*strength) * 11, cn0_p: u16::from(*strength) * 9, mark: 0 };
            let rdss3 = if *strength == 0 { Vec::new() } else { vec![beam] };
            Sentence::Pwi(rsmc3::Pwi { time: MIDNIGHT, rdss2: Vec::new(), rdss3 })
        }
        ToHost::Feedback { refusal } => {
            let (reason, wait_s) = match refusal {
                None => (0, 0),
                Some(Refusal::TooEarly { wait_s }) => (1, *wait_s),
                Some(Refusal::Suppressed) => (2, 0),
                Some(Refusal::Silence) => (3, 0),
                Some(Refusal::NoSignal | Refusal::LowBattery) => (4, 0),
                Some(Refusal::NoCard) => (5, 0),
                Some(Refusal::TooLong) => (6, 0),
            };
            let sent = refusal.is_none();
            Sentence::Fki3(rsmc3::Fki { time: MIDNIGHT, command: *b"TCQ", sent, reason, wait_s })
        }
        ToHost::Suppression { on } => {
            let reason = if *on { 2 } else { 0 };
            Sentence::Fki3(rsmc3::Fki { time: MIDNIGHT, command: *b"TCQ", sent: false, reason, wait_s: 0 })
        }
        ToHost::Message(message) => {
            let (is_mixed, bytes) = content_of(message, HanziRule::WideOnly)?;
            let (encoding, content) = if is_mixed { (3, content::mixed_hex(&bytes)) } else { (1, bytes) };
            Sentence::Tci(rsmc3::Tci {
                sender: number_of(message),
                receiver: number,
                order: rsmc3::TciOrder::A { point: 2, mark: 0 },
                time: MIDNIGHT,
                encoding,
                content,
            })
        }
    })
}
