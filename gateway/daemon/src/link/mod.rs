//! The station's ports: each link is supervised by its own task, reopened for ever, and never takes another with it.
//!
//! What it is: bytes in, bytes out, and the plain truth about what became of them. What it is not: anything that knows
//! frames, devices or messages.
//!
//! **Invariants**
//! - Every transmission taken from the queue is answered once: `Transmitted`, or `TransmitFailed` that tells "nothing
//!   was written" from "some may have been".
//! - A read of zero bytes is a device that is gone, never something to try again at once.
//! - Queues are bounded both ways. A link that the station does not listen to stops reading; it never drops bytes.

mod pace;
mod serial;
mod tcp;
mod udp;

use crate::config;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use yizhan_codecs::message::{LinkId, Peer};
use yizhan_engine::io::{Input, LinkTrouble, TransmitId, TransmitTrouble};

/// Transmissions that may wait for one port.
const QUEUE_MAX: usize = 256;

const BACKOFF_MIN: Duration = Duration::from_millis(500);
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// Bytes for a port.
#[derive(Clone, Debug)]
pub struct Transmission {
    pub id: TransmitId,
    pub to: Option<Peer>,
    pub bytes: Bytes,
}

/// The way to a supervised link. Its task drops its end of the inputs when it is over.
#[derive(Debug)]
pub struct Link {
    queue: mpsc::Sender<Transmission>,
}

/// How each port is, for a person's eyes: the hands' own knowledge, which the engine does not need.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<BTreeMap<LinkId, PortState>>>);

/// How a port is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortState {
    /// Where a datagram link listens: what port 0 in the config became. Empty for serial ports and while closed.
    pub bound: Vec<SocketAddr>,
    /// Why it is closed.
    pub trouble: Option<LinkTrouble>,
}

/// What the tasks of one link share.
#[derive(Clone, Debug)]
struct Line {
    id: LinkId,
    inputs: mpsc::Sender<Input>,
    stop: CancellationToken,
    board: Board,
}

/// Why a session with an open port ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Stopped,
    Lost(LinkTrouble),
}

impl Link {
    /// Starts the supervision of one link. It ends when `stop` is cancelled, after what it is writing is written.
    #[must_use]
    pub fn start(config: &config::Link, inputs: mpsc::Sender<Input>, stop: CancellationToken, board: Board) -> Self {
        let (queue, transmissions) = mpsc::channel(QUEUE_MAX);
        let line = Line { id: config.id(), inputs, stop, board };
        tokio::spawn(supervise(config.clone(), line, transmissions));
        Self { queue }
    }

    /// Queues bytes for the port.
    ///
    /// # Errors
    /// The transmission itself when the queue is full or the link has stopped; nothing of it was written.
    pub fn transmit(&self, transmission: Transmission) -> Result<(), Transmission> {
        self.queue.try_send(transmission).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(back) | mpsc::error::TrySendError::Closed(back) => back,
        })
    }
}

impl Board {
    /// How a link's port is now.
    #[must_use]
    pub fn of(&self, link: &LinkId) -> PortState {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(link).cloned().unwrap_or_default()
    }

    fn set(&self, link: &LinkId, state: PortState) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(link.clone(), state);
    }
}

impl Line {
    /// Tells the station; waits while it is busy. A station that is gone needs no telling.
    async fn tell(&self, input: Input) {
        let _ = self.inputs.send(input).await;
    }

    async fn failed(&self, id: TransmitId, why: TransmitTrouble) {
        self.tell(Input::TransmitFailed { id, why }).await;
    }
}

