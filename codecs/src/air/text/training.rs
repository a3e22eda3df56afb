//! Makes a model file out of a corpus and a word list. Integer arithmetic and sorted order throughout: the same corpus
//! gives the same bytes on every machine.

use super::alphabet::{self, Alphabet};
use super::blend::{self, Blend, Taught};
use super::digits::{self, CONTEXTS, Tally};
use super::file::{MAGIC, ModelError, section};
use super::index::Index;
use super::join::Join;
use super::lexicon::{Lexicon, WORD_MAX};
use super::model::{Model, RATE, decide, over_digits};
use super::net::Net;
use super::net_training;
use super::predict::{self, Known, Predictor};
use super::topic::Messages;
use super::training_tree;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Messages that were written together: what one knows must not help to learn the others.
pub type Group = Vec<String>;

/// A word and how often it occurs in the language.
pub type Word = (String, u32);

/// Rates of the passes over the corpus, in 65,536ths, and how many outcomes the worth of a pair of counts is averaged over.
const PASSES: [(i32, i32); 3] = [(200, 255), (100, 1_023), (40, 4_095)];

/// Rates at which the trust in the net is learned, beside what is learned within a message.
const JOIN_PASSES: [i32; 3] = [400, 150, 40];

/// What training needs to know of the corpus.
struct Corpus {
    alphabet: Alphabet,
    index: Index,
    messages: Messages,
    lexicon: Lexicon,
    words: Vec<(Vec<u16>, u8)>,
    groups: Vec<Vec<Vec<u16>>>,
    tallies: BTreeMap<u32, [u32; 10]>,
}

/// Trains a model and gives its file.
#[must_use]
pub fn train(groups: &[Group], words: &[Word], mut progress: impl FnMut(&str) + Send) -> Vec<u8> {
    let mut corpus = Corpus::new(groups, words);
    corpus.tallies = all_tallies(&corpus, groups);
    progress(&format!("{} characters, {} symbols of corpus", corpus.alphabet.count(), corpus.index.symbols().len()));
    let told = Mutex::new(&mut progress as &mut (dyn FnMut(&str) + Send));
    let tell = |said: &str| {
        if let Ok(mut tell) = told.lock() {
            tell(said);
        }
    };
    let (net, text) = std::thread::scope(|scope| {
        // The counts and the net know nothing of each other: two processors share the work.
        let net = scope.spawn(|| net_training::teach(&corpus.alphabet, taught_messages(&corpus), tell));
        let text = train_text(&corpus, tell);
        #[expect(clippy::expect_used, reason = "a panic of the other half goes on here")]
        (net.join().expect("the net was taught"), text)
    });
    let text = train_join(&corpus, &net, &text, tell);
    let digits = train_digits(&corpus, groups, tell);
    write(&corpus, &net, &text, &digits)
}

/// The characters of the corpus and of the words, in the order of their code points, and the three that are none.
fn characters(groups: &[Group], words: &[Word]) -> BTreeMap<char, usize> {
    let texts = groups.iter().flatten().chain(words.iter().map(|(word, _)| word));
    let mut found: BTreeMap<char, usize> =
        texts.flat_map(|text| text.chars()).chain(' '..='~').map(|c| (c, 0)).collect();
    found.retain(|c, _| !c.is_ascii_digit());
    found.extend([alphabet::END, alphabet::DIGIT, alphabet::ESCAPE].map(|c| (c, 0)));
    found.values_mut().enumerate().for_each(|(place, value)| *value = place);
    found
}

/// Counts the neighbours in the corpus, and in the words, lightly.
fn grow(groups: &[Group], words: &[Word], places: &BTreeMap<char, usize>) -> Alphabet {
    let mut pairs: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    let mut weights = vec![0_u32; places.len()];
    let place = |c: char| {
        let c = if c.is_ascii_digit() { alphabet::DIGIT } else { c };
        places.get(&c).and_then(|place| u32::try_from(*place).ok()).unwrap_or(0)
    };
    let mut count = |text: &mut dyn Iterator<Item = char>, n: u32| {
        let mut last: Option<u32> = None;
        for c in text {
            let next = place(c);
            if let Some(weight) = weights.get_mut(next as usize) {
                *weight += n;
            }
            if let Some(last) = last {
                *pairs.entry((last, next)).or_default() += n;
            }
            last = Some(next);
        }
    };
    for text in groups.iter().flatten() {
        count(&mut [alphabet::END].into_iter().chain(text.chars()).chain([alphabet::END]), 8);
    }
    for (word, n) in words {
        count(&mut word.chars(), n.ilog2() / 3);
    }
    let tree = training_tree::grow(places.len(), &weights, &pairs);
    let list: Vec<char> = places.keys().copied().collect();
    let list = tree.order.iter().filter_map(|place| list.get(*place)).copied().collect();
    #[expect(clippy::expect_used, reason = "the list was made with the three")]
    Alphabet::new(list, tree.parts).expect("the three are in the list")
}

