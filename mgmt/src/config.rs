//! The boot file of `pangate-mgmt` (YAML), parsed into types once. Leaves out manifests: those are policy, and change
//! while mgmt runs.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

/// Bytes of the file at the most.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// `maxAge` is between these, seconds.
const MAX_AGE_S: std::ops::RangeInclusive<u64> = 60..=30 * 86_400;
/// A development token lives at most this long, seconds.
const DEVELOPMENT_TTL_S_MAX: u64 = 86_400;
/// A request asked for ahead lives at most this long, seconds.
const REQUEST_TTL_S_MAX: u64 = 30 * 86_400;

/// Why the boot file is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{path}: {cause}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// Not the YAML that is asked for: an unknown key, a missing one, a wrong type. Names line and column.
    #[error("{path}: {message}", path = path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What and where.
        message: String,
    },
    /// Values that cannot be; all of them.
    #[error("{path}: {mistakes}", path = path.display(), mistakes = mistakes.join("; "))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// One a value.
        mistakes: Vec<String>,
    },
}

/// The boot file.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Where HTTPS is served.
    pub listen: SocketAddr,
    /// Certificate and key of HTTPS.
    pub tls: Tls,
    /// SQLite file; made if absent.
    pub store: PathBuf,
    /// Unix socket for the dataplane; made at start.
    pub link: PathBuf,
    /// Users that the dataplane may run as, beside root and mgmt's own.
    #[serde(default)]
    pub link_uids: Vec<u32>,
    /// Folder of manifests to apply at start where they have changed since they were last applied from there.
    #[serde(default)]
    pub manifests: Option<PathBuf>,
    /// Where the dataplane writes evidence, and the keys to read it.
    pub evidence: Evidence,
    /// Groups that have roles. Reviewers follow from the rules.
    #[serde(default)]
    pub roles: Roles,
    /// How long the dataplane may go on under a snapshot without hearing from mgmt.
    #[serde(default = "day")]
    pub max_age: Seconds,
    /// PEM file of certificate authorities that issuers' certificates may come from, beside the system's.
    #[serde(default)]
    pub issuer_ca: Option<PathBuf>,
    /// The built-in issuer for development; off unless asked for.
    #[serde(default)]
    pub development_issuer: Option<DevelopmentIssuer>,
    /// How long a request asked for ahead stands, approved or not.
    #[serde(default = "day")]
    pub request_ttl: Seconds,
}

/// Certificate and key files, PEM.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Chain, the server's own first.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// Evidence files and keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evidence {
    /// Folder that the dataplane writes.
    pub dir: PathBuf,
    /// What opens the records' contents.
    pub sealing_key: PathBuf,
    /// What checks checkpoints.
    pub public_key: PathBuf,
}

/// Groups by role.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    /// May apply policy.
    #[serde(default)]
    pub admin: Vec<String>,
    /// May read all evidence.
    #[serde(default)]
    pub auditor: Vec<String>,
}

/// The built-in issuer.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DevelopmentIssuer {
    /// Whether it is served.
    pub enabled: bool,
    /// Its Ed25519 key (PKCS#8 in PEM); made if absent.
    pub key_file: PathBuf,
    /// How long its tokens live.
    #[serde(default = "ten_minutes")]
    pub ttl: Seconds,
    /// Its URL where `https://LISTEN/dev` is not how it is reached.
    #[serde(default)]
    pub url: Option<String>,
}

/// A span of time, written `90s`, `15m`, `2h` or `7d`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u64);

