//! What is wrong with manifests, and where.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The manifests are refused.
    Error,
    /// They are taken; a person should look.
    Warning,
}

/// One thing that is wrong, and where. Shown as `file:line:column: error: message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The file's name, as it was given.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// What is wrong. Never a value that could be a secret.
    pub message: String,
    /// What to do about it, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(out, "{}:{}:{}: {severity}: {}", self.file, self.line, self.column, self.message)?;
        match &self.help {
            Some(help) => write!(out, " ({help})"),
            None => Ok(()),
        }
    }
}

/// Where something stands in the manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Place {
    /// Index among the files.
    pub(crate) file: u32,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// Gathers what is wrong.
#[derive(Debug)]
pub(crate) struct Diagnostics<'a> {
    files: &'a [String],
    found: Vec<(Place, Diagnostic)>,
}

impl<'a> Diagnostics<'a> {
    pub(crate) const fn new(files: &'a [String]) -> Self {
        Self { files, found: Vec::new() }
    }

    pub(crate) fn error(&mut self, place: Place, message: impl Into<String>) {
        self.add(Severity::Error, place, message.into(), None);
    }

    pub(crate) fn error_with_help(
        &mut self,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Error, place, message.into(), Some(help.into()));
    }

    pub(crate) fn warning(&mut self, place: Place, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Warning, place, message.into(), Some(help.into()));
    }

    fn add(&mut self, severity: Severity, place: Place, message: String, help: Option<String>) {
        let file = usize::try_from(place.file).ok().and_then(|index| self.files.get(index));
        let file = file.cloned().unwrap_or_default();
        let Place { line, column, .. } = place;
        self.found.push((place, Diagnostic { severity, file, line, column, message, help }));
    }

    /// Says where something stands, for a message about something else.
    pub(crate) fn describe(&self, place: Place) -> String {
        let file = usize::try_from(place.file).ok().and_then(|index| self.files.get(index));
        format!("{}:{}:{}", file.map_or("", String::as_str), place.line, place.column)
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(|(_, diagnostic)| diagnostic.severity == Severity::Error)
    }

    /// Errors and warnings, each in the order of files and lines.
    pub(crate) fn sorted(mut self) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
        self.found.sort_by_key(|(place, _)| *place);
        let found = self.found.into_iter().map(|(_, diagnostic)| diagnostic);
        found.partition(|diagnostic| diagnostic.severity == Severity::Error)
    }
}
