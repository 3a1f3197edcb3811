//! `keygen`: the keys of the evidence. The dataplane gets the signing and the sealing key, mgmt the sealing and the
//! public one, auditors the public one alone.

use std::io;
use std::path::{Path, PathBuf};

use ::evidence::note::{NoteError, SignerKey};
use ::evidence::sealing::{SealingError, SealingKey};

use crate::secret_file;

/// Files that [`generate`] makes.
pub const SIGNING_KEY_FILE: &str = "evidence.key";
/// See [`SIGNING_KEY_FILE`].
pub const SEALING_KEY_FILE: &str = "sealing.key";
/// See [`SIGNING_KEY_FILE`].
pub const PUBLIC_KEY_FILE: &str = "evidence.pub";

/// Why no keys were made.
#[derive(Debug, thiserror::Error)]
pub enum KeygenError {
    /// A file cannot be written, or is there already: keys are never replaced.
    #[error("{path}: {cause}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The name, or no random numbers.
    #[error(transparent)]
    Signing(#[from] NoteError),
    /// No random numbers.
    #[error(transparent)]
    Sealing(#[from] SealingError),
}

/// Makes the three files in `dir`, which is made if absent. `name` is the signing key's, as checkpoints show it.
pub fn generate(dir: &Path, name: &str) -> Result<(), KeygenError> {
    let signer = SignerKey::generate(name)?;
    let sealing = SealingKey::generate()?;
    std::fs::create_dir_all(dir).map_err(|cause| KeygenError::Write { path: dir.to_owned(), cause })?;
    for file in [SIGNING_KEY_FILE, SEALING_KEY_FILE, PUBLIC_KEY_FILE] {
        let path = dir.join(file);
        if path.exists() {
            return Err(KeygenError::Write { path, cause: io::ErrorKind::AlreadyExists.into() });
        }
    }
    let write = |file: &str, text: &str| {
        let path = dir.join(file);
        secret_file::create(&path, &format!("{}\n", text.trim_end()))
            .map_err(|cause| KeygenError::Write { path, cause })
    };
    write(SIGNING_KEY_FILE, &signer.to_text())?;
    write(SEALING_KEY_FILE, &sealing.to_text())?;
    let path = dir.join(PUBLIC_KEY_FILE);
    secret_file::create_public(&path, &format!("{}\n", signer.verifier()))
        .map_err(|cause| KeygenError::Write { path, cause })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use ::evidence::note::VerifierKey;

    use super::*;

    #[test]
    fn the_files_hold_keys_that_fit_and_secrets_are_the_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        generate(&keys, "pangate").unwrap();
        let read = |file: &str| std::fs::read_to_string(keys.join(file)).unwrap();
        let signer: SignerKey = read(SIGNING_KEY_FILE).parse().unwrap();
        let public: VerifierKey = read(PUBLIC_KEY_FILE).parse().unwrap();
        assert_eq!(signer.verifier(), &public);
        read(SEALING_KEY_FILE).parse::<SealingKey>().unwrap();
        let mode = |file: &str| std::fs::metadata(keys.join(file)).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(SIGNING_KEY_FILE), mode(SEALING_KEY_FILE)], [0o600; 2]);
        assert_eq!(mode(PUBLIC_KEY_FILE) & 0o222, 0o200);
    }

    #[test]
    fn keys_are_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(PUBLIC_KEY_FILE), "mine").unwrap();
        assert!(matches!(generate(dir.path(), "pangate"), Err(KeygenError::Write { .. })));
        assert!(!dir.path().join(SIGNING_KEY_FILE).exists());
    }

    #[test]
    fn a_name_that_notes_cannot_carry_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(generate(dir.path(), "two words"), Err(KeygenError::Signing(_))));
    }
}
