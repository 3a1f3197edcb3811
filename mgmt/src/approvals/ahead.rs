//! Asking ahead: a job shows what it will run, people approve, and the command passes when it comes. Only what its
//! masked text tells whole can be asked ahead: no card numbers, no secrets.

use policies::approval::{Grant, Ticket, digest};
use policies::decision::{Approval, Decision};
use policies::snapshot::TargetView;
use policies::statement::{Dialect, Facts, names_secret, sql};

use super::Desk;
use crate::api::types::{AheadAnswer, AheadRequest, ApprovalState};
use crate::auth::roles::Person;
use crate::masking;
use crate::publish::events::random;
use crate::publish::policy::Published;
use crate::store::{StoreError, StoredTicket, TicketFilter, number_to_text, tickets};

/// Requests of one job that wait at once, at the most.
const WAITING_MAX: usize = 50;
/// Bytes of a statement with its parameters at the most.
const STATEMENT_BYTES_MAX: usize = 256 << 10;
/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum AheadError {
    /// The policy in force names no such target.
    #[error("there is no target of this name")]
    UnknownTarget,
    /// What such a target is asked is not judged ahead.
    #[error("commands for this protocol cannot be asked ahead")]
    Protocol,
    /// Over [`STATEMENT_BYTES_MAX`].
    #[error("the statement with its parameters is longer than {STATEMENT_BYTES_MAX} bytes")]
    TooLong,
    /// Card numbers or secrets: the masked text would cover other commands too.
    #[error("a statement with card numbers or secrets cannot be asked ahead: approve it when it is held")]
    Masked,
    /// Over [`WAITING_MAX`].
    #[error("{WAITING_MAX} requests of this job wait already")]
    TooMany,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Desk {
    /// Decides on a command that is to come; where it must be approved, makes the ticket, or finds the one that asks
    /// for the same.
    pub async fn ahead(
        &self,
        person: &Person,
        request: &AheadRequest,
        policy: &Published,
    ) -> Result<AheadAnswer, AheadError> {
        let bytes = request.parameters.iter().flatten().map(String::len).sum::<usize>();
        if request.statement.len().saturating_add(bytes) > STATEMENT_BYTES_MAX {
            return Err(AheadError::TooLong);
        }
        let target = policy.snapshot.target(&request.target).ok_or(AheadError::UnknownTarget)?;
        let dialect = Dialect::of(target.protocol).ok_or(AheadError::Protocol)?;
        let facts = facts(&target, dialect, &request.statement);
        let Some(class) = policy.snapshot.class(&person.groups, target.name) else {
            let reason = "no policy applies to this job at this target".to_owned();
            return Ok(AheadAnswer {
                decision: "deny".into(),
                rule: "default".into(),
                reason,
                approval: None,
            });
        };
        let plain = |decision: &str, rule: String, reason: String| AheadAnswer {
            decision: decision.to_owned(),
            rule,
            reason,
            approval: None,
        };
        match policy.snapshot.decide(&class, target.name, &facts) {
            Decision::Allow { rule } => Ok(plain("allow", rule, String::new())),
            Decision::Deny { rule, reason } => Ok(plain("deny", rule, reason)),
            Decision::Hold { rule, approval } => {
                let ticket =
                    self.ticket(person, (request, dialect), &facts, &rule, &approval, policy.version)?;
                let stored = self.asked(ticket).await?;
                let votes = self.store.votes(stored.ticket.id).await?;
                let approval = Some(self.show(person, &stored, &votes));
                Ok(AheadAnswer { approval, ..plain("hold", rule, String::new()) })
            }
        }
    }

    fn ticket(
        &self,
        person: &Person,
        (request, dialect): (&AheadRequest, Dialect),
        facts: &Facts,
        rule: &str,
        approval: &Approval,
        snapshot: u64,
    ) -> Result<Ticket, AheadError> {
        let parameters = request.parameters.iter().flatten();
        let masked =
            std::iter::once(&request.statement).chain(parameters).any(|text| masking::text(text).1 > 0);
        if masked || names_secret(&request.statement, dialect) {
            return Err(AheadError::Masked);
        }
        let opened_ms = self.clock.now_ms();
        let mut ticket = Ticket {
            id: random()?,
            session: 0,
            issuer: person.issuer.clone(),
            subject: person.subject.clone(),
            requester: person.requester.clone(),
            groups: person.groups.clone(),
            source: String::new(),
            target: request.target.clone(),
            statement: request.statement.clone(),
            parameters: request.parameters.clone(),
            masked: 0,
            objects: facts.objects.clone(),
            rule: rule.to_owned(),
            snapshot,
            digest: [0; 32],
            reviewers: approval.reviewers.clone(),
            count: approval.count,
            grant: Grant::Once,
            opened_ms,
            deadline_ms: opened_ms.saturating_add(self.request_ttl_ms),
        };
        ticket.digest = digest(ticket.covered());
        Ok(ticket)
    }

    /// Adds the ticket, unless the same is asked for already.
    async fn asked(&self, ticket: Ticket) -> Result<StoredTicket, AheadError> {
        let filter = TicketFilter { state: Some(ApprovalState::Ahead), limit: u32::MAX };
        let mut own = 0;
        for stored in self.store.tickets(&filter).await? {
            let other = &stored.ticket;
            if other.issuer != ticket.issuer || other.subject != ticket.subject {
                continue;
            }
            if other.digest == ticket.digest && other.requester == ticket.requester {
                return Ok(stored);
            }
            own += 1;
        }
        if own >= WAITING_MAX {
            return Err(AheadError::TooMany);
        }
        let mut transaction = self.store.write().await?;
        tickets::add_ticket_in(&mut transaction, &ticket, true).await?;
        let text = format!("ticket {}: asked ahead for {}", number_to_text(ticket.id), ticket.rule);
        self.events.add_in(&mut transaction, "approval-asked-ahead", &ticket.subject, &text).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        self.events.wake();
        Ok(StoredTicket {
            ticket,
            ahead: true,
            state: ApprovalState::Ahead,
            ruled_ms: None,
            settled_ms: None,
            outcome: String::new(),
        })
    }
}

/// In the target's default database; nothing is known yet of the session.
fn facts(target: &TargetView<'_>, dialect: Dialect, statement: &str) -> Facts {
    let database = target.database.unwrap_or_default();
    sql::analyse_in(statement, dialect, &sql::Context { database, ..sql::Context::default() })
}
