//! Tickets from the dataplane. One that an earlier approval covers is ruled at once; one that comes again after a
//! reconnect gets the same answer as before.

use policies::approval::{Ticket, digest};
use policies::link::TicketRuling;
use sqlx::{Sqlite, Transaction};

use super::eligibility::same_person;
use super::{Desk, ruling};
use crate::api::types::ApprovalState;
use crate::store::{Grant, GrantKind, StoreError, StoredTicket, grants, number_to_text, tickets};

impl Desk {
    /// Takes a ticket. `Some`: it is ruled already.
    pub async fn arrived(&self, ticket: &Ticket) -> Result<Option<TicketRuling>, StoreError> {
        if let Some(fault) = fault(ticket) {
            return self.refuse(ticket, fault).await.map(Some);
        }
        let mut transaction = self.store.write().await?;
        if let Some(stored) = tickets::ticket_in(&mut transaction, ticket.id).await? {
            drop(transaction);
            return self.again(ticket, &stored).await;
        }
        tickets::add_ticket_in(&mut transaction, ticket, false).await?;
        let text = format!("ticket {}: {} wants {}", number_to_text(ticket.id), ticket.subject, ticket.rule);
        self.events.add_in(&mut transaction, "approval-asked", "mgmt", &text).await?;
        let ruling = self.granted_in(&mut transaction, ticket).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        self.events.wake();
        Ok(ruling)
    }

    /// The dataplane does not wait for this ticket any more.
    pub async fn withdrawn(&self, id: u128, reason: &str) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        let mut transaction = self.store.write().await?;
        let stored = tickets::ticket_in(&mut transaction, id).await?;
        if stored.is_some_and(|stored| stored.state == ApprovalState::Pending) {
            tickets::set_state_in(&mut transaction, id, ApprovalState::Withdrawn, reason, now_ms).await?;
        }
        transaction.commit().await.map_err(StoreError::from)
    }

    /// A ruling has taken effect, or the dataplane has ended the ticket by itself.
    pub async fn settled(&self, id: u128, outcome: &str) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        let mut transaction = self.store.write().await?;
        let Some(stored) = tickets::ticket_in(&mut transaction, id).await? else { return Ok(()) };
        if stored.settled_ms.is_none()
            && let Some((state, outcome)) = settled_as(&stored, outcome)
        {
            tickets::set_state_in(&mut transaction, id, state, &outcome, now_ms).await?;
        }
        tickets::set_settled_in(&mut transaction, id, now_ms).await?;
        transaction.commit().await.map_err(StoreError::from)
    }

    /// A ticket that is known: the same answer as before.
    async fn again(
        &self,
        ticket: &Ticket,
        stored: &StoredTicket,
    ) -> Result<Option<TicketRuling>, StoreError> {
        if stored.ticket.digest != ticket.digest || stored.ahead {
            return self.refuse(ticket, "another command bears this ticket's number").await.map(Some);
        }
        Ok(match stored.state {
            ApprovalState::Pending | ApprovalState::Ahead => None,
            ApprovalState::Approved => Some(self.approved_ruling(stored).await?),
            ApprovalState::Rejected
            | ApprovalState::Expired
            | ApprovalState::Withdrawn
            | ApprovalState::Settled => Some(ruling(stored, false, Vec::new(), &stored.outcome)),
        })
    }

    async fn approved_ruling(&self, stored: &StoredTicket) -> Result<TicketRuling, StoreError> {
        let votes = self.store.votes(stored.ticket.id).await?;
        let mut reviewers: Vec<String> = votes.into_iter().map(|vote| vote.subject).collect();
        if reviewers.is_empty() {
            // Ruled by a grant: those who approved are the grant's.
            reviewers = self.store.ruled_by(stored.ticket.id).await?;
        }
        Ok(ruling(stored, true, reviewers, &stored.outcome))
    }

    /// Says no to what cannot be decided on, and tells.
    async fn refuse(&self, ticket: &Ticket, fault: &str) -> Result<TicketRuling, StoreError> {
        let id = number_to_text(ticket.id);
        tracing::error!(ticket = id, fault, "a ticket of the dataplane is refused");
        self.events.add("ticket-refused", "mgmt", &format!("ticket {id}: {fault}")).await?;
        Ok(TicketRuling {
            ticket: ticket.id,
            digest: ticket.digest,
            approved: false,
            reviewers: Vec::new(),
            reason: fault.to_owned(),
        })
    }

    /// Rules a new ticket by an earlier approval, where one covers it.
    async fn granted_in(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        ticket: &Ticket,
    ) -> Result<Option<TicketRuling>, StoreError> {
        // Masked texts do not tell commands apart: no approval but one of the very command covers it.
        if ticket.masked > 0 {
            return Ok(None);
        }
        let now_ms = self.clock.now_ms();
        for grant in grants::grants_in(transaction, &ticket.digest, now_ms).await? {
            if !covers(&grant, ticket) || self.asks_for_own_in(transaction, &grant, ticket).await? {
                continue;
            }
            let by = number_to_text(grant.ticket);
            let outcome = format!("{} (approved with ticket {by})", grant.reason);
            let id = ticket.id;
            tickets::set_state_in(transaction, id, ApprovalState::Approved, &outcome, now_ms).await?;
            grants::use_in(transaction, &grant, id).await?;
            let text = format!("ticket {}: approved with ticket {by}", number_to_text(id));
            self.events.add_in(transaction, "approval-granted", "mgmt", &text).await?;
            return Ok(Some(TicketRuling {
                ticket: id,
                digest: ticket.digest,
                approved: true,
                reviewers: grant.reviewers,
                reason: outcome,
            }));
        }
        Ok(None)
    }

    /// Whether one of those who approved then is who asks now: the digest does not cover the person behind the job.
    async fn asks_for_own_in(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        grant: &Grant,
        ticket: &Ticket,
    ) -> Result<bool, StoreError> {
        let votes = tickets::votes_in(transaction, grant.ticket).await?;
        let asks = [ticket.subject.as_str(), ticket.requester.as_str()];
        Ok(votes.iter().any(|vote| same_person(asks, [&vote.subject, &vote.requester])))
    }
}

