//! The way to a station: which bearer carries the next send when several lead there.
//!
//! Every outcome counts and fades: what was true an hour ago says little of a radio that has moved. A bearer's own word
//! of its signal (beam level, RSSI) may lower what is expected of it, never raise it above the evidence.
//!
//! **Invariants**
//! - Whatever is chosen is a way that is there; nothing is chosen only when there is none.
//! - A bearer judged dead is tried again with traffic that has to go anyway, never with empty frames.
//! - Integers only.

use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::message::Precedence;

/// A way to a station, by the number that the caller gives it: a bearer, or one of its links.
pub type WayNo = u16;

/// Counts are kept in thousandths of an outcome.
const WHOLE: u32 = 1_000;
/// What is left of older outcomes after a new one, in hundredths.
const KEEP: u32 = 85;
/// What a way is credited with before anything is known: two successes and half a failure.
const FIRST: Score = Score { good: 2_000, bad: 500 };
/// No way is expected to succeed more rarely than this, of 1000: the expected time would run away.
const SUCCESS_MIN: u32 = 50;
/// Below this success, of 1000, a way is judged dead.
const DEAD: u32 = 100;
/// How often a dead way is tried with what is not urgent.
const PROBE_EVERY: Duration = Duration::from_secs(600);
/// Another way is preferred when its expected time, lengthened by this many hundredths, is still shorter.
const BETTER: u128 = 125;

/// Outcomes of a way, fading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    good: u32,
    bad: u32,
}

impl Default for Score {
    fn default() -> Self {
        FIRST
    }
}

impl Score {
    /// A send was answered (`true`), or its answer did not come in time.
    pub fn count(&mut self, answered: bool) {
        self.good = self.good * KEEP / 100;
        self.bad = self.bad * KEEP / 100;
        if answered {
            self.good += WHOLE;
        } else {
            self.bad += WHOLE;
        }
    }

    /// Sends of 1000 that are answered, by the evidence.
    #[must_use]
    pub const fn success(self) -> u32 {
        match (self.good * 1_000).checked_div(self.good + self.bad) {
            Some(success) => success,
            None => 0,
        }
    }
}

/// One way to a station.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// Least time between two sends, guard included.
    pub period: Duration,
    score: Score,
    /// What the bearer's own signal lets expect at most, of 1000.
    ceiling: u32,
    tried_at: Option<Instant>,
}

impl Way {
    #[must_use]
    pub fn new(period: Duration) -> Self {
        Self { period, score: Score::default(), ceiling: 1_000, tried_at: None }
    }

    /// Sends of 1000 that are expected to be answered.
    #[must_use]
    pub fn success(&self) -> u32 {
        self.score.success().min(self.ceiling)
    }

    /// How long a message takes on this way, by expectation.
    #[must_use]
    pub fn expected(&self) -> Duration {
        self.period * 1_000 / self.success().max(SUCCESS_MIN)
    }

    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.success() < DEAD
    }

    /// Dead, and not tried for a while.
    fn wants_probe(&self, now: Instant) -> bool {
        self.is_dead() && self.tried_at.is_none_or(|at| now.since(at) >= PROBE_EVERY)
    }
}

/// All ways to one station.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ways {
    ways: BTreeMap<WayNo, Way>,
    preferred: Option<WayNo>,
}

impl Ways {
    /// A way is there; one that was there keeps its evidence.
    pub fn learn(&mut self, way: WayNo, period: Duration) {
        self.ways.entry(way).and_modify(|held| held.period = period).or_insert_with(|| Way::new(period));
    }

    /// A way is gone.
    pub fn forget(&mut self, way: WayNo) {
        self.ways.remove(&way);
    }

    #[must_use]
    pub fn get(&self, way: WayNo) -> Option<&Way> {
        self.ways.get(&way)
    }

    /// What the bearer says of its own signal: at most this success, of 1000. 1000 takes it back.
    pub fn dim(&mut self, way: WayNo, ceiling: u32) {
        if let Some(way) = self.ways.get_mut(&way) {
            way.ceiling = ceiling.min(1_000);
        }
    }

