//! The command line, with every bound of the load.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};

/// Load through public client drivers, bounded, with latencies corrected for coordinated omission.
#[derive(Parser)]
#[command(
    name = "pangate-loadtest",
    version,
    after_help = "\
Examples:
  pangate-loadtest postgres --address 127.0.0.1:5433 --ca ca.pem --token-file token --user job \\
      --database payments --connections 16 --duration 10 --workload select
  pangate-loadtest postgres … --rate 2000 --workload select --json      # open loop: 2000 a second are due
  pangate-loadtest mysql --address 127.0.0.1:3306 --ca ca.pem --token-file token --database shop --workload rows-text"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) protocol: Protocol,
}

#[derive(Subcommand)]
pub(crate) enum Protocol {
    /// PostgreSQL, by tokio-postgres
    Postgres(PostgresOptions),
    /// MySQL and MariaDB, by mysql_async
    Mysql(MysqlOptions),
}

#[derive(Args)]
pub(crate) struct PostgresOptions {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) load: Load,
    #[command(flatten)]
    pub(crate) shape: Shape,
    /// What an operation is
    #[arg(long, value_enum, default_value_t = Workload::Select)]
    pub(crate) workload: Workload,
}

#[derive(Args)]
pub(crate) struct MysqlOptions {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) load: Load,
    #[command(flatten)]
    pub(crate) shape: Shape,
    /// What an operation is
    #[arg(long, value_enum, default_value_t = MysqlWorkload::Select)]
    pub(crate) workload: MysqlWorkload,
}

/// What is asked for.
#[derive(Args)]
pub(crate) struct Shape {
    /// The database: at a gateway the target's name
    #[arg(long)]
    pub(crate) database: String,
    /// The user name
    #[arg(long, default_value = "loadtest")]
    pub(crate) user: String,
    /// Another statement than the workload's own; prepared once a connection, `COPY … TO STDOUT` for copy
    #[arg(long)]
    pub(crate) statement: Option<String>,
    /// Rows an operation of the workloads of many rows
    #[arg(long, default_value_t = 1000, value_parser = value_parser!(u32).range(1..=10_000_000))]
    pub(crate) rows: u32,
    /// Bytes a row of the workloads of many rows
    #[arg(long, default_value_t = 8192, value_parser = value_parser!(u32).range(1..=1_048_576))]
    pub(crate) row_bytes: u32,
}

/// Where the load goes, and as whom.
#[derive(Args)]
pub(crate) struct Server {
    /// The server, host:port
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) address: String,
    /// Allows this host, which is not loopback; must be the address's
    #[arg(long, value_name = "HOST")]
    pub(crate) allow_remote: Option<String>,
    /// PEM file of the CA that signed the server's certificate
    #[arg(long, value_name = "PEM", required_unless_present = "plaintext")]
    pub(crate) ca: Option<PathBuf>,
    /// No TLS: on loopback only
    #[arg(long, conflicts_with_all = ["ca", "allow_remote"])]
    pub(crate) plaintext: bool,
    /// File that holds the token (or a password); read anew for each connection
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: PathBuf,
}

/// How much load.
#[derive(Args)]
pub(crate) struct Load {
    /// Connections at once
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = value_parser!(u32).range(1..=10_000))]
    pub(crate) connections: u32,
    /// Seconds
    #[arg(long, default_value_t = 10, value_name = "S", value_parser = value_parser!(u64).range(1..=3600))]
    pub(crate) duration: u64,
    /// Operations a second that are due, over all connections; none: each connection as fast as it can
    #[arg(long, value_name = "R", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) rate: Option<u32>,
    /// An operation fails after this many seconds
    #[arg(long, default_value_t = 30, value_name = "S", value_parser = value_parser!(u64).range(1..=600))]
    pub(crate) timeout: u64,
    /// JSON on standard output, the table on standard error
    #[arg(long)]
    pub(crate) json: bool,
}

impl Load {
    /// How long operations begin.
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs(self.duration)
    }

    /// How long an operation may take.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

/// What one operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// One small row by a prepared statement
    Select,
    /// Many rows by a prepared statement
    Rows,
    /// Many rows by COPY … TO STDOUT
    Copy,
    /// A connection, one small row, and its end
    Churn,
}

/// What one operation is at MySQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MysqlWorkload {
    /// One small row by a prepared statement
    Select,
    /// One small row by a query
    SelectText,
    /// Many rows by a prepared statement
    Rows,
    /// Many rows by a query
    RowsText,
    /// A connection, one small row by a query, and its end
    Churn,
}

impl MysqlWorkload {
    /// As on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::SelectText => "select-text",
            Self::Rows => "rows",
            Self::RowsText => "rows-text",
            Self::Churn => "churn",
        }
    }
}

impl Workload {
    /// As on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Rows => "rows",
            Self::Copy => "copy",
            Self::Churn => "churn",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(extra: &[&str]) -> bool {
        let base = ["x", "postgres", "--address", "127.0.0.1:1", "--token-file", "t", "--database", "d"];
        Cli::try_parse_from(base.iter().chain(extra)).is_err()
    }

    #[test]
    fn every_amount_is_bounded() {
        assert!(!refused(&["--ca", "c"]));
        assert!(!refused(&["--plaintext"]));
        assert!(refused(&[]));
        assert!(refused(&["--ca", "c", "--plaintext"]));
        assert!(refused(&["--plaintext", "--allow-remote", "db"]));
        for (option, value) in [
            ("--connections", "0"),
            ("--connections", "10001"),
            ("--duration", "3601"),
            ("--rate", "0"),
            ("--rate", "1000001"),
            ("--row-bytes", "1048577"),
            ("--timeout", "0"),
        ] {
            assert!(refused(&["--ca", "c", option, value]), "{option} {value}");
        }
    }

    #[test]
    fn workloads_are_called_as_on_the_command_line() {
        for workload in Workload::value_variants() {
            assert_eq!(workload.to_possible_value().unwrap().get_name(), workload.name());
        }
        for workload in MysqlWorkload::value_variants() {
            assert_eq!(workload.to_possible_value().unwrap().get_name(), workload.name());
        }
    }
}
