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

/// A way to write digits: the first, the last byte of which counts up; what takes a hidden one's place; zeros behind.
struct Writing {
    zero: &'static str,
    hidden: &'static str,
    gap: usize,
}

const ASCII: Writing = Writing { zero: "0", hidden: "*", gap: 0 };
const UTF16: Writing = Writing { zero: "0", hidden: "*", gap: 1 };
const OTHERS: [Writing; 6] = [
    Writing { zero: "\u{ff10}", hidden: "\u{ff0a}", gap: 0 },
    Writing { zero: "\u{660}", hidden: "**", gap: 0 },
    Writing { zero: "\u{6f0}", hidden: "**", gap: 0 },
    Writing { zero: "\u{966}", hidden: "\u{ff0a}", gap: 0 },
    Writing { zero: "%30", hidden: "%2A", gap: 0 },
    Writing { zero: "\\u0030", hidden: "\\u002a", gap: 0 },
];

impl Writing {
    /// From a digit to the next.
    fn step(&self) -> usize {
        self.zero.len() + self.gap
    }

    /// All separators as this text has them. UTF-16 is not looked for with others than those of one byte in Latin 1.
    fn separators(&self) -> impl Iterator<Item = Vec<u8>> {
        let (wide, plain) = (self.gap > 0, self.gap == 0);
        let latin = SEPARATORS
            .iter()
            .filter(move |text| wide && text.chars().all(|c| c <= '\u{ff}') && **text != "%20");
        let spaced = latin.map(|text| text.chars().flat_map(|c| [c as u8, 0]).collect());
        let escaped =
            SEPARATORS.iter().filter(move |text| plain && text.chars().count() == 1).flat_map(|text| {
                let code = text.chars().next().map_or(0, u32::from);
                let both = [format!("\\u{code:04x}").into_bytes(), format!("\\u{code:04X}").into_bytes()];
                // Of the other ASCII separators, escapes are not looked for.
                both.into_iter().filter(move |_| !matches!(text, &"." | &"/" | &"+"))
            });
        let same = SEPARATORS.iter().filter(move |_| plain).map(|text| text.as_bytes().to_vec());
        spaced.chain(same).chain(escaped)
    }
}

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
    let ascii = (digit(value, start, &ASCII).is_some() && !goes_on(value, start, &ASCII)).then(|| {
        let reading = printed(value, start, &ASCII).or_else(|| thousands(value, start));
        reading.or_else(|| scientific(value, start)).filter(|reading| !denied(value, reading))
    });
    let wide = || {
        let begins = digit(value, start, &UTF16).is_some() && !digits_end(value, start, &ASCII);
        let reading = (begins && !goes_on(value, start, &UTF16)).then(|| printed(value, start, &UTF16));
        let masked = |index: usize| hidden(value, index, &ASCII);
        let before = start >= 2 && value.get(start - 1) == Some(&0) && masked(start - 2);
        reading.map(|reading| {
            reading.filter(|(range, ..)| {
                let behind = value.get(range.end) == Some(&0) && masked(range.end + 1);
                digit(value, range.end, &ASCII).is_none() && !before && !behind
            })
        })
    };
    let other = || {
        OTHERS.iter().find_map(|writing| {
            let begins = digit(value, start, writing).is_some() && !goes_on(value, start, writing);
            begins.then(|| printed(value, start, writing))
        })
    };
    let (range, brand, _) = ascii.flatten().or_else(|| wide().flatten()).or_else(|| other().flatten())?;
    Some(Number { range, brand })
}

/// Digits stand before, which are not an escape's.
fn goes_on(value: &[u8], start: usize, writing: &Writing) -> bool {
    digits_end(value, start, writing)
        && !(writing.zero == "0" && writing.gap == 0 && behind_escape(value, start))
}

fn digits_end(value: &[u8], start: usize, writing: &Writing) -> bool {
    let gap = value.get(..start).unwrap_or(&[]).iter().rev().take(writing.gap).all(|byte| *byte == 0);
    gap && start.checked_sub(writing.step()).is_some_and(|last| digit(value, last, writing).is_some())
}

type Reading = (Range<usize>, Brand, bool);

