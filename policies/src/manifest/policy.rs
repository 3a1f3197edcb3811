//! `kind: Policy`: what some groups may do at some targets, and how that is masked, recorded and bounded.

use schemars::JsonSchema;

use super::issuer::{group, reference};
use super::reader::{Fields, duration, name, number, text, word};
use super::schema;
use super::tree::{Kind, Node};
use crate::diagnostic::{At, Diagnostics};
use crate::model::{self, effect_name, verb_name};
use crate::statement::{Effect, Verb};

/// What some groups may do at some targets, and how that is masked, recorded and bounded.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Policy {
    /// Its name in these manifests, in records and error messages.
    #[schemars(with = "schema::Name")]
    pub(crate) name: At<String>,
    /// Whom it is for: jobs of any one of these groups.
    pub(crate) groups: Vec<At<String>>,
    /// Where it applies.
    #[schemars(with = "Vec<schema::Name>")]
    pub(crate) targets: Vec<At<String>>,
    /// What is decided. Nothing matches: deny. Several match: deny over hold over allow, whatever their order.
    pub(crate) rules: Vec<Rule>,
    /// How card numbers are masked.
    #[schemars(with = "Option<schema::MaskOfPans>")]
    pub(crate) mask: Option<At<model::Mask>>,
    /// How much of a masked response is kept.
    #[schemars(with = "Option<schema::Record>")]
    pub(crate) record: Option<At<Responses>>,
    /// When a command's record is on disk.
    #[schemars(with = "Option<schema::Evidence>")]
    pub(crate) evidence: Option<At<model::Durability>>,
    /// Bounds of a session.
    pub(crate) limits: Option<Limits>,
}

/// A rule. In one that allows, a list is what it permits, and all that a request does must be permitted. In one that
/// holds or denies, a list is what it looks for, and anything found in each of its lists makes it fire.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Rule {
    /// Its name in records and error messages.
    #[schemars(with = "schema::Name")]
    pub(crate) name: At<String>,
    /// What a request does.
    #[schemars(default, with = "Vec<Verb>")]
    pub(crate) verbs: Vec<At<Verb>>,
    /// `schema.name`, `name`, `schema.*` or `*`; of `set`, the settings' names.
    #[schemars(default)]
    pub(crate) objects: Vec<At<String>>,
    /// `schema.name.column`, `name.column`, or `*` as the column.
    #[schemars(default)]
    pub(crate) columns: Vec<At<String>>,
    /// Labels of the targets' data.
    #[schemars(default, with = "Vec<schema::Name>")]
    pub(crate) labels: Vec<At<String>>,
    /// What it does beside its verbs.
    #[schemars(default, with = "Vec<Effect>")]
    pub(crate) effects: Vec<At<Effect>>,
    /// `schema.name`, `name`, `schema.*` or `*`.
    #[schemars(default)]
    pub(crate) functions: Vec<At<String>>,
    /// What is decided.
    #[schemars(with = "Decide")]
    pub(crate) decide: At<Decide>,
    /// Who approves, where it is held.
    pub(crate) approval: Option<Approval>,
}

/// What a rule decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(crate) enum Decide {
    /// It may run.
    Allow,
    /// It waits for people.
    Hold,
    /// It may not run.
    Deny,
}

/// Who approves what a rule holds.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Approval {
    /// Groups of reviewers: a reviewer is of any one of them.
    pub(crate) reviewers: Vec<At<String>>,
    /// Distinct people; 1 where nothing is said.
    #[schemars(with = "Option<schema::Count>")]
    pub(crate) count: Option<At<u64>>,
    /// How long a request waits at most; 15m where nothing is said.
    #[schemars(with = "Option<schema::Duration>")]
    pub(crate) timeout: Option<At<u64>>,
    /// How long at most inside a transaction that has run something, or `deny`; 60s where nothing is said.
    #[schemars(with = "Option<schema::DurationOrDeny>")]
    pub(crate) in_transaction: Option<At<u64>>,
    /// What an approval is good for; once where nothing is said.
    #[schemars(with = "Option<Grant>")]
    pub(crate) grant: Option<At<Grant>>,
    /// What is shown of labelled data beyond what always is; nothing where nothing is said.
    #[schemars(with = "Option<Reveals>")]
    pub(crate) reveals: Option<At<Reveals>>,
}

/// What an approval shows of labelled data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(crate) enum Reveals {
    /// What the statement computes. Labelled columns themselves, and card numbers wherever they are, stay masked.
    Computed,
}

/// What an approval is good for.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(crate) enum Grant {
    /// The one request that waits.
    Once,
    /// The same request again in the same session.
    Session,
    /// The same request again, from the same identity, for so long.
    Window(#[schemars(with = "schema::Duration")] u64),
}

/// How much of a masked response is kept.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(crate) enum Responses {
    /// All of it.
    Full,
    /// Its digest.
    Digest,
    /// So many rows, and the digest of all.
    Rows(u64),
}

/// Bounds of a session.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Limits {
    /// Rows that one session may read.
    #[schemars(with = "Option<schema::Count>")]
    pub(crate) rows: Option<At<u64>>,
    /// Sessions of one identity at once.
    #[schemars(with = "Option<schema::Count>")]
    pub(crate) sessions: Option<At<u64>>,
    /// How long a session may last.
    #[schemars(with = "Option<schema::Duration>")]
    pub(crate) duration: Option<At<u64>>,
}

