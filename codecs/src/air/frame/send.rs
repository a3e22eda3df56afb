//! From a content to frames.

use super::{Body, Door, Frames, Letter, SendError};
use crate::air::beacon::{Beacon, ModelSet};
use crate::air::erasure::{ErasureError, INDEX_MAX};
use crate::air::fragment::{FragmentError, plan, split};
use crate::air::header::{Destination, Header, Kind};
use crate::air::key::{KeyName, Proof};
use crate::air::nonce::{Digest, Number, Spent, Tag, Use};
use crate::air::receipt::{self, Bundled, Receipt};
use crate::message::{Precedence, StationId};

impl Door<'_> {
    /// Seals a message: one frame where it fits, else rows.
    ///
    /// # Errors
    /// [`SendError`]: sealing is not lawful here, the content cannot be written or is too long for 32 rows, or the counter
    /// was used for another content.
    pub fn seal(&self, spent: &mut Spent, letter: &Letter) -> Result<Frames, SendError> {
        self.may_encrypt()?;
        let number = self.number(letter.counter);
        let key = self.key(number.src, letter.dst, number.epoch);
        let is_control = letter.protected.content.is_order();
        if is_control && key.proof != Proof::Pair {
            return Err(SendError::OrderToMany);
        }
        letter.protected.may_go_to(letter.dst)?;
        let plain = letter.protected.emit()?;
        let header = self.header(Kind::Single, number, letter.precedence, letter.dst);
        let tag = self.bearing.tag(letter.order || is_control);
        let length = header.dst.header_len().saturating_add(plain.len()).saturating_add(tag.len());
        if length > self.bearing.mtu {
            return self.seal_rows(spent, key, number, header, &plain);
        }
        spent.claim(number.epoch, number.counter, Digest::of(&plain))?;
        let frame = self.sealed_frame(key, number, header, Use::Single, &plain, tag)?;
        Ok(Frames { header, body: Body::Whole(frame) })
    }

    fn seal_rows(
        &self,
        spent: &mut Spent,
        key: KeyName,
        number: Number,
        header: Header,
        plain: &[u8],
    ) -> Result<Frames, SendError> {
        let header = Header { kind: Kind::SourceFragment, ..header };
        let payload = self.bearing.usable_row(header.dst);
        let (extension, _) = plan(plain.len().saturating_add(Tag::Wide.len()), payload)?;
        spent.claim(number.epoch, number.counter, Digest::of(plain))?;
        let aad = [header.emit()?.as_slice(), &extension.emit()?].concat();
        let nonce = self.nonce(number, Use::Fragmented, Tag::Wide);
        let object = self.cipher.seal(key, &nonce, &aad, plain, Tag::Wide)?;
        Ok(Frames { header, body: Body::Rows { split: split(object, payload)?, mark: (key, nonce) } })
    }

    /// Frame `index`, 0..=63, for this door's bearer; where several bearers carry one message it was sealed for
    /// [`Bearing::shared`](crate::air::limits::Bearing::shared) to all of them. Below [`Frames::needed`] a piece of the message, from there on a repair row. A single frame is
    /// the same for every index.
    ///
    /// # Errors
    /// [`SendError`] for an index above 63, or where the cipher has lost the key.
    pub fn frame(&self, frames: &Frames, index: u8) -> Result<Vec<u8>, SendError> {
        if index > INDEX_MAX {
            return Err(FragmentError::from(ErasureError::Index { found: index }).into());
        }
        match &frames.body {
            Body::Whole(frame) => Ok(frame.clone()),
            Body::ClearRows(split) => super::clear::row_frame(&frames.header, split, index),
            Body::Rows { split, mark } => {
                let extension = split.extension(index);
                let kind = if extension.is_source() { Kind::SourceFragment } else { Kind::RepairFragment };
                let mut frame = Header { kind, ..frames.header }.emit()?;
                frame.extend(extension.emit()?);
                frame.extend(split.row(index)?);
                if self.bearing.open_radio {
                    let (key, nonce) = mark;
                    frame.extend(self.cipher.mark(*key, nonce, &[&frame])?);
                }
                Ok(frame)
            }
        }
    }

    /// A frame of receipts for one station.
    ///
    /// # Errors
    /// As [`Self::seal`]; [`SendError::TooLong`] for more than [`crate::air::limits::Bearing::usable_receipts`].
    pub fn seal_receipts(
        &self,
        spent: &mut Spent,
        counter: u32,
        precedence: Precedence,
        to: StationId,
        receipts: &[Receipt],
    ) -> Result<Vec<u8>, SendError> {
        let body = receipt::emit_list(receipts)?;
        let head = (Kind::Receipt, Use::Receipt, Destination::Station(to));
        self.seal_list(spent, counter, precedence, head, &body)
    }

    /// A frame of receipts for several stations.
    ///
    /// # Errors
    /// As [`Self::seal`]; [`SendError::TooLong`] where they do not fit into one frame.
    pub fn seal_bundle(
        &self,
        spent: &mut Spent,
        counter: u32,
        precedence: Precedence,
        dst: Destination,
        receipts: &[Bundled],
    ) -> Result<Vec<u8>, SendError> {
        let body = receipt::emit_bundle(receipts)?;
        self.seal_list(spent, counter, precedence, (Kind::Bundle, Use::Bundle, dst), &body)
    }

    fn seal_list(
        &self,
        spent: &mut Spent,
        counter: u32,
        precedence: Precedence,
        (kind, what, dst): (Kind, Use, Destination),
        body: &[u8],
    ) -> Result<Vec<u8>, SendError> {
        self.may_encrypt()?;
        let number = self.number(counter);
        let tag = self.bearing.tag(false);
        let needed = dst.header_len().saturating_add(body.len()).saturating_add(tag.len());
        self.fits(needed)?;
        spent.claim(number.epoch, number.counter, Digest::of(body))?;
        let header = self.header(kind, number, precedence, dst);
        self.sealed_frame(self.key(number.src, dst, number.epoch), number, header, what, body, tag)
    }

    /// A beacon for everyone. It is not encrypted, so that whoever has lost count can read the counter; its tag is always of
    /// 64 bits.
    ///
    /// # Errors
    /// As [`Self::seal`]. Authentication alone is lawful on every bearer.
    pub fn seal_beacon(
        &self,
        spent: &mut Spent,
        counter: u32,
        models: ModelSet,
        flags: u8,
    ) -> Result<Vec<u8>, SendError> {
        let number = self.number(counter);
        let [_, epoch] = number.epoch.to_be_bytes();
        let body = Beacon { epoch, counter, models, flags }.emit()?;
        let dst = Destination::Everyone;
        let header = self.header(Kind::Beacon, number, Precedence::Routine, dst).emit()?;
        self.fits(header.len().saturating_add(body.len()).saturating_add(Tag::Wide.len()))?;
        spent.claim(number.epoch, counter, Digest::of(&body))?;
        let frame = [header, body].concat();
        let nonce = self.nonce(number, Use::Beacon, Tag::Wide);
        let key = self.key(number.src, dst, number.epoch);
        let tag = self.cipher.seal(key, &nonce, &frame, &[], Tag::Wide)?;
        Ok([frame, tag].concat())
    }

    fn sealed_frame(
        &self,
        key: KeyName,
        number: Number,
        header: Header,
        what: Use,
        plain: &[u8],
        tag: Tag,
    ) -> Result<Vec<u8>, SendError> {
        let header = header.emit()?;
        let sealed = self.cipher.seal(key, &self.nonce(number, what, tag), &header, plain, tag)?;
        Ok([header, sealed].concat())
    }

    fn header(&self, kind: Kind, number: Number, precedence: Precedence, dst: Destination) -> Header {
        Header { kind, precedence, epoch_bit: number.epoch_bit(), src: Some(number.src), seq: number.seq(), dst }
    }

    const fn may_encrypt(&self) -> Result<(), SendError> {
        if self.bearing.may_encrypt { Ok(()) } else { Err(SendError::MayNotEncrypt) }
    }

    pub(super) const fn fits(&self, needed: usize) -> Result<(), SendError> {
        let most = self.bearing.mtu;
        if needed <= most { Ok(()) } else { Err(SendError::TooLong { needed, most }) }
    }
}
