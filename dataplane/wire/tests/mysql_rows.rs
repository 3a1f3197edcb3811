//! Values: card numbers in every form that MySQL gives them, whole and in parts.
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

use driver::Driver;
use handshake::packet;
use proptest::prelude::*;
use talk::*;
use wire::mysql::Session;
use wire::{Error, Event, Outcome, Side};

/// One of each brand and length.
const CARDS: [&str; 8] = [
    "4111111111111111",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "30569309025904",
    "3530111333300000",
    "6304000000000000",
];

const CARD: &str = CARDS[0];
const STARRED: &str = "************1111";
const NUMBER: u64 = 4_111_111_111_111_111;
const MASKED: u64 = 1_000_000_000_001_111;

fn starred(card: &str) -> String {
    let (hidden, shown) = card.split_at(card.len() - 4);
    "*".repeat(hidden.len()) + shown
}

/// A session of which a result of these columns has begun, and the number of the next packet.
fn begun(terms: Terms, binary: bool, columns: &[Vec<u8>]) -> (Driver<Session>, u8) {
    let mut session = open(terms, allow);
    if binary {
        session.feed(Side::Client, &prepare("select"));
        session.feed(Side::Server, &answer(&prepared(terms, 0, &[])));
        session.feed(Side::Client, &command(0x17, &raw::execution(7, 0, &[], true)));
    } else {
        session.feed(Side::Client, &query("select"));
    }
    let mut head = result(terms, columns, &[], AUTOCOMMIT);
    head.pop();
    session.feed(Side::Server, &answer(&head));
    assert_eq!(session.error, None);
    session.take(Side::Client);
    (session, u8::try_from(head.len() + 1).unwrap())
}

/// What a session lets through of a row of one column, and how much of it was masked.
fn seen(binary: bool, column: &[u8], row: &[u8]) -> (Vec<u8>, u64) {
    let (mut session, next) = begun(MODERN, binary, &[column.to_vec()]);
    session.feed(Side::Server, &packet(next, row));
    assert_eq!(session.error, None);
    let released = session.take(Side::Client);
    session.feed(Side::Server, &packet(next + 1, &end(MODERN, AUTOCOMMIT)));
    let Some(Event::Finished { masked, outcome: Outcome::Done, rows: 1, .. }) = session.events.last() else {
        panic!("no end")
    };
    (released[4..].to_vec(), *masked)
}

#[test]
fn text_of_every_type_that_has_characters() {
    for card in CARDS {
        for kind in [0x0f, 0xfd, 0xfe, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc] {
            for charset in [45, 63] {
                let column = column(["", ""], "", kind, charset, 0);
                for (given, expected) in [
                    (card.into(), starred(card)),
                    (format!("a {card}, {card}."), format!("a {0}, {0}.", starred(card))),
                ] {
                    let given = row(&[Some(given.as_bytes())]);
                    let expected = row(&[Some(expected.as_bytes())]);
                    assert_eq!(seen(false, &column, &given).0, expected, "{kind} {charset}");
                    let binary = |row: &[u8]| binary_row(&[Some(row)]);
                    assert_eq!(seen(true, &column, &binary(&given)).0, binary(&expected), "{kind} {charset}");
                }
            }
        }
    }
    // Characters of another set, whose last byte reads as a digit.
    let column = computed(TEXT);
    let (masked, _) = seen(false, &column, &row(&[Some(b"\x814111111111111111")]));
    assert!(!masked.windows(8).any(|part| part == b"11111111"));
}

