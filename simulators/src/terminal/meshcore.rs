//! A MeshCore radio beside its host: companion frames on one side, the mesh on the other.
//!
//! What hurts is here: texts wait in the radio's memory until the host fetches them and are gone with the fetch, the memory
//! is small and a reboot clears it, console text stands between frames, and a radio that restarts answers nothing.

use super::numbers::Numbers;
use super::{Act, AirMessage, Said, Tally, Terminal, TerminalOutput};
use crate::seed::Seed;
use bytes::Bytes;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use yizhan_codecs::device::meshcore::wire::{
    About, Contact, DeviceInfo, FromRadio, Origin, Prefix, SelfInfo, Text, ToRadio,
};
use yizhan_codecs::device::meshcore::{Companion, Side, key_prefix, terminal};
use yizhan_codecs::frame::{Cutter, Found, Framer};
use yizhan_codecs::message::{Addressee, Bearer, Position, TerminalId};

/// Texts that the radio keeps for its host; the oldest goes first.
const KEPT_MAX: usize = 16;
const AWAITED_MAX: usize = 16;
/// Bytes of one text.
const TEXT_MAX: usize = 160;
const RESTART: Duration = Duration::from_secs(4);
/// The radio's clock when it was switched on: 2026-11-23 02:10:00 Beijing time.
const SWITCHED_ON: u32 = 1_795_371_000;

/// Codes of a refusal.
const UNSUPPORTED: u8 = 1;
const NOT_FOUND: u8 = 2;
const ILLEGAL: u8 = 6;

/// The radio.
#[derive(Clone, Debug)]
pub struct MeshCoreRadio {
    own: TerminalId,
    public_key: [u8; 32],
    /// `None`: whoever is written to is known.
    contacts: Option<Vec<(Prefix, String)>>,
    kept: VecDeque<Text>,
    told: Numbers<u32>,
    newest: u32,
    /// Acks that far radios owe.
    awaited: VecDeque<(u32, TerminalId)>,
    next_ack: u32,
    framer: Cutter<Companion>,
    restarts_until: Option<Duration>,
    outputs: VecDeque<TerminalOutput>,
    serial: u64,
    tally: Tally,
}

impl MeshCoreRadio {
    /// A radio whose number is the first twelve hex digits of its public key; `None` for another kind of number.
    #[must_use]
    pub fn new(own: TerminalId, seed: &Seed) -> Option<Self> {
        let prefix = key_prefix(&own)?;
        let mut chance = seed.stream(own.number());
        let mut public_key = [0; 32];
        public_key.fill_with(|| chance.draw().to_le_bytes()[0]);
        public_key[..prefix.len()].copy_from_slice(&prefix);
        let next_ack = u32::try_from(chance.below(1 << 30)).unwrap_or(0) | 1;
        Some(Self {
            own,
            public_key,
            contacts: None,
            kept: VecDeque::new(),
            told: Numbers::default(),
            newest: 0,
            awaited: VecDeque::new(),
            next_ack,
            framer: Cutter::new(Companion::of(Side::Host)),
            restarts_until: None,
            outputs: VecDeque::new(),
            serial: 0,
            tally: Tally::default(),
        })
    }

    /// Knows only these: a text to anybody else is refused, as a real radio does.
    #[must_use]
    pub fn knows(mut self, contacts: &[(TerminalId, &str)]) -> Self {
        let known = contacts.iter().filter_map(|(id, name)| Some((key_prefix(id)?, (*name).to_owned())));
        self.contacts = Some(known.collect());
        self
    }

    fn tell_host(&mut self, said: &FromRadio) {
        let Ok(bytes) = said.emit() else { return };
        self.outputs.push_back(TerminalOutput::ToHost { from: None, bytes });
    }

    fn radiate(&mut self, to: Addressee, said: Said) {
        self.serial += 1;
        let (from, serial) = (self.own.clone(), self.serial);
        self.outputs.push_back(TerminalOutput::ToAir(AirMessage { from, to, serial, said }));
    }

    fn time(now: Duration) -> u32 {
        SWITCHED_ON.saturating_add(u32::try_from(now.as_secs()).unwrap_or(u32::MAX))
    }

