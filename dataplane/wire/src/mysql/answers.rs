//! The open session, from the target's side: every answer is read to its end, what it holds is masked, and what the
//! session's own books need is taken from it. Leaves out where values lie in a row (`rows.rs`).

use alloc::boxed::Box;
use alloc::string::String;

use scan::Format;

use super::capabilities::{
    Capabilities, STATUS_CURSOR_EXISTS, STATUS_IN_TRANSACTION, STATUS_MORE_RESULTS, STATUS_OUT_PARAMETERS,
};
use super::charset::Charset;
use super::column::{Column, mask_names};
use super::command;
use super::frame::{self, Frame, HEADER_BYTES, PAYLOAD_BYTES_MAX, missing, packet};
use super::long::Long;
use super::message::{Change, Done, Prepared, Report, each_change};
use super::nature::{Results, is_readable_mode, is_utf8};
use super::reply::Words;
use super::rows::mask_row;
use super::session::{Stand, Talk};
use super::settings::{Name, Settings, Taken};
use super::statements;
use super::value::{self, Class};
use super::whole::{Whole, report};
use crate::cursor::Cursor;
use crate::limits::{LARGE_BYTES, MYSQL_COLUMNS_MAX, SERVER_MESSAGE_BYTES_MAX};
use crate::origin::Treatment;
use crate::{Cleared, Error, Event, Origins, Outbox, Outcome, Side, Step, Watch};

/// What the target owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Await {
    Nothing,
    /// OK, EOF or an error.
    Plain,
    /// A text without any form.
    Words,
    /// OK, or rows, perhaps several times.
    Results {
        binary: bool,
    },
    /// Columns and their end.
    Fields,
    /// A statement's number, the columns of its parameters and its rows.
    Prepare,
    /// Rows of a cursor.
    Fetch,
    /// OK: the session is as new, without the gateway's settings.
    Reset,
    /// The answer to those settings, which the client never sees.
    Settings,
    /// The contents of a file: which nobody gives.
    File,
}

impl Await {
    /// What answers a command that was asked about.
    pub(super) fn of(byte: u8) -> Self {
        match byte {
            command::QUERY | command::PROCESS_INFO => Self::Results { binary: false },
            command::EXECUTE | command::BULK_EXECUTE => Self::Results { binary: true },
            command::PREPARE => Self::Prepare,
            command::FIELD_LIST => Self::Fields,
            command::STATISTICS => Self::Words,
            _ => Self::Plain,
        }
    }
}

/// Where in an answer the next packet is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Head,
    /// So many columns' definitions are due; whether rows follow them, and how many columns then (of a prepared
    /// statement's answer).
    Columns {
        left: usize,
        then: usize,
    },
    /// The EOF packet behind columns.
    ColumnsEnd {
        then: usize,
    },
    Rows,
}

/// The answer under way.
#[derive(Default)]
pub(super) struct Answer {
    /// Its command; 0: none that was asked about.
    pub(super) number: u64,
    pub(super) rows: u64,
    pub(super) masked: u64,
    pub(super) watch: Watch,
    /// The prepared statement that is run.
    pub(super) statement: u32,
    /// Its text sets variables alone.
    pub(super) sets: bool,
    /// Its text asks the server for itself alone.
    pub(super) shows: bool,
    stage: Stage,
    /// Told of.
    begun: bool,
    /// A column of an unknown relation has been told of.
    unknown: bool,
    /// The command has asked for a cursor. A cursor of a stored program leaves its flag on the results behind it too.
    pub(super) cursor: bool,
    /// The rows under way are OUT parameters: the procedure's own end is still to come, which their end does not say.
    outs: bool,
}

impl Answer {
    /// Of a command that goes to the target.
    pub(super) fn new(awaits: Await, number: u64) -> Self {
        // Of a cursor the target has told the columns already.
        let stage = if awaits == Await::Fetch { Stage::Rows } else { Stage::Head };
        Self { number, stage, ..Self::default() }
    }
}

/// What becomes of a packet of the target's.
enum Act {
    Pass,
    /// It goes nowhere.
    Drop,
    /// What stands before it goes first; then it is looked at again.
    Later,
}

