//! Alphabets of short messages (TS 23.038): the 7 bit default alphabet with its extension table (§6.2.1), 8 bit data,
//! UCS-2 (which phones use as UTF-16), and the cutting of long texts at characters.

/// The default alphabet, in order of its codes; 1B is the escape to the extension table.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const ESCAPE: u8 = 0x1B;
/// The extension table: code after the escape, character.
const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// Octets of user data in one short message, without a header.
pub const OCTETS_MAX: usize = 140;
/// Octets of the header that numbers the parts of a long text with an 8 bit reference, its length octet included.
const CONCAT_OCTETS: usize = 6;

/// How the characters of a message are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    Gsm7,
    /// 8 bit data, or compressed text: no text that we read.
    Octets,
    Ucs2,
}

impl Alphabet {
    /// By the data coding scheme (TS 23.038 §4, §5).
    #[must_use]
    pub const fn of(dcs: u8) -> Self {
        match dcs >> 4 {
            0x0..=0x7 if dcs & 0x20 != 0 => Self::Octets,
            0x0..=0x7 => match dcs & 0x0C {
                0x04 => Self::Octets,
                0x08 => Self::Ucs2,
                _ => Self::Gsm7,
            },
            0xE => Self::Ucs2,
            0xF if dcs & 0x04 != 0 => Self::Octets,
            _ => Self::Gsm7,
        }
    }

    /// The name in `explain`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gsm7 => "gsm7",
            Self::Octets => "8bit",
            Self::Ucs2 => "ucs2",
        }
    }
}

/// A text as it stands in user data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packed {
    Septets(Vec<u8>),
    Octets(Vec<u8>),
}

/// The septets of a character; `None` when the default alphabet does not have it.
#[must_use]
pub fn septets_of(c: char) -> Option<Vec<u8>> {
    if let Some((code, _)) = EXTENSION.iter().find(|(_, known)| *known == c) {
        return Some(vec![ESCAPE, *code]);
    }
    let code = BASIC.chars().position(|known| known == c && c != '\u{1b}')?;
    u8::try_from(code).ok().map(|code| vec![code])
}

/// Whether every character is in the default alphabet or its extension.
#[must_use]
pub fn is_gsm7(text: &str) -> bool {
    text.chars().all(|c| septets_of(c).is_some())
}

/// The text of septets, and whether something had to be replaced.
#[must_use]
pub fn text_of_septets(septets: &[u8]) -> (String, bool) {
    let (mut text, mut lossy, mut escaped) = (String::new(), false, false);
    for code in septets {
        if escaped {
            // An unknown extension shows as a space (§6.2.1.1).
            let known = EXTENSION.iter().find(|(known, _)| known == code);
            lossy |= known.is_none();
            text.push(known.map_or(' ', |(_, c)| *c));
            escaped = false;
        } else if *code == ESCAPE {
            escaped = true;
        } else {
            text.push(BASIC.chars().nth(usize::from(*code)).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }
    (text, lossy || escaped)
}

/// The text of UCS-2 octets, and whether something had to be replaced (half a pair, an odd last octet).
#[must_use]
pub fn text_of_ucs2(octets: &[u8]) -> (String, bool) {
    let pairs = octets.chunks_exact(2);
    let mut lossy = !pairs.remainder().is_empty();
    let units = pairs.map(|pair| pair.try_into().map_or(0, u16::from_be_bytes));
    let text = char::decode_utf16(units)
        .map(|unit| {
            lossy |= unit.is_err();
            unit.unwrap_or(char::REPLACEMENT_CHARACTER)
        })
        .collect();
    (text, lossy)
}

/// Septets packed into octets after so many filling bits (§6.1.2.1).
#[must_use]
pub fn pack(septets: &[u8], fill: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut held, mut bits) = (0_u32, fill.min(7));
    for septet in septets {
        held |= u32::from(*septet & 0x7F) << bits;
        bits = bits.saturating_add(7);
        while bits >= 8 {
            out.push(low(held));
            held >>= 8;
            bits = bits.saturating_sub(8);
        }
    }
    if bits > 0 {
        out.push(low(held));
    }
    out
}

/// So many septets out of octets, after so many filling bits; fewer where the octets end.
#[must_use]
pub fn unpack(octets: &[u8], fill: u32, count: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut held, mut bits, mut skip) = (0_u32, 0_u32, fill.min(7));
    for octet in octets {
        held |= u32::from(*octet) << bits;
        bits = bits.saturating_add(8);
        if skip > 0 {
            held >>= skip;
            bits = bits.saturating_sub(skip);
            skip = 0;
        }
        while bits >= 7 && out.len() < count {
            out.push(low(held) & 0x7F);
            held >>= 7;
            bits = bits.saturating_sub(7);
        }
    }
    out
}

const fn low(value: u32) -> u8 {
    let [octet, ..] = value.to_le_bytes();
    octet
}

/// A text cut into as few messages as carry it: one without a header, or several with one. Never inside a character:
/// no surrogate pair, no escape is parted.
#[must_use]
pub fn parts(text: &str, alphabet: Alphabet) -> Vec<Packed> {
    let (unit_bits, size): (usize, fn(char) -> Vec<u8>) = match alphabet {
        Alphabet::Gsm7 => (7, |c| septets_of(c).unwrap_or_default()),
        _ => (8, |c| c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()).collect()),
    };
    let room = |octets: usize| octets.saturating_mul(8).checked_div(unit_bits).unwrap_or(0);
    let whole = cut(text, room(OCTETS_MAX), size);
    let cut = if whole.len() <= 1 { whole } else { cut(text, room(OCTETS_MAX.saturating_sub(CONCAT_OCTETS)), size) };
    let packed = |units| if unit_bits == 7 { Packed::Septets(units) } else { Packed::Octets(units) };
    cut.into_iter().map(packed).collect()
}

fn cut(text: &str, room: usize, size: fn(char) -> Vec<u8>) -> Vec<Vec<u8>> {
    let (mut parts, mut part) = (Vec::new(), Vec::new());
    for c in text.chars() {
        let units = size(c);
        if part.len().saturating_add(units.len()) > room {
            parts.push(std::mem::take(&mut part));
        }
        part.extend(units);
    }
    parts.push(part);
    parts
}
