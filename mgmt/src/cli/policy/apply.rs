//! `pangate apply`: puts the manifests of a folder in force.

use std::path::PathBuf;

use clap::Args;
use mgmt::api::types::{PolicyApplied, PolicyUpload};

use super::super::client::{Access, Client, parse};
use super::super::outcome::{Answer, Failure, Outcome};
use super::super::output;
use super::diagnose;
use super::manifests::Manifests;

/// Puts manifests in force: these, and no others
#[derive(Args)]
#[command(after_help = "\
Exit code 1: the manifests have mistakes, or you may not apply them; nothing has changed then.
Example:
  pangate apply manifests/ --dry-run && pangate apply manifests/")]
pub(crate) struct Apply {
    /// Lets mgmt check them, and changes nothing
    #[arg(long)]
    dry_run: bool,
    /// mgmt's answer as a JSON object
    #[arg(long)]
    json: bool,
    /// The folder of manifests
    dir: PathBuf,
}

/// Checks here, for mistakes shown in their place, and then asks mgmt.
pub(crate) fn apply(arguments: &Apply, access: &Access) -> Answer {
    let client = Client::new(access)?;
    let manifests = Manifests::read(&arguments.dir)?;
    if let Err(mistakes) = manifests.compile()? {
        diagnose::show(&manifests, &mistakes);
        return Err(Failure::No("the manifests have mistakes: nothing was applied".to_owned()));
    }
    let upload = PolicyUpload { files: manifests.0, dry_run: arguments.dry_run };
    let raw = client.put(&["v1", "policy"], &serde_json::to_value(upload)?)?;
    let applied: PolicyApplied = parse(raw.clone())?;
    for warning in &applied.warnings {
        let place = format!("{}:{}:{}", warning.file, warning.line, warning.column);
        output::complain(&format!("warning: {place}: {} {}", warning.message, warning.help));
    }
    if arguments.json {
        output::json(&raw)?;
    } else {
        output::line(&outcome(&applied))?;
    }
    Ok(Outcome::Done)
}

fn outcome(applied: &PolicyApplied) -> String {
    let PolicyApplied { version, unchanged, dry_run, .. } = applied;
    match (unchanged, dry_run) {
        (true, _) => format!("version {version} is in force already: nothing to do"),
        (false, true) => format!("would be version {version}: nothing was changed"),
        (false, false) => format!("version {version} is in force"),
    }
}
