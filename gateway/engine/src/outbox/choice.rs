//! The choice: which delivery a free card carries next.

use super::{Card, Cards, Outbox, Pending, leg};
use crate::bus::{CardKey, Message, State};
use crate::config::Policy;
use crate::coverage::Coverage;
use crate::time::Instant;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::message::{LinkId, MessageId, Precedence, StationId, TerminalId};

/// After this time a message competes one precedence higher, at most in one slot of `AGED_SHARE`.
const AGES_AFTER: Duration = Duration::from_secs(2 * 3_600);
const AGED_SHARE: u64 = 6;

/// What the choice has to know of a link.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub coverage: Coverage,
    /// The terminal may be given a message now.
    pub can_send: bool,
    /// The bearer confirms delivery by itself.
    pub proves: bool,
}

/// One send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub card: CardKey,
    pub terminal: TerminalId,
    pub load: Load,
}

/// What a send carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// A part of a text, or a row of a message to a station.
    Part { id: MessageId, delivery: u16 },
    /// A frame that is no message's.
    Frame { traffic: Traffic, station: StationId, word: Word },
}

/// What a frame says that is no message's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Word {
    /// What became of the messages of a station.
    Receipts,
    /// Our counter, for a station that has lost count or of which we have.
    Beacon,
    /// Where units are that the far side cannot hear itself.
    Positions,
    /// Whether a person has seen a message, or what he says of it.
    Question,
}

/// A station that is to be told something that is no message.
#[derive(Clone, Debug)]
pub(crate) struct Owing {
    pub word: Word,
    pub traffic: Traffic,
    pub station: StationId,
    /// The highest of the messages answered or waited for.
    pub precedence: Precedence,
    pub since: Instant,
    /// It does not wait for more to say: rows are missing, the count is lost, the frame is full.
    pub presses: bool,
    /// Where it is reached, best first.
    pub terminals: Vec<TerminalId>,
}

/// Slots that a receipt waits for a message to ride with, where there is other traffic.
const RECEIPT_WAIT_SLOTS: u32 = 2;
/// So many slots of every card tell whether a station is busy.
const BUSY_SLOTS: u32 = 8;
/// Other slots between two frames of positions: after so many they go before whatever is not FLASH; where there is no
/// other traffic they wait so long for each other.
const POSITIONS_AFTER: u32 = 5;

/// A candidate's rank: the greatest goes first. Of one precedence a first try goes before anybody's second copy; then senders
/// take turns; then goes what has waited longest.
type Rank = (Precedence, bool, Reverse<u32>, Reverse<u64>, Reverse<Instant>, Reverse<MessageId>);

struct Look<'a> {
    now: Instant,
    state: &'a State,
    policy: &'a Policy,
    ports: &'a BTreeMap<LinkId, Port>,
    /// Messages took many slots of late: the next one is not far.
    busy: bool,
    /// The earliest later time at which a leg becomes due.
    later: Option<Instant>,
}

impl Outbox {
    /// The next send of any free card, most urgent first. Sets when the next look is worth while.
    pub fn choose(
        &mut self,
        now: Instant,
        state: &State,
        policy: &Policy,
        ports: &BTreeMap<LinkId, Port>,
        owing: &[Owing],
    ) -> Option<Choice> {
        self.choose_ways(now, state, ports);
        let busy = self.is_busy(now);
        let mut look = Look { now, state, policy, ports, busy, later: None };
        let mut next_free: Option<Instant> = None;
        let mut best: Option<(Rank, Choice)> = None;
        for (key, card) in &self.cards.0 {
            let Some(port) = ports.get(&key.link).filter(|port| port.can_send) else { continue };
            let nothing = self.pending.is_empty() && owing.is_empty();
            if self.outstanding.contains_key(&key.link) || nothing || !Cards::is_there(key, card) {
                continue;
            }
            if card.free_at > now {
                next_free = Some(next_free.map_or(card.free_at, |at| at.min(card.free_at)));
                continue;
            }
            let mut waits = false;
            for (entry, pending) in &self.pending {
                let link = &key.link;
                let Some((rank, terminal)) = self.rank(&mut look, card, (link, port), *entry, pending) else {
                    continue;
                };
                waits = true;
                if best.as_ref().is_none_or(|(held, _)| rank > *held) {
                    let load = Load::Part { id: entry.0, delivery: entry.1 };
                    best = Some((rank, Choice { card: key.clone(), terminal, load }));
                }
            }
            for owing in owing {
                let Some((rank, terminal)) = look.frame_rank(card, port, owing, waits) else { continue };
                if best.as_ref().is_none_or(|(held, _)| rank > *held) {
                    let load = Load::Frame { traffic: owing.traffic, station: owing.station, word: owing.word };
                    best = Some((rank, Choice { card: key.clone(), terminal, load }));
                }
            }
        }
        self.next_look = next_free.into_iter().chain(look.later).min();
        let ((_, lifted, ..), choice) = best?;
        if let Some(card) = self.cards.get_mut(&choice.card) {
            match choice.load {
                Load::Part { .. } if lifted => card.aged_at = card.sends,
                Load::Frame { word: Word::Positions, .. } => card.placed_at = card.sends + 1,
                _ => {}
            }
        }
        Some(choice)
    }

