use super::*;
use crate::storage::{Folded, fold, verify};
use yizhan_engine::io::{Recipient, Reply, Request, SendKind};

fn config(folder: &std::path::Path, more: &str) -> Config {
    let source = format!("[station]\nnumber = 7\nclock = \"trust\"\n[api]\nlisten = \"127.0.0.1:0\"\n{more}");
    Config::parse(&folder.join("gateway.toml"), &source).unwrap()
}

/// A link that is up at once, so that a terminal on it can be reached.
const RADIO: &str =
    "[[link]]\nname = \"r\"\ndevice = \"hytera\"\nudp = { bind = [\"127.0.0.1:0\"], peers = [\"127.0.0.9\"] }\n";

fn send(text: &str) -> Request {
    Request::Send {
        to: Recipient::Terminal("radio370:10201".into()),
        text: text.into(),
        precedence: yizhan_codecs::message::Precedence::Routine,
        kind: SendKind::Text,
        exercise: false,
        in_reply_to: None,
        supersedes: None,
        by: "test".into(),
    }
}

async fn stopped(running: Running) {
    running.stop.cancel();
    tokio::time::timeout(Duration::from_secs(60), running.ended()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_start_from_a_snapshot_comes_to_the_state_of_the_whole_fold() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &format!("[journal]\nsnapshot_every = 7\n{RADIO}"));
    let path = config.journal.path.clone();
    let running = start(config.clone(), CancellationToken::new()).await.unwrap();
    for text in 0..20 {
        let reply = running.station.submit(send(&format!("第 {text} 条"))).await.unwrap();
        assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
    }
    stopped(running).await;
    let Folded::Whole { snapshots, .. } = fold(&path).unwrap() else { panic!("{:?}", fold(&path)) };
    assert_eq!(snapshots, 2, "the two newest are kept");

    // The second start reads a snapshot and its tail.
    let journal = Journal::open(&path).unwrap();
    let newest = journal.snapshots().unwrap().remove(0);
    assert!(newest.offset > Offset(0) && newest.offset <= journal.last());
    drop(journal);
    let again = start(config, CancellationToken::new()).await.unwrap();
    let messages = again.station.look(|engine, _| engine.state().messages().count()).await.unwrap();
    assert_eq!(messages, 20);
    // As soon as what it wrote at its start is on disk, folding everything gives the very same state.
    let same = async {
        loop {
            let state = again.station.look(|engine, _| engine.state_hash()).await.unwrap();
            if matches!(fold(&path).unwrap(), Folded::Whole { state: folded, .. } if folded == state) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), same).await.expect("snapshot and tail equal the whole fold");
    stopped(again).await;
    assert!(matches!(fold(&path).unwrap(), Folded::Whole { .. }));
    assert_eq!(verify(&path).unwrap().fault_count, 0);
}

#[tokio::test]
async fn a_snapshot_that_lies_is_found_by_the_fold() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &format!("[journal]\nsnapshot_every = 5\n{RADIO}"));
    let path = config.journal.path.clone();
    let running = start(config, CancellationToken::new()).await.unwrap();
    for text in ["一", "二", "三"] {
        running.station.submit(send(text)).await.unwrap();
    }
    stopped(running).await;
    // The state of one record earlier, filed under a later offset with a true hash.
    let database = rusqlite::Connection::open(&path).unwrap();
    let (offset, body): (i64, Vec<u8>) = database
        .query_row("SELECT offset, body FROM snapshot ORDER BY offset DESC LIMIT 1", [], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap();
    let state = State::from_snapshot(&Snapshot { offset: Offset(offset.unsigned_abs()), bytes: body.clone() }).unwrap();
    let mut forged = State::default();
    forged.offset = state.offset;
    let forged = forged.snapshot().bytes;
    let hash: [u8; 32] = <sm3::Sm3 as sm3::Digest>::digest(&forged).into();
    database.execute("UPDATE snapshot SET body = ?1, body_sm3 = ?2 WHERE offset = ?3", (forged, hash, offset)).unwrap();
    assert_eq!(fold(&path).unwrap(), Folded::Differs { snapshot: offset.unsigned_abs() });
}

#[tokio::test]
async fn a_second_station_on_the_same_journal_is_refused_and_disturbs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), RADIO);
    let address_path = config.address_path();
    let running = start(config.clone(), CancellationToken::new()).await.unwrap();
    let told = std::fs::read_to_string(&address_path).unwrap();
    let refused = start(config, CancellationToken::new()).await.unwrap_err();
    assert!(matches!(refused, RunError::Journal(JournalError::InUse { .. })), "{refused}");
    assert!(refused.label().contains("正被另一个"));
    assert_eq!(std::fs::read_to_string(&address_path).unwrap(), told);
    assert!(matches!(running.station.submit(send("还在")).await.unwrap(), Reply::Accepted { .. }));
    stopped(running).await;
}

#[tokio::test]
async fn a_journal_of_another_station_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = config(folder.path(), RADIO);
    stopped(start(first.clone(), CancellationToken::new()).await.unwrap()).await;
    let mut other = first;
    other.station.number = 8;
    let refused = start(other, CancellationToken::new()).await.unwrap_err();
    assert!(refused.label().contains("站号 7"), "{}", refused.label());
}

#[tokio::test]
async fn whoever_asks_while_the_station_stops_gets_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(config(folder.path(), RADIO), CancellationToken::new()).await.unwrap();
    let station = running.station.clone();
    stopped(running).await;
    assert!(station.submit(send("太晚了")).await.is_err());
    assert!(station.look(|_, _| ()).await.is_err());
}
