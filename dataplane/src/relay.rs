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
    pub fn push(&mut self, buffer: u16, length: usize) {
        self.pieces.push_back(Piece { buffer, range: 0..length });
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
    /// The copy is the price of a message that spans two buffers: one message's bytes a buffer.
    pub fn gather(&mut self, ring: &mut Ring, more: usize) -> bool {
        if self.start >= self.carry.len() {
            self.carry.clear();
            self.start = 0;
            self.carry_front(ring, usize::MAX);
        }
        let mut missing = more;
        while missing > 0 && !self.pieces.is_empty() {
            missing -= self.carry_front(ring, missing);
        }
        missing == 0
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
    use super::*;

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
