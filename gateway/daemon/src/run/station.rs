//! The one task that owns the engine: feeds it, drains it, does what it says.

use super::capture::{Capture, Piece};
use super::clock::Clock;
use super::metrics::{Counter, Metrics};
use super::told::DayLog;
use crate::link::{Link, Transmission};
use crate::storage::{SavedSnapshot, Synced, Writer};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use yizhan_codecs::message::LinkId;
use yizhan_engine::Engine;
use yizhan_engine::io::{Input, Offset, Output, Reply, Request, Ticket, TransmitTrouble};
use yizhan_engine::time::Now;

/// Requests that may wait for the engine.
const ASKS_MAX: usize = 256;

/// How often the host's clock is looked at while nothing else happens.
const CLOCK_LOOK: Duration = Duration::from_secs(60);

/// How long a stop waits for ports and disk.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Talks to the engine between inputs.
#[derive(Clone, Debug)]
pub struct Station {
    asks: mpsc::Sender<Ask>,
}

/// The station has stopped.
#[derive(Clone, Copy, Debug, Error)]
#[error("the station has stopped")]
pub struct Stopped;

type Look = Box<dyn FnOnce(&Engine, Now) + Send>;

enum Ask {
    Submit { request: Request, reply: oneshot::Sender<Reply> },
    Look(Look),
}

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Submit { .. } => "Submit",
            Self::Look(_) => "Look",
        })
    }
}

impl Station {
    /// Hands a request to the engine; the answer comes when what it promises is stored.
    ///
    /// # Errors
    /// [`Stopped`]
    pub async fn submit(&self, request: Request) -> Result<Reply, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(Ask::Submit { request, reply }).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    /// Looks at the engine between two inputs.
    ///
    /// # Errors
    /// [`Stopped`]
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Engine, Now) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (seen, answer) = oneshot::channel();
        let look: Look = Box::new(move |engine, now| {
            let _ = seen.send(look(engine, now));
        });
        self.asks.send(Ask::Look(look)).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }
}

/// Everything the station's task owns.
#[derive(Debug)]
pub(super) struct Hands {
    pub engine: Engine,
    pub clock: Clock,
    pub inputs: mpsc::Receiver<Input>,
    pub links: BTreeMap<LinkId, Link>,
    pub writer: Writer,
    pub synced: watch::Receiver<Synced>,
    pub metrics: Arc<Metrics>,
    pub capture: Option<Capture>,
    pub snapshot_every: u64,
}

#[derive(Debug)]
struct Loop {
    hands: Hands,
    asks: mpsc::Receiver<Ask>,
    waiting: BTreeMap<Ticket, oneshot::Sender<Reply>>,
    ticket_last: u64,
    wake: Option<tokio::time::Instant>,
    /// Inputs that come from doing outputs.
    owed: VecDeque<Input>,
    /// The last record given to the writer.
    given: Offset,
    /// What the engine was last told of the disk.
    told: Synced,
    snapshot_at: Offset,
    day_log: DayLog,
    stopping: bool,
}

/// Starts the station's task. It ends after `stop`, when ports and disk are done.
pub(super) fn start(hands: Hands, stop: CancellationToken) -> (Station, tokio::task::JoinHandle<()>) {
    let (sender, asks) = mpsc::channel(ASKS_MAX);
    let told = *hands.synced.borrow();
    let station = Loop {
        asks,
        waiting: BTreeMap::new(),
        ticket_last: 0,
        wake: None,
        owed: VecDeque::new(),
        given: told.through,
        told,
        snapshot_at: told.through,
        day_log: DayLog::default(),
        stopping: false,
        hands,
    };
    (Station { asks: sender }, tokio::spawn(station.run(stop)))
}

