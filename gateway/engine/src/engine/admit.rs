//! Admission: one sender may not fill the queue for all others.
//!
//! Senders take turns at the cards, so that a flood delays its own messages first; what it must not do is take every place.
//! Whoever sends from the field, by a handheld or at an outpost, may hold his share of what is queued. The command post's
//! own people work for everybody: their share is of all places. FLASH, orders and warnings are never counted.

use super::Engine;
use super::submit::OWN_NAME;
use crate::bus::Message;
use crate::io::{Refusal, SendKind};
use crate::time::Now;
use yizhan_codecs::message::{MessageId, Precedence};

/// Frames of one message, at most.
const ROWS_MAX: u64 = 32;

/// Who wants to send something.
pub(super) struct Applicant<'a> {
    pub by: &'a str,
    pub precedence: Precedence,
    pub kind: SendKind,
    /// It came from a handheld and is sent on.
    pub relayed: bool,
    /// Slots that it takes at least.
    pub wanted: u64,
}

impl<'a> Applicant<'a> {
    /// A message that was heard and is to be sent on.
    pub fn of(message: &'a Message, targets: usize) -> Self {
        Self {
            by: &message.by,
            precedence: message.precedence,
            kind: message.kind,
            relayed: message.from.is_some(),
            wanted: u64::try_from(targets).unwrap_or(u64::MAX),
        }
    }
}

impl Engine {
    /// Whether a sender stays within his share. Who has nothing in the queue always may.
    pub(super) fn within_share(&self, now: Now, applicant: &Applicant<'_>) -> Result<(), Refusal> {
        let Applicant { by, precedence, kind, relayed, wanted } = *applicant;
        if precedence == Precedence::Flash || kind.urges() || by == OWN_NAME {
            return Ok(());
        }
        let policy = &self.config.policy;
        let open_places = policy.outbox_max.saturating_sub(policy.flash_reserved);
        let least = if relayed || self.centre().is_some() {
            policy.sender_share_from.into()
        } else {
            u64::try_from(open_places).unwrap_or(u64::MAX)
        };
        let allowed = |queued: u64| queued.max(least).saturating_mul(policy.sender_share.into()) / 1_000;
        // The queue is looked at closely only where there could be too much of him in it.
        let of_sender = |id: MessageId| self.state.message(id).is_some_and(|message| message.by == by);
        let own = self.outbox.pending.keys().filter(|(id, _)| of_sender(*id)).count();
        let own = u64::try_from(own).unwrap_or(u64::MAX);
        if own == 0 || own.saturating_mul(ROWS_MAX).saturating_add(wanted) <= allowed(0) {
            return Ok(());
        }
        let (held, queued) = self.sight(now).queue.held(by);
        let (held, queued) = (held.div_ceil(1_000), queued.div_ceil(1_000));
        let allowed = allowed(queued.saturating_add(wanted));
        if held == 0 || held.saturating_add(wanted) <= allowed {
            return Ok(());
        }
        Err(Refusal::SenderShare { by: by.to_owned(), held, allowed, wanted })
    }
}
