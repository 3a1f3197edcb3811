//! Session recording, the shard's side: records are encoded into one buffer, handed to the core's executor once a
//! group commit, and waited for where policy says so. Leaves out files, trees and signatures. Lives on its core.

use evidence::record::Record;

use crate::executor::{Batch, Handle};
use crate::limits::{RECORD_BACKLOG_BYTES_MAX, RECORD_BATCH_BYTES};

/// Collects records.
pub struct Recorder {
    handle: Handle,
    pending: Vec<u8>,
    /// When `pending` must be handed over, by the most urgent of its records.
    due_ms: Option<u64>,
    /// Buffers that came back.
    spare: Vec<Vec<u8>>,
    /// Bytes handed over and not yet written.
    under_way_bytes: usize,
    /// Number of the batch that `pending` will be.
    batch: u64,
    /// Someone waits for `pending` to be on disk.
    awaited: bool,
    /// The executor has no place for a batch: it is tried again when one comes back.
    refused: bool,
    /// Every batch up to this one is on disk.
    committed: u64,
    failure: Option<String>,
}

impl Recorder {
    /// A recorder over its core's executor.
    pub fn new(handle: Handle) -> Self {
        Self {
            handle,
            pending: Vec::with_capacity(RECORD_BATCH_BYTES * 2),
            due_ms: None,
            spare: Vec::new(),
            under_way_bytes: 0,
            batch: 1,
            awaited: false,
            refused: false,
            committed: 0,
            failure: None,
        }
    }

    /// The executor, for its inbox and the link to mgmt.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Appends a record, which waits at most `gather_ms` for others before it is handed over.
    pub fn append(&mut self, record: &Record<'_>, now_ms: u64, gather_ms: u64) {
        let start = self.pending.len();
        self.pending.extend_from_slice(&[0; 4]);
        record.encode(&mut self.pending);
        let length = (self.pending.len() - start - 4) as u32;
        if let Some(place) = self.pending.get_mut(start..start + 4) {
            place.copy_from_slice(&length.to_le_bytes());
        }
        let due = now_ms + gather_ms;
        self.due_ms = Some(self.due_ms.map_or(due, |known| known.min(due)));
    }

    /// The number of the batch that holds all records appended so far, which is then committed without delay.
    pub fn commit(&mut self) -> u64 {
        if self.pending.is_empty() {
            return self.batch - 1;
        }
        self.awaited = true;
        self.batch
    }

    /// Whether the batch is on disk.
    pub fn is_committed(&self, batch: u64) -> bool {
        self.committed >= batch
    }

    /// When what is pending must be handed over.
    pub fn due_ms(&self) -> Option<u64> {
        if self.refused {
            return None;
        }
        self.due_ms.map(|due| if self.awaited { 0 } else { due })
    }

    /// Hands over what is pending, if it is due or much.
    pub fn flush(&mut self, now_ms: u64) {
        let due = self.due_ms().is_some_and(|due| due <= now_ms);
        if due || (self.pending.len() >= RECORD_BATCH_BYTES && !self.refused) {
            self.hand_over();
        }
    }

    /// Hands over what is pending.
    pub fn hand_over(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let next = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(RECORD_BATCH_BYTES * 2));
        let bytes = std::mem::replace(&mut self.pending, next);
        let length = bytes.len();
        match self.handle.try_submit(Batch { bytes, durable: Some(self.batch) }) {
            Ok(()) => {
                self.under_way_bytes += length;
                self.batch += 1;
                self.due_ms = None;
                self.awaited = false;
                self.handle.wake();
            }
            Err(refused) => {
                let empty = std::mem::replace(&mut self.pending, refused.bytes);
                self.spare.push(empty);
                self.refused = true;
            }
        }
    }

    /// A batch has been written; its buffer comes back.
    pub fn recycled(&mut self, mut buffer: Vec<u8>) {
        self.refused = false;
        self.under_way_bytes = self.under_way_bytes.saturating_sub(buffer.len());
        buffer.clear();
        if self.spare.len() < 8 {
            self.spare.push(buffer);
        }
    }

    /// Batches up to `upto` are on disk.
    pub fn committed(&mut self, upto: u64) {
        self.committed = self.committed.max(upto);
    }

    /// Whether there is room for more records: the bound behind which nothing is forwarded.
    pub fn has_room(&self) -> bool {
        self.pending.len() + self.under_way_bytes < RECORD_BACKLOG_BYTES_MAX
    }

    /// Recording has failed, or works again.
    pub fn set_failure(&mut self, failure: Option<String>) {
        self.failure = failure;
    }

    /// Why nothing is recorded now, if that is so.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}
