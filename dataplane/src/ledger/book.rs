//! The rules of single use over a map in memory. Pure: no clock, no file.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use super::{Bind, Claim};
use crate::limits::{LEDGER_SWEEP_S, LEDGER_TOKENS_MAX, TOKEN_MEMORY_S};

/// The first use of one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) token_id: [u8; 32],
    /// IPv4 in its mapped form, so that one address has one form.
    pub(super) source: Ipv6Addr,
    pub(super) expires_s: u64,
    /// Bound to its first session; else to its source.
    pub(super) once: bool,
}

impl From<&Claim> for Entry {
    fn from(claim: &Claim) -> Self {
        let source = match claim.source {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        let once = claim.bind == Bind::Session;
        Self { token_id: claim.token_id, source, expires_s: claim.expires_s, once }
    }
}

/// What the map says of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// Never seen; it is entered, and must be written before it is granted.
    First,
    /// Used before from the same address, which its binding allows.
    Again,
    /// The same, but that first use is of this very batch and not written yet.
    AgainUnsettled,
    /// Used before, and its binding allows no more.
    Replayed,
    /// No room to remember it.
    Full,
}

/// Tokens in use, by their hash.
pub(super) struct Book {
    used: HashMap<[u8; 32], Entry>,
    /// Entered since the last [`Book::settle`].
    unsettled: Vec<[u8; 32]>,
    swept_s: u64,
    most: usize,
}

impl Book {
    /// Takes over what the journal held, without what has expired.
    pub(super) fn new(entries: Vec<Entry>, now_s: u64) -> Self {
        let mut book =
            Self { used: HashMap::new(), unsettled: Vec::new(), swept_s: now_s, most: LEDGER_TOKENS_MAX };
        for entry in entries {
            if is_remembered(&entry, now_s) {
                // Only a first use is ever written; of two, the earlier one is it.
                book.used.entry(entry.token_id).or_insert(entry);
            }
        }
        book
    }

    pub(super) fn claim(&mut self, entry: Entry) -> Finding {
        match self.used.get(&entry.token_id) {
            // Bound to one session then or now: the stricter of both, should policy have changed in between.
            Some(first) if first.once || entry.once => Finding::Replayed,
            Some(first) if first.source != entry.source => Finding::Replayed,
            Some(_) if self.unsettled.contains(&entry.token_id) => Finding::AgainUnsettled,
            Some(_) => Finding::Again,
            None if self.used.len() >= self.most => Finding::Full,
            None => {
                self.used.insert(entry.token_id, entry);
                self.unsettled.push(entry.token_id);
                Finding::First
            }
        }
    }

    /// What was entered is on disk.
    pub(super) fn settle(&mut self) {
        self.unsettled.clear();
    }

    /// What was entered could not be written: it was no use.
    pub(super) fn take_back(&mut self) {
        for token_id in self.unsettled.drain(..) {
            self.used.remove(&token_id);
        }
    }

    /// Forgets what has expired; looks at most once in [`LEDGER_SWEEP_S`], or when there is no room.
    pub(super) fn sweep(&mut self, now_s: u64) {
        if now_s.saturating_sub(self.swept_s) >= LEDGER_SWEEP_S || self.used.len() >= self.most {
            self.swept_s = now_s;
            self.used.retain(|_, entry| is_remembered(entry, now_s));
        }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.used.values()
    }

    pub(super) fn len(&self) -> usize {
        self.used.len()
    }
}

/// A while longer than the token lives: a clock that is set back must not revive it.
fn is_remembered(entry: &Entry, now_s: u64) -> bool {
    entry.expires_s.saturating_add(TOKEN_MEMORY_S) > now_s
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u8, source: &str, bind: Bind) -> Entry {
        Entry::from(&Claim { token_id: [id; 32], source: source.parse().unwrap(), expires_s: 1000, bind })
    }

    fn book(most: usize) -> Book {
        Book { most, ..Book::new(Vec::new(), 0) }
    }

    #[test]
    fn a_token_bound_to_its_source_opens_many_sessions_from_there_alone() {
        let mut book = book(8);
        assert_eq!(book.claim(entry(1, "192.0.2.1", Bind::Source)), Finding::First);
        assert_eq!(book.claim(entry(1, "192.0.2.1", Bind::Source)), Finding::AgainUnsettled);
        book.settle();
        assert_eq!(book.claim(entry(1, "192.0.2.1", Bind::Source)), Finding::Again);
        assert_eq!(book.claim(entry(1, "::ffff:192.0.2.1", Bind::Source)), Finding::Again);
        assert_eq!(book.claim(entry(1, "192.0.2.2", Bind::Source)), Finding::Replayed);
        assert_eq!(book.claim(entry(2, "192.0.2.2", Bind::Source)), Finding::First);
    }

    #[test]
    fn a_token_bound_to_a_session_opens_one_whatever_policy_says_later() {
        let mut book = book(8);
        assert_eq!(book.claim(entry(1, "192.0.2.1", Bind::Session)), Finding::First);
        assert_eq!(book.claim(entry(1, "192.0.2.1", Bind::Session)), Finding::Replayed);
        assert_eq!(book.claim(entry(1, "192.0.2.1", Bind::Source)), Finding::Replayed);
        assert_eq!(book.claim(entry(2, "192.0.2.1", Bind::Source)), Finding::First);
        assert_eq!(book.claim(entry(2, "192.0.2.1", Bind::Session)), Finding::Replayed);
    }

    #[test]
    fn what_is_taken_back_was_never_used_and_what_is_settled_stays() {
        let mut book = book(8);
        book.claim(entry(1, "192.0.2.1", Bind::Session));
        book.settle();
        book.claim(entry(2, "192.0.2.1", Bind::Session));
        book.take_back();
        assert_eq!(book.claim(entry(1, "192.0.2.1", Bind::Session)), Finding::Replayed);
        assert_eq!(book.claim(entry(2, "192.0.2.1", Bind::Session)), Finding::First);
    }

    #[test]
    fn a_full_book_refuses_new_tokens_until_old_ones_have_expired() {
        let mut book = book(1);
        assert_eq!(book.claim(entry(1, "192.0.2.1", Bind::Source)), Finding::First);
        book.settle();
        book.sweep(1000 + TOKEN_MEMORY_S - 1);
        assert_eq!(book.claim(entry(2, "192.0.2.1", Bind::Source)), Finding::Full);
        assert_eq!(book.claim(entry(1, "192.0.2.1", Bind::Source)), Finding::Again);
        book.sweep(1000 + TOKEN_MEMORY_S);
        assert_eq!(book.claim(entry(2, "192.0.2.1", Bind::Source)), Finding::First);
    }

    #[test]
    fn expired_entries_of_the_journal_are_left_out() {
        let entries = vec![entry(1, "192.0.2.1", Bind::Source)];
        assert_eq!(Book::new(entries.clone(), 999 + TOKEN_MEMORY_S).len(), 1);
        assert_eq!(Book::new(entries, 1000 + TOKEN_MEMORY_S).len(), 0);
    }

    #[test]
    fn a_sweep_comes_at_intervals() {
        let mut book = Book::new(vec![entry(1, "192.0.2.1", Bind::Source)], 1000 + TOKEN_MEMORY_S - 1);
        book.sweep(1000 + TOKEN_MEMORY_S);
        assert_eq!(book.len(), 1, "too early to look");
        book.sweep(1000 + TOKEN_MEMORY_S - 1 + LEDGER_SWEEP_S);
        assert_eq!(book.len(), 0);
    }
}
