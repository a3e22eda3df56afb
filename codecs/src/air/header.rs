//! The head of every frame, in the clear: 40 bits, and 16 more where the destination does not fit into 8.
//!
//! ```text
//! ver:2 = 01 | kind:3 | prec:2 | epoch:1 || src:10 | seq:14 || dst:8 [|| extended destination:16 where dst = 255]
//! ```
//!
//! Who relays a frame needs no more than this, and no key.

use super::VERSION;
use super::bits::{BitReader, BitWriter, BitsError};
use crate::message::{Precedence, StationId};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Bytes of a header without extended destination.
pub const SHORT: usize = 5;
/// Bytes of a header with extended destination.
pub const LONG: usize = 7;
/// Bits of a counter that are sent.
pub const SEQ_BITS: u32 = 14;
/// The highest sequence number.
pub const SEQ_MAX: u16 = (1 << SEQ_BITS) - 1;
/// The highest group of an extended destination.
pub const GROUP_MAX: u16 = 0x7FFF;

/// `dst` that says that 16 bits follow.
const EXTENDED: u8 = 255;
/// The bit of an extended destination that makes it a group.
const GROUP: u16 = 0x8000;

/// What a frame is; three bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 0: a whole message.
    Single,
    /// 1: a row of a message, index below n.
    SourceFragment,
    /// 2: a row made of all others, index from n on.
    RepairFragment,
    /// 3: receipts for one station.
    Receipt,
    /// 4: receipts for several stations.
    Bundle,
    /// 5: who is there, with the whole counter.
    Beacon,
    /// 7: a byte that says more follows the header. Only clear text so far.
    Extended,
}

impl Kind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 7] = [
        Self::Single,
        Self::SourceFragment,
        Self::RepairFragment,
        Self::Receipt,
        Self::Bundle,
        Self::Beacon,
        Self::Extended,
    ];

    /// The three bits, 0..=7.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Single => 0,
            Self::SourceFragment => 1,
            Self::RepairFragment => 2,
            Self::Receipt => 3,
            Self::Bundle => 4,
            Self::Beacon => 5,
            Self::Extended => 7,
        }
    }

    /// `None` for 6, which is reserved, and above 7.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The machine name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::SourceFragment => "source_fragment",
            Self::RepairFragment => "repair_fragment",
            Self::Receipt => "receipt",
            Self::Bundle => "bundle",
            Self::Beacon => "beacon",
            Self::Extended => "extended",
        }
    }
}

/// Precedence as its two bits: 3 FLASH, 2 IMMEDIATE, 1 PRIORITY, 0 ROUTINE.
#[must_use]
pub const fn precedence_bits(precedence: Precedence) -> u8 {
    match precedence {
        Precedence::Flash => 3,
        Precedence::Immediate => 2,
        Precedence::Priority => 1,
        Precedence::Routine => 0,
    }
}

/// `None` above 3.
#[must_use]
pub fn precedence_of(bits: u8) -> Option<Precedence> {
    Precedence::ALL.into_iter().find(|precedence| precedence_bits(*precedence) == bits)
}

/// Whom a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// dst 0.
    Everyone,
    /// dst 1: the centre of the net.
    CommandPost,
    /// dst 2..=254: a role or group with a short number.
    Role(Role),
    /// dst 255, then 1..=1023.
    Station(StationId),
    /// dst 255, then 0x8000 + 0..=[`GROUP_MAX`].
    Group(Group),
}

/// A role's number, 2..=254.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Role(u8);

impl Role {
    /// `None` outside 2..=254.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number >= 2 && number < EXTENDED { Some(Self(number)) } else { None }
    }

    /// 2..=254.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// A group's number, 0..=[`GROUP_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Group(u16);

impl Group {
    /// `None` above [`GROUP_MAX`].
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number <= GROUP_MAX { Some(Self(number)) } else { None }
    }

    /// 0..=[`GROUP_MAX`].
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl Destination {
    /// The 8 bits, and the 16 that follow them where the 8 are 255.
    #[must_use]
    pub const fn numbers(self) -> (u8, Option<u16>) {
        match self {
            Self::Everyone => (0, None),
            Self::CommandPost => (1, None),
            Self::Role(role) => (role.0, None),
            Self::Station(station) => (EXTENDED, Some(station.number())),
            Self::Group(group) => (EXTENDED, Some(GROUP | group.0)),
        }
    }

    /// Bytes of a header that bears it: [`SHORT`] or [`LONG`].
    #[must_use]
    pub const fn header_len(self) -> usize {
        match self.numbers().1 {
            None => SHORT,
            Some(_) => LONG,
        }
    }

    const fn from_short(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Everyone),
            1 => Some(Self::CommandPost),
            _ => match Role::new(number) {
                Some(role) => Some(Self::Role(role)),
                None => None,
            },
        }
    }

    fn from_extended(number: u16) -> Result<Self, HeaderError> {
        if number & GROUP != 0 {
            return Ok(Self::Group(Group(number & GROUP_MAX)));
        }
        StationId::new(number).map(Self::Station).ok_or(HeaderError::Destination { found: number })
    }
}

