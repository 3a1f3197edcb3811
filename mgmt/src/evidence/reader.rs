//! Reads and opens frames, blocking: each is checked against the signature on its checkpoint, and that it follows the
//! one before, before anything of it is taken. Leaves out what is kept of it (index.rs, sessions.rs).

use std::path::PathBuf;

use ::evidence::note::VerifierKey;
use ::evidence::sealing::SealingKey;
use ::evidence::segment::{Frame, Opened, first_leaf_of};

use super::files;
use super::index::IndexError;
use crate::store::{FramePlace, Tail};

/// Opens evidence.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) dir: PathBuf,
    pub(super) public: VerifierKey,
    pub(super) sealing: SealingKey,
}

/// A frame, checked and opened.
pub(super) struct Read {
    pub(super) place: FramePlace,
    pub(super) next: Tail,
    pub(super) records: Opened,
}

impl Reader {
    /// The next frame of a log, if it is there.
    pub(super) fn next(&self, log: &str, tail: &Tail) -> Result<Option<Read>, IndexError> {
        if !tail.file.is_empty()
            && let Some(bytes) = files::frame(&self.dir, log, &tail.file, tail.offset)?
        {
            let place = FramePlace { file: tail.file.clone(), offset: tail.offset };
            return self.follow(log, place, tail, &bytes).map(Some);
        }
        // This segment's end, open still or for good; or none was begun yet.
        let segments = files::segments(&self.dir, log)?;
        let following = segments.iter().find(|name| {
            tail.file.is_empty() || (first_leaf_of(name) == Some(tail.size) && **name > tail.file)
        });
        let Some(file) = following else { return self.missing(log, tail, &segments) };
        let Some(bytes) = files::frame(&self.dir, log, file, 0)? else { return Ok(None) };
        self.follow(log, FramePlace { file: file.clone(), offset: 0 }, tail, &bytes).map(Some)
    }

    /// The frame at a known place.
    pub(super) fn at(&self, log: &str, place: &FramePlace) -> Result<Opened, IndexError> {
        let bytes = files::frame(&self.dir, log, &place.file, place.offset)?;
        let bytes = bytes.ok_or_else(|| fault(log, place, "the frame is gone"))?;
        self.open(log, place, &bytes).map(|(_, opened)| opened)
    }

    /// No frame is next: the log's end, unless later segments show that something is gone.
    fn missing(&self, log: &str, tail: &Tail, segments: &[String]) -> Result<Option<Read>, IndexError> {
        let later = segments.iter().filter_map(|name| first_leaf_of(name)).any(|first| first > tail.size);
        if !later || tail.file.is_empty() {
            return Ok(None);
        }
        let place = FramePlace { file: tail.file.clone(), offset: tail.offset };
        Err(fault(log, &place, format!("later segments are there, and none begins at leaf {}", tail.size)))
    }

    fn follow(&self, log: &str, place: FramePlace, tail: &Tail, bytes: &[u8]) -> Result<Read, IndexError> {
        let (frame, records) = self.open(log, &place, bytes)?;
        if frame.first_leaf() != tail.size {
            let cause = format!("begins at leaf {}, due is {}", frame.first_leaf(), tail.size);
            return Err(fault(log, &place, cause));
        }
        let offset = place.offset + frame.bytes() as u64;
        let next = Tail { file: place.file.clone(), offset, size: frame.size() };
        Ok(Read { place, next, records })
    }

    fn open<'a>(
        &self,
        log: &str,
        place: &FramePlace,
        bytes: &'a [u8],
    ) -> Result<(Frame<'a>, Opened), IndexError> {
        let frame = Frame::parse(bytes).map_err(|error| fault(log, place, error.to_string()))?;
        frame.verify(&self.public).map_err(|error| fault(log, place, error.to_string()))?;
        let opened = frame.open(&self.sealing).map_err(|error| fault(log, place, error.to_string()))?;
        Ok((frame, opened))
    }
}

/// Something is wrong at a place.
pub(super) fn fault(log: &str, place: &FramePlace, cause: impl Into<String>) -> IndexError {
    IndexError::Fault {
        log: log.to_owned(),
        file: place.file.clone(),
        offset: place.offset,
        cause: cause.into(),
    }
}
