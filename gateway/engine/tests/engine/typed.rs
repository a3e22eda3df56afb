//! Forms that are typed on the keypad of a plain handheld: kept as typed, shown in words, asked back when not clear.

use crate::station::{Station, config};
use std::time::Duration;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::message::{Answer, Precedence, Rung};
use yizhan_engine::bus::Message;
use yizhan_engine::event::{End, Event};
use yizhan_engine::people::Topic;

fn last(station: &Station) -> Message {
    station.engine.state().messages().rfind(|message| message.from.is_some()).unwrap().clone()
}

/// What the station sent over Beidou by itself, without the sentence around it.
fn sent(station: &Station) -> Vec<String> {
    station.sent_over_beidou().into_iter().map(|(_, text)| text).collect()
}

#[test]
fn a_line_is_kept_as_it_was_typed_and_shown_in_words() {
    let mut station = Station::ready();
    station.hear_text(242_407, "＃1 2 1 3 2 14 0 ? ? ? ?");
    let kept = last(&station);
    assert_eq!(kept.text, "＃1 2 1 3 2 14 0 ? ? ? ?");
    let words = "【险情续报】滑坡 死亡3人 失联2人 受伤14人 被困0人（未报：受威胁、转移、倒房、损房）";
    assert_eq!((kept.words.as_str(), kept.shown()), (words, words));
    let form: serde_json::Value = serde_json::from_str(&kept.form).unwrap();
    assert_eq!((&form["form"], &form["dead"], form.get("moved")), (&"situation".into(), &3.into(), None));
    assert_eq!((kept.topic, kept.precedence), (Topic::Form, Precedence::Priority));
    assert!(sent(&station).is_empty(), "what is clear is not answered");
}

#[test]
fn a_line_that_is_not_clear_is_kept_as_text_and_asked_back() {
    let mut station = Station::ready();
    station.hear_text(242_407, "#1 2 99");
    let kept = last(&station);
    assert_eq!((kept.text.as_str(), kept.words.as_str(), kept.form.as_str()), ("#1 2 99", "", ""));
    assert_eq!(station.told(|event| matches!(event, Event::MessageHeard { .. })), 1);
    let asked = sent(&station);
    assert_eq!(asked.len(), 1);
    assert!(asked[0].contains("灾种“99”不清：1滑坡 2泥石流"), "{}", asked[0]);
    let question = station.engine.state().messages().next_back().unwrap();
    assert_eq!((question.in_reply_to, question.by.as_str()), (Some(kept.id), "驿站"));
}

#[test]
fn a_newer_question_takes_the_place_of_one_that_waits() {
    let mut station = Station::ready();
    station.hear_text(242_407, "#1 2 99");
    station.hear_text(242_407, "#1 2 98");
    station.hear_text(242_407, "#1 2 97");
    let state = station.engine.state();
    let questions: Vec<&Message> = state.messages().filter(|message| message.from.is_none()).collect();
    assert_eq!(questions.len(), 3);
    let ends: Vec<Option<End>> = questions.iter().map(|question| question.deliveries[0].end).collect();
    assert_eq!(ends, [Some(End::Superseded), Some(End::Superseded), None]);
}

#[test]
fn a_stranger_is_shown_and_not_asked() {
    let mut station = Station::ready();
    station.hear_text(199_999, "#1 2 99");
    assert_eq!(last(&station).text, "#1 2 99");
    station.advance(Duration::from_secs(120));
    assert!(sent(&station).is_empty());
    let mut config = config();
    config.policy.keypad_questions = false;
    let mut station = Station::ready();
    station.crash(config, station.wall);
    station.bring_up();
    station.advance(Duration::from_secs(120));
    station.hear_text(242_407, "#1 2 99");
    station.advance(Duration::from_secs(120));
    assert!(sent(&station).is_empty(), "nor is anybody when the policy says so");
}

