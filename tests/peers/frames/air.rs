//! Frames between stations: messages in one frame and in rows, receipts, beacons, clear text.

use super::Chance;
use serde_json::{Value, json};
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::beacon::ModelSet;
use yizhan_codecs::air::content::{Content, Protected};
use yizhan_codecs::air::frame::{Door, Frames, Letter};
use yizhan_codecs::air::header::{Destination, Group, Role, precedence_bits};
use yizhan_codecs::air::key::{KEY, Net, NetKey};
use yizhan_codecs::air::limits::Bearing;
use yizhan_codecs::air::nonce::Spent;
use yizhan_codecs::air::position::{Cell, Offset, Origin, OriginId, Positions, Status, Unit};
use yizhan_codecs::air::receipt::{Bundled, Receipt, State};
use yizhan_codecs::air::seal::SoftCipher;
use yizhan_codecs::message::{Precedence, StationId};

/// Air cases without end, the same for the same seed.
pub struct AirFrames(Chance);

impl AirFrames {
    pub fn new(seed: u64) -> Self {
        Self(Chance(seed))
    }
}

impl Iterator for AirFrames {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let chance = &mut self.0;
        let sender = Sender::new(chance);
        Some(match chance.below(6) {
            0 => sender.receipts(chance),
            1 => sender.bundle(chance),
            2 => sender.beacon(chance),
            3 => sender.clear(chance),
            _ => sender.message(chance),
        })
    }
}

/// Somebody who sends over some bearer of some net.
struct Sender {
    key: [u8; KEY],
    net: Net,
    bearing: Bearing,
    counter: u32,
    highest: Option<u32>,
    precedence: Precedence,
}

impl Sender {
    fn new(chance: &mut Chance) -> Self {
        let mut key = [0; KEY];
        key.copy_from_slice(&chance.bytes(32));
        let centre = chance.one_of(&[1, 7, 1023]);
        let inside = small(chance, 1, 1_000);
        let net = Net {
            id: chance.below(u32::MAX),
            traffic: Traffic::Real,
            centre: station(centre),
            me: station(chance.one_of(&[centre, inside, inside])),
            epoch: chance.one_of(&[0, 1, 5, 65_535]),
            opens_last_epoch: true,
        };
        let mtu = usize::try_from(60 + chance.below(180)).expect("small");
        let bearing = if chance.yes() { Bearing::open(mtu) } else { Bearing::closed(mtu) };
        let highest = chance.yes().then(|| chance.below(u32::MAX));
        let counter = match highest {
            None => chance.below(16_384),
            Some(highest) => highest.saturating_add(chance.below(8_192)).saturating_sub(chance.below(8_192)),
        };
        let precedence = chance.one_of(&Precedence::ALL);
        Self { key, net, bearing, counter, highest, precedence }
    }

