//! One shard's recording: gathers batches, commits them as a group, tells the shard. Where the disk fails it says so
//! at once, keeps what it has, tries again and says when it works again. Lives on its executor's core.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam::channel::{Receiver, Sender, TrySendError};
use evidence::record::{Record, Time};
use glommio::timer::Timer;

use super::bell::Bell;
use super::link::Witness;
use super::segments::Log;
use super::{Batch, FromExecutor};
use crate::sys::wake::Wake;

/// Bytes of batches that are committed as one group at the most, beside the last one taken.
pub(super) const GROUP_BYTES: usize = 8 << 20;
/// How long batches gather that nobody waits for.
const GATHER: Duration = Duration::from_millis(20);
/// Between two writes of the checkpoint file.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// Between two tries where the disk fails: from the first to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Tries that a stop waits for.
const STOP_TRIES: u32 = 20;
/// A shard that does not read its messages is asked again after this.
const SHARD_BUSY: Duration = Duration::from_millis(1);

/// What the executors are to do, set from outside.
#[derive(Clone, Default)]
pub(super) struct Order(Arc<AtomicU8>);

const GO: u8 = 0;
const STOP: u8 = 1;
const ABORT: u8 = 2;

impl Order {
    /// Write what is there, then end.
    pub(super) fn stop(&self) {
        self.0.fetch_max(STOP, Ordering::Release);
    }

    /// End at once, as if killed.
    pub(super) fn abort(&self) {
        self.0.fetch_max(ABORT, Ordering::Release);
    }

    pub(super) fn is_stop(&self) -> bool {
        self.0.load(Ordering::Acquire) != GO
    }

    pub(super) fn is_abort(&self) -> bool {
        self.0.load(Ordering::Acquire) == ABORT
    }
}

/// What the executor says to its shard.
#[derive(Clone)]
pub(super) struct Outbox {
    pub(super) sender: Sender<FromExecutor>,
    pub(super) wake: Wake,
    /// The executor's: once it is to stop, nobody waits for the shard.
    pub(super) order: Order,
}

impl Outbox {
    /// Delivers a message and wakes the shard.
    pub(super) async fn tell(&self, message: FromExecutor) {
        self.post(message).await;
        self.wake.wake();
    }

    /// Delivers a message; waits where the shard is behind. A shard that is gone hears nothing.
    async fn post(&self, message: FromExecutor) {
        let mut message = message;
        while let Err(TrySendError::Full(back)) = self.sender.try_send(message)
            && !self.order.is_stop()
        {
            message = back;
            self.wake.wake();
            glommio::timer::sleep(SHARD_BUSY).await;
        }
    }

    /// As [`Outbox::tell`] where nothing can be awaited: for an executor that fails.
    pub(super) fn tell_last(&self, message: FromExecutor) {
        let _ = self.sender.try_send(message);
        self.wake.wake();
    }
}

/// Records of the executor itself and of mgmt, to be written with the next group.
#[derive(Clone, Default)]
pub(super) struct Own(Rc<RefCell<Vec<u8>>>);

impl Own {
    /// Adds an event of the gateway.
    pub(super) fn add(&self, at: Time, event: &str, actor: &str, text: &str) {
        let record = Record::System { at, event, actor, text };
        if record.encode_framed(&mut self.0.borrow_mut()).is_err() {
            let record = Record::System { at, event, actor, text: "(too long to record)" };
            let _ = record.encode_framed(&mut self.0.borrow_mut());
        }
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.0.borrow().len()
    }

    pub(super) fn take(&self) -> Vec<u8> {
        self.0.take()
    }
}

/// Now, for records.
pub(super) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

/// One shard's recording.
pub(super) struct Commit {
    pub(super) log: Log,
    pub(super) batches: Receiver<Batch>,
    pub(super) bell: Bell,
    pub(super) outbox: Outbox,
    pub(super) own: Own,
    pub(super) order: Order,
    /// Told of each new checkpoint.
    pub(super) witness: Witness,
}

/// Batches that are committed together.
#[derive(Default)]
struct Group {
    batches: Vec<Batch>,
    bytes: usize,
    own: Vec<u8>,
    /// Someone waits for it.
    urgent: bool,
}

pub(super) type PinnedTimer = Pin<Box<Timer>>;

impl Commit {
    /// Runs until ordered to stop. An error means that something may not be recorded.
    pub(super) async fn run(mut self) -> io::Result<()> {
        let mut checkpoint_due: Option<PinnedTimer> = None;
        loop {
            let mut group = Group::default();
            self.gather(&mut group, &mut checkpoint_due).await;
            if self.order.is_abort() {
                return Ok(());
            }
            let stopping = self.order.is_stop();
            let last = stopping && self.batches.is_empty();
            if last {
                self.own.add(now(), "recording-stopped", "gateway", "");
            }
            group.own = self.own.take();
            if !group.is_empty() {
                self.commit(group).await?;
            }
            if last {
                break;
            }
            self.checkpoint(&mut checkpoint_due).await;
        }
        if self.log.is_checkpoint_due() {
            self.log.write_checkpoint().await?;
            self.witness.tell(self.log.origin(), self.log.checkpoint());
        }
        self.log.close().await
    }

