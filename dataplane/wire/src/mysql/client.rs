//! A client's way in, up to the login: greeting, SSLRequest, HandshakeResponse, the token by the plugin that the client
//! speaks. Leaves out whether the token is good (the driver asks) and the target (`auth.rs`).

use alloc::string::String;
use alloc::vec::Vec;

use super::Config;
use super::capabilities::Capabilities;
use super::reply::Words;
use crate::{Error, Handshake, Outbox, Question, Step};

/// A client that is let in: what the target's login needs of it.
pub(crate) struct Accepted {
    /// What the client has asked for, of what was offered.
    pub(crate) capabilities: Capabilities,
    /// The collation's number that it named.
    pub(crate) collation: u16,
    pub(crate) packet_bytes_max: u32,
    /// The sequence number of the packet that ends its login.
    pub(crate) sequence: u8,
}

/// A client that is not let in yet.
pub(crate) struct ClientLogin {}

impl ClientLogin {
    pub(crate) fn new(_config: Config) -> Self {
        Self {}
    }

    /// Sends the greeting; called once, before the client has sent anything.
    pub(crate) fn greet(&mut self, _out: &mut Vec<u8>) {}

    /// Goes on with the client's bytes.
    pub(crate) fn step(&mut self, _bytes: &[u8], _out: &mut Outbox) -> Result<Step, Error> {
        Ok(Step::Close)
    }

    /// The handshake is done.
    pub(crate) fn secured(&mut self, _handshake: &Handshake<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// Whether the client's next bytes are due (and not an answer of the driver's).
    pub(crate) fn awaits_client(&self) -> bool {
        true
    }

    /// The login, once the token has come (`bytes`: the unconsumed ones).
    pub(crate) fn question<'a>(&'a self, _bytes: &'a [u8]) -> Option<Question<'a>> {
        None
    }

    /// The driver lets it in: so many bytes are done with.
    pub(crate) fn admit(&mut self, _bytes: &[u8]) -> Result<(usize, Accepted), Error> {
        Ok((
            0,
            Accepted {
                capabilities: Capabilities::default(),
                collation: 0,
                packet_bytes_max: 0,
                sequence: 0,
            },
        ))
    }

    /// The last packet it gets, where it can still be told anything.
    pub(crate) fn tell(&self, _words: &Words<'_>, _out: &mut Vec<u8>) {}
}

#[allow(dead_code, reason="x")]
fn _unused(_: String) {}
