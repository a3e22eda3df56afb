use crate::codec::{Profile, ProfileError, Value};
use std::time::Duration;

/// What a link's profile says about its radio.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// `app` (`yizhan`): the name that we give ourselves.
    pub(super) app: String,
    /// `text_max` (130): bytes of one text.
    pub(super) text_max: u32,
    /// `pace_ms` (4000): least time between two texts.
    pub(super) pace: Duration,
    /// `ack_s` (60): how long the far radio's ack may take.
    pub(super) ack_within: Duration,
    /// `poll_s` (60): how often texts are asked for unasked.
    pub(super) poll_every: Duration,
    /// `repeat_s` (3600): how long the same time, sender and text is a repeat.
    pub(super) repeats_within: Duration,
}

const KEYS: [&str; 6] = ["app", "text_max", "pace_ms", "ack_s", "poll_s", "repeat_s"];
const APP_MAX: usize = 32;

impl Settings {
    pub(super) fn read(profile: &Profile) -> Result<Self, ProfileError> {
        profile.only(&KEYS)?;
        let wrong = || ProfileError::Type { key: "app".into(), expected: "1 to 32 bytes of text" };
        let app = match profile.0.get("app") {
            None => "yizhan".to_owned(),
            Some(Value::Text(text)) if (1..=APP_MAX).contains(&text.len()) => text.clone(),
            Some(_) => return Err(wrong()),
        };
        let number = |key, default, min, max| -> Result<u32, ProfileError> {
            let found = profile.int(key, default, min, max)?;
            u32::try_from(found).map_err(|_| ProfileError::Range { key: key.into(), found, min, max })
        };
        let seconds = |key, default, min, max| Ok(Duration::from_secs(number(key, default, min, max)?.into()));
        Ok(Self {
            app,
            text_max: number("text_max", 130, 16, 160)?,
            pace: Duration::from_millis(number("pace_ms", 4_000, 0, 600_000)?.into()),
            ack_within: seconds("ack_s", 60, 1, 600)?,
            poll_every: seconds("poll_s", 60, 5, 600)?,
            repeats_within: seconds("repeat_s", 3_600, 0, 86_400)?,
        })
    }
}
