//! `pangate audit verify`: offline, from the files and the public key alone. Checkpoints that others have kept
//! (`--witness`) show what no file can by itself: that a log was put back to an earlier state.

use std::path::{Path, PathBuf};

use clap::Args;
use evidence::checkpoint::Checkpoint;
use evidence::note::VerifierKey;
use evidence::sealing::SealingKey;
use evidence::verify::{Fault, LogReport, Report, verify};
use serde_json::{Value, json};

use super::super::outcome::{Answer, Failure, Outcome};
use super::super::output;
use super::files::Files;
use super::read_key;

/// Finds any changed, dropped, reordered or truncated record, offline
#[derive(Args)]
#[command(after_help = "\
Exit code 0: everything is as it was written; 1: it is not, with each place.
Example:
  pangate audit verify --key evidence.pub --witness checkpoints.json /var/lib/pangate/evidence")]
pub(crate) struct Verify {
    /// The evidence's public key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Opens the sealed records too, and checks each against its leaf
    #[arg(long, value_name = "FILE")]
    sealing_key: Option<PathBuf>,
    /// Checkpoints kept elsewhere: a signed note, or the JSON array of mgmt's /v1/audit/checkpoints
    #[arg(long = "witness", value_name = "FILE")]
    witnesses: Vec<PathBuf>,
    /// A JSON object
    #[arg(long)]
    json: bool,
    /// The evidence folder
    dir: PathBuf,
}

/// Verifies and tells.
pub(super) fn run(arguments: &Verify) -> Answer {
    let files = Files::open(&arguments.dir)?;
    let key: VerifierKey = read_key(&arguments.key)?;
    let sealing: Option<SealingKey> = arguments.sealing_key.as_deref().map(read_key).transpose()?;
    let mut witnessed = Vec::new();
    for path in &arguments.witnesses {
        witnessed.extend(read_witness(path, &key)?);
    }
    let report = verify(&files, &key, sealing.as_ref(), &witnessed)?;
    let unseen = unseen(&report, &witnessed);
    let whole = report.is_whole() && unseen.is_empty() && !report.logs.is_empty();
    if arguments.json {
        output::json(&to_json(&report, &unseen, whole))?;
    } else {
        print(&report, &unseen, whole)?;
    }
    Ok(Outcome::no_if(!whole))
}

/// Origins that a witness has seen and that are gone as a whole.
fn unseen(report: &Report, witnessed: &[Checkpoint]) -> Vec<String> {
    let present = |origin: &str| {
        let name = origin.rsplit_once('/').map_or(origin, |(_, log)| log);
        report.logs.iter().any(|log| log.name == name)
    };
    let mut unseen: Vec<String> = witnessed
        .iter()
        .filter(|checkpoint| !present(&checkpoint.origin))
        .map(|checkpoint| checkpoint.origin.clone())
        .collect();
    unseen.sort();
    unseen.dedup();
    unseen
}

/// Every checkpoint in the file; one that the key has not signed is refused, since it shows nothing.
fn read_witness(path: &Path, key: &VerifierKey) -> Result<Vec<Checkpoint>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    let notes: Vec<String> = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Array(items)) => items
            .iter()
            .filter_map(|item| item.get("note").and_then(Value::as_str).map(str::to_owned))
            .collect(),
        _ => vec![text],
    };
    let refuse = |what: &str| Failure::CouldNotAsk(format!("--witness {}: {what}", path.display()));
    if notes.is_empty() {
        return Err(refuse("holds no checkpoint"));
    }
    notes.iter().map(|note| Checkpoint::open(note, key).map_err(|error| refuse(&error.to_string()))).collect()
}

fn print(report: &Report, unseen: &[String], whole: bool) -> Result<(), Failure> {
    for log in &report.logs {
        let LogReport { name, records, files, frames, faults_count, .. } = log;
        let state = if log.is_whole() { "as written".to_owned() } else { format!("{faults_count} faults") };
        output::line(&format!("log {name}: {records} records in {frames} frames, {files} files: {state}"))?;
        for fault in &log.faults {
            output::line(&output::printable(&format!("  {name}/{fault}")))?;
        }
        if let Some(torn) = &log.torn {
            let place = &torn.place;
            let what = format!(
                "  {name}/{}: offset {}: {} bytes of a frame that was never finished ({}): no fault",
                place.file, place.offset, torn.bytes, torn.cause
            );
            output::line(&output::printable(&what))?;
        }
    }
    for fault in &report.faults {
        output::line(&output::printable(&format!("  {fault}")))?;
    }
    for origin in unseen {
        output::line(&output::printable(&format!("  {origin}: seen by a witness, and gone")))?;
    }
    output::line(match (whole, report.logs.is_empty()) {
        (true, _) => "verified: everything is as it was written",
        (false, true) => "NOT verified: there is no evidence in this folder",
        (false, false) => "NOT verified",
    })
}

fn to_json(report: &Report, unseen: &[String], whole: bool) -> Value {
    let of_logs =
        report.logs.iter().flat_map(|log| log.faults.iter().map(|fault| fault_json(Some(&log.name), fault)));
    let of_folder = report.faults.iter().map(|fault| fault_json(None, fault));
    let logs: Vec<Value> = report.logs.iter().map(log_json).collect();
    json!({
        "verified": whole,
        "faults": of_logs.chain(of_folder).collect::<Vec<_>>(),
        "unseen": unseen,
        "logs": logs,
    })
}

fn fault_json(log: Option<&str>, fault: &Fault) -> Value {
    json!({
        "log": log,
        "file": fault.place.file,
        "offset": fault.place.offset,
        "leaf": fault.place.leaf,
        "cause": fault.cause.to_string(),
    })
}

fn log_json(log: &LogReport) -> Value {
    let torn = log
        .torn
        .as_ref()
        .map(|torn| json!({ "file": torn.place.file, "offset": torn.place.offset, "bytes": torn.bytes }));
    json!({
        "name": log.name,
        "origin": log.head.as_ref().map(|head| &head.origin),
        "size": log.head.as_ref().map(|head| head.size),
        "files": log.files,
        "frames": log.frames,
        "records": log.records,
        "faults": log.faults_count,
        "torn": torn,
    })
}
