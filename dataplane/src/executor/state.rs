//! What mgmt sent last, kept in the state folder for a start without mgmt: the snapshot with the time of its last
//! confirmation, and the issuers' keys. Files of mode 0600, replaced whole.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use policies::link::{Decoder, IssuerKeys, ToDataplane, encode};
use policies::snapshot::Snapshot;

use super::commit::now;
use super::segments::write_whole;

const SNAPSHOT_FILE: &str = "snapshot";
const KEYS_FILE: &str = "issuer-keys";
const SNAPSHOT_MAGIC: &[u8; 8] = b"PGKEPT01";
const FILE_MODE: libc::mode_t = 0o600;

/// The state folder.
#[derive(Clone)]
pub(super) struct State {
    pub(super) folder: PathBuf,
}

/// A kept snapshot and how long ago mgmt confirmed it.
pub(super) struct Kept {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) age: Duration,
}

impl State {
    /// The kept snapshot. `Ok(None)`: there is none, or it is older than it may be.
    pub(super) fn snapshot(&self) -> Result<Option<Kept>, String> {
        let Some(bytes) = self.read(SNAPSHOT_FILE)? else { return Ok(None) };
        let broken = || format!("{}: not a kept snapshot", self.folder.join(SNAPSHOT_FILE).display());
        let (magic, rest) = bytes.split_first_chunk::<8>().ok_or_else(broken)?;
        let (at_us, bytes) = rest.split_first_chunk::<8>().ok_or_else(broken)?;
        if magic != SNAPSHOT_MAGIC {
            return Err(broken());
        }
        let snapshot = Snapshot::open(bytes).map_err(|error| error.to_string())?;
        // A clock that was put back makes no snapshot younger than new: one from the future is too old.
        let age = now().0.checked_sub(u64::from_le_bytes(*at_us)).map(Duration::from_micros);
        let max = Duration::from_secs(snapshot.max_age_s());
        Ok(age.filter(|age| *age <= max).map(|age| Kept { snapshot: Arc::new(snapshot), age }))
    }

    /// Keeps the bytes of a snapshot that was opened, as confirmed now.
    pub(super) async fn keep_snapshot(&self, snapshot: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(16 + snapshot.len());
        bytes.extend_from_slice(SNAPSHOT_MAGIC);
        bytes.extend_from_slice(&now().0.to_le_bytes());
        bytes.extend_from_slice(snapshot);
        write_whole(self.folder.join(SNAPSHOT_FILE), bytes, FILE_MODE).await
    }

    /// The kept keys.
    pub(super) fn keys(&self) -> Result<Option<Vec<IssuerKeys>>, String> {
        let Some(bytes) = self.read(KEYS_FILE)? else { return Ok(None) };
        let mut decoder = Decoder::new();
        decoder.push(&bytes);
        match decoder.next() {
            Ok(Some(ToDataplane::Keys(keys))) => Ok(Some(keys)),
            _ => Err(format!("{}: not kept keys", self.folder.join(KEYS_FILE).display())),
        }
    }

    /// Keeps the keys.
    pub(super) async fn keep_keys(&self, keys: &[IssuerKeys]) -> io::Result<()> {
        let bytes = encode(&ToDataplane::Keys(keys.to_vec())).map_err(io::Error::other)?;
        write_whole(self.folder.join(KEYS_FILE), bytes, FILE_MODE).await
    }

    fn read(&self, file: &str) -> Result<Option<Vec<u8>>, String> {
        let path = self.folder.join(file);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }
}
