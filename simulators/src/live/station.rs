//! The real daemon as a child: started, asked, killed, and never left behind.

use super::api::Api;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use thiserror::Error;

/// How long a start or an orderly stop may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a child that says nothing is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A running station.
#[derive(Debug)]
pub struct Station {
    child: Child,
    notes: UnixDatagram,
    folder: PathBuf,
    journal: PathBuf,
}

/// Why a station did not start or stop.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StationError {
    #[error("{what}: {why}")]
    Io { what: &'static str, why: io::Error },
    #[error("the station ended with {status} before it was ready; its log ends:\n{log}")]
    Ended { status: ExitStatus, log: String },
    #[error("the station was not ready within {} s; its log ends:\n{log}", PATIENCE.as_secs())]
    Slow { log: String },
}

fn io_error(what: &'static str) -> impl Fn(io::Error) -> StationError {
    move |why| StationError::Io { what, why }
}

impl Station {
    /// Starts `program` (the daemon with its arguments) in `folder`, where `station.log` takes its log. `journal` is where
    /// its config puts the journal.
    ///
    /// # Errors
    /// When the program cannot be started. What it does then is [`Station::ready`]'s business.
    pub fn start(mut program: Command, folder: &Path, journal: &Path) -> Result<Self, StationError> {
        // Said by whoever ran here before.
        for left in ["notes", "api.addr"] {
            let _absent_the_first_time = fs::remove_file(folder.join(left));
        }
        let _absent_the_first_time = fs::remove_file(journal.with_file_name("api.addr"));
        let notes = UnixDatagram::bind(folder.join("notes")).map_err(io_error("listening for the station"))?;
        notes.set_read_timeout(Some(LOOK)).map_err(io_error("listening for the station"))?;
        // The station may run as another user.
        fs::set_permissions(folder.join("notes"), Permissions::from_mode(0o666))
            .map_err(io_error("listening for the station"))?;
        let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("station.log"));
        let log = log.map_err(io_error("opening station.log"))?;
        program.env("NOTIFY_SOCKET", folder.join("notes")).stdin(Stdio::null());
        program.stdout(log.try_clone().map_err(io_error("opening station.log"))?).stderr(log);
        // A child inherits what its parent does not want to be interrupted by; the station does want to be.
        let system = |errno: nix::Error| io_error("starting the station")(errno.into());
        let ours = SigSet::all().thread_swap_mask(SigmaskHow::SIG_UNBLOCK).map_err(system)?;
        let child = program.spawn();
        ours.thread_set_mask().map_err(system)?;
        let child = child.map_err(io_error("starting the station"))?;
        Ok(Self { child, notes, folder: folder.to_path_buf(), journal: journal.to_path_buf() })
    }

    /// Waits until the station says that it is ready (as it says to systemd), and finds its API.
    ///
    /// # Errors
    /// When it ends instead, or says nothing for a minute.
    pub fn ready(&mut self) -> Result<Api, StationError> {
        let deadline = Instant::now() + PATIENCE;
        let mut note = [0; 1_024];
        loop {
            if let Ok(length) = self.notes.recv(&mut note)
                && note.get(..length).unwrap_or_default().split(|byte| *byte == b'\n').any(|line| line == b"READY=1")
            {
                return self.api();
            }
            if let Some(status) = self.child.try_wait().map_err(io_error("looking at the station"))? {
                return Err(StationError::Ended { status, log: self.log_end() });
            }
            if Instant::now() > deadline {
                return Err(StationError::Slow { log: self.log_end() });
            }
        }
    }

    /// Where the API is and its token, as the station left them beside its journal.
    ///
    /// # Errors
    /// When it left nothing readable there.
    pub fn api(&self) -> Result<Api, StationError> {
        let read = |name| fs::read_to_string(self.journal.with_file_name(name)).map_err(io_error("reading api.addr"));
        let address = read("api.addr")?.trim().parse();
        let address = address.map_err(|_| io_error("reading api.addr")(io::ErrorKind::InvalidData.into()))?;
        Ok(Api { address, token: read("api.token")?.trim().to_owned() })
    }

    /// The child's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it where it stands: SIGKILL, nothing flushed, nothing said.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> Result<(), StationError> {
        self.child.kill().map_err(io_error("killing the station"))?;
        self.child.wait().map_err(io_error("killing the station"))?;
        Ok(())
    }

    /// Asks it to stop in order and waits for it.
    ///
    /// # Errors
    /// When it does not within a minute.
    pub fn stop(&mut self) -> Result<ExitStatus, StationError> {
        let id = i32::try_from(self.child.id()).map(nix::unistd::Pid::from_raw);
        if let Ok(id) = id {
            // Gone already is what we want.
            let _gone = kill(id, Signal::SIGTERM);
        }
        self.ended()
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When it does not within a minute.
    pub fn ended(&mut self) -> Result<ExitStatus, StationError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().map_err(io_error("waiting for the station"))? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                return Err(StationError::Slow { log: self.log_end() });
            }
            std::thread::sleep(LOOK);
        }
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log_end(&self) -> String {
        let log = fs::read_to_string(self.folder.join("station.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(30)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        // Whatever happened in between, the child does not outlive us. It may have ended already.
        let _ended_already = self.kill();
    }
}
