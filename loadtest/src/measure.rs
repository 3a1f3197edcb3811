//! What was measured. Latency counts from when an operation was due, so that a server that stalls is charged for what
//! it kept waiting (no coordinated omission); service time counts from when it was begun.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};
use serde::Serialize;

/// Longer latencies are counted as this one: twice the longest test.
const LATENCY_US_MAX: u64 = 2 * 3600 * 1_000_000;
/// Different errors that are told apart; further ones are counted as `other`.
const ERROR_KINDS_MAX: usize = 32;

/// What one connection, and in the end all of them, have measured.
#[derive(Clone)]
pub(crate) struct Tally {
    latency: Histogram<u64>,
    service: Histogram<u64>,
    /// Rows that came.
    pub(crate) rows: u64,
    /// Bytes of those rows.
    pub(crate) bytes: u64,
    /// Operations that were due within the time and could not be begun in it.
    pub(crate) missed: u64,
    errors: BTreeMap<String, u64>,
}

impl Tally {
    /// Nothing yet. Microseconds in three significant digits.
    pub(crate) fn new() -> Result<Self, CreationError> {
        let (latency, service) = (histogram()?, histogram()?);
        Ok(Self { latency, service, rows: 0, bytes: 0, missed: 0, errors: BTreeMap::new() })
    }

    /// An operation that succeeded.
    pub(crate) fn operation(&mut self, latency: Duration, service: Duration) {
        self.latency.saturating_record(microseconds(latency));
        self.service.saturating_record(microseconds(service));
    }

    /// An operation that failed: `kind` is a code, not a text.
    pub(crate) fn error(&mut self, kind: &str) {
        self.count(kind, 1);
    }

    fn count(&mut self, kind: &str, number: u64) {
        let known = self.errors.contains_key(kind) || self.errors.len() < ERROR_KINDS_MAX;
        let kind = if known { kind } else { "other" };
        *self.errors.entry(kind.to_owned()).or_default() += number;
    }

    /// Takes another's in.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, others) in [(&mut self.latency, &other.latency), (&mut self.service, &other.service)] {
            // Both have the same bounds: adding cannot fail.
            let _ = mine.add(others);
        }
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.missed += other.missed;
        for (kind, number) in &other.errors {
            self.count(kind, *number);
        }
    }

    /// The sum of it, over the time that it took.
    pub(crate) fn report(&self, run: Run, took: Duration) -> Report {
        let seconds = took.as_secs_f64().max(f64::MIN_POSITIVE);
        let operations = self.latency.len();
        Report {
            run,
            took_s: seconds,
            operations,
            operations_per_s: operations as f64 / seconds,
            rows: self.rows,
            bytes: self.bytes,
            bytes_per_s: self.bytes as f64 / seconds,
            missed: self.missed,
            errors_total: self.errors.values().sum(),
            errors: self.errors.clone(),
            latency_us: Quantiles::of(&self.latency),
            service_us: Quantiles::of(&self.service),
        }
    }
}

fn histogram() -> Result<Histogram<u64>, CreationError> {
    Histogram::new_with_bounds(1, LATENCY_US_MAX, 3)
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// What was run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Run {
    pub(crate) protocol: &'static str,
    pub(crate) workload: &'static str,
    pub(crate) connections: u32,
    pub(crate) duration_s: u64,
    /// Operations a second that were due; `None`: as fast as they went.
    pub(crate) rate: Option<u32>,
}

/// The outcome, as in JSON.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    run: Run,
    took_s: f64,
    operations: u64,
    operations_per_s: f64,
    rows: u64,
    bytes: u64,
    bytes_per_s: f64,
    missed: u64,
    /// Operations that failed.
    pub(crate) errors_total: u64,
    errors: BTreeMap<String, u64>,
    latency_us: Quantiles,
    service_us: Quantiles,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Quantiles {
    min: u64,
    mean: f64,
    p50: u64,
    p90: u64,
    p99: u64,
    p999: u64,
    max: u64,
}

