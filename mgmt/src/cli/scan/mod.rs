//! `pangate scan`: finds card numbers in files, folders and standard input. Every core works; hits come in the order
//! of the paths and offsets all the same. gzip and zstd files and zip archives are looked into, one inside another is not; tar is read as bytes.

mod find;
mod plan;
mod progress;

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use clap::Args;

use self::find::{Finder, Hit};
use self::plan::{Plan, Unit};
use self::progress::Progress;
use super::outcome::{Answer, Failure, Outcome};
use super::output;

/// Messages from the workers that wait to be taken.
const WAITING_MAX: usize = 64;

/// Finds card numbers in files, folders and standard input
#[derive(Args)]
#[command(after_help = "\
A line a hit: path, offset, length, brand, masked. Offsets in compressed files are those of the decompressed data.
Symbolic links inside folders are not followed. Exit code 1: something was found; 3: something could not be read.
Examples:
  pangate scan build.log artifacts/
  kubectl logs job/settlement | pangate scan -
  pangate scan --decode base64,hex dump.sql
  pangate scan --json /var/log | jq -r .path | sort | uniq -c")]
pub(crate) struct Scan {
    /// A JSON object a line
    #[arg(long)]
    json: bool,
    /// Looks into text that stands for bytes too: base64, hex
    #[arg(long, value_delimiter = ',', value_name = "ENCODING")]
    decode: Vec<Encoding>,
    /// Files, folders, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// What text may stand for bytes by.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Encoding {
    /// Four characters for three bytes
    Base64,
    /// Two digits for each byte, as bytea prints it
    Hex,
}

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Hex => "hex",
        }
    }

    fn as_finder_has_it(self) -> ::scan::Encoding {
        match self {
            Self::Base64 => ::scan::Encoding::Base64,
            Self::Hex => ::scan::Encoding::Hex,
        }
    }
}

/// What a worker says of a unit.
struct Message {
    /// Which one, in the order of the plan.
    number: u64,
    hits: Vec<Hit>,
    /// Bytes that were looked through.
    bytes: u64,
    /// What could not be read.
    trouble: Option<String>,
    /// Whether the unit is done.
    done: bool,
}

/// Scans and prints.
pub(crate) fn run(arguments: &Scan) -> Answer {
    let progress = Progress::new(&arguments.paths);
    let plan = Plan::new(&arguments.paths);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let told = std::thread::scope(|scope| {
        let (tell, messages) = sync_channel(WAITING_MAX);
        for _ in 0..workers {
            let (plan, tell) = (&plan, tell.clone());
            scope.spawn(move || work(plan, &arguments.decode, &tell));
        }
        drop(tell);
        let told = Teller { json: arguments.json, progress: &progress, found: 0, troubles: 0 }
            .tell(&plan, &messages);
        plan.stop();
        told
    });
    progress.end();
    match told? {
        (0, 0) => Ok(Outcome::Done),
        (0, troubles) => {
            Err(Failure::CouldNotAsk(format!("nothing found, but {troubles} could not be read")))
        }
        _ => Ok(Outcome::No),
    }
}

/// Takes units until none are left or nobody listens.
fn work(plan: &Plan, decode: &[Encoding], tell: &SyncSender<Message>) {
    let mut finder = Finder::new(decode);
    while let Some((number, unit)) = plan.next() {
        let send = |hits, bytes, trouble, done| {
            tell.send(Message { number, hits, bytes, trouble, done }).map_err(|_| find::NobodyListens)
        };
        let heard = match unit {
            Err(trouble) => send(Vec::new(), 0, Some(trouble), true),
            Ok(Unit::Chunk(chunk)) => match finder.chunk(&chunk) {
                Ok(hits) => send(hits, chunk.end - chunk.start, None, true),
                Err(error) => send(Vec::new(), 0, Some(format!("{}: {error}", chunk.path)), true),
            },
            Ok(Unit::Stream(stream)) => finder
                .stream(stream, |hits, bytes| send(hits, bytes, None, false))
                .and_then(|trouble| send(Vec::new(), 0, trouble, true)),
        };
        if heard.is_err() {
            return;
        }
    }
}

/// Prints what the workers say, in the plan's order.
struct Teller<'p> {
    json: bool,
    progress: &'p Progress,
    found: u64,
    troubles: u64,
}

impl Teller<'_> {
    /// The number of hits and of troubles.
    fn tell(mut self, plan: &Plan, messages: &Receiver<Message>) -> Result<(u64, u64), Failure> {
        let mut out = BufWriter::new(std::io::stdout().lock());
        let mut early: BTreeMap<u64, Vec<Message>> = BTreeMap::new();
        let mut due = 0;
        for message in messages {
            self.progress.advance(message.bytes);
            early.entry(message.number).or_default().push(message);
            while let Some(messages) = early.get_mut(&due) {
                let mut done = false;
                for message in std::mem::take(messages) {
                    done |= message.done;
                    self.print(&mut out, message)?;
                }
                if !done {
                    break;
                }
                early.remove(&due);
                due += 1;
                plan.done(due);
            }
        }
        out.flush()?;
        Ok((self.found, self.troubles))
    }

    fn print(&mut self, out: &mut impl Write, message: Message) -> Result<(), Failure> {
        if let Some(trouble) = message.trouble {
            self.troubles += 1;
            self.progress.aside(|| output::complain(&trouble));
        }
        if message.hits.is_empty() {
            return Ok(());
        }
        self.found += message.hits.len() as u64;
        self.progress.aside(|| {
            for hit in &message.hits {
                if self.json { output::json_line(out, hit)? } else { writeln!(out, "{hit}")? }
            }
            Ok(out.flush()?)
        })
    }
}