impl Loop {
    async fn run(mut self, stop: CancellationToken) {
        self.drain().await;
        while let Some(input) = self.owed.pop_front() {
            self.feed(input).await;
        }
        let mut clock_look = tokio::time::interval(CLOCK_LOOK);
        let mut links_done = false;
        while !stop.is_cancelled() {
            let wake = self.wake;
            let timer = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                changed = self.hands.synced.changed(), if self.told.failed.is_none() => self.on_synced(changed.is_ok()).await,
                () = stop.cancelled() => {}
                () = timer => {
                    self.wake = None;
                    self.feed(Input::Wake).await;
                }
                ask = self.asks.recv() => if let Some(ask) = ask { self.on_ask(ask).await },
                input = self.hands.inputs.recv(), if !links_done => match input {
                    Some(input) => self.feed(input).await,
                    None => links_done = true,
                },
                _ = clock_look.tick() => self.feed(Input::Wake).await,
            }
        }
        if tokio::time::timeout(STOP_WITHIN, self.finish()).await.is_err() {
            tracing::warn!("停止超时：部分发送结果未及记录，重启后按结果不明处理");
        }
        self.hands.writer.close().await;
    }

    /// Takes what the ports still say, gives back what was not sent, and waits for the disk.
    async fn finish(&mut self) {
        self.stopping = true;
        self.asks.close();
        while let Some(input) = self.hands.inputs.recv().await {
            self.feed(input).await;
        }
        while self.told.failed.is_none() && self.told.through < self.given {
            let changed = self.hands.synced.changed().await;
            self.on_synced(changed.is_ok()).await;
        }
    }

    async fn on_synced(&mut self, writer_lives: bool) {
        let synced = *self.hands.synced.borrow_and_update();
        if synced.through > self.told.through {
            self.told.through = synced.through;
            self.feed(Input::Stored { through: synced.through }).await;
        }
        let failed = synced.failed.or((!writer_lives).then_some(yizhan_engine::io::StoreTrouble::Other));
        if let (Some(why), None) = (failed, self.told.failed) {
            self.told.failed = Some(why);
            self.feed(Input::StoreFailed { why }).await;
        }
    }

    async fn on_ask(&mut self, ask: Ask) {
        match ask {
            Ask::Look(look) => look(&self.hands.engine, self.hands.clock.now()),
            Ask::Submit { request, reply } => {
                self.ticket_last = self.ticket_last.wrapping_add(1);
                let ticket = Ticket(self.ticket_last);
                self.waiting.insert(ticket, reply);
                self.feed(Input::Submit { ticket, request }).await;
            }
        }
    }

    /// One input, and everything that follows from it.
    async fn feed(&mut self, input: Input) {
        let mut next = Some(input);
        while let Some(input) = next {
            let now = self.hands.clock.now();
            if let Input::Heard { link, from, bytes } = &input {
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                self.hands.metrics.add(Counter::BytesHeard, link.name(), length);
                self.tee(link, *from, true, now, bytes);
            }
            self.hands.engine.handle_input(now, input);
            self.drain().await;
            next = self.owed.pop_front();
        }
    }

    fn tee(
        &self,
        link: &LinkId,
        peer: Option<yizhan_codecs::message::Peer>,
        heard: bool,
        now: Now,
        bytes: &bytes::Bytes,
    ) {
        if let Some(capture) = &self.hands.capture {
            capture.take(Piece { link: link.clone(), peer, heard, at: now.wall, bytes: bytes.clone() });
        }
    }

    async fn drain(&mut self) {
        while let Some(output) = self.hands.engine.poll_output() {
            match output {
                Output::Store { records } => {
                    if let Some(last) = records.last() {
                        self.given = last.offset;
                    }
                    let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
                    self.hands.metrics.add(Counter::RecordsStored, "", count);
                    self.hands.writer.append(records).await;
                }
                Output::Transmit { link, to, id, bytes } => self.transmit(&link, Transmission { id, to, bytes }),
                Output::Reply { ticket, reply } => {
                    if let Some(waiting) = self.waiting.remove(&ticket) {
                        // Whoever asked may have gone; the record stays.
                        let _ = waiting.send(reply);
                    }
                }
                Output::Tell(event) => {
                    self.hands.metrics.event(&event);
                    let at = self.hands.clock.now().mono;
                    self.day_log.write(at, &event);
                }
                Output::WakeAt(at) => self.wake = Some(self.hands.clock.at(at)),
            }
        }
        self.snapshot();
    }

    fn transmit(&mut self, link: &LinkId, transmission: Transmission) {
        let (id, to, bytes) = (transmission.id, transmission.to, transmission.bytes.clone());
        let port = self.hands.links.get(link).filter(|_| !self.stopping);
        if port.is_some_and(|port| port.transmit(transmission).is_ok()) {
            let now = self.hands.clock.now();
            self.tee(link, to, false, now, &bytes);
            return;
        }
        self.hands.metrics.add(Counter::TransmitsRefused, link.name(), 1);
        self.owed.push_back(Input::TransmitFailed { id, why: TransmitTrouble::NotWritten });
    }

    /// A snapshot now and then; the writer commits it with or after the records that it covers.
    fn snapshot(&mut self) {
        let due = self.given.0.saturating_sub(self.snapshot_at.0) >= self.hands.snapshot_every;
        if due && self.told.failed.is_none() {
            let snapshot = self.hands.engine.snapshot();
            self.snapshot_at = self.given;
            self.hands.writer.save(SavedSnapshot { offset: snapshot.offset, body: snapshot.bytes.into() });
        }
    }
}
