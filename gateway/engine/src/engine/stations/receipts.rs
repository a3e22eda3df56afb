//! Receipts: what other stations are told of their messages, and what they tell of ours.

use super::frames::{FrameFailure, Pen, Saying};
use super::{Arrival, Engine, number_record};
use crate::bus::journal::{self, record::What};
use crate::bus::{OpenAttempt, Owed, id_to_u64};
use crate::event::{End, Event};
use crate::outbox::{Owing, Pending, Word};
use crate::stream::{Gathering, Said, complete_copies};
use crate::time::{Instant, Now};
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::nonce::Number;
use yizhan_codecs::air::receipt::{Human, Reason, Receipt, State};
use yizhan_codecs::message::{Answer, MessageId, Precedence, Rung, StationId, TerminalId};

/// A person's word is not asked for again when it is lost: it is said as if this many of 1000 frames were, and the last
/// copies so many slots after the one before, since a valley swallows frames in a row.
const LOSS_FOR_PEOPLE: u32 = 400;
const LAST_COPIES_AFTER_SLOTS: [u32; 2] = [16, 4];
/// The same receipt is not said again sooner, however often the message comes.
const SAID_AGAIN_AFTER_SLOTS: u32 = 1;

/// How far each message in rows has come, and when more rows are to be asked for. A restart begins to count anew.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Gatherings(BTreeMap<(Traffic, Number), Counted>);

#[derive(Clone, Debug)]
struct Counted {
    gathering: Gathering,
    slot: Duration,
}

impl Counted {
    fn slot_at(&self, now: Instant) -> u64 {
        u64::try_from(u128::from(now.0) / self.slot.as_micros().max(1)).unwrap_or(u64::MAX)
    }
}

impl Gatherings {
    pub fn begin(&mut self, traffic: Traffic, number: Number, slot: Duration, make: impl FnOnce() -> Gathering) {
        self.0.entry((traffic, number)).or_insert_with(|| Counted { gathering: make(), slot });
    }

    pub fn heard(&mut self, now: Now, arrival: &Arrival, number: Number, fresh: bool) {
        if let Some(counted) = self.0.get_mut(&(arrival.traffic, number)) {
            let slot = counted.slot_at(now.mono);
            counted.gathering.heard(slot, fresh);
        }
    }

    pub fn forget(&mut self, traffic: Traffic, number: Number) {
        self.0.remove(&(traffic, number));
    }

    /// Rows to ask for now.
    fn needs(&self, now: Instant) -> impl Iterator<Item = (Traffic, Number, u8)> {
        self.0.iter().filter_map(move |((traffic, number), counted)| {
            match counted.gathering.due(counted.slot_at(now)) {
                Some(Said::Need(rows)) => Some((*traffic, *number, rows)),
                _ => None,
            }
        })
    }

    /// Whether rows of any message are to be asked for now.
    pub fn is_asking(&self, now: Instant) -> bool {
        self.needs(now).next().is_some()
    }

    fn asked(&mut self, now: Instant, traffic: Traffic, number: Number) {
        if let Some(counted) = self.0.get_mut(&(traffic, number)) {
            let slot = counted.slot_at(now);
            counted.gathering.said(slot);
        }
    }

    /// The next beginning of a slot of any message that is not whole.
    pub fn wake_at(&self, now: Instant) -> Option<Instant> {
        let next = |counted: &Counted| {
            let slot = u64::try_from(counted.slot.as_micros()).unwrap_or(u64::MAX);
            Instant(counted.slot_at(now).saturating_add(1).saturating_mul(slot))
        };
        self.0.values().map(next).min()
    }
}

impl Engine {
    /// A station is to be told what became of its message.
    pub(super) fn owe(
        &mut self,
        now: Now,
        traffic: Traffic,
        number: Number,
        state: State,
        precedence: Precedence,
        loss: u32,
    ) {
        let copies = complete_copies(loss.max(if matches!(state, State::Human(_)) { LOSS_FOR_PEOPLE } else { 0 }));
        // A frame with an earlier word on it is still in the air: its outcome will be counted as one of these.
        let in_the_air = self.state.open_attempts().any(|open| open.answers.contains(&number));
        let copies = copies.saturating_add(in_the_air.into());
        let record = journal::ReceiptOwed {
            exercise: traffic == Traffic::Exercise,
            number: Some(number_record(number)),
            state: state_bits(state),
            copies,
            precedence: precedence.name().into(),
        };
        self.append(now, What::ReceiptOwed(record));
        self.stations.owed_since.insert((traffic, number.src), now.mono);
        self.outbox.touch();
    }

