//! The oracle: what a card number is, as plainly as it can be written. Slow; tests, fuzzing and benches compare with
//! it. It shares the rows of issuer ranges with the finder and nothing else. Tracks and card codes are left out.

use crate::Brand;
use crate::brands::ISSUERS;
use std::ops::Range;
use std::sync::LazyLock;

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
/// Nothing of these is to be seen.
const INVISIBLE: [&str; 8] =
    ["\u{200b}", "\u{200c}", "\u{200d}", "\u{200e}", "\u{200f}", "\u{2060}", "\u{feff}", "\u{ad}"];
/// Between digits that stand one by one.
const BETWEEN_DIGITS: [&str; 4] = [" ", "-", ".", "/"];
const LINES: [&str; 2] = ["\n", "\r\n"];

/// A way to write digits: the first, the last byte of which counts up; what takes a hidden one's place; what stands
/// between two.
struct Writing {
    zero: &'static str,
    hidden: &'static str,
    gap: &'static str,
}

const ASCII: Writing = Writing { zero: "0", hidden: "*", gap: "" };
const UTF16: Writing = Writing { zero: "0", hidden: "*", gap: "\0" };
const DECIMAL: &str = "&#48";
const OTHERS: [Writing; 10] = [
    Writing { zero: "\u{ff10}", hidden: "\u{ff0a}", gap: "" },
    Writing { zero: "\u{660}", hidden: "**", gap: "" },
    Writing { zero: "\u{6f0}", hidden: "**", gap: "" },
    Writing { zero: "\u{966}", hidden: "\u{ff0a}", gap: "" },
    Writing { zero: "%30", hidden: "%2A", gap: "" },
    Writing { zero: "\\u0030", hidden: "\\u002a", gap: "" },
    Writing { zero: "\\uFF10", hidden: "\\uFF0A", gap: "" },
    Writing { zero: "\\uff10", hidden: "\\uff0a", gap: "" },
    Writing { zero: DECIMAL, hidden: "&#42", gap: ";" },
    Writing { zero: "&#x30", hidden: "&#x2A", gap: ";" },
];

impl Writing {
    /// From a digit to the next.
    fn step(&self) -> usize {
        self.zero.len() + self.gap.len()
    }

    /// All separators as this text has them, with what stands before one anyway.
    fn separators(&self) -> &'static [Vec<u8>] {
        static ASCII: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| with_lines(plain_separators("")));
        static OTHERS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| plain_separators(""));
        static ENTITIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| plain_separators(";"));
        static WIDE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(wide_separators);
        match self.gap {
            "" if self.zero == "0" => &ASCII,
            "" => &OTHERS,
            ";" => &ENTITIES,
            _ => &WIDE,
        }
    }
}

fn all_separators() -> impl Iterator<Item = &'static str> {
    SEPARATORS.into_iter().chain(INVISIBLE)
}

fn with_lines(mut separators: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    separators.extend(LINES.map(|line| line.as_bytes().to_vec()));
    separators
}

/// In UTF-16 of either byte order, from a digit's own byte to the next's. The ideographic space is not looked for.
fn wide_separators() -> Vec<Vec<u8>> {
    let texts = all_separators().filter(|text| !matches!(*text, "%20" | "\u{3000}"));
    let both = texts.flat_map(|text| {
        let little = [0].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let big = text.encode_utf16().flat_map(u16::to_be_bytes).chain([0]).collect();
        [little, big]
    });
    both.collect()
}

/// As they are, and behind `\u`; of the other ASCII separators and of what is not seen, escapes are not looked for.
fn plain_separators(gap: &str) -> Vec<Vec<u8>> {
    let single =
        SEPARATORS.into_iter().filter(|text| text.chars().count() == 1 && !matches!(*text, "." | "/" | "+"));
    let escaped = single.flat_map(|text| {
        let code = text.chars().next().map_or(0, u32::from);
        [format!("{gap}\\u{code:04x}"), format!("{gap}\\u{code:04X}")]
    });
    all_separators().map(|text| format!("{gap}{text}")).chain(escaped).map(String::into_bytes).collect()
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
        let reading = reading.or_else(|| scientific(value, start)).or_else(|| chain(value, start));
        reading.filter(|reading| !denied(value, reading))
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
        && !(writing.zero == "0" && writing.gap.is_empty() && behind_escape(value, start))
}

fn digits_end(value: &[u8], start: usize, writing: &Writing) -> bool {
    let gap = value.get(..start).unwrap_or(&[]).ends_with(writing.gap.as_bytes());
    gap && start.checked_sub(writing.step()).is_some_and(|last| digit(value, last, writing).is_some())
}

type Reading = (Range<usize>, Brand, bool);

