//! Ports that vanish, return, are not there, or belong to somebody else.

use crate::rig::{
    BEIDOU, FAR, FAR_NUMBER, PATIENCE, RADIO, Rig, WANG, WANG_NUMBER, follow_until, is, is_taken, number, ordinary,
    send,
};
use serde_json::Value;
use std::fs;
use yizhan_codecs::message::Bearer;
use yizhan_simulators::live::Api;

/// The link as the status shows it.
fn link(api: &Api, name: &str) -> Value {
    let status = api.get("/api/v1/status").unwrap();
    let links = status["links"].as_array().cloned().unwrap_or_default();
    links.into_iter().find(|link| link["link"] == name).expect("the link is in the status")
}

fn until_link(api: &Api, after: u64, name: &str, up: bool) -> u64 {
    let what = format!("{name} going {}", if up { "up" } else { "down" });
    follow_until(api, after, &what, |record| is(record, "link_changed", "link", name) && record["data"]["up"] == up)
        .offset
}

#[test]
fn a_pty_that_vanishes_and_returns_is_noticed_and_taken_up_again() {
    let rig = Rig::new();
    let (mut station, api) = rig.start();
    let up = until_link(&api, 0, BEIDOU, true);
    let far = format!("beidou:{FAR_NUMBER}");
    send(&api, &far, "第一条");
    rig.until_seen(FAR, "第一条");
    rig.rehearsal.unplug(BEIDOU);
    let down = until_link(&api, up, BEIDOU, false);
    assert_eq!(link(&api, BEIDOU)["up"], false);
    send(&api, &far, "断线时受理");
    rig.rehearsal.plug(BEIDOU);
    until_link(&api, down, BEIDOU, true);
    rig.until_seen(FAR, "断线时受理");
    rig.types(FAR, "现场一切正常");
    follow_until(&api, down, "the far side's text", |record| is(record, "message_kept", "text", "现场一切正常"));
    assert_eq!(rig.rehearsal.tally(BEIDOU).unwrap().sent_too_early, 0);
    assert!(station.stop().unwrap().success());
}

#[test]
fn a_udp_peer_that_restarts_is_heard_and_reached_again() {
    let rig = Rig::new();
    let (mut station, api) = rig.start();
    until_link(&api, 0, RADIO, true);
    let wang = format!("radio370:{WANG_NUMBER}");
    send(&api, &wang, "第一条");
    rig.until_seen(WANG, "第一条");
    // What is sent into the gap is lost on the way, as on a network without power, and sent again.
    rig.rehearsal.unplug(RADIO);
    let id = send(&api, &wang, "重启时受理");
    follow_until(&api, 0, "an attempt into the gap", |record| is(record, "attempted", "id", id.as_str()));
    rig.rehearsal.plug(RADIO);
    rig.until_seen(WANG, "重启时受理");
    rig.types(WANG, "电台回来了");
    rig.until("the station takes the text", |news| is_taken(news, &number(Bearer::Radio370, WANG_NUMBER)));
    let kept = follow_until(&api, 0, "the radio's text", |record| is(record, "message_kept", "text", "电台回来了"));
    assert_eq!(link(&api, RADIO)["up"], true, "a datagram link does not go down with its peer");
    assert!(kept.offset > 0 && station.stop().unwrap().success());
}

#[test]
fn a_missing_port_is_a_warning_and_a_retry() {
    let rig = Rig::new();
    rig.rehearsal.unplug(BEIDOU);
    rig.until("the plug is out", |news| news.what == yizhan_simulators::live::What::Unplugged);
    let (mut station, api) = rig.start();
    assert_eq!(link(&api, BEIDOU)["up"], false);
    let log = fs::read_to_string(rig.folder().join("station.log")).unwrap();
    assert!(log.contains("WARN") && log.contains("端口不存在"), "{log}");
    rig.rehearsal.plug(BEIDOU);
    until_link(&api, 0, BEIDOU, true);
    assert!(station.stop().unwrap().success());
}

#[test]
fn a_second_daemon_on_the_same_journal_is_refused_and_the_first_goes_on() {
    let rig = Rig::new();
    let (mut station, api) = rig.start();
    let mut second = rig.daemon();
    second.arg("run").arg("--config").arg(&rig.config);
    let refused = ordinary(second).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("进程 {}", station.id())) && said.contains("[journal] path"), "{said}");
    send(&api, &format!("radio370:{WANG_NUMBER}"), "第一个照常工作");
    rig.until_seen(WANG, "第一个照常工作");
    assert!(station.stop().unwrap().success());
}

#[test]
fn the_station_runs_as_an_ordinary_user_also_after_it_was_killed_on_an_open_port() {
    let rig = Rig::new();
    let (mut station, api) = rig.start();
    let status = fs::read_to_string(format!("/proc/{}/status", station.id())).unwrap();
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap().split_whitespace().next();
    assert!(user.is_some_and(|user| user != "0"), "{status}");
    let up = until_link(&api, 0, BEIDOU, true);
    station.kill().unwrap();
    let (mut again, api) = rig.start();
    until_link(&api, up, BEIDOU, true);
    send(&api, &format!("beidou:{FAR_NUMBER}"), "重启后照常");
    rig.until_seen(FAR, "重启后照常");
    assert!(again.stop().unwrap().success(), "within {PATIENCE:?}");
}
