//! Single use of tokens: over all shards, and across restarts. A claim is granted only once its journal entry is on
//! disk; claims that wait together share one sync. Leaves out what a token says and who may use it: see `identity`.
//!
//! Lives on a plain thread of its own, named `ledger`; shards talk to it through bounded channels and never wait.

mod book;
mod counts;
mod journal;

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};

pub use counts::{Quota, QuotaReached, SessionCounts, SessionPermit};

use crate::limits::{LEDGER_BATCH_MAX, LEDGER_QUEUE_MAX};
use book::{Book, Entry, Finding};
use journal::Journal;

/// What a token is bound to by its first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    /// The address of its first use: from there it opens as many sessions as it likes until it expires.
    Source,
    /// Its first session: it opens no other.
    Session,
}

/// A token about to open a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// `identity::Verified::token_id`.
    pub token_id: [u8; 32],
    /// The client's address.
    pub source: IpAddr,
    /// When the token expires, Unix seconds: as long its use is remembered.
    pub expires_s: u64,
    /// What its first use binds it to.
    pub bind: Bind,
}

/// What the ledger says of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The session may open; a first use is on disk.
    Granted,
    /// The token was used before, elsewhere or (bound to one session) at all.
    Replayed,
    /// The journal cannot be written or is full: no session may open with a token that is bound.
    Unavailable,
}

/// The answer to one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The caller's number for the claim.
    pub tag: u64,
    /// What became of it.
    pub verdict: Verdict,
}

/// Where an answer goes. The channel must hold as many answers as its owner has claims under way: the ledger does not
/// wait for a reader, and an answer that finds no room is dropped (that session then does not open).
#[derive(Clone)]
pub struct ReplyTo {
    /// The caller's number for the claim.
    pub tag: u64,
    /// Takes the answer.
    pub answers: Sender<Answer>,
    /// Called after the answer was put there: writes the shard's eventfd.
    pub wake: Arc<dyn Fn() + Send + Sync>,
}

/// Why the ledger cannot start, or cannot take a claim.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A file operation failed.
    #[error("token ledger: cannot {action} {path}: {cause}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// Another process has this state directory.
    #[error("token ledger: {0} is locked by another process: two dataplanes cannot share a state directory")]
    InUse(PathBuf),
    /// The file is there but is no journal of this format.
    #[error("token ledger: {0} is not a token journal of this version")]
    Foreign(PathBuf),
    /// An entry that was answered for is unreadable: some used token would be taken for unused.
    #[error(
        "token ledger: {path} is damaged at entry {entry}, before entries written later: tokens used before now \
         might be accepted again; remove the file once all of them have expired"
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Which entry, from 0.
        entry: usize,
    },
    /// The thread cannot be started.
    #[error("token ledger: cannot start its thread: {0}")]
    Thread(io::Error),
    /// More claims wait than the ledger takes.
    #[error("token ledger: too many claims wait")]
    Overloaded,
    /// The ledger has stopped.
    #[error("token ledger: it has stopped")]
    Stopped,
}

enum Request {
    Claim(Claim, ReplyTo),
    /// Dropped once the journal is closed and unlocked.
    Stop(Sender<()>),
}

/// Starts the ledger.
pub struct Ledger;

impl Ledger {
    /// Reads the journal in `dir`, locks it, and starts the thread, which ends with the last handle.
    ///
    /// # Errors
    /// The journal cannot be read, written or locked, or is damaged; or there can be no thread.
    pub fn start(dir: &Path) -> Result<LedgerHandle, LedgerError> {
        let mut keeper = Keeper::open(dir, now_s())?;
        let (requests, waiting) = bounded(LEDGER_QUEUE_MAX);
        thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || keeper.run(waiting))
            .map_err(LedgerError::Thread)?;
        Ok(LedgerHandle { requests })
    }
}

/// A caller's end.
#[derive(Clone)]
pub struct LedgerHandle {
    requests: Sender<Request>,
}

impl LedgerHandle {
    /// Hands over a claim without waiting; its answer goes to `reply` once, later.
    ///
    /// # Errors
    /// [`LedgerError::Overloaded`], [`LedgerError::Stopped`]: there will be no answer, and no session may open.
    pub fn claim(&self, claim: Claim, reply: ReplyTo) -> Result<(), LedgerError> {
        self.requests.try_send(Request::Claim(claim, reply)).map_err(|error| match error {
            TrySendError::Full(_) => LedgerError::Overloaded,
            TrySendError::Disconnected(_) => LedgerError::Stopped,
        })
    }

