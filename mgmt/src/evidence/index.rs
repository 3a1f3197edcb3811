//! Follows the evidence's files and keeps the index of sessions in the store. Each frame is checked against the
//! signature on its checkpoint, and that it follows the one before, before anything of it is taken; where that fails the
//! index stops at that place and says so.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::evidence::note::VerifierKey;
use ::evidence::record::{Record, SessionId};
use ::evidence::sealing::SealingKey;
use ::evidence::segment::{Frame, first_leaf_of};
use sqlx::{Sqlite, Transaction};

use super::files;
use crate::api::types::Session;
use crate::store::{
    FramePlace, OpenedSession, Store, StoreError, Tail, Totals, events, number_to_text, sessions,
};

/// The files are looked at so often, beside each time that somebody asks.
const EVERY: Duration = Duration::from_secs(5);
/// Frames taken in one go of one log; then the next log has its turn.
const FRAMES_MAX: usize = 256;

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
    dir: PathBuf,
    public: VerifierKey,
    sealing: SealingKey,
    /// One reads at a time.
    reading: tokio::sync::Mutex<()>,
    trouble: Mutex<String>,
}

/// One opened frame with what it adds to the index.
struct Taken {
    place: FramePlace,
    next: Tail,
    records: Vec<Change>,
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
        Self { store, dir, public, sealing, reading, trouble }
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

    pub(super) fn dir(&self) -> &PathBuf {
        &self.dir
    }

    pub(super) fn public(&self) -> &VerifierKey {
        &self.public
    }

    pub(super) fn sealing(&self) -> &SealingKey {
        &self.sealing
    }

    async fn read_all(&self) -> Result<(), IndexError> {
        let mut result = Ok(());
        let mut logs = files::logs(&self.dir)?;
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
        let mut tail = self.store.tail(log).await?;
        for _ in 0..FRAMES_MAX {
            let Some(taken) = self.next(log, &tail)? else { return Ok(false) };
            self.keep(log, &taken).await?;
            tail = taken.next;
        }
        Ok(true)
    }

    /// The next frame of a log, if it is there.
    fn next(&self, log: &str, tail: &Tail) -> Result<Option<Taken>, IndexError> {
        let segments = files::segments(&self.dir, log)?;
        let (mut file, mut offset) = (tail.file.clone(), tail.offset);
        if file.is_empty() {
            let Some(first) = segments.first() else { return Ok(None) };
            (file, offset) = (first.clone(), 0);
        }
        let mut bytes = files::frame(&self.dir, log, &file, offset)?;
        if bytes.is_none() {
            // The next segment begins where this one has come to; before it is there, this one's end is still open.
            let following =
                segments.iter().find(|name| first_leaf_of(name) == Some(tail.size) && **name > file);
            let Some(following) = following else { return self.missing(log, tail, &segments) };
            (file, offset) = (following.clone(), 0);
            bytes = files::frame(&self.dir, log, &file, offset)?;
        }
        let Some(bytes) = bytes else { return Ok(None) };
        self.open(log, FramePlace { file, offset }, tail, &bytes).map(Some)
    }

    /// No frame is next: the log's end, unless later segments show that something is gone.
    fn missing(&self, log: &str, tail: &Tail, segments: &[String]) -> Result<Option<Taken>, IndexError> {
        let later = segments.iter().filter_map(|name| first_leaf_of(name)).any(|first| first > tail.size);
        if !later || tail.file.is_empty() {
            return Ok(None);
        }
        let cause = format!("later segments are there, and none begins at leaf {}", tail.size);
        Err(IndexError::Fault { log: log.to_owned(), file: tail.file.clone(), offset: tail.offset, cause })
    }

    fn open(&self, log: &str, place: FramePlace, tail: &Tail, bytes: &[u8]) -> Result<Taken, IndexError> {
        let fault = |cause: String| IndexError::Fault {
            log: log.to_owned(),
            file: place.file.clone(),
            offset: place.offset,
            cause,
        };
        let frame = Frame::parse(bytes).map_err(|error| fault(error.to_string()))?;
        if frame.first_leaf() != tail.size {
            return Err(fault(format!("begins at leaf {}, due is {}", frame.first_leaf(), tail.size)));
        }
        frame.verify(&self.public).map_err(|error| fault(error.to_string()))?;
        let opened = frame.open(&self.sealing).map_err(|error| fault(error.to_string()))?;
        let mut records = Vec::new();
        for entry in opened.entries() {
            let record = entry.record().map_err(|error| fault(error.to_string()))?;
            records.extend(change(log, &record));
        }
        let offset = place.offset + frame.bytes() as u64;
        let next = Tail { file: place.file.clone(), offset, size: frame.size() };
        Ok(Taken { place, next, records })
    }

    async fn keep(&self, log: &str, taken: &Taken) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        let mut last = None;
        for change in &taken.records {
            let touched = keep_change(&mut transaction, change).await?;
            if touched.is_some() && touched != last {
                last = touched;
                if let Some(session) = touched {
                    sessions::add_frame_in(&mut transaction, session, &taken.place).await?;
                }
            }
        }
        sessions::set_tail_in(&mut transaction, log, &taken.next).await?;
        Ok(transaction.commit().await?)
    }
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
