use super::{JournalError, Reader, body_hash};
use std::path::Path;
use yizhan_engine::bus::journal::{Encode, Record};
use yizhan_engine::bus::{Snapshot, State};
use yizhan_engine::io::Offset;

/// What folding the journal from its beginning and from its snapshots came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folded {
    /// Every way gives this state hash.
    Whole { state: [u8; 32], snapshots: usize },
    /// A record that cannot be read or does not follow.
    Unreadable { offset: u64, why: String },
    /// The state kept at this offset is not the one that the records give.
    Differs { snapshot: u64 },
}

/// Records read at once.
const READ_MAX: u32 = 4_096;

/// Folds the whole journal and compares it with every snapshot where that stands. What follows a snapshot is folded by
/// the same function, so equal there is equal at the end.
///
/// # Errors
/// When the file cannot be read.
pub fn fold(path: &Path) -> Result<Folded, JournalError> {
    let reader = Reader::open(path)?;
    let snapshots = reader.snapshots()?;
    let mut state = State::default();
    let mut whole = 0;
    loop {
        let rows = reader.read_after(state.last_offset(), READ_MAX)?;
        if rows.is_empty() {
            return Ok(Folded::Whole { state: state.hash(), snapshots: whole });
        }
        for row in rows {
            let unreadable = |why: String| Folded::Unreadable { offset: row.offset.0, why };
            let record = match Record::decode(row.body.clone()) {
                Ok(record) => record,
                Err(error) => return Ok(unreadable(error.to_string())),
            };
            if let Err(error) = state.apply(row.offset, &record) {
                return Ok(unreadable(error.to_string()));
            }
            let kept = snapshots.iter().find(|snapshot| snapshot.offset == row.offset);
            // A snapshot of another version is passed over at start-up, and here.
            if let Some(kept) = kept.and_then(State::from_snapshot) {
                if kept.hash() != state.hash() {
                    return Ok(Folded::Differs { snapshot: row.offset.0 });
                }
                whole += 1;
            }
        }
    }
}

impl Reader {
    /// Snapshots whose hash holds.
    fn snapshots(&self) -> Result<Vec<Snapshot>, JournalError> {
        let read = || -> rusqlite::Result<Vec<Snapshot>> {
            let mut statement = self.connection.prepare("SELECT offset, body, body_sm3 FROM snapshot")?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let (bytes, hash): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?);
                if body_hash(&bytes).as_slice() == hash {
                    found.push(Snapshot { offset: Offset(row.get::<_, i64>(0)?.unsigned_abs()), bytes });
                }
            }
            Ok(found)
        };
        read().map_err(|source| JournalError::from_sqlite(&self.path, source))
    }
}
