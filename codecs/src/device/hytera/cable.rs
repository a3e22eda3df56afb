//! HRNP: the session with a radio on a serial cable, USB, or UDP 3005. One data frame is under way at a time; each is
//! acknowledged under its number, and repeated on the cable until it is.

use super::wire::hrnp::{HEADER, Hrnp, LENGTH_MAX, Op, PC, RADIO, START};
use super::wire::{Hdap, Rcp};
use crate::codec::{Cargo, Dialogue, Given, Outgoing, Step};
use crate::frame::{Look, Noise, Rule};
use crate::message::{Peer, Signal};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// No timer of HRNP is public; these are chosen for a cable.
const ACK_WITHIN: Duration = Duration::from_secs(1);
const TRIES_MAX: u8 = 3;
const RECONNECT: Duration = Duration::from_secs(3);
/// A harmless question this often shows a cable that has died.
const ASK_EVERY: Duration = Duration::from_secs(12);
/// The same number and bytes within this time is a frame whose acknowledgement was lost.
const REPEAT_WITHIN: Duration = Duration::from_secs(4);
const QUEUE_MAX: usize = 64;
const OWN_IP: u8 = 1;

/// How HRNP frames are recognised: there is no stuffing, so a start byte may stand anywhere.
#[derive(Clone, Debug)]
pub(super) struct HrnpRule;

impl Rule for HrnpRule {
    fn look(&self, bytes: &[u8]) -> Look {
        if bytes.first() != Some(&START) {
            return Look::No(Noise::NoHeader);
        }
        if bytes.get(3).is_some_and(|code| Op::from_code(*code).is_none()) {
            return Look::No(Noise::Malformed);
        }
        let Some([high, low]) = bytes.get(8..10).and_then(|length| <[u8; 2]>::try_from(length).ok()) else {
            return Look::Wait;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if !(HEADER..=LENGTH_MAX).contains(&length) {
            return Look::No(Noise::Length { found: length, max: LENGTH_MAX });
        }
        match bytes.get(..length).map(Hrnp::parse) {
            None => Look::Wait,
            Some(Ok(_)) => Look::Frame(length),
            Some(Err(crate::codec::DecodeError::Checksum { expected, found })) => {
                let small = |sum: u32| u16::try_from(sum).unwrap_or(u16::MAX);
                Look::No(Noise::Checksum { expected: small(expected), found: small(found) })
            }
            Some(Err(_)) => Look::No(Noise::Malformed),
        }
    }

    fn frame_max(&self) -> usize {
        LENGTH_MAX
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(200)
    }
}

/// One payload for the radio.
#[derive(Clone, Debug)]
struct Load {
    bytes: Bytes,
    /// A message's: its first writing is what the outbox waits for.
    is_message: bool,
}

#[derive(Clone, Debug)]
struct UnderWay {
    frame: Bytes,
    number: u16,
    tries: u8,
    again_at: Duration,
}

/// The session.
#[derive(Clone, Debug)]
pub(super) struct Cable {
    /// Where datagrams go; nothing on a serial port.
    to: Option<Peer>,
    version: u8,
    own: u8,
    connected: bool,
    number: u16,
    queue: VecDeque<Load>,
    under_way: Option<UnderWay>,
    last: Option<(u16, Bytes, Duration)>,
    ask_at: Duration,
    connect_at: Duration,
    steps: VecDeque<Step>,
}

impl Cable {
    pub(super) fn new(to: Option<Peer>, version: u8) -> Self {
        Self {
            to,
            version,
            own: PC,
            connected: false,
            number: 0,
            queue: VecDeque::new(),
            under_way: None,
            last: None,
            ask_at: Duration::ZERO,
            connect_at: Duration::ZERO,
            steps: VecDeque::new(),
        }
    }

    fn frame(&self, op: Op, number: u16, payload: Bytes) -> Option<Bytes> {
        let (source, destination) = (self.own, RADIO);
        Hrnp { version: self.version, block: 0, op, source, destination, number, payload }.emit().ok()
    }

    fn send(&mut self, bytes: Option<Bytes>) {
        let to = self.to;
        self.steps.extend(bytes.map(|bytes| Step::Send(Outgoing { bytes, to })));
    }

    fn connect(&mut self, now: Duration) {
        if std::mem::take(&mut self.connected) {
            self.steps.push_back(Step::Ready(false));
        }
        // What was under way may have arrived; the far radio's own word decides about a text.
        self.under_way = None;
        self.own = PC;
        self.connect_at = now + RECONNECT;
        self.send(self.frame(Op::Connect, 0, Bytes::new()));
    }

