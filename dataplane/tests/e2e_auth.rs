//! How each leg proves who it is, on the whole of pangate with a real PostgreSQL: TLS from the first byte, channel
//! binding, certificates, OAUTHBEARER.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "auth/binding.rs"]
mod binding;
#[path = "auth/certificates.rs"]
mod certificates;
mod clients;
#[path = "auth/direct.rs"]
mod direct;
mod gateway;
#[path = "auth/oauth.rs"]
mod oauth;
#[path = "auth/raw.rs"]
mod raw;
#[path = "auth/target.rs"]
mod target;
