//! Targets' connections between two sessions: which of them a new session may have, how many are kept and for how long.
//! Leaves out how a connection is reset (the engine's) and how it is moved (`shard.rs`). Lives on its shard's core.

use std::net::SocketAddr;
use std::rc::Rc;

use crate::connection::Half;
use crate::limits::POOL_LIFETIME_MS;
use crate::upstream::Upstream;

/// Sessions that agree in all of this can have one connection after the other.
#[derive(PartialEq, Eq)]
pub struct Key {
    /// The target.
    pub target: String,
    /// Its database.
    pub database: String,
    /// The settings that the session started with: a reset returns to them.
    pub settings: Vec<u8>,
    /// Digest of the target's user and password.
    pub credential: [u8; 32],
    /// How the target was reached: [`Upstream::fingerprint`].
    pub place: [u8; 32],
    /// The state of things that every connection must have been opened in: [`Desk::pool_epoch`](crate::desk::Desk).
    pub epoch: u64,
}

/// What keeps a session's connection after it.
#[derive(Clone)]
pub struct Terms {
    /// For whom.
    pub key: Rc<Key>,
    /// Connections that are kept of the target at once, on this core.
    pub idle_max: usize,
    /// How long each is kept where nobody takes it.
    pub idle_ms: u64,
}

impl Terms {
    /// Until when a connection opened at `born_ms` and left now is kept; `None`: it is too old.
    pub fn until_ms(&self, born_ms: u64, now_ms: u64) -> Option<u64> {
        let end = born_ms + POOL_LIFETIME_MS;
        (end > now_ms).then(|| end.min(now_ms + self.idle_ms))
    }

    /// Whether a connection to `address` is still one that would be opened today.
    pub fn hold(&self, epoch: u64, upstream: Option<&Upstream>, address: Option<SocketAddr>) -> bool {
        let is_there = |upstream: &Upstream| {
            upstream.fingerprint == self.key.place
                && matches!((&upstream.resolved, address), (Ok(all), Some(own)) if all.contains(&own))
        };
        self.key.epoch == epoch && upstream.is_some_and(is_there)
    }
}

/// A connection that its session has left, on its way to be reset.
pub struct Left {
    /// The leg to the target, its TLS state and what has come by it.
    pub half: Half,
    /// On what terms it is kept.
    pub terms: Terms,
}

/// A connection that is ready for another session.
struct Ready {
    terms: Terms,
    slot: u32,
    address: Option<SocketAddr>,
}

/// The connections that are ready, in the order in which they became so.
#[derive(Default)]
pub struct Pool(Vec<Ready>);

impl Pool {
    /// Takes up a connection that is ready. The slot of the one that must go for it, if any.
    pub fn put(&mut self, terms: Terms, slot: u32, address: Option<SocketAddr>) -> Option<u32> {
        let own = |ready: &&Ready| ready.terms.key.target == terms.key.target;
        let many = self.0.iter().filter(own).count() >= terms.idle_max;
        let oldest = if many { self.0.iter().find(own).map(|ready| ready.slot) } else { None };
        if let Some(slot) = oldest {
            self.remove(slot);
        }
        self.0.push(Ready { terms, slot, address });
        oldest
    }

    /// Whether the connection in `slot` is ready.
    pub fn has(&self, slot: u32) -> bool {
        self.0.iter().any(|ready| ready.slot == slot)
    }

    /// Takes the one that became ready last: its memory at the target is the warmest.
    pub fn take(&mut self, key: &Key) -> Option<u32> {
        let place = self.0.iter().rposition(|ready| *ready.terms.key == *key)?;
        Some(self.0.remove(place).slot)
    }

    /// Forgets the one in `slot`.
    pub fn remove(&mut self, slot: u32) {
        self.0.retain(|ready| ready.slot != slot);
    }

