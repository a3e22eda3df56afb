//! A layout as data: what stands where in a frame, read and written by the same description.
//!
//! Checksums are computed bit by bit here: five kinds in thirty lines, over frames of a few hundred bytes.

mod layout;
mod parts;
mod place;
mod text;

pub(super) use layout::KEYS;
pub use layout::{DEFAULT, Layout};
pub use parts::{Byteorder, Checksum, Framing, Id, IdForm, Length, Mark, Sum};
pub use place::Place;
pub use text::{Charset, TextField};

use crate::codec::{DecodeError, EncodeError};
use crate::message::Position;
use bytes::Bytes;

/// What stands in one frame, as far as it is described.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub id: Option<String>,
    pub to: Option<String>,
    /// The text, and whether bytes of it had to be replaced.
    pub text: Option<(String, bool)>,
    pub position: Option<Position>,
}

impl Layout {
    /// Reads exactly one whole frame.
    ///
    /// # Errors
    /// [`DecodeError`] when head, tail, length or checksum are not as described, or a field is none.
    pub fn parse(&self, frame: &[u8]) -> Result<Said, DecodeError> {
        self.check(frame)?;
        let text_is_here = self.text_if.as_ref().is_none_or(|mark| mark.stands_in(frame));
        let text = match &self.text {
            Some(field) if text_is_here => self.text_bytes(field, frame).map(|bytes| self.charset.read(bytes, field)),
            _ => None,
        };
        let place_is_here = self.position_if.as_ref().is_none_or(|mark| mark.stands_in(frame));
        let position = if place_is_here { self.place.and_then(|place| place.read(frame)) } else { None };
        let number = |id: &Option<Id>| id.as_ref().map(|id| id.read(frame)).transpose();
        Ok(Said { id: number(&self.id)?, to: number(&self.to)?, text, position })
    }

    /// The frame that says this.
    ///
    /// # Errors
    /// [`EncodeError`] when a part is not described, or does not fit into its place.
    pub fn emit(&self, said: &Said) -> Result<Bytes, EncodeError> {
        let mut frame = self.head.to_vec();
        for (id, number) in [(&self.id, &said.id), (&self.to, &said.to)] {
            match (id, number) {
                (Some(id), Some(number)) => id.write(&mut frame, number)?,
                (None, Some(_)) => return Err(EncodeError::Unsupported),
                (Some(id), None) => reserve(&mut frame, id.offset.saturating_add(id.size)),
                (None, None) => {}
            }
        }
        if let Some((text, _)) = &said.text {
            self.text_if.iter().for_each(|mark| mark.write(&mut frame));
            let field = self.text.as_ref().ok_or(EncodeError::Unsupported)?;
            field.write(&mut frame, &self.charset.write(text)?)?;
        }
        if let Some(position) = &said.position {
            self.position_if.iter().for_each(|mark| mark.write(&mut frame));
            self.place.ok_or(EncodeError::Unsupported)?.write(&mut frame, position)?;
        }
        self.seal(frame)
    }
}

/// Makes the frame at least so long.
fn reserve(frame: &mut Vec<u8>, length: usize) {
    if frame.len() < length {
        frame.resize(length, 0);
    }
}

/// Writes bytes at a place, making room for them.
fn put(frame: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    reserve(frame, offset.saturating_add(bytes.len()));
    let places = frame.iter_mut().skip(offset);
    places.zip(bytes).for_each(|(place, byte)| *place = *byte);
}

/// The bytes at a place.
fn at(frame: &[u8], offset: usize, size: usize) -> Option<&[u8]> {
    frame.get(offset..offset.checked_add(size)?)
}
