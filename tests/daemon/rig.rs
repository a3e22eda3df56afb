//! A station under test: its folder, its config, its terminals, and the people around it.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use yizhan_codecs::message::{Addressee, Bearer, TerminalId};
use yizhan_simulators::air::Weather;
use yizhan_simulators::live::{Api, News, Player, Port, Radios, Rehearsal, Shown, Station, What, address_of};
use yizhan_simulators::seed::Seed;
use yizhan_simulators::terminal::beidou::{BeidouTerminal, Card, Dialect};
use yizhan_simulators::terminal::handset::{Habits, Handset};
use yizhan_simulators::terminal::hytera::HyteraModem;
use yizhan_simulators::terminal::{Act, Said};

/// One deadline for everything that must happen on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The station's own terminals, and the handhelds.
pub const BEIDOU: &str = "beidou";
pub const RADIO: &str = "radio";
pub const FAR: &str = "far";
pub const WANG: &str = "wang";
pub const ZHANG: &str = "zhang";

const CARD: u32 = 142_020;
pub const FAR_NUMBER: u32 = 242_407;
pub const WANG_NUMBER: u32 = 103_001;
pub const ZHANG_NUMBER: u32 = 103_002;
const BASE_RADIO: u32 = 64_001;
/// Nobody's id, as systems have it for servers that need nothing.
const NOBODY: u32 = 65_534;

/// What differs between tests.
#[derive(Clone, Debug)]
pub struct Setup {
    pub clock: &'static str,
    /// What the simulated Beidou terminal speaks, by its name in the config.
    pub dialect: &'static str,
    /// 服务频度 of the simulated card, as it says.
    pub period: Duration,
    pub seed: u64,
    /// More of the config.
    pub more: String,
}

impl Default for Setup {
    fn default() -> Self {
        Self { clock: "trust", dialect: "rdss40", period: Duration::from_secs(1), seed: 1, more: String::new() }
    }
}

pub struct Rig {
    pub rehearsal: Rehearsal,
    told: Receiver<News>,
    pub config: PathBuf,
    pub journal: PathBuf,
    folder: TempDir,
}

pub fn number(bearer: Bearer, number: u32) -> TerminalId {
    TerminalId::from_number(bearer, number)
}

/// As `tests/run` asks for: the long version of a test, or the short one.
pub fn is_quick() -> bool {
    std::env::var("YIZHAN_TESTS").is_ok_and(|mode| mode == "quick")
}

/// A folder that the station's user owns.
pub fn folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("yizhan-").tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    if nix::unistd::geteuid().is_root() {
        chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    folder
}

/// Runs `program` as an ordinary user, also where the tests are run by root, who is refused nothing.
pub fn ordinary(mut program: Command) -> Command {
    if nix::unistd::geteuid().is_root() {
        program.uid(NOBODY).gid(NOBODY);
    }
    program
}

/// The daemon, in `folder` so that the ordinary user can run it wherever it was built.
pub fn daemon_in(folder: &Path) -> PathBuf {
    let program = folder.join("yizhan");
    if !program.exists() {
        let built = env!("CARGO_BIN_EXE_yizhan");
        fs::hard_link(built, &program).or_else(|_| fs::copy(built, &program).map(drop)).unwrap();
    }
    program
}

impl Rig {
    pub fn new() -> Self {
        Self::with(&Setup::default())
    }

