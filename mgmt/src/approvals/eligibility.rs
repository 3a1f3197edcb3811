//! Who may decide on a ticket: a reviewer of one of its groups, who neither asks for it nor has decided on it before.
//! Two tokens are one person where any name of the one is any name of the other, whatever their issuers and letter case:
//! a person must not pass for two, nor a requester for a reviewer, by logging in elsewhere.

use crate::api::types::ApprovalState;
use crate::auth::roles::Person;
use crate::store::{StoredTicket, StoredVote};

/// Why somebody may not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Ineligible {
    /// Not in one of the ticket's reviewer groups.
    #[error("only members of the rule's reviewer groups may decide")]
    NotReviewer,
    /// The job itself or the person behind it.
    #[error("whoever asks may not decide")]
    Requester,
    /// Has decided on it already.
    #[error("you have decided on it already; another person must")]
    Twice,
    /// It does not wait any more.
    #[error("it is decided already")]
    Over,
    /// Its time is over.
    #[error("its time is over")]
    Overdue,
}

/// Whether a person may decide on a ticket now.
pub fn may_decide(
    person: &Person,
    stored: &StoredTicket,
    votes: &[StoredVote],
    now_ms: u64,
) -> Result<(), Ineligible> {
    let ticket = &stored.ticket;
    if !person.is_in(&ticket.reviewers) {
        return Err(Ineligible::NotReviewer);
    }
    if same_person([&person.subject, &person.requester], [&ticket.subject, &ticket.requester]) {
        return Err(Ineligible::Requester);
    }
    let mine = [person.subject.as_str(), person.requester.as_str()];
    if votes.iter().any(|vote| same_person(mine, [&vote.subject, &vote.requester])) {
        return Err(Ineligible::Twice);
    }
    if !matches!(stored.state, ApprovalState::Pending | ApprovalState::Ahead) {
        return Err(Ineligible::Over);
    }
    if now_ms >= ticket.deadline_ms {
        return Err(Ineligible::Overdue);
    }
    Ok(())
}

/// Whether any name of the one is any name of the other. An empty name is nobody's.
pub fn same_person(one: [&str; 2], other: [&str; 2]) -> bool {
    let named = |name: &str| !name.trim().is_empty();
    one.iter()
        .filter(|name| named(name))
        .any(|mine| other.iter().any(|theirs| mine.trim().to_lowercase() == theirs.trim().to_lowercase()))
}

#[cfg(test)]
mod tests {
    use policies::approval::{Grant, Ticket};

    use super::*;
    use crate::config::Roles;

    fn stored() -> StoredTicket {
        let ticket = Ticket {
            id: 1,
            session: 2,
            issuer: "https://ci".into(),
            subject: "job".into(),
            requester: "alice".into(),
            groups: vec!["batch".into()],
            source: String::new(),
            target: "payments".into(),
            statement: "update t".into(),
            parameters: Vec::new(),
            masked: 0,
            objects: vec!["t".into()],
            rule: "p/r".into(),
            snapshot: 1,
            digest: [0; 32],
            reviewers: vec!["pci".into()],
            count: 2,
            grant: Grant::Once,
            opened_ms: 0,
            deadline_ms: 100,
        };
        StoredTicket {
            ticket,
            ahead: false,
            state: ApprovalState::Pending,
            ruled_ms: None,
            settled_ms: None,
            outcome: String::new(),
        }
    }

    fn person(subject: &str, requester: &str, group: &str) -> Person {
        Person::new("https://people", subject, requester, vec![group.into()], &Roles::default())
    }

    fn vote(subject: &str) -> StoredVote {
        StoredVote {
            issuer: "https://elsewhere".into(),
            subject: subject.into(),
            requester: String::new(),
            approved: true,
            reason: String::new(),
            at_ms: 1,
        }
    }

    #[test]
    fn a_reviewer_may_and_others_may_not() {
        assert_eq!(may_decide(&person("bob", "", "pci"), &stored(), &[], 0), Ok(()));
        assert_eq!(may_decide(&person("bob", "", "batch"), &stored(), &[], 0), Err(Ineligible::NotReviewer));
    }

    #[test]
    fn whoever_asks_may_not_under_any_name() {
        for (subject, requester) in [("alice", ""), ("Alice ", ""), ("job", ""), ("x", "alice"), ("x", "JOB")]
        {
            let refused = may_decide(&person(subject, requester, "pci"), &stored(), &[], 0);
            assert_eq!(refused, Err(Ineligible::Requester), "{subject} {requester}");
        }
    }

    #[test]
    fn nobody_counts_twice() {
        let votes = [vote("bob")];
        assert_eq!(may_decide(&person("bob", "", "pci"), &stored(), &votes, 0), Err(Ineligible::Twice));
        assert_eq!(may_decide(&person("b-2", "BOB", "pci"), &stored(), &votes, 0), Err(Ineligible::Twice));
        assert_eq!(may_decide(&person("carol", "", "pci"), &stored(), &votes, 0), Ok(()));
    }

    #[test]
    fn what_is_over_stays_over() {
        let bob = person("bob", "", "pci");
        assert_eq!(may_decide(&bob, &stored(), &[], 100), Err(Ineligible::Overdue));
        for state in [
            ApprovalState::Approved,
            ApprovalState::Rejected,
            ApprovalState::Expired,
            ApprovalState::Withdrawn,
            ApprovalState::Settled,
        ] {
            let stored = StoredTicket { state, ..stored() };
            assert_eq!(may_decide(&bob, &stored, &[], 0), Err(Ineligible::Over));
        }
    }

    #[test]
    fn an_empty_name_is_nobodys() {
        assert!(!same_person(["", "bob"], ["", "alice"]));
        assert!(!same_person(["", ""], ["", " "]));
    }
}
