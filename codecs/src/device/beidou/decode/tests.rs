//! What frames say, and what is said in answer.

use crate::codec::{Codec, EncodeError, Profile, Value};
use crate::device::beidou;
use crate::device::beidou::wire::content::{self, EmbeddedPosition, Height};
use crate::device::beidou::wire::rdss40::{self, Angle, Body, Dwxx, Frame, Txxx, Zjxx};
use crate::message::{
    Addressee, Bearer, CardState, Content, Heard, Order, OrderKind, Outcome, Position, Signal, TerminalId, Utc,
};
use bytes::Bytes;
use std::time::Duration;

fn codec(keys: &[(&str, Value)]) -> Box<dyn Codec> {
    let profile = Profile(keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect());
    beidou::open(&profile).unwrap()
}

fn word(key: &'static str, value: &str) -> (&'static str, Value) {
    (key, Value::Text(value.into()))
}

fn seal(text: &[u8]) -> Vec<u8> {
    let mut line = [b"$".as_ref(), text].concat();
    line.extend(format!("*{:02X}\r\n", rdss40::xor(text)).into_bytes());
    line
}

fn says(text: &str) -> Vec<Signal> {
    codec(&[]).decode(&seal(text.as_bytes()), None).unwrap()
}

fn binary(body: Body) -> Vec<Signal> {
    codec(&[]).decode(&Frame { user: 142_020, body }.emit().unwrap(), None).unwrap()
}

fn heard(signals: &[Signal]) -> &Heard {
    match signals {
        [Signal::Heard(heard)] => heard,
        other => panic!("not one message: {other:?}"),
    }
}

fn id(number: u32) -> TerminalId {
    TerminalId::from_number(Bearer::Beidou, number)
}

fn message(category: u8, content: &[u8], crc: u8) -> Body {
    let bits = u16::try_from(content.len() * 8).unwrap();
    let content = Bytes::copy_from_slice(content);
    Body::Txxx(Txxx { category, sender: 142_019, hour: 0, minute: 0, bits, content, crc })
}

fn readable(text: &str) -> Content {
    Content::Text { text: text.into(), lossy: false }
}

#[test]
fn a_message_keeps_both_addresses_and_its_air_check() {
    let signals = binary(message(0x63, b"\xA4\xB5\xBD\xCE\xBB", 1));
    let heard = heard(&signals);
    assert_eq!((&heard.from, &heard.to), (&id(142_019), &Addressee::Terminal(id(142_020))));
    assert_eq!((&heard.content, heard.damaged, heard.overheard), (&readable("到位"), true, false));
    let other = codec(&[("own_number", Value::Int(142_018))]);
    let frame = Frame { user: 142_020, body: message(0x40, b"\xB5\xBD", 0) }.emit().unwrap();
    assert!(matches!(other.decode(&frame, None).unwrap()[..], [Signal::Heard(Heard { overheard: true, .. })]));
}

#[test]
fn a_broadcast_is_for_everyone_and_other_sentences_for_our_own_card() {
    assert_eq!(heard(&says("BDTXR,3,0195817,2,,A4B5BD")).to, Addressee::Everyone(Bearer::Beidou));
    assert_eq!(heard(&says("BDTXR,1,0195817,2,1439,A4B5BD")).to, Addressee::Terminal(id(0)));
    assert_eq!(heard(&says("BDTCI,04204986,4204990,2,142204,3,0,A4B5BD")).to, Addressee::Terminal(id(4_204_990)));
}

#[test]
fn content_that_is_no_text_stays_bytes_and_a_cut_tail_is_marked() {
    let content = |wire: &[u8]| heard(&binary(message(0x60, wire, 0))).content.clone();
    assert_eq!(content(b"\xA4\x41\xFF\x00"), Content::Opaque(Bytes::from_static(b"\x41\xFF\x00")));
    assert_eq!(content(b"1234"), Content::Opaque(Bytes::from_static(b"1234")), "code may mean digits");
    let cut = content(b"\xA4\xB5\xBD\xCE\xBB\xD7");
    assert_eq!(cut, Content::Text { text: "到位\u{FFFD}".into(), lossy: true });
    assert_eq!(
        heard(&says("BDTXR,1,195817,2,1439,A4BF0113ECCB13ECCBHELLO")).content,
        readable("A4BF0113ECCB13ECCBHELLO")
    );
}

