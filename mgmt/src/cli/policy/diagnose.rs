//! Shows mistakes in manifests with the lines that they stand in.

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report};
use policies::manifest::{Diagnostic, Severity};
use std::io::{IsTerminal as _, Write as _};

use super::manifests::Manifests;

/// To standard error, each with its place; colours on a terminal.
pub(super) fn show(files: &Manifests, diagnostics: &[Diagnostic]) {
    let theme = match std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    };
    let handler = GraphicalReportHandler::new_themed(theme);
    let mut text = String::new();
    for diagnostic in diagnostics {
        let report = report(diagnostic, files.text(&diagnostic.file));
        if handler.render_report(&mut text, report.as_ref()).is_err() {
            text.push_str(&format!("{diagnostic}\n"));
        }
        text.push('\n');
    }
    // Whether standard error is read is not our concern.
    drop(std::io::stderr().lock().write_all(text.as_bytes()));
}

fn report(diagnostic: &Diagnostic, text: Option<&str>) -> Report {
    let severity = match diagnostic.severity {
        Severity::Error => miette::Severity::Error,
        Severity::Warning => miette::Severity::Warning,
    };
    let mut shown = MietteDiagnostic::new(diagnostic.message.clone()).with_severity(severity);
    if let Some(help) = &diagnostic.help {
        shown = shown.with_help(help.clone());
    }
    let Some(text) = text else { return Report::new(shown) };
    let span = LabeledSpan::underline(span(text, diagnostic.line, diagnostic.column));
    let source = NamedSource::new(&diagnostic.file, text.to_owned()).with_language("yaml");
    Report::new(shown.with_label(span)).with_source_code(source)
}

/// The word at this line and column (from 1, in characters), in bytes of the text; empty past the end.
fn span(text: &str, line: u32, column: u32) -> std::ops::Range<usize> {
    let skipped = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let begin: usize = text.split_inclusive('\n').take(skipped).map(str::len).sum();
    let rest = text.get(begin..).unwrap_or_default();
    let rest = rest.split('\n').next().unwrap_or_default();
    let skipped = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    let within = rest.char_indices().nth(skipped).map_or(rest.len(), |(at, _)| at);
    let word = rest.get(within..).unwrap_or_default();
    let end = word.find([' ', ',', ']', '}', '\r']).filter(|end| *end > 0).unwrap_or(word.len());
    let word = word.get(..end).unwrap_or_default().trim_end_matches(':');
    begin + within..begin + within + word.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_becomes_the_word_that_stands_there() {
        let text = "kind: Policy\nnäme: x\nrules: [a, b]\nurl: https://x\n";
        let at = |line, column| &text[span(text, line, column)];
        assert_eq!(at(1, 1), "kind");
        assert_eq!(at(1, 7), "Policy");
        assert_eq!(at(2, 1), "näme");
        assert_eq!(at(2, 7), "x");
        assert_eq!(at(3, 12), "b");
        assert_eq!(at(4, 6), "https://x");
        assert_eq!(at(3, 99), "");
        assert_eq!(at(99, 1), "");
        assert_eq!(at(0, 0), "kind");
    }
}
