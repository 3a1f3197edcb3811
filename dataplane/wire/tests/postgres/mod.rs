//! PostgreSQL messages by hand, and sessions opened with a target that asks for no password.
#![allow(dead_code, reason = "each test file uses its part")]

use wire::postgres::{Config, Session};
use wire::{ServerTls, Side};

use crate::driver::{Account, Asked, Driver, Judge, Verdict};

pub(crate) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend_from_slice(&u32::try_from(body.len() + 4).expect("short").to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(0);
}

pub(crate) fn startup(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut body = vec![0, 3, 0, 0];
    for (name, value) in fields {
        text(&mut body, name);
        text(&mut body, value);
    }
    body.push(0);
    let mut bytes = u32::try_from(body.len() + 4).expect("short").to_be_bytes().to_vec();
    bytes.append(&mut body);
    bytes
}

/// The same in protocol 3.2, as the gateway asks a target.
pub(crate) fn startup_3_2(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = startup(fields);
    bytes[7] = 2;
    bytes
}

pub(crate) fn password(token: &str) -> Vec<u8> {
    message(b'p', &[token.as_bytes(), b"\0"].concat())
}

pub(crate) fn query(sql: &str) -> Vec<u8> {
    message(b'Q', &[sql.as_bytes(), b"\0"].concat())
}

pub(crate) fn parse(name: &str, sql: &str) -> Vec<u8> {
    let mut body = Vec::new();
    text(&mut body, name);
    text(&mut body, sql);
    body.extend_from_slice(&[0, 0]);
    message(b'P', &body)
}

pub(crate) fn bind(portal: &str, statement: &str, formats: &[u16]) -> Vec<u8> {
    bind_with(portal, statement, &[], formats)
}

pub(crate) fn bind_with(portal: &str, statement: &str, values: &[&[u8]], formats: &[u16]) -> Vec<u8> {
    let mut body = Vec::new();
    text(&mut body, portal);
    text(&mut body, statement);
    body.extend_from_slice(&[0, 0]);
    body.extend_from_slice(&u16::try_from(values.len()).expect("few").to_be_bytes());
    for value in values {
        body.extend_from_slice(&u32::try_from(value.len()).expect("short").to_be_bytes());
        body.extend_from_slice(value);
    }
    body.extend_from_slice(&u16::try_from(formats.len()).expect("few").to_be_bytes());
    for format in formats {
        body.extend_from_slice(&format.to_be_bytes());
    }
    message(b'B', &body)
}

pub(crate) fn describe(kind: u8, name: &str) -> Vec<u8> {
    message(b'D', &[&[kind], name.as_bytes(), b"\0"].concat())
}

pub(crate) fn close(kind: u8, name: &str) -> Vec<u8> {
    message(b'C', &[&[kind], name.as_bytes(), b"\0"].concat())
}

pub(crate) fn execute(portal: &str) -> Vec<u8> {
    message(b'E', &[portal.as_bytes(), &[0; 5]].concat())
}

pub(crate) fn sync() -> Vec<u8> {
    message(b'S', b"")
}

/// RowDescription; columns by type and format.
pub(crate) fn description(columns: &[(u32, u16)]) -> Vec<u8> {
    let mut body = u16::try_from(columns.len()).expect("few").to_be_bytes().to_vec();
    for (oid, format) in columns {
        text(&mut body, "column");
        body.extend_from_slice(&[0; 6]);
        body.extend_from_slice(&oid.to_be_bytes());
        body.extend_from_slice(&[0xff; 6]);
        body.extend_from_slice(&format.to_be_bytes());
    }
    message(b'T', &body)
}

/// RowDescription; columns by relation, number there, type and format.
pub(crate) fn description_of(columns: &[(u32, i16, u32, u16)]) -> Vec<u8> {
    let mut body = u16::try_from(columns.len()).expect("few").to_be_bytes().to_vec();
    for (table, attribute, oid, format) in columns {
        text(&mut body, "column");
        body.extend_from_slice(&table.to_be_bytes());
        body.extend_from_slice(&attribute.to_be_bytes());
        body.extend_from_slice(&oid.to_be_bytes());
        body.extend_from_slice(&[0xff; 6]);
        body.extend_from_slice(&format.to_be_bytes());
    }
    message(b'T', &body)
}

