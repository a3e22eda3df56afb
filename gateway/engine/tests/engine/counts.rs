//! Fourteen bits of a counter are on the air: who has lost count of the rest asks for a beacon.

use crate::pair::Pair;
use std::time::Duration;
use yizhan_codecs::message::{Precedence, Rung};
use yizhan_engine::bus::journal::{self, Encode, record::What};
use yizhan_engine::event::{End, Event};
use yizhan_engine::io::{Offset, SendKind, StoredRecord};

/// Beyond what 14 bits and a window that knows nothing can tell.
const FAR: u32 = 20_000;

/// A pair one end of which has sent many messages while the other knew nothing of it.
fn apart(ends: &[usize]) -> Pair {
    let mut pair = Pair::new(0);
    for at in ends {
        let record = journal::Record { at_ms: 0, what: Some(What::IdsReserved(journal::IdsReserved { through: FAR })) };
        let disk = &mut pair.ends[*at].disk;
        let offset = Offset(disk.last().map_or(0, |record| record.offset.0) + 1);
        disk.push(StoredRecord { offset, body: record.encode_to_vec().into() });
        pair.restart(*at);
        pair.ends[*at].advance(Duration::from_secs(120));
        pair.ends[*at].forget_noise();
    }
    pair
}

fn asked(pair: &Pair, at: usize) -> usize {
    pair.ends[at].told(|event| matches!(event, Event::Remarked { what, .. } if what.contains("请它报数")))
}

#[test]
fn a_station_that_has_lost_count_asks_for_it_and_then_opens_what_waited() {
    let mut pair = apart(&[0]);
    let id = pair.send(0, "三号桥断，请二组改走东线。", Precedence::Priority, SendKind::Text, false);
    assert!(id.counter > FAR);
    pair.run(60);
    assert!(pair.message(1, id).is_none(), "nobody can open it yet");
    pair.run(9 * 60);
    assert_eq!(pair.message(1, id).map(|message| message.text.as_str()), Some("三号桥断，请二组改走东线。"));
    assert_eq!(pair.rung(0, id), (Rung::Delivered, Some(End::Delivered)));
    assert_eq!((asked(&pair, 1), asked(&pair, 0)), (1, 0));
    let before = pair.sends();
    let next = pair.send(0, "收到请回话", Precedence::Priority, SendKind::Text, false);
    pair.run(180);
    assert_eq!((pair.rung(0, next).0, pair.sends() - before), (Rung::Delivered, 2), "one frame there, one back");
}

#[test]
fn a_long_order_to_a_station_that_has_lost_count_comes_whole_too() {
    let mut pair = apart(&[0]);
    let order = crate::pair::long_order();
    let id = pair.send(0, &order, Precedence::Immediate, SendKind::Order, false);
    pair.run(60 * 60);
    assert_eq!(pair.message(1, id).map(|message| message.text.clone()), Some(order));
    assert_eq!(pair.rung(0, id), (Rung::Delivered, Some(End::Delivered)));
}

#[test]
fn two_stations_that_have_both_lost_count_find_each_other_through_loss() {
    let mut pair = apart(&[0, 1]);
    pair.loss_permille = 300;
    let there = pair.send(0, "请报水位", Precedence::Priority, SendKind::Text, false);
    let back = pair.send(1, "水位三米二，还在涨", Precedence::Priority, SendKind::Text, false);
    pair.run(90 * 60);
    assert_eq!(pair.rung(0, there), (Rung::Delivered, Some(End::Delivered)));
    assert_eq!(pair.rung(1, back), (Rung::Delivered, Some(End::Delivered)));
}

#[test]
fn who_is_not_heard_asks_ever_less_often() {
    let mut pair = apart(&[0]);
    pair.deaf = Some(0);
    pair.send(0, "请报水位", Precedence::Priority, SendKind::Text, false);
    pair.run(4 * 3_600);
    let asked = pair.sends_of(1);
    assert!((3..=16).contains(&asked), "{asked} questions in four hours");
}

#[test]
fn one_damaged_frame_of_a_station_that_was_heard_is_no_reason_to_ask() {
    let mut pair = Pair::new(0);
    pair.send(0, "请报水位", Precedence::Priority, SendKind::Text, false);
    pair.run(180);
    let before = pair.sends_of(1);
    pair.damaged = 1;
    pair.send(0, "收到请回话", Precedence::Priority, SendKind::Text, false);
    pair.run(60);
    assert_eq!(pair.sends_of(1), before);
    assert_eq!(asked(&pair, 1), 0);
}
