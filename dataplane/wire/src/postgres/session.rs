//! The open session, from the client's side: which messages may go to the target, which are asked about, what takes the
//! place of a refused one. A refused message is replaced by one that fails at the target, so that order, implicit
//! transactions and failed transactions stay the target's own. Leaves out the answers (`answers.rs`).

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::answers::Parts;
use super::back::{Back, Stand};
use super::backend::Backend;
use super::copy::CopyOut;
use super::frame::{self, Frame, HEADER_BYTES, message, missing, text};
use super::message::{Bind, Named, Parse, read_execute, read_text};
use super::nature::{Nature, unpins};
use super::pending::{Expect, Pending};
use super::reply::{self, FAILING_TEXT, Severity};
use super::rows::{Column, Formats, Plan};
use super::statements::{Found, Portal, Portals, Statement, Statements};
use crate::known::Known;
use crate::limits::{LARGE_BYTES, NAME_BYTES_MAX, PENDING_MAX};
use crate::masker::Masker;
use crate::{
    Command, CommandKind, Error, Limits, Origins, Outbox, Parameters, Permitted, Question, Refusal, Ruling,
    Side, Step, Watch,
};

/// The name under which a statement that takes the place of a refused one would be prepared, if it could be.
const REFUSED_NAME: &[u8] = b"pangate_refused";

/// An open session.
pub(crate) struct Talk {
    pub(super) masker: Masker,
    pub(super) portals: Portals,
    pub(super) pending: Pending,
    /// COPY, as the client's next message has it.
    pub(super) copy: ClientCopy,
    /// Masked values in what the client sends to it.
    pub(super) back: Back,
    /// The target skips to the next Sync, or will have to: so are the client's messages.
    pub(super) skipping: bool,
    /// The client has taken its leave; answers still under way go on.
    pub(super) leaving: bool,
    pub(super) plan: Plan,
    pub(super) columns: Vec<Column>,
    /// A long message to the client, partly released.
    pub(super) parts: Option<Parts>,
    /// COPY data on their way to the client.
    pub(super) copy_out: Option<Box<CopyOut>>,
    pub(super) known: Known,
    /// The command that released bytes answer.
    pub(super) answering: u64,
    /// Due to the client at the next message boundary.
    pub(super) notice: Vec<u8>,
    /// The target has told the client why the session ends.
    pub(super) told: bool,
    /// The target's connection.
    pub(super) backend: Backend,
    /// Where labelled data lie, and the generation of names: as of the last ruling.
    pub(super) origins: Option<Arc<Origins>>,
    generation: u64,
    /// Names have changed in a transaction that has not ended, so that its end may change them back.
    renamed: bool,
    /// Added to the generation of names: transactions that ended after names had changed in them.
    ends: u64,
    /// A command of the transaction touches a label.
    pub(super) touched: bool,
    /// A command of the session has touched a label.
    touched_ever: bool,
    /// Something of a label may come with settings and notifications.
    pub(super) spilled: bool,
    limits: Limits,
    statements: Statements,
    asking: Option<Asking>,
    /// A message of the client's, partly released or dropped.
    passing: Option<Passing>,
    next_number: u64,
    next_serial: u64,
    /// Counts Syncs and Queries.
    batch: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientCopy {
    No,
    /// The target reads COPY data.
    In,
    /// It has stopped to; the client may not know yet, and what it still sends is dropped.
    Over,
}

#[derive(Clone, Copy)]
struct Asking {
    number: u64,
    kind: CommandKind,
}

struct Passing {
    left: usize,
    dropped: bool,
}

/// What becomes of a client's message.
enum Act {
    /// It goes to the target.
    Pass,
    /// So much of it goes to the target, the rest as it comes.
    PassPart(usize),
    /// It goes nowhere.
    Drop,
    /// What stands before it goes first; then it is looked at again.
    Later,
    Stop(Step),
}

fn misbehaved(what: &'static str) -> Error {
    Error::Misbehaved { side: Side::Client, what }
}

impl Talk {
    pub(crate) fn new(masker: Masker, limits: Limits, backend: Backend) -> Self {
        Self {
            masker,
            portals: Portals::default(),
            pending: Pending::default(),
            copy: ClientCopy::No,
            back: Back::default(),
            skipping: false,
            leaving: false,
            plan: Plan::default(),
            columns: Vec::new(),
            parts: None,
            copy_out: None,
            known: Known::default(),
            answering: 0,
            notice: Vec::new(),
            told: false,
            backend,
            origins: None,
            generation: 0,
            renamed: false,
            ends: 0,
            touched: false,
            touched_ever: false,
            spilled: false,
            limits,
            statements: Statements::new(limits),
            asking: None,
            passing: None,
            next_number: 1,
            next_serial: 1,
            batch: 1,
        }
    }

