//! Streams over a network: the station calls a terminal, or a terminal calls the station.

use super::pace::Pace;
use super::serial;
use super::{End, Line, Transmission};
use crate::config::{PeerRule, Tcp, TcpWay};
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::mpsc;
use yizhan_codecs::message::Peer;
use yizhan_engine::io::{LinkTrouble, TransmitTrouble};

/// A far side that does not answer for this long is not there.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// A far side that vanished without a word is found out by asking: first after so long a silence, then so often, so
/// far apart.
const KEEP_IDLE: Duration = Duration::from_secs(30);
const KEEP_EVERY: Duration = Duration::from_secs(10);
const KEEP_TIMES: u32 = 3;

/// After a failed `accept`: long enough not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A far side, and where it is.
pub(super) struct Stream {
    stream: TcpStream,
    listener: Option<TcpListener>,
}

/// A port that is open, and may have nobody on it yet.
pub(super) enum Opened {
    Called(TcpStream),
    Listening(TcpListener),
}

impl Opened {
    /// Where it listens: what port 0 in the config became.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Called(_) => None,
            Self::Listening(listener) => listener.local_addr().ok(),
        }
    }
}

/// Calls the terminal, or listens for it.
pub(super) async fn open(tcp: &Tcp) -> Result<Opened, LinkTrouble> {
    match tcp.way() {
        Some(TcpWay::Connect(address)) => call(address).await.map(Opened::Called),
        Some(TcpWay::Listen(address)) => listen(address).await.map(Opened::Listening),
        None => Err(LinkTrouble::Failed),
    }
}

async fn call(address: &str) -> Result<TcpStream, LinkTrouble> {
    let connected = tokio::time::timeout(CONNECT_WITHIN, async {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in lookup_host(address).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    });
    let stream = connected.await.map_err(|_| LinkTrouble::Unplugged)?.map_err(|error| {
        tracing::debug!(address, %error, "terminal did not answer the call");
        match error.kind() {
            io::ErrorKind::PermissionDenied => LinkTrouble::Denied,
            // Off, out of reach, or not listening: for an operator all the same as a cable that is not plugged in.
            _ => LinkTrouble::Unplugged,
        }
    })?;
    tune(&stream);
    Ok(stream)
}

async fn listen(address: SocketAddr) -> Result<TcpListener, LinkTrouble> {
    TcpListener::bind(address).await.map_err(|error| {
        tracing::debug!(%address, %error, "TCP port did not open");
        match error.kind() {
            io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable => LinkTrouble::AddressInUse,
            io::ErrorKind::PermissionDenied => LinkTrouble::Denied,
            _ => LinkTrouble::Failed,
        }
    })
}

/// Frames leave at once, and a dead far side is noticed. A system that refuses either is no reason not to speak.
fn tune(stream: &TcpStream) {
    let keep = TcpKeepalive::new().with_time(KEEP_IDLE).with_interval(KEEP_EVERY).with_retries(KEEP_TIMES);
    let kept = stream.set_nodelay(true).and_then(|()| SockRef::from(stream).set_tcp_keepalive(&keep));
    if let Err(error) = kept {
        tracing::debug!(%error, "TCP stream not tuned");
    }
}

/// Waits for the far side. What should be sent meanwhile is refused, as on any port without a terminal.
pub(super) async fn taken(
    opened: Opened,
    tcp: &Tcp,
    line: &Line,
    queue: &mut mpsc::Receiver<Transmission>,
) -> Result<Stream, End> {
    let listener = match opened {
        Opened::Called(stream) => return Ok(Stream { stream, listener: None }),
        Opened::Listening(listener) => listener,
    };
    let mut strangers = 0_u64;
    loop {
        let accepted = tokio::select! {
            biased;
            () = line.stop.cancelled() => return Err(End::Stopped),
            transmission = queue.recv() => {
                let Some(transmission) = transmission else { return Err(End::Stopped) };
                line.failed(transmission.id, TransmitTrouble::NotWritten).await;
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) if admits(&tcp.peers, from) => {
                tune(&stream);
                return Ok(Stream { stream, listener: Some(listener) });
            }
            Ok((_, from)) => {
                strangers = strangers.saturating_add(1);
                tell_stranger(line, from, strangers);
            }
            Err(error) => {
                tracing::debug!(link = %line.id, %error, "TCP accept failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn admits(peers: &[PeerRule], from: SocketAddr) -> bool {
    peers.iter().any(|rule| rule.admits(Peer(from)))
}

/// At 1, 2, 4, 8, …: a stranger who calls for ever must not flood the log.
fn tell_stranger(line: &Line, from: SocketAddr, count: u64) {
    if count.is_power_of_two() {
        tracing::warn!(link = %line.id, %from, count, "未登记来源要求连接，已拒绝：如属本网，请加入 peers");
    }
}

/// Reads and writes the stream until it is lost or the station stops. While it lasts, nobody else is let in.
pub(super) async fn serve(
    Stream { stream, listener }: Stream,
    line: &Line,
    queue: &mut mpsc::Receiver<Transmission>,
) -> End {
    let others = async {
        let Some(listener) = &listener else { return std::future::pending::<End>().await };
        let mut count = 0_u64;
        loop {
            match listener.accept().await {
                Ok((_, from)) => {
                    count = count.saturating_add(1);
                    if count.is_power_of_two() {
                        tracing::warn!(link = %line.id, %from, count, "已有一台终端连接，后来者拒绝");
                    }
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    };
    tokio::select! {
        end = serial::serve(stream, Pace::none(), line, queue) => end,
        end = others => end,
    }
}
