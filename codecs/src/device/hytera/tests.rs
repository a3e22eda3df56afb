use super::codec::NO_POSITION;
use super::wire::{Ascii, Gps, Hdap, Lp, RadioIp, Rrs, Tmp, TmpMessage, Utf16};
use crate::codec::{Codec, DecodeError, EncodeError, Outgoing, Profile, ProfileError, Value};
use crate::message::{
    Addressee, Bearer, Content, Heard, Order, OrderKind, Outcome, Peer, Position, Signal, TerminalId, Utc,
};

const RADIO: u32 = 2_308_195;
const BASE: u32 = 4_130_172;

fn codec(settings: &[(&str, Value)]) -> Box<dyn Codec> {
    let profile = settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    crate::device::open("hytera", &Profile(profile)).unwrap()
}

fn loopback() -> Box<dyn Codec> {
    codec(&[("subnet", Value::Int(127)), ("base_radio", Value::Int(i64::from(BASE)))])
}

fn id(number: u32) -> TerminalId {
    TerminalId::from_number(Bearer::Radio370, number)
}

fn ip(number: u32) -> RadioIp {
    RadioIp::new(10, number).unwrap()
}

fn heard(codec: &dyn Codec, hex: &str) -> Vec<Signal> {
    codec.decode(&hex::decode(hex).unwrap(), None).unwrap()
}

fn said(codec: &dyn Codec, frame: impl Into<Hdap>) -> Vec<Signal> {
    codec.decode(&frame.into().emit().unwrap(), None).unwrap()
}

fn text(codec: &dyn Codec, to: Addressee, text: &str) -> Result<Outgoing, EncodeError> {
    let order = Order::Text { card: None, to, text: text.into(), native: 0x3000_0002, urgent: false };
    codec.encode(&order).map(|mut frames| frames.remove(0))
}

fn fix() -> Gps {
    let at = Utc::from_civil(2026, 9, 12, 6, 5, 0);
    Gps::from_position(&Position { at, ..Position::from_degrees(28.2, 112.9).unwrap() })
}

#[test]
fn a_registration_is_answered_with_the_address_as_the_radio_wrote_it() {
    let codec = codec(&[]);
    let signals = heard(&*codec, "11000300040a2338636303");
    assert_eq!(signals, [Signal::Presence { of: id(RADIO), present: true, registered_as: Some(0x0A23_3863) }]);
    let answer = codec.acknowledge(&signals[0]).unwrap();
    assert_eq!(hex::encode(answer), "11008000090a2338630000000708d203");
}

#[test]
fn an_answered_presence_check_and_a_leave_want_no_answer() {
    let codec = codec(&[]);
    for (frame, present) in [
        (Rrs::StatusCheckAnswer { radio: ip(RADIO), state: 0 }, true),
        (Rrs::StatusCheckAnswer { radio: ip(RADIO), state: 1 }, false),
        (Rrs::Offline { radio: ip(RADIO) }, false),
    ] {
        let signals = said(&*codec, frame);
        assert_eq!(signals, [Signal::Presence { of: id(RADIO), present, registered_as: None }]);
        assert_eq!(codec.acknowledge(&signals[0]), None);
    }
}

#[test]
fn a_registration_from_another_radios_address_is_remarked_and_still_counts() {
    let frame = Hdap::from(Rrs::Register { radio: ip(RADIO) }).emit().unwrap();
    let from = |address: &str| codec(&[]).decode(&frame, Some(Peer(address.parse().unwrap()))).unwrap().len();
    assert_eq!(from("10.35.56.99:3002"), 1);
    assert_eq!(from("10.35.56.98:3002"), 2);
    assert_eq!(from("192.168.10.1:3002"), 1);
}

#[test]
fn a_private_text_is_heard_without_its_leading_line_break_and_acked_with_its_own_number() {
    let codec = codec(&[("subnet", Value::Int(12)), ("base_radio", Value::Int(i64::from(BASE)))]);
    let signals = heard(&*codec, "0980a1001a000000010c3f057c0c1006ac0d000a00520065006100640079005003");
    let [Signal::Heard(Heard { from, to, content, native, overheard: false, .. })] = &signals[..] else {
        panic!("{signals:?}");
    };
    assert_eq!((from, to), (&id(1_050_284), &Addressee::Terminal(id(BASE))));
    assert_eq!(*content, Content::Text { text: "Ready".into(), lossy: false });
    assert_eq!(native.unwrap().id, 1);
    let ack = Hdap::from(Tmp::from(TmpMessage::PrivateAck {
        request: 1,
        to: RadioIp(0x0C3F_057C),
        from: RadioIp(0x0C10_06AC),
        result: 0,
    }));
    assert_eq!(codec.acknowledge(&signals[0]), Some(ack.emit().unwrap()));
}

