//! Reads frames: first the lengths, then the signature over every byte, then with the sealing key the records.

use std::io::Read;

use sha2::{Digest, Sha256};

use super::header::Header;
use super::{HASH_BYTES, HEADER_BYTES, WINDOW_LOG_MAX, head};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::codec::{DecodeError, split};
use crate::merkle::{Hash, Tree, leaf_hash};
use crate::note::{NoteError, VerifierKey};
use crate::record::Record;
use crate::sealing::{FrameKeys, SALT_BYTES, SealingError, SealingKey};

/// Why bytes are no frame, or a frame is not what was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not the first bytes of a frame.
    #[error("no frame begins here")]
    NoFrame,
    /// A frame of a later format.
    #[error("frame of unknown version {0}")]
    UnknownVersion(u32),
    /// Lengths that do not fit each other or a bound.
    #[error("the frame's lengths do not fit")]
    BadLength,
    /// The bytes end inside the frame.
    #[error("the frame is cut: {have} of {want} bytes are there")]
    Cut {
        /// Bytes that the frame has by its header.
        want: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// Something stands where zeroes are due.
    #[error("bytes where zeroes are due")]
    NotZero,
    /// The checkpoint is malformed or not signed by the key.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The signed checkpoint is of another tree: header, peaks, leaf hashes or sealed bytes were changed.
    #[error("the frame is not what its checkpoint signs")]
    Changed,
}

/// Why a frame's records do not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another key, or changed bytes.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// Not what zstd made, or of another length than the header says.
    #[error("the records do not decompress")]
    Compression,
    /// Not length-prefixed records, or not as many as the header says.
    #[error("the sealed bytes are not the frame's records")]
    Malformed,
    /// A record is not the leaf that the tree holds.
    #[error("the record is not what leaf {0} was made of")]
    NotTheLeaf(u64),
}

/// A frame in its file's bytes; its lengths fit, nothing else is checked yet.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    header: Header,
    encoded: &'a [u8; HEADER_BYTES],
    peaks: &'a [Hash],
    leaves: &'a [Hash],
    sealed: &'a [u8],
    note: &'a [u8],
}

/// What [`Frame::verify`] has found to be signed.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The tree before the frame.
    pub before: Tree,
    /// The tree with the frame.
    pub after: Tree,
    /// The frame's checkpoint: the head of `after`.
    pub checkpoint: Checkpoint,
    /// All leaves that the frame adds: its records', and its own last.
    pub(crate) leaves: Vec<Hash>,
    /// The checkpoint as signed.
    pub(crate) note: String,
}

impl<'a> Frame<'a> {
    /// The frame at the beginning of `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let encoded = bytes.first_chunk().ok_or(FrameError::Cut { want: HEADER_BYTES, have: bytes.len() })?;
        let header = Header::decode(encoded)?;
        let want = header.frame_bytes as usize;
        let frame = bytes.get(..want).ok_or(FrameError::Cut { want, have: bytes.len() })?;
        let mut rest = frame.get(HEADER_BYTES..).ok_or(FrameError::BadLength)?;
        let mut section = |length: usize| {
            let (section, after) = rest.split_at_checked(length).ok_or(FrameError::BadLength)?;
            rest = after;
            Ok::<_, FrameError>(section)
        };
        let peaks = section(header.peaks as usize * HASH_BYTES)?.as_chunks().0;
        let leaves = section(header.records as usize * HASH_BYTES)?.as_chunks().0;
        let sealed = section(header.sealed_bytes as usize)?;
        let note = section(header.note_bytes as usize)?;
        if rest.iter().any(|byte| *byte != 0) {
            return Err(FrameError::NotZero);
        }
        Ok(Self { header, encoded, peaks, leaves, sealed, note })
    }

    /// Bytes of the frame.
    pub fn bytes(&self) -> usize {
        self.header.frame_bytes as usize
    }

    /// Number of the frame's first leaf in the log. Its records are leaves `first_leaf..first_leaf + records`.
    pub fn first_leaf(&self) -> u64 {
        self.header.first_leaf
    }

    /// Number of records.
    pub fn records(&self) -> u32 {
        self.header.records
    }

    /// Leaves of the log with this frame: the next frame's first leaf.
    pub fn size(&self) -> u64 {
        self.header.first_leaf + u64::from(self.header.records) + 1
    }

    /// SHA-256 of the log's origin.
    pub fn origin_hash(&self) -> &Hash {
        &self.header.origin_hash
    }

    /// Checks every byte of the frame against its signed checkpoint. That the frame follows the one before it is
    /// the caller's to check: `before` must be that one's `after`.
    pub fn verify(&self, key: &VerifierKey) -> Result<Verified, FrameError> {
        let note = std::str::from_utf8(self.note).map_err(|_| CheckpointError::Note(NoteError::Malformed))?;
        let checkpoint = Checkpoint::open_sole(note, key)?;
        let before =
            Tree::from_peaks(self.header.first_leaf, self.peaks.to_vec()).ok_or(FrameError::BadLength)?;
        let mut leaves = self.leaves.to_vec();
        leaves.push(leaf_hash(&[self.encoded, self.sealed]));
        let mut after = before.clone();
        leaves.iter().for_each(|leaf| after.push(*leaf));
        let origin_hash: Hash = Sha256::digest(&checkpoint.origin).into();
        if checkpoint != head(&checkpoint.origin, &after) || origin_hash != self.header.origin_hash {
            return Err(FrameError::Changed);
        }
        Ok(Verified { before, after, checkpoint, leaves, note: note.to_owned() })
    }

    /// Opens the records and checks each against its leaf hash. Whether those are signed is [`Frame::verify`]'s.
    pub fn open(&self, key: &SealingKey) -> Result<Opened, OpenError> {
        let keys = key.frame(&self.header.seed)?;
        let mut sealed = self.sealed.to_vec();
        let plain = unpack(keys.open(self.encoded, &mut sealed)?, self.header.plain_bytes as usize)?;
        let opened = Opened { first_leaf: self.header.first_leaf, plain, keys };
        let mut count = 0;
        for record in split(&opened.plain) {
            let record = record.map_err(|_| OpenError::Malformed)?;
            let leaf = self.leaves.get(count).ok_or(OpenError::Malformed)?;
            if leaf_hash(&[&opened.keys.salt(count as u32), record]) != *leaf {
                return Err(OpenError::NotTheLeaf(self.header.first_leaf + count as u64));
            }
            count += 1;
        }
        if count == self.leaves.len() { Ok(opened) } else { Err(OpenError::Malformed) }
    }
}

