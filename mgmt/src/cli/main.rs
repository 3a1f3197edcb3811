//! `pangate`: the command line for people and jobs. Arguments to a command to an exit code (see outcome.rs); one file
//! a noun. Leaves out everything that decides: that is mgmt's, the policies crate's and the evidence crate's.

mod approvals;
mod audit;
mod client;
mod connect;
mod input;
mod outcome;
mod output;
mod policy;
mod replay;
mod request;
mod scan;
mod sessions;
mod status;
mod tls;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use self::client::Access;
use self::outcome::Answer;

/// Policy, approvals and evidence of the pangate gateway; and ways for jobs to it.
#[derive(Parser)]
#[command(
    name = "pangate",
    version,
    propagate_version = true,
    after_help = "\
Exit codes: 0 done; 1 the answer is no (denied, not verified, card numbers found); 2 wrong usage; 3 could not ask.
Examples:
  pangate check manifests/
  pangate explain --manifests manifests/ --group settlement-batch --target payments 'select pan from cards'
  pangate approvals list
  pangate audit verify --key evidence.pub /var/lib/pangate/evidence
  pangate scan build.log artifacts/"
)]
struct Cli {
    #[command(flatten)]
    access: AccessOptions,
    #[command(subcommand)]
    command: Command,
}

/// How mgmt is reached; PANGATE_TOKEN in the environment holds the token itself.
#[derive(Args)]
#[command(next_help_heading = "Access to mgmt")]
struct AccessOptions {
    /// mgmt's URL
    #[arg(long, global = true, env = "PANGATE_MGMT_URL", value_name = "URL")]
    mgmt: Option<String>,
    /// File that holds the identity token; read anew for each request [env: PANGATE_TOKEN holds the token itself]
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Shell command that prints the identity token; run anew for each request
    #[arg(long, global = true, value_name = "COMMAND", conflicts_with = "token_file")]
    token_command: Option<String>,
    /// PEM file of the CA to trust, instead of this machine's
    #[arg(long, global = true, env = "PANGATE_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    Check(policy::Check),
    Test(policy::Test),
    Explain(policy::Explain),
    Apply(policy::Apply),
    Connect(connect::Connect),
    Request(request::Request),
    #[command(subcommand)]
    Approvals(approvals::Approvals),
    #[command(subcommand)]
    Sessions(sessions::Sessions),
    #[command(subcommand)]
    Audit(audit::Audit),
    Scan(scan::Scan),
    Status(status::Status),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    outcome::exit(run(cli))
}

fn run(cli: Cli) -> Answer {
    let AccessOptions { mgmt, token_file, token_command, ca } = cli.access;
    let access = Access { mgmt, token: token::Source::choose(token_command, token_file), ca };
    match cli.command {
        Command::Check(arguments) => policy::check(&arguments),
        Command::Test(arguments) => policy::test(&arguments),
        Command::Explain(arguments) => policy::explain(&arguments),
        Command::Apply(arguments) => policy::apply(&arguments, &access),
        Command::Connect(arguments) => connect::run(&arguments, &access),
        Command::Request(arguments) => request::run(&arguments, &access),
        Command::Approvals(arguments) => approvals::run(&arguments, &access),
        Command::Sessions(arguments) => sessions::run(&arguments, &access),
        Command::Audit(arguments) => audit::run(&arguments, &access),
        Command::Scan(arguments) => scan::run(&arguments),
        Command::Status(arguments) => status::run(&arguments, &access),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_fits_together() {
        super::Cli::command().debug_assert();
    }
}
