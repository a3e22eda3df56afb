//! What people and programs ask for.

use super::Engine;
use super::admit::Applicant;
use super::keep::routed_record;
use super::typed::Typed;
use crate::bus::journal::{self, record::What};
use crate::bus::{Gated, id_to_u64};
use crate::event::{End, Event, HoldReason};
use crate::io::{Offset, Recipient, Refusal, Reply, Request, SendKind, Ticket};
use crate::outbox::Cards;
use crate::people::{Roster, Topic};
use crate::route::{self, Target};
use crate::time::Now;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::receipt::Human;
use yizhan_codecs::codec::EncodeError;
use yizhan_codecs::message::{Answer, MessageId, Precedence, Rung, TerminalId};

/// A text to be sent, checked.
struct Sending {
    to: String,
    targets: Vec<Target>,
    text: String,
    /// What the text says as a form.
    typed: Typed,
    precedence: Precedence,
    kind: SendKind,
    exercise: bool,
    in_reply_to: Option<MessageId>,
    supersedes: Option<MessageId>,
    by: String,
}

impl Sending {
    /// What a plain terminal gets.
    fn shown(&self) -> &str {
        if self.typed.words.is_empty() { &self.text } else { &self.typed.words }
    }
}

/// Who speaks when the station speaks by itself.
pub(super) const OWN_NAME: &str = "驿站";

/// What the station says by itself.
pub(super) struct OwnWords {
    pub text: String,
    pub precedence: Precedence,
    pub supersedes: Option<MessageId>,
    /// What is told to people when it could not be sent.
    pub failed: &'static str,
}

impl Engine {
    pub(super) fn submit(&mut self, now: Now, ticket: Ticket, request: Request) {
        match self.answer_request(now, request) {
            // It promises nothing, so it waits for nothing.
            Ok(reply @ Reply::Forecast(_)) => self.outputs.push_back(crate::io::Output::Reply { ticket, reply }),
            Ok(reply) => self.hold(now, Gated::Reply { ticket, reply }),
            Err(refusal) => {
                self.outputs.push_back(crate::io::Output::Reply { ticket, reply: Reply::Refused(refusal) });
            }
        }
    }

    fn answer_request(&mut self, now: Now, request: Request) -> Result<Reply, Refusal> {
        if self.poisoned.is_some() {
            return Err(Refusal::Poisoned);
        }
        match request {
            Request::Send { to, text, precedence, kind, exercise, in_reply_to, supersedes, by } => {
                let (to, targets) = self.resolve(to)?;
                let (kind, typed) = self.typed_here(kind, &text)?;
                let sending =
                    Sending { to, targets, text, typed, precedence, kind, exercise, in_reply_to, supersedes, by };
                let recipients = sending.targets.len();
                let id = self.send_text(now, sending)?;
                let forecast = self.foretell(now, id);
                Ok(Reply::Accepted { id, offset: self.state.offset, recipients, forecast })
            }
            Request::Forecast { to, text, precedence, kind, exercise, by } => {
                let (to, targets) = self.resolve(to)?;
                let (kind, typed) = self.typed_here(kind, &text)?;
                let (in_reply_to, supersedes) = (None, None);
                let sending =
                    Sending { to, targets, text, typed, precedence, kind, exercise, in_reply_to, supersedes, by };
                self.forecast_text(now, sending)
            }
            Request::Cancel { id, by } => self.cancel(now, id, &by),
            Request::MarkRead { id, by } => {
                let message = self.state.message(id).ok_or(Refusal::UnknownMessage { id })?;
                if message.from.is_none() {
                    return Err(Refusal::OwnMessage { id });
                }
                self.append(now, What::MarkedRead(journal::MarkedRead { id: id_to_u64(id), by }));
                self.owe_human(now, id, Human::Read);
                Ok(self.done())
            }
            Request::Confirm { id, by } => self.confirm(now, id, by),
            Request::Answer { id, answer, by } => self.answer_station(now, id, answer, by),
            Request::NoteAnswer { id, person, answer, by } => self.note_answer(now, id, &person, answer, &by),
            Request::CarryOut { to, by } => self.carry_out(now, &to, by),
            Request::CarryIn { frames, .. } => Ok(self.carry_in(now, frames)),
            Request::ImportRoster { roster, by } => self.import_roster(now, &roster, by),
            Request::CloseSos { id, by } => self.close_sos(now, id, by),
        }
    }

    const fn done(&self) -> Reply {
        Reply::Done { offset: self.state.offset }
    }

    fn known(&self, id: MessageId) -> Result<(), Refusal> {
        self.state.message(id).map(|_| ()).ok_or(Refusal::UnknownMessage { id })
    }

