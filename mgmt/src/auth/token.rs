//! Signed tokens (RFC 7519 in RFC 7515's compact form): what the dataplane checks of a job's token, checked here of a
//! REST caller's: signature, issuer, audience, expiry, not-before. Leaves out groups and refused claims, which are the
//! snapshot's, and single use, which is for sessions. Errors never hold a piece of the token.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policies::link::{Algorithm, VerificationKey};
use serde_json::Value;

use super::json;

/// Bytes of a token at the most.
pub const TOKEN_BYTES_MAX: usize = 16 << 10;
/// An issuer's clock may be ahead so much, seconds. `exp` has no leeway.
pub const LEEWAY_S: u64 = 60;
/// Tokens live so long at the most, seconds.
pub const LIFETIME_S_MAX: u64 = 7 * 24 * 3600;
/// Keys that are tried for a token without `kid`, at the most.
const TRIES_MAX: usize = 8;

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than [`TOKEN_BYTES_MAX`].
    #[error("the token is too long")]
    TooLong,
    /// Not three parts of base64url, or not JSON in them.
    #[error("the token is malformed")]
    Malformed,
    /// Signed in a way that is not accepted, or with header extensions that must be understood.
    #[error("the token is signed in a way that is not accepted (RS256, ES256 and EdDSA are)")]
    Algorithm,
    /// Of an issuer that the policy in force does not name.
    #[error("the token's issuer is not known")]
    UnknownIssuer,
    /// Signed with a key that the issuer does not publish, as far as is known now.
    #[error("the token's key is not known")]
    UnknownKey,
    /// The signature does not verify.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// For somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// No `exp`.
    #[error("the token has no expiry")]
    NoExpiry,
    /// `exp` is over.
    #[error("the token has expired")]
    Expired,
    /// `exp` is more than [`LIFETIME_S_MAX`] away.
    #[error("the token lives longer than {} days", LIFETIME_S_MAX / 86_400)]
    LivesTooLong,
    /// `nbf` or `iat` is to come.
    #[error("the token is not valid yet")]
    NotYet,
}

/// A token, taken apart; nothing of it is believed yet.
pub struct Unverified<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    algorithm: Algorithm,
    key_id: Option<String>,
    claims: Value,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart.
    pub fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Malformed);
        let object = |text: &str| json::object(&decode(text)?).ok_or(TokenError::Malformed);
        let (header, claims) = (object(header)?, object(claims)?);
        if header.get("crit").is_some() {
            return Err(TokenError::Algorithm);
        }
        let algorithm = match header.get("alg").and_then(Value::as_str) {
            Some("RS256") => Algorithm::Rs256,
            Some("ES256") => Algorithm::Es256,
            Some("EdDSA") => Algorithm::EdDsa,
            _ => return Err(TokenError::Algorithm),
        };
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return Err(TokenError::Malformed),
        };
        Ok(Self { signed, signature: decode(signature)?, algorithm, key_id, claims })
    }

    /// The issuer that the token says it is of: tells which keys to verify it with.
    pub fn issuer(&self) -> Result<&str, TokenError> {
        self.claims.get("iss").and_then(Value::as_str).ok_or(TokenError::Malformed)
    }

    /// Verifies the signature with one of these keys, then audience and times.
    pub fn verify(self, keys: &[VerificationKey], audience: &str, now_s: u64) -> Result<Value, TokenError> {
        let fits = |key: &&VerificationKey| {
            key.algorithm == self.algorithm && self.key_id.as_ref().is_none_or(|id| *id == key.id)
        };
        let mut tried = false;
        let verified = keys.iter().filter(fits).take(TRIES_MAX).any(|key| {
            tried = true;
            // Each key is bound to one algorithm: what the token's header says never makes it another.
            let verifier: &'static dyn VerificationAlgorithm = match key.algorithm {
                Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
                Algorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
                Algorithm::EdDsa => &ED25519,
            };
            let key = UnparsedPublicKey::new(verifier, &key.material);
            key.verify(self.signed.as_bytes(), &self.signature).is_ok()
        });
        match (verified, tried) {
            (true, _) => {}
            (false, true) => return Err(TokenError::BadSignature),
            (false, false) => return Err(TokenError::UnknownKey),
        }
        check_audience(&self.claims, audience)?;
        check_times(&self.claims, now_s)?;
        Ok(self.claims)
    }
}

fn check_audience(claims: &Value, audience: &str) -> Result<(), TokenError> {
    let found = match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(audience)),
        _ => false,
    };
    if found { Ok(()) } else { Err(TokenError::Audience) }
}

fn check_times(claims: &Value, now_s: u64) -> Result<(), TokenError> {
    let expires = time(claims.get("exp").ok_or(TokenError::NoExpiry)?)?;
    if expires <= now_s {
        return Err(TokenError::Expired);
    }
    if expires - now_s > LIFETIME_S_MAX {
        return Err(TokenError::LivesTooLong);
    }
    for name in ["nbf", "iat"] {
        let begins = claims.get(name).map(time).transpose()?;
        if begins.is_some_and(|begins| begins > now_s.saturating_add(LEEWAY_S)) {
            return Err(TokenError::NotYet);
        }
    }
    Ok(())
}

