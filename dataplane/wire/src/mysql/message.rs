//! Views of the target's packets: fields borrow from the bytes in hand. A view exists only of a packet that is well
//! formed to its last byte. Leaves out columns' definitions (`column.rs`) and rows.

use alloc::vec::Vec;
use core::ops::Range;

use super::capabilities::{
    Capabilities, STATUS_ANSI_QUOTES, STATUS_NO_BACKSLASH_ESCAPES, STATUS_SESSION_CHANGED,
};
use super::frame::{self, read_integer, read_string};
use crate::cursor::Cursor;
use crate::{Error, Side};

/// An OK packet, or an EOF packet in either form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    /// Rows that the command changed.
    pub(crate) rows: u64,
    pub(crate) status: u16,
    /// Where the number that was given out last is, without its length: LAST_INSERT_ID(expression) makes it any number.
    pub(crate) inserted: Range<usize>,
    /// Where its words begin, with the length before them where there is one; where they are; where what follows them is.
    fixed: usize,
    pub(crate) words: Range<usize>,
    pub(crate) changes: Range<usize>,
}

impl Done {
    /// Reads an OK packet (or one that stands for EOF), or, short as it is, an EOF packet.
    pub(crate) fn read(payload: &[u8], capabilities: Capabilities) -> Result<Self, Error> {
        const WHAT: &str = "an OK packet is cut short";
        let mut cursor = Cursor::new(Side::Server, payload);
        const EOF_BYTES: usize = 5;
        let deprecated = capabilities.has(Capabilities::DEPRECATE_EOF);
        if cursor.u8(WHAT)? == 0xfe && !(deprecated && payload.len() != EOF_BYTES) {
            // Warnings.
            cursor.take(2, "an EOF packet is cut short")?;
            let status = cursor.u16_le("an EOF packet is cut short")?;
            cursor.end("bytes after an EOF packet")?;
            let end = payload.len();
            let nothing = end..end;
            let (inserted, words) = (nothing.clone(), nothing.clone());
            return Self { rows: 0, status, inserted, fixed: end, words, changes: nothing }.sound();
        }
        let rows = read_integer(&mut cursor, WHAT)?;
        let start = cursor.offset();
        read_integer(&mut cursor, WHAT)?;
        // A byte is the number itself; longer forms have a byte before it.
        let inserted = if cursor.offset() == start + 1 { start } else { start + 1 }..cursor.offset();
        let status = cursor.u16_le(WHAT)?;
        // Warnings.
        cursor.take(2, WHAT)?;
        let fixed = cursor.offset();
        let end = payload.len();
        let (mut words, mut changes) = (fixed..end, end..end);
        if capabilities.has(Capabilities::SESSION_TRACK) && !cursor.is_done() {
            let length = read_string(&mut cursor, "an OK packet's words are cut short")?.len();
            words = cursor.offset() - length..cursor.offset();
            if status & STATUS_SESSION_CHANGED != 0 && !cursor.is_done() {
                if words.is_empty() {
                    skip_wide_length(&mut cursor);
                }
                let length = read_string(&mut cursor, "an OK packet's changes are cut short")?.len();
                changes = cursor.offset() - length..cursor.offset();
            }
            cursor.end("bytes after an OK packet")?;
        }
        Self { rows, status, inserted, fixed, words, changes }.sound()
    }

    fn sound(self) -> Result<Self, Error> {
        if self.status & (STATUS_NO_BACKSLASH_ESCAPES | STATUS_ANSI_QUOTES) != 0 {
            return Err(MODE_CHANGED);
        }
        Ok(self)
    }

    /// Whether the packet reads otherwise for a client that knows nothing of session tracking.
    pub(crate) fn tells(&self, payload: &[u8]) -> bool {
        self.fixed < payload.len()
    }

    /// Appends the same packet with other words before its own, in the form that a client has asked for.
    pub(crate) fn retell(&self, payload: &[u8], words: &str, tracks: bool, out: &mut Vec<u8>) {
        let own = payload.get(self.words.clone()).unwrap_or_default();
        let between: &[u8] = if own.is_empty() || words.is_empty() { b"" } else { b"; " };
        let said = [words.as_bytes(), between, own].concat();
        let (fixed, warnings) = payload.split_at_checked(self.fixed - 2).unwrap_or((payload, b""));
        out.extend_from_slice(fixed);
        if tracks {
            out.extend_from_slice(warnings.get(..2).unwrap_or_default());
            frame::string(out, &said);
            if self.status & STATUS_SESSION_CHANGED != 0 {
                frame::string(out, payload.get(self.changes.clone()).unwrap_or_default());
            }
            return;
        }
        if let Some(status) = out.last_chunk_mut::<2>() {
            *status = (self.status & !STATUS_SESSION_CHANGED).to_le_bytes();
        }
        out.extend_from_slice(warnings.get(..2).unwrap_or_default());
        out.extend_from_slice(&said);
    }
}

