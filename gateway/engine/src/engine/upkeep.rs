//! What time makes due: silence, the end of a life, gaps in numbered texts, forgetting, and a clock that is believed.

use super::Engine;
use crate::bus::id_to_u64;
use crate::bus::journal::{self, record::What};
use crate::clock::age;
use crate::event::{ClockSource, End, Event, HoldReason};
use crate::outbox::Pending;
use crate::time::{Instant, Now, Utc};
use std::time::Duration;
use yizhan_codecs::message::{MessageId, Precedence, Rung, TerminalId};

/// How often closed messages are looked through for what may leave memory.
const FORGET_EVERY: Duration = Duration::from_secs(600);
/// Messages forgotten in one record.
const FORGET_AT_ONCE: usize = 512;
/// Messages in memory, at most: beyond it the oldest closed ones leave early.
const MESSAGES_MAX: usize = 50_000;
/// An attempt still in the air at the end of a life is waited for.
const LAST_WORD: Duration = Duration::from_secs(30);

impl Engine {
    pub(super) fn upkeep(&mut self, now: Now) {
        self.time_out_attempts(now);
        self.end_lives(now);
        self.expire_places(now);
        let waited: Vec<TerminalId> = due(&self.partial_deadlines, now.mono);
        for from in waited {
            self.join_parts(now, &from);
        }
        if self.next_upkeep <= now.mono {
            self.next_upkeep = now.mono.after(FORGET_EVERY);
            self.repeats.retain(|_, until| *until > now.mono);
            self.forget(now);
            self.drop_old_rows(now);
            self.stations.asks.retain(|(id, _), _| self.state.messages.contains_key(id));
            let open = &self.state.open;
            self.stations.packed.retain(|entry, _| open.contains(entry));
            let is_open = |id: MessageId| open.range((id, 0)..=(id, u16::MAX)).next().is_some();
            self.stations.contents.retain(|(id, _), _| is_open(*id));
        }
    }

    /// Ends what has outlived its life. Nothing expires while no clock is trusted.
    fn end_lives(&mut self, now: Now) {
        if self.clock.utc(now.mono).is_none() {
            // Looked at again when a clock is; nothing is due before.
            return;
        }
        let over: Vec<MessageId> = due(&self.deadlines, now.mono);
        for id in over {
            if self.state.open_attempts().any(|open| open.id == id) {
                self.deadlines.insert(id, now.mono.after(LAST_WORD));
                continue;
            }
            self.deadlines.remove(&id);
            let Some(message) = self.state.message(id) else { continue };
            if message.precedence == Precedence::Flash && !message.is_closed() {
                self.downgrade(now, id);
            } else {
                self.end_life(now, id);
            }
        }
    }

    /// A FLASH is not given up: it alarms, and goes on at IMMEDIATE.
    fn downgrade(&mut self, now: Now, id: MessageId) {
        let life = self.config.policy.life.of(Precedence::Immediate);
        let life_ms = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
        self.append(now, What::Downgraded(journal::Downgraded { id: id_to_u64(id), life_ms }));
        self.deadlines.insert(id, now.mono.after(life));
        let open: Vec<u16> =
            self.state.open.iter().filter(|(open, _)| *open == id).map(|(_, number)| *number).collect();
        for delivery in open {
            self.outbox.pending.entry((id, delivery)).or_insert_with(|| Pending::new(now.mono));
            self.tell(Event::FlashOverdue { id, delivery });
        }
        self.outbox.touch();
    }

    fn end_life(&mut self, now: Now, id: MessageId) {
        let open: Vec<u16> =
            self.state.open.iter().filter(|(open, _)| *open == id).map(|(_, number)| *number).collect();
        for number in open {
            let delivery = self.state.delivery(id, number);
            let Some(delivery) = delivery else { continue };
            let maybe_radiated = delivery.spent() > 0 || delivery.rung >= Rung::Radiated;
            if maybe_radiated {
                self.end_delivery(now, id, number, End::Unknown, "已发出或可能已发出，期限内没有送达的证据");
            } else {
                self.end_delivery(now, id, number, End::Expired, "期限内一次也没有发出");
            }
        }
    }

    /// A clock is believed: recovered messages get their true age, and those held for it go on.
    pub(super) fn clock_trusted(&mut self, now: Now, source: ClockSource) {
        let name = match source {
            ClockSource::Host => "host",
            ClockSource::Gnss => "gnss",
            ClockSource::Beidou => "beidou",
        };
        self.append(now, What::ClockTrusted(journal::ClockTrusted { source: name.into() }));
        self.tell(Event::ClockTrusted { source });
        let Some(utc) = self.clock.utc(now.mono) else { return };
        let recovered: Vec<MessageId> = std::mem::take(&mut self.recovered).into_iter().collect();
        for id in recovered {
            self.set_true_deadline(now, id, utc);
            if self.state.message(id).is_some_and(|message| message.held == Some(HoldReason::AgeUnknown)) {
                let record = journal::Confirmed { id: id_to_u64(id), by: "clock".into() };
                self.append(now, What::Confirmed(record));
            }
        }
        self.outbox.touch();
    }

    pub(super) fn set_true_deadline(&mut self, now: Now, id: MessageId, utc: Utc) {
        let Some(message) = self.state.message(id).filter(|message| !message.is_closed()) else { return };
        let life = Duration::from_millis(message.life_ms);
        let lived = if message.at_ms == 0 { Duration::ZERO } else { age(utc, message.at_ms) };
        self.deadlines.insert(id, now.mono.after(life.saturating_sub(lived)));
    }

    /// Lets closed messages leave memory: after the time they are remembered, or earlier when there are too many.
    fn forget(&mut self, now: Now) {
        let keep_from = self.clock.utc(now.mono).map(|utc| {
            utc.0.saturating_sub(i64::try_from(self.config.policy.remember.as_millis()).unwrap_or(i64::MAX))
        });
        let surplus = self.state.messages.len().saturating_sub(MESSAGES_MAX);
        // What waits for a yes that nobody gave is as old as the rest.
        let nothing_open = |m: &&crate::bus::Message| m.deliveries.iter().all(|delivery| delivery.end.is_some());
        let closed = self.state.messages.values().filter(nothing_open);
        let leaves = |(index, message): &(usize, &crate::bus::Message)| {
            *index < surplus || keep_from.is_some_and(|from| message.at_ms != 0 && message.at_ms < from)
        };
        let still_sos = |id: &MessageId| self.state.sos.values().any(|open| open == id);
        let ids: Vec<u64> = closed
            .enumerate()
            .filter(leaves)
            .map(|(_, message)| message.id)
            .filter(|id| !still_sos(id))
            .take(FORGET_AT_ONCE)
            .map(id_to_u64)
            .collect();
        if !ids.is_empty() {
            self.append(now, What::Forgotten(journal::Forgotten { ids }));
        }
    }
}

fn due<K: Clone + Ord>(times: &std::collections::BTreeMap<K, Instant>, now: Instant) -> Vec<K> {
    times.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect()
}
