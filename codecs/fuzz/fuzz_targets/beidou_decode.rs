//! A frame from a Beidou terminal, by every setting: read, and shown to the port's small machine.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::time::Duration;
use yizhan_codecs::codec::{Profile, Value};
use yizhan_codecs::device;

/// Steps that one frame may cause before it counts as a loop without end.
const STEPS_MAX: usize = 10_000;

fuzz_target!(|data: &[u8]| {
    let Some((settings, frame)) = data.split_first() else { return };
    let flag = |bit: u8| Value::Bool(settings & 1 << bit != 0);
    let word = |words: [&str; 3], at: u8| Value::Text(words[usize::from(settings >> at) % 3].into());
    let profile = Profile(
        [
            ("dialect", word(["rdss21", "rdss40", "rsmc3"], 0)),
            ("xor_includes_dollar", flag(2)),
            ("lower_case_checksum", flag(3)),
            ("fkxx_wait", word(["robust", "last_byte", "minutes_seconds"], 4)),
            ("utf8_content", flag(6)),
            ("tcq_extra_field", flag(7)),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into(),
    );
    let codec = device::open("beidou", &profile).expect("a registered device opens");
    let mut dialogue = codec.dialogue().expect("a Beidou port asks for its card");
    dialogue.link_up(Duration::ZERO);
    // The checksum keeps most mutations out; put right, they reach the fields.
    for frame in [frame.to_vec(), binary(frame), sentence(frame)] {
        let signals = codec.decode(&frame, None).unwrap_or_default();
        dialogue.heard(Duration::from_secs(1), &frame, &signals);
        let steps = std::iter::from_fn(|| dialogue.poll()).take(STEPS_MAX).count();
        assert!(steps < STEPS_MAX, "the dialogue never rests");
    }
});

/// The frame with the length and the XOR of RDSS 4.0 put right.
fn binary(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let length = u16::try_from(frame.len()).unwrap_or(u16::MAX).to_be_bytes();
    frame.iter_mut().skip(5).zip(length).for_each(|(byte, right)| *byte = right);
    let body = frame.len().saturating_sub(1);
    let sum = frame.iter().take(body).fold(0, |sum, byte| sum ^ byte);
    frame.iter_mut().skip(body).for_each(|byte| *byte = sum);
    frame
}

/// The sentence up to its last `*`, with the right digits after it.
fn sentence(frame: &[u8]) -> Vec<u8> {
    let star = frame.iter().rposition(|byte| *byte == b'*').unwrap_or(frame.len());
    let body = &frame[..star];
    let sum = body.iter().skip(1).fold(0, |sum, byte| sum ^ byte);
    [body, format!("*{sum:02X}\r\n").as_bytes()].concat()
}
