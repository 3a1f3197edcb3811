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
//! A list of statements is decided on statement by statement. A held one must have every access permitted or held: approval of one thing lets nothing else slip through.
//! Functions and effects of a held statement are for its reviewers to judge.

mod allow;
mod builtin;
mod hold;
mod request;
mod trigger;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

pub(crate) use builtin::is_harmless;
pub(crate) use request::Request;

use crate::decision::{ArchivedApproval, Decision};
use crate::model::{ArchivedOutcome, ArchivedPolicy, ArchivedRule, ArchivedTarget, verb_bit, verb_name};
use crate::snapshot::DerivedLabel;
use crate::statement::{Access, Facts, Verb};

/// What a request may show of labelled data beside what it names, and what it changes in what names stand for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one statement")]
pub struct Exposure {
    /// It reads or computes something of labelled data, or may: what it computes is to be masked whole.
    pub touches: bool,
    /// More than columns of card numbers as they are: other labels, or something computed.
    pub beyond_cards: bool,
    /// It runs what its text does not show.
    pub opaque: bool,
    /// It may put values where they can be read later.
    pub writes: bool,
    /// It sets settings, or tells channels.
    pub sets: bool,
    /// It may make relations, or change what they are.
    pub defines: bool,
    /// It may change which relation a name stands for.
    pub renames: bool,
    /// It ends a transaction, or a part of one.
    pub ends: bool,
    /// It is a COPY to the job, whose columns have no origin.
    pub copies_out: bool,
    /// It gives names to tables of its own making: a target that tells a column's table may tell one of these.
    pub derives: bool,
    /// It may make a table of the session's own, which stands before another of its name.
    pub temporary: bool,
    /// It may show errors and warnings of statements before it.
    pub diagnoses: bool,
}

/// What decides where no rule does.
const DEFAULT: &str = "default";

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

/// What the rules make of one statement that they do not deny.
#[derive(Default)]
struct Verdict<'a> {
    /// Rules that allow something of it.
    allowed: Vec<Named<'a>>,
    /// Rules that hold it.
    held: Vec<(Named<'a>, &'a ArchivedApproval)>,
}

/// Deny over hold over allow; nothing matches: deny. Of a list of statements, each by itself: the list is as strict as
/// its strictest member.
pub(crate) fn decide(
    policies: &[&ArchivedPolicy],
    target: &ArchivedTarget,
    facts: &Facts,
    derived: &[DerivedLabel],
) -> Decision {
    let mut all = Verdict::default();
    let mut denied = None;
    let members =
        if facts.members.is_empty() { std::slice::from_ref(facts) } else { facts.members.as_slice() };
    for facts in members {
        match statement(policies, &Request::new(target, facts, derived)) {
            Ok(verdict) => {
                all.allowed.extend(verdict.allowed);
                all.held.extend(verdict.held);
            }
            // A rule that says why is worth more than that none does.
            Err(denial) if denial.rule() != DEFAULT => return denial,
            Err(denial) => denied = denied.or(Some(denial)),
        }
    }
    if let Some(denial) = denied {
        return denial;
    }
    if !all.held.is_empty() {
        return hold::combine(&all.held);
    }
    Decision::Allow { rule: if all.allowed.is_empty() { DEFAULT.to_owned() } else { joined(all.allowed) } }
}

/// One statement; or its denial.
fn statement<'a>(policies: &[&'a ArchivedPolicy], request: &Request<'_>) -> Result<Verdict<'a>, Decision> {
    let (mut allows, mut holds, mut denials) = (Vec::new(), Vec::new(), Vec::new());
    for &policy in policies {
        for rule in policy.rules.iter() {
            let named = Named { policy, rule };
            match &rule.outcome {
                ArchivedOutcome::Allow => allows.push(named),
                ArchivedOutcome::Hold(approval) => {
                    if let Some(about) = trigger::fires(rule, request) {
                        holds.push((named, approval, about));
                    }
                }
                ArchivedOutcome::Deny => {
                    if let Some(about) = trigger::fires(rule, request) {
                        denials.push((named, about));
                    }
                }
            }
        }
    }
    // Of what is not understood, the rule that says so is named, where there is one.
    let says_so = |named: &Named<'_>| {
        request.facts.understood || named.rule.verbs.to_native() & verb_bit(Verb::Unknown) != 0
    };
    let denial = denials.iter().find(|(named, _)| says_so(named)).or_else(|| denials.first());
    if let Some((named, about)) = denial {
        return Err(denied_by(*named, about.first(), request));
    }
    if request.does_nothing() {
        return Ok(Verdict::default());
    }
    if !request.is_sound() {
        return Err(default("what the statement does is not known for certain".to_owned()));
    }
    let mut allowed = Vec::new();
    for &access in &request.accesses {
        match allow::access(&allows, access, request) {
            Some(rules) => allowed.extend(rules),
            None if holds.iter().any(|(_, _, about)| about.contains(&access)) => {}
            None => return Err(default(allow::why_not(&allows, access, request))),
        }
    }
    if holds.is_empty() {
        let functions = allow::functions(&allows, request).map_err(|function| {
            default(format!("function {} is named by no rule that allows", printable(function)))
        })?;
        allowed.extend(functions);
    }
    let held = holds.into_iter().map(|(named, approval, _)| (named, approval)).collect();
    Ok(Verdict { allowed, held })
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
    Decision::Deny { rule: DEFAULT.to_owned(), reason }
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
