//! What the commands print: tables for people, JSON for scripts. Texts from elsewhere (statements, names, paths) are
//! made harmless for a terminal here. No colours but miette's.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::outcome::Failure;

/// Characters of one cell at the most: longer ones are cut, and `--json` has them whole.
const CELL_CHARS_MAX: usize = 100;

/// Rows under a heading, aligned; the last column is not padded.
pub(crate) struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(heading: &[&'static str]) -> Self {
        Self { heading: heading.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; cells are made printable and cut.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.iter().map(|cell| short(cell)).collect());
    }

    /// Prints it, or `empty` where there is no row.
    pub(crate) fn print(&self, empty: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        if self.rows.is_empty() {
            writeln!(out, "{empty}")?;
        } else {
            self.write(&mut out)?;
        }
        Ok(out.flush()?)
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let widths = self.widths();
        write_row(out, self.heading.iter().copied(), &widths)?;
        self.rows.iter().try_for_each(|row| write_row(out, row.iter().map(String::as_str), &widths))
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.heading.iter().map(|name| name.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        widths
    }
}

fn write_row<'a>(
    out: &mut impl Write,
    cells: impl Iterator<Item = &'a str>,
    widths: &[usize],
) -> io::Result<()> {
    let mut line = String::new();
    for (cell, width) in cells.zip(widths) {
        if !line.is_empty() {
            line.push_str("  ");
        }
        line.push_str(cell);
        let missing = width.saturating_sub(cell.chars().count());
        line.extend(std::iter::repeat_n(' ', missing));
    }
    writeln!(out, "{}", line.trim_end())
}

/// Named values, one a line; empty ones are left out.
#[derive(Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Adds a value, made printable and put on one line, whatever its length.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        let flat = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if !flat.is_empty() {
            self.0.push((name.to_owned(), printable(&flat).into_owned()));
        }
    }

    /// Adds a text that keeps its lines.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        let lines: Vec<String> = value.lines().map(|line| format!("\n    {}", printable(line))).collect();
        self.0.push((name.to_owned(), lines.concat()));
    }

    /// Prints them.
    pub(crate) fn print(&self) -> Result<(), Failure> {
        let width = self.0.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default() + 1;
        let mut out = io::stdout().lock();
        for (name, value) in &self.0 {
            let name = format!("{name}:");
            writeln!(out, "{}", format!("{name:width$} {value}").trim_end())?;
        }
        Ok(out.flush()?)
    }
}

/// One JSON document, indented, with a newline.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// One JSON document on one line.
pub(crate) fn json_line(out: &mut impl Write, value: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer(&mut *out, value)?;
    Ok(out.write_all(b"\n")?)
}

/// One line for people.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// One line to standard error; whether that is read is not our concern.
pub(crate) fn complain(text: &str) {
    drop(writeln!(io::stderr().lock(), "pangate: {}", printable(text)));
}

/// The text without anything that a terminal would obey: control characters become `\u{..}`, so do the
/// characters that turn the direction of writing.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match obeyed(character) {
            true => clean.extend(character.escape_default()),
            false => clean.push(character),
        }
    }
    Cow::Owned(clean)
}

fn obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A time in UTC, to the second; empty for 0, which stands for none.
pub(crate) fn utc_of_ms(milliseconds: u64) -> String {
    utc_of_us(milliseconds.saturating_mul(1000))
}

/// As [`utc_of_ms`], from microseconds.
pub(crate) fn utc_of_us(microseconds: u64) -> String {
    let seconds = i64::try_from(microseconds / 1_000_000).unwrap_or(i64::MAX);
    match jiff::Timestamp::from_second(seconds) {
        Ok(_) if microseconds == 0 => String::new(),
        Ok(time) => time.to_string(),
        Err(_) => format!("{microseconds} µs"),
    }
}

/// Reads a length of time such as `90s`, `15m`, `1h 30m`, as clap wants it.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let signed: jiff::SignedDuration =
        text.parse().map_err(|_| "must be a length of time such as 90s, 15m, 2h".to_owned())?;
    Duration::try_from(signed).map_err(|_| "must not be negative".to_owned())
}

/// Reads a time such as `2026-11-24T10:00:00Z`, or how long ago it was, such as `2h`, as clap wants it: microseconds.
pub(crate) fn time(text: &str) -> Result<u64, String> {
    let time = match text.parse::<jiff::SignedDuration>() {
        Ok(ago) => jiff::Timestamp::now().checked_sub(ago.abs()).map_err(|error| error.to_string())?,
        Err(_) => text
            .parse::<jiff::Timestamp>()
            .map_err(|_| "must be a time such as 2026-11-24T10:00:00Z, or how long ago: 2h, 7d".to_owned())?,
    };
    u64::try_from(time.as_microsecond()).map_err(|_| "is before 1970".to_owned())
}

/// Printable, on one line, cut to a cell.
fn short(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean = printable(&flat);
    match clean.char_indices().nth(CELL_CHARS_MAX) {
        None => clean.into_owned(),
        Some(_) => clean.chars().take(CELL_CHARS_MAX - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_not_padded() {
        let mut table = Table::new(&["id", "state"]);
        table.row(["1".to_owned(), "waiting".to_owned()]);
        table.row(["a-long-one".to_owned(), "ok".to_owned()]);
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "id          state\n1           waiting\na-long-one  ok\n"
        );
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        assert_eq!(printable("select 1"), "select 1");
        assert_eq!(printable("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(printable("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(printable("größe"), "größe");
    }

    #[test]
    fn times_are_written_and_read() {
        assert_eq!(utc_of_ms(0), "");
        assert_eq!(utc_of_ms(1_795_514_400_999), "2026-11-24T10:00:00Z");
        assert_eq!(time("2026-11-24T10:00:00Z"), Ok(1_795_514_400_000_000));
        assert_eq!(time("2026-11-24T11:00:00+01:00"), Ok(1_795_514_400_000_000));
        assert!(time("2h").unwrap() < time("1h").unwrap());
        assert!(time("1960-01-01T00:00:00Z").is_err());
        assert!(time("yesterday").is_err());
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        assert!(duration("-1s").is_err());
        assert!(duration("soon").is_err());
        assert!(utc_of_us(u64::MAX).ends_with("µs"));
    }

    #[test]
    fn cells_are_one_line_and_bounded() {
        assert_eq!(short("select\n  1"), "select 1");
        assert_eq!(short(&"x".repeat(CELL_CHARS_MAX)).chars().count(), CELL_CHARS_MAX);
        let cut = short(&"x".repeat(CELL_CHARS_MAX + 1));
        assert_eq!(cut.chars().count(), CELL_CHARS_MAX);
        assert!(cut.ends_with('…'));
    }
}
