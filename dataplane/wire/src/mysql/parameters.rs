//! Parameters of prepared statements: read in MySQL's binary form and kept as the text that they stand for, as a question
//! shows them. Leaves out where a packet has them (`command.rs`).

use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::column::kind;
use super::frame::read_string;
use crate::ask::Parameters;
use crate::cursor::Cursor;
use crate::{Error, Side};

/// A parameter's type, as a client binds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Type {
    pub(crate) kind: u8,
    pub(crate) unsigned: bool,
}

impl Type {
    /// From its two bytes.
    pub(crate) fn of([kind, flags]: [u8; 2]) -> Self {
        Self { kind, unsigned: flags & 0x80 != 0 }
    }
}

/// The parameters of one command, as text. One buffer serves all commands of a session.
#[derive(Default)]
pub(crate) struct Shown {
    framed: Vec<u8>,
    formats: Vec<u8>,
    count: u32,
    binary: bool,
}

/// More than this is not kept for the next command.
const KEPT_BYTES_MAX: usize = 64 * 1024;

impl Shown {
    pub(crate) fn clear(&mut self) {
        self.framed.clear();
        self.framed.shrink_to(KEPT_BYTES_MAX);
        self.formats.clear();
        self.formats.shrink_to(KEPT_BYTES_MAX);
        (self.count, self.binary) = (0, false);
    }

