//! What is written reads back as it was, for every frame and sentence.

use super::content::{self, Content, Form, HanziRule, pack_text};
use super::monitor::{self, Overheard};
use super::nmea::{Gga, Gll, Rmc, Zda};
use super::rdss21::*;
use super::rdss40::{self, Angle, Body, Dwsq, Dwxx, Frame, Gnpx, Gpsx, Icxx, Satellite, Sjxx, Txsq, Txxx, Zjxx};
use super::rsmc3::{self, Beam, Icp, Icr, Msg, Mxx, Pwi, Tci, TciOrder, Tcq};
use super::text::{self, Sentence};
use bytes::Bytes;
use proptest::prelude::*;

fn bytes(max: usize) -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..max).prop_map(Bytes::from)
}

fn u24() -> impl Strategy<Value = u32> {
    0_u32..1 << 24
}

fn angle() -> impl Strategy<Value = Angle> {
    any::<[u8; 4]>().prop_map(|[deg, min, sec, tenth]| Angle { deg, min, sec, tenth })
}

fn bits(content: &Bytes) -> u16 {
    u16::try_from(content.len() * 8).unwrap()
}

fn to_terminal() -> impl Strategy<Value = Body> {
    prop_oneof![
        any::<u8>().prop_map(|page| Body::Icjc { page }),
        any::<u16>().prop_map(|period_s| Body::Xtzj { period_s }),
        (any::<u8>(), u24(), any::<u8>(), bytes(210)).prop_map(|(category, dest, answer, content)| {
            Body::Txsq(Txsq { category, dest, bits: bits(&content), answer, content })
        }),
        (any::<u8>(), any::<[u8; 4]>(), any::<[u8; 4]>(), any::<u16>()).prop_map(|(category, a, b, period_s)| {
            Body::Dwsq(Dwsq { category, height_and_antenna: a, pressure_temperature: b, period_s })
        }),
        any::<u8>().prop_map(|period_min| Body::Gljc { period_min }),
        any::<u16>().prop_map(|period_s| Body::Sjsc { period_s }),
        Just(Body::Bbdq),
        Just(Body::Xhdq),
        any::<u8>().prop_map(|rate| Body::Cksc { rate }),
        bytes(8).prop_map(|beams| Body::Bssz { beams }),
        bytes(5).prop_map(|letters| Body::Jszl { command: letters }),
        any::<u16>().prop_map(|period_s| Body::Gnps { period_s }),
        any::<u16>().prop_map(|period_s| Body::Gnvs { period_s }),
        any::<(u8, u16)>().prop_map(|(zone, period_s)| Body::Gnts { zone, period_s }),
        any::<[u8; 4]>().prop_map(|setting| Body::Gpsp { setting }),
    ]
}

