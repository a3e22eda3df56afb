//! The queue as a forecast looks at it: what waits, in what order it goes out, and on which cards.
//!
//! A still picture, made when somebody looks and thrown away after; the choice of the next send never reads it. Its
//! order is the order of that choice: precedence, first tries before second copies, the sender whose turn is longest
//! ago, what has waited longest. What it leaves out: that an old message is lifted once in six sends, and that a repair goes to
//! the end of its sender's line.

use super::ladder::Ahead;
use crate::time::Instant;
use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use yizhan_codecs::message::{MessageId, Precedence};

/// Sends of the last so long say how busy the cards are with what.
const WINDOW: Duration = Duration::from_secs(2 * 3_600);
/// Sends that are remembered, at most: two hours of eight cards at a slot a minute.
const SENDS_MAX: usize = 960;

/// Cards by their place in the list of all cards, as bits. Those beyond the 64th share the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lanes(u64);

impl Lanes {
    pub fn with(self, card: usize) -> Self {
        Self(self.0 | 1 << card.min(63))
    }

    const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A sender, by the place of his name in the queue.
pub(crate) type By = usize;

/// A delivery by its message and its number.
type Entry = (MessageId, u16);

/// What another sender has in the queue beside one delivery.
#[derive(Clone, Copy, Debug, Default)]
struct Theirs {
    weight: u64,
    oldest: Option<Entry>,
}

/// One delivery that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub entry: Entry,
    pub by: By,
    pub precedence: Precedence,
    /// Rounds that are out already.
    pub copies: u32,
    /// Frames that it still takes when none is lost.
    pub parts: u8,
    /// It goes to a station: what is repeated takes its sender's turn.
    pub to_station: bool,
    /// Slots that it will take, in thousandths.
    pub weight: u64,
    /// It waits until then.
    pub due: Instant,
    pub lanes: Lanes,
}

/// The cards of one delivery.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Track {
    pub cards: u32,
    pub slot: Duration,
    pub first_free: Instant,
}

/// Everything that waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    waiting: Vec<Waiting>,
    names: BTreeMap<String, By>,
    /// When each sender was last served, in turns.
    served: Vec<u64>,
    /// Frames of receipts that will compete, and at which precedence.
    receipts: Vec<(Precedence, Lanes)>,
}

/// Slots before one message, in thousandths.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    /// More urgent, or first tries where this is a second one.
    first: u64,
    /// Older ones of the same sender.
    own: u64,
    /// What other senders get out until this is through, and what they have in all.
    shared: u64,
    others: u64,
    /// What passes between two turns of the sender.
    round: u64,
}

impl Queue {
    /// The number of a sender, who was last served at `turn`.
    pub fn sender(&mut self, name: &str, turn: u64) -> By {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let by = self.served.len();
        self.served.push(turn);
        self.names.insert(name.to_owned(), by);
        by
    }

    pub fn add(&mut self, waiting: Waiting) {
        self.waiting.push(waiting);
    }

    /// A station is owed receipts that will compete at a precedence.
    pub fn add_receipts(&mut self, precedence: Precedence, lanes: Lanes) {
        self.receipts.push((precedence, lanes));
    }

    /// Slots outside FLASH, in thousandths: those of one sender, and all.
    pub fn held(&self, name: &str) -> (u64, u64) {
        let by = self.names.get(name);
        let others = self.waiting.iter().filter(|waiting| waiting.precedence != Precedence::Flash);
        others.fold((0, 0), |(own, all), waiting| {
            (own + if Some(&waiting.by) == by { waiting.weight } else { 0 }, all + waiting.weight)
        })
    }

    /// One that waits.
    pub fn find(&self, entry: Entry) -> Option<&Waiting> {
        self.waiting.iter().find(|waiting| waiting.entry == entry)
    }

    /// What stands before a delivery, whether it is in the queue already or only thought of.
    pub fn ahead(&self, now: Instant, this: &Waiting, track: &Track, sends: &Sends) -> Ahead {
        let first_free = track.first_free.since(now);
        let slots = |weight: u64| {
            let micros = u64::try_from(track.slot.as_micros()).unwrap_or(u64::MAX);
            Duration::from_micros(micros.saturating_mul(weight) / 1_000 / u64::from(track.cards.max(1)))
        };
        // What waits for its time goes first only where that comes before what is due has gone out.
        let due = self.before(this, now);
        let until = now.after(first_free + slots(due.weight())).max(this.due);
        let before = self.before(this, until);
        let deep = before.own >= 2_000;
        // While it waits for its own time, others go out.
        let waits = u64::try_from(this.due.since(now.after(first_free)).as_micros()).unwrap_or(u64::MAX);
        let gone = waits.saturating_mul(1_000) / u64::try_from(slots(1_000).as_micros()).unwrap_or(u64::MAX).max(1);
        Ahead {
            weight: before.weight().saturating_sub(gone),
            round: before.round,
            urgent: sends.urgent(now, this.precedence, track.cards),
            deep,
            cards: track.cards,
            slot: track.slot,
            first_free,
        }
    }

