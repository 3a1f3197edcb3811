//! Makes the frames of one log: hashes, packs and seals records, signs the tree's head.

use sha2::{Digest, Sha256};

use super::header::Header;
use super::{COMPRESSION_LEVEL, FRAME_ALIGN, PLAIN_BYTES_MAX, RECORDS_MAX, head};
use crate::checkpoint::{CheckpointError, is_origin};
use crate::codec::{DecodeError, split};
use crate::merkle::{Hash, Tree, leaf_hash};
use crate::note::{NOTE_BYTES_MAX, SignerKey};
use crate::sealing::{self, FrameKeys, SealingError, SealingKey, TAG_BYTES};

/// Why records cannot be made a frame.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// No record.
    #[error("nothing to seal")]
    Empty,
    /// More than [`RECORDS_MAX`] records or [`PLAIN_BYTES_MAX`] bytes.
    #[error("too much for one frame: {0}")]
    TooLarge(usize),
    /// The batch is not length-prefixed records.
    #[error("malformed batch: {0}")]
    Malformed(#[from] DecodeError),
    /// Random numbers or the cipher.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// zstd refused.
    #[error("compression failed")]
    Compression,
    /// The checkpoint could not be signed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// What [`Writer::seal`] has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Number of the frame's first leaf in the log.
    pub first_leaf: u64,
    /// Records in the frame.
    pub records: u32,
    /// Leaves of the log with this frame: the next frame's first leaf.
    pub size: u64,
    /// Bytes of the frame.
    pub bytes: usize,
}

/// Makes the frames of one log, in order. Lives on the core of the log's executor.
pub struct Writer {
    origin: String,
    origin_hash: Hash,
    signer: SignerKey,
    sealing: SealingKey,
    tree: Tree,
    /// The last frame's checkpoint.
    note: Option<String>,
    compressor: zstd::bulk::Compressor<'static>,
    packed: Vec<u8>,
}

impl Writer {
    /// A writer that goes on after `tree`, which is empty for a new log.
    pub fn new(origin: &str, signer: SignerKey, sealing: SealingKey, tree: Tree) -> Result<Self, SealError> {
        if !is_origin(origin) {
            return Err(CheckpointError::Malformed.into());
        }
        let compressor =
            zstd::bulk::Compressor::new(COMPRESSION_LEVEL).map_err(|_| SealError::Compression)?;
        Ok(Self {
            origin: origin.to_owned(),
            origin_hash: Sha256::digest(origin).into(),
            signer,
            sealing,
            tree,
            note: None,
            compressor,
            packed: Vec::new(),
        })
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Leaves so far: the next frame's first leaf.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The signed checkpoint of the last frame made.
    pub fn checkpoint(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The signed checkpoint of the log as it stands, also where this writer has made no frame yet.
    pub fn sign_checkpoint(&self) -> Result<String, CheckpointError> {
        head(&self.origin, &self.tree).sign(&self.signer)
    }

    /// Appends to `out` one frame that holds the records of `batch` (u32 length and record, repeated). The frame is
    /// part of the log from then on: it must be written, or the log ends before it. On an error nothing has changed.
    pub fn seal(&mut self, batch: &[u8], out: &mut Vec<u8>) -> Result<Sealed, SealError> {
        if batch.len() > PLAIN_BYTES_MAX {
            return Err(SealError::TooLarge(batch.len()));
        }
        let seed = sealing::seed()?;
        let keys = self.sealing.frame(&seed)?;
        let mut tree = self.tree.clone();
        let leaves = leaves_of(batch, &keys)?;
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        self.pack(batch)?;

        let size = tree.size() + 1;
        let text_bytes = head(&self.origin, &tree).text_bytes(size);
        let mut header = Header {
            frame_bytes: 0,
            origin_hash: self.origin_hash,
            first_leaf: self.tree.size(),
            records: leaves.len() as u32,
            peaks: self.tree.peaks().len() as u32,
            sealed_bytes: (self.packed.len() + TAG_BYTES) as u32,
            plain_bytes: batch.len() as u32,
            note_bytes: self.signer.note_bytes(text_bytes) as u32,
            seed,
        };
        header.frame_bytes = header.sections().next_multiple_of(FRAME_ALIGN as u64) as u32;
        let encoded = header.encode();
        keys.seal(&encoded, &mut self.packed)?;
        tree.push(leaf_hash(&[&encoded, &self.packed]));
        let note = head(&self.origin, &tree).sign(&self.signer)?;
        if note.len() != header.note_bytes as usize || note.len() > NOTE_BYTES_MAX {
            return Err(CheckpointError::Malformed.into());
        }

        let start = out.len();
        out.reserve(header.frame_bytes as usize);
        out.extend_from_slice(&encoded);
        out.extend_from_slice(self.tree.peaks().as_flattened());
        out.extend_from_slice(leaves.as_flattened());
        out.extend_from_slice(&self.packed);
        out.extend_from_slice(note.as_bytes());
        out.resize(start + header.frame_bytes as usize, 0);
        self.tree = tree;
        self.note = Some(note);
        let Header { first_leaf, records, .. } = header;
        Ok(Sealed { first_leaf, records, size, bytes: header.frame_bytes as usize })
    }

    /// Compresses `batch` into `packed`.
    fn pack(&mut self, batch: &[u8]) -> Result<(), SealError> {
        self.packed.clear();
        // Room for the tag as well, so that sealing does not move the bytes.
        self.packed.reserve(zstd::zstd_safe::compress_bound(batch.len()) + TAG_BYTES);
        self.compressor.compress_to_buffer(batch, &mut self.packed).map_err(|_| SealError::Compression)?;
        Ok(())
    }
}

/// The salted leaf hashes of a batch's records.
fn leaves_of(batch: &[u8], keys: &FrameKeys) -> Result<Vec<Hash>, SealError> {
    let mut leaves = Vec::new();
    for record in split(batch) {
        let record = record?;
        leaves.push(leaf_hash(&[&keys.salt(leaves.len() as u32), record]));
        if leaves.len() > RECORDS_MAX {
            return Err(SealError::TooLarge(leaves.len()));
        }
    }
    if leaves.is_empty() { Err(SealError::Empty) } else { Ok(leaves) }
}
