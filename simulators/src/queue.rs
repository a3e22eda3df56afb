//! The one queue of a world: what happens next, and when.

use std::collections::BTreeMap;
use std::time::Duration;

/// Things to come in order of time; what was put in first for the same moment comes out first.
#[derive(Clone, Debug)]
pub struct Queue<T> {
    due: BTreeMap<(Duration, u64), T>,
    put: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { due: BTreeMap::new(), put: 0 }
    }
}

impl<T> Queue<T> {
    /// Puts `thing` at `at`.
    pub fn put(&mut self, at: Duration, thing: T) {
        self.due.insert((at, self.put), thing);
        self.put += 1;
    }

    /// The next thing and its time.
    pub fn take(&mut self) -> Option<(Duration, T)> {
        self.due.pop_first().map(|((at, _), thing)| (at, thing))
    }

    /// When the next thing happens.
    #[must_use]
    pub fn next_at(&self) -> Option<Duration> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// Drops what `keep` refuses.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.due.retain(|_, thing| keep(thing));
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.due.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_of_one_moment_come_out_in_the_order_they_were_put_in() {
        let mut queue = Queue::default();
        for (at, thing) in [(5, "c"), (1, "a"), (5, "d"), (2, "b")] {
            queue.put(Duration::from_secs(at), thing);
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.take()).map(|(_, thing)| thing).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
    }
}
