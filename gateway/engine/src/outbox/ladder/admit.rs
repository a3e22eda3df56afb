//! What is taken onto the ladder, and what leaves it without being sent.

use super::Ladder;
use super::entry::{Admitted, Entry, EntryId, Lapse, Matter, Refusal, Sender, Submission};
use crate::stream::Stream;
use crate::time::Instant;
use std::time::Duration;
use yizhan_codecs::message::Precedence;

impl Ladder {
    /// Takes a message, or says why not. A newer one of the same key replaces the older one.
    ///
    /// # Errors
    /// [`Refusal`] with the numbers to tell the sender; nothing has changed then.
    pub fn submit(&mut self, now: Instant, what: Submission) -> Result<Admitted, Refusal> {
        let replaced = what.matter.key().and_then(|key| self.of_key(what.by, key));
        // A position takes no slot of its own and waits for the next one at most: it is never too much.
        let position = what.matter == Matter::Position;
        if what.precedence != Precedence::Flash && !position {
            self.within_share(&what, replaced)?;
        }
        if let Some(older) = replaced {
            self.entries.remove(&older);
        }
        let held = what.precedence == Precedence::Flash && self.is_flood(now, what.by);
        self.last_id += 1;
        let id = EntryId(self.last_id);
        self.entries.insert(id, self.enter(now, what, held));
        Ok(Admitted { id, replaced, held })
    }

    fn enter(&self, now: Instant, what: Submission, held: bool) -> Entry {
        let once = what.matter == Matter::Position && what.precedence == Precedence::Routine;
        let granted = if once { self.rules.position_life } else { self.rules.life.of(what.precedence) };
        Entry {
            by: what.by,
            to: what.to,
            precedence: what.precedence,
            matter: what.matter,
            spare_bits: what.spare_bits,
            since: now,
            stream: if once { Stream::once(what.rows) } else { Stream::new(what.rows, what.loss) },
            expires: now.after(what.life.unwrap_or(granted)),
            held,
            alarmed: false,
            not_before: now,
            sent_at: now,
            round: Vec::new(),
        }
    }

    fn of_key(&self, by: Sender, key: u16) -> Option<EntryId> {
        let same = |entry: &Entry| entry.by == by && entry.matter.key() == Some(key);
        self.entries.iter().find(|(_, entry)| same(entry)).map(|(id, _)| *id)
    }

    /// One sender may not fill the queue for all others. FLASH and positions are not counted, on either side.
    fn within_share(&self, what: &Submission, replaced: Option<EntryId>) -> Result<(), Refusal> {
        let (mut queued, mut held) = (0_u32, 0_u32);
        for (id, entry) in &self.entries {
            let position = entry.matter == Matter::Position;
            if entry.precedence == Precedence::Flash || position || Some(*id) == replaced {
                continue;
            }
            let slots = u32::from(entry.stream.wanted()).saturating_sub(entry.stream.out());
            queued = queued.saturating_add(slots);
            held = held.saturating_add(if entry.by == what.by { slots } else { 0 });
        }
        let wanted = u32::from(what.rows);
        let counted = queued.saturating_add(wanted).max(self.rules.share_from);
        let allowed = counted.saturating_mul(self.rules.sender_share) / 1_000;
        if held == 0 || held.saturating_add(wanted) <= allowed {
            Ok(())
        } else {
            Err(Refusal::Share { held, queued, allowed, wanted })
        }
    }

    /// Whether this FLASH is one too many of its unit; it is counted.
    fn is_flood(&mut self, now: Instant, by: Sender) -> bool {
        let (window, max) = (self.rules.flash_window, self.rules.flash_max);
        let recent = self.flashes.entry(by).or_default();
        recent.retain(|at| now.since(*at) < window);
        let flood = recent.len() >= max;
        // Held ones count no further: the list stays bounded, and the unit's next one is asked about as well.
        if !flood {
            recent.push(now);
        }
        flood
    }

    /// The command post says yes to a held FLASH.
    pub fn confirm(&mut self, now: Instant, id: EntryId) -> bool {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.held) else { return false };
        entry.held = false;
        entry.not_before = now;
        true
    }

    /// The message is withdrawn; what it was, if it was still here.
    pub fn cancel(&mut self, id: EntryId) -> Option<Entry> {
        self.entries.remove(&id)
    }

    /// Ends what has outlived its life, and alarms for FLASH.
    pub fn lapse(&mut self, now: Instant) -> Vec<Lapse> {
        let over: Vec<EntryId> =
            self.entries.iter().filter(|(_, entry)| entry.expires <= now).map(|(id, _)| *id).collect();
        let more = self.rules.life.of(Precedence::Immediate);
        over.into_iter().filter_map(|id| self.lapse_one(now, id, more)).collect()
    }

    fn lapse_one(&mut self, now: Instant, id: EntryId, more: Duration) -> Option<Lapse> {
        let entry = self.entries.get_mut(&id)?;
        if entry.precedence == Precedence::Flash && !entry.alarmed {
            entry.alarmed = true;
            entry.precedence = Precedence::Immediate;
            entry.expires = now.after(more);
            return Some(Lapse::Alarm(id));
        }
        let entry = self.entries.remove(&id)?;
        Some(if entry.stream.sends() > 0 { Lapse::Unknown(id) } else { Lapse::Expired(id) })
    }
}
