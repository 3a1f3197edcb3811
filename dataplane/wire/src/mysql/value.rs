//! What kind of value a cell holds, by its column's type and the form of its row, and how a card number in it is masked:
//! same length, same type. Leaves out where cells lie (`rows.rs`) and text that arrives in parts (`parts.rs`).

use super::charset::Charset;
use super::column::{Column, kind};
use crate::hide::HIDDEN;
use crate::limits::NESTING_MAX;
use crate::masker::Masker;
use crate::parts::Text;

/// How a cell is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Cannot hold a card number.
    Small,
    /// Bytes of which some may be characters.
    Bytes,
    /// Characters.
    Plain,
    /// Characters of one byte each, of which those beyond ASCII are not known.
    Narrow,
    /// Characters of a set that the target does not tell.
    Untold,
    Json,
    /// A number as text: integer or decimal.
    Decimal,
    /// A floating number as text.
    FloatText,
    /// Eight bytes, the lowest first.
    Integer,
    Unsigned,
    Double,
    /// A bit string of at most 64 bits, the highest first.
    Bit,
    /// A reference system's number and well-known binary.
    Geometry,
}

impl Class {
    /// Of a column's cells, in a binary row or in one of text.
    pub(crate) fn of(column: &Column<'_>, binary: bool) -> Self {
        match column.kind {
            kind::DECIMAL | kind::NEWDECIMAL => Self::Decimal,
            // 32 bits have 10 digits.
            kind::TINY | kind::SHORT | kind::LONG | kind::INT24 | kind::YEAR => Self::Small,
            kind::FLOAT if binary => Self::Small,
            kind::DOUBLE if binary => Self::Double,
            kind::FLOAT | kind::DOUBLE => Self::FloatText,
            kind::LONGLONG if !binary => Self::Decimal,
            kind::LONGLONG if column.is_unsigned() => Self::Unsigned,
            kind::LONGLONG => Self::Integer,
            kind::DATE | kind::TIME | kind::DATETIME | kind::TIMESTAMP if binary => Self::Small,
            kind::BIT => Self::Bit,
            kind::JSON => Self::Json,
            kind::GEOMETRY => Self::Geometry,
            _ if column.json => Self::Json,
            _ if column.charset() == Charset::Narrow => Self::Narrow,
            _ if column.charset() == Charset::Binary => Self::Bytes,
            _ => Self::Plain,
        }
    }

    /// Whether a value has to be in hand as a whole, whatever its length.
    pub(crate) fn is_seen_at_once(self) -> bool {
        matches!(self, Self::Geometry | Self::Narrow | Self::Untold)
    }

    /// Whether a cell must be looked at even where no part of its bytes looks like a card number.
    pub(crate) fn hides(self) -> bool {
        !matches!(self, Self::Small | Self::Bytes | Self::Plain | Self::Decimal)
    }

    /// As which text a value of this class is read that arrives in parts, and begins so.
    pub(crate) fn in_parts(self, first: u8) -> Text {
        match self {
            Self::Json => Text::json(true),
            Self::Plain if opens_json(first) => Text::json(false),
            _ => Text::plain(),
        }
    }
}

/// Masks a whole value in place; how many card numbers.
pub(crate) fn mask(masker: &mut Masker, class: Class, value: &mut [u8]) -> usize {
    mask_from(masker, class, value, 0)
}

/// The same where no number starts in the first `clean` bytes, as characters.
pub(crate) fn mask_from(masker: &mut Masker, class: Class, value: &mut [u8], clean: usize) -> usize {
    match class {
        Class::Small => 0,
        Class::Bytes => masker.text_from(value, clean),
        // MariaDB's JSON is text: its numbers stay numbers.
        Class::Plain => characters(masker, value, clean) + masker.misread(value),
        Class::Narrow => characters(masker, value, 0) + narrow(masker, value),
        Class::Untold if is_told(value) => characters(masker, value, 0),
        Class::Untold => {
            value.fill(HIDDEN);
            1
        }
        Class::Json => {
            let masked = Text::json(true).whole(masker, value);
            if core::str::from_utf8(value).is_ok() { masked } else { masked + narrow(masker, value) }
        }
        Class::Decimal => masker.decimal(value).unwrap_or_else(|| masker.text(value)),
        Class::FloatText => masker.float_text(value).unwrap_or_else(|| masker.text(value)),
        Class::Integer | Class::Unsigned | Class::Double => match value.as_chunks_mut::<8>() {
            ([number], []) => usize::from(eight_bytes(masker, class, number)),
            _ => masker.text(value),
        },
        Class::Bit => bits(masker, value),
        Class::Geometry => geometry(masker, value),
    }
}

