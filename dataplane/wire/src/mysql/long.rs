//! Rows that are longer than is kept in hand: passed on in parts, across the packets that they are spread over, with
//! bounded bytes in hand whatever the length. Leaves out what values are (`value.rs`) and text in parts (`parts.rs`).

use alloc::vec::Vec;

use super::frame::{self, Frame, HEADER_BYTES, missing};
use super::rows::{CELL_HEAD_BYTES, Cells, Plan, cell, is_null};
use super::value;
use super::whole::{self, Fill};
use crate::limits::{LARGE_BYTES, SERVER_MESSAGE_BYTES_MAX};
use crate::masker::Masker;
use crate::parts::Text;
use crate::{Cleared, Error, Side, Step};

/// So much of a value is looked at together behind the end of a packet: more than text ever keeps back.
const SEAM_BYTES: usize = LARGE_BYTES / 2;

/// A row on its way in parts.
pub(crate) struct Long {
    /// Bytes of the packet under way that have not been released.
    packet_left: usize,
    /// Another packet follows.
    continues: bool,
    /// That packet's number, and by how much the client's numbers are ahead.
    sequence: u8,
    lead: u8,
    column: usize,
    /// The map of NULLs of a binary row, once it has come.
    nulls: Option<Vec<u8>>,
    cell: Option<Cell>,
    /// Where bytes before and behind a header stand together.
    scratch: Vec<u8>,
    done: bool,
}

/// A long value on its way.
struct Cell {
    left: usize,
    text: Text,
    /// It is masked whatever it holds.
    fill: Option<Fill>,
}

/// What one stride came to.
enum Stride {
    Released(usize),
    /// Nothing can be done before so many bytes are in hand.
    Short(usize),
    Done,
}

fn malformed(what: &'static str) -> Error {
    Error::Malformed { side: Side::Server, offset: 0, what }
}

impl Long {
    /// The row whose first packet has this header, which is being released.
    pub(crate) fn new(frame: Frame, lead: u8) -> Self {
        Self {
            packet_left: frame.payload,
            continues: frame.continues(),
            sequence: frame.sequence.wrapping_add(1),
            lead,
            column: 0,
            nulls: None,
            cell: None,
            scratch: Vec::new(),
            done: false,
        }
    }

