//! What is kept: the laws' own reading of the journal, folded from records that no crash can take away.

use super::{Fact, NotedRecord};
use crate::terminal::Said;
use crate::world::carries_message;
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::air::split_short_id;
use yizhan_codecs::message::{LinkId, MessageId, Precedence, Rung, StationId};
use yizhan_engine::bus::journal::{self, record::What};
use yizhan_engine::io::Offset;

/// Messages, deliveries and attempts by the records that are synced.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// The last record in here.
    pub synced: Offset,
    pub messages: BTreeMap<u64, Told>,
    pub attempts: BTreeMap<u64, Try>,
    /// The attempt whose bytes each link was given last.
    pub on_link: BTreeMap<LinkId, u64>,
    /// Attempts up to this one are of earlier starts: their bytes are given no more.
    old_attempts: u64,
    /// Deliveries without an end that were never tried: they certainly wait in the outbox.
    pub untried: usize,
}

/// A message as its records tell of it.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub offset: Offset,
    /// When its record was synced.
    pub at: Duration,
    /// Heard: from whom and on which link. Submitted: empty.
    pub from: String,
    pub link: String,
    pub text: String,
    pub topic: String,
    pub precedence: Precedence,
    pub exercise: bool,
    pub in_reply_to: u64,
    pub joined: bool,
    pub life: Duration,
    pub lines: Vec<Line>,
    pub held: bool,
    /// A person said yes to it.
    pub confirmed: bool,
    /// When it was last downgraded.
    pub downgraded: bool,
}

/// One delivery.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pub routed_at: Duration,
    pub person: String,
    pub terminals: Vec<String>,
    pub group: bool,
    pub rung: Rung,
    /// When arrival was proven.
    pub arrived_at: Option<Duration>,
    pub end: Option<String>,
    pub ended_at: Duration,
    pub tries: u32,
    /// When the record of the first try was synced.
    pub tried_at: Option<Duration>,
}

/// One attempt.
#[derive(Clone, Debug, Default)]
pub struct Try {
    pub id: u64,
    pub delivery: u32,
    pub terminal: String,
    pub link: String,
    pub part: u32,
    /// The number given to the bearer.
    pub native: u32,
    /// When its record was synced.
    pub noted_at: Duration,
    /// Bytes were given to the link for it; where bytes cannot be told apart, it was radiated.
    pub given_at: Option<Duration>,
    pub ended: Option<String>,
}

impl Told {
    /// It came from a terminal.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        !self.link.is_empty()
    }
}

/// A message id as records write it.
#[must_use]
pub fn number(id: MessageId) -> u64 {
    u64::from(id.station.number()) << 32 | u64::from(id.counter)
}

/// A message id as a person reads it.
#[must_use]
pub fn printed(id: u64) -> String {
    let station = u16::try_from(id >> 32).ok().and_then(StationId::new);
    let counter = u32::try_from(id & 0xFFFF_FFFF).ok();
    match (station, counter) {
        (Some(station), Some(counter)) => MessageId { station, counter }.to_string(),
        _ => id.to_string(),
    }
}

impl Book {
    pub(super) fn observe(&mut self, at: Duration, fact: &Fact<'_>) {
        match fact {
            Fact::Synced { records, through } | Fact::Crashed { survivors: records, through } => {
                for record in *records {
                    self.fold(at, record);
                }
                self.synced = *through;
            }
            Fact::Booted { .. } => {
                self.on_link.clear();
                self.old_attempts = self.attempts.last_key_value().map_or(0, |(number, _)| *number);
            }
            Fact::Given { link, bytes } if carries_message(bytes) => self.give(at, link),
            Fact::Radiated { link: Some(link), message } => {
                let named = self.named(link, &message.said).map(|(number, _)| number);
                if let Some(attempt) = named.and_then(|number| self.attempts.get_mut(&number)) {
                    attempt.given_at.get_or_insert(at);
                }
            }
            _ => {}
        }
    }

    /// The bytes belong to the oldest attempt on this link that is recorded and was not given yet; attempts that ended
    /// before are passed over.
    fn give(&mut self, at: Duration, link: &LinkId) {
        let next = self.attempts.range_mut(self.old_attempts + 1..).filter(|(_, attempt)| {
            attempt.link == link.name() && attempt.given_at.is_none() && attempt.ended.is_none()
        });
        if let Some((number, attempt)) = next.min_by_key(|(number, _)| **number) {
            attempt.given_at = Some(at);
            self.on_link.insert(link.clone(), *number);
        } else {
            self.on_link.remove(link);
        }
    }

    /// The attempt whose bytes a link was given last, and its number.
    #[must_use]
    pub fn current(&self, link: &LinkId) -> Option<(u64, &Try)> {
        let number = *self.on_link.get(link)?;
        self.attempts.get(&number).map(|attempt| (number, attempt))
    }

