//! The policy snapshot: written by mgmt, checked once, then read in place by every core. Deciding is in `decide.rs`.

use std::fmt;
use std::sync::Arc;

use rkyv::option::ArchivedOption;
use sha2::{Digest as _, Sha256};

use crate::checked::Checked;
use crate::claims::{self, Identity, Refused};
use crate::decide::{self, Request};
use crate::decision::{Decision, Exposure};
use crate::model::{
    ArchivedDocument, ArchivedIssuer, ArchivedOauth, ArchivedTarget, ArchivedTls, Document, FORMAT,
    deserialized,
};
pub use crate::model::{Bind, Durability, Limits, Mask, Protocol, RecordResponses};
use crate::name;
use crate::statement::{Effect, Facts};

/// Bytes of a snapshot at the most. Leaves room for the rest of a link message.
pub const SNAPSHOT_BYTES_MAX: usize = 8 * 1024 * 1024;
const _: () = assert!(SNAPSHOT_BYTES_MAX < crate::link::MESSAGE_BYTES_MAX);
/// What every snapshot begins with, before its format's number.
const MAGIC: &[u8; 8] = b"pangate\0";
/// Bytes before the archive: [`MAGIC`] and a little-endian u32.
const HEADER_BYTES: usize = MAGIC.len() + 4;

/// Why bytes are no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Longer than [`SNAPSHOT_BYTES_MAX`].
    #[error("snapshot of {bytes} bytes; at most {SNAPSHOT_BYTES_MAX} are taken")]
    TooLarge {
        /// How long.
        bytes: usize,
    },
    /// Not one at all.
    #[error("these bytes are no snapshot")]
    NoSnapshot,
    /// Of another form than this program reads.
    #[error("snapshot of format {found}; this program reads format {FORMAT}")]
    Format {
        /// Its form.
        found: u32,
    },
    /// What follows the header does not hold together.
    #[error("the snapshot is damaged")]
    Damaged,
    /// It cannot be written; its parts are larger than their form can say.
    #[error("the snapshot cannot be written")]
    Unwritable,
}

/// A policy snapshot. Shared by all cores; never changes.
pub struct Snapshot {
    document: Checked<ArchivedDocument>,
    digest: [u8; 32],
}

impl Snapshot {
    /// Checks the bytes and takes a copy of them.
    pub fn open(bytes: &[u8]) -> Result<Self, SnapshotError> {
        if bytes.len() > SNAPSHOT_BYTES_MAX {
            return Err(SnapshotError::TooLarge { bytes: bytes.len() });
        }
        let rest = bytes.strip_prefix(MAGIC).ok_or(SnapshotError::NoSnapshot)?;
        let (format, archive) = rest.split_first_chunk::<4>().ok_or(SnapshotError::NoSnapshot)?;
        match u32::from_le_bytes(*format) {
            FORMAT => {}
            found => return Err(SnapshotError::Format { found }),
        }
        let document = Checked::new(archive).map_err(|_| SnapshotError::Damaged)?;
        Ok(Self { document, digest: Sha256::digest(bytes).into() })
    }

