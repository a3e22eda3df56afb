//! Law 3: life first. Nothing else is given to a card while a FLASH entry is due there, and nobody starves for ever.

use super::book::printed;
use super::{Fact, Law, View};
use crate::world::carries_message;
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::message::{LinkId, Precedence};
use yizhan_engine::event::{Event, SlotReason};

/// A FLASH that was routed this long ago and never tried is due.
const DUE_AFTER: Duration = Duration::from_millis(500);
/// So many sends of no higher precedence may pass a waiting message by.
const PASSED_BY_MAX: u32 = 40;

#[derive(Clone, Debug, Default)]
pub(super) struct LifeFirst {
    /// Sends of no higher precedence that were given while this delivery waited untried.
    passed_by: BTreeMap<(u64, u32), u32>,
    /// The terminal on this link cannot send now.
    held: BTreeMap<LinkId, bool>,
}

impl LifeFirst {
    pub fn observe(&mut self, view: &mut View<'_>, fact: &Fact<'_>) {
        match fact {
            Fact::Given { link, bytes } if carries_message(bytes) => self.given(view, link),
            Fact::Told(Event::SlotSpent { link, why, .. }) => {
                self.held.insert(link.clone(), matches!(why, SlotReason::Held(_)));
            }
            _ => {}
        }
    }

    fn given(&mut self, view: &mut View<'_>, link: &LinkId) {
        let Some((_, attempt)) = view.book.current(link) else { return };
        let Some(message) = view.book.messages.get(&attempt.id) else { return };
        let Some(bearer) = view.ground.bearers.get(link).copied() else { return };
        let sent = (attempt.id, attempt.delivery);
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
                if message.precedence <= waiting.precedence {
                    let passed = self.passed_by.entry((*id, number)).or_default();
                    *passed += 1;
                    if *passed == PASSED_BY_MAX {
                        found.push(format!(
                            "{} starves: {passed} sends of no higher precedence passed it by",
                            printed(*id)
                        ));
                    }
                }
            }
        }
        found.into_iter().for_each(|what| view.broken(Law::LifeFirst, what));
        self.passed_by.remove(&sent);
    }
}