    /// Whether a FLASH is due on this card: then nothing else may go out there.
    pub fn flash_is_due(
        &self,
        now: Instant,
        state: &State,
        policy: &Policy,
        ports: &BTreeMap<LinkId, Port>,
        link: &LinkId,
        except: (MessageId, u16),
    ) -> bool {
        let Some(port) = ports.get(link) else { return false };
        let mut look = Look { now, state, policy, ports, busy: false, later: None };
        self.pending.iter().any(|(entry, pending)| {
            let flash = state.message(entry.0).is_some_and(|message| message.precedence == Precedence::Flash);
            flash && *entry != except && self.due_terminal(&mut look, (link, port), *entry, pending).is_some()
        })
    }

    /// Whether messages took more than a quarter of the last slots of all cards.
    fn is_busy(&self, now: Instant) -> bool {
        let slot = self.cards.longest_slot().unwrap_or_default();
        let slots = BUSY_SLOTS.saturating_mul(u32::try_from(self.cards.0.len()).unwrap_or(u32::MAX));
        self.sends.count(now, slot * BUSY_SLOTS) > usize::try_from(slots / 4).unwrap_or(usize::MAX)
    }

    fn rank(
        &self,
        look: &mut Look<'_>,
        card: &Card,
        over: (&LinkId, &Port),
        entry: (MessageId, u16),
        pending: &Pending,
    ) -> Option<(Rank, TerminalId)> {
        let message = look.state.message(entry.0)?;
        let terminal = self.due_terminal(look, over, entry, pending)?;
        let old = look.now.since(pending.since) >= AGES_AFTER;
        let lifted = old && message.precedence < Precedence::Immediate && card.sends >= card.aged_at + AGED_SHARE;
        let precedence = if lifted { next_higher(message.precedence) } else { message.precedence };
        // Senders take turns, but for their lives: FLASH is first in, first out.
        let turns = if message.precedence == Precedence::Flash { None } else { self.served.get(&message.by) };
        let served = turns.copied().unwrap_or(0);
        let delivery = message.delivery(entry.1);
        let copies = delivery.map_or(0, leg::copies_out);
        // What repairs goes to the end of its sender's own line: a station that does not answer must not keep his messages to
        // all others. What is still missing of a first try keeps its place, so that one message comes whole before the next.
        let repairs = delivery.and_then(|d| d.air.as_ref()).is_some_and(|air| !air.stream.is_certainly_wanted());
        let waits_since = pending.sent_at.filter(|_| repairs).map_or(pending.since, |(at, _)| at);
        let rank = (precedence, lifted, Reverse(copies), Reverse(served), Reverse(waits_since), Reverse(entry.0));
        Some((rank, terminal))
    }

