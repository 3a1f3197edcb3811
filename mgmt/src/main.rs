//! `pangate-mgmt`: flags -> boot file -> server; and what is done once before. The only code that tests do not share.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::{Parser, Subcommand};
use mgmt::app;
use mgmt::auth::development::Claims;
use mgmt::clock::Clock;
use mgmt::config::{Config, Seconds};
use mgmt::server::Server;
use mgmt::setup::{certificates, keys};
use mgmt::{api, publish};
use tokio::signal::unix::{SignalKind, signal};

/// pangate's management process: policy, approvals, issuers' keys, evidence.
#[derive(Parser)]
#[command(name = "pangate-mgmt", version, after_help = EXAMPLES)]
struct Flags {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  pangate-mgmt keygen --dir /etc/pangate/keys
  pangate-mgmt check-config --config /etc/pangate/mgmt.yaml
  pangate-mgmt serve --config /etc/pangate/mgmt.yaml
  pangate-mgmt dev-token --config mgmt.yaml --subject ci-job --group settlement-batch --ttl 10m";

#[derive(Subcommand)]
enum Command {
    /// Serve REST and the link to the dataplane until SIGTERM.
    #[command(
        after_help = "Example:\n  pangate-mgmt serve --config /etc/pangate/mgmt.yaml\n\nLogs go to standard error; RUST_LOG sets what is logged (default: info)."
    )]
    Serve {
        /// Boot file (YAML).
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Log JSON lines.
        #[arg(long)]
        log_json: bool,
    },
    /// Check the boot file, and that what it names is there and can be used.
    #[command(after_help = "Example:\n  pangate-mgmt check-config --config /etc/pangate/mgmt.yaml")]
    CheckConfig {
        /// Boot file (YAML).
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Print a token of the built-in development issuer.
    #[command(
        after_help = "Example:\n  PGPASSWORD=$(pangate-mgmt dev-token --config mgmt.yaml --subject ci-job --group batch) psql ..."
    )]
    DevToken {
        /// Boot file (YAML) with `developmentIssuer: {enabled: true, ...}`.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// The `sub` claim.
        #[arg(long)]
        subject: String,
        /// A member of the `groups` claim; may be given again.
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
        /// The `requester` claim: the person behind the job. The subject unless given.
        #[arg(long)]
        requester: Option<String>,
        /// The `aud` claim.
        #[arg(long, default_value = "pangate")]
        audience: String,
        /// How long it lives: 90s, 10m, 1h. The boot file's `developmentIssuer.ttl` unless given.
        #[arg(long)]
        ttl: Option<Seconds>,
    },
    /// Make the evidence's signing, sealing and public key.
    #[command(
        after_help = "Example:\n  pangate-mgmt keygen --dir /etc/pangate/keys --name gate.example.com\n\nMakes evidence.key (signs) and sealing.key, mode 0600, and evidence.pub (verifies); replaces none."
    )]
    Keygen {
        /// Folder; made if absent.
        #[arg(long)]
        dir: PathBuf,
        /// The signing key's name, as checkpoints show it.
        #[arg(long, default_value = "pangate")]
        name: String,
    },
    /// Make an authority and a server certificate for localhost: for demo and tests.
    #[command(
        after_help = "Example:\n  pangate-mgmt dev-ca --dir certificates --name gate.test\n\nMakes ca.pem, ca.key, server.pem and server.key for localhost, 127.0.0.1, ::1 and the given names."
    )]
    DevCa {
        /// Folder; made if absent.
        #[arg(long)]
        dir: PathBuf,
        /// A further name or address; may be given again.
        #[arg(long = "name", value_name = "NAME")]
        names: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Flags::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pangate-mgmt: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve { config, log_json } => {
            log(log_json);
            let config = Config::read(&config)?;
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(serve(&config))
        }
        Command::CheckConfig { config } => check(&config),
        Command::DevToken { config, subject, groups, requester, audience, ttl } => {
            let requester = requester.unwrap_or_else(|| subject.clone());
            let claims = Claims { subject, groups, requester, audience, ..Claims::default() };
            token(&config, claims, ttl)
        }
        Command::Keygen { dir, name } => Ok(keys::generate(&dir, &name)?),
        Command::DevCa { dir, names } => Ok(certificates::generate(&dir, &names)?),
    }
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let server = Server::start(config, Clock::system()).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    server.stop().await;
    Ok(())
}

fn check(path: &Path) -> anyhow::Result<()> {
    let config = Config::read(path)?;
    api::https::tls(&config.tls.cert, &config.tls.key)?;
    app::evidence_keys(&config.evidence)?;
    if let Some(authorities) = &config.issuer_ca {
        api::https::certificates(authorities)?;
    }
    for (what, file) in [("store", &config.store), ("link", &config.link)] {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(anyhow!("{what}: {}: its folder is not there", file.display()));
        }
    }
    if let Some(folder) = &config.manifests {
        publish::folder::read(folder)?;
    }
    println!("{}: fit to serve", path.display());
    Ok(())
}

fn token(path: &Path, claims: Claims, ttl: Option<Seconds>) -> anyhow::Result<()> {
    let config = Config::read(path)?;
    let asked = config.development().context("the boot file does not enable developmentIssuer")?;
    if config.listen.port() == 0 && asked.url.is_none() {
        return Err(anyhow!(
            "the boot file listens at port 0: developmentIssuer.url must say where it is reached"
        ));
    }
    let issuer = app::development(&config, config.listen)?.context("the development issuer is off")?;
    let issued_s = Clock::system().now_s();
    let expires_s = issued_s.saturating_add(ttl.unwrap_or(asked.ttl).0);
    println!("{}", *issuer.token(&Claims { issued_s, expires_s, ..claims })?);
    Ok(())
}

fn log(json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json {
        builder.json().init();
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).init();
    }
}
