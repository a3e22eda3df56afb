//! A box that wakes in 1970: no clock is trusted.

use crate::rig::{BEIDOU, FAR, FAR_NUMBER, Rig, Setup, follow_until, is, journal, send};

#[test]
fn a_clock_that_wakes_in_1970_expires_nothing_and_says_so() {
    // A life so short that it would be over at once if an untrusted clock counted.
    let more = "[policy]\nlife = { flash = \"1s\", immediate = \"1s\", priority = \"1s\", routine = \"1s\" }\n";
    let rig = Rig::with(&Setup { clock: "never", more: more.into(), ..Setup::default() });
    rig.rehearsal.unplug(BEIDOU);
    let (mut station, api) = rig.start();
    assert_eq!(api.get("/api/v1/status").unwrap()["utc"], serde_json::Value::Null);
    let id = send(&api, &format!("beidou:{FAR_NUMBER}"), "时间不明也不过期");
    // A restart in between: on disk there is no wall time to measure an age against.
    station.kill().unwrap();
    let (mut station, api) = rig.start();
    rig.rehearsal.plug(BEIDOU);
    rig.until_seen(FAR, "时间不明也不过期");
    follow_until(&api, 0, "the send", |record| is(record, "attempted", "id", id.as_str()));
    let records = journal(&api);
    let expired = |shown: &&yizhan_simulators::live::Shown| is(&shown.record, "delivery_ended", "end", "expired");
    assert_eq!(records.iter().find(expired), None);
    assert!(records.iter().all(|shown| shown.record["at"].is_null()), "no time is claimed that is not known");
    assert!(station.stop().unwrap().success());
}
