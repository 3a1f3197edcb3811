//! Where columns come from: labelled ones are masked whatever they hold, under any name, type and format, and whether
//! the client asks for a description or not.
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

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use driver::{Driver, Verdict};
use postgres::*;
use wire::postgres::{Config, Session};
use wire::{Event, LabelledColumn, Origins, Relation, RelationKind, Side, Watch};

const CARDS: u32 = 100;
const OTHERS: u32 = 200;
const VIEW: u32 = 300;

fn origins() -> Arc<Origins> {
    let relation = |oid, kind| Relation { oid, kind, attributes: 9 };
    let column = |attribute, card| LabelledColumn { table: CARDS, attribute, card };
    Arc::new(Origins::new(
        vec![
            relation(CARDS, RelationKind::Table),
            relation(OTHERS, RelationKind::Table),
            relation(VIEW, RelationKind::View),
        ],
        vec![column(2, true), column(3, false)],
    ))
}

const WATCH: Watch = Watch {
    labels: true,
    computed: false,
    unsettled: false,
    carried: false,
    spilled: false,
    opaque: false,
    derives: false,
    untraced: false,
};

fn labelled(watch: Watch) -> Driver<Session> {
    let origins = origins();
    open(move |_| Verdict::Labelled(Arc::clone(&origins), watch, 1))
}

/// One row's cells as a client gets them.
fn cells(mut row: &[u8]) -> Vec<Vec<u8>> {
    row = &row[7..];
    let mut cells = Vec::new();
    while !row.is_empty() {
        let length = u32::from_be_bytes(row[..4].try_into().unwrap()) as usize;
        cells.push(row[4..4 + length].to_vec());
        row = &row[4 + length..];
    }
    cells
}

/// What a session lets through of one row of these columns.
fn seen(watch: Watch, columns: &[(u32, i16, u32, u16)], values: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut session = labelled(watch);
    session.feed(Side::Client, &query("select"));
    session.feed(Side::Server, &description_of(columns));
    session.take(Side::Client);
    let values: Vec<_> = values.iter().map(|value| Some(*value)).collect();
    session.feed(Side::Server, &row(&values));
    assert_eq!(session.error, None);
    cells(&session.take(Side::Client))
}

#[test]
fn labelled_columns_are_masked_whole_and_others_are_not() {
    let columns = [
        (CARDS, 1, 23, 0),
        (CARDS, 2, 25, 0),
        (CARDS, 3, 25, 0),
        (CARDS, 3, 23, 1),
        (OTHERS, 3, 25, 0),
        (0, 0, 25, 0),
    ];
    let values: [&[u8]; 6] = [b"17", b"1234567890123456", b"123", &[0, 0, 0, 123], b"123", b"123"];
    let plain = seen(WATCH, &columns, &values);
    assert_eq!(plain[0], b"17");
    assert_eq!(plain[1], b"************3456", "no card number, but labelled as one");
    assert_eq!(plain[2], b"***");
    assert_eq!(plain[3], 100_i32.to_be_bytes());
    assert_eq!(plain[4..], [b"123".to_vec(), b"123".to_vec()]);
    let touching = seen(Watch { computed: true, ..WATCH }, &columns, &values);
    assert_eq!(touching[4..], [b"123".to_vec(), b"***".to_vec()]);
}

#[test]
fn what_is_not_known_is_hidden_and_told() {
    let columns = [(400, 1, 25, 0), (OTHERS, 10, 25, 0), (VIEW, 1, 25, 0)];
    let values: [&[u8]; 3] = [b"abc", b"4111111111111111", b"abc"];
    let hidden = seen(WATCH, &columns, &values);
    assert_eq!(hidden, [b"***".to_vec(), b"****************".to_vec(), b"abc".to_vec()]);
    let unsettled = seen(Watch { unsettled: true, ..WATCH }, &columns, &values);
    assert_eq!(unsettled[2], b"***");
    let mut session = labelled(WATCH);
    session.feed(Side::Client, &query("select"));
    session.feed(Side::Server, &description_of(&columns[..1]));
    assert!(session.events.contains(&Event::UnknownOrigin));
}

