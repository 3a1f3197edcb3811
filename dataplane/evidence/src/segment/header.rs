//! A frame's header: its layout, and which lengths fit each other.

use super::frame::FrameError;
use super::{
    FRAME_ALIGN, FRAME_BYTES_MAX, HASH_BYTES, HEADER_BYTES, MAGIC, PLAIN_BYTES_MAX, RECORDS_MAX, VERSION,
};
use crate::merkle::Hash;
use crate::note::NOTE_BYTES_MAX;
use crate::sealing::TAG_BYTES;

/// A frame's first 128 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) frame_bytes: u32,
    pub(super) origin_hash: Hash,
    pub(super) first_leaf: u64,
    pub(super) records: u32,
    pub(super) peaks: u32,
    pub(super) sealed_bytes: u32,
    pub(super) plain_bytes: u32,
    pub(super) note_bytes: u32,
    pub(super) seed: [u8; 32],
}

impl Header {
    /// Bytes of header and sections without the zeroes after them.
    pub(super) fn sections(&self) -> u64 {
        let hashes = (u64::from(self.peaks) + u64::from(self.records)) * HASH_BYTES as u64;
        HEADER_BYTES as u64 + hashes + u64::from(self.sealed_bytes) + u64::from(self.note_bytes)
    }

    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut rest = bytes.as_mut_slice();
        let mut put = |field: &[u8]| {
            if let Some((place, after)) = std::mem::take(&mut rest).split_at_mut_checked(field.len()) {
                place.copy_from_slice(field);
                rest = after;
            }
        };
        put(MAGIC);
        put(&VERSION.to_le_bytes());
        put(&self.frame_bytes.to_le_bytes());
        put(&self.origin_hash);
        put(&self.first_leaf.to_le_bytes());
        for number in [self.records, self.peaks, self.sealed_bytes, self.plain_bytes, self.note_bytes, 0] {
            put(&number.to_le_bytes());
        }
        put(&self.seed);
        bytes
    }

    pub(super) fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, FrameError> {
        let mut rest = bytes.as_slice();
        if take::<8>(&mut rest)? != *MAGIC {
            return Err(FrameError::NoFrame);
        }
        let number = |rest: &mut &[u8]| take(rest).map(u32::from_le_bytes);
        let version = number(&mut rest)?;
        if version != VERSION {
            return Err(FrameError::UnknownVersion(version));
        }
        let frame_bytes = number(&mut rest)?;
        let origin_hash = take(&mut rest)?;
        let first_leaf = u64::from_le_bytes(take(&mut rest)?);
        let header = Self {
            frame_bytes,
            origin_hash,
            first_leaf,
            records: number(&mut rest)?,
            peaks: number(&mut rest)?,
            sealed_bytes: number(&mut rest)?,
            plain_bytes: number(&mut rest)?,
            note_bytes: number(&mut rest)?,
            seed: {
                if number(&mut rest)? != 0 {
                    return Err(FrameError::NotZero);
                }
                take(&mut rest)?
            },
        };
        if rest.iter().any(|byte| *byte != 0) {
            return Err(FrameError::NotZero);
        }
        header.check()?;
        Ok(header)
    }

    pub(super) fn check(&self) -> Result<(), FrameError> {
        let fits = self.sections().next_multiple_of(FRAME_ALIGN as u64) == u64::from(self.frame_bytes)
            && self.frame_bytes as usize <= FRAME_BYTES_MAX
            && (1..=RECORDS_MAX).contains(&(self.records as usize))
            && self.peaks == self.first_leaf.count_ones()
            && self.first_leaf.checked_add(RECORDS_MAX as u64 + 1).is_some()
            && self.sealed_bytes as usize > TAG_BYTES
            && self.plain_bytes as usize <= PLAIN_BYTES_MAX
            && self.note_bytes as usize <= NOTE_BYTES_MAX;
        if fits { Ok(()) } else { Err(FrameError::BadLength) }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], FrameError> {
    let (taken, after) = rest.split_first_chunk().ok_or(FrameError::NoFrame)?;
    *rest = after;
    Ok(*taken)
}
