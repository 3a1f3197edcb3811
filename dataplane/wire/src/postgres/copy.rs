//! COPY to the client: text and csv as rows of characters, the binary format as typed fields of types that nobody names.
//! A row may be spread over several messages, a message may hold several rows: the data are one stream, whose bytes are
//! masked where they lie, across the messages' headers too. Leaves out what a field's bytes are (`value.rs`).

use alloc::vec::Vec;

use super::frame::{self, HEADER_BYTES, missing};
use super::long::{Long, Stride};
use super::rows::Plan;
use crate::cursor::{u16_at, u32_at};
use crate::limits::{COLUMNS_MAX, COPY_PIECES_MAX, LARGE_BYTES};
use crate::masker::Masker;
use crate::parts::{Part, Text};
use crate::{Cleared, Error, Side, Step};

/// What the binary format begins with.
const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// The signature, the flags, the length of the header's extension.
const BINARY_HEADER_BYTES: usize = SIGNATURE.len() + 8;

/// The data of one COPY, as far as they have come.
pub(crate) struct CopyOut {
    format: Format,
    /// Rows that have come and have not been counted.
    rows: u64,
    /// Data of several messages, one behind the other.
    gathered: Vec<u8>,
    /// Nothing can be done before so many bytes more have come; at least 1.
    short: usize,
}

enum Format {
    /// Text or csv; whether the last byte ended a line.
    Text {
        text: Text,
        fresh: bool,
    },
    Binary(Binary),
}

/// What is next in the binary format.
enum Binary {
    Header,
    Tuple,
    Fields(Long),
    End,
}

fn malformed(what: &'static str) -> Error {
    Error::Malformed { side: Side::Server, offset: 0, what }
}

impl CopyOut {
    pub(crate) fn new(binary: bool) -> Self {
        let text = Format::Text { text: Text::mixed(), fresh: true };
        let format = if binary { Format::Binary(Binary::Header) } else { text };
        Self { format, rows: 0, gathered: Vec::new(), short: 1 }
    }

    /// Whether these data are whole rows of characters, so that where they look clean they are.
    pub(crate) fn is_plain(&self, data: &[u8]) -> bool {
        matches!(&self.format, Format::Text { fresh: true, .. }) && data.ends_with(b"\n")
    }

    /// Rows that have come since the last call.
    pub(crate) fn take_rows(&mut self) -> u64 {
        core::mem::take(&mut self.rows)
    }

    /// A message of rows that are passed on as they are.
    pub(crate) fn count_row(&mut self) {
        self.rows += 1;
    }

    /// Masks data: what the last call left, and what has come since. `ends`: a message ends with them; `last`: so do all.
    pub(crate) fn part(
        &mut self,
        masker: &mut Masker,
        data: &mut [u8],
        ends: bool,
        last: bool,
    ) -> Result<Part, Error> {
        self.short = 1;
        match &mut self.format {
            Format::Text { text, fresh } => {
                // A line's end ends whatever number stands before it.
                *fresh = last || ends && data.ends_with(b"\n");
                self.rows += u64::from(*fresh);
                Ok(text.part(masker, data, *fresh))
            }
            Format::Binary(binary) => binary.part(masker, data, &mut self.rows, &mut self.short),
        }
    }

    /// No more data come.
    pub(crate) fn end(&self) -> Result<(), Error> {
        match &self.format {
            Format::Binary(Binary::Header | Binary::Tuple | Binary::Fields(_)) => {
                Err(malformed("binary COPY data without their end"))
            }
            _ => Ok(()),
        }
    }
}

impl Binary {
    fn part(
        &mut self,
        masker: &mut Masker,
        data: &mut [u8],
        rows: &mut u64,
        short: &mut usize,
    ) -> Result<Part, Error> {
        let plan = Plan::default();
        let (mut released, mut masked) = (0, 0);
        loop {
            let rest = data.get_mut(released..).unwrap_or_default();
            released += match self {
                Self::Header if rest.len() < BINARY_HEADER_BYTES => break,
                Self::Header => {
                    read_header(rest)?;
                    *self = Self::Tuple;
                    BINARY_HEADER_BYTES
                }
                Self::Tuple => {
                    let Some(count) = u16_at(rest, 0) else { break };
                    *self = match (count.cast_signed(), usize::from(count)) {
                        (-1, _) => Self::End,
                        (_, count @ 0..=COLUMNS_MAX) => Self::Fields(Long::tuple(count)),
                        _ => {
                            return Err(malformed("a row of binary COPY with an impossible count of fields"));
                        }
                    };
                    2
                }
                Self::Fields(fields) => match fields.stride(&plan, masker, rest, &mut masked)? {
                    Stride::Released(length) => length,
                    Stride::Short(more) => {
                        *short = more;
                        break;
                    }
                    Stride::Done => {
                        *rows += 1;
                        *self = Self::Tuple;
                        0
                    }
                },
                Self::End if rest.is_empty() => break,
                Self::End => return Err(malformed("binary COPY data behind their end")),
            };
        }
        Ok(Part { released, masked: usize::try_from(masked).unwrap_or(usize::MAX) })
    }
}

