use super::*;
use crate::codec::DecodeError;
use ::bytes::Bytes;
use proptest::prelude::*;

fn blob(max: usize) -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..max).prop_map(Bytes::from)
}

fn ascii() -> impl Strategy<Value = Bytes> {
    "[ -~]{0,20}".prop_map(Bytes::from)
}

fn fraction(signed: bool) -> impl Strategy<Value = Fraction> {
    (any::<bool>(), any::<u32>(), 0_u8..128).prop_map(move |(negative, whole, part)| Fraction {
        negative: negative && signed,
        whole: whole >> 2,
        part,
    })
}

fn point() -> impl Strategy<Value = Point> {
    let size = (any::<u32>(), any::<u32>());
    (size, prop::option::of(fraction(false)), prop::option::of(fraction(true))).prop_map(
        |((lat_raw, lon_raw), radius, altitude)| Point { lat_raw, lon_raw, radius, altitude, altitude_accuracy: None },
    )
}

fn stamp() -> impl Strategy<Value = Stamp> {
    (0_u16..16_384, 0_u8..16, 0_u8..32, 0_u8..32, 0_u8..64, 0_u8..64)
        .prop_map(|(year, month, day, hour, minute, second)| Stamp { year, month, day, hour, minute, second })
}

fn report_token() -> impl Strategy<Value = Token> {
    prop_oneof![
        blob(9).prop_map(Token::RequestId),
        stamp().prop_map(Token::Time),
        (any::<u32>(), blob(9)).prop_map(|(code, detail)| Token::Result { token: 0x39, code, detail }),
        any::<u32>().prop_map(|code| Token::Result { token: 0x37, code, detail: Bytes::new() }),
        point().prop_map(Token::Point),
        fraction(false).prop_map(Token::Speed),
        fraction(true).prop_map(Token::Climb),
        any::<u8>().prop_map(Token::Heading),
        any::<u8>().prop_map(Token::Opaque6b),
    ]
}

fn request_token() -> impl Strategy<Value = Token> {
    prop_oneof![
        blob(9).prop_map(Token::RequestId),
        Just(Token::Periodic),
        any::<u32>().prop_map(Token::Interval),
        any::<u32>().prop_map(Token::MaxAge),
        any::<u32>().prop_map(Token::Distance),
        Just(Token::Wish(0x51)),
        any::<u8>().prop_map(|version| Token::Version { token: 0x3F, version }),
    ]
}

proptest! {
    #[test]
    fn a_text_is_read_as_it_was_written(sequence in 0_u8..128, wants_ack: bool, address in blob(5), data in blob(300)) {
        let tms = Tms { address, ..Tms::text(sequence, wants_ack, data) };
        prop_assert_eq!(Tms::parse(&tms.emit().unwrap()).unwrap(), tms);
    }

    #[test]
    fn an_ack_of_any_sequence_of_five_bits_is_read_as_it_was_written(sequence in prop::option::of(0_u8..32)) {
        let ack = Tms::ack(sequence);
        prop_assert_eq!(Tms::parse(&ack.emit().unwrap()).unwrap(), ack);
    }

    #[test]
    fn a_registration_is_read_as_it_was_written(
        by_user: bool, device in ascii(), user in ascii(), password in ascii(), event in prop::sample::select(vec![0x20_u8, 0x40])
    ) {
        let header = Header(if by_user { 0xF5 } else { 0xF0 });
        let body = ArsBody::Register { by_user, event: Some(event), device, user, password };
        let ars = Ars { header, body, mismatch: 0 };
        prop_assert_eq!(Ars::parse(&ars.emit().unwrap()).unwrap(), ars);
    }

    #[test]
    fn a_report_is_read_as_it_was_written(tokens in prop::collection::vec(report_token(), 0..6)) {
        let document = Lrrp { doc: 0x0D, tokens };
        prop_assert_eq!(Lrrp::parse(&document.emit().unwrap()).unwrap(), document);
    }

    #[test]
    fn a_request_is_read_as_it_was_written(tokens in prop::collection::vec(request_token(), 0..6)) {
        let document = Lrrp { doc: 0x09, tokens };
        prop_assert_eq!(Lrrp::parse(&document.emit().unwrap()).unwrap(), document);
    }

    #[test]
    fn a_place_survives_the_wire_to_a_centimetre(lat in -90.0..=90.0_f64, lon in -180.0..=180.0_f64) {
        let (lat_back, lon_back) = Point::from_degrees(lat, lon).unwrap().degrees();
        prop_assert!((lat - lat_back).abs() < 1e-7 && (lon - lon_back).abs() < 2e-7, "{} {}", lat_back, lon_back);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(data in prop::collection::vec(any::<u8>(), 0..120)) {
        drop((Tms::parse(&data), Ars::parse(&data), Lrrp::parse(&data), Dmrd::parse(&data)));
        drop(OnAir::parse(&data));
    }

    #[test]
    fn no_truncated_text_or_document_is_whole(data in blob(40), cut in 1_usize..20) {
        let text = Tms::text(3, true, data).emit().unwrap();
        let text = text.get(..text.len().saturating_sub(cut)).unwrap();
        prop_assert!(Tms::parse(text).is_err());
        let ask = Lrrp::ask(7).emit().unwrap();
        prop_assert!(Lrrp::parse(ask.get(..ask.len().saturating_sub(cut)).unwrap()).is_err());
    }
}

#[test]
fn both_endings_of_a_circle_with_altitude_are_read() {
    let without = "070d55200000004000000009000101";
    let with = "070f5520000000400000000900010102005608";
    for (hex, accuracy) in [(without, false), (with, true)] {
        let mut document = hex::decode(hex).unwrap();
        document[1] = u8::try_from(document.len() - 2).unwrap();
        let document = Lrrp::parse(&document).unwrap();
        let Token::Point(point) = document.tokens[0] else { panic!("{document:?}") };
        assert_eq!(point.altitude_accuracy.is_some(), accuracy, "{document:?}");
        assert_eq!(document.tokens.len(), if accuracy { 2 } else { 1 });
    }
}

#[test]
fn an_unknown_token_keeps_what_was_read_before_it() {
    let document = Lrrp::parse(&hex::decode("0d0b66200000004000000099aa").unwrap()).unwrap();
    assert!(matches!(&document.tokens[..], [Token::Point(_), Token::Unread(rest)] if rest.as_ref() == [0x99, 0xAA]));
}

#[test]
fn a_packet_without_its_air_checksum_is_not_whole() {
    let whole =
        hex::decode("4500002a000200000111940d0c3086aa0c3086aa1398139800163ec5000d000a480045004c004c004f000000355e8fef")
            .unwrap();
    assert!(OnAir::parse(&whole).is_ok());
    assert!(matches!(OnAir::parse(&whole[..42]), Err(DecodeError::Length { .. })));
}
