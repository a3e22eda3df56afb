//! One typed value, of each kind.

use super::super::schema::{Field, Kind};
use super::super::spot::{Area, Spot};
use super::super::value::{Reference, Value};
use super::question::Question;
use super::scan::Scan;
use super::words::{FEWER, MORE, Means, NONE, NOT_KNOWN, SAME, Words};
use crate::message::MessageId;

const NORTH: [&str; 3] = ["北纬", "北", "N"];
const SOUTH: [&str; 3] = ["南纬", "南", "S"];
const EAST: [&str; 3] = ["东经", "东", "E"];
const WEST: [&str; 3] = ["西经", "西", "W"];
/// What begins a position that is relative to an origin.
pub(super) const ORIGIN: &str = "原";
/// A position typed with fewer decimals is too coarse to send anybody to.
const DEGREE_DECIMALS_MIN: u8 = 2;
const E7: u8 = 7;

/// Reads values off a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueReader<'a> {
    pub words: &'a Words,
    pub area: &'a Area,
    /// The thing of this row, and the unit in which it is counted.
    pub counted: Option<(&'a str, &'a str)>,
}

impl ValueReader<'_> {
    /// The value that stands here; `None` when it says that it is not known.
    pub(super) fn read(self, scan: &mut Scan, field: &'static Field) -> Result<Option<Value>, Question> {
        let begun = scan.typed_word();
        if scan.eat(NOT_KNOWN).is_some() {
            return if field.may_be_absent() { Ok(None) } else { Err(Question::missing(field)) };
        }
        let unclear = || Question::unclear(field, &begun);
        let value = match &field.kind {
            Kind::Choice { choices, .. } => {
                let at = match self.words.at(scan) {
                    Some((Means::Choice(slot, at), len)) if std::ptr::eq(slot.field, field) => {
                        scan.step(len);
                        Some(at)
                    }
                    Some(_) => None,
                    None => {
                        let code = scan.number().and_then(|number| number.scaled(0)).ok_or_else(unclear)?;
                        let at = choices.iter().position(|choice| i64::from(choice.code) == code);
                        at.and_then(|at| u8::try_from(at).ok())
                    }
                };
                Value::Choice(at.ok_or_else(unclear)?)
            }
            Kind::Count { changes, .. } => self.count(scan, field, changes.is_some())?,
            Kind::Number { decimals, .. } => {
                let number = scan.number().and_then(|number| number.scaled(*decimals)).ok_or_else(unclear)?;
                self.end_number(scan, field)?;
                Value::Number(i32::try_from(number).map_err(|_| Question::range(field, &begun))?)
            }
            Kind::Level { .. } => {
                let number = scan.number().and_then(|number| number.scaled(0)).ok_or_else(unclear)?;
                self.end_number(scan, field)?;
                let level = field.nearest(number).ok_or_else(|| Question::level(field, number))?;
                Value::Number(level.into())
            }
            Kind::Position { .. } => Value::Spot(spot(scan).ok_or_else(unclear)?),
            Kind::Time { day } => time(scan, *day).ok_or_else(unclear)?,
            Kind::Place { .. } => self.place(scan, field)?,
            Kind::Reference {} => {
                let id = scan.letters_and_digits().and_then(|word| word.parse::<MessageId>().ok());
                Value::Reference(Reference::of(id.ok_or_else(unclear)?))
            }
            Kind::Flag { .. } | Kind::Rows { .. } => return Err(unclear()),
        };
        Ok(Some(value))
    }

    fn count(self, scan: &mut Scan, field: &'static Field, changes: bool) -> Result<Value, Question> {
        let (from, begun) = (scan.at(), scan.typed_word());
        let unclear = || Question::unclear(field, &begun);
        if self.words.at(scan).is_some() {
            // Another field's word stands where the number should be.
            return Err(Question::unclear(field, ""));
        }
        if scan.eat(NONE).is_some() {
            return Ok(Value::Count(0));
        }
        if changes && scan.eat(SAME).is_some() {
            return Ok(Value::Same);
        }
        if changes && (scan.eat(MORE.into_iter().chain(FEWER)).is_some() || matches!(scan.peek(), Some('+' | '-'))) {
            return Err(Question::change(field, &begun));
        }
        let number = scan.number().and_then(|number| number.scaled(0)).ok_or_else(unclear)?;
        let typed = scan.typed_from(from);
        let now = u16::try_from(number).map_err(|_| Question::range(field, &typed))?;
        scan.eat(self.units(field));
        let by = if changes { self.change(scan, field, &begun)? } else { None };
        self.end_number(scan, field)?;
        Ok(by.map_or(Value::Count(now), |by| Value::Changed { now, by }))
    }

    /// `增1`, `减少2`, `(+1)`, `同前` after a count.
    fn change(self, scan: &mut Scan, field: &'static Field, begun: &str) -> Result<Option<i16>, Question> {
        let from = scan.at();
        scan.skip();
        let (clings, bracket) = (scan.at() == from, scan.passed(from, '('));
        let sign = if self.words.at(scan).is_some() {
            // 减弱 is a trend, not a change.
            scan.back_to(from);
            return Ok(None);
        } else if scan.eat(MORE).is_some() {
            1
        } else if scan.eat(FEWER).is_some() {
            -1
        } else if (clings || bracket) && scan.eat(SAME).is_some() {
            return Ok(Some(0));
        } else if bracket && scan.eat_char('+') {
            1
        } else if bracket && scan.eat_char('-') {
            -1
        } else if matches!(scan.peek(), Some('+' | '-')) {
            return Err(Question::change(field, begun));
        } else {
            scan.back_to(from);
            return Ok(None);
        };
        let by = scan.number().and_then(|number| number.scaled(0)).and_then(|by| i16::try_from(by).ok());
        let by = by.ok_or_else(|| Question::change(field, begun))?;
        scan.eat(self.units(field));
        Ok(Some(by * sign))
    }

    fn units<'s>(&'s self, field: &'static Field) -> impl Iterator<Item = &'s str> {
        field.units().iter().map(String::as_str).chain(self.counted.map(|(_, unit)| unit))
    }

    /// After a number its unit may stand, and then nothing that clings to it but a word that is known.
    fn end_number(self, scan: &mut Scan, field: &'static Field) -> Result<(), Question> {
        scan.eat(self.units(field));
        if scan.at_separator() || self.words.at(scan).is_some() || scan.at_number() {
            return Ok(());
        }
        let unit = self.units(field).next().unwrap_or("个");
        let thing = self.counted.map_or(field.zh.as_str(), |(thing, _)| thing);
        Err(Question::unit(field, thing, unit, &scan.typed_word()))
    }

    fn place(self, scan: &mut Scan, field: &'static Field) -> Result<Value, Question> {
        let begun = scan.typed_word();
        if let Some((Means::Place(_, number), len)) = self.words.at(scan) {
            scan.step(len);
            return Ok(Value::Place(number));
        }
        let number = scan.number().and_then(|number| number.scaled(0));
        let Some(number) = number else {
            let hint = if self.area.places.is_empty() {
                "写编号，或写在“说”后面"
            } else {
                "不在地点表里，写在“说”后面"
            };
            let text = format!("{}“{}”{hint}", field.zh, begun.chars().take(8).collect::<String>());
            return Err(Question::new(Some(field), &text));
        };
        scan.eat(["号地点", "号点", "号"]);
        u16::try_from(number).map(Value::Place).map_err(|_| Question::range(field, &begun))
    }
}

