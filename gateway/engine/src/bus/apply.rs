//! The fold: what each record changes. It decides nothing and reads no clock, config or policy.

use super::apply_stations::{numbers, traffic};
use super::journal::{self, record::What};
use super::message::{id_from_u64, rung_from_name};
use super::state::OriginKey;
use super::{CardFact, CardKey, Contact, Delivery, Message, OpenAttempt, PartState, Partial, State, Voucher};
use crate::event::{AttemptId, End, HoldReason};
use crate::io::{Offset, SendKind};
use crate::people::{Roster, Topic};
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::message::{LinkId, MessageId, Position, Precedence, Rung, StationId, TerminalId, Utc};

/// Why a record could not be folded in: the journal is from another version, or damaged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ApplyError {
    #[error("record {found} does not follow {expected}")]
    Order { expected: u64, found: u64 },
    #[error("record {at}: field {field} is unreadable")]
    Field { at: u64, field: &'static str },
}

/// Terminals remembered, at most.
const CONTACTS_MAX: usize = 25_000;

pub(super) type Folded = Result<(), &'static str>;

impl State {
    /// Folds one record in.
    ///
    /// # Errors
    /// [`ApplyError`] when the record is not the next one or cannot be read; the state is unchanged then as far as
    /// that record goes.
    pub fn apply(&mut self, offset: Offset, record: &journal::Record) -> Result<(), ApplyError> {
        if offset.0 != self.offset.0 + 1 {
            return Err(ApplyError::Order { expected: self.offset.0 + 1, found: offset.0 });
        }
        if let Some(what) = &record.what {
            self.fold(offset, record.at_ms, what).map_err(|field| ApplyError::Field { at: offset.0, field })?;
        }
        self.offset = offset;
        self.wall_last_ms = self.wall_last_ms.max(record.at_ms);
        Ok(())
    }

    fn fold(&mut self, offset: Offset, at_ms: i64, what: &What) -> Folded {
        match what {
            What::RosterImported(r) => self.fold_roster(r)?,
            What::IdsReserved(r) => self.ids_through = r.through,
            What::CardLearned(r) => self.fold_card(r),
            What::MessageKept(r) => self.fold_message(offset, at_ms, r)?,
            What::PartKept(r) => self.fold_part(at_ms, r)?,
            What::Routed(r) => self.fold_route(r)?,
            What::PartsPlanned(r) => self.fold_plan(r)?,
            What::Attempted(r) => self.fold_attempt(at_ms, r)?,
            What::AttemptEnded(r) => self.fold_attempt_end(r),
            What::AttemptProgressed(r) => self.fold_attempt_progress(r)?,
            What::RungRaised(r) => self.fold_rung(at_ms, r)?,
            What::DeliveryEnded(r) => self.fold_end(at_ms, r)?,
            What::ForecastMade(r) => self.fold_forecast(at_ms, r)?,
            What::CopyCounted(r) => {
                if let Some(message) = self.message_mut(r.id)? {
                    message.copies = message.copies.saturating_add(1);
                }
            }
            What::Held(r) => {
                let hold = if r.why == "age_unknown" { HoldReason::AgeUnknown } else { HoldReason::SosFlood };
                if let Some(message) = self.message_mut(r.id)? {
                    message.held = Some(hold);
                }
            }
            What::Confirmed(r) => {
                if let Some(message) = self.message_mut(r.id)? {
                    message.held = None;
                }
            }
            What::SosChanged(r) => self.fold_sos(r)?,
            What::MarkedRead(r) => {
                if let Some(message) = self.message_mut(r.id)?
                    && !message.read_by.contains(&r.by)
                {
                    message.read_by.push(r.by.clone());
                }
            }
            What::PositionMoved(r) => {
                let contact = self.contact_mut(&r.terminal)?;
                contact.position = r.fix.as_ref().map(position_from);
            }
            What::PresenceChanged(r) => self.contact_mut(&r.terminal)?.present = Some(r.present),
            What::Downgraded(r) => {
                if let Some(message) = self.message_mut(r.id)? {
                    message.precedence = Precedence::Immediate;
                    message.downgraded = true;
                    message.life_ms = message.life_ms.saturating_add(r.life_ms);
                }
            }
            What::Forgotten(r) => self.fold_forgotten(r)?,
            What::Configured(r) => {
                self.station = u16::try_from(r.station).map_err(|_| "station")?;
                // A process begins: the last one may have used every id it had reserved.
                self.id_last = self.id_last.max(self.ids_through);
            }
            What::LinkChanged(_) | What::Unreadable(_) | What::ClockTrusted(_) => {}
            of_stations => self.fold_of_stations(at_ms, of_stations)?,
        }
        Ok(())
    }

