//! What is recorded. Every text is masked before it gets here: this crate has no finder.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

/// Microseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Time(pub u64);

/// A session's number: random, 128 bits; shown as 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(pub u128);

/// A ticket's number: random, 128 bits; shown as 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TicketId(pub u128);

/// One record. Borrows, so that the shard writes it without copying. In JSON: numbers of sessions and tickets as 32
/// hex digits, times as microseconds, bytes as base64, digests as hex.
#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record<'a> {
    /// A job was let in.
    SessionOpened {
        /// The session.
        session: SessionId,
        /// When.
        at: Time,
        /// The token's issuer.
        issuer: &'a str,
        /// The token's subject.
        subject: &'a str,
        /// The person behind the job (the issuer's `requester` claim), or empty.
        requester: &'a str,
        /// Comma-separated.
        groups: &'a str,
        /// The token's claims as a JSON object, without the token itself.
        claims: &'a str,
        /// Address and port of the client.
        source: &'a str,
        /// The target's name.
        target: &'a str,
        /// postgres, mysql, mongodb, http.
        protocol: &'a str,
        /// User name as the client gave it.
        user: &'a str,
        /// Database as the client gave it, or empty.
        database: &'a str,
        /// The client's own name for itself, or empty.
        application: &'a str,
        /// Comma-separated names of the policies that apply.
        policies: &'a str,
        /// Snapshot version under which that was decided.
        snapshot: u64,
    },
    /// A login failed, before or after its token was read.
    LoginRefused {
        /// When.
        at: Time,
        /// Address and port of the client.
        source: &'a str,
        /// The target's name.
        target: &'a str,
        /// The token's issuer.
        issuer: &'a str,
        /// The token's subject.
        subject: &'a str,
        /// Why, in words.
        reason: &'a str,
    },
    /// A command and what was decided on it. On disk before the target sees it where policy says `before-forward`.
    Command {
        /// The session.
        session: SessionId,
        /// The command's number in its session, from 1.
        number: u64,
        /// When.
        at: Time,
        /// query, prepare, execute.
        kind: &'a str,
        /// What it says, masked.
        text: &'a str,
        /// One line a parameter, masked; binary ones as `\x` hex.
        parameters: &'a str,
        /// Comma-separated.
        objects: &'a str,
        /// allow, hold, deny.
        decision: &'a str,
        /// The deciding rule as `policy/rule`, or empty.
        rule: &'a str,
        /// Snapshot version under which that was decided.
        snapshot: u64,
        /// Card numbers masked in text and parameters.
        masked: u64,
    },
    /// A command waits for approval.
    Held {
        /// The session.
        session: SessionId,
        /// The command's number in its session, from 1.
        number: u64,
        /// When.
        at: Time,
        /// The ticket.
        ticket: TicketId,
        /// What the approval is bound to, as hex.
        digest: &'a str,
        /// The deciding rule as `policy/rule`, or empty.
        rule: &'a str,
        /// When it is denied by itself.
        deadline: Time,
    },
    /// What became of a ticket.
    Ruled {
        /// The session.
        session: SessionId,
        /// The command's number in its session, from 1.
        number: u64,
        /// When.
        at: Time,
        /// The ticket.
        ticket: TicketId,
        /// approved, rejected, expired, withdrawn.
        outcome: &'a str,
        /// Comma-separated subjects.
        reviewers: &'a str,
        /// Why, in words.
        reason: &'a str,
    },
    /// Masked bytes that went to the client, in the protocol's own form.
    Response {
        /// The session.
        session: SessionId,
        /// The command's number in its session, from 1.
        number: u64,
        /// When.
        at: Time,
        /// Where in the command's answer these bytes begin.
        offset: u64,
        /// The bytes, masked.
        #[serde(serialize_with = "base64_text")]
        bytes: &'a [u8],
    },
    /// A command has ended.
    Finished {
        /// The session.
        session: SessionId,
        /// The command's number in its session, from 1.
        number: u64,
        /// When.
        at: Time,
        /// done, failed CODE, refused, cut.
        outcome: &'a str,
        /// Rows.
        rows: u64,
        /// Bytes of the answer.
        bytes: u64,
        /// Card numbers masked.
        masked: u64,
        /// BLAKE3 of the masked answer's bytes, or all zero where none was kept.
        #[serde(serialize_with = "hex_text")]
        digest: [u8; 32],
    },
    /// The connection at the target on which a session's commands run from here on: joins the target's own log.
    SessionAttached {
        /// The session.
        session: SessionId,
        /// When.
        at: Time,
        /// The target's number of the connection (PostgreSQL: the backend's process), or 0.
        process: u64,
        /// fresh, or reused: an earlier session had it before.
        connection: &'a str,
    },
    /// A session has ended.
    SessionClosed {
        /// The session.
        session: SessionId,
        /// When.
        at: Time,
        /// How it ended, in words.
        how: &'a str,
        /// Commands.
        commands: u64,
        /// Rows.
        rows: u64,
        /// Bytes of the answer.
        bytes: u64,
        /// Card numbers masked.
        masked: u64,
    },
    /// An event of the gateway itself: recording started and stopped, policy and keys changed, evidence read,
    /// administrators' actions, a torn tail cut.
    System {
        /// When.
        at: Time,
        /// The event's name.
        event: &'a str,
        /// Who did it: a subject, or `gateway`.
        actor: &'a str,
        /// What it says, masked.
        text: &'a str,
    },
}

impl Record<'_> {
    /// The session that this is about; `None` for what concerns none.
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::SessionOpened { session, .. }
            | Self::Command { session, .. }
            | Self::Held { session, .. }
            | Self::Ruled { session, .. }
            | Self::Response { session, .. }
            | Self::Finished { session, .. }
            | Self::SessionAttached { session, .. }
            | Self::SessionClosed { session, .. } => Some(*session),
            Self::LoginRefused { .. } | Self::System { .. } => None,
        }
    }

    /// When it happened.
    pub fn at(&self) -> Time {
        match self {
            Self::SessionOpened { at, .. }
            | Self::LoginRefused { at, .. }
            | Self::Command { at, .. }
            | Self::Held { at, .. }
            | Self::Ruled { at, .. }
            | Self::Response { at, .. }
            | Self::Finished { at, .. }
            | Self::SessionAttached { at, .. }
            | Self::SessionClosed { at, .. }
            | Self::System { at, .. } => *at,
        }
    }

    /// The kind of record, as in JSON's `record`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SessionOpened { .. } => "session-opened",
            Self::LoginRefused { .. } => "login-refused",
            Self::Command { .. } => "command",
            Self::Held { .. } => "held",
            Self::Ruled { .. } => "ruled",
            Self::Response { .. } => "response",
            Self::Finished { .. } => "finished",
            Self::SessionAttached { .. } => "session-attached",
            Self::SessionClosed { .. } => "session-closed",
            Self::System { .. } => "system",
        }
    }
}

/// Says the kind and the time only: a record's texts come from peers.
impl fmt::Debug for Record<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Record({}, {})", self.kind(), self.at().0)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

impl fmt::Display for TicketId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for TicketId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn base64_text<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn hex_text<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Hex(bytes))
}

/// Bytes shown as lower-case hex digits.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}
