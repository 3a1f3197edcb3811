//! The PostgreSQL load: each connection is one task that begins its operations when they are due, never earlier, and
//! at once where it is late.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, NoTls, Statement};

use crate::address::{Address, resolve};
use crate::measure::{Report, Run, Tally};
use crate::options::{PostgresOptions, Workload};
use crate::tls::Tls;

/// Failures after which a connection's task gives up.
const FAILURES_MAX: u64 = 1000;
/// A task waits this long before it connects again.
const RECONNECT_WAIT: Duration = Duration::from_millis(100);

/// What every task needs.
struct Load {
    address: Address,
    tls: Option<Tls>,
    token_file: std::path::PathBuf,
    user: String,
    database: String,
    workload: Workload,
    statement: String,
    timeout: Duration,
}

/// A connection and what it has prepared.
struct Session {
    client: Client,
    statement: Option<Statement>,
}

/// When operations of one task are due.
struct Schedule {
    begin: Instant,
    end: Instant,
    interval: Option<Duration>,
}

/// Runs the load to its end. `Err`: it could not begin.
pub(crate) async fn run(options: &PostgresOptions) -> Result<Report> {
    let load = Arc::new(Load::new(options).await?);
    let count = options.load.connections;
    let mut sessions = Vec::new();
    for number in 1..=count {
        let session = match load.workload {
            Workload::Churn if number > 1 => None,
            _ => {
                let what = || format!("connection {number} of {count}");
                Some(timeout(load.timeout, load.open()).await.with_context(what)?.with_context(what)?)
            }
        };
        sessions.push(session.filter(|_| load.workload != Workload::Churn));
    }
    let empty = Tally::new()?;
    let begin = Instant::now();
    let end = begin + options.load.duration();
    let interval = options.load.rate.map(|rate| Duration::from_secs_f64(f64::from(count) / f64::from(rate)));
    let tasks: Vec<_> = sessions
        .into_iter()
        .zip(0u32..)
        .map(|(session, number)| {
            let begin = begin + interval.unwrap_or_default() * number / count;
            tokio::spawn(Arc::clone(&load).work(session, Schedule { begin, end, interval }, empty.clone()))
        })
        .collect();
    let mut tally = empty.clone();
    for task in tasks {
        tally.merge(&task.await?);
    }
    let run = Run {
        protocol: "postgres",
        workload: load.workload.name(),
        connections: count,
        duration_s: options.load.duration,
        rate: options.load.rate,
    };
    Ok(tally.report(run, begin.elapsed()))
}

impl Load {
    async fn new(options: &PostgresOptions) -> Result<Self> {
        let server = &options.server;
        Ok(Self {
            address: resolve(&server.address, server.allow_remote.as_deref()).await?,
            tls: server.ca.as_deref().map(Tls::new).transpose()?,
            token_file: server.token_file.clone(),
            user: options.user.clone(),
            database: options.database.clone(),
            workload: options.workload,
            statement: options.statement.clone().unwrap_or_else(|| statement(options)),
            timeout: options.load.timeout(),
        })
    }

    /// One task: operation after operation until the time is over or too much has failed.
    async fn work(
        self: Arc<Self>,
        mut session: Option<Session>,
        schedule: Schedule,
        mut tally: Tally,
    ) -> Tally {
        let (mut number, mut failures, mut free) = (0u32, 0, schedule.begin);
        loop {
            let due = schedule.due(number);
            if due >= schedule.end {
                break;
            }
            if Instant::now() >= schedule.end || failures >= FAILURES_MAX {
                tally.missed += schedule.left(number);
                break;
            }
            sleep_until(due).await;
            let begun = Instant::now();
            let from = schedule.charged_from(due, free, begun);
            let outcome = timeout(self.timeout, self.operate(&mut session, &mut tally)).await;
            match outcome {
                Ok(Ok(())) => tally.operation(from.elapsed(), begun.elapsed()),
                failed => {
                    failures += 1;
                    tally.error(&failed.map_or_else(|_| "timeout".to_owned(), |error| kind(&error)));
                    self.recover(&mut session).await;
                }
            }
            number = number.saturating_add(1);
            free = Instant::now();
        }
        tally
    }

    /// A connection that is gone, or in an unknown state, is given up; the next operation opens another.
    async fn recover(&self, session: &mut Option<Session>) {
        let usable = session.as_ref().is_some_and(|session| !session.client.is_closed());
        if !usable {
            *session = None;
            tokio::time::sleep(RECONNECT_WAIT).await;
        }
    }

    async fn operate(&self, session: &mut Option<Session>, tally: &mut Tally) -> Result<()> {
        if self.workload == Workload::Churn {
            let once = self.open().await?;
            return self.fetch(&once, tally).await;
        }
        let open = match session.take() {
            Some(open) => open,
            None => self.open().await?,
        };
        // Dropped, and so closed, where the timeout strikes in between: it would answer the next question late.
        let outcome = self.fetch(&open, tally).await;
        *session = Some(open);
        outcome
    }

