//! Packets as frames: a length of three bytes, a sequence number, a payload; a payload of 16 MiB - 1 goes on in the next
//! packet. Leaves the payloads to the files that read them.

use alloc::vec::Vec;
use core::num::NonZeroUsize;

use crate::cursor::Cursor;
use crate::{Error, Side};

/// Length and sequence number.
pub(crate) const HEADER_BYTES: usize = 4;

/// A payload of this length goes on in the packet behind it.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 0xff_ffff;

/// The start of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Of the payload.
    pub(crate) payload: usize,
    pub(crate) sequence: u8,
}

impl Frame {
    /// Of the whole packet, header included.
    pub(crate) fn length(&self) -> usize {
        HEADER_BYTES + self.payload
    }

    /// Numbers the packet, which begins `bytes`, as the client has it, whose numbers are so much ahead.
    pub(crate) fn renumber(&self, bytes: &mut [u8], lead: u8) {
        if let Some(number) = bytes.get_mut(HEADER_BYTES - 1) {
            *number = self.sequence.wrapping_add(lead);
        }
    }

    /// Whether the payload goes on in the next packet.
    pub(crate) fn continues(&self) -> bool {
        self.payload == PAYLOAD_BYTES_MAX
    }
}

/// Reads the header at the start of `bytes`; `None` where it has not come as a whole.
pub(crate) fn peek(bytes: &[u8]) -> Option<Frame> {
    let &[low, middle, high, sequence] = bytes.first_chunk::<HEADER_BYTES>()?;
    Some(Frame { payload: u32::from_le_bytes([low, middle, high, 0]) as usize, sequence })
}

/// The whole packet at the start of `bytes`, with its payload: for logins, where packets are short and whole. `Err`: how
/// many bytes are missing. Longer than `most` it is refused, as is any sequence number but `sequence`.
pub(crate) fn whole(
    side: Side,
    bytes: &[u8],
    sequence: u8,
    most: usize,
) -> Result<Result<(Frame, &[u8]), NonZeroUsize>, Error> {
    let Some(frame) = peek(bytes) else { return Ok(Err(missing(bytes.len(), HEADER_BYTES))) };
    if frame.payload > most {
        return Err(Error::TooLarge { side, what: "a packet of the login", most });
    }
    if frame.sequence != sequence {
        return Err(Error::Malformed { side, offset: 3, what: "a packet out of sequence" });
    }
    match bytes.get(HEADER_BYTES..frame.length()) {
        Some(payload) => Ok(Ok((frame, payload))),
        None => Ok(Err(missing(bytes.len(), frame.length()))),
    }
}

/// How many bytes are missing from `have` to `want`.
pub(crate) fn missing(have: usize, want: usize) -> NonZeroUsize {
    NonZeroUsize::new(want.saturating_sub(have)).unwrap_or(NonZeroUsize::MIN)
}

/// Appends a packet whose payload, shorter than [`PAYLOAD_BYTES_MAX`], `fill` writes.
pub(crate) fn packet(out: &mut Vec<u8>, sequence: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0, 0, 0, sequence]);
    fill(out);
    let payload = out.len().saturating_sub(start + HEADER_BYTES);
    debug_assert!(payload < PAYLOAD_BYTES_MAX, "a packet of the engine's own is short");
    let length = u32::try_from(payload).unwrap_or(u32::MAX).to_le_bytes();
    if let (Some(place), Some(length)) = (out.get_mut(start..start + 3), length.get(..3)) {
        place.copy_from_slice(length);
    }
}

/// Appends a length-encoded integer.
pub(crate) fn integer(out: &mut Vec<u8>, value: u64) {
    let bytes = value.to_le_bytes();
    let (mark, length) = match value {
        0..=250 => (None, 1),
        251..=0xffff => (Some(0xfc), 2),
        0x1_0000..=0xff_ffff => (Some(0xfd), 3),
        _ => (Some(0xfe), 8),
    };
    out.extend(mark);
    out.extend_from_slice(bytes.get(..length).unwrap_or_default());
}

