//! Sending: from a choice of the outbox to bytes on a link, and from the terminal's word to a rung.

use super::Engine;
use super::foresee::Far;
use crate::bus::journal::{self, record::What};
use crate::bus::{CardKey, Delivery, Gated, Message, OpenAttempt, id_to_u64};
use crate::event::{AttemptId, AttemptOutcome, End, Event, SlotReason};
use crate::io::{TransmitId, TransmitTrouble};
use crate::outbox::{Choice, Load, Outstanding, Stage};
use crate::outbox::{copies_max, leg_gap, leg_is_open, next_part, round_is_complete, write_gap};
use crate::route;
use crate::time::{Instant, Now, Utc};
use std::time::Duration;
use yizhan_codecs::codec::{EncodeError, Outgoing};
use yizhan_codecs::message::{Addressee, LinkId, MessageId, Order, Outcome, Precedence, Rung, TerminalId};

/// Added to a wait that the terminal itself told.
pub(super) const TOLD_MARGIN: Duration = Duration::from_secs(1);
/// How long a dialogue may hold a message before its bytes are with the terminal: a part of several waits for the
/// network each time.
const CARRIED_WITHIN: Duration = Duration::from_secs(300);
/// After a restart, how long the next copy of something that may have been radiated waits.
pub(super) const AFTER_RESTART: Duration = Duration::from_secs(60);

impl Engine {
    /// Starts every send that can start now.
    pub(super) fn schedule(&mut self, now: Now) -> bool {
        let due = self.outbox.next_look.is_some_and(|at| at <= now.mono);
        // Rows become due to be asked for by time alone.
        if !self.outbox.dirty && !due && !self.stations.gatherings.is_asking(now.mono) {
            return false;
        }
        self.outbox.dirty = false;
        let mut moved = false;
        loop {
            let (ports, owing) = (self.ports(), self.owing(now));
            let choice = self.outbox.choose(now.mono, &self.state, &self.config.policy, &ports, &owing);
            let Some(choice) = choice else { return moved };
            moved = true;
            match choice.load {
                Load::Part { id, delivery } => self.start(now, &choice, id, delivery),
                Load::Frame { traffic, station, word } => self.start_frame(now, &choice, traffic, station, word),
            }
        }
    }

    /// Records an attempt; its bytes are released once the record is synced.
    fn start(&mut self, now: Now, choice: &Choice, id: MessageId, delivery: u16) {
        let to_station = self.state.delivery(id, delivery).is_some_and(|delivery| delivery.station.is_some());
        let planned = if to_station {
            let planned = self.plan_air(now, id, delivery).map_err(|failure| failure.label());
            planned.map(|()| self.next_row(id, delivery).map_or(0, usize::from))
        } else {
            self.plan(now, choice, id, delivery).map_err(|error| format!("终端无法承载：{}", error.words()))
        };
        let part = match planned {
            Ok(part) => part,
            Err(why) => return self.refuse_leg(now, (id, delivery), &choice.terminal, &why),
        };
        let attempt = AttemptId(self.state.attempt_last + 1);
        let message = self.state.message(id);
        let by = message.map(|message| message.by.clone()).unwrap_or_default();
        if let (Some(message), Some(card)) = (message, self.outbox.cards.get(&choice.card)) {
            self.outbox.sends.note(now.mono, message.precedence, card.slot);
        }
        let in_the_air = self.state.open_attempts().any(|open| (open.id, open.delivery) == (id, delivery));
        if let Some(pending) = self.outbox.pending.get_mut(&(id, delivery)).filter(|_| to_station) {
            let due = pending.leg(&choice.terminal).not_before <= now.mono && !in_the_air;
            pending.starts(&choice.card.link, due);
        }
        let record = journal::Attempted {
            attempt: attempt.0,
            id: id_to_u64(id),
            delivery: delivery.into(),
            terminal: choice.terminal.to_string(),
            link: choice.card.link.name().into(),
            card: choice.card.number.clone(),
            part: u32::try_from(part).unwrap_or(0),
            native: native_of(attempt),
            ..journal::Attempted::default()
        };
        self.append(now, What::Attempted(record));
        self.outbox.outstanding.insert(choice.card.link.clone(), Outstanding { attempt, stage: Stage::Recorded });
        self.outbox.turn += 1;
        self.outbox.served.insert(by, self.outbox.turn);
        self.hold(now, Gated::Release(attempt));
    }

