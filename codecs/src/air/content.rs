//! What the seal protects: a byte `type:3 | codec:5`, then the body.
//!
//! | type | codec field | body |
//! |---|---|---|
//! | 0 text | text codec | the coded text |
//! | 1 form | variant of the form layer | the packed form |
//! | 2 form + text | text codec | the packed form, padded to a byte, then the coded text |
//! | 3 receipts | count 1..=31, or 0 = to the end | 22 bits each, padded to a byte; after a count the main content follows |
//! | 4 positions | 0 relative, 1 absolute | units |
//! | 5 control | 0 | `code:8` and its arguments |
//!
//! This layer carries texts and forms as they are: what is in them is for their own codecs.

use super::bits::{BitReader, BitWriter, BitsError};
use super::header::Destination;
use super::position::{PositionError, Positions};
use super::receipt::{self, Receipt, ReceiptError};
use super::text::FIRST_MODEL;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The highest codec field.
pub const CODEC_MAX: u8 = 31;
/// Most receipts that may ride before a main content.
pub const RIDING_MAX: usize = 31;

const TEXT: u8 = 0;
const FORM: u8 = 1;
const FORM_AND_TEXT: u8 = 2;
const RECEIPTS: u8 = 3;
const POSITIONS: u8 = 4;
const CONTROL: u8 = 5;

/// Why protected bytes cannot be read or written. The frame was authentic all the same: its sender is told so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ContentError {
    #[error("a content without its first byte")]
    Empty,
    #[error("content type {found} is reserved")]
    Type { found: u8 },
    #[error("codec field {found}, at most {most} in content type {kind}")]
    Codec { kind: u8, found: u8, most: u8 },
    #[error("receipts after receipts")]
    Nested,
    #[error("{found} receipts before a content, 1 to {RIDING_MAX} expected")]
    Riding { found: usize },
    #[error("receipts for whoever hears it: they are for one station")]
    ToMany,
    #[error("a clear text in codec {codec}: whoever reads clear text may have no model")]
    ModelInClear { codec: u8 },
    #[error("a content of type {kind} without a body")]
    Body { kind: u8 },
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    #[error(transparent)]
    Position(#[from] PositionError),
    #[error(transparent)]
    Bits(#[from] BitsError),
}

impl ContentError {
    /// For the person who looks at the bytes.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Empty => "一个字节也没有".into(),
            Self::Type { found } => format!("第 {found} 类内容，本版本不认识"),
            Self::Codec { kind, found, .. } => format!("第 {kind} 类内容没有第 {found} 号编码"),
            Self::ModelInClear { codec } => format!("明文用了第 {codec} 号编码：明文不用模型"),
            Self::Body { kind } => format!("第 {kind} 类内容只有开头，没有正文"),
            Self::Receipt(_) | Self::Nested | Self::Riding { .. } | Self::ToMany => "回执部分的字节不合格式".into(),
            Self::Position(_) => "位置部分的字节不合格式".into(),
            Self::Bits(_) => "字节不全，或多出了几位".into(),
        }
    }
}

/// One content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A text in text codec `codec`, 0..=31.
    Text { codec: u8, body: Vec<u8> },
    /// A form; `variant` 0..=31 is the form layer's own.
    Form { variant: u8, body: Vec<u8> },
    /// A form, then a text in text codec `codec`, 0..=31. Where the form ends, the form says.
    FormAndText { codec: u8, body: Vec<u8> },
    /// Receipts alone, to the end.
    Receipts(Vec<Receipt>),
    /// Where units are.
    Positions(Positions),
    /// An order to the station itself.
    Control { code: u8, arguments: Vec<u8> },
}

/// All that was protected: perhaps receipts that rode along, then the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protected {
    /// At most [`RIDING_MAX`] receipts for the one station that this is sent to.
    pub riding: Vec<Receipt>,
    /// What was sent.
    pub content: Content,
}

impl From<Content> for Protected {
    fn from(content: Content) -> Self {
        Self { riding: Vec::new(), content }
    }
}

impl Content {
    /// The `type` and `codec` fields.
    #[must_use]
    pub const fn head(&self) -> (u8, u8) {
        match self {
            Self::Text { codec, .. } => (TEXT, *codec),
            Self::Form { variant, .. } => (FORM, *variant),
            Self::FormAndText { codec, .. } => (FORM_AND_TEXT, *codec),
            Self::Receipts(_) => (RECEIPTS, 0),
            Self::Positions(positions) => (POSITIONS, positions.variant()),
            Self::Control { .. } => (CONTROL, 0),
        }
    }

