//! Law 5: nothing vanishes. Every delivery ends within its message's life, with a reason; the rung shown is the highest
//! proven and never more than the bearer and the people can prove.

use super::book::{number, printed};
use super::{Fact, Law, View};
use crate::terminal::Said;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use yizhan_codecs::message::{Bearer, LinkId, Rung};
use yizhan_engine::bus::journal::record::What;
use yizhan_engine::event::Event;
use yizhan_engine::io::{Reply, Request, Ticket};

/// An end may come this much later than the life: a word is waited for, a disk is slow, a station was down.
const LATE: Duration = Duration::from_secs(120);

#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    /// Numbers whose machine took a text of ours, and whose word came to a terminal of ours.
    taken_by: BTreeSet<String>,
    /// Numbers of the field that said anything to us in words.
    spoke: BTreeSet<String>,
    /// Links on which our own terminal radiated.
    radiated: BTreeSet<LinkId>,
    /// Ids that were promised to a caller, and must be in the journal for ever.
    accepted: BTreeSet<u64>,
    noted: BTreeSet<u64>,
    /// Texts that callers asked to send and were not answered about yet.
    asked: BTreeMap<Ticket, String>,
    /// Texts whose senders were told that they were not taken in.
    refused: BTreeSet<String>,
}

impl Ends {
    pub fn observe(&mut self, view: &mut View<'_>, fact: &Fact<'_>) {
        match fact {
            Fact::Asked { ticket, request } => {
                if let Request::Send { text, .. } = request {
                    self.asked.insert(*ticket, text.clone());
                }
                if let Request::NoteAnswer { id, .. } = request {
                    self.noted.insert(number(*id));
                }
            }
            Fact::Replied { ticket, reply } => {
                let text = self.asked.remove(ticket);
                match reply {
                    Reply::Accepted { id, .. } => {
                        self.accepted.insert(number(*id));
                    }
                    Reply::Refused(_) => self.refused.extend(text),
                    _ => {}
                }
            }
            Fact::TakenUp { message } => match &message.said {
                Said::Taken { .. } => {
                    self.taken_by.insert(message.from.to_string());
                }
                Said::Text { .. } => {
                    self.spoke.insert(message.from.to_string());
                }
                _ => {}
            },
            Fact::Radiated { link: Some(link), message } => {
                self.radiated.insert((*link).clone());
                if let Said::Text { text, .. } = &message.said
                    && let Some(refused) = self.refused.iter().find(|refused| text.starts_with(refused.as_str()))
                {
                    view.broken(Law::NothingVanishes, format!("{refused:?} was refused and went out all the same"));
                }
            }
            Fact::Synced { records, .. } => {
                for record in *records {
                    match &record.what {
                        Some(What::RungRaised(raised)) => self.proven(view, raised.id, raised.delivery),
                        Some(What::DeliveryEnded(ended)) if ended.reason.is_empty() => {
                            let what = format!("{} ended as {} without a reason", printed(ended.id), ended.end);
                            view.broken(Law::NothingVanishes, what);
                        }
                        _ => {}
                    }
                }
            }
            Fact::Told(Event::DeliveryEnded { id, delivery, end, rung }) => {
                let arrived = rung.is_arrival();
                if arrived && matches!(end.name(), "unknown" | "expired") {
                    let what = format!("{id}/{delivery} is shown {} although {} is proven", end.label(), rung.label());
                    view.broken(Law::NothingVanishes, what);
                }
            }
            Fact::Over => self.over(view),
            _ => {}
        }
    }

    /// Is this rung proven by what the world did, and can the radio that it went over prove it at all?
    fn proven(&self, view: &mut View<'_>, id: u64, delivery: u32) {
        let Some(line) = view.book.line(id, delivery) else { return };
        let spoke = |terminal: &String| self.spoke.contains(terminal);
        let over = |fits: &dyn Fn(&LinkId) -> bool| {
            let tries = view.book.attempts.values().filter(|tried| (tried.id, tried.delivery) == (id, delivery));
            let mut links = tries.filter_map(|tried| view.ground.links.get_key_value(&LinkId::new(&tried.link)));
            links.any(|(link, standing)| standing.proves >= line.rung && fits(link))
        };
        let in_a_mesh = line.terminals.iter().any(|terminal| terminal.starts_with(Bearer::Mesh.name()));
        let proven = match line.rung {
            Rung::Waiting | Rung::Saved => true,
            Rung::Taken => over(&|_| true),
            Rung::Radiated => over(&|link| self.radiated.contains(link)),
            Rung::Repeated => in_a_mesh && over(&|link| self.radiated.contains(link)),
            Rung::Delivered => over(&|_| true) && line.terminals.iter().any(|t| self.taken_by.contains(t)),
            Rung::Read | Rung::Answered(_) => {
                line.terminals.iter().any(spoke) || self.noted.contains(&id) || line.group
            }
        };
        if !proven {
            let (rung, whom) = (line.rung.label(), line.terminals.join(", "));
            view.broken(
                Law::NothingVanishes,
                format!("{}/{delivery} to {whom} claims {rung} without proof", printed(id)),
            );
        }
    }

    fn over(&self, view: &mut View<'_>) {
        let mut found = Vec::new();
        for id in &self.accepted {
            if !view.book.messages.contains_key(id) {
                found.push(format!("{} was accepted and is not in the journal", printed(*id)));
            }
        }
        for (id, message) in &view.book.messages {
            if self.accepted.contains(id) && message.lines.is_empty() {
                found.push(format!("{} was accepted and goes to nobody", printed(*id)));
            }
            let over = message.at + message.life + LATE < view.at;
            for line in message.lines.iter().filter(|line| line.end.is_none() && over && !message.held) {
                let whom = line.terminals.join(", ");
                found.push(format!("{} to {whom} has no end, {:?} after its life", printed(*id), view.at - message.at));
            }
            for line in message.lines.iter().filter(|line| line.end.as_deref() == Some("expired")) {
                let sent = view.book.attempts.values().any(|attempt| {
                    attempt.id == *id
                        && line.terminals.contains(&attempt.terminal)
                        && attempt.ended.as_deref() == Some("radiated")
                });
                if sent {
                    found.push(format!("{} is shown 过期 although it was radiated", printed(*id)));
                }
            }
        }
        found.into_iter().for_each(|what| view.broken(Law::NothingVanishes, what));
    }
}
