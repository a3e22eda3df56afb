use super::framer::{FRAME_MAX, KissFramer};
use super::wire::kiss::FEND;
use super::wire::{Aprs, Ax25, Call, Kiss, Place, aprs};
use crate::codec::{Cargo, Codec, EncodeError, Given, Profile, ProfileError, Step, Value};
use crate::frame::Framer as _;
use crate::frame::conformance::{self, Specimen};
use crate::message::{Addressee, Bearer, Content, Order, Rung, Signal, TerminalId};
use bytes::Bytes;
use proptest::prelude::*;
use std::time::Duration;

const OWN: &str = "BG0AAA-10";

fn codec(settings: &[(&str, Value)]) -> Box<dyn Codec> {
    let profile = settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    crate::device::open("kiss", &Profile(profile)).unwrap()
}

fn ours() -> Box<dyn Codec> {
    codec(&[("own", Value::Text(OWN.into()))])
}

fn id(call: &str) -> TerminalId {
    TerminalId::new(Bearer::Mesh, call)
}

fn call(text: &str) -> Call {
    text.parse().unwrap()
}

fn frame(from: &str, to: &str, info: impl Into<Bytes>, repeated: bool) -> Bytes {
    let mut frame = Ax25::ui(call(from), call(to), &[call("WIDE1-1")], info.into());
    frame.via[0].repeated = repeated;
    Kiss::data(0, frame.emit()).emit()
}

fn said(info: &str) -> Vec<Signal> {
    ours().decode(&frame("BG0BBB-7", "APZYZN", info.to_owned(), false), None).unwrap()
}

fn send(codec: &dyn Codec, to: Addressee, text: &str, native: u32) -> Result<Bytes, EncodeError> {
    let order = Order::Text { card: None, to, text: text.into(), native, urgent: false };
    codec.encode(&order).map(|mut frames| frames.remove(0).bytes)
}

fn info(frame: &[u8]) -> String {
    let heard = Ax25::parse(&Kiss::parse(frame).unwrap().data).unwrap();
    String::from_utf8(heard.info.to_vec()).unwrap()
}

#[test]
fn idle_delimiters_are_the_same_noise_in_any_pieces() {
    let line = [&[0xC0; 4][..], b"\x00\x82\xA0\x62", &[0xC0]].concat();
    let found = |chunk| {
        let mut framer = KissFramer::default();
        let mut items = Vec::new();
        for piece in line.chunks(chunk) {
            framer.push(piece);
            items.extend(std::iter::from_fn(|| framer.next_found()));
        }
        items
    };
    let whole = found(line.len());
    assert_eq!(whole.len(), 2, "{whole:?}");
    for chunk in 1..line.len() {
        assert_eq!(found(chunk), whole, "in pieces of {chunk}");
    }
}

#[test]
fn the_framer_keeps_every_property_of_framers() {
    let via: Vec<Call> = (1..=8).map(|n| call(&format!("D{n}-1"))).collect();
    let mut largest = Ax25::ui(call("BG0AAA"), call("APZYZN"), &via, vec![FEND; 512].into());
    largest.via[0].repeated = true;
    let largest = Kiss::data(12, largest.emit()).emit();
    assert!(largest.len() <= FRAME_MAX, "{}", largest.len());
    let frames = vec![
        frame("BG0BBB-7", "APZYZN", ">a", false),
        frame("BG0CCC-1", "APZYZN", vec![0xDB, 0xC0, b'>'], true),
        Kiss { port: 0, command: 6, data: vec![1, 2, 3].into() }.emit(),
        largest.clone(),
    ];
    let broken = [b"\xC0\x00\x41\xDB\x42".as_slice(), b"\xC0\x0C\x04\x3F", b"\xC0\x00short", b"no start"];
    let broken = broken.into_iter().map(Bytes::from_static).collect();
    conformance::check(&Specimen { framer: Box::new(KissFramer::default()), frames, largest, broken, half: None });
}