    /// Takes batches until someone waits for one, they are many, or they have gathered long enough.
    async fn gather(&self, group: &mut Group, checkpoint_due: &mut Option<PinnedTimer>) {
        let mut gathered: Option<PinnedTimer> = None;
        poll_fn(|context| {
            self.bell.listen(context);
            while group.bytes < GROUP_BYTES
                && let Ok(batch) = self.batches.try_recv()
            {
                group.take(batch);
            }
            let full = group.urgent || group.bytes >= GROUP_BYTES;
            let waiting = !group.batches.is_empty() || self.own.bytes() > 0;
            if full || self.order.is_stop() || (waiting && is_over(&mut gathered, GATHER, context)) {
                return Poll::Ready(());
            }
            if checkpoint_due.is_some() && is_over(checkpoint_due, CHECKPOINT_EVERY, context) {
                return Poll::Ready(());
            }
            Poll::Pending
        })
        .await;
    }

    /// Brings the group to disk, however long it takes, and tells the shard.
    async fn commit(&mut self, group: Group) -> io::Result<()> {
        let batches = group.batches.iter().map(|batch| batch.bytes.as_slice()).chain([group.own.as_slice()]);
        if let Err(error) = self.log.seal(batches) {
            // What cannot be sealed can never be recorded: nothing may be forwarded from here on.
            tracing::error!(%error, log = self.log.origin(), "records cannot be sealed: recording has ended");
            self.outbox.tell(FromExecutor::RecordingFailed(error.to_string())).await;
            self.ordered().await;
            return Err(io::Error::other(error));
        }
        if let Err(error) = self.log.write().await {
            self.retry(error).await?;
        }
        let upto = group.batches.iter().filter_map(|batch| batch.durable).max();
        if let Some(upto) = upto {
            self.outbox.post(FromExecutor::Committed { upto }).await;
        }
        for batch in group.batches {
            self.outbox.post(FromExecutor::Recycled(batch.bytes)).await;
        }
        self.outbox.wake.wake();
        Ok(())
    }

    /// The disk does not take the group: says so, and tries until it does.
    async fn retry(&mut self, first: io::Error) -> io::Result<()> {
        tracing::error!(error = %first, log = self.log.origin(), "evidence cannot be written");
        let since = Instant::now();
        self.outbox.tell(FromExecutor::RecordingFailed(first.to_string())).await;
        let (mut wait, mut stop_tries) = (RETRY.0, 0);
        loop {
            self.pause(wait, stop_tries > 0).await;
            if self.order.is_abort() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match self.log.write().await {
                Ok(()) => break,
                Err(error) if self.order.is_stop() && stop_tries == STOP_TRIES => return Err(error),
                Err(_) if self.order.is_stop() => stop_tries += 1,
                Err(_) => wait = (wait * 2).min(RETRY.1),
            }
            if stop_tries > 0 {
                wait = RETRY.0;
            }
        }
        let text = format!("after {} ms: {first}", since.elapsed().as_millis());
        self.own.add(now(), "recording-resumed", "gateway", &text);
        self.outbox.tell(FromExecutor::RecordingResumed).await;
        Ok(())
    }

    /// Waits for an order to end: the link beside goes on.
    async fn ordered(&self) {
        poll_fn(|context| {
            self.bell.listen(context);
            if self.order.is_stop() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Waits; an order ends it early, unless one is being carried out already.
    async fn pause(&self, wait: Duration, ordered: bool) {
        let mut timer = None;
        poll_fn(|context| {
            self.bell.listen(context);
            let ended = self.order.is_abort() || (self.order.is_stop() && !ordered);
            if ended || is_over(&mut timer, wait, context) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Writes the checkpoint file where it is due: at once after a pause, then once in [`CHECKPOINT_EVERY`].
    async fn checkpoint(&mut self, due: &mut Option<PinnedTimer>) {
        let waited = poll_fn(|context| {
            let over = due.as_mut().is_none_or(|timer| timer.as_mut().poll(context).is_ready());
            Poll::Ready(over)
        })
        .await;
        if !waited {
            return;
        }
        *due = None;
        if !self.log.is_checkpoint_due() {
            return;
        }
        if let Err(error) = self.log.write_checkpoint().await {
            // Every frame holds its own checkpoint: this one is tried again with the next.
            tracing::warn!(%error, log = self.log.origin(), "the checkpoint file cannot be written");
        }
        self.witness.tell(self.log.origin(), self.log.checkpoint());
        *due = Some(Box::pin(Timer::new(CHECKPOINT_EVERY)));
    }
}

impl Group {
    fn take(&mut self, batch: Batch) {
        self.bytes += batch.bytes.len();
        self.urgent |= batch.durable.is_some();
        self.batches.push(batch);
    }

    fn is_empty(&self) -> bool {
        self.batches.is_empty() && self.own.is_empty()
    }
}

/// Polls a timer, which is begun where there is none; once over it is taken away.
pub(super) fn is_over(timer: &mut Option<PinnedTimer>, wait: Duration, context: &mut Context<'_>) -> bool {
    let over = timer.get_or_insert_with(|| Box::pin(Timer::new(wait))).as_mut().poll(context).is_ready();
    if over {
        *timer = None;
    }
    over
}
