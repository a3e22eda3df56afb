//! What a crash leaves: everything promised, nothing twice, no slot forgotten.

use crate::station::{Station, WALL, beidou, config};
use std::collections::BTreeSet;
use std::time::Duration;
use yizhan_codecs::message::Precedence;
use yizhan_engine::Engine;
use yizhan_engine::event::Event;
use yizhan_engine::io::{Input, Refusal, Reply, Request, StoreTrouble};
use yizhan_engine::time::{Now, Utc};

#[test]
fn an_accepted_message_survives_the_plug_being_pulled() {
    let mut station = Station::ready();
    station.send("李雷", "原地待命", Precedence::Routine);
    station.send("李雷", "第二条", Precedence::Routine);
    let id = station.accepted();
    station.crash(config(), Some(Utc(WALL.0 + 200_000)));
    assert_eq!(station.engine.state().message(id).unwrap().text, "第二条");
    station.bring_up();
    station.advance(Duration::from_secs(300));
    assert!(station.sent_over_beidou().iter().any(|(_, text)| text.contains(&id.to_string())));
}

#[test]
fn an_attempt_without_outcome_is_unknown_and_its_slot_is_spent() {
    let mut station = Station::ready();
    station.send("李雷", "立即撤离", Precedence::Flash);
    assert_eq!(station.sent_over_beidou().len(), 1);
    station.crash(config(), None);
    assert_eq!(station.told(|e| matches!(e, Event::Recovered { unknown_attempts: 1, .. })), 1);
    station.bring_up();
    station.advance(Duration::from_secs(61));
    assert!(station.sent_over_beidou().is_empty(), "a full slot is owed after a start");
}

#[test]
fn no_clock_shortens_what_is_owed_after_a_start() {
    let mut station = Station::ready();
    station.send("李雷", "第一条", Precedence::Routine);
    station.hear("BDFKI,TXA,Y,Y,0,0000");
    station.send("李雷", "第二条", Precedence::Routine);
    station.crash(config(), Some(Utc(WALL.0 + 3_600_000)));
    station.bring_up();
    assert!(station.sent_over_beidou().is_empty(), "a journal that failed in that hour tells of no send");
}

#[test]
fn message_ids_are_never_used_twice() {
    let mut station = Station::ready();
    let mut seen = BTreeSet::new();
    for crash in 0..10 {
        for _ in 0..40 {
            station.send("李雷", "计数", Precedence::Routine);
            assert!(seen.insert(station.accepted()));
            station.request(Request::Cancel { id: station.accepted(), by: "duty".into() });
        }
        station.crash(config(), Some(Utc(WALL.0 + 1_000_000 * (crash + 1))));
    }
}

#[test]
fn the_fold_of_the_journal_is_the_live_state_and_so_is_snapshot_plus_tail() {
    let mut station = Station::ready();
    station.hear_text(242_407, "SOS 两人被困");
    let snapshot = station.engine.snapshot();
    station.send("李雷", "坚持住", Precedence::Flash);
    station.hear("BDFKI,TXA,Y,Y,0,0000");
    station.hear_text(242_407, "收到");
    let now = Now { mono: station.now, wall: None };
    let full = Engine::recover(config(), now, None, station.disk.clone()).unwrap();
    let quick = Engine::recover(config(), now, Some(&snapshot), station.disk.clone()).unwrap();
    assert_eq!(full.state_hash(), quick.state_hash());
    let mut folded = yizhan_engine::bus::State::default();
    for record in &station.disk {
        let decoded = yizhan_engine::bus::journal::Encode::decode(record.body.clone()).unwrap();
        folded.apply(record.offset, &decoded).unwrap();
    }
    assert_eq!(folded.hash(), station.engine.state_hash());
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    let play = || {
        let mut station = Station::ready();
        station.hear_text(242_407, "SOS 两人被困");
        station.send("林涛", "坚持住", Precedence::Flash);
        station.advance(Duration::from_secs(600));
        (station.engine.state_hash(), station.written.clone(), station.disk.clone())
    };
    assert_eq!(play(), play());
}

#[test]
fn a_repeat_right_after_a_crash_is_acknowledged_and_not_shown_again() {
    let mut station = Station::ready();
    station.hear_radio(222_222, "三号桥断了");
    station.crash(config(), Some(Utc(WALL.0 + 130_000)));
    station.bring_up();
    station.forget_noise();
    station.hear_radio(222_222, "三号桥断了");
    assert_eq!(station.radio_acks(), 1);
    assert_eq!(station.told(|e| matches!(e, Event::MessageHeard { .. })), 0);
}

