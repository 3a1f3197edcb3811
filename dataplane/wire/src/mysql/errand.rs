//! The gateway's own connection to a target to end what a session runs there: a login, `KILL QUERY`, a farewell. It has a
//! server's side only.

use alloc::boxed::Box;
use alloc::format;

use super::auth::{Progress, TargetLogin};
use super::client::Accepted;
use super::command;
use super::frame::{self, packet};
use crate::limits::{ERRAND_MS_MAX, LOGIN_MESSAGE_BYTES_MAX};
use crate::{
    Admission, CancelKey, Engine, Error, Handshake, Now, Outbox, Refusal, Secret, ServerTls, Side, Step,
};

enum Awaiting {
    Login(Box<TargetLogin>),
    /// The answer to KILL.
    Answer,
}

/// Sends one KILL QUERY.
pub struct CancelErrand {
    awaiting: Awaiting,
    /// The target's number of the connection.
    process: u32,
    deadline: Option<Now>,
}

impl CancelErrand {
    /// To end what the target's connection of this number runs, logged in as the gateway.
    pub fn new(process: u32, user: &str, password: &Secret, tls: ServerTls) -> Self {
        let admission = Admission {
            user,
            password,
            database: "",
            application: "pangate cancel",
            naming: None,
            tls,
            cancel: CancelKey { process: 0, secret: 0 },
            mask: scan::Format::Full,
            scanner: scan::Scanner::new(),
        };
        let login = TargetLogin::new(&admission, Accepted::nobody());
        Self { awaiting: Awaiting::Login(Box::new(login)), process, deadline: None }
    }

    fn answered(bytes: &[u8], out: &mut Outbox) -> Result<Step, Error> {
        match frame::whole(Side::Server, bytes, 1, LOGIN_MESSAGE_BYTES_MAX)? {
            Err(missing) => Ok(Step::Need(missing)),
            // Done, or there was nothing to be ended any more: both are well.
            Ok(_) => {
                packet(&mut out.server, 0, |payload| payload.push(command::QUIT));
                Ok(Step::Close)
            }
        }
    }
}

impl Engine for CancelErrand {
    fn step(&mut self, side: Side, bytes: &mut [u8], out: &mut Outbox, _: Now) -> Result<Step, Error> {
        if side == Side::Client {
            return Err(Error::Misbehaved { side, what: "an errand has no client" });
        }
        let Awaiting::Login(login) = &mut self.awaiting else { return Self::answered(bytes, out) };
        let step = login.step(bytes, out);
        out.client.clear();
        out.events.clear();
        match step? {
            Progress::Step(step) => Ok(step),
            Progress::Open { consumed, .. } => {
                packet(&mut out.server, 0, |payload| {
                    payload.push(command::QUERY);
                    payload.extend_from_slice(format!("KILL QUERY {}", self.process).as_bytes());
                });
                self.awaiting = Awaiting::Answer;
                Ok(Step::Consumed(consumed))
            }
        }
    }

    fn connected(&mut self, _: &mut Outbox, now: Now) -> Result<Step, Error> {
        self.deadline = Some(Now(now.0 + ERRAND_MS_MAX));
        match &mut self.awaiting {
            Awaiting::Login(login) => Ok(login.connected(now)),
            Awaiting::Answer => Ok(Step::Consumed(0)),
        }
    }

    fn secured(&mut self, _: Side, handshake: &Handshake<'_>, out: &mut Outbox, _: Now) -> Result<(), Error> {
        match &mut self.awaiting {
            Awaiting::Login(login) => login.secured(handshake, out),
            Awaiting::Answer => Ok(()),
        }
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
