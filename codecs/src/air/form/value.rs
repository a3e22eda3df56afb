//! The values of a form's fields, and which of them a field may have.

use super::FormError;
use super::bits::COUNT_MAX;
use super::schema::{COUNTER_BITS, Field, Kind, METRES_BITS, ORIGIN_BITS};
use super::spot::Spot;
use crate::message::{MessageId, StationId};
use std::collections::BTreeMap;

/// The values of a form or of a row by the machine names of their fields. What is not there is not known.
pub type Values = BTreeMap<&'static str, Value>;

/// Minutes of a day; a time of the day is below it.
pub const DAY_MINUTES: u16 = 1_440;

/// One field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// The place in the field's list, from 0.
    Choice(u8),
    /// A number of people or things, 0..=16,520.
    Count(u16),
    /// The same, with what it changed since the last report: `now - by` was reported then.
    Changed {
        now: u16,
        by: i16,
    },
    /// A count that is as it was in the last report.
    Same,
    /// A number or a level, in units of the last decimal.
    Number(i32),
    Spot(Spot),
    /// Beijing time. Without a day (1..=31) it is the next or last such minute, as the field says.
    Time {
        day: Option<u8>,
        minute: u16,
    },
    /// A number of the shared list of places, from 1.
    Place(u16),
    Reference(Reference),
    Flag(bool),
    /// Rows, at least one.
    Rows(Vec<Values>),
}

/// Another message as the air names it: its station, and the low 14 bits of its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    pub station: StationId,
    /// 0..=16,383.
    pub low: u16,
}

impl Reference {
    /// The highest low part of a counter.
    pub const LOW_MAX: u16 = (1 << COUNTER_BITS) - 1;

    /// How the air names a message.
    #[must_use]
    pub fn of(id: MessageId) -> Self {
        let low = id.counter & u32::from(Self::LOW_MAX);
        Self { station: id.station, low: u16::try_from(low).unwrap_or(Self::LOW_MAX) }
    }

    /// The message that is meant, given a counter of that station that is less than 8,192 away from it, such as the
    /// highest one known.
    #[must_use]
    pub fn near(self, counter: u32) -> MessageId {
        let round = u32::from(Self::LOW_MAX) + 1;
        let ahead = u32::from(self.low).wrapping_sub(counter) % round;
        let counter = if ahead < round / 2 { counter.checked_add(ahead) } else { counter.checked_sub(round - ahead) };
        MessageId { station: self.station, counter: counter.unwrap_or(u32::from(self.low)) }
    }
}

impl Field {
    /// The level nearest to a value (around the circle where the scale has one). `None` above the highest level, and for
    /// every other value where levels are exact.
    #[must_use]
    pub fn nearest(&self, value: i64) -> Option<u16> {
        let Kind::Level { levels, wraps, exact, .. } = &self.kind else { return None };
        let value = wraps.map_or(value, |wraps| value.rem_euclid(i64::from(wraps)));
        if wraps.is_none() && (value < 0 || value > i64::from(*levels.last()?)) {
            return None;
        }
        let away = |level: &u16| {
            let straight = value.abs_diff(i64::from(*level));
            wraps.map_or(straight, |wraps| straight.min(u64::from(wraps).abs_diff(straight)))
        };
        levels.iter().copied().min_by_key(away).filter(|level| !exact || i64::from(*level) == value)
    }

    /// Lowest and highest number of a number or level field, in units of the last decimal.
    #[must_use]
    pub fn range(&self) -> Option<(i32, i32)> {
        match &self.kind {
            Kind::Number { bits, first, step, .. } => {
                let steps = (1_i32 << (*bits).min(16)) - 1;
                Some((*first, first.saturating_add(steps.saturating_mul(i32::from(*step)))))
            }
            Kind::Level { levels, .. } => Some(((*levels.first()?).into(), (*levels.last()?).into())),
            Kind::Count { min, .. } => Some(((*min).into(), COUNT_MAX.into())),
            Kind::Place { bits } => Some((1, (1_i32 << (*bits).min(16)) - 1)),
            _ => None,
        }
    }

