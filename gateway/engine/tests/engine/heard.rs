//! What terminals say: stored before it is acknowledged, shown once, read for what it means.

use crate::station::{ROSTER, Station, beidou};
use std::time::Duration;
use yizhan_codecs::message::{Answer, Precedence, Rung};
use yizhan_engine::event::{End, Event};
use yizhan_engine::people::Topic;

fn shown(event: &Event) -> bool {
    matches!(event, Event::MessageHeard { .. })
}

#[test]
fn a_radio_text_is_acknowledged_and_shown_only_after_its_record_is_synced() {
    let mut station = Station::ready();
    station.syncs = false;
    station.hear_radio(222_222, "三号桥断了");
    assert_eq!((station.radio_acks(), station.told(shown)), (0, 0));
    station.sync();
    assert_eq!((station.radio_acks(), station.told(shown)), (1, 1));
}

#[test]
fn a_retransmission_is_acknowledged_again_and_shown_once() {
    let mut station = Station::ready();
    station.hear_radio(222_222, "三号桥断了");
    station.advance(Duration::from_secs(2));
    station.hear_radio(222_222, "三号桥断了");
    assert_eq!((station.radio_acks(), station.told(shown)), (2, 1));
    station.advance(Duration::from_secs(60));
    station.hear_radio(222_222, "三号桥断了");
    assert_eq!(station.told(shown), 2, "a minute later the same words are said again");
}

#[test]
fn a_repeat_of_something_pending_is_held_with_it() {
    let mut station = Station::ready();
    station.syncs = false;
    station.hear_radio(222_222, "三号桥断了");
    station.hear_radio(222_222, "三号桥断了");
    assert_eq!(station.radio_acks(), 0);
    station.sync();
    assert_eq!((station.radio_acks(), station.told(shown)), (2, 1));
}

#[test]
fn an_unknown_sender_is_shown_as_unknown_and_never_dropped() {
    let mut station = Station::ready();
    station.hear_text(199_999, "这里有人");
    let heard = station.engine.state().messages().next_back().unwrap();
    assert_eq!((heard.text.as_str(), heard.by.as_str()), ("这里有人", ""));
    assert_eq!(heard.from.as_ref().unwrap().to_string(), "beidou:199999");
}

#[test]
fn a_broken_frame_is_published_unreadable_with_its_bytes_and_never_acted_on() {
    let mut station = Station::ready();
    let bytes = bytes::Bytes::from_static(b"$BDTXR,1,0242407,0,,SOS*00\r\n");
    station.input(yizhan_engine::io::Input::Heard { link: beidou(), from: None, bytes });
    station.advance(Duration::from_secs(10));
    assert_eq!(station.told(shown), 0);
    assert!(station.told(|event| matches!(event, Event::UnreadableHeard { .. })) > 0);
}

#[test]
fn unreadable_frames_are_journaled_within_a_budget_and_counted_beyond_it() {
    let mut station = Station::ready();
    let before = station.disk.len();
    for _ in 0..100 {
        let bytes = bytes::Bytes::from_static(b"\x01\x02\x03$");
        station.input(yizhan_engine::io::Input::Heard { link: beidou(), from: None, bytes });
        station.advance(Duration::from_millis(300));
    }
    assert!(station.disk.len() - before < 20, "{} records", station.disk.len() - before);
    let noise = station.engine.status(yizhan_engine::time::Now { mono: station.now, wall: None }).links[0].health;
    assert!(noise.noise_bytes_total >= 390, "{noise:?}");
}

#[test]
fn a_human_answer_raises_the_rung_of_the_one_message_it_can_mean() {
    let mut station = Station::ready();
    station.send("李雷", "请报告人数", Precedence::Priority);
    let id = station.accepted();
    station.hear("BDFKI,TXA,Y,Y,0,0000");
    station.hear_text(242_407, "收到");
    let delivery = &station.engine.state().message(id).unwrap().deliveries[0];
    assert_eq!((delivery.rung, delivery.end), (Rung::Answered(Answer::Accepted), Some(End::Answered)));
    let answer = station.engine.state().messages().next_back().unwrap();
    assert_eq!((answer.topic, answer.in_reply_to), (Topic::Answer, Some(id)));
    station.hear_text(242_407, "完成");
    let delivery = &station.engine.state().message(id).unwrap().deliveries[0];
    assert_eq!(delivery.rung, Rung::Answered(Answer::Done), "a later answer of the same person goes further");
}

