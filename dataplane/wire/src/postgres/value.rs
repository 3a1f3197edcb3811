//! What kind of value a cell holds, by its type and format, and how a card number in it is masked: same length, same
//! type. What is of an unknown type is tried as everything that it could be. Leaves out where cells lie (`rows.rs`),
//! numbers (`number.rs`), where values lie inside others (`nest.rs`) and text that arrives in parts (`parts.rs`).

use super::nest::{Nest, Next};
use crate::cursor::u32_at;
use crate::limits::NESTING_MAX;
use crate::masker::Masker;
use crate::parts::Text;

/// How a cell is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Cannot hold a card number where it has this many bytes.
    Fixed(u8),
    /// Bytes of which some may be characters.
    Bytes,
    /// Characters.
    Plain,
    /// Characters among which bytea may stand in its `\x` form, and numbers in any form.
    Mixed,
    /// Text of an unknown type.
    Shown,
    /// JSON; whether its numbers may have exponents. In binary jsonb, a version byte stands before it.
    Json(bool),
    /// bytea as text.
    Bytea,
    /// A number as text: integer or decimal.
    Decimal,
    /// A floating number as text.
    FloatText,
    /// Several numbers as text: an array or a range of them, a geometric value.
    Numbers,
    MoneyText,
    BitsText,
    NibblesText,
    /// int8 and what is laid out like it.
    Integer,
    Numeric,
    /// One or more float8.
    Floats,
    Money,
    /// A bit string: its length, and its bits.
    Bits,
    /// A hardware address: bytes that are shown as their hexadecimal digits.
    Nibbles,
    Array,
    Record,
    /// A range whose bounds have this type; 0 for unknown.
    Range(u32),
    Multirange(u32),
    Hstore,
    /// tsvector and tsquery.
    Lexemes,
    Operands,
    /// A count, and int8.
    Snapshot,
    /// So many bytes, and float8.
    Path(u8),
    /// Values in the target's own form in memory, which only it can read.
    Sealed,
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
            20 | 1700 | 5069 => Self::Decimal,
            114 => Self::Json(true),
            3802 => Self::Json(false),
            701 => Self::FloatText,
            // Geometry and its arrays; arrays and ranges of numbers; statistics.
            600..=604 | 628 | 629 | 718 | 719 | 1017..=1020 | 1027 => Self::Numbers,
            271 | 1016 | 1022 | 1231 | 2277 | 3906 | 3907 | 3926 | 3927 | 4532 | 4536 => Self::Numbers,
            790 => Self::MoneyText,
            774 | 829 => Self::NibblesText,
            1560 | 1562 => Self::BitsText,
            3361 | 3402 | 4600 | 4601 | 5017 => Self::Sealed,
            // Arrays of bytea, composites, ranges, types of the database's own: anything may stand inside.
            705 | 1001 | 2249 | 2287 | 16_384.. => Self::Mixed,
            _ => Self::Plain,
        }
    }

    pub(crate) fn of_binary(oid: u32) -> Self {
        match oid {
            16 | 18 => Self::Fixed(1),
            21 => Self::Fixed(2),
            23 | 24 | 26 | 28 | 29 | 700 | 1082 | 2202..=2206 | 3734 | 3769 | 4089 | 4096 | 4191 => {
                Self::Fixed(4)
            }
            27 => Self::Fixed(6),
            1083 | 1114 | 1184 => Self::Fixed(8),
            1266 => Self::Fixed(12),
            1186 | 2950 => Self::Fixed(16),
            17 => Self::Bytes,
            // "char" aside, what is kept as its characters; xml.
            19 | 25 | 142 | 194 | 650 | 705 | 869 | 1042 | 1043 | 1790 | 2275 => Self::Plain,
            114 | 4072 => Self::Json(true),
            3802 => Self::Json(false),
            20 | 3220 | 5069 => Self::Integer,
            790 => Self::Money,
            774 | 829 => Self::Nibbles,
            701 | 600 | 601 | 603 | 628 | 718 => Self::Floats,
            602 => Self::Path(5),
            604 => Self::Path(4),
            1700 => Self::Numeric,
            1560 | 1562 => Self::Bits,
            2970 | 5038 => Self::Snapshot,
            3361 | 3402 | 4600 | 4601 | 5017 => Self::Sealed,
            3614 => Self::Lexemes,
            3615 => Self::Operands,
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
            22 | 30 | 199 | 271 | 629 | 651 | 719 | 775 | 791 | 2277 | 2287 | 2949 | 2951 | 3221 | 3643
            | 3645 => Self::Array,
            1000..=1002 | 1005..=1010 | 1014..=1022 | 1027 | 1028 | 1040 | 1041 | 1115 | 1182..=1183 => {
                Self::Array
            }
            1185 | 1187 | 1231 | 1270 | 1561 | 1563 | 3807 | 3907 | 3927 | 4073 | 5039 => Self::Array,
            _ => Self::Unknown,
        }
    }

    /// Whether a cell must be looked at even where no part of its bytes looks like a card number.
    pub(crate) fn hides(self) -> bool {
        !matches!(self, Self::Fixed(_) | Self::Bytes | Self::Plain | Self::Decimal | Self::Json(false))
    }
}

