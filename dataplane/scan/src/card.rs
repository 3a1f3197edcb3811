//! What is found at one place: a card number in its surroundings, and the secrets that stand with it.

use crate::context;
use crate::sensitive;
use crate::window::{self, Window};
use std::ops::Range;

/// What a hit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A card number.
    Pan,
    /// A number with the magnetic stripe's first track: masked whole.
    Track1,
    /// A number with the stripe's second track, or a chip's equivalent: masked whole.
    Track2,
    /// A card code beside a number: masked whole.
    Code,
}

/// A number and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) window: Window,
    pub(crate) kind: Kind,
    /// The number, or the whole track.
    pub(crate) span: Range<usize>,
    /// Card codes before and behind.
    pub(crate) codes: [Option<Range<usize>>; 2],
}

/// The card at `start`, where a run of digits must begin.
pub(crate) fn at(bytes: &[u8], start: usize) -> Option<Card> {
    let window = window::at(bytes, start)?;
    if let Some(span) = sensitive::track1(bytes, &window) {
        return Some(Card { window, kind: Kind::Track1, span, codes: [None, None] });
    }
    if let Some(span) = sensitive::track2(bytes, &window) {
        return Some(Card { window, kind: Kind::Track2, span, codes: [None, None] });
    }
    if context::denies(bytes, &window) {
        return None;
    }
    let codes = sensitive::codes(bytes, &window);
    Some(Card { window, kind: Kind::Pan, span: window.start..window.end, codes })
}