/// In groups as cards print them.
fn printed(value: &[u8], start: usize, writing: &Writing) -> Option<Reading> {
    let first =
        (1..20).take_while(|count| read(value, start, &[*count], b"", writing, true).is_some()).count();
    let (_, behind) = read(value, start, &[first], b"", writing, true)?;
    let behind = value.get(behind..)?;
    // With one group, no separator is asked for.
    let single = [Vec::new()];
    let here: Vec<&Vec<u8>> =
        writing.separators().iter().filter(|separator| behind.starts_with(separator)).collect();
    LAYOUTS.iter().filter(|layout| layout.first() == Some(&first)).find_map(|layout| {
        let separators = if layout.len() == 1 { single.iter().collect() } else { here.clone() };
        separators.into_iter().find_map(|separator| {
            let (digits, end) = read(value, start, layout, separator, writing, false)?;
            let brand = brand(&digits)?;
            let next = end + writing.gap.len();
            let future = value.get(end..).unwrap_or(&[]);
            let fourth = end + separator.len();
            let cut = *layout == [4, 4, 4]
                && future.starts_with(separator)
                && !doubled(future, separator)
                && (0..3).all(|place| {
                    let index = fourth + place * writing.step();
                    digit(value, index, writing).is_some() || hidden(value, index, writing)
                });
            let last = layout.last().copied().unwrap_or(0);
            let masked = layout.len() > 1 && [1, 2, 6, 8].contains(&last) && hidden(value, next, writing);
            let lines = LINES.iter().any(|line| line.as_bytes() == separator.as_slice());
            let more = lines
                && (first != 4 || digits_end(value, start, &ASCII) || lines_beside(value, &(start..end)));
            (!cut && !masked && !more).then_some((start..end, brand, layout.len() == 1))
        })
    })
}

/// The separator is a space, and there are two.
fn doubled(future: &[u8], separator: &[u8]) -> bool {
    separator == b" " && future.starts_with(b"  ") || separator == b"\0 \0" && future.starts_with(b"\0 \0 \0")
}

/// A line of digits ends right before the range, or begins right behind it.
fn lines_beside(value: &[u8], range: &Range<usize>) -> bool {
    let (past, future) = (value.get(..range.start).unwrap_or(&[]), value.get(range.end..).unwrap_or(&[]));
    LINES.iter().map(|line| line.as_bytes()).any(|line| {
        past.strip_suffix(line).and_then(|past| past.last()).is_some_and(|byte| is_digit_or_mask(*byte))
            || future
                .strip_prefix(line)
                .and_then(|next| next.first())
                .is_some_and(|byte| is_digit_or_mask(*byte))
    })
}

/// Digits one by one, or in any groups that only what is not seen parts; and nothing of the kind before or behind.
fn chain(value: &[u8], start: usize) -> Option<Reading> {
    let all = BETWEEN_DIGITS.iter().map(|text| (text, 1)).chain(INVISIBLE.iter().map(|text| (text, 19)));
    all.into_iter().find_map(|(separator, most)| {
        if most == 1 && digits_end(value, start, &ASCII) {
            return None;
        }
        let separator = separator.as_bytes();
        let rest = value.get(start..)?;
        let (mut digits, mut groups, mut end) = (Vec::new(), 0, 0);
        loop {
            let group = rest.get(end..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if group == 0 || group > most {
                return None;
            }
            digits.extend(rest.get(end..end + group)?.iter().map(|byte| byte - b'0'));
            (groups, end) = (groups + 1, end + group);
            let next = rest.get(end..)?.strip_prefix(separator);
            if !next.and_then(|next| next.first()).is_some_and(u8::is_ascii_digit) {
                break;
            }
            end += separator.len();
        }
        let past = value.get(..start)?.strip_suffix(separator).and_then(|past| past.last());
        let future = rest.get(end..)?;
        let next = future.strip_prefix(separator).and_then(|next| next.first());
        let goes_on = [past, next].into_iter().flatten().any(|byte| is_digit_or_mask(*byte));
        let alone = groups > 1 && !goes_on && future.first() != Some(&b'*');
        Some((start..start + end, brand(&digits).filter(|_| alone)?, false))
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
    let gap = writing.gap.as_bytes();
    let mut index = start;
    for (place, group) in layout.iter().enumerate() {
        if place > 0 {
            let rest = value.get(index..)?;
            if !rest.starts_with(separator) || doubled(rest, separator) {
                return None;
            }
            index += separator.len();
        }
        for digit_place in 0..*group {
            if digit_place > 0 {
                index += value.get(index..)?.strip_prefix(gap).map(|_| gap.len())?;
            }
            digits.push(digit(value, index, writing)?);
            index += writing.zero.len();
        }
        let spaced = value.get(index..).is_some_and(|rest| rest.starts_with(gap));
        if !goes_on && spaced && digit(value, index + gap.len(), writing).is_some() {
            return None;
        }
    }
    Some((digits, index))
}

/// The value of the digit at `index`.
fn digit(value: &[u8], index: usize, writing: &Writing) -> Option<u8> {
    if writing.zero == DECIMAL {
        let (code, _) = value.get(index..)?.strip_prefix(b"&#")?.split_first_chunk::<2>()?;
        let code: u8 = std::str::from_utf8(code).ok()?.parse().ok()?;
        return code.checked_sub(b'0').filter(|value| code < b':' && *value < 10);
    }
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
