//! COPY: text, csv and binary, rows spread over messages in every way, both directions.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod driver;
mod postgres;

use driver::Driver;
use postgres::*;
use wire::postgres::Session;
use wire::{Error, Event, Outcome, Side};

const PAN: &str = "4111111111111111";
const STARS: &str = "************1111";

/// A session in which COPY to the client has begun.
fn begun(binary: u8) -> Driver<Session> {
    let mut session = open(allow);
    session.feed(Side::Client, &query("copy t to stdout"));
    session.feed(Side::Server, &message(b'H', &[binary, 0, 1, 0, binary]));
    session.take(Side::Client);
    session
}

fn copied(binary: u8, data: &[u8]) -> (Driver<Session>, Vec<u8>) {
    let mut session = begun(binary);
    session.feed(Side::Server, data);
    let seen = session.take(Side::Client);
    (session, seen)
}

/// Data as messages of these lengths, over and over.
fn framed(data: &[u8], lengths: &[usize]) -> Vec<u8> {
    let (mut rest, mut framed) = (data, Vec::new());
    let mut lengths = lengths.iter().cycle();
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.len().min(*lengths.next().unwrap()));
        framed.extend(message(b'd', piece));
        rest = behind;
    }
    framed
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn end(session: &mut Driver<Session>) -> Event {
    session.feed(Side::Server, &[message(b'c', b""), complete("COPY 2"), ready(b'I')].concat());
    assert_eq!(session.error, None);
    *session.events.last().unwrap()
}

#[test]
fn text_is_masked() {
    let line = |card: &str| message(b'd', format!("1\t{card}\tx\n2\t\\\\x{}\n", hex(card)).as_bytes());
    let float = |float: &str| message(b'd', format!("3\t{float}\t{{{float},1}}\n").as_bytes());
    let escaped = |card: &str| message(b'd', format!("\\\\001{card}\t\"\\\\042{card}\"\n").as_bytes());
    for (given, expected, cards) in [
        (line(PAN), line(STARS), 2),
        (float("4.111111111111111e+15"), float("1.000000000001111e+15"), 2),
        (float("4.11111111111111e+15"), float("1.00000000000111e+15"), 2),
        (escaped(PAN), escaped(STARS), 2),
    ] {
        let (mut session, seen) = copied(0, &given.repeat(2));
        assert_eq!(String::from_utf8_lossy(&seen), String::from_utf8_lossy(&expected.repeat(2)));
        let done = Event::Finished { number: 1, rows: 2, masked: 2 * cards, outcome: Outcome::Done };
        assert_eq!(end(&mut session), done);
    }
}

#[test]
fn rows_over_several_messages_are_one() {
    let lines = |card: &str| {
        let csv = format!("\"a\n{card}\n\";'{card}'\r\n\"\\\\x{}\",2.5e+17\n", hex(card));
        [csv, format!("{card}|{card}\n\n{card}")].concat().into_bytes()
    };
    let (given, expected) = (lines(PAN), lines(STARS));
    for length in 1..given.len() {
        for lengths in [vec![length], vec![length, 1], vec![1, 1, length, 0, 3]] {
            let (given, expected) = (framed(&given, &lengths), framed(&expected, &lengths));
            for size in [1 << 20, 7, 1] {
                let mut session = begun(0);
                given.chunks(size).for_each(|piece| session.feed(Side::Server, piece));
                assert_eq!(session.error, None);
                session.feed(Side::Server, &message(b'c', b""));
                assert_eq!(session.error, None);
                let seen = session.take(Side::Client);
                let done = message(b'c', b"");
                assert!(seen == [expected.as_slice(), &done].concat(), "{lengths:?} {size}");
                session.feed(Side::Server, &[complete("COPY 3"), ready(b'I')].concat());
                assert_eq!(session.error, None);
            }
        }
    }
}