    /// The bytes of a snapshot.
    pub(crate) fn write(document: &Document) -> Result<Vec<u8>, SnapshotError> {
        let archive =
            rkyv::to_bytes::<rkyv::rancor::Error>(document).map_err(|_| SnapshotError::Unwritable)?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + archive.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&archive);
        if bytes.len() > SNAPSHOT_BYTES_MAX {
            return Err(SnapshotError::TooLarge { bytes: bytes.len() });
        }
        Ok(bytes)
    }

    fn document(&self) -> &ArchivedDocument {
        self.document.get()
    }

    /// Counts up with every applied policy.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.document().version.to_native()
    }

    /// Seconds that it may be in use without mgmt confirming it; past them, new statements are denied.
    #[must_use]
    pub fn max_age_s(&self) -> u64 {
        self.document().max_age_s.to_native()
    }

    /// SHA-256 of its bytes.
    #[must_use]
    pub const fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Every issuer.
    pub fn issuers(&self) -> impl Iterator<Item = IssuerView<'_>> {
        self.document().issuers.iter().map(IssuerView::new)
    }

    /// The issuer whose tokens say this `iss`.
    #[must_use]
    pub fn issuer_by_url(&self, url: &str) -> Option<IssuerView<'_>> {
        self.issuers().find(|issuer| issuer.url == url)
    }

    /// Every target.
    pub fn targets(&self) -> impl Iterator<Item = TargetView<'_>> {
        self.document().targets.iter().map(TargetView::new)
    }

    /// The target of this name.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<TargetView<'_>> {
        self.targets().find(|target| target.name == name)
    }

    /// Names of all policies.
    pub fn policies(&self) -> impl Iterator<Item = &str> {
        self.document().policies.iter().map(|policy| policy.name.as_str())
    }

    /// What verified claims mean: who it is and of which groups; or why this issuer's tokens of this kind are refused.
    /// Signature, audience and times have been checked before.
    pub fn identify(&self, issuer: &IssuerView<'_>, claims: &serde_json::Value) -> Result<Identity, Refused> {
        claims::identify(issuer.archived, claims)
    }

    /// The policies that apply to these groups at this target. `None`: none does, and the login is refused.
    #[must_use]
    pub fn class(&self, groups: &[String], target: &str) -> Option<Class> {
        let document = self.document();
        let target_index = document.targets.iter().position(|own| own.name == target)?;
        let mut terms = None::<Terms>;
        for (index, policy) in document.policies.iter().enumerate() {
            let here = policy.targets.iter().any(|own| own.as_str() == target);
            if !here || !policy.groups.iter().any(|own| groups.iter().any(|group| own.as_str() == group)) {
                continue;
            }
            let limits: Limits = deserialized(&policy.limits);
            let (mask, record) = (deserialized(&policy.mask), deserialized(&policy.record));
            let durability = deserialized(&policy.durability);
            match &mut terms {
                None => {
                    terms = Some(Terms {
                        snapshot: self.digest,
                        target: target_index,
                        policies: vec![index],
                        names: policy.name.as_str().to_owned(),
                        mask,
                        record,
                        durability,
                        limits,
                    });
                }
                Some(terms) => {
                    terms.policies.push(index);
                    terms.names.push(',');
                    terms.names.push_str(&policy.name);
                    terms.mask = terms.mask.max(mask);
                    terms.record = terms.record.max(record);
                    terms.durability = terms.durability.stricter(durability);
                    terms.limits = terms.limits.stricter(limits);
                }
            }
        }
        terms.map(|terms| Class(Arc::new(terms)))
    }

    /// Decides on a request. A class of another snapshot or target decides nothing: denied.
    #[must_use]
    pub fn decide(&self, class: &Class, target: &str, facts: &Facts) -> Decision {
        self.decide_with(class, target, facts, &[])
    }

    /// The same, with what the target's catalog adds to its labels.
    #[must_use]
    pub fn decide_with(
        &self,
        class: &Class,
        target: &str,
        facts: &Facts,
        derived: &[DerivedLabel],
    ) -> Decision {
        let document = self.document();
        let own = document.targets.get(class.0.target).filter(|own| own.name == target);
        let (Some(target), true) = (own, class.0.snapshot == self.digest) else {
            return Decision::Deny {
                rule: "default".to_owned(),
                reason: "the session's policies are of another snapshot or target".to_owned(),
            };
        };
        let policies: Vec<_> =
            class.0.policies.iter().filter_map(|&index| document.policies.get(index)).collect();
        decide::decide(&policies, target, facts, derived)
    }

    /// The effects of a request at a target: those of its facts, and those that the target's labels add.
    #[must_use]
    pub fn effects(&self, target: &str, facts: &Facts) -> Vec<Effect> {
        let document = self.document();
        match document.targets.iter().find(|own| own.name == target) {
            Some(target) => Request::new(target, facts, &[]).effects().collect(),
            None => facts.effects.clone(),
        }
    }

    /// What a request may show of labelled data, with what the target's catalog adds to its labels. `None`: the target
    /// has no labels.
    #[must_use]
    pub fn exposure(&self, target: &str, facts: &Facts, derived: &[DerivedLabel]) -> Option<Exposure> {
        let target = self.document().targets.iter().find(|own| own.name == target)?;
        (!target.data.is_empty()).then(|| Request::new(target, facts, derived).exposure())
    }

    /// Labels of the data that a request touches at a target, each once. Of one that is not understood, or that runs
    /// what its text does not show: all.
    #[must_use]
    pub fn labels<'a>(&'a self, target: &str, facts: &'a Facts) -> Vec<&'a str> {
        let found = self.document().targets.iter().find(|own| own.name == target);
        found.map(|target| Request::new(target, facts, &[]).labels()).unwrap_or_default()
    }
}

