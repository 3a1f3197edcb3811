//! Values masked whatever they hold: as long as before and of the same type, with nothing of the value left but what the
//! format opens of a card number. Leaves out which columns (`origin.rs`) and how text is hidden (`hide.rs`).

use scan::Format;

use super::column::{Column, kind};
use crate::Watch;
use crate::hide::{HIDDEN, alphanumeric, each, json};
use crate::masker::Masker;

/// How a column's cells are masked whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) kind: u8,
    pub(crate) json: bool,
    pub(crate) format: Format,
}

impl Whole {
    pub(crate) fn of(column: &Column<'_>, format: Format) -> Self {
        Self { kind: column.kind, json: column.json || column.kind == kind::JSON, format }
    }
}

/// A value that is masked as it comes, in parts.
pub(crate) struct Fill {
    json: bool,
    begun: bool,
}

impl Fill {
    pub(crate) fn new(whole: Whole) -> Self {
        Self { json: whole.json, begun: false }
    }

    /// Masks `bytes`, the next of the value.
    pub(crate) fn part(&mut self, bytes: &mut [u8], last: bool) {
        let begins = !bytes.is_empty() && !core::mem::replace(&mut self.begun, true);
        bytes.fill(HIDDEN);
        if !self.json {
            return;
        }
        if let (true, Some(first)) = (begins, bytes.first_mut()) {
            *first = b'"';
        }
        if let (true, Some(end)) = (last, bytes.last_mut()) {
            *end = b'"';
        }
    }
}

/// Masks a value in place. Always counts as one.
pub(crate) fn hide(masker: &Masker, whole: Whole, binary: bool, value: &mut [u8]) -> usize {
    let format = whole.format;
    match whole.kind {
        _ if whole.json => json(value),
        kind::DECIMAL | kind::NEWDECIMAL => masker.whole_decimal(value, format),
        kind::BIT | kind::GEOMETRY => value.fill(0),
        kind::DATE | kind::TIME | kind::DATETIME | kind::TIMESTAMP if binary => moment(whole.kind, value),
        kind::DATE | kind::TIME | kind::DATETIME | kind::TIMESTAMP => each(value, alphanumeric, b'1'),
        kind::TINY | kind::SHORT | kind::LONG | kind::INT24 | kind::YEAR | kind::LONGLONG if binary => {
            integer(masker, value, format);
        }
        kind::TINY | kind::SHORT | kind::LONG | kind::INT24 | kind::YEAR | kind::LONGLONG => {
            masker.whole_digits(value, format);
        }
        kind::FLOAT | kind::DOUBLE if binary => float(masker, value, format),
        kind::FLOAT | kind::DOUBLE => masker.whole_decimal(value, format),
        _ => masker.whole_words(value, format),
    }
    1
}

/// As many digits: a card's length as a card, of any other a one and zeros; always fits a signed number too.
fn integer(masker: &Masker, value: &mut [u8], format: Format) {
    let mut bytes = [0; 8];
    let (low, _) = bytes.split_at_mut(value.len().min(8));
    low.copy_from_slice(value.get(..low.len()).unwrap_or_default());
    let negative = value.last().is_some_and(|last| *last >= 0x80);
    let number = i64::from_le_bytes(bytes);
    let masked = match number {
        0 => 1,
        // What may be negative: a one is shown, whatever its sign.
        _ if negative && value.len() < 8 => 1,
        number => masker.scanner.mask_whole_integer(number, format),
    };
    let most = i64::MAX >> (64 - 8 * value.len().clamp(1, 8));
    let masked = if (0..=most).contains(&masked) { masked } else { 1 };
    value.copy_from_slice(masked.to_le_bytes().get(..value.len()).unwrap_or_default());
}

fn float(masker: &Masker, value: &mut [u8], format: Format) {
    const CARD_MIN: u64 = 100_000_000_000;
    let ([number], []) = value.as_chunks_mut::<8>() else { return value.fill(0) };
    // What an i64 cannot hold, or is none, becomes the nearest; 0 stands for all that is no card.
    let masked = match f64::from_le_bytes(*number) as i64 {
        card if card.unsigned_abs() >= CARD_MIN => masker.scanner.mask_whole_integer(card, format),
        _ => 0,
    };
    *number = (masked as f64).to_le_bytes();
}

/// A date or a time in a binary row, behind its length: a one for each digit.
fn moment(which: u8, value: &mut [u8]) {
    const ONES: [u8; 7] = [0x57, 0x04, 11, 11, 11, 11, 11];
    const TIME: [u8; 8] = [0, 1, 0, 0, 0, 11, 11, 11];
    const FRACTION: [u8; 4] = 111_111_u32.to_le_bytes();
    let like = if which == kind::TIME { TIME.as_slice() } else { &ONES };
    let like = like.iter().chain(&FRACTION);
    value.iter_mut().zip(like).for_each(|(byte, one)| *byte = *one);
}

