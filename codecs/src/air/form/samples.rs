//! Forms with any values that they may have, for the tests.

use super::bits::COUNT_MAX;
use super::schema::{Field, Kind, Schema};
use super::value::{changes_allowed, whole};
use super::{DAY_MINUTES, Form, METRES_MAX, ORIGIN_MAX, Reference, Spot, Value, Values, schemas};
use crate::message::StationId;
use proptest::prelude::*;

/// Any form of any version, without a note.
pub(super) fn any_form() -> impl Strategy<Value = Form> {
    (0..schemas().len(), prop::collection::vec(any::<u32>(), 1..200)).prop_map(|(at, dice)| {
        let mut dice = Dice { rolled: dice, at: 0 };
        fill(&schemas()[at], &mut dice)
    })
}

/// Any form that the keypad speaks, with any note.
pub(super) fn any_current_form() -> impl Strategy<Value = Form> {
    let notes = prop_oneof![
        Just(String::new()),
        "[青龙村桥断了死3说:，。#＃/ a-z0-9+]{0,12}",
        any::<String>().prop_map(|note| note.chars().take(40).collect()),
    ];
    (any_form(), notes).prop_map(|(form, note)| {
        let mut form = form.renewed();
        form.set_note(&note).unwrap();
        form
    })
}

struct Dice {
    rolled: Vec<u32>,
    at: usize,
}

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u32) -> u32 {
        let rolled = self.rolled[self.at % self.rolled.len()].rotate_left(u32::try_from(self.at / 7 % 32).unwrap());
        self.at += 1;
        rolled % sides
    }

    fn between(&mut self, low: i32, high: i32) -> i32 {
        low + i32::try_from(self.roll(high.abs_diff(low) + 1)).unwrap()
    }

    fn count(&mut self, low: u16, high: u16) -> u16 {
        let high = [8, 136, high][usize::try_from(self.roll(3)).unwrap()].clamp(low, high);
        u16::try_from(self.between(low.into(), high.into())).unwrap()
    }
}

fn fill(schema: &'static Schema, dice: &mut Dice) -> Form {
    let values = fill_fields(&schema.fields, dice);
    let mut form = Form::of(schema);
    for (name, value) in values {
        form.set(name, value).unwrap();
    }
    form.check().unwrap();
    form
}

fn fill_fields(fields: &'static [Field], dice: &mut Dice) -> Values {
    let mut values = Values::new();
    for field in fields {
        if !field.may_be_absent() || dice.roll(2) == 0 {
            let value = fill_field(field, fields, &values, dice);
            values.insert(&field.name, value);
        }
    }
    values
}

fn fill_field(field: &'static Field, fields: &'static [Field], values: &Values, dice: &mut Dice) -> Value {
    match &field.kind {
        Kind::Choice { choices, .. } => {
            Value::Choice(u8::try_from(dice.roll(u32::try_from(choices.len()).unwrap())).unwrap())
        }
        Kind::Count { .. } if changes_allowed(field, fields, values) => match dice.roll(3) {
            0 => Value::Same,
            1 => Value::Count(dice.count(0, COUNT_MAX)),
            _ => {
                let (before, now) = (dice.count(0, COUNT_MAX), dice.count(0, COUNT_MAX));
                Value::Changed { now, by: i16::try_from(i32::from(now) - i32::from(before)).unwrap() }
            }
        },
        Kind::Count { min, out_of, .. } => {
            Value::Count(dice.count(*min, whole(out_of.as_deref(), values).unwrap_or(COUNT_MAX)))
        }
        Kind::Number { first, step, .. } => {
            let (low, high) = field.range().unwrap();
            let steps = (high - low) / i32::from(*step);
            Value::Number(first + dice.between(0, steps) * i32::from(*step))
        }
        Kind::Level { levels, .. } => {
            let at = dice.roll(u32::try_from(levels.len()).unwrap());
            Value::Number(levels[usize::try_from(at).unwrap()].into())
        }
        Kind::Position { .. } => Value::Spot(if dice.roll(2) == 0 {
            let metres = i32::from(METRES_MAX);
            Spot::Relative {
                origin: u8::try_from(dice.roll(u32::from(ORIGIN_MAX) + 1)).unwrap(),
                north_m: i16::try_from(dice.between(-metres - 1, metres)).unwrap(),
                east_m: i16::try_from(dice.between(-metres - 1, metres)).unwrap(),
            }
        } else {
            let (lat, lon) = (dice.between(-900_000_000, 900_000_000), dice.between(-900_000_000, 900_000_000));
            Spot::absolute(lat, lon * 2).unwrap()
        }),
        Kind::Time { day } => {
            let day = (*day && dice.roll(2) == 0).then(|| u8::try_from(dice.between(1, 31)).unwrap());
            Value::Time { day, minute: u16::try_from(dice.roll(DAY_MINUTES.into())).unwrap() }
        }
        Kind::Place { .. } => Value::Place(u16::try_from(dice.between(1, field.range().unwrap().1)).unwrap()),
        Kind::Reference {} => Value::Reference(Reference {
            station: StationId::new(u16::try_from(dice.between(1, 1_023)).unwrap()).unwrap(),
            low: u16::try_from(dice.roll(u32::from(Reference::LOW_MAX) + 1)).unwrap(),
        }),
        Kind::Flag { .. } => Value::Flag(dice.roll(2) == 1),
        Kind::Rows { bits, fields } => {
            let rows = 1 + dice.roll(1 << bits);
            let mut rows: Vec<Values> = (0..rows).map(|_| fill_fields(fields, dice)).collect();
            let first = fields[0].name.as_str();
            let mut seen = Vec::new();
            rows.retain(|row| {
                let fresh = !seen.contains(&row[first]);
                seen.push(row[first].clone());
                fresh
            });
            Value::Rows(rows)
        }
    }
}
