//! `pangate sessions`: what jobs did, as recorded. Everything shown is masked.

use clap::Subcommand;
use mgmt::api::types::{Command, Session, SessionDetail};
use serde_json::Value;

use super::client::{Access, Client, parse};
use super::outcome::{Answer, Failure, Outcome};
use super::output::{self, Fields, Table};
use super::replay;

/// Lists, shows and replays recorded sessions
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  pangate sessions list --limit 20
  pangate sessions show 41d2…  --json | jq '.commands[].statement'
  pangate sessions replay 41d2…")]
pub(crate) enum Sessions {
    /// Lists them, newest first
    List {
        /// At most so many
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
        /// Those before this session
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        /// An array of JSON objects
        #[arg(long)]
        json: bool,
    },
    /// Shows one: who, from where, each command and what was decided
    Show {
        /// The session
        id: String,
        /// A JSON object
        #[arg(long)]
        json: bool,
    },
    /// Shows one as the job saw it: each command and its masked answer
    Replay {
        /// The session
        id: String,
        /// A JSON object: as `show`
        #[arg(long)]
        json: bool,
    },
}

/// Runs one of them.
pub(crate) fn run(arguments: &Sessions, access: &Access) -> Answer {
    let client = Client::new(access)?;
    match arguments {
        Sessions::List { limit, after, json } => {
            let query = [("limit", Some(limit.to_string())), ("after", after.clone())];
            let answer = client.get(&["v1", "sessions"], &query)?;
            if *json { output::json(&answer)? } else { print_list(parse(answer)?)? }
        }
        Sessions::Show { id, json } => {
            let answer = fetch(&client, id)?;
            if *json { output::json(&answer)? } else { print(&parse(answer)?)? }
        }
        Sessions::Replay { id, json } => {
            let answer = fetch(&client, id)?;
            if *json { output::json(&answer)? } else { replay::print(&parse(answer)?)? }
        }
    }
    Ok(Outcome::Done)
}

fn fetch(client: &Client, id: &str) -> Result<Value, Failure> {
    client.get(&["v1", "sessions", id], &[])
}

fn print_list(sessions: Vec<Session>) -> Result<(), Failure> {
    let heading = ["id", "opened", "identity", "target", "source", "commands", "rows", "masked", "ended"];
    let mut table = Table::new(&heading);
    for session in sessions {
        table.row([
            session.id,
            output::utc_of_ms(session.opened_ms),
            session.identity,
            session.target,
            session.source,
            session.command_count.to_string(),
            session.rows.to_string(),
            session.masked.to_string(),
            session.how,
        ]);
    }
    table.print("no session")
}

fn print(detail: &SessionDetail) -> Result<(), Failure> {
    print_head(detail)?;
    let heading = ["nr", "time", "kind", "decision", "rule", "outcome", "rows", "masked", "statement"];
    let mut table = Table::new(&heading);
    for command in &detail.commands {
        table.row([
            command.number.to_string(),
            output::utc_of_ms(command.at_ms),
            command.kind.clone(),
            decision(command),
            command.rule.clone(),
            command.outcome.clone(),
            command.rows.to_string(),
            command.response_masked.to_string(),
            command.statement.clone(),
        ]);
    }
    output::line("")?;
    table.print("no command")?;
    if detail.truncated {
        output::complain("more was recorded than one answer holds: see pangate audit export");
    }
    Ok(())
}

/// The decision, and of a held command the ruling.
fn decision(command: &Command) -> String {
    match command.ruling.as_str() {
        "" => command.decision.clone(),
        ruling => format!("{}: {ruling}", command.decision),
    }
}

/// Who, from where, to what.
pub(crate) fn print_head(detail: &SessionDetail) -> Result<(), Failure> {
    let session = &detail.session;
    let mut fields = Fields::default();
    fields.add("session", &session.id);
    fields.add("identity", &session.identity);
    fields.add("issuer", &session.issuer);
    fields.add("requester", &session.requester);
    fields.add("groups", &session.groups.join(", "));
    fields.add("source", &session.source);
    fields.add("target", &format!("{} ({})", session.target, session.protocol));
    fields.add("user", &session.user);
    fields.add("database", &session.database);
    fields.add("application", &session.application);
    fields.add("policies", &format!("{} (version {})", detail.policies.join(", "), detail.snapshot));
    if !detail.connection.is_empty() {
        fields.add("connection", &format!("{}, process {} at the target", detail.connection, detail.process));
    }
    fields.add("opened", &output::utc_of_ms(session.opened_ms));
    fields.add("closed", &session.closed_ms.map(output::utc_of_ms).unwrap_or_default());
    fields.add("ended", &session.how);
    fields.print()
}
