//! Who is to blame, for what, at which offset. Never payload.

use crate::Side;

/// Why a connection cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Bytes that are no message of the protocol.
    #[error("malformed message from the {side:?} at offset {offset}: {what}")]
    Malformed {
        /// Who sent them.
        side: Side,
        /// Where in the bytes in hand.
        offset: usize,
        /// Which rule they break.
        what: &'static str,
    },
    /// A well-formed message at a time when the protocol does not allow it.
    #[error("unexpected message from the {side:?}: {what}")]
    Misbehaved {
        /// Who sent it.
        side: Side,
        /// What was wrong.
        what: &'static str,
    },
    /// A part of the protocol that pangate refuses.
    #[error("not supported from the {side:?}: {what}")]
    Unsupported {
        /// Who asked for it.
        side: Side,
        /// What it was.
        what: &'static str,
    },
    /// Over a bound.
    #[error("too large from the {side:?}: {what}, at most {most}")]
    TooLarge {
        /// Who sent it.
        side: Side,
        /// What was too large.
        what: &'static str,
        /// The bound.
        most: usize,
    },
    /// The target does not let the gateway in, or drops it. Its words stay here.
    #[error("the {side:?} refuses the session, code {}", core::str::from_utf8(.code).unwrap_or("?????"))]
    Refused {
        /// Who refuses.
        side: Side,
        /// The code of the protocol (SQLSTATE).
        code: [u8; 5],
    },
}
