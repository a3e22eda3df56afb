//! What comes next in a text: the blend of what followed the same context in the corpus, of how words go on, and of what
//! this message itself said before.

use super::alphabet::{Alphabet, Choice};
use super::blend::{Blend, Counts, Shape};
use super::index::{Index, Ranks};
use super::lexicon::Lexicon;
use super::net::{Mind, Net};
use super::topic::{Messages, Topic};

/// Lengths of the contexts that are looked up in the corpus.
pub const ORDERS: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 8];
/// Letters of a begun word that are looked up in the lexicon.
const BEGUN: [usize; 4] = [0, 1, 2, 3];
/// Lengths of the contexts that are looked up in the message itself.
const OWN: [usize; 2] = [1, 2];

/// What kindred messages say next, and what they say at all.
const TOPIC: usize = 2;

const EXPERTS: usize = ORDERS.len() + BEGUN.len() + OWN.len() + TOPIC;
const RATIOS: usize = 4;
const DEPTHS: usize = 18;

/// How the blend of the text is shaped.
pub fn shape() -> Shape {
    let orders = ORDERS.len() + 1;
    Shape {
        experts: EXPERTS,
        ratios: RATIOS,
        views: vec![orders * 5, DEPTHS * 4, 6 * 5 * 3, orders * orders],
        last: orders * 2,
    }
}

/// What is known and does not change: the corpus, the words, the characters.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub alphabet: &'a Alphabet,
    pub index: &'a Index,
    pub lexicon: &'a Lexicon,
    /// A part of the corpus that must not be looked at: in training, that from which the message comes.
    pub without: Option<&'a Index>,
    pub messages: &'a Messages,
    /// The messages of that part.
    pub without_messages: (usize, usize),
    /// The net; in the training of the counts there is none.
    pub net: Option<&'a Net>,
}

/// Where one expert looks while a symbol is decided.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    ranks: Ranks,
    without: Ranks,
    /// Symbols of the context; `None`: the message is not that long yet.
    depth: Option<usize>,
    /// Where the decision at hand parts `ranks` and `without`.
    middle: u32,
    without_middle: u32,
}

/// The state of one message.
#[derive(Clone, Debug)]
pub struct Predictor<'a> {
    known: Known<'a>,
    history: Vec<u16>,
    looks: [Look; ORDERS.len()],
    words: [Look; BEGUN.len()],
    /// Symbols that followed the same context in this message, within the numbers that are still possible.
    own: [Vec<u16>; OWN.len()],
    topic: Topic<'a>,
    mind: Option<Mind<'a>>,
    seen: [Counts; EXPERTS],
    /// The longest context found, when the symbol began.
    matched: usize,
    decisions: usize,
    choice: Choice,
}

impl<'a> Predictor<'a> {
    pub fn new(known: Known<'a>) -> Self {
        let mut predictor = Self {
            known,
            history: vec![known.alphabet.end],
            looks: [Look::default(); ORDERS.len()],
            words: [Look::default(); BEGUN.len()],
            own: [Vec::new(), Vec::new()],
            mind: known.net.map(|net| Mind::new(net, known.alphabet.end)),
            topic: Topic::new(known.index, known.messages, known.without_messages.0..known.without_messages.1),
            seen: [(0, 0); EXPERTS],
            matched: 0,
            decisions: 0,
            choice: known.alphabet.root(),
        };
        predictor.begin();
        predictor
    }

    pub fn history(&self) -> &[u16] {
        &self.history
    }

    /// Looks up every context of the next symbol.
    fn begin(&mut self) {
        (self.choice, self.decisions, self.matched) = (self.known.alphabet.root(), 0, 0);
        let tail = |length: usize| self.history.len().checked_sub(length).and_then(|from| self.history.get(from..));
        let before = self.looks;
        for (place, (order, look)) in ORDERS.iter().zip(&mut self.looks).enumerate() {
            *look = Look::default();
            // A longer context than one that was never seen was never seen either.
            let Some(context) = tail(*order).filter(|_| place == 0 || self.matched + 1 >= place) else { continue };
            // What was left of the context one shorter when the last symbol was decided is this one.
            let shorter = ORDERS.iter().position(|shorter| shorter + 1 == *order).and_then(|place| before.get(place));
            let shorter = shorter.filter(|shorter| shorter.depth.is_some());
            let whole = |index: &Index, ranks: fn(&Look) -> Ranks| match shorter {
                Some(shorter) => index.within(ranks(shorter), order - 1),
                None => index.find(context),
            };
            look.ranks = whole(self.known.index, |look| look.ranks);
            look.without = self.known.without.map_or_else(Ranks::default, |index| whole(index, |look| look.without));
            look.depth = Some(*order);
            if look.ranks.count() > look.without.count() {
                self.matched = place;
            }
        }
        let [_, one, two, ..] = &self.looks;
        if self.history.len() > 2 {
            self.topic.heard(two.ranks);
        }
        self.topic.begin(one.ranks);
        let before = self.words;
        for (place, (begun, look)) in BEGUN.iter().zip(&mut self.words).enumerate() {
            *look = Look::default();
            let Some(letters) = tail(*begun) else { continue };
            look.depth = Some(*begun);
            let shorter = place.checked_sub(1).and_then(|place| before.get(place)).filter(|look| look.depth.is_some());
            look.ranks = match shorter {
                Some(shorter) => self.known.lexicon.going_on(shorter.ranks, *begun),
                None => self.known.lexicon.find(letters),
            };
        }
        for (length, own) in OWN.iter().zip(&mut self.own) {
            own.clear();
            let Some(context) = tail(*length) else { continue };
            let windows = self.history.windows(length + 1).filter(|window| window.starts_with(context));
            own.extend(windows.filter_map(|window| window.last().copied()));
        }
    }

