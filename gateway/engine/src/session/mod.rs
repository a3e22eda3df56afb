//! One link's conversation: framer, codec, dialogue, and the link's health.
//!
//! A session turns bytes into signals and orders into bytes. It does not know messages, cards' slots or the journal.

use crate::config::Reach;
use crate::coverage::Coverage;
use crate::time::Instant;
use bytes::Bytes;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use yizhan_codecs::codec::{Cargo, Codec, Dialogue, EncodeError, Given, Limits, Outgoing, Step};
use yizhan_codecs::frame::{Found, Framer};
use yizhan_codecs::message::{LinkId, Order, Peer, Signal, TerminalId};

/// What came out of a session.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Signal {
        signal: Signal,
        from: Option<Peer>,
    },
    /// Bytes that are no frame, or a frame that the codec cannot read.
    Unreadable {
        bytes: Bytes,
        why: String,
    },
    /// The dialogue wants this written; it spends no airtime.
    Send(Outgoing),
    /// Bytes of the message that the dialogue was given; after the `last` the terminal has it.
    Carry {
        frame: Outgoing,
        last: bool,
    },
}

/// Counters of a link's health; they start again with the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Health {
    pub frames_total: u64,
    pub noise_bytes_total: u64,
    pub unreadable_frames_total: u64,
    pub heard_bytes_total: u64,
}

/// One link's conversation.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub link: LinkId,
    codec: Arc<dyn Codec>,
    /// The numbers that this link is for.
    reach: Arc<Reach>,
    framer: Box<dyn Framer>,
    dialogue: Option<Box<dyn Dialogue>>,
    limits: Limits,
    up: bool,
    ready: bool,
    /// Strength reports say that sending makes sense; true where the device reports none.
    usable: bool,
    patience_over: Option<Instant>,
    dialogue_wake: Option<Instant>,
    last_heard: Option<Instant>,
    health: Health,
    /// The numbers of the cards in our own terminal.
    own: BTreeSet<TerminalId>,
    items: VecDeque<Item>,
}

impl Session {
    pub fn new(link: LinkId, codec: Box<dyn Codec>, reach: Reach) -> Self {
        let codec: Arc<dyn Codec> = codec.into();
        Self {
            link,
            framer: codec.framer(),
            dialogue: codec.dialogue(),
            limits: codec.limits(),
            ready: codec.dialogue().is_none(),
            codec,
            reach: Arc::new(reach),
            up: false,
            usable: true,
            patience_over: None,
            dialogue_wake: None,
            last_heard: None,
            health: Health::default(),
            own: BTreeSet::new(),
            items: VecDeque::new(),
        }
    }

    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub const fn health(&self) -> Health {
        self.health
    }

    pub const fn is_up(&self) -> bool {
        self.up
    }

    /// Whether a message may be given to the terminal now.
    pub const fn can_send(&self) -> bool {
        self.up && self.ready && self.usable
    }

    pub const fn is_usable(&self) -> bool {
        self.usable
    }

    pub const fn last_heard(&self) -> Option<Instant> {
        self.last_heard
    }

    pub fn is_own(&self, terminal: &TerminalId) -> bool {
        self.own.contains(terminal)
    }

    /// Whether the terminal has more than one card, so that an order must name one.
    pub fn has_many_cards(&self) -> bool {
        self.own.len() > 1
    }

    /// The next thing that came out.
    pub fn poll(&mut self) -> Option<Item> {
        self.items.pop_front()
    }

    /// When to call [`Session::wake`].
    pub fn wake_at(&self) -> Option<Instant> {
        self.patience_over.into_iter().chain(self.dialogue_wake).min()
    }

    pub fn link_up(&mut self, now: Instant) {
        self.up = true;
        // What the terminal said of its signal is of before; it will say again.
        self.usable = true;
        self.framer = self.codec.framer();
        self.patience_over = None;
        if let Some(dialogue) = &mut self.dialogue {
            self.ready = false;
            dialogue.link_up(std::time::Duration::from_micros(now.0));
        }
        self.drain_dialogue();
    }

    pub fn link_down(&mut self) {
        self.up = false;
        self.ready = self.dialogue.is_none();
        self.dialogue_wake = None;
        self.framer.give_up();
        self.drain_framer(Instant::default(), None);
        self.patience_over = None;
    }

    pub fn heard(&mut self, now: Instant, from: Option<Peer>, bytes: &[u8]) {
        self.last_heard = Some(now);
        self.health.heard_bytes_total += bytes.len() as u64;
        if from.is_some() {
            // A datagram stands alone: what an earlier one left behind does not run into it.
            self.framer.give_up();
            self.drain_framer(now, from);
        }
        self.framer.push(bytes);
        self.drain_framer(now, from);
        if from.is_some() {
            self.framer.give_up();
            self.drain_framer(now, from);
        }
        self.patience_over = self.framer.patience().map(|patience| now.after(patience));
        self.drain_dialogue();
    }

