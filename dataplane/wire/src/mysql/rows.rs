//! Rows: how their cells are read, cells masked in place. Leaves out which command they answer (`answers.rs`), what a
//! cell's bytes mean (`value.rs`) and rows that arrive in parts (`long.rs`).

use alloc::vec::Vec;

use super::column::{Column, kind};
use super::value::{self, Class};
use super::whole::{self, Whole};
use crate::masker::Masker;
use crate::{Error, Side};

/// How many bytes a cell of a binary row has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Fixed(u8),
    /// A byte says how many.
    Counted,
    /// A length-encoded integer does.
    Encoded,
}

impl Width {
    fn of(column: &Column<'_>, binary: bool) -> Self {
        match column.kind {
            _ if !binary => Self::Encoded,
            kind::NULL => Self::Fixed(0),
            kind::TINY => Self::Fixed(1),
            kind::SHORT | kind::YEAR => Self::Fixed(2),
            kind::LONG | kind::INT24 | kind::FLOAT => Self::Fixed(4),
            kind::LONGLONG | kind::DOUBLE => Self::Fixed(8),
            kind::DATE | kind::TIME | kind::DATETIME | kind::TIMESTAMP => Self::Counted,
            _ => Self::Encoded,
        }
    }
}

/// How the cells of a column are read.
#[derive(Clone, Copy)]
pub(crate) struct Cells {
    pub(crate) class: Class,
    pub(crate) width: Width,
    /// They are masked whatever they hold.
    pub(crate) whole: Option<Whole>,
}

/// How the rows of the answer under way are read.
#[derive(Clone, Default)]
pub(crate) struct Plan {
    pub(crate) columns: Vec<Cells>,
    pub(crate) binary: bool,
    /// Some cells must be looked at even in bytes that look clean.
    hides: bool,
}

impl Plan {
    /// No columns yet.
    pub(crate) fn begin(&mut self, binary: bool) {
        self.columns.clear();
        self.binary = binary;
        self.hides = false;
    }

    /// Adds a column. `untold`: the target does not tell of which characters its strings are.
    pub(crate) fn push(&mut self, column: &Column<'_>, whole: Option<Whole>, untold: bool) {
        let class = if untold && column.is_string() { Class::Untold } else { Class::of(column, self.binary) };
        self.hides |= class.hides() || whole.is_some();
        self.columns.push(Cells { class, width: Width::of(column, self.binary), whole });
    }

    /// Becomes another: without an allocation, once as many columns have been read.
    pub(crate) fn copy(&mut self, other: &Self) {
        self.columns.clone_from(&other.columns);
        (self.binary, self.hides) = (other.binary, other.hides);
    }

    pub(crate) fn hides(&self) -> bool {
        self.hides
    }

    /// Bytes that its columns take.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.columns.as_slice())
    }

    /// Bytes of the map of NULLs in a binary row.
    pub(crate) fn nulls_bytes(&self) -> usize {
        (self.columns.len() + 9) / 8
    }
}

/// Whether the cell of this column is NULL in a binary row.
pub(crate) fn is_null(nulls: &[u8], column: usize) -> bool {
    nulls.get((column + 2) / 8).is_some_and(|byte| byte >> ((column + 2) % 8) & 1 == 1)
}

/// Where a cell begins in `rest`, and how long it is; a text row's NULL has no length. `None`: not enough bytes.
pub(crate) fn cell(rest: &[u8], width: Width) -> Option<(usize, Option<u64>)> {
    let first = match width {
        Width::Fixed(length) => return Some((0, Some(length.into()))),
        _ => *rest.first()?,
    };
    let (bytes, length) = match (width, first) {
        (Width::Counted, length) => return Some((1, Some(length.into()))),
        (_, 0xfb) => return Some((1, None)),
        (_, 0xfc) => (3, rest.get(1..3)?),
        (_, 0xfd) => (4, rest.get(1..4)?),
        (_, 0xfe) => (9, rest.get(1..9)?),
        // 0xff stands for no length: one that no row has room for.
        (_, 0xff) => return Some((1, Some(u64::MAX))),
        (_, length) => return Some((1, Some(length.into()))),
    };
    Some((bytes, Some(length.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))))
}

/// The most bytes that stand before a cell.
pub(crate) const CELL_HEAD_BYTES: usize = 9;

/// Masks the cells of a whole row; of those in its first `clean` bytes, where no part looks like the start of a card number,
/// only those that could hide one.
pub(crate) fn mask_row(
    plan: &Plan,
    masker: &mut Masker,
    row: &mut [u8],
    clean: usize,
) -> Result<usize, Error> {
    let malformed = |what| Error::Malformed { side: Side::Server, offset: 0, what };
    let all = row.len();
    let (nulls, mut rest) = if plan.binary {
        let (head, rest) = row
            .split_at_mut_checked(1 + plan.nulls_bytes())
            .ok_or(malformed("a row shorter than its head"))?;
        match head.split_first_mut() {
            Some((0, nulls)) => (&*nulls, rest),
            _ => return Err(malformed("a binary row that does not begin as one")),
        }
    } else {
        (&[][..], row)
    };
    let (mut masked, mut at) = (0, all - rest.len());
    for (index, cells) in plan.columns.iter().enumerate() {
        if plan.binary && is_null(nulls, index) {
            continue;
        }
        let (before, length) = cell(rest, cells.width).ok_or(malformed("a row shorter than its columns"))?;
        let (_, tail) =
            rest.split_at_mut_checked(before).ok_or(malformed("a row shorter than its columns"))?;
        let length = usize::try_from(length.unwrap_or(0)).ok();
        let (value, behind) = length
            .and_then(|length| tail.split_at_mut_checked(length))
            .ok_or(malformed("a cell longer than its row"))?;
        at += before;
        let clean = clean.saturating_sub(at);
        at += value.len();
        masked += match cells.whole {
            // NULL, or empty.
            _ if value.is_empty() => 0,
            Some(whole) => whole::hide(masker, whole, plan.binary, value),
            None if clean < value.len() || cells.class.hides() => {
                value::mask_from(masker, cells.class, value, clean)
            }
            None => 0,
        };
        rest = behind;
    }
    if rest.is_empty() { Ok(masked) } else { Err(malformed("a row longer than its cells")) }
}
