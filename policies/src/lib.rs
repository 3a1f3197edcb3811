//! Policy: manifests, snapshot, decisions, link messages. Pure: no I/O, clock, async or locks.
pub mod approval;
mod checked;
pub mod claims;
mod decide;
pub mod decision;
pub mod link;
mod model;
mod name;
pub mod snapshot;
pub mod statement;
