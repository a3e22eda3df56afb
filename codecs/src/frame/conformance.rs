//! The properties that every framer keeps, as checks that panic with what went wrong.
//!
//! A framer's test fills a [`Specimen`] and calls [`check`]; a test that wants more (glued captures, noise) uses
//! [`items`], [`Dice`] and the single checks. Available to this crate's tests and, with the feature `conformance`, to others.

use super::{Found, Framer};
use bytes::Bytes;

/// What a framer shows itself with.
#[derive(Clone, Debug)]
pub struct Specimen {
    /// A fresh framer.
    pub framer: Box<dyn Framer>,
    /// Valid frames, each of which comes out alone as one [`Found::Frame`] of the same bytes.
    pub frames: Vec<Bytes>,
    /// The largest valid frame.
    pub largest: Bytes,
    /// Damaged frames that swallow nothing of what comes right after them.
    pub broken: Vec<Bytes>,
    /// The start of a frame that waits for at least as many bytes as the longest of `frames` has; `None` where no
    /// start of a frame ever waits past the next one.
    pub half: Option<Bytes>,
}

/// Small seeded chance: splitmix64.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// A number below `limit`; 0 when `limit` is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.roll() % limit).unwrap_or(0)
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        self.roll().to_le_bytes()[0]
    }

    /// The same items in another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// What a framer made of a stream: items until the bytes were over, and those of the give-up after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Items {
    pub flowing: Vec<Found>,
    pub given_up: Vec<Found>,
}

impl Items {
    /// All of them, in order.
    pub fn all(&self) -> impl Iterator<Item = &Found> {
        self.flowing.iter().chain(&self.given_up)
    }

    /// The frames, in order.
    #[must_use]
    pub fn frames(&self) -> Vec<Bytes> {
        let frame = |found: &Found| match found {
            Found::Frame(bytes) => Some(bytes.clone()),
            Found::Noise { .. } => None,
        };
        self.all().filter_map(frame).collect()
    }
}

/// Runs a stream through a copy of a framer in pieces of the sizes that `piece` gives, and gives up at the end.
///
/// # Panics
/// When more than [`Framer::held_max`] bytes stay in the framer, when patience is asked for nothing, or when
/// something is still held after the give-up.
pub fn items(framer: &dyn Framer, stream: &[u8], mut piece: impl FnMut() -> usize) -> Items {
    let mut framer = framer.clone_box();
    let (mut flowing, mut given_up) = (Vec::new(), Vec::new());
    let (mut rest, mut pushed, mut out) = (stream, 0_usize, 0_usize);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(piece().clamp(1, rest.len()));
        rest = later;
        framer.push(now);
        pushed += now.len();
        while let Some(found) = framer.next_found() {
            out += found.bytes().len();
            flowing.push(found);
        }
        let held = pushed - out;
        assert!(held <= framer.held_max(), "{held} bytes held, {} allowed", framer.held_max());
        assert_eq!(framer.patience().is_some(), held > 0, "patience must stand while, and only while, bytes are held");
    }
    framer.give_up();
    while let Some(found) = framer.next_found() {
        given_up.push(found);
    }
    assert_eq!(framer.patience(), None, "something is held after the give-up");
    Items { flowing, given_up }
}

/// Checks every property on one specimen.
///
/// # Panics
/// When the framer does not keep one.
pub fn check(specimen: &Specimen) {
    each_frame_comes_out_alone(specimen);
    for (seed, stream) in streams(specimen).iter().enumerate() {
        chunking_does_not_matter(&*specimen.framer, stream, u64::try_from(seed).unwrap_or(0));
    }
    frames_around_broken_ones_are_found(specimen);
    the_largest_frame_makes_progress(specimen);
    a_half_frame_hides_nothing(specimen);
    noise_without_end_is_bounded(specimen);
}

/// Streams of everything that the specimen has, in several orders, with noise between.
fn streams(specimen: &Specimen) -> Vec<Vec<u8>> {
    let mut parts: Vec<Bytes> = specimen.frames.iter().chain(&specimen.broken).chain(&specimen.half).cloned().collect();
    let mut dice = Dice::new(7);
    let stream = |parts: &[Bytes], dice: &mut Dice| {
        let mut stream = Vec::new();
        for part in parts {
            for _ in 0..dice.below(12) {
                stream.push(dice.byte());
            }
            stream.extend_from_slice(part);
        }
        stream
    };
    (0..8)
        .map(|_| {
            dice.shuffle(&mut parts);
            stream(&parts, &mut dice)
        })
        .collect()
}

