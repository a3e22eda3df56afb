//! Text sentences: RDSS 2.1, BDS-3, positions.

use super::{Built, Chance, fields};
use bytes::Bytes;
use serde_json::{Map, Value};
use yizhan_codecs::device::beidou::wire::content::{Form, encode_gb18030, mixed_hex};
use yizhan_codecs::device::beidou::wire::text::{Clock, Sentence};
use yizhan_codecs::device::beidou::wire::{nmea, rdss21, rsmc3};

type Part = (Sentence, Map<String, Value>);

pub fn build(chance: &mut Chance) -> Built {
    let (protocol, direction, (sentence, fields)) = match chance.below(14) {
        0..=1 => ("rdss21", "to_terminal", send(chance)),
        2..=3 => ("rdss21", "from_terminal", received(chance)),
        4 => ("rdss21", "from_terminal", feedback(chance)),
        5 => ("rdss21", "from_terminal", card(chance)),
        6 => ("rdss21", "from_terminal", beams(chance)),
        7 => ("rdss21", "from_terminal", report(chance)),
        8..=9 => ("rsmc3", "to_terminal", send3(chance)),
        10 => ("rsmc3", "from_terminal", received3(chance)),
        11 => ("rsmc3", "from_terminal", feedback3(chance)),
        12 => ("rsmc3", "from_terminal", power3(chance)),
        _ => ("nmea", "from_terminal", fix(chance)),
    };
    let bytes = sentence.emit().expect("a sentence of ours has an emitter");
    (protocol, direction, bytes.to_vec(), fields)
}

/// Content of a 2.1 sentence and what is read from it.
fn content(chance: &mut Chance) -> (Form, Bytes, Map<String, Value>) {
    match chance.below(3) {
        0 => {
            let length = chance.length(100);
            let text = chance.text(length, true);
            let bytes = encode_gb18030(&text).expect("GB18030 has every character");
            (Form::Hanzi, bytes, fields! { "form": "0", "content": text })
        }
        1 => {
            let length = chance.length(100);
            let digits: String = (0..length * 2).map(|_| chance.one_of(b"0123456789ABCDEF")).map(char::from).collect();
            let digits = format!("0{}", digits.get(1..).unwrap_or_default());
            let fields =
                fields! { "form": "1", "content": digits.clone(), "nibbles": digits.len(), "bits": digits.len() * 4 };
            (Form::Code, Bytes::from(digits), fields)
        }
        _ => {
            let (content, fields) = mixed(chance, 100);
            let fields = fields.into_iter().chain(fields! { "form": "2" }).collect();
            (Form::Mixed, content, fields)
        }
    }
}

fn mixed(chance: &mut Chance, max: u32) -> (Bytes, Map<String, Value>) {
    let length = chance.length(max);
    let content = mixed_hex(&chance.bytes(length));
    let hex = String::from_utf8(content.to_vec()).expect("hex digits");
    let fields = fields! { "payload_hex": &hex[2..], "content": hex.clone() };
    (content, fields)
}

fn id(number: u32) -> String {
    format!("{number:07}")
}

fn send(chance: &mut Chance) -> Part {
    let (form, content, mut fields) = content(chance);
    let (dest, urgent) = (chance.number(), chance.yes());
    let class = if urgent { "0" } else { "1" };
    fields.extend(fields! { "sentence": "CCTXA", "dest_id": id(dest), "comm_class": class });
    (Sentence::Txa(rdss21::Txa { dest, urgent, form, content }), fields)
}

fn received(chance: &mut Chance) -> Part {
    let (form, content, mut fields) = content(chance);
    let (class, sender) = (1 + chance.byte_below(5), chance.number());
    let time = chance.yes().then(|| [chance.byte_below(24), chance.byte_below(60)]);
    let shown = time.map_or(String::new(), |[hour, minute]| format!("{hour:02}{minute:02}"));
    fields.extend(fields! {
        "sentence": "BDTXR", "info_class": class.to_string(), "sender_id": id(sender), "time": shown,
    });
    (Sentence::Txr(rdss21::Txr { class, sender, form, time, content }), fields)
}

