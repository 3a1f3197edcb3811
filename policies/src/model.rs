//! What a snapshot holds, in the form that rkyv writes. Nothing here decides.
//!
//! Verbs and effects are bit sets over the order of `Verb::ALL` and `Effect::ALL`: a change of that order, or of any
//! type here, is a new [`FORMAT`].

use std::convert::Infallible;

use rkyv::{Archive, Deserialize, Serialize};

use crate::decision::Approval;
use crate::name::Pattern;
use crate::statement::{Effect, Verb};

/// The form of what is below; a snapshot of another is refused.
pub(crate) const FORMAT: u32 = 4;

/// A whole snapshot.
#[derive(Debug, Archive, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) version: u64,
    pub(crate) max_age_s: u64,
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) targets: Vec<Target>,
    pub(crate) policies: Vec<Policy>,
}

/// Whose tokens are taken, and what their claims mean.
#[derive(Debug, Archive, Serialize, Deserialize)]
pub(crate) struct Issuer {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) audience: String,
    /// The claim that names the person behind the job.
    pub(crate) requester: Option<String>,
    pub(crate) groups: Vec<GroupSource>,
    /// A token that meets all conditions of one of these is refused.
    pub(crate) refuse: Vec<Vec<Condition>>,
    pub(crate) bind: Bind,
}

/// Where groups come from.
#[derive(Debug, Archive, Serialize, Deserialize)]
pub(crate) enum GroupSource {
    /// This group, where all conditions are met.
    When(String, Vec<Condition>),
    /// Whatever this claim names.
    FromClaim(String),
}

/// A claim that must have one of these values.
#[derive(Debug, Archive, Serialize, Deserialize)]
pub(crate) struct Condition {
    pub(crate) claim: String,
    pub(crate) values: Vec<String>,
}

/// How often a token may open a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Archive, Serialize, Deserialize)]
pub enum Bind {
    /// As often as it likes, until it expires.
    None,
    /// From its first use on, from that address alone.
    Source,
    /// Once.
    Session,
}

/// Where jobs go.
#[derive(Debug, Archive, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) protocol: Protocol,
    pub(crate) listen: String,
    pub(crate) waive_tls: bool,
    pub(crate) address: String,
    pub(crate) tls: Tls,
    pub(crate) username: String,
    /// `None`: the certificate alone says who the gateway is.
    pub(crate) password_file: Option<String>,
    pub(crate) oauth: Option<Oauth>,
    pub(crate) database: Option<String>,
    /// Connections kept for the next session, on each core; 0: none.
    pub(crate) pool_idle: u32,
    /// Milliseconds that one is kept where nobody takes it.
    pub(crate) pool_idle_ms: u64,
    pub(crate) data: Vec<Labelled>,
}

/// The protocol that a target speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Archive, Serialize, Deserialize)]
pub enum Protocol {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
    /// MongoDB.
    Mongodb,
    /// HTTP.
    Http,
}

/// TLS towards the target.
#[derive(Debug, Archive, Serialize, Deserialize)]
pub(crate) enum Tls {
    /// With the certificate's chain and name checked.
    VerifyFull(TlsFiles),
    /// None: asked for by name.
    Plaintext,
}

/// What TLS towards a target is made of.
#[derive(Debug, Archive, Serialize, Deserialize)]
pub(crate) struct TlsFiles {
    /// PEM; `None`: the system's own roots.
    pub(crate) ca: Option<String>,
    /// The gateway's own certificate chain and key, PEM.
    pub(crate) client: Option<(String, String)>,
    /// From the first byte on.
    pub(crate) direct: bool,
}

/// SASL OAUTHBEARER for jobs.
#[derive(Debug, Archive, Serialize, Deserialize)]
pub(crate) struct Oauth {
    /// The URL of the issuer's discovery document.
    pub(crate) configuration: String,
    pub(crate) scope: String,
    /// User names that log in so; empty: all.
    pub(crate) users: Vec<String>,
}

/// A column known to hold card data. Names are folded as the target folds them.
#[derive(Debug, Archive, Serialize, Deserialize)]
pub(crate) struct Labelled {
    /// `None`: in whatever schema.
    pub(crate) schema: Option<String>,
    pub(crate) table: String,
    /// `None`: every column of the table.
    pub(crate) column: Option<String>,
    pub(crate) label: String,
}

/// What some groups may do at some targets.
#[derive(Debug, Archive, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
    pub(crate) targets: Vec<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) mask: Mask,
    pub(crate) record: RecordResponses,
    pub(crate) durability: Durability,
    pub(crate) limits: Limits,
}