    /// Goes on with the client's bytes.
    pub(crate) fn client_step(&mut self, bytes: &[u8], out: &mut Outbox) -> Result<Step, Error> {
        self.client_from(bytes, 0, out)
    }

    /// As [`Talk::client_step`]; the first `at` bytes are permitted already.
    fn client_from(&mut self, bytes: &[u8], mut at: usize, out: &mut Outbox) -> Result<Step, Error> {
        if self.leaving {
            return Ok(Step::Consumed(bytes.len()));
        }
        let step = loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if self.passing.is_some() {
                let dropped = self.pass_on(rest, at == 0);
                match dropped {
                    Some(Act::PassPart(length)) => at += length,
                    Some(Act::Stop(step)) => return Ok(step),
                    _ => break Step::Need(missing(0, 1)),
                }
                continue;
            }
            let frame = match frame::peek(Side::Client, rest) {
                Ok(Some(frame)) => frame,
                Ok(None) => break Step::Need(missing(rest.len(), HEADER_BYTES)),
                Err(_) if at > 0 => break Step::Consumed(0),
                Err(error) => return Err(error),
            };
            match self.client_message(frame, rest, at == 0, out) {
                Ok(Act::Pass) => at += frame.length,
                Ok(Act::PassPart(length)) => at += length,
                Ok(Act::Drop) => return Ok(Step::Consumed(frame.length)),
                Ok(Act::Later) => break Step::Consumed(0),
                Ok(Act::Stop(step)) => break step,
                Err(_) if at > 0 => break Step::Consumed(0),
                Err(error) => return Err(error),
            }
        };
        Ok(if at > 0 { Step::ToServer(Permitted(at)) } else { step })
    }

    /// Goes on with a message that is released or dropped as it comes.
    fn pass_on(&mut self, rest: &[u8], first: bool) -> Option<Act> {
        let passing = self.passing.as_mut()?;
        let length = passing.left.min(rest.len());
        if length == 0 || passing.dropped && !first {
            return None;
        }
        passing.left -= length;
        let dropped = passing.dropped;
        if !dropped {
            self.back.look(&self.masker, rest.get(..length).unwrap_or_default());
        }
        if passing.left == 0 {
            self.passing = None;
        }
        Some(if dropped { Act::Stop(Step::Consumed(length)) } else { Act::PassPart(length) })
    }

