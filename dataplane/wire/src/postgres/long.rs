//! Rows that are longer than is kept in hand: passed on in parts, values inside values as deep as they are masked, with
//! bounded bytes in hand whatever the length. Leaves out what values are (`value.rs`) and text in parts (`parts.rs`).

use alloc::vec::Vec;

use super::frame::{HEADER_BYTES, missing};
use super::nest::{HEAD_BYTES, Item, Nest, Next};
use super::rows::Plan;
use super::value::{Class, text_of};
use super::whole::{Fill, Whole};
use crate::cursor::u16_at;
use crate::limits::{LARGE_BYTES, NESTING_MAX};
use crate::masker::Masker;
use crate::parts::{Part, Text};
use crate::{Cleared, Error, Side, Step};

/// A row on its way in parts, or a tuple of binary COPY, whose length nobody knows.
pub(crate) struct Long {
    /// Bytes of the message that have not been released.
    left: usize,
    columns: usize,
    /// Columns that have not begun.
    columns_left: usize,
    /// Values whose insides are on their way, the innermost last. Long values alone are taken apart so: an allocation
    /// for each level of these is none for a row of the common kind.
    nests: Vec<Level>,
    cell: Option<Cell>,
}

struct Level {
    nest: Nest,
    /// Its items are masked whatever they hold.
    whole: Option<Whole>,
    left: usize,
}

/// A long value on its way.
struct Cell {
    left: usize,
    text: Text,
    /// It is masked whatever it holds.
    fill: Option<Fill>,
}

/// What one stride came to.
pub(crate) enum Stride {
    Released(usize),
    /// Nothing can be done before so many bytes more are in hand.
    Short(usize),
    Done,
}

fn malformed(what: &'static str) -> Error {
    Error::Malformed { side: Side::Server, offset: 0, what }
}

impl Long {
    /// A DataRow of `length` bytes whose header and count (7 bytes) are being released.
    pub(crate) fn row(plan: &Plan, message: &[u8], length: usize) -> Result<Self, Error> {
        let count = u16_at(message, HEADER_BYTES).unwrap_or(0);
        plan.count_is(count)?;
        Ok(Self::fields(usize::from(count), length - HEADER_BYTES - 2))
    }

    /// So many fields of binary COPY, in as many bytes as they take.
    pub(crate) fn tuple(count: usize) -> Self {
        Self::fields(count, usize::MAX)
    }