#[test]
fn numbers_as_text_stay_numbers() {
    for (kind, given, expected) in [
        (LONGLONG, CARD, "1000000000001111"),
        (LONGLONG, "-4111111111111111", "-1000000000001111"),
        (0xf6, "4111111111111111.00", "1000000000001111.00"),
        (0, "0004111111111111111", "0001000000000001111"),
        (DOUBLE, "4.111111111111111e15", "1.000000000001111e15"),
        (DOUBLE, "-4.111111111111111e+15", "-1.000000000001111e+15"),
        (4, "4111111111111111", "1000000000001111"),
        (
            0xf5,
            "{\"a\": 4111111111111111, \"b\": 4.111111111111111e15}",
            "{\"a\": 1000000000001111, \"b\": 1.000000000001111e15}",
        ),
        (BLOB, "[4111111111111111, \"4111111111111111\"]", "[1000000000001111, \"************1111\"]"),
    ] {
        let text = |text: &str| row(&[Some(text.as_bytes())]);
        let (released, masked) = seen(false, &computed(kind), &text(given));
        assert_eq!(String::from_utf8_lossy(&released), String::from_utf8_lossy(&text(expected)));
        assert!(masked > 0);
    }
    for (kind, plain) in [(LONG, "41111111"), (LONGLONG, "4111111111111112"), (7, "2031-12-31 23:59:59")] {
        let row = row(&[Some(plain.as_bytes())]);
        assert_eq!(seen(false, &computed(kind), &row), (row, 0));
    }
}

#[test]
fn numbers_in_binary_keep_type_and_length() {
    let unsigned = column(["", ""], "", LONGLONG, 63, 32);
    let bits = [&[8], NUMBER.to_be_bytes().as_slice()].concat();
    let masked_bits = [&[8], MASKED.to_be_bytes().as_slice()].concat();
    let point = |x: u64| {
        let x = (x as f64).to_le_bytes();
        [b"\x19\0\0\0\0\x01\x01\0\0\0".as_slice(), &x, &x].concat()
    };
    for (column, given, expected, count) in [
        (computed(LONGLONG), NUMBER.to_le_bytes().to_vec(), MASKED.to_le_bytes().to_vec(), 1),
        (unsigned, NUMBER.to_le_bytes().to_vec(), MASKED.to_le_bytes().to_vec(), 1),
        (computed(DOUBLE), (NUMBER as f64).to_le_bytes().to_vec(), (MASKED as f64).to_le_bytes().to_vec(), 1),
        (computed(0x10), bits, masked_bits, 1),
        (computed(0xff), point(NUMBER), point(MASKED), 2),
    ] {
        let (given, expected) = (binary_row(&[Some(&given)]), binary_row(&[Some(&expected)]));
        assert_eq!(seen(true, &column, &given), (expected, count));
    }
    // Eight bytes that are digits, of a number that is none.
    let row = binary_row(&[Some(b"41111111"), Some(b"\x0811111111"), None]);
    let (mut session, next) = begun(MODERN, true, &[computed(LONGLONG), computed(TEXT), computed(TEXT)]);
    session.feed(Side::Server, &packet(next, &row));
    assert_eq!(session.take(Side::Client), packet(next, &row));
}

#[test]
fn errors_names_words_and_progress_are_masked() {
    let mut session = open(MARIADB, allow);
    session.feed(Side::Client, &query("select"));
    let progress = b"\xff\xff\xff\x01\x01\x02\0\0\0\x104111111111111111".to_vec();
    session.feed(Side::Server, &answer(&[progress, error(1062, "Duplicate entry '4111111111111111'")]));
    let told = session.take(Side::Client);
    assert_eq!(
        told.windows(16).filter(|part| *part == STARRED.as_bytes()).count(),
        2,
        "{}",
        told.escape_ascii()
    );
    let Some(Event::Finished { masked: 2, outcome, .. }) = session.events.last() else { panic!("no end") };
    assert_eq!(*outcome, Outcome::Failed(*b"01062"));
    // Only where it was agreed on.
    let mut session = open(MODERN, allow);
    session.feed(Side::Client, &query("select"));
    session.feed(Side::Server, &answer(&[b"\xff\xff\xff\x01\x01\x02\0\0\0\x01x".to_vec()]));
    assert!(session.error.is_some());

    let mut session = open(MODERN, allow);
    session.feed(Side::Client, &query("select"));
    let words = [ok(0, AUTOCOMMIT), handshake::counted(b"no 4111111111111111")].concat();
    session.feed(Side::Server, &answer(&[words]));
    assert!(session.take(Side::Client).ends_with(STARRED.as_bytes()));

    let mut session = open(MODERN, allow);
    session.feed(Side::Client, &query("select"));
    let named = column([CARD, CARD], CARD, LONG, 63, 0);
    session.feed(Side::Server, &answer(&[vec![1], named]));
    let told = session.take(Side::Client);
    assert_eq!(told.windows(16).filter(|part| *part == STARRED.as_bytes()).count(), 3);
}

