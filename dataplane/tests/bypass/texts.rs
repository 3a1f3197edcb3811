//! A transcript's messages as texts: every cell of every row whatever its type and format, every line of a copy, every
//! field of errors and notices, channels, payloads, tags, settings and column names.

use crate::client::Transcript;

/// What a client was told, as texts.
#[derive(Default)]
pub(crate) struct Texts {
    /// Rows of cells, in order.
    pub(crate) rows: Vec<Vec<String>>,
    /// Everything else.
    pub(crate) others: Vec<String>,
    /// Errors: SQLSTATE and message.
    pub(crate) errors: Vec<(String, String)>,
}

/// The type and format of a column.
#[derive(Clone, Copy)]
struct Column {
    oid: u32,
    binary: bool,
}

impl Texts {
    /// Reads every message.
    pub(crate) fn of(transcript: &Transcript) -> Self {
        let mut texts = Self::default();
        let mut columns = Vec::new();
        for (kind, body) in &transcript.messages {
            match kind {
                b'T' => columns = texts.description(body),
                b'D' => {
                    let row = row(body, &columns);
                    texts.rows.push(row);
                }
                b'd' => texts.rows.push(
                    String::from_utf8_lossy(body).trim_end().split(['\t', ',']).map(Into::into).collect(),
                ),
                b'E' | b'N' => texts.fields(*kind, body),
                _ => texts.others.extend(strings(body)),
            }
        }
        texts
    }

    /// All texts.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().flatten().chain(&self.others).map(String::as_str)
    }

    fn description(&mut self, body: &[u8]) -> Vec<Column> {
        let mut columns = Vec::new();
        let mut rest = &body[2..];
        while let Some(end) = rest.iter().position(|byte| *byte == 0) {
            self.others.push(String::from_utf8_lossy(&rest[..end]).into_owned());
            let facts = &rest[end + 1..end + 19];
            columns.push(Column { oid: number(&facts[6..10]) as u32, binary: facts[17] == 1 });
            rest = &rest[end + 19..];
        }
        columns
    }

    fn fields(&mut self, kind: u8, body: &[u8]) {
        let fields: Vec<String> = strings(body).collect();
        let field = |name: char| fields.iter().find_map(|field| field.strip_prefix(name)).unwrap_or_default();
        // Rows too: halves may come in several of them.
        self.rows.push(vec![field('M').to_owned(), field('C').to_owned()]);
        if kind == b'E' {
            self.errors.push((field('C').to_owned(), field('M').to_owned()));
        }
        self.others.extend(fields);
    }
}

fn strings(body: &[u8]) -> impl Iterator<Item = String> {
    body.split(|byte| *byte == 0)
        .filter(|part| !part.is_empty())
        .map(|part| String::from_utf8_lossy(part).into_owned())
}

/// A signed number of any width.
fn number(bytes: &[u8]) -> i64 {
    let start = if bytes.first().is_some_and(|byte| byte & 128 != 0) { -1 } else { 0 };
    bytes.iter().fold(start, |value: i64, byte| value << 8 | i64::from(*byte))
}

fn row(body: &[u8], columns: &[Column]) -> Vec<String> {
    let mut cells = Vec::new();
    let mut rest = &body[2..];
    while rest.len() >= 4 {
        let length = number(&rest[..4]);
        rest = &rest[4..];
        let Ok(length) = usize::try_from(length) else {
            cells.push("NULL".to_owned());
            continue;
        };
        let column = columns.get(cells.len());
        cells.push(match column {
            Some(column) if column.binary => binary(column.oid, &rest[..length]),
            _ => String::from_utf8_lossy(&rest[..length]).into_owned(),
        });
        rest = &rest[length..];
    }
    cells
}

/// A value of the binary format, as near to its text as decoders need.
fn binary(oid: u32, value: &[u8]) -> String {
    match (oid, value.len()) {
        (20 | 21 | 23 | 26 | 790, _) => number(value).to_string(),
        (700, 4) => f32::from_be_bytes(value.try_into().unwrap()).to_string(),
        (701, 8) => f64::from_be_bytes(value.try_into().unwrap()).to_string(),
        (600, 16) => [binary(701, &value[..8]), binary(701, &value[8..])].join(","),
        (1700, 8..) => numeric(value),
        (17 | 829 | 774 | 2950, _) => hex(value),
        (1560 | 1562, 4..) => value[4..].iter().map(|byte| format!("{byte:08b}")).collect(),
        (869 | 650, 4..) => value[4..].iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        (3802, 1..) => String::from_utf8_lossy(&value[1..]).into_owned(),
        (1000..=1017 | 1021 | 1022 | 1231 | 199 | 3807, 20..) => array(value).join(","),
        _ => String::from_utf8_lossy(value).into_owned(),
    }
}

fn array(value: &[u8]) -> Vec<String> {
    let oid = number(&value[8..12]) as u32;
    let mut rest = &value[12 + 8 * number(&value[..4]) as usize..];
    let mut elements = Vec::new();
    while rest.len() >= 4 {
        let length = number(&rest[..4]);
        rest = &rest[4..];
        let Ok(length) = usize::try_from(length) else { continue };
        elements.push(binary(oid, &rest[..length]));
        rest = &rest[length..];
    }
    elements
}

fn numeric(value: &[u8]) -> String {
    let word = |at: usize| number(&value[2 * at..2 * at + 2]);
    let (count, weight) = (word(0), word(1));
    let mut text = String::new();
    for place in 0..count.max(weight + 1) {
        if place == weight + 1 {
            text.push('.');
        }
        let digit = if place < count { word(4 + place as usize) } else { 0 };
        text.push_str(&format!("{digit:04}"));
    }
    text.trim_start_matches('0').to_owned()
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