    fn resolve(&self, to: Recipient) -> Result<(String, Vec<Target>), Refusal> {
        let targets = route::resolve(self.state.roster(), &to, &self.reached())?;
        if let Recipient::Terminal(name) = &to
            && targets.iter().flat_map(|target| &target.terminals).any(|terminal| self.is_own_card(terminal))
        {
            return Err(Refusal::ThisStation { name: name.clone() });
        }
        let (Recipient::Person(name) | Recipient::Group(name) | Recipient::Terminal(name)) = to;
        Ok((name, targets))
    }

    fn send_text(&mut self, now: Now, sending: Sending) -> Result<MessageId, Refusal> {
        self.check(now, &sending)?;
        let id = self.take_id(now).ok_or(Refusal::IdsExhausted)?;
        let offset: Offset = self.append(now, What::MessageKept(self.kept_record(id, &sending)));
        if let Some(old) = sending.supersedes {
            self.end_open(now, old, End::Superseded, &format!("由 {id} 更新"));
            // What it said is void: nobody need answer it.
            self.stations.asks.retain(|(asked, _), _| *asked != old);
        }
        self.route(now, id, &sending.targets);
        self.replace_older(now, id);
        self.hold(now, Gated::Tell(Event::MessageAccepted { id, offset, precedence: sending.precedence }));
        Ok(id)
    }

    /// What would be told of a text, under the number that it would get.
    fn forecast_text(&self, now: Now, sending: Sending) -> Result<Reply, Refusal> {
        self.check(now, &sending)?;
        let counter = self.state.id_last.checked_add(1).ok_or(Refusal::IdsExhausted)?;
        let id = MessageId { station: self.config.station, counter };
        let routed = routed_record(id, &sending.targets);
        Ok(Reply::Forecast(self.foretell_dry(now, self.kept_record(id, &sending), routed)?))
    }

    fn kept_record(&self, id: MessageId, sending: &Sending) -> journal::MessageKept {
        let life = self.config.policy.life.of(sending.precedence);
        journal::MessageKept {
            id: id_to_u64(id),
            by: sending.by.clone(),
            to: sending.to.clone(),
            text: sending.text.clone(),
            topic: if sending.typed.is_line { Topic::Form } else { Topic::Text }.name().into(),
            precedence: sending.precedence.name().into(),
            kind: kind_name(sending.kind).into(),
            exercise: sending.exercise,
            in_reply_to: sending.in_reply_to.map_or(0, id_to_u64),
            supersedes: sending.supersedes.map_or(0, id_to_u64),
            life_ms: u64::try_from(life.as_millis()).unwrap_or(u64::MAX),
            words: sending.typed.words.clone(),
            form: sending.typed.json.clone(),
            ..journal::MessageKept::default()
        }
    }

    fn check(&self, now: Now, sending: &Sending) -> Result<(), Refusal> {
        if sending.text.trim().is_empty() {
            return Err(Refusal::Empty);
        }
        let (found, max) = (sending.text.chars().count(), self.config.policy.text_chars_max);
        if found > max {
            return Err(Refusal::TooLong { found, max });
        }
        for id in [sending.in_reply_to, sending.supersedes].into_iter().flatten() {
            self.known(id)?;
        }
        if self.room_for(sending.precedence) < sending.targets.len() {
            let (held, max) = (self.outbox.pending.len(), self.config.policy.outbox_max);
            return Err(Refusal::OutboxFull { held, max, precedence: sending.precedence });
        }
        self.within_share(
            now,
            &Applicant {
                by: &sending.by,
                precedence: sending.precedence,
                kind: sending.kind,
                relayed: false,
                wanted: u64::try_from(sending.targets.len()).unwrap_or(u64::MAX),
            },
        )?;
        self.check_all_carried(sending)
    }

    /// Somebody must be able to read a text. Of a group the others get it, and the delivery to whom nothing leads ends with
    /// that reason.
    fn check_all_carried(&self, sending: &Sending) -> Result<(), Refusal> {
        let (mut is_carried, mut without_way) = (false, None);
        for target in &sending.targets {
            match self.check_carried(target, sending) {
                Ok(()) => is_carried = true,
                Err(refusal @ (Refusal::NoText { .. } | Refusal::NoNet { .. })) => without_way = Some(refusal),
                Err(refusal) => return Err(refusal),
            }
        }
        without_way.filter(|_| !is_carried).map_or(Ok(()), Err)
    }

