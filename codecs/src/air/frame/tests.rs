//! Frames out and in: what goes where, and what is refused.

use super::*;
use crate::air::beacon::ModelSet;
use crate::air::content::Content;
use crate::air::fragment::{Added, Partial};
use crate::air::header::{Group, Role};
use crate::air::key::{KEY, NetKey};
use crate::air::nonce::Spent;
use crate::air::plain::Traffic;
use crate::air::position::{Offset, Origin, OriginId, Positions, Status, Unit};
use crate::air::receipt::{Human, State};
use crate::air::replay::{Replay, Verdict};
use crate::air::seal::SoftCipher;

/// A station that no case speaks from.
pub(super) const NOBODY: u16 = 1_000;
const NET: u32 = 0x0051_0001;

pub(super) fn station(number: u16) -> StationId {
    StationId::new(number).unwrap()
}

/// A station with its keys; station 1 is the centre.
pub(super) struct Post {
    pub(super) cipher: SoftCipher,
    pub(super) net: Net,
}

impl Post {
    pub(super) fn new(me: u16) -> Self {
        let key = NetKey::from_bytes(&[0x42; KEY]);
        let cipher = if me == 1 {
            SoftCipher::centre(NET, key)
        } else {
            let own = |epoch| (key.station(NET, epoch, station(me)), key.group(NET, epoch));
            let (last, now) = (own(4), own(5));
            SoftCipher::station(NET, station(me)).with_epoch(4, last.0, last.1).with_epoch(5, now.0, now.1)
        };
        let (centre, me, traffic) = (station(1), station(me), Traffic::Real);
        Self { cipher, net: Net { id: NET, traffic, centre, me, epoch: 5, opens_last_epoch: true } }
    }

    pub(super) fn at<'a>(&'a self, bearing: &'a Bearing) -> Door<'a> {
        Door { cipher: &self.cipher, net: &self.net, bearing }
    }
}

pub(super) const BEIDOU: Bearing = Bearing::closed(77);
pub(super) const RADIO: Bearing = Bearing::open(120);

pub(super) fn text(length: usize) -> Protected {
    let body = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
    Content::Text { codec: 1, body }.into()
}

pub(super) fn letter(counter: u32, dst: Destination, protected: Protected) -> Letter {
    Letter { counter, precedence: Precedence::Immediate, dst, protected, order: false }
}

fn single(opened: Opened) -> Message {
    match opened {
        Opened::Single(message) => message,
        other => panic!("{other:?}"),
    }
}

/// Rows of a message, opened, kept and put together.
fn joined(door: &Door<'_>, frames: impl IntoIterator<Item = Vec<u8>>) -> Result<Message, OpenError> {
    let mut kept: Option<(Number, Partial)> = None;
    for frame in frames {
        let Opened::Row(sealed) = door.open(&Replay::new(), None, &frame)? else { panic!("no row") };
        match &mut kept {
            None => kept = Some((sealed.number, Partial::begin(&sealed.row))),
            Some((_, partial)) => assert!(matches!(partial.add(&sealed.row)?, Added::Kept { .. })),
        }
    }
    let (number, partial) = kept.unwrap();
    door.open_object(number, &partial)
}

#[test]
fn a_text_that_fits_is_one_frame_of_77_bytes() {
    let (from, to, mut spent) = (Post::new(3), Post::new(1), Spent::default());
    let letter = letter(5, Destination::CommandPost, text(67));
    let frames = from.at(&BEIDOU).seal(&mut spent, &letter).unwrap();
    let frame = from.at(&BEIDOU).frame(&frames, 0).unwrap();
    assert_eq!((frame.len(), frames.needed(), frames.is_single()), (77, 1, true));
    assert_eq!(from.at(&BEIDOU).frame(&frames, 9).unwrap(), frame, "a repeat is the same frame");
    let message = single(to.at(&BEIDOU).open(&Replay::new(), None, &frame).unwrap());
    assert_eq!(message.protected, Ok(letter.protected));
    assert_eq!((message.proven.proof, message.proven.tag), (Proof::Pair, Tag::Narrow));
    assert_eq!(message.proven.number, Number { src: station(3), epoch: 5, counter: 5 });
    assert_eq!(message.proven.precedence, Precedence::Immediate);
}

