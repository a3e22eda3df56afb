use super::codec::Datagram;
use super::settings::Settings;
use super::wire::{Tms, TmsBody};
use crate::codec::{Cargo, Dialogue, Given, Outgoing, Step};
use crate::message::{Peer, Signal};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

/// Sequences of five bits, as most senders and receivers have them: 32 comes back as 0.
const SEQUENCES: u8 = 32;
/// Radios and groups that are remembered; beyond it the one that was longest not written to is forgotten.
const KNOWN_MAX: usize = 4_096;

/// The sequence after `last`; before the first text, taken from our own number.
pub(super) fn next_sequence(last: Option<u8>, native: u32) -> u8 {
    let [.., low] = native.to_be_bytes();
    last.map_or(low, |last| last.wrapping_add(1)) % SEQUENCES
}

/// Which sequence bears which text, for each radio.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    settings: Settings,
    known: BTreeMap<u32, Radio>,
    /// Counts texts, to tell which radio was longest not written to.
    written: u64,
    steps: VecDeque<Step>,
}

#[derive(Clone, Debug, Default)]
struct Radio {
    last: Option<u8>,
    /// Sequence to our number, while an ack is awaited.
    awaited: BTreeMap<u8, u32>,
    used: u64,
}

impl Talk {
    pub(super) const fn new(settings: Settings) -> Self {
        Self { settings, known: BTreeMap::new(), written: 0, steps: VecDeque::new() }
    }

    /// The text with the next sequence for that radio in it.
    fn number(&mut self, outgoing: Outgoing, native: u32) -> Outgoing {
        let Some((key, tms)) = self.text_of(&outgoing) else { return outgoing };
        let TmsBody::Text { encoding, data, .. } = tms.body else { return outgoing };
        self.written = self.written.saturating_add(1);
        self.make_room(key);
        let radio = self.known.entry(key).or_default();
        let sequence = next_sequence(radio.last, native);
        radio.last = Some(sequence);
        radio.used = self.written;
        radio.awaited.remove(&sequence);
        if tms.header.bit_6() {
            radio.awaited.insert(sequence, native);
        }
        let body = TmsBody::Text { sequence: Some(sequence), encoding, data };
        match (Tms { header: tms.header, address: tms.address, body }).emit() {
            Ok(bytes) => Outgoing { bytes, to: outgoing.to },
            Err(_) => outgoing,
        }
    }

    fn text_of(&self, outgoing: &Outgoing) -> Option<(u32, Tms)> {
        let peer = outgoing.to?;
        if peer.0.port() != self.settings.port_tms {
            return None;
        }
        let tms = Tms::parse(&outgoing.bytes).ok()?;
        let is_group = !tms.header.bit_6();
        let key = if is_group { ip_bits(peer)? } else { self.settings.whose(peer)?.0 };
        Some((key, tms))
    }

    fn make_room(&mut self, key: u32) {
        if self.known.len() < KNOWN_MAX || self.known.contains_key(&key) {
            return;
        }
        let oldest = self.known.iter().min_by_key(|(_, radio)| radio.used).map(|(key, _)| *key);
        oldest.and_then(|key| self.known.remove(&key));
    }

    /// Whether the datagram is a TMS message, and which.
    fn tms(&self, from: Option<Peer>, frame: &[u8]) -> Option<Tms> {
        match Datagram::read(&self.settings, frame, from) {
            Ok(Datagram::Tms(tms)) => Some(tms),
            _ => None,
        }
    }
}

/// A group's key is its whole address, a radio's its 24 bits: they never meet, as no group subnet is 0.
fn ip_bits(peer: Peer) -> Option<u32> {
    match peer.0.ip() {
        IpAddr::V4(ip) => Some(ip.to_bits()),
        IpAddr::V6(_) => None,
    }
}

impl Dialogue for Talk {
    /// What was written before is still on its way: numbers and awaited acks outlive a pulled cable.
    fn link_up(&mut self, _: Duration) {
        self.steps.clear();
        // Datagrams want no greeting: what is written is written.
        self.steps.push_back(Step::Ready(true));
    }

    fn heard(&mut self, _: Duration, from: Option<Peer>, frame: &[u8], signals: &mut Vec<Signal>) {
        let Some(tms) = self.tms(from, frame) else { return };
        match tms.body {
            // Costs nothing to forget: it says that the radio can be written to, and is answered at once.
            TmsBody::Available { .. } if tms.header.bit_6() => {
                let answer: Option<Bytes> = Tms::ack(None).emit().ok();
                self.steps.extend(answer.map(|bytes| Step::Send(Outgoing { bytes, to: from })));
            }
            TmsBody::Ack { sequence: Some(sequence) } => {
                let id = from.and_then(|peer| self.settings.whose(peer)).map(|(id, _)| id);
                let radio = id.and_then(|id| self.known.get_mut(&id));
                let ours = radio.and_then(|radio| radio.awaited.remove(&(sequence % SEQUENCES)));
                for signal in signals.iter_mut() {
                    let Signal::Delivery { by, native, .. } = signal else { continue };
                    match ours {
                        Some(number) => *native = number,
                        None => {
                            *signal = Signal::Remark {
                                what: "没有对应短信的回执",
                                detail: format!("{by}，序号 {sequence}"),
                            };
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn give(&mut self, _: Duration, cargo: Cargo, frames: Vec<Outgoing>) -> Given {
        let Cargo::Message { native } = cargo else { return Given::Write(frames) };
        Given::Write(frames.into_iter().map(|frame| self.number(frame, native)).collect())
    }

    fn wake(&mut self, _: Duration) {}

    fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }
}
