//! The open session, from the client's side: which commands are asked about, what goes to the target, what answers a
//! refused one. One command at a time: the next waits until the one under way is answered. Leaves out the answers
//! (`answers.rs`) and the form of commands (`command.rs`).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use scan::{Format, Scanner};

use super::answers::{Answer, Await};
use super::backend::Backend;
use super::capabilities::{Capabilities, STATUS_AUTOCOMMIT, STATUS_IN_TRANSACTION};
use super::command::{self, Execute, Whole};
use super::frame::{HEADER_BYTES, PAYLOAD_BYTES_MAX, missing, packet};
use super::long::Long;
use super::nature::{Nature, Results, Target, unpins, uses};
use super::parameters::Shown;
use super::reply::{self, Words};
use super::rows::Plan;
use super::settings::Settings;
use super::statements::{Statement, Statements};
use crate::known::Known;
use crate::limits::HELD_REPORT_MS;
use crate::masker::Masker;
use crate::{
    Command, CommandKind, Error, Event, Limits, Now, Origins, Outbox, Outcome, Parameters, Permitted,
    Question, Refusal, RefusalKind, Ruling, Side, Step, Transaction, Watch,
};

/// An open session.
pub(crate) struct Talk {
    pub(super) masker: Masker,
    /// What is spoken with the target.
    pub(super) capabilities: Capabilities,
    /// The target's number of the connection, and when it was opened.
    process: u32,
    born: Now,
    /// The login named a database: so will the next on this connection.
    named_database: bool,
    /// COM_SET_OPTION has come.
    options_set: bool,
    /// The client understands what OK packets tell of the session.
    pub(super) tracks: bool,
    /// What the target owes.
    pub(super) awaits: Await,
    pub(super) answer: Answer,
    /// The number of the target's next packet.
    pub(super) sequence: u8,
    /// By how much the numbers of the client's are ahead: reports that the gateway has sent before this answer.
    pub(super) lead: u8,
    /// When the client is told again that its command is held.
    report_at: Option<Now>,
    pub(super) plan: Plan,
    /// A long row, partly released.
    pub(super) long: Option<Box<Long>>,
    pub(super) known: Known,
    pub(super) statements: Statements,
    /// Where labelled data lie, as of the last ruling.
    pub(super) origins: Option<Arc<Origins>>,
    /// Something of a label may come with what the target tells of settings.
    pub(super) spilled: bool,
    pub(super) transaction: Stand,
    /// The default database; empty: none, or one that cannot be told.
    pub(super) database: String,
    /// Becomes the default where the command under way succeeds and the target does not track it.
    pub(super) next_database: Option<String>,
    /// SET NAMES DEFAULT is UTF-8 at the target.
    pub(super) utf8_by_default: bool,
    /// In which characters answers come.
    pub(super) results: Results,
    /// They come so where the command under way succeeds.
    pub(super) next_results: Option<Results>,
    /// The text that is being prepared.
    pub(super) preparing: String,
    /// Why the command under way was held: for the words of the packet that ends its answer.
    pub(super) notice: String,
    /// What the client gets once the target has taken the gateway's own settings again.
    pub(super) reset: Vec<u8>,
    /// Those settings, on their way.
    pub(super) settings: Option<Box<Settings>>,
    /// The number of the error that the target has answered with last; 0: none since it has answered well.
    pub(super) last_error: u16,
    /// The target has told the client why the session ends.
    pub(super) told: bool,
    /// The client has taken its leave.
    pub(crate) leaving: bool,
    limits: Limits,
    asking: Option<Asking>,
    /// The SQL that the command in question stands for, where its own bytes are none.
    built: String,
    shown: Shown,
    /// A command that is spread over packets, put together.
    joined: Vec<u8>,
    next_number: u64,
}

/// Where the transaction stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Stand {
    /// As the target's last status has it.
    pub(super) open: bool,
    /// Nothing but its begin has run in it.
    pub(super) fresh: bool,
    /// The command under way begins one, and does no more.
    pub(super) begins: bool,
}

#[derive(Clone)]
struct Asking {
    number: u64,
    kind: CommandKind,
    command: u8,
    whole: Whole,
    text: Text,
}

