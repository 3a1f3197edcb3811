//! What requests and answers of the REST interface look like. Server and command line share these; the OpenAPI
//! document's schemas are derived from them. Times are Unix milliseconds; numbers of tickets and sessions 32 hex digits.
//!
//! Requests refuse unknown fields. Answers may gain fields: read them leniently.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Header that carries the number of a request, in its answer and in the log.
pub const REQUEST_ID_HEADER: &str = "x-request-id";
/// Content type of every error.
pub const PROBLEM_CONTENT_TYPE: &str = "application/problem+json";

/// Every error (RFC 9457).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// `urn:pangate:problem:KIND`, for programs.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What went wrong this time.
    pub detail: String,
    /// `urn:pangate:request:ID`, as in the log.
    #[serde(default)]
    pub instance: String,
    /// For manifests that are refused: every mistake.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
}

/// One mistake, or warning, in a manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnostic {
    /// The file's name as uploaded.
    pub file: String,
    /// From 1; 0: the whole file.
    pub line: u32,
    /// From 1, in characters; 0: the whole line.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it, or empty.
    #[serde(default)]
    pub help: String,
}

/// `GET /healthz`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Healthz {
    /// Always true: mgmt answers. Whether all is well stands in [`Status`].
    pub alive: bool,
    /// mgmt's version.
    pub version: String,
}

/// `GET /v1/status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Nothing is in trouble.
    pub healthy: bool,
    /// mgmt's version.
    pub version: String,
    /// mgmt's start.
    pub started_ms: u64,
    /// Who asks, as mgmt sees it.
    pub caller: Caller,
    /// The policy in force; `None` before the first.
    pub policy: Option<PolicyStatus>,
    /// Approvals that wait for people, all or those that the caller may see.
    pub approvals_waiting: u64,
    /// Dataplanes that are connected. Empty for a caller that is neither admin nor auditor, as are the next three.
    pub dataplanes: Vec<DataplaneStatus>,
    /// Issuers of the policy in force and their keys.
    pub issuers: Vec<IssuerStatus>,
    /// Events that no dataplane has recorded yet.
    pub events_queued: u64,
    /// What is in trouble, in words.
    pub troubles: Vec<String>,
}

/// Who a bearer token says the caller is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Caller {
    /// The token's issuer.
    pub issuer: String,
    /// The token's subject.
    pub subject: String,
    /// The person behind it, or empty.
    pub requester: String,
    /// Groups.
    pub groups: Vec<String>,
    /// Roles that follow from the groups: admin, auditor.
    pub roles: Vec<String>,
}

/// The policy in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyStatus {
    /// Its version.
    pub version: u64,
    /// Who applied it.
    pub author: String,
    /// When.
    pub applied_ms: u64,
    /// SHA-256 of the compiled snapshot, hex.
    pub digest: String,
}

/// A dataplane as it last said it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DataplaneStatus {
    /// Its name.
    pub instance: String,
    /// Shards.
    pub shards: u16,
    /// Since when it is connected.
    pub connected_ms: u64,
    /// When it last said how it was; 0: not yet.
    pub heard_ms: u64,
    /// Snapshot version in use; 0: none.
    pub snapshot: u64,
    /// Why it refused the newest snapshot, or empty.
    pub refused: String,
    /// Open sessions.
    pub sessions: u64,
    /// Commands since its start.
    pub commands: u64,
    /// Commands held now.
    pub held: u64,
    /// Card numbers masked since its start.
    pub masked: u64,
    /// Evidence is being written.
    pub recording: bool,
    /// Why evidence is not being written, or empty.
    pub recording_error: String,
    /// Targets in trouble.
    pub troubles: Vec<TargetTrouble>,
}

/// A target in trouble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetTrouble {
    /// The target's name.
    pub target: String,
    /// The cause.
    pub cause: String,
}

/// An issuer's keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IssuerStatus {
    /// The issuer's name in the manifests.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// Usable keys.
    pub keys: u32,
    /// When they were fetched; 0: never.
    pub fetched_ms: u64,
    /// Why the last attempt failed, or empty.
    pub error: String,
}

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalState {
    /// Asked for ahead of the command; waits for people.
    Ahead,
    /// A command is held and waits for people.
    Pending,
    /// Enough people approved.
    Approved,
    /// Somebody rejected it.
    Rejected,
    /// Nobody decided in time.
    Expired,
    /// The job gave up.
    Withdrawn,
    /// It ended in the dataplane in another way: see `outcome`.
    Settled,
}

