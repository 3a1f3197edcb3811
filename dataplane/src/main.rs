//! `pangate-dataplane`: flags -> configuration -> executors -> shards. The only code that tests do not share.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use anyhow::Context as _;
use clap::Parser;
use dataplane::catalog::Catalog;
use dataplane::config::Config;
use dataplane::credentials::Credentials;
use dataplane::desk::Desk;
use dataplane::executor::{self, ExecutorConfig, Handle};
use dataplane::hold::Holds;
use dataplane::identity::Verifier;
use dataplane::ledger::{Ledger, LedgerHandle, SessionCounts};
use dataplane::metrics::{self, Metrics};
use dataplane::record::Recorder;
use dataplane::shard::{Mail, Mailbox, Parts, Shard};
use dataplane::sys::affinity;
use dataplane::tls;
use dataplane::upstream::Resolver;
use dataplane::verdict::Verdicts;
use scan::{Scanner, Surrogates};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The gateway between machine identities and the systems that hold card data.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Examples:\n  pangate-dataplane --config /etc/pangate/dataplane.yaml\n  pangate-dataplane --config dataplane.yaml --check\n  pangate-dataplane --example > dataplane.yaml"
)]
struct Flags {
    /// The boot configuration.
    #[arg(long, value_name = "FILE", required_unless_present = "example")]
    config: Option<PathBuf>,
    /// Check the configuration and the files it names, then end.
    #[arg(long)]
    check: bool,
    /// Print an example configuration, then end.
    #[arg(long)]
    example: bool,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    if flags.example {
        print!("{}", Config::example());
        return ExitCode::SUCCESS;
    }
    match run(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pangate-dataplane: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> anyhow::Result<()> {
    let path = flags.config.as_deref().context("--config is required")?;
    let config = Config::read(path)?;
    config.prepare().map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })?;
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("the TLS provider is set already"))?;
    let tls = tls::server_config(&config.tls.cert, &config.tls.key, config.tls.client_ca.as_deref())?;
    if flags.check {
        println!("{} is good", path.display());
        return Ok(());
    }
    log();
    let descriptors = dataplane::sys::descriptors::raise_limit()?;
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let cores = affinity::cores()?;
    let shards = config.shard_count(cores.len());
    let ledger = Ledger::start(&config.state_dir)?;
    let running = executor::start(&executor_config(&config), shards)?;
    let (handles, executors) = running.split();
    let metrics = metrics::metrics(shards);
    let boxes = (0..shards).map(|_| Mailbox::new()).collect::<Result<Vec<_>, _>>()?;
    let (mailboxes, mails): (Vec<_>, Vec<_>) = boxes.into_iter().unzip();
    let resolver = resolver(&mailboxes)?;
    let facts = catalog(&mailboxes)?;
    let shared = Shared {
        ledger: ledger.clone(),
        counts: SessionCounts::default(),
        metrics,
        mailboxes,
        resolver,
        facts,
        tls,
        scanner: scanner(&config)?,
    };
    let threads = start_shards(&config, &shared, handles, mails, &cores)?;
    tracing::info!(instance = %config.instance, shards, descriptors, "started");
    let mailboxes = shared.mailboxes.clone();
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            tracing::info!(signal, "draining");
            for mailbox in &mailboxes {
                mailbox.post(Mail::Drain);
            }
        }
    })?;
    let mut first = Ok(());
    for thread in threads {
        let ended = thread.join().map_err(|_| anyhow::anyhow!("a shard has failed")).and_then(|ended| ended);
        first = first.and(ended);
    }
    executors.stop()?;
    ledger.stop();
    tracing::info!("stopped");
    first
}

fn executor_config(config: &Config) -> ExecutorConfig {
    ExecutorConfig {
        instance: config.instance.clone(),
        evidence_dir: config.evidence.dir.clone(),
        signing_key: config.evidence.signing_key.clone(),
        sealing_key: config.evidence.sealing_key.clone(),
        segment_bytes: config.evidence.segment_bytes,
        state_dir: config.state_dir.clone(),
        link: config.link.clone(),
    }
}

/// What every shard is given a share of.
struct Shared {
    ledger: LedgerHandle,
    counts: SessionCounts,
    metrics: Metrics,
    mailboxes: Vec<Mailbox>,
    resolver: Resolver,
    facts: Catalog,
    tls: Arc<rustls::ServerConfig>,
    scanner: Scanner,
}

