//! The session with a radio on a cable, or on its UDP port 3005.
//!
//! Connect, accept, then data both ways, one frame of ours outstanding at a time. **The ack of the cable says that the
//! radio has the frame, no more**; what became of a text comes later, in HDAP.

use super::wire::{Hdap, Hrnp, HrnpKind, OWN_ID, Rcp};
use crate::codec::{Cargo, Dialogue, Given, Outgoing, Step};
use crate::message::{OrderKind, Outcome, Peer, Signal};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// How long the radio may take to acknowledge on the cable, and how often a frame is written.
const ACK_WITHIN: Duration = Duration::from_secs(1);
const TRIES_MAX: u32 = 3;
/// A quiet radio is asked something harmless, so that a dead cable is seen.
const QUIET: Duration = Duration::from_secs(12);
/// Connecting is tried again at this pace, for ever.
const CONNECT_EVERY: Duration = Duration::from_secs(2);
/// The same frame again within this time is the radio's own repeat: our ack was lost.
const REPEATS_WITHIN: Duration = Duration::from_secs(5);
const REMEMBERED_MAX: usize = 16;
const WAITING_MAX: usize = 64;
const PC: u8 = 0x20;
const RADIO: u8 = 0x10;

/// One HDAP frame of ours on its way over the cable.
#[derive(Clone, Debug)]
struct Parcel {
    payload: Bytes,
    /// Of a message: whether it is the last of its frames.
    message: Option<bool>,
}

#[derive(Clone, Debug)]
struct Outstanding {
    number: u16,
    frame: Bytes,
    tries: u32,
    until: Duration,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct HrnpDialogue {
    version: u8,
    own: u8,
    radio: u8,
    is_up: bool,
    number: u16,
    waiting: VecDeque<Parcel>,
    outstanding: Option<Outstanding>,
    /// When to connect again while down; when to ask again while up.
    next_at: Duration,
    heard: VecDeque<(Duration, Bytes)>,
    steps: VecDeque<Step>,
}

impl HrnpDialogue {
    pub(super) const fn new(version: u8) -> Self {
        Self {
            version,
            own: PC,
            radio: RADIO,
            is_up: false,
            number: 0,
            waiting: VecDeque::new(),
            outstanding: None,
            next_at: Duration::ZERO,
            heard: VecDeque::new(),
            steps: VecDeque::new(),
        }
    }

    fn frame(&self, kind: HrnpKind, number: u16, payload: Bytes) -> Option<Bytes> {
        let (version, source, destination) = (self.version, self.own, self.radio);
        Hrnp { version, block: 0, kind, source, destination, number, payload }.emit().ok()
    }

    fn send(&mut self, kind: HrnpKind, number: u16) {
        let frame = self.frame(kind, number, Bytes::new());
        self.steps.extend(frame.map(|bytes| Step::Send(bytes.into())));
    }

    /// Begins anew. A message that the radio has not been given is said to have failed.
    fn connect(&mut self, now: Duration) {
        if self.waiting.iter().any(|parcel| parcel.message == Some(true)) {
            let outcome = Outcome::NoSignal;
            self.steps.push_back(Step::Say(Signal::Feedback { about: Some(OrderKind::Send), outcome }));
        }
        self.waiting.clear();
        self.outstanding = None;
        self.is_up = false;
        (self.own, self.radio, self.number) = (PC, RADIO, 0);
        self.steps.push_back(Step::Ready(false));
        self.send(HrnpKind::Connect, 0);
        self.next_at = now.saturating_add(CONNECT_EVERY);
    }

    fn accepted(&mut self, now: Duration, frame: &Hrnp) {
        self.version = frame.version;
        (self.own, self.radio) = (frame.destination, frame.source);
        if self.is_up {
            return;
        }
        self.is_up = true;
        self.next_at = now.saturating_add(QUIET);
        self.steps.push_back(Step::Ready(true));
        // Without this the radio tells nothing of calls and alarms.
        self.order(Rcp::ConfigureBroadcast { config: vec![(0, 1), (1, 1)] });
        self.order(Rcp::AskOwn { what: OWN_ID });
        self.write_next(now);
    }

    fn order(&mut self, rcp: Rcp) {
        let payload = Hdap::from(rcp).emit().ok();
        self.waiting.extend(payload.map(|payload| Parcel { payload, message: None }));
    }

