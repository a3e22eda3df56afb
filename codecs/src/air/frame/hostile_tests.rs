//! Frames that were cut, altered, replayed or made up: never a panic, never accepted.

use super::tests::{BEIDOU, NOBODY, Post, RADIO, letter, station, text};
use super::*;
use crate::air::beacon::ModelSet;
use crate::air::content::Content;
use crate::air::fragment::Partial;
use crate::air::nonce::Spent;
use crate::air::receipt::State;
use crate::air::replay::{Replay, Verdict};
use proptest::prelude::*;

/// One frame of each kind from station 3, for bearing `bearing`.
fn specimens(bearing: &Bearing) -> Vec<Vec<u8>> {
    let (from, mut spent) = (Post::new(3), Spent::default());
    let door = from.at(bearing);
    let to = Destination::Station(station(4));
    let mut frames = Vec::new();
    for (counter, dst, length) in [(5, Destination::CommandPost, 20), (6, to, 3), (7, Destination::Everyone, 0)] {
        let sealed = door.seal(&mut spent, &letter(counter, dst, text(length))).unwrap();
        frames.push(door.frame(&sealed, 0).unwrap());
    }
    let receipts = [Receipt { seq: 1, state: State::Complete }; 3];
    frames.push(door.seal_receipts(&mut spent, 8, Precedence::Flash, station(4), &receipts).unwrap());
    let bundled = receipts.map(|receipt| Bundled { src: station(9), receipt });
    frames.push(door.seal_bundle(&mut spent, 9, Precedence::Flash, Destination::Everyone, &bundled).unwrap());
    frames.push(door.seal_beacon(&mut spent, 10, ModelSet::default().with(8), 1).unwrap());
    frames
}

/// What a receiver made of a frame: authentic, merely kept, or nothing.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    Authentic,
    Kept,
    Clear,
    Refused,
}

fn taken(bearing: &Bearing, me: u16, frame: &[u8]) -> Taken {
    match Post::new(me).at(bearing).open(&Replay::new(), None, frame) {
        Ok(Opened::Row(_) | Opened::ClearRow(_)) => Taken::Kept,
        Ok(Opened::Clear(_)) => Taken::Clear,
        Ok(_) => Taken::Authentic,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Taken::Refused
        }
    }
}