/// In groups as cards print them.
fn printed(value: &[u8], start: usize, writing: &Writing) -> Option<Reading> {
    let first =
        (1..20).take_while(|count| read(value, start, &[*count], b"", writing, true).is_some()).count();
    LAYOUTS.iter().filter(|layout| layout.first() == Some(&first)).find_map(|layout| {
        // With one group, no separator is asked for.
        writing.separators().take(if layout.len() == 1 { 1 } else { usize::MAX }).find_map(|separator| {
            let (digits, end) = read(value, start, layout, &separator, writing, false)?;
            let brand = brand(&digits)?;
            let next = end + writing.gap;
            let future = value.get(next..).unwrap_or(&[]);
            let fourth = next + separator.len();
            let cut = *layout == [4, 4, 4]
                && future.starts_with(&separator)
                && !(separator == b" " && future.starts_with(b"  "))
                && !(separator == b" \0" && future.starts_with(b" \0 \0"))
                && (0..3).all(|place| {
                    let index = fourth + place * writing.step();
                    digit(value, index, writing).is_some() || hidden(value, index, writing)
                });
            let last = layout.last().copied().unwrap_or(0);
            let masked = layout.len() > 1 && [1, 2, 6, 8].contains(&last) && hidden(value, next, writing);
            (!cut && !masked).then_some((start..end, brand, layout.len() == 1))
        })
    })
}

/// `4.111111111111111e15`, zeros left out at the end.
fn scientific(value: &[u8], start: usize) -> Option<Reading> {
    if digits_end(value, start, &ASCII) {
        return None;
    }
    let text = std::str::from_utf8(value.get(start..)?.split(|byte| !byte.is_ascii()).next()?).ok()?;
    let (mantissa, exponent) = text.split_once(['e', 'E'])?;
    let (whole, fraction) = mantissa.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 1 || !digits(whole) || !digits(fraction) || !(10..=24).contains(&fraction.len()) {
        return None;
    }
    let signless = exponent.strip_prefix('+').unwrap_or(exponent);
    let places: String = signless.chars().take_while(char::is_ascii_digit).collect();
    let power: usize =
        places.strip_prefix('0').unwrap_or(&places).parse().ok().filter(|_| places.len() <= 3)?;
    if !(11..=18).contains(&power) || places.trim_start_matches('0').len() + 1 < places.len() {
        return None;
    }
    let all = whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat(b'0'));
    let values: Vec<u8> = all.take(power + 1).map(|byte| byte - b'0').collect();
    let end = start + mantissa.len() + 1 + (exponent.len() - signless.len()) + places.len();
    Some((start..end, brand(&values)?, false))
}

/// With one separator between thousands, and nothing of the kind before or behind.
fn thousands(value: &[u8], start: usize) -> Option<Reading> {
    [",", ".", " "].iter().find_map(|separator| {
        (1..=3).find_map(|first| {
            (3..=6).find_map(|groups| {
                let layout: Vec<usize> =
                    std::iter::once(first).chain(std::iter::repeat_n(3, groups)).collect();
                let (digits, end) = read(value, start, &layout, separator.as_bytes(), &ASCII, false)?;
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

/// The digits of a number that begins at `start` with exactly that layout, and its end. `goes_on`: more digits may follow.
fn read(
    value: &[u8],
    start: usize,
    layout: &[usize],
    separator: &[u8],
    writing: &Writing,
    goes_on: bool,
) -> Option<(Vec<u8>, usize)> {
    let mut digits = Vec::new();
    let mut index = start;
    for (place, group) in layout.iter().enumerate() {
        if place > 0 {
            let rest = value.get(index..)?;
            let doubled = separator == b" " && rest.starts_with(b"  ")
                || separator == b" \0" && rest.starts_with(b" \0 \0");
            if !rest.starts_with(separator) || doubled {
                return None;
            }
            index += separator.len();
        }
        for _ in 0..*group {
            digits.push(digit(value, index, writing)?);
            if index > start && !value.get(index - writing.gap..index)?.iter().all(|byte| *byte == 0) {
                return None;
            }
            index += writing.step();
        }
        let spaced =
            value.get(index - writing.gap..index).is_some_and(|gap| gap.iter().all(|byte| *byte == 0));
        if !goes_on && spaced && digit(value, index, writing).is_some() {
            return None;
        }
        // What a separator follows is spaced too.
        if place + 1 < layout.len() && !spaced {
            return None;
        }
    }
    Some((digits, index - writing.gap))
}

/// The value of the digit at `index`.
fn digit(value: &[u8], index: usize, writing: &Writing) -> Option<u8> {
    let (last, first) = writing.zero.as_bytes().split_last()?;
    let digit = value.get(index..)?.strip_prefix(first)?.first()?.wrapping_sub(*last);
    (digit < 10).then_some(digit)
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

/// What takes a hidden digit's place is at `index`.
fn hidden(value: &[u8], index: usize, writing: &Writing) -> bool {
    value.get(index..).is_some_and(|rest| rest.starts_with(writing.hidden.as_bytes()))
}

fn denied(value: &[u8], (range, _, plain): &Reading) -> bool {
    *plain && fraction(value, range) || hexadecimal(value, range) || uuid(value, range) || iban(value, range)
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