#[test]
fn one_byte_more_is_two_rows_and_any_two_will_do() {
    let (from, to, mut spent) = (Post::new(3), Post::new(1), Spent::default());
    let letter = letter(5, Destination::CommandPost, text(68));
    for bearing in [BEIDOU, Bearing { mtu: 60, ..RADIO }] {
        let door = from.at(&bearing);
        let frames = door.seal(&mut spent, &letter).unwrap();
        assert_eq!(frames.needed(), 2);
        for pair in [[0, 1], [1, 0], [1, 63], [40, 2]] {
            let rows = pair.map(|index| door.frame(&frames, index).unwrap());
            assert!(rows.iter().all(|frame| frame.len() <= bearing.mtu));
            let message = joined(&to.at(&bearing), rows).unwrap();
            assert_eq!(message.protected.as_ref(), Ok(&letter.protected));
            assert_eq!(message.proven.tag, Tag::Wide);
        }
        let one = joined(&to.at(&bearing), [door.frame(&frames, 1).unwrap()]);
        assert!(matches!(one, Err(OpenError::Fragment(_))), "{one:?}");
    }
}

#[test]
fn the_longest_message_is_32_rows_and_the_next_is_refused() {
    let (from, to, mut spent) = (Post::new(3), Post::new(4), Spent::default());
    let door = from.at(&BEIDOU);
    let longest = letter(5, Destination::Everyone, text(32 * 70 - 9));
    let frames = door.seal(&mut spent, &longest).unwrap();
    assert_eq!(frames.needed(), 32);
    let message = joined(&to.at(&BEIDOU), (20..52).map(|index| door.frame(&frames, index).unwrap())).unwrap();
    assert_eq!((message.protected, message.proven.proof), (Ok(longest.protected), Proof::Group));
    let longer = letter(6, Destination::Everyone, text(32 * 70 - 8));
    let refused = door.seal(&mut spent, &longer);
    assert_eq!(refused, Err(FragmentError::Length { found: 2_241, most: 2_240 }.into()));
    assert!(door.frame(&frames, 64).is_err());
}

#[test]
fn frames_survive_a_restart() {
    let (from, mut spent) = (Post::new(3), Spent::default());
    let door = from.at(&RADIO);
    let frames = door.seal(&mut spent, &letter(5, Destination::Everyone, text(300))).unwrap();
    let stored: Frames = serde_json::from_str(&serde_json::to_string(&frames).unwrap()).unwrap();
    assert_eq!(door.frame(&stored, 33).unwrap(), door.frame(&frames, 33).unwrap());
}

#[test]
fn one_message_may_go_over_every_bearer_and_another_may_not_take_its_number() {
    let (from, mut spent) = (Post::new(3), Spent::default());
    let message = letter(5, Destination::CommandPost, text(60));
    for bearing in [BEIDOU, RADIO, Bearing::closed(30), Bearing::open(40)] {
        from.at(&bearing).seal(&mut spent, &message).unwrap();
    }
    let riding = vec![Receipt { seq: 1, state: State::Complete }];
    let other = Letter { protected: Protected { riding, ..text(60) }, ..message };
    let reused = Err(SpentError::Reused { counter: 5 }.into());
    assert_eq!(from.at(&BEIDOU).seal(&mut spent, &other), reused, "the same text with a receipt is another content");
    assert_eq!(
        from.at(&RADIO).seal_beacon(&mut spent, 5, ModelSet::default(), 0),
        Err(SpentError::Reused { counter: 5 }.into())
    );
}

#[test]
fn an_order_has_a_long_tag_on_every_bearer() {
    let (from, to, mut spent) = (Post::new(1), Post::new(3), Spent::default());
    let dst = Destination::Station(station(3));
    let order = Letter { order: true, ..letter(5, dst, text(61)) };
    let frames = from.at(&BEIDOU).seal(&mut spent, &order).unwrap();
    let frame = from.at(&BEIDOU).frame(&frames, 0).unwrap();
    assert_eq!(frame.len(), 77);
    let message = single(to.at(&BEIDOU).open(&Replay::new(), None, &frame).unwrap());
    assert_eq!((message.proven.tag, message.proven.proof), (Tag::Wide, Proof::Pair));
}

