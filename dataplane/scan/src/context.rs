//! What stands around a number and says that it is none: a decimal fraction, a UUID, a hexadecimal string, an IBAN.
//!
//! Each check looks at most `LOOKBEHIND` bytes before the number's start and `LOOKAHEAD` bytes from it on, so that a
//! value may arrive in parts.

use crate::bytes::{before, byte, digit_or_mask};
use crate::script::Script;
use crate::separator::Separator;
use crate::window::Window;

/// How far before a number's start its context reaches, in bytes.
pub(crate) const LOOKBEHIND: usize = 48;

const UUID_BYTES: usize = 36;
const UUID_LAST_GROUP: usize = 12;
const HEX_DIGITS_MIN: usize = 24;
const IBAN_BYTES_MAX: usize = 42;

/// Whether the surroundings of `window` make it something else than a card number. What overlaps with a UUID and the
/// like is no card, however it is written: else masking it would take from what denies its neighbour.
pub(crate) fn denies(bytes: &[u8], window: &Window) -> bool {
    window.script == Script::Ascii
        && (window.separator == Separator::None && fraction(bytes, window)
        || hexadecimal(bytes, window)
        // A run of so many digits can only be the last group.
        || (window.separator != Separator::None || window.digits == UUID_LAST_GROUP) && uuid(bytes, window)
        || iban(bytes, window))
}

/// What a byte beside a number means for it, for the common ones.
static BESIDE: [u8; 256] = beside();
const CALM_BEFORE: u8 = 1;
const CALM_BEHIND: u8 = 2;
/// The last character but digits of an escape: `%`, `u`, or one of its hexadecimal letters.
const MAY_ESCAPE: u8 = 8;
/// Calm behind a number where no date of expiry follows.
const MAY_DATE: u8 = 4;

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: a slip does not build")]
const fn beside() -> [u8; 256] {
    let mut table = [0; 256];
    let marks = [
        (b"\0\n\r_".as_slice(), CALM_BEFORE | CALM_BEHIND),
        (b"\"':(=>", CALM_BEFORE),
        (b")<", CALM_BEHIND),
        (b",\t|", CALM_BEFORE | MAY_DATE),
        (b"%uabcdefABCDEF", MAY_ESCAPE),
    ];
    let mut mark = 0;
    while mark < marks.len() {
        let (bytes, meaning) = marks[mark];
        let mut index = 0;
        while index < bytes.len() {
            table[bytes[index] as usize] = meaning;
            index += 1;
        }
        mark += 1;
    }
    table
}

/// Whether nothing that ends with this byte, before a number's first digit, can matter.
#[inline(always)]
pub(crate) fn calm_before(byte: u8) -> bool {
    BESIDE.get(usize::from(byte)).is_some_and(|meaning| meaning & CALM_BEFORE != 0)
}

/// Whether digits behind this byte may belong to an escape.
#[inline(always)]
pub(crate) fn may_escape(byte: u8) -> bool {
    BESIDE.get(usize::from(byte)).is_some_and(|meaning| meaning & MAY_ESCAPE != 0)
}

/// Whether nothing that begins with these two bytes, behind a number's last digit, can matter.
#[inline(always)]
pub(crate) fn calm_behind(first: u8, second: u8) -> bool {
    let meaning = BESIDE.get(usize::from(first)).copied().unwrap_or(0);
    meaning & CALM_BEHIND != 0
        || meaning & MAY_DATE != 0 && !matches!(second, b'0' | b'1' | b' ' | b'"' | b'\'')
}

/// `0.4111111111111111`. A digit that a mask has hidden counts as one.
fn fraction(bytes: &[u8], window: &Window) -> bool {
    before(bytes, window.start, 1) == b'.' && digit_or_mask(before(bytes, window.start, 2))
}

/// With its first or last group within 24 or more hexadecimal digits in a row, some of them letters. Where such a row
/// ends does not matter: so of two numbers within one row, neither is a card.
fn hexadecimal(bytes: &[u8], window: &Window) -> bool {
    let digit = |index: &usize| byte(bytes, *index).is_ascii_hexdigit();
    let before = (1..=HEX_DIGITS_MIN).map(|back| window.start.wrapping_sub(back)).take_while(digit).count();
    let first = (window.start..window.end).take_while(digit).count();
    let last = (window.start..window.end).rev().take_while(digit).count();
    let behind =
        (window.end..window.end + HEX_DIGITS_MIN - last.min(HEX_DIGITS_MIN)).take_while(digit).count();
    if first == window.digits {
        before + behind > 0 && before + first + behind >= HEX_DIGITS_MIN
    } else {
        before + first >= HEX_DIGITS_MIN || last + behind >= HEX_DIGITS_MIN
    }
}

