//! Where something is: `ddmm.hhN/dddmm.hhE$`, with blanks for digits held back, or thirteen characters of base 91.

use crate::codec::DecodeError;

/// A position with its symbol.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Degrees; the middle of what the digits that stand there allow.
    pub lat: f64,
    pub lon: f64,
    /// Symbol table (or overlay) and code.
    pub symbol: String,
    /// How many digits were held back, 0 to 4.
    pub ambiguity: u8,
    /// From base 91.
    pub compressed: bool,
    /// What the compressed form itself carries.
    pub course: Option<u16>,
    pub speed_knots: Option<f64>,
    pub altitude_ft: Option<f64>,
    pub range_miles: Option<f64>,
}

const PLAIN: usize = 19;
const COMPRESSED: usize = 13;

/// How far from the middle of a position the truth may be, in degrees, by the digits held back.
const HALF_BOX_DEG: [f64; 5] = [0.0, 0.05 / 60.0, 0.5 / 60.0, 5.0 / 60.0, 0.5];

impl Place {
    /// A bare position.
    #[must_use]
    pub fn new(lat: f64, lon: f64, symbol: &str) -> Self {
        Self {
            lat,
            lon,
            symbol: symbol.to_owned(),
            ambiguity: 0,
            compressed: false,
            course: None,
            speed_knots: None,
            altitude_ft: None,
            range_miles: None,
        }
    }

    /// Least and greatest latitude or longitude that the digits allow.
    #[must_use]
    pub fn bounds(&self, middle: f64) -> (f64, f64) {
        let half = HALF_BOX_DEG.get(usize::from(self.ambiguity)).copied().unwrap_or(0.5);
        (middle - half, middle + half)
    }

    /// Reads a position, and gives what follows it. `at` is where `bytes` begin.
    ///
    /// # Errors
    /// When it is cut off or has characters that no position has.
    pub fn parse(bytes: &[u8], at: usize) -> Result<(Self, &[u8]), DecodeError> {
        let Some(first) = bytes.first() else {
            return Err(DecodeError::Length { expected: at.saturating_add(COMPRESSED), found: at });
        };
        // A digit (or a blank) begins a latitude; everything else is a symbol table or an overlay.
        let plain = first.is_ascii_digit() || *first == b' ';
        let length = if plain { PLAIN } else { COMPRESSED };
        let found = at.saturating_add(bytes.len());
        let Some((head, rest)) = bytes.split_at_checked(length) else {
            return Err(DecodeError::Length { expected: at.saturating_add(length), found });
        };
        let place = if plain { Self::plain(head) } else { Self::compressed(head) };
        let expected = if plain { "ddmm.hhN, table, dddmm.hhE, symbol" } else { "table, 8 of base 91, symbol, 3" };
        place.map(|place| (place, rest)).ok_or(DecodeError::Field { field: "position", at, expected })
    }

    fn plain(head: &[u8]) -> Option<Self> {
        let (lat, rest) = head.split_at_checked(8)?;
        let (table, rest) = rest.split_first()?;
        let (lon, code) = rest.split_at_checked(9)?;
        let code = code.first()?;
        let (lat, ambiguity) = degrees(lat, 2, 90.0, *b"NS", None)?;
        // The longitude is as vague as the latitude, whether its digits are blank or not.
        let (lon, _) = degrees(lon, 3, 180.0, *b"EW", Some(ambiguity))?;
        (is_table(*table) || table.is_ascii_digit()).then_some(())?;
        code.is_ascii_graphic().then_some(())?;
        Some(Self { ambiguity, ..Self::new(lat, lon, &symbol(*table, *code)) })
    }

