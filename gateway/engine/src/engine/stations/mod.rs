//! Other stations: packed and sealed messages to them and from them, and the receipts both ways.
//!
//! **Invariants**
//! - A counter is one content for ever; it is journaled before its first frame leaves.
//! - Nothing of a frame counts before its tag was right, but for text in clear, which is marked 未认证.
//! - COMPLETE is owed once a message is stored, HUMAN only for what a person did.

mod asks;
mod carry;
mod clear;
mod counts;
mod frames;
mod hear;
mod pack;
mod places;
mod receipts;
mod rows;

pub(in crate::engine) use asks::Asks;
pub(in crate::engine) use clear::Clears;
pub(in crate::engine) use counts::Counts;
pub(in crate::engine) use frames::Flight;
pub(in crate::engine) use places::Places;
pub(in crate::engine) use receipts::{Gatherings, human_of};

use super::Engine;
use crate::bus::journal;
use crate::bus::{CardKey, NetState};
use crate::config::AirNet;
use crate::session::Session;
use crate::time::{Instant, Now};
use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;
use std::time::Duration;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::frame::Door;
use yizhan_codecs::air::limits::{Bearing, FAILURES_PER_HOUR_MAX};
use yizhan_codecs::air::nonce::Number;
use yizhan_codecs::message::{Bearer, LinkId, StationId, TerminalId};

/// A net in which nothing has come.
static NOTHING_YET: LazyLock<NetState> = LazyLock::new(NetState::default);

const HOUR: Duration = Duration::from_secs(3_600);

/// Where something came in.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub link: LinkId,
    pub from: TerminalId,
    pub traffic: Traffic,
}

/// What a message of another station brings along.
#[derive(Clone, Debug)]
pub(super) struct Sealed {
    pub id: yizhan_codecs::message::MessageId,
    pub precedence: yizhan_codecs::message::Precedence,
    pub voucher: crate::bus::Voucher,
    pub traffic: Traffic,
    /// The id of the station in the roster.
    pub by: String,
    pub words: String,
    pub form: String,
}

/// Tags that were wrong, by the station that the frame named.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Failures(BTreeMap<StationId, VecDeque<Instant>>);

impl Failures {
    /// One more; whether it is the one that makes an alarm.
    fn count(&mut self, now: Instant, station: StationId) -> bool {
        let times = self.0.entry(station).or_default();
        times.retain(|at| now.since(*at) < HOUR);
        let before = times.len();
        times.push_back(now);
        if times.len() > limit().saturating_add(1) {
            times.pop_front();
        }
        before == limit()
    }

    /// Whether so many were wrong of late that only long tags are taken.
    fn is_alarmed(&self, now: Instant) -> bool {
        let recent = |times: &VecDeque<Instant>| times.iter().filter(|at| now.since(**at) < HOUR).count();
        self.0.values().any(|times| recent(times) > limit())
    }
}

fn limit() -> usize {
    usize::try_from(FAILURES_PER_HOUR_MAX).unwrap_or(usize::MAX)
}

impl Engine {
    pub(super) fn net(&self, traffic: Traffic) -> Option<&AirNet> {
        self.config.nets.iter().find(|net| net.net.traffic == traffic)
    }

    pub(super) fn net_state(&self, traffic: Traffic) -> &NetState {
        self.state.nets.get(&traffic).unwrap_or(&NOTHING_YET)
    }

    /// The bearer behind a link as frames meet it; `None` where it carries none.
    fn bearing(&self, now: Now, session: &Session, card: Option<&CardKey>) -> Option<Bearing> {
        let limits = session.limits();
        let of_card = card.and_then(|key| self.outbox.cards.get(key)).map(|card| card.capacity_bits);
        let on_link = || self.outbox.cards.on(&session.link).map(|(_, card)| card.capacity_bits).min();
        let bits = of_card.or_else(on_link).or(limits.capacity_bits)?;
        let mtu = session.payload_max(bits)?.min(yizhan_codecs::air::limits::FRAME_MAX);
        Some(Bearing {
            mtu,
            open_radio: is_open_radio(limits.bearer),
            may_encrypt: limits.may_encrypt,
            only_wide_tags: self.stations.failures.is_alarmed(now.mono),
        })
    }

    /// What all links to these terminals carry, up or not.
    pub(super) fn shared_bearing(&self, now: Now, terminals: &[TerminalId]) -> Option<Bearing> {
        let leads = |session: &&Session| terminals.iter().any(|terminal| session.coverage().has(terminal));
        Bearing::shared(self.sessions.values().filter(leads).filter_map(|session| self.bearing(now, session, None)))
    }
}

fn door<'a>(net: &'a AirNet, bearing: &'a Bearing) -> Door<'a> {
    Door { cipher: &*net.cipher, net: &net.net, bearing }
}

/// Whether anybody can send on it as fast as he likes: there only long tags count, and rows are marked.
const fn is_open_radio(bearer: Bearer) -> bool {
    !matches!(bearer, Bearer::Beidou | Bearer::Satphone)
}

fn number_record(number: Number) -> journal::AirNumber {
    journal::AirNumber { source: number.src.number().into(), epoch: number.epoch.into(), counter: number.counter }
}