const MASKS: [(&str, model::Mask); 5] = [
    ("full", model::Mask::Full),
    ("last4", model::Mask::Last4),
    ("bin6-last4", model::Mask::Bin6Last4),
    ("bin8-last4", model::Mask::Bin8Last4),
    ("surrogate", model::Mask::Surrogate),
];
const REVEALS: [(&str, Reveals); 1] = [("computed", Reveals::Computed)];
const DECISIONS: [(&str, Decide); 3] =
    [("allow", Decide::Allow), ("hold", Decide::Hold), ("deny", Decide::Deny)];

pub(super) fn read(name: At<String>, mut fields: Fields<'_>, out: &mut Diagnostics<'_>) -> Option<Policy> {
    let groups = fields.required_list("groups", group, out);
    let targets = fields.required_list("targets", reference, out);
    let rules = fields.required_list("rules", rule, out);
    let mask = fields.optional("mask", mask, out);
    let record = fields.optional("record", record, out);
    let evidence = fields.optional("evidence", evidence, out);
    let limits = fields.optional("limits", limits, out);
    fields.close(out);
    Some(Policy { name, groups, targets, rules, mask, record, evidence, limits })
}

fn rule(node: &Node, out: &mut Diagnostics<'_>) -> Option<Rule> {
    let mut fields = Fields::open(node, "a rule", out)?;
    let name = fields.required("name", name, out);
    let verbs = fields.list("verbs", verb, out);
    let objects = fields.list("objects", text, out);
    let columns = fields.list("columns", text, out);
    let labels = fields.list("labels", reference, out);
    let effects = fields.list("effects", effect, out);
    let functions = fields.list("functions", text, out);
    let decide = fields.required("decide", |node, out| word(node, &DECISIONS, out), out);
    let approval = fields.optional("approval", approval, out);
    fields.close(out);
    let (name, decide) = (name?, decide?);
    Some(Rule { name, verbs, objects, columns, labels, effects, functions, decide, approval })
}

fn verb(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<Verb>> {
    word(node, &Verb::ALL.map(|verb| (verb_name(verb), verb)), out)
}

fn effect(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<Effect>> {
    word(node, &Effect::ALL.map(|effect| (effect_name(effect), effect)), out)
}

fn approval(node: &Node, out: &mut Diagnostics<'_>) -> Option<Approval> {
    let mut fields = Fields::open(node, "`approval`", out)?;
    let reviewers = fields.required_list("reviewers", group, out);
    let count = fields.optional("count", number, out);
    let timeout = fields.optional("timeout", duration, out);
    let in_transaction = fields.optional("inTransaction", duration_or_deny, out);
    let grant = fields.optional("grant", grant, out);
    let reveals = fields.optional("reveals", |node, out| word(node, &REVEALS, out), out);
    fields.close(out);
    Some(Approval { reviewers, count, timeout, in_transaction, grant, reveals })
}

fn duration_or_deny(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<u64>> {
    match &node.kind {
        Kind::Scalar(text) if text == "deny" => Some(At { value: 0, place: node.place }),
        _ => duration(node, out),
    }
}

fn grant(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<Grant>> {
    const WORDS: [(&str, Grant); 2] = [("once", Grant::Once), ("session", Grant::Session)];
    if !matches!(node.kind, Kind::Mapping(_)) {
        return word(node, &WORDS, out);
    }
    let mut fields = Fields::open(node, "`grant`", out)?;
    let window = fields.required("window", duration, out);
    fields.close(out);
    window.map(|window| At { value: Grant::Window(window.value), place: window.place })
}

fn mask(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<model::Mask>> {
    let mut fields = Fields::open(node, "`mask`", out)?;
    let mask = fields.required("pan", mask_format, out);
    fields.close(out);
    mask
}

fn mask_format(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<model::Mask>> {
    word(node, &MASKS, out)
}

fn record(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<Responses>> {
    let mut fields = Fields::open(node, "`record`", out)?;
    let responses = fields.required("responses", responses, out);
    fields.close(out);
    responses
}

fn responses(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<Responses>> {
    const WORDS: [(&str, Responses); 2] = [("full", Responses::Full), ("digest", Responses::Digest)];
    if !matches!(node.kind, Kind::Mapping(_)) {
        return word(node, &WORDS, out);
    }
    let mut fields = Fields::open(node, "`responses`", out)?;
    let rows = fields.required("rows", number, out);
    fields.close(out);
    rows.map(|rows| At { value: Responses::Rows(rows.value), place: rows.place })
}

fn evidence(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<model::Durability>> {
    let mut fields = Fields::open(node, "`evidence`", out)?;
    let durability = fields.required("durability", durability, out);
    fields.close(out);
    durability
}

fn durability(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<model::Durability>> {
    const WORDS: [(&str, model::Durability); 1] = [("before-forward", model::Durability::BeforeForward)];
    if !matches!(node.kind, Kind::Mapping(_)) {
        return word(node, &WORDS, out);
    }
    let mut fields = Fields::open(node, "`durability`", out)?;
    let within = fields.required("within", duration, out);
    fields.close(out);
    within.map(|within| At { value: model::Durability::Within(within.value), place: within.place })
}

fn limits(node: &Node, out: &mut Diagnostics<'_>) -> Option<Limits> {
    let mut fields = Fields::open(node, "`limits`", out)?;
    let rows = fields.optional("rows", number, out);
    let sessions = fields.optional("sessions", number, out);
    let duration = fields.optional("duration", duration, out);
    fields.close(out);
    Some(Limits { rows, sessions, duration })
}
