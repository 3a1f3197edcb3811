//! Finds what a mask has made: card numbers whose digits are hidden, which must not be written back as if they were
//! values. Text by its stars, numbers by the filling that `number` chooses. Leaves out masks of values that are no card, and
//! of numbers of which eight digits stay open: too little is filled to tell; and numbers behind 1 of lengths that few cards have.

use crate::brands::{PAN_DIGITS_MAX, PAN_DIGITS_MIN, possible};
use crate::bytes::{HIDDEN, tally};
use crate::mask::{Format, Notation, Style};
use crate::number;
use std::ops::Range;

/// How the digits of a card number are printed in groups.
const GROUPS: [&[usize]; 4] = [&[4, 4, 4, 4], &[4, 4, 4, 4, 3], &[4, 6, 5], &[4, 6, 4]];
/// Front and end that a mask leaves open.
const LAYOUTS: [(usize, usize); 3] = [(0, 4), (6, 4), (8, 4)];
/// Zeros that the mask of a number has in a row at least.
const ZEROS: &[u8] = b"0000";

/// Bytes that a masked card number has at most, with its separators and what stands on both sides.
pub const MASKED_BYTES_MAX: usize = PAN_DIGITS_MAX + GROUPS[1].len() + 2;

/// The first masked card number of `bytes` that begins at `from` or later.
pub(crate) fn find(bytes: &[u8], from: usize, format: Format) -> Option<Range<usize>> {
    tally::add(bytes.len());
    if memchr::memchr(HIDDEN, bytes).is_none() && memchr::memmem::find(bytes, ZEROS).is_none() {
        return None;
    }
    let mut at = from;
    while let Some(start) = bytes.iter().skip(at).position(is_place).map(|ahead| at + ahead) {
        let run = run(bytes, start);
        let whole = start..start + run.iter().sum::<usize>() + run.len().saturating_sub(1);
        if GROUPS.contains(&run.as_slice()) && is_masked(bytes, &whole, format, true) {
            return Some(whole);
        }
        let mut piece = start;
        for length in run {
            let range = piece..piece + length;
            if is_masked(bytes, &range, format, false) {
                return Some(range);
            }
            piece = range.end + 1;
        }
        at = whole.end.max(start + 1);
    }
    None
}

fn is_place(byte: &u8) -> bool {
    byte.is_ascii_digit() || *byte == HIDDEN
}

/// The lengths of the groups that begin at `start`, one separator of the same kind between two.
fn run(bytes: &[u8], start: usize) -> Vec<usize> {
    let mut groups = Vec::with_capacity(1);
    let (mut at, mut separator) = (start, None);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| is_place(byte)).count();
        groups.push(length);
        tally::add(length + 1);
        let Some([between, next, ..]) = rest.get(length..) else { return groups };
        let fits = matches!(between, b' ' | b'-' | b'.') && separator.is_none_or(|own| own == *between);
        if !fits || !is_place(next) || groups.len() > GROUPS[1].len() {
            return groups;
        }
        separator = Some(*between);
        at += length + 1;
    }
}

fn is_masked(bytes: &[u8], range: &Range<usize>, format: Format, grouped: bool) -> bool {
    let text = bytes.get(range.clone()).unwrap_or_default();
    let mut places = [0; PAN_DIGITS_MAX];
    let mut count = 0;
    for byte in text.iter().filter(|byte| is_place(byte)) {
        let Some(place) = places.get_mut(count) else { return false };
        *place = *byte;
        count += 1;
    }
    let places = places.get(..count).unwrap_or_default();
    if count < PAN_DIGITS_MIN {
        return false;
    }
    if !places.contains(&HIDDEN) {
        let beside = bytes.get(range.end) == Some(&b'.')
            || range.start > 0 && bytes.get(range.start - 1) == Some(&b'.');
        return !grouped && !beside && is_masked_number(places, format);
    }
    let laid_out = |(front, end): (usize, usize)| {
        places
            .iter()
            .enumerate()
            .all(|(index, byte)| (*byte == HIDDEN) == (front..count - end).contains(&index))
    };
    // Stars alone are decoration, unless nothing is ever left open and they are a value by themselves.
    let alone =
        |at: Option<&u8>| at.is_none_or(|byte| matches!(byte, b'\'' | b'\t' | b'\n' | b',' | b'"' | b'|'));
    LAYOUTS.into_iter().any(laid_out)
        || format == Format::Full
            && laid_out((0, 0))
            && alone(range.start.checked_sub(1).and_then(|before| bytes.get(before)))
            && alone(bytes.get(range.end))
}