    /// The last word on a message is said once more, unless it is about to be.
    pub(super) fn owe_again(&mut self, now: Now, traffic: Traffic, number: Number) {
        let known = self.net_state(traffic).owed.get(&number).copied();
        let (state, precedence) = known.map_or((State::Complete, Precedence::Routine), |o| (o.state, o.precedence));
        let in_the_air = self.state.open_attempts().any(|open| open.answers.contains(&number));
        if known.is_some_and(|owed| owed.copies > 0) || in_the_air || self.was_just_said(now, traffic, number) {
            return;
        }
        let loss = self.loss_to(number.src);
        self.owe(now, traffic, number, state, precedence, loss);
    }

    fn was_just_said(&self, now: Now, traffic: Traffic, number: Number) -> bool {
        let Some((at, slot)) = self.stations.said_at.get(&(traffic, number)) else { return false };
        now.mono.since(*at) < *slot * SAID_AGAIN_AFTER_SLOTS / 2
    }

    /// A person has seen or answered a message of another station: that station is told.
    pub(in crate::engine) fn owe_human(&mut self, now: Now, id: MessageId, human: Human) -> bool {
        let Some(message) = self.state.message(id).filter(|message| message.proof.is_some()) else { return false };
        let (traffic, precedence) = (message.traffic, message.precedence);
        let known = self.net_state(traffic).owed.iter().find(|(n, _)| (n.src, n.counter) == (id.station, id.counter));
        let Some((number, owed)) = known.map(|(number, owed)| (*number, *owed)) else { return false };
        // 已读 after an answer takes nothing back.
        if matches!(owed.state, State::Human(said) if human == said || human == Human::Read)
            || matches!(owed.state, State::Refused(_))
        {
            return true;
        }
        let loss = self.loss_to(id.station);
        self.owe(now, traffic, number, State::Human(human), precedence, loss);
        true
    }

    /// Who is to be told something that is no message, as the outbox looks at it.
    pub(in crate::engine) fn owing(&self, now: Now) -> Vec<Owing> {
        let receipts = self.receipts_owed(now).into_values();
        let owing = receipts.chain(self.beacons_owed()).chain(self.positions_owed(now)).chain(self.asks_owed());
        let muted = |owing: &Owing| {
            let until = self.stations.muted.get(&(owing.word, owing.traffic, owing.station));
            until.is_some_and(|until| *until > now.mono)
        };
        let flying = |owing: &Owing| self.is_flying(owing.word, owing.traffic, owing.station);
        owing.filter(|owing| !muted(owing) && !flying(owing)).collect()
    }

    fn receipts_owed(&self, now: Now) -> BTreeMap<(Traffic, StationId), Owing> {
        let mut owing: BTreeMap<(Traffic, StationId), Owing> = BTreeMap::new();
        let since_of =
            |traffic, station| self.stations.owed_since.get(&(traffic, station)).copied().unwrap_or_default();
        let mut add = |traffic, station, since: Instant, precedence: Precedence, rows_from: Option<&TerminalId>| {
            let entry = owing.entry((traffic, station)).or_insert_with(|| Owing {
                word: Word::Receipts,
                traffic,
                station,
                precedence,
                since,
                presses: false,
                terminals: self.terminals_of(station),
            });
            entry.precedence = entry.precedence.max(precedence);
            entry.since = entry.since.min(since);
            if let Some(from) = rows_from {
                entry.presses = true;
                // Rows are asked for where they come from: a way that was proven earlier may have failed since.
                entry.terminals.sort_by_key(|terminal| terminal != from);
            }
        };
        for (traffic, net) in &self.state.nets {
            for (number, owed) in net.owed.iter().filter(|(_, owed)| owed.copies > 0) {
                let since = since_of(*traffic, number.src).max(self.said_again_from(*traffic, *number, owed));
                add(*traffic, number.src, since, owed.precedence, None);
            }
        }
        for (traffic, number, _) in self.stations.gatherings.needs(now.mono) {
            let Some(gathered) = self.net_state(traffic).gathered.get(&number) else { continue };
            let since = since_of(traffic, number.src);
            add(traffic, number.src, since, gathered.partial.header().precedence, Some(&gathered.from));
        }
        owing
    }

