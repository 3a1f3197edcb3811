//! Commands that wait for people: tickets out, rulings in, every path ending in a record and by default in a refusal.
//! Leaves out the bytes themselves, which wait in their connection. Lives on its shard's core.

use std::fmt::Write as _;

use evidence::record::{Record, SessionId, TicketId, Time};
use hashbrown::HashMap;
use policies::approval::{self, Ticket};
use policies::decision::Approval;
use policies::link::{TicketRuling, ToMgmt};
use wire::{RefusalKind, Transaction};

use crate::desk::{Answer, Desk, OwnedRefusal, Wait};
use crate::limits::HELD_MAX;
use crate::session::Session;

/// The shard's open tickets.
#[derive(Default)]
pub struct Holds {
    open: HashMap<u128, Held>,
}

/// One held command.
pub struct Held {
    /// As mgmt was told.
    pub ticket: Ticket,
    /// The connection.
    pub slot: u32,
    /// The command.
    pub number: u64,
    /// An approval lets what it computes be seen.
    pub reveals: bool,
}

impl Holds {
    /// Every ticket that waits: mgmt is told again after a reconnect.
    pub fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        self.open.values().map(|held| &held.ticket)
    }

    /// The connection that waits for a ticket.
    pub fn slot(&self, ticket: u128) -> Option<u32> {
        self.open.get(&ticket).map(|held| held.slot)
    }
}

/// A command about to be held, as it may be shown.
pub(crate) struct Shown<'a> {
    pub(crate) statement: &'a str,
    pub(crate) parameters: Vec<Option<String>>,
    pub(crate) masked: u32,
    pub(crate) objects: &'a [String],
    pub(crate) rule: &'a str,
    pub(crate) transaction: Transaction,
    pub(crate) number: u64,
}

impl Desk {
    /// Opens a ticket for a command.
    pub(crate) fn hold(&mut self, session: &mut Session, shown: Shown<'_>, approval: &Approval) -> Answer {
        let locks = shown.transaction == Transaction::Active;
        let seconds =
            if locks { approval.in_transaction_s.min(approval.timeout_s) } else { approval.timeout_s };
        if seconds == 0 {
            return Answer::Refuse(
                OwnedRefusal::new(
                    RefusalKind::Denied,
                    format!("rule {} holds no command inside a transaction", shown.rule),
                )
                .hint("ask ahead of the run: pangate request --target TARGET STATEMENT"),
            );
        }
        if self.holds.open.len() >= HELD_MAX {
            return Answer::Refuse(OwnedRefusal::new(
                RefusalKind::Limit,
                "too many commands wait for approval",
            ));
        }
        let Some(id) = crate::random::u128() else {
            return Answer::Refuse(OwnedRefusal::new(
                RefusalKind::Limit,
                "no randomness for a ticket's number",
            ));
        };
        let Some(ticket) = self.ticket(id, session, &shown, approval, seconds) else {
            return Answer::Refuse(crate::desk::unasked());
        };
        let mut digest = String::with_capacity(64);
        for byte in ticket.digest {
            let _ = write!(digest, "{byte:02x}");
        }
        let record = Record::Held {
            session: SessionId(session.id),
            number: shown.number,
            at: self.time(),
            ticket: TicketId(id),
            digest: &digest,
            rule: shown.rule,
            deadline: Time(ticket.deadline_ms * 1000),
        };
        self.recorder.append(&record, self.now_ms, session.gather_ms());
        self.metrics.held.add(1);
        let notice = format!(
            "pangate: waiting for approval, ticket {id:032x} (rule {}, up to {seconds} s){}",
            shown.rule, self.approval_hint
        );
        self.tell_mgmt(ToMgmt::Ticket(ticket.clone()));
        self.holds.open.insert(
            id,
            Held { ticket, slot: session.slot, number: shown.number, reveals: approval.reveals_computed },
        );
        Answer::Wait(Wait::Hold {
            ticket: id,
            deadline_ms: self.now_ms + seconds * 1000,
            notice,
            number: shown.number,
        })
    }

    fn ticket(
        &self,
        id: u128,
        session: &Session,
        shown: &Shown<'_>,
        approval: &Approval,
        seconds: u64,
    ) -> Option<Ticket> {
        let who = session.who.as_ref()?;
        let opened_ms = self.wall_us / 1000;
        let mut ticket = Ticket {
            id,
            session: session.id,
            issuer: who.issuer.clone(),
            subject: who.subject.clone(),
            requester: who.requester.clone(),
            groups: who.groups.clone(),
            source: session.source_text.clone(),
            target: who.target.clone(),
            statement: shown.statement.to_owned(),
            parameters: shown.parameters.clone(),
            masked: shown.masked,
            objects: shown.objects.to_vec(),
            rule: shown.rule.to_owned(),
            snapshot: session.standing.as_ref()?.snapshot,
            digest: [0; 32],
            reviewers: approval.reviewers.clone(),
            count: approval.count,
            grant: approval.grant,
            opened_ms,
            deadline_ms: opened_ms + seconds * 1000,
        };
        ticket.digest = approval::digest(ticket.covered());
        Some(ticket)
    }