    /// The outcome of one send on a way: answered, or not in time.
    pub fn count(&mut self, way: WayNo, answered: bool) {
        if let Some(way) = self.ways.get_mut(&way) {
            way.score.count(answered);
        }
    }

    /// The ways for the `attempt`th try (from 1) of a message, best first. `before` are those of the try before.
    ///
    /// First one way, a FLASH two; then another; from the third try on two. What is not urgent probes a dead way on its
    /// first try, when one is due.
    pub fn choose(&mut self, now: Instant, attempt: u32, precedence: Precedence, before: &[WayNo]) -> Vec<WayNo> {
        let ranked = self.ranked();
        let chosen: Vec<WayNo> = if attempt > 2 || precedence == Precedence::Flash {
            ranked.into_iter().take(2).collect()
        } else if attempt == 2 {
            let other = ranked.iter().find(|way| !before.contains(way)).or(ranked.first());
            other.copied().into_iter().collect()
        } else {
            let probe = self.ways.iter().find(|(_, way)| way.wants_probe(now)).map(|(number, _)| *number);
            let probe = probe.filter(|_| precedence == Precedence::Routine);
            probe.or(ranked.first().copied()).into_iter().collect()
        };
        self.tried(now, &chosen);
        chosen
    }

    /// The ways for a message that waited after tries in vain, when `works` has just been heard to work: what is urgent
    /// takes a second one along.
    pub fn revive(&mut self, now: Instant, precedence: Precedence, works: WayNo) -> Vec<WayNo> {
        let second = self.ranked().into_iter().find(|way| *way != works);
        let second = second.filter(|_| precedence >= Precedence::Immediate);
        let chosen: Vec<WayNo> =
            std::iter::once(works).filter(|way| self.ways.contains_key(way)).chain(second).collect();
        self.tried(now, &chosen);
        chosen
    }

    fn tried(&mut self, now: Instant, chosen: &[WayNo]) {
        for way in chosen {
            if let Some(way) = self.ways.get_mut(way) {
                way.tried_at = Some(now);
            }
        }
    }

    /// All ways: the preferred one first, then by expected time, the dead ones last.
    fn ranked(&mut self) -> Vec<WayNo> {
        let key = |number: &WayNo| self.ways.get(number).map(|way| (way.is_dead(), way.expected()));
        let mut ranked: Vec<WayNo> = self.ways.keys().copied().collect();
        ranked.sort_by_key(|number| (key(number), *number));
        let Some(best) = ranked.first().copied() else { return ranked };
        let held = self.preferred.filter(|held| self.keeps(*held, best));
        let preferred = held.unwrap_or(best);
        self.preferred = Some(preferred);
        // Stable: the others keep their order.
        ranked.sort_by_key(|number| *number != preferred);
        ranked
    }

