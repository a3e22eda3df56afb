//! The golden frames, opened and made anew.

use super::tests::{NOBODY, station};
use super::*;
use crate::air::content::Protected;
use crate::air::fragment::{Added, Partial};
use crate::air::golden::{self, number as field, text, unhex};
use crate::air::header::precedence_bits;
use crate::air::key::{KEY, NetKey};
use crate::air::nonce::Spent;
use crate::air::plain::Traffic;
use crate::air::replay::Replay;
use crate::air::seal::SoftCipher;
use serde_json::{Value, json};

/// The net of a case, and a door for `me` with every key.
struct Place {
    cipher: SoftCipher,
    net: Net,
    bearing: Bearing,
}

impl Place {
    fn of(case: &Value, me: u16) -> Self {
        let key = <[u8; KEY]>::try_from(unhex(text(&case["net"], "key")).as_slice()).unwrap();
        let small = |key: &str| u16::try_from(field(&case["net"], key)).unwrap();
        let id = u32::try_from(field(&case["net"], "id")).unwrap();
        let net = Net {
            id,
            traffic: Traffic::Real,
            centre: station(small("centre")),
            me: station(me),
            epoch: small("epoch"),
            opens_last_epoch: true,
        };
        let mtu = usize::try_from(field(case, "mtu")).unwrap();
        let bearing = if case["open_radio"] == true { Bearing::open(mtu) } else { Bearing::closed(mtu) };
        Self { cipher: SoftCipher::centre(id, NetKey::from_bytes(&key)), net, bearing }
    }

    fn door(&self) -> Door<'_> {
        Door { cipher: &self.cipher, net: &self.net, bearing: &self.bearing }
    }
}

fn window(case: &Value, net: &Net) -> Replay {
    let mut replay = Replay::new();
    if let (Some(highest), Some(src)) = (case["highest"].as_u64(), case["highest_of"].as_u64()) {
        let src = station(u16::try_from(src).unwrap());
        let number = Number { src, epoch: net.epoch, counter: u32::try_from(highest).unwrap() };
        replay.accept(number, Digest::of(b"before"), 0);
    }
    replay
}

fn sender(case: &Value) -> Option<StationId> {
    case["sender"].as_u64().map(|number| station(u16::try_from(number).unwrap()))
}

fn head(proven: &Proven, kind: &str) -> Value {
    let (dst, extended) = proven.dst.numbers();
    json!({
        "kind": kind, "src": proven.number.src.number(), "epoch": proven.number.epoch, "counter": proven.number.counter,
        "dst": dst, "extended": extended, "precedence": precedence_bits(proven.precedence),
        "proof": if proven.proof == Proof::Pair { "pair" } else { "group" }, "tag": proven.tag.len(),
    })
}

fn with(mut shown: Value, key: &str, value: impl Into<Value>) -> Value {
    shown[key] = value.into();
    shown
}

fn clear(message: &ClearMessage) -> Value {
    let (dst, extended) = message.header.dst.numbers();
    json!({ "kind": "clear", "src": message.header.src.map_or(0, StationId::number), "seq": message.header.seq,
            "dst": dst, "extended": extended, "content": hex::encode(&message.bytes) })
}

fn row(shown: Value, row: &Row) -> Value {
    let shown = with(with(shown, "n", row.extension.n), "index", row.extension.index);
    with(with(shown, "pad", row.extension.pad), "row", hex::encode(&row.bytes))
}

fn shown(opened: &Opened) -> Value {
    let item = |r: &Receipt| json!([r.seq, r.state.numbers().0, r.state.numbers().1]);
    match opened {
        Opened::Single(message) => with(head(&message.proven, "single"), "content", hex::encode(&message.bytes)),
        Opened::Row(sealed) => {
            let Number { src, epoch, counter } = sealed.number;
            row(json!({ "kind": "row", "src": src.number(), "epoch": epoch, "counter": counter }), &sealed.row)
        }
        Opened::Receipts { proven, receipts } => {
            with(head(proven, "receipts"), "receipts", receipts.iter().map(item).collect::<Vec<_>>())
        }
        Opened::Bundle { proven, receipts } => {
            let item = |b: &Bundled| {
                let (state, arg) = b.receipt.state.numbers();
                json!([b.src.number(), b.receipt.seq, state, arg])
            };
            with(head(proven, "bundle"), "receipts", receipts.iter().map(item).collect::<Vec<_>>())
        }
        Opened::Beacon { proven, beacon } => {
            with(with(head(proven, "beacon"), "models", beacon.models.bits()), "flags", beacon.flags)
        }
        Opened::Clear(message) => clear(message),
        Opened::ClearRow(clear) => {
            let src = clear.header.src.map_or(0, StationId::number);
            row(json!({ "kind": "clear_row", "src": src, "seq": clear.header.seq }), clear)
        }
    }
}

