//! What kind of value a cell holds, by its type and format, and how a card number in it is masked: same length, same
//! type. What is of an unknown type is tried as everything that it could be. Leaves out where cells lie (`rows.rs`)
//! and cells that arrive in parts (`parts.rs`).

use alloc::vec::Vec;

use scan::{Format, Scanner};

use super::parts::Text;
use crate::cursor::{u16_at, u32_at};
use crate::limits::NESTING_MAX;

/// How a cell is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Cannot hold a card number where it has this many bytes.
    Fixed(u8),
    /// Characters, or bytes of which some may be.
    Plain,
    /// Characters among which bytea may stand in its `\x` form.
    Mixed,
    /// bytea as text.
    Bytea,
    /// A number as text: integer or decimal.
    Decimal,
    /// A floating number as text.
    FloatText,
    /// Several numbers as text: an array or a range of them.
    Numbers,
    /// int8.
    Integer,
    Numeric,
    /// One or more float8.
    Floats,
    Array,
    Record,
    /// A range whose bounds have this type.
    Range(u32),
    Multirange(u32),
    Unknown,
}

impl Class {
    /// Of a value of type `oid` in text or binary format.
    pub(crate) fn of(oid: u32, binary: bool) -> Self {
        if binary { Self::of_binary(oid) } else { Self::of_text(oid) }
    }

    fn of_text(oid: u32) -> Self {
        match oid {
            17 => Self::Bytea,
            20 | 1700 => Self::Decimal,
            701 => Self::FloatText,
            1016 | 1022 | 1231 | 3906 | 3926 | 4532 | 4536 => Self::Numbers,
            // Arrays of bytea, composites, ranges, types of the database's own: bytea may stand inside.
            1001 | 2249 | 2287 | 16_384.. => Self::Mixed,
            _ => Self::Plain,
        }
    }

    pub(crate) fn of_binary(oid: u32) -> Self {
        match oid {
            16 | 18 => Self::Fixed(1),
            21 => Self::Fixed(2),
            23 | 24 | 26 | 28 | 29 | 700 | 1082 | 2202..=2206 | 4089 | 4096 => Self::Fixed(4),
            27 | 829 => Self::Fixed(6),
            774 | 1083 | 1114 | 1184 | 3220 => Self::Fixed(8),
            1266 => Self::Fixed(12),
            1186 | 2950 => Self::Fixed(16),
            // "char" aside, what is kept as its characters; bytea, json, jsonb (a version byte before the text), xml.
            17 | 19 | 25 | 114 | 142 | 650 | 705 | 869 | 1042 | 1043 | 2275 | 3614 | 3802 | 4072 => {
                Self::Plain
            }
            20 | 790 => Self::Integer,
            701 | 600 | 601 | 603 | 628 | 718 => Self::Floats,
            1700 => Self::Numeric,
            2249 => Self::Record,
            3904 => Self::Range(23),
            3906 => Self::Range(1700),
            3908 => Self::Range(1114),
            3910 => Self::Range(1184),
            3912 => Self::Range(1082),
            3926 => Self::Range(20),
            4451 => Self::Multirange(3904),
            4532 => Self::Multirange(3906),
            4536 => Self::Multirange(3926),
            199
            | 1000..=1002
            | 1005..=1009
            | 1014..=1016
            | 1021
            | 1022
            | 1028
            | 1115
            | 1185
            | 1231
            | 2951
            | 3807 => Self::Array,
            _ => Self::Unknown,
        }
    }

    /// Whether a cell must be looked at even where no part of its bytes looks like a card number.
    pub(crate) fn hides(self) -> bool {
        !matches!(self, Self::Fixed(_) | Self::Plain | Self::Decimal)
    }
}

/// Masks values.
pub(crate) struct Masker {
    pub(crate) scanner: Scanner,
    pub(crate) format: Format,
    pub(crate) scratch: Vec<u8>,
}

impl Masker {
    /// Masks a whole value in place; how many card numbers.
    pub(crate) fn mask(&mut self, class: Class, value: &mut [u8]) -> usize {
        self.nested(class, value, 0)
    }

    /// Masks text in place; how many card numbers.
    pub(crate) fn text(&self, value: &mut [u8]) -> usize {
        self.scanner.mask(value, self.format)
    }

    fn nested(&mut self, class: Class, value: &mut [u8], depth: u32) -> usize {
        match class {
            Class::Fixed(length) if value.len() == usize::from(length) => 0,
            Class::Plain => self.text(value),
            Class::Mixed => Text::mixed().whole(self, value),
            Class::Bytea if value.starts_with(b"\\x") => Text::bytea().whole(self, value),
            Class::Bytea => self.text(value),
            Class::Decimal => self.decimal(value).unwrap_or_else(|| self.text(value)),
            Class::FloatText => self.float_text(value).unwrap_or_else(|| self.text(value)),
            Class::Numbers => self.numbers(value),
            Class::Integer => match value.as_chunks_mut::<8>() {
                ([number], []) => usize::from(self.integer(number)),
                _ => self.unknown(value, depth),
            },
            Class::Numeric => self.numeric(value).map_or_else(|| self.unknown(value, depth), usize::from),
            Class::Floats if value.len().is_multiple_of(8) => {
                value.as_chunks_mut::<8>().0.iter_mut().map(|float| usize::from(self.float(float))).sum()
            }
            Class::Array => self.structured(value, depth, array),
            Class::Record => self.structured(value, depth, record),
            Class::Range(oid) => self.structured(value, depth, |bytes, each| range(bytes, oid, each)),
            Class::Multirange(oid) => {
                self.structured(value, depth, |bytes, each| multirange(bytes, oid, each))
            }
            Class::Unknown | Class::Fixed(_) | Class::Floats => self.unknown(value, depth),
        }
    }