#[test]
fn what_reads_as_text_by_chance_gives_its_bytes_back() {
    let mut dice = crate::frame::conformance::Dice::new(5);
    let mut texts = 0;
    for _ in 0..5_000 {
        let payload: Vec<u8> = std::iter::once(0x40 | dice.byte() & 0x3F).chain((0..9).map(|_| dice.byte())).collect();
        let content = heard(&binary(message(0x60, &content::mixed(&payload), 0))).content.clone();
        if matches!(content, Content::Text { lossy: false, .. }) {
            texts += 1;
            assert_eq!(content.gb18030_bytes(), payload);
        }
    }
    assert!(texts > 100, "{texts}: the case is real");
}

#[test]
fn an_embedded_position_is_the_senders_and_text_after_it_is_kept() {
    let angle = |deg, min| Angle { deg, min, sec: 0, tenth: 0 };
    let height = Height::Signed { metres: -5, anomaly: 3 };
    let fix = EmbeddedPosition { time: [1, 2, 3, 4], lon: angle(113, 30), lat: angle(23, 6), height };
    let mut body = vec![0xA4];
    body.extend(fix.emit().unwrap());
    assert!(matches!(&binary(message(0x60, &body, 0))[..],
        [Signal::Position { of, position: Position { lat_e7: 231_000_000, lon_e7: 1_135_000_000, height_dm: Some(-50), .. }, .. }]
        if *of == id(142_019)));
    body.extend(b"\xB5\xBD");
    let signals = binary(message(0x60, &body, 0));
    assert_eq!(heard(&signals[1..]).content, readable("到"));
}

#[test]
fn feedback_of_all_three_forms_means_the_same() {
    let about = |about, outcome| vec![Signal::Feedback { about, outcome }];
    let send = |outcome| about(Some(OrderKind::Send), outcome);
    let wait = |seconds| Outcome::TooEarly { wait: Some(Duration::from_secs(seconds)) };
    for (text, outcome) in [
        ("TXA,Y,Y,0,0000", Outcome::Radiated),
        ("TXA,N,N,0,0042", wait(42)),
        ("TXA,N,N,0,0130", wait(90)),
        ("TXA,N,Y,0042", wait(42)),
        ("TXA,N,Y,1,0000", Outcome::Suppressed),
        ("TXA,N,Y,2,0000", Outcome::LowBattery),
        ("TXA,N,Y,3,0000", Outcome::Silence),
        ("TXA,N,Y,0,0000", Outcome::CorruptCommand),
        ("000000,TCQ,Y,5,0", Outcome::Radiated),
        ("101112.00,TCQ,N,1,19", wait(19)),
        ("000000,TXA,N,2,0", Outcome::Suppressed),
        ("000000,TCQ,N,3,0", Outcome::Silence),
        ("000000,TCQ,N,4,0", Outcome::NoSignal),
        ("000000,TCQ,N,5,0", Outcome::CardUnusable),
        ("000000,TCQ,N,6,0", Outcome::CardUnusable),
        ("000000,TCQ,N,11,0", Outcome::CorruptCommand),
        ("000000,TCQ,N,77,0", Outcome::Refused { code: 77 }),
    ] {
        assert_eq!(says(&format!("BDFKI,{text}")), send(outcome), "{text}");
    }
    for (flag, extra, expected) in [
        (0, *b"TXSQ", send(Outcome::Radiated)),
        (1, *b"TXSQ", send(Outcome::CorruptCommand)),
        (2, [0; 4], send(Outcome::NoSignal)),
        (3, [0; 4], send(Outcome::LowBattery)),
        (4, [0, 0, 0, 10], send(wait(10))),
        (4, [42, 0, 0, 0], send(wait(42))),
        (4, [0, 1, 0, 5], send(wait(65))),
        (5, [0; 4], send(Outcome::CardUnusable)),
        (7, [0; 4], about(None, Outcome::Suppressed)),
        (8, [0; 4], about(None, Outcome::SuppressionLifted)),
        (0xA1, [0; 4], about(None, Outcome::Refused { code: 0xA1 })),
    ] {
        assert_eq!(binary(Body::Fkxx { flag, extra }), expected, "flag {flag}");
    }
    let seconds = codec(&[word("fki_wait", "seconds")]);
    assert_eq!(seconds.decode(&seal(b"BDFKI,TXA,N,N,0,0130"), None).unwrap(), send(wait(130)));
}

