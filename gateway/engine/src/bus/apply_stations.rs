//! The fold of what stations say to each other.

use super::apply::{Folded, terminal};
use super::journal::{self, record::What};
use super::{AirPlan, Gathered, NetState, OpenAttempt, Owed, State};
use crate::stream::{Said, Stream};
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::beacon::ModelSet;
use yizhan_codecs::air::fragment::{Partial, Row};
use yizhan_codecs::air::header::Header;
use yizhan_codecs::air::limits::Bearing;
use yizhan_codecs::air::nonce::{Digest, Number};
use yizhan_codecs::air::receipt;
use yizhan_codecs::message::{LinkId, MessageId, Precedence, StationId};

/// Nothing is forgotten by age here: the memory is bounded by count, and the window stays for good.
const SECOND_MS: i64 = 1_000;

impl State {
    pub(super) fn fold_of_stations(&mut self, at_ms: i64, what: &What) -> Folded {
        match what {
            What::AirPlanned(r) => self.fold_air_plan(r),
            What::RowKept(r) => self.fold_row(at_ms, r),
            What::RowsDropped(r) => self.fold_rows_dropped(r),
            What::FrameAccepted(r) => self.fold_frame(at_ms, r),
            What::ReceiptOwed(r) => self.fold_owed(r),
            What::ReceiptHeard(r) => self.fold_receipt(r),
            What::ModelsLearned(r) => self.fold_models(r),
            What::NumberSpent(r) => {
                self.id_last = self.id_last.max(number(r.number.as_ref())?.counter);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn fold_air_plan(&mut self, r: &journal::AirPlanned) -> Folded {
        let number = number(r.number.as_ref())?;
        let traffic = traffic(r.exercise);
        let net = self.nets.entry(traffic).or_default();
        // A counter that was claimed for another content would have been refused before it was journaled.
        let _ = net.spent.claim(number.epoch, number.counter, Digest::of(&r.content));
        for answered in numbers(&r.answers)? {
            net.said(answered);
        }
        self.id_last = self.id_last.max(number.counter);
        let plan = AirPlan {
            traffic,
            number,
            content: r.content.clone(),
            bearing: Bearing {
                mtu: usize::try_from(r.mtu).map_err(|_| "mtu")?,
                open_radio: r.open_radio,
                may_encrypt: true,
                only_wide_tags: r.wide_tags,
            },
            precedence: Precedence::from_name(&r.precedence).ok_or("precedence")?,
            order: r.order,
            stream: Stream::new(u8::try_from(r.rows).map_err(|_| "rows")?, r.loss),
            taken: 0,
            radiated: 0,
        };
        if let Some(delivery) = self.delivery_mut(r.id, r.delivery)? {
            delivery.air = Some(plan);
        }
        Ok(())
    }

    fn fold_row(&mut self, at_ms: i64, r: &journal::RowKept) -> Folded {
        let number = number(r.number.as_ref())?;
        let (header, body) = Header::parse(&r.frame).map_err(|_| "frame")?;
        let row = Row::parse(header, body).map_err(|_| "row")?;
        let (from, index) = (terminal(&r.from)?, row.extension.index);
        let net = self.nets.entry(traffic(r.exercise)).or_default();
        let gathered = net.gathered.entry(number).or_insert_with(|| Gathered {
            partial: Partial::begin(&row),
            highest: index,
            from: from.clone(),
            link: LinkId::new(&r.link),
            first_ms: at_ms,
        });
        // The first row is there already; one that does not belong was refused before it was journaled.
        let _ = gathered.partial.add(&row);
        gathered.highest = gathered.highest.max(index);
        gathered.from = from;
        gathered.link = LinkId::new(&r.link);
        Ok(())
    }

    fn fold_rows_dropped(&mut self, r: &journal::RowsDropped) -> Folded {
        let number = number(r.number.as_ref())?;
        self.nets.entry(traffic(r.exercise)).or_default().gathered.remove(&number);
        Ok(())
    }

    fn fold_frame(&mut self, at_ms: i64, r: &journal::FrameAccepted) -> Folded {
        let number = number(r.number.as_ref())?;
        let net = self.nets.entry(traffic(r.exercise)).or_default();
        net.gathered.remove(&number);
        let at_s = u64::try_from(at_ms / SECOND_MS).unwrap_or(0);
        net.replay.accept(number, Digest::from_u64(r.content), at_s);
        Ok(())
    }

    fn fold_owed(&mut self, r: &journal::ReceiptOwed) -> Folded {
        let number = number(r.number.as_ref())?;
        let owed = Owed {
            state: receipt_state(r.state)?,
            copies: u8::try_from(r.copies).unwrap_or(u8::MAX),
            precedence: Precedence::from_name(&r.precedence).ok_or("precedence")?,
        };
        self.nets.entry(traffic(r.exercise)).or_default().owed.insert(number, owed);
        Ok(())
    }

    fn fold_receipt(&mut self, r: &journal::ReceiptHeard) -> Folded {
        let state = receipt_state(r.state)?;
        let Some(air) = self.delivery_mut(r.id, r.delivery)?.and_then(|delivery| delivery.air.as_mut()) else {
            return Ok(());
        };
        let slot = air.stream.sends().into();
        match state {
            receipt::State::Need(rows) => {
                air.stream.learn_loss(rows);
                air.stream.heard(slot, Said::Need(rows));
            }
            receipt::State::Complete | receipt::State::Human(_) => air.stream.heard(slot, Said::Complete),
            receipt::State::Refused(_) | receipt::State::Unknown { .. } => {}
        }
        Ok(())
    }

    fn fold_models(&mut self, r: &journal::ModelsLearned) -> Folded {
        let station = u16::try_from(r.station).ok().and_then(StationId::new).ok_or("station")?;
        let models = ModelSet::from_bits(r.models).ok_or("models")?;
        self.nets.entry(traffic(r.exercise)).or_default().models.insert(station, models);
        Ok(())
    }

    /// What an outcome means for a row, or for the receipts that a frame carried. `spent`: it may have been radiated, and
    /// that was not counted before.
    pub(super) fn fold_air_outcome(&mut self, attempt: &OpenAttempt, outcome: &str, spent: bool) {
        if attempt.is_frame() {
            let net = self.nets.entry(attempt.traffic).or_default();
            attempt.answers.iter().filter(|_| spent).for_each(|number| net.said(*number));
        }
        let message = self.messages.get_mut(&attempt.id);
        let delivery = message.and_then(|message| message.deliveries.get_mut(usize::from(attempt.delivery)));
        if attempt.is_frame() {
            // Only a question has the number of a message.
            if let Some(delivery) = delivery.filter(|_| spent) {
                delivery.asked = delivery.asked.saturating_add(1);
            }
            return;
        }
        let Some(air) = delivery.and_then(|delivery| delivery.air.as_mut()) else { return };
        if spent {
            air.stream.sent(air.stream.sends().into());
            air.taken = air.taken.saturating_add(1);
        }
        if matches!(outcome, "radiated" | "delivered") {
            air.radiated = air.radiated.saturating_add(1);
        }
    }

    /// A message that leaves memory takes its receipts along.
    pub(super) fn forget_owed(&mut self, id: MessageId) {
        for net in self.nets.values_mut() {
            net.owed.retain(|number, _| (number.src, number.counter) != (id.station, id.counter));
        }
    }
}

impl NetState {
    /// A receipt went out once more.
    fn said(&mut self, number: Number) {
        if let Some(owed) = self.owed.get_mut(&number) {
            owed.copies = owed.copies.saturating_sub(1);
        }
    }
}

pub(super) const fn traffic(exercise: bool) -> Traffic {
    if exercise { Traffic::Exercise } else { Traffic::Real }
}

fn number(r: Option<&journal::AirNumber>) -> Result<Number, &'static str> {
    let r = r.ok_or("number")?;
    let src = u16::try_from(r.source).ok().and_then(StationId::new).ok_or("source")?;
    let epoch = u16::try_from(r.epoch).map_err(|_| "epoch")?;
    Ok(Number { src, epoch, counter: r.counter })
}

pub(super) fn numbers(list: &[journal::AirNumber]) -> Result<Vec<Number>, &'static str> {
    list.iter().map(|r| number(Some(r))).collect()
}

fn receipt_state(value: u32) -> Result<receipt::State, &'static str> {
    let state = u8::try_from(value >> 6).ok().filter(|state| *state < 4).ok_or("state")?;
    Ok(receipt::State::from_numbers(state, u8::try_from(value & 0x3F).map_err(|_| "state")?))
}
