//! The picture that forecasts are made from: the queue, the cards, and what each delivery still takes.

use super::Far;
use crate::bus::{Delivery, Message};
use crate::engine::Engine;
use crate::engine::recover::CAPACITY_UNKNOWN_BITS;
use crate::outbox::{
    Cards, Lanes, Pending, Port, Queue, Stage, Track, Waiting, active, copies_max, copies_out, leg_is_open,
};
use crate::stream::weight;
use crate::time::{Instant, Now};
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::air::limits::Bearing;
use yizhan_codecs::message::{LinkId, MessageId, Precedence, Rung, StationId, TerminalId};

/// Air bits that the short id and the part number take of a text, about.
const SUFFIX_BITS: u32 = 100;
/// Bytes of a packed text beside its characters, and thousandths of a byte that a character takes, about: for messages
/// of which nobody was told how many rows they are.
const PACKED_BYTES: usize = 11;
const PACKED_PERMILLE: usize = 820;

/// What waits now, and where it can go.
pub(in crate::engine) struct Sight {
    pub queue: Queue,
    pub ports: BTreeMap<LinkId, Port>,
}

/// The way that a delivery's next send will likely take.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// By the terminals that it leads to, best first; those of links that are down where no other is up.
    pub terminals: Vec<TerminalId>,
    pub link: Option<LinkId>,
    pub lanes: Lanes,
    pub track: Track,
    /// Arrival can be proven on it.
    pub proves: bool,
}

impl Engine {
    /// Looks at everything that waits.
    pub(in crate::engine) fn sight(&self, now: Now) -> Sight {
        let mut sight = Sight { queue: Queue::default(), ports: self.ports() };
        for (entry, pending) in &self.outbox.pending {
            let Some(message) = self.state.message(entry.0).filter(|message| message.held.is_none()) else { continue };
            let Some(delivery) = message.delivery(entry.1) else { continue };
            let way = self.way(now, &sight.ports, message, delivery, Some(pending));
            let parts = self.parts_about(now, message, delivery, &way);
            if let Some(waiting) = self.waiting(&mut sight.queue, message, *entry, &way, parts, Some(pending)) {
                sight.queue.add(waiting);
            }
        }
        for owing in self.owing(now) {
            let lanes = self.track(now, &sight.ports, &owing.terminals).0;
            sight.queue.add_receipts(owing.competes(), lanes);
        }
        sight
    }

    /// One delivery's place in the queue; `None` when nothing of it is left to send.
    pub(super) fn waiting(
        &self,
        queue: &mut Queue,
        message: &Message,
        entry: (MessageId, u16),
        way: &Way,
        parts: u8,
        pending: Option<&Pending>,
    ) -> Option<Waiting> {
        let delivery = message.delivery(entry.1)?;
        let weight = self.weight(message, delivery, entry, parts);
        let by = queue.sender(&message.by, self.outbox.served.get(&message.by).copied().unwrap_or(0));
        let due = pending.zip(way.terminals.first()).map(|(pending, terminal)| pending.leg(terminal).not_before);
        (weight > 0).then_some(Waiting {
            entry,
            by,
            precedence: message.precedence,
            copies: copies_out(delivery),
            parts,
            to_station: delivery.station.is_some(),
            weight,
            due: due.unwrap_or_default(),
            lanes: way.lanes,
        })
    }

    /// The likeliest way of a delivery now.
    pub(super) fn way(
        &self,
        now: Now,
        ports: &BTreeMap<LinkId, Port>,
        message: &Message,
        delivery: &Delivery,
        pending: Option<&Pending>,
    ) -> Way {
        let flash = message.precedence == Precedence::Flash;
        let copies = copies_max(&self.config.policy, message);
        let leg = |terminal: &TerminalId| pending.map(|pending| pending.leg(terminal)).unwrap_or_default();
        let usable = |terminal: &TerminalId| {
            let way = ports.values().find(|port| port.can_send && port.coverage.has(terminal));
            way.is_some_and(|way| leg_is_open(delivery, terminal, copies, way.proves, leg(terminal)))
        };
        let mut terminals: Vec<TerminalId> = match delivery.station {
            Some(station) => {
                let chosen = pending.map(|pending| pending.ways.as_slice()).unwrap_or_default();
                let chosen: Vec<TerminalId> = chosen.iter().filter(|t| usable(t)).cloned().collect();
                if chosen.is_empty() { self.likely_ways(ports, station, flash, delivery, &usable) } else { chosen }
            }
            None => active(delivery, flash, &usable).into_iter().cloned().collect(),
        };
        let (lanes, track) = self.track(now, ports, &terminals);
        if terminals.is_empty() {
            let reached = |terminal: &&TerminalId| ports.values().any(|port| port.coverage.has(terminal));
            terminals.extend(delivery.terminals.iter().find(reached).cloned());
        }
        let leads = |port: &Port| terminals.first().is_some_and(|terminal| port.coverage.has(terminal));
        let mut links: Vec<(&LinkId, &Port)> = ports.iter().filter(|(_, port)| leads(port)).collect();
        links.sort_by_key(|(_, port)| !port.can_send);
        let link = links.first();
        let reported = link.is_some_and(|(_, port)| port.proves) && !delivery.group;
        let proves = delivery.station.is_some() || reported;
        Way { link: link.map(|(link, _)| (*link).clone()), terminals, lanes, track, proves }
    }

