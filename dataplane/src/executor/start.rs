//! Starts and stops the executors, one thread each: recovery, first records, the link on the first one. A start fails
//! rather than begin unrecorded.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use crossbeam::channel::{Receiver, Sender, bounded};
use evidence::note::SignerKey;
use evidence::sealing::SealingKey;
use evidence::segment::Writer;
use glommio::{LocalExecutor, LocalExecutorBuilder, Placement};
use policies::link::ToMgmt;

use super::bell::Bell;
use super::commit::{Commit, Order, Outbox, Own, now};
use super::link::{Known, Link, Witness};
use super::prepare::{StartError, lock, make_folder, raise_locked_memory, read_key, take_inventory};
use super::recovery::recover;
use super::segments::Log;
use super::state::State;
use super::{BATCHES_MAX, Batch, ExecutorConfig, FromExecutor, Handle, INBOX_MAX, OUTGOING_MAX};
use crate::sys::affinity;
use crate::sys::wake::Wake;

/// Memory that each executor registers with the kernel for direct I/O.
const IO_MEMORY_BYTES: usize = 4 << 20;
/// Operations under way in each executor at the most.
const RING_DEPTH: usize = 64;
/// Starts one executor for each of `shards`: it holds the shard's log, recovered and going on. Returns when each has
/// written its first record.
pub fn start(config: &ExecutorConfig, shards: usize) -> Result<Running, StartError> {
    let signer = read_key::<SignerKey>(&config.signing_key)?;
    let sealing = read_key::<SealingKey>(&config.sealing_key)?;
    raise_locked_memory()?;
    make_folder(&config.evidence_dir)?;
    make_folder(&config.state_dir)?;
    let lock = lock(&config.evidence_dir)?;
    let logs: Vec<String> = (0..shards).map(|shard| shard.to_string()).collect();
    let orphans = take_inventory(&config.evidence_dir, &logs, &signer)?;

    let cores = affinity::cores().unwrap_or_default();
    let (outgoing, from_shards) = bounded(OUTGOING_MAX);
    let witness = Witness::default();
    let mut ends: Vec<Ends> = (0..shards).map(|_| Ends::new()).collect::<Result<_, _>>()?;
    let outboxes: Vec<Outbox> = ends.iter().map(|ends| ends.outbox.clone()).collect();
    let handles = ends.iter_mut().filter_map(|ends| ends.handle(&outgoing, &witness.bell)).collect();

    let mut executors = Executors { threads: Vec::new(), _lock: lock };
    for (shard, (ends, name)) in ends.into_iter().zip(&logs).enumerate() {
        // With fewer cores than shards they are left to the scheduler, as the shards are.
        let placement = match cores.get(shard) {
            Some(core) if shards <= cores.len() => Placement::Fixed(*core),
            _ => Placement::Unbound,
        };
        let first = (shard == 0).then(|| First {
            orphans: orphans.clone(),
            link: config.link.clone(),
            state: State { folder: config.state_dir.clone() },
            outgoing: from_shards.clone(),
            shards: outboxes.clone(),
        });
        let plan = Plan {
            name: name.clone(),
            config: config.clone(),
            signer: signer.clone(),
            sealing: sealing.clone(),
            ends,
            witness: witness.clone(),
            first,
        };
        executors.threads.push(plan.spawn(placement)?);
    }
    executors.await_ready()?;
    Ok(Running { handles, executors })
}

/// Started executors and the shards' ends of them.
pub struct Running {
    handles: Vec<Handle>,
    executors: Executors,
}

impl Running {
    /// The handles, one for each shard, and what stops the executors.
    pub fn split(self) -> (Vec<Handle>, Executors) {
        (self.handles, self.executors)
    }
}

/// The running executors. Dropped without [`Executors::stop`], they end at once as if killed.
pub struct Executors {
    threads: Vec<Executor>,
    _lock: File,
}

