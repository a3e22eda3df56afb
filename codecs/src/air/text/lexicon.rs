//! The words of the language, so that a word that no message ever used is still no surprise.

use super::blend::Counts;
use super::index::Ranks;

/// Letters of the longest word that is kept.
pub const WORD_MAX: usize = 8;

/// Words in the order of their letters, each with a weight.
#[derive(Clone, Debug)]
pub struct Lexicon {
    letters: Vec<u16>,
    /// Where each word begins in `letters`; one more for the end.
    starts: Vec<u32>,
    /// The weight of all words before this one.
    sums: Vec<u32>,
}

/// The weight that a stored byte stands for: eighths of an octave.
fn weight(stored: u8) -> u32 {
    const EIGHTHS: [u32; 8] = [256, 279, 304, 332, 362, 395, 431, 470];
    let fraction = EIGHTHS.get(usize::from(stored % 8)).copied().unwrap_or(256);
    (fraction << (u32::from(stored / 8).min(16))) >> 8
}

impl Default for Lexicon {
    fn default() -> Self {
        Self { letters: Vec::new(), starts: vec![0], sums: vec![0] }
    }
}

impl Lexicon {
    /// Words as numbers of an alphabet, in order, each with its stored weight.
    #[cfg(any(test, feature = "training"))]
    pub fn new<'a>(words: impl Iterator<Item = (&'a [u16], u8)>) -> Self {
        let mut lexicon = Self::default();
        for (word, stored) in words {
            lexicon.add(0, word, stored);
        }
        lexicon
    }

    /// Adds the next word: the first `shared` letters of the one before, then its own. `false`, and nothing is added: it
    /// shares more than there is, or has no letter or more than [`WORD_MAX`].
    pub fn add(&mut self, shared: usize, own: &[u16], stored: u8) -> bool {
        let last = match self.starts.as_slice() {
            [.., start, _] => *start as usize,
            _ => 0,
        };
        let end = last.saturating_add(shared);
        if end > self.letters.len() || !(1..=WORD_MAX).contains(&shared.saturating_add(own.len())) {
            return false;
        }
        self.letters.extend_from_within(last..end);
        self.letters.extend_from_slice(own);
        self.starts.push(u32::try_from(self.letters.len()).unwrap_or(u32::MAX));
        let sum = self.sums.last().copied().unwrap_or(0);
        self.sums.push(sum.saturating_add(weight(stored)));
        true
    }

    pub fn all(&self) -> Ranks {
        Ranks { low: 0, high: u32::try_from(self.starts.len() - 1).unwrap_or(0) }
    }

    /// A letter of a word, plus one; 0 past its end.
    fn key(&self, rank: u32, depth: usize) -> u32 {
        let rank = rank as usize;
        let (Some(start), Some(end)) = (self.starts.get(rank), self.starts.get(rank + 1)) else { return u32::MAX };
        let at = *start as usize + depth;
        if at < *end as usize { self.letters.get(at).map_or(0, |letter| u32::from(*letter) + 1) } else { 0 }
    }

    /// The first word of `ranks` whose letter at `depth` is `letter` or a later one.
    pub fn split(&self, ranks: Ranks, depth: usize, letter: u32) -> u32 {
        let (mut low, mut high) = (ranks.low, ranks.high);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.key(middle, depth) > letter { high = middle } else { low = middle + 1 }
        }
        low
    }

    /// The words that begin with `letters` and go on.
    pub fn find(&self, letters: &[u16]) -> Ranks {
        let mut ranks = self.all();
        for (depth, letter) in letters.iter().enumerate() {
            let letter = u32::from(*letter);
            ranks = Ranks { low: self.split(ranks, depth, letter), high: self.split(ranks, depth, letter + 1) };
        }
        self.going_on(ranks, letters.len())
    }

    /// Of words that share their first letters, those that are longer.
    pub fn going_on(&self, ranks: Ranks, letters: usize) -> Ranks {
        Ranks { low: self.split(ranks, letters, 0), high: ranks.high }
    }

    /// What the words of two runs of ranks weigh.
    pub fn weigh(&self, ranks: Ranks, middle: u32) -> Counts {
        let sum = |rank: u32| self.sums.get(rank as usize).copied().unwrap_or(0);
        (sum(middle).saturating_sub(sum(ranks.low)), sum(ranks.high).saturating_sub(sum(middle)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_how_they_begin_and_weigh_what_was_stored() {
        let words: [&[u16]; 4] = [&[3], &[3, 4], &[3, 5, 6], &[4, 4]];
        let lexicon = Lexicon::new(words.into_iter().zip([0, 8, 16, 0]));
        let after = lexicon.find(&[3]);
        assert_eq!((after.low, after.high), (1, 3), "those that go on after 3");
        assert_eq!(lexicon.weigh(after, lexicon.split(after, 1, 5)), (2, 4));
        assert_eq!(lexicon.find(&[5]).count(), 0);
    }
}
