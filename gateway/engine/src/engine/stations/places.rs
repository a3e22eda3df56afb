//! Positions of units behind an outpost, several in one frame to the command post. A newer one replaces the one that waits,
//! none is repeated, and the unit of which nothing was told for the longest time goes first.

use super::frames::{FrameFailure, Pen, Saying};
use super::{Arrival, Engine};
use crate::event::Event;
use crate::outbox::{Owing, Word};
use crate::time::{Instant, Now, Utc};
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::content::{Content, Protected};
use yizhan_codecs::air::frame::Letter;
use yizhan_codecs::air::header::Destination;
use yizhan_codecs::air::position::{Cell, Offset, Origin, OriginId, Positions, Status, Unit};
use yizhan_codecs::message::{Position, Precedence, StationId, TerminalId};

/// Positions of one frame, at most: as many as 77 bytes hold about an origin. A full frame does not wait.
const UNITS: usize = 9;

/// A position in a frame: the unit, and when it was heard.
pub(in crate::engine) type Placed = (u16, Instant);

/// What waits, and what was told.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Places {
    waiting: BTreeMap<u16, Place>,
    /// When a position of each unit last went out.
    told: BTreeMap<u16, Instant>,
}

#[derive(Clone, Debug)]
struct Place {
    terminal: TerminalId,
    /// When it was heard.
    at: Instant,
    /// Since when one of this unit waits.
    since: Instant,
}

impl Places {
    fn heard(&mut self, now: Instant, unit: u16, terminal: &TerminalId) {
        let since = self.waiting.get(&unit).map_or(now, |place| place.since);
        self.waiting.insert(unit, Place { terminal: terminal.clone(), at: now, since });
    }

    /// What waits, in the order of sending.
    fn due(&self) -> Vec<(u16, &Place)> {
        let mut due: Vec<(u16, &Place)> = self.waiting.iter().map(|(unit, place)| (*unit, place)).collect();
        due.sort_by_key(|(unit, _)| (self.told.get(unit).copied(), *unit));
        due
    }

    /// A frame with these went out, or not: a unit that has moved on meanwhile still waits.
    pub fn ended(&mut self, now: Instant, units: &[Placed], may_be_out: bool) {
        for (unit, at) in units.iter().filter(|_| may_be_out) {
            self.told.insert(*unit, now);
            if self.waiting.get(unit).is_some_and(|place| place.at == *at) {
                self.waiting.remove(unit);
            }
        }
    }

    /// Lets go what is too old to be of use; gives how many there were.
    fn expire(&mut self, now: Instant, life: Duration) -> usize {
        let before = self.waiting.len();
        self.waiting.retain(|_, place| now.since(place.at) < life);
        before - self.waiting.len()
    }
}

impl Engine {
    /// The command post, seen from a station that is not it.
    pub(in crate::engine) fn centre(&self) -> Option<StationId> {
        self.net(Traffic::Real).map(|net| net.net.centre).filter(|centre| *centre != self.config.station)
    }

    fn origins(&self) -> impl Iterator<Item = Origin> {
        let of = |(number, origin): (&u8, &yizhan_codecs::air::form::Origin)| {
            let (lat_e7, lon_e7) = origin.place();
            Origin::new(OriginId::new(*number)?, lat_e7, lon_e7)
        };
        self.config.area.origins.iter().filter_map(of)
    }

    /// A unit has moved: the command post is told, if the roster gives the unit a number.
    pub(in crate::engine) fn place_heard(&mut self, now: Now, of: &TerminalId) {
        let unit = self.state.roster().holder(of).and_then(|person| person.number);
        let Some(unit) = unit.filter(|_| self.centre().is_some()) else { return };
        self.stations.places.heard(now.mono, unit, of);
        self.outbox.touch();
    }

    /// Positions that nobody could be told in time.
    pub(in crate::engine) fn expire_places(&mut self, now: Now) {
        let over = self.stations.places.expire(now.mono, self.config.policy.position_life);
        let link = self.config.links.first().map(|link| link.id.clone());
        if let Some(link) = link.filter(|_| over > 0) {
            let detail = format!("{over} positions");
            self.tell(Event::Remarked { link, what: "位置过期，没能转给指挥所", detail });
        }
    }

    pub(super) fn positions_owed(&self, now: Now) -> Option<Owing> {
        let station = self.centre()?;
        let waiting = &self.stations.places.waiting;
        let since = waiting.values().map(|place| place.since).min()?;
        Some(Owing {
            word: Word::Positions,
            traffic: Traffic::Real,
            station,
            precedence: Precedence::Routine,
            since: since.min(now.mono),
            presses: waiting.len() >= UNITS,
            terminals: self.terminals_of(station),
        })
    }

    /// As many positions as one frame holds, and receipts beside them.
    pub(super) fn say_positions(
        &self,
        now: Now,
        mut pen: Pen<'_>,
        traffic: Traffic,
        station: StationId,
    ) -> Result<Saying, FrameFailure> {
        let due: Vec<(u16, Instant, Position)> = self
            .stations
            .places
            .due()
            .into_iter()
            .filter_map(|(unit, place)| Some((unit, place.at, self.state.contacts.get(&place.terminal)?.position?)))
            .collect();
        let dst = Destination::CommandPost;
        let bearing = pen.door.bearing;
        let fits = |protected: &Protected| {
            protected.emit().is_ok_and(|bytes| bearing.frames(dst, bytes.len(), false) == Some(1))
        };
        let (mut protected, units) = self.bundle(now, &due, &fits).ok_or(FrameFailure::Nothing)?;
        let answers = self.ride(now, traffic, station, &mut protected, fits);
        let letter = Letter { counter: pen.counter, precedence: Precedence::Routine, dst, protected, order: false };
        let frames = pen.door.seal(&mut pen.spent, &letter)?;
        let bytes = pen.door.frame(&frames, 0)?;
        Ok(Saying { bytes, answers, units })
    }

