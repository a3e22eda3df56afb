use super::{End, Line, Transmission};
use crate::config::Udp;
use bytes::Bytes;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use yizhan_codecs::message::Peer;
use yizhan_engine::io::{Input, LinkTrouble, TransmitTrouble};

const DATAGRAM_MAX: usize = 65_535;

/// After a failed read: long enough not to spin, short enough to be there again.
const READ_PAUSE: Duration = Duration::from_millis(100);

/// Binds every local port, or none.
pub(super) async fn open(udp: &Udp) -> Result<Vec<Arc<UdpSocket>>, LinkTrouble> {
    let mut sockets = Vec::new();
    for address in &udp.bind {
        let socket = if udp.multicast.is_empty() { UdpSocket::bind(address).await } else { join(*address, udp) };
        let socket = socket.map_err(|error| {
            tracing::debug!(%address, %error, "datagram port did not open");
            match error.kind() {
                // No network has the interface's address yet: the cable may come.
                _ if error.raw_os_error() == Some(nix::libc::ENODEV) => LinkTrouble::Unplugged,
                io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable => LinkTrouble::AddressInUse,
                io::ErrorKind::PermissionDenied => LinkTrouble::Denied,
                _ => LinkTrouble::Failed,
            }
        })?;
        sockets.push(Arc::new(socket));
    }
    Ok(sockets)
}

/// A port that hears its groups and speaks to them in the named network. Other programs of this host may share it.
fn join(address: SocketAddr, udp: &Udp) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    // Else the kernel also hands over groups that another program of this host joined on the same port.
    socket.set_multicast_all_v4(false)?;
    let interface = udp.interface.unwrap_or(Ipv4Addr::UNSPECIFIED);
    for group in &udp.multicast {
        socket.join_multicast_v4(group, &interface)?;
    }
    socket.set_multicast_if_v4(&interface)?;
    socket.set_multicast_ttl_v4(udp.ttl.unwrap_or(1))?;
    socket.set_multicast_loop_v4(udp.loopback)?;
    UdpSocket::from_std(socket.into())
}

pub(super) fn addresses(sockets: &[Arc<UdpSocket>]) -> Vec<SocketAddr> {
    sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect()
}

/// Reads and writes open ports until the station stops.
pub(super) async fn serve(
    sockets: Vec<Arc<UdpSocket>>,
    udp: &Udp,
    line: &Line,
    queue: &mut mpsc::Receiver<Transmission>,
) -> End {
    let refused = Arc::new(AtomicU64::new(0));
    let mut readers = JoinSet::new();
    for socket in &sockets {
        readers.spawn(read_all(socket.clone(), udp.clone(), line.clone(), refused.clone()));
    }
    let mut unsent = 0_u64;
    loop {
        let next = tokio::select! {
            biased;
            () = line.stop.cancelled() => None,
            next = queue.recv() => next,
        };
        let Some(Transmission { id, to, bytes }) = next else { return End::Stopped };
        match send(&sockets, to, &bytes).await {
            Ok(()) => {
                unsent = 0;
                line.tell(Input::Transmitted { id }).await;
            }
            Err(error) => {
                // A datagram leaves whole or not at all.
                unsent = unsent.saturating_add(1);
                if unsent.is_power_of_two() {
                    tracing::warn!(link = %line.id, %error, unsent, "数据报未能发出：请检查网络与对方地址");
                }
                line.failed(id, TransmitTrouble::NotWritten).await;
            }
        }
    }
}

/// From the local port of the peer's family that has its number, as radios expect it of each other, else from the first.
async fn send(sockets: &[Arc<UdpSocket>], to: Option<Peer>, bytes: &[u8]) -> io::Result<()> {
    let Some(Peer(to)) = to else {
        return Err(io::Error::new(io::ErrorKind::NotConnected, "the terminal was not heard yet: no address"));
    };
    let nearest =
        sockets.iter().min_by_key(|socket| socket.local_addr().map_or((true, true), |local| apart(local, to)));
    let Some(socket) = nearest else { return Err(io::ErrorKind::NotConnected.into()) };
    socket.send_to(bytes, to).await.map(|_| ())
}

/// What is amiss with a local port for this peer; the least is best. A port of the other family may not reach it at all.
pub(super) fn apart(local: SocketAddr, to: SocketAddr) -> (bool, bool) {
    (local.is_ipv4() != to.is_ipv4(), local.port() != to.port())
}

async fn read_all(socket: Arc<UdpSocket>, udp: Udp, line: Line, refused: Arc<AtomicU64>) {
    let mut buffer = vec![0; DATAGRAM_MAX];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, from)) => {
                let peer = Peer(from);
                if !udp.any_peer && !udp.peers.iter().any(|rule| rule.admits(peer)) {
                    tell_refused(&line, from, refused.fetch_add(1, Ordering::Relaxed).saturating_add(1));
                    continue;
                }
                let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
                line.tell(Input::Heard { link: line.id.clone(), from: Some(peer), bytes }).await;
            }
            Err(error) => {
                tracing::debug!(link = %line.id, %error, "datagram read failed");
                tokio::time::sleep(READ_PAUSE).await;
            }
        }
    }
}

/// At 1, 2, 4, 8, …: a stranger who floods the port must not flood the log.
fn tell_refused(line: &Line, from: SocketAddr, count: u64) {
    if count.is_power_of_two() {
        tracing::warn!(link = %line.id, %from, count, "收到未登记来源的数据报，已丢弃：如属本网，请加入 peers");
    }
}