/// Any byte of the window within a word of the form 8-4-4-4-12.
fn uuid(bytes: &[u8], window: &Window) -> bool {
    let earliest = window.start.saturating_sub(UUID_BYTES - 1);
    (earliest..=window.start).any(|first| {
        byte(bytes, first + 8) == b'-'
            && !before(bytes, first, 1).is_ascii_alphanumeric()
            && !byte(bytes, first + UUID_BYTES).is_ascii_alphanumeric()
            && (0..UUID_BYTES).all(|place| match place {
                8 | 13 | 18 | 23 => byte(bytes, first + place) == b'-',
                _ => byte(bytes, first + place).is_ascii_hexdigit(),
            })
    })
}

/// Any byte of the window within an account number of a country that uses them, its check digits right.
fn iban(bytes: &[u8], window: &Window) -> bool {
    for back in 1..=IBAN_BYTES_MAX {
        if back > window.start {
            return false;
        }
        let first = window.start - back;
        match byte(bytes, first) {
            b'A'..=b'Z' => {}
            b'0'..=b'9' | b' ' => continue,
            _ => return false,
        }
        if before(bytes, first, 1).is_ascii_alphanumeric() {
            continue;
        }
        if iban_end(bytes, first).is_some_and(|end| end > window.start) {
            return true;
        }
    }
    false
}

/// Where the account number that begins at `first` ends. Single spaces may stand between its characters.
fn iban_end(bytes: &[u8], first: usize) -> Option<usize> {
    let wanted = iban_characters([byte(bytes, first), byte(bytes, first + 1)])?;
    let mut head = 0;
    let mut rest = 0;
    let mut taken = 0;
    let mut index = first;
    while taken < wanted {
        if index - first >= IBAN_BYTES_MAX {
            return None;
        }
        let character = byte(bytes, index);
        let value = match character {
            b'0'..=b'9' => u32::from(character - b'0'),
            b'A'..=b'Z' => u32::from(character - b'A') + 10,
            b' ' if taken > 0 && byte(bytes, index + 1) != b' ' => {
                index += 1;
                continue;
            }
            _ => return None,
        };
        let sum = if taken < 4 { &mut head } else { &mut rest };
        *sum = (*sum * if value > 9 { 100 } else { 10 } + value) % 97;
        taken += 1;
        index += 1;
    }
    // The first four characters go last: two letters, of two digits each, and the two check digits.
    let whole = (rest * (1_000_000 % 97) + head) % 97;
    (whole == 1 && !byte(bytes, index).is_ascii_alphanumeric()).then_some(index)
}

/// How many characters an account number of that country has.
pub(crate) fn iban_characters(country: [u8; 2]) -> Option<usize> {
    Some(match &country {
        b"NO" => 15,
        b"BE" => 16,
        b"DK" | b"FI" | b"FK" | b"FO" | b"GL" | b"NL" | b"SD" => 18,
        b"MK" | b"SI" => 19,
        b"AT" | b"BA" | b"EE" | b"KZ" | b"LT" | b"LU" | b"MN" | b"XK" => 20,
        b"CH" | b"HR" | b"LI" | b"LV" => 21,
        b"BG" | b"BH" | b"CR" | b"DE" | b"GB" | b"GE" | b"IE" | b"ME" | b"RS" | b"VA" => 22,
        b"AE" | b"GI" | b"IL" | b"IQ" | b"OM" | b"SO" | b"TL" => 23,
        b"AD" | b"CZ" | b"ES" | b"MD" | b"PK" | b"RO" | b"SA" | b"SE" | b"SK" | b"TN" | b"VG" => 24,
        b"LY" | b"PT" | b"ST" => 25,
        b"IS" | b"TR" => 26,
        b"BI" | b"DJ" | b"FR" | b"GR" | b"IT" | b"MC" | b"MR" | b"SM" => 27,
        b"AL" | b"AZ" | b"BY" | b"CY" | b"DO" | b"GT" | b"HN" | b"HU" | b"LB" | b"NI" | b"PL" | b"SV" => 28,
        b"BR" | b"EG" | b"PS" | b"QA" | b"UA" | b"YE" => 29,
        b"JO" | b"KW" | b"MU" => 30,
        b"MT" | b"SC" => 31,
        b"LC" => 32,
        b"RU" => 33,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_account_numbers() {
        for good in [
            "DE89370400440532013000",
            "GB82 WEST 1234 5698 7654 32",
            "FR1420041010050500013M02606",
            "NO9386011117947",
            "BE68 5390 0754 7034",
            "IS140159260076545510730339",
        ] {
            assert_eq!(iban_end(good.as_bytes(), 0), Some(good.len()), "{good}");
        }
        for bad in
            ["DE89370400440532013001", "DE89370400440532013000X", "ZZ89370400440532013000", "DE8937040044"]
        {
            assert_eq!(iban_end(bad.as_bytes(), 0), None, "{bad}");
        }
    }
}
