//! Values that hold others in binary: arrays, composites, ranges, hstore, text search, snapshots, paths. Says where the
//! ones inside lie, of a whole value or of one that arrives in parts. Leaves out masking them (`value.rs`).

use super::value::Class;
use crate::cursor::{u16_at, u32_at};
use crate::limits::COLUMNS_MAX;

/// As many bytes as what opens a value has at most: an array's header of six dimensions.
pub(crate) const HEAD_BYTES: usize = 12 + 6 * 8;

/// PostgreSQL's bound of a lexeme.
const LEXEME_BYTES_MAX: usize = 2046;

/// Types of items.
const TEXT: u32 = 25;
const INT8: u32 = 20;
const FLOAT8: u32 = 701;

/// How the items of a value follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A length, -1 for NULL, and so many bytes.
    Sized,
    /// As before, behind the item's type.
    Typed,
    /// Text and its NUL, a count, so many positions of two bytes.
    Lexemes,
    /// Text search queries: operands with their NUL, and operators.
    Operands,
    /// Eight bytes each.
    Words,
}

/// What is inside a value from some place on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nest {
    form: Form,
    /// The items' type, where they do not say it; 0 for unknown.
    oid: u32,
    items: usize,
}

/// The next of a value's items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// Its type; 0 for unknown.
    pub(crate) oid: u32,
    pub(crate) is_null: bool,
    /// Bytes of the value's own before it, of it, and behind it.
    pub(crate) before: usize,
    pub(crate) length: usize,
    pub(crate) behind: usize,
}

/// What is known of the next item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Item(Item),
    /// To be told once so many bytes more are in hand.
    Short(usize),
    /// The bytes are not so laid out.
    Wrong,
}

impl Item {
    /// All of its bytes.
    pub(crate) fn whole(&self) -> usize {
        self.before + self.length + self.behind
    }
}

impl Nest {
    /// So many values with their lengths, of types known elsewhere.
    pub(crate) fn sized(items: usize) -> Self {
        Self { form: Form::Sized, oid: 0, items }
    }

    /// Reads what a value of `class` and `length` bytes opens with; how many bytes that is. `head`: the value, or its
    /// first [`HEAD_BYTES`]. `None` where the class holds no others, or the bytes are not so laid out.
    pub(crate) fn open(class: Class, head: &[u8], length: usize) -> Option<(usize, Self)> {
        let count = |at| usize::try_from(u32_at(head, at)?).ok();
        let nest = |form, oid, items| Self { form, oid, items };
        let opened = match class {
            Class::Array => {
                let (header, oid, items) = array_header(head)?;
                (header, nest(Form::Sized, oid, items))
            }
            Class::Record => (4, nest(Form::Typed, 0, count(0).filter(|n| *n <= COLUMNS_MAX)?)),
            Class::Range(oid) => (1, nest(Form::Sized, oid, bounds(*head.first()?)?)),
            Class::Multirange(oid) => (4, nest(Form::Sized, oid, count(0)?)),
            Class::Hstore => (4, nest(Form::Sized, TEXT, count(0)?.checked_mul(2)?)),
            Class::Lexemes => (4, nest(Form::Lexemes, TEXT, count(0)?)),
            Class::Operands => (4, nest(Form::Operands, TEXT, count(0)?)),
            Class::Snapshot => (4, nest(Form::Words, INT8, count(0)?.checked_add(2)?)),
            Class::Path(header) => {
                let floats = length.checked_sub(usize::from(header))?;
                (usize::from(header), nest(Form::Words, FLOAT8, floats / 8))
            }
            _ => return None,
        };
        let (header, inside) = opened;
        let least = match inside.form {
            Form::Sized | Form::Lexemes => 4,
            Form::Typed | Form::Words => 8,
            Form::Operands => 2,
        };
        let room = length.checked_sub(header)?;
        (header <= head.len() && inside.items <= room / least).then_some((header, inside))
    }

    /// Reads what a long value of an unknown type seems to open with; `None` where nothing fits.
    pub(crate) fn guess(head: &[u8], length: usize) -> Option<(usize, Self)> {
        [Class::Array, Class::Record, Class::Hstore, Class::Multirange(0)].into_iter().find_map(|class| {
            let (header, inside) = Self::open(class, head, length)?;
            let typed = inside.form == Form::Typed && u32_at(head, header) == Some(0);
            let Next::Item(first) = inside.next(head.get(header..)?) else { return None };
            (inside.items > 0 && !typed && first.whole() <= length - header).then_some((header, inside))
        })
    }

    /// Whether all items have been taken.
    pub(crate) fn is_done(&self) -> bool {
        self.items == 0
    }

    /// One item less.
    pub(crate) fn take(&mut self) {
        self.items = self.items.saturating_sub(1);
    }

    /// What the next item is; `rest` begins with it.
    pub(crate) fn next(&self, rest: &[u8]) -> Next {
        match self.form {
            Form::Sized => sized(self.oid, 4, rest),
            Form::Typed => sized(u32_at(rest, 0).unwrap_or(0), 8, rest),
            Form::Lexemes => lexeme(self.oid, rest),
            Form::Operands => operand(self.oid, rest),
            Form::Words => item(self.oid, 0, 8, 0),
        }
    }
}

