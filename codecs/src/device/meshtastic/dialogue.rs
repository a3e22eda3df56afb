//! The stream API's conversation: wake the radio, have it tell everything, keep the line alive, and hand it messages no
//! faster than it takes them.
//!
//! It also knows what no single frame says: our own number, where each of our packets went, and whose public key the radio
//! has. A restart may forget all of it.

mod pace;
#[cfg(test)]
mod tests;

use super::codec::from_radio;
use super::settings::Settings;
use super::signals::{TELEMETRY, is_permanent, remark};
use super::terminal;
use super::wire::{
    BROADCAST, FromRadio, Heartbeat, LIST_ONLY, MeshPacket, Telemetry, ToRadio, User, WAKE, WITHOUT_LIST, error,
    framed, payload, port, routing_name,
};
use crate::codec::{Cargo, Dialogue, Given, Outgoing, Step};
use crate::message::{Addressee, Peer, Rung, Signal};
use bytes::Bytes;
use pace::Pace;
use prost::Message as _;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

const WAKE_PAUSE: Duration = Duration::from_millis(100);
/// A pause this long ends a start-up that does not go on; as a whole it may take much longer on a slow cable.
const START_SILENCE: Duration = Duration::from_secs(30);
const START_MAX: Duration = Duration::from_secs(300);
const HEARTBEAT_EVERY: Duration = Duration::from_secs(60);
const MISSES_MAX: u32 = 3;
/// A full queue is asked for this often while a message waits for it.
const QUEUE_EVERY: Duration = Duration::from_secs(5);
/// So many times up within this time: somebody else takes the radio's only place for a host.
const STREAK: usize = 4;
const STREAK_WITHIN: Duration = Duration::from_secs(180);
/// What is remembered of packets, at most.
const SENT_MAX: usize = 256;
const SEEN_MAX: usize = 1_000;
const KEYS_MAX: usize = 1_000;

/// The conversation with one radio.
#[derive(Clone, Debug)]
pub(super) struct Handshake {
    wants_list: bool,
    state: State,
    asked: u32,
    heard_at: Duration,
    beat_at: Duration,
    misses: u32,
    own: Option<u32>,
    /// Radios whose public key ours has.
    keys: BTreeSet<u32>,
    /// Our packets: number and destination.
    sent: VecDeque<(u32, u32)>,
    /// Packets heard: sender and number.
    seen: VecDeque<(u32, u32)>,
    pace: Pace,
    /// A message that waits for its turn, whole.
    held: Option<(MeshPacket, Outgoing)>,
    ups: VecDeque<Duration>,
    streak_told: bool,
    steps: VecDeque<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Down,
    Waking { until: Duration },
    Asked { nonce: u32, began: Duration },
    Ready,
}