    /// Whether the way that was preferred so far stays so beside the best one.
    fn keeps(&self, held: WayNo, best: WayNo) -> bool {
        let (Some(held), Some(best)) = (self.ways.get(&held), self.ways.get(&best)) else { return false };
        let much_better = best.expected().as_micros() * BETTER < held.expected().as_micros() * 100;
        !much_better && held.is_dead() == best.is_dead()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEIDOU: WayNo = 0;
    const MESH: WayNo = 1;

    fn both() -> Ways {
        let mut ways = Ways::default();
        ways.learn(BEIDOU, Duration::from_secs(60));
        ways.learn(MESH, Duration::from_secs(2));
        ways
    }

    fn miss(ways: &mut Ways, way: WayNo, times: u32) {
        for _ in 0..times {
            ways.count(way, false);
        }
    }

    fn minutes(n: u64) -> Instant {
        Instant(n * 60_000_000)
    }

    #[test]
    fn outcomes_fade_by_fifteen_hundredths() {
        let mut score = Score::default();
        assert_eq!(score.success(), 800);
        score.count(true);
        assert_eq!(score, Score { good: 2_700, bad: 425 });
        score.count(false);
        assert_eq!(score, Score { good: 2_295, bad: 1_361 });
        for _ in 0..1_000 {
            score.count(false);
        }
        assert_eq!(score.success(), 0);
    }

    #[test]
    fn expected_time_is_the_period_by_the_success_but_never_more_than_twenty_periods() {
        let mut way = Way::new(Duration::from_secs(60));
        assert_eq!(way.expected(), Duration::from_secs(75));
        for _ in 0..100 {
            way.score.count(false);
        }
        assert_eq!(way.expected(), Duration::from_secs(1_200));
    }

    #[test]
    fn first_one_way_then_the_other_then_both() {
        let mut ways = both();
        assert_eq!(ways.choose(minutes(0), 1, Precedence::Priority, &[]), [MESH]);
        assert_eq!(ways.choose(minutes(1), 2, Precedence::Priority, &[MESH]), [BEIDOU]);
        assert_eq!(ways.choose(minutes(2), 3, Precedence::Priority, &[BEIDOU]), [MESH, BEIDOU]);
    }

    #[test]
    fn a_flash_takes_two_ways_at_once() {
        assert_eq!(both().choose(minutes(0), 1, Precedence::Flash, &[]), [MESH, BEIDOU]);
    }

    #[test]
    fn a_single_way_is_tried_again_and_none_is_none() {
        let mut ways = both();
        ways.forget(MESH);
        assert_eq!(ways.choose(minutes(0), 2, Precedence::Routine, &[BEIDOU]), [BEIDOU]);
        assert_eq!(ways.choose(minutes(0), 3, Precedence::Flash, &[BEIDOU]), [BEIDOU]);
        assert!(Ways::default().choose(minutes(0), 1, Precedence::Flash, &[]).is_empty());
    }

    #[test]
    fn the_preferred_way_changes_only_for_one_that_is_much_better() {
        let mut ways = Ways::default();
        ways.learn(0, Duration::from_secs(60));
        ways.learn(1, Duration::from_secs(60));
        assert_eq!(ways.choose(minutes(0), 1, Precedence::Priority, &[]), [0]);
        // 800 beside 734 and then 655 of 1000: eight hundredths worse is kept, a fifth is not.
        ways.count(1, true);
        assert_eq!(ways.choose(minutes(1), 1, Precedence::Priority, &[]), [0]);
        ways.count(0, false);
        assert_eq!(ways.choose(minutes(2), 1, Precedence::Priority, &[]), [1]);
    }

    #[test]
    fn a_dead_way_is_probed_every_ten_minutes_by_routine_traffic_only() {
        let mut ways = both();
        miss(&mut ways, MESH, 20);
        assert!(ways.get(MESH).unwrap().is_dead());
        assert_eq!(ways.choose(minutes(0), 1, Precedence::Immediate, &[]), [BEIDOU]);
        assert_eq!(ways.choose(minutes(0), 1, Precedence::Routine, &[]), [MESH]);
        assert_eq!(ways.choose(minutes(9), 1, Precedence::Routine, &[]), [BEIDOU]);
        assert_eq!(ways.choose(minutes(10), 1, Precedence::Routine, &[]), [MESH]);
    }

    #[test]
    fn what_waited_goes_out_on_the_way_that_works_and_urgent_things_on_two() {
        let mut ways = both();
        assert_eq!(ways.revive(minutes(0), Precedence::Routine, BEIDOU), [BEIDOU]);
        assert_eq!(ways.revive(minutes(0), Precedence::Immediate, BEIDOU), [BEIDOU, MESH]);
        ways.forget(BEIDOU);
        assert_eq!(ways.revive(minutes(0), Precedence::Routine, BEIDOU), [] as [WayNo; 0]);
    }

    #[test]
    fn a_weak_signal_lowers_what_is_expected_and_a_strong_one_raises_nothing() {
        let mut ways = both();
        ways.dim(MESH, 20);
        assert_eq!(ways.get(MESH).unwrap().success(), 20);
        ways.dim(MESH, 5_000);
        assert_eq!(ways.get(MESH).unwrap().success(), 800);
    }

    #[test]
    fn evidence_survives_being_stored() {
        let mut ways = both();
        miss(&mut ways, MESH, 3);
        ways.choose(minutes(1), 1, Precedence::Routine, &[]);
        let stored = serde_json::to_string(&ways).unwrap();
        assert_eq!(serde_json::from_str::<Ways>(&stored).unwrap(), ways);
    }
}
