use super::framer::{LINE_MAX, PeiFramer};
use super::wire::{Coding, HostLine, Indication, LipShort, Location, RadioLine, Sds, Transfer};
use crate::codec::{Codec, Profile, ProfileError, Value};
use crate::frame::conformance::{Specimen, check, chunking_does_not_matter, items};
use crate::message::{Addressee, Bearer, Content, Order, Part, Position, Rung, Signal, TerminalId};
use bytes::Bytes;
use proptest::prelude::*;

fn codec(profile: &[(&str, Value)]) -> Box<dyn Codec> {
    let profile = profile.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    crate::device::open("pei", &Profile(profile)).unwrap()
}

fn heard(frame: &str) -> Vec<Signal> {
    codec(&[]).decode(frame.as_bytes(), None).unwrap()
}

fn indicated(service: u16, hex: &str) -> Vec<Signal> {
    heard(&format!("+CTSDSR: {service},1234567,0,2345678,0,{}\r\n{hex}\r\n", hex.len() * 4))
}

fn id(number: u32) -> TerminalId {
    TerminalId::from_number(Bearer::Radio370, number)
}

const TEXT: &str = "+CTSDSR: 12,1234567,0,2345678,0,120\r\n82029C01746573746D657373616765\r\n";

#[test]
fn the_framer_keeps_what_all_framers_keep() {
    let data = "A".repeat(512);
    let largest = Bytes::from(format!("+CTSDSR: 12,262100101234567,1,262100102345678,1,2048,1\r\n{data}\r\n"));
    let frames = [TEXT, "OK\r\n", "+CME ERROR: 31\r\n", "AT+CTOM=6\r\n", "\r\n", "+CTTCT: 1\r\n", "821000C9\u{1a}"];
    let mut frames: Vec<Bytes> = frames.iter().map(|frame| Bytes::from(*frame)).collect();
    frames.push(largest.clone());
    let broken = ["+CTSDSR: 12,x\r\n", "+CTSDSR: 13,1,0,2,0,16\r\nzz\r\n", "garbage\r\n", "\u{1}\u{2}"];
    let broken = broken.iter().map(|frame| Bytes::from(*frame)).collect();
    check(&Specimen { framer: Box::new(PeiFramer::default()), frames, largest, broken, half: None });
}

#[test]
fn glued_indications_come_apart_and_a_prompt_needs_no_line_end() {
    let stream = format!("> +CTTCT:1{}{TEXT}OK", TEXT.trim_end());
    let frames = items(&PeiFramer::default(), stream.as_bytes(), || 3).frames();
    let expected: [&str; 5] = ["> ", "+CTTCT:1", TEXT.trim_end(), TEXT, "OK"];
    assert_eq!(frames, expected.map(Bytes::from));
}

#[test]
fn half_user_data_is_never_a_message() {
    let half = TEXT.get(..60).unwrap();
    assert!(items(&PeiFramer::default(), half.as_bytes(), || 7).frames().is_empty());
    let long = "+A".repeat(LINE_MAX * 3);
    assert!(items(&PeiFramer::default(), long.as_bytes(), || 7).frames().len() <= 1);
}

#[test]
fn a_text_is_heard_with_its_part_and_answered_only_where_asked() {
    let codec = codec(&[]);
    let signals = indicated(12, "8A02C981045A8F050003C90201746573746D657373616765");
    let [Signal::Heard(text)] = &signals[..] else { panic!("{signals:?}") };
    assert_eq!(text.part, Some(Part { reference: 201, number: 1, total: 2 }));
    assert_eq!(text.content, Content::Text { text: "testmessage".into(), lossy: false });
    assert_eq!((&text.from, &text.to), (&id(1_234_567), &Addressee::Terminal(id(2_345_678))));
    assert_eq!(codec.acknowledge(&signals[0]), None);
    let asked = indicated(12, "8204C90174");
    let answer = codec.acknowledge(&asked[0]).unwrap();
    assert_eq!(&answer[..], b"AT+CMGS=1234567,32\r\n821000C9\x1a");
}

#[test]
fn a_report_proves_delivery_only_when_the_radio_has_it() {
    let said = |status: u8| indicated(12, &format!("8210{status:02X}C9")).remove(0);
    for (status, good) in [(0, true), (2, true), (0x4B, false)] {
        let expected = Signal::Delivery { by: id(1_234_567), native: 201, delivered: good, code: status.into() };
        assert_eq!(said(status), expected);
    }
    assert_eq!(said(0x21), Signal::Progress { native: 201, rung: Rung::Radiated });
    assert!(matches!(said(0x90), Signal::Remark { .. }));
    let short = indicated(13, "7ACA").remove(0);
    assert!(matches!(short, Signal::Delivery { native: 202, delivered: true, .. }));
}

#[test]
fn status_zero_is_an_alarm_and_another_is_a_text() {
    assert_eq!(indicated(13, "0000"), [Signal::Emergency { of: id(1_234_567), on: true }]);
    let signals = indicated(13, "8001");
    let [Signal::Heard(status)] = &signals[..] else { panic!("{signals:?}") };
    assert_eq!(status.content, Content::Text { text: "状态 32769".into(), lossy: false });
}

