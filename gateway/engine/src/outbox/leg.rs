//! Legs: a delivery's way over one terminal, how many copies it may take and what is still to be sent.

use crate::bus::{Delivery, Message, PartState};
use crate::config::Policy;
use crate::stream::REVIVES_AFTER;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::message::{Bearer, LinkId, Rung, TerminalId};

/// How often a bearer that confirms delivery is tried before it is left to other bearers and the message's life.
const PROVING_TRIES: u32 = 5;
/// Refusals by our own terminal after which a leg is given up.
const FAILED_MAX: u8 = 3;
/// First gap between two tries on a bearer that confirms delivery; doubled each time.
pub(crate) const PROVING_GAP: Duration = Duration::from_secs(10);
/// Gap after a write that the port did not take; doubled each time, up to some eight minutes.
const UNWRITTEN_GAP: Duration = Duration::from_secs(2);
/// Slots between two copies on a bearer that cannot confirm; doubled each time.
const COPY_GAP_SLOTS: u32 = 4;

/// A delivery that still has something to send.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// When it was queued in this process, for ageing.
    pub since: Instant,
    pub legs: BTreeMap<TerminalId, Leg>,
    /// To a station: the bearers of this try, by its terminals, and which try it is.
    pub ways: Vec<TerminalId>,
    pub attempt: u32,
    /// Those that carried it since a receipt came.
    pub unanswered: Vec<TerminalId>,
    /// When the last row went out, and what its card takes for a send.
    pub sent_at: Option<(Instant, Duration)>,
    /// To a station: links that carried it since it was last due. A FLASH takes two at once.
    pub round: Vec<LinkId>,
}

/// What a restart may forget of a leg.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Leg {
    pub not_before: Instant,
    /// No device can carry this text to this terminal.
    pub refused: bool,
    /// Writes in a row that the port did not take.
    pub unwritten: u32,
}

impl Pending {
    pub fn new(since: Instant) -> Self {
        Self {
            since,
            legs: BTreeMap::new(),
            ways: Vec::new(),
            attempt: 0,
            unanswered: Vec::new(),
            sent_at: None,
            round: Vec::new(),
        }
    }

    /// Whether a FLASH that went out over another link is to go out over this one too, without waiting.
    pub fn wants_twin(&self, link: &LinkId) -> bool {
        self.round.len() == 1 && !self.round.contains(link)
    }

    /// A frame starts over a link; `due` = not as the second one of a FLASH.
    pub fn starts(&mut self, link: &LinkId, due: bool) {
        if due {
            self.round.clear();
        }
        self.round.push(link.clone());
    }

    /// The way to the station was heard to work: what waited for better air goes on, unless its own receipt may still be
    /// on its way. Whether anything changed.
    pub fn revive(&mut self, now: Instant) -> bool {
        let fresh = self.sent_at.is_some_and(|(at, slot)| now.since(at) < slot * REVIVES_AFTER);
        let waiting = self.legs.values_mut().filter(|leg| !fresh && leg.not_before > now);
        waiting.map(|leg| leg.not_before = now).count() > 0
    }

    pub fn leg(&self, terminal: &TerminalId) -> Leg {
        self.legs.get(terminal).copied().unwrap_or_default()
    }

    pub fn leg_mut(&mut self, terminal: &TerminalId) -> &mut Leg {
        self.legs.entry(terminal.clone()).or_default()
    }
}

/// How many copies a message may take on a bearer that cannot confirm. A FLASH that outlived its life is tried on.
pub(crate) fn copies_max(policy: &Policy, message: &Message) -> u8 {
    let copies = policy.copies;
    if message.downgraded { copies.flash.saturating_add(copies.immediate) } else { copies.of(message.precedence) }
}

/// Copies of a part that may have reached the far side. What goes to a station has none: repair takes its sender's turn like
/// the rest, or a flood of first tries would keep every lost row from being mended.
pub(crate) fn copies_out(delivery: &Delivery) -> u32 {
    let of_plan = |parts: &Vec<PartState>| {
        parts.iter().map(|part| u32::from(part.spent.saturating_sub(part.failed))).min().unwrap_or(0)
    };
    delivery.plans.values().map(of_plan).sum()
}

