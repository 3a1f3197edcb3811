//! Messages as frames: a tag, a length that counts itself, a body. Leaves the bodies to `message.rs`.

use alloc::vec::Vec;
use core::num::NonZeroUsize;

use crate::cursor::u32_at;
use crate::{Error, Side};

/// Tag and length.
pub(crate) const HEADER_BYTES: usize = 5;

/// The start of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) tag: u8,
    /// Of the whole message, tag and length included; at least [`HEADER_BYTES`].
    pub(crate) length: usize,
}

/// Reads the header at the start of `bytes`; `None` where it has not come as a whole.
pub(crate) fn peek(side: Side, bytes: &[u8]) -> Result<Option<Frame>, Error> {
    let (Some(&tag), Some(length)) = (bytes.first(), u32_at(bytes, 1)) else { return Ok(None) };
    match usize::try_from(i64::from(length.cast_signed()) + 1) {
        Ok(length) if length >= HEADER_BYTES => Ok(Some(Frame { tag, length })),
        _ => Err(Error::Malformed { side, offset: 1, what: "a message's length is less than its own" }),
    }
}

/// How many bytes are missing from `have` to `want`.
pub(crate) fn missing(have: usize, want: usize) -> NonZeroUsize {
    NonZeroUsize::new(want.saturating_sub(have)).unwrap_or(NonZeroUsize::MIN)
}

/// Appends a message whose body `fill` writes.
pub(crate) fn message(out: &mut Vec<u8>, tag: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    packet(out, fill);
}

/// Appends a packet without a tag (the start-up kind).
pub(crate) fn packet(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    fill(out);
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// Appends text and its NUL.
pub(crate) fn text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(text);
    out.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_they_are_written() {
        let mut out = Vec::new();
        message(&mut out, b'Q', |body| text(body, b"select 1"));
        assert_eq!(out, b"Q\0\0\0\x0dselect 1\0");
        assert_eq!(peek(Side::Client, &out), Ok(Some(Frame { tag: b'Q', length: 14 })));
        assert_eq!(peek(Side::Client, &out[..4]), Ok(None));
    }

    #[test]
    fn refuses_lengths_that_lie() {
        for length in [0_u32, 3, u32::MAX, 0x8000_0000] {
            let mut bytes = alloc::vec![b'Q'];
            bytes.extend_from_slice(&length.to_be_bytes());
            assert!(peek(Side::Client, &bytes).is_err(), "{length}");
        }
    }
}