impl Corpus {
    fn new(groups: &[Group], words: &[Word]) -> Self {
        let alphabet = grow(groups, words, &characters(groups, words));
        let number = |text: &String| text.chars().map(|c| alphabet.number(c)).collect::<Vec<u16>>();
        let groups: Vec<Vec<Vec<u16>>> = groups.iter().map(|group| group.iter().map(number).collect()).collect();
        let index = Index::build(joined(groups.iter().flatten(), alphabet.end));
        let mut words: Vec<(Vec<u16>, u8)> = words
            .iter()
            .filter(|(word, _)| word.chars().count() <= WORD_MAX)
            .map(|(word, count)| (number(word), stored_weight(*count)))
            .filter(|(word, _)| !word.contains(&alphabet.digit))
            .collect();
        words.sort();
        words.dedup_by(|a, b| a.0 == b.0);
        let lexicon = Lexicon::new(words.iter().map(|(word, weight)| (word.as_slice(), *weight)));
        let messages = Messages::new(&index, alphabet.end);
        Self { alphabet, index, messages, lexicon, words, groups, tallies: BTreeMap::new() }
    }
}

/// One group in so many teaches how far the net is to be trusted, and so must be new to it.
const HELD_EVERY: usize = 10;
const HELD_AT: usize = 5;

fn taught_messages(corpus: &Corpus) -> Vec<&[u16]> {
    let groups = corpus.groups.iter().enumerate().filter(|(at, _)| at % HELD_EVERY != HELD_AT);
    groups.flat_map(|(_, group)| group).map(Vec::as_slice).collect()
}

/// A group, and where its messages stand among all: what the corpus without it is made by.
struct Without {
    index: Index,
    messages: (usize, usize),
}

impl Corpus {
    fn withouts(&self) -> Vec<Without> {
        let mut first = 0;
        let without = |group: &Vec<Vec<u16>>| {
            let messages = (first, first + group.len());
            first = messages.1;
            Without { index: Index::build(joined(group.iter(), self.alphabet.end)), messages }
        };
        self.groups.iter().map(without).collect()
    }

    fn known<'a>(&'a self, without: &'a Without, net: Option<&'a Net>) -> Known<'a> {
        Known {
            alphabet: &self.alphabet,
            index: &self.index,
            lexicon: &self.lexicon,
            without: Some(&without.index),
            messages: &self.messages,
            without_messages: without.messages,
            net,
        }
    }
}

/// Messages with an end before, between and after them.
fn joined<'a>(messages: impl Iterator<Item = &'a Vec<u16>>, end: u16) -> Vec<u16> {
    let mut symbols = vec![end];
    for message in messages {
        symbols.extend_from_slice(message);
        symbols.push(end);
    }
    symbols
}

/// Eighths of an octave.
fn stored_weight(count: u32) -> u8 {
    let eighths = super::fixed::ln(count.max(1)) * 8 * 256 / 45_426;
    u8::try_from(eighths).unwrap_or(u8::MAX)
}

fn train_text(corpus: &Corpus, progress: impl Fn(&str)) -> Blend {
    let mut blend = Blend::blank(predict::shape());
    let mut taught: BTreeMap<usize, Taught> = BTreeMap::new();
    let withouts = corpus.withouts();
    for (rate, limit) in PASSES {
        let (mut cost, mut symbols) = (0_u64, 0_u64);
        // Round robin over the groups, so that no kind of message is the last word.
        let longest = corpus.groups.iter().map(Vec::len).max().unwrap_or(0);
        for place in 0..longest {
            for (group, without) in corpus.groups.iter().zip(&withouts) {
                let Some(message) = group.get(place) else { continue };
                let mut predictor = Predictor::new(corpus.known(without, None));
                for symbol in message.iter().copied().chain([corpus.alphabet.end]) {
                    predictor.symbol(&mut blend, |blend, p, part| {
                        let bit = symbol >= part;
                        cost += price(p, bit);
                        learn(blend, &mut taught, bit, (rate, limit));
                        bit
                    });
                    symbols += 1;
                }
            }
        }
        progress(&format!("text: {}.{:03} bits a symbol", cost / 256 / symbols, cost * 1_000 / 256 / symbols % 1_000));
    }
    blend
}

