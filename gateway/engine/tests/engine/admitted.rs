//! Admission: one sender may not fill the queue for all others.

use crate::station::Station;
use yizhan_codecs::message::Precedence;
use yizhan_engine::event::End;
use yizhan_engine::io::{Recipient, Refusal, Reply, Request, SendKind};

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
    let messages: Vec<_> = station.engine.state().messages().collect();
    assert_eq!(messages.len(), 30, "nothing that was heard is lost");
    let refused: Vec<_> = messages.iter().filter(|m| m.deliveries[0].end == Some(End::Refused)).collect();
    assert_eq!(refused.len(), 13);
    let reason = &refused[0].deliveries[0].reason;
    assert!(reason.contains("一个发信人最多 16 个"), "{reason}");
}