/// Every type, in text and binary: as long as before, nothing of the value, and still of its type where that can be.
#[test]
fn every_type_is_masked_whole() {
    let cases: &[(u32, u16, &[u8], &[u8])] = &[
        (16, 0, b"t", b"f"),
        (16, 1, &[1], &[0]),
        (21, 0, b"-123", b"-100"),
        (21, 1, &[0, 123], &[0, 100]),
        (23, 0, b"0", b"1"),
        (23, 1, &[0, 0, 0, 0], &[0, 0, 0, 1]),
        (20, 1, &[0, 0, 0, 0, 0, 0, 0, 99], &[0, 0, 0, 0, 0, 0, 0, 10]),
        (700, 0, b"1.5", b"0.0"),
        (700, 1, &1.5_f32.to_be_bytes(), &[0; 4]),
        (701, 0, b"NaN", b"000"),
        (701, 1, &1.5_f64.to_be_bytes(), &[0; 8]),
        (701, 0, b"-1.5e+10", b"-0.0e+00"),
        (1700, 0, b"428.75", b"000.00"),
        (1700, 1, &[0, 2, 0, 0, 0, 0, 0, 2, 1, 172, 29, 76], &[0, 2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]),
        (1082, 0, b"2029-12-31", b"1111-11-11"),
        (1082, 1, &[0, 0, 1, 2], &[0; 4]),
        (1184, 0, b"2029-12-31 23:59:59.5+02", b"1111-11-11 11:11:11.1+11"),
        (1184, 1, &[1; 8], &[0; 8]),
        (1186, 0, b"2 days 03:04:05", b"1 days 11:11:11"),
        (2950, 0, b"0af0-12", b"0000-00"),
        (2950, 1, &[7; 16], &[0; 16]),
        (869, 0, b"10.1.2.3", b"11.1.1.1"),
        (869, 1, &[2, 32, 0, 4, 10, 1, 2, 3], &[2, 32, 0, 4, 0, 0, 0, 0]),
        (17, 0, b"\\x0a0b", b"\\x0000"),
        (17, 1, &[1, 2, 3], b"***"),
        (114, 0, b"{\"cvv\": 123}", b"\"**********\""),
        (3802, 1, b"\x01{\"a\":1}", b"\x01\"*****\""),
        (3802, 0, b"7", b"0"),
        (25, 0, "ab-\u{e9}9".as_bytes(), b"******"),
        (25, 0, b"!@#$%^", b"******"),
        (1043, 1, b"!@ #", b"****"),
        (25, 1, b"x 1", b"***"),
        (1042, 1, b"123", b"***"),
        (18, 1, b"7", b"*"),
        (1007, 0, b"{1,22,NULL}", b"{1,11,NULL}"),
        (1009, 0, b"{ab,\"c d\"}", b"{********}"),
        (3904, 0, b"[20,100)", b"[11,111)"),
        (1560, 0, b"101", b"000"),
        (1560, 1, &[0, 0, 0, 3, 0xa0], &[0, 0, 0, 3, 0]),
        (16_500, 0, b"gold", b"****"),
        (16_500, 1, b"gold", b"****"),
        (
            1007,
            1,
            &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 77],
            &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 10],
        ),
        (
            2249,
            1,
            &[0, 0, 0, 1, 0, 0, 0, 25, 0, 0, 0, 2, b'7', b'7'],
            &[0, 0, 0, 1, 0, 0, 0, 25, 0, 0, 0, 2, b'*', b'*'],
        ),
        (
            3904,
            1,
            &[2, 0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0, 4, 0, 0, 0, 99],
            &[2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 10],
        ),
        (600, 1, &[9; 16], &[[0x3f, 0xf0, 0, 0, 0, 0, 0, 0]; 2].concat()),
    ];
    for (oid, format, value, masked) in cases {
        let got = seen(WATCH, &[(CARDS, 3, *oid, *format)], &[value]);
        assert_eq!(got, [masked.to_vec()], "type {oid} format {format}");
    }
}

#[test]
fn a_null_stays_null() {
    let mut session = labelled(WATCH);
    session.feed(Side::Client, &query("select"));
    session.feed(Side::Server, &description_of(&[(CARDS, 3, 25, 0)]));
    session.take(Side::Client);
    session.feed(Side::Server, &row(&[None]));
    assert_eq!(session.take(Side::Client), row(&[None]));
}

#[test]
fn long_values_are_masked_whole_in_parts() {
    for (oid, format, byte, head, end) in [
        (25, 0, b'7', b'*', b'*'),
        (25, 1, b'7', b'*', b'*'),
        (114, 0, b'7', b'"', b'"'),
        (17, 1, b'\x01', b'*', b'*'),
        (16_500, 1, b'7', b'*', b'*'),
    ] {
        let value = vec![byte; 100_000];
        let got = seen(WATCH, &[(CARDS, 3, oid, format)], &[&value]);
        assert_eq!(got[0].len(), value.len());
        assert_eq!((got[0][0], got[0][50_000], got[0][99_999]), (head, b'*', end), "{oid} {format}");
        assert!(!got[0].contains(&byte));
    }
    // Elements of a long array stay elements.
    let mut array = [0_u32, 1, 0, 25, 10_000, 1].map(u32::to_be_bytes)[1..].concat();
    for _ in 0..10_000 {
        array.extend_from_slice(&[0, 0, 0, 3, b'1', b'2', b'3']);
    }
    let got = seen(WATCH, &[(CARDS, 3, 1009, 1)], &[&array]);
    assert_eq!(got[0][..20], array[..20]);
    assert!(got[0][20..].chunks(7).all(|element| element == [0, 0, 0, 3, b'*', b'*', b'*']));
}

