//! Rows: descriptions of their columns, cells masked in place. Leaves out which command they answer (`answers.rs`), what
//! a cell's bytes mean (`value.rs`), rows that arrive in parts (`long.rs`) and COPY (`copy.rs`).

use alloc::rc::Rc;
use alloc::vec::Vec;

use scan::Format;

use super::frame::HEADER_BYTES;
use super::value::Class;
use super::whole::Whole;
use crate::cursor::{Cursor, u16_at, u32_at};
use crate::limits::COLUMNS_MAX;
use crate::masker::Masker;
use crate::{Error, Side};

/// One column of a RowDescription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The relation that it is a column of, or 0; its number there.
    pub(crate) table: u32,
    pub(crate) attribute: i16,
    pub(crate) oid: u32,
    pub(crate) binary: bool,
}

/// Reads RowDescription's body into `columns`.
pub(crate) fn read_columns(body: &[u8], columns: &mut Vec<Column>) -> Result<(), Error> {
    columns.clear();
    let mut cursor = Cursor::new(Side::Server, body);
    let count = usize::from(cursor.u16("RowDescription: no count")?);
    if count > COLUMNS_MAX {
        return Err(Error::TooLarge { side: Side::Server, what: "columns of a row", most: COLUMNS_MAX });
    }
    for _ in 0..count {
        cursor.text("RowDescription: a name has no end")?;
        let table = cursor.u32("RowDescription: a column is cut short")?;
        let attribute = cursor.u16("RowDescription: a column is cut short")?.cast_signed();
        let oid = cursor.u32("RowDescription: a column is cut short")?;
        // Size, modifier.
        cursor.take(6, "RowDescription: a column is cut short")?;
        let binary = match cursor.u16("RowDescription: a column is cut short")? {
            0 => false,
            1 => true,
            _ => return Err(cursor.malformed("RowDescription: a format that is neither text nor binary")),
        };
        columns.push(Column { table, attribute, oid, binary });
    }
    cursor.end("RowDescription: bytes after the columns")
}

/// Masks the columns' names of a whole, checked RowDescription.
pub(crate) fn mask_names(masker: &Masker, message: &mut [u8]) -> usize {
    let mut masked = 0;
    let mut rest = message.get_mut(HEADER_BYTES + 2..).unwrap_or_default();
    while let Some(end) = memchr::memchr(0, rest) {
        let (name, behind) = rest.split_at_mut(end);
        masked += masker.text(name);
        rest = behind.get_mut(19..).unwrap_or_default();
    }
    masked
}

/// The result formats of a Bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Formats {
    /// All columns: binary or not.
    All(bool),
    /// One bit a column, the first lowest.
    Few { binary: u64, count: u8 },
    /// Format codes as they came.
    Many(Rc<[u8]>),
}

impl Formats {
    /// From checked format codes, two bytes each.
    pub(crate) fn new(codes: &[u8]) -> Self {
        let is_binary = |code: &[u8]| code != [0, 0];
        let few = || codes.chunks_exact(2).rev().fold(0, |bits, code| bits << 1 | u64::from(is_binary(code)));
        match codes.len() / 2 {
            0 => Self::All(false),
            1 => Self::All(is_binary(codes)),
            count @ ..=64 => Self::Few { binary: few(), count: count as u8 },
            _ => Self::Many(codes.into()),
        }
    }

    /// Of one column; one that no format is given for counts as binary, the more suspicious form.
    fn is_binary(&self, column: usize) -> bool {
        match self {
            Self::All(binary) => *binary,
            Self::Few { binary, count } => column >= usize::from(*count) || binary >> column & 1 == 1,
            Self::Many(codes) => codes.get(column * 2..column * 2 + 2) != Some(&[0, 0]),
        }
    }
}

/// How the rows of the answer under way are read.
#[derive(Default)]
pub(crate) struct Plan {
    classes: Vec<Class>,
    /// Cells that are masked whatever they hold; empty where none is.
    whole: Vec<Option<Whole>>,
    ready: bool,
    /// Some cells must be looked at even in bytes that look clean.
    hides: bool,
}

impl Plan {
    /// The next row has another description.
    pub(crate) fn reset(&mut self) {
        self.ready = false;
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready
    }

    pub(crate) fn hides(&self) -> bool {
        self.hides
    }

    /// For rows described by a RowDescription, in its own formats.
    pub(crate) fn describe(&mut self, columns: &[Column], hidden: impl Fn(&Column) -> Option<Format>) {
        self.fill(columns.iter().map(|column| Class::of(column.oid, column.binary)));
        self.hide(columns.iter().map(|column| {
            let Column { oid, binary, .. } = *column;
            hidden(column).map(|format| Whole { oid, binary, format })
        }));
    }

    /// Takes note of which cells are masked whatever they hold.
    fn hide(&mut self, whole: impl Iterator<Item = Option<Whole>>) {
        self.whole.extend(whole);
        if self.whole.iter().all(Option::is_none) {
            self.whole.clear();
        } else {
            self.hides = true;
        }
    }

    /// How the column at `index` is read.
    pub(crate) fn class(&self, index: usize) -> Class {
        self.classes.get(index).copied().unwrap_or(Class::Unknown)
    }

