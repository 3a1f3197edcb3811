//! The gateway's own login at a target: greeting, TLS, HandshakeResponse, the target's plugin, then the gateway's own
//! settings for the session, until it is ready. What the target says of the login goes no further; the client hears an
//! error's number at most. Leaves out the client's side (`client.rs`).

use alloc::boxed::Box;

use super::backend::Backend;
use super::client::Accepted;
use super::reply::Words;
use crate::{Admission, Error, Handshake, Now, Outbox, Step};

/// What a step comes to.
pub(crate) enum Progress {
    Step(Step),
    /// So many bytes are done with; the client has been told (in the outbox) that it is in.
    Open {
        consumed: usize,
        backend: Box<Backend>,
    },
}

/// A login under way.
pub(crate) struct TargetLogin {}

impl TargetLogin {
    pub(crate) fn new(_admission: &Admission<'_>, _accepted: Accepted) -> Self {
        Self {}
    }

    /// The driver has connected: the target speaks first.
    pub(crate) fn connected(&mut self, _now: Now) -> Step {
        Step::Consumed(0)
    }

    /// The handshake is done.
    pub(crate) fn secured(&mut self, _handshake: &Handshake<'_>, _out: &mut Outbox) -> Result<(), Error> {
        Ok(())
    }

    /// Goes on with the target's bytes.
    pub(crate) fn step(&mut self, _bytes: &[u8], _out: &mut Outbox) -> Result<Progress, Error> {
        Ok(Progress::Step(Step::Close))
    }

    /// The last packet that the client gets; what takes leave of the target, where it can be told anything.
    pub(crate) fn tell(&self, _words: &Words<'_>, _out: &mut Outbox) {}
}
