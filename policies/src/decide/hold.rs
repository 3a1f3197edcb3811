//! What several hold rules ask for together.

use super::{Named, joined};
use crate::approval::Grant;
use crate::decision::{Approval, ArchivedApproval, Decision};
use crate::model::deserialized;

/// A hold rule that fires, and what it asks for.
type Held<'a> = (Named<'a>, &'a ArchivedApproval);

/// One approval that satisfies every rule: reviewers whom all of them name, the most people, the least time, the
/// narrowest grant. Where no group may review for all of them there is no such approval, and the request is denied.
pub(super) fn combine(holds: &[Held<'_>]) -> Decision {
    let rule = joined(holds.iter().map(|(named, _)| *named).collect());
    let mut approvals = holds.iter().map(|(_, approval)| plain(approval));
    let Some(mut all) = approvals.next() else {
        return Decision::Deny { rule: "default".to_owned(), reason: "no rule matches".to_owned() };
    };
    for one in approvals {
        all.reviewers.retain(|group| one.reviewers.contains(group));
        all.count = all.count.max(one.count);
        all.timeout_s = all.timeout_s.min(one.timeout_s);
        all.in_transaction_s = all.in_transaction_s.min(one.in_transaction_s);
        all.grant = narrower(all.grant, one.grant);
        all.reveals_computed &= one.reveals_computed;
    }
    if all.reviewers.is_empty() {
        let reason = format!("held by rules {rule}, which have no group of reviewers in common");
        return Decision::Deny { rule, reason };
    }
    Decision::Hold { rule, approval: all }
}

fn narrower(one: Grant, two: Grant) -> Grant {
    match (one, two) {
        (Grant::Once, _) | (_, Grant::Once) => Grant::Once,
        (Grant::Session, _) | (_, Grant::Session) => Grant::Session,
        (Grant::Window(one), Grant::Window(two)) => Grant::Window(one.min(two)),
    }
}

fn plain(archived: &ArchivedApproval) -> Approval {
    Approval {
        reviewers: archived.reviewers.iter().map(|group| group.as_str().to_owned()).collect(),
        count: archived.count.to_native(),
        timeout_s: archived.timeout_s.to_native(),
        in_transaction_s: archived.in_transaction_s.to_native(),
        grant: deserialized(&archived.grant),
        reveals_computed: archived.reveals_computed,
    }
}
