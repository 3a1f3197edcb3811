//! Tickets and votes. A ticket's row never changes but for its state and what came of it.

use policies::approval::{Grant, Ticket};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use super::{
    Store, StoreError, digest_from_blob, list_from_text, list_to_text, number_from_text, number_to_text,
    signed, unsigned,
};
use crate::api::types::ApprovalState;

const TABLE: &str = "tickets";

/// A ticket and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTicket {
    /// As the dataplane sent it, or as it was made ahead of the command.
    pub ticket: Ticket,
    /// Asked for ahead of the command.
    pub ahead: bool,
    /// Where it stands.
    pub state: ApprovalState,
    /// When it was decided.
    pub ruled_ms: Option<u64>,
    /// When the ruling took effect.
    pub settled_ms: Option<u64>,
    /// Why it ended as it did.
    pub outcome: String,
}

/// What one person said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVote {
    /// The reviewer's issuer.
    pub issuer: String,
    /// The reviewer's subject.
    pub subject: String,
    /// The person behind the reviewer's token, or empty.
    pub requester: String,
    /// Yes or no.
    pub approved: bool,
    /// In their words, masked.
    pub reason: String,
    /// When.
    pub at_ms: u64,
}

/// Which tickets are asked for.
#[derive(Debug, Clone, Default)]
pub struct TicketFilter {
    /// Only those that stand here.
    pub state: Option<ApprovalState>,
    /// At the most so many.
    pub limit: u32,
}

impl Store {
    /// The newest tickets first.
    pub async fn tickets(&self, filter: &TicketFilter) -> Result<Vec<StoredTicket>, StoreError> {
        let state = filter.state.map(state_to_text);
        let rows = sqlx::query(
            "SELECT * FROM tickets WHERE ?1 IS NULL OR state = ?1 ORDER BY opened_ms DESC, id LIMIT ?2",
        )
        .bind(state)
        .bind(filter.limit)
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(ticket_from_row).collect()
    }

    /// One ticket.
    pub async fn ticket(&self, id: u128) -> Result<Option<StoredTicket>, StoreError> {
        let row = sqlx::query("SELECT * FROM tickets WHERE id = ?1")
            .bind(number_to_text(id))
            .fetch_optional(self.pool())
            .await?;
        row.as_ref().map(ticket_from_row).transpose()
    }

    /// Whether a ticket waits whose time is over.
    pub async fn any_overdue(&self, now_ms: u64) -> Result<bool, StoreError> {
        let any =
            "SELECT EXISTS (SELECT 1 FROM tickets WHERE state IN ('ahead', 'pending') AND deadline_ms <= ?1)";
        Ok(sqlx::query_scalar(any).bind(signed(now_ms)).fetch_one(self.pool()).await?)
    }

    /// What people said of it, in order.
    pub async fn votes(&self, id: u128) -> Result<Vec<StoredVote>, StoreError> {
        let rows = sqlx::query("SELECT * FROM votes WHERE ticket = ?1 ORDER BY at_ms, rowid")
            .bind(number_to_text(id))
            .fetch_all(self.pool())
            .await?;
        rows.iter().map(vote_from_row).collect()
    }
}

/// One ticket, within a transaction.
pub(crate) async fn ticket_in(
    transaction: &mut Transaction<'_, Sqlite>,
    id: u128,
) -> Result<Option<StoredTicket>, StoreError> {
    let row = sqlx::query("SELECT * FROM tickets WHERE id = ?1")
        .bind(number_to_text(id))
        .fetch_optional(&mut **transaction)
        .await?;
    row.as_ref().map(ticket_from_row).transpose()
}

/// Tickets that wait and whose time is over.
pub(crate) async fn overdue_in(
    transaction: &mut Transaction<'_, Sqlite>,
    now_ms: u64,
) -> Result<Vec<StoredTicket>, StoreError> {
    let rows = sqlx::query("SELECT * FROM tickets WHERE state IN ('ahead', 'pending') AND deadline_ms <= ?1")
        .bind(signed(now_ms))
        .fetch_all(&mut **transaction)
        .await?;
    rows.iter().map(ticket_from_row).collect()
}

/// Adds a ticket.
pub(crate) async fn add_ticket_in(
    transaction: &mut Transaction<'_, Sqlite>,
    ticket: &Ticket,
    ahead: bool,
) -> Result<(), StoreError> {
    let (grant_kind, grant_s) = match ticket.grant {
        Grant::Once => ("once", 0),
        Grant::Session => ("session", 0),
        Grant::Window(seconds) => ("window", seconds),
    };
    sqlx::query(
        "INSERT INTO tickets (id, state, ahead, session, issuer, subject, requester, groups, source, target, statement,
             parameters, masked, objects, rule, snapshot, digest, reviewers, count, grant_kind, grant_s, opened_ms,
             deadline_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
             ?23)",
    )
    .bind(number_to_text(ticket.id))
    .bind(state_to_text(if ahead { ApprovalState::Ahead } else { ApprovalState::Pending }))
    .bind(ahead)
    .bind(number_to_text(ticket.session))
    .bind(&ticket.issuer)
    .bind(&ticket.subject)
    .bind(&ticket.requester)
    .bind(list_to_text(&ticket.groups))
    .bind(&ticket.source)
    .bind(&ticket.target)
    .bind(&ticket.statement)
    .bind(list_to_text(&ticket.parameters))
    .bind(ticket.masked)
    .bind(list_to_text(&ticket.objects))
    .bind(&ticket.rule)
    .bind(signed(ticket.snapshot))
    .bind(ticket.digest.as_slice())
    .bind(list_to_text(&ticket.reviewers))
    .bind(ticket.count.max(1))
    .bind(grant_kind)
    .bind(signed(grant_s))
    .bind(signed(ticket.opened_ms))
    .bind(signed(ticket.deadline_ms))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Moves a ticket to where it stands now.
