use super::codec::open;
use crate::air::limits::FRAME_MAX;
use crate::codec::{Codec, DecodeError, EncodeError, Profile, Value};
use crate::frame::Found;
use crate::message::{Addressee, Bearer, Content, Order, Peer, Rung, Signal, TerminalId};
use bytes::Bytes;
use proptest::prelude::*;

const GROUP: &str = "239.20.0.2:4710";

fn profile(keys: &[(&str, Value)]) -> Profile {
    Profile(keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

fn codec(keys: &[(&str, Value)]) -> Box<dyn Codec> {
    open(&profile(keys)).unwrap()
}

fn plain() -> Box<dyn Codec> {
    codec(&[])
}

fn grouped() -> Box<dyn Codec> {
    codec(&[("group", text(GROUP))])
}

fn peer(address: &str) -> Option<Peer> {
    Some(Peer(address.parse().unwrap()))
}

fn ip(number: &str) -> TerminalId {
    TerminalId::new(Bearer::Ip, number)
}

/// A frame of so many bytes from station 3 to everyone.
fn frame(length: usize) -> Bytes {
    let mut frame = vec![0x47, 0x00, 0xC0, 0x05, 0x00];
    frame.resize(length, 0xA5);
    frame.into()
}

fn payload(to: Addressee, bytes: Bytes) -> Order {
    Order::Payload { card: None, to, bytes, native: 1 }
}

fn to_station(codec: &dyn Codec, number: &str) -> Result<Option<Peer>, EncodeError> {
    let frames = codec.encode(&payload(Addressee::Terminal(ip(number)), frame(20)))?;
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].bytes, frame(20));
    Ok(frames[0].to)
}

#[test]
fn a_frame_of_a_station_is_heard_as_its_bytes_from_the_address_it_came_from() {
    for (from, number) in [
        ("10.0.0.2:4710", "10.0.0.2:4710"),
        ("[fd00::2]:4710", "[fd00::2]:4710"),
        ("[::ffff:10.0.0.2]:4710", "10.0.0.2:4710"),
    ] {
        let signals = plain().decode(&frame(30), peer(from)).unwrap();
        let [Signal::Heard(heard)] = signals.as_slice() else { panic!("{signals:?}") };
        assert_eq!(heard.from.to_string(), format!("ip:{number}"));
        assert_eq!(heard.to, Addressee::Terminal(ip("0")), "this station");
        assert_eq!(heard.content, Content::Opaque(frame(30)));
        assert_eq!((heard.native, heard.part, heard.overheard, heard.damaged), (None, None, false, false));
        assert!(plain().reaches(&heard.from), "an answer finds back");
        assert_eq!(plain().acknowledge(&signals[0]), None);
    }
}

#[test]
fn what_is_no_air_frame_is_refused_with_the_field_and_its_place() {
    let refused = |bytes: &[u8]| plain().decode(bytes, peer("10.0.0.2:4710")).unwrap_err();
    let field = |bytes: &[u8]| match refused(bytes) {
        DecodeError::Field { field, at, .. } => (field, at),
        other => panic!("{other}"),
    };
    assert_eq!(refused(&[]), DecodeError::Length { expected: 5, found: 0 });
    assert_eq!(refused(&[0x47, 0, 0xC0, 5]), DecodeError::Length { expected: 5, found: 4 });
    assert_eq!(refused(&[0x45, 0, 0x5C, 0x41, 0xFF, 0]), DecodeError::Length { expected: 7, found: 6 });
    assert_eq!(field(&[0x87, 0, 0xC0, 5, 0, 1]), ("version", 0));
    assert_eq!(field(&[0x77, 0, 0xC0, 5, 0, 1]), ("kind", 0));
    assert_eq!(field(&[0x45, 0, 0x5C, 0x41, 0xFF, 4, 0, 1]), ("extended destination", 5));
    assert_eq!(field(&frame(FRAME_MAX + 1)), ("end", FRAME_MAX));
    assert!(plain().decode(&frame(FRAME_MAX), peer("10.0.0.2:4710")).is_ok());
}

#[test]
fn without_a_senders_address_nothing_is_taken_since_nobody_could_be_answered() {
    let error = plain().decode(&frame(30), None).unwrap_err();
    assert!(matches!(error, DecodeError::Field { field: "sender", .. }), "{error}");
}

#[test]
fn every_datagram_is_a_frame_whole_and_by_itself() {
    let mut framer = plain().framer();
    for bytes in [frame(20), frame(FRAME_MAX), Bytes::from_static(&[0])] {
        framer.push(&bytes);
        assert_eq!((framer.next_found(), framer.next_found()), (Some(Found::Frame(bytes)), None));
        assert_eq!((framer.patience(), framer.held_max()), (None, 0));
    }
}

#[test]
fn a_frame_goes_to_the_address_of_one_station_as_it_is() {
    assert_eq!(to_station(&*plain(), "10.0.0.2:4710"), Ok(peer("10.0.0.2:4710")));
    assert_eq!(to_station(&*plain(), "[fd00::2]:4710"), Ok(peer("[fd00::2]:4710")));
}

