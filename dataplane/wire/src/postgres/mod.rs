//! The PostgreSQL engine, protocol 3.0 and 3.2 on both legs: a target that is older says so.
//!
//! ```text
//! Client: [Packet -SSLRequest, or TLS at once-> Handshake ->] Packet -StartupMessage-> Password -> Login? -Admit-> Target
//! Target: Connect -> [[TlsAnswer ->] Handshake] -> Request -> [ScramFirst -> ScramFinal] -> Ok -> Ready -Z-> Open
//! Open:   client  Query Parse Bind -> asked, then forwarded or replaced;  the rest of the protocol forwarded
//!         server  every answer given to its message, masked in place, released
//! Over:   an error or a leave; nothing goes on
//! Kept:   Reset -DISCARD ALL answered-> Ready -another session-> Proving -SET answered-> Open
//! ```
//!
//! | file | what it knows |
//! | --- | --- |
//! | `frame`, `message` | the form of messages |
//! | `startup`, `client`, `bearer` | a client's way in |
//! | `auth`, `scram` | the gateway's login at a target |
//! | `backend`, `kept`, `naming` | a target's connection between its sessions; a session's name in the target's log |
//! | `session`, `answers`, `pending` | the open session: the client's messages, the target's, and which answers which |
//! | `statements`, `nature` | what names stand for at the target |
//! | `rows`, `long`, `copy` | where values lie: in a row, in one that arrives in parts, in COPY data |
//! | `value`, `nest`, `number`, `mask` | what values are, how they are masked |
//! | `whole` | values masked whatever they hold |
//! | `back` | masked values on their way back, by COPY |
//! | `reply` | what the engine says itself |
//! | `errand` | cancelling |
//!
//! Not parsed: statements (policy's), what a client sends to COPY, parameters' types. Refused: replication,
//! FunctionCall, COPY in both directions, GSSAPI, encodings other than UTF-8.

mod answers;
mod auth;
mod back;
mod backend;
mod bearer;
mod client;
mod copy;
mod errand;
mod frame;
mod kept;
mod long;
mod mask;
mod message;
mod naming;
mod nature;
mod nest;
mod number;
mod pending;
mod reply;
mod rows;
mod scram;
mod session;
mod startup;
mod statements;
mod value;
mod whole;

use alloc::boxed::Box;
use alloc::vec::Vec;

use scan::Scanner;

pub use auth::ServerCancelKey;
pub use backend::Backend;
pub use errand::CancelErrand;
pub use kept::Kept;
pub use mask::mask_parameter;
pub use scram::ScramCache;

use crate::limits::{LOGIN_MS_MAX, Limits, PROOF_MS_MAX};
use crate::masker::Masker;
use crate::{Engine, Error, Event, Handshake, Now, Outbox, Question, Refusal, Ruling, Side, Step};
use auth::{Progress, TargetLogin};
use client::ClientLogin;
use frame::message;
use naming::Proving;
use reply::Severity;
use session::Talk;

/// What a listener sets for its sessions.
#[derive(Clone, Default)]
pub struct Config {
    /// The listener has a certificate.
    pub tls_offered: bool,
    /// Without TLS nobody is let in.
    pub tls_required: bool,
    /// Some of the listener's clients log in by SASL OAUTHBEARER: which is asked ([`Question::Method`]).
    pub oauth_offered: bool,
    /// Bounds.
    pub limits: Limits,
    /// The shard's cache of keys; clones share it.
    pub scram: ScramCache,
}

enum Phase {
    Client(ClientLogin),
    Target(Box<TargetLogin>),
    Proving(Box<Proving>),
    Open(Box<Talk>),
    Over,
}

/// One client's session.
pub struct Session {
    config: Config,
    scanner: Scanner,
    mask: scan::Format,
    phase: Phase,
    deadline: Option<Now>,
    /// The target's connection, where the client has left it in order.
    left: Option<Box<Backend>>,
}

impl Session {
    /// A session at its first byte.
    pub fn new(config: Config) -> Self {
        let phase =
            Phase::Client(ClientLogin::new(config.tls_offered, config.tls_required, config.oauth_offered));
        let (scanner, mask) = (Scanner::new(), scan::Format::default());
        Self { config, scanner, mask, phase, deadline: None, left: None }
    }

    /// What cancels this session's command at the target, once it is open.
    pub fn server_cancel(&self) -> Option<ServerCancelKey> {
        match &self.phase {
            Phase::Open(talk) => talk.backend.key.clone(),
            _ => None,
        }
    }

    /// After [`Step::Part`]: the target's connection, for [`Kept`].
    pub fn take_left(&mut self) -> Option<Box<Backend>> {
        self.left.take()
    }

    /// In the place of [`Engine::connected`]: the driver has a kept connection for the session.
    pub fn adopt(&mut self, backend: Box<Backend>, out: &mut Outbox, now: Now) {
        let Phase::Target(_) = &self.phase else { return };
        let Phase::Target(mut login) = core::mem::replace(&mut self.phase, Phase::Over) else { return };
        login.let_in(&backend, out, |bytes| self.scanner.mask(bytes, self.mask));
        self.deadline = Some(Now(now.0 + PROOF_MS_MAX));
        self.phase = Phase::Proving(Box::new(Proving::new(*backend, Some(login))));
    }

