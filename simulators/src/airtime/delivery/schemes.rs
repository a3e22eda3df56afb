//! Ways to carry the rows of one message over a lossy link: ours, and those it is measured against.

use yizhan_engine::stream::{Gathering, Said, Stream};

/// Both ends of one message. A slot is one frame our way and, after it, at most one receipt back.
pub trait Scheme {
    /// The row that goes out in this slot.
    fn send(&mut self, slot: u64) -> Option<u8>;
    /// The far side hears it.
    fn arrive(&mut self, slot: u64, row: u8);
    /// What the far side says in this slot.
    fn answer(&mut self, slot: u64) -> Option<u64>;
    /// We hear that.
    fn hear(&mut self, slot: u64, answer: u64);
    /// The far side has the whole message.
    fn is_there(&self) -> bool;
    /// We know that it has, or have given up for ever.
    fn is_over(&self) -> bool;
}

/// Slots after which a baseline's sender no longer waits for an answer.
const TIMEOUT: u64 = 4;

/// The policy of the engine, both sides of it.
#[derive(Clone, Debug)]
pub struct MdsStream {
    stream: Stream,
    gathering: Gathering,
    heard: u64,
}

impl MdsStream {
    #[must_use]
    pub fn new(rows: u8, loss: u32, flash: bool) -> Self {
        Self { stream: Stream::new(rows, loss), gathering: Gathering::new(rows, loss, flash), heard: 0 }
    }
}

impl Scheme for MdsStream {
    fn send(&mut self, slot: u64) -> Option<u8> {
        let row = self.stream.is_due(slot).then(|| self.stream.row())?;
        self.stream.sent(slot);
        Some(row)
    }

    fn arrive(&mut self, slot: u64, row: u8) {
        let fresh = self.heard & (1 << row) == 0;
        self.heard |= 1 << row;
        self.gathering.heard(slot, fresh);
    }

    fn answer(&mut self, slot: u64) -> Option<u64> {
        let said = self.gathering.due(slot)?;
        self.gathering.said(slot);
        Some(if let Said::Need(rows) = said { rows.into() } else { 0 })
    }

    fn hear(&mut self, slot: u64, answer: u64) {
        let need = u8::try_from(answer).unwrap_or(u8::MAX);
        self.stream.heard(slot + 1, if need == 0 { Said::Complete } else { Said::Need(need) });
    }

    fn is_there(&self) -> bool {
        self.gathering.is_complete()
    }

    fn is_over(&self) -> bool {
        self.stream.is_complete()
    }
}

/// One row at a time, the next one after its acknowledgement.
#[derive(Clone, Debug)]
pub struct StopAndWait {
    rows: u8,
    acked: u8,
    have: u8,
    not_before: u64,
    owes: bool,
}

impl StopAndWait {
    #[must_use]
    pub const fn new(rows: u8) -> Self {
        Self { rows, acked: 0, have: 0, not_before: 0, owes: false }
    }
}

impl Scheme for StopAndWait {
    fn send(&mut self, slot: u64) -> Option<u8> {
        let due = slot >= self.not_before && self.acked < self.rows;
        due.then(|| {
            self.not_before = slot + TIMEOUT;
            self.acked
        })
    }

    fn arrive(&mut self, _: u64, row: u8) {
        self.have = self.have.max(row + 1);
        self.owes = true;
    }

    fn answer(&mut self, _: u64) -> Option<u64> {
        std::mem::take(&mut self.owes).then_some(self.have.into())
    }

    fn hear(&mut self, slot: u64, answer: u64) {
        self.acked = self.acked.max(u8::try_from(answer).unwrap_or(0));
        self.not_before = slot + 1;
    }

    fn is_there(&self) -> bool {
        self.have == self.rows
    }

    fn is_over(&self) -> bool {
        self.acked == self.rows
    }
}

/// All rows, then those that a bitmap says are missing; the last row of a round asks for the bitmap.
#[derive(Clone, Debug)]
pub struct SelectiveRepeat {
    all: u64,
    round: Vec<u8>,
    asks: u8,
    have: u64,
    acked: u64,
    not_before: u64,
    owes: bool,
}