/// `14:05`, `14点05分`, `14点半`, `1405`, and with a day `12日14:05`.
fn time(scan: &mut Scan, day_may_stand: bool) -> Option<Value> {
    let (mut hour, mut digits) = scan.integer()?;
    let mut day = None;
    if scan.eat(["日", "号"]).is_some() {
        day = Some(u8::try_from(hour).ok().filter(|_| day_may_stand)?);
        scan.skip();
        (hour, digits) = scan.integer()?;
    }
    let minute = if scan.eat_char(':') {
        let (minute, digits) = scan.integer()?;
        Some(minute).filter(|_| digits == 2)?
    } else if scan.eat(["点", "时"]).is_some() {
        let minute = if scan.eat(["半"]).is_some() { 30 } else { scan.integer().map_or(0, |(minute, _)| minute) };
        scan.eat(["分", "整"]);
        minute
    } else if digits == 4 {
        let together = hour;
        hour = together / 100;
        together % 100
    } else {
        return None;
    };
    scan.eat(["前", "起"]);
    let clear = hour < 24 && minute < 60 && !scan.at_number() && day.is_none_or(|day| (1..=31).contains(&day));
    clear.then_some(())?;
    Some(Value::Time { day, minute: u16::try_from(hour * 60 + minute).ok()? })
}