#[test]
fn an_answer_that_may_mean_two_messages_raises_neither() {
    let mut station = Station::ready();
    for text in ["去三号桥", "去四号桥"] {
        station.send("李雷", text, Precedence::Priority);
        station.hear("BDFKI,TXA,Y,Y,0,0000");
        station.advance(Duration::from_secs(90));
        station.hear("BDFKI,TXA,Y,Y,0,0000");
    }
    assert_eq!(station.sent_over_beidou().len(), 2);
    station.hear_text(242_407, "收到");
    assert_eq!(station.told(|event| matches!(event, Event::RungReached { rung: Rung::Answered(_), .. })), 0);
    let id = station.accepted();
    station.hear_text(242_407, &format!("收到 {id}"));
    let delivery = &station.engine.state().message(id).unwrap().deliveries[0];
    assert_eq!(delivery.rung, Rung::Answered(Answer::Accepted), "naming it settles it");
}

#[test]
fn numbered_parts_are_shown_once_and_whole() {
    let mut station = Station::ready();
    station.hear_text(242_407, "(2/2)全部在小学操场");
    assert_eq!(station.told(shown), 0);
    station.hear_text(242_407, "(1/2)三组十二人，");
    assert_eq!(station.told(shown), 1);
    let whole = station.engine.state().messages().next_back().unwrap();
    assert_eq!(whole.text, "三组十二人，全部在小学操场");
}

#[test]
fn a_text_whose_parts_do_not_all_come_is_shown_with_its_gaps() {
    let mut station = Station::ready();
    station.hear_text(242_407, "(1/3)三组十二人，");
    station.advance(Duration::from_secs(700));
    let whole = station.engine.state().messages().next_back().unwrap();
    assert_eq!(whole.text, "三组十二人，【缺第2段】【缺第3段】");
}

#[test]
fn only_marked_text_of_an_enrolled_terminal_is_exercise() {
    let mut station = Station::ready();
    let exercise = |station: &Station| station.engine.state().messages().next_back().unwrap().traffic;
    station.hear_text(242_407, "演练 三组到达");
    assert_eq!(exercise(&station), yizhan_codecs::air::Traffic::Exercise);
    station.hear_text(199_999, "演练 三组到达");
    assert_eq!(exercise(&station), yizhan_codecs::air::Traffic::Real, "an unknown terminal cannot declare an exercise");
    station.hear_text(242_407, "SOS 真的塌了");
    assert_eq!(exercise(&station), yizhan_codecs::air::Traffic::Real);
}

#[test]
fn an_idle_station_writes_nothing() {
    let mut station = Station::ready();
    let before = station.disk.len();
    for _ in 0..360 {
        station.advance(Duration::from_secs(10));
        station.hear("BDBSI,01,03,3,2,2,0,3,0,0,3,0,0");
    }
    assert_eq!(station.disk.len(), before);
}

#[test]
fn the_test_roster_is_valid() {
    let roster: yizhan_engine::people::Roster = serde_json::from_str(ROSTER).unwrap();
    roster.validate().unwrap();
}

#[test]
fn a_name_that_nobody_has_is_said_to_the_handheld_and_one_such_word_at_a_time() {
    let mut station = Station::ready();
    for _ in 0..3 {
        station.hear_text(242_407, "@王五 桥断了");
    }
    let own: Vec<_> = station.engine.state().messages().filter(|m| m.from.is_none()).collect();
    assert!(own[0].text.contains("名册里没有“王五”"), "{}", own[0].text);
    assert_eq!(own.iter().filter(|m| m.deliveries[0].end.is_none()).count(), 1);
}
