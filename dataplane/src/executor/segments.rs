//! One log's files on glommio's direct I/O: seals groups of records, appends the frames to the newest segment, begins
//! the next one when it is full, keeps the checkpoint file. Leaves out when to write (commit.rs). Lives on its
//! executor's core.

use std::io;
use std::path::PathBuf;

use evidence::segment::{FRAME_ALIGN, PLAIN_BYTES_MAX, RECORDS_MAX, SealError, Writer, file_name, portions};
use evidence::verify::CHECKPOINT_FILE;
use glommio::io::{BufferedFile, Directory, DmaFile, OpenOptions};

use super::recovery::Resumed;

/// Bytes of records that are packed into one frame, unless one record is larger.
const PORTION_BYTES: usize = 4 << 20;
/// Permissions of evidence files.
const FILE_MODE: libc::mode_t = 0o640;

const _: () = assert!(PORTION_BYTES <= PLAIN_BYTES_MAX / 2);

/// A log that is being written.
pub(super) struct Log {
    folder: PathBuf,
    writer: Writer,
    segment_bytes: u64,
    segment: Option<Segment>,
    /// Where to go on in a segment of the last run: its first leaf and the bytes of it that are whole.
    resumed: Option<(u64, u64)>,
    /// Bytes after the end of the log are to be cut with the next write.
    torn: bool,
    /// Frames that are sealed and not yet on disk.
    sealed: Vec<u8>,
    /// The first leaf of `sealed`.
    sealed_first: u64,
    /// Leaves that are on disk, and the checkpoint that covers them.
    durable: (u64, String),
    /// Leaves that the checkpoint file covers.
    checkpointed: u64,
}

/// The newest segment.
struct Segment {
    file: DmaFile,
    /// Where the next frame goes.
    position: u64,
}

impl Log {
    /// Goes on with a log.
    pub(super) fn new(
        folder: PathBuf,
        writer: Writer,
        segment_bytes: u64,
        resumed: &Resumed,
    ) -> Result<Self, SealError> {
        let durable = (writer.size(), writer.sign_checkpoint()?);
        Ok(Self {
            folder,
            segment_bytes,
            segment: None,
            resumed: resumed.segment,
            torn: resumed.torn_bytes > 0,
            sealed: Vec::new(),
            sealed_first: writer.size(),
            checkpointed: writer.size(),
            durable,
            writer,
        })
    }

    /// The log's name.
    pub(super) fn origin(&self) -> &str {
        self.writer.origin()
    }

    /// The newest checkpoint of what is on disk.
    pub(super) fn checkpoint(&self) -> &str {
        &self.durable.1
    }

    /// Whether the checkpoint file is older than what is on disk.
    pub(super) fn is_checkpoint_due(&self) -> bool {
        self.checkpointed != self.durable.0
    }