    async fn fetch(&self, session: &Session, tally: &mut Tally) -> Result<()> {
        use futures_util::TryStreamExt as _;
        match &session.statement {
            Some(statement) => {
                let none: [&(dyn tokio_postgres::types::ToSql + Sync); 0] = [];
                let mut rows = pin!(session.client.query_raw(statement, none).await?);
                while let Some(row) = rows.try_next().await? {
                    tally.rows += 1;
                    tally.bytes += row.raw_size_bytes() as u64;
                }
            }
            None => {
                let mut rows = pin!(session.client.copy_out(&self.statement).await?);
                while let Some(bytes) = rows.try_next().await? {
                    tally.rows += 1;
                    tally.bytes += bytes.len() as u64;
                }
            }
        }
        Ok(())
    }

    async fn open(&self) -> Result<Session> {
        let shown = self.token_file.display();
        let token =
            tokio::fs::read(&self.token_file).await.with_context(|| format!("--token-file {shown}"))?;
        let mut config = tokio_postgres::Config::new();
        config
            .host(&self.address.host)
            .hostaddr(self.address.at.ip())
            .port(self.address.at.port())
            .user(&self.user)
            .dbname(&self.database)
            .application_name("pangate-loadtest")
            .password(token.trim_ascii());
        let client = match &self.tls {
            Some(tls) => {
                let (client, connection) = config.ssl_mode(SslMode::Require).connect(tls.clone()).await?;
                tokio::spawn(connection);
                client
            }
            None => {
                let (client, connection) = config.ssl_mode(SslMode::Disable).connect(NoTls).await?;
                tokio::spawn(connection);
                client
            }
        };
        let statement = match self.workload {
            Workload::Copy => None,
            _ => Some(client.prepare(&self.statement).await?),
        };
        Ok(Session { client, statement })
    }
}

impl Schedule {
    /// When operation `number` is due; without a rate, always.
    fn due(&self, number: u32) -> Instant {
        self.interval.map_or(self.begin, |interval| self.begin + interval * number)
    }

    /// From when on an operation's latency counts: from when it was due, where the one before it was still under way
    /// then (`free`: when that ended). Where it was our own timer that came late, by up to a millisecond, from `begun`.
    fn charged_from(&self, due: Instant, free: Instant, begun: Instant) -> Instant {
        if self.interval.is_some() && free > due { due } else { begun }
    }

    /// Operations from `number` on that are due before the end.
    fn left(&self, number: u32) -> u64 {
        let Some(interval) = self.interval.filter(|interval| !interval.is_zero()) else { return 0 };
        let left = self.end.saturating_duration_since(self.due(number));
        u64::try_from(left.as_nanos().div_ceil(interval.as_nanos())).unwrap_or(u64::MAX)
    }
}

/// The workload's own statement: needs no table.
fn statement(options: &PostgresOptions) -> String {
    let PostgresOptions { rows, row_bytes, .. } = options;
    let many = format!("SELECT repeat('x', {row_bytes}) FROM generate_series(1, {rows})");
    match options.workload {
        Workload::Select | Workload::Churn => "SELECT 1".to_owned(),
        Workload::Rows => many,
        Workload::Copy => format!("COPY ({many}) TO STDOUT"),
    }
}

/// An error's SQLSTATE, or in a word what it is; never a text from the server.
fn kind(error: &Result<()>) -> String {
    let Err(error) = error else { return "none".to_owned() };
    match error.downcast_ref::<tokio_postgres::Error>() {
        Some(error) => match error.code() {
            Some(code) => code.code().to_owned(),
            None if error.is_closed() => "closed".to_owned(),
            None => "connection".to_owned(),
        },
        None => "token".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(interval_ms: Option<u64>) -> Schedule {
        let begin = Instant::now();
        let interval = interval_ms.map(Duration::from_millis);
        Schedule { begin, end: begin + Duration::from_secs(1), interval }
    }

    #[test]
    fn operations_are_due_at_their_rate() {
        let open = schedule(Some(100));
        assert_eq!(open.due(3) - open.begin, Duration::from_millis(300));
        assert_eq!(open.left(0), 10);
        assert_eq!(open.left(7), 3);
        assert_eq!(open.left(10), 0);
        assert_eq!(open.left(100), 0);
        let (due, late) = (open.due(1), Duration::from_millis(1));
        assert_eq!(open.charged_from(due, open.begin, due + late), due + late, "our timer's fault");
        assert_eq!(open.charged_from(due, due + late, due + late), due, "the server's fault");
        let closed = schedule(None);
        assert_eq!(closed.charged_from(due, due + late, due + late), due + late);
        assert_eq!(closed.due(1000), closed.begin);
        assert_eq!(closed.left(0), 0);
    }
}