    /// Counts what every expert saw on both sides of a decision.
    fn count(&mut self, part: u16) {
        let wanted = u32::from(part);
        let mut seen = self.seen.iter_mut();
        for (look, seen) in self.looks.iter_mut().zip(&mut seen) {
            *seen = (0, 0);
            let Some(depth) = look.depth.filter(|_| look.ranks.count() > 0) else { continue };
            look.middle = self.known.index.split(look.ranks, depth, wanted);
            let (no, yes) = (look.middle - look.ranks.low, look.ranks.high - look.middle);
            let (mut less, mut fewer) = (0, 0);
            if let Some(without) = self.known.without.filter(|_| look.without.count() > 0) {
                look.without_middle = without.split(look.without, depth, wanted);
                less = look.without_middle - look.without.low;
                fewer = look.without.high - look.without_middle;
            }
            *seen = (no.saturating_sub(less), yes.saturating_sub(fewer));
        }
        for (look, seen) in self.words.iter_mut().zip(&mut seen) {
            *seen = (0, 0);
            let Some(depth) = look.depth.filter(|_| look.ranks.count() > 0) else { continue };
            look.middle = self.known.lexicon.split(look.ranks, depth, wanted);
            *seen = self.known.lexicon.weigh(look.ranks, look.middle);
        }
        for (own, seen) in self.own.iter().zip(&mut seen) {
            let no = own.iter().filter(|symbol| **symbol < part).count();
            *seen = (small(no), small(own.len() - no));
        }
        for (counts, seen) in self.topic.count(part).into_iter().zip(seen) {
            *seen = counts;
        }
    }

    /// Keeps the side that was decided.
    fn keep(&mut self, part: u16, bit: bool) {
        for look in self.looks.iter_mut().chain(&mut self.words) {
            let (middle, without) = (look.middle, look.without_middle);
            if look.ranks.count() > 0 {
                if bit { look.ranks.low = middle } else { look.ranks.high = middle }
            }
            if look.without.count() > 0 {
                if bit { look.without.low = without } else { look.without.high = without }
            }
        }
        self.topic.keep(part, bit);
        for own in &mut self.own {
            own.retain(|symbol| (*symbol >= part) == bit);
        }
        self.choice = self.known.alphabet.half(self.choice, part, bit);
        self.decisions += 1;
    }

    /// Which weights to use: the longest context that still says something, and how much it says.
    fn views(&self) -> ([usize; 4], usize) {
        let counts = |place: usize| self.seen.get(place).copied().unwrap_or_default();
        let live = (0..ORDERS.len()).rev().find(|place| counts(*place) != (0, 0));
        let live_place = live.map_or(0, |place| place + 1);
        let (no, yes) = live.map_or((0, 0), counts);
        let amount = match no + yes {
            0 => 0,
            1 => 1,
            2..=3 => 2,
            4..=12 => 3,
            _ => 4,
        };
        let lean = match (no, yes) {
            (0, 0) => 0,
            (0, _) => 1,
            (_, 0) => 2,
            _ => 3,
        };
        let kind = self.history.last().map_or(0, |last| self.kind(*last));
        let begun = (0..BEGUN.len()).rev().find(|place| counts(ORDERS.len() + place) != (0, 0)).map_or(0, |p| p + 1);
        let words = match self.seen.get(ORDERS.len() + 2) {
            Some((0, 0)) | None => 0,
            Some((0, _) | (_, 0)) => 1,
            Some(_) => 2,
        };
        // The longest context that has seen both ways, beside the longest of all: does it only echo one place?
        let both = (0..ORDERS.len()).rev().find(|place| counts(*place).0 > 0 && counts(*place).1 > 0);
        let orders = ORDERS.len() + 1;
        let views = [
            live_place * 5 + amount,
            self.decisions.min(DEPTHS - 1) * 4 + lean,
            (kind * 5 + begun) * 3 + words,
            live_place * orders + both.map_or(0, |place| place + 1),
        ];
        (views, self.matched * 2 + usize::from(self.decisions > 0))
    }

    fn kind(&self, symbol: u16) -> usize {
        let alphabet = self.known.alphabet;
        match alphabet.character(symbol) {
            Some('\u{4E00}'..='\u{9FFF}') => 2,
            Some(c) if c.is_ascii_alphabetic() => 3,
            Some(_) => 4,
            None if symbol == alphabet.end => 0,
            None if symbol == alphabet.digit => 1,
            None => 5,
        }
    }

    /// Decides one symbol, asking `decide` with the probability of each decision, and takes it into the history.
    pub fn symbol(&mut self, blend: &mut Blend, mut decide: impl FnMut(&mut Blend, i32, u16) -> bool) -> u16 {
        while let Some(part) = self.known.alphabet.part(self.choice) {
            self.count(part);
            let (views, last) = self.views();
            let counted = blend.predict(&self.seen, &views, last);
            let net = self.mind.as_ref().and_then(|mind| mind.expects(self.choice.decision()));
            let p = net.map_or(counted, |net| blend.with_net(net, self.matched, self.decisions));
            let bit = decide(blend, p, part);
            self.keep(part, bit);
        }
        let symbol = self.choice.low;
        self.history.push(symbol);
        if let Some(mind) = &mut self.mind {
            mind.hear(symbol);
        }
        self.begin();
        symbol
    }
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
