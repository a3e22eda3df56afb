//! Several opinions about one decision, blended on the logistic scale.
//!
//! Each expert has seen how often the decision went either way. A table learned in training says what such a pair of
//! counts is worth for that expert. Sets of weights, each chosen by another view of the context, blend the experts; a
//! last set blends the blends.

#[cfg(feature = "training")]
use super::fixed::stretch;
use super::fixed::{ONE, STRETCH_MAX, ln, squash};
use super::join::Join;

/// Classes of a count.
pub const CLASSES: usize = 16;

/// Weights are in 65,536ths.
const WEIGHT_ONE: i64 = 1 << 16;
const WEIGHT_MAX: i32 = 1 << 22;

/// What stored numbers of worth, and stored weights, are less than.
pub const STRETCHED: u32 = stored(STRETCH_MAX) + 1;
pub const WEIGHED: u32 = stored(WEIGHT_MAX) + 1;

/// A number with a sign as a file has it: 0, -1, 1, -2, 2 are 0, 1, 2, 3, 4.
pub(super) const fn stored(number: i32) -> u32 {
    ((number << 1) ^ (number >> 31)).cast_unsigned()
}

/// The number that [`stored`] stands for.
pub(super) fn signed(stored: u32) -> i32 {
    let half = (stored >> 1).cast_signed();
    if stored & 1 == 0 { half } else { !half }
}

/// The class of a count.
pub fn class(count: u32) -> usize {
    match count {
        0..=5 => count as usize,
        6..=7 => 6,
        8..=11 => 7,
        12..=19 => 8,
        20..=39 => 9,
        40..=79 => 10,
        80..=199 => 11,
        200..=799 => 12,
        800..=3_199 => 13,
        3_200..=19_999 => 14,
        _ => 15,
    }
}

/// What an expert has seen: how often the decision was `false`, and how often `true`.
pub type Counts = (u32, u32);

/// The shape of a blend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    pub experts: usize,
    /// For how many of the experts, from the first, the plain ratio of the counts is an opinion too.
    pub ratios: usize,
    /// The number of weight sets of each view.
    pub views: Vec<usize>,
    /// The number of weight sets of the last blend.
    pub last: usize,
}

impl Shape {
    pub fn inputs(&self) -> usize {
        self.experts + self.ratios + 1
    }

    /// How many pairs of counts have a worth.
    pub fn cells(&self) -> usize {
        self.experts * CLASSES * CLASSES
    }

    /// How many weights there are.
    pub fn weights(&self) -> usize {
        self.views.iter().sum::<usize>() * self.inputs() + self.last * self.views.len()
    }
}

/// A blend: its numbers, and what it made of the last decision.
#[derive(Clone, Debug)]
pub struct Blend {
    shape: Shape,
    /// What a pair of counts is worth, for each expert: on the logistic scale.
    worth: Vec<i32>,
    /// Weights of all views one after the other, then of the last blend.
    weights: Vec<i32>,
    inputs: Vec<i32>,
    cells: Vec<usize>,
    /// Where the chosen sets begin in `weights`.
    chosen: Vec<usize>,
    opinions: Vec<i32>,
    last: usize,
    /// What it made of the last decision, on the logistic scale and as a probability.
    leans: i32,
    p: i32,
    /// The net beside it, where there is one, and whether it had a word in the last decision.
    join: Option<Join>,
    joined: bool,
}

impl Blend {
    /// A blend that knows nothing yet: counts are worth their smoothed ratio, all weights are the same.
    #[cfg(any(test, feature = "training"))]
    pub fn blank(shape: Shape) -> Self {
        let mut worth = Vec::with_capacity(shape.cells());
        const MIDDLE: [u32; CLASSES] = [0, 1, 2, 3, 4, 5, 6, 9, 15, 28, 56, 130, 400, 1_700, 9_000, 40_000];
        for _ in 0..shape.experts {
            for no in MIDDLE {
                for yes in MIDDLE {
                    let d = ln(10 * yes + 4) - ln(10 * no + 4);
                    worth.push(d.clamp(-STRETCH_MAX, STRETCH_MAX));
                }
            }
        }
        let each = i32::try_from(WEIGHT_ONE).unwrap_or(0) * 2 / i32::try_from(shape.inputs()).unwrap_or(1).max(1);
        let views = shape.views.len();
        let mut weights = vec![each; shape.views.iter().sum::<usize>() * shape.inputs()];
        let share = i32::try_from(WEIGHT_ONE).unwrap_or(0) / i32::try_from(views).unwrap_or(1).max(1);
        weights.extend(std::iter::repeat_n(share, shape.last * views));
        Self::with(shape, worth, weights)
    }

