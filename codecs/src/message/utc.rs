use serde::{Deserialize, Serialize};
use std::fmt;

/// A wall-clock instant: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Inside the house everything is UTC; [`Utc::beijing`] is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Utc(pub i64);

/// Year, month 1–12, day 1–31, hour, minute, second, millisecond.
type Civil = (i64, u8, u8, u8, u8, u8, u16);

impl Utc {
    /// From a civil UTC date and time; `None` when a field is out of its range (years 1970–9999).
    #[must_use]
    pub fn from_civil(year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Option<Self> {
        let in_range = (1970..=9999).contains(&year)
            && (1..=12).contains(&month)
            && day >= 1
            && day <= days_in_month(year, month)
            && hour < 24
            && minute < 60
            && second < 60;
        if !in_range {
            return None;
        }
        let days = days_from_civil(i64::from(year), i64::from(month), i64::from(day));
        let seconds = days * 86_400 + i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
        Some(Self(seconds * 1_000))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// `MM-DD HH:MM` in Beijing time, the short form that fits into a relayed text.
    #[must_use]
    pub fn beijing_short(self) -> String {
        let (_, month, day, hour, minute, _, _) = Self(self.0.saturating_add(8 * 3_600_000)).civil();
        format!("{month:02}-{day:02} {hour:02}:{minute:02}")
    }

    /// `YYYY-MM-DD HH:MM:SS` in Beijing time.
    #[must_use]
    pub fn beijing(self) -> String {
        let (year, month, day, hour, minute, second, _) = Self(self.0.saturating_add(8 * 3_600_000)).civil();
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }

    /// The civil fields in UTC.
    #[must_use]
    pub fn civil(self) -> Civil {
        let days = self.0.div_euclid(86_400_000);
        let ms = self.0.rem_euclid(86_400_000);
        let (year, month, day) = civil_from_days(days);
        let part = |unit: i64, modulus: i64| u8::try_from(ms / unit % modulus).unwrap_or(0);
        (
            year,
            month,
            day,
            part(3_600_000, 24),
            part(60_000, 60),
            part(1_000, 60),
            u16::try_from(ms % 1_000).unwrap_or(0),
        )
    }
}

/// RFC 3339 with milliseconds and `Z`.
impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, hour, minute, second, ms) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
    }
}

const fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a proleptic Gregorian date, counting from a year that begins in March so that the
/// leap day is its last.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_survive_the_round_trip() {
        for (year, month, day) in [(1970, 1, 1), (2000, 2, 29), (2024, 12, 31), (2100, 3, 1), (2026, 11, 23)] {
            let utc = Utc::from_civil(year, month, day, 18, 5, 9).unwrap();
            assert_eq!(utc.civil(), (i64::from(year), month, day, 18, 5, 9, 0));
        }
        assert_eq!(Utc::from_civil(2023, 2, 29, 0, 0, 0), None);
        assert_eq!(Utc::from_civil(2024, 9, 12, 6, 5, 0).unwrap().beijing_short(), "09-12 14:05");
    }
}
