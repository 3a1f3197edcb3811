//! What goes to the dataplane: snapshots compiled from manifests, issuers' keys, rulings and events. Leaves out what
//! people decide (approvals) and what a policy means (policies).
//!
//! - [`policy`]: versions of the policy; [`folder`]: manifests from files.
//! - [`keys`]: issuers' keys, fetched and kept fresh; [`discovery`]: how; [`jwk`]: their form.
//! - [`link`]: the Unix socket that the dataplane connects to.
//! - [`events`]: what people and mgmt did, on its way to the evidence.

pub mod discovery;
pub mod events;
pub mod folder;
pub mod jwk;
pub mod keys;
pub mod link;
pub mod policy;
