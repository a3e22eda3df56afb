use super::Utc;
use serde::{Deserialize, Serialize};

/// The reference system of a position. Storage and air know only CGCS2000 (WGS-84 to centimetres).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Datum {
    #[default]
    Cgcs2000,
}

/// Where something was, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Latitude in 1e-7 degrees, −90°..=90°, north positive.
    pub lat_e7: i32,
    /// Longitude in 1e-7 degrees, −180°..=180°, east positive.
    pub lon_e7: i32,
    /// Height above the ellipsoid or sea level as the terminal gave it, decimetres.
    pub height_dm: Option<i32>,
    /// Speed over ground, centimetres per second.
    pub speed_cm_s: Option<u32>,
    /// Course over ground, tenths of a degree from true north, 0..3600.
    pub course_ddeg: Option<u16>,
    /// When the fix was taken, where the terminal says the full date.
    pub at: Option<Utc>,
    pub datum: Datum,
}

impl Position {
    /// A bare fix in degrees; `None` outside −90..=90, −180..=180 or not a number.
    #[must_use]
    pub fn from_degrees(lat: f64, lon: f64) -> Option<Self> {
        if !(-90.0..=90.0).contains(&lat) || !(-180.0..=180.0).contains(&lon) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the range was just checked: at most 1.8e9")]
        let e7 = |degrees: f64| (degrees * 1e7).round() as i32;
        Some(Self {
            lat_e7: e7(lat),
            lon_e7: e7(lon),
            height_dm: None,
            speed_cm_s: None,
            course_ddeg: None,
            at: None,
            datum: Datum::Cgcs2000,
        })
    }

    /// Latitude in degrees.
    #[must_use]
    pub fn lat(&self) -> f64 {
        f64::from(self.lat_e7) / 1e7
    }

    /// Longitude in degrees.
    #[must_use]
    pub fn lon(&self) -> f64 {
        f64::from(self.lon_e7) / 1e7
    }

    /// Distance to another fix in metres, integer only so that every machine decides alike: an equirectangular
    /// approximation that is within 1 % below 100 km and latitude 60°.
    #[must_use]
    pub fn metres_to(&self, other: &Self) -> u64 {
        // One 1e-7 degree of latitude is 11.132 mm; longitude shrinks with the cosine of the latitude, taken from
        // a table of one value per 5 degrees, linearly interpolated.
        let dy = i64::from(other.lat_e7) - i64::from(self.lat_e7);
        let dx = i64::from(other.lon_e7) - i64::from(self.lon_e7);
        let mid = (i64::from(other.lat_e7) + i64::from(self.lat_e7)) / 2;
        let north_mm = dy * 11_132 / 1_000;
        let east_mm = dx * 11_132 / 1_000 * cosine_permille(mid) / 1_000;
        let square = north_mm.unsigned_abs().pow(2).saturating_add(east_mm.unsigned_abs().pow(2));
        square.isqrt() / 1_000
    }
}

/// Cosine of a latitude given in 1e-7 degrees, in thousandths.
fn cosine_permille(lat_e7: i64) -> i64 {
    const TABLE: [i64; 19] =
        [1000, 996, 985, 966, 940, 906, 866, 819, 766, 707, 643, 574, 500, 423, 342, 259, 174, 87, 0];
    const STEP: i64 = 50_000_000;
    let lat = lat_e7.abs().min(899_999_999);
    let at = |i: i64| usize::try_from(i).ok().and_then(|i| TABLE.get(i)).copied().unwrap_or(0);
    let (low, high) = (at(lat / STEP), at(lat / STEP + 1));
    low + (high - low) * (lat % STEP) / STEP
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_is_right_to_one_percent_at_county_scale() {
        let here = Position::from_degrees(28.2000, 112.9000).unwrap();
        let north = Position::from_degrees(28.2100, 112.9000).unwrap();
        let east = Position::from_degrees(28.2000, 112.9100).unwrap();
        assert!((1_105..=1_120).contains(&here.metres_to(&north)), "{}", here.metres_to(&north));
        assert!((970..=992).contains(&here.metres_to(&east)), "{}", here.metres_to(&east));
        assert_eq!(here.metres_to(&here), 0);
    }
}
