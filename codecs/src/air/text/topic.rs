//! What this message is about: the messages of the corpus that share rare pairs of characters with it, and what they say.

use super::blend::Counts;
use super::index::{Index, Ranks};
use std::cmp::Reverse;
use std::ops::Range;

/// A pair that stands at more places than this says nothing of a topic.
const RARE: u32 = 400;
/// Places of the last character that are looked at.
const PLACES: u32 = 4_000;
/// Kindred messages whose every character is counted.
const KIN: usize = 40;

/// Where each message of a corpus begins.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    starts: Vec<u32>,
    /// The message in which the place of each rank lies: asked thousands of times a character, rank after rank.
    owners: Vec<u16>,
}

impl Messages {
    pub fn new(index: &Index, end: u16) -> Self {
        let (mut starts, mut of_place) = (Vec::new(), Vec::with_capacity(index.symbols().len()));
        for (symbol, next) in index.symbols().iter().zip(1..) {
            // An end belongs to the message before it.
            of_place.push(u16::try_from(starts.len()).unwrap_or(u16::MAX).saturating_sub(1));
            if *symbol == end {
                starts.push(next);
            }
        }
        let owner = |place: &u32| of_place.get(*place as usize).copied().unwrap_or(0);
        Self { starts, owners: index.order().iter().map(owner).collect() }
    }

    /// The messages in which the places of these ranks lie.
    fn of(&self, ranks: Ranks) -> &[u16] {
        self.owners.get(ranks.low as usize..ranks.high as usize).unwrap_or_default()
    }

    fn places(&self, message: usize) -> Range<usize> {
        let at = |message: usize| self.starts.get(message).map_or(0, |start| *start as usize);
        at(message)..at(message + 1).saturating_sub(1).max(at(message))
    }

    pub fn count(&self) -> usize {
        self.starts.len()
    }
}

/// Symbols with weights, sorted, and the sums of the weights before each.
#[derive(Clone, Debug, Default)]
struct Tally {
    symbols: Vec<(u16, u32)>,
    /// The weight of each symbol while they are added up.
    weights: Vec<u32>,
    low: usize,
    high: usize,
}

impl Tally {
    fn add(&mut self, symbol: u16, weight: u32) {
        let place = usize::from(symbol);
        if place >= self.weights.len() {
            self.weights.resize(place + 1, 0);
        }
        let Some(sum) = self.weights.get_mut(place) else { return };
        if *sum == 0 && weight > 0 {
            self.symbols.push((symbol, 0));
        }
        *sum = sum.saturating_add(weight);
    }

    /// Sorts, and turns the weights into running sums.
    fn close(&mut self) {
        self.symbols.sort_unstable();
        let mut sum = 0_u32;
        for (symbol, running) in &mut self.symbols {
            let weight = self.weights.get_mut(usize::from(*symbol)).map(std::mem::take);
            sum = sum.saturating_add(weight.unwrap_or(0));
            *running = sum;
        }
        self.reopen();
    }

    /// All of it is possible again.
    fn reopen(&mut self) {
        (self.low, self.high) = (0, self.symbols.len());
    }

    fn middle(&self, part: u16) -> usize {
        let live = self.symbols.get(self.low..self.high).unwrap_or_default();
        self.low + live.partition_point(|(symbol, _)| *symbol < part)
    }

    fn count(&self, part: u16) -> Counts {
        let sum = |at: usize| at.checked_sub(1).and_then(|at| self.symbols.get(at)).map_or(0, |(_, sum)| *sum);
        let middle = self.middle(part);
        (sum(middle) - sum(self.low), sum(self.high) - sum(middle))
    }

    fn keep(&mut self, part: u16, second: bool) {
        let middle = self.middle(part);
        if second { self.low = middle } else { self.high = middle }
    }
}