impl Handshake {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            wants_list: settings.wants_list,
            state: State::Down,
            asked: 0,
            heard_at: Duration::ZERO,
            beat_at: Duration::ZERO,
            misses: 0,
            own: None,
            keys: BTreeSet::new(),
            sent: VecDeque::new(),
            seen: VecDeque::new(),
            pace: Pace::default(),
            held: None,
            ups: VecDeque::new(),
            streak_told: false,
            steps: VecDeque::new(),
        }
    }

    fn send(&mut self, message: &ToRadio) {
        self.steps.extend(framed(message).map(|frame| Step::Send(frame.into())));
    }

    fn begin(&mut self, now: Duration) {
        self.state = State::Waking { until: now.saturating_add(WAKE_PAUSE) };
        self.steps.push_back(Step::Ready(false));
        self.steps.push_back(Step::Send(Bytes::from_static(&WAKE).into()));
    }

    fn ask(&mut self, now: Duration) {
        self.asked = self.asked.wrapping_add(1);
        let nonce = if self.wants_list { self.nonce(now) } else { WITHOUT_LIST };
        self.state = State::Asked { nonce, began: now };
        self.heard_at = now;
        self.send(&ToRadio { want_config_id: Some(nonce), ..ToRadio::default() });
    }

    /// Another one each time, so that the end of an earlier start-up is not taken for this one's.
    fn nonce(&self, now: Duration) -> u32 {
        let time = u32::try_from(now.as_millis() & 0x7FFF_FFFF).unwrap_or(0);
        match time.wrapping_mul(0x9E37_79B1).wrapping_add(self.asked) {
            0 | WITHOUT_LIST | LIST_ONLY => 1,
            nonce => nonce,
        }
    }

    fn beat(&mut self, now: Duration) {
        self.beat_at = now;
        self.send(&ToRadio { heartbeat: Some(Heartbeat { nonce: 0 }), ..ToRadio::default() });
    }

    fn ready(&mut self, now: Duration) {
        self.state = State::Ready;
        self.misses = 0;
        self.steps.push_back(Step::Ready(true));
        self.beat(now);
        self.release(now);
    }

    /// The held message goes out if it may.
    fn release(&mut self, now: Duration) {
        let due = self.held.as_ref().is_some_and(|(packet, _)| self.pace.due(packet) <= now);
        if self.state != State::Ready || !due {
            return;
        }
        if let Some((packet, frame)) = self.held.take() {
            self.pace.took(now, &packet);
            self.steps.push_back(Step::Carry { frame, last: true });
        }
    }

    /// The next time at which something is due; said after every call, because a later one replaces it.
    fn plan(&mut self) {
        let at = match self.state {
            State::Down => return,
            State::Waking { until } => until,
            State::Asked { began, .. } => {
                self.heard_at.saturating_add(START_SILENCE).min(began.saturating_add(START_MAX))
            }
            State::Ready => {
                let beat = self.beat_at.saturating_add(HEARTBEAT_EVERY);
                match &self.held {
                    None => beat,
                    Some(_) if self.pace.is_full() => beat.min(self.beat_at.saturating_add(QUEUE_EVERY)),
                    Some((packet, _)) => beat.min(self.pace.due(packet)),
                }
            }
        };
        self.steps.push_back(Step::WakeAt(at));
    }

    /// Completes a packet of ours with what only this conversation knows.
    fn completed(&self, mut packet: MeshPacket) -> (MeshPacket, Option<Outgoing>) {
        packet.pki_encrypted = self.keys.contains(&packet.to);
        let frame = framed(&ToRadio { packet: Some(packet.clone()), ..ToRadio::default() });
        (packet, frame.map(Outgoing::from))
    }

    fn destination(&self, native: u32) -> Option<u32> {
        self.sent.iter().rev().find(|(id, _)| *id == native).map(|(_, to)| *to)
    }

    fn told(&mut self, now: Duration, message: &FromRadio, signals: &mut Vec<Signal>) {
        if let Some(info) = message.my_info.as_ref().filter(|info| info.my_node_num != 0) {
            self.own = Some(info.my_node_num);
        }
        if let Some(listed) = &message.node_info {
            self.learn_key(listed.num, listed.user.as_ref());
        }
        match self.state {
            State::Asked { nonce, .. } if message.config_complete_id == Some(nonce) => self.ready(now),
            _ => {}
        }
        if message.rebooted == Some(true) && !matches!(self.state, State::Waking { .. }) {
            self.pace = Pace::default();
            self.begin(now);
        }
        if let Some(status) = &message.queue_status {
            self.pace.queue(status.free);
            self.release(now);
        }
        if let Some(packet) = &message.packet {
            self.packet(packet, signals);
        }
        for signal in std::mem::take(signals) {
            self.result(signal, signals);
        }
    }

    fn learn_key(&mut self, of: u32, user: Option<&User>) {
        let Some(user) = user else { return };
        if user.public_key.is_empty() {
            self.keys.remove(&of);
        } else if self.keys.len() < KEYS_MAX {
            self.keys.insert(of);
        }
    }

    fn packet(&mut self, packet: &MeshPacket, signals: &mut Vec<Signal>) {
        let Some(data) = &packet.decoded else { return };
        if data.portnum == port::NODE_INFO {
            self.learn_key(packet.from, User::decode(data.payload.as_slice()).ok().as_ref());
        }
        let ours = self.own == Some(packet.from);
        if ours {
            signals.retain(|signal| match signal {
                Signal::Heard(_) | Signal::Presence { .. } | Signal::Emergency { .. } => false,
                Signal::Remark { what, .. } => *what != TELEMETRY,
                _ => true,
            });
            if data.portnum == port::TELEMETRY {
                let level = Telemetry::decode(data.payload.as_slice()).ok().and_then(|t| t.device?.battery_level);
                let percent = level.map(|level| u8::try_from(level.min(100)).unwrap_or(100));
                signals.extend(percent.map(|percent| Signal::Battery { percent: Some(percent) }));
            }
        }
        let key = (packet.from, packet.id);
        if packet.id != 0 && data.portnum != port::ROUTING {
            if self.seen.contains(&key) {
                // A text is judged by the engine, which counts the copies.
                signals.retain(|signal| matches!(signal, Signal::Heard(_)));
            } else {
                remember(&mut self.seen, SEEN_MAX, key);
            }
        }
        let own = self.own.map(terminal);
        for signal in signals.iter_mut() {
            if let (Signal::Heard(heard), Some(own)) = (signal, &own) {
                heard.overheard = matches!(&heard.to, Addressee::Terminal(to) if to != own);
            }
        }
    }

    /// What a result proves depends on where the packet went.
    fn result(&mut self, signal: Signal, signals: &mut Vec<Signal>) {
        let Signal::Delivery { by, native, delivered, code } = signal else { return signals.push(signal) };
        let Some(to) = self.destination(native) else {
            return signals.push(Signal::Delivery { by, native, delivered, code });
        };
        if delivered {
            signals.push(if by == terminal(to) {
                Signal::Delivery { by, native, delivered, code }
            } else {
                Signal::Progress { native, rung: Rung::Repeated }
            });
            return;
        }
        let code_wide = u32::from(code);
        if to == BROADCAST && code_wide == error::MAX_RETRANSMIT {
            // It went out; nobody was heard to repeat it.
            signals.push(Signal::Progress { native, rung: Rung::Radiated });
            signals.push(remark("群发未听到邻台转发", format!("编号 {native:08x}")));
            return;
        }
        let hope = if is_permanent(code_wide) { "再试无用" } else { "可再试" };
        signals.push(remark("电台报发送失败", format!("{} {}（{hope}）", terminal(to), routing_name(code_wide))));
        signals.push(Signal::Delivery { by: terminal(to), native, delivered, code });
    }

    fn count_up(&mut self, now: Duration) {
        if self.ups.back().is_some_and(|last| now.saturating_sub(*last) > STREAK_WITHIN) {
            self.streak_told = false;
        }
        self.ups.retain(|up| now.saturating_sub(*up) <= STREAK_WITHIN);
        remember(&mut self.ups, STREAK, now);
        if self.ups.len() >= STREAK && !self.streak_told {
            self.streak_told = true;
            let detail = format!("{} 秒内第 {STREAK} 次重连：电台只容一个主机", STREAK_WITHIN.as_secs());
            self.steps.push_back(Step::Say(remark("疑有其他程序在争用这台电台", detail)));
        }
    }
}

