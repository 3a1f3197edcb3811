//! Whether files are what was written: finds every changed, dropped, repeated, reordered or cut frame and says where.
//! The files and the public key are enough; with the sealing key the records are opened too. Leaves out reading
//! files: the caller gives their bytes, one at a time.
//!
//! What no file can show by itself is that a log was put back to an earlier state of itself, checkpoint and all:
//! for that, give the checkpoints that others have seen (`witnessed`).

use std::fmt;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::inventory;
use crate::merkle::Tree;
use crate::note::{NoteError, VerifierKey};
use crate::sealing::SealingKey;
use crate::segment::{FRAME_ALIGN, Frame, FrameError, OpenError, Verified, first_leaf_of};

/// Name of the file beside a log's segments that holds its newest checkpoint.
pub const CHECKPOINT_FILE: &str = "checkpoint";
/// Faults of one log that are reported; more are only counted.
pub const FAULTS_MAX: usize = 1000;

/// Where something was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name in its log's folder; empty where it is about the folder.
    pub file: String,
    /// Offset of the frame in the file.
    pub offset: u64,
    /// The log's leaf at which the frame begins or was due.
    pub leaf: u64,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What.
    pub cause: Cause,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Bytes of a frame were changed.
    #[error("changed: {0}")]
    Changed(FrameError),
    /// A record is not what its leaf was made of, or does not open.
    #[error("records do not open: {0}")]
    Records(OpenError),
    /// Leaves are gone.
    #[error("leaves {from} to {to} are missing")]
    Missing {
        /// The first that is gone.
        from: u64,
        /// The last that is gone.
        to: u64,
    },
    /// A frame stands where a later one is due.
    #[error("a frame that came before stands here again, or out of order")]
    OutOfOrder,
    /// The frame follows another past than this log's.
    #[error("the frame continues another log's past")]
    Forked,
    /// A frame of another log.
    #[error("a frame of the log {0}")]
    OtherLog(String),
    /// The file's name is not that of a segment that begins here.
    #[error("the file's name does not fit what it holds")]
    Misnamed,
    /// The log ends before a signed checkpoint.
    #[error("{from} signs {signed} leaves, the files hold {held}")]
    CutOff {
        /// Who says so.
        from: Witness,
        /// Leaves by the checkpoint.
        signed: u64,
        /// Leaves in the files.
        held: u64,
    },
    /// A signed checkpoint is of another tree.
    #[error("{0} is not of these files")]
    Contradicted(Witness),
    /// The checkpoint file is missing.
    #[error("the checkpoint file is missing")]
    NoCheckpoint,
    /// The checkpoint file is malformed or not signed by the key.
    #[error("checkpoint file: {0}")]
    BadCheckpoint(CheckpointError),
    /// The list of logs is missing, malformed or not signed by the key.
    #[error("list of logs: {0}")]
    BadInventory(NoteError),
    /// The list of logs is missing.
    #[error("the list of logs is missing")]
    NoInventory,
    /// A log that the list names is gone.
    #[error("the log {0} is missing")]
    LogMissing(String),
    /// A log that the list does not name.
    #[error("the log {0} is not in the list of logs")]
    LogUnlisted(String),
}

/// Whose checkpoint it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// The file beside the segments.
    File,
    /// Someone who saw it earlier.
    Witnessed,
}

/// A frame at the end of the newest file that is not whole, as a crash leaves it: no record in it was ever
/// acknowledged. Cut at the next start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Where it begins.
    pub place: Place,
    /// Bytes from there to the file's end.
    pub bytes: u64,
    /// What is wrong with it.
    pub cause: FrameError,
}

/// What was found in one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReport {
    /// The log's folder.
    pub name: String,
    /// Its head as far as it is whole; `None` where it holds no frame.
    pub head: Option<Checkpoint>,
    /// Files read.
    pub files: u64,
    /// Frames that are as they were written.
    pub frames: u64,
    /// Records in them.
    pub records: u64,
    /// A torn end, which is no fault.
    pub torn: Option<Torn>,
    /// What is not as it was written; at most [`FAULTS_MAX`].
    pub faults: Vec<Fault>,
    /// Number of faults.
    pub faults_count: u64,
}

impl LogReport {
    /// Whether everything is as it was written.
    pub fn is_whole(&self) -> bool {
        self.faults_count == 0
    }
}

/// Checks one log, file by file in the order of their names. Where the log is being written to meanwhile, its
/// checkpoint must have been read before the files.
pub struct LogVerifier<'k> {
    key: &'k VerifierKey,
    sealing: Option<&'k SealingKey>,
    tree: Tree,
    claims: Vec<(Witness, Checkpoint)>,
    report: LogReport,
}

