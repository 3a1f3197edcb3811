//! Events on their way to the evidence: what people and mgmt did. They stay here after a dataplane took them, so that
//! mgmt can list them.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use super::{Store, StoreError, number_from_text, number_to_text, signed, unsigned};

const TABLE: &str = "events";

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in order.
    pub number: u64,
    /// Its number in the evidence.
    pub id: u128,
    /// When, Unix microseconds.
    pub at_us: u64,
    /// Its name.
    pub event: String,
    /// Who did it.
    pub actor: String,
    /// What it says, masked.
    pub text: String,
    /// A dataplane took it.
    pub sent: bool,
    /// It has been read back from the evidence.
    pub recorded: bool,
}

impl Store {
    /// Adds an event by itself.
    pub async fn add_event(&self, event: &StoredEvent) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        add_event_in(&mut transaction, event).await?;
        Ok(transaction.commit().await?)
    }

    /// The oldest ones that no dataplane took yet, after the one with this `number`.
    pub async fn unsent_events(&self, after: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM events WHERE sent = 0 AND number > ?1 ORDER BY number LIMIT ?2")
                .bind(signed(after))
                .bind(limit)
                .fetch_all(self.pool())
                .await?;
        rows.iter().map(event_from_row).collect()
    }

    /// How many no dataplane took yet.
    pub async fn unsent_event_count(&self) -> Result<u64, StoreError> {
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM events WHERE sent = 0").fetch_one(self.pool()).await?;
        Ok(unsigned(count))
    }

    /// Notes that a dataplane took one.
    pub async fn set_event_sent(&self, id: u128) -> Result<(), StoreError> {
        sqlx::query("UPDATE events SET sent = 1 WHERE id = ?1")
            .bind(number_to_text(id))
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Puts those that a dataplane took since `since_us`, and that the evidence does not hold, back into the queue.
    pub async fn requeue_events(&self, since_us: u64) -> Result<u64, StoreError> {
        let done = sqlx::query("UPDATE events SET sent = 0 WHERE sent = 1 AND recorded = 0 AND at_us >= ?1")
            .bind(signed(since_us))
            .execute(self.pool())
            .await?;
        Ok(done.rows_affected())
    }

    /// The newest first; before the one with the number `before`, where given.
    pub async fn events(&self, before: Option<u128>, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM events
             WHERE ?1 IS NULL OR number < (SELECT number FROM events WHERE id = ?1)
             ORDER BY number DESC LIMIT ?2",
        )
        .bind(before.map(number_to_text))
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(event_from_row).collect()
    }
}

/// Adds an event within a transaction: what it tells of is committed with it, or neither.
pub(crate) async fn add_event_in(
    transaction: &mut Transaction<'_, Sqlite>,
    event: &StoredEvent,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO events (id, at_us, event, actor, text) VALUES (?1, ?2, ?3, ?4, ?5)")
        .bind(number_to_text(event.id))
        .bind(signed(event.at_us))
        .bind(&event.event)
        .bind(&event.actor)
        .bind(&event.text)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Notes that the evidence holds an event.
pub(crate) async fn set_event_recorded_in(
    transaction: &mut Transaction<'_, Sqlite>,
    at_us: u64,
    event: &str,
    actor: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE events SET sent = 1, recorded = 1 WHERE at_us = ?1 AND event = ?2 AND actor = ?3 AND recorded = 0",
    )
    .bind(signed(at_us))
    .bind(event)
    .bind(actor)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn event_from_row(row: &SqliteRow) -> Result<StoredEvent, StoreError> {
    Ok(StoredEvent {
        number: unsigned(row.try_get("number")?),
        id: number_from_text(TABLE, &row.try_get::<String, _>("id")?)?,
        at_us: unsigned(row.try_get("at_us")?),
        event: row.try_get("event")?,
        actor: row.try_get("actor")?,
        text: row.try_get("text")?,
        sent: row.try_get("sent")?,
        recorded: row.try_get("recorded")?,
    })
}
