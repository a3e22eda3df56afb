//! In which order what waits goes out: the engine's ladder, and the plain orders it is measured against.

use super::workload::Arrival;
use crate::airtime::sample::Sample;
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::message::Precedence;
use yizhan_engine::outbox::ladder::{EntryId, Ladder, Lapse, Load, Matter, Rules, Submission};
use yizhan_engine::stream::{Said, Stream};
use yizhan_engine::time::Instant;

/// One frame on its way: the messages it carries a row or the whole of.
pub type Frame = Vec<usize>;

/// A queue before the cards.
pub trait Order {
    /// `index` of the arrival is its name here. Whether it was taken.
    fn submit(&mut self, now: Instant, index: usize, arrival: &Arrival) -> bool;
    /// The next send of a free card.
    fn send(&mut self, now: Instant) -> Option<Frame>;
    fn heard(&mut self, now: Instant, index: usize, said: Said);
    /// Messages whose life is over. A FLASH is named when it alarms, even if it is tried on.
    fn lapse(&mut self, now: Instant) -> Vec<usize>;
    /// A message that a newer one replaced since the last call.
    fn replaced(&mut self) -> Vec<usize>;
    fn next_look(&self, now: Instant) -> Option<Instant>;
    /// A receipt is owed for the `nth` message that came in. The plain orders have none to send.
    fn owe(&mut self, _: Instant, _nth: u64) {}
}

/// Where all of it goes.
const COMMAND_POST: u16 = 1;
/// Bits that a text leaves free in its frame: three receipts.
const SPARE_BITS: u16 = 66;

/// The engine's.
#[derive(Debug)]
pub struct Ours {
    pub ladder: Ladder,
    index: BTreeMap<EntryId, usize>,
    ids: BTreeMap<usize, EntryId>,
    replaced: Vec<usize>,
    loss: u32,
    owed: BTreeMap<u64, Instant>,
    /// Milliseconds that receipts for what came in waited, and frames that carried nothing else.
    pub receipts: Sample,
    pub receipt_frames: u64,
}

impl Ours {
    #[must_use]
    pub fn new(cards: u16, slot: Duration, loss: u32) -> Self {
        let mut ladder = Ladder::new(Rules::default());
        for card in 0..cards {
            ladder.card(card, slot, Instant::default().after(slot * u32::from(card) / u32::from(cards)));
        }
        let (index, ids, owed) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let receipts = Sample::default();
        Self { ladder, index, ids, replaced: Vec::new(), loss, owed, receipts, receipt_frames: 0 }
    }

    /// The ladder's name for an arrival.
    #[must_use]
    pub fn id(&self, index: usize) -> Option<EntryId> {
        self.ids.get(&index).copied()
    }
}

impl Order for Ours {
    fn submit(&mut self, now: Instant, index: usize, arrival: &Arrival) -> bool {
        let what = Submission {
            by: arrival.by,
            to: COMMAND_POST,
            precedence: arrival.precedence,
            matter: arrival.matter,
            rows: arrival.rows,
            spare_bits: SPARE_BITS,
            loss: self.loss,
            life: None,
        };
        let Ok(admitted) = self.ladder.submit(now, what) else { return false };
        if admitted.held {
            // The command post is at its desk.
            self.ladder.confirm(now, admitted.id);
        }
        self.index.insert(admitted.id, index);
        self.ids.insert(index, admitted.id);
        self.replaced.extend(admitted.replaced.and_then(|id| self.index.get(&id)));
        true
    }

    fn send(&mut self, now: Instant) -> Option<Frame> {
        let choice = self.ladder.choose(now, &|_, _| 950)?;
        self.ladder.sent(now, &choice);
        for (_, nth) in &choice.rides {
            if let Some(since) = self.owed.remove(nth) {
                self.receipts.put(u64::try_from(now.since(since).as_millis()).unwrap_or(u64::MAX));
            }
        }
        self.receipt_frames += u64::from(matches!(choice.load, Load::Receipts(_)));
        Some(match &choice.load {
            Load::Row { id, .. } => self.index.get(id).copied().into_iter().collect(),
            Load::Positions(ids) => ids.iter().filter_map(|id| self.index.get(id).copied()).collect(),
            Load::Receipts(_) => Frame::new(),
        })
    }

    fn heard(&mut self, now: Instant, index: usize, said: Said) {
        if let Some(id) = self.id(index) {
            self.ladder.heard(now, id, said);
        }
    }

    fn lapse(&mut self, now: Instant) -> Vec<usize> {
        let lapsed = self.ladder.lapse(now).into_iter();
        let ids = lapsed.map(|lapse| match lapse {
            Lapse::Alarm(id) | Lapse::Expired(id) | Lapse::Unknown(id) => id,
        });
        ids.filter_map(|id| self.index.get(&id).copied()).collect()
    }

