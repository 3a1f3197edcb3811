//! What pangate records, and the form that makes it impossible to alter unseen. No I/O: bytes in, bytes out.
//!
//! - [`record`]: what is recorded; [`codec`]: its binary form.
//! - [`merkle`]: the RFC 6962 tree over all records of a log; [`note`], [`checkpoint`]: its signed head (C2SP).
//! - [`sealing`]: the key that closes the records' contents.
//! - [`segment`]: frames, the unit that is written: leaf hashes, sealed records, checkpoint.
//! - [`inventory`]: the signed list of logs; [`verify`]: whether files are what was written; [`prove`]: one record's
//!   proof for others to check.
pub mod checkpoint;
pub mod codec;
pub mod inventory;
pub mod merkle;
pub mod note;
pub mod prove;
pub mod record;
pub mod sealing;
pub mod segment;
pub mod verify;
