//! What cannot work is refused when it is asked for, with what to do; how the other stations are is said.

use crate::pair::{Pair, ROSTER, station_config};
use crate::station::Station;
use std::time::Duration;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::message::{MessageId, Precedence, StationId};
use yizhan_engine::config::EngineConfig;
use yizhan_engine::io::{Recipient, Refusal, Reply, Request, SendKind};
use yizhan_engine::people::Roster;

fn refusal(station: &Station) -> Refusal {
    match station.replies.last() {
        Some(Reply::Refused(refusal)) => refusal.clone(),
        other => panic!("{other:?}"),
    }
}

fn asks(station: &mut Station, to: Recipient, exercise: bool) {
    station.request(Request::Send {
        to,
        text: "三号桥断".into(),
        precedence: Precedence::Priority,
        kind: SendKind::Text,
        exercise,
        in_reply_to: None,
        supersedes: None,
        by: "duty".into(),
    });
}

fn only_real(at: usize) -> EngineConfig {
    let config = station_config(at);
    let nets = config.nets.into_iter().filter(|net| net.net.traffic == Traffic::Real).collect();
    EngineConfig { nets, ..station_config(at) }
}

fn person(who: &str) -> Recipient {
    Recipient::Person(who.into())
}

#[test]
fn an_exercise_text_to_a_station_needs_a_net_for_exercises() {
    let mut pair = Pair::of(0, ROSTER, only_real);
    asks(&mut pair.ends[0], person("sanhe"), true);
    assert_eq!(refusal(&pair.ends[0]), Refusal::NoNet { name: "sanhe".into(), traffic: Traffic::Exercise });
    assert!(refusal(&pair.ends[0]).label().contains("请在配置中加一个演练网"));
    asks(&mut pair.ends[0], person("sanhe"), false);
    asks(&mut pair.ends[0], person("li-lei"), true);
    let taken = pair.ends[0].replies.iter().filter(|reply| matches!(reply, Reply::Accepted { .. })).count();
    assert_eq!(taken, 2, "a real one has its net, and a handheld is told in words that it is an exercise");
}

#[test]
fn of_a_group_those_get_it_to_whom_there_is_a_way() {
    let group = r#""group": [{"id": "all", "name": "全体", "members": ["li-lei", "sanhe"]}]"#;
    let roster = format!("{}, {group}}}", ROSTER.trim_end().trim_end_matches('}').trim_end());
    let mut pair = Pair::of(0, &roster, only_real);
    asks(&mut pair.ends[0], Recipient::Group("all".into()), true);
    assert!(matches!(pair.ends[0].replies.last(), Some(Reply::Accepted { recipients: 2, .. })));
}

#[test]
fn nothing_is_sent_to_the_station_itself() {
    let mut pair = Pair::new(0);
    asks(&mut pair.ends[0], person("county"), false);
    assert_eq!(refusal(&pair.ends[0]), Refusal::ThisStation { name: "county".into() });
}

#[test]
fn a_roster_that_gives_a_person_this_stations_own_card_is_refused_and_an_old_one_is_pointed_out() {
    let roster: Roster = serde_json::from_str(
        r#"{"person": [{"id": "li-lei", "name": "李雷", "unit": "一组", "terminals": ["beidou:142020"]}]}"#,
    )
    .unwrap();
    let mut pair = Pair::new(0);
    let import = Request::ImportRoster { roster, by: "duty".into() };
    pair.ends[1].request(import.clone());
    assert!(matches!(pair.ends[1].replies.last(), Some(Reply::Done { .. })), "there it is another station's card");
    pair.ends[0].request(import.clone());
    let terminal = "beidou:142020".parse().unwrap();
    assert_eq!(refusal(&pair.ends[0]), Refusal::OwnCard { id: "li-lei".into(), terminal });
    let mut early = Station::fresh(station_config(0), None);
    early.card = 142_020;
    early.request(import);
    assert!(early.engine.status(yizhan_engine::time::Now { mono: early.now, wall: None }).own_card.is_none());
    early.bring_up();
    early.advance(Duration::from_secs(120));
    let status = early.engine.status(yizhan_engine::time::Now { mono: early.now, wall: None });
    assert_eq!(status.own_card.unwrap().person, "li-lei");
}

#[test]
fn only_an_open_call_for_help_is_closed() {
    let mut station = Station::ready();
    station.hear_text(242_407, "三组到达");
    let id = station.engine.state().messages().last().unwrap().id;
    station.request(Request::CloseSos { id, by: "duty".into() });
    assert_eq!(refusal(&station), Refusal::NotOpenSos { id });
    let id = MessageId { station: StationId::new(9).unwrap(), counter: 5 };
    station.request(Request::CloseSos { id, by: "duty".into() });
    assert_eq!(refusal(&station), Refusal::UnknownMessage { id });
}

#[test]
fn a_courier_who_brings_back_what_was_written_here_is_told_so() {
    let mut pair = Pair::new(1_000);
    pair.send(0, "三组原地待命", Precedence::Routine, SendKind::Text, false);
    pair.ends[0].request(Request::CarryOut { to: "sanhe".into(), by: "duty".into() });
    let Some(Reply::Carried { frames, .. }) = pair.ends[0].replies.last().cloned() else { panic!("carried") };
    pair.ends[0].request(Request::CarryIn { frames: frames.clone(), by: "duty".into() });
    let own = frames.len();
    let told = Reply::Brought { frames: 0, own, refused: 0, new: 0, copies: 0, receipts: 0 };
    assert_eq!(pair.ends[0].replies.last(), Some(&told));
}

#[test]
fn a_station_that_leaves_three_sends_without_a_word_is_said_to_be_silent_until_it_is_heard() {
    let mut pair = Pair::new(0);
    let status = |pair: &Pair| {
        let station = &pair.ends[0];
        let mut all =
            station.engine.status(yizhan_engine::time::Now { mono: station.now, wall: station.wall }).stations;
        assert_eq!(all.len(), 1, "this station is none of the others");
        all.remove(0)
    };
    assert_eq!((status(&pair).last_heard_ms_ago, status(&pair).silent), (None, false));
    pair.deaf = Some(1);
    pair.send(0, "三号桥断", Precedence::Immediate, SendKind::Text, false);
    pair.run(1_200);
    assert_eq!((status(&pair).last_heard_ms_ago, status(&pair).silent), (None, true));
    assert_eq!((status(&pair).number, status(&pair).open_deliveries), (7, 1));
    pair.deaf = None;
    pair.send(1, "刚才翻山，没有信号", Precedence::Priority, SendKind::Text, false);
    pair.run(300);
    assert!(status(&pair).last_heard_ms_ago.is_some_and(|ms| ms < 300_000));
    assert!(!status(&pair).silent);
}

#[test]
fn a_number_that_cannot_be_one_and_our_own_card_are_refused_at_once() {
    let mut station = Station::ready();
    for number in ["beidou:abc", "beidou:0", "beidou:99999999999"] {
        asks(&mut station, Recipient::Terminal(number.into()), false);
        assert_eq!(refusal(&station), Refusal::NoTerminal { name: number.into() });
    }
    asks(&mut station, Recipient::Terminal("beidou:142020".into()), false);
    assert_eq!(refusal(&station), Refusal::ThisStation { name: "beidou:142020".into() });
    asks(&mut station, Recipient::Terminal("beidou：２４２４０７".into()), false);
    assert!(matches!(station.replies.last(), Some(Reply::Accepted { .. })), "full-width digits are digits");
}
