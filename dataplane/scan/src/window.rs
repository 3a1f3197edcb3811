//! A card number at one place: one run of digits, or groups of digits as cards print them, with one separator
//! between all of them. Issuer range, length and Luhn only; what stands around is `context`'s matter.

use crate::brands::{self, Brand, PAN_DIGITS_MAX, PAN_DIGITS_MIN};
use crate::bytes::{HIDDEN, before, byte, digit, digit_or_mask, run, tally};
use crate::chain;
use crate::luhn::{self, Digits};
use crate::script::Script;
use crate::separator::{SEPARATOR_BYTES_MAX, Separator};

/// The longest card number in bytes: 19 digits of six bytes in five groups with six-byte separators.
pub(crate) const WINDOW_BYTES_MAX: usize = PAN_DIGITS_MAX * 6 + 4 * SEPARATOR_BYTES_MAX;

const GROUPS_MAX: usize = 5;

/// A number in a known range, of that range's length, Luhn included.
///
/// `digits` are those that are written: scientific notation leaves out zeros at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) digits: usize,
    pub(crate) script: Script,
    pub(crate) separator: Separator,
    pub(crate) brand: Brand,
}

impl Window {
    /// Calls `each` with the place of every digit and its bytes, first to last.
    pub(crate) fn each_digit(&self, bytes: &mut [u8], mut each: impl FnMut(usize, &mut [u8])) {
        let mut index = self.start;
        for place in 0..self.digits {
            if self.script.digit(bytes, index).is_none() {
                index += self.separator.len_in(self.script);
            }
            each(place, bytes.get_mut(index..index + self.script.len()).unwrap_or(&mut []));
            index += self.script.width();
        }
    }

    /// The power of ten of a number in scientific notation.
    pub(crate) fn exponent(&self, bytes: &[u8]) -> usize {
        10 + usize::from(before(bytes, self.end, 1) & 0x0f)
    }

    /// Where what follows the number begins.
    pub(crate) fn next(&self) -> usize {
        self.end + self.script.gap()
    }
}

/// The number that begins at `start`, where a run of `first` ASCII digits (counted up to 20), or one of another script,
/// begins. Where several readings hold, groups of four before the longer, so that a card code behind a number is not
/// taken for the end of it.
#[inline]
pub(crate) fn at(bytes: &[u8], start: usize, first: usize) -> Option<Window> {
    match first {
        0 => other_script(bytes, start),
        1 => thousands(bytes, start, first)
            .or_else(|| scientific(bytes, start))
            .or_else(|| wide(bytes, start))
            .or_else(|| chain::at(bytes, start, first)),
        2 | 3 => thousands(bytes, start, first).or_else(|| chain::at(bytes, start, first)),
        PAN_DIGITS_MIN..=PAN_DIGITS_MAX => {
            plain(bytes, start, first).or_else(|| chain::at(bytes, start, first))
        }
        4 | 6 => grouped(bytes, start, Script::Ascii, first).or_else(|| chain::at(bytes, start, first)),
        _ => chain::at(bytes, start, first),
    }
}

/// Whether any part of `bytes` that begins at `start` would, alone, be a card number: unlike `at`, digits may stand
/// on either side. `first`: how many ASCII digits follow from there, counted up to 20.
pub(crate) fn any_at(bytes: &[u8], start: usize, first: usize) -> bool {
    let longest = first.min(PAN_DIGITS_MAX);
    let alone = match first {
        0 => Script::at(bytes, start).is_some_and(|script| any_of_other_script(bytes, start, script)),
        1 => match byte(bytes, start + 1) {
            0 => any_of_other_script(bytes, start, Script::Wide),
            b'.' => any_thousands(bytes, start, first) || any_scientific(bytes, start).is_some(),
            b',' | b' ' => any_thousands(bytes, start, first),
            _ => false,
        },
        2 | 3 => any_thousands(bytes, start, first),
        4 | 6 => any_grouped(bytes, start, Script::Ascii, first),
        _ => (PAN_DIGITS_MIN..=longest).any(|digits| plain(bytes, start, digits).is_some()),
    };
    alone || first > 0 && chain::any_at(bytes, start, first)
}

