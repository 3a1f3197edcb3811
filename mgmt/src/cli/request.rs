//! `pangate request`: a job asks ahead for what it will run, so that it need not wait with a transaction open.

use std::time::{Duration, Instant};

use clap::Args;
use mgmt::api::types::{AheadAnswer, AheadRequest, Approval, ApprovalState};
use serde_json::Value;

use super::approvals::{fetch, state_name};
use super::client::{Access, Client, parse};
use super::input;
use super::outcome::{Answer, Failure, Outcome};
use super::output;

/// Between the first two looks at a ticket; doubled from look to look,
const LOOK_AGAIN_FIRST: Duration = Duration::from_millis(100);
/// up to this.
const LOOK_AGAIN_LAST: Duration = Duration::from_secs(2);

/// Asks ahead for an approval of what a job will run
#[derive(Args)]
#[command(after_help = "\
Exit code 0: it may run (with --wait), or is waiting for people (without); 1: denied, rejected or expired.
The statement and its parameters must be exactly those that the job then runs.
Examples:
  pangate request --target payments 'update cards set expired = true where batch = $1' --param 4711
  pangate request --target payments --wait --timeout 1h - < migration.sql")]
pub(crate) struct Request {
    /// The target's name
    #[arg(long, value_name = "TARGET")]
    target: String,
    /// A parameter's value as text, in order
    #[arg(long = "param", value_name = "VALUE", allow_hyphen_values = true)]
    parameters: Vec<String>,
    /// All parameters as a JSON array of texts and nulls
    #[arg(long, value_name = "ARRAY", conflicts_with = "parameters")]
    params_json: Option<String>,
    /// Waits until people have decided
    #[arg(long)]
    wait: bool,
    /// Waits this long at most, then exits with 3
    #[arg(long, requires = "wait", value_name = "TIME", value_parser = output::duration)]
    timeout: Option<Duration>,
    /// The answer as a JSON object; with --wait the ticket as it ended
    #[arg(long)]
    json: bool,
    /// The statement; `-`: standard input
    statement: String,
}

/// Asks, and waits where wanted.
pub(crate) fn run(arguments: &Request, access: &Access) -> Answer {
    let body = AheadRequest {
        target: arguments.target.clone(),
        statement: input::statement(&arguments.statement)?,
        parameters: arguments.parameters()?,
    };
    let client = Client::new(access)?;
    let raw = client.post(&["v1", "requests"], &serde_json::to_value(body)?)?;
    let answer: AheadAnswer = parse(raw.clone())?;
    match (&answer.approval, arguments.wait) {
        (Some(approval), true) => {
            if !arguments.json {
                output::complain(&format!("waiting for approval of {}", approval.id));
            }
            wait(&client, approval.id.clone(), arguments)
        }
        _ => tell(arguments.json, &raw, &answer),
    }
}

impl Request {
    fn parameters(&self) -> Result<Vec<Option<String>>, Failure> {
        match &self.params_json {
            Some(text) => serde_json::from_str(text)
                .map_err(|_| Failure::Usage("--params-json must be an array of texts and nulls".to_owned())),
            None => Ok(self.parameters.iter().cloned().map(Some).collect()),
        }
    }
}

fn tell(json: bool, raw: &Value, answer: &AheadAnswer) -> Answer {
    let AheadAnswer { decision, rule, reason, approval } = answer;
    if json {
        output::json(raw)?;
    } else {
        match approval {
            Some(approval) => output::line(&format!("{decision} by {rule}: ticket {}", approval.id))?,
            None if reason.is_empty() => output::line(&format!("{decision} by {rule}"))?,
            None => output::line(&format!("{decision} by {rule}: {reason}"))?,
        }
    }
    Ok(Outcome::no_if(decision == "deny"))
}

fn wait(client: &Client, id: String, arguments: &Request) -> Answer {
    let begun = Instant::now();
    let mut pause = LOOK_AGAIN_FIRST;
    loop {
        let raw = fetch(client, &id)?;
        let approval: Approval = parse(raw.clone())?;
        if let Some(outcome) = outcome(&approval) {
            if arguments.json {
                output::json(&raw)?;
            } else {
                output::line(&format!("{id}: {}", ended(&approval)))?;
            }
            return Ok(outcome);
        }
        if arguments.timeout.is_some_and(|timeout| begun.elapsed() + pause > timeout) {
            return Err(Failure::CouldNotAsk(format!(
                "{id} is still undecided; it waits on, ask again later"
            )));
        }
        client.wait(pause);
        pause = LOOK_AGAIN_LAST.min(pause * 2);
    }
}

/// `None`: people have not decided yet.
fn outcome(approval: &Approval) -> Option<Outcome> {
    match approval.state {
        ApprovalState::Ahead | ApprovalState::Pending => None,
        ApprovalState::Approved => Some(Outcome::Done),
        ApprovalState::Rejected
        | ApprovalState::Expired
        | ApprovalState::Withdrawn
        | ApprovalState::Settled => Some(Outcome::No),
    }
}

fn ended(approval: &Approval) -> String {
    let state = state_name(approval.state);
    if approval.outcome.is_empty() { state.to_owned() } else { format!("{state}: {}", approval.outcome) }
}