impl Masker {
    /// The same as `mask` where no number starts in the first `clean` bytes, as characters.
    pub(crate) fn mask_from(&mut self, class: Class, value: &mut [u8], clean: usize) -> usize {
        match class {
            Class::Bytes => self.text_from(value, clean),
            Class::Plain => self.text_from(value, clean) + self.misread(value),
            _ => self.mask(class, value),
        }
    }

    /// Masks a whole value in place; how many card numbers.
    pub(crate) fn mask(&mut self, class: Class, value: &mut [u8]) -> usize {
        self.nested(class, value, 0)
    }

    fn nested(&mut self, class: Class, value: &mut [u8], depth: u32) -> usize {
        match class {
            Class::Fixed(length) if value.len() == usize::from(length) => 0,
            Class::Bytes => self.text(value),
            Class::Plain => self.text(value) + self.misread(value),
            Class::Mixed | Class::Bytea | Class::Json(_) => {
                text_of(class, value).whole(self, value) + self.misread(value)
            }
            Class::Decimal => self.decimal(value).unwrap_or_else(|| self.text(value)),
            Class::FloatText => self.float_text(value).unwrap_or_else(|| self.text(value)),
            Class::Numbers => self.numbers(value),
            Class::MoneyText => self.money_text(value),
            Class::Shown => match value {
                [b'0' | b'1', .., b'0' | b'1'] => {
                    self.bits_text(value) + self.nested(Class::Mixed, value, depth)
                }
                [_, _, b':', _, _, b':', ..] => {
                    self.nibbles_text(value) + self.nested(Class::Mixed, value, depth)
                }
                _ => self.nested(Class::Mixed, value, depth),
            },
            Class::BitsText => self.bits_text(value),
            Class::NibblesText => self.nibbles_text(value),
            Class::Integer | Class::Money => match (class, value.as_chunks_mut::<8>()) {
                (Class::Money, ([number], [])) => usize::from(self.money(number)),
                (_, ([number], [])) => usize::from(self.integer(number)),
                _ => self.unknown(value, depth),
            },
            Class::Bits => self.bits(value),
            Class::Nibbles => self.nibbles(value),
            Class::Numeric => self.numeric(value).map_or_else(|| self.unknown(value, depth), usize::from),
            Class::Floats if value.len().is_multiple_of(8) => {
                value.as_chunks_mut::<8>().0.iter_mut().map(|float| usize::from(self.float(float))).sum()
            }
            Class::Sealed => {
                value.fill(b'*');
                0
            }
            Class::Unknown | Class::Fixed(_) | Class::Floats => self.unknown(value, depth),
            _ if holds(class, value) => self.inside(class, value, depth),
            _ => self.unknown(value, depth),
        }
    }

    /// Masks the values inside one that has been seen to be laid out as `class` says.
    fn inside(&mut self, class: Class, value: &mut [u8], depth: u32) -> usize {
        if depth >= NESTING_MAX {
            // What is not looked into is not shown.
            value.fill(b'*');
            return 1;
        }
        let mut masked = 0;
        each_inside(class, value, &mut |oid, inner| {
            masked += self.nested(Class::of_binary(oid), inner, depth + 1);
        });
        masked
    }

