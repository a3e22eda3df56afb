use crate::codec::{Profile, ProfileError, Value};
use std::time::Duration;

/// What a link's profile says about its radio.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// `service_profiles`: the arguments of each `AT+CTSP=`.
    pub service_profiles: Vec<String>,
    /// `text_bits_max` (1184 = 148 bytes): one message with its header.
    pub text_bits_max: u32,
    /// `coding` (`ucs2`): whether texts are written in UCS-2, else in ISO 8859-1.
    pub is_ucs2: bool,
    /// `mcc_mnc` (empty): country and network of the radios, seven digits.
    pub mcc_mnc: String,
    /// `report` (true): ask the called radio for a report.
    pub asks_report: bool,
    /// `status_sos` (0): the status that is an alarm.
    pub status_sos: u16,
    /// `pace_ms` (3000): least time between two sends.
    pub pace: Duration,
}

const PROFILES: &str = "1,3,131;1,3,130;2,0,0;1,2,20;1,1,11;1,3,137";
const KEYS: [&str; 7] = ["service_profiles", "text_bits_max", "coding", "mcc_mnc", "report", "status_sos", "pace_ms"];

impl Settings {
    pub fn read(profile: &Profile) -> Result<Self, ProfileError> {
        profile.only(&KEYS)?;
        let range = |key: &str, found, min, max| ProfileError::Range { key: key.into(), found, min, max };
        let bits = profile.int("text_bits_max", 1_184, 64, 2_048)?;
        let sos = profile.int("status_sos", 0, 0, 65_535)?;
        let pace = profile.int("pace_ms", 3_000, 0, 600_000)?;
        let mcc_mnc = text(profile, "mcc_mnc", "")?;
        if !(mcc_mnc.is_empty() || mcc_mnc.len() == 7) || !mcc_mnc.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ProfileError::Type { key: "mcc_mnc".into(), expected: "seven digits, or nothing" });
        }
        let wrong = || ProfileError::Type {
            key: "service_profiles".into(),
            expected: "1 to 16 groups of numbers with commas, parted by semicolons",
        };
        let service_profiles: Vec<String> =
            text(profile, "service_profiles", PROFILES)?.split(';').map(|one| one.trim().to_owned()).collect();
        let is_sound =
            |one: &String| !one.is_empty() && one.len() <= 40 && one.bytes().all(|b| b.is_ascii_digit() || b == b',');
        if service_profiles.len() > 16 || !service_profiles.iter().all(is_sound) {
            return Err(wrong());
        }
        Ok(Self {
            service_profiles,
            text_bits_max: u32::try_from(bits).map_err(|_| range("text_bits_max", bits, 64, 2_048))?,
            is_ucs2: profile.choice("coding", &["ucs2", "latin1"])? == 0,
            mcc_mnc,
            asks_report: profile.flag("report", true)?,
            status_sos: u16::try_from(sos).map_err(|_| range("status_sos", sos, 0, 65_535))?,
            pace: Duration::from_millis(u64::try_from(pace).map_err(|_| range("pace_ms", pace, 0, 600_000))?),
        })
    }

    /// The number by which the station knows a radio: long numbers of the own network are shortened.
    pub fn number<'a>(&self, written: &'a str) -> &'a str {
        match written.split_at_checked(7) {
            Some((network, short)) if written.len() == 15 && (self.mcc_mnc.is_empty() || network == self.mcc_mnc) => {
                short
            }
            _ => written,
        }
    }
}

fn text(profile: &Profile, key: &str, default: &str) -> Result<String, ProfileError> {
    match profile.0.get(key) {
        None => Ok(default.into()),
        Some(Value::Text(text)) => Ok(text.clone()),
        Some(_) => Err(ProfileError::Type { key: key.into(), expected: "text" }),
    }
}
