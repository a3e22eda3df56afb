//! Radios on the loopback network: each has an address of its own, `127.a.b.c` for the 24-bit number `a.b.c`, and the same
//! service ports as its host, as real ones have behind a base radio.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use yizhan_codecs::message::TerminalId;

/// The sockets of some radios, and where their host is.
#[derive(Debug)]
pub struct Radios {
    host: Ipv4Addr,
    addresses: Vec<SocketAddr>,
    sockets: BTreeMap<SocketAddr, UdpSocket>,
}

/// Three ports that are free on every address given, for registration, location and text.
///
/// They are free now; whoever binds them later may still find them taken.
///
/// # Errors
/// When no such ports are found.
pub fn free_ports<const N: usize>(addresses: &[Ipv4Addr]) -> io::Result<[u16; N]> {
    let mut found = [0; N];
    let mut held = Vec::new();
    for place in &mut found {
        *place = (0..64)
            .find_map(|_try| {
                let first = UdpSocket::bind((addresses.first().copied()?, 0)).ok()?;
                let port = first.local_addr().ok()?.port();
                let rest = addresses.iter().skip(1).map(|ip| UdpSocket::bind((*ip, port)));
                let rest = rest.collect::<io::Result<Vec<_>>>().ok()?;
                held.push((first, rest));
                Some(port)
            })
            .ok_or_else(|| io::Error::new(io::ErrorKind::AddrInUse, "no free ports on the loopback addresses"))?;
    }
    Ok(found)
}

/// The loopback address of a radio. The lowest numbers are taken by the host itself.
#[must_use]
pub fn address_of(radio: &TerminalId) -> Option<Ipv4Addr> {
    let [subnet, a, b, c] = radio.as_u32()?.to_be_bytes();
    (subnet == 0).then(|| Ipv4Addr::new(127, a, b, c))
}

impl Radios {
    /// Radios at these addresses, switched off; `host` is where their datagrams go, on the port they leave from.
    #[must_use]
    pub fn at(addresses: Vec<SocketAddr>, host: Ipv4Addr) -> Self {
        Self { host, addresses, sockets: BTreeMap::new() }
    }

    #[must_use]
    pub fn is_plugged(&self) -> bool {
        !self.sockets.is_empty()
    }

    /// Takes the addresses.
    ///
    /// # Errors
    /// When one of them is in use.
    pub fn plug(&mut self) -> io::Result<()> {
        for address in &self.addresses {
            let socket = UdpSocket::bind(address)?;
            socket.set_nonblocking(true)?;
            self.sockets.insert(*address, socket);
        }
        Ok(())
    }

    /// Lets the addresses go; what is sent there is lost, as on a network without power.
    pub fn unplug(&mut self) {
        self.sockets.clear();
    }

    /// The descriptors to wait on.
    pub fn waits_on(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.sockets.values().map(AsFd::as_fd)
    }

    /// One datagram and the radio's address it was sent to; `None` when there is nothing more for now.
    pub fn read(&mut self, buffer: &mut [u8]) -> Option<(SocketAddr, usize)> {
        // An error is the echo of a datagram that nobody took: the host is not there, and the radio does not know.
        self.sockets.iter().find_map(|(at, socket)| {
            std::iter::from_fn(|| match socket.recv_from(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
                other => Some(other),
            })
            .take(16)
            .flatten()
            .map(|(length, _host)| (*at, length))
            .next()
        })
    }

    /// Sends one datagram from a radio's address to the host's port of the same number. Gives whether it left.
    pub fn write(&mut self, from: SocketAddr, bytes: &[u8]) -> bool {
        let to = SocketAddr::new(IpAddr::V4(self.host), from.port());
        self.sockets.get(&from).is_some_and(|socket| socket.send_to(bytes, to).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use yizhan_codecs::message::Bearer;

    #[test]
    fn a_datagram_passes_between_the_host_and_each_radio_on_the_same_port() {
        let host = Ipv4Addr::LOCALHOST;
        let radios = [103_001, 103_002].map(|id| address_of(&TerminalId::from_number(Bearer::Radio370, id)).unwrap());
        let [port] = free_ports::<1>(&[host, radios[0], radios[1]]).unwrap();
        let addresses = radios.map(|ip| SocketAddr::from((ip, port)));
        let mut plugged = Radios::at(addresses.to_vec(), host);
        plugged.plug().unwrap();
        let station = UdpSocket::bind((host, port)).unwrap();
        station.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        for at in addresses {
            station.send_to(b"text", at).unwrap();
            let mut buffer = [0; 64];
            assert_eq!(plugged.read(&mut buffer), Some((at, 4)), "loopback delivers at once");
            assert_eq!(plugged.read(&mut buffer), None);
            assert!(plugged.write(at, b"ack"));
            assert_eq!(station.recv_from(&mut buffer).unwrap(), (3, at));
        }
        plugged.unplug();
        assert!(!plugged.write(addresses[0], b"gone"));
    }

    #[test]
    fn a_number_of_more_than_24_bits_has_no_address() {
        assert_eq!(address_of(&TerminalId::from_number(Bearer::Radio370, 0x0100_0000)), None);
        let high = address_of(&TerminalId::from_number(Bearer::Radio370, 0x00FF_FFFE));
        assert_eq!(high, Some(Ipv4Addr::new(127, 255, 255, 254)));
    }
}
