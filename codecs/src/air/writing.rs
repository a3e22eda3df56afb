//! What people write, as a content, and a content as people read it: the one way in and out of texts and forms.

use super::beacon::ModelSet;
use super::content::Content;
use super::form::{Area, Form, FormError, UnpackError};
use super::receipt::Reason;
use super::text::{self, TextError};
use thiserror::Error;

/// Why something is not written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WriteError {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error(transparent)]
    Form(#[from] FormError),
}

/// Why a content is not read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReadError {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error(transparent)]
    Form(#[from] UnpackError),
    #[error(transparent)]
    Note(#[from] FormError),
    #[error("content of type {kind} has no words")]
    Kind { kind: u8 },
}

impl ReadError {
    /// What its sender is told.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Text(TextError::Codec { .. }) => Reason::UnknownModel,
            Self::Form(UnpackError::UnknownSchema { .. } | UnpackError::UnknownVersion { .. }) => Reason::UnknownForm,
            Self::Kind { .. } => Reason::UnknownType,
            _ => Reason::Unreadable,
        }
    }
}

/// What a content says.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The words that people see.
    pub words: String,
    /// The form, where it is one.
    pub form: Option<Form>,
}

/// A text as the shortest content that a receiver with these models reads.
///
/// # Errors
/// [`WriteError::Text`] for a text that is too long.
pub fn of_text(words: &str, models: ModelSet) -> Result<Content, WriteError> {
    let text::Packed { codec, body } = text::write(words, models)?;
    Ok(Content::Text { codec, body })
}

/// A form, with its free text behind its bits where it has one.
///
/// # Errors
/// [`WriteError`] where a value is missing or the free text is too long.
pub fn of_form(form: &Form, models: ModelSet) -> Result<Content, WriteError> {
    let mut body = form.pack()?.bytes;
    if form.note().is_empty() {
        return Ok(Content::Form { variant: 0, body });
    }
    let note = text::write(form.note(), models)?;
    body.extend(note.body);
    Ok(Content::FormAndText { codec: note.codec, body })
}

/// Reads a text or a form.
///
/// # Errors
/// [`ReadError`]: a part of it is never given as if it were whole.
pub fn read(content: &Content, area: &Area) -> Result<Reading, ReadError> {
    let of_form = |form: Form| Reading { words: form.words(area), form: Some(form) };
    match content {
        Content::Text { codec, body } => Ok(Reading { words: text::read(*codec, body)?, form: None }),
        Content::Form { body, .. } => Ok(of_form(Form::unpack(body)?)),
        Content::FormAndText { codec, body } => {
            let (mut form, bits) = Form::unpack_first(body)?;
            let note = text::read(*codec, body.get(bits.div_ceil(8)..).unwrap_or_default())?;
            form.set_note(&note)?;
            Ok(of_form(form))
        }
        other => Err(ReadError::Kind { kind: other.head().0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_with_free_text_comes_back_with_both() {
        let mut form = super::super::form::read_line("#2 水困 共3 伤1 位30.6521,104.0812", &Area::default()).unwrap();
        form.set_note("桥已断，走后山").unwrap();
        let content = of_form(&form, text::own_models()).unwrap();
        let reading = read(&content, &Area::default()).unwrap();
        assert!(reading.words.contains("桥已断，走后山"), "{}", reading.words);
        assert_eq!(reading.form.unwrap().to_json(), form.to_json());
    }

    #[test]
    fn who_lacks_the_model_or_the_form_is_told_which() {
        let text = Content::Text { codec: 31, body: vec![1, 2] };
        assert_eq!(read(&text, &Area::default()).unwrap_err().reason(), Reason::UnknownModel);
        let form = Content::Form { variant: 0, body: vec![0xFF, 0xFF] };
        assert_eq!(read(&form, &Area::default()).unwrap_err().reason(), Reason::UnknownForm);
        let other = Content::Control { code: 1, arguments: vec![] };
        assert_eq!(read(&other, &Area::default()).unwrap_err().reason(), Reason::UnknownType);
    }
}
