//! What stands in a message: hanzi, code, mixed, and the embedded position (RDSS 4.0/2.1 §6).

mod charset;
mod position;

pub use charset::{decode_text, encode_gb2312, encode_gb18030, is_printable};
pub use position::{EmbeddedPosition, Height};

use crate::codec::EncodeError;
use bytes::{BufMut, Bytes, BytesMut};

/// The byte that begins mixed content.
pub const MIXED_MARK: u8 = 0xA4;
/// Air bits of one Chinese character in hanzi mode.
pub const HANZI_BITS: u32 = 14;
/// Air bits of one ASCII character in hanzi mode.
pub const ASCII_BITS: u32 = 7;

/// The form of content (传输方式).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// 汉字: GB2312 text.
    Hanzi,
    /// 代码: four bits a digit.
    Code,
    /// 混发: `A4`, then bytes.
    Mixed,
}

impl Form {
    /// As sentences of 2.1 write it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Hanzi => 0,
            Self::Code => 1,
            Self::Mixed => 2,
        }
    }
}

/// What stood in a message, its transport taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// GB2312/GB18030 bytes of readable text.
    Hanzi(Bytes),
    /// Digits, four bits each, as upper-case hex letters.
    Code(String),
    /// The bytes after the mark `A4`.
    Mixed(Bytes),
    /// Not what its form promises: the bytes as they stood.
    Raw(Bytes),
}

impl Content {
    /// From a 4.0 frame: `form` 0 Chinese text, else code, or mixed where it begins with `A4`. The bit length drops an
    /// odd digit's padding.
    #[must_use]
    pub fn from_binary(form: u8, bits: u16, bytes: &Bytes) -> Self {
        match (form, bytes.first()) {
            (0, _) => Self::Hanzi(bytes.clone()),
            (_, Some(&MIXED_MARK)) => Self::Mixed(bytes.slice(1..)),
            _ => {
                let mut digits = hex::encode_upper(bytes);
                digits.truncate(usize::from(bits) / 4);
                Self::Code(digits)
            }
        }
    }

    /// From a 2.1 sentence. Some senders put mixed content under form 1; hex of either case, spaces after it.
    #[must_use]
    pub fn from_text(form: Form, wire: &Bytes) -> Self {
        if form == Form::Hanzi {
            return Self::Hanzi(wire.clone());
        }
        let digits = wire.trim_ascii_end();
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Self::Raw(wire.clone());
        }
        let marked = digits.get(..2).is_some_and(|mark| mark.eq_ignore_ascii_case(b"A4"));
        match (form, marked) {
            (_, true) => match even_hex(digits) {
                Some(bytes) => Self::Mixed(bytes.slice(1..)),
                None => Self::Raw(wire.clone()),
            },
            (Form::Code, false) => Self::Code(digits.iter().map(|c| char::from(c.to_ascii_uppercase())).collect()),
            _ => Self::Raw(wire.clone()),
        }
    }

    /// From a BDS-3 sentence: encoding 1 Chinese text, 2 code, 3 mixed; the compressed ones stay as they are.
    #[must_use]
    pub fn from_encoding(encoding: u8, wire: &Bytes) -> Self {
        match encoding {
            1 => Self::Hanzi(wire.clone()),
            2 => Self::from_text(Form::Code, wire),
            // Encoding 3 without the mark is sent by real modules: digits all the same.
            3 => match Self::from_text(Form::Mixed, wire) {
                Self::Raw(_) => Self::from_text(Form::Code, wire),
                mixed => mixed,
            },
            _ => Self::Raw(wire.clone()),
        }
    }

    /// The bytes that content stands for: text bytes, payload, or digits packed two a byte (an odd last one dropped).
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        match self {
            Self::Hanzi(bytes) | Self::Mixed(bytes) | Self::Raw(bytes) => bytes.clone(),
            Self::Code(digits) => even_hex(digits.as_bytes()).unwrap_or_default(),
        }
    }
}

/// Hex to bytes; an odd last digit is dropped.
fn even_hex(digits: &[u8]) -> Option<Bytes> {
    let even = digits.get(..digits.len() & !1)?;
    hex::decode(even).ok().map(Bytes::from)
}

/// How a text will travel: the cheapest mode that alters nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// `false`: hanzi mode, GB2312 bytes. `true`: mixed, GB18030 bytes without the mark.
    pub mixed: bool,
    pub bytes: Bytes,
    /// Air budget that it takes.
    pub air_bits: u32,
}

/// Which characters hanzi mode carries unaltered in a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HanziRule {
    /// 4.0: GB2312 and printable ASCII.
    Binary,
    /// 2.1: without `$ * ,`, which are marks of the sentence there.
    Sentence,
    /// BDS-3: no ASCII at all, which modules would turn to full width.
    WideOnly,
}

/// Chooses the mode of a text: hanzi (14 bits a hanzi, 7 an ASCII) when it carries every character unaltered, else mixed.
///
/// # Errors
/// [`EncodeError::Charset`] for a character outside GB18030.
pub fn pack_text(text: &str, rule: HanziRule) -> Result<Packed, EncodeError> {
    if let Some((bytes, air_bits)) = hanzi(text, rule) {
        return Ok(Packed { mixed: false, bytes, air_bits });
    }
    let bytes = encode_gb18030(text)?;
    let air_bits = mixed_bits(bytes.len());
    Ok(Packed { mixed: true, bytes, air_bits })
}

/// Air bits of mixed content: the mark counts.
#[must_use]
pub fn mixed_bits(payload: usize) -> u32 {
    u32::try_from(payload).unwrap_or(u32::MAX / 8 - 1).saturating_add(1).saturating_mul(8)
}

/// Mixed content: mark and bytes.
#[must_use]
pub fn mixed(payload: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(payload.len() + 1);
    out.put_u8(MIXED_MARK);
    out.put_slice(payload);
    out.freeze()
}

/// Mixed content as text dialects write it: upper-case hex.
#[must_use]
pub fn mixed_hex(payload: &[u8]) -> Bytes {
    Bytes::from(hex::encode_upper(mixed(payload)))
}

fn hanzi(text: &str, rule: HanziRule) -> Option<(Bytes, u32)> {
    let (mut out, mut bits) = (BytesMut::new(), 0_u32);
    for c in text.chars() {
        if c.is_ascii() {
            let carried = match rule {
                HanziRule::Binary => !c.is_ascii_control(),
                HanziRule::Sentence => !c.is_ascii_control() && !matches!(c, '$' | '*' | ','),
                HanziRule::WideOnly => false,
            };
            out.put_u8(u8::try_from(c).ok().filter(|_| carried)?);
            bits = bits.saturating_add(ASCII_BITS);
        } else {
            out.put_slice(&encode_gb2312(c)?);
            bits = bits.saturating_add(HANZI_BITS);
        }
    }
    Some((out.freeze(), bits))
}
