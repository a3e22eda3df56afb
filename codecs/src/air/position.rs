//! Positions of several units in one content: 59 bits each about a shared origin, 80 bits each anywhere.
//!
//! ```text
//! relative   origin:5, then for each unit   unit:13 | north:14 | east:14 | age:6 | battery:3 | speed:5 | course:4
//! absolute             for each unit        unit:13 | lat:24   | lon:25  | age:6 | battery:3 | speed:5 | course:4
//! ```
//!
//! **Why 13 bits of unit.** A sealed frame of 77 bytes has 77 − 5 (header) − 1 (content byte) − 4 (tag) = 67 bytes = 536 bits
//! for the body, less 5 for the origin: 531 = 9 · 59. Place and status take 46, so that 13 are left for the unit, and nine
//! units fill the frame to the last bit. Everything is integer arithmetic: both ends must come to the same place.

use super::bits::{BitReader, BitWriter, BitsError};
use crate::message::{Datum, Position};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Bits of one unit about an origin.
pub const RELATIVE_BITS: usize = 59;
/// Bits of one unit anywhere.
pub const ABSOLUTE_BITS: usize = 80;
/// Bits of the origin before the units.
const ORIGIN_BITS: usize = 5;
/// Most units of one content.
pub const UNITS_MAX: usize = 255;
/// The highest number of a unit.
pub const UNIT_MAX: u16 = (1 << 13) - 1;

/// Half the side of the square about an origin, steps of a metre.
const HALF: i64 = 1 << 13;
/// One step to the north, 1e-7 degrees: 1.002 m.
const STEP_NORTH_E7: i64 = 90;
/// Origins nearer to a pole than this are not made.
const ORIGIN_LAT_E7_MAX: i32 = 860_000_000;
/// One step to the east, 1e-7 degrees, by the whole degrees of the origin's latitude d: round(90 / cos(d + 0.5°)).
const STEPS_EAST_E7: [i64; 86] = [
    90, 90, 90, 90, 90, 90, 91, 91, 91, 91, 92, 92, 92, 93, 93, 93, 94, 94, 95, 95, 96, 97, 97, 98, 99, 100, 101, 101,
    102, 103, 104, 106, 107, 108, 109, 111, 112, 113, 115, 117, 118, 120, 122, 124, 126, 128, 131, 133, 136, 139, 141,
    145, 148, 151, 155, 159, 163, 168, 172, 177, 183, 189, 195, 202, 209, 217, 226, 235, 246, 257, 270, 284, 299, 317,
    337, 359, 386, 416, 451, 494, 545, 609, 690, 795, 939, 1147,
];
const CIRCLE_E7: i64 = 3_600_000_000;

/// Why positions cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PositionError {
    #[error("{found} bytes are no whole number of positions")]
    Length { found: usize },
    #[error("{found} positions, 1 to {UNITS_MAX} expected")]
    Count { found: usize },
    #[error("unit {found}, at most {UNIT_MAX}")]
    Unit { found: u16 },
    #[error("position variant {found} is not known, 0 or 1 expected")]
    Variant { found: u8 },
    #[error(transparent)]
    Bits(#[from] BitsError),
}

/// A place that all stations of a net know under a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    id: OriginId,
    lat_e7: i32,
    lon_e7: i32,
}

/// The number of an origin, 0..=31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OriginId(u8);

impl OriginId {
    /// `None` above 31.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < 32 { Some(Self(number)) } else { None }
    }

    /// 0..=31.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl Origin {
    /// In 1e-7 degrees; `None` outside −86°..86° (exclusive) and −180°..=180°.
    #[must_use]
    pub fn new(id: OriginId, lat_e7: i32, lon_e7: i32) -> Option<Self> {
        let fine = lat_e7.abs_diff(0) < ORIGIN_LAT_E7_MAX.abs_diff(0) && i64::from(lon_e7).abs() <= CIRCLE_E7 / 2;
        fine.then_some(Self { id, lat_e7, lon_e7 })
    }

    /// Its number.
    #[must_use]
    pub const fn id(&self) -> OriginId {
        self.id
    }

    fn step_east_e7(&self) -> i64 {
        let degrees = usize::try_from(self.lat_e7.unsigned_abs() / 10_000_000).unwrap_or(usize::MAX);
        STEPS_EAST_E7.get(degrees).copied().unwrap_or(1147)
    }
}

/// Steps of about a metre from an origin, −8192..=8191 each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    north: i16,
    east: i16,
}

impl Offset {
    /// The nearest step; `None` outside the square of 16 km.
    #[must_use]
    pub fn of(origin: &Origin, lat_e7: i32, lon_e7: i32) -> Option<Self> {
        let north = i64::from(lat_e7).saturating_sub(origin.lat_e7.into());
        let east = wrapped(i64::from(lon_e7).saturating_sub(origin.lon_e7.into()));
        Some(Self { north: steps(north, STEP_NORTH_E7)?, east: steps(east, origin.step_east_e7())? })
    }