    fn fold_roster(&mut self, r: &journal::RosterImported) -> Folded {
        let roster: Roster = serde_json::from_str(&r.json).map_err(|_| "roster json")?;
        self.roster = Arc::new(roster);
        Ok(())
    }

    fn fold_card(&mut self, r: &journal::CardLearned) {
        let link = LinkId::new(&r.link);
        if r.number.is_empty() {
            return;
        }
        let card = self.cards.entry(CardKey { link, number: r.number.clone() }).or_default();
        *card = CardFact {
            period_ms: r.period_ms,
            capacity_bits: r.capacity_bits,
            broadcast: r.broadcast.clone(),
            subordinates: r.subordinates,
            ..card.clone()
        };
    }

    fn fold_message(&mut self, offset: Offset, at_ms: i64, r: &journal::MessageKept) -> Folded {
        let id = id_from_u64(r.id).ok_or("id")?;
        let from = if r.from.is_empty() { None } else { Some(terminal(&r.from)?) };
        let message = Message {
            id,
            offset,
            at_ms,
            link: from.as_ref().map(|_| LinkId::new(&r.link)),
            by: r.by.clone(),
            to: r.to.clone(),
            text: r.text.clone(),
            words: r.words.clone(),
            form: r.form.clone(),
            opaque: r.opaque.clone(),
            proof: Voucher::from_name(&r.proof),
            topic: topic(&r.topic)?,
            precedence: Precedence::from_name(&r.precedence).ok_or("precedence")?,
            kind: kind(&r.kind)?,
            traffic: if r.exercise { Traffic::Exercise } else { Traffic::Real },
            lossy: r.lossy,
            damaged: r.damaged,
            position: r.position.as_ref().map(position_from),
            in_reply_to: id_from_u64(r.in_reply_to),
            life_ms: r.life_ms,
            deliveries: Vec::new(),
            held: None,
            downgraded: false,
            read_by: Vec::new(),
            copies: 0,
            from: from.clone(),
        };
        if id.station.number() == self.station {
            self.id_last = self.id_last.max(id.counter);
        }
        if let Some(from) = from {
            let content = if r.opaque.is_empty() { r.text.as_bytes() } else { &r.opaque };
            if r.native_repeats_ms > 0 || r.overheard {
                self.origins.insert(OriginKey::new(&from, r.to.clone(), r.native, content), id);
            }
            if r.joined {
                self.partials.remove(&from);
            }
            self.make_room_for(&from);
            let contact = self.contacts.entry(from).or_default();
            *contact = Contact {
                last_message: Some(id),
                last_heard_ms: at_ms,
                link: r.link.clone(),
                position: message.position.or(contact.position),
                joined: if r.joined && r.native > 0 { r.native } else { contact.joined },
                ..contact.clone()
            };
        }
        self.messages.insert(id, message);
        Ok(())
    }

    fn fold_part(&mut self, at_ms: i64, r: &journal::PartKept) -> Folded {
        let partial = self.partials.entry(terminal(&r.from)?).or_default();
        if partial.total != r.total || partial.reference != r.reference {
            let (link, total, reference) = (r.link.clone(), r.total, r.reference);
            *partial = Partial { link, total, reference, first_ms: at_ms, parts: BTreeMap::new() };
        }
        partial.parts.insert(r.part, r.text.clone());
        Ok(())
    }

    fn fold_route(&mut self, r: &journal::Routed) -> Folded {
        let id = id_from_u64(r.id).ok_or("id")?;
        let Some(message) = self.messages.get_mut(&id) else { return Ok(()) };
        for delivery in &r.deliveries {
            let number = u16::try_from(message.deliveries.len()).map_err(|_| "deliveries")?;
            let terminals = delivery.terminals.iter().map(|t| terminal(t)).collect::<Result<_, _>>()?;
            message.deliveries.push(Delivery {
                person: Some(delivery.person.clone()).filter(|person| !person.is_empty()),
                terminals,
                group: delivery.group,
                station: u16::try_from(delivery.station).ok().and_then(StationId::new),
                rung: Rung::Saved,
                ..Delivery::default()
            });
            self.open.insert((id, number));
        }
        Ok(())
    }

    fn fold_plan(&mut self, r: &journal::PartsPlanned) -> Folded {
        let terminal = terminal(&r.terminal)?;
        if let Some(delivery) = self.delivery_mut(r.id, r.delivery)? {
            let part = |text: &String| PartState { text: text.clone(), spent: 0, failed: 0, rung: Rung::Saved };
            delivery.plans.insert(terminal, r.parts.iter().map(part).collect());
        }
        Ok(())
    }

