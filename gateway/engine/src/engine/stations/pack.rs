//! Messages to other stations: packed and numbered once, then any row of them on any bearer.

use super::{Engine, door, number_record};
use crate::bus::journal::{self, record::What};
use crate::bus::{AirPlan, CardKey, Message, id_to_u64};
use crate::config::AirNet;
use crate::engine::foresee::Far;
use crate::route;
use crate::time::Now;
use thiserror::Error;
use yizhan_codecs::air::beacon::ModelSet;
use yizhan_codecs::air::content::{Content, Protected, RIDING_MAX};
use yizhan_codecs::air::form::Form;
use yizhan_codecs::air::frame::{Frames, Letter, SendError};
use yizhan_codecs::air::header::Destination;
use yizhan_codecs::air::limits::Bearing;
use yizhan_codecs::air::nonce::Number;
use yizhan_codecs::air::receipt::{Receipt, State};
use yizhan_codecs::air::writing::{self, WriteError};
use yizhan_codecs::air::{Traffic, text};
use yizhan_codecs::message::{LinkId, MessageId, StationId, TerminalId};

/// The least that a bearer of frames carries in one: BDS-3 global, 560 bit less the mark of mixed text (facts, airtime §1).
const SHORTEST_MTU: usize = 69;

/// Why a message cannot go to a station.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(in crate::engine) enum PlanFailure {
    #[error("there is no net for {traffic:?} traffic here")]
    NoNet { traffic: Traffic },
    #[error("no link to the station carries frames")]
    NoBearer,
    #[error("the message or its delivery is gone")]
    Gone,
    #[error("the station's message numbers are used up")]
    IdsExhausted,
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("{bytes} bytes are more than 32 frames of {mtu} bytes carry")]
    TooLong { bytes: usize, mtu: usize },
}

impl PlanFailure {
    /// What a person is told, and what to do.
    pub fn label(&self) -> String {
        match self {
            Self::NoNet { traffic: Traffic::Exercise } => "本站没有演练网的密钥：请在配置中加一个演练网".into(),
            Self::NoNet { traffic: Traffic::Real } => "本站没有站间网的密钥：请在配置中加 [[net]]".into(),
            Self::NoBearer => "到该站的链路都不能传站间报文：请检查链路的设备".into(),
            Self::Gone => "报文已不在".into(),
            Self::IdsExhausted => "本站报文编号已用完：请换站号".into(),
            Self::Write(WriteError::Text(_)) | Self::TooLong { .. } => format!("报文太长：请分成几条（{self}）"),
            Self::Write(_) | Self::Send(_) => format!("报文装不成帧：{self}"),
        }
    }
}

impl Engine {
    /// Packs a delivery and gives it its number, once; a later send takes up the same.
    pub(in crate::engine) fn plan_air(&mut self, now: Now, id: MessageId, delivery: u16) -> Result<(), PlanFailure> {
        self.plan_over(now, id, delivery, None)
    }

    /// As [`Self::plan_air`], for a courier: where no card has told what it carries, frames are as short as any bearer wants them.
    pub(super) fn plan_to_carry(&mut self, now: Now, id: MessageId, delivery: u16) -> Result<(), PlanFailure> {
        let terminals = self.terminals_to(id, delivery);
        let shortest = Bearing {
            mtu: SHORTEST_MTU,
            open_radio: terminals.iter().any(|terminal| super::is_open_radio(terminal.bearer)),
            may_encrypt: true,
            only_wide_tags: false,
        };
        let bearing = self.shared_bearing(now, &terminals).unwrap_or(shortest);
        self.plan_over(now, id, delivery, Some(bearing))
    }

    fn plan_over(
        &mut self,
        now: Now,
        id: MessageId,
        delivery: u16,
        bearing: Option<Bearing>,
    ) -> Result<(), PlanFailure> {
        if self.air_plan(id, delivery).is_some() {
            return Ok(());
        }
        let station = self.station_of(id, delivery)?;
        let traffic = self.state.message(id).ok_or(PlanFailure::Gone)?.traffic;
        self.plan_with(now, id, delivery, self.models_of(traffic, station), bearing)
    }

    /// The text models that a station has, as far as is known.
    pub(in crate::engine) fn models_of(&self, traffic: Traffic, station: StationId) -> ModelSet {
        self.net_state(traffic).models.get(&station).copied().unwrap_or_else(text::own_models)
    }

