//! Prepared statements and portals by name, as the target will know them once it has done what was forwarded. A name
//! here means: the target has exactly this under it, or nothing. Where that cannot be said yet, the client's message
//! waits for the answer that decides it. Leaves out what statements mean: only what they do to names is read.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use hashbrown::HashMap;

use super::nature::{Effect, Nature};
use super::rows::{Column, Formats};
use crate::{Limits, Watch};

/// What the target has said of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Forwarded, not answered.
    Pending,
    /// There.
    Ready,
    /// Failed or skipped: never came to be.
    Failed,
}

/// A prepared statement.
pub(crate) struct Statement {
    /// Unique in the session.
    pub(crate) id: u64,
    pub(crate) text: String,
    pub(crate) nature: Nature,
    pub(crate) state: Cell<State>,
    /// The batch of messages, up to a Sync, in which it was forwarded.
    batch: u64,
    /// Its rows' columns, once described.
    pub(crate) columns: RefCell<Columns>,
    /// The batch and generation of names in which a description was last asked for.
    pub(crate) asked: Cell<(u64, u64)>,
}

/// The columns of a statement's rows.
#[derive(Default)]
pub(crate) struct Columns {
    known: bool,
    /// The generation of names under which they were asked for.
    generation: u64,
    list: Vec<Column>,
}

impl Columns {
    pub(crate) fn known(&self) -> Option<&[Column]> {
        self.known.then_some(self.list.as_slice())
    }

    /// Whether they are known as names now stand.
    pub(crate) fn is_current(&self, generation: u64) -> bool {
        self.known && self.generation == generation
    }

    pub(crate) fn learn(&mut self, columns: &[Column], generation: u64) {
        self.known = true;
        self.generation = generation;
        self.list.clear();
        self.list.extend_from_slice(columns);
    }

    pub(crate) fn forget(&mut self) {
        self.known = false;
    }
}

/// What a name stands for.
pub(crate) enum Found<T> {
    Ready(T),
    /// Its answer is due first: without it the name could stand for something older.
    Wait,
    Unknown,
}

struct Entry {
    now: Rc<Statement>,
    /// What the name stands for where `now` fails.
    before: Option<Rc<Statement>>,
}

/// A session's prepared statements.
pub(crate) struct Statements {
    named: HashMap<Box<[u8]>, Entry>,
    unnamed: Option<Rc<Statement>>,
    bytes: usize,
    next_id: u64,
    limits: Limits,
}

impl Statements {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { named: HashMap::new(), unnamed: None, bytes: 0, next_id: 1, limits }
    }

    /// What `name` stands for in a message of `batch`.
    pub(crate) fn find(&self, name: &[u8], batch: u64) -> Found<&Rc<Statement>> {
        let entry = if name.is_empty() {
            self.unnamed.as_ref().map(|now| (now, None))
        } else {
            self.named.get(name).map(|entry| (&entry.now, entry.before.as_ref()))
        };
        match entry.map(|(now, before)| (now, now.state.get(), before)) {
            None | Some((_, State::Failed, None)) => Found::Unknown,
            Some((_, State::Failed, Some(before))) => Found::Ready(before),
            // Within its batch a failure of the statement makes the target skip what refers to it.
            Some((now, State::Pending, _)) if now.batch != batch => Found::Wait,
            Some((now, ..)) => Found::Ready(now),
        }
    }

    /// Keeps a statement that is being forwarded; `None`: the session keeps as many as it may.
    pub(crate) fn insert(&mut self, name: &[u8], text: &str, batch: u64) -> Option<Rc<Statement>> {
        if self.bytes + text.len() > self.limits.statements_bytes_max {
            return None;
        }
        let id = self.next_id;
        if name.is_empty() {
            let unnamed = self.unnamed.take();
            self.bytes -= unnamed.as_ref().map_or(0, |old| old.text.len());
            self.bytes += text.len();
            self.next_id += 1;
            let statement = reuse(unnamed, id, text, batch);
            self.unnamed = Some(statement.clone());
            return Some(statement);
        }
        let before = self.remove_entry(name).and_then(Entry::settled);
        if self.named.len() >= self.limits.statements_max {
            return None;
        }
        self.bytes += text.len() + before.as_ref().map_or(0, |old| old.text.len());
        self.next_id += 1;
        let now = reuse(None, id, text, batch);
        self.named.insert(name.into(), Entry { now: now.clone(), before });
        Some(now)
    }

    /// Forgets a name.
    pub(crate) fn remove(&mut self, name: &[u8]) {
        if name.is_empty() {
            self.bytes -= self.unnamed.take().map_or(0, |old| old.text.len());
        } else {
            self.remove_entry(name);
        }
    }

    fn remove_entry(&mut self, name: &[u8]) -> Option<Entry> {
        let entry = self.named.remove(name)?;
        self.bytes -= entry.now.text.len() + entry.before.as_ref().map_or(0, |old| old.text.len());
        Some(entry)
    }

    /// Does to the names what a statement of this nature does.
    pub(crate) fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::None | Effect::Portals => {}
            Effect::Statement(name) => self.remove(name.as_bytes()),
            Effect::All => {
                self.named.clear();
                self.bytes = self.unnamed.as_ref().map_or(0, |unnamed| unnamed.text.len());
            }
        }
    }
}

