//! What came before: the whole counter from its 14 bits, a window of counters that were accepted, and what they carried.
//!
//! A message that comes twice is a copy, whatever the bearer; the same counter with other content is an alarm. Only what
//! was authenticated may be accepted here: [`super::frame::Opened::Clear`] bears no number to ask about.
//!
//! Pure: ages are arguments, and everything is a fold over what was accepted.

use super::header::{SEQ_BITS, seq_of};
use super::nonce::{Digest, Number};
use crate::message::StationId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counters below the highest accepted one that are told apart.
pub const WINDOW: u32 = 1_024;
/// How far a counter may be from the highest accepted one, either way, to be found from its 14 bits.
pub const REACH: u32 = 8_191;
/// How long a content is remembered, seconds: 72 hours.
pub const MEMORY_S: u64 = 72 * 3_600;
/// Most contents that are remembered of one source in one epoch.
pub const MEMORY_PER_SOURCE_MAX: usize = 4_096;
/// Most contents that are remembered in all. The source with most of them forgets first.
pub const MEMORY_MAX: usize = 65_536;
/// Epochs of one source that are kept.
pub const EPOCHS_MAX: usize = 2;

const WORDS: usize = 16;
const WORD: u32 = 64;

/// What is known of a number before its content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was never seen, and would be accepted.
    Open,
    /// A message of this number was accepted.
    Accepted,
    /// Too old to be accepted; whether it ever was nobody knows any more.
    Stale,
}

/// What a number and its content are to what came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Never seen.
    New,
    /// The same message again: count it, answer it once.
    Copy,
    /// The same number with another content: an alarm.
    Conflict,
    /// Too old to be told from a copy, or of an epoch that is over.
    Stale,
}

/// The highest accepted counter, and which of the 1,023 below it were accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    highest: u32,
    /// Bit k of the whole, the lowest of word 0 first, is counter `highest` − k.
    seen: [u64; WORDS],
}

impl Window {
    const fn begin(highest: u32) -> Self {
        let mut seen = [0; WORDS];
        if let Some(first) = seen.first_mut() {
            *first = 1;
        }
        Self { highest, seen }
    }

    /// `None` below the window.
    fn has(&self, counter: u32) -> Option<bool> {
        let Some(back) = self.highest.checked_sub(counter) else { return Some(false) };
        let word = self.seen.get(usize::try_from(back / WORD).ok()?)?;
        Some(word >> (back % WORD) & 1 == 1)
    }

    fn put(&mut self, counter: u32) {
        if let Some(ahead) = counter.checked_sub(self.highest) {
            self.shift(ahead);
            self.highest = counter;
        }
        let back = self.highest.saturating_sub(counter);
        let word = usize::try_from(back / WORD).ok().and_then(|at| self.seen.get_mut(at));
        if let Some(word) = word {
            *word |= 1 << (back % WORD);
        }
    }

    /// Makes room for a higher highest.
    fn shift(&mut self, by: u32) {
        let (words, bits) = (usize::try_from(by / WORD).unwrap_or(usize::MAX), by % WORD);
        let old = self.seen;
        for (at, word) in self.seen.iter_mut().enumerate() {
            let from = |back: usize| at.checked_sub(back).and_then(|at| old.get(at)).copied().unwrap_or(0);
            let carried = if bits == 0 { 0 } else { from(words.saturating_add(1)) >> (WORD - bits) };
            *word = from(words) << bits | carried;
        }
    }
}

/// A content that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    content: Digest,
    at_s: u64,
}

/// One source in one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Source {
    window: Window,
    memory: BTreeMap<u32, Seen>,
}

impl Source {
    fn verdict(&self, counter: u32, content: Digest) -> Verdict {
        match (self.memory.get(&counter), self.window.has(counter)) {
            (Some(seen), _) if seen.content == content => Verdict::Copy,
            (Some(_), _) => Verdict::Conflict,
            // Accepted, and what it carried is forgotten.
            (None, Some(true)) => Verdict::Copy,
            (None, Some(false)) => Verdict::New,
            (None, None) => Verdict::Stale,
        }
    }
}

