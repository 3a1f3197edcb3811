//! Witnesses checkpoints: keeps every signed head of every log that the dataplane shows, so that a log that was cut or
//! rewritten afterwards no longer fits. Tells at once where two heads cannot be of one log.

use std::sync::{Mutex, PoisonError};

use ::evidence::checkpoint::Checkpoint;
use ::evidence::note::VerifierKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::clock::Clock;
use crate::publish::events::Events;
use crate::store::{Store, StoreError, StoredCheckpoint};

/// Takes checkpoints.
#[derive(Debug)]
pub struct Witness {
    store: Store,
    clock: Clock,
    events: Events,
    key: VerifierKey,
    /// What was found wrong last; empty: nothing.
    trouble: Mutex<String>,
}

impl Witness {
    /// Trusts checkpoints signed with this key.
    pub fn new(store: Store, clock: Clock, events: Events, key: VerifierKey) -> Self {
        Self { store, clock, events, key, trouble: Mutex::new(String::new()) }
    }

    /// Takes a checkpoint of the log `origin`. One that cannot be is kept away and told.
    pub async fn take(&self, origin: &str, note: &str) -> Result<(), StoreError> {
        let checkpoint = match Checkpoint::open(note, &self.key) {
            Ok(checkpoint) if checkpoint.origin == origin => checkpoint,
            Ok(_) => return self.alarm("a checkpoint names another log than it was sent for").await,
            Err(error) => return self.alarm(&format!("a checkpoint is refused: {error}")).await,
        };
        let root = STANDARD.encode(checkpoint.root);
        let known = self.store.roots_at(origin, checkpoint.size).await?;
        if known.contains(&root) {
            return Ok(());
        }
        let largest = self.store.largest_checkpoint(origin).await?.map_or(0, |largest| largest.size);
        if !known.is_empty() {
            self.alarm(&format!(
                "log {origin} has two heads of {} leaves: it was rewritten",
                checkpoint.size
            ))
            .await?;
        } else if checkpoint.size < largest {
            self.alarm(&format!("log {origin} has {} leaves and had {largest}: it was cut", checkpoint.size))
                .await?;
        }
        let witnessed = StoredCheckpoint {
            origin: origin.to_owned(),
            size: checkpoint.size,
            root,
            note: note.to_owned(),
            witnessed_ms: self.clock.now_ms(),
        };
        self.store.add_checkpoint(&witnessed).await
    }

    /// What was found wrong last; `None`: nothing.
    pub fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        (!trouble.is_empty()).then(|| trouble.clone())
    }

    async fn alarm(&self, what: &str) -> Result<(), StoreError> {
        tracing::error!(what, "evidence does not fit what was witnessed");
        what.clone_into(&mut self.trouble.lock().unwrap_or_else(PoisonError::into_inner));
        self.events.add("evidence-alarm", "mgmt", what).await
    }
}

#[cfg(test)]
mod tests {
    use ::evidence::note::SignerKey;

    use super::*;

    struct Set {
        witness: Witness,
        store: Store,
        key: SignerKey,
        _dir: tempfile::TempDir,
    }

    async fn set() -> Set {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("mgmt.sqlite")).await.unwrap();
        let clock = Clock::standing(5000);
        let events = Events::new(store.clone(), clock.clone());
        let key = SignerKey::generate("pangate").unwrap();
        let witness = Witness::new(store.clone(), clock, events, key.verifier().clone());
        Set { witness, store, key, _dir: dir }
    }

    fn note(key: &SignerKey, size: u64, root: u8) -> String {
        Checkpoint { origin: "gate/0".into(), size, root: [root; 32] }.sign(key).unwrap()
    }

    #[tokio::test]
    async fn a_growing_log_is_witnessed_once_a_head() {
        let set = set().await;
        for (size, root) in [(1, 1), (2, 2), (2, 2)] {
            set.witness.take("gate/0", &note(&set.key, size, root)).await.unwrap();
        }
        let sizes: Vec<u64> = set.store.checkpoints(10).await.unwrap().iter().map(|one| one.size).collect();
        assert_eq!(sizes, [2, 1]);
        assert_eq!(set.witness.trouble(), None);
    }

    #[tokio::test]
    async fn a_second_head_of_one_size_is_told_and_both_are_kept() {
        let set = set().await;
        for root in [1, 2] {
            set.witness.take("gate/0", &note(&set.key, 3, root)).await.unwrap();
        }
        assert!(set.witness.trouble().unwrap().contains("rewritten"));
        assert_eq!(set.store.checkpoints(10).await.unwrap().len(), 2);
        assert_eq!(set.store.events(None, 10).await.unwrap()[0].event, "evidence-alarm");
    }

    #[tokio::test]
    async fn a_log_that_shrinks_is_told() {
        let set = set().await;
        for size in [3, 2] {
            set.witness.take("gate/0", &note(&set.key, size, 1)).await.unwrap();
        }
        assert!(set.witness.trouble().unwrap().contains("cut"));
    }

    #[tokio::test]
    async fn what_is_not_signed_or_of_another_log_is_not_kept() {
        let set = set().await;
        let other = SignerKey::generate("pangate").unwrap();
        set.witness.take("gate/0", &note(&other, 1, 1)).await.unwrap();
        assert!(set.witness.trouble().unwrap().contains("refused"));
        set.witness.take("gate/1", &note(&set.key, 1, 1)).await.unwrap();
        assert!(set.witness.trouble().unwrap().contains("another log"));
        assert!(set.store.checkpoints(10).await.unwrap().is_empty());
    }
}