    pub(crate) fn view(&self) -> Parameters<'_> {
        let formats = if self.binary { self.formats.as_slice() } else { &[] };
        Parameters { framed: &self.framed, formats, count: self.count }
    }

    /// Bytes in the buffer.
    pub(crate) fn len(&self) -> usize {
        self.framed.len()
    }

    pub(crate) fn null(&mut self) {
        self.framed.extend_from_slice(&[0xff; 4]);
        self.counted(false);
    }

    /// Text, or what is none in UTF-8.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let length = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
        self.framed.extend_from_slice(&length.to_be_bytes());
        self.framed.extend_from_slice(bytes);
        self.counted(core::str::from_utf8(bytes).is_err());
    }

    fn words(&mut self, words: fmt::Arguments<'_>) {
        let start = self.framed.len();
        self.framed.extend_from_slice(&[0; 4]);
        // Writing to memory does not fail.
        let _ = Words(&mut self.framed).write_fmt(words);
        let length = (self.framed.len() - start - 4) as u32;
        if let Some(place) = self.framed.get_mut(start..start + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        self.counted(false);
    }

    fn counted(&mut self, binary: bool) {
        self.count += 1;
        self.binary |= binary;
        self.formats.extend_from_slice(&u16::from(binary).to_be_bytes());
    }

    /// Takes the value of this type that is next (Protocol::BinaryResultset's forms).
    pub(crate) fn value(&mut self, cursor: &mut Cursor<'_>, of: Type) -> Result<(), Error> {
        const WHAT: &str = "a parameter is cut short";
        match of.kind {
            kind::NULL => self.null(),
            kind::TINY => {
                let [byte] = [cursor.u8(WHAT)?];
                self.integer(of, byte.into(), byte.cast_signed().into());
            }
            kind::SHORT | kind::YEAR => {
                let number = cursor.u16_le(WHAT)?;
                self.integer(of, number.into(), number.cast_signed().into());
            }
            kind::LONG | kind::INT24 => {
                let number = cursor.u32_le(WHAT)?;
                self.integer(of, number.into(), number.cast_signed().into());
            }
            kind::LONGLONG => {
                let number = cursor.u64_le(WHAT)?;
                self.integer(of, number, number.cast_signed());
            }
            kind::FLOAT => {
                let number = f32::from_bits(cursor.u32_le(WHAT)?);
                self.words(format_args!("{number}"));
            }
            kind::DOUBLE => {
                let number = f64::from_bits(cursor.u64_le(WHAT)?);
                self.words(format_args!("{number}"));
            }
            kind::DATE | kind::DATETIME | kind::TIMESTAMP => self.moment(cursor, of.kind)?,
            kind::TIME => self.time(cursor)?,
            _ => {
                let text = read_string(cursor, WHAT)?;
                self.bytes(text);
            }
        }
        Ok(())
    }

    fn integer(&mut self, of: Type, unsigned: u64, signed: i64) {
        if of.unsigned {
            self.words(format_args!("{unsigned}"));
        } else {
            self.words(format_args!("{signed}"));
        }
    }

    fn moment(&mut self, cursor: &mut Cursor<'_>, kind: u8) -> Result<(), Error> {
        const WHAT: &str = "a date is cut short";
        let length = cursor.u8(WHAT)?;
        if !matches!(length, 0 | 4 | 7 | 11) {
            return Err(cursor.malformed("a date of a length that none has"));
        }
        let (mut date, mut time) = ((0, 0, 0), (0, 0, 0));
        if length >= 4 {
            date = (cursor.u16_le(WHAT)?, cursor.u8(WHAT)?, cursor.u8(WHAT)?);
        }
        if length >= 7 {
            time = (cursor.u8(WHAT)?, cursor.u8(WHAT)?, cursor.u8(WHAT)?);
        }
        let fraction = if length == 11 { cursor.u32_le(WHAT)? } else { 0 };
        let ((year, month, day), (hour, minute, second)) = (date, time);
        match (length, kind) {
            (0 | 4, kind::DATE) => self.words(format_args!("{year:04}-{month:02}-{day:02}")),
            (11, _) => self.words(format_args!(
                "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{fraction:06}"
            )),
            _ => self.words(format_args!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")),
        }
        Ok(())
    }

    fn time(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Error> {
        const WHAT: &str = "a time is cut short";
        let length = cursor.u8(WHAT)?;
        if !matches!(length, 0 | 8 | 12) {
            return Err(cursor.malformed("a time of a length that none has"));
        }
        if length == 0 {
            self.words(format_args!("00:00:00"));
            return Ok(());
        }
        let sign = if cursor.u8(WHAT)? == 0 { "" } else { "-" };
        let days = u64::from(cursor.u32_le(WHAT)?);
        let (hour, minute, second) = (cursor.u8(WHAT)?, cursor.u8(WHAT)?, cursor.u8(WHAT)?);
        let hours = days * 24 + u64::from(hour);
        if length == 12 {
            let fraction = cursor.u32_le(WHAT)?;
            self.words(format_args!("{sign}{hours:02}:{minute:02}:{second:02}.{fraction:06}"));
        } else {
            self.words(format_args!("{sign}{hours:02}:{minute:02}:{second:02}"));
        }
        Ok(())
    }
}

struct Words<'a>(&'a mut Vec<u8>);

impl Write for Words<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Reads the next parameter's type where names stand behind types (query attributes), or do not.
pub(crate) fn read_type(cursor: &mut Cursor<'_>, named: bool) -> Result<Type, Error> {
    const WHAT: &str = "parameters' types are missing";
    let of = Type::of([cursor.u8(WHAT)?, cursor.u8(WHAT)?]);
    if named {
        read_string(cursor, "a parameter's name is cut short")?;
    }
    Ok(of)
}

/// The side that sends parameters.
pub(crate) const SENDER: Side = Side::Client;

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn shown(kind: u8, unsigned: bool, bytes: &[u8]) -> Result<Option<String>, Error> {
        let mut shown = Shown::default();
        let mut cursor = Cursor::new(SENDER, bytes);
        shown.value(&mut cursor, Type { kind, unsigned })?;
        cursor.end("all of it")?;
        let parameter = shown.view().iter().next().unwrap();
        assert!(!parameter.binary);
        Ok(parameter.value.map(|value| String::from_utf8(value.to_vec()).unwrap()))
    }

    #[test]
    fn every_type_is_shown_as_its_text() {
        for (kind, unsigned, bytes, text) in [
            (kind::TINY, false, b"\xff".as_slice(), "-1"),
            (kind::TINY, true, b"\xff", "255"),
            (kind::SHORT, false, b"\xfe\xff", "-2"),
            (kind::YEAR, true, b"\xef\x07", "2031"),
            (kind::LONG, true, b"\xff\xff\xff\xff", "4294967295"),
            (kind::INT24, false, b"\xff\xff\xff\xff", "-1"),
            (kind::LONGLONG, true, &[0xff; 8], "18446744073709551615"),
            (kind::LONGLONG, false, &4_111_111_111_111_111_u64.to_le_bytes(), "4111111111111111"),
            (kind::FLOAT, false, &1.5_f32.to_le_bytes(), "1.5"),
            (kind::DOUBLE, false, &4_111_111_111_111_111_f64.to_le_bytes(), "4111111111111111"),
            (kind::DATE, false, b"\x04\xef\x07\x0c\x1f", "2031-12-31"),
            (kind::DATETIME, false, b"\0", "0000-00-00 00:00:00"),
            (kind::DATETIME, false, b"\x04\xef\x07\x0c\x1f", "2031-12-31 00:00:00"),
            (
                kind::TIMESTAMP,
                false,
                b"\x0b\xef\x07\x0c\x1f\x01\x02\x03\x40\x42\x0f\0",
                "2031-12-31 01:02:03.1000000",
            ),
            (kind::TIME, false, b"\x08\x01\x02\0\0\0\x03\x04\x05", "-51:04:05"),
            (kind::TIME, false, b"\x0c\0\0\0\0\0\x03\x04\x05\x01\0\0\0", "03:04:05.000001"),
            (kind::TIME, false, b"\0", "00:00:00"),
            (0xfd, false, b"\x03abc", "abc"),
            (kind::NEWDECIMAL, false, b"\x0412.5", "12.5"),
        ] {
            assert_eq!(shown(kind, unsigned, bytes), Ok(Some(text.into())), "{kind}");
            for cut in 0..bytes.len() {
                assert!(shown(kind, unsigned, &bytes[..cut]).is_err(), "{kind} cut at {cut}");
            }
        }
        assert_eq!(shown(kind::NULL, false, b""), Ok(None));
        assert!(shown(kind::DATE, false, b"\x05\0\0\0\0\0").is_err());
        assert!(shown(kind::TIME, false, b"\x05\0\0\0\0\0").is_err());
    }

    #[test]
    fn what_is_no_text_is_marked() {
        let mut shown = Shown::default();
        shown.bytes(b"a");
        shown.null();
        shown.bytes(b"\xff");
        let seen: Vec<_> = shown.view().iter().map(|each| (each.value, each.binary)).collect();
        assert_eq!(seen, [(Some(&b"a"[..]), false), (None, false), (Some(&b"\xff"[..]), true)]);
        shown.clear();
        assert!(shown.view().is_empty());
    }
}
