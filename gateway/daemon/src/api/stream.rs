//! The stream of records: a follower of the journal that any number of readers may open.

use super::view::record_line;
use super::{Problem, Shared};
use crate::storage::{Reader, Synced};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{Stream, unfold};
use serde::Deserialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_util::sync::CancellationToken;
use yizhan_engine::io::{Offset, StoredRecord};

/// Records read from disk at once.
const READ_MAX: u32 = 256;

const KEEP_ALIVE: Duration = Duration::from_secs(20);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    after: Option<u64>,
}

/// `GET /api/v1/stream?after=OFFSET`, or with `Last-Event-ID`; without either only what comes from now on.
pub(super) async fn stream(
    State(shared): State<Shared>,
    query: Result<Query<From>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let Query(from) = query?;
    let permit = shared.followers.clone().try_acquire_owned().map_err(|_| Problem::too_many_followers())?;
    let last_seen = headers.get("last-event-id").map(|value| {
        let text = value.to_str().unwrap_or_default();
        text.parse().map_err(|_| Problem::invalid(format!("Last-Event-ID {text:?} is no journal offset")))
    });
    let synced = shared.server.synced.clone();
    let now = synced.borrow().through;
    let after = last_seen.transpose()?.or(from.after).map_or(now, Offset);
    let follower = Follower {
        path: shared.server.config.journal.path.clone(),
        reader: None,
        after,
        rows: VecDeque::new(),
        synced,
        stop: shared.server.stop.clone(),
        _permit: permit,
    };
    let events = unfold(follower, |mut follower| async move {
        let record = follower.next().await?;
        let event = Event::default().id(record.offset.0.to_string()).event("record").data(record_line(&record));
        Some((Ok(event), follower))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

struct Follower {
    path: PathBuf,
    reader: Option<Reader>,
    after: Offset,
    rows: VecDeque<StoredRecord>,
    synced: watch::Receiver<Synced>,
    stop: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Follower {
    /// The next record; waits for one. `None` when the station stops or the journal cannot be read.
    async fn next(&mut self) -> Option<StoredRecord> {
        loop {
            if let Some(record) = self.rows.pop_front() {
                return Some(record);
            }
            if self.synced.borrow_and_update().through > self.after {
                self.read().await?;
                continue;
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                changed = self.synced.changed() => changed.ok()?,
            }
        }
    }

    async fn read(&mut self) -> Option<()> {
        let (path, reader, after) = (self.path.clone(), self.reader.take(), self.after);
        let through = self.synced.borrow().through;
        let read = tokio::task::spawn_blocking(move || {
            let reader = reader.map_or_else(|| Reader::open(&path), Ok)?;
            let rows = reader.read_after(after, READ_MAX)?;
            Ok::<_, crate::storage::JournalError>((reader, rows))
        });
        match read.await.ok()? {
            Ok((reader, rows)) => {
                // Fewer rows than asked for: there are no others.
                let last = rows.last().map(|record| record.offset);
                let full = rows.len() >= usize::try_from(READ_MAX).unwrap_or(usize::MAX);
                self.after = if full { last? } else { last.unwrap_or(through).max(through) };
                self.rows = rows.into();
                self.reader = Some(reader);
                Some(())
            }
            Err(error) => {
                tracing::error!(%error, "订阅者读日志失败");
                None
            }
        }
    }
}