    /// The attempt that a transmission of our own terminal belongs to. Where bytes tell what they carry: by the request
    /// number where the bearer has one, else the one given last, for such terminals take one at a time. Elsewhere by
    /// the short number in the text.
    #[must_use]
    pub fn attempt_of(&self, link: &LinkId, said: &Said, reads_bytes: bool) -> Option<(u64, &Try)> {
        let (Said::Text { request, .. } | Said::Bytes { request, .. }) = said else { return None };
        if !reads_bytes {
            return self.named(link, said);
        }
        if *request == 0 {
            return self.current(link);
        }
        let mut attempts = self.attempts.iter().rev();
        let found = attempts.find(|(_, attempt)| attempt.native == *request && attempt.link == link.name());
        found.map(|(number, attempt)| (*number, attempt))
    }

    /// The newest attempt over this link of the message whose short number the text carries.
    fn named(&self, link: &LinkId, said: &Said) -> Option<(u64, &Try)> {
        let Said::Text { text, .. } = said else { return None };
        let id = number(split_short_id(text).1?);
        let mut attempts = self.attempts.iter().rev();
        let found = attempts.find(|(_, attempt)| attempt.id == id && attempt.link == link.name());
        found.map(|(number, attempt)| (*number, attempt))
    }

    /// One delivery.
    #[must_use]
    pub fn line(&self, id: u64, delivery: u32) -> Option<&Line> {
        self.messages.get(&id)?.lines.get(usize::try_from(delivery).ok()?)
    }

    fn line_mut(&mut self, id: u64, delivery: u32) -> Option<&mut Line> {
        self.messages.get_mut(&id)?.lines.get_mut(usize::try_from(delivery).ok()?)
    }

    fn fold(&mut self, at: Duration, record: &NotedRecord) {
        match &record.what {
            Some(What::MessageKept(kept)) => self.keep(at, record.offset, kept),
            Some(What::Routed(routed)) => {
                let Some(message) = self.messages.get_mut(&routed.id) else { return };
                for delivery in &routed.deliveries {
                    self.untried += 1;
                    message.lines.push(Line {
                        routed_at: at,
                        person: delivery.person.clone(),
                        terminals: delivery.terminals.clone(),
                        group: delivery.group,
                        ..Line::default()
                    });
                }
            }
            Some(What::Attempted(tried)) => {
                let first = self.line_mut(tried.id, tried.delivery).is_some_and(|line| {
                    line.tries += 1;
                    line.tried_at.get_or_insert(at);
                    line.tries == 1 && line.end.is_none()
                });
                self.untried -= usize::from(first);
                let attempt = Try {
                    id: tried.id,
                    delivery: tried.delivery,
                    terminal: tried.terminal.clone(),
                    link: tried.link.clone(),
                    part: tried.part,
                    native: tried.native,
                    noted_at: at,
                    ..Try::default()
                };
                self.attempts.insert(tried.attempt, attempt);
            }
            Some(What::AttemptEnded(ended)) => {
                if let Some(attempt) = self.attempts.get_mut(&ended.attempt) {
                    attempt.ended = Some(ended.outcome.clone());
                }
            }
            Some(What::RungRaised(raised)) => {
                if let Some(line) = self.line_mut(raised.id, raised.delivery) {
                    line.rung = line.rung.max(rung(&raised.rung));
                    if line.rung.is_arrival() && line.arrived_at.is_none() {
                        line.arrived_at = Some(at);
                    }
                }
            }
            Some(What::DeliveryEnded(ended)) => {
                let untried = self.line_mut(ended.id, ended.delivery).is_some_and(|line| {
                    line.ended_at = at;
                    line.end.replace(ended.end.clone()).is_none() && line.tries == 0
                });
                self.untried -= usize::from(untried);
            }
            Some(What::Held(held)) => self.with(held.id, |message| message.held = true),
            Some(What::Confirmed(confirmed)) => self.with(confirmed.id, |message| {
                message.held = false;
                message.confirmed = true;
            }),
            Some(What::Downgraded(down)) => self.with(down.id, |message| {
                message.downgraded = true;
                message.precedence = Precedence::Immediate;
                message.life += Duration::from_millis(down.life_ms);
            }),
            _ => {}
        }
    }

    fn with(&mut self, id: u64, change: impl FnOnce(&mut Told)) {
        if let Some(message) = self.messages.get_mut(&id) {
            change(message);
        }
    }

    fn keep(&mut self, at: Duration, offset: Offset, kept: &journal::MessageKept) {
        let message = Told {
            offset,
            at,
            from: kept.from.clone(),
            link: kept.link.clone(),
            text: kept.text.clone(),
            topic: kept.topic.clone(),
            precedence: Precedence::from_name(&kept.precedence).unwrap_or_default(),
            exercise: kept.exercise,
            in_reply_to: kept.in_reply_to,
            joined: kept.joined,
            life: Duration::from_millis(kept.life_ms),
            ..Told::default()
        };
        self.messages.insert(kept.id, message);
    }
}

/// A rung by its machine name; which answer it is does not matter here.
fn rung(name: &str) -> Rung {
    match name {
        "saved" => Rung::Saved,
        "taken" => Rung::Taken,
        "radiated" => Rung::Radiated,
        "repeated" => Rung::Repeated,
        "delivered" => Rung::Delivered,
        "read" => Rung::Read,
        "answered" => Rung::Answered(yizhan_codecs::message::Answer::Accepted),
        _ => Rung::Waiting,
    }
}
