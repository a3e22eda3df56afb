//! What is sent: on the right card, no sooner than it allows, the urgent first, and with rungs that are true.

use crate::station::{Station, beidou};
use std::time::Duration;
use yizhan_codecs::codec::Value;
use yizhan_codecs::message::{LinkId, Precedence, Rung};
use yizhan_engine::config::Reach;
use yizhan_engine::event::{End, Event};
use yizhan_engine::io::{Input, LinkTrouble, Recipient, Refusal, Reply, Request};

const SLOT: Duration = Duration::from_secs(62);

fn radiated(station: &mut Station) {
    station.hear("BDFKI,TXA,Y,Y,0,0000");
}

#[test]
fn a_submit_is_accepted_and_its_bytes_are_released_only_after_the_sync() {
    let mut station = Station::ready();
    station.syncs = false;
    station.send("李雷", "原地待命", Precedence::Routine);
    assert!(station.replies.is_empty() && station.sent_over_beidou().is_empty());
    assert_eq!(station.engine.state().open_attempts().count(), 1, "the attempt is recorded ahead of the air");
    station.sync();
    assert_eq!((station.replies.len(), station.sent_over_beidou().len()), (1, 1));
}

#[test]
fn a_card_never_sends_sooner_than_its_period_and_guard() {
    let mut station = Station::ready();
    for n in 0..5 {
        station.send("李雷", &format!("第{n}条"), Precedence::Routine);
    }
    for _ in 0..600 {
        station.advance(Duration::from_secs(1));
        if station.written.last().is_some_and(|(at, link, _)| *link == beidou() && *at == station.now) {
            radiated(&mut station);
        }
    }
    let sends = station.sent_over_beidou();
    assert_eq!(sends.len(), 5);
    for pair in sends.windows(2) {
        assert!(pair[1].0.since(pair[0].0) >= SLOT, "{:?}", pair[1].0.since(pair[0].0));
    }
}

#[test]
fn a_first_start_owes_a_full_slot() {
    let mut station = Station::fresh(crate::station::config(), Some(crate::station::WALL));
    station.import_roster();
    station.bring_up();
    station.send("李雷", "原地待命", Precedence::Flash);
    station.advance(SLOT - Duration::from_secs(1));
    assert!(station.sent_over_beidou().is_empty());
    station.advance(Duration::from_secs(1));
    assert_eq!(station.sent_over_beidou().len(), 1);
}

#[test]
fn the_most_urgent_goes_first_and_flash_takes_the_slot_of_what_was_recorded() {
    let mut station = Station::ready();
    station.syncs = false;
    station.send("李雷", "平急的事", Precedence::Routine);
    // The routine's attempt is recorded and waits for the disk; now something urgent comes.
    station.send("李雷", "立即撤离", Precedence::Flash);
    station.syncs = true;
    station.sync();
    assert_eq!(station.engine.state().open_attempts().count(), 1);
    let sends = station.sent_over_beidou();
    assert_eq!(sends.len(), 1);
    assert!(sends[0].1.contains("立即撤离"), "{}", sends[0].1);
    assert_eq!(
        station.told(|e| matches!(
            e,
            Event::AttemptEnded { outcome: yizhan_engine::event::AttemptOutcome::Withdrawn, .. }
        )),
        1
    );
}

#[test]
fn what_the_only_link_of_a_terminal_cannot_write_is_refused_whatever_another_link_of_the_bearer_can() {
    let mut config = crate::station::config();
    let links: [(&str, &str, &str); 2] = [("radio", "hytera", "2300000-2399999"), ("pei", "pei", "900000-900099")];
    config.links = links
        .iter()
        .map(|(id, device, reach)| {
            let mut link = crate::station::config().links[1].clone();
            (link.id, link.device) = (LinkId::new(id), (*device).into());
            link.reach = Reach::read([*reach]).unwrap();
            if *device == "pei" {
                link.profile.0.insert("coding".into(), Value::Text("latin1".into()));
            }
            link
        })
        .collect();
    let mut station = Station::fresh(config, Some(crate::station::WALL));
    station.send_to(Recipient::Terminal("radio370:900001".into()), "原地待命", Precedence::Routine);
    assert!(
        matches!(station.replies.as_slice(), [Reply::Refused(Refusal::Charset { found: '原', .. })]),
        "{:?}",
        station.replies
    );
    station.send_to(Recipient::Terminal("radio370:900001".into()), "stay where you are", Precedence::Routine);
    assert!(matches!(station.replies.last(), Some(Reply::Accepted { .. })), "{:?}", station.replies);
}