#[test]
fn a_position_comes_back_within_two_metres_and_an_alarm_is_kept() {
    let place = Position::from_degrees(28.2, 112.9).unwrap();
    let short = LipShort::from_position(&place, true);
    let signals = indicated(12, &short.emit());
    let [Signal::Position { position, emergency: true, .. }] = &signals[..] else { panic!("{signals:?}") };
    assert!(position.metres_to(&place) <= 2);
    assert!(matches!(&indicated(12, "0A4E73DDA841F55809493CC081")[..], [Signal::Remark { .. }]));
}

#[test]
fn long_numbers_of_the_own_network_are_shortened_and_others_stay_whole() {
    let line = b"+CTSDSR: 13,262100101234567,1,262100102345678,1,16\r\n8001\r\n";
    let from = |network: &str| {
        let profile = if network.is_empty() { vec![] } else { vec![("mcc_mnc", Value::Text(network.into()))] };
        match codec(&profile).decode(line, None).unwrap().remove(0) {
            Signal::Heard(heard) => heard.from.number().to_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((from("").as_str(), from("2621001").as_str()), ("1234567", "1234567"));
    assert_eq!(from("4600001"), "262100101234567");
}

#[test]
fn a_text_that_does_not_fit_and_a_number_that_is_none_are_refused() {
    let codec = codec(&[]);
    let order = |to: &str, text: String| Order::Text {
        card: None,
        to: Addressee::Terminal(TerminalId::new(Bearer::Radio370, to)),
        text,
        native: 1,
        urgent: false,
    };
    assert!(codec.encode(&order("7", "灾".repeat(72))).is_ok());
    assert!(codec.encode(&order("7", "灾".repeat(73))).is_err());
    assert!(codec.encode(&order("16777216", "x".into())).is_err());
    assert!(!codec.reaches(&TerminalId::new(Bearer::Radio370, "base")));
    assert_eq!(codec.measure("灾\u{20000}"), Ok(48));
}

#[test]
fn a_wrong_profile_is_refused() {
    let open = |key: &str, value| crate::device::open("pei", &Profile([(key.to_owned(), value)].into())).unwrap_err();
    assert!(matches!(open("service_profiles", Value::Text("1;x".into())), ProfileError::Type { .. }));
    assert!(matches!(open("mcc_mnc", Value::Text("46".into())), ProfileError::Type { .. }));
    assert!(matches!(open("speed", Value::Int(9600)), ProfileError::UnknownKey { .. }));
}

#[test]
fn latin_one_is_written_and_read_alike() {
    assert_eq!(Coding::Latin1.write("é1"), Ok(vec![0xE9, 0x31]));
    assert_eq!(Coding::Latin1.write("灾"), Err('灾'));
    assert_eq!(super::wire::sds::read_text(5, b"test"), ("test".into(), false));
    assert_eq!(super::wire::sds::read_text(0, &[0xE8, 0x32, 0x9B, 0xFD, 0x06]), ("hello".into(), false));
    assert!(super::wire::sds::read_text(26, &[0x64]).1);
}

proptest! {
    #[test]
    fn what_is_emitted_is_read_back(
        wants in 0_u8..4, reference: u8, stamp in any::<Option<[u8; 3]>>(), text in prop::collection::vec(any::<u8>(), 0..140),
        part in prop::option::of((any::<u8>(), 1_u8..9)), to in 0_u32..0x0100_0000,
    ) {
        let part = part.map(|(reference, number)| (reference, 9, number));
        let pid = if part.is_some() { 0x8A } else { 0x82 };
        let sds = Sds::Transfer(Transfer {
            pid, wants, short_form: false, forward: None, reference, coding: 26, timestamp: stamp, part, text,
        });
        prop_assert_eq!(&Sds::parse(&sds.emit()), &Ok(sds.clone()));
        let hex = hex::encode_upper(sds.emit());
        let bits = u32::try_from(hex.len() * 4).unwrap();
        let send = HostLine::Send { to: to.to_string(), bits, hex: hex.clone() };
        prop_assert_eq!(HostLine::parse(send.emit().as_bytes()), Ok(send));
        let indication = Indication {
            service: 12, calling: Some(to.to_string()), calling_type: Some(0), called: "1".into(), called_type: Some(0),
            bits, e2ee: None, hex,
        };
        let line = RadioLine::Indication(indication.clone());
        prop_assert_eq!(RadioLine::parse(indication.emit().as_bytes()), Ok(line));
    }

    #[test]
    fn a_location_report_is_read_back(lon in -(1 << 24)..1 << 24, lat in -(1 << 23)..1 << 23, speed in 0_u8..128) {
        let short = LipShort {
            elapsed: 1, lon, lat, error: 3, speed, heading: 9, additional_type: 0, additional: 7,
        };
        prop_assert_eq!(Location::parse(&short.emit()), Ok(Location::Short(short)));
        let _any_speed = short.speed_cm_s();
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), line in "(\\+CTSDSR: 12,|AT\\+|\\+CMGS: )[ -~\r\n]{0,60}") {
        drop((Sds::parse(&bytes), RadioLine::parse(&bytes), HostLine::parse(&bytes)));
        drop((RadioLine::parse(line.as_bytes()), HostLine::parse(line.as_bytes()), Location::parse(&line)));
        drop(codec(&[]).decode(line.as_bytes(), None));
        chunking_does_not_matter(&PeiFramer::default(), &[line.as_bytes(), &bytes].concat(), 1);
    }
}
