//! A form becomes the line that one would type for it.

use super::super::Form;
use super::super::schema::{Field, Kind};
use super::super::spot::{Spot, cells};
use super::super::value::{Value, Values};
use super::values::ORIGIN;
use super::words::{FEWER, MORE, NOTE, SAME};
use crate::message::MessageId;

/// The line of a form that was checked.
pub(super) fn print(form: &Form) -> String {
    let mut words = vec![format!("#{}", form.schema().keypad)];
    words.extend(print_all(&form.schema().fields, form.values()));
    if !form.note().is_empty() {
        words.extend([first(&NOTE).to_owned(), form.note().to_owned()]);
    }
    words.join(" ")
}

fn print_all(fields: &'static [Field], values: &Values) -> Vec<String> {
    let known = fields.iter().filter_map(|field| Some((field, values.get(field.name.as_str())?)));
    known.map(|(field, value)| print_one(field, value)).collect()
}

pub(in super::super) fn print_one(field: &'static Field, value: &Value) -> String {
    let code = field.codes.first().map_or("", String::as_str);
    match value {
        Value::Choice(at) => field.choices().get(usize::from(*at)).map_or(String::new(), |choice| choice.zh.clone()),
        Value::Count(count) => format!("{code}{count}"),
        Value::Changed { now, by } => {
            let way = if *by < 0 { first(&FEWER) } else { first(&MORE) };
            format!("{code}{now}{way}{}", by.unsigned_abs())
        }
        Value::Same => format!("{code}{}", first(&SAME)),
        Value::Number(number) => format!("{code}{}", decimal(*number, field)),
        Value::Spot(spot) => format!("{code}{}", print_spot(*spot)),
        Value::Time { day, minute } => {
            let day = day.map_or(String::new(), |day| format!("{day}日"));
            format!("{code}{day}{:02}:{:02}", minute / 60, minute % 60)
        }
        Value::Place(number) => format!("{code}{number}"),
        Value::Reference(reference) => {
            format!("{code}{}", MessageId { station: reference.station, counter: reference.low.into() })
        }
        Value::Flag(yes) => {
            let Kind::Flag { yes: yes_words, no } = &field.kind else { return String::new() };
            let words = if *yes { yes_words } else { no };
            words.first().cloned().unwrap_or_default()
        }
        Value::Rows(rows) => {
            let rows = rows.iter().map(|row| print_all(field.row_fields(), row).join(" "));
            rows.collect::<Vec<_>>().join(" / ")
        }
    }
}

fn print_spot(spot: Spot) -> String {
    match spot {
        Spot::Relative { origin, north_m, east_m } => {
            let (north, east) = (if north_m < 0 { "南" } else { "北" }, if east_m < 0 { "西" } else { "东" });
            format!("{ORIGIN}{origin}{north}{}{east}{}", north_m.unsigned_abs(), east_m.unsigned_abs())
        }
        Spot::Absolute { lat_e7, lon_e7 } => {
            let (north, east) = (if lat_e7 < 0 { 'S' } else { 'N' }, if lon_e7 < 0 { 'W' } else { 'E' });
            let (lat, lon) = degrees(lat_e7, lon_e7);
            format!("{north}{lat}{east}{lon}")
        }
    }
}

/// Latitude and longitude without their signs. Four decimals where they name the same cell, so that what was typed comes
/// back as it was typed; else five, with which the middle of a cell is always still in it.
pub(in super::super) fn degrees(lat_e7: i32, lon_e7: i32) -> (String, String) {
    let cell = cells(lat_e7, lon_e7);
    (decimals(lat_e7, |lat_e7| cells(lat_e7, lon_e7) == cell), decimals(lon_e7, |lon_e7| cells(lat_e7, lon_e7) == cell))
}

fn decimals(e7: i32, is_same: impl Fn(i32) -> bool) -> String {
    let rounded = |to: u32| e7.unsigned_abs().saturating_add(to / 2) / to;
    let (e4, e5) = (rounded(1_000), rounded(100));
    let back = i32::try_from(e4.saturating_mul(1_000)).unwrap_or(i32::MAX).saturating_mul(e7.signum());
    if is_same(back) || e5 == e4.saturating_mul(10) {
        return format!("{}.{:04}", e4 / 10_000, e4 % 10_000);
    }
    format!("{}.{:05}", e5 / 100_000, e5 % 100_000)
}

/// A number with its decimals.
pub(in super::super) fn decimal(number: i32, field: &Field) -> String {
    let decimals = if let Kind::Number { decimals, .. } = &field.kind { *decimals } else { 0 };
    let by = 10_u32.saturating_pow(decimals.into());
    let (sign, whole) = (if number < 0 { "-" } else { "" }, number.unsigned_abs());
    if decimals == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{}.{:0width$}", whole / by, whole % by, width = decimals.into())
}

const fn first(words: &'static [&'static str]) -> &'static str {
    words[0]
}