/// One rule. A list that is empty was not written.
#[derive(Debug, Archive, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) verbs: u16,
    pub(crate) objects: Vec<Pattern>,
    pub(crate) columns: Vec<ColumnPattern>,
    pub(crate) labels: Vec<String>,
    pub(crate) effects: u8,
    pub(crate) functions: Vec<Pattern>,
    pub(crate) outcome: Outcome,
}

/// Columns of some objects.
#[derive(Debug, Archive, Serialize, Deserialize)]
pub(crate) struct ColumnPattern {
    pub(crate) object: Pattern,
    /// `None`: every column.
    pub(crate) column: Option<String>,
}

/// What a rule decides.
#[derive(Debug, Archive, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Allow,
    Hold(Approval),
    Deny,
}

/// What a mask leaves of a card number. One format for a whole deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Archive, Serialize, Deserialize)]
pub enum Mask {
    /// The first eight digits and the last four, of 16 digits.
    Bin8Last4,
    /// The first six digits and the last four, of 15 digits and more.
    Bin6Last4,
    /// The last four digits.
    Last4,
    /// Nothing, and another number in its place, the same one for the same number under the dataplane's key.
    Surrogate,
    /// Nothing.
    Full,
}

/// How much of a masked response is kept as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Archive, Serialize, Deserialize)]
pub enum RecordResponses {
    /// Its digest.
    Digest,
    /// So many rows, and the digest of all.
    Rows(u64),
    /// All of it.
    Full,
}

/// When a command's record is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Archive, Serialize, Deserialize)]
pub enum Durability {
    /// Before the target sees the command.
    BeforeForward,
    /// At the latest so many milliseconds after.
    Within(u64),
}

/// Bounds of a session. `None`: not bounded by policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Archive, Serialize, Deserialize)]
pub struct Limits {
    /// Rows that one session may read.
    pub rows: Option<u64>,
    /// Sessions of one identity at once.
    pub sessions: Option<u64>,
    /// Seconds that a session may last.
    pub duration_s: Option<u64>,
}

/// A verb's place in a rule's set.
pub(crate) const fn verb_bit(verb: Verb) -> u16 {
    1 << verb as u16
}

/// An effect's place in a rule's set.
pub(crate) const fn effect_bit(effect: Effect) -> u8 {
    1 << effect as u8
}

/// A verb as rules write it.
pub(crate) const fn verb_name(verb: Verb) -> &'static str {
    match verb {
        Verb::Select => "select",
        Verb::Insert => "insert",
        Verb::Update => "update",
        Verb::Delete => "delete",
        Verb::Merge => "merge",
        Verb::Copy => "copy",
        Verb::Call => "call",
        Verb::Ddl => "ddl",
        Verb::Grant => "grant",
        Verb::Set => "set",
        Verb::Transaction => "transaction",
        Verb::Admin => "admin",
        Verb::Unknown => "unknown",
    }
}

/// An effect as rules write it.
pub(crate) const fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::ReadsLabelled => "reads-labelled",
        Effect::TransformsLabelled => "transforms-labelled",
        Effect::ReadsFile => "reads-file",
        Effect::WritesFile => "writes-file",
        Effect::RunsProgram => "runs-program",
        Effect::DynamicSql => "dynamic-sql",
        Effect::Unbounded => "unbounded",
    }
}

/// The plain form of a small archived value. Such values hold nothing that could fail to be made.
pub(crate) fn deserialized<T, A>(archived: &A) -> T
where
    A: Deserialize<T, rkyv::rancor::Strategy<(), Infallible>>,
{
    match rkyv::api::deserialize_using::<T, (), Infallible>(archived, &mut ()) {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_verbs_and_effects_belongs_to_the_format() {
        let verbs: Vec<_> = Verb::ALL.into_iter().map(verb_name).collect();
        let effects: Vec<_> = Effect::ALL.into_iter().map(effect_name).collect();
        assert_eq!(
            verbs.join(" "),
            "select insert update delete merge copy call ddl grant set transaction admin unknown"
        );
        assert_eq!(
            effects.join(" "),
            "reads-labelled transforms-labelled reads-file writes-file runs-program dynamic-sql unbounded"
        );
        for verb in Verb::ALL {
            assert_eq!(serde_json::to_value(verb).unwrap(), verb_name(verb), "the same name in JSON");
        }
        for effect in Effect::ALL {
            assert_eq!(serde_json::to_value(effect).unwrap(), effect_name(effect), "the same name in JSON");
        }
        let verb_bits: Vec<_> = Verb::ALL.iter().map(|verb| verb_bit(*verb).trailing_zeros()).collect();
        let effect_bits: Vec<_> =
            Effect::ALL.iter().map(|effect| effect_bit(*effect).trailing_zeros()).collect();
        assert_eq!(verb_bits, (0..13).collect::<Vec<_>>());
        assert_eq!(effect_bits, (0..7).collect::<Vec<_>>());
    }
}
