//! The boot configuration: one YAML file, parsed into types once; every error with its line. Leaves out policy (which
//! comes from mgmt) and the content of the files it names (see `tls`, `executor`).

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};
use zeroize::Zeroizing;

use crate::limits::{CONFIG_BYTES_MAX, SHARDS_MAX};

/// Bytes of an evidence segment where the configuration does not say.
const SEGMENT_BYTES: u64 = 256 * 1024 * 1024;
/// Bytes of an evidence segment at the least and at the most.
const SEGMENT_BYTES_RANGE: std::ops::RangeInclusive<u64> = 1024 * 1024..=64 * 1024 * 1024 * 1024;
/// Evidence is written in blocks of so many bytes.
const BLOCK_BYTES: u64 = 4096;
/// What the kernel keeps of a Unix socket's path, with its end.
const SOCKET_PATH_BYTES_MAX: usize = 107;

const EXAMPLE: &str = "\
# The name of this instance, in evidence and in mgmt: letters, digits, '-' and '_'.
instance: gateway-1
# Shards, one core each. 0, or nothing: as many as there are cores.
shards: 0
# The Unix socket on which mgmt listens.
link: /run/pangate/link.sock
# Where the last policy, the issuers' keys and the ledger of used tokens are kept. For this process alone.
stateDir: /var/lib/pangate/state
evidence:
  # Where evidence segments are written: a folder a shard.
  dir: /var/lib/pangate/evidence
  # Signs the checkpoints (made by `pangate-mgmt keygen`).
  signingKey: /etc/pangate/keys/evidence.signing
  # Seals the records.
  sealingKey: /etc/pangate/keys/evidence.sealing
  # A segment is closed at about this size: bytes, or with KiB, MiB or GiB.
  segmentBytes: 256MiB
# What clients are shown: certificate chain and private key, PEM.
tls:
  cert: /etc/pangate/tls/gateway.pem
  key: /etc/pangate/tls/gateway.key
  # Where this is set, clients are let in only with a certificate that this authority signs. Beside their token.
  # clientCa: /etc/pangate/tls/jobs-ca.pem
# How long sessions may go on when the process is told to end.
drainTimeout: 30s
# Where reviewers are sent, in the notice that a held command gives; may be left out.
approvalUrl: https://pangate.cde.internal:8443/
# The key for `mask: {pan: surrogate}`: 32 bytes, as they are or as 64 hexadecimal digits. Where it is left out, sessions
# under such a policy are refused. Every gateway that is to give the same surrogates has the same key.
# surrogateKeyFile: /etc/pangate/keys/surrogates
";

/// The boot configuration. Relative paths are taken from the folder of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// This instance's name.
    pub instance: String,
    /// Shards as configured; 0: one a core. See [`Config::shard_count`].
    pub shards: u16,
    /// mgmt's Unix socket.
    pub link: PathBuf,
    /// Last snapshot and keys, used tokens.
    pub state_dir: PathBuf,
    /// Evidence files.
    pub evidence: EvidenceConfig,
    /// The listeners' certificate.
    pub tls: TlsConfig,
    /// How long sessions may go on when the process is told to end.
    pub drain_timeout: Duration,
    /// Where reviewers approve what is held, for notices.
    pub approval_url: Option<String>,
    /// The key that surrogates of card numbers are made with; `None`: there are none.
    pub surrogate_key_file: Option<PathBuf>,
}

/// Evidence files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceConfig {
    /// Where segments are written.
    pub dir: PathBuf,
    /// C2SP note signer key.
    pub signing_key: PathBuf,
    /// 32 bytes, base64.
    pub sealing_key: PathBuf,
    /// Size at which a segment is closed; a multiple of 4096.
    pub segment_bytes: u64,
}

/// The listeners' certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// Certificate chain, PEM.
    pub cert: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
    /// The authority of the certificates that clients have to show, PEM; `None`: they show none.
    pub client_ca: Option<PathBuf>,
}

