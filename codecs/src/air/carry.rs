//! Frames on paper and on a stick: lines of text that a courier carries when even the air is gone.
//!
//! ```text
//! YZC1: and then in hex   ( length:16 | frame )…  check:32          one line; the check is the beginning of SM3
//! ```
//!
//! Each line stands alone and holds whole frames, so that a line is a QR code, a file is as many lines as it takes, and it
//! does not matter in which order, how often, or together with what else they are read.

use super::limits::FRAME_MAX;
use sm3::{Digest as _, Sm3};
use thiserror::Error;

/// What begins a line.
pub const MARK: &str = "YZC1:";
/// Bytes of frames that one line holds, unless one frame alone is longer: its QR code has 61 modules and fits a terminal
/// of 80 columns.
pub const LINE_BYTES: usize = 190;
/// Lines that are read from one text, at most.
pub const LINES_MAX: usize = 4_096;
const CHECK: usize = 4;

/// Why a text holds no frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CarryError {
    #[error("no line begins with {MARK}")]
    Nothing,
    #[error("line {line} is not hex")]
    Hex { line: usize },
    #[error("the check of line {line} is wrong: it was damaged or cut off")]
    Check { line: usize },
    #[error("line {line} declares a frame of {declared} bytes, {present} are there")]
    Frame { line: usize, declared: usize, present: usize },
    #[error("more than {LINES_MAX} lines")]
    TooMany,
}

/// Frames as lines. A frame that is longer than [`FRAME_MAX`] is none and is left out.
#[must_use]
pub fn write<'a>(frames: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for frame in frames.into_iter().filter(|frame| frame.len() <= FRAME_MAX) {
        let Ok(length) = u16::try_from(frame.len()) else { continue };
        let needed = frame.len().saturating_add(2);
        if lines.last().is_none_or(|line| line.len().saturating_add(needed) > LINE_BYTES) {
            lines.push(Vec::new());
        }
        if let Some(line) = lines.last_mut() {
            line.extend(length.to_be_bytes());
            line.extend_from_slice(frame);
        }
    }
    let written = |line: &Vec<u8>| format!("{MARK}{}", hex::encode_upper([line.as_slice(), &check(line)].concat()));
    lines.iter().map(written).collect()
}

/// The frames of every line that begins with [`MARK`]; whatever else stands in the text is passed over.
///
/// # Errors
/// [`CarryError`] naming the line, from 1: a damaged one is never read in part.
pub fn read(text: &str) -> Result<Vec<Vec<u8>>, CarryError> {
    let marked = (1..).zip(text.lines()).filter_map(|(line, words)| Some((line, words.trim().strip_prefix(MARK)?)));
    let (mut frames, mut count) = (Vec::new(), 0_usize);
    for (line, written) in marked {
        count = count.saturating_add(1);
        if count > LINES_MAX {
            return Err(CarryError::TooMany);
        }
        let bytes = hex::decode(written.trim()).map_err(|_| CarryError::Hex { line })?;
        let (mut rest, said) = bytes.split_last_chunk::<CHECK>().ok_or(CarryError::Check { line })?;
        if check(rest) != *said {
            return Err(CarryError::Check { line });
        }
        while let Some((length, after)) = rest.split_first_chunk() {
            let declared = usize::from(u16::from_be_bytes(*length));
            let present = after.len();
            let (frame, after) =
                after.split_at_checked(declared).ok_or(CarryError::Frame { line, declared, present })?;
            frames.push(frame.to_vec());
            rest = after;
        }
    }
    if count == 0 { Err(CarryError::Nothing) } else { Ok(frames) }
}

fn check(bytes: &[u8]) -> [u8; CHECK] {
    Sm3::digest(bytes).first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frames_come_back_from_lines_in_any_order_and_among_other_words() {
        let frames = [vec![1_u8; 77], vec![2; 77], vec![3; 77], vec![4; 500]];
        let mut lines = write(frames.iter().map(Vec::as_slice));
        assert_eq!(lines.len(), 3, "two frames of 77 bytes to a line, and the long one alone");
        lines.reverse();
        let text = format!("三合乡 报文\n\n  {}\n谢谢", lines.join("\n"));
        let mut found = read(&text).unwrap();
        found.sort();
        assert_eq!(found, frames);
    }

    #[test]
    fn a_damaged_line_is_named_and_nothing_of_it_is_taken() {
        let line = write([[7_u8; 20].as_slice()]).remove(0);
        for at in MARK.len()..line.len() {
            let mut altered = line.clone().into_bytes();
            altered[at] = if altered[at] == b'0' { b'1' } else { b'0' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(read(&format!("\n{altered}")), Err(CarryError::Check { line: 2 }), "{at}");
        }
        assert_eq!(read("YZC1:XY"), Err(CarryError::Hex { line: 1 }));
        assert_eq!(read("YZC1:"), Err(CarryError::Check { line: 1 }));
        assert_eq!(read("没有"), Err(CarryError::Nothing));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = read(&text);
            let _ = read(&format!("{MARK}{}", hex::encode(&bytes)));
            let mut whole = bytes.clone();
            whole.extend(check(&bytes));
            let _ = read(&format!("{MARK}{}", hex::encode(whole)));
        }
    }
}
