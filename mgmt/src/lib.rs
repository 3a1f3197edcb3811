//! mgmt: what `pangate-mgmt` (the server) and `pangate` (the command line) share, and the server's parts as a library
//! so that tests run them. Leaves out: the path of the jobs' bytes (dataplane) and what policy means (policies).
//!
//! - [`api`]: the REST types both programs speak, and the server's routes.
//! - [`server`] runs what [`app`] brings together from the boot file ([`config`]).
//! - [`publish`]: policy, keys, rulings and events to the dataplane; [`approvals`]: tickets; [`evidence`]: what was
//!   recorded; [`auth`]: who calls; [`store`]: what outlives a restart.
//! - [`setup`]: keys and certificates, made once.
pub mod api;
pub mod app;
pub mod approvals;
pub mod auth;
pub mod clock;
pub mod config;
pub mod evidence;
mod masking;
pub mod publish;
pub mod secret_file;
pub mod server;
pub mod setup;
pub mod store;
