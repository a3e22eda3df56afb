//! Law 7: a drill is a drill. Clear text of exercises starts 【演练】 and no other does; from a plain terminal only an
//! answer to an exercise, or a text that says so, is exercise.

use super::book::{number, printed};
use super::{Fact, Law, View};
use crate::terminal::Said;
use std::collections::BTreeMap;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::message::LinkId;
use yizhan_engine::bus::journal::record::What;
use yizhan_engine::io::{Reply, Request, Ticket};

#[derive(Clone, Debug, Default)]
pub(super) struct Exercise {
    /// What callers asked for and were not answered about yet.
    asked: BTreeMap<Ticket, bool>,
}

impl Exercise {
    pub fn observe(&mut self, view: &mut View<'_>, fact: &Fact<'_>) {
        match fact {
            Fact::Asked { ticket, request: Request::Send { exercise, .. } } => {
                self.asked.insert(*ticket, *exercise);
            }
            Fact::Replied { ticket, reply } => self.replied(view, *ticket, reply),
            Fact::Radiated { link: Some(link), message } => radiated(view, link, &message.said),
            Fact::Synced { records, .. } | Fact::Crashed { survivors: records, .. } => {
                for record in *records {
                    if let Some(What::MessageKept(kept)) = &record.what {
                        heard(view, kept.id);
                    }
                }
            }
            _ => {}
        }
    }

    fn replied(&mut self, view: &mut View<'_>, ticket: Ticket, reply: &Reply) {
        let (Some(asked), Reply::Accepted { id, .. }) = (self.asked.remove(&ticket), reply) else { return };
        let kept = view.book.messages.get(&number(*id)).map(|message| message.exercise);
        if kept.is_some_and(|kept| kept != asked) {
            let word = if asked { "an exercise" } else { "real" };
            view.broken(Law::DrillIsADrill, format!("{id} was sent as {word} and is kept as the other"));
        }
    }
}

fn radiated(view: &mut View<'_>, link: &LinkId, said: &Said) {
    let Said::Text { text, .. } = said else { return };
    let Some((_, attempt)) = view.book.attempt_of(link, said, view.ground.reads_bytes(link)) else { return };
    let Some(message) = view.book.messages.get(&attempt.id) else { return };
    // A text in parts carries the mark in its first one.
    let marked = text.starts_with(Traffic::MARK);
    let (first, id) = (attempt.part == 0, printed(attempt.id));
    if message.exercise && first && !marked {
        view.broken(Law::DrillIsADrill, format!("exercise message {id} was radiated without {}", Traffic::MARK));
    }
    if !message.exercise && marked {
        view.broken(Law::DrillIsADrill, format!("{id} is real and was radiated as an exercise"));
    }
}

fn heard(view: &mut View<'_>, id: u64) {
    let Some(message) = view.book.messages.get(&id).filter(|message| message.is_heard()) else { return };
    let says_so = Traffic::of_plain_text(&message.text) == Traffic::Exercise;
    let answers = view.book.messages.get(&message.in_reply_to).is_some_and(|asked| asked.exercise);
    let (exercise, text) = (message.exercise, message.text.clone());
    if exercise && !says_so && !answers {
        view.broken(Law::DrillIsADrill, format!("{id} {text:?} is real and is shown as an exercise", id = printed(id)));
    }
    if !exercise && says_so {
        view.broken(Law::DrillIsADrill, format!("{id} {text:?} says that it is an exercise", id = printed(id)));
    }
}
