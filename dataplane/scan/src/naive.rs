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

/// What may stand between groups, the same everywhere in a number.
const SEPARATORS: [&str; 27] = [
    " ", "  ", "-", ".", "/", "+", "%20", "\u{a0}", "\u{2000}", "\u{2001}", "\u{2002}", "\u{2003}",
    "\u{2004}", "\u{2005}", "\u{2006}", "\u{2007}", "\u{2008}", "\u{2009}", "\u{200a}", "\u{2010}",
    "\u{2011}", "\u{2012}", "\u{2013}", "\u{2014}", "\u{202f}", "\u{3000}", "\u{ff0d}",
];

/// The zeros of the scripts that digits are written in.
const ZEROS: [char; 5] = ['0', '\u{ff10}', '\u{660}', '\u{6f0}', '\u{966}'];

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
    let reading = ZEROS.iter().find_map(|zero| {
        let begins = digit(value, start, *zero).is_some();
        let goes_on =
            ends_in_digit(value.get(..start)?, *zero) && !(*zero == '0' && behind_escape(value, start));
        (begins && !goes_on).then(|| printed(value, start, *zero).or_else(|| thousands(value, start, *zero)))
    });
    let (range, brand, plain) = reading??;
    (!denied(value, &range, plain)).then_some(Number { range, brand })
}

type Reading = (Range<usize>, Brand, bool);

/// In groups as cards print them.
fn printed(value: &[u8], start: usize, zero: char) -> Option<Reading> {
    let first =
        (0..20).take_while(|place| digit(value, start + place * zero.len_utf8(), zero).is_some()).count();
    LAYOUTS.iter().filter(|layout| layout.first() == Some(&first)).find_map(|layout| {
        SEPARATORS.iter().find_map(|separator| {
            let (digits, end) = read(value, start, layout, separator, zero)?;
            let brand = brand(&digits)?;
            let future = value.get(end..)?;
            let three: Vec<usize> =
                (0..3).map(|place| end + separator.len() + place * zero.len_utf8()).collect();
            let cut = *layout == [4, 4, 4]
                && future.starts_with(separator.as_bytes())
                && three.iter().all(|index| {
                    digit(value, *index, zero).is_some() || hidden(value.get(*index..).unwrap_or(&[]), zero)
                });
            let last = layout.last().copied().unwrap_or(0);
            let masked = layout.len() > 1 && [1, 2, 6, 8].contains(&last) && hidden(future, zero);
            (!cut && !masked).then_some((start..end, brand, layout.len() == 1))
        })
    })
}

/// With one separator between thousands, and nothing of the kind before or behind.
fn thousands(value: &[u8], start: usize, zero: char) -> Option<Reading> {
    if zero != '0' {
        return None;
    }
    [",", ".", " "].iter().find_map(|separator| {
        (1..=3).find_map(|first| {
            (3..=6).find_map(|groups| {
                let layout: Vec<usize> =
                    std::iter::once(first).chain(std::iter::repeat_n(3, groups)).collect();
                let (digits, end) = read(value, start, &layout, separator, zero)?;
                let before =
                    value.get(..start)?.strip_suffix(separator.as_bytes()).and_then(|past| past.last());
                let future = value.get(end..)?;
                let behind = future.strip_prefix(separator.as_bytes()).and_then(|next| next.first());
                let double = *separator == " " && future.starts_with(b"  ");
                let goes_on = before.is_some_and(|byte| is_digit_or_mask(*byte))
                    || behind.is_some_and(|byte| is_digit_or_mask(*byte)) && !double
                    || future.first() == Some(&b'*');
                Some((start..end, brand(&digits).filter(|_| !goes_on)?, false))
            })
        })
    })
}

/// The digits of a number that begins at `start` with exactly that layout, and its end.
fn read(
    value: &[u8],
    start: usize,
    layout: &[usize],
    separator: &str,
    zero: char,
) -> Option<(Vec<u8>, usize)> {
    let mut digits = Vec::new();
    let mut index = start;
    for (place, group) in layout.iter().enumerate() {
        if place > 0 {
            if !value.get(index..)?.starts_with(separator.as_bytes()) {
                return None;
            }
            if separator == " " && value.get(index..)?.starts_with(b"  ") {
                return None;
            }
            index += separator.len();
        }
        for _ in 0..*group {
            digits.push(digit(value, index, zero)?);
            index += zero.len_utf8();
        }
        if digit(value, index, zero).is_some() {
            return None;
        }
    }
    Some((digits, index))
}

/// The value of the digit at `index`, in the script with that zero.
fn digit(value: &[u8], index: usize, zero: char) -> Option<u8> {
    let mut buffer = [0; 4];
    let (last, first) = zero.encode_utf8(&mut buffer).as_bytes().split_last()?;
    let digit = value.get(index..)?.strip_prefix(first)?.first()?.wrapping_sub(*last);
    (digit < 10).then_some(digit)
}

fn ends_in_digit(text: &[u8], zero: char) -> bool {
    text.len().checked_sub(zero.len_utf8()).is_some_and(|last| digit(text, last, zero).is_some())
}

/// `%22` or `\u0022` ends at `start`.
fn behind_escape(value: &[u8], start: usize) -> bool {
    [("%", 2), ("\\u", 4)].iter().any(|(mark, digits)| {
        let Some(escape) = start.checked_sub(mark.len() + digits).and_then(|from| value.get(from..start))
        else {
            return false;
        };
        escape.strip_prefix(mark.as_bytes()).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Begins with what takes a hidden digit's place in that script.
fn hidden(text: &[u8], zero: char) -> bool {
    text.starts_with(match zero.len_utf8() {
        1 => b"*",
        2 => b"**",
        _ => "\u{ff0a}".as_bytes(),
    })
}

fn denied(value: &[u8], range: &Range<usize>, plain: bool) -> bool {
    let ascii = value.get(range.start).is_some_and(u8::is_ascii_digit);
    let fraction = plain && fraction(value, range);
    ascii && (fraction || hexadecimal(value, range) || uuid(value, range) || iban(value, range))
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