/// Opens the port, serves it, and begins again: for ever, with growing pauses.
async fn supervise(config: config::Link, line: Line, mut queue: mpsc::Receiver<Transmission>) {
    let mut backoff = BACKOFF_MIN;
    let mut told: Option<LinkTrouble> = None;
    loop {
        let end = session(&config, &line, &mut queue, &mut backoff, &mut told).await;
        let End::Lost(why) = end else { break };
        line.board.set(&line.id, PortState { bound: Vec::new(), trouble: Some(why) });
        // What was not written is told before the loss: after it, the engine must take a send for perhaps radiated.
        while let Ok(transmission) = queue.try_recv() {
            line.failed(transmission.id, TransmitTrouble::NotWritten).await;
        }
        if told != Some(why) {
            line.tell(Input::LinkDown { link: line.id.clone(), why }).await;
            told = Some(why);
        }
        if pause(&line, &mut queue, jittered(backoff)).await == End::Stopped {
            break;
        }
        backoff = backoff.saturating_mul(2).min(BACKOFF_MAX);
    }
    queue.close();
    while let Some(transmission) = queue.recv().await {
        line.failed(transmission.id, TransmitTrouble::NotWritten).await;
    }
    if told.is_none() {
        line.tell(Input::LinkDown { link: line.id.clone(), why: LinkTrouble::Stopped }).await;
    }
}

/// Up to a quarter more, so that many stations do not call one gateway at the same moment after a power cut.
fn jittered(wait: Duration) -> Duration {
    let mut chance = [0_u8; 1];
    let drawn = getrandom::fill(&mut chance).map_or(0, |()| u32::from(chance[0]));
    wait.saturating_add(wait.saturating_mul(drawn) / 1_024)
}

/// One life of a port, from opening to loss.
async fn session(
    config: &config::Link,
    line: &Line,
    queue: &mut mpsc::Receiver<Transmission>,
    backoff: &mut Duration,
    told: &mut Option<LinkTrouble>,
) -> End {
    if let Some(tcp) = &config.tcp {
        return stream_session(tcp, line, queue, backoff, told).await;
    }
    match (&config.serial, &config.udp) {
        (Some(serial), _) => match serial::open(serial) {
            Ok(port) => {
                opened(line, Vec::new(), backoff, told).await;
                serial::serve(port, pace::Pace::of(serial), line, queue).await
            }
            Err(why) => End::Lost(why),
        },
        (None, Some(udp)) => match udp::open(udp).await {
            Ok(sockets) => {
                opened(line, udp::addresses(&sockets), backoff, told).await;
                udp::serve(sockets, udp, line, queue).await
            }
            Err(why) => End::Lost(why),
        },
        (None, None) => End::Stopped,
    }
}

/// The port is open: what troubled it before is over.
async fn opened(line: &Line, bound: Vec<SocketAddr>, backoff: &mut Duration, told: &mut Option<LinkTrouble>) {
    line.board.set(&line.id, PortState { bound, trouble: None });
    (*backoff, *told) = (BACKOFF_MIN, None);
    line.tell(Input::LinkUp { link: line.id.clone() }).await;
}

/// One life of a TCP stream. A port that listens is up when somebody is on it.
async fn stream_session(
    tcp: &config::Tcp,
    line: &Line,
    queue: &mut mpsc::Receiver<Transmission>,
    backoff: &mut Duration,
    told: &mut Option<LinkTrouble>,
) -> End {
    let port = match tcp::open(tcp).await {
        Ok(port) => port,
        Err(why) => return End::Lost(why),
    };
    let bound = port.address().into_iter().collect::<Vec<_>>();
    let trouble = (!bound.is_empty()).then_some(LinkTrouble::Unplugged);
    line.board.set(&line.id, PortState { bound: bound.clone(), trouble });
    match tcp::taken(port, tcp, line, queue).await {
        Ok(stream) => {
            opened(line, bound, backoff, told).await;
            tcp::serve(stream, line, queue).await
        }
        Err(end) => end,
    }
}

/// Waits before the next try. Whatever should be sent meanwhile is refused at once, so that nobody waits for a port
/// that is not there.
async fn pause(line: &Line, queue: &mut mpsc::Receiver<Transmission>, wait: Duration) -> End {
    let deadline = tokio::time::Instant::now() + wait;
    loop {
        tokio::select! {
            () = line.stop.cancelled() => return End::Stopped,
            () = tokio::time::sleep_until(deadline) => return End::Lost(LinkTrouble::Failed),
            transmission = queue.recv() => match transmission {
                Some(transmission) => line.failed(transmission.id, TransmitTrouble::NotWritten).await,
                None => return End::Stopped,
            },
        }
    }
}

#[cfg(test)]
mod tests;
