use super::wire::{Address, Validity};
use crate::codec::{EncodeError, Profile, ProfileError, Value};
use crate::message::{Bearer, TerminalId};
use std::time::Duration;

const KEYS: [&str; 10] =
    ["smsc", "country", "parts_max", "alphabet", "reports", "report_s", "validity_min", "store", "pace_ms", "repeat_s"];
/// Digits of a national mobile number, which begins with 1.
const NATIONAL: usize = 11;
/// Numbers of at most so many digits are services (10086, 12379) and are dialled as they are.
const SERVICE_MAX: usize = 8;
const DIGITS_MAX: usize = 20;

/// What a link's profile says about its phone; the keys are described in `mod.rs`.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    smsc: String,
    country: String,
    pub(super) parts_max: u8,
    pub(super) packs_gsm7: bool,
    pub(super) wants_reports: bool,
    pub(super) report_within: Duration,
    pub(super) validity: Validity,
    pub(super) store: &'static str,
    pub(super) pace: Duration,
    pub(super) repeats_within: Duration,
}

impl Settings {
    pub(super) fn read(profile: &Profile) -> Result<Self, ProfileError> {
        profile.only(&KEYS)?;
        let int = |key, default, min, max| profile.int(key, default, min, max);
        let count = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
        let seconds = |value: i64| Duration::from_secs(u64::try_from(value).unwrap_or(0));
        let pace = u64::try_from(int("pace_ms", 5_000, 0, 600_000)?).unwrap_or(0);
        Ok(Self {
            smsc: digits(profile, "smsc", "")?,
            country: digits(profile, "country", "86")?,
            parts_max: u8::try_from(int("parts_max", 3, 1, 10)?).unwrap_or(1),
            packs_gsm7: profile.choice("alphabet", &["auto", "ucs2"])? == 0,
            wants_reports: profile.flag("reports", true)?,
            report_within: seconds(int("report_s", 600, 10, 86_400)?),
            validity: Validity::of_minutes(count(int("validity_min", 1_440, 5, 635_040)?)),
            store: if profile.choice("store", &["ME", "SM"])? == 0 { "ME" } else { "SM" },
            pace: Duration::from_millis(pace),
            repeats_within: seconds(int("repeat_s", 259_200, 0, 2_592_000)?),
        })
    }

    pub(super) fn smsc(&self) -> Option<Address> {
        (!self.smsc.is_empty()).then(|| Address::international(&self.smsc))
    }

    fn is_national(&self, number: &str) -> bool {
        !self.country.is_empty() && number.len() == NATIONAL && number.starts_with('1')
    }

    /// The address to write: international, but for short service numbers.
    pub(super) fn address(&self, to: &TerminalId) -> Result<Address, EncodeError> {
        let number = to.number();
        if !is_number(to) {
            return Err(EncodeError::Address(to.to_string()));
        }
        Ok(if number.len() <= SERVICE_MAX {
            Address::dialled(number)
        } else if self.is_national(number) {
            Address::international(&format!("{}{number}", self.country))
        } else {
            Address::international(number)
        })
    }

    /// Who an address is: international digits without `+`, so that a number written in two ways is one person.
    /// Letters that could be taken for a number are marked; a withheld number is `unknown`.
    pub(super) fn terminal(&self, address: &Address) -> TerminalId {
        let value = address.value.trim();
        if address.is_letters() {
            let letters: String = value.chars().map(|c| if c.is_control() || c == ' ' { '_' } else { c }).collect();
            let looks_like_digits = letters.chars().all(|c| c.is_ascii_digit() || c == '+');
            let mark = if looks_like_digits { "name-" } else { "" };
            return TerminalId::new(Bearer::Satphone, &format!("{mark}{letters}"));
        }
        self.number(value, address.is_international())
    }

    /// A number as a phone writes it, with or without `+`.
    pub(super) fn dialled(&self, number: &str) -> TerminalId {
        match number.strip_prefix('+') {
            Some(digits) => self.number(digits, true),
            None => self.number(number, false),
        }
    }

    fn number(&self, digits: &str, is_international: bool) -> TerminalId {
        let number = if digits.is_empty() {
            "unknown".to_owned()
        } else if !is_international && self.is_national(digits) {
            format!("{}{digits}", self.country)
        } else {
            digits.to_owned()
        };
        TerminalId::new(Bearer::Satphone, &number)
    }
}

/// Whether an address is a number that a phone can be told.
pub(super) fn is_number(to: &TerminalId) -> bool {
    let number = to.number();
    to.bearer == Bearer::Satphone
        && (3..=DIGITS_MAX).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}

fn digits(profile: &Profile, key: &str, default: &str) -> Result<String, ProfileError> {
    let wrong = || ProfileError::Type { key: key.into(), expected: "digits without +, or nothing" };
    match profile.0.get(key) {
        None => Ok(default.into()),
        Some(Value::Text(text)) if text.len() <= DIGITS_MAX && text.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(text.clone())
        }
        Some(_) => Err(wrong()),
    }
}
