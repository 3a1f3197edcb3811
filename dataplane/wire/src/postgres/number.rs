//! Numbers in cells: masked as numbers, of the same type and length. Integers, decimals, floats, money, and the types
//! whose digits are an encoded number (bit strings, hardware addresses). Leaves out which cell is which (`value.rs`).

use crate::cursor::u16_at;
use crate::masker::Masker;

impl Masker {
    pub(super) fn integer(&self, bytes: &mut [u8; 8]) -> bool {
        let Some(masked) = self.scanner.mask_integer(i64::from_be_bytes(*bytes), self.format) else {
            return false;
        };
        *bytes = masked.to_be_bytes();
        true
    }

    pub(super) fn float(&self, bytes: &mut [u8; 8]) -> bool {
        let value = f64::from_be_bytes(*bytes);
        // The whole part; what an i64 cannot hold has more digits than a card number.
        let Some(masked) = self.scanner.mask_integer(value as i64, self.format) else { return false };
        *bytes = (masked as f64).to_be_bytes();
        true
    }

    /// Numbers between other signs; what is left is text.
    pub(super) fn numbers(&self, value: &mut [u8]) -> usize {
        let is_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-' | b'e' | b'E');
        let parts = value.chunk_by_mut(|one, next| is_number(one) == is_number(next));
        let masked: usize = parts.map(|part| self.float_text(part).unwrap_or(0)).sum();
        masked + self.text(value)
    }

    /// numeric: count, weight, sign, scale, then digits in base 10,000. `None` where it is not so laid out.
    pub(super) fn numeric(&self, value: &mut [u8]) -> Option<bool> {
        let count = usize::from(u16_at(value, 0)?);
        let weight = u16_at(value, 2)?.cast_signed();
        if value.len() != 8 + count * 2 || !matches!(u16_at(value, 4)?, 0 | 0x4000 | 0xc000 | 0xd000 | 0xf000)
        {
            return None;
        }
        let groups = value.get_mut(8..)?.as_chunks_mut::<2>().0;
        if groups.iter().any(|group| u16::from_be_bytes(*group) >= 10_000) {
            return None;
        }
        // 19 digits take five groups, or six of which the first is padded.
        let Some(whole) = usize::try_from(weight).ok().map(|weight| weight + 1).filter(|groups| *groups <= 5)
        else {
            return Some(false);
        };
        let mut digits = [0; 20];
        let whole = digits.get_mut(..whole * 4)?;
        for (digits, group) in whole.as_chunks_mut::<4>().0.iter_mut().zip(groups.iter()) {
            let group = u16::from_be_bytes(*group);
            *digits = [group / 1000, group / 100 % 10, group / 10 % 10, group % 10].map(|digit| digit as u8);
        }
        if !self.scanner.mask_digits(whole, self.format) {
            return Some(false);
        }
        let masked = whole.as_chunks::<4>().0;
        for (group, digits) in groups.iter_mut().zip(masked) {
            *group = digits.iter().fold(0, |number, digit| number * 10 + u16::from(*digit)).to_be_bytes();
        }
        if let Some(last) = groups.last_mut()
            && masked.get(count..).is_some_and(|lost| lost.iter().flatten().any(|digit| *digit != 0))
        {
            // The mask has digits where the value had none to store: hide all but the first digit.
            *last = [0, 0];
        }
        Some(true)
    }

    /// money, an integer of the currency's least unit: a hundredth, or what else its locale says.
    pub(super) fn money(&self, bytes: &mut [u8; 8]) -> bool {
        let value = i64::from_be_bytes(*bytes);
        for unit in [100, 1, 10, 1000] {
            if let Some(masked) = self.scanner.mask_integer(value / unit, self.format)
                && let Some(masked) =
                    masked.checked_mul(unit).and_then(|whole| whole.checked_add(value % unit))
            {
                *bytes = masked.to_be_bytes();
                return true;
            }
        }
        false
    }