    /// From when on the next copy of a receipt goes out.
    fn said_again_from(&self, traffic: Traffic, number: Number, owed: &Owed) -> Instant {
        let last_copies = usize::from(owed.copies).checked_sub(1);
        let gap = last_copies.and_then(|left| LAST_COPIES_AFTER_SLOTS.get(left));
        let said = self.stations.said_at.get(&(traffic, number));
        match (owed.state, gap, said) {
            (State::Human(_), Some(gap), Some((at, slot))) => at.after(*slot * *gap),
            _ => Instant::default(),
        }
    }

    /// The terminals of a station: the one that was heard last first, then as the roster has them.
    pub(super) fn terminals_of(&self, station: StationId) -> Vec<TerminalId> {
        let entry = self.state.roster().station_number(station);
        let listed = entry.map(|entry| entry.terminals.iter().map(|t| t.0.clone()).collect::<Vec<_>>());
        let mut terminals = listed.unwrap_or_default();
        let heard = self.stations.heard_from.get(&station);
        terminals.sort_by_key(|terminal| Some(terminal) != heard);
        terminals
    }

    /// A frame of nothing but receipts.
    pub(super) fn say_receipts(
        &self,
        now: Now,
        mut pen: Pen<'_>,
        traffic: Traffic,
        to: StationId,
    ) -> Result<Saying, FrameFailure> {
        let due = self.due_receipts(now, traffic, to, pen.door.bearing.usable_receipts());
        let precedence = due.iter().map(|(_, _, precedence)| *precedence).max().ok_or(FrameFailure::Nothing)?;
        let receipts: Vec<Receipt> =
            due.iter().map(|(number, state, _)| Receipt { seq: number.seq(), state: *state }).collect();
        let bytes = pen.door.seal_receipts(&mut pen.spent, pen.counter, precedence, to, &receipts)?;
        Ok(Saying { bytes, answers: due.into_iter().map(|(number, ..)| number).collect(), units: Vec::new() })
    }

    /// What one station is to be told now, what asks for rows first.
    pub(super) fn due_receipts(
        &self,
        now: Now,
        traffic: Traffic,
        to: StationId,
        most: usize,
    ) -> Vec<(Number, State, Precedence)> {
        let net = self.net_state(traffic);
        let asked = self.stations.gatherings.needs(now.mono).filter(|(t, n, _)| (*t, n.src) == (traffic, to));
        let asked = asked.map(|(_, number, rows)| (number, State::Need(rows), Precedence::Routine));
        let is_due = |number: &Number, owed: &Owed| self.said_again_from(traffic, *number, owed) <= now.mono;
        let owed = net.owed.iter().filter(|(number, owed)| number.src == to && owed.copies > 0 && is_due(number, owed));
        let mut due: Vec<(Number, State, Precedence)> =
            asked.chain(owed.map(|(number, owed)| (*number, owed.state, owed.precedence))).collect();
        due.truncate(most);
        due
    }

    /// A frame of receipts was, or may have been, radiated.
    pub(super) fn receipts_out(&mut self, now: Now, open: &OpenAttempt) {
        let slot = self.slot_of(&open.link);
        for number in &open.answers {
            self.stations.gatherings.asked(now.mono, open.traffic, *number);
            self.stations.said_at.insert((open.traffic, *number), (now.mono, slot));
        }
        while self.stations.said_at.len() > 1_024 {
            self.stations.said_at.pop_first();
        }
    }

    /// What a station says of our messages.
    pub(super) fn receipts_heard(&mut self, now: Now, arrival: &Arrival, from: StationId, receipts: &[Receipt]) {
        for receipt in receipts {
            match self.sealed_as(arrival.traffic, from, receipt.seq) {
                Some((id, delivery)) => self.receipt_heard(now, arrival, id, delivery, receipt.state),
                None => {
                    let detail = format!("station {} seq {}", from.number(), receipt.seq);
                    self.tell(Event::Remarked { link: arrival.link.clone(), what: "无对应报文的回执", detail });
                }
            }
        }
    }

