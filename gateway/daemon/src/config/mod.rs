//! The config: one TOML file that describes the box. People and their terminals are not here: the roster enters by
//! import, into the journal.
//!
//! **Invariants**
//! - Unknown keys are refused; every error names file, line, key and what would be valid.
//! - A config is whole or refused: the station never half-starts on it.
//! - `gateway.example.toml` in the root of the repository carries every key; a test holds it to that.

mod area;
mod check;
mod chinese;
mod error;
mod net;
mod place;
mod value;

pub use area::{OriginConfig, PlaceConfig};
pub(crate) use chinese::{sentence, trouble};
pub use error::ConfigError;
pub use net::{KeyError, KeyFile, NetConfig};
pub use value::{ParseValueError, PeerRule, Size, Span};

use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use yizhan_engine::config::{PerPrecedence, Policy};

/// The whole config file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub station: Station,
    #[serde(default, rename = "link")]
    pub links: Vec<Link>,
    #[serde(default, rename = "net")]
    pub nets: Vec<NetConfig>,
    #[serde(default, rename = "origin")]
    pub origins: Vec<OriginConfig>,
    #[serde(default, rename = "place")]
    pub places: Vec<PlaceConfig>,
    #[serde(default)]
    pub journal: JournalPlace,
    #[serde(default)]
    pub api: Api,
    #[serde(default)]
    pub policy: PolicyNumbers,
    #[serde(default)]
    pub log: Log,
    #[serde(default)]
    pub capture: Capture,
}

/// `[station]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Station {
    pub number: u16,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub clock: ClockTrust,
}

/// When the host's clock is taken for the true time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockTrust {
    /// While the kernel says that it is synchronised.
    #[default]
    Ntp,
    /// Always: the box has a good clock of its own.
    Trust,
    /// Never: time comes from the terminals.
    Never,
}

/// `[[link]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    pub name: String,
    pub device: String,
    pub serial: Option<Serial>,
    pub udp: Option<Udp>,
    pub tcp: Option<Tcp>,
    pub period: Option<Span>,
    pub capacity_bits: Option<u32>,
    #[serde(default = "default_guard")]
    pub guard: Span,
    #[serde(default)]
    pub profile: toml::Table,
    #[serde(default)]
    pub reach: Vec<String>,
}

const fn default_guard() -> Span {
    Span(Duration::from_secs(2))
}

/// `serial = { ... }`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serial {
    pub port: PathBuf,
    #[serde(default = "default_baud")]
    pub baud: u32,
    #[serde(default)]
    pub parity: Parity,
    #[serde(default = "one")]
    pub stop_bits: u8,
    #[serde(default = "yes")]
    pub exclusive: bool,
}

const fn default_baud() -> u32 {
    115_200
}

const fn one() -> u8 {
    1
}

const fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parity {
    #[default]
    None,
    Odd,
    Even,
}

/// `udp = { ... }`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Udp {
    pub bind: Vec<SocketAddr>,
    #[serde(default)]
    pub peers: Vec<PeerRule>,
    #[serde(default)]
    pub any_peer: bool,
    /// Groups that are joined.
    #[serde(default)]
    pub multicast: Vec<Ipv4Addr>,
    /// The local address of the network in which they are joined; `None`: as the host routes.
    pub interface: Option<Ipv4Addr>,
    /// Routers that a datagram to a group may pass, and one.
    pub ttl: Option<u32>,
    /// Whether this host's other programs hear what is sent to a group, and so this link too.
    #[serde(default)]
    pub loopback: bool,
}

/// `tcp = { ... }`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tcp {
    pub connect: Option<String>,
    pub listen: Option<SocketAddr>,
    #[serde(default)]
    pub peers: Vec<PeerRule>,
}

/// Who calls whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpWay<'a> {
    /// The station calls `HOST:PORT`.
    Connect(&'a str),
    /// A terminal calls the station.
    Listen(SocketAddr),
}

impl Tcp {
    /// Who calls whom; `None` for a config that says neither or both.
    #[must_use]
    pub fn way(&self) -> Option<TcpWay<'_>> {
        match (&self.connect, self.listen) {
            (Some(address), None) => Some(TcpWay::Connect(address)),
            (None, Some(address)) => Some(TcpWay::Listen(address)),
            _ => None,
        }
    }
}

/// `[journal]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JournalPlace {
    pub path: PathBuf,
    pub snapshot_every: u64,
}

