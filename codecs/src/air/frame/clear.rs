//! Messages in clear, for mutual aid and for bearers where nothing may be encrypted. Anybody can make one.
//!
//! ```text
//! header (kind 7) | 00 | content | check:16          whole
//! header (kind 7) | 01 | n-1:5 index:6 pad:5 | row   a row; the message that was split is content | check:16
//! ```
//!
//! The check is the first two bytes of SM3 over header and content. It finds damage, not forgery.

use super::{Body, ClearMessage, Door, Frames, Letter, OpenError, Opened, SendError};
use crate::air::content::Protected;
use crate::air::fragment::{EXTENSION, Partial, Row, Split, split};
use crate::air::header::{Header, Kind};
use sm3::{Digest as _, Sm3};

const WHOLE: u8 = 0;
const ROW: u8 = 1;
/// The byte that says which.
const EXTENDED: usize = 1;

impl Door<'_> {
    /// A message in clear: one frame where it fits, else rows. It uses no nonce; its counter may have been sealed with.
    ///
    /// # Errors
    /// [`SendError::OrderInClear`] for a control; others as [`Self::seal`].
    pub fn clear(&self, letter: &Letter) -> Result<Frames, SendError> {
        if letter.protected.content.is_order() {
            return Err(SendError::OrderInClear);
        }
        letter.protected.may_go_to(letter.dst)?;
        letter.protected.may_be_clear()?;
        let number = self.number(letter.counter);
        let header = Header {
            kind: Kind::Extended,
            precedence: letter.precedence,
            epoch_bit: number.epoch_bit(),
            src: Some(number.src),
            seq: number.seq(),
            dst: letter.dst,
        };
        let mut object = letter.protected.emit()?;
        object.extend(check(&header, &object)?.to_be_bytes());
        let around = header.dst.header_len().saturating_add(EXTENDED);
        if self.fits(around.saturating_add(object.len())).is_ok() {
            let frame = [header.emit()?, vec![WHOLE], object].concat();
            return Ok(Frames { header, body: Body::Whole(frame) });
        }
        let payload = self.bearing.mtu.saturating_sub(around.saturating_add(EXTENSION));
        Ok(Frames { header, body: Body::ClearRows(split(object, payload)?) })
    }
}

/// Frame `index` of a clear message in rows.
pub(super) fn row_frame(header: &Header, split: &Split, index: u8) -> Result<Vec<u8>, SendError> {
    let mut frame = header.emit()?;
    frame.push(ROW);
    frame.extend(split.extension(index).emit()?);
    frame.extend(split.row(index)?);
    Ok(frame)
}

/// Reads what follows the header of a clear frame.
pub(super) fn open(header: Header, body: &[u8]) -> Result<Opened, OpenError> {
    match body.split_first() {
        Some((&WHOLE, object)) => message(header, object).map(Opened::Clear),
        Some((&ROW, row)) => Ok(Opened::ClearRow(Row::parse(header, row)?)),
        Some((found, _)) => Err(OpenError::Extended { found: *found }),
        None => Err(OpenError::Short { expected: EXTENDED, found: 0 }),
    }
}

/// Reads a clear message all of whose rows are there.
///
/// # Errors
/// [`OpenError::Fragment`] while rows are missing, [`OpenError::Check`] where a row was damaged or another's.
pub fn open_clear_object(partial: &Partial) -> Result<ClearMessage, OpenError> {
    let header = *partial.header();
    if header.kind != Kind::Extended {
        return Err(OpenError::Kind { found: header.kind.number() });
    }
    message(header, &partial.finish()?)
}

fn message(header: Header, object: &[u8]) -> Result<ClearMessage, OpenError> {
    let short = OpenError::Short { expected: 2, found: object.len() };
    let (content, found) = object.split_last_chunk().ok_or(short)?;
    let (expected, found) = (check(&header, content)?, u16::from_be_bytes(*found));
    if expected != found {
        return Err(OpenError::Check { expected, found });
    }
    let protected = Protected::parse(content).and_then(|protected| {
        protected.may_go_to(header.dst)?;
        protected.may_be_clear()?;
        Ok(protected)
    });
    if protected.as_ref().is_ok_and(|protected| protected.content.is_order()) {
        return Err(OpenError::WeakOrder { tag_bytes: 0 });
    }
    Ok(ClearMessage { header, bytes: content.to_vec(), protected })
}

fn check(header: &Header, content: &[u8]) -> Result<u16, crate::air::header::HeaderError> {
    let digest = Sm3::new_with_prefix(header.emit()?).chain_update(content).finalize();
    Ok(digest.first_chunk().map_or(0, |first| u16::from_be_bytes(*first)))
}