    /// The part to send next, planning the cut of the text on the first send over this terminal.
    fn plan(&mut self, now: Now, choice: &Choice, id: MessageId, delivery: u16) -> Result<usize, EncodeError> {
        let planned = self.parts_of(id, delivery, &choice.terminal);
        if planned.is_none() {
            let message = self.state.message(id).ok_or(EncodeError::Unsupported)?;
            let card = self.outbox.cards.get(&choice.card).ok_or(EncodeError::Unsupported)?;
            let parts = self.cut(now, &choice.card.link, card.capacity_bits, message)?;
            let record = journal::PartsPlanned {
                id: id_to_u64(id),
                delivery: delivery.into(),
                terminal: choice.terminal.to_string(),
                parts,
            };
            // Only a text that the device really takes is planned: a refusal later would leave half a message.
            for text in &record.parts {
                self.encode(id, delivery, &choice.terminal, &choice.card, text, 1)?;
            }
            self.append(now, What::PartsPlanned(record));
        }
        let parts = self.parts_of(id, delivery, &choice.terminal).ok_or(EncodeError::Unsupported)?;
        next_part(parts).ok_or(EncodeError::Unsupported)
    }

    fn parts_of(&self, id: MessageId, delivery: u16, terminal: &TerminalId) -> Option<&Vec<crate::bus::PartState>> {
        self.state.delivery(id, delivery)?.plans.get(terminal)
    }

    /// The text as a plain terminal behind this link is given it, in parts of so many air bits.
    pub(super) fn cut(
        &self,
        now: Now,
        link: &LinkId,
        capacity_bits: u32,
        message: &Message,
    ) -> Result<Vec<String>, EncodeError> {
        let (session, id) = (self.sessions.get(link).ok_or(EncodeError::Unsupported)?, message.id);
        let roster = self.state.roster();
        let sender = message.from.as_ref().map(|from| match roster.holder(from) {
            Some(person) => person.name.clone(),
            None => from.number().to_owned(),
        });
        // A message from before a restart may be old; while no clock tells, its text says from when it is.
        let unsure = self.recovered.contains(&id) && self.clock.utc(now.mono).is_none();
        let origin = Some(Utc(message.at_ms)).filter(|at| unsure && at.0 != 0);
        let text = route::render(message, sender.as_deref(), origin, self.poisoned.is_some());
        let measure = |text: &str| session.measure(text);
        route::split(&text, id, capacity_bits, self.config.policy.parts_max, &measure)
    }

    fn encode(
        &self,
        id: MessageId,
        delivery: u16,
        terminal: &TerminalId,
        card: &CardKey,
        text: &str,
        native: u32,
    ) -> Result<Vec<Outgoing>, EncodeError> {
        let session = self.sessions.get(&card.link).ok_or(EncodeError::Unsupported)?;
        let message = self.state.message(id).ok_or(EncodeError::Unsupported)?;
        let group = message.delivery(delivery).is_some_and(|delivery| delivery.group);
        let to = if group { Addressee::Group(terminal.clone()) } else { Addressee::Terminal(terminal.clone()) };
        let own = TerminalId::new(session.limits().bearer, &card.number);
        let card = session.has_many_cards().then_some(own);
        let urgent = message.precedence == Precedence::Flash;
        session.encode(&Order::Text { card, to, text: text.into(), native, urgent })
    }

    /// No device can carry this to this terminal: the other ways go on; without one the delivery is refused. What cannot be
    /// packed for a station is refused at once: it is the same on every way.
    fn refuse_leg(&mut self, now: Now, entry: (MessageId, u16), terminal: &TerminalId, why: &str) {
        let Some(pending) = self.outbox.pending.get_mut(&entry) else { return };
        pending.leg_mut(terminal).refused = true;
        let refused = |terminal: &TerminalId| pending.leg(terminal).refused;
        let delivery = self.state.delivery(entry.0, entry.1);
        let no_way = |delivery: &Delivery| delivery.station.is_some() || delivery.terminals.iter().all(refused);
        if delivery.is_none_or(no_way) {
            self.end_delivery(now, entry.0, entry.1, End::Refused, why);
        }
        self.outbox.touch();
    }