fn item(oid: u32, before: usize, length: usize, behind: usize) -> Next {
    Next::Item(Item { oid, is_null: false, before, length, behind })
}

/// The value whose length ends at `before`.
fn sized(oid: u32, before: usize, rest: &[u8]) -> Next {
    let Some(length) = u32_at(rest, before - 4) else {
        return Next::Short(before.saturating_sub(rest.len()));
    };
    match (length.cast_signed(), usize::try_from(length)) {
        (-1, _) => Next::Item(Item { oid, is_null: true, before, length: 0, behind: 0 }),
        (0.., Ok(length)) => item(oid, before, length, 0),
        _ => Next::Wrong,
    }
}

fn lexeme(oid: u32, rest: &[u8]) -> Next {
    let Some(length) = text_length(rest) else { return unended(rest) };
    let Some(positions) = u16_at(rest, length + 1) else {
        return Next::Short((length + 3).saturating_sub(rest.len()).max(1));
    };
    item(oid, 0, length, 3 + usize::from(positions) * 2)
}

fn operand(oid: u32, rest: &[u8]) -> Next {
    const PHRASE: u8 = 4;
    match (rest.first(), rest.get(1)) {
        (Some(1), Some(_)) => match text_length(rest.get(3..).unwrap_or_default()) {
            Some(length) => item(oid, 3, length, 1),
            None => unended(rest),
        },
        (Some(2), Some(&operator)) => item(0, if operator == PHRASE { 4 } else { 2 }, 0, 0),
        (Some(1 | 2) | None, _) => Next::Short(1),
        _ => Next::Wrong,
    }
}

fn text_length(rest: &[u8]) -> Option<usize> {
    memchr::memchr(0, rest.get(..rest.len().min(LEXEME_BYTES_MAX + 1))?)
}

fn unended(rest: &[u8]) -> Next {
    if rest.len() > LEXEME_BYTES_MAX + 3 { Next::Wrong } else { Next::Short(1) }
}

/// How many bounds a range with these flags has.
fn bounds(flags: u8) -> Option<usize> {
    const EMPTY: u8 = 0x01;
    const INFINITE: [u8; 2] = [0x08, 0x10];
    if flags & !0x1f != 0 {
        return None;
    }
    let bounded = INFINITE.iter().filter(|infinite| flags & **infinite == 0).count();
    Some(if flags & EMPTY != 0 { 0 } else { bounded })
}

/// The header of a binary array: its length, its elements' type, their count.
fn array_header(bytes: &[u8]) -> Option<(usize, u32, usize)> {
    let dimensions = usize::try_from(u32_at(bytes, 0)?).ok().filter(|count| *count <= 6)?;
    if u32_at(bytes, 4)? > 1 {
        return None;
    }
    let oid = u32_at(bytes, 8)?;
    let mut count = usize::from(dimensions > 0);
    for dimension in 0..dimensions {
        count = count.checked_mul(usize::try_from(u32_at(bytes, 12 + dimension * 8)?).ok()?)?;
    }
    Some((12 + dimensions * 8, oid, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_value_opens_with_is_bounded_by_its_length() {
        assert_eq!(Nest::open(Class::Record, b"\0\0\0\x02", 11), None);
        assert!(Nest::open(Class::Record, b"\0\0\0\x01", 12).is_some());
        assert_eq!(
            Nest::open(Class::Record, b"\0\0\x07\x00", 1 << 20),
            None,
            "more columns than there can be"
        );
        assert_eq!(Nest::open(Class::Hstore, b"\xff\xff\xff\xff", 100), None);
        assert_eq!(Nest::open(Class::Range(20), b"\x80", 100), None);
        assert_eq!(Nest::open(Class::Range(20), b"\x01", 1), Some((1, Nest { oid: 20, ..Nest::sized(0) })));
        assert_eq!(Nest::open(Class::Array, b"\0\0\0\x07\0\0\0\0\0\0\0\x14", 12), None);
        assert_eq!(Nest::open(Class::Plain, b"text", 4), None);
    }

    #[test]
    fn items_wait_for_what_says_their_length() {
        let words = Nest::open(Class::Snapshot, b"\0\0\0\0", 20).unwrap().1;
        assert!(matches!(words.next(b""), Next::Item(Item { length: 8, .. })));
        let lexemes = Nest::open(Class::Lexemes, b"\0\0\0\x01", 9).unwrap().1;
        assert!(matches!(lexemes.next(b"ab"), Next::Short(_)));
        assert!(matches!(lexemes.next(b"ab\0\0"), Next::Short(1)));
        assert_eq!(lexemes.next(b"ab\0\0\x01"), item(TEXT, 0, 2, 5));
        assert_eq!(lexemes.next(&[b'a'; LEXEME_BYTES_MAX + 4]), Next::Wrong);
        let operands = Nest::open(Class::Operands, b"\0\0\0\x01", 9).unwrap().1;
        assert_eq!(operands.next(b"\x03\0"), Next::Wrong);
        assert!(matches!(operands.next(b"\x01\0\0ab"), Next::Short(_)));
    }
}
