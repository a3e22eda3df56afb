use super::codec::open;
use super::framer;
use super::wire::{Layout, Said};
use crate::codec::{Codec, EncodeError, Profile, Value};
use crate::frame::conformance::{self, Specimen, chunking_does_not_matter, items};
use crate::message::{Addressee, Bearer, Content, Order, Position, Signal, TerminalId};
use bytes::Bytes;
use proptest::prelude::*;

fn profile(keys: &[(&str, &str)]) -> Profile {
    let value = |text: &str| match text {
        "true" => Value::Bool(true),
        number if number.parse::<i64>().is_ok() => Value::Int(number.parse().unwrap()),
        text => Value::Text(text.into()),
    };
    Profile(keys.iter().map(|(key, text)| ((*key).to_owned(), value(text))).collect())
}

const ACME: [(&str, &str); 8] = [
    ("framing", "frame"),
    ("head", "aa55"),
    ("length", "2,1,be,0"),
    ("checksum", "crc16-modbus,0,-2,-2,le"),
    ("id", "3,2,be"),
    ("text", "6,rest"),
    ("text_if", "5,01"),
    ("position_if", "5,02"),
];

fn acme(more: &[(&str, &str)]) -> Profile {
    profile(&[&ACME, more].concat())
}

fn codec(profile: &Profile) -> Box<dyn Codec> {
    open(profile).unwrap()
}

fn said(id: &str, text: &str) -> Said {
    Said { id: Some(id.into()), text: Some((text.into(), false)), ..Said::default() }
}

fn radio(number: &str) -> TerminalId {
    TerminalId::new(Bearer::Radio370, number)
}

fn order(to: Addressee, text: &str) -> Order {
    Order::Text { card: None, to, text: text.into(), native: 1, urgent: false }
}

#[test]
fn framers_of_enclosed_frames_keep_every_property() {
    let fixed = profile(&[
        ("framing", "fixed"),
        ("size", "15"),
        ("head", "7e"),
        ("checksum", "xor8,0,-1,-1"),
        ("text", "1,13"),
    ]);
    for (profile, large) in
        [(acme(&[]), "x".repeat(200)), (fixed, "x".repeat(13)), (Profile::default(), "x".repeat(400))]
    {
        let layout = Layout::read(&profile).unwrap();
        let frame = |text: &str| layout.emit(&Said { id: layout.id.map(|_| "7".into()), ..said("", text) }).unwrap();
        let frame = |text: &str| -> Bytes { frame(text) };
        let broken = |text: &str| {
            let mut frame = frame(text).to_vec();
            *frame.get_mut(4).unwrap() ^= 0x10;
            Bytes::from(frame)
        };
        let frames = vec![frame("a"), frame("bridge"), frame("hello")];
        conformance::check(&Specimen {
            framer: framer(&layout),
            frames,
            largest: frame(&large),
            broken: vec![broken("down")],
            half: None,
        });
    }
}

#[test]
fn framers_of_lines_keep_every_property() {
    let layout = Layout::read(&profile(&[("framing", "line"), ("max", "64"), ("text", "0,rest")])).unwrap();
    let frame = |text: &str| layout.emit(&Said { text: Some((text.into(), false)), ..Said::default() }).unwrap();
    let specimen = Specimen {
        framer: framer(&layout),
        frames: vec![frame("a"), frame("bridge down")],
        largest: frame(&"x".repeat(62)),
        broken: vec![[b"x".repeat(200).as_slice(), b"\r\n"].concat().into()],
        half: None,
    };
    conformance::each_frame_comes_out_alone(&specimen);
    conformance::frames_around_broken_ones_are_found(&specimen);
    conformance::the_largest_frame_makes_progress(&specimen);
    let stream =
        [b"ab\r\nc\r\n".as_slice(), &b"y".repeat(63), b"\r\nd\r\n", &b"z".repeat(130), b"\r\nlast\r\n"].concat();
    chunking_does_not_matter(&*specimen.framer, &stream, 5);
    let found = items(&*specimen.framer, &stream, || 7).frames();
    assert_eq!(found, ["ab\r\n", "c\r\n", "d\r\n", "last\r\n"].map(|line| Bytes::from_static(line.as_bytes())));
}

#[test]
fn a_burst_is_whole_after_silence_and_not_before() {
    let layout =
        Layout::read(&profile(&[("framing", "idle"), ("idle_ms", "20"), ("max", "16"), ("text", "0,rest")])).unwrap();
    let mut framer = framer(&layout);
    framer.push(b"abc");
    framer.push(b"def");
    assert!(framer.next_found().is_none());
    assert_eq!(framer.patience().unwrap().as_millis(), 20);
    framer.give_up();
    assert_eq!(framer.next_found().unwrap().bytes().as_ref(), b"abcdef");
    chunking_does_not_matter(&*framer, &[7; 100], 1);
}

#[test]
fn text_and_position_are_told_apart_by_what_the_profile_says() {
    let codec = codec(&acme(&[("position", "e7:6,le")]));
    let layout = Layout::read(&acme(&[("position", "e7:6,le")])).unwrap();
    let text = layout.emit(&said("300", "三号桥")).unwrap();
    let [Signal::Heard(heard)] = &codec.decode(&text, None).unwrap()[..] else { panic!("no text") };
    assert_eq!((&heard.from, &heard.content), (&radio("300"), &Content::Text { text: "三号桥".into(), lossy: false }));
    let place = Position::from_degrees(28.2, -112.9).unwrap();
    let report = layout.emit(&Said { id: Some("300".into()), position: Some(place), ..Said::default() }).unwrap();
    let signals = codec.decode(&report, None).unwrap();
    assert_eq!(signals, [Signal::Position { of: radio("300"), position: place, emergency: false }]);
}

