//! The decision on one request. Pure; reads the snapshot in place.
//!
//! What a list in a rule means depends on what the rule decides, so that doubt is always on the strict side:
//! - A *deny* or *hold* rule fires on any: one access of the request that its verbs and objects both name, one column,
//!   one label, one effect, one function; every list that it has must be met. Unqualified names may be in any schema. A
//!   request that is not understood, or that runs what its text does not show, may touch any object, column and label.
//! - An *allow* rule permits, and all that the request does must be permitted: every access (verb and object, with each
//!   of the object's columns) by some allow rule, every function that is not a harmless built-in by some allow rule that
//!   names it, every dangerous effect by each rule that permits an access which may have it.
//!
//! A held request must have every access permitted or held: approval of one thing lets nothing else slip through.
//! Functions and effects of a held request are for its reviewers to judge.

mod allow;
mod builtin;
mod hold;
mod request;
mod trigger;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

pub(crate) use request::Request;

use crate::decision::Decision;
use crate::model::{ArchivedOutcome, ArchivedPolicy, ArchivedRule, verb_name};
use crate::statement::Access;

/// A rule and the policy that it is of.
#[derive(Clone, Copy)]
struct Named<'a> {
    policy: &'a ArchivedPolicy,
    rule: &'a ArchivedRule,
}

impl Named<'_> {
    fn write(&self, out: &mut String) {
        let separator = if out.is_empty() { "" } else { ", " };
        // Writing to a String does not fail.
        let _ = write!(out, "{separator}{}/{}", self.policy.name.as_str(), self.rule.name.as_str());
    }

    fn name(&self) -> String {
        let mut name = String::new();
        self.write(&mut name);
        name
    }
}

/// Deny over hold over allow; nothing matches: deny.
pub(crate) fn decide(policies: &[&ArchivedPolicy], request: &Request<'_>) -> Decision {
    let (mut allows, mut holds) = (Vec::new(), Vec::new());
    for &policy in policies {
        for rule in policy.rules.iter() {
            let named = Named { policy, rule };
            match &rule.outcome {
                ArchivedOutcome::Allow => allows.push(named),
                ArchivedOutcome::Hold(approval) => {
                    if let Some(held) = trigger::fires(rule, request) {
                        holds.push((named, approval, held));
                    }
                }
                ArchivedOutcome::Deny => {
                    if let Some(held) = trigger::fires(rule, request) {
                        return denied_by(named, held.first(), request);
                    }
                }
            }
        }
    }
    if request.does_nothing() {
        return Decision::Allow { rule: "default".to_owned() };
    }
    let mut rules = Vec::<Named<'_>>::new();
    for access in &request.facts.accesses {
        let held = holds.iter().any(|(_, _, held)| held.contains(&access));
        match allow::access(&allows, access, request) {
            Some(permitted) => rules.extend(permitted),
            None if held => {}
            None => return default(allow::why_not(&allows, access, request)),
        }
    }
    if !holds.is_empty() {
        return hold::combine(&holds);
    }
    match allow::functions(&allows, request) {
        Ok(permitted) => rules.extend(permitted),
        Err(function) => {
            return default(format!("function {} is named by no rule that allows", printable(function)));
        }
    }
    Decision::Allow { rule: joined(rules) }
}

fn denied_by(named: Named<'_>, access: Option<&&Access>, request: &Request<'_>) -> Decision {
    let rule = named.name();
    let reason = match access {
        _ if !request.facts.understood => format!("denied by rule {rule}: the statement is not understood"),
        Some(access) => format!("denied by rule {rule}: {}", described(access)),
        None => format!("denied by rule {rule}"),
    };
    Decision::Deny { rule, reason }
}

fn default(reason: String) -> Decision {
    Decision::Deny { rule: "default".to_owned(), reason }
}

/// Rules by name, each once, in the order of their first use.
fn joined(rules: Vec<Named<'_>>) -> String {
    let mut seen = Vec::<Named<'_>>::with_capacity(rules.len());
    for named in rules {
        if !seen.iter().any(|other| std::ptr::eq(other.rule, named.rule)) {
            seen.push(named);
        }
    }
    let mut names = String::new();
    for named in &seen {
        named.write(&mut names);
    }
    names
}

/// An access in words.
fn described(access: &Access) -> String {
    let verb = verb_name(access.verb);
    match &access.object {
        Some(object) => format!("{verb} on {}", printable(object)),
        None => verb.to_owned(),
    }
}

/// A name out of a statement, unless it could be a value: one with as many digits as a card number is not shown.
fn printable(name: &str) -> &str {
    const DIGITS_MAX: usize = 11;
    const BYTES_MAX: usize = 140;
    let digits = name.chars().filter(|c| c.is_numeric()).count();
    let plain = name.chars().all(|c| !c.is_control());
    if digits > DIGITS_MAX || name.len() > BYTES_MAX || !plain { "(a name not shown)" } else { name }
}
