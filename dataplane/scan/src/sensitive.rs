//! Sensitive authentication data beside a card number: the magnetic stripe's tracks, and card codes.
//!
//! Both are known by the number that they stand with; a code without one is not looked for.

use crate::brands::Brand;
use crate::bytes::{before, byte, digit, run, tally};
use crate::card::{ESCAPE_DIGITS_MAX, Kind};
use crate::narrow::Narrow;
use crate::script::Script;
use crate::separator::Separator;
use crate::window::{self, Window};
use memchr::{memchr2, memchr2_iter};
use std::ops::Range;

/// ISO/IEC 7813: track 1 has at most 79 characters, track 2 at most 40, sentinels included.
const TRACK1_BYTES_MAX: usize = 79;
const TRACK2_BYTES_MAX: usize = 40;
const TRACK1_NAME_BYTES_MAX: usize = 26;

/// How far behind a number a card code is looked for, in bytes.
const CODE_REACH: usize = 46;

/// At least as many, in whole vectors.
const LABEL_BYTES: usize = 48;
const _: () = assert!(CODE_REACH <= LABEL_BYTES);

/// How far from where a run of digits starts the number in it, its tracks and its codes reach, in bytes: whatever is
/// further right cannot change what is found at that start.
pub(crate) const LOOKAHEAD: usize = 160;

/// Of that, how far from the number's own start: an escape's digits may stand before it.
pub(crate) const REACH: usize = LOOKAHEAD - ESCAPE_DIGITS_MAX;
/// What is read behind a code, to see that no number begins with it.
const BEHIND_CODE: usize = 10;

const _: () = assert!(CODE_REACH + 2 <= crate::context::LOOKBEHIND);
const _: () = assert!(window::WINDOW_BYTES_MAX + 4 <= REACH);

/// What a card code is labelled with, in lower case, from the first `c` on.
const LABELS: [&[u8]; 10] =
    [b"cvv2", b"cvc2", b"cav2", b"cvv", b"cvc", b"cvn", b"csc", b"card code", b"curity code", b"curitycode"];

/// `%B4111111111111111^DOE/JOHN^2512101…?` around the number: the whole of it.
fn track1(bytes: &[u8], window: &Window) -> Option<Range<usize>> {
    if byte(bytes, window.end) != b'^' || window.script != Script::Ascii {
        return None;
    }
    let name = window.end + 1;
    let letters = (name..=name + TRACK1_NAME_BYTES_MAX)
        .take_while(|index| matches!(byte(bytes, *index), b' '..=b'_' if byte(bytes, *index) != b'^'))
        .count();
    let second = name + letters;
    if letters > TRACK1_NAME_BYTES_MAX || byte(bytes, second) != b'^' || !digit(bytes, second + 1) {
        return None;
    }
    let marked = before(bytes, window.start, 2) == b'%' && before(bytes, window.start, 1) == b'B';
    let start = window.start - if marked { 2 } else { 0 };
    let limit = (start + TRACK1_BYTES_MAX).min(window.start + REACH);
    let data = (second + 1..limit)
        .take_while(|index| {
            matches!(byte(bytes, *index), b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'.' | b'/' | b'-' | b'^' | b'$')
        })
        .count();
    let end = second + 1 + data;
    Some(start..end + usize::from(byte(bytes, end) == b'?' && end < limit))
}

/// `;4111111111111111=2512101…?` or a chip's `4111111111111111D2512101…` around the number: the whole of it.
fn track2(bytes: &[u8], window: &Window) -> Option<Range<usize>> {
    let mark = byte(bytes, window.end);
    let needed = match mark {
        b'=' => 4,
        b'D' if !before(bytes, window.start, 1).is_ascii_alphanumeric() => 7,
        _ => return None,
    };
    if window.separator != Separator::None || window.script != Script::Ascii {
        return None;
    }
    let start = window.start - usize::from(before(bytes, window.start, 1) == b';');
    let date = window.end + 1;
    let digits = run(bytes, date, start + TRACK2_BYTES_MAX - date);
    if digits < needed || !month(bytes, date + 2) {
        return None;
    }
    let end = date + digits;
    let closes = end < start + TRACK2_BYTES_MAX && byte(bytes, end) == if mark == b'=' { b'?' } else { b'F' };
    Some(start..end + usize::from(closes))
}

/// Two digits from 01 to 12 at `index`.
fn month(bytes: &[u8], index: usize) -> bool {
    matches!((byte(bytes, index), byte(bytes, index + 1)), (b'0', b'1'..=b'9') | (b'1', b'0'..=b'2'))
}

