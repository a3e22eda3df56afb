//! The forecast: what a send costs and when it will have arrived, before it is made and while it is on its way.
//!
//! First the reckoning: slots that go first, slots that the message itself takes in half of the cases and in nine of ten,
//! and what more urgent traffic takes meanwhile. Then experience: by how much such reckonings were wrong of late
//! ([`Calibration`]). What was told is kept with its reckoning, so that the outcome can be scored and learned from.
//!
//! **Invariants**
//! - Where a link gives no sign of life nothing is promised: [`Forecast::Unknown`].
//! - The late bound is never before the early one.
//! - Integers only: a forecast that is told twice is told the same.

use crate::outbox::ladder::Ahead;
use crate::stream::{sends_in_the_mean, slots_for};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use yizhan_codecs::message::Precedence;

/// The window that is told: half of such messages have arrived at its beginning, nine of ten at its end.
const SHARES: [u32; 2] = [500, 900];
/// By how many thousandths one outcome moves a factor: up when it was later than told, down when it was not. In balance
/// where the share is met.
const STEPS: [[u32; 2]; 2] = [[20, 20], [36, 4]];
/// Where a factor may go, of 1000.
const FACTOR: [u32; 2] = [50, 20_000];
/// Sends that nothing answered before nothing is promised any more.
const SILENT_AFTER: usize = 3;
/// Slots of 1000 that are reckoned away for what goes first, at most.
const URGENT_MAX: u32 = 900;
/// What comes between, whatever stands before: one slot of the pool, in thousandths. It gives experience something to
/// work on where the queue is empty.
const HINDRANCE: u64 = 1_000;
/// A frame's way through the air and two machines.
const FLIGHT: Duration = Duration::from_secs(2);

/// What is known when a forecast is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basis {
    pub precedence: Precedence,
    /// Rows that the far side still needs, and sends of them so far.
    pub wanted: u8,
    pub out: u32,
    /// Frames of 1000 that the way loses.
    pub loss: u32,
    /// What stands before it.
    pub ahead: Ahead,
    /// Not before this: the stream waits.
    pub waits: Duration,
    /// What is left of its life: it does not arrive later.
    pub life: Duration,
    /// The last send is so fresh that its receipt cannot be here yet.
    pub in_flight: bool,
    /// The link has given no sign of life for three sends ([`Evidence::is_silent`]).
    pub silent: bool,
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Forecast {
    /// No evidence that anything arrives. Parts and slots ahead are known all the same.
    Unknown {
        parts: u8,
        slots_ahead: u32,
    },
    Window(Window),
}

/// An arrival window, from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Frames that the message still takes when none is lost.
    pub parts: u8,
    pub slots_ahead: u32,
    /// Sends that it will cost in the mean, in thousandths.
    pub cost: u32,
    pub early: Duration,
    pub late: Duration,
    /// What passes in any case: the first card must be free, and the frame has its way to go.
    pub sure: Duration,
    /// The times after that before experience was applied, for scoring; `None` = it should be there already.
    pub reckoned: [Option<Duration>; 2],
    pub class: Class,
}

/// Reckonings that err alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Class {
    pub precedence: Precedence,
    /// Nothing stands before it.
    pub first: bool,
    /// More than a turn of its own sender stands before it.
    pub deep: bool,
    /// It has been sent already, and repair is what is forecast.
    pub sent: bool,
}

/// Forecasts the arrival of one message.
#[must_use]
pub fn forecast(basis: &Basis, experience: &Calibration) -> Forecast {
    let (parts, slots_ahead) = (basis.wanted, basis.ahead.slots());
    if basis.silent || basis.ahead.cards == 0 {
        return Forecast::Unknown { parts, slots_ahead };
    }
    let class = Class {
        precedence: basis.precedence,
        first: basis.ahead.weight < 500,
        deep: basis.ahead.deep,
        sent: basis.out > 0,
    };
    let sure = basis.ahead.first_free.max(basis.waits) + FLIGHT;
    let reckoned = SHARES.map(|share| reckon(basis, share));
    let factors = experience.factors(class);
    let bound = |place: usize| match reckoned[place] {
        None => FLIGHT,
        Some(time) => (sure + time * factors[place] / 1_000).min(basis.life),
    };
    let (early, late) = (bound(0), bound(1));
    let cost = u32::try_from(sends_in_the_mean(parts.into(), basis.loss)).unwrap_or(u32::MAX);
    Forecast::Window(Window { parts, slots_ahead, cost, early, late: late.max(early), sure, reckoned, class })
}