#[test]
fn every_specimen_is_authentic_as_it_is() {
    for bearing in [BEIDOU, RADIO] {
        for frame in specimens(&bearing) {
            assert_eq!(taken(&bearing, 1, &frame), Taken::Authentic, "{}", hex::encode(frame));
        }
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    for bearing in [BEIDOU, RADIO] {
        for frame in specimens(&bearing) {
            for bit in 0..frame.len() * 8 {
                let mut altered = frame.clone();
                altered[bit / 8] ^= 0x80 >> (bit % 8);
                let taken = taken(&bearing, 1, &altered);
                // A single that says it is a row is kept until its message fails; on open radio not even that.
                let is_row = bit < 8 && bearing == BEIDOU;
                assert!(taken == Taken::Refused || is_row && taken == Taken::Kept, "{bit} {taken:?}");
            }
        }
    }
}

#[test]
fn every_cut_frame_and_every_longer_one_is_refused() {
    for bearing in [BEIDOU, RADIO] {
        for frame in specimens(&bearing) {
            for length in 0..frame.len() {
                assert_eq!(taken(&bearing, 1, &frame[..length]), Taken::Refused, "{length}");
            }
            let longer = [frame.as_slice(), &[0]].concat();
            assert_eq!(taken(&bearing, 1, &longer), Taken::Refused);
        }
    }
}

#[test]
fn every_flipped_bit_of_a_row_is_found_on_open_radio() {
    let (from, mut spent) = (Post::new(3), Spent::default());
    let frames = from.at(&RADIO).seal(&mut spent, &letter(5, Destination::CommandPost, text(200))).unwrap();
    for index in [0, 1, 2, 63] {
        let frame = from.at(&RADIO).frame(&frames, index).unwrap();
        assert_eq!(taken(&RADIO, 1, &frame), Taken::Kept);
        for bit in 0..frame.len() * 8 {
            let mut altered = frame.clone();
            altered[bit / 8] ^= 0x80 >> (bit % 8);
            assert_eq!(taken(&RADIO, 1, &altered), Taken::Refused, "row {index} bit {bit}");
        }
    }
}

#[test]
fn every_flipped_bit_of_any_row_spoils_the_message_at_the_latest() {
    let (from, to, mut spent) = (Post::new(3), Post::new(1), Spent::default());
    let frames = from.at(&BEIDOU).seal(&mut spent, &letter(5, Destination::CommandPost, text(100))).unwrap();
    let rows = [0, 40].map(|index| from.at(&BEIDOU).frame(&frames, index).unwrap());
    let joined = |rows: &[Vec<u8>]| -> Result<Message, OpenError> {
        let mut kept: Option<(Number, Partial)> = None;
        for frame in rows {
            let Opened::Row(sealed) = to.at(&BEIDOU).open(&Replay::new(), None, frame)? else {
                return Err(OpenError::NoSource);
            };
            match &mut kept {
                None => kept = Some((sealed.number, Partial::begin(&sealed.row))),
                Some((_, partial)) => drop(partial.add(&sealed.row)?),
            }
        }
        let (number, partial) = kept.ok_or(OpenError::NoSource)?;
        to.at(&BEIDOU).open_object(number, &partial)
    };
    assert!(joined(&rows).is_ok());
    for which in 0..rows.len() {
        for bit in 0..rows[which].len() * 8 {
            let mut altered = rows.clone();
            altered[which][bit / 8] ^= 0x80 >> (bit % 8);
            assert!(joined(&altered).is_err(), "row {which} bit {bit}");
        }
    }
}

#[test]
fn one_altered_bit_of_a_clear_text_is_found_by_its_check() {
    let (from, to) = (Post::new(3), Post::new(4));
    let frames = from.at(&RADIO).clear(&letter(5, Destination::Everyone, text(30))).unwrap();
    let frame = from.at(&RADIO).frame(&frames, 0).unwrap();
    for bit in 0..frame.len() * 8 {
        let mut altered = frame.clone();
        altered[bit / 8] ^= 0x80 >> (bit % 8);
        let opened = to.at(&RADIO).open(&Replay::new(), None, &altered);
        // The byte that says whole or row: what is no text may be kept as a row, and fails in the end.
        let kept = matches!(opened, Ok(Opened::ClearRow(_)));
        assert!(opened.is_err() || kept && bit / 8 == 5, "{bit} {opened:?}");
    }
}

#[test]
fn a_text_in_a_model_is_neither_sent_nor_taken_in_clear() {
    let refused = ContentError::ModelInClear { codec: 8 };
    let packed = Protected::from(Content::Text { codec: 8, body: vec![1, 0x81] });
    let made = Post::new(3).at(&RADIO).clear(&letter(5, Destination::Everyone, packed));
    assert_eq!(made, Err(refused.into()));
    for first in [0x08, 0x48] {
        let mut frame = vec![0x78, 0, 0xC0, 5, 0, 0, first, 1, 0x81];
        let digest = crate::air::golden::sm3(&[&frame[..5], &frame[6..]].concat());
        frame.extend(&digest[..2]);
        let Ok(Opened::Clear(message)) = Post::new(4).at(&RADIO).open(&Replay::new(), None, &frame) else {
            panic!("what cannot be read is kept as it is")
        };
        assert_eq!((message.protected, message.bytes), (Err(refused), vec![first, 1, 0x81]));
    }
}

#[test]
fn a_control_in_clear_is_refused() {
    let mut frame = vec![0x78, 0, 0xC0, 5, 0, 0, 0xA0, 1];
    let digest = crate::air::golden::sm3(&[&frame[..5], &frame[6..]].concat());
    frame.extend(&digest[..2]);
    let opened = Post::new(4).at(&RADIO).open(&Replay::new(), None, &frame);
    assert_eq!(opened, Err(OpenError::WeakOrder { tag_bytes: 0 }));
}

#[test]
fn a_replayed_frame_is_a_copy_and_moves_nothing() {
    let to = Post::new(1);
    let mut replay = Replay::new();
    for frame in specimens(&BEIDOU) {
        let proven = |replay: &Replay| match to.at(&BEIDOU).open(replay, None, &frame).unwrap() {
            Opened::Single(message) => message.proven,
            Opened::Receipts { proven, .. } | Opened::Bundle { proven, .. } | Opened::Beacon { proven, .. } => proven,
            other => panic!("{other:?}"),
        };
        let first = proven(&replay);
        assert_eq!(replay.accept(first.number, first.content, 0), Verdict::New);
        let (before, again) = (replay.clone(), proven(&replay));
        assert_eq!(replay.accept(again.number, again.content, 9), Verdict::Copy);
        assert_eq!(replay, before);
    }
}

#[test]
fn an_old_beacon_does_not_turn_the_counter_back() {
    let (from, to, mut spent) = (Post::new(3), Post::new(4), Spent::default());
    let old = from.at(&BEIDOU).seal_beacon(&mut spent, 10, ModelSet::default(), 0).unwrap();
    let mut replay = Replay::new();
    replay.accept(Number { src: station(3), epoch: 5, counter: 50_000 }, Digest::of(b""), 0);
    let Opened::Beacon { proven, .. } = to.at(&BEIDOU).open(&replay, None, &old).unwrap() else { panic!("beacon") };
    assert_eq!(replay.accept(proven.number, proven.content, 0), Verdict::Stale);
    assert_eq!(replay.highest(station(3), 5), Some(50_000));
}

#[test]
fn a_frame_longer_than_any_bearer_is_not_looked_at() {
    let opened = Post::new(4).at(&RADIO).open(&Replay::new(), None, &[0x40; 1_751]);
    assert_eq!(opened, Err(OpenError::Long { found: 1_751 }));
}

#[test]
fn who_is_not_meant_has_no_key() {
    let (from, mut spent) = (Post::new(3), Spent::default());
    let frames = from.at(&BEIDOU).seal(&mut spent, &letter(5, Destination::CommandPost, text(3))).unwrap();
    let frame = from.at(&BEIDOU).frame(&frames, 0).unwrap();
    let opened = Post::new(NOBODY).at(&BEIDOU).open(&Replay::new(), None, &frame);
    assert_eq!(opened, Err(SealError::NoKey { station: 3, epoch: 5 }.into()));
}

/// Bytes that look like a frame: version 1, and whatever else.
fn frame_like() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..160).prop_map(|mut bytes| {
        bytes[0] = bytes[0] & 0x3F | 0x40;
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_are_never_authentic(frame in prop::collection::vec(any::<u8>(), 0..200), open_radio: bool) {
        let bearing = if open_radio { RADIO } else { Bearing { only_wide_tags: true, ..BEIDOU } };
        prop_assert_ne!(taken(&bearing, 1, &frame), Taken::Authentic);
    }

    #[test]
    fn frame_like_bytes_are_never_authentic(frame in frame_like(), open_radio: bool) {
        let bearing = if open_radio { RADIO } else { Bearing { only_wide_tags: true, ..BEIDOU } };
        prop_assert_ne!(taken(&bearing, 1, &frame), Taken::Authentic);
        prop_assert_ne!(taken(&bearing, 4, &frame), Taken::Authentic);
    }

    #[test]
    fn whatever_is_sealed_is_opened_as_it_was(
        body in prop::collection::vec(any::<u8>(), 0..400), codec in 0_u8..32, counter in 0_u32..16_384, mtu in 40_usize..240,
        open_radio: bool, order: bool, pair: bool, first in 0_u8..32,
    ) {
        let (from, to, mut spent) = (Post::new(3), Post::new(1), Spent::default());
        let bearing = if open_radio { Bearing::open(mtu) } else { Bearing::closed(mtu) };
        let dst = if pair { Destination::CommandPost } else { Destination::Everyone };
        let protected: Protected = Content::Text { codec, body }.into();
        let sent = Letter { order, ..letter(counter, dst, protected.clone()) };
        let frames = from.at(&bearing).seal(&mut spent, &sent).unwrap();
        let mut kept: Option<(Number, Partial)> = None;
        for index in first..first + frames.needed() {
            let frame = from.at(&bearing).frame(&frames, index).unwrap();
            prop_assert!(frame.len() <= mtu);
            match (to.at(&bearing).open(&Replay::new(), None, &frame).unwrap(), &mut kept) {
                (Opened::Single(message), _) => {
                    prop_assert_eq!(message.proven.number.counter, counter);
                    prop_assert_eq!(message.protected.as_ref(), Ok(&protected));
                    prop_assert!(message.proven.tag == Tag::Wide || !order && !open_radio);
                    return Ok(());
                }
                (Opened::Row(sealed), None) => kept = Some((sealed.number, Partial::begin(&sealed.row))),
                (Opened::Row(sealed), Some((_, partial))) => drop(partial.add(&sealed.row).unwrap()),
                (other, _) => prop_assert!(false, "{:?}", other),
            }
        }
        let (number, partial) = kept.unwrap();
        prop_assert_eq!(to.at(&bearing).open_object(number, &partial).unwrap().protected, Ok(protected));
    }
}
