//! Evidence: sessions, events, checkpoints. Every look at it is itself an event.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::caller::{Ask, Caller, Number, number};
use super::problem::Failure;
use super::types::{Checkpoint, Event, Session, SessionDetail};
use crate::app::App;
use crate::store::{SessionFilter, number_to_text};

/// Rows in one answer, unless asked otherwise, and at the most.
const LIMIT: (u32, u32) = (100, 1000);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    limit: Option<u32>,
    after: Option<String>,
}

impl Page {
    fn limit(&self) -> u32 {
        self.limit.unwrap_or(LIMIT.0).min(LIMIT.1)
    }

    fn after(&self) -> Result<Option<u128>, Failure> {
        self.after.as_deref().map(number).transpose()
    }
}

pub(super) async fn sessions(
    State(app): State<Arc<App>>,
    Caller(person): Caller,
    Ask(page): Ask<Page>,
) -> Result<Json<Vec<Session>>, Failure> {
    let of = (!person.auditor).then(|| (person.issuer.clone(), person.subject.clone()));
    let filter = SessionFilter { of, after: page.after()?, limit: page.limit() };
    app.index.catch_up().await;
    let sessions = app.store.sessions(&filter).await?;
    let whose = if person.auditor { "all" } else { "own" };
    let text = format!("{} of {whose} sessions listed", sessions.len());
    app.events.add("sessions-listed", &person.subject, &text).await?;
    Ok(Json(sessions))
}

pub(super) async fn session(
    State(app): State<Arc<App>>,
    Caller(person): Caller,
    Number(id): Number,
) -> Result<Json<SessionDetail>, Failure> {
    app.index.catch_up().await;
    let own = |session: &Session| session.issuer == person.issuer && session.identity == person.subject;
    let opened = app.store.session(id).await?;
    let opened = opened.filter(|opened| person.auditor || own(&opened.session));
    let opened = opened.ok_or_else(|| Failure::not_found("there is no such session"))?;
    app.events.add("session-read", &person.subject, &format!("session {}", number_to_text(id))).await?;
    Ok(Json(app.index.detail(&app.store, opened).await?))
}

pub(super) async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(page): Ask<Page>,
) -> Result<Json<Vec<Event>>, Failure> {
    let person = caller.auditor()?;
    let events = app.store.events(page.after()?, page.limit()).await?;
    app.events.add("events-read", &person.subject, &format!("{} events", events.len())).await?;
    let events = events.into_iter().map(|event| Event {
        id: number_to_text(event.id),
        at_ms: event.at_us / 1000,
        event: event.event,
        actor: event.actor,
        text: event.text,
        sent: event.sent,
        recorded: event.recorded,
    });
    Ok(Json(events.collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Most {
    limit: Option<u32>,
}

pub(super) async fn checkpoints(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(page): Ask<Most>,
) -> Result<Json<Vec<Checkpoint>>, Failure> {
    let person = caller.auditor()?;
    let limit = page.limit.unwrap_or(LIMIT.0).min(LIMIT.1);
    let checkpoints = app.store.checkpoints(limit).await?;
    app.events
        .add("checkpoints-read", &person.subject, &format!("{} checkpoints", checkpoints.len()))
        .await?;
    let checkpoints = checkpoints.into_iter().map(|checkpoint| Checkpoint {
        origin: checkpoint.origin,
        size: checkpoint.size,
        root: checkpoint.root,
        note: checkpoint.note,
        witnessed_ms: checkpoint.witnessed_ms,
    });
    Ok(Json(checkpoints.collect()))
}
