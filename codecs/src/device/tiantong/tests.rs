use super::framer::AtFramer;
use super::wire::At;
use crate::codec::{Codec, EncodeError, Profile, ProfileError, Value};
use crate::frame::conformance::{self, Specimen};
use crate::frame::{Found, Framer};
use crate::message::{Addressee, Bearer, Content, Heard, Order, Part, Rung, Signal, TerminalId};
use bytes::Bytes;
use proptest::prelude::*;

pub(super) const DELIVER: &str = "0891683108200105F0040D91687104214365F7000862114241500023044E096865";
pub(super) const FAR: &str = "8617401234567";

pub(super) fn codec(settings: &[(&str, Value)]) -> Box<dyn Codec> {
    let profile = settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    crate::device::open("tiantong", &Profile(profile)).unwrap()
}

pub(super) fn id(number: &str) -> TerminalId {
    TerminalId::new(Bearer::Satphone, number)
}

pub(super) fn text(text: &str, native: u32) -> Order {
    let to = Addressee::Terminal(id(FAR));
    Order::Text { card: None, to, text: text.into(), native, urgent: false }
}

/// `header` up to the length, then the PDU, as a phone writes them.
pub(super) fn indication(header: &str, pdu: &str) -> String {
    let octets = hex::decode(pdu).unwrap();
    let length = octets.len() - 1 - usize::from(octets[0]);
    format!("\r\n{header}{length}\r\n{pdu}\r\n")
}

fn heard(frame: &str) -> Heard {
    match codec(&[]).decode(frame.as_bytes(), None).unwrap().remove(0) {
        Signal::Heard(heard) => heard,
        other => panic!("{other:?}"),
    }
}

fn frames() -> Vec<Bytes> {
    let mut frames: Vec<Bytes> =
        ["OK", "ERROR", "+CMS ERROR: 38", "+CSQ: 20,99", "^SIMST: 1", "RING", "+CMTI: \"ME\",4"]
            .iter()
            .map(|line| Bytes::from(format!("\r\n{line}\r\n")))
            .collect();
    frames.push(Bytes::from_static(b"\r\n> "));
    frames.push(Bytes::from(indication("+CMT: ,", DELIVER)));
    frames.push(Bytes::from(indication("+CMGL: 3,1,,", DELIVER)));
    frames
}

#[test]
fn the_framer_keeps_every_property_of_framers() {
    let largest = Bytes::from(format!("\r\n+CMT: ,176\r\n{}\r\n", "A5".repeat(188)));
    conformance::check(&Specimen {
        framer: Box::new(AtFramer::default()),
        frames: frames(),
        largest,
        broken: [&b"\x00\x01garbage"[..], b"\r\n+CMT: ,25", b"\r\n+CMGL: 1,1,,25\r\nZZ", b"\r\n+CM"]
            .map(Bytes::from_static)
            .to_vec(),
        half: None,
    });
}

#[test]
fn a_text_that_comes_in_says_who_when_and_what() {
    let heard = heard(&indication("+CMT: ,", DELIVER));
    assert_eq!(heard.from, id(FAR));
    assert_eq!(heard.content, Content::Text { text: "三桥".into(), lossy: false });
    assert_eq!(heard.sent_at.unwrap().to_string(), "2026-11-24T06:05:00.000Z");
}

#[test]
fn a_message_that_is_read_again_has_the_same_number() {
    let direct = heard(&indication("+CMT: ,", DELIVER));
    let again = heard(&indication("+CMGL: 9,1,,", DELIVER));
    assert_eq!(direct.native, again.native);
    let other = heard(&indication("+CMT: ,", &DELIVER.replace("4E09", "4E8C")));
    assert_ne!(direct.native, other.native);
}

#[test]
fn a_part_is_given_on_as_a_part() {
    let pdu = "0891683108200105F0440D91687104214365F70008621142415000230A050003A702016865686 6".replace(' ', "");
    let heard = heard(&indication("+CMT: ,", &pdu));
    assert_eq!(heard.part, Some(Part { reference: 0xA7, number: 1, total: 2 }));
}

#[test]
fn letters_withheld_and_national_numbers_are_told_apart() {
    let settings = super::settings::Settings::read(&Profile::default()).unwrap();
    let terminal = |kind, value: &str| settings.terminal(&super::wire::Address { kind, value: value.into() });
    assert_eq!(terminal(0xA1, "17401234567"), id(FAR));
    assert_eq!(terminal(0x81, "17401234567"), id(FAR));
    assert_eq!(terminal(0x81, ""), id("unknown"));
    assert_eq!(terminal(0xD0, "TIAN TONG"), id("TIAN_TONG"));
    assert_ne!(terminal(0xD0, FAR), id(FAR), "letters are no number, even where they look like one");
}