/// Says its version only.
impl fmt::Debug for Snapshot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Snapshot(version {})", self.version())
    }
}

impl Durability {
    fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Within(one), Self::Within(two)) => Self::Within(one.min(two)),
            _ => Self::BeforeForward,
        }
    }
}

impl Limits {
    fn stricter(self, other: Self) -> Self {
        let least = |one: Option<u64>, two: Option<u64>| one.into_iter().chain(two).min();
        Self {
            rows: least(self.rows, other.rows),
            sessions: least(self.sessions, other.sessions),
            duration_s: least(self.duration_s, other.duration_s),
        }
    }
}

/// The policies that apply to a session, and what they say together: the strictest of each. Equal classes of one
/// snapshot decide alike, so that decisions can be kept by class.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Class(Arc<Terms>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Terms {
    /// Digest of the snapshot that it is of.
    snapshot: [u8; 32],
    /// Index of the target.
    target: usize,
    /// Indices of the policies.
    policies: Vec<usize>,
    names: String,
    mask: Mask,
    record: RecordResponses,
    durability: Durability,
    limits: Limits,
}

impl Class {
    /// The policies' names, comma-separated.
    #[must_use]
    pub fn policy_names(&self) -> &str {
        &self.0.names
    }

    /// How card numbers are masked: as the strictest of the policies says.
    #[must_use]
    pub fn mask(&self) -> Mask {
        self.0.mask
    }

    /// How much of a response is kept: as the fullest of the policies says.
    #[must_use]
    pub fn record(&self) -> RecordResponses {
        self.0.record
    }

    /// When a record is on disk: as the strictest of the policies says.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.0.durability
    }

    /// The session's bounds: the least of the policies'.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.limits
    }
}

/// An issuer.
#[derive(Clone, Copy)]
pub struct IssuerView<'a> {
    /// Its name in the manifests.
    pub name: &'a str,
    /// The `iss` of its tokens; discovery starts there.
    pub url: &'a str,
    /// The `aud` that its tokens must have.
    pub audience: &'a str,
    /// The claim that names the person behind the job.
    pub requester_claim: Option<&'a str>,
    /// How often a token may open a session.
    pub bind: Bind,
    archived: &'a ArchivedIssuer,
}

impl<'a> IssuerView<'a> {
    fn new(archived: &'a ArchivedIssuer) -> Self {
        Self {
            name: &archived.name,
            url: &archived.url,
            audience: &archived.audience,
            requester_claim: text(&archived.requester),
            bind: deserialized(&archived.bind),
            archived,
        }
    }
}

/// A target.
#[derive(Clone, Copy)]
pub struct TargetView<'a> {
    /// Its name in the manifests.
    pub name: &'a str,
    /// What it speaks.
    pub protocol: Protocol,
    /// Where jobs connect: `address:port`.
    pub listen: &'a str,
    /// Jobs may come without TLS. Only ever true where `listen` is loopback.
    pub waive_tls: bool,
    /// Where the target is: `host:port`.
    pub address: &'a str,
    /// TLS towards it.
    pub tls: TlsMode<'a>,
    /// How the gateway logs in there.
    pub credential: CredentialView<'a>,
    /// Which jobs log in by SASL OAUTHBEARER; `None`: none.
    pub oauth: Option<OauthView<'a>>,
    /// The one database that jobs may open, where the manifest names it.
    pub database: Option<&'a str>,
    /// Connections kept for the next session.
    pub pool: PoolView,
    archived: &'a ArchivedTarget,
}

impl<'a> TargetView<'a> {
    fn new(archived: &'a ArchivedTarget) -> Self {
        Self {
            name: &archived.name,
            protocol: deserialized(&archived.protocol),
            listen: &archived.listen,
            waive_tls: archived.waive_tls,
            address: &archived.address,
            tls: match &archived.tls {
                ArchivedTls::VerifyFull(files) => TlsMode::VerifyFull {
                    ca: text(&files.ca),
                    client: files
                        .client
                        .as_ref()
                        .map(|pair| ClientFiles { certificate: &pair.0, key: &pair.1 }),
                    direct: files.direct,
                },
                ArchivedTls::Plaintext => TlsMode::Plaintext,
            },
            credential: CredentialView {
                username: &archived.username,
                password_file: text(&archived.password_file),
            },
            oauth: archived.oauth.as_ref().map(OauthView::new),
            database: text(&archived.database),
            pool: PoolView {
                idle_max: archived.pool_idle.to_native() as usize,
                idle_ms: archived.pool_idle_ms.to_native(),
            },
            archived,
        }
    }

