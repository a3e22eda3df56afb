//! What a link's profile says about a Beidou port.

use super::feedback::FkxxWait;
use super::wire::text::Leniency;
use crate::codec::{Profile, ProfileError};

/// The dialect we send in. What we hear is read in every dialect, whatever stands here: a codec has no memory, so it
/// cannot learn from the card's answer, and guessing wrong would cost a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Rdss21,
    Rdss40,
    Rsmc3,
}

/// Whether a terminal's RDSS clock (`$SJXX`) is UTC. It is `Unknown` unless somebody looked: eight hours are too much to
/// guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RdssClock {
    Unknown,
    Utc,
    Beijing,
}

/// The profile, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub dialect: Dialect,
    pub baud: u32,
    /// Frequency point of `$CCTCQ`, 1–5.
    pub freq_point: u8,
    /// `$CCTCQ` ends with a frequency field.
    pub tcq_trailing_frequency: bool,
    /// `$CCTCQ` has an empty field before its content (one module family).
    pub tcq_extra_field: bool,
    pub leniency: Leniency,
    /// `$BDFKI` of 2.1 gives plain seconds rather than `MMSS`.
    pub fki_wait_seconds: bool,
    pub fkxx_wait: FkxxWait,
    pub rdss_clock: RdssClock,
    /// UTF-8 with multi-byte characters inside mixed content is read as such: some pairs of apps agree on it.
    pub utf8_content: bool,
    /// The card's own number where the profile knows it; else the card is asked.
    pub own_number: Option<u32>,
}

const KEYS: [&str; 12] = [
    "dialect",
    "baud",
    "freq_point",
    "tcq_trailing_frequency",
    "tcq_extra_field",
    "xor_includes_dollar",
    "lower_case_checksum",
    "fki_wait",
    "fkxx_wait",
    "rdss_clock",
    "utf8_content",
    "own_number",
];

impl Settings {
    /// Reads a profile.
    ///
    /// # Errors
    /// [`ProfileError`] for an unknown key or a value outside its choices.
    pub fn read(profile: &Profile) -> Result<Self, ProfileError> {
        profile.only(&KEYS)?;
        let number = |key: &str, default, min, max| {
            profile.int(key, default, min, max).map(|value| u32::try_from(value).unwrap_or_default())
        };
        Ok(Self {
            dialect: match profile.choice("dialect", &["rdss21", "rdss40", "rsmc3"])? {
                1 => Dialect::Rdss40,
                2 => Dialect::Rsmc3,
                _ => Dialect::Rdss21,
            },
            baud: number("baud", 115_200, 1_200, 4_000_000)?,
            freq_point: u8::try_from(number("freq_point", 2, 1, 5)?).unwrap_or(2),
            tcq_trailing_frequency: profile.flag("tcq_trailing_frequency", true)?,
            tcq_extra_field: profile.flag("tcq_extra_field", false)?,
            leniency: Leniency {
                with_dollar: profile.flag("xor_includes_dollar", false)?,
                lower_case: profile.flag("lower_case_checksum", true)?,
            },
            fki_wait_seconds: profile.choice("fki_wait", &["mmss", "seconds"])? == 1,
            fkxx_wait: match profile.choice("fkxx_wait", &["robust", "last_byte", "first_byte", "minutes_seconds"])? {
                1 => FkxxWait::LastByte,
                2 => FkxxWait::FirstByte,
                3 => FkxxWait::MinutesSeconds,
                _ => FkxxWait::Robust,
            },
            rdss_clock: match profile.choice("rdss_clock", &["unknown", "utc", "beijing"])? {
                1 => RdssClock::Utc,
                2 => RdssClock::Beijing,
                _ => RdssClock::Unknown,
            },
            utf8_content: profile.flag("utf8_content", false)?,
            own_number: Some(number("own_number", 0, 0, 99_999_999)?).filter(|number| *number != 0),
        })
    }
}
