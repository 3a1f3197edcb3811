//! The policy in force: seen and applied.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::caller::{Body, Caller};
use super::problem::Failure;
use super::types::{Policy, PolicyApplied, PolicyUpload};
use crate::app::App;
use crate::publish::policy::hex;
use crate::store::PolicySource;

/// Files of one upload at the most.
const FILES_MAX: usize = 1000;
/// Bytes of a file's name at the most.
const NAME_BYTES_MAX: usize = 255;

pub(super) async fn show(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Policy>, Failure> {
    let person = caller.any_role()?;
    let policy = app.publisher.current().ok_or_else(|| Failure::not_found("no policy is in force"))?;
    app.events.add("policy-read", &person.subject, &format!("version {}", policy.version)).await?;
    Ok(Json(Policy {
        version: policy.version,
        author: policy.author.clone(),
        applied_ms: policy.applied_ms,
        digest: hex(&policy.snapshot.digest()),
        files: policy.files.clone(),
    }))
}

pub(super) async fn apply(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(upload): Body<PolicyUpload>,
) -> Result<Json<PolicyApplied>, Failure> {
    let person = caller.admin()?;
    if upload.files.is_empty() || upload.files.len() > FILES_MAX {
        return Err(Failure::unprocessable(format!("1 to {FILES_MAX} files are taken")));
    }
    let named = |name: &str| {
        !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(|c: char| c.is_control())
    };
    if !upload.files.iter().all(|file| named(&file.name)) {
        return Err(Failure::unprocessable("a file's name is 1 to 255 bytes without control characters"));
    }
    let applied =
        app.publisher.apply(upload.files, &person.subject, PolicySource::Api, upload.dry_run).await?;
    Ok(Json(PolicyApplied {
        version: applied.version,
        unchanged: applied.unchanged,
        dry_run: upload.dry_run,
        warnings: applied.warnings,
    }))
}
