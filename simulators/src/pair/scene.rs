//! Who plays and where: two cards, a handheld at the outpost, two stations with their configs, keys and rosters.

use super::{PairError, Settings};
use crate::air::Weather;
use crate::live::{Api, News, Player, Port, Rehearsal, Station};
use crate::seed::Seed;
use crate::terminal::beidou::{BeidouTerminal, Card, Dialect};
use crate::terminal::handset::{Habits, Handset};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use yizhan_codecs::message::{Bearer, TerminalId};

/// The two stations, by their place here and their names on the stage.
pub(super) const COUNTY: usize = 0;
pub(super) const OUTPOST: usize = 1;
pub(super) const NAMES: [&str; 2] = ["县指", "三合前指"];
pub(super) const HANDHELD: &str = "王芳";

const IDS: [&str; 2] = ["county", "sanhe"];
const NUMBERS: [u16; 2] = [1, 7];
const CARDS: [u32; 2] = [142_020, 142_021];
const HANDHELD_NUMBER: u32 = 242_407;
const NET: u32 = 5_308_417;

pub(super) struct Scene<'a> {
    pub rehearsal: Rehearsal,
    pub told: Receiver<News>,
    folder: PathBuf,
    daemon: &'a dyn Fn() -> Command,
}

fn beidou(number: u32) -> TerminalId {
    TerminalId::from_number(Bearer::Beidou, number)
}

impl<'a> Scene<'a> {
    /// Sets everything up in `folder`: keys by the station's own command, as a county would make them.
    pub fn set(folder: &Path, settings: &Settings, daemon: &'a dyn Fn() -> Command) -> Result<Self, PairError> {
        let seed = Seed::new(settings.seed);
        for at in [COUNTY, OUTPOST] {
            fs::create_dir_all(home(folder, at))?;
            fs::write(home(folder, at).join("gateway.toml"), config(folder, at))?;
        }
        let (net, outpost) = (home(folder, COUNTY).join("net.key"), home(folder, OUTPOST).join("net.key"));
        let (id, number) = (NET.to_string(), NUMBERS[OUTPOST].to_string());
        if !net.exists() {
            command(daemon, &["net", "new", "--id", &id, "--out", &net.to_string_lossy()])?;
            let key = net.to_string_lossy();
            command(
                daemon,
                &["net", "issue", "--key", &key, "--station", &number, "--out", &outpost.to_string_lossy()],
            )?;
        }
        let card = |at: usize| {
            let card = Card { number: CARDS[at], broadcast: 0, period: settings.period, level: 3, subordinates: 0 };
            let terminal = Box::new(BeidouTerminal::new(Dialect::Rdss40, card, &seed));
            let port = Port::serial(&folder.join(IDS[at]).join("beidou"), 115_200, &seed);
            Player { name: NAMES[at], id: beidou(CARDS[at]), terminal, port }
        };
        let habits = Habits { command_post: Some(beidou(CARDS[OUTPOST])), ..Habits::default() };
        let handset = Handset::new(beidou(HANDHELD_NUMBER), Vec::new(), settings.period, habits, &seed);
        let handset =
            Player { name: HANDHELD, id: beidou(HANDHELD_NUMBER), terminal: Box::new(handset), port: Port::None };
        let (rehearsal, told) =
            Rehearsal::begin(&seed, BTreeMap::from([weather(0)]), vec![card(COUNTY), card(OUTPOST), handset])?;
        Ok(Self { rehearsal, told, folder: folder.to_path_buf(), daemon })
    }

    /// Starts a station and waits until it is ready.
    pub fn start(&self, at: usize) -> Result<(Station, Api), PairError> {
        let home = home(&self.folder, at);
        let mut program = (self.daemon)();
        program.arg("run").arg("--config").arg(home.join("gateway.toml"));
        let mut station = Station::start(program, &home, &home.join("journal.db"))?;
        let api = station.ready()?;
        Ok((station, api))
    }

    /// What the station's own command line prints, asked as its operator would.
    pub fn ask(&self, at: usize, words: &[&str]) -> Result<String, PairError> {
        let mut program = (self.daemon)();
        let asked = program.args(words).arg("--data").arg(home(&self.folder, at)).output()?;
        let printed = if asked.status.success() { asked.stdout } else { asked.stderr };
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }

    /// What the air loses from now on.
    pub fn lose(&self, loss_permille: u32) {
        let (bearer, weather) = weather(loss_permille);
        self.rehearsal.weather(bearer, weather);
    }

    /// The card that a handheld at the outpost writes to.
    pub fn outpost_card() -> TerminalId {
        beidou(CARDS[OUTPOST])
    }
}

/// Both stations know each other and the person behind the outpost.
pub(super) fn roster() -> serde_json::Value {
    let station = |at: usize| {
        let terminals = [beidou(CARDS[at]).to_string()];
        json!({ "id": IDS[at], "name": NAMES[at], "number": NUMBERS[at], "terminals": terminals })
    };
    let terminals = [beidou(HANDHELD_NUMBER).to_string()];
    json!({
        "person": [{ "id": "wang-fang", "name": HANDHELD, "unit": "沿河村", "terminals": terminals }],
        "station": [station(COUNTY), station(OUTPOST)],
        "group": [], "relay": [],
    })
}

fn home(folder: &Path, at: usize) -> PathBuf {
    folder.join(IDS[at])
}

fn command(daemon: &dyn Fn() -> Command, words: &[&str]) -> Result<(), PairError> {
    let ended = daemon().args(words).output()?;
    let said = || String::from_utf8_lossy(&ended.stderr).into_owned();
    if ended.status.success() { Ok(()) } else { Err(PairError::Command(words.join(" "), said())) }
}

fn config(folder: &Path, at: usize) -> String {
    let port = home(folder, at).join("beidou");
    format!(
        r#"[station]
number = {}
name = "{}"
clock = "trust"

[journal]
path = "journal.db"

[api]
listen = "127.0.0.1:0"

[[net]]
id = {NET}
centre = {}
key = "net.key"

[[link]]
name = "bd"
device = "beidou"
serial = {{ port = {port:?}, baud = 115200 }}
profile = {{ dialect = "rdss40" }}
"#,
        NUMBERS[at], NAMES[at], NUMBERS[COUNTY]
    )
}

/// Quick, so that a minute of real cards is a few seconds here.
fn weather(loss_permille: u32) -> (Bearer, Weather) {
    let (delay_min, delay_mean) = (Duration::from_millis(100), Duration::from_millis(250));
    (Bearer::Beidou, Weather { loss_permille, delay_min, delay_mean, ..Weather::typical(Bearer::Beidou) })
}
