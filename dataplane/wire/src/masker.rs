//! What masks values, whatever the protocol: a scanner, a format, room to work in. Leaves out what values are (each
//! protocol's `value.rs`).

use alloc::vec::Vec;

use scan::{Format, Scanner};

/// Masks values.
pub(crate) struct Masker {
    pub(crate) scanner: Scanner,
    pub(crate) format: Format,
    pub(crate) scratch: Vec<u8>,
}

impl Masker {
    /// Masks text in place; how many card numbers.
    pub(crate) fn text(&self, value: &mut [u8]) -> usize {
        self.scanner.mask(value, self.format)
    }

    /// Masks text in which no number starts before `from`.
    pub(crate) fn text_from(&self, value: &mut [u8], from: usize) -> usize {
        self.scanner.mask_from(value, from, self.format)
    }

    /// Characters in no UTF-8 are in another encoding, under which the last byte of one may read as a digit (GB18030,
    /// JOHAB): the target says so only behind the rows, or never (SQL_ASCII).
    pub(crate) fn misread(&self, value: &mut [u8]) -> usize {
        if value.is_ascii() || core::str::from_utf8(value).is_ok() { 0 } else { self.loose(value) }
    }

    /// Masks text among bytes that may look like digits and adjoin it.
    pub(crate) fn loose(&self, value: &mut [u8]) -> usize {
        const NUMBER_BYTES_MAX: usize = 80;
        let mut masked = self.text(value);
        let mut from = 0;
        while let Some(at) = self.scanner.suspect_at(value, from) {
            for length in scan::PAN_DIGITS_MIN..=NUMBER_BYTES_MAX {
                let found = value.get_mut(at..at + length).map_or(0, |part| self.text(part));
                masked += found;
                if found > 0 {
                    break;
                }
            }
            from = at + 1;
        }
        masked
    }
}