impl Quantiles {
    fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            min: histogram.min(),
            mean: histogram.mean(),
            p50: histogram.value_at_quantile(0.5),
            p90: histogram.value_at_quantile(0.9),
            p99: histogram.value_at_quantile(0.99),
            p999: histogram.value_at_quantile(0.999),
            max: histogram.max(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run { protocol, workload, connections, rate, .. } = &self.run;
        let rate =
            rate.map_or_else(|| "as fast as it goes".to_owned(), |rate| format!("{rate} a second due"));
        writeln!(out, "{protocol} {workload}: {connections} connections, {:.1} s, {rate}", self.took_s)?;
        writeln!(out, "operations  {:>12}  {:>12.1} a second", self.operations, self.operations_per_s)?;
        if self.bytes > 0 {
            let mib = 1024.0 * 1024.0;
            writeln!(out, "rows        {:>12}  {:>12.1} MiB a second", self.rows, self.bytes_per_s / mib)?;
        }
        for (kind, number) in &self.errors {
            writeln!(out, "failed      {number:>12}  {kind}")?;
        }
        if self.missed > 0 {
            writeln!(out, "missed      {:>12}  were due and never begun", self.missed)?;
        }
        writeln!(out, "µs               min      mean       p50       p90       p99     p99.9       max")?;
        write_quantiles(out, "latency", &self.latency_us)?;
        write_quantiles(out, "service", &self.service_us)
    }
}

fn write_quantiles(out: &mut fmt::Formatter<'_>, name: &str, of: &Quantiles) -> fmt::Result {
    let Quantiles { min, mean, p50, p90, p99, p999, max } = of;
    writeln!(out, "{name:<10}{min:>10}{mean:>10.0}{p50:>10}{p90:>10}{p99:>10}{p999:>10}{max:>10}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Run =
        Run { protocol: "postgres", workload: "select", connections: 2, duration_s: 1, rate: Some(10) };

    #[test]
    fn a_stall_is_charged_to_latency_not_to_service() {
        let mut tally = Tally::new().unwrap();
        for waited in [0, 100, 200] {
            tally.operation(Duration::from_millis(waited + 1), Duration::from_millis(1));
        }
        let report = tally.report(RUN, Duration::from_secs(1));
        assert_eq!(report.service_us.max, 1000);
        assert!(report.latency_us.max >= 200_000);
    }

    #[test]
    fn tallies_add_up() {
        let (mut one, mut other) = (Tally::new().unwrap(), Tally::new().unwrap());
        one.operation(Duration::from_micros(5), Duration::from_micros(5));
        one.error("28000");
        other.operation(Duration::from_secs(100), Duration::from_secs(100));
        other.error("28000");
        other.rows = 3;
        one.merge(&other);
        let report = one.report(RUN, Duration::from_secs(2));
        assert_eq!((report.operations, report.rows, report.errors_total), (2, 3, 2));
        assert_eq!(report.operations_per_s, 1.0);
        assert_eq!(report.errors.get("28000"), Some(&2));
    }

    #[test]
    fn kinds_of_errors_are_bounded() {
        let mut tally = Tally::new().unwrap();
        for number in 0..100 {
            tally.error(&number.to_string());
        }
        assert_eq!(tally.errors.len(), ERROR_KINDS_MAX + 1);
        assert_eq!(tally.errors.values().sum::<u64>(), 100);
    }

    #[test]
    fn json_has_the_names_that_scripts_read() {
        let json = serde_json::to_value(Tally::new().unwrap().report(RUN, Duration::from_secs(1))).unwrap();
        for name in ["protocol", "workload", "operations", "operations_per_s", "bytes_per_s", "errors_total"]
        {
            assert!(json.get(name).is_some(), "{name}");
        }
        for name in ["p50", "p90", "p99", "p999", "max"] {
            assert!(json["latency_us"].get(name).is_some(), "{name}");
            assert!(json["service_us"].get(name).is_some(), "{name}");
        }
    }
}
