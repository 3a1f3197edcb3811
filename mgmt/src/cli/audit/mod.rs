//! `pangate audit`: the evidence itself. `verify`, `prove` and, with a folder, `query` and `export` work offline on
//! the files; without one, `query` and `export` ask mgmt for the events of people and mgmt.

mod files;
mod prove;
mod query;
mod verify;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, Subcommand};
use evidence::note::VerifierKey;
use evidence::sealing::SealingKey;
use zeroize::Zeroizing;

use super::client::Access;
use super::outcome::{Answer, Failure};

/// Verifies, searches, exports and proves the evidence
#[derive(Subcommand)]
#[command(after_help = "\
Reading sealed evidence offline leaves no trace in it: give the sealing key to those alone who may.
Examples:
  pangate audit verify --key evidence.pub /var/lib/pangate/evidence
  pangate audit query --key evidence.pub --sealing-key sealing.key --target payments --since 2h DIR
  pangate audit prove --key evidence.pub --sealing-key sealing.key --log 0 --leaf 4711 DIR > proof.txt
  pangate audit check-proof --key evidence.pub proof.txt")]
pub(crate) enum Audit {
    Verify(verify::Verify),
    Query(query::Query),
    Export(query::Export),
    Prove(prove::Prove),
    CheckProof(prove::CheckProof),
}

/// The keys that open sealed evidence.
#[derive(Args)]
struct OpeningKeys {
    /// The evidence's public key file
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The file of the key that opens sealed records
    #[arg(long, value_name = "FILE")]
    sealing_key: Option<PathBuf>,
}

/// Runs one of them.
pub(crate) fn run(arguments: &Audit, access: &Access) -> Answer {
    match arguments {
        Audit::Verify(arguments) => verify::run(arguments),
        Audit::Query(arguments) => query::query(arguments, access),
        Audit::Export(arguments) => query::export(arguments, access),
        Audit::Prove(arguments) => prove::prove(arguments),
        Audit::CheckProof(arguments) => prove::check(arguments),
    }
}

impl OpeningKeys {
    fn read(&self) -> Result<(VerifierKey, SealingKey), Failure> {
        let (Some(key), Some(sealing)) = (&self.key, &self.sealing_key) else {
            return Err(Failure::Usage("reading a folder takes --key and --sealing-key".to_owned()));
        };
        Ok((read_key(key)?, read_key(sealing)?))
    }
}

/// A key's text form from its file.
fn read_key<K: FromStr<Err: std::fmt::Display>>(path: &Path) -> Result<K, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    let text = Zeroizing::new(text);
    text.trim().parse().map_err(|error| Failure::CouldNotAsk(format!("{}: {error}", path.display())))
}
