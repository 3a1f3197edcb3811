//! The one source of wall-clock time in mgmt, so that tests set it instead of waiting. Leaves out timers: what recurs
//! is driven by tokio and asks this clock what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock; clones tell the same time.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Milliseconds since the Unix epoch; `None`: the system's clock.
    set: Option<Arc<AtomicU64>>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at `now_ms` until it is moved.
    pub fn standing(now_ms: u64) -> Self {
        Self { set: Some(Arc::new(AtomicU64::new(now_ms))) }
    }

    /// Moves a standing clock on; without effect on the system's.
    pub fn advance_ms(&self, by_ms: u64) {
        if let Some(set) = &self.set {
            set.fetch_add(by_ms, Ordering::SeqCst);
        }
    }

    /// Unix time in milliseconds. Before 1970 it is 0, and then no token is valid yet.
    pub fn now_ms(&self) -> u64 {
        match &self.set {
            Some(set) => set.load(Ordering::SeqCst),
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
        }
    }

    /// Unix time in seconds.
    pub fn now_s(&self) -> u64 {
        self.now_ms() / 1000
    }
}
