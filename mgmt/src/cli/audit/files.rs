//! An evidence folder on disk.

use std::io;
use std::path::{Path, PathBuf};

use evidence::note::VerifierKey;
use evidence::sealing::SealingKey;
use evidence::segment::{Entry, Frame, FrameError, OpenError, Opened, Verified, frames};
use evidence::verify::Folder;

use super::super::outcome::Failure;

/// The folder that holds one folder for each log.
pub(super) struct Files(PathBuf);

/// Whether to read on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    On,
    Stop,
}

impl Files {
    /// Refuses a path that is no folder: an empty answer would look like good news.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        match std::fs::metadata(path) {
            Ok(about) if about.is_dir() => Ok(Self(path.to_owned())),
            Ok(_) => Err(Failure::Usage(format!("{} is not a folder", path.display()))),
            Err(error) => Err(Failure::unreadable(path, &error)),
        }
    }

    fn names(&self, log: Option<&str>, folders: bool) -> Result<Vec<String>, Failure> {
        let path = self.path(log, None);
        let failed = |error| Failure::unreadable(&path, &error);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let about = std::fs::metadata(entry.path()).map_err(failed)?;
            if about.is_dir() == folders {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn path(&self, log: Option<&str>, file: Option<&str>) -> PathBuf {
        let mut path = self.0.clone();
        path.extend(log);
        path.extend(file);
        path
    }

    /// Gives every record to `each`, frame after frame, each frame verified first and opened then. Returns what is
    /// not as it was written; such a frame's records are not given. That no frame is missing is told where one
    /// follows another; the logs' heads are `audit verify`'s to check.
    pub(super) fn read_records<E>(
        &self,
        keys: &(VerifierKey, SealingKey),
        each: E,
    ) -> Result<Vec<String>, Failure>
    where
        E: FnMut(&str, &Verified, &Entry<'_>) -> Result<Go, Failure>,
    {
        let mut reader = Reader { keys, each, due: 0, faults: Vec::new() };
        for log in self.logs()? {
            reader.due = 0;
            let segments = self.segments(&log)?;
            for file in &segments {
                let newest = segments.last() == Some(file);
                let Some(bytes) = self.read(Some(&log), file)? else { continue };
                if reader.file(&log, file, &bytes, newest)? == Go::Stop {
                    return Ok(reader.faults);
                }
            }
        }
        Ok(reader.faults)
    }

    fn segments(&self, log: &str) -> Result<Vec<String>, Failure> {
        let mut files = self.files(log)?;
        files.retain(|file| file.ends_with(".seg"));
        Ok(files)
    }
}

/// Reads the files of a log in order.
struct Reader<'k, E> {
    keys: &'k (VerifierKey, SealingKey),
    each: E,
    /// The leaf at which the next frame must begin.
    due: u64,
    faults: Vec<String>,
}

impl<E> Reader<'_, E>
where
    E: FnMut(&str, &Verified, &Entry<'_>) -> Result<Go, Failure>,
{
    fn file(&mut self, log: &str, file: &str, bytes: &[u8], newest: bool) -> Result<Go, Failure> {
        for (offset, frame) in frames(bytes) {
            let opened = match self.open(frame) {
                // What is being written now, or was when the power went.
                Err(Unread::Frame(FrameError::Cut { .. })) if newest => continue,
                Err(cause) => {
                    self.faults.push(format!("{log}/{file}: offset {offset}: {cause}"));
                    continue;
                }
                Ok(opened) => opened,
            };
            let (verified, opened) = opened;
            for entry in opened.entries() {
                if (self.each)(log, &verified, &entry)? == Go::Stop {
                    return Ok(Go::Stop);
                }
            }
        }
        Ok(Go::On)
    }

    fn open(&mut self, frame: Result<Frame<'_>, FrameError>) -> Result<(Verified, Opened), Unread> {
        let frame = frame?;
        let (due, begins) = (self.due, frame.first_leaf());
        self.due = frame.size();
        let verified = frame.verify(&self.keys.0)?;
        if begins != due {
            self.faults.push(format!("leaf {begins} follows where leaf {due} was due"));
        }
        Ok((verified, frame.open(&self.keys.1)?))
    }
}

/// Why a frame's records were not read.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl Folder for Files {
    type Error = Failure;

    fn logs(&self) -> Result<Vec<String>, Failure> {
        self.names(None, true)
    }

    fn files(&self, log: &str) -> Result<Vec<String>, Failure> {
        self.names(Some(log), false)
    }

    fn read(&self, log: Option<&str>, file: &str) -> Result<Option<Vec<u8>>, Failure> {
        let path = self.path(log, Some(file));
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::unreadable(&path, &error)),
        }
    }
}