/// The card finder, with the key of surrogates where there is one: that lives as long as the process.
fn scanner(config: &Config) -> anyhow::Result<Scanner> {
    let scanner = Scanner::new();
    let Some(key) = config.surrogate_key()? else { return Ok(scanner) };
    Ok(scanner.with_surrogates(Box::leak(Box::new(Surrogates::new(&key)))))
}

fn resolver(mailboxes: &[Mailbox]) -> anyhow::Result<Resolver> {
    let mailboxes = mailboxes.to_vec();
    Ok(Resolver::start(move |upstreams| {
        for mailbox in &mailboxes {
            mailbox.post(Mail::Upstreams(Arc::clone(&upstreams)));
        }
    })?)
}

fn catalog(mailboxes: &[Mailbox]) -> anyhow::Result<Catalog> {
    let mailboxes = mailboxes.to_vec();
    Ok(Catalog::start(move |table| {
        for mailbox in &mailboxes {
            mailbox.post(Mail::Catalog(Arc::clone(&table)));
        }
    })?)
}

type ShardThread = thread::JoinHandle<anyhow::Result<()>>;

fn start_shards(
    config: &Config,
    shared: &Shared,
    handles: Vec<Handle>,
    mails: Vec<crossbeam::channel::Receiver<Mail>>,
    cores: &[usize],
) -> anyhow::Result<Vec<ShardThread>> {
    let mut threads = Vec::new();
    for (number, (handle, mail)) in handles.into_iter().zip(mails).enumerate() {
        let parts = parts(config, shared, number, handle, mail)?;
        // With more shards than cores they are left to the scheduler.
        let core = (shared.mailboxes.len() <= cores.len()).then(|| cores.get(number).copied()).flatten();
        let thread = thread::Builder::new().name(format!("shard-{number}")).spawn(move || {
            if let Some(core) = core {
                affinity::pin(core)?;
            }
            Ok(Shard::open(parts()?).context("the shard's ring cannot be opened")?.run()?)
        })?;
        threads.push(thread);
    }
    Ok(threads)
}

/// What makes a shard's parts on its own thread: some of them may not leave it.
fn parts(
    config: &Config,
    shared: &Shared,
    number: usize,
    handle: Handle,
    mail: crossbeam::channel::Receiver<Mail>,
) -> anyhow::Result<impl FnOnce() -> anyhow::Result<Parts> + Send + 'static> {
    let (ledger_answers, claims) = crossbeam::channel::unbounded();
    let shard = u8::try_from(number).context("at most 256 shards")?;
    let mailbox = shared.mailboxes.get(number).context("a shard without a mailbox")?;
    let ledger_wake = mailbox.waker();
    let metrics = Arc::clone(shared.metrics.get(number).context("a shard without counts")?);
    let (ledger, counts, tls) = (shared.ledger.clone(), shared.counts.clone(), Arc::clone(&shared.tls));
    let (mailboxes, resolver, all) =
        (shared.mailboxes.clone(), shared.resolver.clone(), Arc::clone(&shared.metrics));
    let (facts, scanner) = (shared.facts.clone(), shared.scanner);
    let (drain_ms, approval_hint) = (config.drain_timeout.as_millis() as u64, config.approval_hint());
    Ok(move || {
        let desk = Desk {
            shard,
            snapshot: None,
            snapshot_at_ms: 0,
            keys: Arc::default(),
            upstreams: Arc::default(),
            catalog: Arc::default(),
            catalog_table: 0,
            facts,
            verifier: Verifier::new(),
            ledger,
            ledger_answers,
            ledger_wake,
            counts,
            credentials: Credentials::new(),
            verdicts: Verdicts::default(),
            recorder: Recorder::new(handle),
            holds: Holds::default(),
            scanner,
            tls: Some(tls),
            metrics,
            starved: Vec::new(),
            cancels: Vec::new(),
            kills: Vec::new(),
            wall_us: 0,
            now_ms: 0,
            approval_hint,
            pool_epoch: 0,
            text: String::new(),
        };
        Ok(Parts { desk, mailboxes, mail, claims, resolver, metrics: all, drain_ms })
    })
}

fn log() {
    // glommio logs what a file system cannot do (polled I/O) as an error and goes on without it; what fails it returns.
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,glommio=off"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
}