    fn client_message(
        &mut self,
        frame: Frame,
        rest: &[u8],
        first: bool,
        out: &mut Outbox,
    ) -> Result<Act, Error> {
        let is_copy = matches!(frame.tag, b'd' | b'c' | b'f');
        if !is_copy && self.copy == ClientCopy::Over {
            self.copy = ClientCopy::No;
        }
        if !is_copy
            && !matches!(frame.tag, b'Q' | b'P' | b'B' | b'E' | b'D' | b'C' | b'H' | b'S' | b'F' | b'X')
        {
            return Err(misbehaved("a message that no client may send now"));
        }
        if is_copy {
            return self.copy_message(frame, rest, first, out);
        }
        if self.skipping && !matches!(frame.tag, b'S' | b'X') {
            return Ok(self.drop_message(frame, first));
        }
        if self.pending.len() >= PENDING_MAX {
            return Ok(Act::Stop(Step::Wait));
        }
        let most = if matches!(frame.tag, b'Q' | b'P' | b'B' | b'F') {
            self.limits.statement_bytes_max
        } else {
            LARGE_BYTES
        };
        if frame.length > most {
            return Err(Error::TooLarge { side: Side::Client, what: "a statement and its parameters", most });
        }
        let Some(body) = rest.get(HEADER_BYTES..frame.length) else {
            return Ok(Act::Stop(Step::Need(missing(rest.len(), frame.length))));
        };
        match frame.tag {
            b'S' | b'H' | b'X' if !body.is_empty() => {
                Err(Error::Malformed { side: Side::Client, offset: 1, what: "a body where none is due" })
            }
            b'X' => Ok(self.leave(first, out)),
            b'S' | b'H' if self.copy == ClientCopy::In => Ok(Act::Pass),
            _ if self.copy == ClientCopy::In => Ok(self.break_copy(first, out)),
            b'S' => Ok(self.sync()),
            b'H' => Ok(Act::Pass),
            b'E' => self.execute(body, first, out),
            b'D' => self.describe(body, first, out),
            b'C' => self.close(body),
            _ if !first => Ok(Act::Later),
            b'Q' => self.ask_query(body, out),
            b'P' => self.ask_parse(body, out),
            b'B' => self.ask_bind(body, out),
            _ => {
                let reply =
                    reply_of(b"0A000", "function calls are refused by pangate", "use SELECT function(...)");
                Ok(self.refuse_query(0, reply, out))
            }
        }
    }

    fn drop_message(&mut self, frame: Frame, first: bool) -> Act {
        if !first {
            return Act::Later;
        }
        self.passing = Some(Passing { left: frame.length, dropped: true });
        Act::Stop(Step::Consumed(0))
    }

    fn copy_message(
        &mut self,
        frame: Frame,
        rest: &[u8],
        first: bool,
        out: &mut Outbox,
    ) -> Result<Act, Error> {
        match self.copy {
            ClientCopy::Over => return Ok(self.drop_message(frame, first)),
            ClientCopy::No if self.skipping => return Ok(self.drop_message(frame, first)),
            // Whether a forwarded statement is a COPY is not known before its answer.
            ClientCopy::No if self.pending.may_copy() => return Ok(Act::Stop(Step::Wait)),
            ClientCopy::No => return Err(misbehaved("COPY data where no COPY is under way")),
            ClientCopy::In => {}
        }
        if frame.tag == b'c' {
            self.back.end(&self.masker);
        }
        if self.back.stand == Stand::Seen && frame.tag != b'f' {
            return Ok(self.fail_copy(frame, first, out));
        }
        if frame.tag == b'd' {
            let have = frame.length.min(rest.len());
            self.back.look(&self.masker, rest.get(HEADER_BYTES..have).unwrap_or_default());
            if self.back.stand == Stand::Seen {
                return Ok(self.fail_copy(frame, first, out));
            }
            if have < frame.length {
                self.passing = Some(Passing { left: frame.length - have, dropped: false });
            }
            return Ok(Act::PassPart(have));
        }
        if frame.length > LARGE_BYTES {
            return Err(Error::TooLarge {
                side: Side::Client,
                what: "a message that ends a COPY",
                most: LARGE_BYTES,
            });
        }
        let Some(body) = rest.get(HEADER_BYTES..frame.length) else {
            return Ok(Act::Stop(Step::Need(missing(rest.len(), frame.length))));
        };
        if frame.tag == b'f' {
            read_text(Side::Client, body)?;
        } else if !body.is_empty() {
            return Err(Error::Malformed { side: Side::Client, offset: 1, what: "a body where none is due" });
        }
        self.copy = ClientCopy::No;
        Ok(Act::Pass)
    }

    /// The client's data would write back what a mask has made: the target forgets them all.
    fn fail_copy(&mut self, frame: Frame, first: bool, out: &mut Outbox) -> Act {
        if !first {
            return Act::Later;
        }
        message(&mut out.server, b'f', |body| text(body, MASKED_BACK.as_bytes()));
        self.back.stand = Stand::Failed;
        self.copy = ClientCopy::Over;
        self.drop_message(frame, first)
    }

