//! A log as the last run left it: how far it is whole, and where a torn tail is to be cut. Runs before the executors,
//! on plain files. Leaves out the whole check of older segments: that is `pangate audit verify`'s.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use evidence::checkpoint::{Checkpoint, CheckpointError};
use evidence::merkle::Tree;
use evidence::note::VerifierKey;
use evidence::segment::{FRAME_ALIGN, Frame, FrameError, file_name, first_leaf_of, frame_bytes};
use evidence::verify::CHECKPOINT_FILE;

/// Where a log goes on.
#[derive(Debug)]
pub(super) struct Resumed {
    /// The tree as far as the log is whole.
    pub(super) tree: Tree,
    /// The newest segment, if it is to be gone on with: its first leaf and the bytes of it that are whole.
    pub(super) segment: Option<(u64, u64)>,
    /// Bytes of a torn tail after these.
    pub(super) torn_bytes: u64,
    /// There is no log yet.
    pub(super) new: bool,
}

/// Why a log cannot be gone on with. It is left as it is.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The file system.
    #[error("{path}: {error}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it says.
        error: io::Error,
    },
    /// Segments without a checkpoint.
    #[error("{0}: segments are there, their checkpoint is missing")]
    NoCheckpoint(PathBuf),
    /// The checkpoint is not one that this key has signed, or of another log.
    #[error("{path}: {cause}; was it written under another signing key?")]
    BadCheckpoint {
        /// The checkpoint file.
        path: PathBuf,
        /// What is wrong.
        cause: CheckpointError,
    },
    /// A checkpoint or a frame of another log.
    #[error("{0}: of another log; is the instance's name another than before?")]
    OtherLog(PathBuf),
    /// What is there is not what was written.
    #[error("{path}: changed at offset {offset}: {cause}")]
    Changed {
        /// The segment.
        path: PathBuf,
        /// The frame's offset.
        offset: u64,
        /// What is wrong.
        cause: FrameError,
    },
    /// The checkpoint signs more than is there, or something else.
    #[error("{path}: the checkpoint signs {signed} leaves, {held} are there as signed")]
    NotAsSigned {
        /// The log's folder.
        path: PathBuf,
        /// Leaves by the checkpoint.
        signed: u64,
        /// Leaves that are there.
        held: u64,
    },
}

/// Looks at the log in `folder`, which need not exist yet.
pub(super) fn recover(folder: &Path, origin: &str, key: &VerifierKey) -> Result<Resumed, RecoveryError> {
    let segments = segments(folder)?;
    let Some(checkpoint) = read_checkpoint(folder, origin, key)? else {
        if segments.is_empty() {
            return Ok(Resumed { tree: Tree::new(), segment: None, torn_bytes: 0, new: true });
        }
        return Err(RecoveryError::NoCheckpoint(folder.to_owned()));
    };
    let mut resumed = Resumed { tree: Tree::new(), segment: None, torn_bytes: 0, new: false };
    let mut contradicted = false;
    // Newest first: one segment may hold no whole frame, its first one being torn.
    for (number, first_leaf) in segments.iter().rev().enumerate() {
        let path = folder.join(file_name(*first_leaf));
        let scan = Scan { path: &path, origin, key, checkpoint: &checkpoint }.run()?;
        resumed.torn_bytes += scan.length - scan.whole;
        if number == 0 {
            resumed.segment = Some((*first_leaf, scan.whole));
        }
        contradicted |= scan.contradicted;
        if let Some(tree) = scan.tree {
            resumed.tree = tree;
            break;
        }
        if let Some(cause) = scan.torn.filter(|_| number > 0) {
            return Err(RecoveryError::Changed { path, offset: 0, cause });
        }
    }
    let held = resumed.tree.size();
    // An empty newest segment must be the one due next.
    let misplaced = resumed.segment.is_some_and(|(first_leaf, whole)| whole == 0 && first_leaf != held);
    if held < checkpoint.size || contradicted || misplaced {
        return Err(RecoveryError::NotAsSigned { path: folder.to_owned(), signed: checkpoint.size, held });
    }
    Ok(resumed)
}

/// First leaves of the segments, in order.
fn segments(folder: &Path) -> Result<Vec<u64>, RecoveryError> {
    let at = |error| RecoveryError::Io { path: folder.to_owned(), error };
    let mut segments = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(segments),
        entries => entries.map_err(at)?,
    };
    for entry in entries {
        segments.extend(entry.map_err(at)?.file_name().to_str().and_then(first_leaf_of));
    }
    segments.sort_unstable();
    Ok(segments)
}