/// `30.6521,104.0812` in either order, `北纬30.6521 东经104.0812`, `N30.6521E104.0812`, `原3 北1200 西300`.
fn spot(scan: &mut Scan) -> Option<Spot> {
    if scan.eat([ORIGIN, "原点"]).is_some() {
        return relative(scan);
    }
    let (first, first_axis) = degrees(scan)?;
    scan.skip();
    let (second, second_axis) = degrees(scan)?;
    let (lat, lon) = match (first_axis, second_axis) {
        (Some(Axis::Latitude), Some(Axis::Longitude)) => (first, second),
        (Some(Axis::Longitude), Some(Axis::Latitude)) => (second, first),
        // Without their letters two numbers are clear in China, where no latitude can be a longitude.
        (None, None) if is_chinese(first, second) => (first, second),
        (None, None) if is_chinese(second, first) => (second, first),
        _ => return None,
    };
    Spot::absolute(i32::try_from(lat).ok()?, i32::try_from(lon).ok()?)
}

fn is_chinese(lat_e7: i64, lon_e7: i64) -> bool {
    (30_000_000..=540_000_000).contains(&lat_e7) && (730_000_000..=1_360_000_000).contains(&lon_e7)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axis {
    Latitude,
    Longitude,
}

/// One coordinate in 1e-7 degrees, with its axis where that is typed before or after it.
fn degrees(scan: &mut Scan) -> Option<(i64, Option<Axis>)> {
    let before = direction(scan).or_else(|| axis(scan));
    scan.skip();
    let minus = before.is_none() && scan.eat_char('-');
    let number = scan.number().filter(|number| number.decimals >= DEGREE_DECIMALS_MIN)?;
    let value = number.scaled(E7).or_else(|| number.rounded(E7))?;
    let marked = scan.eat(["度", "°"]).is_some();
    if marked && scan.at_number() {
        // Minutes and seconds are not read: half of them would be a wrong place.
        return None;
    }
    let after = if before.is_none() { direction(scan) } else { None };
    let (axis, sign) = before.or(after).map_or((None, 1), |(axis, sign)| (Some(axis), sign));
    Some((if minus { -value } else { value * sign }, axis))
}

fn direction(scan: &mut Scan) -> Option<(Axis, i64)> {
    let ways = [
        (NORTH, Axis::Latitude, 1),
        (SOUTH, Axis::Latitude, -1),
        (EAST, Axis::Longitude, 1),
        (WEST, Axis::Longitude, -1),
    ];
    ways.into_iter().find_map(|(words, axis, sign)| scan.eat(words).map(|_| (axis, sign)))
}

fn axis(scan: &mut Scan) -> Option<(Axis, i64)> {
    if scan.eat(["纬度", "纬"]).is_some() {
        return Some((Axis::Latitude, 1));
    }
    scan.eat(["经度", "经"]).map(|_| (Axis::Longitude, 1))
}

/// What follows `原`: the origin's number, metres north or south, metres east or west.
fn relative(scan: &mut Scan) -> Option<Spot> {
    let origin = u8::try_from(scan.integer()?.0).ok()?;
    let (mut north, mut east) = (None, None);
    for _ in 0..2 {
        scan.skip();
        let (axis, sign) = direction(scan)?;
        let metres = i64::from(scan.integer()?.0).checked_mul(sign)?;
        scan.eat(["米", "M"]);
        let metres = Some(i16::try_from(metres).ok()?);
        match axis {
            Axis::Latitude => north = metres,
            Axis::Longitude => east = metres,
        }
    }
    Spot::Relative { origin, north_m: north?, east_m: east? }.checked()
}

/// Whether a position may begin here with something else than a code.
pub(super) fn spot_begins(scan: &Scan) -> bool {
    let mut ahead = scan.clone();
    ahead.at_number() || ahead.eat([ORIGIN]).is_some() || direction(&mut ahead).is_some() || axis(&mut ahead).is_some()
}
