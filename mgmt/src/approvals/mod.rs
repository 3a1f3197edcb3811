//! Tickets: commands that wait for people, and commands asked for ahead. State machine: ahead or pending -> approved,
//! rejected, expired, withdrawn or settled, and nothing leads back. What is approved is the digest; what the dataplane
//! runs is what bears that digest. Leaves out the link (publish/link.rs) and REST (api).
//!
//! - [`eligibility`]: who may decide, as a pure function.
//! - [`arrive`]: tickets from the dataplane, and the grants that rule them at once.
//! - [`decide`]: what people say.
//! - [`ahead`]: asking before the command comes.

pub mod ahead;
mod arrive;
pub mod decide;
pub mod eligibility;

use policies::link::TicketRuling;
use tokio::sync::broadcast;

use crate::api::types::{Approval, ApprovalState, Vote};
use crate::auth::roles::Person;
use crate::clock::Clock;
use crate::publish::events::Events;
use crate::publish::policy::hex;
use crate::store::{Store, StoreError, StoredTicket, StoredVote, TicketFilter, number_to_text, tickets};

/// Rulings that a connection may fall behind by; one that falls further behind is closed and starts anew.
const RULINGS_MAX: usize = 1024;

/// Where tickets are kept and decided.
#[derive(Debug)]
pub struct Desk {
    store: Store,
    clock: Clock,
    events: Events,
    rulings: broadcast::Sender<TicketRuling>,
    request_ttl_ms: u64,
}

impl Desk {
    /// A desk over this store. Requests asked for ahead live `request_ttl_s` seconds.
    pub fn new(store: Store, clock: Clock, events: Events, request_ttl_s: u64) -> Self {
        let (rulings, _) = broadcast::channel(RULINGS_MAX);
        let request_ttl_ms = request_ttl_s.saturating_mul(1000);
        Self { store, clock, events, rulings, request_ttl_ms }
    }

    /// Follows rulings.
    pub fn subscribe(&self) -> broadcast::Receiver<TicketRuling> {
        self.rulings.subscribe()
    }

    /// Tickets that this person may see, the newest first.
    pub async fn list(
        &self,
        person: &Person,
        state: Option<ApprovalState>,
        limit: u32,
    ) -> Result<Vec<Approval>, StoreError> {
        let mut seen = Vec::new();
        for stored in self.store.tickets(&TicketFilter { state, limit }).await? {
            if may_see(person, &stored) {
                let votes = self.store.votes(stored.ticket.id).await?;
                seen.push(self.show(person, &stored, &votes));
            }
        }
        Ok(seen)
    }

    /// One ticket; `None` where there is none that this person may see.
    pub async fn get(&self, person: &Person, id: u128) -> Result<Option<Approval>, StoreError> {
        let Some(stored) = self.store.ticket(id).await? else { return Ok(None) };
        if !may_see(person, &stored) {
            return Ok(None);
        }
        let votes = self.store.votes(id).await?;
        Ok(Some(self.show(person, &stored, &votes)))
    }

    /// How many tickets wait that this person may see.
    pub async fn waiting(&self, person: &Person) -> Result<u64, StoreError> {
        let mut count = 0;
        for state in [ApprovalState::Pending, ApprovalState::Ahead] {
            let filter = TicketFilter { state: Some(state), limit: u32::MAX };
            let stored = self.store.tickets(&filter).await?;
            count += stored.iter().filter(|stored| may_see(person, stored)).count() as u64;
        }
        Ok(count)
    }

    /// Ends the tickets whose time is over. Returns how many.
    pub async fn expire(&self) -> Result<usize, StoreError> {
        let now_ms = self.clock.now_ms();
        if !self.store.any_overdue(now_ms).await? {
            return Ok(0);
        }
        let mut transaction = self.store.write().await?;
        let overdue = tickets::overdue_in(&mut transaction, now_ms).await?;
        for stored in &overdue {
            let id = stored.ticket.id;
            tickets::set_state_in(&mut transaction, id, ApprovalState::Expired, EXPIRED, now_ms).await?;
            let text = format!("ticket {}: {EXPIRED}", number_to_text(id));
            self.events.add_in(&mut transaction, "approval-expired", "mgmt", &text).await?;
        }
        transaction.commit().await.map_err(StoreError::from)?;
        if !overdue.is_empty() {
            self.events.wake();
        }
        for stored in overdue.iter().filter(|stored| !stored.ahead) {
            self.send(ruling(stored, false, Vec::new(), EXPIRED));
        }
        Ok(overdue.len())
    }

    fn send(&self, ruling: TicketRuling) {
        // Nobody may be connected: the dataplane asks again when it is.
        let _ = self.rulings.send(ruling);
    }

    fn show(&self, person: &Person, stored: &StoredTicket, votes: &[StoredVote]) -> Approval {
        let ticket = &stored.ticket;
        let may = eligibility::may_decide(person, stored, votes, self.clock.now_ms());
        Approval {
            id: number_to_text(ticket.id),
            state: stored.state,
            identity: ticket.subject.clone(),
            issuer: ticket.issuer.clone(),
            requester: ticket.requester.clone(),
            groups: ticket.groups.clone(),
            session: if ticket.session == 0 { String::new() } else { number_to_text(ticket.session) },
            source: ticket.source.clone(),
            target: ticket.target.clone(),
            statement: ticket.statement.clone(),
            parameters: ticket.parameters.clone(),
            masked: ticket.masked,
            objects: ticket.objects.clone(),
            rule: ticket.rule.clone(),
            snapshot: ticket.snapshot,
            digest: hex(&ticket.digest),
            reviewers: ticket.reviewers.clone(),
            count: ticket.count,
            grant: match ticket.grant {
                policies::approval::Grant::Once => "once".to_owned(),
                policies::approval::Grant::Session => "session".to_owned(),
                policies::approval::Grant::Window(seconds) => format!("window: {seconds}s"),
            },
            opened_ms: ticket.opened_ms,
            deadline_ms: ticket.deadline_ms,
            votes: votes.iter().map(show_vote).collect(),
            ruled_ms: stored.ruled_ms,
            outcome: stored.outcome.clone(),
            settled_ms: stored.settled_ms,
            may_decide: may.is_ok(),
            may_not: may.err().map(|refused| refused.to_string()).unwrap_or_default(),
        }
    }
}

/// The outcome of a ticket that nobody decided.
const EXPIRED: &str = "nobody decided in time";

fn show_vote(vote: &StoredVote) -> Vote {
    Vote {
        reviewer: vote.subject.clone(),
        issuer: vote.issuer.clone(),
        approved: vote.approved,
        reason: vote.reason.clone(),
        at_ms: vote.at_ms,
    }
}

/// A job sees its own tickets, a reviewer those of the reviewer's groups, admins and auditors all.
fn may_see(person: &Person, stored: &StoredTicket) -> bool {
    let ticket = &stored.ticket;
    person.admin
        || person.auditor
        || person.is_in(&ticket.reviewers)
        || (person.issuer == ticket.issuer && person.subject == ticket.subject)
}

fn ruling(stored: &StoredTicket, approved: bool, reviewers: Vec<String>, reason: &str) -> TicketRuling {
    TicketRuling {
        ticket: stored.ticket.id,
        digest: stored.ticket.digest,
        approved,
        reviewers,
        reason: reason.to_owned(),
    }
}