fn read_checkpoint(
    folder: &Path,
    origin: &str,
    key: &VerifierKey,
) -> Result<Option<Checkpoint>, RecoveryError> {
    let path = folder.join(CHECKPOINT_FILE);
    let note = match fs::read_to_string(&path) {
        Ok(note) => note,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RecoveryError::Io { path, error }),
    };
    match Checkpoint::open_sole(&note, key) {
        Ok(checkpoint) if checkpoint.origin == origin => Ok(Some(checkpoint)),
        Ok(_) => Err(RecoveryError::OtherLog(path)),
        Err(cause) => Err(RecoveryError::BadCheckpoint { path, cause }),
    }
}

/// One segment's frames, one after another.
struct Scan<'a> {
    path: &'a Path,
    origin: &'a str,
    key: &'a VerifierKey,
    checkpoint: &'a Checkpoint,
}

struct Scanned {
    /// The tree with the last whole frame.
    tree: Option<Tree>,
    /// Bytes up to the end of the last whole frame, and in all.
    whole: u64,
    length: u64,
    /// Why the bytes after those are no frame.
    torn: Option<FrameError>,
    /// A frame is of the checkpoint's size and not what it signs.
    contradicted: bool,
}

impl Scan<'_> {
    fn run(&self) -> Result<Scanned, RecoveryError> {
        let mut file = File::open(self.path).map_err(|error| self.io(error))?;
        let length = file.metadata().map_err(|error| self.io(error))?.len();
        let mut scanned = Scanned { tree: None, whole: 0, length, torn: None, contradicted: false };
        let mut buffer = Vec::new();
        while scanned.whole < length {
            let at = scanned.whole;
            match self.frame(&mut file, at, length, &mut buffer)? {
                Ok((bytes, before, after, checkpoint)) => {
                    if checkpoint.origin != self.origin {
                        return Err(RecoveryError::OtherLog(self.path.to_owned()));
                    }
                    if scanned.tree.as_ref().is_some_and(|tree| *tree != before) {
                        return Err(self.changed(at, FrameError::Changed));
                    }
                    scanned.contradicted |=
                        checkpoint.size == self.checkpoint.size && checkpoint != *self.checkpoint;
                    scanned.tree = Some(after);
                    scanned.whole += bytes;
                }
                Err(cause) => {
                    self.no_frame_after(&mut file, at, length, &cause, &mut buffer)?;
                    scanned.torn = Some(cause);
                    break;
                }
            }
        }
        Ok(scanned)
    }

    /// A torn tail is the last thing written: a whole frame behind it means that the bytes were changed.
    fn no_frame_after(
        &self,
        file: &mut File,
        torn_at: u64,
        length: u64,
        cause: &FrameError,
        buffer: &mut Vec<u8>,
    ) -> Result<(), RecoveryError> {
        for at in (torn_at + FRAME_ALIGN as u64..length).step_by(FRAME_ALIGN) {
            if self.frame(file, at, length, buffer)?.is_ok() {
                return Err(self.changed(torn_at, cause.clone()));
            }
        }
        Ok(())
    }

    /// The frame at an offset: its bytes, the trees before and after, its checkpoint.
    fn frame(
        &self,
        file: &mut File,
        at: u64,
        length: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<Whole, RecoveryError> {
        // Most frames are one block.
        self.read(file, at, FRAME_ALIGN as u64, buffer)?;
        let bytes = match frame_bytes(buffer) {
            Ok(bytes) => bytes as u64,
            Err(cause) => return Ok(Err(cause)),
        };
        if bytes > length - at {
            return Ok(Err(FrameError::Cut { want: bytes as usize, have: (length - at) as usize }));
        }
        if bytes > FRAME_ALIGN as u64 {
            self.read(file, at, bytes, buffer)?;
        }
        let verified = Frame::parse(buffer).and_then(|frame| frame.verify(self.key));
        Ok(verified.map(|verified| (bytes, verified.before, verified.after, verified.checkpoint)))
    }

    fn read(&self, file: &mut File, at: u64, bytes: u64, buffer: &mut Vec<u8>) -> Result<(), RecoveryError> {
        buffer.clear();
        file.seek(SeekFrom::Start(at)).map_err(|error| self.io(error))?;
        file.take(bytes).read_to_end(buffer).map_err(|error| self.io(error))?;
        Ok(())
    }

    fn io(&self, error: io::Error) -> RecoveryError {
        RecoveryError::Io { path: self.path.to_owned(), error }
    }

    fn changed(&self, offset: u64, cause: FrameError) -> RecoveryError {
        RecoveryError::Changed { path: self.path.to_owned(), offset, cause }
    }
}

type Whole = Result<(u64, Tree, Tree, Checkpoint), FrameError>;