/// The time after the first free card within which `share` of 1000 such messages arrive, as far as slots tell. `None`
/// when it should be there by what is in the air already.
fn reckon(basis: &Basis, share: u32) -> Option<Duration> {
    let ahead = &basis.ahead;
    let left = slots_for(basis.wanted, basis.loss, share).saturating_sub(basis.out);
    if left == 0 && basis.in_flight {
        return None;
    }
    // More than enough is out and nothing has been said: reckon with one row missing.
    let left = if left == 0 { slots_for(1, basis.loss, share) } else { left };
    let certain = u64::from(basis.wanted).saturating_sub(basis.out.into());
    // What goes first whenever it comes has taken so much lately, and will take it again.
    let free = 1_000 - u64::from(ahead.urgent.min(URGENT_MAX));
    let pool = |thousandths: u64| {
        let micros = u64::try_from(ahead.slot.as_micros()).unwrap_or(u64::MAX) / u64::from(ahead.cards.max(1));
        Duration::from_micros(micros.saturating_mul(thousandths) / free)
    };
    // Rows that are certainly wanted follow each other on all cards, after what stands before. Repair waits a slot for a
    // word, and then for its sender's turn.
    let first = pool(ahead.weight + certain.saturating_sub(1) * 1_000 + HINDRANCE);
    let repair = left.saturating_sub(u32::try_from(certain.max(1)).unwrap_or(u32::MAX));
    Some(first + ahead.slot.max(pool(ahead.round)) * repair)
}

/// By how much reckonings were wrong of late, by class and share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibration {
    classes: BTreeMap<Class, Lesson>,
}

/// What one class has taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// Factors for the early and the late bound, of 1000.
    pub factors: [u32; 2],
    /// Outcomes, and those of them that were inside the late bound.
    pub outcomes: u32,
    pub inside: u32,
}

impl Default for Lesson {
    fn default() -> Self {
        Self { factors: [1_000; 2], outcomes: 0, inside: 0 }
    }
}

impl Calibration {
    fn factors(&self, class: Class) -> [u32; 2] {
        self.classes.get(&class).map_or([1_000; 2], |lesson| lesson.factors)
    }

    /// A message for which `window` was told arrived after `took`.
    pub fn learn(&mut self, window: &Window, took: Duration) {
        let lesson = self.classes.entry(window.class).or_default();
        lesson.outcomes = lesson.outcomes.saturating_add(1);
        lesson.inside = lesson.inside.saturating_add(u32::from(took <= window.late));
        for ((factor, reckoned), [up, down]) in lesson.factors.iter_mut().zip(window.reckoned).zip(STEPS) {
            let Some(reckoned) = reckoned else { continue };
            // Judged by today's factor, not by the one that was told: else a long delay is punished again and again.
            let late = took > window.sure + reckoned * *factor / 1_000;
            let moved = if late { *factor * (1_000 + up) / 1_000 + 1 } else { *factor * (1_000 - down) / 1_000 };
            *factor = moved.clamp(FACTOR[0], FACTOR[1]);
        }
    }

    /// What has been learned, class by class.
    pub fn lessons(&self) -> impl Iterator<Item = (Class, Lesson)> {
        self.classes.iter().map(|(class, lesson)| (*class, *lesson))
    }
}

/// Whether a link gives signs of life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The first sends since the last sign of life that should have been answered, no more than count.
    unanswered: VecDeque<Instant>,
}

impl Evidence {
    /// A frame went out that the far side answers when it hears it.
    pub fn sent(&mut self, now: Instant) {
        if self.unanswered.len() < SILENT_AFTER {
            self.unanswered.push_back(now);
        }
    }

    /// Anything was heard from the far side.
    pub fn heard(&mut self) {
        self.unanswered.clear();
    }

    /// Three sends are unanswered, the last of them for longer than `answers_within`.
    #[must_use]
    pub fn is_silent(&self, now: Instant, answers_within: Duration) -> bool {
        let third = self.unanswered.get(SILENT_AFTER - 1);
        third.is_some_and(|at| now.since(*at) > answers_within)
    }
}

#[cfg(test)]
mod tests;