    /// Rows that a packed message takes to a station; `None` where no link there carries it, or there is no net.
    pub(in crate::engine) fn rows_for(
        &self,
        now: Now,
        message: &Message,
        station: StationId,
        terminals: &[TerminalId],
        content: &Content,
    ) -> Option<u8> {
        let net = self.net(message.traffic)?;
        let bearing = self.shared_bearing(now, terminals)?;
        let order = message.kind == crate::io::SendKind::Order;
        rows_of(&bearing, destination(net, station), &Protected::from(content.clone()), order).ok()
    }

    /// Packs a delivery anew, so that a station without our models and forms reads it.
    pub(super) fn plan_plainly(&mut self, now: Now, id: MessageId, delivery: u16) -> Result<(), PlanFailure> {
        let plan = self.air_plan(id, delivery).ok_or(PlanFailure::Gone)?;
        let (traffic, station) = (plan.traffic, self.station_of(id, delivery)?);
        let plain = ModelSet::default();
        if self.net_state(traffic).models.get(&station) == Some(&plain) {
            return Err(PlanFailure::Gone);
        }
        let record = journal::ModelsLearned {
            exercise: traffic == Traffic::Exercise,
            station: station.number().into(),
            models: plain.bits(),
        };
        self.append(now, What::ModelsLearned(record));
        self.stations.packed.remove(&(id, delivery));
        self.plan_with(now, id, delivery, plain, None)
    }

    fn plan_with(
        &mut self,
        now: Now,
        id: MessageId,
        delivery: u16,
        models: ModelSet,
        bearing: Option<Bearing>,
    ) -> Result<(), PlanFailure> {
        let station = self.station_of(id, delivery)?;
        let message = self.state.message(id).ok_or(PlanFailure::Gone)?;
        let traffic = message.traffic;
        let net = self.net(traffic).cloned().ok_or(PlanFailure::NoNet { traffic })?;
        let terminals = self.terminals_to(id, delivery);
        let bearing = bearing.or_else(|| self.shared_bearing(now, &terminals)).ok_or(PlanFailure::NoBearer)?;
        let content = match self.stations.contents.get(&(id, models.bits())).filter(|_| self.poisoned.is_none()) {
            Some(packed) => packed.clone(),
            None => self.content_for(message, models)?,
        };
        let dst = destination(&net, station);
        let order = message.kind == crate::io::SendKind::Order;
        let precedence = message.precedence;
        let mut protected = Protected::from(content);
        let rows = rows_of(&bearing, dst, &protected, order)?;
        let riding = self.ride(now, traffic, station, &mut protected, |grown| {
            rows_of(&bearing, dst, grown, order).is_ok_and(|grown| grown == rows)
        });
        let number = self.air_number(now, id, delivery, net.net.epoch)?;
        let letter = Letter { counter: number.counter, precedence, dst, protected: protected.clone(), order };
        let mut spent = self.net_state(traffic).spent.clone();
        let frames = door(&net, &bearing).seal(&mut spent, &letter)?;
        let record = journal::AirPlanned {
            id: id_to_u64(id),
            delivery: delivery.into(),
            exercise: traffic == Traffic::Exercise,
            number: Some(number_record(number)),
            content: protected.emit().map_err(SendError::from)?,
            mtu: u32::try_from(bearing.mtu).unwrap_or(u32::MAX),
            open_radio: bearing.open_radio,
            wide_tags: bearing.only_wide_tags,
            order,
            precedence: precedence.name().into(),
            rows: frames.needed().into(),
            loss: self.loss_to(station),
            answers: riding.into_iter().map(number_record).collect(),
        };
        self.append(now, What::AirPlanned(record));
        self.stations.packed.insert((id, delivery), frames);
        Ok(())
    }

    /// Receipts that the station is owed go along, as long as `fits` says that they take no frame of their own.
    pub(super) fn ride(
        &self,
        now: Now,
        traffic: Traffic,
        to: StationId,
        protected: &mut Protected,
        fits: impl Fn(&Protected) -> bool,
    ) -> Vec<Number> {
        let mut riding = Vec::new();
        for (number, state, _) in self.due_receipts(now, traffic, to, RIDING_MAX) {
            // What is still missing changes from minute to minute, and this may be sent again much later.
            if matches!(state, State::Need(_)) {
                continue;
            }
            let mut grown = protected.clone();
            grown.riding.push(Receipt { seq: number.seq(), state });
            if !fits(&grown) {
                break;
            }
            *protected = grown;
            riding.push(number);
        }
        riding
    }

