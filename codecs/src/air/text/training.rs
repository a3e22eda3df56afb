//! Makes a model file out of a corpus and a word list. Integer arithmetic and sorted order throughout: the same corpus
//! gives the same bytes on every machine.

use super::alphabet::{self, Alphabet};
use super::blend::{Blend, Taught};
use super::digits::{self, CONTEXTS, Tally};
use super::file::{MAGIC, ModelError, section};
use super::index::Index;
use super::lexicon::{Lexicon, WORD_MAX};
use super::model::{Model, decide, over_digits};
use super::predict::{self, Known, Predictor};
use super::topic::Messages;
use super::training_tree;
use std::collections::BTreeMap;

/// Messages that were written together: what one knows must not help to learn the others.
pub type Group = Vec<String>;

/// A word and how often it occurs in the language.
pub type Word = (String, u32);

/// Rates of the passes over the corpus, in 65,536ths, and how many outcomes the worth of a pair of counts is averaged over.
const PASSES: [(i32, i32); 3] = [(200, 255), (100, 1_023), (40, 4_095)];

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
pub fn train(groups: &[Group], words: &[Word], mut progress: impl FnMut(&str)) -> Vec<u8> {
    let mut corpus = Corpus::new(groups, words);
    corpus.tallies = all_tallies(&corpus, groups);
    progress(&format!("{} characters, {} symbols of corpus", corpus.alphabet.count(), corpus.index.symbols().len()));
    let text = train_text(&corpus, &mut progress);
    let digits = train_digits(&corpus, groups, &mut progress);
    write(&corpus, &text, &digits)
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
        let messages = Messages::new(index.symbols(), alphabet.end);
        Self { alphabet, index, messages, lexicon, words, groups, tallies: BTreeMap::new() }
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

fn train_text(corpus: &Corpus, progress: &mut impl FnMut(&str)) -> Blend {
    let mut blend = Blend::blank(predict::shape());
    let mut taught: BTreeMap<usize, Taught> = BTreeMap::new();
    for (rate, limit) in PASSES {
        let (mut cost, mut symbols) = (0_u64, 0_u64);
        // Round robin over the groups, so that no kind of message is the last word.
        let longest = corpus.groups.iter().map(Vec::len).max().unwrap_or(0);
        let withouts: Vec<Index> =
            corpus.groups.iter().map(|group| Index::build(joined(group.iter(), corpus.alphabet.end))).collect();
        let firsts: Vec<usize> = corpus
            .groups
            .iter()
            .scan(0, |sum, group| {
                let first = *sum;
                *sum += group.len();
                Some(first)
            })
            .collect();
        for place in 0..longest {
            for ((group, without), first) in corpus.groups.iter().zip(&withouts).zip(&firsts) {
                let Some(message) = group.get(place) else { continue };
                let known = Known {
                    alphabet: &corpus.alphabet,
                    index: &corpus.index,
                    lexicon: &corpus.lexicon,
                    without: Some(without),
                    messages: &corpus.messages,
                    without_messages: (*first, *first + group.len()),
                };
                let mut predictor = Predictor::new(known);
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

fn train_digits(corpus: &Corpus, groups: &[Group], progress: &mut impl FnMut(&str)) -> Blend {
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

fn write(corpus: &Corpus, text: &Blend, digits: &Blend) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    let mut put = |numbers: &mut dyn Iterator<Item = u32>| file.extend(section(&numbers.collect::<Vec<u32>>()));
    let small = |n: usize| u32::try_from(n).unwrap_or(0);
    let (words, shared) = (&corpus.words, shared(&corpus.words));
    put(&mut corpus.alphabet.list().map(u32::from));
    put(&mut corpus.alphabet.parts().iter().copied().map(u32::from));
    put(&mut corpus.index.symbols().iter().copied().map(u32::from));
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
    file
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
