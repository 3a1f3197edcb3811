//! Checked reads; no other file indexes peer bytes.

use crate::{Error, Side};

/// Reads one message's bytes in order. Offsets in errors count from its start.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    side: Side,
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `bytes`, which `side` has sent.
    pub fn new(side: Side, bytes: &'a [u8]) -> Self {
        Self { side, bytes, offset: 0 }
    }

    /// How many bytes have been read.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether everything has been read.
    pub fn is_done(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The error that these bytes break the rule `what`.
    pub fn malformed(&self, what: &'static str) -> Error {
        Error::Malformed { side: self.side, offset: self.offset, what }
    }

    /// The next `length` bytes.
    pub fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(self.malformed(what))?;
        self.bytes = rest;
        self.offset += length;
        Ok(taken)
    }

    fn chunk<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Error> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>().ok_or(self.malformed(what))?;
        self.bytes = rest;
        self.offset += N;
        Ok(*taken)
    }

    /// The next byte.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, Error> {
        self.chunk::<1>(what).map(|[byte]| byte)
    }

    /// The next two bytes as a number.
    pub fn u16(&mut self, what: &'static str) -> Result<u16, Error> {
        self.chunk(what).map(u16::from_be_bytes)
    }

    /// The next four bytes as a number.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, Error> {
        self.chunk(what).map(u32::from_be_bytes)
    }

    /// The next two bytes as a number, the lowest first.
    pub fn u16_le(&mut self, what: &'static str) -> Result<u16, Error> {
        self.chunk(what).map(u16::from_le_bytes)
    }

    /// The next four bytes as a number, the lowest first.
    pub fn u32_le(&mut self, what: &'static str) -> Result<u32, Error> {
        self.chunk(what).map(u32::from_le_bytes)
    }

    /// The next eight bytes as a number, the lowest first.
    pub fn u64_le(&mut self, what: &'static str) -> Result<u64, Error> {
        self.chunk(what).map(u64::from_le_bytes)
    }

    /// The next four bytes as a length, `None` for -1 (NULL).
    pub fn length(&mut self, what: &'static str) -> Result<Option<usize>, Error> {
        match i32::from_be_bytes(self.chunk(what)?) {
            -1 => Ok(None),
            length => usize::try_from(length).map(Some).map_err(|_| self.malformed(what)),
        }
    }

    /// The bytes before the next NUL, which is skipped.
    pub fn text(&mut self, what: &'static str) -> Result<&'a [u8], Error> {
        let length = memchr::memchr(0, self.bytes).ok_or(self.malformed(what))?;
        let text = self.take(length, what)?;
        self.take(1, what)?;
        Ok(text)
    }

    /// As [`Cursor::text`], in UTF-8.
    pub fn utf8(&mut self, what: &'static str) -> Result<&'a str, Error> {
        let start = *self;
        core::str::from_utf8(self.text(what)?).map_err(|_| start.malformed(what))
    }

    /// Nothing may be left.
    pub fn end(&self, what: &'static str) -> Result<(), Error> {
        if self.is_done() { Ok(()) } else { Err(self.malformed(what)) }
    }
}

/// The four bytes at `at` as a number, if there are so many.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The two bytes at `at` as a number, if there are so many.
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_in_order_and_says_where_it_fails() {
        let mut cursor = Cursor::new(Side::Client, b"\x01\x00\x02ab\0\xff\xff\xff\xff\xff\xff\xff\xfe");
        assert_eq!(cursor.u8("a"), Ok(1));
        assert_eq!(cursor.u16("b"), Ok(2));
        assert_eq!(cursor.utf8("c"), Ok("ab"));
        let mut little = Cursor::new(Side::Client, b"\x01\x02\x01\0\0\x02\x01\0\0\0\0\0\0\x02");
        assert_eq!(little.u16_le("a"), Ok(0x201));
        assert_eq!(little.u32_le("b"), Ok(0x200_0001));
        assert_eq!(little.u64_le("c"), Ok(0x200_0000_0000_0001));
        assert_eq!(cursor.length("d"), Ok(None));
        let malformed = Error::Malformed { side: Side::Client, offset: 14, what: "e" };
        assert_eq!(cursor.length("e"), Err(malformed));
        assert_eq!(cursor.end("f"), Ok(()));
        assert!(cursor.take(1, "g").is_err());
    }

    #[test]
    fn refuses_text_without_end_or_in_another_encoding() {
        assert!(Cursor::new(Side::Client, b"abc").text("x").is_err());
        assert!(Cursor::new(Side::Client, b"a\xff\0").utf8("x").is_err());
        assert!(Cursor::new(Side::Client, b"a").end("x").is_err());
    }
}
