//! The oracle: what a card number is, as plainly as it can be written. Slow; tests, fuzzing and benches compare with
//! it. It shares the rows of issuer ranges with the finder and nothing else. Tracks and card codes are left out.

use crate::Brand;
use crate::brands::ISSUERS;
use std::ops::Range;

/// A number at `range`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Where it is.
    pub range: Range<usize>,
    /// Whose it is.
    pub brand: Brand,
}

/// How cards print their numbers, the first that fits is taken.
const LAYOUTS: [&[usize]; 27] = [
    &[4, 4, 4, 4],
    &[12],
    &[13],
    &[14],
    &[15],
    &[16],
    &[17],
    &[18],
    &[19],
    &[4, 4, 4, 4, 1],
    &[4, 4, 4, 4, 2],
    &[4, 4, 4, 4, 3],
    &[4, 4, 4, 1],
    &[4, 4, 4, 2],
    &[4, 4, 4, 3],
    &[4, 4, 4, 5],
    &[4, 4, 4, 6],
    &[4, 4, 4, 7],
    &[4, 3, 3, 3],
    &[4, 4, 4],
    &[4, 6, 4],
    &[4, 6, 5],
    &[4, 6, 6],
    &[4, 6, 7],
    &[4, 6, 8],
    &[4, 6, 9],
    &[6, 13],
];

const SEPARATORS: [&[u8]; 6] = [b" ", b"  ", b"-", b".", b"/", b"\xc2\xa0"];

/// Whether the digits (0 to 9) pass Luhn.
pub fn luhn(digits: &[u8]) -> bool {
    let mut sum = 0;
    for (place, digit) in digits.iter().rev().enumerate() {
        let weighed = u32::from(*digit) * if place % 2 == 0 { 1 } else { 2 };
        sum += weighed / 10 + weighed % 10;
    }
    sum.is_multiple_of(10)
}

/// The brand of a number (digits 0 to 9), where it is one of a card.
pub fn brand(digits: &[u8]) -> Option<Brand> {
    let first_six = digits.get(..6)?.iter().fold(0, |number, digit| number * 10 + u32::from(*digit));
    ISSUERS
        .iter()
        .find(|row| {
            (12..=19).contains(&digits.len())
                && row.lengths & (1 << (digits.len() - 12)) != 0
                && row.low <= first_six
                && first_six <= row.high
                && (!row.luhn || luhn(digits))
        })
        .map(|row| row.brand)
}

/// All card numbers of a whole value, in order; they do not overlap.
pub fn find(value: &[u8]) -> Vec<Number> {
    let mut numbers = Vec::new();
    let mut start = 0;
    while start < value.len() {
        match at(value, start) {
            Some(number) => {
                start = number.range.end;
                numbers.push(number);
            }
            None => start += 1,
        }
    }
    numbers
}

/// Whether any part of `bytes`, taken as a value, holds a card number. Cubic: for short values.
pub fn suspect(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|from| {
        (from..=bytes.len()).any(|to| bytes.get(from..to).is_some_and(|part| !find(part).is_empty()))
    })
}

fn at(value: &[u8], start: usize) -> Option<Number> {
    let (past, text) = value.split_at_checked(start)?;
    if ends_in_digit(past) || !text.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let readings =
        LAYOUTS.iter().flat_map(|layout| SEPARATORS.iter().map(move |separator| (*layout, *separator)));
    let mut readings = readings.filter_map(|(layout, separator)| {
        let (digits, length) = read(text, layout, separator)?;
        let future = text.get(length..)?;
        let brand = brand(&digits)?;
        let goes_on = future.strip_prefix(separator).and_then(|next| next.get(..3));
        let cut =
            layout == [4, 4, 4] && goes_on.is_some_and(|next| next.iter().all(|b| is_digit_or_mask(*b)));
        let masked = layout.len() > 1
            && layout.last().is_some_and(|last| [1, 2, 6, 8].contains(last))
            && future.first() == Some(&b'*');
        (!cut && !masked).then_some((Number { range: start..start + length, brand }, layout))
    });
    let (number, layout) = readings.next()?;
    (!denied(value, &number.range, layout)).then_some(number)
}

