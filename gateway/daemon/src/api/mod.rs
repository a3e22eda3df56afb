//! The API: REST and SSE under `/api/v1`, `/metrics`, `/healthz`.
//!
//! What it is: a face of the engine and the journal. What it is not: a place that decides; it words requests and shows
//! state.
//!
//! **Invariants**
//! - A 2xx to anything that changes something means: its record is synced.
//! - A stream's event id is the journal offset; a reader that comes back with it misses nothing and sees nothing twice.
//! - Everything but `/healthz` wants the token. A web page from elsewhere gets nothing: Host and Origin are checked, and
//!   bodies are JSON only.
//! - A slow reader holds nothing back: it follows the journal on its own read-only view.

mod bounded;
mod carry;
mod forecast;
mod guard;
mod messages;
mod openapi;
mod problem;
mod station;
mod stream;
mod token;
mod view;

pub(crate) use messages::NAMELESS;
pub use problem::Problem;
pub use token::{Token, token, write_private};

use crate::config::Config;
use crate::link::Board;
use crate::run::{Metrics, Station};
use crate::storage::Synced;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use bounded::Bounded;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// A request's body, except for the roster's.
const BODY_MAX: usize = 64 << 10;

/// What a courier brings: some thousand frames.
const CARRY_MAX: usize = 2 << 20;

/// A roster of 20,000 people.
const ROSTER_MAX: usize = 8 << 20;

/// What the API is served from.
#[derive(Clone, Debug)]
pub struct Server {
    pub config: Config,
    pub station: Station,
    pub board: Board,
    pub metrics: Arc<Metrics>,
    pub synced: watch::Receiver<Synced>,
    pub token: Token,
    pub stop: CancellationToken,
}

/// What every handler may use.
#[derive(Clone, Debug)]
struct Shared {
    server: Arc<Server>,
    followers: Arc<Semaphore>,
}

/// Serves until the station stops.
pub async fn serve(listener: TcpListener, server: Server) {
    let stop = server.stop.clone();
    let served = axum::serve(Bounded::new(listener), router(server)).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = served.await {
        tracing::error!(%error, "接口服务停止");
    }
}

fn router(server: Server) -> Router {
    let followers = Arc::new(Semaphore::new(server.config.api.followers_max));
    let shared = Shared { server: Arc::new(server), followers };
    let v1 = Router::new()
        .route("/status", get(station::status))
        .route("/links", get(station::links))
        .route("/outbox", get(station::outbox))
        .route("/contacts", get(station::contacts))
        .route("/roster", get(station::roster).put(station::import_roster).layer(DefaultBodyLimit::max(ROSTER_MAX)))
        .route("/messages", get(messages::list).post(messages::send))
        .route("/messages/{id}", get(messages::one))
        .route("/forecast", post(forecast::dry_run))
        .route("/report/forecast", get(forecast::report))
        .route("/messages/{id}/cancel", post(messages::cancel))
        .route("/messages/{id}/read", post(messages::mark_read))
        .route("/messages/{id}/confirm", post(messages::confirm))
        .route("/messages/{id}/answer", post(messages::note_answer))
        .route("/messages/{id}/close-sos", post(messages::close_sos))
        .route("/carry/export", post(carry::export))
        .route("/carry/import", post(carry::import).layer(DefaultBodyLimit::max(CARRY_MAX)))
        .route("/openapi.json", get(openapi::openapi))
        .route("/stream", get(stream::stream));
    Router::new()
        .nest("/api/v1", v1)
        .route("/metrics", get(station::metrics))
        .route("/healthz", get(station::healthz))
        .fallback(async || Problem::no_such_page())
        .method_not_allowed_fallback(async || Problem::no_such_method())
        .layer(from_fn_with_state(shared.clone(), guard::guard))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(shared)
}

#[cfg(test)]
mod tests;
