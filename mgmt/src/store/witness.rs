//! Checkpoints of evidence logs that mgmt has witnessed. Never changed, never removed.

use sqlx::Row as _;

use super::{Store, StoreError, signed, unsigned};

/// A checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// The log.
    pub origin: String,
    /// Records in it.
    pub size: u64,
    /// Its root hash, base64.
    pub root: String,
    /// The signed note.
    pub note: String,
    /// When mgmt saw it first.
    pub witnessed_ms: u64,
}

impl Store {
    /// The newest ones first.
    pub async fn checkpoints(&self, limit: u32) -> Result<Vec<StoredCheckpoint>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM checkpoints ORDER BY witnessed_ms DESC, origin, size DESC LIMIT ?1")
                .bind(limit)
                .fetch_all(self.pool())
                .await?;
        rows.iter().map(from_row).collect()
    }

    /// The largest of one log.
    pub async fn largest_checkpoint(&self, origin: &str) -> Result<Option<StoredCheckpoint>, StoreError> {
        let row = sqlx::query("SELECT * FROM checkpoints WHERE origin = ?1 ORDER BY size DESC LIMIT 1")
            .bind(origin)
            .fetch_optional(self.pool())
            .await?;
        row.as_ref().map(from_row).transpose()
    }

    /// Roots that were witnessed for this log at this size.
    pub async fn roots_at(&self, origin: &str, size: u64) -> Result<Vec<String>, StoreError> {
        let roots = sqlx::query_scalar("SELECT root FROM checkpoints WHERE origin = ?1 AND size = ?2")
            .bind(origin)
            .bind(signed(size))
            .fetch_all(self.pool())
            .await?;
        Ok(roots)
    }

    /// Adds one; one that is there already stays as it is.
    pub async fn add_checkpoint(&self, checkpoint: &StoredCheckpoint) -> Result<(), StoreError> {
        sqlx::query("INSERT OR IGNORE INTO checkpoints VALUES (?1, ?2, ?3, ?4, ?5)")
            .bind(&checkpoint.origin)
            .bind(signed(checkpoint.size))
            .bind(&checkpoint.root)
            .bind(&checkpoint.note)
            .bind(signed(checkpoint.witnessed_ms))
            .execute(self.pool())
            .await?;
        Ok(())
    }
}

fn from_row(row: &sqlx::sqlite::SqliteRow) -> Result<StoredCheckpoint, StoreError> {
    Ok(StoredCheckpoint {
        origin: row.try_get("origin")?,
        size: unsigned(row.try_get("size")?),
        root: row.try_get("root")?,
        note: row.try_get("note")?,
        witnessed_ms: unsigned(row.try_get("witnessed_ms")?),
    })
}
