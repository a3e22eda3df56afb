//! Scenarios: a drill as a TOML file, read into a world.

mod build;

use serde::Deserialize;
use std::collections::BTreeMap;
use thiserror::Error;
use yizhan_codecs::message::Precedence;
use yizhan_engine::io::SendKind;

/// Scenarios that come with the program, by name.
pub const BUILT_IN: [(&str, &str); 4] = [
    ("county-2h", include_str!("../scenarios/county-2h.toml")),
    ("every-terminal", include_str!("../scenarios/every-terminal.toml")),
    ("flood-night", include_str!("../scenarios/flood-night.toml")),
    ("radio-and-beidou", include_str!("../scenarios/radio-and-beidou.toml")),
];

/// A drill: who stands where with what, what the air is like, and what happens when.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    pub title: String,
    /// How long people act.
    pub minutes: f64,
    /// How much longer the world runs, so that every life in it ends.
    pub settle_minutes: f64,
    pub station: u16,
    /// From which minute on the host's clock is vouched for; absent = never.
    pub clock_trusted_from_min: Option<f64>,
    /// How long the operator takes to confirm what waits for a person; absent = nobody confirms.
    pub confirm_after_s: Option<f64>,
    #[serde(default)]
    pub policy: PolicyChange,
    #[serde(default, rename = "link")]
    pub links: Vec<LinkSpec>,
    #[serde(default)]
    pub air: BTreeMap<String, WeatherSpec>,
    #[serde(default, rename = "person")]
    pub people: Vec<PersonSpec>,
    /// Many persons at once.
    #[serde(default, rename = "crowd")]
    pub crowds: Vec<CrowdSpec>,
    #[serde(default, rename = "group")]
    pub groups: Vec<GroupSpec>,
    /// Single things that happen.
    #[serde(default, rename = "at")]
    pub events: Vec<EventSpec>,
    /// Traffic by chance.
    #[serde(default, rename = "traffic")]
    pub traffic: Vec<TrafficSpec>,
}

/// Numbers of judgement that the scenario changes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyChange {
    pub outbox_max: Option<usize>,
    pub flash_reserved: Option<usize>,
    /// Of 1000 queued slots, what one sender may hold.
    pub sender_share: Option<u32>,
    /// Minutes a message lives: flash, immediate, priority, routine.
    pub life_min: Option<[u64; 4]>,
    /// Copies to a terminal that cannot confirm: flash, immediate, priority, routine.
    pub copies: Option<[u8; 4]>,
}

/// A terminal plugged into the station.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSpec {
    pub name: String,
    /// The device's name in the register.
    pub device: String,
    /// The link's profile, as in the station's config.
    #[serde(default)]
    pub profile: BTreeMap<String, toml::Value>,
    /// The numbers that the link is for, as in the station's config; empty = all that its device can write.
    #[serde(default)]
    pub reach: Vec<String>,
    /// Which kind of the device's simulated terminals: Beidou's protocol, a radio's carrier.
    pub dialect: Option<String>,
    /// The terminal's own number on its bearer, as a whole number or as text (`"!0badcafe"`, `"BH4XYZ-7"`).
    pub number: Number,
    #[serde(default = "sixty")]
    pub period_s: f64,
    #[serde(default = "three")]
    pub level: u8,
    #[serde(default = "baud")]
    pub baud: u32,
    #[serde(default = "two")]
    pub guard_s: f64,
}

/// A terminal's number, as its bearer writes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "NumberOrText")]
pub struct Number(pub String);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u64),
    Text(String),
}

impl From<NumberOrText> for Number {
    fn from(written: NumberOrText) -> Self {
        match written {
            NumberOrText::Number(number) => Self(number.to_string()),
            NumberOrText::Text(text) => Self(text),
        }
    }
}

/// How a bearer's air differs from the typical.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeatherSpec {
    pub loss_percent: Option<f64>,
    pub delay_min_s: Option<f64>,
    pub delay_mean_s: Option<f64>,
    pub duplicate_percent: Option<f64>,
    /// Relays on the way: each loses and delays anew.
    pub hops: Option<u32>,
    /// One transmission that begins so soon after another one is lost.
    pub collides_within_s: Option<f64>,
    /// Share of the time in which somebody speaks on the channel: data is lost then.
    pub voice_percent: Option<f64>,
    /// From–to, minutes.
    #[serde(default)]
    pub outages_min: Vec<[f64; 2]>,
    /// Numbers that are cut off for the whole drill.
    #[serde(default)]
    pub shadowed: Vec<String>,
}

/// One person and their terminals; every terminal is simulated.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonSpec {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub unit: String,
    pub terminals: Vec<String>,
    #[serde(default = "sixty")]
    pub period_s: f64,
    #[serde(default)]
    pub answers: Vec<AnswerSpec>,
    #[serde(default)]
    pub names_number: bool,
    /// Latitude and longitude, degrees.
    pub at: Option<[f64; 2]>,
}

/// Persons `id-1` … with numbers from `first` on, one terminal each on every bearer named.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrowdSpec {
    pub id: String,
    pub name: String,
    pub count: u32,
    pub bearers: Vec<String>,
    pub first: u32,
    #[serde(default = "sixty")]
    pub period_s: f64,
    #[serde(default)]
    pub answers: Vec<AnswerSpec>,
    #[serde(default)]
    pub names_number: bool,
}

