//! Looking at the ladder without touching it: what waits, when to look again, how far back a message stands.

use super::entry::{CardNo, Entry, EntryId, Sender};
use super::{Ladder, Spent, Turn, is_bundled};
use crate::time::Instant;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::message::Precedence;

/// What stands before a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Slots that go first, by what waits now, in thousandths.
    pub weight: u64,
    /// Of these, what passes between two turns of the same sender.
    pub round: u64,
    /// Of 1000 recent slots, those spent on what goes first whenever it comes: the more urgent, positions whose turn it
    /// is, and for a sender with more than a turn before him those of the others.
    pub urgent: u32,
    /// The sender has more than a turn of his own before it.
    pub deep: bool,
    /// Cards that share the work.
    pub cards: u32,
    /// Slot of the slowest of them.
    pub slot: Duration,
    /// Until the first card is free.
    pub first_free: Duration,
}

impl Ahead {
    /// Whole slots that go first.
    #[must_use]
    pub fn slots(&self) -> u32 {
        u32::try_from(self.weight.saturating_add(500) / 1_000).unwrap_or(u32::MAX)
    }
}

impl Ladder {
    /// How far back a message of `rows` rows stands that `by` hands in now (`id` = `None`) or has on the ladder.
    #[must_use]
    pub fn ahead(&self, now: Instant, by: Sender, precedence: Precedence, rows: u8, id: Option<EntryId>) -> Ahead {
        let before = |other: EntryId| id.is_none_or(|id| other < id);
        let (mut first, mut own) = (0_u64, 0_u64);
        let mut others: BTreeMap<Sender, u64> = BTreeMap::new();
        for (other, entry) in self.entries.iter().filter(|(other, entry)| Some(**other) != id && !entry.held) {
            let weight = entry.weight();
            if is_bundled(entry) {
                continue;
            }
            let earlier = if before(*other) { weight } else { 0 };
            match entry.precedence.cmp(&precedence) {
                Ordering::Greater => first += weight,
                Ordering::Less => {}
                Ordering::Equal if precedence == Precedence::Flash => first += earlier,
                Ordering::Equal if entry.by == by => own += earlier,
                Ordering::Equal => *others.entry(entry.by).or_default() += weight,
            }
        }
        // Senders take turns: nobody gets more turns than we need until we are through, and who was served after us has
        // to wait for us once.
        let turns = own + u64::from(rows) * 1_000;
        let served = self.served(Turn::Sender(by));
        let mut shared = 0;
        for (other, theirs) in &others {
            let after = self.served(Turn::Sender(*other)) > served;
            shared += (*theirs).min(if after { turns - 1_000 } else { turns });
        }
        let round = first.min(1_000) + others.values().map(|theirs| (*theirs).min(1_000)).sum::<u64>();
        let deep = own >= 2_000;
        let first_free = self.cards.values().map(|card| card.free_at.since(now)).min().unwrap_or_default();
        Ahead {
            weight: first + own + shared,
            round,
            urgent: self.urgent(precedence, by, deep),
            deep,
            cards: u32::try_from(self.cards.len()).unwrap_or(u32::MAX),
            slot: self.slot(),
            first_free,
        }
    }

    /// Of 1000 recent slots, those that went to what goes first whenever it comes.
    fn urgent(&self, than: Precedence, by: Sender, deep: bool) -> u32 {
        let first = |spent: &&Spent| match spent {
            Spent::Row { precedence, by: other } => *precedence > than || deep && *precedence == than && *other != by,
            Spent::Positions { first } => *first && than != Precedence::Flash,
            Spent::Receipts => false,
        };
        let urgent = self.recent.iter().filter(first).count();
        // As if the cards had been idle before the first send.
        u32::try_from(urgent * 1_000 / super::RECENT).unwrap_or(0)
    }

    /// When the next look is worth while: a card is free and something is due, or a life ends.
    #[must_use]
    pub fn next_look(&self, now: Instant) -> Option<Instant> {
        let free = self.cards.values().map(|card| card.free_at).min()?;
        let patience = self.slot() * self.rules.receipt_wait;
        let entries = self.entries.values().filter(|entry| !entry.held).map(|entry| {
            let second = entry.precedence == Precedence::Flash && entry.round.len() < 2;
            if second { now } else { entry.not_before }
        });
        let receipts = self.owed.values().map(|owed| owed.since.after(patience));
        let due = entries.chain(receipts).min().map(|due| due.max(free));
        let ends = self.entries.values().map(|entry| entry.expires);
        due.into_iter().chain(ends).min()
    }

    /// One message that waits.
    #[must_use]
    pub fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// Everything that waits, in the order of submission.
    pub fn entries(&self) -> impl Iterator<Item = (EntryId, &Entry)> {
        self.entries.iter().map(|(id, entry)| (*id, entry))
    }

    /// When a card may send again.
    #[must_use]
    pub fn free_at(&self, card: CardNo) -> Option<Instant> {
        self.cards.get(&card).map(|card| card.free_at)
    }

    /// Receipts that are owed.
    #[must_use]
    pub fn owed(&self) -> usize {
        self.owed.len()
    }
}
