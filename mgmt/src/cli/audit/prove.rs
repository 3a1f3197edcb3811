//! `pangate audit prove`: the proof that one record is in a log, and its check by someone who has the public key alone.

use std::path::PathBuf;

use clap::Args;
use evidence::note::VerifierKey;
use evidence::prove::{PROOF_BYTES_MAX, verify_proof};
use evidence::record::Record;
use serde_json::json;

use super::super::outcome::{Answer, Failure, Outcome};
use super::super::output;
use super::files::{Files, Go};
use super::{OpeningKeys, read_key};

/// Writes the proof of one record, offline
#[derive(Args)]
#[command(after_help = "\
The proof (C2SP tlog-proof) holds the one record and nothing of the others. `audit query` shows log and leaf.
Example:
  pangate audit prove --key evidence.pub --sealing-key sealing.key --log 0 --leaf 4711 DIR > proof.txt")]
pub(crate) struct Prove {
    #[command(flatten)]
    keys: OpeningKeys,
    /// The log's name
    #[arg(long)]
    log: String,
    /// The record's leaf in the log
    #[arg(long)]
    leaf: u64,
    /// The evidence folder
    dir: PathBuf,
}

/// Checks a proof with the public key alone, and shows its record
#[derive(Args)]
pub(crate) struct CheckProof {
    /// The evidence's public key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The proof's file
    proof: PathBuf,
}

/// Finds the record and writes its proof.
pub(super) fn prove(arguments: &Prove) -> Answer {
    let keys = arguments.keys.read()?;
    let mut proof = None;
    let faults = Files::open(&arguments.dir)?.read_records(&keys, |log, frame, entry| {
        if log != arguments.log || entry.leaf != arguments.leaf {
            return Ok(Go::On);
        }
        proof = Some(evidence::prove::prove(frame, entry));
        Ok(Go::Stop)
    })?;
    let (log, leaf) = (&arguments.log, arguments.leaf);
    match proof {
        Some(Ok(proof)) => {
            output::line(proof.trim_end_matches('\n'))?;
            Ok(Outcome::Done)
        }
        Some(Err(error)) => Err(Failure::No(format!("no proof of leaf {leaf} of log {log}: {error}"))),
        None => match faults.first() {
            Some(fault) => {
                Err(Failure::No(format!("leaf {leaf} of log {log} is not there to be read: {fault}")))
            }
            None => Err(Failure::No(format!("log {log} has no record at leaf {leaf}"))),
        },
    }
}

/// Checks one and shows what it proves, as a JSON object.
pub(super) fn check(arguments: &CheckProof) -> Answer {
    let key: VerifierKey = read_key(&arguments.key)?;
    let about = std::fs::metadata(&arguments.proof);
    let about = about.map_err(|error| Failure::unreadable(&arguments.proof, &error))?;
    if about.len() > PROOF_BYTES_MAX as u64 {
        return Err(Failure::No("too long to be a proof".to_owned()));
    }
    let text = std::fs::read_to_string(&arguments.proof)
        .map_err(|error| Failure::unreadable(&arguments.proof, &error))?;
    let proven =
        verify_proof(&text, &key).map_err(|error| Failure::No(format!("proves nothing: {error}")))?;
    let record = Record::decode(&proven.record)
        .map_err(|error| Failure::CouldNotAsk(format!("proven, but not to be read: {error}")))?;
    output::json(&json!({
        "log": proven.checkpoint.origin, "leaf": proven.leaf, "size": proven.checkpoint.size, "record": record,
    }))?;
    Ok(Outcome::Done)
}