    fn compressed(head: &[u8]) -> Option<Self> {
        let (table, rest) = head.split_first()?;
        let (lat, rest) = rest.split_at_checked(4)?;
        let (lon, rest) = rest.split_at_checked(4)?;
        let &[code, c, s, t] = rest else { return None };
        let table = match table {
            b'a'..=b'j' => table.checked_sub(b'a')?.checked_add(b'0')?,
            table if is_table(*table) => *table,
            _ => return None,
        };
        code.is_ascii_graphic().then_some(())?;
        // 190463 units a degree: the fifth decimal is the last that says something.
        let lat = round(90.0 - base_91(lat)? / 380_926.0, 1e5);
        let lon = round(base_91(lon)? / 190_463.0 - 180.0, 1e5);
        (lat >= -90.0 && lon <= 180.0).then_some(())?;
        let mut place = Self { compressed: true, ..Self::new(lat, lon, &symbol(table, code)) };
        let (c33, s33, kind) = (c.wrapping_sub(33), s.wrapping_sub(33), t.wrapping_sub(33));
        let lawful = |byte: u8| (33..=123).contains(&byte);
        if c == b' ' || !lawful(c) || !lawful(s) {
            return Some(place);
        }
        if kind & 0x18 == 0x10 && lawful(t) {
            let power = f64::from(c33) * 91.0 + f64::from(s33);
            place.altitude_ft = Some(round(1.002_f64.powf(power), 1.0));
        } else if c == b'{' {
            place.range_miles = Some(round(2.0 * 1.08_f64.powf(f64::from(s33)), 10.0));
        } else {
            place.course = Some(u16::from(c33).saturating_mul(4));
            place.speed_knots = Some(round(1.08_f64.powf(f64::from(s33)) - 1.0, 10.0));
        }
        Some(place)
    }

    /// As plain text, hundredths of a minute; never vaguer than that.
    #[must_use]
    pub fn emit(&self) -> String {
        let (table, code) = self.symbol.split_at_checked(1).unwrap_or(("/", "."));
        let half = |degrees: f64, width: usize, signs: [char; 2]| {
            let hundredths = (degrees.abs() * 6000.0).round();
            let (whole, minutes) = ((hundredths / 6000.0).floor(), hundredths % 6000.0 / 100.0);
            let sign = if degrees < 0.0 { signs.last() } else { signs.first() };
            format!("{whole:0width$}{minutes:05.2}{}", sign.copied().unwrap_or('N'))
        };
        format!("{}{table}{}{code}", half(self.lat, 2, ['N', 'S']), half(self.lon, 3, ['E', 'W']))
    }
}

/// Rounds to one part in `unit`.
#[must_use]
pub fn round(value: f64, unit: f64) -> f64 {
    (value * unit).round() / unit
}

fn symbol(table: u8, code: u8) -> String {
    [char::from(table), char::from(code)].iter().collect()
}

/// A symbol table, or the letter laid over a symbol of the second one.
pub(super) const fn is_table(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\' | b'A'..=b'Z')
}

/// `width` digits of degrees, `mm.hh`, a letter. Blanks stand from the right only.
fn degrees(text: &[u8], width: usize, max: f64, signs: [u8; 2], vague: Option<u8>) -> Option<(f64, u8)> {
    let (letter, digits) = text.split_last()?;
    let (whole, minutes) = digits.split_at_checked(width)?;
    let &[tens, units, b'.', tenths, hundredths] = minutes else { return None };
    let minutes = [tens, units, tenths, hundredths];
    let blanks = u8::try_from(minutes.iter().rev().take_while(|byte| **byte == b' ').count()).ok()?;
    let blanks = vague.map_or(blanks, |least| least.max(blanks));
    let known = 4_usize.checked_sub(usize::from(blanks))?;
    let digit = |byte: u8| byte.is_ascii_digit().then(|| f64::from(byte.wrapping_sub(b'0')));
    let mut degrees = 0.0;
    for byte in whole {
        degrees = degrees * 10.0 + digit(*byte)?;
    }
    let mut sum = 0.0;
    for (at, (byte, weight)) in minutes.iter().zip([10.0, 1.0, 0.1, 0.01]).enumerate() {
        if at < known {
            sum += digit(*byte)? * weight;
        } else if *byte != b' ' {
            digit(*byte)?;
        }
    }
    (sum < 60.0).then_some(())?;
    let half = HALF_BOX_DEG.get(usize::from(blanks)).copied()?;
    let value = round(degrees + sum / 60.0 + half, 1e7);
    (value <= max).then_some(())?;
    let is_positive = signs.first().is_some_and(|sign| letter.eq_ignore_ascii_case(sign));
    let is_negative = signs.last().is_some_and(|sign| letter.eq_ignore_ascii_case(sign));
    (is_positive || is_negative).then(|| (if is_negative { -value } else { value }, blanks))
}

fn base_91(text: &[u8]) -> Option<f64> {
    text.iter()
        .try_fold(0.0, |sum, byte| (33..=123).contains(byte).then(|| sum * 91.0 + f64::from(byte.wrapping_sub(33))))
}
