//! Where something is: absolute, in cells of about 1.2 m, or in metres from a shared origin. Integers only, so that every
//! machine decides alike.

use super::schema::{LATITUDE_BITS, LONGITUDE_BITS};
use super::value::{METRES_MAX, ORIGIN_MAX};
use std::collections::BTreeMap;

/// A place on the earth (CGCS2000).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// Latitude −90°..=90° and longitude −180°..=180° in 1e-7 degrees, north and east positive.
    Absolute { lat_e7: i32, lon_e7: i32 },
    /// Metres north and east of origin 0..=31, each −8,192..=8,191.
    Relative { origin: u8, north_m: i16, east_m: i16 },
}

const LAT_SPAN: i64 = 1_800_000_000;
const LON_SPAN: i64 = 3_600_000_000;

impl Spot {
    /// The middle of the cell in which a position lies; `None` off the earth.
    #[must_use]
    pub fn absolute(lat_e7: i32, lon_e7: i32) -> Option<Self> {
        let (lat, lon) = cells(lat_e7, lon_e7)?;
        Self::from_cells(lat, lon)
    }

    /// The position as the air has it; `None` when it cannot be put there.
    #[must_use]
    pub fn checked(self) -> Option<Self> {
        match self {
            Self::Absolute { lat_e7, lon_e7 } => Self::absolute(lat_e7, lon_e7),
            Self::Relative { origin, north_m, east_m } => {
                let near = |metres: i16| (-METRES_MAX - 1..=METRES_MAX).contains(&metres);
                (origin <= ORIGIN_MAX && near(north_m) && near(east_m)).then_some(self)
            }
        }
    }

    /// The middle of a cell; `None` for a number that no cell has.
    pub(super) fn from_cells(lat: u32, lon: u32) -> Option<Self> {
        let (lat_e7, lon_e7) = (middle(lat, LAT_SPAN, LATITUDE_BITS), middle(lon, LON_SPAN, LONGITUDE_BITS));
        Some(Self::Absolute { lat_e7: i32::try_from(lat_e7?).ok()?, lon_e7: i32::try_from(lon_e7?).ok()? })
    }
}

/// The cells of latitude (24 bits) and longitude (25 bits) of a position.
pub(super) fn cells(lat_e7: i32, lon_e7: i32) -> Option<(u32, u32)> {
    Some((cell(lat_e7, LAT_SPAN, LATITUDE_BITS)?, cell(lon_e7, LON_SPAN, LONGITUDE_BITS)?))
}

fn cell(e7: i32, span: i64, bits: u8) -> Option<u32> {
    let from_edge = i64::from(e7) + span / 2;
    let last = (1_i64 << bits) - 1;
    // The far edge belongs to the last cell.
    (0..=span)
        .contains(&from_edge)
        .then(|| (from_edge << bits) / span)
        .and_then(|cell| u32::try_from(cell.min(last)).ok())
}

fn middle(cell: u32, span: i64, bits: u8) -> Option<i64> {
    let twice = i64::from(cell) * 2 + 1;
    (u64::from(cell) < 1 << bits).then(|| ((twice * span) >> (bits + 1)) - span / 2)
}

/// A point that stations and people of one area share, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    lat_e7: i32,
    lon_e7: i32,
}

/// A metre of latitude is 89.8 units of 1e-7 degrees; 90 makes the grid 0.2 % wide, on both sides alike.
const METRE_E7: i64 = 90;

impl Origin {
    /// An origin between latitudes −80° and 80°; `None` elsewhere, where a metre of longitude is too many degrees.
    #[must_use]
    pub fn new(lat_e7: i32, lon_e7: i32) -> Option<Self> {
        let fits = lat_e7.unsigned_abs() <= 800_000_000 && lon_e7.unsigned_abs() <= 1_800_000_000;
        fits.then_some(Self { lat_e7, lon_e7 })
    }

