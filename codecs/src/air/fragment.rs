//! A message that does not fit into one frame: n source rows of one size, and repair rows for as long as they are wanted.
//!
//! After the header, 16 bits: `n-1:5 | index:6 | pad:5`, then the row. All rows have S = ceil(L / n) bytes, which is
//! read from the frame's length; `pad` = n·S − L zero bytes end the last source row.

use super::bits::{BitReader, BitWriter, BitsError};
use super::erasure::{self, ErasureError, INDEX_MAX, SOURCES_MAX};
use super::header::{Header, Kind};
use super::limits::FRAME_MAX;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Bytes of the extension after the header.
pub const EXTENSION: usize = 2;

/// Why a row cannot be made, or does not belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FragmentError {
    #[error("{found} source rows, 1 to {SOURCES_MAX} expected")]
    Sources { found: u8 },
    #[error("row {found}, at most {INDEX_MAX}")]
    Index { found: u8 },
    #[error("padding of {found} bytes, fewer than the {n} source rows expected")]
    Padding { n: u8, found: u8 },
    #[error("padding holds {found:#04x}, 0 expected: a row was altered")]
    PaddingByte { found: u8 },
    #[error("row {index} of {n} in a frame of kind {kind}")]
    Kind { kind: u8, index: u8, n: u8 },
    #[error("a row of {found} bytes, 1 to {FRAME_MAX} expected")]
    Size { found: usize },
    #[error("a message of {found} bytes, 1 to {most} fit into {SOURCES_MAX} rows")]
    Length { found: usize, most: usize },
    #[error("row {index} is of another message: header, n, size or padding differ")]
    Disagrees { index: u8 },
    #[error("row {index} came before with other bytes")]
    Conflict { index: u8 },
    #[error(transparent)]
    Rows(#[from] ErasureError),
    #[error(transparent)]
    Bits(#[from] BitsError),
}

/// The 16 bits that follow the header of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Source rows, 1..=32.
    pub n: u8,
    /// Which row this is, 0..=63; below `n` a source row.
    pub index: u8,
    /// Zero bytes at the end of the last source row, below `n`.
    pub pad: u8,
}

impl Extension {
    /// Reads exactly two bytes.
    ///
    /// # Errors
    /// [`FragmentError::Padding`] where `pad` is not below `n`.
    pub fn parse(bytes: [u8; EXTENSION]) -> Result<Self, FragmentError> {
        let mut bits = BitReader::new(&bytes);
        let n = bits.take_u8(5)?.saturating_add(1);
        let extension = Self { n, index: bits.take_u8(6)?, pad: bits.take_u8(5)? };
        extension.checked()
    }

    fn checked(self) -> Result<Self, FragmentError> {
        match self {
            Self { n, .. } if n == 0 || n > SOURCES_MAX => Err(FragmentError::Sources { found: n }),
            Self { index, .. } if index > INDEX_MAX => Err(FragmentError::Index { found: index }),
            Self { n, pad, .. } if pad >= n => Err(FragmentError::Padding { n, found: pad }),
            right => Ok(right),
        }
    }

    /// The two bytes on the air.
    ///
    /// # Errors
    /// [`FragmentError`] for a number out of its range.
    pub fn emit(self) -> Result<[u8; EXTENSION], FragmentError> {
        let Self { n, index, pad } = self.checked()?;
        let mut bits = BitWriter::new();
        bits.push(n.saturating_sub(1).into(), 5)?;
        bits.push(index.into(), 6)?;
        bits.push(pad.into(), 5)?;
        let bytes = bits.finish();
        <[u8; EXTENSION]>::try_from(bytes.as_slice()).map_err(|_| FragmentError::Size { found: bytes.len() })
    }

    /// Whether this is one of the rows that the message was cut into.
    #[must_use]
    pub const fn is_source(self) -> bool {
        self.index < self.n
    }
}

/// A message cut into rows. It keeps the message and makes any row on demand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Source rows, 1..=32.
    pub n: u8,
    /// Bytes of every row.
    pub size: usize,
    /// Zero bytes at the end of the last source row, below `n`.
    pub pad: u8,
    object: Vec<u8>,
}

/// How a message of `length` bytes is cut into the fewest rows of at most `payload_bytes`, all of one size: the extension of
/// its row 0, and the size.
///
/// # Errors
/// [`FragmentError::Length`] for nothing, or for more than 32 rows can carry.
pub fn plan(length: usize, payload_bytes: usize) -> Result<(Extension, usize), FragmentError> {
    let most = payload_bytes.saturating_mul(SOURCES_MAX.into());
    let wrong = FragmentError::Length { found: length, most };
    if length == 0 || length > most {
        return Err(wrong);
    }
    let n = length.div_ceil(payload_bytes);
    let size = length.div_ceil(n);
    let pad = size.saturating_mul(n).saturating_sub(length);
    match (u8::try_from(n), u8::try_from(pad)) {
        (Ok(n), Ok(pad)) => Ok((Extension { n, index: 0, pad }, size)),
        _ => Err(wrong),
    }
}

/// Cuts a message as [`plan`] says.
///
/// # Errors
/// As [`plan`].
pub fn split(object: Vec<u8>, payload_bytes: usize) -> Result<Split, FragmentError> {
    let (Extension { n, pad, .. }, size) = plan(object.len(), payload_bytes)?;
    Ok(Split { n, size, pad, object })
}