    fn send<T>(&self, send: impl Fn(&Door<'_>, &mut Spent) -> T) -> T {
        let cipher = SoftCipher::centre(self.net.id, NetKey::from_bytes(&self.key));
        let door = Door { cipher: &cipher, net: &self.net, bearing: &self.bearing };
        send(&door, &mut Spent::default())
    }

    fn case(&self, protocol: &str, fields: Value) -> Value {
        let net = json!({ "id": self.net.id, "key": hexadecimal(&self.key), "centre": self.net.centre.number(),
                          "epoch": self.net.epoch });
        let mut case = json!({ "id": format!("ours-{protocol}"), "protocol": protocol, "expect": "decode", "net": net,
                               "mtu": self.bearing.mtu, "open_radio": self.bearing.open_radio, "fields": fields });
        if let Some(highest) = self.highest {
            case["highest"] = highest.into();
            case["highest_of"] = self.net.me.number().into();
        }
        case
    }

    fn one_frame(&self, frame: &[u8], fields: Value) -> Value {
        let mut case = self.case("air-frame", fields);
        case["hex"] = hexadecimal(frame).into();
        case
    }

    fn fields(&self, kind: &str, dst: Destination, wide: bool) -> Value {
        let (short, extended) = dst.numbers();
        let to = match dst {
            Destination::CommandPost => Some(self.net.centre),
            Destination::Station(to) => Some(to),
            _ => None,
        };
        // One end is the centre, the other one station that is not.
        let pair = to.is_some_and(|to| to != self.net.me && (to == self.net.centre || self.net.me == self.net.centre));
        json!({ "kind": kind, "src": self.net.me.number(), "epoch": self.net.epoch, "counter": self.counter, "dst": short,
                "extended": extended, "precedence": precedence_bits(self.precedence),
                "proof": if pair { "pair" } else { "group" },
                "tag": if wide || self.bearing.open_radio { 8 } else { 4 } })
    }

    fn message(&self, chance: &mut Chance) -> Value {
        let dst = destination(chance, self.net.centre);
        let order = chance.yes();
        let one = matches!(dst, Destination::CommandPost | Destination::Station(_));
        let protected = protected(chance, one);
        let letter = self.letter(dst, protected, order);
        let frames = self.send(|door, spent| door.seal(spent, &letter)).expect("it can be sealed");
        let mut fields = self.fields("single", dst, order || !frames.is_single());
        fields["content"] = hexadecimal(&letter.protected.emit().expect("it can be written")).into();
        if frames.is_single() {
            let frame = self.send(|door, _| door.frame(&frames, 0)).expect("a frame");
            return self.one_frame(&frame, fields);
        }
        fields["kind"] = "message".into();
        self.rows(chance, &frames, fields)
    }

    fn rows(&self, chance: &mut Chance, frames: &Frames, fields: Value) -> Value {
        let mut indexes: Vec<u8> = (0..64).collect();
        for at in (1..indexes.len()).rev() {
            indexes.swap(at, chance.below(u32::try_from(at + 1).expect("few")) as usize);
        }
        indexes.truncate(frames.needed().into());
        let frame = |index: &u8| hexadecimal(&self.send(|door, _| door.frame(frames, *index)).expect("a row"));
        let mut case = self.case("air-message", fields);
        case["frames"] = indexes.iter().map(frame).collect();
        case
    }

    fn letter(&self, dst: Destination, protected: Protected, order: bool) -> Letter {
        Letter { counter: self.counter, precedence: self.precedence, dst, protected, order }
    }

    fn clear(&self, chance: &mut Chance) -> Value {
        let dst = destination(chance, self.net.centre);
        // In clear no model is used.
        let letter = self.letter(dst, Protected::from(text(chance, 8, 200)), false);
        let frames = self.send(|door, _| door.clear(&letter)).expect("it can be written");
        let (short, extended) = dst.numbers();
        let fields = json!({ "kind": "clear", "src": self.net.me.number(), "seq": self.counter % 16_384, "dst": short,
                             "extended": extended,
                             "content": hexadecimal(&letter.protected.emit().expect("it can be written")) });
        if frames.is_single() {
            let frame = self.send(|door, _| door.frame(&frames, 0)).expect("a frame");
            return self.one_frame(&frame, fields);
        }
        self.rows(chance, &frames, fields)
    }

    fn receipts(&self, chance: &mut Chance) -> Value {
        let to = station(small(chance, 1, 1_023));
        let most = u32::try_from(self.bearing.usable_receipts()).expect("few").min(31);
        let receipts: Vec<Receipt> = (0..=chance.below(most)).map(|_| receipt(chance)).collect();
        let send = |door: &Door<'_>, spent: &mut Spent| {
            door.seal_receipts(spent, self.counter, self.precedence, to, &receipts)
        };
        let frame = self.send(send).expect("it can be sealed");
        let mut fields = self.fields("receipts", Destination::Station(to), false);
        fields["receipts"] =
            receipts.iter().map(|r| json!([r.seq, r.state.numbers().0, r.state.numbers().1])).collect();
        self.one_frame(&frame, fields)
    }