    fn obey(&mut self, now: Duration, asked: ToRadio) {
        match asked {
            ToRadio::AppStart { .. } => self.tell_host(&FromRadio::SelfInfo(self.about_itself())),
            ToRadio::Query { .. } => self.tell_host(&FromRadio::DeviceInfo(DeviceInfo {
                firmware: 8,
                about: Some(About {
                    max_contacts: 100,
                    max_channels: 8,
                    ble_pin: 0,
                    build: "23 Nov 2026".into(),
                    model: "Simulated".into(),
                    version: "v1".into(),
                }),
                more: Bytes::new(),
            })),
            ToRadio::AskTime => self.tell_host(&FromRadio::Time { seconds: Self::time(now) }),
            ToRadio::Battery => self.tell_host(&FromRadio::Battery { millivolt: 3_980, storage_kb: Some((12, 1_024)) }),
            ToRadio::Contacts { .. } => {
                let contacts = self.contacts.clone().unwrap_or_default();
                let count = u32::try_from(contacts.len()).unwrap_or(u32::MAX);
                self.tell_host(&FromRadio::ContactsStart { count });
                for (prefix, name) in &contacts {
                    self.tell_host(&FromRadio::Contact(contact(*prefix, name, None)));
                }
                self.tell_host(&FromRadio::ContactsEnd { last_modified: SWITCHED_ON });
            }
            ToRadio::NextMessage => {
                let next = self.kept.pop_front().map_or(FromRadio::NoMore, FromRadio::Text);
                self.tell_host(&next);
            }
            ToRadio::DirectText { to, text, .. } => self.send(Addressee::Terminal(terminal(to)), text),
            ToRadio::ChannelText { channel, text, .. } => {
                self.send(Addressee::Group(TerminalId::from_number(Bearer::Mesh, channel.into())), text);
            }
            ToRadio::Other { .. } => self.tell_host(&FromRadio::Refused { code: Some(UNSUPPORTED) }),
        }
    }

    fn send(&mut self, to: Addressee, text: String) {
        self.tally.ordered += 1;
        let is_known = |to: &Addressee| match (to, &self.contacts) {
            (Addressee::Terminal(id), Some(known)) => known.iter().any(|(prefix, _)| terminal(*prefix) == *id),
            _ => true,
        };
        if text.len() > TEXT_MAX {
            self.tally.too_long += 1;
            return self.tell_host(&FromRadio::Refused { code: Some(ILLEGAL) });
        }
        if !is_known(&to) {
            self.tally.refused += 1;
            return self.tell_host(&FromRadio::Refused { code: Some(NOT_FOUND) });
        }
        self.tally.sent += 1;
        let Addressee::Terminal(far) = &to else {
            self.tell_host(&FromRadio::Done { value: None });
            return self.radiate(to, Said::Text { text, request: 0 });
        };
        let request = self.next_ack;
        self.next_ack = self.next_ack.wrapping_add(2);
        self.awaited.push_back((request, far.clone()));
        self.awaited.truncate(AWAITED_MAX);
        self.tell_host(&FromRadio::Sent { flood: 1, expected_ack: request.to_le_bytes(), timeout_ms: 4_000 });
        self.radiate(to, Said::Text { text, request });
    }

    fn about_itself(&self) -> SelfInfo {
        SelfInfo {
            kind: 1,
            tx_power: 20,
            max_tx_power: 22,
            public_key: self.public_key,
            lat_e6: 0,
            lon_e6: 0,
            flags: [0; 4],
            frequency_khz: 433_000,
            bandwidth_hz: 125_000,
            spreading_factor: 11,
            coding_rate: 5,
            name: format!("驿站{}", self.own.number().get(..4).unwrap_or_default()),
        }
    }