    /// Once the row has been released to its end: the number of the packet behind it.
    pub(crate) fn end(&self) -> Option<u8> {
        self.done.then_some(self.sequence)
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
            let have = rest.len();
            match self.stride(plan, masker, rest, masked)? {
                Stride::Released(released) => at += released,
                Stride::Short(due) if at == 0 => return Ok(Step::Need(missing(have, due))),
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
        if self.done {
            return Ok(Stride::Done);
        }
        if plan.binary && self.nulls.is_none() {
            return self.head(plan, rest);
        }
        if let Some(cell) = self.cell.take() {
            return self.go_on(cell, masker, rest, masked);
        }
        while self.nulls.as_ref().is_some_and(|nulls| is_null(nulls, self.column)) {
            self.column += 1;
        }
        match plan.columns.get(self.column) {
            Some(cells) => self.value(cells, plan.binary, masker, rest, masked),
            None => self.close(rest),
        }
    }

    /// The packet behind the one under way, if its header is in hand.
    fn next_frame(&self, rest: &[u8]) -> Result<Option<Frame>, Error> {
        if !self.continues {
            return Err(malformed("a cell longer than its row"));
        }
        let Some(frame) = frame::peek(rest.get(self.packet_left..).unwrap_or_default()) else {
            return Ok(None);
        };
        if frame.sequence != self.sequence {
            return Err(malformed("a packet out of sequence"));
        }
        Ok(Some(frame))
    }

    /// Does something with the next `length` bytes of the row, which need not lie together; `Err`: how many bytes must be
    /// in hand for it.
    fn together<T>(
        &mut self,
        rest: &mut [u8],
        length: usize,
        with: impl FnOnce(&mut [u8]) -> T,
    ) -> Result<Result<T, usize>, Error> {
        if length <= self.packet_left {
            return Ok(rest.get_mut(..length).map(with).ok_or(length));
        }
        let due = length + HEADER_BYTES;
        let Some(frame) = self.next_frame(rest)? else {
            return Ok(Err(self.packet_left + HEADER_BYTES));
        };
        if frame.payload < length - self.packet_left {
            return Err(malformed("a cell longer than its row"));
        }
        let Some((before, behind)) = rest
            .get_mut(..due)
            .and_then(|bytes| bytes.split_at_mut_checked(self.packet_left))
            .and_then(|(before, behind)| Some((before, behind.get_mut(HEADER_BYTES..)?)))
        else {
            return Ok(Err(due));
        };
        self.scratch.clear();
        self.scratch.extend_from_slice(before);
        self.scratch.extend_from_slice(behind);
        let result = with(&mut self.scratch);
        if let Some((first, second)) = self.scratch.split_at_checked(before.len()) {
            before.copy_from_slice(first);
            behind.copy_from_slice(second);
        }
        Ok(Ok(result))
    }

    /// Releases the next `length` bytes of the row, which are in hand.
    fn release(&mut self, rest: &mut [u8], length: usize) -> Result<Stride, Error> {
        if length <= self.packet_left {
            self.packet_left -= length;
            return Ok(Stride::Released(length));
        }
        let due = length + HEADER_BYTES;
        let Some(frame) = self.next_frame(rest)? else { return Ok(Stride::Short(due)) };
        frame.renumber(rest.get_mut(self.packet_left..).unwrap_or_default(), self.lead);
        let behind = frame.payload.checked_sub(length - self.packet_left);
        self.packet_left = behind.ok_or(malformed("a cell longer than its row"))?;
        self.continues = frame.continues();
        self.sequence = self.sequence.wrapping_add(1);
        Ok(Stride::Released(due))
    }

    fn head(&mut self, plan: &Plan, rest: &mut [u8]) -> Result<Stride, Error> {
        let length = 1 + plan.nulls_bytes();
        match self.together(rest, length, |head| head.to_vec())? {
            Ok(head) if head.first() == Some(&0) => {
                self.nulls = Some(head.get(1..).unwrap_or_default().to_vec());
                self.release(rest, length)
            }
            Ok(_) => Err(malformed("a binary row that does not begin as one")),
            Err(due) => Ok(Stride::Short(due)),
        }
    }

    /// Takes the value that begins here: as a whole, or what a long one opens with.
    fn value(
        &mut self,
        cells: &Cells,
        binary: bool,
        masker: &mut Masker,
        rest: &mut [u8],
        masked: &mut u64,
    ) -> Result<Stride, Error> {
        let (before, length) = match self.cell_head(cells, rest)? {
            Ok(found) => found,
            Err(due) => return Ok(Stride::Short(due)),
        };
        let at_once = cells.class.is_seen_at_once();
        let most = if at_once { SERVER_MESSAGE_BYTES_MAX } else { LARGE_BYTES };
        if length > most {
            if at_once && cells.whole.is_none() {
                let what = "a geometry, or a text that is not in UTF-8";
                return Err(Error::TooLarge { side: Side::Server, what, most });
            }
            let first = match self.together(rest, before + 1, |bytes| bytes.last().copied())? {
                Ok(first) => first.unwrap_or_default(),
                Err(due) => return Ok(Stride::Short(due)),
            };
            *masked += u64::from(cells.whole.is_some());
            let (text, fill) = (cells.class.in_parts(first), cells.whole.map(Fill::new));
            self.cell = Some(Cell { left: length, text, fill });
            self.column += 1;
            return self.release(rest, before);
        }
        let whole = before + length;
        let done = self.together(rest, whole, |bytes| match (bytes.get_mut(before..), cells.whole) {
            (None | Some([]), _) => 0,
            (Some(value), Some(whole)) => whole::hide(masker, whole, binary, value),
            (Some(value), None) => value::mask(masker, cells.class, value),
        })?;
        match done {
            Ok(found) => {
                *masked += found as u64;
                self.column += 1;
                self.release(rest, whole)
            }
            Err(due) => Ok(Stride::Short(due)),
        }
    }

    /// What stands before the next cell, and the cell's length; `Err`: how many bytes must be in hand to tell.
    fn cell_head(&self, cells: &Cells, rest: &[u8]) -> Result<Result<(usize, usize), usize>, Error> {
        let mut head = [0; CELL_HEAD_BYTES];
        let own = rest.get(..self.packet_left.min(CELL_HEAD_BYTES)).unwrap_or(rest);
        let mut behind: &[u8] = &[];
        if self.packet_left < CELL_HEAD_BYTES
            && self.continues
            && let Some(frame) = self.next_frame(rest)?
        {
            behind = rest.get(self.packet_left + HEADER_BYTES..).unwrap_or_default();
            behind = behind.get(..frame.payload).unwrap_or(behind);
        }
        let mut have = 0;
        for (place, byte) in head.iter_mut().zip(own.iter().chain(behind)) {
            *place = *byte;
            have += 1;
        }
        match cell(head.get(..have).unwrap_or_default(), cells.width) {
            Some((before, length)) => {
                let length =
                    usize::try_from(length.unwrap_or(0)).ok().filter(|length| *length < usize::MAX / 2);
                Ok(Ok((before, length.ok_or(malformed("a cell longer than its row"))?)))
            }
            None if !self.continues && have == self.packet_left => {
                Err(malformed("a row shorter than its columns"))
            }
            None => Ok(Err(rest.len() + 1)),
        }
    }

    /// Goes on with a long value.
    fn go_on(
        &mut self,
        mut cell: Cell,
        masker: &mut Masker,
        rest: &mut [u8],
        masked: &mut u64,
    ) -> Result<Stride, Error> {
        let (in_hand, in_packet) = (rest.len(), self.packet_left.min(cell.left));
        let have = in_hand.min(in_packet);
        let mut released = cell.part(masker, rest.get_mut(..have).unwrap_or_default(), masked);
        let mut due = in_packet.min(in_hand + SEAM_BYTES);
        if released == 0 && have == in_packet {
            // What is left of the packet is decided on with what follows it.
            let length = cell.left.min(in_packet + SEAM_BYTES);
            match self.together(rest, length, |bytes| cell.part(masker, bytes, masked))? {
                Ok(done) if done > 0 => released = done,
                Ok(_) => return Err(malformed("a value that cannot be passed on")),
                Err(more) => due = more,
            }
        }
        cell.left -= released;
        if released == 0 || cell.left > 0 {
            self.cell = Some(cell);
        }
        if released == 0 { Ok(Stride::Short(due)) } else { self.release(rest, released) }
    }

    /// All cells have come: so has the row's last packet.
    fn close(&mut self, rest: &mut [u8]) -> Result<Stride, Error> {
        if self.packet_left > 0 {
            return Err(malformed("a row longer than its cells"));
        }
        if !self.continues {
            self.done = true;
            return Ok(Stride::Done);
        }
        match self.next_frame(rest)? {
            None => Ok(Stride::Short(HEADER_BYTES)),
            Some(frame) if frame.payload == 0 => {
                frame.renumber(rest, self.lead);
                self.continues = false;
                self.sequence = self.sequence.wrapping_add(1);
                Ok(Stride::Released(HEADER_BYTES))
            }
            Some(_) => Err(malformed("a row longer than its cells")),
        }
    }
}

impl Cell {
    /// Masks the next bytes of the value; how many are final.
    fn part(&mut self, masker: &mut Masker, bytes: &mut [u8], masked: &mut u64) -> usize {
        let last = bytes.len() == self.left;
        if let Some(fill) = &mut self.fill {
            fill.part(bytes, last);
            return bytes.len();
        }
        let part = self.text.part(masker, bytes, last);
        *masked += part.masked as u64;
        part.released
    }
}
