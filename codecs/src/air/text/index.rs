//! How often what has followed what: a text of symbols and the order of its suffixes.
//!
//! All places where a context stands are neighbours in the order, and among them those that go on with the same symbol.
//! So the count of any context, of any length, followed by any run of symbols is the distance of two ranks.

/// The longest context that the order tells apart, and one symbol more.
#[cfg(any(test, feature = "training"))]
const DEPTH: usize = 12;

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
    /// Takes a text and an order that was made from it.
    pub fn new(symbols: Vec<u16>, order: Vec<u32>) -> Self {
        Self { symbols, order }
    }

    #[cfg(any(test, feature = "training"))]
    /// Sorts the suffixes of a text by their first [`DEPTH`] symbols, then by place.
    pub fn build(symbols: Vec<u16>) -> Self {
        let count = u32::try_from(symbols.len()).unwrap_or(0);
        let mut order: Vec<u32> = (0..count).collect();
        let head = |place: &u32| {
            let from = *place as usize;
            symbols.get(from..symbols.len().min(from + DEPTH)).unwrap_or_default()
        };
        order.sort_by(|a, b| head(a).cmp(head(b)).then(a.cmp(b)));
        Self { symbols, order }
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

    /// Those of `ranks` whose symbol at `depth` is `symbol`.
    pub fn narrow(&self, ranks: Ranks, depth: usize, symbol: u32) -> Ranks {
        Ranks { low: self.split(ranks, depth, symbol), high: self.split(ranks, depth, symbol + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
