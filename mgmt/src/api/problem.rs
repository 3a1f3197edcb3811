//! Errors of the REST interface as RFC 9457 has them. Causes that only the log should hold (store, files) are logged here
//! and answered in general words.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::types::{Diagnostic, PROBLEM_CONTENT_TYPE, Problem};
use crate::approvals::ahead::AheadError;
use crate::approvals::decide::DecideError;
use crate::approvals::eligibility::Ineligible;
use crate::auth::AuthError;
use crate::evidence::index::IndexError;
use crate::publish::policy::PolicyError;
use crate::store::StoreError;

/// An error on its way out.
#[derive(Debug, Clone)]
pub struct Failure {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    diagnostics: Vec<Diagnostic>,
}

impl Failure {
    /// An error with its status, its kind (for programs), its title and what went wrong this time.
    pub fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self { status, kind, title, detail: detail.into(), diagnostics: Vec::new() }
    }

    /// The request is not what this route takes.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request is malformed", detail)
    }

    /// The caller is known and may not.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "You may not do this", detail)
    }

    /// There is no such thing, or none that the caller may see.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing", detail)
    }

    /// It does not fit how things stand.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "It does not fit how things stand", detail)
    }

    /// Well-formed, but not to be taken.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", "It cannot be taken", detail)
    }

    /// Cannot be done now.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "It cannot be done now", detail)
    }

    fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "A valid token is needed", detail)
    }

    /// A fault of mgmt's; `cause` goes to the log alone.
    pub fn internal(cause: &dyn std::error::Error) -> Self {
        tracing::error!(%cause, "a request failed");
        let detail = "pangate-mgmt could not do it; its log says why".to_owned();
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "A fault of pangate-mgmt", detail)
    }

    /// The body. `request` is the request's number.
    pub fn body(&self, request: &str) -> Problem {
        Problem {
            kind: format!("urn:pangate:problem:{}", self.kind),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            instance: if request.is_empty() {
                String::new()
            } else {
                format!("urn:pangate:request:{request}")
            },
            diagnostics: self.diagnostics.clone(),
        }
    }

    /// The answer. `request` is the request's number.
    pub fn respond(&self, request: &str) -> Response {
        let body = serde_json::to_vec(&self.body(request)).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_CONTENT_TYPE));
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"pangate\""));
        }
        response
    }
}

/// Without the request's number yet: the outermost layer ([`super::https`]) puts it in.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.respond("");
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::internal(&error)
    }
}

impl From<IndexError> for Failure {
    fn from(error: IndexError) -> Self {
        Self::internal(&error)
    }
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Store(error) => error.into(),
            AuthError::NoPolicy => Self::unavailable(error.to_string()),
            _ => Self::unauthorized(error.to_string()),
        }
    }
}

impl From<DecideError> for Failure {
    fn from(error: DecideError) -> Self {
        let detail = error.to_string();
        match error {
            DecideError::Unknown => Self::not_found(detail),
            DecideError::Ineligible(Ineligible::NotReviewer | Ineligible::Requester | Ineligible::Twice) => {
                Self::forbidden(detail)
            }
            DecideError::Ineligible(Ineligible::Over | Ineligible::Overdue) | DecideError::Digest => {
                Self::conflict(detail)
            }
            DecideError::Reason => Self::unprocessable(detail),
            DecideError::Store(error) => error.into(),
        }
    }
}

impl From<AheadError> for Failure {
    fn from(error: AheadError) -> Self {
        let detail = error.to_string();
        match error {
            AheadError::UnknownTarget => Self::not_found(detail),
            AheadError::Protocol | AheadError::TooLong | AheadError::Masked => Self::unprocessable(detail),
            AheadError::TooMany => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many", "Too many requests wait", detail)
            }
            AheadError::Store(error) => error.into(),
        }
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        let detail = error.to_string();
        match error {
            PolicyError::Refused(diagnostics) => {
                let title = "The manifests are refused";
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Self { diagnostics, ..Self::new(status, "manifests-refused", title, detail) }
            }
            PolicyError::Store(error) => error.into(),
            PolicyError::Folder(_) | PolicyError::Snapshot(_) => Self::internal(&error),
        }
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                let title = "The request is too large";
                Self::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "too-large",
                    title,
                    "the body is over this route's bound",
                )
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                let (title, detail) =
                    ("The request is of another type", "content-type: application/json is needed");
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", title, detail)
            }
            // serde's messages may quote what was sent; the place is enough.
            _ => Self::bad_request(place_of(&rejection)),
        }
    }
}

impl From<PathRejection> for Failure {
    fn from(_: PathRejection) -> Self {
        Self::bad_request("the path is malformed")
    }
}

impl From<QueryRejection> for Failure {
    fn from(_: QueryRejection) -> Self {
        Self::bad_request("the query is malformed: an unknown name, or a value of another type")
    }
}

/// What is wrong with a JSON body, without what was in it.
fn place_of(rejection: &JsonRejection) -> String {
    let mut source: Option<&dyn std::error::Error> = Some(rejection);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<serde_json::Error>() {
            let (line, column) = (error.line(), error.column());
            return match error.classify() {
                serde_json::error::Category::Data => {
                    format!(
                        "line {line}, column {column}: an unknown or missing field, or a value of another type"
                    )
                }
                _ => format!("line {line}, column {column}: this is no JSON"),
            };
        }
        source = error.source();
    }
    "the body is malformed".to_owned()
}
