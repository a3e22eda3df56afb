//! What is to be sent, on which card, and when: cards' slots, legs and the choice of the next send.
//!
//! The outbox holds only what a restart may forget; what must survive is in the bus's state, which it reads.

pub mod bearer;
mod card;
mod choice;
pub mod ladder;
mod leg;
pub mod outlook;
mod paths;
mod queue;

pub(crate) use card::{Card, Cards};
pub(crate) use choice::{Choice, Load, Owing, Port, Word};
pub(crate) use leg::{
    PROVING_GAP, Pending, active, copies_max, copies_out, gap as leg_gap, is_open as leg_is_open, next_part,
    round_is_complete, write_gap,
};
pub(crate) use queue::{Lanes, Queue, Track, Waiting};

use paths::Paths;
use queue::Sends;

use crate::event::AttemptId;
use crate::io::TransmitId;
use crate::time::Instant;
use std::collections::BTreeMap;
use yizhan_codecs::message::{LinkId, MessageId};

/// The outbox's own memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    pub cards: Cards,
    /// Deliveries that still have something to send.
    pub pending: BTreeMap<(MessageId, u16), Pending>,
    /// The one send per link whose terminal has not said what became of it.
    pub outstanding: BTreeMap<LinkId, Outstanding>,
    /// Attempts whose far side may still report, and until when.
    pub awaited: BTreeMap<AttemptId, Instant>,
    /// When each sender was last served, in turns.
    pub served: BTreeMap<String, u64>,
    pub turn: u64,
    /// What went out of late, for forecasts.
    pub sends: Sends,
    /// The ways to each station.
    pub paths: Paths,
    /// Something changed that may let a card send.
    pub dirty: bool,
    /// When the next look is worth while.
    pub next_look: Option<Instant>,
}

/// A send on its way through our own terminal.
#[derive(Clone, Debug)]
pub(crate) struct Outstanding {
    pub attempt: AttemptId,
    pub stage: Stage,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its record is not synced yet; the bytes are not released.
    Recorded,
    /// Its link's dialogue has the bytes and writes them when the device is ready; `begun` when some are written.
    Carried { until: Instant, begun: bool },
    /// The bytes are with the link.
    Released { last: TransmitId },
    /// The terminal has them; its word is awaited until then.
    Taken { until: Instant },
}

impl Outbox {
    /// The earliest time at which something here wants attention.
    pub fn wake_at(&self) -> Option<Instant> {
        let feedback = self.outstanding.values().filter_map(|o| match o.stage {
            Stage::Taken { until } | Stage::Carried { until, .. } => Some(until),
            _ => None,
        });
        feedback.chain(self.awaited.values().copied()).chain(self.next_look).min()
    }

    /// Notes that a look at the queue is worth while.
    pub fn touch(&mut self) {
        self.dirty = true;
    }
}
