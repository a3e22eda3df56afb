use super::*;
use bytes::Bytes;
use rusqlite::Connection;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;
use yizhan_engine::io::{Offset, StoredRecord};

fn records(from: u64, count: u64) -> Vec<StoredRecord> {
    (from..from + count)
        .map(|offset| StoredRecord { offset: Offset(offset), body: Bytes::from(format!("记录 {offset}")) })
        .collect()
}

async fn reached(synced: &mut watch::Receiver<Synced>, through: u64) -> Synced {
    let wait = synced.wait_for(|synced| synced.through.0 >= through || synced.failed.is_some());
    *tokio::time::timeout(Duration::from_secs(30), wait).await.expect("the writer answers").expect("the writer lives")
}

async fn journal_with(path: &Path, count: u64) {
    let (writer, mut synced) = Writer::start(Journal::open(path).unwrap()).unwrap();
    writer.append(records(1, count)).await;
    assert_eq!(reached(&mut synced, count).await.failed, None);
    writer.close().await;
}

fn all(journal: &Journal, after: u64) -> Vec<StoredRecord> {
    let mut found = journal.records_after(Offset(after)).unwrap();
    let records: Vec<_> = found.by_ref().collect();
    found.finish().unwrap();
    records
}

#[tokio::test]
async fn a_reopened_journal_gives_back_every_synced_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/journal.db");
    journal_with(&path, 5_000).await;
    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.last(), Offset(5_000));
    assert_eq!(all(&journal, 0), records(1, 5_000));
    assert_eq!(all(&journal, 4_999), records(5_000, 1));
}

#[tokio::test]
async fn commits_go_through_in_order_and_only_forward() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, mut synced) = Writer::start(Journal::open(&folder.path().join("j.db")).unwrap()).unwrap();
    let mut watched = synced.clone();
    let watcher = tokio::spawn(async move {
        let mut seen = vec![watched.borrow_and_update().through];
        while seen.last() != Some(&Offset(600)) && watched.changed().await.is_ok() {
            seen.push(watched.borrow_and_update().through);
        }
        seen
    });
    for batch in 0..200 {
        writer.append(records(batch * 3 + 1, 3)).await;
    }
    assert_eq!(reached(&mut synced, 600).await, Synced { through: Offset(600), failed: None });
    let seen = tokio::time::timeout(Duration::from_secs(30), watcher).await.unwrap().unwrap();
    assert!(seen.is_sorted(), "{seen:?}");
    assert!(seen.iter().all(|through| through.0 % 3 == 0), "a batch was split: {seen:?}");
    writer.close().await;
}

#[tokio::test]
async fn a_second_opener_is_refused_with_the_pid_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let first = Journal::open(&path).unwrap();
    match Journal::open(&path) {
        Err(JournalError::InUse { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("{other:?}"),
    }
    drop(first);
    Journal::open(&path).unwrap();
}

#[tokio::test]
async fn one_altered_byte_is_found_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    journal_with(&path, 100).await;
    let whole = verify(&path).unwrap();
    assert_eq!((whole.records, whole.fault_count), (100, 0), "{:?}", whole.faults);

    let direct = Connection::open(&path).unwrap();
    direct.execute("UPDATE journal SET body = x'00' WHERE offset = 42", []).unwrap();
    assert_eq!(verify(&path).unwrap().faults, [Fault::Body { offset: 42 }]);

    // Someone who also adjusts the hash breaks the chain.
    let forged = body_hash(&[0]);
    direct.execute("UPDATE journal SET body_sm3 = ?1 WHERE offset = 42", [forged]).unwrap();
    assert_eq!(verify(&path).unwrap().faults, [Fault::Chain { offset: 42 }]);
}

#[tokio::test]
async fn an_erased_body_leaves_the_chain_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    journal_with(&path, 10).await;
    Connection::open(&path).unwrap().execute("UPDATE journal SET body = NULL WHERE offset = 4", []).unwrap();
    let verdict = verify(&path).unwrap();
    assert_eq!((verdict.records, verdict.erased, verdict.fault_count), (10, 1, 0));
    let read = Reader::open(&path).unwrap().read_after(Offset(2), 3).unwrap();
    assert_eq!(read.iter().map(|record| record.offset.0).collect::<Vec<_>>(), [3, 4, 5]);
    assert!(read[1].body.is_empty() && !read[2].body.is_empty(), "an erased record stands in its place, empty");
}

