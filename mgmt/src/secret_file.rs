//! Files that hold secrets: written once, readable by their owner alone, never replaced.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

/// Bytes of such a file at the most.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// Makes the file with mode 0600. One that exists is left alone and is an error of kind `AlreadyExists`.
pub fn create(path: &Path, text: &str) -> io::Result<()> {
    create_with_mode(path, text, 0o600)
}

/// Makes a file that anybody may read, under the same rules.
pub fn create_public(path: &Path, text: &str) -> io::Result<()> {
    create_with_mode(path, text, 0o644)
}

/// Reads the file; its text is wiped from memory when dropped.
pub fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let bytes = std::fs::metadata(path)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("{bytes} bytes are too many for a key file")));
    }
    std::fs::read_to_string(path).map(Zeroizing::new)
}

fn create_with_mode(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_the_owner_may_read_and_nothing_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        create(&path, "first").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(create(&path, "second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(*read(&path).unwrap(), "first");
    }

    #[test]
    fn a_file_too_large_for_a_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, vec![b'a'; 65 << 10]).unwrap();
        assert!(read(&path).is_err());
    }
}
