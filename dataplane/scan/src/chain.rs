//! Digits in groups that no card prints: one by one with a separator between all of them, and groups of any length
//! that only characters without width part. All of the groups are the number: where one more stands on either side,
//! there is none.

use crate::brands::{Brand, PAN_DIGITS_MAX, PAN_DIGITS_MIN};
use crate::bytes::{HIDDEN, before, byte, digit, digit_or_mask, run};
use crate::script::Script;
use crate::separator::Separator;
use crate::window::{Window, any_beginning, judged};

/// The number whose first group is the `first` digits at `start`.
pub(crate) fn at(bytes: &[u8], start: usize, first: usize) -> Option<Window> {
    let separator = separator(bytes, start, first)?;
    let length = separator.len();
    let before_it = start.checked_sub(length).filter(|place| Separator::at(bytes, *place) == separator);
    if before_it.is_some_and(|place| digit_or_mask(before(bytes, place, 1))) {
        return None;
    }
    let (mut end, mut digits) = (start + first, first);
    while Separator::at(bytes, end) == separator && digit(bytes, end + length) {
        let more = run(bytes, end + length, PAN_DIGITS_MAX + 1 - digits);
        digits += more;
        end += length + more;
        if digits > PAN_DIGITS_MAX || more > 1 && !separator.is_invisible() {
            return None;
        }
    }
    let hidden = |index: usize| byte(bytes, index) == HIDDEN;
    let goes_on = hidden(end) || Separator::at(bytes, end) == separator && hidden(end + length);
    if goes_on || digits < PAN_DIGITS_MIN { None } else { window(bytes, start..end, digits, separator) }
}

/// Whether any part of `bytes` that begins at `start` would, alone, be such a number.
pub(crate) fn any_at(bytes: &[u8], start: usize, first: usize) -> bool {
    let Some(separator) = separator(bytes, start, first) else { return false };
    let (mut digits, mut count) = ([0; PAN_DIGITS_MAX], 0);
    let (mut begin, mut more) = (start, first);
    loop {
        let most = if separator.is_invisible() { more } else { more.min(1) };
        let group = bytes.get(begin..begin + most).unwrap_or(&[]);
        for (slot, digit) in digits.iter_mut().skip(count).zip(group) {
            *slot = digit & 0x0f;
        }
        count += group.len();
        let end = begin + most;
        if more > most || count >= PAN_DIGITS_MAX || Separator::at(bytes, end) != separator {
            break;
        }
        begin = end + separator.len();
        more = run(bytes, begin, PAN_DIGITS_MAX - count);
        if more == 0 {
            break;
        }
    }
    // What needs no separator is no chain.
    any_beginning(digits.get(..count).unwrap_or(&[]), first + 1)
}

fn separator(bytes: &[u8], start: usize, first: usize) -> Option<Separator> {
    let behind = byte(bytes, start + first);
    if behind.is_ascii() && (first != 1 || byte(bytes, start + 3) != behind) {
        // Nothing invisible, and not one digit by one.
        return None;
    }
    let separator = Separator::at(bytes, start + first);
    let fits = separator.is_invisible() || first == 1 && separator.parts_digits();
    (fits && first < PAN_DIGITS_MAX).then_some(separator)
}

fn window(
    bytes: &[u8],
    range: std::ops::Range<usize>,
    digits: usize,
    separator: Separator,
) -> Option<Window> {
    let (start, end, script) = (range.start, range.end, Script::Ascii);
    judged(bytes, Window { start, end, digits, script, separator, brand: Brand::Visa })
}