impl<'k> LogVerifier<'k> {
    /// For the log in folder `name`. `checkpoint`: the text of its checkpoint file, if there is one. `witnessed`:
    /// checkpoints of the same instance that others have seen; those of its other logs are left aside.
    pub fn new(
        name: &str,
        key: &'k VerifierKey,
        sealing: Option<&'k SealingKey>,
        checkpoint: Option<&str>,
        witnessed: &[Checkpoint],
    ) -> Self {
        let report = LogReport {
            name: name.to_owned(),
            head: None,
            files: 0,
            frames: 0,
            records: 0,
            torn: None,
            faults: Vec::new(),
            faults_count: 0,
        };
        let mut verifier = Self { key, sealing, tree: Tree::new(), claims: Vec::new(), report };
        match checkpoint.map(|note| Checkpoint::open_sole(note, key)) {
            Some(Ok(checkpoint)) if names_log(&checkpoint.origin, name) => {
                verifier.claims.push((Witness::File, checkpoint));
            }
            Some(Ok(checkpoint)) => verifier.fault(CHECKPOINT_FILE, 0, Cause::OtherLog(checkpoint.origin)),
            Some(Err(error)) => verifier.fault(CHECKPOINT_FILE, 0, Cause::BadCheckpoint(error)),
            None => verifier.fault(CHECKPOINT_FILE, 0, Cause::NoCheckpoint),
        }
        let witnessed = witnessed.iter().filter(|checkpoint| names_log(&checkpoint.origin, name));
        verifier.claims.extend(witnessed.map(|checkpoint| (Witness::Witnessed, checkpoint.clone())));
        verifier
            .claims
            .retain(|(_, claim)| *claim != Checkpoint { root: Tree::new().root(), size: 0, ..claim.clone() });
        verifier
    }

    /// Checks the next file.
    pub fn file(&mut self, name: &str, bytes: &[u8]) {
        // Only the newest file may end torn.
        if let Some(torn) = self.report.torn.take() {
            self.push(Fault { place: torn.place, cause: Cause::Changed(torn.cause) });
        }
        self.report.files += 1;
        if first_leaf_of(name).is_none() {
            self.fault(name, 0, Cause::Misnamed);
        }
        let mut at = 0;
        while at < bytes.len() {
            match self.frame(name, at, bytes.get(at..).unwrap_or_default()) {
                Ok(length) => at += length,
                Err(error) => match self.next_frame(bytes, at + FRAME_ALIGN) {
                    Some(next) => {
                        self.fault(name, at as u64, Cause::Changed(error));
                        at = next;
                    }
                    None => {
                        let place = self.place(name, at as u64);
                        self.report.torn =
                            Some(Torn { place, bytes: (bytes.len() - at) as u64, cause: error });
                        return;
                    }
                },
            }
        }
    }

    /// The report, once every file was given.
    pub fn finish(mut self) -> LogReport {
        let held = self.tree.size();
        let origin = self.report.head.as_ref().map(|head| head.origin.clone());
        for (from, claim) in std::mem::take(&mut self.claims) {
            let cause = match &origin {
                Some(origin) if *origin != claim.origin => Cause::OtherLog(claim.origin),
                _ if claim.size > held => Cause::CutOff { from, signed: claim.size, held },
                _ => Cause::Contradicted(from),
            };
            self.fault(CHECKPOINT_FILE, 0, cause);
            // What was signed as written and does not read is no torn end.
            if let Some(torn) = self.report.torn.take_if(|_| claim.size > held) {
                self.push(Fault { place: torn.place, cause: Cause::Changed(torn.cause) });
            }
        }
        self.report
    }

    /// Checks the frame at the beginning of `bytes`; its length. `Err` where it is not one that was signed.
    fn frame(&mut self, file: &str, at: usize, bytes: &[u8]) -> Result<usize, FrameError> {
        let frame = Frame::parse(bytes)?;
        let verified = frame.verify(self.key)?;
        let place = Place { file: file.to_owned(), offset: at as u64, leaf: frame.first_leaf() };
        let mut fault = |cause| self.push(Fault { place: place.clone(), cause });
        if at == 0 && first_leaf_of(file).is_some_and(|leaf| leaf != frame.first_leaf()) {
            fault(Cause::Misnamed);
        }
        let origin = &verified.checkpoint.origin;
        let ours = match &self.report.head {
            Some(head) => head.origin == *origin,
            None => names_log(origin, &self.report.name),
        };
        if !ours {
            self.push(Fault { place, cause: Cause::OtherLog(origin.clone()) });
            return Ok(frame.bytes());
        }
        if let Some(Err(error)) = self.sealing.map(|key| frame.open(key)) {
            self.push(Fault { place: place.clone(), cause: Cause::Records(error) });
        }
        self.follow(place, frame.records(), verified);
        Ok(frame.bytes())
    }