fn from_terminal() -> impl Strategy<Value = Body> {
    let card = (u24(), any::<u8>(), any::<u16>(), any::<[u8; 2]>(), any::<u16>());
    prop_oneof![
        card.prop_map(|(broadcast, feature, period_s, [level, encrypted], subordinates)| {
            Body::Icxx(Icxx { broadcast, feature, period_s, level, encrypted, subordinates })
        }),
        (1_u8.., prop::collection::vec(u24(), 0..40))
            .prop_map(|(page, subordinates)| Body::IcxxPage { page, subordinates }),
        (any::<[u8; 4]>(), any::<[u8; 6]>()).prop_map(|([ic, hardware, battery, inbound], beams)| {
            Body::Zjxx(Zjxx { ic, hardware, battery, inbound, beams })
        }),
        (any::<[u8; 4]>(), u24(), bytes(210)).prop_map(|([category, hour, minute, crc], sender, content)| {
            Body::Txxx(Txxx { category, sender, hour, minute, bits: bits(&content), content, crc })
        }),
        any::<(u8, [u8; 4])>().prop_map(|(flag, extra)| Body::Fkxx { flag, extra }),
        (any::<u8>(), u24(), any::<[u8; 4]>(), angle(), angle(), any::<[u16; 2]>()).prop_map(
            |(category, queried, time, lon, lat, [height, anomaly])| {
                Body::Dwxx(Dwxx { category, queried, time, lon, lat, height, anomaly })
            }
        ),
        any::<[u8; 6]>().prop_map(|beams| Body::Glzk { beams }),
        any::<(u16, [u8; 5])>().prop_map(|(year, [month, day, hour, minute, second])| {
            Body::Sjxx(Sjxx { year, month, day, hour, minute, second })
        }),
        bytes(40).prop_map(|version| Body::Bbxx { version }),
        any::<u32>().prop_map(|serial| Body::Xhxx { serial }),
        (u24(), prop::collection::vec(any::<[[u8; 2]; 2]>(), 0..6)).prop_map(|(receiver, items)| Body::Txhz {
            receiver,
            receipts: items.into_iter().map(|[sent, fetched]| rdss40::Receipt { sent, fetched }).collect(),
        }),
        (angle(), angle(), any::<[u8; 5]>(), any::<[u16; 4]>()).prop_map(|(lon, lat, b, w)| {
            let ([ew, ns, satellites, status, pdop_tenth], [height, speed, heading, error]) = (b, w);
            Body::Gnpx(Gnpx { ew, lon, ns, lat, height, speed, heading, satellites, status, pdop_tenth, error })
        }),
        any::<(u8, [u8; 6])>().prop_map(|(zone, time)| Body::Gntx { zone, time }),
        (any::<u8>(), prop::collection::vec(any::<(u8, u8, u16, u8)>(), 0..20)).prop_map(|(class, list)| {
            let one = |(id, elevation, azimuth, snr)| Satellite { id, elevation, azimuth, snr };
            Body::Gnvx { class, satellites: list.into_iter().map(one).collect() }
        }),
        (any::<[[u8; 3]; 2]>(), any::<[u8; 2]>(), angle(), angle(), any::<[u8; 11]>()).prop_map(
            |([date, time], [ew, ns], lon, lat, tail)| Body::Gpsx(Gpsx { date, time, ew, lon, ns, lat, tail })
        ),
        bytes(60).prop_map(|body| Body::Other { letters: *b"GLXX", body }),
    ]
}

fn clock() -> impl Strategy<Value = Clock> {
    (0_u8..24, 0_u8..60, 0_u8..60, 0_u16..100).prop_map(|(hour, minute, second, hundredths)| Clock {
        hour,
        minute,
        second,
        ms: hundredths * 10,
    })
}

fn hour_minute() -> impl Strategy<Value = [u8; 2]> {
    (0_u8..24, 0_u8..60).prop_map(|(hour, minute)| [hour, minute])
}

fn number() -> impl Strategy<Value = u32> {
    0_u32..100_000_000
}

fn milli() -> impl Strategy<Value = Option<i64>> {
    prop::option::of(-9_000_000_i64..9_000_000)
}

fn place() -> impl Strategy<Value = (Option<i32>, Option<i32>)> {
    prop::option::of((-899_999_999_i32..900_000_000, -1_799_999_999_i32..1_800_000_000)).prop_map(Option::unzip)
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![Just(Form::Hanzi), Just(Form::Code), Just(Form::Mixed)]
}

/// Content of any form, also raw text with the marks of sentences in it.
fn wire_content() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        bytes(60).prop_map(|bytes| content::mixed_hex(&bytes)),
        "[ -~]{0,40}".prop_map(Bytes::from),
        Just(Bytes::from_static(b"\xB6\xD3,*$5A")),
    ]
}

fn digits() -> impl Strategy<Value = Bytes> {
    bytes(60).prop_map(|bytes| content::mixed_hex(&bytes))
}

