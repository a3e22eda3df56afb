use super::{BeidouFramer, Leniency, NOISE_MAX};
use crate::device::beidou::vectors::{cases_that, line};
use crate::frame::conformance::{Dice, Specimen, chunking_does_not_matter, items, noise_without_end_is_bounded};
use crate::frame::{Found, Framer, Noise, conformance};
use bytes::Bytes;
use proptest::prelude::*;

fn framer() -> BeidouFramer {
    BeidouFramer::new(115_200, Leniency::default())
}

fn valid_frames() -> Vec<Bytes> {
    let frames: Vec<Bytes> = cases_that("decode").iter().map(line).collect();
    assert!(frames.len() >= 80, "{} frames", frames.len());
    frames
}

fn seal(text: &str) -> Vec<u8> {
    let sum = text.bytes().fold(0, |sum, byte| sum ^ byte);
    format!("${text}*{sum:02X}\r\n").into_bytes()
}

/// The largest sentence: BDS-3 content up to the limit.
fn largest() -> Bytes {
    let content = "5".repeat(4096 - 7 - 5 - "4204986,2,1,2,".len());
    let frame = Bytes::from(seal(&format!("CCTCQ,4204986,2,1,2,{content}")));
    assert_eq!(frame.len(), 4096);
    frame
}

fn specimen() -> Specimen {
    let broken = cases_that("refuse").iter().map(line).filter(|frame| !frame.ends_with(b"\n")).collect::<Vec<_>>();
    let half = [b"$TXSQ\x02\x00\0\0\0\x46\0\0\0\x0F\x70\0".as_ref(), &[0; 20]].concat();
    Specimen {
        framer: Box::new(framer()),
        frames: valid_frames(),
        largest: largest(),
        broken: broken.into_iter().chain([Bytes::from(seal("BDTXR,1,0,0,,a").split_off(3))]).collect(),
        half: Some(half.into()),
    }
}

#[test]
fn the_framer_keeps_every_property_of_framers() {
    conformance::check(&specimen());
}

/// Noise as ports have it: random bytes, stray marks, half headers with believable and unbelievable lengths, and starts
/// of real frames up to `half_max` bytes.
fn noise(dice: &mut Dice, frames: &[Bytes], half_max: usize) -> Vec<u8> {
    const HALVES: [&[u8]; 12] = [
        b"$",
        b"$$$",
        b"$TXSQ",
        b"$TXSQ\x01\xF4",
        b"$TXXX\x00\x5F",
        b"$ICJC\x00\x0C",
        b"$XTZJ\x00\x0D",
        b"$BDTX",
        b"$BDTXR,",
        b"$GNGGA,",
        b"$BDXST\x00\x40",
        b"$BDFKI,TXA,Y",
    ];
    match dice.below(5) {
        0 => Vec::new(),
        1 => (0..dice.below(65)).map(|_| dice.byte()).collect(),
        2 => HALVES[dice.below(HALVES.len())].to_vec(),
        3 => {
            let mut bytes: Vec<u8> = (0..dice.below(40)).map(|_| dice.byte()).collect();
            bytes.extend(HALVES[dice.below(HALVES.len())]);
            bytes
        }
        _ => {
            let frame = &frames[dice.below(frames.len())];
            frame[..dice.below(frame.len().min(half_max))].to_vec()
        }
    }
}

/// What came of one stream: valid frames, those of them that were lost, and frames that noise made by chance.
struct Harvest {
    valid: usize,
    lost: Vec<(usize, Bytes)>,
    chance: Vec<(usize, Bytes)>,
    in_order: bool,
    apart: bool,
}

fn harvest(seed: u64, half_max: usize) -> Harvest {
    let mut frames = valid_frames();
    let mut dice = Dice::new(seed);
    dice.shuffle(&mut frames);
    let (mut stream, mut places) = (Vec::new(), Vec::new());
    for frame in &frames {
        stream.extend(noise(&mut dice, &frames, half_max));
        places.push((stream.len(), frame.clone()));
        stream.extend_from_slice(frame);
    }
    let (mut at, mut found) = (0, Vec::new());
    for item in items(&framer(), &stream, || 1 + dice.below(40)).all() {
        if let Found::Frame(bytes) = item {
            found.push((at, bytes.clone()));
        }
        at += item.bytes().len();
    }
    assert_eq!(at, stream.len());
    let (real, chance): (Vec<_>, Vec<_>) = found.into_iter().partition(|frame| places.contains(frame));
    let apart = chance.iter().all(|(at, bytes)| {
        places.iter().all(|(place, frame)| at + bytes.len() <= *place || place + frame.len() <= *at)
    });
    let in_order = real == places;
    let valid = places.len();
    Harvest { valid, lost: places.into_iter().filter(|place| !real.contains(place)).collect(), chance, in_order, apart }
}

/// Every valid frame must come out at its place, in order. Noise can by chance check as a frame of its own (one byte of
/// XOR): such a frame may come out too, but only from bytes that are all noise, and rarely.
#[test]
fn every_valid_frame_comes_out_of_noise_in_order_whatever_the_pieces() {
    let (mut valid, mut chance) = (0, 0);
    for seed in 0..1_000 {
        let harvest = harvest(seed, 12);
        assert!(harvest.in_order, "seed {seed} lost {:?}, found {:?}", harvest.lost, harvest.chance);
        assert!(harvest.apart, "seed {seed}: a frame of noise reaches into a valid one: {:?}", harvest.chance);
        valid += harvest.valid;
        chance += harvest.chance.len();
    }
    assert!(chance * 1_000 < valid, "{chance} frames of noise among {valid} valid ones");
}