fn other_script(bytes: &[u8], start: usize) -> Option<Window> {
    in_script(bytes, start, Script::at(bytes, start)?)
}

fn wide(bytes: &[u8], start: usize) -> Option<Window> {
    if byte(bytes, start + 1) == 0 { in_script(bytes, start, Script::Wide) } else { None }
}

fn in_script(bytes: &[u8], start: usize, script: Script) -> Option<Window> {
    if script.ends_at(bytes, start) {
        return None;
    }
    let window = match script.run(bytes, start, PAN_DIGITS_MAX + 1) {
        first @ PAN_DIGITS_MIN..=PAN_DIGITS_MAX => plain_of(bytes, start, script, first),
        first @ (4 | 6) => grouped(bytes, start, script, first),
        _ => None,
    };
    window.filter(|window| script != Script::Wide || whole(bytes, window))
}

/// No digit stands right behind UTF-16's last one, and none was hidden beside the number.
fn whole(bytes: &[u8], window: &Window) -> bool {
    let hidden = |zero: u8, index: usize| zero == 0 && byte(bytes, index) == HIDDEN;
    !digit(bytes, window.end)
        && !hidden(before(bytes, window.start, 1), window.start.wrapping_sub(2))
        && !hidden(byte(bytes, window.end), window.next())
}

fn any_of_other_script(bytes: &[u8], start: usize, script: Script) -> bool {
    let first = script.run(bytes, start, PAN_DIGITS_MAX);
    if first < PAN_DIGITS_MIN {
        return (first == 4 || first == 6) && any_grouped(bytes, start, script, first);
    }
    let mut digits = [0; PAN_DIGITS_MAX];
    let values = (0..first).map_while(|place| script.digit(bytes, start + place * script.width()));
    let count = digits.iter_mut().zip(values).map(|(slot, value)| *slot = value).count();
    any_beginning(digits.get(..count).unwrap_or(&[]), PAN_DIGITS_MIN)
}

/// Whether the first `least` or more of the digits (values 0 to 9) are a number.
pub(crate) fn any_beginning(digits: &[u8], least: usize) -> bool {
    (least.max(PAN_DIGITS_MIN)..=digits.len())
        .any(|count| judge(digits.iter().copied().take(count), count).is_some())
}

/// A number without separators in any script.
fn plain_of(bytes: &[u8], start: usize, script: Script, digits: usize) -> Option<Window> {
    let window = Window {
        start,
        end: start + digits * script.width() - script.gap(),
        digits,
        script,
        separator: Separator::None,
        brand: Brand::Visa,
    };
    judged(bytes, window)
}

/// The window with its brand, where it has one.
pub(crate) fn judged(bytes: &[u8], window: Window) -> Option<Window> {
    let mut index = window.start;
    let values = (0..window.digits).map_while(|_| {
        let (script, gap) = (window.script, window.separator.len_in(window.script));
        index += if script.digit(bytes, index).is_some() { 0 } else { gap };
        let value = script.digit(bytes, index);
        index += script.width();
        value
    });
    let mut digits = [0; PAN_DIGITS_MAX];
    let count = digits.iter_mut().zip(values).map(|(slot, value)| *slot = value).count();
    let brand = judge(digits.iter().copied().take(count), count)?;
    (count == window.digits).then_some(Window { brand, ..window })
}

#[inline]
fn plain(bytes: &[u8], start: usize, digits: usize) -> Option<Window> {
    let brand = plain_brand(bytes, start, digits)?;
    let end = start + digits;
    Some(Window { start, end, digits, script: Script::Ascii, separator: Separator::None, brand })
}

