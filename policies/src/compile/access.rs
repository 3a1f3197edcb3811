//! Rules that can never have the last word.

use super::column_pattern;
use crate::diagnostic::Diagnostics;
use crate::manifest::{Decide, Policy, Rule};
use crate::model::verb_bit;
use crate::name::{self, Pattern};
use crate::statement::{Effect, Verb};

/// Tells rules of a policy that nothing can ever match.
pub(super) fn never(policy: &Policy, out: &mut Diagnostics<'_>) {
    for rule in &policy.rules {
        if rule.decide.value == Decide::Allow {
            if let Some(why) = contradicts_itself(rule) {
                out.error(
                    rule.name.place,
                    format!("rule `{}` can never allow anything: {why}", rule.name.value),
                );
            } else if let Some(other) = policy.rules.iter().find(|other| overrules(other, rule)) {
                let message = format!(
                    "rule `{}` can never allow anything: rule `{}` denies all that it allows",
                    rule.name.value, other.name.value
                );
                out.error(rule.name.place, message);
            }
        }
    }
}

fn contradicts_itself(rule: &Rule) -> Option<&'static str> {
    let objects = patterns(rule);
    let only =
        |verbs: &[Verb]| !rule.verbs.is_empty() && rule.verbs.iter().all(|verb| verbs.contains(&verb.value));
    let all_objects = objects.is_empty() || objects.contains(&Pattern::Any);
    if only(&[Verb::Unknown]) && !(all_objects && rule.columns.is_empty() && rule.labels.is_empty()) {
        return Some("what is not understood has no objects, columns or labels that it could name");
    }
    if only(&[Verb::Transaction, Verb::Set, Verb::Unknown])
        && !(rule.columns.is_empty() && rule.labels.is_empty())
    {
        return Some("its verbs have no columns");
    }
    let columns: Vec<Pattern> = rule
        .columns
        .iter()
        .filter_map(|column| column_pattern(&column.value).ok())
        .map(|it| it.object)
        .collect();
    let meet = columns.iter().any(|column| objects.iter().any(|object| overlap(column, object)));
    if !objects.is_empty() && !columns.is_empty() && !meet {
        return Some("its columns are of other objects than it names");
    }
    let mut effects = rule.effects.iter();
    if only(&[Verb::Transaction, Verb::Set]) && effects.any(|effect| effect.value == Effect::Unbounded) {
        return Some("its verbs do not have the effect `unbounded`");
    }
    None
}

/// Whether the deny rule fires on everything that the allow rule permits.
fn overrules(deny: &Rule, allow: &Rule) -> bool {
    let narrow = [&deny.columns, &deny.labels, &deny.functions].iter().any(|list| !list.is_empty());
    if deny.decide.value != Decide::Deny || narrow || !deny.effects.is_empty() {
        return false;
    }
    let set = |rule: &Rule| rule.verbs.iter().fold(0, |set, verb| set | verb_bit(verb.value));
    let verbs = deny.verbs.is_empty() || (!allow.verbs.is_empty() && set(allow) & !set(deny) == 0);
    let (theirs, ours) = (patterns(deny), patterns(allow));
    let within = |own: &Pattern| theirs.iter().any(|other| contains(other, own));
    // Requests without an object escape a rule that names objects.
    let escapes = allow.verbs.is_empty()
        || allow
            .verbs
            .iter()
            .any(|verb| matches!(verb.value, Verb::Select | Verb::Copy | Verb::Transaction | Verb::Set));
    let objects = theirs.is_empty() || (!escapes && !ours.is_empty() && ours.iter().all(within));
    verbs && objects
}

fn patterns(rule: &Rule) -> Vec<Pattern> {
    rule.objects.iter().filter_map(|object| name::pattern(&object.value).ok()).collect()
}

/// Whether every object of the second is one of the first.
fn contains(one: &Pattern, other: &Pattern) -> bool {
    match (one, other) {
        (Pattern::Any, _) => true,
        (Pattern::Schema(schema), Pattern::Schema(other) | Pattern::Qualified(other, _)) => schema == other,
        _ => one == other,
    }
}

/// Whether some object may be of both.
fn overlap(one: &Pattern, other: &Pattern) -> bool {
    match (one, other) {
        (Pattern::Any, _) | (_, Pattern::Any) => true,
        (Pattern::Schema(one), Pattern::Schema(other) | Pattern::Qualified(other, _))
        | (Pattern::Qualified(one, _), Pattern::Schema(other)) => one == other,
        (Pattern::Qualified(schema, name), Pattern::Qualified(other_schema, other)) => {
            schema == other_schema && name == other
        }
        (Pattern::Name(name), Pattern::Qualified(_, other) | Pattern::Name(other))
        | (Pattern::Qualified(_, other), Pattern::Name(name)) => name == other,
        (Pattern::Name(_), Pattern::Schema(_)) | (Pattern::Schema(_), Pattern::Name(_)) => true,
    }
}