#[test]
fn the_terminals_success_is_radiated_and_nothing_more() {
    let mut station = Station::ready();
    station.send("李雷", "原地待命", Precedence::Routine);
    let id = station.accepted();
    let rung = |station: &Station| station.engine.state().message(id).unwrap().deliveries[0].rung;
    assert_eq!(rung(&station), Rung::Taken);
    radiated(&mut station);
    assert_eq!(rung(&station), Rung::Radiated);
    station.advance(Duration::from_secs(13 * 3_600));
    let delivery = &station.engine.state().message(id).unwrap().deliveries[0];
    assert_eq!((delivery.rung, delivery.end), (Rung::Radiated, Some(End::Unknown)));
    assert!(!delivery.reason.is_empty());
}

#[test]
fn too_early_waits_as_told_and_does_not_count_as_an_attempt() {
    let mut station = Station::ready();
    station.send("李雷", "原地待命", Precedence::Routine);
    let first = station.now;
    station.hear("BDFKI,TXA,N,N,0,0023");
    station.advance(Duration::from_secs(26));
    let sends = station.sent_over_beidou();
    assert_eq!(sends.len(), 2);
    assert_eq!(sends[1].0.since(first), Duration::from_secs(24));
    let id = station.accepted();
    assert_eq!(station.engine.state().message(id).unwrap().deliveries[0].spent(), 0);
}

#[test]
fn suppression_stops_the_card_until_it_is_lifted() {
    let mut station = Station::ready();
    station.send("李雷", "原地待命", Precedence::Routine);
    station.hear("BDFKI,TXA,N,Y,1,0000");
    station.advance(Duration::from_secs(100));
    assert_eq!(station.sent_over_beidou().len(), 1);
    station.advance(Duration::from_secs(30));
    assert_eq!(station.sent_over_beidou().len(), 2, "tried again after two minutes");
}

#[test]
fn no_beam_holds_the_message_and_a_beam_lets_it_go() {
    let mut station = Station::ready();
    station.hear_beams("BDBSI,00,00,0,0,0,0,0,0,0,0,0,0");
    station.send("李雷", "原地待命", Precedence::Flash);
    station.advance(Duration::from_secs(300));
    assert!(station.sent_over_beidou().is_empty());
    station.hear_beams("BDBSI,01,03,3,2,2,0,3,0,0,3,0,0");
    assert_eq!(station.sent_over_beidou().len(), 1);
}

#[test]
fn a_flash_is_copied_with_the_same_short_number_and_not_after_evidence() {
    let mut station = Station::ready();
    station.send("李雷", "立即撤离", Precedence::Flash);
    let id = station.accepted();
    radiated(&mut station);
    station.advance(Duration::from_secs(400));
    radiated(&mut station);
    let sends = station.sent_over_beidou();
    assert_eq!(sends.len(), 2);
    assert!(sends.iter().all(|(_, text)| text.contains(&format!("({id})"))), "{sends:?}");
    station.hear_text(242_407, "收到");
    station.advance(Duration::from_secs(1_800));
    assert_eq!(station.sent_over_beidou().len(), 2);
}

#[test]
fn the_radio_networks_word_is_delivered() {
    let mut station = Station::ready();
    station.send("韩梅梅", "到桥头集合", Precedence::Routine);
    let id = station.accepted();
    let (request, _) = station.sent_over_radio()[0].clone();
    station.hear_radio_ack(request, 2_308_195, 0);
    let delivery = &station.engine.state().message(id).unwrap().deliveries[0];
    assert_eq!((delivery.rung, delivery.end), (Rung::Delivered, Some(End::Delivered)));
}

#[test]
fn a_late_good_word_still_counts() {
    let mut station = Station::ready();
    station.send("韩梅梅", "到桥头集合", Precedence::Routine);
    let id = station.accepted();
    let (request, _) = station.sent_over_radio()[0].clone();
    station.advance(Duration::from_secs(25));
    assert!(station.told(|e| matches!(e, Event::AttemptEnded { .. })) > 0, "given up as silent");
    station.hear_radio_ack(request, 2_308_195, 0);
    assert_eq!(station.engine.state().message(id).unwrap().deliveries[0].end, Some(End::Delivered));
}

#[test]
fn a_negative_word_lowers_only_its_own_attempt_and_the_next_try_comes() {
    let mut station = Station::ready();
    station.send("韩梅梅", "到桥头集合", Precedence::Routine);
    let (request, _) = station.sent_over_radio()[0].clone();
    station.hear_radio_ack(request, 2_308_195, 8);
    station.advance(Duration::from_secs(15));
    assert_eq!(station.sent_over_radio().len(), 2);
}

