//! The same terminals in real time, on real pseudo-terminals and UDP ports: what the real daemon is rehearsed against.
//!
//! One thread carries all of them, so that what happens has one order. It is the only place of this crate that looks at a
//! clock; the terminals do not know the difference.
//!
//! **Invariants**
//! - A terminal is told the time; it never asks.
//! - What happens is told as [`News`] in the order in which it happened, after it happened.

mod api;
mod cable;
mod port;
mod pty;
mod solo;
mod stage;
mod station;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;

pub use api::{Api, ApiError, Follower, Shown};
pub use port::{Port, PortError};
pub use solo::{SoloError, Wanted, run as solo};
pub use station::{Station, StationError};
pub use udp::{HOST, Radios, address_of};

use crate::air::Weather;
use crate::seed::Seed;
use crate::terminal::{Act, AirMessage, Tally, Terminal};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::SignalFd;
use stage::{Cue, Stage};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, PipeWriter, Write};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Duration;
use yizhan_codecs::message::{Bearer, TerminalId};

/// One terminal, where it is plugged in, and the name it goes by in a rehearsal.
#[derive(Debug)]
pub struct Player {
    pub name: &'static str,
    /// Its number on the air.
    pub id: TerminalId,
    pub terminal: Box<dyn Terminal>,
    pub port: Port,
}

/// Something that happened to a player, and when since the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    pub at: Duration,
    pub who: &'static str,
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The port is there for the host to open.
    Plugged,
    Unplugged,
    /// The host let go of the port: closed it, or died.
    HostLeft,
    /// The host wrote; as many bytes.
    HostWrote {
        bytes: usize,
    },
    /// A message left the antenna.
    Radiated(AirMessage),
    /// The air brought a message here.
    Arrived(AirMessage),
    /// The air lost a message on its way here.
    Lost(AirMessage),
    /// A person sees this on the screen.
    Shown {
        from: TerminalId,
        text: String,
    },
    /// The port itself failed; the player is unplugged now.
    PortFailed {
        why: String,
    },
}

/// Time since a beginning, for callers that may not look at a clock themselves.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[must_use]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Whether colour goes to standard output: only where somebody looks at it and has not asked for none.
#[must_use]
pub fn wants_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|unset| unset.is_empty())
}

/// Requests to stop (Ctrl-C, SIGTERM), told instead of ending the program where it stands, so that children and folders
/// are cleared away.
#[derive(Debug)]
pub struct Interrupts(SignalFd);

impl Interrupts {
    /// Takes them from now on. To be called before other threads are started. A [`Station`] is not affected.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn take() -> io::Result<Self> {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGINT);
        signals.add(Signal::SIGTERM);
        signals.thread_block()?;
        Ok(Self(SignalFd::new(&signals)?))
    }

    /// Calls `tell` at the first one.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn then(self, tell: impl FnOnce() + Send + 'static) -> io::Result<()> {
        std::thread::Builder::new().name("interrupts".into()).spawn(move || {
            if self.0.read_signal().is_ok() {
                tell();
            }
        })?;
        Ok(())
    }
}

/// Players on their ports, until it is dropped.
#[derive(Debug)]
pub struct Rehearsal {
    cues: Sender<Cue>,
    bell: PipeWriter,
    thread: Option<JoinHandle<()>>,
}

impl Rehearsal {
    /// Plugs everybody in and begins. Bearers without weather carry everything at once.
    ///
    /// # Errors
    /// When a port cannot be made.
    pub fn begin(
        seed: &Seed,
        weather: BTreeMap<Bearer, Weather>,
        players: Vec<Player>,
    ) -> Result<(Self, Receiver<News>), PortError> {
        let (cues, cued) = mpsc::channel();
        let (news, told) = mpsc::channel();
        let (door, bell) = io::pipe()?;
        let stage = Stage::set(seed, weather, players, door, cued, news)?;
        let thread = std::thread::Builder::new().name("rehearsal".into()).spawn(move || stage.play())?;
        Ok((Self { cues, bell, thread: Some(thread) }, told))
    }

    /// A person or fate does something to a terminal.
    pub fn act(&self, who: &'static str, act: Act) {
        self.cue(Cue::Act(who, act));
    }

    /// Plugs a terminal in again.
    pub fn plug(&self, who: &'static str) {
        self.cue(Cue::Plug(who));
    }

    /// Pulls a terminal's plug.
    pub fn unplug(&self, who: &'static str) {
        self.cue(Cue::Unplug(who));
    }

    /// Changes the weather of a bearer.
    pub fn weather(&self, bearer: Bearer, weather: Weather) {
        self.cue(Cue::Weather(bearer, weather));
    }

    /// What a terminal has counted so far; `None` when nobody of that name plays.
    #[must_use]
    pub fn tally(&self, who: &'static str) -> Option<Tally> {
        let (answer, answered) = mpsc::channel();
        self.cue(Cue::Tally(who, answer));
        answered.recv().ok()
    }

    fn cue(&self, cue: Cue) {
        // The stage stops only when this handle is dropped, so both ends are there.
        if self.cues.send(cue).is_ok() {
            let _full_means_rung_already = (&self.bell).write(&[1]);
        }
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        self.cue(Cue::Curtain);
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed by its own thread; a second one here would hide it.
            let _ended = thread.join();
        }
    }
}
