//! The gateway's own connection to a target to cancel a session's command there. It has a server's side only.

use alloc::vec::Vec;
use core::mem;

use super::auth::{SSL_REQUEST, ServerCancelKey, check_protocol};
use super::frame::missing;
use crate::limits::ERRAND_MS_MAX;
use crate::{Engine, Error, Handshake, Now, Outbox, Refusal, ServerTls, Side, Step};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaiting {
    Connect,
    TlsAnswer,
    Handshake,
    /// The target closes once it has taken the request.
    End,
}

/// Sends one CancelRequest.
pub struct CancelErrand {
    key: ServerCancelKey,
    tls: ServerTls,
    awaiting: Awaiting,
    deadline: Option<Now>,
}

impl CancelErrand {
    /// To cancel what the session with this key runs.
    pub fn new(key: ServerCancelKey, tls: ServerTls) -> Self {
        Self { key, tls, awaiting: Awaiting::Connect, deadline: None }
    }

    fn send(&mut self, out: &mut Vec<u8>) {
        self.key.request(out);
        self.awaiting = Awaiting::End;
    }
}

impl Engine for CancelErrand {
    fn step(&mut self, side: Side, bytes: &mut [u8], _: &mut Outbox, _: Now) -> Result<Step, Error> {
        let misbehaved = |what| Error::Misbehaved { side, what };
        match (side, mem::replace(&mut self.awaiting, Awaiting::End), &*bytes) {
            (Side::Server, Awaiting::TlsAnswer, []) => {
                self.awaiting = Awaiting::TlsAnswer;
                Ok(Step::Need(missing(0, 1)))
            }
            (Side::Server, Awaiting::TlsAnswer, b"S") => {
                self.awaiting = Awaiting::Handshake;
                Ok(Step::Secure { side, consumed: 1 })
            }
            (Side::Server, Awaiting::TlsAnswer, b"N") => Err(Error::Unsupported { side, what: "no TLS" }),
            (Side::Server, Awaiting::End, _) => Ok(Step::Close),
            _ => Err(misbehaved("bytes that no cancel request is answered by")),
        }
    }

    fn connected(&mut self, out: &mut Outbox, now: Now) -> Result<Step, Error> {
        self.deadline = Some(Now(now.0 + ERRAND_MS_MAX));
        match self.tls {
            ServerTls::Direct => {
                self.awaiting = Awaiting::Handshake;
                return Ok(Step::Secure { side: Side::Server, consumed: 0 });
            }
            ServerTls::Required => {
                out.server.extend_from_slice(&SSL_REQUEST);
                self.awaiting = Awaiting::TlsAnswer;
            }
            ServerTls::Off => self.send(&mut out.server),
        }
        Ok(Step::Consumed(0))
    }

    fn secured(
        &mut self,
        side: Side,
        handshake: &Handshake<'_>,
        out: &mut Outbox,
        _: Now,
    ) -> Result<(), Error> {
        check_protocol(self.tls, handshake).map_err(|what| Error::Misbehaved { side, what })?;
        self.send(&mut out.server);
        Ok(())
    }

    fn ended(&mut self, _: Side, _: &mut Outbox, _: Now) -> Result<Step, Error> {
        Ok(Step::Close)
    }

    fn refuse(&mut self, _: &Refusal<'_>, _: &mut Outbox) {}

    fn is_busy(&self) -> bool {
        true
    }

    fn deadline(&self) -> Option<Now> {
        self.deadline
    }

    fn expire(&mut self, now: Now, _: &mut Outbox) -> Result<Step, Error> {
        let over = self.deadline.is_some_and(|deadline| deadline <= now);
        Ok(if over { Step::Close } else { Step::Consumed(0) })
    }
}
