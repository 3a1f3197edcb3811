//! Reads what the dataplane records: an index of sessions that follows the files, sessions in full, and the witnessing
//! of checkpoints. Opens contents with the sealing key; they are masked before they are recorded. Leaves out verifying
//! whole logs and proofs: `pangate audit` does that offline.

pub mod files;
pub mod index;
mod reader;
pub mod sessions;
pub mod witness;
