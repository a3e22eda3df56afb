//! Radios on the loopback network: each has an address of its own, `127.a.b.c` for the 24-bit number `a.b.c`, and the same
//! service ports as its host, as real ones have behind a base radio.
//!
//! The ports themselves are whichever are free, so that rehearsals do not disturb each other; the terminals go on speaking
//! of the ports they know.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use yizhan_codecs::message::TerminalId;

/// Where the host of the radios listens.
pub const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The sockets of some radios.
#[derive(Debug)]
pub struct Radios {
    addresses: Vec<Ipv4Addr>,
    /// The port a terminal speaks of, and the one that is used for it.
    services: BTreeMap<u16, u16>,
    /// By address and the port that the terminal speaks of.
    sockets: BTreeMap<SocketAddr, UdpSocket>,
    /// By address and the port that is used, from the choice of the ports until the radios are first switched on: who
    /// else looks for ports for the same radios must not find these.
    kept: BTreeMap<SocketAddr, UdpSocket>,
}

/// The address of a radio; `None` for a number of more than 24 bits.
#[must_use]
pub fn address_of(radio: &TerminalId) -> Option<Ipv4Addr> {
    let [subnet, a, b, c] = radio.as_u32()?.to_be_bytes();
    (subnet == 0).then(|| Ipv4Addr::new(127, a, b, c))
}

impl Radios {
    /// Radios at these addresses, switched off, with a free port for each service that they speak of.
    ///
    /// # Errors
    /// When no port is free on all the addresses and the host's.
    pub fn at(addresses: Vec<Ipv4Addr>, services: &[u16]) -> io::Result<Self> {
        let everybody: Vec<Ipv4Addr> = std::iter::once(HOST).chain(addresses.iter().copied()).collect();
        let (mut kept, mut used) = (BTreeMap::new(), BTreeMap::new());
        for service in services {
            let (port, sockets) = free_port(&everybody)?;
            used.insert(*service, port);
            kept.extend(sockets);
        }
        // The host's own are let go for the host.
        kept.retain(|address, _| address.ip() != IpAddr::V4(HOST));
        Ok(Self { kept, ..Self::on(addresses, used) })
    }

    /// As [`Radios::at`], on ports that somebody chose: by service, the port that is used for it.
    #[must_use]
    pub const fn on(addresses: Vec<Ipv4Addr>, services: BTreeMap<u16, u16>) -> Self {
        Self { addresses, services, sockets: BTreeMap::new(), kept: BTreeMap::new() }
    }

    /// The port used for a service: what the host's config has to say.
    #[must_use]
    pub fn port_of(&self, service: u16) -> Option<u16> {
        self.services.get(&service).copied()
    }

    /// Takes the addresses.
    ///
    /// # Errors
    /// When one of them is in use.
    pub fn plug(&mut self) -> io::Result<()> {
        for address in &self.addresses {
            for (service, port) in &self.services {
                let kept = self.kept.remove(&SocketAddr::from((*address, *port)));
                let socket = kept.map_or_else(|| UdpSocket::bind((*address, *port)), Ok)?;
                socket.set_nonblocking(true)?;
                self.sockets.insert(SocketAddr::new(IpAddr::V4(*address), *service), socket);
            }
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
        for (at, socket) in &self.sockets {
            // An error is nothing there, or the echo of a datagram that nobody took, which a radio does not notice.
            if let Ok((length, _host)) = socket.recv_from(buffer) {
                return Some((*at, length));
            }
        }
        None
    }

    /// Sends one datagram from a radio's address to its host. Gives whether it left.
    pub fn write(&mut self, from: SocketAddr, bytes: &[u8]) -> bool {
        let Some(port) = self.port_of(from.port()) else { return false };
        self.sockets.get(&from).is_some_and(|socket| socket.send_to(bytes, (HOST, port)).is_ok())
    }
}

/// A port that is free on all the addresses, and the sockets that keep it free for us until it is used.
fn free_port(addresses: &[Ipv4Addr]) -> io::Result<(u16, BTreeMap<SocketAddr, UdpSocket>)> {
    for _try in 0..64 {
        let Some((first, rest)) = addresses.split_first() else { break };
        let socket = UdpSocket::bind((*first, 0))?;
        let port = socket.local_addr()?.port();
        let bound =
            |address: &Ipv4Addr| UdpSocket::bind((*address, port)).map(|s| (SocketAddr::from((*address, port)), s));
        if let Ok(mut held) = rest.iter().map(bound).collect::<io::Result<BTreeMap<_, _>>>() {
            held.insert(SocketAddr::from((*first, port)), socket);
            return Ok((port, held));
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no port is free on all the loopback addresses"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use yizhan_codecs::message::Bearer;

    #[test]
    fn a_datagram_passes_between_the_host_and_each_radio_on_the_same_port() {
        let radios = [103_001, 103_002].map(|id| address_of(&TerminalId::from_number(Bearer::Radio370, id)).unwrap());
        let mut plugged = Radios::at(radios.to_vec(), &[3003, 3004]).unwrap();
        let port = plugged.port_of(3004).unwrap();
        assert_ne!(plugged.port_of(3003), Some(port));
        plugged.plug().unwrap();
        let station = UdpSocket::bind((HOST, port)).unwrap();
        station.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        for ip in radios {
            station.send_to(b"text", (ip, port)).unwrap();
            let mut buffer = [0; 64];
            let spoken_of = SocketAddr::from((ip, 3004));
            assert_eq!(plugged.read(&mut buffer), Some((spoken_of, 4)), "loopback delivers at once");
            assert_eq!(plugged.read(&mut buffer), None);
            assert!(plugged.write(spoken_of, b"ack"));
            assert_eq!(station.recv_from(&mut buffer).unwrap(), (3, SocketAddr::from((ip, port))));
        }
        plugged.unplug();
        assert!(!plugged.write(SocketAddr::from((radios[0], 3004)), b"gone"));
    }

    #[test]
    fn a_number_of_more_than_24_bits_has_no_address() {
        assert_eq!(address_of(&TerminalId::from_number(Bearer::Radio370, 0x0100_0000)), None);
        let high = address_of(&TerminalId::from_number(Bearer::Radio370, 0x00FF_FFFE));
        assert_eq!(high, Some(Ipv4Addr::new(127, 255, 255, 254)));
    }

    #[test]
    fn a_chosen_port_is_kept_for_the_radios_until_they_are_on_and_free_for_the_host() {
        let radio = address_of(&TerminalId::from_number(Bearer::Radio370, 104_001)).unwrap();
        let mut radios = Radios::at(vec![radio], &[3004]).unwrap();
        let port = radios.port_of(3004).unwrap();
        assert_eq!(UdpSocket::bind((radio, port)).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let _host = UdpSocket::bind((HOST, port)).unwrap();
        radios.plug().unwrap();
    }
}