    fn before(&self, this: &Waiting, until: Instant) -> Before {
        let mut before = Before::default();
        let mut others = vec![Theirs::default(); self.served.len()];
        let mut oldest = this.entry;
        let beside = |lanes: Lanes| lanes.meets(this.lanes);
        let there = self.waiting.iter().filter(|other| other.entry != this.entry && beside(other.lanes));
        for other in there.filter(|other| other.due <= until) {
            let earlier = other.entry < this.entry;
            match (other.precedence.cmp(&this.precedence), other.copies.cmp(&this.copies)) {
                (Ordering::Greater, _) | (Ordering::Equal, Ordering::Less) => before.first += other.weight,
                (Ordering::Less, _) | (Ordering::Equal, Ordering::Greater) => {}
                (Ordering::Equal, Ordering::Equal) if this.precedence == Precedence::Flash => {
                    before.first += if earlier { other.weight } else { 0 };
                }
                (Ordering::Equal, Ordering::Equal) if other.by == this.by => {
                    before.own += if earlier { other.weight } else { 0 };
                    oldest = oldest.min(other.entry);
                }
                (Ordering::Equal, Ordering::Equal) => {
                    if let Some(theirs) = others.get_mut(other.by) {
                        theirs.weight += other.weight;
                        theirs.oldest = Some(theirs.oldest.map_or(other.entry, |oldest| oldest.min(other.entry)));
                    }
                }
            }
        }
        let receipts =
            self.receipts.iter().filter(|(precedence, lanes)| *precedence >= this.precedence && beside(*lanes));
        before.first += receipts.count() as u64 * 1_000;
        self.take_turns(this, oldest, &others, &mut before);
        before
    }

    /// Senders take turns: nobody gets more turns than this one needs until it is through, and who was served after its
    /// sender, or at the same turn and has nothing older, has to wait for it once.
    fn take_turns(&self, this: &Waiting, oldest: Entry, others: &[Theirs], before: &mut Before) {
        let served = |by: By| self.served.get(by).copied().unwrap_or(0);
        let turns = before.own + u64::from(this.parts.max(1)) * 1_000;
        before.round = before.first.min(1_000);
        for (by, theirs) in others.iter().enumerate() {
            let Some(first) = theirs.oldest else { continue };
            let after = (served(by), first) > (served(this.by), oldest);
            before.shared += theirs.weight.min(if after { turns - 1_000 } else { turns });
            before.others += theirs.weight;
            before.round += theirs.weight.min(1_000);
        }
        // The second copy of a plain text goes after everybody's first; a row of several takes its turn.
        if this.parts <= 1 && !this.to_station {
            before.round = before.round.max(before.others - before.shared);
        }
    }
}

impl Before {
    const fn weight(&self) -> u64 {
        self.first + self.own + self.shared
    }
}

/// What went out of late.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sends(VecDeque<Sent>);

#[derive(Clone, Copy, Debug)]
struct Sent {
    at: Instant,
    precedence: Precedence,
    slot: Duration,
}

