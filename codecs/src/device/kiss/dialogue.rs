//! What a shared channel makes necessary: a frame that three digipeaters repeat is heard four times, and an ack names
//! only five digits of our number.

use super::codec::short;
use super::wire::kiss::DATA;
use super::wire::{Ax25, Kiss};
use crate::codec::{Cargo, Dialogue, Given, Outgoing, Step};
use crate::message::{Addressee, CardInfo, CardState, Heard, Peer, Signal, TerminalId};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// Copies by digipeaters come within this time.
const COPIES_WITHIN: Duration = Duration::from_secs(30);
/// A numbered message to us that comes again after this time is another try: our ack was lost.
const TRY_AGAIN: Duration = Duration::from_secs(6);
/// Frames that are remembered, at most; the oldest is forgotten first.
const HEARD_MAX: usize = 256;
/// Numbers of ours that an ack may still name.
const SENT_MAX: usize = 512;

#[derive(Clone, Debug)]
pub(super) struct KissDialogue {
    own: Option<TerminalId>,
    pace: Duration,
    capacity_bits: u32,
    heard: VecDeque<Copy>,
    sent: VecDeque<u32>,
    steps: VecDeque<Step>,
}

/// A frame without its path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Copy {
    at: Duration,
    from: String,
    info: Bytes,
}

impl KissDialogue {
    pub(super) fn new(own: Option<TerminalId>, pace: Duration, capacity_bits: u32) -> Self {
        Self { own, pace, capacity_bits, heard: VecDeque::new(), sent: VecDeque::new(), steps: VecDeque::new() }
    }

    /// Whether the same was heard within `window`. The first of several copies stays the one that counts.
    fn is_copy(&mut self, now: Duration, from: String, info: Bytes, window: Duration) -> bool {
        self.heard.retain(|copy| now.saturating_sub(copy.at) < COPIES_WITHIN);
        let same = |copy: &&mut Copy| copy.from == from && copy.info == info;
        match self.heard.iter_mut().find(same) {
            Some(copy) if now.saturating_sub(copy.at) < window => return true,
            Some(copy) => copy.at = now,
            None => {
                if self.heard.len() >= HEARD_MAX {
                    self.heard.pop_front();
                }
                self.heard.push_back(Copy { at: now, from, info });
            }
        }
        false
    }

    /// The whole number of ours that an ack names, the latest where several end alike.
    fn whole(&self, named: u32) -> Option<u32> {
        self.sent.iter().rev().copied().find(|native| short(*native) == named)
    }

    fn wants_ack(signals: &[Signal]) -> bool {
        let numbered = |signal: &Signal| {
            matches!(signal, Signal::Heard(Heard { native: Some(_), overheard: false, to: Addressee::Terminal(_), .. }))
        };
        signals.iter().any(numbered)
    }
}

impl Dialogue for KissDialogue {
    fn link_up(&mut self, _: Duration) {
        self.steps.clear();
        if let Some(own) = &self.own {
            self.steps.push_back(Step::Say(Signal::Card(CardInfo {
                state: CardState::Present,
                own: own.clone(),
                period: Some(self.pace),
                capacity_bits: Some(self.capacity_bits),
                broadcast: None,
                subordinates: 0,
            })));
        }
        self.steps.push_back(Step::Ready(true));
    }

    fn heard(&mut self, now: Duration, _: Option<Peer>, frame: &[u8], signals: &mut Vec<Signal>) {
        for signal in signals.iter_mut() {
            if let Signal::Delivery { native, .. } | Signal::Progress { native, .. } = signal {
                *native = self.whole(*native).unwrap_or(*native);
            }
        }
        let heard = Kiss::parse(frame).ok().filter(|kiss| kiss.command == DATA);
        let Some(heard) = heard.and_then(|kiss| Ax25::parse(&kiss.data).ok()) else { return };
        let from = heard.from.to_string();
        if self.own.as_ref().is_some_and(|own| own.number() == from) {
            return;
        }
        let window = if Self::wants_ack(signals) { TRY_AGAIN } else { COPIES_WITHIN };
        if self.is_copy(now, from, heard.info, window) {
            signals.clear();
        }
    }

    fn give(&mut self, _: Duration, cargo: Cargo, frames: Vec<Outgoing>) -> Given {
        if let Cargo::Message { native } = cargo {
            if self.sent.len() >= SENT_MAX {
                self.sent.pop_front();
            }
            self.sent.push_back(native);
        }
        Given::Write(frames)
    }

    fn wake(&mut self, _: Duration) {}

    fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }
}
