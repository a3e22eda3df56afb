//! The position report inside mixed content after `A4 A0` or `A0`: 96 bits, most significant first (§6, one source).

use super::super::rdss40::Angle;

/// The byte that announces it.
pub const MARK: u8 = 0xA0;

/// A position report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedPosition {
    /// Hour, minute, second, hundredths.
    pub time: [u8; 4],
    pub lon: Angle,
    pub lat: Angle,
    pub height: Height,
}

/// How the height is given; metres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Height {
    /// Height and height anomaly with signs.
    Signed { metres: i16, anomaly: i16 },
    /// 24 bits, unsigned.
    Unsigned(u32),
}

impl EmbeddedPosition {
    /// Reads content that begins with the mark `A0`; bytes after it are left.
    #[must_use]
    pub fn parse(content: &[u8]) -> Option<Self> {
        let (mark, rest) = content.split_first()?;
        let body = rest.first_chunk::<12>()?;
        if *mark != MARK {
            return None;
        }
        let mut bits = Bits { value: body.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte)), left: 96 };
        let time = [bits.take(5), bits.take(6), bits.take(6), bits.take(7)];
        let lon = Angle { deg: bits.take(8), min: bits.take(6), sec: bits.take(6), tenth: bits.take(4) };
        let lat = Angle { deg: bits.take(6), min: bits.take(6), sec: bits.take(6), tenth: bits.take(4) };
        let height = match bits.wide(2) {
            0 => {
                let (sign, metres) = (bits.wide(1), bits.wide(14));
                let (anomaly_sign, anomaly) = (bits.wide(1), bits.wide(8));
                Height::Signed { metres: signed(sign, metres), anomaly: signed(anomaly_sign, anomaly) }
            }
            1 => Height::Unsigned(u32::try_from(bits.wide(24)).ok()?),
            _ => return None,
        };
        let [hour, minute, second, hundredths] = time;
        let sane = hour < 24 && minute < 60 && second < 60 && hundredths < 100;
        (sane && lon.e7()? <= 1_800_000_000 && lat.e7()? <= 900_000_000).then_some(Self { time, lon, lat, height })
    }

    /// Mark and 12 bytes; `None` when a value does not fit its bits.
    #[must_use]
    pub fn emit(&self) -> Option<[u8; 13]> {
        let mut value = 0_u128;
        let mut put = |width: u32, part: u128| {
            value = value << width | part;
            (part >> width == 0).then_some(())
        };
        for (width, part) in [5, 6, 6, 7].into_iter().zip(self.time) {
            put(width, part.into())?;
        }
        for (width, angle) in [(8, self.lon), (6, self.lat)] {
            for (width, part) in [(width, angle.deg), (6, angle.min), (6, angle.sec), (4, angle.tenth)] {
                put(width, part.into())?;
            }
        }
        match self.height {
            Height::Signed { metres, anomaly } => {
                put(2, 0)?;
                put(1, u128::from(metres < 0))?;
                put(14, metres.unsigned_abs().into())?;
                put(1, u128::from(anomaly < 0))?;
                put(8, anomaly.unsigned_abs().into())?;
            }
            Height::Unsigned(metres) => {
                put(2, 1)?;
                put(24, metres.into())?;
            }
        }
        let [_, _, _, _, body @ ..] = value.to_be_bytes();
        let mut out = [MARK; 13];
        out.iter_mut().skip(1).zip(body).for_each(|(to, from)| *to = from);
        Some(out)
    }
}

fn signed(sign: u128, magnitude: u128) -> i16 {
    let magnitude = i16::try_from(magnitude).unwrap_or(i16::MAX);
    if sign == 0 { magnitude } else { -magnitude }
}

struct Bits {
    value: u128,
    left: u32,
}

impl Bits {
    fn wide(&mut self, width: u32) -> u128 {
        self.left = self.left.saturating_sub(width);
        (self.value >> self.left) & ((1 << width) - 1)
    }

    fn take(&mut self, width: u32) -> u8 {
        u8::try_from(self.wide(width)).unwrap_or(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_embedded_position_reads_back_as_it_was_written(
            time in (0_u8..24, 0_u8..60, 0_u8..60, 0_u8..100),
            (lon, lat) in (0_i32..1_799_999_000, 0_i32..630_000_000),
            signed in any::<bool>(), metres in -16_000_i16..16_000, anomaly in -255_i16..=255,
        ) {
            let height = if signed { Height::Signed { metres, anomaly } } else { Height::Unsigned(metres.unsigned_abs().into()) };
            let whole = EmbeddedPosition {
                time: [time.0, time.1, time.2, time.3], lon: Angle::from_e7(lon), lat: Angle::from_e7(lat), height,
            };
            prop_assert_eq!(EmbeddedPosition::parse(&whole.emit().unwrap()), Some(whole));
        }

        #[test]
        fn any_bytes_after_the_mark_do_no_harm(body in prop::collection::vec(any::<u8>(), 0..20)) {
            let mut content = vec![MARK];
            content.extend(body);
            if let Some(whole) = EmbeddedPosition::parse(&content) {
                prop_assert!(whole.lat.e7().is_some() && whole.lon.e7().is_some());
            }
        }
    }
}
