//! The MySQL engine, protocol 10 on both legs: MySQL 5.7 and later, MariaDB 10.2 and later.
//!
//! ```text
//! Client: Greet -> [-SSLRequest-> Handshake ->] Response -> [Switch -> Token] -> Login? -Admit-> Target
//! Target: Connect -> Greeting -> [Handshake ->] Response -> the plugin's rounds -> Ok -> Settings -> Open
//! Open:   client  one command at a time: asked, then forwarded or refused;  what answers it first
//!         server  every answer read, masked in place, released
//! Over:   an error or a leave; nothing goes on
//! ```
//!
//! | file | what it knows |
//! | --- | --- |
//! | `frame`, `capabilities` | the form of packets; what both sides agree to speak |
//! | `handshake` | the packets of the handshake |
//! | `client` | a client's way in |
//! | `auth`, `plugin`, `scramble` | the gateway's login at a target: its order; its plugins' rounds; their arithmetic |
//! | `settings` | the gateway's own settings of a session at its target |
//! | `backend`, `kept`, `errand` | a target's connection; between two sessions; ending what another runs |
//! | `session`, `answers` | the open session: the client's commands, what the target answers |
//! | `command`, `parameters`, `message`, `column` | what is in commands, in prepared statements' parameters, in answers, in columns' definitions |
//! | `charset` | of which characters a column's text is |
//! | `statements`, `nature` | prepared statements; what a statement's own words say to the engine |
//! | `rows`, `long` | where values lie: in a row, in one that arrives in parts |
//! | `value`, `whole` | what values are, how they are masked; masked whatever they hold |
//! | `reply` | what the engine says itself |
//!
//! Not parsed: statements (policy's). Refused: compression, LOCAL INFILE, replication, COM_CHANGE_USER, character sets
//! other than UTF-8 (but answers may come unconverted, `character_set_results = NULL` or `binary`), SQL modes that change
//! how a text is read. Why a command is held is told at once, and again while it
//! waits, to clients that take MariaDB's progress reports: the protocol has no other word before an answer. All are told
//! with the end of its answer, where that is an OK packet: an EOF packet has no place for it (clients without
//! CLIENT_DEPRECATE_EOF get none with rows).

mod answers;
mod auth;
mod backend;
mod capabilities;
mod charset;
mod client;
mod column;
mod command;
mod errand;
mod frame;
mod handshake;
mod kept;
mod long;
mod message;
mod nature;
mod parameters;
mod plugin;
mod reply;
mod rows;
mod scramble;
mod session;
mod settings;
mod statements;
mod value;
mod whole;

use alloc::boxed::Box;
use alloc::string::String;

use scan::Scanner;

use crate::limits::{LOGIN_MS_MAX, Limits, PROOF_MS_MAX};
use crate::{Engine, Error, Event, Handshake, Now, Outbox, Question, Refusal, Ruling, Side, Step};
use auth::{Progress, TargetLogin};
pub use backend::Backend;
use client::ClientLogin;
pub use errand::CancelErrand;
pub use kept::Kept;
use session::Talk;

/// What a listener sets for its sessions.
#[derive(Clone, Default)]
pub struct Config {
    /// The listener has a certificate.
    pub tls_offered: bool,
    /// Without TLS nobody is let in.
    pub tls_required: bool,
    /// What the greeting calls the server's version; empty: [`VERSION`].
    pub version: String,
    /// The connection's number in the greeting.
    pub process: u32,
    /// Random bytes, of this connection alone: what the greeting's scramble is made of.
    pub nonce: [u8; 20],
    /// Bounds.
    pub limits: Limits,
}

/// The version that is told where the target's own is not known yet.
pub const VERSION: &str = "8.0.0-pangate";

enum Phase {
    Client(Box<ClientLogin>),
    Target(Box<TargetLogin>),
    Open(Box<Talk>),
    Over,
}

