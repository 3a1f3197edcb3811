//! `pangate check`: every mistake in the manifests, each at its place.

use std::path::PathBuf;

use clap::Args;
use policies::manifest::Severity;
use serde_json::json;

use super::super::outcome::{Answer, Outcome};
use super::super::output;
use super::diagnose;
use super::manifests::Manifests;

/// Checks manifests: every mistake at once, with its place
#[derive(Args)]
#[command(after_help = "\
Reads the folder's .yaml and .yml files but for *.cases.yaml (see `pangate test`), as mgmt does.
Exit code 0: they can be applied; 1: they cannot.
Example:
  pangate check manifests/")]
pub(crate) struct Check {
    /// A JSON object
    #[arg(long)]
    json: bool,
    /// The folder of manifests
    dir: PathBuf,
}

/// Checks and tells.
pub(crate) fn check(arguments: &Check) -> Answer {
    let manifests = Manifests::read(&arguments.dir)?;
    let (valid, diagnostics) = match manifests.compile()? {
        Ok(compiled) => (true, compiled.warnings),
        Err(mistakes) => (false, mistakes),
    };
    let files = manifests.0.len();
    if arguments.json {
        output::json(&json!({ "valid": valid, "files": files, "diagnostics": diagnostics }))?;
    } else {
        diagnose::show(&manifests, &diagnostics);
        let mistakes = diagnostics.iter().filter(|one| one.severity == Severity::Error).count();
        let warnings = diagnostics.len() - mistakes;
        let [files, mistakes, warnings] = [(files, "file"), (mistakes, "mistake"), (warnings, "warning")]
            .map(|(count, of)| counted(count, of));
        output::line(&format!("{files}: {mistakes}, {warnings}"))?;
    }
    Ok(Outcome::no_if(!valid))
}

fn counted(count: usize, of: &str) -> String {
    if count == 1 { format!("1 {of}") } else { format!("{count} {of}s") }
}
