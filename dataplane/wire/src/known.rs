//! What is known of the bytes in hand, so that they are scanned once however often they are stepped. Leaves out what is in
//! them.

use scan::Scanner;

/// What is known of the bytes in hand, so that they are scanned once however often they are stepped.
#[derive(Default)]
pub(crate) struct Known {
    /// So many bytes from the first on.
    left: usize,
    suspicious: bool,
    /// PostgreSQL: whether `\x`, or a number with an exponent, stands in them; `None`: not looked for.
    pub(crate) odd: Option<bool>,
}

impl Known {
    /// Whether something in `bytes`, the unconsumed ones, looks like a card number.
    pub(crate) fn look(&mut self, scanner: &Scanner, bytes: &[u8]) -> bool {
        // Fewer than before: what was found holds for these, and of those behind them nothing is kept in mind.
        self.left = self.left.min(bytes.len());
        if bytes.len() > self.left {
            *self = Self { left: bytes.len(), suspicious: scanner.suspect(bytes), odd: None };
        }
        self.suspicious
    }

    /// So many of them are consumed.
    pub(crate) fn spend(&mut self, length: usize) {
        self.left = self.left.saturating_sub(length);
    }
}
