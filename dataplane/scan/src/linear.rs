//! No text is worth more work a byte than any other by more than a constant: sixteen times the text take at most little
//! more than sixteen times the work. Work is counted in bytes read, not in time.

use crate::bytes::tally;
use crate::{Encoding, Format, Scanner, Stream};

const LARGE: usize = 1 << 20;
const TIMES: usize = 16;

fn repeated(piece: &str, bytes: usize) -> Vec<u8> {
    piece.bytes().cycle().take(bytes).collect()
}

/// Bytes read by `scan`.
fn work(scan: impl FnOnce()) -> usize {
    let before = tally::total();
    scan();
    tally::total() - before
}

fn in_parts(scanner: &Scanner, text: &[u8]) {
    let (mut stream, mut kept) = (Stream::new(), Vec::new());
    for part in text.chunks(700) {
        kept.extend_from_slice(part);
        let progress = stream.mask(scanner, &mut kept, false, Format::Full);
        kept.drain(..progress.released);
    }
    stream.mask(scanner, &mut kept, true, Format::Full);
}

fn check(pieces: &[&str]) {
    let scanner = Scanner::new();
    let ways: [fn(&Scanner, &[u8]); 6] = [
        |scanner, text| assert!(scanner.find(text).count() <= text.len()),
        |scanner, text| assert!(scanner.suspect_at(text, 0).is_none_or(|at| at < text.len())),
        |scanner, text| assert!(scanner.mask(&mut text.to_vec(), Format::Bin6Last4) <= text.len()),
        |scanner, text| assert!(scanner.mask_json(&mut text.to_vec(), Format::Last4) <= text.len()),
        |scanner, text| {
            let found = scanner.find_masked(text, Format::Bin6Last4);
            assert!(found.is_none_or(|range| range.end <= text.len()));
        },
        in_parts,
    ];
    for piece in pieces {
        let (small, large) = (repeated(piece, LARGE / TIMES), repeated(piece, LARGE));
        for way in ways {
            let one = work(|| way(&scanner, &small));
            let many = work(|| way(&scanner, &large));
            assert!(one > 0, "nothing was counted");
            assert!(many < (one + 100) * TIMES * 2, "{piece:?}: {one} became {many}");
        }
    }
}

#[test]
fn runs_and_separators() {
    check(&["4", "7", "0", " ", "-", "4 ", "4444 ", "4444-", "4444  ", "444444 ", "4.", "abcdef0123456789"]);
}

/// Cells that many rows have: groups of digits that no card has.
#[test]
fn ordinary_groups_cost_little() {
    let scanner = Scanner::new();
    for (piece, most) in [
        ("68487932199-96439406143-93774651418-41631865787-96406072701\u{3b}", 4),
        ("2026-11-29 17:15:03.123456+00\u{1c}", 1),
        ("d41d8cd98f00b204e9800998ecf8427e ", 2),
    ] {
        let text = repeated(piece, LARGE);
        let read = work(|| assert_eq!(scanner.suspect_at(&text, 0), None));
        assert!(read <= text.len() * most + 64, "{piece:?}: {read} of {}", text.len());
    }
}

#[test]
fn cards() {
    check(&[
        "4111111111111111",
        "4111111111111111 ",
        "4111 1111 1111 1111 ",
        "c 4111111111111111 ",
        "4111111111111111\n",
    ]);
}

#[test]
fn other_writings() {
    check(&[
        "4\0",
        "4\x001\x00",
        "%34",
        "%3",
        "%34%31 ",
        r"\u0034",
        r"\u003",
        r"4111\u00a0",
        "4.1111111111",
        "4.",
        "1.4e15",
    ]);
    check(&[
        "４",
        "４１１１　",
        "%34%31%31%31%20",
        "4\x001\x001\x001\x00 \x00",
        "4,111,",
        "4.111111111111111e15 ",
    ]);
    check(&[
        "&#52;",
        "&#x34;",
        "&#5",
        "&#52;&#49; ",
        "&#52;&#49;&#49;&#49;-",
        r"\uFF14",
        r"\uff14\u0034",
        "\u{664}",
        "\u{6f4}",
    ]);
    check(&[
        r"\u00224111",
        "%224111111111111111",
        "%24111111111111111\u{200b}",
        r"4111\u00201111\u00201111\u00201111",
    ]);
}

#[test]
fn digit_by_digit_and_by_lines() {
    check(&[
        "4 1 ",
        "4-1-",
        "4.1.",
        "4/1/",
        "4  1  ",
        "4\0 \0",
        "4\u{200b}",
        "41\u{ad}",
        "4\u{200b}\u{200b}",
        "\u{feff}",
    ]);
    check(&["4111\n", "4111\r\n", "4111\n4111\n1111\n\n", "4111\n1111\n1111\n1111\nx\n", "411\n", "4\n"]);
    check(&[
        "4111\u{200b}1111\u{200b}1111\u{200b}1111 ",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n",
        "4\0\x0b\x201\0\x0b\x20",
    ]);
}

/// What looks like a card up to its last byte: its Luhn digit, the group behind it, what stands around it.
#[test]
fn what_fails_late() {
    check(&[
        "4111111111111112 ",
        "4111 1111 1111 1112 ",
        "4111 1111 1111 1111*",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 ",
        "4\u{200b}1\u{200b}1\u{200b}1\u{200b}1\u{200b}1\u{200b}1\u{200b}1\u{200b}1\u{200b}1\u{200b}1\u{200b}1\u{200b}2 ",
        "4111\n1111\n1111\n1111\n1\n",
        "4,111,111,111,111,112 ",
        "4.111111111111112e15 ",
    ]);
    check(&["GB82 WEST 4111111111111111 ", "0.4111111111111111", "a4111111111111111e4111111111111111"]);
    check(&[
        "41111111-1111-1111-1111-41111111111x",
        "4111111111111111^AAAAAAAAAAAAAAAAAAAAAAAAAA^",
        "4111111111111111=2513",
    ]);
    check(&[
        "1000000000000017 ",
        "1000000000001234",
        "411111000000001111 ",
        "**** **** **** 111 ",
        "************1111",
    ]);
}

#[test]
fn mixtures() {
    check(&[
        "4111-1111 1111\u{a0}1111%201111 ",
        "4&#52;%34\\u0034\u{ff14}",
        "4\0&#52;4 1 ",
        "4 1 1\u{200b}1\n1111 1111\n",
        "c cvv 4111111111111111|12/26|",
        "%B4111 1111 1111 1111^",
    ]);
}

/// Values that a caller has decoded, or knows the label of.
#[test]
fn whole_values() {
    let scanner = Scanner::new();
    for piece in ["4111111111111111", "NDExMTExMTExMTExMTExMQ", "34313131", "\"4\\", "4 ", "QQ\r\n"] {
        let (small, large) = (repeated(piece, LARGE / TIMES), repeated(piece, LARGE));
        for encoding in [Encoding::Base64, Encoding::Hex] {
            let [one, many] = [&small, &large].map(|text| {
                work(|| {
                    assert!(scanner.mask_encoded(&mut text.clone(), encoding, Format::Last4) <= text.len())
                })
            });
            assert!(many < (one + 100) * TIMES * 2, "{piece:?}: {one} became {many}");
        }
    }
}

#[test]
fn surroundings() {
    check(&[
        "BE68 5390 0754 7034 ",
        "%B4111111111111111^",
        "4111111111111111^AAAA^1",
        ";4111111111111111=2512",
        "cvv",
    ]);
    check(&["41111111-1111-1111-", "e4111111111111111", "4111111111111111 cvv 123 "]);
}