fn remember<T>(list: &mut VecDeque<T>, max: usize, item: T) {
    while list.len() >= max {
        list.pop_front();
    }
    list.push_back(item);
}

impl Dialogue for Handshake {
    fn link_up(&mut self, now: Duration) {
        self.steps.clear();
        // What was held died with the link: the engine has ended its attempt.
        self.held = None;
        self.pace.forget_queue();
        self.heard_at = now;
        self.count_up(now);
        self.begin(now);
        self.plan();
    }

    fn heard(&mut self, now: Duration, _from: Option<Peer>, frame: &[u8], signals: &mut Vec<Signal>) {
        self.heard_at = now;
        self.misses = 0;
        if let Ok(message) = from_radio(frame) {
            self.told(now, &message, signals);
        }
        self.plan();
    }

    fn give(&mut self, now: Duration, cargo: Cargo, frames: Vec<Outgoing>) -> Given {
        let packet = match (cargo, frames.as_slice()) {
            (Cargo::Message { .. }, [frame]) => {
                payload(&frame.bytes).and_then(|bytes| ToRadio::decode(bytes).ok()).and_then(|message| message.packet)
            }
            _ => None,
        };
        let Some(packet) = packet else { return Given::Write(frames) };
        let (packet, Some(frame)) = self.completed(packet) else { return Given::Write(frames) };
        remember(&mut self.sent, SENT_MAX, (packet.id, packet.to));
        let may_go = self.state == State::Ready && self.pace.due(&packet) <= now;
        if may_go {
            self.pace.took(now, &packet);
            return Given::Write(vec![frame]);
        }
        self.held = Some((packet, frame));
        self.plan();
        Given::Held
    }

    fn wake(&mut self, now: Duration) {
        match self.state {
            State::Down => {}
            State::Waking { until } if now >= until => self.ask(now),
            State::Asked { began, .. }
                if now >= self.heard_at.saturating_add(START_SILENCE) || now >= began.saturating_add(START_MAX) =>
            {
                self.begin(now);
            }
            State::Waking { .. } | State::Asked { .. } => {}
            State::Ready => {
                let waits_for_queue = self.held.is_some() && self.pace.is_full();
                let every = if waits_for_queue { QUEUE_EVERY } else { HEARTBEAT_EVERY };
                if now >= self.beat_at.saturating_add(every) {
                    let answered = self.heard_at > self.beat_at || self.beat_at == Duration::ZERO;
                    self.misses = if answered { 0 } else { self.misses.saturating_add(1) };
                    if self.misses >= MISSES_MAX { self.begin(now) } else { self.beat(now) }
                }
                self.release(now);
            }
        }
        self.plan();
    }

    fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }
}
