//! Two stations: the real daemon twice, a simulated Beidou card or mesh radio each, or both, and an air that loses what it
//! likes between them.
//!
//! A person at the outpost types keypad lines on a plain handheld (over Beidou); the county sends a long order through loss
//! while each station is killed in the middle; a person answers. What was promised is looked at from outside, and a promise
//! that is broken makes it end with an error.

mod scene;
mod story;
mod ways;

use crate::live::{ApiError, PortError, StationError};
use clap::ValueEnum;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use thiserror::Error;

/// What is between the stations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Over {
    #[default]
    #[value(help = "各接一张模拟北斗卡")]
    Beidou,
    #[value(help = "各经一个 UDP 端口接一部模拟 IP 自组网电台：丢失之外还有重复、乱序")]
    Udp,
    #[value(help = "两样都有：自组网中途全断，改走北斗")]
    Both,
}

/// How it is played.
#[derive(Clone, Debug)]
pub struct Settings {
    pub over: Over,
    /// 服务频度 of both cards; over IP the least time between two frames.
    pub period: Duration,
    /// Transmissions of 1000 that the air loses while the order is on its way.
    pub loss_permille: u32,
    /// Characters of the order, up to 1,000.
    pub characters: usize,
    pub at_most: Duration,
    pub seed: u64,
    /// Where journals, configs, keys and logs are kept; otherwise they go with it.
    pub keep: Option<PathBuf>,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Transmissions of the county and of the outpost.
    pub sent: [u64; 2],
    /// Those of them that went over IP.
    pub over_ip: [u64; 2],
    /// Those that the air lost.
    pub lost: u64,
    /// Those that the air brought once more.
    pub doubled: u64,
    /// Those that came after one that was sent later.
    pub overtaken: u64,
    /// Send orders that came before a slot was free. None may.
    pub too_early: u64,
    pub restarts: u32,
    /// Promises that were not kept, in words.
    pub broken: Vec<String>,
}

/// Why it could not be played.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PairError {
    #[error("the scene could not be set: {0}")]
    Setting(#[from] io::Error),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    Station(#[from] StationError),
    #[error("the station's API: {0}")]
    Api(#[from] ApiError),
    #[error("{0} ended with an error: {1}")]
    Command(String, String),
}

/// Plays it on `out`. `daemon` gives the real daemon, ready for its own arguments.
///
/// # Errors
/// [`PairError`] when it could not be played.
pub fn play(settings: &Settings, daemon: &dyn Fn() -> Command, out: &mut dyn Write) -> Result<Outcome, PairError> {
    let temporary = tempfile::tempdir()?;
    let folder: &Path = settings.keep.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(folder)?;
    let folder = folder.canonicalize()?;
    let scene = scene::Scene::set(&folder, settings, daemon)?;
    story::Story::begin(scene, settings, out)?.tell()
}
