//! The codec alone, over both ways.

use super::wire::{
    self, BROADCAST, Channel, Data, FromRadio, MeshPacket, Message as _, Position, StoreAndForward, ToRadio, Waypoint,
    error, framed, payload, port, top_fields,
};
use super::{number_of, terminal};
use crate::codec::{Codec, EncodeError, Profile, ProfileError, Value};
use crate::device::open;
use crate::message::{Addressee, Bearer, Content, Order, Rung, Signal, TerminalId};
use bytes::Bytes;
use proptest::prelude::*;

const OWN: u32 = 0xA1B2_C3D4;
const FAR: u32 = 0x0BAD_CAFE;

fn stream() -> Box<dyn Codec> {
    open("meshtastic", &Profile::default()).unwrap()
}

fn profile(settings: &[(&str, &str)]) -> Profile {
    Profile(settings.iter().map(|(key, value)| ((*key).to_owned(), Value::Text((*value).to_owned()))).collect())
}

fn multicast(own: &str) -> Box<dyn Codec> {
    let channels = "LongFast=AQ==;ops=00112233445566778899aabbccddeeff";
    open("meshtastic", &profile(&[("over", "multicast"), ("own", own), ("channels", channels)])).unwrap()
}

fn hear(portnum: u32, payload: Vec<u8>) -> Vec<Signal> {
    let data = Data { portnum, payload, ..Data::default() };
    let packet = MeshPacket { from: FAR, to: BROADCAST, id: 5, decoded: Some(data), ..MeshPacket::default() };
    stream().decode(&framed(&FromRadio { packet: Some(packet), ..FromRadio::default() }).unwrap(), None).unwrap()
}

fn texts(signals: &[Signal]) -> Vec<&str> {
    signals
        .iter()
        .filter_map(|signal| match signal {
            Signal::Heard(heard) => match &heard.content {
                Content::Text { text, .. } => Some(text.as_str()),
                Content::Opaque(_) => None,
            },
            _ => None,
        })
        .collect()
}

fn order(to: Addressee, text: &str) -> Order {
    Order::Text { card: None, to, text: text.into(), native: 9, urgent: false }
}

fn everyone() -> Addressee {
    Addressee::Everyone(Bearer::Mesh)
}

#[test]
fn management_keys_and_range_tests_go_nowhere() {
    for portnum in [port::ADMIN, port::KEY_VERIFICATION, port::RANGE_TEST] {
        let signals = hear(portnum, b"seq 12".to_vec());
        assert!(
            matches!(signals.as_slice(), [Signal::Remark { detail, .. }] if !detail.contains("seq")),
            "{signals:?}"
        );
    }
}

#[test]
fn an_alert_is_a_text_and_a_cry_for_help_in_it_an_alarm() {
    let warning = hear(port::ALERT, "全体撤离".into());
    assert_eq!(texts(&warning), ["全体撤离"]);
    assert!(!warning.iter().any(|signal| matches!(signal, Signal::Emergency { .. })));
    let cry = hear(port::ALERT, b"MAYDAY two hurt".to_vec());
    assert!(cry.contains(&Signal::Emergency { of: terminal(FAR), on: true }));
}

#[test]
fn a_position_without_coordinates_is_none_and_a_blurred_one_says_so() {
    let none = hear(port::POSITION, Position { time: 1_763_900_000, ..Position::default() }.encode_to_vec());
    assert!(matches!(none.as_slice(), [Signal::Remark { .. }]));
    let blurred = Position {
        latitude_i: Some(399_250_000),
        longitude_i: Some(1_163_866_670),
        altitude: Some(50),
        ground_speed: Some(36),
        ground_track: Some(9_000_000),
        precision_bits: 13,
        ..Position::default()
    };
    let signals = hear(port::POSITION, blurred.encode_to_vec());
    let [Signal::Position { position, emergency: false, .. }, Signal::Remark { .. }] = signals.as_slice() else {
        panic!("{signals:?}")
    };
    assert_eq!((position.lat_e7, position.height_dm), (399_250_000, Some(500)));
    assert_eq!((position.speed_cm_s, position.course_ddeg, position.at), (Some(1_000), Some(900), None));
}

