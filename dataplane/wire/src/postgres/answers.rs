//! The open session, from the target's side: every answer is given to the message that it answers, what it holds is
//! masked, and what was refused is told in the gateway's words. Leaves out where values lie in a row (`rows.rs`).

use alloc::boxed::Box;

use memchr::memmem;
use scan::Format;

use super::back::{Back, Stand};
use super::copy::{CopyOut, CopyParts};
use super::frame::{self, Frame, HEADER_BYTES, missing};
use super::long::Long;
use super::message::{Report, read_copy, read_text, rows_of_tag};
use super::pending::{Copying, Expect, Status};
use super::reply::FAILING_CODE;
use super::rows::{Column, mask_names, mask_row, read_columns};
use super::session::{ClientCopy, MASKED_BACK, MASKED_HINT, Talk, reply_of};
use super::statements::State;
use super::value::Class;
use crate::cursor::Cursor;
use crate::known::Known;
use crate::limits::{LARGE_BYTES, SERVER_MESSAGE_BYTES_MAX};
use crate::origin::Treatment;
use crate::{Cleared, Error, Event, Origins, Outbox, Outcome, Side, Step, Watch};

/// The messages of an open session.
const TAGS: &[u8] = b"DCZT12ENSAItns3GHdc";

/// A message to the client of which a part has been released.
pub(super) enum Parts {
    Row(Long),
    Copy(CopyParts),
}

/// What becomes of a message of the target's.
#[derive(PartialEq, Eq)]
enum Act {
    Pass,
    /// It goes nowhere.
    Drop,
    /// What stands before it goes first; then it is looked at again.
    Later,
}

/// One call's circumstances.
struct Turn<'o> {
    out: &'o mut Outbox,
    /// What stands before the message.
    at: usize,
    /// Something in hand looks like a card number.
    suspicious: bool,
    /// `\x`, or a number with an exponent, stands in what is in hand.
    odd: bool,
    /// Values of the command being answered have been passed in this call.
    spoken: bool,
}

fn misbehaved(what: &'static str) -> Error {
    Error::Misbehaved { side: Side::Server, what }
}

fn unsupported(what: &'static str) -> Error {
    Error::Unsupported { side: Side::Server, what }
}