#[test]
fn a_second_try_goes_another_way() {
    let mut station = Station::ready();
    station.send("林涛", "到桥头集合", Precedence::Immediate);
    radiated(&mut station);
    assert_eq!((station.sent_over_beidou().len(), station.sent_over_radio().len()), (1, 0));
    station.advance(Duration::from_secs(255));
    assert_eq!((station.sent_over_beidou().len(), station.sent_over_radio().len()), (1, 1));
}

#[test]
fn a_flash_goes_over_two_bearers_at_once() {
    let mut station = Station::ready();
    station.send("林涛", "立即撤离", Precedence::Flash);
    assert_eq!((station.sent_over_beidou().len(), station.sent_over_radio().len()), (1, 1));
}

#[test]
fn a_long_text_goes_out_in_numbered_parts_that_a_person_can_join() {
    let mut station = Station::ready();
    let text = "上游水库今晚泄洪，沿河各组立即组织群众向高处转移，转移后清点人数报指挥部，".repeat(2);
    station.send("李雷", &text, Precedence::Priority);
    let id = station.accepted();
    for _ in 0..300 {
        station.advance(Duration::from_secs(1));
        radiated(&mut station);
    }
    let sends = station.sent_over_beidou();
    assert!(sends.len() >= 2);
    for (n, (_, sentence)) in sends.iter().enumerate() {
        assert!(sentence.contains(&format!("({id} {}/{})", n + 1, sends.len())), "{sentence}");
    }
    assert_eq!(station.engine.state().message(id).unwrap().deliveries[0].rung, Rung::Radiated);
}

#[test]
fn cancelling_stops_what_is_not_sent() {
    let mut station = Station::ready();
    station.send("李雷", "第一条", Precedence::Routine);
    station.send("李雷", "第二条", Precedence::Routine);
    let id = station.accepted();
    station.request(Request::Cancel { id, by: "duty".into() });
    station.advance(Duration::from_secs(300));
    assert_eq!(station.sent_over_beidou().len(), 1);
    assert_eq!(station.engine.state().message(id).unwrap().deliveries[0].end, Some(End::Cancelled));
    station.request(Request::Cancel { id, by: "duty".into() });
    assert_eq!(station.replies.last(), Some(&Reply::Refused(Refusal::AlreadyEnded { id })));
}

#[test]
fn a_full_outbox_refuses_routine_first_and_flash_last() {
    let mut station = Station::ready_as(|policy| policy.sender_share = 1_000);
    station.input(Input::LinkDown { link: beidou(), why: LinkTrouble::Unplugged });
    let mut refused = Vec::new();
    for precedence in [Precedence::Routine, Precedence::Priority, Precedence::Immediate, Precedence::Flash] {
        for n in 0..3_000 {
            station.replies.clear();
            station.send("李雷", &format!("{n}"), precedence);
            if let Some(Reply::Refused(Refusal::OutboxFull { held, max, .. })) = station.replies.last() {
                refused.push((precedence, *held, *max));
                break;
            }
        }
    }
    let held: Vec<usize> = refused.iter().map(|(_, held, _)| *held).collect();
    assert_eq!(held, vec![1_344, 1_568, 1_792, 2_048], "{refused:?}");
}

#[test]
fn a_character_that_no_terminal_can_carry_is_refused_at_once_or_carried() {
    let mut station = Station::ready();
    station.send("李雷", "", Precedence::Routine);
    assert_eq!(station.replies.last(), Some(&Reply::Refused(Refusal::Empty)));
    station.send("王五", "在吗", Precedence::Routine);
    assert!(matches!(station.replies.last(), Some(Reply::Refused(Refusal::UnknownRecipient { .. }))));
}

#[test]
fn a_number_that_no_device_can_write_is_refused_at_once_not_kept_until_it_expires() {
    let mut station = Station::ready();
    // 24 bits are all that these radios have.
    let beyond = "radio370:99999999".to_owned();
    station.send_to(yizhan_engine::io::Recipient::Terminal(beyond.clone()), "在吗", Precedence::Routine);
    assert_eq!(station.replies.last(), Some(&Reply::Refused(Refusal::NoTerminal { name: beyond })));
}

#[test]
fn a_message_never_radiated_expires_with_a_reason() {
    let mut station = Station::ready();
    station.input(Input::LinkDown { link: beidou(), why: LinkTrouble::Unplugged });
    station.send("李雷", "原地待命", Precedence::Immediate);
    let id = station.accepted();
    station.advance(Duration::from_secs(3_700));
    let delivery = &station.engine.state().message(id).unwrap().deliveries[0];
    assert_eq!(delivery.end, Some(End::Expired));
}