/// The brand of the number that `digits` digits at `start` are.
#[inline(always)]
pub(crate) fn plain_brand(bytes: &[u8], start: usize, digits: usize) -> Option<Brand> {
    tally::add(digits);
    let end = start + digits;
    let text = bytes.get(start..end)?;
    let possible = brands::possible(first_four(text)?);
    if !possible.length(digits) {
        return None;
    }
    let luhn = match bytes.get(..end)?.last_chunk::<24>() {
        Some(last) => luhn::passes(last, digits),
        None => Digits::collect(text.iter().map(|digit| digit & 0x0f))?.luhn(),
    };
    possible.brand(|| first_six(text), digits, luhn)
}

/// What stands right around the first digit of a number, so that one check of bounds is enough: the digits of any number,
/// the two bytes behind it, and before it as many as make its last digits three words.
pub(crate) struct Near<'a>(&'a [u8; NEAR_BEFORE + PAN_DIGITS_MAX + NEAR_BEHIND]);

const NEAR_BEFORE: usize = 24 - PAN_DIGITS_MIN;
/// The longer line end, and what of the line behind it is looked at in one.
const NEAR_BEHIND: usize = 2 + 8;

impl<'a> Near<'a> {
    /// Around `start`; `None` too close to the ends of the bytes.
    #[inline(always)]
    pub(crate) fn around(bytes: &'a [u8], start: usize) -> Option<Near<'a>> {
        tally::add(PAN_DIGITS_MAX);
        // Before the first byte it wraps to what is beyond the last.
        Some(Near(bytes.get(start.wrapping_sub(NEAR_BEFORE)..)?.first_chunk()?))
    }

    /// The byte before the number.
    #[inline(always)]
    pub(crate) fn before(&self) -> u8 {
        self.0.get(NEAR_BEFORE - 1).copied().unwrap_or(0)
    }

    /// The byte that stands `past` bytes behind the first digit.
    #[inline(always)]
    pub(crate) fn at(&self, past: usize) -> u8 {
        self.0.get(NEAR_BEFORE + past).copied().unwrap_or(0)
    }

    /// The same as `leaves_line`, for the number of `digits` digits.
    #[inline(always)]
    pub(crate) fn leaves_line(&self, digits: usize) -> bool {
        leaves_line(self.0, NEAR_BEFORE + digits)
    }

    /// The brand of the number of `digits` digits, as by `plain_brand`.
    #[inline(always)]
    pub(crate) fn brand(&self, digits: usize) -> Option<Brand> {
        let text = self.0.get(NEAR_BEFORE..)?;
        let possible = brands::possible(first_four(text)?);
        if !possible.length(digits) {
            return None;
        }
        let luhn = luhn::passes(self.0.get(..NEAR_BEFORE + digits)?.last_chunk()?, digits);
        possible.brand(|| first_six(text), digits, luhn)
    }
}

/// Whether the last digits of a number that ends at `end`, once those before them are hidden, may be the first line of a
/// number by lines.
#[inline(always)]
pub(crate) fn leaves_line(bytes: &[u8], end: usize) -> bool {
    let next = match byte(bytes, end) {
        b'\n' => end + 1,
        b'\r' => end + 2,
        _ => return false,
    };
    bytes.get(next..).is_none_or(may_be_line)
}

/// Whether a line may begin so that is the second one of a number: of six digits at most.
#[inline(always)]
fn may_be_line(line: &[u8]) -> bool {
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const SEVEN: u64 = u64::MAX >> 8;
    let Some(line) = line.first_chunk() else { return true };
    // Zero where a byte is a digit, or one of six that end no line.
    let others = (u64::from_le_bytes(*line) ^ HIGH & 0x3030_3030_3030_3030) & HIGH;
    others & 0xff == 0 && others & SEVEN != 0
}

/// The first six ASCII digits as a number.
fn first_six(digits: &[u8]) -> u32 {
    digits.iter().take(6).fold(0, |number, digit| number * 10 + u32::from(digit & 0x0f))
}

/// The first four ASCII digits as a number.
#[inline(always)]
fn first_four(digits: &[u8]) -> Option<u32> {
    let values = u32::from_le_bytes(*digits.first_chunk()?) & 0x0f0f_0f0f;
    // Two pairs of digits, then one pair of these.
    let pairs = values.wrapping_mul((10 << 8) + 1) >> 8 & 0x00ff_00ff;
    Some(pairs.wrapping_mul((100 << 16) + 1) >> 16)
}

/// The brand of a number, by its first digits, then its length, then its Luhn digit.
pub(crate) fn judge(mut values: impl Iterator<Item = u8> + Clone, count: usize) -> Option<Brand> {
    tally::add(count);
    let first_four = values.clone().take(4).fold(0, |number, digit| number * 10 + u32::from(digit));
    let possible = brands::possible(first_four);
    if !possible.length(count) {
        return None;
    }
    let digits = Digits::collect(&mut values)?;
    let luhn = digits.luhn();
    possible.brand(|| digits.leading(6), count, luhn)
}

/// Runs of digits with one separator between them.
struct Groups {
    script: Script,
    separator: Separator,
    count: usize,
    /// Digits in each; a run is counted up to 20.
    lengths: [u8; GROUPS_MAX],
    /// Where what follows each begins.
    ends: [usize; GROUPS_MAX],
}

impl Groups {
    fn read(bytes: &[u8], start: usize, script: Script, first: usize) -> Option<Groups> {
        let separator = Separator::behind(bytes, start + first * script.width(), script);
        let by_lines = separator.is_line() && (script != Script::Ascii || first != 4);
        if separator == Separator::None || separator == Separator::Comma || by_lines {
            return None;
        }
        let mut groups =
            Groups { script, separator, count: 0, lengths: [0; GROUPS_MAX], ends: [0; GROUPS_MAX] };
        let (mut begin, mut length) = (start, first);
        for (slot, end) in groups.lengths.iter_mut().zip(groups.ends.iter_mut()) {
            *slot = length as u8;
            *end = begin + length * script.width();
            groups.count += 1;
            if Separator::behind(bytes, *end, script) != separator {
                break;
            }
            begin = *end + separator.len_in(script);
            length = script.run(bytes, begin, PAN_DIGITS_MAX + 1);
            if length == 0 {
                break;
            }
            if groups.count == 1 && !begins_printed(first, length) {
                return None;
            }
        }
        Some(groups)
    }

