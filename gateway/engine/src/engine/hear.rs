//! What terminals say: from a session's items to decisions.

use super::{Engine, UnreadableBudget};
use crate::bus::journal::{self, record::What};
use crate::bus::{CardKey, Gated};
use crate::event::{AttemptOutcome, Event};
use crate::io::{LinkTrouble, Offset};
use crate::session::Item;
use crate::time::{Now, Utc};
use bytes::Bytes;
use std::time::Duration;
use yizhan_codecs::message::{CardInfo, CardState, LinkId, OrderKind, Outcome, Peer, Position, Signal, TerminalId};

/// A fix is journaled when it has moved this far, or is this old.
const POSITION_MOVED_M: u64 = 50;
const POSITION_EVERY: Duration = Duration::from_secs(300);
/// A terminal's good word on a send is still taken for that send when it comes this much too late.
const LATE_FEEDBACK: Duration = Duration::from_secs(30);
/// Of an unreadable frame, at most this much is journaled; the capture has the rest.
const UNREADABLE_BYTES_MAX: usize = 256;

impl Engine {
    pub(super) fn link_up(&mut self, now: Now, link: &LinkId) {
        self.append(
            now,
            What::LinkChanged(journal::LinkChanged { link: link.name().into(), up: true, why: String::new() }),
        );
        self.tell(Event::LinkCameUp { link: link.clone() });
        self.with_session(now, link, crate::session::Session::link_up);
        self.outbox.touch();
    }

    pub(super) fn link_down(&mut self, now: Now, link: &LinkId, why: LinkTrouble) {
        let was_up = self.sessions.get(link).is_some_and(crate::session::Session::is_up);
        self.with_session(now, link, |session, _| session.link_down());
        self.outbox.cards.doubt(link);
        if let Some(outstanding) = self.outbox.outstanding.get(link).map(|o| o.attempt) {
            // Its bytes may be in the terminal already; only a record that was not released is certain.
            let outcome = self.lost_outcome(link);
            self.end_attempt(now, outstanding, outcome);
        }
        if was_up {
            let why_name = why.name().into();
            self.append(
                now,
                What::LinkChanged(journal::LinkChanged { link: link.name().into(), up: false, why: why_name }),
            );
        }
        self.tell(Event::LinkWentDown { link: link.clone(), why });
    }

    pub(super) fn item(&mut self, now: Now, link: &LinkId, item: Item) {
        match item {
            Item::Send(outgoing) => {
                self.transmit(link, outgoing);
            }
            Item::Carry { frame, last } => self.carry(link, frame, last),
            Item::Unreadable { bytes, why } => self.note_unreadable(now, link, bytes, why),
            Item::Signal { signal, from } => self.signal(now, link, signal, from),
        }
    }

    fn signal(&mut self, now: Now, link: &LinkId, signal: Signal, from: Option<Peer>) {
        if let Some(session) = self.sessions.get_mut(link) {
            let before = session.is_usable();
            session.note(&signal);
            if let Signal::Strength { best, usable } = signal
                && usable != before
            {
                self.tell(Event::SignalChanged { link: link.clone(), best, usable });
                self.outbox.touch();
            }
        }
        let kept = self.act_on(now, link, &signal);
        let Some(session) = self.sessions.get(link) else { return };
        let bytes = session.acknowledge(&signal);
        let may_forget = session.is_told_of_storing() && matches!(signal, Signal::Heard(_));
        if bytes.is_some() || may_forget {
            let (link, signal) = (link.clone(), Box::new(signal));
            self.hold_at(now, kept, Gated::Acknowledge { link, to: from, bytes, signal });
        }
    }

