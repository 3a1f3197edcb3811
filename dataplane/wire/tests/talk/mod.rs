//! MySQL packets of an open session by hand, and sessions opened with a target that asks for no password.
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::Arc;

use wire::mysql::{Config, Session};
use wire::{NamedRelation, Origins, RelationKind, ServerTls, Side};

use crate::driver::{Asked, Driver, Judge, Verdict};
use crate::handshake::{
    self, Client, DEPRECATE_EOF, MULTI_RESULTS, QUERY_ATTRIBUTES, SESSION_TRACK, Target, counted, packet,
};

pub(crate) const AUTOCOMMIT: u16 = 2;
pub(crate) const IN_TRANSACTION: u16 = 1;
pub(crate) const MORE: u16 = 8;
pub(crate) const CURSOR: u16 = 64;
pub(crate) const CHANGED: u16 = 1 << 14;

/// Types of columns and parameters.
pub(crate) const LONG: u8 = 3;
pub(crate) const DOUBLE: u8 = 5;
pub(crate) const LONGLONG: u8 = 8;
pub(crate) const BLOB: u8 = 0xfc;
pub(crate) const TEXT: u8 = 0xfd;

/// What a client and its target speak.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) capabilities: u64,
    /// What the target is, as the listener knows it.
    pub(crate) version: &'static str,
}

/// With DEPRECATE_EOF and session tracking.
pub(crate) const MODERN: Terms = Terms { capabilities: handshake::MODERN, version: "" };
/// Without either.
pub(crate) const OLD: Terms =
    Terms { capabilities: handshake::MODERN & !(DEPRECATE_EOF | SESSION_TRACK), version: "" };
/// MySQL 8's, with query attributes.
pub(crate) const ATTRIBUTES: Terms =
    Terms { capabilities: handshake::MODERN | QUERY_ATTRIBUTES, version: "8.4.3" };
/// MariaDB's own.
pub(crate) const MARIADB: Terms = Terms {
    capabilities: handshake::MODERN & !1
        | handshake::PROGRESS
        | handshake::BULK
        | handshake::EXTENDED_METADATA,
    version: "10.11.6-MariaDB",
};

pub(crate) fn allow(_: &Asked) -> Verdict {
    Verdict::Allow
}

/// Refuses statements with `bad` in them.
pub(crate) fn refuse_bad(asked: &Asked) -> Verdict {
    match asked {
        Asked::Command { text, .. } if text.contains("bad") => {
            Verdict::Refuse(wire::RefusalKind::Denied, "refused by rule no-bad")
        }
        _ => Verdict::Allow,
    }
}

/// The bytes of the login of each side, in the order of [`greet`].
pub(crate) fn logins(terms: Terms) -> [(Side, Vec<u8>); 4] {
    let mut client = Client::new("mysql_clear_password", b"token\0");
    client.capabilities = terms.capabilities | MULTI_RESULTS;
    client.database = "work";
    let mut target = Target::new("mysql_native_password");
    target.capabilities = terms.capabilities | MULTI_RESULTS | SESSION_TRACK;
    let definition =
        b"\x03def\0\0\0\x16@@collation_connection\0\x0c\x2d\0\x80\0\0\0\xfd\0\0\x1f\0\0".as_slice();
    let row = b"\x12utf8mb4_general_ci\x13STRICT_TRANS_TABLES".as_slice();
    let extended = [definition[..30].to_vec(), vec![0], definition[30..].to_vec()].concat();
    let definition =
        if terms.capabilities & handshake::EXTENDED_METADATA != 0 { &extended } else { definition };
    let mut answers = vec![b"\x02".as_slice(), definition, definition];
    if terms.capabilities & DEPRECATE_EOF == 0 {
        answers.extend([b"\xfe\0\0\x02\0".as_slice(), row, b"\xfe\0\0\x02\0"]);
    } else {
        answers.extend([row, b"\xfe\0\0\x02\0\0\0"]);
    }
    let question: Vec<u8> =
        (1..).zip(answers).flat_map(|(sequence, payload)| packet(sequence, payload)).collect();
    [
        (Side::Client, client.packet(1)),
        (Side::Server, target.packet()),
        (Side::Server, [packet(2, &handshake::ok(AUTOCOMMIT)), question].concat()),
        (Side::Server, packet(1, &handshake::ok(AUTOCOMMIT))),
    ]
}

pub(crate) fn config(terms: Terms) -> Config {
    Config { version: terms.version.into(), ..handshake::config(false, false) }
}

pub(crate) fn open(terms: Terms, judge: impl FnMut(&Asked) -> Verdict + 'static) -> Driver<Session> {
    open_with(terms, config(terms), judge)
}

/// A session that is open, with nothing left to take or tell.
pub(crate) fn open_with(
    terms: Terms,
    config: Config,
    mut judge: impl FnMut(&Asked) -> Verdict + 'static,
) -> Driver<Session> {
    let judge: Judge = Box::new(move |asked| match asked {
        Asked::Login { .. } => Verdict::Admit(handshake::account(ServerTls::Off)),
        command => judge(command),
    });
    let mut driver = Driver::new(Session::new(config), judge);
    for (side, bytes) in logins(terms) {
        driver.feed(side, &bytes);
        if side == Side::Client {
            driver.connected();
        }
        assert_eq!(driver.error, None);
    }
    driver.take(Side::Client);
    driver.take(Side::Server);
    driver.events.clear();
    driver.asked.clear();
    driver
}

/// Packets with these payloads, numbered from 1.
pub(crate) fn answer(payloads: &[Vec<u8>]) -> Vec<u8> {
    numbered(1, payloads)
}

