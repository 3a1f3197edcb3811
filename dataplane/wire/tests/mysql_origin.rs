//! Labelled columns: masked whatever they hold, by the names that a target gives of where they come from.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod driver;
mod handshake;
mod raw;
mod talk;

use std::sync::Arc;

use driver::{Driver, Verdict};
use handshake::packets;
use talk::*;
use wire::mysql::Session;
use wire::{Event, Side, Watch};

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
    open(MODERN, move |_| Verdict::Labelled(Arc::clone(&origins), watch, 1))
}

fn of(table: &str, name: &str, kind: u8) -> Vec<u8> {
    let database = if table.is_empty() { "" } else { "work" };
    column([database, table], name, kind, 45, 0)
}

/// What a session lets through of one text row of these columns.
fn seen(watch: Watch, columns: &[Vec<u8>], values: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<Event>) {
    let mut session = labelled(watch);
    session.feed(Side::Client, &query("select"));
    let values: Vec<_> = values.iter().map(|value| Some(*value)).collect();
    session.feed(Side::Server, &answer(&result(MODERN, columns, &[row(&values)], AUTOCOMMIT)));
    assert_eq!(session.error, None);
    let packets = packets(&session.take(Side::Client));
    let cells = raw::cells(&packets[packets.len() - 2].1).into_iter().map(Option::unwrap).collect();
    (cells, session.events)
}

fn texts(cells: &[Vec<u8>]) -> Vec<String> {
    cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
}

#[test]
fn labelled_columns_are_masked_whole_and_others_are_not() {
    let columns = [
        of("cards", "id", LONG),
        of("cards", "pan", TEXT),
        of("cards", "PAN", TEXT),
        of("cards", "cvv", TEXT),
        of("cards", "cvv", LONG),
        of("others", "cvv", TEXT),
        of("", "", TEXT),
    ];
    let values: [&[u8]; 7] =
        [b"17", b"1234567890123456", b"1234567890123456", b"123", b"123", b"123", b"123"];
    let (plain, events) = seen(WATCH, &columns, &values);
    let labelled = ["17", "************3456", "************3456", "***", "100"];
    assert_eq!(texts(&plain), [&labelled[..], &["123", "123"]].concat());
    assert!(matches!(events.last(), Some(Event::Finished { masked: 4, rows: 1, .. })));
    let (touching, _) = seen(Watch { computed: true, ..WATCH }, &columns, &values);
    assert_eq!(texts(&touching), [&labelled[..], &["123", "***"]].concat());
    let (untraced, _) = seen(Watch { untraced: true, ..WATCH }, &columns, &values);
    assert_eq!(texts(&untraced)[5..], ["***", "***"]);
    // No labels at the target: nothing of it counts.
    let (free, _) = seen(Watch { labels: false, computed: true, ..WATCH }, &columns, &values);
    assert_eq!(texts(&free)[3..], ["123"; 4]);
}

#[test]
fn what_is_not_known_is_hidden_and_told() {
    let columns = [of("unknown", "a", TEXT), of("unknown", "b", TEXT), of("view", "a", TEXT)];
    let values: [&[u8]; 3] = [b"abc", b"4111111111111111", b"abc"];
    let (hidden, events) = seen(WATCH, &columns, &values);
    assert_eq!(texts(&hidden), ["***", "****************", "abc"]);
    assert_eq!(events.iter().filter(|event| **event == Event::UnknownOrigin).count(), 1);
    let (unsettled, _) = seen(Watch { unsettled: true, ..WATCH }, &columns, &values);
    assert_eq!(texts(&unsettled)[2], "***");
    let (derived, events) = seen(Watch { derives: true, ..WATCH }, &columns, &values);
    assert_eq!(texts(&derived)[0], "abc");
    assert!(!events.contains(&Event::UnknownOrigin));
}