#[test]
fn a_message_to_us_is_acknowledged_by_its_number_and_nothing_else_is() {
    let codec = ours();
    let signals = said(":BG0AAA-10:桥断了{0a9");
    let [signal @ Signal::Heard(heard)] = &signals[..] else { panic!("{signals:?}") };
    assert_eq!(heard.content, Content::Text { text: "桥断了".into(), lossy: false });
    assert!(!heard.overheard);
    assert_eq!(info(&codec.acknowledge(signal).unwrap()), ":BG0BBB-7 :ack0a9");
    for silent in [":BG0AAA-10:no number", ":BG0CCC-1 :others{1", ":BLN1     :bulletin{1"] {
        let signals = said(silent);
        assert!(matches!(&signals[..], [Signal::Heard(_)]), "{silent}: {signals:?}");
        assert_eq!(codec.acknowledge(&signals[0]), None, "{silent}");
    }
}

#[test]
fn delivered_is_said_only_on_the_addressees_ack_for_us_and_names_our_whole_number() {
    let codec = ours();
    let native = 1_610_612_737;
    let sent = send(&*codec, Addressee::Terminal(id("BG0BBB-7")), "撤", native).unwrap();
    let number = info(&sent).rsplit_once('{').unwrap().1.to_owned();
    let mut dialogue = codec.dialogue().unwrap();
    dialogue.link_up(Duration::ZERO);
    assert!(matches!(dialogue.poll(), Some(Step::Say(Signal::Card(card))) if card.own == id(OWN)));
    assert_eq!(dialogue.poll(), Some(Step::Ready(true)));
    let given = dialogue.give(Duration::ZERO, Cargo::Message { native }, vec![sent.clone().into()]);
    assert_eq!(given, Given::Write(vec![sent.into()]));
    let mut hear = |bytes: Bytes| {
        let mut signals = codec.decode(&bytes, None).unwrap();
        dialogue.heard(Duration::from_secs(1), None, &bytes, &mut signals);
        signals
    };
    let echo = |repeated| frame(OWN, "APZYZN", format!(":BG0BBB-7 :撤{{{number}"), repeated);
    assert_eq!(hear(echo(false)), []);
    assert_eq!(hear(echo(true)), [Signal::Progress { native, rung: Rung::Repeated }]);
    let other = hear(frame("BG0BBB-7", "APZYZN", format!(":BG0CCC-1 :ack{number}"), false));
    assert!(matches!(&other[..], [Signal::Remark { .. }]), "{other:?}");
    let ack = frame("BG0BBB-7", "APZYZN", format!(":{OWN}:ack{number}"), false);
    assert_eq!(hear(ack.clone()), [Signal::Delivery { by: id("BG0BBB-7"), native, delivered: true, code: 0 }]);
    assert_eq!(hear(ack), [], "a digipeater's copy");
    let rej = hear(frame("BG0BBB-7", "APZYZN", format!(":{OWN}:rej{number}"), false));
    assert!(matches!(&rej[..], [Signal::Delivery { delivered: false, .. }]));
    let both = hear(frame("BG0BBB-7", "APZYZN", format!(":{OWN}:收到{{7}}{number}"), false));
    assert!(matches!(&both[..], [Signal::Delivery { delivered: true, .. }, Signal::Heard(_)]), "{both:?}");
}

#[test]
fn copies_by_digipeaters_are_dropped_and_another_try_is_not() {
    let codec = ours();
    let mut dialogue = codec.dialogue().unwrap();
    let mut hear = |second, bytes: &Bytes| {
        let mut signals = codec.decode(bytes, None).unwrap();
        dialogue.heard(Duration::from_secs(second), None, bytes, &mut signals);
        signals.len()
    };
    let direct = frame("BG0BBB-7", "APZYZN", ":BG0AAA-10:x{1", false);
    let copy = frame("BG0BBB-7", "APZYZN", ":BG0AAA-10:x{1", true);
    assert_eq!([hear(0, &direct), hear(1, &copy), hear(2, &copy), hear(9, &direct)], [1, 0, 0, 1]);
    let status = frame("BG0BBB-7", "APZYZN", ">on air", false);
    assert_eq!([hear(10, &status), hear(30, &status), hear(41, &status)], [1, 0, 1]);
}

