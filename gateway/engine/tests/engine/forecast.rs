//! What is told of a send before it is made and while it is on its way, and what is learned from the outcome.

use crate::pair::{Pair, long_order};
use crate::station::{Station, WALL, config};
use std::time::Duration;
use yizhan_codecs::message::{Bearer, MessageId, Precedence, Rung};
use yizhan_engine::Engine;
use yizhan_engine::io::{Recipient, Refusal, Reply, Request, SendKind};
use yizhan_engine::outbox::outlook::{Outlook, Unknown};
use yizhan_engine::time::{Now, Utc};

const STATION: &str = "三合乡前指";

/// What was told when the last message was accepted.
fn told(station: &Station) -> Vec<Outlook> {
    let accepted = station.replies.iter().rev().find_map(|reply| match reply {
        Reply::Accepted { forecast, .. } => Some(forecast.clone()),
        _ => None,
    });
    accepted.expect("something was accepted")
}

/// What is told now of a delivery that is on its way.
fn now_of(station: &Station, id: MessageId) -> Outlook {
    let now = Now { mono: station.now, wall: None };
    let line = station.engine.outbox(now).into_iter().find(|line| line.id == id.to_string());
    line.expect("it is on its way").forecast
}

fn dry(station: &mut Station, to: &str, text: &str, precedence: Precedence) -> Reply {
    let (to, kind) = (Recipient::Person(to.into()), SendKind::Text);
    let (text, exercise, by) = (text.into(), false, "duty".into());
    station.request(Request::Forecast { to, text, precedence, kind, exercise, by });
    station.replies.last().cloned().unwrap()
}

#[test]
fn before_the_send_it_is_told_and_most_messages_arrive_within_it() {
    let (mut inside, mut early) = (0, 0);
    const RUNS: u64 = 20;
    for luck in 1..=RUNS {
        let mut pair = Pair::new(50);
        pair.luck = luck;
        let text = "三号桥断，请二组改走东线，沿途群众就近上高处，到后报数。".repeat(4);
        let id = pair.send(0, &text, Precedence::Priority, SendKind::Text, false);
        let [outlook] = &told(&pair.ends[0])[..] else { panic!("one recipient") };
        assert_eq!((outlook.bearer, outlook.slots_ahead, outlook.unknown), (Some(Bearer::Beidou), 0, None));
        assert!(outlook.parts >= 1 && outlook.sends_permille >= u32::from(outlook.parts) * 1_000, "{outlook:?}");
        let (begin, end) = (outlook.early_ms.unwrap(), outlook.late_ms.unwrap());
        assert!(begin <= end, "{outlook:?}");
        let mut passed = 0;
        while pair.message(1, id).is_none() && passed < 3_600 {
            pair.run(1);
            passed += 1;
        }
        inside += u64::from(passed * 1_000 <= end);
        early += u64::from(passed * 1_000 <= begin);
        assert_eq!(pair.message(0, id).unwrap().deliveries[0].air.as_ref().unwrap().stream.rows(), outlook.parts);
    }
    assert!(inside >= RUNS * 8 / 10, "{inside} of {RUNS}");
    assert!(early >= RUNS * 3 / 10, "{early} of {RUNS}");
}

#[test]
fn a_message_behind_a_long_one_is_told_its_own_turn() {
    let mut pair = Pair::new(0);
    pair.send(0, &long_order(), Precedence::Priority, SendKind::Order, false);
    let rows = u32::from(told(&pair.ends[0])[0].parts);
    assert!(rows > 3);
    let second = pair.send(0, "水位上涨", Precedence::Priority, SendKind::Text, false);
    // The first row of the first is on its way, and each row is lost with one chance in twenty.
    let outlook = told(&pair.ends[0]).remove(0);
    assert!((rows - 1..=rows + 2).contains(&outlook.slots_ahead), "{outlook:?} behind {rows}");
    let turn = outlook.send_in_ms.unwrap();
    assert!(turn >= u64::from(outlook.slots_ahead) * 60_000, "{outlook:?}");
    let flash = pair.send(0, "堤坝溃口，立即撤离", Precedence::Flash, SendKind::Text, false);
    assert_eq!(told(&pair.ends[0])[0].slots_ahead, 0);
    let lines = pair.ends[0].engine.outbox(Now { mono: pair.ends[0].now, wall: None });
    let slot_of = |id: MessageId| lines.iter().find(|line| line.id == id.to_string()).unwrap().slot_in_ms.unwrap();
    assert!(slot_of(flash) < slot_of(second), "{lines:?}");
}

#[test]
fn a_plain_beidou_handheld_never_confirms_so_its_arrival_is_unknown() {
    let mut station = Station::ready();
    station.send("li-lei", "请到三号桥集合", Precedence::Immediate);
    let [outlook] = &told(&station)[..] else { panic!("one recipient") };
    assert_eq!(outlook.unknown, Some(Unknown::NoReceipts));
    assert_eq!((outlook.early_ms, outlook.late_ms), (None, None));
    assert_eq!((outlook.parts, outlook.slots_ahead, outlook.send_in_ms), (1, 0, Some(0)));
    assert_eq!(outlook.sends_permille, 2_000, "IMMEDIATE goes out twice");
    let id = station.accepted();
    assert!(station.engine.state().message(id).unwrap().deliveries[0].told.is_none(), "nothing to score");
}

