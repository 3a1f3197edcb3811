//! mgmt's SQLite file: tickets and votes, grants, policy versions, issuers' keys, events on their way to the evidence,
//! witnessed checkpoints, and an index of the evidence's sessions. Leaves out what the rows mean: who may vote is in
//! approvals, what a policy says in policies.

pub(crate) mod events;
pub(crate) mod grants;
mod keys;
pub(crate) mod policy;
pub(crate) mod sessions;
pub(crate) mod tickets;
mod witness;

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::secret_file;

pub use events::StoredEvent;
pub use grants::{Grant, GrantKind};
pub use policy::{PolicySource, PolicyVersion};
pub use sessions::{FramePlace, OpenedSession, SessionFilter, Tail, Totals};
pub use tickets::{StoredTicket, StoredVote, TicketFilter};
pub use witness::StoredCheckpoint;

/// Connections at the most. SQLite writes one at a time; the others read.
const CONNECTIONS_MAX: u32 = 4;
/// How long a write waits for another.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the store did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite says no: disk full, file locked or damaged, a constraint.
    #[error("store: {0}")]
    Sql(#[from] sqlx::Error),
    /// The file is of another version of mgmt, or a migration failed.
    #[error("store: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The system gives no random numbers.
    #[error("no random numbers from the system")]
    NoRandom,
    /// A row holds what this version does not understand.
    #[error("store: a row of {table} is damaged: {what}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

/// The store. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the file, makes it if absent, and brings it up to this version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        // SQLite would make it for everybody to read; its journal files take the mode of this one.
        match secret_file::create(path, "") {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(sqlx::Error::Io(error).into());
            }
            _ => {}
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS_MAX).connect_with(options).await?;
        sqlx::migrate!("./migrations").run(&pool).await?;
        Ok(Self { pool })
    }

    /// Closes every connection; what is committed is on disk.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Begins a transaction that writes: nobody else writes until it ends.
    pub(crate) async fn write(&self) -> Result<Transaction<'_, Sqlite>, StoreError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }

    fn pool(&self) -> &SqlitePool {
        &self.pool
    }
}

/// SQLite's integers are signed; what does not fit is held at the largest.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The counterpart of [`signed`]; a negative one can only come from a damaged row and counts as 0.
fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn list_to_text<T: serde::Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).unwrap_or_else(|_| "[]".to_owned())
}

fn list_from_text<T: serde::de::DeserializeOwned>(
    table: &'static str,
    text: &str,
) -> Result<Vec<T>, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Damaged { table, what: error.to_string() })
}

fn digest_from_blob(table: &'static str, blob: &[u8]) -> Result<[u8; 32], StoreError> {
    blob.try_into().map_err(|_| StoreError::Damaged { table, what: "a digest is not of 32 bytes".to_owned() })
}

fn number_from_text(table: &'static str, text: &str) -> Result<u128, StoreError> {
    u128::from_str_radix(text, 16).map_err(|error| StoreError::Damaged { table, what: error.to_string() })
}

/// A number of a ticket, session or event as text.
pub fn number_to_text(number: u128) -> String {
    format!("{number:032x}")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn the_file_is_the_owners_alone_and_opens_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mgmt.sqlite");
        let store = Store::open(&path).await.unwrap();
        drop(store.write().await.unwrap());
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.file_name());
        }
        store.close().await;
        Store::open(&path).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_no_store_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mgmt.sqlite");
        std::fs::write(&path, "not SQLite at all, but long enough to be looked at as a header of a file")
            .unwrap();
        assert!(matches!(Store::open(&path).await, Err(StoreError::Sql(_))));
        assert!(matches!(Store::open(&dir.path().join("none/x")).await, Err(StoreError::Sql(_))));
    }

    #[tokio::test]
    async fn a_store_of_a_later_version_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mgmt.sqlite");
        let store = Store::open(&path).await.unwrap();
        sqlx::query("UPDATE _sqlx_migrations SET version = 9999").execute(store.pool()).await.unwrap();
        store.close().await;
        assert!(matches!(Store::open(&path).await, Err(StoreError::Migrate(_))));
    }

    #[tokio::test]
    async fn a_damaged_row_is_told_by_its_table() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("mgmt.sqlite")).await.unwrap();
        let damage = "INSERT INTO issuer_keys VALUES ('https://i', 1, 'no list')";
        sqlx::query(damage).execute(store.pool()).await.unwrap();
        let error = store.issuer_keys().await.unwrap_err();
        assert!(matches!(error, StoreError::Damaged { table: "issuer_keys", .. }));
    }
}
