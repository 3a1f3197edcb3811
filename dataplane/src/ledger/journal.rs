//! The file of used tokens: a header of one entry's size, then entries of 64 bytes, each with its own checksum. What
//! is answered for is synced; rewritten as a whole when most of it has expired or a write has failed. Leaves out when.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::net::Ipv6Addr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::LedgerError;
use super::book::Entry;
use crate::limits::{LEDGER_BATCH_MAX, LEDGER_JOURNAL_ENTRIES_MAX, LEDGER_SLACK_ENTRIES};

/// Bytes of an entry: token 32, expiry 8 (little-endian), bound to its session 1, source 16, checksum 7.
const ENTRY_BYTES: usize = 64;
const SUM_BYTES: usize = 7;
const HEADER: &[u8; ENTRY_BYTES] =
    b"pangate used tokens, format 1, entries of 64 bytes\n\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// The open journal and the lock on its directory.
pub(super) struct Journal {
    dir: PathBuf,
    /// `None` after a failed write: what lies on disk is no longer known, and is written anew as a whole.
    file: Option<File>,
    /// Entries in the file.
    written: usize,
    _lock: Option<File>,
}

/// What opening has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recovery {
    /// Unreadable entries at the end: a batch that was never answered for.
    pub(super) cut: usize,
}

impl Journal {
    /// Locks `dir` and reads its journal. The caller rewrites it before anything is appended.
    pub(super) fn open(dir: &Path) -> Result<(Self, Vec<Entry>, Recovery), LedgerError> {
        let lock = lock(&dir.join("tokens.lock"))?;
        let path = dir.join("tokens.journal");
        let bytes = match File::open(&path) {
            Ok(file) => read(&path, file)?,
            Err(error) if error.kind() == ErrorKind::NotFound => HEADER.to_vec(),
            Err(cause) => return Err(LedgerError::File { action: "open", path, cause }),
        };
        let (entries, recovery) = decode_all(&path, &bytes)?;
        Ok((Self { dir: dir.to_owned(), file: None, written: 0, _lock: Some(lock) }, entries, recovery))
    }

    /// Whether appending would be wrong or wasteful.
    pub(super) fn must_rewrite(&self, live: usize) -> bool {
        self.file.is_none() || self.written > live.saturating_mul(2).saturating_add(LEDGER_SLACK_ENTRIES)
    }

    /// Appends encoded entries; they are on disk when it returns.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), LedgerError> {
        let Some(mut file) = self.file.take() else {
            return Err(self.failed("append to", "tokens.journal", ErrorKind::NotFound.into()));
        };
        file.write_all(bytes)
            .and_then(|()| file.sync_data())
            .map_err(|cause| self.failed("append to", "tokens.journal", cause))?;
        self.written += bytes.len() / ENTRY_BYTES;
        self.file = Some(file);
        Ok(())
    }

    /// Replaces the file, atomically, by these entries; they are on disk when it returns.
    pub(super) fn rewrite<'a>(
        &mut self,
        entries: impl Iterator<Item = &'a Entry>,
    ) -> Result<(), LedgerError> {
        self.file = None;
        let mut bytes = HEADER.to_vec();
        for entry in entries {
            encode(entry, &mut bytes);
        }
        let new = self.dir.join("tokens.journal.new");
        let file = create(&new, &bytes).map_err(|cause| self.failed("write", "tokens.journal.new", cause))?;
        fs::rename(&new, self.dir.join("tokens.journal"))
            .and_then(|()| File::open(&self.dir)?.sync_all())
            .map_err(|cause| self.failed("replace", "tokens.journal", cause))?;
        self.written = bytes.len() / ENTRY_BYTES - 1;
        self.file = Some(file);
        Ok(())
    }

    /// Closes the file and unlocks the directory.
    pub(super) fn close(&mut self) {
        self.file = None;
        self._lock = None;
    }

    fn failed(&self, action: &'static str, name: &str, cause: io::Error) -> LedgerError {
        LedgerError::File { action, path: self.dir.join(name), cause }
    }
}

