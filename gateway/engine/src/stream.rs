//! The stream: how the rows of one message go out until the far side has it, and what the far side says meanwhile.
//!
//! A message of `n` source rows is carried by a code of which any `n` different rows give it back (an MDS code), so
//! nobody needs to say which row was lost, only how many are missing. The sender is a [`Stream`], the far side a
//! [`Gathering`]; both count in slots of their own card, and neither has a clock.
//!
//! **Invariants**
//! - No more than one row a slot; nothing after COMPLETE.
//! - A burst is never longer than what gives the message to the far side in 999 of 1000 cases at the estimated loss.
//! - Integers only: both ends and every machine come to the same schedule.

use serde::{Deserialize, Serialize};

/// Source rows of one message, at most.
pub const ROWS_MAX: u8 = 32;
/// Different rows of one message: source and repair together. Then they come round again.
pub const ROW_INDICES: u32 = 64;
/// Losses are told in parts of 1000, and no link is thought worse than this: the sizes would run away.
pub const LOSS_MAX: u32 = 900;

/// In how many of 1000 cases a burst is enough.
const BURST_SHARE: u32 = 999;
/// Slots to wait after a burst without COMPLETE; the last one again and again.
const WAITS: [u64; 3] = [4, 8, 16];
/// Slots after a row before which a sign of life does not call for the next one: its own receipt may be on its way.
pub const REVIVES_AFTER: u32 = 4;
/// Chance is counted in parts of this, so that a product with 1000 fits into 64 bits.
const ONE: u64 = 1 << 50;
/// A size that is never reached within [`ROWS_MAX`] and [`LOSS_MAX`].
const SLOTS_MAX: u32 = 1_024;

/// What a receipt says of a message's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Said {
    /// So many rows more, any, and the message is there (1..=32).
    Need(u8),
    /// The message is there, whole and authentic.
    Complete,
}

/// The fewest sends after which the far side has `rows` different rows in `share` of 1000 cases, when each send is lost
/// by itself in `loss` of 1000 cases. `rows` is taken into 1..=32, `loss` into 0..=900, `share` into 0..=999.
#[must_use]
pub fn slots_for(rows: u8, loss: u32, share: u32) -> u32 {
    let miss = u64::from(1_000 - share.min(999));
    let mut tally = Tally::new(rows);
    for slots in 1..SLOTS_MAX {
        tally.send(loss);
        if tally.unfinished().saturating_mul(1_000) <= miss.saturating_mul(ONE) {
            return slots;
        }
    }
    SLOTS_MAX
}

/// Sends that so many rows take in the mean at this loss of 1000, in thousandths.
#[must_use]
pub const fn sends_in_the_mean(rows: u64, loss: u32) -> u64 {
    let kept = 1_000_u32.saturating_sub(loss);
    rows.saturating_mul(1_000_000) / if kept < 100 { 100 } else { kept as u64 }
}

/// Slots, in thousandths, that a message will still take of whose `wanted` rows so many are `out`: when all that is needed
/// is out, once more in so many of 1000 cases.
#[must_use]
pub const fn weight(wanted: u64, out: u64, loss: u32) -> u64 {
    match wanted.saturating_sub(out) {
        0 => loss as u64,
        certain => sends_in_the_mean(certain, loss),
    }
}

/// How many unprompted copies of COMPLETE are worth their air: until all of them are lost in 65 of 1000 cases at most.
#[must_use]
pub fn complete_copies(loss: u32) -> u32 {
    let loss = u64::from(loss.min(LOSS_MAX));
    let mut all_lost = loss;
    let mut copies = 1;
    while all_lost > 65 {
        all_lost = all_lost * loss / 1_000;
        copies += 1;
    }
    copies
}

/// How likely the far side has 0, 1, 2 … rows while the message is not complete, in parts of [`ONE`].
#[derive(Clone, Debug)]
struct Tally {
    left: Vec<u64>,
}

impl Tally {
    fn new(rows: u8) -> Self {
        let mut left = vec![0; usize::from(rows.clamp(1, ROWS_MAX))];
        if let Some(none) = left.first_mut() {
            *none = ONE;
        }
        Self { left }
    }

    /// One more send. Rounds down, so that a share that is met exactly counts as met.
    fn send(&mut self, loss: u32) {
        let lost = u64::from(loss.min(LOSS_MAX));
        let mut fewer = 0;
        for here in &mut self.left {
            let before = *here;
            *here = (before * lost + fewer * (1_000 - lost)) / 1_000;
            fewer = before;
        }
    }

