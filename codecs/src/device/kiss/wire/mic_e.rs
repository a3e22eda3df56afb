//! Mic-E: the latitude, a message code and three bits of the longitude stand in the *destination address*; longitude,
//! speed, course and symbol in nine characters (APRS 1.0.1, chapter 10).

use super::place::{Place, is_table};
use crate::codec::DecodeError;

/// A Mic-E report.
#[derive(Clone, Debug, PartialEq)]
pub struct MicE {
    pub place: Place,
    /// Whether the fix is current (`` ` ``) or old (`'`).
    pub is_current: bool,
    pub code: Code,
    /// What follows the nine characters, the altitude taken out.
    pub comment: String,
}

/// What the message bits say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Standard, 0 off duty to 6 priority.
    Standard(u8),
    /// Custom, 0 to 6.
    Custom(u8),
    Emergency,
    /// Standard and custom bits mixed.
    Unknown,
}

impl Code {
    /// The name in the protocol reference.
    #[must_use]
    pub fn name(self) -> &'static str {
        const STANDARD: [&str; 7] =
            ["Off Duty", "En Route", "In Service", "Returning", "Committed", "Special", "Priority"];
        const CUSTOM: [&str; 7] = ["Custom-0", "Custom-1", "Custom-2", "Custom-3", "Custom-4", "Custom-5", "Custom-6"];
        let (names, number) = match self {
            Self::Emergency => return "Emergency",
            Self::Unknown => return "Unknown",
            Self::Standard(number) => (STANDARD, number),
            Self::Custom(number) => (CUSTOM, number),
        };
        names.get(usize::from(number)).copied().unwrap_or("Unknown")
    }
}

/// One character of the destination: digit (`None` held back), message bit with its kind, and the high half.
struct Letter {
    digit: Option<u8>,
    /// `None` is 0.
    bit: Option<Kind>,
    is_high: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Standard,
    Custom,
}

fn letter(byte: u8) -> Option<Letter> {
    let (base, bit, is_high) = match byte {
        b'0'..=b'9' => (Some(b'0'), None, false),
        b'A'..=b'J' => (Some(b'A'), Some(Kind::Custom), false),
        b'K' => (None, Some(Kind::Custom), false),
        b'L' => (None, None, false),
        b'P'..=b'Y' => (Some(b'P'), Some(Kind::Standard), true),
        b'Z' => (None, Some(Kind::Standard), true),
        _ => return None,
    };
    Some(Letter { digit: base.map(|base| byte.wrapping_sub(base)), bit, is_high })
}

impl MicE {
    /// Reads a report from the destination's callsign and the information, its type byte first.
    ///
    /// # Errors
    /// When either is no Mic-E.
    pub fn parse(destination: &str, info: &[u8]) -> Result<Self, DecodeError> {
        let Some((head, rest)) = info.split_at_checked(9) else {
            return Err(DecodeError::Length { expected: 9, found: info.len() });
        };
        let wrong = DecodeError::Field { field: "mic_e", at: 1, expected: "longitude, speed and course from 28 up" };
        let letters: Option<Vec<Letter>> = destination.bytes().map(letter).collect();
        let letters = letters.ok_or(DecodeError::Field { field: "dst", at: 0, expected: "0-9 A-L P-Z" })?;
        let &[kind, d, m, h, speed, both, course, code, table] = head else { return Err(wrong) };
        let (lat, ambiguity) = latitude(&letters)?;
        let (offset, west) = match letters.as_slice() {
            [_, _, _, _, offset, west] => (offset.is_high, west.is_high),
            _ => return Err(DecodeError::Field { field: "dst", at: 0, expected: "six characters" }),
        };
        let lon = longitude([d, m, h], offset, ambiguity).ok_or(wrong.clone())?;
        if !(is_table(table) || table.is_ascii_digit()) || !code.is_ascii_graphic() {
            return Err(DecodeError::Field { field: "symbol", at: 7, expected: "code and table" });
        }
        let (speed, course) = movement([speed, both, course]).ok_or(wrong)?;
        let symbol: String = [char::from(table), char::from(code)].iter().collect();
        let mut place = Place::new(lat, if west { -lon } else { lon }, &symbol);
        place.ambiguity = ambiguity;
        place.speed_knots = Some(f64::from(speed));
        place.course = Some(course);
        let (comment, altitude_m) = words(rest);
        place.altitude_ft = altitude_m.map(|metres| (f64::from(metres) / 0.3048).round());
        Ok(Self { place, is_current: matches!(kind, b'`' | 0x1C), code: message(&letters), comment })
    }
}

