//! Whether a statement names something whose literals may be passwords or keys: what the dataplane then leaves out of
//! records, and what mgmt therefore does not let be asked ahead. Errs towards yes.

use super::Dialect;
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

/// MySQL's functions that are given a key, beside those that [`WORDS`] meet: AES_ENCRYPT, DES_DECRYPT, PASSWORD. An
/// account's authentication (IDENTIFIED BY, VIA, WITH), SET PASSWORD, MASTER_PASSWORD and a server's PASSWORD are met there.
const MYSQL_WORDS: [&str; 5] = ["encode", "decode", "kdf", "key_management", "authentication_string"];

/// Finds [`WORDS`] in one pass over the text: each command is looked through.
static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| finder(&WORDS));
/// The same with [`MYSQL_WORDS`].
static MYSQL_FINDER: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| finder(&[&WORDS[..], &MYSQL_WORDS].concat()));

fn finder(words: &[&str]) -> Option<AhoCorasick> {
    AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(words).ok()
}

/// Whether the text names something whose literals or parameters may be secret. Without a finder: yes.
#[must_use]
pub fn names_secret(text: &str, dialect: Dialect) -> bool {
    let finder = match dialect {
        Dialect::Postgres => &FINDER,
        Dialect::Mysql => &MYSQL_FINDER,
    };
    finder.as_ref().is_none_or(|finder| finder.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_seen() {
        for word in WORDS.into_iter().chain(MYSQL_WORDS) {
            let postgres = WORDS.contains(&word);
            for text in [format!("select x, {}", word.to_uppercase()), format!("select my{word}s")] {
                assert_eq!(names_secret(&text, Dialect::Postgres), postgres, "{word}");
                assert!(names_secret(&text, Dialect::Mysql), "{word}");
            }
        }
        for dialect in [Dialect::Postgres, Dialect::Mysql] {
            assert!(!names_secret("select abalance from accounts where aid = 1", dialect));
            assert!(!names_secret("", dialect));
        }
    }

    #[test]
    fn what_mysql_is_told_in_secret_is_seen() {
        for text in [
            "create user u@'%' identified by 'x'",
            "alter user u identified via mysql_native_password using '*x'",
            "alter user u identified with caching_sha2_password as 'x'",
            "set password for u = password('x')",
            "select old_password('x')",
            "select aes_encrypt(a, 'k'), aes_decrypt(b, 'k'), des_encrypt(a, 'k')",
            "select encode(a, 'k'), decode(b, 'k')",
            "change master to master_password = 'x'",
            "change replication source to source_password = 'x'",
            "create server s foreign data wrapper mysql options (user 'u', password 'x')",
        ] {
            assert!(names_secret(text, Dialect::Mysql), "{text}");
        }
    }
}