impl Sends {
    /// A send that took a card for `slot`.
    pub fn note(&mut self, at: Instant, precedence: Precedence, slot: Duration) {
        if self.0.len() >= SENDS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Sent { at, precedence, slot });
    }

    /// Messages' frames of late.
    pub fn count(&self, now: Instant, within: Duration) -> usize {
        self.0.iter().rev().take_while(|sent| now.since(sent.at) < within).count()
    }

    /// Of 1000 slots of so many cards in the last two hours, those that went to what is more urgent. Which of the station's
    /// cards carried it is not looked at.
    fn urgent(&self, now: Instant, than: Precedence, cards: u32) -> u32 {
        let recent = self.0.iter().rev().take_while(|sent| now.since(sent.at) < WINDOW);
        let spent: Duration = recent.filter(|sent| sent.precedence > than).map(|sent| sent.slot).sum();
        let share = spent.as_micros() * 1_000 / u128::from(cards.max(1)) / WINDOW.as_micros();
        u32::try_from(share.min(1_000)).unwrap_or(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yizhan_codecs::message::StationId;

    const SLOT: Duration = Duration::from_secs(60);
    const TRACK: Track = Track { cards: 1, slot: SLOT, first_free: Instant(0) };

    fn waiting(counter: u32, by: By, precedence: Precedence) -> Waiting {
        let id = MessageId { station: StationId::new(1).unwrap(), counter };
        let lanes = Lanes::default().with(0);
        Waiting {
            entry: (id, 0),
            by,
            precedence,
            copies: 0,
            parts: 1,
            to_station: false,
            weight: 1_000,
            due: Instant(0),
            lanes,
        }
    }

    fn queue(entries: &[Waiting]) -> Queue {
        let mut queue = Queue::default();
        for name in ["duty", "second", "third"] {
            queue.sender(name, 0);
        }
        entries.iter().for_each(|entry| queue.add(*entry));
        queue
    }

    fn slots(queue: &Queue, this: &Waiting) -> u32 {
        queue.ahead(Instant(0), this, &TRACK, &Sends::default()).slots()
    }

    #[test]
    fn the_more_urgent_go_first_and_the_less_urgent_do_not() {
        let queue = queue(&[waiting(1, 0, Precedence::Flash), waiting(2, 0, Precedence::Routine)]);
        assert_eq!(slots(&queue, &waiting(3, 0, Precedence::Priority)), 1);
        assert_eq!(slots(&queue, &waiting(3, 0, Precedence::Routine)), 2);
    }

    #[test]
    fn all_rows_of_a_long_message_count() {
        let long = Waiting { parts: 7, weight: 7_000, ..waiting(1, 0, Precedence::Immediate) };
        assert_eq!(slots(&queue(&[long]), &waiting(2, 0, Precedence::Priority)), 7);
    }

    #[test]
    fn another_sender_gets_no_more_turns_than_are_taken_meanwhile() {
        let many: Vec<Waiting> = (1..=9).map(|counter| waiting(counter, 1, Precedence::Routine)).collect();
        let queue = queue(&many);
        assert_eq!(slots(&queue, &waiting(10, 0, Precedence::Routine)), 1);
        assert_eq!(slots(&queue, &waiting(10, 1, Precedence::Routine)), 9);
    }

    #[test]
    fn of_two_senders_who_were_served_alike_the_older_message_goes_first() {
        let (older, newer) = (waiting(1, 0, Precedence::Routine), waiting(2, 1, Precedence::Routine));
        let queue = queue(&[older, newer]);
        assert_eq!((slots(&queue, &older), slots(&queue, &newer)), (0, 1));
    }

    #[test]
    fn cards_that_do_not_lead_there_are_another_queue() {
        let elsewhere = Waiting { lanes: Lanes::default().with(5), ..waiting(1, 0, Precedence::Flash) };
        assert_eq!(slots(&queue(&[elsewhere]), &waiting(2, 0, Precedence::Routine)), 0);
    }

    #[test]
    fn a_copy_that_waits_for_its_time_goes_first_only_when_that_comes_in_time() {
        let at = |minutes: u64| Instant(minutes * 60_000_000);
        let copy = Waiting { due: at(4), copies: 1, ..waiting(1, 0, Precedence::Flash) };
        let short = queue(&[copy, waiting(2, 0, Precedence::Flash)]);
        assert_eq!(slots(&short, &waiting(9, 0, Precedence::Routine)), 1);
        let five: Vec<Waiting> = (2..=6).map(|counter| waiting(counter, 0, Precedence::Flash)).chain([copy]).collect();
        assert_eq!(slots(&queue(&five), &waiting(9, 0, Precedence::Routine)), 6);
    }

    #[test]
    fn a_second_copy_stands_behind_everybodys_first() {
        let first = waiting(9, 1, Precedence::Priority);
        let again = Waiting { copies: 1, ..waiting(1, 0, Precedence::Priority) };
        let queue = queue(&[first, again]);
        assert_eq!((slots(&queue, &first), slots(&queue, &again)), (0, 1));
    }

    #[test]
    fn an_hour_of_urgent_traffic_in_two_counts_as_half_of_the_slots() {
        let mut sends = Sends::default();
        for minute in 0..60 {
            sends.note(Instant(minute * 60_000_000), Precedence::Flash, SLOT);
        }
        let now = Instant(3_600_000_000);
        assert_eq!(sends.urgent(now, Precedence::Routine, 1), 500);
        assert_eq!(sends.urgent(now, Precedence::Flash, 1), 0);
        assert_eq!(sends.urgent(Instant(4 * 3_600_000_000), Precedence::Routine, 1), 0);
    }
}
