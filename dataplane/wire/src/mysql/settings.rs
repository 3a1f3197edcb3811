//! The gateway's own settings of a session, made before the client may say anything: text is UTF-8 both ways, no SQL
//! mode changes how a text is cut, and what the client changes of it later is reported. One question, one statement,
//! both answers read and swallowed. A client that has named another character set is given UTF-8 as well. Leaves out what the client sets itself (the open session's concern).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::capabilities::Capabilities;
use super::command;
use super::frame::{packet, read_integer, read_string};
use super::nature::is_utf8;
use crate::cursor::Cursor;
use crate::{Error, Naming, Side};

/// The second name in the first column is the character set that SET NAMES DEFAULT makes the session's.
const QUESTION: &str =
    "SELECT CONCAT_WS(',', @@collation_connection, @@global.character_set_client), @@sql_mode";
const COLUMNS: u8 = 2;

/// The connection's collation where the target's own is not of utf8mb4.
const COLLATION: &str = "utf8mb4_general_ci";

/// SQL modes that change where a string, a name or a comment begins and ends, or the grammar as a whole; and the
/// combinations that bring one of them.
const MODES: [&str; 9] = [
    "ANSI_QUOTES",
    "NO_BACKSLASH_ESCAPES",
    "IGNORE_SPACE",
    "ANSI",
    "ORACLE",
    "MSSQL",
    "DB2",
    "POSTGRESQL",
    "MAXDB",
];

/// What is set whatever the target has: reports of changes. The variables are those that servers report by themselves,
/// and sql_mode.
const TRACKED: &str = "session_track_system_variables = 'autocommit,character_set_client,character_set_connection,\
                       character_set_results,sql_mode,time_zone', session_track_schema = ON, \
                       session_track_state_change = OFF";

/// Bytes that a name shows at the most.
const NAME_BYTES_MAX: usize = 63;

/// What a session is called at its target.
#[derive(Clone, Default)]
pub(crate) struct Name {
    pub(crate) program: String,
    comment: String,
}

impl Name {
    /// What is not plain becomes `_`: nothing in it can end a comment or make one that is code.
    pub(crate) fn new(naming: Option<&Naming<'_>>, application: &str) -> Self {
        let mut program = Naming::plain(naming.map_or(application, |naming| naming.name), " ");
        program.truncate(NAME_BYTES_MAX);
        let comment = naming.map_or("pangate", |naming| naming.comment);
        Self { program, comment: Naming::inside_comment(comment) }
    }
}

enum Awaiting {
    /// The number of columns.
    Columns,
    /// So many definitions of columns.
    Definitions(u8),
    /// The EOF behind them, where there is one.
    DefinitionsEnd,
    Row,
    RowsEnd,
    /// The statement's OK.
    Done,
}

/// The exchange under way.
pub(crate) struct Settings {
    name: Name,
    capabilities: Capabilities,
    awaiting: Awaiting,
    statement: String,
    utf8_by_default: bool,
}

fn misbehaved(what: &'static str) -> Error {
    Error::Misbehaved { side: Side::Server, what }
}

impl Settings {
    /// Begins: asks what the session has.
    pub(crate) fn begin(name: Name, capabilities: Capabilities, out: &mut Vec<u8>) -> Self {
        query(QUESTION, capabilities, out);
        Self {
            name,
            capabilities,
            awaiting: Awaiting::Columns,
            statement: String::new(),
            utf8_by_default: false,
        }
    }

    /// Takes the payload of an answer's next packet, which is no error. Whether a statement has gone out, whose answer
    /// counts its packets from 1 again; the status flags, once all is set.
    pub(crate) fn take(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<Taken, Error> {
        let deprecate_eof = self.capabilities.has(Capabilities::DEPRECATE_EOF);
        self.awaiting = match (&self.awaiting, payload) {
            (Awaiting::Columns, [COLUMNS]) => Awaiting::Definitions(COLUMNS),
            // Each begins with the catalog's name.
            (Awaiting::Definitions(left), [3, b'd', b'e', b'f', ..]) => match (left - 1, deprecate_eof) {
                (0, true) => Awaiting::Row,
                (0, false) => Awaiting::DefinitionsEnd,
                (left, _) => Awaiting::Definitions(left),
            },
            (Awaiting::DefinitionsEnd, [0xfe, ..]) if payload.len() == 5 => Awaiting::Row,
            (Awaiting::Row, row) => {
                (self.statement, self.utf8_by_default) = self.statement_of(row)?;
                Awaiting::RowsEnd
            }
            (Awaiting::RowsEnd, [0xfe, ..]) => {
                query(&self.statement, self.capabilities, out);
                self.awaiting = Awaiting::Done;
                return Ok(Taken::Asked);
            }
            (Awaiting::Done, [0, ..]) => return read_ok(payload).map(Taken::Done),
            _ => return Err(misbehaved("an answer to what was not asked")),
        };
        Ok(Taken::More)
    }

    /// Whether SET NAMES DEFAULT is UTF-8 at this target, once all is set.
    pub(crate) fn utf8_by_default(&self) -> bool {
        self.utf8_by_default
    }

    /// The statement that sets what is to be set, of a session that has these; whether its default is UTF-8.
    fn statement_of(&self, row: &[u8]) -> Result<(String, bool), Error> {
        let mut cursor = Cursor::new(Side::Server, row);
        let mut value = || {
            let start = cursor;
            let value = read_string(&mut cursor, "a setting is short, or NULL")?;
            let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b',');
            match core::str::from_utf8(value) {
                Ok(text) if value.iter().all(is_plain) => Ok(text),
                _ => Err(start.malformed("a setting of odd characters")),
            }
        };
        let (collation, modes) = (value()?, value()?);
        cursor.end("bytes after the settings")?;
        let (collation, default) = collation.split_once(',').unwrap_or((collation, ""));
        let collation = if collation.starts_with("utf8mb4_") { collation } else { COLLATION };
        let mut text = format!(
            "/* {} */ SET character_set_client = utf8mb4, character_set_results = utf8mb4, \
             collation_connection = {collation}, {TRACKED}",
            self.name.comment
        );
        let kept: Vec<&str> = modes.split(',').filter(|mode| !MODES.contains(mode)).collect();
        let kept = kept.join(",");
        if kept != modes {
            text.push_str(&format!(", sql_mode = '{kept}'"));
        }
        Ok((text, is_utf8(default)))
    }
}

