//! Which digits: written after the text, when the unit that follows each number is known too.

use super::blend::{Blend, Counts, Shape};

/// Digits in the order of the tree: round ones apart.
const TREE: [u8; 10] = [0, 5, 1, 2, 3, 4, 6, 8, 7, 9];
/// Contexts of a digit.
pub const CONTEXTS: usize = 10;

pub fn shape() -> Shape {
    Shape { experts: CONTEXTS, ratios: 4, views: vec![9 * 8, 4 * 16], last: 4 }
}

/// How often each digit stood in a context.
pub type Tally = [u8; 10];

/// The tallies of a corpus, sorted by the hash of their context.
#[derive(Clone, Debug, Default)]
pub struct Tallies {
    pub entries: Vec<(u32, Tally)>,
}

impl Tallies {
    pub fn get(&self, key: u32) -> Tally {
        let found = self.entries.binary_search_by_key(&key, |(key, _)| *key).ok();
        found.and_then(|at| self.entries.get(at)).map_or([0; 10], |(_, tally)| *tally)
    }
}

/// A number in a text: a run of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub start: usize,
    pub len: usize,
}

/// The runs of `digit` in a text of symbols.
pub fn runs(symbols: &[u16], digit: u16) -> Vec<Run> {
    let mut found: Vec<Run> = Vec::new();
    for (place, _) in symbols.iter().enumerate().filter(|(_, symbol)| **symbol == digit) {
        match found.last_mut() {
            Some(run) if run.start + run.len == place => run.len += 1,
            _ => found.push(Run { start: place, len: 1 }),
        }
    }
    found
}

/// Bits of the hash of a context.
pub const CONTEXT_BITS: u32 = 24;

/// The hash of a context, 24 bits: FNV-1a over its parts.
fn hash(kind: u8, parts: &[u32]) -> u32 {
    let bytes = std::iter::once(kind).chain(parts.iter().flat_map(|part| part.to_le_bytes()));
    let hash = bytes.fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> CONTEXT_BITS)) & ((1 << CONTEXT_BITS) - 1)
}

/// The contexts of the digit at `place` of `run`, whose earlier digits are known. `values` has the digits of all runs so far.
pub fn contexts(
    symbols: &[u16],
    run: Run,
    place: usize,
    values: &[u8],
    earlier: Option<(Run, u32)>,
) -> [u32; CONTEXTS] {
    let at = |index: Option<usize>| index.and_then(|index| symbols.get(index)).map_or(u32::MAX, |s| u32::from(*s));
    let end = run.start + run.len;
    let (before, before_2) = (at(run.start.checked_sub(1)), at(run.start.checked_sub(2)));
    let (after, after_2) = (at(Some(end)), at(Some(end + 1)));
    let small = |n: usize| u32::try_from(n.min(12)).unwrap_or(12);
    let (len, spot) = (small(run.len), small(place));
    let own = values.get(values.len().saturating_sub(place)..).unwrap_or_default();
    let last = own.last().map_or(10, |digit| u32::from(*digit));
    let last_2 = own.len().checked_sub(2).and_then(|i| own.get(i)).map_or(10, |digit| u32::from(*digit));
    let so_far = own.iter().rev().take(4).fold(0_u32, |sum, digit| sum * 11 + u32::from(*digit) + 1);
    // How the number before stands to this one: 15:40, 2-3, 3月12日, 31.5283.
    let (gap, value) = earlier.map_or((99, 0), |(r, value)| (small(run.start.saturating_sub(r.start + r.len)), value));
    [
        hash(0, &[len, spot]),
        hash(1, &[len, spot, after]),
        hash(2, &[len, spot, after, after_2]),
        hash(3, &[len, spot, before]),
        hash(4, &[len, spot, before, before_2]),
        hash(5, &[len, spot, before, after]),
        hash(6, &[len, spot, last, after]),
        hash(7, &[len - spot, last, last_2]),
        hash(8, &[len, so_far, before, after]),
        hash(9, &[len, so_far, gap, value.min(9_999), before]),
    ]
}

/// Decides one digit, asking `decide` with the side of the wanted digit, where one is wanted, and the probability.
pub fn digit(
    blend: &mut Blend,
    tallies: &[Tally; CONTEXTS],
    (len, place): (usize, usize),
    wanted: Option<u8>,
    mut decide: impl FnMut(&mut Blend, Option<bool>, i32) -> bool,
) -> u8 {
    let wanted = wanted.and_then(|digit| TREE.iter().position(|other| *other == digit));
    let (mut low, mut high) = (0, TREE.len());
    let mut node = 0;
    while high - low > 1 {
        let part = low.midpoint(high);
        let mut seen: [Counts; CONTEXTS] = [(0, 0); CONTEXTS];
        for (tally, seen) in tallies.iter().zip(&mut seen) {
            let sum =
                |digits: &[u8]| digits.iter().filter_map(|d| tally.get(usize::from(*d))).map(|n| u32::from(*n)).sum();
            let side = |from: usize, to: usize| TREE.get(from..to).unwrap_or_default();
            *seen = (sum(side(low, part)), sum(side(part, high)));
        }
        let known = seen.iter().rposition(|counts| *counts != (0, 0)).map_or(0, |place| place / 3);
        let view = [len.min(8) * 8 + place.min(7), known.min(3) * 16 + node];
        let p = blend.predict(&seen, &view, len.min(4).saturating_sub(1));
        let bit = decide(blend, wanted.map(|wanted| wanted >= part), p);
        node = (node * 2 + 1 + usize::from(bit)).min(15);
        if bit { low = part } else { high = part }
    }
    TREE.get(low).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_cut_where_other_symbols_stand() {
        assert_eq!(runs(&[1, 1, 5, 1, 6], 1), [Run { start: 0, len: 2 }, Run { start: 3, len: 1 }]);
        assert!(runs(&[5, 6], 1).is_empty());
    }
}