#[test]
fn only_a_report_of_the_far_phone_is_a_delivery() {
    let report = |status: &str| {
        let pdu = format!("0006070D91687104214365F76211424150002362114241213023{status}");
        codec(&[]).decode(indication("+CDS: ", &pdu).as_bytes(), None).unwrap()
    };
    assert!(matches!(report("00")[..], [Signal::Delivery { native: 7, delivered: true, code: 0, .. }]));
    for trying in ["01", "02", "20", "30", "3F"] {
        let signals = report(trying);
        assert!(
            matches!(signals[..], [Signal::Progress { rung: Rung::Radiated, .. }, Signal::Remark { .. }]),
            "{trying}"
        );
    }
    for over in ["40", "46", "65", "7F"] {
        assert!(
            matches!(report(over)[..], [Signal::Delivery { delivered: false, .. }, Signal::Remark { .. }]),
            "{over}"
        );
    }
}

#[test]
fn a_text_takes_as_many_messages_as_are_measured() {
    let codec = codec(&[]);
    let capacity = codec.limits().capacity_bits.unwrap();
    for (one, count, parts) in
        [("水", 70, 1), ("水", 71, 2), ("水", 201, 3), ("a", 160, 1), ("a", 161, 2), ("a", 459, 3)]
    {
        let words = one.repeat(count);
        assert!(codec.measure(&words).unwrap() <= capacity, "{one} {count}");
        assert_eq!(codec.encode(&text(&words, 5)).unwrap().len(), parts, "{one} {count}");
    }
    for over in ["水".repeat(202), "a".repeat(460)] {
        assert!(codec.measure(&over).unwrap() > capacity);
        assert!(matches!(codec.encode(&text(&over, 5)), Err(EncodeError::TooLong { .. })));
    }
}

#[test]
fn groups_names_and_other_bearers_are_no_addresses() {
    let codec = codec(&[]);
    for to in [id("unknown"), id("TIAN_TONG"), TerminalId::new(Bearer::Mesh, "17401234567")] {
        assert!(!codec.reaches(&to), "{to}");
        let order = Order::Text { card: None, to: Addressee::Terminal(to), text: "a".into(), native: 1, urgent: false };
        assert!(matches!(codec.encode(&order), Err(EncodeError::Address(_))));
    }
    assert!(codec.reaches(&id("12379")) && codec.reaches(&id(FAR)));
    assert_eq!(codec.encode(&Order::AskCard), Err(EncodeError::Unsupported));
}

#[test]
fn a_profile_with_a_pin_is_refused() {
    let profile = Profile([("pin".to_owned(), Value::Text("1234".into()))].into());
    assert!(matches!(crate::device::open("tiantong", &profile), Err(ProfileError::UnknownKey { .. })));
}

proptest! {
    #[test]
    fn no_bytes_make_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _any = At::parse(&bytes);
        let _any = super::wire::Pdu::parse(&bytes);
    }

    #[test]
    fn every_text_comes_back_out_of_its_parts(words in "[水桥💧a€{ç\\n]{1,95}") {
        let frames = codec(&[]).encode(&text(&words, 9)).unwrap();
        let joined: String = frames.iter().map(|frame| match At::parse(&frame.bytes).unwrap() {
            At::Command { pdu: Some(pdu), .. } => match pdu.message {
                super::wire::pdu::Message::Submit(submit) => {
                    let (part, lossy) = submit.data.text(submit.dcs).unwrap();
                    assert!(!lossy, "no character is cut");
                    part
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }).collect();
        prop_assert_eq!(joined, words);
    }
}

#[test]
fn the_echo_of_the_way_out_of_an_unknown_state_is_no_noise() {
    let mut framer = AtFramer::default();
    framer.push(b"\x1bAT\r\r\nOK\r\n");
    let found: Vec<_> = std::iter::from_fn(|| framer.next_found()).collect();
    assert!(found.iter().all(|found| matches!(found, Found::Frame(_))), "{found:?}");
    for frame in found {
        assert!(codec(&[]).decode(frame.bytes(), None).is_ok_and(|signals| signals.is_empty()), "{frame:?}");
    }
}