    /// Acts on one signal; gives the record that its acknowledgement must wait for.
    fn act_on(&mut self, now: Now, link: &LinkId, signal: &Signal) -> Offset {
        match signal {
            Signal::Heard(heard) => return self.heard(now, link, heard),
            Signal::Position { of, position, emergency } => {
                self.position(now, of, position);
                if *emergency {
                    self.alarm(now, link, of, Some(*position));
                }
            }
            Signal::Emergency { of, on: true } => self.alarm(now, link, of, None),
            Signal::Emergency { of, on: false } => {
                self.tell(Event::Remarked { link: link.clone(), what: "报警解除", detail: of.to_string() });
            }
            Signal::Presence { of, present, .. } => self.presence(now, of, *present),
            Signal::Feedback { about, outcome } => self.feedback(now, link, *about, *outcome),
            Signal::Delivery { native, delivered, code, .. } => {
                self.delivery_report(now, link, *native, *delivered, *code);
            }
            Signal::Progress { native, rung } => self.progress(now, link, *native, *rung),
            Signal::Card(card) => self.card(now, link, card),
            Signal::Countdown { wait } => self.countdown(now, link, *wait),
            Signal::Time { at, gnss } => {
                let not_before = Utc(self.state.wall_last_ms);
                if let Some(source) = self.clock.terminal(now.mono, *at, *gnss, not_before) {
                    self.clock_trusted(now, source);
                }
            }
            Signal::Remark { what, detail } => {
                self.tell(Event::Remarked { link: link.clone(), what, detail: detail.clone() });
            }
            _ => {}
        }
        self.state.offset
    }

    pub(super) fn position(&mut self, now: Now, of: &TerminalId, position: &Position) {
        let known = self.state.contacts.get(of).and_then(|contact| contact.position);
        let moved = known.is_none_or(|known| known.metres_to(position) > POSITION_MOVED_M);
        let stale = self.positions_at.get(of).is_none_or(|at| now.mono.since(*at) >= POSITION_EVERY);
        if moved || (stale && known != Some(*position)) {
            self.positions_at.insert(of.clone(), now.mono);
            let fix = Some(fix_of(position));
            self.append(now, What::PositionMoved(journal::PositionMoved { terminal: of.to_string(), fix }));
            self.place_heard(now, of);
        }
    }

    fn presence(&mut self, now: Now, of: &TerminalId, present: bool) {
        if self.state.contacts.get(of).and_then(|contact| contact.present) != Some(present) {
            self.append(now, What::PresenceChanged(journal::PresenceChanged { terminal: of.to_string(), present }));
        }
    }

    fn card(&mut self, now: Now, link: &LinkId, card: &CardInfo) {
        if card.state == CardState::Missing {
            if self.outbox.cards.on(link).next().is_some() {
                self.outbox.cards.forget(link);
                self.tell(Event::CardLost { link: link.clone() });
            }
            return;
        }
        let Some(config) = self.config.links.iter().find(|config| config.id == *link) else { return };
        let limits = self.sessions.get(link).map(|session| session.limits().clone());
        let period = card.period.max(config.period).or(limits.as_ref().and_then(|l| l.period)).unwrap_or_default();
        let capacity = card.capacity_bits.or(config.capacity_bits).or(limits.and_then(|l| l.capacity_bits));
        let capacity = capacity.unwrap_or(super::recover::CAPACITY_UNKNOWN_BITS);
        let slot = period + config.guard;
        let key = CardKey { link: link.clone(), number: card.own.number().into() };
        let learned = journal::CardLearned {
            link: link.name().into(),
            number: key.number.clone(),
            period_ms: u64::try_from(period.as_millis()).unwrap_or(u64::MAX),
            capacity_bits: capacity,
            broadcast: card.broadcast.as_ref().map_or(String::new(), |number| number.number().into()),
            subordinates: card.subordinates,
        };
        let changed = self.state.cards.get(&key).is_none_or(|fact| {
            fact.period_ms != learned.period_ms
                || fact.capacity_bits != learned.capacity_bits
                || fact.broadcast != learned.broadcast
                || fact.subordinates != learned.subordinates
        });
        let fresh = self.outbox.cards.get(&key).is_none();
        self.outbox.cards.learn(key.clone(), slot, capacity, now.mono.after(slot));
        self.outbox.cards.seen(&key, now.mono);
        let there: Vec<String> = self.outbox.cards.on(link).map(|(key, _)| key.number.clone()).collect();
        if let Some(session) = self.sessions.get_mut(link) {
            session.keep_own(&there);
        }
        if changed {
            self.append(now, What::CardLearned(learned));
        }
        if changed || fresh {
            self.tell(Event::CardFound { link: link.clone(), card: card.clone() });
        }
        self.outbox.touch();
    }

