use super::wire::ars::Ars;
use super::wire::lrrp::Lrrp;
use super::wire::tms::Tms;
use crate::codec::{Cargo, Codec, Given, Profile};
use crate::message::{Addressee, Bearer, Content, Order, Peer, Rung, Signal, TerminalId};
use proptest::prelude::*;
use std::time::Duration;

fn codec() -> Box<dyn Codec> {
    crate::device::open("trbo", &Profile::default()).unwrap()
}

fn id(number: u32) -> TerminalId {
    TerminalId::from_number(Bearer::Radio370, number)
}

fn from(port: u16) -> Option<Peer> {
    Some(Peer(format!("12.0.8.253:{port}").parse().unwrap()))
}

fn text(to: Addressee, native: u32) -> Order {
    Order::Text { card: None, to, text: "收到请回".into(), native, urgent: false }
}

#[test]
fn a_text_is_heard_from_the_radio_behind_the_address_and_answered_with_its_sequence() {
    let frame = Tms::text(7, "\r\n三号桥断了", true).emit().unwrap();
    let signals = codec().decode(&frame, from(4007)).unwrap();
    let [Signal::Heard(heard)] = &signals[..] else { panic!("{signals:?}") };
    assert_eq!((&heard.from, &heard.content), (&id(2301), &Content::Text { text: "三号桥断了".into(), lossy: false }));
    assert_eq!(codec().acknowledge(&signals[0]), Some(Tms::ack(Some(7)).emit().unwrap()));
}

#[test]
fn a_group_text_is_heard_and_not_answered() {
    let frame = Tms::text(7, "全体注意", false).emit().unwrap();
    let signals = codec().decode(&frame, from(4007)).unwrap();
    assert!(matches!(&signals[..], [Signal::Heard(_)]));
    assert_eq!(codec().acknowledge(&signals[0]), None);
}

#[test]
fn an_acknowledgement_names_the_text_that_went_to_that_radio_under_that_sequence() {
    let codec = codec();
    let mut dialogue = codec.dialogue().unwrap();
    dialogue.link_up(Duration::ZERO);
    for native in [40, 41] {
        let frames = codec.encode(&text(Addressee::Terminal(id(2301)), native)).unwrap();
        assert!(matches!(dialogue.give(Duration::ZERO, Cargo::Message { native }, frames), Given::Write(_)));
    }
    let mut heard = |sequence: u8, peer: Option<Peer>| {
        let frame = Tms::ack(Some(sequence)).emit().unwrap();
        let mut signals = codec.decode(&frame, peer).unwrap();
        dialogue.heard(Duration::ZERO, peer, &frame, &mut signals);
        signals.remove(0)
    };
    assert!(matches!(heard(11, from(4007)), Signal::Delivery { native: 41, delivered: true, .. }));
    assert!(matches!(heard(10, from(4007)), Signal::Delivery { native: 40, delivered: true, .. }));
    assert!(matches!(heard(12, from(4007)), Signal::Remark { .. }), "a sequence that was never sent");
    let other = Some(Peer("12.0.9.1:4007".parse().unwrap()));
    assert!(matches!(heard(11, other), Signal::Remark { .. }), "another radio's answer proves nothing");
}

#[test]
fn texts_in_a_row_never_bear_the_same_sequence() {
    let sequence = |native| codec().encode(&text(Addressee::Terminal(id(5)), native)).unwrap()[0].bytes[4] & 0x1F;
    for native in 1..200 {
        assert_ne!(sequence(native), sequence(native + 1));
        assert!((1..=31).contains(&sequence(native)));
    }
}

#[test]
fn a_registration_is_answered_with_the_time_until_the_next() {
    let frame = Ars::register("2301").emit().unwrap();
    let signals = codec().decode(&frame, from(4005)).unwrap();
    assert!(matches!(&signals[..], [Signal::Presence { present: true, registered_as: Some(2301), .. }]));
    assert_eq!(hex::encode(codec().acknowledge(&signals[0]).unwrap()), "0002bf01");
}

#[test]
fn a_registration_from_another_radios_address_is_remarked() {
    let signals = codec().decode(&Ars::register("77").emit().unwrap(), from(4005)).unwrap();
    assert!(matches!(&signals[..], [Signal::Presence { .. }, Signal::Remark { what: "登记来源地址不符", .. }]));
}

#[test]
fn a_report_is_a_position_of_the_radio_behind_the_address() {
    let frame = hex::decode("0d162204c0000000514861096a0ad0ebdb091c6c000756a2").unwrap();
    let signals = codec().decode(&frame, from(4001)).unwrap();
    let [Signal::Position { of, position, emergency: false }] = &signals[..] else { panic!("{signals:?}") };
    assert_eq!((of, position.speed_cm_s, position.course_ddeg), (&id(2301), Some(5), Some(3_240)));
    assert!((position.lat() - 50.891519).abs() < 1e-6);
}

#[test]
fn only_radio_numbers_of_24_bits_are_reached_and_arrival_is_all_that_is_proven() {
    assert!(codec().reaches(&id(16_777_215)) && !codec().reaches(&id(16_777_216)));
    assert!(!codec().reaches(&TerminalId::new(Bearer::Radio370, "!0badcafe")));
    assert_eq!(codec().limits().proves, Rung::Delivered);
}

proptest! {
    #[test]
    fn what_is_emitted_is_read_again(sequence in 1_u8..=31, words in "\\PC{0,60}", ack: bool, device in "[0-9]{1,8}") {
        let tms = Tms::text(sequence, &words, ack);
        prop_assert_eq!(Tms::parse(&tms.emit().unwrap()), Ok(tms));
        let ars = Ars::register(&device);
        prop_assert_eq!(Ars::parse(&ars.emit().unwrap()), Ok(ars));
    }

    #[test]
    fn no_datagram_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), port in 4_000_u16..4_010) {
        let _refused_or_read = codec().decode(&bytes, from(port));
        let _refused_or_read = Lrrp::parse(&bytes);
        for protocol in super::DEVICE.protocols {
            let _refused_or_read = (protocol.explain)(crate::device::Direction::Any, &bytes);
        }
    }
}
