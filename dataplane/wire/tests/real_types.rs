//! Card numbers in every type of a real PostgreSQL, in text and binary, by every way that rows take: no form of the
//! number comes through the engine.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod driver;
mod postgres;
mod server;

use std::io::{Read, Write};
use std::net::TcpStream;

use driver::{Asked, Verdict};
use postgres::*;
use server::{Gateway, Server};

const PAN: &str = "4111111111111111";
const NUMBER: i64 = 4_111_111_111_111_111;

fn allow_all(_: &Asked) -> Verdict {
    Verdict::Allow
}

/// A client that says what it is told to.
struct Raw(TcpStream);

impl Raw {
    fn connect(port: u16, database: &str, user: &str) -> Self {
        let mut raw = Self(TcpStream::connect(("127.0.0.1", port)).unwrap());
        raw.0.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
        raw.0.write_all(&startup(&[("user", user), ("database", database)])).unwrap();
        let (_, body) = raw.message().unwrap();
        if body == [0, 0, 0, 3] {
            raw.0.write_all(&password("token")).unwrap();
        }
        raw.until_ready();
        raw
    }

    fn message(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut header = [0; 5];
        self.0.read_exact(&mut header).ok()?;
        let length = u32::from_be_bytes(header[1..].try_into().unwrap()) as usize;
        let mut body = vec![0; length - 4];
        self.0.read_exact(&mut body).unwrap();
        Some((header[0], body))
    }

    /// All bodies up to the next ReadyForQuery, behind each other.
    fn until_ready(&mut self) -> Vec<(u8, Vec<u8>)> {
        let mut seen = Vec::new();
        loop {
            let last =
                seen.last().map(|(_, body): &(u8, Vec<u8>)| String::from_utf8_lossy(body).into_owned());
            let (tag, body) = self.message().unwrap_or_else(|| panic!("the session ended: {last:?}"));
            if tag == b'Z' {
                return seen;
            }
            seen.push((tag, body));
        }
    }

    fn say(&mut self, bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        self.0.write_all(bytes).unwrap();
        self.until_ready()
    }
}

/// What would be the card's number, in each form that it can have in bytes.
fn forms() -> Vec<(&'static str, Vec<u8>)> {
    let digits = |separator: &str| {
        let groups: Vec<&str> = (0..16).map(|at| &PAN[at..=at]).collect();
        groups.join(separator).into_bytes()
    };
    let hex: String = PAN.bytes().map(|byte| format!("{byte:02x}")).collect();
    let thousands = "4,111,111,111,111,111";
    vec![
        ("digits", PAN.into()),
        ("hexadecimal digits", hex.into()),
        ("digits of hexadecimal pairs", digits("").chunks(2).collect::<Vec<_>>().join(&b':')),
        ("thousands", thousands.into()),
        ("a float", "4.111111111111111e+15".into()),
        ("a rounded float", "4.11111111111111e+15".into()),
        ("int8", NUMBER.to_be_bytes().into()),
        ("int8 as money", (NUMBER * 100).to_be_bytes().into()),
        ("float8", (NUMBER as f64).to_be_bytes().into()),
        ("numeric", [4111_u16, 1111, 1111, 1111].map(u16::to_be_bytes).concat()),
        ("hexadecimal", 0x4111_1111_1111_1111_u64.to_be_bytes().into()),
        ("bits", format!("{NUMBER:052b}").into()),
    ]
}

/// Each form that stands in the answers.
fn found(what: &str, answers: &[(u8, Vec<u8>)]) -> Vec<String> {
    let mut found = Vec::new();
    for (tag, body) in answers {
        for (form, bytes) in forms() {
            if body.windows(bytes.len()).any(|window| window == bytes) {
                let shown = String::from_utf8_lossy(body);
                found.push(format!("{what}: {form} in a {}: {shown:?}", char::from(*tag)));
            }
        }
    }
    found
}

