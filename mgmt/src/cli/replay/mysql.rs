//! MySQL's and MariaDB's recorded answers as lines: columns and rows, text or binary, what OK and ERR packets say. The
//! bytes are packets as the client was sent them; leaves out what stands behind the first that is none.

use std::io::{self, Write};

use super::shown;

/// SERVER_MORE_RESULTS_EXISTS needs no state: another answer follows or none does.
const CURSOR_EXISTS: u16 = 1 << 6;
const LAST_ROW_SENT: u16 = 1 << 7;
/// A payload of this length goes on in the next packet.
const PAYLOAD_BYTES_MAX: usize = 0xff_ffff;

/// A column's type and whether its numbers have no sign.
#[derive(Clone, Copy)]
struct Column {
    kind: u8,
    unsigned: bool,
}

/// What the next packet is.
enum Expect {
    /// The start of an answer.
    Answer,
    /// So many columns more.
    Columns(u64),
    /// Rows; the first packet may be the EOF behind the columns.
    Rows { first: bool },
    /// Parameters and columns of a statement that was prepared: nothing of them is shown.
    Prepared,
}

/// Shows the whole packets at the front of `bytes`; `kind` is the command's.
pub(super) fn print(out: &mut impl Write, kind: &str, bytes: &[u8]) -> io::Result<()> {
    let mut answer =
        Answer { expect: Expect::Answer, binary: kind == "execute", columns: Vec::new(), names: Vec::new() };
    let mut rest = bytes;
    while let Some((payload, after)) = packet(rest) {
        rest = after;
        let line = match answer.expect {
            Expect::Prepared => None,
            Expect::Answer => answer.start(kind, &payload),
            Expect::Columns(left) => answer.column(left, &payload),
            Expect::Rows { first } => answer.row(first, &payload),
        };
        if let Some(line) = line {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// A payload, put together where it came in several packets, and what follows it.
fn packet(mut bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut whole = Vec::new();
    loop {
        let ([a, b, c, _], rest) = bytes.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, 0])).ok()?;
        let (payload, rest) = rest.split_at_checked(length)?;
        whole.extend_from_slice(payload);
        bytes = rest;
        if length < PAYLOAD_BYTES_MAX {
            return Some((whole, bytes));
        }
    }
}

struct Answer {
    expect: Expect,
    binary: bool,
    columns: Vec<Column>,
    names: Vec<String>,
}

impl Answer {
    fn start(&mut self, kind: &str, payload: &[u8]) -> Option<String> {
        match payload.first()? {
            0 if kind == "prepare" => {
                self.expect = Expect::Prepared;
                Some("-- prepared".to_owned())
            }
            0 => Some(affirmed(payload)),
            0xff => Some(error(payload)),
            0xfb => Some("-- the target asks for a file of the client's".to_owned()),
            _ => {
                let (count, _) = integer(payload)?;
                self.columns.clear();
                self.names.clear();
                self.expect = Expect::Columns(count);
                None
            }
        }
    }

    fn column(&mut self, left: u64, payload: &[u8]) -> Option<String> {
        let mut rest = payload;
        let mut name: &[u8] = &[];
        // catalog, schema, table, org_table, name, org_name
        for place in 0..6 {
            let (text, after) = string(rest)??;
            if place == 4 {
                name = text;
            }
            rest = after;
        }
        self.names.push(shown(name));
        let fixed = rest.get(7..9)?;
        self.columns.push(Column { kind: *fixed.first()?, unsigned: fixed.last()? & 0x20 != 0 });
        if left > 1 {
            self.expect = Expect::Columns(left - 1);
            return None;
        }
        self.expect = Expect::Rows { first: true };
        Some(self.names.join("\t"))
    }

    fn row(&mut self, first: bool, payload: &[u8]) -> Option<String> {
        self.expect = Expect::Rows { first: false };
        match payload.first()? {
            0xff => {
                self.expect = Expect::Answer;
                Some(error(payload))
            }
            0xfe if payload.len() < PAYLOAD_BYTES_MAX => {
                let status = end_status(payload);
                let fetched = status & CURSOR_EXISTS != 0 && status & LAST_ROW_SENT == 0;
                let goes_on = fetched || first && payload.len() == 5;
                if !goes_on {
                    self.expect = Expect::Answer;
                }
                None
            }
            _ if self.binary => Some(self.binary_row(payload).join("\t")),
            _ => Some(text_row(payload).join("\t")),
        }
    }

    /// A zero, a bit for each column that is NULL from the third bit on, values.
    fn binary_row(&self, payload: &[u8]) -> Vec<String> {
        let mut cells = Vec::new();
        let Some((nulls, mut rest)) =
            payload.get(1..).and_then(|rest| rest.split_at_checked((self.columns.len() + 9) / 8))
        else {
            return cells;
        };
        for (index, column) in self.columns.iter().enumerate() {
            let place = index + 2;
            if nulls.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1) {
                cells.push("NULL".to_owned());
                continue;
            }
            let Some((cell, after)) = column.read(rest) else { break };
            cells.push(cell);
            rest = after;
        }
        cells
    }
}

