//! Keeping count: fourteen bits of a counter are on the air, and who has lost count of the rest can open nothing of a
//! station until he hears its beacon.
//!
//! That happens to a station that is new in the net, that got another disk, or that was away for eight thousand messages.
//! It asks with a beacon of its own, which says its own count as well, and asks ever less often.

use super::frames::{FrameFailure, Pen, Saying};
use super::{Arrival, Engine};
use crate::event::Event;
use crate::outbox::{Owing, Word};
use crate::time::{Instant, Now};
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::air::beacon::Beacon;
use yizhan_codecs::air::{Traffic, text};
use yizhan_codecs::message::{Precedence, StationId};

/// Frames that could not be opened one after the other, from a station that was opened before: damage and forgery happen.
const FAILURES: u32 = 3;
/// Slots between two questions: the first and the longest wait.
const GAP_SLOTS: u32 = 4;
const GAP_SLOTS_MAX: u32 = 16;

/// What is to be said of counts.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Counts {
    said: BTreeMap<(Traffic, StationId), Count>,
    /// Frames of each station that were not opened since the last that was.
    failures: BTreeMap<StationId, u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// We want its beacon.
    asks: bool,
    /// It wants ours.
    answers: bool,
    since: Instant,
    not_before: Instant,
    gap: u32,
}

impl Counts {
    /// A frame was opened: we have count of it.
    pub fn opened(&mut self, traffic: Traffic, station: StationId) {
        self.failures.remove(&station);
        if let Some(count) = self.said.get_mut(&(traffic, station)) {
            count.asks = false;
            count.gap = 0;
        }
    }

    fn ask(&mut self, now: Instant, traffic: Traffic, station: StationId) -> bool {
        let count = self.said.entry((traffic, station)).or_default();
        let new = !count.asks;
        count.asks = true;
        count.since = now;
        new && count.gap == 0
    }

    /// The station has lost count of ours.
    pub fn asked(&mut self, now: Instant, traffic: Traffic, station: StationId) {
        let count = self.said.entry((traffic, station)).or_default();
        (count.answers, count.since, count.not_before) = (true, now, now);
    }

    /// A beacon went out, or may have.
    pub fn said(&mut self, now: Instant, traffic: Traffic, station: StationId, slot: Duration) {
        let Some(count) = self.said.get_mut(&(traffic, station)) else { return };
        count.answers = false;
        if std::mem::take(&mut count.asks) {
            count.gap = count.gap.saturating_mul(2).clamp(GAP_SLOTS, GAP_SLOTS_MAX);
            count.not_before = now.after(slot * count.gap);
        }
    }
}

impl Engine {
    /// A frame of a station of the roster was not opened: perhaps we have lost count, and it is to say its own. Only what
    /// came from its own terminal counts: a stranger costs no airtime.
    pub(super) fn perhaps_lost_count(&mut self, now: Now, arrival: &Arrival, station: StationId) {
        let at = self.state.roster().station_at(&arrival.from).and_then(crate::people::StationEntry::station);
        if at != Some(station) {
            return;
        }
        let failures = self.stations.counts.failures.entry(station).or_default();
        *failures = failures.saturating_add(1);
        let failures = *failures;
        let mut nets: Vec<Traffic> = self.config.nets.iter().map(|net| net.net.traffic).collect();
        nets.sort_unstable();
        let Some(first) = nets.first().copied() else { return };
        // Which net a frame that nobody can open is of, nobody knows: they are asked in turn.
        let turn = usize::try_from(failures / FAILURES).unwrap_or(0).saturating_sub(1);
        let traffic = if !self.has_heard(first, station) {
            first
        } else if failures.is_multiple_of(FAILURES) {
            nets.get(turn % nets.len()).copied().unwrap_or(first)
        } else {
            return;
        };
        if self.stations.counts.ask(now.mono, traffic, station) {
            let detail = format!("station {}", station.number());
            let link = arrival.link.clone();
            self.tell(Event::Remarked { link, what: "打不开对端驿站的报文：发信标请它报数", detail });
        }
        self.outbox.touch();
    }

    fn has_heard(&self, traffic: Traffic, station: StationId) -> bool {
        let epoch = self.net(traffic).map(|net| net.net.epoch);
        epoch.is_some_and(|epoch| self.net_state(traffic).replay.highest(station, epoch).is_some())
    }

    /// Beacons to be sent. Nothing of a station that cannot be opened arrives, not even FLASH: they compete next to it.
    pub(super) fn beacons_owed(&self) -> impl Iterator<Item = Owing> {
        let wanted = self.stations.counts.said.iter().filter(|(_, count)| count.asks || count.answers);
        wanted.map(|((traffic, station), count)| Owing {
            word: Word::Beacon,
            traffic: *traffic,
            station: *station,
            precedence: Precedence::Flash,
            since: count.since.max(count.not_before),
            presses: false,
            terminals: self.terminals_of(*station),
        })
    }

    /// Our counter, whole.
    pub(super) fn say_beacon(
        &self,
        now: Now,
        mut pen: Pen<'_>,
        traffic: Traffic,
        station: StationId,
    ) -> Result<Saying, FrameFailure> {
        let count = self.stations.counts.said.get(&(traffic, station)).ok_or(FrameFailure::Nothing)?;
        let trusted = self.clock.utc(now.mono).is_some();
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(count.asks, Beacon::WANTS_BEACON) | flag(trusted, Beacon::CLOCK_TRUSTED);
        let bytes = pen.door.seal_beacon(&mut pen.spent, pen.counter, text::own_models(), flags)?;
        Ok(Saying { bytes, answers: Vec::new(), units: Vec::new() })
    }
}