    fn likely_ways(
        &self,
        ports: &BTreeMap<LinkId, Port>,
        station: StationId,
        flash: bool,
        delivery: &Delivery,
        usable: &dyn Fn(&TerminalId) -> bool,
    ) -> Vec<TerminalId> {
        let mut there = self.outbox.cards.ways_to(ports, &delivery.terminals);
        there.retain(|(terminal, _)| usable(terminal));
        self.outbox.paths.likely(station, flash, &there)
    }

    /// The cards that reach these terminals now.
    fn track(&self, now: Now, ports: &BTreeMap<LinkId, Port>, terminals: &[TerminalId]) -> (Lanes, Track) {
        let mut lanes = Lanes::default();
        let (mut cards, mut slot, mut first_free) = (0, Duration::ZERO, None::<Instant>);
        for (place, (key, card)) in self.outbox.cards.0.iter().enumerate() {
            let port = ports.get(&key.link).filter(|port| port.can_send && Cards::is_there(key, card));
            let leads = port.is_some_and(|port| terminals.iter().any(|terminal| port.coverage.has(terminal)));
            if !leads || card.hold.is_some() {
                continue;
            }
            // A send that the terminal has not got yet takes the slot as soon as it has.
            let going = self.outbox.outstanding.get(&key.link).is_some_and(|o| !matches!(o.stage, Stage::Taken { .. }));
            let free = if going { card.free_at.max(now.mono.after(card.slot)) } else { card.free_at };
            lanes = lanes.with(place);
            cards += 1;
            slot = slot.max(card.slot);
            first_free = Some(first_free.map_or(free, |first| first.min(free)));
        }
        (lanes, Track { cards, slot, first_free: first_free.unwrap_or(now.mono) })
    }

    /// Slots that a delivery of so many frames will still take in the round that runs, in thousandths.
    fn weight(&self, message: &Message, delivery: &Delivery, entry: (MessageId, u16), parts: u8) -> u64 {
        let in_the_air = self.in_the_air(entry);
        if delivery.station.is_none() {
            return u64::from(parts).saturating_sub(in_the_air) * 1_000;
        }
        let loss = match &delivery.air {
            Some(air) => air.stream.loss(),
            None => delivery.station.map_or(0, |station| self.loss_to(station)),
        };
        let out = delivery.air.as_ref().map_or(0, |air| u64::from(air.stream.out())) + in_the_air;
        if message.is_closed() || delivery.air.as_ref().is_some_and(|air| air.stream.due().is_none()) {
            return 0;
        }
        weight(parts.into(), out, loss)
    }

    /// Frames of a delivery whose outcome is not known.
    pub(super) fn in_the_air(&self, entry: (MessageId, u16)) -> u64 {
        self.state.open_attempts().filter(|open| (open.id, open.delivery) == entry && !open.is_frame()).count() as u64
    }

    /// Frames that a delivery still takes in the round that runs, when none is lost, as far as that is known without
    /// packing it: the queue is looked at often.
    fn parts_about(&self, now: Now, message: &Message, delivery: &Delivery, way: &Way) -> u8 {
        if let Some(parts) = known_parts(delivery, way) {
            return parts;
        }
        let text = message.shown();
        let Some(session) = way.link.as_ref().and_then(|link| self.sessions.get(link)) else { return 1 };
        let frames = if delivery.station.is_some() {
            let bearing = self.shared_bearing(now, &delivery.terminals);
            let row = bearing.map_or(1, |bearing: Bearing| bearing.mtu.saturating_sub(PACKED_BYTES).max(1));
            (PACKED_BYTES + text.chars().count() * PACKED_PERMILLE / 1_000).div_ceil(row)
        } else {
            let room = self.capacity(way).saturating_sub(SUFFIX_BITS).max(1);
            usize::try_from(session.measure(text).unwrap_or(1).div_ceil(room)).unwrap_or(1)
        };
        u8::try_from(frames.max(1)).unwrap_or(u8::MAX)
    }

    /// Air bits of a card on this way.
    pub(super) fn capacity(&self, way: &Way) -> u32 {
        let Some(link) = &way.link else { return CAPACITY_UNKNOWN_BITS };
        let of_cards = self.outbox.cards.on(link).map(|(_, card)| card.capacity_bits).min();
        let of_device = || self.sessions.get(link).and_then(|session| session.limits().capacity_bits);
        of_cards.or_else(of_device).unwrap_or(CAPACITY_UNKNOWN_BITS)
    }

    /// Whether the far side of a delivery has left sends unanswered that it answers when it hears them.
    pub(super) fn is_silent(&self, now: Now, delivery: &Delivery, way: &Way) -> bool {
        let (far, answers_within) = match (delivery.station, way.terminals.first()) {
            (Some(station), _) => (Far::Station(station), way.track.slot),
            // Noted when its time to answer was over.
            (None, Some(terminal)) => (Far::Terminal(terminal.clone()), Duration::ZERO),
            (None, None) => return false,
        };
        self.evidence.is_silent(now.mono, &far, answers_within)
    }
}

/// Frames of a delivery that was cut or packed, or of which it was told how many they are.
pub(super) fn known_parts(delivery: &Delivery, way: &Way) -> Option<u8> {
    if let Some(air) = &delivery.air {
        return Some(air.stream.wanted());
    }
    if delivery.station.is_some() {
        return delivery.told.map(|told| told.parts);
    }
    let parts = way.terminals.first().and_then(|terminal| delivery.plans.get(terminal))?;
    let open: Vec<u8> = parts.iter().filter(|part| part.rung < Rung::Delivered).map(|part| part.spent).collect();
    let round = open.iter().min().copied().unwrap_or(0);
    u8::try_from(open.iter().filter(|spent| **spent == round).count()).ok()
}
