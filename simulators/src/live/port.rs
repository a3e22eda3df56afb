//! Where a terminal is plugged in.

use super::cable::Cable;
use super::pty::{Pty, Reading};
use super::tcp::Server;
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
    /// A TCP server on the loopback network.
    Tcp(Box<Tcp>),
}

/// A pseudo-terminal and the cable to it.
#[derive(Debug)]
pub struct Serial {
    pty: Pty,
    cable: Cable,
}

/// A TCP server and what a network makes of a stream: cut and glued anywhere, but not paced.
#[derive(Debug)]
pub struct Tcp {
    server: Server,
    cable: Cable,
    /// Cut already, and not yet taken by the system.
    untaken: Vec<u8>,
}

/// A host that does not read is asked again after this time.
const UNTAKEN: Duration = Duration::from_millis(10);

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

    /// A TCP server on a free loopback port, and where it is. `seed` decides how its stream is glued and cut.
    ///
    /// # Errors
    /// When no port is free.
    pub fn tcp(seed: &Seed) -> io::Result<(Self, SocketAddr)> {
        let server = Server::anywhere()?;
        let at = server.address();
        Ok((Self::served(server, seed), at))
    }

    /// A TCP server at an address that somebody chose.
    #[must_use]
    pub fn tcp_at(at: SocketAddr, seed: &Seed) -> Self {
        Self::served(Server::at(at), seed)
    }

    fn served(server: Server, seed: &Seed) -> Self {
        let cable = Cable::new(u32::MAX, seed.stream("cable"));
        Self::Tcp(Box::new(Tcp { server, cable, untaken: Vec::new() }))
    }

    pub(super) fn plug(&mut self) -> io::Result<()> {
        match self {
            Self::None => Ok(()),
            Self::Serial(serial) => serial.pty.plug(),
            Self::Udp(radios) => radios.plug(),
            Self::Tcp(tcp) => tcp.server.plug(),
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
            Self::Tcp(tcp) => {
                tcp.cut();
                tcp.server.unplug();
                Ok(())
            }
        }
    }

    pub(super) fn waits_on(&self) -> Vec<BorrowedFd<'_>> {
        match self {
            Self::None => Vec::new(),
            Self::Serial(serial) => serial.pty.waits_on().into_iter().collect(),
            Self::Udp(radios) => radios.waits_on().collect(),
            Self::Tcp(tcp) => tcp.server.waits_on().collect(),
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
            Self::Tcp(tcp) => match tcp.server.read(buffer)? {
                Reading::Bytes(length) => Some(Heard::Bytes { to: None, length }),
                Reading::Quiet => None,
                Reading::HostLeft => {
                    tcp.cut();
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
            Self::Tcp(tcp) if tcp.server.has_host() => tcp.cable.write(bytes),
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
        match self {
            Self::Serial(serial) => {
                let (piece, next) = serial.cable.piece();
                if !piece.is_empty() {
                    serial.pty.write(&piece)?;
                }
                Ok(next)
            }
            Self::Tcp(tcp) => Ok(tcp.go_on()),
            Self::None | Self::Udp(_) => Ok(None),
        }
    }
}

impl Tcp {
    /// What was on the way to a host is lost with it.
    fn cut(&mut self) {
        self.cable.cut();
        self.untaken.clear();
    }

    /// Unlike a serial line, a stream loses nothing while it lasts: a host that reads slowly is waited for.
    fn go_on(&mut self) -> Option<Duration> {
        let mut next = None;
        if self.untaken.is_empty() {
            (self.untaken, next) = self.cable.piece();
        }
        let taken = self.server.write(&self.untaken);
        self.untaken.drain(..taken.min(self.untaken.len()));
        if self.untaken.is_empty() { next.or_else(|| self.cable.rest()) } else { Some(UNTAKEN) }
    }
}