    /// Its latitude and longitude, 1e-7 degrees.
    #[must_use]
    pub const fn place(&self) -> (i32, i32) {
        (self.lat_e7, self.lon_e7)
    }

    /// The position in metres from here; `None` when it is too far away.
    #[must_use]
    pub fn metres(&self, lat_e7: i32, lon_e7: i32) -> Option<(i16, i16)> {
        let near = |metres: i64| i16::try_from(metres).ok().filter(|m| (-METRES_MAX - 1..=METRES_MAX).contains(m));
        let north = rounded(i64::from(lat_e7) - i64::from(self.lat_e7), METRE_E7);
        let east = (i64::from(lon_e7) - i64::from(self.lon_e7) + LON_SPAN / 2).rem_euclid(LON_SPAN) - LON_SPAN / 2;
        Some((near(north)?, near(rounded(east * 100, self.east_step()))?))
    }

    /// Latitude and longitude, 1e-7 degrees, of a point in metres from here.
    #[must_use]
    pub fn degrees(&self, north_m: i16, east_m: i16) -> (i32, i32) {
        let lat = i64::from(self.lat_e7) + i64::from(north_m) * METRE_E7;
        let lon = i64::from(self.lon_e7) + rounded(i64::from(east_m) * self.east_step(), 100);
        let lon = (lon + LON_SPAN / 2).rem_euclid(LON_SPAN) - LON_SPAN / 2;
        (i32::try_from(lat).unwrap_or(self.lat_e7), i32::try_from(lon).unwrap_or(self.lon_e7))
    }

    /// A metre of longitude in 1e-9 degrees: 9,000 / cos(latitude of the origin), from a table of one value per 5
    /// degrees, linearly between. It is within 1 % of a metre, and exactly the same for sender and receiver.
    fn east_step(&self) -> i64 {
        const TABLE: [i64; 18] = [
            9_000, 9_034, 9_139, 9_317, 9_578, 9_930, 10_392, 10_987, 11_749, 12_728, 14_002, 15_691, 18_000, 21_296,
            26_314, 34_773, 51_829, 103_263,
        ];
        const BETWEEN: i64 = 50_000_000;
        let lat = i64::from(self.lat_e7).abs();
        let at = |i: i64| usize::try_from(i).ok().and_then(|i| TABLE.get(i)).copied().unwrap_or(METRE_E7 * 100);
        let (low, high) = (at(lat / BETWEEN), at(lat / BETWEEN + 1));
        low + (high - low) * (lat % BETWEEN) / BETWEEN
    }
}

/// Division to the nearest, halves away from zero; the divisor is positive.
const fn rounded(value: i64, by: i64) -> i64 {
    let half = if value < 0 { -(by / 2) } else { by / 2 };
    (value + half) / by
}

/// What the stations and people of one area share beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// Origins by number, 0..=31.
    pub origins: BTreeMap<u8, Origin>,
    /// Names of places by number, from 1.
    pub places: BTreeMap<u16, String>,
    /// The highest counter known of each station, by which references are completed.
    pub counters: BTreeMap<u16, u32>,
}

impl Area {
    /// The shortest way to say where something is: relative to the nearest origin in reach, else absolute.
    #[must_use]
    pub fn spot(&self, lat_e7: i32, lon_e7: i32) -> Option<Spot> {
        let reach = self.origins.iter().filter(|(number, _)| **number <= ORIGIN_MAX).filter_map(|(number, origin)| {
            let (north_m, east_m) = origin.metres(lat_e7, lon_e7)?;
            let away = north_m.unsigned_abs().max(east_m.unsigned_abs());
            Some((away, Spot::Relative { origin: *number, north_m, east_m }))
        });
        reach.min_by_key(|(away, _)| *away).map(|(_, spot)| spot).or_else(|| Spot::absolute(lat_e7, lon_e7))
    }

