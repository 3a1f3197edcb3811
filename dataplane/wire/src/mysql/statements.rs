//! Prepared statements by the numbers that the target gives them, with what a client has said of their parameters. Leaves
//! out what statements mean.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;

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
    /// Values that the client has sent ahead (COM_STMT_SEND_LONG_DATA): parameters' numbers and bytes.
    pub(crate) ahead: Vec<(u16, Vec<u8>)>,
    /// Some of them cannot be taken.
    pub(crate) overflown: bool,
    /// The cursor that its last execution has opened.
    pub(crate) cursor: Option<Box<Cursor>>,
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
}

impl Statement {
    /// Forgets what was sent ahead; how many bytes it was.
    pub(crate) fn forget_ahead(&mut self) -> usize {
        self.overflown = false;
        self.ahead.drain(..).map(|(_, bytes)| bytes.len()).sum()
    }

    /// The value of a parameter that was sent ahead.
    pub(crate) fn ahead(&self, parameter: usize) -> Option<&[u8]> {
        let found = self.ahead.iter().find(|(number, _)| usize::from(*number) == parameter);
        found.map(|(_, bytes)| bytes.as_slice())
    }
}

/// A session's prepared statements.
pub(crate) struct Statements {
    numbered: HashMap<u32, Statement>,
    /// Bytes of their texts.
    bytes: usize,
    /// Bytes that were sent ahead.
    ahead_bytes: usize,
    next_serial: u64,
    last: Option<u32>,
    limits: Limits,
}

impl Statements {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { numbered: HashMap::new(), bytes: 0, ahead_bytes: 0, next_serial: 1, last: None, limits }
    }

    /// Whether one more has room.
    pub(crate) fn has_room(&self, text: &str) -> bool {
        self.numbered.len() < self.limits.statements_max
            && self.bytes + text.len() <= self.limits.statements_bytes_max
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
        let (types, ahead, overflown, cursor) = (Types::default(), Vec::new(), false, None);
        self.numbered.insert(id, Statement { serial, text, parameters, types, ahead, overflown, cursor });
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
        if let Some(mut old) = self.numbered.remove(&id) {
            self.bytes -= old.text.len();
            self.ahead_bytes -= old.forget_ahead();
        }
        if self.last == Some(id) {
            self.last = None;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.numbered.clear();
        (self.bytes, self.ahead_bytes, self.last) = (0, 0, None);
    }

    /// Keeps a part of a parameter's value until the statement is run.
    pub(crate) fn send_ahead(&mut self, id: u32, parameter: u16, bytes: &[u8]) {
        let room = self.limits.statement_bytes_max - self.ahead_bytes;
        let Some(statement) = self.find_mut(id) else { return };
        if bytes.len() > room || parameter >= statement.parameters {
            statement.overflown = true;
            return;
        }
        match statement.ahead.iter_mut().find(|(number, _)| *number == parameter) {
            Some((_, value)) => value.extend_from_slice(bytes),
            None => statement.ahead.push((parameter, bytes.to_vec())),
        }
        self.ahead_bytes += bytes.len();
    }

    /// Forgets what was sent ahead for a statement.
    pub(crate) fn forget_ahead(&mut self, id: u32) {
        let forgotten = self.find_mut(id).map_or(0, Statement::forget_ahead);
        self.ahead_bytes -= forgotten;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_bytes_are_bounded() {
        let limits = Limits {
            statements_max: 2,
            statements_bytes_max: 10,
            statement_bytes_max: 4,
            ..Limits::default()
        };
        let mut statements = Statements::new(limits);
        statements.insert(1, "select ?".into(), 1);
        assert!(statements.has_room("ab") && !statements.has_room("abc"));
        statements.insert(2, "ab".into(), 0);
        assert!(!statements.has_room(""));
        assert_eq!(statements.find(LAST).map(|last| last.serial), Some(2));
        statements.remove(LAST);
        assert!(statements.find(2).is_none() && statements.find(LAST).is_none());
        statements.send_ahead(1, 0, b"abc");
        statements.send_ahead(1, 0, b"d");
        assert_eq!(statements.find(1).and_then(|one| one.ahead(0)), Some(&b"abcd"[..]));
        statements.send_ahead(1, 0, b"e");
        assert!(statements.find(1).is_some_and(|one| one.overflown));
        statements.forget_ahead(1);
        assert_eq!(statements.ahead_bytes, 0);
        statements.send_ahead(1, 1, b"x");
        assert!(statements.find(1).is_some_and(|one| one.overflown && one.ahead.is_empty()));
        statements.insert(1, "select 2".into(), 0);
        assert_eq!((statements.bytes, statements.find(1).map(|one| one.serial)), (8, Some(3)));
        statements.clear();
        assert_eq!(statements.bytes, 0);
    }
}
