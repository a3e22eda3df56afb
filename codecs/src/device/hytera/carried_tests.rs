//! The sessions: HRNP on a cable, HSTRP with repeaters.

use super::wire::{Hdap, Hrnp, HrnpKind, Hstrp, HstrpKind, Rcp};
use crate::codec::{Cargo, Codec, Dialogue, Given, Outgoing, Profile, Step, Value};
use crate::frame::conformance::{self, Specimen};
use crate::message::{Peer, Signal};
use bytes::Bytes;
use std::time::Duration;

const REGISTER: &str = "11000300040a2338636303";

fn codec(carrier: &str) -> Box<dyn Codec> {
    let profile = Profile([("carrier".to_owned(), Value::Text(carrier.into()))].into());
    crate::device::open("hytera", &profile).unwrap()
}

fn steps(dialogue: &mut Box<dyn Dialogue>) -> Vec<Step> {
    std::iter::from_fn(|| dialogue.poll()).collect()
}

/// What was written, as hex, of messages and of what costs nothing alike.
fn written(dialogue: &mut Box<dyn Dialogue>) -> Vec<String> {
    let bytes = |step: &Step| match step {
        Step::Send(out) | Step::Carry { frame: out, .. } => Some(hex::encode(&out.bytes)),
        _ => None,
    };
    steps(dialogue).iter().filter_map(bytes).collect()
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn peer(port: u16) -> Peer {
    Peer(([127, 0, 0, 1], port).into())
}

fn unhex(hex: &str) -> Bytes {
    hex::decode(hex).unwrap().into()
}

fn from_radio(kind: HrnpKind, number: u16, payload: &str) -> Bytes {
    let (version, source, destination, payload) = (3, 0x10, 0x21, unhex(payload));
    Hrnp { version, block: 0, kind, source, destination, number, payload }.emit().unwrap()
}

fn connected() -> Box<dyn Dialogue> {
    let mut dialogue = codec("hrnp").dialogue().unwrap();
    dialogue.link_up(at(0));
    assert_eq!(written(&mut dialogue), ["7e0400fe20100000000c60e1"]);
    dialogue.heard(at(0), None, &from_radio(HrnpKind::Accept, 0, ""), &mut Vec::new());
    dialogue
}

#[test]
fn the_framer_of_the_cable_keeps_every_property() {
    let frames = ["7e0400fd10200000000c70d2", "7e040000102000010014857a0247880100006203"].map(unhex);
    let mut largest = from_radio(HrnpKind::Voice, 7, &"7e".repeat(1488));
    assert_eq!(largest.len(), 1500);
    let mut broken = frames[1].to_vec();
    broken[15] ^= 1;
    conformance::check(&Specimen {
        framer: codec("hrnp").framer(),
        broken: vec![broken.into(), unhex("7e7e7e"), unhex("7e0400000000000005dd0000")],
        half: Some(largest.split_to(40)),
        largest: from_radio(HrnpKind::Voice, 7, &"00".repeat(1488)),
        frames: frames.into(),
    });
}

#[test]
fn an_accepted_session_asks_for_events_with_the_address_and_version_it_was_given() {
    let mut dialogue = connected();
    let first = steps(&mut dialogue).into_iter().find_map(|step| match step {
        Step::Send(out) => Some(Hrnp::parse(&out.bytes).unwrap().0),
        _ => None,
    });
    let first = first.unwrap();
    assert_eq!((first.version, first.source, first.destination, first.number), (3, 0x21, 0x10, 1));
    let config = Rcp::ConfigureBroadcast { config: vec![(0, 1), (1, 1)] };
    assert_eq!(first.payload, Hdap::from(config).emit().unwrap());
}

#[test]
fn data_is_acknowledged_at_once_with_its_number_and_a_repeat_says_nothing() {
    let mut dialogue = connected();
    drop(steps(&mut dialogue));
    let frame = from_radio(HrnpKind::Data, 9, REGISTER);
    for fresh in [true, false] {
        let mut signals = codec("hrnp").decode(&frame, None).unwrap();
        dialogue.heard(at(1), None, &frame, &mut signals);
        assert_eq!(!signals.is_empty(), fresh);
        let ack = Hrnp::parse(&unhex(&written(&mut dialogue)[0])).unwrap().0;
        assert_eq!((ack.kind, ack.number, ack.source), (HrnpKind::DataAck, 9, 0x21));
    }
}

#[test]
fn an_unanswered_frame_is_written_three_times_and_then_the_session_begins_anew() {
    let mut dialogue = connected();
    let Given::Held = dialogue.give(at(0), Cargo::Message { native: 1 }, vec![unhex(REGISTER).into()]) else {
        panic!("not held")
    };
    drop(steps(&mut dialogue));
    for second in 1..=2 {
        dialogue.wake(at(second));
        assert_eq!(written(&mut dialogue).len(), 1, "try {second}");
    }
    dialogue.wake(at(3));
    let steps = steps(&mut dialogue);
    assert!(steps.contains(&Step::Ready(false)));
    assert!(steps.iter().any(|step| matches!(step, Step::Say(Signal::Feedback { .. }))), "the message is not lost");
}

#[test]
fn a_message_is_carried_when_its_turn_on_the_cable_comes() {
    let mut dialogue = connected();
    dialogue.give(at(0), Cargo::Message { native: 1 }, vec![unhex(REGISTER).into()]);
    drop(steps(&mut dialogue));
    for number in 1..=2 {
        dialogue.heard(at(0), None, &from_radio(HrnpKind::DataAck, number, ""), &mut Vec::new());
    }
    assert!(steps(&mut dialogue).iter().any(|step| matches!(step, Step::Carry { last: true, .. })));
}

fn repeater() -> Box<dyn Dialogue> {
    let mut dialogue = codec("hstrp").dialogue().unwrap();
    dialogue.link_up(at(0));
    drop(steps(&mut dialogue));
    dialogue
}

#[test]
fn a_connect_is_answered_with_the_same_bytes_and_the_ack_bit() {
    let mut dialogue = repeater();
    dialogue.heard(at(0), Some(peer(1)), &unhex("324200240002830400000001040101"), &mut Vec::new());
    let steps = steps(&mut dialogue);
    assert!(steps.contains(&Step::Ready(true)));
    let bytes = unhex("324200250002830400000001040101");
    assert!(steps.contains(&Step::Send(Outgoing { bytes, to: Some(peer(1)) })));
}

#[test]
fn data_before_any_connect_is_acknowledged_and_answered_where_it_came_from() {
    let mut dialogue = repeater();
    let frame = unhex(&format!("324200200003{REGISTER}"));
    for fresh in [true, false] {
        let mut signals = codec("hstrp").decode(&frame, Some(peer(2))).unwrap();
        dialogue.heard(at(1), Some(peer(2)), &frame, &mut signals);
        assert_eq!(!signals.is_empty(), fresh);
        assert_eq!(written(&mut dialogue), ["324200010003"]);
    }
    let answer = Outgoing { bytes: unhex("11008000090a2338630000000708d203"), to: None };
    let Given::Write(frames) = dialogue.give(at(1), Cargo::Answer, vec![answer]) else { panic!("held") };
    assert_eq!(frames[0].to, Some(peer(2)));
    assert_eq!(hex::encode(&frames[0].bytes), "32420000000111008000090a2338630000000708d203");
    drop(steps(&mut dialogue));
    dialogue.wake(at(3));
    assert_eq!(written(&mut dialogue), [hex::encode(&frames[0].bytes)], "a lost ack");
    dialogue.heard(at(3), Some(peer(2)), &unhex("324200010001"), &mut Vec::new());
    dialogue.wake(at(5));
    assert!(written(&mut dialogue).is_empty(), "an acknowledged datagram is not written again");
}

#[test]
fn heartbeats_are_answered_without_end_only_by_silence_and_a_silent_repeater_is_lost() {
    let mut dialogue = repeater();
    dialogue.heard(at(0), Some(peer(1)), &unhex("324200240002830400000001040101"), &mut Vec::new());
    drop(steps(&mut dialogue));
    let beat = Hstrp::new(HstrpKind::Heartbeat, 0).emit();
    for expected in [1, 0, 0] {
        dialogue.heard(at(1), Some(peer(1)), &beat, &mut Vec::new());
        assert_eq!(written(&mut dialogue).len(), expected);
    }
    for beat in 1..=11 {
        dialogue.wake(at(6 * beat));
    }
    assert!(steps(&mut dialogue).contains(&Step::Ready(false)));
}

#[test]
fn an_alarm_call_is_an_emergency_until_the_radio_leaves_it() {
    let codec = codec("hstrp");
    for (payload, on) in [("0100050000000000633823003a", true), ("0a00050000000000633823003a", false)] {
        let payload = unhex(&payload[..24]);
        let frame = Hdap::from(Rcp::Opaque { opcode: 0xB844, payload }).emit().unwrap();
        let datagram = Hstrp { body: frame, ..Hstrp::new(HstrpKind::Data, 1) }.emit();
        let signals = codec.decode(&datagram, None).unwrap();
        assert!(matches!(signals[..], [Signal::Emergency { on: found, .. }] if found == on), "{signals:?}");
    }
}

#[test]
fn orders_against_a_radio_cannot_be_written() {
    for opcode in [0x0849, 0x084A, 0x0834, 0x0041, 0x084B, 0x02D8] {
        let frame = Hdap::from(Rcp::Opaque { opcode, payload: Bytes::new() });
        assert!(frame.emit().is_err(), "{opcode:04x}");
    }
}
