//! What a courier takes along, and what one brings.

use super::messages::by;
use super::{Problem, Shared};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::Deserialize;
use serde_json::{Value, json};
use yizhan_codecs::air::carry;
use yizhan_engine::io::{Reply, Request};

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
    match shared.server.station.submit(Request::CarryOut { to: out.to, by: by(out.by)? }).await? {
        Reply::Carried { frames, messages, receipts } => {
            let lines = carry::write(frames.iter().map(AsRef::as_ref));
            Ok(Json(json!({ "lines": lines, "messages": messages, "receipts": receipts })))
        }
        Reply::Refused(refusal) => Err(refusal.into()),
        _ => Err(Problem::invalid("the station gave another answer")),
    }
}

/// Reading the same text again changes nothing.
pub(super) async fn import(
    State(shared): State<Shared>,
    body: Result<Json<In>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(brought) = body?;
    let frames = carry::read(&brought.text).map_err(|error| Problem::invalid(error.to_string()))?;
    let frames = frames.into_iter().map(Into::into).collect();
    match shared.server.station.submit(Request::CarryIn { frames, by: by(brought.by)? }).await? {
        Reply::Brought { frames, refused, new, copies } => {
            Ok(Json(json!({ "frames": frames, "refused": refused, "new": new, "copies": copies })))
        }
        Reply::Refused(refusal) => Err(refusal.into()),
        _ => Err(Problem::invalid("the station gave another answer")),
    }
}
