use super::*;
use proptest::prelude::*;

fn contact() -> impl Strategy<Value = Contact> {
    (any::<[u8; 32]>(), any::<[u8; 3]>(), any::<[i32; 2]>(), any::<[u32; 2]>()).prop_map(
        |(key, [kind, flags, path_len], [lat, lon], [advert, modified])| Contact {
            public_key: key,
            kind,
            flags,
            path_len,
            path: [7; 64],
            name: *b"relay on the ridge\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            last_advert: advert,
            lat_e6: lat,
            lon_e6: lon,
            last_modified: modified,
        },
    )
}

fn from_radio() -> impl Strategy<Value = FromRadio> {
    let origin = prop_oneof![any::<Prefix>().prop_map(Origin::Contact), any::<u8>().prop_map(Origin::Channel)];
    let text =
        (any::<Option<i8>>(), origin, any::<u8>(), prop_oneof![Just(0_u8), Just(2)], any::<u32>(), "[a-z水]{0,40}");
    prop_oneof![
        any::<Option<u32>>().prop_map(|value| FromRadio::Done { value }),
        any::<Option<u8>>().prop_map(|code| FromRadio::Refused { code }),
        contact().prop_map(FromRadio::Contact),
        contact().prop_map(FromRadio::NewContact),
        any::<(u8, [u8; 4], u32)>().prop_map(|(flood, expected_ack, timeout_ms)| FromRadio::Sent {
            flood,
            expected_ack,
            timeout_ms
        }),
        any::<([u8; 4], Option<u32>)>().prop_map(|(ack, round_trip_ms)| FromRadio::Confirmed { ack, round_trip_ms }),
        any::<(u16, Option<(u32, u32)>)>()
            .prop_map(|(millivolt, storage_kb)| FromRadio::Battery { millivolt, storage_kb }),
        text.prop_map(|(snr_quarter_db, origin, path_len, text_type, timestamp, text)| {
            let signature = (text_type == 2 && matches!(origin, Origin::Contact(_))).then_some([1, 2, 3, 4]);
            FromRadio::Text(Text {
                snr_quarter_db,
                origin,
                path_len,
                text_type,
                timestamp,
                signature,
                text: text.into(),
            })
        }),
    ]
}

fn to_radio() -> impl Strategy<Value = ToRadio> {
    prop_oneof![
        ("[ -~]{0,20}").prop_map(|app| ToRadio::AppStart { reserved: *b"\x03      ", app }),
        (any::<(u8, u32, Prefix)>(), "[a-z水]{0,40}").prop_map(|((attempt, timestamp, to), text)| {
            ToRadio::DirectText { text_type: 0, attempt, timestamp, to, text }
        }),
        (any::<(u8, u32)>(), "[a-z水]{0,40}").prop_map(|((channel, timestamp), text)| ToRadio::ChannelText {
            text_type: 0,
            channel,
            timestamp,
            text,
        }),
        any::<Option<u32>>().prop_map(|since| ToRadio::Contacts { since }),
        any::<u8>().prop_map(|version| ToRadio::Query { version }),
        Just(ToRadio::NextMessage),
    ]
}

proptest! {
    #[test]
    fn what_a_radio_says_reads_back_as_it_was_written(said in from_radio()) {
        prop_assert_eq!(FromRadio::parse(&said.emit().unwrap()), Ok(said));
    }

    #[test]
    fn what_a_host_says_reads_back_as_it_was_written(said in to_radio()) {
        prop_assert_eq!(ToRadio::parse(&said.emit().unwrap()), Ok(said));
    }

    #[test]
    fn nothing_that_stands_on_the_line_makes_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(FromRadio::parse(&body));
        for mark in [FROM_RADIO, TO_RADIO] {
            if let Ok(frame) = framed(mark, &body) {
                drop((FromRadio::parse(&frame), ToRadio::parse(&frame)));
            }
        }
    }
}

#[test]
fn what_must_never_be_sent_has_no_emitter() {
    let reboot = ToRadio::parse(b"<\x07\0\x13reboot").unwrap();
    assert_eq!((reboot.cmd(), reboot.emit()), (0x13, Err(EncodeError::Unsupported)));
}