    /// Reads a content to the end of these bytes.
    ///
    /// # Errors
    /// [`ContentError`] for a type or field that this version does not know, and for a broken body.
    pub fn parse(bytes: &[u8]) -> Result<Self, ContentError> {
        let (kind, codec, body) = head(bytes)?;
        match kind {
            TEXT => Ok(Self::Text { codec, body: body.to_vec() }),
            FORM | FORM_AND_TEXT if body.is_empty() => Err(ContentError::Body { kind }),
            FORM => Ok(Self::Form { variant: codec, body: body.to_vec() }),
            FORM_AND_TEXT => Ok(Self::FormAndText { codec, body: body.to_vec() }),
            RECEIPTS if codec == 0 => Ok(Self::Receipts(receipt::parse_list(body)?)),
            RECEIPTS => Err(ContentError::Nested),
            POSITIONS => Ok(Self::Positions(Positions::parse(codec, body)?)),
            CONTROL if codec != 0 => Err(ContentError::Codec { kind, found: codec, most: 0 }),
            CONTROL => {
                let (code, arguments) = body.split_first().ok_or(ContentError::Body { kind })?;
                Ok(Self::Control { code: *code, arguments: arguments.to_vec() })
            }
            found => Err(ContentError::Type { found }),
        }
    }

    /// The bytes that are sealed.
    ///
    /// # Errors
    /// [`ContentError`] for a codec above [`CODEC_MAX`], and for what would not be read back.
    pub fn emit(&self) -> Result<Vec<u8>, ContentError> {
        let (kind, codec) = self.head();
        let mut bytes = vec![head_byte(kind, codec)?];
        match self {
            Self::Form { body, .. } | Self::FormAndText { body, .. } if body.is_empty() => {
                return Err(ContentError::Body { kind });
            }
            Self::Text { body, .. } | Self::Form { body, .. } | Self::FormAndText { body, .. } => {
                bytes.extend_from_slice(body);
            }
            Self::Receipts(receipts) => bytes.extend(receipt::emit_list(receipts)?),
            Self::Positions(positions) => bytes.extend(positions.emit()?),
            Self::Control { code, arguments } => {
                bytes.push(*code);
                bytes.extend_from_slice(arguments);
            }
        }
        Ok(bytes)
    }

    /// Whether only the longer tag and the key of one station may carry it.
    #[must_use]
    pub const fn is_order(&self) -> bool {
        matches!(self, Self::Control { .. })
    }
}

impl Protected {
    /// Whether this may be sent to `dst`: receipts name messages of the one station that they are sent to.
    ///
    /// # Errors
    /// [`ContentError::ToMany`] for receipts to a role, a group or everyone.
    pub fn may_go_to(&self, dst: Destination) -> Result<(), ContentError> {
        let one = matches!(dst, Destination::Station(_) | Destination::CommandPost);
        let receipts = !self.riding.is_empty() || matches!(self.content, Content::Receipts(_));
        if receipts && !one { Err(ContentError::ToMany) } else { Ok(()) }
    }

    /// Whether it may be sent and taken in clear. Anybody can make a clear text, and two bytes in a model may be two thousand
    /// characters: nobody is to have our work for nothing, and a stranger may lack the model.
    ///
    /// # Errors
    /// [`ContentError::ModelInClear`]
    pub fn may_be_clear(&self) -> Result<(), ContentError> {
        match self.content {
            Content::Text { codec, .. } | Content::FormAndText { codec, .. } if codec >= FIRST_MODEL => {
                Err(ContentError::ModelInClear { codec })
            }
            _ => Ok(()),
        }
    }