    fn bundle(&self, chance: &mut Chance) -> Value {
        let dst = destination(chance, self.net.centre);
        let bundled = |chance: &mut Chance| Bundled { src: station(small(chance, 1, 1_023)), receipt: receipt(chance) };
        let receipts: Vec<Bundled> = (0..=chance.below(10)).map(|_| bundled(chance)).collect();
        let send =
            |door: &Door<'_>, spent: &mut Spent| door.seal_bundle(spent, self.counter, self.precedence, dst, &receipts);
        let frame = self.send(send).expect("it can be sealed");
        let mut fields = self.fields("bundle", dst, false);
        let item = |b: &Bundled| {
            let (state, arg) = b.receipt.state.numbers();
            json!([b.src.number(), b.receipt.seq, state, arg])
        };
        fields["receipts"] = receipts.iter().map(item).collect();
        self.one_frame(&frame, fields)
    }

    fn beacon(&self, chance: &mut Chance) -> Value {
        let (models, flags) = (chance.below(1 << 24), chance.byte_below(255));
        let set = ModelSet::from_bits(models).expect("24 bits");
        let frame =
            self.send(|door, spent| door.seal_beacon(spent, self.counter, set, flags)).expect("it can be sealed");
        let mut fields = self.fields("beacon", Destination::Everyone, true);
        fields["precedence"] = 0.into();
        fields["models"] = models.into();
        fields["flags"] = flags.into();
        self.one_frame(&frame, fields)
    }
}

fn station(number: u16) -> StationId {
    StationId::new(number).expect("1 to 1023")
}

/// From `low` to `high`.
fn small(chance: &mut Chance, low: u16, high: u16) -> u16 {
    low + u16::try_from(chance.below(u32::from(high - low) + 1)).expect("small")
}

fn destination(chance: &mut Chance, centre: StationId) -> Destination {
    match chance.below(6) {
        0 => Destination::Everyone,
        1 => Destination::CommandPost,
        2 => Destination::Role(Role::new(2 + chance.byte_below(253)).expect("2 to 254")),
        3 => Destination::Station(centre),
        4 => Destination::Station(station(small(chance, 1, 1_023))),
        _ => Destination::Group(Group::new(small(chance, 0, 0x7FFF)).expect("15 bits")),
    }
}

fn receipt(chance: &mut Chance) -> Receipt {
    let (state, arg) = (chance.byte_below(4), chance.byte_below(64));
    Receipt { seq: small(chance, 0, 16_383), state: State::from_numbers(state, arg) }
}

fn text(chance: &mut Chance, codecs: u8, most: u32) -> Content {
    let length = chance.length(most);
    Content::Text { codec: chance.byte_below(codecs), body: chance.bytes(length) }
}

/// Any content but a control; with receipts where it is for one station.
fn protected(chance: &mut Chance, one: bool) -> Protected {
    let body = |chance: &mut Chance| {
        let length = 1 + chance.below(150);
        chance.bytes(length)
    };
    let content = match chance.below(5) {
        0 => Content::Form { variant: chance.byte_below(32), body: body(chance) },
        1 => Content::FormAndText { codec: chance.byte_below(32), body: body(chance) },
        2 => Content::Positions(positions(chance)),
        _ => text(chance, 32, 300),
    };
    let count = if one && chance.yes() { 1 + chance.below(31) } else { 0 };
    Protected { riding: (0..count).map(|_| receipt(chance)).collect(), content }
}

fn positions(chance: &mut Chance) -> Positions {
    let origin = Origin::new(OriginId::new(3).expect("below 32"), 282_000_000, 1_129_000_000).expect("a place");
    let step = |chance: &mut Chance| i32::try_from(chance.below(1_000_000)).expect("small") - 500_000;
    let count = 1 + chance.below(12);
    if chance.yes() {
        let unit = |chance: &mut Chance| {
            let place = Offset::of(&origin, 282_000_000 + step(chance), 1_129_000_000 + step(chance)).expect("near");
            Unit { unit: small(chance, 0, 8_191), place, status: Status::default() }
        };
        return Positions::Relative { origin: origin.id(), units: (0..count).map(|_| unit(chance)).collect() };
    }
    let unit = |chance: &mut Chance| {
        let place = Cell::of(step(chance) * 1_800, step(chance) * 3_600).expect("on the globe");
        Unit { unit: small(chance, 0, 8_191), place, status: Status::default() }
    };
    Positions::Absolute { units: (0..count).map(|_| unit(chance)).collect() }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