/// Whether a leg may still send anything at all.
pub(crate) fn is_open(delivery: &Delivery, terminal: &TerminalId, copies_max: u8, proves: bool, leg: Leg) -> bool {
    if delivery.station.is_some() {
        // The stream says when it is done; the message's life ends it otherwise.
        return !leg.refused && delivery.air.as_ref().is_none_or(|air| air.stream.due().is_some());
    }
    let limit = if proves { PROVING_TRIES } else { u32::from(copies_max) };
    let tired = |parts: &Vec<PartState>| {
        parts.iter().any(|part| part.failed >= FAILED_MAX && u32::from(part.failed) >= limit.min(FAILED_MAX.into()))
    };
    let exhausted = delivery.plans.get(terminal).is_some_and(tired);
    !leg.refused && !exhausted && copies_out(delivery) < limit
}

/// The next part to send on a leg: the least sent one that has not arrived. `None` = all have arrived.
pub(crate) fn next_part(parts: &[PartState]) -> Option<usize> {
    let unfinished = parts.iter().enumerate().filter(|(_, part)| part.rung < Rung::Delivered);
    unfinished.min_by_key(|(index, part)| (part.spent, *index)).map(|(index, _)| index)
}

/// Whether every part that has not arrived was sent equally often: a round is complete and the next one waits.
pub(crate) fn round_is_complete(parts: &[PartState]) -> bool {
    let mut spent = parts.iter().filter(|part| part.rung < Rung::Delivered).map(|part| part.spent);
    let first = spent.next().unwrap_or(0);
    first > 0 && spent.all(|other| other == first)
}

/// How long the next round waits after `rounds` complete ones.
pub(crate) fn gap(proves: bool, rounds: u32, slot: Duration) -> Duration {
    let doubled = 1_u32 << rounds.saturating_sub(1).min(5);
    if proves { PROVING_GAP * doubled } else { slot * (COPY_GAP_SLOTS * doubled) }
}

/// How long a leg waits after `unwritten` writes in a row that its port did not take.
pub(crate) fn write_gap(unwritten: u32) -> Duration {
    UNWRITTEN_GAP * (1 << unwritten.saturating_sub(1).min(8))
}

/// The terminals to try now, best first. FLASH goes over two bearers at once; otherwise the least used one is tried,
/// so that a second try goes another way.
pub(crate) fn active<'a>(
    delivery: &'a Delivery,
    flash: bool,
    usable: &dyn Fn(&TerminalId) -> bool,
) -> Vec<&'a TerminalId> {
    let mut ways: Vec<&TerminalId> = delivery.terminals.iter().filter(|terminal| usable(terminal)).collect();
    ways.sort_by_key(|terminal| {
        delivery.plans.get(*terminal).map_or(0, |parts| parts.iter().map(|part| u32::from(part.spent)).sum::<u32>())
    });
    if flash {
        let mut bearers: Vec<Bearer> = Vec::new();
        ways.retain(|terminal| {
            let fresh = !bearers.contains(&terminal.bearer) && bearers.len() < 2;
            if fresh {
                bearers.push(terminal.bearer);
            }
            fresh
        });
    } else {
        ways.truncate(1);
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(spent: u8, failed: u8, rung: Rung) -> PartState {
        PartState { text: String::new(), spent, failed, rung }
    }

    #[test]
    fn parts_go_out_in_order_and_those_that_arrived_are_not_repeated() {
        assert_eq!(next_part(&[part(1, 0, Rung::Radiated), part(0, 0, Rung::Saved)]), Some(1));
        assert_eq!(next_part(&[part(1, 0, Rung::Delivered), part(1, 1, Rung::Taken)]), Some(1));
        assert_eq!(next_part(&[part(1, 0, Rung::Delivered)]), None);
    }

    #[test]
    fn gaps_double() {
        let slot = Duration::from_secs(62);
        assert_eq!(gap(false, 1, slot), slot * 4);
        assert_eq!(gap(false, 3, slot), slot * 16);
        assert_eq!(gap(true, 2, slot), PROVING_GAP * 2);
    }

    #[test]
    fn a_round_is_complete_when_every_missing_part_went_out_equally_often() {
        assert!(!round_is_complete(&[part(1, 0, Rung::Radiated), part(0, 0, Rung::Saved)]));
        assert!(round_is_complete(&[part(1, 0, Rung::Radiated), part(1, 0, Rung::Radiated)]));
        assert!(!round_is_complete(&[part(0, 0, Rung::Saved)]));
    }
}