    /// Checks one value by itself, and gives it back as the air has it (a position in the middle of its cell).
    pub(super) fn accept(&'static self, value: Value) -> Result<Value, FormError> {
        let name = self.name.as_str();
        match (&self.kind, value) {
            (Kind::Choice { choices, .. }, Value::Choice(at)) if usize::from(at) < choices.len() => {
                Ok(Value::Choice(at))
            }
            (Kind::Count { .. }, value @ Value::Count(count)) => self.in_range(count.into()).map(|()| value),
            (Kind::Count { changes: Some(_), .. }, value @ Value::Changed { now, by }) => {
                self.in_range(now.into())?;
                let before = i32::from(now) - i32::from(by);
                let sane = (0..=i32::from(COUNT_MAX)).contains(&before);
                if sane { Ok(value) } else { Err(FormError::Change { field: name, now, by }) }
            }
            (Kind::Count { changes: Some(_), .. }, Value::Same) => Ok(Value::Same),
            (Kind::Number { first, step, .. }, value @ Value::Number(number)) => {
                self.in_range(number)?;
                let whole = number.saturating_sub(*first).checked_rem((*step).into()) == Some(0);
                if whole { Ok(value) } else { Err(FormError::Between { field: name, found: number }) }
            }
            (Kind::Level { levels, .. }, value @ Value::Number(number)) => {
                let known = levels.iter().any(|level| i32::from(*level) == number);
                if known { Ok(value) } else { Err(FormError::Between { field: name, found: number }) }
            }
            (Kind::Position { .. }, Value::Spot(spot)) => {
                spot.checked().map(Value::Spot).ok_or(FormError::Spot { field: name })
            }
            (Kind::Time { day: days }, value @ Value::Time { day, minute }) => {
                let right = minute < DAY_MINUTES && day.is_none_or(|day| *days && (1..=31).contains(&day));
                if right { Ok(value) } else { Err(FormError::Time { field: name, minute }) }
            }
            (Kind::Place { .. }, value @ Value::Place(number)) => self.in_range(number.into()).map(|()| value),
            (Kind::Reference {}, value @ Value::Reference(reference)) => {
                let found = i32::from(reference.low);
                let max = i32::from(Reference::LOW_MAX);
                if found <= max { Ok(value) } else { Err(FormError::Range { field: name, found, min: 0, max }) }
            }
            (Kind::Flag { .. }, value @ Value::Flag(_)) => Ok(value),
            (Kind::Rows { bits, fields }, Value::Rows(rows)) => {
                let max = 1_usize << bits;
                if rows.is_empty() || rows.len() > max {
                    return Err(FormError::Rows { field: name, found: rows.len(), max });
                }
                let rows = rows.into_iter().map(|row| accept_all(fields, row)).collect::<Result<Vec<_>, _>>()?;
                check_rows(fields, &rows)?;
                Ok(Value::Rows(rows))
            }
            _ => Err(FormError::Kind { field: name, expected: self.kind.name() }),
        }
    }

    fn in_range(&'static self, found: i32) -> Result<(), FormError> {
        let (min, max) = self.range().unwrap_or((0, 0));
        if (min..=max).contains(&found) { Ok(()) } else { Err(FormError::Range { field: &self.name, found, min, max }) }
    }
}

/// Checks all values of a form or a row: each by itself, against each other, and that none is missing.
pub(super) fn accept_all(fields: &'static [Field], values: Values) -> Result<Values, FormError> {
    let mut accepted = Values::new();
    for (name, value) in values {
        let field = fields.iter().find(|field| field.name == name);
        let field = field.ok_or_else(|| FormError::UnknownField(name.to_owned()))?;
        accepted.insert(field.name.as_str(), field.accept(value)?);
    }
    check_together(fields, &accepted)?;
    Ok(accepted)
}

