//! Thirteen bytes that never come twice under one key, and a memory that sees to it.
//!
//! ```text
//! net:4 | epoch:2 | src:2 | counter:4 | purpose:1          big-endian; none of it is sent
//! purpose = from centre:1 | 64-bit tag:1 | 000 | use:3
//! ```
//!
//! The length of the tag stands in the nonce, so that one message with a short tag on one bearer and a long one on another
//! is never encrypted twice under one nonce.

use super::header::seq_of;
use crate::message::StationId;
use serde::{Deserialize, Serialize};
use sm3::{Digest as _, Sm3};
use std::collections::BTreeMap;
use thiserror::Error;

/// Bytes of a nonce.
pub const NONCE: usize = 13;
/// Counters whose content a [`Spent`] remembers.
pub const SPENT_MAX: usize = 4_096;

const FROM_CENTRE: u8 = 0x80;
const WIDE: u8 = 0x40;

/// What is sealed; the low three bits of the purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// 0: a message in one frame.
    Single,
    /// 1: a message in rows.
    Fragmented,
    /// 2: receipts for one station.
    Receipt,
    /// 3: receipts for several.
    Bundle,
    /// 4: a beacon, which is authenticated and not encrypted.
    Beacon,
    /// 5: a message that is carried as a file.
    CarriedFile,
}

impl Use {
    const fn number(self) -> u8 {
        match self {
            Self::Single => 0,
            Self::Fragmented => 1,
            Self::Receipt => 2,
            Self::Bundle => 3,
            Self::Beacon => 4,
            Self::CarriedFile => 5,
        }
    }
}

/// How long a tag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// 32 bits: single frames on a bearer where one try a minute is all that anybody has.
    Narrow,
    /// 64 bits: orders, rows, beacons, and all on open radio.
    Wide,
}

impl Tag {
    /// Bytes: 4 or 8.
    #[must_use]
    pub const fn len(self) -> usize {
        match self {
            Self::Narrow => 4,
            Self::Wide => 8,
        }
    }

    /// Never: a tag has 4 bytes or 8.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        false
    }
}

/// A message's number on the air: its name on every bearer and through every relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Number {
    /// The station that made it.
    pub src: StationId,
    /// The key epoch that it was made in.
    pub epoch: u16,
    /// Its whole counter.
    pub counter: u32,
}

impl Number {
    /// The bits of the counter that the header bears, 0..=16383.
    #[must_use]
    pub const fn seq(self) -> u16 {
        seq_of(self.counter)
    }

    /// The low bit of the epoch, as the header bears it.
    #[must_use]
    pub const fn epoch_bit(self) -> bool {
        self.epoch & 1 == 1
    }
}

/// The nonce of one sealing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nonce([u8; NONCE]);

impl Nonce {
    /// For a message of this number in net `net`.
    #[must_use]
    pub fn of(net: u32, number: Number, from_centre: bool, what: Use, tag: Tag) -> Self {
        let centre = if from_centre { FROM_CENTRE } else { 0 };
        let wide = if tag == Tag::Wide { WIDE } else { 0 };
        let (net, epoch, src) = (net.to_be_bytes(), number.epoch.to_be_bytes(), number.src.number().to_be_bytes());
        let counter = number.counter.to_be_bytes();
        let purpose = [centre | wide | what.number()];
        let mut nonce = [0; NONCE];
        let bytes = net.iter().chain(&epoch).chain(&src).chain(&counter).chain(&purpose);
        nonce.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        Self(nonce)
    }

    /// The thirteen bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; NONCE] {
        &self.0
    }
}

/// What tells two contents apart: the first 64 bits of their SM3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(u64);

impl Digest {
    /// Of what is sealed: the protected content, or the body of receipts, bundle and beacon.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        let first = Sm3::digest(content).first_chunk().copied().unwrap_or([0; 8]);
        Self(u64::from_be_bytes(first))
    }

    /// As a journal writes it.
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        self.0
    }

    /// Back from a journal.
    #[must_use]
    pub const fn from_u64(value: u64) -> Self {
        Self(value)
    }
}

/// Why a counter may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SpentError {
    #[error("counter {counter} was used for another content: a nonce must never repeat")]
    Reused { counter: u32 },
    #[error("counter {counter} is below {floor}: what it was used for is forgotten")]
    Forgotten { counter: u32, floor: u32 },
    #[error("epoch {found} is over, {current} has begun")]
    Epoch { found: u16, current: u16 },
}

