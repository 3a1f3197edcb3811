//! Policy: manifests, snapshot, decisions, link messages. Pure: no I/O, clock, async or locks.
pub mod approval;
pub mod decision;
pub mod link;
pub mod statement;
