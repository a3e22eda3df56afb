//! The file of a model, to the bit.
//!
//! After `YZT3` come sections, each a count (32 bits), a width (8) and as many numbers of that many bits, packed from the
//! lowest bit of the first byte on; the last byte is filled with zeros. The width is that of the greatest number. The
//! corpus is written as the decisions of its characters' tree, which takes nine and a half bits a character. What can be made
//! again out of the rest is not in the file: the order of the suffixes takes some tenths of a second and would be the greater half.
//!
//! **Invariants**
//! - No byte of a file makes reading panic, or take more room than [`NUMBERS_MAX`] numbers a section.

use super::alphabet::Alphabet;
use super::blend::{Blend, STRETCHED, Shape, WEIGHED, signed, stored};
use super::digits::{self, CONTEXT_BITS, Tallies};
use super::index::Index;
use super::join::{self, Join};
use super::lexicon::{Lexicon, WORD_MAX};
use super::model::Model;
use super::net::{CHARACTER_MAX, DECISION_MAX, GATE_MAX, GATES, INNER, Net, OUTER};
use super::predict;
use super::topic::Messages;

/// The first bytes of a model file.
pub const MAGIC: &[u8; 4] = b"YZT3";

/// Numbers of the longest section that is read.
pub const NUMBERS_MAX: u32 = 1 << 22;

/// Kinds of characters that a model can have: every number and the one after it go into 16 bits.
const KINDS_MAX: u32 = 0xFFFF;

