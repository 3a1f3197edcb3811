//! Manifests in a folder, as mgmt reads them, and the cases beside them.

use std::path::Path;

use mgmt::api::types::PolicyFile;
use mgmt::publish::folder::{self, FolderError};
use policies::compile::compile;
use policies::manifest::{Diagnostic, read};
use policies::snapshot::Snapshot;

use super::super::outcome::Failure;

/// Manifests that are not applied get this version, and so long to live.
const OFFLINE_VERSION: u64 = 1;
const OFFLINE_MAX_AGE_S: u64 = 3600;

/// Names and texts, in order.
pub(super) struct Manifests(pub(super) Vec<PolicyFile>);

/// Manifests without mistakes.
pub(super) struct Compiled {
    pub(super) snapshot: Snapshot,
    /// What is allowed but hardly meant.
    pub(super) warnings: Vec<Diagnostic>,
}

impl Manifests {
    /// Every manifest of the folder.
    pub(super) fn read(dir: &Path) -> Result<Self, Failure> {
        folder::read(dir).map(Self).map_err(refused)
    }

    /// The snapshot, or every mistake.
    pub(super) fn compile(&self) -> Result<Result<Compiled, Vec<Diagnostic>>, Failure> {
        let files: Vec<(&str, &str)> =
            self.0.iter().map(|file| (file.name.as_str(), file.text.as_str())).collect();
        let compiled =
            read(&files).and_then(|manifests| compile(&manifests, OFFLINE_VERSION, OFFLINE_MAX_AGE_S));
        let compiled = match compiled {
            Ok(compiled) => compiled,
            Err(mistakes) => return Ok(Err(mistakes)),
        };
        let snapshot = Snapshot::open(&compiled.snapshot)
            .map_err(|error| Failure::CouldNotAsk(format!("the compiled policy does not open: {error}")))?;
        Ok(Ok(Compiled { snapshot, warnings: compiled.warnings }))
    }

    /// A file's text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|file| file.name == name).map(|file| file.text.as_str())
    }
}

/// Every file of cases in the folder; there may be none.
pub(super) fn read_cases(dir: &Path) -> Result<Vec<PolicyFile>, Failure> {
    folder::read_cases(dir).map_err(refused)
}

fn refused(error: FolderError) -> Failure {
    match error {
        FolderError::Read { .. } => Failure::CouldNotAsk(format!("cannot read {error}")),
        FolderError::TooLarge { .. } | FolderError::Empty { .. } => Failure::Usage(error.to_string()),
    }
}
