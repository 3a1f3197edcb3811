//! mgmt as a whole: real SQLite files, real HTTPS on a port that the kernel chooses, tokens of the development issuer, and
//! a client of the link that speaks to mgmt as the dataplane does. Waits for events, never for time.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test ends where what it builds on is not so, in its helpers too"
)]

mod approvals;
mod audit;
mod callers;
mod link;
mod policy;
mod start;
mod support;