#[test]
fn a_client_that_asks_for_no_description_gets_what_it_hides() {
    let mut session = labelled(WATCH);
    session.feed(Side::Client, &[parse("s", "select cvv from cards"), sync()].concat());
    session.feed(Side::Server, &[message(b'1', b""), ready(b'I')].concat());
    session.take(Side::Server);
    session.take(Side::Client);
    let batch = [bind("", "s", &[1]), execute(""), sync()].concat();
    session.feed(Side::Client, &batch);
    let sent = session.take(Side::Server);
    assert_eq!(tags(&sent), "BDES", "the gateway asks");
    let answer = [
        message(b'2', b""),
        description_of(&[(CARDS, 3, 23, 0)]),
        row(&[Some(&[0, 0, 0, 123])]),
        complete("SELECT 1"),
        ready(b'I'),
    ]
    .concat();
    session.feed(Side::Server, &answer);
    assert_eq!(session.error, None);
    let got = session.take(Side::Client);
    assert_eq!(tags(&got), "2DCZ", "the client is not told");
    assert!(got.windows(4).any(|four| four == 100_i32.to_be_bytes()));
    assert!(!got.windows(4).any(|four| four == 123_i32.to_be_bytes()));
    // It is known from then on.
    session.feed(Side::Client, &batch);
    assert_eq!(tags(&session.take(Side::Server)), "BES");
    let answer = [message(b'2', b""), row(&[Some(&[0, 0, 0, 123])]), complete("SELECT 1"), ready(b'I')];
    session.feed(Side::Server, &answer.concat());
    assert!(session.take(Side::Client).windows(4).any(|four| four == 100_i32.to_be_bytes()));
}

#[test]
fn a_description_is_asked_for_again_when_names_may_stand_for_others() {
    let generation = Rc::new(Cell::new(1));
    let (origins, now) = (origins(), Rc::clone(&generation));
    let mut session =
        open_with(Config::default(), move |_| Verdict::Labelled(Arc::clone(&origins), WATCH, now.get()));
    session.feed(Side::Client, &[parse("s", "select a from t"), describe(b'S', "s"), sync()].concat());
    let columns = description_of(&[(OTHERS, 1, 23, 0)]);
    session.feed(Side::Server, &[message(b'1', b""), message(b't', &[0, 0]), columns, ready(b'I')].concat());
    session.take(Side::Server);
    let batch = [bind("", "s", &[]), execute(""), sync()].concat();
    let answer = [message(b'2', b""), row(&[Some(b"123")]), complete("SELECT 1"), ready(b'I')].concat();
    session.feed(Side::Client, &batch);
    assert_eq!(tags(&session.take(Side::Server)), "BES", "described");
    session.feed(Side::Server, &answer);
    session.take(Side::Client);
    generation.set(2);
    session.feed(Side::Client, &batch);
    assert_eq!(tags(&session.take(Side::Server)), "BDES");
    let columns = description_of(&[(CARDS, 3, 23, 0)]);
    let answer = [message(b'2', b""), columns, row(&[Some(b"123")]), complete("SELECT 1"), ready(b'I')];
    session.feed(Side::Server, &answer.concat());
    let got = session.take(Side::Client);
    assert_eq!(tags(&got), "2DCZ");
    assert!(got.windows(3).any(|three| three == b"100") && !got.windows(3).any(|three| three == b"123"));
}

#[test]
fn a_description_that_fails_leaves_no_trace() {
    let mut session = labelled(WATCH);
    session.feed(Side::Client, &[parse("", "select 1"), bind("", "", &[]), execute(""), sync()].concat());
    assert_eq!(tags(&session.take(Side::Server)), "PBDES");
    session.feed(Side::Server, &[message(b'1', b""), error("22P02", "no"), ready(b'I')].concat());
    assert_eq!(session.error, None);
    assert_eq!(tags(&session.take(Side::Client)), "1EZ");
    // A statement without rows: nothing to describe.
    session.feed(Side::Client, &[parse("", "delete"), bind("", "", &[]), execute(""), sync()].concat());
    let answer =
        [message(b'1', b""), message(b'2', b""), message(b'n', b""), complete("DELETE 1"), ready(b'I')];
    session.feed(Side::Server, &answer.concat());
    assert_eq!(session.error, None);
    assert_eq!(tags(&session.take(Side::Client)), "12CZ");
}

