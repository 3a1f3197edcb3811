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

    /// How many bytes of `rest`, which are the unconsumed ones from `at` on, hold no part that looks like a card number:
    /// up to where the first one starts, or all. Asked about messages in their order.
    pub(crate) fn clean(&mut self, scanner: &Scanner, rest: &[u8], at: usize) -> usize {
        let at = at.cast_signed();
        if self.suspect.is_some_and(|suspect| suspect < at) {
            // In a message that has been dealt with.
            self.suspect = first(scanner, rest, at);
        }
        self.suspect.and_then(|suspect| usize::try_from(suspect - at).ok()).unwrap_or(rest.len())
    }

    /// So many of them are consumed.
    pub(crate) fn spend(&mut self, length: usize) {
        self.left = self.left.saturating_sub(length);
        self.suspect = self.suspect.map(|place| place - length.cast_signed());
    }
}

/// Where the first number starts in `rest`, which begin at `at`.
fn first(scanner: &Scanner, rest: &[u8], at: isize) -> Option<isize> {
    scanner.suspect_at(rest, 0).map(|place| at + place.cast_signed())
}
