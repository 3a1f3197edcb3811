//! The targets' passwords, read from their files and read again when these change. Leaves out who may have one and
//! how it is presented to the target. One per shard: lives on its core.

use std::collections::HashMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use wire::Secret;
use zeroize::Zeroizing;

use crate::limits::{PASSWORD_BYTES_MAX, PASSWORD_LOOK_MS};

/// Why a target's password cannot be had. Names the target; never the file, the user or a byte of the password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("target {target}: {cause}")]
pub struct CredentialError {
    /// The target.
    pub target: String,
    /// What is wrong.
    pub cause: CredentialCause,
}

/// What is wrong with a password file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialCause {
    /// It is not there, or may not be read.
    #[error("its password file cannot be read: {0}")]
    Unreadable(io::ErrorKind),
    /// A directory, pipe, socket or device.
    #[error("its password file is no regular file")]
    NotAFile,
    /// Its mode lets everybody at it.
    #[error(
        "its password file is open to every user (mode {0:03o}): take away the rights of others (chmod o=)"
    )]
    Exposed(u32),
    /// Nothing in it.
    #[error("its password file is empty")]
    Empty,
    /// More than a password.
    #[error("its password file holds more than {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
    /// A zero byte, which no protocol can carry in a password.
    #[error("its password file holds a zero byte")]
    ZeroByte,
    /// Somebody wrote while it was read.
    #[error("its password file is being written")]
    Changing,
}

/// The passwords of the targets used so far.
#[derive(Default)]
pub struct Credentials {
    known: HashMap<String, Known>,
}

struct Known {
    path: PathBuf,
    looked_ms: u64,
    /// Of the file as it was read; `None`: there was none.
    stamp: Option<Stamp>,
    /// Read twice at least since its stamp last changed. Two writes within one tick of the file system's clock have
    /// one stamp, so the first reading alone may have missed the second write.
    settled: bool,
    password: Result<Secret, CredentialCause>,
}

/// Identity and times of a file: where they are the same, its content is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    mode: u32,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<&Metadata> for Stamp {
    fn from(of: &Metadata) -> Self {
        Self {
            device: of.dev(),
            inode: of.ino(),
            mode: of.mode(),
            bytes: of.size(),
            modified: (of.mtime(), of.mtime_nsec()),
            changed: (of.ctime(), of.ctime_nsec()),
        }
    }
}

impl Credentials {
    /// Knows none yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The password of `target`, which lies in the file at `path`; the last line's end is cut off. The file is looked
    /// at once in [`PASSWORD_LOOK_MS`] of the caller's clock at most, and what was found holds until the next look,
    /// an error too.
    ///
    /// # Errors
    /// The file cannot be used. The password that it held before is then forgotten.
    pub fn password(&mut self, target: &str, path: &Path, now_ms: u64) -> Result<Secret, CredentialError> {
        let known = match self.known.get_mut(target) {
            Some(known) if known.path == path => {
                known.look(now_ms);
                known
            }
            _ => self.known.entry(target.to_owned()).insert_entry(Known::read(path, now_ms)).into_mut(),
        };
        known.password.clone().map_err(|cause| CredentialError { target: target.to_owned(), cause })
    }

    /// Forgets the passwords of targets that are gone.
    pub fn keep(&mut self, mut is_target: impl FnMut(&str) -> bool) {
        self.known.retain(|target, _| is_target(target));
    }
}

impl Known {
    fn read(path: &Path, now_ms: u64) -> Self {
        let (stamp, password) = match read(path) {
            Ok((stamp, password)) => (Some(stamp), Ok(password)),
            Err(cause) => (None, Err(cause)),
        };
        Self { path: path.to_owned(), looked_ms: now_ms, stamp, settled: false, password }
    }

    fn look(&mut self, now_ms: u64) {
        if now_ms.saturating_sub(self.looked_ms) < PASSWORD_LOOK_MS {
            return;
        }
        self.looked_ms = now_ms;
        let is_same =
            self.stamp.is_some() && fs::metadata(&self.path).ok().as_ref().map(Stamp::from) == self.stamp;
        if !(is_same && self.settled) {
            *self = Self { settled: is_same, ..Self::read(&self.path, now_ms) };
        }
    }
}

