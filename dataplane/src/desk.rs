//! Answers the engines' questions and keeps their records: who may log in, which command may run, waits or is refused.
//! One per shard; brings identity, policy, holds, credentials and recorder together. Leaves out sockets and protocol.

use std::net::SocketAddr;
use std::sync::Arc;

use evidence::record::{Record, SessionId, Time};
use policies::link::{IssuerKeys, TicketRuling, ToMgmt};
use policies::snapshot::Snapshot;
use rustls::ServerConfig;
use scan::Scanner;
use wire::{
    Admission, CancelKey, Event, Naming, Now, Outcome, Question, Refusal, RefusalKind, Secret, ServerTls,
};

use crate::catalog::{Catalog, Table};
use crate::connection::Failure;
use crate::credentials::Credentials;
use crate::hold::Holds;
use crate::identity::Verifier;
use crate::kill::Kill;
use crate::ledger::{self, LedgerHandle, SessionCounts};
use crate::limits::RECORDED_RESPONSE_BYTES_MAX;
use crate::metrics::ShardMetrics;
use crate::pool::Terms;
use crate::record::Recorder;
use crate::session::{Answering, Answers, Session};
use crate::tls::{Tls, TlsError};
use crate::upstream::Upstreams;
use crate::verdict::Verdicts;

/// What a question's answer is.
pub enum Answer {
    /// The command may run.
    Allow,
    /// No.
    Refuse(OwnedRefusal),
    /// The token is to come as the password.
    Password,
    /// The token is to come by OAUTHBEARER; where to get one.
    Bearer {
        /// The URL of the issuer's discovery document.
        configuration: String,
        /// What to ask it for.
        scope: String,
    },
    /// The session may be opened.
    Admit(Box<Admitted>),
    /// A cancel was seen to.
    Done,
    /// Not known yet.
    Wait(Wait),
}

/// What an answer waits for.
pub enum Wait {
    /// The ledger's word on a token that may be used once.
    Claim,
    /// A batch of records on disk; then the command may run.
    Durable {
        /// The batch.
        batch: u64,
    },
    /// A batch of records on disk; then the session may be opened.
    DurableLogin {
        /// The batch.
        batch: u64,
    },
    /// Newer facts of where labelled data lie.
    Facts {
        /// When it is over.
        deadline_ms: u64,
    },
    /// People.
    Hold {
        /// The ticket.
        ticket: u128,
        /// When it is over.
        deadline_ms: u64,
        /// What the client is told.
        notice: String,
        /// The command.
        number: u64,
    },
}

impl Wait {
    /// When the wait is over by itself.
    pub fn deadline_ms(&self) -> Option<u64> {
        match self {
            Self::Hold { deadline_ms, .. } | Self::Facts { deadline_ms } => Some(*deadline_ms),
            Self::Claim | Self::Durable { .. } | Self::DurableLogin { .. } => None,
        }
    }
}

/// A refusal with its words.
#[derive(Debug)]
pub struct OwnedRefusal {
    /// The kind.
    pub kind: RefusalKind,
    /// One line.
    pub message: String,
    /// More, or empty.
    pub detail: String,
    /// What to do, or empty.
    pub hint: String,
}

impl OwnedRefusal {
    /// A refusal of one line.
    pub fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), detail: String::new(), hint: String::new() }
    }

    /// With what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// With more.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// As engines take it.
    pub fn as_refusal(&self) -> Refusal<'_> {
        Refusal { kind: self.kind, message: &self.message, detail: &self.detail, hint: &self.hint }
    }
}

/// A session that may be opened.
pub struct Admitted {
    /// Where the target is, in the order to be tried.
    pub addresses: Vec<SocketAddr>,
    /// The target's user.
    pub user: String,
    /// The target's password.
    pub password: Secret,
    /// The database.
    pub database: String,
    /// What the target's log calls the session.
    pub name: String,
    /// Who it is for, for the target's log of statements.
    pub comment: String,
    /// TLS towards the target.
    pub tls: ServerTls,
    /// The client's cancel key.
    pub cancel: CancelKey,
    /// How card numbers are masked.
    pub mask: scan::Format,
    /// Finds them.
    pub scanner: Scanner,
}

impl Admitted {
    /// As engines take it.
    pub fn as_admission(&self) -> Admission<'_> {
        Admission {
            user: &self.user,
            password: &self.password,
            database: &self.database,
            application: APPLICATION,
            naming: Some(Naming { name: &self.name, comment: &self.comment }),
            tls: self.tls,
            cancel: self.cancel,
            mask: self.mask,
            scanner: self.scanner,
        }
    }
}

