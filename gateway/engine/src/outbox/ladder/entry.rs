//! What waits on the ladder: entries, and what has become of them.

use crate::stream::{Stream, weight};
use crate::time::Instant;
use std::time::Duration;
use yizhan_codecs::message::Precedence;

/// One message on the ladder; numbers rise in the order of submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u64);

/// Who a message is from, by the number that the caller gives him: senders take turns.
pub type Sender = u32;

/// A card (or the channel of a link without cards), by the number that the caller gives it.
pub type CardNo = u16;

/// A station, by its number on the air; 0 = all.
pub type Station = u16;

/// To all stations: every one of them hears the frame.
pub const ALL: Station = 0;

/// What is handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    pub by: Sender,
    pub to: Station,
    pub precedence: Precedence,
    pub matter: Matter,
    /// Source rows (1..=32): the frames that the message takes when none is lost.
    pub rows: u8,
    /// Bits that each of its frames leaves free, for receipts that want to ride.
    pub spare_bits: u16,
    /// Frames of 1000 that the way to `to` loses.
    pub loss: u32,
    /// How long it may wait; `None` = what its precedence grants.
    pub life: Option<Duration>,
}

/// What it is, as far as the order of sending cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matter {
    /// Stands for itself.
    Text,
    /// A form that a newer one of the same kind and unit replaces, such as a situation report.
    Form(u8),
    /// The sender's position: packed with others, replaced by the next one, never repeated.
    Position,
}

impl Matter {
    /// What a newer one of the same sender replaces.
    pub(super) const fn key(self) -> Option<u16> {
        match self {
            Self::Text => None,
            Self::Form(kind) => Some(kind as u16),
            Self::Position => Some(u16::MAX),
        }
    }
}

/// One message that still has something to send or to learn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub by: Sender,
    pub to: Station,
    /// As it competes now: a FLASH that outlived its life goes on at IMMEDIATE.
    pub precedence: Precedence,
    pub matter: Matter,
    pub spare_bits: u16,
    pub since: Instant,
    pub stream: Stream,
    pub(super) expires: Instant,
    /// Waits for the command post's yes.
    pub(super) held: bool,
    pub(super) alarmed: bool,
    pub(super) not_before: Instant,
    pub(super) sent_at: Instant,
    /// Cards that carried it since `not_before` was last set: a FLASH takes two at once.
    pub(super) round: Vec<CardNo>,
}

impl Entry {
    /// Slots that it will take, in thousandths, by what is known now.
    pub(super) fn weight(&self) -> u64 {
        if self.stream.is_complete() {
            return 0;
        }
        weight(self.stream.wanted().into(), self.stream.out().into(), self.stream.loss())
    }

    /// What is left of its life.
    #[must_use]
    pub const fn life(&self, now: Instant) -> Duration {
        self.expires.since(now)
    }

    /// How long its stream waits before it may go on.
    #[must_use]
    pub const fn waits(&self, now: Instant) -> Duration {
        self.not_before.since(now)
    }

    /// It waits for the command post's yes.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.held
    }
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this sender holds {held} of {queued} queued slots and may hold {allowed}; the message wants {wanted}")]
    Share { held: u32, queued: u32, allowed: u32, wanted: u32 },
}

/// A message was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    pub id: EntryId,
    /// The older one that it replaced.
    pub replaced: Option<EntryId>,
    /// It waits until the command post confirms it: too many FLASH from one unit.
    pub held: bool,
}

/// What the passing of time did to a message. Every one leaves a record and is told to its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lapse {
    /// A FLASH outlived its life: alarm, and it goes on at IMMEDIATE.
    Alarm(EntryId),
    /// Its life is over and it was never sent.
    Expired(EntryId),
    /// Its life is over; it was sent and nothing came back.
    Unknown(EntryId),
}

/// A receipt that is owed to a station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owed {
    /// Of the message that it answers.
    pub precedence: Precedence,
    pub since: Instant,
}

/// One send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub card: CardNo,
    pub load: Load,
    /// Receipts that go along, by station and message.
    pub rides: Vec<(Station, u64)>,
    /// It goes before others whose turn it would be: an aged message, or positions.
    pub(super) lifted: bool,
}

/// What a frame carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Load {
    /// One row of a message.
    Row { id: EntryId, row: u8 },
    /// Positions of several units.
    Positions(Vec<EntryId>),
    /// Nothing but the receipts in `rides`.
    Receipts(Station),
}
