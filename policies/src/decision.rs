//! What policy says of a request, and why.

use crate::approval::Grant;

/// The decision on one request.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// It may run.
    Allow {
        /// `policy/rule`.
        rule: String,
    },
    /// It waits for people.
    Hold {
        /// `policy/rule`.
        rule: String,
        /// Who, how many, how long, what for.
        approval: Approval,
    },
    /// It may not run.
    Deny {
        /// `policy/rule`, or `default` where nothing matched.
        rule: String,
        /// For the job's author: which rule, or what was not understood. Never a value.
        reason: String,
    },
}

/// What a rule asks of its approvers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Groups of which the reviewers must be.
    pub reviewers: Vec<String>,
    /// Distinct people.
    pub count: u16,
    /// Seconds a command waits at most outside a transaction that has run something.
    pub timeout_s: u64,
    /// The same inside such a transaction; 0: denied at once.
    pub in_transaction_s: u64,
    /// What the approval is good for.
    pub grant: Grant,
}
