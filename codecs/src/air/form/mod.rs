//! Forms: structured reports that are data. One file of `schema/` says what a form is; from that file alone come its bits
//! ([`Form::pack`]), its keypad line ([`read_line`]), its words for people ([`Form::words`]) and its JSON.
//!
//! What it is not: the free text that may come with a form ([`Form::note`]). It travels beside the bits, in its own codec.
//!
//! **Invariants**
//! - Every form comes back the same from its bits, from its keypad line and from its JSON.
//! - Not known is not zero: a value that nobody gave is absent on every way.
//! - A keypad line that is not clear gives a question, never a guess. Bits that are not clear give an error with the hex.
//! - A layout never changes: a new one is a new version, and the old file stays.
//!
//! The bits are written down in `docs/air-forms.md`, the keypad in `docs/keypad.zh.md`; both are made from the files.

pub mod bits;
mod json;
mod keypad;
mod newer;
mod pack;
mod register;
mod render;
pub mod schema;
mod spot;
mod table;
mod value;

#[cfg(test)]
mod json_tests;
#[cfg(test)]
mod pages_tests;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod vectors_tests;

pub use json::{JsonError, json_schema};
pub use keypad::{QUESTION_MAX, Question, is_line, line_schema, read_line};
pub use pack::{Packed, UnpackError};
pub use register::{by_keypad, by_name, by_version, current, schemas};
pub use spot::{Area, Origin, Spot};
pub use table::{Cost, bits_table, costs};
pub use value::{DAY_MINUTES, METRES_MAX, ORIGIN_MAX, Reference, Value, Values};

use schema::Schema;
use std::fmt;
use thiserror::Error;

/// The longest free text beside a form, in characters.
pub const NOTE_MAX: usize = 2_000;

/// One filled-in form, whose values are in range. Whether none is missing is asked by [`Form::check`], and by every way
/// out of here.
#[derive(Clone)]
pub struct Form {
    schema: &'static Schema,
    values: Values,
    note: String,
}

/// Why a form cannot be what it was to be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormError {
    #[error("there is no form {0}")]
    UnknownForm(String),
    #[error("this form has no field {0}")]
    UnknownField(String),
    #[error("field {field} is missing")]
    Missing { field: &'static str },
    #[error("field {field} is a {expected}")]
    Kind { field: &'static str, expected: &'static str },
    /// More than a field holds is written in the text.
    #[error("field {field} is {found}, it holds {min}..={max}")]
    Range { field: &'static str, found: i32, min: i32, max: i32 },
    #[error("field {field} has no step at {found}")]
    Between { field: &'static str, found: i32 },
    #[error("field {field} is no place on the earth, or more than 8,191 m from its origin")]
    Spot { field: &'static str },
    #[error("field {field} is no time: minute {minute} of the day, or a day where none belongs")]
    Time { field: &'static str, minute: u16 },
    #[error("field {field} has {found} rows, 1..={max} are possible")]
    Rows { field: &'static str, found: usize, max: usize },
    /// Two rows about one thing: which of them is true?
    #[error("field {field} is the same in two rows")]
    RowTwice { field: &'static str },
    #[error("field {field} is {found}, more than the {whole} of which it is a part")]
    MoreThanWhole { field: &'static str, found: u16, whole: u16 },
    #[error("field {field} is {now} now and cannot have changed by {by}")]
    Change { field: &'static str, now: u16, by: i16 },
    #[error("field {field} says what changed, but this is no follow-up")]
    FirstReport { field: &'static str },
    #[error("the text beside the form has {found} characters, at most {max}")]
    Note { found: usize, max: usize },
}

impl Form {
    /// An empty form in its newest version.
    ///
    /// # Errors
    /// [`FormError::UnknownForm`] for a name that no form has.
    pub fn new(name: &str) -> Result<Self, FormError> {
        let schema = by_name(name).ok_or_else(|| FormError::UnknownForm(name.to_owned()))?;
        Ok(Self::of(schema))
    }

    /// An empty form of this very version.
    #[must_use]
    pub const fn of(schema: &'static Schema) -> Self {
        Self { schema, values: Values::new(), note: String::new() }
    }

    /// A form of these values, all checked.
    fn filled(schema: &'static Schema, values: Values) -> Result<Self, FormError> {
        let values = value::accept_all(&schema.fields, values)?;
        Ok(Self { schema, values, note: String::new() })
    }

    #[must_use]
    pub const fn schema(&self) -> &'static Schema {
        self.schema
    }

    /// A value; `None` when it is not known.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.values.get(field)
    }

    /// The machine name of a choice that was made.
    #[must_use]
    pub fn chosen(&self, field: &str) -> Option<&'static str> {
        let Some(Value::Choice(at)) = self.get(field) else { return None };
        self.schema.field(field)?.choices().get(usize::from(*at)).map(|choice| choice.name.as_str())
    }

    /// All values that are known.
    #[must_use]
    pub const fn values(&self) -> &Values {
        &self.values
    }

    /// Gives a field its value, in range by itself; how values go together is asked by [`Form::check`].
    ///
    /// # Errors
    /// [`FormError`] when the form has no such field or the field cannot have that value.
    pub fn set(&mut self, field: &str, value: Value) -> Result<(), FormError> {
        let field = self.schema.field(field).ok_or_else(|| FormError::UnknownField(field.to_owned()))?;
        self.values.insert(&field.name, field.accept(value)?);
        Ok(())
    }

    /// Sets a choice by its machine name.
    ///
    /// # Errors
    /// As [`Form::set`]; [`FormError::Kind`] for a name that the list does not have.
    pub fn choose(&mut self, field: &str, choice: &str) -> Result<(), FormError> {
        let of = self.schema.field(field).ok_or_else(|| FormError::UnknownField(field.to_owned()))?;
        let at = of.choices().iter().position(|c| c.name == choice).and_then(|at| u8::try_from(at).ok());
        let at = at.ok_or(FormError::Kind { field: &of.name, expected: of.kind.name() })?;
        self.set(field, Value::Choice(at))
    }

    /// The free text beside the form, without white space around it; empty for none.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Sets the free text.
    ///
    /// # Errors
    /// [`FormError::Note`] beyond [`NOTE_MAX`] characters.
    pub fn set_note(&mut self, note: &str) -> Result<(), FormError> {
        let note = note.trim();
        let found = note.chars().count();
        if found > NOTE_MAX {
            return Err(FormError::Note { found, max: NOTE_MAX });
        }
        note.clone_into(&mut self.note);
        Ok(())
    }

    /// Whether no value is missing and all go together.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), FormError> {
        value::check_together(&self.schema.fields, &self.values)
    }

    /// The same form in the newest version: fields that still are what they were keep their values.
    #[must_use]
    pub fn renewed(&self) -> Self {
        let schema = by_name(&self.schema.name).unwrap_or(self.schema);
        let mut renewed = Self { schema, values: Values::new(), note: self.note.clone() };
        for (name, value) in &self.values {
            let same = |schema: &Schema| schema.field(name).map(|field| field.kind.clone());
            if same(schema) == same(self.schema) {
                // In range there as it was here, because the kind is the same.
                let _ = renewed.set(name, value.clone());
            }
        }
        renewed
    }
}

impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        let of = |form: &Self| (form.schema.id, form.schema.version);
        of(self) == of(other) && self.values == other.values && self.note == other.note
    }
}

impl Eq for Form {}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Form");
        shown.field("form", &self.schema.name).field("version", &self.schema.version).field("values", &self.values);
        shown.field("note", &self.note).finish()
    }
}