/// Teaches how far the net is to be trusted beside the counts, on the groups that are new to it.
fn train_join(corpus: &Corpus, net: &Net, text: &Blend, progress: impl Fn(&str)) -> Blend {
    let withouts = corpus.withouts();
    let mut join = Join::blank(predict::ORDERS.len() + 1);
    for rate in JOIN_PASSES {
        let (mut cost, mut counted, mut symbols) = (0_u64, 0_u64, 0_u64);
        for (group, without) in corpus.groups.iter().zip(&withouts).skip(HELD_AT).step_by(HELD_EVERY) {
            for message in group {
                let mut blend = text.clone().beside(join.clone());
                let mut predictor = Predictor::new(corpus.known(without, Some(net)));
                for symbol in message.iter().copied().chain([corpus.alphabet.end]) {
                    predictor.symbol(&mut blend, |blend, p, part| {
                        let bit = symbol >= part;
                        cost += price(p, bit);
                        counted += price(blend.counted(), bit);
                        blend.learn(bit, RATE);
                        blend.learn_join(bit, rate);
                        bit
                    });
                    symbols += 1;
                }
                join = blend.join().cloned().unwrap_or(join);
            }
        }
        let thousandths = |cost: u64| cost * 1_000 / 256 / symbols.max(1);
        let (without, with) = (thousandths(counted), thousandths(cost));
        progress(&format!("net and counts: {with} thousandths of a bit a symbol, counts alone {without}"));
    }
    text.clone().beside(join)
}

fn learn(blend: &mut Blend, taught: &mut BTreeMap<usize, Taught>, bit: bool, (rate, limit): (i32, i32)) {
    let cells: Vec<usize> = blend.cells().to_vec();
    blend.learn(bit, rate);
    for cell in cells {
        let worth = blend.worth(cell);
        let entry = taught.entry(cell).or_insert_with(|| Taught::from_worth(worth));
        let worth = entry.teach(bit, limit);
        blend.set_worth(cell, worth);
    }
}

/// What a decision costs, in 256ths of a bit.
fn price(p: i32, bit: bool) -> u64 {
    let p = if bit { p } else { super::fixed::ONE - p };
    let nats = super::fixed::ln(1 << 16) - super::fixed::ln(u32::try_from(p).unwrap_or(1));
    u64::try_from(nats).unwrap_or(0) * 369 / 256
}

fn values(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect()
}

fn tally<'a>(messages: impl Iterator<Item = (&'a Vec<u16>, &'a String)>, digit: u16) -> BTreeMap<u32, [u32; 10]> {
    let mut tallies: BTreeMap<u32, [u32; 10]> = BTreeMap::new();
    for (symbols, text) in messages {
        let mut values = values(text).into_iter();
        over_digits(symbols, digit, |keys, _| {
            let digit = values.next().unwrap_or(0);
            for key in keys {
                if let Some(count) = tallies.entry(key).or_default().get_mut(usize::from(digit)) {
                    *count += 1;
                }
            }
            digit
        });
    }
    tallies
}

/// Counts of a tally as they are stored: the greatest is 15.
fn stored(counts: &[u32; 10]) -> Tally {
    let max = counts.iter().copied().max().unwrap_or(0).max(15);
    counts.map(|count| if count == 0 { 0 } else { u8::try_from((count * 15 / max).max(1)).unwrap_or(15) })
}

/// Contexts that were seen more than once: the others are most of the room and next to nothing of the knowledge.
fn kept(tallies: &BTreeMap<u32, [u32; 10]>) -> impl Iterator<Item = (&u32, &[u32; 10])> {
    tallies.iter().filter(|(_, counts)| counts.iter().sum::<u32>() > 1)
}

fn train_digits(corpus: &Corpus, groups: &[Group], progress: impl Fn(&str)) -> Blend {
    let mut blend = Blend::blank(digits::shape());
    let mut taught = BTreeMap::new();
    let all = &corpus.tallies;
    let own: Vec<_> =
        corpus.groups.iter().zip(groups).map(|(s, t)| tally(s.iter().zip(t), corpus.alphabet.digit)).collect();
    for (rate, limit) in PASSES {
        let (mut cost, mut count) = (0_u64, 1_u64);
        for ((symbols, texts), own) in corpus.groups.iter().zip(groups).zip(&own) {
            for (symbols, text) in symbols.iter().zip(texts) {
                let mut values = values(text).into_iter();
                over_digits(symbols, corpus.alphabet.digit, |keys, place| {
                    let wanted = values.next().unwrap_or(0);
                    let tallies: [Tally; CONTEXTS] = keys.map(|key| less(all.get(&key), own.get(&key)));
                    count += 1;
                    digits::digit(&mut blend, &tallies, place, Some(wanted), |blend, bit, p| {
                        let bit = bit.unwrap_or(false);
                        cost += price(p, bit);
                        learn(blend, &mut taught, bit, (rate, limit));
                        bit
                    })
                });
            }
        }
        progress(&format!(
            "digits: {}.{:03} bits a digit ({count})",
            cost / 256 / count,
            cost * 1_000 / 256 / count % 1_000
        ));
    }
    blend
}

fn all_tallies(corpus: &Corpus, groups: &[Group]) -> BTreeMap<u32, [u32; 10]> {
    tally(corpus.groups.iter().flatten().zip(groups.iter().flatten()), corpus.alphabet.digit)
}

