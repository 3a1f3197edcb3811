//! What a mask leaves open, and masking in text. Numbers that are not text are in `number`, JSON in `json`.

use crate::PAN_DIGITS_MAX;
use crate::bytes::{HIDDEN, before};
use crate::card::{Card, Kind};
use crate::json;
use crate::number;
use crate::script::Script;
use crate::separator::{SEPARATOR_BYTES_MAX, Separator};
use crate::surrogate::Surrogates;
use crate::window::Window;
use std::ops::Range;

/// What may take a hidden digit's place in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub(crate) enum Notation {
    /// `*`.
    #[default]
    Text,
    /// `*` within a string; digits in what may be a number.
    Json,
}

/// How a value is masked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) format: Format,
    pub(crate) notation: Notation,
    pub(crate) surrogates: Option<&'static Surrogates>,
}

impl Style {
    /// The key of surrogates, where the format asks for them.
    #[inline(always)]
    pub(crate) fn surrogates(self) -> Option<&'static Surrogates> {
        if self.format == Format::Surrogate { self.surrogates } else { None }
    }

    /// Whether what begins at `start` takes digits, not stars.
    #[inline(always)]
    fn digits_at(self, bytes: &[u8], start: usize) -> bool {
        self.notation == Notation::Json && json::number_may_start(bytes, start)
    }
}

/// What a mask leaves open of a card number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum Format {
    /// Nothing.
    Full,
    /// The last four digits.
    #[default]
    Last4,
    /// The first six and the last four, for 15 digits and more.
    Bin6Last4,
    /// The first eight and the last four, for 16 digits.
    Bin8Last4,
    /// Nothing, and another number in its place: see [`Surrogates`]. A scanner without a key masks as with `Full`.
    Surrogate,
}

impl Format {
    /// How many digits stay at the front and at the end of a number of `digits`; where the format does not allow its
    /// front for that length, the last four alone.
    #[inline]
    pub fn open(self, digits: usize) -> (usize, usize) {
        let front = match self {
            Format::Bin6Last4 if digits >= 15 => 6,
            Format::Bin8Last4 if digits == 16 => 8,
            _ => 0,
        };
        (front, if matches!(self, Format::Full | Format::Surrogate) { 0 } else { 4 })
    }
}

/// Overwrites what the format hides of a card, and all of the secrets beside it. Returns whether what follows the card
/// was changed too.
#[inline]
pub(crate) fn card(bytes: &mut [u8], card: &Card, style: Style) -> bool {
    let [before, behind] = card.codes(bytes);
    match card.kind {
        Kind::Pan => number(bytes, &card.window, style),
        Kind::Track1 | Kind::Track2 | Kind::Code => secret(bytes, card.span.clone()),
    }
    let changed = behind.is_some();
    for code in [before, behind].into_iter().flatten() {
        if style.digits_at(bytes, code.start) {
            json::hide_number(bytes.get_mut(code).unwrap_or(&mut []));
        } else {
            secret(bytes, code);
        }
    }
    changed
}

/// Hides digits of a number; separators stay.
#[inline]
fn number(bytes: &mut [u8], window: &Window, style: Style) {
    if window.separator == Separator::None && window.script == Script::Ascii {
        return bare(bytes, window.start, window.digits, style);
    }
    // What has an exponent is a number, whatever stands before it.
    let surrogate = style.surrogates().is_some() && !joins(bytes, window.start);
    let number = window.separator == Separator::Point || surrogate;
    if number || style.digits_at(bytes, window.start) {
        return as_number(bytes, window, style);
    }
    let (front, end) = style.format.open(window.digits);
    let hidden = front..window.digits - end;
    window.each_digit(bytes, |place, digit| {
        if hidden.contains(&place) {
            digit.iter_mut().zip(window.script.hidden()).for_each(|(to, from)| *to = *from);
        }
    });
}

/// Hides digits of a number without separators.
#[inline(always)]
pub(crate) fn bare(bytes: &mut [u8], start: usize, digits: usize, style: Style) {
    // With six digits before them, thirteen are a grouping.
    let surrogate = || digits != 13 || !joins(bytes, start);
    if style.surrogates().is_some() && surrogate() || style.digits_at(bytes, start) {
        return bare_number(bytes.get_mut(start..start + digits).unwrap_or(&mut []), style);
    }
    let (front, end) = style.format.open(digits);
    if let Some(run) = bytes.get_mut(start + front..start + digits - end) {
        hide_run(run);
    }
}

