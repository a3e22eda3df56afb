//! A disk that fills: nothing is promised any more, what comes is still passed on, and a restart recovers.

use crate::rig::{Rig, WANG, WANG_NUMBER, ZHANG, journal, send};
use serde_json::json;
use std::collections::BTreeSet;
use std::process::Command;
use yizhan_simulators::live::ApiError;

/// Blocks of 1 KiB that one file of the station may have: enough to begin, soon full.
const BLOCKS: u32 = 400;

#[test]
fn a_disk_that_fills_ends_the_promises_not_the_relaying_and_a_restart_recovers() {
    let rig = Rig::new();
    // The shell sets the limit and becomes the daemon. Writes beyond it fail, because the signal is ignored.
    let mut limited = Command::new("sh");
    limited
        .arg("-c")
        .arg(format!("trap '' XFSZ; ulimit -f {BLOCKS}; exec \"$0\" \"$@\""))
        .arg(rig.daemon().get_program());
    let (mut station, api) = rig.start_as(limited);
    let roster = json!({
        "person": [{ "id": "zhang", "name": "张强", "terminals": ["radio370:103002"] }],
        "group": [{ "id": "rescue", "name": "救援群", "members": ["zhang"] }],
    });
    api.put("/api/v1/roster", &json!({ "roster": roster })).unwrap();
    let text = "水".repeat(900);
    let mut promised = BTreeSet::new();
    let refusal = loop {
        let body = json!({ "to": format!("beidou:{}", 242_407), "text": text, "precedence": "routine" });
        match api.post("/api/v1/messages", &body) {
            Ok(accepted) => promised.insert(accepted["id"].as_str().unwrap().to_owned()),
            Err(ApiError::Refused { status, body }) => break format!("{status} {body}"),
            Err(silent) => panic!("{silent}"),
        };
        assert!(promised.len() < 2_000, "the limit is not reached");
    };
    assert!(!promised.is_empty(), "there was room to begin");
    assert!(refusal.contains("journal_failed") && refusal.contains("存储故障"), "{refusal}");
    assert!(!api.get("/api/v1/status").unwrap()["journal_failed"].is_null());
    // A call for help is passed on all the same, marked.
    rig.types(WANG, "SOS 河水漫堤");
    let seen = rig.until_seen(ZHANG, "河水漫堤");
    assert!(format!("{:?}", seen.what).contains("未留存"), "{seen:?}");
    station.kill().unwrap();
    let (mut station, api) = rig.start();
    let kept: BTreeSet<String> = journal(&api)
        .iter()
        .filter(|shown| shown.record["kind"] == "message_kept")
        .filter_map(|shown| shown.record["data"]["id"].as_str().map(str::to_owned))
        .collect();
    assert!(
        promised.is_subset(&kept),
        "{} promised, {} of them lost",
        promised.len(),
        promised.difference(&kept).count()
    );
    send(&api, &format!("radio370:{WANG_NUMBER}"), "磁盘恢复");
    rig.until_seen(WANG, "磁盘恢复");
    assert!(station.stop().unwrap().success());
}
