use super::*;
use crate::codec::DecodeError;
use ::bytes::Bytes;
use proptest::prelude::*;

fn radio() -> impl Strategy<Value = RadioIp> {
    any::<u32>().prop_map(RadioIp)
}

fn payload() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from)
}

fn ascii<const N: usize>() -> impl Strategy<Value = Ascii<N>> {
    prop_oneof![Just(Ascii::EMPTY), "[ -~]{0,14}".prop_map(|text| Ascii::new(&text).unwrap_or(Ascii::EMPTY))]
}

fn gps() -> impl Strategy<Value = Gps> {
    let status = prop_oneof![Just("A"), Just("V"), Just("")].prop_map(|status| Ascii::new(status).unwrap());
    let rest = (ascii(), ascii(), ascii(), ascii(), ascii(), ascii(), ascii(), ascii());
    (status, rest).prop_map(|(status, (time, date, north_south, latitude, east_west, longitude, speed, course))| Gps {
        status,
        time,
        date,
        north_south,
        latitude,
        east_west,
        longitude,
        speed,
        course,
    })
}

fn rrs() -> impl Strategy<Value = Rrs> {
    prop_oneof![
        radio().prop_map(|radio| Rrs::Register { radio }),
        (radio(), any::<u8>(), any::<u32>()).prop_map(|(radio, result, renew_s)| Rrs::RegisterAck {
            radio,
            result,
            renew_s
        }),
        radio().prop_map(|radio| Rrs::Offline { radio }),
        radio().prop_map(|radio| Rrs::StatusCheck { radio }),
        (radio(), any::<u8>()).prop_map(|(radio, state)| Rrs::StatusCheckAnswer { radio, state }),
    ]
}

fn lp() -> impl Strategy<Value = Lp> {
    let window = || (ascii(), ascii(), ascii()).prop_map(|(start, stop, interval)| Window { start, stop, interval });
    let family = prop_oneof![Just(Family::Standard), Just(Family::Condition)];
    let report = (family, any::<u32>(), radio(), any::<u16>(), gps(), any::<Option<i16>>());
    let condition = (any::<u32>(), radio(), any::<u8>(), any::<u32>(), window(), ascii());
    prop_oneof![
        (any::<u32>(), radio(), any::<Option<u8>>()).prop_map(|(request, radio, extra)| Lp::Request {
            request,
            radio,
            extra
        }),
        report.prop_map(|(family, request, radio, result, gps, rssi)| Lp::Report {
            family,
            request,
            radio,
            result,
            gps,
            rssi
        }),
        (radio(), any::<u8>(), gps()).prop_map(|(radio, kind, gps)| Lp::EmergencyReport { radio, kind, gps }),
        (any::<u32>(), radio(), window()).prop_map(|(request, radio, window)| Lp::TimedRequest {
            request,
            radio,
            window
        }),
        (any::<u32>(), radio(), ascii(), gps()).prop_map(|(request, radio, remaining, gps)| Lp::TimedReport {
            request,
            radio,
            remaining,
            gps
        }),
        condition.prop_map(|(request, radio, trigger, distance, window, max_interval)| Lp::ConditionRequest {
            request,
            radio,
            trigger,
            distance,
            window,
            max_interval
        }),
        payload().prop_map(|payload| Lp::Opaque { opcode: 0xB001, payload }),
    ]
}

fn message() -> impl Strategy<Value = TmpMessage> {
    let text = prop_oneof!["\\PC{0,40}".prop_map(|text| Utf16::from(text.as_str())), payload().prop_map(Utf16)];
    (0..9_u8, any::<u32>(), radio(), radio(), (any::<u8>(), 0xAA..=0xAD_u8), text, payload()).prop_map(
        |(kind, request, to, from, (result, service), text, data)| match kind {
            0 => TmpMessage::PrivateText { request, to, from, text },
            1 => TmpMessage::PrivateAck { request, to, from, result },
            2 => TmpMessage::GroupText { request, to, from, text },
            3 => TmpMessage::GroupAck { request, to, result },
            4 => TmpMessage::PrivateData { request, to, from, data },
            5 => TmpMessage::PrivateDataAck { request, to, from, result },
            6 => TmpMessage::GroupData { request, to, from, data },
            7 => TmpMessage::GroupDataAck { request, to, result },
            _ => TmpMessage::WorkOrder { service, payload: data },
        },
    )
}