/// MariaDB writes the length of no words as a character of the default database's character set: behind the length itself
/// come one more zero where that is of two bytes each (ucs2, utf16), three where of four (utf32). Not where zeros are all
/// that follows, or where they are no more than the changes' own length.
fn skip_wide_length(cursor: &mut Cursor<'_>) {
    const WHAT: &str = "an OK packet's length of no words is cut short";
    for zeros in [1, 3] {
        let mut behind = *cursor;
        let skipped = behind.take(zeros, WHAT).is_ok_and(|skipped| skipped.iter().all(|byte| *byte == 0));
        let mut end = behind;
        if skipped && read_string(&mut end, WHAT).is_ok_and(|changes| !changes.is_empty()) && end.is_done() {
            *cursor = behind;
            return;
        }
    }
}

const MODE_CHANGED: Error = Error::Unsupported {
    side: Side::Server,
    what: "the session's sql_mode has come to change how statements read (ANSI_QUOTES, NO_BACKSLASH_ESCAPES)",
};

/// One change of the session's state that an OK packet tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A system variable: where its name and its value are.
    Variable {
        name: Range<usize>,
        value: Range<usize>,
    },
    /// Where the name of the default database is.
    Database(Range<usize>),
    Other(Range<usize>),
}

/// Reads the changes of an OK packet; ranges count from the start of `bytes`.
pub(crate) fn each_change(bytes: &[u8], mut each: impl FnMut(Change)) -> Result<(), Error> {
    const WHAT: &str = "a change of the session is cut short";
    const VARIABLE: u8 = 0;
    const DATABASE: u8 = 1;
    let mut cursor = Cursor::new(Side::Server, bytes);
    while !cursor.is_done() {
        let kind = cursor.u8(WHAT)?;
        let data = read_string(&mut cursor, WHAT)?;
        let start = cursor.offset() - data.len();
        if !matches!(kind, VARIABLE | DATABASE) {
            each(Change::Other(start..start + data.len()));
            continue;
        }
        let mut inner = Cursor::new(Side::Server, data);
        let range = |inner: &mut Cursor<'_>| -> Result<Range<usize>, Error> {
            let length = read_string(inner, WHAT)?.len();
            Ok(start + inner.offset() - length..start + inner.offset())
        };
        if kind == DATABASE {
            let name = range(&mut inner)?;
            each(Change::Database(name));
            inner.end("bytes after a database's name")?;
        }
        // MariaDB tells several in one.
        while !inner.is_done() {
            let (name, value) = (range(&mut inner)?, range(&mut inner)?);
            each(Change::Variable { name, value });
        }
    }
    Ok(())
}

/// An ERR packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) number: u16,
    /// Where its words begin.
    pub(crate) words: usize,
}

impl Report {
    /// The number of a progress report (MariaDB), which ends nothing.
    pub(crate) const PROGRESS: u16 = 0xffff;

    pub(crate) fn read(payload: &[u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(Side::Server, payload);
        cursor.u8("an ERR packet is empty")?;
        let number = cursor.u16_le("an ERR packet without a number")?;
        if cursor.rest().first() == Some(&b'#') && number != Self::PROGRESS {
            cursor.take(6, "an ERR packet's SQLSTATE is cut short")?;
        }
        Ok(Self { number, words: cursor.offset() })
    }

    /// The number as five digits.
    pub(crate) fn code(&self) -> [u8; 5] {
        let mut rest = self.number;
        let mut code = [b'0'; 5];
        for digit in code.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        code
    }
}

/// What answers COM_STMT_PREPARE first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prepared {
    pub(crate) id: u32,
    pub(crate) columns: u16,
    pub(crate) parameters: u16,
}