#[test]
fn nothing_is_sent_before_the_own_callsign_is_told() {
    let to = || Addressee::Terminal(id("BG0BBB-7"));
    let refused = send(&*codec(&[]), to(), "x", 1).unwrap_err();
    assert!(matches!(refused, EncodeError::Address(why) if why.contains("own")));
    assert!(send(&*ours(), to(), "x", 1).is_ok());
}

#[test]
fn the_limit_counts_bytes_and_reserved_characters_are_named() {
    let codec = ours();
    let to = || Addressee::Terminal(id("BG0BBB-7"));
    assert!(send(&*codec, to(), &"灾".repeat(67), 1).unwrap().len() < 330);
    let long = send(&*codec, to(), &"灾".repeat(68), 1);
    assert_eq!(long, Err(EncodeError::TooLong { needed: 204 * 8, capacity: 201 * 8 }));
    assert_eq!(codec.measure("a{b"), Err(EncodeError::Charset('{')));
    assert_eq!(info(&send(&*codec, Addressee::Everyone(Bearer::Mesh), "a\nb", 17).unwrap()), ":BLN7     :a b");
}

#[test]
fn only_callsigns_are_reached() {
    let codec = ours();
    for call in ["BG0BBB-7", "BH4XYZ", "N0A-15"] {
        assert!(codec.reaches(&id(call)), "{call}");
    }
    for other in ["!a1b2c3d4", "a1b2c3d4e5f6", "0123456789ab", "123", "ABC", "A1", "BG0BBB-16", "bg0bbb"] {
        assert!(!codec.reaches(&id(other)), "{other}");
    }
    assert!(!codec.reaches(&TerminalId::new(Bearer::Beidou, "BG0BBB")));
}

#[test]
fn a_mic_e_emergency_and_a_written_one_are_alarms() {
    let mic_e = |to: &str| ours().decode(&frame("BG0BBB-7", to, "`(_fn\"Oj/", false), None).unwrap();
    assert!(matches!(&mic_e("332UVT")[..], [Signal::Position { emergency: true, .. }]), "{:?}", mic_e("332UVT"));
    let [Signal::Position { position, emergency: false, .. }] = &mic_e("S32UVT")[..] else { panic!() };
    assert_eq!((position.lat_e7, position.lon_e7), (334_273_333, -1_121_290_000));
    assert_eq!((position.course_ddeg, position.speed_cm_s), (Some(2510), Some(1029)));
    let written = said("!3955.50N/11623.20E-!EMERGENCY! 腿断了");
    assert!(matches!(&written[..], [Signal::Position { emergency: true, .. }, Signal::Remark { .. }]));
    let status = said(">!emergency! help");
    assert!(status.contains(&Signal::Emergency { of: id("BG0BBB-7"), on: true }));
    assert!(said(">no emergency here").iter().all(|signal| !matches!(signal, Signal::Emergency { .. })));
}

#[test]
fn a_vague_position_is_its_middle_and_says_that_it_is_vague() {
    let signals = said("!3955.5 N/11623.2 E-");
    assert!(matches!(&signals[..], [Signal::Position { .. }, Signal::Remark { what: "位置有意模糊", .. }]));
    let Signal::Position { position, .. } = &signals[0] else { panic!() };
    assert_eq!((position.lat_e7, position.lon_e7), (399_258_333, 1_163_875_000));
}

#[test]
fn what_is_no_aprs_is_a_line_in_the_log() {
    let mut sabm = Ax25::ui(call("BG0BBB-1"), call(OWN), &[], Bytes::new());
    (sabm.control, sabm.pid) = (0x3F, None);
    let frames = [Kiss::data(0, sabm.emit()).emit(), Kiss { port: 0, command: 6, data: vec![1].into() }.emit()];
    for bytes in frames {
        assert!(matches!(&ours().decode(&bytes, None).unwrap()[..], [Signal::Remark { .. }]));
    }
    for text in [";LEADER   *231530z3955.50N/11623.20Ev", "?APRS?", "T#005,1,2,3,4,5,00000000", "}x"] {
        assert!(matches!(&said(text)[..], [Signal::Remark { .. }]), "{text}");
    }
}