#[test]
fn nothing_stands_inside_a_row() {
    for between in [report(b'N', "NOTICE", "00000", "x"), setting("TimeZone", "UTC"), message(b'A', &[0; 6])]
    {
        let (mut session, _) =
            copied(0, &[message(b'd', b"41111111"), between, message(b'd', b"11111111\n")].concat());
        assert!(
            matches!(session.error, Some(Error::Unsupported { side: Side::Server, .. })),
            "{:?}",
            session.error
        );
        let seen = session.take(Side::Client);
        assert!(!String::from_utf8_lossy(&seen).contains("41111111"));
    }
    // Between rows, it does; and a COPY that fails in the middle of a row is told of.
    let notice = report(b'N', "NOTICE", "00000", "x");
    let rows = [message(b'd', b"1\n"), notice, message(b'd', b"2\n")].concat();
    assert_eq!(copied(0, &rows).1, rows);
    let failed = [message(b'd', b"half"), error("57014", "canceled"), ready(b'I')].concat();
    let (session, seen) = copied(0, &failed);
    assert_eq!((session.error, seen), (None, failed));
}

#[test]
fn long_rows_go_on_in_parts() {
    let row = |card: &str| {
        let filler = "x".repeat(40_000);
        format!("{filler}\t{card}\t\\\\x{}\t{filler}\n", hex(card)).into_bytes()
    };
    let (given, expected) = (row(PAN), row(STARS));
    for lengths in [vec![1 << 20], vec![40_010, 50, 33_000], vec![40_003], vec![1013]] {
        let (given, expected) = (framed(&given.repeat(3), &lengths), framed(&expected.repeat(3), &lengths));
        for size in [1 << 20, 16_384, 977] {
            let mut session = begun(0);
            given.chunks(size).for_each(|piece| session.feed(Side::Server, piece));
            assert_eq!(session.error, None);
            assert!(session.take(Side::Client) == expected, "{lengths:?} {size}");
            assert!(size > 16_384 || session.kept_max <= wire::limits::LARGE_BYTES + size);
            end(&mut session);
        }
    }
}

const NUMBER: i64 = 4_111_111_111_111_111;
const MASKED: i64 = 1_000_000_000_001_111;

fn sized(value: &[u8]) -> Vec<u8> {
    [&u32::try_from(value.len()).unwrap().to_be_bytes(), value].concat()
}

fn header() -> Vec<u8> {
    [b"PGCOPY\n\xff\r\n\0".as_slice(), &[0; 8]].concat()
}

/// Fields of every type that matters, in PostgreSQL's binary forms; `long`: as much text before a number.
fn tuple(card: &str, number: i64, long: usize) -> Vec<u8> {
    let array = [[1_u32, 0, 20, 1, 1].map(u32::to_be_bytes).concat(), sized(&number.to_be_bytes())].concat();
    let record = [vec![0, 0, 0, 1, 0, 0, 0x40, 1], sized(&number.to_be_bytes())].concat();
    let groups: Vec<u8> = format!("{number:016}")
        .as_bytes()
        .chunks(4)
        .flat_map(|four| std::str::from_utf8(four).unwrap().parse::<u16>().unwrap().to_be_bytes())
        .collect();
    let fields = [
        sized(card.as_bytes()),
        sized(&number.to_be_bytes()),
        vec![0xff; 4],
        sized(&(number as f64).to_be_bytes()),
        sized(&[vec![0, 4, 0, 3, 0, 0, 0, 0], groups].concat()),
        sized(&array),
        sized(&record),
        sized(format!("\x01{{\"a\": {number}, \"b\": \"{card}\"}}").as_bytes()),
        sized(format!("\u{3}\u{0}{card}\u{0}").as_bytes()),
        sized(&[[1; 0x34 - 16].as_slice(), card.as_bytes()].concat()),
        sized(&7_i32.to_be_bytes()),
        sized(b"CANCELED"),
        sized(b""),
        sized(format!("{}{card}", "long ".repeat(long)).as_bytes()),
    ];
    let count = u16::try_from(fields.len()).unwrap().to_be_bytes();
    [count.as_slice(), &fields.concat()].concat()
}

fn binary(card: &str, number: i64, long: usize) -> Vec<u8> {
    [
        header(),
        tuple(card, number, long),
        tuple("", 1_000_000_000_000_000, 0),
        tuple(card, number, 1),
        vec![0xff, 0xff],
    ]
    .concat()
}

