//! Text between stations, in as few bytes as the receiver can read.
//!
//! A text is written by every codec that the receiver announced, and the shortest goes out; so it is never longer than
//! UTF-8 or GB18030. Statistical codecs ([`model`]) are files that both ends hold: a codec number is bound to the SM3 of its
//! file for ever. The layout is written down in `docs/air-text.md`.
//!
//! **Invariants**
//! - Integer arithmetic only, no hash order, no platform types: both ends agree bit for bit.
//! - Every Unicode text round-trips exactly, or is refused for its length. A text is read whole or not at all.

mod alphabet;
mod blend;
mod coder;
mod digits;
mod file;
mod fixed;
mod index;
mod join;
mod lexicon;
mod model;
mod net;
#[cfg(any(test, feature = "training"))]
mod net_kernels;
#[cfg(any(test, feature = "training"))]
mod net_training;
mod plain;
mod predict;
mod score;
#[cfg(test)]
mod tests;
mod topic;
#[cfg(feature = "training")]
pub mod training;
#[cfg(feature = "training")]
mod training_tree;

pub use file::ModelError;
pub use model::{CHARACTERS_MAX, Model, Unreadable};
pub use score::{Score, Scored, score};

use super::beacon::ModelSet;
use std::sync::LazyLock;

/// Bytes of the longest body that is read (facts: 1,750).
pub const BODY_MAX: usize = 1_750;

/// Bytes of UTF-8 of the longest text (facts: 8 KiB).
pub const TEXT_MAX: usize = 8 * 1_024;

/// The first number of a statistical codec.
pub const FIRST_MODEL: u8 = 8;

/// Number and file of every model that this program reads, oldest first.
const MODELS: [(u8, &[u8]); 1] = [(8, include_bytes!("models/8.model"))];

static READ: LazyLock<Vec<(u8, Model)>> =
    LazyLock::new(|| MODELS.iter().filter_map(|(number, file)| Some((*number, Model::read(file).ok()?))).collect());

/// The models that this program reads, as its beacon announces them.
#[must_use]
pub fn own_models() -> ModelSet {
    MODELS.iter().fold(ModelSet::default(), |set, (number, _)| set.with(*number))
}

/// A text as it is sent: the number of the codec (5 bits, in the content byte) and the body after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    pub codec: u8,
    pub body: Vec<u8>,
}

/// Why a text is not written or not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("the text has {found} characters, at most {CHARACTERS_MAX} can be sent: split it")]
    Long { found: usize },
    #[error("the body has {found} bytes, at most {BODY_MAX} are read")]
    Body { found: usize },
    #[error("codec {codec} is not known here: ask for a text without a model")]
    Codec { codec: u8 },
    #[error("{len} bytes are no text of codec {codec}")]
    Bytes { codec: u8, len: usize },
    #[error(transparent)]
    Model(#[from] Unreadable),
}

impl TextError {
    /// For the person who wrote the text or looks at the bytes.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Long { found } => format!("有 {found} 个字，最多能发 {CHARACTERS_MAX} 个：请分开发"),
            Self::Body { found } => format!("正文有 {found} 字节，最多读 {BODY_MAX} 字节"),
            Self::Codec { codec } => format!("本站没有第 {codec} 号文字编码：请对方不用模型重发"),
            Self::Bytes { codec, len } => format!("这 {len} 字节不是第 {codec} 号编码的文字"),
            Self::Model(_) => "这些字节不是用本站的文字模型写的，或者路上坏了：请对方重发".into(),
        }
    }
}

/// Writes a text with the codec, out of those that the receiver announced, that makes it shortest.
///
/// # Errors
/// [`TextError::Long`] and [`TextError::Body`]: nothing is cut off in silence.
pub fn write(text: &str, announced: ModelSet) -> Result<Packed, TextError> {
    let found = text.chars().count();
    if found > CHARACTERS_MAX || text.len() > TEXT_MAX {
        return Err(TextError::Long { found });
    }
    let mut best = Packed { codec: 0, body: text.as_bytes().to_vec() };
    let mut offer = |codec: u8, body: Vec<u8>| {
        if body.len() < best.body.len() {
            best = Packed { codec, body };
        }
    };
    for (codec, body) in [(1, plain::write_gb18030(text)), (2, plain::write_14_bits(text))] {
        body.into_iter().for_each(|body| offer(codec, body));
    }
    for (codec, model) in READ.iter().filter(|(codec, _)| announced.has(*codec)) {
        offer(*codec, model.write(text));
    }
    let found = best.body.len();
    if found > BODY_MAX { Err(TextError::Body { found }) } else { Ok(best) }
}

/// Writes a text with one codec, whatever is shorter; `None` where the codec is not known or cannot carry the text.
#[must_use]
pub fn write_as(codec: u8, text: &str) -> Option<Vec<u8>> {
    match codec {
        0 => Some(text.as_bytes().to_vec()),
        1 => plain::write_gb18030(text),
        2 => plain::write_14_bits(text),
        _ => READ.iter().find(|(number, _)| *number == codec).map(|(_, model)| model.write(text)),
    }
}

/// Reads a text.
///
/// # Errors
/// [`TextError`]: a part of a text is never given as if it were whole.
pub fn read(codec: u8, body: &[u8]) -> Result<String, TextError> {
    let len = body.len();
    if len > BODY_MAX {
        return Err(TextError::Body { found: len });
    }
    let text = match codec {
        0 => std::str::from_utf8(body).ok().map(str::to_owned),
        1 => plain::read_gb18030(body),
        2 => plain::read_14_bits(body),
        _ => {
            let model = READ.iter().find(|(number, _)| *number == codec).map(|(_, model)| model);
            return Ok(model.ok_or(TextError::Codec { codec })?.read_text(body)?);
        }
    };
    let text = text.ok_or(TextError::Bytes { codec, len })?;
    let found = text.chars().count();
    if found > CHARACTERS_MAX { Err(TextError::Long { found }) } else { Ok(text) }
}

/// Unpacks the models now, so that the first message does not wait for it (half a second).
pub fn warm_up() {
    LazyLock::force(&READ);
}

/// Bytes of all model files together.
#[must_use]
pub fn model_bytes() -> usize {
    MODELS.iter().map(|(_, file)| file.len()).sum()
}
