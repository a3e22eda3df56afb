//! What the words on a keypad mean, form by form.

use super::super::schema::{Field, Kind, Schema};
use super::super::spot::Area;
use super::scan::Scan;
use super::values::ORIGIN;

/// What begins the free text.
pub(super) const NOTE: [&str; 4] = ["说", "备注", "附言", "注"];
/// What says that a value is not known.
pub(super) const NOT_KNOWN: [&str; 5] = ["?", "不明", "不详", "未知", "不知道"];
/// A count of nothing.
pub(super) const NONE: [&str; 3] = ["无", "没有", "没"];
/// A count that is as it was.
pub(super) const SAME: [&str; 4] = ["同", "同前", "同上", "不变"];
/// What changed, after a count.
pub(super) const MORE: [&str; 5] = ["增", "增加", "新增", "多", "上升"];
pub(super) const FEWER: [&str; 4] = ["减", "减少", "少", "下降"];

/// What begins a position, clear enough to stand without a code.
const SPOT: [&str; 4] = [ORIGIN, "原点", "北纬", "东经"];

/// A field, and whether it is one of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub field: &'static Field,
    /// Its place in the row, where it is of one.
    pub in_row: Option<usize>,
}

/// What a word means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Means {
    /// A value of this field follows.
    Field(Slot),
    /// A value of this field begins with this very word.
    Value(Slot),
    Choice(Slot, u8),
    Flag(Slot, bool),
    Place(Slot, u16),
    NotKnown,
    Note,
}

/// Every word of one form.
#[derive(Clone, Debug)]
pub(super) struct Words(Vec<(Vec<char>, Means)>);

impl Words {
    pub(super) fn of(schema: &'static Schema, area: &Area) -> Self {
        let mut words = Self(Vec::new());
        NOTE.iter().for_each(|word| words.add(word, Means::Note));
        NOT_KNOWN.iter().for_each(|word| words.add(word, Means::NotKnown));
        for field in &schema.fields {
            words.add_field(Slot { field, in_row: None });
            for (at, field) in field.row_fields().iter().enumerate() {
                words.add_field(Slot { field, in_row: Some(at) });
            }
        }
        for field in schema.fields.iter().filter(|field| matches!(field.kind, Kind::Place { .. })) {
            for (number, name) in &area.places {
                let name = name.trim().to_uppercase();
                // A place that bears the name of something else must be typed by its number.
                if !words.0.iter().any(|(word, _)| word.iter().collect::<String>() == name) {
                    words.add(&name, Means::Place(Slot { field, in_row: None }, *number));
                }
            }
        }
        words
    }

    fn add(&mut self, word: &str, means: Means) {
        self.0.push((word.chars().collect(), means));
    }

    fn add_field(&mut self, slot: Slot) {
        for code in &slot.field.codes {
            self.add(code, Means::Field(slot));
        }
        for (choice, at) in slot.field.choices().iter().zip(0_u8..) {
            for word in std::iter::once(&choice.zh).chain(&choice.words) {
                self.add(word, Means::Choice(slot, at));
            }
        }
        if matches!(slot.field.kind, Kind::Position { .. }) {
            SPOT.iter().for_each(|word| self.add(word, Means::Value(slot)));
        }
        if let Kind::Flag { yes, no } = &slot.field.kind {
            yes.iter().for_each(|word| self.add(word, Means::Flag(slot, true)));
            no.iter().for_each(|word| self.add(word, Means::Flag(slot, false)));
        }
    }

    /// The longest word that stands here, and its length.
    pub(super) fn at(&self, scan: &Scan) -> Option<(Means, usize)> {
        let here = self.0.iter().filter_map(|(word, means)| Some((*means, scan.word_len(word)?)));
        here.max_by_key(|(_, len)| *len)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::current;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_word_of_any_form_is_one_that_all_forms_share() {
        for schema in current() {
            let words = Words::of(schema, &Area::default());
            let mut seen = BTreeSet::new();
            for (word, _) in &words.0 {
                let word: String = word.iter().collect();
                let after_count = NONE.iter().chain(&SAME).chain(&MORE).chain(&FEWER).any(|other| *other == word);
                assert!(seen.insert(word.clone()) && !after_count, "{} {word}", schema.name);
            }
        }
    }
}