fn read_header(bytes: &[u8]) -> Result<(), Error> {
    if !bytes.starts_with(SIGNATURE) {
        return Err(malformed("binary COPY data without their signature"));
    }
    // Flags say that rows have more than their fields; nobody knows what an extension holds.
    match (u32_at(bytes, SIGNATURE.len()), u32_at(bytes, SIGNATURE.len() + 4)) {
        (Some(0), Some(0)) => Ok(()),
        _ => Err(Error::Unsupported {
            side: Side::Server,
            what: "binary COPY data with flags or an extension",
        }),
    }
}

/// A message of COPY data of which a part has been released: it is long, or its last row goes on in the next.
pub(crate) struct CopyParts {
    /// Bytes of the message that have not been released.
    left: usize,
}

impl CopyParts {
    pub(crate) fn new(left: usize) -> Self {
        Self { left }
    }

    /// Whether the message has been released to its end.
    pub(crate) fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Releases what can be.
    pub(crate) fn step(
        &mut self,
        copy: &mut CopyOut,
        masker: &mut Masker,
        bytes: &mut [u8],
        masked: &mut u64,
    ) -> Result<Step, Error> {
        let (have, all) = (bytes.len(), bytes.len().min(self.left));
        let ends = all == self.left;
        let part = copy.part(masker, bytes.get_mut(..all).unwrap_or_default(), ends, false)?;
        *masked += part.masked as u64;
        if part.released > 0 {
            self.left -= part.released;
            return Ok(Step::ToClient(Cleared(part.released)));
        }
        if ends {
            return self.across(copy, masker, bytes, masked);
        }
        // A good deal at a time: each time, what is in hand is copied.
        Ok(Step::Need(missing(0, (self.left - have).min(LARGE_BYTES / 2))))
    }

    /// Goes on where the rest of the message does not say what it is: with that and the next messages' data.
    fn across(
        &mut self,
        copy: &mut CopyOut,
        masker: &mut Masker,
        bytes: &mut [u8],
        masked: &mut u64,
    ) -> Result<Step, Error> {
        let (pieces, last) = pieces(bytes, self.left)?;
        let mut gathered = core::mem::take(&mut copy.gathered);
        gathered.clear();
        for piece in &pieces {
            gathered.extend_from_slice(bytes.get(piece.from..piece.to).unwrap_or_default());
        }
        let ends = pieces.last().is_some_and(|piece| piece.left == 0);
        let part = copy.part(masker, &mut gathered, ends, last)?;
        *masked += part.masked as u64;
        let mut rest = gathered.as_slice();
        for piece in &pieces {
            if let Some(place) = bytes.get_mut(piece.from..piece.to)
                && let Some((data, behind)) = rest.split_at_checked(place.len())
            {
                place.copy_from_slice(data);
                rest = behind;
            }
        }
        copy.gathered = gathered;
        match self.release(&pieces, part.released) {
            0 if last => Err(malformed("COPY data that end inside a value")),
            0 if pieces.len() == COPY_PIECES_MAX => {
                let (what, most) = ("pieces of one value of COPY data", COPY_PIECES_MAX);
                Err(Error::TooLarge { side: Side::Server, what, most })
            }
            0 => Ok(Step::Need(missing(0, copy.short))),
            at => Ok(Step::ToClient(Cleared(at))),
        }
    }

    /// How many bytes the first `released` bytes of data take, headers included.
    fn release(&mut self, pieces: &[Piece], mut released: usize) -> usize {
        let mut at = 0;
        for piece in pieces {
            let taken = released.min(piece.to - piece.from);
            if taken == 0 {
                break;
            }
            released -= taken;
            at = piece.from + taken;
            self.left = piece.to - at + piece.left;
        }
        at
    }
}

/// The data of one message, as far as they are in hand.
struct Piece {
    from: usize,
    to: usize,
    /// So many are still to come.
    left: usize,
}

/// Where data lie from the rest of a message on; whether no more come. An allocation for a row that the target has cut
/// into several messages, which PostgreSQL never does.
fn pieces(bytes: &[u8], left: usize) -> Result<(Vec<Piece>, bool), Error> {
    let mut pieces = Vec::from([Piece { from: 0, to: left, left: 0 }]);
    let mut at = left;
    while let Some(frame) = frame::peek(Side::Server, bytes.get(at..).unwrap_or_default())? {
        match frame.tag {
            b'd' => {}
            b'c' | b'E' => return Ok((pieces, true)),
            _ => {
                return Err(Error::Unsupported {
                    side: Side::Server,
                    what: "another message inside a row of COPY",
                });
            }
        }
        if pieces.len() == COPY_PIECES_MAX || at > 2 * LARGE_BYTES {
            break;
        }
        let (from, end) = (at + HEADER_BYTES, at + frame.length);
        let to = end.min(bytes.len());
        pieces.push(Piece { from, to, left: end - to });
        at = end;
    }
    Ok((pieces, false))
}
