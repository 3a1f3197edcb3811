//! What the target still owes: one entry for each forwarded message that it answers, in order, and the answer under
//! way. Gives every answer its command, and ends commands exactly once. Leaves out reading the answers.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::rc::Rc;

use super::rows::Formats;
use super::statements::{Portals, State, Statement};
use crate::{Event, Outbox, Outcome, Transaction, Watch};

/// What one forwarded message is answered by.
pub(crate) enum Expect {
    /// Anything a statement list may answer, up to ReadyForQuery.
    Query { number: u64, light: bool, begins: bool, batch: u64, watch: Watch },
    /// ReadyForQuery.
    Sync { batch: u64 },
    /// ParseComplete.
    Parse { number: u64, statement: Rc<Statement> },
    /// BindComplete.
    Bind { number: u64, serial: u64, statement: Rc<Statement>, watch: Watch },
    /// ParameterDescription, then a description of rows or none; asked for under this generation of names.
    DescribeStatement { statement: Rc<Statement>, generation: u64 },
    /// A description of rows or none.
    DescribePortal { statement: Rc<Statement>, generation: u64 },
    /// As before, asked for by the gateway: the client is not told.
    Learn { statement: Rc<Statement>, generation: u64 },
    /// As before, of a cursor that SQL has made: what it says is passed on, and nothing is learned of it.
    DescribeCursor,
    /// Rows and their end, or COPY.
    Execute { number: u64, statement: Rc<Statement>, formats: Formats, watch: Watch },
    /// CloseComplete.
    Close,
    /// A statement that fails, in the place of a refused Query; up to ReadyForQuery.
    RefusedQuery { number: u64, reply: Box<[u8]>, batch: u64 },
    /// A statement that fails, in the place of a refused message of the extended protocol.
    Refused { number: u64, reply: Box<[u8]> },
}

impl Expect {
    /// The command that it belongs to; 0 for none.
    pub(crate) fn number(&self) -> u64 {
        match self {
            Self::Query { number, .. }
            | Self::Parse { number, .. }
            | Self::Bind { number, .. }
            | Self::Execute { number, .. }
            | Self::RefusedQuery { number, .. }
            | Self::Refused { number, .. } => *number,
            _ => 0,
        }
    }

    /// How strictly its answer is treated.
    pub(crate) fn watch(&self) -> Watch {
        match self {
            Self::Query { watch, .. } | Self::Bind { watch, .. } | Self::Execute { watch, .. } => *watch,
            _ => Watch::default(),
        }
    }

    /// Whether, once run, it may hold locks; whether it begins a transaction and no more.
    fn weight(&self) -> (bool, bool) {
        match self {
            Self::Query { light, begins, .. } => (!light, *begins),
            Self::Execute { statement, .. } => (statement.nature.heavy, statement.nature.begins),
            _ => (false, false),
        }
    }
}

/// COPY, as the answer under way has it.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Copying {
    #[default]
    No,
    In,
    Out,
}

/// What has come of the first entry's answer.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) rows: u64,
    /// Rows since the last CommandComplete.
    pub(crate) rows_here: u64,
    pub(crate) masked: u64,
    pub(crate) outcome: Option<Outcome>,
    /// A description (of rows, for a query; of parameters, for a described statement) has come.
    pub(crate) described: bool,
    pub(crate) copying: Copying,
}

impl Answer {
    /// So many rows more.
    pub(crate) fn count(&mut self, rows: u64) {
        self.rows += rows;
        self.rows_here += rows;
    }
}

/// Entries in order.
#[derive(Default)]
pub(crate) struct Pending {
    entries: VecDeque<Expect>,
    pub(crate) answer: Answer,
    /// Entries that may hold locks, and that begin a transaction.
    heavy: usize,
    begins: usize,
    /// The transaction's status as of the last ReadyForQuery.
    status: Status,
    /// Something heavy has run in the transaction.
    ran: bool,
}

/// ReadyForQuery's status.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Status {
    #[default]
    Idle,
    Open,
    Failed,
}

