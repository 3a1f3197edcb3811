//! Prepared statements by the numbers that the target gives them, with what a client has said of their parameters. Leaves
//! out what statements mean.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::nature::Results;
use super::rows::Plan;
use crate::{Limits, Watch};

/// The number by which MariaDB's clients call the statement that was prepared last.
pub(crate) const LAST: u32 = u32::MAX;

/// A prepared statement.
pub(crate) struct Statement {
    /// Unique in the session.
    pub(crate) serial: u64,
    pub(crate) text: String,
    pub(crate) parameters: u16,
    /// The parameters' types as the client bound them last: how many, and as they came.
    pub(crate) types: Types,
    /// Values that the client has sent ahead (COM_STMT_SEND_LONG_DATA), by their parameters' numbers.
    pub(crate) ahead: BTreeMap<u16, Vec<u8>>,
    /// What they count.
    ahead_bytes: usize,
    /// Some of them cannot be taken.
    pub(crate) overflown: bool,
    /// The cursor that its last execution has opened.
    cursor: Option<Box<Cursor>>,
}

/// Bound types.
#[derive(Default)]
pub(crate) struct Types {
    pub(crate) count: usize,
    pub(crate) raw: Vec<u8>,
    /// The target has them.
    pub(crate) sent: bool,
}

/// An open cursor: how its rows are read, and the command whose they are.
pub(crate) struct Cursor {
    pub(crate) plan: Plan,
    pub(crate) number: u64,
    pub(crate) watch: Watch,
    /// In which characters its rows come, as its columns were told.
    pub(crate) results: Results,
}

/// What a value that was sent ahead counts beside its bytes.
const AHEAD_BYTES: usize = 64;

impl Cursor {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.plan.bytes()
    }
}

impl Statement {
    /// Its part of the session's account.
    fn bytes(&self) -> usize {
        let cursor = self.cursor.as_ref().map_or(0, |cursor| cursor.bytes());
        self.text.len() + self.types.raw.len() + self.ahead_bytes + cursor
    }

    /// The value of a parameter that was sent ahead.
    pub(crate) fn ahead(&self, parameter: usize) -> Option<&[u8]> {
        self.ahead.get(&u16::try_from(parameter).ok()?).map(Vec::as_slice)
    }

    pub(crate) fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_deref()
    }
}

/// A session's prepared statements.
pub(crate) struct Statements {
    numbered: HashMap<u32, Statement>,
    /// The account of all that is kept: texts, types, values sent ahead, what open cursors' rows are read by.
    bytes: usize,
    next_serial: u64,
    last: Option<u32>,
    limits: Limits,
}