/// Why bytes are not the head of a frame of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeaderError {
    #[error("a header has {expected} bytes, {found} are there")]
    Short { expected: usize, found: usize },
    #[error("version {found}, {VERSION} expected")]
    Version { found: u8 },
    #[error("kind {found} is reserved")]
    Kind { found: u8 },
    #[error("extended destination {found}: a station is 1..=1023, a group 0x8000 and up")]
    Destination { found: u16 },
    #[error("sequence {found}, at most {SEQ_MAX}")]
    Sequence { found: u16 },
    #[error(transparent)]
    Bits(#[from] BitsError),
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// What the frame is.
    pub kind: Kind,
    /// How urgent; the same in every row of a message.
    pub precedence: Precedence,
    /// The low bit of the key epoch.
    pub epoch_bit: bool,
    /// The station that made it; `None` (0 on the air) = it is the station of the bearer's own sender address.
    pub src: Option<StationId>,
    /// The low 14 bits of the source's counter, 0..=[`SEQ_MAX`].
    pub seq: u16,
    /// Whom it is for.
    pub dst: Destination,
}

impl Header {
    /// Reads the head of a frame, and gives what comes after it.
    ///
    /// # Errors
    /// [`HeaderError`] for bytes that are no frame of version 1, or bear a number that is reserved.
    pub fn parse(frame: &[u8]) -> Result<(Self, &[u8]), HeaderError> {
        let (short, rest) =
            frame.split_at_checked(SHORT).ok_or(HeaderError::Short { expected: SHORT, found: frame.len() })?;
        let mut bits = BitReader::new(short);
        let version = bits.take_u8(2)?;
        if version != VERSION {
            return Err(HeaderError::Version { found: version });
        }
        let kind = bits.take_u8(3)?;
        let kind = Kind::from_number(kind).ok_or(HeaderError::Kind { found: kind })?;
        let precedence = precedence_of(bits.take_u8(2)?).unwrap_or_default();
        let epoch_bit = bits.take(1)? == 1;
        let src = StationId::new(bits.take_u16(10)?);
        let seq = bits.take_u16(SEQ_BITS)?;
        let (dst, rest) = match Destination::from_short(bits.take_u8(8)?) {
            Some(dst) => (dst, rest),
            None => {
                let (number, rest) =
                    rest.split_first_chunk::<2>().ok_or(HeaderError::Short { expected: LONG, found: frame.len() })?;
                (Destination::from_extended(u16::from_be_bytes(*number))?, rest)
            }
        };
        Ok((Self { kind, precedence, epoch_bit, src, seq, dst }, rest))
    }

    /// The bytes on the air: [`SHORT`] or [`LONG`].
    ///
    /// # Errors
    /// [`HeaderError::Sequence`] for a `seq` above [`SEQ_MAX`].
    pub fn emit(&self) -> Result<Vec<u8>, HeaderError> {
        if self.seq > SEQ_MAX {
            return Err(HeaderError::Sequence { found: self.seq });
        }
        let (dst, extended) = self.dst.numbers();
        let mut bits = BitWriter::new();
        bits.push(VERSION.into(), 2)?;
        bits.push(self.kind.number().into(), 3)?;
        bits.push(precedence_bits(self.precedence).into(), 2)?;
        bits.push(self.epoch_bit.into(), 1)?;
        bits.push(self.src.map_or(0, StationId::number).into(), 10)?;
        bits.push(self.seq.into(), SEQ_BITS)?;
        bits.push(dst.into(), 8)?;
        if let Some(extended) = extended {
            bits.push(extended.into(), 16)?;
        }
        Ok(bits.finish())
    }
}

/// The bits of a counter that a header bears.
#[must_use]
pub const fn seq_of(counter: u32) -> u16 {
    let [_, _, high, low] = counter.to_be_bytes();
    u16::from_be_bytes([high, low]) & SEQ_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::golden::{self, text, unhex};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn fields(header: &Header, length: usize) -> Value {
        json!({
            "kind": header.kind.number(),
            "precedence": precedence_bits(header.precedence),
            "epoch_bit": u8::from(header.epoch_bit),
            "src": header.src.map_or(0, StationId::number),
            "seq": header.seq,
            "dst": header.dst.numbers().0,
            "extended": header.dst.numbers().1,
            "length": length,
        })
    }

    #[test]
    fn the_golden_headers_are_read_and_written_so() {
        golden::hold(include_str!("vectors/header.jsonl"), |case| {
            let bytes = unhex(text(case, "hex"));
            let (header, rest) = Header::parse(&bytes).map_err(|error| error.to_string())?;
            assert_eq!(header.emit().unwrap(), bytes[..bytes.len() - rest.len()]);
            Ok(fields(&header, bytes.len() - rest.len()))
        });
    }

    #[test]
    fn a_sequence_number_is_the_low_14_bits_of_the_counter() {
        assert_eq!(seq_of(0), 0);
        assert_eq!(seq_of(16_383), 16_383);
        assert_eq!(seq_of(16_384 * 5 + 77), 77);
        assert_eq!(seq_of(u32::MAX), SEQ_MAX);
    }

    #[test]
    fn a_sequence_number_of_more_than_14_bits_is_not_written() {
        let (header, _) = Header::parse(&[0x47, 0, 0xC0, 5, 0]).unwrap();
        let wrong = Header { seq: 16_384, ..header };
        assert_eq!(wrong.emit(), Err(HeaderError::Sequence { found: 16_384 }));
    }

    #[test]
    fn roles_and_groups_have_their_range() {
        assert_eq!((Role::new(1), Role::new(255)), (None, None));
        assert_eq!(Role::new(254).map(Role::number), Some(254));
        assert_eq!(Group::new(0x8000), None);
        assert_eq!(Group::new(GROUP_MAX).map(Group::number), Some(GROUP_MAX));
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_as_it_was(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            if let Ok((header, rest)) = Header::parse(&bytes) {
                let mut again = header.emit().unwrap();
                prop_assert_eq!(again.len(), header.dst.header_len());
                again.extend_from_slice(rest);
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
