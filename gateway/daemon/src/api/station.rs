//! How the station is, who is who, and the numbers for monitoring.

use super::messages::{by, submit};
use super::{Problem, Shared, view};
use crate::run::escaped;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write;
use yizhan_codecs::message::LinkId;
use yizhan_engine::Status;
use yizhan_engine::io::Request;
use yizhan_engine::people::Roster;

pub(super) async fn status(State(shared): State<Shared>) -> Result<Json<Value>, Problem> {
    let status = shared.server.station.look(|engine, now| engine.status(now)).await?;
    let mut value = written(&status)?;
    if let Value::Object(object) = &mut value {
        object.insert("name".into(), shared.server.config.station.name.clone().into());
        object.insert("version".into(), env!("CARGO_PKG_VERSION").into());
        object.insert("links".into(), with_ports(&shared, &status)?.into());
    }
    Ok(Json(value))
}

pub(super) async fn links(State(shared): State<Shared>) -> Result<Json<Value>, Problem> {
    let status = shared.server.station.look(|engine, now| engine.status(now)).await?;
    Ok(Json(json!({ "links": with_ports(&shared, &status)? })))
}

pub(super) async fn outbox(State(shared): State<Shared>) -> Result<Json<Value>, Problem> {
    let lines =
        shared.server.station.look(|engine, now| engine.outbox(now).iter().map(view::outbox_line).collect::<Vec<_>>());
    Ok(Json(json!({ "outbox": lines.await? })))
}

pub(super) async fn contacts(State(shared): State<Shared>) -> Result<Json<Value>, Problem> {
    let contacts = shared.server.station.look(|engine, _| {
        let state = engine.state();
        let holder = |terminal| state.roster().holder(terminal).map(|person| person.name.as_str());
        state
            .contacts()
            .map(|(terminal, contact)| view::contact(terminal, contact, holder(terminal)))
            .collect::<Vec<_>>()
    });
    Ok(Json(json!({ "contacts": contacts.await? })))
}

pub(super) async fn roster(State(shared): State<Shared>) -> Result<Json<Value>, Problem> {
    let roster = shared.server.station.look(|engine, _| engine.state().roster().clone()).await?;
    Ok(Json(written(&roster)?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Import {
    roster: Roster,
    by: Option<String>,
}

pub(super) async fn import_roster(
    State(shared): State<Shared>,
    body: Result<Json<Import>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(import) = body?;
    submit(&shared, Request::ImportRoster { roster: import.roster, by: by(import.by)? }).await
}

/// For whatever watches over the station: nothing secret, no token.
pub(super) async fn healthz(State(shared): State<Shared>) -> impl IntoResponse {
    let failed = shared.server.station.look(|engine, _| engine.poisoned().is_some()).await;
    match failed {
        Ok(false) => (StatusCode::OK, "ok\n"),
        Ok(true) => (StatusCode::SERVICE_UNAVAILABLE, "journal failed\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
    }
}

pub(super) async fn metrics(State(shared): State<Shared>) -> Result<impl IntoResponse, Problem> {
    let status = shared.server.station.look(|engine, now| engine.status(now)).await?;
    let mut text = shared.server.metrics.render();
    gauges(&mut text, &status);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

fn gauges(text: &mut String, status: &Status) {
    let mut gauge = |name: &str, help: &str, values: &[(String, u64)]| {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in values {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let plain = |value: u64| vec![(String::new(), value)];
    let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    let link = |name: &str| format!("{{link=\"{}\"}}", escaped(name));
    gauge("yizhan_journal_offset", "The last record decided.", &plain(status.offset));
    gauge("yizhan_journal_stored", "The last record synced.", &plain(status.stored));
    gauge("yizhan_journal_failed", "1 = nothing more is promised.", &plain(status.journal_failed.is_some().into()));
    gauge("yizhan_clock_trusted", "1 = some clock is trusted.", &plain(status.utc.is_some().into()));
    gauge("yizhan_messages", "Messages in memory.", &plain(count(status.messages)));
    gauge("yizhan_deliveries_open", "Deliveries without an end.", &plain(count(status.open_deliveries)));
    gauge("yizhan_sos_open", "Calls for help that nobody has closed.", &plain(count(status.sos_open.len())));
    let outbox = status.outbox.iter().map(|(name, held)| (format!("{{precedence=\"{name}\"}}"), count(*held)));
    gauge("yizhan_outbox", "Deliveries that wait, by precedence.", &outbox.collect::<Vec<_>>());
    let up = status.links.iter().map(|l| (link(&l.link), l.up.into())).collect::<Vec<_>>();
    gauge("yizhan_link_up", "1 = the port is open.", &up);
    let ready = status.links.iter().map(|l| (link(&l.link), l.ready.into())).collect::<Vec<_>>();
    gauge("yizhan_link_ready", "1 = its terminal takes messages.", &ready);
}

/// The engine's view of each link, and what only the hands know: device, addresses, why a port is closed.
fn with_ports(shared: &Shared, status: &Status) -> Result<Vec<Value>, Problem> {
    let mut links = Vec::new();
    for link in &status.links {
        let mut value = written(link)?;
        let port = shared.server.board.of(&LinkId::new(&link.link));
        let config = shared.server.config.links.iter().find(|config| config.name == link.link);
        if let Value::Object(object) = &mut value {
            object.insert("device".into(), config.map(|config| config.device.clone()).into());
            object.insert("bound".into(), port.bound.iter().map(ToString::to_string).collect::<Vec<_>>().into());
            object.insert("trouble".into(), port.trouble.map(|why| why.name()).into());
            object.insert("trouble_label".into(), port.trouble.map(|why| why.label()).into());
        }
        links.push(value);
    }
    Ok(links)
}

fn written<T: serde::Serialize>(value: &T) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|error| Problem::invalid(format!("cannot be written as JSON: {error}")))
}
