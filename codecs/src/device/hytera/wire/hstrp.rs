use super::Hdap;
use super::bytes::Reader;
use super::hdap::Service;
use crate::codec::{DecodeError, EncodeError};
use ::bytes::{BufMut, Bytes, BytesMut};

const MAGIC: [u8; 2] = *b"2B";
pub const OPTION: u8 = 0x20;
pub const REJECT: u8 = 0x10;
pub const CLOSE: u8 = 0x08;
pub const CONNECT: u8 = 0x04;
pub const HEARTBEAT: u8 = 0x02;
pub const ACK: u8 = 0x01;
const KNOWN: u8 = OPTION | REJECT | CLOSE | CONNECT | HEARTBEAT | ACK;
/// Bit names, in the order in which they are shown.
const FLAGS: [(u8, &str); 6] = [
    (OPTION, "option"),
    (REJECT, "reject"),
    (CLOSE, "close"),
    (CONNECT, "connect"),
    (HEARTBEAT, "heartbeat"),
    (ACK, "ack"),
];
/// Another option follows.
const MORE: u8 = 0x80;
const RTP: u8 = 1;
const OPTION_IDS: [u8; 6] = [RTP, 3, 4, 5, 6, 7];
/// The options of a repeater: its id and slot.
pub const DEVICE_ID: u8 = 3;
pub const SLOT: u8 = 4;
const OPTIONS_MAX: usize = 8;

/// One HSTRP datagram: the way of HDAP between a repeater and the host that it forwards to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hstrp {
    pub version: u8,
    /// The bits above.
    pub kind: u8,
    pub sequence: u16,
    /// Number and value, big-endian.
    pub options: Vec<(u8, Bytes)>,
    pub frames: Vec<Hdap>,
}

impl Hstrp {
    #[must_use]
    pub const fn bare(kind: u8, sequence: u16) -> Self {
        Self { version: 0, kind, sequence, options: Vec::new(), frames: Vec::new() }
    }

    /// A heartbeat: sequence 0, sent by both ends, never acknowledged.
    #[must_use]
    pub const fn heartbeat() -> Self {
        Self::bare(HEARTBEAT, 0)
    }

    #[must_use]
    pub const fn has(&self, bit: u8) -> bool {
        self.kind & bit != 0
    }

    /// The names of the bits that are set.
    #[must_use]
    pub fn flags(&self) -> Vec<&'static str> {
        FLAGS.iter().filter(|(bit, _)| self.has(*bit)).map(|(_, name)| *name).collect()
    }

    /// The number of the repeater that speaks, where it tells.
    #[must_use]
    pub fn option(&self, id: u8) -> Option<u64> {
        self.options.iter().find(|(known, _)| *known == id).map(|(_, value)| number(value))
    }

    /// Reads one whole datagram.
    ///
    /// # Errors
    /// [`DecodeError::Unknown`] for another beginning or unknown bits, `Length` for one that is cut or, being data, carries
    /// none, and whatever is wrong with its HDAP frames.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, 0);
        if reader.array::<2>()? != MAGIC {
            return Err(DecodeError::Unknown("no 2B at the beginning".into()));
        }
        let (version, kind, sequence) = (reader.u8()?, reader.u8()?, reader.u16()?);
        if version != 0 || kind & !KNOWN != 0 {
            return Err(DecodeError::Unknown(format!("HSTRP version {version:02x}, type {kind:02x}")));
        }
        let mut options = Vec::new();
        // Some hosts set the option bit and begin with the frame at once: no service has an option's number.
        if kind & OPTION != 0 && !begins_hdap(reader.rest()) {
            loop {
                let at = reader.at();
                let id = reader.u8()?;
                if !OPTION_IDS.contains(&(id & !MORE)) || options.len() >= OPTIONS_MAX {
                    return Err(DecodeError::Field { field: "option", at, expected: "1, 3, 4, 5, 6 or 7" });
                }
                let length = usize::from(reader.u8()?);
                options.push((id & !MORE, Bytes::copy_from_slice(reader.take(length)?)));
                if id & MORE == 0 {
                    break;
                }
            }
        }
        let at = reader.at();
        let (mut frames, mut rest) = (Vec::new(), reader.rest());
        while !rest.is_empty() {
            let (frame, after) = Hdap::parse(rest)?;
            frames.push(frame);
            rest = after;
        }
        let is_data = kind & !OPTION == 0;
        if is_data == frames.is_empty() {
            // Data carries at least one frame, everything else none.
            return Err(DecodeError::Length {
                expected: at.saturating_add(if is_data { 7 } else { 0 }),
                found: bytes.len(),
            });
        }
        Ok(Self { version, kind, sequence, options, frames })
    }

    /// The datagram.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] when an option or a frame does not fit into its length field.
    pub fn emit(&self) -> Result<Bytes, EncodeError> {
        let mut out = BytesMut::new();
        out.extend_from_slice(&MAGIC);
        let option = if self.options.is_empty() { 0 } else { OPTION };
        out.extend([self.version, self.kind & !OPTION | option]);
        out.put_u16(self.sequence);
        for (place, (id, value)) in self.options.iter().enumerate() {
            let more = if place + 1 < self.options.len() { MORE } else { 0 };
            let needed = u32::try_from(value.len()).unwrap_or(u32::MAX).saturating_mul(8);
            let length = u8::try_from(value.len()).map_err(|_| EncodeError::TooLong { needed, capacity: 255 * 8 })?;
            out.extend([id | more, length]);
            out.extend_from_slice(value);
        }
        for frame in &self.frames {
            out.extend_from_slice(&frame.emit()?);
        }
        Ok(out.freeze())
    }
}

/// The value of an option as a number.
#[must_use]
pub fn number(value: &[u8]) -> u64 {
    value.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn begins_hdap(rest: &[u8]) -> bool {
    // 81 and 83..87 are options that others follow; no service has such a number.
    rest.first().is_some_and(|byte| Service::from_code(byte & 0x7F).is_some())
}
