//! What is known of the bytes in hand, so that they are scanned once however often they are stepped and however many
//! messages they hold. Leaves out what is in them.

use scan::Scanner;

/// What is known of the bytes in hand.
#[derive(Default)]
pub(crate) struct Known {
    /// So many bytes from the first on.
    left: usize,
    /// Where in them the first number starts that some part of them would be; before them: it has not been looked for
    /// since. `None`: no part is one.
    suspect: Option<isize>,
    /// PostgreSQL: whether `\x`, or a number with an exponent, stands in them; `None`: not looked for.
    pub(crate) odd: Option<bool>,
}

impl Known {
    /// Whether something in `bytes`, the unconsumed ones, looks like a card number.
    pub(crate) fn look(&mut self, scanner: &Scanner, bytes: &[u8]) -> bool {
        // Fewer than before: what was found holds for these, and of those behind them nothing is kept in mind.
        self.left = self.left.min(bytes.len());
        if bytes.len() > self.left {
            *self = Self { left: bytes.len(), suspect: first(scanner, bytes, 0), odd: None };
        }
        self.suspect.is_some()
    }

    /// Where in the message at the start of `rest`, which are the unconsumed bytes from `at` on, the first number starts
    /// that some part of it would be. Messages are asked about in their order.
    pub(crate) fn suspect(
        &mut self,
        scanner: &Scanner,
        rest: &[u8],
        at: usize,
        length: usize,
    ) -> Option<usize> {
        let mut suspect = self.suspect?;
        if suspect < at.cast_signed() {
            // In a message that has been dealt with.
            self.suspect = first(scanner, rest, at);
            suspect = self.suspect?;
        }
        usize::try_from(suspect - at.cast_signed()).ok().filter(|place| *place < length)
    }

    /// So many of them are consumed.
    pub(crate) fn spend(&mut self, length: usize) {
        self.left = self.left.saturating_sub(length);
        self.suspect = self.suspect.map(|place| place - length.cast_signed());
    }
}

/// Where the first number starts in `rest`, which begin at `at`.
fn first(scanner: &Scanner, rest: &[u8], at: usize) -> Option<isize> {
    scanner.suspect_at(rest, 0).map(|place| (at + place).cast_signed())
}
