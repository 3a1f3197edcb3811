//! Policy versions: the manifests as given, who applied them, and the snapshot compiled from them.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use super::{Store, StoreError, digest_from_blob, list_from_text, list_to_text, signed, unsigned};
use crate::api::types::PolicyFile;

const TABLE: &str = "policy_versions";

/// One version.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyVersion {
    /// Its number.
    pub version: u64,
    /// When it was applied.
    pub applied_ms: u64,
    /// Who applied it.
    pub author: String,
    /// From where.
    pub source: PolicySource,
    /// The manifests.
    pub files: Vec<PolicyFile>,
    /// SHA-256 over the manifests.
    pub files_digest: [u8; 32],
    /// The compiled snapshot.
    pub snapshot: Vec<u8>,
}

/// Where a version came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicySource {
    /// The folder of the boot file.
    Folder,
    /// `PUT /v1/policy`.
    Api,
}

impl Store {
    /// The newest version.
    pub async fn newest_policy(&self) -> Result<Option<PolicyVersion>, StoreError> {
        let row = sqlx::query("SELECT * FROM policy_versions ORDER BY version DESC LIMIT 1")
            .fetch_optional(self.pool())
            .await?;
        row.as_ref().map(version_from_row).transpose()
    }

    /// Digest of the manifests that were last applied from the folder.
    pub async fn newest_folder_digest(&self) -> Result<Option<[u8; 32]>, StoreError> {
        let blob: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT files_digest FROM policy_versions WHERE source = 'folder' ORDER BY version DESC LIMIT 1",
        )
        .fetch_optional(self.pool())
        .await?;
        blob.as_deref().map(|blob| digest_from_blob(TABLE, blob)).transpose()
    }
}

/// The number that the next version gets.
pub(crate) async fn next_version_in(transaction: &mut Transaction<'_, Sqlite>) -> Result<u64, StoreError> {
    let newest: Option<i64> =
        sqlx::query_scalar("SELECT max(version) FROM policy_versions").fetch_one(&mut **transaction).await?;
    Ok(unsigned(newest.unwrap_or(0)) + 1)
}

/// Adds a version.
pub(crate) async fn add_version_in(
    transaction: &mut Transaction<'_, Sqlite>,
    version: &PolicyVersion,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO policy_versions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        .bind(signed(version.version))
        .bind(signed(version.applied_ms))
        .bind(&version.author)
        .bind(source_to_text(version.source))
        .bind(list_to_text(&version.files))
        .bind(version.files_digest.as_slice())
        .bind(&version.snapshot)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn version_from_row(row: &SqliteRow) -> Result<PolicyVersion, StoreError> {
    Ok(PolicyVersion {
        version: unsigned(row.try_get("version")?),
        applied_ms: unsigned(row.try_get("applied_ms")?),
        author: row.try_get("author")?,
        source: match row.try_get::<String, _>("source")?.as_str() {
            "folder" => PolicySource::Folder,
            _ => PolicySource::Api,
        },
        files: list_from_text(TABLE, &row.try_get::<String, _>("files")?)?,
        files_digest: digest_from_blob(TABLE, &row.try_get::<Vec<u8>, _>("files_digest")?)?,
        snapshot: row.try_get("snapshot")?,
    })
}

fn source_to_text(source: PolicySource) -> &'static str {
    match source {
        PolicySource::Folder => "folder",
        PolicySource::Api => "api",
    }
}
