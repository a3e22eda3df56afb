//! Hytera HDAP frames of the services that ok-dmrlib reads: registration, the question for a position, text.

use super::{Chance, case, fields};
use serde_json::{Map, Value};
use yizhan_codecs::device::hytera::wire::{Hdap, Lp, RadioIp, Rrs, Tmp, TmpMessage};

/// HDAP cases without end, the same for the same seed.
pub struct RadioFrames(Chance);

impl RadioFrames {
    pub fn new(seed: u64) -> Self {
        Self(Chance(seed))
    }
}

impl Iterator for RadioFrames {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let chance = &mut self.0;
        let (protocol, frame, mut fields): (_, Hdap, Map<String, Value>) = match chance.below(3) {
            0 => registration(chance),
            1 => question(chance),
            _ => text(chance),
        };
        let bytes = frame.emit().expect("it fits");
        fields.insert("payload_len".into(), (bytes.len() - 7).into());
        fields.insert("reliable".into(), false.into());
        Some(case((protocol, "to_terminal", bytes.to_vec(), fields)))
    }
}

type Part = (&'static str, Hdap, Map<String, Value>);

/// A radio and its fields under `name_ip` and `name_id`.
fn radio(chance: &mut Chance, name: &str) -> (RadioIp, Map<String, Value>) {
    let (subnet, id) = (chance.one_of(&[0, 10, 12, 192]), chance.number());
    let radio = RadioIp::new(subnet, id).expect("24 bits");
    let fields = [(format!("{name}_ip"), radio.to_string().into()), (format!("{name}_id"), id.into())];
    (radio, fields.into_iter().collect())
}

fn registration(chance: &mut Chance) -> Part {
    let (radio, mut fields) = radio(chance, "radio");
    if chance.yes() {
        fields.extend(fields! { "service": "RRS", "type": "status_check" });
        return ("hytera-rrs", Rrs::StatusCheck { radio }.into(), fields);
    }
    let (result, renew_s) = (chance.byte_below(3), chance.one_of(&[1, 60, 300, 3_600]));
    fields.extend(fields! { "service": "RRS", "type": "register_ack", "result": result, "renew_seconds": renew_s });
    ("hytera-rrs", Rrs::RegisterAck { radio, result, renew_s }.into(), fields)
}

fn question(chance: &mut Chance) -> Part {
    let (radio, mut fields) = radio(chance, "radio");
    let request = chance.one_of(&[0, 1, 0x2000_0001, 0xFFFF_FFFF]);
    fields.extend(fields! { "service": "LP", "type": "standard_request", "request_id": request });
    ("hytera-lp", Lp::Request { request, radio, extra: None }.into(), fields)
}

fn text(chance: &mut Chance) -> Part {
    let (to, mut fields) = radio(chance, "dest");
    let (from, source) = radio(chance, "src");
    let (request, length) = (chance.below(u32::MAX), chance.length(280));
    let written = format!("{}{}", chance.text(length, true), chance.one_of(&["", "𠮷", "🆘", "\r\n"]));
    let group = chance.yes();
    let text = written.as_str().into();
    let message = if group {
        TmpMessage::GroupText { request, to, from, text }
    } else {
        TmpMessage::PrivateText { request, to, from, text }
    };
    fields.extend(source);
    fields.extend(fields! {
        "service": "TMP", "type": if group { "group_message" } else { "private_message" }, "request_id": request,
        "flag_bit7": 0, "flag_option": 0, "text": written,
    });
    ("hytera-hdap-tmp", Tmp::from(message).into(), fields)
}
