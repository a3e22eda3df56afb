//! What became of a message: items of 22 bits for one station, `seq:14 | state:2 | arg:6`, and of 32 bits for several,
//! `src:10 | seq:14 | state:2 | arg:6`.
//!
//! COMPLETE is a machine's word. Only HUMAN may be shown to people as 已读 or 已答复.

use super::bits::{BitReader, BitWriter, BitsError};
use super::erasure::SOURCES_MAX;
use super::header::{SEQ_BITS, SEQ_MAX};
use crate::message::{Answer, Rung, StationId};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Bits of an item for one station.
pub const ITEM_BITS: usize = 22;
/// Bits of an item of a bundle.
pub const BUNDLE_BITS: usize = 32;
/// Most items that are read from one list.
pub const ITEMS_MAX: usize = 512;

/// Why a list of receipts cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiptError {
    #[error("{found} bytes are no whole number of receipts")]
    Length { found: usize },
    #[error("{found} receipts, 1 to {most} expected")]
    Count { found: usize, most: usize },
    #[error("sequence {found}, at most {SEQ_MAX}")]
    Sequence { found: u16 },
    #[error("receipt {at} is from station 0")]
    Source { at: usize },
    #[error("state {state} with argument {arg} is no receipt")]
    State { state: u8, arg: u8 },
    #[error(transparent)]
    Bits(#[from] BitsError),
}

/// What a person did, as HUMAN says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Human {
    /// 0: 已读
    Read,
    /// 1: 受领
    Accepted,
    /// 2: 执行中
    Executing,
    /// 3: 完成
    Done,
    /// 4: 无法执行
    Unable,
}

impl Human {
    /// Every word, in the order of its number.
    pub const ALL: [Self; 5] = [Self::Read, Self::Accepted, Self::Executing, Self::Done, Self::Unable];

    /// The argument on the air, 0..=4.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Read => 0,
            Self::Accepted => 1,
            Self::Executing => 2,
            Self::Done => 3,
            Self::Unable => 4,
        }
    }

    /// How far the message is proven to have come.
    #[must_use]
    pub const fn rung(self) -> Rung {
        match self {
            Self::Read => Rung::Read,
            Self::Accepted => Rung::Answered(Answer::Accepted),
            Self::Executing => Rung::Answered(Answer::Executing),
            Self::Done => Rung::Answered(Answer::Done),
            Self::Unable => Rung::Answered(Answer::Unable),
        }
    }
}

/// Why a message was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// 0: none of the others.
    Other,
    /// 1: the text model is not known here: send again with a codec that all know.
    UnknownModel,
    /// 2: the form or its version is not known here.
    UnknownForm,
    /// 3: a content type that is not known here.
    UnknownType,
    /// 4: the content was authentic but cannot be read.
    Unreadable,
    /// 5: too long for this station.
    TooLong,
    /// 6: no room to keep it.
    Full,
    /// 7: it came after its life had ended.
    Expired,
    /// 8: nobody of that name here.
    UnknownDestination,
    /// 9: known, but no way there.
    NoRoute,
    /// 10: the sender may not say this.
    NotPermitted,
    /// 11: a 64-bit tag is wanted for this.
    TagTooShort,
    /// 12: the number was used before for another message.
    NumberReused,
}

impl Reason {
    /// Every reason, in the order of its number.
    pub const ALL: [Self; 13] = [
        Self::Other,
        Self::UnknownModel,
        Self::UnknownForm,
        Self::UnknownType,
        Self::Unreadable,
        Self::TooLong,
        Self::Full,
        Self::Expired,
        Self::UnknownDestination,
        Self::NoRoute,
        Self::NotPermitted,
        Self::TagTooShort,
        Self::NumberReused,
    ];

    /// The argument on the air, 0..=12.
    #[must_use]
    pub fn number(self) -> u8 {
        let place = Self::ALL.iter().position(|reason| *reason == self);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(0)
    }

    /// The words that a person sees.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Other => "对方拒收",
            Self::UnknownModel => "对方没有这个压缩模型",
            Self::UnknownForm => "对方不认识这张表单",
            Self::UnknownType => "对方不认识这类内容",
            Self::Unreadable => "对方无法解读",
            Self::TooLong => "内容过长",
            Self::Full => "对方存储已满",
            Self::Expired => "到达时已过期",
            Self::UnknownDestination => "对方查无收件人",
            Self::NoRoute => "无法转达",
            Self::NotPermitted => "无权发送",
            Self::TagTooShort => "需要更强的认证",
            Self::NumberReused => "编号与另一条消息冲突",
        }
    }
}

/// What a receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// 0 NEED: so many rows are missing, 1..=32, whichever they are.
    Need(u8),
    /// 1 COMPLETE: a machine has the whole message.
    Complete,
    /// 2 HUMAN
    Human(Human),
    /// 3 REFUSED
    Refused(Reason),
    /// A state or an argument of a later version: it proves nothing and is skipped, and its neighbours still count.
    Unknown { state: u8, arg: u8 },
}

