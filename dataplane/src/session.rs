//! What the gateway knows of one job's session: who, to what, under which class; and its tallies. Filled by the desk;
//! decides nothing. Lives on its shard's core.

use std::net::SocketAddr;
use std::rc::Rc;

use hashbrown::HashMap;
use policies::snapshot::Class;
use policies::statement::Dialect;

use crate::catalog::Place;
use crate::desk::Admitted;
use crate::digest::Digest;
use crate::following::Following;
use crate::ledger::SessionPermit;
use crate::limits::RECORD_GATHER_MS;
use crate::pool::Terms;
use crate::verdict::{Named, Verdict};

/// How much of the answers is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// All of it.
    Full,
    /// So many rows of each command; the rest counts in the digest.
    Rows(u64),
    /// The digest alone.
    Digest,
}

/// Who the session is for, known once its token is verified.
pub struct Who {
    /// The token's issuer.
    pub issuer: String,
    /// The token's subject.
    pub subject: String,
    /// The person behind the job, or empty.
    pub requester: String,
    /// The groups that the claims gave.
    pub groups: Vec<String>,
    /// The target's name.
    pub target: String,
    /// The same with the database.
    pub place: Place,
    /// The target's protocol, as records name it.
    pub protocol: &'static str,
    /// How the target's texts are read.
    pub dialect: Dialect,
    /// How card numbers are masked.
    pub mask: scan::Format,
    /// What of the answers is recorded.
    pub answers: Answers,
    /// Each command's record is on disk before the target sees it.
    pub before_forward: bool,
    /// Milliseconds that a record may wait for others: what is left of the policy's `within` is for the disk.
    pub gather_ms: u64,
    /// Rows that the session may read; then it ends.
    pub rows_max: u64,
}

/// A prepared statement, as every execution of it is judged and recorded.
pub struct Prepared {
    /// The verdict on its text.
    pub verdict: Rc<Verdict>,
    /// Its text as it is recorded.
    pub text: String,
    /// Card numbers masked in that.
    pub masked: usize,
    /// Its literals and parameters may be secret.
    pub secret: bool,
}

/// The class under one snapshot.
pub struct Standing {
    /// The snapshot's version.
    pub snapshot: u64,
    /// The class; `None`: under this snapshot nothing applies, all is denied.
    pub class: Option<Class>,
    /// The class's number in the shard's memory of verdicts.
    pub number: u32,
    /// The target has columns that are labelled, and says where an answer's columns come from.
    pub labelled: bool,
    /// What is known of the session's prepared statements.
    pub prepared: HashMap<u64, Rc<Prepared>>,
    /// The database that the number is for.
    pub database: String,
}

/// The answer now under way.
pub struct Answering {
    /// The command.
    pub number: u64,
    /// Bytes of it.
    pub bytes: u64,
    /// Bytes of it that were recorded.
    pub recorded: u64,
}

/// One session.
pub struct Session {
    /// Its number: random.
    pub id: u128,
    /// The slot of its connection.
    pub slot: u32,
    /// The listener it came by, as its address in the manifests.
    pub listener: Rc<str>,
    /// The client's address.
    pub source: SocketAddr,
    /// The same as text.
    pub source_text: String,
    /// The secret of its cancel key.
    pub cancel_secret: u32,
    /// Who it is for.
    pub who: Option<Box<Who>>,
    /// Policy's view of it.
    pub standing: Option<Standing>,
    /// A login that has been verified and waits to be let in.
    pub admitting: Option<Box<Admitted>>,
    /// Counts against the policy's limit of sessions while it lives.
    pub permit: Option<SessionPermit>,
    /// The target has let the gateway in.
    pub open: bool,
    /// When it must be over, in the shard's milliseconds.
    pub until_ms: Option<u64>,
    /// The answer under way.
    pub answering: Option<Answering>,
    /// Digest of what has gone to the client of it.
    pub digest: Digest,
    /// Commands so far.
    pub commands: u64,
    /// Rows so far.
    pub rows: u64,
    /// Bytes to the client so far.
    pub bytes: u64,
    /// Card numbers masked so far.
    pub masked: u64,
    /// Its records are complete: nothing more is written.
    pub closed: bool,
    /// Stopped because the recorder had no room.
    pub stalled: bool,
    /// On what terms the target's connection is kept after it; `None`: it is not.
    pub keep: Option<Terms>,
    /// It may have left at the target what no reset undoes.
    pub trace: bool,
    /// Where labelled data lie, as far as its commands are judged by that.
    pub following: Following,
    /// What it has prepared by SQL.
    pub named: Named,
}

impl Session {
    /// Milliseconds that a record of it may wait for others.
    pub fn gather_ms(&self) -> u64 {
        self.who.as_ref().map_or(RECORD_GATHER_MS, |who| who.gather_ms)
    }

    /// A session of which only the source is known.
    pub fn new(id: u128, slot: u32, listener: Rc<str>, source: SocketAddr, cancel_secret: u32) -> Self {
        Self {
            id,
            slot,
            listener,
            source,
            source_text: source.to_string(),
            cancel_secret,
            who: None,
            standing: None,
            admitting: None,
            permit: None,
            open: false,
            until_ms: None,
            answering: None,
            digest: Digest::default(),
            commands: 0,
            rows: 0,
            bytes: 0,
            masked: 0,
            closed: false,
            stalled: false,
            keep: None,
            trace: false,
            following: Following::default(),
            named: Named::default(),
        }
    }

    /// How its target's texts are read.
    pub fn dialect(&self) -> Dialect {
        self.who.as_ref().map_or(Dialect::Postgres, |who| who.dialect)
    }

    /// Names the session to other threads for as long as its slot is its own.
    pub fn tag(&self) -> u64 {
        (self.id as u64) & !0xffff_ffff | u64::from(self.slot)
    }

    /// Makes of it what stands for a target's connection between two sessions: nothing is recorded of it.
    pub fn kept_for(&mut self, keep: Option<Terms>) {
        let target = keep.as_ref().map(|terms| terms.key.target.clone()).unwrap_or_default();
        self.errand_to(target);
        self.open = true;
        self.keep = keep;
    }

    /// Makes of it an errand of the gateway's own to a target: nothing is recorded of it by itself.
    pub fn errand_to(&mut self, target: String) {
        self.closed = true;
        self.who = Some(Box::new(Who {
            issuer: String::new(),
            subject: String::new(),
            requester: String::new(),
            groups: Vec::new(),
            place: Place::whole(&target),
            protocol: "",
            dialect: Dialect::Postgres,
            target,
            mask: scan::Format::Full,
            answers: Answers::Digest,
            before_forward: false,
            gather_ms: RECORD_GATHER_MS,
            rows_max: 0,
        }));
    }

    /// Whether the session has read more rows than its policy lets it, with those of the answer under way.
    pub fn is_over_rows(&self, under_way: u64) -> bool {
        self.who.as_ref().is_some_and(|who| self.rows.saturating_add(under_way) > who.rows_max)
    }

    /// Whether the target has let the gateway in.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// When the session must be over.
    pub fn until_ms(&self) -> Option<u64> {
        self.until_ms
    }
}