#[test]
fn a_flash_that_outlives_its_life_alarms_and_is_tried_on() {
    let mut station = Station::ready();
    station.input(Input::LinkDown { link: beidou(), why: LinkTrouble::Unplugged });
    station.send("李雷", "立即撤离", Precedence::Flash);
    let id = station.accepted();
    station.advance(Duration::from_secs(1_000));
    assert_eq!(station.told(|e| matches!(e, Event::FlashOverdue { .. })), 1);
    let message = station.engine.state().message(id).unwrap();
    assert_eq!((message.precedence, message.deliveries[0].end), (Precedence::Immediate, None));
    station.input(Input::LinkUp { link: beidou() });
    station.hear_card();
    assert_eq!(station.sent_over_beidou().len(), 1);
}

#[test]
fn an_exercise_text_begins_with_its_mark_and_still_fits() {
    let mut station = Station::ready();
    station.request(Request::Send {
        to: yizhan_engine::io::Recipient::Person("李雷".into()),
        text: "三".repeat(44),
        precedence: Precedence::Routine,
        kind: yizhan_engine::io::SendKind::Text,
        exercise: true,
        in_reply_to: None,
        supersedes: None,
        by: "duty".into(),
    });
    let sends = station.sent_over_beidou();
    assert!(sends[0].1.contains("【演练】"), "{}", sends[0].1);
}

#[test]
fn a_port_that_takes_nothing_is_tried_ever_less_often() {
    let mut station = Station::ready();
    station.writes = false;
    let before = station.disk.len();
    station.send("韩梅梅", "到桥头集合", Precedence::Routine);
    station.advance(Duration::from_secs(3_600));
    let records = station.disk.len() - before;
    assert!((10..60).contains(&records), "{records} records in an hour");
    station.writes = true;
    station.advance(Duration::from_secs(600));
    assert!(station.engine.state().message(station.accepted()).unwrap().deliveries[0].rung >= Rung::Taken);
}

#[test]
fn a_send_is_counted_once() {
    let mut station = Station::ready();
    station.send("李雷", "原地待命", Precedence::Routine);
    radiated(&mut station);
    let now = yizhan_engine::time::Now { mono: station.now, wall: None };
    assert_eq!(station.engine.status(now).links[0].cards[0].sends_total, 1);
}

#[test]
fn an_old_message_goes_before_its_turn_in_one_slot_of_six() {
    let mut station = Station::ready();
    station.send("李雷", "旧的平急", Precedence::Routine);
    station.send("李雷", "旧的平急二", Precedence::Routine);
    // A stream of PRIORITY that alone would fill every slot for ever.
    let mut order = Vec::new();
    for n in 0..400 {
        station.send("李雷", &format!("加急{n}"), Precedence::Priority);
        station.advance(Duration::from_secs(31));
        let sent = station.sent_over_beidou();
        if order.len() < sent.len() {
            order.push(sent[order.len()].1.contains("平急"));
            radiated(&mut station);
        }
    }
    let old: Vec<usize> = order.iter().enumerate().skip(1).filter(|(_, old)| **old).map(|(n, _)| n).collect();
    assert_eq!(old.len(), 1, "the first went at once, the second when it had aged: {old:?}");
}

#[test]
fn a_swapped_card_owes_its_own_slot_and_the_old_one_is_gone() {
    let mut station = Station::ready();
    station.input(Input::LinkDown { link: beidou(), why: LinkTrouble::Unplugged });
    station.send("李雷", "第一条", Precedence::Routine);
    station.send("李雷", "第二条", Precedence::Routine);
    station.advance(Duration::from_secs(5));
    station.input(Input::LinkUp { link: beidou() });
    let swapped = station.now;
    station.hear("BDICI,0142099,02097151,0000011,6,120,3,N,000");
    station.hear_beams("BDBSI,01,03,3,2,2,0,3,0,0,3,0,0");
    station.advance(Duration::from_secs(300));
    let sends = station.sent_over_beidou();
    assert_eq!(sends.len(), 2);
    assert!(sends[0].0.since(swapped) >= Duration::from_secs(122), "{:?}", sends[0].0.since(swapped));
    assert!(sends[1].0.since(sends[0].0) >= Duration::from_secs(122));
    let now = yizhan_engine::time::Now { mono: station.now, wall: None };
    let cards: Vec<String> = station.engine.status(now).links[0].cards.iter().map(|card| card.number.clone()).collect();
    assert_eq!(cards, ["142099"]);
}