pub(crate) fn numbered(first: u8, payloads: &[Vec<u8>]) -> Vec<u8> {
    let mut sequence = first.wrapping_sub(1);
    let each = payloads.iter().flat_map(|payload| {
        sequence = sequence.wrapping_add(1);
        packet(sequence, payload)
    });
    each.collect()
}

pub(crate) fn command(byte: u8, body: &[u8]) -> Vec<u8> {
    packet(0, &[&[byte], body].concat())
}

pub(crate) fn query(sql: &str) -> Vec<u8> {
    command(3, sql.as_bytes())
}

pub(crate) fn prepare(sql: &str) -> Vec<u8> {
    command(0x16, sql.as_bytes())
}

pub(crate) fn ok(rows: u8, status: u16) -> Vec<u8> {
    [&[0, rows, 0], &status.to_le_bytes()[..], &[0, 0]].concat()
}

/// What ends rows.
pub(crate) fn end(terms: Terms, status: u16) -> Vec<u8> {
    let status = status.to_le_bytes();
    if terms.capabilities & DEPRECATE_EOF == 0 {
        [b"\xfe\0\0".as_slice(), &status].concat()
    } else {
        [b"\xfe\0\0".as_slice(), &status, &[0, 0]].concat()
    }
}

pub(crate) fn error(number: u16, words: &str) -> Vec<u8> {
    [b"\xff".as_slice(), &number.to_le_bytes(), b"#23000", words.as_bytes()].concat()
}

/// A column's definition: relation and name there, type, character set, flags.
pub(crate) fn column(from: [&str; 2], name: &str, kind: u8, charset: u16, flags: u16) -> Vec<u8> {
    let [database, table] = from;
    let names = ["def", database, "alias", table, "shown", name];
    let mut payload: Vec<u8> = names.iter().flat_map(|name| counted(name.as_bytes())).collect();
    payload.push(12);
    payload.extend_from_slice(&charset.to_le_bytes());
    payload.extend_from_slice(&[0xff, 0, 0, 0, kind]);
    payload.extend_from_slice(&flags.to_le_bytes());
    payload.extend_from_slice(&[0; 3]);
    payload
}

pub(crate) fn computed(kind: u8) -> Vec<u8> {
    column(["", ""], "", kind, 45, 0)
}

/// One result of these columns and rows.
pub(crate) fn result(terms: Terms, columns: &[Vec<u8>], rows: &[Vec<u8>], status: u16) -> Vec<Vec<u8>> {
    let mut all = vec![vec![u8::try_from(columns.len()).expect("few")]];
    all.extend_from_slice(columns);
    if terms.capabilities & DEPRECATE_EOF == 0 {
        all.push(end(terms, status));
    }
    all.extend_from_slice(rows);
    all.push(end(terms, status));
    all
}

/// A text row.
pub(crate) fn row(cells: &[Option<&[u8]>]) -> Vec<u8> {
    let cell = |cell: &Option<&[u8]>| cell.map_or(vec![0xfb], long_counted);
    cells.iter().map(cell).collect::<Vec<_>>().concat()
}

fn long_counted(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u64;
    let head = match length {
        0..=250 => vec![length as u8],
        251..=0xffff => [&[0xfc], &length.to_le_bytes()[..2]].concat(),
        0x1_0000..=0xff_ffff => [&[0xfd], &length.to_le_bytes()[..3]].concat(),
        _ => [&[0xfe], &length.to_le_bytes()[..]].concat(),
    };
    [head.as_slice(), bytes].concat()
}

/// A binary row of cells as they stand in it; `None`: NULL.
pub(crate) fn binary_row(cells: &[Option<&[u8]>]) -> Vec<u8> {
    let mut head = vec![0; 1 + (cells.len() + 9) / 8];
    for (index, cell) in cells.iter().enumerate() {
        if cell.is_none() {
            head[1 + (index + 2) / 8] |= 1 << ((index + 2) % 8);
        }
    }
    [head, cells.iter().flatten().copied().collect::<Vec<_>>().concat()].concat()
}

/// The answer to a preparation: statement 7, with so many parameters and these columns.
pub(crate) fn prepared(terms: Terms, parameters: u16, columns: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let count = u16::try_from(columns.len()).expect("few");
    let mut all =
        vec![[b"\0\x07\0\0\0".as_slice(), &count.to_le_bytes(), &parameters.to_le_bytes(), &[0; 3]].concat()];
    let ends = terms.capabilities & DEPRECATE_EOF == 0;
    for list in [vec![computed(TEXT); usize::from(parameters)], columns.to_vec()] {
        let some = !list.is_empty();
        all.extend(list);
        if some && ends {
            all.push(end(terms, AUTOCOMMIT));
        }
    }
    all
}

/// The rows of a packet stream, whole or in several packets.
pub(crate) fn spread(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut sequence = first;
    let mut bytes = Vec::new();
    let mut rest = payload;
    loop {
        let (part, behind) = rest.split_at(rest.len().min(0xff_ffff));
        bytes.extend(packet(sequence, part));
        if part.len() < 0xff_ffff {
            return bytes;
        }
        rest = behind;
        sequence = sequence.wrapping_add(1);
    }
}

/// `work.cards` has the labelled columns `pan` (a card's) and `cvv`; `work.others` has none; `work.view` shows some.
pub(crate) fn origins() -> Arc<Origins> {
    let relation = |name: &str, kind, columns: &[(&str, bool)]| NamedRelation {
        database: b"work".as_slice().into(),
        name: name.as_bytes().into(),
        kind,
        columns: columns.iter().map(|(name, card)| (name.as_bytes().into(), *card)).collect(),
    };
    Arc::new(Origins::by_name(vec![
        relation("cards", RelationKind::Table, &[("pan", true), ("cvv", false)]),
        relation("others", RelationKind::Table, &[]),
        relation("view", RelationKind::View, &[]),
    ]))
}
