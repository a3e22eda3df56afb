//! Pure getters for people and programs: how the station is, and what waits.

use super::Engine;
use super::foresee::{Far, Outlooks};
use crate::io::StoreTrouble;
use crate::outbox::Cards;
use crate::outbox::outlook::Outlook;
use crate::people::StationEntry;
use crate::session::{Health, Session};
use crate::time::Now;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::message::{MessageId, Outcome, Precedence, Rung};

/// How the station is.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub station: u16,
    /// The last record, and how far the journal is synced.
    pub offset: u64,
    pub stored: u64,
    pub journal_failed: Option<StoreTrouble>,
    /// UTC as RFC 3339, `None` while no clock is trusted.
    pub utc: Option<String>,
    pub clock_source: Option<crate::event::ClockSource>,
    pub links: Vec<LinkStatus>,
    /// The other stations of the roster.
    pub stations: Vec<StationStatus>,
    /// A person whom the roster gives this station's own card: who, and which. What is sent there comes back here.
    pub own_card: Option<OwnCard>,
    /// Deliveries that still have something to send, by precedence.
    pub outbox: BTreeMap<&'static str, usize>,
    pub outbox_max: usize,
    /// Deliveries without an end.
    pub open_deliveries: usize,
    pub messages: usize,
    pub sos_open: Vec<String>,
    /// Messages that wait for a person's yes.
    pub held: Vec<String>,
}

/// How a link is.
#[derive(Clone, Debug, Serialize)]
pub struct LinkStatus {
    pub link: String,
    pub bearer: &'static str,
    pub up: bool,
    /// Its terminal may be given a message.
    pub ready: bool,
    pub signal_usable: bool,
    pub last_heard_ms_ago: Option<u64>,
    pub cards: Vec<CardStatus>,
    pub health: Health,
    /// What its terminal can and cannot confirm.
    pub confirms: &'static str,
}

/// What is known of another station.
#[derive(Clone, Debug, Serialize)]
pub struct StationStatus {
    /// Its id in the roster.
    pub id: String,
    pub name: String,
    pub number: u16,
    /// Since anything authentic came from it; `None` = nothing since this station was started.
    pub last_heard_ms_ago: Option<u64>,
    /// The last three sends that it answers when it hears them brought no word.
    pub silent: bool,
    /// Deliveries to it without an end.
    pub open_deliveries: usize,
}

/// A mistake of the roster.
#[derive(Clone, Debug, Serialize)]
pub struct OwnCard {
    pub person: String,
    pub terminal: String,
}

/// How a card is.
#[derive(Clone, Debug, Serialize)]
pub struct CardStatus {
    /// Empty where the link has no cards.
    pub number: String,
    /// Least time between two sends, guard included, milliseconds.
    pub slot_ms: u64,
    pub capacity_bits: u32,
    /// Milliseconds until it may send; 0 = now.
    pub free_in_ms: u64,
    pub hold: Option<Outcome>,
    pub sends_total: u64,
}

/// One delivery that waits.
#[derive(Clone, Debug, Serialize)]
pub struct OutboxLine {
    pub id: String,
    pub delivery: u16,
    pub to: String,
    pub precedence: Precedence,
    pub rung: &'static str,
    pub rung_label: &'static str,
    pub text: String,
    /// Attempts that were or may have been radiated.
    pub sent: u32,
    /// Waits for a person's yes.
    pub held: bool,
    /// Milliseconds until its life ends, where that is known.
    pub life_left_ms: Option<u64>,
    /// Milliseconds until its own turn, as far as is known; `None` = no card, or nothing more is sent.
    pub slot_in_ms: Option<u64>,
    /// What is to be expected of it as of now.
    pub forecast: Outlook,
}

impl Engine {
    /// How the station is.
    #[must_use]
    pub fn status(&self, now: Now) -> Status {
        let mut outbox: BTreeMap<&'static str, usize> = Precedence::ALL.iter().map(|p| (p.name(), 0)).collect();
        for (id, _) in self.outbox.pending.keys() {
            if let Some(message) = self.state.message(*id) {
                *outbox.entry(message.precedence.name()).or_default() += 1;
            }
        }
        Status {
            station: self.config.station.number(),
            offset: self.state.offset.0,
            stored: self.gate.stored().0,
            journal_failed: self.poisoned,
            utc: self.clock.utc(now.mono).map(|utc| utc.to_string()),
            clock_source: self.clock.source(),
            links: self.links(now),
            stations: self.station_statuses(now),
            own_card: self
                .holder_of_own_card(self.state.roster())
                .map(|(person, terminal)| OwnCard { person, terminal: terminal.to_string() }),
            outbox,
            outbox_max: self.config.policy.outbox_max,
            open_deliveries: self.state.open.len(),
            messages: self.state.messages.len(),
            sos_open: self.state.sos.values().map(MessageId::to_string).collect(),
            held: self.state.messages.values().filter(|m| m.held.is_some()).map(|m| m.id.to_string()).collect(),
        }
    }

