//! Columns as the target defines them before their rows: type, character set, where they come from. Leaves out how
//! their cells are masked (`value.rs`, `whole.rs`).

use super::charset::Charset;
use super::frame::{read_integer, read_string};
use crate::cursor::Cursor;
use crate::masker::Masker;
use crate::{Error, Side};

/// Types of columns and parameters (`MYSQL_TYPE_*`).
pub(crate) mod kind {
    pub(crate) const DECIMAL: u8 = 0x00;
    pub(crate) const TINY: u8 = 0x01;
    pub(crate) const SHORT: u8 = 0x02;
    pub(crate) const LONG: u8 = 0x03;
    pub(crate) const FLOAT: u8 = 0x04;
    pub(crate) const DOUBLE: u8 = 0x05;
    pub(crate) const NULL: u8 = 0x06;
    pub(crate) const TIMESTAMP: u8 = 0x07;
    pub(crate) const LONGLONG: u8 = 0x08;
    pub(crate) const INT24: u8 = 0x09;
    pub(crate) const DATE: u8 = 0x0a;
    pub(crate) const TIME: u8 = 0x0b;
    pub(crate) const DATETIME: u8 = 0x0c;
    pub(crate) const YEAR: u8 = 0x0d;
    pub(crate) const BIT: u8 = 0x10;
    pub(crate) const JSON: u8 = 0xf5;
    pub(crate) const NEWDECIMAL: u8 = 0xf6;
    pub(crate) const GEOMETRY: u8 = 0xff;
}

/// UNSIGNED_FLAG.
const UNSIGNED: u16 = 32;

/// One column of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column<'a> {
    /// The relation that it is a column of, and its name there, before any alias; empty: none.
    pub(crate) database: &'a [u8],
    pub(crate) table: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) kind: u8,
    /// The number of its collation.
    pub(crate) charset: u16,
    pub(crate) flags: u16,
    /// MariaDB: text that is JSON.
    pub(crate) json: bool,
}

impl<'a> Column<'a> {
    /// Reads a ColumnDefinition41. `extended`: MariaDB's further types stand in it; `listed`: what COM_FIELD_LIST adds.
    pub(crate) fn read(payload: &'a [u8], extended: bool, listed: bool) -> Result<Self, Error> {
        const WHAT: &str = "a column's definition is cut short";
        const FIXED_BYTES: u64 = 12;
        let mut cursor = Cursor::new(Side::Server, payload);
        read_string(&mut cursor, WHAT)?;
        let database = read_string(&mut cursor, WHAT)?;
        read_string(&mut cursor, WHAT)?;
        let table = read_string(&mut cursor, WHAT)?;
        read_string(&mut cursor, WHAT)?;
        let name = read_string(&mut cursor, WHAT)?;
        let json = extended && is_json(read_string(&mut cursor, WHAT)?)?;
        if read_integer(&mut cursor, WHAT)? != FIXED_BYTES {
            return Err(cursor.malformed("a column's definition of another length"));
        }
        let charset = cursor.u16_le(WHAT)?;
        cursor.take(4, WHAT)?;
        let kind = cursor.u8(WHAT)?;
        let flags = cursor.u16_le(WHAT)?;
        // Decimals, filler.
        cursor.take(3, WHAT)?;
        if listed && !cursor.is_done() && cursor.rest() != [0xfb] {
            read_string(&mut cursor, "a column's default is cut short")?;
        } else if listed && !cursor.is_done() {
            cursor.take(1, WHAT)?;
        }
        cursor.end("bytes after a column's definition")?;
        Ok(Self { database, table, name, kind, charset, flags, json })
    }

    pub(crate) fn is_unsigned(&self) -> bool {
        self.flags & UNSIGNED != 0
    }

    pub(crate) fn charset(&self) -> Charset {
        Charset::of(self.charset)
    }

