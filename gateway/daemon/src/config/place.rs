//! Where in a TOML file a key stands, and which key stands at a place.

use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// One step on the way to a value: a key, or the n-th of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// `link[2].serial.baud`, counting from 1 as people do.
pub(super) fn written(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            Step::Index(index) => text.push_str(&format!("[{}]", index.saturating_add(1))),
        }
    }
    text
}

/// The line of a byte, from 1.
pub(super) fn line(source: &str, at: usize) -> usize {
    let before = source.as_bytes().get(..at.min(source.len())).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
}

/// The deepest key whose name or value covers this place.
pub(super) fn key_at(source: &str, at: usize) -> Option<Vec<Step>> {
    let mut found: Option<(usize, Vec<Step>)> = None;
    visit(source, &mut |path, span| {
        let better = found.as_ref().is_none_or(|(length, _)| span.len() <= *length);
        if (span.contains(&at) || span.start == at) && better {
            found = Some((span.len(), path.to_vec()));
        }
    });
    found.map(|(_, path)| path)
}

/// Where a path stands; when it is absent, where the nearest table above it stands.
pub(super) fn span_of(source: &str, wanted: &[Step]) -> Option<Range<usize>> {
    let mut found: Option<(usize, Range<usize>)> = None;
    visit(source, &mut |path, span| {
        let better = found.as_ref().is_none_or(|(depth, _)| path.len() > *depth);
        if wanted.starts_with(path) && better {
            found = Some((path.len(), span));
        }
    });
    found.map(|(_, span)| span)
}

/// Calls `each` for every key and every value, a key before its value.
fn visit(source: &str, each: &mut dyn FnMut(&[Step], Range<usize>)) {
    if let Ok(table) = DeTable::parse(source) {
        visit_table(table.get_ref(), &mut Vec::new(), each);
    }
}

fn visit_table(table: &DeTable<'_>, path: &mut Vec<Step>, each: &mut dyn FnMut(&[Step], Range<usize>)) {
    for (key, value) in table {
        path.push(Step::Key(key.get_ref().to_string()));
        each(path, key.span());
        visit_value(value.get_ref(), value.span(), path, each);
        path.pop();
    }
}

fn visit_value(
    value: &DeValue<'_>,
    span: Range<usize>,
    path: &mut Vec<Step>,
    each: &mut dyn FnMut(&[Step], Range<usize>),
) {
    each(path, span);
    match value {
        DeValue::Table(table) => visit_table(table, path, each),
        DeValue::Array(array) => {
            for (index, value) in array.iter().enumerate() {
                path.push(Step::Index(index));
                visit_value(value.get_ref(), value.span(), path, each);
                path.pop();
            }
        }
        _ => {}
    }
}
