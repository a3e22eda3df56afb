//! Frames that bring no message: receipts, beacons, positions, questions. Each goes out once, under a number of its own but for
//! a question; what came of it decides whether its word is still to be said.

use super::places::Placed;
use super::{Engine, door, number_record};
use crate::bus::journal::{self, record::What};
use crate::bus::{Gated, OpenAttempt, id_to_u64};
use crate::engine::send::native_of;
use crate::event::{AttemptId, Event};
use crate::outbox::{Choice, Outstanding, Stage, Word};
use crate::time::Now;
use std::time::Duration;
use thiserror::Error;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::frame::{Door, SendError};
use yizhan_codecs::air::nonce::{Number, Spent};
use yizhan_codecs::message::{MessageId, StationId};

/// A link that cannot carry a frame is not asked again sooner.
const MUTED: Duration = Duration::from_secs(60);

/// What a frame says, and which messages it answers.
pub(super) struct Saying {
    pub bytes: Vec<u8>,
    pub answers: Vec<Number>,
    /// Positions in it.
    pub units: Vec<Placed>,
}

/// What seals a frame. Its number counts as spent by the record of the attempt.
pub(super) struct Pen<'a> {
    pub door: Door<'a>,
    pub spent: Spent,
    pub counter: u32,
}

/// A frame on its way.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Flight {
    pub word: Word,
    pub traffic: Traffic,
    pub station: StationId,
    pub units: Vec<Placed>,
}

/// Why a frame could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum FrameFailure {
    #[error("there is no net for {traffic:?} traffic here")]
    NoNet { traffic: Traffic },
    #[error("the link carries no frames")]
    NoBearer,
    #[error("nothing is to be said any more")]
    Nothing,
    #[error("the station's message numbers are used up")]
    IdsExhausted,
    #[error(transparent)]
    Send(#[from] SendError),
}

impl Engine {
    /// Makes a frame, records it, and lets it go once the record is synced.
    pub(in crate::engine) fn start_frame(
        &mut self,
        now: Now,
        choice: &Choice,
        traffic: Traffic,
        station: StationId,
        word: Word,
    ) {
        let Err(error) = self.frame_for(now, choice, traffic, station, word) else { return };
        let detail = format!("to station {}: {error}", station.number());
        let what = match word {
            Word::Receipts => "回执发不出",
            Word::Beacon => "信标发不出",
            Word::Positions => "位置发不出",
            Word::Question => "催问发不出",
        };
        self.tell(Event::Remarked { link: choice.card.link.clone(), what, detail });
        // Not looked at again before something changes: a link that cannot carry it will not in a moment either.
        self.stations.muted.insert((word, traffic, station), now.mono.after(MUTED));
    }

    fn frame_for(
        &mut self,
        now: Now,
        choice: &Choice,
        traffic: Traffic,
        station: StationId,
        word: Word,
    ) -> Result<(), FrameFailure> {
        let (id, delivery, saying) = self.say(now, choice, traffic, station, word)?;
        let attempt = AttemptId(self.state.attempt_last + 1);
        let record = journal::Attempted {
            attempt: attempt.0,
            id: id_to_u64(id),
            delivery: delivery.into(),
            terminal: choice.terminal.to_string(),
            link: choice.card.link.name().into(),
            card: choice.card.number.clone(),
            part: 0,
            native: native_of(attempt),
            frame: saying.bytes,
            answers: saying.answers.into_iter().map(number_record).collect(),
            exercise: traffic == Traffic::Exercise,
        };
        self.append(now, What::Attempted(record));
        self.stations.flights.insert(attempt, Flight { word, traffic, station, units: saying.units });
        self.outbox.outstanding.insert(choice.card.link.clone(), Outstanding { attempt, stage: Stage::Recorded });
        self.hold(now, Gated::Release(attempt));
        Ok(())
    }

    /// What the frame says, and its number: its own, or that of the delivery that it asks about.
    fn say(
        &mut self,
        now: Now,
        choice: &Choice,
        traffic: Traffic,
        station: StationId,
        word: Word,
    ) -> Result<(MessageId, u16, Saying), FrameFailure> {
        let say = match word {
            Word::Receipts => Self::say_receipts,
            Word::Beacon => Self::say_beacon,
            Word::Positions => Self::say_positions,
            Word::Question => return self.ask(now, &choice.card, traffic, station),
        };
        let net = self.net(traffic).cloned().ok_or(FrameFailure::NoNet { traffic })?;
        let session = self.sessions.get(&choice.card.link).ok_or(FrameFailure::NoBearer)?;
        let bearing = self.bearing(now, session, Some(&choice.card)).ok_or(FrameFailure::NoBearer)?;
        let id = self.take_id(now).ok_or(FrameFailure::IdsExhausted)?;
        let spent = self.net_state(traffic).spent.clone();
        let pen = Pen { door: door(&net, &bearing), spent, counter: id.counter };
        let saying = say(self, now, pen, traffic, station)?;
        Ok((id, 0, saying))
    }

    /// Whether such a frame is on its way to a station.
    pub(super) fn is_flying(&self, word: Word, traffic: Traffic, station: StationId) -> bool {
        self.stations.flights.values().any(|f| (f.word, f.traffic, f.station) == (word, traffic, station))
    }

    /// What came of a frame: it is out or may be, or its word is still to be said.
    pub(in crate::engine) fn frame_ended(&mut self, now: Now, open: &OpenAttempt, may_be_out: bool) {
        if may_be_out {
            self.receipts_out(now, open);
        }
        let Some(flight) = self.stations.flights.remove(&open.attempt) else { return };
        let slot = self.slot_of(&open.link);
        match flight.word {
            Word::Receipts => {}
            Word::Beacon if may_be_out => self.stations.counts.said(now.mono, flight.traffic, flight.station, slot),
            Word::Beacon => {}
            Word::Positions => self.stations.places.ended(now.mono, &flight.units, may_be_out),
            Word::Question if may_be_out => self.question_out(now, open),
            Word::Question => {}
        }
    }
}