pub(crate) fn row(cells: &[Option<&[u8]>]) -> Vec<u8> {
    let mut body = u16::try_from(cells.len()).expect("few").to_be_bytes().to_vec();
    for cell in cells {
        match cell {
            None => body.extend_from_slice(&[0xff; 4]),
            Some(cell) => {
                body.extend_from_slice(&u32::try_from(cell.len()).expect("short").to_be_bytes());
                body.extend_from_slice(cell);
            }
        }
    }
    message(b'D', &body)
}

pub(crate) fn complete(tag: &str) -> Vec<u8> {
    message(b'C', &[tag.as_bytes(), b"\0"].concat())
}

pub(crate) fn ready(status: u8) -> Vec<u8> {
    message(b'Z', &[status])
}

pub(crate) fn error(code: &str, words: &str) -> Vec<u8> {
    report(b'E', "ERROR", code, words)
}

pub(crate) fn report(tag: u8, severity: &str, code: &str, words: &str) -> Vec<u8> {
    message(tag, format!("S{severity}\0V{severity}\0C{code}\0M{words}\0\0").as_bytes())
}

pub(crate) fn setting(name: &str, value: &str) -> Vec<u8> {
    message(b'S', format!("{name}\0{value}\0").as_bytes())
}

/// What fails in the place of a refused statement.
pub(crate) fn failing_query() -> Vec<u8> {
    query("pangate refused this statement")
}

pub(crate) fn failing_parse() -> Vec<u8> {
    parse("pangate_refused", "pangate refused this statement")
}

/// How the target says that it failed.
pub(crate) fn syntax_error() -> Vec<u8> {
    error("42601", "syntax error at or near \"pangate\"")
}

pub(crate) fn account(tls: ServerTls) -> Account {
    Account {
        user: "settlement_rw".into(),
        password: "geheim".into(),
        database: "work".into(),
        tls,
        mask: scan::Format::Last4,
    }
}

/// The messages with which a target that asks for no password opens a session.
pub(crate) fn greeting() -> Vec<u8> {
    [
        message(b'R', &[0; 4]),
        setting("client_encoding", "UTF8"),
        setting("standard_conforming_strings", "on"),
        setting("session_authorization", "settlement_rw"),
        message(b'K', &[0, 0, 0, 9, 1, 1, 1, 1]),
        ready(b'I'),
    ]
    .concat()
}

pub(crate) fn driver(config: Config, mut judge: impl FnMut(&Asked) -> Verdict + 'static) -> Driver<Session> {
    let judge: Judge = Box::new(move |asked| match asked {
        Asked::Login { .. } => Verdict::Admit(account(ServerTls::Off)),
        Asked::Cancel(..) => Verdict::Done,
        command => judge(command),
    });
    Driver::new(Session::new(config), judge)
}

/// A session that is open, with nothing left to take or tell.
pub(crate) fn open(judge: impl FnMut(&Asked) -> Verdict + 'static) -> Driver<Session> {
    open_with(Config::default(), judge)
}

pub(crate) fn open_with(config: Config, judge: impl FnMut(&Asked) -> Verdict + 'static) -> Driver<Session> {
    let mut driver = driver(config, judge);
    driver.feed(Side::Client, &startup(&[("user", "job")]));
    driver.feed(Side::Client, &password("token"));
    driver.connected();
    driver.feed(Side::Server, &greeting());
    assert_eq!(driver.error, None);
    driver.take(Side::Client);
    driver.take(Side::Server);
    driver.events.clear();
    driver.asked.clear();
    driver
}

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

/// The ErrorResponse of [`refuse_bad`].
pub(crate) fn refusal() -> Vec<u8> {
    error("42501", "refused by rule no-bad")
}

/// A session's messages to one side, by tag.
pub(crate) fn tags(mut bytes: &[u8]) -> String {
    let mut tags = String::new();
    while let Some((tag, rest)) = bytes.split_first() {
        tags.push(char::from(*tag));
        let length = u32::from_be_bytes(rest[..4].try_into().expect("a length"));
        bytes = &rest[usize::try_from(length).expect("a length")..];
    }
    tags
}