#[test]
fn only_a_private_text_to_us_is_acked_and_only_where_the_profile_says_so() {
    let message = |to| TmpMessage::PrivateText { request: 1, to: ip(to), from: ip(RADIO), text: "到位".into() };
    let group = TmpMessage::GroupText { request: 1, to: RadioIp(100), from: ip(RADIO), text: "到位".into() };
    let acked = |codec: &dyn Codec, message| codec.acknowledge(&said(codec, Tmp::from(message))[0]).is_some();
    assert!(acked(&*loopback(), message(BASE)));
    assert!(!acked(&*loopback(), message(7)), "between others");
    assert!(acked(&*codec(&[]), message(7)), "without a base radio told, every private text is ours");
    assert!(!acked(&*loopback(), group));
    assert!(!acked(&*codec(&[("tmp_ack", Value::Text("off".into()))]), message(7)));
}

#[test]
fn a_text_ack_names_the_called_radio_whatever_its_subnet_byte() {
    let native = 0x3000_0001;
    let by = id(100);
    let signals = heard(&*codec(&[]), "0900a2000d30000001000000640001869f00c803");
    assert_eq!(signals, [Signal::Delivery { by: by.clone(), native, delivered: true, code: 0 }]);
    let silent = TmpMessage::PrivateAck { request: native, to: RadioIp(100), from: RadioIp(1), result: 8 };
    assert_eq!(said(&*codec(&[]), Tmp::from(silent)), [Signal::Delivery { by, native, delivered: false, code: 8 }]);
}

#[test]
fn a_group_ack_says_radiated_and_never_delivered() {
    let ack = |result| said(&*codec(&[]), Tmp::from(TmpMessage::GroupAck { request: 5, to: RadioIp(100), result }));
    let about = Some(OrderKind::Send);
    assert_eq!(ack(0), [Signal::Feedback { about, outcome: Outcome::Radiated }]);
    assert_eq!(ack(6), [Signal::Feedback { about, outcome: Outcome::LowBattery }]);
    assert_eq!(ack(4), [Signal::Feedback { about, outcome: Outcome::Refused { code: 4 } }]);
}

#[test]
fn a_report_without_a_valid_fix_is_never_a_position() {
    let report = |result, gps| {
        let family = super::wire::Family::Standard;
        said(&*codec(&[]), Lp::Report { family, request: 1, radio: ip(RADIO), result, gps, rssi: None })
    };
    let [Signal::Position { of, position, emergency: false }] = &report(0, fix())[..] else { panic!("no position") };
    assert_eq!((of, position.at), (&id(RADIO), Utc::from_civil(2026, 9, 12, 6, 5, 0)));
    assert_eq!((position.lat_e7, position.lon_e7), (282_000_000, 1_129_000_000));
    let invalid = Gps { status: Ascii::new("V").unwrap(), ..fix() };
    let nowhere = Gps { latitude: Ascii::new("9912.0000").unwrap(), ..fix() };
    for signals in [report(6, fix()), report(0, invalid), report(0, nowhere), report(0, Gps::NO_FIX)] {
        assert!(matches!(&signals[..], [Signal::Remark { what: NO_POSITION, .. }]), "{signals:?}");
    }
}

#[test]
fn an_alarm_without_a_fix_is_still_an_alarm() {
    let alarm = |gps| said(&*codec(&[]), Lp::EmergencyReport { radio: ip(RADIO), kind: 1, gps });
    assert!(matches!(&alarm(fix())[..], [Signal::Position { emergency: true, .. }]));
    let silent = alarm(Gps::NO_FIX);
    assert_eq!(silent[0], Signal::Emergency { of: id(RADIO), on: true });
}

#[test]
fn a_text_goes_to_the_radios_own_address_and_a_group_text_to_the_base_radio() {
    let codec = loopback();
    let private = text(&*codec, Addressee::Terminal(id(0x0023_3863)), "撤到小学").unwrap();
    assert_eq!(private.to, Some(Peer("127.35.56.99:3004".parse().unwrap())));
    let group = text(&*codec, Addressee::Group(id(10_000)), "撤到小学").unwrap();
    assert_eq!(group.to, Some(Peer("127.63.5.124:3004".parse().unwrap())));
    let expected = TmpMessage::GroupText {
        request: 0x3000_0002,
        to: RadioIp(10_000),
        from: RadioIp::new(127, BASE).unwrap(),
        text: "撤到小学".into(),
    };
    assert_eq!(Hdap::parse(&group.bytes).unwrap().0, Tmp::from(expected).into());
    let no_base = crate::device::open("hytera", &Profile::default()).unwrap();
    assert!(matches!(text(&*no_base, Addressee::Group(id(1)), "x"), Err(EncodeError::Address(_))));
}