    fn with(shape: Shape, worth: Vec<i32>, weights: Vec<i32>) -> Self {
        Self {
            inputs: vec![0; shape.inputs()],
            cells: vec![0; shape.experts],
            chosen: vec![0; shape.views.len()],
            opinions: vec![0; shape.views.len()],
            shape,
            worth,
            weights,
            last: 0,
            leans: 0,
            p: ONE / 2,
            join: None,
            joined: false,
        }
    }

    /// The same with a net beside it.
    pub fn beside(mut self, join: Join) -> Self {
        self.join = Some(join);
        self
    }

    /// What the counts alone made of the last decision.
    #[cfg(feature = "training")]
    pub const fn counted(&self) -> i32 {
        self.p
    }

    /// Learns of the net beside it what the last decision was.
    #[cfg(feature = "training")]
    pub fn learn_join(&mut self, bit: bool, rate: i32) {
        if let Some(join) = self.join.as_mut().filter(|_| self.joined) {
            join.learn(bit, rate);
        }
    }

    /// What has been learned of the net beside it.
    #[cfg(feature = "training")]
    pub const fn join(&self) -> Option<&Join> {
        self.join.as_ref()
    }

    /// A trained blend out of stored numbers, as many as [`Shape::cells`] and [`Shape::weights`] say.
    pub fn read(shape: Shape, worth: &[u32], weights: &[u32]) -> Self {
        let signed = |numbers: &[u32]| numbers.iter().map(|number| signed(*number)).collect();
        Self::with(shape, signed(worth), signed(weights))
    }

    /// The numbers of worth and the weights, as [`Blend::read`] takes them.
    #[cfg(feature = "training")]
    pub fn write(&self) -> [Vec<u32>; 2] {
        [&self.worth, &self.weights].map(|numbers| numbers.iter().map(|number| stored(*number)).collect())
    }

    /// The cell of each expert in the last decision, to be taught.
    #[cfg(feature = "training")]
    pub fn cells(&self) -> &[usize] {
        &self.cells
    }

    /// What a cell is worth.
    #[cfg(feature = "training")]
    pub fn worth(&self, cell: usize) -> i32 {
        self.worth.get(cell).copied().unwrap_or(0)
    }

    /// Sets what a cell is worth.
    #[cfg(feature = "training")]
    pub fn set_worth(&mut self, cell: usize, worth: i32) {
        if let Some(place) = self.worth.get_mut(cell) {
            *place = worth;
        }
    }

    /// The probability of `true`, in 65,536ths. `chosen` names the set of each view, `last` that of the last blend.
    pub fn predict(&mut self, seen: &[Counts], chosen: &[usize], last: usize) -> i32 {
        self.take_inputs(seen);
        let inputs = self.shape.inputs();
        let mut base = 0;
        for (view, sets) in self.shape.views.iter().enumerate() {
            let set = chosen.get(view).copied().unwrap_or(0).min(sets.saturating_sub(1));
            let at = (base + set) * inputs;
            let opinion = dot(self.weights.get(at..at + inputs).unwrap_or_default(), &self.inputs);
            if let (Some(place), Some(kept)) = (self.chosen.get_mut(view), self.opinions.get_mut(view)) {
                (*place, *kept) = (at, opinion);
            }
            base += sets;
        }
        let views = self.shape.views.len();
        self.last = base * inputs + last.min(self.shape.last.saturating_sub(1)) * views;
        let blended = dot(self.weights.get(self.last..self.last + views).unwrap_or_default(), &self.opinions);
        // Nothing is so sure that its opposite could not be written.
        self.p = squash(blended).clamp(6, ONE - 6);
        (self.leans, self.joined) = (blended, false);
        self.p
    }

    /// Takes in what the net expects of the decision just predicted, and gives the probability of both together.
    pub fn with_net(&mut self, net: i32, context: usize, depth: usize) -> i32 {
        let Some(join) = &mut self.join else { return self.p };
        self.joined = true;
        join.predict([self.leans, net], context, depth)
    }

