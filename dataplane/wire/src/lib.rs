//! Sans-io protocol engines: bytes, questions and a clock's reading in; steps, answers and bytes out. An engine owns
//! no socket, no clock and no policy. What it does not understand it refuses; it never forwards it.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod ask;
pub mod cursor;
pub mod error;
mod hide;
mod known;
pub mod limits;
mod masker;
pub mod mysql;
mod number;
pub mod origin;
pub mod outbox;
mod parts;
pub mod postgres;
pub mod secret;

use core::num::NonZeroUsize;

pub use ask::{
    Admission, CancelKey, Command, CommandKind, Discovery, Login, Method, Naming, Parameter, Parameters,
    Question, Refusal, RefusalKind, Ruling, ServerTls, Transaction,
};
pub use error::Error;
pub use limits::Limits;
pub use origin::{LabelledColumn, Labels, NamedRelation, Origins, Relation, RelationKind, Watch};
pub use outbox::{Event, Outbox, Outcome};
pub use secret::Secret;

/// A side of a connection: who sent, or who is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The job.
    Client,
    /// The target.
    Server,
}

/// What a finished TLS handshake tells of the peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handshake<'a> {
    /// The protocol agreed by ALPN; empty: none.
    pub protocol: &'a [u8],
    /// The peer's certificate as channel binding takes it (`tls-server-end-point`, RFC 5929); empty: it has none.
    pub end_point: &'a [u8],
}

/// Milliseconds of the driver's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now(pub u64);

/// Bytes that may reach the client: masked, or known to carry no value. Only an engine makes one.
#[derive(Debug, PartialEq, Eq)]
pub struct Cleared(pub(crate) usize);

/// Bytes that may reach the server: ruled on, or protocol housekeeping. Only an engine makes one.
#[derive(Debug, PartialEq, Eq)]
pub struct Permitted(pub(crate) usize);

impl Cleared {
    /// How many bytes.
    pub fn len(&self) -> usize {
        self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

impl Permitted {
    /// How many bytes.
    pub fn len(&self) -> usize {
        self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

/// What the driver does next. What the engine put into the [`Outbox`] during the call goes out *before* the bytes that
/// the same call releases.
#[derive(Debug)]
pub enum Step {
    /// Nothing can be done before `bytes` has grown by this many. Nothing was consumed.
    Need(NonZeroUsize),
    /// The first bytes, received from the server and masked in place, go to the client.
    ToClient(Cleared),
    /// The first bytes, received from the client, go to the server.
    ToServer(Permitted),
    /// The first so many bytes were for the engine alone; they go nowhere. May be 0: the driver just calls again.
    Consumed(usize),
    /// The driver answers [`Engine::question`] by [`Engine::rule`]. Nothing was consumed; until then the driver does
    /// not step this side.
    Ask,
    /// This side has to wait for the other. Nothing was consumed; the driver steps this side again (with whatever
    /// bytes it then has) after the next step of the other side that was no `Need`.
    Wait,
    /// The first `consumed` bytes are done with; then, with the outbox flushed, this side goes over to TLS: all that
    /// has come behind them belongs to the handshake. The driver calls [`Engine::secured`] when that is done.
    Secure {
        /// The side whose leg changes.
        side: Side,
        /// Bytes of the stepped side that are done with.
        consumed: usize,
    },
    /// Flush the outbox, then close both sides.
    Close,
    /// As `Close`. The server's connection is in order: nothing is owed, nothing is open. A driver that keeps it for
    /// another session drops what the outbox holds for the server, which is a farewell.
    Part,
    /// The server's connection is of no use, and nothing of the client's depends on it: the driver gives it up,
    /// connects anew and calls [`Engine::connected`].
    Reconnect,
}

/// One connection of one protocol, both directions.
///
/// The driver hands the unconsumed bytes of one side, from the first on, to [`Engine::step`], does what the step says,
/// and calls again while bytes are left and the step was not `Need`, `Ask` or `Wait`. An error poisons the engine: the driver
/// flushes the outbox (which holds the protocol's own error) and closes.
pub trait Engine {
    /// The driver has accepted the client and nothing has come yet: the engine may speak first.
    fn accepted(&mut self, out: &mut Outbox, now: Now) {
        let (_, _) = (out, now);
    }

    /// Goes on with the bytes received from `side`. May handle many messages in one call.
    fn step(&mut self, side: Side, bytes: &mut [u8], out: &mut Outbox, now: Now) -> Result<Step, Error>;

    /// What the last [`Step::Ask`] asks; `bytes` are the same as in that call.
    /// An engine without a client never asks.
    fn question<'a>(&'a self, bytes: &'a [u8]) -> Option<Question<'a>> {
        let _ = bytes;
        None
    }

    /// Takes up a suspended question. `bytes` are the unconsumed ones of the side that asked. [`Ruling::Hold`] keeps
    /// it suspended (the step is then `Ask` again).
    fn rule(
        &mut self,
        ruling: Ruling<'_>,
        bytes: &mut [u8],
        out: &mut Outbox,
        now: Now,
    ) -> Result<Step, Error> {
        let _ = (ruling, bytes, out, now);
        Ok(Step::Consumed(0))
    }

    /// The driver has connected to the server named by the [`Admission`]: the engine speaks first.
    /// The step is `Consumed(0)`, or `Secure` where TLS comes first.
    fn connected(&mut self, out: &mut Outbox, now: Now) -> Result<Step, Error>;

    /// The TLS handshake of `side` is done.
    fn secured(
        &mut self,
        side: Side,
        handshake: &Handshake<'_>,
        out: &mut Outbox,
        now: Now,
    ) -> Result<(), Error>;

    /// `side` has ended its stream (after every byte was stepped). `Close` where nothing is left to do.
    fn ended(&mut self, side: Side, out: &mut Outbox, now: Now) -> Result<Step, Error>;

    /// The driver will close for a reason of its own: the protocol's error goes to the client, its farewell to the
    /// server, at a message boundary where one can be had.
    fn refuse(&mut self, refusal: &Refusal<'_>, out: &mut Outbox);

    /// Rows of the answer under way that have been passed to the client and stand in no event yet.
    fn rows_under_way(&self) -> u64 {
        0
    }

    /// Whether a command is under way at the server.
    fn is_busy(&self) -> bool;

    /// The server's connection has failed. Whether the engine can go on with another, as after [`Step::Reconnect`].
    fn start_over(&mut self) -> bool {
        false
    }

    /// When [`Engine::expire`] wants to be called, if ever.
    fn deadline(&self) -> Option<Now>;

    /// The deadline has come (login not finished, target silent during start-up, a word due to a client that waits).
    fn expire(&mut self, now: Now, out: &mut Outbox) -> Result<Step, Error>;
}
