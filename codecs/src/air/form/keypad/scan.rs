//! A typed line, character by character, in any width.

use super::numeral;
use crate::message::half_width;

/// A number as it was typed: `mantissa / 10^decimals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub mantissa: i64,
    pub decimals: u8,
}

impl Number {
    /// In units of `10^-decimals`, where nothing is lost by that.
    pub(super) fn scaled(self, decimals: u8) -> Option<i64> {
        if self.decimals <= decimals {
            return self.mantissa.checked_mul(10_i64.checked_pow((decimals - self.decimals).into())?);
        }
        let by = 10_i64.checked_pow((self.decimals - decimals).into())?;
        (self.mantissa % by == 0).then_some(self.mantissa / by)
    }

    /// In units of `10^-decimals`, the rest cut off.
    pub(super) fn rounded(self, decimals: u8) -> Option<i64> {
        let by = 10_i64.checked_pow(self.decimals.checked_sub(decimals)?.into())?;
        self.mantissa.checked_div(by)
    }
}

/// The line, what was typed and what it means in capitals and half width, character for character.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    typed: Vec<char>,
    plain: Vec<char>,
    at: usize,
}

impl Scan {
    pub(super) fn new(text: &str) -> Self {
        let typed: Vec<char> = text.chars().collect();
        let plain = typed.iter().map(|c| plain(*c)).collect();
        Self { typed, plain, at: 0 }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn back_to(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.plain.get(self.at).copied()
    }

    fn ahead(&self, by: usize) -> Option<char> {
        self.plain.get(self.at.saturating_add(by)).copied()
    }

    pub(super) fn ended(&self) -> bool {
        self.peek().is_none()
    }

    /// Steps over separators; whether there was one, and whether one that parts rows.
    pub(super) fn skip(&mut self) -> (bool, bool) {
        let (from, mut row) = (self.at, false);
        while let Some(c) = self.peek().filter(|c| is_separator(*c)) {
            row |= matches!(c, '/' | ';' | '\n');
            self.at += 1;
        }
        (self.at > from, row)
    }

    /// How many characters a word has that stands here; a word of letters must not go on in letters.
    pub(super) fn word_len(&self, word: &[char]) -> Option<usize> {
        let there = self.plain.get(self.at..self.at.checked_add(word.len())?)? == word;
        let letters = word.last().is_some_and(char::is_ascii_alphabetic);
        let goes_on = letters && self.ahead(word.len()).is_some_and(|c| c.is_ascii_alphabetic());
        (there && !goes_on && !word.is_empty()).then_some(word.len())
    }

    pub(super) const fn step(&mut self, by: usize) {
        self.at = self.at.saturating_add(by);
    }

    /// Takes the longest of these words that stands here.
    pub(super) fn eat<'w>(&mut self, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
        let here = words.into_iter().filter_map(|word| {
            let chars: Vec<char> = word.chars().collect();
            Some((self.word_len(&chars)?, word))
        });
        let (len, word) = here.max_by_key(|(len, _)| *len)?;
        self.at += len;
        Some(word)
    }

    pub(super) fn eat_char(&mut self, c: char) -> bool {
        let there = self.peek() == Some(c);
        self.at += usize::from(there);
        there
    }

    /// Whether a separator or the end stands here.
    pub(super) fn at_separator(&self) -> bool {
        self.peek().is_none_or(is_separator)
    }

    /// Whether this one separator stands here, with a digit right before it and right after.
    pub(super) fn is_between_digits(&self, c: char) -> bool {
        let digit = |at: Option<usize>| at.and_then(|at| self.plain.get(at)).is_some_and(char::is_ascii_digit);
        self.peek() == Some(c) && digit(self.at.checked_sub(1)) && digit(self.at.checked_add(1))
    }

    /// Whether a narrow comma stands here that may part thousands as well as values: `1,437`.
    pub(super) fn is_thousands(&self) -> bool {
        let digits = |chars: &mut dyn Iterator<Item = &char>| chars.take_while(|c| c.is_ascii_digit()).count();
        let before = digits(&mut self.plain.iter().take(self.at).rev());
        let after = digits(&mut self.plain.iter().skip(self.at.saturating_add(1)));
        let point = |at: Option<usize>| at.and_then(|at| self.plain.get(at)) == Some(&'.');
        let decimal = point(self.at.checked_sub(before + 1)) || point(self.at.checked_add(after + 1));
        self.typed.get(self.at) == Some(&',') && (1..=3).contains(&before) && after == 3 && !decimal
    }

    /// The word that was typed around a place.
    pub(super) fn typed_around(&self, at: usize) -> String {
        let word = |c: &&char| !is_separator(**c) || matches!(**c, '/' | ',');
        let before: Vec<char> = self.plain.iter().take(at).rev().take_while(word).copied().collect();
        let after = self.plain.iter().skip(at).take_while(word);
        before.iter().rev().chain(after).take(12).collect()
    }