#[test]
fn a_control_goes_between_the_centre_and_one_station_only() {
    let (from, to, mut spent) = (Post::new(1), Post::new(3), Spent::default());
    let control = || Content::Control { code: 1, arguments: vec![7] }.into();
    let sealed = |dst, spent: &mut Spent, counter| from.at(&BEIDOU).seal(spent, &letter(counter, dst, control()));
    assert_eq!(sealed(Destination::Everyone, &mut spent, 5), Err(SendError::OrderToMany));
    let frames = sealed(Destination::Station(station(3)), &mut spent, 6).unwrap();
    let frame = from.at(&BEIDOU).frame(&frames, 0).unwrap();
    assert_eq!(frame.len(), 7 + 3 + 8);
    assert!(single(to.at(&BEIDOU).open(&Replay::new(), None, &frame).unwrap()).protected.is_ok());
    let in_clear = from.at(&BEIDOU).clear(&letter(7, Destination::Station(station(3)), control()));
    assert_eq!(in_clear, Err(SendError::OrderInClear));
}

/// A frame that our own door would not make: sealed by hand with this tag and key.
fn forged(from: &Post, dst: Destination, plain: &[u8], tag: Tag) -> Vec<u8> {
    let number = Number { src: from.net.me, epoch: 5, counter: 9 };
    let header = Header {
        kind: crate::air::header::Kind::Single,
        precedence: Precedence::Flash,
        epoch_bit: true,
        src: Some(number.src),
        seq: 9,
        dst,
    };
    let (key, aad) = (from.net.key_name(number.src, dst, 5), header.emit().unwrap());
    let nonce = Nonce::of(NET, number, number.src == from.net.centre, crate::air::nonce::Use::Single, tag);
    let sealed = from.cipher.seal(key, &nonce, &aad, plain, tag).unwrap();
    [aad, sealed].concat()
}

#[test]
fn a_control_with_a_short_tag_or_for_all_is_not_obeyed() {
    let (centre, to) = (Post::new(1), Post::new(3));
    let open = |frame: &[u8]| to.at(&BEIDOU).open(&Replay::new(), None, frame);
    let one = Destination::Station(station(3));
    assert!(open(&forged(&centre, one, &[0xA0, 1], Tag::Wide)).is_ok());
    assert_eq!(open(&forged(&centre, one, &[0xA0, 1], Tag::Narrow)), Err(OpenError::WeakOrder { tag_bytes: 4 }));
    let all = forged(&centre, Destination::Everyone, &[0xA0, 1], Tag::Wide);
    assert_eq!(open(&all), Err(OpenError::WeakOrder { tag_bytes: 8 }));
}

#[test]
fn a_short_tag_is_not_accepted_on_open_radio() {
    let (from, to) = (Post::new(3), Post::new(1));
    let frame = forged(&from, Destination::CommandPost, &[1, 2], Tag::Narrow);
    assert!(to.at(&BEIDOU).open(&Replay::new(), None, &frame).is_ok());
    assert_eq!(to.at(&RADIO).open(&Replay::new(), None, &frame), Err(SealError::Tag.into()));
    let alarmed = Bearing { only_wide_tags: true, ..BEIDOU };
    assert_eq!(to.at(&alarmed).open(&Replay::new(), None, &frame), Err(SealError::Tag.into()));
}

#[test]
fn a_content_of_a_later_version_is_authentic_and_not_guessed_at() {
    let (from, to) = (Post::new(3), Post::new(1));
    let frame = forged(&from, Destination::CommandPost, &[0xC0, 1, 2], Tag::Narrow);
    let message = single(to.at(&BEIDOU).open(&Replay::new(), None, &frame).unwrap());
    assert_eq!((message.protected, message.bytes), (Err(ContentError::Type { found: 6 }), vec![0xC0, 1, 2]));
}