fn asked() -> impl Strategy<Value = Sentence> {
    prop_oneof![
        (number(), any::<bool>(), form(), wire_content())
            .prop_map(|(dest, urgent, form, content)| Sentence::Txa(Txa { dest, urgent, form, content })),
        (any::<bool>(), any::<u8>()).prop_map(|(subordinates, page)| Sentence::Ica(Ica { subordinates, page })),
        any::<[u8; 2]>().prop_map(|[response, difference]| Sentence::Bss(Bss { response, difference })),
        (prop::option::of(Just(*b"BSI")), 1_u8..5, prop::option::of(0_u32..9_999))
            .prop_map(|(id, mode, period_s)| Sentence::Rmo(Rmo { id, mode, period_s })),
        (number(), any::<(bool, bool)>(), any::<u8>(), (milli(), milli(), milli(), milli()), 0_u32..9_999).prop_map(
            |(user, (emergency, high), height_mode, (a, b, c, d), period_s)| {
                let (height_mm, antenna_mm, pressure_milli, temperature_milli) = (a, b, c, d);
                Sentence::Dwa(Dwa {
                    user,
                    emergency,
                    height_mode,
                    high,
                    height_mm,
                    antenna_mm,
                    pressure_milli,
                    temperature_milli,
                    period_s,
                })
            }
        ),
        (number(), any::<bool>(), milli(), 0_u32..9_999)
            .prop_map(|(user, high, antenna_mm, period_s)| Sentence::Wba(Wba { user, high, antenna_mm, period_s })),
        (any::<bool>(), any::<u8>(), prop::option::of(number()))
            .prop_map(|(message, method, address)| Sentence::Cxa(Cxa { message, method, address })),
        (number(), any::<bool>()).prop_map(|(user, set)| Sentence::Kls(Kls { user, set })),
        Just(Sentence::TtcAsk),
        (number(), 1_u8..6, 1_u8..3, 2_u8..6, any::<bool>(), digits(), prop::option::of(0_u32..9_999)).prop_map(
            |(dest, point, confirm, encoding, extra_field, content, period_s)| {
                // An empty field and a few digits are empty content and a frequency: that module sends hex and more.
                let extra_field = extra_field && (period_s.is_some() || content.len() > 6);
                Sentence::Tcq(Tcq { dest, point, confirm, encoding, extra_field, content, period_s })
            }
        ),
        any::<[u8; 2]>().prop_map(|[kind, page]| Sentence::Icr(Icr { kind, page })),
        (number(), 1_u8..6, 1_u8..6, wire_content()).prop_map(|(dest, point, encoding, content)| Sentence::Msg(Msg {
            dest,
            point,
            encoding,
            content
        })),
    ]
}

