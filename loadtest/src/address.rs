//! Where the load may go: to loopback, or to the one host that was named a second time.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};

/// A server that load may go to.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// The name that its certificate must have.
    pub(crate) host: String,
    /// Where it is; looked up once, so that every connection goes to the same place.
    pub(crate) at: SocketAddr,
}

/// An address that is none, or that load may not go to: wrong usage.
#[derive(Debug)]
pub(crate) struct Refused(String);

impl std::error::Error for Refused {}

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// Looks the address up and refuses what was not allowed.
pub(crate) async fn resolve(text: &str, allow_remote: Option<&str>) -> Result<Address> {
    let refused = |why: &str| Refused(format!("--address {text}: {why}"));
    let (host, port) = text.rsplit_once(':').ok_or_else(|| refused("must be host:port"))?;
    port.parse::<u16>().map_err(|_| refused("has no port number"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let found = tokio::net::lookup_host(text).await.with_context(|| format!("--address {text}"))?;
    let found: Vec<SocketAddr> = found.collect();
    let at = found.first().copied().with_context(|| format!("--address {text}: no such host"))?;
    let loopback = found.iter().all(|address| address.ip().is_loopback());
    if !loopback && allow_remote != Some(host.as_str()) {
        let why = format!("not loopback; if load on it is wanted, say --allow-remote {host}");
        return Err(refused(&why).into());
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
        for bad in ["127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "", "192.0.2.1:1"] {
            assert!(resolve(bad, None).await.unwrap_err().is::<Refused>(), "{bad}");
        }
    }
}