    fn keep(&mut self, now: Duration, message: &AirMessage, text: &str) {
        let origin = match &message.to {
            Addressee::Terminal(_) => key_prefix(&message.from).map(Origin::Contact),
            Addressee::Group(id) => id.as_u32().and_then(|number| u8::try_from(number).ok()).map(Origin::Channel),
            Addressee::Everyone(_) => Some(Origin::Channel(0)),
        };
        let Some(origin) = origin else { return };
        self.tally.received += 1;
        if self.kept.len() >= KEPT_MAX {
            self.kept.pop_front();
        }
        // The sender's clock stands in a text; no two of its texts bear the same second.
        let newest = &mut self.newest;
        let timestamp = self.told.number(message, || {
            *newest = Self::time(now).max(newest.saturating_add(1));
            *newest
        });
        self.kept.push_back(Text {
            snr_quarter_db: Some(26),
            origin,
            path_len: 1,
            text_type: 0,
            timestamp,
            signature: None,
            text: Bytes::copy_from_slice(text.as_bytes()),
        });
        self.tell_host(&FromRadio::Waiting);
    }
}

fn contact(prefix: Prefix, name: &str, position: Option<&Position>) -> Contact {
    let (mut public_key, mut field) = ([0; 32], [0; 32]);
    public_key[..prefix.len()].copy_from_slice(&prefix);
    field.iter_mut().zip(name.bytes().take(31)).for_each(|(place, byte)| *place = byte);
    Contact {
        public_key,
        kind: 1,
        flags: 0,
        path_len: u8::MAX,
        path: [0; 64],
        name: field,
        last_advert: SWITCHED_ON,
        lat_e6: position.map_or(0, |position| position.lat_e7 / 10),
        lon_e6: position.map_or(0, |position| position.lon_e7 / 10),
        last_modified: SWITCHED_ON,
    }
}

impl Terminal for MeshCoreRadio {
    fn heard_host(&mut self, now: Duration, _: Option<SocketAddr>, bytes: &[u8]) {
        self.wake(now);
        if self.restarts_until.is_some() {
            return;
        }
        self.framer.push(bytes);
        while let Some(found) = self.framer.next_found() {
            match &found {
                Found::Frame(frame) => match ToRadio::parse(frame) {
                    Ok(asked) => self.obey(now, asked),
                    Err(_) => self.tell_host(&FromRadio::Refused { code: Some(ILLEGAL) }),
                },
                Found::Noise { bytes, .. } => self.tally.unreadable += u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            }
        }
    }

    fn heard_air(&mut self, now: Duration, message: &AirMessage) {
        if self.restarts_until.is_some_and(|until| now < until) {
            return;
        }
        match &message.said {
            Said::Text { text, request } => {
                self.keep(now, message, text);
                if *request != 0 && matches!(message.to, Addressee::Terminal(_)) {
                    self.radiate(Addressee::Terminal(message.from.clone()), Said::Taken { request: *request });
                }
            }
            Said::Taken { request } => {
                let place = self.awaited.iter().position(|(ack, far)| ack == request && *far == message.from);
                if place.and_then(|place| self.awaited.remove(place)).is_some() {
                    let round_trip_ms = Some(1_200);
                    self.tell_host(&FromRadio::Confirmed { ack: request.to_le_bytes(), round_trip_ms });
                }
            }
            Said::Position { position: Some(position), .. } => {
                if let Some(prefix) = key_prefix(&message.from) {
                    self.tell_host(&FromRadio::NewContact(contact(prefix, message.from.number(), Some(position))));
                }
            }
            _ => {}
        }
    }

    fn act(&mut self, now: Duration, act: &Act) {
        match act {
            Act::Type { to, text } => {
                let request = if matches!(to, Addressee::Terminal(_)) { self.next_ack } else { 0 };
                self.next_ack = self.next_ack.wrapping_add(2);
                self.radiate(to.clone(), Said::Text { text: text.clone(), request });
            }
            Act::Reboot => {
                self.kept.clear();
                self.awaited.clear();
                self.framer = Cutter::new(Companion::of(Side::Host));
                self.restarts_until = Some(now + RESTART);
                self.outputs.push_back(TerminalOutput::WakeAt(now + RESTART));
            }
            Act::Noise { bytes } => {
                self.outputs.push_back(TerminalOutput::ToHost { from: None, bytes: Bytes::clone(bytes) });
            }
            _ => {}
        }
    }