fn answered() -> impl Strategy<Value = Sentence> {
    prop_oneof![
        (1_u8..6, number(), form(), prop::option::of(hour_minute()), wire_content())
            .prop_map(|(class, sender, form, time, content)| Sentence::Txr(Txr { class, sender, form, time, content })),
        (any::<bool>(), any::<bool>(), prop::option::of(0_u8..9), 0_u32..10_000).prop_map(
            |(executed, frequency_ok, suppression, wait)| {
                Sentence::Fki(Fki { command: *b"TXA", executed, frequency_ok, suppression, wait })
            }
        ),
        ((number(), number(), number()), any::<(u8, u8)>(), 0_u32..9_999, any::<bool>(), number()).prop_map(
            |((user, serial, broadcast), (feature, level), period_s, encrypted, subordinates)| {
                Sentence::Ici(Ici { user, serial, broadcast, feature, period_s, level, encrypted, subordinates })
            }
        ),
        (number(), prop::collection::vec(number(), 0..40))
            .prop_map(|(total, numbers)| Sentence::Icz(Icz { total, numbers })),
        (any::<[u8; 2]>(), prop::array::uniform10(0_u8..5))
            .prop_map(|([response, difference], powers)| { Sentence::Bsi(Bsi { response, difference, powers }) }),
        (number(), prop::collection::vec([hour_minute(), hour_minute()], 0..6))
            .prop_map(|(user, receipts)| Sentence::Hzr(Hzr { user, receipts })),
        (any::<bool>(), number(), form(), wire_content()).prop_map(|(p, user, form, content)| Sentence::Klt(Klt {
            p,
            user,
            form,
            content
        })),
        any::<[Option<u8>; 6]>().prop_map(|flags| Sentence::Zti(Zti { flags })),
        number().prop_map(|wait_s| Sentence::Ttc { wait_s }),
        ((number(), number()), any::<bool>(), any::<(u8, u16)>(), clock(), 1_u8..6, wire_content()).prop_map(
            |((sender, receiver), b, (point, mark), time, encoding, content)| {
                let order = if b {
                    TciOrder::B { mark: mark.into(), length: point.into() }
                } else {
                    TciOrder::A { point: point % 10, mark: mark.into() }
                };
                Sentence::Tci(Tci { sender, receiver, order, time, encoding, content })
            }
        ),
        (clock(), any::<bool>(), any::<u8>(), number()).prop_map(|(time, sent, reason, wait_s)| {
            Sentence::Fki3(rsmc3::Fki { time, command: *b"TCQ", sent, reason, wait_s })
        }),
        (number(), 0_u32..9_999, any::<u8>())
            .prop_map(|(user, period_s, level)| Sentence::Icp(Box::new(Icp::civil(user, period_s, level)))),
        (clock(), prop::collection::vec(any::<[u16; 3]>(), 0..10), prop::collection::vec(any::<[u16; 4]>(), 0..20))
            .prop_map(|(time, rdss2, beams)| {
                let beam = |[id, cn0_d, cn0_p, mark]: [u16; 4]| Beam { id, cn0_d, cn0_p, mark };
                Sentence::Pwi(Pwi { time, rdss2, rdss3: beams.into_iter().map(beam).collect() })
            }),
        prop::collection::vec(any::<u16>(), 1..22).prop_map(|values| Sentence::Snr { values }),
        (number(), clock(), 1_u8..6, wire_content()).prop_map(|(sender, time, encoding, content)| Sentence::Mxx(Mxx {
            sender,
            time,
            encoding,
            content
        })),
    ]
}

fn placed() -> impl Strategy<Value = Sentence> {
    let time = || prop::option::of(clock());
    prop_oneof![
        ((any::<u8>(), number()), time(), place(), (milli(), milli()), prop::option::of(number()), any::<[bool; 3]>())
            .prop_map(|((kind, user), time, (lat_e7, lon_e7), (height_mm, anomaly_mm), precision, flags)| {
                let [emergency, multi_value, high] = flags;
                Sentence::Dwr(Dwr {
                    kind,
                    user,
                    time,
                    lat_e7,
                    lon_e7,
                    height_mm,
                    anomaly_mm,
                    precision,
                    emergency,
                    multi_value,
                    high,
                })
            }),
        (any::<bool>(), prop::option::of(0_u32..9_999), number(), time(), place(), milli()).prop_map(
            |(sent, period_s, user, time, (lat_e7, lon_e7), height_mm)| {
                Sentence::Waa(Waa { sent, period_s, user, time, lat_e7, lon_e7, height_mm })
            }
        ),
        (time(), place(), any::<u8>(), any::<Option<u8>>(), (milli(), milli(), milli())).prop_map(
            |(time, (lat_e7, lon_e7), quality, satellites, (hdop_milli, altitude_mm, geoid_mm))| {
                Sentence::Gga(Gga { time, lat_e7, lon_e7, quality, satellites, hdop_milli, altitude_mm, geoid_mm })
            }
        ),
        (time(), place(), any::<bool>()).prop_map(|(time, (lat_e7, lon_e7), valid)| Sentence::Gll(Gll {
            lat_e7,
            lon_e7,
            time,
            valid
        })),
        (time(), any::<bool>(), place(), (milli(), milli()), prop::option::of([0_u8..100, 0_u8..100, 0_u8..100]))
            .prop_map(|(time, valid, (lat_e7, lon_e7), (speed_milliknot, course_milli), date)| {
                Sentence::Rmc(Rmc { time, valid, lat_e7, lon_e7, speed_milliknot, course_milli, date })
            }),
        (prop::option::of(0_u8..10), time(), prop::option::of((1_u8..32, 1_u8..13, 0_u16..10_000)))
            .prop_map(|(mode, time, date)| Sentence::Zda(Zda { mode, time, date })),
        prop::collection::vec("[A-Za-z0-9 .]{0,9}", 1..12).prop_map(|args| Sentence::Other {
            talker: *b"BD",
            id: *b"RNX",
            args: args.into_iter().map(Bytes::from).collect(),
        }),
    ]
}

