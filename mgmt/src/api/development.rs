//! The development issuer's discovery document and keys; not there where the boot file does not ask for the issuer.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use super::problem::Failure;
use crate::app::App;

pub(super) async fn discovery(State(app): State<Arc<App>>) -> Result<Json<Value>, Failure> {
    let issuer = app.development.as_ref().ok_or_else(off)?;
    Ok(Json(issuer.discovery()))
}

pub(super) async fn keys(State(app): State<Arc<App>>) -> Result<Json<Value>, Failure> {
    let issuer = app.development.as_ref().ok_or_else(off)?;
    Ok(Json(issuer.keys()))
}

fn off() -> Failure {
    Failure::not_found("the development issuer is off")
}
