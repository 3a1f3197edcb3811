//! Reads that need no bounds in the caller's mind: outside the value there are only zero bytes.

/// The character that takes the place of a hidden digit in text.
pub(crate) const HIDDEN: u8 = b'*';

/// The byte at `index`, zero outside.
#[inline(always)]
pub(crate) fn byte(bytes: &[u8], index: usize) -> u8 {
    tally::add(1);
    bytes.get(index).copied().unwrap_or(0)
}

/// The byte `back` places before `index`, zero outside.
#[inline(always)]
pub(crate) fn before(bytes: &[u8], index: usize, back: usize) -> u8 {
    byte(bytes, index.wrapping_sub(back))
}

/// An ASCII digit at `index`.
#[inline(always)]
pub(crate) fn digit(bytes: &[u8], index: usize) -> bool {
    byte(bytes, index).is_ascii_digit()
}

/// An ASCII digit, or the character that a mask puts in its place.
#[inline(always)]
pub(crate) fn digit_or_mask(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == HIDDEN
}

/// The length of the run of digits at `start`, counted up to `most`.
#[inline(always)]
pub(crate) fn run(bytes: &[u8], start: usize, most: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or(&[]);
    tally::add(most);
    rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count()
}

/// A run of digits starts at `index`.
#[inline(always)]
pub(crate) fn starts_run(bytes: &[u8], index: usize) -> bool {
    digit(bytes, index) && !before(bytes, index, 1).is_ascii_digit()
}

/// Counts the bytes that are read, in tests only.
pub(crate) mod tally {
    #[cfg(test)]
    thread_local!(static TOTAL: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });

    /// So many more.
    #[inline(always)]
    pub(crate) fn add(_bytes: usize) {
        #[cfg(test)]
        TOTAL.set(TOTAL.get() + _bytes);
    }

    /// What this thread has read.
    #[cfg(test)]
    pub(crate) fn total() -> usize {
        TOTAL.get()
    }
}