#[test]
fn a_statement_list_s_results_are_read_each_by_its_columns() {
    for terms in [MODERN, OLD] {
        let mut session = open(terms, allow);
        session.feed(Side::Client, &query("call p()"));
        let first = result(terms, &[computed(TEXT)], &[row(&[Some(CARD.as_bytes())])], AUTOCOMMIT | MORE);
        let second =
            result(terms, &[computed(LONGLONG)], &[row(&[Some(CARD.as_bytes())])], AUTOCOMMIT | MORE);
        let all = [first, second, vec![ok(5, AUTOCOMMIT)]].concat();
        session.feed(Side::Server, &answer(&all));
        let told = String::from_utf8_lossy(&session.take(Side::Client)).into_owned();
        assert!(told.contains(STARRED) && told.contains("1000000000001111"));
        let expected = Event::Finished { number: 1, rows: 7, masked: 2, outcome: Outcome::Done };
        assert_eq!(session.events.last(), Some(&expected));
    }
}

#[test]
fn rows_of_a_cursor_are_masked_by_the_columns_of_its_opening() {
    for terms in [MODERN, OLD] {
        let mut session = open(terms, allow);
        session.feed(Side::Client, &prepare("select n, t"));
        session.feed(Side::Server, &answer(&prepared(terms, 0, &[computed(LONGLONG), computed(TEXT)])));
        session.feed(Side::Client, &command(0x17, &raw::execution(7, 1, &[], true)));
        let mut opened = vec![vec![2], computed(LONGLONG), computed(TEXT)];
        opened.push(end(terms, AUTOCOMMIT | CURSOR));
        session.feed(Side::Server, &answer(&opened));
        session.take(Side::Client);
        // Another result in between leaves no trace.
        session.feed(Side::Client, &query("select 1"));
        session.feed(Side::Server, &answer(&result(terms, &[computed(LONG)], &[], AUTOCOMMIT)));
        session.take(Side::Client);
        let fetch = command(0x1c, &[7, 0, 0, 0, 1, 0, 0, 0]);
        session.take(Side::Server);
        session.feed(Side::Client, &fetch);
        assert_eq!(session.take(Side::Server), fetch);
        let text = |text: &str| [&[16], text.as_bytes()].concat();
        let line = |number: u64, card: &str| binary_row(&[Some(&number.to_le_bytes()), Some(&text(card))]);
        session.feed(Side::Server, &answer(&[line(NUMBER, CARD), end(terms, AUTOCOMMIT | CURSOR)]));
        let expected = answer(&[line(MASKED, STARRED), end(terms, AUTOCOMMIT | CURSOR)]);
        assert_eq!(session.take(Side::Client), expected);
        let expected = Event::Finished { number: 2, rows: 1, masked: 2, outcome: Outcome::Done };
        assert_eq!(session.events.last(), Some(&expected));
        assert_eq!(session.asked.len(), 3, "more rows are not asked about");
    }
}