#[test]
fn nothing_expires_until_the_clock_is_trusted_and_then_true_age_counts() {
    let mut station = Station::ready();
    station.input(Input::LinkDown { link: beidou(), why: yizhan_engine::io::LinkTrouble::Unplugged });
    station.send("李雷", "原地待命", Precedence::Immediate);
    let id = station.accepted();
    station.crash(config(), None);
    station.advance(Duration::from_secs(5 * 3_600));
    assert_eq!(station.engine.state().message(id).unwrap().deliveries[0].end, None);
    station.wall = Some(Utc(WALL.0 + 9 * 3_600_000));
    station.advance(Duration::from_secs(1));
    assert!(station.engine.state().message(id).unwrap().deliveries[0].end.is_some());
}

#[test]
fn recovered_texts_say_from_when_they_are_while_no_clock_tells() {
    let mut station = Station::ready();
    station.input(Input::LinkDown { link: beidou(), why: yizhan_engine::io::LinkTrouble::Unplugged });
    station.send("李雷", "原地待命", Precedence::Routine);
    station.crash(config(), None);
    station.bring_up();
    station.advance(Duration::from_secs(120));
    let sends = station.sent_over_beidou();
    assert!(sends.last().is_some_and(|(_, text)| text.contains("原0")), "{sends:?}");
}

#[test]
fn orders_of_unknown_age_wait_for_a_person() {
    let mut station = Station::ready();
    station.input(Input::LinkDown { link: beidou(), why: yizhan_engine::io::LinkTrouble::Unplugged });
    station.request(Request::Send {
        to: yizhan_engine::io::Recipient::Person("李雷".into()),
        text: "炸开导流堤".into(),
        precedence: Precedence::Immediate,
        kind: yizhan_engine::io::SendKind::Order,
        exercise: false,
        in_reply_to: None,
        supersedes: None,
        by: "duty".into(),
    });
    let id = station.accepted();
    station.crash(config(), None);
    station.bring_up();
    station.advance(Duration::from_secs(300));
    assert!(station.sent_over_beidou().is_empty());
    station.request(Request::Confirm { id, by: "duty".into() });
    assert_eq!(station.sent_over_beidou().len(), 1);
}

#[test]
fn after_a_failed_sync_nothing_is_promised_and_relaying_goes_on_marked() {
    let mut station = Station::ready();
    station.syncs = false;
    station.send("李雷", "第一条", Precedence::Routine);
    station.input(Input::StoreFailed { why: StoreTrouble::SyncFailed });
    assert_eq!(station.replies.last(), Some(&Reply::Refused(Refusal::Poisoned)));
    station.send("李雷", "第二条", Precedence::Routine);
    assert_eq!(station.replies.last(), Some(&Reply::Refused(Refusal::Poisoned)));
    station.hear_radio(222_222, "普通话");
    assert_eq!(station.radio_acks(), 0, "what is not kept is not acknowledged");
    station.hear_text(242_407, "SOS 两人被困");
    let relayed = station.sent_over_radio();
    assert!(relayed.last().is_some_and(|(_, text)| text.contains("未留存")), "{relayed:?}");
    assert!(station.told(|e| matches!(e, Event::RelayedUnstored { .. })) > 0);
}

#[test]
fn an_erased_record_stands_in_its_place_and_the_rest_comes_back() {
    let mut station = Station::ready();
    station.hear_text(242_407, "身份证号四三零一二一");
    let heard = station.engine.state().messages().next_back().unwrap().id;
    station.send("李雷", "原地待命", Precedence::Routine);
    let sent = station.accepted();
    let offset = station.engine.state().message(heard).unwrap().offset;
    for record in station.disk.iter_mut().filter(|record| record.offset == offset) {
        record.body = bytes::Bytes::new();
    }
    station.crash(config(), Some(Utc(WALL.0 + 200_000)));
    assert!(station.engine.state().message(heard).is_none());
    assert_eq!(station.engine.state().message(sent).unwrap().text, "原地待命");
}

#[test]
fn a_card_that_was_swapped_while_the_station_was_down_is_not_sent_from() {
    let mut station = Station::ready();
    station.send("李雷", "原地待命", Precedence::Routine);
    station.crash(config(), Some(Utc(WALL.0 + 200_000)));
    station.input(Input::LinkUp { link: beidou() });
    station.send("李雷", "第二条", Precedence::Routine);
    station.hear("BDICI,0142099,02097151,0000011,6,120,3,N,000");
    station.hear_beams("BDBSI,01,03,3,2,2,0,3,0,0,3,0,0");
    station.advance(Duration::from_secs(121));
    assert!(station.sent_over_beidou().is_empty(), "the new card's slot is 122 s, whatever the old one's was");
    station.advance(Duration::from_secs(2));
    assert_eq!(station.sent_over_beidou().len(), 1);
}
