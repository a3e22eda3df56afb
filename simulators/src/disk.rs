//! A simulated journal: records are appended, a sync takes time, a crash loses what was not synced.
//!
//! **Invariants**
//! - Nothing is reported stored before its sync has ended, unless the disk was told to lie ([`Disk::lies`]).
//! - A crash keeps every synced record and some beginning of the rest: writes reach the platter in order, and the one
//!   that was torn is dropped in recovery. What was appended together is kept or lost together, as in a transaction.

use crate::seed::Seed;
use std::sync::Arc;
use std::time::Duration;
use yizhan_engine::bus::Snapshot;
use yizhan_engine::io::{Offset, StoreTrouble, StoredRecord};

/// A disk and what it holds.
#[derive(Clone, Debug)]
pub struct Disk {
    /// Synced, in order. Shared between forks of a world until one of them appends.
    kept: Arc<Vec<StoredRecord>>,
    /// Written, not synced.
    waiting: Vec<Vec<StoredRecord>>,
    /// How many of the waiting writes the running sync covers.
    syncing: Option<usize>,
    snapshot: Option<Arc<Snapshot>>,
    pub sync_time: (Duration, Duration),
    /// Records that fit; one more and the disk is full.
    pub capacity: usize,
    /// The next sync fails.
    pub fails_next_sync: bool,
    /// Reports records as stored when they are only written: `synchronous=OFF`.
    pub lies: bool,
    dead: bool,
    seed: Seed,
}

impl Disk {
    #[must_use]
    pub fn new(seed: &Seed) -> Self {
        Self {
            kept: Arc::default(),
            waiting: Vec::new(),
            syncing: None,
            snapshot: None,
            sync_time: (Duration::from_millis(3), Duration::from_millis(25)),
            capacity: usize::MAX,
            fails_next_sync: false,
            lies: false,
            dead: false,
            seed: seed.stream("disk"),
        }
    }

    /// Takes records; gives when to call [`Disk::synced`], if a sync begins now. A lying disk needs the call all the
    /// same, for what is really kept.
    pub fn append(&mut self, now: Duration, records: Vec<StoredRecord>) -> Option<Duration> {
        if self.dead {
            return None;
        }
        self.waiting.push(records);
        self.begin(now)
    }

    /// The highest record written, synced or not: what a lying disk reports.
    #[must_use]
    pub fn written(&self) -> Offset {
        let waiting = self.waiting.iter().flatten().last();
        waiting.or(self.kept.last()).map_or(Offset(0), |record| record.offset)
    }

    /// The highest record that a crash cannot take away.
    #[must_use]
    pub fn through(&self) -> Offset {
        self.kept.last().map_or(Offset(0), |record| record.offset)
    }

    /// Everything that a crash cannot take away.
    #[must_use]
    pub fn kept(&self) -> &[StoredRecord] {
        &self.kept
    }

    fn begin(&mut self, now: Duration) -> Option<Duration> {
        if self.syncing.is_some() || self.waiting.is_empty() {
            return None;
        }
        self.syncing = Some(self.waiting.len());
        let (low, high) = self.sync_time;
        Some(now + self.seed.time_between(low, high))
    }

    /// The running sync ends: what is kept now and when the next one ends, or why it failed.
    ///
    /// # Errors
    /// The trouble; the disk takes nothing more until the machine is started again.
    pub fn synced(&mut self, now: Duration) -> Result<(Offset, Option<Duration>), StoreTrouble> {
        let count = self.syncing.take().unwrap_or(0);
        if std::mem::take(&mut self.fails_next_sync) {
            self.dead = true;
            return Err(StoreTrouble::SyncFailed);
        }
        let records: Vec<StoredRecord> = self.waiting.drain(..count).flatten().collect();
        if self.kept.len() + records.len() > self.capacity {
            self.dead = true;
            return Err(StoreTrouble::DiskFull);
        }
        Arc::make_mut(&mut self.kept).extend(records);
        Ok((self.through(), self.begin(now)))
    }

    /// Power is gone: what was not synced is lost but for some beginning of it.
    pub fn crash(&mut self) {
        let most = u64::try_from(self.waiting.len()).unwrap_or(0);
        let survive = usize::try_from(self.seed.between(0, most)).unwrap_or(0);
        self.lose_after(if self.dead { 0 } else { survive });
    }

    /// The daemon is gone, the machine is not: what was written stays.
    pub fn daemon_killed(&mut self) {
        self.lose_after(if self.dead { 0 } else { self.waiting.len() });
    }

    fn lose_after(&mut self, survive: usize) {
        self.waiting.truncate(survive);
        let survivors = std::mem::take(&mut self.waiting);
        Arc::make_mut(&mut self.kept).extend(survivors.into_iter().flatten());
        self.syncing = None;
        self.dead = false;
    }

    /// Keeps a snapshot for the next start.
    pub fn keep_snapshot(&mut self, snapshot: Snapshot) {
        if snapshot.offset <= self.through() {
            self.snapshot = Some(Arc::new(snapshot));
        }
    }

    #[must_use]
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn records(offsets: std::ops::RangeInclusive<u64>) -> Vec<StoredRecord> {
        offsets.map(|offset| StoredRecord { offset: Offset(offset), body: Bytes::new() }).collect()
    }

    #[test]
    fn what_waits_together_is_synced_together() {
        let mut disk = Disk::new(&Seed::new(1));
        let first = disk.append(Duration::ZERO, records(1..=1)).unwrap();
        assert_eq!(disk.append(Duration::ZERO, records(2..=5)), None, "one sync at a time");
        let (through, next) = disk.synced(first).unwrap();
        assert_eq!(through, Offset(1));
        assert_eq!(disk.synced(next.unwrap()).unwrap(), (Offset(5), None));
    }

    #[test]
    fn a_crash_keeps_what_was_synced_and_a_beginning_of_the_rest() {
        let mut survived = std::collections::BTreeSet::new();
        for seed in 0..64 {
            let mut disk = Disk::new(&Seed::new(seed));
            let end = disk.append(Duration::ZERO, records(1..=3)).unwrap();
            disk.synced(end).unwrap();
            disk.append(end, records(4..=6));
            disk.append(end, records(7..=7));
            disk.crash();
            let through = disk.through().0;
            assert_eq!(disk.kept().len() as u64, through);
            survived.insert(through);
        }
        assert_eq!(survived.into_iter().collect::<Vec<_>>(), [3, 6, 7], "what was appended together stays together");
    }

    #[test]
    fn a_full_disk_and_a_failed_sync_keep_nothing_more() {
        let mut disk = Disk::new(&Seed::new(1));
        disk.capacity = 2;
        let end = disk.append(Duration::ZERO, records(1..=3)).unwrap();
        assert_eq!(disk.synced(end), Err(StoreTrouble::DiskFull));
        assert_eq!(disk.append(end, records(4..=4)), None);
        assert_eq!(disk.through(), Offset(0));
    }
}