    fn queue_own(&mut self, rcp: Rcp) {
        if let Ok(bytes) = Hdap::from(rcp).emit() {
            self.push(Load { bytes, is_message: false });
        }
    }

    fn push(&mut self, load: Load) {
        if self.queue.len() < QUEUE_MAX {
            self.queue.push_back(load);
        }
    }

    /// The next payload, when the one before is acknowledged.
    fn go_on(&mut self, now: Duration) {
        if self.connected
            && self.under_way.is_none()
            && let Some(load) = self.queue.pop_front()
        {
            self.number = self.number.checked_add(1).unwrap_or(1);
            if let Some(bytes) = self.frame(Op::Data, self.number, load.bytes) {
                let frame = Outgoing { bytes: bytes.clone(), to: self.to };
                let step = if load.is_message { Step::Carry { frame, last: true } } else { Step::Send(frame) };
                self.steps.push_back(step);
                let again_at = now + ACK_WITHIN;
                self.under_way = Some(UnderWay { frame: bytes, number: self.number, tries: 1, again_at });
            }
        }
        let again = self.under_way.as_ref().map(|under_way| under_way.again_at);
        let next = if self.connected { self.ask_at } else { self.connect_at };
        self.steps.push_back(Step::WakeAt(again.map_or(next, |again| again.min(next))));
    }

    fn accepted(&mut self, now: Duration, frame: &Hrnp) {
        self.version = frame.version;
        self.own = frame.destination;
        self.number = 0;
        self.connected = true;
        self.ask_at = now + ASK_EVERY;
        // Radios tell no event unless they are asked to after every connect.
        if let Ok(bytes) = Hdap::from(Rcp::tell_status()).emit() {
            self.queue.push_front(Load { bytes, is_message: false });
        }
        self.steps.push_back(Step::Ready(true));
    }

    fn data(&mut self, now: Duration, frame: Hrnp, signals: &mut Vec<Signal>) {
        self.send(self.frame(Op::DataAck, frame.number, Bytes::new()));
        let known = self.last.as_ref().is_some_and(|(number, payload, at)| {
            *number == frame.number && *payload == frame.payload && now.saturating_sub(*at) <= REPEAT_WITHIN
        });
        if known {
            signals.clear();
        }
        self.last = Some((frame.number, frame.payload, now));
    }
}

impl Dialogue for Cable {
    fn link_up(&mut self, now: Duration) {
        self.steps.clear();
        self.queue.clear();
        self.last = None;
        self.connected = false;
        self.steps.push_back(Step::Ready(false));
        self.connect(now);
        self.go_on(now);
    }

    fn give(&mut self, now: Duration, cargo: Cargo, frames: Vec<Outgoing>) -> Given {
        let is_message = matches!(cargo, Cargo::Message { .. });
        for frame in frames {
            self.push(Load { bytes: frame.bytes, is_message });
        }
        self.go_on(now);
        Given::Held
    }

    fn heard(&mut self, now: Duration, _from: Option<Peer>, frame: &[u8], signals: &mut Vec<Signal>) {
        let Ok(frame) = Hrnp::parse(frame) else { return };
        match frame.op {
            Op::Accept => self.accepted(now, &frame),
            Op::Reject => {
                let detail = "电台拒绝连接：可能被另一台主机占用".to_owned();
                signals.push(Signal::Remark { what: "电台拒绝连接", detail });
            }
            Op::Close => {
                self.send(self.frame(Op::CloseAck, frame.number, Bytes::new()));
                self.connect(now);
            }
            Op::Data => self.data(now, frame, signals),
            Op::DataAck => {
                self.ask_at = now + ASK_EVERY;
                if self.under_way.as_ref().is_some_and(|under_way| under_way.number == frame.number) {
                    self.under_way = None;
                }
            }
            Op::Connect | Op::CloseAck | Op::Voice => {}
        }
        self.go_on(now);
    }

    fn wake(&mut self, now: Duration) {
        match &mut self.under_way {
            Some(under_way) if under_way.again_at <= now && under_way.tries >= TRIES_MAX => self.connect(now),
            Some(under_way) if under_way.again_at <= now => {
                under_way.tries += 1;
                under_way.again_at = now + ACK_WITHIN;
                let frame = under_way.frame.clone();
                self.send(Some(frame));
            }
            _ => {}
        }
        if !self.connected && self.connect_at <= now {
            self.connect(now);
        }
        if self.connected && self.ask_at <= now {
            self.ask_at = now + ASK_EVERY;
            self.queue_own(Rcp::IdQuery { what: OWN_IP });
        }
        self.go_on(now);
    }

    fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }
}
