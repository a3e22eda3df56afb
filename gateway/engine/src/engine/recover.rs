//! Coming back: from records to an engine that owes no more than it must and promises no less than it did.

use super::Engine;
use crate::bus::journal::{self, Encode, record::What};
use crate::bus::{ApplyError, CardFact, CardKey, Gate, Snapshot, State, id_to_u64};
use crate::clock::Clock;
use crate::config::{EngineConfig, LinkConfig};
use crate::event::{AttemptId, AttemptOutcome, Event, HoldReason};
use crate::io::StoredRecord;
use crate::outbox::{Outbox, Pending};
use crate::session::Session;
use crate::time::{Instant, Now};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use thiserror::Error;
use yizhan_codecs::codec::ProfileError;
use yizhan_codecs::device;
use yizhan_codecs::message::{LinkId, MessageId};

/// Air budget of a card whose grade nobody knows: the smallest there is (facts of BDS-2 level 1).
pub(super) const CAPACITY_UNKNOWN_BITS: u32 = 110;
/// A repeat of something from before the restart is told from a new message for this long, when its age is unknown.
const REPEATS_AFTER_START: Duration = Duration::from_secs(10);

/// Why an engine could not come back.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecoverError {
    #[error("link {link}: {why}")]
    Profile { link: String, why: ProfileError },
    #[error("record {at} cannot be read: {why}")]
    Record { at: u64, why: prost::DecodeError },
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error("the journal belongs to station {found}, the config says {expected}")]
    Station { expected: u16, found: u16 },
}

impl Engine {
    /// Opens every codec, folds the journal, and decides what a restart decides. The first outputs are there at once.
    ///
    /// # Errors
    /// [`RecoverError`] for a profile that a device refuses, a record that cannot be read or does not follow, and a
    /// journal of another station.
    pub fn recover(
        config: EngineConfig,
        now: Now,
        snapshot: Option<&Snapshot>,
        records: impl IntoIterator<Item = StoredRecord>,
    ) -> Result<Self, RecoverError> {
        let mut sessions = BTreeMap::new();
        for link in &config.links {
            let codec = device::open(&link.device, &link.profile)
                .map_err(|why| RecoverError::Profile { link: link.id.name().into(), why })?;
            sessions.insert(link.id.clone(), Session::new(link.id.clone(), codec, link.reach.clone()));
        }
        let mut state = snapshot.and_then(State::from_snapshot).unwrap_or_default();
        let mut read = 0_u64;
        for record in records {
            if record.offset <= state.offset {
                continue;
            }
            let at = record.offset.0;
            let decoded = journal::Record::decode(record.body).map_err(|why| RecoverError::Record { at, why })?;
            check_station(&config, &decoded)?;
            state.apply(record.offset, &decoded)?;
            read += 1;
        }
        let mut gate = Gate::default();
        gate.start_at(state.offset);
        let mut engine = Self {
            config,
            state,
            gate,
            clock: Clock::default(),
            sessions,
            outbox: Outbox::default(),
            deadlines: BTreeMap::new(),
            repeats: BTreeMap::new(),
            partial_deadlines: BTreeMap::new(),
            relays: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            positions_at: BTreeMap::new(),
            recovered: BTreeSet::new(),
            transmit_last: 0,
            outputs: VecDeque::new(),
            batch: Vec::new(),
            poisoned: None,
            unanswered: BTreeMap::new(),
            next_upkeep: Instant::default(),
            wake_told: None,
            stations: super::Stations::default(),
            evidence: super::foresee::Evidences::default(),
        };
        engine.begin(now, read);
        Ok(engine)
    }

    fn begin(&mut self, now: Now, read: u64) {
        let source = self.clock.host(now);
        self.append(now, What::Configured(self.configured()));
        // `Configured` has put the ids that the last process may have used behind us; none is used twice.
        let through = self.state.id_last.saturating_add(64);
        self.append(now, What::IdsReserved(journal::IdsReserved { through }));
        self.recovered = self.state.open.iter().map(|(id, _)| *id).collect();
        let held: Vec<MessageId> = self.state.messages.values().filter(|m| m.held.is_some()).map(|m| m.id).collect();
        self.recovered.extend(held);
        self.owe_slots(now);
        self.take_up(now);
        self.remember_repeats(now);
        self.remember_relays(now);
        self.take_up_rows(now);
        self.take_up_asks(now);
        let unknown: Vec<AttemptId> = self.state.attempts.keys().copied().collect();
        let unknown_attempts = unknown.len();
        for attempt in unknown {
            self.end_attempt(now, attempt, AttemptOutcome::Crashed);
        }
        if let Some(source) = source {
            self.clock_trusted(now, source);
        } else {
            self.hold_orders(now);
        }
        self.outbox.touch();
        self.tell(Event::Recovered { records: read, open: self.state.open.len(), unknown_attempts });
        self.settle(now);
    }

