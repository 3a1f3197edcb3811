//! The engine of a connection: one of the protocols, chosen when it is opened. No dyn: a match per call.

use wire::{Engine, Error, Handshake, Now, Outbox, Question, Refusal, Ruling, Side, Step, mysql, postgres};

/// Any of the engines.
pub enum Protocol {
    /// A job's PostgreSQL session.
    Postgres(Box<postgres::Session>),
    /// A cancel request on its way to a PostgreSQL target.
    PostgresCancel(postgres::CancelErrand),
    /// A PostgreSQL target's connection between two sessions.
    PostgresKept(postgres::Kept),
    /// A job's MySQL session.
    Mysql(Box<mysql::Session>),
    /// A KILL on its way to a MySQL target.
    MysqlCancel(Box<mysql::CancelErrand>),
    /// A MySQL target's connection between two sessions.
    MysqlKept(mysql::Kept),
}

/// A target's connection that a session has left, as its engine knows it.
pub enum Backend {
    /// A PostgreSQL target's.
    Postgres(Box<postgres::Backend>),
    /// A MySQL target's.
    Mysql(Box<mysql::Backend>),
}

impl Backend {
    /// When it was opened.
    pub fn born(&self) -> Now {
        match self {
            Self::Postgres(backend) => backend.born,
            Self::Mysql(backend) => backend.born,
        }
    }

    /// The engine that keeps it for another session, until a time at the longest.
    pub fn keep(self, until: Now) -> Protocol {
        match self {
            Self::Postgres(backend) => Protocol::PostgresKept(postgres::Kept::new(backend, until)),
            Self::Mysql(backend) => Protocol::MysqlKept(mysql::Kept::new(backend, until)),
        }
    }
}

impl Protocol {
    /// The engine of a connection that is of no use any more.
    pub fn useless() -> Self {
        Self::PostgresKept(postgres::Kept::useless())
    }

    /// The target's connection that a session has left in order.
    pub fn take_left(&mut self) -> Option<Backend> {
        match self {
            Self::Postgres(session) => session.take_left().map(Backend::Postgres),
            Self::Mysql(session) => session.take_left().map(Backend::Mysql),
            _ => None,
        }
    }

    /// Begins a session on a kept connection. One of another protocol is none of its pool's.
    pub fn adopt(&mut self, backend: Backend, out: &mut Outbox, now: Now) {
        match (self, backend) {
            (Self::Postgres(session), Backend::Postgres(backend)) => session.adopt(backend, out, now),
            (Self::Mysql(session), Backend::Mysql(backend)) => session.adopt(&backend, out, now),
            _ => {}
        }
    }

    /// Gives a kept connection away.
    pub fn take_kept(&mut self) -> Option<Backend> {
        match self {
            Self::PostgresKept(kept) => kept.take().map(Backend::Postgres),
            Self::MysqlKept(kept) => kept.take().map(Backend::Mysql),
            _ => None,
        }
    }

    /// Whether it is a kept connection that another session may have.
    pub fn is_ready(&self) -> bool {
        match self {
            Self::PostgresKept(kept) => kept.is_ready(),
            Self::MysqlKept(kept) => kept.is_ready(),
            _ => false,
        }
    }
}

macro_rules! each {
    ($self:ident, $engine:ident => $call:expr) => {
        match $self {
            Protocol::Postgres($engine) => $call,
            Protocol::PostgresCancel($engine) => $call,
            Protocol::PostgresKept($engine) => $call,
            Protocol::Mysql($engine) => $call,
            Protocol::MysqlCancel($engine) => $call,
            Protocol::MysqlKept($engine) => $call,
        }
    };
}

impl Engine for Protocol {
    fn accepted(&mut self, out: &mut Outbox, now: Now) {
        each!(self, engine => engine.accepted(out, now));
    }

    fn step(&mut self, side: Side, bytes: &mut [u8], out: &mut Outbox, now: Now) -> Result<Step, Error> {
        each!(self, engine => engine.step(side, bytes, out, now))
    }

    fn question<'a>(&'a self, bytes: &'a [u8]) -> Option<Question<'a>> {
        each!(self, engine => engine.question(bytes))
    }

    fn rule(
        &mut self,
        ruling: Ruling<'_>,
        bytes: &mut [u8],
        out: &mut Outbox,
        now: Now,
    ) -> Result<Step, Error> {
        each!(self, engine => engine.rule(ruling, bytes, out, now))
    }

    fn connected(&mut self, out: &mut Outbox, now: Now) -> Result<Step, Error> {
        each!(self, engine => engine.connected(out, now))
    }

    fn secured(
        &mut self,
        side: Side,
        handshake: &Handshake<'_>,
        out: &mut Outbox,
        now: Now,
    ) -> Result<(), Error> {
        each!(self, engine => engine.secured(side, handshake, out, now))
    }

    fn ended(&mut self, side: Side, out: &mut Outbox, now: Now) -> Result<Step, Error> {
        each!(self, engine => engine.ended(side, out, now))
    }

    fn refuse(&mut self, refusal: &Refusal<'_>, out: &mut Outbox) {
        each!(self, engine => engine.refuse(refusal, out));
    }

    fn rows_under_way(&self) -> u64 {
        each!(self, engine => engine.rows_under_way())
    }

    fn is_busy(&self) -> bool {
        each!(self, engine => engine.is_busy())
    }

    fn start_over(&mut self) -> bool {
        each!(self, engine => engine.start_over())
    }

    fn deadline(&self) -> Option<Now> {
        each!(self, engine => engine.deadline())
    }

    fn expire(&mut self, now: Now, out: &mut Outbox) -> Result<Step, Error> {
        each!(self, engine => engine.expire(now, out))
    }
}
