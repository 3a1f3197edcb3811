//! The portable kernel.

use crate::bytes::{digit, starts_run};

pub(crate) fn next_start(bytes: &[u8], from: usize) -> Option<usize> {
    (from..bytes.len()).find(|index| starts_run(bytes, *index))
}

pub(crate) fn next_loose(bytes: &[u8], from: usize) -> Option<usize> {
    (from..bytes.len()).find(|index| digit(bytes, *index))
}
