use super::put;
use crate::codec::EncodeError;
use encoding_rs::{GB18030, UTF_8, UTF_16BE, UTF_16LE};

/// Where a text stands; without a length it takes the rest of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextField {
    pub offset: usize,
    pub length: Option<usize>,
}

impl TextField {
    pub(super) fn write(&self, frame: &mut Vec<u8>, text: &[u8]) -> Result<(), EncodeError> {
        let bits = |bytes: usize| u32::try_from(bytes.saturating_mul(8)).unwrap_or(u32::MAX);
        let filling = match self.length {
            Some(length) => length
                .checked_sub(text.len())
                .ok_or(EncodeError::TooLong { needed: bits(text.len()), capacity: bits(length) })?,
            None => 0,
        };
        put(frame, self.offset, text);
        put(frame, self.offset.saturating_add(text.len()), &vec![0; filling]);
        Ok(())
    }
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    Gb18030,
    Utf16Le,
    Utf16Be,
}

impl Charset {
    /// The text, and whether bytes had to be replaced. A field of fixed length is filled up with NULs or blanks.
    pub(super) fn read(self, bytes: &[u8], field: &TextField) -> (String, bool) {
        let encoding = match self {
            Self::Utf8 => UTF_8,
            Self::Gb18030 => GB18030,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
        };
        let (text, lossy) = encoding.decode_without_bom_handling(bytes);
        let text = text.trim_end_matches('\0');
        let text = if field.length.is_some() { text.trim_end_matches(' ') } else { text };
        (text.to_owned(), lossy)
    }

    /// The text's bytes.
    ///
    /// # Errors
    /// [`EncodeError::Charset`] for a character that this charset has not.
    pub fn write(self, text: &str) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            Self::Utf16Le => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Self::Utf16Be => Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            Self::Gb18030 => match GB18030.encode(text) {
                (bytes, _, false) => Ok(bytes.into_owned()),
                _ => Err(EncodeError::Charset(text.chars().find(|c| GB18030.encode(&c.to_string()).2).unwrap_or('?'))),
            },
        }
    }
}
