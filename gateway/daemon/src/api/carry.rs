//! What a courier takes along, and what one brings.

use super::messages::{by, submit};
use super::{Problem, Shared};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::Deserialize;
use serde_json::Value;
use yizhan_codecs::air::carry;
use yizhan_engine::io::Request;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Out {
    to: String,
    by: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct In {
    text: String,
    by: Option<String>,
}

/// Everything for a station, as lines of text; each is a QR code by itself.
pub(super) async fn export(
    State(shared): State<Shared>,
    body: Result<Json<Out>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(out) = body?;
    submit(&shared, Request::CarryOut { to: out.to, by: by(out.by)? }).await
}

/// Reading the same text again changes nothing.
pub(super) async fn import(
    State(shared): State<Shared>,
    body: Result<Json<In>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(brought) = body?;
    let frames = carry::read(&brought.text).map_err(|error| Problem::invalid(error.to_string()))?;
    let frames = frames.into_iter().map(Into::into).collect();
    submit(&shared, Request::CarryIn { frames, by: by(brought.by)? }).await
}
