//! The demo: the real daemon as a child, simulated terminals around it, and a story in which everything goes wrong that
//! Yizhan is for.
//!
//! What it is: a rehearsal that anybody can watch. What it is not: a test of all weathers (drills are that); but every
//! promise that it shows is counted, and one that is broken makes it end with an error.

mod director;
pub mod idle;
mod ledger;
mod scene;
mod screen;
mod story;
mod teller;

pub use screen::Style;

use crate::live::{ApiError, Interrupts, PortError, StationError, Stopwatch};
use crate::seed::Seed;
use director::Director;
use scene::Scene;
use screen::Screen;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use thiserror::Error;

/// How the demo is played.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The curtain falls at this time, whatever is being played.
    pub at_most: Duration,
    pub style: Style,
    /// Where journal, config and logs are kept; otherwise they go with the demo.
    pub keep: Option<PathBuf>,
    pub seed: u64,
}

/// Why the demo could not be played.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DemoError {
    #[error("the scene could not be set: {0}")]
    Setting(io::Error),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    Station(#[from] StationError),
    #[error("the station's API: {0}")]
    Api(#[from] ApiError),
    #[error("the screen failed: {0}")]
    Screen(#[from] io::Error),
    #[error("interrupted")]
    Interrupted,
    #[error("the story does not fit the scene: {0}")]
    Story(&'static str),
}

/// Plays the demo on `out`. `daemon` gives the real daemon, ready to be told `run --config FILE`. Gives whether every
/// promise was kept.
///
/// # Errors
/// [`DemoError`] when it could not be played.
pub fn play(settings: &Settings, daemon: &dyn Fn() -> Command, out: &mut dyn Write) -> Result<bool, DemoError> {
    let interrupts = Interrupts::take().map_err(DemoError::Setting)?;
    let watch = Stopwatch::start();
    let temporary = tempfile::tempdir().map_err(DemoError::Setting)?;
    let folder: &Path = settings.keep.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(folder).map_err(DemoError::Setting)?;
    let folder = folder.canonicalize().map_err(DemoError::Setting)?;
    let (scene, told) = Scene::set(&folder, &Seed::new(settings.seed))?;
    let screen = Screen::new(out, settings.style, watch);
    let mut director = Director::new(scene, told, daemon, screen, watch, settings.at_most)?;
    director.heed(interrupts)?;
    story::play(&mut director)?;
    director.summary()
}
