//! What was promised and what was seen, kept apart from what is told: the summary and the exit code come from here.

use crate::live::{News, Shown, What};
use serde_json::Value;
use std::collections::BTreeMap;

/// One message as the station's journal shows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub id: String,
    pub from: String,
    pub text: String,
    pub topic: String,
    pub deliveries: Vec<Delivery>,
    /// How often a follower was shown it.
    pub shown: u32,
}

/// One delivery of a message.
#[derive(Clone, Debug, Default)]
pub(super) struct Delivery {
    /// The person, or else the terminal.
    pub to: String,
    pub terminal: String,
    pub rung: String,
    pub answer: String,
    pub end: String,
    pub attempts: u32,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub messages: BTreeMap<String, Told>,
    pub links_up: BTreeMap<String, bool>,
    /// Cards by link, with their periods in milliseconds.
    pub cards: BTreeMap<String, u64>,
    /// Attempts without outcome: message and delivery.
    pub open_attempts: BTreeMap<u64, (String, usize)>,
    pub last_offset: u64,
    /// Records that came although their offset had come before.
    pub records_twice: u32,
    /// Ids of messages that the station accepted with a 2xx answer.
    pub acknowledged: Vec<String>,
    /// What the station's own terminals radiated: player and text, in order.
    pub radiated: Vec<(&'static str, String)>,
    /// What the people saw on their screens: player and text, in order.
    pub screens: Vec<(&'static str, String)>,
    pub crashed_attempts: u32,
}

impl Ledger {
    /// A record that a follower got.
    pub fn journal(&mut self, shown: &Shown) {
        if shown.offset <= self.last_offset {
            self.records_twice += 1;
        }
        self.last_offset = self.last_offset.max(shown.offset);
        let Some((what, of)) = variant(&shown.record) else { return };
        let text = |key: &str| of[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| of[key].as_u64().unwrap_or_default();
        match what {
            "link_changed" => drop(self.links_up.insert(text("link"), of["up"] == true)),
            "card_learned" => drop(self.cards.insert(text("link"), number("period_ms"))),
            "message_kept" => {
                let told = self.messages.entry(text("id")).or_default();
                let (id, from, text, topic) = (text("id"), text("from"), text("text"), text("topic"));
                *told = Told { id, from, text, topic, shown: told.shown + 1, ..std::mem::take(told) };
            }
            "routed" => {
                let deliveries = of["deliveries"].as_array().cloned().unwrap_or_default();
                let told = self.messages.entry(text("id")).or_default();
                told.deliveries.extend(deliveries.iter().map(delivery));
            }
            "attempted" => {
                let entry = (text("id"), index(of));
                self.open_attempts.insert(number("attempt"), entry.clone());
                self.with_delivery(&entry, |delivery| delivery.attempts += 1);
            }
            "attempt_ended" => {
                self.open_attempts.remove(&number("attempt"));
                self.crashed_attempts += u32::from(of["outcome"] == "crashed");
            }
            "rung_raised" => {
                let (rung, answer) = (text("rung"), text("answer"));
                self.with_delivery(&(text("id"), index(of)), |delivery| {
                    delivery.rung = rung;
                    delivery.answer = answer;
                });
            }
            "delivery_ended" => {
                let end = text("end");
                self.with_delivery(&(text("id"), index(of)), |delivery| delivery.end = end);
            }
            _ => {}
        }
    }

    /// Something that happened in the world.
    pub fn world(&mut self, news: &News) {
        match &news.what {
            What::Radiated(message) => {
                if let crate::terminal::Said::Text { text, .. } = &message.said {
                    self.radiated.push((news.who, text.clone()));
                }
            }
            What::Shown { text, .. } => self.screens.push((news.who, text.clone())),
            _ => {}
        }
    }

    fn with_delivery(&mut self, (id, index): &(String, usize), change: impl FnOnce(&mut Delivery)) {
        if let Some(delivery) = self.messages.get_mut(id).and_then(|told| told.deliveries.get_mut(*index)) {
            change(delivery);
        }
    }

    /// The message with this text, once the journal has shown it.
    pub fn by_text(&self, text: &str) -> Option<&Told> {
        self.messages.values().find(|told| told.text == text)
    }

    /// Whether somebody has seen this text on the screen, with whatever the station adds to it.
    pub fn was_seen(&self, who: &str, text: &str) -> bool {
        self.screens.iter().any(|(seen_by, seen)| *seen_by == who && seen.contains(text))
    }

    /// Whether a message was answered by a person.
    pub fn is_answered(&self, id: &str) -> bool {
        self.messages.get(id).is_some_and(|told| told.deliveries.iter().any(|d| d.rung == "answered"))
    }

    /// Acknowledged messages that the journal does not show.
    pub fn lost(&self) -> usize {
        self.acknowledged.iter().filter(|id| !self.messages.contains_key(*id)).count()
    }

    /// Messages shown more than once, by id or as the same words of the same sender, and records shown twice.
    pub fn shown_twice(&self) -> usize {
        let mut words: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        for told in self.messages.values().filter(|told| !told.from.is_empty()) {
            *words.entry((&told.from, &told.text)).or_default() += 1;
        }
        let by_id = self.messages.values().filter(|told| told.shown > 1).count();
        let by_words = words.values().filter(|times| **times > 1).count();
        by_id + by_words + usize::try_from(self.records_twice).unwrap_or(usize::MAX)
    }
}

/// What a record says, and the fields of it.
pub(super) fn variant(record: &Value) -> Option<(&str, &Value)> {
    Some((record["kind"].as_str()?, &record["data"]))
}

fn delivery(routed: &Value) -> Delivery {
    let terminal = routed["terminals"][0].as_str().unwrap_or_default();
    let person = routed["person"].as_str().filter(|person| !person.is_empty());
    Delivery { to: person.unwrap_or(terminal).to_owned(), terminal: terminal.to_owned(), ..Delivery::default() }
}

pub(super) fn index(of: &Value) -> usize {
    of["delivery"].as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(offset: u64, kind: &str, data: Value) -> Shown {
        Shown { offset, record: json!({ "offset": offset, "at": null, "kind": kind, "data": data }) }
    }

    const ID: &str = "01021";

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.journal(&shown(1, "message_kept", json!({"id": ID, "from": "beidou:7", "text": "SOS", "topic": "sos"})));
        let to = json!([{ "person": "li-lei", "terminals": ["beidou:7"], "group": false }]);
        ledger.journal(&shown(2, "routed", json!({"id": ID, "deliveries": to})));
        ledger
    }

    #[test]
    fn a_message_that_comes_twice_by_id_by_words_or_by_record_is_counted() {
        let mut by_id = ledger();
        by_id.journal(&shown(3, "message_kept", json!({"id": ID, "from": "beidou:7", "text": "SOS"})));
        let mut by_words = ledger();
        by_words.journal(&shown(3, "message_kept", json!({"id": "01038", "from": "beidou:7", "text": "SOS"})));
        let mut by_record = ledger();
        by_record.journal(&shown(2, "routed", json!({"id": ID, "deliveries": []})));
        assert_eq!([ledger(), by_id, by_words, by_record].map(|ledger| ledger.shown_twice()), [0, 1, 1, 1]);
    }

    #[test]
    fn an_acknowledged_message_that_the_journal_does_not_show_is_lost() {
        let mut ledger = ledger();
        ledger.acknowledged = vec![ID.into(), "01038".into()];
        assert_eq!(ledger.lost(), 1);
    }

    #[test]
    fn rungs_and_answers_are_kept_by_delivery() {
        let mut ledger = ledger();
        ledger.journal(&shown(3, "attempted", json!({"attempt": 1, "id": ID, "delivery": 0})));
        assert_eq!(ledger.open_attempts.len(), 1);
        ledger.journal(&shown(4, "attempt_ended", json!({"attempt": 1, "outcome": "crashed"})));
        let answered = json!({"id": ID, "delivery": 0, "rung": "answered", "answer": "accepted"});
        ledger.journal(&shown(5, "rung_raised", answered));
        assert!(ledger.is_answered(ID) && ledger.open_attempts.is_empty());
        assert_eq!(ledger.crashed_attempts, 1);
    }
}