/// The engine suspended itself without a question: a fault of ours, answered by no.
pub fn unasked() -> OwnedRefusal {
    OwnedRefusal::new(RefusalKind::Denied, "the gateway cannot tell what is asked")
}

/// `limits.duration` is over.
pub fn duration_over() -> Refusal<'static> {
    Refusal {
        kind: RefusalKind::Limit,
        message: "the session has lasted as long as its policy allows",
        detail: "",
        hint: "",
    }
}

/// `limits.rows` is reached.
pub fn rows_over() -> Refusal<'static> {
    Refusal {
        kind: RefusalKind::Limit,
        message: "the session has read as many rows as its policy allows",
        detail: "",
        hint: "",
    }
}

/// The login took too long.
pub fn login_too_slow() -> Refusal<'static> {
    Refusal {
        kind: RefusalKind::Unauthenticated,
        message: "the login was not finished in time",
        detail: "",
        hint: "",
    }
}

/// One shard's judgement.
pub struct Desk {
    /// The shard's number.
    pub shard: u8,
    /// Policy in use.
    pub snapshot: Option<Arc<Snapshot>>,
    /// When mgmt last confirmed that snapshot, in the shard's milliseconds: before its start where it was kept.
    pub snapshot_at_ms: i64,
    /// The issuers' keys.
    pub keys: Arc<Vec<IssuerKeys>>,
    /// Where the targets are.
    pub upstreams: Arc<Upstreams>,
    /// Where labelled data lie in them, and which table that is by number.
    pub catalog: Arc<Table>,
    /// Counts the tables.
    pub catalog_table: u64,
    /// Asks for newer facts.
    pub facts: Catalog,
    /// Token verification.
    pub verifier: Verifier,
    /// Tokens used once.
    pub ledger: LedgerHandle,
    /// Where the ledger's answers go, and what then wakes the shard.
    pub ledger_answers: crossbeam::channel::Sender<ledger::Answer>,
    /// Wakes the shard.
    pub ledger_wake: Arc<dyn Fn() + Send + Sync>,
    /// Open sessions by policy.
    pub counts: SessionCounts,
    /// The targets' passwords.
    pub credentials: Credentials,
    /// Statements already judged.
    pub verdicts: Verdicts,
    /// The records.
    pub recorder: Recorder,
    /// What waits for people.
    pub holds: Holds,
    /// The card finder.
    pub scanner: Scanner,
    /// Our certificate.
    pub tls: Option<Arc<ServerConfig>>,
    /// The shard's counts.
    pub metrics: Arc<ShardMetrics>,
    /// Owners whose receive ended for want of buffers.
    pub starved: Vec<u64>,
    /// Cancel requests to be seen to: by any shard.
    pub cancels: Vec<CancelKey>,
    /// Sessions to be interrupted by their jobs' word: by any shard.
    pub kills: Vec<Kill>,
    /// Microseconds since the epoch at the turn's start.
    pub wall_us: u64,
    /// The turn's time, in the shard's milliseconds.
    pub now_ms: u64,
    /// Where approvals are given, for notices; or empty.
    pub approval_hint: String,
    /// Room for the statement being recorded.
    pub text: String,
    /// Counts what no kept connection outlives: another snapshot, the end of the process.
    pub pool_epoch: u64,
}

impl Desk {
    /// Answers a question.
    pub fn answer(&mut self, question: &Question<'_>, session: &mut Session, now: Now) -> Answer {
        match question {
            Question::Method(method) => self.method(method, session),
            Question::Login(login) => self.login(login, session),
            Question::Command(command) => self.command(command, session, now),
            Question::Cancel(key) => {
                self.cancels.push(*key);
                Answer::Done
            }
        }
    }

    /// The time as records have it.
    pub fn time(&self) -> Time {
        Time(self.wall_us)
    }

    /// Asks for the receive of `owner` to be armed again once buffers are free.
    pub fn rearm(&mut self, owner: u64) {
        self.starved.push(owner);
    }

    /// Whether there is room for more records; where not, the session is woken later.
    pub fn may_go_on(&self, session: &mut Session) -> bool {
        session.stalled = !self.recorder.has_room();
        !session.stalled
    }

    /// Whether a connection of these terms is still one that would be opened today.
    pub fn keeps(&self, terms: &Terms, address: Option<SocketAddr>) -> bool {
        terms.hold(self.pool_epoch, self.upstreams.get(&terms.key.target), address)
    }

