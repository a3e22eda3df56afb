//! Law 2: once. A message is shown once, whatever crashed and whatever came twice; copies to a plain terminal carry the
//! same short number; none goes out after evidence of arrival.

use super::book::{number, printed};
use super::{Fact, Law, View};
use crate::terminal::Said;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use yizhan_codecs::air::split_short_id;
use yizhan_codecs::message::Addressee;
use yizhan_engine::bus::journal::record::What;
use yizhan_engine::event::Event;

/// What is handed to a station that runs on this long must be in its journal.
const SHOWN_WITHIN: Duration = Duration::from_secs(30);

type Key = (String, String);

#[derive(Clone, Debug, Default)]
pub(super) struct Once {
    /// Messages of the field by sender and text: different ones that a terminal of ours took up.
    true_messages: BTreeMap<Key, BTreeSet<(u64, u32)>>,
    /// What of them was handed to the station at once.
    handed: BTreeSet<(String, u64, u32)>,
    /// Records of heard messages by sender and text.
    shown: BTreeMap<Key, usize>,
    told: BTreeSet<u64>,
    ids: BTreeSet<u64>,
    /// Handed to a running station and not in the journal yet: until when, in which boot.
    owed: Vec<(Duration, u32, Key, usize)>,
    boot: u32,
    poisoned: bool,
}

impl Once {
    pub fn observe(&mut self, view: &mut View<'_>, fact: &Fact<'_>) {
        self.look_for_missing(view);
        match fact {
            Fact::Booted { boot } => (self.boot, self.poisoned) = (*boot, false),
            Fact::Told(Event::JournalFailed { .. }) => self.poisoned = true,
            Fact::Crashed { survivors: records, .. } | Fact::Synced { records, .. } => {
                for record in *records {
                    if let Some(What::MessageKept(kept)) = &record.what {
                        self.kept(view, kept.id, &kept.link, &kept.from, &kept.text, kept.joined);
                    }
                }
                if matches!(fact, Fact::Crashed { .. }) {
                    self.owed.clear();
                }
            }
            Fact::TakenUp { message } => {
                let Said::Text { text, .. } = &message.said else { return };
                let key = (message.from.to_string(), text.clone());
                if !view.ground.numbers_messages(&key.0) {
                    return;
                }
                self.true_messages.entry(key).or_default().insert((message.serial, 0));
            }
            Fact::Handed { message, boot, .. } => {
                let Said::Text { text, .. } = &message.said else { return };
                let key = (message.from.to_string(), text.clone());
                let copy = if view.ground.numbers_messages(&key.0) { 0 } else { self.arrivals(&key) };
                self.true_messages.entry(key.clone()).or_default().insert((message.serial, copy));
                let news = self.handed.insert((message.from.to_string(), message.serial, copy));
                if news && matches!(message.to, Addressee::Terminal(_)) && !has_part_number(text) {
                    // What an earlier crash took with it is not owed any more.
                    let shown = self.shown.get(&key).copied().unwrap_or(0);
                    let before = self.owed.iter().filter(|(_, _, owed, n)| *owed == key && *n > shown).count();
                    // A radio that keeps texts may have told of this one before its copy came.
                    let most = self.true_messages.get(&key).map_or(0, BTreeSet::len);
                    let expected = (shown + before + 1).min(most);
                    self.owed.push((view.at + SHOWN_WITHIN, *boot, key, expected));
                }
            }
            Fact::Told(Event::MessageHeard { id, .. }) => {
                let id = number(*id);
                if !self.told.insert(id) {
                    view.broken(Law::Once, format!("message {} was told twice", printed(id)));
                }
            }
            Fact::Radiated { link: Some(link), message } => Self::radiated(view, link, &message.said),
            _ => {}
        }
    }

    fn arrivals(&self, key: &Key) -> u32 {
        self.true_messages.get(key).map_or(0, |known| u32::try_from(known.len()).unwrap_or(u32::MAX))
    }

    fn kept(&mut self, view: &mut View<'_>, id: u64, link: &str, from: &str, text: &str, joined: bool) {
        if !self.ids.insert(id) {
            view.broken(Law::Once, format!("number {} was given to a second message", printed(id)));
        }
        if link.is_empty() || joined || text.is_empty() || text == "求救：终端报警" {
            return;
        }
        let key = (from.to_owned(), text.to_owned());
        let shown = self.shown.entry(key.clone()).or_default();
        *shown += 1;
        let (shown, sent) = (*shown, self.true_messages.get(&key).map_or(0, BTreeSet::len));
        if shown > sent {
            view.broken(Law::Once, format!("{from} sent {text:?} {sent} times, it is shown {shown} times"));
        }
    }

    fn look_for_missing(&mut self, view: &mut View<'_>) {
        while let Some((_, boot, key, expected)) = self.owed.first().filter(|(until, ..)| *until < view.at).cloned() {
            self.owed.remove(0);
            let shown = self.shown.get(&key).copied().unwrap_or(0);
            if shown < expected && boot == self.boot && !self.poisoned {
                let (from, text) = &key;
                view.broken(Law::Once, format!("{text:?} of {from} was handed over and is shown {shown} times"));
            }
        }
    }

    /// What our own terminals radiate: is it still wanted, and does it carry its number?
    fn radiated(view: &mut View<'_>, link: &yizhan_codecs::message::LinkId, said: &Said) {
        let Said::Text { text, .. } = said else { return };
        let Some((number, attempt)) = view.book.attempt_of(link, said, view.ground.reads_bytes(link)) else { return };
        let (id, delivery) = (attempt.id, attempt.delivery);
        // What a port holds back was chosen when it was written down.
        let given_at = if view.ground.reads_bytes(link) { attempt.given_at } else { Some(attempt.noted_at) };
        let printed = printed(id);
        let found = split_short_id(text).1.map(|id| id.to_string());
        if found.as_ref() != Some(&printed) {
            let found = found.unwrap_or_else(|| "none".into());
            view.broken(Law::Once, format!("attempt {number} of {printed} was radiated with the number {found}"));
        }
        let arrived_at = view.book.line(id, delivery).and_then(|line| line.arrived_at);
        if let (Some(arrived_at), Some(given_at)) = (arrived_at, given_at)
            && arrived_at < given_at
        {
            view.broken(Law::Once, format!("a copy of {printed} went out after evidence that it had arrived"));
        }
    }
}

/// A text in numbered parts waits for the rest of it.
fn has_part_number(text: &str) -> bool {
    text.contains('/')
}