    fn unfinished(&self) -> u64 {
        self.left.iter().sum()
    }
}

/// The sender's side of one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    rows: u8,
    loss: u32,
    /// Rows that the far side still wants, as far as it has said.
    wanted: u8,
    /// Sends in the burst that runs, of `burst`.
    out: u32,
    burst: u32,
    /// Waits since that burst ended.
    waits: u8,
    /// Sends of all bursts.
    sent: u32,
    not_before: u64,
    /// Never repeated: what supersedes it is on its way.
    once: bool,
    complete: bool,
}

impl Stream {
    /// A message of `rows` source rows (1..=32) over a link that loses `loss` of 1000 frames.
    #[must_use]
    pub fn new(rows: u8, loss: u32) -> Self {
        let rows = rows.clamp(1, ROWS_MAX);
        Self {
            rows,
            loss: loss.min(LOSS_MAX),
            wanted: rows,
            out: 0,
            burst: slots_for(rows, loss, BURST_SHARE),
            waits: 0,
            sent: 0,
            not_before: 0,
            once: false,
            complete: false,
        }
    }

    /// A message that the next one supersedes, such as a ROUTINE position: its rows go out once, receipt or not.
    #[must_use]
    pub fn once(rows: u8) -> Self {
        let rows = rows.clamp(1, ROWS_MAX);
        Self { burst: rows.into(), once: true, ..Self::new(rows, 0) }
    }

    /// The slot from which the next row may go out; `None` when nothing is to be sent any more. The end of the message's
    /// life is the caller's.
    #[must_use]
    pub const fn due(&self) -> Option<u64> {
        if self.complete || (self.once && self.out >= self.burst) { None } else { Some(self.not_before) }
    }

    /// Whether a row may go out in this slot.
    #[must_use]
    pub fn is_due(&self, slot: u64) -> bool {
        self.due().is_some_and(|from| from <= slot)
    }

    /// The index of the row to send next, 0..=63; always 0 for a message that is one row.
    #[must_use]
    pub fn row(&self) -> u8 {
        self.row_after(0)
    }

    /// As [`Self::row`], when `more` rows are on their way that no [`Self::sent`] has counted yet.
    #[must_use]
    pub fn row_after(&self, more: u32) -> u8 {
        let index = if self.rows == 1 { 0 } else { self.sent.saturating_add(more) % ROW_INDICES };
        u8::try_from(index).unwrap_or(0)
    }

    /// Which try this is, from 1, as far as the choice of a bearer goes: every send of a single row, every burst of
    /// several and every probe after it.
    #[must_use]
    pub const fn tries(&self) -> u32 {
        if self.rows == 1 { self.sent.saturating_add(1) } else { self.waits as u32 + 1 }
    }

    /// A row went out in `slot`.
    pub fn sent(&mut self, slot: u64) {
        self.sent = self.sent.saturating_add(1);
        self.out = self.out.saturating_add(1);
        let gap = if self.out < self.burst { 1 } else { self.wait() };
        self.not_before = slot.saturating_add(gap);
    }

    fn wait(&mut self) -> u64 {
        let gap = WAITS.get(usize::from(self.waits)).or(WAITS.last()).copied().unwrap_or(1);
        self.waits = self.waits.saturating_add(1);
        gap
    }

    /// A receipt of this message was heard in `slot`.
    ///
    /// NEED may be late and ask for more than is still missing; the burst it starts is cut short by COMPLETE.
    pub fn heard(&mut self, slot: u64, said: Said) {
        match said {
            Said::Complete => self.complete = true,
            Said::Need(rows) if !self.complete && !self.once => {
                self.wanted = rows.clamp(1, self.rows);
                self.burst = slots_for(self.wanted, self.loss, BURST_SHARE);
                self.out = 0;
                self.waits = 0;
                self.not_before = self.not_before.min(slot);
            }
            Said::Need(_) => {}
        }
    }

    /// The link is now thought to lose `loss` of 1000 frames: the burst that runs is sized anew.
    pub fn expect_loss(&mut self, loss: u32) {
        self.loss = loss.min(LOSS_MAX);
        if !self.once {
            self.burst = slots_for(self.wanted, self.loss, BURST_SHARE);
        }
    }

    /// NEED says how many rows came through: what the way loses is reckoned halfway between what was thought and that.
    pub fn learn_loss(&mut self, still_wanted: u8) {
        let came = u32::from(self.wanted.saturating_sub(still_wanted));
        if self.out == 0 || self.complete {
            return;
        }
        let lost = 1_000_u32.saturating_sub(came.saturating_mul(1_000) / self.out);
        self.loss = u32::midpoint(self.loss, lost).min(LOSS_MAX);
    }

