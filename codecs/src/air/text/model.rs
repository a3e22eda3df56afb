//! A model: one file of numbers ([`super::file`]) that both ends hold.

use super::alphabet::Alphabet;
use super::blend::Blend;
use super::coder::{Decoder, Encoder};
use super::digits::{self, CONTEXTS, Run, Tallies, Tally};
use super::fixed::ONE;
use super::index::Index;
use super::lexicon::Lexicon;
use super::net::Net;
use super::predict::{Known, Predictor};
use super::topic::Messages;

/// How fast weights follow the message at hand, in 65,536ths.
pub const RATE: i32 = 60;

/// The longest text that is written or read, in characters (facts: 2,048).
pub const CHARACTERS_MAX: usize = 2_048;

/// Why bytes are not a text of this model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// More characters than a text may have.
    #[error("the text does not end within {CHARACTERS_MAX} characters")]
    Long,
    /// A number that is no character.
    #[error("{found:#x} is no character")]
    Character { found: u32 },
    /// The text has one way to be written, and this is another.
    #[error("the {len} bytes are not the way in which this text is written: altered on the way")]
    Other { len: usize },
    /// The check of the text is another.
    #[error("the check of the text is {found:#04x}, expected {expected:#04x}: written with another model, or altered")]
    Check { found: u8, expected: u8 },
}

/// What both ends know.
#[derive(Clone, Debug)]
pub struct Model {
    pub(super) alphabet: Alphabet,
    pub(super) index: Index,
    pub(super) lexicon: Lexicon,
    pub(super) tallies: Tallies,
    pub(super) messages: Messages,
    pub(super) net: Net,
    pub(super) text: Blend,
    pub(super) digits: Blend,
}

impl Model {
    /// Writes a text. The check of 8 bits is part of it.
    #[must_use]
    pub fn write(&self, text: &str) -> Vec<u8> {
        let mut encoder = Encoder::default();
        let put_bits = |encoder: &mut Encoder, value: u32, bits: u32| {
            (0..bits).rev().for_each(|bit| encoder.write(value >> bit & 1 == 1, ONE / 2));
        };
        let symbols: Vec<u16> = text.chars().map(|c| self.alphabet.number(c)).chain([self.alphabet.end]).collect();
        let mut blend = self.text.clone();
        let mut predictor = Predictor::new(self.known());
        for (symbol, character) in symbols.iter().zip(text.chars().map(Some).chain([None])) {
            predictor.symbol(&mut blend, |blend, p, part| {
                let bit = *symbol >= part;
                encoder.write(bit, p);
                blend.learn(bit, RATE);
                bit
            });
            if let Some(character) = character.filter(|_| *symbol == self.alphabet.escape) {
                let (class, value, bits) = escape(character);
                put_bits(&mut encoder, class, 2);
                put_bits(&mut encoder, value, bits);
            }
        }
        let values: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect();
        let mut values = values.into_iter();
        self.write_digits(&symbols, |blend, tallies, place| {
            let wanted = values.next().unwrap_or(0);
            decide(blend, tallies, place, Some(wanted), |bit, p| {
                encoder.write(bit.unwrap_or(false), p);
                bit.unwrap_or(false)
            })
        });
        put_bits(&mut encoder, u32::from(check(text)), 8);
        encoder.finish()
    }

