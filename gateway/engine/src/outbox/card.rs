//! Cards: airtime is granted per card, and a send that comes too early costs the slot.

use crate::bus::CardKey;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::message::{LinkId, Outcome};

/// Cards of one terminal tell of themselves within this time of each other.
const ANSWER_TOGETHER: Duration = Duration::from_secs(5);

/// One card (or the channel of a link without cards).
#[derive(Clone, Debug)]
pub(crate) struct Card {
    /// Least time between two sends, guard included.
    pub slot: Duration,
    pub capacity_bits: u32,
    /// When it may send again.
    pub free_at: Instant,
    /// Why it cannot send, where its terminal said so; tried again at `free_at`.
    pub hold: Option<Outcome>,
    /// When it last told of itself since its port opened; `None` = not yet: another card may be in the terminal by now.
    pub seen_at: Option<Instant>,
    /// Sends so far, for the share of aged messages.
    pub sends: u64,
    /// The send at which an aged message last went before its turn.
    pub aged_at: u64,
    /// Sends when positions last went out, their own included.
    pub placed_at: u64,
}

/// All cards, by link and number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cards(pub BTreeMap<CardKey, Card>);

impl Cards {
    pub fn get(&self, key: &CardKey) -> Option<&Card> {
        self.0.get(key)
    }

    pub fn get_mut(&mut self, key: &CardKey) -> Option<&mut Card> {
        self.0.get_mut(key)
    }

    /// What the slowest card takes for a send.
    pub fn longest_slot(&self) -> Option<Duration> {
        self.0.values().map(|card| card.slot).max()
    }

    /// Whether a card may be used: it has told of itself since its port opened, or the link has no cards.
    pub fn is_there(key: &CardKey, card: &Card) -> bool {
        key.number.is_empty() || card.seen_at.is_some()
    }

    pub fn on<'a>(&'a self, link: &'a LinkId) -> impl Iterator<Item = (&'a CardKey, &'a Card)> {
        self.0.iter().filter(move |(key, _)| key.link == *link)
    }

    /// A card is known: takes its numbers, keeps its slot. A nameless card of the link becomes this one.
    pub fn learn(&mut self, key: CardKey, slot: Duration, capacity_bits: u32, free_at: Instant) {
        let nameless = CardKey { link: key.link.clone(), number: String::new() };
        let before = self.0.remove(&key).or_else(|| self.0.remove(&nameless));
        let card = match before {
            // A longer slot than was thought counts from the send that is already behind us.
            Some(card) => {
                let longer = slot.saturating_sub(card.slot);
                Card { slot, capacity_bits, free_at: card.free_at.after(longer), ..card }
            }
            None => {
                Card { slot, capacity_bits, free_at, hold: None, seen_at: None, sends: 0, aged_at: 0, placed_at: 0 }
            }
        };
        self.0.insert(key, card);
    }

    /// A card has told of itself. Cards of one terminal answer an inquiry together: one that was silent meanwhile is gone.
    pub fn seen(&mut self, key: &CardKey, now: Instant) {
        if let Some(card) = self.0.get_mut(key) {
            card.seen_at = Some(now);
        }
        let together = |card: &Card| card.seen_at.is_some_and(|at| now.since(at) <= ANSWER_TOGETHER);
        self.0.retain(|other, card| other.link != key.link || other.number.is_empty() || together(card));
    }

    /// The port is gone: what is in the terminal when it comes back must tell of itself again.
    pub fn doubt(&mut self, link: &LinkId) {
        for (_, card) in self.0.iter_mut().filter(|(key, _)| key.link == *link) {
            card.seen_at = None;
        }
    }

    /// The terminal has no card: what was behind the link cannot send.
    pub fn forget(&mut self, link: &LinkId) {
        self.0.retain(|key, _| key.link != *link);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: &str) -> CardKey {
        CardKey { link: LinkId::new("bd"), number: number.into() }
    }

    #[test]
    fn learning_a_longer_period_never_frees_a_card_earlier() {
        let mut cards = Cards::default();
        cards.learn(key(""), Duration::from_secs(10), 628, Instant(5_000_000));
        cards.learn(key("142020"), Duration::from_secs(62), 628, Instant(0));
        assert_eq!(cards.get(&key("142020")).unwrap().free_at, Instant(57_000_000));
        assert!(cards.get(&key("")).is_none());
    }
}