fn read(path: &Path) -> Result<(Stamp, Secret), CredentialCause> {
    let unreadable = |error: io::Error| CredentialCause::Unreadable(error.kind());
    // Opening a pipe must not wait for its writer.
    let mut file =
        OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(unreadable)?;
    let before = file.metadata().map_err(unreadable)?;
    if !before.is_file() {
        return Err(CredentialCause::NotAFile);
    }
    if before.mode() & 0o007 != 0 {
        return Err(CredentialCause::Exposed(before.mode() & 0o777));
    }
    let password = read_password(&mut file)?;
    let stamp = Stamp::from(&before);
    if Stamp::from(&file.metadata().map_err(unreadable)?) != stamp {
        return Err(CredentialCause::Changing);
    }
    Ok((stamp, password))
}

/// Reads into one buffer that never grows: no copy is left behind.
fn read_password(file: &mut File) -> Result<Secret, CredentialCause> {
    let mut buffer = Zeroizing::new(vec![0; PASSWORD_BYTES_MAX + 3]);
    let mut length = 0;
    while let Some(room) = buffer.get_mut(length..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(CredentialCause::Unreadable(error.kind())),
        }
    }
    let content = buffer.get(..length).unwrap_or_default();
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    let content = content.strip_suffix(b"\r").unwrap_or(content);
    match content {
        [] => Err(CredentialCause::Empty),
        _ if content.len() > PASSWORD_BYTES_MAX => Err(CredentialCause::TooLong),
        _ if content.contains(&0) => Err(CredentialCause::ZeroByte),
        _ => Ok(Secret::new(content.to_vec())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    struct Place {
        dir: tempfile::TempDir,
        credentials: Credentials,
    }

    impl Place {
        fn new() -> Self {
            Self { dir: tempfile::tempdir().unwrap(), credentials: Credentials::new() }
        }

        fn path(&self) -> PathBuf {
            self.dir.path().join("payments.password")
        }

        /// Replaces the file as operators and kubelets do: a new one takes its name.
        fn put(&self, content: &[u8], mode: u32) {
            let new = self.dir.path().join("new");
            fs::write(&new, content).unwrap();
            set_permissions(&new, Permissions::from_mode(mode)).unwrap();
            fs::rename(&new, self.path()).unwrap();
        }

        fn get(&mut self, now_ms: u64) -> Result<Vec<u8>, CredentialCause> {
            let path = self.path();
            let found = self.credentials.password("payments", &path, now_ms);
            found.map(|secret| secret.expose().to_vec()).map_err(|error| error.cause)
        }
    }

    #[test]
    fn one_line_end_is_cut_and_nothing_else() {
        let cases: [(&[u8], &[u8]); 5] =
            [(b"s", b"s"), (b"s\n", b"s"), (b"s\r\n", b"s"), (b" s \n\n", b" s \n"), (b"\xff\n", b"\xff")];
        for (content, password) in cases {
            let mut place = Place::new();
            place.put(content, 0o400);
            assert_eq!(place.get(0).unwrap(), password);
        }
    }

    #[test]
    fn a_replaced_file_is_read_at_the_next_look() {
        let mut place = Place::new();
        place.put(b"old", 0o600);
        assert_eq!(place.get(5000).unwrap(), b"old");
        place.put(b"new", 0o600);
        assert_eq!(place.get(5999).unwrap(), b"old");
        assert_eq!(place.get(6000).unwrap(), b"new");
        place.put(b"newer", 0o600);
        assert_eq!(place.get(7000).unwrap(), b"newer");
    }

    #[test]
    fn a_second_write_under_the_same_stamp_is_found_by_the_second_look() {
        let mut place = Place::new();
        place.put(b"one", 0o600);
        assert_eq!(place.get(0).unwrap(), b"one");
        let known = place.credentials.known.get_mut("payments").unwrap();
        known.password = Ok(Secret::new(b"what the file held a moment ago".to_vec()));
        assert_eq!(place.get(1000).unwrap(), b"one");
        // From then on only a changed stamp makes it read.
        let known = place.credentials.known.get_mut("payments").unwrap();
        assert!(known.settled);
        known.password = Ok(Secret::new(b"marker".to_vec()));
        assert_eq!(place.get(2000).unwrap(), b"marker");
        place.put(b"two", 0o600);
        assert_eq!(place.get(3000).unwrap(), b"two");
    }

    #[test]
    fn a_file_that_goes_bad_takes_its_password_with_it_and_may_come_back() {
        let mut place = Place::new();
        assert_eq!(place.get(0), Err(CredentialCause::Unreadable(io::ErrorKind::NotFound)));
        place.put(b"s", 0o600);
        assert_eq!(
            place.get(999),
            Err(CredentialCause::Unreadable(io::ErrorKind::NotFound)),
            "errors hold too"
        );
        assert_eq!(place.get(1000).unwrap(), b"s");
        fs::remove_file(place.path()).unwrap();
        assert_eq!(place.get(2000), Err(CredentialCause::Unreadable(io::ErrorKind::NotFound)));
        place.put(b"t", 0o600);
        assert_eq!(place.get(3000).unwrap(), b"t");
    }

    #[test]
    fn every_cause_is_found() {
        let mut place = Place::new();
        let mut after = 0;
        let long = vec![b'x'; PASSWORD_BYTES_MAX];
        let cases: [(&[u8], u32, Option<CredentialCause>); 9] = [
            (b"s", 0o604, Some(CredentialCause::Exposed(0o604))),
            (b"s", 0o602, Some(CredentialCause::Exposed(0o602))),
            (b"s", 0o640, None),
            (b"", 0o600, Some(CredentialCause::Empty)),
            (b"\r\n", 0o600, Some(CredentialCause::Empty)),
            (b"a\0b", 0o600, Some(CredentialCause::ZeroByte)),
            (&long, 0o600, None),
            (&[&long[..], b"\r\n"].concat(), 0o600, None),
            (&[&long[..], b"x"].concat(), 0o600, Some(CredentialCause::TooLong)),
        ];
        for (content, mode, cause) in cases {
            place.put(content, mode);
            assert_eq!(place.get(after).err(), cause);
            after += 1000;
        }
        fs::remove_file(place.path()).unwrap();
        fs::create_dir(place.path()).unwrap();
        assert_eq!(place.get(after), Err(CredentialCause::NotAFile));
    }

    #[test]
    fn a_pipe_is_refused_without_waiting() {
        let mut place = Place::new();
        assert!(Command::new("mkfifo").arg(place.path()).status().unwrap().success());
        assert_eq!(place.get(0), Err(CredentialCause::NotAFile));
    }

    #[test]
    fn a_link_is_followed_and_its_change_seen() {
        let mut place = Place::new();
        place.put(b"one", 0o600);
        let (first, second) = (place.dir.path().join("first"), place.dir.path().join("second"));
        fs::rename(place.path(), &first).unwrap();
        place.put(b"two", 0o600);
        fs::rename(place.path(), &second).unwrap();
        std::os::unix::fs::symlink(&first, place.path()).unwrap();
        assert_eq!(place.get(0).unwrap(), b"one");
        fs::remove_file(place.path()).unwrap();
        std::os::unix::fs::symlink(&second, place.path()).unwrap();
        assert_eq!(place.get(1000).unwrap(), b"two");
    }

    #[test]
    fn another_path_is_read_at_once_and_gone_targets_are_forgotten() {
        let mut place = Place::new();
        place.put(b"one", 0o600);
        assert_eq!(place.get(0).unwrap(), b"one");
        let other = place.dir.path().join("other");
        fs::rename(place.path(), &other).unwrap();
        let password = place.credentials.password("payments", &other, 1).unwrap();
        assert_eq!(password.expose(), b"one");
        place.credentials.keep(|target| target != "payments");
        assert!(place.credentials.known.is_empty());
    }

    #[test]
    fn errors_name_the_target_alone() {
        let mut place = Place::new();
        place.put(b"hunter2", 0o604);
        let path = place.path();
        let error = place.credentials.password("payments", &path, 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "target payments: its password file is open to every user (mode 604): take away the rights of others (chmod o=)"
        );
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
