//! What people do: operators at the station, holders of field terminals, and fate.

use super::{Happening, World};
use crate::laws::Fact;
use crate::terminal::Act;
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::message::{LinkId, MessageId, Precedence};
use yizhan_engine::event::Event;
use yizhan_engine::io::{Input, Recipient, Reply, Request, SendKind, Ticket};
use yizhan_engine::people::Roster;

/// The daemon is down: the operator tries again after this time.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// One line of the script.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    ImportRoster(Roster),
    Send(Sending),
    /// Takes back the message sent under this tag.
    Cancel {
        tag: String,
    },
    /// Something is done to a terminal.
    Act {
        terminal: String,
        act: Act,
    },
    /// A port vanishes or comes back.
    Link {
        link: LinkId,
        up: bool,
    },
    /// The daemon dies (`power`: with the machine) and comes back.
    Crash {
        power: bool,
        back_after: Duration,
    },
    /// The next sync fails.
    FailSync,
    /// The disk takes so many more records.
    Fill {
        records: usize,
    },
    /// The daemon keeps a snapshot.
    Snapshot,
}

/// A text that an operator sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    pub to: Recipient,
    pub text: String,
    pub precedence: Precedence,
    pub kind: SendKind,
    pub exercise: bool,
    pub tag: Option<String>,
    /// The tag of the message that this one replaces.
    pub supersedes: Option<String>,
}

/// What an operator is about to do.
#[derive(Clone, Debug)]
pub(crate) enum Errand {
    Ask { request: Request, tag: Option<String> },
    Send(Box<Sending>),
    Cancel(String),
}

/// The people at the station.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operator {
    tickets: u64,
    /// Tags of what was asked and not answered yet.
    asked: BTreeMap<Ticket, String>,
    sent: BTreeMap<String, MessageId>,
    /// How long a person takes to confirm what waits for them; `None` = nobody does.
    pub confirms_after: Option<Duration>,
}

impl World {
    /// How long the operator takes to confirm what is held for a person.
    pub fn confirm_after(&mut self, after: Option<Duration>) {
        self.operator.confirms_after = after;
    }

    pub(crate) fn act_out(&mut self, index: usize) {
        let Some((_, action)) = self.script.get(index).cloned() else { return };
        match action {
            Action::ImportRoster(roster) => {
                let request = Request::ImportRoster { roster, by: "admin".into() };
                self.operate(Errand::Ask { request, tag: None });
            }
            Action::Send(sending) => self.operate(Errand::Send(Box::new(sending))),
            Action::Cancel { tag } => self.operate(Errand::Cancel(tag)),
            Action::Act { terminal, act } => {
                if self.terminals.contains_key(&terminal) {
                    self.fact(&Fact::Done { terminal: &terminal, act: &act });
                    self.act_on_terminal(&terminal, &act);
                }
            }
            Action::Link { link, up } => self.set_link(&link, up),
            Action::Crash { power, back_after } => self.crash(power, Some(back_after)),
            Action::FailSync => self.disk.fails_next_sync = true,
            Action::Fill { records } => self.disk.capacity = self.disk.kept().len() + records,
            Action::Snapshot => self.keep_snapshot(),
        }
    }

    pub(crate) fn operate(&mut self, errand: Errand) {
        if self.station.engine.is_none() {
            return self.queue.put(self.now + TRY_AGAIN, Happening::Operator(errand));
        }
        let by = "duty".to_owned();
        match errand {
            Errand::Ask { request, tag } => self.ask(request, tag),
            Errand::Send(sending) => {
                let Sending { to, text, precedence, kind, exercise, tag, supersedes } = *sending;
                let supersedes = supersedes.and_then(|tag| self.operator.sent.get(&tag).copied());
                let in_reply_to = None;
                let request = Request::Send { to, text, precedence, kind, exercise, in_reply_to, supersedes, by };
                self.ask(request, tag);
            }
            Errand::Cancel(tag) => {
                if let Some(id) = self.operator.sent.get(&tag).copied() {
                    self.ask(Request::Cancel { id, by }, None);
                }
            }
        }
    }

    fn ask(&mut self, request: Request, tag: Option<String>) {
        self.operator.tickets += 1;
        let ticket = Ticket(self.operator.tickets);
        if let Some(tag) = tag {
            self.operator.asked.insert(ticket, tag);
        }
        self.fact(&Fact::Asked { ticket, request: &request });
        self.feed(Input::Submit { ticket, request });
    }

    pub(crate) fn replied(&mut self, ticket: Ticket, reply: &Reply) {
        let tag = self.operator.asked.remove(&ticket);
        if let (Some(tag), Reply::Accepted { id, .. }) = (tag, reply) {
            self.operator.sent.insert(tag, *id);
        }
    }

    /// What the operator does about an event.
    pub(crate) fn event(&mut self, event: &Event) {
        if let (Event::ConfirmationWanted { id, .. }, Some(after)) = (event, self.operator.confirms_after) {
            let request = Request::Confirm { id: *id, by: "duty".into() };
            self.queue.put(self.now + after, Happening::Operator(Errand::Ask { request, tag: None }));
        }
    }
}