    fn fields(count: usize, left: usize) -> Self {
        Self { left, columns: count, columns_left: count, nests: Vec::new(), cell: None }
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
                Stride::Released(released) => at += released,
                Stride::Short(more) if at == 0 => return Ok(Step::Need(missing(0, more))),
                Stride::Done if self.left > 0 => return Err(malformed("a row longer than its cells")),
                Stride::Short(_) | Stride::Done => return Ok(Step::ToClient(Cleared(at))),
            }
        }
    }

    /// Releases the next value, or some of it.
    pub(crate) fn stride(
        &mut self,
        plan: &Plan,
        masker: &mut Masker,
        rest: &mut [u8],
        masked: &mut u64,
    ) -> Result<Stride, Error> {
        let stride = match &mut self.cell {
            Some(cell) => {
                let stride = cell.stride(masker, rest, masked);
                self.cell.take_if(|cell| cell.left == 0);
                stride
            }
            None => self.value(plan, masker, rest, masked)?,
        };
        if let Stride::Released(released) = stride {
            self.left = self.left.checked_sub(released).ok_or(malformed("a cell longer than its row"))?;
        }
        Ok(stride)
    }

    /// Takes the value that begins here: as a whole, or what a long one opens with.
    fn value(
        &mut self,
        plan: &Plan,
        masker: &mut Masker,
        rest: &mut [u8],
        masked: &mut u64,
    ) -> Result<Stride, Error> {
        self.close_nests()?;
        let column = self.columns - self.columns_left;
        let (next, room) = match self.nests.last() {
            Some(level) => (level.nest.next(rest), level.left),
            None if self.columns_left == 0 => return Ok(Stride::Done),
            None => (Nest::sized(1).next(rest), self.left),
        };
        let item = match next {
            Next::Item(item) => item,
            Next::Short(_) if room <= rest.len() => {
                return Err(malformed("a value longer than what holds it"));
            }
            Next::Short(more) => return Ok(Stride::Short(more)),
            Next::Wrong => {
                return Err(malformed("a value's length is negative, or it is not laid out as its type"));
            }
        };
        if room < item.whole() {
            return Err(malformed("a cell longer than its row"));
        }
        let (class, whole) = match self.nests.last() {
            Some(level) => {
                (Class::of_binary(item.oid), level.whole.map(|whole| Whole { oid: item.oid, ..whole }))
            }
            None => (plan.class(column), plan.whole(column)),
        };
        // The value as a whole, or enough of a long one to see what it is.
        let large = item.length > LARGE_BYTES;
        let due = if large { item.before + HEAD_BYTES } else { item.whole() };
        if rest.len() < due {
            return Ok(Stride::Short(due - rest.len()));
        }
        if large {
            let head = rest.get(item.before..due).unwrap_or_default();
            *masked += u64::from(whole.is_some());
            return self.begin(item, (class, whole), head).map(Stride::Released);
        }
        if let (false, Some(value)) = (item.is_null, rest.get_mut(item.before..item.before + item.length)) {
            *masked += match whole {
                Some(whole) => masker.whole(whole, value),
                None => masker.mask(class, value),
            } as u64;
        }
        self.begun(item);
        Ok(Stride::Released(due))
    }

    /// Leaves the values whose items have all come.
    fn close_nests(&mut self) -> Result<(), Error> {
        while let Some(level) = self.nests.pop_if(|level| level.nest.is_done()) {
            if level.left > 0 {
                return Err(malformed("a value longer than what is in it"));
            }
        }
        Ok(())
    }

    /// Takes note that an item begins.
    fn begun(&mut self, item: Item) {
        match self.nests.last_mut() {
            Some(level) => {
                level.left -= item.whole();
                level.nest.take();
            }
            None => self.columns_left -= 1,
        }
    }

    /// Begins a long value; how many bytes are released at once.
    fn begin(&mut self, item: Item, how: (Class, Option<Whole>), head: &[u8]) -> Result<usize, Error> {
        self.begun(item);
        let (class, whole) = how;
        let opened = match class {
            // Masked whole, it is taken apart where it is sure to be laid out so.
            Class::Unknown if whole.is_some() => None,
            Class::Unknown => Nest::guess(head, item.length),
            class => Nest::open(class, head, item.length),
        };
        if class == Class::Sealed || opened.is_some() && self.nests.len() >= NESTING_MAX as usize {
            let what = "a value this long of a type that only the target can read, or this deep in others";
            return Err(Error::Unsupported { side: Side::Server, what });
        }
        if let Some((header, nest)) = opened {
            self.nests.push(Level { nest, whole, left: item.length - header });
            return Ok(item.before + header);
        }
        let (text, fill) = (text_of(class, head), whole.map(Fill::new));
        self.cell = Some(Cell { left: item.length, text, fill });
        Ok(item.before)
    }
}

impl Cell {
    fn stride(&mut self, masker: &mut Masker, rest: &mut [u8], masked: &mut u64) -> Stride {
        let have = rest.len().min(self.left);
        let (bytes, last) = (rest.get_mut(..have).unwrap_or_default(), have == self.left);
        let part = match &mut self.fill {
            Some(fill) => Part { released: fill.part(bytes, last), masked: 0 },
            None => self.text.part(masker, bytes, last),
        };
        *masked += part.masked as u64;
        self.left -= part.released;
        if part.released > 0 {
            return Stride::Released(part.released);
        }
        // A good deal at a time: each time, what is in hand is copied.
        Stride::Short((self.left - have).min(LARGE_BYTES / 2))
    }
}
