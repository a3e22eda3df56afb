//! Who plays and where: two stations with their configs, keys and rosters, what each sends by, a handheld at the outpost.

use super::ways::{self, Way, other, weather};
use super::{Over, PairError, Settings};
use crate::live::{Api, News, Player, Port, Rehearsal, Station};
use crate::seed::Seed;
use crate::terminal::handset::{Habits, Handset};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::Receiver;
use yizhan_codecs::message::{Bearer, TerminalId};

/// The two stations, by their place here and their names on the stage.
pub(super) const COUNTY: usize = 0;
pub(super) const OUTPOST: usize = 1;
pub(super) const NAMES: [&str; 2] = ["县指", "三合前指"];
pub(super) const HANDHELD: &str = "王芳";

const IDS: [&str; 2] = ["county", "sanhe"];
const NUMBERS: [u16; 2] = [1, 7];
const HANDHELD_NUMBER: u32 = 242_407;
const NET: u32 = 5_308_417;

pub(super) struct Scene<'a> {
    pub rehearsal: Rehearsal,
    pub told: Receiver<News>,
    pub ways: Vec<Way>,
    over: Over,
    folder: PathBuf,
    daemon: &'a dyn Fn() -> Command,
}

fn handheld() -> TerminalId {
    TerminalId::from_number(Bearer::Beidou, HANDHELD_NUMBER)
}

impl<'a> Scene<'a> {
    /// Sets everything up in `folder`.
    pub fn set(folder: &Path, settings: &Settings, daemon: &'a dyn Fn() -> Command) -> Result<Self, PairError> {
        let (seed, over) = (Seed::new(settings.seed), settings.over);
        let (mut found, mut players) = (Vec::new(), Vec::new());
        for at in [COUNTY, OUTPOST] {
            fs::create_dir_all(home(folder, at))?;
            for (way, player) in ways::of(at, &home(folder, at), settings, &seed)? {
                found.push(way);
                players.push(player);
            }
            fs::write(home(folder, at).join("gateway.toml"), config(at, &found))?;
        }
        keys(folder, daemon)?;
        if over.has(Bearer::Beidou) {
            let habits = Habits { command_post: Some(ways::card_of(OUTPOST)), ..Habits::default() };
            let terminal = Box::new(Handset::new(handheld(), Vec::new(), settings.period, habits, &seed));
            players.push(Player { name: HANDHELD, id: handheld(), terminal, port: Port::None });
        }
        let clear = over.bearers().iter().map(|bearer| (*bearer, weather(*bearer, 0))).collect();
        let (rehearsal, told) = Rehearsal::begin(&seed, clear, players)?;
        Ok(Self { rehearsal, told, ways: found, over, folder: folder.to_path_buf(), daemon })
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
        for (bearer, loss_permille) in self.over.losses(loss_permille) {
            self.rehearsal.weather(bearer, weather(bearer, loss_permille));
        }
    }

    /// Both stations know each other, and the person behind the outpost if one can be reached.
    pub fn roster(&self) -> serde_json::Value {
        let station = |at: usize| {
            let leading = self.ways.iter().filter(|way| way.at == other(at));
            let terminals: Vec<String> = leading.map(|way| way.far.to_string()).collect();
            json!({ "id": IDS[at], "name": NAMES[at], "number": NUMBERS[at], "terminals": terminals })
        };
        let person = || {
            let terminals = [handheld().to_string()];
            json!({ "id": "wang-fang", "name": HANDHELD, "unit": "沿河村", "terminals": terminals })
        };
        let people: Vec<_> = self.over.has(Bearer::Beidou).then(person).into_iter().collect();
        json!({ "person": people, "station": [station(COUNTY), station(OUTPOST)], "group": [], "relay": [] })
    }
}

/// The county makes the keys by the station's own commands, as a real one would.
fn keys(folder: &Path, daemon: &dyn Fn() -> Command) -> Result<(), PairError> {
    let (net, outpost) = (home(folder, COUNTY).join("net.key"), home(folder, OUTPOST).join("net.key"));
    let (id, number) = (NET.to_string(), NUMBERS[OUTPOST].to_string());
    if net.exists() {
        return Ok(());
    }
    let (net, outpost) = (net.to_string_lossy(), outpost.to_string_lossy());
    command(daemon, &["net", "new", "--id", &id, "--out", &net])?;
    command(daemon, &["net", "issue", "--key", &net, "--station", &number, "--out", &outpost])
}

fn home(folder: &Path, at: usize) -> PathBuf {
    folder.join(IDS[at])
}

fn command(daemon: &dyn Fn() -> Command, words: &[&str]) -> Result<(), PairError> {
    let ended = daemon().args(words).output()?;
    let said = || String::from_utf8_lossy(&ended.stderr).into_owned();
    if ended.status.success() { Ok(()) } else { Err(PairError::Command(words.join(" "), said())) }
}

fn config(at: usize, ways: &[Way]) -> String {
    let links: Vec<&str> = ways.iter().filter(|way| way.at == at).map(|way| way.link.as_str()).collect();
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

{}"#,
        NUMBERS[at],
        NAMES[at],
        NUMBERS[COUNTY],
        links.join("\n")
    )
}
