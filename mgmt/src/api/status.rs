//! How mgmt and the dataplanes are.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::caller::Caller;
use super::problem::Failure;
use super::types::{Caller as CallerView, DataplaneStatus, Healthz, PolicyStatus, Status};
use crate::app::App;
use crate::auth::roles::Person;
use crate::publish::policy::{Published, hex};

/// mgmt's version.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// A dataplane that was not heard from for so long is in trouble.
const SILENT_MS: u64 = 60 * 1000;

pub(super) async fn healthz() -> Json<Healthz> {
    Json(Healthz { alive: true, version: VERSION.to_owned() })
}

pub(super) async fn status(
    State(app): State<Arc<App>>,
    Caller(person): Caller,
) -> Result<Json<Status>, Failure> {
    app.desk.expire().await?;
    let policy = app.publisher.current();
    let dataplanes = app.link.status();
    let troubles = troubles(&app, policy.as_deref(), &dataplanes);
    let full = person.admin || person.auditor;
    Ok(Json(Status {
        healthy: troubles.is_empty(),
        version: VERSION.to_owned(),
        started_ms: app.started_ms,
        caller: caller(&person),
        policy: policy.as_ref().map(|policy| PolicyStatus {
            version: policy.version,
            author: policy.author.clone(),
            applied_ms: policy.applied_ms,
            digest: hex(&policy.snapshot.digest()),
        }),
        approvals_waiting: app.desk.waiting(&person).await?,
        dataplanes: if full { dataplanes } else { Vec::new() },
        issuers: policy.as_ref().filter(|_| full).map(|policy| app.keys.status(policy)).unwrap_or_default(),
        events_queued: if full { app.store.unsent_event_count().await? } else { 0 },
        troubles: if full { troubles } else { Vec::new() },
    }))
}

fn caller(person: &Person) -> CallerView {
    CallerView {
        issuer: person.issuer.clone(),
        subject: person.subject.clone(),
        requester: person.requester.clone(),
        groups: person.groups.clone(),
        roles: person.role_names(),
    }
}

fn troubles(app: &App, policy: Option<&Published>, dataplanes: &[DataplaneStatus]) -> Vec<String> {
    let mut troubles = Vec::new();
    match policy {
        None => troubles.push("no policy is in force".to_owned()),
        Some(policy) => troubles.extend(app.keys.troubles(policy)),
    }
    troubles.extend(app.folder_trouble());
    if dataplanes.is_empty() {
        troubles.push("no dataplane is connected".to_owned());
    }
    for dataplane in dataplanes {
        dataplane_troubles(dataplane, policy, app.clock.now_ms(), &mut troubles);
    }
    troubles.extend(app.index.trouble().map(|trouble| format!("evidence: {trouble}")));
    troubles.extend(app.witness.trouble().map(|trouble| format!("evidence: {trouble}")));
    troubles
}

fn dataplane_troubles(
    dataplane: &DataplaneStatus,
    policy: Option<&Published>,
    now_ms: u64,
    troubles: &mut Vec<String>,
) {
    let name = &dataplane.instance;
    let heard = dataplane.heard_ms.max(dataplane.connected_ms);
    if now_ms > heard.saturating_add(SILENT_MS) {
        troubles.push(format!("dataplane {name}: not heard from for {} s", (now_ms - heard) / 1000));
    }
    if !dataplane.recording && dataplane.heard_ms > 0 {
        troubles.push(format!("dataplane {name}: does not record: {}", dataplane.recording_error));
    }
    if !dataplane.refused.is_empty() {
        troubles.push(format!("dataplane {name}: refuses the policy: {}", dataplane.refused));
    } else if policy.is_some_and(|policy| policy.version != dataplane.snapshot) {
        troubles.push(format!("dataplane {name}: uses policy version {}", dataplane.snapshot));
    }
    for target in &dataplane.troubles {
        troubles.push(format!("dataplane {name}: target {}: {}", target.target, target.cause));
    }
}