    /// Masks the values inside one that `walk` takes apart; as unknown where it cannot.
    fn structured(
        &mut self,
        value: &mut [u8],
        depth: u32,
        walk: impl Fn(&mut [u8], &mut Each<'_>) -> Option<()>,
    ) -> usize {
        if depth >= NESTING_MAX || walk(value, &mut |_, _| ()).is_none() {
            return self.unknown(value, NESTING_MAX);
        }
        let mut masked = 0;
        walk(value, &mut |oid, inner| masked += self.nested(Class::of_binary(oid), inner, depth + 1));
        masked
    }

    /// A value of a type that is not known: as whatever it can be taken for.
    fn unknown(&mut self, value: &mut [u8], depth: u32) -> usize {
        if depth < NESTING_MAX {
            for walk in [array as fn(&mut [u8], &mut Each<'_>) -> Option<()>, record] {
                if walk(value, &mut |_, _| ()).is_some() {
                    return self.structured(value, depth, walk);
                }
            }
        }
        if let ([number], []) = value.as_chunks_mut::<8>()
            && (self.integer(number) || self.float(number))
        {
            return 1;
        }
        match self.numeric(value) {
            Some(true) => 1,
            _ => self.text(value),
        }
    }

    fn integer(&self, bytes: &mut [u8; 8]) -> bool {
        let Some(masked) = self.scanner.mask_integer(i64::from_be_bytes(*bytes), self.format) else {
            return false;
        };
        *bytes = masked.to_be_bytes();
        true
    }

    fn float(&self, bytes: &mut [u8; 8]) -> bool {
        let value = f64::from_be_bytes(*bytes);
        // The whole part; what an i64 cannot hold has more digits than a card number.
        let Some(masked) = self.scanner.mask_integer(value as i64, self.format) else { return false };
        *bytes = (masked as f64).to_be_bytes();
        true
    }

    /// `[-]digits[.digits]`; `None` where it is not so written.
    fn decimal(&self, value: &mut [u8]) -> Option<usize> {
        let number = value.strip_prefix(b"-").map_or(0, |_| 1)..;
        let number = value.get_mut(number)?;
        let whole = number.iter().position(|byte| *byte == b'.').unwrap_or(number.len());
        let plain = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
        if !plain(number.get(..whole)?) || !plain(number.get(whole..)?.strip_prefix(b".").unwrap_or_default())
        {
            return None;
        }
        let whole = number.get_mut(..whole)?;
        whole.iter_mut().for_each(|digit| *digit -= b'0');
        let masked = self.scanner.mask_digits(whole, self.format);
        whole.iter_mut().for_each(|digit| *digit += b'0');
        Some(usize::from(masked))
    }

    /// As [`Masker::decimal`], with an exponent: `4.11e+15`.
    fn float_text(&self, value: &mut [u8]) -> Option<usize> {
        let Some(exponent_at) = value.iter().position(|byte| matches!(byte, b'e' | b'E')) else {
            return self.decimal(value);
        };
        let (mantissa, exponent) = value.split_at_mut_checked(exponent_at)?;
        let exponent = core::str::from_utf8(exponent.get(1..)?).ok()?;
        let exponent: usize = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
        let mut digits = [0; scan::PAN_DIGITS_MAX];
        let whole = digits.get_mut(..=exponent)?;
        let characters = mantissa.iter().filter(|byte| **byte != b'-' && **byte != b'.');
        for (place, byte) in characters.enumerate() {
            if !byte.is_ascii_digit() {
                return None;
            }
            if let Some(digit) = whole.get_mut(place) {
                *digit = byte - b'0';
            }
        }
        if !self.scanner.mask_digits(whole, self.format) {
            return Some(0);
        }
        let places = mantissa.iter_mut().filter(|byte| byte.is_ascii_digit());
        places.zip(whole.iter()).for_each(|(place, digit)| *place = digit + b'0');
        Some(1)
    }

    /// Numbers between other signs; what is left is text.
    fn numbers(&self, value: &mut [u8]) -> usize {
        let is_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-' | b'e' | b'E');
        let parts = value.chunk_by_mut(|one, next| is_number(one) == is_number(next));
        let masked: usize = parts.map(|part| self.float_text(part).unwrap_or(0)).sum();
        masked + self.text(value)
    }

    /// numeric: count, weight, sign, scale, then digits in base 10,000. `None` where it is not so laid out.
    fn numeric(&self, value: &mut [u8]) -> Option<bool> {
        let count = usize::from(u16_at(value, 0)?);
        let weight = u16_at(value, 2)?.cast_signed();
        if value.len() != 8 + count * 2 || !matches!(u16_at(value, 4)?, 0 | 0x4000 | 0xc000 | 0xd000 | 0xf000)
        {
            return None;
        }
        let groups = value.get_mut(8..)?.as_chunks_mut::<2>().0;
        if groups.iter().any(|group| u16::from_be_bytes(*group) >= 10_000) {
            return None;
        }
        // 19 digits take five groups, or six of which the first is padded.
        let Some(whole) = usize::try_from(weight).ok().map(|weight| weight + 1).filter(|groups| *groups <= 5)
        else {
            return Some(false);
        };
        let mut digits = [0; 20];
        let whole = digits.get_mut(..whole * 4)?;
        for (digits, group) in whole.as_chunks_mut::<4>().0.iter_mut().zip(groups.iter()) {
            let group = u16::from_be_bytes(*group);
            *digits = [group / 1000, group / 100 % 10, group / 10 % 10, group % 10].map(|digit| digit as u8);
        }
        if !self.scanner.mask_digits(whole, self.format) {
            return Some(false);
        }
        let masked = whole.as_chunks::<4>().0;
        for (group, digits) in groups.iter_mut().zip(masked) {
            *group = digits.iter().fold(0, |number, digit| number * 10 + u16::from(*digit)).to_be_bytes();
        }
        if let Some(last) = groups.last_mut()
            && masked.get(count..).is_some_and(|lost| lost.iter().flatten().any(|digit| *digit != 0))
        {
            // The mask has digits where the value had none to store: hide all but the first digit.
            *last = [0, 0];
        }
        Some(true)
    }
}

/// What a walk calls for each value inside: its type, its bytes.
pub(crate) type Each<'a> = dyn FnMut(u32, &mut [u8]) + 'a;

/// Splits off a length and so many bytes; `None` inside: NULL.
fn take_value<'a>(bytes: &mut &'a mut [u8]) -> Option<Option<&'a mut [u8]>> {
    let length = u32_at(bytes, 0)?.cast_signed();
    let rest = core::mem::take(bytes).get_mut(4..)?;
    if length == -1 {
        *bytes = rest;
        return Some(None);
    }
    let (value, rest) = rest.split_at_mut_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(Some(value))
}

