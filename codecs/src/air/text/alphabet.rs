//! The characters that a model knows, as numbers, and the tree of decisions that leads to each.
//!
//! Numbers go by use: characters that stand beside the same neighbours have numbers near each other. A decision parts a run
//! of numbers in two, so what was seen of one character says something of those like it.

/// The characters of a model. Three numbers stand for no character.
#[derive(Clone, Debug)]
pub struct Alphabet {
    /// The character of each number; `None` for the three.
    characters: Vec<Option<char>>,
    /// Characters and their numbers, sorted by character.
    numbers: Vec<(char, u16)>,
    /// Where runs of numbers are parted: the tree, root first.
    parts: Vec<u16>,
    pub end: u16,
    /// The number of any ASCII digit; which one it is, is written after the text.
    pub digit: u16,
    /// The number that announces a character that the model does not know.
    pub escape: u16,
}

/// How the three stand in a list of characters: no text has these code points.
pub const END: char = '\u{10FFFD}';
pub const DIGIT: char = '\u{10FFFE}';
pub const ESCAPE: char = '\u{10FFFF}';

/// A run of numbers that are still possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub low: u16,
    pub high: u16,
    at: usize,
}

impl Choice {
    /// The number of the decision that parts it, in the order of the parts.
    pub const fn decision(self) -> usize {
        self.at
    }
}

impl Alphabet {
    /// Takes characters in the order of their numbers and the parts of their tree; `None` where the three are missing.
    pub fn new(list: Vec<char>, parts: Vec<u16>) -> Option<Self> {
        let place = |wanted: char| list.iter().position(|c| *c == wanted).and_then(|at| u16::try_from(at).ok());
        let (end, digit, escape) = (place(END)?, place(DIGIT)?, place(ESCAPE)?);
        let characters: Vec<Option<char>> =
            list.into_iter().map(|c| Some(c).filter(|c| !matches!(*c, END | DIGIT | ESCAPE))).collect();
        let mut numbers: Vec<(char, u16)> = characters.iter().zip(0..).filter_map(|(c, n)| Some(((*c)?, n))).collect();
        numbers.sort_unstable();
        Some(Self { characters, numbers, parts, end, digit, escape })
    }

    /// The characters in the order of their numbers, as [`Alphabet::new`] takes them.
    #[cfg(feature = "training")]
    pub fn list(&self) -> impl Iterator<Item = char> {
        let special = |number: u16| {
            if number == self.end {
                END
            } else if number == self.digit {
                DIGIT
            } else {
                ESCAPE
            }
        };
        self.characters.iter().zip(0..).map(move |(c, number)| c.unwrap_or_else(|| special(number)))
    }

    /// The parts of the tree, as [`Alphabet::new`] takes them.
    #[cfg(feature = "training")]
    pub fn parts(&self) -> &[u16] {
        &self.parts
    }

    /// How many numbers there are.
    pub fn count(&self) -> u16 {
        u16::try_from(self.characters.len()).unwrap_or(u16::MAX)
    }

    pub fn number(&self, character: char) -> u16 {
        if character.is_ascii_digit() {
            return self.digit;
        }
        let found = self.numbers.binary_search_by_key(&character, |(c, _)| *c);
        found.ok().and_then(|at| self.numbers.get(at)).map_or(self.escape, |(_, number)| *number)
    }

    pub fn character(&self, number: u16) -> Option<char> {
        self.characters.get(usize::from(number)).copied().flatten()
    }

    pub fn root(&self) -> Choice {
        Choice { low: 0, high: self.count(), at: 0 }
    }

    /// The first number of the second half of a run; `None`: only one number is left.
    pub fn part(&self, choice: Choice) -> Option<u16> {
        if choice.high - choice.low < 2 {
            return None;
        }
        // A file that was not made by training may say anything; both halves must hold something.
        let part = self.parts.get(choice.at).copied().unwrap_or(choice.low);
        Some(part.clamp(choice.low + 1, choice.high - 1))
    }

    /// The decisions that lead to a symbol: which one of the tree, and to which side.
    #[cfg(any(test, feature = "training"))]
    pub fn way(&self, symbol: u16) -> impl Iterator<Item = (usize, bool)> {
        let mut choice = self.root();
        std::iter::from_fn(move || {
            let part = self.part(choice)?;
            let turn = (choice.decision(), symbol >= part);
            choice = self.half(choice, part, turn.1);
            Some(turn)
        })
    }

    /// The half that was decided for.
    pub fn half(&self, choice: Choice, part: u16, second: bool) -> Choice {
        if second {
            Choice { low: part, high: choice.high, at: choice.at + usize::from(part - choice.low) }
        } else {
            Choice { low: choice.low, high: part, at: choice.at + 1 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree over `0..count` that parts every run in the middle.
    fn middle(low: u16, high: u16, parts: &mut Vec<u16>) {
        if high - low > 1 {
            let part = low.midpoint(high);
            parts.push(part);
            middle(low, part, parts);
            middle(part, high, parts);
        }
    }

    fn alphabet(text: &str) -> Alphabet {
        let list: Vec<char> = [END, DIGIT, ESCAPE].into_iter().chain(text.chars()).collect();
        let mut parts = Vec::new();
        middle(0, u16::try_from(list.len()).unwrap(), &mut parts);
        Alphabet::new(list, parts).unwrap()
    }

    #[test]
    fn every_number_is_reached_by_decisions() {
        let alphabet = alphabet("的一是在人有我");
        for wanted in 0..alphabet.count() {
            let mut choice = alphabet.root();
            let mut decisions = 0;
            while let Some(part) = alphabet.part(choice) {
                choice = alphabet.half(choice, part, wanted >= part);
                decisions += 1;
            }
            assert_eq!(choice.low, wanted);
            assert!(decisions <= 4);
        }
    }

    #[test]
    fn digits_share_one_number_and_strangers_another() {
        let alphabet = alphabet("水位");
        assert_eq!((alphabet.number('7'), alphabet.number('0')), (alphabet.digit, alphabet.digit));
        assert_eq!(alphabet.number('龘'), alphabet.escape);
        assert_eq!(alphabet.character(alphabet.number('位')), Some('位'));
        assert_eq!(alphabet.character(alphabet.escape), None);
    }
}