/// What is wrong with the boot configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file itself.
    #[error("{path}: cannot be read: {cause}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// More than a configuration.
    #[error("{path}: holds more than {CONFIG_BYTES_MAX} bytes")]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// What it says.
    #[error("{path}:{line}:{column}: {message}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// From 1; 0: the file as a whole.
        line: u64,
        /// From 1; 0: the file as a whole.
        column: u64,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// A file or folder that it names.
    #[error("{key}: {named}: {message}")]
    Path {
        /// The key, as `evidence.dir`.
        key: &'static str,
        /// What it names.
        named: PathBuf,
        /// What is wrong, and what would be right.
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Document {
    instance: Spanned<String>,
    shards: Option<Spanned<u16>>,
    link: Spanned<PathBuf>,
    state_dir: Spanned<PathBuf>,
    evidence: EvidenceSection,
    tls: TlsSection,
    drain_timeout: Option<Spanned<String>>,
    approval_url: Option<Spanned<String>>,
    surrogate_key_file: Option<Spanned<PathBuf>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct EvidenceSection {
    dir: Spanned<PathBuf>,
    signing_key: Spanned<PathBuf>,
    sealing_key: Spanned<PathBuf>,
    segment_bytes: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct TlsSection {
    cert: Spanned<PathBuf>,
    key: Spanned<PathBuf>,
    client_ca: Option<Spanned<PathBuf>>,
}

impl Config {
    /// A whole configuration with every key explained: documentation that a test keeps true.
    pub fn example() -> &'static str {
        EXAMPLE
    }

    /// Reads and parses the file at `path`; looks at nothing that it names.
    ///
    /// # Errors
    /// The file cannot be read, or what it says is wrong.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |cause| ConfigError::Unreadable { path: path.to_owned(), cause };
        let file = fs::File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(CONFIG_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() > CONFIG_BYTES_MAX {
            return Err(ConfigError::TooLong { path: path.to_owned() });
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| unreadable(io::Error::new(ErrorKind::InvalidData, "it is not UTF-8")))?;
        Self::parse(&text, path)
    }

    /// Parses `text`; `path` is where it lies, for messages and relative paths.
    ///
    /// # Errors
    /// What it says is wrong: a syntax error, a key that is missing or unknown, a value out of its range.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let reader = Reader { path };
        let document: Document = serde_saphyr::from_str(text).map_err(|error| {
            let location = error.location().unwrap_or(Location::UNKNOWN);
            reader.invalid(location, plain_message(&error))
        })?;
        let Document {
            instance,
            shards,
            link,
            state_dir,
            evidence,
            tls,
            drain_timeout,
            approval_url,
            surrogate_key_file,
        } = document;
        Ok(Self {
            instance: reader.instance(instance)?,
            shards: reader.shards(shards)?,
            link: reader.socket(link)?,
            state_dir: reader.path(state_dir)?,
            evidence: EvidenceConfig {
                dir: reader.path(evidence.dir)?,
                signing_key: reader.path(evidence.signing_key)?,
                sealing_key: reader.path(evidence.sealing_key)?,
                segment_bytes: reader.segment_bytes(evidence.segment_bytes)?,
            },
            tls: TlsConfig {
                cert: reader.path(tls.cert)?,
                key: reader.path(tls.key)?,
                client_ca: tls.client_ca.map(|path| reader.path(path)).transpose()?,
            },
            drain_timeout: reader.duration(drain_timeout, Duration::from_secs(30))?,
            approval_url: approval_url.map(|url| reader.url(url)).transpose()?,
            surrogate_key_file: surrogate_key_file.map(|path| reader.path(path)).transpose()?,
        })
    }

    /// How many shards there are on a machine of so many cores.
    pub fn shard_count(&self, cores: usize) -> usize {
        let most = usize::from(SHARDS_MAX);
        if self.shards == 0 { cores.clamp(1, most) } else { usize::from(self.shards) }
    }

    /// The end of the notice that a held command gives: where to approve it.
    pub fn approval_hint(&self) -> String {
        match &self.approval_url {
            Some(url) => format!("; approve it at {url} or by: pangate approvals"),
            None => "; approve it by: pangate approvals".to_owned(),
        }
    }

    /// Makes the state and evidence folders where they are missing (mode 0700; their parents must be there), and
    /// checks that the files are, and that private keys are not open to everybody.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn prepare(&self) -> Result<(), Vec<ConfigError>> {
        let checks = [
            folder("stateDir", &self.state_dir),
            folder("evidence.dir", &self.evidence.dir),
            secret_file("evidence.signingKey", &self.evidence.signing_key),
            secret_file("evidence.sealingKey", &self.evidence.sealing_key),
            file("tls.cert", &self.tls.cert).map(drop),
            secret_file("tls.key", &self.tls.key),
            self.tls.client_ca.as_ref().map_or(Ok(()), |path| file("tls.clientCa", path).map(drop)),
            self.surrogate_key().map(drop),
        ];
        let errors: Vec<_> = checks.into_iter().filter_map(Result::err).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// Where surrogates' key is named, in the configuration.
const SURROGATE_KEY: &str = "surrogateKeyFile";
/// More than 64 hexadecimal digits and the end of their line.
const SURROGATE_KEY_FILE_BYTES_MAX: u64 = 80;

impl Config {
    /// The key that surrogates are made with, where there is one. Its file is not open to everybody.
    ///
    /// # Errors
    /// The file cannot be read, is open to everybody, or holds something else. The error holds nothing of the key.
    pub fn surrogate_key(&self) -> Result<Option<Zeroizing<[u8; 32]>>, ConfigError> {
        let Some(path) = &self.surrogate_key_file else { return Ok(None) };
        secret_file(SURROGATE_KEY, path)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(SURROGATE_KEY_FILE_BYTES_MAX as usize));
        fs::File::open(path)
            .and_then(|file| file.take(SURROGATE_KEY_FILE_BYTES_MAX).read_to_end(&mut bytes))
            .map_err(|error| wrong(SURROGATE_KEY, path, error.to_string()))?;
        key_of(&bytes).map(Some).ok_or_else(|| {
            wrong(SURROGATE_KEY, path, "holds no key: 32 bytes, as they are or as 64 hexadecimal digits")
        })
    }
}

fn key_of(bytes: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    if let Ok(key) = <[u8; 32]>::try_from(bytes) {
        return Some(Zeroizing::new(key));
    }
    let mut key = Zeroizing::new([0; 32]);
    let (pairs, rest) = bytes.trim_ascii_end().as_chunks::<2>();
    if pairs.len() != key.len() || !rest.is_empty() {
        return None;
    }
    for (place, [high, low]) in key.iter_mut().zip(pairs) {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        *place = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
    }
    Some(key)
}

/// The library's message without its drawing of the place and without the position, which is put before it.
fn plain_message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let text = text.lines().next().unwrap_or_default();
    text.split(" at line ").next().unwrap_or(text).to_owned()
}