/// The track around a number, if its data stand there.
pub(crate) fn track(bytes: &[u8], window: &Window) -> Option<(Kind, Range<usize>)> {
    match byte(bytes, window.next()) {
        b'^' | b'=' | b'D' => {}
        _ => return None,
    }
    if window.script == Script::Wide {
        let narrow = Narrow::around(bytes, window);
        let (kind, span) = track(narrow.characters(), &narrow.window)?;
        return Some((kind, narrow.widened(span)));
    }
    let first = track1(bytes, window).map(|span| (Kind::Track1, span));
    first.or_else(|| track2(bytes, window).map(|span| (Kind::Track2, span)))
}

/// Card codes beside the number: one before it, one behind it.
pub(crate) fn codes(bytes: &[u8], window: &Window) -> [Option<Range<usize>>; 2] {
    if window.script == Script::Wide {
        let narrow = Narrow::around(bytes, window);
        let found = codes(narrow.characters(), &narrow.window);
        return found.map(|code| Some(narrow.widened(code?)));
    }
    let start = window.start;
    let before = any_c(bytes.get(..start).and_then(|past| past.last_chunk())).then(|| {
        labelled_code(bytes, start.saturating_sub(CODE_REACH)..start, |code| !begins_number(bytes, code))
    });
    let reach = (window.end + CODE_REACH).min(start + REACH - BEHIND_CODE);
    let behind = any_c(bytes.get(window.end..).and_then(|future| future.first_chunk()))
        .then(|| labelled_code(bytes, window.end..reach, |code| !goes_on(bytes, code)));
    let placed = grouped_code(bytes, window).or_else(|| dated_code(bytes, window));
    [before.flatten(), placed.or(behind.flatten())]
}

/// A part of a value that is known to hold no label: the letter that each begins with is not there. Numbers that
/// follow each other closely look at what is between them once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unlabelled {
    known: Range<usize>,
    /// What is far enough within.
    calm: Range<usize>,
}

impl Unlabelled {
    /// How far to look ahead of what is asked for, in bytes.
    const AHEAD: usize = 512;

    /// Whether no label stands near the number from `start` to `end`.
    #[inline(always)]
    pub(crate) fn around(&mut self, bytes: &[u8], start: usize, end: usize) -> bool {
        self.calm.start <= start && end <= self.calm.end || self.look(bytes, start, end)
    }

    #[cold]
    fn look(&mut self, bytes: &[u8], start: usize, end: usize) -> bool {
        let near = start.saturating_sub(CODE_REACH)..bytes.len().min(end + CODE_REACH);
        if !(self.known.start..=self.known.end).contains(&near.start) {
            self.known = near.start..near.start;
        }
        let ahead = bytes.len().min(near.end + Self::AHEAD);
        let unknown = bytes.get(self.known.end..ahead).unwrap_or(&[]);
        tally::add(unknown.len());
        self.known.end = memchr2(b'c', b'C', unknown).map_or(ahead, |place| self.known.end + place);
        let apart = |edge: bool, reach: usize| if edge { 0 } else { reach };
        self.calm.start = self.known.start + apart(self.known.start == 0, CODE_REACH);
        self.calm.end = self.known.end.saturating_sub(apart(self.known.end == bytes.len(), CODE_REACH));
        near.end <= self.known.end
    }
}

/// Whether the letter that every label begins with is among the bytes; where there are fewer, it may be.
#[inline(always)]
fn any_c(bytes: Option<&[u8; LABEL_BYTES]>) -> bool {
    bytes.is_none_or(|bytes| bytes.iter().fold(false, |any, byte| any | (byte | 0x20 == b'c')))
}

/// `4111 1111 1111 1111 737`: one more group of the code's length.
fn grouped_code(bytes: &[u8], window: &Window) -> Option<Range<usize>> {
    let grouped = !matches!(window.separator, Separator::None | Separator::Comma | Separator::Point);
    if !grouped || window.script != Script::Ascii || Separator::at(bytes, window.end) != window.separator {
        return None;
    }
    let wanted = if window.brand == Brand::AmericanExpress { 4 } else { 3 };
    let code = code_at(bytes, window.end + window.separator.len())?;
    (code.len() == wanted && !goes_on(bytes, &code)).then_some(code)
}

/// `4111111111111111|12/26|737`: the month of expiry, then the code.
fn dated_code(bytes: &[u8], window: &Window) -> Option<Range<usize>> {
    let date = skip_delimiter(bytes, window.end)?;
    if window.script != Script::Ascii || !month(bytes, date) {
        return None;
    }
    let year = date + 2 + usize::from(matches!(byte(bytes, date + 2), b'/' | b'-' | b'|' | b' '));
    let digits = run(bytes, year, 5);
    if digits != 2 && digits != 4 {
        return None;
    }
    code_at(bytes, skip_delimiter(bytes, year + digits)?).filter(|code| !goes_on(bytes, code))
}

