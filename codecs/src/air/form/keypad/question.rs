//! What is asked back when a line is not clear.

use super::super::schema::{Field, Kind};
use thiserror::Error;

/// The longest question, in characters: it must fit into one short message beside its number.
pub const QUESTION_MAX: usize = 40;

/// A short question in plain Chinese to whoever typed the line. It names the field and what can be answered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text}")]
pub struct Question {
    /// The machine name of the field that is asked about, where it is one.
    pub field: Option<&'static str>,
    /// At most [`QUESTION_MAX`] characters.
    pub text: String,
}

impl Question {
    pub(super) fn new(field: Option<&'static Field>, text: &str) -> Self {
        let mut short: String = text.chars().take(QUESTION_MAX).collect();
        if text.chars().count() > QUESTION_MAX {
            short.pop();
            short.push('…');
        }
        Self { field: field.map(|field| field.name.as_str()), text: short }
    }

    /// A value that must be given is not there.
    pub(super) fn missing(field: &'static Field) -> Self {
        Self::new(Some(field), &format!("缺{}：{}", field.zh, wanted(field)))
    }

    /// A value that cannot be read.
    pub(super) fn unclear(field: &'static Field, found: &str) -> Self {
        let text = if found.is_empty() {
            format!("{}后面没写：{}", field.zh, wanted(field))
        } else {
            format!("{}“{}”不清：{}", field.zh, cut(found), wanted(field))
        };
        Self::new(Some(field), &text)
    }

    /// A value of which it is not clear which field it belongs to.
    pub(super) fn which(found: &str, fields: &'static [Field]) -> Self {
        let codes =
            fields.iter().filter(|field| matches!(field.kind, Kind::Count { .. })).filter_map(|f| f.codes.first());
        let codes: Vec<String> = codes.take(3).map(|code| format!("{code}{}", cut(found))).collect();
        let like = if codes.is_empty() { String::new() } else { format!("，如{}", codes.join(" ")) };
        Self::new(None, &format!("“{}”是哪一项？请写代号{like}", cut(found)))
    }

    /// A word that means nothing here.
    pub(super) fn word(found: &str) -> Self {
        Self::new(None, &format!("“{}”看不懂，若是说明请写在“说”后面", cut(found)))
    }

    pub(super) fn twice(field: &'static Field) -> Self {
        Self::new(Some(field), &format!("{}写了两次，以哪个为准？请重发整条", field.zh))
    }

    /// More than the field holds.
    pub(super) fn range(field: &'static Field, found: &str) -> Self {
        let (low, high) = field.range().unwrap_or((0, 0));
        Self::new(Some(field), &format!("{}“{}”超出{low}到{high}，请写在“说”后面", field.zh, cut(found)))
    }

    /// No level of the field.
    pub(super) fn level(field: &'static Field, found: i64) -> Self {
        if matches!(field.kind, Kind::Level { exact: true, .. }) {
            return Self::unclear(field, &found.to_string());
        }
        Self::range(field, &found.to_string())
    }

    /// A number in a unit that is not the field's.
    pub(super) fn unit(field: &'static Field, thing: &str, unit: &str, found: &str) -> Self {
        Self::new(Some(field), &format!("{thing}以{unit}计，“{}”不清；也可写在“说”后面", cut(found)))
    }

    /// A count with a bare sign: what is there now, and what changed?
    pub(super) fn change(field: &'static Field, found: &str) -> Self {
        let code = field.codes.first().map_or("", String::as_str);
        Self::new(Some(field), &format!("{}“{}”不清：现在3、比上次多1写{code}3增1", field.zh, cut(found)))
    }
}

/// What can be answered.
fn wanted(field: &Field) -> String {
    let unknown = if field.may_be_absent() { "，不知道写?" } else { "" };
    match &field.kind {
        Kind::Choice { choices, .. } => {
            choices.iter().map(|choice| format!("{}{}", choice.code, choice.zh)).collect::<Vec<_>>().join(" ")
        }
        Kind::Count { .. } => format!("写数字{unknown}"),
        Kind::Level { exact: true, levels, .. } => {
            let levels: Vec<String> = levels.iter().map(ToString::to_string).collect();
            format!("写{}", levels.join(" "))
        }
        Kind::Number { .. } | Kind::Level { .. } | Kind::Place { .. } => {
            let (low, high) = field.range().unwrap_or((0, 0));
            format!("写{low}到{high}{unknown}")
        }
        Kind::Position { .. } => "写纬度,经度，如30.652,104.081".into(),
        Kind::Time { day: false } => "写时:分，如14:05".into(),
        Kind::Time { .. } => "写18:30或12日18:30".into(),
        Kind::Reference {} => "写来文末尾括号里的编号，如01021".into(),
        Kind::Flag { yes, no } => yes.iter().chain(no).take(3).cloned().collect::<Vec<_>>().join("或"),
        Kind::Rows { fields, .. } => fields.iter().map(|field| field.zh.as_str()).collect::<Vec<_>>().join("、"),
    }
}

/// The beginning of what was typed, on one line.
fn cut(found: &str) -> String {
    let plain = |c: char| if c.is_whitespace() || c.is_control() { ' ' } else { c };
    let mut short: String = found.trim().chars().take(8).map(plain).collect();
    if found.trim().chars().count() > 8 {
        short.push('…');
    }
    short
}
