//! A checksum keeps most mutations out; with it put right they reach the fields behind it.

/// The line as one frame, with each of the checks that our devices use put right in turn.
pub fn repaired(line: &[u8]) -> [Vec<u8>; 3] {
    [binary(line), sentence(line), hdap(line)]
}

/// The length and the XOR of RDSS 4.0.
fn binary(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let length = u16::try_from(frame.len()).unwrap_or(u16::MAX).to_be_bytes();
    frame.iter_mut().skip(5).zip(length).for_each(|(byte, right)| *byte = right);
    let body = frame.len().saturating_sub(1);
    let sum = frame.iter().take(body).fold(0, |sum, byte| sum ^ byte);
    frame.iter_mut().skip(body).for_each(|byte| *byte = sum);
    frame
}

/// A sentence up to its last `*`, and the right digits after it.
fn sentence(frame: &[u8]) -> Vec<u8> {
    let star = frame.iter().rposition(|byte| *byte == b'*').unwrap_or(frame.len());
    let body = &frame[..star];
    let sum = body.iter().skip(1).fold(0, |sum, byte| sum ^ byte);
    [body, format!("*{sum:02X}\r\n").as_bytes()].concat()
}

/// The checksum of Hytera's data frames, and their last byte.
fn hdap(frame: &[u8]) -> Vec<u8> {
    let body = frame.split_last_chunk::<2>().map_or(frame, |(body, _)| body);
    let sum = body.iter().skip(1).fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    [body, &[(!sum).wrapping_add(0x33), 3]].concat()
}