impl Talk {
    /// Goes on with the target's bytes.
    pub(crate) fn server_step(&mut self, bytes: &mut [u8], out: &mut Outbox) -> Result<Step, Error> {
        if let Some(parts) = &mut self.parts {
            let answer = &mut self.pending.answer;
            let (step, done) = match (parts, &mut self.copy_out) {
                (Parts::Row(long), _) => {
                    (long.step(&self.plan, &mut self.masker, bytes, &mut answer.masked)?, long.is_done())
                }
                (Parts::Copy(parts), Some(copy)) => {
                    let step = parts.step(copy, &mut self.masker, bytes, &mut answer.masked)?;
                    answer.count(copy.take_rows());
                    (step, parts.is_done())
                }
                (Parts::Copy(_), None) => return Err(misbehaved("COPY data that nothing asked for")),
            };
            if done {
                self.parts = None;
            }
            return Ok(step);
        }
        out.client.append(&mut self.notice);
        // Not a byte is scanned before a message is there: a trickle must cost no more than a stream.
        if let Some(frame) = frame::peek(Side::Server, bytes)?
            && frame.length > bytes.len()
            && TAGS.contains(&frame.tag)
            && frame.length
                <= if matches!(frame.tag, b'D' | b'd') { LARGE_BYTES } else { SERVER_MESSAGE_BYTES_MAX }
        {
            return Ok(Step::Need(missing(bytes.len(), frame.length)));
        }
        let suspicious = self.known.look(&self.masker.scanner, bytes);
        let mut turn = Turn { out, at: 0, suspicious, odd: false, spoken: false };
        let mut at = 0;
        let need = loop {
            turn.at = at;
            let rest = bytes.get_mut(at..).unwrap_or_default();
            let (have, tag) = (rest.len(), rest.first().copied().unwrap_or_default());
            match self.server_frame(rest, &mut turn) {
                Ok(Progress::Pass(length)) => {
                    at += length;
                    at += self.clean_rows(tag, bytes.get(at..).unwrap_or_default(), at, &turn);
                }
                Ok(Progress::Drop(length)) => {
                    self.known.spend(length);
                    return Ok(Step::Consumed(length));
                }
                Ok(Progress::Begin(length)) => {
                    self.known = Known::default();
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

    /// Takes the rows at the start of `rest` in which nothing has to be looked for, and which follow one of the same
    /// `tag`: how many bytes they have. Whatever is no plain row of this kind is left to [`Talk::server_frame`].
    fn clean_rows(&mut self, tag: u8, rest: &[u8], at: usize, turn: &Turn<'_>) -> usize {
        let copying = match (tag, &self.copy_out) {
            (b'D', _) if !self.plan.hides() => None,
            (b'd', Some(copy)) if !turn.odd => Some(copy),
            _ => return 0,
        };
        let clean = self.known.clean(&self.masker.scanner, rest, at);
        let clean = rest.get(..clean).unwrap_or(rest);
        let (mut taken, mut rows) = (0, 0);
        while let Some(from) = clean.get(taken..)
            && let Ok(Some(frame)) = frame::peek(Side::Server, from)
            && frame.tag == tag
            && frame.length <= LARGE_BYTES
            && let Some(data) = from.get(HEADER_BYTES..frame.length)
            && copying.is_none_or(|copy| copy.is_plain(data))
        {
            taken += frame.length;
            rows += 1;
        }
        self.pending.answer.count(rows);
        taken
    }

    /// Takes the message at the start of `rest`.
    fn server_frame(&mut self, rest: &mut [u8], turn: &mut Turn<'_>) -> Result<Progress, Error> {
        let Some(frame) = frame::peek(Side::Server, rest)? else { return Ok(Progress::Need(HEADER_BYTES)) };
        if !TAGS.contains(&frame.tag) {
            return Err(match frame.tag {
                b'W' => unsupported("COPY in both directions"),
                _ => misbehaved("a message that belongs to no open session"),
            });
        }
        if frame.length > LARGE_BYTES {
            if matches!(frame.tag, b'D' | b'd') {
                return self.begin_parts(frame, rest, turn);
            }
            if frame.length > SERVER_MESSAGE_BYTES_MAX {
                let most = SERVER_MESSAGE_BYTES_MAX;
                return Err(Error::TooLarge { side: Side::Server, what: "a message that is no row", most });
            }
        }
        if frame.tag == b'd' && !turn.odd {
            let holds = |marks: &[u8]| memmem::find(rest, marks).is_some();
            turn.odd = *self.known.odd.get_or_insert_with(|| holds(b"\\x") || holds(b"e+1"));
        }
        if rest.len() < frame.length {
            return Ok(Progress::Need(frame.length));
        }
        let rows = matches!(frame.tag, b'D' | b'd');
        let clean = if rows { self.known.clean(&self.masker.scanner, rest, turn.at) } else { 0 };
        let message = rest.get_mut(..frame.length).unwrap_or_default();
        let act = match frame.tag {
            b'D' => self.row(message, clean, turn)?,
            b'd' => return self.copy_data(message, clean < frame.length, turn),
            b'C' => self.complete(message, turn)?,
            b'Z' => self.ready(message, turn)?,
            b'T' => self.description(message, turn)?,
            b'E' => self.error(message, turn)?,
            b'N' | b'A' | b'S' => self.asynchronous(frame.tag, message, turn)?,
            b't' => self.parameters(message)?,
            b'G' | b'H' => self.begin_copy(frame.tag, message, turn)?,
            tag => self.acknowledgement(tag, frame, turn)?,
        };
        Ok(match act {
            Act::Pass => Progress::Pass(frame.length),
            Act::Drop => Progress::Drop(frame.length),
            Act::Later => Progress::Later,
        })
    }

    /// Takes note that values of the first entry's command follow; `false`: not in this call.
    fn answers(&mut self, turn: &mut Turn<'_>) -> bool {
        let number = self.pending.front().map_or(0, Expect::number);
        if number != self.answering {
            if turn.spoken {
                return false;
            }
            self.answering = number;
            turn.out.events.push(Event::Answering { number });
        }
        turn.spoken = true;
        true
    }

    /// How strictly what the target says now is treated: what is put off to a transaction's end (a constraint's check)
    /// speaks of values of its earlier commands.
    fn watch(&self) -> Watch {
        let watch = self.pending.front().map(Expect::watch).unwrap_or_default();
        let parsing = matches!(self.pending.front(), Some(Expect::Parse { .. }));
        if self.touched && !parsing && !watch.computed {
            return Watch { labels: true, computed: true, ..watch };
        }
        watch
    }

    /// Whether a row may come now; makes the plan by which it is read.
    fn plan_row(&mut self, row: &[u8]) -> Result<(), Error> {
        match self.pending.front() {
            Some(Expect::Query { .. }) if self.pending.answer.described => Ok(()),
            Some(Expect::Execute { .. }) if self.plan.is_ready() => Ok(()),
            Some(Expect::Execute { statement, formats, watch, .. }) => {
                let (origins, format) = (self.origins.as_deref(), self.masker.format);
                let hidden = |column: Option<&Column>| hidden(origins, *watch, format, column);
                self.plan.bind(statement.columns.borrow().known(), formats, row, hidden);
                Ok(())
            }
            _ => Err(misbehaved("a row that nothing asked for")),
        }
    }

    /// A row; no part of its first `clean` bytes looks like the start of a card number.
    fn row(&mut self, row: &mut [u8], clean: usize, turn: &mut Turn<'_>) -> Result<Act, Error> {
        self.plan_row(row)?;
        if !self.answers(turn) {
            return Ok(Act::Later);
        }
        if clean < row.len() || self.plan.hides() {
            self.pending.answer.masked += mask_row(&self.plan, &mut self.masker, row, clean)? as u64;
        }
        self.pending.answer.count(1);
        Ok(Act::Pass)
    }

    fn copy_data(&mut self, message: &mut [u8], dirty: bool, turn: &mut Turn<'_>) -> Result<Progress, Error> {
        if self.copy_out.is_none() {
            return Err(misbehaved("COPY data that nothing asked for"));
        }
        if !self.answers(turn) {
            return Ok(Progress::Later);
        }
        let Some(copy) = &mut self.copy_out else { return Ok(Progress::Later) };
        let length = message.len();
        let data = message.get_mut(HEADER_BYTES..).unwrap_or_default();
        let released = if copy.is_plain(data) && !turn.odd && !dirty {
            copy.count_row();
            data.len()
        } else {
            let part = copy.part(&mut self.masker, data, true, false)?;
            self.pending.answer.masked += part.masked as u64;
            part.released
        };
        self.pending.answer.count(copy.take_rows());
        if released == data.len() {
            return Ok(Progress::Pass(length));
        }
        self.parts = Some(Parts::Copy(CopyParts::new(data.len() - released)));
        Ok(Progress::Begin(HEADER_BYTES + released))
    }

    /// Begins to release a message that is longer than is kept in hand.
    fn begin_parts(&mut self, frame: Frame, rest: &[u8], turn: &mut Turn<'_>) -> Result<Progress, Error> {
        if turn.at > 0 {
            return Ok(Progress::Later);
        }
        let head = if frame.tag == b'D' { HEADER_BYTES + 2 } else { HEADER_BYTES };
        if rest.len() < head {
            return Ok(Progress::Need(head));
        }
        let parts = if frame.tag == b'D' {
            self.plan_row(rest)?;
            self.pending.answer.count(1);
            Parts::Row(Long::row(&self.plan, rest, frame.length)?)
        } else if self.copy_out.is_some() {
            Parts::Copy(CopyParts::new(frame.length - HEADER_BYTES))
        } else {
            return Err(misbehaved("COPY data that nothing asked for"));
        };
        self.answers(turn);
        self.parts = Some(parts);
        Ok(Progress::Begin(head))
    }

    fn complete(&mut self, message: &mut [u8], turn: &mut Turn<'_>) -> Result<Act, Error> {
        let body = message.get_mut(HEADER_BYTES..).unwrap_or_default();
        let rows = rows_of_tag(read_text(Side::Server, body)?);
        let is_query = match self.pending.front() {
            Some(Expect::Query { .. }) => true,
            Some(Expect::Execute { .. }) => false,
            _ => return Err(misbehaved("the end of a command that was not given")),
        };
        if !self.answers(turn) {
            return Ok(Act::Later);
        }
        if turn.suspicious {
            self.pending.answer.masked += self.masker.text(body) as u64;
        }
        let answer = &mut self.pending.answer;
        if core::mem::take(&mut answer.rows_here) == 0 {
            answer.rows += rows;
        }
        (answer.described, answer.copying) = (false, Copying::No);
        self.copy_out = None;
        self.plan.reset();
        if !is_query {
            self.answering = 0;
            self.pending.pop(turn.out);
        }
        Ok(Act::Pass)
    }

    fn ready(&mut self, message: &[u8], turn: &mut Turn<'_>) -> Result<Act, Error> {
        let status = match message.get(HEADER_BYTES..) {
            Some(b"I") => Status::Idle,
            Some(b"T") => Status::Open,
            Some(b"E") => Status::Failed,
            _ => {
                return Err(Error::Malformed {
                    side: Side::Server,
                    offset: HEADER_BYTES,
                    what: "no transaction status",
                });
            }
        };
        let batch = match self.pending.front() {
            Some(
                Expect::Query { batch, .. } | Expect::RefusedQuery { batch, .. } | Expect::Sync { batch },
            ) => *batch,
            _ => return Err(misbehaved("ready before everything is answered")),
        };
        self.answering = 0;
        self.pending.pop(turn.out);
        self.pending.ready(status);
        self.plan.reset();
        if self.copy == ClientCopy::In {
            self.copy = ClientCopy::Over;
        }
        if status == Status::Idle {
            self.portals.end(batch);
            self.end_transaction();
        }
        Ok(Act::Pass)
    }

    fn description(&mut self, message: &mut [u8], turn: &mut Turn<'_>) -> Result<Act, Error> {
        let body = message.get_mut(HEADER_BYTES..).unwrap_or_default();
        read_columns(body, &mut self.columns)?;
        self.look_for_unknown(turn);
        match self.pending.front() {
            Some(Expect::Query { .. }) => {
                if !self.answers(turn) {
                    return Ok(Act::Later);
                }
                let (origins, format) = (self.origins.as_deref(), self.masker.format);
                let watch = self.pending.front().map(Expect::watch).unwrap_or_default();
                self.plan.describe(&self.columns, |column| hidden(origins, watch, format, Some(column)));
                self.pending.answer.described = true;
                self.pending.answer.rows_here = 0;
            }
            Some(Expect::DescribeStatement { .. }) if !self.pending.answer.described => {
                return Err(misbehaved("a statement's rows described before its parameters"));
            }
            Some(Expect::Learn { .. }) if turn.at > 0 => return Ok(Act::Later),
            Some(
                Expect::DescribeStatement { statement, generation }
                | Expect::DescribePortal { statement, generation }
                | Expect::Learn { statement, generation },
            ) => {
                let act = if matches!(self.pending.front(), Some(Expect::Learn { .. })) {
                    Act::Drop
                } else {
                    Act::Pass
                };
                let mut columns = statement.columns.borrow_mut();
                // What the gateway asked for itself is of a portal, whose plan may be older than the names now are.
                if act == Act::Drop || !columns.is_current(*generation) || !statement.nature.stable {
                    columns.learn(&self.columns, *generation);
                }
                drop(columns);
                self.answering = 0;
                self.pending.pop(turn.out);
                if act == Act::Drop {
                    return Ok(act);
                }
            }
            Some(Expect::DescribeCursor) => {
                self.pending.pop(turn.out);
            }
            _ => return Err(misbehaved("a description that nothing asked for")),
        }
        if turn.suspicious {
            let masked = mask_names(&self.masker, message) as u64;
            self.count_masked(masked, turn);
        }
        Ok(Act::Pass)
    }

    /// Tells of a column whose origin the facts do not know.
    fn look_for_unknown(&self, turn: &mut Turn<'_>) {
        let knows = |origins: &Origins| {
            self.columns.iter().all(|column| origins.knows(column.table, column.attribute))
        };
        if self.origins.as_deref().is_some_and(|origins| !knows(origins)) {
            turn.out.events.push(Event::UnknownOrigin);
        }
    }

    fn parameters(&mut self, message: &[u8]) -> Result<Act, Error> {
        let mut cursor = Cursor::new(Side::Server, message.get(HEADER_BYTES..).unwrap_or_default());
        let count = usize::from(cursor.u16("ParameterDescription: no count")?);
        cursor.take(count * 4, "ParameterDescription: types are missing")?;
        cursor.end("ParameterDescription: bytes after the types")?;
        match self.pending.front() {
            Some(Expect::DescribeStatement { .. }) if !self.pending.answer.described => {
                self.pending.answer.described = true;
                Ok(Act::Pass)
            }
            _ => Err(misbehaved("a description of parameters that nothing asked for")),
        }
    }

    fn error(&mut self, message: &mut [u8], turn: &mut Turn<'_>) -> Result<Act, Error> {
        let body = message.get_mut(HEADER_BYTES..).unwrap_or_default();
        let report = Report::read(body)?;
        let reply = match self.pending.front() {
            Some(Expect::RefusedQuery { reply, .. } | Expect::Refused { reply, .. })
                if report.sqlstate == FAILING_CODE && !report.fatal =>
            {
                Some(reply)
            }
            _ => None,
        };
        let written_back = self.back.stand == Stand::Failed && !report.fatal;
        let back;
        let reply = if written_back {
            back = reply_of(b"22023", MASKED_BACK, MASKED_HINT);
            Some(&back)
        } else {
            reply
        };
        let replaced = reply.is_some();
        if let Some(reply) = reply {
            if turn.at > 0 {
                return Ok(Act::Later);
            }
            turn.out.client.extend_from_slice(reply);
            self.back = Back::default();
        } else {
            if !self.answers(turn) {
                return Ok(Act::Later);
            }
            let words = self.masker.report(self.watch(), body);
            let masked = (words + self.masker.mask(Class::Mixed, body)) as u64;
            self.count_masked(masked, turn);
        }
        self.told |= report.fatal;
        if self.copy == ClientCopy::In {
            self.copy = ClientCopy::Over;
        }
        self.plan.reset();
        let outcome = if replaced { Outcome::Refused } else { Outcome::Failed(report.sqlstate) };
        let answer = &mut self.pending.answer;
        (answer.described, answer.copying) = (false, Copying::No);
        self.copy_out = None;
        match self.pending.front() {
            Some(Expect::RefusedQuery { .. } | Expect::Query { .. }) => {
                self.pending.answer.outcome = Some(outcome)
            }
            None | Some(Expect::Sync { .. }) => {}
            Some(_) => self.skipping |= !self.pending.skip(outcome, &mut self.portals, turn.out),
        }
        Ok(if replaced { Act::Drop } else { Act::Pass })
    }

    /// Counts for the first entry's command, or for none.
    fn count_masked(&mut self, masked: u64, turn: &mut Turn<'_>) {
        if masked == 0 {
            return;
        }
        if self.pending.front().is_some_and(|entry| entry.number() != 0) {
            self.pending.answer.masked += masked;
        } else {
            turn.out.events.push(Event::Masked(masked));
        }
    }

    fn asynchronous(&mut self, tag: u8, message: &mut [u8], turn: &mut Turn<'_>) -> Result<Act, Error> {
        let start = HEADER_BYTES + if tag == b'A' { 4 } else { 0 };
        let mut body = message.get_mut(HEADER_BYTES..).unwrap_or_default();
        match tag {
            b'N' => {
                Report::read(body)?;
                let words = self.masker.report(self.watch(), body) as u64;
                self.count_masked(words, turn);
            }
            b'S' => {
                if !self.backend.settings.report(body)? {
                    return Ok(if turn.at == 0 { Act::Drop } else { Act::Later });
                }
            }
            _ => {
                let mut cursor = Cursor::new(Side::Server, body);
                cursor.u32("NotificationResponse: no process")?;
                cursor.text("NotificationResponse: the channel has no end")?;
                cursor.text("NotificationResponse: the payload has no end")?;
                cursor.end("NotificationResponse: bytes after the payload")?;
                body = body.get_mut(4..).unwrap_or_default();
            }
        }
        if self.spilled && tag != b'N' {
            // The value of a setting, the payload of a notification.
            let value = body.split_mut(|byte| *byte == 0).nth(1).unwrap_or_default();
            let hidden = u64::from(self.masker.scanner.mask_whole(value, Format::Full));
            self.count_masked(hidden, turn);
        }
        let body = message.get_mut(start..).unwrap_or_default();
        let masked = self.masker.mask(Class::Mixed, body) as u64;
        self.count_masked(masked, turn);
        Ok(Act::Pass)
    }

    fn begin_copy(&mut self, tag: u8, message: &[u8], turn: &mut Turn<'_>) -> Result<Act, Error> {
        let binary = read_copy(message.get(HEADER_BYTES..).unwrap_or_default())?;
        if !matches!(self.pending.front(), Some(Expect::Query { .. } | Expect::Execute { .. })) {
            return Err(misbehaved("COPY that nothing asked for"));
        }
        if self.pending.answer.copying != Copying::No {
            return Err(misbehaved("COPY inside COPY"));
        }
        if !self.answers(turn) {
            return Ok(Act::Later);
        }
        if tag == b'G' {
            self.pending.enter_copy(&mut self.portals, turn.out);
            self.back = Back::default();
            self.copy = ClientCopy::In;
        } else if self.pending.front().is_some_and(|entry| entry.watch().labels && entry.watch().computed) {
            // Refused by policy where it can be told; this is for what could not.
            return Err(unsupported("COPY TO of what touches a labelled column"));
        } else {
            self.pending.answer.copying = Copying::Out;
            self.copy_out = Some(Box::new(CopyOut::new(binary)));
        }
        Ok(Act::Pass)
    }

    /// A message without a body.
    fn acknowledgement(&mut self, tag: u8, frame: Frame, turn: &mut Turn<'_>) -> Result<Act, Error> {
        if frame.length != HEADER_BYTES {
            return Err(Error::Malformed { side: Side::Server, offset: 1, what: "a body where none is due" });
        }
        match (tag, self.pending.front()) {
            (b'1', Some(Expect::Parse { statement, .. })) => statement.state.set(State::Ready),
            (b'2', Some(Expect::Bind { serial, statement, .. })) => {
                self.portals.confirm(*serial);
                if !statement.nature.stable {
                    statement.columns.borrow_mut().forget();
                }
            }
            (b'3', Some(Expect::Close)) | (b's' | b'I', Some(Expect::Execute { .. })) => {}
            (b'n', Some(Expect::Learn { .. })) if turn.at > 0 => return Ok(Act::Later),
            (b'n', Some(Expect::Learn { statement, generation })) => {
                statement.columns.borrow_mut().learn(&[], *generation);
                self.answering = 0;
                self.pending.pop(turn.out);
                return Ok(Act::Drop);
            }
            (b'n', Some(Expect::DescribeCursor)) => {}
            (b'n', Some(Expect::DescribePortal { statement, generation })) => {
                statement.columns.borrow_mut().learn(&[], *generation);
            }
            (b'n', Some(Expect::DescribeStatement { statement, generation }))
                if self.pending.answer.described =>
            {
                statement.columns.borrow_mut().learn(&[], *generation);
            }
            (b'I', Some(Expect::Query { .. })) => return Ok(Act::Pass),
            (b'c', Some(_)) if self.pending.answer.copying == Copying::Out => {
                self.pending.answer.copying = Copying::No;
                if let Some(copy) = self.copy_out.take() {
                    copy.end()?;
                }
                return Ok(Act::Pass);
            }
            _ => return Err(misbehaved("an answer to what was not asked")),
        }
        if matches!(tag, b's' | b'I') && !self.answers(turn) {
            return Ok(Act::Later);
        }
        self.plan.reset();
        self.answering = 0;
        self.pending.pop(turn.out);
        Ok(Act::Pass)
    }
}

/// How the cells of a column are masked whatever they hold, if they are.
fn hidden(
    origins: Option<&Origins>,
    watch: Watch,
    format: Format,
    column: Option<&Column>,
) -> Option<Format> {
    if !watch.labels {
        return None;
    }
    let treatment = match (origins, column) {
        (Some(origins), Some(column)) => origins.treatment(watch, column.table, column.attribute),
        _ => Treatment::Hide,
    };
    match treatment {
        Treatment::Scan => None,
        Treatment::Label => Some(format),
        Treatment::Hide => Some(Format::Full),
    }
}

/// What a message, or the start of one, came to.
enum Progress {
    Pass(usize),
    Drop(usize),
    /// So much of it goes to the client, the rest in parts.
    Begin(usize),
    Later,
    Need(usize),
}