/// Where a command's text is.
#[derive(Clone)]
enum Text {
    /// In its payload.
    Own(Range<usize>),
    Built,
    /// Prepared earlier, under this number.
    Prepared(u32),
}

/// Why a command is answered by the gateway.
pub(super) const PINNED: &str = "the session's texts are read as UTF-8 with the common quotes and escapes through pangate; leave sql_mode's ANSI, ANSI_QUOTES, NO_BACKSLASH_ESCAPES, IGNORE_SPACE, other character sets and session_track_* alone";

fn words(number: u16, state: &'static [u8; 5], text: &'static str) -> Words<'static> {
    Words { number, state, text: text.into() }
}

fn malformed(offset: usize, what: &'static str) -> Error {
    Error::Malformed { side: Side::Client, offset, what }
}

impl Talk {
    pub(crate) fn new(scanner: Scanner, format: Format, limits: Limits, backend: Backend) -> Self {
        Self {
            masker: Masker { scanner, format, scratch: Vec::new() },
            capabilities: backend.capabilities,
            process: backend.process,
            born: backend.born,
            named_database: !backend.database.is_empty(),
            options_set: false,
            tracks: backend.tracks,
            awaits: Await::Nothing,
            answer: Answer::default(),
            sequence: 0,
            lead: 0,
            report_at: None,
            plan: Plan::default(),
            long: None,
            known: Known::default(),
            statements: Statements::new(limits),
            origins: None,
            spilled: false,
            transaction: Stand { open: backend.status & STATUS_IN_TRANSACTION != 0, ..Stand::default() },
            database: backend.database,
            next_database: None,
            utf8_by_default: backend.utf8_by_default,
            results: Results::Utf8,
            next_results: None,
            preparing: String::new(),
            notice: String::new(),
            reset: Vec::new(),
            settings: None,
            last_error: 0,
            told: false,
            leaving: false,
            limits,
            asking: None,
            built: String::new(),
            shown: Shown::default(),
            joined: Vec::new(),
            next_number: 1,
        }
    }

    /// Goes on with the client's bytes.
    pub(crate) fn client_step(&mut self, bytes: &[u8], out: &mut Outbox) -> Result<Step, Error> {
        if self.leaving {
            return Ok(Step::Consumed(bytes.len()));
        }
        if self.is_busy() {
            return Ok(Step::Wait);
        }
        let whole = match command::whole(bytes, self.limits.statement_bytes_max, &mut self.joined)? {
            Ok(whole) => whole,
            Err(due) => return Ok(Step::Need(missing(bytes.len(), due))),
        };
        let joined = core::mem::take(&mut self.joined);
        let payload = if whole.spread {
            joined.as_slice()
        } else {
            bytes.get(HEADER_BYTES..whole.length).unwrap_or_default()
        };
        let step = self.take_command(payload, whole, out);
        self.joined = joined;
        step
    }

    /// The client takes its leave, and nothing is under way.
    pub(crate) fn leave(&mut self, out: &mut Outbox) -> Step {
        self.leaving = true;
        packet(&mut out.server, 0, |payload| payload.push(command::QUIT));
        // No reset takes a default database away, or what COM_SET_OPTION has set back.
        let restores = self.named_database || self.database.is_empty();
        if restores && !self.options_set { Step::Part } else { Step::Close }
    }

    /// What is left of it for another session.
    pub(crate) fn into_backend(self) -> Backend {
        let Self { process, capabilities, tracks, database, utf8_by_default, born, .. } = self;
        Backend { process, capabilities, tracks, status: 0, database, utf8_by_default, born }
    }

    /// The target's number of the connection.
    pub(crate) fn process(&self) -> u32 {
        self.process
    }

