//! Running the station: opening what the config names, in an order that never half-starts, and stopping in good order.
//!
//! **Invariants**
//! - The journal is opened, locked and folded before anything else happens; a station that cannot keep does not listen.
//! - A stop takes no more requests, closes the ports, notes what became of every send, syncs, and only then ends.

mod capture;
mod clock;
mod log;
mod metrics;
mod station;
mod told;

pub use metrics::{Metrics, escaped};
pub use station::{Station, Stopped};

use crate::api;
use crate::config::{Config, KeyError};
use crate::link::{Board, Link};
use crate::storage::{Journal, JournalError, Writer};
use clock::Clock;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use yizhan_engine::bus::{Snapshot, State};
use yizhan_engine::io::Offset;
use yizhan_engine::{Engine, RecoverError};

/// Chunks heard that may wait for the engine, over all links.
const INPUTS_MAX: usize = 1_024;

/// Why the station did not start or did not go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Recover(#[from] RecoverError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the config was not checked")]
    Unchecked,
    #[error("api on {listen}: {source}")]
    Listen { listen: SocketAddr, source: std::io::Error },
    #[error("{what}: {source}")]
    System { what: &'static str, source: std::io::Error },
    #[error("the station's task ended by itself")]
    Ended,
}

impl RunError {
    /// What happened and what to do, for the person at the screen.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Journal(error) => error.label(),
            Self::Recover(RecoverError::Station { expected, found }) => {
                format!("日志属于站号 {found}，配置写的是 {expected}：请改 [station] number，或换一个 [journal] path")
            }
            Self::Recover(error) => format!("日志不能恢复：{error}。请用 yizhan verify 查看"),
            Self::Key(error) => error.label(),
            Self::Unchecked => "配置有误".into(),
            Self::Listen { listen, source } => {
                format!("接口地址 {listen} 用不了（{source}）：请换 [api] listen，或停掉占用它的程序")
            }
            Self::System { what, source } => format!("{what} 失败：{source}"),
            Self::Ended => "本站意外停止：请查看日志并重启".into(),
        }
    }
}

/// Runs the station until a signal stops it.
///
/// # Errors
/// [`RunError`]; nothing was started then.
pub fn run(config: Config) -> Result<(), RunError> {
    log::start(&config.log);
    let system = |what| move |source| RunError::System { what, source };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(system("starting threads"))?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let signals = stop.clone();
        let signal = signal().map_err(system("listening for signals"))?;
        tokio::spawn(async move {
            signal.await;
            signals.cancel();
        });
        let running = start(config, stop).await?;
        running.ended().await
    })
}

async fn both(mut terminate: tokio::signal::unix::Signal, mut interrupt: tokio::signal::unix::Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("收到停止信号，正在停止");
}

fn signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    Ok(both(signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
}

/// A station that is up.
#[derive(Debug)]
pub struct Running {
    /// Where the API listens.
    pub address: SocketAddr,
    pub station: Station,
    pub stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    served: tokio::task::JoinHandle<()>,
    address_path: std::path::PathBuf,
}

impl Running {
    /// Waits until the station has stopped.
    ///
    /// # Errors
    /// [`RunError::Ended`] when it was not asked to.
    pub async fn ended(self) -> Result<(), RunError> {
        let ended = self.task.await;
        let asked = self.stop.is_cancelled();
        self.stop.cancel();
        notify(&[sd_notify::NotifyState::Stopping]);
        // Followers may hold their streams; the records are safe, so they are not waited for long.
        let _ = tokio::time::timeout(Duration::from_secs(2), self.served).await;
        let _ = std::fs::remove_file(&self.address_path);
        tracing::info!("本站已停止");
        if asked && ended.is_ok() { Ok(()) } else { Err(RunError::Ended) }
    }
}

/// Starts everything; the caller's runtime carries it.
///
/// # Errors
/// [`RunError`]; nothing was started then.
pub async fn start(config: Config, stop: CancellationToken) -> Result<Running, RunError> {
    let journal = Journal::open(&config.journal.path)?;
    let listen = config.api.listen;
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(|source| RunError::Listen { listen, source })?;
    let mut clock = Clock::start(config.station.clock);
    let engine = recover(&config, &mut clock, &journal)?;
    let metrics = Arc::new(Metrics::default());
    let system = |what| move |source| RunError::System { what, source };
    let capture = capture::Capture::start(&config, metrics.clone()).map_err(system("starting the capture"))?;
    let token = api::token(&config.token_path()).map_err(system("writing the API token"))?;
    let address = listener.local_addr().map_err(|source| RunError::Listen { listen, source })?;
    api::write_private(&config.address_path(), &address.to_string()).map_err(system("writing the API address"))?;
    let (writer, synced) = Writer::start(journal).map_err(system("starting the journal's thread"))?;
    let (sender, inputs) = mpsc::channel(INPUTS_MAX);
    let board = Board::default();
    let links = config
        .links
        .iter()
        .map(|link| (link.id(), Link::start(link, sender.clone(), stop.clone(), board.clone())))
        .collect::<BTreeMap<_, _>>();
    let hands = station::Hands {
        engine,
        clock,
        inputs,
        links,
        writer,
        synced: synced.clone(),
        metrics: metrics.clone(),
        capture,
        snapshot_every: config.journal.snapshot_every,
    };
    let (station, task) = station::start(hands, stop.clone());
    let address_path = config.address_path();
    let server = api::Server { config, station: station.clone(), board, metrics, synced, token, stop: stop.clone() };
    let served = tokio::spawn(api::serve(listener, server));
    tracing::info!(%address, "本站已启动");
    notify(&[sd_notify::NotifyState::Ready]);
    watchdog(station.clone());
    Ok(Running { address, station, stop, task, served, address_path })
}

/// The newest snapshot that can be read, and the records after it; else the whole journal.
fn recover(config: &Config, clock: &mut Clock, journal: &Journal) -> Result<Engine, RunError> {
    let mut engine_config = config.for_engine().ok_or(RunError::Unchecked)?;
    engine_config.nets = config.open_nets()?;
    if !engine_config.nets.is_empty() {
        // Some tenths of a second that no message shall wait for.
        yizhan_codecs::air::text::warm_up();
    }
    let snapshot = journal
        .snapshots()?
        .into_iter()
        .map(|saved| Snapshot { offset: saved.offset, bytes: saved.body.to_vec() })
        .find(|snapshot| State::from_snapshot(snapshot).is_some());
    let after = snapshot.as_ref().map_or(Offset(0), |snapshot| snapshot.offset);
    let mut records = journal.records_after(after)?;
    let engine = Engine::recover(engine_config, clock.now(), snapshot.as_ref(), records.by_ref());
    records.finish()?;
    Ok(engine?)
}

/// A missing service manager is no error.
fn notify(state: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "service manager not told");
    }
}

/// Pets systemd's watchdog as long as the engine's own task answers.
fn watchdog(station: Station) {
    let Some(every) = sd_notify::watchdog_enabled() else { return };
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(every.div_f32(2.0));
        loop {
            tick.tick().await;
            if station.look(|_, _| ()).await.is_err() {
                return;
            }
            notify(&[sd_notify::NotifyState::Watchdog]);
        }
    });
}

#[cfg(test)]
mod tests;
