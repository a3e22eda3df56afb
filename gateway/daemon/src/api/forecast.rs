//! Forecasts: what a send would cost and when it would arrive, and how such forecasts have turned out.

use super::messages::{by, precedence, recipient, submit};
use super::{Problem, Shared, view};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::Deserialize;
use serde_json::Value;
use yizhan_engine::io::{Request, SendKind};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    to: String,
    text: String,
    precedence: Option<String>,
    #[serde(default)]
    kind: SendKind,
    #[serde(default)]
    exercise: bool,
    by: Option<String>,
}

/// What would be told of a send. Nothing is stored or sent.
pub(super) async fn dry_run(
    State(shared): State<Shared>,
    body: Result<Json<Ask>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(ask) = body?;
    let request = Request::Forecast {
        to: recipient(&shared, &ask.to).await?,
        precedence: precedence(ask.precedence.as_deref(), ask.kind, &ask.text)?,
        kind: ask.kind,
        exercise: ask.exercise,
        by: by(ask.by)?,
        text: ask.text,
    };
    submit(&shared, request).await
}

/// Forecasts and what came of them, class by class.
pub(super) async fn report(State(shared): State<Shared>) -> Result<Json<Value>, Problem> {
    let report = shared.server.station.look(|engine, _| view::experience(engine.state().experience()));
    Ok(Json(report.await?))
}