    /// Latitude and longitude in 1e-7 degrees; `None` when the origin is not of this area.
    #[must_use]
    pub fn degrees(&self, spot: Spot) -> Option<(i32, i32)> {
        match spot {
            Spot::Absolute { lat_e7, lon_e7 } => Some((lat_e7, lon_e7)),
            Spot::Relative { origin, north_m, east_m } => Some(self.origins.get(&origin)?.degrees(north_m, east_m)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Position;
    use proptest::prelude::*;

    #[test]
    fn the_edges_of_the_earth_have_cells() {
        for (lat, lon) in [(900_000_000, 1_800_000_000), (-900_000_000, -1_800_000_000), (0, 0)] {
            let Some(Spot::Absolute { lat_e7, lon_e7 }) = Spot::absolute(lat, lon) else { panic!("{lat} {lon}") };
            assert!((lat_e7 - lat).abs() <= 54 && (lon_e7 - lon).abs() <= 54, "{lat_e7} {lon_e7}");
        }
        assert_eq!(Spot::absolute(900_000_001, 0), None);
        assert_eq!(Spot::absolute(0, -1_800_000_001), None);
        assert_eq!(Spot::from_cells(1 << 24, 0), None);
        assert_eq!(Spot::Relative { origin: 32, north_m: 0, east_m: 0 }.checked(), None);
        assert_eq!(Spot::Relative { origin: 0, north_m: 8_192, east_m: 0 }.checked(), None);
    }

    proptest! {
        #[test]
        fn the_middle_of_a_cell_is_in_it_and_less_than_a_metre_away(
            lat in -900_000_000_i32..=900_000_000, lon in -1_800_000_000_i32..=1_800_000_000,
        ) {
            let spot = Spot::absolute(lat, lon).unwrap();
            prop_assert_eq!(spot.checked(), Some(spot));
            let Spot::Absolute { lat_e7, lon_e7 } = spot else { panic!() };
            prop_assert!((lat_e7 - lat).abs() <= 54 && (lon_e7 - lon).abs() <= 54);
        }

        #[test]
        fn metres_from_an_origin_come_back_and_are_metres(
            lat in -600_000_000_i32..=600_000_000, lon in -1_800_000_000_i32..=1_800_000_000,
            north in -8_192_i16..=8_191, east in -8_192_i16..=8_191,
        ) {
            let origin = Origin::new(lat, lon).unwrap();
            let (a, b) = origin.degrees(north, east);
            prop_assert_eq!(origin.metres(a, b), Some((north, east)));
            let position = |lat_e7, lon_e7| Position { lat_e7, lon_e7, ..Position::from_degrees(0.0, 0.0).unwrap() };
            if lon.abs() < 1_790_000_000 {
                let away = position(lat, lon).metres_to(&position(a, b));
                let said = (i64::from(north).pow(2) + i64::from(east).pow(2)).isqrt();
                prop_assert!(away.abs_diff(said.unsigned_abs()) <= 3 + said.unsigned_abs() * 3 / 100, "{away} {said}");
            }
        }
    }

    #[test]
    fn the_nearest_origin_in_reach_is_taken_else_the_spot_is_absolute() {
        let mut area = Area::default();
        area.origins.insert(3, Origin::new(306_500_000, 1_040_800_000).unwrap());
        area.origins.insert(4, Origin::new(306_600_000, 1_040_800_000).unwrap());
        let spot = area.spot(306_521_000, 1_040_812_000).unwrap();
        assert_eq!(spot, Spot::Relative { origin: 3, north_m: 233, east_m: 115 });
        let (lat, lon) = area.degrees(spot).unwrap();
        assert!((lat - 306_521_000).abs() < 60 && (lon - 1_040_812_000).abs() < 60);
        assert!(matches!(area.spot(310_000_000, 1_040_812_000), Some(Spot::Absolute { .. })));
        assert_eq!(area.degrees(Spot::Relative { origin: 9, north_m: 0, east_m: 0 }), None);
    }
}