    fn fold_attempt(&mut self, at_ms: i64, r: &journal::Attempted) -> Folded {
        let attempt = OpenAttempt {
            attempt: AttemptId(r.attempt),
            id: id_from_u64(r.id).ok_or("id")?,
            delivery: u16::try_from(r.delivery).map_err(|_| "delivery")?,
            terminal: terminal(&r.terminal)?,
            link: LinkId::new(&r.link),
            card: r.card.clone(),
            part: u16::try_from(r.part).map_err(|_| "part")?,
            native: r.native,
            frame: r.frame.clone(),
            answers: numbers(&r.answers)?,
            traffic: traffic(r.exercise),
        };
        if attempt.is_frame() {
            self.id_last = self.id_last.max(attempt.id.counter);
        }
        self.attempt_last = self.attempt_last.max(r.attempt);
        let card = self.cards.entry(CardKey { link: attempt.link.clone(), number: r.card.clone() }).or_default();
        card.attempted = true;
        card.attempted_ms = at_ms;
        self.attempts.insert(attempt.attempt, attempt);
        Ok(())
    }

    fn fold_attempt_progress(&mut self, r: &journal::AttemptProgressed) -> Folded {
        let rung = rung_from_name(&r.rung, "").ok_or("rung")?;
        let key = AttemptId(r.attempt);
        let attempt = self.attempts.get(&key).or_else(|| self.silent.get(&key)).cloned();
        if let Some(part) = attempt.as_ref().and_then(|attempt| self.part_mut(attempt)) {
            part.rung = part.rung.max(rung);
        }
        Ok(())
    }

    /// What an outcome means for its part. An attempt that may have been radiated is spent; a refusal is not.
    fn fold_attempt_end(&mut self, r: &journal::AttemptEnded) {
        let key = AttemptId(r.attempt);
        let late = self.silent.remove(&key);
        let spent_already = late.is_some();
        let Some(attempt) = self.attempts.remove(&key).or(late) else { return };
        if matches!(r.outcome.as_str(), "silent" | "crashed" | "not_delivered") {
            self.silent.insert(key, attempt.clone());
        }
        let outcome = r.outcome.as_str();
        let may_be_out =
            matches!(outcome, "radiated" | "written" | "delivered" | "not_delivered" | "silent" | "crashed");
        self.fold_air_outcome(&attempt, outcome, may_be_out && !spent_already);
        let Some(part) = self.part_mut(&attempt) else { return };
        let (spent, failed, rung) = match r.outcome.as_str() {
            "radiated" => (1, 0, Rung::Radiated),
            "written" => (1, 0, Rung::Taken),
            "delivered" => (1, 0, Rung::Delivered),
            "not_delivered" => (1, 1, Rung::Taken),
            "silent" | "crashed" => (1, 0, part.rung),
            "corrupt_command" | "refused" | "card_unusable" => (0, 1, part.rung),
            _ => (0, 0, part.rung),
        };
        part.spent = part.spent.saturating_add(if spent_already { 0 } else { spent });
        part.failed = part.failed.saturating_add(failed);
        part.rung = part.rung.max(rung);
    }

    fn part_mut(&mut self, attempt: &OpenAttempt) -> Option<&mut PartState> {
        let message = self.messages.get_mut(&attempt.id)?;
        let delivery = message.deliveries.get_mut(usize::from(attempt.delivery))?;
        delivery.plans.get_mut(&attempt.terminal)?.get_mut(usize::from(attempt.part))
    }

    fn fold_rung(&mut self, at_ms: i64, r: &journal::RungRaised) -> Folded {
        let rung = rung_from_name(&r.rung, &r.answer).ok_or("rung")?;
        if let Some(delivery) = self.delivery_mut(r.id, r.delivery)? {
            delivery.rung = delivery.rung.max(rung);
        }
        self.score_rung(at_ms, r.id, r.delivery, rung)
    }

    fn fold_end(&mut self, at_ms: i64, r: &journal::DeliveryEnded) -> Folded {
        let end = end(&r.end)?;
        self.score_end(at_ms, r.id, r.delivery, end)?;
        let Some(delivery) = self.delivery_mut(r.id, r.delivery)? else { return Ok(()) };
        delivery.end = Some(end);
        delivery.reason.clone_from(&r.reason);
        if let (Some(id), Ok(number)) = (id_from_u64(r.id), u16::try_from(r.delivery)) {
            self.open.remove(&(id, number));
        }
        Ok(())
    }