#[test]
fn binary_rows_and_cursors_hide_the_same() {
    let mut session = labelled(WATCH);
    session.feed(Side::Client, &prepare("select"));
    session.feed(Side::Server, &answer(&prepared(MODERN, 0, &[])));
    session.feed(Side::Client, &command(0x17, &raw::execution(7, 1, &[], true)));
    let columns = [of("cards", "pan", LONGLONG), of("cards", "cvv", 2), of("cards", "cvv", 0x0a)];
    let mut opened = vec![vec![3]];
    opened.extend(columns);
    opened.push(end(MODERN, AUTOCOMMIT | CURSOR));
    session.feed(Side::Server, &answer(&opened));
    session.take(Side::Client);
    session.feed(Side::Client, &command(0x1c, &[7, 0, 0, 0, 9, 0, 0, 0]));
    let line = |number: u64, code: u16, date: &[u8]| {
        binary_row(&[Some(&number.to_le_bytes()), Some(&code.to_le_bytes()), Some(date)])
    };
    let ended = end(MODERN, AUTOCOMMIT);
    let rows = [line(1_234_567_890_123_456, 999, b"\x04\xef\x07\x0c\x1f"), binary_row(&[None; 3])];
    session.feed(Side::Server, &answer(&[&rows[..], std::slice::from_ref(&ended)].concat()));
    // A digit more than the last four keeps the sum from being a card's.
    let hidden = [line(1_000_000_000_043_456, 100, b"\x04\x57\x04\x0b\x0b"), binary_row(&[None; 3])];
    assert_eq!(session.take(Side::Client), answer(&[&hidden[..], &[ended]].concat()));
    assert!(matches!(session.events.last(), Some(Event::Finished { number: 2, masked: 3, rows: 2, .. })));
}

#[test]
fn long_values_are_masked_whole_in_parts() {
    for (kind, expected) in [(TEXT, "*".repeat(100_000)), (0xf5, format!("\"{}\"", "*".repeat(99_998)))] {
        for size in [1 << 20, 10_000, 999] {
            let mut session = labelled(WATCH);
            session.feed(Side::Client, &query("select"));
            let line = |value: &str, code: &[u8]| row(&[Some(value.as_bytes()), Some(code)]);
            let columns = [of("cards", "pan", kind), of("cards", "cvv", TEXT)];
            let bytes = |value: &str, code: &[u8]| {
                answer(&result(MODERN, &columns, &[line(value, code)], AUTOCOMMIT))
            };
            for piece in bytes(&"7 ".repeat(50_000), b"123").chunks(size) {
                session.feed(Side::Server, piece);
            }
            assert_eq!(session.error, None);
            assert!(session.take(Side::Client) == bytes(&expected, b"***"), "{kind} {size}");
            assert!(matches!(session.events.last(), Some(Event::Finished { masked: 2, .. })));
        }
    }
}

#[test]
fn what_the_target_says_of_values_is_hidden_where_a_label_is_touched() {
    let says = |watch: Watch, number: u16, words: &str| {
        let mut session = labelled(watch);
        session.feed(Side::Client, &query("insert"));
        session.feed(Side::Server, &answer(&[error(number, words)]));
        let said = packets(&session.take(Side::Client)).remove(0).1;
        (handshake::error(&said).2, session.events.last().copied())
    };
    let touching = Watch { computed: true, ..WATCH };
    let words = "Data too long for column 'cvv' at row 1";
    let (hidden, event) = says(touching, 1406, words);
    assert_eq!(hidden, format!("Data too long for column '{}", "*".repeat(13)));
    assert!(matches!(event, Some(Event::Finished { masked: 1, .. })));
    assert_eq!(says(WATCH, 1406, words).0, words);
    assert_eq!(says(touching, 1213, "Deadlock found; 1").0, "Deadlock found; 1");
    assert_eq!(says(Watch { opaque: true, ..touching }, 1644, "word 1").0, "******");
}

#[test]
fn what_comes_unasked_is_hidden_once_a_label_may_be_in_it() {
    let changed = |value: &str| {
        let pair = [handshake::counted(b"time_zone"), handshake::counted(value.as_bytes())].concat();
        let changes = [b"\0".to_vec(), handshake::counted(&pair)].concat();
        answer(&[[b"\0\0\0\x02\x40\0\0\0".to_vec(), handshake::counted(&changes)].concat()])
    };
    for (spilled, expected) in [(false, "+12:34"), (true, "+**:**")] {
        let mut session = labelled(Watch { spilled, ..WATCH });
        session.feed(Side::Client, &query("set time_zone = (select cvv from cards)"));
        session.feed(Side::Server, &changed("+12:34"));
        assert_eq!(session.take(Side::Client), changed(expected));
    }
}
