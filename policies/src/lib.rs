//! Policy: manifests, snapshot, decisions, link messages. Pure: no I/O, clock, async or locks.
pub mod approval;
mod checked;
pub mod claims;
pub mod compile;
mod decide;
pub mod decision;
mod diagnostic;
pub mod link;
pub mod manifest;
mod model;
mod name;
pub mod snapshot;
pub mod statement;
