//! Segments: files of frames, one frame a group commit, each a multiple of 4096 bytes for direct I/O. Everything
//! little-endian.
//!
//! ```text
//! header 128   magic 8, version 4, frame bytes 4, SHA-256 of the origin 32, first leaf 8, records 4, peaks 4,
//!              sealed bytes 4, plain bytes 4, note bytes 4, zero 4, seed 32, zero 16
//! peaks        32 each: the tree before this frame, so that every frame can be checked by itself
//! leaf hashes  32 each: SHA-256(0 || salt 16 || record)
//! sealed       AES-256-GCM over zstd over the records (u32 length, record), bound to the header
//! note         the signed checkpoint of the tree with this frame: its records, then one leaf more whose data are
//!              header and sealed bytes
//! zeroes       up to the next multiple of 4096
//! ```
//! So files and public key are enough to find any changed byte; the sealing key opens the records and shows that
//! they are the leaves. The parts: writer.rs, header.rs, frame.rs. Leaves out how frames follow each other (verify.rs) and files (the caller's).

mod frame;
mod header;
mod writer;

pub use frame::{Entry, Frame, FrameError, OpenError, Opened, Verified};
pub use writer::{SealError, Sealed, Writer};

use crate::checkpoint::Checkpoint;
use crate::codec::{DecodeError, split};
use crate::merkle::Tree;

/// Frames begin at multiples of this and have multiples of this as length.
pub const FRAME_ALIGN: usize = 4096;
/// Bytes of one frame at the most.
pub const FRAME_BYTES_MAX: usize = 64 << 20;
/// Records of one frame at the most.
pub const RECORDS_MAX: usize = 65_536;
/// Bytes of one frame's records (lengths included) at the most.
pub const PLAIN_BYTES_MAX: usize = 32 << 20;

const MAGIC: &[u8; 8] = b"PANGATEV";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 128;
const HASH_BYTES: usize = 32;
const COMPRESSION_LEVEL: i32 = 1;
/// Decompression holds no more than this of the past (2^25 = [`PLAIN_BYTES_MAX`]).
const WINDOW_LOG_MAX: u32 = 25;

const _: () = assert!(PLAIN_BYTES_MAX == 1 << WINDOW_LOG_MAX);
const _: () = assert!(
    RECORDS_MAX * HASH_BYTES + PLAIN_BYTES_MAX + PLAIN_BYTES_MAX / 128 < FRAME_BYTES_MAX / 2 + (8 << 20)
);
const _: () = assert!(crate::codec::RECORD_BYTES_MAX < PLAIN_BYTES_MAX);

/// The frames of a file's bytes with their offsets, up to the end or the first that is none.
pub fn frames(bytes: &[u8]) -> Frames<'_> {
    Frames { bytes, at: 0, over: false }
}

/// Iterator of [`frames`].
pub struct Frames<'a> {
    bytes: &'a [u8],
    at: usize,
    over: bool,
}

impl<'a> Iterator for Frames<'a> {
    type Item = (usize, Result<Frame<'a>, FrameError>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..)?;
        if self.over || rest.is_empty() {
            return None;
        }
        let (at, frame) = (self.at, Frame::parse(rest));
        match &frame {
            Ok(frame) => self.at += frame.bytes(),
            Err(_) => self.over = true,
        }
        Some((at, frame))
    }
}

/// Bytes of the whole frame whose first bytes (128 are enough) these are.
pub fn frame_bytes(bytes: &[u8]) -> Result<usize, FrameError> {
    let header = bytes.first_chunk().ok_or(FrameError::Cut { want: HEADER_BYTES, have: bytes.len() })?;
    Ok(header::Header::decode(header)?.frame_bytes as usize)
}

/// The records of a batch in portions that each fit one frame: at most `bytes` and [`RECORDS_MAX`] records, or one
/// record that is larger. A batch that is not length-prefixed records gives what is wrong with it, and ends.
pub fn portions(batch: &[u8], bytes: usize) -> impl Iterator<Item = Result<Portion<'_>, DecodeError>> {
    let mut rest = batch;
    std::iter::from_fn(move || {
        let (mut length, mut records) = (0, 0);
        for record in split(rest) {
            match record {
                Ok(record) => {
                    let next = length + 4 + record.len();
                    if records > 0 && (next > bytes || records == RECORDS_MAX) {
                        break;
                    }
                    (length, records) = (next, records + 1);
                }
                Err(error) => {
                    rest = &[];
                    return Some(Err(error));
                }
            }
        }
        let (bytes, after) = rest.split_at_checked(length)?;
        rest = after;
        (records > 0).then_some(Ok(Portion { bytes, records }))
    })
}

/// A part of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion<'a> {
    /// Its records, as in the batch.
    pub bytes: &'a [u8],
    /// How many they are.
    pub records: usize,
}

/// The name of the file whose first frame begins at this leaf.
pub fn file_name(first_leaf: u64) -> String {
    format!("{first_leaf:020}.seg")
}

/// The first leaf of the file of this name; `None` where it is no segment's name.
pub fn first_leaf_of(file_name: &str) -> Option<u64> {
    let digits = file_name.strip_suffix(".seg")?;
    let plain = digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// The checkpoint of a log as it stands.
fn head(origin: &str, tree: &Tree) -> Checkpoint {
    Checkpoint { origin: origin.to_owned(), size: tree.size(), root: tree.root() }
}