fn tmp() -> impl Strategy<Value = Tmp> {
    (any::<bool>(), 0..0x40_u8, prop::option::of(payload()), message())
        .prop_map(|(flag_7, reserved, options, message)| Tmp { flag_7, reserved, options, message })
}

fn dds() -> impl Strategy<Value = Dds> {
    let about = prop_oneof![Just(Service::Lp), Just(Service::Rrs), Just(Service::Tp), Just(Service::Tmp)];
    (about, radio(), any::<u16>(), any::<u8>()).prop_map(|(about, radio, about_opcode, result)| Dds {
        about,
        radio,
        about_opcode,
        result,
    })
}

fn hdap() -> impl Strategy<Value = Hdap> {
    let body = prop_oneof![
        rrs().prop_map(Body::Rrs),
        lp().prop_map(Body::Lp),
        tmp().prop_map(Body::Tmp),
        dds().prop_map(Body::Dds)
    ];
    (any::<bool>(), body, prop_oneof![Just(END), Just(0)]).prop_map(|(reliable, body, end)| Hdap {
        reliable,
        body,
        end,
    })
}

proptest! {
    #[test]
    fn what_is_emitted_reads_back_the_same(frame in hdap(), after in prop::collection::vec(any::<u8>(), 0..20)) {
        let mut bytes = frame.emit().unwrap().to_vec();
        prop_assert_eq!(Hdap::parse(&bytes), Ok((frame.clone(), &[][..])));
        bytes.extend_from_slice(&after);
        let followed = Hdap::parse(&bytes);
        if frame.end == END || after.is_empty() {
            prop_assert_eq!(followed, Ok((frame, &after[..])));
        } else {
            prop_assert!(followed.is_err());
        }
    }

    #[test]
    fn one_flipped_bit_under_the_checksum_or_in_the_end_byte_is_refused(frame in hdap(), bit in any::<prop::sample::Index>()) {
        let mut bytes = frame.emit().unwrap().to_vec();
        // The service byte is outside the checksum.
        let bit = 8 + bit.index((bytes.len() - 1) * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let read = Hdap::parse(&bytes);
        // A length that lost a bit may leave a shorter frame whose own checksum fits by chance: never the same one.
        prop_assert!(read.is_err() || read.unwrap().1.len() > 2, "bit {} passed", bit);
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = Hdap::parse(&bytes);
    }

    #[test]
    fn a_frame_with_right_checksum_and_any_payload_does_not_panic(
        service in prop_oneof![Just(0x08_u8), Just(0x09), Just(0x11), Just(0x14)], opcode in any::<u16>(),
        low in prop_oneof![Just(0xA1_u8), Just(0xA2), Just(0xB1), Just(0xB2), Just(0x02), Just(0x03)],
        bytes in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        for opcode in [opcode, opcode & 0xFF00 | u16::from(low)] {
            let mut frame = vec![service];
            frame.extend(opcode.to_be_bytes());
            frame.extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
            frame.extend(&bytes);
            let sum = frame[1..].iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
            frame.extend([(!sum).wrapping_add(0x33), END]);
            if let Ok((read, rest)) = Hdap::parse(&frame) {
                prop_assert!(rest.is_empty());
                prop_assert_eq!(&read.emit().unwrap()[..], &frame[..]);
            }
        }
    }
}

#[test]
fn every_incomplete_frame_is_refused_with_the_length_it_needs() {
    let frame = hex::decode("11008000090a2338630000000708d203").unwrap();
    for length in 0..frame.len() {
        let expected = if length < 5 { 7 } else { frame.len() };
        assert_eq!(Hdap::parse(&frame[..length]), Err(DecodeError::Length { expected, found: length }));
    }
}

#[test]
fn a_text_with_an_odd_byte_loses_only_that_byte() {
    let text = Utf16(Bytes::from_static(b"\x2A\x4F\x0D"));
    assert_eq!(text.text(), ("\u{4F2A}".to_owned(), true));
    let half = Utf16(Bytes::from_static(b"\x00\xD8A\x00"));
    assert_eq!(half.text(), ("\u{FFFD}A".to_owned(), true));
    assert_eq!(Utf16::from("已到达").text(), ("已到达".to_owned(), false));
}

#[test]
fn a_text_longer_than_the_length_field_can_say_is_not_emitted() {
    let text = Utf16(Bytes::from(vec![0x41; 70_000]));
    let to = RadioIp(1);
    let frame = Hdap::from(Tmp::from(TmpMessage::PrivateText { request: 1, to, from: to, text }));
    assert!(frame.emit().is_err());
}
