use super::JournalError;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use yizhan_engine::io::{Offset, StoredRecord};

/// A read-only view of the journal, for one follower. Holds no lock between calls.
#[derive(Debug)]
pub struct Reader {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
}

impl Reader {
    /// Opens an existing journal.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let sqlite = |source| JournalError::from_sqlite(path, source);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(sqlite)?;
        Ok(Self { path: path.to_owned(), connection })
    }

    /// Up to `max` records after an offset, in order. Erased records are left out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_after(&self, after: Offset, max: u32) -> Result<Vec<StoredRecord>, JournalError> {
        rows_after(&self.connection, after, max).map_err(|source| JournalError::from_sqlite(&self.path, source))
    }
}

/// Records in order. A body erased under the law is an empty one: a record that says nothing, in its place.
pub(super) fn rows_after(connection: &Connection, after: Offset, max: u32) -> rusqlite::Result<Vec<StoredRecord>> {
    let mut statement = connection
        .prepare_cached("SELECT offset, coalesce(body, x'') FROM journal WHERE offset > ?1 ORDER BY offset LIMIT ?2")?;
    let after = i64::try_from(after.0).unwrap_or(i64::MAX);
    statement
        .query_map((after, max), |row| {
            let body: Vec<u8> = row.get(1)?;
            Ok(StoredRecord { offset: Offset(row.get::<_, i64>(0)?.unsigned_abs()), body: body.into() })
        })?
        .collect()
}