/// All sources of one net.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    sources: BTreeMap<StationId, BTreeMap<u16, Source>>,
}

impl Replay {
    /// Nothing has come yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counters that 14 bits may mean, the likeliest first, at most two; the tag decides.
    ///
    /// In a known epoch it is the one within ±[`REACH`] of the highest accepted. A source that is new in this epoch is tried
    /// near its counter in the last one, then from the beginning. None = a beacon is needed.
    #[must_use]
    pub fn candidates(&self, src: StationId, epoch: u16, seq: u16) -> Vec<u32> {
        let epochs = self.sources.get(&src);
        if let Some(source) = epochs.and_then(|epochs| epochs.get(&epoch)) {
            return nearest(source.window.highest, seq).into_iter().collect();
        }
        let last = epochs.and_then(BTreeMap::last_key_value);
        let near = last.and_then(|(_, source)| nearest(source.window.highest, seq));
        let first = Some(u32::from(seq)).filter(|first| near != Some(*first));
        near.into_iter().chain(first).collect()
    }

    /// The highest counter that was accepted of a source in an epoch.
    #[must_use]
    pub fn highest(&self, src: StationId, epoch: u16) -> Option<u32> {
        Some(self.sources.get(&src)?.get(&epoch)?.window.highest)
    }

    /// What is known of a number before anything of it was authenticated: whether its rows are worth keeping.
    #[must_use]
    pub fn standing(&self, number: Number) -> Standing {
        let Some(epochs) = self.sources.get(&number.src) else { return Standing::Open };
        match epochs.get(&number.epoch).map(|source| source.window.has(number.counter)) {
            Some(Some(true)) => Standing::Accepted,
            Some(Some(false)) => Standing::Open,
            None if !is_over(epochs, number.epoch) => Standing::Open,
            Some(None) | None => Standing::Stale,
        }
    }

    /// What [`Self::accept`] would say; nothing changes.
    #[must_use]
    pub fn judge(&self, number: Number, content: Digest) -> Verdict {
        let Some(epochs) = self.sources.get(&number.src) else { return Verdict::New };
        match epochs.get(&number.epoch) {
            Some(source) => source.verdict(number.counter, content),
            None if is_over(epochs, number.epoch) => Verdict::Stale,
            None => Verdict::New,
        }
    }

    /// Takes a number that was authenticated, and says what it was. Only [`Verdict::New`] changes anything. `at_s` counts
    /// seconds from any fixed start.
    pub fn accept(&mut self, number: Number, content: Digest, at_s: u64) -> Verdict {
        let verdict = self.judge(number, content);
        if verdict != Verdict::New {
            return verdict;
        }
        let Number { src, epoch, counter } = number;
        let epochs = self.sources.entry(src).or_default();
        let fresh = || Source { window: Window::begin(counter), memory: BTreeMap::new() };
        let source = epochs.entry(epoch).or_insert_with(fresh);
        source.window.put(counter);
        source.memory.insert(counter, Seen { content, at_s });
        if source.memory.len() > MEMORY_PER_SOURCE_MAX {
            source.memory.pop_first();
        }
        while epochs.len() > EPOCHS_MAX {
            epochs.pop_first();
        }
        self.keep_in_bounds();
        verdict
    }

    /// Forgets the contents that were accepted [`MEMORY_S`] before `now_s`; the windows stay.
    pub fn forget(&mut self, now_s: u64) {
        let since = now_s.saturating_sub(MEMORY_S);
        for source in self.sources.values_mut().flat_map(BTreeMap::values_mut) {
            source.memory.retain(|_, seen| seen.at_s >= since);
        }
    }

