//! Values masked whatever they hold: as long as before and of the same type, with nothing of the value left but what
//! the format opens of a card number. Leaves out which columns (`origin.rs`) and long values' parts (`long.rs`).

use scan::Format;

use super::value::{Class, each_inside, holds};
use crate::Watch;
use crate::cursor::u16_at;
use crate::hide::{HIDDEN, alphanumeric, each, json};
use crate::limits::NESTING_MAX;
use crate::masker::Masker;

/// How a column's cells are masked whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) oid: u32,
    pub(crate) binary: bool,
    pub(crate) format: Format,
}

/// A value that is masked as it comes, in parts.
pub(crate) struct Fill {
    whole: Whole,
    begun: bool,
}

impl Fill {
    pub(crate) fn new(whole: Whole) -> Self {
        Self { whole, begun: false }
    }

    /// Masks `bytes`, the next of the value; how many are final.
    pub(crate) fn part(&mut self, bytes: &mut [u8], last: bool) -> usize {
        const HEAD_BYTES: usize = 3;
        let length = bytes.len();
        if length == 0 || !self.begun && !last && length < HEAD_BYTES {
            return 0;
        }
        let Whole { oid, binary, .. } = self.whole;
        let begins = !core::mem::replace(&mut self.begun, true);
        let skip = match (oid, binary) {
            (3802, true) if begins => 1,
            (17, false) if begins && bytes.starts_with(b"\\x") => 2,
            _ => 0,
        };
        let bytes = bytes.get_mut(skip..).unwrap_or_default();
        match (oid, binary) {
            (17, false) => bytes.fill(b'0'),
            (114 | 3802, _) => {
                bytes.fill(HIDDEN);
                if let (true, Some(first)) = (begins, bytes.first_mut()) {
                    *first = b'"';
                }
                if let (true, Some(end)) = (last, bytes.last_mut()) {
                    *end = b'"';
                }
            }
            _ => bytes.fill(HIDDEN),
        }
        length
    }
}

impl Masker {
    /// Masks a value in place. Always counts as one.
    pub(crate) fn whole(&self, whole: Whole, value: &mut [u8]) -> usize {
        if whole.binary {
            self.whole_binary(whole.oid, value, whole.format, 0);
        } else {
            self.whole_text(whole.oid, value, whole.format);
        }
        1
    }

    fn whole_text(&self, oid: u32, value: &mut [u8], format: Format) {
        match oid {
            16 => value.fill(b'f'),
            20 | 21 | 23 | 24 | 26 | 28 | 29 | 2202..=2206 | 4089 | 4096 => self.whole_digits(value, format),
            700 | 701 | 790 | 1700 => self.whole_decimal(value, format),
            // Dates and times: a one for each digit is one of each kind.
            1082 | 1083 | 1114 | 1184 | 1266 | 650 | 869 | 829 | 774 => each(value, alphanumeric, b'1'),
            1186
            | 1005
            | 1007
            | 1016
            | 1021
            | 1022
            | 1028
            | 1115
            | 1182
            | 1183
            | 1185
            | 1187
            | 1231
            | 3904..=3927
            | 4451
            | 4532..=4536 => each(value, u8::is_ascii_digit, b'1'),
            2950 => each(value, alphanumeric, b'0'),
            17 => bytea(value),
            114 | 3802 => json(value),
            1560 | 1562 => value.fill(b'0'),
            18 | 19 | 25 | 705 | 1042 | 1043 | 2275 => self.whole_words(value, format),
            // Punctuation can spell a value as well as digits: of what has a form only its outermost signs stay.
            _ => match value {
                [b'{', inner @ .., b'}'] | [b'(' | b'[', inner @ .., b')' | b']'] => inner.fill(HIDDEN),
                all => self.whole_words(all, format),
            },
        }
    }

    fn whole_binary(&self, oid: u32, value: &mut [u8], format: Format, depth: u32) {
        match oid {
            18 | 19 | 25 | 705 | 1042 | 1043 | 2275 => self.whole_words(value, format),
            20 | 21 | 23 | 24 | 26 | 28 | 29 | 790 | 2202..=2206 | 4089 | 4096 => {
                self.integer_bytes(value, format)
            }
            700 | 701 | 600 | 601 | 603 | 628 | 718 => self.float_bytes(oid, value, format),
            1700 => self.whole_numeric(value, format),
            114 => json(value),
            3802 => json(value.get_mut(1..).unwrap_or_default()),
            16 | 27 | 774 | 829 | 1082 | 1083 | 1114 | 1184 | 1186 | 1266 | 2950 | 3220 | 5069 => {
                value.fill(0)
            }
            650 | 869 => value.get_mut(4..).unwrap_or_default().fill(0),
            1560 | 1562 => value.get_mut(4..).unwrap_or_default().fill(0),
            _ => {
                let known = Class::of_binary(oid);
                let mut likely = [known, Class::Array, Class::Record].into_iter();
                let sound = likely.find(|class| depth < NESTING_MAX && holds(*class, value));
                if let Some(class) = sound {
                    let mut each = |oid, inner: &mut [u8]| self.whole_binary(oid, inner, format, depth + 1);
                    each_inside(class, value, &mut each);
                    return;
                }
                // bytea, names of enumerations, what is of no known type: nothing of it stays.
                value.fill(HIDDEN);
            }
        }
    }