fn feedback(chance: &mut Chance) -> Part {
    let (executed, frequency_ok) = (chance.yes(), chance.yes());
    let (minutes, seconds) = (chance.below(3), chance.below(60));
    let suppression = chance.yes().then(|| chance.byte_below(4));
    let yes = |flag: bool| if flag { "Y" } else { "N" };
    let mut fields = fields! {
        "sentence": "BDFKI", "command": "TXA", "executed": yes(executed), "freq_ok": yes(frequency_ok),
        "wait_s": minutes * 60 + seconds,
    };
    fields.extend(suppression.map(|code| ("suppress".to_owned(), Value::from(code))));
    let wait = minutes * 100 + seconds;
    (Sentence::Fki(rdss21::Fki { command: *b"TXA", executed, frequency_ok, suppression, wait }), fields)
}

fn card(chance: &mut Chance) -> Part {
    let card = rdss21::Ici {
        user: chance.number(),
        serial: chance.number(),
        broadcast: chance.number(),
        feature: chance.byte_below(8),
        period_s: chance.one_of(&[1, 40, 60, 9_999]),
        level: 1 + chance.byte_below(5),
        encrypted: chance.yes(),
        subordinates: chance.below(501),
    };
    let fields = fields! {
        "sentence": "BDICI", "user_id": id(card.user), "serial": format!("{:08}", card.serial),
        "broadcast_id": id(card.broadcast), "user_feature": card.feature.to_string(),
        "service_freq_s": card.period_s.to_string(), "comm_level": card.level.to_string(),
        "encrypted": if card.encrypted { "E" } else { "N" },
    };
    (Sentence::Ici(card), fields)
}

fn beams(chance: &mut Chance) -> Part {
    let mut powers = [0; 10];
    powers.iter_mut().for_each(|power| *power = chance.byte_below(5));
    let (response, difference) = (1 + chance.byte_below(10), 1 + chance.byte_below(10));
    let fields = fields! {
        "sentence": "BDBSI", "response_beam": format!("{response:02}"), "diff_beam": format!("{difference:02}"),
        "power": powers.to_vec(),
    };
    (Sentence::Bsi(rdss21::Bsi { response, difference, powers }), fields)
}

/// An angle in 1e-7 degrees, signed, at most `limit` degrees.
fn angle(chance: &mut Chance, limit: u32) -> i32 {
    let magnitude = i32::try_from(chance.below(limit * 10_000_000)).expect("180 degrees fit");
    if chance.below(4) == 0 { -magnitude } else { magnitude }
}

fn clock(chance: &mut Chance) -> Clock {
    let ms = u16::try_from(chance.below(100) * 10).expect("below a second");
    Clock { hour: chance.byte_below(24), minute: chance.byte_below(60), second: chance.byte_below(60), ms }
}

fn report(chance: &mut Chance) -> Part {
    let (lat, lon, time) = (angle(chance, 90), angle(chance, 180), clock(chance));
    let (sent, user, height) = (chance.yes(), chance.number(), i64::from(chance.below(9_000)) - 500);
    let fields = fields! {
        "sentence": if sent { "CCWAA" } else { "BDWAA" }, "info_type": if sent { "1" } else { "0" },
        "user_id": id(user), "time": time.to_string(), "lat_deg": f64::from(lat) / 1e7, "lon_deg": f64::from(lon) / 1e7,
        "height_m": height,
    };
    let report = rdss21::Waa {
        sent,
        period_s: None,
        user,
        time: Some(time),
        lat_e7: Some(lat),
        lon_e7: Some(lon),
        height_mm: Some(height * 1_000),
    };
    (Sentence::Waa(report), fields)
}

