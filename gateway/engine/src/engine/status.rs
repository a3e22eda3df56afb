//! Pure getters for people and programs: how the station is, and what waits.

use super::Engine;
use super::foresee::Outlooks;
use crate::io::StoreTrouble;
use crate::outbox::Cards;
use crate::outbox::outlook::Outlook;
use crate::session::Health;
use crate::time::Now;
use serde::Serialize;
use std::collections::BTreeMap;
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
            outbox,
            outbox_max: self.config.policy.outbox_max,
            open_deliveries: self.state.open.len(),
            messages: self.state.messages.len(),
            sos_open: self.state.sos.values().map(MessageId::to_string).collect(),
            held: self.state.messages.values().filter(|m| m.held.is_some()).map(|m| m.id.to_string()).collect(),
        }
    }

    fn links(&self, now: Now) -> Vec<LinkStatus> {
        let link_status = |session: &crate::session::Session| LinkStatus {
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

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
