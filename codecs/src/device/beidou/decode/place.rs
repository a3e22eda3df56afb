//! Positions. All are CGCS2000; RDSS ones have a time of day but no date, so they have no `at`.

use crate::device::beidou::settings::Settings;
use crate::device::beidou::wire::content::{EmbeddedPosition, Height};
use crate::device::beidou::wire::rdss40::{Angle, Dwxx, Gnpx, Gpsx};
use crate::device::beidou::wire::{nmea, rdss21};
use crate::message::{Bearer, Datum, Position, Signal, TerminalId};

fn id(number: u32) -> TerminalId {
    TerminalId::from_number(Bearer::Beidou, number)
}

fn own(settings: &Settings) -> TerminalId {
    id(settings.own_number.unwrap_or(0))
}

/// A fix; `None` where an angle is missing or 0/0, which receivers without a fix print.
fn fix(lat_e7: Option<i32>, lon_e7: Option<i32>, height_mm: Option<i64>) -> Option<Position> {
    let (lat_e7, lon_e7) = (lat_e7?, lon_e7?);
    let on_earth = lat_e7.abs() <= 900_000_000 && lon_e7.abs() <= 1_800_000_000;
    (on_earth && (lat_e7, lon_e7) != (0, 0)).then(|| Position {
        lat_e7,
        lon_e7,
        height_dm: height_mm.and_then(|mm| i32::try_from(mm / 100).ok()),
        speed_cm_s: None,
        course_ddeg: None,
        at: None,
        datum: Datum::Cgcs2000,
    })
}

fn hemisphere(angle: Angle, letter: u8) -> Option<i32> {
    angle.e7().map(|e7| if matches!(letter, b'S' | b'W') { -e7 } else { e7 })
}

pub(super) fn dwxx(user: u32, said: &Dwxx) -> Option<Signal> {
    let of = if said.queried == 0 { user } else { said.queried };
    let position = fix(said.lat.e7(), said.lon.e7(), Some(i64::from(said.height_m()) * 1_000))?;
    Some(Signal::Position { of: id(of), position, emergency: said.category & 0b100 != 0 })
}

pub(super) fn gnpx(user: u32, said: &Gnpx) -> Option<Signal> {
    let magnitude = i64::from(said.height & 0x7FFF) * 1_000;
    let height = if said.height & 0x8000 == 0 { magnitude } else { -magnitude };
    let position = fix(hemisphere(said.lat, said.ns), hemisphere(said.lon, said.ew), Some(height))?;
    Some(Signal::Position { of: id(user), position, emergency: false })
}

pub(super) fn gpsx(user: u32, said: &Gpsx) -> Option<Signal> {
    let position = fix(hemisphere(said.lat, said.ns), hemisphere(said.lon, said.ew), None)?;
    Some(Signal::Position { of: id(user), position, emergency: false })
}

pub(super) fn embedded(said: &EmbeddedPosition) -> Option<Position> {
    let height = match said.height {
        Height::Signed { metres, .. } => i64::from(metres) * 1_000,
        Height::Unsigned(metres) => i64::from(metres) * 1_000,
    };
    fix(said.lat.e7(), said.lon.e7(), Some(height))
}

pub(super) fn dwr(said: &rdss21::Dwr) -> Option<Signal> {
    let position = fix(said.lat_e7, said.lon_e7, said.height_mm)?;
    Some(Signal::Position { of: id(said.user), position, emergency: said.emergency })
}

pub(super) fn waa(said: &rdss21::Waa) -> Option<Signal> {
    let position = fix(said.lat_e7, said.lon_e7, said.height_mm)?;
    Some(Signal::Position { of: id(said.user), position, emergency: false })
}

pub(super) fn gga(settings: &Settings, said: &nmea::Gga) -> Option<Signal> {
    let position = fix(said.lat_e7, said.lon_e7, said.altitude_mm).filter(|_| said.quality > 0)?;
    Some(Signal::Position { of: own(settings), position, emergency: false })
}

pub(super) fn gll(settings: &Settings, said: &nmea::Gll) -> Option<Signal> {
    let position = fix(said.lat_e7, said.lon_e7, None).filter(|_| said.valid)?;
    Some(Signal::Position { of: own(settings), position, emergency: false })
}

/// The recommended minimum says where and when.
pub(super) fn rmc(settings: &Settings, said: &nmea::Rmc) -> Vec<Signal> {
    let at = said.utc();
    let mut signals: Vec<Signal> = at.map(|at| Signal::Time { at, gnss: true }).into_iter().collect();
    if let Some(mut position) = fix(said.lat_e7, said.lon_e7, None).filter(|_| said.valid) {
        position.at = at;
        // One knot is 1852 m in 3600 s.
        let speed = said.speed_milliknot.map(|milli| milli.saturating_mul(1_852) / 36_000);
        position.speed_cm_s = speed.and_then(|speed| u32::try_from(speed).ok());
        let course = said.course_milli.map(|milli| milli / 100).filter(|course| (0..3_600).contains(course));
        position.course_ddeg = course.and_then(|course| u16::try_from(course).ok());
        signals.push(Signal::Position { of: own(settings), position, emergency: false });
    }
    signals
}
