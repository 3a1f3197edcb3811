//! Follows the evidence's files and keeps the index of sessions in the store. Where a frame does not hold (reader.rs),
//! the index of that log stops before it and says so.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::evidence::note::VerifierKey;
use ::evidence::record::{Record, SessionId};
use ::evidence::sealing::SealingKey;
use sqlx::{Sqlite, Transaction};

use super::files;
use super::reader::{Read, Reader, fault};
use crate::api::types::Session;
use crate::store::{
    FramePlace, OpenedSession, Store, StoreError, Tail, Totals, events, number_to_text, sessions,
};

/// The files are looked at so often, beside each time that somebody asks.
const EVERY: Duration = Duration::from_secs(5);
/// Frames taken in one go, and one transaction, of one log; then the next log has its turn.
const FRAMES_MAX: usize = 64;

/// Why the index does not go on.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The files cannot be read.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// The store.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A frame is not what was signed, does not open, or does not follow the one before.
    #[error("log {log}, {file}, byte {offset}: {cause}")]
    Fault {
        /// The log.
        log: String,
        /// The segment.
        file: String,
        /// Where the frame begins.
        offset: u64,
        /// What is wrong.
        cause: String,
    },
}

/// Keeps the index.
#[derive(Debug)]
pub struct Index {
    store: Store,
    reader: Arc<Reader>,
    /// One reads at a time.
    reading: tokio::sync::Mutex<()>,
    trouble: Mutex<String>,
}

/// What some frames add to the index.
struct Taken {
    frames: Vec<(FramePlace, Vec<Change>)>,
    next: Tail,
    /// Why no more were taken, where that is a fault.
    fault: Option<IndexError>,
}

/// What one record adds.
enum Change {
    Opened(Box<OpenedSession>),
    More(u128, Totals),
    Closed { session: u128, at_ms: u64, how: String, totals: Totals },
    Touched(u128),
    Event { at_us: u64, event: String, actor: String },
}

impl Index {
    /// An index of the files under `dir`.
    pub fn new(store: Store, dir: PathBuf, public: VerifierKey, sealing: SealingKey) -> Self {
        let (reading, trouble) = (tokio::sync::Mutex::new(()), Mutex::new(String::new()));
        Self { store, reader: Arc::new(Reader { dir, public, sealing }), reading, trouble }
    }

    /// Takes what the files hold by now. What is wrong is kept for [`Index::trouble`].
    pub async fn catch_up(&self) {
        let _reading = self.reading.lock().await;
        let trouble = match self.read_all().await {
            Ok(()) => String::new(),
            Err(error) => {
                tracing::error!(%error, "the evidence cannot be read on");
                error.to_string()
            }
        };
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Follows the files for as long as mgmt runs.
    pub async fn run(self: Arc<Self>) {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.catch_up().await;
        }
    }

    /// Why the index does not go on; `None`: it does.
    pub fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        (!trouble.is_empty()).then(|| trouble.clone())
    }

    /// Reads with this index's keys, off the threads that serve.
    pub(super) async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, IndexError> {
        let reader = self.reader.clone();
        let read = tokio::task::spawn_blocking(move || read(&reader)).await;
        read.unwrap_or_else(|error| Err(IndexError::Read(std::io::Error::other(error))))
    }

    async fn read_all(&self) -> Result<(), IndexError> {
        let mut result = Ok(());
        let mut logs = self.reading(|reader| Ok(files::logs(&reader.dir)?)).await?;
        while !logs.is_empty() {
            let mut behind = Vec::new();
            for log in logs {
                match self.read_some(&log).await {
                    Ok(true) => behind.push(log),
                    Ok(false) => {}
                    // The other logs go on.
                    Err(error) => result = Err(error),
                }
            }
            logs = behind;
        }
        result
    }

    /// Takes some frames of a log; whether there may be more.
    async fn read_some(&self, log: &str) -> Result<bool, IndexError> {
        let tail = self.store.tail(log).await?;
        let name = log.to_owned();
        let taken = self.reading(move |reader| Ok(take(reader, &name, tail))).await?;
        if !taken.frames.is_empty() {
            self.keep(log, &taken).await?;
        }
        match taken.fault {
            Some(fault) => Err(fault),
            None => Ok(taken.frames.len() == FRAMES_MAX),
        }
    }

    async fn keep(&self, log: &str, taken: &Taken) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        for (place, changes) in &taken.frames {
            let mut last = None;
            for change in changes {
                let touched = keep_change(&mut transaction, change).await?;
                if let Some(session) = touched.filter(|_| touched != last) {
                    sessions::add_frame_in(&mut transaction, session, place).await?;
                    last = touched;
                }
            }
        }
        sessions::set_tail_in(&mut transaction, log, &taken.next).await?;
        Ok(transaction.commit().await?)
    }
}