/// Half a frame with free content, cut inside the content, can take the valid frames after it for its content: one in
/// 256 checks, and nothing tells it from a message that somebody put frames into. The framer decides against the forger
/// (next tests); what that costs is bounded here.
#[test]
fn halves_of_real_frames_cost_fewer_than_one_valid_frame_in_a_thousand() {
    let (mut valid, mut lost) = (0, 0);
    for seed in 0..200 {
        let harvest = harvest(seed, 96);
        valid += harvest.valid;
        lost += harvest.lost.len();
    }
    assert!(lost * 1_000 < valid, "{lost} of {valid} lost");
}

#[test]
fn a_frame_is_cut_by_its_length_and_not_at_a_mark_inside() {
    let frame =
        hex::decode("245458535100260000004600000000A000A4242A0D0A24424454582C244458585824545853510011AA24").unwrap();
    let mut frame = frame[..37].to_vec();
    frame.push(frame.iter().fold(0, |sum, byte| sum ^ byte));
    let found = items(&framer(), &frame, || 3);
    assert_eq!(found.frames(), [Bytes::from(frame)]);
}

#[test]
fn glued_sentences_are_parted_before_a_header_and_content_may_hold_marks() {
    let plain = seal("BDTXR,1,0195817,0,,5*4$ 3*00,$x");
    let glued = [&plain[..plain.len() - 2], &seal("BDTTC,19")].concat();
    let frames = items(&framer(), &glued, || 1).frames();
    assert_eq!(frames.len(), 2, "{frames:?}");
    assert_eq!(frames[0], plain[..plain.len() - 2]);
}

#[test]
fn a_sentence_without_line_end_comes_out_when_the_line_falls_silent() {
    let sentence = seal("BDTTC,19");
    let bare = Bytes::copy_from_slice(&sentence[..sentence.len() - 2]);
    let found = items(&framer(), &bare, || 4);
    assert_eq!((found.flowing.len(), found.frames()), (0, vec![bare]));
}

#[test]
fn a_wrong_checksum_is_noise_that_names_both_sums_and_hides_nothing() {
    let good = seal("BDTTC,19");
    let bad = b"$BDTTC,18*61\r\n";
    let found = items(&framer(), &[bad.as_ref(), &good].concat(), || 5);
    let all: Vec<_> = found.all().cloned().collect();
    let noise = Found::Noise { bytes: Bytes::from_static(bad), why: Noise::Checksum { expected: 0x60, found: 0x61 } };
    assert_eq!(all, [noise, Found::Frame(good.into())]);
}

#[test]
fn a_sentence_smuggled_into_raw_text_stays_text() {
    let inner = String::from_utf8(seal("BDTTC,99")).unwrap();
    let inner = inner.trim_end();
    // A prefix whose XOR up to the inner `$` is zero, so that one checksum fits both.
    let outer = "BDTXR,1,0195817,0,,";
    let mut prefix = outer.to_owned();
    let sum = prefix.bytes().fold(0, |sum, byte| sum ^ byte) ^ b'$';
    prefix.extend([char::from(sum ^ 0x60 ^ 0x40), '`', '@']);
    let whole = Bytes::from(format!("${prefix}{inner}\r\n"));
    assert_eq!(items(&framer(), &whole, || 9).frames(), [whole]);
}

#[test]
fn patience_is_the_rest_at_line_speed_and_a_little() {
    let mut slow = BeidouFramer::new(9_600, Leniency::default());
    assert_eq!(slow.patience(), None);
    slow.push(b"$TXSQ\x00\x60");
    assert_eq!(slow.next_found(), None);
    let patience = slow.patience().unwrap();
    assert_eq!(patience.as_millis(), 200 + (0x60 - 7) * 10 * 1_000 / 9_600);
}

#[test]
fn long_runs_of_marks_cost_no_more_than_other_noise() {
    let sentence = "$AAAAA,".repeat(150_000);
    let seams = "$AAAAA,*00".repeat(100_000);
    for stream in ["$".repeat(1_000_000), sentence, seams, "$TXSQ\u{1}\u{7f}".repeat(150_000)] {
        let found = items(&framer(), stream.as_bytes(), || 4096);
        assert!(found.all().all(|item| item.bytes().len() <= NOISE_MAX.max(4096)));
        assert_eq!(found.all().map(|item| item.bytes().len()).sum::<usize>(), stream.len());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_parted_without_loss_whatever_the_chunking(
        parts in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..30),
            Just(b"$TXSQ\x00\x14".to_vec()), Just(b"$BDXST\x00\x19".to_vec()), Just(b"$BDTXR,1*".to_vec()),
            Just(b"*5B$BDTXR,".to_vec()), Just(b"\r\n".to_vec()), Just(b"$ICJC\x00\x0C\0\0\0\0\x2B".to_vec()),
            Just(seal("BDTTC,19")),
        ], 0..24),
        seed in any::<u64>(),
    ) {
        chunking_does_not_matter(&framer(), &parts.concat(), seed);
    }
}

#[test]
fn a_lenient_port_takes_lower_case_and_sums_with_the_mark() {
    let lenient = BeidouFramer::new(115_200, Leniency { with_dollar: true, lower_case: true });
    for line in [b"$BDBSI,02,03,2,4,3*62\r\n".as_ref(), b"$CCICA,0,00*7b\r\n"] {
        assert_eq!(items(&lenient, line, || 6).frames(), [Bytes::from_static(line)]);
        assert_eq!(items(&framer(), line, || 6).frames(), Vec::<Bytes>::new());
    }
    noise_without_end_is_bounded(&Specimen { framer: Box::new(lenient), ..specimen() });
}