impl Split {
    /// The bytes of row `index`, 0..=63.
    ///
    /// # Errors
    /// [`FragmentError`] for an index above 63.
    pub fn row(&self, index: u8) -> Result<Vec<u8>, FragmentError> {
        let mut padded = self.object.clone();
        padded.resize(padded.len().saturating_add(self.pad.into()), 0);
        let sources: Vec<&[u8]> = padded.chunks(self.size.max(1)).collect();
        Ok(erasure::encode_row(&sources, index)?)
    }

    /// What stands before row `index`.
    #[must_use]
    pub const fn extension(&self, index: u8) -> Extension {
        Extension { n: self.n, index, pad: self.pad }
    }
}

/// One row as it was heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The head of its frame.
    pub header: Header,
    /// Which row of how many.
    pub extension: Extension,
    /// The row itself, without any fragment tag.
    pub bytes: Vec<u8>,
}

impl Row {
    /// Reads what follows the header (and, in clear text, the byte that says so), without any fragment tag.
    ///
    /// # Errors
    /// [`FragmentError`] for bytes that are no row, or a row that its kind of frame does not carry.
    pub fn parse(header: Header, body: &[u8]) -> Result<Self, FragmentError> {
        let (extension, row) = body.split_first_chunk().ok_or(FragmentError::Size { found: body.len() })?;
        let extension = Extension::parse(*extension)?;
        let fits = match header.kind {
            Kind::SourceFragment => extension.is_source(),
            Kind::RepairFragment => !extension.is_source(),
            Kind::Extended => true,
            _ => false,
        };
        if !fits {
            let Extension { n, index, .. } = extension;
            return Err(FragmentError::Kind { kind: header.kind.number(), index, n });
        }
        if row.is_empty() || row.len() > FRAME_MAX {
            return Err(FragmentError::Size { found: row.len() });
        }
        Ok(Self { header, extension, bytes: row.to_vec() })
    }
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is kept; so many more are needed.
    Kept { missing: u8 },
    /// It came before, with the same bytes.
    Copy,
    /// Enough rows were there already.
    NotNeeded,
}

/// The rows of one message that have come so far: at most `n` rows of one size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partial {
    header: Header,
    n: u8,
    pad: u8,
    size: usize,
    rows: BTreeMap<u8, Vec<u8>>,
}

impl Partial {
    /// From the first row that came.
    #[must_use]
    pub fn begin(row: &Row) -> Self {
        Self {
            header: message_header(row.header),
            n: row.extension.n,
            pad: row.extension.pad,
            size: row.bytes.len(),
            rows: BTreeMap::from([(row.extension.index, row.bytes.clone())]),
        }
    }

    /// Keeps another row.
    ///
    /// # Errors
    /// [`FragmentError::Disagrees`] for a row of another message or size, [`FragmentError::Conflict`] for one that came
    /// before with other bytes. Nothing changes then.
    pub fn add(&mut self, row: &Row) -> Result<Added, FragmentError> {
        let Extension { n, index, pad } = row.extension;
        let same = (message_header(row.header), n, pad, row.bytes.len()) == (self.header, self.n, self.pad, self.size);
        if !same {
            return Err(FragmentError::Disagrees { index });
        }
        match self.rows.get(&index) {
            Some(known) if *known == row.bytes => return Ok(Added::Copy),
            Some(_) => return Err(FragmentError::Conflict { index }),
            None if self.rows_missing() == 0 => return Ok(Added::NotNeeded),
            None => {}
        }
        self.rows.insert(index, row.bytes.clone());
        Ok(Added::Kept { missing: self.rows_missing() })
    }

    /// Rows still needed, whichever they are; 0 = [`Self::finish`] will do.
    #[must_use]
    pub fn rows_missing(&self) -> u8 {
        self.n.saturating_sub(u8::try_from(self.rows.len()).unwrap_or(u8::MAX))
    }

    /// The head of the message: that of its rows, a source fragment's even where a repair row came first.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Source rows and padding, as they are authenticated.
    #[must_use]
    pub const fn extension(&self) -> Extension {
        Extension { n: self.n, index: 0, pad: self.pad }
    }

    /// Bytes that it holds, for the limit over all of them.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.rows.len().saturating_mul(self.size)
    }

    /// The message as it was split.
    ///
    /// # Errors
    /// [`FragmentError`] while rows are missing.
    pub fn finish(&self) -> Result<Vec<u8>, FragmentError> {
        let Extension { n, pad, .. } = self.extension().checked()?;
        let mut object = erasure::decode(n, self.size, &self.rows)?;
        let wrong = FragmentError::Length { found: 0, most: object.len() };
        let length = object.len().checked_sub(pad.into()).filter(|length| *length > 0).ok_or(wrong)?;
        // A bit that only the padding would show must not go unseen.
        if let Some(found) = object.split_off(length).into_iter().find(|byte| *byte != 0) {
            return Err(FragmentError::PaddingByte { found });
        }
        Ok(object)
    }
}

/// The header that all rows of a message share: repair rows differ from source rows in their kind only.
#[must_use]
pub const fn message_header(header: Header) -> Header {
    match header.kind {
        Kind::RepairFragment => Header { kind: Kind::SourceFragment, ..header },
        _ => header,
    }
}
