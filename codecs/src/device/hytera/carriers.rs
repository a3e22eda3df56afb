//! Tests of the two carriers: the session on a cable, and the host of repeaters.

use super::cable::HrnpRule;
use super::wire::hrnp::{Hrnp, Op};
use super::wire::hstrp::{ACK, CONNECT, Hstrp};
use super::wire::{Body, Hdap, RadioIp, Rcp, Rrs, Tmp, TmpMessage, Utf16};
use crate::codec::{Cargo, Codec, Dialogue, Given, Outgoing, Profile, Step, Value};
use crate::frame::conformance::{Specimen, check};
use crate::frame::{Found, Framer as _, SeekingFramer};
use crate::message::{Addressee, Bearer, Order, Peer, Signal, TerminalId};
use bytes::Bytes;
use proptest::prelude::*;
use std::time::Duration;

fn codec(carrier: &str) -> Box<dyn Codec> {
    let profile = Profile([("carrier".to_owned(), Value::Text(carrier.into()))].into());
    crate::device::open("hytera", &profile).unwrap()
}

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn hrnp(op: Op, number: u16, payload: Bytes) -> Bytes {
    Hrnp { version: 4, block: 0, op, source: 0x10, destination: 0x21, number, payload }.emit().unwrap()
}

fn order(native: u32) -> Order {
    let to = Addressee::Terminal(TerminalId::from_number(Bearer::Radio370, 2301));
    Order::Text { card: None, to, text: "撤离".into(), native, urgent: false }
}

fn ip(id: u32) -> RadioIp {
    RadioIp::new(10, id).unwrap()
}

fn heard_text() -> Hdap {
    let text = Utf16::from("三号桥断了");
    Tmp::from(TmpMessage::PrivateText { request: 1, to: ip(1), from: ip(2301), text }).into()
}

/// What a dialogue wants, its frames read.
fn drain(dialogue: &mut dyn Dialogue) -> (Vec<Outgoing>, Vec<Outgoing>, Option<bool>) {
    let (mut sent, mut carried, mut ready) = (Vec::new(), Vec::new(), None);
    while let Some(step) = dialogue.poll() {
        match step {
            Step::Send(out) => sent.push(out),
            Step::Carry { frame, .. } => carried.push(frame),
            Step::Ready(now) => ready = Some(now),
            Step::Say(_) | Step::WakeAt(_) => {}
        }
    }
    (sent, carried, ready)
}

fn ops(frames: &[Outgoing]) -> Vec<(Op, u16)> {
    let read = |out: &Outgoing| Hrnp::parse(&out.bytes).map(|frame| (frame.op, frame.number)).unwrap();
    frames.iter().map(read).collect()
}

/// A cable with a session.
fn connected(codec: &dyn Codec) -> Box<dyn Dialogue> {
    let mut dialogue = codec.dialogue().unwrap();
    dialogue.link_up(at(0));
    assert_eq!(ops(&drain(&mut *dialogue).0), [(Op::Connect, 0)]);
    dialogue.heard(at(10), None, &hrnp(Op::Accept, 0, Bytes::new()), &mut Vec::new());
    let (sent, _, ready) = drain(&mut *dialogue);
    assert_eq!((ops(&sent), ready), (vec![(Op::Data, 1)], Some(true)));
    let told = Hrnp::parse(&sent[0].bytes).unwrap();
    assert_eq!(told.source, 0x21, "the address that the radio gave");
    let (frame, _) = Hdap::parse(&told.payload).unwrap();
    assert_eq!(frame.body, Body::Rcp(Rcp::tell_status()));
    dialogue
}

#[test]
fn the_framer_of_the_cable_keeps_every_property_of_framers() {
    let frame = |n: usize| hrnp(Op::Data, 1, vec![0x7E; n].into());
    let mut broken = frame(8).to_vec();
    broken[13] ^= 1;
    check(&Specimen {
        framer: Box::new(SeekingFramer::new(HrnpRule)),
        frames: vec![frame(0), frame(9), frame(40)],
        largest: frame(1_488),
        broken: vec![broken.into(), Bytes::from_static(b"noise")],
        half: Some(frame(900).slice(..400)),
    });
}

