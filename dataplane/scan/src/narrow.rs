//! UTF-16 text around a number, one byte a character, so that tracks and card codes are looked for as in ASCII.
//! Characters beyond Latin 1 are left out, and so is what comes before one of them in the higher byte order.

use crate::bytes::byte;
use crate::context::LOOKBEHIND;
use crate::script::Script;
use crate::sensitive::REACH;
use crate::separator::Separator;
use crate::window::Window;
use std::ops::Range;

const BEFORE: usize = LOOKBEHIND / 2;
const BEHIND: usize = REACH / 2;
/// Stands for a character that has no byte of its own.
const OTHER: u8 = 1;

/// The characters around a number.
pub(crate) struct Narrow {
    characters: [u8; BEFORE + BEHIND],
    /// The number in them.
    pub(crate) window: Window,
    /// Where it begins in the text.
    start: usize,
}

impl Narrow {
    /// Around a number in UTF-16.
    pub(crate) fn around(bytes: &[u8], window: &Window) -> Narrow {
        let mut characters = [0; BEFORE + BEHIND];
        for (place, character) in characters.iter_mut().enumerate() {
            let Some(index) = (window.start + 2 * place).checked_sub(2 * BEFORE) else { continue };
            *character = if byte(bytes, index + 1) == 0 { byte(bytes, index) } else { OTHER };
        }
        let end = BEFORE + (window.end + 1 - window.start) / 2;
        let separator =
            if matches!(window.separator, Separator::Wide(_)) { Separator::None } else { window.separator };
        let narrow = Window { start: BEFORE, end, script: Script::Ascii, separator, ..*window };
        Narrow { characters, window: narrow, start: window.start }
    }

    pub(crate) fn characters(&self) -> &[u8] {
        &self.characters
    }

    /// Where these characters are in the text: from the first one's own byte to the last one's.
    pub(crate) fn widened(&self, range: Range<usize>) -> Range<usize> {
        let place = |index: usize| (self.start + 2 * index).saturating_sub(2 * BEFORE);
        place(range.start)..place(range.end).saturating_sub(1)
    }
}
