//! The gate: effects that wait until the records they depend on are synced.

use crate::event::{AttemptId, Event};
use crate::io::{Offset, Reply, Ticket};
use bytes::Bytes;
use std::collections::BTreeMap;
use yizhan_codecs::message::{LinkId, Peer, Signal};

/// An effect that promises something or spends airtime.
#[derive(Clone, Debug)]
pub enum Gated {
    /// What a terminal said is stored: its service answer, where it has one, and the word that it may forget.
    Acknowledge { link: LinkId, to: Option<Peer>, bytes: Option<Bytes>, signal: Box<Signal> },
    /// The answer to a request.
    Reply { ticket: Ticket, reply: Reply },
    /// Showing something to people.
    Tell(Event),
    /// Bytes of a message to a terminal.
    Release(AttemptId),
}

/// Effects by the offset they wait for, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    stored: Offset,
    held: BTreeMap<(Offset, u64), Gated>,
    sequence: u64,
}

impl Gate {
    /// Everything up to here is synced.
    pub const fn stored(&self) -> Offset {
        self.stored
    }

    /// Starts after a recovery: what was read from disk is on disk.
    pub fn start_at(&mut self, stored: Offset) {
        self.stored = stored;
    }

    /// Holds an effect until `offset` is synced. [`Gate::pass`] gives it back, at once if it already is.
    pub fn hold(&mut self, offset: Offset, effect: Gated) {
        self.sequence += 1;
        self.held.insert((offset, self.sequence), effect);
    }

    /// Notes that everything up to `through` is synced.
    pub fn open(&mut self, through: Offset) {
        self.stored = self.stored.max(through);
    }

    /// The next effect that need not wait any more, and the offset it waited for.
    pub fn pass(&mut self) -> Option<(Offset, Gated)> {
        let entry = self.held.first_entry()?;
        if entry.key().0 > self.stored {
            return None;
        }
        let offset = entry.key().0;
        Some((offset, entry.remove()))
    }

    /// Everything that is held, because the journal failed and it will never be synced.
    pub fn drain(&mut self) -> Vec<Gated> {
        std::mem::take(&mut self.held).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_passes_before_its_record_is_synced() {
        let mut gate = Gate::default();
        gate.hold(Offset(2), Gated::Release(AttemptId(2)));
        gate.hold(Offset(1), Gated::Release(AttemptId(1)));
        assert!(gate.pass().is_none());
        gate.open(Offset(1));
        assert!(matches!(gate.pass(), Some((Offset(1), Gated::Release(AttemptId(1))))));
        assert!(gate.pass().is_none());
        gate.open(Offset(2));
        assert!(matches!(gate.pass(), Some((Offset(2), Gated::Release(AttemptId(2))))));
    }
}