#[test]
fn a_text_waits_for_the_session_and_is_repeated_on_the_cable_until_it_is_acknowledged() {
    let codec = codec("hrnp");
    let mut dialogue = connected(&*codec);
    let frames = codec.encode(&order(7)).unwrap();
    assert_eq!(dialogue.give(at(20), Cargo::Message { native: 7 }, frames), Given::Held);
    assert!(drain(&mut *dialogue).1.is_empty(), "the frame before is not acknowledged yet");
    dialogue.heard(at(30), None, &hrnp(Op::DataAck, 1, Bytes::new()), &mut Vec::new());
    assert_eq!(ops(&drain(&mut *dialogue).1), [(Op::Data, 2)]);
    dialogue.wake(at(1_100));
    assert_eq!(ops(&drain(&mut *dialogue).0), [(Op::Data, 2)], "the same number: no second message");
    dialogue.heard(at(1_200), None, &hrnp(Op::DataAck, 2, Bytes::new()), &mut Vec::new());
    dialogue.wake(at(2_500));
    assert!(drain(&mut *dialogue).0.is_empty());
}

#[test]
fn a_cable_that_answers_nothing_is_connected_anew() {
    let codec = codec("hrnp");
    let mut dialogue = connected(&*codec);
    let mut connects = 0;
    for second in 1..6 {
        dialogue.wake(at(second * 1_100));
        let (sent, _, ready) = drain(&mut *dialogue);
        connects += ops(&sent).iter().filter(|(op, _)| *op == Op::Connect).count();
        assert_ne!(ready, Some(true));
    }
    assert!(connects >= 1);
}

#[test]
fn what_the_radio_says_is_acknowledged_on_the_cable_at_once_and_heard_once() {
    let codec = codec("hrnp");
    let mut dialogue = connected(&*codec);
    let frame = hrnp(Op::Data, 9, heard_text().emit().unwrap());
    let mut heard = |ms| {
        let mut signals = codec.decode(&frame, None).unwrap();
        dialogue.heard(at(ms), None, &frame, &mut signals);
        (signals.len(), ops(&drain(&mut *dialogue).0))
    };
    assert_eq!(heard(100), (1, vec![(Op::DataAck, 9)]));
    assert_eq!(heard(900), (0, vec![(Op::DataAck, 9)]), "its acknowledgement was lost");
}

#[test]
fn an_alarm_begins_with_its_call_type_and_ends_with_its_status() {
    let said = |status, call_type| {
        let rcp = Rcp::Status { received: true, status, call_type, target: 0, sender: 2301 };
        codec("hdap").decode(&Hdap::from(rcp).emit().unwrap(), None).unwrap()
    };
    assert!(matches!(&said(1, 5)[..], [Signal::Emergency { on: true, .. }]));
    assert!(matches!(&said(10, 5)[..], [Signal::Emergency { on: false, .. }]));
    assert!(matches!(&said(1, 1)[..], [Signal::Remark { what: "通话状态", .. }]));
}

fn repeater(port: u16) -> Option<Peer> {
    Some(Peer(format!("10.9.9.9:{port}").parse().unwrap()))
}

fn options() -> Vec<(u8, Bytes)> {
    vec![(3, Bytes::from_static(&[0, 1, 0x86, 0x9F])), (4, Bytes::from_static(&[1]))]
}

#[test]
fn a_repeater_connects_is_acknowledged_and_its_registration_is_answered_to_the_same_service() {
    let codec = codec("hstrp");
    let mut host = codec.dialogue().unwrap();
    host.link_up(at(0));
    let connect = Hstrp { options: options(), ..Hstrp::bare(CONNECT, 0) }.emit().unwrap();
    host.heard(at(10), repeater(30_001), &connect, &mut Vec::new());
    let (sent, _, _) = drain(&mut *host);
    let answer = Hstrp::parse(&sent[0].bytes).unwrap();
    assert_eq!((answer.has(CONNECT | ACK), answer.option(3), sent[0].to), (true, Some(99_999), repeater(30_001)));

    let register: Hdap = Rrs::Register { radio: ip(100) }.into();
    let data = Hstrp { options: options(), frames: vec![register], ..Hstrp::bare(0, 3) }.emit().unwrap();
    let mut signals = codec.decode(&data, repeater(30_001)).unwrap();
    host.heard(at(20), repeater(30_001), &data, &mut signals);
    assert_eq!(hex::encode(&drain(&mut *host).0[0].bytes), "324200010003");
    let bytes = codec.acknowledge(&signals[0]).unwrap();
    let Given::Write(frames) = host.give(at(30), Cargo::Answer, vec![Outgoing { bytes, to: repeater(30_001) }]) else {
        panic!("the line is there")
    };
    assert_eq!(frames[0].to, repeater(30_001));
    let sent = Hstrp::parse(&frames[0].bytes).unwrap();
    assert!(matches!(sent.frames[0].body, Body::Rrs(Rrs::RegisterAck { .. })));

    host.heard(at(40), repeater(30_001), &data, &mut signals);
    assert!(signals.is_empty(), "a repetition is acknowledged and not heard again");
}