/// What a packet, or the start of one, came to.
enum Progress {
    Pass(usize),
    Drop(usize),
    /// So much of it goes to the client, the rest in parts.
    Begin(usize),
    Later,
    Need(usize),
}

/// One call's circumstances.
struct Turn<'o> {
    out: &'o mut Outbox,
    /// What stands before the packet.
    at: usize,
    /// Something in hand looks like a card number.
    suspicious: bool,
}

fn misbehaved(what: &'static str) -> Error {
    Error::Misbehaved { side: Side::Server, what }
}

fn unsupported(what: &'static str) -> Error {
    Error::Unsupported { side: Side::Server, what }
}

fn malformed(what: &'static str) -> Error {
    Error::Malformed { side: Side::Server, offset: HEADER_BYTES, what }
}

impl Talk {
    /// Goes on with the target's bytes.
    pub(crate) fn server_step(&mut self, bytes: &mut [u8], out: &mut Outbox) -> Result<Step, Error> {
        if let Some(long) = &mut self.long {
            let step = long.step(&self.plan, &mut self.masker, bytes, &mut self.answer.masked)?;
            if let Some(sequence) = long.end() {
                self.sequence = sequence;
                self.long = None;
            }
            return Ok(step);
        }
        // Not a byte is scanned before a packet is there: a trickle must cost no more than a stream.
        if let Some(frame) = frame::peek(bytes)
            && frame.length() > bytes.len()
            && frame.payload <= LARGE_BYTES
        {
            return Ok(Step::Need(missing(bytes.len(), frame.length())));
        }
        let suspicious = self.known.look(&self.masker.scanner, bytes);
        let mut turn = Turn { out, at: 0, suspicious };
        let mut at = 0;
        let need = loop {
            at += self.clean_rows(bytes.get(at..).unwrap_or_default(), at);
            turn.at = at;
            let rest = bytes.get_mut(at..).unwrap_or_default();
            let have = rest.len();
            match self.server_packet(rest, &mut turn) {
                Ok(Progress::Pass(length)) => at += length,
                Ok(Progress::Drop(length)) => {
                    self.known.spend(length);
                    return Ok(Step::Consumed(length));
                }
                Ok(Progress::Begin(length)) => {
                    self.known = Default::default();
                    return Ok(Step::ToClient(Cleared(at + length)));
                }
                Ok(Progress::Need(length)) => break missing(have, length),
                Ok(Progress::Later) => break missing(0, 1),
                Err(_) if at > 0 => break missing(0, 1),
                Err(error) => return Err(error),
            }
        };
        if at == 0 {
            return Ok(Step::Need(need));
        }
        self.known.spend(at);
        Ok(Step::ToClient(Cleared(at)))
    }

    /// Takes the rows at the start of `rest` in which nothing has to be looked for: how many bytes they have. Whatever is
    /// no plain row of this kind is left to [`Talk::server_packet`].
    fn clean_rows(&mut self, rest: &[u8], at: usize) -> usize {
        // Those behind reports have to be numbered anew.
        if self.answer.stage != Stage::Rows || self.plan.hides() || self.lead > 0 || !self.is_busy() {
            return 0;
        }
        let clean = self.known.clean(&self.masker.scanner, rest, at);
        let clean = rest.get(..clean).unwrap_or(rest);
        let mut taken = 0;
        while let Some(packet) = clean.get(taken..)
            && let (Some(frame), Some(first)) = (frame::peek(packet), packet.get(HEADER_BYTES))
            && frame.sequence == self.sequence
            && (1..=LARGE_BYTES).contains(&frame.payload)
            && frame.length() <= packet.len()
            // Others may be the end of the rows, or an error.
            && *first < 0xfe
        {
            taken += frame.length();
            self.sequence = frame.sequence.wrapping_add(1);
            self.answer.rows += 1;
        }
        taken
    }