pub(crate) async fn set_state_in(
    transaction: &mut Transaction<'_, Sqlite>,
    id: u128,
    state: ApprovalState,
    outcome: &str,
    now_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE tickets SET state = ?2, outcome = ?3, ruled_ms = ?4 WHERE id = ?1")
        .bind(number_to_text(id))
        .bind(state_to_text(state))
        .bind(outcome)
        .bind(signed(now_ms))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Notes that the dataplane is done with a ticket.
pub(crate) async fn set_settled_in(
    transaction: &mut Transaction<'_, Sqlite>,
    id: u128,
    now_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE tickets SET settled_ms = ?2 WHERE id = ?1 AND settled_ms IS NULL")
        .bind(number_to_text(id))
        .bind(signed(now_ms))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// What people said of a ticket, within a transaction.
pub(crate) async fn votes_in(
    transaction: &mut Transaction<'_, Sqlite>,
    id: u128,
) -> Result<Vec<StoredVote>, StoreError> {
    let rows = sqlx::query("SELECT * FROM votes WHERE ticket = ?1 ORDER BY at_ms, rowid")
        .bind(number_to_text(id))
        .fetch_all(&mut **transaction)
        .await?;
    rows.iter().map(vote_from_row).collect()
}

/// Adds what a person said. A second one of the same person is refused by the primary key.
pub(crate) async fn add_vote_in(
    transaction: &mut Transaction<'_, Sqlite>,
    id: u128,
    vote: &StoredVote,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO votes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        .bind(number_to_text(id))
        .bind(&vote.issuer)
        .bind(&vote.subject)
        .bind(&vote.requester)
        .bind(vote.approved)
        .bind(&vote.reason)
        .bind(signed(vote.at_ms))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn ticket_from_row(row: &SqliteRow) -> Result<StoredTicket, StoreError> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let time = |column: &str| row.try_get::<i64, _>(column).map(unsigned);
    let grant = match text("grant_kind")?.as_str() {
        "session" => Grant::Session,
        "window" => Grant::Window(time("grant_s")?),
        _ => Grant::Once,
    };
    let ticket = Ticket {
        id: number_from_text(TABLE, &text("id")?)?,
        session: number_from_text(TABLE, &text("session")?)?,
        issuer: text("issuer")?,
        subject: text("subject")?,
        requester: text("requester")?,
        groups: list_from_text(TABLE, &text("groups")?)?,
        source: text("source")?,
        target: text("target")?,
        statement: text("statement")?,
        parameters: list_from_text(TABLE, &text("parameters")?)?,
        masked: row.try_get("masked")?,
        objects: list_from_text(TABLE, &text("objects")?)?,
        rule: text("rule")?,
        snapshot: time("snapshot")?,
        digest: digest_from_blob(TABLE, &row.try_get::<Vec<u8>, _>("digest")?)?,
        reviewers: list_from_text(TABLE, &text("reviewers")?)?,
        count: row.try_get("count")?,
        grant,
        opened_ms: time("opened_ms")?,
        deadline_ms: time("deadline_ms")?,
    };
    Ok(StoredTicket {
        ticket,
        ahead: row.try_get("ahead")?,
        state: state_from_text(&text("state")?)?,
        ruled_ms: row.try_get::<Option<i64>, _>("ruled_ms")?.map(unsigned),
        settled_ms: row.try_get::<Option<i64>, _>("settled_ms")?.map(unsigned),
        outcome: text("outcome")?,
    })
}

fn vote_from_row(row: &SqliteRow) -> Result<StoredVote, StoreError> {
    Ok(StoredVote {
        issuer: row.try_get("issuer")?,
        subject: row.try_get("subject")?,
        requester: row.try_get("requester")?,
        approved: row.try_get("approved")?,
        reason: row.try_get("reason")?,
        at_ms: unsigned(row.try_get("at_ms")?),
    })
}

/// The state's name, as in JSON.
pub(crate) fn state_to_text(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Ahead => "ahead",
        ApprovalState::Pending => "pending",
        ApprovalState::Approved => "approved",
        ApprovalState::Rejected => "rejected",
        ApprovalState::Expired => "expired",
        ApprovalState::Withdrawn => "withdrawn",
        ApprovalState::Settled => "settled",
    }
}

fn state_from_text(text: &str) -> Result<ApprovalState, StoreError> {
    Ok(match text {
        "ahead" => ApprovalState::Ahead,
        "pending" => ApprovalState::Pending,
        "approved" => ApprovalState::Approved,
        "rejected" => ApprovalState::Rejected,
        "expired" => ApprovalState::Expired,
        "withdrawn" => ApprovalState::Withdrawn,
        "settled" => ApprovalState::Settled,
        other => return Err(StoreError::Damaged { table: TABLE, what: format!("state {other}") }),
    })
}