    fn countdown(&mut self, now: Now, link: &LinkId, wait: Duration) {
        let free_at = now.mono.after(wait + super::send::TOLD_MARGIN);
        for (_, card) in self.outbox.cards.0.iter_mut().filter(|(key, _)| key.link == *link) {
            card.free_at = free_at;
        }
        self.outbox.touch();
    }

    fn feedback(&mut self, now: Now, link: &LinkId, about: Option<OrderKind>, outcome: Outcome) {
        if about.is_some_and(|kind| kind != OrderKind::Send) {
            return;
        }
        if outcome == Outcome::SuppressionLifted {
            self.lift_holds(now, link);
            return;
        }
        let outstanding = self.outbox.outstanding.get(link);
        let released = outstanding.filter(|o| o.stage != crate::outbox::Stage::Recorded).map(|o| o.attempt);
        let late = || {
            let (attempt, at) = self.unanswered.get(link).copied()?;
            (outcome == Outcome::Radiated && now.mono.since(at) < LATE_FEEDBACK).then_some(attempt)
        };
        if let Some(attempt) = released.or_else(|| self.awaited_group(link)).or_else(late) {
            self.unanswered.remove(link);
            self.end_attempt(now, attempt, AttemptOutcome::Said(outcome));
        } else {
            self.hold_cards(now, link, outcome);
        }
    }

    fn delivery_report(&mut self, now: Now, link: &LinkId, native: u32, delivered: bool, code: u16) {
        // A good word that comes late still counts; a bad one about an attempt that is over says nothing new.
        let late = self.state.silent.values().rev().filter(|_| delivered);
        let attempt = self
            .state
            .open_attempts()
            .chain(late)
            .find(|open| open.native == native && open.link == *link)
            .map(|open| open.attempt);
        match attempt {
            Some(attempt) => self.end_attempt(now, attempt, AttemptOutcome::Delivered { code, delivered }),
            None => {
                let detail = format!("request {native} delivered {delivered} code {code}");
                self.tell(Event::Remarked { link: link.clone(), what: "无对应报文的送达报告", detail });
            }
        }
    }

    /// Publishes bytes that nobody could read: journaled within a budget per minute, counted beyond it.
    pub(super) fn note_unreadable(&mut self, now: Now, link: &LinkId, bytes: Bytes, why: String) {
        let max = self.config.policy.unreadable_per_minute;
        let budget = self.unreadable.entry(link.clone()).or_default();
        if now.mono.since(budget.minute_began) >= Duration::from_secs(60) {
            *budget = UnreadableBudget { minute_began: now.mono, journaled: 0, suppressed: budget.suppressed };
        }
        if budget.journaled >= max {
            budget.suppressed = budget.suppressed.saturating_add(1);
            return;
        }
        budget.journaled += 1;
        let suppressed = std::mem::take(&mut budget.suppressed);
        let head = bytes.get(..UNREADABLE_BYTES_MAX).unwrap_or(&bytes).to_vec();
        let record = journal::Unreadable { link: link.name().into(), bytes: head, why: why.clone(), suppressed };
        self.append(now, What::Unreadable(record));
        self.tell(Event::UnreadableHeard { link: link.clone(), bytes, why, suppressed });
    }
}

pub(super) fn fix_of(position: &Position) -> journal::Fix {
    journal::Fix {
        lat_e7: position.lat_e7,
        lon_e7: position.lon_e7,
        height_dm: position.height_dm,
        speed_cm_s: position.speed_cm_s,
        course_ddeg: position.course_ddeg.map(u32::from),
        at_ms: position.at.map_or(0, |at| at.0),
    }
}
