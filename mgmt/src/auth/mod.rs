//! Who calls: bearer tokens of the issuers that the policy in force names, verified by the dataplane's rules, and the
//! roles that follow from groups. Leaves out who may decide on a ticket: that is approvals'.
//!
//! - [`token`]: signature, audience, times; [`roles`]: what groups stand for.
//! - [`development`]: the built-in issuer.

pub mod development;
mod json;
pub mod roles;
pub mod token;

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::config::Roles;
use crate::publish::events::Events;
use crate::publish::keys::KeyRing;
use crate::publish::policy::Publisher;
use crate::store::StoreError;
use roles::Person;
use token::{TokenError, Unverified};

/// Refusals told to the evidence in a minute, at the most: anybody can cause them.
const TOLD_MAX: u32 = 60;
const MINUTE_MS: u64 = 60 * 1000;

/// Why a caller is refused.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No `Authorization: Bearer`, or several.
    #[error("no bearer token")]
    NoToken,
    /// No policy is in force, so no issuer is known.
    #[error("no policy is in force that names an issuer")]
    NoPolicy,
    /// The token itself.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The issuer's manifest refuses this token.
    #[error("{0}")]
    Refused(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Verifies callers.
#[derive(Debug)]
pub struct Gate {
    clock: Clock,
    events: Events,
    publisher: Arc<Publisher>,
    keys: Arc<KeyRing>,
    roles: Roles,
    /// The minute, and how many refusals were told in it.
    told: Mutex<(u64, u32)>,
}

impl Gate {
    /// A gate for these issuers and roles.
    pub fn new(
        clock: Clock,
        events: Events,
        publisher: Arc<Publisher>,
        keys: Arc<KeyRing>,
        roles: Roles,
    ) -> Self {
        Self { clock, events, publisher, keys, roles, told: Mutex::new((0, 0)) }
    }

    /// Who a token says the caller is.
    pub async fn verify(&self, token: &str) -> Result<Person, AuthError> {
        let policy = self.publisher.current().ok_or(AuthError::NoPolicy)?;
        let url = Unverified::parse(token)?.issuer()?.to_owned();
        let issuer = policy.snapshot.issuer_by_url(&url).ok_or(TokenError::UnknownIssuer)?;
        let claims = match self.check(token, &url, issuer.audience) {
            // The issuer may have new keys.
            Err(TokenError::UnknownKey) if self.keys.demand(&url).await? => {
                self.check(token, &url, issuer.audience)?
            }
            other => other?,
        };
        let identity = policy
            .snapshot
            .identify(&issuer, &claims)
            .map_err(|refused| AuthError::Refused(refused.reason))?;
        Ok(Person::new(&url, &identity.subject, &identity.requester, identity.groups, &self.roles))
    }

    /// Tells the evidence of a refusal, unless too many were told already.
    pub async fn tell_refusal(&self, refused: &AuthError, path: &str) -> Result<(), StoreError> {
        let minute = self.clock.now_ms() / MINUTE_MS;
        let told = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.0 != minute {
                *told = (minute, 0);
            }
            told.1 += 1;
            told.1
        };
        if told > TOLD_MAX {
            return Ok(());
        }
        let more = if told == TOLD_MAX { "; further ones in this minute are not told" } else { "" };
        let cut = path.floor_char_boundary(200);
        let path = path.get(..cut).unwrap_or_default();
        self.events.add("mgmt-login-refused", "unknown", &format!("{path}: {refused}{more}")).await
    }

    fn check(&self, token: &str, issuer: &str, audience: &str) -> Result<serde_json::Value, TokenError> {
        let keys = self.keys.of(issuer).ok_or(TokenError::UnknownKey)?;
        Unverified::parse(token)?.verify(&keys.keys, audience, self.clock.now_s())
    }
}