    fn open(&mut self, backend: Backend, reused: bool, out: &mut Outbox) {
        self.deadline = None;
        out.events.push(Event::Attached { process: backend.process(), reused });
        let masker = Masker { scanner: self.scanner, format: self.mask, scratch: Vec::new() };
        self.phase = Phase::Open(Box::new(Talk::new(masker, self.config.limits, backend)));
    }

    fn prove(&mut self, bytes: &[u8], out: &mut Outbox) -> Result<Step, Error> {
        let Phase::Proving(proving) = &mut self.phase else { return Ok(Step::Close) };
        match proving.step(bytes) {
            Ok(naming::Progress::Step(step)) => Ok(step),
            Ok(naming::Progress::Open(length)) => {
                let Phase::Proving(proving) = core::mem::replace(&mut self.phase, Phase::Over) else {
                    return Ok(Step::Close);
                };
                self.open(proving.backend, proving.login.is_some(), out);
                Ok(Step::Consumed(length))
            }
            Err(_) if self.start_over() => Ok(Step::Reconnect),
            Err(error) => Err(error),
        }
    }

    fn client_step(&mut self, bytes: &[u8], out: &mut Outbox, now: Now) -> Result<Step, Error> {
        match &mut self.phase {
            Phase::Client(login) => {
                self.deadline.get_or_insert(Now(now.0 + LOGIN_MS_MAX));
                login.step(bytes, out)
            }
            Phase::Target(_) | Phase::Proving(_) => Ok(Step::Wait),
            Phase::Open(talk) => talk.client_step(bytes, out),
            Phase::Over => Ok(Step::Close),
        }
    }

    fn server_step(&mut self, bytes: &mut [u8], out: &mut Outbox) -> Result<Step, Error> {
        match &mut self.phase {
            Phase::Client(_) => Err(Error::Misbehaved { side: Side::Server, what: "bytes before the login" }),
            Phase::Target(login) => match login.step(bytes, out, &self.scanner, self.mask)? {
                Progress::Step(step) => Ok(step),
                Progress::Open(length) => {
                    let (backend, quiet) = (login.backend(), login.is_quiet());
                    if login.name.is_some() {
                        self.phase = Phase::Proving(Box::new(Proving::new(backend, None)));
                    } else {
                        self.open(backend, false, out);
                    }
                    Ok(if quiet { Step::Consumed(length) } else { Step::ToClient(crate::Cleared(length)) })
                }
            },
            Phase::Proving(_) => self.prove(bytes, out),
            Phase::Open(talk) => talk.server_step(bytes, out),
            Phase::Over => Ok(Step::Close),
        }
    }

    fn take_ruling(&mut self, ruling: Ruling<'_>, bytes: &[u8], out: &mut Outbox) -> Result<Step, Error> {
        match (&mut self.phase, ruling) {
            (Phase::Client(login), Ruling::Admit(admission)) => {
                let Some((length, startup)) = login.admit(bytes)? else { return Ok(Step::Close) };
                (self.scanner, self.mask) = (admission.scanner, admission.mask);
                let target = TargetLogin::new(&admission, startup.settings, self.config.scram.clone());
                self.phase = Phase::Target(Box::new(target));
                self.deadline = None;
                Ok(Step::Consumed(length))
            }
            (Phase::Client(login), Ruling::Password) => login.ask_for_password(out),
            (Phase::Client(login), Ruling::Bearer(discovery)) => login.ask_for_bearer(&discovery, out),
            (Phase::Client(login), Ruling::Refuse(refusal)) => {
                if let Some(length) = login.fail(&refusal, bytes, out)? {
                    return Ok(Step::Consumed(length));
                }
                self.refuse(&refusal, out);
                Ok(Step::Close)
            }
            // No protocol has a word for waiting at the door.
            (Phase::Client(_), Ruling::Hold { .. }) => Ok(Step::Ask),
            (Phase::Client(_), Ruling::Allow | Ruling::AllowLabelled(_) | Ruling::Done) => {
                self.phase = Phase::Over;
                Ok(Step::Close)
            }
            (Phase::Open(talk), ruling) => talk.rule(ruling, bytes, out),
            (Phase::Target(_) | Phase::Proving(_) | Phase::Over, _) => Ok(Step::Consumed(0)),
        }
    }

