//! Identity tokens: JWS in compact form, checked against the issuers' keys that mgmt has pushed and the snapshot's
//! issuers. Leaves out single use (see `ledger`) and what an identity may do (see `policies`). Texts say which check
//! failed and nothing of the token. One [`Verifier`] per shard: lives on its core.
//!
//! The JSON in hand is a stranger's until its signature is checked, so it goes through `serde_json` (safe Rust, bounded
//! depth) rather than `simd-json`; verified tokens are remembered, so that it is parsed once.

mod cache;
mod claims;
mod token;

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use policies::claims::Identity;
use policies::link::{Algorithm, IssuerKeys, VerificationKey};
use policies::snapshot::{Bind, Snapshot};
use serde_json::Value;

use crate::limits::{TOKEN_BYTES_MAX, TOKEN_KEYS_TRIED_MAX, TOKEN_LEEWAY_S, TOKEN_LIFETIME_S_MAX};
use cache::Cache;
pub use token::Part;
use token::{Header, Token};

/// Which check a token has failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// There is none.
    #[error("no token was sent")]
    Missing,
    /// Over the bound.
    #[error("the token is longer than {TOKEN_BYTES_MAX} bytes")]
    TooLong,
    /// Not header.payload.signature.
    #[error("the token is not a signed token in compact form (three parts with dots between)")]
    NotCompact,
    /// A part is not base64url as RFC 7515 has it.
    #[error("the token's {0} is not base64url without padding")]
    Encoding(Part),
    /// A part is not a JSON object, or too deep a one.
    #[error("the token's {0} is not a JSON object")]
    Json(Part),
    /// Two readers could take such an object for two different things.
    #[error("the token's {0} has a key twice")]
    DuplicateKey(Part),
    /// `alg` is missing or another than these.
    #[error("the token's algorithm is not one of RS256, ES256, EdDSA")]
    Algorithm,
    /// `crit`: an extension that must be understood.
    #[error("the token has a critical extension")]
    Critical,
    /// `kid` is no text.
    #[error("the token's key id is not a text")]
    KeyId,
    /// A claim that has to be there is not.
    #[error("the token has no claim {0}")]
    ClaimMissing(&'static str),
    /// A claim has another type or form than it must have.
    #[error("the token's claim {0} is not of the form it must have")]
    ClaimForm(&'static str),
    /// `iss` names none of the policy's issuers.
    #[error("the token's issuer is not one that policy knows")]
    UnknownIssuer,
    /// mgmt has not sent this issuer's keys.
    #[error("the keys of the token's issuer are not known yet")]
    NoKeys,
    /// The issuer has no key by the token's key id, or none for its algorithm.
    #[error("the token's key is not among its issuer's keys")]
    UnknownKey,
    /// The key is for another algorithm.
    #[error("the token's algorithm is not its key's")]
    KeyAlgorithm,
    /// The signature is not this key's over this token.
    #[error("the token's signature is wrong")]
    Signature,
    /// `aud` does not have the issuer's audience.
    #[error("the token is for another audience")]
    Audience,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is to come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iat` is to come.
    #[error("the token was issued in the future")]
    IssuedInFuture,
    /// `exp` is too far away.
    #[error("the token expires later than {} days from now", TOKEN_LIFETIME_S_MAX / 86400)]
    LivesTooLong,
    /// Policy refuses tokens with such claims, or cannot map them.
    #[error("the token is refused by policy: {0}")]
    Refused(String),
}

/// A token that has passed every check.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Subject, requester and groups.
    pub identity: Identity,
    /// The issuer's URL.
    pub issuer: String,
    /// All claims as a JSON object, keys sorted, escapes resolved: for the evidence. The caller masks it first.
    pub claims_json: String,
    /// Names the token to the ledger: a hash of `iss` and `jti`, or, without `jti`, of what was signed (not of the
    /// signature: some have several that verify).
    pub token_id: [u8; 32],
    /// `exp`, Unix seconds.
    pub expires_s: u64,
    /// What its first use binds it to.
    pub binding: Bind,
}

/// What verification needs of policy.
trait Issuers {
    /// The audience that tokens of the issuer with exactly this URL must name; `None`: there is no such issuer.
    fn audience<'a>(&'a self, issuer: &str) -> Option<&'a str>;
    /// Maps verified claims; or says why they are refused.
    fn identify(&self, issuer: &str, claims: &Value) -> Result<Identity, IdentityError>;
}

impl Issuers for Snapshot {
    fn audience<'a>(&'a self, issuer: &str) -> Option<&'a str> {
        self.issuer_by_url(issuer).map(|issuer| issuer.audience)
    }

    fn identify(&self, issuer: &str, claims: &Value) -> Result<Identity, IdentityError> {
        let issuer = self.issuer_by_url(issuer).ok_or(IdentityError::UnknownIssuer)?;
        Snapshot::identify(self, &issuer, claims).map_err(|refused| IdentityError::Refused(refused.reason))
    }
}

/// A token whose signature is right.
struct Proven {
    issuer: String,
    /// The key that verified it: a token stays proven only while its issuer has this key.
    key: VerificationKey,
    claims: Value,
    token_id: [u8; 32],
}

/// Checks tokens; remembers those whose signature was right, so that a job's many sessions cost one verification.
/// Everything that may change while a token lives (time, keys, policy) is checked anew each time.
pub struct Verifier {
    cache: Cache,
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new()
    }
}

impl Verifier {
    /// Remembers nothing yet.
    pub fn new() -> Self {
        Self { cache: Cache::new(crate::limits::TOKENS_CACHED_MAX) }
    }

    /// Checks a token at `now_s`, Unix seconds.
    ///
    /// # Errors
    /// The first check that it fails.
    pub fn verify(
        &mut self,
        token: &[u8],
        keys: &[IssuerKeys],
        snapshot: &Snapshot,
        now_s: u64,
    ) -> Result<Verified, IdentityError> {
        self.check(token, keys, snapshot, now_s)
    }

    fn check(
        &mut self,
        token: &[u8],
        keys: &[IssuerKeys],
        issuers: &impl Issuers,
        now_s: u64,
    ) -> Result<Verified, IdentityError> {
        if token.is_empty() {
            return Err(IdentityError::Missing);
        }
        if token.len() > TOKEN_BYTES_MAX {
            return Err(IdentityError::TooLong);
        }
        let hash = sha256(&[token]);
        if let Some(proven) = self.cache.find(&hash).filter(|proven| has_key(keys, proven)) {
            return judge(proven, issuers, now_s);
        }
        let proven = prove(token, keys, issuers)?;
        let verified = judge(&proven, issuers, now_s)?;
        self.cache.put(hash, proven);
        Ok(verified)
    }
}

/// Whether the key that verified a token is still its issuer's.
fn has_key(keys: &[IssuerKeys], proven: &Proven) -> bool {
    keys.iter().filter(|of| of.issuer == proven.issuer).any(|of| of.keys.contains(&proven.key))
}

/// Parses a token and checks its signature by a key of the issuer that it names.
fn prove(token: &[u8], keys: &[IssuerKeys], issuers: &impl Issuers) -> Result<Proven, IdentityError> {
    let Token { signed, header, claims, signature } = token::parse(token)?;
    let issuer = claims::text(&claims, "iss")?.ok_or(IdentityError::ClaimMissing("iss"))?;
    if issuers.audience(issuer).is_none() {
        return Err(IdentityError::UnknownIssuer);
    }
    let keys = keys.iter().find(|of| of.issuer == issuer).filter(|of| !of.keys.is_empty());
    let keys = &keys.ok_or(IdentityError::NoKeys)?.keys;
    let key = candidates(&header, keys)?
        .into_iter()
        .find(|key| is_signed_by(key, signed, &signature))
        .ok_or(IdentityError::Signature)?
        .clone();
    let token_id = match claims::text(&claims, "jti")? {
        // The length keeps one issuer's name from running into the id.
        Some(id) => sha256(&[b"jti", &(issuer.len() as u64).to_be_bytes(), issuer.as_bytes(), id.as_bytes()]),
        None => sha256(&[b"token", signed]),
    };
    Ok(Proven { issuer: issuer.to_owned(), key, token_id, claims })
}

/// The keys that a header allows: by its key id, else all of its algorithm; a few at the most.
fn candidates<'a>(
    header: &Header,
    keys: &'a [VerificationKey],
) -> Result<Vec<&'a VerificationKey>, IdentityError> {
    let is_named = |key: &&VerificationKey| header.key_id.as_ref().is_none_or(|id| *id == key.id);
    let mut named = keys.iter().filter(is_named).peekable();
    if named.peek().is_none() {
        return Err(IdentityError::UnknownKey);
    }
    let fitting = named.filter(|key| key.algorithm == header.algorithm).take(TOKEN_KEYS_TRIED_MAX);
    let fitting: Vec<_> = fitting.collect();
    match (fitting.is_empty(), &header.key_id) {
        (false, _) => Ok(fitting),
        (true, Some(_)) => Err(IdentityError::KeyAlgorithm),
        (true, None) => Err(IdentityError::UnknownKey),
    }
}

fn is_signed_by(key: &VerificationKey, signed: &[u8], signature: &[u8]) -> bool {
    let algorithm: &'static dyn VerificationAlgorithm = match key.algorithm {
        Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
        Algorithm::EdDsa => &ED25519,
    };
    UnparsedPublicKey::new(algorithm, &key.material).verify(signed, signature).is_ok()
}

/// Checks what a proven token claims, here and now.
fn judge(proven: &Proven, issuers: &impl Issuers, now_s: u64) -> Result<Verified, IdentityError> {
    let Proven { issuer, claims, .. } = proven;
    let audience = issuers.audience(issuer).ok_or(IdentityError::UnknownIssuer)?;
    if !claims::has_audience(claims, audience)? {
        return Err(IdentityError::Audience);
    }
    let expires_s = claims::seconds(claims, "exp")?.ok_or(IdentityError::ClaimMissing("exp"))?;
    if expires_s <= now_s {
        return Err(IdentityError::Expired);
    }
    if expires_s - now_s > TOKEN_LIFETIME_S_MAX {
        return Err(IdentityError::LivesTooLong);
    }
    let soon_s = now_s.saturating_add(TOKEN_LEEWAY_S);
    if claims::seconds(claims, "nbf")?.is_some_and(|from_s| from_s > soon_s) {
        return Err(IdentityError::NotYetValid);
    }
    if claims::seconds(claims, "iat")?.is_some_and(|issued_s| issued_s > soon_s) {
        return Err(IdentityError::IssuedInFuture);
    }
    claims::text(claims, "sub")?.ok_or(IdentityError::ClaimMissing("sub"))?;
    let identity = issuers.identify(issuer, claims)?;
    Ok(Verified {
        binding: identity.single_use,
        identity,
        issuer: issuer.clone(),
        claims_json: claims.to_string(),
        token_id: proven.token_id,
        expires_s,
    })
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests;