#[test]
fn a_call_for_help_from_a_keypad_is_flash_and_relayed_in_words() {
    let mut station = Station::ready();
    station.hear_text(242_407, "#2 1 3 1 位30.6521 104.0812");
    let sos = last(&station);
    assert_eq!((sos.topic, sos.precedence), (Topic::Sos, Precedence::Flash));
    assert_eq!(sos.position.map(|position| position.lat_e7), Some(306_520_968));
    let relayed = station.sent_over_radio();
    let words = "【求救】水困 人数3人 受伤1人 位置30.6521,104.0812";
    assert_eq!(relayed[0].1, format!("李雷：{words}({})", sos.id));
}

#[test]
fn a_call_for_help_that_cannot_be_read_is_one_all_the_same() {
    let mut station = Station::ready();
    station.hear_text(242_407, "#2 救我 王家坝");
    let sos = last(&station);
    assert_eq!((sos.topic, sos.precedence, sos.words.as_str()), (Topic::Sos, Precedence::Flash, ""));
    let relayed = station.sent_over_radio();
    assert_eq!(relayed[0].1, format!("求救 李雷：#2 救我 王家坝({})", sos.id));
    assert!(sent(&station).is_empty(), "nobody in danger is asked to write better");
}

#[test]
fn an_answer_from_a_keypad_raises_the_rung_of_the_message_it_names() {
    let mut station = Station::ready();
    station.send("李雷", "去三号桥", Precedence::Priority);
    let id = station.accepted();
    station.hear("BDFKI,TXA,Y,Y,0,0000");
    station.hear_text(242_407, &format!("#5 2 {id} 到40"));
    let delivery = &station.engine.state().message(id).unwrap().deliveries[0];
    assert_eq!((delivery.rung, delivery.end), (Rung::Answered(Answer::Executing), Some(End::Answered)));
    let answer = last(&station);
    assert_eq!((answer.topic, answer.in_reply_to), (Topic::Answer, Some(id)));
    assert_eq!(answer.words, format!("【答复执行中】编号{id} 预计约40分钟"));
}

#[test]
fn an_exercise_line_is_exercise_and_a_crash_changes_nothing() {
    let mut station = Station::ready();
    station.hear_text(242_407, "演练 #1 1 4 死0");
    let kept = last(&station);
    assert_eq!((kept.traffic, kept.words.is_empty()), (Traffic::Exercise, false));
    station.crash(config(), station.wall);
    assert_eq!(last(&station), kept);
}

#[test]
fn a_line_that_a_person_cut_in_parts_is_kept_and_not_read() {
    let mut station = Station::ready();
    station.hear_text(242_407, "(1/2)#1 2 1 3 ");
    station.hear_text(242_407, "(2/2)2 14 说青龙村后山");
    let kept = last(&station);
    assert_eq!((kept.text.as_str(), kept.words.as_str()), ("#1 2 1 32 14 说青龙村后山", ""), "32 was never typed");
    assert!(sent(&station)[0].contains("不要自己分段"), "{:?}", sent(&station));
}

#[test]
fn an_answer_whose_number_is_mistyped_is_asked_back_and_counts_for_nothing() {
    let mut station = Station::ready();
    station.hear_text(242_407, "收到 0102Q");
    assert_eq!(sent(&station).len(), 1);
    assert!(sent(&station)[0].contains("编号“0102Q”不对"), "{:?}", sent(&station));
}

#[test]
fn questions_of_different_kinds_do_not_replace_each_other() {
    let mut station = Station::ready();
    station.hear_text(100_000, "占住时隙");
    station.hear_text(242_407, "@王五 请转告");
    station.hear_text(242_407, "#1 2 99");
    station.hear_text(242_407, "@赵六 请转告");
    let state = station.engine.state();
    let questions: Vec<&Message> = state.messages().filter(|message| message.from.is_none()).collect();
    let ends: Vec<Option<End>> = questions.iter().map(|question| question.deliveries[0].end).collect();
    assert_eq!(ends, [Some(End::Superseded), None, None]);
    assert!(
        questions[2].text.contains("“赵六”") && questions[2].text.contains("前面几条也是"),
        "{}",
        questions[2].text
    );
}