#[test]
fn success_of_what_is_not_radiated_is_never_called_radiated() {
    assert!(matches!(says("BDFKI,RMO,Y,Y,0,0000")[..], [Signal::Remark { .. }]));
    assert!(matches!(binary(Body::Fkxx { flag: 0, extra: *b"ICJC" })[..], [Signal::Remark { .. }]));
}

#[test]
fn a_card_tells_its_grade_or_that_there_is_none() {
    let card = |text: &str| match &says(text)[..] {
        [Signal::Card(card)] => card.clone(),
        other => panic!("{other:?}"),
    };
    let civil = card("BDICI,0166166,02097151,0000011,6,40,3,N,000");
    assert_eq!((civil.own, civil.period, civil.capacity_bits), (id(166_166), Some(Duration::from_secs(40)), Some(628)));
    assert_eq!((civil.state, civil.broadcast), (CardState::Present, Some(id(11))));
    let unit = card("BDICP,15240507,2032472,1,3,0,N,1,Y,1,0,0,3,1,1,5,1,1,2,2,500,100,10,10");
    assert_eq!((unit.capacity_bits, unit.subordinates, unit.broadcast), (Some(14_000), 500, Some(id(2_032_472))));
    assert_eq!(card("BDICI,0166166,1,0,6,60,9,N,0").capacity_bits, Some(110), "an unknown level has the smallest row");
    assert_eq!(card("BDICI,0166166,1,0,6,60.5,3,E,0").period, Some(Duration::from_secs(61)));
    for none in ["BDICI,0000000,00000000,0000000,0,0,0,N,0", "BDICI,2097151,00000000,2097151,0,9999.0,0,N,0"] {
        let none = card(none);
        assert_eq!((none.state, none.period, none.capacity_bits), (CardState::Missing, None, None));
    }
}

#[test]
fn strength_battery_countdown_and_clock_are_said() {
    let strength = |best, usable| Signal::Strength { best, usable };
    assert_eq!(says("BDBSI,01,03,3,2,2,0,3,0,0,3,0,0"), [strength(3, true)]);
    assert_eq!(says("BDBSI,01,03,1,0,0,0,0,0,0,0,0,0"), [strength(1, false)]);
    assert_eq!(says("BDPWI,000000.00,00,01,51,40,33,0"), [strength(3, true)]);
    assert_eq!(says("BDPWI,000000.00,00,00"), [strength(0, false)]);
    assert_eq!(says("BDTTC,19"), [Signal::Countdown { wait: Duration::from_secs(19) }]);
    let test = Zjxx { ic: 1, hardware: 0, battery: 100, inbound: 2, beams: [0, 0, 4, 0, 0, 0] };
    assert_eq!(binary(Body::Zjxx(test)), [strength(4, true), Signal::Battery { percent: Some(100) }]);
    let at = Utc::from_civil(2024, 3, 7, 7, 7, 28).unwrap();
    for zda in ["GNZDA,070728.00,07,03,2024,00,00", "BDZDA,3,070728.00,07,03,2024,-08,00"] {
        assert_eq!(says(zda), [Signal::Time { at, gnss: true }]);
    }
    let clock = rdss40::Sjxx { year: 2024, month: 3, day: 7, hour: 15, minute: 7, second: 28 };
    assert_eq!(binary(Body::Sjxx(clock)), [], "eight hours are too much to guess");
    let frame = Frame { user: 1, body: Body::Sjxx(clock) }.emit().unwrap();
    let beijing = codec(&[word("rdss_clock", "beijing")]);
    assert_eq!(beijing.decode(&frame, None).unwrap(), [Signal::Time { at, gnss: false }]);
}