/// One client's session.
pub struct Session {
    limits: Limits,
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
        let limits = config.limits;
        let phase = Phase::Client(Box::new(ClientLogin::new(config)));
        Self {
            limits,
            scanner: Scanner::new(),
            mask: scan::Format::default(),
            phase,
            deadline: None,
            left: None,
        }
    }

    /// After [`Step::Part`]: the target's connection, for [`Kept`].
    pub fn take_left(&mut self) -> Option<Box<Backend>> {
        self.left.take()
    }

    /// In the place of [`Engine::connected`]: the driver has a kept connection for the session.
    pub fn adopt(&mut self, backend: &Backend, out: &mut Outbox, now: Now) {
        if let Phase::Target(login) = &mut self.phase {
            login.adopt(backend, out);
            self.deadline = Some(Now(now.0 + PROOF_MS_MAX));
        }
    }

    /// The target's number of the session's connection, once it is open.
    pub fn server_process(&self) -> Option<u32> {
        match &self.phase {
            Phase::Open(talk) => Some(talk.process()),
            _ => None,
        }
    }

    fn open(&mut self, backend: Backend, reused: bool, out: &mut Outbox) {
        self.deadline = None;
        out.events.push(Event::Attached { process: backend.process, reused });
        self.phase = Phase::Open(Box::new(Talk::new(self.scanner, self.mask, self.limits, backend)));
    }

    fn server_step(&mut self, bytes: &mut [u8], out: &mut Outbox) -> Result<Step, Error> {
        match &mut self.phase {
            Phase::Client(_) => Err(Error::Misbehaved { side: Side::Server, what: "bytes before the login" }),
            Phase::Target(login) => match login.step(bytes, out) {
                Ok(Progress::Step(step)) => Ok(step),
                Ok(Progress::Open { consumed, backend }) => {
                    let reused = login.kept;
                    self.open(*backend, reused, out);
                    Ok(Step::Consumed(consumed))
                }
                Err(_) if self.start_over() => Ok(Step::Reconnect),
                Err(error) => Err(error),
            },
            Phase::Open(talk) => talk.server_step(bytes, out),
            Phase::Over => Ok(Step::Close),
        }
    }

    fn take_ruling(
        &mut self,
        ruling: Ruling<'_>,
        bytes: &[u8],
        out: &mut Outbox,
        now: Now,
    ) -> Result<Step, Error> {
        match (&mut self.phase, ruling) {
            (Phase::Client(login), Ruling::Admit(admission)) => {
                let (consumed, accepted) = login.admit(bytes)?;
                (self.scanner, self.mask) = (admission.scanner, admission.mask);
                self.phase = Phase::Target(Box::new(TargetLogin::new(&admission, accepted)));
                self.deadline = None;
                Ok(Step::Consumed(consumed))
            }
            (Phase::Client(_), Ruling::Refuse(refusal)) => {
                self.refuse(&refusal, out);
                Ok(Step::Close)
            }
            (Phase::Client(_), Ruling::Hold { .. }) => Ok(Step::Ask),
            (Phase::Client(_), _) => {
                self.phase = Phase::Over;
                Ok(Step::Close)
            }
            (Phase::Open(talk), ruling) => talk.rule(ruling, bytes, out, now),
            (Phase::Target(_) | Phase::Over, _) => Ok(Step::Consumed(0)),
        }
    }

    /// Tells the client an error, once, where a packet can begin; takes leave of the target.
    fn give_up(&mut self, out: &mut Outbox, words: &reply::Words<'_>) {
        match core::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Client(login) => login.tell(words, &mut out.client),
            Phase::Target(login) => login.tell(words, out),
            Phase::Open(mut talk) => talk.give_up(words, out),
            Phase::Over => {}
        }
        self.deadline = None;
    }

    fn settle(&mut self, step: Result<Step, Error>, out: &mut Outbox) -> Result<Step, Error> {
        match &step {
            Err(error) => self.give_up(out, &reply::Words::of_error(error)),
            Ok(Step::Close) => {
                if let Phase::Open(talk) = &mut self.phase {
                    talk.cut(out);
                }
                self.phase = Phase::Over;
            }
            Ok(Step::Part) => {
                if let Phase::Open(talk) = core::mem::replace(&mut self.phase, Phase::Over) {
                    self.left = Some(Box::new(talk.into_backend()));
                }
            }
            Ok(_) => {}
        }
        step
    }
}

impl Engine for Session {
    fn accepted(&mut self, out: &mut Outbox, now: Now) {
        if let Phase::Client(login) = &mut self.phase {
            self.deadline = Some(Now(now.0 + LOGIN_MS_MAX));
            login.greet(&mut out.client);
        }
    }

