//! The one link of the process to mgmt, a Unix socket: snapshots, keys, rulings and events in; tickets, health and
//! checkpoints out. Reconnects by itself; what it cannot read ends the connection, what it cannot use is refused and
//! the last good kept. Leaves out what messages mean to sessions (the shards). Lives on executor 0.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::io;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use crossbeam::channel::Receiver;
use evidence::record::Time;
use futures_lite::io::{AsyncRead, AsyncWrite};
use glommio::net::UnixStream;
use policies::link::{Decoder, IssuerKeys, LinkError, ToDataplane, ToMgmt, encode};
use policies::snapshot::Snapshot;

use super::FromExecutor;
use super::bell::Bell;
use super::commit::{Order, Outbox, Own, PinnedTimer, is_over, now};
use super::state::State;

/// Messages that wait for a link that is down.
const BACKLOG_MAX: usize = 4096;
/// Bytes read at a time.
const READ_BYTES: usize = 64 << 10;
/// Between two tries to connect: from the first to the second.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// What a stop gives the link to send what waits.
const STOP_WAIT: Duration = Duration::from_millis(500);
/// Bytes of mgmt's events not yet recorded before no more are read.
const EVENTS_BYTES_MAX: usize = 4 << 20;
/// Numbers of events that are remembered, to record each once.
const EVENTS_REMEMBERED: usize = 4096;

/// The newest checkpoint of each log, and whether mgmt has been sent it.
#[derive(Clone, Default)]
pub(super) struct Checkpoints(Arc<Mutex<BTreeMap<String, (String, bool)>>>);

impl Checkpoints {
    /// Takes note of a log's newest checkpoint.
    fn put(&self, origin: &str, note: &str) {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        newest.insert(origin.to_owned(), (note.to_owned(), false));
    }

    /// Whoever is at the other end now has seen none.
    fn forget(&self) {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        newest.values_mut().for_each(|(_, sent)| *sent = false);
    }

    /// One that is to be sent.
    fn take(&self) -> Option<ToMgmt> {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (origin, (note, sent)) = newest.iter_mut().find(|(_, (_, sent))| !*sent)?;
        *sent = true;
        Some(ToMgmt::Checkpoint { origin: origin.clone(), note: note.clone() })
    }
}

/// Has mgmt told of new checkpoints.
#[derive(Clone, Default)]
pub(super) struct Witness {
    pub(super) checkpoints: Checkpoints,
    /// The link's.
    pub(super) bell: Bell,
}

impl Witness {
    /// A log has this checkpoint now.
    pub(super) fn tell(&self, origin: &str, note: &str) {
        self.checkpoints.put(origin, note);
        self.bell.ring();
    }
}

/// The link, connected or not.
pub(super) struct Link {
    pub(super) path: PathBuf,
    pub(super) instance: String,
    /// Every shard.
    pub(super) shards: Vec<Outbox>,
    /// What the shards say.
    pub(super) outgoing: Receiver<ToMgmt>,
    pub(super) bell: Bell,
    pub(super) checkpoints: Checkpoints,
    pub(super) state: State,
    /// Events for the evidence, and what wakes their writer.
    pub(super) own: Own,
    pub(super) own_bell: Bell,
    pub(super) order: Order,
    pub(super) known: Known,
    pub(super) backlog: VecDeque<ToMgmt>,
}

/// What mgmt has told so far.
#[derive(Default)]
pub(super) struct Known {
    snapshot: Option<Arc<Snapshot>>,
    keys: Option<Vec<IssuerKeys>>,
    events: VecDeque<u128>,
}

/// One connection.
struct Connection {
    stream: UnixStream,
    decoder: Decoder<ToDataplane>,
    buffer: Vec<u8>,
    /// The message being sent, and how much of it has been.
    sending: Option<(Vec<u8>, usize)>,
}

/// What a connection has come to.
enum Event {
    Read(usize),
    Ended(io::Error),
    Stopped,
}

