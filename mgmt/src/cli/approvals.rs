//! `pangate approvals`: what waits for people, and what they say. Who may decide is mgmt's to say.

use clap::{Args, Subcommand};
use mgmt::api::types::{Approval, ApprovalState, Verdict};
use serde_json::Value;

use super::client::{Access, Client, parse};
use super::outcome::{Answer, Failure, Outcome};
use super::output::{self, Table};

/// Lists, shows, approves and rejects held statements
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  pangate approvals list --state pending
  pangate approvals show 5f0c2e…
  pangate approvals approve 5f0c2e… --reason 'change 4711, rows checked'")]
pub(crate) enum Approvals {
    /// Lists them, newest first
    List {
        /// Only those that stand so: ahead, pending, approved, rejected, expired, withdrawn, settled
        #[arg(long)]
        state: Option<String>,
        /// An array of JSON objects
        #[arg(long)]
        json: bool,
    },
    /// Shows one with everything a reviewer needs
    Show {
        /// The ticket
        id: String,
        /// A JSON object
        #[arg(long)]
        json: bool,
    },
    /// Lets the statement run, as far as your word goes
    Approve(Decide),
    /// Refuses the statement
    Reject(Decide),
}

#[derive(Args)]
pub(crate) struct Decide {
    /// The ticket
    id: String,
    /// Why: stands in the evidence beside your name
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    /// The digest that you have seen; another is refused
    #[arg(long, value_name = "HEX")]
    digest: Option<String>,
    /// The ticket as it then stands, as a JSON object
    #[arg(long)]
    json: bool,
}

/// Runs one of them.
pub(crate) fn run(arguments: &Approvals, access: &Access) -> Answer {
    let client = Client::new(access)?;
    match arguments {
        Approvals::List { state, json } => list(&client, state.as_deref(), *json),
        Approvals::Show { id, json } => {
            let answer = client.get(&["v1", "approvals", id], &[])?;
            if *json {
                output::json(&answer)?
            } else {
                print(&parse(answer)?)?
            }
            Ok(Outcome::Done)
        }
        Approvals::Approve(decide) => vote(&client, "approve", decide),
        Approvals::Reject(decide) => vote(&client, "reject", decide),
    }
}

fn list(client: &Client, state: Option<&str>, json: bool) -> Answer {
    let answer = client.get(&["v1", "approvals"], &[("state", state.map(str::to_owned))])?;
    if json {
        output::json(&answer)?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::new(&["id", "state", "identity", "target", "rule", "until", "statement"]);
    for approval in parse::<Vec<Approval>>(answer)? {
        let state = state_name(approval.state);
        let until = output::utc_of_ms(approval.deadline_ms);
        table.row([
            approval.id,
            state.to_owned(),
            approval.identity,
            approval.target,
            approval.rule,
            until,
            approval.statement,
        ]);
    }
    table.print("nothing")?;
    Ok(Outcome::Done)
}

fn vote(client: &Client, word: &str, decide: &Decide) -> Answer {
    if decide.reason.trim().is_empty() {
        return Err(Failure::Usage("--reason must say something: it stands in the evidence".to_owned()));
    }
    let verdict = Verdict { reason: decide.reason.clone(), digest: decide.digest.clone() };
    let answer = client.post(&["v1", "approvals", &decide.id, word], &serde_json::to_value(verdict)?)?;
    if decide.json {
        output::json(&answer)?;
        return Ok(Outcome::Done);
    }
    output::line(&standing(&parse(answer)?))?;
    Ok(Outcome::Done)
}

/// One line on where it stands after a vote.
fn standing(approval: &Approval) -> String {
    let Approval { id, state, count, votes, .. } = approval;
    match state {
        ApprovalState::Ahead | ApprovalState::Pending => {
            let approved = votes.iter().filter(|vote| vote.approved).count();
            format!("{id}: {approved} of {count} have approved")
        }
        state => format!("{id}: {}", state_name(*state)),
    }
}

/// As in JSON.
pub(crate) fn state_name(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Ahead => "ahead",
        ApprovalState::Pending => "pending",
        ApprovalState::Approved => "approved",
        ApprovalState::Rejected => "rejected",
        ApprovalState::Expired => "expired",
        ApprovalState::Withdrawn => "withdrawn",
        ApprovalState::Settled => "settled",
    }
}

fn print(approval: &Approval) -> Result<(), Failure> {
    let mut fields = output::Fields::default();
    fields.add("ticket", &approval.id);
    fields.add("state", state_name(approval.state));
    fields.add("outcome", &approval.outcome);
    fields.add("identity", &approval.identity);
    fields.add("issuer", &approval.issuer);
    fields.add("requester", &approval.requester);
    fields.add("groups", &approval.groups.join(", "));
    fields.add("source", &approval.source);
    fields.add("session", &approval.session);
    fields.add("target", &approval.target);
    fields.add("rule", &approval.rule);
    fields.add("objects", &approval.objects.join(", "));
    fields.add("reviewers", &format!("{} of {}", approval.count, approval.reviewers.join(", ")));
    fields.add("grant", &approval.grant);
    fields.add("opened", &output::utc_of_ms(approval.opened_ms));
    fields.add("until", &output::utc_of_ms(approval.deadline_ms));
    fields.add("digest", &approval.digest);
    for (number, value) in approval.parameters.iter().enumerate() {
        fields.add(&format!("parameter {}", number + 1), value.as_deref().unwrap_or("NULL"));
    }
    if approval.masked > 0 {
        fields.add(
            "cards masked",
            &format!("{}: an approval is good for this one command only", approval.masked),
        );
    }
    for vote in &approval.votes {
        let word = if vote.approved { "approved" } else { "rejected" };
        let when = output::utc_of_ms(vote.at_ms);
        fields.add("vote", &format!("{} {word} at {when}: {}", vote.reviewer, vote.reason));
    }
    fields.add("you may not", &approval.may_not);
    fields.text("statement", &approval.statement);
    fields.print()
}

/// Asks for one approval.
pub(crate) fn fetch(client: &Client, id: &str) -> Result<Value, Failure> {
    client.get(&["v1", "approvals", id], &[])
}