/// A held command, or one asked for ahead: `GET /v1/approvals` (an array, newest first), `GET /v1/approvals/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// Its number.
    pub id: String,
    /// Where it stands.
    pub state: ApprovalState,
    /// The job: its token's subject.
    pub identity: String,
    /// The job's issuer.
    pub issuer: String,
    /// The person behind the job, who may not approve; or empty.
    pub requester: String,
    /// The job's groups.
    pub groups: Vec<String>,
    /// The session that waits; empty where it was asked for ahead.
    pub session: String,
    /// Where the job connects from, or empty.
    pub source: String,
    /// The target's name.
    pub target: String,
    /// What it wants to run, masked.
    pub statement: String,
    /// Its parameters as text, masked; `null`: NULL.
    pub parameters: Vec<Option<String>>,
    /// Card numbers masked in statement and parameters. Where there are any, an approval is good for this command only.
    pub masked: u32,
    /// Objects it touches.
    pub objects: Vec<String>,
    /// The rule that holds it, as `policy/rule`.
    pub rule: String,
    /// Policy version under which it is held.
    pub snapshot: u64,
    /// What an approval is bound to, hex.
    pub digest: String,
    /// Groups of which reviewers must be.
    pub reviewers: Vec<String>,
    /// Distinct people that must approve.
    pub count: u16,
    /// What an approval is good for: `once`, `session`, `window: 3600s`.
    pub grant: String,
    /// When it was opened.
    pub opened_ms: u64,
    /// When it ends by itself.
    pub deadline_ms: u64,
    /// What people said, in order.
    pub votes: Vec<Vote>,
    /// When it was decided; `None`: it waits.
    pub ruled_ms: Option<u64>,
    /// Why it ended as it did, in words, or empty.
    pub outcome: String,
    /// When its ruling took effect in the dataplane.
    pub settled_ms: Option<u64>,
    /// Whether the caller may approve or reject it now.
    pub may_decide: bool,
    /// Why the caller may not, or empty.
    pub may_not: String,
}

/// What one person said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Vote {
    /// The reviewer's subject.
    pub reviewer: String,
    /// The reviewer's issuer.
    pub issuer: String,
    /// Yes or no.
    pub approved: bool,
    /// In their words, masked.
    pub reason: String,
    /// When.
    pub at_ms: u64,
}

/// `POST /v1/approvals/{id}/approve` and `…/reject`; the answer is the [`Approval`] as it then stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Why, for the evidence. Not empty.
    pub reason: String,
    /// The digest that the reviewer saw; another than the approval's is refused. Optional.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// `POST /v1/requests`: asks ahead, with the job's own token.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AheadRequest {
    /// The target's name.
    pub target: String,
    /// What the job will run, exactly.
    pub statement: String,
    /// Its parameters as text; `null`: NULL.
    #[serde(default)]
    pub parameters: Vec<Option<String>>,
}

/// Says lengths only: the statement is not masked yet.
impl std::fmt::Debug for AheadRequest {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (bytes, parameters) = (self.statement.len(), self.parameters.len());
        write!(out, "AheadRequest({}, {bytes} bytes, {parameters} parameters)", self.target)
    }
}

/// The answer to [`AheadRequest`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AheadAnswer {
    /// allow, hold, deny.
    pub decision: String,
    /// The deciding rule as `policy/rule`, or `default`.
    pub rule: String,
    /// Why, where it is denied; or empty.
    pub reason: String,
    /// Where it must be approved: the ticket that reviewers now see.
    pub approval: Option<Approval>,
}

/// A session in `GET /v1/sessions?limit&after` (newest first; `after` is the last one's number of the page before).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// Its number.
    pub id: String,
    /// The job: its token's subject.
    pub identity: String,
    /// The job's issuer.
    pub issuer: String,
    /// The person behind the job, or empty.
    pub requester: String,
    /// The job's groups.
    pub groups: Vec<String>,
    /// Address and port of the client.
    pub source: String,
    /// The target's name.
    pub target: String,
    /// postgres, mysql, mongodb, http.
    pub protocol: String,
    /// User name as the client gave it.
    pub user: String,
    /// Database as the client gave it, or empty.
    pub database: String,
    /// The client's own name for itself, or empty.
    pub application: String,
    /// When it was opened.
    pub opened_ms: u64,
    /// When it ended; `None`: it is open, or its end was not recorded.
    pub closed_ms: Option<u64>,
    /// How it ended, in words, or empty.
    pub how: String,
    /// How many commands it ran.
    pub command_count: u64,
    /// Rows that went to the job.
    pub rows: u64,
    /// Bytes that went to the job.
    pub bytes: u64,
    /// Card numbers masked.
    pub masked: u64,
}

