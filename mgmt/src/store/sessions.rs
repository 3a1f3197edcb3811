//! The index of the evidence: sessions with their totals, and which frames hold a session's records. Made from the
//! evidence's files, which alone count.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use super::{
    Store, StoreError, list_from_text, list_to_text, number_from_text, number_to_text, signed, unsigned,
};
use crate::api::types::Session;

const TABLE: &str = "sessions";

/// How far a log has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tail {
    /// Name of the segment that was read last; empty: none yet.
    pub file: String,
    /// Where its next frame begins.
    pub offset: u64,
    /// Leaves read.
    pub size: u64,
}

/// A session as it was opened.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenedSession {
    /// The log that holds it.
    pub log: String,
    /// What the list shows; totals and end are not taken from here.
    pub session: Session,
    /// The token's claims as JSON.
    pub claims: String,
    /// Names of the policies that applied.
    pub policies: Vec<String>,
    /// Policy version when it was opened.
    pub snapshot: u64,
}

/// A frame of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FramePlace {
    /// Name of the segment.
    pub file: String,
    /// Where the frame begins.
    pub offset: u64,
}

/// What a session has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Commands.
    pub commands: u64,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// Card numbers masked.
    pub masked: u64,
}

impl Totals {
    /// Adds what has come since.
    pub fn add(&mut self, more: Self) {
        self.commands = self.commands.saturating_add(more.commands);
        self.rows = self.rows.saturating_add(more.rows);
        self.bytes = self.bytes.saturating_add(more.bytes);
        self.masked = self.masked.saturating_add(more.masked);
    }
}

/// Which sessions are asked for.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Only those of this issuer and subject.
    pub of: Option<(String, String)>,
    /// Only those opened before this one.
    pub after: Option<u128>,
    /// At the most so many.
    pub limit: u32,
}

impl Store {
    /// How far a log has been read.
    pub async fn tail(&self, log: &str) -> Result<Tail, StoreError> {
        let row = sqlx::query("SELECT file, offset, size FROM evidence_tails WHERE log = ?1")
            .bind(log)
            .fetch_optional(self.pool())
            .await?;
        let Some(row) = row else { return Ok(Tail::default()) };
        Ok(Tail {
            file: row.try_get("file")?,
            offset: unsigned(row.try_get("offset")?),
            size: unsigned(row.try_get("size")?),
        })
    }

    /// Sessions, the newest first.
    pub async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>, StoreError> {
        let (issuer, subject) = match &filter.of {
            Some((issuer, subject)) => (Some(issuer), Some(subject)),
            None => (None, None),
        };
        let rows = sqlx::query(
            "SELECT * FROM sessions
             WHERE (?1 IS NULL OR (issuer = ?1 AND subject = ?2))
               AND (?3 IS NULL OR (opened_ms, id) < (SELECT opened_ms, id FROM sessions WHERE id = ?3))
             ORDER BY opened_ms DESC, id DESC LIMIT ?4",
        )
        .bind(issuer)
        .bind(subject)
        .bind(filter.after.map(number_to_text))
        .bind(filter.limit)
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(session_from_row).collect()
    }

    /// One session.
    pub async fn session(&self, id: u128) -> Result<Option<OpenedSession>, StoreError> {
        let row = sqlx::query("SELECT * FROM sessions WHERE id = ?1")
            .bind(number_to_text(id))
            .fetch_optional(self.pool())
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(OpenedSession {
            log: row.try_get("log")?,
            session: session_from_row(&row)?,
            claims: row.try_get("claims")?,
            policies: list_from_text(TABLE, &row.try_get::<String, _>("policies")?)?,
            snapshot: unsigned(row.try_get("snapshot")?),
        }))
    }

    /// Frames that hold a session's records, in order.
    pub async fn session_frames(&self, id: u128, limit: u32) -> Result<Vec<FramePlace>, StoreError> {
        let rows = sqlx::query(
            "SELECT file, offset FROM session_frames WHERE session = ?1 ORDER BY file, offset LIMIT ?2",
        )
        .bind(number_to_text(id))
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(FramePlace { file: row.try_get("file")?, offset: unsigned(row.try_get("offset")?) })
            })
            .collect()
    }
}

