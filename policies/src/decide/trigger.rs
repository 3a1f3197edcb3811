//! Whether a deny or hold rule fires, and on which accesses.

use super::request::Request;
use crate::model::{ArchivedRule, verb_bit};
use crate::name::{self, ArchivedPattern};
use crate::statement::{Access, Verb};

/// The accesses that the rule is about, where it fires. One that names only columns, labels or functions is about the
/// objects in which those are; a rule that names nothing of the sort is about all.
pub(super) fn fires<'a>(rule: &ArchivedRule, request: &Request<'a>) -> Option<Vec<&'a Access>> {
    let facts = request.facts;
    let named: Vec<_> =
        request.accesses.iter().copied().filter(|access| names(rule, access, request)).collect();
    let columns = rule.columns.is_empty()
        || request.blind
        || facts.columns.iter().any(|column| names_column(rule, column));
    let labels = rule.labels.is_empty()
        || request.labels().iter().any(|label| rule.labels.iter().any(|own| own.as_str() == *label));
    let effects = rule.effects == 0 || !facts.understood || rule.effects & request.effects != 0;
    let functions = rule.functions.is_empty()
        || !facts.understood
        || request.functions().any(|function| rule.functions.iter().any(|own| own.may_be(&function)));
    let fires = !named.is_empty() && columns && labels && effects && functions;
    fires.then(|| named.into_iter().filter(|access| is_about(rule, access, request)).collect())
}

/// Whether verbs and objects of the rule name this access.
fn names(rule: &ArchivedRule, access: &Access, request: &Request<'_>) -> bool {
    let verbs = rule.verbs.to_native();
    let verb = verbs == 0 || verbs & verb_bit(access.verb) != 0;
    let object = || match &access.object {
        _ if rule.objects.is_empty() => true,
        Some(object) => rule.objects.iter().any(|own| meets(own, access.verb, object)) || request.blind,
        None => request.blind,
    };
    verb && object()
}

fn meets(pattern: &ArchivedPattern, verb: Verb, object: &str) -> bool {
    if verb == Verb::Set { pattern.is_setting(object) } else { pattern.may_be(object) }
}

fn names_column(rule: &ArchivedRule, column: &str) -> bool {
    let (Some(object), column) = name::split(column) else { return false };
    rule.columns.iter().any(|own| {
        own.object.may_be(object)
            && own.column.as_ref().is_none_or(|own| own.as_str() == column || column == "*")
    })
}

/// Whether an approval by this rule reaches the access.
fn is_about(rule: &ArchivedRule, access: &Access, request: &Request<'_>) -> bool {
    let Some(object) = access.object.as_deref() else { return true };
    if request.blind {
        return true;
    }
    let by_label =
        || request.labels_in(object).any(|label| rule.labels.iter().any(|own| own.as_str() == label));
    let by_column = || {
        let mut columns = request.facts.columns.iter();
        columns.any(|column| name::split(column).0 == Some(object) && names_column(rule, column))
    };
    let labels = rule.labels.is_empty() || by_label();
    let columns = rule.columns.is_empty() || by_column();
    let only_functions = !rule.functions.is_empty()
        && rule.objects.is_empty()
        && rule.labels.is_empty()
        && rule.columns.is_empty();
    labels && columns && !only_functions
}
