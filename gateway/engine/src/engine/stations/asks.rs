//! Asking: a message is there, and no word of a person has come, or not the one that is waited for.
//!
//! The far station says a person's word a few times, unasked; all of these may be lost. Any row of a message that it has
//! makes it say its last word on it once more, so that is the question: one row, at most three times, ever later. Only
//! what people act on is asked about: a slot is dear.

use super::Engine;
use super::frames::{FrameFailure, Saying};
use crate::bus::{CardKey, Delivery, Message, OpenAttempt};
use crate::event::{End, Event};
use crate::outbox::{Owing, Word};
use crate::time::{Instant, Now};
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::message::{MessageId, Precedence, StationId};

/// Slots of silence before each question. The first is past the third copy of an answer given soon.
const AFTER_SLOTS: [u32; 3] = [24, 32, 64];

/// What a send takes while no card is known.
const SLOT_UNKNOWN: Duration = Duration::from_secs(60);

/// Deliveries on which a person's word may be asked for, and when the far station last spoke of each or was asked.
pub(in crate::engine) type Asks = BTreeMap<(MessageId, u16), Instant>;

impl Engine {
    /// The far station has spoken of a delivery: what is still missing is waited for from now.
    pub(super) fn word_came(&mut self, now: Now, id: MessageId, delivery: u16) {
        if self.next_question(id, delivery).is_some() {
            self.stations.asks.insert((id, delivery), now.mono);
        } else {
            self.stations.asks.remove(&(id, delivery));
        }
        self.outbox.touch();
    }

    /// After a restart: all that was waited for is waited for from now.
    pub(in crate::engine) fn take_up_asks(&mut self, now: Now) {
        let all = self
            .state
            .messages()
            .flat_map(|message| (0_u16..).zip(&message.deliveries).map(|(at, _)| (message.id, at)));
        for (id, delivery) in all.collect::<Vec<_>>() {
            self.word_came(now, id, delivery);
        }
    }

    /// Slots before the next question; `None` = there is none to ask.
    fn next_question(&self, id: MessageId, delivery: u16) -> Option<u32> {
        let message = self.state.message(id)?;
        let delivery = message.delivery(delivery).filter(|delivery| delivery.air.is_some())?;
        AFTER_SLOTS.get(usize::from(delivery.asked)).copied().filter(|_| waits_for_a_person(message, delivery))
    }

    /// Questions, due or not yet: of each station the one that is due first.
    pub(super) fn asks_owed(&self) -> Vec<Owing> {
        let mut owing: BTreeMap<(Traffic, StationId), Owing> = BTreeMap::new();
        for (id, delivery) in self.stations.asks.keys() {
            let Some((traffic, station, since)) = self.question(*id, *delivery) else { continue };
            let new = Owing {
                word: Word::Question,
                traffic,
                station,
                precedence: Precedence::Routine,
                since,
                presses: false,
                terminals: self.terminals_of(station),
            };
            let known = owing.entry((traffic, station)).or_insert_with(|| new.clone());
            if since < known.since {
                *known = new;
            }
        }
        owing.into_values().collect()
    }

    /// To whom a question goes, and from when.
    fn question(&self, id: MessageId, delivery: u16) -> Option<(Traffic, StationId, Instant)> {
        let slots = self.next_question(id, delivery)?;
        let said_at = self.stations.asks.get(&(id, delivery))?;
        let known = self.state.delivery(id, delivery)?;
        let plan = known.air.as_ref()?;
        Some((
            plan.traffic,
            known.station?,
            said_at.after(self.outbox.cards.longest_slot().unwrap_or(SLOT_UNKNOWN) * slots),
        ))
    }

    /// The message that is asked about, in its first row.
    pub(super) fn ask(
        &mut self,
        now: Now,
        card: &CardKey,
        traffic: Traffic,
        to: StationId,
    ) -> Result<(MessageId, u16, Saying), FrameFailure> {
        let due = self.stations.asks.keys().filter_map(|entry| Some((self.question(entry.0, entry.1)?, *entry)));
        let due = due.filter(|((t, station, _), _)| (*t, *station) == (traffic, to));
        let ((.., since), (id, delivery)) = due.min_by_key(|((.., since), _)| *since).ok_or(FrameFailure::Nothing)?;
        if since > now.mono {
            return Err(FrameFailure::Nothing);
        }
        let Some(bytes) = self.row_frame(now, id, delivery, 0, card) else {
            // Its keys are gone, or this card carries less than the one it was cut for: not asked every minute.
            self.stations.asks.insert((id, delivery), now.mono);
            return Err(FrameFailure::NoBearer);
        };
        Ok((id, delivery, Saying { bytes, answers: Vec::new(), units: Vec::new() }))
    }

    /// A question is out, or may be.
    pub(super) fn question_out(&mut self, now: Now, open: &OpenAttempt) {
        self.word_came(now, open.id, open.delivery);
        let times = self.state.delivery(open.id, open.delivery).map_or(0, |delivery| delivery.asked);
        self.tell(Event::Asked { id: open.id, delivery: open.delivery, times });
    }
}

/// Whether a person's word is waited for: an order or a warning wants an answer, a FLASH wants to be read.
fn waits_for_a_person(message: &Message, delivery: &Delivery) -> bool {
    match delivery.end {
        Some(End::Delivered) => message.kind.urges() || message.precedence == Precedence::Flash,
        Some(End::Read) => message.kind.urges(),
        _ => false,
    }
}
