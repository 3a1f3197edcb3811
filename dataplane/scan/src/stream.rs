//! Masking of a value that arrives in parts, and of a whole value as the one-part case of it.
//!
//! A card is decided on where it starts, once all that may bear on it has arrived: `LOOKAHEAD` bytes from its start.
//! Decisions are taken from left to right, each on what the ones before have left, so any split of a value gives the
//! same bytes.

use crate::Scanner;
use crate::arch::{Kernel, Starts};
use crate::brands::RUN_MAX;
use crate::bytes::{byte, run, starts_run};
use crate::card::{self, Card, Kind, Look};
use crate::context::LOOKBEHIND;
use crate::mask::{self, Format, Notation, Style};
use crate::script::Script;
use crate::sensitive::{LOOKAHEAD, Unlabelled};
use crate::separator::Separator;

/// The most bytes that a caller of [`Stream::mask`] keeps between two calls.
pub const HOLDBACK_BYTES_MAX: usize = LOOKAHEAD + LOOKBEHIND;
const _: () = assert!(HOLDBACK_BYTES_MAX <= 256);

/// What one call of [`Stream::mask`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many leading bytes are final.
    pub released: usize,
    /// How many cards were masked by this call.
    pub masked: usize,
}

/// The state of one value between its parts.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// How many of the kept bytes are decided on and stay for their context only.
    decided: usize,
    notation: Notation,
}

impl Stream {
    /// At the start of a value.
    pub fn new() -> Stream {
        Stream::default()
    }

    /// At the start of a JSON text, which stays one: see [`Scanner::mask_json`].
    pub fn json() -> Stream {
        Stream { notation: Notation::Json, ..Stream::default() }
    }

    /// Masks in place. `bytes`: what the caller kept from the last call, unchanged, and the new bytes behind it.
    /// The caller passes on the released bytes and keeps the rest, at most [`HOLDBACK_BYTES_MAX`]. With `last` all are
    /// released, and the stream stands at the start of a new value.
    pub fn mask(&mut self, scanner: &Scanner, bytes: &mut [u8], last: bool, format: Format) -> Progress {
        let style = scanner.style(format, self.notation);
        let (decided, masked) = pass(scanner.kernel, bytes, self.decided, last, style);
        let released = if last { bytes.len() } else { decided.saturating_sub(LOOKBEHIND) };
        self.decided = if last { 0 } else { decided - released };
        Progress { released, masked }
    }
}

/// Masks from `from` on. Returns up to where all starts are decided, and the number of cards.
pub(crate) fn pass(
    kernel: Kernel,
    bytes: &mut [u8],
    from: usize,
    last: bool,
    style: Style,
) -> (usize, usize) {
    let len = bytes.len();
    let until = if last { len } else { (len + 1).saturating_sub(LOOKAHEAD) };
    let mut starts = Starts::new(kernel, from);
    let mut unlabelled = Unlabelled::default();
    let (mut at, mut masked) = (from, 0);
    while let Some(start) = starts.next(bytes).filter(|start| start.at < until) {
        if start.at < at {
            continue;
        }
        match card::look(bytes, start.at, start.run, &mut unlabelled) {
            Look::Nothing => {}
            Look::Bare(_) => {
                mask::bare(bytes, start.at, start.run, style);
                masked += 1;
                at = start.at + start.run;
            }
            Look::Unclear => {
                let Some(found) = card::at(bytes, start.at, start.run) else { continue };
                let changed_behind = mask::card(bytes, &found, style);
                masked += 1;
                at = found.span.end;
                if changed_behind || leaves_start(bytes, &found) {
                    let more;
                    (at, more) = pass_within(bytes, start.at, at, until, style);
                    masked += more;
                    starts = Starts::new(kernel, at);
                }
            }
        }
    }
    if last {
        return (len, masked);
    }
    let undecided = (at.max(until)..len).find(|index| may_start(bytes, *index));
    (undecided.unwrap_or(len), masked)
}

/// A run of digits starts at `index`, or a digit of another script may.
fn may_start(bytes: &[u8], index: usize) -> bool {
    starts_run(bytes, index) || Script::LEADS.contains(&byte(bytes, index))
}

/// Whether a masked card has left digits that may begin a number with what follows. In a number without separators all
/// that is left stands before hidden digits, but for its end.
fn leaves_start(bytes: &[u8], card: &Card) -> bool {
    card.window.separator != Separator::None
        || card.window.script != Script::Ascii
        || card.kind != Kind::Pan
        || Separator::at(bytes, card.window.next()) != Separator::None
}

/// Masks from `from` up to `end`, or to the end of the last card that starts before it. Returns that end, and the
/// number of cards.
fn pass_within(bytes: &mut [u8], from: usize, mut end: usize, until: usize, style: Style) -> (usize, usize) {
    let (mut at, mut masked) = (from, 0);
    while at < end.min(until) {
        if may_start(bytes, at)
            && let Some(found) = card::at(bytes, at, run(bytes, at, RUN_MAX))
        {
            mask::card(bytes, &found, style);
            end = end.max(found.span.end);
            masked += 1;
        } else {
            at += 1;
        }
    }
    (at, masked)
}
