//! A serial port that is not there: a pseudo-terminal behind a path that stays the same.
//!
//! The path is a symbolic link, as `/dev/serial/by-id/…` is: pulling the plug removes it and hangs up, plugging in
//! makes a new pseudo-terminal behind it.
//!
//! **Invariants**
//! - No slave is ever opened here. So the master hangs up exactly when the host lets go of the port, by closing it or by
//!   being killed, and what the host had written before is still read.
//! - A pseudo-terminal that was let go is never handed out again: it may stay locked to its dead holder (`TIOCEXCL`)
//!   for as long as its master lives, which a real serial port does not.

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// One serial port, plugged in or not.
#[derive(Debug)]
pub struct Pty {
    path: PathBuf,
    master: Option<PtyMaster>,
}

/// What reading the port gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    Bytes(usize),
    /// Nothing more for now.
    Quiet,
    /// The host let go of the port; a fresh one is behind the path already.
    HostLeft,
}

impl Pty {
    /// A port at `path`, not plugged in yet.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_path_buf(), master: None }
    }

    #[must_use]
    pub const fn is_plugged(&self) -> bool {
        self.master.is_some()
    }

    /// Puts a fresh pseudo-terminal behind the path; whoever held the one before is hung up.
    ///
    /// # Errors
    /// When the system has no pseudo-terminal to give, or the path cannot be written.
    pub fn plug(&mut self) -> io::Result<()> {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let mut settings = tcgetattr(&master)?;
        cfmakeraw(&mut settings);
        tcsetattr(&master, SetArg::TCSANOW, &settings)?;
        let device = ptsname_r(&master)?;
        // The daemon under test may run as another user than the drill.
        fs::set_permissions(&device, Permissions::from_mode(0o666))?;
        let fresh = self.path.with_extension("fresh");
        remove_if_there(&fresh)?;
        symlink(&device, &fresh)?;
        fs::rename(&fresh, &self.path)?;
        self.master = Some(master);
        Ok(())
    }

    /// Pulls the plug: the path is gone and the host is hung up.
    ///
    /// # Errors
    /// When the path cannot be removed.
    pub fn unplug(&mut self) -> io::Result<()> {
        remove_if_there(&self.path)?;
        self.master = None;
        Ok(())
    }

    /// The descriptor to wait on; `None` while unplugged.
    #[must_use]
    pub fn waits_on(&self) -> Option<BorrowedFd<'_>> {
        self.master.as_ref().map(AsFd::as_fd)
    }

    /// Reads what the host wrote, without waiting.
    ///
    /// # Errors
    /// When the port fails otherwise than by being let go, or no fresh one can be made.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Reading> {
        let Some(master) = self.master.as_mut() else { return Ok(Reading::Quiet) };
        match master.read(buffer) {
            Ok(0) => {}
            Ok(length) => return Ok(Reading::Bytes(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Reading::Quiet),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Reading::Quiet),
            Err(error) if error.raw_os_error() == Some(Errno::EIO as i32) => {}
            Err(error) => return Err(error),
        }
        self.plug()?;
        Ok(Reading::HostLeft)
    }

    /// Writes towards the host as far as it goes without waiting; gives the number of bytes taken. A host that does not
    /// read overruns, as on a real serial port.
    ///
    /// # Errors
    /// When the port fails.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(master) = self.master.as_mut() else { return Ok(0) };
        match master.write(bytes) {
            Ok(taken) => Ok(taken),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            // The host has just let go; the next read says so.
            Err(error) if error.raw_os_error() == Some(Errno::EIO as i32) => Ok(0),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // A path left behind would name somebody else's terminal later. There is nobody to tell if it fails.
        let _gone_or_not = fs::remove_file(&self.path);
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, OpenOptions};

    fn host(pty: &Pty) -> File {
        OpenOptions::new().read(true).write(true).open(&pty.path).unwrap()
    }

    fn read_all(pty: &mut Pty) -> (Vec<u8>, Reading) {
        let (mut heard, mut buffer) = (Vec::new(), [0; 64]);
        loop {
            match pty.read(&mut buffer).unwrap() {
                Reading::Bytes(length) => heard.extend_from_slice(&buffer[..length]),
                other => return (heard, other),
            }
        }
    }

    #[test]
    fn bytes_pass_unchanged_both_ways() {
        let folder = tempfile::tempdir().unwrap();
        let mut pty = Pty::at(&folder.path().join("beidou"));
        pty.plug().unwrap();
        let mut host = host(&pty);
        let every: Vec<u8> = (0..=255).collect();
        host.write_all(&every).unwrap();
        assert_eq!(read_all(&mut pty), (every.clone(), Reading::Quiet));
        assert_eq!(pty.write(&every).unwrap(), 256);
        let mut back = vec![0; 256];
        host.read_exact(&mut back).unwrap();
        assert_eq!(back, every);
    }

    #[test]
    fn what_the_host_wrote_before_it_died_is_heard_and_the_path_leads_to_a_fresh_port() {
        let folder = tempfile::tempdir().unwrap();
        let mut pty = Pty::at(&folder.path().join("beidou"));
        pty.plug().unwrap();
        let first = fs::read_link(&pty.path).unwrap();
        let mut killed = host(&pty);
        killed.write_all(b"$TXSQ").unwrap();
        drop(killed);
        assert_eq!(read_all(&mut pty), (b"$TXSQ".to_vec(), Reading::HostLeft));
        assert_eq!(read_all(&mut pty), (Vec::new(), Reading::Quiet));
        host(&pty).write_all(b"again").unwrap();
        assert_eq!(read_all(&mut pty).0, b"again");
        assert!(first.starts_with("/dev/pts"), "{first:?}");
    }

    #[test]
    fn an_unplugged_port_is_gone_and_hangs_up_its_host() {
        let folder = tempfile::tempdir().unwrap();
        let mut pty = Pty::at(&folder.path().join("beidou"));
        pty.plug().unwrap();
        let mut host = host(&pty);
        pty.unplug().unwrap();
        assert!(!pty.path.exists());
        assert_eq!(host.read(&mut [0; 8]).unwrap(), 0);
        pty.plug().unwrap();
        assert!(pty.path.exists());
        let path = pty.path.clone();
        drop(pty);
        assert!(fs::symlink_metadata(path).is_err());
    }
}