    /// Whether this was passed since a place.
    pub(super) fn passed(&self, from: usize, c: char) -> bool {
        self.plain.iter().take(self.at).skip(from).any(|passed| *passed == c)
    }

    /// Whether a number begins here.
    pub(super) fn at_number(&self) -> bool {
        self.peek().is_some_and(|c| c.is_ascii_digit() || numeral::is_numeral(c))
    }

    /// Takes an unsigned number: digits with at most one point, digits and 十 百 千 万, or a Chinese number.
    pub(super) fn number(&mut self) -> Option<Number> {
        let from = self.at;
        let number = self.digits().or_else(|| self.chinese());
        if number.is_none() {
            self.at = from;
        }
        number
    }

    fn digits(&mut self) -> Option<Number> {
        let whole = self.run(|c| c.is_ascii_digit())?;
        if whole.len() > 1 && whole.starts_with('0') {
            // 026 may be 0 and 26.
            return None;
        }
        let mut text = whole;
        let mut decimals = 0;
        if self.peek() == Some('.') && self.ahead(1).is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
            let part = self.run(|c| c.is_ascii_digit())?;
            decimals = u8::try_from(part.len()).ok()?;
            text.push_str(&part);
        }
        let mantissa: i64 = text.parse().ok()?;
        let times = match self.peek() {
            Some('十') => 10,
            Some('百') => 100,
            Some('千') => 1_000,
            Some('万') => 10_000,
            _ => return Some(Number { mantissa, decimals }),
        };
        self.at += 1;
        // 3万5 is not clear.
        if self.at_number() {
            return None;
        }
        Some(Number { mantissa: mantissa.checked_mul(times)?, decimals })
    }

    fn chinese(&mut self) -> Option<Number> {
        let run: Vec<char> = self.run(numeral::is_numeral)?.chars().collect();
        Some(Number { mantissa: numeral::value(&run)?.into(), decimals: 0 })
    }

    /// Takes digits only.
    pub(super) fn integer(&mut self) -> Option<(u32, usize)> {
        let from = self.at;
        let digits = self.run(|c| c.is_ascii_digit())?;
        let value = digits.parse().ok().map(|value| (value, digits.len()));
        if value.is_none() {
            self.at = from;
        }
        value
    }

    /// Takes letters and digits.
    pub(super) fn letters_and_digits(&mut self) -> Option<String> {
        self.run(|c| c.is_ascii_alphanumeric())
    }

    fn run(&mut self, of: impl Fn(char) -> bool) -> Option<String> {
        let run: String = self.plain.iter().skip(self.at).take_while(|c| of(**c)).collect();
        self.at += run.chars().count();
        (!run.is_empty()).then_some(run)
    }

    /// What was typed from a place up to here.
    pub(super) fn typed_from(&self, from: usize) -> String {
        self.typed.iter().take(self.at).skip(from).collect()
    }

    /// What was typed from here to the next separator.
    pub(super) fn typed_word(&self) -> String {
        let rest = self.typed.iter().zip(&self.plain).skip(self.at);
        rest.take_while(|(_, plain)| !is_separator(**plain)).map(|(typed, _)| *typed).collect()
    }

    /// Everything that was typed from here on.
    pub(super) fn typed_rest(&self) -> String {
        self.typed.iter().skip(self.at).collect()
    }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || ",;:*_|/()\"'!=~.、。·“”‘’【】[]「」…".contains(c)
}

/// Half width, in capitals.
fn plain(c: char) -> char {
    match half_width(c) {
        '\u{3000}' | '\u{00A0}' => ' ',
        '—' | '–' | '−' => '-',
        '〇' => '零',
        half => half.to_ascii_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_of_digit_letter_and_mark_is_the_same() {
        let mut scan = Scan::new("ＳＷ１２，3.50；sw");
        assert_eq!(scan.eat(["SW", "S"]), Some("SW"));
        assert_eq!(scan.number(), Some(Number { mantissa: 12, decimals: 0 }));
        assert_eq!(scan.skip(), (true, false));
        let number = scan.number().unwrap();
        assert_eq!(
            (number, number.scaled(1), number.scaled(0)),
            (Number { mantissa: 350, decimals: 2 }, Some(35), None)
        );
        assert_eq!(scan.skip(), (true, true));
        assert_eq!(scan.typed_rest(), "sw");
        assert_eq!(scan.eat(["S"]), None);
    }

    #[test]
    fn digits_with_a_unit_of_ten_are_a_number_and_two_numbers_are_not() {
        let read = |text: &str| Scan::new(text).number().and_then(|number| number.scaled(0));
        assert_eq!(read("1.5万"), Some(15_000));
        assert_eq!(read("3千"), Some(3_000));
        assert_eq!(read("二十三"), Some(23));
        assert_eq!(read("3万5"), None);
        assert_eq!((read("026"), read("0"), read("0.5")), (None, Some(0), None));
        assert_eq!(read("一百二"), None);
        assert_eq!(read("99999999999999999999"), None);
    }
}
