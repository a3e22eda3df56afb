//! Law 1: acknowledged means kept. No receipt, no service ack, no accepted reply before the record is synced; no bytes
//! of a message before its attempt is; and what was promised is there after every crash.

use super::{Fact, Law, View};
use crate::terminal::Said;
use crate::world::carries_message;
use yizhan_codecs::air::split_short_id;
use yizhan_codecs::message::{Bearer, LinkId, TerminalId};
use yizhan_engine::event::Event;
use yizhan_engine::io::{Offset, Reply};

#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// The highest record that anybody was told of.
    promised: Offset,
    by_what: String,
    /// After a failed journal traffic goes on without promises.
    poisoned: bool,
}

impl Kept {
    pub fn observe(&mut self, view: &mut View<'_>, fact: &Fact<'_>) {
        match fact {
            Fact::Replied { ticket, reply: Reply::Accepted { offset, .. } | Reply::Done { offset } } => {
                self.promise(view, *offset, || format!("ticket {} was answered", ticket.0));
            }
            Fact::Told(Event::Acknowledged { link, offset }) => {
                self.promise(view, *offset, || format!("a terminal on {link} was acknowledged"));
            }
            Fact::Told(Event::MessageHeard { id, offset, .. }) if !self.poisoned => {
                self.promise(view, *offset, || format!("message {id} was shown"));
            }
            Fact::Told(Event::MessageAccepted { id, offset, .. }) => {
                self.promise(view, *offset, || format!("message {id} was promised"));
            }
            Fact::Told(Event::JournalFailed { .. }) => self.poisoned = true,
            Fact::Booted { .. } => self.poisoned = false,
            Fact::Crashed { through, .. } if *through < self.promised => {
                let (kept, promised, by) = (through.0, self.promised.0, &self.by_what);
                view.broken(
                    Law::AcknowledgedMeansKept,
                    format!("{by} for record {promised}, but the crash left {kept} records"),
                );
                self.promised = *through;
            }
            Fact::Given { link, bytes } => self.given(view, link.name(), bytes),
            Fact::Radiated { link: Some(link), message } if !view.ground.reads_bytes(link) => {
                self.radiated(view, link, &message.said);
            }
            _ => {}
        }
    }

    fn promise(&mut self, view: &mut View<'_>, offset: Offset, what: impl Fn() -> String) {
        if offset > view.book.synced {
            let synced = view.book.synced.0;
            let what = format!("{} for record {}, synced are {synced}", what(), offset.0);
            view.broken(Law::AcknowledgedMeansKept, what);
        }
        if offset > self.promised {
            self.promised = offset;
            self.by_what = what();
        }
    }

    /// A text of ours left the antenna: then one of its attempts over this link is on the disk.
    fn radiated(&self, view: &mut View<'_>, link: &LinkId, said: &Said) {
        let Said::Text { text, .. } = said else { return };
        let Some(id) = split_short_id(text).1 else { return };
        if view.book.attempt_of(link, said, false).is_none() && !self.poisoned {
            let what = format!("{id} was radiated on {link} before any attempt of it was synced");
            view.broken(Law::AcknowledgedMeansKept, what);
        }
    }

    /// The record comes before the bytes: of an attempt, and of a text that a radio is told we have.
    fn given(&mut self, view: &mut View<'_>, link: &str, bytes: &[u8]) {
        let reads_bytes = view.ground.links.keys().any(|id| id.name() == link && view.ground.reads_bytes(id));
        if !reads_bytes {
            return;
        }
        let on_link = view.book.on_link.keys().any(|id| id.name() == link);
        if carries_message(bytes) && !on_link && !self.poisoned {
            let what = format!("{} bytes of a message went to {link} before any synced attempt", bytes.len());
            view.broken(Law::AcknowledgedMeansKept, what);
        }
        // A text ack repeats request, our address and the radio's: 5 bytes of header, 4, 4, subnet byte, 24-bit number.
        if let [0x09, _, 0xA2 | 0xAF, _, _, _, _, _, _, _, _, _, _, _, high, middle, low, 0, ..] = *bytes {
            let number = u32::from_be_bytes([0, high, middle, low]);
            let radio = TerminalId::from_number(Bearer::Radio370, number).to_string();
            if !view.book.messages.values().any(|message| message.from == radio) {
                view.broken(
                    Law::AcknowledgedMeansKept,
                    format!("{radio} was told on {link} that its text was taken, and none of it is synced"),
                );
            }
        }
    }
}
