//! What fails, and what then happens: a test for each row of the design's failure table, on the whole of pangate.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "failures/approvals.rs"]
mod approvals;
mod clients;
#[path = "failures/evidence.rs"]
mod evidence;
#[path = "failures/floods.rs"]
mod floods;
mod gateway;
#[path = "failures/management.rs"]
mod management;
#[path = "failures/messages.rs"]
mod messages;
#[path = "failures/targets.rs"]
mod targets;
#[path = "failures/tokens.rs"]
mod tokens;
