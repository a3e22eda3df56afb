//! Puts characters that are used alike near each other, so that what was seen of one says something of its neighbours.
//!
//! The tree of decisions is made from the root: a set of characters is parted in two so that the neighbours of a character,
//! left and right, tell as well as they can in which half it is (k-means with two means, on counts).

use super::fixed::ln;
use std::collections::BTreeMap;

/// A neighbour of a character, and how often it stood there. Left and right neighbours have different numbers.
type Features = Vec<(u32, u32)>;

const ROUNDS: usize = 12;
/// Below this depth sets are parted by weight alone, which bounds the number of decisions.
const DEPTH_MAX: usize = 3;

/// The order of the characters, as places in the given list, and the parts of the tree over that order, root first.
#[derive(Debug, Default)]
pub struct Tree {
    pub order: Vec<usize>,
    pub parts: Vec<u16>,
}

/// Makes the tree. `pairs` are neighbours (places in a list of `count` characters) with weights.
pub fn grow(count: usize, weights: &[u32], pairs: &BTreeMap<(u32, u32), u32>) -> Tree {
    let mut features: Vec<Features> = vec![Vec::new(); count];
    for ((left, right), n) in pairs {
        if let Some(list) = features.get_mut(*left as usize) {
            list.push((right * 2 + 1, *n));
        }
        if let Some(list) = features.get_mut(*right as usize) {
            list.push((left * 2, *n));
        }
    }
    let mut grower = Grower { features, weights, sides: vec![[0; 2]; count * 2 + 2], tree: Tree::default() };
    grower.part((0..count).collect(), 0);
    grower.tree
}

struct Grower<'a> {
    features: Vec<Features>,
    weights: &'a [u32],
    /// How often each neighbour stood beside a member of either half.
    sides: Vec<[u32; 2]>,
    tree: Tree,
}

impl Grower<'_> {
    fn weight(&self, place: usize) -> u64 {
        u64::from(self.weights.get(place).copied().unwrap_or(0)) + 1
    }

    fn part(&mut self, mut set: Vec<usize>, depth: usize) {
        if set.len() < 2 {
            self.tree.order.extend(set);
            return;
        }
        set.sort_by(|a, b| self.weight(*b).cmp(&self.weight(*a)).then(a.cmp(b)));
        let halves = if depth < DEPTH_MAX && set.len() > 2 { self.by_neighbours(&set) } else { None };
        let (first, second) = halves.unwrap_or_else(|| self.by_weight(&set));
        let at = self.tree.parts.len();
        self.tree.parts.push(0);
        self.part(first, depth + 1);
        let part = u16::try_from(self.tree.order.len()).unwrap_or(u16::MAX);
        if let Some(place) = self.tree.parts.get_mut(at) {
            *place = part;
        }
        self.part(second, depth + 1);
    }

    /// The most frequent ones up to half of the weight, and the rest.
    fn by_weight(&self, set: &[usize]) -> (Vec<usize>, Vec<usize>) {
        let total: u64 = set.iter().map(|place| self.weight(*place)).sum();
        let mut sum = 0;
        let mut cut = 0;
        while cut + 1 < set.len() && (cut == 0 || sum * 2 < total) {
            sum += set.get(cut).map_or(0, |place| self.weight(*place));
            cut += 1;
        }
        let (first, second) = set.split_at(cut);
        (first.to_vec(), second.to_vec())
    }

    fn by_neighbours(&mut self, set: &[usize]) -> Option<(Vec<usize>, Vec<usize>)> {
        // Begin with what the two most frequent stand beside: those nearer to the first, and the rest.
        let mut side: Vec<bool> = set.iter().enumerate().map(|(rank, _)| rank % 2 == 1).collect();
        for _ in 0..ROUNDS {
            let totals = self.tell(set, &side);
            let next: Vec<bool> = set.iter().map(|place| self.leans(*place, totals)).collect();
            if next == side {
                break;
            }
            side = next;
        }
        let half =
            |wanted: bool| set.iter().zip(&side).filter(|(_, s)| **s == wanted).map(|(p, _)| *p).collect::<Vec<_>>();
        let (first, second) = (half(false), half(true));
        let weigh = |half: &[usize]| half.iter().map(|place| self.weight(*place)).sum::<u64>();
        let (a, b) = (weigh(&first), weigh(&second));
        // A crumb beside a loaf tells nothing and costs a decision.
        (a.min(b) * 24 > a.max(b)).then_some((first, second))
    }

    /// Counts the neighbours of both halves.
    fn tell(&mut self, set: &[usize], side: &[bool]) -> [u32; 2] {
        for counts in &mut self.sides {
            *counts = [0; 2];
        }
        let mut totals = [0_u32; 2];
        for (place, side) in set.iter().zip(side) {
            let side = usize::from(*side);
            for (neighbour, n) in self.features.get(*place).into_iter().flatten() {
                if let Some(count) = self.sides.get_mut(*neighbour as usize).and_then(|counts| counts.get_mut(side)) {
                    *count += n;
                }
                if let Some(total) = totals.get_mut(side) {
                    *total += n;
                }
            }
        }
        totals
    }

    /// Whether the neighbours of a character are rather those of the second half.
    fn leans(&self, place: usize, [first, second]: [u32; 2]) -> bool {
        let prior = i64::from(ln(first / 8 + 1)) - i64::from(ln(second / 8 + 1));
        let mut sum = 0_i64;
        for (neighbour, n) in self.features.get(place).into_iter().flatten() {
            let [a, b] = self.sides.get(*neighbour as usize).copied().unwrap_or_default();
            sum += i64::from(*n) * (i64::from(ln(b * 8 + 2)) - i64::from(ln(a * 8 + 2)) + prior);
        }
        sum > 0
    }
}