#[test]
fn a_row_that_does_not_add_up_ends_the_session() {
    let good = row(&[Some(CARD.as_bytes()), None]);
    for broken in [
        good[..17].to_vec(),
        [good.as_slice(), b"x"].concat(),
        [&[0xfc], good.as_slice()].concat(),
        [&[0xfe], &[0xff; 8][..], &good[..]].concat(),
        [&[17], &good[1..]].concat(),
        [&good[..17], &[0xff]].concat(),
    ] {
        let (mut session, next) = begun(MODERN, false, &[computed(TEXT), computed(TEXT)]);
        session.feed(Side::Server, &packet(next, &broken));
        assert!(
            matches!(session.error, Some(Error::Malformed { side: Side::Server, .. })),
            "{} {:?}",
            broken.escape_ascii(),
            session.error
        );
        assert_eq!(handshake::only(&session.take(Side::Client)).1[0], 0xff);
    }
    let good = binary_row(&[Some(&NUMBER.to_le_bytes()), Some(b"\x01x")]);
    for broken in [good[..1].to_vec(), good[..9].to_vec(), good[..10].to_vec(), [&[1], &good[1..]].concat()] {
        let (mut session, next) = begun(MODERN, true, &[computed(LONGLONG), computed(TEXT)]);
        session.feed(Side::Server, &packet(next, &broken));
        assert!(matches!(session.error, Some(Error::Malformed { side: Side::Server, .. })));
    }
}

/// Feeds `bytes` in pieces of `size`.
fn in_pieces(session: &mut Driver<Session>, bytes: &[u8], size: usize) {
    for piece in bytes.chunks(size) {
        session.feed(Side::Server, piece);
    }
}

#[test]
fn long_values_go_on_in_parts_with_bounded_memory() {
    let filler = "lorem ipsum 12 ".repeat(20_000);
    let text = |card: &str| format!("{filler}{card} {filler}{card}").into_bytes();
    let json = |card: &str, number: &str| {
        let one = format!("[{number},\"{filler}{card}\",\"\\\"{card}\"]");
        format!("[{one}{}, {one}]", " ".repeat(40_000)).into_bytes()
    };
    for (kind, given, expected) in [
        (TEXT, text(CARD), text(STARRED)),
        (BLOB, json(CARD, CARD), json(STARRED, "1000000000001111")),
        (0xf5, json(CARD, "4.111111111111111e15"), json(STARRED, "1.000000000001111e15")),
    ] {
        for binary in [false, true] {
            for size in [1 << 20, 65_536, 16_384, 4_096, 1_013] {
                let columns = [computed(LONGLONG), computed(kind), computed(TEXT), computed(TEXT)];
                let (mut session, next) = begun(MODERN, binary, &columns);
                let line = |number: u64, value: &[u8], end: &str| {
                    let (digits, end) = (number.to_string(), end.as_bytes());
                    if !binary {
                        return row(&[Some(digits.as_bytes()), Some(value), None, Some(end)]);
                    }
                    let (value, end) = (row(&[Some(value)]), row(&[Some(end)]));
                    binary_row(&[Some(&number.to_le_bytes()), Some(&value), None, Some(&end)])
                };
                let lines = |number, value: &[u8], card| {
                    [packet(next, &line(number, value, card)), packet(next + 1, &line(number, b"x", card))]
                        .concat()
                };
                in_pieces(&mut session, &lines(NUMBER, &given, CARD), size);
                assert_eq!(session.error, None);
                let told = session.take(Side::Client);
                assert!(told == lines(MASKED, &expected, STARRED), "{kind} {binary} {size}");
                assert!(size > 65_536 || session.kept_max <= wire::limits::LARGE_BYTES);
                session.feed(Side::Server, &packet(next + 2, &end(MODERN, AUTOCOMMIT)));
                assert!(matches!(session.events.last(), Some(Event::Finished { rows: 2, .. })));
            }
        }
    }
    // Long coordinates are held as a whole, to a bound.
    let shape = |number: u64, points: u32| {
        let point = [(number as f64).to_le_bytes(), 2_f64.to_le_bytes()].concat();
        let line =
            [b"\0\0\0\0\x01\x02\0\0\0".as_slice(), &points.to_le_bytes(), &point.repeat(points as usize)];
        row(&[Some(&line.concat())])
    };
    let (mut session, next) = begun(MODERN, false, &[computed(0xff)]);
    in_pieces(&mut session, &packet(next, &shape(NUMBER, 10_000)), 10_000);
    assert!(session.take(Side::Client) == packet(next, &shape(MASKED, 10_000)));
    session.feed(Side::Server, &packet(next + 1, &shape(1, 100_000)));
    assert!(matches!(session.error, Some(Error::TooLarge { side: Side::Server, .. })));
}