fn check(what: &str, answers: &[(u8, Vec<u8>)]) {
    let found = found(what, answers);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

const SCHEMA: &str = "
    create extension hstore; create extension citext; create extension ltree; create extension cube;
    create domain number as int8; create domain amount as numeric; create domain raw as bytea;
    create type card as (id int4, pan int8, amount numeric, raw bytea);
    create type holder as (name text, card card, cards card[]);
    create type owned as (pan number, amount amount, raw raw);
    create type kind as enum ('4111111111111111', 'CANCELED', 'APPROVED');
    create type spans as range (subtype = numeric);
    create table cards (pan text, n int8);
    insert into cards select '4111111111111111', 4111111111111111 from generate_series(1, 100);
    analyze cards";

/// Every way to say the number, as an expression of SQL.
fn expressions() -> Vec<String> {
    let mut all: Vec<String> = [
        "text",
        "varchar",
        "bpchar",
        "char(20)",
        "name",
        "citext",
        "bytea",
        "int8",
        "numeric",
        "numeric(20,2)",
        "numeric(30,10)",
        "float8",
        "money",
        "json",
        "jsonb",
        "xid8",
        "tsvector",
        "tsquery",
        "jsonpath",
        "ltree",
        "lquery",
        "kind",
        "refcursor",
        "macaddr8",
    ]
    .iter()
    .map(|of| format!("'{PAN}'::{of}"))
    .collect();
    all.extend(
        [
            "'4111111111111111'",
            "-4111111111111111",
            "xmlelement(name a, '4111111111111111', ' ', 4111111111111111)",
            "'\\x01'::bytea || '4111111111111111'::bytea",
            "array['\\x01'::bytea || '4111111111111111'::bytea]",
            "repeat(' ', 36)::bytea || '4111111111111111'::bytea",
            "4111111111111111::int8::bit(64)",
            "4111111111111111::int8::bit(60)",
            "4111111111111111::int8::bit(100)::varbit",
            "'{\"pan\": 4111111111111111, \"cvv\": 737}'::json",
            "'{\"pan\": 4.111111111111111E15}'::json",
            "'[\"4111111111111111\", -4111111111111111, 4111111111111111.50, 41.11111111111111e14]'::json",
            "'[\"4111111111111111\", -4111111111111111, 4111111111111111.50]'::jsonb",
            "array[['4111111111111111'::jsonb, '1'], ['2', '3']]",
            "array[[4111111111111111, 1], [2, -4111111111111111]]",
            "array[4111111111111111::numeric, null, 1.5]",
            "array[4111111111111111::float8, 'NaN']",
            "array[4111111111111111::money]",
            "array['4111111111111111'::text]",
            "array['4111111111111111'::name]",
            "array['4111111111111111'::citext]",
            "array['4111111111111111'::xid8]",
            "array['4111111111111111'::varchar, '4111-1111-1111-1111']",
            "array['\\x34313131313131313131313131313131'::bytea]",
            "row(4111111111111111)",
            "row('4111111111111111', 4111111111111111, 4111111111111111::numeric, 4111111111111111::float8)",
            "row(1, 4111111111111111, 4111111111111111, '4111111111111111')::card",
            "row(4111111111111111, 4111111111111111, '4111111111111111')::owned",
            "row('a', row(1, 4111111111111111, 2, 'x')::card, array[row(1, 1, 4111111111111111, '4111111111111111')::card])::holder",
            "array[row(1, 4111111111111111, 2, 'x')::card]",
            "array[row(4111111111111111), row('4111111111111111')]",
            "array[4111111111111111::number]",
            "int8range(4111111111111111, null)",
            "int8range(4111111111111111, 4111111111111112)",
            "numrange(1, 4111111111111111)",
            "spans(4111111111111111, null)",
            "int8multirange(int8range(4111111111111111, 4111111111111119))",
            "nummultirange(numrange(1, 4111111111111111), numrange(4111111111111112, null))",
            "spansmultirange(spans(4111111111111111, null))",
            "array[int8range(4111111111111111, null)]",
            "hstore('pan', '4111111111111111')",
            "hstore('4111111111111111', null)",
            "hstore('pan', rpad('4111111111111111', 52))",
            "hstore('pan', repeat(' ', 36) || '4111111111111111')",
            "'a:52 4111111111111111:1'::tsvector",
            "'b & !4111111111111111 <2> 4111111111111111:*'::tsquery",
            "array['4111111111111111'::tsvector]",
            "'$.pan ? (@ == 4111111111111111)'::jsonpath",
            "'4111111111111111:4111111111111119:4111111111111112'::txid_snapshot",
            "'4111111111111111:4111111111111119:'::pg_snapshot",
            "point(4111111111111111, 1)",
            "lseg(point(1, 4111111111111111), point(1, 2))",
            "path(polygon(box(point(4111111111111111, 1), point(4111111111111111, 2))))",
            "box(point(4111111111111111, 1), point(1, 2))",
            "polygon(box(point(4111111111111111, 1), point(1, 2)))",
            "circle(point(1, 2), 4111111111111111)",
            "line(4111111111111111, 1, 2)",
            "array[point(4111111111111111, 1)]",
            "cube(array[4111111111111111::float8, 1])",
            "'0/0'::pg_lsn + 4111111111111111",
            "(select most_common_vals from pg_stats where tablename = 'cards' and attname = 'n')",
            "(select most_common_vals from pg_stats where tablename = 'cards' and attname = 'pan')",
            "(select array_agg(c) from cards c)",
            "(select c from cards c limit 1)",
            "(select json_agg(c) from cards c)",
        ]
        .map(str::to_owned),
    );
    // Deeper than is looked into, too.
    for depth in [7, 8, 9, 20, 31, 32, 33, 40] {
        all.push(format!("{}4111111111111111{}", "row(".repeat(depth), ")".repeat(depth)));
    }
    all
}

/// Parsed, bound for binary results, executed; described or not.
fn executed(statement: &str, format: u16, described: bool) -> Vec<u8> {
    let described = if described { describe(b'P', "") } else { Vec::new() };
    [parse("", statement), bind("", "", &[format]), described, execute(""), sync()].concat()
}

#[test]
fn no_type_lets_a_card_number_through() {
    let server = Server::start();
    server.sql_in("work", SCHEMA);
    let gateway = Gateway::start(&server, "owner", "", allow_all);
    let mut direct = Raw::connect(server.port, "work", "owner");
    let mut client = Raw::connect(gateway.port, "work", "job");
    let (mut seen_directly, mut ways) = (0, 0);
    let mut leaks = Vec::new();
    for expression in expressions() {
        // As text, each level doubles the quotes of the ones inside.
        let deep = expression.matches("row(").count() > 9;
        let select = format!("select {expression} as v");
        let copy = |options: &str| query(&format!("copy ({select}) to stdout {options}"));
        let cursor = |kind: &str| {
            let fetch = query("fetch all from c");
            let declare = query(&format!("begin; declare c {kind} cursor for {select}"));
            (declare, [fetch, executed("fetch backward all from c", 1, false), query("commit")].concat())
        };
        for (way, asked) in [
            ("text", query(&select)),
            (
                "escape",
                query(&format!("set bytea_output = escape; set extra_float_digits = 0; {select}; reset all")),
            ),
            ("extended text", executed(&select, 0, false)),
            ("extended text, described", executed(&select, 0, true)),
            ("binary", executed(&select, 1, false)),
            ("binary, described", executed(&select, 1, true)),
            ("copy", copy("")),
            ("csv", copy("(format csv, force_quote *, quote '''', delimiter ';')")),
            ("binary copy", copy("(format binary)")),
        ] {
            if deep && !way.starts_with("binary") {
                continue;
            }
            let answers = client.say(&asked);
            // That it is of these types nothing says in COPY as text: see SECURITY.md.
            let unseen = expression.contains("macaddr") || expression.contains("::bit");
            if unseen && matches!(way, "copy" | "csv") {
                continue;
            }
            leaks.extend(found(&format!("{way} of {expression}"), &answers));
            ways += 1;
            let theirs = direct.say(&asked);
            let tags = |answers: &[(u8, Vec<u8>)]| answers.iter().map(|(tag, _)| *tag).collect::<Vec<_>>();
            assert_eq!(tags(&answers), tags(&theirs), "{way} of {expression}");
            for ((_, ours), (_, theirs)) in answers.iter().zip(&theirs) {
                assert_eq!(ours.len(), theirs.len(), "{way} of {expression}");
            }
            let shown =
                |body: &[u8]| forms().iter().any(|(_, form)| body.windows(form.len()).any(|w| w == form));
            seen_directly += usize::from(theirs.iter().any(|(_, body)| shown(body)));
        }
        for kind in ["", "binary"].into_iter().filter(|kind| !deep || *kind == "binary") {
            let (declare, fetches) = cursor(kind);
            client.say(&declare);
            client.0.write_all(&fetches).unwrap();
            for _ in 0..3 {
                leaks.extend(found(&format!("{kind} cursor of {expression}"), &client.until_ready()));
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    // The check sees what it looks for.
    assert!(seen_directly * 10 > ways * 7, "{seen_directly} of {ways}");
}

#[test]
fn portals_go_on_and_stay_masked() {
    let server = Server::start();
    let gateway = Gateway::start(&server, "owner", "", allow_all);
    let mut client = Raw::connect(gateway.port, "work", "job");
    let statement = "select 4111111111111111 as n, '4111111111111111' as t from generate_series(1, 10)";
    let some =
        |portal: &str, rows: u32| message(b'E', &[portal.as_bytes(), b"\0", &rows.to_be_bytes()].concat());
    let flush = message(b'H', b"");
    let asked = [
        parse("s", statement),
        bind("p", "s", &[1]),
        bind("q", "s", &[0]),
        some("p", 3),
        some("q", 2),
        some("p", 3),
        flush,
        some("q", 100),
        describe(b'P', "p"),
        some("p", 4),
        some("p", 4),
        sync(),
    ];
    let answers = client.say(&asked.concat());
    check("portals", &answers);
    let tags: String = answers.iter().map(|(tag, _)| char::from(*tag)).collect();
    assert_eq!(tags, "122DDDsDDsDDDsDDDDDDDDCTDDDDsC");
    // A portal goes on in the next batch of a transaction.
    client.say(&query("begin"));
    client.say(&[bind("p", "s", &[1]), some("p", 1), sync()].concat());
    let answers = client.say(&[some("p", 20), sync()].concat());
    check("a portal's second batch", &answers);
    assert_eq!(answers.iter().filter(|(tag, _)| *tag == b'D').count(), 9);
    client.say(&query("commit"));
}

#[test]
fn how_bytes_are_read_is_pinned() {
    let server = Server::start();
    let gateway = Gateway::start(&server, "owner", "", allow_all);
    let mut client = Raw::connect(gateway.port, "work", "job");
    for refused in [
        "set client_encoding = 'GB18030'",
        "set names 'LATIN1'; select 1",
        "select set_config('client_encoding', 'JOHAB', false)",
        "set standard_conforming_strings = off",
    ] {
        for asked in [query(refused), executed(refused, 0, false)] {
            let answers = client.say(&asked);
            let told = answers
                .iter()
                .any(|(tag, body)| *tag == b'E' && body.windows(5).any(|code| code == b"22023"));
            assert!(told || refused.contains(';'), "{refused}");
            assert!(!answers.iter().any(|(tag, _)| *tag == b'D'), "{refused}");
        }
    }
    client.say(&query("set client_encoding to 'utf-8'"));
    // What the words do not say: rows in the other encoding are masked, and then the session ends. In GB18030 U+0452
    // is 0x81308130: before a number, it reads as its first digit.
    for (name, value, probe) in [
        ("client_encoding", "GB18030", "select chr(1106) || '4111111111111111' || chr(1106)"),
        ("client_encoding", "JOHAB", "select '4111111111111111'"),
        ("client_encoding", "SQL_ASCII", "select '4111111111111111'"),
        ("standard_conforming_strings", "off", "select '4111111111111111'"),
    ] {
        let mut client = Raw::connect(gateway.port, "work", "job");
        let set = format!(
            "do $$ begin perform set_config('{}' || '{}', '{value}', false); end $$",
            &name[..4],
            &name[4..]
        );
        client.0.write_all(&query(&format!("{set}; {probe}"))).unwrap();
        let mut seen = Vec::new();
        while let Some(message) = client.message() {
            seen.push(message);
        }
        check(value, &seen);
        let tags: String = seen.iter().map(|(tag, _)| char::from(*tag)).collect();
        assert_eq!(tags, "CTDCE", "{value}");
    }
    // Defaults of a role and a database: the gateway's own start-up overrides one, the other ends the session at once.
    server.sql_in("work", "alter role owner set client_encoding = 'LATIN1'");
    let mut client = Raw::connect(gateway.port, "work", "job");
    check("a role's default", &client.say(&query("select '4111111111111111', client_encoding()")));
    server.sql_in("work", "alter database work set standard_conforming_strings = off");
    let mut client = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    client
        .write_all(&[startup(&[("user", "job"), ("database", "work")]), password("token")].concat())
        .unwrap();
    let mut seen = Vec::new();
    client.read_to_end(&mut seen).unwrap();
    assert!(String::from_utf8_lossy(&seen).contains("standard_conforming_strings is not on"));
    // A database without an encoding: its bytes are what they are.
    server.sql("create database bytes encoding 'SQL_ASCII' template template0 lc_collate 'C' lc_ctype 'C'");
    server.sql_in("bytes", "create table t as select E'\\x81\\x34' || '4111111111111111' as v");
    let direct = Raw::connect(server.port, "bytes", "owner").say(&query("select v from t"));
    assert!(!found("direct", &direct).is_empty());
    let gateway = Gateway::start_in(&server, "bytes", "owner", allow_all);
    let mut client = Raw::connect(gateway.port, "bytes", "job");
    for asked in [query("select v from t"), executed("select v from t", 1, true), query("copy t to stdout")] {
        check("no encoding", &client.say(&asked));
    }
}

#[test]
fn what_the_target_says_by_the_way_is_masked() {
    let server = Server::start();
    let gateway = Gateway::start(&server, "owner", "", allow_all);
    let mut client = Raw::connect(gateway.port, "work", "job");
    for (statement, tag) in [
        (
            "do $$ begin raise notice '%', 4111111111111111::float8 using detail = '4111111111111111', hint = '4111 1111 1111 1111', schema = '4111111111111111', table = '4111111111111111', column = '4111111111111111', datatype = '4111111111111111', constraint = '4111111111111111'; end $$",
            b'N',
        ),
        (
            "do $$ begin raise exception '4111111111111111' using detail = '4.111111111111111e+15', hint = '\\x34313131313131313131313131313131', schema = '4111111111111111', errcode = '22012'; end $$",
            b'E',
        ),
        ("select '4111111111111111'::int4", b'E'),
        ("select 4111111111111111::int4 + 4111111111111111", b'E'),
        ("set application_name = '4111111111111111'", b'S'),
        ("set datestyle = '4111111111111111'", b'E'),
        (
            "listen \"4111111111111111\"; notify \"4111111111111111\", '4.111111111111111e+15 4111111111111111'",
            b'A',
        ),
        ("select 1 as \"4111111111111111\"", b'T'),
    ] {
        let mut answers = client.say(&query(statement));
        answers.extend(client.say(&query("select 1")));
        check(statement, &answers);
        assert!(answers.iter().any(|(each, _)| *each == tag), "{statement}: no {}", char::from(tag));
    }
}