impl State {
    /// From the two fields, `state` 0..=3 and `arg` 0..=63.
    #[must_use]
    pub fn from_numbers(state: u8, arg: u8) -> Self {
        let known = match (state, arg) {
            (0, 1..=SOURCES_MAX) => Some(Self::Need(arg)),
            (1, 0) => Some(Self::Complete),
            (2, _) => Human::ALL.into_iter().find(|human| human.number() == arg).map(Self::Human),
            (3, _) => Reason::ALL.get(usize::from(arg)).copied().map(Self::Refused),
            _ => None,
        };
        known.unwrap_or(Self::Unknown { state, arg })
    }

    /// The two fields.
    #[must_use]
    pub fn numbers(self) -> (u8, u8) {
        match self {
            Self::Need(rows) => (0, rows),
            Self::Complete => (1, 0),
            Self::Human(human) => (2, human.number()),
            Self::Refused(reason) => (3, reason.number()),
            Self::Unknown { state, arg } => (state, arg),
        }
    }

    /// How far it proves the message to have come; `None` where it proves no arrival.
    #[must_use]
    pub const fn rung(self) -> Option<Rung> {
        match self {
            Self::Complete => Some(Rung::Delivered),
            Self::Human(human) => Some(human.rung()),
            Self::Need(_) | Self::Refused(_) | Self::Unknown { .. } => None,
        }
    }

    fn push(self, bits: &mut BitWriter) -> Result<(), ReceiptError> {
        let (state, arg) = self.numbers();
        // `Need(0)` and `Unknown` with the numbers of a known state would be read as something else.
        if Self::from_numbers(state, arg) != self {
            return Err(ReceiptError::State { state, arg });
        }
        bits.push(state.into(), 2)?;
        Ok(bits.push(arg.into(), 6)?)
    }

    fn take(bits: &mut BitReader<'_>) -> Result<Self, BitsError> {
        let state = bits.take_u8(2)?;
        Ok(Self::from_numbers(state, bits.take_u8(6)?))
    }
}

/// A receipt for a message of the station that it is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Receipt {
    /// The low 14 bits of the message's counter.
    pub seq: u16,
    /// What became of it.
    pub state: State,
}

/// A receipt for a message of any station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bundled {
    /// The station that made the message.
    pub src: StationId,
    /// The receipt.
    pub receipt: Receipt,
}

impl Receipt {
    pub(super) fn push(&self, bits: &mut BitWriter) -> Result<(), ReceiptError> {
        if self.seq > SEQ_MAX {
            return Err(ReceiptError::Sequence { found: self.seq });
        }
        bits.push(self.seq.into(), SEQ_BITS)?;
        self.state.push(bits)
    }

    pub(super) fn take(bits: &mut BitReader<'_>) -> Result<Self, BitsError> {
        Ok(Self { seq: bits.take_u16(SEQ_BITS)?, state: State::take(bits)? })
    }
}

/// Receipts for one station, to the end of these bytes.
///
/// # Errors
/// [`ReceiptError`] for no receipt, a broken one, and for padding that is not zero.
pub fn parse_list(bytes: &[u8]) -> Result<Vec<Receipt>, ReceiptError> {
    let count = bytes.len().saturating_mul(8) / ITEM_BITS;
    if count.saturating_mul(ITEM_BITS).div_ceil(8) != bytes.len() {
        return Err(ReceiptError::Length { found: bytes.len() });
    }
    let mut bits = BitReader::new(bytes);
    let receipts = take_list(&mut bits, count)?;
    bits.finish()?;
    Ok(receipts)
}

pub(super) fn take_list(bits: &mut BitReader<'_>, count: usize) -> Result<Vec<Receipt>, ReceiptError> {
    if count == 0 || count > ITEMS_MAX {
        return Err(ReceiptError::Count { found: count, most: ITEMS_MAX });
    }
    Ok((0..count).map(|_| Receipt::take(bits)).collect::<Result<_, _>>()?)
}

/// Receipts for one station, padded with zero bits to a whole byte.
///
/// # Errors
/// [`ReceiptError`] for none, more than [`ITEMS_MAX`], and for what would be read as something else.
pub fn emit_list(receipts: &[Receipt]) -> Result<Vec<u8>, ReceiptError> {
    if receipts.is_empty() || receipts.len() > ITEMS_MAX {
        return Err(ReceiptError::Count { found: receipts.len(), most: ITEMS_MAX });
    }
    let mut bits = BitWriter::new();
    for receipt in receipts {
        receipt.push(&mut bits)?;
    }
    Ok(bits.finish())
}

/// Receipts for several stations, four bytes each.
///
/// # Errors
/// [`ReceiptError`] for no receipt, a broken one, and one from no station.
pub fn parse_bundle(bytes: &[u8]) -> Result<Vec<Bundled>, ReceiptError> {
    let count = bytes.len() / 4;
    if !bytes.len().is_multiple_of(4) {
        return Err(ReceiptError::Length { found: bytes.len() });
    }
    if count == 0 || count > ITEMS_MAX {
        return Err(ReceiptError::Count { found: count, most: ITEMS_MAX });
    }
    let mut bits = BitReader::new(bytes);
    let item = |at| {
        let src = StationId::new(bits.take_u16(10)?).ok_or(ReceiptError::Source { at })?;
        Ok(Bundled { src, receipt: Receipt::take(&mut bits)? })
    };
    (0..count).map(item).collect()
}