/// Appends one entry's bytes.
pub(super) fn encode(entry: &Entry, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&entry.token_id);
    out.extend_from_slice(&entry.expires_s.to_le_bytes());
    out.push(u8::from(entry.once));
    out.extend_from_slice(&entry.source.octets());
    let sum = checksum(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&sum);
}

fn decode(bytes: &[u8]) -> Option<Entry> {
    let (content, sum) = bytes.split_last_chunk::<SUM_BYTES>()?;
    if checksum(content) != *sum {
        return None;
    }
    let (token_id, rest) = content.split_first_chunk::<32>()?;
    let (expires_s, rest) = rest.split_first_chunk::<8>()?;
    let (once, source) = rest.split_first()?;
    let once = match once {
        0 => false,
        1 => true,
        _ => return None,
    };
    let source = Ipv6Addr::from(<[u8; 16]>::try_from(source).ok()?);
    Some(Entry { token_id: *token_id, source, expires_s: u64::from_le_bytes(*expires_s), once })
}

/// Only the last batch can have been cut or torn by a crash: it is written in one piece and answered for after its
/// sync. What is unreadable further up has been damaged since, and hides tokens that were used.
fn decode_all(path: &Path, bytes: &[u8]) -> Result<(Vec<Entry>, Recovery), LedgerError> {
    let Some(body) = bytes.strip_prefix(HEADER) else { return Err(LedgerError::Foreign(path.to_owned())) };
    let mut entries = Vec::with_capacity(body.len() / ENTRY_BYTES);
    let mut cut = 0;
    let mut first_bad = None;
    for (number, chunk) in body.chunks(ENTRY_BYTES).enumerate() {
        match (decode(chunk), first_bad) {
            (Some(_), Some(bad)) if number - bad >= LEDGER_BATCH_MAX => {
                return Err(LedgerError::Damaged { path: path.to_owned(), entry: bad });
            }
            (Some(entry), _) => entries.push(entry),
            (None, _) => {
                cut += 1;
                first_bad.get_or_insert(number);
            }
        }
    }
    Ok((entries, Recovery { cut }))
}

fn checksum(content: &[u8]) -> [u8; SUM_BYTES] {
    let [a, b, c, d, e, f, g, ..] = *blake3::hash(content).as_bytes();
    [a, b, c, d, e, f, g]
}

fn lock(path: &Path) -> Result<File, LedgerError> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|cause| LedgerError::File { action: "open", path: path.to_owned(), cause })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LedgerError::InUse(path.to_owned())),
        Err(TryLockError::Error(cause)) => {
            Err(LedgerError::File { action: "lock", path: path.to_owned(), cause })
        }
    }
}

fn read(path: &Path, file: File) -> Result<Vec<u8>, LedgerError> {
    let most = (LEDGER_JOURNAL_ENTRIES_MAX + 1) * ENTRY_BYTES;
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|cause| LedgerError::File {
        action: "read",
        path: path.to_owned(),
        cause,
    })?;
    if bytes.len() > most {
        return Err(LedgerError::File {
            action: "read",
            path: path.to_owned(),
            cause: ErrorKind::FileTooLarge.into(),
        });
    }
    Ok(bytes)
}