    /// Takes the packet at the start of `rest`.
    fn server_packet(&mut self, rest: &mut [u8], turn: &mut Turn<'_>) -> Result<Progress, Error> {
        let Some(frame) = frame::peek(rest) else { return Ok(Progress::Need(HEADER_BYTES)) };
        if self.is_busy() && frame.sequence != self.sequence {
            return Err(Error::Malformed { side: Side::Server, offset: 3, what: "a packet out of sequence" });
        }
        if frame.payload == 0 {
            return Err(malformed("an empty packet"));
        }
        let Some(&first) = rest.get(HEADER_BYTES) else { return Ok(Progress::Need(HEADER_BYTES + 1)) };
        let is_row = self.answer.stage == Stage::Rows && first != 0xff && !self.is_end(first, frame);
        if is_row && frame.payload > LARGE_BYTES {
            return Ok(self.begin_long(frame, rest, turn));
        }
        if frame.payload > SERVER_MESSAGE_BYTES_MAX {
            let most = SERVER_MESSAGE_BYTES_MAX;
            return Err(Error::TooLarge { side: Side::Server, what: "a packet that is no row", most });
        }
        let length = frame.length();
        if rest.len() < length {
            return Ok(Progress::Need(length));
        }
        let clean = if is_row { self.known.clean(&self.masker.scanner, rest, turn.at) } else { 0 };
        let payload = rest.get_mut(HEADER_BYTES..length).unwrap_or_default();
        self.sequence = frame.sequence.wrapping_add(1);
        let act = if is_row {
            self.row(payload, clean.saturating_sub(HEADER_BYTES))
        } else {
            self.other(first, payload, frame, turn)
        };
        match act {
            Ok(Act::Pass) if self.lead > 0 => {
                frame.renumber(rest, self.lead);
                return Ok(Progress::Pass(length));
            }
            Ok(Act::Pass) => return Ok(Progress::Pass(length)),
            Ok(Act::Drop) => return Ok(Progress::Drop(length)),
            _ => self.sequence = frame.sequence,
        }
        act.map(|_| Progress::Later)
    }

    /// Whether a packet that begins so ends rows or columns: a value that begins so takes 16 MiB.
    fn is_end(&self, first: u8, frame: Frame) -> bool {
        const EOF_BYTES_MAX: usize = 8;
        let deprecated = self.capabilities.has(Capabilities::DEPRECATE_EOF);
        first == 0xfe && frame.payload <= if deprecated { PAYLOAD_BYTES_MAX - 1 } else { EOF_BYTES_MAX }
    }

    /// Takes note that values of the command follow, if they are of one.
    fn answers(&mut self, turn: &mut Turn<'_>) {
        let number = self.answer.number;
        if number != 0 && !core::mem::replace(&mut self.answer.begun, true) {
            turn.out.events.push(Event::Answering { number });
        }
    }

    /// A row; no part of its first `clean` bytes looks like the start of a card number.
    fn row(&mut self, row: &mut [u8], clean: usize) -> Result<Act, Error> {
        if clean < row.len() || self.plan.hides() {
            self.answer.masked += mask_row(&self.plan, &mut self.masker, row, clean)? as u64;
        }
        self.answer.rows += 1;
        Ok(Act::Pass)
    }

    /// Begins to release a row that is longer than is kept in hand.
    fn begin_long(&mut self, frame: Frame, rest: &mut [u8], turn: &Turn<'_>) -> Progress {
        if turn.at > 0 {
            return Progress::Later;
        }
        self.answer.rows += 1;
        frame.renumber(rest, self.lead);
        self.long = Some(Box::new(Long::new(frame, self.lead)));
        Progress::Begin(HEADER_BYTES)
    }