impl Default for JournalPlace {
    fn default() -> Self {
        Self { path: "yizhan-data/journal.db".into(), snapshot_every: 50_000 }
    }
}

/// `[api]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Api {
    pub listen: SocketAddr,
    pub insecure_listen: bool,
    pub hosts: Vec<String>,
    pub followers_max: usize,
}

impl Default for Api {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8470));
        Self { listen, insecure_listen: false, hosts: Vec::new(), followers_max: 64 }
    }
}

/// `[policy]`: the engine's numbers of judgement under their own names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyNumbers {
    pub outbox_max: usize,
    pub flash_reserved: usize,
    pub sender_share: u32,
    pub sender_share_from: u32,
    pub life: Lives,
    pub copies: Copies,
    pub text_chars_max: usize,
    pub parts_max: usize,
    pub sos_relays_max: usize,
    pub sos_relay_window: Span,
    pub sos_auto_answer: bool,
    pub keypad_questions: bool,
    pub loss_permille: u32,
    pub position_life: Span,
    pub remember: Span,
    pub unreadable_per_minute: u32,
}

/// `life = { ... }`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lives {
    pub flash: Span,
    pub immediate: Span,
    pub priority: Span,
    pub routine: Span,
}

/// `copies = { ... }`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Copies {
    pub flash: u8,
    pub immediate: u8,
    pub priority: u8,
    pub routine: u8,
}

impl Default for Lives {
    fn default() -> Self {
        let PerPrecedence { flash, immediate, priority, routine } = Policy::default().life;
        Self { flash: Span(flash), immediate: Span(immediate), priority: Span(priority), routine: Span(routine) }
    }
}

impl Default for Copies {
    fn default() -> Self {
        let PerPrecedence { flash, immediate, priority, routine } = Policy::default().copies;
        Self { flash, immediate, priority, routine }
    }
}

impl Default for PolicyNumbers {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            outbox_max: policy.outbox_max,
            flash_reserved: policy.flash_reserved,
            sender_share: policy.sender_share,
            sender_share_from: policy.sender_share_from,
            life: Lives::default(),
            copies: Copies::default(),
            text_chars_max: policy.text_chars_max,
            parts_max: policy.parts_max,
            sos_relays_max: policy.sos_relays_max,
            sos_relay_window: Span(policy.sos_relay_window),
            sos_auto_answer: policy.sos_auto_answer,
            keypad_questions: policy.keypad_questions,
            loss_permille: policy.loss_permille,
            position_life: Span(policy.position_life),
            remember: Span(policy.remember),
            unreadable_per_minute: policy.unreadable_per_minute,
        }
    }
}

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".into(), format: LogFormat::Text }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// `[capture]`: every frame in and out, as lines like those of the codecs' vectors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Capture {
    pub dir: Option<PathBuf>,
    pub file_size: Size,
    pub files: u32,
}

impl Default for Capture {
    fn default() -> Self {
        Self { dir: None, file_size: Size(8 << 20), files: 16 }
    }
}

impl Config {
    /// Reads and checks a file. Relative paths in it are taken from the file's own folder.
    ///
    /// # Errors
    /// [`ConfigError`], naming file, line, key and what would be valid.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let source = std::fs::read_to_string(path).map_err(|source| ConfigError::unreadable(path, source))?;
        Self::parse(path, &source)
    }

    /// As [`Config::load`], from text; `path` stands in errors and gives the folder of relative paths.
    ///
    /// # Errors
    /// [`ConfigError`]
    pub fn parse(path: &Path, source: &str) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(source).map_err(|error| ConfigError::from_toml(path, source, &error))?;
        check::check(&config).map_err(|found| ConfigError::from_check(path, source, found))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let absolute = |path: &mut PathBuf| *path = folder.join(&*path);
        absolute(&mut config.journal.path);
        config.capture.dir.as_mut().map(absolute);
        config.nets.iter_mut().for_each(|net| absolute(&mut net.key));
        Ok(config)
    }

    /// The API's bearer token, beside the journal.
    #[must_use]
    pub fn token_path(&self) -> PathBuf {
        self.journal.path.with_file_name("api.token")
    }

    /// Where the running API listens, beside the journal, so that the command line finds it.
    #[must_use]
    pub fn address_path(&self) -> PathBuf {
        self.journal.path.with_file_name("api.addr")
    }
}

#[cfg(test)]
mod tests;