    fn take_command(&mut self, payload: &[u8], whole: Whole, out: &mut Outbox) -> Result<Step, Error> {
        let length = whole.length;
        let pass = Step::ToServer(Permitted(length));
        self.lead = 0;
        match payload.first().copied().ok_or(malformed(0, "an empty packet"))? {
            command::QUIT => {
                return Ok(self.leave(out));
            }
            command::QUERY => return self.ask_query(payload, whole, out),
            command::PREPARE => return self.ask_prepare(payload, whole, out),
            command::EXECUTE => return self.ask_execute(payload, whole, out),
            command::BULK_EXECUTE if self.capabilities.has(Capabilities::MARIADB_BULK) => {
                return self.ask_execute(payload, whole, out);
            }
            command::FETCH => return self.fetch(payload, whole, out),
            command::SEND_LONG_DATA => {
                let (statement, parameter, bytes) = command::read_ahead(payload)?;
                self.statements.send_ahead(statement, parameter, bytes);
                return Ok(Step::Consumed(length));
            }
            command::CLOSE if payload.len() == 5 => {
                self.statements.remove(Execute::named(payload)?);
                return Ok(pass);
            }
            command::RESET if payload.len() == 5 => {
                let statement = Execute::named(payload)?;
                self.statements.forget_ahead(statement);
                self.statements.close_cursor(statement);
                self.expect(Await::Plain, 0, whole);
            }
            command::SET_OPTION if payload.len() == 3 => {
                self.options_set = true;
                self.expect(Await::Plain, 0, whole);
            }
            command::PING if payload.len() == 1 => self.expect(Await::Plain, 0, whole),
            command::RESET_CONNECTION if payload.len() == 1 => self.expect(Await::Reset, 0, whole),
            command::CLOSE | command::RESET | command::SET_OPTION | command::PING => {
                return Err(malformed(HEADER_BYTES, "a command of a length that it never has"));
            }
            command::RESET_CONNECTION => {
                return Err(malformed(HEADER_BYTES, "a command of a length that it never has"));
            }
            byte => return self.ask_other(byte, payload, whole, out),
        }
        Ok(pass)
    }

    /// The command goes to the target: this answers it.
    fn expect(&mut self, awaits: Await, number: u64, whole: Whole) {
        self.awaits = awaits;
        self.answer = Answer::new(awaits, number);
        self.sequence = whole.sequence.wrapping_add(1);
    }

    /// Answers a command in the target's place.
    fn reply(&mut self, words: &Words<'_>, whole: Whole, out: &mut Outbox) -> Step {
        words.packet(&mut out.client, self.first_of(whole));
        Step::Consumed(whole.length)
    }

    /// The number of the packet that the client gets next, where the gateway answers.
    fn first_of(&self, whole: Whole) -> u8 {
        whole.sequence.wrapping_add(1).wrapping_add(self.lead)
    }

    fn ask(&mut self, kind: CommandKind, whole: Whole, command: u8, text: Text) -> Step {
        self.asking = Some(Asking { number: self.next_number, kind, command, whole, text });
        self.next_number += 1;
        Step::Ask
    }

    fn ask_query(&mut self, payload: &[u8], whole: Whole, out: &mut Outbox) -> Result<Step, Error> {
        self.shown.clear();
        let attributed = self.capabilities.has(Capabilities::QUERY_ATTRIBUTES);
        let start = command::read_query(payload, attributed, &mut self.shown)?;
        self.ask_text(CommandKind::Query, payload, start, whole, out)
    }

    fn ask_prepare(&mut self, payload: &[u8], whole: Whole, out: &mut Outbox) -> Result<Step, Error> {
        self.shown.clear();
        self.statements.forget_last();
        self.ask_text(CommandKind::Prepare, payload, 1, whole, out)
    }

    fn ask_text(
        &mut self,
        kind: CommandKind,
        payload: &[u8],
        start: usize,
        whole: Whole,
        out: &mut Outbox,
    ) -> Result<Step, Error> {
        let text = payload.get(start..).unwrap_or_default();
        if core::str::from_utf8(text).is_err() {
            // ER_INVALID_CHARACTER_STRING
            return Ok(self.reply(&words(1300, b"HY000", "the statement is not in UTF-8"), whole, out));
        }
        let command = if kind == CommandKind::Query { command::QUERY } else { command::PREPARE };
        Ok(self.ask(kind, whole, command, Text::Own(start..payload.len())))
    }

