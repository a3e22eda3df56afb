//! Codecs that need no model: UTF-8 (0), GB18030 (1) and 14 bits a character (2).

use encoding_rs::GB18030;

/// Cells of a row, and rows, of GB 2312-80.
const CELLS: u32 = 94;
/// Numbers from here on are ASCII.
const ASCII: u32 = CELLS * CELLS;
const BITS: u32 = 14;

/// Text as GB18030; `None` where a character has no code there.
pub fn write_gb18030(text: &str) -> Option<Vec<u8>> {
    let (bytes, _, unmappable) = GB18030.encode(text);
    // Private-use characters have two-byte codes that read back as others: only what comes back is written.
    let bytes = Some(bytes.into_owned()).filter(|_| !unmappable)?;
    (read_gb18030(&bytes).as_deref() == Some(text)).then_some(bytes)
}

/// GB18030 as text; `None` where bytes are none.
pub fn read_gb18030(bytes: &[u8]) -> Option<String> {
    GB18030.decode_without_bom_handling_and_without_replacement(bytes).map(std::borrow::Cow::into_owned)
}

/// The number of a character: its place in GB 2312-80 row by row, or 8,836 and its ASCII code.
fn number(c: char) -> Option<u32> {
    if c.is_ascii() {
        return Some(ASCII + u32::from(c));
    }
    let mut utf8 = [0; 4];
    let (bytes, _, unmappable) = GB18030.encode(c.encode_utf8(&mut utf8));
    let [row, cell] = <[u8; 2]>::try_from(bytes.as_ref()).ok().filter(|_| !unmappable)?;
    let (row, cell) = (u32::from(row.checked_sub(0xA1)?), u32::from(cell.checked_sub(0xA1)?));
    let number = (row < CELLS && cell < CELLS).then_some(row * CELLS + cell)?;
    (character(number) == Some(c)).then_some(number)
}

fn character(number: u32) -> Option<char> {
    if number >= ASCII {
        return u8::try_from(number - ASCII).ok().filter(u8::is_ascii).map(char::from);
    }
    let byte = |n: u32| u8::try_from(n + 0xA1).ok();
    let text = read_gb18030(&[byte(number / CELLS)?, byte(number % CELLS)?])?;
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// Text in 14 bits a character; `None` where a character is neither ASCII nor of GB 2312-80.
pub fn write_14_bits(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for c in text.chars() {
        held = held << BITS | number(c)?;
        bits += BITS;
        while bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xFF).ok()?);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        // Ones fill the last byte: a filled-up character would be 16,383, which is none.
        let filled = (held << (8 - bits)) | ((1 << (8 - bits)) - 1);
        bytes.push(u8::try_from(filled).ok()?);
    }
    Some(bytes)
}

/// 14 bits a character as text; `None` where a number stands for none, or what fills the last byte is not ones.
pub fn read_14_bits(bytes: &[u8]) -> Option<String> {
    let (mut text, mut held, mut bits) = (String::new(), 0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        if bits >= BITS {
            bits -= BITS;
            text.push(character(held >> bits)?);
            held &= (1 << bits) - 1;
        }
    }
    (bits < 8 && held == (1 << bits) - 1).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fourteen_bits_hold_a_hanzi_or_an_ascii_character() {
        let text = "水位+1.2米，速报";
        let bytes = write_14_bits(text).unwrap();
        assert_eq!(bytes.len(), (text.chars().count() * 14).div_ceil(8));
        assert_eq!(read_14_bits(&bytes).as_deref(), Some(text));
        assert_eq!(write_14_bits("堃"), None, "a name's character of GBK");
        assert_eq!(read_14_bits(&[0xFF, 0xFF]), None);
    }

    #[test]
    fn every_character_that_a_codec_takes_comes_back() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            if let Some(bytes) = write_gb18030(&text) {
                assert_eq!(read_gb18030(&bytes).as_deref(), Some(text.as_str()));
            }
            if let Some(bytes) = write_14_bits(&text) {
                assert_eq!(read_14_bits(&bytes).as_deref(), Some(text.as_str()), "{c:?}");
            }
        }
    }
}