/// Where a ticket stands after the dataplane has ended it so; `None`: as before. What people decided stays as they decided
/// it, unless the dataplane did not follow it (policy had changed).
fn settled_as(stored: &StoredTicket, outcome: &str) -> Option<(ApprovalState, String)> {
    let before = || if stored.outcome.is_empty() { outcome.to_owned() } else { stored.outcome.clone() };
    match (stored.state, outcome) {
        (ApprovalState::Pending | ApprovalState::Withdrawn, "expired") => {
            Some((ApprovalState::Expired, before()))
        }
        (ApprovalState::Pending, "withdrawn") => Some((ApprovalState::Withdrawn, before())),
        (ApprovalState::Pending, _) => Some((ApprovalState::Settled, outcome.to_owned())),
        (ApprovalState::Approved, outcome) if outcome != "approved" => {
            Some((ApprovalState::Settled, format!("approved, but {outcome} by the dataplane")))
        }
        _ => None,
    }
}

/// Why nobody could decide on a ticket.
fn fault(ticket: &Ticket) -> Option<&'static str> {
    if digest(ticket.covered()) != ticket.digest {
        return Some("its digest is not that of what it shows");
    }
    if ticket.reviewers.is_empty() || ticket.count == 0 {
        return Some("its rule names no reviewers");
    }
    None
}

fn covers(grant: &Grant, ticket: &Ticket) -> bool {
    let same = grant.digest == ticket.digest
        && grant.issuer == ticket.issuer
        && grant.subject == ticket.subject
        && grant.reviewers.len() >= usize::from(ticket.count);
    same && match grant.kind {
        GrantKind::Session => grant.session == ticket.session && ticket.session != 0,
        GrantKind::Ahead | GrantKind::Window => true,
    }
}
