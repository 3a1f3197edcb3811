//! `pangate audit query` and `export`: records from an evidence folder, offline, or mgmt's events where no folder is
//! named. What was not read as it was written is told, and the exit code is 1.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use evidence::record::Record;
use evidence::segment::Entry;
use mgmt::api::types::Event;
use serde::Serialize;
use serde_json::Value;

use super::super::client::{Access, Client, parse};
use super::super::outcome::{Answer, Failure, Outcome};
use super::super::output::{self, Table};
use super::OpeningKeys;
use super::files::{Files, Go};

/// Events that are asked for at once.
const EVENTS_PER_REQUEST: usize = 500;

/// Searches the evidence in a folder, or mgmt's events
#[derive(Args)]
#[command(after_help = "\
Without DIR: what people and mgmt did, from mgmt. With DIR: the sealed records themselves.
Examples:
  pangate audit query --since 24h
  pangate audit query --key evidence.pub --sealing-key sealing.key --kind command --target payments DIR")]
pub(crate) struct Query {
    #[command(flatten)]
    source: Source,
    /// At most so many
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
    /// An array of JSON objects
    #[arg(long)]
    json: bool,
}

/// Writes evidence as JSON lines
#[derive(Args)]
#[command(after_help = "\
One JSON object a line: log, leaf and the record as recorded (masked); without DIR mgmt's events.
Example:
  pangate audit export --key evidence.pub --sealing-key sealing.key --since 31d DIR | zstd > evidence.jsonl.zst")]
pub(crate) struct Export {
    #[command(flatten)]
    source: Source,
}

#[derive(Args)]
struct Source {
    #[command(flatten)]
    keys: OpeningKeys,
    #[command(flatten)]
    filter: Filter,
    /// The evidence folder; none: mgmt's events
    dir: Option<PathBuf>,
}

/// What is wanted; everything given must hold.
#[derive(Args)]
struct Filter {
    /// From this time on: 2026-11-24T10:00:00Z, or how long ago: 2h, 7d
    #[arg(long, value_name = "TIME", value_parser = output::time)]
    since: Option<u64>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = output::time)]
    until: Option<u64>,
    /// The kind of record: session-opened, login-refused, command, held, ruled, response, finished,
    /// session-closed, system
    #[arg(long)]
    kind: Option<String>,
    /// The session
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// The target (of sessions opened and logins refused)
    #[arg(long)]
    target: Option<String>,
    /// The job's subject, or the actor of an event
    #[arg(long, value_name = "SUBJECT")]
    identity: Option<String>,
    /// The event's name
    #[arg(long)]
    event: Option<String>,
}

/// One line of an export.
#[derive(Serialize)]
struct Line<'a> {
    log: &'a str,
    leaf: u64,
    #[serde(flatten)]
    record: Record<'a>,
}

/// Searches and prints.
pub(super) fn query(arguments: &Query, access: &Access) -> Answer {
    let source = &arguments.source;
    match &source.dir {
        Some(dir) => query_folder(arguments, dir),
        None => {
            let events = source.events(access, arguments.limit)?;
            if arguments.json {
                output::json(&events)?
            } else {
                print_events(events)?
            }
            Ok(Outcome::Done)
        }
    }
}

fn query_folder(arguments: &Query, dir: &Path) -> Answer {
    let mut rows: Vec<Value> = Vec::new();
    let mut table = Table::new(&["log", "leaf", "time", "record", "session", "what"]);
    let mut count = 0;
    let faults = arguments.source.records(dir, |log, entry, record| {
        if count == arguments.limit {
            return Ok(Go::Stop);
        }
        count += 1;
        if arguments.json {
            rows.push(serde_json::to_value(Line { log, leaf: entry.leaf, record: *record })?);
        } else {
            let session = record.session().map(|session| session.to_string()).unwrap_or_default();
            let time = output::utc_of_us(record.at().0);
            let kind = record.kind().to_owned();
            table.row([log.to_owned(), entry.leaf.to_string(), time, kind, session, gist(record)]);
        }
        Ok(Go::On)
    })?;
    if arguments.json {
        output::json(&rows)?
    } else {
        table.print("nothing")?
    }
    Ok(Outcome::no_if(tell(&faults)))
}

/// Writes all of it as JSON lines.
pub(super) fn export(arguments: &Export, access: &Access) -> Answer {
    let source = &arguments.source;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let Some(dir) = &source.dir else {
        for event in source.events(access, usize::MAX)? {
            output::json_line(&mut out, &event)?;
        }
        out.flush()?;
        return Ok(Outcome::Done);
    };
    let faults = source.records(dir, |log, entry, record| {
        output::json_line(&mut out, &Line { log, leaf: entry.leaf, record: *record })?;
        Ok(Go::On)
    })?;
    out.flush()?;
    Ok(Outcome::no_if(tell(&faults)))
}

/// Whether there are any; each is told.
fn tell(faults: &[String]) -> bool {
    for fault in faults {
        output::complain(&format!("not as it was written, left out: {fault}"));
    }
    !faults.is_empty()
}