    /// A message that has no place in COPY: the target would fail the COPY and forget the message. So it is.
    fn break_copy(&mut self, first: bool, out: &mut Outbox) -> Act {
        if !first {
            return Act::Later;
        }
        message(&mut out.server, b'f', |body| text(body, b"another message came during COPY"));
        self.copy = ClientCopy::Over;
        Act::Drop
    }

    fn sync(&mut self) -> Act {
        self.pending.push(Expect::Sync { batch: self.batch });
        self.batch += 1;
        self.skipping = false;
        Act::Pass
    }

    fn leave(&mut self, first: bool, out: &mut Outbox) -> Act {
        if !self.pending.is_empty() {
            self.leaving = true;
            return Act::Pass;
        }
        if !first {
            return Act::Later;
        }
        message(&mut out.server, b'X', |_| {});
        Act::Stop(if self.is_settled() { Step::Part } else { Step::Close })
    }

    /// Whether another session could have the target's connection: it is amid nothing that a reset would not find.
    pub(crate) fn is_settled(&self) -> bool {
        self.pending.is_settled()
            && self.copy == ClientCopy::No
            && !self.skipping
            && !self.leaving
            && !self.told
            && self.parts.is_none()
            && self.passing.is_none()
            && self.backend.settings.are_known()
    }

    fn execute(&mut self, body: &[u8], first: bool, out: &mut Outbox) -> Result<Act, Error> {
        let name = read_execute(body)?;
        let (number, statement, formats, mut watch, generation) = match self.portals.find(name, self.batch) {
            Found::Ready(portal) => {
                let (statement, formats) = (portal.statement.clone(), portal.formats.clone());
                (portal.number, statement, formats, portal.watch, portal.generation)
            }
            Found::Wait => return Ok(Act::Stop(Step::Wait)),
            Found::Unknown => {
                return Ok(self.refuse_unknown(b"34000", "this portal does not exist", first, out));
            }
        };
        // What it shows may have come after it was bound: settings, and rows of cursors opened since.
        watch.computed |= watch.labels && (self.spilled || self.touched_ever && !statement.nature.stable);
        let is_as_bound = generation == self.generation && !self.renamed;
        if watch.labels && !(is_as_bound && self.will_know_columns(&statement)) {
            if !first {
                return Ok(Act::Later);
            }
            // The client need not ask where the columns come from: then the gateway does.
            message(&mut out.server, b'D', |body| {
                body.push(b'P');
                text(body, name);
            });
            let statement = statement.clone();
            self.pending.push(Expect::Learn { statement, generation });
        }
        self.statements.apply(&statement.nature.effect);
        self.portals.apply(&statement.nature.effect);
        self.pending.push(Expect::Execute { number, statement, formats, watch });
        Ok(Act::Pass)
    }

    /// No transaction is open and nothing is under way: what its end may have changed back counts as changed.
    pub(super) fn end_transaction(&mut self) {
        if self.pending.front().is_some() {
            return;
        }
        self.touched = false;
        if core::mem::take(&mut self.renamed) {
            self.ends += 1;
            self.generation += 1;
        }
    }

    /// Whether the statement's columns will be known, as names now stand, when its rows come: described before, or
    /// within this batch (of which nothing more runs where that fails).
    fn will_know_columns(&self, statement: &Statement) -> bool {
        statement.nature.stable
            && (statement.columns.borrow().is_current(self.generation)
                || statement.asked.get() == (self.batch, self.generation))
    }

