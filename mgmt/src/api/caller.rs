//! Who calls, from the bearer token; bodies and queries whose errors are problems like all others.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Failure;
use crate::app::App;
use crate::auth::AuthError;
use crate::auth::roles::Person;

/// A verified caller.
#[derive(Debug, Clone)]
pub struct Caller(pub Person);

impl Caller {
    /// Refuses those who are not auditors.
    pub fn auditor(&self) -> Result<&Person, Failure> {
        if self.0.auditor { Ok(&self.0) } else { Err(Failure::forbidden("this needs the role auditor")) }
    }

    /// Refuses those who are not admins.
    pub fn admin(&self) -> Result<&Person, Failure> {
        if self.0.admin { Ok(&self.0) } else { Err(Failure::forbidden("this needs the role admin")) }
    }

    /// Refuses those who are neither.
    pub fn any_role(&self) -> Result<&Person, Failure> {
        let any = self.0.admin || self.0.auditor;
        if any { Ok(&self.0) } else { Err(Failure::forbidden("this needs the role admin or auditor")) }
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let refused = match bearer(parts) {
            Some(token) => match app.gate.verify(token).await {
                Ok(person) => return Ok(Self(person)),
                Err(error) => error,
            },
            None => AuthError::NoToken,
        };
        app.gate.tell_refusal(&refused, parts.uri.path()).await?;
        Err(refused.into())
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?.to_str().ok()?, values.next()) else { return None };
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A JSON body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Failure> {
        let Json(body) = Json::<T>::from_request(request, app).await?;
        Ok(Self(body))
    }
}

/// A query string.
pub struct Ask<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for Ask<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let Query(query) = Query::<T>::from_request_parts(parts, app).await?;
        Ok(Self(query))
    }
}

/// A number of a ticket or session in the path: 32 hex digits.
pub struct Number(pub u128);

impl FromRequestParts<Arc<App>> for Number {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let Path(text) = Path::<String>::from_request_parts(parts, app).await?;
        number(&text).map(Self)
    }
}

/// A number from its 32 hex digits.
pub fn number(text: &str) -> Result<u128, Failure> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|_| digits);
    number.ok_or_else(|| Failure::bad_request("a number is 32 hex digits"))
}
