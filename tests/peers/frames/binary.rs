//! RDSS 4.0 frames.

use super::{Built, Chance, fields};
use bytes::Bytes;
use serde_json::{Map, Value};
use yizhan_codecs::device::beidou::wire::content::{MIXED_MARK, encode_gb18030};
use yizhan_codecs::device::beidou::wire::rdss40::{Body, Frame, Icxx, Txsq, Txxx, Zjxx};

pub fn build(chance: &mut Chance) -> Built {
    let user = chance.number();
    let (direction, body, mut fields) = match chance.below(12) {
        0..=3 => send(chance),
        4..=7 => received(chance),
        8 => card(chance),
        9 => self_test(chance),
        10 => feedback(chance),
        _ => inquiry(chance),
    };
    let frame = Frame { user, body }.emit().expect("a frame of ours has an emitter");
    fields.insert("user_addr".into(), user.into());
    fields.insert("length".into(), frame.len().into());
    ("rdss40", direction, frame.to_vec(), fields)
}

type Part = (&'static str, Body, Map<String, Value>);

/// Content in one of its three forms: bytes, bits, whether it is code or mixed, and its fields.
fn content(chance: &mut Chance) -> (Vec<u8>, u16, bool, Map<String, Value>) {
    match chance.below(3) {
        0 => {
            let length = chance.length(100);
            let text = chance.text(length, true);
            let bytes = encode_gb18030(&text).expect("GB18030 has every character").to_vec();
            let bits = u16::try_from(bytes.len() * 8).expect("short");
            (bytes, bits, false, fields! { "encoding": "hanzi", "text": text })
        }
        1 => {
            let (length, odd) = (chance.length(209), chance.yes());
            let mut bytes = chance.bytes(length + 1);
            // A first byte of A4 would announce mixed content, and an odd digit is followed by a nought.
            bytes[0] &= 0x7F;
            let mut digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            if odd {
                *bytes.last_mut().expect("at least one") &= 0xF0;
                digits.pop();
            }
            let bits = u16::try_from(digits.len() * 4).expect("short");
            (bytes, bits, true, fields! { "encoding": "code", "nibbles": digits })
        }
        _ => {
            let length = chance.length(209);
            let payload = chance.bytes(length);
            let hex: String = payload.iter().map(|byte| format!("{byte:02X}")).collect();
            let bytes = [&[MIXED_MARK], payload.as_slice()].concat();
            let bits = u16::try_from(bytes.len() * 8).expect("short");
            (bytes, bits, true, fields! { "encoding": "mixed", "prefix": "A4", "payload_hex": hex })
        }
    }
}

fn send(chance: &mut Chance) -> Part {
    let (bytes, bits, code, mut fields) = content(chance);
    let category = 0b0100_0100 | u8::from(code) << 1;
    let dest = chance.number();
    fields.extend(fields! {
        "sentence": "$TXSQ", "category": format!("{category:02X}"), "kind": "message", "comm_class": "ordinary",
        "form": u8::from(code), "password": 0, "dest_addr": dest, "bit_length": bits, "answer": 0,
    });
    ("to_terminal", Body::Txsq(Txsq { category, dest, bits, answer: 0, content: Bytes::from(bytes) }), fields)
}

fn received(chance: &mut Chance) -> Part {
    let (bytes, bits, code, mut fields) = content(chance);
    let (receipt, via_query, crc) = (chance.yes(), chance.yes(), chance.byte_below(2));
    let category = 0b0100_0000 | u8::from(code) << 5 | u8::from(receipt) << 4 | u8::from(via_query) << 3;
    let (sender, hour, minute) = (chance.number(), chance.byte_below(24), chance.byte_below(60));
    fields.extend(fields! {
        "sentence": "$TXXX", "category": format!("{category:02X}"), "form": u8::from(code), "sender_addr": sender,
        "receipt": u8::from(receipt), "via_query": u8::from(via_query), "has_key": 0, "hour": hour, "minute": minute,
        "bit_length": bits, "crc_flag": crc,
    });
    let body = Txxx { category, sender, hour, minute, bits, content: Bytes::from(bytes), crc };
    ("from_terminal", Body::Txxx(body), fields)
}

fn card(chance: &mut Chance) -> Part {
    let card = Icxx {
        broadcast: chance.number(),
        feature: chance.byte_below(8),
        period_s: chance.one_of(&[1, 30, 60, 120, 0xFFFF]),
        level: 1 + chance.byte_below(5),
        encrypted: chance.byte_below(2),
        subordinates: chance.one_of(&[0, 1, 500, 0xFFFF]),
    };
    let fields = fields! {
        "sentence": "$ICXX", "frame_no": 0, "broadcast_id": card.broadcast, "user_feature": card.feature,
        "service_freq_s": card.period_s, "comm_level": card.level, "encrypted": card.encrypted,
        "subordinates": card.subordinates,
    };
    ("from_terminal", Body::Icxx(card), fields)
}

fn self_test(chance: &mut Chance) -> Part {
    let mut beams = [0; 6];
    beams.iter_mut().for_each(|beam| *beam = chance.byte_below(5));
    let test = Zjxx {
        ic: chance.byte_below(2),
        hardware: chance.one_of(&[0, 0x80, 0xFF]),
        battery: chance.byte_below(101),
        inbound: chance.one_of(&[0, 2]),
        beams,
    };
    let fields = fields! {
        "sentence": "$ZJXX", "ic_state": test.ic, "hw_state": test.hardware, "battery": test.battery,
        "inbound_state": test.inbound, "beam_power": beams.to_vec(),
    };
    ("from_terminal", Body::Zjxx(test), fields)
}

fn feedback(chance: &mut Chance) -> Part {
    let flag = chance.one_of(&[0, 0, 1, 2, 3, 4, 5, 6]);
    let wait = 1 + chance.byte_below(120);
    let extra = match flag {
        0 | 1 | 6 => *b"TXSQ",
        4 => [0, 0, 0, wait],
        _ => [0; 4],
    };
    let mut fields = fields! { "sentence": "$FKXX", "flag": flag };
    match flag {
        0 | 1 | 6 => drop(fields.insert("command".into(), "TXSQ".into())),
        4 => drop(fields.insert("wait_s".into(), wait.into())),
        _ => {}
    }
    ("from_terminal", Body::Fkxx { flag, extra }, fields)
}

fn inquiry(chance: &mut Chance) -> Part {
    let period = chance.one_of(&[0, 1, 60, 0xFFFF]);
    let (body, fields) = match chance.below(4) {
        0 => {
            let page = chance.byte_below(100);
            (Body::Icjc { page }, fields! { "sentence": "$ICJC", "frame_no": page })
        }
        1 => (Body::Xtzj { period_s: period }, fields! { "sentence": "$XTZJ", "freq_s": period }),
        2 => (Body::Sjsc { period_s: period }, fields! { "sentence": "$SJSC", "freq_s": period }),
        _ => {
            let period_min = chance.byte_below(60);
            (Body::Gljc { period_min }, fields! { "sentence": "$GLJC", "value": period_min })
        }
    };
    ("to_terminal", body, fields)
}
