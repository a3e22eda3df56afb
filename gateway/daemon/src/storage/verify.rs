use super::{CHAIN_START, JournalError, Reader, body_hash, chain_next};
use std::path::Path;
use thiserror::Error;

/// Faults told one by one; the rest is counted.
const FAULTS_MAX: usize = 20;

/// What a walk over the whole chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub records: u64,
    /// Bodies erased under the law: the chain still covers them.
    pub erased: u64,
    /// The chain's last link; noted elsewhere, it also proves that nothing was cut off the end.
    pub head: [u8; 32],
    /// The first faults.
    pub faults: Vec<Fault>,
    /// All faults, those not in the list too.
    pub fault_count: u64,
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    #[error("record {found} follows record {before}: {} missing", .found.saturating_sub(*.before).saturating_sub(1))]
    Missing { before: u64, found: u64 },
    #[error("record {offset}: its body does not fit its hash")]
    Body { offset: u64 },
    #[error("record {offset}: the chain is broken here (its hash or a record before it was changed)")]
    Chain { offset: u64 },
    #[error("record {offset}: hash columns of {body_sm3} and {chain} bytes, 32 expected")]
    Width { offset: u64, body_sm3: usize, chain: usize },
    #[error("snapshot at {offset}: its body does not fit its hash (it is disposable: start-up folds the journal)")]
    Snapshot { offset: u64 },
    #[error("the file itself: {0}")]
    File(String),
}

impl Fault {
    /// The same for the person at the screen.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Missing { before, found } => format!("第 {before} 条之后是第 {found} 条：中间的记录缺失"),
            Self::Body { offset } => format!("第 {offset} 条：正文被改动"),
            Self::Chain { offset } => format!("第 {offset} 条：链在此断开"),
            Self::Width { offset, .. } => format!("第 {offset} 条：哈希列长度不对"),
            Self::Snapshot { offset } => format!("第 {offset} 条处的快照损坏（不要紧：启动时会重算）"),
            Self::File(what) => format!("文件损坏：{what}"),
        }
    }
}

impl Verdict {
    fn fault(&mut self, fault: Fault) {
        self.fault_count = self.fault_count.saturating_add(1);
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }
}

/// Walks the whole journal. Works beside a running station.
///
/// # Errors
/// When the file cannot be opened or read at all; what is merely wrong is in the verdict.
pub fn verify(path: &Path) -> Result<Verdict, JournalError> {
    let reader = Reader::open(path)?;
    let sqlite = |source| JournalError::from_sqlite(path, source);
    let mut verdict = Verdict { records: 0, erased: 0, head: CHAIN_START, faults: Vec::new(), fault_count: 0 };
    let mut statement = reader
        .connection
        .prepare("SELECT offset, body, body_sm3, chain FROM journal ORDER BY offset")
        .map_err(sqlite)?;
    let mut rows = statement.query([]).map_err(sqlite)?;
    let mut before = 0_u64;
    while let Some(row) = rows.next().map_err(sqlite)? {
        let offset = row.get::<_, i64>(0).map_err(sqlite)?.unsigned_abs();
        let body: Option<Vec<u8>> = row.get(1).map_err(sqlite)?;
        let (body_sm3, chain): (Vec<u8>, Vec<u8>) = (row.get(2).map_err(sqlite)?, row.get(3).map_err(sqlite)?);
        verdict.records = verdict.records.saturating_add(1);
        if offset != before.saturating_add(1) {
            verdict.fault(Fault::Missing { before, found: offset });
        }
        before = offset;
        check_row(&mut verdict, offset, body.as_deref(), &body_sm3, &chain);
    }
    check_snapshots(&reader, &mut verdict).map_err(sqlite)?;
    check_file(&reader, &mut verdict).map_err(sqlite)?;
    Ok(verdict)
}

fn check_row(verdict: &mut Verdict, offset: u64, body: Option<&[u8]>, body_sm3: &[u8], chain: &[u8]) {
    let (Ok(hash), Ok(link)) = (<[u8; 32]>::try_from(body_sm3), <[u8; 32]>::try_from(chain)) else {
        verdict.fault(Fault::Width { offset, body_sm3: body_sm3.len(), chain: chain.len() });
        return;
    };
    match body {
        None => verdict.erased = verdict.erased.saturating_add(1),
        Some(body) if body_hash(body) != hash => verdict.fault(Fault::Body { offset }),
        Some(_) => {}
    }
    if chain_next(&verdict.head, &hash) != link {
        verdict.fault(Fault::Chain { offset });
    }
    // Going on from what is written: one fault is told once, not for every record after it.
    verdict.head = link;
}

fn check_snapshots(reader: &Reader, verdict: &mut Verdict) -> rusqlite::Result<()> {
    let mut statement = reader.connection.prepare("SELECT offset, body, body_sm3 FROM snapshot ORDER BY offset")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (body, hash): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?);
        if body_hash(&body).as_slice() != hash {
            verdict.fault(Fault::Snapshot { offset: row.get::<_, i64>(0)?.unsigned_abs() });
        }
    }
    Ok(())
}

fn check_file(reader: &Reader, verdict: &mut Verdict) -> rusqlite::Result<()> {
    let mut statement = reader.connection.prepare("PRAGMA integrity_check(5)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let found: String = row.get(0)?;
        if found != "ok" {
            verdict.fault(Fault::File(found));
        }
    }
    Ok(())
}