impl Entry {
    /// The statement that the target is known to have under this name.
    fn settled(self) -> Option<Rc<Statement>> {
        match self.now.state.get() {
            State::Ready => Some(self.now),
            State::Failed => self.before,
            State::Pending => None,
        }
    }
}

/// A statement in the place of `old` where nothing else refers to it: the unnamed one of every execution.
fn reuse(old: Option<Rc<Statement>>, id: u64, text: &str, batch: u64) -> Rc<Statement> {
    let nature = Nature::of(text);
    if let Some(mut old) = old
        && let Some(statement) = Rc::get_mut(&mut old)
    {
        statement.id = id;
        statement.text.clear();
        statement.text.push_str(text);
        statement.nature = nature;
        statement.state.set(State::Pending);
        statement.batch = batch;
        statement.columns.get_mut().forget();
        statement.asked.set((0, 0));
        return old;
    }
    let (text, state) = (String::from(text), Cell::new(State::Pending));
    let (columns, asked) = (RefCell::default(), Cell::new((0, 0)));
    Rc::new(Statement { id, text, nature, state, batch, columns, asked })
}

/// A bound statement.
pub(crate) struct Portal {
    /// Unique in the session.
    pub(crate) serial: u64,
    /// The command that bound it.
    pub(crate) number: u64,
    pub(crate) statement: Rc<Statement>,
    pub(crate) formats: Formats,
    pub(crate) watch: Watch,
    /// The generation of names under which it was bound.
    pub(crate) generation: u64,
    batch: u64,
    confirmed: bool,
}

impl Portal {
    pub(crate) fn new(
        serial: u64,
        number: u64,
        statement: Rc<Statement>,
        formats: Formats,
        batch: u64,
        (watch, generation): (Watch, u64),
    ) -> Self {
        Self { serial, number, statement, formats, watch, generation, batch, confirmed: false }
    }
}

/// A session's portals.
#[derive(Default)]
pub(crate) struct Portals {
    named: Vec<(Box<[u8]>, Portal)>,
    unnamed: Option<Portal>,
}

impl Portals {
    pub(crate) fn find(&self, name: &[u8], batch: u64) -> Found<&Portal> {
        let found = if name.is_empty() {
            self.unnamed.as_ref()
        } else {
            self.named.iter().find(|(each, _)| &**each == name).map(|(_, portal)| portal)
        };
        match found {
            None => Found::Unknown,
            Some(portal) if !portal.confirmed && portal.batch != batch => Found::Wait,
            Some(portal) => Found::Ready(portal),
        }
    }

    /// Whether a portal of this name, or one more at all, has room.
    pub(crate) fn has_room(&self, name: &[u8], limits: &Limits) -> bool {
        name.is_empty()
            || self.named.len() < limits.portals_max
            || self.named.iter().any(|(each, _)| &**each == name)
    }

    pub(crate) fn insert(&mut self, name: &[u8], portal: Portal) {
        if name.is_empty() {
            self.unnamed = Some(portal);
            return;
        }
        self.remove(name);
        self.named.push((name.into(), portal));
    }

    pub(crate) fn remove(&mut self, name: &[u8]) {
        if name.is_empty() {
            self.unnamed = None;
        }
        self.named.retain(|(each, _)| &**each != name);
    }

    /// The target has bound it.
    pub(crate) fn confirm(&mut self, serial: u64) {
        let named = self.named.iter_mut().map(|(_, portal)| portal);
        if let Some(portal) = self.unnamed.iter_mut().chain(named).find(|portal| portal.serial == serial) {
            portal.confirmed = true;
        }
    }

    /// The target has not bound it.
    pub(crate) fn fail(&mut self, serial: u64) {
        self.unnamed.take_if(|portal| portal.serial == serial);
        self.named.retain(|(_, portal)| portal.serial != serial);
    }