    fn fold_sos(&mut self, r: &journal::SosChanged) -> Folded {
        let id = id_from_u64(r.id).ok_or("id")?;
        match r.what.as_str() {
            "opened" => {
                let traffic = self.message(id).map_or(Traffic::Real, |message| message.traffic);
                self.sos.insert((terminal(&r.from)?, traffic), id);
            }
            "closed" => self.sos.retain(|_, open| *open != id),
            _ => {}
        }
        Ok(())
    }

    fn fold_forgotten(&mut self, r: &journal::Forgotten) -> Folded {
        for id in &r.ids {
            let id = id_from_u64(*id).ok_or("id")?;
            self.messages.remove(&id);
            self.origins.retain(|_, known| *known != id);
            self.silent.retain(|_, attempt| attempt.id != id);
            self.forget_owed(id);
        }
        Ok(())
    }

    fn message_mut(&mut self, id: u64) -> Result<Option<&mut Message>, &'static str> {
        let id: MessageId = id_from_u64(id).ok_or("id")?;
        Ok(self.messages.get_mut(&id))
    }

    pub(super) fn delivery_mut(&mut self, id: u64, delivery: u32) -> Result<Option<&mut Delivery>, &'static str> {
        let index = usize::try_from(delivery).map_err(|_| "delivery")?;
        Ok(self.message_mut(id)?.and_then(|message| message.deliveries.get_mut(index)))
    }

    fn contact_mut(&mut self, number: &str) -> Result<&mut Contact, &'static str> {
        let terminal = terminal(number)?;
        self.make_room_for(&terminal);
        Ok(self.contacts.entry(terminal).or_default())
    }

    /// Contacts are bounded: the one heard longest ago leaves for a new one.
    fn make_room_for(&mut self, terminal: &TerminalId) {
        if self.contacts.len() < CONTACTS_MAX || self.contacts.contains_key(terminal) {
            return;
        }
        let oldest = self.contacts.iter().min_by_key(|(_, contact)| contact.last_heard_ms).map(|(id, _)| id.clone());
        if let Some(oldest) = oldest {
            self.contacts.remove(&oldest);
        }
    }
}

pub(super) fn terminal(text: &str) -> Result<TerminalId, &'static str> {
    text.parse().map_err(|_| "terminal")
}

fn topic(name: &str) -> Result<Topic, &'static str> {
    Topic::ALL.into_iter().find(|topic| topic.name() == name).ok_or("topic")
}

fn kind(name: &str) -> Result<SendKind, &'static str> {
    match name {
        "" | "text" => Ok(SendKind::Text),
        "order" => Ok(SendKind::Order),
        "warning" => Ok(SendKind::Warning),
        "form" => Ok(SendKind::Form),
        _ => Err("kind"),
    }
}

fn end(name: &str) -> Result<End, &'static str> {
    End::from_name(name).ok_or("end")
}

fn position_from(fix: &journal::Fix) -> Position {
    Position {
        lat_e7: fix.lat_e7,
        lon_e7: fix.lon_e7,
        height_dm: fix.height_dm,
        speed_cm_s: fix.speed_cm_s,
        course_ddeg: fix.course_ddeg.and_then(|course| u16::try_from(course).ok()),
        at: Some(Utc(fix.at_ms)).filter(|at| at.0 != 0),
        datum: yizhan_codecs::message::Datum::Cgcs2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yizhan_codecs::message::Bearer;

    fn record(what: What) -> journal::Record {
        journal::Record { at_ms: 0, what: Some(what) }
    }

    #[test]
    fn records_must_follow_each_other_without_a_gap() {
        let mut state = State::default();
        let reserve = record(What::IdsReserved(journal::IdsReserved { through: 64 }));
        assert_eq!(state.apply(Offset(2), &reserve), Err(ApplyError::Order { expected: 1, found: 2 }));
        state.apply(Offset(1), &reserve).unwrap();
        assert_eq!(state.offset, Offset(1));
    }

    #[test]
    fn a_snapshot_gives_the_same_state_back() {
        let mut state = State::default();
        let part = journal::PartKept {
            from: TerminalId::from_number(Bearer::Beidou, 142_020).to_string(),
            link: "bd".into(),
            part: 1,
            total: 2,
            text: "三号桥".into(),
            reference: 0,
        };
        state.apply(Offset(1), &record(What::PartKept(part))).unwrap();
        assert_eq!(State::from_snapshot(&state.snapshot()), Some(state));
    }
}
