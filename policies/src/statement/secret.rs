//! Whether a statement names something whose literals may be passwords or keys: what the dataplane then leaves out of
//! records, and what mgmt therefore does not let be asked ahead. Errs towards yes.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// Words that say that a literal near them may be a password or a key. Matched anywhere, whatever their case.
const WORDS: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "pgp_",
    "crypt",
    "hmac",
    "digest",
    "identified",
    "authorization",
    "credential",
    "conninfo",
    "dblink",
];

/// Finds [`WORDS`] in one pass over the text: each command is looked through.
static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(WORDS).ok()
});

/// Whether the text names something whose literals or parameters may be secret. Without a finder: yes.
#[must_use]
pub fn names_secret(text: &str) -> bool {
    FINDER.as_ref().is_none_or(|finder| finder.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_seen() {
        for word in WORDS {
            assert!(names_secret(&format!("select x, {}", word.to_uppercase())), "{word}");
            assert!(names_secret(&format!("select my{word}s")), "{word}");
        }
        assert!(!names_secret("select abalance from accounts where aid = 1"));
        assert!(!names_secret(""));
    }
}