    /// The message's own number where the message is ours and this is its first delivery; else a number of its own, since
    /// one number is one content to one station.
    fn air_number(&mut self, now: Now, id: MessageId, delivery: u16, epoch: u16) -> Result<Number, PlanFailure> {
        let own = id.station == self.config.station && delivery == 0 && self.air_plan(id, delivery).is_none();
        let id = if own { id } else { self.take_id(now).ok_or(PlanFailure::IdsExhausted)? };
        Ok(Number { src: self.config.station, epoch, counter: id.counter })
    }

    pub(in crate::engine) fn content_for(&self, message: &Message, models: ModelSet) -> Result<Content, PlanFailure> {
        let sender = message.from.as_ref().map(|from| self.name_of(from));
        let form = serde_json::from_str(&message.form).ok().and_then(|json| Form::from_json(&json).ok());
        // A station that cannot read our models may lack our forms too: it gets the words.
        if let Some(mut form) = form.filter(|_| models != ModelSet::default()) {
            if let Some(sender) = &sender {
                let note = if form.note().is_empty() { "" } else { "：" };
                let note = format!("来自{sender}{note}{}", form.note());
                form.set_note(&note).map_err(WriteError::from)?;
            }
            return Ok(writing::of_form(&form, models)?);
        }
        // The net says that it is an exercise; the mark would cost eight bytes.
        let unmarked = Message { traffic: Traffic::Real, ..message.clone() };
        let words = route::render(&unmarked, sender.as_deref(), None, self.poisoned.is_some());
        let words = words.strip_prefix(Traffic::MARK).unwrap_or(&words);
        Ok(writing::of_text(words, models)?)
    }

    fn name_of(&self, terminal: &TerminalId) -> String {
        let roster = self.state.roster();
        let person = roster.holder(terminal).map(|person| person.name.clone());
        let station = || roster.station_at(terminal).map(|station| station.name.clone());
        person.or_else(station).unwrap_or_else(|| terminal.number().to_owned())
    }

    fn station_of(&self, id: MessageId, delivery: u16) -> Result<StationId, PlanFailure> {
        self.state.delivery(id, delivery).and_then(|delivery| delivery.station).ok_or(PlanFailure::Gone)
    }

    fn terminals_to(&self, id: MessageId, delivery: u16) -> Vec<TerminalId> {
        self.state.delivery(id, delivery).map(|delivery| delivery.terminals.clone()).unwrap_or_default()
    }

    pub(in crate::engine) fn air_plan(&self, id: MessageId, delivery: u16) -> Option<&AirPlan> {
        self.state.delivery(id, delivery)?.air.as_ref()
    }

    /// The row to send next: those that are on their way count as sent.
    pub(in crate::engine) fn next_row(&self, id: MessageId, delivery: u16) -> Option<u8> {
        let plan = self.air_plan(id, delivery)?;
        let on_their_way = self.state.open_attempts().filter(|open| (open.id, open.delivery) == (id, delivery)).count();
        Some(plan.stream.row_after(u32::try_from(on_their_way).unwrap_or(0)))
    }

    /// A row as one card sends it.
    pub(in crate::engine) fn row_frame(
        &mut self,
        now: Now,
        id: MessageId,
        delivery: u16,
        row: u16,
        card: &CardKey,
    ) -> Option<Vec<u8>> {
        let frames = self.frames_of(id, delivery)?;
        let plan = self.air_plan(id, delivery)?;
        let net = self.net(plan.traffic)?.clone();
        let session = self.sessions.get(&card.link)?;
        let bearing = self.bearing(now, session, Some(card))?;
        door(&net, &bearing).frame(&frames, u8::try_from(row).ok()?).ok().filter(|frame| frame.len() <= bearing.mtu)
    }

    /// The message in frames, sealed again after a restart: the same bytes, as everything that goes in is the same.
    pub(super) fn frames_of(&mut self, id: MessageId, delivery: u16) -> Option<Frames> {
        if let Some(frames) = self.stations.packed.get(&(id, delivery)) {
            return Some(frames.clone());
        }
        let station = self.station_of(id, delivery).ok()?;
        let plan = self.air_plan(id, delivery)?;
        let net = self.net(plan.traffic)?;
        let dst = destination(net, station);
        let protected = Protected::parse(&plan.content).ok()?;
        let letter =
            Letter { counter: plan.number.counter, precedence: plan.precedence, dst, protected, order: plan.order };
        let mut of_its_epoch = net.net;
        of_its_epoch.epoch = plan.number.epoch;
        let sealing = AirNet { net: of_its_epoch, cipher: net.cipher.clone() };
        let mut spent = self.net_state(plan.traffic).spent.clone();
        let frames = door(&sealing, &plan.bearing).seal(&mut spent, &letter).ok()?;
        self.stations.packed.insert((id, delivery), frames.clone());
        Some(frames)
    }

