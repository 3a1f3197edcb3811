//! The process's glommio side: beside each shard an executor on the same core that writes its evidence, and on the
//! first one the link to mgmt. Shards are plain threads and talk to it through [`Handle`]. Leaves out what records
//! and messages mean.
//!
//! - commit.rs: group commit of one shard's batches; segments.rs: its files; recovery.rs: what the last run left.
//! - link.rs: the link; state.rs: what mgmt said last, kept for a start without it.
//! - start.rs, prepare.rs: how they begin and end.
//! - bell.rs: how a plain thread wakes a parked executor.

mod bell;
mod commit;
mod link;
mod prepare;
mod recovery;
mod segments;
mod start;
mod state;

use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam::channel::{Receiver, Sender, TrySendError};
use policies::link::{IssuerKeys, TicketRuling, ToMgmt};
use policies::snapshot::Snapshot;

use crate::sys::wake::Wake;
use bell::Bell;

pub use prepare::StartError;
pub use recovery::RecoveryError;
pub use start::{Executors, Running, start};

/// Batches that wait for one executor.
pub const BATCHES_MAX: usize = 1024;
/// Messages that wait for one shard.
pub const INBOX_MAX: usize = 4096;
/// Messages of all shards that wait for the link.
pub const OUTGOING_MAX: usize = 4096;

/// Where executors find things.
#[derive(Clone, Debug)]
pub struct ExecutorConfig {
    /// The instance's name: the first part of its logs' origins.
    pub instance: String,
    /// The evidence folder.
    pub evidence_dir: PathBuf,
    /// File of the key that signs checkpoints (signed-note form).
    pub signing_key: PathBuf,
    /// File of the key that seals records (32 bytes in base64).
    pub sealing_key: PathBuf,
    /// Bytes after which a segment is full.
    pub segment_bytes: u64,
    /// Where the last good snapshot and keys are kept.
    pub state_dir: PathBuf,
    /// mgmt's Unix socket.
    pub link: PathBuf,
}

/// Records that a shard hands over.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch {
    /// u32 little-endian length and record, repeated: [`evidence::record::Record::encode_framed`].
    pub bytes: Vec<u8>,
    /// The batch is committed at once, and `Committed { upto }` of at least this number says when. Numbers rise.
    pub durable: Option<u64>,
}

/// What an executor tells its shard.
#[derive(Clone)]
pub enum FromExecutor {
    /// Every batch up to this number is on disk.
    Committed {
        /// The batch's number.
        upto: u64,
    },
    /// The buffer of a batch that is on disk, as it was handed over.
    Recycled(Vec<u8>),
    /// Evidence cannot be written, and why. What was handed over is kept and tried again.
    RecordingFailed(String),
    /// Evidence can be written again.
    RecordingResumed,
    /// A snapshot to use, or the one in use confirmed by mgmt: its age begins anew.
    Snapshot(Arc<Snapshot>),
    /// The last run's snapshot, at start, and how long ago mgmt confirmed it: its age goes on from there.
    SnapshotKept {
        /// The snapshot, younger than its maximum age.
        snapshot: Arc<Snapshot>,
        /// Milliseconds since mgmt confirmed it.
        age_ms: u64,
    },
    /// Signing keys of every issuer; replaces what was sent before.
    Keys(Arc<Vec<IssuerKeys>>),
    /// What people said of a ticket, which may be another shard's.
    Ruling(TicketRuling),
    /// The link to mgmt is up (again): it is told anew of every ticket that waits.
    Linked,
}

/// A shard's end of its executor. May move to the shard's thread.
pub struct Handle {
    batches: Sender<Batch>,
    bell: Bell,
    inbox: Receiver<FromExecutor>,
    wake: Wake,
    outgoing: Sender<ToMgmt>,
    link_bell: Bell,
}

impl Handle {
    /// Hands over a batch; [`Handle::wake`] then has it looked at. Gives it back where the executor is behind.
    pub fn try_submit(&self, batch: Batch) -> Result<(), Batch> {
        self.batches.try_send(batch).map_err(TrySendError::into_inner)
    }

    /// Wakes the executor, once for any number of batches.
    pub fn wake(&self) {
        self.bell.ring();
    }

    /// What the executor says.
    pub fn inbox(&self) -> &Receiver<FromExecutor> {
        &self.inbox
    }

    /// Readable when there is something in the inbox.
    pub fn event_fd(&self) -> RawFd {
        self.wake.descriptor()
    }

    /// Takes the event; to be done before the inbox is read empty.
    pub fn clear_event(&self) {
        self.wake.take();
    }

    /// Tells mgmt, once the link is up. Gives the message back where too many wait.
    pub fn tell_mgmt(&self, message: ToMgmt) -> Result<(), Box<ToMgmt>> {
        self.outgoing.try_send(message).map_err(|refused| Box::new(refused.into_inner()))?;
        self.link_bell.ring();
        Ok(())
    }
}
