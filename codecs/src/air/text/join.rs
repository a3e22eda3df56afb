//! What the counts expect and what the net expects of one decision, blended on the logistic scale.

use super::blend::{dot, signed, teach};
use super::fixed::{ONE, squash};

/// Depths of the tree that have weights of their own.
const DEPTHS: usize = 6;
/// The counts, the net, and neither.
const INPUTS: usize = 3;

/// How many weights there are where `contexts` lengths of context are told apart.
pub const fn weights(contexts: usize) -> usize {
    contexts * DEPTHS * INPUTS
}

/// The blend of both, which learns within a message how far each is to be trusted.
#[derive(Clone, Debug)]
pub struct Join {
    weights: Vec<i32>,
    at: usize,
    inputs: [i32; INPUTS],
    p: i32,
}

impl Join {
    /// One that trusts the counts twice as far as the net.
    #[cfg(feature = "training")]
    pub fn blank(contexts: usize) -> Self {
        Self::with([44_000, 24_000, 0].repeat(contexts * DEPTHS))
    }

    fn with(weights: Vec<i32>) -> Self {
        Self { weights, at: 0, inputs: [0; INPUTS], p: ONE / 2 }
    }

    /// A trained one, out of as many stored numbers as [`weights`] says.
    pub fn read(stored: &[u32]) -> Self {
        Self::with(stored.iter().map(|number| signed(*number)).collect())
    }

    /// The stored numbers, as [`Join::read`] takes them.
    #[cfg(feature = "training")]
    pub fn write(&self) -> Vec<u32> {
        self.weights.iter().map(|weight| super::blend::stored(*weight)).collect()
    }

    /// The probability of `true`. `context` is the length of context that was found, `depth` the decisions before.
    pub fn predict(&mut self, [counts, net]: [i32; 2], context: usize, depth: usize) -> i32 {
        self.at = (context * DEPTHS + depth.min(DEPTHS - 1)) * INPUTS;
        self.inputs = [counts, net, 256];
        let weights = self.weights.get(self.at..self.at + INPUTS).unwrap_or_default();
        // Nothing is so sure that its opposite could not be written.
        self.p = squash(dot(weights, &self.inputs)).clamp(6, ONE - 6);
        self.p
    }

    /// Learns what the last decision was.
    pub fn learn(&mut self, bit: bool, rate: i32) {
        let truth = if bit { ONE } else { 0 };
        if let Some(weights) = self.weights.get_mut(self.at..self.at + INPUTS) {
            teach(weights, &self.inputs, truth - self.p, rate);
        }
    }
}