#[test]
fn waypoints_sensors_kept_texts_and_tactical_chat_are_texts() {
    let point = Waypoint {
        name: "集结点".into(),
        latitude_i: Some(399_300_000),
        longitude_i: Some(1_163_900_000),
        ..Waypoint::default()
    };
    assert_eq!(texts(&hear(port::WAYPOINT, point.encode_to_vec())), ["【标点】集结点 39.93000,116.39000"]);
    assert_eq!(texts(&hear(port::DETECTION, "门开".into())), ["【传感器】门开"]);
    let kept = StoreAndForward { rr: 9, text: Some(b"old msg".to_vec()) };
    assert_eq!(texts(&hear(port::STORE_FORWARD, kept.encode_to_vec())), ["old msg"]);
    let tak =
        hex::decode("12150a05414c504841120c414e44524f49442d3132333432170a05526f676572120e416c6c204368617420526f6f6d73");
    assert_eq!(texts(&hear(port::TAK, tak.unwrap())), ["ALPHA：Roger"]);
}

#[test]
fn bytes_between_stations_come_as_they_went() {
    let order = Order::Payload { card: None, to: everyone(), bytes: Bytes::from_static(&[0xA4, 1, 2]), native: 9 };
    let frame = stream().encode(&order).unwrap().remove(0);
    let packet = ToRadio::decode(payload(&frame.bytes).unwrap()).unwrap().packet.unwrap();
    let back = hear(port::PRIVATE, packet.decoded.unwrap().payload);
    let [Signal::Heard(heard)] = back.as_slice() else { panic!("{back:?}") };
    assert_eq!(heard.content, Content::Opaque(Bytes::from_static(&[0xA4, 1, 2])));
}

#[test]
fn a_text_beyond_the_budget_is_refused_and_never_cut() {
    let codec = stream();
    assert!(codec.encode(&order(everyone(), &"水".repeat(66))).is_ok());
    let refused = codec.encode(&order(everyone(), &"水".repeat(67)));
    assert_eq!(refused, Err(EncodeError::TooLong { needed: 1_608, capacity: 1_600 }));
    assert_eq!(codec.measure("水位"), Ok(48));
}

#[test]
fn only_numbers_of_this_family_are_claimed() {
    let codec = stream();
    let claims = |number: &str| codec.reaches(&TerminalId::new(Bearer::Mesh, number));
    assert!(claims("!a1b2c3d4") && claims("7"));
    assert!(!claims("a1b2c3d4") && !claims("!A1B2C3D4") && !claims("!a1b2c3") && !claims("BH4XYZ-7") && !claims("8"));
    assert!(!codec.reaches(&TerminalId::new(Bearer::Radio370, "!a1b2c3d4")));
    assert!(codec.encode(&order(Addressee::Terminal(TerminalId::new(Bearer::Mesh, "BH4XYZ-7")), "a")).is_err());
}

#[test]
fn two_members_of_a_mesh_read_each_other_and_nobody_else_does() {
    let (near, far) = (multicast("!a1b2c3d4"), multicast("!0badcafe"));
    for (to, expected) in [
        (everyone(), everyone()),
        (
            Addressee::Group(TerminalId::from_number(Bearer::Mesh, 1)),
            Addressee::Group(TerminalId::from_number(Bearer::Mesh, 1)),
        ),
        (Addressee::Terminal(terminal(FAR)), Addressee::Terminal(terminal(FAR))),
    ] {
        let datagram = near.encode(&order(to, "东门已封控")).unwrap().remove(0);
        assert_eq!(datagram.to.unwrap().0.to_string(), "224.0.0.69:4403");
        let signals = far.decode(&datagram.bytes, None).unwrap();
        let [Signal::Heard(heard)] = signals.as_slice() else { panic!("{signals:?}") };
        assert_eq!((&heard.from, &heard.to, heard.overheard), (&terminal(OWN), &expected, false));
        assert_eq!(texts(&signals), ["东门已封控"]);
        assert_eq!(near.decode(&datagram.bytes, None), Ok(Vec::new()), "our own datagram comes back unchanged");
    }
    let ops =
        near.encode(&order(Addressee::Group(TerminalId::from_number(Bearer::Mesh, 1)), "机密")).unwrap().remove(0);
    let stranger = open("meshtastic", &profile(&[("over", "multicast"), ("own", "!00001234")])).unwrap();
    let signals = stranger.decode(&ops.bytes, None).unwrap();
    assert!(matches!(signals.as_slice(), [Signal::Remark { .. }]), "{signals:?}");
}

#[test]
fn our_own_packet_with_fewer_hops_left_was_repeated() {
    let codec = multicast("!a1b2c3d4");
    let datagram = codec.encode(&order(everyone(), "a")).unwrap().remove(0);
    let copy = MeshPacket { hop_limit: 2, ..MeshPacket::decode(datagram.bytes).unwrap() };
    let heard = codec.decode(&copy.encode_to_vec(), None).unwrap();
    assert_eq!(heard, [Signal::Progress { native: 9, rung: Rung::Repeated }]);
}

