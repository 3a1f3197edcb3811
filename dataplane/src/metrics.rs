//! Counts of one shard, read by whoever reports health. Relaxed atomics: one writer each, nothing is ordered by them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that one shard writes and others read.
#[derive(Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Subtracts.
    pub fn sub(&self, less: u64) {
        self.0.fetch_sub(less, Ordering::Relaxed);
    }

    /// Reads.
    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One shard's counts.
#[derive(Default)]
pub struct ShardMetrics {
    /// Open sessions.
    pub sessions: Count,
    /// Commands ruled on.
    pub commands: Count,
    /// Commands refused.
    pub refused: Count,
    /// Commands held now.
    pub held: Count,
    /// Card numbers masked.
    pub masked: Count,
    /// Logins refused.
    pub logins_refused: Count,
    /// Connections that could not go on.
    pub failures: Count,
}

/// All shards' counts.
pub type Metrics = Arc<[Arc<ShardMetrics>]>;

/// Fresh counts for so many shards.
pub fn metrics(shards: usize) -> Metrics {
    (0..shards).map(|_| Arc::new(ShardMetrics::default())).collect()
}

/// The sum over all shards of one count.
pub fn sum(metrics: &Metrics, count: impl Fn(&ShardMetrics) -> &Count) -> u64 {
    metrics.iter().map(|shard| count(shard).read()).sum()
}
