//! Tickets: a held command as reviewers see it, and the digest that binds their ruling to exactly it.

use sha2::{Digest as _, Sha256};

/// A ticket's number: random, 128 bits; shown as 32 hex digits.
pub type TicketId = u128;

/// A held command. Statement and parameters are masked; the bytes themselves stay in the dataplane.
#[derive(Debug, Clone, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct Ticket {
    /// The number.
    pub id: TicketId,
    /// The session that asks.
    pub session: u128,
    /// The job's issuer.
    pub issuer: String,
    /// The job's subject.
    pub subject: String,
    /// The person behind the job, who may not approve; or empty.
    pub requester: String,
    /// The job's groups.
    pub groups: Vec<String>,
    /// Where it connects from.
    pub source: String,
    /// The target's name.
    pub target: String,
    /// The statement, masked.
    pub statement: String,
    /// The parameters, masked, as text; `None`: NULL.
    pub parameters: Vec<Option<String>>,
    /// Card numbers that were masked in statement and parameters. Where there are any, the approval holds for this
    /// one command only: no session, window or ask-ahead grant, since masked texts do not tell commands apart.
    pub masked: u32,
    /// `schema.name` or `name`.
    pub objects: Vec<String>,
    /// The rule that holds it, as `policy/rule`.
    pub rule: String,
    /// Snapshot version under which it is held.
    pub snapshot: u64,
    /// Digest of all the above that the approval covers: see [`digest`].
    pub digest: [u8; 32],
    /// Groups of which reviewers must be.
    pub reviewers: Vec<String>,
    /// How many distinct people must approve.
    pub count: u16,
    /// What an approval is good for.
    pub grant: Grant,
    /// When it was opened and when it ends, Unix milliseconds.
    pub opened_ms: u64,
    /// When it ends by itself.
    pub deadline_ms: u64,
}

impl Ticket {
    /// What an approval of this ticket covers.
    #[must_use]
    pub fn covered(&self) -> Covered<'_> {
        Covered {
            statement: &self.statement,
            parameters: &self.parameters,
            issuer: &self.issuer,
            subject: &self.subject,
            target: &self.target,
            objects: &self.objects,
            rule: &self.rule,
            snapshot: self.snapshot,
        }
    }
}

/// What an approval is good for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// The one command that waits.
    Once,
    /// The same digest again in the same session.
    Session,
    /// The same digest again, from the same identity, for so many seconds.
    Window(u64),
}

/// What a digest is over: what an approval covers, and nothing else.
#[derive(Clone, Copy)]
pub struct Covered<'a> {
    /// The statement, masked.
    pub statement: &'a str,
    /// The parameters, masked, as text; `None`: NULL.
    pub parameters: &'a [Option<String>],
    /// The job's issuer.
    pub issuer: &'a str,
    /// The job's subject.
    pub subject: &'a str,
    /// The target's name.
    pub target: &'a str,
    /// `schema.name` or `name`, in the order of the facts.
    pub objects: &'a [String],
    /// The rule that holds it, as `policy/rule`.
    pub rule: &'a str,
    /// Snapshot version under which it is held.
    pub snapshot: u64,
}

/// SHA-256 over a canonical form of what an approval covers: every text with its length before it, every list with
/// its count, so that no two different requests have the same form.
#[must_use]
pub fn digest(covered: Covered<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"pangate approval v1\0");
    text(&mut hash, covered.statement);
    number(&mut hash, covered.parameters.len());
    for parameter in covered.parameters {
        match parameter {
            None => hash.update([0]),
            Some(value) => {
                hash.update([1]);
                text(&mut hash, value);
            }
        }
    }
    text(&mut hash, covered.issuer);
    text(&mut hash, covered.subject);
    text(&mut hash, covered.target);
    number(&mut hash, covered.objects.len());
    for object in covered.objects {
        text(&mut hash, object);
    }
    text(&mut hash, covered.rule);
    hash.update(covered.snapshot.to_be_bytes());
    hash.finalize().into()
}

fn text(hash: &mut Sha256, text: &str) {
    number(hash, text.len());
    hash.update(text.as_bytes());
}

fn number(hash: &mut Sha256, number: usize) {
    // usize is 64 bits at most on every platform that Rust has.
    hash.update((number as u64).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered() -> Covered<'static> {
        Covered {
            statement: "UPDATE cards SET pan = $1",
            parameters: &[],
            issuer: "https://issuer",
            subject: "job",
            target: "payments",
            objects: &[],
            rule: "settlement/touches",
            snapshot: 1,
        }
    }

    #[test]
    fn the_form_stays_what_it_is() {
        let hex: String = digest(covered()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "4134a372d0ae58ba43e7ce3b23eb29197ccfebe99b80e5b618f7ba62a4c57d20");
    }

    #[test]
    fn every_part_counts() {
        let one = [Some("1".to_owned())];
        let null = [None];
        let objects = ["public.cards".to_owned()];
        let variants = [
            covered(),
            Covered { statement: "UPDATE cards SET pan = $2", ..covered() },
            Covered { parameters: &one, ..covered() },
            Covered { parameters: &null, ..covered() },
            Covered { issuer: "https://issue", subject: "rjob", ..covered() },
            Covered { subject: "jobs", ..covered() },
            Covered { target: "payment", ..covered() },
            Covered { objects: &objects, ..covered() },
            Covered { rule: "settlement/touche", ..covered() },
            Covered { snapshot: 2, ..covered() },
        ];
        let digests: std::collections::BTreeSet<_> =
            variants.iter().map(|variant| digest(*variant)).collect();
        assert_eq!(digests.len(), variants.len());
    }

    #[test]
    fn the_border_between_parameters_counts() {
        let [split, joined] = [["ab", "c"], ["a", "bc"]].map(|pair| pair.map(|text| Some(text.to_owned())));
        assert_ne!(
            digest(Covered { parameters: &split, ..covered() }),
            digest(Covered { parameters: &joined, ..covered() })
        );
    }
}
