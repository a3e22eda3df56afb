use super::wire::Call;
use crate::codec::{Profile, ProfileError, Value};
use std::time::Duration;

/// What a link's profile says about its TNC and its net.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// `own` (`N0CALL` = not told): our callsign.
    pub(super) own: Option<Call>,
    /// `path` (`WIDE1-1,WIDE2-1`): digipeaters asked to repeat.
    pub(super) path: Vec<Call>,
    /// `tocall` (`APZYZN`): the destination address, by custom the name of the program.
    pub(super) tocall: Call,
    /// `text_max` (201): bytes of one text; the whole field may have 256.
    pub(super) text_max: u32,
    /// `kiss_port` (0): the port of the TNC that we send on.
    pub(super) kiss_port: u8,
    /// `pace_ms` (10000): least time between two sends on a channel that everybody shares.
    pub(super) pace: Duration,
    /// `ack_wait_s` (40): how long an ack may take.
    pub(super) ack_within: Duration,
    /// `repeat_s` (600): how long the same number, sender and text is a repeat; stations try for minutes.
    pub(super) repeats_within: Duration,
}

const KEYS: [&str; 8] = ["own", "path", "tocall", "text_max", "kiss_port", "pace_ms", "ack_wait_s", "repeat_s"];
const NOT_TOLD: &str = "N0CALL";
const PATH_MAX: usize = 8;

impl Settings {
    pub(super) fn read(profile: &Profile) -> Result<Self, ProfileError> {
        profile.only(&KEYS)?;
        let own = call(profile, "own", NOT_TOLD)?;
        let seconds =
            |key, default| profile.int(key, default, 1, 86_400).map(|s| Duration::from_secs(s.unsigned_abs()));
        Ok(Self {
            own: Some(own).filter(|own| own.name() != NOT_TOLD),
            path: path(profile)?,
            tocall: call(profile, "tocall", "APZYZN")?,
            text_max: u32::try_from(profile.int("text_max", 201, 1, 240)?).unwrap_or(201),
            kiss_port: u8::try_from(profile.int("kiss_port", 0, 0, 15)?).unwrap_or(0),
            pace: Duration::from_millis(profile.int("pace_ms", 10_000, 0, 600_000)?.unsigned_abs()),
            ack_within: seconds("ack_wait_s", 40)?,
            repeats_within: seconds("repeat_s", 600)?,
        })
    }
}

fn text<'a>(profile: &'a Profile, key: &str, default: &'a str) -> Result<&'a str, ProfileError> {
    match profile.0.get(key) {
        None => Ok(default),
        Some(Value::Text(text)) => Ok(text),
        Some(_) => Err(ProfileError::Type { key: key.into(), expected: "text" }),
    }
}

const CALL: &str = "a callsign: one to six of A-Z and 0-9, and perhaps -1 to -15";

fn call(profile: &Profile, key: &str, default: &str) -> Result<Call, ProfileError> {
    let wrong = |_| ProfileError::Type { key: key.into(), expected: CALL };
    text(profile, key, default)?.to_ascii_uppercase().parse().map_err(wrong)
}

fn path(profile: &Profile) -> Result<Vec<Call>, ProfileError> {
    let wrong = || ProfileError::Type { key: "path".into(), expected: "up to 8 callsigns with commas between" };
    let text = text(profile, "path", "WIDE1-1,WIDE2-1")?.to_ascii_uppercase();
    let calls =
        text.split(',').map(str::trim).filter(|call| !call.is_empty()).map(|call| call.parse().map_err(|_| wrong()));
    let calls = calls.collect::<Result<Vec<Call>, _>>()?;
    if calls.len() > PATH_MAX { Err(wrong()) } else { Ok(calls) }
}
