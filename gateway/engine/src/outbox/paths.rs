//! The ways to each station by their terminals, and which of them carry the next send.

use super::bearer::{WayNo, Ways};
use super::{Cards, Outbox, Pending, Port};
use crate::bus::State;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::message::{LinkId, Precedence, StationId, TerminalId};

/// All ways to all stations. A restart begins without evidence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paths(BTreeMap<StationId, Path>);

#[derive(Clone, Debug, Default)]
struct Path {
    ways: Ways,
    numbers: BTreeMap<TerminalId, WayNo>,
    /// Outcomes that were counted.
    outcomes: u32,
}

impl Path {
    fn number(&mut self, terminal: &TerminalId) -> WayNo {
        let next = WayNo::try_from(self.numbers.len()).unwrap_or(WayNo::MAX);
        *self.numbers.entry(terminal.clone()).or_insert(next)
    }

    fn terminals(&self, ways: &[WayNo]) -> Vec<TerminalId> {
        let terminal = |way: &WayNo| self.numbers.iter().find(|(_, number)| *number == way).map(|(t, _)| t.clone());
        ways.iter().filter_map(terminal).collect()
    }

    /// Only these ways are there now, with the time that a send takes on each.
    fn learn(&mut self, usable: &[(TerminalId, Duration)]) {
        for (terminal, slot) in usable {
            let number = self.number(terminal);
            self.ways.learn(number, *slot);
        }
        let gone = self.numbers.iter().filter(|(known, _)| !usable.iter().any(|(there, _)| there == *known));
        gone.for_each(|(_, number)| self.ways.forget(*number));
    }
}

impl Paths {
    /// The outcome of a send on a way: answered, or not in time.
    pub fn count(&mut self, station: StationId, terminal: &TerminalId, answered: bool) {
        let path = self.0.entry(station).or_default();
        let number = path.number(terminal);
        path.ways.count(number, answered);
        path.outcomes = path.outcomes.saturating_add(1);
    }

    /// Frames of 1000 that the best way loses, by the evidence; `None` while there is none.
    pub fn loss(&self, station: StationId) -> Option<u32> {
        let path = self.0.get(&station).filter(|path| path.outcomes > 0)?;
        let best = path.numbers.values().filter_map(|number| path.ways.get(*number)).map(|way| way.success()).max()?;
        Some((1_000 - best).clamp(20, 600))
    }

    /// The ways that a first try would take, best first, by what is known now. Nothing is noted.
    pub fn likely(&self, station: StationId, flash: bool, usable: &[(TerminalId, Duration)]) -> Vec<TerminalId> {
        let mut path = self.0.get(&station).cloned().unwrap_or_default();
        path.learn(usable);
        let precedence = if flash { Precedence::Flash } else { Precedence::Immediate };
        let chosen = path.ways.choose(Instant::default(), 1, precedence, &[]);
        path.terminals(&chosen)
    }

    /// The ways for what goes on because `works` was heard to work.
    fn revive(
        &mut self,
        now: Instant,
        station: StationId,
        precedence: Precedence,
        works: &TerminalId,
        usable: &[(TerminalId, Duration)],
    ) -> Vec<TerminalId> {
        let path = self.0.entry(station).or_default();
        path.learn(usable);
        let works = path.number(works);
        let chosen = path.ways.revive(now, precedence, works);
        path.terminals(&chosen)
    }

    /// The try before has failed on every way that carried it.
    fn count_failed(&mut self, station: StationId, pending: &mut Pending, attempt: u32) {
        let unanswered = std::mem::take(&mut pending.unanswered);
        unanswered.iter().for_each(|terminal| self.count(station, terminal, false));
        pending.attempt = attempt;
    }

    fn choose(
        &mut self,
        now: Instant,
        station: StationId,
        attempt: u32,
        precedence: Precedence,
        before: &[TerminalId],
        usable: &[(TerminalId, Duration)],
    ) -> Vec<TerminalId> {
        let path = self.0.entry(station).or_default();
        path.learn(usable);
        let before: Vec<WayNo> = before.iter().filter_map(|terminal| path.numbers.get(terminal)).copied().collect();
        let chosen = path.ways.choose(now, attempt, precedence, &before);
        path.terminals(&chosen)
    }
}

impl Cards {
    /// Those of the terminals that a link leads to now, and the time that a send takes there.
    pub fn ways_to(&self, ports: &BTreeMap<LinkId, Port>, to: &[TerminalId]) -> Vec<(TerminalId, Duration)> {
        let slot = |terminal: &TerminalId| {
            let leads = ports.iter().filter(|(_, port)| port.can_send && port.coverage.has(terminal));
            leads.flat_map(|(link, _)| self.on(link)).map(|(_, card)| card.slot).min()
        };
        to.iter().filter_map(|terminal| Some((terminal.clone(), slot(terminal)?))).collect()
    }
}

impl Outbox {
    /// Chooses the bearers of everything that goes to stations, where a new try has begun or a way has gone.
    pub(super) fn choose_ways(&mut self, now: Instant, state: &State, ports: &BTreeMap<LinkId, Port>) {
        let Self { pending, paths, cards, .. } = self;
        for ((id, number), pending) in pending {
            let Some(message) = state.message(*id) else { continue };
            let Some(delivery) = message.delivery(*number) else { continue };
            let Some(station) = delivery.station else { continue };
            let usable = cards.ways_to(ports, &delivery.terminals);
            let attempt = delivery.air.as_ref().map_or(1, |air| air.stream.tries());
            let there = |terminal: &TerminalId| usable.iter().any(|(usable, _)| usable == terminal);
            // A try has failed when the next one is due, not when its frame is out: the receipt may be on its way.
            let is_due = || delivery.terminals.iter().any(|terminal| pending.leg(terminal).not_before <= now);
            let is_new = pending.attempt != attempt && is_due();
            if !is_new && pending.ways.iter().any(there) {
                continue;
            }
            if is_new {
                paths.count_failed(station, pending, attempt);
            }
            pending.ways = paths.choose(now, station, pending.attempt, message.precedence, &pending.ways, &usable);
        }
    }

    /// Something came from a station, by its terminal `works`: what waited for better air on the way there goes on, over
    /// the way that was heard to work, and if it is urgent over a second one. What has just gone out waits for its receipt.
    pub fn revive(
        &mut self,
        now: Instant,
        (station, works): (StationId, &TerminalId),
        state: &State,
        ports: &BTreeMap<LinkId, Port>,
    ) {
        let Self { pending, paths, cards, .. } = self;
        let mut any = false;
        for ((id, number), pending) in pending {
            let Some(message) = state.message(*id) else { continue };
            let Some(delivery) = message.delivery(*number).filter(|d| d.station == Some(station)) else { continue };
            let Some(air) = delivery.air.as_ref().filter(|air| air.stream.is_waiting()) else { continue };
            if !pending.revive(now) {
                continue;
            }
            any = true;
            paths.count_failed(station, pending, air.stream.tries());
            let usable = cards.ways_to(ports, &delivery.terminals);
            pending.ways = paths.revive(now, station, message.precedence, works, &usable);
        }
        if any {
            self.touch();
        }
    }
}