impl Config {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |cause| ConfigError::Read { path: path.to_owned(), cause };
        let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        if bytes > FILE_BYTES_MAX {
            let cause = std::io::Error::other(format!("{bytes} bytes are too many for a boot file"));
            return Err(unreadable(cause));
        }
        Self::parse(path, &std::fs::read_to_string(path).map_err(unreadable)?)
    }

    /// Reads the file's text; `path` is for messages.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let config: Self = serde_saphyr::from_str(text)
            .map_err(|error| ConfigError::Parse { path: path.to_owned(), message: error.to_string() })?;
        match config.mistakes() {
            mistakes if mistakes.is_empty() => Ok(config),
            mistakes => Err(ConfigError::Invalid { path: path.to_owned(), mistakes }),
        }
    }

    /// The development issuer where it is switched on.
    pub fn development(&self) -> Option<&DevelopmentIssuer> {
        self.development_issuer.as_ref().filter(|issuer| issuer.enabled)
    }

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if !MAX_AGE_S.contains(&self.max_age.0) {
            mistakes.push("maxAge must be between 1m and 30d".to_owned());
        }
        if self.request_ttl.0 == 0 || self.request_ttl.0 > REQUEST_TTL_S_MAX {
            mistakes.push("requestTtl must be between 1s and 30d".to_owned());
        }
        for (role, groups) in [("admin", &self.roles.admin), ("auditor", &self.roles.auditor)] {
            if groups.iter().any(|group| group.trim().is_empty()) {
                mistakes.push(format!("roles.{role} holds an empty group"));
            }
        }
        if let Some(issuer) = &self.development_issuer {
            if issuer.ttl.0 == 0 || issuer.ttl.0 > DEVELOPMENT_TTL_S_MAX {
                mistakes.push("developmentIssuer.ttl must be between 1s and 1d".to_owned());
            }
            if issuer.url.as_ref().is_some_and(|url| !url.starts_with("https://")) {
                mistakes.push("developmentIssuer.url must begin with https://".to_owned());
            }
        }
        mistakes
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl std::str::FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no span of time: write for example 90s, 15m, 2h or 7d");
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at(digits);
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        number.checked_mul(unit).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Debug for Seconds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}s", self.0)
    }
}

fn day() -> Seconds {
    Seconds(86_400)
}

fn ten_minutes() -> Seconds {
    Seconds(600)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
listen: 127.0.0.1:8443
tls: {cert: /etc/pangate/mgmt.pem, key: /etc/pangate/mgmt.key}
store: /var/lib/pangate/mgmt.sqlite
link: /run/pangate/link.sock
evidence: {dir: /var/lib/pangate/evidence, sealingKey: /etc/pangate/sealing.key, publicKey: /etc/pangate/evidence.pub}
";

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(Path::new("mgmt.yaml"), text)
    }

    #[test]
    fn the_shortest_file_has_the_safe_defaults() {
        let config = parse(GOOD).unwrap();
        assert_eq!(config.max_age, Seconds(86_400));
        assert!(config.development().is_none());
        assert!(config.roles.admin.is_empty() && config.link_uids.is_empty());
    }

    #[test]
    fn an_unknown_key_is_refused_by_name_and_place() {
        let message = parse(&format!("{GOOD}maxage: 5m\n")).unwrap_err().to_string();
        assert!(message.contains("maxage") && message.contains("line 7"), "{message}");
    }

    #[test]
    fn a_missing_key_is_named() {
        let message = parse(&GOOD.replace("store:", "link_uids: []\nstorage:")).unwrap_err().to_string();
        assert!(message.starts_with("mgmt.yaml: "), "{message}");
    }

    #[test]
    fn every_impossible_value_is_told_at_once() {
        let text = format!(
            "{GOOD}maxAge: 1s\nrequestTtl: 0s\nroles: {{admin: ['']}}\ndevelopmentIssuer: {{enabled: true, keyFile: k, ttl: 9d, url: 'http://x'}}\n"
        );
        let ConfigError::Invalid { mistakes, .. } = parse(&text).unwrap_err() else { panic!("not Invalid") };
        assert_eq!(mistakes.len(), 5, "{mistakes:?}");
    }

    #[test]
    fn a_development_issuer_that_is_not_enabled_is_off() {
        let text = format!("{GOOD}developmentIssuer: {{enabled: false, keyFile: k}}\n");
        assert!(parse(&text).unwrap().development().is_none());
    }

    #[test]
    fn spans_of_time() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("2h", 7200), ("7d", 604_800)] {
            assert_eq!(text.parse(), Ok(Seconds(seconds)));
        }
        for wrong in ["", "5", "m", "5 m", "-5m", "5w", "99999999999999999999s", "18446744073709551615d"] {
            assert!(wrong.parse::<Seconds>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_absent_file_is_told_by_its_path() {
        let message = Config::read(Path::new("/nonexistent/mgmt.yaml")).unwrap_err().to_string();
        assert!(message.starts_with("/nonexistent/mgmt.yaml: "), "{message}");
    }
}