    fn describe(&mut self, body: &[u8], first: bool, out: &mut Outbox) -> Result<Act, Error> {
        let generation = self.generation;
        let found = match Named::read(body)? {
            Named::Statement(name) => match self.statements.find(name, self.batch) {
                Found::Ready(statement) => {
                    statement.asked.set((self.batch, generation));
                    Found::Ready(Expect::DescribeStatement { statement: statement.clone(), generation })
                }
                Found::Wait => Found::Wait,
                Found::Unknown => Found::Unknown,
            },
            Named::Portal(name) => match self.portals.find(name, self.batch) {
                Found::Ready(portal) => {
                    portal.statement.asked.set((self.batch, generation));
                    Found::Ready(Expect::DescribePortal { statement: portal.statement.clone(), generation })
                }
                Found::Wait => Found::Wait,
                // A cursor of DECLARE is a portal of the target's: drivers look at it before they FETCH by SQL.
                Found::Unknown if !name.is_empty() => Found::Ready(Expect::DescribeCursor),
                Found::Unknown => Found::Unknown,
            },
        };
        match found {
            Found::Ready(expect) => self.pending.push(expect),
            Found::Wait => return Ok(Act::Stop(Step::Wait)),
            Found::Unknown if body.first() == Some(&b'S') => {
                return Ok(self.refuse_unknown_statement(first, out));
            }
            Found::Unknown => {
                return Ok(self.refuse_unknown(b"34000", "this portal does not exist", first, out));
            }
        }
        Ok(Act::Pass)
    }

    fn close(&mut self, body: &[u8]) -> Result<Act, Error> {
        match Named::read(body)? {
            Named::Statement(name) => self.statements.remove(name),
            Named::Portal(name) => self.portals.remove(name),
        }
        self.pending.push(Expect::Close);
        Ok(Act::Pass)
    }

    fn ask(&mut self, kind: CommandKind) -> Act {
        self.asking = Some(Asking { number: self.next_number, kind });
        self.next_number += 1;
        Act::Stop(Step::Ask)
    }

    fn ask_query(&mut self, body: &[u8], out: &mut Outbox) -> Result<Act, Error> {
        if core::str::from_utf8(read_text(Side::Client, body)?).is_err() {
            return Ok(self.refuse_query(0, reply_of(b"22021", NOT_UTF8, ""), out));
        }
        Ok(self.ask(CommandKind::Query))
    }

    fn ask_parse(&mut self, body: &[u8], out: &mut Outbox) -> Result<Act, Error> {
        let parse = Parse::read(body)?;
        if core::str::from_utf8(parse.text).is_err() {
            return Ok(self.refuse_extended(0, reply_of(b"22021", NOT_UTF8, ""), out));
        }
        if parse.name.len() > NAME_BYTES_MAX {
            return Ok(self.refuse_extended(0, reply_of(b"42622", NAME_TOO_LONG, ""), out));
        }
        Ok(self.ask(CommandKind::Prepare))
    }

    fn ask_bind(&mut self, body: &[u8], out: &mut Outbox) -> Result<Act, Error> {
        let bind = Bind::read(body)?;
        if bind.portal.len() > NAME_BYTES_MAX {
            return Ok(self.refuse_extended(0, reply_of(b"42622", NAME_TOO_LONG, ""), out));
        }
        if !self.portals.has_room(bind.portal, &self.limits) {
            let words = "too many portals are open in this session";
            return Ok(self.refuse_extended(
                0,
                reply_of(b"53400", words, "close portals that are no longer used"),
                out,
            ));
        }
        match self.statements.find(bind.statement, self.batch) {
            Found::Ready(_) => Ok(self.ask(CommandKind::Execute)),
            Found::Wait => Ok(Act::Stop(Step::Wait)),
            Found::Unknown => Ok(self.refuse_unknown_statement(true, out)),
        }
    }

    /// What the suspended message at the start of `bytes` asks.
    pub(crate) fn question<'a>(&'a self, bytes: &'a [u8]) -> Option<Question<'a>> {
        let asking = self.asking?;
        let length = frame::peek(Side::Client, bytes).ok()??.length;
        let body = bytes.get(HEADER_BYTES..length)?;
        let mut command = Command {
            number: asking.number,
            kind: asking.kind,
            text: "",
            database: "",
            statement: None,
            parameters: Parameters::default(),
            transaction: self.pending.transaction(),
        };
        match asking.kind {
            CommandKind::Query => {
                command.text = core::str::from_utf8(read_text(Side::Client, body).ok()?).ok()?
            }
            CommandKind::Prepare => command.text = core::str::from_utf8(Parse::read(body).ok()?.text).ok()?,
            CommandKind::Execute => {
                let bind = Bind::read(body).ok()?;
                let Found::Ready(statement) = self.statements.find(bind.statement, self.batch) else {
                    return None;
                };
                command.text = &statement.text;
                command.statement = Some(statement.id);
                command.parameters = bind.parameters;
            }
        }
        Some(Question::Command(command))
    }

