//! The gateway process: one shard per core on its own io_uring, one glommio executor beside it for evidence and control.
//!
//! The way in is [`shard`], which owns [`connection`]s; each drives a `wire` engine and asks the [`desk`].

pub mod admit;
pub mod catalog;
pub mod certificate;
pub mod command;
pub mod config;
pub mod connection;
pub mod credentials;
pub mod desk;
pub mod digest;
pub mod executor;
pub mod following;
pub mod hold;
pub mod identity;
pub mod kill;
pub mod ledger;
pub mod leg;
pub mod limits;
pub mod metrics;
pub mod pool;
pub mod protocol;
pub mod random;
pub mod record;
pub mod redact;
pub mod relay;
pub mod ring;
pub mod routes;
pub mod session;
pub mod shard;
pub mod sys;
pub mod tls;
pub mod upstream;
pub mod verdict;
