//! Looking at the ladder without touching it: what waits, when to look again, how far back a message stands.

use super::entry::{CardNo, Entry, EntryId, Sender};
use super::{Ladder, is_bundled};
use crate::time::Instant;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::message::Precedence;

/// What stands before a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Slots that go first, by what waits now.
    pub slots: u32,
    /// Of the last 1000 slots (or as many as there were, scaled), those spent on what would always go first.
    pub urgent: u32,
    /// Cards that share the work.
    pub cards: u32,
    /// Slot of the slowest of them.
    pub slot: Duration,
    /// Until the first card is free.
    pub first_free: Duration,
}

impl Ladder {
    /// How far back a message of `rows` rows stands that `by` hands in now (`id` = `None`) or has on the ladder.
    #[must_use]
    pub fn ahead(&self, now: Instant, by: Sender, precedence: Precedence, rows: u8, id: Option<EntryId>) -> Ahead {
        let before = |other: EntryId| id.is_none_or(|id| other < id);
        let (mut first, mut own) = (0_u64, 0_u64);
        let mut others: BTreeMap<Sender, u64> = BTreeMap::new();
        let mut positions = false;
        for (other, entry) in self.entries.iter().filter(|(other, entry)| Some(**other) != id && !entry.held) {
            let weight = entry.weight();
            if is_bundled(entry) {
                positions = true;
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
        // Senders take turns: nobody gets more turns than we need until we are through.
        let turns = own + u64::from(rows) * 1_000;
        let shared: u64 = others.values().map(|theirs| (*theirs).min(turns)).sum();
        let mut slots = first + own + shared;
        if positions && precedence != Precedence::Flash {
            slots += slots / u64::from(self.rules.bundle_after.max(1));
        }
        let first_free = self.cards.values().map(|card| card.free_at.since(now)).min().unwrap_or_default();
        Ahead {
            slots: u32::try_from(slots.div_ceil(1_000)).unwrap_or(u32::MAX),
            urgent: self.urgent(precedence),
            cards: u32::try_from(self.cards.len()).unwrap_or(u32::MAX),
            slot: self.slot(),
            first_free,
        }
    }

    /// Of 1000 recent slots, those that went to what is more urgent than this.
    fn urgent(&self, than: Precedence) -> u32 {
        let urgent = self.recent.iter().filter(|precedence| **precedence > than).count();
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