    /// Takes up the suspended message at the start of `bytes`.
    pub(crate) fn rule(&mut self, ruling: Ruling<'_>, bytes: &[u8], out: &mut Outbox) -> Result<Step, Error> {
        let Some(asking) = self.asking else { return Ok(Step::Consumed(0)) };
        let frame = frame::peek(Side::Client, bytes)?;
        let body = frame.and_then(|frame| bytes.get(HEADER_BYTES..frame.length));
        let (Some(frame), Some(body)) = (frame, body) else {
            return Err(misbehaved("the message that was asked about is not in hand"));
        };
        let refusal = match ruling {
            Ruling::Hold { notice } => {
                let place = if self.parts.is_some() { &mut self.notice } else { &mut out.client };
                reply::notice(place, notice);
                return Ok(Step::Ask);
            }
            Ruling::Allow => return self.go_on(asking, Watch::default(), (bytes, frame, body), out),
            Ruling::AllowLabelled(labels) => {
                let first = self.origins.is_none();
                if self.origins.as_ref().is_none_or(|origins| !Arc::ptr_eq(origins, labels.origins)) {
                    self.origins = Some(Arc::clone(labels.origins));
                }
                let generation = labels.generation + self.ends;
                self.renamed |= !first && generation != self.generation;
                self.generation = generation;
                self.spilled |= labels.watch.spilled;
                self.touched |= labels.watch.computed;
                self.touched_ever |= labels.watch.computed;
                return self.go_on(asking, labels.watch, (bytes, frame, body), out);
            }
            Ruling::Refuse(refusal) => refusal,
            // No answers to this question: nothing runs without one.
            Ruling::Admit(_) | Ruling::Password | Ruling::Bearer(_) | Ruling::Done => {
                Refusal { kind: crate::RefusalKind::Denied, message: "no ruling", detail: "", hint: "" }
            }
        };
        self.asking = None;
        let mut reply = Vec::new();
        reply::refusal(&mut reply, Severity::Error, &refusal);
        match asking.kind {
            CommandKind::Query => self.refuse_query(asking.number, reply.into(), out),
            CommandKind::Prepare | CommandKind::Execute => {
                self.refuse_extended(asking.number, reply.into(), out)
            }
        };
        Ok(Step::Consumed(frame.length))
    }

    /// An allowed message goes to the target, and what may follow it.
    fn go_on(
        &mut self,
        asking: Asking,
        watch: Watch,
        (bytes, frame, body): (&[u8], Frame, &[u8]),
        out: &mut Outbox,
    ) -> Result<Step, Error> {
        self.asking = None;
        match self.accept(asking, watch, body, out)? {
            Act::Pass => self.client_from(bytes, frame.length, out),
            _ => Ok(Step::Consumed(frame.length)),
        }
    }

