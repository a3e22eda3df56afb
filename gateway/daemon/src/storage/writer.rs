use super::{Journal, SavedSnapshot, body_hash, chain_next, trouble};
use std::fs::File;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, watch};
use yizhan_engine::io::{Offset, StoreTrouble, StoredRecord};

/// Batches that may wait for the disk; beyond that the station waits, and with it the links.
const QUEUE_MAX: usize = 1_024;

/// Records of one transaction, so that one COMMIT never takes seconds.
const COMMIT_MAX: usize = 8_192;

/// Snapshots kept.
const SNAPSHOTS_KEPT: u32 = 2;

/// How far the journal is on disk, and whether it failed. Cumulative, so a slow observer misses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Synced {
    pub through: Offset,
    pub failed: Option<StoreTrouble>,
}

/// The way into the journal.
#[derive(Debug)]
pub struct Writer {
    queue: mpsc::Sender<Write>,
    thread: JoinHandle<File>,
}

#[derive(Debug)]
enum Write {
    Records(Vec<StoredRecord>),
    Snapshot(SavedSnapshot),
}

impl Writer {
    /// Hands the journal to its own thread. The receiver tells of every commit.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(journal: Journal) -> std::io::Result<(Self, watch::Receiver<Synced>)> {
        let (queue, writes) = mpsc::channel(QUEUE_MAX);
        let (synced, watched) = watch::channel(Synced { through: journal.last, failed: None });
        let thread =
            std::thread::Builder::new().name("journal".into()).spawn(move || write_all(journal, writes, &synced))?;
        Ok((Self { queue, thread }, watched))
    }

    /// Queues records; waits while the queue is full. They are safe when `Synced::through` has reached them.
    pub async fn append(&self, records: Vec<StoredRecord>) {
        // A closed queue means the writer has failed and said so through `Synced`.
        let _ = self.queue.send(Write::Records(records)).await;
    }

    /// Queues a snapshot behind the records it covers. Dropped when the queue is full: it is disposable.
    pub fn save(&self, snapshot: SavedSnapshot) {
        let _ = self.queue.try_send(Write::Snapshot(snapshot));
    }

    /// Writes what is queued and closes the file.
    pub async fn close(self) {
        drop(self.queue);
        let thread = self.thread;
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    }
}

/// Natural group commit: whatever has queued up while the last COMMIT was syncing goes into the next one.
fn write_all(mut journal: Journal, mut writes: mpsc::Receiver<Write>, synced: &watch::Sender<Synced>) -> File {
    while let Some(first) = writes.blocking_recv() {
        let mut batch = Vec::new();
        let mut snapshot = None;
        let mut next = Some(first);
        while let Some(write) = next {
            match write {
                Write::Records(records) => batch.extend(records),
                Write::Snapshot(newer) => snapshot = Some(newer),
            }
            next = if batch.len() < COMMIT_MAX { writes.try_recv().ok() } else { None };
        }
        match commit(&mut journal, &batch, snapshot.as_ref()) {
            Ok(()) => {
                let through = journal.last;
                synced.send_modify(|synced| synced.through = through);
            }
            Err(error) => {
                tracing::error!(%error, through = journal.last.0, "存储失败：此后的报文不再留存，请检查磁盘后重启本站");
                synced.send_modify(|synced| synced.failed = Some(error.trouble()));
                break;
            }
        }
    }
    journal.lock
}

#[derive(Debug, thiserror::Error)]
enum CommitError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("record {found} offered after {last}")]
    Order { last: u64, found: u64 },
}

impl CommitError {
    fn trouble(&self) -> StoreTrouble {
        match self {
            Self::Sqlite(error) => trouble(error),
            Self::Order { .. } => StoreTrouble::Other,
        }
    }
}

fn commit(
    journal: &mut Journal,
    records: &[StoredRecord],
    snapshot: Option<&SavedSnapshot>,
) -> Result<(), CommitError> {
    let (mut last, mut chain) = (journal.last, journal.chain);
    let transaction = journal.connection.transaction()?;
    {
        let mut insert = transaction
            .prepare_cached("INSERT INTO journal (offset, body, body_sm3, chain) VALUES (?1, ?2, ?3, ?4)")?;
        for record in records {
            if record.offset.0 != last.0.saturating_add(1) {
                return Err(CommitError::Order { last: last.0, found: record.offset.0 });
            }
            let body_sm3 = body_hash(&record.body);
            chain = chain_next(&chain, &body_sm3);
            insert.execute((record.offset.0.cast_signed(), record.body.as_ref(), body_sm3, chain))?;
            last = record.offset;
        }
    }
    if let Some(snapshot) = snapshot.filter(|snapshot| snapshot.offset <= last) {
        transaction.execute(
            "INSERT OR REPLACE INTO snapshot (offset, body, body_sm3) VALUES (?1, ?2, ?3)",
            (snapshot.offset.0.cast_signed(), snapshot.body.as_ref(), body_hash(&snapshot.body)),
        )?;
        transaction.execute(
            "DELETE FROM snapshot WHERE offset NOT IN (SELECT offset FROM snapshot ORDER BY offset DESC LIMIT ?1)",
            [SNAPSHOTS_KEPT],
        )?;
    }
    transaction.commit()?;
    (journal.last, journal.chain) = (last, chain);
    Ok(())
}
