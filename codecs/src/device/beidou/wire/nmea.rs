//! RNSS positions on the same port (NMEA 0183). Any talker is read; `GN` is written.

use super::text::{Clock, Fields, Line};
use crate::codec::DecodeError;
use crate::message::Utc;

/// A fix; both angles are `None` while there is none. `quality` 0 = no fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gga {
    pub time: Option<Clock>,
    pub lat_e7: Option<i32>,
    pub lon_e7: Option<i32>,
    pub quality: u8,
    pub satellites: Option<u8>,
    pub hdop_milli: Option<i64>,
    /// Above mean sea level.
    pub altitude_mm: Option<i64>,
    pub geoid_mm: Option<i64>,
}

/// Latitude and longitude alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gll {
    pub lat_e7: Option<i32>,
    pub lon_e7: Option<i32>,
    pub time: Option<Clock>,
    pub valid: bool,
}

/// The recommended minimum: fix, speed in thousandths of a knot, course in thousandths of a degree, date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rmc {
    pub time: Option<Clock>,
    pub valid: bool,
    pub lat_e7: Option<i32>,
    pub lon_e7: Option<i32>,
    pub speed_milliknot: Option<i64>,
    pub course_milli: Option<i64>,
    /// Day, month, year of the century.
    pub date: Option<[u8; 3]>,
}

/// Time and date. BD 410004 puts a mode before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zda {
    pub mode: Option<u8>,
    pub time: Option<Clock>,
    /// Day, month, year.
    pub date: Option<(u8, u8, u16)>,
}

const NORTH: [u8; 2] = *b"NS";
const EAST: [u8; 2] = *b"EW";

fn utc(time: Clock, year: u16, month: u8, day: u8) -> Option<Utc> {
    let whole = Utc::from_civil(year, month, day, time.hour, time.minute, time.second)?;
    Some(Utc(whole.millis().saturating_add(time.ms.into())))
}

impl Gga {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.between(14, 15)?;
        let time = f.next("time")?.clock_or_empty()?;
        let (lat_e7, lon_e7) = (f.angle("lat", 2, NORTH)?, f.angle("lon", 3, EAST)?);
        let quality = f.next("quality")?.whole_or_empty()?.unwrap_or(0);
        let (satellites, hdop_milli) = (f.next("sats")?.whole_or_empty()?, f.next("hdop")?.thousandths()?);
        let altitude_mm = f.next("alt")?.thousandths()?;
        f.next("unit")?;
        let geoid_mm = f.next("geoid_sep")?.thousandths()?;
        Ok(Self { time, lat_e7, lon_e7, quality, satellites, hdop_milli, altitude_mm, geoid_mm })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("GNGGA")
            .option(self.time)
            .angle(self.lat_e7, 2, ['N', 'S'])
            .angle(self.lon_e7, 3, ['E', 'W'])
            .field(self.quality)
            .option(self.satellites)
            .thousandths(self.hdop_milli)
            .thousandths(self.altitude_mm)
            .field('M')
            .thousandths(self.geoid_mm)
            .field('M')
            .bytes(b"")
            .bytes(b"")
    }
}

impl Gll {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.between(6, 7)?;
        let (lat_e7, lon_e7) = (f.angle("lat", 2, NORTH)?, f.angle("lon", 3, EAST)?);
        let time = f.next("time")?.clock_or_empty()?;
        Ok(Self { lat_e7, lon_e7, time, valid: f.letter("status", *b"AV", "A or V")? })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("GNGLL")
            .angle(self.lat_e7, 2, ['N', 'S'])
            .angle(self.lon_e7, 3, ['E', 'W'])
            .option(self.time)
            .flag(self.valid, ['A', 'V'])
            .field(if self.valid { 'A' } else { 'N' })
    }
}

impl Rmc {
    /// The full date and time, where the sentence is valid and has both.
    #[must_use]
    pub fn utc(&self) -> Option<Utc> {
        let (true, Some(time), Some([day, month, year])) = (self.valid, self.time, self.date) else { return None };
        utc(time, 2000 + u16::from(year), month, day)
    }

    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.between(11, 13)?;
        let (time, valid) = (f.next("time")?.clock_or_empty()?, f.letter("status", *b"AV", "A or V")?);
        let (lat_e7, lon_e7) = (f.angle("lat", 2, NORTH)?, f.angle("lon", 3, EAST)?);
        let (speed_milliknot, course_milli) = (f.next("speed")?.thousandths()?, f.next("course")?.thousandths()?);
        let date = f.next("date")?;
        let number: Option<u32> = date.whole_or_empty()?;
        let part = |value: u32| u8::try_from(value % 100).unwrap_or(0);
        let date = match number {
            None => None,
            Some(number) if date.bytes.len() == 6 => Some([part(number / 10_000), part(number / 100), part(number)]),
            Some(_) => return Err(date.wrong("a date ddmmyy")),
        };
        Ok(Self { time, valid, lat_e7, lon_e7, speed_milliknot, course_milli, date })
    }

    pub(super) fn line(&self) -> Line {
        let date = self.date.map(|[day, month, year]| format!("{day:02}{month:02}{year:02}"));
        Line::new("GNRMC")
            .option(self.time)
            .flag(self.valid, ['A', 'V'])
            .angle(self.lat_e7, 2, ['N', 'S'])
            .angle(self.lon_e7, 3, ['E', 'W'])
            .thousandths(self.speed_milliknot)
            .thousandths(self.course_milli)
            .option(date)
            .bytes(b"")
            .bytes(b"")
            .field(if self.valid { 'A' } else { 'N' })
    }
}

impl Zda {
    /// The full date and time.
    #[must_use]
    pub fn utc(&self) -> Option<Utc> {
        let (day, month, year) = self.date?;
        utc(self.time?, year, month, day)
    }

    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.between(4, 12)?;
        let first = f.next("time")?;
        let (mode, time) = if first.bytes.len() == 1 {
            (Some(first.whole()?), f.next("time")?.clock_or_empty()?)
        } else {
            (None, first.clock_or_empty()?)
        };
        let (day, month, year) = (f.next("day")?, f.next("month")?, f.next("year")?);
        let date = match (day.whole_or_empty()?, month.whole_or_empty()?, year.whole_or_empty()?) {
            (Some(day), Some(month), Some(year)) => Some((day, month, year)),
            _ => None,
        };
        Ok(Self { mode, time, date })
    }

    pub(super) fn line(&self) -> Line {
        let line = match self.mode {
            Some(mode) => Line::new("BDZDA").field(mode),
            None => Line::new("GNZDA"),
        };
        let line = line.option(self.time);
        match self.date {
            Some((day, month, year)) => {
                line.field(format_args!("{day:02}")).field(format_args!("{month:02}")).field(format_args!("{year:04}"))
            }
            None => line.bytes(b"").bytes(b"").bytes(b""),
        }
        .field("00")
        .field("00")
    }
}