fn skip_delimiter(bytes: &[u8], mut index: usize) -> Option<usize> {
    let quote = |index: usize| usize::from(matches!(byte(bytes, index), b'"' | b'\''));
    index += quote(index);
    if !matches!(byte(bytes, index), b' ' | b',' | b';' | b'|' | b':' | b'/' | b'\t') {
        return None;
    }
    index += 1;
    index += usize::from(byte(bytes, index) == b' ');
    Some(index + quote(index))
}

/// `"cvv":"737"` within a part of the bytes: the label, at most six characters of punctuation, the code.
fn labelled_code(
    bytes: &[u8],
    within: Range<usize>,
    alone: impl Fn(&Range<usize>) -> bool,
) -> Option<Range<usize>> {
    let (from, until) = (within.start, within.end);
    let region = bytes.get(from..until.min(bytes.len()))?;
    tally::add(region.len());
    memchr2_iter(b'c', b'C', region).find_map(|place| {
        let (label, rest) = LABELS.iter().find_map(|label| {
            let (head, rest) = region.get(place..)?.split_at_checked(label.len())?;
            head.eq_ignore_ascii_case(label).then_some((*label, rest))
        })?;
        let marks = rest.iter().take(7).take_while(|byte| b"\"':= \t>_-\\".contains(byte)).count();
        let code = code_at(bytes, from + place + label.len() + marks)?;
        (marks < 7 && code.end <= until && alone(&code)).then_some(code)
    })
}

/// Three or four digits at `index`, no more, and no letter beside them.
fn code_at(bytes: &[u8], index: usize) -> Option<Range<usize>> {
    let digits = run(bytes, index, 5);
    let glued = [before(bytes, index, 1), byte(bytes, index + digits)].iter().any(u8::is_ascii_alphanumeric);
    ((digits == 3 || digits == 4) && !glued).then_some(index..index + digits)
}

/// A card number begins where the code does.
fn begins_number(bytes: &[u8], code: &Range<usize>) -> bool {
    window::at(bytes, code.start, code.len()).is_some()
}

/// More groups follow the code, so that a number may begin with it. Told from the next few bytes.
fn goes_on(bytes: &[u8], code: &Range<usize>) -> bool {
    let separator = Separator::at(bytes, code.end);
    let next = code.end + separator.len();
    match separator {
        Separator::None => false,
        _ if code.len() == 4 => separator != Separator::Comma && digit(bytes, next),
        _ => run(bytes, next, 4) == 3 && Separator::at(bytes, next + 3) == separator,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window_in(text: &str, start: usize) -> Window {
        window::at(text.as_bytes(), start, run(text.as_bytes(), start, 20)).unwrap()
    }

    fn codes_in(text: &str) -> Vec<String> {
        let start = text.find("411111").or_else(|| text.find("4111 ")).or_else(|| text.find("3782")).unwrap();
        let found = codes(text.as_bytes(), &window_in(text, start));
        found.into_iter().flatten().map(|range| text[range].to_owned()).collect()
    }

    #[test]
    fn finds_codes() {
        for (text, code) in [
            ("4111 1111 1111 1111 737", "737"),
            ("3782-822463-10005-1234", "1234"),
            ("4111111111111111|12/26|737", "737"),
            ("4111111111111111,1226,737\n", "737"),
            ("\"4111111111111111\", \"12/2026\", \"737\"", "737"),
            ("{\"pan\":\"4111111111111111\",\"cvv\":\"737\"}", "737"),
            ("{\"cvv2\": 737, \"pan\":\"4111111111111111\"}", "737"),
            ("pan 4111111111111111 Security Code: 737", "737"),
        ] {
            assert_eq!(codes_in(text), [code], "{text}");
        }
    }

    #[test]
    fn leaves_other_numbers() {
        for text in [
            "4111 1111 1111 1111 4242 4242 4242 4242",
            "4111111111111111,250,EUR",
            "4111111111111111 2026-12-31",
            "acid 123 4111111111111111",
            "4111 1111 1111 1111 587A",
            "{\"cvv\":\"12345\",\"pan\":\"4111111111111111\"}",
        ] {
            assert_eq!(codes_in(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn finds_tracks() {
        let text = "x%B4111111111111111^DOE/JOHN^25121010000000000?;4111111111111111=25121010000?x";
        assert_eq!(track1(text.as_bytes(), &window_in(text, 3)), Some(1..47));
        assert_eq!(track2(text.as_bytes(), &window_in(text, 48)), Some(47..text.len() - 1));
        let chip = "57 4111111111111111D25121010000012F";
        assert_eq!(track2(chip.as_bytes(), &window_in(chip, 3)), Some(3..chip.len()));
        let sum = "4111111111111111=9999";
        assert_eq!(track2(sum.as_bytes(), &window_in(sum, 0)), None);
    }
}