impl SelectiveRepeat {
    #[must_use]
    pub fn new(rows: u8) -> Self {
        let all = (1 << rows) - 1;
        Self { all, round: (0..rows).rev().collect(), asks: rows - 1, have: 0, acked: 0, not_before: 0, owes: false }
    }
}

impl Scheme for SelectiveRepeat {
    fn send(&mut self, slot: u64) -> Option<u8> {
        if self.is_over() || slot < self.not_before {
            return None;
        }
        // A round that nobody answered: its last row is the question, asked again.
        let row = self.round.pop().unwrap_or(self.asks);
        self.not_before = slot + if self.round.is_empty() { TIMEOUT } else { 1 };
        Some(row)
    }

    fn arrive(&mut self, _: u64, row: u8) {
        self.have |= 1 << row;
        self.owes |= row == self.asks || self.is_there();
    }

    fn answer(&mut self, _: u64) -> Option<u64> {
        std::mem::take(&mut self.owes).then_some(self.have)
    }

    fn hear(&mut self, slot: u64, answer: u64) {
        self.acked |= answer;
        let missing = self.all & !self.acked;
        self.round = (0..64).rev().filter(|row| missing & (1 << row) != 0).collect();
        self.asks = self.round.first().copied().unwrap_or(0);
        self.not_before = slot + 1;
    }

    fn is_there(&self) -> bool {
        self.have == self.all
    }

    fn is_over(&self) -> bool {
        self.acked == self.all
    }
}

/// Rows of an MDS code, but repair only when the far side says how many it needs.
#[derive(Clone, Debug)]
pub struct MdsOnDemand {
    rows: u8,
    /// Rows of the round still to be sent; the last one asks.
    left: u8,
    have: u8,
    complete: bool,
    not_before: u64,
    owes: bool,
    asked: bool,
}

impl MdsOnDemand {
    #[must_use]
    pub const fn new(rows: u8) -> Self {
        Self { rows, left: rows, have: 0, complete: false, not_before: 0, owes: false, asked: false }
    }
}

impl Scheme for MdsOnDemand {
    fn send(&mut self, slot: u64) -> Option<u8> {
        if self.complete || slot < self.not_before {
            return None;
        }
        self.left = self.left.saturating_sub(1);
        self.asked = self.left == 0;
        self.not_before = slot + if self.asked { TIMEOUT } else { 1 };
        Some(0)
    }

    fn arrive(&mut self, _: u64, _: u8) {
        self.have = self.rows.min(self.have + 1);
        self.owes |= self.asked || self.is_there();
    }

    fn answer(&mut self, _: u64) -> Option<u64> {
        std::mem::take(&mut self.owes).then(|| (self.rows - self.have).into())
    }

    fn hear(&mut self, slot: u64, answer: u64) {
        self.left = u8::try_from(answer).unwrap_or(0);
        self.complete = self.left == 0;
        self.not_before = slot + 1;
    }

    fn is_there(&self) -> bool {
        self.have == self.rows
    }

    fn is_over(&self) -> bool {
        self.complete
    }
}

/// Every row so many times, round by round, and never a word back.
#[derive(Clone, Debug)]
pub struct Blind {
    rows: u8,
    times: u8,
    sent: u16,
    have: u64,
}

impl Blind {
    #[must_use]
    pub const fn new(rows: u8, times: u8) -> Self {
        Self { rows, times, sent: 0, have: 0 }
    }
}

impl Scheme for Blind {
    fn send(&mut self, _: u64) -> Option<u8> {
        if self.is_over() {
            return None;
        }
        let row = self.sent % u16::from(self.rows);
        self.sent += 1;
        u8::try_from(row).ok()
    }

    fn arrive(&mut self, _: u64, row: u8) {
        self.have |= 1 << row;
    }

    fn answer(&mut self, _: u64) -> Option<u64> {
        None
    }

    fn hear(&mut self, _: u64, _: u64) {}

    fn is_there(&self) -> bool {
        self.have == (1 << self.rows) - 1
    }

    fn is_over(&self) -> bool {
        self.sent >= u16::from(self.rows) * u16::from(self.times)
    }
}
