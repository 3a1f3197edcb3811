//! What the engine itself says to a client: the only texts that a peer sees. Leaves out every value and every name
//! that a peer has not sent itself.

use alloc::format;
use alloc::vec::Vec;

use super::frame::{message, text};
use crate::{Error, Refusal, RefusalKind, Side};

/// How an ErrorResponse ends the session, or not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Fatal,
}

/// A statement that no PostgreSQL accepts: sent in place of a refused one, so that the target itself fails the
/// transaction at the right place in the order.
pub(crate) const FAILING_TEXT: &[u8] = b"pangate refused this statement";

/// What [`FAILING_TEXT`] fails with: syntax_error.
pub(crate) const FAILING_CODE: [u8; 5] = *b"42601";

/// The SQLSTATE of a refusal.
pub(crate) fn sqlstate(kind: RefusalKind) -> &'static [u8; 5] {
    match kind {
        RefusalKind::Unauthenticated => b"28P01",
        RefusalKind::Denied | RefusalKind::Rejected => b"42501",
        RefusalKind::Masked => b"22023",
        RefusalKind::Expired => b"57014",
        RefusalKind::NotRecorded => b"58030",
        RefusalKind::Unreachable => b"08006",
        RefusalKind::Limit => b"53400",
        RefusalKind::ShuttingDown => b"57P01",
    }
}

/// Appends an ErrorResponse.
pub(crate) fn error(out: &mut Vec<u8>, severity: Severity, code: &[u8; 5], words: [&str; 3]) {
    let severity: &[u8] = match severity {
        Severity::Error => b"ERROR",
        Severity::Fatal => b"FATAL",
    };
    fields(out, b'E', severity, code, words);
}

/// Appends a NoticeResponse.
pub(crate) fn notice(out: &mut Vec<u8>, words: &str) {
    fields(out, b'N', b"NOTICE", b"00000", [words, "", ""]);
}

/// Appends the ErrorResponse of a refusal.
pub(crate) fn refusal(out: &mut Vec<u8>, severity: Severity, refusal: &Refusal<'_>) {
    error(out, severity, sqlstate(refusal.kind), [refusal.message, refusal.detail, refusal.hint]);
}

fn fields(out: &mut Vec<u8>, tag: u8, severity: &[u8], code: &[u8; 5], words: [&str; 3]) {
    message(out, tag, |body| {
        for (field, value) in [(b'S', severity), (b'V', severity), (b'C', code.as_slice())] {
            body.push(field);
            text(body, value);
        }
        for (field, words) in [b'M', b'D', b'H'].into_iter().zip(words) {
            if !words.is_empty() || field == b'M' {
                body.push(field);
                body.extend(words.bytes().filter(|byte| *byte != 0));
                body.push(0);
            }
        }
        body.push(0);
    });
}

/// Appends the ErrorResponse of an error that ends the session.
pub(crate) fn to_client(out: &mut Vec<u8>, error_seen: &Error) {
    let (code, words, detail) = match error_seen {
        Error::Refused { code, .. } => {
            let code = core::str::from_utf8(code).unwrap_or("?????");
            let detail = format!("the target answered with SQLSTATE {code}");
            return error(out, Severity::Fatal, b"08004", ["the target refuses the gateway", &detail, ""]);
        }
        Error::Malformed { side: Side::Client, what, .. } => (b"08P01", "a message is malformed", *what),
        Error::Misbehaved { side: Side::Client, what } => {
            (b"08P01", "a message came at the wrong time", *what)
        }
        Error::Unsupported { side: Side::Client, what } => (b"0A000", "pangate does not support this", *what),
        Error::TooLarge { side: Side::Client, what, .. } => {
            (b"54000", "a message is too large for pangate", *what)
        }
        Error::Malformed { what, .. } => (b"08P01", "the target sent a malformed message", *what),
        Error::Misbehaved { what, .. } => (b"08P01", "the target sent a message at the wrong time", *what),
        Error::Unsupported { what, .. } => {
            (b"0A000", "pangate does not support this answer of the target", *what)
        }
        Error::TooLarge { what, .. } => (b"54000", "an answer of the target is too large for pangate", *what),
    };
    error(out, Severity::Fatal, code, [words, detail, ""]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_laid_out_as_the_protocol_says() {
        let mut out = Vec::new();
        error(&mut out, Severity::Fatal, b"28000", ["no", "", "try\0this"]);
        let mut expected = alloc::vec![b'E', 0, 0, 0, 43];
        expected.extend_from_slice(b"SFATAL\0VFATAL\0C28000\0Mno\0Htrythis\0\0");
        expected[4] = u8::try_from(expected.len() - 1).unwrap();
        assert_eq!(out, expected);
    }

    #[test]
    fn every_refusal_has_its_code() {
        use RefusalKind::*;
        let codes: Vec<_> = [
            Unauthenticated,
            Denied,
            Masked,
            Rejected,
            Expired,
            NotRecorded,
            Unreachable,
            Limit,
            ShuttingDown,
        ]
        .map(|kind| core::str::from_utf8(sqlstate(kind)).unwrap())
        .into();
        assert_eq!(codes, ["28P01", "42501", "22023", "42501", "57014", "58030", "08006", "53400", "57P01"]);
    }
}