    /// Whether its values are characters or bytes: those of other types are of ASCII wherever their form is text.
    pub(crate) fn is_string(&self) -> bool {
        match self.kind {
            kind::DECIMAL..=kind::YEAR | kind::BIT | kind::JSON | kind::NEWDECIMAL | kind::GEOMETRY => false,
            // The newer numbers of times with fractions.
            17..=19 => false,
            _ => true,
        }
    }
}

/// MariaDB's extended metadata: kind and words, again and again; kind 1 is a format.
fn is_json(bytes: &[u8]) -> Result<bool, Error> {
    const WHAT: &str = "a column's extended type is cut short";
    let mut cursor = Cursor::new(Side::Server, bytes);
    let mut json = false;
    while !cursor.is_done() {
        let kind = cursor.u8(WHAT)?;
        json |= read_string(&mut cursor, WHAT)? == b"json" && kind == 1;
    }
    Ok(json)
}

/// Masks the names in a checked definition, and, of a `listed` one, all that stands behind them: how many card numbers.
pub(crate) fn mask_names(masker: &Masker, payload: &mut [u8], listed: bool) -> usize {
    const NAMES: usize = 6;
    let mut masked = 0;
    let mut rest = payload;
    for _ in 0..NAMES {
        let mut cursor = Cursor::new(Side::Server, rest);
        let length = read_integer(&mut cursor, "").unwrap_or(0) as usize;
        let start = cursor.offset();
        let Some((name, behind)) = rest.get_mut(start..).and_then(|rest| rest.split_at_mut_checked(length))
        else {
            return masked;
        };
        masked += masker.text(name);
        rest = behind;
    }
    if listed { masked + masker.loose(rest) } else { masked }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::frame::string;
    use super::*;

    fn definition(extended: Option<&[u8]>, default: Option<&[u8]>) -> Vec<u8> {
        let mut payload = Vec::new();
        for text in [b"def".as_slice(), b"work", b"c", b"cards", b"4111111111111111", b"pan"] {
            string(&mut payload, text);
        }
        if let Some(extended) = extended {
            string(&mut payload, extended);
        }
        payload.extend_from_slice(b"\x0c\x2d\0\xff\0\0\0\xfd\x20\0\0\0\0");
        payload.extend_from_slice(default.unwrap_or_default());
        payload
    }

    #[test]
    fn definitions_are_read_to_the_last_byte() {
        let payload = definition(None, None);
        let column = Column::read(&payload, false, false).unwrap();
        assert_eq!((column.database, column.table, column.name), (&b"work"[..], &b"cards"[..], &b"pan"[..]));
        assert_eq!((column.kind, column.charset, column.json), (0xfd, 45, false));
        assert!(column.is_unsigned() && column.is_string() && column.charset() == Charset::Utf8);
        for cut in 0..payload.len() {
            assert!(Column::read(&payload[..cut], false, false).is_err(), "{cut}");
        }
        assert!(Column::read(&[&payload, b"x".as_slice()].concat(), false, false).is_err());
        assert!(Column::read(&definition(Some(b"\x01\x04json"), None), true, false).unwrap().json);
        assert!(!Column::read(&definition(Some(b"\0\x04json"), None), true, false).unwrap().json);
        assert!(Column::read(&definition(Some(b"\x01\x05json"), None), true, false).is_err());
        for default in [b"\xfb".as_slice(), b"\x01x", b""] {
            assert!(Column::read(&definition(None, Some(default)), false, true).is_ok());
        }
        assert!(Column::read(&definition(None, Some(b"\x02x")), false, true).is_err());
    }

    #[test]
    fn names_and_defaults_are_masked_in_place() {
        let masker =
            Masker { scanner: scan::Scanner::new(), format: scan::Format::Last4, scratch: Vec::new() };
        let mut payload = definition(None, Some(b"\x104111111111111111"));
        assert_eq!(mask_names(&masker, &mut payload, true), 2);
        assert_eq!(payload.windows(16).filter(|part| *part == b"************1111").count(), 2);
        assert_eq!(mask_names(&masker, &mut definition(None, None), false), 1);
    }
}
