//! Which wall time to believe: the host's when it vouches for it, else GNSS, else Beidou network time.

use crate::event::ClockSource;
use crate::time::{Instant, Now, Utc};
use std::time::Duration;

/// A time before this is a clock that woke up wrong: 2024-01-01T00:00:00Z.
const PLAUSIBLE_FROM: Utc = Utc(1_704_067_200_000);

/// The trusted wall clock, as a distance from the monotonic one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    /// Wall time at monotonic zero, and who said so.
    set: Option<(i64, ClockSource)>,
}

impl Clock {
    /// What time it is, if anyone trustworthy has said.
    pub fn utc(&self, mono: Instant) -> Option<Utc> {
        self.set.map(|(zero, _)| Utc(zero.saturating_add(millis(mono))))
    }

    pub fn source(&self) -> Option<ClockSource> {
        self.set.map(|(_, source)| source)
    }

    /// Takes the host's word; gives the source when trust is new or better than before.
    pub fn host(&mut self, now: Now) -> Option<ClockSource> {
        let wall = now.wall?;
        self.take(now.mono, wall, ClockSource::Host)
    }

    /// Takes a terminal's word, unless a better source has spoken, or the time is older than `not_before`.
    pub fn terminal(&mut self, mono: Instant, wall: Utc, gnss: bool, not_before: Utc) -> Option<ClockSource> {
        let source = if gnss { ClockSource::Gnss } else { ClockSource::Beidou };
        if wall < not_before {
            return None;
        }
        self.take(mono, wall, source)
    }

    fn take(&mut self, mono: Instant, wall: Utc, source: ClockSource) -> Option<ClockSource> {
        let held = self.source();
        if wall < PLAUSIBLE_FROM || held.is_some_and(|held| held < source) {
            return None;
        }
        self.set = Some((wall.0.saturating_sub(millis(mono)), source));
        (held != Some(source)).then_some(source)
    }
}

fn millis(mono: Instant) -> i64 {
    i64::try_from(mono.0 / 1_000).unwrap_or(i64::MAX)
}

/// How long ago a wall time was; zero when it lies ahead.
pub(crate) fn age(now: Utc, then_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(now.0.saturating_sub(then_ms)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Utc = Utc(1_790_000_000_000);

    #[test]
    fn a_clock_that_wakes_in_1970_is_not_believed() {
        let mut clock = Clock::default();
        assert_eq!(clock.host(Now { mono: Instant(5), wall: Some(Utc(1_000)) }), None);
        assert_eq!(clock.utc(Instant(5)), None);
    }

    #[test]
    fn the_better_source_wins_and_the_worse_never_takes_it_back() {
        let mut clock = Clock::default();
        assert_eq!(clock.terminal(Instant(0), DAY, false, Utc(0)), Some(ClockSource::Beidou));
        assert_eq!(clock.terminal(Instant(0), DAY, true, Utc(0)), Some(ClockSource::Gnss));
        assert_eq!(clock.terminal(Instant(0), Utc(DAY.0 + 9_000_000), false, Utc(0)), None);
        assert_eq!(clock.utc(Instant(2_000_000)), Some(Utc(DAY.0 + 2_000)));
    }

    #[test]
    fn a_terminal_that_reports_old_dates_is_not_believed() {
        let mut clock = Clock::default();
        assert_eq!(clock.terminal(Instant(0), Utc(DAY.0 - 1), true, DAY), None);
    }
}