    /// A burst has ended without COMPLETE, and the stream sends now and then only.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        !self.complete && !self.once && self.out >= self.burst
    }

    /// The way has just been heard to work, by whatever message: what waited for better air has it, and sends one row at
    /// `slot` already. The caller keeps [`REVIVES_AFTER`] slots between a row and this.
    pub fn revive(&mut self, slot: u64) {
        if self.is_waiting() {
            self.waits = 0;
            self.not_before = self.not_before.min(slot);
        }
    }

    /// Sends that may follow each other without waiting for a word: before that nothing can be complete.
    #[must_use]
    pub const fn is_certainly_wanted(&self) -> bool {
        !self.complete && self.out < self.wanted as u32
    }

    /// Source rows of the message.
    #[must_use]
    pub const fn rows(&self) -> u8 {
        self.rows
    }

    /// Rows that the far side still wants, as far as it has said.
    #[must_use]
    pub const fn wanted(&self) -> u8 {
        self.wanted
    }

    /// The loss that the sizes reckon with, of 1000.
    #[must_use]
    pub const fn loss(&self) -> u32 {
        self.loss
    }

    /// Size of the burst that runs.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// Sends in the burst that runs.
    #[must_use]
    pub const fn out(&self) -> u32 {
        self.out
    }

    /// Sends so far.
    #[must_use]
    pub const fn sends(&self) -> u32 {
        self.sent
    }

    /// The far side has it.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }
}

/// Slots of silence after which an incomplete message is asked for.
const PATIENCE: u64 = 4;
const PATIENCE_FLASH: u64 = 2;
/// Slots between two NEEDs of one message, doubled up to the second figure while no new row comes.
const NEED_GAP: u64 = 4;
const NEED_GAP_MAX: u64 = 16;

/// The far side's view of one message: rows counted, and what is to be said of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gathering {
    rows: u8,
    have: u8,
    loss: u32,
    patience: u64,
    /// Copies of COMPLETE still to be said.
    owed: u32,
    heard_at: u64,
    /// A row came after a silence: the sender has ended its burst and only probes, so it is told at once.
    probed: bool,
    need_at: u64,
    need_gap: u64,
}

impl Gathering {
    /// A message of `rows` source rows (1..=32) of which none is there yet; `loss` of 1000 is what receipts meet on their way back.
    #[must_use]
    pub fn new(rows: u8, loss: u32, flash: bool) -> Self {
        Self {
            rows: rows.clamp(1, ROWS_MAX),
            have: 0,
            loss: loss.min(LOSS_MAX),
            patience: if flash { PATIENCE_FLASH } else { PATIENCE },
            owed: 0,
            heard_at: 0,
            probed: false,
            need_at: 0,
            need_gap: NEED_GAP,
        }
    }

    /// A row was heard in `slot`; `fresh` when it is none of those that are there.
    pub fn heard(&mut self, slot: u64, fresh: bool) {
        if self.is_complete() {
            // Whoever still sends has not heard COMPLETE.
            self.owed = complete_copies(self.loss);
            return;
        }
        self.probed = self.have > 0 && slot.saturating_sub(self.heard_at) > self.patience;
        self.heard_at = slot;
        if fresh {
            self.have += 1;
            self.need_gap = NEED_GAP;
        }
        if self.is_complete() {
            self.owed = complete_copies(self.loss);
        }
    }

    /// What should be said in this slot, if a receipt can be sent.
    #[must_use]
    pub fn due(&self, slot: u64) -> Option<Said> {
        if self.is_complete() {
            return (self.owed > 0).then_some(Said::Complete);
        }
        let silent = slot.saturating_sub(self.heard_at) >= self.patience;
        let may_ask = self.have > 0 && slot >= self.need_at;
        (may_ask && (silent || self.probed)).then(|| Said::Need(self.rows - self.have))
    }

    /// What was due was said in `slot`.
    pub fn said(&mut self, slot: u64) {
        if self.is_complete() {
            self.owed = self.owed.saturating_sub(1);
            return;
        }
        self.probed = false;
        self.need_at = slot.saturating_add(self.need_gap);
        self.need_gap = (self.need_gap * 2).min(NEED_GAP_MAX);
    }

    /// Enough rows are there.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.have >= self.rows
    }

    /// Different rows that are there.
    #[must_use]
    pub const fn have(&self) -> u8 {
        self.have
    }
}

#[cfg(test)]
mod tests;