    /// The most positions that fit: about the origin that most of them are near, or anywhere.
    fn bundle(
        &self,
        now: Now,
        due: &[(u16, Instant, Position)],
        fits: &dyn Fn(&Protected) -> bool,
    ) -> Option<(Protected, Vec<Placed>)> {
        let origins = self.origins().filter_map(|origin| about(now, due, &origin));
        let mut best: Option<(Protected, Vec<Placed>)> = None;
        for (mut positions, mut units) in origins.chain(anywhere(now, due)) {
            let protected = loop {
                let protected = Protected::from(Content::Positions(positions.clone()));
                if fits(&protected) {
                    break Some(protected);
                }
                units.pop();
                match &mut positions {
                    Positions::Relative { units, .. } => drop(units.pop()),
                    Positions::Absolute { units } => drop(units.pop()),
                }
                if units.is_empty() {
                    break None;
                }
            };
            let more = best.as_ref().is_none_or(|(_, held)| units.len() > held.len());
            if let Some(protected) = protected.filter(|_| more) {
                best = Some((protected, units));
            }
        }
        best
    }

    /// Where a station says that units are.
    pub(super) fn positions_heard(&mut self, now: Now, arrival: &Arrival, from: StationId, positions: &Positions) {
        let mut unknown: Vec<String> = Vec::new();
        match positions {
            Positions::Relative { origin, units } => {
                let known = self.origins().find(|known| known.id() == *origin);
                for unit in units {
                    let place = known.map(|origin| unit.place.place(&origin));
                    unknown.extend(self.unit_heard(now, from, unit.unit, place, unit.status));
                }
            }
            Positions::Absolute { units } => {
                for unit in units {
                    unknown.extend(self.unit_heard(now, from, unit.unit, Some(unit.place.place()), unit.status));
                }
            }
        }
        if !unknown.is_empty() {
            let (link, detail) = (arrival.link.clone(), unknown.join(", "));
            self.tell(Event::Remarked {
                link, what: "收到位置，但不知是谁或在何处：请核对人员表编号与原点", detail
            });
        }
    }

    /// One unit of a frame; gives why it is not on the map.
    fn unit_heard(
        &mut self,
        now: Now,
        from: StationId,
        unit: u16,
        place: Option<(i32, i32)>,
        status: Status,
    ) -> Option<String> {
        let Some(terminal) = self.unit_terminal(from, unit) else {
            return Some(format!("unit {unit} is not in the roster"));
        };
        let Some(place) = place else { return Some(format!("unit {unit} is about an origin that is not known here")) };
        let at = self.clock.utc(now.mono).zip(status.age.seconds());
        let at = at.map(|(utc, age)| Utc(utc.0.saturating_sub(i64::from(age) * 1_000)));
        self.position(now, &terminal, &Position { at, ..status.position(place) });
        None
    }

    /// The terminal on the map for a unit's number.
    fn unit_terminal(&self, from: StationId, unit: u16) -> Option<TerminalId> {
        let roster = self.state.roster();
        let person = || roster.people.iter().find(|person| person.number == Some(unit));
        let station = if unit == 0 { Some(from) } else { StationId::new(unit) };
        let enrolled = match station {
            Some(station) => roster.station_number(station)?.terminals.first(),
            None => person()?.terminals.first(),
        };
        enrolled.map(|terminal| terminal.0.clone())
    }
}

fn status(now: Now, at: Instant, fix: &Position) -> Status {
    let age = u32::try_from(now.mono.since(at).as_secs()).ok();
    Status::of(fix, age, None)
}

/// Those near an origin.
fn about(now: Now, due: &[(u16, Instant, Position)], origin: &Origin) -> Option<(Positions, Vec<Placed>)> {
    let near = due.iter().filter_map(|(unit, at, fix)| {
        let place = Offset::of(origin, fix.lat_e7, fix.lon_e7)?;
        Some((Unit { unit: *unit, place, status: status(now, *at, fix) }, (*unit, *at)))
    });
    let (units, placed): (Vec<_>, Vec<_>) = near.take(UNITS).unzip();
    (!units.is_empty()).then(|| (Positions::Relative { origin: origin.id(), units }, placed))
}

fn anywhere(now: Now, due: &[(u16, Instant, Position)]) -> Option<(Positions, Vec<Placed>)> {
    let all = due.iter().filter_map(|(unit, at, fix)| {
        let place = Cell::of(fix.lat_e7, fix.lon_e7)?;
        Some((Unit { unit: *unit, place, status: status(now, *at, fix) }, (*unit, *at)))
    });
    let (units, placed): (Vec<_>, Vec<_>) = all.take(UNITS).unzip();
    (!units.is_empty()).then_some((Positions::Absolute { units }, placed))
}