    /// The loss of 1000 that is reckoned with on the way to a station.
    pub(in crate::engine) fn loss_to(&self, station: StationId) -> u32 {
        self.outbox.paths.loss(station).unwrap_or(self.config.policy.loss_permille)
    }

    /// Something authentic came from a station: the way there works.
    pub(super) fn way_works(&mut self, now: Now, station: StationId, link: &LinkId, from: &TerminalId) {
        if super::carry::is_courier(link) {
            return;
        }
        self.stations.heard_from.insert(station, from.clone());
        self.stations.heard_at.insert(station, now.mono);
        self.evidence.heard(&Far::Station(station));
        let ports = self.ports();
        self.outbox.revive(now.mono, (station, from), &self.state, &ports);
    }

    /// A receipt for a message came `by` a bearer: that one has shown that it works, and carries what is still asked for. Of
    /// another one that carried the message as well nothing is known; it may be dead and only quicker to take rows.
    pub(super) fn answered_way(&mut self, id: MessageId, delivery: u16, by: &TerminalId) {
        let Ok(station) = self.station_of(id, delivery) else { return };
        self.evidence.heard(&Far::Station(station));
        let tries = self.air_plan(id, delivery).map_or(1, |plan| plan.stream.tries());
        let Some(pending) = self.outbox.pending.get_mut(&(id, delivery)) else { return };
        let mut carried = std::mem::take(&mut pending.unanswered);
        if carried.contains(by) {
            carried.retain(|terminal| terminal == by);
            (pending.ways, pending.attempt) = (carried.clone(), tries);
        }
        carried.iter().for_each(|terminal| self.outbox.paths.count(station, terminal, true));
    }

    /// A row went out, or may have: when the next one is due follows from the stream.
    pub(in crate::engine) fn row_out(
        &mut self,
        now: Now,
        id: MessageId,
        delivery: u16,
        link: &LinkId,
        to: &TerminalId,
    ) {
        let Some(plan) = self.air_plan(id, delivery) else { return };
        if !plan.stream.is_certainly_wanted()
            && let Ok(station) = self.station_of(id, delivery)
        {
            self.evidence.sent(now.mono, Far::Station(station));
        }
        let Some(plan) = self.air_plan(id, delivery) else { return };
        let (sends, due) = (u64::from(plan.stream.sends()), plan.stream.due());
        let Some(due) = due else { return };
        let certain = plan.stream.is_certainly_wanted();
        let gap = u32::try_from(due.saturating_sub(sends.saturating_sub(1))).unwrap_or(1).max(1);
        let slot = self.slot_of(link);
        // What is certainly wanted takes the next card that is free. A repair waits its slot on whatever card, a little less
        // than whole: one card's own slot has begun before its word came.
        let next = if certain { now.mono } else { now.mono.after(slot * gap - slot / 4) };
        let terminals = self.terminals_to(id, delivery);
        let Some(pending) = self.outbox.pending.get_mut(&(id, delivery)) else { return };
        pending.sent_at = Some((now.mono, slot));
        if !pending.unanswered.contains(to) {
            pending.unanswered.push(to.clone());
        }
        // The second one of a FLASH belongs to the same slot as the first.
        let second = pending.round.len() > 1;
        for terminal in &terminals {
            let leg = pending.leg_mut(terminal);
            leg.not_before = if second && leg.not_before > now.mono { leg.not_before } else { next };
        }
    }
}

fn destination(net: &AirNet, station: StationId) -> Destination {
    if station == net.net.centre { Destination::CommandPost } else { Destination::Station(station) }
}

fn rows_of(bearing: &Bearing, dst: Destination, protected: &Protected, order: bool) -> Result<u8, PlanFailure> {
    let bytes = protected.emit().map_err(SendError::from)?.len();
    bearing.frames(dst, bytes, order).ok_or(PlanFailure::TooLong { bytes, mtu: bearing.mtu })
}
