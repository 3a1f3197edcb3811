//! REST over HTTPS: the types (shared with the command line) and the server's routes.
//!
//! - [`types`]: requests and answers.
//! - [`routes`]: every route with its handler and its words for the OpenAPI document ([`openapi`]).
//! - [`problem`]: errors (RFC 9457); [`caller`]: who calls; [`https`]: the server under it all.

mod approvals;
mod audit;
pub mod caller;
mod development;
pub mod https;
pub mod openapi;
mod policy;
pub mod problem;
pub mod routes;
mod status;
pub mod types;
