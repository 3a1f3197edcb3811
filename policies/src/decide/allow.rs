//! Whether allow rules permit an access, and a request's functions.

use super::request::Request;
use super::{Named, described};
use crate::model::{ArchivedRule, effect_bit, effect_name, verb_bit};
use crate::name::{self, Home};
use crate::statement::{Access, Effect, Verb};

/// Settings that change what names, texts or identities mean. An allow rule must name them; `*` does not.
const DELICATE_SETTINGS: [&str; 9] = [
    "role",
    "session_authorization",
    "search_path",
    "session_replication_role",
    "row_security",
    "standard_conforming_strings",
    "backslash_quote",
    "all",
    // MySQL: what is done is not told to those who copy or restore the server.
    "sql_log_bin",
];

/// The rules that together permit the access; `None`: they do not.
pub(super) fn access<'a>(
    allows: &[Named<'a>],
    access: &Access,
    request: &Request<'_>,
) -> Option<Vec<Named<'a>>> {
    let permits = |named: &&Named<'a>| permits(named.rule, access, request);
    let Some(object) = access.object.as_deref() else {
        return allows.iter().find(permits).map(|named| vec![*named]);
    };
    let home = request.home();
    let mut columns = request.columns_of(object).peekable();
    if columns.peek().is_none() {
        let whole = |named: &&Named<'a>| permits(named) && named.rule.columns.is_empty();
        return allows.iter().find(whole).map(|named| vec![*named]);
    }
    columns
        .map(|column| {
            let covers =
                |named: &&Named<'a>| permits(named) && permits_column(named.rule, object, column, home);
            allows.iter().find(covers).copied()
        })
        .collect()
}

/// The rules that together permit the functions; or the first that none permits.
pub(super) fn functions<'a, 'r>(
    allows: &[Named<'a>],
    request: &Request<'r>,
) -> Result<Vec<Named<'a>>, &'r str> {
    request
        .foreign_functions()
        .map(|function| {
            let mut allows = allows.iter();
            let found = allows.find(|named| {
                let rule = named.rule;
                request.facts.accesses.iter().any(|access| permits_verb(rule, access.verb))
                    && rule.functions.iter().any(|own| own.is(function, request.home()))
            });
            found.copied().ok_or(function)
        })
        .collect()
}

/// Everything but columns.
fn permits(rule: &ArchivedRule, access: &Access, request: &Request<'_>) -> bool {
    let dangers = request.dangers(access);
    permits_verb(rule, access.verb)
        && permits_object(rule, access, request.home())
        && permits_labels(rule, access, request)
        && dangers & rule.effects == dangers
}

fn permits_verb(rule: &ArchivedRule, verb: Verb) -> bool {
    match rule.verbs.to_native() {
        0 => verb != Verb::Unknown,
        verbs => verbs & verb_bit(verb) != 0,
    }
}

fn permits_object(rule: &ArchivedRule, access: &Access, home: Home<'_>) -> bool {
    let all = rule.objects.iter().any(name::ArchivedPattern::is_any);
    let Some(object) = access.object.as_deref() else {
        // Nothing that has a name, or in COPY a query whose own accesses stand beside this: harmless for these, and no
        // less than `*` for the others.
        let harmless = matches!(access.verb, Verb::Select | Verb::Copy | Verb::Transaction);
        return rule.objects.is_empty() || all || harmless;
    };
    if access.verb == Verb::Set {
        let mut objects = rule.objects.iter();
        if DELICATE_SETTINGS.contains(&object) {
            return objects.any(|own| !own.is_any() && own.is_setting(object));
        }
        return rule.objects.is_empty() || objects.any(|own| own.is_setting(object));
    }
    if rule.objects.is_empty() {
        // A rule that only names functions permits calling them, and no object.
        return rule.functions.is_empty() || !rule.columns.is_empty() || !rule.labels.is_empty();
    }
    rule.objects.iter().any(|own| own.is(object, home))
}

/// A rule that names labels permits only what touches them, and nothing that touches another.
fn permits_labels(rule: &ArchivedRule, access: &Access, request: &Request<'_>) -> bool {
    if rule.labels.is_empty() {
        return true;
    }
    let Some(object) = access.object.as_deref() else { return false };
    let mut touched = request.labels_in(object).peekable();
    !request.blind
        && touched.peek().is_some()
        && touched.all(|label| rule.labels.iter().any(|own| own.as_str() == label))
}

fn permits_column(rule: &ArchivedRule, object: &str, column: &str, home: Home<'_>) -> bool {
    rule.columns.is_empty()
        || rule.columns.iter().any(|own| {
            own.object.is(object, home) && own.column.as_ref().is_none_or(|own| own.as_str() == column)
        })
}

/// Why no rule permits the access, for the job's author.
pub(super) fn why_not(allows: &[Named<'_>], access: &Access, request: &Request<'_>) -> String {
    if access.verb == Verb::Unknown {
        return "the statement is not understood, and no rule allows `unknown`".to_owned();
    }
    let what = described(access);
    let dangers = request.dangers(access);
    let but_for_effects = allows.iter().any(|named| {
        permits_verb(named.rule, access.verb)
            && permits_object(named.rule, access, request.home())
            && permits_labels(named.rule, access, request)
    });
    if but_for_effects && dangers != 0 {
        let missing: Vec<_> = Effect::ALL
            .into_iter()
            .filter(|effect| dangers & effect_bit(*effect) != 0)
            .map(effect_name)
            .collect();
        return format!("{what} has the effect {}, which no rule that allows it names", missing.join(", "));
    }
    if but_for_effects {
        return format!("{what} is allowed for some columns only, or needs them named");
    }
    format!("{what} is allowed by no rule")
}