#[test]
fn receipts_ride_to_one_station_only() {
    let (from, to, mut spent) = (Post::new(3), Post::new(4), Spent::default());
    let riding = vec![Receipt { seq: 77, state: State::Human(Human::Read) }];
    let riding = Protected { riding, ..text(5) };
    let many =
        [Destination::Everyone, Destination::Role(Role::new(9).unwrap()), Destination::Group(Group::new(0).unwrap())];
    for dst in many {
        let refused = from.at(&BEIDOU).seal(&mut spent, &letter(5, dst, riding.clone()));
        assert_eq!(refused, Err(ContentError::ToMany.into()));
        assert_eq!(from.at(&BEIDOU).clear(&letter(5, dst, riding.clone())), Err(ContentError::ToMany.into()));
    }
    let frame = forged(&from, Destination::Everyone, &riding.emit().unwrap(), Tag::Wide);
    let message = single(to.at(&BEIDOU).open(&Replay::new(), None, &frame).unwrap());
    assert_eq!(message.protected, Err(ContentError::ToMany));
    let sent = letter(6, Destination::Station(station(4)), riding.clone());
    let frames = from.at(&BEIDOU).seal(&mut spent, &sent).unwrap();
    let frame = from.at(&BEIDOU).frame(&frames, 0).unwrap();
    assert_eq!(single(to.at(&BEIDOU).open(&Replay::new(), None, &frame).unwrap()).protected, Ok(riding));
}

#[test]
fn a_frame_of_receipts_carries_24_in_77_bytes() {
    let (from, to, mut spent) = (Post::new(3), Post::new(4), Spent::default());
    let receipts: Vec<_> = (0..24).map(|seq| Receipt { seq, state: State::Complete }).collect();
    let door = from.at(&BEIDOU);
    let frame = door.seal_receipts(&mut spent, 5, Precedence::Routine, station(4), &receipts).unwrap();
    assert_eq!(frame.len(), 77);
    match to.at(&BEIDOU).open(&Replay::new(), None, &frame).unwrap() {
        Opened::Receipts { receipts: read, proven } => assert_eq!((read, proven.tag), (receipts.clone(), Tag::Narrow)),
        other => panic!("{other:?}"),
    }
    let more = [receipts.as_slice(), &receipts[..1]].concat();
    let refused = door.seal_receipts(&mut spent, 6, Precedence::Routine, station(4), &more);
    assert_eq!(refused, Err(SendError::TooLong { needed: 80, most: 77 }));
}