    /// The delivery whose frames bear this sequence number, the newest of them.
    fn sealed_as(&self, traffic: Traffic, to: StationId, seq: u16) -> Option<(MessageId, u16)> {
        let of = |message: &crate::bus::Message| {
            let bears = |delivery: &crate::bus::Delivery| {
                let plan = delivery.air.as_ref().filter(|_| delivery.station == Some(to));
                plan.is_some_and(|plan| plan.traffic == traffic && plan.number.seq() == seq)
            };
            let at = message.deliveries.iter().position(bears)?;
            Some((message.id, u16::try_from(at).ok()?))
        };
        self.state.messages().rev().find_map(of)
    }

    fn receipt_heard(&mut self, now: Now, arrival: &Arrival, id: MessageId, delivery: u16, state: State) {
        let record = journal::ReceiptHeard { id: id_to_u64(id), delivery: delivery.into(), state: state_bits(state) };
        self.append(now, What::ReceiptHeard(record));
        self.answered_way(id, delivery, &arrival.from);
        let by = "receipt";
        match state {
            State::Need(_) => self.send_again_now(now, id, delivery),
            State::Complete => {
                self.raise(now, id, delivery, Rung::Delivered, by);
                self.end_as(now, id, delivery, End::Delivered, "对端驿站已收妥");
            }
            State::Human(Human::Read) => {
                self.raise(now, id, delivery, Rung::Read, by);
                self.end_as(now, id, delivery, End::Read, "对端有人已读");
            }
            State::Human(human) => self.answered(now, id, delivery, answer_of(human), by),
            State::Refused(reason) => self.refused_there(now, id, delivery, reason),
            State::Unknown { .. } => {}
        }
        self.word_came(now, id, delivery);
    }

    /// Ends a delivery well, unless something better was known.
    fn end_as(&mut self, now: Now, id: MessageId, delivery: u16, end: End, reason: &str) {
        let known = self.state.delivery(id, delivery).and_then(|d| d.end);
        let better = match end {
            End::Delivered => matches!(known, Some(End::Delivered | End::Read | End::Answered)),
            _ => matches!(known, Some(End::Read | End::Answered)),
        };
        if !better {
            self.end_delivery(now, id, delivery, end, reason);
        }
    }

    fn send_again_now(&mut self, now: Now, id: MessageId, delivery: u16) {
        let ended = self.state.delivery(id, delivery);
        if ended.is_none_or(|delivery| delivery.end.is_some()) {
            return;
        }
        let pending = self.outbox.pending.entry((id, delivery)).or_insert_with(|| Pending::new(now.mono));
        pending.legs.values_mut().for_each(|leg| leg.not_before = now.mono);
        self.outbox.touch();
    }

    /// The far station cannot take it as it was: packed so that every station reads it, where that helps.
    fn refused_there(&mut self, now: Now, id: MessageId, delivery: u16, reason: Reason) {
        let unread = matches!(reason, Reason::UnknownModel | Reason::UnknownForm | Reason::UnknownType);
        if unread && self.plan_plainly(now, id, delivery).is_ok() {
            self.send_again_now(now, id, delivery);
            return;
        }
        self.end_as(now, id, delivery, End::Refused, reason.label());
    }
}

const fn answer_of(human: Human) -> Answer {
    match human {
        Human::Read | Human::Accepted => Answer::Accepted,
        Human::Executing => Answer::Executing,
        Human::Done => Answer::Done,
        Human::Unable => Answer::Unable,
    }
}

/// What a person's answer is on the air.
pub(in crate::engine) const fn human_of(answer: Answer) -> Human {
    match answer {
        Answer::Accepted => Human::Accepted,
        Answer::Executing => Human::Executing,
        Answer::Done => Human::Done,
        Answer::Unable => Human::Unable,
    }
}

fn state_bits(state: State) -> u32 {
    let (state, argument) = state.numbers();
    u32::from(state) << 6 | u32::from(argument)
}