    /// Writes the next waiting frame, where none is outstanding.
    fn write_next(&mut self, now: Duration) {
        if !self.is_up || self.outstanding.is_some() {
            return;
        }
        let Some(parcel) = self.waiting.pop_front() else { return };
        self.number = self.number.checked_add(1).unwrap_or(1);
        let number = self.number;
        let Some(frame) = self.frame(HrnpKind::Data, number, parcel.payload) else { return };
        self.steps.push_back(match parcel.message {
            Some(last) => Step::Carry { frame: frame.clone().into(), last },
            None => Step::Send(frame.clone().into()),
        });
        self.outstanding = Some(Outstanding { number, frame, tries: 1, until: now.saturating_add(ACK_WITHIN) });
        self.next_at = now.saturating_add(QUIET);
    }

    /// Whether these bytes were heard just now.
    fn is_repeat(&mut self, now: Duration, frame: &[u8]) -> bool {
        self.heard.retain(|(at, _)| now.saturating_sub(*at) < REPEATS_WITHIN);
        if self.heard.iter().any(|(_, bytes)| bytes == frame) {
            return true;
        }
        if self.heard.len() >= REMEMBERED_MAX {
            self.heard.pop_front();
        }
        self.heard.push_back((now, Bytes::copy_from_slice(frame)));
        false
    }

    fn plan(&mut self) {
        let at = self.outstanding.as_ref().map_or(self.next_at, |outstanding| outstanding.until.min(self.next_at));
        self.steps.push_back(Step::WakeAt(at));
    }
}

impl Dialogue for HrnpDialogue {
    fn link_up(&mut self, now: Duration) {
        self.heard.clear();
        self.connect(now);
        self.plan();
    }

    fn heard(&mut self, now: Duration, _: Option<Peer>, frame: &[u8], signals: &mut Vec<Signal>) {
        let Ok((heard, _)) = Hrnp::parse(frame) else { return };
        match heard.kind {
            HrnpKind::Accept => self.accepted(now, &heard),
            HrnpKind::Data => {
                if self.is_up {
                    self.next_at = now.saturating_add(QUIET);
                } else {
                    // The radio's session is older than ours: answer it as it speaks, and go on connecting.
                    self.version = heard.version;
                }
                let (own, radio) = (self.own, self.radio);
                (self.own, self.radio) = (heard.destination, heard.source);
                self.send(HrnpKind::DataAck, heard.number);
                (self.own, self.radio) = (own, radio);
                if self.is_repeat(now, frame) {
                    signals.clear();
                }
            }
            HrnpKind::DataAck => {
                if self.outstanding.as_ref().is_some_and(|outstanding| outstanding.number == heard.number) {
                    self.outstanding = None;
                    self.next_at = now.saturating_add(QUIET);
                    self.write_next(now);
                }
            }
            HrnpKind::Close => {
                self.send(HrnpKind::CloseAck, heard.number);
                self.connect(now);
            }
            // A radio that refuses is not pressed: the next try is a while away.
            HrnpKind::Reject => {
                self.is_up = false;
                self.outstanding = None;
                self.steps.push_back(Step::Ready(false));
                self.next_at = now.saturating_add(CONNECT_EVERY);
            }
            HrnpKind::Connect | HrnpKind::CloseAck | HrnpKind::Voice => {}
        }
        self.plan();
    }

    fn give(&mut self, now: Duration, cargo: Cargo, frames: Vec<Outgoing>) -> Given {
        let count = frames.len();
        for (at, frame) in frames.into_iter().enumerate() {
            let message = matches!(cargo, Cargo::Message { .. }).then_some(at.checked_add(1) == Some(count));
            if message.is_some() || self.waiting.len() < WAITING_MAX {
                self.waiting.push_back(Parcel { payload: frame.bytes, message });
            }
        }
        self.write_next(now);
        self.plan();
        Given::Held
    }

    fn wake(&mut self, now: Duration) {
        match &mut self.outstanding {
            Some(outstanding) if outstanding.until <= now && outstanding.tries < TRIES_MAX => {
                outstanding.tries = outstanding.tries.saturating_add(1);
                outstanding.until = now.saturating_add(ACK_WITHIN);
                let again = Step::Send(outstanding.frame.clone().into());
                self.steps.push_back(again);
            }
            Some(outstanding) if outstanding.until <= now => {
                let detail = format!("{TRIES_MAX} 次未应答，重新连接");
                self.steps.push_back(Step::Say(Signal::Remark { what: "电台数据口无应答", detail }));
                self.connect(now);
            }
            _ if self.next_at > now => {}
            _ if self.is_up => {
                self.next_at = now.saturating_add(QUIET);
                self.order(Rcp::AskOwn { what: OWN_ID });
                self.write_next(now);
            }
            _ => self.connect(now),
        }
        self.plan();
    }

    fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }
}