    /// Any packet but a row.
    fn other(
        &mut self,
        first: u8,
        payload: &mut [u8],
        frame: Frame,
        turn: &mut Turn<'_>,
    ) -> Result<Act, Error> {
        if first == 0xff {
            return self.error(payload, turn);
        }
        self.answers(turn);
        let end = self.is_end(first, frame);
        match (self.awaits, self.answer.stage) {
            (Await::Nothing | Await::File, _) => Err(misbehaved("a packet that nothing asked for")),
            (Await::Words, _) => {
                self.answer.masked += self.masker.loose(payload) as u64;
                self.finish(Outcome::Done, turn.out);
                Ok(Act::Pass)
            }
            (Await::Settings, _) => self.take_settings(payload, turn),
            (Await::Plain | Await::Reset, _) if first == 0 || end => self.done(payload, true, turn),
            (Await::Plain | Await::Reset, _) => Err(misbehaved("rows where none are due")),
            (Await::Fetch, Stage::Head) => Err(misbehaved("rows of a cursor that is not open")),
            (Await::Prepare, Stage::Head) if first == 0 => self.prepared(payload, turn),
            (Await::Prepare, Stage::Head) => Err(misbehaved("no answer to a preparation")),
            (Await::Results { .. }, Stage::Head) if first == 0 => self.done(payload, true, turn),
            (Await::Results { .. }, Stage::Head) if first == 0xfb => {
                self.awaits = Await::File;
                Err(unsupported("LOAD DATA LOCAL: the gateway sends no files"))
            }
            (Await::Results { binary }, Stage::Head) => self.begin_columns(payload, binary),
            (Await::Fields, Stage::Head) if end => self.done(payload, false, turn),
            (Await::Fields, _) => self.column(payload, 2, 0, turn),
            (_, Stage::Columns { left, then }) => self.column(payload, left, then, turn),
            (_, Stage::ColumnsEnd { then }) if end => self.columns_end(payload, then, turn),
            (_, Stage::ColumnsEnd { .. }) => Err(misbehaved("columns without an end")),
            (_, Stage::Rows) => self.done(payload, false, turn),
        }
    }

    fn begin_columns(&mut self, payload: &[u8], binary: bool) -> Result<Act, Error> {
        let mut cursor = Cursor::new(Side::Server, payload);
        let count = frame::read_integer(&mut cursor, "no count of columns")?;
        cursor.end("bytes behind the count of columns")?;
        let left = usize::try_from(count).ok().filter(|count| *count <= MYSQL_COLUMNS_MAX);
        let most = MYSQL_COLUMNS_MAX;
        let left = left.ok_or(Error::TooLarge { side: Side::Server, what: "columns of a row", most })?;
        self.plan.begin(binary);
        self.answer.stage = Stage::Columns { left, then: 0 };
        Ok(Act::Pass)
    }

    /// A column's definition.
    fn column(
        &mut self,
        payload: &mut [u8],
        left: usize,
        then: usize,
        turn: &mut Turn<'_>,
    ) -> Result<Act, Error> {
        let extended = self.capabilities.has(Capabilities::MARIADB_EXTENDED_METADATA);
        let listed = self.awaits == Await::Fields;
        let column = Column::read(payload, extended, listed)?;
        if matches!(self.awaits, Await::Results { .. }) {
            let watch = self.answer.watch;
            let untold = self.is_untold(&column)?;
            let mut whole = None;
            if watch.labels {
                let origins = self.origins.as_deref();
                let unknown =
                    origins.is_some_and(|origins| !origins.knows_named(watch, column.database, column.table));
                if unknown && !core::mem::replace(&mut self.answer.unknown, true) {
                    turn.out.events.push(Event::UnknownOrigin);
                }
                whole = hidden(origins, watch, self.masker.format, &column)
                    .map(|format| Whole::of(&column, format));
            }
            self.plan.push(&column, whole, untold);
        }
        if turn.suspicious {
            self.answer.masked += mask_names(&self.masker, payload, listed) as u64;
        }
        if left == 1 {
            self.end_columns(then);
        } else if !listed {
            self.answer.stage = Stage::Columns { left: left - 1, then };
        }
        if self.answer.stage == Stage::Head && self.awaits == Await::Prepare {
            self.finish(Outcome::Done, turn.out);
        }
        Ok(Act::Pass)
    }