#[test]
fn what_the_target_says_of_values_is_hidden_where_a_label_is_touched() {
    let said = |watch: Watch, code: &str, words: &str| {
        let mut session = labelled(watch);
        session.feed(Side::Client, &query("select"));
        session.feed(Side::Server, &error(code, words));
        String::from_utf8_lossy(&session.take(Side::Client)).into_owned()
    };
    let touching = Watch { computed: true, ..WATCH };
    let opaque = Watch { opaque: true, ..touching };
    let words = "invalid input syntax for type date: \"a123\"";
    assert!(said(WATCH, "22007", words).contains("\"a123\""));
    let hidden = said(touching, "22007", words);
    assert!(hidden.contains("type date: \"****\"") && hidden.contains("22007"), "{hidden}");
    // Values turn up as names too: a cast to regclass says them with a code of class 42.
    assert!(!said(touching, "42P01", "relation \"a!@#\" does not exist").contains("!@#"));
    assert!(!said(touching, "22003", "index 731 out of valid range, 0..0").contains("731"));
    assert!(said(touching, "57014", "canceling statement due to user request").contains("user request"));
    assert!(!said(opaque, "42000", "raised 123").contains("123"));
    let detail = |watch| {
        let mut session = labelled(watch);
        session.feed(Side::Client, &query("insert"));
        let body = b"SERROR\0VERROR\0C23505\0Mduplicate key\0DKey (cvv)=(123) already exists.\0\0";
        session.feed(Side::Server, &message(b'E', body));
        String::from_utf8_lossy(&session.take(Side::Client)).into_owned()
    };
    assert!(detail(WATCH).contains("(123)") && !detail(touching).contains("123"));
}

#[test]
fn a_copy_of_what_touches_a_label_does_not_begin() {
    let mut session = labelled(Watch { computed: true, ..WATCH });
    session.feed(Side::Client, &query("copy"));
    session.feed(Side::Server, &message(b'H', &[0, 0, 1, 0, 0]));
    assert!(session.error.is_some());
    assert_eq!(tags(&session.take(Side::Client)), "E");
}

#[test]
fn a_copy_of_masked_values_is_failed_however_it_is_cut() {
    let good = b"1\tfine\n";
    let bad = b"2\t************1111\n";
    for cut in 1..bad.len() {
        let mut session = open(allow);
        session.feed(Side::Client, &query("copy t from stdin"));
        session.feed(Side::Server, &message(b'G', &[0, 0, 1, 0, 0]));
        session.take(Side::Server);
        session.take(Side::Client);
        let (one, two) = bad.split_at(cut);
        let data = [message(b'd', good), message(b'd', one), message(b'd', two), message(b'c', b"")].concat();
        session.feed(Side::Client, &data);
        let sent = session.take(Side::Server);
        assert!(tags(&sent).ends_with('f') && !tags(&sent).contains('c'), "{cut}: {}", tags(&sent));
        session.feed(Side::Server, &[error("57014", "COPY from stdin failed"), ready(b'I')].concat());
        assert_eq!(session.error, None);
        let told = session.take(Side::Client);
        assert_eq!(tags(&told), "EZ");
        assert!(told.windows(5).any(|five| five == b"22023"));
        // The session goes on, and so does the next COPY.
        session.feed(Side::Client, &query("copy t from stdin"));
        session.feed(Side::Server, &message(b'G', &[0, 0, 1, 0, 0]));
        session.feed(Side::Client, &[message(b'd', good), message(b'c', b"")].concat());
        session.feed(Side::Server, &[complete("COPY 1"), ready(b'I')].concat());
        assert_eq!(session.error, None);
        assert!(tags(&session.take(Side::Server)).ends_with("dc"));
    }
    // In one message whose parts come one by one.
    let mut session = open(allow);
    session.feed(Side::Client, &query("copy t from stdin"));
    session.feed(Side::Server, &message(b'G', &[0, 0, 1, 0, 0]));
    session.take(Side::Server);
    let whole = [good.repeat(9_000), bad.to_vec(), good.repeat(9_000)].concat();
    for part in message(b'd', &whole).chunks(1_000) {
        session.feed(Side::Client, part);
    }
    session.feed(Side::Client, &message(b'c', b""));
    assert_eq!(tags(&session.take(Side::Server)), "df");
}