    /// What is no statement, and stands for one, or is not to be had here.
    fn ask_other(&mut self, byte: u8, payload: &[u8], whole: Whole, out: &mut Outbox) -> Result<Step, Error> {
        self.shown.clear();
        if byte == command::FIELD_LIST && self.results != Results::Utf8 {
            // Columns' defaults come with it, of whose characters nothing is told.
            let text = "COM_FIELD_LIST is for answers in UTF-8: set character_set_results to it";
            return Ok(self.reply(&words(1235, b"42000", text), whole, out));
        }
        if let Some(sql) = command::in_sql(payload)? {
            self.built = sql;
            return Ok(self.ask(CommandKind::Query, whole, byte, Text::Built));
        }
        let refusal = match byte {
            // ER_NOT_SUPPORTED_YET
            command::CHANGE_USER => {
                words(1235, b"42000", "pangate does not change users within a session: connect anew")
            }
            command::BINLOG_DUMP
            | command::BINLOG_DUMP_GTID
            | command::REGISTER_SLAVE
            | command::TABLE_DUMP
            | command::CLONE => words(1235, b"42000", "replication does not go through pangate"),
            command::REFRESH | command::DEBUG | command::MULTI | command::BULK_EXECUTE => {
                words(1235, b"42000", "pangate does not support this command")
            }
            // ER_UNKNOWN_COM_ERROR
            _ => words(1047, b"08S01", "no such command"),
        };
        Ok(self.reply(&refusal, whole, out))
    }

    fn ask_execute(&mut self, payload: &[u8], whole: Whole, out: &mut Outbox) -> Result<Step, Error> {
        self.shown.clear();
        let id = Execute::named(payload)?;
        let attributed = self.capabilities.has(Capabilities::QUERY_ATTRIBUTES);
        let Some(statement) = self.statements.find_mut(id) else {
            return Ok(self.reply(&UNKNOWN_STATEMENT, whole, out));
        };
        // What a bulk would make of values sent ahead, it does not show.
        let bulk = payload.first() == Some(&command::BULK_EXECUTE);
        if statement.overflown || bulk && !statement.ahead.is_empty() {
            self.statements.forget_ahead(id);
            // ER_NET_PACKET_TOO_LARGE
            let text = "the values sent ahead are too large, of no parameter, or before a bulk";
            let refusal = words(1153, b"08S01", text);
            return Ok(self.reply(&refusal, whole, out));
        }
        let execute = Execute::read(payload, statement.parameters, attributed)?;
        let (count, sent) = (statement.types.count, statement.types.sent);
        if bulk && !execute.binds && !sent {
            // ER_WRONG_ARGUMENTS
            let text = "the parameters' types, as last bound, have never come to the target";
            return Ok(self.reply(&words(1210, b"HY000", text), whole, out));
        }
        if execute.binds {
            let raw = payload.get(execute.types.clone()).unwrap_or_default();
            if !self.statements.bind(id, execute.count, raw) {
                // ER_NET_PACKET_TOO_LARGE
                let text = "too much is kept of this session's prepared statements";
                return Ok(self.reply(&words(1153, b"08S01", text), whole, out));
            }
        } else if count != execute.count {
            // ER_WRONG_ARGUMENTS
            let refusal = words(1210, b"HY000", "the parameters' types have never been bound");
            return Ok(self.reply(&refusal, whole, out));
        }
        let Some(statement) = self.statements.find(id) else {
            return Ok(self.reply(&UNKNOWN_STATEMENT, whole, out));
        };
        execute.show(payload, statement, self.limits.statement_bytes_max, &mut self.shown)?;
        let command = payload.first().copied().unwrap_or_default();
        Ok(self.ask(CommandKind::Execute, whole, command, Text::Prepared(id)))
    }

    /// More rows of a cursor: they are of the command that opened it.
    fn fetch(&mut self, payload: &[u8], whole: Whole, out: &mut Outbox) -> Result<Step, Error> {
        if payload.len() != 9 {
            return Err(malformed(HEADER_BYTES, "COM_STMT_FETCH of another length"));
        }
        let id = Execute::named(payload)?;
        let Some(cursor) = self.statements.find(id).and_then(Statement::cursor) else {
            return Ok(self.reply(&UNKNOWN_STATEMENT, whole, out));
        };
        if cursor.results != self.results {
            let text = "character_set_results is another than when the cursor was opened";
            return Ok(self.reply(&words(1235, b"42000", text), whole, out));
        }
        let (number, watch) = (cursor.number, cursor.watch);
        self.plan.copy(&cursor.plan);
        self.expect(Await::Fetch, number, whole);
        self.answer.watch = watch;
        self.answer.statement = id;
        Ok(Step::ToServer(Permitted(whole.length)))
    }