    /// Latitude and longitude, 1e-7 degrees.
    #[must_use]
    pub fn place(self, origin: &Origin) -> (i32, i32) {
        let lat = i64::from(origin.lat_e7).saturating_add(STEP_NORTH_E7.saturating_mul(self.north.into()));
        let east = origin.step_east_e7().saturating_mul(self.east.into());
        let lon = wrapped(i64::from(origin.lon_e7).saturating_add(east));
        (i32::try_from(lat).unwrap_or(0), i32::try_from(lon).unwrap_or(0))
    }
}

/// The nearest number of steps, halves up; `None` outside the square.
fn steps(distance_e7: i64, step_e7: i64) -> Option<i16> {
    let nearest = distance_e7.saturating_mul(2).saturating_add(step_e7).div_euclid(step_e7.saturating_mul(2));
    i16::try_from(nearest).ok().filter(|steps| (-HALF..HALF).contains(&i64::from(*steps)))
}

/// A longitude or a difference of two, −180° up to and without 180°.
fn wrapped(lon_e7: i64) -> i64 {
    lon_e7.saturating_add(CIRCLE_E7 / 2).rem_euclid(CIRCLE_E7).saturating_sub(CIRCLE_E7 / 2)
}

/// A place on the globe in cells of 180° / 2^24 (1.2 m) each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// 0..2^24, from the south pole.
    lat: u32,
    /// 0..2^25, from 180° west.
    lon: u32,
}

impl Cell {
    /// The nearest cell; `None` outside ±90° and ±180°. The north pole is the cell below it.
    #[must_use]
    pub fn of(lat_e7: i32, lon_e7: i32) -> Option<Self> {
        let lat = u64::try_from(i64::from(lat_e7).saturating_add(CIRCLE_E7 / 4)).ok()?;
        let lon = u64::try_from(i64::from(lon_e7).saturating_add(CIRCLE_E7 / 2)).ok()?;
        if lat > 1_800_000_000 || lon > 3_600_000_000 {
            return None;
        }
        // Half a circle in 2^24 cells: nearest(e7 · 2^24 / 1.8e9), the same width both ways.
        let cell = |e7: u64| e7.saturating_mul(1 << 25).saturating_add(1_800_000_000) / 3_600_000_000;
        let (lat, lon) = (cell(lat).min((1 << 24) - 1), cell(lon) % (1 << 25));
        Some(Self { lat: u32::try_from(lat).ok()?, lon: u32::try_from(lon).ok()? })
    }

    /// Latitude and longitude, 1e-7 degrees.
    #[must_use]
    pub fn place(self) -> (i32, i32) {
        let e7 = |cell: u32| (i64::from(cell).saturating_mul(1_800_000_000).saturating_add(1 << 23)) >> 24;
        let (lat, lon) = (e7(self.lat).saturating_sub(CIRCLE_E7 / 4), e7(self.lon).saturating_sub(CIRCLE_E7 / 2));
        (i32::try_from(lat).unwrap_or(0), i32::try_from(lon).unwrap_or(0))
    }
}

/// How old a fix is: a code of 6 bits whose age is never below the true one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Age(u8);

impl Age {
    /// 63: unknown, or older than 4.5 days.
    pub const UNKNOWN: Self = Self(63);

    /// The least code that is not younger; `None` = unknown.
    #[must_use]
    pub fn of(seconds: Option<u32>) -> Self {
        let Some(seconds) = seconds else { return Self::UNKNOWN };
        (0..63).map(Self).find(|age| age.seconds().is_some_and(|s| s >= seconds)).unwrap_or(Self::UNKNOWN)
    }

    /// At most so many seconds: 2 · ((4 + m) · 2^e − 4) with the code as `e:4 | m:2`; `None` = unknown.
    #[must_use]
    pub fn seconds(self) -> Option<u32> {
        let (e, m) = (u32::from(self.0 >> 2), u32::from(self.0 & 3));
        let age = m.saturating_add(4).checked_shl(e)?.saturating_sub(4).saturating_mul(2);
        (self < Self::UNKNOWN).then_some(age)
    }
}

/// A battery's charge in 3 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Battery(u8);

/// What is at least left, percent, for the codes 1..=7; 0 is unknown.
const BATTERY_PERCENT: [u8; 7] = [0, 10, 25, 40, 55, 70, 85];