#[test]
fn a_whole_frame_that_is_not_described_is_kept_in_words() {
    let layout = Layout::read(&acme(&[])).unwrap();
    let bare = layout.emit(&Said { id: Some("5".into()), ..Said::default() }).unwrap();
    let signals = codec(&acme(&[])).decode(&bare, None).unwrap();
    let [Signal::Remark { detail, .. }] = &signals[..] else { panic!("{signals:?}") };
    assert!(detail.contains(&hex::encode(&bare)), "{detail}");
}

#[test]
fn fractions_of_a_degree_and_sentences_are_positions() {
    for description in ["fraction:6,20,be", "fraction:6,23,le", "e7:6,be"] {
        let layout = Layout::read(&acme(&[("position", description)])).unwrap();
        let place = Position::from_degrees(28.2, -112.9).unwrap();
        let frame = layout.emit(&Said { id: Some("1".into()), position: Some(place), ..Said::default() }).unwrap();
        let found = layout.parse(&frame).unwrap().position.unwrap();
        assert!(found.lat_e7.abs_diff(place.lat_e7) <= 5 && found.lon_e7.abs_diff(place.lon_e7) <= 5, "{description}");
    }
    let codec = codec(&profile(&[("framing", "line"), ("position", "nmea"), ("far", "9")]));
    let line = b"id=9 $GNRMC,120000.00,A,2812.0000,N,11254.0000,E,0.0,0.0,231126,,,A*7B\r\n";
    let sum = line.split(|b| *b == b'$').nth(1).unwrap().iter().take_while(|b| **b != b'*').fold(0, |s, b| s ^ b);
    let line = String::from_utf8(line.to_vec()).unwrap().replace("*7B", &format!("*{sum:02X}"));
    let signals = codec.decode(line.as_bytes(), None).unwrap();
    assert!(
        matches!(&signals[..], [Signal::Position { of, position, .. }] if *of == radio("9") && position.lat_e7 == 282_000_000),
        "{signals:?}"
    );
    let wrong = line.replace("2812", "2813");
    assert!(matches!(&codec.decode(wrong.as_bytes(), None).unwrap()[..], [Signal::Remark { .. }]));
}

#[test]
fn nothing_is_sent_that_the_profile_does_not_allow_or_cannot_address() {
    let text = || order(Addressee::Terminal(radio("300")), "到");
    assert_eq!(codec(&acme(&[])).encode(&text()), Err(EncodeError::Unsupported));
    let sending = codec(&acme(&[("send", "true")]));
    assert!(sending.encode(&text()).is_ok());
    let far = |number| order(Addressee::Terminal(radio(number)), "到");
    assert!(matches!(sending.encode(&far("70000")), Err(EncodeError::Address(_))));
    assert!(!sending.reaches(&radio("70000")) && sending.reaches(&radio("300")));
    assert_eq!(sending.encode(&order(Addressee::Everyone(Bearer::Radio370), "到")), Err(EncodeError::Unsupported));
    let long = order(Addressee::Terminal(radio("300")), &"长".repeat(90));
    assert!(matches!(sending.encode(&long), Err(EncodeError::TooLong { .. })));
}

#[test]
fn errors_of_a_profile_name_the_key() {
    for (key, value) in [
        ("framing", "stream"),
        ("idle_ms", "19"),
        ("head", "xyz"),
        ("length", "1,2,be"),
        ("checksum", "crc32,0,-1,-1"),
        ("id", "3,9,be"),
        ("text", "rest"),
        ("charset", "big5"),
        ("position", "e7:6"),
        ("to", "0,2"),
        ("peer", "10.0.0.1"),
        ("far", "no name"),
        ("text_if", "5"),
        ("pace_ms", "-1"),
        ("colour", "red"),
        ("max", "5"),
    ] {
        let error = match key {
            "idle_ms" => open(&profile(&[("framing", "idle"), (key, value)])),
            _ => open(&profile(&[&ACME[..], &[(key, value)]].concat())),
        };
        let error = error.expect_err(key).to_string();
        assert!(error.contains(key), "{key}: {error}");
    }
    assert!(open(&profile(&[("framing", "line"), ("send", "true")])).unwrap_err().to_string().contains("send"));
    assert!(open(&profile(&[("head", "68")])).unwrap_err().to_string().contains("framing"));
    assert!(open(&profile(&[("framing", "line"), ("size", "8")])).unwrap_err().to_string().contains("size"));
}

proptest! {
    #[test]
    fn what_a_layout_writes_it_reads_back(id in any::<u16>(), text in "[a-z水火]{1,60}") {
        for charset in ["utf-8", "gb18030", "utf-16le", "utf-16be"] {
            let layout = Layout::read(&acme(&[("charset", charset)])).unwrap();
            let said = said(&id.to_string(), &text);
            prop_assert_eq!(layout.parse(&layout.emit(&said).unwrap()), Ok(said));
        }
    }

    #[test]
    fn no_frame_makes_a_panic(frame in proptest::collection::vec(any::<u8>(), 0..80)) {
        for profile in [Profile::default(), acme(&[("position", "fraction:6,31,be")]), profile(&[("framing", "idle"), ("position", "nmea")])] {
            drop(codec(&profile).decode(&frame, None));
        }
    }

    #[test]
    fn a_flipped_bit_under_a_checksum_is_refused(bit in 0_usize..88) {
        let layout = Layout::read(&acme(&[])).unwrap();
        let mut frame = layout.emit(&said("9", "abc")).unwrap().to_vec();
        frame[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(layout.parse(&frame).is_err());
    }
}
