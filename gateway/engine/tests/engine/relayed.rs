//! What is relayed: by default an SOS and nothing else, never in a circle, never without limit.

use crate::station::Station;
use std::time::Duration;
use yizhan_codecs::message::Precedence;
use yizhan_engine::event::{Event, HoldReason};
use yizhan_engine::io::{Reply, Request};
use yizhan_engine::people::Topic;

#[test]
fn an_sos_is_shown_and_relayed_with_its_sender_and_its_id() {
    let mut station = Station::ready();
    station.hear_text(242_407, "SOS 两人被困三号桥");
    let sos = station.engine.state().messages().next_back().unwrap();
    assert_eq!(sos.precedence, Precedence::Flash);
    let relayed = station.sent_over_radio();
    assert_eq!(relayed.len(), 1);
    assert_eq!(relayed[0].1, format!("李雷：SOS 两人被困三号桥({})", sos.id));
}

#[test]
fn a_call_for_help_is_one_though_a_byte_in_it_does_not_belong() {
    for text in ["SOS 桥断\0", "SOS 桥断\u{7}", "SOS\u{1b} 桥断", "\u{feff}SOS 桥断", "\0求救 桥断"] {
        let mut station = Station::ready();
        station.hear_mixed(242_407, text);
        let sos = station.engine.state().messages().next_back().unwrap();
        assert_eq!((sos.precedence, sos.topic), (Precedence::Flash, Topic::Sos), "{text:?}");
        assert!(sos.text.contains("桥断"), "{text:?}");
        assert_eq!(station.sent_over_radio().len(), 1, "{text:?}");
    }
}

#[test]
fn zeros_with_which_a_handheld_fills_up_are_no_words() {
    let mut station = Station::ready();
    station.hear_mixed(242_407, "三组到达\0\0\0");
    let heard = station.engine.state().messages().next_back().unwrap();
    assert_eq!((heard.text.as_str(), heard.opaque.is_empty()), ("三组到达", true));
}

#[test]
fn an_exercise_and_a_real_call_of_one_unit_are_two() {
    for texts in [["SOS 两人被困", "演练 SOS 测试"], ["演练 SOS 测试", "SOS 两人被困"]] {
        let mut station = Station::ready();
        texts.iter().for_each(|text| station.hear_text(242_407, text));
        assert_eq!(station.told(|e| matches!(e, Event::SosOpened { .. })), 2);
        assert_eq!(station.engine.state().sos_open().count(), 2);
    }
}

#[test]
fn plain_talk_is_not_relayed() {
    let mut station = Station::ready();
    station.hear_text(242_407, "三组到达");
    assert!(station.sent_over_radio().is_empty());
}

#[test]
fn a_handheld_speaks_to_a_person_by_name() {
    let mut station = Station::ready();
    station.hear_text(242_407, "@韩梅梅 桥头见");
    assert_eq!(station.sent_over_radio().len(), 1);
}

#[test]
fn one_unit_has_one_open_sos_and_later_calls_update_it() {
    let mut station = Station::ready();
    station.hear_text(242_407, "SOS 两人被困");
    station.hear_text(242_407, "SOS 水在涨");
    assert_eq!(station.told(|e| matches!(e, Event::SosOpened { .. })), 1);
    assert_eq!(station.told(|e| matches!(e, Event::SosUpdated { .. })), 1);
    assert_eq!(station.engine.state().sos_open().count(), 1);
}

#[test]
fn beyond_six_in_ten_minutes_a_person_confirms_each_relay() {
    let mut station = Station::ready();
    for n in 0..9 {
        station.hear_text(100_000 + n, "SOS");
        station.advance(Duration::from_secs(5));
    }
    assert_eq!(station.told(|e| matches!(e, Event::MessageHeard { .. })), 9, "every one is shown");
    let held: Vec<_> = station
        .events
        .iter()
        .filter_map(|event| match event {
            Event::ConfirmationWanted { id, why: HoldReason::SosFlood } => Some(*id),
            _ => None,
        })
        .collect();
    assert_eq!(held.len(), 3);
    station.request(Request::Confirm { id: held[0], by: "duty".into() });
    assert!(matches!(station.replies.last(), Some(Reply::Done { .. })));
    assert_eq!(station.engine.state().message(held[0]).unwrap().deliveries.len(), 1);
}

#[test]
fn our_own_relay_that_comes_back_is_a_copy() {
    let mut station = Station::ready();
    station.hear_text(242_407, "SOS 两人被困三号桥");
    let relayed = station.sent_over_radio()[0].1.clone();
    station.hear_radio(222_222, &relayed);
    assert_eq!(station.told(|e| matches!(e, Event::CopyHeard { .. })), 1);
    assert_eq!(station.told(|e| matches!(e, Event::MessageHeard { .. })), 1);
}

#[test]
fn another_stations_relay_keeps_its_id() {
    let mut station = Station::ready();
    let theirs: yizhan_codecs::message::MessageId = {
        let station = yizhan_codecs::message::StationId::new(9).unwrap();
        yizhan_codecs::message::MessageId { station, counter: 40 }
    };
    station.hear_radio(222_222, &format!("王五：SOS 山体滑坡({theirs})"));
    assert!(station.engine.state().message(theirs).is_some());
    station.advance(Duration::from_secs(60));
    station.hear_text(312_194, &format!("王五：SOS 山体滑坡({theirs})"));
    assert_eq!(station.told(|e| matches!(e, Event::CopyHeard { .. })), 1);
}

#[test]
fn an_sos_is_answered_by_itself_when_the_policy_says_so() {
    let mut config = crate::station::config();
    config.policy.sos_auto_answer = true;
    let mut station = Station::fresh(config, Some(crate::station::WALL));
    station.import_roster();
    station.bring_up();
    station.advance(Duration::from_secs(120));
    station.hear_text(242_407, "SOS 两人被困");
    let sends = station.sent_over_beidou();
    assert!(sends.last().is_some_and(|(_, text)| text.contains("已收到求救")), "{sends:?}");
}

#[test]
fn brackets_that_look_like_a_number_by_chance_stay_in_the_text() {
    let mut station = Station::ready();
    let theirs = yizhan_codecs::message::StationId::new(9).unwrap();
    let by_chance = yizhan_codecs::message::MessageId { station: theirs, counter: 40 };
    let text = format!("值班电话({by_chance})");
    station.hear_text(242_407, &text);
    let heard = station.engine.state().messages().find(|message| message.text == text).unwrap();
    assert_eq!(heard.id.station.number(), 1, "it is our message, not another station's");
}

#[test]
fn a_relay_goes_on_with_its_number_once() {
    let mut station = Station::ready();
    let theirs = yizhan_codecs::message::StationId::new(9).unwrap();
    let id = yizhan_codecs::message::MessageId { station: theirs, counter: 41 };
    station.hear_text(312_194, &format!("王五：SOS 山体滑坡({id})"));
    let relayed = station.sent_over_radio();
    assert_eq!(relayed.len(), 1, "a call for help that another station relays is one here too");
    assert_eq!(relayed[0].1, format!("林涛：王五：SOS 山体滑坡({id})"));
}