impl Battery {
    /// From percent; `None` = unknown.
    #[must_use]
    pub fn of(percent: Option<u8>) -> Self {
        let Some(percent) = percent else { return Self(0) };
        let code = BATTERY_PERCENT.iter().filter(|least| **least <= percent).count();
        Self(u8::try_from(code).unwrap_or(0))
    }

    /// At least so much is left, percent: 0, 10, 25, 40, 55, 70 or 85; `None` = unknown.
    #[must_use]
    pub fn percent(self) -> Option<u8> {
        BATTERY_PERCENT.get(usize::from(self.0.checked_sub(1)?)).copied()
    }
}

/// A speed in 5 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Speed(u8);

/// Kilometres per hour for the codes 0..=30; 31 is unknown.
const SPEEDS_KMH: [u16; 31] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 80, 100, 120, 140, 160, 180, 200, 220,
    240, 260,
];

impl Speed {
    /// 31: unknown.
    pub const UNKNOWN: Self = Self(31);

    /// The nearest, the faster of two equally near; 260 stands for more. `None` = unknown.
    #[must_use]
    pub fn of(kmh: Option<u16>) -> Self {
        let Some(kmh) = kmh else { return Self::UNKNOWN };
        let codes = (0_u8..).zip(SPEEDS_KMH);
        let nearest = codes.min_by_key(|(code, speed)| (speed.abs_diff(kmh), std::cmp::Reverse(*code)));
        nearest.map_or(Self::UNKNOWN, |(code, _)| Self(code))
    }

    /// Kilometres per hour; `None` = unknown.
    #[must_use]
    pub fn kmh(self) -> Option<u16> {
        SPEEDS_KMH.get(usize::from(self.0)).copied()
    }
}

/// A course in sixteenths of the circle. It means something only while the speed is known and not zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Course(u8);

impl Course {
    /// The nearest sixteenth of a course in tenths of a degree, the next one where two are equally near.
    #[must_use]
    pub fn of(ddeg: u16) -> Self {
        let sixteenth = u32::from(ddeg).saturating_mul(2).saturating_add(225) / 450 % 16;
        Self(u8::try_from(sixteenth).unwrap_or(0))
    }

    /// Tenths of a degree from true north: 0, 225, 450 … 3375.
    #[must_use]
    pub fn ddeg(self) -> u16 {
        u16::from(self.0 % 16).saturating_mul(225)
    }
}

/// What comes with a place: 18 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// How old the fix is.
    pub age: Age,
    /// What is left in the battery.
    pub battery: Battery,
    /// How fast it moves.
    pub speed: Speed,
    /// Where to.
    pub course: Course,
}

impl Default for Status {
    /// Nothing known.
    fn default() -> Self {
        Self { age: Age::UNKNOWN, battery: Battery(0), speed: Speed::UNKNOWN, course: Course(0) }
    }
}

impl Status {
    /// From a fix that is so many seconds old.
    #[must_use]
    pub fn of(fix: &Position, age_s: Option<u32>, battery_percent: Option<u8>) -> Self {
        let kmh = |cm_s: u32| u16::try_from(cm_s.saturating_mul(36).saturating_add(500) / 1_000).unwrap_or(u16::MAX);
        Self {
            age: Age::of(age_s),
            battery: Battery::of(battery_percent),
            speed: Speed::of(fix.speed_cm_s.map(kmh)),
            course: Course::of(fix.course_ddeg.unwrap_or(0)),
        }
    }

    /// As a position at this place; the time is left to whoever knows when it was heard.
    #[must_use]
    pub fn position(self, (lat_e7, lon_e7): (i32, i32)) -> Position {
        let kmh = self.speed.kmh();
        Position {
            lat_e7,
            lon_e7,
            height_dm: None,
            speed_cm_s: kmh.map(|kmh| u32::from(kmh).saturating_mul(1_000) / 36),
            course_ddeg: kmh.filter(|kmh| *kmh > 0).map(|_| self.course.ddeg()),
            at: None,
            datum: Datum::Cgcs2000,
        }
    }
}

/// One unit in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit<P> {
    /// Its number, 0..=[`UNIT_MAX`]: 0 = the sender itself, 1..=1023 a station, above that as the roster numbers them.
    pub unit: u16,
    /// Where it is.
    pub place: P,
    /// What else is known.
    pub status: Status,
}

/// The body of a content of positions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Positions {
    /// Variant 0: about an origin that both ends know.
    Relative { origin: OriginId, units: Vec<Unit<Offset>> },
    /// Variant 1: anywhere.
    Absolute { units: Vec<Unit<Cell>> },
}

impl Positions {
    /// What the content byte calls it: 0 or 1.
    #[must_use]
    pub const fn variant(&self) -> u8 {
        match self {
            Self::Relative { .. } => 0,
            Self::Absolute { .. } => 1,
        }
    }

