//! Numbers as text, and binary ones of a bounded width: masked as numbers, of the same length. Leaves out each protocol's
//! own forms of numbers.

use crate::masker::Masker;

impl Masker {
    /// `[-]digits[.digits]`; `None` where it is not so written.
    pub(crate) fn decimal(&self, value: &mut [u8]) -> Option<usize> {
        let number = value.strip_prefix(b"-").map_or(0, |_| 1)..;
        let number = value.get_mut(number)?;
        let whole = number.iter().position(|byte| *byte == b'.').unwrap_or(number.len());
        let plain = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
        if !plain(number.get(..whole)?) || !plain(number.get(whole..)?.strip_prefix(b".").unwrap_or_default())
        {
            return None;
        }
        let whole = number.get_mut(..whole)?;
        whole.iter_mut().for_each(|digit| *digit -= b'0');
        let masked = self.scanner.mask_digits(whole, self.format);
        whole.iter_mut().for_each(|digit| *digit += b'0');
        Some(usize::from(masked))
    }

    /// As [`Masker::decimal`], with an exponent: `4.11e+15`.
    pub(crate) fn float_text(&self, value: &mut [u8]) -> Option<usize> {
        let number = value.strip_prefix(b"-").map_or(0, |_| 1)..;
        let number = value.get_mut(number)?;
        let Some(exponent_at) = number.iter().position(|byte| matches!(byte, b'e' | b'E')) else {
            return self.decimal(number);
        };
        let (mantissa, exponent) = number.split_at_mut_checked(exponent_at)?;
        let exponent = core::str::from_utf8(exponent.get(1..)?).ok()?;
        let exponent: isize = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
        let point = mantissa.iter().position(|byte| *byte == b'.').unwrap_or(mantissa.len());
        // As many digits, leading zeros included, as a card number can be written with here.
        let mut digits = [0; 2 * scan::PAN_DIGITS_MAX];
        let length = usize::try_from(point.cast_signed().checked_add(exponent)?).unwrap_or(0);
        let Some(whole) = digits.get_mut(..length) else { return Some(0) };
        let mut given = 0;
        for byte in mantissa.iter().filter(|byte| **byte != b'.') {
            if !byte.is_ascii_digit() {
                return None;
            }
            if let Some(digit) = whole.get_mut(given) {
                *digit = byte - b'0';
            }
            given += 1;
        }
        if !self.completed(whole, given) {
            return Some(0);
        }
        let places = mantissa.iter_mut().filter(|byte| byte.is_ascii_digit());
        places.zip(whole.iter()).for_each(|(place, digit)| *place = digit + b'0');
        Some(1)
    }

    /// Masks the digits of a float; where the last was not shown (the Luhn digit, which the others tell), whatever it is.
    fn completed(&self, digits: &mut [u8], given: usize) -> bool {
        if given + 1 != digits.len() {
            return self.scanner.mask_digits(digits, self.format);
        }
        (0..10).any(|check| {
            digits.last_mut().is_some_and(|last| {
                *last = check;
                true
            }) && self.scanner.mask_digits(digits, self.format)
        })
    }

    /// `4.11e+15` somewhere in text whose numbers stand for themselves.
    pub(crate) fn number_in_text(&self, token: &mut [u8]) -> usize {
        let signs = token.iter().take_while(|byte| !byte.is_ascii_digit()).count();
        let digits = token.iter().rev().take_while(|byte| !byte.is_ascii_digit()).count();
        let number = signs..token.len().saturating_sub(digits);
        token.get_mut(number).and_then(|number| self.float_text(number)).unwrap_or(0)
    }

    /// The mask of a number that must not have more than `bits` bits.
    pub(crate) fn unsigned(&self, number: u64, bits: u32) -> Option<u64> {
        let fits = |masked: &u64| 64 - masked.leading_zeros() <= bits.min(64);
        self.scanner.mask_unsigned(number, self.format).map(|masked| Some(masked).filter(fits).unwrap_or(0))
    }
}