    /// The payload of the command in question.
    fn payload<'a>(&'a self, bytes: &'a [u8], whole: Whole) -> &'a [u8] {
        if whole.spread { &self.joined } else { bytes.get(HEADER_BYTES..whole.length).unwrap_or_default() }
    }

    fn text<'a>(&'a self, bytes: &'a [u8], asking: &Asking) -> Option<&'a str> {
        match &asking.text {
            Text::Own(range) => {
                core::str::from_utf8(self.payload(bytes, asking.whole).get(range.clone())?).ok()
            }
            Text::Built => Some(&self.built),
            Text::Prepared(id) => self.statements.find(*id).map(|statement| statement.text.as_str()),
        }
    }

    /// What the suspended command at the start of `bytes` asks.
    pub(crate) fn question<'a>(&'a self, bytes: &'a [u8]) -> Option<Question<'a>> {
        let asking = self.asking.as_ref()?;
        let parameters =
            if asking.kind == CommandKind::Prepare { Parameters::default() } else { self.shown.view() };
        let statement = match asking.text {
            Text::Prepared(id) => Some(self.statements.find(id)?.serial),
            _ => None,
        };
        Some(Question::Command(Command {
            number: asking.number,
            kind: asking.kind,
            text: self.text(bytes, asking)?,
            database: &self.database,
            statement,
            parameters,
            transaction: match self.transaction {
                Stand { open: false, .. } => Transaction::Idle,
                Stand { fresh: true, .. } => Transaction::Fresh,
                Stand { .. } => Transaction::Active,
            },
        }))
    }

    /// Takes up the suspended command at the start of `bytes`.
    pub(crate) fn rule(
        &mut self,
        ruling: Ruling<'_>,
        bytes: &[u8],
        out: &mut Outbox,
        now: Now,
    ) -> Result<Step, Error> {
        let Some(asking) = self.asking.take() else { return Ok(Step::Consumed(0)) };
        self.report_at = None;
        let watch = match ruling {
            Ruling::Hold { notice } => {
                self.notice.clear();
                self.notice.push_str(notice);
                self.asking = Some(asking);
                self.report(now, out);
                return Ok(Step::Ask);
            }
            Ruling::Allow => Watch::default(),
            Ruling::AllowLabelled(labels) => {
                if self.origins.as_ref().is_none_or(|origins| !Arc::ptr_eq(origins, labels.origins)) {
                    self.origins = Some(Arc::clone(labels.origins));
                }
                self.spilled |= labels.watch.spilled;
                labels.watch
            }
            Ruling::Refuse(refusal) => return Ok(self.refuse(&asking, &Words::of_refusal(&refusal), out)),
            Ruling::Done => return Ok(self.seen_to(&asking, out)),
            // No answers to this question: nothing runs without one.
            Ruling::Admit(_) | Ruling::Password | Ruling::Bearer(_) => {
                let refusal =
                    Refusal { kind: RefusalKind::Denied, message: "no ruling", detail: "", hint: "" };
                return Ok(self.refuse(&asking, &Words::of_refusal(&refusal), out));
            }
        };
        let step = self.accept(&asking, bytes, out)?;
        self.answer.watch = watch;
        if self.joined.capacity() > JOINED_BYTES_KEPT {
            self.joined = Vec::new();
        }
        Ok(step)
    }

    /// When the client is to be told again that its command is held.
    pub(crate) fn report_at(&self) -> Option<Now> {
        self.report_at
    }

    /// Tells a client that takes progress reports, as MariaDB sends them before a statement's answer, why its command
    /// is silent. No other packet may come before the answer's own.
    pub(crate) fn report(&mut self, now: Now, out: &mut Outbox) {
        let Some(asking) = &self.asking else { return };
        let reports = matches!(asking.command, command::QUERY | command::EXECUTE | command::BULK_EXECUTE);
        if !reports || !self.capabilities.has(Capabilities::MARIADB_PROGRESS) {
            return;
        }
        reply::progress(&mut out.client, self.first_of(asking.whole), &self.notice);
        self.lead = self.lead.wrapping_add(1);
        self.report_at = Some(Now(now.0 + HELD_REPORT_MS));
    }

