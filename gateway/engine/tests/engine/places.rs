//! Where people behind an outpost are: several positions in one frame to the command post, when there is room.

use crate::pair::{Pair, ROSTER};
use serde_json::json;
use yizhan_codecs::device::hytera::wire::{Body, Family, Gps, Lp, RadioIp};
use yizhan_codecs::message::{Position, Precedence, TerminalId};
use yizhan_engine::event::Event;
use yizhan_engine::io::{Request, SendKind};
use yizhan_engine::people::{Roster, RosterError};

const FIRST: u16 = 2_001;

/// Both stations know so many people with radios, each with a number for positions.
fn with_people(people: u16) -> Pair {
    let mut pair = Pair::new(0);
    let mut roster: serde_json::Value = serde_json::from_str(ROSTER).unwrap();
    for at in 0..people {
        let terminals = [format!("radio370:{}", 2_308_100 + u32::from(at))];
        let person = json!({
            "id": format!("p{at}"), "name": format!("队员{at}"), "number": FIRST + at, "terminals": terminals,
        });
        roster["person"].as_array_mut().unwrap().push(person);
    }
    let roster: Roster = serde_json::from_value(roster).unwrap();
    for end in &mut pair.ends {
        end.request(Request::ImportRoster { roster: roster.clone(), by: "test".into() });
        end.forget_noise();
    }
    pair
}

/// A person's radio tells where it is, some hundred metres from the others.
fn tells(pair: &mut Pair, at: u16, north_m: i32) {
    let number = 2_308_100 + u32::from(at);
    let fix = place(at, north_m);
    let radio = RadioIp::new(10, number).unwrap();
    let gps = Gps::from_position(&fix);
    let report = Lp::Report { family: Family::Standard, request: 0, radio, result: 0, gps, rssi: None };
    pair.ends[1].hear_hdap(number, Body::Lp(report));
}

fn place(at: u16, north_m: i32) -> Position {
    let (lat_e7, lon_e7) = (306_500_000 + north_m * 90, 1_040_800_000 + i32::from(at) * 10_000);
    Position { lat_e7, lon_e7, ..Position::from_degrees(0.0, 0.0).unwrap() }
}

fn known(pair: &Pair, at: u16) -> Option<Position> {
    let terminal: TerminalId = format!("radio370:{}", 2_308_100 + u32::from(at)).parse().unwrap();
    pair.ends[0]
        .engine
        .state()
        .contacts()
        .find(|(known, _)| **known == terminal)
        .and_then(|(_, contact)| contact.position)
}

fn is_near(pair: &Pair, at: u16, north_m: i32) -> bool {
    known(pair, at).is_some_and(|known| known.metres_to(&place(at, north_m)) <= 2)
}

#[test]
fn positions_wait_for_each_other_and_go_in_one_frame_without_a_receipt() {
    let mut pair = with_people(3);
    for at in 0..3 {
        tells(&mut pair, at, 0);
        pair.run(60);
    }
    assert_eq!(pair.sends(), 0, "they wait for more");
    pair.run(240);
    assert_eq!(pair.sends(), 1);
    assert!((0..3).all(|at| is_near(&pair, at, 0)), "{:?}", known(&pair, 0));
    assert_eq!(pair.ends[0].engine.state().messages().count(), 0, "a position is no message");
    pair.run(600);
    assert_eq!(pair.sends(), 1, "nothing is repeated and nobody answers");
}

#[test]
fn nine_about_an_origin_fill_a_frame_and_do_not_wait() {
    let mut pair = with_people(9);
    pair.share_origin(3, 306_500_000, 1_040_800_000);
    for at in 0..9 {
        tells(&mut pair, at, 0);
    }
    pair.run(62);
    assert_eq!(pair.sends(), 1);
    assert!((0..9).all(|at| is_near(&pair, at, 0)));
}

#[test]
fn a_unit_that_moves_while_it_waits_is_told_once_where_it_is_now() {
    let mut pair = with_people(1);
    tells(&mut pair, 0, 0);
    pair.run(100);
    tells(&mut pair, 0, 500);
    pair.run(600);
    assert_eq!(pair.sends(), 1);
    assert!(is_near(&pair, 0, 500));
}

#[test]
fn in_a_flood_of_urgent_messages_positions_get_one_slot_in_six() {
    let mut pair = with_people(2);
    for n in 0..12 {
        pair.send(1, &format!("第{n}号堤段渗水，请派人"), Precedence::Immediate, SendKind::Text, false);
    }
    pair.run(2 * 62);
    tells(&mut pair, 0, 0);
    pair.run(3 * 62);
    assert!(known(&pair, 0).is_none(), "five others go first");
    pair.run(2 * 62);
    assert!(is_near(&pair, 0, 0));
    tells(&mut pair, 1, 0);
    pair.run(3 * 62);
    assert!(known(&pair, 1).is_none());
}

#[test]
fn flash_goes_before_positions() {
    let mut pair = with_people(9);
    pair.send(1, "开始巡查", Precedence::Routine, SendKind::Text, false);
    pair.run(2);
    for at in 0..9 {
        tells(&mut pair, at, 0);
    }
    let flash = pair.send(1, "堤坝溃口", Precedence::Flash, SendKind::Text, false);
    pair.run(70);
    assert!(pair.message(0, flash).is_some() && known(&pair, 0).is_none());
}

#[test]
fn a_position_that_nobody_could_be_told_in_ten_minutes_is_let_go_in_words() {
    let mut pair = with_people(1);
    pair.ends[1].writes = false;
    tells(&mut pair, 0, 0);
    pair.run(700);
    let gone = |event: &Event| matches!(event, Event::Remarked { what, .. } if what.contains("位置过期"));
    assert_eq!(pair.ends[1].told(gone), 1);
}

#[test]
fn a_frame_about_an_origin_that_the_command_post_does_not_know_is_remarked_and_never_guessed() {
    let mut pair = with_people(1);
    pair.origins[1].push((3, 306_500_000, 1_040_800_000));
    pair.restart(1);
    tells(&mut pair, 0, 0);
    pair.run(600);
    assert_eq!(known(&pair, 0), None);
    let remark = |event: &Event| matches!(event, Event::Remarked { what, .. } if what.contains("原点"));
    assert_eq!(pair.ends[0].told(remark), 1);
}

#[test]
fn a_persons_number_is_his_own_and_no_stations() {
    let mut roster: Roster = serde_json::from_str(ROSTER).unwrap();
    roster.people[0].number = Some(1_023);
    assert!(matches!(roster.validate(), Err(RosterError::PersonNumber { found: 1_023, .. })));
    roster.people[0].number = Some(1_024);
    assert_eq!(roster.validate(), Ok(()));
    let twin = yizhan_engine::people::Person { id: "twin".into(), terminals: Vec::new(), ..roster.people[0].clone() };
    roster.people.push(twin);
    assert!(matches!(roster.validate(), Err(RosterError::PersonTwice { number: 1_024, .. })));
}