    /// Gives the bytes of an attempt to its link, unless the world has moved on since it was recorded.
    pub(super) fn release(&mut self, now: Now, attempt: AttemptId) {
        let Some(open) = self.state.attempts.get(&attempt).cloned() else { return };
        let frames = if self.is_wanted(now, &open) { self.frames(now, &open) } else { None };
        let Some(frames) = frames else {
            self.end_attempt(now, attempt, AttemptOutcome::Withdrawn);
            return;
        };
        if let Some(outstanding) = self.outbox.outstanding.get_mut(&open.link) {
            outstanding.stage = Stage::Carried { until: now.mono.after(CARRIED_WITHIN), begun: false };
        }
        let (link, native) = (open.link.clone(), open.native);
        self.with_session(now, &link, |session, at| session.give(at, native, frames));
        let rows = self.air_plan(open.id, open.delivery).map(|plan| usize::from(plan.stream.rows()));
        let parts = rows.or_else(|| self.parts_of(open.id, open.delivery, &open.terminal).map(Vec::len)).unwrap_or(1);
        let (link, to) = (open.link, open.terminal.to_string());
        let parts = u16::try_from(parts).unwrap_or(u16::MAX);
        self.tell(Event::AttemptReleased { attempt, link, to, part: open.part + 1, parts });
    }

    /// Bytes of the message that a link holds go to the port.
    pub(super) fn carry(&mut self, link: &LinkId, frame: Outgoing, last: bool) {
        let id = self.transmit(link, frame);
        let Some(outstanding) = self.outbox.outstanding.get_mut(link) else { return };
        if let Stage::Carried { until, .. } = outstanding.stage {
            outstanding.stage = if last { Stage::Released { last: id } } else { Stage::Carried { until, begun: true } };
        }
    }

    /// A message of ours is proven to have come so far, short of its end.
    pub(super) fn progress(&mut self, now: Now, link: &LinkId, native: u32, rung: Rung) {
        let silent = self.state.silent.values().rev();
        let found = self.state.open_attempts().chain(silent).find(|open| open.native == native && open.link == *link);
        let Some(open) = found.cloned().filter(|_| rung < Rung::Delivered) else { return };
        let known = self.parts_of(open.id, open.delivery, &open.terminal).and_then(|p| p.get(usize::from(open.part)));
        if known.is_none_or(|part| part.rung >= rung) {
            return;
        }
        let record = journal::AttemptProgressed { attempt: open.attempt.0, rung: rung.name().into() };
        self.append(now, What::AttemptProgressed(record));
        let proven = self.state.delivery(open.id, open.delivery).map(Delivery::proven);
        if let Some(proven) = proven {
            self.raise(now, open.id, open.delivery, proven, &format!("attempt {}", open.attempt.0));
        }
    }

    fn frames(&mut self, now: Now, open: &OpenAttempt) -> Option<Vec<Outgoing>> {
        let (id, delivery, card) = (open.id, open.delivery, open.card_key());
        let packed = if open.is_frame() {
            Some(open.frame.clone())
        } else if self.air_plan(id, delivery).is_some() {
            Some(self.row_frame(now, id, delivery, open.part, &card)?)
        } else {
            None
        };
        let frames = match packed {
            Some(frame) => self.encode_payload(open, &card, frame).ok()?,
            None => {
                let text = &self.parts_of(id, delivery, &open.terminal)?.get(usize::from(open.part))?.text;
                self.encode(id, delivery, &open.terminal, &card, text, open.native).ok()?
            }
        };
        (!frames.is_empty()).then_some(frames)
    }

    fn encode_payload(&self, open: &OpenAttempt, card: &CardKey, frame: Vec<u8>) -> Result<Vec<Outgoing>, EncodeError> {
        let session = self.sessions.get(&card.link).ok_or(EncodeError::Unsupported)?;
        let own = TerminalId::new(session.limits().bearer, &card.number);
        let card = session.has_many_cards().then_some(own);
        let to = Addressee::Terminal(open.terminal.clone());
        session.encode(&Order::Payload { card, to, bytes: frame.into(), native: open.native })
    }

