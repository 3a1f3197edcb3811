//! The bytes of one side that the engine has not consumed: received buffers as they lie, and a carry for what spans
//! them or was decrypted. Keeps the order; leaves out what the bytes mean. Lives on its shard's core.
//!
//! Invariant: released <= parsed <= received. A range is handed out by [`Inbound::take`] once and never seen again.

use std::collections::VecDeque;
use std::ops::Range;

use crate::limits::BUFFERS_SCARCE;
use crate::ring::{Chunk, Ring};

struct Piece {
    buffer: u16,
    range: Range<usize>,
    /// Nothing of it, or of what was laid before it, has been handed out.
    fresh: bool,
}

/// Unconsumed bytes of one side.
#[derive(Default)]
pub struct Inbound {
    /// Comes before the pieces; parsed from `start` on.
    carry: Vec<u8>,
    start: usize,
    pieces: VecDeque<Piece>,
}

impl Inbound {
    /// Takes over a received buffer and the one reference to it.
    pub fn push(&mut self, buffer: u16, range: Range<usize>) {
        self.pieces.push_back(Piece { buffer, range, fresh: true });
    }

    /// Where decrypted bytes are appended. Only for a side whose buffers are not pushed.
    pub fn carry_mut(&mut self) -> &mut Vec<u8> {
        // What is spent goes as soon as it is half of it, so that moving the rest costs each byte once.
        if self.start > 0 && self.start * 2 >= self.carry.len() {
            self.carry.drain(..self.start);
            self.start = 0;
        }
        &mut self.carry
    }

    /// How many bytes are unconsumed.
    pub fn len(&self) -> usize {
        let pieces: usize = self.pieces.iter().map(|piece| piece.range.len()).sum();
        self.carry.len() - self.start + pieces
    }

    /// Whether every byte is consumed.
    pub fn is_empty(&self) -> bool {
        self.start >= self.carry.len() && self.pieces.is_empty()
    }

    /// The first unconsumed bytes, as many as lie in one piece.
    pub fn head<'a>(&'a mut self, ring: &'a mut Ring) -> &'a mut [u8] {
        if self.start < self.carry.len() {
            return self.carry.get_mut(self.start..).unwrap_or_default();
        }
        match self.pieces.front() {
            Some(piece) => ring.buffer_mut(piece.buffer, piece.range.clone()),
            None => &mut [],
        }
    }

    /// Brings up to `more` further bytes next to the head; `false` where not all of them have come.
    /// The copy is the price of a message that spans two buffers: where it can be, of its start alone.
    pub fn gather(&mut self, ring: &mut Ring, more: usize) -> bool {
        if self.start >= self.carry.len() {
            self.carry.clear();
            self.start = 0;
            self.carry_front(ring, usize::MAX);
        }
        if self.lay_before(ring, more) {
            return true;
        }
        let mut missing = more;
        while missing > 0 && !self.pieces.is_empty() {
            missing -= self.carry_front(ring, missing);
        }
        missing == 0
    }

    /// Lays the carry into the headroom of the first piece, where it fits and the piece has as many bytes as are missing:
    /// then all of that piece is at hand, and goes on as it lies.
    fn lay_before(&mut self, ring: &mut Ring, more: usize) -> bool {
        let carried = self.carry.get(self.start..).unwrap_or_default();
        let Some(piece) = self.pieces.front_mut().filter(|piece| piece.fresh && piece.range.len() >= more)
        else {
            return false;
        };
        let Some(start) = piece.range.start.checked_sub(carried.len()) else { return false };
        ring.buffer_mut(piece.buffer, start..piece.range.start).copy_from_slice(carried);
        piece.range.start = start;
        piece.fresh = false;
        self.carry.clear();
        self.start = 0;
        true
    }

    /// Copies everything out of the ring's buffers: what waits for people must not keep them from others.
    pub fn evacuate(&mut self, ring: &mut Ring) {
        while !self.pieces.is_empty() {
            self.carry_front(ring, usize::MAX);
        }
    }

    /// Takes all there is.
    pub fn take_all(&mut self, ring: &mut Ring) -> Vec<u8> {
        self.evacuate(ring);
        let mut all = std::mem::take(&mut self.carry);
        all.drain(..std::mem::take(&mut self.start).min(all.len()));
        all
    }

    fn carry_front(&mut self, ring: &mut Ring, most: usize) -> usize {
        let Some(piece) = self.pieces.front_mut() else { return 0 };
        let length = piece.range.len().min(most);
        let range = piece.range.start..piece.range.start + length;
        self.carry.extend_from_slice(ring.buffer_mut(piece.buffer, range));
        piece.range.start += length;
        piece.fresh = false;
        self.drop_spent(ring);
        length
    }

    fn drop_spent(&mut self, ring: &mut Ring) {
        if let Some(piece) = self.pieces.front()
            && piece.range.is_empty()
        {
            ring.release(piece.buffer);
            self.pieces.pop_front();
        }
    }

    /// Drops the first `length` bytes of the head.
    pub fn consume(&mut self, ring: &mut Ring, length: usize) {
        if self.start < self.carry.len() {
            self.start = (self.start + length).min(self.carry.len());
            if self.start == self.carry.len() {
                self.carry.clear();
                self.start = 0;
            }
        } else if let Some(piece) = self.pieces.front_mut() {
            piece.range.start = (piece.range.start + length).min(piece.range.end);
            piece.fresh = false;
            self.drop_spent(ring);
        }
    }