/// Makes the frame of a case anew from what was read out of it.
fn made_anew(case: &Value, opened: &Opened) -> Option<Vec<u8>> {
    let made = |proven: &Proven| {
        let mut place = Place::of(case, proven.number.src.number());
        place.net.epoch = proven.number.epoch;
        (place, Spent::from_counter(0, 0))
    };
    let frame = match opened {
        Opened::Single(message) => {
            let (place, mut spent) = made(&message.proven);
            let letter = letter(&message.proven, message.protected.clone().ok()?);
            let frames = place.door().seal(&mut spent, &letter).unwrap();
            assert!(frames.is_single());
            place.door().frame(&frames, 0)
        }
        Opened::Receipts { proven, receipts } => {
            let (place, mut spent) = made(proven);
            let Destination::Station(to) = proven.dst else { panic!("receipts go to a station") };
            place.door().seal_receipts(&mut spent, proven.number.counter, proven.precedence, to, receipts)
        }
        Opened::Bundle { proven, receipts } => {
            let (place, mut spent) = made(proven);
            place.door().seal_bundle(&mut spent, proven.number.counter, proven.precedence, proven.dst, receipts)
        }
        Opened::Beacon { proven, beacon } => {
            let (place, mut spent) = made(proven);
            place.door().seal_beacon(&mut spent, proven.number.counter, beacon.models, beacon.flags)
        }
        _ => return None,
    };
    Some(frame.unwrap())
}

fn letter(proven: &Proven, protected: Protected) -> Letter {
    let Proven { number, dst, precedence, tag, .. } = *proven;
    Letter { counter: number.counter, precedence, dst, protected, order: tag == Tag::Wide }
}

#[test]
fn the_golden_frames_are_opened_and_made_so() {
    golden::hold(include_str!("../vectors/frame.jsonl"), |case| {
        let place = Place::of(case, NOBODY);
        let frame = unhex(text(case, "hex"));
        let opened = place.door().open(&window(case, &place.net), sender(case), &frame);
        let opened = opened.map_err(|error| error.to_string())?;
        // What left its source to the bearer is never made by us.
        if let Some(again) = made_anew(case, &opened).filter(|_| sender(case).is_none()) {
            assert_eq!(hex::encode(again), hex::encode(frame), "{}", text(case, "id"));
        }
        Ok(shown(&opened))
    });
}

/// What a message of rows was, and a way to make its frames anew.
fn together(case: &Value, place: &Place, frames: &[Vec<u8>]) -> Result<(Value, Letter, bool), String> {
    let replay = window(case, &place.net);
    let mut partial: Option<(Partial, Option<Number>)> = None;
    for frame in frames {
        let (row, number) = match place.door().open(&replay, None, frame).map_err(|error| error.to_string())? {
            Opened::Row(sealed) => (sealed.row, Some(sealed.number)),
            Opened::ClearRow(row) => (row, None),
            other => return Err(format!("no row: {other:?}")),
        };
        match &mut partial {
            None => partial = Some((Partial::begin(&row), number)),
            Some((partial, _)) => {
                let added = partial.add(&row).map_err(|error| error.to_string())?;
                assert!(matches!(added, Added::Kept { .. }), "{added:?}");
            }
        }
    }
    let (partial, number) = partial.ok_or("no frames")?;
    if let Some(number) = number {
        let message = place.door().open_object(number, &partial).map_err(|error| error.to_string())?;
        let shown = with(head(&message.proven, "message"), "content", hex::encode(&message.bytes));
        return Ok((shown, letter(&message.proven, message.protected.unwrap()), false));
    }
    let message = open_clear_object(&partial).map_err(|error| error.to_string())?;
    let (counter, dst, precedence) = (message.header.seq.into(), message.header.dst, message.header.precedence);
    let protected = message.protected.clone().unwrap();
    Ok((clear(&message), Letter { counter, precedence, dst, protected, order: false }, true))
}

#[test]
fn the_golden_messages_are_put_together_and_made_so() {
    golden::hold(include_str!("../vectors/message.jsonl"), |case| {
        let place = Place::of(case, NOBODY);
        let frames: Vec<Vec<u8>> =
            case["frames"].as_array().unwrap().iter().map(|f| unhex(f.as_str().unwrap())).collect();
        let (shown, letter, is_clear) = together(case, &place, &frames)?;
        let src = u16::try_from(field(&shown, "src")).unwrap();
        let maker = Place::of(case, src);
        let made = if is_clear {
            maker.door().clear(&letter)
        } else {
            maker.door().seal(&mut Spent::from_counter(0, 0), &letter)
        };
        let made = made.unwrap();
        for (at, frame) in frames.iter().enumerate() {
            let index = u8::try_from(case["indexes"][at].as_u64().unwrap()).unwrap();
            assert_eq!(hex::encode(maker.door().frame(&made, index).unwrap()), hex::encode(frame), "row {index}");
        }
        Ok(shown)
    });
}