struct Executor {
    thread: Option<JoinHandle<Result<(), StartError>>>,
    order: Order,
    bell: Bell,
    ready: Receiver<()>,
}

impl Executors {
    /// Writes what was handed over, the last records and checkpoints, then ends the executors. The shards must have
    /// ended: what they hand over later is not recorded.
    pub fn stop(mut self) -> Result<(), StartError> {
        let mut first = Ok(());
        // The first one last: its link tells mgmt of the others' checkpoints.
        while let Some(mut executor) = self.threads.pop() {
            executor.order.stop();
            executor.bell.ring();
            let ended = executor.join();
            first = first.and(ended);
        }
        first
    }

    /// Waits until each has written its first record.
    fn await_ready(&mut self) -> Result<(), StartError> {
        for executor in &mut self.threads {
            if executor.ready.recv().is_err() {
                executor.join()?;
                return Err(StartError::Executor("it ended early".into()));
            }
        }
        Ok(())
    }
}

impl Drop for Executors {
    fn drop(&mut self) {
        for executor in &mut self.threads {
            executor.order.abort();
            executor.bell.ring();
        }
        for executor in &mut self.threads {
            // Nobody is there to hear of it.
            let _ = executor.join();
        }
    }
}

impl Executor {
    fn join(&mut self) -> Result<(), StartError> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(_)) => Err(StartError::Executor("it panicked".into())),
            None => Ok(()),
        }
    }
}

/// One executor's queues.
struct Ends {
    submit: Option<Sender<Batch>>,
    batches: Receiver<Batch>,
    bell: Bell,
    inbox: Receiver<FromExecutor>,
    outbox: Outbox,
    order: Order,
}

impl Ends {
    fn new() -> Result<Self, StartError> {
        let wake = Wake::new().map_err(|error| StartError::Io { path: "eventfd".into(), error })?;
        let (submit, batches) = bounded(BATCHES_MAX);
        let (sender, inbox) = bounded(INBOX_MAX);
        let order = Order::default();
        let outbox = Outbox { sender, wake, order: order.clone() };
        Ok(Self { submit: Some(submit), batches, bell: Bell::default(), inbox, outbox, order })
    }

    /// The shard's ends, once.
    fn handle(&mut self, outgoing: &Sender<ToMgmt>, link_bell: &Bell) -> Option<Handle> {
        Some(Handle {
            batches: self.submit.take()?,
            bell: self.bell.clone(),
            inbox: self.inbox.clone(),
            wake: self.outbox.wake.clone(),
            outgoing: outgoing.clone(),
            link_bell: link_bell.clone(),
        })
    }
}

/// What one executor is to do; moved to its thread.
struct Plan {
    name: String,
    config: ExecutorConfig,
    signer: SignerKey,
    sealing: SealingKey,
    ends: Ends,
    witness: Witness,
    first: Option<First>,
}

/// What the first executor does beside.
struct First {
    orphans: Vec<String>,
    link: PathBuf,
    state: State,
    outgoing: Receiver<ToMgmt>,
    shards: Vec<Outbox>,
}

/// Tells the shard, should the executor end in any other way than by order.
struct Alarm(Outbox, Order);

impl Drop for Alarm {
    fn drop(&mut self) {
        if !self.1.is_stop() {
            self.0.tell_last(FromExecutor::RecordingFailed("the executor has ended".into()));
        }
    }
}

impl Plan {
    fn spawn(self, placement: Placement) -> Result<Executor, StartError> {
        let (order, bell) = (self.ends.order.clone(), self.ends.bell.clone());
        let (tell_ready, ready) = bounded(1);
        let alarm = Alarm(self.ends.outbox.clone(), order.clone());
        let builder = thread::Builder::new().name(format!("evidence-{}", self.name));
        let thread = builder.spawn(move || {
            let _alarm = alarm;
            let executor = make_executor(placement)?;
            executor.run(self.run(tell_ready))
        });
        let thread = thread.map_err(|error| StartError::Executor(error.to_string()))?;
        Ok(Executor { thread: Some(thread), order, bell, ready })
    }

