//! A client's commands: their bytes, what SQL some of them stand for, where prepared statements' packets have what. Leaves
//! out which may run (`session.rs`) and what parameters mean (`parameters.rs`).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::frame::{self, HEADER_BYTES, PAYLOAD_BYTES_MAX, read_integer};
use super::parameters::{SENDER, Shown, Type, read_type};
use super::statements::Statement;
use crate::cursor::Cursor;
use crate::{Error, Side};

pub(crate) const QUIT: u8 = 0x01;
pub(crate) const INIT_DB: u8 = 0x02;
pub(crate) const QUERY: u8 = 0x03;
pub(crate) const FIELD_LIST: u8 = 0x04;
pub(crate) const CREATE_DB: u8 = 0x05;
pub(crate) const DROP_DB: u8 = 0x06;
pub(crate) const REFRESH: u8 = 0x07;
pub(crate) const SHUTDOWN: u8 = 0x08;
pub(crate) const STATISTICS: u8 = 0x09;
pub(crate) const PROCESS_INFO: u8 = 0x0a;
pub(crate) const PROCESS_KILL: u8 = 0x0c;
pub(crate) const DEBUG: u8 = 0x0d;
pub(crate) const PING: u8 = 0x0e;
pub(crate) const CHANGE_USER: u8 = 0x11;
pub(crate) const BINLOG_DUMP: u8 = 0x12;
pub(crate) const TABLE_DUMP: u8 = 0x13;
pub(crate) const REGISTER_SLAVE: u8 = 0x15;
pub(crate) const PREPARE: u8 = 0x16;
pub(crate) const EXECUTE: u8 = 0x17;
pub(crate) const SEND_LONG_DATA: u8 = 0x18;
pub(crate) const CLOSE: u8 = 0x19;
pub(crate) const RESET: u8 = 0x1a;
pub(crate) const SET_OPTION: u8 = 0x1b;
pub(crate) const FETCH: u8 = 0x1c;
pub(crate) const BINLOG_DUMP_GTID: u8 = 0x1e;
pub(crate) const RESET_CONNECTION: u8 = 0x1f;
pub(crate) const CLONE: u8 = 0x20;
pub(crate) const BULK_EXECUTE: u8 = 0xfa;
pub(crate) const MULTI: u8 = 0xfe;

/// A command that is in hand as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    /// Bytes of its packets.
    pub(crate) length: usize,
    /// The number of its last packet.
    pub(crate) sequence: u8,
    /// It is spread over several.
    pub(crate) spread: bool,
}

/// Finds the command at the start of `bytes`, of a payload of at most `most` bytes; a spread one is put together in
/// `joined`. `Err`: how many bytes must be in hand.
pub(crate) fn whole(bytes: &[u8], most: usize, joined: &mut Vec<u8>) -> Result<Result<Whole, usize>, Error> {
    let (mut at, mut payload, mut sequence) = (0, 0, 0_u8);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(frame) = frame::peek(rest) else { return Ok(Err(at + HEADER_BYTES)) };
        if frame.sequence != sequence {
            return Err(Error::Malformed {
                side: Side::Client,
                offset: at + 3,
                what: "a packet out of sequence",
            });
        }
        payload += frame.payload;
        if payload > most {
            return Err(Error::TooLarge { side: Side::Client, what: "a statement and its parameters", most });
        }
        if rest.len() < frame.length() {
            return Ok(Err(at + frame.length()));
        }
        at += frame.length();
        if !frame.continues() {
            break;
        }
        sequence = sequence.wrapping_add(1);
    }
    let spread = sequence > 0 || at > HEADER_BYTES + PAYLOAD_BYTES_MAX;
    if spread {
        joined.clear();
        let packets = bytes.get(..at).unwrap_or_default().chunks(HEADER_BYTES + PAYLOAD_BYTES_MAX);
        packets.for_each(|packet| joined.extend_from_slice(packet.get(HEADER_BYTES..).unwrap_or_default()));
    }
    Ok(Ok(Whole { length: at, sequence, spread }))
}

