//! How much fits, and how much is kept: what a bearer leaves for a message, and the bounds on what a stranger can make us
//! hold.

use super::fragment::EXTENSION;
use super::header::Destination;
use super::nonce::Tag;
use super::seal::MARK;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Longest frame that is looked at, bytes: the best grade of a Beidou card (1,749), rounded up.
pub const FRAME_MAX: usize = 1_750;

/// Messages of one source that are put together at once.
pub const PARTIALS_PER_SOURCE_MAX: usize = 16;
/// Messages that are put together at once, in all.
pub const PARTIALS_MAX: usize = 256;
/// Bytes of rows that are held, in all.
pub const PARTIAL_BYTES_MAX: usize = 256 * 1024;
/// How long rows are kept on radio.
pub const PARTIAL_LIFE_RADIO: Duration = Duration::from_secs(30 * 60);
/// How long rows are kept on Beidou.
pub const PARTIAL_LIFE_BEIDOU: Duration = Duration::from_secs(6 * 3600);
/// Failed tags of one source within an hour that are an alarm, after which 64-bit tags are demanded.
pub const FAILURES_PER_HOUR_MAX: u32 = 20;

/// The content byte.
const CONTENT: usize = 1;

/// What a card or link does to frames. It is its configuration; nothing here is a constant of a kind of bearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bearing {
    /// Bytes of one frame, at most [`FRAME_MAX`].
    pub mtu: usize,
    /// Anybody can send here: every tag has 64 bits, every row a mark of 16.
    pub open_radio: bool,
    /// Sealing is lawful here (amateur bands: no).
    pub may_encrypt: bool,
    /// 32-bit tags are refused although this is no open radio: after [`FAILURES_PER_HOUR_MAX`] failures.
    pub only_wide_tags: bool,
}

impl Bearing {
    /// A bearer where one sender has one try a slot (Beidou).
    #[must_use]
    pub const fn closed(mtu: usize) -> Self {
        Self { mtu, open_radio: false, may_encrypt: true, only_wide_tags: false }
    }

    /// A radio channel.
    #[must_use]
    pub const fn open(mtu: usize) -> Self {
        Self { mtu, open_radio: true, may_encrypt: true, only_wide_tags: false }
    }

    /// What every one of these bearers carries: a message that is sealed for it goes out over any of them, with the same
    /// number. `None` for none.
    #[must_use]
    pub fn shared(bearings: impl IntoIterator<Item = Self>) -> Option<Self> {
        bearings.into_iter().reduce(|one, other| Self {
            mtu: one.mtu.min(other.mtu),
            open_radio: one.open_radio || other.open_radio,
            may_encrypt: one.may_encrypt && other.may_encrypt,
            only_wide_tags: one.only_wide_tags || other.only_wide_tags,
        })
    }

    /// The tag of a single frame. `order`: the content is an order.
    #[must_use]
    pub const fn tag(&self, order: bool) -> Tag {
        if self.open_radio || self.only_wide_tags || order { Tag::Wide } else { Tag::Narrow }
    }

