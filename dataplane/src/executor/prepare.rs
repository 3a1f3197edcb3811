//! What a start needs before any executor: keys, folders, the lock, the list of logs, the right to lock memory.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use evidence::inventory;
use evidence::note::{NoteError, SignerKey};
use evidence::segment::SealError;
use evidence::verify::CHECKPOINT_FILE;
use rlimit::Resource;
use zeroize::Zeroizing;

use super::recovery::RecoveryError;

/// What glommio needs to be allowed to lock, and what is asked for.
const MEMLOCK_BYTES: (u64, u64) = (512 << 10, 1 << 30);
const FOLDER_MODE: u32 = 0o750;
const LOCK_FILE: &str = "lock";

/// Why the executors do not start. Says nothing of a key's bytes.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file system.
    #[error("{path}: {error}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it says.
        error: io::Error,
    },
    /// A key file does not hold the key that is due.
    #[error("{path}: {cause}")]
    BadKey {
        /// The key file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// Another process writes to the evidence folder.
    #[error("{0}: another process writes evidence here")]
    Locked(PathBuf),
    /// The list of logs is not one that this key has signed.
    #[error("{path}: {cause}; was it written under another signing key?")]
    BadInventory {
        /// The list.
        path: PathBuf,
        /// What is wrong.
        cause: NoteError,
    },
    /// Logs are there, the list of them is not.
    #[error("{0}: logs are there, the list of them is missing")]
    NoInventory(PathBuf),
    /// A log of the list is gone.
    #[error("{0}: this log is missing")]
    LogMissing(PathBuf),
    /// A log is not as it was left.
    #[error(
        "evidence is not as it was left: {0}; it is not touched: verify it, then move it away to begin anew"
    )]
    Recovery(#[from] RecoveryError),
    /// The instance's name cannot name a log, or a cipher failed.
    #[error("evidence cannot be sealed: {0}")]
    Seal(#[from] SealError),
    /// The limit on locked memory is too low.
    #[error("locked memory is limited to {0} bytes (RLIMIT_MEMLOCK); at least {min} are needed", min = MEMLOCK_BYTES.0)]
    LockedMemory(u64),
    /// glommio did not start.
    #[error("the executor does not start: {0}")]
    Executor(String),
    /// A stop could not write everything.
    #[error("evidence could not be written whole: {0}")]
    Stop(String),
}

/// Raises the limit on locked memory as far as allowed; fails where it stays below what glommio needs.
pub(super) fn raise_locked_memory() -> Result<(), StartError> {
    let limit = Resource::MEMLOCK;
    let failed = |error| StartError::Io { path: "RLIMIT_MEMLOCK".into(), error };
    let (soft, hard) = limit.get().map_err(failed)?;
    if soft < MEMLOCK_BYTES.1 {
        // Raising the hard limit needs a privilege; without it the soft one is raised to the hard one.
        let raised = limit.set(MEMLOCK_BYTES.1, hard.max(MEMLOCK_BYTES.1));
        if raised.is_err() {
            let _ = limit.set(hard, hard);
        }
    }
    let (soft, _) = limit.get().map_err(failed)?;
    if soft < MEMLOCK_BYTES.0 { Err(StartError::LockedMemory(soft)) } else { Ok(()) }
}

pub(super) fn read_key<K: std::str::FromStr<Err: std::fmt::Display>>(path: &Path) -> Result<K, StartError> {
    let io = |error| StartError::Io { path: path.to_owned(), error };
    let text = Zeroizing::new(fs::read_to_string(path).map_err(io)?);
    text.parse()
        .map_err(|cause: K::Err| StartError::BadKey { path: path.to_owned(), cause: cause.to_string() })
}

pub(super) fn make_folder(path: &Path) -> Result<(), StartError> {
    let made = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path);
    made.map_err(|error| StartError::Io { path: path.to_owned(), error })
}

/// Keeps other processes from writing to the folder, as long as the file is open.
pub(super) fn lock(folder: &Path) -> Result<File, StartError> {
    let path = folder.join(LOCK_FILE);
    let options = File::options().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = options.map_err(|error| StartError::Io { path: path.clone(), error })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::Locked(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(StartError::Io { path, error }),
    }
}

/// Brings the signed list of logs up to date before any log begins; the logs of it that no shard writes any more.
pub(super) fn take_inventory(
    folder: &Path,
    logs: &[String],
    signer: &SignerKey,
) -> Result<Vec<String>, StartError> {
    let path = folder.join(inventory::FILE);
    let listed = match fs::read(&path) {
        Ok(note) => match inventory::open(&note, signer.verifier()) {
            Ok(listed) => listed,
            Err(cause) => return Err(StartError::BadInventory { path, cause }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let there = logs.iter().any(|log| folder.join(log).join(CHECKPOINT_FILE).exists());
            if there {
                return Err(StartError::NoInventory(path));
            }
            Vec::new()
        }
        Err(error) => return Err(StartError::Io { path, error }),
    };
    // A log is listed before it begins: one that has not begun is no loss, one that is gone is.
    if let Some(missing) = listed.iter().map(|log| folder.join(log)).find(|log| !log.exists()) {
        return Err(StartError::LogMissing(missing));
    }
    let all: BTreeSet<&String> = listed.iter().chain(logs).collect();
    if all.len() > listed.len() {
        for log in &all {
            make_folder(&folder.join(log))?;
        }
        let names: Vec<String> = all.into_iter().cloned().collect();
        let note = inventory::sign(&names, signer)
            .map_err(|cause| StartError::BadInventory { path: path.clone(), cause })?;
        replace(&path, note.as_bytes()).map_err(|error| StartError::Io { path, error })?;
    }
    Ok(listed.into_iter().filter(|log| !logs.contains(log)).collect())
}

/// Replaces a small file whole.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o640).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(path.parent().unwrap_or(path))?.sync_all()
}
