use super::Ascii;
use super::bytes::Reader;
use crate::codec::DecodeError;
use crate::message::{Datum, Position, Utc};
use ::bytes::BytesMut;

/// The GPS block of location reports: 40 ASCII bytes, any field of which may be NUL although the status is `A`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gps {
    /// `A` valid, `V` not.
    pub status: Ascii<1>,
    /// hhmmss, UTC.
    pub time: Ascii<6>,
    /// DDMMYY.
    pub date: Ascii<6>,
    pub north_south: Ascii<1>,
    /// DDMM.MMMM
    pub latitude: Ascii<9>,
    pub east_west: Ascii<1>,
    /// DDDMM.MMMM
    pub longitude: Ascii<10>,
    /// Documented as knots; captures only show 0.0 to 0.2, so the unit is unproven ([`SpeedUnit`]).
    pub speed: Ascii<3>,
    /// Degrees.
    pub course: Ascii<3>,
}

/// The unit of the speed field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpeedUnit {
    /// As documented.
    #[default]
    Knots,
    /// In case a radio turns out to say so.
    KmPerHour,
}

impl Gps {
    /// A block of a radio without a fix.
    pub const NO_FIX: Self = Self {
        status: Ascii::EMPTY,
        time: Ascii::EMPTY,
        date: Ascii::EMPTY,
        north_south: Ascii::EMPTY,
        latitude: Ascii::EMPTY,
        east_west: Ascii::EMPTY,
        longitude: Ascii::EMPTY,
        speed: Ascii::EMPTY,
        course: Ascii::EMPTY,
    };

    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.at();
        let gps = Self {
            status: Ascii::read(reader, "gps status")?,
            time: Ascii::read(reader, "gps time")?,
            date: Ascii::read(reader, "gps date")?,
            north_south: Ascii::read(reader, "gps north/south")?,
            latitude: Ascii::read(reader, "gps latitude")?,
            east_west: Ascii::read(reader, "gps east/west")?,
            longitude: Ascii::read(reader, "gps longitude")?,
            speed: Ascii::read(reader, "gps speed")?,
            course: Ascii::read(reader, "gps course")?,
        };
        match gps.status.text() {
            "A" | "V" | "" => Ok(gps),
            _ => Err(DecodeError::Field { field: "gps status", at, expected: "A, V or NUL" }),
        }
    }

    pub(super) fn put(&self, out: &mut BytesMut) {
        out.extend_from_slice(self.status.as_bytes());
        out.extend_from_slice(self.time.as_bytes());
        out.extend_from_slice(self.date.as_bytes());
        out.extend_from_slice(self.north_south.as_bytes());
        out.extend_from_slice(self.latitude.as_bytes());
        out.extend_from_slice(self.east_west.as_bytes());
        out.extend_from_slice(self.longitude.as_bytes());
        out.extend_from_slice(self.speed.as_bytes());
        out.extend_from_slice(self.course.as_bytes());
    }

    /// The block that a radio at `position` reports, in knots; time and date stay empty without [`Position::at`].
    #[must_use]
    pub fn from_position(position: &Position) -> Self {
        let (time, date) = position.at.map_or_else(Default::default, |at| {
            let (year, month, day, hour, minute, second, _) = at.civil();
            (format!("{hour:02}{minute:02}{second:02}"), format!("{day:02}{month:02}{:02}", year.rem_euclid(100)))
        });
        let speed = position.speed_cm_s.map_or_else(String::new, |cm_s| {
            let tenths = (u64::from(cm_s) * 100_000 + 257_222) / 514_444;
            if tenths < 100 {
                format!("{}.{}", tenths / 10, tenths % 10)
            } else {
                format!("{:03}", tenths / 10 % 1_000)
            }
        });
        let course = position.course_ddeg.map_or_else(String::new, |ddeg| format!("{:03}", (ddeg + 5) / 10 % 360));
        Self {
            status: field("A"),
            time: field(&time),
            date: field(&date),
            north_south: field(if position.lat_e7 < 0 { "S" } else { "N" }),
            latitude: field(&degrees_minutes(position.lat_e7, 2)),
            east_west: field(if position.lon_e7 < 0 { "W" } else { "E" }),
            longitude: field(&degrees_minutes(position.lon_e7, 3)),
            speed: field(&speed),
            course: field(&course),
        }
    }

    /// Whether the radio calls the fix valid.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.status.text() == "A"
    }

    /// Latitude in 1e-4 minutes, the unit of the wire, south negative; `None` when a field is empty, malformed or out of
    /// range. Says nothing about validity.
    #[must_use]
    pub fn latitude_e4(&self) -> Option<i32> {
        signed(self.latitude.text(), self.north_south.text(), ("N", "S"), 90)
    }

    /// Longitude likewise, west negative.
    #[must_use]
    pub fn longitude_e4(&self) -> Option<i32> {
        signed(self.longitude.text(), self.east_west.text(), ("E", "W"), 180)
    }

    /// When the fix was taken; `None` unless date and time are both given. Years are 2000 to 2099.
    #[must_use]
    pub fn at(&self) -> Option<Utc> {
        let [day, month, year] = pairs(self.date.text())?;
        let [hour, minute, second] = pairs(self.time.text())?;
        Utc::from_civil(2000 + u16::from(year), month, day, hour, minute, second)
    }

    /// The fix as the house words it; `None` unless it is valid and within range. A radio just switched on may report
    /// an old date with it.
    #[must_use]
    pub fn position(&self, unit: SpeedUnit) -> Option<Position> {
        if !self.is_valid() {
            return None;
        }
        let (lat_e7, lon_e7) = (degrees_e7(self.latitude_e4()?)?, degrees_e7(self.longitude_e4()?)?);
        let cm_s_e6 = match unit {
            SpeedUnit::Knots => 514_444,
            SpeedUnit::KmPerHour => 277_778,
        };
        let speed = hundredths(self.speed.text()).map(|speed| (speed * cm_s_e6 + 500_000) / 1_000_000);
        let course = hundredths(self.course.text()).filter(|course| *course <= 36_000).map(|c| c / 10 % 3_600);
        Some(Position {
            lat_e7,
            lon_e7,
            height_dm: None,
            speed_cm_s: speed.and_then(|speed| u32::try_from(speed).ok()),
            course_ddeg: course.and_then(|course| u16::try_from(course).ok()),
            at: self.at(),
            datum: Datum::Cgcs2000,
        })
    }
}

