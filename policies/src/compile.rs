//! Manifests to snapshot. What does not fit together is refused, all of it at once; what is odd is a warning.

mod access;
mod check;
mod rules;

use crate::decision::Approval as Asked;
use crate::diagnostic::{At, Diagnostics, Place};
pub use crate::diagnostic::{Diagnostic, Severity};
use crate::manifest::{self, Manifests};
use crate::model::{self, ColumnPattern, Document, Labelled, Outcome, effect_bit, verb_bit};
use crate::name::{self, NameError, Part, Pattern};
use crate::snapshot::Snapshot;

pub(crate) use check::check;

/// Seconds that a hold waits where its rule says nothing.
const TIMEOUT_S: u64 = 15 * 60;
/// The same inside a transaction that has run something.
const IN_TRANSACTION_S: u64 = 60;
/// Milliseconds until a record is on disk where the policy says nothing.
const WITHIN_MS: u64 = 50;

/// A compiled policy.
#[derive(Debug)]
pub struct Compiled {
    /// What [`Snapshot::open`] reads.
    pub snapshot: Vec<u8>,
    /// What is allowed but hardly meant.
    pub warnings: Vec<Diagnostic>,
}

/// Compiles manifests into a snapshot of this version, good for `max_age_s` seconds without mgmt's word; or tells all
/// that does not fit together.
pub fn compile(manifests: &Manifests, version: u64, max_age_s: u64) -> Result<Compiled, Vec<Diagnostic>> {
    let mut out = Diagnostics::new(&manifests.files);
    check(manifests, &mut out);
    if out.has_errors() {
        return Err(out.sorted().0);
    }
    let document = Document {
        version,
        max_age_s,
        issuers: manifests.issuers.iter().map(issuer).collect(),
        targets: manifests.targets.iter().map(|own| target(own, manifests)).collect(),
        policies: manifests.policies.iter().map(policy).collect(),
    };
    match Snapshot::write(&document) {
        Ok(snapshot) => Ok(Compiled { snapshot, warnings: out.sorted().1 }),
        Err(error) => {
            out.error(Place { file: 0, line: 1, column: 1 }, error.to_string());
            Err(out.sorted().0)
        }
    }
}

fn issuer(issuer: &manifest::Issuer) -> model::Issuer {
    let groups = issuer.groups.iter().map(|source| match source {
        manifest::GroupSource::When { group, when } => {
            model::GroupSource::When(group.value.clone(), conditions(&when.value))
        }
        manifest::GroupSource::FromClaim { from_claim } => {
            model::GroupSource::FromClaim(from_claim.value.clone())
        }
    });
    model::Issuer {
        name: issuer.name.value.clone(),
        url: issuer.url.value.clone(),
        audience: issuer.audience.value.clone(),
        requester: text(&issuer.requester),
        groups: groups.collect(),
        refuse: issuer.refuse.iter().map(|refused| conditions(&refused.value)).collect(),
        bind: issuer.bind.as_ref().map_or(model::Bind::None, |bind| bind.value),
    }
}

fn conditions(conditions: &manifest::Conditions) -> Vec<model::Condition> {
    let conditions = conditions.0.iter();
    conditions
        .map(|(claim, values)| model::Condition { claim: claim.clone(), values: values.clone() })
        .collect()
}

fn target(target: &manifest::Target, manifests: &Manifests) -> model::Target {
    let plaintext = target.tls.as_ref().and_then(|tls| tls.mode.as_ref());
    let plaintext = plaintext.is_some_and(|mode| mode.value == manifest::TlsMode::Plaintext);
    model::Target {
        name: target.name.value.clone(),
        protocol: target.protocol.value,
        listen: target.listen.value.clone(),
        waive_tls: waives_tls(target),
        address: target.address.value.clone(),
        tls: if plaintext {
            model::Tls::Plaintext
        } else {
            model::Tls::VerifyFull(tls_files(target.tls.as_ref()))
        },
        username: target.credential.username.value.clone(),
        password_file: text(&target.credential.password_file),
        oauth: target.oauth.as_ref().map(|own| oauth(own, manifests)),
        database: text(&target.database),
        pool_idle: pool(target).0,
        pool_idle_ms: pool(target).1,
        data: target
            .data
            .iter()
            .filter_map(|data| labelled(data).ok())
            .map(|data| compared(data, target.protocol.value))
            .collect(),
    }
}

