use super::{Hdap, Service};
use crate::codec::DecodeError;
use ::bytes::{BufMut, Bytes, BytesMut};

/// The first two bytes.
const MAGIC: [u8; 2] = [0x32, 0x42];
/// Header without options.
const HSTRP_HEADER: usize = 6;
/// Option bits of the type byte.
const OPTION: u8 = 0x20;
const ACK: u8 = 0x01;
/// The option that names the repeater, and the one that names its slot.
pub const OPTION_DEVICE: u8 = 3;
pub const OPTION_SLOT: u8 = 4;

/// What a datagram is for, apart from its ack and option bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HstrpKind {
    Data = 0x00,
    Heartbeat = 0x02,
    Connect = 0x04,
    Close = 0x08,
    Reject = 0x10,
}

impl HstrpKind {
    /// Its bit in the type byte; data has none.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    const ALL: [Self; 5] = [Self::Data, Self::Heartbeat, Self::Connect, Self::Close, Self::Reject];
}

/// One option; the value as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HstrpOption {
    pub id: u8,
    pub value: Bytes,
}

impl HstrpOption {
    /// The value as a number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.value.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// One datagram between a repeater that forwards to a host, and that host. All numbers are big-endian.
///
/// It has no checksum of its own. What a wrong bit may not do: make data of an ack or the reverse (only data carries
/// HDAP, and it must), open an option list that is none (options ascend, with known lengths), or set a bit without a
/// meaning. Sequence and option values are guarded by nothing here; UDP's checksum is their guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hstrp {
    pub kind: HstrpKind,
    /// It answers the datagram of the same kind and sequence.
    pub ack: bool,
    pub sequence: u16,
    pub options: Vec<HstrpOption>,
    /// HDAP frames of data, one after another.
    pub body: Bytes,
}

impl Hstrp {
    /// A datagram without options.
    #[must_use]
    pub const fn new(kind: HstrpKind, sequence: u16) -> Self {
        Self { kind, ack: false, sequence, options: Vec::new(), body: Bytes::new() }
    }

    /// Reads a whole datagram; the HDAP frames are cut by [`Hstrp::frames`].
    ///
    /// # Errors
    /// `Field` for another head, version, type or option, `Length` for an option or data that is cut off.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let Some(([m_0, m_1, version, code, s_0, s_1], mut rest)) = bytes.split_first_chunk::<HSTRP_HEADER>() else {
            return Err(DecodeError::Length { expected: HSTRP_HEADER, found: bytes.len() });
        };
        if [*m_0, *m_1] != MAGIC {
            return Err(DecodeError::Field { field: "head", at: 0, expected: "32 42" });
        }
        if *version != 0 {
            return Err(DecodeError::Field { field: "version", at: 2, expected: "00" });
        }
        let kind = HstrpKind::ALL.into_iter().find(|kind| kind.code() == code & !(OPTION | ACK));
        let wrong_type = DecodeError::Field { field: "type", at: 3, expected: "one purpose" };
        let kind = kind.ok_or_else(|| wrong_type.clone())?;
        let ack = code & ACK != 0;
        let options = if code & OPTION == 0 { Vec::new() } else { options(&mut rest)? };
        let carries = kind == HstrpKind::Data && !ack;
        if carries && rest.is_empty() {
            return Err(DecodeError::Length { expected: bytes.len().saturating_add(1), found: bytes.len() });
        }
        if !carries && !rest.is_empty() {
            return Err(wrong_type);
        }
        let sequence = u16::from_be_bytes([*s_0, *s_1]);
        Ok(Self { kind, ack, sequence, options, body: Bytes::copy_from_slice(rest) })
    }

    /// The HDAP frames of the body.
    ///
    /// # Errors
    /// The first frame's error; nothing of such a datagram is taken.
    pub fn frames(&self) -> Result<Vec<Hdap>, DecodeError> {
        let (mut frames, mut rest) = (Vec::new(), self.body.as_ref());
        while !rest.is_empty() {
            let (frame, after) = Hdap::parse(rest)?;
            frames.push(frame);
            rest = after;
        }
        Ok(frames)
    }

    /// The type byte as it stands on the wire. The option bit is set only where options follow.
    #[must_use]
    pub fn code(&self) -> u8 {
        let option = if self.options.is_empty() { 0 } else { OPTION };
        self.kind.code() | option | if self.ack { ACK } else { 0 }
    }

    /// The value of an option.
    #[must_use]
    pub fn option(&self, id: u8) -> Option<u64> {
        self.options.iter().find(|option| option.id == id).map(HstrpOption::number)
    }

    /// The datagram as it goes on the wire. An option's value longer than 255 bytes is cut: none is made.
    #[must_use]
    pub fn emit(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(HSTRP_HEADER.saturating_add(self.body.len()).saturating_add(16));
        out.put_slice(&MAGIC);
        out.put_slice(&[0, self.code()]);
        out.put_u16(self.sequence);
        let mut left = self.options.len();
        for option in &self.options {
            left = left.saturating_sub(1);
            let length = u8::try_from(option.value.len()).unwrap_or(u8::MAX);
            out.put_slice(&[option.id | if left > 0 { 0x80 } else { 0 }, length]);
            out.put_slice(option.value.get(..usize::from(length)).unwrap_or_default());
        }
        out.put_slice(&self.body);
        out.freeze()
    }
}

/// Options, each with bit 7 of its id where another follows. One program sets the option bit and then begins HDAP at
/// once; no option id is a service code.
fn options(rest: &mut &[u8]) -> Result<Vec<HstrpOption>, DecodeError> {
    let mut options: Vec<HstrpOption> = Vec::new();
    if rest.first().is_none_or(|first| Service::from_code(first & 0x7F).is_some()) {
        return Ok(options);
    }
    loop {
        let [first, length, after @ ..] = *rest else {
            return Err(DecodeError::Length { expected: 2, found: rest.len() });
        };
        let id = first & 0x7F;
        let has_slot = options.iter().any(|option| option.id == OPTION_SLOT);
        let fits = match id {
            1 => *length == 0,
            OPTION_DEVICE => *length == 4,
            OPTION_SLOT => *length == 1,
            // Site, index and kind of XPT: they stand beside a slot.
            5..=7 => *length <= 8 && has_slot,
            _ => false,
        };
        if !fits || options.last().is_some_and(|last| last.id >= id) {
            return Err(DecodeError::Field {
                field: "options",
                at: HSTRP_HEADER,
                expected: "known options, ascending",
            });
        }
        let Some((value, after)) = after.split_at_checked(usize::from(*length)) else {
            return Err(DecodeError::Length { expected: usize::from(*length), found: after.len() });
        };
        options.push(HstrpOption { id, value: Bytes::copy_from_slice(value) });
        *rest = after;
        if first & 0x80 == 0 {
            return Ok(options);
        }
    }
}