/// RFC 7519's NumericDate; a fraction of a second is cut off, a date before 1970 is none.
fn time(value: &Value) -> Result<u64, TokenError> {
    let seconds = value.as_u64().or_else(|| value.as_f64().filter(|s| *s >= 0.0).map(|s| s as u64));
    seconds.ok_or(TokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::development::DevelopmentIssuer;
    use crate::publish::jwk;

    const NOW: u64 = 1_800_000_000;

    struct Issued {
        issuer: DevelopmentIssuer,
        keys: Vec<VerificationKey>,
        _dir: tempfile::TempDir,
    }

    fn issuer() -> Issued {
        let dir = tempfile::tempdir().unwrap();
        let issuer = DevelopmentIssuer::open(&dir.path().join("key"), "https://dev.test/dev").unwrap();
        let key = serde_json::from_value(issuer.keys()["keys"][0].clone()).unwrap();
        Issued { keys: vec![jwk::convert(&key).unwrap()], issuer, _dir: dir }
    }

    fn claims() -> Value {
        json!({"iss": "https://dev.test/dev", "sub": "job", "aud": "pangate", "exp": NOW + 60, "nbf": NOW})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn verify(claims: &Value) -> Result<Value, TokenError> {
        let issued = issuer();
        let token = issued.issuer.sign(claims);
        Unverified::parse(&token)?.verify(&issued.keys, "pangate", NOW)
    }

    #[test]
    fn a_good_token_gives_its_claims() {
        assert_eq!(verify(&claims()), Ok(claims()));
        assert!(verify(&with("aud", json!(["other", "pangate"]))).is_ok());
        assert!(verify(&with("exp", json!(NOW as f64 + 1.5))).is_ok());
    }

    #[test]
    fn audience_and_times_are_checked() {
        assert_eq!(verify(&with("aud", json!("other"))), Err(TokenError::Audience));
        assert_eq!(verify(&with("aud", json!(["pangate2"]))), Err(TokenError::Audience));
        assert_eq!(verify(&with("exp", json!(NOW))), Err(TokenError::Expired));
        assert_eq!(verify(&with("exp", json!(NOW + LIFETIME_S_MAX + 1))), Err(TokenError::LivesTooLong));
        assert_eq!(verify(&with("iat", json!(NOW + LEEWAY_S + 1))), Err(TokenError::NotYet));
        assert_eq!(verify(&with("exp", json!("soon"))), Err(TokenError::Malformed));
        assert_eq!(verify(&with("nbf", json!(NOW + LEEWAY_S + 1))), Err(TokenError::NotYet));
        let mut endless = claims();
        endless.as_object_mut().unwrap().remove("exp");
        assert_eq!(verify(&endless), Err(TokenError::NoExpiry));
    }

    #[test]
    fn another_key_or_a_changed_byte_is_refused() {
        let (mine, other) = (issuer(), issuer());
        let token = mine.issuer.sign(&claims());
        let unverified = Unverified::parse(&token).unwrap();
        assert_eq!(unverified.verify(&other.keys, "pangate", NOW), Err(TokenError::UnknownKey));
        let renamed = VerificationKey { id: mine.keys[0].id.clone(), ..other.keys[0].clone() };
        let unverified = Unverified::parse(&token).unwrap();
        assert_eq!(unverified.verify(&[renamed], "pangate", NOW), Err(TokenError::BadSignature));
        let (head, tail) = token.rsplit_once('.').unwrap();
        let forged = format!("{}.{tail}", head.replacen('A', "B", 1));
        if let Ok(unverified) = Unverified::parse(&forged) {
            assert!(unverified.verify(&mine.keys, "pangate", NOW).is_err());
        }
    }

    #[test]
    fn a_header_never_chooses_a_weaker_way() {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        for alg in ["none", "None", "HS256", "RS384", "PS256", ""] {
            let token = format!("{}.{}.", part(json!({"alg": alg})), part(claims()));
            assert_eq!(Unverified::parse(&token).err(), Some(TokenError::Algorithm), "{alg}");
        }
        let token = format!("{}.{}.", part(json!({"alg": "EdDSA", "crit": ["b64"]})), part(claims()));
        assert_eq!(Unverified::parse(&token).err(), Some(TokenError::Algorithm));
        let token = format!("{}.{}.AAAA", part(json!({"alg": "EdDSA", "kid": 7})), part(claims()));
        assert_eq!(Unverified::parse(&token).err(), Some(TokenError::Malformed));
        let token = format!("{}.{}.AAAA", part(json!({"alg": "RS256"})), part(claims()));
        let unverified = Unverified::parse(&token).unwrap();
        assert_eq!(unverified.verify(&issuer().keys, "pangate", NOW), Err(TokenError::UnknownKey));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", "a.b", "a.b.c", "....", "W10.e30.", "e30.W10.e30"] {
            assert_eq!(Unverified::parse(text).err(), Some(TokenError::Malformed), "{text}");
        }
        assert_eq!(Unverified::parse(&"a".repeat(TOKEN_BYTES_MAX + 1)).err(), Some(TokenError::TooLong));
    }
}
