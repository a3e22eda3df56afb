use super::at::unhex;
use crate::codec::DecodeError;
use crate::message::Position;

/// The protocol identifier of location reports.
pub const PID: u8 = 0x0A;
/// A short report with its protocol identifier.
pub const SHORT_BITS: u32 = 84;
/// The reason for sending that means an alarm (TS 100 392-18-1).
const REASON_EMERGENCY: u8 = 2;

/// A location report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    Short(LipShort),
    /// Another type of report: its number. The layout is not read here.
    Other(u8),
}

/// The short report; numbers as they stand on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LipShort {
    pub elapsed: u8,
    /// Of 2^25 parts of a turn, signed.
    pub lon: i32,
    /// Of 2^24 parts of half a turn, signed.
    pub lat: i32,
    pub error: u8,
    pub speed: u8,
    pub heading: u8,
    pub additional_type: u8,
    pub additional: u8,
}

/// Takes bits from the left.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0_u32;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            let bit = byte >> 7_usize.saturating_sub(self.at % 8) & 1;
            value = value << 1 | u32::from(bit);
            self.at = self.at.saturating_add(1);
        }
        Some(value)
    }

    fn small(&mut self, count: u32) -> Option<u8> {
        self.take(count).and_then(|value| u8::try_from(value).ok())
    }

    fn signed(&mut self, count: u32) -> Option<i32> {
        let value = i64::from(self.take(count)?);
        let half = 1_i64.checked_shl(count.saturating_sub(1))?;
        let value = if value >= half { value.saturating_sub(half.saturating_mul(2)) } else { value };
        i32::try_from(value).ok()
    }
}

impl Location {
    /// Reads a report with its protocol identifier from hexadecimal digits, of which there may be an odd count.
    ///
    /// # Errors
    /// When it is no location report, or a short one that is cut.
    pub fn parse(digits: &str) -> Result<Self, DecodeError> {
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(DecodeError::Field { field: "pdu_hex", at: 0, expected: "hexadecimal digits" });
        }
        let bytes = unhex(digits);
        let short = || DecodeError::Content { declared: 84, present: digits.len() / 2 };
        let mut bits = Bits { bytes: &bytes, at: 0 };
        match bits.small(8).ok_or_else(short)? {
            PID => {}
            other => return Err(DecodeError::Unknown(format!("PID {other:02X}: not 0A"))),
        }
        match bits.small(2).ok_or_else(short)? {
            0 if !(21..=22).contains(&digits.len()) => Err(short()),
            0 => LipShort::read(&mut bits).map(Self::Short).ok_or_else(short),
            _ if digits.len() < 6 => Err(short()),
            other => Ok(Self::Other(other)),
        }
    }
}

impl LipShort {
    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        Some(Self {
            elapsed: bits.small(2)?,
            lon: bits.signed(25)?,
            lat: bits.signed(24)?,
            error: bits.small(3)?,
            speed: bits.small(7)?,
            heading: bits.small(4)?,
            additional_type: bits.small(1)?,
            additional: bits.small(8)?,
        })
    }

    /// From a position; what it does not say is "unknown".
    #[must_use]
    pub fn from_position(position: &Position, emergency: bool) -> Self {
        let scale = |e7: i32, bits: u32, full: i64| {
            let parts = 1_i64.checked_shl(bits).unwrap_or(0);
            let scaled = i64::from(e7).saturating_mul(parts).div_euclid(full);
            i32::try_from(scaled.clamp(parts.div_euclid(2).saturating_neg(), parts.div_euclid(2).saturating_sub(1)))
                .unwrap_or(0)
        };
        Self {
            elapsed: 0,
            lon: scale(position.lon_e7, 25, 3_600_000_000),
            lat: scale(position.lat_e7, 24, 1_800_000_000),
            error: 7,
            speed: 127,
            heading: 0,
            additional_type: 0,
            additional: if emergency { REASON_EMERGENCY } else { 0x81 },
        }
    }

    /// The digits with the protocol identifier, filled up to whole bytes.
    #[must_use]
    pub fn emit(&self) -> String {
        let mut value = u128::from(PID);
        let mut put = |count: u32, bits: u32| {
            let mask = 1_u32.checked_shl(count).map_or(u32::MAX, |full| full.saturating_sub(1));
            value = value << count | u128::from(bits & mask);
        };
        put(2, 0);
        put(2, self.elapsed.into());
        put(25, self.lon.cast_unsigned());
        put(24, self.lat.cast_unsigned());
        put(3, self.error.into());
        put(7, self.speed.into());
        put(4, self.heading.into());
        put(1, self.additional_type.into());
        put(8, self.additional.into());
        put(4, 0);
        format!("{value:022X}")
    }

    /// Degrees east in millionths.
    #[must_use]
    pub fn lon_degrees(&self) -> f64 {
        f64::from(self.lon) / f64::from(1 << 25) * 360.0
    }

    /// Degrees north in millionths.
    #[must_use]
    pub fn lat_degrees(&self) -> f64 {
        f64::from(self.lat) / f64::from(1 << 24) * 180.0
    }

    /// Tenths of a degree.
    #[must_use]
    pub fn heading_ddeg(&self) -> u16 {
        u16::from(self.heading).saturating_mul(225)
    }

    /// Centimetres per second: whole km/h to 28, then 3.8 % a step (TS 100 392-18-1).
    #[must_use]
    pub fn speed_cm_s(&self) -> Option<u32> {
        match self.speed {
            127.. => None,
            slow @ 0..=28 => Some(u32::from(slow).saturating_mul(1_000) / 36),
            fast => {
                // 16 km/h at code 13, in micrometres per second, integer only so that every machine agrees.
                let start = 4_444_444_u64;
                let speed = (13..fast).fold(start, |speed, _| speed.saturating_add(speed.saturating_mul(38) / 1_000));
                u32::try_from(speed / 10_000).ok()
            }
        }
    }

    /// Whether the reason for sending is an alarm.
    #[must_use]
    pub const fn is_emergency(&self) -> bool {
        self.additional_type == 0 && self.additional == REASON_EMERGENCY
    }

    /// The position; `None` outside the globe.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        let bare = Position::from_degrees(self.lat_degrees(), self.lon_degrees())?;
        let speed_cm_s = self.speed_cm_s();
        // A radio that does not know its speed fills the heading with anything.
        let course_ddeg = speed_cm_s.is_some().then(|| self.heading_ddeg());
        Some(Position { speed_cm_s, course_ddeg, ..bare })
    }
}