/// The digits of `text` where it begins with exactly that layout, and how many bytes that is.
fn read(text: &[u8], layout: &[usize], separator: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut digits = Vec::new();
    let mut rest = text;
    for (place, group) in layout.iter().enumerate() {
        if place > 0 {
            rest = rest.strip_prefix(separator)?;
        }
        let (taken, after) = rest.split_at_checked(*group)?;
        if !taken.iter().all(u8::is_ascii_digit) || after.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        digits.extend(taken.iter().map(|digit| digit - b'0'));
        rest = after;
    }
    (!digits.is_empty()).then(|| (digits, text.len() - rest.len()))
}

fn denied(value: &[u8], range: &Range<usize>, layout: &[usize]) -> bool {
    layout.len() == 1 && fraction(value, range)
        || hexadecimal(value, range)
        || uuid(value, range)
        || iban(value, range)
}

fn fraction(value: &[u8], range: &Range<usize>) -> bool {
    matches!(value.get(..range.start), Some([.., digit, b'.']) if is_digit_or_mask(*digit))
}

/// The row of hexadecimal digits around its first or its last group is long.
fn hexadecimal(value: &[u8], range: &Range<usize>) -> bool {
    let hex = |index: &usize| value.get(*index).is_some_and(u8::is_ascii_hexdigit);
    let row = |index: usize| {
        (0..index).rev().take_while(hex).count() + (index..value.len()).take_while(hex).count()
    };
    row(range.start) >= 24 || row(range.end - 1) >= 24
}

fn uuid(value: &[u8], range: &Range<usize>) -> bool {
    (0..value.len()).filter(|start| *start <= range.start && range.start < start + 36).any(|start| {
        let Some(word) = value.get(start..start + 36) else { return false };
        let alone = (start == 0 || !alphanumeric(value, start - 1)) && !alphanumeric(value, start + 36);
        let groups: Vec<&[u8]> = word.split(|byte| *byte == b'-').collect();
        alone
            && groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
            && groups.iter().all(|group| group.iter().all(u8::is_ascii_hexdigit))
    })
}

fn iban(value: &[u8], range: &Range<usize>) -> bool {
    (range.start.saturating_sub(42)..range.start).any(|start| {
        (start == 0 || !alphanumeric(value, start - 1))
            && (15..=42).any(|length| {
                start + length > range.start
                    && !alphanumeric(value, start + length)
                    && value.get(start..start + length).is_some_and(is_iban)
            })
    })
}

fn is_iban(text: &[u8]) -> bool {
    let doubled = text.windows(2).any(|pair| pair == b"  ");
    let characters: Vec<u8> = text.iter().copied().filter(|byte| *byte != b' ').collect();
    let Some((country, rest)) = characters.split_at_checked(2) else { return false };
    let upper = characters.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    if doubled || !upper || text.last() == Some(&b' ') || text.first() == Some(&b' ') {
        return false;
    }
    let known = crate::context::iban_characters([
        country.first().copied().unwrap_or(0),
        country.last().copied().unwrap_or(0),
    ]);
    let mut turned = rest.get(2..).unwrap_or(&[]).to_vec();
    turned.extend(characters.iter().take(4));
    let remainder = turned.iter().fold(0u32, |sum, byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    known == Some(characters.len()) && remainder == 1
}

fn alphanumeric(value: &[u8], index: usize) -> bool {
    value.get(index).is_some_and(u8::is_ascii_alphanumeric)
}

fn is_digit_or_mask(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'*'
}

fn ends_in_digit(text: &[u8]) -> bool {
    text.last().is_some_and(u8::is_ascii_digit)
}