    /// Columns known to hold card data.
    pub fn labels(&self) -> impl Iterator<Item = LabelView<'a>> + use<'a> {
        labels_of(self.archived)
    }
}

/// Connections that are kept of a target where their session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolView {
    /// How many at once, on each core; 0: none.
    pub idle_max: usize,
    /// Milliseconds that one is kept where nobody takes it.
    pub idle_ms: u64,
}

pub(crate) fn labels_of(target: &ArchivedTarget) -> impl Iterator<Item = LabelView<'_>> {
    target.data.iter().map(|data| LabelView {
        schema: text(&data.schema),
        table: &data.table,
        column: text(&data.column),
        label: &data.label,
    })
}

/// TLS towards a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode<'a> {
    /// The certificate's chain and its name are checked.
    VerifyFull {
        /// PEM file of the authority; `None`: the system's own roots.
        ca: Option<&'a str>,
        /// What the gateway shows the target.
        client: Option<ClientFiles<'a>>,
        /// From the first byte on, the protocol named by ALPN.
        direct: bool,
    },
    /// No TLS: asked for by name.
    Plaintext,
}

/// How the gateway logs in at a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialView<'a> {
    /// The target's own user name.
    pub username: &'a str,
    /// Where the dataplane reads the password; `None`: there is none.
    pub password_file: Option<&'a str>,
}

/// The gateway's own certificate towards a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientFiles<'a> {
    /// PEM file of the chain.
    pub certificate: &'a str,
    /// PEM file of the key.
    pub key: &'a str,
}

/// SASL OAUTHBEARER for jobs.
#[derive(Clone, Copy)]
pub struct OauthView<'a> {
    /// The URL of the issuer's discovery document.
    pub configuration: &'a str,
    /// What clients ask the issuer for.
    pub scope: &'a str,
    archived: &'a ArchivedOauth,
}

impl<'a> OauthView<'a> {
    fn new(archived: &'a ArchivedOauth) -> Self {
        Self { configuration: &archived.configuration, scope: &archived.scope, archived }
    }

    /// Whether this user logs in so.
    pub fn is_for(&self, user: &str) -> bool {
        let users = &self.archived.users;
        users.is_empty() || users.iter().any(|own| own.as_str() == user)
    }
}

/// A column known to hold card data. Names are as facts have them: folded, in double quotes where they hold a dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelView<'a> {
    /// `None`: in whatever schema.
    pub schema: Option<&'a str>,
    /// The table.
    pub table: &'a str,
    /// `None`: every column.
    pub column: Option<&'a str>,
    /// `pan`, `sad`, or the operator's own.
    pub label: &'a str,
}

impl LabelView<'_> {
    /// Schema, table and column as the catalog has them.
    #[must_use]
    pub fn catalog_names(&self) -> (Option<String>, String, Option<String>) {
        (self.schema.map(name::plain), name::plain(self.table), self.column.map(name::plain))
    }
}

/// A column that shows labelled data by what the target's catalog says: of a view, a partition, statistics.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DerivedLabel {
    schema: String,
    table: String,
    column: String,
    label: String,
}

impl DerivedLabel {
    /// Names as the catalog has them.
    #[must_use]
    pub fn new(schema: &str, table: &str, column: &str, label: &str) -> Self {
        let form = name::in_form;
        Self { schema: form(schema), table: form(table), column: form(column), label: label.to_owned() }
    }

    pub(crate) fn view(&self) -> LabelView<'_> {
        let Self { schema, table, column, label } = self;
        LabelView { schema: Some(schema), table, column: Some(column), label }
    }
}

/// An object's name as facts have it, of its parts as the catalog has them.
#[must_use]
pub fn fact_name(parts: &[&str]) -> String {
    parts.iter().map(|part| name::in_form(part)).collect::<Vec<_>>().join(".")
}

/// The parts of an object's name in facts, as the catalog has them.
#[must_use]
pub fn name_parts(mut name: &str) -> Vec<String> {
    let mut parts = Vec::new();
    loop {
        let (before, last) = name::split(name);
        parts.insert(0, name::plain(last));
        match before {
            Some(before) => name = before,
            None => return parts,
        }
    }
}

fn text(archived: &ArchivedOption<rkyv::string::ArchivedString>) -> Option<&str> {
    archived.as_ref().map(rkyv::string::ArchivedString::as_str)
}
