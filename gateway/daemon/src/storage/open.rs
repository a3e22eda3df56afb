use super::{APPLICATION_ID, CHAIN_START, JournalError, LAYOUT, body_hash};
use bytes::Bytes;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use yizhan_engine::io::{Offset, StoredRecord};

/// A journal that this process owns.
#[derive(Debug)]
pub struct Journal {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    /// Held as long as the journal is: the lock goes with the file handle, also after `kill -9`.
    pub(super) lock: File,
    pub(super) last: Offset,
    pub(super) chain: [u8; 32],
}

/// A snapshot as it lies on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSnapshot {
    pub offset: Offset,
    pub body: Bytes,
}

/// What there is to start from: `next` may be called until it gives `None`; then `finish` says whether all was read.
#[derive(Debug)]
pub struct Recovered<'journal> {
    journal: &'journal Journal,
    after: Offset,
    rows: std::vec::IntoIter<StoredRecord>,
    error: Option<JournalError>,
}

impl Journal {
    /// Opens or creates a journal and takes its lock.
    ///
    /// # Errors
    /// [`JournalError`], each with what to do in [`JournalError::label`].
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file_error = |source| JournalError::File { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(file_error)?;
        }
        let lock = lock(path)?;
        // Created here and not by SQLite, so that nobody else can read it for a moment; WAL files copy its mode.
        OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(file_error)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sqlite = |source| JournalError::from_sqlite(path, source);
        let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
        prepare(&connection, path)?;
        let (last, chain) = head(&connection, path)?;
        Ok(Self { path: path.to_owned(), connection, lock, last, chain })
    }

    /// The last record on disk; `Offset(0)` for an empty journal.
    #[must_use]
    pub const fn last(&self) -> Offset {
        self.last
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whole snapshots, newest first. A snapshot that fails its hash is passed over: the fold needs none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn snapshots(&self) -> Result<Vec<SavedSnapshot>, JournalError> {
        let read = || -> rusqlite::Result<Vec<SavedSnapshot>> {
            let mut statement =
                self.connection.prepare("SELECT offset, body, body_sm3 FROM snapshot ORDER BY offset DESC")?;
            let rows = statement.query_map([], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
            })?;
            let mut found = Vec::new();
            for row in rows {
                let (offset, body, hash) = row?;
                let offset = Offset(offset.unsigned_abs());
                if body_hash(&body).as_slice() == hash && offset <= self.last {
                    found.push(SavedSnapshot { offset, body: body.into() });
                }
            }
            Ok(found)
        };
        read().map_err(|source| JournalError::from_sqlite(&self.path, source))
    }

    /// Every record after an offset, in order, a few thousand at a time.
    ///
    /// # Errors
    /// [`JournalError::Gap`] when records are missing in between: a fold over the rest would be a lie.
    pub fn records_after(&self, after: Offset) -> Result<Recovered<'_>, JournalError> {
        let present = self
            .connection
            .query_row("SELECT count(*) FROM journal WHERE offset > ?1", [after.0.cast_signed()], |row| {
                row.get::<_, i64>(0)
            })
            .map_err(|source| JournalError::from_sqlite(&self.path, source))?
            .unsigned_abs();
        let expected = self.last.0.saturating_sub(after.0);
        if present != expected {
            return Err(JournalError::Gap { path: self.path.clone(), after: after.0, expected, present });
        }
        Ok(Recovered { journal: self, after, rows: Vec::new().into_iter(), error: None })
    }
}

impl Iterator for Recovered<'_> {
    type Item = StoredRecord;

    fn next(&mut self) -> Option<StoredRecord> {
        if let Some(record) = self.rows.next() {
            return Some(record);
        }
        if self.error.is_some() || self.after >= self.journal.last {
            return None;
        }
        match super::reader::rows_after(&self.journal.connection, self.after, 4_096) {
            Ok(rows) => {
                if let Some(last) = rows.last() {
                    self.after = last.offset;
                }
                self.rows = rows.into_iter();
                self.rows.next()
            }
            Err(source) => {
                self.error = Some(JournalError::from_sqlite(&self.journal.path, source));
                None
            }
        }
    }
}

impl Recovered<'_> {
    /// Whether reading ended because there is no more, or because the file could not be read.
    ///
    /// # Errors
    /// What stopped the reading.
    pub fn finish(self) -> Result<(), JournalError> {
        self.error.map_or(Ok(()), Err)
    }
}

fn lock(path: &Path) -> Result<File, JournalError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file_error = |source| JournalError::File { path: path.to_owned(), source };
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(PathBuf::from(name))
        .map_err(file_error)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(file_error)?;
            write!(file, "{}", std::process::id()).map_err(file_error)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let read = file.read_to_string(&mut pid);
            Err(JournalError::InUse { path: path.to_owned(), pid: read.ok().and_then(|_| pid.trim().parse().ok()) })
        }
        Err(TryLockError::Error(source)) => Err(file_error(source)),
    }
}

/// Sets what makes a commit durable, and brings an older layout up to date.
fn prepare(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let sqlite = |source| JournalError::from_sqlite(path, source);
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(sqlite);
    // Somebody else's tool may hold the file for a while; that alone must not poison the journal.
    connection.busy_timeout(std::time::Duration::from_secs(30)).map_err(sqlite)?;
    let (application, layout) = (pragma("application_id")?, pragma("user_version")?);
    let empty =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).map_err(sqlite)?
            == 0;
    if !(application == APPLICATION_ID || application == 0 && empty) {
        return Err(JournalError::Foreign { path: path.to_owned(), found: application });
    }
    if layout > LAYOUT {
        return Err(JournalError::Newer { path: path.to_owned(), found: layout, known: LAYOUT });
    }
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        .map_err(sqlite)?;
    if layout == 0 {
        connection
            .execute_batch(&format!(
                "BEGIN;
                 CREATE TABLE journal (
                     offset INTEGER PRIMARY KEY, body BLOB, body_sm3 BLOB NOT NULL, chain BLOB NOT NULL
                 ) STRICT;
                 CREATE TABLE snapshot (
                     offset INTEGER PRIMARY KEY, body BLOB NOT NULL, body_sm3 BLOB NOT NULL
                 ) STRICT;
                 PRAGMA application_id = {APPLICATION_ID};
                 PRAGMA user_version = {LAYOUT};
                 COMMIT;"
            ))
            .map_err(sqlite)?;
    }
    Ok(())
}

/// The last record and the chain up to it.
fn head(connection: &Connection, path: &Path) -> Result<(Offset, [u8; 32]), JournalError> {
    let sqlite = |source| JournalError::from_sqlite(path, source);
    let last = connection
        .query_row("SELECT offset, chain FROM journal ORDER BY offset DESC LIMIT 1", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?))
        })
        .optional()
        .map_err(sqlite)?;
    let Some((last, chain)) = last else { return Ok((Offset(0), CHAIN_START)) };
    Ok((Offset(last.unsigned_abs()), chain))
}