    /// A transaction has ended with `batch`, and its portals with it.
    pub(crate) fn end(&mut self, batch: u64) {
        self.unnamed.take_if(|portal| portal.batch <= batch);
        self.named.retain(|(_, portal)| portal.batch > batch);
    }

    /// Does to the names what a statement of this nature does.
    pub(crate) fn apply(&mut self, effect: &Effect) {
        if matches!(effect, Effect::Portals | Effect::All) {
            self.named.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(found: Found<&Rc<Statement>>) -> Result<String, &'static str> {
        match found {
            Found::Ready(statement) => Ok(statement.text.clone()),
            Found::Wait => Err("wait"),
            Found::Unknown => Err("unknown"),
        }
    }

    #[test]
    fn a_name_is_used_across_batches_only_once_it_is_sure() {
        let mut statements = Statements::new(Limits::default());
        let first = statements.insert(b"s", "select 1", 1).unwrap();
        assert_eq!(text(statements.find(b"s", 1)), Ok("select 1".into()));
        assert_eq!(text(statements.find(b"s", 2)), Err("wait"));
        first.state.set(State::Ready);
        assert_eq!(text(statements.find(b"s", 2)), Ok("select 1".into()));
        // Prepared again under the same name: fails at the target, and the old one stays.
        let second = statements.insert(b"s", "select 2", 2).unwrap();
        assert_eq!(text(statements.find(b"s", 2)), Ok("select 2".into()));
        assert_eq!(text(statements.find(b"s", 3)), Err("wait"));
        second.state.set(State::Failed);
        assert_eq!(text(statements.find(b"s", 3)), Ok("select 1".into()));
        statements.remove(b"s");
        assert_eq!(text(statements.find(b"s", 3)), Err("unknown"));
        assert_eq!(statements.bytes, 0);
    }

    #[test]
    fn counts_and_bytes_are_bounded() {
        let limits = Limits { statements_max: 2, statements_bytes_max: 30, ..Limits::default() };
        let mut statements = Statements::new(limits);
        assert!(statements.insert(b"a", "select 1", 1).is_some());
        assert!(statements.insert(b"b", "select 1", 1).is_some());
        assert!(statements.insert(b"c", "select 1", 1).is_none());
        assert!(statements.insert(b"", "select 1", 1).is_some());
        assert!(statements.insert(b"", "select 1", 1).is_none(), "its bytes would be too many for a moment");
        statements.apply(&Effect::Statement("a".into()));
        assert!(statements.insert(b"c", "select 1", 1).is_some());
        statements.apply(&Effect::All);
        assert_eq!(statements.bytes, 8);
        assert_eq!(text(statements.find(b"", 1)), Ok("select 1".into()));
        statements.remove(b"");
        assert_eq!(statements.bytes, 0);
    }

    #[test]
    fn the_unnamed_statement_is_reused_where_nothing_refers_to_it() {
        let mut statements = Statements::new(Limits::default());
        let first = statements.insert(b"", "select 1", 1).unwrap();
        let place = Rc::as_ptr(&first);
        drop(first);
        let second = statements.insert(b"", "select 2", 1).unwrap();
        assert_eq!(Rc::as_ptr(&second), place);
        assert_eq!(second.id, 2);
        let third = statements.insert(b"", "select 3", 1).unwrap();
        assert_eq!(second.text, "select 2");
        assert_eq!(third.text, "select 3");
    }

    #[test]
    fn portals_end_with_their_transaction() {
        let mut statements = Statements::new(Limits::default());
        let statement = statements.insert(b"", "select 1", 1).unwrap();
        let mut portals = Portals::default();
        portals
            .insert(b"p", Portal::new(1, 1, statement.clone(), Formats::All(false), 1, Default::default()));
        portals.insert(b"", Portal::new(2, 2, statement.clone(), Formats::All(false), 2, Default::default()));
        assert!(matches!(portals.find(b"p", 1), Found::Ready(_)));
        assert!(matches!(portals.find(b"p", 2), Found::Wait));
        portals.confirm(1);
        assert!(matches!(portals.find(b"p", 2), Found::Ready(_)));
        portals.end(1);
        assert!(matches!(portals.find(b"p", 2), Found::Unknown));
        assert!(matches!(portals.find(b"", 2), Found::Ready(_)));
        portals.fail(2);
        assert!(matches!(portals.find(b"", 2), Found::Unknown));
        portals.insert(b"p", Portal::new(3, 3, statement, Formats::All(false), 2, Default::default()));
        assert!(!portals.has_room(b"q", &Limits { portals_max: 1, ..Limits::default() }));
        portals.apply(&Effect::Portals);
        assert!(matches!(portals.find(b"p", 2), Found::Unknown));
    }
}