    fn replaced(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.replaced)
    }

    fn next_look(&self, now: Instant) -> Option<Instant> {
        self.ladder.next_look(now)
    }

    fn owe(&mut self, now: Instant, nth: u64) {
        self.ladder.owe(now, COMMAND_POST, nth, Precedence::Priority);
        self.owed.insert(nth, now);
    }
}

/// What decides in a plain queue; the smallest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// First in, first out.
    Fifo,
    /// Earliest deadline first.
    Deadline,
    /// The most urgent first, then first in, first out.
    Strict,
}

/// A queue with one rule. It repeats by the same stream as ours and packs positions as ours; it neither replaces, nor
/// shares, nor keeps a FLASH beyond its life.
#[derive(Debug)]
pub struct Plain {
    rule: Rule,
    slot: Duration,
    loss: u32,
    cards: Vec<Instant>,
    waiting: BTreeMap<usize, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    key: (u64, usize),
    stream: Stream,
    expires: Instant,
    not_before: Instant,
    position: bool,
}

impl Plain {
    #[must_use]
    pub fn new(rule: Rule, cards: u16, slot: Duration, loss: u32) -> Self {
        let first = |card: u16| Instant::default().after(slot * u32::from(card) / u32::from(cards));
        Self { rule, slot, loss, cards: (0..cards).map(first).collect(), waiting: BTreeMap::new() }
    }
}

impl Order for Plain {
    fn submit(&mut self, now: Instant, index: usize, arrival: &Arrival) -> bool {
        let rules = Rules::default();
        let position = arrival.matter == Matter::Position;
        let life = if position { rules.position_life } else { rules.life.of(arrival.precedence) };
        let expires = now.after(life);
        let key = match self.rule {
            Rule::Fifo => 0,
            Rule::Deadline => expires.0,
            Rule::Strict => match arrival.precedence {
                Precedence::Flash => 0,
                Precedence::Immediate => 1,
                Precedence::Priority => 2,
                Precedence::Routine if !position => 3,
                Precedence::Routine => 4,
            },
        };
        let stream = if position { Stream::once(1) } else { Stream::new(arrival.rows, self.loss) };
        let key = (key, index);
        self.waiting.insert(index, Waiting { key, stream, expires, not_before: now, position });
        true
    }

    fn send(&mut self, now: Instant) -> Option<Frame> {
        let card = self.cards.iter_mut().find(|free_at| **free_at <= now)?;
        let due = self.waiting.iter().filter(|(_, waiting)| waiting.not_before <= now);
        let first = due.min_by_key(|(_, waiting)| waiting.key).map(|(index, waiting)| (*index, waiting.position))?;
        let frame: Frame = if first.1 {
            let mut keys: Vec<_> = self.waiting.iter().filter(|(_, w)| w.position).map(|(i, w)| (w.key, *i)).collect();
            keys.sort_unstable();
            keys.into_iter().take(Rules::default().bundle_max).map(|(_, index)| index).collect()
        } else {
            vec![first.0]
        };
        *card = now.after(self.slot);
        for index in &frame {
            let Some(waiting) = self.waiting.get_mut(index) else { continue };
            waiting.stream.sent(0);
            match waiting.stream.due() {
                None => drop(self.waiting.remove(index)),
                Some(_) if waiting.stream.is_certainly_wanted() => {}
                Some(slots) => {
                    waiting.not_before = now.after(self.slot * u32::try_from(slots).unwrap_or(u32::MAX));
                }
            }
        }
        Some(frame)
    }

    fn heard(&mut self, now: Instant, index: usize, said: Said) {
        let Some(waiting) = self.waiting.get_mut(&index) else { return };
        waiting.stream.heard(0, said);
        waiting.not_before = waiting.not_before.min(now);
        if waiting.stream.is_complete() {
            self.waiting.remove(&index);
        }
    }

    fn lapse(&mut self, now: Instant) -> Vec<usize> {
        let over: Vec<usize> = self.waiting.iter().filter(|(_, w)| w.expires <= now).map(|(index, _)| *index).collect();
        for index in &over {
            self.waiting.remove(index);
        }
        over
    }

    fn replaced(&mut self) -> Vec<usize> {
        Vec::new()
    }

    fn next_look(&self, _: Instant) -> Option<Instant> {
        let free = self.cards.iter().min()?;
        let due = self.waiting.values().map(|waiting| waiting.not_before.max(*free)).min();
        let ends = self.waiting.values().map(|waiting| waiting.expires).min();
        due.into_iter().chain(ends).min()
    }
}
