//! The ladder: what waits for the air, and which of it goes out on the card that is free now.
//!
//! It is asked whenever a card is free, and told what went out and what came back. In order: FLASH, first in first out
//! and on two cards at once; positions of several units in one frame when five other slots have passed; IMMEDIATE,
//! PRIORITY, ROUTINE, in each the sender first whose turn is longest ago.
//!
//! **Invariants**
//! - Nothing else goes out while a FLASH is due.
//! - Every entry leaves with a reason: complete, replaced, cancelled, expired, unknown; a position when it was sent.
//! - No clock and no chance: the same calls give the same choices.

mod admit;
mod entry;
mod look;

pub use entry::{
    ALL, Admitted, CardNo, Choice, Entry, EntryId, Lapse, Load, Matter, Owed, Refusal, Sender, Station, Submission,
};
pub use look::Ahead;

use crate::config::PerPrecedence;
use crate::stream::{REVIVES_AFTER, Said};
use crate::time::Instant;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use yizhan_codecs::message::Precedence;

/// Bits of one receipt in a list to one station.
pub const RECEIPT_BITS: u16 = 22;
/// Bits of one position in a bundle.
pub const POSITION_BITS: u16 = 52;
/// Last loads that are remembered to say how busy the cards are with what: two hours of two cards.
const RECENT: usize = 240;

/// Numbers of judgement.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How long a message may wait, by precedence.
    pub life: PerPrecedence<Duration>,
    pub position_life: Duration,
    /// Positions in one frame, at most.
    pub bundle_max: usize,
    /// Other slots between two bundles of positions, at least, when there is other traffic.
    pub bundle_after: u32,
    /// After this time a message competes one precedence higher, at most in one slot of `aged_share`.
    pub ages_after: Duration,
    pub aged_share: u64,
    /// Of 1000 queued slots outside FLASH, what one sender may hold; counted as if `share_from` were queued at least, so
    /// that an empty queue takes something.
    pub sender_share: u32,
    pub share_from: u32,
    /// FLASH of one unit in `flash_window` beyond which the command post must confirm.
    pub flash_max: usize,
    pub flash_window: Duration,
    /// Slots that a receipt waits for a frame to ride in.
    pub receipt_wait: u32,
    /// Receipts in a frame of their own.
    pub receipts_max: usize,
}

impl Default for Rules {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Self {
            life: PerPrecedence {
                flash: minutes(15),
                immediate: minutes(60),
                priority: minutes(240),
                routine: minutes(720),
            },
            position_life: minutes(10),
            bundle_max: 9,
            bundle_after: 5,
            ages_after: minutes(120),
            aged_share: 6,
            sender_share: 400,
            share_from: 40,
            flash_max: 6,
            flash_window: minutes(10),
            receipt_wait: 2,
            receipts_max: 24,
        }
    }
}

/// A card on the ladder.
#[derive(Clone, Debug)]
struct Card {
    /// Least time between two sends, guard included.
    slot: Duration,
    free_at: Instant,
}

/// All that waits, and the cards it waits for.
#[derive(Clone, Debug, Default)]
pub struct Ladder {
    rules: Rules,
    cards: BTreeMap<CardNo, Card>,
    entries: BTreeMap<EntryId, Entry>,
    owed: BTreeMap<(Station, u64), Owed>,
    /// When each sender was last served, in turns.
    served: BTreeMap<Turn, u64>,
    turn: u64,
    /// When a unit's position last went out.
    placed: BTreeMap<Sender, Instant>,
    /// Other slots since the last bundle of positions.
    since_bundle: u32,
    /// Sends so far, and the send at which an aged message last went before its turn.
    sends: u64,
    aged_at: u64,
    /// What the last slots were spent on.
    recent: VecDeque<Spent>,
    /// When each unit handed in FLASH, within the window.
    flashes: BTreeMap<Sender, Vec<Instant>>,
    last_id: u64,
}

/// Who takes turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Sender(Sender),
    Positions,
    Receipts(Station),
}

