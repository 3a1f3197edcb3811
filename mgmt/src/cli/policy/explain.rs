//! `pangate explain`: what policy would decide on a statement, and what it understands of it.

use std::path::PathBuf;

use clap::Args;
use policies::decision::Decision;
use policies::statement::{Effect, Facts, Verb};
use serde::Serialize;

use super::super::outcome::{Answer, Failure, Outcome};
use super::super::{input, output};

/// Says what policy decides on a statement, and why; asks nobody
#[derive(Args)]
#[command(after_help = "\
Exit code 0: allow or hold; 1: deny.
Examples:
  pangate explain --manifests manifests/ --group settlement-batch --target payments 'select pan from cards'
  pangate explain --manifests manifests/ --group settlement-batch --target payments --json - < migration.sql")]
pub(crate) struct Explain {
    /// The folder of manifests
    #[arg(long, value_name = "DIR")]
    manifests: PathBuf,
    /// A group of the job; may be given several times
    #[arg(long = "group", required = true, value_name = "GROUP")]
    groups: Vec<String>,
    /// The target's name
    #[arg(long, value_name = "TARGET")]
    target: String,
    /// A JSON object
    #[arg(long)]
    json: bool,
    /// The statement; `-`: standard input
    statement: String,
}

/// The JSON that scripts rely on.
#[derive(Serialize)]
struct Explanation<'a> {
    decision: &'a str,
    rule: &'a str,
    understood: bool,
    verbs: &'a [Verb],
    objects: &'a [String],
    columns: &'a [String],
    effects: &'a [Effect],
}

/// Decides and tells.
pub(crate) fn explain(arguments: &Explain) -> Answer {
    let statement = input::statement(&arguments.statement)?;
    let snapshot = super::compile(&arguments.manifests)?;
    let target = &arguments.target;
    let Some(view) = snapshot.target(target) else {
        let known: Vec<String> = snapshot.targets().map(|target| target.name.to_owned()).collect();
        return Err(Failure::Usage(format!(
            "no target {target} in the manifests; there are: {}",
            known.join(", ")
        )));
    };
    let facts = super::facts(&view, &statement).map_err(Failure::Usage)?;
    let effects = snapshot.effects(target, &facts);
    let decision = super::decide(&snapshot, &arguments.groups, target, &facts);
    if arguments.json {
        output::json(&Explanation {
            decision: decision.name(),
            rule: decision.rule(),
            understood: facts.understood,
            verbs: &facts.verbs,
            objects: &facts.objects,
            columns: &facts.columns,
            effects: &effects,
        })?;
    } else {
        print(&decision, &facts, &effects)?;
    }
    Ok(Outcome::no_if(matches!(decision, Decision::Deny { .. })))
}

fn print(decision: &Decision, facts: &Facts, effects: &[Effect]) -> Result<(), Failure> {
    let mut fields = output::Fields::default();
    fields.add("decision", decision.name());
    fields.add("rule", decision.rule());
    match decision {
        Decision::Deny { reason, .. } => fields.add("reason", reason),
        Decision::Hold { approval, .. } => {
            let who = approval.reviewers.join(" or ");
            fields.add("approval", &format!("{} of {who}, within {} s", approval.count, approval.timeout_s));
        }
        Decision::Allow { .. } => {}
    }
    fields.add("understood", if facts.understood { "yes" } else { "no" });
    fields.add("verbs", &words(&facts.verbs)?);
    fields.add("objects", &facts.objects.join(", "));
    fields.add("columns", &facts.columns.join(", "));
    fields.add("functions", &facts.functions.join(", "));
    fields.add("effects", &words(effects)?);
    fields.print()
}

/// As in JSON, comma-separated.
fn words(values: &[impl Serialize]) -> Result<String, Failure> {
    let mut words = Vec::new();
    for value in values {
        words.push(serde_json::to_value(value)?.as_str().unwrap_or_default().to_owned());
    }
    Ok(words.join(", "))
}