    /// Whether an attempt may still go out: not cancelled, not arrived, not held, and no FLASH waits for the card.
    fn is_wanted(&self, now: Now, open: &OpenAttempt) -> bool {
        if open.is_frame() {
            // They may be as urgent as what they answer; a FLASH that has come meanwhile loses one slot to them.
            return self.sessions.get(&open.link).is_some_and(crate::session::Session::can_send);
        }
        let Some(message) = self.state.message(open.id) else { return false };
        let ended = message.delivery(open.delivery).is_none_or(|delivery| delivery.end.is_some());
        let can_send = self.sessions.get(&open.link).is_some_and(crate::session::Session::can_send);
        if ended || message.held.is_some() || !can_send {
            return false;
        }
        let (ports, entry) = (self.ports(), (open.id, open.delivery));
        message.precedence == Precedence::Flash
            || !self.outbox.flash_is_due(now.mono, &self.state, &self.config.policy, &ports, &open.link, entry)
    }

    /// The port has taken the last byte.
    pub(super) fn transmitted(&mut self, now: Now, id: TransmitId) {
        let found = self.outbox.outstanding.iter().find(|(_, o)| o.stage == Stage::Released { last: id });
        let Some((link, attempt)) = found.map(|(link, outstanding)| (link.clone(), outstanding.attempt)) else {
            return;
        };
        let Some(open) = self.state.attempts.get(&attempt).cloned() else { return };
        let Some(limits) = self.sessions.get(&link).map(|session| session.limits().clone()) else { return };
        let one_row = self.air_plan(open.id, open.delivery).is_none_or(|plan| plan.stream.rows() == 1);
        if one_row && !open.is_frame() {
            self.raise(now, open.id, open.delivery, Rung::Taken, &format!("attempt {}", attempt.0));
        }
        if let Some(pending) = self.outbox.pending.get_mut(&(open.id, open.delivery)) {
            pending.leg_mut(&open.terminal).unwritten = 0;
        }
        if let Some(card) = self.outbox.cards.get_mut(&open.card_key()) {
            card.sends += 1;
        }
        self.spend(now, &open, SlotReason::Sent);
        if let Some(within) = limits.feedback_within {
            let stage = Stage::Taken { until: now.mono.after(within.max(Duration::from_secs(1))) };
            self.outbox.outstanding.insert(link, Outstanding { attempt, stage });
            return;
        }
        self.outbox.outstanding.remove(&link);
        self.outbox.touch();
        match limits.delivery_within {
            Some(within) => {
                self.outbox.awaited.insert(attempt, now.mono.after(within));
            }
            None => self.end_attempt(now, attempt, AttemptOutcome::Written),
        }
    }

    pub(super) fn transmit_failed(&mut self, now: Now, id: TransmitId, why: TransmitTrouble) {
        // Of an attempt of several frames only the last is followed: numbers before it are lower.
        let released = |stage: Stage| matches!(stage, Stage::Released { last } if last == id);
        let found = self.outbox.outstanding.values().find(|o| released(o.stage)).map(|o| o.attempt);
        let Some(attempt) = found else { return };
        let outcome = match why {
            TransmitTrouble::NotWritten => AttemptOutcome::NotWritten,
            TransmitTrouble::Unknown => AttemptOutcome::Silent,
        };
        self.end_attempt(now, attempt, outcome);
    }

    /// What is known of the send on a link that has just gone down.
    pub(super) fn lost_outcome(&self, link: &LinkId) -> AttemptOutcome {
        match self.outbox.outstanding.get(link).map(|outstanding| outstanding.stage) {
            Some(Stage::Recorded) | None => AttemptOutcome::Withdrawn,
            Some(Stage::Carried { begun: false, .. }) => AttemptOutcome::NotWritten,
            Some(Stage::Carried { .. } | Stage::Released { .. } | Stage::Taken { .. }) => AttemptOutcome::Silent,
        }
    }