    /// Contents that are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.sources.values().flat_map(BTreeMap::values).map(|source| source.memory.len()).sum()
    }

    fn keep_in_bounds(&mut self) {
        while self.remembered() > MEMORY_MAX {
            let sources = self.sources.values_mut().flat_map(BTreeMap::values_mut);
            let Some(fullest) = sources.max_by_key(|source| source.memory.len()) else { return };
            fullest.memory.pop_first();
        }
    }
}

/// Whether an epoch that is not there ended before those that are.
fn is_over(epochs: &BTreeMap<u16, Source>, epoch: u16) -> bool {
    epochs.len() >= EPOCHS_MAX && epochs.first_key_value().is_some_and(|(oldest, _)| epoch < *oldest)
}

/// The counter within ±[`REACH`] of `highest` whose low 14 bits are `seq`.
#[must_use]
pub fn nearest(highest: u32, seq: u16) -> Option<u32> {
    let span = 1_u32 << SEQ_BITS;
    let ahead = u32::from(seq).wrapping_sub(seq_of(highest).into()) % span;
    if ahead <= REACH {
        return highest.checked_add(ahead);
    }
    let back = span.saturating_sub(ahead);
    if back <= REACH { highest.checked_sub(back) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::golden::{self, number as field};
    use proptest::prelude::*;
    use serde_json::json;
    use std::collections::BTreeSet;

    fn station(number: u16) -> StationId {
        StationId::new(number).unwrap()
    }

    fn number(src: u16, epoch: u16, counter: u32) -> Number {
        Number { src: station(src), epoch, counter }
    }

    fn content(of: u32) -> Digest {
        Digest::of(&of.to_be_bytes())
    }

    fn accepted(counters: &[u32]) -> Replay {
        let mut replay = Replay::new();
        for counter in counters {
            assert_eq!(replay.accept(number(3, 5, *counter), content(*counter), 0), Verdict::New, "{counter}");
        }
        replay
    }

    #[test]
    fn the_golden_counters_are_found_so() {
        golden::hold(include_str!("vectors/counter.jsonl"), |case| {
            let highest = u32::try_from(field(case, "highest")).unwrap();
            let counter = nearest(highest, u16::try_from(field(case, "seq")).unwrap());
            Ok(json!({ "counter": counter.ok_or("out of reach")? }))
        });
    }

    #[test]
    fn a_source_that_was_never_heard_is_tried_from_the_beginning() {
        assert_eq!(Replay::new().candidates(station(3), 5, 9_000), [9_000]);
    }

    #[test]
    fn a_source_in_a_new_epoch_is_tried_where_it_was_and_from_the_beginning() {
        let replay = accepted(&[40_000]);
        // 40_000 = 2 · 16_384 + 7_232.
        assert_eq!(replay.candidates(station(3), 5, 7_233), [40_001]);
        assert_eq!(replay.candidates(station(3), 6, 7_233), [40_001, 7_233]);
        assert_eq!(accepted(&[100]).candidates(station(3), 6, 101), [101]);
    }

    #[test]
    fn a_repeated_counter_is_a_copy_and_with_other_content_a_conflict() {
        let mut replay = accepted(&[64, 66]);
        assert_eq!(replay.accept(number(3, 5, 64), content(64), 9), Verdict::Copy);
        assert_eq!(replay.accept(number(3, 5, 64), content(1), 9), Verdict::Conflict);
        assert_eq!(replay.accept(number(3, 5, 65), content(65), 9), Verdict::New);
        assert_eq!(replay.accept(number(4, 5, 64), content(1), 9), Verdict::New, "another source");
        assert_eq!(replay.highest(station(3), 5), Some(66));
    }

    #[test]
    fn what_is_below_the_window_and_forgotten_is_stale() {
        let mut replay = accepted(&[10, 2_000]);
        assert_eq!(replay.judge(number(3, 5, 977), content(0)), Verdict::New);
        assert_eq!(replay.judge(number(3, 5, 976), content(0)), Verdict::Stale);
        assert_eq!(replay.judge(number(3, 5, 10), content(10)), Verdict::Copy, "its content is remembered");
        replay.forget(MEMORY_S + 1);
        assert_eq!(replay.judge(number(3, 5, 10), content(10)), Verdict::Stale);
        assert_eq!(replay.judge(number(3, 5, 2_000), content(1)), Verdict::Copy, "the window stays");
        let standing = |src, counter| replay.standing(number(src, 5, counter));
        assert_eq!((standing(3, 2_000), standing(3, 10)), (Standing::Accepted, Standing::Stale));
        assert_eq!((standing(3, 1_999), standing(7, 1)), (Standing::Open, Standing::Open));
    }

    #[test]
    fn contents_are_remembered_for_72_hours() {
        let mut replay = Replay::new();
        replay.accept(number(3, 5, 1), content(1), 1_000);
        replay.forget(1_000 + MEMORY_S);
        assert_eq!(replay.remembered(), 1);
        replay.forget(1_001 + MEMORY_S);
        assert_eq!(replay.remembered(), 0);
    }

    #[test]
    fn an_epoch_that_is_over_is_stale() {
        let mut replay = accepted(&[7]);
        assert_eq!(replay.accept(number(3, 6, 8), content(8), 0), Verdict::New);
        assert_eq!(replay.accept(number(3, 4, 6), content(6), 0), Verdict::Stale);
        assert_eq!(replay.standing(number(3, 4, 6)), Standing::Stale);
        assert_eq!(replay.accept(number(3, 7, 9), content(9), 0), Verdict::New);
        assert_eq!((replay.highest(station(3), 5), replay.highest(station(3), 6)), (None, Some(8)));
    }

    #[test]
    fn who_sends_most_is_forgotten_first() {
        let mut replay = Replay::new();
        replay.accept(number(1, 5, 0), content(0), 0);
        for src in 2..=19 {
            for counter in 0..4_000 {
                replay.accept(number(src, 5, counter), content(counter), 0);
            }
        }
        assert_eq!(replay.remembered(), MEMORY_MAX);
        assert_eq!(replay.judge(number(1, 5, 0), content(1)), Verdict::Conflict, "the quiet one is remembered");
    }

    #[test]
    fn one_source_is_remembered_within_bounds() {
        let mut replay = Replay::new();
        for counter in 0..6_000 {
            replay.accept(number(1, 5, counter), content(counter), 0);
        }
        assert_eq!(replay.remembered(), MEMORY_PER_SOURCE_MAX);
        let stored: Replay = serde_json::from_str(&serde_json::to_string(&replay).unwrap()).unwrap();
        assert_eq!(stored, replay);
    }

    proptest! {
        #[test]
        fn the_window_agrees_with_a_set(steps in prop::collection::vec((0_u32..3_000, any::<bool>()), 1..200)) {
            let (mut window, mut set) = (Window::begin(5_000), BTreeSet::from([5_000_u32]));
            for (step, ahead) in steps {
                let counter = if ahead { window.highest + step } else { window.highest - step.min(WINDOW - 1) };
                let expected = set.contains(&counter);
                prop_assert_eq!(window.has(counter), Some(expected), "{}", counter);
                window.put(counter);
                set.insert(counter);
            }
            for back in 0..WINDOW {
                prop_assert_eq!(window.has(window.highest - back), Some(set.contains(&(window.highest - back))));
            }
            prop_assert_eq!(window.has(window.highest - WINDOW), None);
        }

        #[test]
        fn every_counter_within_reach_is_found(highest: u32, step in 0..=REACH, ahead: bool) {
            let counter = if ahead { highest.checked_add(step) } else { highest.checked_sub(step) };
            if let Some(counter) = counter {
                prop_assert_eq!(nearest(highest, seq_of(counter)), Some(counter));
            }
        }
    }
}