#[test]
fn a_gated_message_is_its_senders_and_a_gate_in_a_gate_stays_shut() {
    let signals = said("}BG0CCC>APRS,TCPIP,BG0BBB-7*::BG0AAA-10:山外来信{3");
    assert!(matches!(&signals[..], [Signal::Heard(heard)] if heard.from == id("BG0CCC")), "{signals:?}");
    assert!(matches!(&said("}BG0CCC>APRS:}BG0DDD>APRS:>x")[..], [Signal::Remark { .. }]));
}

#[test]
fn a_wrong_profile_is_refused_naming_the_key() {
    let open = |key: &str, value| crate::device::open("kiss", &Profile([(key.to_owned(), value)].into())).unwrap_err();
    assert!(matches!(open("own", Value::Text("BG0BBB-16".into())), ProfileError::Type { .. }));
    assert!(matches!(open("kiss_port", Value::Int(16)), ProfileError::Range { .. }));
    assert!(matches!(open("call", Value::Int(16)), ProfileError::UnknownKey { .. }));
}

proptest! {
    #[test]
    fn a_frame_reads_back_as_it_was_written(
        name in "[A-Z0-9]{1,6}", ssid in 0_u8..16, port in 0_u8..16, via in 0_usize..9, repeated: bool,
        info in proptest::collection::vec(any::<u8>(), 0..=256),
    ) {
        let from = Call::new(&name, ssid).unwrap();
        let path: Vec<Call> = (0..via).map(|_| from.clone()).collect();
        let mut sent = Ax25::ui(from, call("APZYZN"), &path, info.into());
        sent.via.iter_mut().for_each(|via| via.repeated = repeated);
        let kiss = Kiss::data(port, sent.emit());
        let bytes = kiss.emit();
        prop_assert_eq!(Kiss::parse(&bytes), Ok(kiss.clone()));
        prop_assert_eq!(Ax25::parse(&kiss.data), Ok(sent));
        for length in 0..bytes.len() {
            prop_assert!(Kiss::parse(&bytes[..length]).is_err());
        }
    }

    #[test]
    fn no_information_field_panics(to in "[A-Z0-9]{1,6}", info in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _any = Aprs::parse(&to, &info);
    }

    #[test]
    fn nearly_right_fields_do_not_panic(to in "[0-9A-LP-Z]{6}", kind in "[!=/@:;)>T?`'}]", info in "[ -~]{0,60}") {
        let _any = Aprs::parse(&to, format!("{kind}{info}").as_bytes());
        let _any = ours().decode(&frame("BG0BBB-7", &to, format!("{kind}{info}"), false), None);
    }

    #[test]
    fn a_place_reads_back_to_a_hundredth_of_a_minute(lat in -89.9_f64..89.9, lon in -179.9_f64..179.9) {
        let text = format!("!{}", Place::new(lat, lon, "/>").emit());
        let Ok(Aprs::Position { place, .. }) = Aprs::parse("APZYZN", text.as_bytes()) else { panic!("{text}") };
        prop_assert!((place.lat - lat).abs() < 1e-4 && (place.lon - lon).abs() < 1e-4, "{text}");
    }

    #[test]
    fn a_text_reads_back_with_its_number(text in "[^{|~\\p{C}]{1,60}", native in 1_u32..0x7FFF_FFFF) {
        let text = format!("文{text}");
        let sent = send(&*ours(), Addressee::Terminal(id("BG0BBB-7")), &text, native);
        prop_assume!(sent.is_ok());
        let Ok(Aprs::Message(message)) = Aprs::parse("APZYZN", info(&sent.unwrap()).as_bytes()) else { panic!() };
        prop_assert_eq!(message.text, text);
        prop_assert_eq!(message.number, Some(super::codec::number(native)));
    }
}

#[test]
fn an_ack_and_a_refusal_fill_the_addressee_up_to_nine() {
    assert_eq!(aprs::emit_ack(&call("N0A"), "1"), ":N0A      :ack1");
    assert_eq!(aprs::emit_rej(&call("BG0AAA-10"), "1"), ":BG0AAA-10:rej1");
}