    /// money as text: its digits, whatever the locale puts between them.
    pub(super) fn money_text(&self, value: &mut [u8]) -> usize {
        let mut digits = [0; 24];
        let count = value.iter().filter(|byte| byte.is_ascii_digit()).count();
        let Some(digits) = digits.get_mut(..count) else { return self.text(value) };
        let shown = value.iter().filter(|byte| byte.is_ascii_digit());
        digits.iter_mut().zip(shown).for_each(|(digit, byte)| *digit = byte - b'0');
        for fraction in [2, 0, 1, 3] {
            let whole = count.checked_sub(fraction).and_then(|whole| digits.get_mut(..whole));
            if whole.is_some_and(|whole| self.scanner.mask_digits(whole, self.format)) {
                let places = value.iter_mut().filter(|byte| byte.is_ascii_digit());
                places.zip(digits.iter()).for_each(|(place, digit)| *place = digit + b'0');
                return 1;
            }
        }
        self.text(value)
    }

    /// A bit string: a number cast to one (its higher bits are zero), or bytes.
    pub(super) fn bits(&self, value: &mut [u8]) -> usize {
        let Some((count, bytes)) = value.split_first_chunk_mut::<4>() else { return self.text(value) };
        let count = u32::from_be_bytes(*count);
        let unused = (bytes.len() as u64 * 8).wrapping_sub(u64::from(count));
        let (high, low) = bytes.split_at_mut(bytes.len().saturating_sub(9));
        let number = low.iter().fold(0, |number: u128, byte| number << 8 | u128::from(*byte));
        let number = u64::try_from(number >> unused.min(127)).ok();
        let number = number.filter(|_| unused < 8 && high.iter().all(|byte| *byte == 0));
        let Some(masked) = number.and_then(|number| self.unsigned(number, count)) else {
            return self.text(bytes);
        };
        let masked = u128::from(masked) << unused;
        low.iter_mut().rev().enumerate().for_each(|(at, byte)| *byte = (masked >> (at * 8)) as u8);
        1
    }

    /// A bit string as text.
    pub(super) fn bits_text(&self, value: &mut [u8]) -> usize {
        let (high, low) = value.split_at_mut(value.len().saturating_sub(64));
        let plain = high.iter().all(|bit| *bit == b'0') && low.iter().all(|bit| matches!(bit, b'0' | b'1'));
        let number = low.iter().fold(0, |number: u64, bit| number << 1 | u64::from(bit & 1));
        match self.unsigned(number, low.len() as u32) {
            Some(masked) if plain => {
                low.iter_mut().rev().enumerate().for_each(|(at, bit)| *bit = b'0' | (masked >> at & 1) as u8);
                1
            }
            _ => self.text(value),
        }
    }

    /// Bytes whose hexadecimal digits are a card number's: a hardware address.
    pub(super) fn nibbles(&self, value: &mut [u8]) -> usize {
        let mut digits = [0; 16];
        let Some(digits) = digits.get_mut(..value.len() * 2) else { return 0 };
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(value.iter()) {
            *pair = [byte >> 4, byte & 15];
        }
        if digits.iter().any(|digit| *digit > 9) || !self.scanner.mask_digits(digits, self.format) {
            return 0;
        }
        for (byte, [high, low]) in value.iter_mut().zip(digits.as_chunks::<2>().0) {
            *byte = high << 4 | low;
        }
        1
    }

    /// The same as text, with colons.
    pub(super) fn nibbles_text(&self, value: &mut [u8]) -> usize {
        let mut digits = [0; 16];
        let shown = value.iter().filter(|byte| **byte != b':');
        let count = shown.clone().count();
        let Some(digits) = digits.get_mut(..count) else { return self.text(value) };
        digits.iter_mut().zip(shown).for_each(|(digit, byte)| *digit = byte.wrapping_sub(b'0'));
        if digits.iter().any(|digit| *digit > 9) || !self.scanner.mask_digits(digits, self.format) {
            return self.text(value);
        }
        let places = value.iter_mut().filter(|byte| **byte != b':');
        places.zip(digits.iter()).for_each(|(place, digit)| *place = digit + b'0');
        1
    }
}