    /// Answers what waits, closes the journal and ends the thread; returns when that is done.
    pub fn stop(&self) {
        let (done, wait) = bounded(0);
        if self.requests.send(Request::Stop(done)).is_ok() {
            // An error: the other end is dropped, which is what is waited for.
            let _ = wait.recv();
        }
    }
}

/// Keeps book and journal; lives on the ledger's thread.
struct Keeper {
    book: Book,
    journal: Journal,
    /// Entries of the batch in hand, encoded.
    bytes: Vec<u8>,
    /// Second of the last failed attempt to write: there is one attempt a second.
    failed_s: Option<u64>,
}

impl Keeper {
    fn open(dir: &Path, now_s: u64) -> Result<Self, LedgerError> {
        let (mut journal, entries, recovery) = Journal::open(dir)?;
        if recovery.cut > 0 {
            tracing::warn!(
                entries = recovery.cut,
                "token journal: entries cut from the end that were never answered for"
            );
        }
        let book = Book::new(entries, now_s);
        journal.rewrite(book.entries())?;
        Ok(Self { book, journal, bytes: Vec::new(), failed_s: None })
    }

    fn run(&mut self, waiting: Receiver<Request>) {
        let mut claims = Vec::with_capacity(LEDGER_BATCH_MAX);
        let mut stop = None;
        while stop.is_none()
            && let Ok(first) = waiting.recv()
        {
            let mut next = Some(first);
            while let Some(request) = next {
                match request {
                    Request::Claim(claim, reply) => claims.push((claim, reply)),
                    Request::Stop(done) => stop = Some(done),
                }
                next = if claims.len() < LEDGER_BATCH_MAX && stop.is_none() {
                    waiting.try_recv().ok()
                } else {
                    None
                };
            }
            self.serve(&claims, now_s());
            claims.clear();
        }
        self.journal.close();
        // In this order: who hears of the end may count on later claims being refused.
        drop(waiting);
        drop(stop);
    }

    /// Answers a batch of claims behind one sync.
    fn serve(&mut self, claims: &[(Claim, ReplyTo)], now_s: u64) {
        self.book.sweep(now_s);
        self.bytes.clear();
        let mut findings = Vec::with_capacity(claims.len());
        for (claim, _) in claims {
            let entry = Entry::from(claim);
            let finding = self.book.claim(entry);
            if finding == Finding::First {
                journal::encode(&entry, &mut self.bytes);
            }
            findings.push(finding);
        }
        let stored = self.store(now_s);
        if stored {
            self.book.settle()
        } else {
            self.book.take_back()
        }
        for ((_, reply), finding) in claims.iter().zip(findings) {
            let verdict = match finding {
                Finding::Again => Verdict::Granted,
                Finding::First | Finding::AgainUnsettled if stored => Verdict::Granted,
                Finding::First | Finding::AgainUnsettled | Finding::Full => Verdict::Unavailable,
                Finding::Replayed => Verdict::Replayed,
            };
            if reply.answers.try_send(Answer { tag: reply.tag, verdict }).is_ok() {
                (reply.wake)();
            }
        }
    }

    /// Puts the batch's entries on disk; `false`: they are not there.
    fn store(&mut self, now_s: u64) -> bool {
        if self.bytes.is_empty() {
            return true;
        }
        if self.failed_s == Some(now_s) {
            return false;
        }
        match self.write() {
            Ok(()) => {
                if self.failed_s.take().is_some() {
                    tracing::info!("token journal: written again");
                }
                true
            }
            Err(error) => {
                if self.failed_s.replace(now_s).is_none() {
                    tracing::error!(%error, "token journal: cannot be written; tokens that are bound are refused");
                }
                false
            }
        }
    }

    fn write(&mut self) -> Result<(), LedgerError> {
        if self.journal.must_rewrite(self.book.len()) {
            self.journal.rewrite(self.book.entries())
        } else {
            self.journal.append(&self.bytes)
        }
    }
}

fn now_s() -> u64 {
    // A clock before 1970 expires nothing: tokens stay remembered.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
