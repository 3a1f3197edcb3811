//! Executors on real files: what is committed is there, verifies, and outlives kills, torn tails and failing disks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod evidence_files;
mod link;
mod place;
mod start;