/// What a packet of an answer comes to.
pub(crate) enum Taken {
    More,
    /// A statement has gone out: packets count from 1 again.
    Asked,
    /// All is set; the status flags.
    Done(u16),
}

/// Appends COM_QUERY.
fn query(statement: &str, capabilities: Capabilities, out: &mut Vec<u8>) {
    packet(out, 0, |payload| {
        payload.push(command::QUERY);
        if capabilities.has(Capabilities::QUERY_ATTRIBUTES) {
            // No attributes, in one set.
            payload.extend_from_slice(&[0, 1]);
        }
        payload.extend_from_slice(statement.as_bytes());
    });
}

/// The status flags of an OK packet.
pub(crate) fn read_ok(payload: &[u8]) -> Result<u16, Error> {
    let mut cursor = Cursor::new(Side::Server, payload);
    cursor.take(1, "OK: no header")?;
    read_integer(&mut cursor, "OK: no affected rows")?;
    read_integer(&mut cursor, "OK: no insert id")?;
    let status = cursor.u16_le("OK: no status")?;
    cursor.u16_le("OK: no warnings")?;
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(name: Name, capabilities: Capabilities) -> (String, Vec<u8>) {
        let mut out = Vec::new();
        let settings = Settings::begin(name, capabilities, &mut out);
        let (text, utf8_by_default) = settings.statement_of(b"\x12utf8mb4_general_ci\0").unwrap();
        assert!(!utf8_by_default);
        for (row, utf8, collation) in [
            (b"\x1autf8mb4_general_ci,utf8mb4\0".as_slice(), true, "utf8mb4_general_ci"),
            (b"\x16utf8mb4_bin,utf8mb3\0", false, ""),
            (b"\x13utf8mb4_bin,utf8mb3\0", true, "utf8mb4_bin"),
            (b"\x12utf8mb4_bin,latin1\0", false, "utf8mb4_bin"),
            (b"\x19latin1_swedish_ci,utf8mb4\0", true, COLLATION),
        ] {
            let made = settings.statement_of(row);
            assert_eq!(made.as_ref().is_ok_and(|(_, own)| *own), utf8);
            let expected = format!("collation_connection = {collation},");
            assert!(made.map_or(collation.is_empty(), |(text, _)| text.contains(&expected)));
        }
        (text, out)
    }

    #[test]
    fn nothing_in_a_name_ends_its_comment_or_makes_it_code() {
        let naming = Naming {
            name: "pangate/0123456789abcdef0123456789abcdef/repo:o'rg*/;select é and so on",
            comment: "!pangate session=1 subject=a*/drop table x;/*!50000 x'\0b\\",
        };
        let name = Name::new(Some(&naming), "unused");
        assert_eq!(name.program, "pangate/0123456789abcdef0123456789abcdef/repo:o_rg_/_select _ a");
        let (text, _) = statement(name, Capabilities::default());
        let (comment, rest) = text.split_once(" */ ").unwrap();
        assert_eq!(comment, "/* _pangate session=1 subject=a_|drop table x_|__50000 x__b_");
        assert!(rest.starts_with("SET "));
        let name = Name::new(None, "pangate");
        assert_eq!(name.program, "pangate");
        assert!(statement(name, Capabilities::default()).0.starts_with("/* pangate */ SET "));
    }

    #[test]
    fn a_statement_says_that_it_has_no_attributes_where_it_could() {
        let (_, out) = statement(Name::default(), Capabilities::QUERY_ATTRIBUTES);
        assert_eq!(out.get(4..9), Some(b"\x03\0\x01SE".as_slice()));
        let (_, out) = statement(Name::default(), Capabilities::default());
        assert_eq!(out.get(4..7), Some(b"\x03SE".as_slice()));
    }
}