/// Digits that are their own mask, and no round number.
fn is_masked_number(places: &[u8], format: Format) -> bool {
    // A surrogate is as good as a number: nothing tells it from one.
    if matches!(format, Format::Full | Format::Surrogate)
        || !has_form(places, format)
        || places.ends_with(b"0000")
        || !places.windows(ZEROS.len()).any(|part| part == ZEROS)
    {
        return false;
    }
    let mut values = [0; PAN_DIGITS_MAX];
    let values = values.get_mut(..places.len()).unwrap_or_default();
    values.iter_mut().zip(places).for_each(|(value, place)| *value = place - b'0');
    let mut masked = [0; PAN_DIGITS_MAX];
    let masked = masked.get_mut(..values.len()).unwrap_or_default();
    masked.copy_from_slice(values);
    // Behind 1 nothing is open at the front, whatever the format opens.
    let format = if places.first() == Some(&b'1') { Format::Last4 } else { format };
    number::whole_digits(masked, Style { format, notation: Notation::Text, surrogates: None });
    masked == values
}

/// What is open at the front belongs to a brand that has numbers of that length; or nothing is, and the length is one
/// that cards are given today. Of 12, 13, 17 and 18 digits there are more counters and times than cards.
fn has_form(places: &[u8], format: Format) -> bool {
    if places.first() == Some(&b'1') {
        return matches!(places.len(), 14 | 15 | 16 | 19);
    }
    let first_four =
        places.iter().take(4).fold(0, |number, digit| number * 10 + u32::from(digit.wrapping_sub(b'0')));
    format.open(places.len()).0 > 0 && possible(first_four).length(places.len())
}

/// Whether an integer is a mask of a card number.
pub(crate) fn integer(value: i64, format: Format) -> bool {
    let text = value.unsigned_abs().to_string();
    (PAN_DIGITS_MIN..=PAN_DIGITS_MAX).contains(&text.len()) && is_masked_number(text.as_bytes(), format)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scanner;

    const CARDS: [&str; 6] = [
        "4111111111111111",
        "4111 1111 1111 1111",
        "5555-5555-5555-4444",
        "378282246310005",
        "3782 822463 10005",
        "6304000000000000",
    ];
    const FORMATS: [Format; 4] = [Format::Full, Format::Last4, Format::Bin6Last4, Format::Bin8Last4];

    #[test]
    fn what_the_masks_make_is_found_in_any_surroundings() {
        let scanner = Scanner::new();
        for format in FORMATS {
            for card in CARDS {
                let mut masked = card.as_bytes().to_vec();
                assert_eq!(scanner.mask(&mut masked, format), 1);
                for (before, behind) in [("", ""), ("insert into t values ('", "')"), ("1\t", "\t2\n")] {
                    let text = [before.as_bytes(), &masked, behind.as_bytes()].concat();
                    let found = find(&text, 0, format);
                    // Groups of stars alone say nothing.
                    if format == Format::Full && card.contains([' ', '-']) {
                        continue;
                    }
                    assert_eq!(found, Some(before.len()..before.len() + card.len()), "{format:?} {card}");
                }
                assert_eq!(find(card.as_bytes(), 0, format), None, "the number itself is no mask");
            }
        }
    }

    #[test]
    fn numbers_that_the_masks_make_are_found() {
        let scanner = Scanner::new();
        for format in [Format::Last4, Format::Bin6Last4] {
            for card in ["4111111111111111", "5555555555554444", "378282246310005", "2223003122003222"] {
                let card: i64 = card.parse().unwrap();
                let masked = scanner.mask_integer(card, format).unwrap();
                assert!(integer(masked, format), "{format:?} {card} {masked}");
                let text = format!("values ({masked})");
                assert_eq!(find(text.as_bytes(), 0, format).map(|range| range.start), Some(8));
                assert!(!integer(card, format));
            }
        }
    }

    /// One for each ending but four zeros, whatever the format; no card number begins with 1, so none is among them.
    #[test]
    fn counters_meet_masks_right_above_a_power_of_ten_only() {
        let masks = |from: i64| (from..from + 100_000).filter(|value| integer(*value, Format::Last4)).count();
        for least in [10i64.pow(13), 10i64.pow(14), 10i64.pow(15)] {
            assert_eq!(masks(least), 9_999);
            assert_eq!(masks(least + 100_000), 0);
            assert_eq!(masks(least * 2 - 100_000), 0);
        }
        assert_eq!(masks(10i64.pow(12)) + masks(10i64.pow(16)), 0);
    }

    #[test]
    fn what_is_no_mask_is_left_alone() {
        for text in [
            "/****************/ select 1",
            "select 2 * 3 ** 4",
            "'****'",
            "'*******1111'",
            "1000000000000000",
            "4111111111111111",
            "20290101000000",
            "1234567890123456",
            "'************11112222'",
            "0.1000000000001234",
            "1729000000000017",
            "1000000001234",
            "values (1000000001234, 100000000001)",
            "100000000000001234",
        ] {
            assert_eq!(find(text.as_bytes(), 0, Format::Last4), None, "{text}");
        }
        // No brand begins so, or has numbers of that length.
        for text in ["7234560000001234", "1234560000001234", "41111100000001234", "222100000001234"] {
            assert_eq!(find(text.as_bytes(), 0, Format::Bin6Last4), None, "{text}");
            assert!(!integer(text.parse().unwrap(), Format::Bin6Last4), "{text}");
        }
    }
}