proptest! {
    #[test]
    fn a_binary_frame_reads_back_as_it_was_written(
        user in u24(), body in prop_oneof![to_terminal(), from_terminal()],
    ) {
        let frame = Frame { user, body };
        prop_assert_eq!(rdss40::parse(&frame.emit().unwrap()), Ok(frame));
    }

    #[test]
    fn a_sentence_reads_back_as_it_was_written(sentence in prop_oneof![asked(), answered(), placed()]) {
        let line = sentence.emit().unwrap();
        prop_assert_eq!(text::parse(&line), Ok(sentence.clone()));
        prop_assert_eq!(text::parse(line.strip_suffix(b"\r\n").unwrap()), Ok(sentence));
    }

    #[test]
    fn an_overheard_frame_reads_back_as_it_was_written(
        (receiver, sender) in (u24(), u24()), [category, hour, minute, crc] in any::<[u8; 4]>(), content in bytes(210),
    ) {
        let message = monitor::Message {
            receiver, category, sender, hour, minute, bits: bits(&content), content: content.clone(), crc,
        };
        for frame in [Overheard::Message(message), Overheard::Position { body: content }] {
            prop_assert_eq!(monitor::parse(&frame.emit().unwrap()), Ok(frame));
        }
    }

    #[test]
    fn content_comes_off_the_wire_as_it_was_put_on(payload in bytes(200)) {
        let hex = content::mixed_hex(&payload);
        prop_assert_eq!(Content::from_text(Form::Mixed, &hex), Content::Mixed(payload.clone()));
        let lower = Bytes::from(hex.to_ascii_lowercase());
        prop_assert_eq!(Content::from_text(Form::Mixed, &lower), Content::Mixed(payload.clone()));
        let whole = content::mixed(&payload);
        prop_assert_eq!(Content::from_binary(1, bits(&whole), &whole), Content::Mixed(payload));
    }

    #[test]
    fn the_mode_of_a_text_alters_nothing_and_is_the_cheaper_one(text in "[ -~\u{4E00}-\u{9FFF}，。]{0,40}") {
        for rule in [HanziRule::Binary, HanziRule::Sentence, HanziRule::WideOnly] {
            let packed = pack_text(&text, rule).unwrap();
            prop_assert_eq!(content::decode_text(&packed.bytes), (text.clone(), false));
            prop_assert!(packed.air_bits <= content::mixed_bits(content::encode_gb18030(&text).unwrap().len()));
        }
    }
}

#[test]
fn a_number_that_does_not_fit_is_refused_and_not_cut() {
    let send = |dest, content: Bytes| Frame {
        user: 0,
        body: Body::Txsq(Txsq { category: 0x46, dest, bits: bits(&content), answer: 0, content }),
    };
    assert!(send(1 << 24, Bytes::new()).emit().is_err());
    assert!(send(1, Bytes::from(vec![0; 495])).emit().is_err());
    assert!(send(1, Bytes::from(vec![0; 494])).emit().is_ok());
    let content = Bytes::from(vec![b'5'; 5_000]);
    assert!(Sentence::Txa(Txa { dest: 1, urgent: false, form: Form::Code, content }).emit().is_err());
    let content = Bytes::from_static(b"a\r\n$CCTXA,1,1,0,b");
    assert!(Sentence::Txa(Txa { dest: 1, urgent: false, form: Form::Hanzi, content }).emit().is_err(), "two sentences");
}
