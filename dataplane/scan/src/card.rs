//! What is found at one place: a card number in its surroundings, and the secrets that stand with it.

use crate::brands::{Brand, PAN_DIGITS_MAX, PAN_DIGITS_MIN, RUN_MAX};
use crate::bytes::{before, byte, digit, run};
use crate::context;
use crate::script::Script;
use crate::sensitive::{self, Unlabelled};
use crate::separator::Separator;
use crate::window::{self, Near, Window};
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

/// A number in its surroundings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) window: Window,
    pub(crate) kind: Kind,
    /// The number, or the whole track.
    pub(crate) span: Range<usize>,
}

impl Card {
    /// Card codes before and behind a number; a track has its own within.
    #[inline]
    pub(crate) fn codes(&self, bytes: &[u8]) -> [Option<Range<usize>>; 2] {
        if self.kind == Kind::Pan { sensitive::codes(bytes, &self.window) } else { [None, None] }
    }
}

/// The card at `start`, where a run of `first` digits begins.
#[inline(never)]
pub(crate) fn at(bytes: &[u8], start: usize, first: usize) -> Option<Card> {
    let whole = window::at(bytes, start, first).and_then(|window| surrounded(bytes, window));
    whole.or_else(|| escaped(bytes, start))
}

/// What a first look tells of the place where a run of digits begins. It fits a register.
pub(crate) enum Look {
    /// No card.
    Nothing,
    /// A number without separators, in surroundings that can neither deny it nor bring anything with it, nor be a number
    /// with what a mask leaves of it.
    Bare(Brand),
    /// `at` is to be asked.
    Unclear,
}

/// The same as `at`, without a detour for the common cases.
#[inline(always)]
pub(crate) fn look(bytes: &[u8], start: usize, first: usize, unlabelled: &mut Unlabelled) -> Look {
    if first < PAN_DIGITS_MIN {
        return Look::Unclear;
    }
    if first > PAN_DIGITS_MAX {
        return look_at_edge(bytes, start, first, unlabelled);
    }
    let Some(near) = Near::around(bytes, start) else {
        return look_at_edge(bytes, start, first, unlabelled);
    };
    let Some(brand) = near.brand(first) else {
        return if detour(near.before(), near.at(first)) { Look::Unclear } else { Look::Nothing };
    };
    let calm = context::calm_before(near.before())
        && context::calm_behind(near.at(first), near.at(first + 1))
        && unlabelled.around(bytes, start, start + first)
        && !near.leaves_line(first);
    if calm { Look::Bare(brand) } else { Look::Unclear }
}

/// The same where the number stands close to an end of the bytes, or is none, being too long.
#[inline(never)]
fn look_at_edge(bytes: &[u8], start: usize, first: usize, unlabelled: &mut Unlabelled) -> Look {
    let Some(brand) = window::plain_brand(bytes, start, first) else {
        let detour = detour(before(bytes, start, 1), byte(bytes, start + first));
        return if detour { Look::Unclear } else { Look::Nothing };
    };
    let end = start + first;
    let calm = context::calm_before(before(bytes, start, 1))
        && context::calm_behind(byte(bytes, end), byte(bytes, end + 1))
        && unlabelled.around(bytes, start, end)
        && !window::leaves_line(bytes, end);
    if calm { Look::Bare(brand) } else { Look::Unclear }
}

/// Whether digits that are no number by themselves may be one behind an escape's digits, or with what follows a
/// character that is not seen.
#[inline(always)]
fn detour(before: u8, behind: u8) -> bool {
    context::may_escape(before) || !behind.is_ascii()
}

/// At most so many digits of an escape stand before a number: `\u0022`.
pub(crate) const ESCAPE_DIGITS_MAX: usize = 4;

/// The number that begins behind an escaped character's digits, which the run of digits at `start` begins with:
/// `%224111111111111111`, `\u00224111111111111111`. Not one in scientific notation, nor
/// one digit by digit or by lines.
fn escaped(bytes: &[u8], start: usize) -> Option<Card> {
    let number = start + escape_digits(bytes, start)?;
    window::at(bytes, number, run(bytes, number, RUN_MAX))
        .filter(|window| {
            window.script == Script::Ascii
                && window.separator != Separator::Point
                && !window.separator.is_line()
        })
        .filter(|window| {
            !(window.separator.parts_digits() && window.end - window.start + 1 == 2 * window.digits)
        })
        .and_then(|window| surrounded(bytes, window))
}

/// The number behind a card that ends at `end`, within a run of digits that starts before: the last of the card's escaped
/// digits and the number are one run.
#[inline(never)]
pub(crate) fn behind(bytes: &[u8], start: usize, first: usize, end: usize) -> Option<Card> {
    if start + first <= end {
        return None;
    }
    escaped(bytes, start).filter(|card| card.window.start >= end)
}

/// From where on starts are to be looked at that no number before `index` has: a number behind an escape's digits is found
/// where these start. In a longer run there is none.
pub(crate) fn earliest(bytes: &[u8], index: usize) -> usize {
    let run = (1..=ESCAPE_DIGITS_MAX).take_while(|back| before(bytes, index, *back).is_ascii_digit());
    index - run.count()
}

/// How many digits from `start` on belong to an escape that begins before it.
fn escape_digits(bytes: &[u8], start: usize) -> Option<usize> {
    let hexadecimal = |digits: usize| (1..=digits).all(|back| before(bytes, start, back).is_ascii_hexdigit());
    let percent = (0..2).find(|past| before(bytes, start, past + 1) == b'%' && hexadecimal(*past));
    let unicode = (0..4).find(|past| {
        (before(bytes, start, past + 2), before(bytes, start, past + 1)) == (b'\\', b'u')
            && hexadecimal(*past)
    });
    let digits = percent.map(|past| 2 - past).or_else(|| unicode.map(|past| 4 - past))?;
    (run(bytes, start, digits) == digits && digit(bytes, start + digits)).then_some(digits)
}

fn surrounded(bytes: &[u8], window: Window) -> Option<Card> {
    if let Some((kind, span)) = sensitive::track(bytes, &window) {
        return Some(Card { window, kind, span });
    }
    if context::denies(bytes, &window) {
        return None;
    }
    Some(Card { window, kind: Kind::Pan, span: window.start..window.end })
}