/// Receipts for several stations.
///
/// # Errors
/// As [`emit_list`].
pub fn emit_bundle(receipts: &[Bundled]) -> Result<Vec<u8>, ReceiptError> {
    if receipts.is_empty() || receipts.len() > ITEMS_MAX {
        return Err(ReceiptError::Count { found: receipts.len(), most: ITEMS_MAX });
    }
    let mut bits = BitWriter::new();
    for bundled in receipts {
        bits.push(bundled.src.number().into(), 10)?;
        bundled.receipt.push(&mut bits)?;
    }
    Ok(bits.finish())
}

/// How many receipts fit into so many bytes.
#[must_use]
pub const fn fitting(bytes: usize) -> usize {
    let fit = bytes.saturating_mul(8) / ITEM_BITS;
    if fit < ITEMS_MAX { fit } else { ITEMS_MAX }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::golden::{self, text, unhex};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn shown(receipt: &Receipt) -> Value {
        let (state, arg) = receipt.state.numbers();
        json!([receipt.seq, state, arg])
    }

    #[test]
    fn the_golden_receipts_are_read_and_written_so() {
        golden::hold(include_str!("vectors/receipt.jsonl"), |case| {
            let bytes = unhex(text(case, "hex"));
            if text(case, "protocol") == "air-bundle" {
                let bundle = parse_bundle(&bytes).map_err(|error| error.to_string())?;
                assert_eq!(emit_bundle(&bundle).unwrap(), bytes);
                let item =
                    |b: &Bundled| json!([b.src.number(), b.receipt.seq, shown(&b.receipt)[1], shown(&b.receipt)[2]]);
                return Ok(json!({ "receipts": bundle.iter().map(item).collect::<Vec<_>>() }));
            }
            let list = parse_list(&bytes).map_err(|error| error.to_string())?;
            assert_eq!(emit_list(&list).unwrap(), bytes);
            Ok(json!({ "receipts": list.iter().map(shown).collect::<Vec<_>>() }))
        });
    }

    #[test]
    fn twenty_four_receipts_fill_66_bytes_and_25_need_more() {
        let receipt = Receipt { seq: 1, state: State::Complete };
        assert_eq!(emit_list(&[receipt; 24]).unwrap().len(), 66);
        assert_eq!(emit_list(&[receipt; 25]).unwrap().len(), 69);
        assert_eq!((fitting(66), fitting(68), fitting(69), fitting(0)), (24, 24, 25, 0));
    }

    #[test]
    fn a_state_of_a_later_version_leaves_its_neighbours_alone() {
        let later = State::from_numbers(2, 60);
        assert_eq!((later, later.rung()), (State::Unknown { state: 2, arg: 60 }, None));
        let list = [Receipt { seq: 1, state: later }, Receipt { seq: 2, state: State::Complete }];
        assert_eq!(parse_list(&emit_list(&list).unwrap()), Ok(list.to_vec()));
    }

    #[test]
    fn only_a_person_makes_a_message_read() {
        assert_eq!(State::Complete.rung(), Some(Rung::Delivered));
        assert_eq!(State::Human(Human::Read).rung(), Some(Rung::Read));
        assert_eq!(State::Human(Human::Done).rung(), Some(Rung::Answered(Answer::Done)));
        assert_eq!(State::Need(3).rung(), None);
        assert_eq!(State::Refused(Reason::Full).rung(), None);
    }

    #[test]
    fn what_would_be_read_as_something_else_is_not_written() {
        let list = |seq, state| emit_list(&[Receipt { seq, state }]);
        assert_eq!(list(1, State::Need(0)), Err(ReceiptError::State { state: 0, arg: 0 }));
        assert_eq!(list(1, State::Need(33)), Err(ReceiptError::State { state: 0, arg: 33 }));
        assert_eq!(list(1, State::Unknown { state: 1, arg: 0 }), Err(ReceiptError::State { state: 1, arg: 0 }));
        assert_eq!(list(16_384, State::Complete), Err(ReceiptError::Sequence { found: 16_384 }));
        assert_eq!(emit_list(&[]), Err(ReceiptError::Count { found: 0, most: ITEMS_MAX }));
        assert_eq!(emit_bundle(&[]), Err(ReceiptError::Count { found: 0, most: ITEMS_MAX }));
    }

    #[test]
    fn every_reason_has_its_number_and_its_words() {
        for (number, reason) in (0_u8..).zip(Reason::ALL) {
            assert_eq!(reason.number(), number);
            assert!(reason.label().chars().count() >= 4);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_as_it_was(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(list) = parse_list(&bytes) {
                prop_assert_eq!(emit_list(&list).unwrap(), bytes.clone());
            }
            if let Ok(bundle) = parse_bundle(&bytes) {
                prop_assert_eq!(emit_bundle(&bundle).unwrap(), bytes);
            }
        }
    }
}
