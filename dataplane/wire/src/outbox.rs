//! What an engine says by itself during a call: messages of its own to either side, and events for the recorder.

use alloc::vec::Vec;

use crate::Side;

/// Filled by the engine, emptied by the driver after each call.
#[derive(Default)]
pub struct Outbox {
    /// Bytes for the client.
    pub client: Vec<u8>,
    /// Bytes for the server.
    pub server: Vec<u8>,
    /// What happened, in order.
    pub events: Vec<Event>,
}

impl Outbox {
    /// The bytes for `side`.
    pub fn to(&mut self, side: Side) -> &mut Vec<u8> {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Whether nothing is to be sent or told.
    pub fn is_empty(&self) -> bool {
        self.client.is_empty() && self.server.is_empty() && self.events.is_empty()
    }
}

/// What happened in the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The target has let the gateway in: the session is open.
    Opened,
    /// From here on, bytes released to the client answer this command.
    Answering {
        /// The command.
        number: u64,
    },
    /// A command has ended (for a statement list: as a whole; for a portal: each Execute).
    Finished {
        /// The command.
        number: u64,
        /// Rows that went to the client (or, for COPY in, came from it; or that the command changed).
        rows: u64,
        /// Card numbers masked in its answer.
        masked: u64,
        /// How it ended.
        outcome: Outcome,
    },
    /// Card numbers masked in what belongs to no command (notices, notifications).
    Masked(u64),
    /// An answer came of a relation, or a column of one, that is not among the target's facts: it is masked whole.
    UnknownOrigin,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran.
    Done,
    /// The target refused it, with this code of its protocol (SQLSTATE; a number as ASCII digits, zero-padded).
    Failed([u8; 5]),
    /// The target never ran it: an earlier command of its batch had failed.
    Skipped,
    /// The gateway refused it.
    Refused,
    /// The connection ended before it did.
    Cut,
}