impl Source {
    /// Gives the records that the filter lets through to `each`.
    fn records<E>(&self, dir: &Path, mut each: E) -> Result<Vec<String>, Failure>
    where
        E: FnMut(&str, &Entry<'_>, &Record<'_>) -> Result<Go, Failure>,
    {
        let keys = self.keys.read()?;
        let mut unknown = Vec::new();
        let mut faults = Files::open(dir)?.read_records(&keys, |log, _, entry| match entry.record() {
            Ok(record) if self.filter.wants(&record) => each(log, entry, &record),
            Ok(_) => Ok(Go::On),
            Err(error) => {
                unknown.push(format!("{log}: leaf {}: {error}", entry.leaf));
                Ok(Go::On)
            }
        })?;
        faults.append(&mut unknown);
        Ok(faults)
    }

    /// mgmt's events, newest first, page after page.
    fn events(&self, access: &Access, limit: usize) -> Result<Vec<Value>, Failure> {
        self.filter.fits_events()?;
        let client = Client::new(access)?;
        let mut events = Vec::new();
        let mut after = None;
        loop {
            let query = [("limit", Some(EVENTS_PER_REQUEST.to_string())), ("after", after)];
            let page: Vec<Value> = parse(client.get(&["v1", "events"], &query)?)?;
            let whole = page.len() >= EVENTS_PER_REQUEST;
            after = page.last().and_then(|event| event.get("id")?.as_str()).map(str::to_owned);
            for raw in page {
                let event: Event = parse(raw.clone())?;
                if self.filter.wants_event(&event) {
                    events.push(raw);
                }
                let too_old = self.filter.since.is_some_and(|since| event.at_ms.saturating_mul(1000) < since);
                if events.len() == limit || too_old {
                    return Ok(events);
                }
            }
            if !whole || after.is_none() {
                return Ok(events);
            }
        }
    }
}

impl Filter {
    fn wants(&self, record: &Record<'_>) -> bool {
        let (mut identity, mut target, mut event) = (None, None, None);
        match record {
            Record::SessionOpened { subject, target: of, .. }
            | Record::LoginRefused { subject, target: of, .. } => {
                identity = Some(*subject);
                target = Some(*of);
            }
            Record::System { actor, event: name, .. } => {
                identity = Some(*actor);
                event = Some(*name);
            }
            _ => {}
        }
        let session = record.session().map(|session| session.to_string());
        self.in_time(record.at().0)
            && is(&self.kind, Some(record.kind()))
            && is(&self.session, session.as_deref())
            && is(&self.identity, identity)
            && is(&self.target, target)
            && is(&self.event, event)
    }

    fn wants_event(&self, event: &Event) -> bool {
        self.in_time(event.at_ms.saturating_mul(1000))
            && is(&self.identity, Some(&event.actor))
            && is(&self.event, Some(&event.event))
    }

    fn in_time(&self, at_us: u64) -> bool {
        self.since.is_none_or(|since| at_us >= since) && self.until.is_none_or(|until| at_us < until)
    }

    /// Events know of no sessions: a filter that would silently find nothing is refused.
    fn fits_events(&self) -> Result<(), Failure> {
        match (&self.kind, &self.session, &self.target) {
            (None, None, None) => Ok(()),
            _ => Err(Failure::Usage("--kind, --session and --target search a folder: name DIR".to_owned())),
        }
    }
}

/// Nothing is wanted, or exactly this.
fn is(wanted: &Option<String>, value: Option<&str>) -> bool {
    wanted.as_deref().is_none_or(|wanted| value == Some(wanted))
}

/// What a record says, in a few words.
fn gist(record: &Record<'_>) -> String {
    match record {
        Record::SessionOpened { subject, source, target, .. } => {
            format!("{subject} from {source} to {target}")
        }
        Record::LoginRefused { source, target, reason, .. } => format!("from {source} to {target}: {reason}"),
        Record::Command { number, decision, rule, text, .. } => {
            format!("{number} {decision} by {rule}: {text}")
        }
        Record::Held { number, ticket, rule, .. } => format!("{number} by {rule}: ticket {ticket}"),
        Record::Ruled { number, outcome, reviewers, reason, .. } => {
            format!("{number} {outcome} by {reviewers}: {reason}")
        }
        Record::Response { number, offset, bytes, .. } => {
            format!("{number} {} bytes from {offset}", bytes.len())
        }
        Record::Finished { number, outcome, rows, masked, .. } => {
            format!("{number} {outcome}: {rows} rows, {masked} cards masked")
        }
        Record::SessionAttached { process, connection, .. } => {
            format!("{connection} connection, process {process} at the target")
        }
        Record::SessionClosed { how, commands, rows, .. } => {
            format!("{how}: {commands} commands, {rows} rows")
        }
        Record::System { event, actor, text, .. } => format!("{event} by {actor}: {text}"),
    }
}

fn print_events(events: Vec<Value>) -> Result<(), Failure> {
    let mut table = Table::new(&["time", "event", "actor", "text"]);
    for event in events {
        let event: Event = parse(event)?;
        table.row([output::utc_of_ms(event.at_ms), event.event, event.actor, event.text]);
    }
    table.print("nothing")
}
