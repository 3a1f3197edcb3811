//! `pangate test`: cases beside the manifests, each an input and the decision that is expected.

use std::path::PathBuf;

use clap::Args;
use policies::decision::Decision;
use policies::snapshot::Snapshot;
use serde::{Deserialize, Serialize};

use super::super::outcome::{Answer, Failure, Outcome};
use super::super::output;
use super::manifests::read_cases;

/// Runs the cases beside the manifests: each a statement and the decision that is expected
#[derive(Args)]
#[command(after_help = "\
Cases stand in *.cases.yaml files of the folder, each a list:
  - name: reports are read               # optional
    groups: [settlement-batch]           # or a token's content: issuer: github, claims: {sub: …, ref: …}
    target: payments
    statement: select * from settlements
    decision: allow                      # allow, hold, deny
    rule: settlement/reports             # optional
Exit code 0: all cases came out as expected; 1: some did not.")]
pub(crate) struct Test {
    /// A JSON object
    #[arg(long)]
    json: bool,
    /// The folder of manifests
    dir: PathBuf,
}

/// One case, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    issuer: Option<String>,
    #[serde(default)]
    claims: Option<serde_json::Value>,
    target: String,
    statement: String,
    decision: Expected,
    #[serde(default)]
    rule: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Allow,
    Hold,
    Deny,
}

/// How a case came out. As in JSON.
#[derive(Serialize)]
struct Ran {
    file: String,
    name: String,
    passed: bool,
    expected: String,
    decision: &'static str,
    rule: String,
    /// Why, where it is denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Runs them all.
pub(crate) fn test(arguments: &Test) -> Answer {
    let snapshot = super::compile(&arguments.dir)?;
    let mut ran = Vec::new();
    for file in read_cases(&arguments.dir)? {
        let cases: Vec<Case> = serde_saphyr::from_str(&file.text)
            .map_err(|error| Failure::Usage(format!("{}: {}", file.name, one_line(&error.to_string()))))?;
        for (number, case) in cases.into_iter().enumerate() {
            ran.push(run(&snapshot, &file.name, number + 1, case)?);
        }
    }
    if ran.is_empty() {
        return Err(Failure::Usage(format!(
            "{} holds no cases: see pangate test --help",
            arguments.dir.display()
        )));
    }
    let failed = ran.iter().filter(|case| !case.passed).count();
    if arguments.json {
        let passed = ran.len() - failed;
        output::json(&serde_json::json!({ "passed": passed, "failed": failed, "cases": ran }))?;
    } else {
        for case in ran.iter().filter(|case| !case.passed) {
            output::line(&output::printable(&case.told()))?;
        }
        output::line(&format!("{} cases, {failed} not as expected", ran.len()))?;
    }
    Ok(Outcome::no_if(failed > 0))
}

fn run(snapshot: &Snapshot, file: &str, number: usize, case: Case) -> Result<Ran, Failure> {
    let name = case.name.clone().unwrap_or_else(|| format!("case {number}"));
    let wrong = |why: String| Failure::Usage(format!("{file}: {name}: {why}"));
    let Some(view) = snapshot.target(&case.target) else {
        return Err(wrong(format!("no target {} in the manifests", case.target)));
    };
    let decision = match groups(snapshot, &case).map_err(&wrong)? {
        Ok(groups) => {
            let facts = super::facts(&view, &case.statement).map_err(wrong)?;
            super::decide(snapshot, &groups, &case.target, &facts)
        }
        Err(refusal) => refusal,
    };
    let expected = case.decision.name();
    let rule = decision.rule().to_owned();
    let passed = decision.name() == expected && case.rule.as_ref().is_none_or(|wanted| *wanted == rule);
    let expected = case.rule.map_or_else(|| expected.to_owned(), |rule| format!("{expected} by {rule}"));
    let reason = match &decision {
        Decision::Deny { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    Ok(Ran { file: file.to_owned(), name, passed, expected, decision: decision.name(), rule, reason })
}

impl Ran {
    fn told(&self) -> String {
        let Self { file, name, expected, decision, rule, reason, .. } = self;
        let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{file}: {name}: expected {expected}, is {decision} by {rule}{why}")
    }
}

/// The groups as given, or those that the issuer's manifest makes of the claims; a token that it refuses is denied.
fn groups(snapshot: &Snapshot, case: &Case) -> Result<Result<Vec<String>, Decision>, String> {
    let (issuer, claims) = match (&case.issuer, &case.claims) {
        (None, None) => return Ok(Ok(case.groups.clone())),
        (Some(issuer), Some(claims)) if case.groups.is_empty() => (issuer, claims),
        _ => return Err("give either groups, or issuer and claims".to_owned()),
    };
    let view = snapshot
        .issuers()
        .find(|view| view.name == issuer)
        .ok_or_else(|| format!("no issuer {issuer} in the manifests"))?;
    let mut claims = claims.clone();
    if let Some(claims) = claims.as_object_mut() {
        claims.entry("iss").or_insert_with(|| view.url.into());
    }
    Ok(match snapshot.identify(&view, &claims) {
        Ok(identity) => Ok(identity.groups),
        Err(refused) => Err(Decision::Deny { rule: format!("issuer {issuer}"), reason: refused.to_string() }),
    })
}

impl Expected {
    fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Hold => "hold",
            Self::Deny => "deny",
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
