//! The keypad: a form as one line that can be typed on twelve keys, `#9 1 12 75` or `#1 续报 滑坡 死3 失2`.
//!
//! **Invariants**
//! - What is printed is read as the same form.
//! - Bare values mean the fields of the form's `line` in their order, and only as long as nothing came out of order.
//! - Whatever is not clear is asked back, in at most [`QUESTION_MAX`] characters. A guess would be believed.

mod numeral;
pub(super) mod print;
mod question;
mod read;
mod scan;
mod values;
mod words;

#[cfg(test)]
mod tests;

pub use question::{QUESTION_MAX, Question};

use super::register::{by_keypad, current};
use super::schema::Schema;
use super::spot::Area;
use super::{Form, FormError};
use read::LineReader;
use scan::Scan;

/// What may stand before the `#` of an exercise.
const EXERCISE: [&str; 2] = ["【演练】", "演练"];

/// Whether a typed text is a keypad line, well or badly written: it begins with `#` of any width, after the mark of an
/// exercise if there is one.
#[must_use]
pub fn is_line(text: &str) -> bool {
    body(text).is_some()
}

/// The form that a line names by its digit, even where the rest cannot be read: a call for help is one all the same.
#[must_use]
pub fn line_schema(text: &str) -> Option<&'static Schema> {
    let mut scan = Scan::new(body(text)?);
    form(&mut scan).ok()
}

/// Reads a keypad line; `area` gives the names of places that may be typed.
///
/// # Errors
/// A [`Question`] to whoever typed it, when anything is not clear.
pub fn read_line(text: &str, area: &Area) -> Result<Form, Question> {
    let mut scan = Scan::new(body(text).ok_or_else(which_form)?);
    let schema = form(&mut scan)?;
    LineReader::new(schema, scan, area).read()
}

impl Form {
    /// The form as a keypad line, which [`read_line`] reads as the same form. An older version is printed as what it is in
    /// the newest one.
    ///
    /// # Errors
    /// [`FormError`] when a value is missing or two do not go together.
    pub fn line(&self) -> Result<String, FormError> {
        let form = self.renewed();
        form.check()?;
        Ok(print::print(&form))
    }
}

/// What follows the `#`.
fn body(text: &str) -> Option<&str> {
    let mut text = text.trim_start();
    for mark in EXERCISE {
        text = text.strip_prefix(mark).unwrap_or(text).trim_start_matches([' ', '\u{3000}', ':', '：', ',', '，']);
    }
    text.strip_prefix(['#', '＃'])
}

/// The form whose digit, or whose name, stands here.
fn form(scan: &mut Scan) -> Result<&'static Schema, Question> {
    scan.skip();
    let from = scan.at();
    if let Some((digit, digits)) = scan.integer() {
        let found = scan.typed_from(from);
        let schema = u8::try_from(digit).ok().filter(|_| digits == 1).and_then(by_keypad);
        return schema.ok_or_else(|| {
            let found: String = found.chars().take(6).collect();
            Question::new(None, &format!("没有#{found}这张表；表号一位数，后面空一格再写"))
        });
    }
    let names = current().map(|schema| schema.zh.as_str());
    let name = scan.eat(names).ok_or_else(which_form)?;
    current().find(|schema| schema.zh == name).ok_or_else(which_form)
}

/// No question may begin as a line does: an answer of a machine to a machine would never end.
fn which_form() -> Question {
    let forms: Vec<String> = current().map(|schema| format!("{}{}", schema.keypad, schema.zh)).collect();
    Question::new(None, &format!("请写表号：{}", forms.join("")))
}
