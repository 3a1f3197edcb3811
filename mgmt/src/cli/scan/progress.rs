//! A progress bar on a terminal, and nothing elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How far the scan is.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// With a length where all paths are files.
    pub(super) fn new(paths: &[PathBuf]) -> Self {
        let bar = match total(paths) {
            Some(bytes) => styled(
                ProgressBar::new(bytes),
                "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            ),
            None => styled(ProgressBar::new_spinner(), "{spinner} {bytes}, {bytes_per_sec}"),
        };
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self(bar)
    }

    /// More bytes were looked through.
    pub(super) fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Does something that writes to the terminal.
    pub(super) fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        self.0.suspend(write)
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn total(paths: &[PathBuf]) -> Option<u64> {
    let lengths = paths.iter().map(|path| match std::fs::metadata(path) {
        Ok(about) if about.is_file() => Some(about.len()),
        _ => None,
    });
    lengths.sum()
}
