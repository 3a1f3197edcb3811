//! Fetches an issuer's keys: OpenID Connect discovery, then the JWK set, over HTTPS alone, without redirects, bounded in
//! time and bytes. Leaves out when (keys.rs).

use std::sync::Arc;
use std::time::Duration;

use openidconnect::core::CoreJsonWebKeySet;
use openidconnect::{IssuerUrl, JsonWebKeySetUrl};
use policies::link::VerificationKey;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;

use super::jwk;

/// One request takes so long at the most.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of one answer at the most.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The issuer's URL, or that of its keys, is no `https` URL.
    #[error("{0} is no https URL")]
    Url(String),
    /// No connection, no valid certificate, no answer in time, not status 200.
    #[error("{url}: {cause}")]
    Http {
        /// What was asked for.
        url: String,
        /// What came instead.
        cause: String,
    },
    /// The answer is not what discovery or key sets look like.
    #[error("{url}: {cause}")]
    Malformed {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The document is another issuer's.
    #[error("{url}: says it is of issuer {found}")]
    OtherIssuer {
        /// What was asked for.
        url: String,
        /// Whose it is.
        found: String,
    },
    /// Keys, but none that is accepted.
    #[error("{url}: no usable key{reasons}")]
    NoKey {
        /// The key set.
        url: String,
        /// Why each was left out.
        reasons: String,
    },
}

/// What counts of a discovery document. openidconnect's own type asks for an authorization endpoint, which issuers of
/// workload tokens (GitHub Actions) do not have.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

/// Fetches keys.
#[derive(Debug, Clone)]
pub struct Fetcher {
    outside: reqwest::Client,
    /// Without the system's proxy: for issuers on this machine.
    loopback: reqwest::Client,
}

impl Fetcher {
    /// Trusts the system's authorities and `authorities`.
    pub fn new(authorities: &[CertificateDer<'static>]) -> Result<Self, reqwest::Error> {
        let mut roots = RootCertStore::empty();
        let native = rustls_native_certs::load_native_certs();
        for error in native.errors {
            tracing::warn!(%error, "a certificate authority of the system is not used");
        }
        roots.add_parsable_certificates(native.certs);
        roots.add_parsable_certificates(authorities.iter().cloned());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let build = |loopback: bool| {
            let tls = ClientConfig::builder_with_provider(provider.clone())
                .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12]);
            let Ok(tls) = tls else { return reqwest::Client::builder().build() };
            let tls = tls.with_root_certificates(roots.clone()).with_no_client_auth();
            let builder = reqwest::Client::builder()
                .use_preconfigured_tls(tls)
                .https_only(true)
                .redirect(reqwest::redirect::Policy::none())
                .timeout(REQUEST_TIMEOUT)
                .user_agent(concat!("pangate-mgmt/", env!("CARGO_PKG_VERSION")));
            if loopback { builder.no_proxy().build() } else { builder.build() }
        };
        Ok(Self { outside: build(false)?, loopback: build(true)? })
    }

    /// The keys that an issuer publishes now.
    pub async fn keys(&self, issuer: &str) -> Result<Vec<VerificationKey>, DiscoveryError> {
        let no_url = || DiscoveryError::Url(issuer.to_owned());
        let url = IssuerUrl::new(issuer.to_owned()).map_err(|_| no_url())?;
        let url = url.join(".well-known/openid-configuration").map_err(|_| no_url())?;
        let document = self.get(url.as_str()).await?;
        let document: Document = serde_json::from_slice(&document)
            .map_err(|error| DiscoveryError::Malformed { url: url.to_string(), cause: error.to_string() })?;
        if document.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
            return Err(DiscoveryError::OtherIssuer { url: url.to_string(), found: document.issuer });
        }
        let set_url = JsonWebKeySetUrl::new(document.jwks_uri.clone())
            .map_err(|_| DiscoveryError::Url(document.jwks_uri.clone()))?;
        let set = self.get(set_url.as_str()).await?;
        let set: CoreJsonWebKeySet = serde_json::from_slice(&set).map_err(|error| {
            DiscoveryError::Malformed { url: document.jwks_uri.clone(), cause: error.to_string() }
        })?;
        usable(&document.jwks_uri, &set)
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, DiscoveryError> {
        let failed = |cause: String| DiscoveryError::Http { url: url.to_owned(), cause };
        let parsed = reqwest::Url::parse(url).map_err(|_| DiscoveryError::Url(url.to_owned()))?;
        if parsed.scheme() != "https" {
            return Err(DiscoveryError::Url(url.to_owned()));
        }
        let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let local = host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        let client = if local { &self.loopback } else { &self.outside };
        let mut answer = client.get(parsed).send().await.map_err(|error| failed(cause_of(&error)))?;
        if answer.status() != 200 {
            return Err(failed(format!("status {}", answer.status().as_u16())));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| failed(cause_of(&error)))? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(failed(format!("more than {ANSWER_BYTES_MAX} bytes")));
            }
        }
        Ok(body)
    }
}

fn usable(url: &str, set: &CoreJsonWebKeySet) -> Result<Vec<VerificationKey>, DiscoveryError> {
    let mut reasons = Vec::new();
    let mut keys: Vec<VerificationKey> = Vec::new();
    for key in set.keys().iter().take(jwk::KEYS_MAX) {
        match jwk::convert(key) {
            Ok(key) => keys.push(key),
            Err(reason) => reasons.push(reason.to_string()),
        }
    }
    if !keys.is_empty() {
        return Ok(keys);
    }
    let reasons = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
    Err(DiscoveryError::NoKey { url: url.to_owned(), reasons })
}

/// An error with its causes: reqwest's own text leaves them out.
fn cause_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