#[tokio::test]
async fn missing_records_are_refused_at_start_and_named_by_verify() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    journal_with(&path, 10).await;
    Connection::open(&path).unwrap().execute("DELETE FROM journal WHERE offset IN (5, 6)", []).unwrap();
    let journal = Journal::open(&path).unwrap();
    assert!(matches!(
        journal.records_after(Offset(0)),
        Err(JournalError::Gap { after: 0, expected: 10, present: 8, .. })
    ));
    assert_eq!(verify(&path).unwrap().faults, [Fault::Missing { before: 4, found: 7 }, Fault::Chain { offset: 7 }]);
}

#[tokio::test]
async fn a_full_disk_poisons_the_journal_and_keeps_what_was_promised() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let journal = Journal::open(&path).unwrap();
    journal.connection.pragma_update(None, "max_page_count", 24).unwrap();
    let (writer, mut synced) = Writer::start(journal).unwrap();
    writer.append(records(1, 10)).await;
    assert_eq!(reached(&mut synced, 10).await, Synced { through: Offset(10), failed: None });
    let large = StoredRecord { offset: Offset(11), body: vec![7; 1 << 20].into() };
    writer.append(vec![large]).await;
    let failed = Synced { through: Offset(10), failed: Some(StoreTrouble::DiskFull) };
    assert_eq!(reached(&mut synced, 11).await, failed);
    // A later, small record would fit; nothing is promised any more all the same.
    writer.append(records(11, 1)).await;
    writer.close().await;
    assert_eq!(*synced.borrow(), failed);
    assert_eq!(all(&Journal::open(&path).unwrap(), 0), records(1, 10));
}

#[tokio::test]
async fn a_record_out_of_order_is_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let (writer, mut synced) = Writer::start(Journal::open(&path).unwrap()).unwrap();
    writer.append(records(2, 1)).await;
    assert_eq!(reached(&mut synced, 2).await, Synced { through: Offset(0), failed: Some(StoreTrouble::Other) });
    writer.close().await;
    assert_eq!(Journal::open(&path).unwrap().last(), Offset(0));
}

#[tokio::test]
async fn the_two_newest_whole_snapshots_are_kept_and_a_damaged_one_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    for offset in 1..=4 {
        // Closed each time: of snapshots that queue up together only the newest is written.
        let (writer, _synced) = Writer::start(Journal::open(&path).unwrap()).unwrap();
        writer.append(records(offset, 1)).await;
        writer.save(SavedSnapshot { offset: Offset(offset), body: Bytes::from(vec![offset as u8; 8]) });
        writer.close().await;
    }
    let offsets = |journal: &Journal| journal.snapshots().unwrap().iter().map(|s| s.offset.0).collect::<Vec<_>>();
    assert_eq!(offsets(&Journal::open(&path).unwrap()), [4, 3]);
    Connection::open(&path).unwrap().execute("UPDATE snapshot SET body = x'00' WHERE offset = 4", []).unwrap();
    assert_eq!(offsets(&Journal::open(&path).unwrap()), [3]);
    assert_eq!(verify(&path).unwrap().faults, [Fault::Snapshot { offset: 4 }]);
}

#[test]
fn only_the_owner_may_read_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/j.db");
    let _journal = Journal::open(&path).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for name in ["j.db", "j.db-wal", "j.db.lock"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
}

#[test]
fn files_that_are_no_journal_of_ours_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "三号桥断了，".repeat(200)).unwrap();
    assert!(matches!(Journal::open(&text), Err(JournalError::Corrupt { .. })));
    assert_eq!(std::fs::read_to_string(&text).unwrap(), "三号桥断了，".repeat(200));

    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(Journal::open(&other), Err(JournalError::Foreign { found: 0, .. })));

    let newer = folder.path().join("newer.db");
    drop(Journal::open(&newer).unwrap());
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 9).unwrap();
    assert!(matches!(Journal::open(&newer), Err(JournalError::Newer { found: 9, known: 1, .. })));
}