fn opens_json(first: u8) -> bool {
    matches!(first, b'{' | b'[')
}

/// MariaDB's JSON is text: its numbers stay numbers.
fn characters(masker: &Masker, value: &mut [u8], clean: usize) -> usize {
    match value.first() {
        Some(first) if opens_json(*first) => masker.scanner.mask_json(value, masker.format),
        _ => masker.text_from(value, clean),
    }
}

/// Whether text of an unknown character set is surely UTF-8: of more bytes a character there are zeros, or bytes that are
/// none of UTF-8's.
fn is_told(value: &[u8]) -> bool {
    let is_odd = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    core::str::from_utf8(value).is_ok() && !value.iter().any(is_odd)
}

/// Characters beyond ASCII may be letters, spaces, dashes, or nothing to be seen: a number is looked for whatever stands
/// beside it, as if each were a space, and as if none were there.
fn narrow(masker: &mut Masker, value: &mut [u8]) -> usize {
    if value.is_ascii() {
        return 0;
    }
    let mut masked = masker.loose(value);
    let mut shadow = core::mem::take(&mut masker.scratch);
    for gap in [Some(b' '), None] {
        let seen = |byte: &u8| if byte.is_ascii() { Some(*byte) } else { gap };
        shadow.clear();
        shadow.extend(value.iter().filter_map(seen));
        masked += characters(masker, &mut shadow, 0);
        let mut after = shadow.iter();
        for byte in value.iter_mut() {
            let Some(before) = seen(byte) else { continue };
            *byte = after.next().copied().filter(|after| *after != before).unwrap_or(*byte);
        }
    }
    masker.scratch = shadow;
    masked
}

fn eight_bytes(masker: &Masker, class: Class, number: &mut [u8; 8]) -> bool {
    let (scanner, format) = (&masker.scanner, masker.format);
    let masked = match class {
        Class::Integer => {
            scanner.mask_integer(i64::from_le_bytes(*number), format).map(|masked| masked.to_le_bytes())
        }
        Class::Unsigned => {
            scanner.mask_unsigned(u64::from_le_bytes(*number), format).map(|masked| masked.to_le_bytes())
        }
        _ => scanner.mask_double(f64::from_le_bytes(*number), format).map(|masked| masked.to_le_bytes()),
    };
    *number = masked.unwrap_or(*number);
    masked.is_some()
}

/// A number of as many bits, the highest byte first.
fn bits(masker: &Masker, value: &mut [u8]) -> usize {
    if value.len() > 8 {
        return masker.text(value);
    }
    let number = value.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    let Some(masked) = masker.unsigned(number, 8 * value.len() as u32) else { return masker.text(value) };
    value.iter_mut().rev().enumerate().for_each(|(at, byte)| *byte = (masked >> (at * 8)) as u8);
    1
}

/// Coordinates are doubles; what is not laid out as geometry is bytes.
fn geometry(masker: &Masker, value: &mut [u8]) -> usize {
    const SYSTEM_BYTES: usize = 4;
    let mut masked = 0;
    let mut rest = value.get_mut(SYSTEM_BYTES..).unwrap_or_default();
    let sound = shape(masker, &mut rest, &mut masked, 0).is_some() && rest.is_empty();
    if sound { masked } else { masked + masker.loose(value) }
}