/// Whether digits stand so closely before a number that they and a surrogate's may be read as one: stars then.
fn joins(bytes: &[u8], start: usize) -> bool {
    (1..=SEPARATOR_BYTES_MAX + 1).any(|back| before(bytes, start, back).is_ascii_digit())
}

/// A run of ASCII digits becomes another one.
#[inline(never)]
fn bare_number(run: &mut [u8], style: Style) {
    run.iter_mut().for_each(|digit| *digit &= 0x0f);
    number::fill(run, style, 0);
    run.iter_mut().for_each(|digit| *digit |= b'0');
}

/// Digits with something between them become others. No group may begin with a zero: each may be a number by itself.
#[inline(never)]
fn as_number(bytes: &mut [u8], window: &Window, style: Style) {
    let mut values = [0; PAN_DIGITS_MAX];
    window.each_digit(bytes, |place, digit| {
        if let (Some(value), Some(digit)) = (values.get_mut(place), window.script.digit(digit, 0)) {
            *value = digit;
        }
    });
    if window.separator == Separator::Point {
        number::fill_written(&mut values, window.digits, window.exponent(bytes) + 1, style);
    } else {
        number::fill(values.get_mut(..window.digits).unwrap_or(&mut []), style, 1);
    }
    window.each_digit(bytes, |place, digit| {
        if let Some(value) = values.get(place) {
            window.script.put(digit, *value);
        }
    });
}

/// Hides all of a run: of 8 to 16 digits, in two steps that may overlap.
#[inline(always)]
fn hide_run(run: &mut [u8]) {
    const EIGHT: [u8; 8] = [HIDDEN; 8];
    let short = run.len() <= 16;
    match run.first_chunk_mut() {
        Some(first) if short => *first = EIGHT,
        _ => return run.fill(HIDDEN),
    }
    if let Some(last) = run.last_chunk_mut() {
        *last = EIGHT;
    }
}

/// Hides all letters and digits; marks between fields stay, and the zero bytes of UTF-16.
fn secret(bytes: &mut [u8], span: Range<usize>) {
    for byte in bytes.get_mut(span).unwrap_or(&mut []) {
        if !matches!(*byte, b'\0' | b'%' | b';' | b'^' | b'=' | b'?') {
            *byte = HIDDEN;
        }
    }
}

/// A labelled value: masked whatever it holds. Where it is one number of a card's length, with or without
/// separators, the format says what stays; of anything else no letter, digit or other sign beyond ASCII does.
/// Returns whether the value changed.
pub(crate) fn whole(bytes: &mut [u8], style: Style) -> bool {
    let format = style.format;
    let digits = bytes.iter().filter(|byte| crate::bytes::digit_or_mask(**byte)).count();
    let plain = bytes.iter().all(|byte| crate::bytes::digit_or_mask(*byte) || b" -./\t\r\n".contains(byte));
    let card = plain && (crate::PAN_DIGITS_MIN..=crate::PAN_DIGITS_MAX).contains(&digits);
    if let Some(surrogates) = style.surrogates()
        && card
        && let Some(changed) = whole_surrogate(bytes, surrogates)
    {
        return changed;
    }
    let (front, end) = if card { format.open(digits) } else { (0, 0) };
    let mut place = 0;
    let mut changed = false;
    for byte in bytes {
        if byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != HIDDEN {
            continue;
        }
        let stays = place < front || place >= digits - end && card;
        place += 1;
        if !stays && *byte != HIDDEN {
            *byte = HIDDEN;
            changed = true;
        }
    }
    changed
}

/// A labelled card number gets its surrogate, and a surrogate stays; `None` where it is neither. Whether it changed.
fn whole_surrogate(bytes: &mut [u8], surrogates: &Surrogates) -> Option<bool> {
    let mut digits: Vec<u8> =
        bytes.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| byte & 0x0f).collect();
    if surrogates.made(&digits) {
        return Some(false);
    }
    if !surrogates.put(&mut digits) {
        return None;
    }
    let places = bytes.iter_mut().filter(|byte| byte.is_ascii_digit());
    places.zip(&digits).for_each(|(place, digit)| *place = b'0' + digit);
    Some(true)
}
