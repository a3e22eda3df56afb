use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message;

/// What every frame begins with.
pub const MAGIC: [u8; 2] = [0x94, SECOND];
const SECOND: u8 = 0xC3;
/// Magic and length, big-endian.
pub const HEADER: usize = 4;
/// Wakes a sleeping board and pushes a half frame out of its parser; no frame, and nothing that goes on the air.
pub const WAKE: [u8; 32] = [SECOND; 32];
/// The most bytes of one message.
pub const PAYLOAD_MAX: usize = 512;
/// The largest frame.
pub const FRAME_MAX: usize = HEADER + PAYLOAD_MAX;

/// A message as a frame of the stream; `None` when it does not fit.
#[must_use]
pub fn framed(message: &impl Message) -> Option<Bytes> {
    let length = message.encoded_len();
    let declared = u16::try_from(length).ok().filter(|_| length <= PAYLOAD_MAX)?;
    let mut frame = BytesMut::with_capacity(FRAME_MAX.min(length.saturating_add(HEADER)));
    frame.put_slice(&MAGIC);
    frame.put_u16(declared);
    message.encode(&mut frame).ok()?;
    Some(frame.freeze())
}

/// Whether a host wrote this to wake its radio. Hosts differ in how much they write; fewer bytes may be a torn head.
#[must_use]
pub fn is_wake(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER && bytes.iter().all(|byte| *byte == SECOND)
}

/// The message bytes of exactly one frame.
#[must_use]
pub fn payload(frame: &[u8]) -> Option<&[u8]> {
    let (magic, rest) = frame.split_first_chunk::<2>()?;
    let (length, payload) = rest.split_first_chunk::<2>()?;
    let declared = usize::from(u16::from_be_bytes(*length));
    (*magic == MAGIC && declared == payload.len() && declared <= PAYLOAD_MAX).then_some(payload)
}