    fn wake(&mut self, now: Duration) {
        if self.restarts_until.is_some_and(|until| until <= now) {
            self.restarts_until = None;
            let bytes = Bytes::from_static(b"rst:0x1 (POWERON)\r\nboot> ok\r\n");
            self.outputs.push_back(TerminalOutput::ToHost { from: None, bytes });
        }
    }

    fn poll(&mut self) -> Option<TerminalOutput> {
        self.outputs.pop_front()
    }

    fn hears(&self, to: &Addressee) -> bool {
        match to {
            Addressee::Terminal(id) => *id == self.own,
            other => other.bearer() == Bearer::Mesh,
        }
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: &str) -> TerminalId {
        TerminalId::new(Bearer::Mesh, number)
    }

    fn radio() -> MeshCoreRadio {
        MeshCoreRadio::new(id("a0a1a2a3a4a5"), &Seed::new(1)).unwrap()
    }

    fn said(radio: &mut MeshCoreRadio) -> Vec<FromRadio> {
        std::iter::from_fn(|| radio.poll())
            .filter_map(|output| match output {
                TerminalOutput::ToHost { bytes, .. } => FromRadio::parse(&bytes).ok(),
                _ => None,
            })
            .collect()
    }

    fn asks(radio: &mut MeshCoreRadio, now: u64, asked: &ToRadio) -> Vec<FromRadio> {
        radio.heard_host(Duration::from_secs(now), None, &asked.emit().unwrap());
        said(radio)
    }

    fn text(to: &Addressee, request: u32) -> AirMessage {
        let said = Said::Text { text: "三号桥".into(), request };
        AirMessage { from: id("b0b1b2b3b4b5"), to: to.clone(), serial: 1, said }
    }

    #[test]
    fn a_text_is_gone_with_the_fetch_and_the_memory_is_small() {
        let mut radio = radio();
        for _ in 0..20 {
            radio.heard_air(Duration::ZERO, &text(&Addressee::Terminal(id("a0a1a2a3a4a5")), 5));
        }
        said(&mut radio);
        let fetched =
            (0..20).filter(|_| matches!(asks(&mut radio, 1, &ToRadio::NextMessage)[..], [FromRadio::Text(_)]));
        assert_eq!(fetched.count(), KEPT_MAX);
        assert_eq!(radio.tally().received, 20);
    }

    #[test]
    fn the_ack_of_the_far_radio_carries_the_code_that_was_promised() {
        let mut radio = radio();
        let to = [0xB0, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5];
        let text = ToRadio::DirectText { text_type: 0, attempt: 0, timestamp: 1, to, text: "到".into() };
        let [FromRadio::Sent { expected_ack, .. }] = asks(&mut radio, 1, &text)[..] else { panic!("not sent") };
        let request = u32::from_le_bytes(expected_ack);
        let taken = |from: &str| AirMessage {
            from: id(from),
            to: Addressee::Terminal(id("a0a1a2a3a4a5")),
            serial: 1,
            said: Said::Taken { request },
        };
        radio.heard_air(Duration::ZERO, &taken("c0c1c2c3c4c5"));
        assert_eq!(said(&mut radio), []);
        radio.heard_air(Duration::ZERO, &taken("b0b1b2b3b4b5"));
        assert!(matches!(said(&mut radio)[..], [FromRadio::Confirmed { ack, .. }] if ack == expected_ack));
    }

    #[test]
    fn a_radio_that_restarts_answers_nothing_and_a_stranger_is_refused() {
        let mut radio = radio().knows(&[(id("b0b1b2b3b4b5"), "山脊")]);
        let text = ToRadio::DirectText { text_type: 0, attempt: 0, timestamp: 1, to: [1; 6], text: "到".into() };
        assert_eq!(asks(&mut radio, 1, &text), [FromRadio::Refused { code: Some(NOT_FOUND) }]);
        radio.act(Duration::from_secs(2), &Act::Reboot);
        assert_eq!(asks(&mut radio, 3, &ToRadio::AskTime), []);
        assert_eq!(asks(&mut radio, 9, &ToRadio::AskTime).len(), 1);
        assert_eq!(radio.tally().refused, 1);
    }
}