    /// The tags that a frame heard here may have, the longest first.
    #[must_use]
    pub const fn accepted_tags(&self) -> &'static [Tag] {
        match self.tag(false) {
            Tag::Wide => &[Tag::Wide],
            Tag::Narrow => &[Tag::Wide, Tag::Narrow],
        }
    }

    /// Bytes of the mark after each row.
    #[must_use]
    pub const fn mark_len(&self) -> usize {
        if self.open_radio { MARK } else { 0 }
    }

    /// Bytes behind the content byte that a single frame carries.
    #[must_use]
    pub const fn usable_single(&self, dst: Destination, tag: Tag) -> usize {
        self.mtu.saturating_sub(dst.header_len() + CONTENT + tag.len())
    }

    /// Bytes of one row.
    #[must_use]
    pub const fn usable_row(&self, dst: Destination) -> usize {
        self.mtu.saturating_sub(dst.header_len() + EXTENSION + self.mark_len())
    }

    /// Receipts that a frame of nothing else carries.
    #[must_use]
    pub const fn usable_receipts(&self) -> usize {
        super::receipt::fitting(self.mtu.saturating_sub(super::header::LONG + self.tag(false).len()))
    }

    /// Rows that a message of so many protected bytes takes here, content byte included; 1 = a single frame. `None` =
    /// more than 32.
    #[must_use]
    pub fn frames(&self, dst: Destination, protected_bytes: usize, order: bool) -> Option<u8> {
        let single = self.mtu.checked_sub(dst.header_len().saturating_add(self.tag(order).len()));
        if single.is_some_and(|room| protected_bytes <= room) {
            return Some(1);
        }
        let row = self.usable_row(dst);
        let rows = protected_bytes.checked_add(Tag::Wide.len())?.checked_add(row)?.checked_sub(1)?.checked_div(row)?;
        u8::try_from(rows).ok().filter(|rows| *rows <= super::erasure::SOURCES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::header::Group;
    use crate::message::StationId;

    const ALL: Destination = Destination::Everyone;

    #[test]
    fn every_bearer_leaves_what_the_table_says() {
        // MTU, open radio, single, single for an order, row.
        for (mtu, open, single, order, row) in
            [(77, false, 67, 63, 70), (69, false, 59, 55, 62), (120, true, 106, 106, 111), (200, true, 186, 186, 191)]
        {
            let bearing = if open { Bearing::open(mtu) } else { Bearing::closed(mtu) };
            assert_eq!(bearing.usable_single(ALL, bearing.tag(false)), single, "{mtu}");
            assert_eq!(bearing.usable_single(ALL, bearing.tag(true)), order, "{mtu}");
            assert_eq!(bearing.usable_row(ALL), row, "{mtu}");
        }
    }

    #[test]
    fn an_extended_destination_costs_two_bytes() {
        let bearing = Bearing::closed(77);
        for dst in [Destination::Station(StationId::new(7).unwrap()), Destination::Group(Group::new(7).unwrap())] {
            assert_eq!((bearing.usable_single(dst, Tag::Narrow), bearing.usable_row(dst)), (65, 68));
        }
    }

    #[test]
    fn twenty_four_receipts_fill_a_frame_of_77_bytes() {
        assert_eq!(Bearing::closed(77).usable_receipts(), 24);
        assert_eq!(Bearing::closed(76).usable_receipts(), 23);
        assert_eq!(Bearing::open(77).usable_receipts(), 22);
    }

    #[test]
    fn a_message_takes_as_many_frames_as_its_bytes_and_its_tag_need() {
        let bearing = Bearing::closed(77);
        assert_eq!(bearing.frames(ALL, 68, false), Some(1));
        assert_eq!(bearing.frames(ALL, 68, true), Some(2));
        // 132 + 8 of tag = 2 rows of 70.
        assert_eq!((bearing.frames(ALL, 132, false), bearing.frames(ALL, 133, false)), (Some(2), Some(3)));
        assert_eq!((bearing.frames(ALL, 2_232, false), bearing.frames(ALL, 2_233, false)), (Some(32), None));
        assert_eq!(Bearing::closed(0).frames(ALL, 1, false), None);
        assert_eq!(Bearing::closed(7).frames(ALL, 1, false), None);
    }

    #[test]
    fn a_short_tag_is_accepted_only_where_tries_are_few() {
        assert_eq!(Bearing::closed(77).accepted_tags(), [Tag::Wide, Tag::Narrow]);
        assert_eq!(Bearing::open(120).accepted_tags(), [Tag::Wide]);
        let alarmed = Bearing { only_wide_tags: true, ..Bearing::closed(77) };
        assert_eq!((alarmed.accepted_tags(), alarmed.tag(false)), ([Tag::Wide].as_slice(), Tag::Wide));
    }
}
