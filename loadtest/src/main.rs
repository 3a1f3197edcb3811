//! `pangate-loadtest`: load through public client drivers, to see what a gateway costs its clients. Bounded in
//! connections, time and rate; goes to loopback alone unless the other host is named a second time. Leaves out what
//! the gateway itself uses meanwhile: that is packaging/bench.
//!
//! Exit codes: 0 every operation succeeded, 1 some failed, 2 usage, 3 could not begin.

mod address;
mod load;
mod measure;
mod mysql;
mod options;
mod postgres;
mod tls;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::measure::Report;
use crate::options::{Cli, Protocol};

fn main() -> ExitCode {
    let protocol = Cli::parse().protocol;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&anyhow::Error::new(error)),
    };
    let (json, outcome) = match &protocol {
        Protocol::Postgres(options) => {
            let load = async { load::run(postgres::Postgres::new(options).await?, &options.load).await };
            (options.load.json, runtime.block_on(load))
        }
        Protocol::Mysql(options) => {
            let load = async { load::run(mysql::Mysql::new(options).await?, &options.load).await };
            (options.load.json, runtime.block_on(load))
        }
    };
    match outcome {
        Ok(report) => tell(&report, json),
        Err(error) => complain(&error),
    }
}

fn complain(error: &anyhow::Error) -> ExitCode {
    drop(writeln!(std::io::stderr(), "pangate-loadtest: {error:#}"));
    ExitCode::from(if error.is::<address::Refused>() { 2 } else { 3 })
}

/// The table goes to standard error where JSON takes standard output.
fn tell(report: &Report, json: bool) -> ExitCode {
    let written = match json {
        false => write!(std::io::stdout(), "{report}"),
        true => {
            drop(write!(std::io::stderr(), "{report}"));
            serde_json::to_string(report)
                .map_err(Into::into)
                .and_then(|text| writeln!(std::io::stdout(), "{text}"))
        }
    };
    // Whoever read our output may be gone: nothing is left to do then.
    drop(written);
    ExitCode::from(u8::from(report.errors_total > 0))
}