#[test]
fn a_radio_that_confirms_is_told_a_window_and_with_its_port_closed_none() {
    let mut station = Station::ready();
    station.send("han-mei", "请回话", Precedence::Priority);
    let outlook = told(&station).remove(0);
    assert_eq!((outlook.bearer, outlook.unknown), (Some(Bearer::Radio370), None));
    assert!(outlook.late_ms.unwrap() < 120_000, "{outlook:?}");
    let link = crate::station::radio();
    station.input(yizhan_engine::io::Input::LinkDown { link, why: yizhan_engine::io::LinkTrouble::Unplugged });
    station.send("han-mei", "请回话", Precedence::Priority);
    let outlook = told(&station).remove(0);
    assert_eq!((outlook.unknown, outlook.send_in_ms), (Some(Unknown::NoCard), None));
}

#[test]
fn after_three_unanswered_sends_nothing_is_promised_until_the_station_is_heard_again() {
    let mut pair = Pair::new(1_000);
    let id = pair.send(0, "水位上涨", Precedence::Priority, SendKind::Text, false);
    assert_eq!(told(&pair.ends[0])[0].unknown, None);
    for _ in 0..20 {
        pair.run(62);
    }
    assert!(pair.message(0, id).unwrap().deliveries[0].spent() >= 3);
    assert_eq!(now_of(&pair.ends[0], id).unknown, Some(Unknown::Silent));
    pair.send(0, "请回话", Precedence::Priority, SendKind::Text, false);
    assert_eq!(told(&pair.ends[0])[0].unknown, Some(Unknown::Silent));
    pair.loss_permille = 0;
    pair.send(1, "我站恢复", Precedence::Priority, SendKind::Text, false);
    pair.run(120);
    pair.send(0, "收到", Precedence::Priority, SendKind::Text, false);
    assert_eq!(told(&pair.ends[0])[0].unknown, None);
}

#[test]
fn the_outcome_is_scored_and_outlives_a_restart() {
    let mut pair = Pair::new(0);
    for text in ["水位上涨", "三号桥断", "请加密巡查"] {
        let id = pair.send(0, text, Precedence::Priority, SendKind::Text, false);
        pair.run(180);
        assert_eq!(pair.rung(0, id).0, Rung::Delivered);
    }
    let experience = pair.ends[0].engine.state().experience().clone();
    let [(class, score)] = experience.scores().collect::<Vec<_>>()[..] else { panic!("one class: {experience:?}") };
    assert_eq!(class.precedence, Precedence::Priority);
    assert_eq!((score.arrived, score.inside, score.missed), (3, 3, 0));
    assert!(score.width_ms > 0);
    pair.restart(0);
    assert_eq!(pair.ends[0].engine.state().experience(), &experience);
    let snapshot = pair.ends[0].engine.snapshot();
    let wall = Some(Utc(WALL.0 + 3_600_000));
    let config = yizhan_engine::config::EngineConfig { nets: Vec::new(), ..config() };
    let now = Now { mono: yizhan_engine::time::Instant(0), wall };
    let again = Engine::recover(config, now, Some(&snapshot), []).unwrap();
    assert_eq!(again.state().experience(), &experience, "from a snapshot alone");
}

#[test]
fn a_message_that_never_arrives_counts_against_its_forecast() {
    let mut pair = Pair::new(1_000);
    pair.send(0, "水位上涨", Precedence::Immediate, SendKind::Text, false);
    pair.run(3_700);
    let scores: Vec<_> = pair.ends[0].engine.state().experience().scores().collect();
    assert_eq!(scores.len(), 1);
    assert_eq!((scores[0].1.arrived, scores[0].1.missed), (0, 1));
}

#[test]
fn while_no_clock_is_trusted_nothing_is_learned() {
    let mut pair = Pair::new(0);
    let blind = |pair: &mut Pair| {
        let card = pair.ends[0].card;
        pair.ends[0].crash(crate::pair::station_config(0), None);
        pair.ends[0].card = card;
        pair.ends[0].bring_up();
        pair.ends[0].advance(Duration::from_secs(120));
    };
    blind(&mut pair);
    let id = pair.send(0, "水位上涨", Precedence::Priority, SendKind::Text, false);
    assert!(told(&pair.ends[0])[0].late_ms.is_some());
    pair.run(180);
    assert_eq!(pair.rung(0, id).0, Rung::Delivered);
    assert_eq!(pair.ends[0].engine.state().experience().scores().count(), 0);
}

#[test]
fn a_dry_run_tells_the_same_and_stores_nothing() {
    let mut pair = Pair::new(0);
    let (text, before) = (long_order(), pair.ends[0].engine.state_hash());
    let records = pair.ends[0].disk.len();
    let Reply::Forecast(outlooks) = dry(&mut pair.ends[0], STATION, &text, Precedence::Priority) else {
        panic!("{:?}", pair.ends[0].replies)
    };
    assert_eq!((pair.ends[0].engine.state_hash(), pair.ends[0].disk.len()), (before, records));
    pair.run(60);
    assert_eq!(pair.sends(), 0);
    pair.send(0, &text, Precedence::Priority, SendKind::Text, false);
    assert_eq!(told(&pair.ends[0]), outlooks);
    let refused = dry(&mut pair.ends[0], "王五", "在吗", Precedence::Routine);
    assert!(matches!(refused, Reply::Refused(Refusal::UnknownRecipient { .. })), "{refused:?}");
}