fn create(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn entry(id: u8) -> Entry {
        Entry { token_id: [id; 32], source: Ipv6Addr::LOCALHOST, expires_s: 99, once: true }
    }

    fn file_of(entries: impl IntoIterator<Item = u8>) -> Vec<u8> {
        let mut bytes = HEADER.to_vec();
        entries.into_iter().for_each(|id| encode(&entry(id), &mut bytes));
        bytes
    }

    fn decoded(bytes: &[u8]) -> Result<(Vec<Entry>, Recovery), LedgerError> {
        decode_all(Path::new("j"), bytes)
    }

    proptest::proptest! {
        #[test]
        fn entries_survive_encoding(id: [u8; 32], source: [u8; 16], expires_s: u64, once: bool) {
            let entry = Entry { token_id: id, source: source.into(), expires_s, once };
            let mut bytes = Vec::new();
            encode(&entry, &mut bytes);
            assert_eq!(bytes.len(), ENTRY_BYTES);
            assert_eq!(decode(&bytes), Some(entry));
        }

        #[test]
        fn a_flipped_bit_is_noticed(at in 0..ENTRY_BYTES, bit in 0..8u8) {
            let mut bytes = Vec::new();
            encode(&entry(7), &mut bytes);
            bytes[at] ^= 1 << bit;
            assert_eq!(decode(&bytes), None);
        }
    }

    #[test]
    fn a_torn_tail_is_cut_at_every_length() {
        let whole = file_of([1, 2, 3]);
        for length in HEADER.len()..whole.len() {
            let (entries, recovery) = decoded(&whole[..length]).unwrap();
            let complete = (length - HEADER.len()) / ENTRY_BYTES;
            assert_eq!(entries.len(), complete);
            assert_eq!(recovery.cut, usize::from(length % ENTRY_BYTES != 0));
        }
    }

    #[test]
    fn a_hole_in_the_last_batch_keeps_what_is_readable() {
        let mut bytes = file_of([1, 2, 3]);
        bytes[2 * ENTRY_BYTES..3 * ENTRY_BYTES].fill(0);
        let (entries, recovery) = decoded(&bytes).unwrap();
        assert_eq!(entries, [entry(1), entry(3)]);
        assert_eq!(recovery.cut, 1);
    }

    #[test]
    fn damage_before_the_last_batch_is_an_error() {
        let mut bytes = file_of((0..=LEDGER_BATCH_MAX).map(|id| id as u8));
        bytes[ENTRY_BYTES] ^= 1;
        assert!(matches!(decoded(&bytes), Err(LedgerError::Damaged { entry: 0, .. })));
        let (entries, _) = decoded(&bytes[..bytes.len() - ENTRY_BYTES]).unwrap();
        assert_eq!(entries.len(), LEDGER_BATCH_MAX - 1);
    }

    #[test]
    fn another_file_is_no_journal() {
        for bytes in [&b""[..], b"x", &HEADER[..63], &[0; 128]] {
            assert!(matches!(decoded(bytes), Err(LedgerError::Foreign(_))));
        }
    }

    #[test]
    fn the_file_is_for_its_owner_alone_and_locked() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _, _) = Journal::open(dir.path()).unwrap();
        journal.rewrite([entry(1)].iter()).unwrap();
        let mode = fs::metadata(dir.path().join("tokens.journal")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(Journal::open(dir.path()), Err(LedgerError::InUse(_))));
        drop(journal);
        let (_, entries, recovery) = Journal::open(dir.path()).unwrap();
        assert_eq!((entries, recovery), (vec![entry(1)], Recovery { cut: 0 }));
    }

    #[test]
    fn after_a_failed_write_only_a_rewrite_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _, _) = Journal::open(dir.path()).unwrap();
        journal.rewrite([].iter()).unwrap();
        journal.file = Some(OpenOptions::new().write(true).open("/dev/full").unwrap());
        let mut bytes = Vec::new();
        encode(&entry(1), &mut bytes);
        assert!(matches!(journal.append(&bytes), Err(LedgerError::File { .. })));
        assert!(journal.must_rewrite(0));
        assert!(journal.append(&bytes).is_err());
        journal.rewrite([entry(2)].iter()).unwrap();
        journal.append(&bytes).unwrap();
        drop(journal);
        assert_eq!(Journal::open(dir.path()).unwrap().1, [entry(2), entry(1)]);
    }

    #[test]
    fn it_is_rewritten_when_most_of_it_is_dead() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _, _) = Journal::open(dir.path()).unwrap();
        journal.rewrite([].iter()).unwrap();
        journal.written = LEDGER_SLACK_ENTRIES + 20;
        assert!(!journal.must_rewrite(10));
        assert!(journal.must_rewrite(9));
    }
}