/// What a slot was spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spent {
    Row {
        precedence: Precedence,
        by: Sender,
    },
    /// Positions; `first` = before others that were due.
    Positions {
        first: bool,
    },
    Receipts,
}

/// A candidate's rank: the greatest goes first. Of one precedence the sender goes first whose turn is longest ago; of his
/// own, what is certainly wanted goes before a repair, then the oldest. Repair takes its sender's turn like the rest: if
/// it came after everybody's first tries, a flood of these would keep every lost row from being mended.
type Rank = (Precedence, bool, Reverse<u64>, bool, Reverse<u64>);

/// Who could be next.
#[derive(Clone, Copy, Debug)]
enum Candidate {
    Entry(EntryId),
    Positions,
    Receipts(Station),
}

impl Ladder {
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// A card is there, or its slot has changed. It is free from `free_at`.
    pub fn card(&mut self, card: CardNo, slot: Duration, free_at: Instant) {
        self.cards.insert(card, Card { slot, free_at });
    }

    /// The card is gone.
    pub fn no_card(&mut self, card: CardNo) {
        self.cards.remove(&card);
    }

    /// The next send of a card that is free, or nothing. `success` tells of 1000 frames on a card to a station how many
    /// arrive; of several free cards the best one carries it.
    #[must_use]
    pub fn choose(&self, now: Instant, success: &dyn Fn(CardNo, Station) -> u32) -> Option<Choice> {
        let free: Vec<CardNo> =
            self.cards.iter().filter(|(_, card)| card.free_at <= now).map(|(number, _)| *number).collect();
        if free.is_empty() {
            return None;
        }
        let best = |to: Station, except: &[CardNo]| {
            let open = free.iter().filter(|card| !except.contains(card));
            open.max_by_key(|card| (success(**card, to), Reverse(**card))).copied()
        };
        if let Some((id, entry)) = self.flash(now, &free) {
            let except: &[CardNo] = if entry.not_before > now { &entry.round } else { &[] };
            return Some(self.row(best(entry.to, except)?, id, entry, false));
        }
        let (candidate, lifted) = self.candidate(now)?;
        match candidate {
            Candidate::Entry(id) => {
                let entry = self.entries.get(&id)?;
                Some(self.row(best(entry.to, &[])?, id, entry, lifted))
            }
            Candidate::Positions => Some(self.bundle(best(ALL, &[])?, lifted)),
            Candidate::Receipts(to) => Some(self.receipts(best(to, &[])?, to)),
        }
    }

    /// The FLASH to send now, first in first out: on any free card when it is due, on a second one meanwhile.
    fn flash(&self, now: Instant, free: &[CardNo]) -> Option<(EntryId, &Entry)> {
        let due = |entry: &Entry| {
            let twice = entry.round.len() < 2 && free.iter().any(|card| !entry.round.contains(card));
            entry.precedence == Precedence::Flash && !entry.held && (entry.not_before <= now || twice)
        };
        self.entries.iter().find(|(_, entry)| due(entry)).map(|(id, entry)| (*id, entry))
    }

    fn candidate(&self, now: Instant) -> Option<(Candidate, bool)> {
        let mut positions = false;
        let mut best: Option<(Rank, Candidate)> = None;
        let mut offer = |rank: Rank, candidate: Candidate| {
            if best.as_ref().is_none_or(|(held, _)| rank > *held) {
                best = Some((rank, candidate));
            }
        };
        for (id, entry) in &self.entries {
            if entry.held || entry.not_before > now || entry.precedence == Precedence::Flash {
                continue;
            }
            if is_bundled(entry) {
                positions = true;
                continue;
            }
            offer(self.rank(now, *id, entry), Candidate::Entry(*id));
        }
        if positions && self.since_bundle >= self.rules.bundle_after {
            return Some((Candidate::Positions, best.is_some()));
        }
        if positions {
            let rank = (Precedence::Routine, false, Reverse(self.served(Turn::Positions)), true, Reverse(u64::MAX));
            offer(rank, Candidate::Positions);
        }
        for (to, precedence) in self.receipts_due(now) {
            let rank = (precedence, false, Reverse(self.served(Turn::Receipts(to))), true, Reverse(u64::MAX));
            offer(rank, Candidate::Receipts(to));
        }
        best.map(|((_, lifted, ..), candidate)| (candidate, lifted))
    }

