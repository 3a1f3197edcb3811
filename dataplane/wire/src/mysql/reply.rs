//! What the engine itself says to a client: the only texts that a peer sees. Leaves out every value and every name
//! that a peer has not sent itself.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

use super::frame::{packet, string};
use crate::{Error, Refusal, RefusalKind, Side};

/// An error as the protocol has it: a number, an SQLSTATE, words.
pub(crate) struct Words<'a> {
    pub(crate) number: u16,
    pub(crate) state: &'static [u8; 5],
    pub(crate) text: Cow<'a, str>,
}

/// Bytes of a progress report's words at the most: MariaDB's own are no longer.
const STAGE_BYTES_MAX: usize = 193;

/// Appends a progress report (MariaDB's `net_send_progress_packet`): an ERR packet of the number 0xffff, then a count of
/// strings, the stage under way and how many there are, its progress in thousandths of a percent, its name.
pub(crate) fn progress(out: &mut Vec<u8>, sequence: u8, words: &str) {
    let words = words.get(..words.floor_char_boundary(STAGE_BYTES_MAX)).unwrap_or_default();
    packet(out, sequence, |payload| {
        payload.extend_from_slice(&[0xff, 0xff, 0xff, 1, 1, 1, 0, 0, 0]);
        string(payload, words.as_bytes());
    });
}

/// Bytes of an error's words at the most: clients keep 512.
const TEXT_BYTES_MAX: usize = 511;

impl<'a> Words<'a> {
    /// The error of a refusal.
    pub(crate) fn of_refusal(refusal: &Refusal<'a>) -> Self {
        let (number, state) = match refusal.kind {
            // ER_ACCESS_DENIED_ERROR
            RefusalKind::Unauthenticated => (1045, b"28000"),
            // ER_SPECIFIC_ACCESS_DENIED_ERROR
            RefusalKind::Denied | RefusalKind::Rejected => (1227, b"42000"),
            // ER_WRONG_ARGUMENTS
            RefusalKind::Masked => (1210, b"HY000"),
            // ER_QUERY_INTERRUPTED
            RefusalKind::Expired => (1317, b"70100"),
            // ER_ERROR_ON_WRITE
            RefusalKind::NotRecorded => (1026, b"HY000"),
            // ER_NET_READ_ERROR
            RefusalKind::Unreachable => (1158, b"08S01"),
            // ER_USER_LIMIT_REACHED
            RefusalKind::Limit => (1226, b"42000"),
            // ER_SERVER_SHUTDOWN
            RefusalKind::ShuttingDown => (1053, b"08S01"),
        };
        // A detail often says the message over again, and more.
        let message = if refusal.detail.starts_with(refusal.message) { "" } else { refusal.message };
        let mut text = Cow::Borrowed("");
        for part in [message, refusal.detail, refusal.hint] {
            match (part, text.as_ref()) {
                ("", _) => {}
                (part, "") => text = Cow::Borrowed(part),
                (part, _) => text = format!("{text}; {part}").into(),
            }
        }
        Self { number, state, text }
    }

    /// What a server says of its own accord when it ends a session, by the number that it was heard with: its words, which
    /// have no values in them.
    pub(crate) fn of_ending(number: u16) -> Option<Words<'static>> {
        let (state, text) = match number {
            // ER_SERVER_SHUTDOWN
            1053 => (b"08S01", "Server shutdown in progress"),
            // ER_CONNECTION_KILLED of MariaDB, ER_SESSION_WAS_KILLED of MySQL
            1927 => (b"70100", "Connection was killed"),
            3169 => (b"HY000", "The session was killed"),
            // ER_CLIENT_INTERACTION_TIMEOUT
            4031 => (b"HY000", "The client was disconnected by the server because of inactivity"),
            _ => return None,
        };
        Some(Words { number, state, text: text.into() })
    }

    /// The target has closed the connection and said nothing.
    pub(crate) fn deserted() -> Words<'static> {
        // ER_NET_READ_ERROR
        Words { number: 1158, state: b"08S01", text: "the target closed the connection".into() }
    }

    /// The error that ends a session.
    pub(crate) fn of_error(error: &Error) -> Words<'static> {
        // ER_MALFORMED_PACKET, ER_UNKNOWN_COM_ERROR, ER_NOT_SUPPORTED_YET, ER_NET_PACKET_TOO_LARGE, ER_HANDSHAKE_ERROR
        let (number, state, words, what) = match error {
            Error::Refused { code, .. } => {
                let code = core::str::from_utf8(code).unwrap_or("?????");
                let text = format!("the target refuses the gateway: its error {code}").into();
                return Words { number: 1043, state: b"08S01", text };
            }
            Error::Malformed { side: Side::Client, what, .. } => {
                (1835, b"HY000", "a packet is malformed", *what)
            }
            Error::Misbehaved { side: Side::Client, what } => {
                (1047, b"08S01", "a packet came at the wrong time", *what)
            }
            Error::Unsupported { side: Side::Client, what } => {
                (1235, b"42000", "pangate does not support this", *what)
            }
            Error::TooLarge { side: Side::Client, what, .. } => {
                (1153, b"08S01", "a packet is too large for pangate", *what)
            }
            Error::Malformed { what, .. } => (1835, b"HY000", "the target sent a malformed packet", *what),
            Error::Misbehaved { what, .. } => {
                (1835, b"HY000", "the target sent a packet at the wrong time", *what)
            }
            Error::Unsupported { what, .. } => {
                (1235, b"42000", "pangate does not support this answer of the target", *what)
            }
            Error::TooLarge { what, .. } => {
                (1153, b"08S01", "an answer of the target is too large for pangate", *what)
            }
        };
        Words { number, state, text: format!("{words}: {what}").into() }
    }

    /// Appends the ERR packet.
    pub(crate) fn packet(&self, out: &mut Vec<u8>, sequence: u8) {
        packet(out, sequence, |payload| {
            payload.push(0xff);
            payload.extend_from_slice(&self.number.to_le_bytes());
            payload.push(b'#');
            payload.extend_from_slice(self.state);
            let mut text = self.text.as_ref();
            if text.len() > TEXT_BYTES_MAX {
                text = text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or_default();
            }
            payload.extend(text.bytes().filter(|byte| *byte != 0));
        });
    }
}
