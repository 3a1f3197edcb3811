//! Hiding what a value holds: of text, of numbers and of JSON as text nothing is left but what the format opens of a card
//! number. Leaves out which values (`origin.rs`) and what they are (each protocol's `whole.rs`).

use scan::Format;

use crate::masker::Masker;

/// What a hidden byte of text becomes.
pub(crate) const HIDDEN: u8 = b'*';

impl Masker {
    /// Text: of a card number what the format leaves open, of anything else nothing.
    pub(crate) fn whole_words(&self, value: &mut [u8], format: Format) {
        let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
        let plain = value.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-'));
        if format != Format::Full && plain && (scan::PAN_DIGITS_MIN..=scan::PAN_DIGITS_MAX).contains(&digits)
        {
            self.scanner.mask_whole(value, format);
        } else {
            value.fill(HIDDEN);
        }
    }

    /// `[-]digits`: a card's length as a card, of any other a one and zeros.
    pub(crate) fn whole_digits(&self, value: &mut [u8], format: Format) {
        let digits = match value {
            [b'-', rest @ ..] => rest,
            all => all,
        };
        if !digits.iter().all(u8::is_ascii_digit) {
            return each(digits, alphanumeric, b'1');
        }
        digits.iter_mut().for_each(|digit| *digit -= b'0');
        self.scanner.mask_whole_digits(digits, format);
        if let Some(first) = digits.first_mut()
            && *first == 0
        {
            *first = 1;
        }
        digits.iter_mut().for_each(|digit| *digit += b'0');
    }

    /// A card's length in the whole part: as a card, and no fraction. Of anything else zeros.
    pub(crate) fn whole_decimal(&self, value: &mut [u8], format: Format) {
        let start = usize::from(value.starts_with(b"-"));
        let whole = value.iter().skip(start).take_while(|byte| byte.is_ascii_digit()).count();
        let card = (scan::PAN_DIGITS_MIN..=scan::PAN_DIGITS_MAX).contains(&whole);
        let simple = value.iter().skip(start + whole).all(|byte| matches!(byte, b'.' | b'0'..=b'9'));
        let (kept, rest) = value.split_at_mut(if card && simple { start + whole } else { 0 });
        if let Some(digits) = kept.get_mut(start..) {
            self.whole_digits(digits, format);
        }
        rest.iter_mut()
            .filter(|byte| byte.is_ascii_alphanumeric() && !matches!(byte, b'e' | b'E'))
            .for_each(|byte| *byte = b'0');
    }
}

pub(crate) fn alphanumeric(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

pub(crate) fn each(value: &mut [u8], which: impl Fn(&u8) -> bool, becomes: u8) {
    value.iter_mut().filter(|byte| which(byte)).for_each(|byte| *byte = becomes);
}

/// One string as long as the document was; of one sign only, a number.
pub(crate) fn json(value: &mut [u8]) {
    match value {
        [first, inner @ .., last] => {
            [*first, *last] = [b'"'; 2];
            inner.fill(HIDDEN);
        }
        [one] => *one = b'0',
        [] => {}
    }
}