    fn rank(&self, now: Instant, id: EntryId, entry: &Entry) -> Rank {
        let old = now.since(entry.since) >= self.rules.ages_after;
        let may_lift = self.sends >= self.aged_at.saturating_add(self.rules.aged_share);
        let lifted = old && may_lift && entry.precedence < Precedence::Immediate;
        let precedence = if lifted { next_higher(entry.precedence) } else { entry.precedence };
        let served = self.served(Turn::Sender(entry.by));
        (precedence, lifted, Reverse(served), entry.stream.is_certainly_wanted(), Reverse(id.0))
    }

    fn served(&self, turn: Turn) -> u64 {
        self.served.get(&turn).copied().unwrap_or(0)
    }

    /// Stations whose receipts have waited long enough for a frame to ride in, with the precedence they compete at: one
    /// step below the most urgent message they answer.
    fn receipts_due(&self, now: Instant) -> BTreeMap<Station, Precedence> {
        let patience = self.slot() * self.rules.receipt_wait;
        let mut due: BTreeMap<Station, Precedence> = BTreeMap::new();
        for ((to, _), owed) in self.owed.iter().filter(|(_, owed)| now.since(owed.since) >= patience) {
            let competes = next_lower(owed.precedence);
            let held = due.entry(*to).or_insert(competes);
            *held = competes.max(*held);
        }
        due
    }

    fn row(&self, card: CardNo, id: EntryId, entry: &Entry, lifted: bool) -> Choice {
        let rides = self.riders(entry.to, usize::from(entry.spare_bits / RECEIPT_BITS));
        Choice { card, load: Load::Row { id, row: entry.stream.row() }, rides, lifted }
    }

    /// Positions, the unit first that was not heard of for the longest time.
    fn bundle(&self, card: CardNo, lifted: bool) -> Choice {
        let mut waiting: Vec<(Option<Instant>, EntryId)> = self
            .entries
            .iter()
            .filter(|(_, entry)| is_bundled(entry))
            .map(|(id, entry)| (self.placed.get(&entry.by).copied(), *id))
            .collect();
        waiting.sort_unstable();
        waiting.truncate(self.rules.bundle_max);
        let places = self.rules.bundle_max.saturating_sub(waiting.len());
        let rides = self.riders(ALL, places * usize::from(POSITION_BITS / RECEIPT_BITS));
        Choice { card, load: Load::Positions(waiting.into_iter().map(|(_, id)| id).collect()), rides, lifted }
    }

    fn receipts(&self, card: CardNo, to: Station) -> Choice {
        Choice { card, load: Load::Receipts(to), rides: self.riders(to, self.rules.receipts_max), lifted: false }
    }

    /// Receipts that the hearers of a frame wait for, oldest first.
    fn riders(&self, to: Station, places: usize) -> Vec<(Station, u64)> {
        let mut riders: Vec<(Instant, (Station, u64))> = self
            .owed
            .iter()
            .filter(|((station, _), _)| to == ALL || *station == to)
            .map(|(key, owed)| (owed.since, *key))
            .collect();
        riders.sort_unstable();
        riders.into_iter().take(places).map(|(_, key)| key).collect()
    }