    /// Reads a body of this variant, to the end.
    ///
    /// # Errors
    /// [`PositionError`] for another variant, no or a broken unit, and padding that is not zero.
    pub fn parse(variant: u8, body: &[u8]) -> Result<Self, PositionError> {
        let mut bits = BitReader::new(body);
        let positions = match variant {
            0 => {
                let count = count(body.len(), ORIGIN_BITS, RELATIVE_BITS)?;
                let origin = OriginId(bits.take_u8(5)?);
                Self::Relative { origin, units: take_units(&mut bits, count, Offset::take)? }
            }
            1 => {
                let count = count(body.len(), 0, ABSOLUTE_BITS)?;
                Self::Absolute { units: take_units(&mut bits, count, Cell::take)? }
            }
            found => return Err(PositionError::Variant { found }),
        };
        bits.finish()?;
        Ok(positions)
    }

    /// The body, padded with zero bits to a whole byte.
    ///
    /// # Errors
    /// [`PositionError`] for no or more than [`UNITS_MAX`] units, and for a unit above [`UNIT_MAX`].
    pub fn emit(&self) -> Result<Vec<u8>, PositionError> {
        let mut bits = BitWriter::new();
        match self {
            Self::Relative { origin, units } => {
                bits.push(origin.0.into(), 5)?;
                push_units(&mut bits, units, |place, bits| place.push(bits))?;
            }
            Self::Absolute { units } => push_units(&mut bits, units, |place, bits| place.push(bits))?,
        }
        Ok(bits.finish())
    }
}

/// How many items of so many bits a body has; the length must be the least that holds them.
fn count(bytes: usize, before: usize, item: usize) -> Result<usize, PositionError> {
    let count = bytes.saturating_mul(8).saturating_sub(before) / item;
    if count == 0 || count > UNITS_MAX {
        return Err(PositionError::Count { found: count });
    }
    let right = count.saturating_mul(item).saturating_add(before).div_ceil(8) == bytes;
    if right { Ok(count) } else { Err(PositionError::Length { found: bytes }) }
}

fn take_units<P>(
    bits: &mut BitReader<'_>,
    count: usize,
    place: impl Fn(&mut BitReader<'_>) -> Result<P, BitsError>,
) -> Result<Vec<Unit<P>>, BitsError> {
    (0..count)
        .map(|_| Ok(Unit { unit: bits.take_u16(13)?, place: place(bits)?, status: Status::take(bits)? }))
        .collect()
}

fn push_units<P>(
    bits: &mut BitWriter,
    units: &[Unit<P>],
    place: impl Fn(&P, &mut BitWriter) -> Result<(), BitsError>,
) -> Result<(), PositionError> {
    if units.is_empty() || units.len() > UNITS_MAX {
        return Err(PositionError::Count { found: units.len() });
    }
    for unit in units {
        if unit.unit > UNIT_MAX {
            return Err(PositionError::Unit { found: unit.unit });
        }
        bits.push(unit.unit.into(), 13)?;
        place(&unit.place, bits)?;
        unit.status.push(bits)?;
    }
    Ok(())
}

impl Offset {
    fn take(bits: &mut BitReader<'_>) -> Result<Self, BitsError> {
        let mut steps = || {
            let code = bits.take_u16(14)?;
            Ok(i16::try_from(i64::from(code).saturating_sub(HALF)).unwrap_or(0))
        };
        Ok(Self { north: steps()?, east: steps()? })
    }

    fn push(self, bits: &mut BitWriter) -> Result<(), BitsError> {
        let code = |steps: i16| u64::try_from(i64::from(steps).saturating_add(HALF)).unwrap_or(0);
        bits.push(code(self.north), 14)?;
        bits.push(code(self.east), 14)
    }
}

impl Cell {
    fn take(bits: &mut BitReader<'_>) -> Result<Self, BitsError> {
        Ok(Self { lat: bits.take_u32(24)?, lon: bits.take_u32(25)? })
    }

    fn push(self, bits: &mut BitWriter) -> Result<(), BitsError> {
        bits.push(self.lat.into(), 24)?;
        bits.push(self.lon.into(), 25)
    }
}

impl Status {
    fn take(bits: &mut BitReader<'_>) -> Result<Self, BitsError> {
        Ok(Self {
            age: Age(bits.take_u8(6)?),
            battery: Battery(bits.take_u8(3)?),
            speed: Speed(bits.take_u8(5)?),
            course: Course(bits.take_u8(4)?),
        })
    }

    fn push(self, bits: &mut BitWriter) -> Result<(), BitsError> {
        bits.push(self.age.0.into(), 6)?;
        bits.push(self.battery.0.into(), 3)?;
        bits.push(self.speed.0.into(), 5)?;
        bits.push(self.course.0.into(), 4)
    }
}
