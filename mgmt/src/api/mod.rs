//! REST over HTTPS: the types (shared with the command line) and the server's routes.
pub mod types;