    /// A group text in the air on this link: the network's word on it carries no number.
    pub(super) fn awaited_group(&self, link: &LinkId) -> Option<AttemptId> {
        let is_group = |open: &&OpenAttempt| {
            let delivery = self.state.delivery(open.id, open.delivery);
            open.link == *link && delivery.is_some_and(|delivery| delivery.group)
        };
        let awaited = self.outbox.awaited.keys().filter_map(|attempt| self.state.attempts.get(attempt));
        awaited.filter(is_group).map(|open| open.attempt).next()
    }

    /// Attempts on which nobody has said anything in time.
    pub(super) fn time_out_attempts(&mut self, now: Now) {
        let silent = |stage: Stage| matches!(stage, Stage::Taken { until } if until <= now.mono);
        let outstanding = self.outbox.outstanding.values().filter(|o| silent(o.stage)).map(|o| o.attempt);
        let awaited = self.outbox.awaited.iter().filter(|(_, until)| **until <= now.mono).map(|(attempt, _)| *attempt);
        let over: Vec<AttemptId> = outstanding.chain(awaited).collect();
        let stuck = self.outbox.outstanding.iter().filter_map(|(link, o)| match o.stage {
            Stage::Carried { until, .. } if until <= now.mono => Some((link.clone(), o.attempt)),
            _ => None,
        });
        for (link, attempt) in stuck.collect::<Vec<_>>() {
            let outcome = self.lost_outcome(&link);
            self.end_attempt(now, attempt, outcome);
        }
        for attempt in over {
            let group =
                self.state.attempts.get(&attempt).is_some_and(|open| {
                    self.state.delivery(open.id, open.delivery).is_some_and(|delivery| delivery.group)
                });
            // A group is never confirmed: that its text was written is all that can be known.
            self.end_attempt(now, attempt, if group { AttemptOutcome::Written } else { AttemptOutcome::Silent });
        }
    }

    /// Takes the outcome of an attempt: journal, slot, rung, and what follows for the delivery.
    pub(super) fn end_attempt(&mut self, now: Now, attempt: AttemptId, outcome: AttemptOutcome) {
        let open = self.state.attempts.get(&attempt).or_else(|| self.state.silent.get(&attempt)).cloned();
        let Some(open) = open else { return };
        let (name, code, wait_ms) = outcome_words(outcome);
        let record = journal::AttemptEnded { attempt: attempt.0, outcome: name.into(), code, wait_ms };
        self.append(now, What::AttemptEnded(record));
        self.outbox.awaited.remove(&attempt);
        if self.outbox.outstanding.get(&open.link).is_some_and(|o| o.attempt == attempt) {
            self.outbox.outstanding.remove(&open.link);
        }
        if outcome == AttemptOutcome::Silent {
            self.unanswered.insert(open.link.clone(), (attempt, now.mono));
        }
        self.count_evidence(now, &open, outcome);
        if outcome == AttemptOutcome::NotWritten
            && let Some(pending) = self.outbox.pending.get_mut(&(open.id, open.delivery))
        {
            // A port that takes nothing is asked ever less often: each try is two records.
            let leg = pending.leg_mut(&open.terminal);
            leg.unwritten = leg.unwritten.saturating_add(1);
            leg.not_before = now.mono.after(write_gap(leg.unwritten));
        }
        self.settle_slot(now, &open, outcome);
        self.count_row(now, &open, outcome);
        self.tell(Event::AttemptEnded { attempt, link: open.link.clone(), outcome });
        self.follow_up(now, &open);
        self.outbox.touch();
    }

    /// Whether a far terminal that confirms by itself has confirmed. Stations answer with receipts.
    fn count_evidence(&mut self, now: Now, open: &OpenAttempt, outcome: AttemptOutcome) {
        let to_terminal = self.state.delivery(open.id, open.delivery).is_some_and(|d| d.station.is_none() && !d.group);
        let far = Far::Terminal(open.terminal.clone());
        match outcome {
            AttemptOutcome::Delivered { delivered: true, .. } => self.evidence.heard(&far),
            AttemptOutcome::Silent | AttemptOutcome::Delivered { delivered: false, .. } if to_terminal => {
                self.evidence.sent(now.mono, far);
            }
            _ => {}
        }
    }

