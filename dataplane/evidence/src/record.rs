//! What is recorded. Every text is masked before it gets here: this crate has no finder.

use serde::Serialize;

/// Microseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Time(pub u64);

/// A session's number: random, 128 bits; shown as 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct SessionId(pub u128);

/// A ticket's number: random, 128 bits; shown as 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct TicketId(pub u128);

/// One record. Borrows, so that the shard writes it without copying.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record<'a> {
    /// A job was let in.
    SessionOpened {
        session: SessionId,
        at: Time,
        issuer: &'a str,
        subject: &'a str,
        /// The person behind the job (the issuer's `requester` claim), or empty.
        requester: &'a str,
        /// Comma-separated.
        groups: &'a str,
        /// The token's claims as a JSON object, without the token itself.
        claims: &'a str,
        /// Address and port of the client.
        source: &'a str,
        target: &'a str,
        protocol: &'a str,
        user: &'a str,
        database: &'a str,
        application: &'a str,
        /// Comma-separated names of the policies that apply.
        policies: &'a str,
        snapshot: u64,
    },
    /// A login failed, before or after its token was read.
    LoginRefused { at: Time, source: &'a str, target: &'a str, issuer: &'a str, subject: &'a str, reason: &'a str },
    /// A command and what was decided on it. On disk before the target sees it where policy says `before-forward`.
    Command {
        session: SessionId,
        number: u64,
        at: Time,
        /// query, prepare, execute.
        kind: &'a str,
        text: &'a str,
        /// One line a parameter, masked; binary ones as `\x` hex.
        parameters: &'a str,
        /// Comma-separated.
        objects: &'a str,
        /// allow, hold, deny.
        decision: &'a str,
        rule: &'a str,
        snapshot: u64,
        /// Card numbers masked in text and parameters.
        masked: u64,
    },
    /// A command waits for approval.
    Held { session: SessionId, number: u64, at: Time, ticket: TicketId, digest: &'a str, rule: &'a str, deadline: Time },
    /// What became of a ticket.
    Ruled {
        session: SessionId,
        number: u64,
        at: Time,
        ticket: TicketId,
        /// approved, rejected, expired, withdrawn.
        outcome: &'a str,
        /// Comma-separated subjects.
        reviewers: &'a str,
        reason: &'a str,
    },
    /// Masked bytes that went to the client, in the protocol's own form.
    Response { session: SessionId, number: u64, at: Time, offset: u64, bytes: &'a [u8] },
    /// A command has ended.
    Finished {
        session: SessionId,
        number: u64,
        at: Time,
        /// done, failed CODE, refused, cut.
        outcome: &'a str,
        rows: u64,
        /// Bytes of the answer.
        bytes: u64,
        masked: u64,
        /// BLAKE3 of the masked answer's bytes, or all zero where none was kept.
        digest: [u8; 32],
    },
    /// A session has ended.
    SessionClosed { session: SessionId, at: Time, how: &'a str, commands: u64, rows: u64, bytes: u64, masked: u64 },
    /// An event of the gateway itself: recording started and stopped, policy and keys changed, evidence read,
    /// administrators' actions, a torn tail cut.
    System { at: Time, event: &'a str, actor: &'a str, text: &'a str },
}
