//! Where the load may go: to loopback, or to the one host that was named a second time.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};

/// A server that load may go to.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// The name that its certificate must have.
    pub(crate) host: String,
    /// Where it is; looked up once, so that every connection goes to the same place.
    pub(crate) at: SocketAddr,
}

/// Looks the address up and refuses what was not allowed.
pub(crate) async fn resolve(text: &str, allow_remote: Option<&str>) -> Result<Address> {
    let (host, _) = text.rsplit_once(':').with_context(|| format!("--address {text}: must be host:port"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let found = tokio::net::lookup_host(text).await.with_context(|| format!("--address {text}"))?;
    let found: Vec<SocketAddr> = found.collect();
    let Some(at) = found.first().copied() else {
        bail!("--address {text}: no such host");
    };
    let loopback = found.iter().all(|address| address.ip().is_loopback());
    if !loopback && allow_remote != Some(host.as_str()) {
        bail!("--address {text}: not loopback; if load on it is wanted, say --allow-remote {host}");
    }
    Ok(Address { host, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn loopback_is_allowed_and_others_only_by_name() {
        assert_eq!(resolve("127.0.0.1:1", None).await.unwrap().host, "127.0.0.1");
        assert_eq!(resolve("[::1]:1", None).await.unwrap().host, "::1");
        assert!(
            resolve("192.0.2.1:1", None).await.unwrap_err().to_string().contains("--allow-remote 192.0.2.1")
        );
        assert!(resolve("192.0.2.1:1", Some("192.0.2.2")).await.is_err());
        assert!(resolve("192.0.2.1:1", Some("192.0.2.1")).await.is_ok());
        for bad in ["127.0.0.1", "127.0.0.1:", "127.0.0.1:x", ""] {
            assert!(resolve(bad, None).await.is_err(), "{bad}");
        }
    }
}
