use super::codec::{NO_POSITION, NO_SOURCE, OUTSIDE};
use super::fields::PROTOCOLS;
use super::wire::{Tms, TmsBody, utf16};
use crate::codec::{Cargo, Codec, Dialogue, EncodeError, Given, Outgoing, Profile, ProfileError, Step, Value};
use crate::device::Direction;
use crate::frame::conformance::Dice;
use crate::message::{Addressee, Bearer, Content, Heard, Order, Peer, Signal, TerminalId};
use std::time::Duration;

const NOW: Duration = Duration::ZERO;

fn codec(settings: &[(&str, Value)]) -> Box<dyn Codec> {
    let profile = settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    crate::device::open("trbo", &Profile(profile)).unwrap()
}

fn id(number: u32) -> TerminalId {
    TerminalId::from_number(Bearer::Radio370, number)
}

fn peer(address: &str) -> Option<Peer> {
    Some(Peer(address.parse().unwrap()))
}

fn heard(codec: &dyn Codec, from: &str, hex: &str) -> Vec<Signal> {
    codec.decode(&hex::decode(hex).unwrap(), peer(from)).unwrap()
}

fn text(codec: &dyn Codec, to: Addressee, text: &str, native: u32) -> Result<Vec<Outgoing>, EncodeError> {
    codec.encode(&Order::Text { card: None, to, text: text.into(), native, urgent: false })
}

/// Encodes a text and has the dialogue number it; the sequence it went out with.
fn write(codec: &dyn Codec, talk: &mut dyn Dialogue, to: u32, native: u32) -> u8 {
    let frames = text(codec, Addressee::Terminal(id(to)), "请撤离", native).unwrap();
    let Given::Write(frames) = talk.give(NOW, Cargo::Message { native }, frames) else { panic!("held") };
    match Tms::parse(&frames[0].bytes).unwrap().body {
        TmsBody::Text { sequence: Some(sequence), .. } => sequence,
        other => panic!("{other:?}"),
    }
}

fn ack(codec: &dyn Codec, talk: &mut dyn Dialogue, from: &str, sequence: u8) -> Vec<Signal> {
    let frame = Tms::ack(Some(sequence)).emit().unwrap();
    let mut signals = codec.decode(&frame, peer(from)).unwrap();
    talk.heard(NOW, peer(from), &frame, &mut signals);
    signals
}

#[test]
fn a_registration_counts_for_the_number_in_it_and_is_answered_in_half_hours() {
    let codec = codec(&[("renew_half_hours", Value::Int(2))]);
    let signals = heard(&*codec, "12.0.15.200:4005", "0009f02004343034300000");
    assert_eq!(signals, [Signal::Presence { of: id(4040), present: true, registered_as: Some(4040) }]);
    assert_eq!(hex::encode(codec.acknowledge(&signals[0]).unwrap()), "0002bf02");
    let elsewhere = heard(&*codec, "12.0.15.201:4005", "0009f02004343034300000");
    assert!(matches!(elsewhere[1], Signal::Remark { what: "登记来源地址不符", .. }));
}

#[test]
fn a_leave_and_an_answered_query_want_no_answer() {
    let codec = codec(&[]);
    for (hex, present) in [("000131", false), ("00013f", true)] {
        let signals = heard(&*codec, "12.0.15.200:4005", hex);
        assert_eq!(signals, [Signal::Presence { of: id(4040), present, registered_as: None }]);
        assert_eq!(codec.acknowledge(&signals[0]), None);
    }
}

#[test]
fn a_text_is_heard_from_the_peers_number_and_acked_with_its_own_sequence() {
    let codec = codec(&[]);
    let signals = heard(&*codec, "12.0.39.19:4007", "0016e0008f040d000a000a4ef0530cff7c54eb53a8600230");
    let [Signal::Heard(Heard { from, content, native, .. })] = &signals[..] else { panic!("{signals:?}") };
    assert_eq!(*from, id(10_003));
    assert_eq!(*content, Content::Text { text: "上台，呼叫您。".into(), lossy: false });
    assert_eq!(native.unwrap().id, 15);
    assert_eq!(hex::encode(codec.acknowledge(&signals[0]).unwrap()), "0003bf000f");
}

#[test]
fn a_text_that_wants_no_ack_gets_none() {
    let codec = codec(&[]);
    let signals = heard(&*codec, "12.0.39.19:4007", "0016a00083040d000a0043004f004d004d0041004e004400");
    assert!(matches!(&signals[..], [Signal::Heard(Heard { native: None, .. })]));
    assert_eq!(codec.acknowledge(&signals[0]), None);
}

