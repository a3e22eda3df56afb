//! What was told of deliveries and what came of it: the fold that forecasts are scored by and learn from.

use super::apply::Folded;
use super::journal;
use super::{Delivery, State};
use crate::event::End;
use crate::forecast::{Calibration, Class, Window};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::message::{Precedence, Rung};

/// What the station has learned of its own forecasts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experience {
    pub(crate) calibration: Calibration,
    scores: BTreeMap<Class, Score>,
    unknown: BTreeMap<Precedence, u32>,
}

/// How forecasts of one class did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// Delivered, and when was known.
    pub arrived: u32,
    /// Of these, before the 50 % bound and before the 90 % bound.
    pub early: u32,
    pub inside: u32,
    /// Told a window, and ended without evidence of arrival.
    pub missed: u32,
    /// Widths of all these windows together, milliseconds.
    pub width_ms: u64,
}

impl Score {
    /// Forecasts that were scored.
    #[must_use]
    pub const fn outcomes(&self) -> u32 {
        self.arrived.saturating_add(self.missed)
    }
}

/// What was told of a delivery when it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Wall time, ms since 1970; 0 = the clock was not trusted, and nothing is learned from the outcome.
    pub(crate) at_ms: i64,
    /// Frames that it takes when none is lost.
    pub(crate) parts: u8,
    /// `None` = it was told that the arrival is unknown.
    pub(crate) window: Option<Window>,
    /// Its outcome is counted.
    pub(crate) scored: bool,
}

impl Experience {
    /// Scores, class by class.
    pub fn scores(&self) -> impl Iterator<Item = (Class, Score)> {
        self.scores.iter().map(|(class, score)| (*class, *score))
    }

    /// How often it was told of a provable delivery that its arrival is unknown.
    #[must_use]
    pub fn unknown(&self, precedence: Precedence) -> u32 {
        self.unknown.get(&precedence).copied().unwrap_or(0)
    }

    fn arrived(&mut self, window: &Window, took: Duration) {
        let score = self.scores.entry(window.class).or_default();
        score.arrived = score.arrived.saturating_add(1);
        score.early = score.early.saturating_add(u32::from(took <= window.early));
        score.inside = score.inside.saturating_add(u32::from(took <= window.late));
        score.width_ms = score.width_ms.saturating_add(width_ms(window));
        self.calibration.learn(window, took);
    }

    /// It never arrived: the window was wrong, but how long it would have had to be is not known.
    fn missed(&mut self, window: &Window) {
        let score = self.scores.entry(window.class).or_default();
        score.missed = score.missed.saturating_add(1);
        score.width_ms = score.width_ms.saturating_add(width_ms(window));
    }
}

impl State {
    /// What the station has learned of its own forecasts.
    #[must_use]
    pub const fn experience(&self) -> &Experience {
        &self.experience
    }

    pub(super) fn fold_forecast(&mut self, at_ms: i64, r: &journal::ForecastMade) -> Folded {
        let precedence = Precedence::from_name(&r.precedence).ok_or("precedence")?;
        let parts = u8::try_from(r.parts).map_err(|_| "parts")?;
        let window = if r.unknown.is_empty() {
            let class = Class { precedence, first: r.first, deep: r.deep, sent: r.sent };
            Some(Window {
                parts,
                slots_ahead: r.slots_ahead,
                cost: r.cost,
                early: Duration::from_millis(r.early_ms),
                late: Duration::from_millis(r.late_ms),
                sure: Duration::from_millis(r.sure_ms),
                reckoned: [r.reckoned_early_ms, r.reckoned_late_ms].map(|ms| ms.map(Duration::from_millis)),
                class,
            })
        } else {
            let unknown = self.experience.unknown.entry(precedence).or_default();
            *unknown = unknown.saturating_add(1);
            None
        };
        if let Some(delivery) = self.delivery_mut(r.id, r.delivery)? {
            delivery.told = Some(Told { at_ms, parts, window, scored: false });
        }
        Ok(())
    }

    /// A rung was proven: 已送达 says when the message had arrived. A higher one at once says only that it has.
    pub(super) fn score_rung(&mut self, at_ms: i64, id: u64, delivery: u32, rung: Rung) -> Folded {
        if rung < Rung::Delivered {
            return Ok(());
        }
        let told = self.delivery_mut(id, delivery)?.and_then(take_told);
        if let Some((told_ms, window)) = told.filter(|_| rung == Rung::Delivered)
            && let Some(took) = between(told_ms, at_ms)
        {
            self.experience.arrived(&window, took);
        }
        Ok(())
    }

    /// A delivery has ended without evidence. One that people took back says nothing of the forecast.
    pub(super) fn score_end(&mut self, at_ms: i64, id: u64, delivery: u32, end: End) -> Folded {
        let told = self.delivery_mut(id, delivery)?.and_then(take_told);
        let missed = matches!(end, End::Unknown | End::Expired);
        if let Some((told_ms, window)) = told.filter(|_| missed)
            && between(told_ms, at_ms).is_some()
        {
            self.experience.missed(&window);
        }
        Ok(())
    }
}

/// What was told of a delivery, once: its first outcome counts.
fn take_told(delivery: &mut Delivery) -> Option<(i64, Window)> {
    let told = delivery.told.as_mut().filter(|told| !told.scored)?;
    told.scored = true;
    Some((told.at_ms, told.window?))
}

/// The time between two records; `None` where a clock was not trusted, or was set back between them.
fn between(from_ms: i64, to_ms: i64) -> Option<Duration> {
    let took = to_ms.checked_sub(from_ms).filter(|_| from_ms != 0 && to_ms != 0)?;
    u64::try_from(took).ok().map(Duration::from_millis)
}

fn width_ms(window: &Window) -> u64 {
    u64::try_from(window.late.saturating_sub(window.early).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_records_is_a_time_only_where_both_clocks_were_trusted() {
        assert_eq!(between(1_000, 3_500), Some(Duration::from_millis(2_500)));
        assert_eq!(between(0, 3_500), None);
        assert_eq!(between(1_000, 0), None);
        assert_eq!(between(3_500, 1_000), None);
    }
}