    /// Seals batches into frames, which wait for [`Log::write`]. An error ends the log: nothing may follow it.
    pub(super) fn seal<'a>(&mut self, batches: impl Iterator<Item = &'a [u8]>) -> Result<(), SealError> {
        let (mut plain, mut records) = (Vec::new(), 0);
        for batch in batches {
            for portion in portions(batch, PORTION_BYTES) {
                let portion = portion?;
                let full = plain.len() + portion.bytes.len() > PORTION_BYTES
                    || records + portion.records > RECORDS_MAX;
                if full && records > 0 {
                    self.writer.seal(&plain, &mut self.sealed)?;
                    plain.clear();
                    records = 0;
                }
                plain.extend_from_slice(portion.bytes);
                records += portion.records;
            }
        }
        if records > 0 {
            self.writer.seal(&plain, &mut self.sealed)?;
        }
        Ok(())
    }

    /// Writes what is sealed; on disk when it returns. After an error the same may be tried again.
    pub(super) async fn write(&mut self) -> io::Result<()> {
        if self.sealed.is_empty() {
            return Ok(());
        }
        let length = self.sealed.len() as u64;
        let full = |segment: &Segment| segment.position > 0 && segment.position + length > self.segment_bytes;
        if self.segment.as_ref().is_some_and(full)
            && let Some(segment) = self.segment.take()
        {
            segment.file.close().await?;
        }
        if self.segment.is_none() {
            self.segment = Some(self.open().await?);
        }
        let Some(segment) = &mut self.segment else { return Err(io::ErrorKind::NotFound.into()) };
        let mut buffer = segment.file.alloc_dma_buffer(self.sealed.len());
        let place = buffer.as_bytes_mut().get_mut(..self.sealed.len()).ok_or(io::ErrorKind::OutOfMemory)?;
        place.copy_from_slice(&self.sealed);
        let written = segment.file.write_at(buffer, segment.position).await?;
        if written as u64 != length {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the file system takes no more bytes"));
        }
        if self.torn {
            segment.file.truncate(segment.position + length).await?;
        }
        segment.file.fdatasync().await?;
        self.torn = false;
        segment.position += length;
        self.sealed.clear();
        self.sealed_first = self.writer.size();
        if let Some(note) = self.writer.checkpoint() {
            self.durable = (self.writer.size(), note.to_owned());
        }
        Ok(())
    }

    /// Opens the segment that the next frame goes to.
    async fn open(&mut self) -> io::Result<Segment> {
        // A segment of the last run, unless it is full; a torn tail is cut where it is in any case.
        let resumed = self.resumed.filter(|(_, whole)| self.torn || *whole < self.segment_bytes);
        let (first_leaf, position) = resumed.unwrap_or((self.sealed_first, 0));
        let path = self.folder.join(file_name(first_leaf));
        let mut options = OpenOptions::new();
        options.write(true).create(true).mode(FILE_MODE);
        let file = options.dma_open(&path).await.map_err(|error| {
            let error = io::Error::from(error);
            if error.raw_os_error() == Some(libc::EINVAL) {
                let cause =
                    format!("{}: this file system takes no direct I/O: {error}", self.folder.display());
                return io::Error::new(io::ErrorKind::Unsupported, cause);
            }
            error
        })?;
        if file.alignment() > FRAME_ALIGN as u64 {
            let cause = format!("{}: blocks larger than {FRAME_ALIGN} bytes", self.folder.display());
            return Err(io::Error::new(io::ErrorKind::Unsupported, cause));
        }
        let folder = Directory::open(&self.folder).await?;
        folder.sync().await?;
        folder.close().await?;
        self.resumed = None;
        Ok(Segment { file, position })
    }

    /// Brings the checkpoint file up to what is on disk; the old one or the new one is there at any moment.
    pub(super) async fn write_checkpoint(&mut self) -> io::Result<()> {
        let (size, note) = self.durable.clone();
        write_whole(self.folder.join(CHECKPOINT_FILE), note.into_bytes(), FILE_MODE).await?;
        self.checkpointed = size;
        Ok(())
    }

    /// Closes the files.
    pub(super) async fn close(self) -> io::Result<()> {
        match self.segment {
            Some(segment) => Ok(segment.file.close().await?),
            None => Ok(()),
        }
    }
}

/// Writes a small file whole: beside its place first, then in it.
pub(super) async fn write_whole(path: PathBuf, bytes: Vec<u8>, mode: libc::mode_t) -> io::Result<()> {
    let mut beside = path.clone().into_os_string();
    beside.push(".new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    let mut file: BufferedFile = options.buffered_open(&beside).await?;
    let (mut rest, mut position) = (bytes, 0);
    while !rest.is_empty() {
        let written = file.write_at(rest.clone(), position).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        rest.drain(..written.min(rest.len()));
        position += written as u64;
    }
    file.fdatasync().await?;
    file.rename(&path).await?;
    file.close().await?;
    Ok(())
}
