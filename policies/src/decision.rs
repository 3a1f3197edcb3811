//! What policy says of a request, and why.

use crate::approval::Grant;
pub use crate::decide::Exposure;

/// The decision on one request.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// It may run.
    Allow {
        /// `policy/rule`; where several rules together allow it, each once, comma-separated.
        rule: String,
    },
    /// It waits for people.
    Hold {
        /// `policy/rule`; where several rules hold it, each once, comma-separated.
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

impl Decision {
    /// `allow`, `hold` or `deny`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Allow { .. } => "allow",
            Self::Hold { .. } => "hold",
            Self::Deny { .. } => "deny",
        }
    }

    /// The deciding rule or rules, as `policy/rule`; or `default`.
    #[must_use]
    pub fn rule(&self) -> &str {
        match self {
            Self::Allow { rule } | Self::Hold { rule, .. } | Self::Deny { rule, .. } => rule,
        }
    }
}

/// What a rule asks of its approvers.
#[derive(Debug, Clone, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct Approval {
    /// Groups of which the reviewers must be: of any one of them.
    pub reviewers: Vec<String>,
    /// Distinct people.
    pub count: u16,
    /// Seconds a command waits at most outside a transaction that has run something.
    pub timeout_s: u64,
    /// The same inside such a transaction; 0: denied at once.
    pub in_transaction_s: u64,
    /// What the approval is good for.
    pub grant: Grant,
    /// What the command computes of labelled data is shown as it is, but for card numbers in it.
    pub reveals_computed: bool,
}
