use super::{Byteorder, at, put};
use crate::codec::EncodeError;
use crate::device::beidou::wire::text::{Sentence, parse};
use crate::message::{Datum, Position};

/// How a position stands in a frame: latitude, then longitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A GGA or RMC sentence, wherever it begins.
    Nmea,
    /// Signed 32-bit numbers of 1e-7 degree.
    E7 { offset: usize, order: Byteorder },
    /// Signed 32-bit numbers of 2^-bits degree.
    Fraction { offset: usize, bits: u32, order: Byteorder },
}

const NUMBER: usize = 4;
const SENTENCE_MAX: usize = 128;
const E7: i64 = 10_000_000;

impl Place {
    pub(super) fn read(self, frame: &[u8]) -> Option<Position> {
        let pair = |offset: usize, order: Byteorder| {
            let number =
                |offset| Some(i64::from(u32::try_from(order.read(at(frame, offset, NUMBER)?)).ok()?.cast_signed()));
            Some((number(offset)?, number(offset.checked_add(NUMBER)?)?))
        };
        match self {
            Self::Nmea => sentence(frame),
            Self::E7 { offset, order } => pair(offset, order).and_then(|(lat, lon)| position(lat, lon)),
            Self::Fraction { offset, bits, order } => {
                let (lat, lon) = pair(offset, order)?;
                let e7 = |number: i64| Some(rounded(number.checked_mul(E7)?, 1_i64.checked_shl(bits)?));
                position(e7(lat)?, e7(lon)?)
            }
        }
    }

    pub(super) fn write(self, frame: &mut Vec<u8>, position: &Position) -> Result<(), EncodeError> {
        let (offset, order, bits) = match self {
            Self::Nmea => return Err(EncodeError::Unsupported),
            Self::E7 { offset, order } => (offset, order, None),
            Self::Fraction { offset, bits, order } => (offset, order, Some(bits)),
        };
        for (place, e7) in [(offset, position.lat_e7), (offset.saturating_add(NUMBER), position.lon_e7)] {
            let number = match bits {
                None => Some(e7),
                Some(bits) => {
                    let scaled = 1_i64.checked_shl(bits).and_then(|scale| i64::from(e7).checked_mul(scale));
                    scaled.and_then(|scaled| i32::try_from(rounded(scaled, E7)).ok())
                }
            };
            let number = number.ok_or(EncodeError::Unsupported)?;
            let bytes = order.write(number.cast_unsigned().into(), NUMBER).unwrap_or_default();
            put(frame, place, &bytes);
        }
        Ok(())
    }
}

/// The nearest whole number.
fn rounded(number: i64, by: i64) -> i64 {
    let half = (by >> 1).wrapping_mul(number.signum());
    number.saturating_add(half).checked_div(by).unwrap_or(0)
}

fn position(lat_e7: i64, lon_e7: i64) -> Option<Position> {
    let within = |e7: i64, max: i64| i32::try_from(e7).ok().filter(|_| e7.abs() <= max.saturating_mul(E7));
    Some(Position {
        lat_e7: within(lat_e7, 90)?,
        lon_e7: within(lon_e7, 180)?,
        height_dm: None,
        speed_cm_s: None,
        course_ddeg: None,
        at: None,
        datum: Datum::Cgcs2000,
    })
}

/// The first sentence that says where.
fn sentence(frame: &[u8]) -> Option<Position> {
    let starts = frame.iter().enumerate().filter(|(_, byte)| **byte == b'$').map(|(start, _)| start);
    starts.filter_map(|start| frame.get(start..)).find_map(|rest| {
        let end = rest.iter().take(SENTENCE_MAX).position(|byte| *byte == b'*')?.checked_add(3)?;
        let line = [rest.get(..end)?, b"\r\n"].concat();
        let (lat, lon, utc) = match parse(&line).ok()? {
            Sentence::Gga(gga) if gga.quality > 0 => (gga.lat_e7?, gga.lon_e7?, None),
            Sentence::Rmc(rmc) if rmc.valid => (rmc.lat_e7?, rmc.lon_e7?, rmc.utc()),
            _ => return None,
        };
        Some(Position { at: utc, ..position(lat.into(), lon.into())? })
    })
}