    /// Every recipient must have a terminal that can carry the characters at all.
    fn check_carried(&self, target: &Target, sending: &Sending) -> Result<(), Refusal> {
        let text = sending.shown();
        let mut refused = None;
        if target.station.is_some() {
            // Packed text carries every character, but none is sent unsealed.
            let traffic = if sending.exercise { Traffic::Exercise } else { Traffic::Real };
            let name = target.person.clone().unwrap_or_else(|| sending.to.clone());
            return self.net(traffic).map(|_| ()).ok_or(Refusal::NoNet { name, traffic });
        }
        for terminal in &target.terminals {
            for session in self.sessions.values().filter(|session| session.coverage().has(terminal)) {
                match session.measure(text) {
                    Err(EncodeError::Charset(found)) => {
                        refused = Some(Refusal::Charset { found, bearer: terminal.bearer });
                    }
                    // A character can be changed; so that is said first.
                    Err(EncodeError::NoText) => {
                        refused = refused.or(Some(Refusal::NoText { bearer: terminal.bearer }));
                    }
                    _ => return Ok(()),
                }
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Places left for a precedence: the lower it is, the earlier it finds the outbox full.
    pub(super) fn room_for(&self, precedence: Precedence) -> usize {
        let policy = &self.config.policy;
        let open = policy.outbox_max.saturating_sub(policy.flash_reserved);
        let limit = match precedence {
            Precedence::Flash => policy.outbox_max,
            Precedence::Immediate => open,
            Precedence::Priority => open - open / 8,
            Precedence::Routine => open - open / 4,
        };
        limit.saturating_sub(self.outbox.pending.len())
    }

    /// Answers a plain terminal's SOS by itself, so that the person knows that it was received.
    pub(super) fn answer_sos(&mut self, now: Now, sos: MessageId, to: &TerminalId) {
        let words = OwnWords {
            text: "已收到求救，请保持待命".into(),
            precedence: Precedence::Immediate,
            supersedes: None,
            failed: "求救自动回复未发",
        };
        self.answer_by_itself(now, sos, to, words);
    }

    /// Says something to the sender of a message that no person has to say.
    pub(super) fn answer_by_itself(&mut self, now: Now, about: MessageId, to: &TerminalId, words: OwnWords) {
        let exercise = self.state.message(about).is_some_and(|message| message.traffic == Traffic::Exercise);
        let person = self.state.roster().holder(to).map(|person| person.id.clone());
        let sending = Sending {
            to: to.to_string(),
            targets: vec![Target { person, terminals: vec![to.clone()], ..Target::default() }],
            text: words.text,
            typed: Typed::default(),
            precedence: words.precedence,
            kind: SendKind::Text,
            exercise,
            in_reply_to: Some(about),
            supersedes: words.supersedes,
            by: OWN_NAME.into(),
        };
        if let Err(refusal) = self.send_text(now, sending) {
            let link = self.state.message(about).and_then(|message| message.link.clone());
            if let Some(link) = link {
                self.tell(Event::Remarked { link, what: words.failed, detail: refusal.label() });
            }
        }
    }

    fn cancel(&mut self, now: Now, id: MessageId, by: &str) -> Result<Reply, Refusal> {
        self.known(id)?;
        let sent = self.state.message(id).is_some_and(|message| message.deliveries.iter().any(|d| d.spent() > 0));
        let reason = if sent {
            format!("{by} 撤销：已发出的收不回，只是不再重发")
        } else {
            format!("{by} 撤销")
        };
        if self.end_open(now, id, End::Cancelled, &reason) == 0 {
            return Err(Refusal::AlreadyEnded { id });
        }
        Ok(self.done())
    }

    /// Ends every open delivery of a message; gives how many there were.
    pub(super) fn end_open(&mut self, now: Now, id: MessageId, end: End, reason: &str) -> usize {
        let open: Vec<u16> =
            self.state.open.iter().filter(|(open, _)| *open == id).map(|(_, number)| *number).collect();
        for delivery in &open {
            self.end_delivery(now, id, *delivery, end, reason);
        }
        open.len()
    }

    fn confirm(&mut self, now: Now, id: MessageId, by: String) -> Result<Reply, Refusal> {
        let message = self.state.message(id).ok_or(Refusal::UnknownMessage { id })?;
        let why = message.held.ok_or(Refusal::NothingToConfirm { id })?;
        let (from, topic) = (message.from.clone(), message.topic);
        self.append(now, What::Confirmed(journal::Confirmed { id: id_to_u64(id), by }));
        if let (HoldReason::SosFlood, Some(from)) = (why, from) {
            let targets = self.relayed_to(&from, topic);
            self.route(now, id, &targets);
        }
        self.outbox.touch();
        Ok(self.done())
    }

    fn note_answer(
        &mut self,
        now: Now,
        id: MessageId,
        person: &str,
        answer: Answer,
        by: &str,
    ) -> Result<Reply, Refusal> {
        let message = self.state.message(id).ok_or(Refusal::UnknownMessage { id })?;
        let who = self.state.roster().person(person).map(|person| person.id.clone());
        let index = message.deliveries.iter().position(|delivery| {
            (who.is_some() && delivery.person == who) || delivery.terminals.iter().any(|t| t.to_string() == person)
        });
        let number = index.and_then(|index| u16::try_from(index).ok());
        let number = number.ok_or_else(|| Refusal::UnknownRecipient { name: person.into() })?;
        self.answered(now, id, number, answer, by);
        Ok(self.done())
    }

    /// A person here answers a message of another station.
    fn answer_station(&mut self, now: Now, id: MessageId, answer: Answer, by: String) -> Result<Reply, Refusal> {
        self.known(id)?;
        if !self.owe_human(now, id, super::stations::human_of(answer)) {
            return Err(Refusal::NotFromStation { id });
        }
        self.append(now, What::MarkedRead(journal::MarkedRead { id: id_to_u64(id), by }));
        Ok(self.done())
    }

    fn import_roster(&mut self, now: Now, roster: &Roster, by: String) -> Result<Reply, Refusal> {
        roster.validate()?;
        if let Some((id, terminal)) = self.holder_of_own_card(roster) {
            return Err(Refusal::OwnCard { id, terminal });
        }
        #[expect(clippy::expect_used, reason = "writing plain data to memory cannot fail")]
        let json = serde_json::to_string(roster).expect("a roster is plain data");
        self.append(now, What::RosterImported(journal::RosterImported { json, by }));
        Ok(self.done())
    }

    /// A person who is given a card that is in this station's own terminal.
    pub(super) fn holder_of_own_card(&self, roster: &Roster) -> Option<(String, TerminalId)> {
        let given = roster.people.iter().flat_map(|person| person.terminals.iter().map(|t| (&person.id, &t.0)));
        let own = given.into_iter().find(|(_, terminal)| self.is_own_card(terminal));
        own.map(|(id, terminal)| (id.clone(), terminal.clone()))
    }

    /// Whether a number is that of a card in this station's own terminal.
    fn is_own_card(&self, terminal: &TerminalId) -> bool {
        self.sessions.values().filter(|session| session.limits().bearer == terminal.bearer).any(|session| {
            let mut cards = self.outbox.cards.on(&session.link).filter(|(key, card)| Cards::is_there(key, card));
            cards.any(|(key, _)| key.number == terminal.number())
        })
    }

    fn close_sos(&mut self, now: Now, id: MessageId, by: String) -> Result<Reply, Refusal> {
        self.known(id)?;
        let open = self.state.sos.iter().find(|(_, open)| **open == id).map(|((from, _), _)| from.to_string());
        let from = open.ok_or(Refusal::NotOpenSos { id })?;
        self.append(now, What::SosChanged(journal::SosChanged { id: id_to_u64(id), what: "closed".into(), from, by }));
        self.hold(now, Gated::Tell(Event::SosClosed { id }));
        Ok(self.done())
    }

    /// Ends a delivery with a reason that a person can read, and stops whatever it still had to send.
    pub(super) fn end_delivery(&mut self, now: Now, id: MessageId, delivery: u16, end: End, reason: &str) {
        let record = journal::DeliveryEnded {
            id: id_to_u64(id),
            delivery: delivery.into(),
            end: end.name().into(),
            reason: reason.into(),
        };
        self.append(now, What::DeliveryEnded(record));
        self.outbox.pending.remove(&(id, delivery));
        let closed = self.state.message(id).is_some_and(crate::bus::Message::is_closed);
        if closed {
            self.deadlines.remove(&id);
        }
        let rung = self.delivery_rung(id, delivery);
        self.tell(Event::DeliveryEnded { id, delivery, end, rung });
        if closed {
            self.tell_sender(now, id);
        }
    }

    /// Raises the highest rung proven; lower ones change nothing.
    pub(super) fn raise(&mut self, now: Now, id: MessageId, delivery: u16, rung: Rung, by: &str) {
        if rung <= self.delivery_rung(id, delivery) {
            return;
        }
        let answer = if let Rung::Answered(answer) = rung { answer.name() } else { "" };
        let record = journal::RungRaised {
            id: id_to_u64(id),
            delivery: delivery.into(),
            rung: rung.name().into(),
            answer: answer.into(),
            by: by.into(),
        };
        self.append(now, What::RungRaised(record));
        self.tell(Event::RungReached { id, delivery, rung });
    }

    pub(super) fn delivery_rung(&self, id: MessageId, delivery: u16) -> Rung {
        self.state.delivery(id, delivery).map_or(Rung::Waiting, |delivery| delivery.rung)
    }
}

const fn kind_name(kind: SendKind) -> &'static str {
    match kind {
        SendKind::Text => "text",
        SendKind::Order => "order",
        SendKind::Warning => "warning",
        SendKind::Form => "form",
    }
}