    /// Takes note of an allowed message; `Drop` where something has been sent in its place.
    fn accept(&mut self, asking: Asking, watch: Watch, body: &[u8], out: &mut Outbox) -> Result<Act, Error> {
        let number = asking.number;
        match asking.kind {
            CommandKind::Query => {
                let text = core::str::from_utf8(read_text(Side::Client, body)?).unwrap_or_default();
                if unpins(text) {
                    return Ok(self.refuse_query(number, reply_of(b"22023", PINNED, PINNED_HINT), out));
                }
                let nature = Nature::of(text);
                self.forget_unnamed();
                self.statements.apply(&nature.effect);
                self.portals.apply(&nature.effect);
                let (light, begins, batch) = (!nature.heavy, nature.begins, self.batch);
                self.pending.push(Expect::Query { number, light, begins, batch, watch });
                self.batch += 1;
            }
            CommandKind::Prepare => {
                let parse = Parse::read(body)?;
                let text = core::str::from_utf8(parse.text).unwrap_or_default();
                if unpins(text) {
                    return Ok(self.refuse_extended(number, reply_of(b"22023", PINNED, PINNED_HINT), out));
                }
                let Some(statement) = self.statements.insert(parse.name, text, self.batch) else {
                    let words = "too many prepared statements are kept in this session";
                    return Ok(self.refuse_extended(
                        number,
                        reply_of(b"53400", words, "close those that are no longer used"),
                        out,
                    ));
                };
                self.pending.push(Expect::Parse { number, statement });
            }
            CommandKind::Execute => {
                let bind = Bind::read(body)?;
                let Found::Ready(statement) = self.statements.find(bind.statement, self.batch) else {
                    return Err(misbehaved("the statement that was asked about is gone"));
                };
                let statement = Rc::clone(statement);
                let serial = self.next_serial;
                self.next_serial += 1;
                let formats = Formats::new(bind.results);
                let (batch, generation) = (self.batch, self.generation);
                let portal =
                    Portal::new(serial, number, statement.clone(), formats, batch, (watch, generation));
                self.portals.insert(bind.portal, portal);
                self.pending.push(Expect::Bind { number, serial, statement, watch });
            }
        }
        Ok(Act::Pass)
    }

    /// A simple query ends the unnamed statement and portal.
    fn forget_unnamed(&mut self) {
        self.statements.remove(b"");
        self.portals.remove(b"");
    }

    /// Sends a failing statement in the place of a Query.
    fn refuse_query(&mut self, number: u64, reply: Box<[u8]>, out: &mut Outbox) -> Act {
        self.forget_unnamed();
        message(&mut out.server, b'Q', |body| text(body, FAILING_TEXT));
        self.pending.push(Expect::RefusedQuery { number, reply, batch: self.batch });
        self.batch += 1;
        Act::Drop
    }

    /// Sends a failing statement in the place of a message of the extended protocol.
    fn refuse_extended(&mut self, number: u64, reply: Box<[u8]>, out: &mut Outbox) -> Act {
        message(&mut out.server, b'P', |body| {
            text(body, REFUSED_NAME);
            text(body, FAILING_TEXT);
            body.extend_from_slice(&[0, 0]);
        });
        self.pending.push(Expect::Refused { number, reply });
        self.skipping = true;
        Act::Drop
    }

    fn refuse_unknown_statement(&mut self, first: bool, out: &mut Outbox) -> Act {
        self.refuse_unknown(b"26000", "this prepared statement does not exist", first, out)
    }

    fn refuse_unknown(&mut self, code: &[u8; 5], words: &str, first: bool, out: &mut Outbox) -> Act {
        if !first {
            return Act::Later;
        }
        let hint =
            "statements are prepared and bound in the protocol; those of SQL are run by EXECUTE and FETCH";
        self.refuse_extended(0, reply_of(code, words, hint), out)
    }

    /// Whether the target has the start of a message only: nothing else can be sent to it.
    pub(crate) fn is_inside_client_message(&self) -> bool {
        self.passing.as_ref().is_some_and(|passing| !passing.dropped)
    }
}

/// Why a masked value is not written, and what to do.
pub(super) const MASKED_BACK: &str = "a masked card number cannot be written back";
pub(super) const MASKED_HINT: &str = "leave the column out, or write the value from its source";
const PINNED: &str = "client_encoding must be UTF8 and standard_conforming_strings on through pangate";
const PINNED_HINT: &str = "leave both as they are; what is not text in UTF-8 passes as bytea";
const NOT_UTF8: &str = "the statement is not in UTF-8";
const NAME_TOO_LONG: &str = "the name of a statement or portal has more than 63 bytes";

pub(super) fn reply_of(code: &[u8; 5], words: &str, hint: &str) -> Box<[u8]> {
    let mut reply = Vec::new();
    reply::error(&mut reply, Severity::Error, code, [words, "", hint]);
    reply.into()
}