    fn configured(&self) -> journal::Configured {
        let link = |link: &LinkConfig| journal::configured::Link {
            name: link.id.name().into(),
            device: link.device.clone(),
            bearer: self.sessions.get(&link.id).map_or("", |session| session.limits().bearer.name()).into(),
        };
        journal::Configured {
            station: self.config.station.number().into(),
            links: self.config.links.iter().map(link).collect(),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }

    /// After a start the last slot counts as just spent.
    fn owe_slots(&mut self, now: Now) {
        let configured = self.config.links.clone();
        for link in &configured {
            let Some(limits) = self.sessions.get(&link.id).map(|session| session.limits().clone()) else { continue };
            let known: Vec<(CardKey, CardFact)> = self
                .state
                .cards
                .iter()
                .filter(|(key, _)| key.link == link.id && !key.number.is_empty())
                .map(|(key, fact)| (key.clone(), fact.clone()))
                .collect();
            let own_period = link.period.or(limits.period);
            if let (true, Some(period)) = (known.is_empty(), own_period) {
                let key = CardKey { link: link.id.clone(), number: String::new() };
                let capacity = link.capacity_bits.or(limits.capacity_bits).unwrap_or(CAPACITY_UNKNOWN_BITS);
                self.owe_slot(now, key, period + link.guard, capacity);
            }
            for (key, fact) in known {
                let period = Duration::from_millis(fact.period_ms).max(link.period.unwrap_or_default());
                self.owe_slot(now, key, period + link.guard, fact.capacity_bits);
            }
        }
    }

    /// A whole slot, whatever the journal says: after it has failed, sends go out that no record tells of, and a start
    /// cannot know that it had.
    fn owe_slot(&mut self, now: Now, key: CardKey, slot: Duration, capacity: u32) {
        self.outbox.cards.learn(key, slot, capacity, now.mono.after(slot));
    }

    /// Queues what is still open. What may already have been radiated waits its gap before the next copy.
    fn take_up(&mut self, now: Now) {
        for (id, number) in self.state.open.clone() {
            self.outbox.pending.insert((id, number), Pending::new(now.mono));
            let Some(message) = self.state.message(id) else { continue };
            let Some(delivery) = message.delivery(number) else { continue };
            // A row more is never a message twice, and the station may have said what it still needs to nobody.
            if delivery.spent() > 0 && delivery.station.is_none() {
                let terminals = delivery.terminals.clone();
                if let Some(pending) = self.outbox.pending.get_mut(&(id, number)) {
                    for terminal in terminals {
                        pending.leg_mut(&terminal).not_before = now.mono.after(super::send::AFTER_RESTART);
                    }
                }
            }
            self.retire(id, number);
        }
        for from in self.state.partials.keys() {
            self.partial_deadlines.insert(from.clone(), now.mono.after(Duration::from_secs(60)));
        }
    }

    /// What was heard shortly before the restart, or at an unknown time, may come again at once.
    fn remember_repeats(&mut self, now: Now) {
        let utc = self.clock.utc(now.mono);
        let until = now.mono.after(REPEATS_AFTER_START);
        for (key, id) in &self.state.origins {
            let at_ms = self.state.message(*id).map_or(0, |message| message.at_ms);
            let old = utc.is_some_and(|utc| at_ms != 0 && crate::clock::age(utc, at_ms) > Duration::from_secs(300));
            if !old {
                self.repeats.insert(key.clone(), until);
            }
        }
    }

    /// SOS relayed shortly before the restart, or at an unknown time, count against the limit.
    fn remember_relays(&mut self, now: Now) {
        let utc = self.clock.utc(now.mono);
        let window = self.config.policy.sos_relay_window;
        let mut relays: BTreeMap<LinkId, VecDeque<Instant>> = BTreeMap::new();
        for message in self.state.messages.values() {
            let relayed = message.topic == crate::people::Topic::Sos && !message.deliveries.is_empty();
            let old = utc.is_some_and(|utc| message.at_ms != 0 && crate::clock::age(utc, message.at_ms) >= window);
            if let (true, false, Some(link)) = (relayed, old, &message.link) {
                relays.entry(link.clone()).or_default().push_back(now.mono);
            }
        }
        self.relays = relays;
    }

    /// Orders and warnings of unknown age wait for a person, or for a clock.
    fn hold_orders(&mut self, now: Now) {
        let orders: Vec<MessageId> = self
            .recovered
            .iter()
            .filter(|id| self.state.message(**id).is_some_and(|m| m.kind.urges() && m.held.is_none()))
            .copied()
            .collect();
        for id in orders {
            self.append(now, What::Held(journal::Held { id: id_to_u64(id), why: "age_unknown".into() }));
            self.tell(Event::ConfirmationWanted { id, why: HoldReason::AgeUnknown });
        }
    }
}

fn check_station(config: &EngineConfig, record: &journal::Record) -> Result<(), RecoverError> {
    let Some(What::Configured(configured)) = &record.what else { return Ok(()) };
    let expected = config.station.number();
    match u16::try_from(configured.station) {
        Ok(found) if found == expected => Ok(()),
        Ok(found) => Err(RecoverError::Station { expected, found }),
        Err(_) => Err(RecoverError::Station { expected, found: u16::MAX }),
    }
}
