//! A Beidou terminal: one card, one period, one antenna, and a serial host interface in one of three dialects.
//!
//! It behaves as facts about real modules say: it refuses what comes too early with the code and the remaining wait,
//! forgets its output settings in a reboot, goes on reporting while it cannot transmit, and its own countdown runs up
//! to two seconds long.

mod tongue;

pub use tongue::Dialect;

use super::{Act, AirMessage, Said, Tally, Terminal, TerminalOutput};
use crate::queue::Queue;
use crate::seed::Seed;
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use tongue::{FromHost, Refusal, ToHost};
use yizhan_codecs::message::{Addressee, Bearer, TerminalId};

/// Air bits of an urgent (特快) message, at most.
const URGENT_BITS: u32 = 188;
/// From the send order to the antenna.
const RADIATE_AFTER: Duration = Duration::from_millis(300);
/// A terminal that was switched on is ready after this time.
const BOOT: Duration = Duration::from_secs(6);
/// How much longer than the card's period the terminal's own countdown runs, at most, milliseconds.
const COUNTDOWN_LONGER_MS: u64 = 1_500;

/// What is on the card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub number: u32,
    /// 通播 number; 0 = none.
    pub broadcast: u32,
    /// 服务频度.
    pub period: Duration,
    /// 通信等级 as the dialect counts it.
    pub level: u8,
    pub subordinates: u16,
}

/// The terminal.
#[derive(Clone, Debug)]
pub struct BeidouTerminal {
    dialect: Dialect,
    card: Card,
    card_present: bool,
    free_at: Duration,
    beams: u8,
    suppressed: bool,
    silent: bool,
    battery_low: bool,
    feedback_after: Option<Duration>,
    /// Signal reports to the host: how often; lost in a reboot.
    report_every: Option<Duration>,
    ready_at: Duration,
    input: BytesMut,
    plans: Queue<Plan>,
    outputs: VecDeque<TerminalOutput>,
    serial: u64,
    seed: Seed,
    tally: Tally,
}

#[derive(Clone, Debug)]
enum Plan {
    Say(ToHost),
    Radiate(AirMessage),
    Report,
    Booted,
}

impl BeidouTerminal {
    #[must_use]
    pub fn new(dialect: Dialect, card: Card, seed: &Seed) -> Self {
        let seed = seed.stream(&format!("beidou terminal {}", card.number));
        Self {
            dialect,
            card,
            card_present: true,
            free_at: Duration::ZERO,
            beams: 4,
            suppressed: false,
            silent: false,
            battery_low: false,
            feedback_after: Some(Duration::from_millis(1_200)),
            report_every: None,
            ready_at: Duration::ZERO,
            input: BytesMut::new(),
            plans: Queue::default(),
            outputs: VecDeque::new(),
            serial: 0,
            seed,
            tally: Tally::default(),
        }
    }

    /// When the card may send again.
    #[must_use]
    pub const fn free_at(&self) -> Duration {
        self.free_at
    }

    fn say(&mut self, word: &ToHost) {
        let card = self.card_present.then_some(&self.card);
        let bytes = self.dialect.say(card, self.card.number, word);
        self.outputs.extend(bytes.map(|bytes| TerminalOutput::ToHost { from: None, bytes }));
    }

    fn obey(&mut self, now: Duration, order: FromHost) {
        match order {
            FromHost::AskCard => self.plans.put(now + Duration::from_millis(150), Plan::Say(ToHost::Card)),
            FromHost::Report { every } => {
                self.report_every = every;
                self.plans.retain(|plan| !matches!(plan, Plan::Report));
                self.plans.put(now + Duration::from_millis(200), Plan::Report);
            }
            FromHost::Send { to, urgent, bits, said } => self.send(now, to, urgent, bits, said),
            FromHost::Unheeded => {}
            FromHost::Unreadable(bytes) => self.tally.unreadable += bytes,
        }
    }

