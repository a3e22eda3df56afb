//! What another station, or somebody who pretends to be one, sends: a frame, rows of a message, or a content that the
//! seal has let through. The key is that of the golden vectors, so that their frames open.
//!
//! Checked: no panic, what is read is written as it was, what is sealed opens as it was, rows never need more room than
//! they say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::content::Protected;
use yizhan_codecs::air::fragment::{Partial, Row};
use yizhan_codecs::air::frame::{Door, Letter, Opened, open_clear_object};
use yizhan_codecs::air::header::Destination;
use yizhan_codecs::air::key::{Net, NetKey};
use yizhan_codecs::air::limits::Bearing;
use yizhan_codecs::air::nonce::{Number, Spent};
use yizhan_codecs::air::replay::Replay;
use yizhan_codecs::air::seal::SoftCipher;
use yizhan_codecs::message::{Precedence, StationId};

const NET: u32 = 0x0051_0001;

fuzz_target!(|data: &[u8]| {
    let Some((pick, bytes)) = data.split_first() else { return };
    let bearing = if pick & 0x80 == 0 { Bearing::closed(77) } else { Bearing::open(120) };
    let (receiver, maker) = (net(1_000), net(3));
    let cipher = SoftCipher::centre(NET, NetKey::from_bytes(&std::array::from_fn(|at| at as u8)));
    let door = Door { cipher: &cipher, net: &receiver, bearing: &bearing };
    match pick & 3 {
        0 => drop(door.open(&Replay::new(), station(9), bytes)),
        1 => rows(&door, bytes),
        _ => content(&Door { net: &maker, ..door }, &door, bytes),
    }
});

fn station(number: u16) -> Option<StationId> {
    StationId::new(number)
}

fn net(me: u16) -> Net {
    let of = |number| station(number).expect("a station");
    Net { id: NET, traffic: Traffic::Real, centre: of(1), me: of(me), epoch: 5, opens_last_epoch: true }
}

/// Each row with its length before it, into as many messages as they belong to.
fn rows(door: &Door<'_>, mut bytes: &[u8]) {
    let mut kept: Option<(Option<Number>, Partial)> = None;
    while let Some((length, rest)) = bytes.split_first() {
        let (frame, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        bytes = rest;
        let (number, row) = match door.open(&Replay::new(), station(9), frame) {
            Ok(Opened::Row(sealed)) => (Some(sealed.number), sealed.row),
            Ok(Opened::ClearRow(row)) => (None, row),
            _ => continue,
        };
        keep(&mut kept, number, &row);
        let Some((number, partial)) = &kept else { continue };
        match number {
            Some(number) => drop(door.open_object(*number, partial)),
            None => drop(open_clear_object(partial)),
        }
    }
}

fn keep(kept: &mut Option<(Option<Number>, Partial)>, number: Option<Number>, row: &Row) {
    let added = kept.as_mut().and_then(|(_, partial)| partial.add(row).ok());
    if added.is_none() {
        *kept = Some((number, Partial::begin(row)));
    }
    let Some((_, partial)) = kept else { return };
    let room = usize::from(partial.extension().n) * row.bytes.len();
    assert!(partial.held_bytes() <= room, "{} bytes held", partial.held_bytes());
}

/// A content that can be read is written as it was, sealed, opened and read again.
fn content(maker: &Door<'_>, receiver: &Door<'_>, bytes: &[u8]) {
    let Ok(protected) = Protected::parse(bytes) else { return };
    assert_eq!(protected.emit().expect("what was read can be written"), bytes);
    let dst = Destination::CommandPost;
    let letter = Letter { counter: 5, precedence: Precedence::Flash, dst, protected, order: false };
    let Ok(frames) = maker.seal(&mut Spent::default(), &letter) else { return };
    let mut kept: Option<(Option<Number>, Partial)> = None;
    for index in 0..frames.needed() {
        let frame = maker.frame(&frames, 63 - index).expect("every row can be made");
        match receiver.open(&Replay::new(), None, &frame).expect("what was sealed opens") {
            Opened::Single(message) => return assert_eq!(message.protected, Ok(letter.protected)),
            Opened::Row(sealed) => keep(&mut kept, Some(sealed.number), &sealed.row),
            other => panic!("{other:?}"),
        }
    }
    let (number, partial) = kept.expect("rows");
    let message = receiver.open_object(number.expect("a sealed row"), &partial).expect("every row is there");
    assert_eq!(message.protected, Ok(letter.protected));
}