/// Decompresses to exactly `length` bytes, never more.
fn unpack(packed: &[u8], length: usize) -> Result<Vec<u8>, OpenError> {
    let mut decoder =
        zstd::stream::read::Decoder::with_buffer(packed).map_err(|_| OpenError::Compression)?.single_frame();
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(|_| OpenError::Compression)?;
    let mut plain = Vec::new();
    decoder.take(length as u64 + 1).read_to_end(&mut plain).map_err(|_| OpenError::Compression)?;
    if plain.len() == length { Ok(plain) } else { Err(OpenError::Compression) }
}

/// A frame's records, opened.
pub struct Opened {
    first_leaf: u64,
    plain: Vec<u8>,
    keys: FrameKeys,
}

/// One opened record.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    /// Its leaf's number in the log.
    pub leaf: u64,
    /// The salt of its leaf hash.
    pub salt: [u8; SALT_BYTES],
    /// Its binary form.
    pub bytes: &'a [u8],
}

impl Opened {
    /// The records in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        split(&self.plain).flatten().enumerate().map(|(number, bytes)| Entry {
            leaf: self.first_leaf + number as u64,
            salt: self.keys.salt(number as u32),
            bytes,
        })
    }
}

impl<'a> Entry<'a> {
    /// The record itself.
    pub fn record(&self) -> Result<Record<'a>, DecodeError> {
        Record::decode(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_decompresses_to_more_than_it_says() {
        let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 1).unwrap();
        assert!(bomb.len() < 1 << 14);
        assert_eq!(unpack(&bomb, 1000), Err(OpenError::Compression));
        let packed = zstd::bulk::compress(b"records", 1).unwrap();
        assert_eq!(unpack(&packed, 7).as_deref(), Ok(b"records".as_slice()));
        assert_eq!(unpack(&packed, 8), Err(OpenError::Compression));
        assert_eq!(unpack(&packed[..packed.len() - 1], 7), Err(OpenError::Compression));
        assert_eq!(unpack(b"no zstd", 7), Err(OpenError::Compression));
    }

    #[test]
    fn sealed_bytes_that_are_no_records_are_refused() {
        let (key, seed) = (SealingKey::from_bytes([1; 32]), [2; 32]);
        let plain = [5, 0, 0, 0, 1];
        let mut sealed = zstd::bulk::compress(&plain, 1).unwrap();
        let header = Header {
            frame_bytes: 0,
            origin_hash: [0; 32],
            first_leaf: 0,
            records: 1,
            peaks: 0,
            sealed_bytes: 0,
            plain_bytes: 5,
            note_bytes: 0,
            seed,
        };
        let encoded = header.encode();
        key.frame(&seed).unwrap().seal(&encoded, &mut sealed).unwrap();
        let frame =
            Frame { header, encoded: &encoded, peaks: &[], leaves: &[[0; 32]], sealed: &sealed, note: b"" };
        assert!(matches!(frame.open(&key), Err(OpenError::Malformed)));
    }
}
