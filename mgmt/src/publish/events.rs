//! Events: who did what in mgmt. They wait in the store until a dataplane has written them to the evidence, where alone
//! they count.

use std::sync::Arc;

use sqlx::{Sqlite, Transaction};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::masking;
use crate::store::{Store, StoreError, StoredEvent, events};

/// Bytes of one event's text at the most; what is longer is cut.
const TEXT_BYTES_MAX: usize = 8 << 10;

/// The queue's near end. Clones share it.
#[derive(Debug, Clone)]
pub struct Events {
    store: Store,
    clock: Clock,
    added: Arc<Notify>,
}

impl Events {
    /// A queue in this store.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, added: Arc::new(Notify::new()) }
    }

    /// Adds an event. `actor` is a subject, or `mgmt`.
    pub async fn add(&self, event: &str, actor: &str, text: &str) -> Result<(), StoreError> {
        self.store.add_event(&self.make(event, actor, text)?).await?;
        self.added.notify_one();
        Ok(())
    }

    /// Adds an event with what it tells of. Call [`Events::wake`] after the commit.
    pub(crate) async fn add_in(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        event: &str,
        actor: &str,
        text: &str,
    ) -> Result<(), StoreError> {
        events::add_event_in(transaction, &self.make(event, actor, text)?).await
    }

    /// Tells the link that there is something to send.
    pub(crate) fn wake(&self) {
        self.added.notify_one();
    }

    /// What is told when an event was added.
    pub(crate) fn added(&self) -> &Notify {
        &self.added
    }

    fn make(&self, event: &str, actor: &str, text: &str) -> Result<StoredEvent, StoreError> {
        let cut = text.floor_char_boundary(TEXT_BYTES_MAX);
        let id = random()?;
        // Below a millisecond the clock says nothing; the number there tells events apart in the evidence.
        let below = u64::try_from(id % 1000).unwrap_or(0);
        Ok(StoredEvent {
            number: 0,
            id,
            at_us: self.clock.now_ms().saturating_mul(1000).saturating_add(below),
            event: event.to_owned(),
            actor: masking::text(actor).0,
            text: masking::text(text.get(..cut).unwrap_or_default()).0,
            sent: false,
            recorded: false,
        })
    }
}

/// A random number for an event or a ticket.
pub(crate) fn random() -> Result<u128, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| StoreError::NoRandom)?;
    Ok(u128::from_be_bytes(bytes))
}
