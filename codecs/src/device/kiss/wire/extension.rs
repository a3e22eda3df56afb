//! What stands after a position: course and speed, power-height-gain, altitude, finer digits, and the words.

use super::place::{Place, round};

/// A comment taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extension {
    pub course: Option<u16>,
    pub speed_knots: Option<f64>,
    pub altitude_ft: Option<f64>,
    /// Four digits: power, height, gain, direction.
    pub phg: Option<String>,
    pub range_miles: Option<f64>,
    pub comment: String,
}

impl Extension {
    /// Takes `text` apart; finer digits go into `place`.
    pub fn read(text: &str, place: &mut Place) -> Self {
        let mut found = Self {
            course: place.course,
            speed_knots: place.speed_knots,
            altitude_ft: place.altitude_ft,
            range_miles: place.range_miles,
            ..Self::default()
        };
        let mut rest = text;
        if !place.compressed
            && let Some((head, tail)) = text.split_at_checked(7)
            && found.seven(head)
        {
            rest = tail;
        }
        let (without, altitude) = altitude(rest);
        found.altitude_ft = altitude.or(found.altitude_ft);
        let (without, finer) = finer_digits(&without);
        if let Some((lat, lon)) = finer.filter(|_| place.ambiguity == 0 && !place.compressed) {
            place.lat = further(place.lat, lat);
            place.lon = further(place.lon, lon);
        }
        found.comment = without;
        found
    }

    /// The seven characters of a data extension.
    fn seven(&mut self, head: &str) -> bool {
        if let Some((course, speed)) = head.split_once('/') {
            let number = |text: &str| -> Option<u16> {
                (text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
            };
            let unknown = |text: &str| matches!(text, "..." | "   ");
            if let (Some(course), Some(speed)) = (number(course), number(speed)) {
                self.course = Some(course).filter(|course| *course <= 360);
                self.speed_knots = Some(f64::from(speed));
                return true;
            }
            return unknown(course) && unknown(speed);
        }
        let Some((word, digits)) = head.split_at_checked(3) else { return false };
        let is_digits = digits.bytes().all(|b| b.is_ascii_digit());
        match word {
            "PHG" if is_digits => self.phg = Some(digits.to_owned()),
            "RNG" if is_digits => self.range_miles = digits.parse().ok(),
            _ => return false,
        }
        true
    }
}

/// `/A=` and six digits of feet, wherever they stand.
fn altitude(text: &str) -> (String, Option<f64>) {
    let Some((before, after)) = text.split_once("/A=") else { return (text.to_owned(), None) };
    match after.split_at_checked(6) {
        Some((digits, rest)) if digits.strip_prefix('-').unwrap_or(digits).bytes().all(|b| b.is_ascii_digit()) => {
            (format!("{before}{rest}"), digits.parse().ok())
        }
        _ => (text.to_owned(), None),
    }
}

/// `!Wab!`: a third digit of the minutes, or two in base 91 where the letter is small.
fn finer_digits(text: &str) -> (String, Option<(f64, f64)>) {
    let bytes = text.as_bytes();
    let fits = |window: &&[u8]| matches!(window, &&[b'!', datum, _, _, b'!'] if datum.is_ascii_alphabetic());
    let Some(window) = bytes.windows(5).find(fits) else { return (text.to_owned(), None) };
    let &[_, datum, a, b, _] = window else { return (text.to_owned(), None) };
    let finer = |byte: u8| match byte {
        b'0'..=b'9' if datum.is_ascii_uppercase() => Some(f64::from(byte.wrapping_sub(b'0')) / 1000.0),
        33..=123 if datum.is_ascii_lowercase() => Some(f64::from(byte.wrapping_sub(33)) / 9100.0),
        b' ' => Some(0.0),
        _ => None,
    };
    let (Some(lat), Some(lon)) = (finer(a), finer(b)) else { return (text.to_owned(), None) };
    let cut = String::from_utf8_lossy(window).into_owned();
    (text.replacen(&cut, "", 1), Some((lat, lon)))
}

fn further(degrees: f64, minutes: f64) -> f64 {
    round(degrees + if degrees < 0.0 { -minutes } else { minutes } / 60.0, 1e7)
}