impl Prepared {
    pub(crate) fn read(payload: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "the answer to COM_STMT_PREPARE is cut short";
        let mut cursor = Cursor::new(Side::Server, payload);
        cursor.u8(WHAT)?;
        let id = cursor.u32_le(WHAT)?;
        let (columns, parameters) = (cursor.u16_le(WHAT)?, cursor.u16_le(WHAT)?);
        // Filler, warnings.
        cursor.take(3, WHAT)?;
        cursor.end("bytes after the answer to COM_STMT_PREPARE")?;
        Ok(Self { id, columns, parameters })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACKED: Capabilities = Capabilities::PROTOCOL_41.and(Capabilities::SESSION_TRACK);
    const PLAIN: Capabilities = Capabilities::PROTOCOL_41;

    #[test]
    fn an_ok_packet_is_read_in_each_form() {
        let done = Done::read(b"\0\x03\0\x02\0\0\0three", PLAIN).unwrap();
        assert_eq!((done.rows, done.status, done.words), (3, 2, 7..12));
        let done = Done::read(b"\0\x01\0\x02\x40\0\0\x01x\x05\x01\x03\x02db", TRACKED).unwrap();
        assert_eq!((done.words, done.changes), (8..9, 10..15));
        assert_eq!(Done::read(b"\0\0\0\x02\x40\0\0", TRACKED).unwrap().words, 7..7);
        assert!(Done::read(b"\0\0\0\x02\0\0\0\x01xy", TRACKED).is_err());
        assert!(Done::read(b"\0\0\0\x02\0\0", PLAIN).is_err());
        assert_eq!(Done::read(b"\xfe\0\0\x02\0", PLAIN).unwrap().status, 2);
        assert!(Done::read(b"\xfe\0\0\x02\0\0", PLAIN).is_err());
        let eof = PLAIN.and(Capabilities::DEPRECATE_EOF);
        assert_eq!(Done::read(b"\xfe\0\0\x02\0\0\0", eof).unwrap().status, 2);
    }

    #[test]
    fn a_mode_that_changes_how_texts_read_is_an_error() {
        for status in [0x0200_u16, 0x8000] {
            let payload = [b"\0\0\0".as_slice(), &status.to_le_bytes(), b"\0\0"].concat();
            assert_eq!(Done::read(&payload, PLAIN), Err(MODE_CHANGED));
        }
    }

    #[test]
    fn the_length_of_no_words_may_be_as_wide_as_the_database_characters() {
        let changes = b"\x05\x01\x03\x02e1";
        for zeros in [0, 1, 3] {
            let payload =
                [b"\0\0\0\x02\x40\0\0\0".as_slice(), [0; 3].get(..zeros).unwrap(), changes].concat();
            let done = Done::read(&payload, TRACKED).unwrap();
            assert_eq!(payload.get(done.changes.clone()), changes.get(1..), "{zeros}");
            let mut out = Vec::new();
            done.retell(&payload, "ticket", true, &mut out);
            assert_eq!(out, [b"\0\0\0\x02\x40\0\0\x06ticket".as_slice(), changes].concat());
            assert!(Done::read(&payload[..payload.len() - 1], TRACKED).is_err());
            assert!(Done::read(&[payload.as_slice(), b"\0"].concat(), TRACKED).is_err());
        }
        for zeros in [2, 4] {
            let payload = [b"\0\0\0\x02\x40\0\0\0".as_slice(), &[0; 4][..zeros], changes].concat();
            assert!(Done::read(&payload, TRACKED).is_err(), "{zeros}");
        }
        assert!(Done::read(b"\0\0\0\x02\x40\0\0\x01x\0\x05\x01\x03\x02e1", TRACKED).is_err());
        assert!(Done::read(b"\0\0\0\x02\x40\0\0\0\0", TRACKED).unwrap().changes.is_empty());
    }

    #[test]
    fn words_are_put_before_its_own() {
        for (payload, capabilities, tracks, expected) in [
            (b"\0\0\0\x02\0\0\0".as_slice(), PLAIN, false, b"\0\0\0\x02\0\0\0ticket".as_slice()),
            (b"\0\0\0\x02\0\0\0own", PLAIN, false, b"\0\0\0\x02\0\0\0ticket; own"),
            (b"\0\0\0\x02\0\0\0", TRACKED, true, b"\0\0\0\x02\0\0\0\x06ticket"),
            (b"\0\0\0\0\x40\0\0\x01x\x02\x05\0", TRACKED, true, b"\0\0\0\0\x40\0\0\x09ticket; x\x02\x05\0"),
            (b"\0\0\0\x02\x40\0\0\x01x\x02\x05\0", TRACKED, false, b"\0\0\0\x02\0\0\0ticket; x"),
        ] {
            let mut out = Vec::new();
            let done = Done::read(payload, capabilities).unwrap();
            done.retell(payload, "ticket", tracks, &mut out);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn changes_are_read_to_the_last_byte() {
        let bytes = b"\0\x08\x01a\x01b\x01c\x01d\x01\x03\x02db\x05\x02xy";
        let mut seen = Vec::new();
        each_change(bytes, |change| seen.push(change)).unwrap();
        let variable = |at: usize| Change::Variable { name: at..at + 1, value: at + 2..at + 3 };
        assert_eq!(seen, [variable(3), variable(7), Change::Database(13..15), Change::Other(17..19)]);
        for cut in [1, 2, 5, 11, 14, 18] {
            assert!(each_change(&bytes[..cut], |_| ()).is_err(), "{cut}");
        }
    }

    #[test]
    fn errors_and_prepared_statements_are_read() {
        let report = Report::read(b"\xff\x15\x04#28000no").unwrap();
        assert_eq!((report.number, report.words, report.code()), (1045, 9, *b"01045"));
        assert_eq!(Report::read(b"\xff\x15\x04no").unwrap().words, 3);
        assert_eq!(Report::read(b"\xff\xff\xff\x01").unwrap().number, Report::PROGRESS);
        assert!(Report::read(b"\xff\x15").is_err());
        assert!(Report::read(b"\xff\x15\x04#280").is_err());
        let prepared = Prepared { id: 7, columns: 2, parameters: 1 };
        assert_eq!(Prepared::read(b"\0\x07\0\0\0\x02\0\x01\0\0\0\0"), Ok(prepared));
        assert!(Prepared::read(b"\0\x07\0\0\0\x02\0\x01\0\0\0").is_err());
    }
}
