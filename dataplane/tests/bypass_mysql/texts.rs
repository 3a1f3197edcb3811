//! A transcript's packets as texts: every cell of every row whatever its type and format, every field of errors, what OK
//! packets tell, column names.

use crate::client::Transcript;

/// What a client was told, as texts.
#[derive(Default)]
pub(crate) struct Texts {
    /// Rows of cells, in order.
    pub(crate) rows: Vec<Vec<String>>,
    /// Everything else.
    pub(crate) others: Vec<String>,
    /// Errors: number and message.
    pub(crate) errors: Vec<(String, String)>,
}

/// A column's type, character set and flags.
#[derive(Clone, Copy)]
struct Column {
    kind: u8,
    unsigned: bool,
}

impl Texts {
    /// Reads every packet.
    pub(crate) fn of(transcript: &Transcript) -> Self {
        let mut texts = Self::default();
        let mut columns = Vec::new();
        for (kind, body) in &transcript.messages {
            match kind {
                b'H' | b'S' => columns.clear(),
                b'T' => columns.push(texts.column(body)),
                // A prepared statement's columns are told again when it is executed, a cursor's are not.
                b'Z' => {}
                b'D' => texts.rows.push(text_row(body, &columns)),
                b'B' => texts.rows.push(binary_row(body, &columns)),
                b'E' => texts.error(body),
                _ => texts.others.push(shown(body)),
            }
        }
        texts
    }

    /// All texts.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().flatten().chain(&self.others).map(String::as_str)
    }

    fn column(&mut self, body: &[u8]) -> Column {
        let mut rest = body;
        for _ in 0..6 {
            let (name, after) = string(rest).expect("a column");
            self.others.push(shown(name));
            rest = after;
        }
        Column { kind: rest[7], unsigned: rest[8] & 0x20 != 0 }
    }

    fn error(&mut self, body: &[u8]) {
        let number = u16::from_le_bytes([body[1], body[2]]).to_string();
        let message = shown(body.get(9..).unwrap_or_default());
        // Rows too: halves may come in several of them.
        self.rows.push(vec![message.clone()]);
        self.errors.push((number, message));
    }
}

/// Text as it is, what is none in hexadecimal.
fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(|letter: char| letter.is_control() && !letter.is_whitespace()) => {
            text.to_owned()
        }
        _ => bytes.iter().fold("\\x".to_owned(), |hex, byte| format!("{hex}{byte:02x}")),
    }
}

/// A length-encoded integer and what follows it; `None` for NULL.
pub(crate) fn integer(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let width = match first {
        0..=250 => return Some((u64::from(*first), rest)),
        252 => 2,
        253 => 3,
        254 => 8,
        _ => return None,
    };
    let value = rest[..width].iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
    Some((value, &rest[width..]))
}

fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = integer(bytes)?;
    rest.split_at_checked(length as usize)
}

fn text_row(body: &[u8], columns: &[Column]) -> Vec<String> {
    let mut cells = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let column = columns.get(cells.len());
        match string(rest) {
            None => {
                cells.push("NULL".to_owned());
                rest = &rest[1..];
            }
            Some((value, after)) => {
                cells.push(if column.is_some_and(|column| column.kind == 16) {
                    bits(value)
                } else {
                    shown(value)
                });
                rest = after;
            }
        }
    }
    cells
}

fn binary_row(body: &[u8], columns: &[Column]) -> Vec<String> {
    let nulls = &body[1..1 + (columns.len() + 9) / 8];
    let mut rest = &body[1 + nulls.len()..];
    let mut cells = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        if nulls[(index + 2) / 8] >> ((index + 2) % 8) & 1 == 1 {
            cells.push("NULL".to_owned());
            continue;
        }
        let width = match column.kind {
            1 => 1,
            2 | 13 => 2,
            3 | 4 | 9 => 4,
            5 | 8 => 8,
            // Dates and times: their length in a byte.
            7 | 10 | 11 | 12 => 1 + usize::from(rest[0]),
            _ => {
                let (value, after) = string(rest).expect("a value");
                cells.push(if column.kind == 16 { bits(value) } else { shown(value) });
                rest = after;
                continue;
            }
        };
        let (value, after) = rest.split_at(width);
        cells.push(fixed(*column, value));
        rest = after;
    }
    cells
}

/// A value of fixed width, as near to its text as decoders need.
fn fixed(column: Column, value: &[u8]) -> String {
    let negative = !column.unsigned && value.last().is_some_and(|byte| byte & 128 != 0);
    let start = if negative { -1 } else { 0 };
    let whole = value.iter().rev().fold(start, |value: i128, byte| value << 8 | i128::from(*byte));
    match column.kind {
        4 => f32::from_le_bytes(value.try_into().unwrap()).to_string(),
        5 => f64::from_le_bytes(value.try_into().unwrap()).to_string(),
        1 | 2 | 3 | 8 | 9 | 13 => whole.to_string(),
        11 => clock(&value[1..]),
        _ => date(&value[1..]),
    }
}

fn bits(value: &[u8]) -> String {
    value.iter().map(|byte| format!("{byte:08b}")).collect()
}

/// Year, month, day, and more where it is there.
fn date(value: &[u8]) -> String {
    let part = |at: usize| value.get(at).copied().unwrap_or_default();
    let year = u16::from_le_bytes([part(0), part(1)]);
    let fraction = u32::from_le_bytes([part(7), part(8), part(9), part(10)]);
    format!(
        "{year:04}-{:02}-{:02} {:02}:{:02}:{:02}.{fraction:06}",
        part(2),
        part(3),
        part(4),
        part(5),
        part(6)
    )
}

/// Sign, days, hours, minutes, seconds, microseconds.
fn clock(value: &[u8]) -> String {
    let part = |at: usize| value.get(at).copied().unwrap_or_default();
    let days = u32::from_le_bytes([part(1), part(2), part(3), part(4)]);
    let fraction = u32::from_le_bytes([part(8), part(9), part(10), part(11)]);
    format!("{}:{:02}:{:02}.{fraction:06}", days * 24 + u32::from(part(5)), part(6), part(7))
}
