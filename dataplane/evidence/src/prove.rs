//! The proof that one record is in a log, for someone who has only the public key: text in C2SP form
//! (c2sp.org/tlog-proof), the record and its salt as `extra`. Shows nothing of the records beside it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::merkle::{Hash, inclusion, leaf_hash, verify_inclusion};
use crate::note::VerifierKey;
use crate::sealing::SALT_BYTES;
use crate::segment::{Entry, Verified};

/// Bytes of one proof's text at the most.
pub const PROOF_BYTES_MAX: usize = 32 << 20;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
const PATH_MAX: usize = 64;

/// Why there is no proof, or it proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The record is not of this frame.
    #[error("the record is not of this frame")]
    NotHere,
    /// Not in the form of a proof.
    #[error("not in the form of a proof")]
    Malformed,
    /// Longer than [`PROOF_BYTES_MAX`].
    #[error("the proof is too large")]
    TooLarge,
    /// The checkpoint is malformed or not signed by the key.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The record is not in the tree that the checkpoint signs.
    #[error("the record is not in the tree that the checkpoint signs")]
    NotIncluded,
}

/// A record that a proof has shown to be in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The checkpoint that covers it.
    pub checkpoint: Checkpoint,
    /// Its leaf in the log.
    pub leaf: u64,
    /// Its binary form ([`crate::record::Record::decode`]).
    pub record: Vec<u8>,
}

/// The proof of an opened record of the frame, against the frame's own checkpoint.
pub fn prove(frame: &Verified, entry: &Entry<'_>) -> Result<String, ProofError> {
    let number = entry.leaf.checked_sub(frame.before.size()).and_then(|number| usize::try_from(number).ok());
    let leaf = number.and_then(|number| frame.leaves.get(number)).ok_or(ProofError::NotHere)?;
    if leaf_hash(&[&entry.salt, entry.bytes]) != *leaf {
        return Err(ProofError::NotHere);
    }
    let path = inclusion(&frame.before, &frame.leaves, entry.leaf).ok_or(ProofError::NotHere)?;
    let extra = STANDARD.encode([&entry.salt, entry.bytes].concat());
    let mut text = format!("{FIRST_LINE}\nextra {extra}\nindex {}\n", entry.leaf);
    for hash in path {
        text.push_str(&STANDARD.encode(hash));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&frame.note);
    Ok(text)
}

/// Checks a proof with the public key alone.
pub fn verify_proof(text: &str, key: &VerifierKey) -> Result<Proven, ProofError> {
    if text.len() > PROOF_BYTES_MAX {
        return Err(ProofError::TooLarge);
    }
    let (proof, note) = text.split_once("\n\n").ok_or(ProofError::Malformed)?;
    let mut lines = proof.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err(ProofError::Malformed);
    }
    let extra = lines.next().and_then(|line| line.strip_prefix("extra ")).ok_or(ProofError::Malformed)?;
    let extra = STANDARD.decode(extra).map_err(|_| ProofError::Malformed)?;
    let (salt, record) = extra.split_first_chunk::<SALT_BYTES>().ok_or(ProofError::Malformed)?;
    let index = lines.next().and_then(|line| line.strip_prefix("index ")).ok_or(ProofError::Malformed)?;
    let leaf: u64 = index.parse().map_err(|_| ProofError::Malformed)?;
    let mut path: Vec<Hash> = Vec::new();
    for line in lines {
        let hash = STANDARD.decode(line).ok().and_then(|hash| Hash::try_from(hash).ok());
        path.push(hash.ok_or(ProofError::Malformed)?);
        if path.len() > PATH_MAX {
            return Err(ProofError::Malformed);
        }
    }
    let checkpoint = Checkpoint::open(note, key)?;
    let hash = leaf_hash(&[salt, record]);
    if index != leaf.to_string() || !verify_inclusion(&hash, leaf, checkpoint.size, &path, &checkpoint.root) {
        return Err(ProofError::NotIncluded);
    }
    Ok(Proven { checkpoint, leaf, record: record.to_vec() })
}