impl Column {
    /// A binary value and what follows it.
    fn read<'a>(&self, bytes: &'a [u8]) -> Option<(String, &'a [u8])> {
        let width = match self.kind {
            1 => 1,
            2 | 13 => 2,
            3 | 4 | 9 => 4,
            5 | 8 => 8,
            // Dates and times: their length in a byte.
            7 | 10 | 11 | 12 => 1 + usize::from(*bytes.first()?),
            _ => {
                let (value, rest) = string(bytes)??;
                return Some((shown(value), rest));
            }
        };
        let (value, rest) = bytes.split_at_checked(width)?;
        let cell = match self.kind {
            4 => f32::from_le_bytes(value.try_into().ok()?).to_string(),
            5 => f64::from_le_bytes(value.try_into().ok()?).to_string(),
            11 => clock(value.get(1..)?),
            7 | 10 | 12 => moment(value.get(1..)?),
            _ => self.whole(value),
        };
        Some((cell, rest))
    }

    fn whole(&self, value: &[u8]) -> String {
        let negative = !self.unsigned && value.last().is_some_and(|byte| byte & 128 != 0);
        let start = if negative { -1 } else { 0 };
        value.iter().rev().fold(start, |number: i128, byte| number << 8 | i128::from(*byte)).to_string()
    }
}

/// Year, month, day; hour, minute, second; microseconds: as much as is there.
fn moment(value: &[u8]) -> String {
    let part = |at: usize| value.get(at).copied().unwrap_or_default();
    let year = u16::from_le_bytes([part(0), part(1)]);
    let mut text = format!("{year:04}-{:02}-{:02}", part(2), part(3));
    if value.len() > 4 {
        text.push_str(&format!(" {:02}:{:02}:{:02}", part(4), part(5), part(6)));
    }
    if value.len() > 7 {
        let fraction = u32::from_le_bytes([part(7), part(8), part(9), part(10)]);
        text.push_str(&format!(".{fraction:06}"));
    }
    text
}

/// Sign, days, hours, minutes, seconds, microseconds.
fn clock(value: &[u8]) -> String {
    let part = |at: usize| value.get(at).copied().unwrap_or_default();
    let days = u64::from(u32::from_le_bytes([part(1), part(2), part(3), part(4)]));
    let sign = if part(0) == 1 { "-" } else { "" };
    let mut text = format!("{sign}{:02}:{:02}:{:02}", days * 24 + u64::from(part(5)), part(6), part(7));
    if value.len() > 8 {
        let fraction = u32::from_le_bytes([part(8), part(9), part(10), part(11)]);
        text.push_str(&format!(".{fraction:06}"));
    }
    text
}