    /// Goes over every digit of a text in order, with what was said of its like in the corpus.
    fn write_digits(
        &self,
        symbols: &[u16],
        mut each: impl FnMut(&mut Blend, &[Tally; CONTEXTS], (usize, usize)) -> u8,
    ) -> Vec<u8> {
        let mut blend = self.digits.clone();
        over_digits(symbols, self.alphabet.digit, |keys, place| {
            each(&mut blend, &keys.map(|key| self.tallies.get(key)), place)
        })
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`Unreadable`]: never a part of a text as if it were whole.
    pub fn read_text(&self, bytes: &[u8]) -> Result<String, Unreadable> {
        let mut decoder = Decoder::new(bytes);
        let get_bits =
            |decoder: &mut Decoder<'_>, bits: u32| (0..bits).fold(0, |v, _| v << 1 | u32::from(decoder.read(ONE / 2)));
        let mut blend = self.text.clone();
        let mut predictor = Predictor::new(self.known());
        let mut strangers = std::collections::VecDeque::new();
        loop {
            let symbol = predictor.symbol(&mut blend, |blend, p, _| {
                let bit = decoder.read(p);
                blend.learn(bit, RATE);
                bit
            });
            if symbol == self.alphabet.end {
                break;
            }
            if symbol == self.alphabet.escape {
                let (base, bits) = escape_class(get_bits(&mut decoder, 2));
                let found = base + get_bits(&mut decoder, bits);
                strangers.push_back(char::from_u32(found).ok_or(Unreadable::Character { found })?);
            }
            if predictor.history().len() > CHARACTERS_MAX + 1 {
                return Err(Unreadable::Long);
            }
        }
        let symbols = predictor.history().get(1..).unwrap_or_default().to_vec();
        let values = self.write_digits(&symbols, |blend, tallies, place| {
            decide(blend, tallies, place, None, |_, p| decoder.read(p))
        });
        let mut values = values.into_iter();
        let mut text = String::new();
        for symbol in symbols {
            match self.alphabet.character(symbol) {
                Some(character) => text.push(character),
                None if symbol == self.alphabet.digit => text.push(char::from(b'0' + values.next().unwrap_or(0))),
                None if symbol == self.alphabet.escape => text.extend(strangers.pop_front()),
                None => {}
            }
        }
        let found = u8::try_from(get_bits(&mut decoder, 8)).unwrap_or(0);
        let expected = check(&text);
        if found != expected {
            return Err(Unreadable::Check { found, expected });
        }
        if decoder.came_whole() { Ok(text) } else { Err(Unreadable::Other { len: bytes.len() }) }
    }

    pub(super) fn known(&self) -> Known<'_> {
        Known {
            alphabet: &self.alphabet,
            index: &self.index,
            lexicon: &self.lexicon,
            without: None,
            messages: &self.messages,
            without_messages: (0, 0),
            net: Some(&self.net),
        }
    }
}

/// Goes over the digits of a text; `each` is given the contexts, the length of the number and the place in it.
pub fn over_digits(
    symbols: &[u16],
    digit: u16,
    mut each: impl FnMut([u32; CONTEXTS], (usize, usize)) -> u8,
) -> Vec<u8> {
    let mut values = Vec::new();
    let mut earlier: Option<(Run, u32)> = None;
    for run in digits::runs(symbols, digit) {
        let mut value = 0_u32;
        for place in 0..run.len {
            let keys = digits::contexts(symbols, run, place, &values, earlier);
            let digit = each(keys, (run.len, place));
            value = value.saturating_mul(10).saturating_add(u32::from(digit));
            values.push(digit);
        }
        earlier = Some((run, value));
    }
    values
}

/// Decides a digit and lets the blend learn it. `decide` is given the side of the wanted digit, where one is wanted.
pub fn decide(
    blend: &mut Blend,
    tallies: &[Tally; CONTEXTS],
    place: (usize, usize),
    wanted: Option<u8>,
    mut decide: impl FnMut(Option<bool>, i32) -> bool,
) -> u8 {
    digits::digit(blend, tallies, place, wanted, |blend, bit, p| {
        let bit = decide(bit, p);
        blend.learn(bit, RATE);
        bit
    })
}

/// How a character that the alphabet lacks is written: class, value, bits.
fn escape(character: char) -> (u32, u32, u32) {
    let point = u32::from(character);
    (0..3)
        .map(|class| (class, escape_class(class)))
        .find_map(|(class, (base, bits))| {
            let value = point.checked_sub(base)?;
            (value >> bits == 0).then_some((class, value, bits))
        })
        .unwrap_or((2, point, 21))
}

/// Where a class of characters begins, and how many bits tell its members apart.
const fn escape_class(class: u32) -> (u32, u32) {
    match class {
        0 => (0x4E00, 15),
        1 => (0, 14),
        _ => (0, 21),
    }
}

/// The 8-bit check: CRC-8 (polynomial 0x07) of the UTF-8 bytes, starting from 0xFF.
pub fn check(text: &str) -> u8 {
    text.bytes().fold(0xFF, |sum, byte| {
        (0..8).fold(sum ^ byte, |sum: u8, _| if sum & 0x80 == 0 { sum << 1 } else { sum << 1 ^ 0x07 })
    })
}
