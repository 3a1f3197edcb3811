//! Open sessions over all shards, counted by name. Asked at login only, so a mutex serves; leaves out what the names
//! mean.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many sessions may be open under one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota<'a> {
    /// What is counted.
    pub name: &'a str,
    /// At most so many at a time.
    pub sessions_max: u64,
}

/// A name has as many sessions as it may.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} has as many sessions open as it may: {sessions_max}")]
pub struct QuotaReached {
    /// Which.
    pub name: String,
    /// How many it may have.
    pub sessions_max: u64,
}

/// The counts; cloned to every shard.
#[derive(Clone, Debug, Default)]
pub struct SessionCounts {
    open: Arc<Mutex<HashMap<Arc<str>, u64>>>,
}

impl SessionCounts {
    /// Counts one session under all these names, or under none. A name given twice counts twice.
    ///
    /// # Errors
    /// The first name whose quota is reached.
    pub fn open(&self, quotas: &[Quota<'_>]) -> Result<SessionPermit, QuotaReached> {
        let mut open = self.lock();
        let mut names: Vec<Arc<str>> = Vec::with_capacity(quotas.len());
        for quota in quotas {
            let (name, count) = match open.get_key_value(quota.name) {
                Some((name, count)) => (Arc::clone(name), *count),
                None => (Arc::from(quota.name), 0),
            };
            if count >= quota.sessions_max {
                give_back(&mut open, &names);
                return Err(QuotaReached { name: quota.name.to_owned(), sessions_max: quota.sessions_max });
            }
            open.insert(Arc::clone(&name), count + 1);
            names.push(name);
        }
        drop(open);
        Ok(SessionPermit { counts: self.clone(), names })
    }

    /// Sessions open under `name`.
    pub fn count(&self, name: &str) -> u64 {
        self.lock().get(name).copied().unwrap_or(0)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, u64>> {
        // Nothing panics while it is locked; were it to, the counts would still be whole.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One open session; dropped when it ends.
#[derive(Debug)]
#[must_use = "the session counts as ended when this is dropped"]
pub struct SessionPermit {
    counts: SessionCounts,
    names: Vec<Arc<str>>,
}

impl Drop for SessionPermit {
    fn drop(&mut self) {
        give_back(&mut self.counts.lock(), &self.names);
    }
}

fn give_back(open: &mut HashMap<Arc<str>, u64>, names: &[Arc<str>]) {
    for name in names {
        match open.get_mut(name) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(name: &str, sessions_max: u64) -> Quota<'_> {
        Quota { name, sessions_max }
    }

    #[test]
    fn sessions_count_until_their_permit_is_dropped() {
        let counts = SessionCounts::default();
        let first = counts.open(&[quota("a", 2)]).unwrap();
        let second = counts.clone().open(&[quota("a", 2)]).unwrap();
        let refused = counts.open(&[quota("a", 2)]).unwrap_err();
        assert_eq!(refused, QuotaReached { name: "a".to_owned(), sessions_max: 2 });
        assert_eq!(refused.to_string(), "a has as many sessions open as it may: 2");
        drop(first);
        assert_eq!(counts.count("a"), 1);
        let third = counts.open(&[quota("a", 2)]).unwrap();
        drop((second, third));
        assert_eq!(counts.count("a"), 0);
        assert!(counts.lock().is_empty(), "names without sessions take no room");
    }

    #[test]
    fn a_session_counts_under_all_its_names_or_none() {
        let counts = SessionCounts::default();
        let held = counts.open(&[quota("b", 1)]).unwrap();
        assert_eq!(counts.open(&[quota("a", 5), quota("b", 1)]).unwrap_err().name, "b");
        assert_eq!(counts.count("a"), 0);
        drop(held);
        let both = counts.open(&[quota("a", 5), quota("b", 1)]).unwrap();
        assert_eq!((counts.count("a"), counts.count("b")), (1, 1));
        drop(both);
        assert_eq!((counts.count("a"), counts.count("b")), (0, 0));
    }

    #[test]
    fn a_name_given_twice_counts_twice_and_no_name_not_at_all() {
        let counts = SessionCounts::default();
        assert!(counts.open(&[quota("a", 1), quota("a", 1)]).is_err());
        assert_eq!(counts.count("a"), 0);
        assert!(counts.open(&[quota("a", 0)]).is_err());
        assert!(counts.open(&[]).is_ok());
    }

    #[test]
    fn many_threads_never_pass_the_quota() {
        let counts = SessionCounts::default();
        let permits: Vec<_> = std::thread::scope(|scope| {
            let open = || (0..100).filter_map(|_| counts.open(&[quota("a", 50)]).ok()).collect::<Vec<_>>();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(permits.len(), 50);
        assert_eq!(counts.count("a"), 50);
    }
}
