//! Law 5, the other half: what was handed to a running station is acted upon. An SOS is relayed or held for a person;
//! an answer that names its message raises that message's rung.

use super::book::{number, printed};
use super::{Fact, Law, View};
use crate::terminal::Said;
use std::time::Duration;
use yizhan_codecs::message::{MessageId, Rung};
use yizhan_engine::event::Event;

/// The station has this long.
const WITHIN: Duration = Duration::from_secs(30);
/// Words that are nothing but an answer.
const ANSWERS: [&str; 3] = ["收到 ", "执行中 ", "完成 "];

/// Something that must come of what was handed over.
#[derive(Clone, Debug)]
struct Owed {
    until: Duration,
    boot: u32,
    what: Act,
}

#[derive(Clone, Debug)]
enum Act {
    /// The SOS of this number with this text goes on, or waits for a person.
    Relay { from: String, text: String },
    /// The delivery to this number of this message is answered.
    Answer { from: String, id: u64 },
}

#[derive(Clone, Debug, Default)]
pub(super) struct Heed {
    owed: Vec<Owed>,
    boot: u32,
    poisoned: bool,
}

impl Heed {
    pub fn observe(&mut self, view: &mut View<'_>, fact: &Fact<'_>) {
        while self.owed.first().is_some_and(|owed| owed.until < view.at) {
            let owed = self.owed.remove(0);
            if owed.boot == self.boot && !self.poisoned {
                look(view, &owed.what);
            }
        }
        match fact {
            Fact::Booted { boot } => (self.boot, self.poisoned) = (*boot, false),
            Fact::Crashed { .. } => self.owed.clear(),
            Fact::Told(Event::JournalFailed { .. }) => self.poisoned = true,
            Fact::Handed { message, boot, .. } => {
                let Said::Text { text, .. } = &message.said else { return };
                let from = message.from.to_string();
                let what = if text.starts_with("SOS") || text.starts_with("求救") {
                    Act::Relay { from, text: text.clone() }
                } else {
                    let named = ANSWERS.iter().find_map(|word| text.strip_prefix(word));
                    let Some(id) = named.and_then(|id| id.parse::<MessageId>().ok()) else { return };
                    Act::Answer { from, id: number(id) }
                };
                self.owed.push(Owed { until: view.at + WITHIN, boot: *boot, what });
            }
            _ => {}
        }
    }
}

fn look(view: &mut View<'_>, what: &Act) {
    match what {
        Act::Relay { from, text } => {
            let mut calls = view.book.messages.iter().filter(|(_, told)| told.from == *from && told.text == *text);
            let heeded = |told: &super::Told| told.held || told.confirmed || !told.lines.is_empty();
            if !calls.any(|(_, told)| heeded(told)) {
                view.broken(
                    Law::NothingVanishes,
                    format!("{text:?} of {from} was neither relayed nor held for a person"),
                );
            }
        }
        Act::Answer { from, id } => {
            let Some(told) = view.book.messages.get(id) else { return };
            let mut lines = told.lines.iter().filter(|line| line.terminals.contains(from)).peekable();
            if lines.peek().is_some() && !lines.any(|line| matches!(line.rung, Rung::Answered(_))) {
                let (id, shown) = (printed(*id), told.lines.first().map_or("-", |line| line.rung.label()));
                view.broken(Law::NothingVanishes, format!("{from} answered {id}, and it is shown as {shown}"));
            }
        }
    }
}