    /// Whether the characters of a column are not told; an error where they cannot be read.
    fn is_untold(&self, column: &Column<'_>) -> Result<bool, Error> {
        // Those of its tables are UTF-8.
        const OWN_DATABASE: &[u8] = b"information_schema";
        let charset = column.charset();
        if charset == Charset::Wide || charset == Charset::Foreign && column.is_string() {
            return Err(unsupported("a column of characters that cannot be read unconverted"));
        }
        let untold = self.results == Results::Untold && charset == Charset::Binary && column.is_string();
        if untold && !self.answer.shows && !column.database.eq_ignore_ascii_case(OWN_DATABASE) {
            return Err(unsupported(
                "text whose characters are not told, while character_set_results is binary",
            ));
        }
        Ok(untold)
    }

    /// The last of some columns has come.
    fn end_columns(&mut self, then: usize) {
        if !self.capabilities.has(Capabilities::DEPRECATE_EOF) {
            self.answer.stage = Stage::ColumnsEnd { then };
        } else {
            self.after_columns(then);
        }
    }

    fn after_columns(&mut self, then: usize) {
        self.answer.stage = match self.awaits {
            Await::Prepare if then > 0 => Stage::Columns { left: then, then: 0 },
            Await::Prepare => Stage::Head,
            _ => Stage::Rows,
        };
    }

    /// The EOF packet behind columns.
    fn columns_end(&mut self, payload: &[u8], then: usize, turn: &mut Turn<'_>) -> Result<Act, Error> {
        let done = Done::read(payload, self.capabilities)?;
        if self.opens_cursor(&done) {
            self.open_cursor();
            self.end(&done, turn);
            return Ok(Act::Pass);
        }
        let outs = STATUS_OUT_PARAMETERS | STATUS_MORE_RESULTS;
        self.answer.outs = done.status & outs == outs;
        self.after_columns(then);
        if self.awaits == Await::Prepare && self.answer.stage == Stage::Head {
            self.finish(Outcome::Done, turn.out);
        }
        Ok(Act::Pass)
    }

    /// Whether the rows stay at the target, to be fetched.
    fn opens_cursor(&self, done: &Done) -> bool {
        self.awaits == (Await::Results { binary: true })
            && self.answer.cursor
            && done.status & (STATUS_CURSOR_EXISTS | STATUS_MORE_RESULTS) == STATUS_CURSOR_EXISTS
    }

    /// Keeps for COM_STMT_FETCH how the rows are read.
    fn open_cursor(&mut self) {
        let cursor = statements::Cursor {
            plan: self.plan.clone(),
            number: self.answer.number,
            watch: self.answer.watch,
            results: self.results,
        };
        self.statements.open_cursor(self.answer.statement, cursor);
    }

    fn prepared(&mut self, payload: &[u8], turn: &mut Turn<'_>) -> Result<Act, Error> {
        let Prepared { id, columns, parameters } = Prepared::read(payload)?;
        let text = core::mem::take(&mut self.preparing);
        self.statements.insert(id, text, parameters);
        let (parameters, columns) = (usize::from(parameters), usize::from(columns));
        match (parameters, columns) {
            (0, 0) => self.finish(Outcome::Done, turn.out),
            (0, left) => self.answer.stage = Stage::Columns { left, then: 0 },
            (left, then) => self.answer.stage = Stage::Columns { left, then },
        }
        Ok(Act::Pass)
    }