    pub fn with(setup: &Setup) -> Self {
        let folder = folder();
        let (config, journal) = (folder.path().join("gateway.toml"), folder.path().join("data/journal.db"));
        let seed = Seed::new(setup.seed);
        let radio = |n| number(Bearer::Radio370, n);
        let addresses = [BASE_RADIO, WANG_NUMBER, ZHANG_NUMBER].iter().filter_map(|n| address_of(&radio(*n))).collect();
        let radios = Radios::at(addresses, &HyteraModem::SERVICES).unwrap();
        let port = folder.path().join("beidou");
        fs::write(&config, config_text(setup, &port, &radios)).unwrap();
        let card = Card { number: CARD, broadcast: 0, period: setup.period, level: 3, subordinates: 0 };
        let terminal = Box::new(BeidouTerminal::new(Dialect::from_name(setup.dialect).unwrap(), card, &seed));
        let serial = Port::serial(&port, 115_200, &seed);
        let modem = Box::new(HyteraModem::new(127, BASE_RADIO).unwrap());
        let handset = |name, id: TerminalId, post: TerminalId| {
            let period = Duration::from_millis(if id.bearer == Bearer::Beidou { 1_000 } else { 0 });
            let habits = Habits { command_post: Some(post), ..Habits::default() };
            let terminal = Box::new(Handset::new(id.clone(), Vec::new(), period, habits, &seed));
            Player { name, id, terminal, port: Port::None }
        };
        let (card, base) = (number(Bearer::Beidou, CARD), radio(BASE_RADIO));
        let players = vec![
            Player { name: BEIDOU, id: card.clone(), terminal, port: serial },
            Player { name: RADIO, id: base.clone(), terminal: modem, port: Port::Udp(radios) },
            handset(FAR, number(Bearer::Beidou, FAR_NUMBER), card),
            handset(WANG, radio(WANG_NUMBER), base.clone()),
            handset(ZHANG, radio(ZHANG_NUMBER), base),
        ];
        let (rehearsal, told) = Rehearsal::begin(&seed, weather(), players).unwrap();
        Self { rehearsal, told, config, journal, folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The daemon's command line, before the station's config.
    pub fn daemon(&self) -> Command {
        Command::new(daemon_in(self.folder()))
    }

    /// Starts the station as an ordinary user and waits until it is ready.
    pub fn start(&self) -> (Station, Api) {
        self.start_as(self.daemon())
    }

    /// As [`Rig::start`], with another program in front.
    pub fn start_as(&self, program: Command) -> (Station, Api) {
        let mut station = self.launch(program);
        let api = station.ready().unwrap_or_else(|error| panic!("{error}"));
        (station, api)
    }

    /// Starts the station without waiting for it.
    pub fn launch(&self, mut program: Command) -> Station {
        program.arg("run").arg("--config").arg(&self.config).current_dir(self.folder());
        Station::start(ordinary(program), self.folder(), &self.journal).unwrap()
    }

    /// The next thing that happens in the world before `within` is over.
    pub fn next(&self, within: Duration) -> Option<News> {
        self.told.recv_timeout(within).ok()
    }

    /// Waits until this happens in the world.
    pub fn until(&self, what: &str, mut wanted: impl FnMut(&News) -> bool) -> News {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let news = self.next(left).unwrap_or_else(|| panic!("{what} did not happen within {PATIENCE:?}"));
            if wanted(&news) {
                return news;
            }
        }
    }

    /// Waits until somebody sees a text that contains this.
    pub fn until_seen(&self, who: &str, part: &str) -> News {
        let seen = |news: &News| matches!(&news.what, What::Shown { text, .. } if text.contains(part));
        self.until(&format!("{who} sees {part:?}"), |news| news.who == who && seen(news))
    }

    /// Somebody types a text for the station.
    pub fn types(&self, who: &'static str, text: &str) {
        let to = match who {
            FAR => number(Bearer::Beidou, CARD),
            _ => number(Bearer::Radio370, BASE_RADIO),
        };
        self.rehearsal.act(who, Act::Type { to: Addressee::Terminal(to), text: text.into() });
    }
}

/// Submits a text; gives its id, which the station has promised to keep.
pub fn send(api: &Api, to: &str, text: &str) -> String {
    let body = json!({ "to": to, "text": text, "precedence": "priority" });
    let accepted = api.post("/api/v1/messages", &body).unwrap_or_else(|error| panic!("{error}"));
    accepted["id"].as_str().expect("an id").to_owned()
}

/// Follows the journal from after `offset` until a record is what was wanted; gives that record.
pub fn follow_until(api: &Api, offset: u64, what: &str, wanted: impl Fn(&Value) -> bool) -> Shown {
    let follower = api.follow("/api/v1/stream", offset).unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let shown = follower.next(left).unwrap_or_else(|| panic!("no record of {what} within {PATIENCE:?}"));
        if wanted(&shown.record) {
            return shown;
        }
    }
}

/// A record of this kind whose field has this value.
pub fn is(record: &Value, kind: &str, field: &str, value: impl Into<Value>) -> bool {
    record["kind"] == kind && record["data"][field] == value.into()
}

/// Everything that is stored now, from the first record.
pub fn journal(api: &Api) -> Vec<Shown> {
    let stored = api.get("/api/v1/status").unwrap()["stored"].as_u64().unwrap();
    let follower = api.follow("/api/v1/stream", 0).unwrap();
    let mut shown: Vec<Shown> = Vec::new();
    while shown.last().is_none_or(|last| last.offset < stored) {
        shown.push(follower.next(PATIENCE).expect("the journal can be read to its end"));
    }
    shown
}

/// What a radio's machine was told: its text was taken.
pub fn is_taken(news: &News, by: &TerminalId) -> bool {
    matches!(&news.what, What::Radiated(message) if news.who == RADIO
        && matches!(message.said, Said::Taken { .. }) && message.to == Addressee::Terminal(by.clone()))
}

/// Fast and without loss: the tests are about the station.
fn weather() -> BTreeMap<Bearer, Weather> {
    let fast = |bearer| {
        let (delay_min, delay_mean) = (Duration::from_millis(20), Duration::from_millis(60));
        (bearer, Weather { loss_permille: 0, delay_min, delay_mean, ..Weather::typical(bearer) })
    };
    BTreeMap::from([fast(Bearer::Beidou), fast(Bearer::Radio370)])
}

fn config_text(setup: &Setup, port: &Path, radios: &Radios) -> String {
    let [rrs, lp, tmp] = HyteraModem::SERVICES.map(|service| radios.port_of(service).unwrap());
    let bind = [rrs, lp, tmp].map(|port| SocketAddr::from(([127, 0, 0, 1], port)).to_string());
    let Setup { clock, dialect, more, .. } = setup;
    format!(
        r#"[station]
number = 1
clock = "{clock}"

[journal]
path = "data/journal.db"

[api]
listen = "127.0.0.1:0"

[[link]]
name = "{BEIDOU}"
device = "beidou"
serial = {{ port = {port:?} }}
profile = {{ dialect = "{dialect}" }}

[[link]]
name = "{RADIO}"
device = "hytera"
udp = {{ bind = {bind:?}, peers = ["127.0.0.0/8"] }}
profile = {{ subnet = 127, base_radio = {BASE_RADIO}, port_rrs = {rrs}, port_lp = {lp}, port_tmp = {tmp}, pace_ms = 200 }}

{more}
"#
    )
}
