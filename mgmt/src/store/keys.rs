//! Issuers' keys as they were last fetched, so that a restart needs no issuer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policies::link::{Algorithm, IssuerKeys, VerificationKey};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use super::{Store, StoreError, list_from_text, list_to_text, signed, unsigned};

const TABLE: &str = "issuer_keys";

#[derive(Serialize, Deserialize)]
struct StoredKey {
    id: String,
    algorithm: String,
    material: String,
}

impl Store {
    /// Keys of every issuer that were ever fetched.
    pub async fn issuer_keys(&self) -> Result<Vec<IssuerKeys>, StoreError> {
        let rows = sqlx::query("SELECT * FROM issuer_keys ORDER BY issuer").fetch_all(self.pool()).await?;
        rows.iter()
            .map(|row| {
                let keys: Vec<StoredKey> = list_from_text(TABLE, &row.try_get::<String, _>("keys")?)?;
                Ok(IssuerKeys {
                    issuer: row.try_get("issuer")?,
                    fetched_s: unsigned(row.try_get("fetched_s")?),
                    keys: keys.into_iter().map(from_stored).collect::<Result<_, _>>()?,
                })
            })
            .collect()
    }

    /// Replaces an issuer's keys.
    pub async fn set_issuer_keys(&self, keys: &IssuerKeys) -> Result<(), StoreError> {
        let stored: Vec<StoredKey> = keys.keys.iter().map(to_stored).collect();
        sqlx::query("INSERT OR REPLACE INTO issuer_keys VALUES (?1, ?2, ?3)")
            .bind(&keys.issuer)
            .bind(signed(keys.fetched_s))
            .bind(list_to_text(&stored))
            .execute(self.pool())
            .await?;
        Ok(())
    }
}

fn to_stored(key: &VerificationKey) -> StoredKey {
    let algorithm = match key.algorithm {
        Algorithm::Rs256 => "RS256",
        Algorithm::Es256 => "ES256",
        Algorithm::EdDsa => "EdDSA",
    };
    StoredKey {
        id: key.id.clone(),
        algorithm: algorithm.to_owned(),
        material: STANDARD.encode(&key.material),
    }
}

fn from_stored(stored: StoredKey) -> Result<VerificationKey, StoreError> {
    let damaged = |what: String| StoreError::Damaged { table: TABLE, what };
    let algorithm = match stored.algorithm.as_str() {
        "RS256" => Algorithm::Rs256,
        "ES256" => Algorithm::Es256,
        "EdDSA" => Algorithm::EdDsa,
        other => return Err(damaged(format!("algorithm {other}"))),
    };
    let material = STANDARD.decode(&stored.material).map_err(|error| damaged(error.to_string()))?;
    Ok(VerificationKey { id: stored.id, algorithm, material })
}