#[test]
fn a_bundle_answers_several_stations_at_once() {
    let (from, to, mut spent) = (Post::new(1), Post::new(4), Spent::default());
    let bundled = |src, seq| Bundled { src: station(src), receipt: Receipt { seq, state: State::Complete } };
    let receipts = vec![bundled(3, 5), bundled(4, 16_383)];
    let door = from.at(&RADIO);
    let frame = door.seal_bundle(&mut spent, 5, Precedence::Flash, Destination::Everyone, &receipts).unwrap();
    assert_eq!(frame.len(), 5 + 8 + 8);
    match to.at(&RADIO).open(&Replay::new(), None, &frame).unwrap() {
        Opened::Bundle { receipts: read, proven } => {
            assert_eq!((read, proven.proof, proven.precedence), (receipts, Proof::Group, Precedence::Flash));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn nine_positions_fill_a_frame_of_77_bytes() {
    let (from, to, mut spent) = (Post::new(3), Post::new(4), Spent::default());
    let origin = Origin::new(OriginId::new(3).unwrap(), 282_000_000, 1_129_000_000).unwrap();
    let unit = |unit| Unit {
        unit,
        place: Offset::of(&origin, 282_000_900, 1_129_000_900).unwrap(),
        status: Status::default(),
    };
    let positions =
        |count| Content::Positions(Positions::Relative { origin: origin.id(), units: (0..count).map(unit).collect() });
    let nine = letter(5, Destination::Everyone, positions(9).into());
    let frames = from.at(&BEIDOU).seal(&mut spent, &nine).unwrap();
    let frame = from.at(&BEIDOU).frame(&frames, 0).unwrap();
    assert_eq!((frames.is_single(), frame.len()), (true, 77));
    let message = single(to.at(&BEIDOU).open(&Replay::new(), None, &frame).unwrap());
    assert_eq!(message.protected, Ok(nine.protected));
    let ten = letter(6, Destination::Everyone, positions(10).into());
    assert!(!from.at(&BEIDOU).seal(&mut spent, &ten).unwrap().is_single());
}

#[test]
fn a_beacon_is_read_by_whoever_has_lost_count() {
    let (from, to, mut spent) = (Post::new(3), Post::new(4), Spent::default());
    let mut replay = Replay::new();
    let old = Number { src: station(3), epoch: 5, counter: 5 };
    replay.accept(old, Digest::of(b""), 0);
    let far = letter(900_000, Destination::Everyone, text(4));
    let frames = from.at(&BEIDOU).seal(&mut spent, &far).unwrap();
    let frame = from.at(&BEIDOU).frame(&frames, 0).unwrap();
    assert!(to.at(&BEIDOU).open(&replay, None, &frame).is_err(), "900,000 is out of reach of 5");
    let models = ModelSet::default().with(8);
    let beacon = from.at(&BEIDOU).seal_beacon(&mut spent, 900_001, models, Beacon::CLOCK_TRUSTED).unwrap();
    assert_eq!(beacon.len(), 22);
    let Opened::Beacon { proven, beacon } = to.at(&BEIDOU).open(&replay, None, &beacon).unwrap() else {
        panic!("beacon")
    };
    assert_eq!((beacon.models, beacon.flags, proven.number.counter), (models, Beacon::CLOCK_TRUSTED, 900_001));
    assert_eq!(replay.accept(proven.number, proven.content, 0), Verdict::New);
    assert_eq!(single(to.at(&BEIDOU).open(&replay, None, &frame).unwrap()).proven.number.counter, 900_000);
}

#[test]
fn a_source_may_be_left_to_the_bearer() {
    let (from, to, mut spent) = (Post::new(3), Post::new(1), Spent::default());
    let header =
        Header { src: None, ..Header::parse(&forged(&from, Destination::CommandPost, &[1], Tag::Wide)).unwrap().0 };
    let aad = header.emit().unwrap();
    let number = Number { src: station(3), epoch: 5, counter: 9 };
    let nonce = Nonce::of(NET, number, false, crate::air::nonce::Use::Single, Tag::Wide);
    let sealed = from.cipher.seal(from.net.key_name(number.src, header.dst, 5), &nonce, &aad, &[1], Tag::Wide).unwrap();
    let frame = [aad, sealed].concat();
    assert_eq!(to.at(&BEIDOU).open(&Replay::new(), None, &frame), Err(OpenError::NoSource));
    assert!(to.at(&BEIDOU).open(&Replay::new(), Some(station(4)), &frame).is_err(), "another sender has another key");
    let message = single(to.at(&BEIDOU).open(&Replay::new(), Some(station(3)), &frame).unwrap());
    assert_eq!(message.proven.number, number);
    let own = from.at(&BEIDOU).seal(&mut spent, &letter(5, Destination::Everyone, text(3))).unwrap();
    let own = from.at(&BEIDOU).frame(&own, 0).unwrap();
    assert_eq!(from.at(&BEIDOU).open(&Replay::new(), None, &own), Err(OpenError::Own { seq: 5 }));
}

#[test]
fn the_epoch_before_is_opened_and_others_are_not() {
    let (mut from, to, mut spent) = (Post::new(3), Post::new(1), Spent::default());
    from.net.epoch = 4;
    let frames = from.at(&BEIDOU).seal(&mut spent, &letter(5, Destination::CommandPost, text(3))).unwrap();
    let frame = from.at(&BEIDOU).frame(&frames, 0).unwrap();
    let message = single(to.at(&BEIDOU).open(&Replay::new(), None, &frame).unwrap());
    assert_eq!(message.proven.number.epoch, 4);
    let mut strict = Post::new(1);
    strict.net.opens_last_epoch = false;
    assert_eq!(strict.at(&BEIDOU).open(&Replay::new(), None, &frame), Err(OpenError::Epoch { bit: false }));
}

#[test]
fn exercise_and_real_traffic_cannot_read_each_other() {
    let (mut from, to, mut spent) = (Post::new(1), Post::new(1), Spent::default());
    from.net = Net { id: NET + 1, traffic: Traffic::Exercise, me: station(3), ..from.net };
    from.cipher = SoftCipher::centre(NET + 1, NetKey::from_bytes(&[0x42; KEY]));
    let frames = from.at(&BEIDOU).seal(&mut spent, &letter(5, Destination::CommandPost, text(3))).unwrap();
    let frame = from.at(&BEIDOU).frame(&frames, 0).unwrap();
    assert_eq!(to.at(&BEIDOU).open(&Replay::new(), None, &frame), Err(SealError::Tag.into()));
}

#[test]
fn a_bearer_that_may_not_encrypt_carries_clear_text_marked_so() {
    let amateur = Bearing { may_encrypt: false, ..Bearing::open(40) };
    let (from, to, mut spent) = (Post::new(3), Post::new(4), Spent::default());
    let door = from.at(&amateur);
    let short = letter(5, Destination::Everyone, text(20));
    assert_eq!(door.seal(&mut spent, &short), Err(SendError::MayNotEncrypt));
    let frames = door.clear(&short).unwrap();
    let Opened::Clear(message) = to.at(&amateur).open(&Replay::new(), None, &door.frame(&frames, 0).unwrap()).unwrap()
    else {
        panic!("clear")
    };
    assert_eq!((message.protected, message.header.seq, ClearMessage::LABEL), (Ok(short.protected), 5, "未认证"));
    let long = letter(6, Destination::Everyone, text(200));
    let frames = door.clear(&long).unwrap();
    assert!(frames.needed() > 1 && !frames.is_single());
    let mut kept: Option<Partial> = None;
    for index in 30..30 + frames.needed() {
        let frame = door.frame(&frames, index).unwrap();
        assert!(frame.len() <= 40);
        let Opened::ClearRow(row) = to.at(&amateur).open(&Replay::new(), None, &frame).unwrap() else { panic!("row") };
        match &mut kept {
            None => kept = Some(Partial::begin(&row)),
            Some(partial) => drop(partial.add(&row).unwrap()),
        }
    }
    let partial = kept.unwrap();
    assert_eq!(open_clear_object(&partial).unwrap().protected, Ok(long.protected));
    let number = Number { src: station(3), epoch: 5, counter: 6 };
    let mixed = to.at(&amateur).open_object(number, &partial);
    assert_eq!(mixed, Err(OpenError::Kind { found: 7 }), "clear rows never make an authentic message");
}

#[test]
fn sealed_rows_never_make_a_clear_message() {
    let (from, to, mut spent) = (Post::new(3), Post::new(4), Spent::default());
    let frames = from.at(&BEIDOU).seal(&mut spent, &letter(5, Destination::Everyone, text(100))).unwrap();
    let frame = from.at(&BEIDOU).frame(&frames, 0).unwrap();
    let Opened::Row(sealed) = to.at(&BEIDOU).open(&Replay::new(), None, &frame).unwrap() else { panic!("row") };
    assert_eq!(open_clear_object(&Partial::begin(&sealed.row)), Err(OpenError::Kind { found: 1 }));
}

#[test]
fn the_bearing_foretells_how_many_frames_a_message_takes() {
    let from = Post::new(3);
    for bearing in [BEIDOU, RADIO, Bearing::closed(69), Bearing::open(200), Bearing::closed(19)] {
        for (counter, length) in (0_u32..).zip((0..600).step_by(7)) {
            let letter = letter(counter, Destination::Everyone, text(length));
            let sealed = from.at(&bearing).seal(&mut Spent::default(), &letter).ok().map(|frames| frames.needed());
            assert_eq!(bearing.frames(Destination::Everyone, length + 1, false), sealed, "{length} {bearing:?}");
        }
    }
}