/// Text of our own making, which fits its field.
fn field<const N: usize>(text: &str) -> Ascii<N> {
    Ascii::new(text).unwrap_or(Ascii::EMPTY)
}

fn degrees_minutes(e7: i32, width: usize) -> String {
    // 1e-7 degrees to 1e-4 minutes: times 6, over 100.
    let minutes_e4 = (u64::from(e7.unsigned_abs()) * 6 + 50) / 100;
    let (degrees, rest) = (minutes_e4 / 600_000, minutes_e4 % 600_000);
    format!("{degrees:0width$}{:02}.{:04}", rest / 10_000, rest % 10_000)
}

fn signed(text: &str, side: &str, (positive, negative): (&str, &str), degrees_max: u64) -> Option<i32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (degrees, minutes) = whole.split_at_checked(whole.len().checked_sub(2)?)?;
    let (degrees, minutes) = (digits(degrees)?, digits(minutes)?);
    let minutes_e4 = minutes * 10_000 + digits(&format!("{fraction:0<4}")).filter(|_| fraction.len() <= 4)?;
    let all_e4 = degrees * 600_000 + minutes_e4;
    if minutes >= 60 || all_e4 > degrees_max * 600_000 {
        return None;
    }
    let all_e4 = i32::try_from(all_e4).ok()?;
    if side == positive {
        Some(all_e4)
    } else if side == negative {
        Some(-all_e4)
    } else {
        None
    }
}

/// 1e-4 minutes to 1e-7 degrees: times 50, over 3, to the nearest.
fn degrees_e7(minutes_e4: i32) -> Option<i32> {
    let e7 = (i64::from(minutes_e4) * 50 + i64::from(minutes_e4.signum())) / 3;
    i32::try_from(e7).ok()
}

/// At most six decimal digits, so that no arithmetic on them overflows.
fn digits(text: &str) -> Option<u64> {
    let fits = (1..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// Decimal text in hundredths.
fn hundredths(text: &str) -> Option<u64> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = digits(&format!("{fraction:0<2}")).filter(|_| fraction.len() <= 2)?;
    Some(digits(whole)? * 100 + fraction)
}

fn pairs(text: &str) -> Option<[u8; 3]> {
    let number = digits(text).filter(|_| text.len() == 6)?;
    let pair = |divisor: u64| u8::try_from(number / divisor % 100).ok();
    Some([pair(10_000)?, pair(100)?, pair(1)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_position_survives_the_block_within_its_precision(
            lat in -900_000_000_i32..=900_000_000, lon in -1_800_000_000_i32..=1_800_000_000,
            at in 946_684_800_i64..4_102_444_800, speed in 0_u32..10_000, course in 0_u16..3_600,
        ) {
            let sent = Position {
                lat_e7: lat, lon_e7: lon, height_dm: None, speed_cm_s: Some(speed), course_ddeg: Some(course),
                at: Some(Utc(at * 1_000)), datum: Datum::Cgcs2000,
            };
            let heard = Gps::from_position(&sent).position(SpeedUnit::Knots).unwrap();
            // 1e-4 minutes are 17e-7 degrees.
            prop_assert!(heard.lat_e7.abs_diff(lat) <= 9 && heard.lon_e7.abs_diff(lon) <= 9);
            prop_assert_eq!(heard.at, sent.at);
            // A tenth of a knot below ten knots, a knot above.
            let error_max = if speed < 514 { 3 } else { 52 };
            prop_assert!(heard.speed_cm_s.unwrap().abs_diff(speed) <= error_max);
            let off = heard.course_ddeg.unwrap().abs_diff(course);
            prop_assert!(off <= 5 || off >= 3_595);
        }
    }

    #[test]
    fn minutes_of_sixty_and_latitudes_past_the_pole_are_no_position() {
        let block = |lat: &str| Gps { latitude: Ascii::new(lat).unwrap(), ..Gps::from_position(&north()) };
        assert!(block("2812.0000").latitude_e4().is_some());
        assert!(block("9000.0000").latitude_e4().is_some());
        for wrong in ["2860.0000", "9000.0001", "9900.0000", "28", "2812,0000", "28-2.0000", ""] {
            assert_eq!(block(wrong).latitude_e4(), None, "{wrong}");
        }
    }

    #[test]
    fn an_invalid_fix_is_no_position_although_it_has_coordinates() {
        let gps = Gps { status: Ascii::new("V").unwrap(), ..Gps::from_position(&north()) };
        assert!(gps.latitude_e4().is_some());
        assert_eq!(gps.position(SpeedUnit::Knots), None);
    }

    fn north() -> Position {
        Position::from_degrees(28.2, 112.9).unwrap()
    }
}