    /// Forgets those that do not meet a condition; their slots.
    pub fn drop_unless(&mut self, mut good: impl FnMut(&Terms, Option<SocketAddr>) -> bool) -> Vec<u32> {
        let bad = |ready: &mut Ready| !good(&ready.terms, ready.address);
        self.0.extract_if(.., bad).map(|ready| ready.slot).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(target: &str, database: &str) -> Terms {
        let key = Key {
            target: target.into(),
            database: database.into(),
            settings: Vec::new(),
            credential: [1; 32],
            place: [2; 32],
            epoch: 3,
        };
        Terms { key: Rc::new(key), idle_max: 2, idle_ms: 1000 }
    }

    #[test]
    fn the_last_one_of_its_key_is_taken_once() {
        let (a, b) = (terms("t", "a"), terms("t", "b"));
        let mut pool = Pool::default();
        assert_eq!(pool.put(a.clone(), 1, None), None);
        assert_eq!(pool.put(b.clone(), 2, None), None);
        assert_eq!(pool.take(&terms("u", "a").key), None);
        assert_eq!(pool.take(&a.key), Some(1));
        assert_eq!(pool.take(&a.key), None);
        pool.put(b.clone(), 4, None);
        assert_eq!(pool.take(&b.key), Some(4));
        assert_eq!(pool.take(&b.key), Some(2));
    }

    #[test]
    fn every_part_of_the_key_counts() {
        let own = terms("t", "a");
        let other = |change: fn(&mut Key)| {
            let mut terms = terms("t", "a");
            change(Rc::get_mut(&mut terms.key).unwrap());
            terms
        };
        let mut pool = Pool::default();
        pool.put(own, 1, None);
        let changes: [fn(&mut Key); 6] = [
            |key| key.target.push('x'),
            |key| key.database.push('x'),
            |key| key.settings.push(0),
            |key| key.credential[0] ^= 1,
            |key| key.place[31] ^= 1,
            |key| key.epoch += 1,
        ];
        for change in changes {
            assert_eq!(pool.take(&other(change).key), None);
        }
        assert_eq!(pool.take(&other(|_| ()).key), Some(1));
    }

    #[test]
    fn the_oldest_of_a_full_target_makes_room() {
        let mut pool = Pool::default();
        for (slot, database) in [(1, "a"), (2, "b")] {
            assert_eq!(pool.put(terms("t", database), slot, None), None);
        }
        assert_eq!(pool.put(terms("u", "a"), 3, None), None);
        assert_eq!(pool.put(terms("t", "b"), 4, None), Some(1));
        assert!(!pool.has(1) && pool.has(2) && pool.has(3) && pool.has(4));
        assert_eq!(pool.drop_unless(|terms, _| terms.key.target == "u"), [2, 4]);
        pool.remove(3);
        assert!(!pool.has(3));
    }

    #[test]
    fn terms_hold_only_where_nothing_has_changed() {
        let terms = terms("t", "a");
        let address = "127.0.0.1:5432".parse().unwrap();
        let upstream = |fingerprint| Upstream {
            address: "db:5432".into(),
            resolved: Ok(vec![address]),
            tls: None,
            fingerprint,
        };
        assert!(terms.hold(3, Some(&upstream([2; 32])), Some(address)));
        assert!(!terms.hold(4, Some(&upstream([2; 32])), Some(address)));
        assert!(!terms.hold(3, Some(&upstream([1; 32])), Some(address)));
        assert!(!terms.hold(3, None, Some(address)));
        assert!(!terms.hold(3, Some(&upstream([2; 32])), Some("127.0.0.2:5432".parse().unwrap())));
        let lost = Upstream { resolved: Err("gone".into()), ..upstream([2; 32]) };
        assert!(!terms.hold(3, Some(&lost), Some(address)));
        assert_eq!(terms.until_ms(0, 500), Some(1500));
        assert_eq!(terms.until_ms(0, POOL_LIFETIME_MS - 1), Some(POOL_LIFETIME_MS));
        assert_eq!(terms.until_ms(0, POOL_LIFETIME_MS), None);
    }
}