    /// How its cells are masked whatever they hold, if they are.
    pub(crate) fn whole(&self, column: usize) -> Option<Whole> {
        self.whole.get(column).copied().flatten()
    }

    /// For rows of a portal: types as described (if ever), formats as bound, `row` being the first. `hidden` is asked
    /// about each column; about `None` where its origin is not known.
    pub(crate) fn bind(
        &mut self,
        columns: Option<&[Column]>,
        formats: &Formats,
        row: &[u8],
        hidden: impl Fn(Option<&Column>) -> Option<Format>,
    ) {
        match columns {
            Some(columns) => {
                let all = || columns.iter().enumerate();
                self.fill(all().map(|(index, column)| Class::of(column.oid, formats.is_binary(index))));
                self.hide(all().map(|(index, column)| {
                    let (oid, binary) = (column.oid, formats.is_binary(index));
                    hidden(Some(column)).map(|format| Whole { oid, binary, format })
                }));
            }
            None => {
                let count = usize::from(u16_at(row, HEADER_BYTES).unwrap_or(0)).min(COLUMNS_MAX);
                let class = |index| if formats.is_binary(index) { Class::Unknown } else { Class::Shown };
                self.fill((0..count).map(class));
                self.hide((0..count).map(|index| {
                    let binary = formats.is_binary(index);
                    hidden(None).map(|format| Whole { oid: 0, binary, format })
                }));
            }
        }
    }

    fn fill(&mut self, classes: impl Iterator<Item = Class>) {
        self.whole.clear();
        self.classes.clear();
        self.classes.extend(classes);
        self.hides = self.classes.iter().any(|class| class.hides());
        self.ready = true;
    }

    pub(crate) fn count_is(&self, count: u16) -> Result<(), Error> {
        if usize::from(count) == self.classes.len() {
            return Ok(());
        }
        Err(Error::Malformed {
            side: Side::Server,
            offset: HEADER_BYTES,
            what: "a row with other columns than described",
        })
    }
}

/// Masks the cells of a whole DataRow; of those in its first `clean` bytes, where no part looks like the start of a card
/// number, only those that could hide one.
pub(crate) fn mask_row(
    plan: &Plan,
    masker: &mut Masker,
    row: &mut [u8],
    clean: usize,
) -> Result<usize, Error> {
    let malformed = |what| Error::Malformed { side: Side::Server, offset: HEADER_BYTES, what };
    plan.count_is(u16_at(row, HEADER_BYTES).ok_or(malformed("a row without a count"))?)?;
    let mut rest = row.get_mut(HEADER_BYTES + 2..).unwrap_or_default();
    let (mut masked, mut at) = (0, HEADER_BYTES + 2);
    for (column, class) in plan.classes.iter().enumerate() {
        let length = u32_at(rest, 0).ok_or(malformed("a row without a cell's length"))?.cast_signed();
        rest = rest.get_mut(4..).unwrap_or_default();
        at += 4;
        if length == -1 {
            continue;
        }
        let length = usize::try_from(length).map_err(|_| malformed("a cell's length is negative"))?;
        let (cell, behind) =
            rest.split_at_mut_checked(length).ok_or(malformed("a cell longer than its row"))?;
        let clean = clean.saturating_sub(at);
        at += length;
        if let Some(whole) = plan.whole(column) {
            masked += masker.whole(whole, cell);
        } else if clean < length || class.hides() {
            masked += masker.mask_from(*class, cell, clean);
        }
        rest = behind;
    }
    if !rest.is_empty() {
        return Err(malformed("a row longer than its cells"));
    }
    Ok(masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_kept_in_few_bytes() {
        assert_eq!(Formats::new(&[]), Formats::All(false));
        assert_eq!(Formats::new(&[0, 1]), Formats::All(true));
        let few = Formats::new(&[0, 1, 0, 0, 0, 1]);
        assert_eq!([0, 1, 2, 3].map(|index| few.is_binary(index)), [true, false, true, true]);
        let codes: Vec<u8> = (0..65).flat_map(|index| [0, u8::from(index == 64)]).collect();
        let many = Formats::new(&codes);
        assert_eq!([0, 63, 64, 65].map(|index| many.is_binary(index)), [false, false, true, true]);
    }

    #[test]
    fn descriptions_are_read_to_the_last_byte() {
        let body = b"\0\x01pan\0\0\0\0\x01\0\x02\0\0\0\x14\0\x08\xff\xff\xff\xff\0\x01";
        let mut columns = Vec::new();
        read_columns(body, &mut columns).unwrap();
        assert_eq!(columns, [Column { table: 1, attribute: 2, oid: 20, binary: true }]);
        for cut in 0..body.len() {
            assert!(read_columns(&body[..cut], &mut columns).is_err());
        }
        assert!(read_columns(&[body.as_slice(), b"x"].concat(), &mut columns).is_err());
        assert!(matches!(read_columns(b"\x7f\xff", &mut columns), Err(Error::TooLarge { .. })));
        assert!(read_columns(b"\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02", &mut columns).is_err());
    }
}