/// Notes how far a log has been read.
pub(crate) async fn set_tail_in(
    transaction: &mut Transaction<'_, Sqlite>,
    log: &str,
    tail: &Tail,
) -> Result<(), StoreError> {
    sqlx::query("INSERT OR REPLACE INTO evidence_tails VALUES (?1, ?2, ?3, ?4)")
        .bind(log)
        .bind(&tail.file)
        .bind(signed(tail.offset))
        .bind(signed(tail.size))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Adds a session.
pub(crate) async fn add_session_in(
    transaction: &mut Transaction<'_, Sqlite>,
    opened: &OpenedSession,
) -> Result<(), StoreError> {
    let session = &opened.session;
    sqlx::query(
        "INSERT OR REPLACE INTO sessions (id, log, issuer, subject, requester, groups, claims, source, target, protocol,
             user, database, application, policies, snapshot, opened_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )
    .bind(&session.id)
    .bind(&opened.log)
    .bind(&session.issuer)
    .bind(&session.identity)
    .bind(&session.requester)
    .bind(list_to_text(&session.groups))
    .bind(&opened.claims)
    .bind(&session.source)
    .bind(&session.target)
    .bind(&session.protocol)
    .bind(&session.user)
    .bind(&session.database)
    .bind(&session.application)
    .bind(list_to_text(&opened.policies))
    .bind(signed(opened.snapshot))
    .bind(signed(session.opened_ms))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Adds what some more records of a session say.
pub(crate) async fn add_totals_in(
    transaction: &mut Transaction<'_, Sqlite>,
    session: u128,
    more: Totals,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE sessions SET commands = commands + ?2, rows = rows + ?3, bytes = bytes + ?4, masked = masked + ?5
         WHERE id = ?1 AND closed_ms IS NULL",
    )
    .bind(number_to_text(session))
    .bind(signed(more.commands))
    .bind(signed(more.rows))
    .bind(signed(more.bytes))
    .bind(signed(more.masked))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Notes a session's end, with the totals that its last record tells.
pub(crate) async fn close_session_in(
    transaction: &mut Transaction<'_, Sqlite>,
    session: u128,
    closed_ms: u64,
    how: &str,
    totals: Totals,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE sessions SET closed_ms = ?2, how = ?3, commands = ?4, rows = ?5, bytes = ?6, masked = ?7 WHERE id = ?1",
    )
    .bind(number_to_text(session))
    .bind(signed(closed_ms))
    .bind(how)
    .bind(signed(totals.commands))
    .bind(signed(totals.rows))
    .bind(signed(totals.bytes))
    .bind(signed(totals.masked))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Notes that a frame holds records of a session.
pub(crate) async fn add_frame_in(
    transaction: &mut Transaction<'_, Sqlite>,
    session: u128,
    place: &FramePlace,
) -> Result<(), StoreError> {
    sqlx::query("INSERT OR IGNORE INTO session_frames VALUES (?1, ?2, ?3)")
        .bind(number_to_text(session))
        .bind(&place.file)
        .bind(signed(place.offset))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn session_from_row(row: &SqliteRow) -> Result<Session, StoreError> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let number = |column: &str| row.try_get::<i64, _>(column).map(unsigned);
    let id = text("id")?;
    number_from_text(TABLE, &id)?;
    Ok(Session {
        id,
        identity: text("subject")?,
        issuer: text("issuer")?,
        requester: text("requester")?,
        groups: list_from_text(TABLE, &text("groups")?)?,
        source: text("source")?,
        target: text("target")?,
        protocol: text("protocol")?,
        user: text("user")?,
        database: text("database")?,
        application: text("application")?,
        opened_ms: number("opened_ms")?,
        closed_ms: row.try_get::<Option<i64>, _>("closed_ms")?.map(unsigned),
        how: text("how")?,
        command_count: number("commands")?,
        rows: number("rows")?,
        bytes: number("bytes")?,
        masked: number("masked")?,
    })
}