/// Every frame alone is one item of the same bytes.
///
/// # Panics
/// When it is not.
pub fn each_frame_comes_out_alone(specimen: &Specimen) {
    for frame in &specimen.frames {
        let found = items(&*specimen.framer, frame, || frame.len());
        let all: Vec<_> = found.all().cloned().collect();
        assert_eq!(all, [Found::Frame(frame.clone())], "alone, {} gave other items", hex::encode(frame));
    }
}

/// Any chunking gives the same items, and the bytes of all items are the bytes pushed.
///
/// # Panics
/// When it does not.
pub fn chunking_does_not_matter(framer: &dyn Framer, stream: &[u8], seed: u64) {
    let whole = items(framer, stream, || stream.len());
    let bytes: Vec<u8> = whole.all().flat_map(|found| found.bytes().to_vec()).collect();
    assert!(bytes == stream, "the items are not the bytes pushed: {} for {}", hex::encode(bytes), hex::encode(stream));
    for size in (1..=9).chain([13, 16, 40, 64, 127, 512]) {
        let cut = items(framer, stream, || size);
        assert!(cut == whole, "pieces of {size} gave {cut:?}\nthe whole gave {whole:?}");
    }
    let mut dice = Dice::new(seed);
    let cut = items(framer, stream, || 1 + dice.below(40));
    assert!(cut == whole, "random pieces (seed {seed}) gave {cut:?}\nthe whole gave {whole:?}");
}

/// Before, between and right after broken frames every valid one is found.
///
/// # Panics
/// When one is lost.
pub fn frames_around_broken_ones_are_found(specimen: &Specimen) {
    for broken in &specimen.broken {
        for frame in &specimen.frames {
            let stream = [frame.as_ref(), broken.as_ref(), frame.as_ref()].concat();
            let frames = items(&*specimen.framer, &stream, || 11).frames();
            let count = frames.iter().filter(|found| *found == frame).count();
            assert!(count >= 2, "{} was lost around {}", hex::encode(frame), hex::encode(broken));
        }
    }
}

/// The largest frame comes out, byte by byte as well.
///
/// # Panics
/// When it does not.
pub fn the_largest_frame_makes_progress(specimen: &Specimen) {
    for size in [1, specimen.largest.len()] {
        let found = items(&*specimen.framer, &specimen.largest, || size).frames();
        assert!(found.len() == 1 && found.first() == Some(&specimen.largest), "the largest frame did not come out");
    }
}

/// A valid frame that is held by a half one before it comes out when the half one is given up, and the framer goes on.
///
/// # Panics
/// When it does not.
pub fn a_half_frame_hides_nothing(specimen: &Specimen) {
    let Some(half) = &specimen.half else { return };
    for frame in &specimen.frames {
        let stream = [half.as_ref(), frame.as_ref()].concat();
        let mut framer = specimen.framer.clone_box();
        framer.push(&stream);
        let mut found: Vec<Found> = std::iter::from_fn(|| framer.next_found()).collect();
        assert!(!found.contains(&Found::Frame(frame.clone())), "the half frame does not wait for its rest");
        assert!(framer.patience().is_some(), "a half frame is held without patience");
        framer.give_up();
        found.extend(std::iter::from_fn(|| framer.next_found()));
        assert!(found.contains(&Found::Frame(frame.clone())), "{} stayed hidden", hex::encode(frame));
        framer.push(frame);
        framer.give_up();
        let after: Vec<Found> = std::iter::from_fn(|| framer.next_found()).collect();
        assert!(after.contains(&Found::Frame(frame.clone())), "nothing comes out after a give-up");
    }
}

/// A megabyte of noise in which every frame's first byte is frequent stays within [`Framer::held_max`]; a valid frame
/// after it is found.
///
/// # Panics
/// When it is not.
pub fn noise_without_end_is_bounded(specimen: &Specimen) {
    let Some(frame) = specimen.frames.first() else { return };
    let firsts: Vec<u8> = specimen.frames.iter().filter_map(|frame| frame.first().copied()).collect();
    let mut dice = Dice::new(3);
    for frequent in [0, 2, 100] {
        let mut noise = Vec::with_capacity(1 << 18);
        while noise.len() < 1 << 18 {
            let first = firsts.get(dice.below(firsts.len())).copied().unwrap_or_default();
            noise.push(if dice.below(100) < frequent { first } else { dice.byte() });
        }
        noise.extend_from_slice(frame);
        let found = items(&*specimen.framer, &noise, || 1 + dice.below(64)).frames();
        assert_eq!(found.last(), Some(frame), "the frame after long noise was lost");
    }
}
