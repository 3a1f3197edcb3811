//! Grants: what an approval is good for beyond the command that waited.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use super::{
    Store, StoreError, digest_from_blob, list_from_text, list_to_text, number_from_text, number_to_text,
    signed, unsigned,
};

const TABLE: &str = "grants";

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The ticket whose approval made it.
    pub ticket: u128,
    /// What it is good for.
    pub kind: GrantKind,
    /// What it is bound to.
    pub digest: [u8; 32],
    /// The job's issuer.
    pub issuer: String,
    /// The job's subject.
    pub subject: String,
    /// The session of the ticket that made it; 0: none.
    pub session: u128,
    /// When it ends.
    pub expires_ms: u64,
    /// Subjects of those who approved.
    pub reviewers: Vec<String>,
    /// In their words.
    pub reason: String,
}

/// What a grant is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantKind {
    /// One command that was asked for ahead.
    Ahead,
    /// The same command again in the same session.
    Session,
    /// The same command again of the same job until the grant ends.
    Window,
}

/// Adds a grant.
pub(crate) async fn add_grant_in(
    transaction: &mut Transaction<'_, Sqlite>,
    grant: &Grant,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO grants VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL)")
        .bind(number_to_text(grant.ticket))
        .bind(kind_to_text(grant.kind))
        .bind(grant.digest.as_slice())
        .bind(&grant.issuer)
        .bind(&grant.subject)
        .bind(number_to_text(grant.session))
        .bind(signed(grant.expires_ms))
        .bind(list_to_text(&grant.reviewers))
        .bind(&grant.reason)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Grants for this digest that have neither ended nor been spent, those for a session and a time before those for once.
pub(crate) async fn grants_in(
    transaction: &mut Transaction<'_, Sqlite>,
    digest: &[u8; 32],
    now_ms: u64,
) -> Result<Vec<Grant>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM grants WHERE digest = ?1 AND expires_ms > ?2 AND spent_on IS NULL
         ORDER BY kind = 'ahead', expires_ms",
    )
    .bind(digest.as_slice())
    .bind(signed(now_ms))
    .fetch_all(&mut **transaction)
    .await?;
    rows.iter().map(grant_from_row).collect()
}

/// Notes that a grant ruled a ticket; one for once is spent by that.
pub(crate) async fn use_in(
    transaction: &mut Transaction<'_, Sqlite>,
    grant: &Grant,
    on: u128,
) -> Result<(), StoreError> {
    if grant.kind == GrantKind::Ahead {
        sqlx::query("UPDATE grants SET spent_on = ?2 WHERE ticket = ?1 AND spent_on IS NULL")
            .bind(number_to_text(grant.ticket))
            .bind(number_to_text(on))
            .execute(&mut **transaction)
            .await?;
    }
    sqlx::query("INSERT INTO grant_uses VALUES (?1, ?2)")
        .bind(number_to_text(on))
        .bind(number_to_text(grant.ticket))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

impl Store {
    /// Who approved what ruled this ticket, where a grant did; otherwise nobody.
    pub async fn ruled_by(&self, ticket: u128) -> Result<Vec<String>, StoreError> {
        let text: Option<String> = sqlx::query_scalar(
            "SELECT grants.reviewers FROM grant_uses JOIN grants ON grants.ticket = grant_uses.grant_of
             WHERE grant_uses.ticket = ?1",
        )
        .bind(number_to_text(ticket))
        .fetch_optional(self.pool())
        .await?;
        text.map_or(Ok(Vec::new()), |text| list_from_text(TABLE, &text))
    }
}

fn grant_from_row(row: &SqliteRow) -> Result<Grant, StoreError> {
    Ok(Grant {
        ticket: number_from_text(TABLE, &row.try_get::<String, _>("ticket")?)?,
        kind: kind_from_text(&row.try_get::<String, _>("kind")?)?,
        digest: digest_from_blob(TABLE, &row.try_get::<Vec<u8>, _>("digest")?)?,
        issuer: row.try_get("issuer")?,
        subject: row.try_get("subject")?,
        session: number_from_text(TABLE, &row.try_get::<String, _>("session")?)?,
        expires_ms: unsigned(row.try_get("expires_ms")?),
        reviewers: list_from_text(TABLE, &row.try_get::<String, _>("reviewers")?)?,
        reason: row.try_get("reason")?,
    })
}

fn kind_to_text(kind: GrantKind) -> &'static str {
    match kind {
        GrantKind::Ahead => "ahead",
        GrantKind::Session => "session",
        GrantKind::Window => "window",
    }
}

fn kind_from_text(text: &str) -> Result<GrantKind, StoreError> {
    match text {
        "ahead" => Ok(GrantKind::Ahead),
        "session" => Ok(GrantKind::Session),
        "window" => Ok(GrantKind::Window),
        other => Err(StoreError::Damaged { table: TABLE, what: format!("kind {other}") }),
    }
}
