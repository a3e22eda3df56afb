//! By courier: frames for a station on a stick or on paper, and what such a stick brings.
//!
//! A message keeps its number on this way too, so that a copy over the air is a copy, and reading twice changes nothing.

use super::{Arrival, Engine, door, number_record};
use crate::bus::journal::{self, record::What};
use crate::io::{Refusal, Reply};
use crate::time::Now;
use bytes::Bytes;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::frame::Frames;
use yizhan_codecs::air::header::{Header, Kind};
use yizhan_codecs::air::limits::{Bearing, FRAME_MAX};
use yizhan_codecs::air::receipt::{Receipt, State};
use yizhan_codecs::message::{LinkId, MessageId, Precedence, StationId};

/// The link that records name.
const COURIER: &str = "courier";
/// A courier brings what he was given: no marks are needed, and nobody has many tries.
const BEARING: Bearing = Bearing::closed(FRAME_MAX);

impl Engine {
    /// Everything for a station that it has not said it has, and the receipts that it is owed.
    pub(in crate::engine) fn carry_out(&mut self, now: Now, to: &str, by: String) -> Result<Reply, Refusal> {
        let station = self.state.roster().station(to).and_then(crate::people::StationEntry::station);
        let station = station.ok_or_else(|| Refusal::UnknownRecipient { name: to.into() })?;
        let open: Vec<(MessageId, u16)> =
            self.state.open.iter().copied().filter(|e| self.goes_to(*e, station)).collect();
        let (mut frames, mut ids) = (Vec::new(), Vec::new());
        for (id, delivery) in open {
            if self.plan_to_carry(now, id, delivery).is_err() {
                continue;
            }
            let rows = self.frames_of(id, delivery).map(|packed| self.source_rows(id, delivery, &packed));
            let Some(rows) = rows.filter(|rows| !rows.is_empty()) else { continue };
            frames.extend(rows);
            ids.push(crate::bus::id_to_u64(id));
        }
        let mut receipts = 0;
        for traffic in [Traffic::Real, Traffic::Exercise] {
            receipts += self.carried_receipts(now, traffic, station, &mut frames);
        }
        let messages = ids.len();
        if !frames.is_empty() {
            let record = journal::CarriedOut { station: station.number().into(), ids, by };
            self.append(now, What::CarriedOut(record));
        }
        Ok(Reply::Carried { frames, messages, receipts })
    }

    fn goes_to(&self, (id, delivery): (MessageId, u16), station: StationId) -> bool {
        let message = self.state.message(id);
        let delivery = message.and_then(|message| message.delivery(delivery));
        message.is_some_and(|message| message.held.is_none()) && delivery.is_some_and(|d| d.station == Some(station))
    }

    fn source_rows(&self, id: MessageId, delivery: u16, packed: &Frames) -> Vec<Bytes> {
        let net = self.air_plan(id, delivery).and_then(|plan| self.net(plan.traffic));
        let Some(net) = net else { return Vec::new() };
        let rows = (0..packed.needed()).map(|row| door(net, &BEARING).frame(packed, row).map(Bytes::from));
        rows.collect::<Result<_, _>>().unwrap_or_default()
    }

    /// Receipts in frames of their own numbers; they stay owed, as a courier may be weeks on his way.
    fn carried_receipts(&mut self, now: Now, traffic: Traffic, to: StationId, frames: &mut Vec<Bytes>) -> usize {
        let said = |owed: &crate::bus::Owed| !matches!(owed.state, State::Need(_) | State::Unknown { .. });
        let owed = self.net_state(traffic).owed.iter().filter(|(number, owed)| number.src == to && said(owed));
        let receipts: Vec<Receipt> =
            owed.map(|(number, owed)| Receipt { seq: number.seq(), state: owed.state }).rev().take(24).collect();
        let Some(net) = self.net(traffic).cloned().filter(|_| !receipts.is_empty()) else { return 0 };
        let Some(id) = self.take_id(now) else { return 0 };
        let mut spent = self.net_state(traffic).spent.clone();
        let sealed = door(&net, &BEARING).seal_receipts(&mut spent, id.counter, Precedence::Routine, to, &receipts);
        let Ok(frame) = sealed else { return 0 };
        let number = yizhan_codecs::air::nonce::Number { src: id.station, epoch: net.net.epoch, counter: id.counter };
        let record =
            journal::NumberSpent { exercise: traffic == Traffic::Exercise, number: Some(number_record(number)) };
        self.append(now, What::NumberSpent(record));
        frames.push(frame.into());
        receipts.len()
    }

    /// Takes in what a courier brought.
    pub(in crate::engine) fn carry_in(&mut self, now: Now, frames: Vec<Bytes>) -> Reply {
        let before = self.state.messages.len();
        let copies_before = self.copies();
        let (mut taken, mut own, mut refused, mut receipts) = (0_usize, 0_usize, 0_usize, 0_usize);
        for frame in frames {
            let header = Header::parse(&frame).ok().map(|(header, _)| header);
            let answers = header.is_some_and(|header| matches!(header.kind, Kind::Receipt | Kind::Bundle));
            match header.and_then(|header| header.src) {
                Some(source) if source == self.config.station => own += 1,
                Some(source) if self.frame_brought(now, source, frame) => {
                    taken += 1;
                    receipts += usize::from(answers);
                }
                _ => refused += 1,
            }
        }
        let (new, copies) = (self.state.messages.len() - before, self.copies().saturating_sub(copies_before));
        Reply::Brought { frames: taken, own, refused, new, copies, receipts }
    }

    fn copies(&self) -> usize {
        self.state.messages.values().map(|message| usize::try_from(message.copies).unwrap_or(0)).sum()
    }

    /// One frame; whether it was of a station that is known here and meant anything.
    fn frame_brought(&mut self, now: Now, source: StationId, frame: Bytes) -> bool {
        let entry = self.state.roster().station_number(source);
        let Some(from) = entry.and_then(|entry| entry.terminals.first()).map(|terminal| terminal.0.clone()) else {
            return false;
        };
        let link = LinkId::new(COURIER);
        let before = self.state.offset;
        let arrival = Arrival { link, from, traffic: Traffic::Real };
        self.frame_in(now, arrival, Some(source), frame, &BEARING);
        self.state.offset > before
    }
}

/// Whether a courier brought it.
pub(super) fn is_courier(link: &LinkId) -> bool {
    link.name() == COURIER
}