    /// An OK packet, or what ends rows.
    fn done(&mut self, payload: &mut [u8], counts: bool, turn: &mut Turn<'_>) -> Result<Act, Error> {
        let done = Done::read(payload, self.capabilities)?;
        let outs = self.answer.stage == Stage::Rows && core::mem::take(&mut self.answer.outs);
        let more =
            (outs || done.status & STATUS_MORE_RESULTS != 0) && matches!(self.awaits, Await::Results { .. });
        // EOF has no room for words.
        let speaks = payload.first() == Some(&0) || self.capabilities.has(Capabilities::DEPRECATE_EOF);
        let speaks = !more && speaks && !self.notice.is_empty();
        let hushed =
            self.capabilities.has(Capabilities::SESSION_TRACK) && !self.tracks && done.tells(payload);
        let retold = speaks || hushed;
        if (retold || self.awaits == Await::Reset) && turn.at > 0 {
            return Ok(Act::Later);
        }
        self.take_changes(payload, &done)?;
        let inserted = payload.get_mut(done.inserted.clone()).unwrap_or_default();
        if self.answer.watch.labels && self.answer.watch.computed {
            inserted.fill(0);
        } else if inserted.len() == 8 {
            self.answer.masked += value::mask(&mut self.masker, Class::Unsigned, inserted) as u64;
        }
        if turn.suspicious {
            let words = payload.get_mut(done.words.clone()).unwrap_or_default();
            self.answer.masked += self.masker.text(words) as u64;
        }
        if counts {
            self.answer.rows += done.rows;
        }
        match self.awaits {
            Await::Reset => {
                self.settle_reset(payload, &done, turn);
                return Ok(Act::Drop);
            }
            Await::Results { .. } if self.answer.stage == Stage::Rows && self.opens_cursor(&done) => {
                self.open_cursor();
            }
            _ => {}
        }
        let (sequence, tracks) = (self.sequence.wrapping_sub(1).wrapping_add(self.lead), self.tracks);
        let notice = if more { String::new() } else { core::mem::take(&mut self.notice) };
        if more {
            self.answer.stage = Stage::Head;
        } else {
            self.end(&done, turn);
        }
        if !retold {
            return Ok(Act::Pass);
        }
        packet(&mut turn.out.client, sequence, |out| done.retell(payload, &notice, tracks, out));
        Ok(Act::Drop)
    }

    /// The session is as new: the gateway's settings come before anything else.
    fn settle_reset(&mut self, payload: &[u8], done: &Done, turn: &mut Turn<'_>) {
        self.reset.clear();
        let (sequence, tracks) = (self.sequence.wrapping_sub(1), self.tracks);
        packet(&mut self.reset, sequence, |out| done.retell(payload, "", tracks, out));
        self.statements.clear();
        self.awaits = Await::Settings;
        let settings = Settings::begin(Name::default(), self.capabilities, &mut turn.out.server);
        self.settings = Some(Box::new(settings));
        self.sequence = 1;
    }

    /// The answer to the gateway's settings: once they are made, the client hears that the session is as new.
    fn take_settings(&mut self, payload: &[u8], turn: &mut Turn<'_>) -> Result<Act, Error> {
        if turn.at > 0 {
            return Ok(Act::Later);
        }
        let Some(settings) = &mut self.settings else { return Err(misbehaved("settings that nobody made")) };
        match settings.take(payload, &mut turn.out.server)? {
            Taken::More => {}
            Taken::Asked => self.sequence = 1,
            Taken::Done(_) => {
                self.utf8_by_default = settings.utf8_by_default();
                self.settings = None;
                turn.out.client.append(&mut self.reset);
                self.transaction = Stand::default();
                self.results = Results::Utf8;
                self.finish(Outcome::Done, turn.out);
            }
        }
        Ok(Act::Drop)
    }

    /// The answer has ended well.
    fn end(&mut self, done: &Done, turn: &mut Turn<'_>) {
        self.last_error = 0;
        let open = done.status & STATUS_IN_TRANSACTION != 0;
        let begins = core::mem::take(&mut self.transaction.begins);
        self.transaction.fresh = open && (begins || self.transaction.open && self.transaction.fresh);
        self.transaction.open = open;
        if let Some(database) = self.next_database.take() {
            self.database = database;
        }
        self.results = self.next_results.take().unwrap_or(self.results);
        self.finish(Outcome::Done, turn.out);
    }

    /// The answer has ended.
    pub(super) fn finish(&mut self, outcome: Outcome, out: &mut Outbox) {
        let Answer { number, rows, masked, .. } = core::mem::take(&mut self.answer);
        if number != 0 {
            out.events.push(Event::Finished { number, rows, masked, outcome });
        } else if masked > 0 {
            out.events.push(Event::Masked(masked));
        }
        self.awaits = Await::Nothing;
        if self.next_database.take().is_some() {
            // It has failed somewhere: the default database is the old one or the new.
            self.database.clear();
        }
        self.next_results = None;
        self.transaction.begins = false;
        self.notice.clear();
    }