/// What a person answers to a text, with what chance, after how long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerSpec {
    pub text: String,
    pub percent: f64,
    pub after_s: [f64; 2],
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSpec {
    pub id: String,
    pub name: String,
    /// Person ids; `crowd:ID` stands for everybody of a crowd.
    #[serde(default)]
    pub members: Vec<String>,
    #[serde(default)]
    pub numbers: Vec<String>,
}

/// One thing that happens at a minute.
#[derive(Clone, Debug, Deserialize)]
pub struct EventSpec {
    pub min: f64,
    #[serde(flatten)]
    pub what: What,
}

/// What happens.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum What {
    /// The operator sends a text.
    Send {
        /// `person:ID`, `group:ID` or `terminal:BEARER:NUMBER`.
        to: String,
        text: String,
        #[serde(default)]
        precedence: Precedence,
        #[serde(default)]
        kind: SendKind,
        #[serde(default)]
        exercise: bool,
        tag: Option<String>,
        supersedes: Option<String>,
    },
    Cancel {
        tag: String,
    },
    /// A person in the field types a text to the command post.
    Type {
        terminal: String,
        text: String,
    },
    Alarm {
        terminal: String,
        #[serde(default = "yes")]
        on: bool,
    },
    Reboot {
        terminal: String,
    },
    Card {
        terminal: String,
        present: bool,
    },
    Beams {
        terminal: String,
        strength: u8,
    },
    Suppress {
        terminal: String,
        on: bool,
    },
    Silence {
        terminal: String,
        on: bool,
    },
    Battery {
        terminal: String,
        low: bool,
    },
    /// Feedback comes so late from now on; absent = not at all.
    Feedback {
        terminal: String,
        after_s: Option<f64>,
    },
    /// These bytes appear on the cable, in hex.
    Noise {
        terminal: String,
        hex: String,
    },
    Unplug {
        link: String,
    },
    PlugIn {
        link: String,
    },
    /// The power fails and comes back.
    PowerCut {
        back_after_s: f64,
    },
    /// The daemon dies and is started again.
    Kill {
        back_after_s: f64,
    },
    Snapshot,
    FailSync,
    /// So many more records fit on the disk.
    Fill {
        records: usize,
    },
}

/// Things that happen by chance, again and again.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficSpec {
    pub from_min: f64,
    pub to_min: f64,
    /// Mean time between two.
    pub every_s: f64,
    /// `duty`, `crowd:ID` or a person id: who speaks.
    pub who: String,
    /// Duty only: to whom, one of these each time; `crowd:ID` = one of the crowd.
    #[serde(default)]
    pub to: Vec<String>,
    /// One of these each time; `{n}` counts, so that no two are equal.
    pub texts: Vec<String>,
    #[serde(default)]
    pub precedence: Precedence,
    #[serde(default)]
    pub exercise: bool,
}

/// Why a scenario was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScenarioError {
    #[error("not a scenario: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("no scenario {name:?} comes with the program; these do: {known}")]
    Unknown { name: String, known: String },
    #[error("{what} {found:?} is not known; known are {known}")]
    Choice { what: &'static str, found: String, known: String },
    #[error("{what} is out of its range")]
    Range { what: &'static str },
    #[error("key {key} of link {link} is neither text, whole number nor true/false")]
    Profile { link: String, key: String },
    #[error("link {link}: {why}")]
    Link { link: String, why: String },
    #[error("{what}: {found:?} is not hex")]
    Hex { what: &'static str, found: String },
}

impl ScenarioError {
    /// What is wrong and what to write instead, for the person at the screen.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Toml(_) => "场景文件写得不对，错在下面指出的地方".into(),
            Self::Unknown { name, known } => format!("没有自带的场景“{name}”：自带的有 {known}，自己写的给 .toml 文件"),
            Self::Choice { what, found, known } => format!("场景里的 {what} 不能是“{found}”：可用 {known}"),
            Self::Range { what } => format!("场景里的 {what} 超出范围"),
            Self::Profile { link, key } => format!("链路 {link} 的 {key} 应是文字、整数或 true/false"),
            Self::Link { link, .. } => format!("链路 {link} 配不成"),
            Self::Hex { what, found } => format!("场景里的 {what}“{found}”不是十六进制"),
        }
    }
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// [`ScenarioError::Toml`] with line and key.
    pub fn read(text: &str) -> Result<Self, ScenarioError> {
        Ok(toml::from_str(text)?)
    }

    /// One that comes with the program.
    ///
    /// # Errors
    /// [`ScenarioError::Unknown`] naming those that do.
    pub fn built_in(name: &str) -> Result<Self, ScenarioError> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        let known = || BUILT_IN.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let (_, text) = found.ok_or_else(|| ScenarioError::Unknown { name: name.into(), known: known() })?;
        Self::read(text)
    }
}

const fn sixty() -> f64 {
    60.0
}

const fn two() -> f64 {
    2.0
}

const fn three() -> u8 {
    3
}

const fn baud() -> u32 {
    115_200
}

const fn yes() -> bool {
    true
}