    /// The terminal of a delivery that is due on a port now. A FLASH to a station takes a second card at once.
    fn due_terminal(
        &self,
        look: &mut Look<'_>,
        (link, port): (&LinkId, &Port),
        entry: (MessageId, u16),
        pending: &Pending,
    ) -> Option<TerminalId> {
        let message: &Message = look.state.message(entry.0)?;
        let delivery = message.delivery(entry.1)?;
        if message.held.is_some() || delivery.end.is_some() {
            return None;
        }
        let copies = leg::copies_max(look.policy, message);
        let ports = look.ports;
        let usable = |terminal: &TerminalId| {
            let way = ports.values().find(|port| port.can_send && port.coverage.has(terminal));
            way.is_some_and(|way| leg::is_open(delivery, terminal, copies, way.proves, pending.leg(terminal)))
        };
        let ways = match delivery.station {
            Some(_) => pending.ways.iter().filter(|terminal| usable(terminal)).collect(),
            None => leg::active(delivery, message.precedence == Precedence::Flash, &usable),
        };
        let flash = message.precedence == Precedence::Flash;
        let twin = flash && delivery.station.is_some() && pending.wants_twin(link);
        for terminal in ways {
            if twin && port.coverage.has(terminal) {
                return Some(terminal.clone());
            }
            if !port.coverage.has(terminal) || self.is_in_the_air(look.state, entry, terminal) {
                continue;
            }
            let not_before = pending.leg(terminal).not_before;
            if not_before <= look.now {
                return Some(terminal.clone());
            }
            look.later = Some(look.later.map_or(not_before, |at| at.min(not_before)));
        }
        None
    }

    /// Whether an attempt of this leg is still without outcome: one at a time.
    fn is_in_the_air(&self, state: &State, entry: (MessageId, u16), terminal: &TerminalId) -> bool {
        state.open_attempts().any(|open| (open.id, open.delivery) == entry && open.terminal == *terminal)
    }
}

impl Owing {
    /// The precedence at which its frame competes: one step below what it answers.
    pub const fn competes(&self) -> Precedence {
        next_lower(self.precedence)
    }
}

impl Look<'_> {
    /// The rank of a frame that is no message's, before what else is of its precedence. Receipts give messages that wait
    /// two slots to take them along; positions wait for each other, and then go before whatever is not FLASH.
    fn frame_rank(&mut self, card: &Card, port: &Port, owing: &Owing, others_wait: bool) -> Option<(Rank, TerminalId)> {
        let ways =
            |terminal: &&TerminalId| self.ports.values().any(|port| port.can_send && port.coverage.has(terminal));
        let terminal = owing.terminals.iter().find(ways).filter(|terminal| port.coverage.has(terminal))?.clone();
        let (precedence, patience) = match owing.word {
            Word::Receipts => (owing.competes(), if others_wait || self.busy { RECEIPT_WAIT_SLOTS } else { 0 }),
            Word::Beacon | Word::Question => (owing.competes(), 0),
            Word::Positions if card.sends >= card.placed_at + u64::from(POSITIONS_AFTER) => (Precedence::Immediate, 0),
            Word::Positions => (owing.competes(), POSITIONS_AFTER),
        };
        let due = match owing.word {
            // It waits until messages leave the air quiet.
            Word::Question if self.busy => owing.since.max(self.now).after(card.slot),
            _ => owing.since.after(card.slot * patience),
        };
        if !owing.presses && due > self.now {
            self.later = Some(self.later.map_or(due, |at| at.min(due)));
            return None;
        }
        let first = Reverse(MessageId { station: owing.station, counter: 0 });
        // A question takes a slot that nobody else wants.
        let (ahead, copies) = if owing.word == Word::Question { (false, u32::MAX) } else { (true, 0) };
        Some(((precedence, ahead, Reverse(copies), Reverse(0), Reverse(Instant::default()), first), terminal))
    }
}

const fn next_lower(precedence: Precedence) -> Precedence {
    match precedence {
        Precedence::Flash => Precedence::Immediate,
        Precedence::Immediate => Precedence::Priority,
        Precedence::Priority | Precedence::Routine => Precedence::Routine,
    }
}

const fn next_higher(precedence: Precedence) -> Precedence {
    match precedence {
        Precedence::Routine => Precedence::Priority,
        Precedence::Priority => Precedence::Immediate,
        other => other,
    }
}
