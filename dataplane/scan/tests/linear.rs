//! No text is worth more work a byte than any other by more than a constant: sixteen times the text take not much more
//! than sixteen times the time.

use scan::{Format, Scanner, Stream};
use std::hint::black_box;
use std::time::{Duration, Instant};

const LARGE: usize = 1 << 20;
const TIMES: usize = 16;

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn repeated(piece: &str, bytes: usize) -> Vec<u8> {
    piece.bytes().cycle().take(bytes).collect()
}

fn scan_all_ways(scanner: &Scanner, text: &[u8]) {
    black_box(scanner.find(text).count());
    black_box(scanner.suspect(text));
    let mut bytes = text.to_vec();
    black_box(scanner.mask(&mut bytes, Format::Bin6Last4));
    let (mut stream, mut kept) = (Stream::new(), Vec::new());
    for part in text.chunks(700) {
        kept.extend_from_slice(part);
        let progress = stream.mask(scanner, &mut kept, false, Format::Full);
        kept.drain(..progress.released);
    }
    black_box(stream.mask(scanner, &mut kept, true, Format::Full));
}

fn check(pieces: &[&str]) {
    let scanner = Scanner::new();
    for piece in pieces {
        let (small, large) = (repeated(piece, LARGE / TIMES), repeated(piece, LARGE));
        let one = (0..3).map(|_| time(|| scan_all_ways(&scanner, &small))).max().unwrap_or_default();
        let many = time(|| scan_all_ways(&scanner, &large));
        let bound = one.max(Duration::from_micros(100)) * (TIMES as u32) * 6;
        assert!(many < bound, "{piece:?}: {one:?} became {many:?}");
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