struct Reader<'a> {
    path: &'a Path,
}

impl Reader<'_> {
    fn invalid(&self, at: Location, message: impl Into<String>) -> ConfigError {
        ConfigError::Invalid {
            path: self.path.to_owned(),
            line: at.line(),
            column: at.column(),
            message: message.into(),
        }
    }

    fn instance(&self, name: Spanned<String>) -> Result<String, ConfigError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=63).contains(&name.value.len()) && name.value.bytes().all(is_plain) {
            return Ok(name.value);
        }
        Err(self.invalid(name.referenced, "instance: 1 to 63 letters, digits, '-' or '_'"))
    }

    fn shards(&self, shards: Option<Spanned<u16>>) -> Result<u16, ConfigError> {
        match shards {
            None => Ok(0),
            Some(shards) if shards.value <= SHARDS_MAX => Ok(shards.value),
            Some(shards) => {
                Err(self
                    .invalid(shards.referenced, format!("shards: at most {SHARDS_MAX}; 0 means one a core")))
            }
        }
    }

    fn path(&self, path: Spanned<PathBuf>) -> Result<PathBuf, ConfigError> {
        if path.value.as_os_str().is_empty() {
            return Err(self.invalid(path.referenced, "a path is empty"));
        }
        // An absolute path replaces the folder.
        Ok(self.path.parent().unwrap_or(Path::new("")).join(path.value))
    }

    fn socket(&self, path: Spanned<PathBuf>) -> Result<PathBuf, ConfigError> {
        let at = path.referenced;
        let path = self.path(path)?;
        if path.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
            let message =
                format!("link: the path of a Unix socket has at most {SOCKET_PATH_BYTES_MAX} bytes");
            return Err(self.invalid(at, message));
        }
        Ok(path)
    }

    fn segment_bytes(&self, size: Option<Spanned<String>>) -> Result<u64, ConfigError> {
        let Some(size) = size else { return Ok(SEGMENT_BYTES) };
        let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)];
        match quantity(&size.value, &units) {
            Some(bytes) if SEGMENT_BYTES_RANGE.contains(&bytes) && bytes % BLOCK_BYTES == 0 => Ok(bytes),
            _ => {
                let message =
                    "segmentBytes: a multiple of 4096 bytes from 1MiB to 64GiB, as 268435456 or 256MiB";
                Err(self.invalid(size.referenced, message))
            }
        }
    }

    fn url(&self, url: Spanned<String>) -> Result<String, ConfigError> {
        let is_web = url.value.starts_with("https://") || url.value.starts_with("http://");
        let is_plain = url.value.len() <= 255 && url.value.bytes().all(|byte| byte.is_ascii_graphic());
        if is_web && is_plain {
            return Ok(url.value);
        }
        Err(self.invalid(url.referenced, "approvalUrl: an http or https URL of at most 255 characters"))
    }

    fn duration(&self, text: Option<Spanned<String>>, default: Duration) -> Result<Duration, ConfigError> {
        let Some(text) = text else { return Ok(default) };
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
        quantity(&text.value, &units)
            .filter(|ms| *ms <= 24 * 3_600_000)
            .map(Duration::from_millis)
            .ok_or_else(|| {
                self.invalid(text.referenced, "drainTimeout: a duration up to 24h, as 500ms, 30s, 5m or 1h")
            })
    }
}

