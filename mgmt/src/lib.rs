//! mgmt: what `pangate-mgmt` (the server) and `pangate` (the command line) share, and the server's parts as a library
//! so that tests run them. Leaves out: the path of the jobs' bytes (dataplane) and what policy means (policies).
//!
//! - [`api`]: the REST types both programs speak, and the server's routes.
pub mod api;