    /// What was chosen goes out now.
    pub fn sent(&mut self, now: Instant, choice: &Choice) {
        let Some(card) = self.cards.get_mut(&choice.card) else { return };
        card.free_at = now.after(card.slot);
        let slot = card.slot;
        self.sends += 1;
        self.turn += 1;
        for ride in &choice.rides {
            self.owed.remove(ride);
        }
        let spent_on = match &choice.load {
            Load::Row { id, .. } => {
                self.aged_at = if choice.lifted { self.sends } else { self.aged_at };
                self.row_sent(now, *id, choice.card, slot)
            }
            Load::Positions(ids) => {
                self.bundle_sent(now, ids);
                Spent::Positions { first: choice.lifted }
            }
            Load::Receipts(to) => {
                self.served.insert(Turn::Receipts(*to), self.turn);
                Spent::Receipts
            }
        };
        self.since_bundle =
            if matches!(spent_on, Spent::Positions { .. }) { 0 } else { self.since_bundle.saturating_add(1) };
        self.recent.push_back(spent_on);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }

    fn row_sent(&mut self, now: Instant, id: EntryId, card: CardNo, slot: Duration) -> Spent {
        let Some(entry) = self.entries.get_mut(&id) else { return Spent::Receipts };
        self.served.insert(Turn::Sender(entry.by), self.turn);
        if entry.not_before <= now {
            entry.round.clear();
        }
        entry.round.push(card);
        entry.sent_at = now;
        // The stream counts in slots from this send on.
        entry.stream.sent(0);
        let spent = Spent::Row { precedence: entry.precedence, by: entry.by };
        match entry.stream.due() {
            None => drop(self.entries.remove(&id)),
            Some(_) if entry.stream.is_certainly_wanted() => {}
            // The copy on a second card belongs to the same slot.
            Some(_) if entry.round.len() > 1 && entry.not_before > now => {}
            Some(slots) => entry.not_before = now.after(slot * u32::try_from(slots).unwrap_or(u32::MAX)),
        }
        spent
    }

    fn bundle_sent(&mut self, now: Instant, ids: &[EntryId]) {
        self.served.insert(Turn::Positions, self.turn);
        for id in ids {
            if let Some(entry) = self.entries.remove(id) {
                self.placed.insert(entry.by, now);
            }
        }
    }

    /// A receipt of a message was heard. Whether it is complete now, and gone from here.
    pub fn heard(&mut self, now: Instant, id: EntryId, said: Said) -> bool {
        let Some(entry) = self.entries.get_mut(&id) else { return false };
        let to = entry.to;
        entry.stream.heard(0, said);
        entry.not_before = entry.not_before.min(now);
        let complete = entry.stream.is_complete();
        if complete {
            self.entries.remove(&id);
        }
        self.works(now, to);
        complete
    }

    /// The way to a station has just been heard to work: what waits for it after a burst in vain goes on.
    pub fn works(&mut self, now: Instant, to: Station) {
        let patience = self.slot() * REVIVES_AFTER;
        for entry in self.entries.values_mut().filter(|entry| entry.to == to && entry.stream.is_waiting()) {
            entry.stream.revive(0);
            entry.not_before = entry.not_before.min(entry.sent_at.after(patience).max(now));
        }
    }

    /// A station is owed a receipt for `message` of its own.
    pub fn owe(&mut self, now: Instant, to: Station, message: u64, precedence: Precedence) {
        self.owed.entry((to, message)).or_insert(Owed { precedence, since: now });
    }

    /// The longest slot of all cards.
    fn slot(&self) -> Duration {
        self.cards.values().map(|card| card.slot).max().unwrap_or_default()
    }
}

/// It waits for a frame of positions rather than for one of its own.
fn is_bundled(entry: &Entry) -> bool {
    entry.matter == Matter::Position && entry.precedence == Precedence::Routine
}

const fn next_higher(precedence: Precedence) -> Precedence {
    match precedence {
        Precedence::Routine => Precedence::Priority,
        Precedence::Priority => Precedence::Immediate,
        other => other,
    }
}

const fn next_lower(precedence: Precedence) -> Precedence {
    match precedence {
        Precedence::Flash => Precedence::Immediate,
        Precedence::Immediate => Precedence::Priority,
        _ => Precedence::Routine,
    }
}

#[cfg(test)]
mod tests;
