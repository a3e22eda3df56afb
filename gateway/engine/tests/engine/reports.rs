//! Reports: relayed by their own rule, sent by people at the station too, and of some only the newest is sent.

use crate::pair::{Pair, ROSTER, station_config};
use crate::station::Station;
use yizhan_codecs::message::{MessageId, Precedence, Rung};
use yizhan_engine::bus::Message;
use yizhan_engine::event::End;
use yizhan_engine::io::{Recipient, Refusal, Reply, Request, SendKind};
use yizhan_engine::people::{Roster, Topic};

/// The roster of the pair, where the outpost passes on to the command post what these rules say.
fn relaying(rules: &str) -> Pair {
    let group = r#""group": [{"id": "command", "name": "指挥部", "members": ["county"]}]"#;
    let roster = ROSTER.trim_end().trim_end_matches('}').trim_end();
    Pair::of(0, &format!("{roster}, {group}, \"relay\": [{rules}]}}"), station_config)
}

const REPORTS: &str = r#"{"topic": "form", "groups": ["command"]}"#;

/// What the outpost heard from its handheld, in order.
fn heard(pair: &Pair) -> Vec<Message> {
    pair.ends[1].engine.state().messages().filter(|message| message.from.is_some()).cloned().collect()
}

fn ends(pair: &Pair) -> Vec<Option<End>> {
    heard(pair).iter().map(|message| message.deliveries[0].end).collect()
}

#[test]
fn a_report_goes_on_by_its_own_rule_and_other_talk_does_not() {
    let mut pair = relaying(REPORTS);
    pair.ends[1].hear_text(242_407, "#1 首报 滑坡 死1 失2");
    pair.ends[1].hear_text(242_407, "三组到达");
    pair.run(200);
    let [report, talk] = &heard(&pair)[..] else { panic!("two were heard") };
    assert_eq!((report.topic, talk.topic), (Topic::Form, Topic::Text));
    assert_eq!(talk.deliveries.len(), 0);
    let at_the_centre = pair.message(0, report.id).expect("it came");
    assert_eq!(at_the_centre.topic, Topic::Form);
    assert!(at_the_centre.form.contains("situation") && at_the_centre.words.contains("李雷"), "{at_the_centre:?}");
}

