//! A terminal that is a server on the local network, as mesh boards and gateways are.
//!
//! One host at a time: whoever comes later takes the place of the one before, as on real boards.

use super::pty::Reading;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

/// A listening port and the host that came, if one did.
#[derive(Debug)]
pub struct Server {
    at: SocketAddr,
    listener: Option<TcpListener>,
    host: Option<TcpStream>,
}

impl Server {
    /// A server on a free loopback port. Its address stays the same however often it is unplugged.
    ///
    /// # Errors
    /// When no port is free.
    pub fn anywhere() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let at = listener.local_addr()?;
        let mut server = Self { at, listener: Some(listener), host: None };
        server.plug()?;
        Ok(server)
    }

    /// A server at an address that somebody chose, not listening yet.
    #[must_use]
    pub const fn at(at: SocketAddr) -> Self {
        Self { at, listener: None, host: None }
    }

    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.at
    }

    /// Whether a host is there to write to.
    #[must_use]
    pub const fn has_host(&self) -> bool {
        self.host.is_some()
    }

    /// Listens; whoever was connected is let go.
    ///
    /// # Errors
    /// When the port is in use.
    pub fn plug(&mut self) -> io::Result<()> {
        self.host = None;
        let listener = self.listener.take().map_or_else(|| TcpListener::bind(self.at), Ok)?;
        listener.set_nonblocking(true)?;
        self.listener = Some(listener);
        Ok(())
    }

    /// Closes the port and whoever is connected.
    pub fn unplug(&mut self) {
        self.host = None;
        self.listener = None;
    }

    /// The descriptors to wait on.
    pub fn waits_on(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.listener.iter().map(AsFd::as_fd).chain(self.host.iter().map(AsFd::as_fd))
    }

    /// Reads what the host wrote, without waiting.
    ///
    /// # Errors
    /// When the listening port itself fails.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Reading> {
        loop {
            if let Some(host) = &mut self.host {
                match host.read(buffer) {
                    Ok(length) if length > 0 => return Ok(Reading::Bytes(length)),
                    Err(error) if waits(&error) => {}
                    // Closed, or reset by a host that was killed.
                    Ok(_) | Err(_) => {
                        self.host = None;
                        return Ok(Reading::HostLeft);
                    }
                }
            }
            let Some(listener) = &self.listener else { return Ok(Reading::Quiet) };
            let host = match listener.accept() {
                Ok((host, _)) => host,
                Err(error) if waits(&error) => return Ok(Reading::Quiet),
                // A host that was gone before it was taken up is nobody.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            host.set_nonblocking(true)?;
            // Small pieces leave as they are, so that the host sees them cut.
            host.set_nodelay(true)?;
            if self.host.replace(host).is_some() {
                return Ok(Reading::HostLeft);
            }
        }
    }

    /// Writes towards the host as far as it goes without waiting; gives the number of bytes taken.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        let Some(host) = &mut self.host else { return bytes.len() };
        match host.write(bytes) {
            Ok(taken) => taken,
            Err(error) if waits(&error) => 0,
            // The host has just gone; the next read says so.
            Err(_) => bytes.len(),
        }
    }
}

fn waits(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    fn next(server: &mut Server, buffer: &mut [u8]) -> Reading {
        loop {
            match server.read(buffer).unwrap() {
                Reading::Quiet => {
                    let mut waits: Vec<_> = server.waits_on().map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
                    assert!(poll(&mut waits, PollTimeout::from(20_000_u16)).unwrap() > 0, "it happens in time");
                }
                other => return other,
            }
        }
    }

    #[test]
    fn a_later_host_takes_the_place_of_the_one_before() {
        let mut server = Server::anywhere().unwrap();
        let mut buffer = [0; 16];
        let mut first = TcpStream::connect(server.address()).unwrap();
        first.write_all(b"one").unwrap();
        assert_eq!(next(&mut server, &mut buffer), Reading::Bytes(3));
        let mut second = TcpStream::connect(server.address()).unwrap();
        assert_eq!(next(&mut server, &mut buffer), Reading::HostLeft);
        assert_eq!(first.read(&mut buffer).unwrap(), 0, "the first one is told by the end of its stream");
        second.write_all(b"second").unwrap();
        assert_eq!(next(&mut server, &mut buffer), Reading::Bytes(6));
        assert_eq!(server.write(b"back"), 4);
        let mut back = [0; 4];
        second.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"back");
    }

    #[test]
    fn what_a_host_wrote_before_it_left_is_heard() {
        let mut server = Server::anywhere().unwrap();
        let mut buffer = [0; 16];
        let mut host = TcpStream::connect(server.address()).unwrap();
        host.write_all(b"last words").unwrap();
        drop(host);
        assert_eq!(next(&mut server, &mut buffer), Reading::Bytes(10));
        assert_eq!(next(&mut server, &mut buffer), Reading::HostLeft);
        assert!(!server.has_host());
    }

    #[test]
    fn an_unplugged_server_lets_its_host_go_and_comes_back_under_its_address() {
        let mut server = Server::anywhere().unwrap();
        let mut host = TcpStream::connect(server.address()).unwrap();
        host.write_all(b"x").unwrap();
        let mut buffer = [0; 16];
        assert_eq!(next(&mut server, &mut buffer), Reading::Bytes(1));
        server.unplug();
        assert_eq!(host.read(&mut buffer).unwrap(), 0);
        assert!(TcpStream::connect(server.address()).is_err());
        server.plug().unwrap();
        assert!(TcpStream::connect(server.address()).is_ok());
    }
}