/// Takes one shape of well-known binary (OGC 06-103r4, 8.2) from the front of `rest`.
fn shape(masker: &Masker, rest: &mut &mut [u8], masked: &mut usize, depth: u32) -> Option<()> {
    let little = match take(rest, 1)? {
        [1] => true,
        [0] => false,
        _ => return None,
    };
    let kind = word(rest, little)?;
    match kind {
        1 => points(masker, rest, 1, little, masked),
        2 => {
            let count = word(rest, little)?;
            points(masker, rest, count, little, masked)
        }
        3 => {
            for _ in 0..word(rest, little)? {
                let count = word(rest, little)?;
                points(masker, rest, count, little, masked)?;
            }
            Some(())
        }
        4..=7 if depth < NESTING_MAX => {
            for _ in 0..word(rest, little)? {
                shape(masker, rest, masked, depth + 1)?;
            }
            Some(())
        }
        _ => None,
    }
}

fn points(masker: &Masker, rest: &mut &mut [u8], count: u32, little: bool, masked: &mut usize) -> Option<()> {
    let coordinates = take(rest, usize::try_from(count).ok()?.checked_mul(16)?)?;
    for number in coordinates.as_chunks_mut::<8>().0 {
        if !little {
            number.reverse();
        }
        *masked += usize::from(eight_bytes(masker, Class::Double, number));
        if !little {
            number.reverse();
        }
    }
    Some(())
}

fn word(rest: &mut &mut [u8], little: bool) -> Option<u32> {
    let bytes = *take(rest, 4)?.first_chunk::<4>()?;
    Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
}

fn take<'a>(rest: &mut &'a mut [u8], length: usize) -> Option<&'a mut [u8]> {
    let (taken, behind) = core::mem::take(rest).split_at_mut_checked(length)?;
    *rest = behind;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const PAN: u64 = 4_111_111_111_111_111;
    const MASKED: u64 = 1_000_000_000_001_111;

    fn masker() -> Masker {
        Masker { scanner: scan::Scanner::new(), format: scan::Format::Last4, scratch: Vec::new() }
    }

    fn masked(class: Class, value: &[u8]) -> Vec<u8> {
        let mut value = value.to_vec();
        assert_eq!(mask(&mut masker(), class, &mut value), 1, "{class:?}");
        value
    }

    #[test]
    fn numbers_stay_numbers_of_their_type() {
        assert_eq!(masked(Class::Integer, &PAN.to_le_bytes()), MASKED.to_le_bytes());
        assert_eq!(masked(Class::Integer, &(PAN as i64).wrapping_neg().to_le_bytes())[7], 0xff);
        assert_eq!(masked(Class::Unsigned, &PAN.to_le_bytes()), MASKED.to_le_bytes());
        assert_eq!(masked(Class::Double, &(PAN as f64).to_le_bytes()), (MASKED as f64).to_le_bytes());
        assert_eq!(masked(Class::Bit, &PAN.to_be_bytes()), MASKED.to_be_bytes());
        assert_eq!(masked(Class::Bit, &PAN.to_be_bytes()[1..]), MASKED.to_be_bytes()[1..]);
        assert_eq!(masked(Class::Decimal, b"-4111111111111111.50"), b"-1000000000001111.50");
        assert_eq!(masked(Class::FloatText, b"4.111111111111111e15"), b"1.000000000001111e15");
    }

    #[test]
    fn coordinates_are_masked_in_every_shape() {
        let point = |number: u64| [(number as f64).to_le_bytes(), 2_f64.to_le_bytes()].concat();
        let one = |number| [b"\x01\x01\0\0\0".as_slice(), &point(number)].concat();
        let line = |number| [b"\x01\x02\0\0\0\x02\0\0\0".as_slice(), &point(1), &point(number)].concat();
        let area =
            |number| [b"\x01\x03\0\0\0\x01\0\0\0\x02\0\0\0".as_slice(), &point(1), &point(number)].concat();
        let all = |number| [b"\x01\x07\0\0\0\x02\0\0\0".as_slice(), &line(1), &area(number)].concat();
        let shapes: [&dyn Fn(u64) -> Vec<u8>; 4] = [&one, &line, &area, &all];
        for shape in shapes {
            let value = |number| [&[0; 4], shape(number).as_slice()].concat();
            assert_eq!(masked(Class::Geometry, &value(PAN)), value(MASKED));
        }
        let mut cut = [&[0; 4], line(PAN).as_slice()].concat();
        cut.truncate(20);
        assert_eq!(mask(&mut masker(), Class::Geometry, &mut cut), 0);
    }
}