impl Statements {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { numbered: HashMap::new(), bytes: 0, next_serial: 1, last: None, limits }
    }

    /// Whether one more has room.
    pub(crate) fn has_room(&self, text: &str) -> bool {
        self.numbered.len() < self.limits.statements_max && text.len() <= self.room()
    }

    /// Bytes that can still be kept.
    fn room(&self) -> usize {
        self.limits.statements_bytes_max.saturating_sub(self.bytes)
    }

    /// No statement is the last prepared one: a preparation has failed, or is under way.
    pub(crate) fn forget_last(&mut self) {
        self.last = None;
    }

    /// Takes note of what the target has prepared.
    pub(crate) fn insert(&mut self, id: u32, text: String, parameters: u16) {
        self.remove(id);
        self.bytes += text.len();
        let serial = self.next_serial;
        self.next_serial += 1;
        self.last = Some(id);
        let statement = Statement {
            serial,
            text,
            parameters,
            types: Types::default(),
            ahead: BTreeMap::new(),
            ahead_bytes: 0,
            overflown: false,
            cursor: None,
        };
        self.numbered.insert(id, statement);
    }

    fn id(&self, id: u32) -> Option<u32> {
        if id == LAST { self.last } else { Some(id) }
    }

    pub(crate) fn find(&self, id: u32) -> Option<&Statement> {
        self.numbered.get(&self.id(id)?)
    }

    pub(crate) fn find_mut(&mut self, id: u32) -> Option<&mut Statement> {
        self.numbered.get_mut(&self.id(id)?)
    }

    pub(crate) fn remove(&mut self, id: u32) {
        let Some(id) = self.id(id) else { return };
        if let Some(old) = self.numbered.remove(&id) {
            self.bytes -= old.bytes();
        }
        if self.last == Some(id) {
            self.last = None;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.numbered.clear();
        (self.bytes, self.last) = (0, None);
    }

    /// Keeps the types that a client binds to the parameters. Whether there was room.
    pub(crate) fn bind(&mut self, id: u32, count: usize, raw: &[u8]) -> bool {
        let room = self.room();
        let Some(statement) = self.find_mut(id) else { return false };
        let types = &mut statement.types;
        let before = types.raw.len();
        if raw.len() > room + before {
            return false;
        }
        types.raw.clear();
        types.raw.extend_from_slice(raw);
        (types.count, types.sent) = (count, false);
        self.bytes = self.bytes - before + raw.len();
        true
    }

    /// Keeps a part of a parameter's value until the statement is run.
    pub(crate) fn send_ahead(&mut self, id: u32, parameter: u16, bytes: &[u8]) {
        let (room, most) = (self.room(), self.limits.statement_bytes_max);
        let Some(statement) = self.find_mut(id) else { return };
        let first = !statement.ahead.contains_key(&parameter);
        let due = bytes.len() + if first { AHEAD_BYTES } else { 0 };
        let is_known = parameter < statement.parameters;
        if !is_known || due > room || statement.ahead_bytes + due > most {
            statement.overflown = true;
            return;
        }
        statement.ahead.entry(parameter).or_default().extend_from_slice(bytes);
        statement.ahead_bytes += due;
        self.bytes += due;
    }

    /// Forgets what was sent ahead for a statement.
    pub(crate) fn forget_ahead(&mut self, id: u32) {
        let Some(statement) = self.find_mut(id) else { return };
        statement.ahead.clear();
        statement.overflown = false;
        self.bytes -= core::mem::take(&mut statement.ahead_bytes);
    }

    /// Keeps how the rows of an open cursor are read. Where there is no room, the cursor cannot be fetched from.
    pub(crate) fn open_cursor(&mut self, id: u32, cursor: Cursor) {
        self.close_cursor(id);
        let (room, due) = (self.room(), cursor.bytes());
        if due > room {
            return;
        }
        if let Some(statement) = self.find_mut(id) {
            statement.cursor = Some(Box::new(cursor));
            self.bytes += due;
        }
    }

    /// The statement is run anew, or reset.
    pub(crate) fn close_cursor(&mut self, id: u32) {
        let closed = self.find_mut(id).and_then(|statement| statement.cursor.take());
        self.bytes -= closed.map_or(0, |cursor| cursor.bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounded(statements_bytes_max: usize, statement_bytes_max: usize) -> Statements {
        let limits =
            Limits { statements_max: 2, statements_bytes_max, statement_bytes_max, ..Limits::default() };
        Statements::new(limits)
    }

    fn is_overflown(statements: &Statements, id: u32) -> bool {
        statements.find(id).is_some_and(|one| one.overflown)
    }

    #[test]
    fn statements_are_counted_and_their_bytes_too() {
        let mut statements = bounded(10, 4);
        statements.insert(1, "select ?".into(), 1);
        assert!(statements.has_room("ab") && !statements.has_room("abc"));
        statements.insert(2, "ab".into(), 0);
        assert!(!statements.has_room(""));
        assert_eq!(statements.find(LAST).map(|last| last.serial), Some(2));
        statements.remove(LAST);
        assert!(statements.find(2).is_none() && statements.find(LAST).is_none());
        statements.insert(1, "select 2".into(), 0);
        assert_eq!((statements.bytes, statements.find(1).map(|one| one.serial)), (8, Some(3)));
        statements.clear();
        assert_eq!(statements.bytes, 0);
    }

    #[test]
    fn values_sent_ahead_are_bounded_by_statement_and_in_all() {
        let mut statements = bounded(300, AHEAD_BYTES + 4);
        statements.insert(1, "select ?".into(), 1);
        statements.insert(2, "select ?".into(), 3);
        statements.send_ahead(1, 0, b"abc");
        statements.send_ahead(1, 0, b"d");
        assert_eq!(statements.find(1).and_then(|one| one.ahead(0)), Some(&b"abcd"[..]));
        assert_eq!(statements.bytes, 16 + AHEAD_BYTES + 4);
        statements.send_ahead(1, 0, b"e");
        assert!(is_overflown(&statements, 1));
        statements.forget_ahead(1);
        assert!(!is_overflown(&statements, 1));
        assert_eq!(statements.bytes, 16);
        statements.send_ahead(1, 1, b"x");
        assert!(is_overflown(&statements, 1) && statements.bytes == 16, "no such parameter");
        // Not even nothing comes for nothing.
        let mut statements = bounded(8 + 2 * AHEAD_BYTES, 1000);
        statements.insert(2, "select ?".into(), 3);
        statements.send_ahead(2, 0, b"");
        statements.send_ahead(2, 1, b"");
        assert!(!is_overflown(&statements, 2));
        statements.send_ahead(2, 2, b"");
        assert!(is_overflown(&statements, 2) && !statements.has_room("x"));
        statements.remove(2);
        assert_eq!(statements.bytes, 0);
    }

    #[test]
    fn types_and_cursors_are_on_the_same_account() {
        let most = 20 + size_of::<Cursor>();
        let mut statements = bounded(most, 4);
        statements.insert(1, "select ?".into(), 1);
        assert!(!statements.bind(1, 1, &[3; 13 + size_of::<Cursor>()]));
        assert!(statements.bind(1, 1, &[3; 12]) && statements.bind(1, 1, &[3; 10]));
        assert_eq!(statements.bytes, 18);
        let cursor =
            || Cursor { plan: Plan::default(), number: 1, watch: Watch::default(), results: Results::Utf8 };
        statements.open_cursor(1, cursor());
        statements.open_cursor(1, cursor());
        assert!(statements.find(1).is_some_and(|one| one.cursor().is_some()));
        assert_eq!(statements.bytes, most - 2);
        statements.insert(2, "ab".into(), 0);
        statements.open_cursor(2, cursor());
        assert!(statements.find(2).is_some_and(|one| one.cursor().is_none()), "no room");
        assert!(!statements.bind(2, 1, &[3]));
        statements.close_cursor(1);
        statements.remove(2);
        assert_eq!(statements.bytes, 18);
    }
}