fn text_row(payload: &[u8]) -> Vec<String> {
    let mut cells = Vec::new();
    let mut rest = payload;
    while let Some(value) = string(rest) {
        match value {
            Some((value, after)) => {
                cells.push(shown(value));
                rest = after;
            }
            None => {
                cells.push("NULL".to_owned());
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    cells
}

/// An OK packet: rows that were affected, and its text.
fn affirmed(payload: &[u8]) -> String {
    let read = || {
        let (affected, rest) = integer(payload.get(1..)?)?;
        let (_, rest) = integer(rest)?;
        Some((affected, rest.get(4..)?))
    };
    let Some((affected, info)) = read() else { return "-- OK".to_owned() };
    // Its length stands before it where session tracking was agreed upon, whose values follow it.
    let info = match string(info) {
        Some(Some((text, _))) if !text.is_empty() => text,
        _ => info,
    };
    let info = if info.is_empty() { String::new() } else { format!(": {}", shown(info)) };
    format!("-- OK, {affected} rows affected{info}")
}

/// An ERR packet: number, SQLSTATE, message.
fn error(payload: &[u8]) -> String {
    let number = match payload.get(1..3) {
        Some([low, high]) => u16::from_le_bytes([*low, *high]),
        _ => 0,
    };
    let rest = payload.get(3..).unwrap_or_default();
    match rest.split_first_chunk::<6>() {
        Some(([b'#', state @ ..], message)) => {
            format!("-- ERROR {number} ({}): {}", shown(state), shown(message))
        }
        _ => format!("-- ERROR {number}: {}", shown(rest)),
    }
}

/// Status flags of what ends rows: EOF (warnings, status), or OK (two integers before them).
fn end_status(payload: &[u8]) -> u16 {
    let flags = |bytes: &[u8]| match bytes.get(..2) {
        Some([low, high]) => u16::from_le_bytes([*low, *high]),
        _ => 0,
    };
    let rest = payload.get(1..).unwrap_or_default();
    if payload.len() == 5 {
        return flags(rest.get(2..).unwrap_or_default());
    }
    integer(rest).and_then(|(_, rest)| integer(rest)).map_or(0, |(_, rest)| flags(rest))
}

/// A length-encoded integer and what follows it; `None` for NULL and where it is cut.
fn integer(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let width = match first {
        0..=250 => return Some((u64::from(*first), rest)),
        252 => 2,
        253 => 3,
        254 => 8,
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(width)?;
    Some((value.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)), rest))
}

/// A length-encoded string and what follows it; `Some(None)` for NULL; `None` where it is cut or none is left.
#[expect(clippy::option_option, reason = "a value, NULL, or none")]
fn string(bytes: &[u8]) -> Option<Option<(&[u8], &[u8])>> {
    if bytes.first()? == &0xfb {
        return Some(None);
    }
    let (length, rest) = integer(bytes)?;
    rest.split_at_checked(usize::try_from(length).ok()?).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(payloads: &[&[u8]]) -> Vec<u8> {
        let mut all = Vec::new();
        for (sequence, payload) in (1..).zip(payloads) {
            all.extend_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes()[..3]);
            all.push(sequence);
            all.extend_from_slice(payload);
        }
        all
    }

    fn column(name: &str, kind: u8) -> Vec<u8> {
        let mut payload = b"\x03def\x04shop\x05cards\x05cards".to_vec();
        for _ in 0..2 {
            payload.push(u8::try_from(name.len()).unwrap());
            payload.extend_from_slice(name.as_bytes());
        }
        payload.extend_from_slice(&[12, 45, 0, 128, 0, 0, 0, kind, 0, 0, 0, 0, 0]);
        payload
    }

    fn replay(kind: &str, bytes: &[u8]) -> String {
        let mut out = Vec::new();
        print(&mut out, kind, bytes).unwrap();
        String::from_utf8(out).unwrap()
    }

    const EOF: &[u8] = &[0xfe, 0, 0, 2, 0];
    const LAST: &[u8] = &[0xfe, 0, 0, 2, 0, 0, 0];

    fn text_answer(eof: bool) -> Vec<u8> {
        let (pan, note) = (column("pan", 253), column("note", 252));
        let mut all: Vec<&[u8]> = vec![&[2], &pan, &note];
        all.extend(eof.then_some(EOF));
        all.extend([&b"\x04*111\xfb"[..], b"\x00\x02a\x1b", if eof { EOF } else { LAST }]);
        all.push(b"\0\x01\0\x02\0\0\0\x0cRows matched");
        all.push(b"\xff\x10\x04#42000no table");
        framed(&all)
    }

    #[test]
    fn text_rows_and_what_follows_them_are_shown() {
        let shown = "pan\tnote\n*111\tNULL\n\ta\\u{1b}\n-- OK, 1 rows affected: Rows matched\n-- ERROR 1040 (42000): no table\n";
        for eof in [false, true] {
            assert_eq!(replay("query", &text_answer(eof)), shown, "{eof}");
        }
    }

    #[test]
    fn binary_rows_are_shown_by_their_types() {
        let columns = [("n", 8), ("t", 253), ("f", 5), ("at", 12), ("took", 11), ("none", 3)];
        let columns = columns.map(|(name, kind)| column(name, kind));
        // NULL is the sixth column: bit 7.
        let mut row = vec![0, 0x80];
        row.extend_from_slice(&(-7_i64).to_le_bytes());
        row.extend_from_slice(b"\x02ab");
        row.extend_from_slice(&1.5_f64.to_le_bytes());
        row.extend_from_slice(&[7, 0xed, 7, 1, 31, 12, 30, 5]);
        row.extend_from_slice(&[8, 1, 1, 0, 0, 0, 2, 3, 4]);
        let mut all: Vec<&[u8]> = vec![&[6]];
        all.extend(columns.iter().map(Vec::as_slice));
        // A cursor's rows come by themselves.
        all.extend([&[0xfe, 0, 0, 0x42, 0][..], &row, &[0xfe, 0, 0, 0x42, 0], &row, &[0xfe, 0, 0, 0x82, 0]]);
        let line = "-7\tab\t1.5\t2029-01-31 12:30:05\t-26:03:04\tNULL\n";
        assert_eq!(replay("execute", &framed(&all)), format!("n\tt\tf\tat\ttook\tnone\n{line}{line}"));
    }

    #[test]
    fn a_prepared_statement_shows_no_columns() {
        let pan = column("pan", 253);
        let all: [&[u8]; 3] = [b"\0\x01\0\0\0\x01\0\0\0\0\0\0", &pan, EOF];
        assert_eq!(replay("prepare", &framed(&all)), "-- prepared\n");
    }

    #[test]
    fn any_cut_shows_what_is_whole() {
        let bytes = text_answer(true);
        let whole = replay("query", &bytes);
        for end in 0..bytes.len() {
            assert!(whole.starts_with(&replay("query", &bytes[..end])), "cut at {end}");
        }
    }

    #[test]
    fn bytes_that_are_no_packets_are_no_trouble() {
        for bad in [
            &b"\xff\xff\xff\0"[..],
            b"\x01\0\0\x01\xff",
            b"\x01\0\0\x01\xfe",
            b"\x01\0\0\x01\x01\x01\0\0\x02\x09",
            b"\0\0\0\x01",
        ] {
            for kind in ["query", "execute", "prepare"] {
                drop(replay(kind, bad));
            }
        }
    }
}
