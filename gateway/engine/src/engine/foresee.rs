//! Forecasts: what is told of a delivery before its first send, and while it is on its way.
//!
//! **Invariants**
//! - Made when a message is accepted or when somebody looks; the choice of the next send never waits for one.
//! - Nothing is promised without evidence: a terminal that never confirms, a station that has gone silent, no card.
//! - A dry run stores nothing and uses up nothing.

mod sight;

use super::Engine;
use crate::bus::journal::{self, record::What};
use crate::bus::{Delivery, Message, State, id_to_u64};
use crate::forecast::{Basis, Evidence, Forecast, forecast};
use crate::io::{Offset, Refusal};
use crate::outbox::ladder::Ahead;
use crate::outbox::outlook::{Outlook, Unknown};
use crate::outbox::{PROVING_GAP, Pending, Waiting, copies_max, copies_out};
use crate::stream::sends_in_the_mean;
use crate::time::{Instant, Now};
use sight::{Sight, Way, known_parts};
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::air::content::Content;
use yizhan_codecs::message::{MessageId, Precedence, StationId, TerminalId};

/// Far sides that left something unanswered, at most.
const FAR_MAX: usize = 4_096;

/// Messages that were packed before their first send, by the models that they are packed with.
pub(super) type Contents = BTreeMap<(MessageId, u32), Content>;

/// Whose word is waited for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Far {
    Station(StationId),
    Terminal(TerminalId),
}

/// Signs of life, and sends that brought none. A restart begins without.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidences(BTreeMap<Far, Evidence>);

impl Evidences {
    /// A frame went out that the far side answers when it hears it.
    pub fn sent(&mut self, now: Instant, far: Far) {
        if self.0.len() >= FAR_MAX && !self.0.contains_key(&far) {
            self.0.pop_first();
        }
        self.0.entry(far).or_default().sent(now);
    }

    /// Anything was heard from there.
    pub fn heard(&mut self, far: &Far) {
        self.0.remove(far);
    }

    /// Sends that are answered within this time were not.
    pub fn is_silent(&self, now: Instant, far: &Far, answers_within: Duration) -> bool {
        self.0.get(far).is_some_and(|evidence| evidence.is_silent(now, answers_within))
    }
}

/// A forecast of one delivery: what is told, and what it was made from.
struct Foreseen {
    outlook: Outlook,
    forecast: Forecast,
    /// Its arrival can be proven, so that the forecast can be scored.
    proves: bool,
}

impl Engine {
    /// Tells what is to be expected of a message that was just accepted, and keeps what was told where it can be scored.
    pub(super) fn foretell(&mut self, now: Now, id: MessageId) -> Vec<Outlook> {
        self.pack_ahead(id);
        let Some(message) = self.state.message(id) else { return Vec::new() };
        let foreseen = self.foresee_all(now, message, &self.stations.contents);
        let scored = foreseen.iter().zip(0_u16..).filter(|(foreseen, _)| foreseen.proves);
        let records: Vec<journal::ForecastMade> =
            scored.map(|(foreseen, number)| record_of(id, number, message.precedence, foreseen)).collect();
        for record in records {
            self.append(now, What::ForecastMade(record));
        }
        foreseen.into_iter().map(|foreseen| foreseen.outlook).collect()
    }

    /// What would be told of a message if it were accepted now. It is folded into a state of its own, which is thrown away.
    pub(super) fn foretell_dry(
        &self,
        now: Now,
        kept: journal::MessageKept,
        routed: journal::Routed,
    ) -> Result<Vec<Outlook>, Refusal> {
        let mut scratch = State::default();
        let whats = [What::MessageKept(kept), What::Routed(routed)];
        for (offset, what) in (1..).map(Offset).zip(whats) {
            let applied = scratch.apply(offset, &journal::Record { at_ms: 0, what: Some(what) });
            applied.map_err(|_| Refusal::IdsExhausted)?;
        }
        let Some(message) = scratch.messages().next() else { return Ok(Vec::new()) };
        let contents = self.contents_of(message);
        Ok(self.foresee_all(now, message, &contents).into_iter().map(|foreseen| foreseen.outlook).collect())
    }