/// The SQL that a command other than a statement stands for, if it does.
pub(crate) fn in_sql(payload: &[u8]) -> Result<Option<String>, Error> {
    let mut cursor = Cursor::new(SENDER, payload);
    let command = cursor.u8("an empty packet")?;
    let start = cursor;
    let name = |bytes: &[u8]| {
        let text = core::str::from_utf8(bytes).map_err(|_| start.malformed("a name is not in UTF-8"))?;
        Ok(text.replace('`', "``"))
    };
    Ok(Some(match command {
        INIT_DB => format!("USE `{}`", name(cursor.rest())?),
        CREATE_DB => format!("CREATE DATABASE `{}`", name(cursor.rest())?),
        DROP_DB => format!("DROP DATABASE `{}`", name(cursor.rest())?),
        FIELD_LIST => {
            let table = name(cursor.text("COM_FIELD_LIST: the table's name has no end")?)?;
            let like = name(cursor.rest())?;
            let like = like.trim_end_matches('\0').replace('\\', "\\\\").replace('\'', "''");
            if like.is_empty() {
                format!("SHOW COLUMNS FROM `{table}`")
            } else {
                format!("SHOW COLUMNS FROM `{table}` LIKE '{like}'")
            }
        }
        REFRESH => match refresh(cursor.u8("COM_REFRESH without flags")?) {
            Some(sql) => sql,
            None => return Ok(None),
        },
        SHUTDOWN => String::from("SHUTDOWN"),
        STATISTICS => String::from("SHOW STATUS"),
        PROCESS_INFO => String::from("SHOW PROCESSLIST"),
        PROCESS_KILL => format!("KILL {}", cursor.u32_le("COM_PROCESS_KILL without a number")?),
        _ => return Ok(None),
    }))
}

/// FLUSH of what COM_REFRESH's flags name; replication's are not among it.
fn refresh(flags: u8) -> Option<String> {
    const NAMES: [&str; 6] = ["PRIVILEGES", "LOGS", "TABLES", "HOSTS", "STATUS", "THREADS"];
    let named = (0..8).filter(|bit| flags >> bit & 1 == 1);
    let names: Option<Vec<&str>> = named.map(|bit| NAMES.get(bit as usize).copied()).collect();
    names.filter(|names| !names.is_empty()).map(|names| format!("FLUSH {}", names.join(", ")))
}

/// Reads COM_QUERY; where its text begins. `attributed`: attributes stand before it, and are shown.
pub(crate) fn read_query(payload: &[u8], attributed: bool, shown: &mut Shown) -> Result<usize, Error> {
    let mut cursor = Cursor::new(SENDER, payload);
    cursor.u8("an empty packet")?;
    if !attributed {
        return Ok(cursor.offset());
    }
    let count = read_count(&mut cursor)?;
    if read_integer(&mut cursor, "COM_QUERY: no count of parameters' sets")? != 1 {
        return Err(cursor.malformed("COM_QUERY: more than one set of parameters"));
    }
    if count > 0 {
        let nulls = cursor.take(count.div_ceil(8), "COM_QUERY: the map of NULLs is cut short")?;
        if cursor.u8("COM_QUERY: no flag for types")? != 1 {
            return Err(cursor.malformed("COM_QUERY: parameters without types"));
        }
        let start = cursor;
        for _ in 0..count {
            read_type(&mut cursor, true)?;
        }
        read_values(&mut cursor, start, (count, true), nulls, |_| None, shown)?;
    }
    Ok(cursor.offset())
}

fn read_count(cursor: &mut Cursor<'_>) -> Result<usize, Error> {
    let count = read_integer(cursor, "no count of parameters")?;
    match u16::try_from(count) {
        Ok(count) => Ok(count.into()),
        Err(_) => Err(cursor.malformed("more parameters than a statement can have")),
    }
}

/// Reads one set of values, by the types that `types` stands before.
fn read_values<'a>(
    values: &mut Cursor<'_>,
    mut types: Cursor<'_>,
    (count, named): (usize, bool),
    nulls: &[u8],
    ahead: impl Fn(usize) -> Option<&'a [u8]>,
    shown: &mut Shown,
) -> Result<(), Error> {
    for index in 0..count {
        let of = read_type(&mut types, named)?;
        if let Some(value) = ahead(index) {
            shown.bytes(value);
        } else if nulls.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1) {
            shown.null();
        } else {
            shown.value(values, of)?;
        }
    }
    Ok(())
}

/// COM_STMT_EXECUTE, or its bulk form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Execute {
    pub(crate) statement: u32,
    /// Parameters of a set, attributes included.
    pub(crate) count: usize,
    /// Types are bound anew.
    pub(crate) binds: bool,
    /// Where the flag for that is, if there are parameters.
    pub(crate) flag: Option<usize>,
    pub(crate) types: Range<usize>,
    nulls: Range<usize>,
    named: bool,
    bulk: bool,
}

impl Execute {
    /// The statement that is named.
    pub(crate) fn named(payload: &[u8]) -> Result<u32, Error> {
        let mut cursor = Cursor::new(SENDER, payload);
        cursor.u8("an empty packet")?;
        cursor.u32_le("a statement's number is cut short")
    }

