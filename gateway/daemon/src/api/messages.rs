//! Messages: list, read, send, and what people do with them.

use super::{Problem, Shared, view};
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use yizhan_codecs::air::carry;
use yizhan_codecs::message::{Answer, MessageId, Precedence};
use yizhan_engine::io::{Recipient, Reply, Request, SendKind};

/// Messages in one answer, unless fewer are asked for.
const PAGE_MAX: usize = 500;

/// Who acts where nobody says who.
pub(crate) const NAMELESS: &str = "值班员";

/// Characters of a name given with a request.
const BY_MAX: usize = 32;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    limit: Option<usize>,
    /// Only messages whose first record is before this offset.
    before: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Send {
    to: String,
    text: String,
    precedence: Option<String>,
    #[serde(default)]
    kind: SendKind,
    #[serde(default)]
    exercise: bool,
    in_reply_to: Option<String>,
    supersedes: Option<String>,
    by: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct By {
    by: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    /// Who answered, where it was learned another way; without it the station answers a message of another one.
    person: Option<String>,
    answer: Answer,
    by: Option<String>,
}

/// Newest first.
pub(super) async fn list(
    State(shared): State<Shared>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(page) = page?;
    let limit = page.limit.unwrap_or(100).min(PAGE_MAX);
    let before = page.before.unwrap_or(u64::MAX);
    let messages = shared.server.station.look(move |engine, _| {
        let state = engine.state();
        let mut found: Vec<_> = state.messages().filter(|message| message.offset.0 < before).collect();
        found.sort_by_key(|message| std::cmp::Reverse(message.offset));
        found.into_iter().take(limit).map(view::message).collect::<Vec<_>>()
    });
    Ok(Json(json!({ "messages": messages.await? })))
}

pub(super) async fn one(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let id = message_id(&id)?;
    let seen = shared.server.station.look(move |engine, _| engine.state().message(id).map(view::message));
    seen.await?.map(Json).ok_or_else(|| Problem::unknown_message(&id.to_string()))
}

/// `201` with the id once the message is stored.
pub(super) async fn send(
    State(shared): State<Shared>,
    body: Result<Json<Send>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Json(send) = body?;
    let optional = |id: &Option<String>| id.as_deref().map(message_id).transpose();
    let request = Request::Send {
        to: recipient(&shared, &send.to).await?,
        precedence: precedence(send.precedence.as_deref(), send.kind, &send.text)?,
        kind: send.kind,
        exercise: send.exercise,
        in_reply_to: optional(&send.in_reply_to)?,
        supersedes: optional(&send.supersedes)?,
        by: by(send.by)?,
        text: send.text,
    };
    Ok((StatusCode::CREATED, submit(&shared, request).await?))
}

pub(super) async fn cancel(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    body: Result<Option<Json<By>>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let request = Request::Cancel { id: message_id(&id)?, by: asked_by(body)? };
    submit(&shared, request).await
}

pub(super) async fn mark_read(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    body: Result<Option<Json<By>>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let request = Request::MarkRead { id: message_id(&id)?, by: asked_by(body)? };
    submit(&shared, request).await
}

pub(super) async fn confirm(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    body: Result<Option<Json<By>>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let request = Request::Confirm { id: message_id(&id)?, by: asked_by(body)? };
    submit(&shared, request).await
}

pub(super) async fn close_sos(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    body: Result<Option<Json<By>>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let request = Request::CloseSos { id: message_id(&id)?, by: asked_by(body)? };
    submit(&shared, request).await
}

/// An answer to a message of another station, or what a person learned by voice or courier about one of ours.
pub(super) async fn note_answer(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    body: Result<Json<Note>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(note) = body?;
    let (id, answer, by) = (message_id(&id)?, note.answer, by(note.by)?);
    let request = match note.person {
        Some(person) => Request::NoteAnswer { id, person, answer, by },
        None => Request::Answer { id, answer, by },
    };
    submit(&shared, request).await
}

/// Hands a request to the engine; 2xx only after what it promises is stored.
pub(super) async fn submit(shared: &Shared, request: Request) -> Result<Json<Value>, Problem> {
    match shared.server.station.submit(request).await? {
        Reply::Accepted { id, offset, recipients, forecast } => Ok(Json(json!({
            "id": id.to_string(),
            "offset": offset.0,
            "recipients": recipients,
            "forecast": view::outlooks(&forecast),
        }))),
        Reply::Forecast(forecast) => Ok(Json(json!({ "forecast": view::outlooks(&forecast) }))),
        Reply::Done { offset } => Ok(Json(json!({ "offset": offset.0 }))),
        Reply::Refused(refusal) => Err(refusal.into()),
        Reply::Carried { frames, messages, receipts } => {
            let lines = carry::write(frames.iter().map(AsRef::as_ref));
            Ok(Json(json!({ "lines": lines, "messages": messages, "receipts": receipts })))
        }
        Reply::Brought { frames, own, refused, new, copies, receipts } => Ok(Json(json!({
            "frames": frames,
            "own": own,
            "refused": refused,
            "new": new,
            "copies": copies,
            "receipts": receipts,
        }))),
    }
}

/// Its machine name or its Chinese word; none = what such a message usually gets.
pub(super) fn precedence(name: Option<&str>, kind: SendKind, text: &str) -> Result<Precedence, Problem> {
    let Some(name) = name else { return Ok(yizhan_engine::usual_precedence(kind, text)) };
    Precedence::from_name(name).ok_or_else(|| {
        Problem::invalid_in_both(
            format!("precedence {name:?} is not one of flash, immediate, priority, routine"),
            format!("没有等级“{name}”：可用 特提（flash）、特急（immediate）、加急（priority）、平急（routine）"),
        )
    })
}

pub(super) fn by(name: Option<String>) -> Result<String, Problem> {
    let name = name.unwrap_or_else(|| NAMELESS.into());
    if name.is_empty() || name.chars().count() > BY_MAX || name.chars().any(char::is_control) {
        return Err(Problem::invalid(format!("by is not 1 to {BY_MAX} printable characters")));
    }
    Ok(name)
}

/// Who acts; a body is only needed to say so.
fn asked_by(body: Result<Option<Json<By>>, JsonRejection>) -> Result<String, Problem> {
    by(body?.and_then(|Json(body)| body.by))
}

fn message_id(text: &str) -> Result<MessageId, Problem> {
    text.parse().map_err(|error| Problem::invalid(format!("message id {text:?}: {error}")))
}

/// `beidou:142020` is a terminal, `group:ID` a group; anything else a person, or the group of that name when there is
/// no such person. Who exists is the engine's to say.
pub(super) async fn recipient(shared: &Shared, to: &str) -> Result<Recipient, Problem> {
    if to.parse::<yizhan_codecs::message::TerminalId>().is_ok() {
        return Ok(Recipient::Terminal(to.into()));
    }
    if let Some(group) = to.strip_prefix("group:") {
        return Ok(Recipient::Group(group.into()));
    }
    let who = to.to_owned();
    let group = shared.server.station.look(move |engine, _| {
        let roster = engine.state().roster();
        roster.person(&who).is_none() && roster.group(&who).is_some()
    });
    Ok(if group.await? { Recipient::Group(to.into()) } else { Recipient::Person(to.into()) })
}