#[test]
fn an_address_where_no_single_station_can_listen_is_refused_and_not_reached() {
    for number in
        ["7", "10.0.0.2", "station:4710", "10.0.0.2:0", "0.0.0.0:4710", "255.255.255.255:4710", GROUP, "[ff02::1]:4710"]
    {
        let refused = EncodeError::Address(format!("ip:{number}"));
        assert_eq!(to_station(&*plain(), number), Err(refused), "{number}");
        assert!(!plain().reaches(&ip(number)), "{number}");
    }
    let radio = TerminalId::new(Bearer::Radio370, "10.0.0.2:4710");
    assert!(!plain().reaches(&radio));
    let refused = plain().encode(&payload(Addressee::Terminal(radio.clone()), frame(20)));
    assert_eq!(refused, Err(EncodeError::Address(radio.to_string())));
}

#[test]
fn a_frame_for_everyone_goes_to_the_group_of_the_profile_or_nowhere() {
    let encode = |codec: &dyn Codec, to: Addressee| codec.encode(&payload(to, frame(20))).map(|frames| frames[0].to);
    let everyone = || Addressee::Everyone(Bearer::Ip);
    assert_eq!(encode(&*plain(), everyone()), Err(EncodeError::Unsupported));
    assert_eq!(encode(&*plain(), Addressee::Group(ip(GROUP))), Err(EncodeError::Unsupported));
    assert_eq!(encode(&*grouped(), everyone()), Ok(peer(GROUP)));
    assert_eq!(encode(&*grouped(), Addressee::Group(ip(GROUP))), Ok(peer(GROUP)));
    assert_eq!(encode(&*grouped(), Addressee::Everyone(Bearer::Mesh)), Err(EncodeError::Unsupported));
    let other = "239.20.0.3:4710";
    let refused = EncodeError::Address(format!("ip:{other}"));
    assert_eq!(encode(&*grouped(), Addressee::Group(ip(other))), Err(refused));
    assert!(grouped().reaches(&ip(GROUP)) && !grouped().reaches(&ip(other)) && !plain().reaches(&ip(GROUP)));
}

#[test]
fn a_frame_above_the_mtu_is_refused_with_its_bits() {
    let station = || Addressee::Terminal(ip("10.0.0.2:4710"));
    for (codec, mtu) in [(plain(), 1_200), (codec(&[("mtu", Value::Int(200))]), 200)] {
        let bits = |bytes: usize| u32::try_from(bytes * 8).unwrap();
        assert_eq!(codec.limits().capacity_bits, Some(bits(mtu)));
        assert!(codec.encode(&payload(station(), frame(mtu))).is_ok());
        let refused = codec.encode(&payload(station(), frame(mtu + 1)));
        assert_eq!(refused, Err(EncodeError::TooLong { needed: bits(mtu + 1), capacity: bits(mtu) }));
    }
}

#[test]
fn only_air_frames_are_sent_and_never_a_text() {
    let to = || Addressee::Terminal(ip("10.0.0.2:4710"));
    for bytes in [&b""[..], b"\x47\x00", b"plain words", &[0xFF; 40]] {
        let order = payload(to(), Bytes::copy_from_slice(bytes));
        assert_eq!(plain().encode(&order), Err(EncodeError::Unsupported), "{bytes:?}");
    }
    let order = Order::Text { card: None, to: to(), text: "到位".into(), native: 1, urgent: false };
    assert_eq!(plain().encode(&order), Err(EncodeError::Unsupported));
    assert_eq!(plain().encode(&Order::AskCard), Err(EncodeError::Unsupported));
    assert_eq!(plain().measure("到位"), Err(EncodeError::NoText));
}

#[test]
fn the_link_claims_no_more_than_that_its_own_port_took_a_frame() {
    let limits = plain().limits();
    assert_eq!((limits.bearer, limits.proves), (Bearer::Ip, Rung::Taken));
    assert_eq!((limits.feedback_within, limits.delivery_within), (None, None));
    assert!(limits.may_encrypt && super::DEVICE.is_for_stations_only());
    assert_eq!(limits.period.map(|period| period.as_millis()), Some(1_000));
}

#[test]
fn errors_of_a_profile_name_the_key() {
    for (key, value) in [
        ("mtu", Value::Int(63)),
        ("mtu", Value::Int(1_751)),
        ("mtu", text("1200")),
        ("pace_ms", Value::Int(-1)),
        ("group", text("")),
        ("group", text("239.20.0.2")),
        ("group", text("10.0.0.2:4710")),
        ("group", text("239.20.0.2:0")),
        ("group", text("[ff02::1]:4710")),
        ("group", Value::Int(4710)),
        ("peer", text("10.0.0.2:4710")),
    ] {
        let error = open(&profile(&[(key, value.clone())])).expect_err(key).to_string();
        assert!(error.contains(key), "{key} = {value:?}: {error}");
    }
}

proptest! {
    #[test]
    fn no_datagram_makes_a_panic_and_what_is_taken_is_kept_to_the_byte(
        head in 0x40_u8..0x80,
        rest in proptest::collection::vec(any::<u8>(), 0..40),
        with_head in any::<bool>(),
    ) {
        let bytes = if with_head { [&[head], rest.as_slice()].concat() } else { rest };
        drop((super::DEVICE.protocols[0].explain)(crate::device::Direction::Any, &bytes));
        if let Ok(signals) = plain().decode(&bytes, peer("10.0.0.2:4710")) {
            let [Signal::Heard(heard)] = signals.as_slice() else { panic!("{signals:?}") };
            prop_assert_eq!(&heard.content, &Content::Opaque(bytes.clone().into()));
            let order = payload(Addressee::Terminal(heard.from.clone()), bytes.into());
            prop_assert!(plain().encode(&order).is_ok(), "what may be heard may be sent");
        }
    }
}
