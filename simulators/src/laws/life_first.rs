//! Law 3: life first. Nothing else is given to a card while a FLASH entry is due there, and nobody starves for ever.

use super::book::{number, printed};
use super::{Fact, Law, NotedRecord, View};
use crate::world::carries_message;
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::message::{LinkId, Precedence};
use yizhan_engine::bus::journal::record::What;
use yizhan_engine::io::{Reply, Request, Ticket};

/// A FLASH that was routed this long ago and never tried is due.
const DUE_AFTER: Duration = Duration::from_millis(500);
/// So many sends of less precedence, or of the same and routed later, may pass a waiting message by.
const PASSED_BY_MAX: u32 = 40;

#[derive(Clone, Debug, Default)]
pub(super) struct LifeFirst {
    /// Sends that jumped the queue while this delivery waited untried.
    passed_by: BTreeMap<(u64, u32), u32>,
    /// What callers asked for and were not answered about yet.
    asked: BTreeMap<Ticket, Precedence>,
}

impl LifeFirst {
    pub fn observe(&mut self, view: &mut View<'_>, fact: &Fact<'_>) {
        match fact {
            Fact::Given { link, bytes } if carries_message(bytes) => self.given(view, link),
            Fact::Asked { ticket, request: Request::Send { precedence, .. } } => {
                self.asked.insert(*ticket, *precedence);
            }
            Fact::Replied { ticket, reply } => self.replied(view, *ticket, reply),
            Fact::Synced { records, .. } | Fact::Crashed { survivors: records, .. } => {
                records.iter().for_each(|record| calls_for_help_are_flash(view, record));
            }
            _ => {}
        }
    }

    fn replied(&mut self, view: &mut View<'_>, ticket: Ticket, reply: &Reply) {
        let (Some(asked), Reply::Accepted { id, .. }) = (self.asked.remove(&ticket), reply) else { return };
        let kept = view.book.messages.get(&number(*id)).map(|message| message.precedence);
        if kept.is_some_and(|kept| kept < asked) {
            view.broken(Law::LifeFirst, format!("{id} was sent as {asked} and is kept as less"));
        }
    }

    fn given(&mut self, view: &mut View<'_>, link: &LinkId) {
        let Some((_, attempt)) = view.book.current(link) else { return };
        let Some(message) = view.book.messages.get(&attempt.id) else { return };
        let Some(bearer) = view.ground.bearers.get(link).copied() else { return };
        let sent = (attempt.id, attempt.delivery);
        let sent_at = view.book.line(sent.0, sent.1).map_or(Duration::ZERO, |line| line.routed_at);
        let only_link = view.ground.bearers.values().filter(|other| **other == bearer).count() == 1;
        let mut found = Vec::new();
        for (id, waiting) in &view.book.messages {
            // What ended long ago is passed over quickly: most messages are.
            if waiting.held || waiting.lines.iter().all(|line| line.end.is_some()) {
                continue;
            }
            for (number, line) in (0_u32..).zip(&waiting.lines) {
                let mine = line.terminals.first().is_some_and(|first| first.starts_with(bearer.name()));
                let untried = line.tries == 0 && line.end.is_none() && mine && (*id, number) != sent;
                if !untried || view.at.saturating_sub(line.routed_at) < DUE_AFTER {
                    continue;
                }
                let flash_due = waiting.precedence == Precedence::Flash && message.precedence < Precedence::Flash;
                if flash_due && only_link {
                    let (sent, waiting) = (printed(sent.0), printed(*id));
                    found.push(format!(
                        "{sent} ({}) went to {link} while FLASH {waiting} was due there",
                        message.precedence
                    ));
                }
                let later = message.precedence == waiting.precedence && sent_at > line.routed_at;
                if message.precedence < waiting.precedence || later {
                    let passed = self.passed_by.entry((*id, number)).or_default();
                    *passed += 1;
                    if *passed == PASSED_BY_MAX {
                        found.push(format!("{} starves: {passed} sends that could wait passed it by", printed(*id)));
                    }
                }
            }
        }
        found.into_iter().for_each(|what| view.broken(Law::LifeFirst, what));
        self.passed_by.remove(&sent);
    }
}

fn calls_for_help_are_flash(view: &mut View<'_>, record: &NotedRecord) {
    if let Some(What::MessageKept(kept)) = &record.what
        && !kept.link.is_empty()
        && kept.text.starts_with("SOS")
        && kept.precedence != Precedence::Flash.name()
    {
        view.broken(Law::LifeFirst, format!("{} calls for help and is kept as {}", printed(kept.id), kept.precedence));
    }
}