/// `GET /v1/sessions/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionDetail {
    /// As in the list.
    #[serde(flatten)]
    pub session: Session,
    /// Names of the policies that applied.
    pub policies: Vec<String>,
    /// Policy version when it was opened.
    pub snapshot: u64,
    /// The token's claims, without the token.
    pub claims: serde_json::Value,
    /// The target's own number of the connection on which the commands ran (PostgreSQL: the backend's process, `%p` of
    /// its log); 0 where none is known.
    #[serde(default)]
    pub process: u64,
    /// `fresh`, or `reused`: an earlier session had that connection; empty where it never came to one.
    #[serde(default)]
    pub connection: String,
    /// Commands, in order.
    pub commands: Vec<Command>,
    /// More was recorded than one answer holds.
    pub truncated: bool,
}

/// One command of a session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// Its number in the session, from 1.
    pub number: u64,
    /// When it came.
    pub at_ms: u64,
    /// query, prepare, execute.
    pub kind: String,
    /// What it says, masked.
    pub statement: String,
    /// One a line, masked.
    pub parameters: String,
    /// Objects it touches.
    pub objects: Vec<String>,
    /// allow, hold, deny.
    pub decision: String,
    /// The deciding rule as `policy/rule`, or empty.
    pub rule: String,
    /// Policy version of the decision.
    pub snapshot: u64,
    /// Card numbers masked in what the job sent.
    pub masked: u64,
    /// The ticket, where it was held.
    pub ticket: Option<String>,
    /// approved, rejected, expired, withdrawn; empty where it was not held or still waits.
    pub ruling: String,
    /// Subjects of the reviewers.
    pub reviewers: Vec<String>,
    /// The ruling's reason, or empty.
    pub reason: String,
    /// done, failed CODE, refused, cut; empty: its end was not recorded.
    pub outcome: String,
    /// When it ended.
    pub finished_ms: Option<u64>,
    /// Rows that went to the job.
    pub rows: u64,
    /// Bytes that went to the job.
    pub bytes: u64,
    /// Card numbers masked in the answer.
    pub response_masked: u64,
    /// BLAKE3 of the masked answer, hex; empty: none was kept.
    pub response_digest: String,
    /// The masked answer in the protocol's own form, base64; as much as was recorded.
    pub response: String,
}

/// `PUT /v1/policy`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyUpload {
    /// All manifests; what is not among them is no longer in force.
    pub files: Vec<PolicyFile>,
    /// Only check.
    #[serde(default)]
    pub dry_run: bool,
}

/// One file of manifests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// Its name, for messages.
    pub name: String,
    /// YAML, several documents a file.
    pub text: String,
}

/// The answer to [`PolicyUpload`]. Manifests with mistakes are a [`Problem`] of status 422 with all its diagnostics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyApplied {
    /// The version in force afterwards; of a dry run the one that it would get.
    pub version: u64,
    /// The manifests are those in force: nothing was done.
    pub unchanged: bool,
    /// As asked.
    pub dry_run: bool,
    /// What is allowed but hardly meant.
    pub warnings: Vec<Diagnostic>,
}

/// `GET /v1/policy`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// Its version.
    pub version: u64,
    /// Who applied it.
    pub author: String,
    /// When.
    pub applied_ms: u64,
    /// SHA-256 of the compiled snapshot, hex.
    pub digest: String,
    /// The manifests.
    pub files: Vec<PolicyFile>,
}

/// One of `GET /v1/audit/checkpoints` (an array, newest first): a signed head of an evidence log, as mgmt witnessed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Checkpoint {
    /// The log.
    pub origin: String,
    /// Records in it.
    pub size: u64,
    /// Its root hash, base64.
    pub root: String,
    /// The signed note.
    pub note: String,
    /// When mgmt saw it first.
    pub witnessed_ms: u64,
}

/// One of `GET /v1/events?limit&after` (an array, newest first): what people and mgmt itself did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Its number: the evidence holds the same.
    pub id: String,
    /// When.
    pub at_ms: u64,
    /// Its name.
    pub event: String,
    /// Who did it: a subject, or `mgmt`.
    pub actor: String,
    /// What it says, masked.
    pub text: String,
    /// It was handed to a dataplane for the evidence.
    pub sent: bool,
    /// It has been read back from the evidence.
    pub recorded: bool,
}
