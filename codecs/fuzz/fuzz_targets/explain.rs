//! A line of `explain --jsonl`, or, after a first byte that picks the protocol and the direction, bare bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yizhan_codecs::device::{Direction, REGISTER};
use yizhan_codecs::explain::{explain_line, explain_words};

fuzz_target!(|data: &[u8]| {
    if data.first() == Some(&b'{') {
        let answer = explain_line(&String::from_utf8_lossy(data));
        assert!(answer.starts_with('{') && !answer.contains('\n'));
        return;
    }
    let Some((pick, frame)) = data.split_first() else { return };
    let protocols: Vec<&str> =
        REGISTER.iter().flat_map(|device| device.protocols).map(|protocol| protocol.name).collect();
    let direction = match pick % 3 {
        0 => Direction::ToTerminal,
        1 => Direction::FromTerminal,
        _ => Direction::Any,
    };
    let protocol = protocols.get(usize::from(pick / 3)).copied();
    if let Err(error) = explain_words(protocol, direction, frame) {
        assert!(!error.words().is_empty());
    }
});
