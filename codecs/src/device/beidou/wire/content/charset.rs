//! GB18030 in, GB2312 or GB18030 out.

use crate::codec::EncodeError;
use bytes::{Bytes, BytesMut};
use encoding_rs::GB18030;

/// Reads text as GB18030, the superset: a reader of GB2312 loses rare characters of names. `true` = bytes had to be
/// replaced (cut in the middle of a character by the network, or never text).
#[must_use]
pub fn decode_text(bytes: &[u8]) -> (String, bool) {
    let (text, lossy) = GB18030.decode_without_bom_handling(bytes);
    (text.into_owned(), lossy)
}

/// Whether a text has nothing in it that a person would not type.
#[must_use]
pub fn is_printable(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || is_private(c))
}

/// Private-use characters: what GB18030 makes of bytes that are assigned to nothing.
fn is_private(c: char) -> bool {
    matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}')
}

/// The two bytes of a character of GB2312; `None` for every other, also for those that only GBK has.
#[must_use]
pub fn encode_gb2312(c: char) -> Option<[u8; 2]> {
    let mut utf8 = [0; 4];
    let (bytes, _, unmappable) = GB18030.encode(c.encode_utf8(&mut utf8));
    let pair = <[u8; 2]>::try_from(bytes.as_ref()).ok().filter(|_| !unmappable)?;
    in_gb2312(pair).then_some(pair)
}

/// The rows (区) of GB 2312-80 as they were filled in 1980.
const fn in_gb2312([row, cell]: [u8; 2]) -> bool {
    match row {
        0xA1 | 0xA3 => matches!(cell, 0xA1..=0xFE),
        0xA2 => matches!(cell, 0xB1..=0xE2 | 0xE5..=0xEE | 0xF1..=0xFC),
        0xA4 => matches!(cell, 0xA1..=0xF3),
        0xA5 => matches!(cell, 0xA1..=0xF6),
        0xA6 => matches!(cell, 0xA1..=0xB8 | 0xC1..=0xD8),
        0xA7 => matches!(cell, 0xA1..=0xC1 | 0xD1..=0xF1),
        0xA8 => matches!(cell, 0xA1..=0xBA | 0xC5..=0xE9),
        0xA9 => matches!(cell, 0xA4..=0xEF),
        0xD7 => matches!(cell, 0xA1..=0xF9),
        0xB0..=0xF7 => matches!(cell, 0xA1..=0xFE),
        _ => false,
    }
}

/// Text as GB18030, one to four bytes a character.
///
/// # Errors
/// [`EncodeError::Charset`] naming the first character that GB18030 cannot carry.
pub fn encode_gb18030(text: &str) -> Result<Bytes, EncodeError> {
    let mut out = BytesMut::with_capacity(text.len());
    for c in text.chars() {
        let mut utf8 = [0; 4];
        let (bytes, _, unmappable) = GB18030.encode(c.encode_utf8(&mut utf8));
        if unmappable {
            return Err(EncodeError::Charset(c));
        }
        out.extend_from_slice(&bytes);
    }
    Ok(out.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gb2312_holds_exactly_the_7445_characters_of_1980() {
        let found = ('\u{80}'..='\u{FFFF}').filter(|c| encode_gb2312(*c).is_some()).count();
        assert_eq!(found, 7445);
        assert_eq!(encode_gb2312('堤'), Some([0xB5, 0xCC]));
        assert_eq!(encode_gb2312('堃'), None, "a name's character of GBK");
        assert_eq!(encode_gb2312('€'), None);
    }

    #[test]
    fn a_rare_character_takes_four_bytes_and_comes_back() {
        let bytes = encode_gb18030("𠮷水").unwrap();
        assert_eq!(bytes.len(), 6);
        assert_eq!(decode_text(&bytes), ("𠮷水".to_owned(), false));
        assert!(decode_text(&bytes[..5]).1, "a cut character is marked");
    }
}
