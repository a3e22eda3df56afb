//! A small recurrent net (GRU) that says of every decision what it expects, from all that the message has said so far.
//! Counts know what they have seen; the net knows what is alike.
//!
//! Whole numbers only. Weights of the gates and of the characters are in 256ths, those of the decisions in 64ths; the
//! state is in 16,384ths. Every sum stays below 2^31: see [`GATE_MAX`].

use super::fixed::{STRETCH_MAX, squash};

/// Numbers of the state.
pub const INNER: usize = 192;
/// Numbers that a character is to the net.
pub const OUTER: usize = 64;
/// Columns of the gates: how much of the old state is heard, how much of it stays, and what is new.
pub const GATES: usize = 3 * INNER;

/// Units of the weights of gates and characters, and of decisions.
pub const GATE_UNIT: i16 = 256;
pub const DECISION_UNIT: i16 = 64;
/// The greatest weight of a gate, ±2: with a state below ±1 a sum of 192 stays below 384, which is 2^30.6 in 2^22nds.
pub const GATE_MAX: i16 = 2 * GATE_UNIT - 1;
/// The greatest number of a character, ±4: a sum of 64 stays below 512, which is 2^25 in 2^16ths.
pub const CHARACTER_MAX: i16 = 4 * GATE_UNIT - 1;
/// The greatest weight of a decision, ±2.
pub const DECISION_MAX: i16 = 2 * DECISION_UNIT - 1;

/// 1 in the units of the state.
const STATE_ONE: i32 = 1 << 14;

/// The weights. Rows of gates are those of one column: `GATES` rows of `OUTER` or `INNER` numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Net {
    /// The row of each symbol, from 1; 0 for symbols that are too rare to have one.
    pub kinds: Vec<u16>,
    /// `OUTER` numbers a row; row 0 is that of all rare symbols.
    pub characters: Vec<i16>,
    pub of_character: Vec<i16>,
    pub of_state: Vec<i16>,
    /// Of the gates together, and of the old state's part in what is new.
    pub bias: Vec<i16>,
    pub state_bias: Vec<i16>,
    /// The row of each decision of the tree, from 1; 0 for those that are too rare.
    pub nodes: Vec<u16>,
    /// `INNER` numbers a row, and the bias of each.
    pub decisions: Vec<i16>,
    pub decision_bias: Vec<i16>,
}

/// What the net makes of a message so far.
#[derive(Clone, Debug)]
pub struct Mind<'a> {
    net: &'a Net,
    state: Vec<i16>,
}

impl<'a> Mind<'a> {
    /// At the start of a message, which the end of the one before it is.
    pub fn new(net: &'a Net, end: u16) -> Self {
        let mut mind = Self { net, state: vec![0; INNER] };
        mind.hear(end);
        mind
    }

    /// Takes the next symbol in.
    pub fn hear(&mut self, symbol: u16) {
        let net = self.net;
        let row = net.kinds.get(usize::from(symbol)).map_or(0, |row| usize::from(*row));
        let character = net.characters.get(row * OUTER..(row + 1) * OUTER).unwrap_or_default();
        // In 256ths: products of 256ths are 2^16ths, those with the state 2^22nds.
        let heard = |column: usize| {
            let weights = net.of_character.get(column * OUTER..(column + 1) * OUTER).unwrap_or_default();
            (dot(weights, character) >> 8) + net.bias.get(column).map_or(0, |bias| i32::from(*bias))
        };
        let kept = |column: usize| {
            let weights = net.of_state.get(column * INNER..(column + 1) * INNER).unwrap_or_default();
            dot(weights, &self.state) >> 14
        };
        let next = (0..INNER).zip(&self.state).zip(&net.state_bias).map(|((column, old), state_bias)| {
            let hears = squash(heard(column) + kept(column));
            let stays = squash(heard(INNER + column) + kept(INNER + column));
            let old_part = kept(2 * INNER + column) + i32::from(*state_bias);
            let fresh = heard(2 * INNER + column) + ((hears * old_part.clamp(-1 << 14, 1 << 14)) >> 16);
            // tanh(x) = 2 · σ(2x) - 1, in 16,384ths.
            let fresh = (squash(2 * fresh) >> 1) - STATE_ONE;
            let moved = fresh + ((stays * (i32::from(*old) - fresh)) >> 16);
            i16::try_from(moved).unwrap_or(0)
        });
        self.state = next.collect();
    }

    /// What it expects of a decision of the tree, on the logistic scale; `None` of one that is too rare.
    pub fn expects(&self, node: usize) -> Option<i32> {
        let row = usize::from(*self.net.nodes.get(node)?).checked_sub(1)?;
        let weights = self.net.decisions.get(row * INNER..(row + 1) * INNER)?;
        let bias = i32::from(*self.net.decision_bias.get(row)?);
        // 64ths of 16,384ths are 2^20ths.
        let leans = (dot(weights, &self.state) >> 12) + bias * 4;
        Some(leans.clamp(-STRETCH_MAX, STRETCH_MAX))
    }
}

fn dot(a: &[i16], b: &[i16]) -> i32 {
    // Nothing wraps (see the greatest weights); saying so lets processors take eight products at a time.
    a.iter().zip(b).fold(0, |sum: i32, (a, b)| sum.wrapping_add(i32::from(*a).wrapping_mul(i32::from(*b))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A net of one row of each kind, all of whose weights are these.
    fn net(gate: i16, character: i16, decision: i16) -> Net {
        Net {
            kinds: vec![1, 0],
            characters: vec![character; 2 * OUTER],
            of_character: vec![gate; GATES * OUTER],
            of_state: vec![gate; GATES * INNER],
            bias: vec![character; GATES],
            state_bias: vec![character; INNER],
            nodes: vec![1, 0],
            decisions: vec![decision; INNER],
            decision_bias: vec![character],
        }
    }

    #[test]
    fn the_greatest_weights_overflow_nothing() {
        for (gate, character, decision) in [
            (GATE_MAX, CHARACTER_MAX, DECISION_MAX),
            (-GATE_MAX, CHARACTER_MAX, -DECISION_MAX),
            (GATE_MAX, -CHARACTER_MAX, DECISION_MAX),
            (-GATE_MAX, -CHARACTER_MAX, -DECISION_MAX),
        ] {
            let net = net(gate, character, decision);
            let mut mind = Mind::new(&net, 0);
            for symbol in [0, 1, 0, 7, u16::MAX] {
                mind.hear(symbol);
                assert!(mind.state.iter().all(|number| (-16_384..=16_384).contains(number)));
                assert!(mind.expects(0).is_some_and(|leans| leans.abs() <= STRETCH_MAX));
            }
        }
    }

    #[test]
    fn of_a_decision_without_a_row_nothing_is_expected() {
        let net = net(1, 1, 1);
        let mind = Mind::new(&net, 0);
        assert_eq!((mind.expects(1), mind.expects(2)), (None, None));
    }

    #[test]
    fn one_step_is_that_of_the_page() {
        // All sums are 0 but the bias of what is new: 1.5, of which tanh is 0.905.
        let mut net = net(0, 0, 16);
        net.bias = [vec![0; 2 * INNER], vec![384; INNER]].concat();
        let mind = Mind::new(&net, 0);
        // σ(0) of the old state, 0, stays: half of 0.905 in 16,384ths, to the rounding of the table.
        assert!(mind.state.iter().all(|number| number.abs_diff(7_415) < 8), "{:?}", mind.state.first());
        // 192 weights of a quarter: 192 · 0.4526 / 4 = 21.7, beyond the scale of ±11.1.
        assert_eq!(mind.expects(0), Some(STRETCH_MAX));
    }
}