impl Link {
    /// Tells the shards what was kept from the last run.
    pub(super) async fn load(&mut self) {
        match self.state.keys() {
            Ok(Some(keys)) => self.use_keys(keys).await,
            Ok(None) => {}
            Err(error) => tracing::error!(error, "the kept issuers' keys are not used"),
        }
        match self.state.snapshot() {
            Ok(Some(kept)) => {
                let age_ms = u64::try_from(kept.age.as_millis()).unwrap_or(u64::MAX);
                for shard in &self.shards {
                    let snapshot = Arc::clone(&kept.snapshot);
                    shard.tell(FromExecutor::SnapshotKept { snapshot, age_ms }).await;
                }
                self.record("snapshot-kept", &describe(&kept.snapshot));
                self.known.snapshot = Some(kept.snapshot);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error, "the kept snapshot is not used");
                self.record("snapshot-refused", &error);
                self.backlog.push_back(ToMgmt::Applied { version: 0, error: Some(error) });
            }
        }
    }

    /// Connects, again and again, until ordered to stop.
    pub(super) async fn run(mut self) {
        let mut wait = RECONNECT.0;
        while !self.order.is_stop() {
            match self.connect().await {
                Ok(stream) => {
                    tracing::info!(path = %self.path.display(), "linked to mgmt");
                    wait = RECONNECT.0;
                    match self.connected(stream).await {
                        Ok(()) => return,
                        Err(error) => tracing::warn!(%error, "the link to mgmt has ended"),
                    }
                }
                Err(error) => tracing::debug!(%error, path = %self.path.display(), "mgmt does not answer"),
            }
            self.pause(wait).await;
            wait = (wait * 2).min(RECONNECT.1);
        }
    }

    /// Connects; an order to stop ends it, should the other end not answer.
    async fn connect(&self) -> io::Result<UnixStream> {
        let mut connecting = pin!(UnixStream::connect(&self.path));
        poll_fn(|context| {
            self.bell.listen(context);
            if self.order.is_stop() {
                return Poll::Ready(Err(io::ErrorKind::Interrupted.into()));
            }
            connecting.as_mut().poll(context).map_err(io::Error::from)
        })
        .await
    }

    /// Serves one connection; `Ok` when ordered to stop.
    async fn connected(&mut self, stream: UnixStream) -> Result<(), io::Error> {
        let snapshot = self.known.snapshot.as_ref().map_or(0, |snapshot| snapshot.version());
        let shards = u16::try_from(self.shards.len()).unwrap_or(u16::MAX);
        let hello = ToMgmt::Hello { instance: self.instance.clone(), shards, snapshot };
        let hello = encode(&hello).map_err(io::Error::other)?;
        let (decoder, buffer) = (Decoder::new(), vec![0; READ_BYTES]);
        let mut connection = Connection { stream, decoder, buffer, sending: Some((hello, 0)) };
        self.checkpoints.forget();
        for shard in &self.shards {
            shard.tell(FromExecutor::Linked).await;
        }
        let mut stopping = None;
        loop {
            match poll_fn(|context| self.poll(&mut connection, &mut stopping, context)).await {
                Event::Read(length) => {
                    connection.decoder.push(connection.buffer.get(..length).unwrap_or_default());
                    while let Some(message) = connection.decoder.next().map_err(broken)? {
                        self.take(message).await;
                    }
                }
                Event::Ended(error) => return Err(error),
                Event::Stopped => return Ok(()),
            }
        }
    }

    /// Sends what waits, then reads.
    fn poll(
        &mut self,
        link: &mut Connection,
        stopping: &mut Option<PinnedTimer>,
        cx: &mut Context<'_>,
    ) -> Poll<Event> {
        self.bell.listen(cx);
        while let Some((bytes, sent)) = link.sending.take().or_else(|| self.next_message()) {
            match Pin::new(&mut link.stream).poll_write(cx, bytes.get(sent..).unwrap_or_default()) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Event::Ended(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(more)) if sent + more >= bytes.len() => {}
                Poll::Ready(Ok(more)) => link.sending = Some((bytes, sent + more)),
                Poll::Ready(Err(error)) => return Poll::Ready(Event::Ended(error)),
                Poll::Pending => {
                    link.sending = Some((bytes, sent));
                    break;
                }
            }
        }
        if self.order.is_stop() && (link.sending.is_none() || is_over(stopping, STOP_WAIT, cx)) {
            return Poll::Ready(Event::Stopped);
        }
        if self.backlog.len() >= BACKLOG_MAX {
            // The other end does not read: nothing is read from it until it does.
            return Poll::Pending;
        }
        Pin::new(&mut link.stream).poll_read(cx, &mut link.buffer).map(|read| match read {
            Ok(0) => Event::Ended(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => Event::Read(length),
            Err(error) => Event::Ended(error),
        })
    }

    /// The next message to send, encoded. One that cannot be is told of and left out.
    fn next_message(&mut self) -> Option<(Vec<u8>, usize)> {
        loop {
            let backlog = self.backlog.pop_front();
            let message =
                backlog.or_else(|| self.outgoing.try_recv().ok()).or_else(|| self.checkpoints.take())?;
            match encode(&message) {
                Ok(bytes) => return Some((bytes, 0)),
                Err(error) => tracing::error!(%error, "a message to mgmt cannot be sent"),
            }
        }
    }

    /// Waits before the next try to connect; keeps what is said meanwhile, as far as it will still be of use.
    async fn pause(&mut self, wait: Duration) {
        let mut timer = None;
        poll_fn(|context| {
            self.bell.listen(context);
            while let Ok(message) = self.outgoing.try_recv() {
                self.keep(message);
            }
            let over = self.order.is_stop() || is_over(&mut timer, wait, context);
            if over { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn keep(&mut self, message: ToMgmt) {
        // Tickets that still wait are told again once linked, health by itself.
        if matches!(message, ToMgmt::Ticket(_) | ToMgmt::Health(_)) {
            return;
        }
        if self.backlog.len() == BACKLOG_MAX {
            self.backlog.pop_front();
            tracing::warn!("mgmt is away for long: the oldest message to it is dropped");
        }
        self.backlog.push_back(message);
    }

    async fn take(&mut self, message: ToDataplane) {
        match message {
            ToDataplane::Snapshot { bytes } => self.take_snapshot(bytes).await,
            ToDataplane::Keys(keys) => {
                if self.known.keys.as_ref() != Some(&keys) {
                    let issuers: Vec<&str> = keys.iter().map(|keys| keys.issuer.as_str()).collect();
                    self.record("issuer-keys-replaced", &issuers.join(","));
                    if let Err(error) = self.state.keep_keys(&keys).await {
                        tracing::error!(%error, "the issuers' keys cannot be kept");
                    }
                }
                self.use_keys(keys).await;
            }
            ToDataplane::Ruling(ruling) => {
                for shard in &self.shards {
                    shard.tell(FromExecutor::Ruling(ruling.clone())).await;
                }
            }
            ToDataplane::Event { id, at_us, event, actor, text } => {
                if self.known.events.contains(&id) {
                    return;
                }
                while self.own.bytes() > EVENTS_BYTES_MAX && !self.order.is_stop() {
                    glommio::timer::sleep(RECONNECT.0).await;
                }
                if self.known.events.len() == EVENTS_REMEMBERED {
                    self.known.events.pop_front();
                }
                self.known.events.push_back(id);
                self.own.add(Time(at_us), &event, &actor, &text);
                self.own_bell.ring();
            }
        }
    }

    /// Takes a snapshot into use, or refuses it and keeps the last good one.
    async fn take_snapshot(&mut self, bytes: Vec<u8>) {
        let snapshot = match Snapshot::open(&bytes) {
            Ok(snapshot) => Arc::new(snapshot),
            Err(error) => {
                let error = error.to_string();
                tracing::error!(error, "mgmt's snapshot is refused");
                self.record("snapshot-refused", &error);
                self.backlog.push_back(ToMgmt::Applied { version: 0, error: Some(error) });
                return;
            }
        };
        if self.known.snapshot.as_ref().map(|known| known.digest()) != Some(snapshot.digest()) {
            self.record("snapshot-in-use", &describe(&snapshot));
        }
        if let Err(error) = self.state.keep_snapshot(&bytes).await {
            tracing::error!(%error, "the snapshot cannot be kept");
        }
        for shard in &self.shards {
            shard.tell(FromExecutor::Snapshot(Arc::clone(&snapshot))).await;
        }
        self.backlog.push_back(ToMgmt::Applied { version: snapshot.version(), error: None });
        self.known.snapshot = Some(snapshot);
    }

    async fn use_keys(&mut self, keys: Vec<IssuerKeys>) {
        let shared = Arc::new(keys.clone());
        for shard in &self.shards {
            shard.tell(FromExecutor::Keys(Arc::clone(&shared))).await;
        }
        self.known.keys = Some(keys);
    }

    fn record(&self, event: &str, text: &str) {
        self.own.add(now(), event, "gateway", text);
        self.own_bell.ring();
    }
}

fn broken(error: LinkError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// A snapshot's version and digest.
fn describe(snapshot: &Snapshot) -> String {
    let digest: String = snapshot.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("version {}, sha256 {digest}", snapshot.version())
}