#[test]
fn positions_carry_whose_they_are_and_the_alarm() {
    let angle = |deg| Angle { deg, min: 30, sec: 0, tenth: 0 };
    let (lon, lat) = (angle(113), angle(23));
    let fix = Dwxx { category: 0b100, queried: 7, time: [0; 4], lon, lat, height: 0x4005, anomaly: 0 };
    assert!(matches!(&binary(Body::Dwxx(fix))[..],
        [Signal::Position { of, position: Position { height_dm: Some(-50), .. }, emergency: true }] if *of == id(7)));
    let report = says("BDDWR,3,0242407,084936.50,2302.2434,N,11323.6667,E,14,M,-6,M,1,A,V,L");
    assert!(matches!(&report[..], [Signal::Position { of, emergency: true, .. }] if *of == id(242_407)));
    let rmc = says("GNRMC,070723.00,A,2309.30979,N,11330.00659,E,1.00,271.5,070324,,,A,V");
    let at = Utc::from_civil(2024, 3, 7, 7, 7, 23);
    assert!(matches!(&rmc[..], [Signal::Time { .. }, Signal::Position { position, .. }]
        if position.at == at && position.speed_cm_s == Some(51) && position.course_ddeg == Some(2_715)));
    assert_eq!(says("GNRMC,,V,,,,,,,,,,N"), []);
    assert_eq!(says("GNGGA,,,,,,0,00,99.9,,M,,M,,"), []);
    assert_eq!(says("BDWAA,1,,0312194,072236.37,3802.69000,N,11426.16000,E,61,M"), [], "our own report");
}

fn text(words: &str, urgent: bool) -> Order {
    let to = Addressee::Terminal(id(142_019));
    Order::Text { card: None, to, text: words.into(), native: 1, urgent }
}

#[test]
fn measure_says_what_encode_will_do() {
    for dialect in ["rdss21", "rdss40", "rsmc3"] {
        let codec = codec(&[word("dialect", dialect)]);
        let limit: u32 = if dialect == "rsmc3" { 14_000 } else { 1_680 };
        for unit in ["堤", "a", "堃", ",", "水位3米", "𠮷"] {
            for count in 1_usize.. {
                let words = unit.repeat(count);
                let bits = codec.measure(&words).unwrap();
                match codec.encode(&text(&words, false)) {
                    Ok(_) => assert!(bits <= limit, "{dialect} {unit} {count}"),
                    Err(EncodeError::TooLong { needed, capacity }) => {
                        assert_eq!((needed, capacity, bits > limit), (bits, limit, true), "{dialect} {unit} {count}");
                        break;
                    }
                    Err(error) => panic!("{dialect} {unit} {count}: {error}"),
                }
            }
        }
    }
}

#[test]
fn a_level_three_card_carries_44_hanzi_or_77_bytes() {
    let codec = codec(&[]);
    assert_eq!(codec.measure(&"堤".repeat(44)).unwrap(), 616);
    assert!(codec.measure(&"堤".repeat(45)).unwrap() > 628);
    assert_eq!(codec.measure(&format!("{},", "堤".repeat(38))).unwrap(), 624);
    assert!(codec.measure(&format!("{},堤", "堤".repeat(38))).unwrap() > 628);
}

#[test]
fn orders_that_the_terminal_cannot_carry_are_refused_with_the_reason() {
    let default = codec(&[]);
    let binary = codec(&[word("dialect", "rdss40")]);
    let to = |addressee| Order::Payload { card: None, to: addressee, bytes: Bytes::new(), native: 0 };
    let wide = Addressee::Terminal(id(1 << 24));
    assert!(matches!(binary.encode(&to(wide)), Err(EncodeError::Address(_))));
    assert!(matches!(default.encode(&to(Addressee::Everyone(Bearer::Beidou))), Err(EncodeError::Address(_))));
    let radio = Addressee::Terminal(TerminalId::from_number(Bearer::Radio370, 1));
    assert!(matches!(default.encode(&to(radio)), Err(EncodeError::Address(_))));
    let far = Order::AskPosition { of: Addressee::Terminal(id(9)), native: 0 };
    assert_eq!(default.encode(&far), Err(EncodeError::Unsupported));
    assert_eq!(default.encode(&Order::AskPresence { of: id(9) }), Err(EncodeError::Unsupported));
}

#[test]
fn a_profile_with_a_wrong_key_or_value_names_it() {
    let refuse = |key: &str, value| beidou::open(&Profile([(key.to_owned(), value)].into())).unwrap_err().to_string();
    assert!(refuse("boud", Value::Int(1)).contains("own_number"), "the known keys are listed");
    assert!(refuse("dialect", Value::Text("auto".into())).contains("rdss21, rdss40, rsmc3"));
    assert!(refuse("freq_point", Value::Int(6)).contains("1..=5"));
}