/// The header of a binary array: its length, its elements' type, their count.
pub(crate) fn array_header(bytes: &[u8]) -> Option<(usize, u32, usize)> {
    let dimensions = usize::try_from(u32_at(bytes, 0)?).ok().filter(|count| *count <= 6)?;
    if u32_at(bytes, 4)? > 1 {
        return None;
    }
    let oid = u32_at(bytes, 8)?;
    let mut count = usize::from(dimensions > 0);
    for dimension in 0..dimensions {
        count = count.checked_mul(usize::try_from(u32_at(bytes, 12 + dimension * 8)?).ok()?)?;
    }
    let header = 12 + dimensions * 8;
    (bytes.len() >= header).then_some((header, oid, count))
}

pub(crate) fn array(bytes: &mut [u8], each: &mut Each<'_>) -> Option<()> {
    let (header, oid, count) = array_header(bytes)?;
    let mut rest = bytes.get_mut(header..)?;
    if count > rest.len() / 4 {
        return None;
    }
    for _ in 0..count {
        if let Some(value) = take_value(&mut rest)? {
            each(oid, value);
        }
    }
    rest.is_empty().then_some(())
}

pub(crate) fn record(bytes: &mut [u8], each: &mut Each<'_>) -> Option<()> {
    let count = u32_at(bytes, 0)?;
    let mut rest = bytes.get_mut(4..)?;
    if usize::try_from(count).ok()? > rest.len() / 8 {
        return None;
    }
    for _ in 0..count {
        let oid = u32_at(rest, 0)?;
        rest = rest.get_mut(4..)?;
        if let Some(value) = take_value(&mut rest)? {
            each(oid, value);
        }
    }
    rest.is_empty().then_some(())
}

pub(crate) fn range(bytes: &mut [u8], oid: u32, each: &mut Each<'_>) -> Option<()> {
    const EMPTY: u8 = 0x01;
    let (flags, mut rest) = bytes.split_first_mut()?;
    for infinite in [0x08, 0x10] {
        if *flags & (EMPTY | infinite) == 0
            && let Some(value) = take_value(&mut rest)?
        {
            each(oid, value);
        }
    }
    rest.is_empty().then_some(())
}

pub(crate) fn multirange(bytes: &mut [u8], oid: u32, each: &mut Each<'_>) -> Option<()> {
    let count = u32_at(bytes, 0)?;
    let mut rest = bytes.get_mut(4..)?;
    for _ in 0..count {
        let value = take_value(&mut rest)??;
        each(oid, value);
    }
    rest.is_empty().then_some(())
}