    /// Takes note of what an OK packet tells of the session; masks it.
    fn take_changes(&mut self, payload: &mut [u8], done: &Done) -> Result<(), Error> {
        let bytes = payload.get_mut(done.changes.clone()).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        let (mut sound, mut hides) = (true, alloc::vec::Vec::new());
        let mut results = None;
        each_change(&*bytes, |change| match change {
            Change::Variable { name, value } => {
                let text = |range: &core::ops::Range<usize>| {
                    bytes.get(range.clone()).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or("?")
                };
                match text(&name) {
                    "character_set_results" => results = Some(Results::told(text(&value))),
                    name => sound &= is_kept(name, text(&value)),
                }
                hides.push((true, value));
            }
            Change::Database(place) => {
                let name = bytes
                    .get(place.clone())
                    .and_then(|name| core::str::from_utf8(name).ok())
                    .unwrap_or_default();
                if self.database != name {
                    self.database = String::from(name);
                }
                hides.push((true, place));
            }
            Change::Other(data) => hides.push((false, data)),
        })?;
        if let Some(told) = results {
            sound &= told.is_some_and(|told| told == Results::Utf8 || self.next_results == Some(told));
            if told == Some(Results::Utf8) && self.answer.sets {
                self.results = Results::Utf8;
            }
        }
        if !sound && self.awaits != Await::Reset {
            return Err(unsupported("the session's settings have come to change how texts are read"));
        }
        for (is_value, range) in hides {
            let Some(value) = bytes.get_mut(range) else { continue };
            if self.spilled && is_value {
                self.answer.masked += u64::from(self.masker.scanner.mask_whole(value, Format::Full));
            }
            self.answer.masked += self.masker.text(value) as u64;
        }
        Ok(())
    }

    fn error(&mut self, payload: &mut [u8], turn: &mut Turn<'_>) -> Result<Act, Error> {
        let read = Report::read(payload)?;
        let words = payload.get_mut(read.words..).unwrap_or_default();
        if self.awaits == Await::Nothing {
            // It ends the session (idle for too long, shutdown). Its words answer nothing: nobody knows what is in them.
            if turn.at > 0 {
                return Ok(Act::Later);
            }
            self.told = true;
            let text = "the target ends the session".into();
            let ending = Words { number: read.number, state: b"08S01", text };
            let ending = Words::of_ending(read.number).unwrap_or(ending);
            ending.packet(&mut turn.out.client, self.sequence.wrapping_sub(1));
            return Ok(Act::Drop);
        }
        if self.awaits == Await::Settings {
            return Err(Error::Refused { side: Side::Server, code: read.code() });
        }
        self.answers(turn);
        let masked = report(self.answer.watch, read.number, words) + self.masker.text(words);
        self.answer.masked += masked as u64 + self.masker.misread(words) as u64;
        if read.number == Report::PROGRESS {
            return match self.capabilities.has(Capabilities::MARIADB_PROGRESS) {
                true => Ok(Act::Pass),
                false => Err(misbehaved("a progress report that was not agreed on")),
            };
        }
        if self.awaits == Await::Prepare {
            self.preparing.clear();
        }
        self.finish(Outcome::Failed(read.code()), turn.out);
        self.last_error = read.number;
        Ok(Act::Pass)
    }
}

/// Whether a variable that the target tells of leaves texts to be read as they are.
fn is_kept(name: &str, value: &str) -> bool {
    match name {
        "sql_mode" => is_readable_mode(value),
        "character_set_client" | "character_set_connection" | "collation_connection" => is_utf8(value),
        _ => true,
    }
}

/// How the cells of a column are masked whatever they hold, if they are.
fn hidden(origins: Option<&Origins>, watch: Watch, format: Format, column: &Column<'_>) -> Option<Format> {
    let treatment = match origins {
        Some(origins) => origins.treatment_named(watch, column.database, column.table, column.name),
        None => Treatment::Hide,
    };
    match treatment {
        Treatment::Scan => None,
        Treatment::Label => Some(format),
        Treatment::Hide => Some(Format::Full),
    }
}