    fn links(&self, now: Now) -> Vec<LinkStatus> {
        let link_status = |session: &Session| LinkStatus {
            link: session.link.name().into(),
            bearer: session.limits().bearer.name(),
            up: session.is_up(),
            ready: session.can_send(),
            signal_usable: session.is_usable(),
            last_heard_ms_ago: session.last_heard().map(|at| millis(now.mono.since(at))),
            cards: self.cards(now, session),
            health: session.health(),
            confirms: session.limits().confirms,
        };
        self.sessions.values().map(link_status).collect()
    }

    fn station_statuses(&self, now: Now) -> Vec<StationStatus> {
        let reached = self.reached();
        let others = self.state.roster().stations.iter().filter(|entry| !reached.is_me(entry.station()));
        let status = |entry: &StationEntry| {
            let station = entry.station()?;
            let heard_at = self.stations.heard_at.get(&station);
            let is_open = |(id, delivery): &&(MessageId, u16)| {
                self.state.delivery(*id, *delivery).is_some_and(|delivery| delivery.station == Some(station))
            };
            Some(StationStatus {
                id: entry.id.clone(),
                name: entry.name.clone(),
                number: station.number(),
                last_heard_ms_ago: heard_at.map(|at| millis(now.mono.since(*at))),
                silent: self.evidence.is_silent(now.mono, &Far::Station(station), self.slowest_slot_to(entry)),
                open_deliveries: self.state.open.iter().filter(is_open).count(),
            })
        };
        others.filter_map(status).collect()
    }

    /// A frame and its answer take their slots; the slowest card there sets the time.
    fn slowest_slot_to(&self, entry: &StationEntry) -> Duration {
        let leads_there = |session: &&Session| entry.terminals.iter().any(|to| session.coverage().has(&to.0));
        let links = self.sessions.values().filter(leads_there);
        let slots = links.flat_map(|session| self.outbox.cards.on(&session.link).map(|(_, card)| card.slot));
        slots.max().unwrap_or_default()
    }

    fn cards(&self, now: Now, session: &crate::session::Session) -> Vec<CardStatus> {
        let there = self.outbox.cards.on(&session.link).filter(|(key, card)| Cards::is_there(key, card));
        let cards = there.map(|(key, card)| CardStatus {
            number: key.number.clone(),
            slot_ms: millis(card.slot),
            capacity_bits: card.capacity_bits,
            free_in_ms: millis(card.free_at.since(now.mono)),
            hold: card.hold,
            sends_total: card.sends,
        });
        cards.collect()
    }

    /// Deliveries without an end, most urgent first.
    #[must_use]
    pub fn outbox(&self, now: Now) -> Vec<OutboxLine> {
        let mut outlooks = self.outlooks(now);
        let open = self.state.open.iter();
        let mut lines: Vec<OutboxLine> = open.filter_map(|entry| self.line(now, *entry, &mut outlooks)).collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.precedence));
        lines
    }

    fn line(&self, now: Now, (id, number): (MessageId, u16), outlooks: &mut Outlooks<'_>) -> Option<OutboxLine> {
        let message = self.state.message(id)?;
        let delivery = message.delivery(number)?;
        let forecast = outlooks.of(message, number, delivery);
        Some(OutboxLine {
            id: id.to_string(),
            delivery: number,
            to: delivery.whom(),
            precedence: message.precedence,
            rung: delivery.rung.max(Rung::Saved).name(),
            rung_label: delivery.rung.max(Rung::Saved).label(),
            text: message.shown().to_owned(),
            sent: delivery.spent(),
            held: message.held.is_some(),
            life_left_ms: self.deadlines.get(&id).map(|at| millis(at.since(now.mono))),
            slot_in_ms: forecast.send_in_ms,
            forecast,
        })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