#[test]
fn long_rows_that_lie_about_their_cells_end_the_session() {
    let good = row(&[Some(&[b'x'; 50_000])]);
    let patched = |at: usize, byte: u8| {
        let mut row = good.clone();
        row[at] = byte;
        row
    };
    for broken in [
        patched(0, 0xfd),
        patched(0, 0),
        patched(0, 0xfb),
        patched(1, good[1] - 1),
        patched(1, good[1] + 1),
        [good.as_slice(), b"x"].concat(),
    ] {
        let (mut session, next) = begun(MODERN, false, &[computed(TEXT)]);
        session.feed(Side::Server, &[packet(next, &broken), packet(next + 1, &good)].concat());
        assert!(
            matches!(session.error, Some(Error::Malformed { side: Side::Server, .. })),
            "{:?}",
            session.error
        );
    }
}

/// A row of several packets whose values lie across their ends: masked as it would be in one.
#[test]
fn values_across_the_end_of_a_packet_are_masked_as_whole_ones() {
    const FULL: usize = 0xff_ffff;
    let columns = [computed(TEXT), computed(LONGLONG), computed(TEXT), computed(BLOB)];
    for binary in [false, true] {
        let head = if binary { 2 } else { 0 };
        // Where the end of the first packet falls, counted from the end of the first value.
        for from_end in [-16_i32, -9, 0, 1, 2, 5, 9, 12, 20, 30] {
            let line = |number: u64, card: &str| {
                let first = format!(
                    "{}{card}",
                    "x".repeat(usize::try_from(FULL as i32 - from_end).unwrap() - 16 - 4 - head)
                );
                let (digits, last) =
                    (number.to_string(), format!("{{\"a\": {number}}}{}", " ".repeat(40_000)));
                if !binary {
                    return row(&[
                        Some(first.as_bytes()),
                        Some(digits.as_bytes()),
                        Some(card.as_bytes()),
                        Some(last.as_bytes()),
                    ]);
                }
                let text = |text: &str| row(&[Some(text.as_bytes())]);
                binary_row(&[
                    Some(&text(&first)),
                    Some(&number.to_le_bytes()),
                    Some(&text(card)),
                    Some(&text(&last)),
                ])
            };
            let size = if from_end == 9 { 100_000 } else { 8 << 20 };
            let (mut session, next) = begun(MODERN, binary, &columns);
            in_pieces(&mut session, &spread(next, &line(NUMBER, CARD)), size);
            assert_eq!(session.error, None, "{binary} {from_end}");
            let told = session.take(Side::Client);
            assert!(told == spread(next, &line(MASKED, STARRED)), "{binary} {from_end}");
            session.feed(Side::Server, &packet(next + 2, &end(MODERN, AUTOCOMMIT)));
            assert_eq!(session.error, None);
        }
    }
}