    fn step(&mut self, side: Side, bytes: &mut [u8], out: &mut Outbox, _: Now) -> Result<Step, Error> {
        let step = match (side, &mut self.phase) {
            (Side::Client, Phase::Client(login)) => login.step(bytes, out),
            (Side::Client, Phase::Target(_)) => Ok(Step::Wait),
            (Side::Client, Phase::Open(talk)) => talk.client_step(bytes, out),
            (Side::Client, Phase::Over) => Ok(Step::Close),
            (Side::Server, _) => self.server_step(bytes, out),
        };
        self.settle(step, out)
    }

    fn question<'a>(&'a self, bytes: &'a [u8]) -> Option<Question<'a>> {
        match &self.phase {
            Phase::Client(login) => login.question(bytes),
            Phase::Open(talk) => talk.question(bytes),
            Phase::Target(_) | Phase::Over => None,
        }
    }

    fn rule(
        &mut self,
        ruling: Ruling<'_>,
        bytes: &mut [u8],
        out: &mut Outbox,
        now: Now,
    ) -> Result<Step, Error> {
        let step = self.take_ruling(ruling, bytes, out, now);
        self.settle(step, out)
    }

    fn connected(&mut self, _: &mut Outbox, now: Now) -> Result<Step, Error> {
        if let Phase::Target(login) = &mut self.phase {
            self.deadline = Some(Now(now.0 + LOGIN_MS_MAX));
            return Ok(login.connected(now));
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
            (Phase::Target(login), Side::Server) => login.secured(handshake, out),
            _ => Ok(()),
        };
        done.inspect_err(|error| self.give_up(out, &reply::Words::of_error(error)))
    }

    fn ended(&mut self, side: Side, out: &mut Outbox, _: Now) -> Result<Step, Error> {
        if side == Side::Server && self.start_over() {
            return Ok(Step::Reconnect);
        }
        match (&mut self.phase, side) {
            (Phase::Open(talk), _) if talk.leaving => self.settle(Ok(Step::Close), out),
            (Phase::Open(talk), Side::Client) if !talk.is_busy() => {
                let step = talk.leave(out);
                self.settle(Ok(step), out)
            }
            (_, Side::Client) => {
                self.give_up(out, &reply::Words::of_error(&GONE));
                out.client.clear();
                Ok(Step::Close)
            }
            (phase, Side::Server) => {
                let words = match phase {
                    Phase::Open(talk) => talk.deserted(),
                    _ => reply::Words::deserted(),
                };
                self.give_up(out, &words);
                out.server.clear();
                Ok(Step::Close)
            }
        }
    }

    fn refuse(&mut self, refusal: &Refusal<'_>, out: &mut Outbox) {
        self.give_up(out, &reply::Words::of_refusal(refusal));
    }

    fn rows_under_way(&self) -> u64 {
        match &self.phase {
            Phase::Open(talk) => talk.rows_under_way(),
            _ => 0,
        }
    }

    fn is_busy(&self) -> bool {
        matches!(&self.phase, Phase::Open(talk) if talk.is_busy())
    }

    fn start_over(&mut self) -> bool {
        let Phase::Target(login) = &mut self.phase else { return false };
        self.deadline = None;
        core::mem::take(&mut login.kept)
    }

    fn deadline(&self) -> Option<Now> {
        match &self.phase {
            Phase::Client(login) if !login.awaits_client() => None,
            Phase::Open(talk) => talk.report_at(),
            _ => self.deadline,
        }
    }

    fn expire(&mut self, now: Now, out: &mut Outbox) -> Result<Step, Error> {
        if let Phase::Open(talk) = &mut self.phase {
            talk.report(now, out);
            return Ok(Step::Consumed(0));
        }
        if self.start_over() {
            return Ok(Step::Reconnect);
        }
        let text = match &self.phase {
            Phase::Client(_) => "the login took too long",
            _ => "the target took too long",
        };
        // ER_NET_READ_INTERRUPTED
        self.give_up(out, &reply::Words { number: 1159, state: b"08S01", text: text.into() });
        Ok(Step::Close)
    }
}

const GONE: Error = Error::Misbehaved { side: Side::Client, what: "it is gone" };