    /// The gateway has seen to the command itself.
    fn seen_to(&self, asking: &Asking, out: &mut Outbox) -> Step {
        let status = STATUS_AUTOCOMMIT | if self.transaction.open { STATUS_IN_TRANSACTION } else { 0 };
        packet(&mut out.client, self.first_of(asking.whole), |payload| {
            // OK: no rows, no insert id, the status, no warnings.
            payload.extend_from_slice(&[0, 0, 0]);
            payload.extend_from_slice(&status.to_le_bytes());
            payload.extend_from_slice(&[0, 0]);
        });
        let (number, outcome) = (asking.number, Outcome::Done);
        out.events.push(Event::Finished { number, rows: 0, masked: 0, outcome });
        Step::Consumed(asking.whole.length)
    }

    fn refuse(&mut self, asking: &Asking, words: &Words<'_>, out: &mut Outbox) -> Step {
        if let Text::Prepared(id) = asking.text {
            self.statements.forget_ahead(id);
        }
        self.notice.clear();
        let (number, outcome) = (asking.number, Outcome::Refused);
        let step = self.reply(words, asking.whole, out);
        out.events.push(Event::Finished { number, rows: 0, masked: 0, outcome });
        step
    }

    /// Lets an allowed command go to the target.
    fn accept(&mut self, asking: &Asking, bytes: &[u8], out: &mut Outbox) -> Result<Step, Error> {
        let Some(text) = self.text(bytes, asking) else {
            return Err(Error::Misbehaved {
                side: Side::Client,
                what: "the command that was asked about is not in hand",
            });
        };
        let tracked = self.capabilities.has(Capabilities::SESSION_TRACK);
        let target = Target { tracked, utf8_by_default: self.utf8_by_default };
        if asking.kind != CommandKind::Execute && unpins(text, target) {
            // ER_WRONG_VALUE_FOR_VAR
            return Ok(self.refuse(asking, &words(1231, b"42000", PINNED), out));
        }
        let runs = asking.kind != CommandKind::Prepare;
        let next = if tracked || !runs { None } else { uses(text) };
        let next = next.map(|name| name.map(String::from).unwrap_or_default());
        let nature = Nature::of(text);
        let next_results = if runs { Results::unconverted(text) } else { None };
        if asking.kind == CommandKind::Prepare {
            let text = String::from(text);
            if !self.statements.has_room(&text) {
                // ER_MAX_PREPARED_STMT_COUNT_REACHED
                let refusal = words(1461, b"42000", "too many prepared statements are kept in this session");
                return Ok(self.refuse(asking, &refusal, out));
            }
            self.preparing = text;
        }
        self.next_database = next;
        self.expect(Await::of(asking.command), asking.number, asking.whole);
        self.next_results = next_results;
        (self.answer.sets, self.answer.shows) = (nature.sets, nature.shows);
        self.transaction.begins = runs && nature.begins;
        self.transaction.fresh &= !(runs && nature.heavy);
        match asking.text {
            Text::Prepared(id) => Ok(self.run(id, asking.whole, bytes, out)),
            _ => Ok(Step::ToServer(Permitted(asking.whole.length))),
        }
    }

    /// Lets a prepared statement run: what was sent ahead goes first, with the types where the target lacks them (an
    /// earlier execution that brought them was refused).
    fn run(&mut self, id: u32, whole: Whole, bytes: &[u8], out: &mut Outbox) -> Step {
        self.answer.statement = id;
        self.answer.cursor = self.asks_cursor(whole, bytes);
        let attributed = self.capabilities.has(Capabilities::QUERY_ATTRIBUTES);
        let joined = core::mem::take(&mut self.joined);
        let payload = if whole.spread {
            joined.as_slice()
        } else {
            bytes.get(HEADER_BYTES..whole.length).unwrap_or_default()
        };
        let mut step = Step::ToServer(Permitted(whole.length));
        self.statements.close_cursor(id);
        if let Some(statement) = self.statements.find_mut(id) {
            for (parameter, value) in &statement.ahead {
                send_ahead(payload.get(1..5).unwrap_or_default(), *parameter, value, &mut out.server);
            }
            let execute = Execute::read(payload, statement.parameters, attributed);
            let types = &mut statement.types;
            if let (false, Ok(Execute { binds: false, flag: Some(flag), types: place, .. })) =
                (types.sent, &execute)
                && let (Some(head), Some(values)) = (payload.get(..*flag), payload.get(place.end..))
            {
                packets(&[head, &[1], &types.raw, values].concat(), &mut out.server);
                step = Step::Consumed(whole.length);
            }
            types.sent = true;
        }
        self.statements.forget_ahead(id);
        self.joined = joined;
        step
    }

