//! A datagram as an air frame. The frame is laid out in `docs/air-format.md` and read by [`crate::air`]; here is only what
//! can be said of it without a key, and in the words of a device: the head, and the row number of a long message.
//!
//! It has no emitter: frames are made behind the seal, and a datagram is the frame and nothing around it.

use crate::air::VERSION;
use crate::air::fragment::{EXTENSION, Extension, FragmentError};
use crate::air::header::{Header, HeaderError, Kind};
use crate::air::limits::FRAME_MAX;
use crate::codec::DecodeError;

/// Where an extended destination stands.
const EXTENDED_AT: usize = crate::air::header::SHORT;

/// Reads the head of a datagram, and gives what comes after it.
///
/// # Errors
/// [`DecodeError`] for what does not begin as an air frame of version 1, and for what is longer than any.
pub fn parse(datagram: &[u8]) -> Result<(Header, &[u8]), DecodeError> {
    let read = Header::parse(datagram).map_err(said_of_header)?;
    if datagram.len() > FRAME_MAX {
        let expected = "the end: an air frame has at most 1750 bytes";
        return Err(DecodeError::Field { field: "end", at: FRAME_MAX, expected });
    }
    Ok(read)
}

/// Which row of a long message a frame bears; `None` where its kind has none. `body` is what comes after the head.
///
/// # Errors
/// [`DecodeError`] for a row whose numbers do not agree.
pub fn row(header: &Header, body: &[u8]) -> Result<Option<Extension>, DecodeError> {
    let at = header.dst.header_len();
    if !matches!(header.kind, Kind::SourceFragment | Kind::RepairFragment) {
        return Ok(None);
    }
    let short = || DecodeError::Length { expected: at.saturating_add(EXTENSION), found: at.saturating_add(body.len()) };
    let bytes = body.first_chunk::<EXTENSION>().ok_or_else(short)?;
    let extension = Extension::parse(*bytes).map_err(|error| said_of_row(&error, at))?;
    if extension.is_source() != (header.kind == Kind::SourceFragment) {
        return Err(DecodeError::Field { field: "index", at, expected: "a row of the kind that the head says" });
    }
    Ok(Some(extension))
}

fn said_of_header(error: HeaderError) -> DecodeError {
    match error {
        HeaderError::Short { expected, found } => DecodeError::Length { expected, found },
        HeaderError::Version { .. } => {
            DecodeError::Field { field: "version", at: 0, expected: "01, air frames of version 1" }
        }
        HeaderError::Kind { .. } => DecodeError::Field { field: "kind", at: 0, expected: "0 to 5 or 7" },
        HeaderError::Destination { .. } => DecodeError::Field {
            field: "extended destination",
            at: EXTENDED_AT,
            expected: "a station of 1 to 1023 or a group from 0x8000 on",
        },
        HeaderError::Sequence { .. } | HeaderError::Bits(_) => DecodeError::Unknown(error.to_string()),
    }
}

fn said_of_row(error: &FragmentError, at: usize) -> DecodeError {
    match error {
        FragmentError::Padding { .. } => {
            DecodeError::Field { field: "pad", at: at.saturating_add(1), expected: "below the number of rows" }
        }
        _ => DecodeError::Unknown(error.to_string()),
    }
}

const _: () = assert!(VERSION == 1 && FRAME_MAX == 1_750, "the words of the errors above name these numbers");
