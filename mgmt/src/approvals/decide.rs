//! What people say of a ticket: a vote, its consequence and the event that tells of it, in one transaction.

use policies::approval::Grant as GrantOf;
use sqlx::{Sqlite, Transaction};

use super::eligibility::{self, Ineligible};
use super::{Desk, may_see, ruling};
use crate::api::types::{Approval, ApprovalState, Verdict};
use crate::auth::roles::Person;
use crate::masking;
use crate::publish::policy::hex;
use crate::store::{Grant, GrantKind, StoreError, StoredTicket, StoredVote, grants, number_to_text, tickets};

/// Bytes of a reason at the most.
pub const REASON_BYTES_MAX: usize = 2000;
/// A grant for a session lives no longer than this, however long the session does.
const SESSION_GRANT_MS: u64 = 24 * 3600 * 1000;

/// Why a decision is refused.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// There is no such ticket that this person may see.
    #[error("there is no such ticket")]
    Unknown,
    /// This person may not, or not any more.
    #[error(transparent)]
    Ineligible(#[from] Ineligible),
    /// The digest that the person saw is not the ticket's.
    #[error("the ticket is not the one that you saw: its digest is another")]
    Digest,
    /// No reason, or one longer than [`REASON_BYTES_MAX`].
    #[error("a reason of 1 to {REASON_BYTES_MAX} bytes is needed")]
    Reason,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Desk {
    /// Takes a person's decision; returns the ticket as it then stands.
    pub async fn decide(
        &self,
        person: &Person,
        id: u128,
        approved: bool,
        verdict: &Verdict,
    ) -> Result<Approval, DecideError> {
        let reason = verdict.reason.trim();
        if reason.is_empty() || reason.len() > REASON_BYTES_MAX {
            return Err(DecideError::Reason);
        }
        let now_ms = self.clock.now_ms();
        let mut transaction = self.store.write().await?;
        let stored = tickets::ticket_in(&mut transaction, id).await?;
        let stored = stored.filter(|stored| may_see(person, stored)).ok_or(DecideError::Unknown)?;
        if verdict.digest.as_ref().is_some_and(|seen| !seen.eq_ignore_ascii_case(&hex(&stored.ticket.digest)))
        {
            return Err(DecideError::Digest);
        }
        let votes = tickets::votes_in(&mut transaction, id).await?;
        eligibility::may_decide(person, &stored, &votes, now_ms)?;
        let vote = StoredVote {
            issuer: person.issuer.clone(),
            subject: person.subject.clone(),
            requester: person.requester.clone(),
            approved,
            reason: masking::text(reason).0,
            at_ms: now_ms,
        };
        tickets::add_vote_in(&mut transaction, id, &vote).await?;
        let (event, said) =
            if approved { ("approval-approved", "approved") } else { ("approval-rejected", "rejected") };
        let text = format!("ticket {}: {said}: {}", number_to_text(id), vote.reason);
        self.events.add_in(&mut transaction, event, &person.subject, &text).await?;
        let mut votes = votes;
        votes.push(vote);
        let ruled = self.rule_in(&mut transaction, &stored, &votes, now_ms).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        self.events.wake();
        if let Some((approved, reviewers, reason)) = ruled
            && !stored.ahead
        {
            self.send(ruling(&stored, approved, reviewers, &reason));
        }
        self.get(person, id).await?.ok_or(DecideError::Unknown)
    }

    /// Rules the ticket where the votes suffice: one no, or as many people's yes as the rule asks for.
    async fn rule_in(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        stored: &StoredTicket,
        votes: &[StoredVote],
        now_ms: u64,
    ) -> Result<Option<(bool, Vec<String>, String)>, StoreError> {
        let rejected = votes.iter().any(|vote| !vote.approved);
        if !rejected && votes.len() < usize::from(stored.ticket.count) {
            return Ok(None);
        }
        let state = if rejected { ApprovalState::Rejected } else { ApprovalState::Approved };
        let said: Vec<&StoredVote> = votes.iter().filter(|vote| vote.approved != rejected).collect();
        let reviewers: Vec<String> = said.iter().map(|vote| vote.subject.clone()).collect();
        let reasons: Vec<&str> = said.iter().map(|vote| vote.reason.as_str()).collect();
        let reason = reasons.join("; ");
        tickets::set_state_in(transaction, stored.ticket.id, state, &reason, now_ms).await?;
        if let (false, Some((kind, expires_ms))) = (rejected, lasting(stored, now_ms)) {
            let grant = Grant {
                ticket: stored.ticket.id,
                kind,
                digest: stored.ticket.digest,
                issuer: stored.ticket.issuer.clone(),
                subject: stored.ticket.subject.clone(),
                session: stored.ticket.session,
                expires_ms,
                reviewers: reviewers.clone(),
                reason: reason.clone(),
            };
            grants::add_grant_in(transaction, &grant).await?;
        }
        Ok(Some((!rejected, reviewers, reason)))
    }
}

/// What an approval is good for beyond the command that waits, and until when.
fn lasting(stored: &StoredTicket, now_ms: u64) -> Option<(GrantKind, u64)> {
    if stored.ticket.masked > 0 {
        return None;
    }
    if stored.ahead {
        return Some((GrantKind::Ahead, stored.ticket.deadline_ms));
    }
    match stored.ticket.grant {
        GrantOf::Once => None,
        GrantOf::Session => Some((GrantKind::Session, now_ms.saturating_add(SESSION_GRANT_MS))),
        GrantOf::Window(seconds) => {
            Some((GrantKind::Window, now_ms.saturating_add(seconds.saturating_mul(1000))))
        }
    }
}
