//! `pangate status`: whether all is well, in mgmt's own judgement.

use clap::Args;
use mgmt::api::types::{DataplaneStatus, Status as Told};

use super::client::{Access, Client, parse};
use super::outcome::{Answer, Failure, Outcome};
use super::output::{self, Fields, Table};

/// Says whether all is well
#[derive(Args)]
#[command(after_help = "\
Exit code 0: healthy; 1: something is in trouble. Details are for admins and auditors.
Example:
  pangate status --json | jq .troubles")]
pub(crate) struct Status {
    /// A JSON object
    #[arg(long)]
    json: bool,
}

/// Asks and tells.
pub(crate) fn run(arguments: &Status, access: &Access) -> Answer {
    let raw = Client::new(access)?.get(&["v1", "status"], &[])?;
    let status: Told = parse(raw.clone())?;
    if arguments.json {
        output::json(&raw)?
    } else {
        print(&status)?
    }
    Ok(Outcome::no_if(!status.healthy))
}

fn print(status: &Told) -> Result<(), Failure> {
    let mut fields = Fields::default();
    fields.add("health", if status.healthy { "all is well" } else { "in trouble" });
    for trouble in &status.troubles {
        fields.add("trouble", trouble);
    }
    match &status.policy {
        Some(policy) => {
            let when = output::utc_of_ms(policy.applied_ms);
            fields.add("policy", &format!("version {} by {} at {when}", policy.version, policy.author));
        }
        None => fields.add("policy", "none yet: every login is refused"),
    }
    fields.add("waiting", &format!("{} approvals", status.approvals_waiting));
    fields.add("you", &format!("{} ({})", status.caller.subject, status.caller.groups.join(", ")));
    fields
        .add("mgmt", &format!("version {}, since {}", status.version, output::utc_of_ms(status.started_ms)));
    for issuer in &status.issuers {
        let trouble = if issuer.error.is_empty() { String::new() } else { format!("; {}", issuer.error) };
        fields.add("issuer", &format!("{}: {} keys{trouble}", issuer.name, issuer.keys));
    }
    fields.print()?;
    print_dataplanes(&status.dataplanes)
}

fn print_dataplanes(dataplanes: &[DataplaneStatus]) -> Result<(), Failure> {
    if dataplanes.is_empty() {
        return Ok(());
    }
    let heading = ["dataplane", "shards", "policy", "sessions", "commands", "held", "masked", "evidence"];
    let mut table = Table::new(&heading);
    for one in dataplanes {
        let evidence = if one.recording { "recording" } else { one.recording_error.as_str() };
        table.row([
            one.instance.clone(),
            one.shards.to_string(),
            one.snapshot.to_string(),
            one.sessions.to_string(),
            one.commands.to_string(),
            one.held.to_string(),
            one.masked.to_string(),
            evidence.to_owned(),
        ]);
    }
    output::line("")?;
    table.print("")
}