    /// Takes the first `length` bytes of the head, to be sent: without a copy where they lie in a buffer (unless
    /// buffers are scarce) or are most of the carry.
    pub fn take(&mut self, ring: &mut Ring, length: usize) -> Chunk {
        if self.start < self.carry.len() {
            return self.take_carried(length);
        }
        let Some(piece) = self.pieces.front() else { return owned(Vec::new()) };
        let end = (piece.range.start + length).min(piece.range.end);
        let (buffer, range) = (piece.buffer, piece.range.start..end);
        let chunk = if ring.buffers_free() > BUFFERS_SCARCE {
            ring.share(buffer, range)
        } else {
            owned(ring.buffer_mut(buffer, range).to_vec())
        };
        self.consume(ring, length);
        chunk
    }

    fn take_carried(&mut self, length: usize) -> Chunk {
        let end = (self.start + length).min(self.carry.len());
        let range = self.start..end;
        if range.len() * 2 < self.carry.len() {
            let bytes = self.carry.get(range).unwrap_or_default().to_vec();
            self.start = end;
            return owned(bytes);
        }
        let rest = self.carry.split_off(end);
        let bytes = std::mem::replace(&mut self.carry, rest);
        self.start = 0;
        Chunk::Owned { bytes, range }
    }

    /// Gives every buffer back.
    pub fn discard(&mut self, ring: &mut Ring) {
        for piece in self.pieces.drain(..) {
            ring.release(piece.buffer);
        }
        self.carry = Vec::new();
        self.start = 0;
    }
}

/// A chunk of our own bytes.
pub fn owned(bytes: Vec<u8>) -> Chunk {
    let range = 0..bytes.len();
    Chunk::Owned { bytes, range }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::limits::HEADROOM_BYTES;
    use crate::ring::Completion;

    /// Receives what has been written to the other end.
    fn receive(ring: &mut Ring, inbound: &mut Inbound) {
        loop {
            if let Some(Completion::Received { bytes: Ok(Some((buffer, range))), .. }) = ring.completion() {
                return inbound.push(buffer, range);
            }
            ring.turn(0, None).unwrap();
        }
    }

    #[test]
    fn the_start_of_a_message_is_laid_before_its_rest() {
        let mut ring = Ring::open().unwrap();
        let (mut from, to) = UnixStream::pair().unwrap();
        ring.receive(to.as_raw_fd(), 0).unwrap();
        let mut inbound = Inbound::default();
        let sent: Vec<u8> = (0..=255).cycle().take(3 * HEADROOM_BYTES).collect();
        let (first, rest) = sent.split_at(HEADROOM_BYTES);
        let (second, third) = rest.split_at(100);
        from.write_all(first).unwrap();
        receive(&mut ring, &mut inbound);
        assert!(!inbound.gather(&mut ring, 1));
        from.write_all(second).unwrap();
        receive(&mut ring, &mut inbound);
        // It has fewer bytes than are missing: they join the carry, which has no room before the next piece then.
        assert!(!inbound.gather(&mut ring, 101));
        from.write_all(third).unwrap();
        receive(&mut ring, &mut inbound);
        assert!(inbound.gather(&mut ring, 1));
        assert_eq!(inbound.head(&mut ring), sent.get(..HEADROOM_BYTES + 101).unwrap());
        inbound.consume(&mut ring, HEADROOM_BYTES);
        assert!(inbound.gather(&mut ring, 1), "that piece is not fresh any more");
        assert_eq!(inbound.head(&mut ring), sent.get(HEADROOM_BYTES..HEADROOM_BYTES + 102).unwrap());
        inbound.consume(&mut ring, 102);
        assert_eq!(inbound.len(), 2 * HEADROOM_BYTES - 102);

        inbound.discard(&mut ring);
        for _ in 0..2 {
            from.write_all(first).unwrap();
            receive(&mut ring, &mut inbound);
        }
        assert!(inbound.gather(&mut ring, 1));
        assert!(inbound.carry.is_empty());
        assert_eq!(inbound.head(&mut ring), [first, first].concat());
        assert!(matches!(inbound.take(&mut ring, 17), Chunk::Pooled { .. }));
        from.write_all(second).unwrap();
        receive(&mut ring, &mut inbound);
        assert!(inbound.gather(&mut ring, 1), "what is left of a piece may be longer than the headroom");
        assert_eq!(inbound.head(&mut ring).len(), 2 * HEADROOM_BYTES - 17 + 1);
        inbound.discard(&mut ring);
        assert_eq!(ring.buffers_free(), crate::limits::BUFFERS - 1, "one is being sent");
    }

    /// What is decrypted in pieces and consumed in messages of another length must not pile up.
    #[test]
    fn a_long_answer_needs_no_more_room_than_a_piece() {
        let mut ring = Ring::open().unwrap();
        let mut inbound = Inbound::default();
        for _ in 0..1600 {
            inbound.carry_mut().extend_from_slice(&[0; 64 * 1024]);
            while inbound.len() >= 8011 {
                inbound.consume(&mut ring, 8011);
            }
        }
        assert!(inbound.carry.capacity() < 1024 * 1024, "{}", inbound.carry.capacity());
    }
}
