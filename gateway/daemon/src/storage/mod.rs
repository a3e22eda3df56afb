//! The journal on disk: a SQLite file with one writer thread and any number of read-only readers.
//!
//! What it is: an append-only table of records, hash-chained, and a few disposable snapshots. What it is not: a place
//! that understands records; bodies are bytes here.
//!
//! **Invariants**
//! - `Synced::through` moves only after COMMIT returned with `synchronous=FULL`: what it covers survives a power cut.
//! - Offsets are consecutive from 1. A gap is refused, never papered over.
//! - After one failed commit the writer writes nothing more (the journal is poisoned until restart).
//! - One process owns a journal (a lock on `<journal>.lock`); readers need no lock and hold nothing back.
//! - The chain runs over the hash of each body, so a body can be erased under the law and the chain still verifies.

mod fold;
mod open;
mod reader;
mod verify;
mod writer;

pub use fold::{Folded, fold};
pub use open::{Journal, Recovered, SavedSnapshot};
pub use reader::Reader;
pub use verify::{Fault, Verdict, verify};
pub use writer::{Synced, Writer};

use sm3::{Digest, Sm3};
use std::path::PathBuf;
use thiserror::Error;
use yizhan_engine::io::StoreTrouble;

/// Tells our files from other SQLite files: `YZJ1` in the header.
const APPLICATION_ID: i32 = 0x595A_4A31;

/// The layout that this program writes.
const LAYOUT: i32 = 1;

/// What comes before the first link of the chain.
const CHAIN_START: [u8; 32] = [0; 32];

/// Why a journal could not be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    #[error("journal {path} is in use by another yizhan{}", holder(.pid))]
    InUse { path: PathBuf, pid: Option<u32> },
    #[error("{path} is a SQLite file of another program (application id {found:#010x})")]
    Foreign { path: PathBuf, found: i32 },
    #[error("journal {path} has layout {found}; this program knows up to {known}")]
    Newer { path: PathBuf, found: i32, known: i32 },
    #[error("journal {path} is damaged or no journal: {source}")]
    Corrupt { path: PathBuf, source: rusqlite::Error },
    #[error("journal {path}: {source}")]
    Database { path: PathBuf, source: rusqlite::Error },
    #[error("journal {path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("journal {path} has {present} of {expected} records after offset {after}")]
    Gap { path: PathBuf, after: u64, expected: u64, present: u64 },
}

fn holder(pid: &Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}

impl JournalError {
    pub(crate) fn from_sqlite(path: &std::path::Path, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Corrupt { path, source },
            _ => Self::Database { path, source },
        }
    }

    /// What happened and what to do, for the person at the screen.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::InUse { path, pid } => {
                let pid = pid.map_or_else(String::new, |pid| format!("（进程 {pid}）"));
                format!(
                    "日志 {} 正被另一个 yizhan 使用{pid}：请先停止它，或在配置中换一个 [journal] path",
                    path.display()
                )
            }
            Self::Foreign { path, .. } => {
                format!("{} 是其他程序的数据库：请在配置中换一个 [journal] path", path.display())
            }
            Self::Newer { path, found, .. } => {
                format!("日志 {} 由更新版本写成（格式 {found}）：请升级 yizhan", path.display())
            }
            Self::Corrupt { path, .. } => format!(
                "日志 {} 已损坏或不是日志文件：请保留原文件，用 yizhan verify 查看，再从备份恢复或换一个路径",
                path.display()
            ),
            Self::Database { path, source } => format!("日志 {} 读写失败：{source}", path.display()),
            Self::File { path, source } => format!("日志 {} 打不开：{source}", path.display()),
            Self::Gap { path, after, expected, present } => format!(
                "日志 {} 在第 {after} 条之后应有 {expected} 条，只有 {present} 条：请用 yizhan verify 查看，并从备份恢复",
                path.display()
            ),
        }
    }
}

/// What a failed commit means to the engine.
fn trouble(error: &rusqlite::Error) -> StoreTrouble {
    use rusqlite::{ErrorCode, ffi};
    match error.sqlite_error() {
        Some(found) if found.code == ErrorCode::DiskFull => StoreTrouble::DiskFull,
        Some(found)
            if [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC, ffi::SQLITE_IOERR_WRITE]
                .contains(&found.extended_code) =>
        {
            StoreTrouble::SyncFailed
        }
        _ => StoreTrouble::Other,
    }
}

fn body_hash(body: &[u8]) -> [u8; 32] {
    Sm3::digest(body).into()
}

fn chain_next(before: &[u8; 32], body_sm3: &[u8; 32]) -> [u8; 32] {
    let mut hasher = Sm3::new();
    hasher.update(before);
    hasher.update(body_sm3);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests;