    async fn run(mut self, ready: Sender<()>) -> Result<(), StartError> {
        let own = Own::default();
        let log = self.open(&self.name, &own).await?;
        let first = self.first.take();
        let mut link = None;
        if let Some(first) = first {
            for orphan in &first.orphans {
                let log = self.open(orphan, &Own::default()).await?;
                log.close().await.map_err(|error| self.at(orphan, error))?;
            }
            let mut made = self.link(first, &own);
            made.load().await;
            let order = made.order.clone();
            link = Some((glommio::spawn_local(made.run()), order));
        }
        let _ = ready.send(());
        drop(ready);
        let commit = self.commit(log, own);
        let ended = commit.run().await.map_err(|error| StartError::Stop(error.to_string()));
        if let Some((task, order)) = link {
            order.stop();
            self.witness.bell.ring();
            task.await;
        }
        ended
    }

    /// Recovers a log and writes its first records, so that what can fail fails now.
    async fn open(&self, name: &str, own: &Own) -> Result<Log, StartError> {
        let folder = self.config.evidence_dir.join(name);
        make_folder(&folder)?;
        let origin = format!("{}/{name}", self.config.instance);
        let resumed = recover(&folder, &origin, self.signer.verifier())?;
        let writer = Writer::new(&origin, self.signer.clone(), self.sealing.clone(), resumed.tree.clone())?;
        let mut log = Log::new(folder, writer, self.config.segment_bytes, &resumed)?;
        if resumed.new {
            log.write_checkpoint().await.map_err(|error| self.at(name, error))?;
        }
        if resumed.torn_bytes > 0 {
            let text = format!("{} bytes after leaf {}", resumed.torn_bytes, resumed.tree.size());
            tracing::warn!(log = origin, bytes = resumed.torn_bytes, "a torn tail is cut");
            own.add(now(), "torn-tail-cut", "gateway", &text);
        }
        if name == self.name {
            let text =
                format!("{origin} from leaf {}, version {}", resumed.tree.size(), env!("CARGO_PKG_VERSION"));
            own.add(now(), "recording-started", "gateway", &text);
        }
        if own.bytes() > 0 {
            log.seal([own.take().as_slice()].into_iter())?;
            log.write().await.map_err(|error| self.at(name, error))?;
            log.write_checkpoint().await.map_err(|error| self.at(name, error))?;
        }
        self.witness.tell(log.origin(), log.checkpoint());
        Ok(log)
    }

    fn link(&self, first: First, own: &Own) -> Link {
        Link {
            path: first.link,
            instance: self.config.instance.clone(),
            shards: first.shards,
            outgoing: first.outgoing,
            bell: self.witness.bell.clone(),
            checkpoints: self.witness.checkpoints.clone(),
            state: first.state,
            own: own.clone(),
            own_bell: self.ends.bell.clone(),
            order: Order::default(),
            known: Known::default(),
            backlog: VecDeque::new(),
        }
    }

    fn commit(&self, log: Log, own: Own) -> Commit {
        Commit {
            log,
            batches: self.ends.batches.clone(),
            bell: self.ends.bell.clone(),
            outbox: self.ends.outbox.clone(),
            own,
            order: self.ends.order.clone(),
            witness: self.witness.clone(),
        }
    }

    fn at(&self, log: &str, error: io::Error) -> StartError {
        StartError::Io { path: self.config.evidence_dir.join(log), error }
    }
}

fn make_executor(placement: Placement) -> Result<LocalExecutor, StartError> {
    let builder = LocalExecutorBuilder::new(placement).io_memory(IO_MEMORY_BYTES).ring_depth(RING_DEPTH);
    builder.make().map_err(|error| StartError::Executor(error.to_string()))
}
