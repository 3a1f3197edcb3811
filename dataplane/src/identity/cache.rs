//! Proven tokens by the hash of their bytes; the oldest makes room. Leaves out whether one still holds.

use std::collections::{HashMap, VecDeque};

use super::Proven;

pub(super) struct Cache {
    proven: HashMap<[u8; 32], Proven>,
    /// Every key of the map once, oldest first.
    order: VecDeque<[u8; 32]>,
    most: usize,
}

impl Cache {
    pub(super) fn new(most: usize) -> Self {
        Self { proven: HashMap::new(), order: VecDeque::new(), most }
    }

    pub(super) fn find(&self, hash: &[u8; 32]) -> Option<&Proven> {
        self.proven.get(hash)
    }

    pub(super) fn put(&mut self, hash: [u8; 32], proven: Proven) {
        if self.proven.insert(hash, proven).is_some() {
            return;
        }
        self.order.push_back(hash);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.proven.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policies::link::{Algorithm, VerificationKey};
    use serde_json::Value;

    fn proven(issuer: &str) -> Proven {
        let key = VerificationKey { id: String::new(), algorithm: Algorithm::EdDsa, material: Vec::new() };
        Proven { issuer: issuer.to_owned(), key, claims: Value::Null, token_id: [0; 32] }
    }

    #[test]
    fn the_oldest_makes_room_and_a_replaced_one_takes_none() {
        let mut cache = Cache::new(2);
        cache.put([1; 32], proven("a"));
        cache.put([2; 32], proven("b"));
        cache.put([1; 32], proven("c"));
        assert_eq!(cache.find(&[1; 32]).unwrap().issuer, "c");
        cache.put([3; 32], proven("d"));
        assert!(cache.find(&[1; 32]).is_none());
        assert!(cache.find(&[2; 32]).is_some() && cache.find(&[3; 32]).is_some());
        assert_eq!((cache.proven.len(), cache.order.len()), (2, 2));
    }
}
