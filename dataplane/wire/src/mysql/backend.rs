//! A target's connection: what is known of it once the gateway is let in. Leaves out the socket.

use alloc::string::String;

use super::capabilities::Capabilities;
use crate::Now;

/// What is known of a target's connection, and of the client that is given it.
pub struct Backend {
    /// The target's own number of the connection (SHOW PROCESSLIST).
    pub(crate) process: u32,
    /// What is spoken with the target, and, but for SESSION_TRACK, with the client alike.
    pub(crate) capabilities: Capabilities,
    /// The client understands what OK packets tell of the session (SESSION_TRACK).
    pub(crate) tracks: bool,
    /// Status flags of the last OK packet of the login.
    pub(crate) status: u16,
    /// The default database; empty: none.
    pub(crate) database: String,
    /// SET NAMES DEFAULT is UTF-8 there.
    pub(crate) utf8_by_default: bool,
    /// When it was opened.
    pub born: Now,
}
