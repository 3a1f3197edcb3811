//! Whether a policy's rules can do what they seem to say.

use std::collections::BTreeMap;

use super::access;
use super::check::Known;
use super::column_pattern;
use crate::diagnostic::{At, Diagnostics};
use crate::manifest::{Approval, Decide, Grant, Policy, Rule};
use crate::name;
use crate::statement::Verb;

/// Reviewers that a rule may ask for at the most.
const COUNT_MAX: u64 = 100;
/// Milliseconds that a request may wait at the most.
const TIMEOUT_MS_MAX: u64 = 24 * 3_600_000;
/// The same inside a transaction that has run something: it may hold locks all the while.
const IN_TRANSACTION_MS_MAX: u64 = 10 * 60_000;
/// Milliseconds that an approval may be good for at the most.
const WINDOW_MS_MAX: u64 = 7 * 24 * 3_600_000;

pub(super) fn check(policy: &Policy, known: &Known<'_>, out: &mut Diagnostics<'_>) {
    let mut names = BTreeMap::new();
    for rule in &policy.rules {
        if let Some(first) = names.insert(rule.name.value.as_str(), rule.name.place) {
            let first = out.describe(first);
            out.error(rule.name.place, format!("a second rule of this name; the first is at {first}"));
        }
        self::rule(rule, policy, known, out);
    }
    access::never(policy, out);
    transactions(policy, out);
    reviewers(policy, out);
}

fn rule(rule: &Rule, policy: &Policy, known: &Known<'_>, out: &mut Diagnostics<'_>) {
    for object in rule.objects.iter().chain(&rule.functions) {
        if let Err(error) = name::pattern(&object.value) {
            out.error(object.place, error.to_string());
        }
    }
    for name in rule.objects.iter().chain(&rule.functions).chain(&rule.columns) {
        known.case(name, policy, out);
    }
    for column in &rule.columns {
        if let Err(error) = column_pattern(&column.value) {
            out.error(column.place, error.to_string());
        }
    }
    for label in &rule.labels {
        known.label(label, policy, out);
    }
    match (rule.decide.value, &rule.approval) {
        (Decide::Hold, None) => {
            let message =
                format!("rule `{}` holds, but has no `approval`: nobody could let it go", rule.name.value);
            out.error(rule.decide.place, message);
        }
        (Decide::Hold, Some(approval)) => self::approval(approval, known, out),
        (_, Some(approval)) => {
            self::approval(approval, known, out);
            let message =
                format!("rule `{}` does not hold, so its `approval` means nothing", rule.name.value);
            out.error(rule.decide.place, message);
        }
        (_, None) => {}
    }
    if rule.decide.value == Decide::Allow && names_nothing(rule) {
        out.warning(
            rule.name.place,
            format!("rule `{}` allows every request that is understood", rule.name.value),
            "name verbs and objects",
        );
    }
}

/// No list at all.
fn names_nothing(rule: &Rule) -> bool {
    let lists = [&rule.objects, &rule.columns, &rule.labels, &rule.functions];
    rule.verbs.is_empty() && rule.effects.is_empty() && lists.iter().all(|list| list.is_empty())
}

fn approval(approval: &Approval, known: &Known<'_>, out: &mut Diagnostics<'_>) {
    for group in &approval.reviewers {
        known.group(group, out);
    }
    if let Some(count) = approval.count.as_ref().filter(|count| !(1..=COUNT_MAX).contains(&count.value)) {
        out.error(count.place, format!("between 1 and {COUNT_MAX} people must approve"));
    }
    let bounded = |at: &Option<At<u64>>, least: u64, most: u64, message: &str, out: &mut Diagnostics<'_>| {
        if let Some(at) = at.as_ref().filter(|at| !(least..=most).contains(&at.value)) {
            out.error(at.place, message);
        }
    };
    bounded(&approval.timeout, 1_000, TIMEOUT_MS_MAX, "a request waits between 1s and 24h", out);
    let message = "inside a transaction a request waits 10m at the most; or say deny";
    bounded(&approval.in_transaction, 0, IN_TRANSACTION_MS_MAX, message, out);
    match (&approval.timeout, &approval.in_transaction) {
        (Some(timeout), Some(inside)) if inside.value > timeout.value => {
            out.error(inside.place, "longer than `timeout`");
        }
        _ => {}
    }
    match &approval.grant {
        Some(At { value: Grant::Window(window), place }) if !(1_000..=WINDOW_MS_MAX).contains(window) => {
            out.error(*place, "a window lasts between 1s and 7d");
        }
        _ => {}
    }
}

/// Drivers begin transactions by themselves; a policy that lets something run but no BEGIN surprises everyone.
fn transactions(policy: &Policy, out: &mut Diagnostics<'_>) {
    let permits = |rule: &&Rule| rule.decide.value != Decide::Deny;
    let names =
        |rule: &Rule| rule.verbs.is_empty() || rule.verbs.iter().any(|verb| verb.value == Verb::Transaction);
    let mut permitting = policy.rules.iter().filter(permits).peekable();
    if permitting.peek().is_some()
        && !permitting.any(|rule| names(rule) && rule.decide.value == Decide::Allow)
    {
        out.warning(
            policy.name.place,
            format!("no rule of policy `{}` allows the verb `transaction`", policy.name.value),
            "drivers that send BEGIN by themselves will be refused",
        );
    }
}

/// Two rules that hold the same request need a group whose members may review for both.
fn reviewers(policy: &Policy, out: &mut Diagnostics<'_>) {
    let holds: Vec<(&Rule, &Approval)> = policy
        .rules
        .iter()
        .filter(|rule| rule.decide.value == Decide::Hold)
        .filter_map(|rule| Some((rule, rule.approval.as_ref()?)))
        .collect();
    for (index, (rule, approval)) in holds.iter().enumerate() {
        let common = |other: &Approval| {
            let mut groups = approval.reviewers.iter();
            groups.any(|group| other.reviewers.iter().any(|other| other.value == group.value))
        };
        let mut earlier = holds.iter().take(index);
        if let Some((other, _)) = earlier.find(|(_, earlier)| !common(earlier)) {
            out.warning(
                rule.name.place,
                format!(
                    "rules `{}` and `{}` have no group of reviewers in common",
                    other.name.value, rule.name.value
                ),
                "a request that both hold is denied",
            );
        }
    }
}