fn less(all: Option<&[u32; 10]>, own: Option<&[u32; 10]>) -> Tally {
    let mut counts = all.copied().unwrap_or_default();
    for (count, own) in counts.iter_mut().zip(own.copied().unwrap_or_default()) {
        *count = count.saturating_sub(own);
    }
    stored(&counts)
}

/// How many letters each word has in common with the one before it.
fn shared(words: &[(Vec<u16>, u8)]) -> Vec<usize> {
    let befores = std::iter::once(&[][..]).chain(words.iter().map(|(word, _)| word.as_slice()));
    let alike = |a: &[u16], b: &[u16]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
    befores.zip(words).map(|(before, (word, _))| alike(before, word)).collect()
}

fn write(corpus: &Corpus, net: &Net, text: &Blend, digits: &Blend) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    let mut put = |numbers: &mut dyn Iterator<Item = u32>| file.extend(section(&numbers.collect::<Vec<u32>>()));
    let small = |n: usize| u32::try_from(n).unwrap_or(0);
    let (words, shared) = (&corpus.words, shared(&corpus.words));
    put(&mut corpus.alphabet.list().map(u32::from));
    put(&mut corpus.alphabet.parts().iter().copied().map(u32::from));
    put(&mut std::iter::once(small(corpus.index.symbols().len())));
    put(&mut decisions_of(corpus).into_iter());
    put(&mut shared.iter().copied().map(small));
    put(&mut words.iter().zip(&shared).map(|((word, _), shared)| small(word.len() - shared)));
    let own = words.iter().zip(&shared).flat_map(|((word, _), shared)| word.iter().skip(*shared));
    put(&mut own.copied().map(u32::from));
    put(&mut words.iter().map(|(_, weight)| u32::from(*weight)));
    let mut before = 0;
    put(&mut kept(&corpus.tallies).map(|(key, _)| key - std::mem::replace(&mut before, *key)));
    put(&mut kept(&corpus.tallies).flat_map(|(_, counts)| stored(counts)).map(u32::from));
    for blend in [text, digits] {
        blend.write().into_iter().for_each(|numbers| put(&mut numbers.into_iter()));
    }
    for rows in [&net.kinds, &net.nodes] {
        put(&mut rows.iter().map(|row| u32::from(*row > 0)));
    }
    let gates = [&net.of_character, &net.of_state, &net.bias, &net.state_bias];
    for weights in [&net.characters].into_iter().chain(gates).chain([&net.decisions, &net.decision_bias]) {
        put(&mut weights.iter().map(|weight| blend::stored(i32::from(*weight))));
    }
    put(&mut text.join().map(Join::write).unwrap_or_default().into_iter());
    file
}

/// The decisions of all symbols of the corpus, eight to a number.
fn decisions_of(corpus: &Corpus) -> Vec<u32> {
    let alphabet = &corpus.alphabet;
    let ways: Vec<Vec<bool>> =
        (0..alphabet.count()).map(|symbol| alphabet.way(symbol).map(|(_, side)| side).collect()).collect();
    let symbols = corpus.index.symbols().iter();
    let bits: Vec<bool> = symbols.filter_map(|symbol| ways.get(usize::from(*symbol))).flatten().copied().collect();
    let number = |bits: &[bool]| bits.iter().rev().fold(0, |number, bit| number << 1 | u32::from(*bit));
    bits.chunks(8).map(number).collect()
}

/// The cost of messages that the model has not seen, in 256ths of a bit, and their characters. For tuning only.
///
/// # Errors
/// [`ModelError`]: the file is no model.
pub fn measure(file: &[u8], messages: &[String]) -> Result<(u64, u64), ModelError> {
    let model = Model::read(file)?;
    let (mut cost, mut characters) = (0, 0);
    for text in messages {
        let mut blend = model.text.clone();
        let mut predictor = Predictor::new(model.known());
        for symbol in text.chars().map(|c| model.alphabet.number(c)).chain([model.alphabet.end]) {
            predictor.symbol(&mut blend, |blend, p, part| {
                let bit = symbol >= part;
                cost += price(p, bit);
                blend.learn(bit, super::model::RATE);
                bit
            });
            characters += 1;
        }
        let symbols: Vec<u16> = predictor.history().get(1..).unwrap_or_default().to_vec();
        let mut values = values(text).into_iter();
        let mut blend = model.digits.clone();
        over_digits(&symbols, model.alphabet.digit, |keys, place| {
            let tallies = keys.map(|key| model.tallies.get(key));
            decide(&mut blend, &tallies, place, values.next(), |bit, p| {
                cost += price(p, bit.unwrap_or(false));
                bit.unwrap_or(false)
            })
        });
    }
    Ok((cost, characters))
}
