//! What this message is about: the messages of the corpus that share rare pairs of characters with it, and what they say.

use super::blend::Counts;
use super::index::{Index, Ranks};
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
    /// The message in which each place lies: asked thousands of times a character.
    owners: Vec<u16>,
}

impl Messages {
    pub fn new(symbols: &[u16], end: u16) -> Self {
        let (mut starts, mut owners) = (Vec::new(), Vec::with_capacity(symbols.len()));
        for (symbol, next) in symbols.iter().zip(1..) {
            owners.push(u16::try_from(starts.len()).unwrap_or(u16::MAX).saturating_sub(1));
            if *symbol == end {
                starts.push(next);
            }
        }
        Self { starts, owners }
    }

    /// The message in which a place lies; an end belongs to the message before it.
    fn of(&self, place: u32) -> usize {
        self.owners.get(place as usize).copied().map_or(0, usize::from)
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

/// How near each message of the corpus is to the message at hand.
#[derive(Clone, Debug)]
pub struct Topic<'a> {
    index: &'a Index,
    messages: &'a Messages,
    /// Messages that must not be looked at.
    without: Range<usize>,
    scores: Vec<u16>,
    kin: Vec<u32>,
    tallies: [Tally; 2],
}

impl<'a> Topic<'a> {
    pub fn new(index: &'a Index, messages: &'a Messages, without: Range<usize>) -> Self {
        let scores = vec![0; messages.count()];
        Self { index, messages, without, scores, kin: Vec::new(), tallies: [Tally::default(), Tally::default()] }
    }

    fn place(&self, rank: u32) -> u32 {
        self.index.order().get(rank as usize).copied().unwrap_or(0)
    }

    /// Takes in where the last pair of characters stands in the corpus.
    pub fn heard(&mut self, pair: Ranks) {
        let count = pair.count();
        if count == 0 || count > RARE {
            return;
        }
        let weight = u16::try_from(10_u32.saturating_sub(count.ilog2())).unwrap_or(1);
        let mut last = usize::MAX;
        for rank in pair.low..pair.high {
            let message = self.messages.of(self.place(rank));
            if self.without.contains(&message) || message == last {
                continue;
            }
            last = message;
            let Some(score) = self.scores.get_mut(message) else { continue };
            if *score == 0 {
                self.kin.push(u32::try_from(message).unwrap_or(0));
            }
            *score = score.saturating_add(weight);
        }
    }

    /// Looks up what kindred messages say after the last character, and what they say at all.
    pub fn begin(&mut self, after: Ranks) {
        let [next, any] = &mut self.tallies;
        next.symbols.clear();
        any.symbols.clear();
        if after.count() <= PLACES {
            for rank in after.low..after.high {
                let place = self.index.order().get(rank as usize).copied().unwrap_or(0);
                let score = self.scores.get(self.messages.of(place)).copied().unwrap_or(0);
                let symbol = self.index.symbols().get(place as usize + 1);
                if let Some(symbol) = symbol.filter(|_| score > 6) {
                    next.add(*symbol, u32::from(score - 6));
                }
            }
        }
        let scores = &self.scores;
        let score = |message: u32| scores.get(message as usize).copied().unwrap_or(0);
        if self.kin.len() > KIN {
            self.kin.select_nth_unstable_by(KIN, |a, b| score(*b).cmp(&score(*a)).then(a.cmp(b)));
        }
        for message in self.kin.iter().take(KIN) {
            let weight = u32::from(score(*message)).saturating_sub(6);
            let symbols = self.index.symbols().get(self.messages.places(*message as usize)).unwrap_or_default();
            symbols.iter().for_each(|symbol| any.add(*symbol, weight));
        }
        next.close();
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