    /// What is to be expected of a delivery that is on its way.
    pub(super) fn outlooks(&self, now: Now) -> Outlooks<'_> {
        Outlooks { engine: self, now, sight: self.sight(now) }
    }

    fn foresee_all(&self, now: Now, message: &Message, contents: &Contents) -> Vec<Foreseen> {
        let mut sight = self.sight(now);
        let numbers = (0_u16..).zip(&message.deliveries);
        numbers.map(|(number, delivery)| self.foresee(now, &mut sight, message, number, delivery, contents)).collect()
    }

    /// Packs a message for every station that it goes to, so that its rows can be counted; its first send takes it up.
    fn pack_ahead(&mut self, id: MessageId) {
        let Some(message) = self.state.message(id).filter(|_| self.poisoned.is_none()) else { return };
        let contents = self.contents_of(message);
        self.stations.contents.extend(contents);
    }

    fn contents_of(&self, message: &Message) -> Contents {
        let mut contents = Contents::new();
        for station in message.deliveries.iter().filter_map(|delivery| delivery.station) {
            let models = self.models_of(message.traffic, station);
            let key = (message.id, models.bits());
            if !contents.contains_key(&key)
                && let Ok(content) = self.content_for(message, models)
            {
                contents.insert(key, content);
            }
        }
        contents
    }

    fn foresee(
        &self,
        now: Now,
        sight: &mut Sight,
        message: &Message,
        number: u16,
        delivery: &Delivery,
        contents: &Contents,
    ) -> Foreseen {
        let entry = (message.id, number);
        let pending = self.outbox.pending.get(&entry);
        let way = self.way(now, &sight.ports, message, delivery, pending);
        let parts = self.parts(now, message, delivery, &way, contents);
        let known = sight.queue.find(entry).copied();
        let this = known.or_else(|| self.waiting(&mut sight.queue, message, entry, &way, parts.unwrap_or(1), pending));
        let ends = delivery.end.is_some() || (pending.is_none() && self.state.message(message.id).is_some());
        let Some(this) = this.filter(|_| !ends) else {
            let why = if way.proves { Unknown::Silent } else { Unknown::NoReceipts };
            return nothing_more(delivery, &way, why);
        };
        let this = Waiting { parts: parts.unwrap_or(1), ..this };
        let ahead = self.ahead(now, sight, &way, &this);
        let basis = self.basis(now, message, delivery, &way, &this, ahead);
        let told = forecast(&basis, &self.state.experience().calibration);
        let why = match () {
            // What a card carries is not known before it is there.
            () if parts.is_none() && ahead.cards > 0 => Some(Unknown::NotCarried),
            () if message.held.is_some() => Some(Unknown::Held),
            () if ahead.cards == 0 => Some(Unknown::NoCard),
            () if !way.proves => Some(Unknown::NoReceipts),
            () if basis.silent => Some(Unknown::Silent),
            () => None,
        };
        let sends = match (why, &told) {
            _ if parts.is_none() => 0,
            (_, Forecast::Window(window)) if way.proves => window.cost,
            _ => self.cost(message, delivery, &way, &basis),
        };
        let window = match told {
            Forecast::Window(window) if why.is_none() => Some(window),
            _ => None,
        };
        let outlook = Outlook {
            to: delivery.whom(),
            bearer: way.terminals.first().map(|terminal| terminal.bearer),
            parts: parts.unwrap_or(0),
            slots_ahead: ahead.slots(),
            send_in_ms: (ahead.cards > 0 && parts.is_some()).then(|| millis(turn_in(&ahead, basis.waits))),
            sends_permille: sends,
            early_ms: window.map(|window| millis(window.early)),
            late_ms: window.map(|window| millis(window.late)),
            unknown: why,
        };
        Foreseen { outlook, forecast: told, proves: way.proves }
    }

    /// Frames that a delivery still takes when none is lost; `None` where no link carries it.
    fn parts(&self, now: Now, message: &Message, delivery: &Delivery, way: &Way, contents: &Contents) -> Option<u8> {
        if let (Some(station), None) = (delivery.station, &delivery.air) {
            let models = self.models_of(message.traffic, station);
            let packed = contents.get(&(message.id, models.bits()));
            let counted = packed.map(|content| self.rows_for(now, message, station, &delivery.terminals, content));
            return counted.unwrap_or_else(|| known_parts(delivery, way));
        }
        if let Some(parts) = known_parts(delivery, way) {
            return Some(parts);
        }
        let cut = self.cut(now, way.link.as_ref()?, self.capacity(way), message).ok()?;
        u8::try_from(cut.len()).ok()
    }

    fn ahead(&self, now: Now, sight: &Sight, way: &Way, this: &Waiting) -> Ahead {
        let mut ahead = sight.queue.ahead(now.mono, this, &way.track, &self.outbox.sends);
        let session = way.link.as_ref().and_then(|link| self.sessions.get(link));
        if let Some(within) = session.and_then(|session| session.limits().delivery_within) {
            // What the far terminal does not confirm in time goes out again after a gap, whatever its card's slot.
            let gap = (within + PROVING_GAP).as_micros() * 1_000 * u128::from(ahead.cards.max(1));
            let round = u64::try_from(gap / ahead.slot.as_micros().max(1)).unwrap_or(u64::MAX);
            ahead.round = ahead.round.max(round);
        }
        ahead
    }

    fn basis(
        &self,
        now: Now,
        message: &Message,
        delivery: &Delivery,
        way: &Way,
        this: &Waiting,
        ahead: Ahead,
    ) -> Basis {
        let pending = self.outbox.pending.get(&this.entry);
        let in_the_air = u32::try_from(self.in_the_air(this.entry)).unwrap_or(u32::MAX);
        let just_sent = |pending: &Pending| pending.sent_at.is_some_and(|(at, slot)| now.mono.since(at) < slot);
        let (out, loss) = match (&delivery.air, delivery.station) {
            (Some(air), _) => (air.stream.out(), air.stream.loss()),
            (None, Some(station)) => (0, self.loss_to(station)),
            (None, None) => (0, self.config.policy.loss_permille),
        };
        Basis {
            precedence: message.precedence,
            wanted: this.parts.max(1),
            out: out.saturating_add(in_the_air),
            loss,
            ahead,
            waits: this.due.since(now.mono),
            life: self.life_left(now, message),
            in_flight: in_the_air > 0 || pending.is_some_and(just_sent),
            silent: self.is_silent(now, delivery, way),
        }
    }

    /// What is left of a message's life. A FLASH goes on after it as IMMEDIATE.
    fn life_left(&self, now: Now, message: &Message) -> Duration {
        let whole = Duration::from_millis(message.life_ms);
        let left = self.deadlines.get(&message.id).map_or(whole, |at| at.since(now.mono));
        let goes_on = message.precedence == Precedence::Flash && !message.downgraded;
        if goes_on { left.saturating_add(self.config.policy.life.of(Precedence::Immediate)) } else { left }
    }

    /// Sends, in thousandths, where no window says it: all copies to who never confirms, else what the loss lets expect.
    fn cost(&self, message: &Message, delivery: &Delivery, way: &Way, basis: &Basis) -> u32 {
        let parts = u32::from(basis.wanted);
        if way.proves {
            return u32::try_from(sends_in_the_mean(parts.into(), basis.loss)).unwrap_or(u32::MAX);
        }
        let copies = u32::from(copies_max(&self.config.policy, message)).saturating_sub(copies_out(delivery));
        parts.saturating_mul(copies).saturating_mul(1_000)
    }
}