#[test]
fn binary_fields_are_masked_however_they_are_framed() {
    let (given, expected) = (binary(PAN, NUMBER, 0), binary(STARS, MASKED, 0));
    for length in (1..given.len()).step_by(3).chain([1 << 20]) {
        let (given, expected) = (framed(&given, &[length]), framed(&expected, &[length]));
        for size in [1 << 20, 61, 1] {
            let mut session = begun(1);
            given.chunks(size).for_each(|piece| session.feed(Side::Server, piece));
            assert_eq!(session.error, None);
            let seen = session.take(Side::Client);
            assert!(seen == expected, "{length} {size}: {}", String::from_utf8_lossy(&seen));
            let Event::Finished { rows, outcome, .. } = end(&mut session) else { panic!("no end") };
            assert_eq!((rows, outcome), (3, Outcome::Done));
        }
    }
}

#[test]
fn long_binary_fields_go_on_in_parts() {
    let (given, expected) = (binary(PAN, NUMBER, 30_000), binary(STARS, MASKED, 30_000));
    for length in [1 << 20, 33_000, 1013, 17] {
        let (given, expected) = (framed(&given, &[length]), framed(&expected, &[length]));
        for size in [1 << 20, 16_384, 977] {
            let mut session = begun(1);
            given.chunks(size).for_each(|piece| session.feed(Side::Server, piece));
            assert_eq!(session.error, None);
            assert!(session.take(Side::Client) == expected, "{length} {size}");
            assert!(size > 16_384 || session.kept_max <= wire::limits::LARGE_BYTES + size);
            end(&mut session);
        }
    }
}

#[test]
fn binary_data_that_are_not_laid_out_so_end_the_session() {
    let good = binary(PAN, NUMBER, 0);
    let flags = [b"PGCOPY\n\xff\r\n\0".as_slice(), &[0, 1, 0, 0, 0, 0, 0, 0]].concat();
    let extension = [b"PGCOPY\n\xff\r\n\0".as_slice(), &[0, 0, 0, 0, 0, 0, 0, 1, 0]].concat();
    for broken in [
        [b"PGCOPX".as_slice(), &good[6..]].concat(),
        flags,
        extension,
        [header(), vec![0xff, 0xfe]].concat(),
        [header(), vec![0x7f, 0xff]].concat(),
        [header(), vec![0, 1, 0xff, 0xff, 0xff, 0xfe]].concat(),
        [good.as_slice(), b"4111111111111111"].concat(),
    ] {
        let (session, seen) = copied(1, &framed(&broken, &[1 << 20]));
        assert!(session.error.is_some(), "{broken:?}");
        assert!(!String::from_utf8_lossy(&seen).contains(PAN));
    }
    // Cut short, between fields or inside one.
    for cut in [0, 5, 19, 21, 30, good.len() - 2] {
        let (mut session, _) = copied(1, &framed(&good[..cut], &[1 << 20]));
        session.feed(Side::Server, &message(b'c', b""));
        assert!(session.error.is_some(), "{cut}");
    }
    // One field in ever smaller pieces: bounded, and then no more.
    let mut session = begun(1);
    session.feed(Side::Server, &message(b'd', &[header(), vec![0, 1, 0, 0, 0x80, 0]].concat()));
    while session.error.is_none() {
        session.feed(Side::Server, &message(b'd', b""));
    }
    assert!(matches!(session.error, Some(Error::TooLarge { side: Side::Server, .. })));
    assert!(session.kept_max <= wire::limits::COPY_PIECES_MAX * 5 + 32);
}

#[test]
fn data_to_the_target_pass_as_they_are() {
    for binary in [0, 1] {
        let mut session = open(allow);
        session.feed(Side::Client, &query("copy t from stdin"));
        session.feed(Side::Server, &message(b'G', &[binary, 0, 1, 0, binary]));
        session.take(Side::Server);
        let data = [framed(&super_long(), &[50_000, 3]), message(b'c', b"")].concat();
        data.chunks(1013).for_each(|piece| session.feed(Side::Client, piece));
        assert_eq!(session.error, None);
        assert!(session.take(Side::Server) == data);
        end_copy_in(&mut session);
    }
}

fn super_long() -> Vec<u8> {
    [header(), tuple(PAN, NUMBER, 20_000), vec![0xff, 0xff]].concat()
}

fn end_copy_in(session: &mut Driver<Session>) {
    session.feed(Side::Server, &[complete("COPY 1"), ready(b'I')].concat());
    assert_eq!(session.error, None);
    let done = Event::Finished { number: 1, rows: 1, masked: 0, outcome: Outcome::Done };
    assert_eq!(session.events.last(), Some(&done));
}