/// The messages with the highest scores, of equal ones those that stand first.
#[derive(Clone, Debug, Default)]
struct Kin {
    best: Vec<(u16, Reverse<usize>)>,
    /// The least of them, once there are [`KIN`].
    least: Option<(u16, Reverse<usize>)>,
}

impl Kin {
    /// A message has a higher score now. Scores never fall, so whoever is not among the best cannot come back unasked.
    fn raise(&mut self, message: usize, score: u16) {
        let raised = (score, Reverse(message));
        if self.least.is_some_and(|least| raised <= least) {
            return;
        }
        match self.best.iter_mut().find(|(_, known)| known.0 == message) {
            Some(known) => *known = raised,
            None => match self.best.iter_mut().find(|known| Some(**known) == self.least) {
                Some(least) => *least = raised,
                None => self.best.push(raised),
            },
        }
        self.least = self.best.iter().copied().min().filter(|_| self.best.len() == KIN);
    }
}

/// How near each message of the corpus is to the message at hand.
#[derive(Clone, Debug)]
pub struct Topic<'a> {
    index: &'a Index,
    messages: &'a Messages,
    /// Messages that must not be looked at.
    without: Range<usize>,
    scores: Vec<u16>,
    kin: Kin,
    /// Whether a score has changed since the kindred messages were counted.
    changed: bool,
    tallies: [Tally; 2],
}

impl<'a> Topic<'a> {
    pub fn new(index: &'a Index, messages: &'a Messages, without: Range<usize>) -> Self {
        let scores = vec![0; messages.count()];
        Self {
            index,
            messages,
            without,
            scores,
            kin: Kin::default(),
            changed: false,
            tallies: [Tally::default(), Tally::default()],
        }
    }

    /// Takes in where the last pair of characters stands in the corpus.
    pub fn heard(&mut self, pair: Ranks) {
        let count = pair.count();
        if count == 0 || count > RARE {
            return;
        }
        let weight = u16::try_from(10_u32.saturating_sub(count.ilog2())).unwrap_or(1);
        let mut last = usize::MAX;
        for message in self.messages.of(pair) {
            let message = usize::from(*message);
            if self.without.contains(&message) || message == last {
                continue;
            }
            last = message;
            let Some(score) = self.scores.get_mut(message) else { continue };
            *score = score.saturating_add(weight);
            self.kin.raise(message, *score);
            self.changed = true;
        }
    }

    /// Looks up what kindred messages say after the last character, and what they say at all.
    pub fn begin(&mut self, after: Ranks) {
        let [next, any] = &mut self.tallies;
        next.symbols.clear();
        if after.count() <= PLACES {
            for (message, rank) in self.messages.of(after).iter().zip(after.low..) {
                let score = self.scores.get(usize::from(*message)).copied().unwrap_or(0);
                if score <= 6 {
                    continue;
                }
                let place = self.index.order().get(rank as usize).copied().unwrap_or(0);
                let symbol = self.index.symbols().get(place as usize + 1);
                symbol.into_iter().for_each(|symbol| next.add(*symbol, u32::from(score - 6)));
            }
        }
        next.close();
        if !std::mem::take(&mut self.changed) {
            any.reopen();
            return;
        }
        any.symbols.clear();
        for (score, Reverse(message)) in &self.kin.best {
            let weight = u32::from(*score).saturating_sub(6);
            let symbols = self.index.symbols().get(self.messages.places(*message)).unwrap_or_default();
            symbols.iter().for_each(|symbol| any.add(*symbol, weight));
        }
        any.close();
    }

    pub fn count(&self, part: u16) -> [Counts; 2] {
        [0, 1].map(|which| {
            let (no, yes) = self.tallies.get(which).map_or((0, 0), |tally| tally.count(part));
            (no.div_ceil(4), yes.div_ceil(4))
        })
    }

    pub fn keep(&mut self, part: u16, second: bool) {
        self.tallies.iter_mut().for_each(|tally| tally.keep(part, second));
    }
}
