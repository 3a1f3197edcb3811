//! What every protocol's load has in common: each connection is one task that begins its operations when they are due,
//! never earlier, and at once where it is late. Leaves out what an operation is.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::{Instant, sleep_until, timeout};

use crate::measure::{Report, Run, Tally};
use crate::options;

/// Failures after which a connection's task gives up.
const FAILURES_MAX: u64 = 1000;
/// A task waits this long before it connects again.
const RECONNECT_WAIT: Duration = Duration::from_millis(100);

/// What a protocol's driver does.
pub(crate) trait Driver: Send + Sync + 'static {
    /// A connection and what it has prepared.
    type Session: Send;
    /// As in reports.
    const PROTOCOL: &str;
    /// The workload, as on the command line.
    fn workload(&self) -> &'static str;
    /// Whether each operation has a connection of its own.
    fn is_churn(&self) -> bool;
    /// Connects.
    fn open(&self) -> impl Future<Output = Result<Self::Session>> + Send;
    /// One operation.
    fn fetch(
        &self,
        session: &mut Self::Session,
        tally: &mut Tally,
    ) -> impl Future<Output = Result<()>> + Send;
    /// Takes leave.
    fn close(&self, session: Self::Session) -> impl Future<Output = Result<()>> + Send;
    /// Whether the connection can go on.
    fn is_usable(session: &Self::Session) -> bool;
    /// An error's code, or in a word what it is; never a text from the server.
    fn kind(error: &anyhow::Error) -> String;
}

/// Runs the load to its end. `Err`: it could not begin.
pub(crate) async fn run<D: Driver>(driver: D, options: &options::Load) -> Result<Report> {
    let (driver, limit) = (Arc::new(driver), options.timeout());
    let count = options.connections;
    let mut sessions = Vec::new();
    for number in 1..=count {
        let session = match driver.is_churn() {
            true if number > 1 => None,
            _ => {
                let what = || format!("connection {number} of {count}");
                Some(timeout(limit, driver.open()).await.with_context(what)?.with_context(what)?)
            }
        };
        sessions.push(session.filter(|_| !driver.is_churn()));
    }
    let empty = Tally::new()?;
    let begin = Instant::now();
    let end = begin + options.duration();
    let interval = options.rate.map(|rate| Duration::from_secs_f64(f64::from(count) / f64::from(rate)));
    let tasks: Vec<_> = sessions
        .into_iter()
        .zip(0u32..)
        .map(|(session, number)| {
            let begin = begin + interval.unwrap_or_default() * number / count;
            let worker = Worker { driver: Arc::clone(&driver), limit, tally: empty.clone() };
            tokio::spawn(worker.work(session, Schedule { begin, end, interval }))
        })
        .collect();
    let mut tally = empty.clone();
    for task in tasks {
        tally.merge(&task.await?);
    }
    let run = Run {
        protocol: D::PROTOCOL,
        workload: driver.workload(),
        connections: count,
        duration_s: options.duration,
        rate: options.rate,
    };
    Ok(tally.report(run, begin.elapsed()))
}

/// Reads the token, without what stands around it.
pub(crate) async fn token(file: &Path) -> Result<String> {
    let shown = file.display();
    let bytes = tokio::fs::read(file).await.with_context(|| format!("--token-file {shown}"))?;
    let text = std::str::from_utf8(&bytes).with_context(|| format!("--token-file {shown}"))?;
    Ok(text.trim().to_owned())
}

/// One connection's task.
struct Worker<D> {
    driver: Arc<D>,
    limit: Duration,
    tally: Tally,
}

impl<D: Driver> Worker<D> {
    /// Operation after operation until the time is over or too much has failed.
    async fn work(mut self, mut session: Option<D::Session>, schedule: Schedule) -> Tally {
        let (mut number, mut failures, mut free) = (0u32, 0, schedule.begin);
        loop {
            let due = schedule.due(number);
            if due >= schedule.end {
                break;
            }
            if Instant::now() >= schedule.end || failures >= FAILURES_MAX {
                self.tally.missed += schedule.left(number);
                break;
            }
            sleep_until(due).await;
            let begun = Instant::now();
            let from = schedule.charged_from(due, free, begun);
            let outcome = timeout(self.limit, self.operate(&mut session)).await;
            match outcome {
                Ok(Ok(())) => self.tally.operation(from.elapsed(), begun.elapsed()),
                failed => {
                    failures += 1;
                    let kind = failed.map_or_else(
                        |_| "timeout".to_owned(),
                        |outcome| outcome.err().map_or_else(String::new, |error| D::kind(&error)),
                    );
                    self.tally.error(&kind);
                    recover::<D>(&mut session).await;
                }
            }
            number = number.saturating_add(1);
            free = Instant::now();
        }
        self.tally
    }

    async fn operate(&mut self, session: &mut Option<D::Session>) -> Result<()> {
        let mut open = match session.take() {
            Some(open) => open,
            None => self.driver.open().await?,
        };
        // Dropped, and so closed, where the timeout strikes in between: it would answer the next question late.
        let outcome = self.driver.fetch(&mut open, &mut self.tally).await;
        if self.driver.is_churn() {
            outcome?;
            return self.driver.close(open).await;
        }
        *session = Some(open);
        outcome
    }
}

/// A connection that is gone, or in an unknown state, is given up; the next operation opens another.
async fn recover<D: Driver>(session: &mut Option<D::Session>) {
    if !session.as_ref().is_some_and(D::is_usable) {
        *session = None;
        tokio::time::sleep(RECONNECT_WAIT).await;
    }
}

/// When operations of one task are due.
struct Schedule {
    begin: Instant,
    end: Instant,
    interval: Option<Duration>,
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