/// Why a file is no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Another kind of file.
    #[error("the file does not begin with YZT3: no model, or one of another version")]
    Magic,
    /// The file ends too early.
    #[error("{section}: {needed} bytes are needed, {left} are left: the file was cut")]
    Short { section: &'static str, needed: u64, left: usize },
    /// A width that no number has.
    #[error("{section}: numbers of {found} bits, expected 1 to 32")]
    Width { section: &'static str, found: u8 },
    /// More numbers than a section may have.
    #[error("{section}: {found} numbers, expected at most {max}")]
    Many { section: &'static str, found: u32, max: u32 },
    /// Another count than that of the section that it belongs to.
    #[error("{section}: {found} numbers, expected {expected}")]
    Count { section: &'static str, found: usize, expected: usize },
    /// A number that means nothing there.
    #[error("{section}: {found}, expected less than {limit}")]
    Number { section: &'static str, found: u32, limit: u32 },
    /// A number that is no character.
    #[error("{found:#x} is no character")]
    Character { found: u32 },
    /// The characters lack one that stands for the end, for a digit or for a stranger.
    #[error("of {count} characters none is the end, or a digit, or the escape")]
    Unmarked { count: usize },
    /// A word that is empty, too long, or shares more letters than the one before has.
    #[error("word {word} shares {shared} letters and has {own} of its own")]
    Word { word: usize, shared: u32, own: u32 },
    /// Bytes that belong to nothing.
    #[error("{len} bytes follow the last section")]
    Rest { len: usize },
}

/// A section of a file: the numbers as [`Sections::next`] takes them.
#[cfg(any(test, feature = "training"))]
pub fn section(numbers: &[u32]) -> Vec<u8> {
    let width = numbers.iter().max().map_or(1, |max| (u32::BITS - max.leading_zeros()).max(1));
    let mut bytes = u32::try_from(numbers.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    bytes.extend(u8::try_from(width));
    let (mut held, mut bits) = (0_u64, 0);
    for number in numbers {
        held |= u64::from(*number) << bits;
        bits += width;
        while bits >= 8 {
            bytes.extend(held.to_le_bytes().first());
            (held, bits) = (held >> 8, bits - 8);
        }
    }
    if bits > 0 {
        bytes.extend(held.to_le_bytes().first());
    }
    bytes
}

/// Numbers of a width of 1 to 32 bits.
fn unpack(bytes: &[u8], width: u32) -> impl Iterator<Item = u32> {
    let mut bytes = bytes.iter();
    let (mut held, mut bits) = (0_u64, 0);
    std::iter::from_fn(move || {
        while bits < width {
            held |= u64::from(*bytes.next()?) << bits;
            bits += 8;
        }
        let number = held & ((1 << width) - 1);
        (held, bits) = (held >> width, bits - width);
        u32::try_from(number).ok()
    })
}

/// Takes sections off the front of a file.
struct Sections<'a>(&'a [u8]);

impl<'a> Sections<'a> {
    fn take(&mut self, section: &'static str, needed: u64) -> Result<&'a [u8], ModelError> {
        let left = self.0.len();
        let split = usize::try_from(needed).ok().and_then(|needed| self.0.split_at_checked(needed));
        let (taken, rest) = split.ok_or(ModelError::Short { section, needed, left })?;
        self.0 = rest;
        Ok(taken)
    }

    /// The numbers of a section, all of them less than `limit`.
    fn next(&mut self, section: &'static str, limit: u32) -> Result<Vec<u32>, ModelError> {
        let head = self.take(section, 5)?;
        let Some(([a, b, c, d, width], _)) = head.split_first_chunk() else {
            return Err(ModelError::Short { section, needed: 5, left: head.len() });
        };
        let count = u32::from_le_bytes([*a, *b, *c, *d]);
        if count > NUMBERS_MAX {
            return Err(ModelError::Many { section, found: count, max: NUMBERS_MAX });
        }
        if !(1..=32).contains(width) {
            return Err(ModelError::Width { section, found: *width });
        }
        let packed = self.take(section, (u64::from(count) * u64::from(*width)).div_ceil(8))?;
        // The fill of the last byte may be as long as a narrow number.
        let numbers: Vec<u32> = unpack(packed, u32::from(*width)).take(count as usize).collect();
        let wrong = numbers.iter().find(|number| **number >= limit);
        wrong.map_or(Ok(()), |found| Err(ModelError::Number { section, found: *found, limit }))?;
        Ok(numbers)
    }

    /// As [`Sections::next`], where it is known how many there must be.
    fn exactly(&mut self, section: &'static str, limit: u32, expected: usize) -> Result<Vec<u32>, ModelError> {
        let numbers = self.next(section, limit)?;
        let found = numbers.len();
        if found == expected { Ok(numbers) } else { Err(ModelError::Count { section, found, expected }) }
    }

    fn alphabet(&mut self) -> Result<Alphabet, ModelError> {
        let points = self.next("characters", 1 << 21)?;
        let count = points.len();
        let found = u32::try_from(count).unwrap_or(u32::MAX);
        if found > KINDS_MAX {
            return Err(ModelError::Many { section: "characters", found, max: KINDS_MAX });
        }
        let character = |found: u32| char::from_u32(found).ok_or(ModelError::Character { found });
        let characters = points.into_iter().map(character).collect::<Result<Vec<char>, ModelError>>()?;
        let parts = self.exactly("tree", found, count.saturating_sub(1))?;
        Alphabet::new(characters, halves(parts)).ok_or(ModelError::Unmarked { count })
    }

    /// Words as they are told apart: letters shared with the word before, then letters of their own.
    fn lexicon(&mut self, letters: u32) -> Result<Lexicon, ModelError> {
        let longest = u32::try_from(WORD_MAX).unwrap_or(u32::MAX).saturating_add(1);
        let shared = self.next("shared letters", longest)?;
        let own = self.exactly("own letters", longest, shared.len())?;
        let expected = own.iter().map(|own| *own as usize).sum();
        let letters = halves(self.exactly("letters", letters, expected)?);
        let weights = self.exactly("word weights", 256, shared.len())?;
        let mut rest = letters.as_slice();
        let mut lexicon = Lexicon::default();
        for (word, ((shared, own), weight)) in shared.iter().zip(&own).zip(&weights).enumerate() {
            let (letters, after) = rest.split_at_checked(*own as usize).unwrap_or_default();
            let weight = u8::try_from(*weight).unwrap_or(u8::MAX);
            if !lexicon.add(*shared as usize, letters, weight) {
                return Err(ModelError::Word { word, shared: *shared, own: *own });
            }
            rest = after;
        }
        Ok(lexicon)
    }

    /// The symbols of the corpus: the decisions of each, one after the other, lowest bit of a byte first.
    fn corpus(&mut self, alphabet: &Alphabet) -> Result<Vec<u16>, ModelError> {
        let counts = self.exactly("corpus symbols", NUMBERS_MAX, 1)?;
        let count = counts.first().map_or(0, |count| *count as usize);
        let bytes = self.next("corpus", 256)?;
        let needed = u64::try_from(count.div_ceil(8)).unwrap_or(u64::MAX);
        if bytes.len() < count.div_ceil(8) {
            // A symbol takes a decision at least.
            return Err(ModelError::Short { section: "corpus", needed, left: bytes.len() });
        }
        let mut bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
        let mut symbols = Vec::with_capacity(count);
        for _ in 0..count {
            let mut choice = alphabet.root();
            while let Some(part) = alphabet.part(choice) {
                let left = bytes.len();
                let bit = bits.next().ok_or(ModelError::Short { section: "corpus", needed, left })?;
                choice = alphabet.half(choice, part, bit);
            }
            symbols.push(choice.low);
        }
        Ok(symbols)
    }

    /// Rows from 1 for those of `count` things that have one, and 0 for the others; and how many rows there are.
    fn rows(&mut self, section: &'static str, count: usize) -> Result<(Vec<u16>, usize), ModelError> {
        let mut last = 0_u16;
        let row = |has: u32| {
            last += u16::from(has == 1);
            if has == 1 { last } else { 0 }
        };
        let rows = self.exactly(section, 2, count)?.into_iter().map(row).collect();
        Ok((rows, usize::from(last)))
    }

    /// Weights of the net, all of them within ±`max`.
    fn weights(&mut self, section: &'static str, max: i16, expected: usize) -> Result<Vec<i16>, ModelError> {
        let limit = stored(i32::from(max)) + 1;
        let numbers = self.exactly(section, limit, expected)?;
        Ok(numbers.into_iter().map(|number| i16::try_from(signed(number)).unwrap_or(0)).collect())
    }

    fn net(&mut self, count: usize) -> Result<Net, ModelError> {
        let (kinds, characters) = self.rows("net symbols", count)?;
        let (nodes, decisions) = self.rows("net decisions", count.saturating_sub(1))?;
        Ok(Net {
            characters: self.weights("net characters", CHARACTER_MAX, (characters + 1) * OUTER)?,
            of_character: self.weights("gates of the character", GATE_MAX, GATES * OUTER)?,
            of_state: self.weights("gates of the state", GATE_MAX, GATES * INNER)?,
            bias: self.weights("gate biases", CHARACTER_MAX, GATES)?,
            state_bias: self.weights("state biases", CHARACTER_MAX, INNER)?,
            decisions: self.weights("decision weights", DECISION_MAX, decisions * INNER)?,
            decision_bias: self.weights("decision biases", CHARACTER_MAX, decisions)?,
            kinds,
            nodes,
        })
    }

    fn tallies(&mut self) -> Result<Tallies, ModelError> {
        let (section, limit) = ("digit contexts", 1 << CONTEXT_BITS);
        let steps = self.next(section, limit)?;
        let counts = self.exactly("digit tallies", 16, steps.len() * 10)?;
        let mut key = 0_u32;
        let mut entries = Vec::with_capacity(steps.len());
        for (step, counts) in steps.into_iter().zip(counts.as_chunks::<10>().0) {
            key = key.saturating_add(step);
            if key >= limit {
                return Err(ModelError::Number { section, found: key, limit });
            }
            entries.push((key, counts.map(|count| u8::try_from(count).unwrap_or(0))));
        }
        Ok(Tallies { entries })
    }

    fn blend(&mut self, shape: Shape, [worth, weights]: [&'static str; 2]) -> Result<Blend, ModelError> {
        let worth = self.exactly(worth, STRETCHED, shape.cells())?;
        let weights = self.exactly(weights, WEIGHED, shape.weights())?;
        Ok(Blend::read(shape, &worth, &weights))
    }
}

/// Numbers that were found to be less than 2^16.
fn halves(numbers: Vec<u32>) -> Vec<u16> {
    numbers.into_iter().map(|number| u16::try_from(number).unwrap_or(u16::MAX)).collect()
}

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    /// [`ModelError`]: the file is no model of this version, was cut, or says what cannot be.
    pub fn read(file: &[u8]) -> Result<Self, ModelError> {
        let mut sections = Sections(file.strip_prefix(MAGIC).ok_or(ModelError::Magic)?);
        let alphabet = sections.alphabet()?;
        let kinds = u32::from(alphabet.count());
        let corpus = sections.corpus(&alphabet)?;
        let lexicon = sections.lexicon(kinds)?;
        let tallies = sections.tallies()?;
        let text = sections.blend(predict::shape(), ["text worth", "text weights"])?;
        let digits = sections.blend(digits::shape(), ["digit worth", "digit weights"])?;
        let net = sections.net(usize::from(alphabet.count()))?;
        let join = sections.exactly("join weights", WEIGHED, join::weights(predict::ORDERS.len() + 1))?;
        let text = text.beside(Join::read(&join));
        if !sections.0.is_empty() {
            return Err(ModelError::Rest { len: sections.0.len() });
        }
        let index = Index::build(corpus);
        let messages = Messages::new(&index, alphabet.end);
        Ok(Self { messages, alphabet, index, lexicon, tallies, net, text, digits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: &[u8] = include_bytes!("models/8.model");

    proptest! {
        #[test]
        fn packed_numbers_of_every_width_come_back(width in 1_u32..=32, seeds in proptest::collection::vec(any::<u32>(), 0..40)) {
            let widest = u32::MAX >> (32 - width);
            let numbers: Vec<u32> = std::iter::once(widest).chain(seeds.iter().map(|seed| seed & widest)).collect();
            let packed = section(&numbers);
            prop_assert_eq!(packed.len(), 5 + (numbers.len() * width as usize).div_ceil(8));
            let read: Vec<u32> = unpack(&packed[5..], u32::from(packed[4])).take(numbers.len()).collect();
            prop_assert_eq!(&read, &numbers);
            if let Some(limit) = widest.checked_add(1) {
                prop_assert_eq!(Sections(&packed).next("n", limit), Ok(numbers));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn an_altered_file_is_a_model_or_an_error(place in 4..FILE.len(), byte in any::<u8>(), near in any::<bool>()) {
            let mut file = FILE.to_vec();
            // Where one section ends and the next begins, an altered byte does most harm.
            let place = if near { starts()[place % starts().len()] + place % 5 } else { place };
            file[place] = byte;
            if let Ok(model) = Model::read(&file) {
                let _ = model.read_text(&model.write("水位1.2米"));
            }
        }
    }

    /// Where each section of the file begins, and the end.
    fn starts() -> Vec<usize> {
        let mut at = MAGIC.len();
        let mut starts = Vec::new();
        while at < FILE.len() {
            starts.push(at);
            let count = u32::from_le_bytes(FILE[at..at + 4].try_into().unwrap());
            at += 5 + (u64::from(count) * u64::from(FILE[at + 4])).div_ceil(8) as usize;
        }
        starts
    }

    #[test]
    fn a_cut_file_is_refused_wherever_it_was_cut() {
        let cuts = starts().into_iter().flat_map(|start| [start, start + 3, start + 5, start + 6]);
        for len in cuts.chain([FILE.len() - 1]) {
            assert!(matches!(Model::read(&FILE[..len]).unwrap_err(), ModelError::Short { .. }), "{len}");
        }
        assert_eq!(Model::read(b"YZT").unwrap_err(), ModelError::Magic);
        let longer = [FILE, &[0, 0]].concat();
        assert_eq!(Model::read(&longer).unwrap_err(), ModelError::Rest { len: 2 });
    }

    #[test]
    fn a_section_that_cannot_be_is_refused_with_its_numbers() {
        let wide = Sections(&[1, 0, 0, 0, 33, 0, 0, 0, 0, 0]).next("n", 9);
        assert_eq!(wide, Err(ModelError::Width { section: "n", found: 33 }));
        let many = Sections(&[1, 0, 64, 0, 1, 0]).next("n", 9);
        assert_eq!(many, Err(ModelError::Many { section: "n", found: NUMBERS_MAX + 1, max: NUMBERS_MAX }));
        let great = Sections(&section(&[8, 9])).next("n", 9);
        assert_eq!(great, Err(ModelError::Number { section: "n", found: 9, limit: 9 }));
        let few = Sections(&section(&[8, 7])).exactly("n", 9, 3);
        assert_eq!(few, Err(ModelError::Count { section: "n", found: 2, expected: 3 }));
    }

    #[test]
    fn a_word_that_shares_more_than_there_was_or_is_too_long_is_refused() {
        let file = |shared: &[u32], own: &[u32]| {
            let letters: Vec<u32> = vec![1; own.iter().sum::<u32>() as usize];
            [section(shared), section(own), section(&letters), section(&vec![0; own.len()])].concat()
        };
        let read = |shared: &[u32], own: &[u32]| Sections(&file(shared, own)).lexicon(2).map(|words| words.all().high);
        assert_eq!(read(&[0, 2], &[2, 1]), Ok(2));
        assert_eq!(read(&[0, 3], &[2, 1]), Err(ModelError::Word { word: 1, shared: 3, own: 1 }));
        assert_eq!(read(&[0, 5], &[5, 4]), Err(ModelError::Word { word: 1, shared: 5, own: 4 }));
    }
}