    /// A row that may be out: its stream goes on. A frame that is no message's: its word is said, or not.
    fn count_row(&mut self, now: Now, open: &OpenAttempt, outcome: AttemptOutcome) {
        let may_be_out = matches!(
            outcome,
            AttemptOutcome::Said(Outcome::Radiated)
                | AttemptOutcome::Written
                | AttemptOutcome::Delivered { .. }
                | AttemptOutcome::Silent
        );
        if open.is_frame() {
            self.frame_ended(now, open, may_be_out);
        } else if may_be_out {
            self.row_out(now, open.id, open.delivery, &open.link, &open.terminal);
        }
    }

    /// The rung that the outcome proves, the end it brings, and when the next try is due.
    fn follow_up(&mut self, now: Now, open: &OpenAttempt) {
        if open.is_frame() {
            return;
        }
        let Some(message) = self.state.message(open.id) else { return };
        let Some(delivery) = message.delivery(open.delivery) else { return };
        let proven = delivery.proven();
        self.raise(now, open.id, open.delivery, proven, &format!("attempt {}", open.attempt.0));
        if proven >= Rung::Delivered {
            let ended = self.state.delivery(open.id, open.delivery);
            if ended.is_none_or(|delivery| !matches!(delivery.end, Some(End::Delivered | End::Read | End::Answered))) {
                self.end_delivery(now, open.id, open.delivery, End::Delivered, "对端设备已确认");
            }
            return;
        }
        self.delay_legs(now, open);
        self.retire(open.id, open.delivery);
    }

    /// After a complete round every way waits its gap; FLASH waits only where it was sent.
    fn delay_legs(&mut self, now: Now, open: &OpenAttempt) {
        let Some(message) = self.state.message(open.id) else { return };
        let Some(delivery) = message.delivery(open.delivery) else { return };
        let Some(parts) = delivery.plans.get(&open.terminal) else { return };
        if !round_is_complete(parts) {
            return;
        }
        let rounds = parts.iter().map(|part| u32::from(part.spent)).min().unwrap_or(1);
        let proves = self.ports().get(&open.link).is_some_and(|port| port.proves);
        let slot = self.outbox.cards.get(&open.card_key()).map_or(Duration::from_secs(60), |card| card.slot);
        let not_before = now.mono.after(leg_gap(proves, rounds, slot));
        let everywhere = message.precedence != Precedence::Flash;
        let terminals: Vec<TerminalId> =
            delivery.terminals.iter().filter(|t| everywhere || **t == open.terminal).cloned().collect();
        if let Some(pending) = self.outbox.pending.get_mut(&(open.id, open.delivery)) {
            for terminal in &terminals {
                let leg = pending.leg_mut(terminal);
                leg.not_before = leg.not_before.max(not_before);
            }
        }
    }

    /// A delivery with nothing left to send leaves the queue; evidence or its life's end closes it.
    pub(super) fn retire(&mut self, id: MessageId, number: u16) {
        let Some(pending) = self.outbox.pending.get(&(id, number)) else { return };
        let Some(message) = self.state.message(id) else { return };
        let Some(delivery) = message.delivery(number) else { return };
        let copies = copies_max(&self.config.policy, message);
        let ports = self.ports();
        let open = delivery.terminals.iter().any(|terminal| {
            let proves = ports.values().any(|port| port.proves && port.coverage.has(terminal));
            leg_is_open(delivery, terminal, copies, proves, pending.leg(terminal))
        });
        if !open {
            self.outbox.pending.remove(&(id, number));
        }
    }

    /// What an outcome means for the card's slot.
    fn settle_slot(&mut self, now: Now, open: &OpenAttempt, outcome: AttemptOutcome) {
        match outcome {
            AttemptOutcome::Said(Outcome::TooEarly { wait: Some(wait) }) => {
                let wait = wait.max(Duration::from_secs(1)) + TOLD_MARGIN;
                self.free_card(open, now.mono.after(wait), SlotReason::Told { wait });
            }
            AttemptOutcome::Said(
                Outcome::Radiated | Outcome::TooEarly { .. } | Outcome::CorruptCommand | Outcome::Refused { .. },
            )
            | AttemptOutcome::Silent => self.spend(now, open, SlotReason::Sent),
            AttemptOutcome::Said(held) => self.hold_cards(now, &open.link, held),
            AttemptOutcome::NotWritten => self.free_card(open, now.mono.after(TOLD_MARGIN), SlotReason::Sent),
            AttemptOutcome::Written
            | AttemptOutcome::Delivered { .. }
            | AttemptOutcome::Crashed
            | AttemptOutcome::Withdrawn => {}
        }
    }

