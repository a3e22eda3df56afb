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
            Fact::Given { link, bytes } if view.ground.reads_bytes(link) && carries_message(bytes) => {
                if let Some((number, _)) = view.book.current(link) {
                    self.given(view, link, number, view.at);
                }
            }
            // Bytes do not tell: the choice was made when the attempt was written down.
            Fact::Radiated { link: Some(link), message } if !view.ground.reads_bytes(link) => {
                let named = view.book.attempt_of(link, &message.said, false);
                if let Some((number, chosen_at)) = named.map(|(number, attempt)| (number, attempt.noted_at)) {
                    self.given(view, link, number, chosen_at);
                }
            }
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

    /// `attempt` was chosen for the link at `chosen_at`: did anything more urgent wait there untried?
    fn given(&mut self, view: &mut View<'_>, link: &LinkId, attempt: u64, chosen_at: Duration) {
        let Some(attempt) = view.book.attempts.get(&attempt) else { return };
        let Some(message) = view.book.messages.get(&attempt.id) else { return };
        let sent = (attempt.id, attempt.delivery);
        let sent_at = view.book.line(sent.0, sent.1).map_or(Duration::ZERO, |line| line.routed_at);
        let mut found = Vec::new();
        for (id, waiting) in &view.book.messages {
            // What ended long ago is passed over quickly: most messages are.
            if waiting.held || waiting.lines.iter().all(|line| line.end.is_some()) {
                continue;
            }
            for (number, line) in (0_u32..).zip(&waiting.lines) {
                let links = line.terminals.first().map_or([].as_slice(), |first| view.ground.serving(first));
                let untried = line.tried_at.is_none_or(|at| at > chosen_at) && line.end.is_none();
                if !untried || !links.contains(link) || (*id, number) == sent {
                    continue;
                }
                if chosen_at.saturating_sub(line.routed_at) < DUE_AFTER {
                    continue;
                }
                let only_link = links.len() == 1;
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