    /// People have ruled. `None`: not on this, or not on exactly this.
    pub(crate) fn take_ruling(&mut self, session: &mut Session, ruling: &TicketRuling) -> Option<Answer> {
        let held = self.holds.open.get(&ruling.ticket)?;
        if held.ticket.digest != ruling.digest {
            tracing::error!(ticket = %format_args!("{:032x}", ruling.ticket), "a ruling names another digest: ignored");
            return None;
        }
        let held = self.holds.open.remove(&ruling.ticket)?;
        self.metrics.held.sub(1);
        let stale = session.standing.as_ref().map(|standing| standing.snapshot) != Some(held.ticket.snapshot)
            || self.snapshot.as_ref().map(|snapshot| snapshot.version()) != Some(held.ticket.snapshot);
        let approved = ruling.approved && !stale && enough(&held.ticket, &ruling.reviewers);
        let outcome = if approved { "approved" } else { "rejected" };
        let reason =
            if stale && ruling.approved { "policy has changed since it was asked" } else { &ruling.reason };
        self.settle(session, held.number, ruling.ticket, outcome, &ruling.reviewers.join(","), reason);
        if !approved {
            let message = format!("rejected: ticket {:032x}, rule {}", ruling.ticket, held.ticket.rule);
            return Some(Answer::Refuse(
                OwnedRefusal::new(RefusalKind::Rejected, message).detail(reason.to_owned()),
            ));
        }
        if held.reveals {
            session.following.reveal();
        }
        Some(self.forward(session))
    }

    /// Nobody has ruled in time.
    pub(crate) fn expired(&mut self, session: &mut Session, ticket: u128, number: u64) -> Answer {
        self.drop_ticket(session, ticket, number, "expired", "nobody ruled on it in time");
        Answer::Refuse(
            OwnedRefusal::new(RefusalKind::Expired, format!("not approved in time: ticket {ticket:032x}"))
                .hint("ask ahead of the run: pangate request --target TARGET STATEMENT"),
        )
    }

    /// The job has cancelled what it waits for.
    pub(crate) fn cancelled(&mut self, session: &mut Session, ticket: u128, number: u64) -> Answer {
        self.drop_ticket(session, ticket, number, "withdrawn", "cancelled by the client");
        Answer::Refuse(OwnedRefusal::new(RefusalKind::Expired, "canceling statement due to user request"))
    }

    /// The job is gone.
    pub(crate) fn withdraw(&mut self, session: &mut Session, ticket: u128, number: u64, why: &str) {
        self.drop_ticket(session, ticket, number, "withdrawn", why);
    }

    fn drop_ticket(&mut self, session: &mut Session, ticket: u128, number: u64, outcome: &str, why: &str) {
        if self.holds.open.remove(&ticket).is_some() {
            self.metrics.held.sub(1);
            self.tell_mgmt(ToMgmt::Withdrawn { ticket, reason: why.to_owned() });
            self.settle(session, number, ticket, outcome, "", why);
        }
    }

    fn settle(
        &mut self,
        session: &Session,
        number: u64,
        ticket: u128,
        outcome: &str,
        reviewers: &str,
        reason: &str,
    ) {
        let mut masked = String::new();
        let format = session.who.as_ref().map(|who| who.mask).unwrap_or_default();
        crate::redact::masked(reason, &self.scanner, format, &mut masked);
        let record = Record::Ruled {
            session: SessionId(session.id),
            number,
            at: self.time(),
            ticket: TicketId(ticket),
            outcome,
            reviewers,
            reason: &masked,
        };
        self.recorder.append(&record, self.now_ms, session.gather_ms());
        self.tell_mgmt(ToMgmt::Settled { ticket, outcome: outcome.to_owned() });
    }
}

/// Whether so many distinct people as the rule asks for have approved, the requester not among them.
fn enough(ticket: &Ticket, reviewers: &[String]) -> bool {
    let mut people: Vec<&str> = reviewers
        .iter()
        .map(String::as_str)
        .filter(|person| !person.is_empty() && *person != ticket.requester && *person != ticket.subject)
        .collect();
    people.sort_unstable();
    people.dedup();
    people.len() >= usize::from(ticket.count).max(1)
}