/// No two rows are about the same thing.
fn check_rows(fields: &'static [Field], rows: &[Values]) -> Result<(), FormError> {
    let Some(first) = fields.first().map(|field| field.name.as_str()) else { return Ok(()) };
    let twice =
        rows.iter().enumerate().any(|(at, row)| rows.iter().skip(at + 1).any(|o| o.get(first) == row.get(first)));
    if twice { Err(FormError::RowTwice { field: first }) } else { Ok(()) }
}

/// Whether values go together, and none that must be given is missing.
pub(super) fn check_together(fields: &'static [Field], values: &Values) -> Result<(), FormError> {
    for field in fields {
        let name = field.name.as_str();
        let Some(value) = values.get(name) else {
            if field.may_be_absent() {
                continue;
            }
            return Err(FormError::Missing { field: name });
        };
        let Kind::Count { out_of, .. } = &field.kind else { continue };
        if let (Some(whole), Value::Count(part)) = (whole(out_of.as_deref(), values), value)
            && *part > whole
        {
            return Err(FormError::MoreThanWhole { field: name, found: *part, whole });
        }
        let says_change = matches!(value, Value::Changed { .. } | Value::Same);
        if says_change && !changes_allowed(field, fields, values) {
            return Err(FormError::FirstReport { field: name });
        }
    }
    Ok(())
}

/// The count of which another is a part, where it is known.
pub(super) fn whole(out_of: Option<&str>, values: &Values) -> Option<u16> {
    match values.get(out_of?) {
        Some(Value::Count(whole)) => Some(*whole),
        _ => None,
    }
}

/// Whether a count of this form may say what changed.
pub(super) fn changes_allowed(field: &Field, fields: &[Field], values: &Values) -> bool {
    let Kind::Count { changes: Some(changes), .. } = &field.kind else { return false };
    let Some(Value::Choice(at)) = values.get(changes.when.as_str()) else { return false };
    let when = fields.iter().find(|field| field.name == changes.when);
    let choice = when.and_then(|when| when.choices().get(usize::from(*at)));
    choice.is_some_and(|choice| changes.is.contains(&choice.name))
}

/// Origins are numbered 0..=31.
pub const ORIGIN_MAX: u8 = (1 << ORIGIN_BITS) - 1;
/// A relative position is at most so many metres away along each axis: −8,192..=8,191.
pub const METRES_MAX: i16 = (1 << (METRES_BITS - 1)) - 1;

#[cfg(test)]
mod tests {
    use super::super::register::by_name;
    use super::*;

    #[test]
    fn a_reference_finds_the_nearest_message_of_its_low_bits() {
        let station = StationId::new(7).unwrap();
        for counter in [0, 99, 16_383, 16_384, 70_000, u32::MAX - 3] {
            let id = MessageId { station, counter };
            for known in [counter, counter.saturating_add(8_000), counter.saturating_sub(8_000)] {
                assert_eq!(Reference::of(id).near(known), id, "{counter} {known}");
            }
        }
        assert_eq!(Reference { station, low: 16_383 }.near(0).counter, 16_383);
    }

    #[test]
    fn a_level_is_the_nearest_one_around_the_circle_where_there_is_one() {
        let position = by_name("position").unwrap();
        let nearest = |field: &str, value| position.field(field).unwrap().nearest(value);
        assert_eq!(nearest("age", 7), Some(6));
        assert_eq!(nearest("age", 2_880), Some(2_880));
        assert_eq!(nearest("age", 2_881), None);
        assert_eq!(nearest("battery", 0), Some(5));
        assert_eq!(nearest("course", 350), Some(0));
        assert_eq!(nearest("course", 340), Some(336));
        assert_eq!(nearest("course", -100), Some(264));
        assert_eq!(nearest("fix", 1), None);
        let every = by_name("order").unwrap().field("every").unwrap();
        assert_eq!((every.nearest(30), every.nearest(25)), (Some(30), None));
    }
}