#[test]
fn without_a_rule_of_its_own_a_report_goes_where_a_text_goes() {
    let roster = |rules: &str| -> Roster {
        let text =
            format!(r#"{{"group": [{{"id": "a", "name": "甲"}}, {{"id": "b", "name": "乙"}}], "relay": [{rules}]}}"#);
        serde_json::from_str(&text).unwrap()
    };
    let to = |roster: &Roster| -> Vec<String> {
        roster.relay_groups(Topic::Form).iter().map(|group| group.id.clone()).collect()
    };
    assert!(to(&roster("")).is_empty());
    assert_eq!(to(&roster(r#"{"topic": "text", "groups": ["a"]}"#)), ["a"]);
    let both = r#"{"topic": "text", "groups": ["a"]}, {"topic": "form", "groups": ["b"]}"#;
    assert_eq!(to(&roster(both)), ["b"]);
}

#[test]
fn a_report_that_waits_gives_way_to_the_next_of_its_unit() {
    let mut pair = relaying(REPORTS);
    // The first one takes the slot; those after it wait for the next.
    for state in ["正常", "行进中", "作业中", "受阻"] {
        pair.ends[1].hear_text(242_407, &format!("#9 {state} 共12"));
    }
    assert_eq!(ends(&pair), [None, Some(End::Superseded), Some(End::Superseded), None]);
    pair.run(300);
    let [first, .., last] = &heard(&pair)[..] else { panic!("four were heard") };
    assert!(pair.message(0, first.id).is_some(), "what has begun to go out goes out");
    assert!(pair.message(0, last.id).unwrap().words.contains("受阻"));
    assert_eq!(ends(&pair)[3], Some(End::Delivered));
}

#[test]
fn what_the_next_report_does_not_tell_again_is_sent() {
    let mut pair = relaying(REPORTS);
    pair.ends[1].hear_text(242_407, "#9 正常 共12");
    pair.ends[1].hear_text(242_407, "#1 首报 滑坡 死1 失2 说青龙村后山");
    pair.ends[1].hear_text(242_407, "#1 续报 滑坡 死3 失2");
    pair.ends[1].hear_text(242_407, "#8 帐篷200");
    pair.ends[1].hear_text(242_407, "#8 帐篷100");
    assert_eq!(ends(&pair), [None; 5]);
    pair.run(600);
    assert_eq!(ends(&pair), [Some(End::Delivered); 5]);
}

#[test]
fn another_units_report_takes_no_place() {
    let mut pair = relaying(REPORTS);
    pair.ends[1].hear_text(242_407, "#9 正常 共12");
    pair.ends[1].hear_text(242_407, "#9 行进中 共12");
    pair.ends[1].hear_text(242_499, "#9 行进中 共30");
    assert_eq!(ends(&pair)[..2], [None, None]);
}

fn send(station: &mut Station, to: &str, line: &str) -> Result<MessageId, Refusal> {
    station.request(Request::Send {
        to: Recipient::Person(to.into()),
        text: line.into(),
        precedence: Precedence::Priority,
        kind: SendKind::Form,
        exercise: false,
        in_reply_to: None,
        supersedes: None,
        by: "duty".into(),
    });
    match station.replies.last() {
        Some(Reply::Accepted { id, .. }) => Ok(*id),
        Some(Reply::Refused(refusal)) => Err(refusal.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_form_written_at_the_station_is_a_form_at_the_other() {
    let mut pair = Pair::new(0);
    let line = "#4 集合 地12 限12日19:30 共40 要回执";
    let id = send(&mut pair.ends[0], "sanhe", line).unwrap();
    let own = pair.message(0, id).unwrap();
    assert_eq!((own.text.as_str(), own.kind, own.topic), (line, SendKind::Order, Topic::Form));
    pair.run(120);
    let there = pair.message(1, id).expect("it came");
    assert!(there.form.contains("\"order\"") && there.words.contains("集合"), "{} {}", there.form, there.words);
    assert_eq!(pair.rung(0, id), (Rung::Delivered, Some(End::Delivered)));
}

#[test]
fn a_plain_handheld_gets_the_words_of_a_form() {
    let mut station = Station::ready();
    let id = send(&mut station, "li-lei", "#6 红色 山洪 立即转移 自22:00 雨80").unwrap();
    assert_eq!(station.engine.state().message(id).unwrap().kind, SendKind::Warning);
    let sent = station.sent_over_beidou();
    assert!(sent[0].1.contains("红色") && sent[0].1.contains("立即转移") && !sent[0].1.contains("#6"), "{}", sent[0].1);
}

#[test]
fn a_form_that_is_not_clear_is_refused_with_what_is_asked() {
    let mut station = Station::ready();
    for (line, asked) in [("#1 2 99", "灾种“99”不清"), ("三号桥断", "#")] {
        let Err(refusal @ Refusal::FormUnclear { .. }) = send(&mut station, "li-lei", line) else {
            panic!("{line} was taken")
        };
        assert!(refusal.label().contains(asked), "{}", refusal.label());
    }
    assert!(station.sent_over_beidou().is_empty());
}

#[test]
fn a_form_says_by_itself_how_urgent_it_is() {
    let usual = |line: &str| yizhan_engine::usual_precedence(SendKind::Form, line);
    assert_eq!(usual("#2 水困 共3"), Precedence::Flash);
    assert_eq!((usual("#4 集合"), usual("#6 红色 山洪")), (Precedence::Immediate, Precedence::Immediate));
    assert_eq!(usual("#9 正常 共12"), Precedence::Priority);
    assert_eq!(yizhan_engine::usual_precedence(SendKind::Text, "#2 水困 共3"), Precedence::Routine);
}

#[test]
fn that_our_own_message_was_read_is_not_for_us_to_say() {
    let mut station = Station::ready();
    station.send("li-lei", "原地待命", Precedence::Routine);
    let id = station.accepted();
    station.request(Request::MarkRead { id, by: "duty".into() });
    assert_eq!(station.replies.last(), Some(&Reply::Refused(Refusal::OwnMessage { id })));
}
