//! Synced messages a second and their latency, with 1, 16 and 256 in flight, beside a bare group-commit loop: a file,
//! the same batch rule (whatever queued up while the last sync ran goes into the next), the same bytes, the same disk.
//!
//! Run with `cargo bench -p yizhan-daemon`. The journal lies in `YIZHAN_BENCH_DIR`, or else in `target/`: a folder in
//! memory would measure nothing. Prints one table; asserts nothing about time.

use bytes::Bytes;
use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use yizhan_daemon::storage::{Journal, Synced, Writer};
use yizhan_engine::io::{Offset, StoredRecord};

/// How long each row is measured.
const MEASURE: Duration = Duration::from_secs(3);
/// A heard message's record is about this long.
const BODY_BYTES: usize = 180;

struct Row {
    synced_per_s: f64,
    p50: Duration,
    p99: Duration,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = bench_folder();
    println!("journal on {}", folder.path().display());
    println!(
        "{:>9}  {:>12} {:>9} {:>9}  {:>12} {:>9} {:>9}  {:>7}",
        "in flight", "journal/s", "p50 ms", "p99 ms", "bare loop/s", "p50 ms", "p99 ms", "ratio"
    );
    for in_flight in [1, 16, 256] {
        let ours = runtime.block_on(journal_row(folder.path(), in_flight));
        let bare = runtime.block_on(bare_row(folder.path(), in_flight));
        println!(
            "{in_flight:>9}  {:>12.0} {:>9.2} {:>9.2}  {:>12.0} {:>9.2} {:>9.2}  {:>7.2}",
            ours.synced_per_s,
            ms(ours.p50),
            ms(ours.p99),
            bare.synced_per_s,
            ms(bare.p50),
            ms(bare.p99),
            ours.synced_per_s / bare.synced_per_s
        );
    }
}

fn bench_folder() -> tempfile::TempDir {
    let root = std::env::var_os("YIZHAN_BENCH_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    tempfile::Builder::new().prefix("journal-bench-").tempdir_in(root).expect("a folder to write in")
}

/// The station's journal: SQLite, chained, synchronous=FULL.
async fn journal_row(folder: &Path, in_flight: u64) -> Row {
    let journal = Journal::open(&folder.join(format!("journal-{in_flight}.db"))).expect("a fresh journal");
    let (writer, synced) = Writer::start(journal).expect("a thread");
    let (queue, mut queued) = mpsc::unbounded_channel();
    let append = move |record| queue.send(record).expect("the forwarder listens");
    let forward = async {
        while let Some(record) = queued.recv().await {
            writer.append(vec![record]).await;
        }
    };
    let (row, ()) = tokio::join!(drive(in_flight, append, synced), forward);
    writer.close().await;
    row
}

/// The floor: bytes into a file, one `fdatasync` a batch, nothing else.
async fn bare_row(folder: &Path, in_flight: u64) -> Row {
    let mut file = std::fs::File::create(folder.join(format!("bare-{in_flight}.log"))).expect("a file");
    let (queue, queued) = std::sync::mpsc::channel::<StoredRecord>();
    let (told, synced) = watch::channel(Synced { through: Offset(0), failed: None });
    let thread = std::thread::spawn(move || {
        while let Ok(first) = queued.recv() {
            let mut through = first.offset;
            let mut batch = first.body.to_vec();
            for record in queued.try_iter() {
                through = record.offset;
                batch.extend_from_slice(&record.body);
            }
            file.write_all(&batch).expect("room on the disk");
            file.sync_data().expect("a disk that syncs");
            told.send_replace(Synced { through, failed: None });
        }
    });
    let row = drive(in_flight, move |record| queue.send(record).expect("the loop listens"), synced).await;
    thread.join().expect("the loop ends");
    row
}

/// Keeps `in_flight` records unsynced until the time is over. Drops `append` at the end, which ends the other side.
async fn drive(in_flight: u64, append: impl Fn(StoredRecord), mut synced: watch::Receiver<Synced>) -> Row {
    let body = Bytes::from(vec![0x5A; BODY_BYTES]);
    let mut waiting: VecDeque<(Offset, Instant)> = VecDeque::new();
    let mut latencies = Vec::new();
    let mut next = Offset(1);
    let began = Instant::now();
    while began.elapsed() < MEASURE {
        while (waiting.len() as u64) < in_flight {
            waiting.push_back((next, Instant::now()));
            append(StoredRecord { offset: next, body: body.clone() });
            next = Offset(next.0 + 1);
        }
        synced.changed().await.expect("the writer lives");
        let through = synced.borrow_and_update().through;
        while let Some((_, since)) = waiting.pop_front_if(|(offset, _)| *offset <= through) {
            latencies.push(since.elapsed());
        }
    }
    let took = began.elapsed();
    drop(append);
    latencies.sort_unstable();
    let at = |share: usize| latencies.get(latencies.len() * share / 100).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a few million at most")]
    let synced_per_s = latencies.len() as f64 / took.as_secs_f64();
    Row { synced_per_s, p50: at(50), p99: at(99) }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