#[test]
fn a_sequence_of_seven_bits_is_acked_in_full() {
    let codec = codec(&[]);
    let signals = heard(&*codec, "12.0.39.19:4007", "000de001019544610068006f006a00");
    assert_eq!(hex::encode(codec.acknowledge(&signals[0]).unwrap()), "0004bf009540");
}

#[test]
fn texts_in_a_row_to_one_radio_never_bear_the_same_sequence_and_wrap_after_31() {
    let (codec, mut last) = (codec(&[]), None);
    let mut talk = codec.dialogue().unwrap();
    for native in [30, 30, 30, 62, 7].into_iter().chain(1..60) {
        let sequence = write(&*codec, &mut *talk, 10_003, native);
        assert!(sequence < 32 && last != Some(sequence));
        last = Some(sequence);
    }
}

#[test]
fn texts_may_be_written_as_soon_as_the_socket_is_open() {
    let codec = codec(&[]);
    let mut talk = codec.dialogue().unwrap();
    talk.link_up(Duration::ZERO);
    assert_eq!(talk.poll(), Some(Step::Ready(true)));
}

#[test]
fn a_radios_ack_names_our_number_once_and_a_strange_ack_proves_nothing() {
    let codec = codec(&[]);
    let mut talk = codec.dialogue().unwrap();
    let first = write(&*codec, &mut *talk, 10_003, 500);
    let second = write(&*codec, &mut *talk, 10_003, 501);
    assert_ne!(first, second);
    let delivered = |native| Signal::Delivery { by: id(10_003), native, delivered: true, code: 0 };
    assert!(matches!(ack(&*codec, &mut *talk, "12.0.39.20:4007", second)[..], [Signal::Remark { .. }]));
    assert_eq!(ack(&*codec, &mut *talk, "12.0.39.19:4007", second), [delivered(501)]);
    assert_eq!(ack(&*codec, &mut *talk, "12.0.39.19:4007", first), [delivered(500)]);
    assert!(matches!(ack(&*codec, &mut *talk, "12.0.39.19:4007", first)[..], [Signal::Remark { .. }]));
}

#[test]
fn the_offer_of_the_text_service_is_answered_at_once() {
    let codec = codec(&[]);
    let mut talk = codec.dialogue().unwrap();
    let (frame, from) = (hex::decode("0003d00001").unwrap(), peer("12.0.39.19:4007"));
    let mut signals = codec.decode(&frame, from).unwrap();
    talk.heard(NOW, from, &frame, &mut signals);
    let bytes = hex::decode("00021f00").unwrap().into();
    assert_eq!(talk.poll(), Some(Step::Send(Outgoing { bytes, to: from })));
    assert_eq!(talk.poll(), None);
}

#[test]
fn a_report_is_a_position_in_the_south_and_west_too_and_a_failed_one_never() {
    let codec = codec(&[]);
    let of = |hex| heard(&*codec, "12.0.39.19:4001", hex).remove(0);
    let Signal::Position { of: radio, position, emergency: false } =
        of("0d1a22047fffffff69486108d70ad0ec15833f546c000456a2704005")
    else {
        panic!("no position")
    };
    assert_eq!(radio, id(10_003));
    assert_eq!((position.height_dm, position.speed_cm_s, position.course_ddeg), (Some(4_477), Some(3), Some(3_240)));
    let Signal::Position { position, .. } = of("0d0966a0000000e0000000") else { panic!("no position") };
    assert_eq!((position.lat_e7, position.lon_e7), (-225_000_000, -450_000_000));
    for failed in ["0d08220437271707370f", "0d09660000000000000000"] {
        assert!(matches!(of(failed), Signal::Remark { what: NO_POSITION, .. }), "{failed}");
    }
}

#[test]
fn a_leading_0d_09_is_a_report_and_no_white_space() {
    let signals = heard(&*codec(&[]), "12.0.39.19:50000", "0d09662025b883511a5610");
    assert!(matches!(signals[..], [Signal::Position { .. }]));
}