    fn take_inputs(&mut self, seen: &[Counts]) {
        for (expert, (cell, input)) in self.cells.iter_mut().zip(&mut self.inputs).enumerate() {
            let (no, yes) = seen.get(expert).copied().unwrap_or_default();
            *cell = (expert * CLASSES + class(no)) * CLASSES + class(yes);
            *input = if no + yes == 0 { 0 } else { self.worth.get(*cell).copied().unwrap_or(0) };
        }
        let ratios = self.inputs.iter_mut().skip(self.shape.experts);
        for ((no, yes), input) in seen.iter().take(self.shape.ratios).zip(ratios) {
            let d = ln(yes.saturating_mul(16) + 4) - ln(no.saturating_mul(16) + 4);
            *input = if no + yes == 0 { 0 } else { d.clamp(-STRETCH_MAX, STRETCH_MAX) };
        }
        if let Some(bias) = self.inputs.last_mut() {
            *bias = 256;
        }
    }

    /// Learns what the last decision was. `rate` is in 65,536ths.
    pub fn learn(&mut self, bit: bool, rate: i32) {
        let truth = if bit { ONE } else { 0 };
        let inputs = self.shape.inputs();
        for (at, opinion) in self.chosen.iter().zip(&self.opinions) {
            let error = truth - squash(*opinion);
            if let Some(weights) = self.weights.get_mut(*at..*at + inputs) {
                teach(weights, &self.inputs, error, rate);
            }
        }
        let views = self.shape.views.len();
        if let Some(weights) = self.weights.get_mut(self.last..self.last + views) {
            teach(weights, &self.opinions, truth - self.p, rate / 4);
        }
        if let Some(join) = self.join.as_mut().filter(|_| self.joined) {
            join.learn(bit, rate);
        }
    }
}

pub(super) fn dot(weights: &[i32], inputs: &[i32]) -> i32 {
    let sum: i64 = weights.iter().zip(inputs).map(|(w, x)| i64::from(*w) * i64::from(*x)).sum();
    let max = i64::from(STRETCH_MAX);
    i32::try_from((sum / WEIGHT_ONE).clamp(-max, max)).unwrap_or(0)
}

/// One step down the slope of the cost: each weight by `rate` times its input (in nats) times the error.
pub(super) fn teach(weights: &mut [i32], inputs: &[i32], error: i32, rate: i32) {
    for (weight, input) in weights.iter_mut().zip(inputs) {
        let step = (i64::from(*input) * i64::from(error) * i64::from(rate) + (1 << 23)) >> 24;
        *weight = weight.saturating_add(i32::try_from(step).unwrap_or(0)).clamp(-WEIGHT_MAX, WEIGHT_MAX);
    }
}

/// What a probability learned from outcomes is worth: 22-bit probability, slower with every outcome.
#[cfg(feature = "training")]
#[derive(Clone, Copy, Debug)]
pub struct Taught {
    p: i32,
    seen: i32,
}

#[cfg(feature = "training")]
impl Taught {
    pub fn from_worth(worth: i32) -> Self {
        Self { p: squash(worth) << 6, seen: 0 }
    }

    pub fn teach(&mut self, bit: bool, limit: i32) -> i32 {
        let truth = if bit { (ONE << 6) - 1 } else { 0 };
        self.seen = (self.seen + 1).min(limit);
        self.p += (truth - self.p) / (self.seen + 2);
        stretch((self.p >> 6).clamp(1, ONE - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> Shape {
        Shape { experts: 2, ratios: 1, views: vec![2, 3], last: 1 }
    }

    #[test]
    fn a_number_comes_back_with_its_sign() {
        assert_eq!([0, -1, 1, -2, 2].map(stored), [0, 1, 2, 3, 4]);
        for number in [i32::MIN, -WEIGHT_MAX, -1, 0, 1, STRETCH_MAX, i32::MAX] {
            assert_eq!(signed(stored(number)), number);
        }
    }

    #[test]
    fn a_blank_blend_leans_the_way_its_experts_saw() {
        let mut blend = Blend::blank(shape());
        assert_eq!(blend.predict(&[(0, 0), (0, 0)], &[0, 0], 0).abs_diff(ONE / 2) / 16_384, 0);
        assert!(blend.predict(&[(0, 9), (0, 3)], &[0, 0], 0) > ONE * 9 / 10);
        assert!(blend.predict(&[(9, 0), (3, 0)], &[1, 2], 0) < ONE / 10);
    }

    #[test]
    fn a_blend_learns_to_trust_the_expert_that_is_right() {
        let mut blend = Blend::blank(shape());
        for turn in 0..2_000 {
            let bit = turn % 2 == 0;
            let right = if bit { (0, 2) } else { (2, 0) };
            blend.predict(&[right, if turn % 3 == 0 { (0, 5) } else { (5, 0) }], &[0, 0], 0);
            blend.learn(bit, 600);
        }
        assert!(blend.predict(&[(0, 2), (5, 0)], &[0, 0], 0) > ONE * 9 / 10);
    }
}