/// A whole number and its unit: the first of `units` that fits the end.
fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (digits, factor) =
        units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
    let digits = digits.trim_end();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse::<u64>().ok()?.checked_mul(factor) } else { None }
}

fn wrong(key: &'static str, named: &Path, message: impl Into<String>) -> ConfigError {
    ConfigError::Path { key, named: named.to_owned(), message: message.into() }
}

fn folder(key: &'static str, path: &Path) -> Result<(), ConfigError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(wrong(key, path, "is no folder")),
        Err(error) if error.kind() == ErrorKind::NotFound => match DirBuilder::new().mode(0o700).create(path)
        {
            // Another process may have made it at this very moment.
            Err(error) if !path.is_dir() => Err(wrong(key, path, format!("cannot be made: {error}"))),
            _ => Ok(()),
        },
        Err(error) => Err(wrong(key, path, error.to_string())),
    }
}

fn file(key: &'static str, path: &Path) -> Result<fs::Metadata, ConfigError> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(found),
        Ok(_) => Err(wrong(key, path, "is no regular file")),
        Err(error) => Err(wrong(key, path, error.to_string())),
    }
}

fn secret_file(key: &'static str, path: &Path) -> Result<(), ConfigError> {
    let mode = file(key, path)?.mode() & 0o777;
    if mode & 0o007 == 0 {
        return Ok(());
    }
    let message =
        format!("is open to every user (mode {mode:03o}): take away the rights of others (chmod o=)");
    Err(wrong(key, path, message))
}

#[cfg(test)]
mod tests;
