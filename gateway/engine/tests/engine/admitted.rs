//! Admission: one sender may not fill the queue for all others.

use crate::station::{Station, radio};
use std::time::Duration;
use yizhan_codecs::message::Precedence;
use yizhan_engine::event::End;
use yizhan_engine::io::{Input, LinkTrouble, Recipient, Refusal, Reply, Request, SendKind};

fn asks(station: &mut Station, by: &str, text: &str, precedence: Precedence, kind: SendKind) -> Option<Refusal> {
    station.replies.clear();
    station.request(Request::Send {
        to: Recipient::Person("李雷".into()),
        text: text.into(),
        precedence,
        kind,
        exercise: false,
        in_reply_to: None,
        supersedes: None,
        by: by.into(),
    });
    match station.replies.pop() {
        Some(Reply::Refused(refusal)) => Some(refusal),
        _ => None,
    }
}

#[test]
fn a_duty_officer_may_send_a_hundred_open_messages_in_an_empty_queue() {
    let mut station = Station::ready();
    for n in 0..100 {
        assert_eq!(asks(&mut station, "duty", &format!("第{n}条"), Precedence::Priority, SendKind::Text), None);
    }
}

#[test]
fn who_holds_two_fifths_of_all_places_gets_no_more_and_the_others_do() {
    let mut station = Station::ready_as(|policy| (policy.outbox_max, policy.flash_reserved) = (60, 10));
    let text = |n: usize| format!("第{n}条");
    let taken =
        (0..50).take_while(|n| asks(&mut station, "script", &text(*n), Precedence::Routine, SendKind::Text).is_none());
    // One is on its way already.
    assert_eq!(taken.count(), 21);
    let refused = asks(&mut station, "script", "再来一条", Precedence::Routine, SendKind::Text).unwrap();
    assert_eq!(refused, Refusal::SenderShare { by: "script".into(), held: 20, allowed: 20, wanted: 1 });
    assert!(refused.label().contains("20 个时隙") && refused.label().contains("撤销"), "{}", refused.label());
    let form = asks(&mut station, "script", "#9 正常 共12", Precedence::Routine, SendKind::Form);
    assert!(matches!(form, Some(Refusal::SenderShare { .. })), "{form:?}");
    assert_eq!(asks(&mut station, "duty", "我还有一条", Precedence::Routine, SendKind::Text), None);
    assert_eq!(asks(&mut station, "script", "溃口", Precedence::Flash, SendKind::Text), None);
    assert_eq!(asks(&mut station, "script", "立即撤离", Precedence::Priority, SendKind::Order), None);
}

#[test]
fn a_flood_from_the_field_is_kept_and_shown_but_sent_on_only_within_its_share() {
    let mut station = Station::ready();
    for n in 0..30 {
        station.hear_text(242_407, &format!("@林涛 第{n}处渗水"));
    }
    let messages: Vec<_> = station.engine.state().messages().filter(|m| m.from.is_some()).collect();
    assert_eq!(messages.len(), 30, "nothing that was heard is lost");
    let refused: Vec<_> = messages.iter().filter(|m| m.deliveries[0].end == Some(End::Refused)).collect();
    assert_eq!(refused.len(), 13);
    let reason = &refused[0].deliveries[0].reason;
    assert!(reason.contains("一个发信人最多 16 个"), "{reason}");
}

/// What the station has told the handheld by itself, and what became of that.
fn notices(station: &Station) -> Vec<(String, Option<End>)> {
    let own = station.engine.state().messages().filter(|m| m.from.is_none() && m.by == "驿站");
    own.map(|m| (m.text.clone(), m.deliveries[0].end)).collect()
}

#[test]
fn who_sent_what_was_not_sent_on_is_told_and_a_flood_of_them_in_one_message() {
    let mut station = Station::ready();
    for n in 0..30 {
        station.hear_text(242_407, &format!("@林涛 第{n}处渗水"));
    }
    let notices = notices(&station);
    assert_eq!(notices.len(), 13);
    let waiting: Vec<_> = notices.iter().filter(|(_, end)| end.is_none()).collect();
    assert!(waiting.len() <= 2, "one goes out, the newest waits: {notices:?}");
    assert_eq!(notices[0].0, "没有转给林涛：“@林涛 第17处渗水”，本站没有受理");
    assert_eq!(notices[12].0, "最近几条没有转出，最后一条给林涛：“@林涛 第29处渗水”，本站没有受理");
}

#[test]
fn who_sent_what_outlived_its_life_is_told_unless_somebody_got_it() {
    let mut station = Station::ready();
    station.input(Input::LinkDown { link: radio(), why: LinkTrouble::Unplugged });
    station.hear_text(242_407, "@韩梅梅 桥头见");
    station.advance(Duration::from_secs(5 * 3_600));
    let notices = notices(&station);
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0].0, "没有转给韩梅梅：“@韩梅梅 桥头见”，超时没能发出");
}
