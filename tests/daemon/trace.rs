//! The order of disk and promise, as the kernel saw it.

use crate::rig::{FAR, FAR_NUMBER, PATIENCE, Rig, WANG, WANG_NUMBER, follow_until, is, is_taken, number, send};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};
use yizhan_codecs::message::Bearer;

const SAID_BY_RADIO: &str = "三号桥断了";
const SAID_BY_OFFICER: &str = "立即转移";

/// Lines of the trace in the order in which things began and ended.
struct Trace(Vec<String>);

impl Trace {
    /// Waits for the tracer's last line.
    fn read(rig: &Rig, path: &std::path::Path, station: u32) -> Self {
        let (deadline, station) = (Instant::now() + PATIENCE, station.to_string());
        let is_last = |line: &str| {
            let mut words = line.split_whitespace();
            words.next() == Some(&station) && words.next() == Some("+++")
        };
        loop {
            let text = fs::read_to_string(path).unwrap_or_default();
            if text.lines().any(is_last) {
                return Self(text.lines().map(str::to_owned).collect());
            }
            assert!(Instant::now() < deadline, "the trace does not end");
            let _whatever_happens = rig.next(Duration::from_millis(50));
        }
    }

    /// The first line from `after` on that begins a call of one of these kinds and holds all of these.
    fn begins(&self, after: usize, calls: &[&str], holds: &[&str]) -> Option<usize> {
        let begins = |line: &String| calls.iter().any(|call| line.contains(&format!(" {call}(")));
        let found =
            self.0.iter().skip(after).position(|line| begins(line) && holds.iter().all(|part| line.contains(part)));
        found.map(|at| after + at)
    }

    /// The first line from `after` on with which a sync of the journal's log has ended well.
    fn synced(&self, after: usize) -> Option<usize> {
        let mut waiting: Vec<String> = Vec::new();
        for (at, line) in self.0.iter().enumerate().skip(after) {
            let thread = line.split(' ').next().unwrap_or_default().to_owned();
            let sync = [" fdatasync(", " fsync("].iter().any(|call| line.contains(call));
            if sync && line.contains("journal.db-wal") {
                if line.ends_with("= 0") {
                    return Some(at);
                }
                waiting.push(thread);
            } else if line.contains("sync resumed>") && line.ends_with("= 0") && waiting.contains(&thread) {
                return Some(at);
            }
        }
        None
    }
}

/// As the tracer writes bytes.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

#[test]
fn a_record_is_synced_before_its_acknowledgement_is_written() {
    let rig = Rig::new();
    let trace = rig.folder().join("trace");
    assert!(Command::new("strace").arg("-V").output().is_ok(), "strace is missing: install the Debian package strace");
    let mut traced = Command::new("strace");
    // -D: the station stays our own child. -y: files by name. -x: whatever is not ASCII alone, whole and in hex.
    traced.args(["-D", "-f", "-y", "-x", "-s", "65536", "-e"]);
    traced.arg("trace=write,writev,pwrite64,pwritev,fsync,fdatasync,sendto,sendmsg").arg("-o").arg(&trace);
    traced.arg(rig.daemon().get_program());
    let (mut station, api) = rig.start_as(traced);
    rig.types(WANG, SAID_BY_RADIO);
    rig.until("the station takes the text", |news| is_taken(news, &number(Bearer::Radio370, WANG_NUMBER)));
    let id = send(&api, &format!("beidou:{FAR_NUMBER}"), SAID_BY_OFFICER);
    follow_until(&api, 0, "the send", |record| is(record, "attempted", "id", id.as_str()));
    rig.until_seen(FAR, SAID_BY_OFFICER);
    assert!(station.stop().unwrap().success());
    let trace = Trace::read(&rig, &trace, station.id());

    let log = ["pwrite64", "pwritev", "write", "writev"];
    let out = ["sendto", "sendmsg", "write", "writev"];
    // A radio's text: HDAP service 09, opcode ..A2 is the ack of a private text.
    let kept =
        trace.begins(0, &log, &["journal.db-wal", &hex(SAID_BY_RADIO.as_bytes())]).expect("its record is written");
    let synced = trace.synced(kept).expect("its record is synced");
    let taken = trace.begins(0, &out, &["\"\\x09\\x00\\xa2"]).expect("it is acknowledged");
    assert!(kept < synced && synced < taken, "record {kept}, sync {synced}, acknowledgement {taken}");

    // An officer's text: 201 is the promise (its forecast is Chinese, so it is traced in hex); the bytes for the air come
    // after the record of the attempt.
    let kept =
        trace.begins(0, &log, &["journal.db-wal", &hex(SAID_BY_OFFICER.as_bytes())]).expect("its record is written");
    let synced = trace.synced(kept).expect("its record is synced");
    let promised = trace.begins(0, &out, &[&hex(b" 201 Created")]).expect("it is promised");
    assert!(kept < synced && synced < promised, "record {kept}, sync {synced}, promise {promised}");

    // The plan of what goes out ends with the message's short number, and is stored together with the attempt.
    let numbered = hex(format!("{SAID_BY_OFFICER}({id})").as_bytes());
    let attempted = trace.begins(0, &log, &["journal.db-wal", &numbered]).expect("the attempt is written");
    let synced = trace.synced(attempted).expect("the attempt is synced");
    let released = trace
        .begins(0, &["write", "writev"], &["/dev/pts/", &hex(format!("({id})").as_bytes())])
        .expect("its bytes are released");
    assert!(attempted < synced && synced < released, "attempt {attempted}, sync {synced}, bytes {released}");
}
