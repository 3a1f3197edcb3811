//! What a mask leaves open, and masking in text. Numbers that are not text are in `number`.

use crate::card::{Card, Kind};
use std::ops::Range;

/// The character that takes the place of a hidden digit in text.
pub(crate) const HIDDEN: u8 = b'*';

/// What a mask leaves open of a card number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum Format {
    /// Nothing.
    Full,
    /// The last four digits.
    #[default]
    Last4,
    /// The first six and the last four, for 15 digits and more.
    Bin6Last4,
    /// The first eight and the last four, for 16 digits.
    Bin8Last4,
}

impl Format {
    /// How many digits stay at the front and at the end of a number of `digits`; where the format does not allow its
    /// front for that length, the last four alone.
    pub fn open(self, digits: usize) -> (usize, usize) {
        match self {
            Format::Full => (0, 0),
            Format::Bin6Last4 if digits >= 15 => (6, 4),
            Format::Bin8Last4 if digits == 16 => (8, 4),
            Format::Last4 | Format::Bin6Last4 | Format::Bin8Last4 => (0, 4),
        }
    }
}

/// Overwrites what the format hides of a card, and all of the secrets beside it.
pub(crate) fn card(bytes: &mut [u8], card: &Card, format: Format) {
    match card.kind {
        Kind::Pan => number(bytes, card.span.clone(), card.window.digits, format),
        Kind::Track1 | Kind::Track2 | Kind::Code => secret(bytes, card.span.clone()),
    }
    for code in card.codes.iter().flatten() {
        secret(bytes, code.clone());
    }
}

/// Hides the digits of a number that has `digits` of them between separators.
fn number(bytes: &mut [u8], span: Range<usize>, digits: usize, format: Format) {
    let (front, end) = format.open(digits);
    let text = bytes.get_mut(span).unwrap_or(&mut []);
    let hidden = text.iter_mut().filter(|byte| byte.is_ascii_digit()).skip(front);
    for byte in hidden.take(digits - front - end) {
        *byte = HIDDEN;
    }
}

/// Hides all letters and digits; marks between fields stay.
fn secret(bytes: &mut [u8], span: Range<usize>) {
    for byte in bytes.get_mut(span).unwrap_or(&mut []) {
        if !matches!(*byte, b'%' | b';' | b'^' | b'=' | b'?') {
            *byte = HIDDEN;
        }
    }
}

/// A labelled value: masked whatever it holds. Where it is one number of a card's length, with or without
/// separators, the format says what stays; of anything else no letter, digit or other sign beyond ASCII does.
/// Returns whether the value changed.
pub(crate) fn whole(bytes: &mut [u8], format: Format) -> bool {
    let digits = bytes.iter().filter(|byte| crate::bytes::digit_or_mask(**byte)).count();
    let plain = bytes.iter().all(|byte| crate::bytes::digit_or_mask(*byte) || b" -./\t\r\n".contains(byte));
    let card = plain && (crate::PAN_DIGITS_MIN..=crate::PAN_DIGITS_MAX).contains(&digits);
    let (front, end) = if card { format.open(digits) } else { (0, 0) };
    let mut place = 0;
    let mut changed = false;
    for byte in bytes {
        if byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != HIDDEN {
            continue;
        }
        let stays = place < front || place >= digits - end && card;
        place += 1;
        if !stays && *byte != HIDDEN {
            *byte = HIDDEN;
            changed = true;
        }
    }
    changed
}