fn latitude(letters: &[Letter]) -> Result<(f64, u8), DecodeError> {
    let wrong = DecodeError::Field { field: "dst", at: 0, expected: "a latitude of six digits" };
    let blanks = letters.iter().rev().take_while(|letter| letter.digit.is_none()).count();
    let ambiguity = u8::try_from(blanks).ok().filter(|blanks| *blanks <= 4).ok_or(wrong.clone())?;
    let known = letters.len().saturating_sub(blanks);
    let (mut degrees, mut minutes) = (0.0, 0.0);
    for (at, (letter, weight)) in letters.iter().zip([10.0, 1.0, 10.0, 1.0, 0.1, 0.01]).enumerate() {
        let digit = match letter.digit {
            Some(digit) => f64::from(digit),
            None if at >= known => 0.0,
            None => return Err(wrong),
        };
        // The first three carry message bits; the others have no custom kind.
        if at >= 3 && letter.bit == Some(Kind::Custom) {
            return Err(wrong);
        }
        *(if at < 2 { &mut degrees } else { &mut minutes }) += digit * weight;
    }
    let value = super::place::round(degrees + minutes / 60.0 + middle(ambiguity), 1e7);
    if minutes >= 60.0 || value > 90.0 || letters.len() != 6 {
        return Err(wrong);
    }
    let is_north = letters.get(3).is_some_and(|letter| letter.is_high);
    Ok((if is_north { value } else { -value }, ambiguity))
}

/// Half of what the digits held back leave open.
fn middle(ambiguity: u8) -> f64 {
    let (low, high) = Place { ambiguity, ..Place::new(0.0, 0.0, "/>") }.bounds(0.0);
    (high - low) / 2.0
}

fn longitude(bytes: [u8; 3], offset: bool, ambiguity: u8) -> Option<f64> {
    let [d, m, h] = bytes.map(|byte| u16::from(byte).checked_sub(28));
    let mut degrees = d?.checked_add(if offset { 100 } else { 0 })?;
    if (180..=189).contains(&degrees) {
        degrees = degrees.checked_sub(80)?;
    } else if (190..=199).contains(&degrees) {
        degrees = degrees.checked_sub(190)?;
    }
    let minutes = match m? {
        high @ 60.. => high.checked_sub(60)?,
        low => low,
    };
    let hundredths = h?;
    let mut value = f64::from(minutes) + f64::from(hundredths) / 100.0;
    if let Some(step) = [0.0, 0.1, 1.0, 10.0, 60.0].get(usize::from(ambiguity)).filter(|step| **step > 0.0) {
        value = (value / step).floor() * step;
    }
    let value = super::place::round(f64::from(degrees) + value / 60.0 + middle(ambiguity), 1e7);
    (degrees <= 179 && minutes < 60 && hundredths < 100).then_some(value)
}

/// Knots and degrees.
fn movement(bytes: [u8; 3]) -> Option<(u16, u16)> {
    let [speed, both, course] = bytes.map(|byte| u16::from(byte).checked_sub(28));
    let (speed, both, course) = (speed?, both?, course?);
    let mut knots = speed.checked_mul(10)?.checked_add(both / 10)?;
    let mut degrees = (both % 10).checked_mul(100)?.checked_add(course)?;
    if knots >= 800 {
        knots = knots.checked_sub(800)?;
    }
    if degrees >= 400 {
        degrees = degrees.checked_sub(400)?;
    }
    (degrees <= 360).then_some((knots, degrees))
}

fn message(letters: &[Letter]) -> Code {
    let (mut bits, mut standard, mut custom) = (0_u8, false, false);
    for letter in letters.iter().take(3) {
        bits = bits << 1 | u8::from(letter.bit.is_some());
        standard |= letter.bit == Some(Kind::Standard);
        custom |= letter.bit == Some(Kind::Custom);
    }
    match (standard, custom) {
        (false, false) => Code::Emergency,
        (true, false) => Code::Standard(7_u8.saturating_sub(bits)),
        (false, true) => Code::Custom(7_u8.saturating_sub(bits)),
        (true, true) => Code::Unknown,
    }
}

/// The words after the nine characters: a radio's own type byte and `xxx}` of base 91 (metres above −10 000) first.
fn words(rest: &[u8]) -> (String, Option<i32>) {
    let after_type = match rest.split_first() {
        Some((b'>' | b']' | b'`' | b'\'' | b' ', after)) => after,
        _ => rest,
    };
    for text in [rest, after_type] {
        if let Some((&[a, b, c, b'}'], words)) = text.split_at_checked(4)
            && [a, b, c].iter().all(|byte| (33..=123).contains(byte))
        {
            let value = [a, b, c]
                .iter()
                .fold(0_i32, |sum, byte| sum.saturating_mul(91).saturating_add(i32::from(byte.wrapping_sub(33))));
            return (String::from_utf8_lossy(words).into_owned(), Some(value.saturating_sub(10_000)));
        }
    }
    (String::from_utf8_lossy(after_type).into_owned(), None)
}

impl MicE {
    /// Whether the operator set the emergency code.
    #[must_use]
    pub fn is_emergency(&self) -> bool {
        self.code == Code::Emergency
    }
}
