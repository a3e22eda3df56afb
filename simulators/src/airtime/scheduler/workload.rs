//! A command post's day in messages, with one sender who floods.

use crate::seed::Seed;
use std::time::Duration;
use yizhan_codecs::message::Precedence;
use yizhan_engine::outbox::ladder::Matter;

/// Who floods.
pub const FLOODER: u32 = 0;

/// Milliseconds within which a flood's batch is handed in.
const FLOOD_WITHIN: u64 = 60_000;

/// One message handed in.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub at: Duration,
    pub by: u32,
    pub precedence: Precedence,
    pub matter: Matter,
    pub rows: u8,
}

/// What is handed in, per hour of the pool's slots.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    pub hours: u64,
    /// Slots that the cards have together, in an hour.
    pub slots_an_hour: u64,
    /// Units that report and write.
    pub units: u32,
    /// How often each of them reports its position.
    pub position_every: Duration,
    /// Share of 1000 slots for each precedence, from all units, without positions and without the flood.
    pub flash: u32,
    pub immediate: u32,
    pub priority: u32,
    pub routine: u32,
    /// Share of 1000 slots that the flood takes, in the mean of the day.
    pub flood: u32,
    /// Messages that the flooder hands in at once.
    pub flood_batch: u64,
}

impl Workload {
    /// 60 units; the load counts everything, positions packed nine to a frame. Beyond 0.9 only the flood grows.
    #[must_use]
    pub const fn reporting(load: u32) -> Self {
        let positions = 333;
        let (flash, immediate, priority, routine) = (20, 60, 150, 137);
        let flood = load - positions - flash - immediate - priority - routine;
        let flood_batch = if load > 1_000 { 60 } else { 20 };
        Self { flash, immediate, priority, routine, flood, flood_batch, ..Self::units(60) }
    }

    /// 100 units, whose positions would take another 0.56 of the slots on top: the load counts texts only.
    #[must_use]
    pub const fn crowded(load: u32) -> Self {
        let (flash, immediate, priority, routine) = (20, 80, 250, 200);
        let flood = load - flash - immediate - priority - routine;
        let flood_batch = if load > 1_000 { 60 } else { 20 };
        Self { flash, immediate, priority, routine, flood, flood_batch, ..Self::units(100) }
    }

    /// Load 0.6, of which a sixth is flood.
    #[must_use]
    pub const fn ordinary() -> Self {
        Self { flash: 20, immediate: 60, priority: 150, routine: 50, flood: 98, ..Self::units(40) }
    }

    /// Load 0.3, and nobody floods.
    #[must_use]
    pub const fn quiet() -> Self {
        Self { flash: 10, immediate: 30, priority: 80, routine: 69, ..Self::units(20) }
    }

    /// A day of two cards of one minute; every unit reports its position every ten minutes.
    const fn units(units: u32) -> Self {
        Self {
            hours: 24,
            slots_an_hour: 120,
            units,
            position_every: Duration::from_secs(600),
            flash: 0,
            immediate: 0,
            priority: 0,
            routine: 0,
            flood: 0,
            flood_batch: 20,
        }
    }

    /// All arrivals, in order of time.
    #[must_use]
    pub fn arrivals(&self, seed: &Seed) -> Vec<Arrival> {
        let mut all = Vec::new();
        let shares = [
            (Precedence::Flash, self.flash, "flash"),
            (Precedence::Immediate, self.immediate, "immediate"),
            (Precedence::Priority, self.priority, "priority"),
            (Precedence::Routine, self.routine, "routine"),
        ];
        for (precedence, share, name) in shares {
            self.texts(&mut all, &mut seed.stream(name), precedence, share);
        }
        self.positions(&mut all, &mut seed.stream("positions"));
        self.floods(&mut all, &mut seed.stream("flood"));
        all.sort_by_key(|arrival| arrival.at);
        all
    }

    fn end(&self) -> u64 {
        self.hours * 3_600_000
    }

    /// Texts of all units, at random moments.
    fn texts(&self, all: &mut Vec<Arrival>, chance: &mut Seed, precedence: Precedence, share: u32) {
        let mut slots = self.slots_an_hour * self.hours * u64::from(share) / 1_000;
        while slots > 0 {
            let rows = rows(chance, precedence).min(u8::try_from(slots).unwrap_or(u8::MAX));
            slots -= u64::from(rows);
            let at = Duration::from_millis(chance.below(self.end()));
            let by = u32::try_from(chance.between(1, self.units.into())).unwrap_or(1);
            all.push(Arrival { at, by, precedence, matter: Matter::Text, rows });
        }
    }

    fn positions(&self, all: &mut Vec<Arrival>, chance: &mut Seed) {
        let every = u64::try_from(self.position_every.as_millis()).unwrap_or(u64::MAX).max(1);
        for by in 1..=self.units {
            let mut at = chance.below(every);
            while at < self.end() {
                let matter = Matter::Position;
                let precedence = Precedence::Routine;
                all.push(Arrival { at: Duration::from_millis(at), by, precedence, matter, rows: 1 });
                at += every;
            }
        }
    }

    /// Batches of PRIORITY, at random moments.
    fn floods(&self, all: &mut Vec<Arrival>, chance: &mut Seed) {
        let slots = self.slots_an_hour * self.hours * u64::from(self.flood) / 1_000;
        let (mut left, mut at) = (slots, 0);
        for index in 0..slots {
            if index % self.flood_batch == 0 {
                at = chance.below(self.end().saturating_sub(FLOOD_WITHIN));
            }
            left = left.saturating_sub(1);
            let at = Duration::from_millis(at + chance.below(FLOOD_WITHIN));
            all.push(Arrival { at, by: FLOODER, precedence: Precedence::Priority, matter: Matter::Text, rows: 1 });
        }
    }
}

/// Frames of one message: most are one.
fn rows(chance: &mut Seed, precedence: Precedence) -> u8 {
    let longest = if precedence == Precedence::Flash { 1 } else { 4 };
    if chance.chance(800) { 1 } else { u8::try_from(chance.between(1, longest)).unwrap_or(1) }
}