    /// Where a session's target is, in the order to be tried.
    pub fn addresses(&self, session: &Session) -> Vec<SocketAddr> {
        let upstream = session.who.as_ref().and_then(|who| self.upstreams.get(&who.target));
        upstream.and_then(|upstream| upstream.resolved.clone().ok()).unwrap_or_default()
    }

    /// TLS towards a client.
    pub fn client_tls(&self) -> Result<Tls, TlsError> {
        match &self.tls {
            Some(config) => Tls::server(config),
            None => Err(TlsError::NotEstablished),
        }
    }

    /// TLS towards the session's target.
    pub fn server_tls(&self, session: &Session, flight: &mut Vec<u8>) -> Result<Tls, TlsError> {
        let target = session.who.as_ref().map(|who| who.target.as_str()).unwrap_or_default();
        match self.upstreams.get(target).and_then(|upstream| upstream.tls.as_ref()) {
            Some(Ok(tls)) => Tls::client(&tls.config, tls.name.clone(), flight),
            Some(Err(cause)) => Err(TlsError::Name(cause.clone())),
            None => Err(TlsError::NotEstablished),
        }
    }

    /// Bytes on their way to the client.
    pub fn released(&mut self, session: &mut Session, bytes: &[u8]) {
        session.bytes += bytes.len() as u64;
        let Some(answering) = &mut session.answering else { return };
        session.digest.update(bytes);
        let offset = answering.bytes;
        answering.bytes += bytes.len() as u64;
        let room = match session.who.as_ref().map(|who| who.answers) {
            Some(Answers::Full) => u64::MAX,
            // A row is counted by its bytes only after it has gone: the head is bounded by bytes, generously.
            Some(Answers::Rows(rows)) => {
                rows.saturating_mul(ROW_BYTES_RECORDED).saturating_sub(answering.recorded)
            }
            Some(Answers::Digest) | None => 0,
        };
        let kept =
            bytes.get(..bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))).unwrap_or_default();
        answering.recorded += kept.len() as u64;
        let number = answering.number;
        let mut offset = offset;
        for part in kept.chunks(RECORDED_RESPONSE_BYTES_MAX) {
            let record = Record::Response {
                session: SessionId(session.id),
                number,
                at: Time(self.wall_us),
                offset,
                bytes: part,
            };
            self.recorder.append(&record, self.now_ms, session.gather_ms());
            offset += part.len() as u64;
        }
    }

    /// Something happened in a session.
    pub fn event(&mut self, session: &mut Session, event: Event) {
        match event {
            Event::Opened => session.open = true,
            Event::Attached { process, reused } => self.attached(session, process, reused),
            Event::Answering { number } => {
                session.answering = Some(Answering { number, bytes: 0, recorded: 0 });
                session.digest.reset();
            }
            Event::Finished { number, rows, masked, outcome } => {
                self.finished(session, number, rows, masked, outcome)
            }
            Event::Masked(count) => {
                session.masked += count;
                self.metrics.masked.add(count);
            }
            Event::UnknownOrigin => self.unknown_origin(session),
        }
    }

    /// Says by which connection the session's commands reach the target, so that the target's log can be joined.
    fn attached(&mut self, session: &Session, process: u32, reused: bool) {
        let connection = if reused { "reused" } else { "fresh" };
        let record = Record::SessionAttached {
            session: SessionId(session.id),
            at: self.time(),
            process: u64::from(process),
            connection,
        };
        self.recorder.append(&record, self.now_ms, session.gather_ms());
    }

    fn finished(&mut self, session: &mut Session, number: u64, rows: u64, masked: u64, outcome: Outcome) {
        self.defined(session, number);
        session.named.ended(number, outcome == Outcome::Done);
        session.rows += rows;
        session.masked += masked;
        self.metrics.masked.add(masked);
        let (bytes, digest) = match session.answering.take_if(|answering| answering.number == number) {
            Some(answering) => (answering.bytes, session.digest.finish()),
            None => (0, [0; 32]),
        };
        let mut word = [0; 12];
        let outcome = outcome_word(outcome, &mut word);
        let at = self.time();
        let gather_ms = session.gather_ms();
        let session = SessionId(session.id);
        self.recorder.append(
            &Record::Finished { session, number, at, outcome, rows, bytes, masked, digest },
            self.now_ms,
            gather_ms,
        );
    }

    /// A connection cannot go on: logged once, here. Texts of failures hold no payload.
    pub fn failed(&mut self, session: &Session, failure: &Failure) {
        self.metrics.failures.add(1);
        tracing::warn!(session = %format_args!("{:032x}", session.id), source = %session.source_text, %failure, "connection ended");
    }

    /// A session's connection closes.
    pub fn closed(&mut self, session: &mut Session, wait: Option<Wait>, how: &str) {
        if std::mem::replace(&mut session.closed, true) {
            return;
        }
        if let Some(Wait::Hold { ticket, number, .. }) = wait {
            self.withdraw(session, ticket, number, "client gone");
        }
        let at = self.time();
        if let Some(answering) = session.answering.take() {
            let record = Record::Finished {
                session: SessionId(session.id),
                number: answering.number,
                at,
                outcome: "cut",
                rows: 0,
                bytes: answering.bytes,
                masked: 0,
                digest: session.digest.finish(),
            };
            self.recorder.append(&record, self.now_ms, session.gather_ms());
        }
        if session.who.is_some() {
            let record = Record::SessionClosed {
                session: SessionId(session.id),
                at,
                how,
                commands: session.commands,
                rows: session.rows,
                bytes: session.bytes,
                masked: session.masked,
            };
            self.recorder.append(&record, self.now_ms, session.gather_ms());
        } else if how != "closed" {
            self.refuse_login_record(session, "", "", how);
        }
        session.permit = None;
    }

    /// The ledger has spoken on the token of a session that logs in.
    pub fn claimed(&mut self, session: &mut Session, verdict: ledger::Verdict) -> Answer {
        match verdict {
            ledger::Verdict::Granted => self.let_in(session),
            ledger::Verdict::Replayed => self.turn_away(
                session,
                OwnedRefusal::new(
                    RefusalKind::Unauthenticated,
                    "the token has been used before: replay refused",
                ),
            ),
            ledger::Verdict::Unavailable => self.turn_away(
                session,
                OwnedRefusal::new(RefusalKind::NotRecorded, "single use of the token cannot be recorded"),
            ),
        }
    }

    /// A batch of records is on disk, or recording has failed: what became of a wait for it, if it is over.
    pub fn durable(&mut self, session: &mut Session, batch: u64, login: bool) -> Option<Answer> {
        if self.recorder.failure().is_some() {
            let refusal = not_recorded();
            return Some(if login { self.turn_away(session, refusal) } else { Answer::Refuse(refusal) });
        }
        if !self.recorder.is_committed(batch) {
            return None;
        }
        Some(match (login, session.admitting.take()) {
            (true, Some(admitted)) => Answer::Admit(admitted),
            (true, None) => Answer::Refuse(unasked()),
            (false, _) => Answer::Allow,
        })
    }

    /// People have ruled on a ticket of a session's open question.
    pub fn ruled(&mut self, session: &mut Session, ruling: &TicketRuling) -> Option<Answer> {
        self.take_ruling(session, ruling)
    }

    /// A wait's own time is over.
    pub fn wait_over(&mut self, session: &mut Session, wait: Wait) -> Answer {
        match wait {
            Wait::Hold { ticket, number, .. } => self.expired(session, ticket, number),
            Wait::Facts { .. } => self.facts_late(session),
            Wait::Claim | Wait::Durable { .. } | Wait::DurableLogin { .. } => Answer::Refuse(unasked()),
        }
    }

    /// Tells mgmt, or drops it where the link's queue is full: tickets are sent again at the next connection.
    pub fn tell_mgmt(&self, message: ToMgmt) {
        if self.recorder.handle().tell_mgmt(message).is_err() {
            tracing::warn!("the link to mgmt has no room: a message was dropped");
        }
    }
}

/// What the target's log calls a connection that no session has: RESET brings no other session's name back.
const APPLICATION: &str = "pangate";

/// Bytes of a row that `record: {responses: rows: N}` counts on.
const ROW_BYTES_RECORDED: u64 = 1024;

/// The evidence cannot be written. Why (files, devices) is for the log and for health, not for the job.
pub fn not_recorded() -> OwnedRefusal {
    OwnedRefusal::new(RefusalKind::NotRecorded, "the gateway cannot record, so nothing runs")
}

fn outcome_word(outcome: Outcome, room: &mut [u8; 12]) -> &str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Refused => "refused",
        Outcome::Skipped => "skipped",
        Outcome::Cut => "cut",
        Outcome::Failed(code) => {
            let (word, number) = room.split_at_mut(7);
            word.copy_from_slice(b"failed ");
            number.copy_from_slice(&code);
            std::str::from_utf8(room).unwrap_or("failed")
        }
    }
}