    /// The first `count` groups read as a number, `last` digits of the last one.
    fn window(&self, bytes: &[u8], start: usize, count: usize, last: usize) -> Option<Window> {
        let lengths = self.lengths.get(..count)?;
        let digits = lengths.iter().take(count - 1).map(|length| usize::from(*length)).sum::<usize>() + last;
        if !(PAN_DIGITS_MIN..=PAN_DIGITS_MAX).contains(&digits) {
            return None;
        }
        let cut = (usize::from(*lengths.last()?) - last) * self.script.width();
        let end = *self.ends.get(count - 1)? - cut - self.script.gap();
        let (script, separator) = (self.script, self.separator);
        judged(bytes, Window { start, end, digits, script, separator, brand: Brand::Visa })
    }
}

/// The groupings that cards are printed in. The last group's length is given apart, since a part of a text may end
/// within a run of digits.
fn printed(before_last: &[u8], last: usize) -> bool {
    match before_last {
        [4, 4, 4, 4] => (1..=3).contains(&last),
        [4, 4, 4] => (1..=7).contains(&last),
        [4, 4] => last == 4,
        [4, 6] => (4..=9).contains(&last),
        [4, 3, 3] => last == 3,
        [6] => last == 13,
        _ => false,
    }
}

/// Whether any of them begins with groups of these lengths; where it is the last, digits may follow.
fn begins_printed(first: usize, second: usize) -> bool {
    match first {
        6 => second >= 13,
        _ => matches!(second, 3 | 4 | 6),
    }
}

fn grouped(bytes: &[u8], start: usize, script: Script, first: usize) -> Option<Window> {
    let groups = Groups::read(bytes, start, script, first)?;
    [4, 5, 3, 2].into_iter().filter(|count| *count <= groups.count).find_map(|count| {
        let (last, before_last) = groups.lengths.get(..count)?.split_last()?;
        let last = usize::from(*last);
        if !printed(before_last, last) {
            return None;
        }
        let window = groups.window(bytes, start, count, last)?;
        (!cut_short(bytes, &window, last) && all_lines(bytes, &window)).then_some(window)
    })
}

/// Three groups of four that a fourth follows are no number of twelve digits; and digits before a mask's hidden ones
/// are no last group of a number.
fn cut_short(bytes: &[u8], window: &Window, last: usize) -> bool {
    let script = window.script;
    if window.digits == PAN_DIGITS_MIN && Separator::behind(bytes, window.next(), script) == window.separator
    {
        let next = window.next() + window.separator.len_in(script);
        return (0..3).all(|place| script.digit_or_hidden(bytes, next + place * script.width()));
    }
    matches!(last, 1 | 2 | 6 | 8) && script.hidden_at(bytes, window.next())
}

/// Where groups are lines: no other line of digits stands beside them. Four of many numbers of four digits are no card.
fn all_lines(bytes: &[u8], window: &Window) -> bool {
    if !window.separator.is_line() {
        return true;
    }
    let returned = usize::from(before(bytes, window.start, 2) == b'\r');
    let begun =
        before(bytes, window.start, 1) == b'\n' && digit_or_mask(before(bytes, window.start, 2 + returned));
    let next = Separator::at(bytes, window.end);
    let goes_on = next.is_line() && digit_or_mask(byte(bytes, window.end + next.len()));
    !begun && !goes_on
}

fn any_grouped(bytes: &[u8], start: usize, script: Script, first: usize) -> bool {
    let Some(groups) = Groups::read(bytes, start, script, first) else { return false };
    (2..=groups.count).any(|count| {
        let Some((last, before_last)) = groups.lengths.get(..count).and_then(|lengths| lengths.split_last())
        else {
            return false;
        };
        (1..=usize::from(*last))
            .any(|last| printed(before_last, last) && groups.window(bytes, start, count, last).is_some())
    })
}

/// A number with a separator between its thousands, `4,111,111,111,111,111`: all groups but the first have three
/// digits, and nothing of the kind goes on at either end.
fn thousands(bytes: &[u8], start: usize, first: usize) -> Option<Window> {
    let separator = thousands_separator(bytes, start + first)?;
    let mut end = start + first;
    let mut digits = first;
    while Separator::at(bytes, end) == separator && digit(bytes, end + 1) {
        if run(bytes, end + 1, 4) != 3 {
            return None;
        }
        end += 4;
        digits += 3;
        if digits > PAN_DIGITS_MAX {
            return None;
        }
    }
    let goes_on = Separator::at(bytes, end) == separator && byte(bytes, end + 1) == HIDDEN;
    let began =
        Separator::at(bytes, start.wrapping_sub(1)) == separator && digit_or_mask(before(bytes, start, 2));
    if goes_on || began || digits < PAN_DIGITS_MIN || byte(bytes, end) == HIDDEN {
        return None;
    }
    judged(bytes, Window { start, end, digits, script: Script::Ascii, separator, brand: Brand::Visa })
}

fn any_thousands(bytes: &[u8], start: usize, first: usize) -> bool {
    let Some(separator) = thousands_separator(bytes, start + first) else { return false };
    let mut end = start + first;
    for digits in (first + 3..=PAN_DIGITS_MAX).step_by(3) {
        let length = run(bytes, end + 1, 4);
        if Separator::at(bytes, end) != separator || length < 3 {
            return false;
        }
        end += 4;
        let window = Window { start, end, digits, script: Script::Ascii, separator, brand: Brand::Visa };
        if digits >= PAN_DIGITS_MIN && judged(bytes, window).is_some() {
            return true;
        }
        if length > 3 {
            return false;
        }
    }
    false
}

fn thousands_separator(bytes: &[u8], index: usize) -> Option<Separator> {
    let separator = Separator::at(bytes, index);
    matches!(separator, Separator::Comma | Separator::Dot | Separator::Space).then_some(separator)
}

/// The fewest digits behind the point of a number in scientific notation: what has fewer is not looked for.
const FRACTION_MIN: usize = 10;
const FRACTION_MAX: usize = 24;

/// `4.111111111111111e+15`: a whole number of a card's length. Zeros at the end may be left out.
fn scientific(bytes: &[u8], start: usize) -> Option<Window> {
    any_scientific(bytes, start).filter(|window| !digit(bytes, window.end))
}

/// The same where more digits may follow the exponent.
fn any_scientific(bytes: &[u8], start: usize) -> Option<Window> {
    if byte(bytes, start + 1) != b'.' {
        return None;
    }
    let written = run(bytes, start + 2, FRACTION_MAX + 1);
    let mut end = start + 2 + written;
    if !(FRACTION_MIN..=FRACTION_MAX).contains(&written) || byte(bytes, end) | 0x20 != b'e' {
        return None;
    }
    end += 1 + usize::from(byte(bytes, end + 1) == b'+');
    end += usize::from(byte(bytes, end) == b'0');
    let [b'1', last @ b'1'..=b'8'] = [byte(bytes, end), byte(bytes, end + 1)] else { return None };
    let exponent = usize::from(last - b'0') + 10;
    let places = (0..=exponent).map(|place| if place == 0 { start } else { start + 1 + place });
    let mut values = [0; PAN_DIGITS_MAX];
    for (value, place) in values.iter_mut().zip(places).take(1 + written) {
        *value = byte(bytes, place) & 0x0f;
    }
    let brand = judge(values.into_iter().take(exponent + 1), exponent + 1)?;
    let (digits, separator) = (1 + written.min(exponent), Separator::Point);
    Some(Window { start, end: end + 2, digits, script: Script::Ascii, separator, brand })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits_at(text: &str) -> Option<usize> {
        at(text.as_bytes(), 0, run(text.as_bytes(), 0, 20)).map(|window| window.digits)
    }

    #[test]
    fn reads_the_groupings_that_cards_print() {
        assert_eq!(digits_at("4111111111111111"), Some(16));
        assert_eq!(digits_at("4111 1111 1111 1111"), Some(16));
        assert_eq!(digits_at("4111  1111  1111  1111"), Some(16));
        assert_eq!(digits_at("4111\u{a0}1111\u{a0}1111\u{a0}1111"), Some(16));
        assert_eq!(digits_at("3782-822463-10005"), Some(15));
        assert_eq!(digits_at("3056.930902.5904"), Some(14));
        assert_eq!(digits_at("4222 222 222 222"), Some(13));
    }

    #[test]
    fn leaves_mixed_separators_and_odd_groups() {
        assert_eq!(digits_at("4111-1111 1111-1111"), None);
        assert_eq!(digits_at("41111-111-1111-1111"), None);
        assert_eq!(digits_at("411111111111111"), None);
        assert_eq!(digits_at("41111111111111111111"), None);
    }

    #[test]
    fn a_code_behind_a_number_is_not_its_end() {
        // 4-4-4-4-3 holds too, as a number of nineteen digits.
        let text = b"4111 1111 1111 1111 003";
        assert!(judge(text.iter().filter(|b| b.is_ascii_digit()).map(|b| b & 15), 19).is_some());
        assert_eq!(at(text, 0, 4).map(|window| window.end), Some(19));
    }
}
