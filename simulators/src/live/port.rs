//! Where a terminal is plugged in.

use super::cable::Cable;
use super::pty::{Pty, Reading};
use super::udp::Radios;
use crate::seed::Seed;
use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;
use thiserror::Error;

/// A terminal's way to its host.
#[derive(Debug)]
pub enum Port {
    /// None: a handheld in somebody's hand.
    None,
    /// A serial port.
    Serial(Box<Serial>),
    /// UDP on the loopback network.
    Udp(Radios),
}

/// A pseudo-terminal and the cable to it.
#[derive(Debug)]
pub struct Serial {
    pty: Pty,
    cable: Cable,
}

/// Why a rehearsal could not begin.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PortError {
    #[error("the port could not be made: {0}")]
    Io(#[from] io::Error),
}

/// What the host did at a port.
pub(super) enum Heard {
    Bytes { to: Option<SocketAddr>, length: usize },
    HostLeft,
}

impl Port {
    /// A serial port that the host finds at `path`. `seed` decides how the cable glues and cuts.
    #[must_use]
    pub fn serial(path: &Path, baud: u32, seed: &Seed) -> Self {
        Self::Serial(Box::new(Serial { pty: Pty::at(path), cable: Cable::new(baud, seed.stream("cable")) }))
    }

    pub(super) fn plug(&mut self) -> io::Result<()> {
        match self {
            Self::None => Ok(()),
            Self::Serial(serial) => serial.pty.plug(),
            Self::Udp(radios) => radios.plug(),
        }
    }

    pub(super) fn unplug(&mut self) -> io::Result<()> {
        match self {
            Self::None => Ok(()),
            Self::Serial(serial) => {
                serial.cable.cut();
                serial.pty.unplug()
            }
            Self::Udp(radios) => {
                radios.unplug();
                Ok(())
            }
        }
    }

    pub(super) fn waits_on(&self) -> Vec<BorrowedFd<'_>> {
        match self {
            Self::None => Vec::new(),
            Self::Serial(serial) => serial.pty.waits_on().into_iter().collect(),
            Self::Udp(radios) => radios.waits_on().collect(),
        }
    }

    /// What the host did since the last call; `None` when nothing more.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<Heard>> {
        Ok(match self {
            Self::None => None,
            Self::Serial(serial) => match serial.pty.read(buffer)? {
                Reading::Bytes(length) => Some(Heard::Bytes { to: None, length }),
                Reading::Quiet => None,
                Reading::HostLeft => {
                    serial.cable.cut();
                    Some(Heard::HostLeft)
                }
            },
            Self::Udp(radios) => radios.read(buffer).map(|(to, length)| Heard::Bytes { to: Some(to), length }),
        })
    }

    /// The terminal writes. Gives how long until [`Port::go_on`] is wanted.
    pub(super) fn write(&mut self, from: Option<SocketAddr>, bytes: &[u8]) -> Option<Duration> {
        match self {
            Self::Serial(serial) if serial.pty.is_plugged() => serial.cable.write(bytes),
            Self::Udp(radios) => {
                // A datagram that does not leave is lost, as on any network.
                let _left_or_lost = from.is_some_and(|from| radios.write(from, bytes));
                None
            }
            _ => None,
        }
    }

    /// The next piece of what the terminal wrote goes over the cable. Gives how long until the one after it.
    pub(super) fn go_on(&mut self) -> io::Result<Option<Duration>> {
        let Self::Serial(serial) = self else { return Ok(None) };
        let (piece, next) = serial.cable.piece();
        if !piece.is_empty() {
            serial.pty.write(&piece)?;
        }
        Ok(next)
    }
}
