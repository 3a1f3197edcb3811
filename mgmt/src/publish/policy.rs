//! Versions of the policy: manifests are checked, compiled, given the next number, kept, and shown to whoever
//! subscribes. Manifests with mistakes change nothing. Leaves out what they mean: that is crate policies'.

use std::path::Path;
use std::sync::Arc;

use policies::snapshot::{Snapshot, SnapshotError};
use policies::{compile, manifest};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::events::Events;
use super::folder::{self, FolderError};
use crate::api::types::{Diagnostic, PolicyFile};
use crate::clock::Clock;
use crate::store::{PolicySource, PolicyVersion, Store, StoreError, policy};

/// Who applies what no person applied.
const MGMT: &str = "mgmt";

/// Why a policy was not applied.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Mistakes in the manifests; all of them.
    #[error("{} in the manifests", count(.0.len()))]
    Refused(Vec<Diagnostic>),
    /// The folder gives no manifests.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// What was compiled cannot be read back: a fault of pangate's.
    #[error("the compiled policy does not open: {0}")]
    Snapshot(#[from] SnapshotError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The policy in force.
#[derive(Debug)]
pub struct Published {
    /// Its version.
    pub version: u64,
    /// Who applied it.
    pub author: String,
    /// When.
    pub applied_ms: u64,
    /// The manifests.
    pub files: Vec<PolicyFile>,
    /// The snapshot, opened.
    pub snapshot: Snapshot,
    /// The snapshot's bytes.
    pub bytes: Vec<u8>,
    files_digest: [u8; 32],
}

/// What applying came to.
#[derive(Debug)]
pub struct Applied {
    /// The version in force afterwards; of a dry run the one it would get.
    pub version: u64,
    /// Nothing was done, as nothing has changed.
    pub unchanged: bool,
    /// What is allowed but hardly meant.
    pub warnings: Vec<Diagnostic>,
}

/// Keeps the policy in force.
#[derive(Debug)]
pub struct Publisher {
    store: Store,
    clock: Clock,
    events: Events,
    max_age_s: u64,
    current: watch::Sender<Option<Arc<Published>>>,
    /// One applies at a time.
    applying: tokio::sync::Mutex<()>,
}

impl Publisher {
    /// Takes the newest version of the store up again. One that this mgmt reads no more, or that was compiled for
    /// another maxAge, is compiled anew from its manifests, as a new version.
    pub async fn open(
        store: Store,
        clock: Clock,
        events: Events,
        max_age_s: u64,
    ) -> Result<Self, PolicyError> {
        let (current, _) = watch::channel(None);
        let applying = tokio::sync::Mutex::new(());
        let publisher = Self { store, clock, events, max_age_s, current, applying };
        if let Some(stored) = publisher.store.newest_policy().await? {
            match Snapshot::open(&stored.snapshot) {
                Ok(snapshot) if snapshot.max_age_s() == max_age_s => publisher.show(stored, snapshot),
                _ => {
                    publisher.apply(stored.files, MGMT, stored.source, false).await?;
                }
            }
        }
        Ok(publisher)
    }

    /// The policy in force.
    pub fn current(&self) -> Option<Arc<Published>> {
        self.current.borrow().clone()
    }

    /// Follows the policy in force.
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<Published>>> {
        self.current.subscribe()
    }

    /// Applies a folder's manifests where they are others than those last applied from it.
    pub async fn apply_folder(&self, path: &Path) -> Result<Option<Applied>, PolicyError> {
        let files = folder::read(path)?;
        if self.store.newest_folder_digest().await? == Some(digest(&files)) {
            return Ok(None);
        }
        self.apply(files, MGMT, PolicySource::Folder, false).await.map(Some)
    }

    /// Checks and compiles manifests and, but for a dry run, puts them in force.
    pub async fn apply(
        &self,
        files: Vec<PolicyFile>,
        author: &str,
        source: PolicySource,
        dry_run: bool,
    ) -> Result<Applied, PolicyError> {
        let _applying = self.applying.lock().await;
        let files_digest = digest(&files);
        let current = self.current();
        let same = current.as_ref().filter(|current| {
            current.files_digest == files_digest && current.snapshot.max_age_s() == self.max_age_s
        });
        let mut transaction = self.store.write().await?;
        let next = policy::next_version_in(&mut transaction).await?;
        let compiled = match compile(&files, next, self.max_age_s) {
            Ok(compiled) => compiled,
            Err(mistakes) => {
                drop(transaction);
                self.tell_refusal(author, &mistakes, dry_run).await?;
                return Err(PolicyError::Refused(mistakes));
            }
        };
        let Compiled { bytes, warnings } = compiled;
        if let Some(same) = same {
            return Ok(Applied { version: same.version, unchanged: true, warnings });
        }
        let snapshot = Snapshot::open(&bytes)?;
        if dry_run {
            return Ok(Applied { version: next, unchanged: false, warnings });
        }
        let version = PolicyVersion {
            version: next,
            applied_ms: self.clock.now_ms(),
            author: author.to_owned(),
            source,
            files,
            files_digest,
            snapshot: bytes,
        };
        policy::add_version_in(&mut transaction, &version).await?;
        let text = format!("version {next}, snapshot {}", hex(&snapshot.digest()));
        self.events.add_in(&mut transaction, "policy-applied", author, &text).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        self.events.wake();
        tracing::info!(version = next, author, "policy applied");
        self.show(version, snapshot);
        Ok(Applied { version: next, unchanged: false, warnings })
    }

    async fn tell_refusal(
        &self,
        author: &str,
        mistakes: &[Diagnostic],
        dry_run: bool,
    ) -> Result<(), StoreError> {
        if dry_run {
            return Ok(());
        }
        let text = format!("{} in the manifests", count(mistakes.len()));
        self.events.add("policy-refused", author, &text).await
    }

    fn show(&self, stored: PolicyVersion, snapshot: Snapshot) {
        let PolicyVersion { version, applied_ms, author, files, files_digest, snapshot: bytes, .. } = stored;
        let published = Published { version, author, applied_ms, files, snapshot, bytes, files_digest };
        self.current.send_replace(Some(Arc::new(published)));
    }
}

/// A policy, compiled.
struct Compiled {
    bytes: Vec<u8>,
    warnings: Vec<Diagnostic>,
}

fn compile(files: &[PolicyFile], version: u64, max_age_s: u64) -> Result<Compiled, Vec<Diagnostic>> {
    let texts: Vec<(&str, &str)> =
        files.iter().map(|file| (file.name.as_str(), file.text.as_str())).collect();
    let show = |found: Vec<compile::Diagnostic>| found.into_iter().map(show_diagnostic).collect::<Vec<_>>();
    let manifests = manifest::read(&texts).map_err(show)?;
    let compiled = compile::compile(&manifests, version, max_age_s).map_err(show)?;
    Ok(Compiled { bytes: compiled.snapshot, warnings: show(compiled.warnings) })
}

fn show_diagnostic(found: compile::Diagnostic) -> Diagnostic {
    Diagnostic {
        file: found.file,
        line: found.line,
        column: found.column,
        message: found.message,
        help: found.help.unwrap_or_default(),
    }
}

fn count(mistakes: usize) -> String {
    if mistakes == 1 { "1 mistake".to_owned() } else { format!("{mistakes} mistakes") }
}

/// SHA-256 over names and texts, each with its length before it.
fn digest(files: &[PolicyFile]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in files.iter().flat_map(|file| [&file.name, &file.text]) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