/// Appends a length-encoded string.
pub(crate) fn string(out: &mut Vec<u8>, text: &[u8]) {
    integer(out, text.len() as u64);
    out.extend_from_slice(text);
}

/// Reads a length-encoded integer: in as few bytes as it needs or in more, as servers take it.
pub(crate) fn read_integer(cursor: &mut Cursor<'_>, what: &'static str) -> Result<u64, Error> {
    let start = *cursor;
    match cursor.u8(what)? {
        0xfc => cursor.u16_le(what).map(u64::from),
        0xfd => {
            let low = cursor.u16_le(what)?;
            Ok(u64::from(cursor.u8(what)?) << 16 | u64::from(low))
        }
        0xfe => cursor.u64_le(what),
        // 0xfb is NULL in a row, 0xff an error.
        0xfb | 0xff => Err(start.malformed(what)),
        byte => Ok(byte.into()),
    }
}

/// Reads a length-encoded string.
pub(crate) fn read_string<'a>(cursor: &mut Cursor<'a>, what: &'static str) -> Result<&'a [u8], Error> {
    let start = *cursor;
    let length = usize::try_from(read_integer(cursor, what)?).map_err(|_| start.malformed(what))?;
    cursor.take(length, what)
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
    fn packets_are_read_as_they_are_written() {
        let mut out = Vec::new();
        packet(&mut out, 7, |payload| text(payload, b"ab"));
        assert_eq!(out, b"\x03\0\0\x07ab\0");
        assert_eq!(peek(&out), Some(Frame { payload: 3, sequence: 7 }));
        assert_eq!(peek(&out[..3]), None);
        let (frame, payload) = whole(Side::Client, &out, 7, 3).unwrap().unwrap();
        assert_eq!((frame.length(), payload), (7, b"ab\0".as_slice()));
        assert_eq!(whole(Side::Client, &out[..5], 7, 3), Ok(Err(NonZeroUsize::new(2).unwrap())));
        assert!(whole(Side::Client, &out, 6, 3).is_err());
        assert!(whole(Side::Client, &out, 7, 2).is_err());
    }

    #[test]
    fn integers_take_as_many_bytes_as_they_need() {
        for (value, bytes) in [
            (250, b"\xfa".as_slice()),
            (251, b"\xfc\xfb\0"),
            (0xffff, b"\xfc\xff\xff"),
            (0x1_0000, b"\xfd\0\0\x01"),
            (0x100_0000, b"\xfe\0\0\0\x01\0\0\0\0"),
        ] {
            let mut out = Vec::new();
            integer(&mut out, value);
            assert_eq!(out, bytes);
            let mut cursor = Cursor::new(Side::Client, bytes);
            assert_eq!((read_integer(&mut cursor, "x"), cursor.is_done()), (Ok(value), true));
            let mut short = Cursor::new(Side::Client, &bytes[..bytes.len() - 1]);
            assert!(read_integer(&mut short, "x").is_err());
        }
        for none in [b"\xfb".as_slice(), b"\xff", b""] {
            assert!(read_integer(&mut Cursor::new(Side::Client, none), "x").is_err());
        }
    }

    #[test]
    fn strings_are_read_as_they_are_written_and_no_further() {
        let mut out = Vec::new();
        string(&mut out, b"abc");
        let mut cursor = Cursor::new(Side::Client, &out);
        assert_eq!((read_string(&mut cursor, "x"), cursor.is_done()), (Ok(b"abc".as_slice()), true));
        assert!(read_string(&mut Cursor::new(Side::Client, &out[..3]), "x").is_err());
        let long = b"\xfe\xff\xff\xff\xff\xff\xff\xff\xffa";
        assert!(read_string(&mut Cursor::new(Side::Client, long), "x").is_err());
    }
}