    fn send(&mut self, now: Duration, to: u32, urgent: bool, bits: u32, said: Said) {
        self.tally.ordered += 1;
        let wait = self.free_at.saturating_sub(now);
        let capacity = self.dialect.capacity_bits(self.card.level);
        let capacity = if urgent { capacity.min(URGENT_BITS) } else { capacity };
        let refusal = if !self.card_present {
            Some(Refusal::NoCard)
        } else if self.silent {
            Some(Refusal::Silence)
        } else if self.suppressed {
            Some(Refusal::Suppressed)
        } else if self.battery_low {
            Some(Refusal::LowBattery)
        } else if self.beams == 0 {
            Some(Refusal::NoSignal)
        } else if !wait.is_zero() {
            Some(Refusal::TooEarly { wait_s: u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX) })
        } else if bits > capacity {
            Some(Refusal::TooLong)
        } else {
            None
        };
        match refusal {
            Some(Refusal::TooEarly { .. }) => self.tally.sent_too_early += 1,
            Some(Refusal::TooLong) => self.tally.too_long += 1,
            Some(_) => self.tally.refused += 1,
            None => {
                self.serial += 1;
                let longer = Duration::from_millis(self.seed.below(COUNTDOWN_LONGER_MS));
                self.free_at = now + RADIATE_AFTER + self.card.period + longer;
                let number = |n| TerminalId::from_number(Bearer::Beidou, n);
                let to = Addressee::Terminal(number(to));
                let message = AirMessage { from: number(self.card.number), to, serial: self.serial, said };
                self.plans.put(now + RADIATE_AFTER, Plan::Radiate(message));
            }
        }
        if let Some(after) = self.feedback_after {
            self.plans.put(now + after, Plan::Say(ToHost::Feedback { refusal }));
        }
    }

    fn reboot(&mut self, now: Duration) {
        self.report_every = None;
        self.input.clear();
        self.plans = Queue::default();
        self.ready_at = now + BOOT;
        self.plans.put(self.ready_at, Plan::Booted);
    }

    fn carry_out(&mut self, now: Duration, plan: Plan) {
        match plan {
            Plan::Say(word) => self.say(&word),
            Plan::Radiate(message) => {
                self.tally.sent += 1;
                self.outputs.push_back(TerminalOutput::ToAir(message));
            }
            Plan::Report => {
                self.say(&ToHost::Beams { strength: self.beams, battery_low: self.battery_low });
                if let Some(every) = self.report_every {
                    self.plans.put(now + every, Plan::Report);
                }
            }
            Plan::Booted => self.say(&ToHost::Card),
        }
    }

    fn plan_wake(&mut self) {
        self.outputs.extend(self.plans.next_at().map(TerminalOutput::WakeAt));
    }
}

impl Terminal for BeidouTerminal {
    fn heard_host(&mut self, now: Duration, _: Option<SocketAddr>, bytes: &[u8]) {
        if now < self.ready_at {
            return;
        }
        self.input.extend_from_slice(bytes);
        while let Some(order) = self.dialect.cut(&mut self.input) {
            self.obey(now, order);
        }
        self.plan_wake();
    }

    fn heard_air(&mut self, now: Duration, message: &AirMessage) {
        if now < self.ready_at || !self.card_present || self.beams == 0 || !self.hears(&message.to) {
            return;
        }
        self.tally.received += 1;
        self.say(&ToHost::Message(message.clone()));
    }

    fn act(&mut self, now: Duration, act: &Act) {
        match act {
            Act::Reboot => self.reboot(now),
            Act::Card { present } => {
                self.card_present = *present;
                self.say(&ToHost::Card);
            }
            Act::Beams { strength } => self.beams = (*strength).min(4),
            Act::Suppress { on } => {
                self.suppressed = *on;
                self.say(&ToHost::Suppression { on: *on });
            }
            Act::Silence { on } => self.silent = *on,
            Act::Battery { low } => self.battery_low = *low,
            Act::Feedback { after } => self.feedback_after = *after,
            Act::Noise { bytes } => {
                self.outputs.push_back(TerminalOutput::ToHost { from: None, bytes: bytes.clone() });
            }
            Act::Type { .. } | Act::Alarm { .. } => {}
        }
        self.plan_wake();
    }

    fn wake(&mut self, now: Duration) {
        while self.plans.next_at().is_some_and(|at| at <= now) {
            if let Some((_, plan)) = self.plans.take() {
                self.carry_out(now, plan);
            }
        }
        self.plan_wake();
    }

    fn poll(&mut self) -> Option<TerminalOutput> {
        self.outputs.pop_front()
    }

    fn hears(&self, to: &Addressee) -> bool {
        match to {
            Addressee::Terminal(number) | Addressee::Group(number) => number.as_u32() == Some(self.card.number),
            Addressee::Everyone(bearer) => *bearer == Bearer::Beidou,
        }
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

/// Bytes to pieces, so that tests and links can hand them over as a UART would.
#[must_use]
pub fn in_pieces(mut bytes: Bytes, seed: &mut Seed) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let length = usize::try_from(seed.between(1, 40)).unwrap_or(1).min(bytes.len());
        pieces.push(bytes.split_to(length));
    }
    pieces
}

#[cfg(test)]
mod tests;
