//! Approvals: seen, decided, asked for ahead.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::caller::{Ask, Body, Caller, Number};
use super::problem::Failure;
use super::types::{AheadAnswer, AheadRequest, Approval, ApprovalState, Verdict};
use crate::app::App;

/// Approvals in one answer, unless asked otherwise, and at the most.
const LIMIT: (u32, u32) = (200, 1000);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    state: Option<ApprovalState>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(person): Caller,
    Ask(which): Ask<Which>,
) -> Result<Json<Vec<Approval>>, Failure> {
    let limit = which.limit.unwrap_or(LIMIT.0).min(LIMIT.1);
    app.desk.expire().await?;
    Ok(Json(app.desk.list(&person, which.state, limit).await?))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Caller(person): Caller,
    Number(id): Number,
) -> Result<Json<Approval>, Failure> {
    app.desk.expire().await?;
    let found = app.desk.get(&person, id).await?;
    found.map(Json).ok_or_else(|| Failure::not_found("there is no such ticket"))
}

pub(super) async fn approve(
    State(app): State<Arc<App>>,
    Caller(person): Caller,
    Number(id): Number,
    Body(verdict): Body<Verdict>,
) -> Result<Json<Approval>, Failure> {
    Ok(Json(app.desk.decide(&person, id, true, &verdict).await?))
}

pub(super) async fn reject(
    State(app): State<Arc<App>>,
    Caller(person): Caller,
    Number(id): Number,
    Body(verdict): Body<Verdict>,
) -> Result<Json<Approval>, Failure> {
    Ok(Json(app.desk.decide(&person, id, false, &verdict).await?))
}

pub(super) async fn ahead(
    State(app): State<Arc<App>>,
    Caller(person): Caller,
    Body(request): Body<AheadRequest>,
) -> Result<Json<AheadAnswer>, Failure> {
    let policy = app.publisher.current().ok_or_else(|| Failure::unavailable("no policy is in force"))?;
    app.desk.expire().await?;
    Ok(Json(app.desk.ahead(&person, &request, &policy).await?))
}
