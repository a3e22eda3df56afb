//! The door between contents and frames. Out: compress, encrypt and tag once, then split; a repair row needs no new nonce.
//! In: read the head, find the counter, verify, and only then look inside.
//!
//! What comes out authentic bears a [`Proven`]. Clear text (kind 7) bears none and is of another type: it is 未认证, it
//! moves no window, and a control is never taken from it.

mod clear;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod hostile_tests;
mod receive;
mod send;
#[cfg(test)]
mod tests;

use super::beacon::{Beacon, BeaconError};
use super::content::{ContentError, Protected};
use super::fragment::{FragmentError, Row, Split};
use super::header::{Destination, Header, HeaderError};
use super::key::{KeyName, Net, Proof};
use super::limits::{Bearing, FRAME_MAX};
use super::nonce::{Digest, Nonce, Number, SpentError, Tag};
use super::receipt::{Bundled, Receipt, ReceiptError};
use super::seal::{Cipher, SealError};
use crate::message::{Precedence, StationId};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A station at one bearer of one net.
#[derive(Clone, Copy, Debug)]
pub struct Door<'a> {
    /// What seals and opens.
    pub cipher: &'a dyn Cipher,
    /// The net, and who we are in it.
    pub net: &'a Net,
    /// The card or link.
    pub bearing: &'a Bearing,
}

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its counter: the same on every bearer, never used for another content.
    pub counter: u32,
    /// How urgent.
    pub precedence: Precedence,
    /// For whom.
    pub dst: Destination,
    /// What it says, with the receipts that ride along.
    pub protected: Protected,
    /// It is an order: a 64-bit tag, whatever the bearer. A control always is.
    pub order: bool,
}

/// A message as frames. It makes any frame on demand and can be kept for a later attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frames {
    header: Header,
    body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Body {
    /// One frame, the same each time.
    Whole(Vec<u8>),
    /// Rows of a sealed message, and what marks each of them on open radio.
    Rows { split: Split, mark: (KeyName, Nonce) },
    /// Rows of a clear message.
    ClearRows(Split),
}

impl Frames {
    /// Frames that are needed at the other end, 1..=32: any so many with different indexes.
    #[must_use]
    pub const fn needed(&self) -> u8 {
        match &self.body {
            Body::Whole(_) => 1,
            Body::Rows { split, .. } | Body::ClearRows(split) => split.n,
        }
    }

    /// Whether every frame is the same.
    #[must_use]
    pub const fn is_single(&self) -> bool {
        matches!(self.body, Body::Whole(_))
    }
}

/// What a tag proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// The message's number; ask [`super::replay::Replay`] about it.
    pub number: Number,
    /// For whom.
    pub dst: Destination,
    /// How urgent.
    pub precedence: Precedence,
    /// Whether this station made it, or one of the net that says so.
    pub proof: Proof,
    /// How long the tag was: an order with a narrow one is not to be followed.
    pub tag: Tag,
    /// What tells this content from another under the same number.
    pub content: Digest,
}

/// An authentic message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whose it is.
    pub proven: Proven,
    /// The protected bytes, to be shown in hex with a warning where they cannot be read.
    pub bytes: Vec<u8>,
    /// What they say. Where that is not known here, the sender is told so; it is never guessed.
    pub protected: Result<Protected, ContentError>,
}

/// A message that anybody may have made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClearMessage {
    /// The head of its frame: source and number are what it says of itself.
    pub header: Header,
    /// The bytes of the content.
    pub bytes: Vec<u8>,
    /// What they say.
    pub protected: Result<Protected, ContentError>,
}

impl ClearMessage {
    /// The mark that goes with it wherever it is shown.
    pub const LABEL: &'static str = "未认证";
}

/// A row of an authentic message, once all of it is there. On open radio its mark was right, which keeps out junk only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedRow {
    /// The message's number, as far as 14 bits and the window tell.
    pub number: Number,
    /// The row.
    pub row: Row,
}

/// What a frame was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// A whole message.
    Single(Message),
    /// A row: keep it in a [`super::fragment::Partial`] until [`Door::open_object`] can open it.
    Row(SealedRow),
    /// Receipts for the station that this is addressed to.
    Receipts { proven: Proven, receipts: Vec<Receipt> },
    /// Receipts for several stations.
    Bundle { proven: Proven, receipts: Vec<Bundled> },
    /// A station says that it is there; its counter may be far ahead of the window.
    Beacon { proven: Proven, beacon: Beacon },
    /// A whole message in clear.
    Clear(ClearMessage),
    /// A row of a message in clear: keep it in a [`super::fragment::Partial`] until [`open_clear_object`] can read it.
    ClearRow(Row),
}

/// Why a message was not made into frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SendError {
    #[error("{needed} bytes, at most {most} fit into one frame here")]
    TooLong { needed: usize, most: usize },
    #[error("nothing may be encrypted on this bearer")]
    MayNotEncrypt,
    #[error("an order to the station itself goes between the centre and that one station only")]
    OrderToMany,
    #[error("an order to the station itself is never sent in clear")]
    OrderInClear,
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error(transparent)]
    Fragment(#[from] FragmentError),
    #[error(transparent)]
    Content(#[from] ContentError),
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    #[error(transparent)]
    Beacon(#[from] BeaconError),
    #[error(transparent)]
    Spent(#[from] SpentError),
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Why a frame, or a message of rows, was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpenError {
    #[error("a frame of {found} bytes, at most {FRAME_MAX} are looked at")]
    Long { found: usize },
    #[error("{found} bytes after the header, {expected} expected")]
    Short { expected: usize, found: usize },
    #[error("the frame does not say who made it, and neither does the bearer")]
    NoSource,
    #[error("frame {seq} is our own")]
    Own { seq: u16 },
    #[error("epoch bit {bit}: that epoch is not open here")]
    Epoch { bit: bool },
    #[error("sequence {seq} is out of reach of the last counter: a beacon is needed")]
    Counter { seq: u16 },
    #[error("receipts of frame {seq} are not for one station")]
    NotOneStation { seq: u16 },
    #[error("the beacon says epoch {found}, the header {expected}")]
    BeaconEpoch { expected: u8, found: u8 },
    #[error("extended kind {found} is not known")]
    Extended { found: u8 },
    #[error("kind {found} is not what these rows are for")]
    Kind { found: u8 },
    #[error("the check of a clear text is {found:#06x}, {expected:#06x} expected")]
    Check { expected: u16, found: u16 },
    #[error("an order to the station itself with a tag of {tag_bytes} bytes, for more than one station or in clear")]
    WeakOrder { tag_bytes: usize },
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error(transparent)]
    Fragment(#[from] FragmentError),
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    #[error(transparent)]
    Beacon(#[from] BeaconError),
    #[error(transparent)]
    Seal(#[from] SealError),
}

pub use clear::open_clear_object;

impl Door<'_> {
    fn number(&self, counter: u32) -> Number {
        Number { src: self.net.me, epoch: self.net.epoch, counter }
    }

    fn nonce(&self, number: Number, what: super::nonce::Use, tag: Tag) -> Nonce {
        Nonce::of(self.net.id, number, number.src == self.net.centre, what, tag)
    }

    fn key(&self, src: StationId, dst: Destination, epoch: u16) -> KeyName {
        self.net.key_name(src, dst, epoch)
    }
}