#[test]
fn what_is_spoofed_or_open_is_not_taken_from_the_network() {
    let codec = multicast("!a1b2c3d4");
    let data = Data { portnum: port::TEXT, payload: b"x".to_vec(), ..Data::default() };
    let open = MeshPacket { from: FAR, to: BROADCAST, id: 1, decoded: Some(data), ..MeshPacket::default() };
    assert!(codec.decode(&open.encode_to_vec(), None).is_err());
    let nobody = MeshPacket { to: BROADCAST, encrypted: Some(vec![1; 9]), ..MeshPacket::default() };
    assert!(texts(&codec.decode(&nobody.encode_to_vec(), None).unwrap()).is_empty());
}

#[test]
fn channel_hashes_are_those_of_the_firmware() {
    let hashes =
        [("LongFast", 0x08), ("MediumFast", 0x1F), ("ShortFast", 0x70), ("LongSlow", 0x0F), ("LongTurbo", 0x76)];
    for (name, hash) in hashes {
        assert_eq!(Channel::new(name, &[1]).unwrap().hash(), hash, "{name}");
    }
    assert_eq!(Channel::new("x", &[7; 5]).unwrap().key().len(), 16);
    assert_eq!(Channel::new("x", &[7; 17]).unwrap().key().len(), 32);
    assert!(Channel::new("x", &[7; 33]).is_err());
}

#[test]
fn a_profile_that_cannot_work_is_refused() {
    let refused = |settings: &[(&str, &str)]| open("meshtastic", &profile(settings)).err();
    assert!(matches!(refused(&[("over", "multicast")]), Some(ProfileError::Type { key, .. }) if key == "own"));
    assert!(refused(&[("over", "multicast"), ("own", "!ffffffff")]).is_some(), "everybody's number");
    assert!(refused(&[("over", "multicast"), ("own", "!a1b2c3d4"), ("channels", "x=*")]).is_some());
    assert!(refused(&[("over", "bluetooth")]).is_some());
    assert!(refused(&[("speed", "1")]).is_some());
}

#[test]
fn results_that_no_second_try_can_mend_are_known() {
    let permanent: Vec<u32> = (0..=40).filter(|code| super::signals::is_permanent(*code)).collect();
    assert_eq!(permanent, [4, 6, 7, 32, 33, 34, 35, 36, 37, 39]);
    assert_eq!(wire::routing_name(error::RATE_LIMIT), "RATE_LIMIT_EXCEEDED");
}

proptest! {
    #[test]
    fn what_is_written_reads_back(to: u32, id in 1_u32.., text in "\\PC{0,60}", hops in 0_u32..8) {
        let data = Data { portnum: port::TEXT, payload: text.into_bytes(), ..Data::default() };
        let packet = MeshPacket { to, id, decoded: Some(data), hop_limit: hops, ..MeshPacket::default() };
        let message = ToRadio { packet: Some(packet), ..ToRadio::default() };
        let frame = framed(&message).unwrap();
        prop_assert_eq!(ToRadio::decode(payload(&frame).unwrap()).unwrap(), message);
        prop_assert_eq!(top_fields(payload(&frame).unwrap()), Some(vec![1]));
    }

    #[test]
    fn an_encrypted_packet_opens_under_its_own_key_only(id: u32, from: u32, key in prop::collection::vec(any::<u8>(), 2..=32), words in "[a-z]{8,40}") {
        let channel = Channel::new("ops", &key).unwrap();
        let data = Data { portnum: port::TEXT, payload: words.into_bytes(), ..Data::default() };
        let sealed = channel.turn(id, from, &data.encode_to_vec());
        prop_assert_eq!(channel.open(id, from, &sealed).map(|opened| opened.1), Some(data.clone()));
        let other = Channel::new("ops", &[0x5A; 16]).unwrap();
        prop_assert_ne!(other.open(id, from, &sealed).map(|opened| opened.1), Some(data));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _read_or_refused = stream().decode(&bytes, None);
        let _read_or_refused = multicast("!a1b2c3d4").decode(&bytes, None);
        let framed = [&wire::MAGIC, u16::try_from(bytes.len()).unwrap().to_be_bytes().as_slice(), &bytes].concat();
        let _read_or_refused = stream().decode(&framed, None);
        for protocol in super::DEVICE.protocols {
            let _read_or_refused = (protocol.explain)(crate::device::Direction::Any, &bytes);
            let _read_or_refused = (protocol.explain)(crate::device::Direction::Any, &framed);
        }
    }

    #[test]
    fn a_number_is_written_as_it_is_read(number: u32) {
        prop_assert_eq!(number_of(&terminal(number)), Some(number));
    }
}
