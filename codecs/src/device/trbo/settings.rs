use crate::codec::{Profile, ProfileError};
use std::time::Duration;

/// What a link's profile says about its radios.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// `subnet` (12), `group_subnet` (225): the first byte of a radio's and of a group's IP.
    pub subnet: u8,
    pub group_subnet: u8,
    /// `port_ars`, `port_tms`, `port_lrrp` (4005, 4007, 4001): radios answer to these whatever our source port is.
    pub port_ars: u16,
    pub port_tms: u16,
    pub port_lrrp: u16,
    /// `text_max` (140): UTF-16 units of one text, CR LF not counted. First-generation firmware carries 138, later 280.
    pub text_max: u16,
    /// `pace_ms` (3000): least time between two texts.
    pub pace: Duration,
    /// `renew_half_hours` (1): how soon a radio must register again.
    pub renew_half_hours: u8,
    /// `crlf` (true): a text begins with CR LF, as these radios write it; one in front of a heard text is dropped.
    pub crlf: bool,
    /// `repeat_s` (60): how long the same sequence, sender and text is a repeat.
    pub repeats_within: Duration,
}

const KEYS: [&str; 10] = [
    "subnet",
    "group_subnet",
    "port_ars",
    "port_tms",
    "port_lrrp",
    "text_max",
    "pace_ms",
    "renew_half_hours",
    "crlf",
    "repeat_s",
];

impl Settings {
    pub fn read(profile: &Profile) -> Result<Self, ProfileError> {
        profile.only(&KEYS)?;
        Ok(Self {
            subnet: profile.number("subnet", 12, 0, 255)?,
            group_subnet: profile.number("group_subnet", 225, 0, 255)?,
            port_ars: profile.number("port_ars", 4005, 1, 65_535)?,
            port_tms: profile.number("port_tms", 4007, 1, 65_535)?,
            port_lrrp: profile.number("port_lrrp", 4001, 1, 65_535)?,
            text_max: profile.number("text_max", 140, 1, 280)?,
            pace: Duration::from_millis(profile.number("pace_ms", 3_000, 0, 600_000)?),
            renew_half_hours: profile.number("renew_half_hours", 1, 1, 255)?,
            crlf: profile.flag("crlf", true)?,
            repeats_within: Duration::from_secs(profile.number("repeat_s", 60, 0, 3_600)?),
        })
    }
}