    /// Whether a COM_STMT_EXECUTE asks for its rows by COM_STMT_FETCH: its flags, CURSOR_TYPE_*.
    fn asks_cursor(&self, whole: Whole, bytes: &[u8]) -> bool {
        const CURSORS: u8 = 0x07;
        let payload = self.payload(bytes, whole);
        payload.first() == Some(&command::EXECUTE) && payload.get(5).is_some_and(|flags| flags & CURSORS != 0)
    }

    /// Whether a command is under way at the target.
    pub(crate) fn is_busy(&self) -> bool {
        self.awaits != Await::Nothing
    }

    /// Rows of the answer under way that have been passed to the client and stand in no event yet.
    pub(crate) fn rows_under_way(&self) -> u64 {
        self.answer.rows
    }

    /// Ends what is under way: its event says that it was cut.
    pub(crate) fn cut(&mut self, out: &mut Outbox) {
        if self.is_busy() {
            self.finish(Outcome::Cut, out);
        }
    }

    /// The target has closed the connection: in its own words, where it has said why before.
    pub(crate) fn deserted(&self) -> Words<'static> {
        Words::of_ending(self.last_error).unwrap_or(Words::deserted())
    }

    /// The session ends for a reason of the gateway's: the client is told where a packet can begin, COM_QUIT goes to the
    /// target where one can be sent.
    pub(crate) fn give_up(&mut self, words: &Words<'_>, out: &mut Outbox) {
        if self.long.is_none() && !self.told && !self.leaving {
            let sequence = match &self.asking {
                Some(asking) => self.first_of(asking.whole),
                None if self.is_busy() && self.awaits != Await::Settings => {
                    self.sequence.wrapping_add(self.lead)
                }
                // Whatever the client sends next, it is answered by this.
                None => 1,
            };
            words.packet(&mut out.client, sequence);
        }
        // Behind a command that runs it would be read after that alone, and hide until then that nobody is there any more.
        if !self.leaving && !self.is_busy() {
            packet(&mut out.server, 0, |payload| payload.push(command::QUIT));
        }
        (self.leaving, self.report_at) = (true, None);
        self.cut(out);
    }
}

/// Of what a command was put together in, no more is kept for the next.
const JOINED_BYTES_KEPT: usize = 64 * 1024;

const UNKNOWN_STATEMENT: Words<'static> = Words {
    // ER_UNKNOWN_STMT_HANDLER
    number: 1243,
    state: b"HY000",
    text: alloc::borrow::Cow::Borrowed("no such prepared statement, or no cursor is open on it"),
};

/// Appends the packets of a command.
fn packets(payload: &[u8], out: &mut Vec<u8>) {
    let mut rest = payload;
    let mut sequence = 0_u8;
    loop {
        let (taken, behind) = rest.split_at(rest.len().min(PAYLOAD_BYTES_MAX));
        let length = (taken.len() as u32).to_le_bytes();
        out.extend_from_slice(length.get(..3).unwrap_or_default());
        out.push(sequence);
        out.extend_from_slice(taken);
        if taken.len() < PAYLOAD_BYTES_MAX {
            return;
        }
        rest = behind;
        sequence = sequence.wrapping_add(1);
    }
}

/// Appends a parameter's value that was sent ahead: in parts that any target takes.
fn send_ahead(statement: &[u8], parameter: u16, value: &[u8], out: &mut Vec<u8>) {
    const PART_BYTES: usize = 512 * 1024;
    let mut rest = value;
    loop {
        let (part, behind) = rest.split_at(rest.len().min(PART_BYTES));
        packet(out, 0, |payload| {
            payload.push(command::SEND_LONG_DATA);
            payload.extend_from_slice(statement);
            payload.extend_from_slice(&parameter.to_le_bytes());
            payload.extend_from_slice(part);
        });
        if behind.is_empty() {
            return;
        }
        rest = behind;
    }
}