    /// A value of a type that is not known: as whatever it can be taken for.
    fn unknown(&mut self, value: &mut [u8], depth: u32) -> usize {
        const NESTS: [Class; 5] =
            [Class::Array, Class::Record, Class::Range(0), Class::Multirange(0), Class::Hstore];
        if is_text(value) {
            let class = if value.starts_with(b"{") || value.starts_with(b"[") {
                Class::Json(true)
            } else {
                Class::Mixed
            };
            return text_of(class, value).whole(self, value);
        }
        if let ([number], []) = value.as_chunks_mut::<8>()
            && (self.integer(number) || self.money(number) || self.float(number) || self.nibbles(number) > 0)
        {
            return 1;
        }
        let is_bits = u32_at(value, 0).is_some_and(|bits| bits.div_ceil(8) as usize + 4 == value.len());
        if is_bits && let masked @ 1.. = self.bits(value) {
            return masked;
        }
        if let Some(class) = NESTS.into_iter().find(|class| holds(*class, value)) {
            return self.inside(class, value, depth);
        }
        match (self.numeric(value), value.split_first_mut()) {
            (Some(true), _) => 1,
            // jsonb and others: a version before the text.
            (_, Some((1, text))) if is_text(text) => text_of(Class::Json(true), text).whole(self, text),
            _ => self.words(value) + self.loose(value),
        }
    }

    /// Masks numbers of 16 digits at most that stand behind each other, eight bytes each, behind a short head: geometry.
    /// Longer ones are not looked for: too many bytes that mean something else would be taken for them.
    fn words(&self, value: &mut [u8]) -> usize {
        const MOST: i64 = 9_999_999_999_999_999;
        let mut masked = 0;
        for head in [0, 1, 4, 5] {
            let (words, []) = value.get_mut(head..).unwrap_or_default().as_chunks_mut::<8>() else {
                continue;
            };
            for word in words {
                let float = f64::from_be_bytes(*word);
                let is_whole = float as i64 as f64 == float && float.abs() <= MOST as f64;
                let number = i64::from_be_bytes(*word).unsigned_abs() <= MOST.unsigned_abs();
                masked += usize::from(number && self.integer(word) || is_whole && self.float(word));
            }
        }
        masked
    }
}

/// The text of a cell of this class, which begins so.
pub(crate) fn text_of(class: Class, start: &[u8]) -> Text {
    match class {
        Class::Json(exponents) => Text::json(exponents),
        Class::Bytea if start.starts_with(b"\\x") => Text::hex(),
        Class::Mixed | Class::Bytea | Class::Shown => Text::mixed(),
        _ => Text::plain(),
    }
}

/// Calls `each` with the type and the bytes of every value inside one that is laid out as `class` says.
pub(crate) fn each_inside(class: Class, value: &mut [u8], each: &mut dyn FnMut(u32, &mut [u8])) {
    let Some((mut at, mut nest)) = Nest::open(class, value, value.len()) else { return };
    while let (false, Next::Item(item)) = (nest.is_done(), nest.next(value.get(at..).unwrap_or_default())) {
        let start = at + item.before;
        if let (false, Some(inner)) = (item.is_null, value.get_mut(start..start + item.length)) {
            each(item.oid, inner);
        }
        at += item.whole();
        nest.take();
    }
}

/// Whether a value is laid out to its last byte as `class` says.
pub(crate) fn holds(class: Class, value: &[u8]) -> bool {
    let Some((mut at, mut nest)) = Nest::open(class, value, value.len()) else { return false };
    while !nest.is_done() {
        match nest.next(value.get(at..).unwrap_or_default()) {
            Next::Item(item) if item.whole() <= value.len() - at => at += item.whole(),
            _ => return false,
        }
        nest.take();
    }
    at == value.len()
}

/// Whether a value of an unknown type is characters. Eight bytes are rather a number, unless they make a plain word.
fn is_text(value: &[u8]) -> bool {
    let plain = |byte: &u8| *byte >= b' ' && *byte != 0x7f || matches!(byte, b'\t' | b'\n' | b'\r');
    let wordy = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-' | b'.');
    if value.len() == 8 {
        return value.iter().all(wordy);
    }
    value.iter().all(plain) && core::str::from_utf8(value).is_ok()
}