/// The counters that a station has sealed with, and for what. One counter is one content for ever, on every bearer, with
/// the same receipts riding on it: anything else would give the key stream away.
///
/// It belongs into the journal's fold; what is lost of it is made up for by skipping to the next reserved range.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    epoch: u16,
    floor: u32,
    digests: BTreeMap<u32, Digest>,
}

impl Spent {
    /// From the first counter that may be used: after a restart, the beginning of the next reserved range.
    #[must_use]
    pub const fn from_counter(epoch: u16, floor: u32) -> Self {
        Self { epoch, floor, digests: BTreeMap::new() }
    }

    /// Takes a counter for a content. The same content may come again.
    ///
    /// # Errors
    /// [`SpentError`] where the counter had another content, or where that can no longer be told. Nothing changes then.
    pub fn claim(&mut self, epoch: u16, counter: u32, content: Digest) -> Result<(), SpentError> {
        if epoch < self.epoch {
            return Err(SpentError::Epoch { found: epoch, current: self.epoch });
        }
        if epoch > self.epoch {
            *self = Self::from_counter(epoch, 0);
        }
        match self.digests.get(&counter) {
            Some(known) if *known == content => return Ok(()),
            Some(_) => return Err(SpentError::Reused { counter }),
            None if counter < self.floor => return Err(SpentError::Forgotten { counter, floor: self.floor }),
            None => {}
        }
        self.digests.insert(counter, content);
        while self.digests.len() > SPENT_MAX {
            let Some((oldest, _)) = self.digests.pop_first() else { break };
            self.floor = self.floor.max(oldest.saturating_add(1));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(src: u16, epoch: u16, counter: u32) -> Number {
        Number { src: StationId::new(src).unwrap(), epoch, counter }
    }

    #[test]
    fn a_nonce_is_thirteen_bytes_in_their_order() {
        let nonce = Nonce::of(0x0102_0304, number(0x0203, 0x0506, 0x0708_090A), true, Use::Beacon, Tag::Wide);
        assert_eq!(hex::encode(nonce.bytes()), "01020304050602030708090ac4");
        let nonce = Nonce::of(1, number(1, 0, 5), false, Use::Single, Tag::Narrow);
        assert_eq!(hex::encode(nonce.bytes()), "00000001000000010000000500");
    }

    #[test]
    fn every_use_direction_and_tag_has_a_nonce_of_its_own() {
        let uses = [Use::Single, Use::Fragmented, Use::Receipt, Use::Bundle, Use::Beacon, Use::CarriedFile];
        let mut seen = std::collections::BTreeSet::new();
        for what in uses {
            for from_centre in [false, true] {
                for tag in [Tag::Narrow, Tag::Wide] {
                    seen.insert(*Nonce::of(1, number(1, 0, 5), from_centre, what, tag).bytes());
                }
            }
        }
        assert_eq!(seen.len(), 24);
    }

    #[test]
    fn a_counter_is_one_content_for_ever() {
        let mut spent = Spent::from_counter(4, 64);
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        assert_eq!(spent.claim(4, 64, one), Ok(()));
        assert_eq!(spent.claim(4, 64, one), Ok(()));
        assert_eq!(spent.claim(4, 64, other), Err(SpentError::Reused { counter: 64 }));
        assert_eq!(spent.claim(4, 63, one), Err(SpentError::Forgotten { counter: 63, floor: 64 }));
        assert_eq!(spent.claim(3, 99, one), Err(SpentError::Epoch { found: 3, current: 4 }));
        assert_eq!(spent.claim(5, 64, other), Ok(()), "another epoch has other keys");
    }

    #[test]
    fn what_was_forgotten_may_not_be_used_again() {
        let mut spent = Spent::default();
        let content = Digest::of(b"");
        for counter in 0..5_000 {
            spent.claim(0, counter, content).unwrap();
        }
        let floor = 5_000 - u32::try_from(SPENT_MAX).unwrap();
        assert_eq!(spent.claim(0, floor - 1, content), Err(SpentError::Forgotten { counter: floor - 1, floor }));
        assert_eq!(spent.claim(0, floor, content), Ok(()));
        let stored: Spent = serde_json::from_str(&serde_json::to_string(&spent).unwrap()).unwrap();
        assert_eq!(stored, spent);
    }

    #[test]
    fn a_digest_is_the_beginning_of_sm3() {
        // SM3("abc") = 66c7f0f462eeedd9..., GB/T 32905-2016 A.1.
        assert_eq!(Digest::of(b"abc"), Digest(0x66C7_F0F4_62EE_EDD9));
    }
}