/// Errors whose words are the same whatever the values are: a job needs them to try again, or not. Locks, deadlocks,
/// interruptions, time-outs, read-only servers, shutdown.
const FIXED: [u16; 9] = [1053, 1205, 1213, 1290, 1317, 1792, 1836, 1969, 3024];

/// Masks what an error of a command that touches a label says of values: its digits and all from the first quote on, and
/// all of it where the command runs what its text does not show.
pub(crate) fn report(watch: Watch, number: u16, text: &mut [u8]) -> usize {
    if !watch.labels || !watch.computed || FIXED.contains(&number) {
        return 0;
    }
    let quote = text.iter().position(|byte| matches!(byte, b'"' | b'\'' | b'`' | 0x80..));
    let from = if watch.opaque { 0 } else { quote.map_or(text.len(), |at| at + 1) };
    let end = text.len() - usize::from(from < text.len() && matches!(text.last(), Some(b'"' | b'\'' | b'`')));
    let (words, rest) = text.get_mut(..end).unwrap_or_default().split_at_mut(from.min(end));
    each(words, u8::is_ascii_digit, HIDDEN);
    rest.fill(HIDDEN);
    1
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn hidden(kind: u8, binary: bool, value: &[u8]) -> Vec<u8> {
        let masker = Masker { scanner: scan::Scanner::new(), format: Format::Last4, scratch: Vec::new() };
        let mut value = value.to_vec();
        let whole = Whole { kind, json: kind == kind::JSON, format: Format::Last4 };
        assert_eq!(hide(&masker, whole, binary, &mut value), 1);
        value
    }

    #[test]
    fn every_type_keeps_its_form_and_nothing_else() {
        for (kind, value, expected) in [
            (0xfd, b"4111 1111 1111 1111".as_slice(), b"**** **** **** 1111".as_slice()),
            (0xfd, b"123", b"***"),
            (kind::LONGLONG, b"-4111111111111111", b"-1000000000001111"),
            (kind::TINY, b"-12", b"-10"),
            (kind::YEAR, b"2031", b"1000"),
            (kind::NEWDECIMAL, b"12.50", b"00.00"),
            (kind::DOUBLE, b"4.1e15", b"0.0e00"),
            (kind::DATETIME, b"2031-12-31 23:59:59.5", b"1111-11-11 11:11:11.1"),
            (kind::TIME, b"-838:59:59", b"-111:11:11"),
            (kind::JSON, b"{\"a\": 1}", b"\"******\""),
            (kind::BIT, b"\x01\xff", b"\0\0"),
            (0xfc, b"", b""),
        ] {
            assert_eq!(hidden(kind, false, value), expected, "{kind}");
        }
        for (kind, value, expected) in [
            (kind::TINY, b"\xff".as_slice(), b"\x01".as_slice()),
            (kind::TINY, b"\x7b", b"\x64"),
            (kind::SHORT, b"\0\0", b"\x01\0"),
            (kind::LONG, &12_345_i32.to_le_bytes(), &10_000_i32.to_le_bytes()),
            (
                kind::LONGLONG,
                &4_111_111_111_111_111_i64.to_le_bytes(),
                &1_000_000_000_001_111_i64.to_le_bytes(),
            ),
            (kind::LONGLONG, &u64::MAX.to_le_bytes(), &1_u64.to_le_bytes()),
            (kind::FLOAT, &1.5_f32.to_le_bytes(), &0_f32.to_le_bytes()),
            (
                kind::DOUBLE,
                &4_111_111_111_111_111_f64.to_le_bytes(),
                &1_000_000_000_001_111_f64.to_le_bytes(),
            ),
            (kind::DATE, b"\xe7\x07\x0c\x1f", b"\x57\x04\x0b\x0b"),
            (kind::DATETIME, &[9; 11], b"\x57\x04\x0b\x0b\x0b\x0b\x0b\x07\xb2\x01\0"),
            (kind::TIME, &[1; 8], b"\0\x01\0\0\0\x0b\x0b\x0b"),
        ] {
            assert_eq!(hidden(kind, true, value), expected, "{kind}");
        }
    }

    #[test]
    fn errors_keep_their_words_and_lose_their_values() {
        let watch = Watch { labels: true, computed: true, ..Watch::default() };
        let said = |watch, number, text: &str| {
            let mut text = text.as_bytes().to_vec();
            report(watch, number, &mut text);
            alloc::string::String::from_utf8(text).unwrap()
        };
        assert_eq!(said(watch, 1062, "Duplicate entry '12' for key 'k'"), "Duplicate entry '**************'");
        assert_eq!(said(watch, 1264, "Out of range at row 7"), "Out of range at row *");
        assert_eq!(said(watch, 1205, "Lock wait timeout 5"), "Lock wait timeout 5");
        assert_eq!(said(Watch { opaque: true, ..watch }, 1644, "abc 1"), "*****");
        assert_eq!(said(Watch { labels: true, ..Watch::default() }, 1062, "entry '12'"), "entry '12'");
    }
}
