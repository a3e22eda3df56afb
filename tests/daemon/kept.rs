//! What several tests count: promises given by the station, and what its journal shows.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use yizhan_simulators::live::Shown;

/// What the journal says of messages.
#[derive(Debug, Default)]
pub struct Kept {
    pub ids: BTreeSet<String>,
    /// How often the same words of the same sender were shown.
    pub heard: BTreeMap<(String, String), u32>,
    /// Attempts that a crash cut off.
    pub crashed: usize,
    pub records: BTreeMap<u64, Value>,
}

impl Kept {
    pub fn of(records: &[Shown]) -> Self {
        let mut kept = Self::default();
        for Shown { offset, record } in records {
            let text = |key: &str| record["data"][key].as_str().unwrap_or_default().to_owned();
            assert_eq!(kept.records.insert(*offset, record.clone()), None, "record {offset} was shown twice");
            match record["kind"].as_str() {
                Some("message_kept") => {
                    assert!(kept.ids.insert(text("id")), "message {} was shown twice", text("id"));
                    if !text("from").is_empty() {
                        *kept.heard.entry((text("from"), text("text"))).or_default() += 1;
                    }
                }
                Some("attempt_ended") => kept.crashed += usize::from(text("outcome") == "crashed"),
                _ => {}
            }
        }
        kept
    }

    pub fn shown_twice(&self) -> Vec<&(String, String)> {
        self.heard.iter().filter(|(_, times)| **times > 1).map(|(message, _)| message).collect()
    }
}