#[test]
fn a_text_as_a_real_host_sent_it_comes_out_byte_for_byte() {
    let codec = codec(&[("subnet", Value::Int(12)), ("base_radio", Value::Int(i64::from(BASE)))]);
    let sent = text(&*codec, Addressee::Terminal(id(1_050_284)), "Hello From PC").unwrap();
    let captured = "0900a10026300000020c1006ac0c3f057c480065006c006c006f002000460072006f006d002000500043004403";
    assert_eq!(hex::encode(sent.bytes), captured);
}

#[test]
fn the_limit_counts_utf_16_units_and_an_address_must_be_a_radio() {
    let codec = loopback();
    let to = || Addressee::Terminal(id(RADIO));
    assert!(text(&*codec, to(), &"灾".repeat(140)).is_ok());
    let too_long = Err(EncodeError::TooLong { needed: 142 * 16, capacity: 140 * 16 });
    assert_eq!(text(&*codec, to(), &"\u{20000}".repeat(71)), too_long);
    assert_eq!(codec.measure("灾\u{20000}a"), Ok(64));
    let card = TerminalId::from_number(Bearer::Beidou, 142_020);
    for wrong in [card, id(0x0100_0000), TerminalId::new(Bearer::Radio370, "base")] {
        assert!(matches!(text(&*codec, Addressee::Terminal(wrong), "x"), Err(EncodeError::Address(_))));
    }
}

#[test]
fn questions_go_to_the_port_of_their_service() {
    let codec = codec(&[("a001_form", Value::Text("nine".into()))]);
    let ask = Order::AskPosition { of: Addressee::Terminal(id(222_222)), native: 0x2000_0003 };
    let asked = codec.encode(&ask).unwrap().remove(0);
    assert_eq!(hex::encode(&asked.bytes), "08a0010009200000030a03640e01e503");
    assert_eq!(asked.to, Some(Peer("10.3.100.14:3003".parse().unwrap())));
    let there = codec.encode(&Order::AskPresence { of: id(20) }).unwrap().remove(0);
    assert_eq!(hex::encode(&there.bytes), "91000200040a0000140e03");
    assert_eq!(there.to, Some(Peer("10.0.0.20:3002".parse().unwrap())));
}

#[test]
fn several_frames_in_a_datagram_are_read_and_a_tail_is_kept_in_words() {
    let mut datagram = hex::decode("11000300040a2338636303").unwrap();
    let one = datagram.clone();
    datagram.extend_from_slice(&one);
    datagram.extend_from_slice(b"\xAB\xCD");
    let signals = codec(&[]).decode(&datagram, None).unwrap();
    assert_eq!(signals.len(), 3);
    assert!(matches!(&signals[2], Signal::Remark { detail, .. } if detail == "abcd"));
}

#[test]
fn an_end_byte_of_zero_is_taken_unless_the_profile_is_strict() {
    let frame = Hdap { end: 0, ..Rrs::Register { radio: ip(RADIO) }.into() }.emit().unwrap();
    assert_eq!(codec(&[]).decode(&frame, None).unwrap().len(), 1);
    let strict = codec(&[("end_byte", Value::Text("require_03".into()))]);
    assert!(matches!(strict.decode(&frame, None), Err(DecodeError::Field { at: 10, .. })));
}

#[test]
fn a_short_data_message_is_bytes_and_a_lossy_text_says_so() {
    let data = TmpMessage::PrivateData { request: 1, to: ip(1), from: ip(2), data: vec![1, 2, 3].into() };
    let signals = said(&*codec(&[]), Tmp::from(data));
    assert!(matches!(&signals[0], Signal::Heard(heard) if heard.content == Content::Opaque(vec![1, 2, 3].into())));
    let odd = Utf16(vec![0x41, 0, 0x42].into());
    let odd = TmpMessage::PrivateText { request: 1, to: ip(1), from: ip(2), text: odd };
    let signals = said(&*codec(&[]), Tmp::from(odd));
    let lossy = Content::Text { text: "A".into(), lossy: true };
    assert!(matches!(&signals[0], Signal::Heard(heard) if heard.content == lossy));
}

#[test]
fn a_wrong_profile_is_refused_naming_the_key() {
    let open =
        |key: &str, value| crate::device::open("hytera", &Profile([(key.to_owned(), value)].into())).unwrap_err();
    assert!(matches!(open("subnet", Value::Int(256)), ProfileError::Range { max: 255, .. }));
    assert!(matches!(open("base_ip", Value::Text("base".into())), ProfileError::Type { .. }));
    assert!(matches!(open("subnets", Value::Int(1)), ProfileError::UnknownKey { .. }));
}