    /// A slot is taken as spent now: the latest moment at which the terminal can have radiated.
    fn spend(&mut self, now: Now, open: &OpenAttempt, why: SlotReason) {
        let Some(card) = self.outbox.cards.get_mut(&open.card_key()) else { return };
        card.hold = None;
        card.free_at = card.free_at.max(now.mono.after(card.slot));
        let free_at = card.free_at;
        self.tell(Event::SlotSpent { link: open.link.clone(), free_at, why });
    }

    fn free_card(&mut self, open: &OpenAttempt, free_at: Instant, why: SlotReason) {
        let Some(card) = self.outbox.cards.get_mut(&open.card_key()) else { return };
        card.free_at = free_at;
        self.tell(Event::SlotSpent { link: open.link.clone(), free_at, why });
    }

    /// The terminal cannot send now: its cards are tried again later, or when it says that the trouble is over.
    pub(super) fn hold_cards(&mut self, now: Now, link: &LinkId, outcome: Outcome) {
        let again = match outcome {
            Outcome::NoSignal => Duration::from_secs(30),
            Outcome::LowBattery => Duration::from_secs(60),
            Outcome::Suppressed => Duration::from_secs(120),
            Outcome::CardUnusable => Duration::from_secs(300),
            Outcome::Silence => Duration::from_secs(600),
            _ => return,
        };
        let free_at = now.mono.after(again);
        for (_, card) in self.outbox.cards.0.iter_mut().filter(|(key, _)| key.link == *link) {
            card.hold = Some(outcome);
            card.free_at = card.free_at.max(free_at);
        }
        self.tell(Event::SlotSpent { link: link.clone(), free_at, why: SlotReason::Held(outcome) });
    }

    pub(super) fn lift_holds(&mut self, now: Now, link: &LinkId) {
        for (_, card) in self.outbox.cards.0.iter_mut().filter(|(key, _)| key.link == *link) {
            if card.hold.take().is_some() {
                card.free_at = card.free_at.min(now.mono.after(card.slot));
            }
        }
        self.outbox.touch();
    }
}

/// Our number for an attempt on a bearer: they number with 32 bits at most, and some take 0 for "none".
pub(super) fn native_of(attempt: AttemptId) -> u32 {
    u32::try_from(attempt.0 & 0x7FFF_FFFF).unwrap_or(1).max(1)
}

/// An outcome as records write it: name, code, wait.
fn outcome_words(outcome: AttemptOutcome) -> (&'static str, u32, u64) {
    match outcome {
        AttemptOutcome::Said(said) => match said {
            Outcome::Radiated | Outcome::SuppressionLifted => ("radiated", 0, 0),
            Outcome::TooEarly { wait } => {
                ("too_early", 0, wait.map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
            }
            Outcome::NoSignal => ("no_signal", 0, 0),
            Outcome::Suppressed => ("suppressed", 0, 0),
            Outcome::Silence => ("silence", 0, 0),
            Outcome::LowBattery => ("low_battery", 0, 0),
            Outcome::CardUnusable => ("card_unusable", 0, 0),
            Outcome::CorruptCommand => ("corrupt_command", 0, 0),
            Outcome::Refused { code } => ("refused", code.into(), 0),
        },
        AttemptOutcome::Written => ("written", 0, 0),
        AttemptOutcome::Delivered { code, delivered: true } => ("delivered", code.into(), 0),
        AttemptOutcome::Delivered { code, delivered: false } => ("not_delivered", code.into(), 0),
        AttemptOutcome::Silent => ("silent", 0, 0),
        AttemptOutcome::NotWritten => ("not_written", 0, 0),
        AttemptOutcome::Crashed => ("crashed", 0, 0),
        AttemptOutcome::Withdrawn => ("withdrawn", 0, 0),
    }
}