fn send3(chance: &mut Chance) -> Part {
    let (content, mut fields) = mixed(chance, 1_700);
    let (dest, point, confirm) = (chance.number(), 1 + chance.byte_below(5), 1 + chance.byte_below(2));
    let period_s = Some(chance.one_of(&[0, 60, 9_999]));
    fields.extend(fields! {
        "sentence": "CCTCQ", "dest_id": dest.to_string(), "freq_point": point.to_string(), "encoding": "3",
        "confirm": confirm.to_string(), "freq_s": period_s.map(|period| period.to_string()),
    });
    (Sentence::Tcq(rsmc3::Tcq { dest, point, confirm, encoding: 3, extra_field: false, content, period_s }), fields)
}

fn received3(chance: &mut Chance) -> Part {
    let (content, mut fields) = mixed(chance, 1_700);
    let (sender, receiver, point) = (chance.number(), chance.number(), 1 + chance.byte_below(5));
    let time = Clock { ms: 0, ..clock(chance) };
    fields.extend(fields! {
        "sentence": "BDTCI", "sender_id": sender.to_string(), "receiver_id": receiver.to_string(), "encoding": "3",
        "freq_point": point.to_string(), "field6": "0",
        "time": format!("{:02}{:02}{:02}", time.hour, time.minute, time.second),
    });
    let order = rsmc3::TciOrder::A { point, mark: 0 };
    (Sentence::Tci(rsmc3::Tci { sender, receiver, order, time, encoding: 3, content }), fields)
}

fn feedback3(chance: &mut Chance) -> Part {
    let (sent, reason, wait_s) = (chance.yes(), chance.one_of(&[0, 1, 2, 3, 4, 5, 6, 11]), chance.below(600));
    let time = Clock { ms: 0, ..clock(chance) };
    let fields = fields! {
        "sentence": "BDFKI", "command": "TCQ", "sent": if sent { "Y" } else { "N" }, "reason": reason,
        "remaining_s": wait_s,
    };
    (Sentence::Fki3(rsmc3::Fki { time, command: *b"TCQ", sent, reason, wait_s }), fields)
}

fn power3(chance: &mut Chance) -> Part {
    let count = chance.below(22);
    let number = |chance: &mut Chance, limit| u16::try_from(chance.below(limit)).expect("small");
    let mut beam =
        || rsmc3::Beam { id: number(chance, 64), cn0_d: number(chance, 60), cn0_p: number(chance, 60), mark: 0 };
    let beams = (0..count).map(|_| beam()).collect::<Vec<_>>();
    let shown = beams.iter().map(|b| Value::from(fields! { "id": b.id, "cn0_d": b.cn0_d, "cn0_p": b.cn0_p }));
    let fields = fields! {
        "sentence": "BDPWI", "rdss2_beams": 0, "rdss3_beams": count, "beams": shown.collect::<Vec<_>>(),
    };
    (Sentence::Pwi(rsmc3::Pwi { time: Clock::default(), rdss2: Vec::new(), rdss3: beams }), fields)
}

fn fix(chance: &mut Chance) -> Part {
    let (lat, lon, time) = (angle(chance, 90), angle(chance, 180), clock(chance));
    let (satellites, altitude) = (chance.byte_below(40), i64::from(chance.below(9_000_000)) - 500_000);
    let fields = fields! {
        "sentence": "GNGGA", "time": time.to_string(), "lat_deg": f64::from(lat) / 1e7, "lon_deg": f64::from(lon) / 1e7,
        "quality": "1", "alt_m": f64::from(i32::try_from(altitude).expect("below 9 km")) / 1e3,
    };
    let fix = nmea::Gga {
        time: Some(time),
        lat_e7: Some(lat),
        lon_e7: Some(lon),
        quality: 1,
        satellites: Some(satellites),
        hdop_milli: Some(700),
        altitude_mm: Some(altitude),
        geoid_mm: Some(-6_110),
    };
    (Sentence::Gga(fix), fields)
}
