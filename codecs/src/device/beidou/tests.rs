use super::vectors::{cases, cases_that, line, wire, word};
use super::{DEVICE, wire as beidou_wire};
use crate::device::{Direction, Fields};
use beidou_wire::{monitor, rdss40, text};
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;

fn explain(protocol: &str, direction: &str, bytes: &[u8]) -> Result<Fields, crate::codec::DecodeError> {
    let protocol = DEVICE.protocols.iter().find(|known| known.name == protocol).expect(protocol);
    (protocol.explain)(Direction::from_name(direction).unwrap_or(Direction::Any), bytes)
}

fn explain_case(case: &Value, bytes: &[u8]) -> Result<Fields, crate::codec::DecodeError> {
    explain(word(case, "protocol"), word(case, "direction"), bytes)
}

#[test]
fn every_decode_case_gives_all_its_fields() {
    for case in cases_that("decode") {
        for bytes in [wire(&case), line(&case)] {
            let fields = explain_case(&case, &bytes).unwrap_or_else(|error| panic!("{}: {error}", case["id"]));
            for (name, value) in case["fields"].as_object().expect("fields") {
                assert_eq!(fields.get(name), Some(value), "{} {name}", case["id"]);
            }
        }
    }
}

#[test]
fn every_refuse_case_is_refused() {
    for case in cases_that("refuse") {
        for bytes in [wire(&case), line(&case)] {
            assert!(explain_case(&case, &bytes).is_err(), "{} was taken for a message", case["id"]);
        }
    }
}

#[test]
fn no_flipped_bit_passes() {
    for case in cases_that("decode") {
        for bytes in [wire(&case), line(&case)] {
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.to_vec();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(explain_case(&case, &flipped).is_err(), "{} with bit {bit} flipped passes", case["id"]);
            }
        }
    }
}

#[test]
fn what_is_read_is_written_the_same_where_the_wire_has_one_way() {
    let mut same = 0;
    for case in cases_that("decode") {
        let bytes = line(&case);
        let (again, reread) = match word(&case, "protocol") {
            "rdss40" => {
                let frame = rdss40::parse(&bytes).unwrap();
                let again = frame.emit().unwrap();
                (again.clone(), rdss40::parse(&again).unwrap() == frame)
            }
            _ if bytes.starts_with(b"$BDXST") => {
                let frame = monitor::parse(&bytes).unwrap();
                let again = frame.emit().unwrap();
                (again.clone(), monitor::parse(&again).unwrap() == frame)
            }
            _ => {
                let sentence = text::parse(&bytes).unwrap();
                let again = sentence.emit().unwrap();
                (again.clone(), text::parse(&again).unwrap() == sentence)
            }
        };
        assert!(reread, "{} reads differently after writing", case["id"]);
        same += usize::from(again == bytes);
    }
    // The rest differ by talker, padding, decimals and idle fields, which carry no meaning.
    assert!(same >= 60, "only {same} came back byte for byte");
}

#[test]
fn what_must_never_be_sent_is_named_and_has_no_emitter() {
    let seal40 = |letters: &[u8; 4], body: &[u8]| {
        let length = u8::try_from(11 + body.len()).unwrap();
        let mut frame = [b"$".as_ref(), letters, &[0, length, 0, 0, 0], body].concat();
        frame.push(rdss40::xor(&frame));
        frame
    };
    let destroy = seal40(b"JJZH", &[0x55, 0xAA, 0xAA, 0x55]);
    assert_eq!(explain("rdss40", "to_terminal", &destroy).unwrap()["forbidden"], true);
    for letters in rdss40::FORBIDDEN {
        let frame = rdss40::parse(&seal40(letters, &[1])).unwrap();
        assert_eq!(frame.body, rdss40::Body::Forbidden { letters: *letters });
        assert!(frame.emit().is_err());
        let other = rdss40::Body::Other { letters: *letters, body: Bytes::new() };
        assert!(rdss40::Frame { user: 0, body: other }.emit().is_err(), "a way around");
    }
    for id in text::FORBIDDEN {
        for talker in ["CC", "BD", "PJ"] {
            let body = [talker.as_bytes(), id, b",1"].concat();
            let line = format!("${}*{:02X}", body.escape_ascii(), rdss40::xor(&body));
            let sentence = text::parse(line.as_bytes()).unwrap();
            assert_eq!(sentence, text::Sentence::Forbidden { id: *id });
            assert!(sentence.emit().is_err());
        }
        let other = text::Sentence::Other { talker: *b"CC", id: *id, args: vec![Bytes::new()] };
        assert!(other.emit().is_err(), "a way around");
    }
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let ids: std::collections::BTreeSet<String> = cases().iter().map(|case| word(case, "id").to_owned()).collect();
    assert_eq!(ids.len(), cases().len());
}

#[test]
fn a_received_message_of_every_length_is_heard() {
    let codec = super::open(&super::Profile::default()).unwrap();
    for length in 0..=400_u16 {
        let message = rdss40::Txxx {
            category: 0x40,
            sender: 142_020,
            hour: 0,
            minute: 0,
            bits: length * 8,
            content: Bytes::from(vec![b'5'; usize::from(length)]),
            crc: 0,
        };
        let frame = rdss40::Frame { user: 1, body: rdss40::Body::Txxx(message) }.emit();
        // Longer than the card's content cannot be written; what can be written must be heard, 44 bytes included.
        let Ok(frame) = frame else { continue };
        let heard = codec.decode(&frame, None).unwrap_or_else(|error| panic!("{} bytes: {error}", frame.len()));
        assert!(!heard.is_empty(), "{} bytes", frame.len());
    }
}

/// Starts that lead into the readers with the most to go wrong.
const STARTS: &[&[u8]] =
    &[b"", b"$TXXX\x00\x20", b"$BDXST\x00\x20", b"$BDPWI,", b"$BDTCI,1,2,3,", b"$GNRMC,", b"$BDHZR,1,", b"$BDDWR,1,1,"];

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic(
        start in prop::sample::select(STARTS),
        rest in prop::collection::vec(any::<u8>(), 0..80),
        seal in any::<bool>(),
    ) {
        let mut bytes = [start, &rest].concat();
        if seal && bytes.get(6) == Some(&b',') {
            let sum = rdss40::xor(&bytes[1..]);
            bytes.extend(format!("*{sum:02X}\r\n").into_bytes());
        } else if seal && bytes.len() > 8 {
            let length = u16::try_from(bytes.len() + 1).unwrap().to_be_bytes();
            let at = if bytes.starts_with(b"$BDXST") { 6 } else { 5 };
            bytes[at..at + 2].copy_from_slice(&length);
            bytes.push(rdss40::xor(&bytes));
        }
        let codec = super::open(&super::Profile::default()).unwrap();
        let _ = codec.decode(&bytes, None);
        let _ = monitor::parse(&bytes);
        for protocol in DEVICE.protocols {
            let read = (protocol.explain)(Direction::Any, &bytes);
            prop_assert!(read.is_err() || !bytes.is_empty());
        }
    }
}
