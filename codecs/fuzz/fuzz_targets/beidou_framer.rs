//! A serial line: no byte is lost or made up, what is held is bounded, and chunking changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yizhan_codecs::codec::Profile;
use yizhan_codecs::device;
use yizhan_codecs::frame::{Found, Framer};

fuzz_target!(|data: &[u8]| {
    let Some((chunk, line)) = data.split_first() else { return };
    let codec = device::open("beidou", &Profile::default()).expect("a registered device opens");
    let whole = cut(codec.framer(), line, line.len().max(1));
    let pieces = cut(codec.framer(), line, usize::from(*chunk).max(1));
    assert_eq!(whole, pieces);
    assert_eq!(whole.iter().flat_map(|found| found.bytes().to_vec()).collect::<Vec<u8>>(), line);
});

fn cut(mut framer: Box<dyn Framer>, line: &[u8], chunk: usize) -> Vec<Found> {
    let (mut items, mut pushed, mut cut) = (Vec::new(), 0, 0);
    let mut drain = |framer: &mut Box<dyn Framer>, pushed: usize| {
        while let Some(found) = framer.next_found() {
            assert!(!found.bytes().is_empty(), "an empty item never ends");
            cut += found.bytes().len();
            items.push(found);
        }
        assert!(pushed - cut <= framer.held_max(), "{} bytes held", pushed - cut);
    };
    for piece in line.chunks(chunk) {
        framer.push(piece);
        pushed += piece.len();
        drain(&mut framer, pushed);
    }
    // Each give-up passes at least one byte on.
    for _ in 0..line.len() {
        framer.give_up();
        drain(&mut framer, pushed);
    }
    assert_eq!(framer.patience(), None, "held for ever");
    items
}