/// Connections kept of a target, and for how long, where its manifest does not say.
const POOL_DEFAULT: (u32, u64) = (20, 60_000);

fn pool(target: &manifest::Target) -> (u32, u64) {
    let pool = target.pool.as_ref();
    let idle = pool.and_then(|pool| pool.idle.as_ref()).map(|idle| idle.value);
    let timeout = pool.and_then(|pool| pool.idle_timeout.as_ref()).map(|timeout| timeout.value);
    let idle = idle.map_or(POOL_DEFAULT.0, |idle| u32::try_from(idle).unwrap_or(u32::MAX));
    (idle, timeout.unwrap_or(POOL_DEFAULT.1))
}

fn tls_files(tls: Option<&manifest::Tls>) -> model::TlsFiles {
    let file = |named: fn(&manifest::Tls) -> &Option<At<String>>| tls.and_then(|tls| text(named(tls)));
    let negotiation = tls.and_then(|tls| tls.negotiation.as_ref());
    model::TlsFiles {
        ca: file(|tls| &tls.ca),
        client: file(|tls| &tls.client_certificate).zip(file(|tls| &tls.client_key)),
        direct: negotiation.is_some_and(|own| own.value == manifest::Negotiation::Direct),
    }
}

fn oauth(oauth: &manifest::Oauth, manifests: &Manifests) -> model::Oauth {
    let issuer = manifests.issuers.iter().find(|issuer| issuer.name.value == oauth.issuer.value);
    let url = issuer.map(|issuer| issuer.url.value.trim_end_matches('/')).unwrap_or_default();
    model::Oauth {
        configuration: format!("{url}/.well-known/openid-configuration"),
        scope: text(&oauth.scope).unwrap_or_else(|| "openid".to_owned()),
        users: oauth.users.iter().map(|user| user.value.clone()).collect(),
    }
}

fn waives_tls(target: &manifest::Target) -> bool {
    target.listen_tls.as_ref().is_some_and(|tls| tls.value == manifest::ListenTls::Off)
}

/// The label as the target compares names: MySQL does so without case, quoted or not.
fn compared(data: Labelled, protocol: model::Protocol) -> Labelled {
    if protocol != model::Protocol::Mysql {
        return data;
    }
    let lower = |name: String| name.to_lowercase();
    Labelled {
        schema: data.schema.map(lower),
        table: lower(data.table),
        column: data.column.map(lower),
        ..data
    }
}

/// A labelled column as it is written.
fn labelled(data: &manifest::Data) -> Result<Labelled, NameError> {
    let label = data.label.value.clone();
    let named = |part: &Part| match part {
        Part::Name(name) => Ok(name.clone()),
        Part::Star => Err(NameError::Star),
    };
    let parts = name::parts(&data.column.value)?;
    let (schema, table, column) = match parts.as_slice() {
        [table, column] => (None, named(table)?, column),
        [schema, table, column] => (Some(named(schema)?), named(table)?, column),
        [_] | [] => return Err(NameError::Column),
        _ => return Err(NameError::Parts(3)),
    };
    let column = match column {
        Part::Star => None,
        Part::Name(column) => Some(column.clone()),
    };
    Ok(Labelled { schema, table, column, label })
}

/// The columns of a rule as they are written.
fn column_pattern(text: &str) -> Result<ColumnPattern, NameError> {
    let parts = name::parts(text)?;
    match parts.split_last() {
        None | Some((_, [])) => Err(NameError::Column),
        Some((_, object)) if object.len() > 2 => Err(NameError::Parts(3)),
        Some((column, object)) => {
            let column = match column {
                Part::Star => None,
                Part::Name(column) => Some(column.clone()),
            };
            Ok(ColumnPattern { object: name::pattern_of(object)?, column })
        }
    }
}

