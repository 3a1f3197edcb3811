//! Rows: descriptions of their columns, cells masked in place, rows and COPY data that arrive in parts. Leaves out
//! which command they answer (`session.rs`) and what a cell's bytes mean (`value.rs`).

use alloc::rc::Rc;
use alloc::vec::Vec;

use scan::Format;

use super::frame::{HEADER_BYTES, missing};
use super::parts::{Part, Text};
use super::value::{Class, Masker, array_header};
use super::whole::{Fill, Whole};
use crate::cursor::{Cursor, u16_at, u32_at};
use crate::limits::{COLUMNS_MAX, LARGE_BYTES};
use crate::{Cleared, Error, Side, Step};

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

    fn whole(&self, column: usize) -> Option<Whole> {
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
                let class = |index| if formats.is_binary(index) { Class::Unknown } else { Class::Mixed };
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

    fn count_is(&self, count: u16) -> Result<(), Error> {
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

/// Masks the cells of a whole DataRow; where its bytes do not look `dirty`, only those that could hide a card number.
pub(crate) fn mask_row(
    plan: &Plan,
    masker: &mut Masker,
    row: &mut [u8],
    dirty: bool,
) -> Result<usize, Error> {
    let malformed = |what| Error::Malformed { side: Side::Server, offset: HEADER_BYTES, what };
    plan.count_is(u16_at(row, HEADER_BYTES).ok_or(malformed("a row without a count"))?)?;
    let mut rest = row.get_mut(HEADER_BYTES + 2..).unwrap_or_default();
    let mut masked = 0;
    for (column, class) in plan.classes.iter().enumerate() {
        let length = u32_at(rest, 0).ok_or(malformed("a row without a cell's length"))?.cast_signed();
        rest = rest.get_mut(4..).unwrap_or_default();
        if length == -1 {
            continue;
        }
        let length = usize::try_from(length).map_err(|_| malformed("a cell's length is negative"))?;
        let (cell, behind) =
            rest.split_at_mut_checked(length).ok_or(malformed("a cell longer than its row"))?;
        if let Some(whole) = plan.whole(column) {
            masked += masker.whole(whole, cell);
        } else if dirty || class.hides() {
            masked += masker.mask(*class, cell);
        }
        rest = behind;
    }
    if !rest.is_empty() {
        return Err(malformed("a row longer than its cells"));
    }
    Ok(masked)
}

/// A row or COPY data on its way in parts: bounded bytes in hand, whatever its length.
pub(crate) struct Parts {
    /// Bytes of the message that have not been released.
    left: usize,
    /// Columns (of a row) that have not begun.
    columns_left: usize,
    array: Option<Array>,
    cell: Option<Cell>,
}

/// An array whose elements are on their way.
struct Array {
    class: Class,
    /// They are masked whatever they hold.
    whole: Option<Whole>,
    left: usize,
}

/// A long value on its way.
struct Cell {
    left: usize,
    text: Text,
    /// It is masked whatever it holds.
    fill: Option<Fill>,
    /// COPY data end with a line's end, so that no number goes on in the next.
    ends_line: bool,
}

/// What one stride of [`Parts`] came to.
enum Stride {
    Released(usize),
    /// Nothing can be done before so many bytes more are in hand.
    Short(usize),
    Done,
}

fn malformed(what: &'static str) -> Error {
    Error::Malformed { side: Side::Server, offset: 0, what }
}

impl Parts {
    /// A DataRow of `length` bytes whose header and count (7 bytes) are being released.
    pub(crate) fn row(plan: &Plan, message: &[u8], length: usize) -> Result<Self, Error> {
        let count = u16_at(message, HEADER_BYTES).unwrap_or(0);
        plan.count_is(count)?;
        let left = length - HEADER_BYTES - 2;
        Ok(Self { left, columns_left: usize::from(count), array: None, cell: None })
    }

    /// CopyData of `length` bytes whose header (5 bytes) is being released.
    pub(crate) fn copy(length: usize) -> Self {
        let left = length - HEADER_BYTES;
        let cell = Some(Cell { left, text: Text::mixed(), fill: None, ends_line: true });
        Self { left, columns_left: 0, array: None, cell }
    }

    /// Whether the message has been released to its end.
    pub(crate) fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Releases what can be.
    pub(crate) fn step(
        &mut self,
        plan: &Plan,
        masker: &mut Masker,
        bytes: &mut [u8],
        masked: &mut u64,
    ) -> Result<Step, Error> {
        let mut at = 0;
        loop {
            let rest = bytes.get_mut(at..).unwrap_or_default();
            match self.stride(plan, masker, rest, masked)? {
                Stride::Released(released) => {
                    at += released;
                    self.left =
                        self.left.checked_sub(released).ok_or(malformed("a cell longer than its row"))?;
                }
                Stride::Short(more) if at == 0 => return Ok(Step::Need(missing(0, more))),
                Stride::Done if self.left > 0 => return Err(malformed("a row longer than its cells")),
                Stride::Short(_) | Stride::Done => return Ok(Step::ToClient(Cleared(at))),
            }
        }
    }

    fn stride(
        &mut self,
        plan: &Plan,
        masker: &mut Masker,
        rest: &mut [u8],
        masked: &mut u64,
    ) -> Result<Stride, Error> {
        if let Some(cell) = &mut self.cell {
            let stride = cell.stride(masker, rest, masked)?;
            let over = cell.left == 0;
            if over {
                self.cell = None;
            }
            return Ok(stride);
        }
        if self.array.as_ref().is_some_and(|array| array.left == 0) {
            self.array = None;
        }
        let (class, whole, room) = match &self.array {
            Some(array) => (array.class, array.whole, array.left),
            None if self.columns_left == 0 => return Ok(Stride::Done),
            None => {
                let index = plan.classes.len() - self.columns_left;
                (plan.classes.get(index).copied().unwrap_or(Class::Unknown), plan.whole(index), self.left)
            }
        };
        let Some(length) = u32_at(rest, 0) else { return Ok(Stride::Short(4 - rest.len())) };
        let length_is_set = length.cast_signed() != -1;
        let length = match length.cast_signed() {
            -1 => 0,
            length => usize::try_from(length).map_err(|_| malformed("a cell's length is negative"))?,
        };
        if room < 4 + length {
            return Err(malformed("a cell longer than its row"));
        }
        // The value as a whole, or enough of a long one to see what it is.
        let due = 4 + if length > LARGE_BYTES { HEAD_BYTES } else { length };
        let Some(value) = rest.get_mut(4..due) else { return Ok(Stride::Short(due - rest.len())) };
        let used = if length > LARGE_BYTES {
            self.begin(class, whole, value, length, masked)?
        } else {
            *masked += match whole {
                Some(whole) if length_is_set => masker.whole(whole, value),
                Some(_) => 0,
                None => masker.mask(class, value),
            } as u64;
            self.begun(4 + length);
            4 + length
        };
        Ok(Stride::Released(used))
    }

    /// Takes note that a value of `whole` bytes, its length included, begins.
    fn begun(&mut self, whole: usize) {
        match &mut self.array {
            Some(array) => array.left -= whole,
            None => self.columns_left -= 1,
        }
    }

    /// Begins a long value; how many bytes are released at once.
    fn begin(
        &mut self,
        class: Class,
        whole: Option<Whole>,
        head: &[u8],
        length: usize,
        masked: &mut u64,
    ) -> Result<usize, Error> {
        let text = match class {
            _ if whole.is_some_and(|whole| !whole.is_array(class)) => Text::plain(),
            Class::Mixed => Text::mixed(),
            Class::Bytea if head.starts_with(b"\\x") => Text::bytea(),
            Class::Record | Class::Multirange(_) => {
                let what = "a composite or multirange of this length in binary";
                return Err(Error::Unsupported { side: Side::Server, what });
            }
            Class::Array | Class::Unknown if self.array.is_none() => match long_array(head, length, whole) {
                Some((header, array)) => {
                    self.begun(4 + length);
                    self.array = Some(array);
                    return Ok(4 + header);
                }
                None => Text::plain(),
            },
            _ => Text::plain(),
        };
        self.begun(4 + length);
        *masked += u64::from(whole.is_some());
        self.cell = Some(Cell { left: length, text, fill: whole.map(Fill::new), ends_line: false });
        Ok(4)
    }
}

/// As many bytes as the header of an array has at most.
const HEAD_BYTES: usize = 12 + 6 * 8;

/// The header's length of what is laid out like an array, and its elements.
fn long_array(head: &[u8], length: usize, whole: Option<Whole>) -> Option<(usize, Array)> {
    let (header, oid, count) = array_header(head)?;
    let class = Class::of(oid, true);
    let possible = count > 0 && count <= length / 4 && class != Class::Unknown;
    let whole = whole.map(|whole| Whole { oid, ..whole });
    possible.then_some((header, Array { class, whole, left: length - header }))
}

impl Cell {
    fn stride(&mut self, masker: &mut Masker, rest: &mut [u8], masked: &mut u64) -> Result<Stride, Error> {
        let have = rest.len().min(self.left);
        let last = have == self.left;
        let bytes = rest.get_mut(..have).unwrap_or_default();
        if last && self.ends_line && !bytes.ends_with(b"\n") {
            return Err(Error::Unsupported {
                side: Side::Server,
                what: "COPY data that do not end with their row",
            });
        }
        let part = match &mut self.fill {
            Some(fill) => Part { released: fill.part(bytes, last), masked: 0 },
            None => self.text.part(masker, bytes, last),
        };
        *masked += part.masked as u64;
        self.left -= part.released;
        if part.released > 0 {
            return Ok(Stride::Released(part.released));
        }
        // A good deal at a time: each time, what is in hand is copied.
        Ok(Stride::Short((self.left - have).min(LARGE_BYTES / 2)))
    }
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