    fn integer_bytes(&self, value: &mut [u8], format: Format) {
        let masked = |number: i64| match number {
            0 => 1,
            number => self.scanner.mask_whole_integer(number, format),
        };
        match value {
            [a, b] => {
                let number = masked(i16::from_be_bytes([*a, *b]).into());
                [*a, *b] = i16::try_from(number).unwrap_or(1).to_be_bytes();
            }
            [a, b, c, d] => {
                let number = masked(i32::from_be_bytes([*a, *b, *c, *d]).into());
                [*a, *b, *c, *d] = i32::try_from(number).unwrap_or(1).to_be_bytes();
            }
            _ => match value.as_chunks_mut::<8>() {
                ([number], []) => *number = masked(i64::from_be_bytes(*number)).to_be_bytes(),
                _ => value.fill(0),
            },
        }
    }

    fn float_bytes(&self, oid: u32, value: &mut [u8], format: Format) {
        match value.as_chunks_mut::<8>() {
            ([number], []) if oid == 701 => {
                let whole = f64::from_be_bytes(*number);
                // What an i64 cannot hold, or is none, becomes the nearest; 0 stands for all that is no card.
                let masked = match whole as i64 {
                    card if (100_000_000_000..).contains(&card.unsigned_abs()) => {
                        self.scanner.mask_whole_integer(card, format)
                    }
                    _ => 0,
                };
                *number = (masked as f64).to_be_bytes();
            }
            (numbers, []) => numbers.iter_mut().for_each(|number| *number = 1_f64.to_be_bytes()),
            _ => value.fill(0),
        }
    }

    /// Zeros, unless the whole part is of a card's length.
    fn whole_numeric(&self, value: &mut [u8], format: Format) {
        let count = usize::from(u16_at(value, 0).unwrap_or(0));
        let weight = usize::try_from(i32::from(u16_at(value, 2).unwrap_or(0).cast_signed()) + 1).unwrap_or(0);
        let Some(groups) = value.get_mut(8..) else { return value.fill(0) };
        let groups = groups.as_chunks_mut::<2>().0;
        let mut digits = [0; 20];
        let whole = digits.get_mut(..weight * 4).unwrap_or_default();
        for (digits, group) in whole.as_chunks_mut::<4>().0.iter_mut().zip(groups.iter()) {
            let group = u16::from_be_bytes(*group) % 10_000;
            *digits = [group / 1000, group / 100 % 10, group / 10 % 10, group % 10].map(|digit| digit as u8);
        }
        let length = whole.len() - whole.iter().take_while(|digit| **digit == 0).count();
        let card = (scan::PAN_DIGITS_MIN..=scan::PAN_DIGITS_MAX).contains(&length) && count >= weight;
        groups.iter_mut().for_each(|group| *group = [0, 0]);
        if card {
            self.scanner.mask_whole_digits(whole, format);
            for (group, digits) in groups.iter_mut().zip(whole.as_chunks::<4>().0) {
                *group = digits.iter().fold(0, |number, digit| number * 10 + u16::from(*digit)).to_be_bytes();
            }
        }
        // NaN and the infinities are values too.
        if let Some(sign) = value.get_mut(4..6)
            && sign != [0x40, 0]
        {
            sign.fill(0);
        }
    }

    /// Masks what an error or notice of a command that touches a label says of values: detail, hint, context; of the
    /// message its digits and all from the first quote on, and all of it where the command runs what its text does
    /// not show. Values turn up as names of relations and types too, so that no class of errors is spared; what the
    /// target says when it parses a statement is not asked for here.
    pub(crate) fn report(&self, watch: Watch, body: &mut [u8]) -> usize {
        if !watch.labels || !watch.computed {
            return 0;
        }
        let mut masked = 0;
        for field in body.split_mut(|byte| *byte == 0) {
            let Some((kind, text)) = field.split_first_mut() else { continue };
            match kind {
                b'M' if FIXED.contains(&&*text) => {}
                b'D' | b'H' | b'W' | b'q' => {
                    text.fill(HIDDEN);
                    masked += 1;
                }
                b'M' => {
                    let quote = text.iter().position(|byte| matches!(byte, b'"' | b'\'' | b'\xc2' | b'\xe2'));
                    let from = if watch.opaque { 0 } else { quote.map_or(text.len(), |at| at + 1) };
                    let quoted = !watch.opaque && text.ends_with(b"\"");
                    let end = text.len() - usize::from(quoted);
                    let (words, rest) = text.get_mut(..end).unwrap_or_default().split_at_mut(from.min(end));
                    each(words, u8::is_ascii_digit, HIDDEN);
                    rest.fill(HIDDEN);
                    masked += 1;
                }
                _ => {}
            }
        }
        masked
    }
}

/// Messages of the server that are the same whatever the values are: a job needs them to try again, or not.
const FIXED: [&[u8]; 12] = [
    b"canceling statement due to conflict with recovery",
    b"canceling statement due to lock timeout",
    b"canceling statement due to statement timeout",
    b"canceling statement due to user request",
    b"could not serialize access due to concurrent delete",
    b"could not serialize access due to concurrent update",
    b"could not serialize access due to read/write dependencies among transactions",
    b"current transaction is aborted, commands ignored until end of transaction block",
    b"deadlock detected",
    b"terminating connection due to administrator command",
    b"terminating connection due to idle-in-transaction timeout",
    b"terminating connection due to idle-session timeout",
];

/// `\x` and hexadecimal digits, or the older form with its backslashes.
fn bytea(value: &mut [u8]) {
    match value {
        [b'\\', b'x', digits @ ..] => digits.fill(b'0'),
        other => other.fill(HIDDEN),
    }
}