    /// Reads what was sealed.
    ///
    /// # Errors
    /// As [`Content::parse`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ContentError> {
        let (kind, count, body) = head(bytes)?;
        if kind != RECEIPTS || count == 0 {
            return Ok(Content::parse(bytes)?.into());
        }
        let mut bits = BitReader::new(body);
        let riding = receipt::take_list(&mut bits, count.into())?;
        let main = bits.rest()?;
        match head(main)? {
            (RECEIPTS, ..) => Err(ContentError::Nested),
            _ => Ok(Self { riding, content: Content::parse(main)? }),
        }
    }

    /// The bytes that are sealed.
    ///
    /// # Errors
    /// As [`Content::emit`]; [`ContentError::Riding`] for more than [`RIDING_MAX`] receipts, [`ContentError::Nested`] where
    /// the content is receipts as well.
    pub fn emit(&self) -> Result<Vec<u8>, ContentError> {
        if self.riding.is_empty() {
            return self.content.emit();
        }
        if matches!(self.content, Content::Receipts(_)) {
            return Err(ContentError::Nested);
        }
        let count = u8::try_from(self.riding.len()).ok().filter(|count| usize::from(*count) <= RIDING_MAX);
        let count = count.ok_or(ContentError::Riding { found: self.riding.len() })?;
        let mut bytes = vec![head_byte(RECEIPTS, count)?];
        bytes.extend(receipt::emit_list(&self.riding)?);
        bytes.extend(self.content.emit()?);
        Ok(bytes)
    }
}

fn head(bytes: &[u8]) -> Result<(u8, u8, &[u8]), ContentError> {
    let (first, body) = bytes.split_first().ok_or(ContentError::Empty)?;
    Ok((first >> 5, first & CODEC_MAX, body))
}

fn head_byte(kind: u8, codec: u8) -> Result<u8, ContentError> {
    if codec > CODEC_MAX {
        return Err(ContentError::Codec { kind, found: codec, most: CODEC_MAX });
    }
    let mut bits = BitWriter::new();
    bits.push(kind.into(), 3)?;
    bits.push(codec.into(), 5)?;
    bits.finish().first().copied().ok_or(ContentError::Empty)
}

/// Bytes that so many receipts take before a main content, their head included.
#[must_use]
pub const fn riding_len(receipts: usize) -> usize {
    if receipts == 0 { 0 } else { 1 + receipts.saturating_mul(receipt::ITEM_BITS).div_ceil(8) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::golden::{self, text, unhex};
    use crate::air::receipt::State;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn list(receipts: &[Receipt]) -> Value {
        receipts.iter().map(|r| json!([r.seq, r.state.numbers().0, r.state.numbers().1])).collect()
    }

    #[test]
    fn the_golden_contents_are_read_and_written_so() {
        golden::hold(include_str!("vectors/content.jsonl"), |case| {
            let bytes = unhex(text(case, "hex"));
            let protected = Protected::parse(&bytes).map_err(|error| error.to_string())?;
            assert_eq!(protected.emit().unwrap(), bytes);
            let (kind, codec) = protected.content.head();
            let body = match &protected.content {
                Content::Receipts(receipts) => list(receipts),
                content => json!(hex::encode(&content.emit().unwrap()[1..])),
            };
            Ok(json!({ "riding": list(&protected.riding), "type": kind, "codec": codec, "body": body }))
        });
    }

    fn receipts(count: usize) -> Vec<Receipt> {
        vec![Receipt { seq: 7, state: State::Complete }; count]
    }

    #[test]
    fn receipts_ride_before_a_content_but_not_before_receipts() {
        let text = Content::Text { codec: 1, body: vec![0xB5, 0xBD] };
        let riding = Protected { riding: receipts(31), content: text.clone() };
        assert_eq!(riding.emit().unwrap().len(), riding_len(31) + 3);
        assert_eq!(Protected::parse(&riding.emit().unwrap()), Ok(riding));
        let more = Protected { riding: receipts(32), content: text };
        assert_eq!(more.emit(), Err(ContentError::Riding { found: 32 }));
        let nested = Protected { riding: receipts(1), content: Content::Receipts(receipts(1)) };
        assert_eq!(nested.emit(), Err(ContentError::Nested));
        assert_eq!((riding_len(0), riding_len(1), riding_len(24)), (0, 4, 67));
    }

    #[test]
    fn a_codec_of_more_than_five_bits_is_not_written() {
        let text = Content::Text { codec: 32, body: vec![] };
        assert_eq!(text.emit(), Err(ContentError::Codec { kind: 0, found: 32, most: 31 }));
        let form = Content::Form { variant: 0, body: vec![] };
        assert_eq!(form.emit(), Err(ContentError::Body { kind: 1 }));
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_as_it_was(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(protected) = Protected::parse(&bytes) {
                prop_assert_eq!(protected.emit().unwrap(), bytes);
            }
        }
    }
}