fn policy(policy: &manifest::Policy) -> model::Policy {
    let names = |names: &[At<String>]| names.iter().map(|name| name.value.clone()).collect();
    let value = |at: &Option<At<u64>>| at.as_ref().map(|at| at.value);
    let limits = policy.limits.as_ref();
    model::Policy {
        name: policy.name.value.clone(),
        groups: names(&policy.groups),
        targets: names(&policy.targets),
        rules: policy.rules.iter().filter_map(rule).collect(),
        mask: mask(policy),
        record: match policy.record.as_ref().map(|record| record.value) {
            None | Some(manifest::Responses::Full) => model::RecordResponses::Full,
            Some(manifest::Responses::Rows(rows)) => model::RecordResponses::Rows(rows),
            Some(manifest::Responses::Digest) => model::RecordResponses::Digest,
        },
        durability: policy.evidence.as_ref().map_or(model::Durability::Within(WITHIN_MS), |at| at.value),
        limits: limits.map_or_else(model::Limits::default, |limits| model::Limits {
            rows: value(&limits.rows),
            sessions: value(&limits.sessions),
            duration_s: value(&limits.duration).map(seconds),
        }),
    }
}

/// The mask that a policy says, or the default.
fn mask(policy: &manifest::Policy) -> model::Mask {
    policy.mask.as_ref().map_or(model::Mask::Last4, |mask| mask.value)
}

/// `None`: a hold without approval, which the checks have refused.
fn rule(rule: &manifest::Rule) -> Option<model::Rule> {
    let outcome = match (rule.decide.value, &rule.approval) {
        (manifest::Decide::Allow, _) => Outcome::Allow,
        (manifest::Decide::Deny, _) => Outcome::Deny,
        (manifest::Decide::Hold, Some(approval)) => Outcome::Hold(asked(approval)),
        (manifest::Decide::Hold, None) => return None,
    };
    let columns = rule.columns.iter().filter_map(|column| column_pattern(&column.value).ok());
    Some(model::Rule {
        name: rule.name.value.clone(),
        verbs: rule.verbs.iter().fold(0, |set, verb| set | verb_bit(verb.value)),
        objects: patterns(&rule.objects),
        columns: columns.collect(),
        labels: rule.labels.iter().map(|label| label.value.clone()).collect(),
        effects: rule.effects.iter().fold(0, |set, effect| set | effect_bit(effect.value)),
        functions: patterns(&rule.functions),
        outcome,
    })
}

fn patterns(names: &[At<String>]) -> Vec<Pattern> {
    names.iter().filter_map(|name| name::pattern(&name.value).ok()).collect()
}

fn asked(approval: &manifest::Approval) -> Asked {
    let in_transaction = approval.in_transaction.as_ref().map(|at| seconds(at.value));
    let timeout_s = approval.timeout.as_ref().map_or(TIMEOUT_S, |at| seconds(at.value));
    Asked {
        reviewers: approval.reviewers.iter().map(|group| group.value.clone()).collect(),
        count: approval.count.as_ref().map_or(1, |at| u16::try_from(at.value).unwrap_or(u16::MAX)),
        timeout_s,
        in_transaction_s: in_transaction.unwrap_or(IN_TRANSACTION_S).min(timeout_s),
        reveals_computed: approval.reveals.is_some(),
        grant: match approval.grant.as_ref().map(|at| at.value) {
            None | Some(manifest::Grant::Once) => crate::approval::Grant::Once,
            Some(manifest::Grant::Session) => crate::approval::Grant::Session,
            Some(manifest::Grant::Window(window)) => crate::approval::Grant::Window(seconds(window)),
        },
    }
}

/// Whole seconds; a part of one counts as one.
const fn seconds(milliseconds: u64) -> u64 {
    milliseconds.div_ceil(1000)
}

fn text(at: &Option<At<String>>) -> Option<String> {
    at.as_ref().map(|at| at.value.clone())
}

#[cfg(test)]
mod tests;
