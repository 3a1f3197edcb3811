//! Every route: its handler, who may call it, what it takes and gives. The router and the OpenAPI document are both made
//! from this one list, so that neither knows a route that the other does not.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post, put};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::problem::Failure;
use super::types::{
    AheadAnswer, AheadRequest, Approval, Checkpoint, Event, Healthz, Policy, PolicyApplied, PolicyUpload,
    Session, SessionDetail, Status, Verdict,
};
use super::{approvals, audit, development, openapi, policy, status};
use crate::app::App;

/// Bytes of a body at the most, but for a policy.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Bytes of a policy upload at the most.
const POLICY_BYTES_MAX: usize = 9 << 20;

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One route.
pub struct Route {
    /// get, post, put.
    pub method: &'static str,
    /// As axum and OpenAPI write it.
    pub path: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Who may call it; empty: anybody, without a token.
    pub who: &'static str,
    /// Names, JSON types and meanings in the query.
    pub query: &'static [(&'static str, &'static str, &'static str)],
    /// The body that it takes.
    pub body: Option<SchemaOf>,
    /// What it gives.
    pub answer: SchemaOf,
    handler: fn() -> MethodRouter<Arc<App>>,
}

const LIMIT: (&str, &str, &str) = ("limit", "integer", "At the most so many.");
const AFTER: (&str, &str, &str) = ("after", "string", "Only those older than the one with this number.");
const STATE: (&str, &str, &str) = ("state", "string", "Only those that stand here.");

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn any(_: &mut SchemaGenerator) -> Schema {
    Schema::default()
}

const fn route(
    method: &'static str,
    path: &'static str,
    who: &'static str,
    summary: &'static str,
    answer: SchemaOf,
    handler: fn() -> MethodRouter<Arc<App>>,
) -> Route {
    Route { method, path, summary, who, query: &[], body: None, answer, handler }
}

/// The list.
#[must_use]
pub fn all() -> Vec<Route> {
    let with = |route: Route, query, body| Route { query, body, ..route };
    let mut routes = vec![
        route("get", "/healthz", "", "Whether mgmt answers.", schema::<Healthz>, || get(status::healthz)),
        route("get", "/openapi.json", "", "This document.", any, || get(openapi::document)),
        route("get", "/v1/status", ANYBODY, "How mgmt and the dataplanes are.", schema::<Status>, || {
            get(status::status)
        }),
    ];
    routes.extend(approval_routes(with));
    routes.extend(audit_routes(with));
    routes.extend([
        route("get", "/v1/policy", "admin, auditor", "The policy in force.", schema::<Policy>, || {
            get(policy::show)
        }),
        with(
            route(
                "put",
                "/v1/policy",
                "admin",
                "Checks manifests and puts them in force.",
                schema::<PolicyApplied>,
                || put(policy::apply).layer(DefaultBodyLimit::max(POLICY_BYTES_MAX)),
            ),
            &[],
            Some(schema::<PolicyUpload>),
        ),
        route(
            "get",
            "/dev/.well-known/openid-configuration",
            "",
            "The development issuer's discovery.",
            any,
            || get(development::discovery),
        ),
        route("get", "/dev/jwks", "", "The development issuer's keys.", any, || get(development::keys)),
    ]);
    routes
}

type With = fn(Route, &'static [(&'static str, &'static str, &'static str)], Option<SchemaOf>) -> Route;

const ANYBODY: &str = "anybody with a token of a known issuer";
const REVIEWERS: &str = "members of the rule's reviewer groups, never whoever asks, nobody twice";

fn approval_routes(with: With) -> [Route; 5] {
    let list = route(
        "get",
        "/v1/approvals",
        "jobs: their own; reviewers: their groups'; admin, auditor: all",
        "Held commands and those asked for ahead, the newest first.",
        schema::<Vec<Approval>>,
        || get(approvals::list),
    );
    [
        with(list, &[STATE, LIMIT], None),
        route("get", "/v1/approvals/{id}", "as in the list", "One of them.", schema::<Approval>, || {
            get(approvals::show)
        }),
        with(
            route("post", "/v1/approvals/{id}/approve", REVIEWERS, "Says yes.", schema::<Approval>, || {
                post(approvals::approve)
            }),
            &[],
            Some(schema::<Verdict>),
        ),
        with(
            route("post", "/v1/approvals/{id}/reject", REVIEWERS, "Says no.", schema::<Approval>, || {
                post(approvals::reject)
            }),
            &[],
            Some(schema::<Verdict>),
        ),
        with(
            route(
                "post",
                "/v1/requests",
                ANYBODY,
                "Asks for a command ahead.",
                schema::<AheadAnswer>,
                || post(approvals::ahead),
            ),
            &[],
            Some(schema::<AheadRequest>),
        ),
    ]
}

fn audit_routes(with: With) -> [Route; 4] {
    let sessions = route(
        "get",
        "/v1/sessions",
        "jobs: their own; auditor: all",
        "Recorded sessions, the newest first.",
        schema::<Vec<Session>>,
        || get(audit::sessions),
    );
    [
        with(sessions, &[LIMIT, AFTER], None),
        route(
            "get",
            "/v1/sessions/{id}",
            "as in the list",
            "One of them in full.",
            schema::<SessionDetail>,
            || get(audit::session),
        ),
        with(
            route(
                "get",
                "/v1/events",
                "auditor",
                "What people and mgmt did, the newest first.",
                schema::<Vec<Event>>,
                || get(audit::events),
            ),
            &[LIMIT, AFTER],
            None,
        ),
        with(
            route(
                "get",
                "/v1/audit/checkpoints",
                "auditor",
                "Witnessed heads of the evidence logs, the newest first.",
                schema::<Vec<Checkpoint>>,
                || get(audit::checkpoints),
            ),
            &[LIMIT],
            None,
        ),
    ]
}

/// The router.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for route in all() {
        router = router.route(route.path, (route.handler)());
    }
    router
        .method_not_allowed_fallback(|| async { not_allowed() })
        .fallback(|| async { Failure::not_found("there is no such route; see /openapi.json") })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(app)
}

fn not_allowed() -> Failure {
    let status = axum::http::StatusCode::METHOD_NOT_ALLOWED;
    Failure::new(status, "method", "This route takes another method", "see /openapi.json")
}