/// As long as packets can be, and an empty one behind them.
#[test]
fn a_row_that_fills_its_packets_ends_with_an_empty_one() {
    const FULL: usize = 0xff_ffff;
    let line = row(&[Some(&vec![b'x'; FULL - 4])]);
    let (mut session, next) = begun(MODERN, false, &[computed(TEXT)]);
    let bytes = spread(next, &line);
    assert_eq!(bytes.len(), FULL + 8);
    in_pieces(&mut session, &bytes, 1 << 20);
    assert!(session.take(Side::Client) == bytes);
    session.feed(Side::Server, &packet(next + 2, &end(MODERN, AUTOCOMMIT)));
    assert!(matches!(session.events.last(), Some(Event::Finished { rows: 1, .. })));
    // The next packet holds more than the row has.
    let (mut session, next) = begun(MODERN, false, &[computed(TEXT)]);
    let broken = [&bytes[..FULL + 4], &packet(next + 1, b"x")].concat();
    session.feed(Side::Server, &broken);
    assert!(matches!(session.error, Some(Error::Malformed { side: Side::Server, .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// However a long row is cut, whatever stands in it, the same comes out.
    #[test]
    fn cuts_make_no_difference(
        fillers in prop::collection::vec(0usize..30_000, 2..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        json in any::<bool>(),
        stingy in any::<bool>(),
    ) {
        let mut value = if json { String::from("{") } else { String::new() };
        for (card, filler) in CARDS.iter().zip(&fillers) {
            value.push_str(card);
            value.push_str(&" a 1-2 ".repeat(filler / 7));
        }
        value.push_str(&"x".repeat(33_000));
        let columns = [computed(TEXT), computed(TEXT)];
        let bytes = {
            let (_, next) = begun(MODERN, false, &columns);
            packet(next, &row(&[Some(value.as_bytes()), Some(CARD.as_bytes())]))
        };
        let (mut whole, _) = begun(MODERN, false, &columns);
        whole.feed(Side::Server, &bytes);
        let expected = whole.take(Side::Client);
        prop_assert!(!expected.windows(CARD.len()).any(|part| part == CARD.as_bytes()));
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        at.sort_unstable();
        let (mut session, _) = begun(MODERN, false, &columns);
        session.stingy = stingy;
        let mut from = 0;
        for cut in at.into_iter().chain([bytes.len()]) {
            session.feed(Side::Server, &bytes[from..cut]);
            from = cut;
        }
        prop_assert_eq!(session.error, None);
        prop_assert!(session.take(Side::Client) == expected);
    }
}

#[test]
fn flags_that_a_stored_program_leaves_do_not_end_an_answer() {
    // Of a cursor that the program has opened, and of OUT parameters, behind which the procedure's own end comes.
    const OUT_PARAMETERS: u16 = 1 << 12;
    const MORE: u16 = 1 << 3;
    let line = |number: u64| binary_row(&[Some(&number.to_le_bytes())]);
    let rows = |status: u16, number: u64| {
        vec![vec![1], computed(LONGLONG), end(OLD, AUTOCOMMIT | status), line(number), end(OLD, AUTOCOMMIT)]
    };
    let with_end = |status, number| [rows(status, number), vec![ok(0, AUTOCOMMIT)]].concat();
    for (answers, expected) in [
        (rows(CURSOR, NUMBER), rows(CURSOR, MASKED)),
        (with_end(OUT_PARAMETERS | MORE, NUMBER), with_end(OUT_PARAMETERS | MORE, MASKED)),
    ] {
        let mut session = open(OLD, allow);
        session.feed(Side::Client, &prepare("call p(?)"));
        session.feed(Side::Server, &answer(&prepared(OLD, 0, &[])));
        session.take(Side::Client);
        session.feed(Side::Client, &command(0x17, &raw::execution(7, 0, &[], true)));
        session.feed(Side::Server, &answer(&answers));
        assert_eq!(session.error, None);
        assert_eq!(session.take(Side::Client), answer(&expected));
        // The next command is answered by its own answer.
        session.feed(Side::Client, &query("select 1"));
        session.feed(Side::Server, &answer(&result(OLD, &[computed(LONG)], &[], AUTOCOMMIT)));
        assert_eq!(session.error, None);
    }
}
