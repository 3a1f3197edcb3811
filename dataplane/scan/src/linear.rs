//! No text is worth more work a byte than any other by more than a constant: sixteen times the text take at most little
//! more than sixteen times the work. Work is counted in bytes read, not in time.

use crate::bytes::tally;
use crate::{Format, Scanner, Stream};

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
    let ways: [fn(&Scanner, &[u8]); 5] = [
        |scanner, text| assert!(scanner.find(text).count() <= text.len()),
        |scanner, text| assert!(scanner.suspect_at(text, 0).is_none_or(|at| at < text.len())),
        |scanner, text| assert!(scanner.mask(&mut text.to_vec(), Format::Bin6Last4) <= text.len()),
        |scanner, text| assert!(scanner.mask_json(&mut text.to_vec(), Format::Last4) <= text.len()),
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