#[test]
fn a_text_goes_to_the_repeater_that_carries_texts_and_is_repeated_until_acknowledged() {
    let codec = codec("hstrp");
    let mut host = codec.dialogue().unwrap();
    host.link_up(at(0));
    let frames = codec.encode(&order(7)).unwrap();
    assert_eq!(host.give(at(1), Cargo::Message { native: 7 }, frames.clone()), Given::Held, "nobody is there yet");
    let connect = Hstrp { options: options(), ..Hstrp::bare(CONNECT, 0) }.emit().unwrap();
    host.heard(at(10), repeater(30_007), &connect, &mut Vec::new());
    assert_eq!(drain(&mut *host).2, Some(true));
    let Given::Write(frames) = host.give(at(20), Cargo::Message { native: 7 }, frames) else { panic!("it is there") };
    let sequence = Hstrp::parse(&frames[0].bytes).unwrap().sequence;
    assert_eq!(frames[0].to, repeater(30_007));
    host.wake(at(2_100));
    assert_eq!(drain(&mut *host).0, frames, "the same bytes again");
    host.heard(at(2_200), repeater(30_007), &Hstrp::bare(ACK, sequence).emit().unwrap(), &mut Vec::new());
    host.wake(at(4_300));
    assert!(drain(&mut *host).0.is_empty());
}

#[test]
fn two_ends_that_answer_heartbeats_do_not_answer_each_other_without_end() {
    let codec = codec("hstrp");
    let mut host = codec.dialogue().unwrap();
    host.link_up(at(0));
    let beat = Hstrp::heartbeat().emit().unwrap();
    let mut beats = 0;
    for _ in 0..50 {
        host.heard(at(100), repeater(30_007), &beat, &mut Vec::new());
        beats += drain(&mut *host).0.len();
    }
    assert_eq!(beats, 1);
}

proptest! {
    #[test]
    fn what_is_emitted_is_read_again(
        number: u16, payload in prop::collection::vec(any::<u8>(), 0..300), sequence: u16, target: u32, status: u16,
    ) {
        let frame = Hrnp { version: 4, block: 0, op: Op::Data, source: 0x20, destination: 0x10, number, payload: payload.into() };
        prop_assert_eq!(Hrnp::parse(&frame.emit().unwrap()), Ok(frame.clone()));
        let rcp = Rcp::Status { received: true, status, call_type: 1, target, sender: 7 };
        let datagram = Hstrp { frames: vec![rcp.into(), heard_text()], ..Hstrp::bare(0, sequence) };
        prop_assert_eq!(Hstrp::parse(&datagram.emit().unwrap()), Ok(datagram));
        let mut framer = SeekingFramer::new(HrnpRule);
        framer.push(&frame.emit().unwrap());
        prop_assert!(matches!(framer.next_found(), Some(Found::Frame(_))));
    }

    #[test]
    fn no_bytes_make_the_carriers_panic(bytes in prop::collection::vec(any::<u8>(), 0..90)) {
        for carrier in ["hrnp", "hstrp"] {
            let codec = codec(carrier);
            let mut dialogue = codec.dialogue().unwrap();
            dialogue.link_up(at(0));
            let mut signals = codec.decode(&bytes, None).unwrap_or_default();
            dialogue.heard(at(1), repeater(30_007), &bytes, &mut signals);
        }
    }
}