/// Outlooks of what is on its way, all from one look at the queue.
pub(super) struct Outlooks<'e> {
    engine: &'e Engine,
    now: Now,
    sight: Sight,
}

impl Outlooks<'_> {
    pub fn of(&mut self, message: &Message, number: u16, delivery: &Delivery) -> Outlook {
        let contents = &self.engine.stations.contents;
        self.engine.foresee(self.now, &mut self.sight, message, number, delivery, contents).outlook
    }
}

/// Nothing is left to send; evidence may still come.
fn nothing_more(delivery: &Delivery, way: &Way, why: Unknown) -> Foreseen {
    let outlook = Outlook {
        to: delivery.whom(),
        bearer: way.terminals.first().map(|terminal| terminal.bearer),
        parts: 0,
        slots_ahead: 0,
        send_in_ms: None,
        sends_permille: 0,
        early_ms: None,
        late_ms: None,
        unknown: Some(why),
    };
    Foreseen { outlook, forecast: Forecast::Unknown { parts: 0, slots_ahead: 0 }, proves: way.proves }
}

/// Until its own first send.
fn turn_in(ahead: &Ahead, waits: Duration) -> Duration {
    let free = u128::from(1_000_u32.saturating_sub(ahead.urgent).max(100));
    let queue = ahead.slot.as_micros() * u128::from(ahead.weight) / u128::from(ahead.cards.max(1)) / free;
    ahead.first_free.max(waits) + Duration::from_micros(u64::try_from(queue).unwrap_or(u64::MAX))
}

fn record_of(id: MessageId, delivery: u16, precedence: Precedence, foreseen: &Foreseen) -> journal::ForecastMade {
    let outlook = &foreseen.outlook;
    let told = journal::ForecastMade {
        id: id_to_u64(id),
        delivery: delivery.into(),
        parts: outlook.parts.into(),
        slots_ahead: outlook.slots_ahead,
        cost: outlook.sends_permille,
        precedence: precedence.name().into(),
        bearer: outlook.bearer.map_or("", |bearer| bearer.name()).into(),
        unknown: outlook.unknown.map_or("", Unknown::name).into(),
        ..journal::ForecastMade::default()
    };
    let (Forecast::Window(window), None) = (&foreseen.forecast, outlook.unknown) else { return told };
    let [early, late] = window.reckoned.map(|time| time.map(millis));
    journal::ForecastMade {
        early_ms: millis(window.early),
        late_ms: millis(window.late),
        sure_ms: millis(window.sure),
        reckoned_early_ms: early,
        reckoned_late_ms: late,
        first: window.class.first,
        deep: window.class.deep,
        sent: window.class.sent,
        ..told
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