    /// Reads up to the values. `attributed`: clients and target know query attributes.
    pub(crate) fn read(payload: &[u8], parameters: u16, attributed: bool) -> Result<Self, Error> {
        const COUNTED: u8 = 8;
        let mut cursor = Cursor::new(SENDER, payload);
        let bulk = cursor.u8("an empty packet")? == BULK_EXECUTE;
        let statement = cursor.u32_le("a statement's number is cut short")?;
        if bulk {
            return Self::read_bulk(cursor, statement, parameters);
        }
        let flags = cursor.u8("COM_STMT_EXECUTE: no flags")?;
        if cursor.u32_le("COM_STMT_EXECUTE: no count of iterations")? != 1 {
            return Err(cursor.malformed("COM_STMT_EXECUTE: more iterations than one"));
        }
        let mut count = usize::from(parameters);
        let named = attributed && flags & COUNTED != 0;
        if named {
            count = read_count(&mut cursor)?;
            if count < usize::from(parameters) {
                return Err(cursor.malformed("COM_STMT_EXECUTE: fewer parameters than the statement has"));
            }
        } else if attributed && count > 0 {
            return Err(Error::Unsupported {
                side: Side::Client,
                what: "parameters without their count where query attributes are agreed on",
            });
        }
        let end = payload.len();
        let mut read = Self {
            statement,
            count,
            binds: false,
            flag: None,
            types: end..end,
            nulls: end..end,
            named,
            bulk: false,
        };
        if count == 0 {
            cursor.end("COM_STMT_EXECUTE: bytes behind what a statement without parameters has")?;
            return Ok(read);
        }
        let start = cursor.offset();
        cursor.take(count.div_ceil(8), "COM_STMT_EXECUTE: the map of NULLs is cut short")?;
        read.nulls = start..cursor.offset();
        read.flag = Some(cursor.offset());
        read.binds = match cursor.u8("COM_STMT_EXECUTE: no flag for types")? {
            0 => false,
            1 => true,
            _ => return Err(cursor.malformed("COM_STMT_EXECUTE: a flag for types that is neither 0 nor 1")),
        };
        read.types = read.types_from(&mut cursor)?;
        Ok(read)
    }

    fn read_bulk(mut cursor: Cursor<'_>, statement: u32, parameters: u16) -> Result<Self, Error> {
        const TYPES: u16 = 128;
        let flags = cursor.u16_le("COM_STMT_BULK_EXECUTE: no flags")?;
        if flags & !TYPES != 0 {
            return Err(Error::Unsupported { side: Side::Client, what: "a result for each row of a bulk" });
        }
        if parameters == 0 {
            return Err(cursor.malformed("COM_STMT_BULK_EXECUTE of a statement without parameters"));
        }
        let start = cursor.offset();
        let mut read = Self {
            statement,
            count: parameters.into(),
            binds: flags & TYPES != 0,
            flag: None,
            types: start..start,
            nulls: start..start,
            named: false,
            bulk: true,
        };
        read.types = read.types_from(&mut cursor)?;
        Ok(read)
    }

    fn types_from(&self, cursor: &mut Cursor<'_>) -> Result<Range<usize>, Error> {
        let start = cursor.offset();
        if self.binds {
            for _ in 0..self.count {
                read_type(cursor, self.named)?;
            }
        }
        Ok(start..cursor.offset())
    }

    /// Shows the values, by the types that the statement has been told.
    pub(crate) fn show(
        &self,
        payload: &[u8],
        statement: &Statement,
        most: usize,
        shown: &mut Shown,
    ) -> Result<(), Error> {
        let types = Cursor::new(SENDER, &statement.types.raw);
        let mut cursor = Cursor::new(SENDER, payload);
        cursor.take(self.types.end, "parameters' types are missing")?;
        if !self.bulk {
            let nulls = payload.get(self.nulls.clone()).unwrap_or_default();
            let ahead = |index| statement.ahead(index);
            read_values(&mut cursor, types, (self.count, self.named), nulls, ahead, shown)?;
            return cursor.end("bytes behind the parameters");
        }
        while !cursor.is_done() {
            let mut types = types;
            for _ in 0..self.count {
                let of: Type = read_type(&mut types, false)?;
                match cursor.u8("a parameter of a bulk is missing")? {
                    0 => shown.value(&mut cursor, of)?,
                    // NULL, the column's default, none.
                    1..=3 => shown.null(),
                    _ => return Err(cursor.malformed("a parameter of a bulk that is neither there nor not")),
                }
            }
            // A NULL takes one byte in the packet and more here.
            if shown.len() > most.saturating_mul(2) {
                return Err(Error::TooLarge { side: Side::Client, what: "a bulk's parameters", most });
            }
        }
        Ok(())
    }
}

/// COM_STMT_SEND_LONG_DATA: statement, parameter, bytes.
pub(crate) fn read_ahead(payload: &[u8]) -> Result<(u32, u16, &[u8]), Error> {
    const WHAT: &str = "COM_STMT_SEND_LONG_DATA is cut short";
    let mut cursor = Cursor::new(SENDER, payload);
    cursor.u8(WHAT)?;
    Ok((cursor.u32_le(WHAT)?, cursor.u16_le(WHAT)?, cursor.rest()))
}