/// Reads on from `tail`, up to [`FRAMES_MAX`] frames.
fn take(reader: &Reader, log: &str, tail: Tail) -> Taken {
    let mut taken = Taken { frames: Vec::new(), next: tail, fault: None };
    while taken.frames.len() < FRAMES_MAX {
        match reader.next(log, &taken.next) {
            Ok(None) => break,
            Ok(Some(read)) => match changes(log, &read) {
                Ok(changes) => {
                    taken.frames.push((read.place, changes));
                    taken.next = read.next;
                }
                Err(fault) => {
                    taken.fault = Some(fault);
                    break;
                }
            },
            Err(fault) => {
                taken.fault = Some(fault);
                break;
            }
        }
    }
    taken
}

/// What a frame's records add: of each session's commands and answers, the sum. A frame has thousands of them, and each
/// change costs statements of the store.
fn changes(log: &str, read: &Read) -> Result<Vec<Change>, IndexError> {
    let mut changes = Vec::new();
    let mut sums = HashMap::new();
    for entry in read.records.entries() {
        let record = entry.record().map_err(|error| fault(log, &read.place, error.to_string()))?;
        let Some(change) = change(log, &record) else { continue };
        let Change::More(session, more) = change else {
            changes.push(change);
            continue;
        };
        match sums.get(&session).and_then(|place: &usize| changes.get_mut(*place)) {
            Some(Change::More(_, sum)) => sum.add(more),
            _ => {
                sums.insert(session, changes.len());
                changes.push(change);
            }
        }
    }
    Ok(changes)
}

/// Keeps one change; the session that it is about.
async fn keep_change(
    transaction: &mut Transaction<'_, Sqlite>,
    change: &Change,
) -> Result<Option<u128>, StoreError> {
    Ok(match change {
        Change::Opened(opened) => {
            sessions::add_session_in(transaction, opened).await?;
            u128::from_str_radix(&opened.session.id, 16).ok()
        }
        Change::More(session, totals) => {
            sessions::add_totals_in(transaction, *session, *totals).await?;
            Some(*session)
        }
        Change::Closed { session, at_ms, how, totals } => {
            sessions::close_session_in(transaction, *session, *at_ms, how, *totals).await?;
            Some(*session)
        }
        Change::Touched(session) => Some(*session),
        Change::Event { at_us, event, actor } => {
            events::set_event_recorded_in(transaction, *at_us, event, actor).await?;
            None
        }
    })
}

fn change(log: &str, record: &Record<'_>) -> Option<Change> {
    Some(match *record {
        Record::SessionOpened { .. } => Change::Opened(Box::new(opened(log, record)?)),
        Record::Command { session: SessionId(session), masked, .. } => {
            Change::More(session, Totals { commands: 1, masked, ..Totals::default() })
        }
        Record::Finished { session: SessionId(session), rows, bytes, masked, .. } => {
            Change::More(session, Totals { commands: 0, rows, bytes, masked })
        }
        Record::SessionClosed { session: SessionId(session), at, how, commands, rows, bytes, masked } => {
            let totals = Totals { commands, rows, bytes, masked };
            Change::Closed { session, at_ms: at.0 / 1000, how: how.to_owned(), totals }
        }
        Record::System { at, event, actor, .. } => {
            Change::Event { at_us: at.0, event: event.to_owned(), actor: actor.to_owned() }
        }
        _ => Change::Touched(record.session()?.0),
    })
}

fn opened(log: &str, record: &Record<'_>) -> Option<OpenedSession> {
    let Record::SessionOpened {
        session,
        at,
        issuer,
        subject,
        requester,
        groups,
        claims,
        source,
        target,
        protocol,
        user,
        database,
        application,
        policies,
        snapshot,
    } = *record
    else {
        return None;
    };
    Some(OpenedSession {
        log: log.to_owned(),
        session: Session {
            id: number_to_text(session.0),
            identity: subject.to_owned(),
            issuer: issuer.to_owned(),
            requester: requester.to_owned(),
            groups: words(groups),
            source: source.to_owned(),
            target: target.to_owned(),
            protocol: protocol.to_owned(),
            user: user.to_owned(),
            database: database.to_owned(),
            application: application.to_owned(),
            opened_ms: at.0 / 1000,
            closed_ms: None,
            how: String::new(),
            command_count: 0,
            rows: 0,
            bytes: 0,
            masked: 0,
        },
        claims: claims.to_owned(),
        policies: words(policies),
        snapshot,
    })
}

/// The members of a comma-separated list.
pub(super) fn words(list: &str) -> Vec<String> {
    list.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
