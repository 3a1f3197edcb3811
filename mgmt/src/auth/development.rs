//! The built-in issuer for development, demo and tests: an Ed25519 key in a file, tokens by command, discovery and keys
//! under `/dev`. Off unless asked for; trusted only where a manifest names it, like any other issuer.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::secret_file;

const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";

/// Why the issuer cannot work.
#[derive(Debug, thiserror::Error)]
pub enum DevelopmentError {
    /// The key file cannot be read or made.
    #[error("{path}: {cause}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file does not hold an Ed25519 key.
    #[error("{path}: no Ed25519 key in PKCS#8 and PEM", path = path.display())]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// No random numbers.
    #[error("no random numbers from the system")]
    NoRandom,
}

/// What a token is to say.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    /// `sub`.
    pub subject: String,
    /// `aud`.
    pub audience: String,
    /// `groups`.
    pub groups: Vec<String>,
    /// `requester`; empty: no such claim.
    pub requester: String,
    /// `iat` and `nbf`, Unix seconds.
    pub issued_s: u64,
    /// `exp`, Unix seconds.
    pub expires_s: u64,
}

/// The issuer.
pub struct DevelopmentIssuer {
    url: String,
    key: Ed25519KeyPair,
    key_id: String,
}

impl DevelopmentIssuer {
    /// Reads the key file, or makes it.
    pub fn open(key_file: &Path, url: &str) -> Result<Self, DevelopmentError> {
        let failed = |cause| DevelopmentError::File { path: key_file.to_owned(), cause };
        if !key_file.exists() {
            let made = Ed25519KeyPair::generate().and_then(|key| key.to_pkcs8v1());
            let made = made.map_err(|_| DevelopmentError::NoRandom)?;
            let body = Zeroizing::new(STANDARD.encode(made.as_ref()));
            let pem = Zeroizing::new(format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", *body));
            match secret_file::create(key_file, &pem) {
                // Another process was quicker: its key it is.
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                other => other.map_err(failed)?,
            }
        }
        let text = secret_file::read(key_file).map_err(failed)?;
        let key = parse(&text).ok_or_else(|| DevelopmentError::Key { path: key_file.to_owned() })?;
        let digest = Sha256::digest(key.public_key().as_ref());
        let key_id = URL_SAFE_NO_PAD.encode(digest.get(..8).unwrap_or_default());
        Ok(Self { url: url.trim_end_matches('/').to_owned(), key, key_id })
    }

    /// Its URL, the `iss` of its tokens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A token.
    pub fn token(&self, claims: &Claims) -> Result<Zeroizing<String>, DevelopmentError> {
        let mut number = [0_u8; 16];
        getrandom::fill(&mut number).map_err(|_| DevelopmentError::NoRandom)?;
        let mut body = json!({
            "iss": self.url,
            "sub": claims.subject,
            "aud": claims.audience,
            "iat": claims.issued_s,
            "nbf": claims.issued_s,
            "exp": claims.expires_s,
            "jti": URL_SAFE_NO_PAD.encode(number),
            "groups": claims.groups,
        });
        if let (false, Some(body)) = (claims.requester.is_empty(), body.as_object_mut()) {
            body.insert("requester".to_owned(), Value::from(claims.requester.as_str()));
        }
        Ok(self.sign(&body))
    }

    /// Signs any claims: tests make the tokens that no issuer would.
    pub fn sign(&self, claims: &Value) -> Zeroizing<String> {
        let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": self.key_id}).to_string();
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()));
        Zeroizing::new(format!("{signed}.{signature}"))
    }

    /// What `…/.well-known/openid-configuration` says.
    pub fn discovery(&self) -> Value {
        json!({
            "issuer": self.url,
            "jwks_uri": format!("{}/jwks", self.url),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA"],
            "claims_supported": ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "groups", "requester"],
        })
    }

    /// What `…/jwks` says.
    pub fn keys(&self) -> Value {
        json!({"keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": "EdDSA",
            "kid": self.key_id,
            "x": URL_SAFE_NO_PAD.encode(self.key.public_key()),
        }]})
    }
}

impl std::fmt::Debug for DevelopmentIssuer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "DevelopmentIssuer({})", self.url)
    }
}

fn parse(pem: &str) -> Option<Ed25519KeyPair> {
    let body = pem.trim().strip_prefix(PEM_BEGIN)?.strip_suffix(PEM_END)?;
    let body: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
    let der = Zeroizing::new(STANDARD.decode(body.as_bytes()).ok()?);
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("dev.key");
        let first = DevelopmentIssuer::open(&file, "https://127.0.0.1:1/dev/").unwrap();
        let second = DevelopmentIssuer::open(&file, "https://127.0.0.1:1/dev").unwrap();
        assert_eq!(first.keys(), second.keys());
        assert_eq!(first.url(), "https://127.0.0.1:1/dev");
    }

    #[test]
    fn a_file_without_such_a_key_is_refused_without_saying_what_it_holds() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("dev.key");
        std::fs::write(&file, "hush").unwrap();
        let error = DevelopmentIssuer::open(&file, "https://x/dev").unwrap_err();
        assert!(matches!(error, DevelopmentError::Key { .. }));
        assert!(!error.to_string().contains("hush"));
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let error = DevelopmentIssuer::open(Path::new("/nonexistent/dev.key"), "https://x/dev").unwrap_err();
        assert!(matches!(error, DevelopmentError::File { .. }));
    }
}