    /// Tells the client an error, once, where a message can begin; takes leave of the target.
    fn give_up(&mut self, out: &mut Outbox, tell: impl FnOnce(&mut Vec<u8>)) {
        match core::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Client(login) if login.told => {}
            Phase::Client(_) | Phase::Target(_) => tell(&mut out.client),
            Phase::Proving(_) => {
                tell(&mut out.client);
                message(&mut out.server, b'X', |_| {});
            }
            Phase::Open(mut talk) => {
                if talk.parts.is_none() && !talk.told {
                    out.client.append(&mut talk.notice);
                    tell(&mut out.client);
                }
                if !talk.is_inside_client_message() && !talk.leaving {
                    message(&mut out.server, b'X', |_| {});
                }
                talk.pending.cut(out);
            }
            Phase::Over => {}
        }
        self.deadline = None;
    }

    fn settle(&mut self, step: Result<Step, Error>, out: &mut Outbox) -> Result<Step, Error> {
        match &step {
            Err(error) => self.give_up(out, |client| reply::to_client(client, error)),
            Ok(Step::Close) => {
                if let Phase::Open(talk) = &mut self.phase {
                    talk.pending.cut(out);
                }
                self.phase = Phase::Over;
            }
            Ok(Step::Part) => {
                if let Phase::Open(talk) = core::mem::replace(&mut self.phase, Phase::Over) {
                    self.left = Some(Box::new(talk.backend));
                }
            }
            Ok(_) => {}
        }
        step
    }
}

impl Engine for Session {
    fn step(&mut self, side: Side, bytes: &mut [u8], out: &mut Outbox, now: Now) -> Result<Step, Error> {
        let step = match side {
            Side::Client => self.client_step(bytes, out, now),
            Side::Server => self.server_step(bytes, out),
        };
        match step {
            Ok(Step::Close | Step::Part) | Err(_) => self.settle(step, out),
            step => step,
        }
    }

    fn question<'a>(&'a self, bytes: &'a [u8]) -> Option<Question<'a>> {
        match &self.phase {
            Phase::Client(login) => login.question(bytes),
            Phase::Open(talk) => talk.question(bytes),
            Phase::Target(_) | Phase::Proving(_) | Phase::Over => None,
        }
    }

    fn rule(
        &mut self,
        ruling: Ruling<'_>,
        bytes: &mut [u8],
        out: &mut Outbox,
        _: Now,
    ) -> Result<Step, Error> {
        let step = self.take_ruling(ruling, bytes, out);
        self.settle(step, out)
    }

    fn connected(&mut self, out: &mut Outbox, now: Now) -> Result<Step, Error> {
        if let Phase::Target(login) = &mut self.phase {
            self.deadline = Some(Now(now.0 + LOGIN_MS_MAX));
            return Ok(login.connected(&mut out.server, now));
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
        let done = match (&mut self.phase, side) {
            (Phase::Client(login), Side::Client) => login.secured(handshake),
            (Phase::Target(login), Side::Server) => login.secured(handshake, &mut out.server),
            _ => Ok(()),
        };
        done.inspect_err(|error| self.give_up(out, |client| reply::to_client(client, error)))
    }

    fn ended(&mut self, side: Side, out: &mut Outbox, _: Now) -> Result<Step, Error> {
        if side == Side::Server && self.start_over() {
            return Ok(Step::Reconnect);
        }
        match (&mut self.phase, side) {
            // Whoever has said goodbye still gets what is on its way.
            (Phase::Open(talk), Side::Client) if talk.leaving && !talk.pending.is_empty() => {
                Ok(Step::Consumed(0))
            }
            (Phase::Open(talk), Side::Client) if talk.is_settled() => {
                message(&mut out.server, b'X', |_| {});
                self.settle(Ok(Step::Part), out)
            }
            (_, Side::Client) => {
                self.give_up(out, |_| ());
                Ok(Step::Close)
            }
            (Phase::Open(talk), Side::Server) if talk.leaving => {
                talk.pending.cut(out);
                self.phase = Phase::Over;
                Ok(Step::Close)
            }
            (_, Side::Server) => {
                let words = ["the target closed the connection", "", ""];
                self.give_up(out, |client| reply::error(client, Severity::Fatal, b"08006", words));
                out.server.clear();
                Ok(Step::Close)
            }
        }
    }

    fn refuse(&mut self, refusal: &Refusal<'_>, out: &mut Outbox) {
        self.give_up(out, |client| reply::refusal(client, Severity::Fatal, refusal));
    }

    fn rows_under_way(&self) -> u64 {
        match &self.phase {
            Phase::Open(talk) => talk.pending.answer.rows,
            _ => 0,
        }
    }

    fn is_busy(&self) -> bool {
        matches!(&self.phase, Phase::Open(talk) if !talk.pending.is_empty())
    }

    fn start_over(&mut self) -> bool {
        let Phase::Proving(proving) = &mut self.phase else { return false };
        let Some(login) = proving.login.take() else { return false };
        self.phase = Phase::Target(login);
        self.deadline = None;
        true
    }

    fn deadline(&self) -> Option<Now> {
        match &self.phase {
            Phase::Client(login) if !login.awaits_client() => None,
            _ => self.deadline,
        }
    }

    fn expire(&mut self, now: Now, out: &mut Outbox) -> Result<Step, Error> {
        if self.deadline().is_none_or(|deadline| deadline > now) {
            return Ok(Step::Consumed(0));
        }
        if self.start_over() {
            return Ok(Step::Reconnect);
        }
        let (code, words) = match &self.phase {
            Phase::Client(_) => (b"57014", "the login took too long"),
            _ => (b"08006", "the target does not answer"),
        };
        self.give_up(out, |client| reply::error(client, Severity::Fatal, code, [words, "", ""]));
        Ok(Step::Close)
    }
}