    /// Checks that a frame, itself as signed, is the one due here.
    fn follow(&mut self, place: Place, records: u32, verified: Verified) {
        let due = self.tree.size();
        let first = verified.before.size();
        if first < due {
            return self.push(Fault { place, cause: Cause::OutOfOrder });
        }
        if first > due {
            self.push(Fault { place, cause: Cause::Missing { from: due, to: first - 1 } });
        } else if verified.before != self.tree {
            self.push(Fault { place, cause: Cause::Forked });
        }
        self.report.frames += 1;
        self.report.records += u64::from(records);
        self.tree = verified.after;
        self.claims.retain(|(_, claim)| *claim != verified.checkpoint);
        self.report.head = Some(verified.checkpoint);
    }

    /// Offset of the next frame from `at` on that is as it was signed.
    fn next_frame(&self, bytes: &[u8], at: usize) -> Option<usize> {
        (at..bytes.len()).step_by(FRAME_ALIGN).find(|at| {
            let frame = Frame::parse(bytes.get(*at..).unwrap_or_default());
            frame.and_then(|frame| frame.verify(self.key)).is_ok()
        })
    }

    fn place(&self, file: &str, offset: u64) -> Place {
        Place { file: file.to_owned(), offset, leaf: self.tree.size() }
    }

    fn fault(&mut self, file: &str, offset: u64, cause: Cause) {
        let place = self.place(file, offset);
        self.push(Fault { place, cause });
    }

    fn push(&mut self, fault: Fault) {
        self.report.faults_count += 1;
        if self.report.faults.len() < FAULTS_MAX {
            self.report.faults.push(fault);
        }
    }
}

/// Whether a checkpoint's origin, `instance/log`, is of the log in folder `name`.
fn names_log(origin: &str, name: &str) -> bool {
    origin.rsplit_once('/').is_some_and(|(_, log)| log == name)
}

/// An evidence folder, as whoever has its files gives it.
pub trait Folder {
    /// What reading can fail with.
    type Error;
    /// Names of the log folders.
    fn logs(&self) -> Result<Vec<String>, Self::Error>;
    /// Names of the files in a log's folder.
    fn files(&self, log: &str) -> Result<Vec<String>, Self::Error>;
    /// The bytes of a file; of the evidence folder's own where `log` is `None`. `Ok(None)` where there is none.
    fn read(&self, log: Option<&str>, file: &str) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// What was found in an evidence folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// One for each log.
    pub logs: Vec<LogReport>,
    /// What is wrong with the folder as a whole.
    pub faults: Vec<Fault>,
}

impl Report {
    /// Whether everything is as it was written.
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty() && self.logs.iter().all(LogReport::is_whole)
    }
}

/// Checks every log of a folder. May run while the logs are being written.
pub fn verify<F: Folder>(
    folder: &F,
    key: &VerifierKey,
    sealing: Option<&SealingKey>,
    witnessed: &[Checkpoint],
) -> Result<Report, F::Error> {
    let mut names = folder.logs()?;
    names.sort();
    let listed = folder.read(None, inventory::FILE)?;
    let faults = check_inventory(listed.as_deref(), &names, key);
    let mut logs = Vec::new();
    for name in names {
        // The checkpoint first: the files can only have grown since.
        let checkpoint = folder.read(Some(&name), CHECKPOINT_FILE)?;
        let checkpoint = checkpoint.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let mut log = LogVerifier::new(&name, key, sealing, checkpoint.as_deref(), witnessed);
        let mut files = folder.files(&name)?;
        files.retain(|file| file.ends_with(".seg"));
        files.sort();
        for file in files {
            if let Some(bytes) = folder.read(Some(&name), &file)? {
                log.file(&file, &bytes);
            }
        }
        logs.push(log.finish());
    }
    Ok(Report { logs, faults })
}

fn check_inventory(note: Option<&[u8]>, present: &[String], key: &VerifierKey) -> Vec<Fault> {
    let listed = match note.map(|note| inventory::open(note, key)) {
        Some(Ok(listed)) => listed,
        Some(Err(error)) => return vec![folder_fault(Cause::BadInventory(error))],
        None if present.is_empty() => return Vec::new(),
        None => return vec![folder_fault(Cause::NoInventory)],
    };
    let missing = listed.iter().filter(|log| !present.contains(log)).cloned().map(Cause::LogMissing);
    let unlisted = present.iter().filter(|log| !listed.contains(log)).cloned().map(Cause::LogUnlisted);
    missing.chain(unlisted).map(folder_fault).collect()
}

fn folder_fault(cause: Cause) -> Fault {
    Fault { place: Place { file: inventory::FILE.to_owned(), offset: 0, leaf: 0 }, cause }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, offset, leaf } = &self.place;
        write!(out, "{file}: offset {offset}, leaf {leaf}: {}", self.cause)
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::File => "the checkpoint file",
            Self::Witnessed => "a checkpoint seen earlier",
        })
    }
}