#[test]
fn a_text_from_outside_the_radios_net_is_heard_and_marked_and_one_from_nowhere_is_kept_in_words() {
    let codec = codec(&[]);
    let frame = "000ee00082040d000a00450065006500";
    let signals = heard(&*codec, "192.168.11.1:4007", frame);
    assert!(matches!(&signals[..], [Signal::Remark { what: OUTSIDE, .. }, Signal::Heard(_)]), "{signals:?}");
    let lost = codec.decode(&hex::decode(frame).unwrap(), None).unwrap();
    assert!(matches!(&lost[..], [Signal::Remark { what: NO_SOURCE, .. }]));
}

#[test]
fn the_radio_on_the_cable_is_known_by_its_own_address() {
    let text_of = |word: &str| Value::Text(word.into());
    let codec = codec(&[("base_ip", text_of("192.168.10.1")), ("base_radio", Value::Int(77))]);
    let signals = heard(&*codec, "192.168.10.1:4007", "000ee00082040d000a00450065006500");
    assert!(matches!(&signals[..], [Signal::Heard(Heard { from, .. })] if *from == id(77)), "{signals:?}");
    let frames = text(&*codec, Addressee::Terminal(id(77)), "到位", 1).unwrap();
    assert_eq!(frames[0].to, peer("192.168.10.1:4007"));
}

#[test]
fn a_text_too_long_with_its_line_break_and_an_address_of_more_than_24_bits_are_refused() {
    let codec = codec(&[]);
    let to = |number| Addressee::Terminal(id(number));
    assert!(text(&*codec, to(1), &"字".repeat(138), 1).is_ok());
    assert!(matches!(text(&*codec, to(1), &"字".repeat(139), 1), Err(EncodeError::TooLong { .. })));
    assert!(matches!(text(&*codec, to(1 << 24), "到位", 1), Err(EncodeError::Address(_))));
    assert!(!codec.reaches(&id(1 << 24)) && codec.reaches(&id((1 << 24) - 1)) && !codec.reaches(&id(0)));
}

#[test]
fn an_unknown_key_and_a_renewal_of_no_time_are_refused() {
    let open = |key: &str, value| crate::device::open("trbo", &Profile([(key.to_owned(), value)].into())).err();
    assert!(matches!(open("port", Value::Int(1)), Some(ProfileError::UnknownKey { .. })));
    assert!(matches!(open("renew_half_hours", Value::Int(0)), Some(ProfileError::Range { .. })));
}

#[test]
fn half_a_character_is_marked_and_nothing_panics() {
    let frame = Tms::text(1, true, utf16("到位").slice(..3)).emit().unwrap();
    let signals = heard(&*codec(&[]), "12.0.39.19:4007", &hex::encode(frame));
    let [Signal::Heard(heard)] = &signals[..] else { panic!("{signals:?}") };
    assert_eq!(heard.content, Content::Text { text: "到".into(), lossy: true });
}

/// Every recorded frame, cut, spliced and with bits turned, through every reader and the dialogue.
#[test]
fn no_mutation_of_a_recorded_frame_panics_anywhere() {
    let recorded = [
        include_str!("vectors/tms.jsonl"),
        include_str!("vectors/ars.jsonl"),
        include_str!("vectors/lrrp.jsonl"),
        include_str!("vectors/air.jsonl"),
    ];
    let frames: Vec<Vec<u8>> = recorded
        .iter()
        .flat_map(|file| file.lines())
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["hex"].as_str().map(str::to_owned))
        .map(|hex| hex::decode(hex).unwrap())
        .collect();
    let codec = codec(&[]);
    let mut talk = codec.dialogue().unwrap();
    let ports = ["12.0.39.19:4001", "12.0.39.19:4005", "12.0.39.19:4007", "9.9.9.9:9"].map(peer);
    let mut dice = Dice::new(41);
    for frame in frames.iter().cycle().take(frames.len() * 150) {
        let mut frame = frame.clone();
        for _ in 0..=dice.below(3) {
            let at = dice.below(frame.len().max(1));
            match dice.below(4) {
                0 => frame.truncate(at),
                1 => frame.insert(at, u8::try_from(dice.below(256)).unwrap()),
                _ => frame.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << dice.below(8)),
            }
        }
        for protocol in PROTOCOLS {
            drop((protocol.explain)(Direction::Any, &frame));
        }
        for from in ports.iter().copied().chain([None]) {
            let mut signals = codec.decode(&frame, from).unwrap_or_default();
            for signal in &signals {
                drop(codec.acknowledge(signal));
            }
            talk.heard(NOW, from, &frame, &mut signals);
            while talk.poll().is_some() {}
        }
    }
}
