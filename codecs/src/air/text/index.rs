//! How often what has followed what: a text of symbols and the order of its suffixes.
//!
//! All places where a context stands are neighbours in the order, and among them those that go on with the same symbol.
//! So the count of any context, of any length, followed by any run of symbols is the distance of two ranks.

/// Symbols in one key of the sort.
const KEYED: usize = 4;
/// Symbols by which suffixes are sorted: the longest context that is looked up, the one after it, and some to spare. Those that
/// agree in all of them stand by place, and both ends must have them so: the order is a part of the format.
const DEPTH: usize = 3 * KEYED;

/// A text and the ranks of its suffixes.
#[derive(Clone, Debug, Default)]
pub struct Index {
    symbols: Vec<u16>,
    order: Vec<u32>,
}

/// Ranks from `low` to before `high`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ranks {
    pub low: u32,
    pub high: u32,
}

impl Ranks {
    pub fn count(self) -> u32 {
        self.high.saturating_sub(self.low)
    }
}

impl Index {
    /// Sorts the suffixes of a text by their first [`DEPTH`] symbols, then by place. No symbol is 65,535.
    pub fn build(symbols: Vec<u16>) -> Self {
        let keys = keys(&symbols);
        let mut places: Vec<(u64, u32)> = keys.iter().copied().zip(0..).collect();
        sort(&mut places, &keys, KEYED);
        Self { symbols, order: places.into_iter().map(|(_, place)| place).collect() }
    }

    pub fn symbols(&self) -> &[u16] {
        &self.symbols
    }

    pub fn order(&self) -> &[u32] {
        &self.order
    }

    pub fn all(&self) -> Ranks {
        Ranks { low: 0, high: u32::try_from(self.order.len()).unwrap_or(0) }
    }

    /// The symbol that stands `depth` after the start of the suffix of a rank, plus one; 0 past the end of the text.
    fn key(&self, rank: u32, depth: usize) -> u32 {
        let place = self.order.get(rank as usize).copied().unwrap_or(u32::MAX) as usize;
        self.symbols.get(place.saturating_add(depth)).map_or(0, |symbol| u32::from(*symbol) + 1)
    }

    /// The first rank of `ranks` whose symbol at `depth` is `symbol` or a later one.
    pub fn split(&self, ranks: Ranks, depth: usize, symbol: u32) -> u32 {
        let (mut low, mut high) = (ranks.low, ranks.high);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.key(middle, depth) > symbol {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// The ranks of the suffixes that begin with a context.
    pub fn find(&self, context: &[u16]) -> Ranks {
        let mut ranks = self.all();
        for (depth, symbol) in context.iter().enumerate() {
            if ranks.count() == 0 {
                break;
            }
            ranks = self.narrow(ranks, depth, u32::from(*symbol));
        }
        ranks
    }

    /// Those of `ranks` that have a symbol at `depth`: the text may end before it.
    pub fn within(&self, ranks: Ranks, depth: usize) -> Ranks {
        let ends = self.key(ranks.low, depth) == 0;
        Ranks { low: if ends { self.split(ranks, depth, 0) } else { ranks.low }, high: ranks.high }
    }

    /// Those of `ranks` whose symbol at `depth` is `symbol`.
    pub fn narrow(&self, ranks: Ranks, depth: usize, symbol: u32) -> Ranks {
        Ranks { low: self.split(ranks, depth, symbol), high: self.split(ranks, depth, symbol + 1) }
    }
}

/// For every place the [`KEYED`] symbols from there on, each plus one, the first one highest; 0 past the end of the text.
fn keys(symbols: &[u16]) -> Vec<u64> {
    let mut key = 0;
    let mut keys: Vec<u64> = symbols
        .iter()
        .rev()
        .map(|symbol| {
            key = key >> u16::BITS | u64::from(symbol.saturating_add(1)) << (u64::BITS - u16::BITS);
            key
        })
        .collect();
    keys.reverse();
    keys
}

/// Sorts places by their keys, and those whose keys are the same by the keys `depth` symbols on: whole keys beside their
/// places are sorted three times as fast as places that are looked up in the text.
fn sort(places: &mut [(u64, u32)], keys: &[u64], depth: usize) {
    places.sort_unstable();
    if depth == DEPTH {
        return;
    }
    for alike in places.chunk_by_mut(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
        for (key, place) in &mut *alike {
            *key = keys.get((*place as usize).saturating_add(depth)).copied().unwrap_or(0);
        }
        sort(alike, keys, depth + KEYED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_order_is_that_of_a_plain_sort(symbols in "[ab]{0,80}|[a-e]{0,80}|(ab?){0,40}|a{0,60}") {
            let symbols: Vec<u16> = symbols.bytes().map(|byte| u16::from(byte - b'a')).collect();
            let head = |place: &u32| symbols[*place as usize..].iter().take(DEPTH).collect::<Vec<_>>();
            let mut plain: Vec<u32> = (0..).take(symbols.len()).collect();
            plain.sort_by(|a, b| head(a).cmp(&head(b)).then(a.cmp(b)));
            let index = Index::build(symbols.clone());
            prop_assert_eq!(index.order(), plain);
        }
    }

    #[test]
    fn counts_are_those_of_a_plain_search() {
        let text: Vec<u16> = "abracadabra".bytes().map(u16::from).collect();
        let index = Index::build(text.clone());
        for context in [&b"a"[..], b"ab", b"bra", b"x", b"abracadabra", b""] {
            let context: Vec<u16> = context.iter().copied().map(u16::from).collect();
            let plain = if context.is_empty() {
                text.len()
            } else {
                text.windows(context.len()).filter(|w| *w == context).count()
            };
            assert_eq!(index.find(&context).count() as usize, plain);
        }
        let a = index.find(&[u16::from(b'a')]);
        assert_eq!(index.narrow(a, 1, u32::from(b'b')).count(), 2);
        assert_eq!(a.high - index.split(a, 1, u32::from(b'c')), 2, "ac and ad");
    }
}