impl Pending {
    pub(crate) fn push(&mut self, entry: Expect) {
        let (heavy, begins) = entry.weight();
        self.heavy += usize::from(heavy);
        self.begins += usize::from(begins);
        self.entries.push_back(entry);
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn front(&self) -> Option<&Expect> {
        self.entries.front()
    }

    /// Whether some entry may turn out to be COPY.
    pub(crate) fn may_copy(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Expect::Query { .. } | Expect::Execute { .. }))
    }

    fn take(&mut self) -> Option<Expect> {
        let entry = self.entries.pop_front()?;
        let (heavy, begins) = entry.weight();
        self.heavy -= usize::from(heavy);
        self.begins -= usize::from(begins);
        self.ran |= heavy;
        Some(entry)
    }

    /// Ends the first entry; a command that ends with it is told of.
    pub(crate) fn pop(&mut self, out: &mut Outbox) -> Option<Expect> {
        let answer = core::mem::take(&mut self.answer);
        let entry = self.take()?;
        let number = entry.number();
        let ends = matches!(
            entry,
            Expect::Query { .. }
                | Expect::RefusedQuery { .. }
                | Expect::Execute { .. }
                | Expect::Parse { .. }
        );
        if ends {
            finish(out, number, &answer, answer.outcome.unwrap_or(Outcome::Done));
        } else if answer.masked > 0 {
            out.events.push(Event::Masked(answer.masked));
        }
        Some(entry)
    }

    /// An error of the extended protocol: the target skips to the next Sync. Returns whether that has been forwarded.
    pub(crate) fn skip(&mut self, first: Outcome, portals: &mut Portals, out: &mut Outbox) -> bool {
        let mut answer = core::mem::take(&mut self.answer);
        let mut outcome = first;
        let mut last = 0;
        while !self.entries.is_empty() {
            if matches!(self.entries.front(), Some(Expect::Sync { .. })) {
                return true;
            }
            let Some(entry) = self.take() else { break };
            undo(&entry, portals);
            let number = entry.number();
            if number != 0 && number != last {
                let refused = matches!(entry, Expect::Refused { .. } | Expect::RefusedQuery { .. });
                finish(out, number, &answer, if refused { Outcome::Refused } else { outcome });
                outcome = Outcome::Skipped;
                answer = Answer::default();
                last = number;
            }
        }
        false
    }

    /// The target reads COPY data from here on: a Sync sent before counts for nothing, any other message is taken for
    /// a failure of the COPY and is gone.
    pub(crate) fn enter_copy(&mut self, portals: &mut Portals, out: &mut Outbox) {
        self.answer.copying = Copying::In;
        let Some(copy) = self.entries.pop_front() else { return };
        while let Some(Expect::Sync { .. }) = self.entries.front() {
            self.entries.pop_front();
        }
        if let Some(lost) = self.take() {
            undo(&lost, portals);
            if lost.number() != copy.number() {
                finish(out, lost.number(), &Answer::default(), Outcome::Skipped);
            }
        }
        self.entries.push_front(copy);
    }

    /// Everything that is owed is not coming.
    pub(crate) fn cut(&mut self, out: &mut Outbox) {
        let mut answer = core::mem::take(&mut self.answer);
        let mut last = 0;
        while let Some(entry) = self.take() {
            let number = entry.number();
            if number != 0 && number != last {
                finish(out, number, &answer, answer.outcome.unwrap_or(Outcome::Cut));
                answer = Answer::default();
                last = number;
            }
        }
    }

    /// ReadyForQuery.
    pub(crate) fn ready(&mut self, status: Status) {
        self.status = status;
        self.ran &= status != Status::Idle;
    }

    /// Where the transaction of the next message stands.
    pub(crate) fn transaction(&self) -> Transaction {
        match self.status {
            _ if self.heavy > 0 => Transaction::Active,
            Status::Failed if self.entries.is_empty() => Transaction::Failed,
            Status::Failed => Transaction::Active,
            Status::Open if self.ran => Transaction::Active,
            Status::Open => Transaction::Fresh,
            Status::Idle if self.ran => Transaction::Active,
            Status::Idle if self.begins > 0 => Transaction::Fresh,
            Status::Idle => Transaction::Idle,
        }
    }
}

/// What a message would have made is not there.
fn undo(entry: &Expect, portals: &mut Portals) {
    match entry {
        Expect::Parse { statement, .. } => statement.state.set(State::Failed),
        Expect::Bind { serial, .. } => portals.fail(*serial),
        _ => {}
    }
}

fn finish(out: &mut Outbox, number: u64, answer: &Answer, outcome: Outcome) {
    if number != 0 {
        out.events.push(Event::Finished { number, rows: answer.rows, masked: answer.masked, outcome });
    }
}