    pub fn wake(&mut self, now: Instant) {
        if self.patience_over.is_some_and(|at| at <= now) {
            self.framer.give_up();
            self.drain_framer(now, None);
            self.patience_over = self.framer.patience().map(|patience| now.after(patience));
        }
        if self.dialogue_wake.is_some_and(|at| at <= now) {
            self.dialogue_wake = None;
            if let Some(dialogue) = &mut self.dialogue {
                dialogue.wake(std::time::Duration::from_micros(now.0));
            }
        }
        self.drain_dialogue();
    }

    /// What the terminal says of its signal and its card changes what the session may do.
    pub fn note(&mut self, signal: &Signal) {
        match signal {
            Signal::Strength { usable, .. } => self.usable = *usable,
            Signal::Card(card) => match card.state {
                yizhan_codecs::message::CardState::Present => {
                    self.own.insert(card.own.clone());
                }
                yizhan_codecs::message::CardState::Missing => self.own.clear(),
            },
            _ => {}
        }
    }

    /// Only the cards with these numbers are still in the terminal.
    pub fn keep_own(&mut self, numbers: &[String]) {
        self.own.retain(|own| numbers.iter().any(|number| number == own.number()));
    }

    pub fn encode(&self, order: &Order) -> Result<Vec<Outgoing>, EncodeError> {
        self.codec.encode(order)
    }

    pub fn measure(&self, text: &str) -> Result<u32, EncodeError> {
        self.codec.measure(text)
    }

    /// Bytes of packed content in one message of so many air bits.
    pub fn payload_max(&self, capacity_bits: u32) -> Option<usize> {
        self.codec.payload_max(capacity_bits)
    }

    pub fn acknowledge(&self, signal: &Signal) -> Option<Bytes> {
        self.codec.acknowledge(signal)
    }

    /// What can be reached over this link.
    pub fn coverage(&self) -> Coverage {
        Coverage::new(self.codec.clone(), self.reach.clone())
    }

    /// Whether the device wants to know that what it said is stored.
    pub const fn is_told_of_storing(&self) -> bool {
        self.dialogue.is_some()
    }

    /// What the device said is synced: its answer, where it has one, goes out, and it may forget.
    pub fn stored(&mut self, now: Instant, signal: &Signal, answer: Option<Outgoing>) {
        let at = std::time::Duration::from_micros(now.0);
        match &mut self.dialogue {
            None => self.items.extend(answer.map(Item::Send)),
            Some(dialogue) => {
                if let Some(answer) = answer
                    && let Given::Write(frames) = dialogue.give(at, Cargo::Answer, vec![answer])
                {
                    self.items.extend(frames.into_iter().map(Item::Send));
                }
                dialogue.stored(at, signal);
            }
        }
        self.drain_dialogue();
    }

    /// Gives the frames of a message to the device: what to write at once, or nothing where the dialogue holds them.
    pub fn give(&mut self, now: Instant, native: u32, frames: Vec<Outgoing>) {
        let at = std::time::Duration::from_micros(now.0);
        let given = match &mut self.dialogue {
            None => Given::Write(frames),
            Some(dialogue) => dialogue.give(at, Cargo::Message { native }, frames),
        };
        if let Given::Write(frames) = given {
            let last = frames.len().saturating_sub(1);
            let carried = frames.into_iter().enumerate();
            self.items.extend(carried.map(|(n, frame)| Item::Carry { frame, last: n == last }));
        }
        self.drain_dialogue();
    }

    fn drain_framer(&mut self, now: Instant, from: Option<Peer>) {
        while let Some(found) = self.framer.next_found() {
            match found {
                Found::Noise { bytes, why } => {
                    self.health.noise_bytes_total += bytes.len() as u64;
                    self.items.push_back(Item::Unreadable { bytes, why: why.label().into() });
                }
                Found::Frame(frame) => self.read_frame(now, from, frame),
            }
        }
    }

    fn read_frame(&mut self, now: Instant, from: Option<Peer>, frame: Bytes) {
        self.health.frames_total += 1;
        let mut signals = match self.codec.decode(&frame, from) {
            Ok(signals) => signals,
            Err(error) => {
                self.health.unreadable_frames_total += 1;
                self.items.push_back(Item::Unreadable { bytes: frame.clone(), why: error.label() });
                Vec::new()
            }
        };
        if let Some(dialogue) = &mut self.dialogue {
            dialogue.heard(std::time::Duration::from_micros(now.0), from, &frame, &mut signals);
        }
        self.items.extend(signals.into_iter().map(|signal| Item::Signal { signal, from }));
        self.drain_dialogue();
    }

    fn drain_dialogue(&mut self) {
        let Some(dialogue) = &mut self.dialogue else { return };
        while let Some(step) = dialogue.poll() {
            match step {
                Step::Send(outgoing) => self.items.push_back(Item::Send(outgoing)),
                Step::Carry { frame, last } => self.items.push_back(Item::Carry { frame, last }),
                Step::Say(signal) => self.items.push_back(Item::Signal { signal, from: None }),
                Step::WakeAt(at) => {
                    self.dialogue_wake = Some(Instant(u64::try_from(at.as_micros()).unwrap_or(u64::MAX)));
                }
                Step::Ready(ready) => self.ready = ready,
            }
        }
    }
}
